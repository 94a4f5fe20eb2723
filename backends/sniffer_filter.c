/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libpcap takes every word it does not know for the name of a host or network and looks it up while
 * it compiles, also what only resembles a number or an address. So only words pass that are known:
 * keywords, numbers and addresses in full, constants with a known beginning, and names of services
 * and protocols where those are expected (these come from files).
 */
#include "backends/sniffer_filter.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "cfgdb/base/mem.h"

static const char *const keywords[] = {
	"ah",	     "and",	  "arp",       "broadcast", "byte",	 "carp",      "dst",
	"esp",	     "ether",	  "geneve",    "greater",   "host",	 "icmp",      "icmp6",
	"icmp6code", "icmp6type", "icmpcode",  "icmptype",  "ifindex",	 "igmp",      "igrp",
	"inbound",   "ip",	  "ip6",       "len",	    "length",	 "less",      "link",
	"mask",	     "mpls",	  "multicast", "net",	    "not",	 "or",	      "outbound",
	"pim",	     "port",	  "portrange", "pppoed",    "pppoes",	 "proto",     "rarp",
	"sctp",	     "src",	  "stp",       "tcp",	    "tcpflags",	 "udp",	      "vlan",
	"vrrp",
};

static const char *const constants[] = { "icmp-", "icmp6-", "tcp-" };

struct word {
	const char *text;
	size_t len;
};

static bool word_is(struct word w, const char *text) {
	return strlen(text) == w.len && memcmp(w.text, text, w.len) == 0;
}

static bool is_inside(unsigned char c) {
	return isalnum(c) || strchr("._:-", c);
}

/* The next word, or one without length at the end. */
static struct word next_word(const char *p) {
	struct word w;

	while (*p && !isalnum((unsigned char)*p) && *p != ':' && *p != '_')
		p++;
	w = (struct word){ p, 0 };
	while (p[w.len] && is_inside((unsigned char)p[w.len]))
		w.len++;
	return w;
}

static size_t count_digits(const char *p, size_t len, int (*is_digit)(int c)) {
	size_t n = 0;

	while (n < len && is_digit((unsigned char)p[n]))
		n++;
	return n;
}

/* At most `most` numbers of digits of one kind with separators between them. */
static bool are_numbers(struct word w, int (*is_digit)(int c), char separator, unsigned int most) {
	for (unsigned int i = 1;; i++) {
		size_t n = count_digits(w.text, w.len, is_digit);

		if (n == 0 || i > most)
			return false;
		if (n == w.len)
			return true;
		if (w.text[n] != separator)
			return false;
		w = (struct word){ w.text + n + 1, w.len - n - 1 };
	}
}

static bool is_ipv6(struct word w) {
	char text[INET6_ADDRSTRLEN];
	struct in6_addr addr;

	if (w.len >= sizeof(text))
		return false;
	memcpy(text, w.text, w.len);
	text[w.len] = '\0';
	return inet_pton(AF_INET6, text, &addr) == 1;
}

static bool is_mac(struct word w) {
	unsigned int colons = 0;

	for (size_t i = 0; i < w.len; i++)
		colons += w.text[i] == ':';
	return colons == 5 && w.len <= 17 && are_numbers(w, isxdigit, ':', 6);
}

/* A number, a range of bytes (2:4), an address or the beginning of one. */
static bool is_number(struct word w) {
	if (w.len > 2 && w.text[0] == '0' && w.text[1] == 'x')
		return count_digits(w.text + 2, w.len - 2, isxdigit) == w.len - 2;
	return are_numbers(w, isdigit, '.', 4) || are_numbers(w, isdigit, ':', 2) || is_mac(w) ||
	       is_ipv6(w);
}

static bool is_known(struct word w) {
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (word_is(w, keywords[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(constants); i++)
		if (strncmp(w.text, constants[i], strlen(constants[i])) == 0)
			return true;
	return is_number(w);
}

int sniffer_filter_check(const char *filter, struct err *err) {
	bool name = false, range = false; /* of a service or protocol may come; of ports */

	for (struct word w = next_word(filter); w.len > 0; w = next_word(w.text + w.len)) {
		if (!is_known(w) && !(name && !memchr(w.text, '.', w.len)) &&
		    !(range && are_numbers(w, isdigit, '-', 2)))
			return err_set(
				err, ERR_VALUE,
				"filter: '%.*s' is not known; names of hosts are not looked up",
				(int)(w.len < 100 ? w.len : 100), w.text);
		range = word_is(w, "portrange");
		name = word_is(w, "port") || word_is(w, "proto");
	}
	return 0;
}
