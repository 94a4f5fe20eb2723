/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expected sessions as they are shown: each part of a line, and of JSON. */
#include "backends/session_text.h"

#include <arpa/inet.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define TCP IPPROTO_TCP

static char text[SESSION_TEXT_MAX];
static struct fmt f;

static void begin(void) {
	f = fmt_begin(text, sizeof(text) - 1);
}

static void assert_text(const char *right) {
	ck_assert(!f.cut);
	*f.at = '\0';
	ck_assert_str_eq(text, right);
}

static struct ct_expect expected(uint8_t family, uint8_t proto, const char *src, const char *dst,
				 uint16_t dport) {
	struct ct_expect e = { .family = family, .proto = proto, .master_proto = TCP };

	ck_assert(net_parse(family, src, &e.tuple.src) && net_parse(family, dst, &e.tuple.dst));
	e.tuple.dport = dport;
	e.master = e.tuple;
	e.master.sport = 4711;
	e.master.dport = 21;
	memset(&e.mask.src, 0xff, net_len(family));
	memset(&e.mask.dst, 0xff, net_len(family));
	e.mask.dport = UINT16_MAX;
	return e;
}

START_TEST(test_expect) {
	struct ct_expect e = expected(AF_INET, TCP, "1.2.3.4", "5.6.7.8", 2000);

	e.timeout = 299;
	strcpy(e.helper, "Q.931");
	begin();
	session_text_expect(&e, 0, &f);
	assert_text("expect info: proto=6 expire=299 flags=00000000 helper=h323 vd=0 "
		    "1.2.3.4:*->5.6.7.8:2000 master: proto=6 1.2.3.4:4711->5.6.7.8:21\n");
	e.has_nat = true;
	e.nat.sport = 3000;
	ck_assert(net_parse(AF_INET, "9.9.9.9", &e.nat.src));
	e.flags = 5;
	e.helper[0] = '\0';
	ck_assert(net_parse(AF_INET, "255.255.0.0", &e.mask.src));
	e.mask.sport = 0xff00;
	e.tuple.sport = 512;
	begin();
	session_text_expect(&e, 3, &f);
	assert_text("expect info: proto=6 expire=299 flags=00000005 vd=3 "
		    "1.2.3.4/255.255.0.0:512/65280->5.6.7.8:2000(9.9.9.9:3000) "
		    "master: proto=6 1.2.3.4:4711->5.6.7.8:21\n");
	e = expected(AF_INET6, IPPROTO_UDP, "fd00::1", "fd00::2", 2000);
	memset(&e.mask.src, 0, sizeof(e.mask.src));
	begin();
	session_text_expect(&e, 0, &f);
	assert_text("expect info: proto=17 expire=0 flags=00000000 vd=0 "
		    "*:*->fd00::2:2000 master: proto=6 fd00::1:4711->fd00::2:21\n");
}
END_TEST

START_TEST(test_expect_json) {
	struct ct_expect e = expected(AF_INET, TCP, "1.2.3.4", "5.6.7.8", 2000);

	e.timeout = 299;
	e.flags = 5;
	strcpy(e.helper, "Q.931");
	e.has_nat = true;
	e.nat.sport = 3000;
	ck_assert(net_parse(AF_INET, "9.9.9.9", &e.nat.src));
	ck_assert(net_parse(AF_INET, "255.255.0.0", &e.mask.src));
	e.mask.sport = 0xff00;
	e.tuple.sport = 512;
	begin();
	session_text_expect_json(&e, 3, &f);
	assert_text("{\"vdom\":3,\"protocol\":6,\"expire\":299,\"flags\":5,\"helper\":\"h323\","
		    "\"source\":{\"address\":\"1.2.3.4\",\"address_mask\":\"255.255.0.0\","
		    "\"port\":512,\"port_mask\":65280},"
		    "\"destination\":{\"address\":\"5.6.7.8\",\"port\":2000},"
		    "\"translated\":{\"address\":\"9.9.9.9\",\"port\":3000},"
		    "\"master\":{\"protocol\":6,\"source\":{\"address\":\"1.2.3.4\",\"port\":4711},"
		    "\"destination\":{\"address\":\"5.6.7.8\",\"port\":21}}}");
	e = expected(AF_INET6, IPPROTO_UDP, "fd00::1", "fd00::2", 2000);
	memset(&e.mask.src, 0, sizeof(e.mask.src));
	begin();
	session_text_expect_json(&e, 0, &f);
	assert_text("{\"vdom\":0,\"protocol\":17,\"expire\":0,\"flags\":0,\"helper\":null,"
		    "\"source\":{\"address\":null,\"port\":null},"
		    "\"destination\":{\"address\":\"fd00::2\",\"port\":2000},\"translated\":null,"
		    "\"master\":{\"protocol\":6,\"source\":{\"address\":\"fd00::1\",\"port\":4711},"
		    "\"destination\":{\"address\":\"fd00::2\",\"port\":21}}}");
}
END_TEST

static Suite *expect_suite(void) {
	Suite *s = suite_create("session expect");
	TCase *t = fixture_case(s, "session expect");

	tcase_add_test(t, test_expect);
	tcase_add_test(t, test_expect_json);
	return s;
}

int main(void) {
	return fixture_run(expect_suite());
}
