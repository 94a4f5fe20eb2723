/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first 16 bytes of each digest are shown, in FortiOS' form: apart by blanks for the whole,
 * joined for single tables and objects. `debugzone` is of what is being entered: as long as an open
 * transaction holds something it differs from `checksum`.
 *
 * What other members have, gatehouse-syncd knows: its text follows that of this unit.
 */
#include "cfgdb/cmd_checksum.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/relay.h"
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

/* ---- this unit ---- */

static void put_own(const struct cmd_checksum *c, const char *serial, const char *line,
		    struct str *out) {
	const struct txn *open = engine_staged(c->engine);
	struct digest_group active, staged;
	struct digest_view view;

	digest_view_init(&view, c->engine);
	digest_group(&view, &active);
	staged = active;
	if (open) {
		digest_view_init_txn(&view, c->engine, open);
		digest_group(&view, &staged);
	}
	cmd_checksum_unit(serial, line, &staged, &active, out);
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
};

static int put_named(void *arg, const char *name, const unsigned char *digest) {
	struct str *out = arg;

	str_addf(out, "%s: ", name);
	put_bytes(digest, "", out);
	return 0;
}

/* The object of a table that is no list has the name of its table. */
static int put_object(void *arg, const char *key, const unsigned char *digest) {
	const struct lister *l = arg;

	return put_named(l->out, *key ? key : l->table, digest);
}

static int put_table(void *arg, const char *dotted, const unsigned char *digest) {
	const struct lister *l = arg;

	if (digest_is_of_vdom(l->view, dotted) != l->vdom)
		return 0;
	return put_named(l->out, dotted, digest);
}

/* A table of this release, or one that another release has brought. */
static bool is_table(const struct digest_view *view, const char *dotted) {
	return schema_find(dotted) || rows_first_of(model_rows(view->model), dotted);
}

static int show_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct cmd_checksum *c = ctx;
	struct digest_view view;
	struct lister l = { .view = &view, .out = out };

	if (call->argc == 0) {
		put_own(c, NULL, manage_line(c), out);
		return 0;
	}
	l.vdom = strcmp(call->argv[0], "root") == 0;
	if (call->argc > 2 || (!l.vdom && strcmp(call->argv[0], "global") != 0))
		return command_bad_word(call->argv[call->argc > 2 ? 2 : 0], err);
	digest_view_init(&view, c->engine);
	if (call->argc == 1)
		return digest_each_table(&view, put_table, &l);
	l.table = call->argv[1];
	if (!is_table(&view, l.table) || digest_is_of_vdom(&view, l.table) != l.vdom)
		return command_bad_word(l.table, err);
	return digest_each_object(&view, l.table, put_object, &l);
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

struct answer {
	struct str own;
	struct stream others;          /* next is NULL: there are none */
};

static enum stream_state answer_next(void *ctx, struct str *out, struct err *err) {
	struct answer *a = ctx;

	if (a->own.len == 0)
		return a->others.next(a->others.ctx, out, err);
	str_add_bytes(out, a->own.data, a->own.len);
	str_clear(&a->own);
	return a->others.next ? STREAM_WAIT : STREAM_END;
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

static int open_cluster(struct cmd_checksum *c, const struct command_call *call, const char *words,
			const char *line, struct stream *ret, struct err *err) {
	struct answer *a;

	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	a = xcalloc(1, sizeof(*a));
	a->others.fd = -1;
	put_own(c, c->engine->serial, line, &a->own);
	if (relay_is_attached(c->relay))
		relay_open(c->relay, RELAY_WAIT_MS, words, call, &a->others, NULL);
	answer_open(a, ret);
	return 0;
}

/* Nobody to ask is no error when there is something to say of this unit. */
static int diff_open(void *ctx, const struct command_call *call, struct stream *ret,
		     struct err *err) {
	struct cmd_checksum *c = ctx;
	struct answer *a;
	int rc;

	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	a = xcalloc(1, sizeof(*a));
	a->others.fd = -1;
	if (put_scrubbed(c, &a->own, err) != 0)
		str_addf(&a->own, "%s\n", err->text);
	rc = relay_open(c->relay, DIFF_WAIT_MS, "diagnose sys ha checksum diff", call, &a->others,
			err);
	if (rc && a->own.len == 0) {
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
		{ .words = "diagnose sys ha checksum show", .run = show_run },
		{ .words = "diagnose sys ha checksum recalculate", .run = recalculate_run },
		{ .words = "diagnose sys ha checksum diff", .open = diff_open },
		{ .words = "diagnose sys ha checksum cluster", .open = cluster_open },
		{ .words = "diagnose sys ha checksum autoscale-cluster", .open = autoscale_open },
	};

	*n = ARRAY_LEN(table);
	return table;
}
