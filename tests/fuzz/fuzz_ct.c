/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a datagram of ctnetlink. What is read of it as an entry or as an expected session
 * keeps its promises: a known family, no stray bytes in addresses, a printable helper; its texts
 * fit into the room that is said to be enough, in their form, and a request that names an entry is
 * read back as the same one.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/ct.h"
#include "backends/session_text.h"
#include "cfgdb/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct session_context ctx = { .now_ns = UINT64_C(1700000000000000000) };

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static bool is_clean(uint8_t family, const union net_addr *addr) {
	return family == AF_INET6 || (addr->word[1] == 0 && addr->half[1] == 0);
}

static void check_tuple(uint8_t family, const struct ct_tuple *t) {
	promise(is_clean(family, &t->src) && is_clean(family, &t->dst),
		"an IPv4 address is four bytes");
}

static void check_name(const char *name, size_t size) {
	promise(strnlen(name, size) < size, "a name ends");
	for (; *name; name++)
		promise(isgraph((unsigned char)*name), "and can be printed");
}

static void check_entry(const struct ct *ct) {
	promise(ct->family == AF_INET || ct->family == AF_INET6, "the family is known");
	for (int dir = CT_ORIG; dir <= CT_REPLY; dir++)
		check_tuple(ct->family, &ct->tuple[dir]);
	check_name(ct->helper, sizeof(ct->helper));
	promise(session_serial(ct) != 0, "every session has a number");
}

/* A text of `lines` many line ends, and nothing that is not printable. */
static void check_lines(const char *text, const struct fmt *f, unsigned int lines) {
	unsigned int n = 0;

	promise(!f->cut, "there is room for every session");
	for (const char *at = text; at < f->at; at++) {
		promise(isprint((unsigned char)*at) || *at == '\n', "text is printable");
		n += *at == '\n';
	}
	promise(n == lines, "and has its lines");
}

static void check_text(void (*put)(struct session *s, struct fmt *f), struct session *s,
		       unsigned int lines) {
	AUTO_FREE char *text = xcalloc(SESSION_TEXT_MAX, 1);
	struct fmt f = fmt_begin(text, SESSION_TEXT_MAX);

	put(s, &f);
	check_lines(text, &f, lines);
}

static void put_row(struct session *s, struct fmt *f) {
	session_text_row(s, f);
}

static void check_texts(const struct ct *ct) {
	struct session s;

	session_init(&s, &ctx, ct);
	session_way(&s);
	check_text(session_text_list, &s, 15 + s.n_lines + (ct->proto == IPPROTO_TCP));
	check_text(put_row, &s, 1);
	check_text(session_text_json, &s, 0);
}

/* Its own tuple, once as the original and once as the reply, is an entry again. */
static void check_key(const struct ct *ct) {
	AUTO_FREE char *data = xcalloc(1, CT_MESSAGE_MAX);
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK, 0, 0, ct->family);
	struct nlattr *tuple = mnl_nlmsg_get_payload_tail(nlh);
	struct ct again;

	ct_encode_key(nlh, ct);
	mnl_attr_put(nlh, CTA_TUPLE_REPLY, mnl_attr_get_payload_len(tuple),
		     mnl_attr_get_payload(tuple));
	promise(nlh->nlmsg_len <= CT_MESSAGE_MAX, "a request has room");
	promise(ct_decode(nlh, &again), "what names an entry can be read");
	promise(net_equal(&again.tuple[CT_REPLY].src, &ct->tuple[CT_ORIG].src) &&
			net_equal(&again.tuple[CT_ORIG].dst, &ct->tuple[CT_ORIG].dst) &&
			again.tuple[CT_ORIG].sport == ct->tuple[CT_ORIG].sport &&
			again.proto == ct->proto && again.zone == ct->zone,
		"as the same entry");
}

static void check_expect(const struct ct_expect *e) {
	AUTO_FREE char *text = xcalloc(SESSION_TEXT_MAX, 1);
	struct fmt f = fmt_begin(text, SESSION_TEXT_MAX);

	promise(e->family == AF_INET || e->family == AF_INET6, "the family is known");
	check_tuple(e->family, &e->tuple);
	check_tuple(e->family, &e->mask);
	check_tuple(e->family, &e->master);
	check_tuple(e->family, &e->nat);
	check_name(e->helper, sizeof(e->helper));
	check_name(e->fn, sizeof(e->fn));
	session_text_expect(e, UINT32_MAX, &f);
	check_lines(text, &f, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	/* Aligned, and with nothing behind its end. */
	AUTO_FREE char *copy = xreallocarray(NULL, size ? size : 1, 1);
	struct ct_expect e;
	struct ct ct;

	memcpy(copy, data, size);
	for (size_t at = 0; size - at >= NLMSG_HDRLEN;) {
		const struct nlmsghdr *nlh = (const void *)(copy + at);

		/* Not mnl_nlmsg_ok: it takes a length of 2^31 for a negative one. */
		if (nlh->nlmsg_len < NLMSG_HDRLEN || nlh->nlmsg_len > size - at)
			break;
		if (ct_decode(nlh, &ct)) {
			check_entry(&ct);
			check_texts(&ct);
			check_key(&ct);
		}
		if (ct_decode_expect(nlh, &e))
			check_expect(&e);
		at += NLMSG_ALIGN(nlh->nlmsg_len);
		if (at > size)
			break;
	}
	return 0;
}
