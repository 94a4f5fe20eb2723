/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table of criteria: the word they are set by, the name they are printed under, what kind of
 * value they have and how large it may be. Setting, printing and matching go by the kind.
 *
 * Ranges are compared as numbers, or as bytes where they are addresses. A session that lacks what a
 * criterion looks at (a translated source) does not fit it, and fits its negation.
 */
#include "backends/session_filter.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <string.h>

#include "cfgdb/base/fmt.h"
#include "cfgdb/base/mem.h"

#define JSON_MAX 256 /* of one value */

enum kind { KIND_VD, KIND_INTERFACE, KIND_NUMBER, KIND_ADDR, KIND_BITS };

static const struct criterion {
	const char *word, *label;
	enum kind kind;
	uint32_t max;
} criteria[FILTER_CRITERIA] = {
	[FILTER_VD] = { "vd", "vd", KIND_VD, UINT16_MAX },
	[FILTER_SINTF] = { "sintf", "sintf", KIND_INTERFACE, 0 },
	[FILTER_DINTF] = { "dintf", "dintf", KIND_INTERFACE, 0 },
	[FILTER_PROTO] = { "proto", "proto", KIND_NUMBER, UINT8_MAX },
	[FILTER_PROTO_STATE] = { "proto-state", "proto-state", KIND_NUMBER, 99 },
	[FILTER_SRC] = { "src", "source ip", KIND_ADDR, 0 },
	[FILTER_NSRC] = { "nsrc", "NAT'd source ip", KIND_ADDR, 0 },
	[FILTER_DST] = { "dst", "dest ip", KIND_ADDR, 0 },
	[FILTER_SPORT] = { "sport", "source port", KIND_NUMBER, UINT16_MAX },
	[FILTER_NPORT] = { "nport", "NAT'd source port", KIND_NUMBER, UINT16_MAX },
	[FILTER_DPORT] = { "dport", "dest port", KIND_NUMBER, UINT16_MAX },
	[FILTER_POLICY] = { "policy", "policy id", KIND_NUMBER, UINT32_MAX },
	[FILTER_EXPIRE] = { "expire", "expire", KIND_NUMBER, UINT32_MAX },
	[FILTER_DURATION] = { "duration", "duration", KIND_NUMBER, UINT32_MAX },
	[FILTER_STATE1] = { "session-state1", "state1", KIND_BITS, UINT32_MAX },
	[FILTER_STATE2] = { "session-state2", "state2", KIND_BITS, UINT32_MAX },
};

static const struct {
	const char *word, *label;
} lists[FILTER_LISTS] = {
	[FILTER_EXT_SRC] = { "ext-src", "Source IP List" },
	[FILTER_EXT_DST] = { "ext-dst", "Destination IP List" },
	[FILTER_EXT_SRC_NEGATE] = { "ext-src-negate", "Negated Source IP List" },
	[FILTER_EXT_DST_NEGATE] = { "ext-dst-negate", "Negated Destination IP List" },
};

static int find_criterion(const char *word) {
	for (int i = 0; i < FILTER_CRITERIA; i++)
		if (strcmp(word, criteria[i].word) == 0)
			return i;
	return strcmp(word, "vd-name") == 0 ? FILTER_VD : -1;
}

static int find_list(const char *word) {
	for (int i = 0; i < FILTER_LISTS; i++)
		if (strcmp(word, lists[i].word) == 0)
			return i;
	return -1;
}

/* ---- setting ---- */

static int bad_word(const char *word, struct err *err) {
	return err_set(err, ERR_PARSE, "\ncommand parse error before '%s'", word);
}

static int word_missing(struct err *err) {
	return err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
}

static int parse_number(const char *word, uint32_t max, uint32_t *ret, struct err *err) {
	const char *bad = NULL;

	*ret = (uint32_t)strtonum(word, 0, max, &bad);
	return bad ? err_set(err, ERR_RANGE, "'%s' is not a number from 0 to %u", word, max) : 0;
}

static int parse_bits(const char *word, uint32_t *ret, struct err *err) {
	const char *digits = strncmp(word, "0x", 2) == 0 ? word + 2 : word;
	size_t n = strlen(digits);

	if (n == 0 || n > 8 || strspn(digits, "0123456789abcdefABCDEF") != n)
		return err_set(err, ERR_FORMAT, "'%s' is not a hexadecimal number of 32 bits",
			       word);
	*ret = (uint32_t)strtoul(digits, NULL, 16);
	return 0;
}

static int parse_addr(const struct session_filter *f, const char *word, union net_addr *ret,
		      struct err *err) {
	if (net_parse(f->family, word, ret))
		return 0;
	return err_set(err, ERR_IP, "'%s' is not an %s address", word,
		       f->family == AF_INET ? "IPv4" : "IPv6");
}

static int out_of_order(const char *from, const char *to, struct err *err) {
	return err_set(err, ERR_RANGE, "the range ends before it begins: %s-%s", from, to);
}

static int parse_numbers(uint32_t max, uint32_t value[2], size_t n, char *const words[],
			 struct err *err) {
	int rc = parse_number(words[0], max, &value[0], err);

	if (rc == 0)
		rc = parse_number(words[n - 1], max, &value[1], err);
	if (rc == 0 && value[0] > value[1])
		rc = out_of_order(words[0], words[1], err);
	return rc;
}

static int parse_addrs(struct session_filter *f, union net_addr value[2], size_t n,
		       char *const words[], struct err *err) {
	int rc = parse_addr(f, words[0], &value[0], err);

	if (rc == 0)
		rc = parse_addr(f, words[n - 1], &value[1], err);
	if (rc == 0 && net_order(&value[0], &value[1]) > 0)
		rc = out_of_order(words[0], words[1], err);
	return rc;
}

/* A number, or the name of the only VDOM that there is. */
static int parse_vd(const char *word, uint32_t *ret, struct err *err) {
	if (strcmp(word, "root") != 0)
		return parse_number(word, criteria[FILTER_VD].max, ret, err);
	*ret = 0;
	return 0;
}

static int parse_value(struct session_filter *f, int i, size_t n, char *const words[],
		       struct err *err) {
	bool single = criteria[i].kind == KIND_VD || criteria[i].kind == KIND_INTERFACE;
	int rc;

	if (n > (single ? 1 : 2))
		return bad_word(words[single ? 1 : 2], err);
	switch (criteria[i].kind) {
	case KIND_VD:
		return parse_vd(words[0], &f->number[i][0], err);
	case KIND_INTERFACE:
		if (strlcpy(f->interface[i], words[0], sizeof(f->interface[i])) >=
		    sizeof(f->interface[i]))
			return err_set(err, ERR_LENGTH, "no interface has a name as long as '%s'",
				       words[0]);
		return 0;
	case KIND_ADDR:
		return parse_addrs(f, f->addr[i], n, words, err);
	case KIND_BITS:
		rc = parse_bits(words[0], &f->number[i][0], err);
		return rc ? rc : parse_bits(words[n - 1], &f->number[i][1], err);
	case KIND_NUMBER:
		break;
	}
	return parse_numbers(criteria[i].max, f->number[i], n, words, err);
}

static bool means_any(int i, const char *word) {
	return (criteria[i].kind == KIND_VD && strcmp(word, "-1") == 0) ||
	       (criteria[i].kind <= KIND_INTERFACE && strcmp(word, "any") == 0);
}

static int set_criterion(struct session_filter *f, int i, size_t n, char *const words[],
			 struct err *err) {
	struct session_filter changed = *f;
	int rc;

	if (n == 0)
		return word_missing(err);
	if (n == 1 && means_any(i, words[0])) {
		f->set &= ~(1u << i);
		return 0;
	}
	rc = parse_value(&changed, i, n, words, err);
	if (rc)
		return rc;
	changed.set |= 1u << i;
	*f = changed;
	return 0;
}

static bool list_has(const struct session_filter *f, int i, const union net_addr *addr) {
	for (uint32_t j = 0; j < f->list[i].n; j++)
		if (net_equal(&f->list[i].addr[j], addr))
			return true;
	return false;
}

static int add_to_list(struct session_filter *f, int i, size_t n, char *const words[],
		       struct err *err) {
	union net_addr addr;
	int rc;

	if (n == 0)
		return word_missing(err);
	if (n > 1)
		return bad_word(words[1], err);
	rc = parse_addr(f, words[0], &addr, err);
	if (rc || list_has(f, i, &addr))
		return rc;
	if (f->list[i].n == FILTER_LIST_MAX)
		return err_set(err, ERR_MAX_ENTRIES, "a list has at most %d addresses",
			       FILTER_LIST_MAX);
	f->list[i].addr[f->list[i].n++] = addr;
	return 0;
}

void session_filter_init(struct session_filter *f, uint8_t family) {
	*f = (struct session_filter){ .family = family };
}

static int clear(struct session_filter *f, size_t n, char *const words[], struct err *err) {
	int i = n ? find_criterion(words[0]) : -1, j = n ? find_list(words[0]) : -1;

	if (n > 1)
		return bad_word(words[1], err);
	if (i >= 0) {
		f->set &= ~(1u << i);
		f->negated &= ~(1u << i);
	} else if (j >= 0) {
		f->list[j].n = 0;
	} else if (n == 0 || strcmp(words[0], "all") == 0) {
		session_filter_init(f, f->family);
	} else {
		return bad_word(words[0], err);
	}
	return 0;
}

static int negate(struct session_filter *f, size_t n, char *const words[], struct err *err) {
	int i = n ? find_criterion(words[0]) : -1;

	if (n == 0)
		return word_missing(err);
	if (i < 0 || n > 1)
		return bad_word(words[i < 0 ? 0 : 1], err);
	f->negated ^= 1u << i;
	return 0;
}

int session_filter_change(struct session_filter *f, size_t argc, char *const argv[],
			  struct err *err) {
	int i = find_criterion(argv[0]), j = find_list(argv[0]);

	if (i >= 0)
		return set_criterion(f, i, argc - 1, argv + 1, err);
	if (j >= 0)
		return add_to_list(f, j, argc - 1, argv + 1, err);
	if (strcmp(argv[0], "clear") == 0)
		return clear(f, argc - 1, argv + 1, err);
	if (strcmp(argv[0], "negate") == 0)
		return negate(f, argc - 1, argv + 1, err);
	return bad_word(argv[0], err);
}

/* ---- printing ---- */

static void print_addr(const struct session_filter *f, const union net_addr *addr,
		       struct str *out) {
	char text[NET_TEXT_MAX];
	struct fmt fmt = fmt_begin(text, sizeof(text));

	fmt_addr(&fmt, f->family, addr);
	str_add_bytes(out, text, (size_t)(fmt.at - text));
}

static void print_json(const char *text, struct str *out) {
	char json[JSON_MAX];
	struct fmt fmt = fmt_begin(json, sizeof(json));

	fmt_json(&fmt, text);
	str_add_bytes(out, json, (size_t)(fmt.at - json));
}

static void print_value(const struct session_filter *f, int i, struct str *out) {
	const uint32_t *number = f->number[i];

	switch (criteria[i].kind) {
	case KIND_VD:
		str_addf(out, "%u", number[0]);
		break;
	case KIND_INTERFACE:
		str_add(out, f->interface[i]);
		break;
	case KIND_NUMBER:
		str_addf(out, "%u-%u", number[0], number[1]);
		break;
	case KIND_BITS:
		str_addf(out, "%08x/%08x", number[0], number[1]);
		break;
	case KIND_ADDR:
		print_addr(f, &f->addr[i][0], out);
		str_add_char(out, '-');
		print_addr(f, &f->addr[i][1], out);
		break;
	}
}

static bool has_list(const struct session_filter *f) {
	for (int i = 0; i < FILTER_LISTS; i++)
		if (f->list[i].n)
			return true;
	return false;
}

void session_filter_print(const struct session_filter *f, struct str *out) {
	str_add(out, "session filter:\n");
	for (int i = 0; i < FILTER_CRITERIA; i++) {
		str_addf(out, "\t%s: ", criteria[i].label);
		if (f->set & f->negated & 1u << i)
			str_add(out, "not ");
		if (f->set & 1u << i)
			print_value(f, i, out);
		else
			str_add(out, "any");
		str_add_char(out, '\n');
	}
	if (has_list(f))
		str_add(out, "Extended filters:\n");
	for (int i = 0; i < FILTER_LISTS; i++) {
		if (f->list[i].n)
			str_addf(out, "\t%s:\n", lists[i].label);
		for (uint32_t j = 0; j < f->list[i].n; j++) {
			str_add(out, "\t\t");
			print_addr(f, &f->list[i].addr[j], out);
			str_add_char(out, '\n');
		}
	}
}

static void list_json(const struct session_filter *f, int i, struct str *out) {
	str_addf(out, "\"%s\":[", lists[i].word);
	for (uint32_t j = 0; j < f->list[i].n; j++) {
		str_add(out, j ? ",\"" : "\"");
		print_addr(f, &f->list[i].addr[j], out);
		str_add_char(out, '"');
	}
	str_add_char(out, ']');
}

void session_filter_json(const struct session_filter *f, struct str *out) {
	const char *comma = "";

	str_add_char(out, '{');
	for (int i = 0; i < FILTER_CRITERIA; i++) {
		AUTO_STR struct str value = STR_INIT;

		if (!(f->set & 1u << i))
			continue;
		print_value(f, i, &value);
		str_addf(out, "%s\"%s\":{\"value\":", comma, criteria[i].word);
		print_json(str_text(&value), out);
		str_addf(out, ",\"negated\":%s}", f->negated & 1u << i ? "true" : "false");
		comma = ",";
	}
	for (int i = 0; i < FILTER_LISTS; i++) {
		if (f->list[i].n == 0)
			continue;
		str_add(out, comma);
		list_json(f, i, out);
		comma = ",";
	}
	str_add(out, "}\n");
}

/* ---- matching ---- */

/* Whether a criterion fits all sessions, without regard to its negation. */
static bool fits_always(const struct session_filter *f, int i) {
	static const union net_addr first;
	union net_addr last;

	if (i == FILTER_NSRC || i == FILTER_NPORT) /* sessions without translation have none */
		return false;
	memset(&last, 0xff, net_len(f->family));
	switch (criteria[i].kind) {
	case KIND_VD: /* there is one */
		return f->number[i][0] == 0;
	case KIND_INTERFACE:
		return false;
	case KIND_NUMBER:
		return f->number[i][0] == 0 && f->number[i][1] == criteria[i].max;
	case KIND_BITS:
		return f->number[i][0] == 0 && (f->number[i][1] == 0 || i == FILTER_STATE2);
	case KIND_ADDR:
		break;
	}
	return memcmp(&f->addr[i][0], &first, net_len(f->family)) == 0 &&
	       memcmp(&f->addr[i][1], &last, net_len(f->family)) == 0;
}

static bool fits_never(const struct session_filter *f, int i) {
	return (i == FILTER_VD || i == FILTER_STATE2) && f->number[i][0] != 0;
}

bool session_filter_fits_all(const struct session_filter *f) {
	for (int i = 0; i < FILTER_CRITERIA; i++) {
		bool negated = f->negated >> i & 1;

		if ((f->set >> i & 1) && !(negated ? fits_never(f, i) : fits_always(f, i)))
			return false;
	}
	return !has_list(f);
}

static bool in_numbers(const uint32_t range[2], uint32_t v) {
	return v >= range[0] && v <= range[1];
}

static bool in_addrs(const union net_addr range[2], const union net_addr *addr) {
	return net_order(addr, &range[0]) >= 0 && net_order(addr, &range[1]) <= 0;
}

/* The port that a translated source has: with ICMP it is the id of the reply. */
static uint16_t translated_port(const struct ct *ct) {
	return ct_is_icmp(ct->proto) ? ct->tuple[CT_REPLY].sport : ct->tuple[CT_REPLY].dport;
}

static bool is_interface(const struct session *s, unsigned int end, const char *name) {
	const struct link *l =
		s->ctx->links ? links_at(s->ctx->links, session_link(s, end)) : NULL;

	return l && strcmp(l->name, name) == 0;
}

/* Bits that are not kept are zero. */
static bool has_bits(const uint32_t value[2], uint32_t bits) {
	return (bits & value[1]) == value[0];
}

static bool fits(const struct session_filter *f, enum session_criterion i,
		 const struct session *s) {
	const struct ct *ct = s->ct;
	const uint32_t *number = f->number[i];
	const union net_addr *addr = f->addr[i];

	switch (i) {
	case FILTER_VD:
		return number[0] == s->ctx->vd;
	case FILTER_SINTF:
		return is_interface(s, 0, f->interface[i]);
	case FILTER_DINTF:
		return is_interface(s, 1, f->interface[i]);
	case FILTER_PROTO:
		return in_numbers(number, ct->proto);
	case FILTER_PROTO_STATE:
		return in_numbers(number, s->state[0] * 10u + s->state[1]);
	case FILTER_SRC:
		return in_addrs(addr, &ct->tuple[CT_ORIG].src);
	case FILTER_NSRC:
		return s->snat && in_addrs(addr, &ct->tuple[CT_REPLY].dst);
	case FILTER_DST:
		return in_addrs(addr, &ct->tuple[CT_ORIG].dst);
	case FILTER_SPORT:
		return in_numbers(number, ct->tuple[CT_ORIG].sport);
	case FILTER_NPORT:
		return s->snat && in_numbers(number, translated_port(ct));
	case FILTER_DPORT:
		return in_numbers(number, ct->tuple[CT_ORIG].dport);
	case FILTER_POLICY:
		return in_numbers(number, s->policy_id);
	case FILTER_EXPIRE:
		return in_numbers(number, s->expire);
	case FILTER_DURATION:
		return in_numbers(number, s->duration);
	case FILTER_STATE1:
		return has_bits(number, s->state1);
	case FILTER_STATE2:
		return has_bits(number, 0);
	case FILTER_CRITERIA:
		break;
	}
	return false;
}

#define NEED_WAY (1u << FILTER_SINTF | 1u << FILTER_DINTF | 1u << FILTER_STATE1)

static bool all_fit(const struct session_filter *f, uint32_t which, const struct session *s) {
	for (int i = 0; i < FILTER_CRITERIA; i++)
		if ((which >> i & 1) && fits(f, i, s) == ((f->negated >> i & 1) != 0))
			return false;
	return true;
}

static bool lists_fit(const struct session_filter *f, const struct ct *ct) {
	const union net_addr *src = &ct->tuple[CT_ORIG].src, *dst = &ct->tuple[CT_ORIG].dst;

	return (f->list[FILTER_EXT_SRC].n == 0 || list_has(f, FILTER_EXT_SRC, src)) &&
	       (f->list[FILTER_EXT_DST].n == 0 || list_has(f, FILTER_EXT_DST, dst)) &&
	       !list_has(f, FILTER_EXT_SRC_NEGATE, src) && !list_has(f, FILTER_EXT_DST_NEGATE, dst);
}

bool session_filter_match(const struct session_filter *f, struct session *s) {
	if (s->ct->family != f->family || !all_fit(f, f->set & ~NEED_WAY, s) ||
	    !lists_fit(f, s->ct))
		return false;
	if (!(f->set & NEED_WAY))
		return true;
	session_way(s);
	return all_fit(f, f->set & NEED_WAY, s);
}

/* ---- what the kernel can do ---- */

/* The only value that fits a criterion; false when there are more. */
static bool only_number(const struct session_filter *f, enum session_criterion i, uint32_t *ret) {
	*ret = f->number[i][0];
	return (f->set & ~f->negated & 1u << i) && f->number[i][0] == f->number[i][1];
}

static const union net_addr *only_addr(const struct session_filter *f, enum session_criterion i) {
	bool only = (f->set & ~f->negated & 1u << i) && net_equal(&f->addr[i][0], &f->addr[i][1]);

	return only ? &f->addr[i][0] : NULL;
}

static const union net_addr *only_listed(const struct session_filter *f, enum session_list i) {
	return f->list[i].n == 1 ? &f->list[i].addr[0] : NULL;
}

static void ask_addrs(const struct session_filter *f, struct ct_kernel_filter *k) {
	const union net_addr *src = only_addr(f, FILTER_SRC), *dst = only_addr(f, FILTER_DST);
	const union net_addr *nsrc = only_addr(f, FILTER_NSRC);

	src = src ? src : only_listed(f, FILTER_EXT_SRC);
	dst = dst ? dst : only_listed(f, FILTER_EXT_DST);
	if (src) {
		k->fields[CT_ORIG] |= CT_FILTER_SRC;
		k->tuple[CT_ORIG].src = *src;
	}
	if (dst) {
		k->fields[CT_ORIG] |= CT_FILTER_DST;
		k->tuple[CT_ORIG].dst = *dst;
	}
	if (nsrc) {
		k->fields[CT_REPLY] |= CT_FILTER_DST;
		k->tuple[CT_REPLY].dst = *nsrc;
	}
}

/* Ports only mean something to the kernel together with a protocol that has them. */
static void ask_ports(const struct session_filter *f, struct ct_kernel_filter *k) {
	struct ct_tuple *o = &k->tuple[CT_ORIG], *r = &k->tuple[CT_REPLY];
	bool icmp = ct_is_icmp(k->proto);
	uint32_t port;

	if (!ct_has_ports(k->proto))
		return;
	if (only_number(f, FILTER_SPORT, &port)) {
		k->fields[CT_ORIG] |= CT_FILTER_SPORT;
		o->sport = (uint16_t)port;
	}
	if (only_number(f, FILTER_DPORT, &port) && (!icmp || port <= UINT8_MAX)) {
		k->fields[CT_ORIG] |= CT_FILTER_DPORT;
		o->dport = (uint16_t)port;
	}
	if (!only_number(f, FILTER_NPORT, &port))
		return;
	k->fields[CT_REPLY] |= CT_FILTER_PROTO | (icmp ? CT_FILTER_SPORT : CT_FILTER_DPORT);
	*(icmp ? &r->sport : &r->dport) = (uint16_t)port;
}

/* The bits that all numbers from `from` to `to` have in common. */
static uint32_t common_bits(uint32_t from, uint32_t to) {
	uint32_t differ = from ^ to;

	return differ ? ~(UINT32_MAX >> __builtin_clz(differ)) : UINT32_MAX;
}

void session_filter_kernel(const struct session_filter *f, struct ct_kernel_filter *k) {
	const uint32_t *policy = f->number[FILTER_POLICY];
	uint32_t number;

	*k = (struct ct_kernel_filter){ .family = f->family };
	if (f->set & ~f->negated & 1u << FILTER_POLICY) {
		k->mark = policy[0];
		k->mark_mask = common_bits(policy[0], policy[1]);
	}
	ask_addrs(f, k);
	if (!only_number(f, FILTER_PROTO, &number))
		return;
	k->proto = (uint8_t)number;
	k->fields[CT_ORIG] |= CT_FILTER_PROTO;
	ask_ports(f, k);
	if (k->proto == IPPROTO_UDP && only_number(f, FILTER_PROTO_STATE, &number)) {
		k->status = number == 1 ? IPS_SEEN_REPLY : 0;
		k->status_mask = number <= 1 ? IPS_SEEN_REPLY : 0;
	}
}
