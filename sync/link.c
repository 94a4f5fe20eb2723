/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All links of the unit, and a look at the state of each whenever the kernel tells (rtnetlink) that
 * an interface, an address or a route has changed. What has changed is not read: looking costs a
 * few calls of the kernel, and is right also after messages were lost. Many changes together, as a
 * routing daemon makes them, cost one look each LOOK_MS.
 */
#include "sync/link.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "sync/link_kind.h"

#define LOOK_MS 20
#define NEWS_PER_TURN 256
#define NEWS_MAX 32768           /* bytes of a message; what is longer is cut */

enum layer { ETHERNET, UDP };

struct link_set {
	struct event_base *base;
	struct link_calls calls;
	struct link_stats stats[2];          /* by enum layer */
	struct link_batch *in;
	struct link_udp udp;
	unsigned int n_devs;
	struct link_ethernet ethernet[LINK_DEVS_MAX];
	/* How they stand. */
	struct {
		bool told, up;
		unsigned int mtu;
	} state[LINKS_MAX];
	int news_fd;
	struct event *news, *look;
	bool again;                          /* something changed since the last look */
};

/* ---- how they stand ---- */

static void tell(struct link_set *set, unsigned int link, bool up, unsigned int mtu) {
	if (set->state[link].told && set->state[link].up == up && set->state[link].mtu == mtu)
		return;
	set->state[link].told = true;
	set->state[link].up = up;
	set->state[link].mtu = mtu;
	set->calls.state(set->calls.arg, link, up, mtu);
}

static void look_at_all(struct link_set *set) {
	unsigned int mtu;
	bool up;

	for (unsigned int i = 0; i < set->udp.peers.n; i++)
		if (wire_find(&set->udp.peers, &set->udp.peers.peer[i].ip) == (int)i) {
			up = link_udp_state(&set->udp, i, &mtu);
			tell(set, i, up, mtu);
		}
	for (unsigned int i = 0; i < set->n_devs; i++) {
		up = link_ethernet_look(&set->ethernet[i], set->base, set->udp.socket.fd, &mtu);
		tell(set, LINK_L2 + i, up, mtu);
	}
}

/* Look now, or when the last look is LOOK_MS ago. */
static void look_soon(struct link_set *set) {
	const struct timeval pause = { .tv_usec = LOOK_MS * 1000 };

	if (evtimer_pending(set->look, NULL)) {
		set->again = true;
		return;
	}
	set->again = false;
	if (evtimer_add(set->look, &pause) == 0)
		look_at_all(set);
}

static void look_due(evutil_socket_t fd, short what, void *arg) {
	struct link_set *set = arg;

	(void)fd;
	(void)what;
	if (set->again)
		look_soon(set);
}

static void take_news(evutil_socket_t fd, short what, void *arg) {
	char data[NEWS_MAX];

	(void)what;
	for (int i = 0; i < NEWS_PER_TURN; i++)
		if (recv(fd, data, sizeof(data), MSG_DONTWAIT) < 0 && errno == EAGAIN)
			break;
	look_soon(arg);
}

static bool open_news(struct link_set *set) {
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK,
				    .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
						 RTMGRP_IPV4_ROUTE };

	set->news_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (set->news_fd < 0 || bind(set->news_fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		return false;
	set->news = event_new(set->base, set->news_fd, EV_READ | EV_PERSIST, take_news, set);
	set->look = evtimer_new(set->base, look_due, set);
	return set->news && set->look && event_add(set->news, NULL) == 0;
}

/* ---- the set ---- */

static void set_socket(struct link_set *set, struct link_socket *s, enum layer layer) {
	s->fd = -1;
	s->in = set->in;
	s->stats = &set->stats[layer];
	s->calls = &set->calls;
}

struct link_set *link_set_new(struct event_base *base, const struct link_calls *calls,
			      struct err *err) {
	struct link_set *set = xcalloc(1, sizeof(*set));

	set->base = base;
	set->calls = *calls;
	set->in = link_batch_new();
	set->news_fd = -1;
	set_socket(set, &set->udp.socket, UDP);
	for (unsigned int i = 0; i < LINK_DEVS_MAX; i++) {
		set_socket(set, &set->ethernet[i].socket, ETHERNET);
		set->ethernet[i].link = LINK_L2 + i;
	}
	if (link_udp_open(&set->udp, base, err) != 0)
		return link_set_free(set);
	if (open_news(set))
		return set;
	err_set(err, ERR_KERNEL, "interfaces cannot be watched: %s", strerror(errno));
	return link_set_free(set);
}

struct link_set *link_set_free(struct link_set *set) {
	if (!set)
		return NULL;
	link_socket_close(&set->udp.socket);
	for (unsigned int i = 0; i < LINK_DEVS_MAX; i++)
		link_socket_close(&set->ethernet[i].socket);
	if (set->news)
		event_free(set->news);
	if (set->look)
		event_free(set->look);
	if (set->news_fd >= 0)
		close(set->news_fd);
	free(set->in);
	free(set);
	return NULL;
}

void link_set_configure(struct link_set *set, const struct link_config *config) {
	set->udp.peers = config->peers;
	set->n_devs = config->n_devs;
	for (unsigned int i = 0; i < LINK_DEVS_MAX; i++) {
		struct link_ethernet *e = &set->ethernet[i];
		const char *name = i < config->n_devs ? config->dev[i] : "";

		if (strcmp(e->name, name) != 0)
			link_socket_close(&e->socket);
		memcpy(e->name, name, strlen(name) + 1);
	}
	memset(set->state, 0, sizeof(set->state));
	set->again = true;
	event_active(set->look, EV_TIMEOUT, 0);
}

bool link_send(struct link_set *set, unsigned int link, const uint8_t *mac, const uint8_t *data,
	       size_t len) {
	if (len == 0 || len > LINK_DATAGRAM_MAX)
		return false;
	if (link < LINK_L2)
		return link_udp_send(&set->udp, link, data, len);
	return link - LINK_L2 < set->n_devs &&
	       link_ethernet_send(&set->ethernet[link - LINK_L2], mac, data, len);
}

void link_set_stats(const struct link_set *set, unsigned int layer, struct link_stats *ret) {
	if (layer == 3) {
		*ret = set->stats[UDP];
		ret->dropped += link_socket_drops(set->udp.socket.fd);
		return;
	}
	*ret = set->stats[ETHERNET];
	for (unsigned int i = 0; i < LINK_DEVS_MAX; i++)
		ret->dropped += link_socket_drops(set->ethernet[i].socket.fd);
}
