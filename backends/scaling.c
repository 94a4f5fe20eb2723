/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After each commit, and whenever other members come or go, two things are brought in step: what
 * gatehouse-syncd is told, and the configuration that comes by itself. The latter is committed as
 * an administrator would type it, so it is shown, can be changed, and is in the history.
 *
 * Two keys are made of the group's secret: one opens connections between members, one goes into the
 * digests in place of secrets. While they are being made the old ones, and all that was told with
 * them, stay in force.
 */
#include "backends/scaling.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "backends/cluster.h"
#include "backends/group_key.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/shared.h"
#include "schemas/schema_gen.h"

#define KEY_FILE "autoscale.key"
#define USE_CHANNEL "gatehouse autoscale channel"
#define USE_DIGEST "gatehouse autoscale digest"
#define META_SETTLED "autoscale_settled" /* what comes with a group has been set */
#define EXCEPTION_ID "10"
#define EXCEPTION "system.cluster-sync"

struct scaling {
	struct engine *engine;
	struct role *role;
	struct relay *relay;
	struct group_key *key;
	struct event *soon;
	void (*tell)(int priority, const char *text);
	bool told_full;              /* that there are more members than session peers */
};

static void say(const struct scaling *s, int priority, const char *what, const struct err *why) {
	char text[ERR_TEXT_MAX + 64];

	snprintf(text, sizeof(text), "auto-scale: %s: %s", what, why->text);
	s->tell(priority, text);
}

/* ---- what gatehouse-syncd is told ---- */

/* Keys from now on; NULL: none. */
static void set_keys(struct scaling *s, struct autoscale *a, const uint8_t *key) {
	struct engine *e = s->engine;

	a->has_key = e->has_group_mac = key != NULL;
	if (!key)
		return;
	secret_derive(key, USE_CHANNEL, a->key);
	secret_derive(key, USE_DIGEST, e->group_mac);
}

/* False: not now, those of before are in force. */
static bool take_keys(struct scaling *s, struct autoscale *a) {
	const struct model *m = s->engine->model;
	const char *secret = role_is_member(m) ? autoscale_secret(m) : "";
	uint8_t key[SECRET_GROUP_KEY_LEN];
	struct err err = { 0 };
	enum group_key_state state;

	if (!*secret) {
		set_keys(s, a, NULL);
		return true;
	}
	state = group_key_get(s->key, secret, 0, key, &err);
	if (state == GROUP_KEY_FAILED)
		say(s, LOG_ERR, "there is no key", &err);
	a->makes_key = state == GROUP_KEY_MAKING;
	if (!a->makes_key)
		set_keys(s, a, state == GROUP_KEY_READY ? key : NULL);
	explicit_bzero(key, sizeof(key));
	return !a->makes_key || !s->engine->has_group_mac;
}

static void tell_state(struct scaling *s) {
	struct autoscale a = { .has_key = false }, keys = a;
	struct buf b = BUF_INIT;

	if (!take_keys(s, &keys))
		return;
	autoscale_of_engine(&a, s->engine, role_membership(s->role));
	a.has_key = keys.has_key;
	a.makes_key = keys.makes_key;
	memcpy(a.key, keys.key, sizeof(a.key));
	autoscale_encode(&b, &a);
	relay_set_state(s->relay, CTL_STATE_AUTOSCALE, b.data, b.len);
	buf_wipe(&b);
	explicit_bzero(&a, sizeof(a));
	explicit_bzero(&keys, sizeof(keys));
}

/* ---- what comes by itself ---- */

static void set_word(struct object *obj, unsigned int attr, const char *word) {
	struct value v = { 0 };

	if (value_parse(&obj->table->attrs[attr], (char *[]){ (char *)word }, 1, &v, NULL) == 0)
		object_set(obj, attr, v);
}

static int share_sessions(struct txn *t, struct err *err) {
	static const unsigned int switches[] = { SYSTEM_HA__SESSION_PICKUP,
						 SYSTEM_HA__SESSION_PICKUP_CONNECTIONLESS,
						 SYSTEM_HA__SESSION_PICKUP_EXPECTATION,
						 SYSTEM_HA__SESSION_PICKUP_NAT };
	struct object *ha = object_copy(txn_object(t, schema_tables[TBL_SYSTEM_HA]));

	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		set_word(ha, switches[i], "enable");
	return txn_put(t, ha, TXN_ANY, err);
}

/* Each unit has its own peers. */
static int except_peers(struct txn *t, struct err *err) {
	const struct schema_table *table = schema_tables[TBL_SYSTEM_VDOM_EXCEPTION];
	const char *key = EXCEPTION_ID;
	char free_key[24];
	struct object *obj;
	uint64_t id;

	if (txn_find(t, table, key)) {
		if (txn_next_id(t, table, &id, err) != 0)
			return ERR_MAX_ENTRIES;
		snprintf(free_key, sizeof(free_key), "%llu", (unsigned long long)id);
		key = free_key;
	}
	obj = object_new(table, key);
	set_word(obj, SYSTEM_VDOM_EXCEPTION__OBJECT, EXCEPTION);
	return txn_put(t, obj, TXN_NEW, err);
}

/* Whether the members leave the peers of sessions to each unit. */
static bool has_own_peers(const struct scaling *s) {
	struct shared shared;

	shared_init(&shared, s->engine->model);
	return !shared_has_peers(&shared);
}

static void settle(struct scaling *s) {
	AUTO_FREE char *settled = NULL;
	bool member = role_is_member(s->engine->model);
	struct err err = { 0 };
	struct txn *t;
	int rc = store_meta_get(s->engine->store, META_SETTLED, &settled, &err);

	if (rc == 0 && (settled && *settled == '1') == member)
		return;
	t = txn_new(s->engine, "system", "auto-scale");
	txn_override(t);
	txn_meta(t, META_SETTLED, member ? "1" : "0");
	/* a secondary gets all this from its primary */
	if (rc == 0 && member && role_is_primary(s->engine->model)) {
		rc = share_sessions(t, &err);
		if (rc == 0 && !has_own_peers(s))
			rc = except_peers(t, &err);
	}
	if (rc == 0)
		rc = txn_commit(t, &err);
	txn_free(t);
	if (rc)
		say(s, LOG_WARNING, "what belongs to a group is not set", &err);
}

/* ---- members as peers of session replication ---- */

static const struct schema_attr *peers_attr(void) {
	return &schema_tables[TBL_SYSTEM_STANDALONE_CLUSTER]
			->attrs[SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER];
}

static uint32_t address(const union net_addr *ip) {
	return ntohl(ip->word[0]);
}

static uint32_t entry_address(const struct object *entry) {
	return object_ip(entry, SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER__PEERIP).a;
}

struct peers {
	struct object *cluster;      /* system standalone-cluster as it will be */
	bool changed;
	int rc;
	struct err *err;
};

/* The entry with this address; and the greatest number in use. */
static const struct object *find_entry(const struct object *cluster, uint32_t ip, uint32_t *last) {
	const struct value *v = object_value(cluster, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER);
	const struct object *found = NULL;

	*last = 0;
	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *entry = value_item(v, i)->entry;
		uint32_t id = (uint32_t)strtoul(entry->key, NULL, 10);

		*last = id > *last ? id : *last;
		if (entry_address(entry) == ip)
			found = entry;
	}
	return found;
}

static void add_peer(struct scaling *s, struct peers *p, const struct member *m, uint32_t id) {
	const struct object *cluster = p->cluster;
	char key[24], ip[NET_TEXT_MAX];
	struct object *entry;

	if (object_count(cluster, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER) >= CLUSTER_PEERS_MAX) {
		if (!s->told_full)
			s->tell(LOG_WARNING,
				"auto-scale: sessions are shared with 15 members only");
		s->told_full = true;
		return;
	}
	snprintf(key, sizeof(key), "%u", id);
	entry = object_new(peers_attr()->child, key);
	inet_ntop(AF_INET, m->ip.byte, ip, sizeof(ip));
	set_word(entry, SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER__PEERIP, ip);
	object_child_put(p->cluster, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER, entry);
	p->changed = true;
	/* first: after a crash it is made again under this number */
	p->rc = p->rc ? p->rc : role_link(s->role, m->serial, id, p->err);
}

/* What was made for a member, unless someone has changed it since. */
static void drop_peer(struct scaling *s, struct peers *p, const struct member *m) {
	char key[24];
	const struct object *entry;

	snprintf(key, sizeof(key), "%u", m->sync_id);
	entry = object_child(p->cluster, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER, key);
	if (entry && entry_address(entry) == address(&m->ip))
		p->changed |= object_child_delete(
			p->cluster, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER, key);
}

static void fit_peer(struct scaling *s, struct peers *p, const struct member *m) {
	const struct object *entry;
	uint32_t last;

	if (m->role == MEMBER_GONE) {
		drop_peer(s, p, m);
		return;
	}
	entry = find_entry(p->cluster, address(&m->ip), &last);
	if (!entry && m->ip.word[0])
		add_peer(s, p, m, last + 1);
}

static int commit_peers(struct scaling *s, struct peers *p, struct err *err) {
	struct txn *t = txn_new(s->engine, "system", "auto-scale");
	int rc;

	txn_override(t);
	rc = txn_put(t, p->cluster, TXN_ANY, err);
	if (rc == 0)
		rc = txn_commit(t, err);
	txn_free(t);
	return rc;
}

/* Once their entries are gone. */
static int forget_gone(struct scaling *s, const struct membership *m, struct err *err) {
	int rc = 0;

	for (unsigned int i = 0; i < m->n && rc == 0; i++)
		if (m->member[i].role == MEMBER_GONE)
			rc = role_link(s->role, m->member[i].serial, 0, err);
	return rc;
}

/* Whether this unit has its peers to itself, or those of the group are its to set. */
static bool may_set_peers(const struct scaling *s) {
	return has_own_peers(s) || role_is_primary(s->engine->model);
}

static void fit_peers(struct scaling *s) {
	const struct schema_table *table = schema_tables[TBL_SYSTEM_STANDALONE_CLUSTER];
	struct membership m = *role_membership(s->role);
	struct err err = { 0 };
	struct peers p = { .err = &err };

	if (m.n == 0 || !may_set_peers(s))
		return;
	p.cluster = object_copy(model_object(s->engine->model, table));
	for (unsigned int i = 0; i < m.n; i++)
		fit_peer(s, &p, &m.member[i]);
	if (p.rc == 0 && p.changed)
		p.rc = commit_peers(s, &p, &err);
	else
		object_free(p.cluster);
	if (p.rc == 0)
		p.rc = forget_gone(s, &m, &err);
	if (p.rc)
		say(s, LOG_WARNING, "members are not made peers of session replication", &err);
}

/* ---- when ---- */

static void on_soon(evutil_socket_t fd, short what, void *arg) {
	struct scaling *s = arg;

	(void)fd;
	(void)what;
	settle(s);
	fit_peers(s);
	tell_state(s);
}

/* Not now: a commit is coming to its end. */
static void look_soon(void *arg) {
	struct scaling *s = arg;
	const struct timeval now = { 0 };

	event_add(s->soon, &now);
}

/* ---- the whole ---- */

struct scaling *scaling_new(const struct scaling_config *config, struct err *err) {
	AUTO_FREE char *path = xasprintf("%s/%s", config->state_dir, KEY_FILE);
	struct scaling *s = xcalloc(1, sizeof(*s));

	s->engine = config->engine;
	s->role = config->role;
	s->relay = config->relay;
	s->tell = config->tell;
	s->soon = evtimer_new(config->base, on_soon, s);
	s->key = group_key_new(config->base, s->engine->keyring, path, look_soon, s, err);
	if (!s->key || !s->soon)
		return scaling_free(s);
	engine_watch(s->engine, look_soon, s);
	role_set_watch(s->role, look_soon, s);
	look_soon(s);
	return s;
}

struct scaling *scaling_free(struct scaling *s) {
	if (!s)
		return NULL;
	group_key_free(s->key);
	if (s->soon)
		event_free(s->soon);
	explicit_bzero(s->engine->group_mac, sizeof(s->engine->group_mac));
	free(s);
	return NULL;
}

struct role *scaling_role(const struct scaling *s) {
	return s->role;
}
