/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of what each custom service matches, with its name. The closest is the one with the
 * fewest ports; a type of ICMP or a protocol without ports counts as one. The list is short (some
 * 150 in the factory's configuration), so it is simply walked.
 */
#include "backends/service_names.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define ALL_PORTS 65535u         /* 1 to 65535, as services that stand for all have it */

struct named {
	struct service_spec spec;
	char *name;
};

struct service_names {
	struct named *named;
	size_t n, size;
};

/* How many kinds of packets it stands for; 0: too many to be called by its name. */
static uint32_t width_of(const struct service_spec *s) {
	uint32_t ports = (uint32_t)s->dst_hi - s->dst_lo + 1;

	switch (s->kind) {
	case SERVICE_PORTS:
		return ports < ALL_PORTS ? ports : 0;
	case SERVICE_ICMP:
		return 1;
	case SERVICE_PROTO:
		return s->proto != IPPROTO_ICMP;
	default:
		return 0;
	}
}

static void add_spec(struct service_names *names, const struct service_spec *spec,
		     const char *name) {
	if (width_of(spec) == 0)
		return;
	if (names->n == names->size) {
		names->size = names->size ? names->size * 2 : 64;
		names->named = xreallocarray(names->named, names->size, sizeof(*names->named));
	}
	names->named[names->n++] = (struct named){ *spec, xstrdup(name) };
}

struct service_names *service_names_new(const struct model *model) {
	const struct schema_table *table = schema_table(TBL_FIREWALL_SERVICE_CUSTOM);
	struct service_names *names = xcalloc(1, sizeof(*names));

	for (const struct object *obj = model_first(model, table); obj;
	     obj = model_next(model, obj)) {
		struct services s = services_of(obj);

		for (uint32_t i = 0; i < s.n; i++)
			add_spec(names, &s.spec[i], obj->key);
		services_done(&s);
	}
	return names;
}

struct service_names *service_names_free(struct service_names *names) {
	if (!names)
		return NULL;
	for (size_t i = 0; i < names->n; i++)
		free(names->named[i].name);
	free(names->named);
	free(names);
	return NULL;
}

static const char *protocol_word(uint8_t proto) {
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_UDPLITE:
		return "udplite";
	default:
		return "sctp";
	}
}

void service_names_print(const struct service_names *names, const struct service_packet *p,
			 struct str *out) {
	const struct named *best = NULL;

	for (size_t i = 0; i < names->n; i++) {
		struct named *named = &names->named[i];
		const struct services alone = { .spec = &named->spec, .n = 1 };

		if ((!best || width_of(&named->spec) < width_of(&best->spec)) &&
		    services_match(&alone, p))
			best = named;
	}
	if (best)
		str_add(out, best->name);
	else if (service_has_ports(p->proto))
		str_addf(out, "%s/%u", protocol_word(p->proto), p->dport);
	else if (p->proto == IPPROTO_ICMP || p->proto == IPPROTO_ICMPV6)
		str_addf(out, "%s/%u/%u", p->proto == IPPROTO_ICMP ? "icmp" : "icmp6", p->icmp_type,
			 p->icmp_code);
	else
		str_addf(out, "proto/%u", p->proto);
}
