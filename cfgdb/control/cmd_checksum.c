/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first 16 bytes of each digest are shown, in FortiOS' form: apart by blanks for the whole,
 * joined for single tables and objects. `debugzone` is of what is being entered: as long as an open
 * transaction holds something it differs from `checksum`.
 *
 * What other members have, gatehouse-syncd knows: its text follows that of this unit.
 */
#include "cfgdb/control/cmd_checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/rights.h"
#include "cfgdb/role.h"
#include "cfgdb/scrub.h"

#define DIFF_WAIT_MS 25000     /* two members that do not answer, and something */

/* ---- text ---- */

static void put_bytes(const unsigned char *digest, const char *between, struct str *out) {
	for (int i = 0; i < CHECKSUM_LEN; i++)
		str_addf(out, "%s%02x", i ? between : "", digest[i]);
	str_add_char(out, '\n');
}

static void put_line(const char *name, const unsigned char *digest, struct str *out) {
	str_addf(out, "%s: ", name);
	put_bytes(digest, " ", out);
}

static void put_block(const char *name, const struct digest_group *d, struct str *out) {
	str_addf(out, "%s\n", name);
	put_line("global", d->global, out);
	put_line("root", d->root, out);
	put_line("all", d->all, out);
}

void cmd_checksum_unit(const char *serial, const char *line, const struct digest_group *staged,
		       const struct digest_group *active, struct str *out) {
	if (serial)
		str_addf(out, "================== %s ==================\n", serial);
	str_addf(out, "%s\n\n", line);
	put_block("debugzone", staged, out);
	str_add_char(out, '\n');
	put_block("checksum", active, out);
}

/* ---- JSON ---- */

static void put_hex(struct json *j, const char *name, const unsigned char *digest) {
	char text[2 * CHECKSUM_LEN + 1];

	for (int i = 0; i < CHECKSUM_LEN; i++)
		snprintf(text + (ptrdiff_t)2 * i, 3, "%02x", digest[i]);
	json_put_text(j, name, text);
}

static void put_group(struct json *j, const char *name, const struct digest_group *d) {
	json_put_object(j, name);
	put_hex(j, "global", d->global);
	put_hex(j, "root", d->root);
	put_hex(j, "all", d->all);
	json_put_end(j);
}

void cmd_checksum_json(const char *serial, bool primary, const struct digest_group *staged,
		       const struct digest_group *active, struct json *j) {
	json_put_object(j, NULL);
	if (serial)
		json_put_text(j, "serial", serial);
	json_put_bool(j, "primary", primary);
	put_group(j, "debugzone", staged);
	put_group(j, "checksum", active);
	json_put_end(j);
}

/* ---- this unit ---- */

static void take_own(const struct cmd_checksum *c, struct digest_group *staged,
		     struct digest_group *active) {
	const struct txn *open = engine_staged(c->engine);
	struct digest_view view;

	digest_view_init(&view, c->engine);
	digest_group(&view, active);
	*staged = *active;
	if (open) {
		digest_view_init_txn(&view, c->engine, open);
		digest_group(&view, staged);
	}
}

/* A unit in no group is its own primary. */
static bool is_primary(const struct cmd_checksum *c) {
	return role_is_primary(c->engine->model) || !role_is_member(c->engine->model);
}

static const char *manage_line(const struct cmd_checksum *c) {
	return is_primary(c) ? "is_manage_primary()=1, is_root_primary()=1"
			     : "is_manage_primary()=0, is_root_primary()=0";
}

/* ---- show [global|root [TABLE]] ---- */

struct lister {
	const struct digest_view *view;
	bool vdom;
	const char *table;             /* whose objects they are */
	struct str *out;
	struct json *json;             /* an open object; NULL: it is to be text */
};

static int put_named(const struct lister *l, const char *name, const unsigned char *digest) {
	if (l->json) {
		put_hex(l->json, name, digest);
		return 0;
	}
	str_addf(l->out, "%s: ", name);
	put_bytes(digest, "", l->out);
	return 0;
}

/* The object of a table that is no list has the name of its table. */
static int put_object(void *arg, const char *key, const unsigned char *digest) {
	const struct lister *l = arg;

	return put_named(l, *key ? key : l->table, digest);
}

static int put_table(void *arg, const char *dotted, const unsigned char *digest) {
	const struct lister *l = arg;

	return digest_is_of_vdom(l->view, dotted) == l->vdom ? put_named(l, dotted, digest) : 0;
}

static void show_own(const struct cmd_checksum *c, bool json, struct str *out) {
	struct json j = json_put_begin(out);
	struct digest_group staged, active;

	take_own(c, &staged, &active);
	if (json)
		cmd_checksum_json(NULL, is_primary(c), &staged, &active, &j);
	else
		cmd_checksum_unit(NULL, manage_line(c), &staged, &active, out);
}

/* A table of this release, or one that another release has brought. */
static bool is_table(const struct digest_view *view, const char *dotted) {
	return schema_find(dotted) || rows_first_of(model_rows(view->model), dotted);
}

static int show_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct cmd_checksum *c = ctx;
	struct json j = json_put_begin(out);
	struct digest_view view;
	struct lister l = { .view = &view, .out = out, .json = call->json ? &j : NULL };
	int rc;

	if (call->argc == 0) {
		show_own(c, call->json, out);
		return 0;
	}
	l.vdom = strcmp(call->argv[0], "root") == 0;
	if (call->argc > 2 || (!l.vdom && strcmp(call->argv[0], "global") != 0))
		return command_bad_word(call->argv[call->argc > 2 ? 2 : 0], err);
	if (call->argc == 2 && rights_in(call->rights, "all") < RIGHTS_READ)
		return rights_refuse("see the checksums of objects", err);
	digest_view_init(&view, c->engine);
	l.table = call->argc == 2 ? call->argv[1] : NULL;
	if (l.table &&
	    (!is_table(&view, l.table) || digest_is_of_vdom(&view, l.table) != l.vdom))
		return command_bad_word(l.table, err);
	if (call->json)
		json_put_object(&j, NULL);
	if (l.table)
		rc = digest_each_object(&view, l.table, put_object, &l);
	else
		rc = digest_each_table(&view, put_table, &l);
	if (call->json)
		json_put_end(&j);
	return rc;
}

/* ---- recalculate [global|root] ---- */

/* What was found in the database and undone. */
static int put_scrubbed(struct cmd_checksum *c, struct str *out, struct err *err) {
	AUTO_STR struct str found = STR_INIT;
	int rc = scrub(c->engine, &found, err);

	if (rc == 0 && found.len > 0)
		str_addf(out, "the database of this unit held something else, and was mended:\n%s",
			 str_text(&found));
	return rc;
}

static int recalculate_run(void *ctx, const struct command_call *call, struct str *out,
			   struct err *err) {
	struct cmd_checksum *c = ctx;

	if (call->argc > 1 || (call->argc == 1 && strcmp(call->argv[0], "global") != 0 &&
			       strcmp(call->argv[0], "root") != 0))
		return command_bad_word(call->argv[call->argc - 1], err);
	digest_group_forget(c->engine);
	return put_scrubbed(c, out, err);
}

/* ---- what this unit says, and then the others, by gatehouse-syncd ---- */

/* As JSON it is one array: this unit begins it, members follow, the end is put here. */
struct answer {
	struct str own;
	struct stream others;          /* next is NULL: there are none */
	bool json;
};

static enum stream_state answer_end(const struct answer *a, struct str *out) {
	struct json j = json_put_resume(out);

	if (a->json)
		json_put_end(&j);
	return STREAM_END;
}

static enum stream_state answer_next(void *ctx, struct str *out, struct err *err) {
	struct answer *a = ctx;
	enum stream_state state;

	if (a->own.len == 0) {
		state = a->others.next(a->others.ctx, out, err);
		return state == STREAM_END ? answer_end(a, out) : state;
	}
	str_add_bytes(out, a->own.data, a->own.len);
	str_clear(&a->own);
	return a->others.next ? STREAM_WAIT : answer_end(a, out);
}

static void answer_close(void *ctx) {
	struct answer *a = ctx;

	str_done(&a->own);
	if (a->others.close)
		a->others.close(a->others.ctx);
	free(a);
}

static void answer_open(struct answer *a, struct stream *ret) {
	*ret = (struct stream){ .next = answer_next, .close = answer_close, .ctx = a,
				.fd = a->others.fd };
}

static struct answer *answer_new(const struct command_call *call) {
	struct answer *a = xcalloc(1, sizeof(*a));

	a->others.fd = -1;
	a->json = call->json;
	return a;
}

static void cluster_begin(const struct cmd_checksum *c, const struct digest_group *staged,
			  const struct digest_group *active, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_array(&j, NULL);
	cmd_checksum_json(c->engine->serial, is_primary(c), staged, active, &j);
}

static int open_cluster(struct cmd_checksum *c, const struct command_call *call, const char *words,
			const char *line, struct stream *ret, struct err *err) {
	struct digest_group staged, active;
	struct answer *a;

	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	a = answer_new(call);
	take_own(c, &staged, &active);
	if (call->json)
		cluster_begin(c, &staged, &active, &a->own);
	else
		cmd_checksum_unit(c->engine->serial, line, &staged, &active, &a->own);
	if (relay_is_attached(c->relay))
		relay_open(c->relay, RELAY_WAIT_MS, words, call, &a->others, NULL);
	answer_open(a, ret);
	return 0;
}

/* What is said of this unit, as the first member. */
static void diff_begin(const struct cmd_checksum *c, struct str *text) {
	AUTO_FREE char *lines = str_steal(text);
	struct json j = json_put_begin(text);

	json_put_array(&j, NULL);
	json_put_object(&j, NULL);
	json_put_text(&j, "serial", c->engine->serial);
	json_put_lines(&j, "lines", lines ? lines : "");
	json_put_end(&j);
}

/* Nobody to ask is no error when there is something to say of this unit. */
static int diff_open(void *ctx, const struct command_call *call, struct stream *ret,
		     struct err *err) {
	struct cmd_checksum *c = ctx;
	struct answer *a;
	bool said;
	int rc;

	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	a = answer_new(call);
	if (put_scrubbed(c, &a->own, err) != 0)
		str_addf(&a->own, "%s\n", err->text);
	said = a->own.len > 0;
	if (call->json)
		diff_begin(c, &a->own);
	rc = relay_open(c->relay, DIFF_WAIT_MS, "diagnose sys ha checksum diff", call, &a->others,
			err);
	if (rc && !said) {
		answer_close(a);
		return rc;
	}
	answer_open(a, ret);
	return 0;
}

static int cluster_open(void *ctx, const struct command_call *call, struct stream *ret,
			struct err *err) {
	struct cmd_checksum *c = ctx;

	return open_cluster(c, call, "checksum cluster", manage_line(c), ret, err);
}

static int autoscale_open(void *ctx, const struct command_call *call, struct stream *ret,
			  struct err *err) {
	struct cmd_checksum *c = ctx;

	return open_cluster(c, call, "checksum autoscale-cluster",
			    role_is_primary(c->engine->model) ? "is_autoscale_primary()=1"
							      : "is_autoscale_primary()=0",
			    ret, err);
}

const struct command *commands_checksum(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose sys ha checksum show", .reads = "sysgrp.cfg",
		  .run = show_run, .has_json = true },
		{ .words = "diagnose sys ha checksum recalculate", .writes = "sysgrp.mnt",
		  .run = recalculate_run },
		{ .words = "diagnose sys ha checksum diff", .reads = "all",
		  .open = diff_open, .has_json = true },
		{ .words = "diagnose sys ha checksum cluster", .reads = "sysgrp.cfg",
		  .open = cluster_open,
		  .has_json = true },
		{ .words = "diagnose sys ha checksum autoscale-cluster", .reads = "sysgrp.cfg",
		  .open = autoscale_open,
		  .has_json = true },
	};

	*n = ARRAY_LEN(table);
	return table;
}
