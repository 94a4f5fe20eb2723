/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line a packet: who to whom, and of the upper protocol what fits. The forms are those of
 * FortiOS, blanks at the end of lines included; bytes are printed so that programs which make
 * capture files of such output can read them. What a packet lacks, because it ends early, is told
 * as `[|protocol]`.
 */
#include "backends/sniffer_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdio.h>

#include "cfgdb/base/mem.h"

/* What is left of a packet. */
struct rest {
	const uint8_t *p;
	size_t len;
};

static uint16_t get16(const uint8_t *p) {
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p) {
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static struct rest skip(struct rest r, size_t n) {
	return n < r.len ? (struct rest){ r.p + n, r.len - n } : (struct rest){ r.p + r.len, 0 };
}

static void add_addr(int family, const uint8_t *p, struct str *out) {
	char text[INET6_ADDRSTRLEN];

	str_add(out, inet_ntop(family, p, text, sizeof(text)) ? text : "?");
}

/* ---- above IP ---- */

static void print_tcp(struct rest r, struct str *out) {
	static const struct {
		uint8_t bit;
		const char *name;
	} flags[] = { { 0x02, "syn" }, { 0x01, "fin" }, { 0x04, "rst" }, { 0x08, "psh" } };

	if (r.len < 14) {
		str_add(out, "[|tcp]");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (r.p[13] & flags[i].bit) {
			str_addf(out, "%s %" PRIu32 " ", flags[i].name, get32(r.p + 4));
			break;
		}
	if (r.p[13] & 0x10)
		str_addf(out, "ack %" PRIu32 " ", get32(r.p + 8));
}

static void print_udp(struct rest r, struct str *out) {
	if (r.len < 6)
		str_add(out, "[|udp]");
	else
		str_addf(out, "udp %u", get16(r.p + 4) < 8 ? 0 : get16(r.p + 4) - 8u);
}

/* Of the packet that the message is about: where it was to go. */
static void print_unreachable(uint8_t code, struct rest inner, struct str *out) {
	size_t head = inner.len ? (inner.p[0] & 15u) * 4u : 0;
	struct str to AUTO_STR = STR_INIT;

	if (inner.len < 20 || head < 20) {
		str_addf(out, "type-3 code-%u", code);
		return;
	}
	add_addr(AF_INET, inner.p + 16, &to);
	if (code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH)
		str_addf(out, "%s %s unreachable", code == ICMP_NET_UNREACH ? "net" : "host",
			 str_text(&to));
	else if (code == ICMP_PROT_UNREACH)
		str_addf(out, "%s protocol %u unreachable", str_text(&to), inner.p[9]);
	else if (code == ICMP_PORT_UNREACH && inner.len >= head + 4)
		str_addf(out, "%s %s port %u unreachable", str_text(&to),
			 inner.p[9] == IPPROTO_TCP ? "tcp" : "udp", get16(inner.p + head + 2));
	else if (code == ICMP_FRAG_NEEDED)
		str_addf(out, "%s unreachable - need to frag", str_text(&to));
	else
		str_addf(out, "type-3 code-%u", code);
}

static void print_icmp(struct rest r, struct str *out) {
	str_add(out, "icmp: ");
	if (r.len < 2)
		str_add(out, "[|icmp]");
	else if (r.p[0] == ICMP_ECHO || r.p[0] == ICMP_ECHOREPLY)
		str_addf(out, "echo %s", r.p[0] == ICMP_ECHO ? "request" : "reply");
	else if (r.p[0] == ICMP_DEST_UNREACH)
		print_unreachable(r.p[1], skip(r, 8), out);
	else if (r.p[0] == ICMP_TIME_EXCEEDED)
		str_add(out, r.p[1] == 0 ? "time exceeded in-transit"
					 : "ip reassembly time exceeded");
	else
		str_addf(out, "type-%u code-%u", r.p[0], r.p[1]);
}

static void print_icmp6(struct rest r, struct str *out) {
	static const struct {
		uint8_t type;
		const char *name;
	} types[] = {
		{ ICMP6_ECHO_REQUEST, "echo request" },
		{ ICMP6_ECHO_REPLY, "echo reply" },
		{ ICMP6_DST_UNREACH, "destination unreachable" },
		{ ICMP6_PACKET_TOO_BIG, "packet too big" },
		{ ICMP6_TIME_EXCEEDED, "time exceeded in-transit" },
		{ ND_ROUTER_SOLICIT, "router solicitation" },
		{ ND_ROUTER_ADVERT, "router advertisement" },
		{ ND_NEIGHBOR_SOLICIT, "neighbor sol: who has " },
		{ ND_NEIGHBOR_ADVERT, "neighbor adv: tgt is " },
	};

	str_add(out, "icmp6: ");
	if (r.len < 2) {
		str_add(out, "[|icmp6]");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (types[i].type != r.p[0])
			continue;
		str_add(out, types[i].name);
		if (r.p[0] >= ND_NEIGHBOR_SOLICIT && r.len >= 24)
			add_addr(AF_INET6, r.p + 8, out);
		return;
	}
	str_addf(out, "type-%u code-%u", r.p[0], r.p[1]);
}

static void print_upper(uint8_t proto, struct rest r, size_t payload, struct str *out) {
	if (proto == IPPROTO_TCP)
		print_tcp(r, out);
	else if (proto == IPPROTO_UDP)
		print_udp(r, out);
	else if (proto == IPPROTO_ICMP)
		print_icmp(r, out);
	else if (proto == IPPROTO_ICMPV6)
		print_icmp6(r, out);
	else if (proto == IPPROTO_ESP && r.len >= 8)
		str_addf(out, "ESP(spi=0x%08" PRIx32 ",seq=0x%" PRIx32 ")", get32(r.p),
			 get32(r.p + 4));
	else
		str_addf(out, "ip-proto-%u %zu", proto, payload);
}

static bool has_ports(uint8_t proto) {
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_UDPLITE;
}

/* ---- IP and ARP ---- */

static void print_ends(int family, const uint8_t *src, const uint8_t *dst, struct rest r,
		       bool ports, struct str *out) {
	add_addr(family, src, out);
	if (ports)
		str_addf(out, ".%u", get16(r.p));
	str_add(out, " -> ");
	add_addr(family, dst, out);
	if (ports)
		str_addf(out, ".%u", get16(r.p + 2));
	str_add(out, ": ");
}

static void print_ipv4(struct rest r, struct str *out) {
	size_t head = r.len ? (r.p[0] & 15u) * 4u : 0, total;
	struct rest upper;
	uint16_t fragment;

	if (r.len < 20 || head < 20) {
		str_add(out, "[|ip]");
		return;
	}
	upper = skip(r, head);
	total = get16(r.p + 2);
	fragment = get16(r.p + 6);
	print_ends(AF_INET, r.p + 12, r.p + 16, upper,
		   has_ports(r.p[9]) && !(fragment & 0x1fff) && upper.len >= 4, out);
	if (fragment & 0x1fff)
		str_addf(out, "ip-proto-%u", r.p[9]);
	else
		print_upper(r.p[9], upper, total < head ? 0 : total - head, out);
	if (fragment & 0x3fff)
		str_addf(out, " (frag %u:%zu@%u%s)", get16(r.p + 4),
			 total < head ? 0 : total - head, (fragment & 0x1fffu) * 8u,
			 fragment & 0x2000 ? "+" : "");
}

static void print_ipv6(struct rest r, struct str *out) {
	struct rest upper = skip(r, 40);

	if (r.len < 40) {
		str_add(out, "[|ip6]");
		return;
	}
	print_ends(AF_INET6, r.p + 8, r.p + 24, upper, has_ports(r.p[6]) && upper.len >= 4, out);
	print_upper(r.p[6], upper, get16(r.p + 4), out);
}

static void print_arp(struct rest r, struct str *out) {
	str_add(out, "arp ");
	if (r.len < 28 || r.p[4] != 6 || r.p[5] != 4) {
		str_add(out, "[|arp]");
		return;
	}
	if (get16(r.p + 6) == 1) {
		str_add(out, "who-has ");
		add_addr(AF_INET, r.p + 24, out);
		str_add(out, " tell ");
		add_addr(AF_INET, r.p + 14, out);
	} else {
		str_add(out, "reply ");
		add_addr(AF_INET, r.p + 14, out);
		str_addf(out, " is-at %02x:%02x:%02x:%02x:%02x:%02x", r.p[8], r.p[9], r.p[10],
			 r.p[11], r.p[12], r.p[13]);
	}
}

/* ---- a packet ---- */

/* The line; returns where the network layer begins. */
static size_t print_frame(const struct sniffer_packet *p, struct str *out) {
	struct rest r = skip((struct rest){ p->frame, p->len }, SNIFFER_ETHER);
	uint16_t type = p->len >= SNIFFER_ETHER ? get16(p->frame + 12) : 0;

	if (type == ETHERTYPE_VLAN && r.len >= 4) {
		uint16_t tag = get16(r.p);

		str_addf(out, "802.1Q vlan#%u P%u ", tag & 0xfffu, tag >> 13);
		type = get16(r.p + 2);
		r = skip(r, 4);
	}
	if (type == ETHERTYPE_IP)
		print_ipv4(r, out);
	else if (type == ETHERTYPE_IPV6)
		print_ipv6(r, out);
	else if (type == ETHERTYPE_ARP)
		print_arp(r, out);
	else
		str_addf(out, "ether proto 0x%04x %zu", type, r.len);
	return p->len - r.len;
}

static void print_time(const struct timespec *when, const struct sniffer_form *form,
		       struct str *out) {
	long us = when->tv_nsec / 1000;
	time_t s = when->tv_sec;
	char text[64];
	struct tm tm;

	if (form->clock == SNIFFER_SINCE_START) {
		int64_t since = (int64_t)(s - form->start.tv_sec) * 1000000 + us -
				form->start.tv_nsec / 1000;

		if (since < 0)
			since = 0;
		str_addf(out, "%" PRId64 ".%06" PRId64 " ", since / 1000000, since % 1000000);
		return;
	}
	if (form->clock == SNIFFER_UTC)
		gmtime_r(&s, &tm);
	else
		localtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	str_addf(out, "%s.%06ld ", text, us);
}

static void print_bytes(const uint8_t *p, size_t len, struct str *out) {
	for (size_t at = 0; at < len; at += 16) {
		char hex[48] = "", text[17] = "";
		size_t n = 0;

		for (size_t i = 0; i < 16 && at + i < len; i++) {
			uint8_t c = p[at + i];

			n += (size_t)snprintf(hex + n, sizeof(hex) - n, "%s%02x", i % 2 ? "" : " ",
					      c);
			text[i] = (char)(c < 0x80 && isgraph(c) ? c : '.');
		}
		str_addf(out, "0x%04zx\t%-40s\t%s\n", at, hex, text);
	}
	str_add_char(out, '\n');
}

void sniffer_text(const struct sniffer_packet *p, const struct sniffer_form *form,
		  struct str *out) {
	static const char *const ways[] = { [SNIFFER_IN] = "in", [SNIFFER_OUT] = "out",
					    [SNIFFER_UNKNOWN] = "--" };
	unsigned int dump = (form->level - 1) % 3; /* 0: nothing, 1: from IP, 2: from Ethernet */
	size_t network;

	print_time(&p->when, form, out);
	if (form->level > 3)
		str_addf(out, "%s %s ", p->interface, ways[p->way]);
	network = print_frame(p, out);
	str_add_char(out, '\n');
	if (dump == 1)
		print_bytes(p->frame + network, p->len - network, out);
	else if (dump == 2)
		print_bytes(p->frame, p->len, out);
}
