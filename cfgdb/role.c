/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An epoch begins when a unit becomes primary, by a number above all that it has heard of. What is
 * known of it changes in the database transaction of the commit that changes the role, so that a
 * crash leaves both or none: role is a backend of the engine, whose kernel is a row of the
 * database.
 *
 * A unit that never had the configuration of its group cannot become its primary: it would replace
 * the configuration of all with its own. Alone it can found another group.
 */
#include "cfgdb/role.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/shared.h"
#include "schemas/schema_gen.h"

#define META_NAME "membership"

struct role {
	struct engine *engine;
	struct membership known;
	struct membership next;      /* of the commit under way, if it changes anything */
	bool changes;
	const struct role_source *source; /* of the commit under way, or NULL */
	void (*changed)(void *arg);
	void *arg;
};

static const struct schema_table *table(void) {
	return schema_tables[TBL_SYSTEM_AUTO_SCALE];
}

/* NULL: as it is when nobody has touched it. */
static bool takes_part(const struct object *obj) {
	return obj && object_is(obj, SYSTEM_AUTO_SCALE__STATUS, "enable");
}

static bool gives(const struct object *obj) {
	return takes_part(obj) && object_is(obj, SYSTEM_AUTO_SCALE__ROLE, "primary");
}

bool role_is_member(const struct model *m) {
	return takes_part(model_object(m, table()));
}

bool role_is_primary(const struct model *m) {
	return gives(model_object(m, table()));
}

const struct membership *role_membership(const struct role *r) {
	return &r->known;
}

/* ---- the database ---- */

static int write_row(struct role *r, const struct membership *m, struct err *err) {
	AUTO_STR struct str text = STR_INIT;

	membership_text(m, &text);
	return store_meta_set(r->engine->store, META_NAME, str_text(&text), err);
}

static int read_row(struct role *r, struct err *err) {
	AUTO_FREE char *text = NULL;
	int rc = store_meta_get(r->engine->store, META_NAME, &text, err);

	return rc || !text ? rc : membership_parse(&r->known, text, err);
}

/* Outside of commits. */
static int keep(struct role *r, const struct membership *m, struct err *err) {
	int rc = write_row(r, m, err);

	if (rc == 0)
		r->known = *m;
	return rc;
}

/* ---- what a commit changes ---- */

static void hear(struct membership *m, uint64_t epoch) {
	if (epoch > m->heard)
		m->heard = epoch;
}

static int become_primary(struct membership *m, struct err *err) {
	if (m->heard > 0 && !m->synced)
		return err_set(err, ERR_CONFLICT,
			       "this unit never had the configuration of its group and cannot be "
			       "its primary: set status disable first to found another group");
	if (m->heard >= INT64_MAX)
		return err_set(err, ERR_RANGE,
			       "no epoch is left above %" PRIu64 ", the highest that was heard of: "
			       "set status disable on all members and found the group anew",
			       m->heard);
	m->epoch = ++m->heard;
	m->synced = true;
	m->joined = false;
	return 0;
}

/* What the change of system auto-scale makes of *m. */
static int change_role(const struct change *c, struct membership *m, struct err *err) {
	if (!takes_part(c->after))
		*m = (struct membership){ .n = 0 };
	else if (gives(c->after) && !gives(c->before))
		return become_primary(m, err);
	else if (!gives(c->after) && gives(c->before))
		*m->primary = '\0';
	return 0;
}

static void follow(const struct role_source *source, struct membership *m) {
	m->epoch = source->epoch;
	hear(m, m->epoch);
	m->synced = true;
	m->joined = false;
	snprintf(m->primary, sizeof(m->primary), "%s", source->serial);
	m->revision = source->revision;
}

/* Who joins a group for the first time may not think of what he has. */
static void warn_of_loss(const struct commit *commit, const struct change *c) {
	size_t n = model_count(commit->model, schema_tables[TBL_FIREWALL_POLICY]);

	if (n > 0 && takes_part(c->after) && !gives(c->after) && !takes_part(c->before))
		warn_add(commit->warnings,
			 "system auto-scale: the configuration of the primary will replace that of "
			 "this unit, with its %zu firewall %s: only its history will have it",
			 n, n == 1 ? "policy" : "policies");
}

static int prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct role *r = ctx;
	int rc = 0;

	r->next = r->known;
	if (r->source)
		follow(r->source, &r->next);
	for (size_t i = 0; i < commit->n_changes && rc == 0; i++) {
		const struct change *c = &commit->changes[i];

		if ((c->after ? c->after : c->before)->table != table())
			continue;
		rc = change_role(c, &r->next, err);
		warn_of_loss(commit, c);
	}
	r->changes = rc == 0 && memcmp(&r->next, &r->known, sizeof(r->next)) != 0;
	return rc;
}

static int apply(void *ctx, struct err *err) {
	struct role *r = ctx;

	return r->changes ? write_row(r, &r->next, err) : 0;
}

static void finish(void *ctx) {
	struct role *r = ctx;

	if (r->changes)
		r->known = r->next;
	r->changes = false;
}

static void cancel(void *ctx) {
	struct role *r = ctx;

	r->changes = false;
}

/* ---- what administrators may change ---- */

static int refuse(const struct role *r, const struct object *obj, const struct schema_attr *attr,
		  struct err *err) {
	struct ipv4_pair ip = object_ip(model_object(r->engine->model, table()),
					SYSTEM_AUTO_SCALE__PRIMARY_IP);
	AUTO_STR struct str where = STR_INIT;

	if (ip.a) {
		str_add(&where, " (");
		value_print_ipv4(ip.a, &where);
		str_add_char(&where, ')');
	}
	return err_set(err, ERR_PERMISSION,
		       "%s%s%s%s%s: this unit is a secondary of its group: change it on the "
		       "primary%s%s%s", obj->table->path, *obj->key ? " " : "", obj->key,
		       attr ? " " : "", attr ? attr->name : "", *r->known.primary ? ", " : "",
		       r->known.primary, str_text(&where));
}

/*
 * The table of the group itself stays open: a unit must be able to leave, or to get another secret,
 * when nobody can be reached.
 */
static int guard(void *arg, const struct object *before, const struct object *after,
		 struct err *err) {
	const struct role *r = arg;
	const struct model *m = r->engine->model;
	struct shared shared;

	if (!r->known.synced || !role_is_member(m) || role_is_primary(m) ||
	    (after ? after : before)->table == table())
		return 0;
	shared_init(&shared, m);
	if (shared_equal(&shared, before, after))
		return 0;
	return refuse(r, after ? after : before, shared_difference(&shared, before, after), err);
}

/* ---- what others say ---- */

/* Members that have left stay until what was made for them is gone. */
static void keep_gone(struct membership *m, const struct membership *before) {
	for (unsigned int i = 0; i < before->n && m->n < MEMBERS_MAX; i++) {
		const struct member *was = &before->member[i];

		if (was->sync_id == 0 || membership_find(m, was->serial))
			continue;
		m->member[m->n] = *was;
		m->member[m->n++].role = MEMBER_GONE;
	}
}

int role_meet(struct role *r, const struct membership *now, struct err *err) {
	struct membership m = r->known;
	int rc;

	hear(&m, now->heard);
	m.joined |= now->joined && now->epoch == m.epoch && role_is_primary(r->engine->model);
	m.n = 0;
	memset(m.member, 0, sizeof(m.member));
	for (unsigned int i = 0; i < now->n; i++) {
		const struct member *was = membership_find(&r->known, now->member[i].serial);

		if (now->member[i].role == MEMBER_GONE)
			continue;
		m.member[m.n] = now->member[i];
		m.member[m.n++].sync_id = was ? was->sync_id : 0;
	}
	keep_gone(&m, &r->known);
	if (memcmp(&m, &r->known, sizeof(m)) == 0)
		return 0;
	rc = keep(r, &m, err);
	if (rc == 0 && r->changed)
		r->changed(r->arg);
	return rc;
}

static void forget(struct membership *m, struct member *p) {
	*p = m->member[--m->n];
	memset(&m->member[m->n], 0, sizeof(m->member[m->n]));
}

int role_link(struct role *r, const char *serial, uint32_t sync_id, struct err *err) {
	struct membership m = r->known;
	struct member *p = membership_find(&m, serial);

	if (!p || p->sync_id == sync_id)
		return 0;
	p->sync_id = sync_id;
	if (p->role == MEMBER_GONE && sync_id == 0)
		forget(&m, p);
	return keep(r, &m, err);
}

void role_set_watch(struct role *r, void (*changed)(void *arg), void *arg) {
	r->changed = changed;
	r->arg = arg;
}

/* Whether the configuration is this unit's own: it is primary, or was, and has no other yet. */
static bool has_own(const struct role *r) {
	return role_is_primary(r->engine->model) || !*r->known.primary;
}

/* The state that nobody else has must be found again, when the other configuration is here. */
static int name_revision(struct role *r, uint64_t told, const char *why, struct err *err) {
	struct engine *e = r->engine;
	AUTO_FREE char *comment = NULL;

	if (told >= e->revision)
		return 0;
	comment = xasprintf("not replicated: revisions %" PRIu64 " to %" PRIu64 " (%s)", told + 1,
			    e->revision, why);
	return store_revision_comment(e->store, e->revision, comment, err);
}

static void set_word(struct object *obj, unsigned int attr, const char *word) {
	struct value v = { 0 };

	if (value_parse(&obj->table->attrs[attr], (char *[]){ (char *)word }, 1, &v, NULL) == 0)
		object_set(obj, attr, v);
}

static struct object *ordered(const struct role *r, const struct role_order *order) {
	struct object *obj = object_copy(model_object(r->engine->model, table()));
	char ip[NET_TEXT_MAX];

	set_word(obj, SYSTEM_AUTO_SCALE__ROLE, order->primary ? "primary" : "secondary");
	if (!order->primary && order->primary_ip.word[0] &&
	    inet_ntop(AF_INET, order->primary_ip.byte, ip, sizeof(ip)))
		set_word(obj, SYSTEM_AUTO_SCALE__PRIMARY_IP, ip);
	return obj;
}

int role_order(struct role *r, const struct role_order *order, struct err *err) {
	struct membership m = r->known;
	struct txn *t;
	int rc;

	if (!role_is_member(r->engine->model))
		return err_set(err, ERR_CONFLICT, "this unit is in no group");
	hear(&m, order->heard);
	rc = m.heard == r->known.heard ? 0 : keep(r, &m, err);
	if (rc == 0 && !order->primary && has_own(r))
		rc = name_revision(r, order->told, order->why, err);
	if (rc)
		return rc;
	t = txn_new(r->engine, "system", "auto-scale");
	txn_override(t); /* who leads the group is no matter of who edits here */
	rc = txn_put(t, ordered(r, order), TXN_ANY, err);
	if (rc == 0)
		rc = txn_commit(t, err);
	txn_free(t);
	return rc;
}

/* A unit that joins has what it has, up to this moment: it takes edits until now. */
static int name_former(struct role *r, const struct txn *t, const struct role_source *source,
		       struct err *err) {
	AUTO_FREE char *why = NULL;

	if (r->known.synced || txn_staged(t) == 0)
		return 0;
	why = xasprintf("the configuration of %s, which leads epoch %" PRIu64 ", replaces it",
			source->serial, source->epoch);
	return name_revision(r, 0, why, err);
}

int role_commit(struct role *r, struct txn *t, const struct role_source *source, struct err *err) {
	struct membership m;
	int rc;

	if (!role_is_member(r->engine->model) || role_is_primary(r->engine->model))
		return err_set(err, ERR_CONFLICT, "this unit is no secondary of a group");
	if (source->epoch < r->known.epoch || source->epoch == 0)
		return err_set(err, ERR_CONFLICT,
			       "the configuration is of epoch %" PRIu64 ", that of this unit of %"
			       PRIu64, source->epoch, r->known.epoch);
	rc = name_former(r, t, source, err);
	r->source = source;
	if (rc == 0)
		rc = txn_commit(t, err);
	r->source = NULL;
	m = r->known;
	follow(source, &m);
	/* where nothing differed there was no commit to write it */
	if (rc == 0 && memcmp(&m, &r->known, sizeof(m)) != 0)
		rc = keep(r, &m, err);
	return rc;
}

/* ---- the whole ---- */

struct role *role_new(struct engine *e, struct err *err) {
	struct role *r = xcalloc(1, sizeof(*r));
	const struct backend backend = { .name = "role",
					 .prepare = prepare,
					 .apply = apply,
					 .finish = finish,
					 .cancel = cancel,
					 .ctx = r };

	r->engine = e;
	if (read_row(r, err) != 0)
		return role_free(r);
	engine_add_backend(e, &backend);
	engine_set_guard(e, guard, r);
	return r;
}

struct role *role_free(struct role *r) {
	free(r);
	return NULL;
}
