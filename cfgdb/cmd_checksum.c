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
	return digest_each_object(&view, l.table, put_object, &l);
}

/* ---- recalculate [global|root] ---- */

static int recalculate_run(void *ctx, const struct command_call *call, struct str *out,
			   struct err *err) {
	struct cmd_checksum *c = ctx;

	(void)out;
	if (call->argc > 1 || (call->argc == 1 && strcmp(call->argv[0], "global") != 0 &&
			       strcmp(call->argv[0], "root") != 0))
		return command_bad_word(call->argv[call->argc - 1], err);
	digest_group_forget(c->engine);
	return 0;
}

/* ---- cluster, autoscale-cluster: all members ---- */

struct cluster_text {
	struct str own;
	struct relay_call *others;     /* NULL: nobody knows them */
};

static enum stream_state cluster_next(void *ctx, struct str *out, struct err *err) {
	struct cluster_text *t = ctx;

	if (t->own.len > 0) {
		str_add_bytes(out, t->own.data, t->own.len);
		str_clear(&t->own);
		return t->others ? STREAM_WAIT : STREAM_END;
	}
	return relay_call_next(t->others, out, err);
}

static void cluster_close(void *ctx) {
	struct cluster_text *t = ctx;

	str_done(&t->own);
	relay_call_close(t->others);
	free(t);
}

static int open_cluster(struct cmd_checksum *c, const struct command_call *call, const char *form,
			const char *line, struct stream *ret, struct err *err) {
	char *words[] = { (char *)"checksum", (char *)form };
	struct cluster_text *t;

	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	t = xcalloc(1, sizeof(*t));
	put_own(c, c->engine->serial, line, &t->own);
	if (relay_is_attached(c->relay))
		t->others = relay_call_open(c->relay, RELAY_WAIT_MS, false, ARRAY_LEN(words),
					    words, NULL);
	*ret = (struct stream){ .next = cluster_next, .close = cluster_close, .ctx = t,
				.fd = t->others ? relay_call_fd(t->others) : -1 };
	return 0;
}

static int cluster_open(void *ctx, const struct command_call *call, struct stream *ret,
			struct err *err) {
	struct cmd_checksum *c = ctx;

	return open_cluster(c, call, "cluster", manage_line(c), ret, err);
}

static int autoscale_open(void *ctx, const struct command_call *call, struct stream *ret,
			  struct err *err) {
	struct cmd_checksum *c = ctx;

	return open_cluster(c, call, "autoscale-cluster",
			    is_primary(c) ? "is_autoscale_primary()=1" : "is_autoscale_primary()=0",
			    ret, err);
}

const struct command *commands_checksum(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose sys ha checksum show", .run = show_run },
		{ .words = "diagnose sys ha checksum recalculate", .run = recalculate_run },
		{ .words = "diagnose sys ha checksum cluster", .open = cluster_open },
		{ .words = "diagnose sys ha checksum autoscale-cluster", .open = autoscale_open },
	};

	*n = ARRAY_LEN(table);
	return table;
}
