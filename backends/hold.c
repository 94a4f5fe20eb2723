/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit that comes back draws its clients' packets as soon as its interfaces are up, and would
 * drop those of sessions that it has not been told of yet. Only a start of the unit begins this; a
 * restart of the daemon finds sessions and interfaces as they were.
 *
 * Gatehouse-syncd knows when the sessions are here, or whether there is anybody to wait for. While
 * it is attached nothing but its word counts. Without it nothing would ever end this: so from some
 * time after the start on, its absence does, also when it comes and goes.
 */
#include "backends/hold.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"

struct hold {
	struct hold_config config;
	struct event *limit;
	bool late;                   /* nobody is waited for who is not attached */
	unsigned int n;
	char name[HOLD_MAX][IFNAMSIZ];
};

/* ---- the log ---- */

static void say(const struct hold *h, int priority, const char *what, const char *why) {
	AUTO_STR struct str text = STR_INIT;

	for (unsigned int i = 0; i < h->n; i++)
		str_addf(&text, "%s%s", i ? ", " : "", h->name[i]);
	str_addf(&text, " %s: %s", what, why);
	h->config.tell(priority, str_text(&text));
}

/* ---- how it ends ---- */

static void let_go(struct hold *h, int priority, const char *why) {
	if (h->n == 0)
		return;
	say(h, priority, "need not stay down any more", why);
	h->n = 0;
	event_del(h->limit);
	h->config.let_go(h->config.arg);
}

static void on_ready(void *arg) {
	let_go(arg, LOG_INFO, "the sessions of the other members are here, or cannot be had");
}

static void check_absence(struct hold *h) {
	if (h->late && !relay_is_attached(h->config.relay))
		let_go(h, LOG_WARNING, "gatehouse-syncd is not there to get sessions");
}

static void on_gone(void *arg) {
	check_absence(arg);
}

static void on_limit(evutil_socket_t fd, short what, void *arg) {
	struct hold *h = arg;

	(void)fd;
	(void)what;
	h->late = true;
	check_absence(h);
}

/* ---- the whole ---- */

struct hold *hold_new(const struct hold_config *config, struct err *err) {
	struct hold *h = xcalloc(1, sizeof(*h));
	const struct relay_watch watch = { h, on_ready, on_gone };

	h->config = *config;
	h->limit = evtimer_new(config->base, on_limit, h);
	if (!h->limit) {
		err_set(err, ERR_STORE, "no event loop");
		return hold_free(h);
	}
	relay_set_watch(config->relay, &watch);
	return h;
}

struct hold *hold_free(struct hold *h) {
	if (!h)
		return NULL;
	relay_set_watch(h->config.relay, NULL);
	if (h->limit)
		event_free(h->limit);
	free(h);
	return NULL;
}

bool hold_has(const struct hold *h, const char *name) {
	for (unsigned int i = 0; h && i < h->n; i++)
		if (strcmp(h->name[i], name) == 0)
			return true;
	return false;
}

static bool can_sync(const struct cluster *c, const struct model *model) {
	return c->n_peers > 0 && *cluster_secret(model);
}

void hold_begin(struct hold *h, const struct model *model) {
	const struct timeval wait = { .tv_sec = h->config.wait_s };
	struct cluster c;

	cluster_of_model(&c, model, "");
	for (unsigned int i = 0; i < c.n_peers && can_sync(&c, model); i++)
		for (unsigned int j = 0; j < c.peer[i].n_down; j++)
			if (!hold_has(h, c.peer[i].down[j]))
				strcpy(h->name[h->n++], c.peer[i].down[j]);
	if (h->n == 0)
		return;
	say(h, LOG_INFO, "must stay down", "the sessions of the other members are not here yet");
	h->late = false;
	if (event_add(h->limit, &wait) != 0)
		let_go(h, LOG_ERR, "no event loop");
}

void hold_update(struct hold *h, const struct model *model) {
	unsigned int n = 0;
	struct cluster c;

	if (h->n == 0)
		return;
	cluster_of_model(&c, model, "");
	for (unsigned int i = 0; i < h->n && can_sync(&c, model); i++)
		n += cluster_is_down_before(&c, h->name[i]);
	if (n == 0) {
		let_go(h, LOG_INFO, "the configuration does not ask for it");
		return;
	}
	n = 0;
	for (unsigned int i = 0; i < h->n; i++)
		if (cluster_is_down_before(&c, h->name[i]) && n++ != i)
			memcpy(h->name[n - 1], h->name[i], IFNAMSIZ);
	h->n = n;
}
