/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every type of value: what it takes, the one form it is kept in, and each error with its text and
 * code. The attributes are made up here, so that a change of a schema does not disturb the tables.
 */
#include "cfgdb/model/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"
#include "cfgdb/model/object.h"
#include "cfgdb/model/value_type.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static const struct schema_option actions[] = {
	{ "accept", NULL, false },
	{ "deny", NULL, false },
	{ "ipsec", NULL, false },
	{ "what else?", NULL, false },
};

#define OPTIONS .options = actions, .n_options = ARRAY_LEN(actions)

enum {
	A_OPTION,
	A_OPTIONS,
	A_QUOTED_OPTION,
	A_NUMBER,
	A_SIGNED,
	A_NUMBERS,
	A_WIDE,
	A_NEVER,
	A_STRING,
	A_STRINGS,
	A_NAME,
	A_KNOWN,
	A_KNOWN_OR_NONE,
	A_DOMAIN,
	A_REF,
	A_REFS,
	A_IP,
	A_QUOTED_IP,
	A_IPS,
	A_HOST,
	A_NET,
	A_RANGE,
	A_QUOTED_RANGES,
	A_IP6,
	A_PREFIX6,
	A_PORTS,
	A_SERVICE,
	A_SERVICES,
	A_MAC,
	A_UUID,
	A_TIME,
	A_DATETIME,
	A_SECRET,
	A_HASH,
	A_CHILD
};

static const struct schema_attr attrs[] = {
	[A_OPTION] = { .name = "action", .type = ATTR_OPTION, OPTIONS },
	[A_OPTIONS] = { .name = "actions", .type = ATTR_OPTION, .flags = ATTR_MULTI, OPTIONS },
	[A_QUOTED_OPTION] = { .name = "kind", .type = ATTR_OPTION, .flags = ATTR_QUOTED, OPTIONS },
	[A_NUMBER] = { .name = "number", .type = ATTR_INTEGER, .min = 1, .max = 255 },
	[A_SIGNED] = { .name = "signed", .type = ATTR_INTEGER, .min = -5, .max = 5 },
	[A_NUMBERS] = { .name = "numbers", .type = ATTR_INTEGER, .flags = ATTR_MULTI, .max = 10 },
	[A_WIDE] = { .name = "wide", .type = ATTR_INTEGER, .max = 4294967295 },
	[A_NEVER] = { .name = "ttl", .type = ATTR_INTEGER, .flags = ATTR_NEVER, .max = 600 },
	[A_STRING] = { .name = "comment", .type = ATTR_STRING, .max = 10 },
	[A_STRINGS] = { .name = "tags", .type = ATTR_STRING, .flags = ATTR_MULTI, .max = 10 },
	[A_NAME] = { .name = "name", .type = ATTR_STRING, .flags = ATTR_KEY, .max = 35 },
	[A_KNOWN] = { .name = "vdom", .type = ATTR_STRING, .max = 31, .dflt = "deny", OPTIONS },
	[A_KNOWN_OR_NONE] = { .name = "via", .type = ATTR_STRING, .max = 31, .dflt = "", OPTIONS },
	[A_DOMAIN] = { .name = "fqdn", .type = ATTR_FQDN },
	[A_REF] = { .name = "device", .type = ATTR_REF },
	[A_REFS] = { .name = "member", .type = ATTR_REF, .flags = ATTR_MULTI },
	[A_IP] = { .name = "gateway", .type = ATTR_IPV4 },
	[A_QUOTED_IP] = { .name = "shown", .type = ATTR_IPV4, .flags = ATTR_QUOTED },
	[A_IPS] = { .name = "servers", .type = ATTR_IPV4, .flags = ATTR_MULTI },
	[A_HOST] = { .name = "ip", .type = ATTR_IPV4_HOST },
	[A_NET] = { .name = "subnet", .type = ATTR_IPV4_NET },
	[A_RANGE] = { .name = "extip", .type = ATTR_IPV4_RANGE },
	[A_QUOTED_RANGES] = { .name = "mappedip",
			      .type = ATTR_IPV4_RANGE,
			      .flags = ATTR_QUOTED | ATTR_MULTI },
	[A_IP6] = { .name = "ip6", .type = ATTR_IPV6 },
	[A_PREFIX6] = { .name = "prefix6", .type = ATTR_IPV6_PREFIX },
	[A_PORTS] = { .name = "extport", .type = ATTR_PORT_RANGE },
	[A_SERVICE] = { .name = "tcp-portrange", .type = ATTR_SERVICE_PORTS },
	[A_SERVICES] = { .name = "udp-portrange", .type = ATTR_SERVICE_PORTS, .flags = ATTR_MULTI },
	[A_MAC] = { .name = "macaddr", .type = ATTR_MAC },
	[A_UUID] = { .name = "uuid", .type = ATTR_UUID },
	[A_TIME] = { .name = "start", .type = ATTR_TIME },
	[A_DATETIME] = { .name = "end", .type = ATTR_DATETIME },
	[A_SECRET] = { .name = "psksecret", .type = ATTR_PASSWORD },
	[A_HASH] = { .name = "password", .type = ATTR_PASSWORD_HASH },
	[A_CHILD] = { .name = "peer", .type = ATTR_CHILD },
};

static int parse_line(unsigned int attr, const char *line, struct value *v, struct err *err) {
	AUTO_WORDS struct words words = { 0 };

	ck_assert_int_eq(lex_words(line, &words, err), LEX_OK);
	return value_parse(&attrs[attr], words.w, words.n, v, err);
}

static char *print(unsigned int attr, const struct value *v, enum value_style style) {
	struct str out = STR_INIT;

	value_print(&attrs[attr], v, style, &out);
	return str_steal(&out);
}

/* ---- what is taken, and the form it is kept in ---- */

static const struct {
	unsigned int attr;
	const char *line;
	const char *show; /* NULL: as typed */
	const char *get;  /* NULL: as show */
} good[] = {
	{ A_OPTION, "deny", NULL, NULL },
	{ A_OPTION, "'what else?'", "\"what else?\"", "what else?" },
	{ A_OPTIONS, "ipsec accept ipsec", "accept ipsec", NULL },
	{ A_QUOTED_OPTION, "deny", "\"deny\"", "deny" },
	{ A_NUMBER, "1", NULL, NULL },
	{ A_NUMBER, "255", NULL, NULL },
	{ A_NUMBER, "007", "7", NULL },
	{ A_SIGNED, "-5", NULL, NULL },
	{ A_SIGNED, "-0", "0", NULL },
	{ A_NUMBERS, "3 1 2 1", "3 1 2", NULL },
	{ A_WIDE, "4294967295", NULL, NULL },
	{ A_NEVER, "never", NULL, NULL },
	{ A_NEVER, "600", NULL, NULL },
	{ A_STRING, "a\\ b", "\"a b\"", "a b" },
	{ A_STRING, "'a\"b'", "\"a\\\"b\"", "a\"b" },
	{ A_STRING, "\"it's\"", "\"it\\'s\"", "it's" },
	{ A_STRING, "'a\\b'", "\"a\\\\b\"", "a\\b" },
	{ A_STRING, "\"two\nlines\"", NULL, "two\nlines" },
	{ A_STRING, "''", NULL, "" },
	{ A_STRING, "\xc3\xa4\xe2\x82\xac", "\"\xc3\xa4\xe2\x82\xac\"", "\xc3\xa4\xe2\x82\xac" },
	{ A_STRING, "\xe4", "\"\xe4\"", "\xe4" },
	{ A_STRING, "\xc2\xa0", "\"\xc2\xa0\"", "\xc2\xa0" },
	{ A_STRINGS, "b 'a c' b ''", "\"b\" \"a c\" ''", "b a c " },
	{ A_NAME, "all", "\"all\"", "all" },
	{ A_KNOWN, "deny", "\"deny\"", "deny" },
	{ A_KNOWN_OR_NONE, "ipsec", "\"ipsec\"", "ipsec" },
	{ A_KNOWN_OR_NONE, "''", NULL, "" },
	{ A_DOMAIN, "www.Example.com", "\"www.Example.com\"", "www.Example.com" },
	{ A_DOMAIN, "_sip-1.example.", "\"_sip-1.example.\"", "_sip-1.example." },
	{ A_REF, "port1", "\"port1\"", "port1" },
	{ A_REF, "''", NULL, "" },
	{ A_REFS, "b a b", "\"b\" \"a\"", "b a" },
	{ A_IP, "10.0.0.1", NULL, NULL },
	{ A_IP, "0.0.0.0", NULL, NULL },
	{ A_QUOTED_IP, "1.2.3.4", "\"1.2.3.4\"", "1.2.3.4" },
	{ A_IPS, "1.1.1.1 8.8.8.8 1.1.1.1", "1.1.1.1 8.8.8.8", NULL },
	{ A_HOST, "10.0.0.1 255.255.255.0", NULL, NULL },
	{ A_HOST, "10.0.0.1/26", "10.0.0.1 255.255.255.192", NULL },
	{ A_HOST, "10.0.0.1/32", "10.0.0.1 255.255.255.255", NULL },
	{ A_HOST, "0.0.0.0 0.0.0.0", NULL, NULL },
	{ A_NET, "10.1.2.3/8", "10.0.0.0 255.0.0.0", NULL },
	{ A_NET, "10.1.2.3 255.255.0.0", "10.1.0.0 255.255.0.0", NULL },
	{ A_NET, "1.2.3.4/0", "0.0.0.0 0.0.0.0", NULL },
	{ A_RANGE, "10.0.0.1", NULL, NULL },
	{ A_RANGE, "10.0.0.1-10.0.0.9", NULL, NULL },
	{ A_RANGE, "10.0.0.1-10.0.0.1", "10.0.0.1", NULL },
	{ A_RANGE, "10.0.0.77/30", "10.0.0.76-10.0.0.79", NULL },
	{ A_RANGE, "0.0.0.0/0", "0.0.0.0-255.255.255.255", NULL },
	{ A_QUOTED_RANGES, "1.1.1.1 2.2.2.2-2.2.2.3", "\"1.1.1.1\" \"2.2.2.2-2.2.2.3\"",
	  "1.1.1.1 2.2.2.2-2.2.2.3" },
	{ A_IP6, "2001:DB8:0:0::1", "2001:db8::1", NULL },
	{ A_PREFIX6, "2001:db8::/32", NULL, NULL },
	{ A_PREFIX6, "::1", "::1/128", NULL },
	{ A_PREFIX6, "fe80::1/064", "fe80::1/64", NULL },
	{ A_PORTS, "80", NULL, NULL },
	{ A_PORTS, "80-80", "80", NULL },
	{ A_PORTS, "0-65535", NULL, NULL },
	{ A_SERVICE, "443", NULL, NULL },
	{ A_SERVICE, "1-2:3-4", NULL, NULL },
	{ A_SERVICE, "80:0-65535", "80", NULL },
	{ A_SERVICE, "0-0:0-0", "0:0", NULL },
	{ A_SERVICES, "53 53-53 123:123", "53 123:123", NULL },
	{ A_MAC, "00:0C:29:aB:cd:EF", "00:0c:29:ab:cd:ef", NULL },
	{ A_UUID, "A26B50CC-db75-51eb-7dd5-a313054c614a", "a26b50cc-db75-51eb-7dd5-a313054c614a",
	  NULL },
	{ A_TIME, "8:05", "08:05", NULL },
	{ A_TIME, "23:59", NULL, NULL },
	{ A_DATETIME, "00:00 2001/01/01", NULL, NULL },
	{ A_DATETIME, "9:7 2024/2/29", "09:07 2024/02/29", NULL },
	{ A_SECRET, "ENC AbC+/9==", "ENC AbC+/9==", "*" },
	{ A_SECRET, "'my secret'", "ENC *", "*" },
	{ A_HASH, "secret", "ENC *", "*" },
};

START_TEST(test_good) {
	const char *show = good[_i].show ? good[_i].show : good[_i].line;
	const char *get = good[_i].get ? good[_i].get : show;
	struct err err = { 0 };
	struct value v;
	char *text;

	ck_assert_msg(parse_line(good[_i].attr, good[_i].line, &v, &err) == 0, "%s: %s",
		      good[_i].line, err.text);
	text = print(good[_i].attr, &v, VALUE_SHOW);
	ck_assert_str_eq(text, show);
	free(text);
	text = print(good[_i].attr, &v, VALUE_GET);
	ck_assert_str_eq(text, get);
	free(text);
	value_done(&attrs[good[_i].attr], &v);
}
END_TEST

/* ---- what is refused ---- */

#define PARSE(word)	    "\n\nvalue parse error before '" word "'"
#define REFUSED(name, word) "node_check_object fail! for " name " " word PARSE(word)
#define LIMIT(size, limit) \
	"string value is too long. the size is " size ", the limit is " limit "\n"
#define XSS(word)    "The string contains XSS vulnerability characters" PARSE(word)
#define NUMBER(word) "invalid unsigned integer value: " word PARSE(word)
#define MASK	     "invalid netmask.\nobject check operator error, -9, discard the setting"
#define CLASS(word)  "ip address must be a class A, B, or C ip" PARSE(word)
#define INCOMPLETE   "\nincomplete command in the end"

static const struct {
	unsigned int attr;
	const char *line;
	int code;
	const char *text;
} bad[] = {
	{ A_OPTION, "", ERR_INCOMPLETE, INCOMPLETE },
	{ A_OPTION, "allow", ERR_VALUE, REFUSED("action", "allow") },
	{ A_OPTION, "den", ERR_VALUE, REFUSED("action", "den") },
	{ A_OPTION, "''", ERR_VALUE, REFUSED("action", "") },
	{ A_OPTION, "deny accept", ERR_PARSE, "\ncommand parse error before 'accept'" },
	{ A_OPTIONS, "accept no", ERR_VALUE, REFUSED("actions", "no") },
	{ A_NUMBER, "0", ERR_VALUE, NUMBER("0") },
	{ A_NUMBER, "256", ERR_VALUE, NUMBER("256") },
	{ A_NUMBER, "1x", ERR_VALUE, NUMBER("1x") },
	{ A_NUMBER, "''", ERR_VALUE, NUMBER("") },
	{ A_NUMBER, "' 1'", ERR_VALUE, NUMBER(" 1") },
	{ A_NUMBER, "+1", ERR_VALUE, NUMBER("+1") },
	{ A_NUMBER, "0x10", ERR_VALUE, NUMBER("0x10") },
	{ A_WIDE, "4294967296", ERR_VALUE, NUMBER("4294967296") },
	{ A_WIDE, "-1", ERR_VALUE, NUMBER("-1") },
	{ A_WIDE, "never", ERR_VALUE, NUMBER("never") },
	{ A_NEVER, "-1", ERR_VALUE, NUMBER("-1") },
	{ A_NEVER, "601", ERR_VALUE, NUMBER("601") },
	{ A_NEVER, "Never", ERR_VALUE, NUMBER("Never") },
	{ A_WIDE, "99999999999999999999", ERR_VALUE, NUMBER("99999999999999999999") },
	{ A_SIGNED, "6", ERR_VALUE, "invalid integer value" PARSE("6") },
	{ A_SIGNED, "x", ERR_VALUE, "invalid integer value" PARSE("x") },
	{ A_STRING, "12345678901", ERR_LENGTH,
	  LIMIT("11", "10") "value parse error before '12345678901'" },
	{ A_STRING, "a\x1b[2J", ERR_CHARACTERS, XSS("") },
	{ A_STRING, "a\x7f", ERR_CHARACTERS, XSS("") },
	{ A_STRING, "a\xc2\x9b", ERR_CHARACTERS, XSS("") },
	{ A_STRING, "a\x9b", ERR_CHARACTERS, XSS("") },
	{ A_STRING, "\"a\rb\"", ERR_CHARACTERS, XSS("") },
	{ A_NAME, "a\\<b", ERR_CHARACTERS, XSS("a<b") },
	{ A_NAME, "a\\\"b", ERR_CHARACTERS, XSS("a\"b") },
	{ A_NAME, "\"a'b\"", ERR_CHARACTERS, XSS("a'b") },
	{ A_NAME, "\"a\tb\"", ERR_CHARACTERS, XSS("a\tb") },
	{ A_NAME, "\"a\nb\"", ERR_CHARACTERS, XSS("a\nb") },
	{ A_KNOWN, "den", ERR_NOT_FOUND, "entry not found in datasource" PARSE("den") },
	{ A_KNOWN, "denya", ERR_NOT_FOUND, "entry not found in datasource" PARSE("denya") },
	{ A_KNOWN, "''", ERR_NOT_FOUND, "entry not found in datasource" PARSE("") },
	{ A_KNOWN_OR_NONE, "den", ERR_NOT_FOUND, "entry not found in datasource" PARSE("den") },
	{ A_DOMAIN, "a..b", ERR_VALUE, "domain name is not valid.\n" REFUSED("fqdn", "a..b") },
	{ A_DOMAIN, ".", ERR_VALUE, "domain name is not valid.\n" REFUSED("fqdn", ".") },
	{ A_DOMAIN, "a b", ERR_PARSE, "\ncommand parse error before 'b'" },
	{ A_DOMAIN, "'a b'", ERR_VALUE, "domain name is not valid.\n" REFUSED("fqdn", "a b") },
	{ A_DOMAIN, "*.example.com", ERR_VALUE,
	  "domain name is not valid.\n" REFUSED("fqdn", "*.example.com") },
	{ A_REF, "a\\>b", ERR_CHARACTERS, XSS("a>b") },
	{ A_REF, "\"a\nb\"", ERR_CHARACTERS, XSS("a\nb") },
	{ A_REF, "a\x01", ERR_CHARACTERS, XSS("a?") },
	{ A_REFS, "a ''", ERR_NOT_FOUND, "entry not found in datasource" PARSE("") },
	{ A_IP, "1.1", ERR_IP, "invalid ip address" PARSE("1.1") },
	{ A_IP, "1.2.3.256", ERR_IP, "invalid ip address" PARSE("1.2.3.256") },
	{ A_IP, "1.2.3.4.5", ERR_IP, "invalid ip address" PARSE("1.2.3.4.5") },
	{ A_IP, "01.2.3.4", ERR_IP, "invalid ip address" PARSE("01.2.3.4") },
	{ A_IP, "::1", ERR_IP, "invalid ip address" PARSE("::1") },
	{ A_IP, "1.2.3.4 5.6.7.8", ERR_PARSE, "\ncommand parse error before '5.6.7.8'" },
	{ A_HOST, "1.1 255.0.0.0", ERR_IP, "invalid ip address" PARSE("1.1") },
	{ A_HOST, "1.2.3.4", ERR_INCOMPLETE, INCOMPLETE },
	{ A_HOST, "1.2.3.4 255.0.255.0", ERR_NETMASK, MASK },
	{ A_HOST, "1.2.3.4 24", ERR_NETMASK, MASK },
	{ A_HOST, "1.2.3.4/33", ERR_NETMASK, MASK },
	{ A_HOST, "1.2.3.4/", ERR_NETMASK, MASK },
	{ A_HOST, "1.2.3.4/-1", ERR_NETMASK, MASK },
	{ A_HOST, "1.2.3.4/24x", ERR_NETMASK, MASK },
	{ A_HOST, "224.0.0.1/24", ERR_IP, CLASS("224.0.0.1/24") },
	{ A_HOST, "255.255.255.255/32", ERR_IP, CLASS("255.255.255.255/32") },
	{ A_HOST, "1.2.3.4/24 x", ERR_PARSE, "\ncommand parse error before 'x'" },
	{ A_NET, "1.2.3.4 255.255.255.1", ERR_NETMASK, MASK },
	{ A_NET, "1.2.3.4/99999999999999999999", ERR_NETMASK, MASK },
	{ A_RANGE, "1.1-2.2", ERR_IP, "invalid ip address" PARSE("1.1-2.2") },
	{ A_RANGE, "1.1.1.1-", ERR_IP, "invalid ip address" PARSE("1.1.1.1-") },
	{ A_RANGE, "1.1.1.1-2", ERR_IP, "invalid ip address" PARSE("1.1.1.1-2") },
	{ A_RANGE, "1.1.1.2-1.1.1.1", ERR_IP_RANGE, REFUSED("extip", "1.1.1.2-1.1.1.1") },
	{ A_RANGE, "1.1.1.1/40", ERR_NETMASK, MASK },
	{ A_IP6, "1.2.3.4", ERR_IP, "invalid ip address" PARSE("1.2.3.4") },
	{ A_IP6, "2001:db8", ERR_IP, "invalid ip address" PARSE("2001:db8") },
	{ A_PREFIX6, "::/129", ERR_NETMASK, MASK },
	{ A_PREFIX6, "::/x", ERR_NETMASK, MASK },
	{ A_PREFIX6, "x/64", ERR_IP, "invalid ip address" PARSE("x") },
	{ A_PORTS, "65536", ERR_RANGE, REFUSED("extport", "65536") },
	{ A_PORTS, "80-", ERR_RANGE, REFUSED("extport", "80-") },
	{ A_PORTS, "90-80", ERR_RANGE, REFUSED("extport", "90-80") },
	{ A_PORTS, "80:90", ERR_RANGE, REFUSED("extport", "80:90") },
	{ A_PORTS, "-1", ERR_RANGE, REFUSED("extport", "-1") },
	{ A_PORTS, "000080", ERR_RANGE, REFUSED("extport", "000080") },
	{ A_SERVICE, "100-10", ERR_RANGE, REFUSED("tcp-portrange", "100-10") },
	{ A_SERVICE, "1:9-8", ERR_RANGE, REFUSED("tcp-portrange", "1:9-8") },
	{ A_SERVICE, "1:", ERR_RANGE, REFUSED("tcp-portrange", "1:") },
	{ A_SERVICE, "1:2:3", ERR_RANGE, REFUSED("tcp-portrange", "1:2:3") },
	{ A_MAC, "00:0c:29:ab:cd", ERR_VALUE, REFUSED("macaddr", "00:0c:29:ab:cd") },
	{ A_MAC, "00:-1:29:ab:cd:ef", ERR_VALUE, REFUSED("macaddr", "00:-1:29:ab:cd:ef") },
	{ A_MAC, "00:0x:29:ab:cd:ef", ERR_VALUE, REFUSED("macaddr", "00:0x:29:ab:cd:ef") },
	{ A_MAC, "00-0c-29-ab-cd-ef", ERR_VALUE, REFUSED("macaddr", "00-0c-29-ab-cd-ef") },
	{ A_MAC, "00:0c:29:ab:cd:ef:", ERR_VALUE, REFUSED("macaddr", "00:0c:29:ab:cd:ef:") },
	{ A_UUID, "a26b50cc", ERR_VALUE, REFUSED("uuid", "a26b50cc") },
	{ A_UUID, "a26b50cc-db75-51eb-7dd5-a313054c614aa", ERR_VALUE,
	  REFUSED("uuid", "a26b50cc-db75-51eb-7dd5-a313054c614aa") },
	{ A_UUID, "a26b50ccxdb75-51eb-7dd5-a313054c614a", ERR_VALUE,
	  REFUSED("uuid", "a26b50ccxdb75-51eb-7dd5-a313054c614a") },
	{ A_TIME, "24:00", ERR_VALUE, REFUSED("start", "24:00") },
	{ A_TIME, "12:60", ERR_VALUE, REFUSED("start", "12:60") },
	{ A_TIME, "12", ERR_VALUE, REFUSED("start", "12") },
	{ A_TIME, "+1:+2", ERR_VALUE, REFUSED("start", "+1:+2") },
	{ A_TIME, "012:00", ERR_VALUE, REFUSED("start", "012:00") },
	{ A_DATETIME, "12:00", ERR_INCOMPLETE, INCOMPLETE },
	{ A_DATETIME, "12:00 2023/02/29", ERR_VALUE, REFUSED("end", "2023/02/29") },
	{ A_DATETIME, "12:00 1900/02/29", ERR_VALUE, REFUSED("end", "1900/02/29") },
	{ A_DATETIME, "12:00 2023/13/01", ERR_VALUE, REFUSED("end", "2023/13/01") },
	{ A_DATETIME, "12:00 2023/00/01", ERR_VALUE, REFUSED("end", "2023/00/01") },
	{ A_DATETIME, "12:00 2023/01/00", ERR_VALUE, REFUSED("end", "2023/01/00") },
	{ A_DATETIME, "12:00 -1/01/01", ERR_VALUE, REFUSED("end", "-1/01/01") },
	{ A_DATETIME, "25:00 2023/01/01", ERR_VALUE, REFUSED("end", "25:00") },
	{ A_SECRET, "a\x1b", ERR_CHARACTERS, XSS("***") },
	{ A_SECRET, "secret ENC", ERR_PARSE, "\ncommand parse error before '***'" },
	{ A_SECRET, "ENC", ERR_INCOMPLETE, "\nincomplete command in the end" },
	{ A_SECRET, "ENC a*b", ERR_VALUE, REFUSED("psksecret", "***") },
	{ A_SECRET, "ENC ''", ERR_VALUE, REFUSED("psksecret", "***") },
	{ A_CHILD, "1", ERR_PARSE, "\ncommand parse error before 'peer'" },
};

START_TEST(test_bad) {
	struct err err = { 0 };
	struct value v;
	int rc = parse_line(bad[_i].attr, bad[_i].line, &v, &err);

	ck_assert_msg(rc == bad[_i].code, "%s gives %d, not %d", bad[_i].line, rc, bad[_i].code);
	ck_assert_int_eq(err.code, rc);
	ck_assert_str_eq(err.text, bad[_i].text);
	ck_assert_uint_eq(v.n, 0);
	ck_assert_int_eq(parse_line(bad[_i].attr, bad[_i].line, &v, NULL), rc);
}
END_TEST

/* Words that are too long for any type are refused, and errors quote only their beginning. */
START_TEST(test_long_words) {
	char *word = xcalloc(100001, 1);

	memset(word, '7', 100000);
	for (unsigned int i = 0; i < A_CHILD; i++) {
		char *words[] = { word, word };
		struct err err = { 0 };
		struct value v;

		ck_assert_msg(value_parse(&attrs[i], words, 2, &v, &err) != 0, "%s", attrs[i].name);
		ck_assert_uint_lt(strlen(err.text), 700);
	}
	free(word);
}
END_TEST

/* ---- secrets ---- */

static struct value one(unsigned int attr, const char *line) {
	struct value v;

	ck_assert_int_eq(parse_line(attr, line, &v, NULL), 0);
	return v;
}

/* A secret in clear is seen on the wire only; an empty one is none. */
START_TEST(test_secret_styles) {
	struct value v = one(A_SECRET, "'a \"b\"'");
	char *text = print(A_SECRET, &v, VALUE_WIRE);

	ck_assert_str_eq(text, "\"a \\\"b\\\"\"");
	free(text);
	value_done(&attrs[A_SECRET], &v);
	v = one(A_HASH, "''");
	ck_assert_uint_eq(v.n, 0);
}
END_TEST

START_TEST(test_secret_too_long) {
	char *word = xcalloc(5000, 1);
	char *words[] = { word, (char *)"x" }, *sealed[] = { (char *)"ENC", word };
	struct err err = { 0 };
	struct value v;

	memset(word, 'a', 513);
	ck_assert_int_eq(value_parse(&attrs[A_SECRET], words, 1, &v, &err), ERR_LENGTH);
	ck_assert_str_eq(err.text, LIMIT("513", "512") "value parse error before '***'");
	memset(word, 'a', 4097);
	ck_assert_int_eq(value_parse(&attrs[A_SECRET], sealed, 2, &v, &err), ERR_LENGTH);
	ck_assert_str_eq(err.text, LIMIT("4097", "4096") "value parse error before '***'");
	free(word);
}
END_TEST

/* ---- lists ---- */

static const struct {
	unsigned int attr;
	const char *have, *change, *appended, *removed;
	unsigned int n_removed;
} lists[] = {
	{ A_REFS, "a b", "c a d", "\"a\" \"b\" \"c\" \"d\"", "\"b\"", 1 },
	{ A_REFS, "a b c", "b", "\"a\" \"b\" \"c\"", "\"a\" \"c\"", 1 },
	{ A_REFS, "a b c d e", "e d c b", "\"a\" \"b\" \"c\" \"d\" \"e\"", "\"a\"", 4 },
	{ A_REFS, "a", "a", "\"a\"", "", 1 },
	{ A_OPTIONS, "ipsec", "accept deny", "accept deny ipsec", "ipsec", 0 },
	{ A_NUMBERS, "1 2 3 4 5 6 7 8 9", "9 5 1 10", "1 2 3 4 5 6 7 8 9 10", "2 3 4 6 7 8", 3 },
	{ A_IPS, "1.1.1.1 2.2.2.2", "2.2.2.2", "1.1.1.1 2.2.2.2", "1.1.1.1", 1 },
	{ A_SERVICES, "1 2:3", "2:3 2", "1 2:3 2", "1", 1 },
};

START_TEST(test_lists) {
	const struct schema_attr *a = &attrs[lists[_i].attr];
	struct value have = one(lists[_i].attr, lists[_i].have),
		     change = one(lists[_i].attr, lists[_i].change);
	struct value copy = value_copy(a, &have);
	char *text;

	ck_assert(value_equal(a, &copy, &have));
	value_append(a, &copy, &change);
	text = print(lists[_i].attr, &copy, VALUE_SHOW);
	ck_assert_str_eq(text, lists[_i].appended);
	free(text);
	ck_assert_uint_eq(value_remove(a, &have, &change), lists[_i].n_removed);
	text = print(lists[_i].attr, &have, VALUE_SHOW);
	ck_assert_str_eq(text, lists[_i].removed);
	free(text);
	value_done(a, &have);
	value_done(a, &change);
	value_done(a, &copy);
}
END_TEST

/* Items taken out and added at random agree with an array. */
START_TEST(test_items_random) {
	struct rng r = rng_seed(fixture_seed());
	struct value v = { 0 };
	int64_t want[64];
	uint32_t n = 0;

	for (unsigned int i = 0; i < fixture_rounds(20000); i++) {
		if (n < ARRAY_LEN(want) && (n == 0 || rng_chance(&r, 55))) {
			want[n++] = (int64_t)i;
			value_add_item(&v, (union item){ .num = i });
		} else {
			uint32_t at = rng_below(&r, n);

			ck_assert_int_eq(value_take_item(&v, at).num, want[at]);
			memmove(&want[at], &want[at + 1], (n - at - 1) * sizeof(want[0]));
			n--;
		}
		ck_assert_uint_eq(v.n, n);
		for (uint32_t k = 0; k < n; k++)
			ck_assert_int_eq(value_item(&v, k)->num, want[k]);
	}
	value_done(&attrs[A_NUMBERS], &v);
}
END_TEST

START_TEST(test_replace_item) {
	struct value v = one(A_REFS, "a b");

	value_replace_item(&attrs[A_REFS], &v, 1, (union item){ .str = xstrdup("c") });
	ck_assert_str_eq(value_item(&v, 0)->str, "a");
	ck_assert_str_eq(value_item(&v, 1)->str, "c");
	value_done(&attrs[A_REFS], &v);
	v = one(A_REFS, "a");
	value_replace_item(&attrs[A_REFS], &v, 0, (union item){ .str = xstrdup("z") });
	ck_assert_str_eq(value_item(&v, 0)->str, "z");
	value_done(&attrs[A_REFS], &v);
}
END_TEST

START_TEST(test_most_items) {
	char **words = xcalloc(VALUE_ITEMS_MAX + 1, sizeof(*words));
	struct err err = { 0 };
	struct value v;

	for (int i = 0; i <= VALUE_ITEMS_MAX; i++)
		words[i] = xasprintf("name%d", i);
	ck_assert_int_eq(value_parse(&attrs[A_REFS], words, VALUE_ITEMS_MAX, &v, &err), 0);
	ck_assert_uint_eq(v.n, VALUE_ITEMS_MAX);
	value_done(&attrs[A_REFS], &v);
	ck_assert_int_eq(value_parse(&attrs[A_REFS], words, VALUE_ITEMS_MAX + 1, &v, &err),
			 ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text, "Too many values. Maximum number of entries: 4096;\n"
				   "attribute set operator error, -4, discard the setting");
	for (int i = 0; i <= VALUE_ITEMS_MAX; i++)
		free(words[i]);
	free(words);
}
END_TEST

/* ---- the product's own schema ---- */

/* Every default that the schema names is a value of its attribute. */
START_TEST(test_defaults) {
	for (uint16_t t = 0; t < schema_n_tables; t++) {
		const struct schema_table *table = schema_tables[t];

		for (uint16_t i = 0; i < table->n_attrs; i++) {
			const struct schema_attr *a = &table->attrs[i];
			const struct value *v = value_default_at(table, i);

			ck_assert_msg((v != NULL) == (a->dflt != NULL),
				      "%s %s: default '%s' is no value", table->dotted, a->name,
				      a->dflt ? a->dflt : "");
			ck_assert_ptr_eq(value_default(a), v);
		}
	}
}
END_TEST

static void round_trip(struct rng *r, const struct schema_table *table, const struct schema_attr *a,
		       uint64_t seed) {
	struct value v = random_value(r, a, NULL, NULL), back;
	AUTO_WORDS struct words words = { 0 };
	struct str text = STR_INIT, again = STR_INIT;
	struct err err = { 0 };

	if (v.n == 0)
		return;
	value_print(a, &v, VALUE_WIRE, &text);
	ck_assert_int_eq(lex_words(str_text(&text), &words, &err), LEX_OK);
	ck_assert_msg(value_parse(a, words.w, words.n, &back, &err) == 0,
		      "seed %llu: %s %s: %s: %s", (unsigned long long)seed, table->dotted, a->name,
		      str_text(&text), err.text);
	ck_assert_msg(value_equal(a, &v, &back), "seed %llu: %s %s: %s", (unsigned long long)seed,
		      table->dotted, a->name, str_text(&text));
	value_print(a, &back, VALUE_WIRE, &again);
	ck_assert_str_eq(str_text(&text), str_text(&again));
	value_done(a, &v);
	value_done(a, &back);
	str_done(&text);
	str_done(&again);
}

/* What is printed reads back to an equal value, for every attribute of the product. */
START_TEST(test_round_trip) {
	for (uint16_t t = 0; t < schema_n_tables; t++) {
		const struct schema_table *table = schema_tables[t];

		for (uint16_t i = 0; i < table->n_attrs; i++) {
			uint64_t seed = fixture_seed() * 1000000 + t * 1000u + i;
			struct rng r = rng_seed(seed);

			for (unsigned int n = fixture_rounds(20);
			     table->attrs[i].type != ATTR_CHILD && n > 0; n--)
				round_trip(&r, table, &table->attrs[i], seed);
		}
	}
}
END_TEST

/* ---- IPv4 ---- */

START_TEST(test_mask_len) {
	for (int len = 0; len <= 32; len++)
		ck_assert_int_eq(value_mask_len(len ? 0xffffffffu << (32 - len) : 0), len);
	ck_assert_int_eq(value_mask_len(1), -1);
	ck_assert_int_eq(value_mask_len(0xff00ff00), -1);
	ck_assert_int_eq(value_mask_len(0x7fffffff), -1);
}
END_TEST

static Suite *value_suite(void) {
	Suite *s = suite_create("value");
	TCase *t = fixture_case(s, "value");

	tcase_add_loop_test(t, test_good, 0, ARRAY_LEN(good));
	tcase_add_loop_test(t, test_bad, 0, ARRAY_LEN(bad));
	tcase_add_test(t, test_long_words);
	tcase_add_test(t, test_secret_styles);
	tcase_add_test(t, test_secret_too_long);
	tcase_add_loop_test(t, test_lists, 0, ARRAY_LEN(lists));
	tcase_add_test(t, test_items_random);
	tcase_add_test(t, test_replace_item);
	tcase_add_test(t, test_most_items);
	tcase_add_test(t, test_defaults);
	tcase_add_test(t, test_round_trip);
	tcase_add_test(t, test_mask_len);
	return s;
}

int main(void) {
	return fixture_run(value_suite());
}
