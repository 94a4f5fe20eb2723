/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything lies in a few small networks, so that objects overlap, packets hit them, and policies
 * shadow each other in part. Every feature that decides about a match turns up: groups with
 * exclusions, negation, addresses that cannot be resolved, zones and `any`, source ports, virtual
 * IPs with and without ports, with source filters and shifted ranges. So does what says how long
 * sessions live, and which helpers they get.
 */
#include "tests/lib/random_policies.h"

#include <netinet/in.h>
#include <string.h>

#include "cfgdb/base/mem.h"

static const char *const interfaces[] = { "port1", "port2", "port3", "port4", "port5" };

unsigned int random_below(struct random_policies *r, unsigned int n) {
	r->state = r->state * 6364136223846793005u + 1442695040888963407u;
	return n ? (unsigned int)(r->state >> 33) % n : 0;
}

static bool one_in(struct random_policies *r, unsigned int n) {
	return random_below(r, n) == 0;
}

const char *random_interface(struct random_policies *r) {
	return interfaces[random_below(r, ARRAY_LEN(interfaces))];
}

static void add_ip(struct str *out, uint32_t addr) {
	str_addf(out, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255);
}

/* Mostly in 10.0.0.0/22, some far away. */
static uint32_t random_addr(struct random_policies *r) {
	uint32_t base = one_in(r, 8) ? 0xc0a80000 : 0x0a000000;

	return base + random_below(r, 1024);
}

static void add_address(struct random_policies *r, unsigned int i, struct str *out) {
	static const int prefixes[] = { 32, 32, 32, 30, 28, 26, 24, 23, 16, 8, 0 };
	uint32_t addr = random_addr(r);

	str_addf(out, "edit \"o%u\"\n", i);
	switch (random_below(r, 8)) {
	case 0:
	case 1:
		str_add(out, "set type iprange\nset start-ip ");
		add_ip(out, addr);
		str_add(out, "\nset end-ip ");
		add_ip(out, addr + random_below(r, 200));
		str_add(out, "\n");
		break;
	case 2:
		str_add(out, one_in(r, 2) ? "set type fqdn\nset fqdn \"example.com\"\n" :
					    "set type geography\nset country \"FR\"\n");
		break;
	default: {
		int prefix = prefixes[random_below(r, ARRAY_LEN(prefixes))];
		uint32_t mask = prefix ? UINT32_MAX << (32 - prefix) : 0;

		str_add(out, "set subnet ");
		add_ip(out, addr & mask);
		str_add(out, " ");
		add_ip(out, mask);
		str_add(out, "\n");
	}
	}
	str_add(out, "next\n");
}

/* Distinct members of a kind; groups only name groups with lower numbers. */
static void add_members(struct random_policies *r, unsigned int n, unsigned int n_groups,
			const char *object, const char *group, struct str *out) {
	unsigned int start = random_below(r, r->n_objects);

	for (unsigned int i = 0; i < n; i++)
		if (n_groups > 0 && i == 0 && one_in(r, 3))
			str_addf(out, " \"%s%u\"", group, random_below(r, n_groups));
		else
			str_addf(out, " \"%s%u\"", object,
				 (start + i * 7) %
					 (object[0] == 'o' ? r->n_objects : r->n_services));
}

static void add_group(struct random_policies *r, unsigned int i, struct str *out) {
	str_addf(out, "edit \"g%u\"\nset member", i);
	add_members(r, 1 + random_below(r, one_in(r, 4) ? 14 : 4), i, "o", "g", out);
	if (one_in(r, 3)) {
		str_add(out, "\nset exclude enable\nset exclude-member");
		add_members(r, 1 + random_below(r, 3), i, "o", "g", out);
	}
	str_add(out, "\nnext\n");
}

static void add_ports(struct random_policies *r, struct str *out) {
	unsigned int lo = 1 + random_below(r, 60),
		     hi = lo + (one_in(r, 2) ? random_below(r, 30) : 0);

	str_addf(out, " %u-%u", lo, hi);
	if (one_in(r, 6))
		str_addf(out, ":%u-%u", lo, lo + random_below(r, 40));
}

static void add_ttl(struct random_policies *r, const char *attr, struct str *out) {
	static const char *const times[] = { "300", "600", "7200", "never" };

	str_addf(out, "set %s %s\n", attr, times[random_below(r, ARRAY_LEN(times))]);
}

/* Timers and helper of a service. */
static void add_session_words(struct random_policies *r, struct str *out) {
	static const char *const timers[] = { "tcp-halfclose-timer", "tcp-halfopen-timer",
					      "tcp-timewait-timer", "tcp-rst-timer",
					      "udp-idle-timer" };
	static const char *const words[] = { "disable", "ftp", "sip", "rsh" };

	if (one_in(r, 4))
		add_ttl(r, "session-ttl", out);
	for (size_t i = 0; i < ARRAY_LEN(timers); i++)
		if (one_in(r, 8))
			str_addf(out, "set %s %u\n", timers[i], 20 + random_below(r, 2));
	if (one_in(r, 4))
		str_addf(out, "set helper %s\n", words[random_below(r, ARRAY_LEN(words))]);
}

static void add_service(struct random_policies *r, unsigned int i, struct str *out) {
	static const char *const attrs[] = { "tcp-portrange", "udp-portrange", "sctp-portrange",
					     "udplite-portrange" };

	str_addf(out, "edit \"s%u\"\n", i);
	switch (random_below(r, 8)) {
	case 0:
		str_add(out, "set protocol ICMP\n");
		if (one_in(r, 2))
			str_addf(out, "set icmptype %u\n", random_below(r, 4));
		if (one_in(r, 4))
			str_addf(out, "set icmpcode %u\n", random_below(r, 3));
		break;
	case 1:
		str_addf(out, "set protocol IP\nset protocol-number %u\n",
			 one_in(r, 3) ? 47 : one_in(r, 2) ? 6 : 0);
		break;
	case 2:
		str_add(out, one_in(r, 2) ? "set protocol ICMP6\n" :
					    "set tcp-portrange 1-65535\nset iprange 10.0.0.1\n");
		break;
	default:
		for (unsigned int j = 0; j < ARRAY_LEN(attrs); j++)
			if (j == 0 || one_in(r, 2 + j)) {
				str_addf(out, "set %s", attrs[j]);
				for (unsigned int k = 1 + random_below(r, 3); k > 0; k--)
					add_ports(r, out);
				str_add(out, "\n");
			}
		add_session_words(r, out);
	}
	str_add(out, "next\n");
}

/* Outside addresses are in 20.0.0.0/28, inside ones where the policies are. */
static void add_vip(struct random_policies *r, unsigned int i, struct str *out) {
	uint32_t ext = 0x14000000 + i, mapped = 0x0a000000 + random_below(r, 512);
	unsigned int port = 10 + random_below(r, 40), to = 1 + random_below(r, 60);
	unsigned int more = one_in(r, 3) ? 1 + random_below(r, 3) : 0;

	str_addf(out, "edit \"v%u\"\nset extip ", i);
	add_ip(out, ext);
	if (more)
		str_add(out, "-"), add_ip(out, ext + more);
	str_add(out, "\nset mappedip \"");
	add_ip(out, mapped);
	if (more)
		str_add(out, "-"), add_ip(out, mapped + more);
	str_addf(out, "\"\nset extintf \"%s\"\n", one_in(r, 3) ? "any" : random_interface(r));
	if (one_in(r, 4))
		str_add(out,
			"set src-filter \"10.0.0.0-10.0.0.255\" \"192.168.0.0-192.168.1.0\"\n");
	if (one_in(r, 8))
		str_add(out, "set status disable\n");
	if (!one_in(r, 3)) {
		unsigned int length = one_in(r, 2) ? random_below(r, 12) : 0;

		str_addf(out, "set portforward enable\nset protocol %s\nset extport %u-%u\n",
			 one_in(r, 2) ? "tcp" : "udp", port, port + length);
		if (one_in(r, 2))
			str_addf(out, "set mappedport %u-%u\n", to, to + length);
	}
	str_add(out, "next\n");
}

static void add_side(struct random_policies *r, const char *attr, struct str *out) {
	str_addf(out, "set %s", attr);
	switch (random_below(r, 6)) {
	case 0:
		str_add(out, " \"any\"");
		break;
	case 1:
		str_add(out, " \"z1\"");
		break;
	case 2:
		str_addf(out, " \"%s\" \"z2\"", random_interface(r));
		break;
	default:
		str_addf(out, " \"%s\"", interfaces[random_below(r, 2)]);
	}
	str_add(out, "\n");
}

static void add_addrs(struct random_policies *r, const char *attr, struct str *out) {
	unsigned int kind = random_below(r, 10);

	str_addf(out, "set %saddr", attr);
	if (kind < 3)
		str_add(out, " \"all\"");
	else
		add_members(r, 1 + random_below(r, one_in(r, 6) ? 12 : 3), r->n_groups, "o", "g",
			    out);
	if (attr[0] == 'd')
		for (unsigned int i = random_below(r, 3); r->n_vips && i > 0; i--)
			str_addf(out, " \"%s%u\"", one_in(r, 4) ? "vg" : "v",
				 random_below(r, one_in(r, 4) ? 1 : r->n_vips) % (r->n_vips));
	str_add(out, "\n");
	if (one_in(r, 8))
		str_addf(out, "set %saddr-negate enable\n", attr);
}

static void add_policy(struct random_policies *r, unsigned int id, struct str *out) {
	static const char *const schedules[] = { "always", "always", "always",
						 "always", "always", "none" };

	str_addf(out, "edit %u\n", id);
	if (one_in(r, 12))
		str_add(out, "set status disable\n");
	if (!one_in(r, 3)) {
		str_add(out, "set action accept\n");
		if (one_in(r, 6))
			add_ttl(r, "session-ttl", out);
	} else if (one_in(r, 3)) {
		str_add(out, "set match-vip disable\n");
	} else if (one_in(r, 4)) {
		str_add(out, "set match-vip-only enable\n");
	}
	add_side(r, "srcintf", out);
	add_side(r, "dstintf", out);
	add_addrs(r, "src", out);
	add_addrs(r, "dst", out);
	str_add(out, "set service");
	if (one_in(r, 3))
		str_add(out, " \"ALL\"");
	else
		add_members(r, 1 + random_below(r, 3), 2, "s", "sg", out);
	str_addf(out, "\nset schedule \"%s\"\n", schedules[random_below(r, ARRAY_LEN(schedules))]);
	if (one_in(r, 8))
		str_add(out, "set service-negate enable\n");
	if (one_in(r, 20))
		str_add(out, "set groups \"guests\"\n");
	str_add(out, "next\n");
}

static void add_all(struct random_policies *r, const char *path, unsigned int n,
		    void (*add)(struct random_policies *r, unsigned int i, struct str *out),
		    struct str *out) {
	str_addf(out, "config %s\n", path);
	for (unsigned int i = 0; i < n; i++)
		add(r, i, out);
	str_add(out, "end\n");
}

static void add_frame(struct random_policies *r, struct str *out) {
	str_add(out, "config system interface\n");
	for (size_t i = 0; i < ARRAY_LEN(interfaces); i++)
		str_addf(out, "edit \"%s\"\nset allowaccess ping ssh\nnext\n", interfaces[i]);
	str_addf(
		out,
		"end\nconfig system zone\nedit \"z1\"\nset interface \"port3\" \"port1\"\nset intrazone %s\n"
		"next\nedit \"z2\"\nset interface \"port4\" \"port5\"\nnext\nend\n",
		one_in(r, 4) ? "allow" : "deny");
}

/* Of half of the configurations: what `system` says about sessions. */
static void add_session_tables(struct random_policies *r, struct str *out) {
	static const char *const helpers[] = { "ftp", "tftp", "sip", "pptp", "h323", "rsh" };
	static const int protos[] = { 6, 6, 17, 0, 132 };

	if (one_in(r, 2))
		return;
	str_add(out, "config system session-helper\n");
	for (unsigned int i = 0; i < 12; i++)
		str_addf(out, "edit %u\nset name %s\nset protocol %d\nset port %u\nnext\n", i + 1,
			 helpers[random_below(r, ARRAY_LEN(helpers))], one_in(r, 2) ? 6 : 17,
			 1 + random_below(r, 60));
	str_add(out, "end\nconfig system session-ttl\nset default 1800\nconfig port\n");
	for (unsigned int i = random_below(r, 5); i > 0; i--) {
		unsigned int lo = random_below(r, 80), proto = random_below(r, ARRAY_LEN(protos));

		str_addf(out, "edit %u\nset protocol %d\n", i, protos[proto]);
		add_ttl(r, "timeout", out);
		if (protos[proto])
			str_addf(out, "set start-port %u\nset end-port %u\n", lo,
				 lo + random_below(r, 30));
		str_add(out, "next\n");
	}
	str_add(out, "end\nend\n");
}

void random_policies_text(struct random_policies *r, struct str *out) {
	add_frame(r, out);
	add_all(r, "firewall address", r->n_objects, add_address, out);
	add_all(r, "firewall addrgrp", r->n_groups, add_group, out);
	add_all(r, "firewall service custom", r->n_services, add_service, out);
	str_add(out, "config firewall service group\nedit \"sg0\"\nset member \"s0\" \"s1\"\nnext\n"
		"edit \"sg1\"\nset member \"s2\" \"sg0\"\nnext\nend\n");
	add_all(r, "firewall vip", r->n_vips, add_vip, out);
	str_add(out, "config firewall vipgrp\n");
	for (unsigned int i = 0; i < r->n_vips; i++)
		str_addf(out,
			 "edit \"vg%u\"\nset interface \"any\"\nset member \"v%u\" \"v%u\"\nnext\n",
			 i, i, (i + 1) % r->n_vips);
	str_add(out, "end\nconfig firewall policy\n");
	for (unsigned int i = 0; i < r->n_policies; i++)
		add_policy(r, i + 1, out);
	str_add(out, "end\n");
	add_session_tables(r, out);
}

struct lookup_packet random_packet(struct random_policies *r) {
	static const uint8_t protos[] = { IPPROTO_TCP,	   IPPROTO_TCP,	 IPPROTO_TCP,
					  IPPROTO_UDP,	   IPPROTO_UDP,	 IPPROTO_SCTP,
					  IPPROTO_UDPLITE, IPPROTO_ICMP, IPPROTO_GRE };
	struct lookup_packet p = {
		.in = interfaces[random_below(r, one_in(r, 2) ? 2 : 5)],
		.src = one_in(r, 20) ? random_below(r, UINT32_MAX) * 2 : random_addr(r),
		.dst = one_in(r, 2) ? 0x14000000 + random_below(r, r->n_vips + 3) : random_addr(r),
		.proto = protos[random_below(r, ARRAY_LEN(protos))],
		.sport = (uint16_t)(one_in(r, 3) ? 40000 : 1 + random_below(r, 90)),
		.dport = (uint16_t)(1 + random_below(r, 90)),
	};

	if (p.proto == IPPROTO_ICMP) {
		p.icmp_type = (uint8_t)random_below(r, 5);
		p.icmp_code = (uint8_t)random_below(r, 4);
	}
	if (p.proto == IPPROTO_ICMP || p.proto == IPPROTO_GRE)
		p.sport = p.dport = 0;
	return p;
}
