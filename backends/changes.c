/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit only wakes those who watch. Each of them then tells the revisions it has not told yet,
 * as the commands that lead from one to the next: the history knows them, whoever made them and
 * however they came. So nothing is computed when nobody looks, and a slow reader delays nobody.
 *
 * A line is `CODE: COMMAND`, and the code is 0: what was refused is no change. A value of several
 * lines is one line here, with \n for each newline. Secrets are left out, sealed or not.
 */
#include "backends/changes.h"

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "backends/debug.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/difference.h"
#include "cfgdb/history.h"
#include "cfgdb/model/lex.h"
#include "cfgdb/store.h"

#define PIECE 65536
#define LEVEL_MAX 8

struct view {
	LIST_ENTRY(view) next;
	struct changes *changes;
	int fd;             /* readable when there was a commit */
	uint64_t told;      /* the last revision that was */
	struct str text;    /* of a revision, told up to `at` */
	size_t at;
};

struct changes {
	struct engine *engine;
	LIST_HEAD(, view) views;
	unsigned int n;
};

static void on_commit(void *arg) {
	const struct changes *c = arg;
	const struct view *v;

	LIST_FOREACH(v, &c->views, next)
		eventfd_write(v->fd, 1);
}

struct changes *changes_new(struct engine *engine) {
	struct changes *c = xcalloc(1, sizeof(*c));

	c->engine = engine;
	engine_watch(engine, on_commit, c);
	return c;
}

void changes_free(struct changes *changes) {
	free(changes);
}

/* ---- text ---- */

/* Where the value of a sealed secret begins in `set NAME ENC TEXT`, or NULL. */
static const char *find_secret(const char *line, size_t len) {
	static const char set[] = "set ", enc[] = " ENC ";
	const char *name = line + strlen(set), *end;

	if (len < strlen(set) || strncmp(line, set, strlen(set)) != 0)
		return NULL;
	end = name + strcspn(name, " \n");
	return strncmp(end, enc, strlen(enc)) == 0 ? end + strlen(enc) : NULL;
}

static void tell_line(const char *line, size_t len, struct str *out) {
	const char *secret = find_secret(line, len);

	if (secret)
		len = (size_t)(secret - line);
	str_add(out, "0: ");
	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\n')
			str_add(out, "\\n");
		else
			str_add_char(out, line[i]);
	}
	str_add(out, secret ? "*\n" : "\n");
}

static void tell_lines(const char *text, struct str *out) {
	bool open;

	while (*text) {
		const char *end;

		text += strspn(text, " ");
		end = lex_line_end(text, &open);
		if (end > text)
			tell_line(text, (size_t)(end - text), out);
		text = *end ? end + 1 : end;
	}
}

static int take_count(void *arg, const struct revision *rev) {
	*(uint32_t *)arg = rev->n_changes;
	return 1;
}

/* The revision after the one told last. */
static void tell_revision(struct view *v, struct str *out) {
	struct engine *e = v->changes->engine;
	struct txn *before = NULL, *after = NULL;
	AUTO_STR struct str text = STR_INIT;
	struct err err = { 0 };
	uint32_t n = 0;

	v->told++;
	store_each_revision(e->store, v->told, take_count, &n, &err);
	if (n <= CHANGES_OBJECTS_MAX) {
		before = history_look(e, v->told - 1, &err);
		after = before ? history_look(e, v->told, &err) : NULL;
	}
	if (after)
		difference(before, after, &text);
	else if (n > CHANGES_OBJECTS_MAX)
		str_addf(&text, "# revision %llu changes %u objects",
			 (unsigned long long)v->told, n);
	else
		str_addf(&text, "# revision %llu is not told", (unsigned long long)v->told);
	tell_lines(str_text(&text), out);
	txn_free(before);
	txn_free(after);
}

/* ---- the stream ---- */

static enum stream_state view_next(void *ctx, struct str *out, struct err *err) {
	struct view *v = ctx;
	eventfd_t count;
	size_t len;

	(void)err;
	if (v->at == v->text.len) {
		str_done(&v->text);
		v->at = 0;
		eventfd_read(v->fd, &count);
		if (v->told >= v->changes->engine->revision)
			return STREAM_WAIT;
		tell_revision(v, &v->text);
	}
	len = v->text.len - v->at < PIECE ? v->text.len - v->at : PIECE;
	str_add_bytes(out, str_text(&v->text) + v->at, len);
	v->at += len;
	return STREAM_MORE;
}

static void view_close(void *ctx) {
	struct view *v = ctx;

	LIST_REMOVE(v, next);
	v->changes->n--;
	str_done(&v->text);
	close(v->fd);
	free(v);
}

static int view_open(void *ctx, const struct command_call *call, struct stream *ret,
		     struct err *err) {
	struct changes *c = ctx;
	struct view *v;
	int fd;

	(void)call;
	if (c->n == CHANGES_VIEWS_MAX)
		return err_set(err, ERR_MAX_ENTRIES, "changes are watched %d times already",
			       CHANGES_VIEWS_MAX);
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_KERNEL, "changes cannot be watched");
	v = xcalloc(1, sizeof(*v));
	v->changes = c;
	v->fd = fd;
	v->told = c->engine->revision;
	LIST_INSERT_HEAD(&c->views, v, next);
	c->n++;
	*ret = (struct stream){ .next = view_next, .close = view_close, .fd = fd, .ctx = v };
	return 0;
}

/* ---- diagnose debug cli LEVEL ---- */

/* Any level but 0 is the same: there is no less to tell. */
static int level_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	const char *bad = NULL;
	long long level;

	if (call->argc == 0)
		return command_word_missing(err);
	level = strtonum(call->argv[0], 0, LEVEL_MAX, &bad);
	if (bad || call->argc > 1)
		return command_bad_word(call->argv[bad ? 0 : 1], err);
	if (level > 0)
		return debug_ask(call, view_open, ctx, ret, err);
	debug_drop(debug_of(call), view_open);
	return 0;
}

const struct command *commands_changes(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose debug cli", .reads = "all", .open = level_open },
	};

	*n = ARRAY_LEN(table);
	return table;
}
