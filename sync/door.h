/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to gatehoused: it says what is to be done, and which commands administrators have typed;
 * answers go back. When it is away, the last word of it stands, and it is looked for again.
 */
#pragma once

#include "backends/autoscale.h"
#include "backends/cluster.h"
#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"

struct event_base;
struct door;

/* A command. Valid during the call only. */
struct door_call {
	uint32_t id;                 /* names it in answers */
	bool json;                   /* the output is to be JSON */
	size_t argc;                 /* at least 1 */
	char *const *argv;
};

struct door_command {
	const char *words;
	unsigned int n_args;         /* words that follow them */
	bool lasts;                  /* door_end() comes later, unless it fails */
	int (*run)(void *arg, const struct door_call *call, struct str *out, struct err *err);
};

/* Answer a call by the one of n commands that it says, run with arg; false: it says none. */
bool door_answer(struct door *d, const struct door_command commands[], size_t n, void *arg,
		 const struct door_call *call);

struct door_calls {
	void *arg;                   /* of all */
	/* What is to be done from now on; the first ones come some time after door_new(). */
	void (*cluster)(void *arg, const struct cluster *c);
	void (*autoscale)(void *arg, const struct autoscale *a);
	/* door_end() answers it, at once or later, with door_reply() before. */
	void (*call)(void *arg, const struct door_call *call);
	/* Nobody waits for this answer any more: door_end() is not needed, and does nothing. */
	void (*cancel)(void *arg, uint32_t id);
	/* Gatehoused is gone: all calls are cancelled. */
	void (*lost)(void *arg);
	/* Something for the log, with a priority of syslog(3). */
	void (*log)(void *arg, int priority, const char *text);
};

/*
 * Attach to the socket at path as soon as it is there, and again whenever the connection is lost.
 * The caller frees it before the base. NULL and *err when there is no event loop.
 */
struct door *door_new(struct event_base *base, const char *path, const struct door_calls *calls,
		      struct err *err);

/* Hang up; NULL is fine. Returns NULL. */
struct door *door_free(struct door *d);

/*
 * More of the answer to a call: len bytes of text without zero bytes. False when gatehoused takes
 * so little that this is left out.
 */
bool door_reply(struct door *d, uint32_t id, const char *text, size_t len);

/*
 * The sessions of the other members are here: gatehoused may let interfaces go up. Nothing happens
 * when it is away; it is to be told again after the next configuration.
 */
void door_ready(struct door *d);

/* The end of the answer: code 0, or that of an error with its text. */
void door_end(struct door *d, uint32_t id, int code, const char *text);
