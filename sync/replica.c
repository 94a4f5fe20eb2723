/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each of the parts speaks to the machine and to nobody else: what comes by links and channels,
 * from the kernel or the clock is told to it, and then the batch is closed: it says what it has
 * kept back, and the timer is set to when it has something to do by itself.
 *
 * A change of configuration that needs other sockets opens them anew; the machine stays, and with
 * it the streams to peers that stay.
 */
#include "sync/replica.h"

#include <errno.h>
#include <event2/event.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "backends/rtnl.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/random.h"
#include "sync/channels.h"
#include "sync/clock.h"
#include "sync/link.h"
#include "sync/sessions.h"

#define RETRY_S 5                      /* after which what could not be had is tried again */
#define ADDRESSES_MAX 4096             /* of a family */

_Static_assert(FGSP_L2 == LINK_L2 && (int)FGSP_LINKS == (int)LINKS_MAX &&
		       CLUSTER_DEVS_MAX == LINK_DEVS_MAX && CLUSTER_PEERS_MAX == WIRE_PEERS_MAX &&
		       FGSP_MAC == LINK_MAC && FGSP_DATAGRAM_MAX == LINK_DATAGRAM_MAX,
	       "numbers of links");

/* What links and channels have turned away before the machine saw it. */
struct turned_away {
	uint64_t ses_err, ses_size, udp_err, udp_size, refused;
};

struct replica {
	struct replica_config config;
	struct fgsp *machine;
	struct sessions *sessions;
	struct channels *channels;     /* NULL: nothing is open */
	struct link_set *links;
	struct monitor *monitor;       /* of links, addresses and routes */
	struct event *due, *look, *retry;
	struct cluster cluster;
	struct wire_peers peers;       /* of it */
	struct turned_away before;     /* of what is closed by now */
};

static void say(const struct replica *r, int priority, const char *text) {
	r->config.log(r->config.arg, priority, text);
}

/* The end of a batch of input. */
static void settle(struct replica *r) {
	sessions_flush(r->sessions);
	clock_arm(r->due, fgsp_deadline(r->machine));
}

static void on_due(evutil_socket_t fd, short what, void *arg) {
	struct replica *r = arg;

	(void)fd;
	(void)what;
	fgsp_poll(r->machine, clock_us());
	settle(r);
}

/* ---- what the machine asks for ---- */

static bool send_datagram(void *arg, unsigned int link, const uint8_t *mac, const uint8_t *data,
			  size_t len) {
	struct replica *r = arg;

	return r->links && link_send(r->links, link, mac, data, len);
}

static void connect_peer(void *arg, unsigned int peer) {
	struct replica *r = arg;

	if (r->channels && peer < r->peers.n)
		channels_connect(r->channels, &r->peers.peer[peer].ip);
}

static void send_frame(void *arg, unsigned int channel, const uint8_t *data, size_t len) {
	struct replica *r = arg;

	if (r->channels)
		channels_send(r->channels, channel, data, len);
}

static void close_channel(void *arg, unsigned int channel) {
	struct replica *r = arg;

	if (r->channels)
		channels_close(r->channels, channel);
}

static void write_entry(void *arg, const struct fgsp_change *change) {
	struct replica *r = arg;

	sessions_write(r->sessions, change);
}

static bool get_entry(void *arg, struct ct *ct) {
	struct replica *r = arg;

	return sessions_get(r->sessions, ct);
}

static void walk_entries(void *arg) {
	struct replica *r = arg;

	sessions_walk(r->sessions);
}

static uint32_t usual_timeout(void *arg, const struct ct *ct) {
	struct replica *r = arg;

	return sessions_timeout(r->sessions, ct);
}

static bool is_full(void *arg) {
	struct replica *r = arg;

	return sessions_is_full(r->sessions);
}

static bool has_interfaces(void *arg, const struct ct *ct, const char *srcintf,
			   const char *dstintf) {
	struct replica *r = arg;

	return sessions_interfaces(r->sessions, ct, srcintf, dstintf);
}

static void tell_ready(void *arg) {
	struct replica *r = arg;

	r->config.ready(r->config.arg);
}

static void tell(void *arg, int priority, const char *text) {
	say(arg, priority, text);
}

static uint64_t draw(void *arg) {
	(void)arg;
	return random_u64();
}

static uint64_t wall_ns(void *arg) {
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- what it is told ---- */

static bool make_psk(void *arg, const char *initiator, uint8_t psk[CHANNEL_PSK]) {
	const struct replica *r = arg;
	struct err err = { 0 };

	return seal_psk(r->cluster.key, initiator, psk, &err) == 0;
}

static void channel_is_up(void *arg, unsigned int channel, const struct channel_info *info) {
	struct replica *r = arg;
	int peer = wire_find(&r->peers, &info->ip);
	struct fgsp_channel_info up = { .initiator = info->initiator,
					.peer = (unsigned int)peer };

	if (peer < 0)
		return;
	memcpy(up.serial, info->serial, sizeof(up.serial));
	memcpy(up.master, info->master, sizeof(up.master));
	fgsp_channel_up(r->machine, channel, &up, clock_us());
	explicit_bzero(&up, sizeof(up));
	settle(r);
}

static void frame_came(void *arg, unsigned int channel, const uint8_t *data, size_t len) {
	struct replica *r = arg;

	fgsp_frame(r->machine, channel, data, len, clock_us());
	settle(r);
}

static void channel_is_down(void *arg, unsigned int channel, const char *why) {
	struct replica *r = arg;

	say(r, LOG_DEBUG, why);
	fgsp_channel_down(r->machine, channel, clock_us());
	settle(r);
}

static void connect_failed(void *arg, const union net_addr *ip, const char *why) {
	struct replica *r = arg;
	int peer = wire_find(&r->peers, ip);

	if (peer >= 0)
		fgsp_connect_failed(r->machine, (unsigned int)peer, why, clock_us());
	settle(r);
}

static void datagram_came(void *arg, unsigned int link, const uint8_t *mac, uint8_t *data,
			  size_t len) {
	struct replica *r = arg;

	fgsp_datagram(r->machine, link, mac, data, len, clock_us());
}

static void batch_came(void *arg) {
	settle(arg);
}

static void link_has_room(void *arg) {
	struct replica *r = arg;

	fgsp_writable(r->machine, clock_us());
	settle(r);
}

static void session_event(void *arg, enum fgsp_event what, const struct ct *ct) {
	struct replica *r = arg;

	fgsp_event(r->machine, what, ct, false, clock_us());
}

static void session_expected(void *arg, const struct ct_expect *expect) {
	struct replica *r = arg;

	fgsp_expect(r->machine, expect, clock_us());
}

static void events_lost(void *arg) {
	struct replica *r = arg;

	fgsp_overrun(r->machine, clock_us());
}

static bool walk_has_room(void *arg) {
	const struct replica *r = arg;

	return fgsp_walk_room(r->machine);
}

static void walk_entry(void *arg, const struct ct *ct) {
	struct replica *r = arg;

	fgsp_walk_entry(r->machine, ct, clock_us());
}

static void walk_ended(void *arg, bool whole) {
	struct replica *r = arg;

	fgsp_walk_end(r->machine, whole, clock_us());
}

static void write_failed(void *arg, const struct fgsp_change *change, int error) {
	struct replica *r = arg;

	fgsp_write_failed(r->machine, change, error, clock_us());
}

static void end_batch(void *arg) {
	struct replica *r = arg;

	fgsp_flush(r->machine, clock_us());
}

static void link_state(void *arg, unsigned int link, bool up, unsigned int mtu) {
	struct replica *r = arg;

	fgsp_link(r->machine, link, up, mtu, clock_us());
	settle(r);
}

/* ---- the unit's own addresses ---- */

struct addresses {
	union net_addr *addr4, *addr6;
	size_t n4, n6;
};

static void add_address(struct addresses *a, const struct sockaddr *sa) {
	bool ipv4 = sa->sa_family == AF_INET;
	union net_addr **list = ipv4 ? &a->addr4 : &a->addr6;
	size_t *n = ipv4 ? &a->n4 : &a->n6;
	union net_addr addr = { .half = { 0 } };

	if (*n == ADDRESSES_MAX)
		return;
	if (ipv4)
		addr.word[0] = ((const struct sockaddr_in *)(const void *)sa)->sin_addr.s_addr;
	else
		memcpy(addr.byte,
		       ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr,
		       sizeof(addr.byte));
	if ((*n & (*n - 1)) == 0)
		*list = xreallocarray(*list, *n ? *n * 2 : 1, sizeof(**list));
	(*list)[(*n)++] = addr;
}

static void look_at_addresses(struct replica *r) {
	struct addresses a = { 0 };
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) != 0) {
		say(r, LOG_WARNING, "the addresses of this unit cannot be read");
		return;
	}
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (i->ifa_addr && (i->ifa_addr->sa_family == AF_INET ||
				    i->ifa_addr->sa_family == AF_INET6))
			add_address(&a, i->ifa_addr);
	freeifaddrs(all);
	fgsp_locals(r->machine, a.addr4, a.n4, a.addr6, a.n6);
	free(a.addr4);
	free(a.addr6);
}

static void on_network(evutil_socket_t fd, short what, void *arg) {
	struct replica *r = arg;

	(void)fd;
	(void)what;
	if (!monitor_event(r->monitor))
		return;
	look_at_addresses(r);
	sessions_forget_routes(r->sessions);
}

static int watch_network(struct replica *r, struct err *err) {
	r->monitor = monitor_open(err);
	if (!r->monitor)
		return ERR_KERNEL;
	r->look = event_new(r->config.base, monitor_fd(r->monitor), EV_READ | EV_PERSIST,
			    on_network, r);
	if (!r->look || event_add(r->look, NULL) != 0)
		return err_set(err, ERR_KERNEL, "no event loop");
	look_at_addresses(r);
	return 0;
}

static void unwatch_network(struct replica *r) {
	if (r->look)
		event_free(r->look);
	r->look = NULL;
	r->monitor = monitor_close(r->monitor);
}

/* ---- configuration ---- */

static void peers_of(const struct cluster *c, struct wire_peers *ret) {
	*ret = (struct wire_peers){ .n = c->n_peers };
	for (unsigned int i = 0; i < c->n_peers; i++)
		ret->peer[i].ip = c->peer[i].ip;
}

static void links_of(const struct cluster *c, struct link_config *ret) {
	*ret = (struct link_config){ .n_devs = c->n_devs };
	peers_of(c, &ret->peers);
	memcpy(ret->dev, c->dev, sizeof(ret->dev));
}

static struct turned_away turned_away(const struct replica *r) {
	struct turned_away all = r->before;
	const struct channels_stats *c;
	struct link_stats ses, udp;

	if (!r->links || !r->channels)
		return all;
	link_set_stats(r->links, 2, &ses);
	link_set_stats(r->links, 3, &udp);
	c = channels_stats(r->channels);
	all.ses_err += ses.strangers;
	all.ses_size += ses.malformed;
	all.udp_err += udp.strangers;
	all.udp_size += udp.malformed;
	all.refused += c->strangers + c->crowded + c->refused + c->late + c->broken;
	return all;
}

static void close_all(struct replica *r) {
	struct err err = { 0 };

	unwatch_network(r);
	sessions_serve(r->sessions, NULL, &err);
	r->before = turned_away(r);
	r->links = link_set_free(r->links);
	r->channels = channels_free(r->channels);
}

static int open_all(struct replica *r, struct err *err) {
	const struct channels_config config = { .serial = r->cluster.serial,
						.port = WIRE_PORT,
						.output_max = CHANNELS_OUTPUT_MAX,
						.limits = CHANNELS_LIMITS };
	const struct channels_calls channels = { .arg = r,
						 .psk = make_psk,
						 .up = channel_is_up,
						 .frame = frame_came,
						 .down = channel_is_down,
						 .failed = connect_failed };
	const struct link_calls links = { r, datagram_came, batch_came, link_has_room, link_state };
	const struct sessions_calls sessions = { r, session_event, session_expected, events_lost,
						 walk_has_room, walk_entry, walk_ended,
						 write_failed,  end_batch };

	r->channels = channels_new(r->config.base, &config, &channels, err);
	if (!r->channels)
		return ERR_KERNEL;
	r->links = link_set_new(r->config.base, &links, err);
	if (!r->links)
		return ERR_KERNEL;
	if (watch_network(r, err) != 0)
		return ERR_KERNEL;
	return sessions_serve(r->sessions, &sessions, err);
}

/* Where nothing is open, there is nothing that the machine could do. */
static void configure(struct replica *r) {
	struct cluster c = r->cluster;

	c.has_key = c.has_key && r->channels;
	fgsp_configure(r->machine, &c, clock_us());
	explicit_bzero(&c, sizeof(c));
}

/* The machine hears of links after it knows them. */
static void apply(struct replica *r) {
	struct link_config links;
	const struct timeval retry = { .tv_sec = RETRY_S };
	struct err err = { 0 };

	event_del(r->retry);
	if (!cluster_is_started(&r->cluster)) {
		close_all(r);
	} else if (!r->channels && open_all(r, &err) != 0) {
		say(r, LOG_ERR, err.text);
		close_all(r);
		event_add(r->retry, &retry);
	}
	configure(r);
	if (r->channels) {
		peers_of(&r->cluster, &r->peers);
		links_of(&r->cluster, &links);
		channels_peers(r->channels, &r->peers);
		link_set_configure(r->links, &links);
	}
	settle(r);
}

static void on_retry(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	apply(arg);
}

void replica_configure(struct replica *r, const struct cluster *c) {
	/* The serial is in all that TLS says; who is half in by an old key stays out. */
	if (strcmp(r->cluster.serial, c->serial) != 0 ||
	    memcmp(r->cluster.key, c->key, sizeof(c->key)) != 0)
		close_all(r);
	r->cluster = *c;
	apply(r);
}

/* ---- the whole ---- */

struct replica *replica_new(const struct replica_config *config, struct err *err) {
	struct replica *r = xcalloc(1, sizeof(*r));
	const struct sessions_config sessions = { .base = config->base,
						  .event_buffer = config->event_buffer,
						  .log = tell,
						  .arg = r };
	const struct fgsp_env env = { .arg = r,
				      .slow_aes = !__builtin_cpu_supports("aes"),
				      .datagram = send_datagram,
				      .connect = connect_peer,
				      .frame = send_frame,
				      .close = close_channel,
				      .write = write_entry,
				      .get = get_entry,
				      .walk = walk_entries,
				      .timeout = usual_timeout,
				      .full = is_full,
				      .interfaces = has_interfaces,
				      .ready = tell_ready,
				      .log = tell,
				      .random = draw,
				      .wall_ns = wall_ns };

	r->config = *config;
	r->machine = fgsp_new(&env, clock_us());
	r->due = evtimer_new(config->base, on_due, r);
	r->retry = evtimer_new(config->base, on_retry, r);
	r->sessions = sessions_new(&sessions, err);
	if (r->sessions && r->due && r->retry)
		return r;
	if (r->sessions)
		err_set(err, ERR_KERNEL, "no event loop");
	return replica_free(r);
}

struct replica *replica_free(struct replica *r) {
	if (!r)
		return NULL;
	unwatch_network(r);
	link_set_free(r->links);
	channels_free(r->channels);
	sessions_free(r->sessions);
	fgsp_free(r->machine);
	if (r->due)
		event_free(r->due);
	if (r->retry)
		event_free(r->retry);
	explicit_bzero(r, sizeof(*r));
	free(r);
	return NULL;
}

void replica_stats(const struct replica *r, struct fgsp_stats *ret) {
	struct turned_away all = turned_away(r);

	fgsp_stats(r->machine, ret);
	ret->ses.recv_err += all.ses_err;
	ret->ses.sz_err += all.ses_size;
	ret->udp.recv_err += all.udp_err;
	ret->udp.sz_err += all.udp_size;
	ret->refused += all.refused;
}

bool replica_peer(const struct replica *r, unsigned int i, struct fgsp_peer_info *ret) {
	return fgsp_peer_info(r->machine, i, ret);
}

void replica_resync(struct replica *r) {
	fgsp_resync(r->machine, clock_us());
	settle(r);
}

