/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With store_history.c, the only file that knows SQLite. Statements are prepared once and named in
 * one table; each use binds, steps and resets in store_run() or store_each_row().
 *
 * body is the text of the object as text_body() prints it without indentation: what `show` shows is
 * what is stored. ver is the revision that last changed the object; pos is its place in the table.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/model/text.h"
#include "cfgdb/store_impl.h"

#define STORE_VERSION "1"
#define VD_ROOT "root"
#define VD_GLOBAL "global"

/* Bytes of a change in the history. */
#define TEXT_OF(x) #x
#define NUMBER(x) TEXT_OF(x)
#define CHANGE_SIZE                                                      \
	"(" NUMBER(STORE_CHANGE_ROWS) " + coalesce(length(CAST(old_body AS BLOB)), 0)" \
	" + coalesce(length(CAST(new_body AS BLOB)), 0))"

/* What was found on the machine is no change of anyone, and is not taken back. */
#define NOT_FOUND_LINKS "rev NOT IN (SELECT id FROM rev WHERE source='" STORE_SOURCE_FOUND "')"

static const char *const sql[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_LOAD] = "SELECT tbl, key, pos, ver, hash, body, vd FROM obj ORDER BY tbl, pos, key",
	[SQL_PUT] =
		"INSERT INTO obj(vd, tbl, key, pos, ver, hash, body) "
		"VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) "
		"ON CONFLICT(vd, tbl, key) DO UPDATE SET pos=?4, ver=?5, hash=?6, body=?7",
	[SQL_DELETE] = "DELETE FROM obj WHERE vd=?1 AND tbl=?2 AND key=?3",
	[SQL_OID] = "SELECT oid FROM obj WHERE vd=?1 AND tbl=?2 AND key=?3",
	[SQL_DATA_VERSION] = "PRAGMA data_version",
	[SQL_REF_CLEAR] = "DELETE FROM ref WHERE src_oid=?1",
	[SQL_REF_ADD] =
		"INSERT INTO ref(src_oid, attr, ord, tgt_tbl, tgt_key) VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_REVISION] = "INSERT INTO rev(id, ts, user, source, comment, nchg, root_hash) "
			 "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_CHANGE] = "INSERT INTO chg(rev, vd, tbl, key, op, old_body, new_body, old_after) "
		       "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[SQL_LAST_REVISION] = "SELECT id, root_hash FROM rev ORDER BY id DESC LIMIT 1",
	[SQL_PUT_HASH] = "UPDATE obj SET hash=?4 WHERE vd=?1 AND tbl=?2 AND key=?3 AND hash<>?4",
	[SQL_PUT_ROOT_HASH] = "UPDATE rev SET root_hash=?2 WHERE id=?1",
	[SQL_PUT_POS] = "UPDATE obj SET pos=?4 WHERE vd=?1 AND tbl=?2 AND key=?3",
	[SQL_REACHES_BACK] = "SELECT 1 FROM rev WHERE id=?1",
	[SQL_CHANGED_SINCE] = "SELECT DISTINCT tbl, key FROM chg WHERE rev>?1 ORDER BY tbl, key",
	/* of all rows of a key, SQLite takes the others from the one with the least revision */
	[SQL_BODIES_AT] = "SELECT vd, tbl, key, old_body, NULL, min(rev) FROM chg WHERE rev>?1 AND "
			  NOT_FOUND_LINKS " GROUP BY vd, tbl, key",
	[SQL_CHANGES_OF] = "SELECT vd, tbl, key, old_body, new_body FROM chg WHERE rev=?1 AND "
			   NOT_FOUND_LINKS " ORDER BY rowid",
	[SQL_TOUCHED_SINCE] = "SELECT DISTINCT tbl, key FROM chg WHERE rev>?1 AND "
			      "(old_body IS NOT new_body OR op='move') ORDER BY tbl, key",
	[SQL_PLACES_SINCE] = "SELECT rev, tbl, key, old_after, old_body IS NOT NULL, "
			     "new_body IS NOT NULL FROM chg WHERE rev>?1 "
			     "ORDER BY rev DESC, tbl, old_after",
	[SQL_REVISIONS] = "SELECT id, ts, user, source, comment, nchg, root_hash FROM rev "
			  "WHERE id<=?1 ORDER BY id DESC",
	[SQL_COMMENT] = "UPDATE rev SET comment=?2 WHERE id=?1",
	[SQL_HISTORY_SIZE] = "SELECT coalesce(sum(" CHANGE_SIZE "), 0) FROM chg",
	[SQL_HISTORY_OLDEST] =
		"SELECT rowid, rev, " CHANGE_SIZE " FROM chg ORDER BY rev, rowid LIMIT 1",
	[SQL_DROP_CHANGE] = "DELETE FROM chg WHERE rowid=?1",
	[SQL_DROP_REVISIONS] =
		"DELETE FROM rev WHERE id < (SELECT min(rev) FROM chg) AND id < ?1 - 1",
	[SQL_REWRITE] = "UPDATE chg SET old_body=rewritten(old_body), "
			"new_body=rewritten(new_body)",
	[SQL_META_GET] = "SELECT value FROM meta WHERE name=?1",
	[SQL_META_SET] = "INSERT INTO meta(name, value) VALUES(?1, ?2) "
			 "ON CONFLICT(name) DO UPDATE SET value=?2",
};

static const char pragma_sql[] =
	"PRAGMA busy_timeout=5000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	"PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON; PRAGMA journal_size_limit=4194304;";

static const char schema_sql[] =
	"CREATE TABLE IF NOT EXISTS obj(oid INTEGER PRIMARY KEY, vd TEXT NOT NULL,"
	" tbl TEXT NOT NULL, key TEXT NOT NULL, pos INTEGER NOT NULL, ver INTEGER NOT NULL,"
	" hash BLOB NOT NULL, body TEXT NOT NULL, UNIQUE(vd, tbl, key));"
	"CREATE TABLE IF NOT EXISTS ref(src_oid INTEGER NOT NULL REFERENCES obj(oid)"
	" ON DELETE CASCADE, attr TEXT NOT NULL, ord INTEGER NOT NULL, tgt_tbl TEXT NOT NULL,"
	" tgt_key TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS ref_target ON ref(tgt_tbl, tgt_key);"
	"CREATE INDEX IF NOT EXISTS ref_source ON ref(src_oid);"
	"CREATE TABLE IF NOT EXISTS rev(id INTEGER PRIMARY KEY, ts INTEGER NOT NULL,"
	" user TEXT NOT NULL, source TEXT NOT NULL, comment TEXT NOT NULL, nchg INTEGER NOT NULL,"
	" root_hash BLOB NOT NULL);"
	"CREATE TABLE IF NOT EXISTS chg(rev INTEGER NOT NULL REFERENCES rev(id), vd TEXT NOT NULL,"
	" tbl TEXT NOT NULL, key TEXT NOT NULL, op TEXT NOT NULL, old_body TEXT, new_body TEXT,"
	" old_after TEXT);"
	"CREATE INDEX IF NOT EXISTS chg_rev ON chg(rev);"
	"CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value TEXT NOT NULL);";

int store_fail(struct store *s, const char *doing, struct err *err) {
	return err_set(err, ERR_STORE, "the configuration database: %s: %s", doing,
		       sqlite3_errmsg(s->db));
}

/* Step a statement that gives no rows (or whose first row is enough) and make it ready again. */
int store_run(struct store *s, enum statement which, struct err *err) {
	bool fault = fault_hit("store.write");
	int rc = fault ? SQLITE_FULL : sqlite3_step(s->stmt[which]);

	if (fault)
		rc = err_set(err, ERR_STORE, "the configuration database: write: injected fault");
	else if (rc == SQLITE_DONE || rc == SQLITE_ROW)
		rc = 0;
	else
		rc = store_fail(s, "write", err);
	sqlite3_reset(s->stmt[which]);
	sqlite3_clear_bindings(s->stmt[which]);
	return rc;
}

void store_bind_text(struct store *s, enum statement which, int i, const char *text) {
	sqlite3_bind_text(s->stmt[which], i, text, -1, SQLITE_TRANSIENT);
}

/* The first parameter, a revision; one beyond what the database can hold is none that it has. */
void store_bind_id(struct store *s, enum statement which, uint64_t id) {
	sqlite3_bind_int64(s->stmt[which], 1, id > INT64_MAX ? INT64_MAX : (int64_t)id);
}

/* ---- opening ---- */

static int store_exec(struct store *s, const char *text, struct err *err) {
	if (sqlite3_exec(s->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(s, "open", err);
	return 0;
}

static int store_check(struct store *s, struct err *err) {
	sqlite3_stmt *stmt = NULL;
	const char *answer = "no answer";
	int rc = 0;

	if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &stmt, NULL) != SQLITE_OK)
		return store_fail(s, "check", err);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		answer = (const char *)sqlite3_column_text(stmt, 0);
	if (!answer || strcmp(answer, "ok") != 0)
		rc = err_set(err, ERR_STORE, "the configuration database is damaged: %s",
			     answer ? answer : "");
	sqlite3_finalize(stmt);
	return rc;
}

static int store_version(struct store *s, struct err *err) {
	AUTO_FREE char *version = NULL;
	int rc = store_meta_get(s, "schema_version", &version, err);

	if (rc)
		return rc;
	if (!version)
		return store_meta_set(s, "schema_version", STORE_VERSION, err);
	if (strcmp(version, STORE_VERSION) != 0)
		return err_set(err, ERR_STORE,
			       "the configuration database has version %s, this program reads %s",
			       version, STORE_VERSION);
	return 0;
}

/* Earlier releases did not keep the order that entries had. */
static int store_migrate(struct store *s, struct err *err) {
	if (sqlite3_table_column_metadata(s->db, NULL, "chg", "old_after", NULL, NULL, NULL, NULL,
					  NULL) == SQLITE_OK)
		return 0;
	return store_exec(s, "ALTER TABLE chg ADD COLUMN old_after TEXT", err);
}

static int store_prepare(struct store *s, struct err *err) {
	if (sqlite3_create_function(s->db, "rewritten", 1, SQLITE_UTF8, s, store_rewritten, NULL,
				    NULL) != SQLITE_OK)
		return store_fail(s, "prepare", err);
	for (int i = 0; i < SQL_COUNT; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i],
				       NULL) != SQLITE_OK)
			return store_fail(s, "prepare", err);
	return 0;
}

/*
 * The log and its index stay when the database is closed: a start on a full disk could not make
 * them, and a firewall must start there, too. The limit has the log cut to nothing at the close.
 * A database in memory has no log.
 */
static int store_keep_log(struct store *s, struct err *err) {
	int on = 1;
	int rc = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);

	return rc == SQLITE_OK || rc == SQLITE_NOTFOUND ? 0 : store_fail(s, "open", err);
}

static int store_measure(struct store *s, struct err *err) {
	sqlite3_stmt *stmt = s->stmt[SQL_HISTORY_SIZE];
	int rc = 0;

	if (sqlite3_step(stmt) == SQLITE_ROW)
		s->history = s->history_kept = sqlite3_column_int64(stmt, 0);
	else
		rc = store_fail(s, "read", err);
	sqlite3_reset(stmt);
	return rc;
}

struct store *store_open(const char *path, struct err *err) {
	struct store *s = xcalloc(1, sizeof(*s));

	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		store_fail(s, path, err);
	else if (store_exec(s, pragma_sql, err) == 0 && store_keep_log(s, err) == 0 &&
		 store_check(s, err) == 0 && store_exec(s, schema_sql, err) == 0 &&
		 store_migrate(s, err) == 0 && store_prepare(s, err) == 0 &&
		 store_version(s, err) == 0 && store_measure(s, err) == 0) {
		store_is_touched(s);
		return s;
	}
	store_close(s);
	return NULL;
}

void store_close(struct store *s) {
	if (!s)
		return;
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->stmt[i]);
	sqlite3_close(s->db);
	free(s);
}

/* ---- reading ---- */

/* Visit what a statement gives, whose parameters are bound. */
int store_each_row(struct store *s, enum statement which, store_row_fn *visit, void *arg,
		    struct err *err) {
	sqlite3_stmt *stmt = s->stmt[which];
	int rc = 0, step;

	while (rc == 0 && (step = sqlite3_step(stmt)) != SQLITE_DONE)
		rc = step == SQLITE_ROW ? visit(stmt, arg) : store_fail(s, "read", err);
	sqlite3_reset(stmt);
	return rc;
}

const char *store_column(sqlite3_stmt *row, int i) {
	return (const char *)sqlite3_column_text(row, i);
}

bool store_is_vdom(sqlite3_stmt *row, int i) {
	return strcmp(store_column(row, i), VD_GLOBAL) != 0;
}

/* A digest out of a row; zeros when it is none. */
void store_take_hash(sqlite3_stmt *row, int i, unsigned char hash[OBJECT_HASH_LEN]) {
	memset(hash, 0, OBJECT_HASH_LEN);
	if (sqlite3_column_bytes(row, i) == OBJECT_HASH_LEN)
		memcpy(hash, sqlite3_column_blob(row, i), OBJECT_HASH_LEN);
}

struct loading {
	const struct store_visitor *visitor;
	struct err *err;
};

static int store_load_unknown(sqlite3_stmt *row, const struct loading *l) {
	struct row *unknown =
		row_new(store_column(row, 0), store_column(row, 1), store_column(row, 5));

	unknown->pos = sqlite3_column_int64(row, 2);
	unknown->ver = (uint64_t)sqlite3_column_int64(row, 3);
	store_take_hash(row, 4, unknown->hash);
	unknown->vdom = store_is_vdom(row, 6);
	return l->visitor->row(l->visitor->arg, unknown, l->err);
}

static int store_load_row(sqlite3_stmt *row, void *arg) {
	const struct loading *l = arg;
	const struct schema_table *table = schema_find(store_column(row, 0));
	struct object *obj;

	if (!table)
		return store_load_unknown(row, l);
	obj = object_new(table, store_column(row, 1));
	obj->pos = sqlite3_column_int64(row, 2);
	obj->ver = (uint64_t)sqlite3_column_int64(row, 3);
	store_take_hash(row, 4, obj->hash);
	return l->visitor->object(l->visitor->arg, obj, store_column(row, 5), l->err);
}

int store_load(struct store *s, const struct store_visitor *visitor, struct err *err) {
	struct loading l = { visitor, err };

	return store_each_row(s, SQL_LOAD, store_load_row, &l, err);
}

bool store_has(struct store *s, const char *vd, const char *dotted, const char *key) {
	sqlite3_stmt *stmt = s->stmt[SQL_OID];
	bool found;

	store_bind_text(s, SQL_OID, 1, vd);
	store_bind_text(s, SQL_OID, 2, dotted);
	store_bind_text(s, SQL_OID, 3, key);
	found = sqlite3_step(stmt) == SQLITE_ROW;
	sqlite3_reset(stmt);
	return found;
}

bool store_is_touched(struct store *s) {
	sqlite3_stmt *stmt = s->stmt[SQL_DATA_VERSION];
	int64_t before = s->data_version;

	if (sqlite3_step(stmt) == SQLITE_ROW)
		s->data_version = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	return s->data_version != before;
}

int store_meta_get(struct store *s, const char *name, char **ret, struct err *err) {
	sqlite3_stmt *stmt = s->stmt[SQL_META_GET];
	int step, rc = 0;

	*ret = NULL;
	store_bind_text(s, SQL_META_GET, 1, name);
	step = sqlite3_step(stmt);
	if (step == SQLITE_ROW)
		*ret = xstrdup((const char *)sqlite3_column_text(stmt, 0));
	else if (step != SQLITE_DONE)
		rc = store_fail(s, "read", err);
	sqlite3_reset(stmt);
	return rc;
}

int store_meta_set(struct store *s, const char *name, const char *value, struct err *err) {
	store_bind_text(s, SQL_META_SET, 1, name);
	store_bind_text(s, SQL_META_SET, 2, value);
	return store_run(s, SQL_META_SET, err);
}

/* ---- writing ---- */

int store_begin(struct store *s, struct err *err) {
	return store_run(s, SQL_BEGIN, err);
}

int store_commit(struct store *s, struct err *err) {
	int rc;

	if (fault_hit("store.commit"))
		return err_set(err, ERR_STORE,
			       "the configuration database: commit: injected fault");
	rc = store_run(s, SQL_COMMIT, err);
	if (rc == 0)
		s->history_kept = s->history;
	return rc;
}

void store_rollback(struct store *s) {
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, sql[SQL_ROLLBACK], NULL, NULL, NULL);
	s->history = s->history_kept;
}

const char *store_vd(const struct schema_table *table) {
	return table->flags & TABLE_VDOM ? VD_ROOT : VD_GLOBAL;
}

/* The first three parameters of every statement on obj. */
void store_bind_place(struct store *s, enum statement which, int first, const struct object *obj) {
	store_bind_text(s, which, first, store_vd(obj->table));
	store_bind_text(s, which, first + 1, obj->table->dotted);
	store_bind_text(s, which, first + 2, obj->key);
}

void store_bind_place_of_row(struct store *s, enum statement which, int first,
			      const struct row *row) {
	store_bind_text(s, which, first, row->vdom ? VD_ROOT : VD_GLOBAL);
	store_bind_text(s, which, first + 1, row->dotted);
	store_bind_text(s, which, first + 2, row->key);
}

struct ref_writer {
	struct store *s;
	const struct model *model;
	int64_t oid;
	int64_t ord;
	struct err *err;
};

static int store_put_ref(void *arg, const struct object *holder, unsigned int attr,
			 const char *name) {
	struct ref_writer *w = arg;
	const struct schema_attr *a = &holder->table->attrs[attr];
	const struct object *target = model_resolve(w->model, a, name);

	if (!target) /* built in, like "any" */
		return 0;
	sqlite3_bind_int64(w->s->stmt[SQL_REF_ADD], 1, w->oid);
	store_bind_text(w->s, SQL_REF_ADD, 2, a->name);
	sqlite3_bind_int64(w->s->stmt[SQL_REF_ADD], 3, w->ord++);
	store_bind_text(w->s, SQL_REF_ADD, 4, target->table->dotted);
	store_bind_text(w->s, SQL_REF_ADD, 5, name);
	return store_run(w->s, SQL_REF_ADD, w->err);
}

static int store_oid(struct store *s, const struct object *obj, int64_t *ret, struct err *err) {
	int rc = 0;

	store_bind_place(s, SQL_OID, 1, obj);
	if (sqlite3_step(s->stmt[SQL_OID]) == SQLITE_ROW)
		*ret = sqlite3_column_int64(s->stmt[SQL_OID], 0);
	else
		rc = store_fail(s, "read", err);
	sqlite3_reset(s->stmt[SQL_OID]);
	return rc;
}

int store_put(struct store *s, const struct model *m, const struct object *obj, struct err *err) {
	AUTO_STR struct str body = STR_INIT;
	struct ref_writer w = { .s = s, .model = m, .err = err };
	sqlite3_stmt *stmt = s->stmt[SQL_PUT];
	int rc;

	text_body(obj, 0, TEXT_KEPT, &body);
	store_bind_place(s, SQL_PUT, 1, obj);
	sqlite3_bind_int64(stmt, 4, obj->pos);
	sqlite3_bind_int64(stmt, 5, (int64_t)obj->ver);
	sqlite3_bind_blob(stmt, 6, obj->hash, sizeof(obj->hash), SQLITE_TRANSIENT);
	store_bind_text(s, SQL_PUT, 7, str_text(&body));
	rc = store_run(s, SQL_PUT, err);
	if (rc == 0)
		rc = store_oid(s, obj, &w.oid, err);
	if (rc)
		return rc;
	sqlite3_bind_int64(s->stmt[SQL_REF_CLEAR], 1, w.oid);
	rc = store_run(s, SQL_REF_CLEAR, err);
	return rc ? rc : object_each_ref(obj, store_put_ref, &w);
}

int store_delete(struct store *s, const struct object *obj, struct err *err) {
	store_bind_place(s, SQL_DELETE, 1, obj);
	return store_run(s, SQL_DELETE, err);
}

int store_put_row(struct store *s, const struct row *row, struct err *err) {
	sqlite3_stmt *stmt = s->stmt[SQL_PUT];

	store_bind_place_of_row(s, SQL_PUT, 1, row);
	sqlite3_bind_int64(stmt, 4, row->pos);
	sqlite3_bind_int64(stmt, 5, (int64_t)row->ver);
	sqlite3_bind_blob(stmt, 6, row->hash, sizeof(row->hash), SQLITE_TRANSIENT);
	store_bind_text(s, SQL_PUT, 7, row->body);
	return store_run(s, SQL_PUT, err);
}

int store_delete_row(struct store *s, const struct row *row, struct err *err) {
	store_bind_place_of_row(s, SQL_DELETE, 1, row);
	return store_run(s, SQL_DELETE, err);
}

int store_put_row_hash(struct store *s, const struct row *row, struct err *err) {
	store_bind_place_of_row(s, SQL_PUT_HASH, 1, row);
	sqlite3_bind_blob(s->stmt[SQL_PUT_HASH], 4, row->hash, OBJECT_HASH_LEN, SQLITE_TRANSIENT);
	return store_run(s, SQL_PUT_HASH, err);
}

int store_put_hash(struct store *s, const struct object *obj, struct err *err) {
	store_bind_place(s, SQL_PUT_HASH, 1, obj);
	sqlite3_bind_blob(s->stmt[SQL_PUT_HASH], 4, obj->hash, OBJECT_HASH_LEN, SQLITE_TRANSIENT);
	return store_run(s, SQL_PUT_HASH, err);
}

int store_put_pos(struct store *s, const struct object *obj, struct err *err) {
	store_bind_place(s, SQL_PUT_POS, 1, obj);
	sqlite3_bind_int64(s->stmt[SQL_PUT_POS], 4, obj->pos);
	return store_run(s, SQL_PUT_POS, err);
}

int store_put_root_hash(struct store *s, uint64_t rev,
			const unsigned char root_hash[OBJECT_HASH_LEN], struct err *err) {
	sqlite3_stmt *stmt = s->stmt[SQL_PUT_ROOT_HASH];

	sqlite3_bind_int64(stmt, 1, (int64_t)rev);
	sqlite3_bind_blob(stmt, 2, root_hash, OBJECT_HASH_LEN, SQLITE_TRANSIENT);
	return store_run(s, SQL_PUT_ROOT_HASH, err);
}
