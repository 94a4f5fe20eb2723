/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The history: revisions, and what each of them changed, with the bodies of objects before and
 * after. Of the order of a table it keeps where each entry stood that a revision changed, so an old
 * order comes back when revisions are taken back one after the other, the newest first.
 *
 * It is bounded, for a start reads all of the database. Each commit drops from its old end about as
 * much as it adds, so that no commit pays for a large one of long ago.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/model/text.h"
#include "cfgdb/store_impl.h"

#define TRIM_STEP 65536 /* bytes of history that a commit drops beyond twice what it adds */

/* ---- reading ---- */

int store_last_revision(struct store *s, uint64_t *ret, unsigned char root_hash[OBJECT_HASH_LEN],
			struct err *err) {
	sqlite3_stmt *stmt = s->stmt[SQL_LAST_REVISION];
	int step = sqlite3_step(stmt), rc = 0;

	*ret = 0;
	memset(root_hash, 0, OBJECT_HASH_LEN);
	if (step == SQLITE_ROW) {
		*ret = (uint64_t)sqlite3_column_int64(stmt, 0);
		store_take_hash(stmt, 1, root_hash);
	} else if (step != SQLITE_DONE) {
		rc = store_fail(s, "read", err);
	}
	sqlite3_reset(stmt);
	return rc;
}

struct revision_visit {
	int (*each)(void *arg, const struct revision *rev);
	void *arg;
};

static int visit_revision(sqlite3_stmt *row, void *arg) {
	const struct revision_visit *v = arg;
	struct revision rev = { .id = (uint64_t)sqlite3_column_int64(row, 0),
				.time = sqlite3_column_int64(row, 1),
				.user = store_column(row, 2),
				.source = store_column(row, 3),
				.comment = store_column(row, 4),
				.n_changes = (uint32_t)sqlite3_column_int64(row, 5) };

	store_take_hash(row, 6, rev.root_hash);
	return v->each(v->arg, &rev);
}

int store_each_revision(struct store *s, uint64_t newest,
			int (*each)(void *arg, const struct revision *rev), void *arg,
			struct err *err) {
	struct revision_visit v = { each, arg };

	store_bind_id(s, SQL_REVISIONS, newest);
	return store_each_row(s, SQL_REVISIONS, visit_revision, &v, err);
}

struct revision_search {
	uint64_t id;
	struct revision *ret;
};

/* The first row is the newest that is not above the one that is sought. */
static int copy_revision(void *arg, const struct revision *rev) {
	struct revision_search *search = arg;

	if (rev->id != search->id)
		return ERR_NOT_FOUND;
	*search->ret = *rev;
	search->ret->user = xstrdup(rev->user);
	search->ret->source = xstrdup(rev->source);
	search->ret->comment = xstrdup(rev->comment);
	return 1;
}

static int no_revision(uint64_t id, struct err *err) {
	return err_set(err, ERR_NOT_FOUND, "the history has no revision %llu",
		       (unsigned long long)id);
}

int store_revision_get(struct store *s, uint64_t id, struct revision *ret, struct err *err) {
	struct revision_search search = { id, ret };
	int rc = store_each_revision(s, id, copy_revision, &search, err);

	if (rc == 1)
		return 0;
	return rc == 0 || rc == ERR_NOT_FOUND ? no_revision(id, err) : rc;
}

void revision_done(struct revision *rev) {
	free((char *)rev->user);
	free((char *)rev->source);
	free((char *)rev->comment);
	*rev = (struct revision){ 0 };
}

/* Each revision that is kept, but perhaps the oldest, has its changes and those after it. */
static int reaches_back(struct store *s, uint64_t since, struct err *err) {
	sqlite3_stmt *stmt = s->stmt[SQL_REACHES_BACK];
	int step, rc = 0;

	store_bind_id(s, SQL_REACHES_BACK, since);
	step = sqlite3_step(stmt);
	if (step == SQLITE_DONE)
		rc = no_revision(since, err);
	else if (step != SQLITE_ROW)
		rc = store_fail(s, "read", err);
	sqlite3_reset(stmt);
	return rc;
}

struct name_visit {
	int (*each)(void *arg, const char *dotted, const char *key);
	void *arg;
};

static int visit_name(sqlite3_stmt *row, void *arg) {
	const struct name_visit *v = arg;

	return v->each(v->arg, store_column(row, 0), store_column(row, 1));
}

int store_changed_since(struct store *s, uint64_t since,
			int (*each)(void *arg, const char *dotted, const char *key), void *arg,
			struct err *err) {
	struct name_visit v = { each, arg };
	int rc = reaches_back(s, since, err);

	store_bind_id(s, SQL_CHANGED_SINCE, since);
	return rc ? rc : store_each_row(s, SQL_CHANGED_SINCE, visit_name, &v, err);
}

struct change_visit {
	int (*each)(void *arg, const struct kept_change *change);
	void *arg;
};

static int visit_change(sqlite3_stmt *row, void *arg) {
	const struct change_visit *v = arg;
	const struct kept_change change = { .vdom = store_is_vdom(row, 0),
					    .dotted = store_column(row, 1),
					    .key = store_column(row, 2),
					    .before = store_column(row, 3),
					    .after = store_column(row, 4) };

	return v->each(v->arg, &change);
}

int store_bodies_at(struct store *s, uint64_t rev,
		    int (*each)(void *arg, const struct kept_change *change), void *arg,
		    struct err *err) {
	struct change_visit v = { each, arg };
	int rc = reaches_back(s, rev, err);

	store_bind_id(s, SQL_BODIES_AT, rev);
	return rc ? rc : store_each_row(s, SQL_BODIES_AT, visit_change, &v, err);
}

int store_changes_of(struct store *s, uint64_t rev,
		     int (*each)(void *arg, const struct kept_change *change), void *arg,
		     struct err *err) {
	struct change_visit v = { each, arg };
	int rc = reaches_back(s, rev, err);

	if (rc == 0 && reaches_back(s, rev - 1, NULL) != 0)
		rc = err_set(err, ERR_NOT_FOUND,
			     "the history may have lost changes of revision %llu",
			     (unsigned long long)rev);
	store_bind_id(s, SQL_CHANGES_OF, rev);
	return rc ? rc : store_each_row(s, SQL_CHANGES_OF, visit_change, &v, err);
}

int store_touched_since(struct store *s, uint64_t rev,
			int (*each)(void *arg, const char *dotted, const char *key), void *arg,
			struct err *err) {
	struct name_visit v = { each, arg };

	store_bind_id(s, SQL_TOUCHED_SINCE, rev);
	return store_each_row(s, SQL_TOUCHED_SINCE, visit_name, &v, err);
}

struct place_visit {
	int (*each)(void *arg, const struct kept_place *place);
	void *arg;
};

static int visit_place(sqlite3_stmt *row, void *arg) {
	const struct place_visit *v = arg;
	const struct kept_place place = { .rev = (uint64_t)sqlite3_column_int64(row, 0),
					  .dotted = store_column(row, 1),
					  .key = store_column(row, 2),
					  .behind = store_column(row, 3),
					  .was = sqlite3_column_int(row, 4) != 0,
					  .is = sqlite3_column_int(row, 5) != 0 };

	return v->each(v->arg, &place);
}

int store_places_since(struct store *s, uint64_t rev,
		       int (*each)(void *arg, const struct kept_place *place), void *arg,
		       struct err *err) {
	struct place_visit v = { each, arg };
	int rc = reaches_back(s, rev, err);

	store_bind_id(s, SQL_PLACES_SINCE, rev);
	return rc ? rc : store_each_row(s, SQL_PLACES_SINCE, visit_place, &v, err);
}

/* ---- writing ---- */

int store_revision(struct store *s, const struct revision *rev, struct err *err) {
	sqlite3_stmt *stmt = s->stmt[SQL_REVISION];

	sqlite3_bind_int64(stmt, 1, (int64_t)rev->id);
	sqlite3_bind_int64(stmt, 2, rev->time);
	store_bind_text(s, SQL_REVISION, 3, rev->user);
	store_bind_text(s, SQL_REVISION, 4, rev->source);
	store_bind_text(s, SQL_REVISION, 5, rev->comment);
	sqlite3_bind_int64(stmt, 6, rev->n_changes);
	sqlite3_bind_blob(stmt, 7, rev->root_hash, sizeof(rev->root_hash), SQLITE_TRANSIENT);
	return store_run(s, SQL_REVISION, err);
}

int store_revision_comment(struct store *s, uint64_t id, const char *comment, struct err *err) {
	int rc;

	store_bind_id(s, SQL_COMMENT, id);
	store_bind_text(s, SQL_COMMENT, 2, comment);
	rc = store_run(s, SQL_COMMENT, err);
	return rc || sqlite3_changes(s->db) > 0 ? rc : no_revision(id, err);
}

/* The bytes of the body, 0 when there is no object. */
static int64_t bind_body(struct store *s, int i, const struct object *obj) {
	AUTO_STR struct str body = STR_INIT;

	if (!obj)
		return 0;
	text_body(obj, 0, TEXT_KEPT, &body);
	store_bind_text(s, SQL_CHANGE, i, str_text(&body));
	return (int64_t)body.len;
}

static int write_change(struct store *s, uint64_t rev, const char *op, int64_t size,
			struct err *err) {
	int rc;

	sqlite3_bind_int64(s->stmt[SQL_CHANGE], 1, (int64_t)rev);
	store_bind_text(s, SQL_CHANGE, 5, op);
	rc = store_run(s, SQL_CHANGE, err);
	if (rc == 0)
		s->history += size;
	return rc;
}

static const char *operation(const void *before, const void *after, bool moved) {
	if (!before)
		return "new";
	if (!after)
		return "delete";
	return moved ? "move" : "change";
}

int store_change(struct store *s, uint64_t rev, const struct object *before,
		 const struct object *after, const char *behind, struct err *err) {
	int64_t size = STORE_CHANGE_ROWS;
	bool moved = before && after && before->pos != after->pos && object_equal(before, after);

	store_bind_place(s, SQL_CHANGE, 2, after ? after : before);
	size += bind_body(s, 6, before);
	size += bind_body(s, 7, after);
	store_bind_text(s, SQL_CHANGE, 8, behind);
	return write_change(s, rev, operation(before, after, moved), size, err);
}

static int64_t bind_row(struct store *s, int i, const struct row *row) {
	if (!row)
		return 0;
	store_bind_text(s, SQL_CHANGE, i, row->body);
	return (int64_t)strlen(row->body);
}

int store_change_row(struct store *s, uint64_t rev, const struct row *before,
		     const struct row *after, const char *behind, struct err *err) {
	int64_t size = STORE_CHANGE_ROWS;
	bool moved = before && after && strcmp(before->body, after->body) == 0;

	store_bind_place_of_row(s, SQL_CHANGE, 2, after ? after : before);
	size += bind_row(s, 6, before);
	size += bind_row(s, 7, after);
	store_bind_text(s, SQL_CHANGE, 8, behind);
	return write_change(s, rev, operation(before, after, moved), size, err);
}

/* ---- the old end of the history ---- */

struct oldest {
	int64_t row, rev, size;
};

/* The oldest change; its rev is 0 when there is none. */
static int history_oldest(struct store *s, struct oldest *ret, struct err *err) {
	sqlite3_stmt *stmt = s->stmt[SQL_HISTORY_OLDEST];
	int step = sqlite3_step(stmt), rc = 0;

	*ret = (struct oldest){ 0 };
	if (step == SQLITE_ROW)
		*ret = (struct oldest){ sqlite3_column_int64(stmt, 0),
					sqlite3_column_int64(stmt, 1),
					sqlite3_column_int64(stmt, 2) };
	else if (step != SQLITE_DONE)
		rc = store_fail(s, "read", err);
	sqlite3_reset(stmt);
	return rc;
}

bool store_history_is_overfull(const struct store *s) {
	return s->history > 2 * (int64_t)STORE_HISTORY_MAX;
}

int store_trim_history(struct store *s, uint64_t kept, struct err *err) {
	int64_t least = s->history - TRIM_STEP - 2 * (s->history - s->history_kept);
	struct oldest oldest;
	int rc = 0;

	if (s->history <= STORE_HISTORY_MAX)
		return 0;
	while (rc == 0 && s->history > STORE_HISTORY_MAX && s->history > least) {
		rc = history_oldest(s, &oldest, err);
		if (rc || oldest.rev == 0 || (uint64_t)oldest.rev >= kept)
			break;
		sqlite3_bind_int64(s->stmt[SQL_DROP_CHANGE], 1, oldest.row);
		rc = store_run(s, SQL_DROP_CHANGE, err);
		s->history -= oldest.size;
	}
	if (rc)
		return rc;
	store_bind_id(s, SQL_DROP_REVISIONS, kept);
	return store_run(s, SQL_DROP_REVISIONS, err);
}

/* ---- other bodies ---- */

void store_rewritten(sqlite3_context *ctx, int n, sqlite3_value **argv) {
	const struct store *s = sqlite3_user_data(ctx);
	const char *body = (const char *)sqlite3_value_text(argv[0]);
	char *changed = body && s->change ? s->change(s->change_arg, body) : NULL;

	(void)n;
	if (changed)
		sqlite3_result_text(ctx, changed, -1, free);
	else
		sqlite3_result_value(ctx, argv[0]);
}

int store_rewrite(struct store *s, char *(*change)(void *arg, const char *body), void *arg,
		  struct err *err) {
	int rc;

	s->change = change;
	s->change_arg = arg;
	rc = store_run(s, SQL_REWRITE, err);
	s->change = NULL;
	return rc;
}
