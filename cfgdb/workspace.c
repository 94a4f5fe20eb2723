/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time is looked at when somebody asks for something: a lock that nobody meets does not matter. The
 * last id that was given is in the database, so that none is given twice and who asks for one of an
 * earlier daemon can be told what became of it.
 *
 * A connection that has lost its transaction, because it ended or was resumed elsewhere, may change
 * nothing until its administrator has said how to go on. Otherwise what he types for a transaction
 * would be active at once.
 */
#include "cfgdb/workspace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"

#define META_ID "config_transaction"
#define WARN_EVERY_S 10  /* in the last WARN_TIMES of these, one warning each */
#define WARN_TIMES 3

struct workspace {
	struct engine *engine;
	moment_fn *clock;
	LIST_HEAD(, held) held;  /* the newest first */
	unsigned int n;
	uint64_t last_id;        /* that was given */
	uint64_t earlier;        /* ids up to this one are of earlier daemons */
};

static int64_t now_s(const struct workspace *w) {
	struct moment now;

	w->clock(&now);
	return now.boot_s;
}

struct workspace *workspace_new(struct engine *e, moment_fn *clock, struct err *err) {
	struct workspace *w = xcalloc(1, sizeof(*w));
	AUTO_FREE char *last = NULL;

	w->engine = e;
	w->clock = clock;
	LIST_INIT(&w->held);
	if (store_meta_get(e->store, META_ID, &last, err) != 0)
		return workspace_free(w);
	w->last_id = w->earlier = last ? strtoull(last, NULL, 10) : 0;
	return w;
}

static void held_free(struct workspace *w, struct held *h) {
	if (h->seat)
		h->seat->held = NULL;
	LIST_REMOVE(h, next);
	w->n--;
	txn_free(h->txn);
	free(h);
}

struct workspace *workspace_free(struct workspace *w) {
	struct held *h;

	while (w && (h = LIST_FIRST(&w->held)) != NULL)
		held_free(w, h);
	free(w);
	return NULL;
}

/* ---- seats ---- */

static void seat_take(struct workspace *w, struct seat *seat, struct held *h) {
	*seat = (struct seat){ .workspace = w, .held = h };
	h->seat = seat;
	h->used_s = now_s(w);
	h->told = 0;
}

/* It is taken away from who works in it. */
static void seat_lose(struct held *h, const char *why) {
	if (!h->seat)
		return;
	snprintf(h->seat->lost, sizeof(h->seat->lost), "config transaction id=%" PRIu64 " %s",
		 h->id, why);
	h->seat->lost_told = false;
	h->seat->held = NULL;
	h->seat = NULL;
}

static int refuse_second(const struct held *h, struct err *err) {
	return err_set(err, ERR_CONFLICT,
		       "config transaction id=%" PRIu64 " is open here: commit or abort it first",
		       h->id);
}

/* ---- start ---- */

static unsigned int count_of(const struct workspace *w, const char *user) {
	const struct held *h;
	unsigned int n = 0;

	LIST_FOREACH(h, &w->held, next)
		n += strcmp(h->user, user) == 0;
	return n;
}

static int check_room(const struct workspace *w, const char *user, struct err *err) {
	bool own = count_of(w, user) >= WORKSPACE_USER_MAX;

	if (!own && w->n < WORKSPACE_MAX)
		return 0;
	return err_set(err, ERR_MAX_ENTRIES,
		       "%u config transactions%s%s are open: commit or abort one",
		       own ? WORKSPACE_USER_MAX : WORKSPACE_MAX, own ? " of " : "",
		       own ? user : "");
}

static int draw_id(struct workspace *w, struct err *err) {
	AUTO_FREE char *text = xasprintf("%" PRIu64, w->last_id + 1);
	int rc = store_meta_set(w->engine->store, META_ID, text, err);

	if (rc == 0)
		w->last_id++;
	return rc;
}

int workspace_start(struct workspace *w, struct seat *seat, const char *user, unsigned int minutes,
		    struct err *err) {
	AUTO_FREE char *who = NULL;
	struct held *h;
	int rc;

	if (seat->held)
		return refuse_second(seat->held, err);
	rc = check_room(w, user, err);
	if (rc == 0)
		rc = draw_id(w, err);
	if (rc)
		return rc;
	h = xcalloc(1, sizeof(*h));
	h->id = w->last_id;
	h->minutes = minutes;
	snprintf(h->user, sizeof(h->user), "%s", user);
	h->txn = txn_new(w->engine, user, "cli");
	who = xasprintf("config transaction id=%" PRIu64 " of %s has it", h->id, h->user);
	txn_hold(h->txn, who);
	LIST_INSERT_HEAD(&w->held, h, next);
	w->n++;
	seat_take(w, seat, h);
	h->started_s = h->used_s;
	return 0;
}

/* ---- by id ---- */

static int refuse_id(const struct workspace *w, uint64_t id, struct err *err) {
	const char *why = "there was none with this id";

	if (id > 0 && id <= w->earlier)
		why = "it was lost when gatehoused was started anew";
	else if (id > 0 && id <= w->last_id)
		why = "it was committed or aborted, or has expired";
	return err_set(err, ERR_NOT_FOUND, "config transaction id=%" PRIu64 " is not open: %s", id,
		       why);
}

static int find(const struct workspace *w, uint64_t id, const char *user, struct held **ret,
		struct err *err) {
	struct held *h;

	LIST_FOREACH(h, &w->held, next)
		if (h->id == id)
			break;
	if (!h)
		return refuse_id(w, id, err);
	if (strcmp(h->user, user) != 0 && strcmp(user, "root") != 0)
		return err_set(err, ERR_PERMISSION, "config transaction id=%" PRIu64 " is of %s",
			       id, h->user);
	*ret = h;
	return 0;
}

int workspace_find(const struct workspace *w, uint64_t id, const char *user,
		   const struct held **ret, struct err *err) {
	struct held *h;
	int rc = find(w, id, user, &h, err);

	if (rc == 0)
		*ret = h;
	return rc;
}

int workspace_resume(struct workspace *w, struct seat *seat, uint64_t id, const char *user,
		     struct err *err) {
	struct held *h;
	int rc = find(w, id, user, &h, err);

	if (rc || h->seat == seat)
		return rc;
	if (seat->held)
		return refuse_second(seat->held, err);
	seat_lose(h, "was resumed in another session");
	seat_take(w, seat, h);
	return 0;
}

int workspace_open(const struct seat *seat, struct held **ret, struct err *err) {
	*ret = seat->held;
	if (seat->held)
		return 0;
	return err_set(err, ERR_NOT_FOUND, "%s",
		       *seat->lost ? seat->lost : "no config transaction is open here");
}

int workspace_abort(struct workspace *w, struct seat *seat, uint64_t id, const char *user,
		    struct err *err) {
	struct held *h = seat->held;
	int rc = 0;

	if (id)
		rc = find(w, id, user, &h, err);
	else if (!h && !*seat->lost) /* to abort what is lost is to accept that */
		rc = workspace_open(seat, &h, err);
	if (rc)
		return rc;
	if (h && h->seat != seat)
		seat_lose(h, "was aborted in another session");
	else
		*seat = (struct seat){ .workspace = w, .held = h };
	if (h)
		held_free(w, h);
	return 0;
}

void workspace_end(struct seat *seat) {
	struct workspace *w = seat->workspace;
	struct held *h = seat->held;

	*seat = (struct seat){ .workspace = w, .held = h };
	if (h)
		held_free(w, h);
}

void workspace_leave(struct seat *seat) {
	struct held *h = seat->held;

	if (h) {
		h->used_s = now_s(seat->workspace);
		h->seat = NULL;
	}
	*seat = (struct seat){ .workspace = NULL };
}

struct txn *workspace_txn(const struct seat *seat) {
	return seat->held ? seat->held->txn : NULL;
}

/* ---- time ---- */

int workspace_use(struct seat *seat, struct err *err) {
	struct held *h = seat->held;

	if (h) {
		h->used_s = now_s(seat->workspace);
		h->told = 0;
		return 0;
	}
	if (!*seat->lost)
		return 0;
	return err_set(err, ERR_CONFLICT,
		       "%s: nothing is changed here until `execute config-transaction start`, "
		       "`resume` or `abort`",
		       seat->lost);
}

int64_t workspace_left(const struct workspace *w, const struct held *held) {
	return held->used_s + (int64_t)held->minutes * 60 - now_s(w);
}

void workspace_tick(struct workspace *w) {
	struct held *h, *next;

	for (h = LIST_FIRST(&w->held); h; h = next) {
		next = LIST_NEXT(h, next);
		if (workspace_left(w, h) > 0)
			continue;
		seat_lose(h, "has expired");
		held_free(w, h);
	}
}

bool workspace_warning(struct seat *seat, char *text, size_t size) {
	struct held *h = seat->held;
	int64_t left;
	unsigned int step;

	if (!h) {
		if (!*seat->lost || seat->lost_told)
			return false;
		seat->lost_told = true;
		snprintf(text, size, "%s", seat->lost);
		return true;
	}
	left = workspace_left(seat->workspace, h);
	if (left > WARN_TIMES * WARN_EVERY_S)
		return false;
	step = (unsigned int)((left + WARN_EVERY_S - 1) / WARN_EVERY_S);
	if (h->told && step >= h->told)
		return false;
	h->told = step;
	snprintf(text, size, "config transaction id=%" PRIu64 " will expire in %" PRId64 " seconds",
		 h->id, left);
	return true;
}

/* ---- all ---- */

int workspace_each(const struct workspace *w, int (*visit)(void *arg, const struct held *held),
		   void *arg) {
	const struct held *h = LIST_FIRST(&w->held), *at[WORKSPACE_MAX];
	unsigned int n = 0;
	int rc = 0;

	for (; h; h = LIST_NEXT(h, next))
		at[n++] = h;
	while (n > 0 && rc == 0)
		rc = visit(arg, at[--n]);
	return rc;
}
