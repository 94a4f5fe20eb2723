/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On FortiOS, debug output comes in between whatever is typed. Here it has the terminal to itself:
 * once both what to show and `debug enable` have been said, in whichever order, the second of them
 * lasts and prints until it is left.
 */
#include "backends/debug.h"

struct debug *debug_of(const struct command_call *call) {
	static const struct memory_kind kind = { .size = sizeof(struct debug) };

	return command_memory(call, &kind);
}

int debug_ask(const struct command_call *call,
	      int (*open)(void *ctx, const struct command_call *call, struct stream *ret,
			  struct err *err),
	      void *ctx, struct stream *ret, struct err *err) {
	struct debug *debug = debug_of(call);

	debug->open = open;
	debug->ctx = ctx;
	return debug->enabled ? open(ctx, call, ret, err) : 0;
}

void debug_drop(struct debug *debug,
		int (*open)(void *ctx, const struct command_call *call, struct stream *ret,
			    struct err *err)) {
	if (debug->open == open)
		debug->open = NULL;
}
