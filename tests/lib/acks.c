/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the place of gatehouse-syncd, for tests of listings: acks SOCKET TEXT attaches, and answers
 * the question what peers have with TEXT (lines of a sync-id and a time in ns, with \n for their
 * ends); any other one is an error. It prints `attached` with the first configuration it gets, and
 * lasts until it is killed.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "sync/door.h"

struct acks {
	struct door *door;
	struct str text;
};

static void on_cluster(void *arg, const struct cluster *c) {
	(void)arg;
	(void)c;
	puts("attached");
	fflush(stdout);
}

static void on_autoscale(void *arg, const struct autoscale *a) {
	(void)arg;
	(void)a;
}

static void on_call(void *arg, const struct door_call *call) {
	const struct acks *a = arg;
	bool asked = call->argc == 1 && strcmp(call->argv[0], "acked") == 0;

	if (asked)
		door_reply(a->door, call->id, str_text(&a->text), a->text.len);
	door_end(a->door, call->id, asked ? 0 : ERR_PARSE, "only acks are here");
}

static void on_cancel(void *arg, uint32_t id) {
	(void)arg;
	(void)id;
}

static void on_lost(void *arg) {
	(void)arg;
}

static void on_log(void *arg, int priority, const char *text) {
	(void)arg;
	(void)priority;
	fprintf(stderr, "acks: %s\n", text);
}

static void add_lines(struct str *out, const char *text) {
	for (; *text; text++)
		if (strncmp(text, "\\n", 2) == 0) {
			str_add_char(out, '\n');
			text++;
		} else {
			str_add_char(out, *text);
		}
}

int main(int argc, char *argv[]) {
	struct acks a = { .text = STR_INIT };
	const struct door_calls calls = { &a,	     on_cluster, on_autoscale, on_call,
					  on_cancel, on_lost,	 on_log };
	struct event_base *base = event_base_new();
	struct err err = { 0 };

	if (argc != 3 || !base) {
		fputs("usage: acks SOCKET TEXT\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	add_lines(&a.text, argv[2]);
	a.door = door_new(base, argv[1], &calls, &err);
	if (!a.door) {
		fprintf(stderr, "acks: %s\n", err.text);
		return 1;
	}
	return event_base_dispatch(base) ? 1 : 0;
}
