/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session gets with its first packet, once a policy has accepted it: timeouts of its own and
 * a helper. Both are objects of the kernel, set by a rule each in a chain of its own, and a map
 * leads there: from the policy if it says something, or else from protocol and port. Where nothing
 * is said, there is no chain and no packet is asked.
 *
 * A policy whose services say different things has a chain that tries them in the order in which it
 * names them. Objects are named after what they hold: equal ones are one, and a session may keep
 * one that is no longer needed for others (see nft.c).
 */
#include "backends/render_part.h"

#include <inttypes.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/classify.h"
#include "backends/helper.h"
#include "backends/ttl.h"
#include "schemas/schema_gen.h"

#define CHAIN_TIMEOUT_PORTS "timeout_ports"
#define CHAIN_HELPER_PORTS  "helper_ports"

/* ---- objects, and chains that set them ---- */

static void tcp_seconds(struct ct_object *o, const struct ttl_times *times) {
	static const uint8_t states[CT_SECONDS_MAX] = {
		[CT_TCP_SYN_SENT] = TCP_CONNTRACK_SYN_SENT,
		[CT_TCP_SYN_RECV] = TCP_CONNTRACK_SYN_RECV,
		[CT_TCP_ESTABLISHED] = TCP_CONNTRACK_ESTABLISHED,
		[CT_TCP_FIN_WAIT] = TCP_CONNTRACK_FIN_WAIT,
		[CT_TCP_CLOSE_WAIT] = TCP_CONNTRACK_CLOSE_WAIT,
		[CT_TCP_LAST_ACK] = TCP_CONNTRACK_LAST_ACK,
		[CT_TCP_TIME_WAIT] = TCP_CONNTRACK_TIME_WAIT,
		[CT_TCP_CLOSE] = TCP_CONNTRACK_CLOSE,
		[CT_TCP_SYN_SENT2] = TCP_CONNTRACK_SYN_SENT2,
		[CT_TCP_RETRANS] = TCP_CONNTRACK_ESTABLISHED,
		[CT_TCP_UNACK] = TCP_CONNTRACK_ESTABLISHED,
	};

	for (int i = 0; i < CT_SECONDS_MAX; i++)
		o->seconds[i] = ttl_kernel(ttl_tcp_state(times, states[i]));
}

/* The name of the object with these timers; made when first needed. */
static const char *timeout_object(struct ruleset *rs, const struct ttl_times *times, uint8_t proto,
				  const struct origin *origin) {
	struct ct_object o = { .kind = CT_TIMEOUT, .l4proto = proto, .origin = origin };
	const uint32_t *s = times->s;

	if (proto == IPPROTO_UDP) {
		o.name = ruleset_namef(rs, "u%" PRIu32, ttl_kernel(s[TTL_UDP]));
		o.seconds[CT_UDP_UNREPLIED] = o.seconds[CT_UDP_REPLIED] = ttl_kernel(s[TTL_UDP]);
	} else {
		o.name = ruleset_namef(rs,
				       "t%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32,
				       ttl_kernel(s[TTL_IDLE]), s[TTL_HALFOPEN], s[TTL_HALFCLOSE],
				       s[TTL_TIMEWAIT], s[TTL_RST]);
		tcp_seconds(&o, times);
	}
	if (!ruleset_object(rs, o.name))
		ruleset_add_object(rs, &o);
	return o.name;
}

static const char *helper_object(struct ruleset *rs, int helper, const struct origin *origin) {
	const struct helper *h = &helper_table[helper];
	struct ct_object o = { .name = ruleset_namef(rs, "%s.%u", h->name, h->proto),
			       .kind = CT_HELPER,
			       .l4proto = h->proto,
			       .helper = h->kernel,
			       .origin = origin };

	if (!ruleset_object(rs, o.name))
		ruleset_add_object(rs, &o);
	return o.name;
}

/* The chain that sets one object, for maps to go to. */
static const char *set_chain(struct ruleset *rs, enum stmt_op op, const char *object) {
	const char *name = ruleset_namef(rs, "o%s", object);
	struct chain *c = ruleset_chain(rs, name);

	if (c)
		return name;
	c = ruleset_add_chain(rs, name);
	chain_rule(c);
	chain_stmt(c, op, FIELD_NONE, 0, 0, object);
	return name;
}

/* The chain for sessions of a policy that has a time of its own, whatever their service. */
static const char *idle_chain(struct ruleset *rs, const struct ttl *ttl,
			      const struct ttl_policy *p) {
	const char *name = ruleset_namef(rs, "i%" PRIu32, ttl_kernel(p->idle));
	struct chain *c = ruleset_chain(rs, name);
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };

	if (c)
		return name;
	c = ruleset_add_chain(rs, name);
	c->origin = ruleset_origin(rs, p->obj);
	for (int i = 0; i < 2; i++) {
		struct ttl_times times = ttl_resolve(ttl, p, NULL, protos[i], 0);

		chain_rule(c);
		chain_stmt(c, STMT_TIMEOUT, FIELD_NONE, 0, 0,
			   timeout_object(rs, &times, protos[i], c->origin));
	}
	return name;
}

static void map_policy(struct ruleset *rs, struct set *map, uint32_t policy, const char *chain,
		       const struct origin *origin) {
	struct key k = KEY_INIT;
	struct elem *e;

	key_num(&k, FIELD_CT_MARK, policy);
	e = set_add(rs, map, &k);
	e->verdict = STMT_GOTO;
	e->chain = chain;
	e->origin = origin;
}

/* ---- policies whose services say something ---- */

/* The chain of a policy while its services are tried in turn. */
struct service_chain {
	struct ruleset *rs;
	struct chain *chain;
	const char *otherwise; /* chain for what no service says anything about, or NULL */
};

/* The end of a rule that decides. */
static void end_rule(const struct service_chain *k, enum stmt_op op, const char *object) {
	chain_stmt(k->chain, op, FIELD_NONE, 0, 0, object);
	chain_stmt(k->chain, STMT_RETURN, FIELD_NONE, 0, 0, NULL);
}

/* The end of a rule that leaves the session to what is said elsewhere. */
static void end_otherwise(const struct service_chain *k) {
	if (k->otherwise)
		chain_stmt(k->chain, STMT_GOTO, FIELD_NONE, 0, 0, k->otherwise);
	else
		chain_stmt(k->chain, STMT_RETURN, FIELD_NONE, 0, 0, NULL);
}

static bool may_be(const struct service_spec *s, uint8_t proto) {
	return s->kind == SERVICE_ANY || s->proto == proto;
}

/* Objects are for TCP and UDP: parts of services that hold neither need no rule. */
static bool concerns_objects(const struct service_spec *s) {
	return may_be(s, IPPROTO_TCP) || may_be(s, IPPROTO_UDP);
}

/*
 * A map from ports to the chains that set what `system session-ttl` says of them, for sessions of
 * which a policy and its service say the rest.
 */
static const char *port_map(struct ruleset *rs, const struct ttl *ttl, const struct ttl_policy *p,
			    const struct service_use *use, uint8_t proto, const char *name,
			    const struct origin *origin) {
	const struct ttl_ranges *ranges = proto == IPPROTO_UDP ? &ttl->udp : &ttl->tcp;
	struct set *map =
		ruleset_add_set(rs, name, DATA_VERDICT, SET_INTERVAL, FIELD_DPORT, 0, 0, 0);

	for (uint32_t i = 0; i < ranges->n; i++) {
		const struct ttl_range *r = &ranges->range[i];
		struct ttl_times times = ttl_resolve(ttl, p, use, proto, r->idle);
		struct key k = KEY_INIT;
		struct elem *e;

		key_num(&k, FIELD_DPORT, r->lo);
		e = set_add(rs, map, &k);
		e->last = r->hi;
		e->verdict = STMT_GOTO;
		e->chain = set_chain(rs, STMT_TIMEOUT, timeout_object(rs, &times, proto, origin));
		e->origin = origin;
	}
	return map->name;
}

/*
 * The chain for TCP sessions of which a service says other timers than session-ttl: that is looked
 * up by port. `object` is what they get where nothing is said of the port.
 */
static const char *tcp_port_chain(const struct service_chain *k, const struct ttl *ttl,
				  const struct ttl_policy *p, const struct service_use *use,
				  const char *object) {
	const char *name = ruleset_namef(k->rs, "q%s", object);
	struct chain *c = ruleset_chain(k->rs, name);

	if (c)
		return name;
	c = ruleset_add_chain(k->rs, name);
	c->origin = k->chain->origin;
	chain_rule(c);
	chain_lookup(c, STMT_VMAP, port_map(k->rs, ttl, p, use, IPPROTO_TCP, name, c->origin),
		     FIELD_DPORT, 0, 0, 0);
	chain_rule(c);
	chain_stmt(c, STMT_TIMEOUT, FIELD_NONE, 0, 0, object);
	return name;
}

/* The end of a rule for sessions of which a service says something. */
static void end_timed(const struct service_chain *k, const struct ttl *ttl,
		      const struct ttl_policy *p, const struct service_use *use, uint8_t proto) {
	struct ttl_times times = ttl_resolve(ttl, p, use, proto, 0);
	const char *object = timeout_object(k->rs, &times, proto, k->chain->origin);
	bool by_port = proto == IPPROTO_TCP && !p->idle && ttl->tcp.n > 0 &&
		       ttl_of_use(p, use, proto)->s[TTL_IDLE] == 0;

	if (by_port)
		chain_stmt(k->chain, STMT_GOTO, FIELD_NONE, 0, 0,
			   tcp_port_chain(k, ttl, p, use, object));
	else
		end_rule(k, STMT_TIMEOUT, object);
}

static void time_service(const struct service_chain *k, const struct ttl *ttl,
			 const struct ttl_policy *p, const struct service_use *use) {
	for (uint32_t i = 0; i < use->specs.n; i++) {
		const struct service_spec *spec = &use->specs.spec[i];

		if (!concerns_objects(spec))
			continue;
		chain_rule(k->chain);
		classify_match_service(k->chain, spec);
		if (spec->kind == SERVICE_PORTS &&
		    ttl_says(ttl_of_use(p, use, spec->proto), spec->proto))
			end_timed(k, ttl, p, use, spec->proto);
		else
			end_otherwise(k);
	}
}

/* The word of an option attribute, or "". */
static const char *option_word(const struct object *obj, unsigned int attr) {
	const struct value *v = object_value(obj, attr);

	return v ? obj->table->attrs[attr].options[value_item(v, 0)->num].name : "";
}

static void help_service(const struct service_chain *k, uint32_t set,
			 const struct service_use *use) {
	const char *name = option_word(use->obj, FIREWALL_SERVICE_CUSTOM__HELPER);
	bool by_port = strcmp(name, "auto") == 0;

	for (uint32_t i = 0; i < use->specs.n; i++) {
		const struct service_spec *spec = &use->specs.spec[i];
		int helper = by_port ? -1 : helper_find(set, name, spec->proto);

		if (!concerns_objects(spec))
			continue;
		chain_rule(k->chain);
		classify_match_service(k->chain, spec);
		if (helper >= 0)
			end_rule(k, STMT_HELPER, helper_object(k->rs, helper, k->chain->origin));
		else if (by_port)
			end_otherwise(k);
		else
			chain_stmt(k->chain, STMT_RETURN, FIELD_NONE, 0, 0, NULL);
	}
}

static struct service_chain service_chain(struct ruleset *rs, char prefix, uint32_t policy,
					  const struct object *obj, const char *otherwise) {
	struct service_chain k = {
		rs, ruleset_add_chain(rs, ruleset_namef(rs, "%c%" PRIu32, prefix, policy)),
		otherwise
	};

	k.chain->origin = ruleset_origin(rs, obj);
	return k;
}

static void service_chain_end(const struct service_chain *k) {
	if (!k->otherwise)
		return;
	chain_rule(k->chain);
	end_otherwise(k);
}

/* ---- timeouts ---- */

static void look_up_port(struct ruleset *rs, struct chain *c, const struct ttl *ttl, uint8_t proto,
			 const struct origin *origin) {
	const char *name = ruleset_namef(rs, "timeouts.%u", proto);

	if ((proto == IPPROTO_UDP ? ttl->udp.n : ttl->tcp.n) == 0)
		return;
	chain_rule(c);
	chain_stmt(c, MATCH_EQ, FIELD_L4PROTO, proto, 0, NULL);
	chain_lookup(c, STMT_VMAP, port_map(rs, ttl, NULL, NULL, proto, name, origin), FIELD_DPORT,
		     0, 0, 0);
}

static const char *time_policy(struct ruleset *rs, const struct ttl *ttl,
			       const struct ttl_policy *p, const char *ports) {
	const char *otherwise = p->idle ? idle_chain(rs, ttl, p) : ports;
	struct service_chain k;

	if (p->uses.n == 0)
		return otherwise;
	k = service_chain(rs, 'k', p->id, p->obj, otherwise);
	for (uint32_t i = 0; i < p->uses.n; i++)
		time_service(&k, ttl, p, &p->uses.use[i]);
	service_chain_end(&k);
	return k.chain->name;
}

static void map_timed_policies(struct ruleset *rs, struct chain *c, const struct ttl *ttl,
			       const char *ports) {
	struct set *map;

	if (ttl->n == 0)
		return;
	map = ruleset_add_set(rs, "timeout_policies", DATA_VERDICT, 0, FIELD_CT_MARK, 0, 0, 0);
	for (size_t i = 0; i < ttl->n; i++)
		map_policy(rs, map, ttl->policy[i].id, time_policy(rs, ttl, &ttl->policy[i], ports),
			   ruleset_origin(rs, ttl->policy[i].obj));
	chain_rule(c);
	chain_lookup(c, STMT_VMAP, map->name, FIELD_CT_MARK, 0, 0, 0);
}

bool render_timeouts(struct ruleset *rs, const struct model *model) {
	const struct object *said = model_object(model, schema_table(TBL_SYSTEM_SESSION_TTL));
	struct ttl *ttl = ttl_new(model);
	bool ports = ttl->tcp.n + ttl->udp.n > 0, any = ports || ttl->n > 0;
	struct chain *c, *by_port;

	if (any) {
		c = ruleset_add_chain(rs, RENDER_CHAIN_TIMEOUTS);
		map_timed_policies(rs, c, ttl, ports ? CHAIN_TIMEOUT_PORTS : NULL);
	}
	if (ports) {
		by_port = ruleset_add_chain(rs, CHAIN_TIMEOUT_PORTS);
		look_up_port(rs, by_port, ttl, IPPROTO_TCP, ruleset_origin(rs, said));
		look_up_port(rs, by_port, ttl, IPPROTO_UDP, ruleset_origin(rs, said));
		chain_rule(c);
		chain_stmt(c, STMT_GOTO, FIELD_NONE, 0, 0, by_port->name);
	}
	ttl_free(ttl);
	return any;
}

/* ---- helpers ---- */

static bool picks_helper(const struct object *custom) {
	return !object_is(custom, FIREWALL_SERVICE_CUSTOM__HELPER, "auto");
}

/* Protocols and ports of `system session-helper`; false when no helper is left to look for. */
static bool map_helper_ports(struct ruleset *rs, const struct model *model, uint32_t set) {
	const struct schema_table *table = schema_table(TBL_SYSTEM_SESSION_HELPER);
	struct set *map = NULL;
	struct chain *c;

	for (const struct object *obj = model_first(model, table); obj;
	     obj = model_next(model, obj)) {
		uint8_t proto = (uint8_t)object_num(obj, SYSTEM_SESSION_HELPER__PROTOCOL);
		int helper = helper_find(set, option_word(obj, SYSTEM_SESSION_HELPER__NAME), proto);
		struct key k = KEY_INIT;
		struct elem *e;

		if (helper < 0)
			continue;
		if (!map)
			map = ruleset_add_set(rs, CHAIN_HELPER_PORTS, DATA_VERDICT, 0,
					      FIELD_L4PROTO, FIELD_DPORT, 0, 0);
		key_num(&k, FIELD_L4PROTO, proto);
		key_num(&k, FIELD_DPORT, (uint32_t)object_num(obj, SYSTEM_SESSION_HELPER__PORT));
		e = set_add(rs, map, &k);
		e->origin = ruleset_origin(rs, obj);
		e->verdict = STMT_GOTO;
		e->chain = set_chain(rs, STMT_HELPER, helper_object(rs, helper, e->origin));
	}
	if (!map)
		return false;
	c = ruleset_add_chain(rs, CHAIN_HELPER_PORTS);
	chain_rule(c);
	chain_lookup(c, STMT_VMAP, map->name, FIELD_L4PROTO, FIELD_DPORT, 0, 0);
	return true;
}

static void help_policy(struct ruleset *rs, struct set *map, const struct policy *p, uint32_t set,
			const struct service_uses *uses, const char *ports) {
	struct service_chain k = service_chain(rs, 'h', p->id, p->obj, ports);

	for (uint32_t i = 0; i < uses->n; i++)
		help_service(&k, set, &uses->use[i]);
	service_chain_end(&k);
	map_policy(rs, map, p->id, k.chain->name, ruleset_origin(rs, p->obj));
}

static struct set *map_helped_policies(struct ruleset *rs, const struct policies *ps,
				       const struct model *model, uint32_t set, const char *ports) {
	struct set *map = NULL;

	for (size_t i = 0; i < ps->n; i++) {
		const struct policy *p = &ps->policy[i];
		struct service_uses uses = { .n = 0 };

		if (p->accept && !p->service_negate)
			uses = service_uses_resolve(model, p->obj, FIREWALL_POLICY__SERVICE,
						    picks_helper);
		if (uses.n == 0)
			continue;
		if (!map)
			map = ruleset_add_set(rs, "helper_policies", DATA_VERDICT, 0, FIELD_CT_MARK,
					      0, 0, 0);
		help_policy(rs, map, p, set, &uses, ports);
		service_uses_done(&uses);
	}
	return map;
}

bool render_helpers(struct ruleset *rs, const struct policies *ps, const struct model *model,
		    uint32_t set) {
	const char *ports = map_helper_ports(rs, model, set) ? CHAIN_HELPER_PORTS : NULL;
	struct set *map = NULL;
	struct chain *c;

	if (service_any(model, picks_helper))
		map = map_helped_policies(rs, ps, model, set, ports);

	if (!ports && !map)
		return false;
	c = ruleset_add_chain(rs, RENDER_CHAIN_HELPERS);
	if (map) {
		chain_rule(c);
		chain_lookup(c, STMT_VMAP, map->name, FIELD_CT_MARK, 0, 0, 0);
	}
	if (ports) {
		chain_rule(c);
		chain_stmt(c, STMT_GOTO, FIELD_NONE, 0, 0, ports);
	}
	return true;
}
