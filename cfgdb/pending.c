/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit that waits is one line of one row of meta, which is written in the same transaction of
 * the database as its changes; the line goes with the changes that take it back. So at any moment,
 * whatever dies, either both are there or none.
 *
 * The end is kept by two clocks. That on the wall may be set; the other one does not count across a
 * start of the machine. The earlier end counts: a clock that is set back does not leave a unit
 * unreachable, one that is set forward costs a confirmation. After a start of the machine no more
 * than the whole time is left, whatever the clock says.
 *
 * What takes the commit back is staged at once, in a transaction that is held and never committed:
 * so its objects are locked (txn_lock.c). When the time comes it is staged anew, for others may
 * have changed the order of the same tables.
 */
#include "cfgdb/pending.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/history.h"

#define META_PENDING "pending"
#define NO_BOOT "-"        /* in place of a boot id that is not known */
#define AGAIN_S 10         /* between tries, when the disk or the kernel does not let it */

struct pending {
	struct pending_config config;
	char boot_id[MOMENT_BOOT_ID];
	struct event *timer;
	LIST_HEAD(, awaited) awaited; /* the newest first */
	unsigned int n;
};

static struct engine *engine_of(const struct pending *p) {
	return p->config.engine;
}

/* ---- time ---- */

static int64_t earlier(int64_t a, int64_t b) {
	return a < b ? a : b;
}

int64_t pending_left(const struct pending *p, const struct awaited *a) {
	struct moment now;

	p->config.clock(&now);
	return earlier(a->wall_s - now.wall_s, a->boot_s - now.boot_s);
}

static bool is_due(const struct pending *p, const struct awaited *a) {
	struct moment now;

	p->config.clock(&now);
	return !a->failed && now.boot_s >= a->again_s && pending_left(p, a) <= 0;
}

/* The clock on the wall can be set at any moment: it is looked at each second. */
static void arm(struct pending *p) {
	const struct timeval second = { .tv_sec = 1 };
	const struct awaited *a;
	bool waits = false;

	engine_of(p)->kept_revision = 0;
	LIST_FOREACH(a, &p->awaited, next) {
		waits = waits || !a->failed;
		if (!a->failed) /* the oldest comes last */
			engine_of(p)->kept_revision = a->revision;
	}
	if (p->timer && waits)
		event_add(p->timer, &second);
	else if (p->timer)
		event_del(p->timer);
}

/* ---- in the database ---- */

static void write_line(const struct pending *p, const struct awaited *a, struct str *out) {
	str_addf(out, "%" PRIu64 " %u %" PRId64 " %" PRId64 " %d %s %s\n", a->revision, a->minutes,
		 a->wall_s, a->boot_s, a->failed, *p->boot_id ? p->boot_id : NO_BOOT, a->user);
}

/* All that waits but one, and one that will (each may be NULL). */
static void write_all(const struct pending *p, const struct awaited *but,
		      const struct awaited *more, struct str *out) {
	const struct awaited *a;

	LIST_FOREACH(a, &p->awaited, next)
		if (a != but)
			write_line(p, a, out);
	if (more)
		write_line(p, more, out);
}

static int save(const struct pending *p, const struct awaited *but, struct err *err) {
	AUTO_STR struct str text = STR_INIT;

	write_all(p, but, NULL, &text);
	return store_meta_set(engine_of(p)->store, META_PENDING, str_text(&text), err);
}

static void enter(struct pending *p, struct awaited *a) {
	struct awaited *after = NULL, *at;

	LIST_FOREACH(at, &p->awaited, next)
		if (at->revision > a->revision)
			after = at;
	if (after)
		LIST_INSERT_AFTER(after, a, next);
	else
		LIST_INSERT_HEAD(&p->awaited, a, next);
	p->n++;
}

/* What was counted by another start of the machine has the time left that the wall tells. */
static void recount(const struct pending *p, struct awaited *a) {
	int64_t whole = (int64_t)a->minutes * 60;
	struct moment now;

	p->config.clock(&now);
	a->boot_s = now.boot_s + earlier(a->wall_s - now.wall_s, whole);
}

/* False when the line is none, or of a commit that has not come to be. */
static bool read_line(const struct pending *p, const char *line, struct awaited *a) {
	char boot_id[MOMENT_BOOT_ID];
	int failed = 0;

	*a = (struct awaited){ 0 };
	if (sscanf(line, "%" SCNu64 " %u %" SCNd64 " %" SCNd64 " %d %39s %63[^\n]", &a->revision,
		   &a->minutes, &a->wall_s, &a->boot_s, &failed, boot_id, a->user) != 7 ||
	    a->revision == 0 || a->revision > engine_of(p)->revision)
		return false;
	a->failed = failed != 0;
	if (strcmp(boot_id, p->boot_id) != 0)
		recount(p, a);
	return true;
}

static int read_all(struct pending *p, struct err *err) {
	AUTO_FREE char *text = NULL;
	int rc = store_meta_get(engine_of(p)->store, META_PENDING, &text, err);
	const char *line = text ? text : "";
	struct awaited a;

	if (rc)
		return rc;
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		struct awaited *copy;

		if (p->n == PENDING_MAX || !read_line(p, line, &a))
			continue;
		copy = xcalloc(1, sizeof(*copy));
		*copy = a;
		enter(p, copy);
	}
	return text && *text ? save(p, NULL, err) : 0;
}

/* ---- what is locked ---- */

static void tell(const struct pending *p, bool failed, const char *text) {
	p->config.tell(p->config.arg, failed, text);
}

static void unlock(struct awaited *a) {
	txn_free(a->lock);
	a->lock = NULL;
}

static struct txn *take_back(const struct pending *p, const struct awaited *a, struct err *err) {
	struct txn *t = txn_new(engine_of(p), "system", "confirm");

	txn_override(t);
	if (history_undo(t, a->revision, err) == 0)
		return t;
	txn_free(t);
	return NULL;
}

struct locking {
	struct txn *txn;
	struct err *err;
};

/* What a commit has only moved, too, though taking it back may move others. */
static int lock_change(void *arg, const struct kept_change *c) {
	const struct locking *l = arg;
	const struct schema_table *table = schema_find(c->dotted);

	return table ? txn_hold_object(l->txn, table, c->key, l->err) : 0;
}

static struct txn *lock_all(const struct pending *p, const struct awaited *a, struct err *err) {
	struct locking l = { take_back(p, a, err), err };

	if (!l.txn ||
	    store_changes_of(engine_of(p)->store, a->revision, lock_change, &l, err) == 0)
		return l.txn;
	txn_free(l.txn);
	return NULL;
}

static void lock(const struct pending *p, struct awaited *a) {
	AUTO_FREE char *who = xasprintf("revision %" PRIu64 " of %s waits for its confirmation",
					a->revision, a->user);
	AUTO_FREE char *text = NULL;
	struct err err = { 0 };

	a->lock = lock_all(p, a, &err);
	if (a->lock) {
		txn_hold(a->lock, who);
		return;
	}
	text = xasprintf("%s, and others can change the same: %s", who, err.text);
	err_clean_line(text);
	tell(p, true, text);
}

static void drop(struct pending *p, struct awaited *a) {
	unlock(a);
	LIST_REMOVE(a, next);
	p->n--;
	free(a);
}

/* ---- taking back ---- */

/* What a later try may not meet any more. */
static bool may_pass(int rc) {
	return rc == ERR_STORE || rc == ERR_KERNEL || rc == ERR_MAX_ENTRIES;
}

static int revert(struct pending *p, const struct awaited *a, struct err *err) {
	AUTO_FREE char *comment = xasprintf("revision %" PRIu64 " of %s was not confirmed",
					    a->revision, a->user);
	AUTO_STR struct str rest = STR_INIT;
	struct txn *t = take_back(p, a, err);
	int rc;

	if (!t)
		return err->code;
	write_all(p, a, NULL, &rest);
	txn_set_comment(t, comment);
	txn_meta(t, META_PENDING, str_text(&rest));
	rc = txn_commit(t, err);
	txn_free(t);
	return rc;
}

static void give_up(struct pending *p, struct awaited *a, const struct err *why) {
	AUTO_FREE char *text = NULL;
	struct err err = { 0 };

	a->failed = true;
	snprintf(a->why, sizeof(a->why), "%.*s", (int)sizeof(a->why) - 1, why->text);
	err_clean_line(a->why);
	text = xasprintf("revision %" PRIu64 " of %s was not confirmed and cannot be taken back: "
			 "%s",
			 a->revision, a->user, a->why);
	tell(p, true, text);
	if (save(p, NULL, &err) != 0) /* then the next daemon tries it once more */
		tell(p, true, err.text);
}

static void try_again(struct pending *p, struct awaited *a, const struct err *why) {
	AUTO_FREE char *text = NULL;
	struct moment now;

	p->config.clock(&now);
	a->again_s = now.boot_s + AGAIN_S;
	lock(p, a);
	if (a->told)
		return;
	a->told = true;
	text = xasprintf("revision %" PRIu64 " of %s was not confirmed, but to take it back must "
			 "be tried again: %s",
			 a->revision, a->user, why->text);
	err_clean_line(text);
	tell(p, true, text);
}

static void end_time(struct pending *p, struct awaited *a) {
	AUTO_FREE char *text = NULL;
	struct err err = { 0 };
	int rc;

	unlock(a); /* what it holds is room for what is staged now */
	rc = revert(p, a, &err);
	if (rc) {
		may_pass(rc) ? try_again(p, a, &err) : give_up(p, a, &err);
		return;
	}
	text = xasprintf("revision %" PRIu64 " of %s was not confirmed within %u minute%s and is "
			 "taken back: the configuration is revision %" PRIu64,
			 a->revision, a->user, a->minutes, str_plural(a->minutes),
			 engine_of(p)->revision);
	drop(p, a);
	tell(p, false, text);
}

/* Who was committed last goes first: it may need what the others have made. */
void pending_tick(struct pending *p) {
	struct awaited *a, *next;

	for (a = LIST_FIRST(&p->awaited); a; a = next) {
		next = LIST_NEXT(a, next);
		if (is_due(p, a))
			end_time(p, a);
	}
	arm(p);
}

static void on_second(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	pending_tick(arg);
}

/* ---- commits ---- */

static struct awaited *awaited_new(const struct pending *p, const char *user,
				   unsigned int minutes) {
	struct awaited *a = xcalloc(1, sizeof(*a));
	struct moment now;

	p->config.clock(&now);
	a->revision = engine_of(p)->revision + 1;
	a->minutes = minutes;
	a->wall_s = now.wall_s + (int64_t)minutes * 60;
	a->boot_s = now.boot_s + (int64_t)minutes * 60;
	snprintf(a->user, sizeof(a->user), "%s", user);
	return a;
}

int pending_commit(struct pending *p, struct txn *t, const char *user, unsigned int minutes,
		   uint64_t *revision, struct err *err) {
	AUTO_STR struct str text = STR_INIT;
	struct awaited *a;
	int rc;

	*revision = 0;
	if (p->n >= PENDING_MAX)
		return err_set(err, ERR_MAX_ENTRIES,
			       "%u commits wait for their confirmation already", PENDING_MAX);
	a = awaited_new(p, user, minutes);
	write_all(p, NULL, a, &text);
	txn_meta_of_revision(t, META_PENDING, str_text(&text));
	rc = txn_commit(t, err);
	if (rc || txn_revision(t) == 0) {
		free(a);
		return rc;
	}
	*revision = a->revision;
	enter(p, a);
	lock(p, a);
	arm(p);
	return 0;
}

/* ---- confirming ---- */

static int find_own(const struct pending *p, const char *user, struct awaited **ret,
		    struct err *err) {
	AUTO_STR struct str all = STR_INIT;
	struct awaited *a;
	unsigned int n = 0;

	LIST_FOREACH(a, &p->awaited, next) {
		if (strcmp(a->user, user) != 0)
			continue;
		str_addf(&all, "%s%" PRIu64, n++ ? ", " : "", a->revision);
		*ret = a;
	}
	if (n == 1)
		return 0;
	if (n == 0)
		return err_set(err, ERR_NOT_FOUND, "no commit of yours waits for its confirmation");
	return err_set(err, ERR_CONFLICT, "several commits of yours wait: revisions %s. Say which",
		       str_text(&all));
}

static int find_revision(const struct pending *p, uint64_t revision, struct awaited **ret,
			 struct err *err) {
	struct awaited *a;

	LIST_FOREACH(a, &p->awaited, next) {
		*ret = a;
		if (a->revision == revision)
			return 0;
	}
	return err_set(err, ERR_NOT_FOUND,
		       "revision %" PRIu64 " does not wait for a confirmation", revision);
}

int pending_confirm(struct pending *p, uint64_t revision, const char *user, uint64_t *ret,
		    struct err *err) {
	struct awaited *a;
	int rc = revision ? find_revision(p, revision, &a, err) : find_own(p, user, &a, err);

	if (rc == 0)
		rc = save(p, a, err);
	if (rc)
		return rc;
	*ret = a->revision;
	drop(p, a);
	arm(p);
	return 0;
}

/* ---- the whole ---- */

static int start(struct pending *p, struct err *err) {
	struct awaited *a;
	int rc = read_all(p, err);

	if (rc)
		return rc;
	if (p->config.base) {
		p->timer = event_new(p->config.base, -1, EV_PERSIST, on_second, p);
		if (!p->timer)
			return err_set(err, ERR_STORE, "no timer");
	}
	pending_tick(p);
	LIST_FOREACH(a, &p->awaited, next)
		if (!a->lock && !a->failed)
			lock(p, a);
	return 0;
}

struct pending *pending_open(const struct pending_config *config, struct err *err) {
	struct pending *p = xcalloc(1, sizeof(*p));

	p->config = *config;
	snprintf(p->boot_id, sizeof(p->boot_id), "%s", config->boot_id);
	p->config.boot_id = p->boot_id;
	LIST_INIT(&p->awaited);
	return start(p, err) == 0 ? p : pending_close(p);
}

struct pending *pending_close(struct pending *p) {
	struct awaited *a;

	while (p && (a = LIST_FIRST(&p->awaited)) != NULL)
		drop(p, a);
	if (p && p->timer)
		event_free(p->timer);
	free(p);
	return NULL;
}

int pending_each(const struct pending *p, int (*visit)(void *arg, const struct awaited *a),
		 void *arg) {
	const struct awaited *a;
	int rc = 0;

	LIST_FOREACH(a, &p->awaited, next) {
		rc = visit(arg, a);
		if (rc)
			return rc;
	}
	return 0;
}
