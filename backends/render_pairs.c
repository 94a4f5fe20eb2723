/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * New sessions, by the interfaces they come in and leave by. Policies name interfaces, zones and
 * `any`; for each pair of names that some policy has there is a chain of its policies, shared by
 * all pairs that have the same, and maps lead a packet to the chains of all pairs it fits: of both
 * interfaces, of one and `any`, of `any` and `any`. Because chains only ever improve the result
 * (see classify.h), the order of visits is free.
 *
 * Sessions of virtual IPs go another way: to the chain of their virtual IP, which holds the
 * policies that name it, and to pairs of those policies that deny such sessions as well.
 */
#include "backends/render_part.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/classify.h"
#include "backends/render.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

/* An interface or zone as policies name it; "" is any. */
struct side {
	const char *name;
	uint32_t id;               /* 0: any */
	const struct object *zone; /* or NULL */
};

struct sides {
	struct side *side;
	size_t n;
};

/* A policy under one pair of sides. */
struct entry {
	const struct side *in, *out;
	const struct policy *policy;
};

struct entries {
	struct entry *entry;
	size_t n, size;
};

struct pairs {
	struct ruleset *rs;
	const struct model *model;
	struct sides sides;
	char prefix;               /* of chain names */
	uint32_t bit;
};

/* ---- sides ---- */

static void collect_sides(struct names *names, const struct object *obj, unsigned int attr) {
	const struct value *v = object_value(obj, attr);

	for (uint32_t i = 0; v && i < v->n; i++)
		if (!model_builtin(&obj->table->attrs[attr], value_item(v, i)->str))
			names_add(names, value_item(v, i)->str);
}

static uint32_t name_hash(const char *s) {
	uint32_t h = 2166136261u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h ? h : 1;
}

static bool id_taken(const struct sides *sides, uint32_t id) {
	for (size_t i = 0; i < sides->n; i++)
		if (sides->side[i].id == id)
			return true;
	return false;
}

static struct sides sides_new(const struct model *model, const struct policies *ps) {
	struct names names = { NULL, 0 };
	struct sides sides = { .n = 0 };

	for (size_t i = 0; i < ps->n; i++) {
		collect_sides(&names, ps->policy[i].obj, FIREWALL_POLICY__SRCINTF);
		collect_sides(&names, ps->policy[i].obj, FIREWALL_POLICY__DSTINTF);
	}
	names_sort(&names);
	sides.side = xcalloc(names.n + 1, sizeof(*sides.side));
	sides.side[sides.n++] = (struct side){ .name = "" };
	for (size_t i = 0; i < names.n; i++) {
		uint32_t id = name_hash(names.name[i]);

		while (id_taken(&sides, id))
			id++;
		sides.side[sides.n++] =
			(struct side){ names.name[i], id,
				       model_find(model, schema_table(TBL_SYSTEM_ZONE),
						  names.name[i]) };
	}
	names_done(&names);
	return sides;
}

static int side_order(const void *a, const void *b) {
	const struct side *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* The i-th side that an attribute names. */
static const struct side *side_of(const struct pairs *p, const struct object *obj,
				  unsigned int attr, uint32_t i) {
	struct side probe = { .name = value_item(object_value(obj, attr), i)->str };

	if (model_builtin(&obj->table->attrs[attr], probe.name))
		return &p->sides.side[0];
	return bsearch(&probe, p->sides.side, p->sides.n, sizeof(probe), side_order);
}

/* Interfaces of a side: itself, or the members of the zone. */
static struct names side_members(const struct side *s) {
	const struct value *v = s->zone ? object_value(s->zone, SYSTEM_ZONE__INTERFACE) : NULL;
	struct names names = { NULL, 0 };

	if (!s->zone)
		names_add(&names, s->name);
	for (uint32_t i = 0; v && i < v->n; i++)
		names_add(&names, value_item(v, i)->str);
	names_sort(&names);
	return names;
}

/* ---- policies by pair ---- */

static void entries_add(struct entries *es, struct entry e) {
	if (es->n == es->size) {
		es->size = es->size ? es->size * 2 : 256;
		es->entry = xreallocarray(es->entry, es->size, sizeof(*es->entry));
	}
	es->entry[es->n++] = e;
}

static void add_pairs(const struct pairs *p, struct entries *es, const struct policy *policy) {
	uint32_t n_in = object_count(policy->obj, FIREWALL_POLICY__SRCINTF);
	uint32_t n_out = object_count(policy->obj, FIREWALL_POLICY__DSTINTF);

	for (uint32_t i = 0; i < n_in; i++)
		for (uint32_t j = 0; j < n_out; j++)
			entries_add(es,
				    (struct entry){
					    side_of(p, policy->obj, FIREWALL_POLICY__SRCINTF, i),
					    side_of(p, policy->obj, FIREWALL_POLICY__DSTINTF, j),
					    policy });
}

static int entry_order(const void *a, const void *b) {
	const struct entry *x = a, *y = b;

	if (x->in != y->in)
		return x->in < y->in ? -1 : 1;
	if (x->out != y->out)
		return x->out < y->out ? -1 : 1;
	return x->policy < y->policy ? -1 : x->policy > y->policy;
}

/* Sorted by pair, then by order of policies; a policy that names a side twice is there once. */
static void entries_sort(struct entries *es) {
	size_t n = 0;

	if (es->n)
		qsort(es->entry, es->n, sizeof(*es->entry), entry_order);
	for (size_t i = 0; i < es->n; i++)
		if (n == 0 || entry_order(&es->entry[n - 1], &es->entry[i]) != 0)
			es->entry[n++] = es->entry[i];
	es->n = n;
}

/* The policies of one pair: entries from begin to before end. */
struct run {
	size_t begin, end;
};

static struct run run_at(const struct entries *es, size_t begin) {
	struct run r = { begin, begin + 1 };

	while (r.end < es->n && es->entry[r.end].in == es->entry[begin].in &&
	       es->entry[r.end].out == es->entry[begin].out)
		r.end++;
	return r;
}

static const struct policy **run_policies(const struct entries *es, struct run r) {
	const struct policy **list = xcalloc(r.end - r.begin, sizeof(*list));

	for (size_t i = r.begin; i < r.end; i++)
		list[i - r.begin] = es->entry[i].policy;
	return list;
}

static int run_compare(const struct entries *es, struct run x, struct run y) {
	for (; x.begin < x.end && y.begin < y.end; x.begin++, y.begin++) {
		const struct policy *a = es->entry[x.begin].policy, *b = es->entry[y.begin].policy;

		if (a != b)
			return a < b ? -1 : 1;
	}
	return (x.begin < x.end) - (y.begin < y.end);
}

/* Pairs with the same policies become neighbours, in their order. */
static int run_order(const void *a, const void *b, void *es) {
	const struct run *x = a, *y = b;
	int order = run_compare(es, *x, *y);

	return order ? order : (x->begin > y->begin) - (x->begin < y->begin);
}

/* All runs of sorted entries; the caller frees them. */
static struct run *runs_new(struct entries *es, size_t *n) {
	struct run *runs = xcalloc(es->n, sizeof(*runs));

	*n = 0;
	for (size_t i = 0; i < es->n; i = runs[*n - 1].end)
		runs[(*n)++] = run_at(es, i);
	return runs;
}

/* ---- maps from interfaces to chains ---- */

/* One element of a map before it is known whether several chains share its key. */
struct way {
	struct key key;
	const char *chain;
	const struct origin *origin;
};

struct ways {
	struct way *way;
	size_t n, size;
};

static void ways_add(struct ways *ws, const char *in, const char *out, const char *chain) {
	struct way *w;

	if (ws->n == ws->size) {
		ws->size = ws->size ? ws->size * 2 : 64;
		ws->way = xreallocarray(ws->way, ws->size, sizeof(*ws->way));
	}
	w = &ws->way[ws->n++];
	*w = (struct way){ .chain = chain };
	if (in)
		key_ifname(&w->key, in);
	if (out)
		key_ifname(&w->key, out);
}

static int way_order(const void *a, const void *b) {
	const struct way *x = a, *y = b;
	int order = memcmp(x->key.bytes, y->key.bytes, RULESET_KEY_MAX);

	return order ? order : strcmp(x->chain, y->chain);
}

/* In order, each once: pairs that share a chain may share a key, too. */
static void ways_sort(struct ways *ws) {
	size_t n = 0;

	qsort(ws->way, ws->n, sizeof(*ws->way), way_order);
	for (size_t i = 0; i < ws->n; i++)
		if (n == 0 || way_order(&ws->way[n - 1], &ws->way[i]) != 0)
			ws->way[n++] = ws->way[i];
	ws->n = n;
}

/* A chain that visits n chains in turn; equal ones are shared. */
static const char *visit_chain(struct ruleset *rs, const struct way *w, size_t n) {
	uint64_t h = 14695981039346656037u;
	const char *name;
	struct chain *c;

	if (n == 1)
		return w->chain;
	for (size_t i = 0; i < n; i++)
		for (const char *s = w[i].chain; *s; s++)
			h = (h ^ (unsigned char)*s) * 1099511628211u;
	name = ruleset_namef(rs, "j%016" PRIx64, h);
	if (ruleset_chain(rs, name))
		return name;
	c = ruleset_add_chain(rs, name);
	for (size_t i = 0; i < n; i++) {
		chain_rule(c);
		chain_stmt(c, STMT_JUMP, FIELD_NONE, 0, 0, w[i].chain);
	}
	return name;
}

static void ways_map(struct ruleset *rs, struct chain *entry, struct ways *ws, const char *name,
		     enum rule_field f1, enum rule_field f2) {
	struct set *map;

	if (ws->n == 0)
		return;
	map = ruleset_add_set(rs, name, DATA_VERDICT, 0, f1, f2, 0, 0);
	ways_sort(ws);
	for (size_t i = 0, n; i < ws->n; i += n) {
		struct elem *e;

		for (n = 1; i + n < ws->n; n++)
			if (memcmp(ws->way[i].key.bytes, ws->way[i + n].key.bytes,
				   RULESET_KEY_MAX) != 0)
				break;
		e = set_add(rs, map, &ws->way[i].key);
		e->verdict = STMT_JUMP;
		e->chain = visit_chain(rs, &ws->way[i], n);
	}
	free(ws->way);
	chain_rule(entry);
	chain_lookup(entry, STMT_VMAP, map->name, f1, f2, 0, 0);
}

static void pair_ways(const struct side *in, const struct side *out, const char *chain,
		      struct ways *both, struct ways *only_in, struct ways *only_out) {
	struct names ins = side_members(in), outs = side_members(out);

	if (in->id == 0)
		for (size_t j = 0; j < outs.n; j++)
			ways_add(only_out, NULL, outs.name[j], chain);
	else
		for (size_t i = 0; i < ins.n; i++) {
			if (out->id == 0)
				ways_add(only_in, ins.name[i], NULL, chain);
			for (size_t j = 0; out->id != 0 && j < outs.n; j++)
				ways_add(both, ins.name[i], outs.name[j], chain);
		}
	names_done(&ins);
	names_done(&outs);
}

/* The chain of a pair; those that share it call it by the name of the first. */
static const char *build_chain(const struct pairs *p, const struct entries *es, struct run r) {
	const struct entry *e = &es->entry[r.begin];
	const struct policy **list = run_policies(es, r);
	struct chain *c = ruleset_add_chain(
		p->rs, ruleset_namef(p->rs, "%c%08" PRIx32 "_%08" PRIx32, p->prefix, e->in->id,
				     e->out->id));

	classify_policies(p->rs, c, list, r.end - r.begin, p->bit);
	free(list);
	return c->name;
}

/* The chains of all pairs, and the rules of `entry` that lead there. */
static void build_pairs(const struct pairs *p, struct chain *entry, struct entries *es) {
	struct ways both = { 0 }, only_in = { 0 }, only_out = { 0 };
	const char *any = NULL, *chain = NULL;
	struct run *runs;
	size_t n;

	entries_sort(es);
	runs = runs_new(es, &n);
	if (n)
		qsort_r(runs, n, sizeof(*runs), run_order, es);
	for (size_t i = 0; i < n; i++) {
		const struct entry *e = &es->entry[runs[i].begin];

		if (i == 0 || run_compare(es, runs[i - 1], runs[i]) != 0)
			chain = build_chain(p, es, runs[i]);
		if (e->in->id == 0 && e->out->id == 0)
			any = chain;
		else
			pair_ways(e->in, e->out, chain, &both, &only_in, &only_out);
	}
	free(runs);
	ways_map(p->rs, entry, &both, ruleset_namef(p->rs, "%cpairs", p->prefix), FIELD_IIFNAME,
		 FIELD_OIFNAME);
	ways_map(p->rs, entry, &only_in, ruleset_namef(p->rs, "%cfrom", p->prefix), FIELD_IIFNAME,
		 FIELD_NONE);
	ways_map(p->rs, entry, &only_out, ruleset_namef(p->rs, "%cto", p->prefix), FIELD_OIFNAME,
		 FIELD_NONE);
	if (any) {
		chain_rule(entry);
		chain_stmt(entry, STMT_JUMP, FIELD_NONE, 0, 0, any);
	}
	free(es->entry);
	*es = (struct entries){ 0 };
}

/* ---- sessions of virtual IPs ---- */

/* A set of the interfaces of a zone. */
static const char *zone_set(struct ruleset *rs, const struct side *s) {
	const char *name = ruleset_namef(rs, "z%08" PRIx32, s->id);
	struct names members;
	struct set *set;

	if (ruleset_set(rs, name))
		return name;
	set = ruleset_add_set(rs, name, DATA_NONE, 0, FIELD_IIFNAME, 0, 0, 0);
	members = side_members(s);
	for (size_t i = 0; i < members.n; i++) {
		struct key k = KEY_INIT;

		key_ifname(&k, members.name[i]);
		set_add(rs, set, &k)->origin = ruleset_origin(rs, s->zone);
	}
	names_done(&members);
	return name;
}

static void match_side(struct ruleset *rs, struct chain *c, const struct side *s,
		       enum rule_field f) {
	if (s->zone)
		chain_lookup(c, MATCH_SET, zone_set(rs, s), f, 0, 0, 0);
	else if (s->id != 0)
		chain_stmt(c, MATCH_EQ, f, 0, 0, ruleset_name(rs, s->name));
}

/* The chain that looks at source and service for these policies; equal lists share it. */
static const char *source_chain(struct ruleset *rs, const struct policy **list, size_t n) {
	uint64_t h = 14695981039346656037u;
	const char *name;
	struct chain *c;

	for (size_t i = 0; i < n; i++)
		h = (h ^ list[i]->id) * 1099511628211u;
	name = ruleset_namef(rs, "y%016" PRIx64, h);
	if (ruleset_chain(rs, name))
		return name;
	c = ruleset_add_chain(rs, name);
	classify_sources(rs, c, list, n, MARK_VIP);
	return name;
}

/* A policy that names a virtual IP. */
struct naming {
	const struct vip *vip;
	const struct policy *policy;
};

static int naming_order(const void *a, const void *b) {
	const struct naming *x = a, *y = b;

	if (x->vip != y->vip)
		return x->vip < y->vip ? -1 : 1;
	return x->policy < y->policy ? -1 : x->policy > y->policy;
}

/* The chain of one virtual IP: its policies, by pair. */
static const char *build_vip(const struct pairs *p, const struct naming *naming, size_t n) {
	struct chain *c =
		ruleset_add_chain(p->rs, ruleset_namef(p->rs, "x%08" PRIx32, naming->vip->mark));
	struct entries es = { 0 };

	c->origin = ruleset_origin(p->rs, naming->vip->obj);
	for (size_t i = 0; i < n; i++)
		add_pairs(p, &es, naming[i].policy);
	entries_sort(&es);
	for (struct run r = { 0 }; r.end < es.n;) {
		const struct policy **list;

		r = run_at(&es, r.end);
		list = run_policies(&es, r);
		chain_rule(c);
		match_side(p->rs, c, es.entry[r.begin].in, FIELD_IIFNAME);
		match_side(p->rs, c, es.entry[r.begin].out, FIELD_OIFNAME);
		chain_stmt(c, STMT_JUMP, FIELD_NONE, 0, 0,
			   source_chain(p->rs, list, r.end - r.begin));
		free(list);
	}
	free(es.entry);
	return c->name;
}

static struct naming *collect_namings(const struct policies *ps, size_t *n) {
	struct naming *list;
	size_t size = 0;

	for (size_t i = 0; i < ps->n; i++)
		size += ps->policy[i].off ? 0 : ps->policy[i].n_vips;
	list = xcalloc(size, sizeof(*list));
	*n = 0;
	for (size_t i = 0; i < ps->n; i++)
		for (uint32_t j = 0; !ps->policy[i].off && j < ps->policy[i].n_vips; j++)
			if (ps->policy[i].vip[j]->usable)
				list[(*n)++] =
					(struct naming){ ps->policy[i].vip[j], &ps->policy[i] };
	qsort(list, *n, sizeof(*list), naming_order);
	return list;
}

static void build_vips(const struct pairs *p, struct chain *entry, const struct policies *ps) {
	size_t n;
	struct naming *list = collect_namings(ps, &n);
	struct set *map =
		n ? ruleset_add_set(p->rs, "vip_policies", DATA_VERDICT, 0, FIELD_CT_MARK, 0, 0, 0)
		  : NULL;

	for (size_t i = 0, end; i < n; i = end) {
		struct key k = KEY_INIT;
		struct elem *e;

		for (end = i + 1; end < n && list[end].vip == list[i].vip;)
			end++;
		key_num(&k, FIELD_CT_MARK, list[i].vip->mark);
		e = set_add(p->rs, map, &k);
		e->verdict = STMT_JUMP;
		e->chain = build_vip(p, &list[i], end - i);
		e->origin = ruleset_origin(p->rs, list[i].vip->obj);
	}
	free(list);
	if (!map)
		return;
	chain_rule(entry);
	chain_lookup(entry, STMT_VMAP, map->name, FIELD_CT_MARK, 0, 0, 0);
}

/* ---- the bound ---- */

/* How many interfaces an attribute names, those of zones counted one by one. */
static size_t count_interfaces(const struct model *model, const struct object *obj,
			       unsigned int attr) {
	const struct value *v = object_value(obj, attr);
	size_t n = 0;

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *zone = model_find(model, schema_table(TBL_SYSTEM_ZONE),
						       value_item(v, i)->str);

		n += zone ? object_count(zone, SYSTEM_ZONE__INTERFACE) : 1;
	}
	return n;
}

int render_check(const struct model *model, struct err *err) {
	const struct schema_table *table = schema_table(TBL_FIREWALL_POLICY);
	const struct object *most = NULL;
	size_t sum = 0, max = 0;

	for (const struct object *obj = model_first(model, table); obj;
	     obj = model_next(model, obj)) {
		size_t pairs = count_interfaces(model, obj, FIREWALL_POLICY__SRCINTF) *
			       count_interfaces(model, obj, FIREWALL_POLICY__DSTINTF);

		if (pairs > max) {
			max = pairs;
			most = obj;
		}
		sum += pairs;
	}
	if (sum <= RENDER_PAIRS_MAX)
		return 0;
	return err_set(err, ERR_MAX_ENTRIES,
		       "Too many pairs of srcintf and dstintf: %zu in all policies, %zu of them in "
		       "policy %s. Maximum number of entries: %d; `any` is one\n"
		       "object check operator error, -4, discard the setting",
		       sum, max, most->key, RENDER_PAIRS_MAX);
}

void render_pairs(struct ruleset *rs, const struct model *model, const struct policies *ps) {
	struct pairs p = { .rs = rs, .model = model, .sides = sides_new(model, ps), .prefix = 'p' };
	struct chain *pairs = ruleset_add_chain(rs, "pairs"), *vip = ruleset_add_chain(rs, "vip");
	struct entries es = { 0 };

	for (size_t i = 0; i < ps->n; i++) {
		const struct policy *policy = &ps->policy[i];

		if (!policy->off && policy->dst.match.n > 0 && !policy->only_vip_sessions)
			add_pairs(&p, &es, policy);
	}
	build_pairs(&p, pairs, &es);
	p.prefix = 'd';
	p.bit = MARK_VIP;
	build_vips(&p, vip, ps);
	for (size_t i = 0; i < ps->n; i++) {
		const struct policy *policy = &ps->policy[i];

		if (!policy->off && policy->dst.match.n > 0 && policy->vip_sessions)
			add_pairs(&p, &es, policy);
	}
	build_pairs(&p, vip, &es);
	chain_rule(vip);
	chain_stmt(vip, STMT_GOTO, FIELD_NONE, 0, 0, RENDER_CHAIN_DECIDE);
	free(p.sides.side);
}
