/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections of administrators to a unit, without a socket and with a clock of the test. */
#pragma once

#include <stdint.h>

#include "cfgdb/base/str.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/requests.h"

/* A unit with config transactions and commits that wait. */
struct wire_unit {
	char *dir;
	struct engine *engine;
	struct server_config config;
	struct command commands[32];
	unsigned int n_stuck;    /* commits that could not be taken back */
};

/* A new unit in a directory of its own; the caller ends it with wire_unit_done(). */
void wire_unit_init(struct wire_unit *u);

/* The same unit with a new daemon; no connection may be open. */
void wire_unit_restart(struct wire_unit *u);

/* End it; nothing may be staged any more. */
void wire_unit_done(struct wire_unit *u);

/* Let time pass, by all clocks. */
void wire_pass(int64_t seconds);

struct wire {
	struct caller caller;
	struct str said;         /* texts, warnings, objects and keys of the last answer */
	struct err err;          /* how it ended */
	uint64_t id;             /* the last one that was told */
	unsigned int n_objects;  /* in the last answer */
};

/* Connect as this user; the caller closes it. */
void wire_open(struct wire *w, const struct wire_unit *u, const char *user);

/* Hang up. */
void wire_close(struct wire *w);

/* Send a frame; the code of the answer. So are all of these. */
int wire_ask(struct wire *w, const struct buf *frame);

/*
 * Run a command, its words parted by single blanks; the same with JSON, and in another form; one of
 * `execute config-transaction`.
 */
int wire_run(struct wire *w, const char *line);
int wire_run_json(struct wire *w, const char *line);
int wire_run_as(struct wire *w, enum ctl_form form, const char *line);
int wire_txn(struct wire *w, const char *words);

/* Say what became of what the shell does. */
int wire_outcome(struct wire *w, int code);

/* Put an object, from this version, or from the one that the connection sees. */
int wire_send_put(struct wire *w, const char *table, const char *key, uint64_t base,
		  const char *body);
int wire_put(struct wire *w, const char *table, const char *key, const char *body);

/* A request with a table and, unless it is NULL, a key; CTL_DELETE, CTL_GET. */
int wire_named(struct wire *w, enum ctl_type type, const char *table, const char *key);
int wire_drop(struct wire *w, const char *table, const char *key);
int wire_get(struct wire *w, const char *table, const char *key);

/* CTL_BEGIN of a change, CTL_COMMIT for good, CTL_ABORT. */
int wire_simple(struct wire *w, enum ctl_type type);
