/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes are read once into tables made for look-ups (fib_table.c), in the order in which the
 * policy rules ask them. Rules that only look at the mark of a packet never fit an ordinary one and
 * are left out; any other rule that is not simply "look into table N" makes us ask the kernel.
 *
 * As long as nobody adds a rule, Linux keeps the IPv4 tables local and main in one: there the
 * longest prefix of both wins, and local only among equals. IPv6 always asks one after the other.
 */
#include "backends/fib.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/fib_table.h"
#include "backends/rtnl.h"
#include "cfgdb/base/mem.h"

#define ANSWERS (1u << 13)         /* of the kernel that are kept */
#define READ_TRIES 10              /* at routes that change meanwhile */

/* A table of the kernel: in which of ours it is, and before or behind which others. */
struct place {
	uint32_t id;
	uint8_t step, rank;
};

/* Tables of one family, in the order in which they are asked. */
struct tables {
	struct fib_table step[FIB_TABLES_MAX];
	struct place place[FIB_TABLES_MAX];
	unsigned int n_steps, n_places;
	bool ask;
};

/* What the kernel said. */
struct answer {
	union net_addr dst, src;
	int in;
	uint8_t family;            /* 0: nothing is here */
	struct fib_hop hop;
};

struct fib {
	struct tables tables[2];   /* IPv4, IPv6 */
	size_t n_routes;
	struct rtnl *rtnl;         /* NULL: nobody can be asked */
	struct answer *answers;
	uint64_t asked;
	/* Of fib_open. */
	struct monitor *changes;
	bool look, stale;
	uint64_t reads;
};

static struct tables *tables_of(struct fib *f, uint8_t family) {
	return &f->tables[family == AF_INET6];
}

static void add_place(struct tables *t, uint32_t id, unsigned int step, unsigned int rank) {
	t->place[t->n_places++] = (struct place){ id, (uint8_t)step, (uint8_t)rank };
	if (step >= t->n_steps)
		t->n_steps = step + 1;
}

static void set_default_tables(struct fib *f) {
	struct tables *ipv4 = tables_of(f, AF_INET), *ipv6 = tables_of(f, AF_INET6);

	add_place(ipv4, RT_TABLE_LOCAL, 0, 0);
	add_place(ipv4, RT_TABLE_MAIN, 0, 1);
	add_place(ipv4, RT_TABLE_DEFAULT, 1, 0);
	add_place(ipv6, RT_TABLE_LOCAL, 0, 0);
	add_place(ipv6, RT_TABLE_MAIN, 1, 0);
}

struct fib *fib_new(void) {
	struct fib *f = xcalloc(1, sizeof(*f));

	set_default_tables(f);
	return f;
}

static void tables_done(struct fib *f) {
	for (unsigned int i = 0; i < FIB_TABLES_MAX; i++) {
		fib_table_done(&f->tables[0].step[i]);
		fib_table_done(&f->tables[1].step[i]);
	}
}

struct fib *fib_free(struct fib *f) {
	if (!f)
		return NULL;
	tables_done(f);
	monitor_close(f->changes);
	rtnl_close(f->rtnl);
	free(f->answers);
	free(f);
	return NULL;
}

void fib_set_tables(struct fib *f, uint8_t family, const uint32_t *ids, unsigned int n) {
	struct tables *t = tables_of(f, family);

	t->n_steps = t->n_places = 0;
	for (unsigned int i = 0; i < n && i < FIB_TABLES_MAX; i++)
		add_place(t, ids[i], i, 0);
}

void fib_set_ask(struct fib *f, uint8_t family) {
	tables_of(f, family)->ask = true;
}

void fib_add(struct fib *f, const struct fib_route *r) {
	struct tables *t = tables_of(f, r->family);

	if (f->n_routes == FIB_ROUTES_MAX)
		t->ask = true;
	if (t->ask)
		return;
	for (unsigned int i = 0; i < t->n_places; i++) {
		const struct place *p = &t->place[i];

		if (p->id != r->table)
			continue;
		f->n_routes++;
		fib_table_add(&t->step[p->step], &(struct fib_node){
							 .dst = fib_key(r->family, &r->dst),
							 .metric = r->metric,
							 .rank = p->rank,
							 .prefix = r->prefix,
							 .hop = r->hop });
	}
}

void fib_seal(struct fib *f) {
	for (unsigned int i = 0; i < FIB_TABLES_MAX; i++) {
		fib_table_seal(&f->tables[0].step[i]);
		fib_table_seal(&f->tables[1].step[i]);
	}
}

/* ---- messages about routes ---- */

static enum fib_kind kind_of(uint8_t type) {
	switch (type) {
	case RTN_UNICAST:
		return FIB_UNICAST;
	case RTN_LOCAL:
		return FIB_LOCAL;
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		return FIB_BROADCAST;
	case RTN_BLACKHOLE:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
		return FIB_REJECT;
	case RTN_THROW:
		return FIB_THROW;
	default:
		return FIB_ASK;
	}
}

static void take_addr(const void *data, size_t len, uint8_t family, union net_addr *ret) {
	if (len >= net_len(family))
		memcpy(ret->byte, data, net_len(family));
}

/* A gateway, also one of the other family (RTA_VIA: the family, then the address). */
static void take_gateway(uint16_t type, const void *data, size_t len, uint8_t family,
			 struct fib_hop *hop) {
	if (type == RTA_VIA && len > sizeof(uint16_t)) {
		const struct rtvia *via = data;

		family = (uint8_t)via->rtvia_family;
		data = via->rtvia_addr;
		len -= sizeof(via->rtvia_family);
	}
	hop->gateway_family = family;
	take_addr(data, len, family, &hop->gateway);
}

static void read_hop(const struct rtnexthop *nh, uint8_t family, struct fib_hop *hop) {
	const struct rtattr *a = (const struct rtattr *)RTNH_DATA(nh);
	int left = nh->rtnh_len - (int)sizeof(*nh);

	hop->index = nh->rtnh_ifindex;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == RTA_GATEWAY || a->rta_type == RTA_VIA)
			take_gateway(a->rta_type, RTA_DATA(a), RTA_PAYLOAD(a), family, hop);
}

/* Of several ways only the kernel knows which is taken; how many are alive. */
static unsigned int read_hops(const struct nlattr *attr, uint8_t family, struct fib_hop *hop) {
	const struct rtnexthop *nh = mnl_attr_get_payload(attr);
	int len = mnl_attr_get_payload_len(attr);
	unsigned int n = 0;

	for (; RTNH_OK(nh, len); nh = RTNH_NEXT(nh)) {
		if (!(nh->rtnh_flags & RTNH_F_DEAD) && n++ == 0)
			read_hop(nh, family, hop);
		len -= NLMSG_ALIGN(nh->rtnh_len);
	}
	if (n > 1)
		hop->kind = FIB_ASK;
	return n;
}

/* False when the route is dead. */
static bool read_attrs(const struct nlmsghdr *nlh, struct fib_route *r) {
	const struct nlattr *attr;
	bool alive = true;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtmsg)) {
		const void *data = mnl_attr_get_payload(attr);
		size_t len = mnl_attr_get_payload_len(attr);

		switch (mnl_attr_get_type(attr)) {
		case RTA_TABLE:
			r->table = mnl_attr_get_u32(attr);
			break;
		case RTA_DST:
			take_addr(data, len, r->family, &r->dst);
			break;
		case RTA_PRIORITY:
			r->metric = mnl_attr_get_u32(attr);
			break;
		case RTA_OIF:
			r->hop.index = (int)mnl_attr_get_u32(attr);
			break;
		case RTA_GATEWAY:
		case RTA_VIA:
			take_gateway(mnl_attr_get_type(attr), data, len, r->family, &r->hop);
			break;
		case RTA_MULTIPATH:
			alive = read_hops(attr, r->family, &r->hop) > 0;
			break;
		}
	}
	return alive;
}

/* A route or an answer; false when it is nothing to go by. */
static bool read_message(const struct nlmsghdr *nlh, struct fib_route *r) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != RTM_NEWROUTE || nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*rtm)) ||
	    (rtm->rtm_flags & RTNH_F_DEAD) ||
	    (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6))
		return false;
	*r = (struct fib_route){
		.family = rtm->rtm_family,
		.prefix = rtm->rtm_dst_len,
		.table = rtm->rtm_table,
		.hop = { .kind = kind_of(rtm->rtm_type) },
	};
	if (r->prefix > net_len(r->family) * 8 || !read_attrs(nlh, r))
		return false;
	if (r->hop.kind == FIB_LOCAL)
		r->hop = (struct fib_hop){ .kind = FIB_LOCAL, .index = FIB_LOOPBACK };
	else if (r->hop.kind == FIB_REJECT)
		r->hop = (struct fib_hop){ .kind = FIB_REJECT };
	/* Its ways are told in a form that we do not know. */
	if (r->hop.kind == FIB_UNICAST && r->hop.index == 0)
		r->hop.kind = FIB_ASK;
	return true;
}

static int read_route(const struct nlmsghdr *nlh, void *arg) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct fib_route r;

	if (!read_message(nlh, &r) || (rtm->rtm_flags & RTM_F_CLONED) || rtm->rtm_tos)
		return MNL_CB_OK;
	if (rtm->rtm_src_len)
		r.hop.kind = FIB_ASK;
	fib_add(arg, &r);
	return MNL_CB_OK;
}

/* ---- messages about rules ---- */

struct rules {
	uint32_t table[FIB_TABLES_MAX];
	unsigned int n;
	bool any_left_out, ask;
};

struct rule {
	uint32_t table, mark;
	bool plain;        /* nothing but a table and a mark */
};

static void read_rule_attrs(const struct nlmsghdr *nlh, struct rule *r) {
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct fib_rule_hdr))
		switch (mnl_attr_get_type(attr)) {
		case FRA_TABLE:
			r->table = mnl_attr_get_u32(attr);
			break;
		case FRA_FWMARK:
			r->mark = mnl_attr_get_u32(attr);
			break;
		case FRA_SUPPRESS_PREFIXLEN:
			if (mnl_attr_get_u32(attr) != UINT32_MAX)
				r->plain = false;
			break;
		case FRA_PRIORITY:
		case FRA_FWMASK:
		case FRA_PROTOCOL:
		case FRA_PAD:
			break;
		default:
			r->plain = false;
		}
}

static int read_rule(const struct nlmsghdr *nlh, void *arg) {
	const struct fib_rule_hdr *h = mnl_nlmsg_get_payload(nlh);
	struct rules *rules = arg;
	struct rule r = { .plain = true };

	if (nlh->nlmsg_type != RTM_NEWRULE || nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*h)))
		return MNL_CB_OK;
	r.table = h->table;
	read_rule_attrs(nlh, &r);
	if (!r.plain || h->action != FR_ACT_TO_TBL || h->dst_len || h->src_len || h->tos ||
	    (h->flags & FIB_RULE_INVERT) || rules->n == FIB_TABLES_MAX)
		rules->ask = true;
	else if (r.mark)
		rules->any_left_out = true;
	else
		rules->table[rules->n++] = r.table;
	return MNL_CB_OK;
}

static bool is_default(const struct rules *r, uint8_t family) {
	static const uint32_t ids[] = { RT_TABLE_LOCAL, RT_TABLE_MAIN, RT_TABLE_DEFAULT };
	unsigned int n = family == AF_INET ? 3 : 2;

	return !r->any_left_out && r->n == n && memcmp(r->table, ids, n * sizeof(*ids)) == 0;
}

static int read_family(struct fib *f, uint8_t family) {
	struct rules rules = { .n = 0 };
	int rc = rtnl_dump(f->rtnl, RTM_GETRULE, family, read_rule, &rules);

	/* A kernel without IPv6, or without rules. */
	if (rc == EAFNOSUPPORT || rc == EOPNOTSUPP)
		rc = 0;
	else if (rules.ask)
		fib_set_ask(f, family);
	else if (!is_default(&rules, family))
		fib_set_tables(f, family, rules.table, rules.n);
	if (rc == 0 && !rules.ask)
		rc = rtnl_dump(f->rtnl, RTM_GETROUTE, family, read_route, f);
	return rc == EAFNOSUPPORT || rc == EOPNOTSUPP ? 0 : rc;
}

static int read_all(struct fib *f) {
	int rc = read_family(f, AF_INET);

	return rc ? rc : read_family(f, AF_INET6);
}

static void forget(struct fib *f) {
	tables_done(f);
	memset(f->tables, 0, sizeof(f->tables));
	memset(f->answers, 0, ANSWERS * sizeof(*f->answers));
	f->n_routes = 0;
	set_default_tables(f);
}

/* A copy of routes that changed while they were read is of no use. */
static int read_now(struct fib *f) {
	int rc = EINTR;

	for (int i = 0; i < READ_TRIES && rc == EINTR; i++) {
		forget(f);
		rc = read_all(f);
	}
	if (rc) {
		fib_set_ask(f, AF_INET);
		fib_set_ask(f, AF_INET6);
	}
	fib_seal(f);
	return rc == EINTR ? 0 : rc;
}

static struct fib *open_unread(struct err *err) {
	struct fib *f = fib_new();

	f->answers = xcalloc(ANSWERS, sizeof(*f->answers));
	f->rtnl = rtnl_open(err);
	return f->rtnl ? f : fib_free(f);
}

struct fib *fib_read(struct err *err) {
	struct fib *f = open_unread(err);
	int rc = f ? read_now(f) : 0;

	if (rc) {
		err_set(err, ERR_KERNEL, "routes cannot be read: %s", strerror(rc));
		return fib_free(f);
	}
	return f;
}

struct fib *fib_open(struct err *err) {
	struct fib *f = open_unread(err);

	if (!f)
		return NULL;
	f->look = f->stale = true;
	f->changes = monitor_open_ways(err);
	return f->changes ? f : fib_free(f);
}

void fib_look(struct fib *f) {
	f->look = true;
}

uint64_t fib_reads(const struct fib *f) {
	return f->reads;
}

/* What changes while it is read is found at the next look. */
static void look(struct fib *f) {
	if (!f->look || !f->changes)
		return;
	f->look = false;
	if (!monitor_any(f->changes) && !f->stale)
		return;
	f->stale = read_now(f) != 0;
	f->reads++;
}

/* ---- asking the kernel ---- */

static int read_answer(const struct nlmsghdr *nlh, void *arg) {
	struct fib_hop *hop = arg;
	struct fib_route r;

	if (read_message(nlh, &r))
		*hop = r.hop;
	return MNL_CB_OK;
}

static int query(struct fib *f, uint8_t family, const union net_addr *dst,
		 const union net_addr *src, int in, struct fib_hop *ret) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct rtmsg *rtm;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_GETROUTE, 0, sizeof(*rtm), &header);
	unsigned int len = net_len(family);

	rtm = header;
	rtm->rtm_family = family;
	rtm->rtm_dst_len = (uint8_t)(len * 8);
	mnl_attr_put(nlh, RTA_DST, len, dst->byte);
	if (src) {
		rtm->rtm_src_len = (uint8_t)(len * 8);
		mnl_attr_put(nlh, RTA_SRC, len, src->byte);
	}
	if (in)
		mnl_attr_put_u32(nlh, RTA_IIF, (uint32_t)in);
	f->asked++;
	return rtnl_query(f->rtnl, nlh, read_answer, ret);
}

static struct answer *answer_at(struct fib *f, uint8_t family, const union net_addr *dst,
				const union net_addr *src, int in) {
	uint64_t h = dst->half[0] ^ dst->half[1] * 31 ^ (uint64_t)(unsigned int)in << 32 ^ family;

	h ^= (src->half[0] + src->half[1]) * 0x9e3779b97f4a7c15u;
	h *= 0xff51afd7ed558ccdu;
	return &f->answers[h >> 32 & (ANSWERS - 1)];
}

/*
 * As the kernel sees it: with the source and the link that a packet comes by. What it refuses to
 * tell so (the link would not be the way back) it is asked without them.
 */
static struct fib_hop ask(struct fib *f, uint8_t family, const union net_addr *dst,
			  const union net_addr *src, int in) {
	static const union net_addr unknown;
	struct answer *a;

	if (!f->rtnl)
		return (struct fib_hop){ .kind = FIB_ASK };
	a = answer_at(f, family, dst, src ? src : &unknown, in);
	if (a->family == family && a->in == in && net_equal(&a->dst, dst) &&
	    net_equal(&a->src, src ? src : &unknown))
		return a->hop;
	*a = (struct answer){
		.dst = *dst, .src = src ? *src : unknown, .in = in, .family = family
	};
	if (query(f, family, dst, src, in, &a->hop) != 0 && (src || in))
		query(f, family, dst, NULL, 0, &a->hop);
	return a->hop;
}

/* ---- look-ups ---- */

/* The way by our copy; NULL when only the kernel can tell. */
static const struct fib_hop *from_copy(struct fib *f, uint8_t family, const union net_addr *dst) {
	static const struct fib_hop none = { .kind = FIB_NONE };
	const struct tables *t = tables_of(f, family);
	struct fib_key key = fib_key(family, dst);

	if (t->ask)
		return NULL;
	for (unsigned int i = 0; i < t->n_steps; i++) {
		const struct fib_hop *hop = fib_table_find(&t->step[i], key);

		if (hop && hop->kind != FIB_THROW)
			return hop->kind == FIB_ASK ? NULL : hop;
	}
	return &none;
}

struct fib_hop fib_lookup(struct fib *f, uint8_t family, const union net_addr *dst,
			  const union net_addr *src, int in) {
	const struct fib_hop *hop;

	look(f);
	hop = from_copy(f, family, dst);
	return hop ? *hop : ask(f, family, dst, src, in);
}

static bool is_multicast(uint8_t family, const union net_addr *addr) {
	return family == AF_INET ? addr->byte[0] >> 4 == 14 : addr->byte[0] == 0xff;
}

void fib_path(struct fib *f, uint8_t family, const union net_addr *client,
	      const union net_addr *server, struct fib_path *ret) {
	const struct fib_hop *back;
	struct fib_hop *to = ret->to;

	look(f);
	back = from_copy(f, family, client);
	to[0] = back ? *back : ask(f, family, client, NULL, 0);
	ret->local[0] = to[0].kind == FIB_LOCAL;
	to[1] = fib_lookup(f, family, server, client, ret->local[0] ? 0 : to[0].index);
	if (is_multicast(family, server) && to[1].kind == FIB_UNICAST)
		to[1].kind = FIB_BROADCAST;
	ret->local[1] = to[1].kind == FIB_LOCAL || (to[1].kind == FIB_BROADCAST && !ret->local[0]);
	if (ret->local[1])
		to[1] = (struct fib_hop){ .kind = to[1].kind, .index = FIB_LOOPBACK };
	/* Now the link is known that replies come by. */
	if (!back && !ret->local[0])
		to[0] = ask(f, family, client, server, ret->local[1] ? 0 : to[1].index);
}

uint64_t fib_asked(const struct fib *f) {
	return f->asked;
}
