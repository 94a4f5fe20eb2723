/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row a type: read, write, compare. The error texts are those a FortiOS administrator knows
 * and scripts look for; the codes are in err.h.
 *
 * Text may hold any bytes but control characters (tab and newline excepted), neither those of ASCII
 * nor those that UTF-8 or an 8-bit terminal knows, so nothing that is stored can later play tricks
 * on a terminal. Names hold neither tabs nor newlines: they stand in lists, one a line.
 */
#include "cfgdb/model/value_type.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define BASE64_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
#define SECRET_PLAIN_MAX 512

int value_type_refuse(const struct schema_attr *attr, const char *word, int code, struct err *err) {
	return err_set(err, code,
		       "node_check_object fail! for %s %.200s\n\nvalue parse error before '%.200s'",
		       attr->name, word, word);
}

static int refuse_ip(const char *word, struct err *err) {
	return err_set(err, ERR_IP, "invalid ip address\n\nvalue parse error before '%.200s'",
		       word);
}

static bool equal_num(const union item *a, const union item *b) {
	return a->num == b->num;
}

static bool equal_str(const union item *a, const union item *b) {
	return strcmp(a->str, b->str) == 0;
}

static bool equal_ip(const union item *a, const union item *b) {
	return a->ip.a == b->ip.a && a->ip.b == b->ip.b;
}

static bool equal_ports(const union item *a, const union item *b) {
	return memcmp(&a->ports, &b->ports, sizeof(a->ports)) == 0;
}

/* ---- option, integer ---- */

static int parse_option(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
			union item *out, struct err *err) {
	int index = schema_option_index(attr, words[0]);

	(void)n;
	if (index < 0)
		return value_type_refuse(attr, words[0], ERR_VALUE, err);
	out->num = index;
	*used = 1;
	return 0;
}

static void print_option(const struct schema_attr *attr, const union item *item,
			 enum value_style style, struct str *out) {
	const char *name = attr->options[item->num].name;

	if (style != VALUE_GET &&
	    ((attr->flags & ATTR_QUOTED) || strpbrk(name, " \"'\\#()<>?") || !*name))
		value_quote(name, out);
	else
		str_add(out, name);
}

static int parse_integer(const struct schema_attr *attr, char *const words[], size_t n,
			 size_t *used, union item *out, struct err *err) {
	char *end;

	(void)n;
	*used = 1;
	if ((attr->flags & ATTR_NEVER) && strcmp(words[0], "never") == 0) {
		out->num = VALUE_NEVER;
		return 0;
	}
	errno = 0;
	out->num = strtoll(words[0], &end, 10);
	if (errno == 0 && end != words[0] && !*end &&
	    (*words[0] == '-' || isdigit((unsigned char)*words[0])) && out->num >= attr->min &&
	    out->num <= attr->max)
		return 0;
	if (attr->min < 0)
		return err_set(err, ERR_VALUE,
			       "invalid integer value\n\nvalue parse error before '%.200s'",
			       words[0]);
	return err_set(err, ERR_VALUE,
		       "invalid unsigned integer value: %.200s\n\n"
		       "value parse error before '%.200s'",
		       words[0], words[0]);
}

static void print_integer(const struct schema_attr *attr, const union item *item,
			  enum value_style style, struct str *out) {
	(void)style;
	if ((attr->flags & ATTR_NEVER) && item->num == VALUE_NEVER)
		str_add(out, "never");
	else
		str_addf(out, "%lld", (long long)item->num);
}

/* ---- text ---- */

/* Bytes of the UTF-8 character at s that follow the first one; 0 when it is one byte, or none. */
static size_t utf8_tail(const unsigned char *s) {
	size_t n = 0;

	if (s[0] >= 0xc2 && s[0] < 0xf5)
		n = s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : 3;
	for (size_t i = 1; i <= n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* These are those below 0x20, 0x7f, and U+0080 to U+009f, as UTF-8 or as one byte. */
bool value_type_is_clean(const char *text) {
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		size_t tail = utf8_tail(s);

		if ((*s < 0x20 && *s != '\n' && *s != '\t') || (*s >= 0x7f && *s < 0xa0) ||
		    (*s == 0xc2 && tail == 1 && s[1] < 0xa0))
			return false;
		s += tail;
	}
	return true;
}

static bool is_clean_name(const char *text) {
	return value_type_is_clean(text) && !strpbrk(text, "\"'<>\n\t");
}

static int refuse_characters(const char *word, struct err *err) {
	return err_set(err, ERR_CHARACTERS,
		       "The string contains XSS vulnerability characters\n\n"
		       "value parse error before '%.200s'",
		       word);
}

/* Strings that name what is built in: the schema lists what there is. */
static bool is_known_name(const struct schema_attr *attr, const char *word) {
	bool may_be_empty = attr->dflt && !*attr->dflt;

	return attr->n_options == 0 || schema_option_index(attr, word) >= 0 ||
	       (!*word && may_be_empty);
}

static int refuse_unknown(const char *word, struct err *err) {
	return err_set(err, ERR_NOT_FOUND,
		       "entry not found in datasource\n\nvalue parse error before '%.200s'", word);
}

static int check_string(const struct schema_attr *attr, const char *text, struct err *err) {
	size_t len = strlen(text);
	size_t limit = attr->max > 0 ? (size_t)attr->max : VALUE_STRING_MAX;

	if (len > limit)
		return err_set(err, ERR_LENGTH,
			       "string value is too long. the size is %zu, the limit is %zu\n"
			       "value parse error before '%.200s'", len, limit, text);
	if (!value_type_is_clean(text))
		return refuse_characters("", err);
	if ((attr->flags & ATTR_KEY) && !is_clean_name(text))
		return refuse_characters(text, err);
	return is_known_name(attr, text) ? 0 : refuse_unknown(text, err);
}

static int parse_string(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
			union item *out, struct err *err) {
	bool two = n > 1 && (attr->flags & ATTR_WORDS);
	char *text = two ? xasprintf("%s %s", words[0], words[1]) : xstrdup(words[0]);
	int rc = check_string(attr, text, err);

	*used = two ? 2 : 1;
	if (rc)
		free(text);
	else
		out->str = text;
	return rc;
}

/* Labels of letters, digits, - and _, up to 63 bytes; all of it up to 255 (RFC 1035, 2.3.4). */
static bool is_domain(const char *s) {
	size_t label = 0;

	if (strlen(s) > 255)
		return false;
	for (; *s; s++) {
		if (*s == '.' ? label == 0 : !isalnum((unsigned char)*s) && !strchr("-_", *s))
			return false;
		label = *s == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return true;
}

static int parse_fqdn(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
		      union item *out, struct err *err) {
	(void)n;
	if (!is_domain(words[0])) {
		value_type_refuse(attr, words[0], ERR_VALUE, err);
		err_prefix(err, "domain name is not valid.");
		return ERR_VALUE;
	}
	out->str = xstrdup(words[0]);
	*used = 1;
	return 0;
}

static int parse_ref(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
		     union item *out, struct err *err) {
	(void)n;
	if (strlen(words[0]) > 255)
		return err_set(err, ERR_LENGTH,
			       "string value is too long. the size is %zu, the limit is 255\n"
			       "value parse error before '%.200s'", strlen(words[0]), words[0]);
	if (!is_clean_name(words[0]))
		return refuse_characters(words[0], err);
	/* alone '' means none; in a list it names nothing */
	if (!*words[0] && (attr->flags & ATTR_MULTI))
		return refuse_unknown("", err);
	out->str = xstrdup(words[0]);
	*used = 1;
	return 0;
}

static void print_quoted(const struct schema_attr *attr, const union item *item,
			 enum value_style style, struct str *out) {
	(void)attr;
	if (style == VALUE_GET)
		str_add(out, item->str);
	else if (!*item->str)
		str_add(out, "''");
	else
		value_quote(item->str, out);
}

static void print_bare(const struct schema_attr *attr, const union item *item,
		       enum value_style style, struct str *out) {
	if (attr->flags & ATTR_QUOTED)
		print_quoted(attr, item, style, out);
	else
		str_add(out, item->str);
}

static int parse_uuid(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
		      union item *out, struct err *err) {
	const char *s = words[0];

	(void)n;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return value_type_refuse(attr, s, ERR_VALUE, err);
	}
	if (s[36])
		return value_type_refuse(attr, s, ERR_VALUE, err);
	out->str = xstrdup(s);
	for (char *p = out->str; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	*used = 1;
	return 0;
}

static int parse_mac(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
		     union item *out, struct err *err) {
	const char *s = words[0];

	(void)n;
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? s[i] != ':' : !isxdigit((unsigned char)s[i]))
			return value_type_refuse(attr, s, ERR_VALUE, err);
	if (s[17])
		return value_type_refuse(attr, s, ERR_VALUE, err);
	out->str = xstrdup(s);
	for (char *p = out->str; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	*used = 1;
	return 0;
}

/* ---- secrets: "ENC TEXT" as the store has it, "=TEXT" as typed ---- */

static int parse_password(const struct schema_attr *attr, char *const words[], size_t n,
			  size_t *used, union item *out, struct err *err) {
	bool sealed = strcmp(words[0], "ENC") == 0;
	const char *text = sealed && n > 1 ? words[1] : words[0];
	size_t limit = sealed ? VALUE_SEALED_MAX : SECRET_PLAIN_MAX;

	if (sealed && n < 2)
		return err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
	if (strlen(text) > limit)
		return err_set(err, ERR_LENGTH,
			       "string value is too long. the size is %zu, the limit is %zu\n"
			       "value parse error before '***'", strlen(text), limit);
	if (!value_type_is_clean(text))
		return refuse_characters("***", err);
	if (sealed && (!*text || text[strspn(text, BASE64_CHARACTERS)]))
		return value_type_refuse(attr, "***", ERR_VALUE, err);
	out->str = xasprintf("%s%s", sealed ? "ENC " : "=", text);
	*used = sealed ? 2 : 1;
	return 0;
}

static void print_password(const struct schema_attr *attr, const union item *item,
			   enum value_style style, struct str *out) {
	(void)attr;
	if (style == VALUE_GET)
		str_add(out, "*");
	else if (item->str[0] != '=')
		str_add(out, item->str);
	else if (style == VALUE_WIRE)
		value_quote(item->str + 1, out);
	else
		str_add(out, "ENC *");
}

/* ---- IPv4 ---- */

bool value_parse_ipv4(const char *s, uint32_t *ret) {
	struct in_addr in;

	if (inet_pton(AF_INET, s, &in) != 1)
		return false;
	*ret = ntohl(in.s_addr);
	return true;
}

void value_print_ipv4(uint32_t addr, struct str *out) {
	str_addf(out, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255);
}

int value_mask_len(uint32_t mask) {
	int len = __builtin_popcount(mask);

	if (len > 0 && mask != (uint32_t)(0xffffffffu << (32 - len)))
		return -1;
	return len;
}

static int parse_ipv4(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
		      union item *out, struct err *err) {
	(void)attr;
	(void)n;
	out->ip.b = 0;
	*used = 1;
	if (!value_parse_ipv4(words[0], &out->ip.a))
		return refuse_ip(words[0], err);
	return 0;
}

static void print_ipv4(const struct schema_attr *attr, const union item *item,
		       enum value_style style, struct str *out) {
	bool quote = (attr->flags & ATTR_QUOTED) && style != VALUE_GET;

	if (quote)
		str_add_char(out, '"');
	value_print_ipv4(item->ip.a, out);
	if (quote)
		str_add_char(out, '"');
}

static int refuse_mask(struct err *err) {
	return err_set(err, ERR_NETMASK,
		       "invalid netmask.\nobject check operator error, -9, discard the setting");
}

/* "A/LEN", "A MASK". */
static int parse_prefix(char *const words[], size_t n, size_t *used, struct ipv4_pair *ip,
			struct err *err) {
	char addr[64];
	const char *slash = strchr(words[0], '/');
	size_t len = slash ? (size_t)(slash - words[0]) : strlen(words[0]);
	char *end;
	long bits;

	if (len >= sizeof(addr))
		return refuse_ip(words[0], err);
	memcpy(addr, words[0], len);
	addr[len] = '\0';
	if (!value_parse_ipv4(addr, &ip->a))
		return refuse_ip(words[0], err);
	*used = slash ? 1 : 2;
	if (!slash) {
		if (n < 2)
			return err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
		if (!value_parse_ipv4(words[1], &ip->b))
			return refuse_mask(err);
		return 0;
	}
	bits = strtol(slash + 1, &end, 10);
	if (!isdigit((unsigned char)slash[1]) || *end || bits > 32)
		return refuse_mask(err);
	ip->b = bits ? 0xffffffffu << (32 - bits) : 0;
	return 0;
}

static int parse_ipv4_host(const struct schema_attr *attr, char *const words[], size_t n,
			   size_t *used, union item *out, struct err *err) {
	int rc = parse_prefix(words, n, used, &out->ip, err);

	(void)attr;
	if (rc)
		return rc;
	if (value_mask_len(out->ip.b) < 0)
		return refuse_mask(err);
	if (out->ip.a >= 0xe0000000u || out->ip.a >> 24 == 127 ||
	    (out->ip.a != 0 && out->ip.a >> 24 == 0))
		return err_set(err, ERR_IP,
			       "ip address must be a class A, B, or C ip\n\n"
			       "value parse error before '%.200s'",
			       words[0]);
	return 0;
}

static int parse_ipv4_net(const struct schema_attr *attr, char *const words[], size_t n,
			  size_t *used, union item *out, struct err *err) {
	int rc = parse_prefix(words, n, used, &out->ip, err);

	(void)attr;
	if (rc)
		return rc;
	if (value_mask_len(out->ip.b) < 0)
		return refuse_mask(err);
	out->ip.a &= out->ip.b;
	return 0;
}

static void print_ipv4_mask(const struct schema_attr *attr, const union item *item,
			    enum value_style style, struct str *out) {
	(void)attr;
	(void)style;
	value_print_ipv4(item->ip.a, out);
	str_add_char(out, ' ');
	value_print_ipv4(item->ip.b, out);
}

static int parse_ipv4_range(const struct schema_attr *attr, char *const words[], size_t n,
			    size_t *used, union item *out, struct err *err) {
	char copy[64];
	char *dash;
	int rc;

	(void)n;
	*used = 1;
	if (strchr(words[0], '/')) {
		rc = parse_ipv4_net(attr, words, 1, used, out, err);
		if (rc == 0)
			out->ip.b = out->ip.a | ~out->ip.b;
		return rc;
	}
	if (strlen(words[0]) >= sizeof(copy))
		return refuse_ip(words[0], err);
	strcpy(copy, words[0]);
	dash = strchr(copy, '-');
	if (dash)
		*dash++ = '\0';
	if (!value_parse_ipv4(copy, &out->ip.a))
		return refuse_ip(words[0], err);
	out->ip.b = out->ip.a;
	if (dash && !value_parse_ipv4(dash, &out->ip.b))
		return refuse_ip(words[0], err);
	if (out->ip.b < out->ip.a)
		return value_type_refuse(attr, words[0], ERR_IP_RANGE, err);
	return 0;
}

static void print_ipv4_range(const struct schema_attr *attr, const union item *item,
			     enum value_style style, struct str *out) {
	bool quote = (attr->flags & ATTR_QUOTED) && style != VALUE_GET;

	if (quote)
		str_add_char(out, '"');
	value_print_ipv4(item->ip.a, out);
	if (item->ip.b != item->ip.a) {
		str_add_char(out, '-');
		value_print_ipv4(item->ip.b, out);
	}
	if (quote)
		str_add_char(out, '"');
}

/* ---- IPv6, kept as canonical text ---- */

static int parse_ipv6(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
		      union item *out, struct err *err) {
	struct in6_addr in;
	char text[INET6_ADDRSTRLEN];

	(void)attr;
	(void)n;
	*used = 1;
	if (inet_pton(AF_INET6, words[0], &in) != 1 ||
	    !inet_ntop(AF_INET6, &in, text, sizeof(text)))
		return refuse_ip(words[0], err);
	out->str = xstrdup(text);
	return 0;
}

static int parse_ipv6_prefix(const struct schema_attr *attr, char *const words[], size_t n,
			     size_t *used, union item *out, struct err *err) {
	char copy[64], *slash, *end = NULL;
	long bits = 128;
	char *part[1] = { copy };
	union item addr;
	int rc;

	(void)n;
	if (strlen(words[0]) >= sizeof(copy))
		return refuse_ip(words[0], err);
	strcpy(copy, words[0]);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		bits = strtol(slash + 1, &end, 10);
		if (!isdigit((unsigned char)slash[1]) || *end || bits > 128)
			return refuse_mask(err);
	}
	rc = parse_ipv6(attr, part, 1, used, &addr, err);
	if (rc)
		return rc;
	out->str = xasprintf("%s/%ld", addr.str, bits);
	free(addr.str);
	return 0;
}

/* ---- ports ---- */

/* Digits up to 65535 at *p, which moves past them. */
static bool take_port(const char **p, uint16_t *ret) {
	char *end;
	long v;

	if (!isdigit((unsigned char)**p))
		return false;
	v = strtol(*p, &end, 10);
	if (v > 65535 || end - *p > 5)
		return false;
	*p = end;
	*ret = (uint16_t)v;
	return true;
}

/* "N" or "N-M" at *p, which moves past it. */
static bool take_port_range(const char **p, uint16_t *lo, uint16_t *hi) {
	if (!take_port(p, lo))
		return false;
	*hi = *lo;
	if (**p != '-')
		return true;
	(*p)++;
	return take_port(p, hi);
}

static int parse_ports(const struct schema_attr *attr, const char *word, bool with_source,
		       union item *out, struct err *err) {
	const char *p = word;

	out->ports = (struct port_spec){ 0, 0, 0, 65535 };
	if (!take_port_range(&p, &out->ports.dst_lo, &out->ports.dst_hi))
		return value_type_refuse(attr, word, ERR_RANGE, err);
	if (with_source && *p == ':') {
		p++;
		if (!take_port_range(&p, &out->ports.src_lo, &out->ports.src_hi))
			return value_type_refuse(attr, word, ERR_RANGE, err);
	}
	if (*p || out->ports.dst_hi < out->ports.dst_lo || out->ports.src_hi < out->ports.src_lo)
		return value_type_refuse(attr, word, ERR_RANGE, err);
	return 0;
}

static int parse_port_range(const struct schema_attr *attr, char *const words[], size_t n,
			    size_t *used, union item *out, struct err *err) {
	(void)n;
	*used = 1;
	return parse_ports(attr, words[0], false, out, err);
}

static int parse_service_ports(const struct schema_attr *attr, char *const words[], size_t n,
			       size_t *used, union item *out, struct err *err) {
	(void)n;
	*used = 1;
	return parse_ports(attr, words[0], true, out, err);
}

static void print_range(uint16_t lo, uint16_t hi, struct str *out) {
	if (lo == hi)
		str_addf(out, "%u", lo);
	else
		str_addf(out, "%u-%u", lo, hi);
}

static void print_ports(const struct schema_attr *attr, const union item *item,
			enum value_style style, struct str *out) {
	(void)attr;
	(void)style;
	print_range(item->ports.dst_lo, item->ports.dst_hi, out);
	if (item->ports.src_lo != 0 || item->ports.src_hi != 65535) {
		str_add_char(out, ':');
		print_range(item->ports.src_lo, item->ports.src_hi, out);
	}
}

/* ---- time ---- */

/* Up to `digits` digits at *p, which moves past them and the character `after` ('\0': the end). */
static bool take_digits(const char **p, int digits, char after, unsigned int *ret) {
	const char *s = *p;

	*ret = 0;
	for (; isdigit((unsigned char)*s) && s - *p < digits; s++)
		*ret = *ret * 10 + (unsigned int)(*s - '0');
	if (s == *p || *s != after)
		return false;
	*p = s + 1;
	return true;
}

static int parse_time(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
		      union item *out, struct err *err) {
	const char *p = words[0];
	unsigned int h, m;

	(void)n;
	*used = 1;
	if (!take_digits(&p, 2, ':', &h) || !take_digits(&p, 2, '\0', &m) || h > 23 || m > 59)
		return value_type_refuse(attr, words[0], ERR_VALUE, err);
	out->num = h * 60 + m;
	return 0;
}

static unsigned int days_of_month(unsigned int y, unsigned int mon) {
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return mon == 2 && leap ? 29 : days[mon - 1];
}

static void print_time(const struct schema_attr *attr, const union item *item,
		       enum value_style style, struct str *out) {
	(void)attr;
	(void)style;
	str_addf(out, "%02d:%02d", (int)(item->num / 60), (int)(item->num % 60));
}

static int parse_datetime(const struct schema_attr *attr, char *const words[], size_t n,
			  size_t *used, union item *out, struct err *err) {
	unsigned int y, mon, d;
	const char *p;
	int rc = parse_time(attr, words, n, used, out, err);

	if (rc)
		return rc;
	if (n < 2)
		return err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
	*used = 2;
	p = words[1];
	if (!take_digits(&p, 4, '/', &y) || !take_digits(&p, 2, '/', &mon) ||
	    !take_digits(&p, 2, '\0', &d) || mon < 1 || mon > 12 || d < 1 ||
	    d > days_of_month(y, mon))
		return value_type_refuse(attr, words[1], ERR_VALUE, err);
	out->num =
		(((int64_t)y * 100 + mon) * 100 + d) * 10000 + out->num / 60 * 100 + out->num % 60;
	return 0;
}

static void print_datetime(const struct schema_attr *attr, const union item *item,
			   enum value_style style, struct str *out) {
	int64_t day = item->num / 10000, minute = item->num % 10000;

	(void)attr;
	(void)style;
	str_addf(out, "%02d:%02d %04d/%02d/%02d", (int)(minute / 100), (int)(minute % 100),
		 (int)(day / 10000), (int)(day / 100 % 100), (int)(day % 100));
}

static const struct value_type types[ATTR_TYPE_COUNT] = {
	[ATTR_OPTION] = { 1, parse_option, print_option, equal_num, false },
	[ATTR_INTEGER] = { 1, parse_integer, print_integer, equal_num, false },
	[ATTR_STRING] = { 1, parse_string, print_quoted, equal_str, true },
	[ATTR_FQDN] = { 1, parse_fqdn, print_quoted, equal_str, true },
	[ATTR_REF] = { 1, parse_ref, print_quoted, equal_str, true },
	[ATTR_IPV4] = { 1, parse_ipv4, print_ipv4, equal_ip, false },
	[ATTR_IPV4_HOST] = { 2, parse_ipv4_host, print_ipv4_mask, equal_ip, false },
	[ATTR_IPV4_NET] = { 2, parse_ipv4_net, print_ipv4_mask, equal_ip, false },
	[ATTR_IPV4_RANGE] = { 1, parse_ipv4_range, print_ipv4_range, equal_ip, false },
	[ATTR_IPV6] = { 1, parse_ipv6, print_bare, equal_str, true },
	[ATTR_IPV6_PREFIX] = { 1, parse_ipv6_prefix, print_bare, equal_str, true },
	[ATTR_PORT_RANGE] = { 1, parse_port_range, print_ports, equal_ports, false },
	[ATTR_SERVICE_PORTS] = { 1, parse_service_ports, print_ports, equal_ports, false },
	[ATTR_MAC] = { 1, parse_mac, print_bare, equal_str, true },
	[ATTR_UUID] = { 1, parse_uuid, print_bare, equal_str, true },
	[ATTR_TIME] = { 1, parse_time, print_time, equal_num, false },
	[ATTR_DATETIME] = { 2, parse_datetime, print_datetime, equal_num, false },
	[ATTR_PASSWORD] = { 2, parse_password, print_password, equal_str, true },
	[ATTR_PASSWORD_HASH] = { 2, parse_password, print_password, equal_str, true },
};

const struct value_type *value_type(const struct schema_attr *attr) {
	return &types[attr->type];
}
