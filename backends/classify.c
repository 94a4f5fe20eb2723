/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First match, compiled. A short list of policies becomes rules in order. A long one is cut by
 * address: policies are filed in maps from destination ranges (or source ranges, where the
 * destination is wide) to leaf chains that hold the few policies of that range. Ranges of very
 * different size would copy the wide ones under all the narrow ones; so there is one map for each
 * class of size, and a packet visits them all. What is wide on both sides is cut by port.
 *
 * Visiting several maps breaks the order of policies, and a guard mends it: every rule begins with
 * `ct mark > place of its policy` and ends by setting ct mark to that place, so a better match is
 * never replaced by a worse one.
 *
 * Leaf chains are named after the policies they hold: equal leaves are one chain, and a policy that
 * changes rewrites its leaves but not the maps. Services of several parts are a chain of the
 * policy.
 */
#include "backends/classify.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define LINEAR_MAX 8               /* policies in a list that is not worth maps */
#define WIDE ((uint64_t)1 << 22)   /* addresses above which a side does not narrow anything down */
#define SIZE_CLASSES 4

/* What is left to match once a policy has been found by its place in a map. */
enum leaf_mode {
	LEAF_SRC = 's',            /* found by destination */
	LEAF_DST = 'd',            /* found by source */
	LEAF_BOTH = 'b',           /* found by nothing */
	LEAF_ADDRS = 'p',          /* found by port: addresses only */
};

struct classify {
	struct ruleset *rs;
	struct chain *chain;
	const char *id;            /* of the chain: names of its maps end in it */
	uint32_t bit;
	bool ignore_dst;
};

static uint64_t hash_add(uint64_t h, uint64_t v) {
	for (int i = 0; i < 8; i++, v >>= 8)
		h = (h ^ (v & 0xff)) * 1099511628211u;
	return h;
}

#define HASH_START 14695981039346656037u

/* ---- addresses ---- */

static void fill_set(struct ruleset *rs, struct set *set, const struct ranges *ranges,
		     const struct origin *origin) {
	for (uint32_t i = 0; i < ranges->n; i++) {
		struct key k = KEY_INIT;
		struct elem *e;

		key_num(&k, FIELD_SADDR, ranges->r[i].lo);
		e = set_add(rs, set, &k);
		e->last = ranges->r[i].hi;
		e->origin = origin;
	}
}

static const char *ranges_set(struct ruleset *rs, const struct ranges *ranges, const char *name,
			      const struct origin *origin) {
	if (!ruleset_set(rs, name))
		fill_set(rs,
			 ruleset_add_set(rs, name, DATA_NONE, SET_INTERVAL, FIELD_SADDR, 0, 0, 0),
			 ranges, origin);
	return name;
}

/* A set named after what it holds. */
static const char *content_set(struct ruleset *rs, const struct ranges *ranges,
			       const struct origin *origin) {
	uint64_t h = HASH_START;

	for (uint32_t i = 0; i < ranges->n; i++)
		h = hash_add(h, (uint64_t)ranges->r[i].lo << 32 | ranges->r[i].hi);
	return ranges_set(rs, ranges, ruleset_namef(rs, "n%016" PRIx64, h), origin);
}

/* A set named after an address object, so that a change of the object changes elements only. */
static const char *address_set(struct ruleset *rs, const struct address *a, bool accept) {
	bool strict = accept && !ranges_equal(&a->plain, &a->strict);
	uint64_t h = hash_add(HASH_START, a->obj->table->id);

	for (const char *s = a->obj->key; *s; s++)
		h = hash_add(h, (unsigned char)*s);
	return ranges_set(rs, address_ranges(a, accept),
			  ruleset_namef(rs, "%c%016" PRIx64, strict ? 'h' : 'g', h),
			  ruleset_origin(rs, a->obj));
}

static void matches_add(struct addr_matches *out, const struct ranges *ranges) {
	for (uint32_t i = 0; i < ranges->n; i++)
		out->m[out->n++] = (struct addr_match){ ranges->r[i].lo, ranges->r[i].hi, NULL };
}

struct addr_matches classify_ranges(struct ruleset *rs, const struct ranges *ranges,
				    const struct origin *origin) {
	struct addr_matches out = { .n = 0 };

	if (ranges->n <= ADDR_MATCHES_MAX)
		matches_add(&out, ranges);
	else
		out.m[out.n++].set = content_set(rs, ranges, origin);
	return out;
}

/* How many alternatives a list takes when only its long members are sets. */
static uint32_t count_matches(const struct policy_addrs *a, bool accept) {
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->n && n <= ADDR_MATCHES_MAX; i++) {
		const struct ranges *r = address_ranges(a->address[i], accept);

		n += r->n > ADDR_MATCHES_MAX ? 1 : r->n;
	}
	return n;
}

static struct addr_matches policy_matches(struct ruleset *rs, const struct policy *p,
					  const struct policy_addrs *a) {
	struct addr_matches out = { .n = 0 };

	if (a->match.n <= ADDR_MATCHES_MAX || a->negate ||
	    count_matches(a, p->accept) > ADDR_MATCHES_MAX)
		return classify_ranges(rs, &a->match, ruleset_origin(rs, p->obj));
	for (uint32_t i = 0; i < a->n; i++) {
		const struct ranges *r = address_ranges(a->address[i], p->accept);

		if (r->n > ADDR_MATCHES_MAX)
			out.m[out.n++].set = address_set(rs, a->address[i], p->accept);
		else
			matches_add(&out, r);
	}
	return out;
}

void classify_match_addr(struct chain *c, enum rule_field f, const struct addr_match *m) {
	if (m->set)
		chain_lookup(c, MATCH_SET, m->set, f, 0, 0, 0);
	else if (m->lo == m->hi)
		chain_stmt(c, MATCH_EQ, f, m->lo, 0, NULL);
	else if (m->lo != 0 || m->hi != UINT32_MAX)
		chain_stmt(c, MATCH_RANGE, f, m->lo, m->hi, NULL);
}

/* ---- services ---- */

static void match_port(struct chain *c, enum rule_field f, uint16_t lo, uint16_t hi) {
	if (lo == hi)
		chain_stmt(c, MATCH_EQ, f, lo, 0, NULL);
	else if (lo != 0 || hi != UINT16_MAX)
		chain_stmt(c, MATCH_RANGE, f, lo, hi, NULL);
}

void classify_match_service(struct chain *c, const struct service_spec *s) {
	if (s->kind == SERVICE_ANY)
		return;
	if (s->kind == SERVICE_ICMP) {
		chain_stmt(c, MATCH_EQ, FIELD_ICMP_TYPE, s->icmp_type, 0, NULL);
		if (s->icmp_code != SERVICE_ANY_CODE)
			chain_stmt(c, MATCH_EQ, FIELD_ICMP_CODE, s->icmp_code, 0, NULL);
		return;
	}
	chain_stmt(c, MATCH_EQ, FIELD_L4PROTO, s->proto, 0, NULL);
	if (s->kind == SERVICE_PORTS) {
		match_port(c, FIELD_DPORT, s->dst_lo, s->dst_hi);
		match_port(c, FIELD_SPORT, s->src_lo, s->src_hi);
	}
}

static void found(struct chain *c, uint32_t place) {
	chain_stmt(c, STMT_MARK, FIELD_NONE, place, 0, NULL);
	chain_stmt(c, STMT_RETURN, FIELD_NONE, 0, 0, NULL);
}

/* The chain that tells whether a packet is of a policy's services; made when first needed. */
static const char *service_chain(const struct classify *k, const struct policy *p) {
	const char *name = ruleset_namef(k->rs, "%c%" PRIu32, k->bit ? 't' : 's', p->id);
	struct chain *c = ruleset_chain(k->rs, name);

	if (c)
		return name;
	c = ruleset_add_chain(k->rs, name);
	c->origin = ruleset_origin(k->rs, p->obj);
	for (uint32_t i = 0; i < p->service.n; i++) {
		chain_rule(c);
		classify_match_service(c, &p->service.spec[i]);
		if (p->service_negate)
			chain_stmt(c, STMT_RETURN, FIELD_NONE, 0, 0, NULL);
		else
			found(c, p->seq | k->bit);
	}
	if (p->service_negate) {
		chain_rule(c);
		found(c, p->seq | k->bit);
	}
	return name;
}

/* ---- leaves ---- */

static void add_rule(const struct classify *k, struct chain *c, const struct policy *p,
		     const struct addr_match *src, const struct addr_match *dst, bool by_port) {
	chain_rule(c);
	chain_stmt(c, MATCH_GT, FIELD_CT_MARK, p->seq | k->bit, 0, NULL);
	if (src)
		classify_match_addr(c, FIELD_SADDR, src);
	if (dst)
		classify_match_addr(c, FIELD_DADDR, dst);
	if (by_port || (p->service.any && !p->service_negate)) {
		found(c, p->seq | k->bit);
	} else if (p->service.n == 1 && !p->service_negate) {
		classify_match_service(c, &p->service.spec[0]);
		found(c, p->seq | k->bit);
	} else {
		chain_stmt(c, STMT_JUMP, FIELD_NONE, 0, 0, service_chain(k, p));
	}
}

/* The rules of one policy: one for each pair of alternatives. */
static void add_policy(const struct classify *k, struct chain *c, const struct policy *p,
		       enum leaf_mode mode) {
	bool by_dst = mode == LEAF_SRC || k->ignore_dst, by_src = mode == LEAF_DST;
	struct addr_matches src = { .n = 0 }, dst = { .n = 0 };

	c->origin = ruleset_origin(k->rs, p->obj);
	if (!by_src)
		src = policy_matches(k->rs, p, &p->src);
	if (!by_dst)
		dst = policy_matches(k->rs, p, &p->dst);
	for (uint32_t i = 0; i < (by_src ? 1 : src.n); i++)
		for (uint32_t j = 0; j < (by_dst ? 1 : dst.n); j++)
			add_rule(k, c, p, by_src ? NULL : &src.m[i], by_dst ? NULL : &dst.m[j],
				 mode == LEAF_ADDRS);
	c->origin = NULL;
}

/* The chain for these policies (indexes into list, in order); made when first needed. */
static const char *leaf_chain(const struct classify *k, enum leaf_mode mode,
			      const struct policy *const *list, const uint32_t *index, uint32_t n) {
	uint64_t h = hash_add(HASH_START, (uint64_t)mode | k->bit | (k->ignore_dst ? 256 : 0));
	const char *name;
	struct chain *c;

	for (uint32_t i = 0; i < n; i++)
		h = hash_add(h, list[index[i]]->id);
	name = ruleset_namef(k->rs, "l%016" PRIx64, h);
	if (ruleset_chain(k->rs, name))
		return name;
	c = ruleset_add_chain(k->rs, name);
	for (uint32_t i = 0; i < n; i++)
		add_policy(k, c, list[index[i]], mode);
	return name;
}

/* ---- maps from ranges to leaves ---- */

struct edge {
	uint64_t at;               /* first value that the policy is (or is no longer) part of */
	uint32_t index;
	bool begins;
};

struct sweep {
	struct edge *edge;
	size_t n, size;
	uint32_t *active;          /* indexes of policies, in order */
	uint32_t n_active;
};

static void sweep_add(struct sweep *s, uint32_t lo, uint32_t hi, uint32_t index) {
	if (s->n + 2 > s->size) {
		s->size = s->size ? s->size * 2 : 64;
		s->edge = xreallocarray(s->edge, s->size, sizeof(*s->edge));
	}
	s->edge[s->n++] = (struct edge){ lo, index, true };
	s->edge[s->n++] = (struct edge){ (uint64_t)hi + 1, index, false };
}

/*
 * Where many policies begin or end at one value, each comes and goes at the end of those that are
 * active: what ends first goes, the last first.
 */
static int edge_order(const void *a, const void *b) {
	const struct edge *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->begins != y->begins)
		return x->begins ? 1 : -1;
	if (!x->begins)
		return x->index > y->index ? -1 : x->index < y->index;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* How many active policies come before this one. */
static uint32_t sweep_rank(const struct sweep *s, uint32_t index) {
	uint32_t lo = 0, hi = s->n_active;

	while (lo < hi) {
		uint32_t middle = lo + (hi - lo) / 2;

		if (s->active[middle] < index)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static void sweep_step(struct sweep *s, const struct edge *e) {
	uint32_t i = sweep_rank(s, e->index);

	if (e->begins) {
		memmove(&s->active[i + 1], &s->active[i], (s->n_active - i) * sizeof(*s->active));
		s->active[i] = e->index;
		s->n_active++;
	} else {
		memmove(&s->active[i], &s->active[i + 1],
			(s->n_active - i - 1) * sizeof(*s->active));
		s->n_active--;
	}
}

static void map_add(const struct classify *k, struct set *map, uint64_t lo, uint64_t hi,
		    const char *leaf) {
	struct key key = KEY_INIT;
	struct elem *e;

	key_num(&key, map->field[0], (uint32_t)lo);
	e = set_add(k->rs, map, &key);
	e->last = map->flags & SET_INTERVAL ? (uint32_t)hi : 0;
	e->verdict = STMT_JUMP;
	e->chain = leaf;
}

/* Cut the values at all edges; each piece leads to the leaf of the policies that cover it. */
static void sweep_map(const struct classify *k, struct sweep *s, struct set *map,
		      enum leaf_mode mode, const struct policy *const *list, size_t n_list) {
	qsort(s->edge, s->n, sizeof(*s->edge), edge_order);
	s->active = xcalloc(n_list, sizeof(*s->active));
	for (size_t i = 0; i < s->n;) {
		uint64_t at = s->edge[i].at;

		for (; i < s->n && s->edge[i].at == at; i++)
			sweep_step(s, &s->edge[i]);
		if (i < s->n && s->n_active > 0)
			map_add(k, map, at, s->edge[i].at - 1,
				leaf_chain(k, mode, list, s->active, s->n_active));
	}
	free(s->active);
	free(s->edge);
}

static void look_up(struct chain *c, enum rule_field f, const char *map) {
	chain_rule(c);
	chain_lookup(c, STMT_VMAP, map, f, 0, 0, 0);
}

/* One map for each class of size of the ranges that side of the policies has. */
static void cut_by_address(const struct classify *k, enum leaf_mode mode,
			   const struct policy *const *list, size_t n) {
	static const uint64_t most[SIZE_CLASSES] = { 1, 256, 65536, WIDE };
	enum rule_field f = mode == LEAF_SRC ? FIELD_DADDR : FIELD_SADDR;
	uint64_t least = 0;

	for (int class = 0; class < SIZE_CLASSES; least = most[class++]) {
		struct sweep s = { .n = 0 };
		struct set *map;

		for (size_t i = 0; i < n; i++) {
			const struct ranges *r =
				mode == LEAF_SRC ? &list[i]->dst.match : &list[i]->src.match;

			for (uint32_t j = 0; j < r->n; j++) {
				uint64_t size = (uint64_t)r->r[j].hi - r->r[j].lo + 1;

				if (size > least && size <= most[class])
					sweep_add(&s, r->r[j].lo, r->r[j].hi, (uint32_t)i);
			}
		}
		if (s.n == 0)
			continue;
		map = ruleset_add_set(k->rs, ruleset_namef(k->rs, "%c%d%s", mode, class, k->id),
				      DATA_VERDICT, class == 0 ? 0 : SET_INTERVAL, f, 0, 0, 0);
		sweep_map(k, &s, map, mode, list, n);
		look_up(k->chain, f, map->name);
	}
}

static bool is_plain_port(const struct service_spec *s) {
	return s->kind == SERVICE_PORTS && s->src_lo == 0 && s->src_hi == UINT16_MAX &&
	       (s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP);
}

/* True when all services of a policy are ports of TCP and UDP. */
static bool has_plain_ports(const struct policy *p) {
	for (uint32_t i = 0; i < p->service.n; i++)
		if (!is_plain_port(&p->service.spec[i]))
			return false;
	return !p->service_negate;
}

static void cut_by_port(const struct classify *k, const struct policy *const *list, size_t n,
			uint8_t proto) {
	struct sweep s = { .n = 0 };
	struct set *map;

	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < list[i]->service.n; j++) {
			const struct service_spec *spec = &list[i]->service.spec[j];

			if (spec->proto == proto)
				sweep_add(&s, spec->dst_lo, spec->dst_hi, (uint32_t)i);
		}
	if (s.n == 0)
		return;
	map = ruleset_add_set(k->rs, ruleset_namef(k->rs, "p%u%s", proto, k->id), DATA_VERDICT,
			      SET_INTERVAL, FIELD_DPORT, 0, 0, 0);
	sweep_map(k, &s, map, LEAF_ADDRS, list, n);
	chain_rule(k->chain);
	chain_stmt(k->chain, MATCH_EQ, FIELD_L4PROTO, proto, 0, NULL);
	chain_lookup(k->chain, STMT_VMAP, map->name, FIELD_DPORT, 0, 0, 0);
}

/* ---- lists ---- */

static void add_linear(const struct classify *k, const struct policy *const *list, size_t n) {
	for (size_t i = 0; i < n; i++)
		add_policy(k, k->chain, list[i], LEAF_BOTH);
}

/* Policies that neither address narrows down. */
static void cut_wide(const struct classify *k, const struct policy *const *list, size_t n) {
	const struct policy **ports = xcalloc(n, sizeof(*ports)),
			    **rest = xcalloc(n, sizeof(*rest));
	size_t n_ports = 0, n_rest = 0;

	for (size_t i = 0; i < n; i++)
		if (n > LINEAR_MAX && has_plain_ports(list[i]))
			ports[n_ports++] = list[i];
		else
			rest[n_rest++] = list[i];
	cut_by_port(k, ports, n_ports, IPPROTO_TCP);
	cut_by_port(k, ports, n_ports, IPPROTO_UDP);
	add_linear(k, rest, n_rest);
	free(ports);
	free(rest);
}

static void classify_cut(const struct classify *k, const struct policy *const *list, size_t n) {
	const struct policy **by_dst = xcalloc(n, sizeof(*by_dst)),
			    **by_src = xcalloc(n, sizeof(*by_src));
	const struct policy **wide = xcalloc(n, sizeof(*wide));
	size_t n_dst = 0, n_src = 0, n_wide = 0;

	for (size_t i = 0; i < n; i++)
		if (!k->ignore_dst && ranges_size(&list[i]->dst.match) <= WIDE)
			by_dst[n_dst++] = list[i];
		else if (ranges_size(&list[i]->src.match) <= WIDE)
			by_src[n_src++] = list[i];
		else
			wide[n_wide++] = list[i];
	cut_by_address(k, LEAF_SRC, by_dst, n_dst);
	cut_by_address(k, LEAF_DST, by_src, n_src);
	cut_wide(k, wide, n_wide);
	free(by_dst);
	free(by_src);
	free(wide);
}

static void classify_list(struct ruleset *rs, struct chain *c, const struct policy *const *list,
			  size_t n, uint32_t bit, bool ignore_dst) {
	struct classify k = {
		.rs = rs, .chain = c, .id = c->name, .bit = bit, .ignore_dst = ignore_dst
	};

	if (n <= LINEAR_MAX)
		add_linear(&k, list, n);
	else
		classify_cut(&k, list, n);
}

void classify_policies(struct ruleset *rs, struct chain *c, const struct policy *const *list,
		       size_t n, uint32_t bit) {
	classify_list(rs, c, list, n, bit, false);
}

void classify_sources(struct ruleset *rs, struct chain *c, const struct policy *const *list,
		      size_t n, uint32_t bit) {
	classify_list(rs, c, list, n, bit, true);
}
