/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layers of timers. What a policy says counts before what the service says by which it matched,
 * that before what `system session-ttl` says of the port, and that before the VDOM's own. Each
 * layer is a struct ttl_times with 0 for what it does not say; resolving is filling those from
 * below.
 *
 * A policy of which neither itself nor a service says anything is not kept: a look-up that finds
 * none is answered by port and VDOM. Of several services that a packet is in, the one that the
 * policy names first counts; with service-negate a policy has matched by none of them.
 */
#include "backends/ttl.h"

#include <netinet/in.h> /* before what the kernel has of it */

#include <linux/netfilter/nf_conntrack_sctp.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define ICMP_S 60 /* not configurable */

static uint32_t seconds_of(const struct object *obj, unsigned int attr) {
	int64_t n = object_num(obj, attr);

	return n == VALUE_NEVER ? TTL_NEVER : (uint32_t)n;
}

/* ---- layers ---- */

struct ttl_times ttl_of_system(const struct model *model) {
	const struct object *global = model_object(model, schema_table(TBL_SYSTEM_GLOBAL));
	const struct object *ttl = model_object(model, schema_table(TBL_SYSTEM_SESSION_TTL));

	return (struct ttl_times){ {
		[TTL_IDLE] = seconds_of(ttl, SYSTEM_SESSION_TTL__DEFAULT),
		[TTL_HALFOPEN] = seconds_of(global, SYSTEM_GLOBAL__TCP_HALFOPEN_TIMER),
		[TTL_HALFCLOSE] = seconds_of(global, SYSTEM_GLOBAL__TCP_HALFCLOSE_TIMER),
		[TTL_TIMEWAIT] = seconds_of(global, SYSTEM_GLOBAL__TCP_TIMEWAIT_TIMER),
		[TTL_RST] = seconds_of(global, SYSTEM_GLOBAL__TCP_RST_TIMER),
		[TTL_UDP] = seconds_of(global, SYSTEM_GLOBAL__UDP_IDLE_TIMER),
	} };
}

static struct ttl_times times_of_service(const struct object *custom, uint8_t proto) {
	struct ttl_times t = { { 0 } };
	uint32_t idle = seconds_of(custom, FIREWALL_SERVICE_CUSTOM__SESSION_TTL);

	if (proto == IPPROTO_UDP) {
		t.s[TTL_UDP] = seconds_of(custom, FIREWALL_SERVICE_CUSTOM__UDP_IDLE_TIMER);
		if (t.s[TTL_UDP] == 0)
			t.s[TTL_UDP] = idle;
		return t;
	}
	t.s[TTL_IDLE] = idle;
	t.s[TTL_HALFOPEN] = seconds_of(custom, FIREWALL_SERVICE_CUSTOM__TCP_HALFOPEN_TIMER);
	t.s[TTL_HALFCLOSE] = seconds_of(custom, FIREWALL_SERVICE_CUSTOM__TCP_HALFCLOSE_TIMER);
	t.s[TTL_TIMEWAIT] = seconds_of(custom, FIREWALL_SERVICE_CUSTOM__TCP_TIMEWAIT_TIMER);
	t.s[TTL_RST] = seconds_of(custom, FIREWALL_SERVICE_CUSTOM__TCP_RST_TIMER);
	return t;
}

bool ttl_says(const struct ttl_times *times, uint8_t proto) {
	if (proto == IPPROTO_UDP)
		return times->s[TTL_UDP] != 0;
	for (int i = 0; i < TTL_UDP; i++)
		if (times->s[i] != 0)
			return true;
	return false;
}

static bool service_says(const struct object *custom) {
	struct ttl_times tcp = times_of_service(custom, IPPROTO_TCP),
			 udp = times_of_service(custom, IPPROTO_UDP);

	return ttl_says(&tcp, IPPROTO_TCP) || ttl_says(&udp, IPPROTO_UDP);
}

static void fill(struct ttl_times *t, const struct ttl_times *below) {
	for (int i = 0; i < TTL_TIMERS; i++)
		if (t->s[i] == 0)
			t->s[i] = below->s[i];
}

/* ---- ports ---- */

static bool entry_covers(const struct object *entry, uint8_t proto, uint32_t port) {
	int64_t protocol = object_num(entry, SYSTEM_SESSION_TTL_PORT__PROTOCOL);

	if (protocol == 0)
		return true;
	return protocol == proto &&
	       port >= (uint32_t)object_num(entry, SYSTEM_SESSION_TTL_PORT__START_PORT) &&
	       port <= (uint32_t)object_num(entry, SYSTEM_SESSION_TTL_PORT__END_PORT);
}

/* What the first entry that covers a port says; 0: none does. */
static uint32_t idle_of_port(const struct value *entries, uint8_t proto, uint32_t port) {
	for (uint32_t i = 0; entries && i < entries->n; i++) {
		const struct object *entry = value_item(entries, i)->entry;

		if (entry_covers(entry, proto, port))
			return seconds_of(entry, SYSTEM_SESSION_TTL_PORT__TIMEOUT);
	}
	return 0;
}

static int edge_order(const void *a, const void *b) {
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void ranges_append(struct ttl_ranges *r, uint32_t lo, uint32_t hi, uint32_t idle) {
	struct ttl_range *last = r->n ? &r->range[r->n - 1] : NULL;

	if (last && last->hi + 1u == lo && last->idle == idle) {
		last->hi = (uint16_t)hi;
		return;
	}
	r->range[r->n++] = (struct ttl_range){ (uint16_t)lo, (uint16_t)hi, idle };
}

/* Between two neighbouring edges one entry counts for all ports. */
static struct ttl_ranges resolve_ranges(const struct model *model, uint8_t proto) {
	const struct object *ttl = model_object(model, schema_table(TBL_SYSTEM_SESSION_TTL));
	const struct value *entries = object_value(ttl, SYSTEM_SESSION_TTL__PORT);
	uint32_t n = entries ? entries->n : 0, n_edges = 0;
	uint32_t *edge = xcalloc(2 * (size_t)n + 2, sizeof(*edge));
	struct ttl_ranges r = { .range = xcalloc(2 * (size_t)n + 1, sizeof(*r.range)) };

	edge[n_edges++] = 0;
	edge[n_edges++] = UINT16_MAX + 1;
	for (uint32_t i = 0; i < n; i++) {
		const struct object *entry = value_item(entries, i)->entry;

		edge[n_edges++] = (uint32_t)object_num(entry, SYSTEM_SESSION_TTL_PORT__START_PORT);
		edge[n_edges++] =
			(uint32_t)object_num(entry, SYSTEM_SESSION_TTL_PORT__END_PORT) + 1;
	}
	qsort(edge, n_edges, sizeof(*edge), edge_order);
	for (uint32_t i = 0; i + 1 < n_edges; i++) {
		uint32_t idle = edge[i] < edge[i + 1] ? idle_of_port(entries, proto, edge[i]) : 0;

		if (idle)
			ranges_append(&r, edge[i], edge[i + 1] - 1, idle);
	}
	free(edge);
	return r;
}

/* What is said of a port; 0: nothing. */
static uint32_t port_idle(const struct ttl *t, uint8_t proto, uint16_t port) {
	const struct ttl_ranges *r = proto == IPPROTO_UDP ? &t->udp : &t->tcp;
	uint32_t lo = 0, hi = r->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (r->range[mid].hi < port)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->n && r->range[lo].lo <= port ? r->range[lo].idle : 0;
}

/* ---- policies ---- */

static struct ttl_times *times_of_uses(const struct service_uses *u, uint8_t proto) {
	struct ttl_times *times = xcalloc(u->n, sizeof(*times));

	for (uint32_t i = 0; i < u->n; i++)
		times[i] = times_of_service(u->use[i].obj, proto);
	return times;
}

static void policy_add(struct ttl *t, struct ttl_policy p) {
	if ((t->n & (t->n - 1)) == 0)
		t->policy = xreallocarray(t->policy, t->n ? t->n * 2 : 1, sizeof(*t->policy));
	t->policy[t->n++] = p;
}

static int policy_order(const void *a, const void *b) {
	const struct ttl_policy *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void resolve_policies(struct ttl *t, const struct model *model) {
	const struct schema_table *table = schema_table(TBL_FIREWALL_POLICY);
	bool services = service_any(model, service_says);

	for (const struct object *obj = model_first(model, table); obj;
	     obj = model_next(model, obj)) {
		struct ttl_policy p = { .id = (uint32_t)strtoul(obj->key, NULL, 10), .obj = obj };

		if (!object_is(obj, FIREWALL_POLICY__ACTION, "accept"))
			continue;
		p.idle = seconds_of(obj, FIREWALL_POLICY__SESSION_TTL);
		if (services && !object_is(obj, FIREWALL_POLICY__SERVICE_NEGATE, "enable"))
			p.uses = service_uses_resolve(model, obj, FIREWALL_POLICY__SERVICE,
						      service_says);
		if (!p.idle && !p.uses.n)
			continue;
		p.tcp = times_of_uses(&p.uses, IPPROTO_TCP);
		p.udp = times_of_uses(&p.uses, IPPROTO_UDP);
		policy_add(t, p);
	}
	if (t->n)
		qsort(t->policy, t->n, sizeof(*t->policy), policy_order);
}

struct ttl *ttl_new(const struct model *model) {
	struct ttl *t = xcalloc(1, sizeof(*t));

	t->system = ttl_of_system(model);
	t->tcp = resolve_ranges(model, IPPROTO_TCP);
	t->udp = resolve_ranges(model, IPPROTO_UDP);
	resolve_policies(t, model);
	return t;
}

struct ttl *ttl_free(struct ttl *t) {
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n; i++) {
		service_uses_done(&t->policy[i].uses);
		free(t->policy[i].tcp);
		free(t->policy[i].udp);
	}
	free(t->policy);
	free(t->tcp.range);
	free(t->udp.range);
	free(t);
	return NULL;
}

const struct ttl_times *ttl_of_use(const struct ttl_policy *p, const struct service_use *use,
				   uint8_t proto) {
	return &(proto == IPPROTO_UDP ? p->udp : p->tcp)[use - p->uses.use];
}

/* All that is said above the VDOM. */
static struct ttl_times said(const struct ttl_policy *p, const struct service_use *use,
			     uint8_t proto, uint32_t port_idle) {
	enum ttl_timer idle = proto == IPPROTO_UDP ? TTL_UDP : TTL_IDLE;
	struct ttl_times times = { { 0 } };

	times.s[idle] = p ? p->idle : 0;
	if (use)
		fill(&times, ttl_of_use(p, use, proto));
	if (times.s[idle] == 0)
		times.s[idle] = port_idle;
	return times;
}

struct ttl_times ttl_resolve(const struct ttl *t, const struct ttl_policy *p,
			     const struct service_use *use, uint8_t proto, uint32_t port_idle) {
	struct ttl_times times = said(p, use, proto, port_idle);

	fill(&times, &t->system);
	return times;
}

/* ---- sessions ---- */

static struct ttl_times said_of(const struct ttl *t, const struct ttl_session *session) {
	const struct ttl_policy probe = { .id = session->policy };
	const struct ttl_policy *p =
		t->n ? bsearch(&probe, t->policy, t->n, sizeof(probe), policy_order) : NULL;

	if (session->own)
		return (struct ttl_times){ { 0 } };
	return said(p, p ? service_uses_match(&p->uses, &session->packet) : NULL,
		    session->packet.proto,
		    port_idle(t, session->packet.proto, session->packet.dport));
}

uint32_t ttl_tcp_state(const struct ttl_times *times, unsigned int state) {
	switch (state) {
	case TCP_CONNTRACK_SYN_SENT:
		return times->s[TTL_HALFOPEN];
	case TCP_CONNTRACK_SYN_RECV:
		return 60;
	case TCP_CONNTRACK_FIN_WAIT:
	case TCP_CONNTRACK_CLOSE_WAIT:
		return times->s[TTL_HALFCLOSE];
	case TCP_CONNTRACK_LAST_ACK:
		return 30;
	case TCP_CONNTRACK_TIME_WAIT:
		return times->s[TTL_TIMEWAIT];
	case TCP_CONNTRACK_CLOSE:
		return times->s[TTL_RST];
	case TCP_CONNTRACK_SYN_SENT2:
		return 120;
	default:
		return times->s[TTL_IDLE];
	}
}

static uint32_t sctp_state(const struct ttl_times *times, unsigned int state) {
	static const uint8_t fixed[] = {
		[SCTP_CONNTRACK_NONE] = 60,
		[SCTP_CONNTRACK_CLOSED] = 10,
		[SCTP_CONNTRACK_COOKIE_WAIT] = 5,
		[SCTP_CONNTRACK_COOKIE_ECHOED] = 10,
		[SCTP_CONNTRACK_SHUTDOWN_SENT] = 30,
		[SCTP_CONNTRACK_SHUTDOWN_RECD] = 30,
		[SCTP_CONNTRACK_SHUTDOWN_ACK_SENT] = 3,
	};

	return state < ARRAY_LEN(fixed) && fixed[state] ? fixed[state] : times->s[TTL_IDLE];
}

/* Seconds by what a VDOM says alone. */
static uint32_t state_seconds(const struct ttl_times *times, uint8_t proto, unsigned int state) {
	switch (proto) {
	case IPPROTO_TCP:
		return ttl_tcp_state(times, state);
	case IPPROTO_UDP:
		return times->s[TTL_UDP];
	case IPPROTO_SCTP:
		return sctp_state(times, state);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return ICMP_S;
	default:
		return 0;
	}
}

uint32_t ttl_seconds(const struct ttl *t, const struct ttl_session *session) {
	uint8_t proto = session->packet.proto;
	struct ttl_times times = t->system;

	if (proto == IPPROTO_TCP || proto == IPPROTO_UDP) {
		times = said_of(t, session);
		fill(&times, &t->system);
	}
	return state_seconds(&times, proto, session->state);
}

uint32_t ttl_timeout(const struct ttl *t, const struct ttl_session *session) {
	uint8_t proto = session->packet.proto;
	struct ttl_times times;

	if (proto == IPPROTO_SCTP)
		return t->system.s[TTL_IDLE];
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return 0;
	times = said_of(t, session);
	if (proto == IPPROTO_UDP)
		return times.s[TTL_UDP];
	return times.s[TTL_IDLE] ? times.s[TTL_IDLE] : t->system.s[TTL_IDLE];
}

/* ---- kernel settings ---- */

#define CONNTRACK(name) "net/netfilter/nf_conntrack_" name
#define TCP(name)	CONNTRACK("tcp_timeout_" name), IPPROTO_TCP
#define SCTP(name)	CONNTRACK("sctp_timeout_" name), IPPROTO_SCTP

/*
 * A session that is not answered lives as long as any other of its state: the kernel would shorten
 * it in the last two of TCP.
 */
static const struct {
	const char *path;
	uint8_t proto, state;
} settings[TTL_SETTINGS] = {
	{ TCP("syn_sent"), TCP_CONNTRACK_SYN_SENT },
	{ TCP("syn_recv"), TCP_CONNTRACK_SYN_RECV },
	{ TCP("established"), TCP_CONNTRACK_ESTABLISHED },
	{ TCP("fin_wait"), TCP_CONNTRACK_FIN_WAIT },
	{ TCP("close_wait"), TCP_CONNTRACK_CLOSE_WAIT },
	{ TCP("last_ack"), TCP_CONNTRACK_LAST_ACK },
	{ TCP("time_wait"), TCP_CONNTRACK_TIME_WAIT },
	{ TCP("close"), TCP_CONNTRACK_CLOSE },
	{ TCP("max_retrans"), TCP_CONNTRACK_ESTABLISHED },
	{ TCP("unacknowledged"), TCP_CONNTRACK_ESTABLISHED },
	{ CONNTRACK("udp_timeout"), IPPROTO_UDP, 0 },
	{ CONNTRACK("udp_timeout_stream"), IPPROTO_UDP, 0 },
	{ CONNTRACK("icmp_timeout"), IPPROTO_ICMP, 0 },
	{ CONNTRACK("icmpv6_timeout"), IPPROTO_ICMPV6, 0 },
	{ SCTP("closed"), SCTP_CONNTRACK_CLOSED },
	{ SCTP("cookie_wait"), SCTP_CONNTRACK_COOKIE_WAIT },
	{ SCTP("cookie_echoed"), SCTP_CONNTRACK_COOKIE_ECHOED },
	{ SCTP("established"), SCTP_CONNTRACK_ESTABLISHED },
	{ SCTP("shutdown_sent"), SCTP_CONNTRACK_SHUTDOWN_SENT },
	{ SCTP("shutdown_recd"), SCTP_CONNTRACK_SHUTDOWN_RECD },
	{ SCTP("shutdown_ack_sent"), SCTP_CONNTRACK_SHUTDOWN_ACK_SENT },
};

const char *ttl_setting_name(size_t i) {
	return settings[i].path;
}

uint32_t ttl_setting_value(const struct ttl_times *system, size_t i) {
	return ttl_kernel(state_seconds(system, settings[i].proto, settings[i].state));
}
