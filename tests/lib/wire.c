/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A request is built as the shell builds it and given to the daemon's side without a socket; the
 * answers are kept as text. The unit behind it has a clock that stands still until a test lets time
 * pass.
 */
#include "tests/lib/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/cmd_transaction.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/pending.h"
#include "cfgdb/workspace.h"
#include "tests/lib/fixture.h"

/* ---- the unit ---- */

static struct moment now;

static void stopped_clock(struct moment *ret) {
	*ret = now;
}

static void hear_pending(void *arg, bool failed, const char *text) {
	struct wire_unit *u = arg;

	(void)text;
	u->n_stuck += failed;
}

static void take_commands(struct wire_unit *u, const struct command *(*group)(size_t *n)) {
	size_t n, *all = &u->config.n_commands;
	const struct command *commands = group(&n);

	ck_assert_uint_le(*all + n, ARRAY_LEN(u->commands));
	memcpy(&u->commands[*all], commands, n * sizeof(*commands));
	u->config.commands = u->commands;
	*all += n;
}

static void unit_open(struct wire_unit *u) {
	struct pending_config waiting = { .clock = stopped_clock, .boot_id = "x",
					  .tell = hear_pending, .arg = u };
	struct err err = { 0 };

	u->engine = waiting.engine = fixture_engine(u->dir);
	u->config = (struct server_config){ .path = "/unused", .group = "g", .version = "1" };
	take_commands(u, commands_transaction);
	take_commands(u, commands_transaction_show);
	u->config.workspace = workspace_new(u->engine, stopped_clock, &err);
	ck_assert_msg(u->config.workspace != NULL, "%s", err.text);
	u->config.pending = pending_open(&waiting, &err);
	ck_assert_msg(u->config.pending != NULL, "%s", err.text);
}

static void unit_close(struct wire_unit *u) {
	pending_close(u->config.pending);
	workspace_free(u->config.workspace);
	ck_assert_uint_eq(u->engine->staged_bytes, 0);
	engine_close(u->engine);
}

void wire_unit_init(struct wire_unit *u) {
	now = (struct moment){ 1000000, 5000 };
	u->n_stuck = 0;
	u->dir = fixture_dir();
	unit_open(u);
}

void wire_unit_restart(struct wire_unit *u) {
	unit_close(u);
	unit_open(u);
}

void wire_unit_done(struct wire_unit *u) {
	unit_close(u);
	free(u->dir);
}

void wire_pass(int64_t seconds) {
	now.wall_s += seconds;
	now.boot_s += seconds;
}

/* ---- one connection ---- */

static void hear(void *arg, const struct buf *frame) {
	struct wire *w = arg;
	struct buf_reader r;
	uint8_t type;

	buf_reader_init(&r, frame->data, frame->len);
	type = buf_get_u8(&r);
	if (type == CTL_ERROR) {
		int code = (int)buf_get_u32(&r);
		AUTO_FREE char *text = buf_get_str(&r, ERR_TEXT_MAX);

		err_set(&w->err, code, "%s", text);
	} else if (type == CTL_TEXT || type == CTL_WARNING) {
		AUTO_FREE char *text = buf_get_str(&r, CTL_TEXT_CHUNK);

		str_addf(&w->said, "%s%s", type == CTL_WARNING ? "warning: " : "", text);
		if (type == CTL_WARNING)
			str_add_char(&w->said, '\n');
	} else if (type == CTL_KEY) {
		AUTO_FREE char *key = buf_get_str(&r, OBJECT_KEY_MAX);

		str_addf(&w->said, "%s\n", key);
	} else if (type == CTL_ID) {
		w->id = buf_get_u64(&r);
	} else if (type == CTL_OBJECT) {
		AUTO_FREE char *key = (buf_get_u64(&r), buf_get_str(&r, OBJECT_KEY_MAX));
		AUTO_FREE char *body = buf_get_str(&r, CTL_FRAME_MAX);

		w->n_objects++;
		str_addf(&w->said, "%s: %s", key, body);
	}
}

int wire_ask(struct wire *w, const struct buf *frame) {
	str_clear(&w->said);
	w->err = (struct err){ 0 };
	w->n_objects = 0;
	ck_assert(caller_request(&w->caller, frame->data, frame->len));
	return w->err.code;
}

void wire_open(struct wire *w, const struct wire_unit *u, const char *user) {
	AUTO_BUF struct buf b = BUF_INIT;

	*w = (struct wire){ .said = STR_INIT };
	caller_init(&w->caller, u->engine, &u->config, user, true);
	w->caller.send = hear;
	w->caller.send_arg = w;
	buf_put_u8(&b, CTL_HELLO);
	buf_put_u32(&b, CTL_VERSION);
	buf_put_str(&b, schema_digest);
	ck_assert_int_eq(wire_ask(w, &b), 0);
}

void wire_close(struct wire *w) {
	caller_done(&w->caller);
	str_done(&w->said);
}

int wire_run_as(struct wire *w, enum ctl_form form, const char *line) {
	AUTO_BUF struct buf b = BUF_INIT;
	AUTO_FREE char *copy = xstrdup(line);
	uint16_t n = 1;

	for (const char *p = line; *p; p++)
		n += *p == ' ';
	buf_put_u8(&b, CTL_RUN);
	buf_put_u8(&b, (uint8_t)form);
	buf_put_u16(&b, n);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		buf_put_str(&b, word);
	return wire_ask(w, &b);
}

int wire_run(struct wire *w, const char *line) {
	return wire_run_as(w, CTL_FORM_TEXT, line);
}

int wire_run_json(struct wire *w, const char *line) {
	return wire_run_as(w, CTL_FORM_JSON, line);
}

int wire_outcome(struct wire *w, int code) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_OUTCOME);
	buf_put_u32(&b, (uint32_t)code);
	return wire_ask(w, &b);
}

int wire_txn(struct wire *w, const char *words) {
	AUTO_FREE char *line = xasprintf("execute config-transaction %s", words);

	return wire_run(w, line);
}

int wire_send_put(struct wire *w, const char *table, const char *key, uint64_t base,
		    const char *body) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_PUT);
	buf_put_u16(&b, fixture_table(table)->id);
	buf_put_str(&b, key);
	buf_put_u64(&b, base);
	buf_put_str(&b, body);
	return wire_ask(w, &b);
}

int wire_named(struct wire *w, enum ctl_type type, const char *table, const char *key) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, (uint8_t)type);
	buf_put_u16(&b, fixture_table(table)->id);
	if (key)
		buf_put_str(&b, key);
	return wire_ask(w, &b);
}

int wire_put(struct wire *w, const char *table, const char *key, const char *body) {
	struct txn *view = workspace_txn(&w->caller.seat);
	struct txn *other = view ? NULL : txn_new(w->caller.engine, "x", "x");
	uint64_t base = txn_base_version(view ? view : other, fixture_table(table), key);

	txn_free(other);
	return wire_send_put(w, table, key, base, body);
}

int wire_drop(struct wire *w, const char *table, const char *key) {
	return wire_named(w, CTL_DELETE, table, key);
}

int wire_get(struct wire *w, const char *table, const char *key) {
	return wire_named(w, CTL_GET, table, key);
}

int wire_simple(struct wire *w, enum ctl_type type) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, (uint8_t)type);
	if (type == CTL_BEGIN)
		buf_put_u8(&b, CTL_BEGIN_CHANGE);
	if (type == CTL_COMMIT) {
		buf_put_u32(&b, 0);
		buf_put_str(&b, "");
	}
	return wire_ask(w, &b);
}
