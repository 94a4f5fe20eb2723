/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first 16 bytes of each digest are shown, in FortiOS' form: apart by blanks for the whole,
 * joined for single tables and objects. `debugzone` is of what is being entered: as long as an open
 * transaction holds something it differs from `checksum`.
 *
 * What other members have, gatehouse-syncd knows: its text follows that of this unit.
 */
#include "cfgdb/cmd_checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/json_put.h"
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
	digest_view_init(&view, c->engine);
	if (call->json)
		json_put_object(&j, NULL);
	l.table = call->argc == 2 ? call->argv[1] : NULL;
	if (l.table)
		rc = digest_each_object(&view, l.table, put_object, &l);
	else
		rc = digest_each_table(&view, put_table, &l);
	if (call->json)
		json_put_end(&j);
	return rc;
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

/* As JSON it is one array: this unit begins it, members follow, the end is put here. */
struct cluster_text {
	struct str own;
	struct relay_call *others;     /* NULL: nobody knows them */
	bool json;
};

static enum stream_state cluster_end(const struct cluster_text *t, struct str *out) {
	struct json j = json_put_resume(out);

	if (t->json)
		json_put_end(&j);
	return STREAM_END;
}

static enum stream_state cluster_next(void *ctx, struct str *out, struct err *err) {
	struct cluster_text *t = ctx;
	enum stream_state state;

	if (t->own.len > 0) {
		str_add_bytes(out, t->own.data, t->own.len);
		str_clear(&t->own);
		return t->others ? STREAM_WAIT : cluster_end(t, out);
	}
	state = relay_call_next(t->others, out, err);
	return state == STREAM_END ? cluster_end(t, out) : state;
}

static void cluster_close(void *ctx) {
	struct cluster_text *t = ctx;

	str_done(&t->own);
	relay_call_close(t->others);
	free(t);
}

static void cluster_begin(const struct cmd_checksum *c, const struct digest_group *staged,
			  const struct digest_group *active, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_array(&j, NULL);
	cmd_checksum_json(c->engine->serial, is_primary(c), staged, active, &j);
}

static int open_cluster(struct cmd_checksum *c, const struct command_call *call, const char *form,
			const char *line, struct stream *ret, struct err *err) {
	char *words[] = { (char *)"checksum", (char *)form };
	struct digest_group staged, active;
	struct cluster_text *t;

	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	t = xcalloc(1, sizeof(*t));
	t->json = call->json;
	take_own(c, &staged, &active);
	if (call->json)
		cluster_begin(c, &staged, &active, &t->own);
	else
		cmd_checksum_unit(c->engine->serial, line, &staged, &active, &t->own);
	if (relay_is_attached(c->relay))
		t->others = relay_call_open(c->relay, RELAY_WAIT_MS, call->json, ARRAY_LEN(words),
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
		{ .words = "diagnose sys ha checksum show", .run = show_run, .has_json = true },
		{ .words = "diagnose sys ha checksum recalculate", .run = recalculate_run },
		{ .words = "diagnose sys ha checksum cluster", .open = cluster_open,
		  .has_json = true },
		{ .words = "diagnose sys ha checksum autoscale-cluster", .open = autoscale_open,
		  .has_json = true },
	};

	*n = ARRAY_LEN(table);
	return table;
}
