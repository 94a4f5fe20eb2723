/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gatehouse-syncd gets one struct with all it needs, whenever that changes. The key of the group is
 * a part of it: while a new one is being made the old struct stays in force, for half of a change
 * would part the members.
 *
 * Without peers there is nothing to seal, so no key is made.
 */
#include "backends/replication.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "backends/group_key.h"
#include "cfgdb/base/mem.h"

#define KEY_FILE "group.key"
#define NS_PER_S UINT64_C(1000000000)

struct replication {
	const struct engine *engine;
	struct relay *relay;
	struct group_key *key;
	void (*tell)(int priority, const char *text);
};

/* False: not now. */
static bool take_key(struct replication *r, struct cluster *c) {
	const char *secret = cluster_secret(r->engine->model);
	struct err err = { 0 };
	char text[ERR_TEXT_MAX + 64];

	if (c->n_peers == 0 || !*secret)
		return true;
	switch (group_key_get(r->key, secret, c->group_id, c->key, &err)) {
	case GROUP_KEY_READY:
		c->has_key = true;
		return true;
	case GROUP_KEY_MAKING:
		return false;
	case GROUP_KEY_FAILED:
		break;
	}
	snprintf(text, sizeof(text), "session synchronization: there is no key: %s", err.text);
	r->tell(LOG_ERR, text);
	return true;
}

void replication_update(struct replication *r) {
	struct buf b = BUF_INIT;
	struct cluster c;

	replication_cluster(r, &c);
	if (take_key(r, &c)) {
		cluster_encode(&b, &c);
		relay_set_state(r->relay, CTL_STATE_CLUSTER, b.data, b.len);
	}
	buf_wipe(&b);
	explicit_bzero(c.key, sizeof(c.key));
}

static void on_key(void *arg) {
	replication_update(arg);
}

struct replication *replication_new(const struct replication_config *config, struct err *err) {
	AUTO_FREE char *path = xasprintf("%s/%s", config->state_dir, KEY_FILE);
	struct replication *r = xcalloc(1, sizeof(*r));

	r->engine = config->engine;
	r->relay = config->relay;
	r->tell = config->tell;
	r->key = group_key_new(config->base, r->engine->keyring, path, on_key, r, err);
	return r->key ? r : replication_free(r);
}

struct replication *replication_free(struct replication *r) {
	if (!r)
		return NULL;
	group_key_free(r->key);
	free(r);
	return NULL;
}

void replication_cluster(const struct replication *r, struct cluster *ret) {
	cluster_of_model(ret, r->engine->model, r->engine->serial);
}

struct relay *replication_relay(const struct replication *r) {
	return r->relay;
}

/* ---- who has which sessions ---- */

void replication_view_begin(const struct replication *r, struct replication_view *view) {
	memset(view, 0, sizeof(*view));
	replication_cluster(r, &view->cluster);
	view->unit = cluster_unit_id(view->cluster.serial);
}

struct relay_call *replication_view_ask(const struct replication *r,
					const struct replication_view *view) {
	char acked[] = "acked";
	char *const argv[] = { acked };

	if (view->cluster.n_peers == 0)
		return NULL;
	return relay_call_open(r->relay, REPLICATION_WAIT_MS, false, ARRAY_LEN(argv), argv, NULL);
}

/* All entries of one address are one peer. */
static void peer_has(struct replication_view *view, uint32_t sync_id, uint64_t acked_ns) {
	const struct cluster *c = &view->cluster;
	unsigned int n = 0;

	while (n < c->n_peers && c->peer[n].sync_id != sync_id)
		n++;
	for (unsigned int i = 0; n < c->n_peers && i < c->n_peers; i++)
		if (net_equal(&c->peer[i].ip, &c->peer[n].ip))
			view->acked_ns[i] = acked_ns;
}

/* Lines of two numbers: a sync-id, and the time in ns since 1970. */
void replication_view_take(struct replication_view *view, const char *text) {
	while (*text) {
		char *end;
		unsigned long long id = strtoull(text, &end, 10), ns = 0;
		bool is_pair = end != text && *end == ' ';

		if (is_pair)
			ns = strtoull(end + 1, &end, 10);
		if (is_pair && *end == '\n' && id <= UINT32_MAX)
			peer_has(view, (uint32_t)id, ns);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

bool replication_view_has(const struct replication_view *view, unsigned int entry,
			  const struct ct *ct) {
	uint64_t due = ct->start_ns + (view->cluster.delay ? CLUSTER_DELAY_S * NS_PER_S : 0);

	return due < view->acked_ns[entry] && cluster_wants(&view->cluster, ct) &&
	       cluster_filter(&view->cluster.peer[entry], ct);
}
