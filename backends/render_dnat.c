/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Destination translation. A session of a virtual IP is found by what it was sent to: first by
 * interface, address, protocol and port, then by interface and address, each time those of one
 * interface before those of any. The map leads to the chain of the virtual IP, or to a chain that
 * tries those who share the place (by source, by range of ports) in the order of the table.
 *
 * The chain of a virtual IP leaves its id in ct mark, where the forward chain finds it.
 */
#include "backends/render_part.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "backends/classify.h"
#include "cfgdb/base/mem.h"

/* One place that a virtual IP is looked up by. */
struct place {
	struct key key;
	const struct vip *vip;
};

struct places {
	struct place *place;
	size_t n, size;
};

enum place_kind { PORT_INTERFACE, PORT_ANY, ADDR_INTERFACE, ADDR_ANY, PLACE_KINDS };

static void places_add(struct places *ps, const struct key *key, const struct vip *vip) {
	if (ps->n == ps->size) {
		ps->size = ps->size ? ps->size * 2 : 64;
		ps->place = xreallocarray(ps->place, ps->size, sizeof(*ps->place));
	}
	ps->place[ps->n++] = (struct place){ *key, vip };
}

static void add_vip_places(struct places *ps, const struct vip *v, const char *interface) {
	for (uint64_t addr = v->ext_lo; addr <= v->ext_hi; addr++) {
		struct key k = KEY_INIT;

		if (interface)
			key_ifname(&k, interface);
		key_num(&k, FIELD_DADDR, (uint32_t)addr);
		if (vip_is_port(v)) {
			key_num(&k, FIELD_L4PROTO, v->proto);
			key_num(&k, FIELD_DPORT, v->port_lo);
		}
		places_add(ps, &k, v);
	}
}

/* By key; those with one key stay in the order of the table. */
static int place_order(const void *a, const void *b) {
	const struct place *x = a, *y = b;
	int order = memcmp(x->key.bytes, y->key.bytes, RULESET_KEY_MAX);

	if (order == 0)
		order = x->vip->proto && !y->vip->proto	  ? -1
			: !x->vip->proto && y->vip->proto ? 1
							  : 0;
	if (order == 0)
		order = x->vip < y->vip ? -1 : x->vip > y->vip;
	return order;
}

/* ---- the chain of one virtual IP ---- */

/* A map from outside to inside, written out value by value. */
static const char *shift_map(struct ruleset *rs, const struct vip *v, bool addrs, bool ports) {
	enum rule_field first = addrs ? FIELD_DADDR : FIELD_DPORT;
	struct set *map = ruleset_add_set(rs, ruleset_namef(rs, "m%08" PRIx32, v->mark),
					  ports ? DATA_ADDR_PORT : DATA_ADDR, 0, first,
					  addrs && ports ? FIELD_DPORT : FIELD_NONE, 0, 0);

	for (uint64_t addr = v->ext_lo; addr <= v->ext_hi; addr++)
		for (uint32_t port = v->port_lo; port <= (ports ? v->port_hi : v->port_lo);
		     port++) {
			struct key k = KEY_INIT;
			struct elem *e;

			if (addrs)
				key_num(&k, FIELD_DADDR, (uint32_t)addr);
			if (ports)
				key_num(&k, FIELD_DPORT, port);
			e = set_add(rs, map, &k);
			e->a = v->mapped + (uint32_t)(addr - v->ext_lo);
			e->port = ports ? (uint16_t)(v->mapped_port + (port - v->port_lo)) : 0;
			e->origin = ruleset_origin(rs, v->obj);
		}
	return map->name;
}

static void translate(struct ruleset *rs, struct chain *c, const struct vip *v) {
	bool addrs = v->ext_hi != v->ext_lo, shift = vip_shifts_ports(v);
	bool ports = shift && (addrs || !vip_is_port(v));
	enum rule_field first = addrs ? FIELD_DADDR : FIELD_DPORT;
	struct stmt *s;

	if (!addrs && !ports) {
		chain_stmt(c, STMT_DNAT, FIELD_NONE, v->mapped, shift ? v->mapped_port : 0, NULL);
		return;
	}
	chain_lookup(c, STMT_DNAT_MAP, shift_map(rs, v, addrs, ports), first,
		     addrs && ports ? FIELD_DPORT : FIELD_NONE, 0, 0);
	s = &c->stmts[c->n_stmts - 1];
	s->b = ports;
}

static const char *vip_chain(struct ruleset *rs, const struct vip *v) {
	const char *name = ruleset_namef(rs, "v%08" PRIx32, v->mark);
	struct chain *c = ruleset_chain(rs, name);

	if (c)
		return name;
	c = ruleset_add_chain(rs, name);
	c->origin = ruleset_origin(rs, v->obj);
	chain_rule(c);
	if (v->proto)
		chain_stmt(c, MATCH_EQ, FIELD_L4PROTO, v->proto, 0, NULL);
	chain_stmt(c, STMT_MARK, FIELD_NONE, v->mark, 0, NULL);
	translate(rs, c, v);
	return name;
}

/* ---- places that several share ---- */

static void match_vip(struct ruleset *rs, struct chain *c, const struct vip *v,
		      const struct addr_match *src) {
	c->origin = ruleset_origin(rs, v->obj);
	chain_rule(c);
	if (v->proto)
		chain_stmt(c, MATCH_EQ, FIELD_L4PROTO, v->proto, 0, NULL);
	if (v->port_lo && !vip_is_port(v))
		chain_stmt(c, MATCH_RANGE, FIELD_DPORT, v->port_lo, v->port_hi, NULL);
	if (src)
		classify_match_addr(c, FIELD_SADDR, src);
	chain_stmt(c, STMT_JUMP, FIELD_NONE, 0, 0, vip_chain(rs, v));
}

static bool is_simple(const struct vip *v) {
	return v->sources.n == 0 && (v->proto == 0 || vip_is_port(v));
}

/* The chain for n virtual IPs at one place. */
static const char *place_chain(struct ruleset *rs, const struct place *p, size_t n) {
	uint64_t h = 14695981039346656037u;
	const char *name;
	struct chain *c;

	if (n == 1 && is_simple(p->vip))
		return vip_chain(rs, p->vip);
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i].vip->mark) * 1099511628211u;
	name = ruleset_namef(rs, "w%016" PRIx64, h);
	if (ruleset_chain(rs, name))
		return name;
	c = ruleset_add_chain(rs, name);
	for (size_t i = 0; i < n; i++) {
		struct addr_matches src =
			classify_ranges(rs, &p[i].vip->sources, ruleset_origin(rs, p[i].vip->obj));

		if (src.n == 0)
			match_vip(rs, c, p[i].vip, NULL);
		for (uint32_t j = 0; j < src.n; j++)
			match_vip(rs, c, p[i].vip, &src.m[j]);
	}
	return name;
}

static void fill_map(struct ruleset *rs, struct set *map, struct places *ps) {
	qsort(ps->place, ps->n, sizeof(*ps->place), place_order);
	for (size_t i = 0, n; i < ps->n; i += n) {
		struct elem *e;

		for (n = 1; i + n < ps->n; n++)
			if (memcmp(ps->place[i].key.bytes, ps->place[i + n].key.bytes,
				   RULESET_KEY_MAX) != 0)
				break;
		e = set_add(rs, map, &ps->place[i].key);
		e->verdict = STMT_JUMP;
		e->chain = place_chain(rs, &ps->place[i], n);
		e->origin = ruleset_origin(rs, ps->place[i].vip->obj);
	}
}

/* ---- the frame ---- */

static void collect_places(const struct vips *vips, struct places kinds[PLACE_KINDS]) {
	for (size_t i = 0; i < vips->n; i++) {
		const struct vip *v = &vips->vip[i];
		enum place_kind kind = vip_is_port(v) ? PORT_INTERFACE : ADDR_INTERFACE;

		if (!v->usable)
			continue;
		for (uint32_t j = 0; j < v->n_interfaces; j++)
			add_vip_places(&kinds[kind], v, v->interface[j]);
		if (v->any_interface)
			add_vip_places(&kinds[kind + 1], v, NULL);
	}
}

void render_dnat(struct ruleset *rs, const struct vips *vips) {
	static const struct {
		const char *name;
		enum rule_field f[RULESET_FIELDS_MAX];
	} maps[PLACE_KINDS] = {
		[PORT_INTERFACE] = { "vip_port_if",
				     { FIELD_IIFNAME, FIELD_DADDR, FIELD_L4PROTO, FIELD_DPORT } },
		[PORT_ANY] = { "vip_port", { FIELD_DADDR, FIELD_L4PROTO, FIELD_DPORT } },
		[ADDR_INTERFACE] = { "vip_addr_if", { FIELD_IIFNAME, FIELD_DADDR } },
		[ADDR_ANY] = { "vip_addr", { FIELD_DADDR } },
	};
	struct chain *c = ruleset_add_base(rs, "translate_in", CHAIN_NAT, HOOK_PREROUTING, -100);
	struct places kinds[PLACE_KINDS] = { 0 };

	collect_places(vips, kinds);
	for (int i = 0; i < PLACE_KINDS; i++) {
		const enum rule_field *f = maps[i].f;

		if (kinds[i].n == 0)
			continue;
		fill_map(rs,
			 ruleset_add_set(rs, maps[i].name, DATA_VERDICT, 0, f[0], f[1], f[2], f[3]),
			 &kinds[i]);
		free(kinds[i].place);
		chain_rule(c);
		if (i == PORT_ANY || i == ADDR_ANY)
			chain_lookup(c, MATCH_SET, "managed", FIELD_IIFNAME, 0, 0, 0);
		chain_lookup(c, STMT_VMAP, maps[i].name, f[0], f[1], f[2], f[3]);
	}
}
