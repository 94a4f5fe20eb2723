/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `diagnose debug enable` shows on a connection: one thing at a time, the one that was asked
 * for last.
 */
#pragma once

#include "cfgdb/control/command.h"

struct debug {
	bool enabled;
	/* Begin to show it; NULL: there is nothing. */
	int (*open)(void *ctx, const struct command_call *call, struct stream *ret,
		    struct err *err);
	void *ctx;
};

/* That of the connection. */
struct debug *debug_of(const struct command_call *call);

/*
 * Ask for something: it begins now when debugging is enabled, otherwise with that. For use as, or
 * in, the open function of a command.
 */
int debug_ask(const struct command_call *call,
	      int (*open)(void *ctx, const struct command_call *call, struct stream *ret,
			  struct err *err),
	      void *ctx, struct stream *ret, struct err *err);

/* No longer ask for it; another one stays. */
void debug_drop(struct debug *debug,
		int (*open)(void *ctx, const struct command_call *call, struct stream *ret,
			    struct err *err));
