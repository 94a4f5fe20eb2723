/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row of meta names the revision that was the last saved one, and when the first change after
 * it was made. It is written by the commit of that change, of which saving is a backend, and
 * emptied by what saves or goes back: whatever dies, the row and the configuration belong together.
 *
 * A commit that turns cfg-save on is itself saved, for it was made while changes were; one that
 * turns it off saves all. Descriptions of links that are found are nobody's change.
 *
 * The time is kept by two clocks, and the earlier end counts, as in pending.c. The saved revision
 * stays in the history as long as it may be needed: where that would grow out of bounds, the next
 * commit is refused until somebody saves.
 */
#include "cfgdb/saving.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/history.h"
#include "cfgdb/role.h"
#include "schemas/schema_gen.h"

#define META_UNSAVED "unsaved"
#define NO_BOOT	     "-" /* in place of a boot id that is not known */
#define AGAIN_S	     10	 /* between tries, when the disk or the kernel does not let it */

static const char late_text[] = "the changes after it were not saved in time";
static const char rebooted_text[] = "the machine was started before changes were saved";

/* The row; saved 0: there is nothing that is not saved. */
struct unsaved {
	uint64_t saved;
	struct moment since;
};

struct saving {
	struct saving_config config;
	char boot_id[MOMENT_BOOT_ID];
	struct event *timer;
	struct unsaved known, next; /* next: of the commit under way */
	bool changes;		    /* it differs */
	bool keeps;		    /* the commit before this one would have been not saved */
	bool keeps_next;
	bool goes_back;	 /* the commit under way brings back what was saved */
	bool rebooted;	 /* after the changes: it goes back as soon as it can */
	bool told;	 /* that it must be tried again */
	int64_t again_s; /* boot_s of the next try */
};

static struct engine *engine_of(const struct saving *s) {
	return s->config.engine;
}

/* ---- settings ---- */

static const struct object *settings(const struct model *m) {
	return model_object(m, schema_tables[TBL_SYSTEM_GLOBAL]);
}

static bool is_secondary(const struct model *m) {
	return role_is_member(m) && !role_is_primary(m);
}

/* Whether changes are not saved by themselves. */
static bool keeps(const struct model *m) {
	return !object_is(settings(m), SYSTEM_GLOBAL__CFG_SAVE, "automatic") && !is_secondary(m);
}

static bool goes_back_in_time(const struct model *m) {
	return object_is(settings(m), SYSTEM_GLOBAL__CFG_SAVE, "revert");
}

static int64_t later(int64_t a, int64_t b) {
	return a > b ? a : b;
}

static int64_t left(const struct saving *s, const struct unsaved *u, const struct model *m) {
	struct moment now;

	s->config.clock(&now);
	return object_num(settings(m), SYSTEM_GLOBAL__CFG_REVERT_TIMEOUT) -
	       later(now.boot_s - u->since.boot_s, now.wall_s - u->since.wall_s);
}

uint64_t saving_saved(const struct saving *s) {
	return s->known.saved;
}

int64_t saving_left(const struct saving *s) {
	const struct model *m = engine_of(s)->model;

	if (s->known.saved == 0 || !(s->rebooted || goes_back_in_time(m)))
		return -1;
	return s->rebooted ? 0 : later(left(s, &s->known, m), 0);
}

/* The clock on the wall can be set at any moment: it is looked at each second. */
static void arm(struct saving *s) {
	const struct timeval second = { .tv_sec = 1 };

	engine_of(s)->saved_revision = s->known.saved;
	if (s->timer && saving_left(s) >= 0)
		event_add(s->timer, &second);
	else if (s->timer)
		event_del(s->timer);
}

static void all_is_saved(struct saving *s) {
	s->known = (struct unsaved){ 0 };
	s->rebooted = s->told = false;
	arm(s);
}

/* ---- the database ---- */

static int write_row(const struct saving *s, const struct unsaved *u, struct err *err) {
	AUTO_FREE char *text =
		xasprintf("%" PRIu64 " %" PRId64 " %" PRId64 " %s", u->saved, u->since.wall_s,
			  u->since.boot_s, *s->boot_id ? s->boot_id : NO_BOOT);

	return store_meta_set(engine_of(s)->store, META_UNSAVED, u->saved ? text : "", err);
}

static int read_row(struct saving *s, struct err *err) {
	AUTO_FREE char *text = NULL;
	char boot_id[MOMENT_BOOT_ID];
	struct unsaved u;
	struct moment now;
	int rc = store_meta_get(engine_of(s)->store, META_UNSAVED, &text, err);

	if (rc || !text || !*text)
		return rc;
	if (sscanf(text, "%" SCNu64 " %" SCNd64 " %" SCNd64 " %39s", &u.saved, &u.since.wall_s,
		   &u.since.boot_s, boot_id) != 4)
		return err_set(err, ERR_STORE, "what is not saved cannot be read: %.200s", text);
	s->config.clock(&now);
	s->rebooted = strcmp(boot_id, *s->boot_id ? s->boot_id : NO_BOOT) != 0 ||
		      now.boot_s < u.since.boot_s;
	s->known = u;
	return 0;
}

int saving_save(struct saving *s, struct err *err) {
	const struct unsaved nothing = { 0 };
	int rc = write_row(s, &nothing, err);

	if (rc == 0)
		all_is_saved(s);
	return rc;
}

/* ---- commits ---- */

static bool is_found(const struct change *c) {
	return c->after && c->after->ver == 0;
}

static bool all_found(const struct commit *commit) {
	for (size_t i = 0; i < commit->n_changes; i++)
		if (!is_found(&commit->changes[i]))
			return false;
	return true;
}

/* What will not be saved once this is committed. */
static struct unsaved after_commit(const struct saving *s, const struct commit *commit) {
	const struct object *was = settings(engine_of(s)->model);
	struct unsaved u = s->known;

	for (size_t i = 0; i < commit->n_changes; i++)
		if (commit->changes[i].before && commit->changes[i].before->table == was->table)
			was = commit->changes[i].before;
	if (s->goes_back || !s->keeps_next || (u.saved == 0 && !s->keeps))
		return (struct unsaved){ 0 };
	if (u.saved == 0)
		u.saved = commit->revision - 1;
	/* the time that is over does not count when it begins to matter */
	if (s->known.saved == 0 || (goes_back_in_time(commit->model) &&
				    !object_is(was, SYSTEM_GLOBAL__CFG_SAVE, "revert")))
		s->config.clock(&u.since);
	return u;
}

static void warn(const struct saving *s, const struct commit *commit) {
	if (!commit->warnings || s->next.saved == 0)
		return;
	if (goes_back_in_time(commit->model))
		warn_add(commit->warnings,
			 "not saved: back to revision %" PRIu64 " in %" PRId64
			 " seconds unless you execute cfg save",
			 s->next.saved, left(s, &s->next, commit->model));
	else if (s->known.saved == 0)
		warn_add(commit->warnings,
			 "not saved: back to revision %" PRIu64
			 " at the next start of the machine unless you execute cfg save",
			 s->next.saved);
}

static int prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct saving *s = ctx;

	s->keeps_next = keeps(commit->model);
	s->next = all_found(commit) ? s->known : after_commit(s, commit);
	s->changes = memcmp(&s->next, &s->known, sizeof(s->next)) != 0;
	if (s->known.saved && s->next.saved && store_history_is_overfull(engine_of(s)->store))
		return err_set(err, ERR_MAX_ENTRIES,
			       "the history has no room for more changes that are not saved: "
			       "execute cfg save first");
	warn(s, commit);
	return 0;
}

static int apply(void *ctx, struct err *err) {
	struct saving *s = ctx;

	return s->changes ? write_row(s, &s->next, err) : 0;
}

static void finish(void *ctx) {
	struct saving *s = ctx;

	s->known = s->next;
	s->keeps = s->keeps_next;
	s->changes = false;
	arm(s);
}

static void cancel(void *ctx) {
	struct saving *s = ctx;

	s->changes = false;
}

/* ---- going back ---- */

int saving_stage(struct saving *s, struct txn *t, struct err *err) {
	int rc;

	if (s->known.saved == 0)
		return err_set(err, ERR_NOT_FOUND, "everything is saved");
	rc = history_stage(t, s->known.saved, err);
	if (rc)
		return rc;
	txn_meta(t, META_UNSAVED, ""); /* also when nothing differs any more */
	s->goes_back = true;
	return 0;
}

void saving_settle(struct saving *s, bool committed) {
	s->goes_back = false;
	if (committed)
		all_is_saved(s);
}

static int go_back(struct saving *s, const char *why, struct err *err) {
	AUTO_FREE char *comment =
		xasprintf("back to revision %" PRIu64 ", which was saved: %s", s->known.saved, why);
	struct txn *t = txn_new(engine_of(s), "system", "cfg-save");
	int rc;

	txn_override(t);
	txn_set_comment(t, comment);
	rc = saving_stage(s, t, err);
	if (rc == 0) {
		rc = txn_commit(t, err);
		saving_settle(s, rc == 0);
	}
	txn_free(t);
	if (rc == 0)
		s->config.tell(s->config.arg, false, comment);
	return rc;
}

static void try_to_go_back(struct saving *s, const char *why) {
	AUTO_FREE char *text = NULL;
	struct err err = { 0 };
	struct moment now;

	if (go_back(s, why, &err) == 0)
		return;
	s->config.clock(&now);
	s->again_s = now.boot_s + AGAIN_S;
	if (s->told)
		return;
	s->told = true;
	text = xasprintf("what was not saved cannot be taken back, and will be tried again: %s",
			 err.text);
	err_clean_line(text);
	s->config.tell(s->config.arg, true, text);
}

void saving_tick(struct saving *s) {
	struct moment now;

	s->config.clock(&now);
	if (saving_left(s) == 0 && now.boot_s >= s->again_s)
		try_to_go_back(s, s->rebooted ? rebooted_text : late_text);
	arm(s);
}

static void on_second(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	saving_tick(arg);
}

/* ---- the whole ---- */

struct saving *saving_open(const struct saving_config *config, struct err *err) {
	struct saving *s = xcalloc(1, sizeof(*s));
	const struct backend backend = { .name = "saving",
					 .prepare = prepare,
					 .apply = apply,
					 .finish = finish,
					 .cancel = cancel,
					 .ctx = s };

	s->config = *config;
	snprintf(s->boot_id, sizeof(s->boot_id), "%s", config->boot_id);
	s->config.boot_id = s->boot_id;
	if (read_row(s, err) != 0)
		return saving_close(s);
	s->keeps = keeps(config->engine->model);
	engine_add_backend(config->engine, &backend);
	if (s->rebooted)
		try_to_go_back(s, rebooted_text);
	arm(s);
	return s;
}

int saving_start(struct saving *s, struct err *err) {
	if (s->config.base) {
		s->timer = event_new(s->config.base, -1, EV_PERSIST, on_second, s);
		if (!s->timer)
			return err_set(err, ERR_STORE, "no timer");
	}
	saving_tick(s);
	return 0;
}

struct saving *saving_close(struct saving *s) {
	if (s && s->timer)
		event_free(s->timer);
	free(s);
	return NULL;
}
