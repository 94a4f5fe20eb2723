/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets around channels. Who connects must come from the address of a peer, unless all may, not
 * too often, and prove itself in time; each of these is counted when it fails, and none is
 * answered.
 *
 * A connection moves between the socket and its channel in one place, connection_turn: bytes in,
 * then `up`, then frames, then bytes out. It ends in one place, too: whatever went wrong leaves a
 * reason, and its timer, set to now, does the rest in the next turn of the loop. So no function
 * calls back, and what is called may close whatever it likes.
 */
#include "sync/channels.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/rate.h"

#define BACKLOG 64
#define ACCEPT_PER_TURN 16
#define READ_MAX 4096              /* bytes in a turn */
#define SILENCE_MS 10000           /* without an acknowledgement by the other end's kernel */

struct connection {
	struct channels *set;
	unsigned int number;
	union net_addr ip;
	bool initiator;
	bool up;                   /* and that was told */
	bool closed;               /* by channels_close: its end is not told */
	const char *why;           /* it ends; NULL: it lives */
	struct channel *channel;
	struct bufferevent *bev;   /* NULL: there was no socket */
	struct event *timer;
	TAILQ_ENTRY(connection) next;
};

struct channels {
	struct event_base *base;
	struct channels_calls calls;
	struct channels_config config;
	struct channels_stats stats;
	struct channel_maker *maker;
	struct wire_peers peers;           /* none if it is open */
	struct rate rate[WIRE_PEERS_MAX];  /* of each; the first: of all if it is open */
	int fd;                    /* that listens */
	struct event *accept, *resume;
	unsigned int last_number;
	TAILQ_HEAD(, connection) connections;
};

/* Whether the unit talks with this address. */
static bool is_welcome(const struct channels *s, const union net_addr *ip) {
	return s->config.open || wire_find(&s->peers, ip) >= 0;
}

/* ---- ends ---- */

static void tell_refused(const struct channels *s, const union net_addr *ip, const char *why) {
	if (s->calls.refused)
		s->calls.refused(s->calls.arg, ip, why);
}

/* A connection that lives; NULL. */
static struct connection *find_number(const struct channels *s, unsigned int number) {
	struct connection *c;

	TAILQ_FOREACH(c, &s->connections, next)
		if (c->number == number && !c->why)
			return c;
	return NULL;
}

static void connection_free(struct connection *c) {
	TAILQ_REMOVE(&c->set->connections, c, next);
	if (c->bev)
		bufferevent_free(c->bev);
	if (c->timer)
		event_free(c->timer);
	channel_free(c->channel);
	free(c);
}

static void connection_end_soon(struct connection *c) {
	const struct timeval now = { 0 };

	if (event_add(c->timer, &now) != 0)
		event_active(c->timer, EV_TIMEOUT, 0); /* no memory */
}

/* It ends for this reason, unless it had another one, and is counted there (or NULL). */
static void connection_fail(struct connection *c, uint64_t *counter, const char *why) {
	if (c->why)
		return;
	c->why = why;
	if (counter)
		(*counter)++;
	if (c->bev)
		bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	connection_end_soon(c);
}

static void connection_timer(evutil_socket_t fd, short what, void *arg) {
	struct connection *c = arg;
	struct channels *s = c->set;

	(void)fd;
	(void)what;
	if (!c->why) {
		s->stats.late++;
		c->why = "it took too long";
	}
	if (c->up && !c->closed)
		s->calls.down(s->calls.arg, c->number, c->why);
	else if (!c->up && c->initiator && is_welcome(s, &c->ip))
		s->calls.failed(s->calls.arg, &c->ip, c->why);
	else if (!c->up && !c->initiator)
		tell_refused(s, &c->ip, c->why);
	connection_free(c);
}

/* It has so much time from now. */
static bool connection_limit(struct connection *c) {
	unsigned int ms = c->set->config.limits.hello_ms;
	const struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	return event_add(c->timer, &limit) == 0;
}

/* ---- bytes and frames ---- */

/* Hand what the channel has to say to the socket. */
static void connection_flush(struct connection *c) {
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t max = c->set->config.output_max, n;
	uint8_t data[READ_MAX];

	while ((n = channel_output(c->channel, data, sizeof(data))) > 0)
		if (evbuffer_add(out, data, n) != 0 || evbuffer_get_length(out) > max)
			connection_fail(c, NULL, "the other end does not take what is sent");
}

/* The channel has found out that it cannot go on. */
static void connection_look(struct connection *c) {
	struct channels_stats *stats = &c->set->stats;

	switch (channel_state(c->channel)) {
	case CHANNEL_REFUSED:
		connection_fail(c, &stats->refused, "the other end has another key");
		break;
	case CHANNEL_BROKEN:
		connection_fail(c, &stats->broken, "the other end sent what is no frame");
		break;
	case CHANNEL_ENDED:
		connection_fail(c, NULL, "the other end has closed the connection");
		break;
	default:
		break;
	}
}

static void connection_up(struct connection *c) {
	struct channels *s = c->set;
	struct channel_info info;

	event_del(c->timer);
	c->up = true;
	s->stats.up++;
	channel_info(c->channel, &info);
	info.ip = c->ip;
	s->calls.up(s->calls.arg, c->number, &info);
	explicit_bzero(&info, sizeof(info));
}

static void connection_turn(struct connection *c, const uint8_t *in, size_t len) {
	struct channels *s = c->set;
	const uint8_t *data;

	channel_take(c->channel, in, len);
	if (!c->up && channel_state(c->channel) == CHANNEL_UP && is_welcome(s, &c->ip))
		connection_up(c);
	while (!c->why && c->up && channel_frame(c->channel, &data, &len))
		s->calls.frame(s->calls.arg, c->number, data, len);
	connection_look(c);
	if (!c->why)
		connection_flush(c);
}

static void connection_read(struct bufferevent *bev, void *arg) {
	struct connection *c = arg;
	uint8_t data[READ_MAX];
	int n;

	while (!c->why &&
	       (n = evbuffer_remove(bufferevent_get_input(bev), data, sizeof(data))) > 0)
		connection_turn(c, data, (size_t)n);
}

/* Whoever is refused sees no more than this: the reason is often on this side. */
static void connection_event(struct bufferevent *bev, short what, void *arg) {
	const char *why = strerror(EVUTIL_SOCKET_ERROR());
	struct connection *c = arg;

	(void)bev;
	if (c->closed)
		connection_end_soon(c);
	if (what & BEV_EVENT_EOF)
		why = c->up ? "the other end has closed the connection" :
			      "the other end has closed the connection: is the key the same?";
	connection_fail(c, c->up || c->initiator ? NULL : &c->set->stats.refused, why);
}

/* All that was sent before it was closed has gone. */
static void connection_drained(struct bufferevent *bev, void *arg) {
	struct connection *c = arg;

	(void)bev;
	if (c->closed)
		connection_end_soon(c);
}

/* ---- begins ---- */

static bool set_option(int fd, int level, int option, int value) {
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/* A connection whose other end is gone in silence ends, whether something is to be sent or not. */
static bool set_up_socket(int fd) {
	return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
	       set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, SILENCE_MS) &&
	       set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, SILENCE_MS / 2000) &&
	       set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, SILENCE_MS / 4000) &&
	       set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 2) &&
	       set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/* Give c the socket, which it owns then. */
static bool take_socket(struct connection *c, int fd) {
	c->bev = bufferevent_socket_new(c->set->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev)
		return false;
	bufferevent_setcb(c->bev, connection_read, connection_drained, connection_event, c);
	bufferevent_set_max_single_read(c->bev, READ_MAX);
	return bufferevent_enable(c->bev, EV_READ | EV_WRITE) == 0;
}

/* A connection without a socket, whose time runs; NULL: that cannot be had. */
static struct connection *connection_new(struct channels *s, const union net_addr *ip,
					 bool initiator) {
	struct connection *c = xcalloc(1, sizeof(*c));

	c->set = s;
	c->ip = *ip;
	c->initiator = initiator;
	do
		c->number = ++s->last_number;
	while (find_number(s, c->number));
	TAILQ_INSERT_TAIL(&s->connections, c, next);
	c->timer = evtimer_new(s->base, connection_timer, c);
	if (c->timer && connection_limit(c))
		return c;
	connection_free(c);
	return NULL;
}

/* A socket that connects to an address; -1: errno says why not. */
static int connect_to(const struct channels *s, const union net_addr *ip) {
	int peer = wire_find(&s->peers, ip);
	const union net_addr any = { 0 };
	const union net_addr *source = peer >= 0 ? &s->peers.peer[peer].source : &any;
	struct sockaddr_in addr = wire_sockaddr(ip, s->config.port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), why;

	if (fd < 0)
		return -1;
	if (set_up_socket(fd) && wire_bind(fd, source) &&
	    (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 || errno == EINPROGRESS))
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

static void connection_begin(struct connection *c) {
	int fd;

	c->channel = channel_new(c->set->maker, true);
	if (!c->channel) {
		connection_fail(c, NULL, "there is no key");
		return;
	}
	fd = connect_to(c->set, &c->ip);
	if (fd < 0) {
		connection_fail(c, NULL, strerror(errno));
	} else if (!take_socket(c, fd)) {
		if (!c->bev)
			close(fd);
		connection_fail(c, NULL, "out of memory");
	} else {
		connection_flush(c);
	}
}

void channels_connect(struct channels *s, const union net_addr *ip) {
	struct connection *c;

	if (!is_welcome(s, ip))
		return;
	TAILQ_FOREACH(c, &s->connections, next)
		if (c->initiator && !c->up && !c->why && net_equal(&c->ip, ip))
			return;
	c = connection_new(s, ip, true);
	if (c)
		connection_begin(c);
}

/* ---- others begin ---- */

static uint64_t now_ns(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Whether one more from this address is within the limits. */
static bool has_room(struct channels *s, const union net_addr *ip, struct rate *rate) {
	const struct channels_limits *limits = &s->config.limits;
	unsigned int opening = 0, opening_each = 0, each = 0;
	const struct connection *c;

	TAILQ_FOREACH(c, &s->connections, next) {
		bool same = net_equal(&c->ip, ip);
		bool opens = !c->initiator && !c->up;

		each += same;
		opening += opens;
		opening_each += same && opens;
	}
	return each < limits->each && opening < limits->opening &&
	       opening_each < limits->opening_each && rate_take(rate, now_ns());
}

/* Whether somebody from there may go on; counted when not. */
static bool may_enter(struct channels *s, const union net_addr *ip) {
	int n = s->config.open ? 0 : wire_find(&s->peers, ip);

	if (n < 0) {
		s->stats.strangers++;
		tell_refused(s, ip, "it is no peer");
		return false;
	}
	if (has_room(s, ip, &s->rate[n]))
		return true;
	s->stats.crowded++;
	tell_refused(s, ip, "there are too many");
	return false;
}

static void let_in(struct channels *s, int fd, const union net_addr *ip) {
	struct connection *c = connection_new(s, ip, false);

	if (!c) {
		close(fd);
		return;
	}
	c->channel = channel_new(s->maker, false);
	if (c->channel && set_up_socket(fd) && take_socket(c, fd))
		return;
	if (!c->bev)
		close(fd);
	connection_free(c);
}

/* Closed so that nothing of it stays in the kernel, either. */
static void turn_away(int fd) {
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* Out of descriptors or memory: a pause lets some go instead of asking again at once. */
static void accept_pause(struct channels *s) {
	const struct timeval pause = { .tv_sec = 1 };

	if (evtimer_add(s->resume, &pause) == 0)
		event_del(s->accept);
}

static void accept_resume(evutil_socket_t fd, short what, void *arg) {
	struct channels *s = arg;

	(void)fd;
	(void)what;
	if (event_add(s->accept, NULL) != 0)
		accept_pause(s);
}

static void accept_some(evutil_socket_t listener, short what, void *arg) {
	struct channels *s = arg;

	(void)what;
	for (int i = 0; i < ACCEPT_PER_TURN; i++) {
		struct sockaddr_in from = { 0 };
		socklen_t len = sizeof(from);
		int fd = accept4(listener, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		const union net_addr ip = { .word = { from.sin_addr.s_addr } };

		if (fd >= 0 && may_enter(s, &ip))
			let_in(s, fd, &ip);
		else if (fd >= 0)
			turn_away(fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			accept_pause(s);
		else if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (fd < 0)
			return;
	}
}

static bool listen_to(struct channels *s) {
	const union net_addr any = { 0 };
	struct sockaddr_in addr = wire_sockaddr(&any, s->config.port);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || !set_option(s->fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    bind(s->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(s->fd, BACKLOG) != 0)
		return false;
	s->accept = event_new(s->base, s->fd, EV_READ | EV_PERSIST, accept_some, s);
	s->resume = evtimer_new(s->base, accept_resume, s);
	return s->accept && s->resume && event_add(s->accept, NULL) == 0;
}

/* ---- all of them ---- */

static struct rate new_rate(const struct channels *s) {
	return (struct rate){ .per_s = s->config.limits.per_s, .burst = s->config.limits.burst };
}

struct channels *channels_new(struct event_base *base, const struct channels_config *config,
			      const struct channels_calls *calls, struct err *err) {
	struct channels *s = xcalloc(1, sizeof(*s));

	s->base = base;
	s->calls = *calls;
	s->config = *config;
	s->config.serial = NULL; /* TLS has it */
	s->rate[0] = new_rate(s);
	s->fd = -1;
	TAILQ_INIT(&s->connections);
	s->maker = channel_maker_new(config->serial, calls->psk, calls->arg, err);
	if (!s->maker)
		return channels_free(s);
	if (listen_to(s))
		return s;
	err_set(err, ERR_KERNEL, "TCP port %u cannot be had: %s", config->port, strerror(errno));
	return channels_free(s);
}

struct channels *channels_free(struct channels *s) {
	struct connection *c;

	if (!s)
		return NULL;
	while ((c = TAILQ_FIRST(&s->connections)) != NULL)
		connection_free(c);
	if (s->accept)
		event_free(s->accept);
	if (s->resume)
		event_free(s->resume);
	if (s->fd >= 0)
		close(s->fd);
	channel_maker_free(s->maker);
	free(s);
	return NULL;
}

void channels_peers(struct channels *s, const struct wire_peers *peers) {
	struct rate rate[WIRE_PEERS_MAX];
	struct connection *c;

	for (unsigned int i = 0; i < peers->n; i++) {
		int before = wire_find(&s->peers, &peers->peer[i].ip);

		rate[i] = before >= 0 ? s->rate[before] : new_rate(s);
	}
	memcpy(s->rate, rate, peers->n * sizeof(*rate));
	s->peers = *peers;
	TAILQ_FOREACH(c, &s->connections, next)
		if (wire_find(peers, &c->ip) < 0)
			connection_fail(c, NULL, "it is no member any more");
}

bool channels_send(struct channels *s, unsigned int channel, const uint8_t *data, size_t len) {
	struct connection *c = find_number(s, channel);

	if (!c || !c->up || !channel_put(c->channel, data, len))
		return false;
	connection_flush(c);
	return true;
}

void channels_close(struct channels *s, unsigned int channel) {
	struct connection *c = find_number(s, channel);

	if (!c || !c->up)
		return;
	c->closed = true;
	c->why = "closed";
	bufferevent_disable(c->bev, EV_READ);
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0 || !connection_limit(c))
		connection_end_soon(c);
}

const struct channels_stats *channels_stats(const struct channels *s) {
	return &s->stats;
}
