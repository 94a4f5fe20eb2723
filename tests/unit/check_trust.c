/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From where administrators may log in: one of them against addresses, the same as option of a key,
 * and all of them together.
 */
#include "cfgdb/aaa/trust.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "tests/lib/fixture.h"

#define PROFILE "set accprofile super_admin\n"

static const struct {
	const char *body, *patterns;
	const char *in[4], *out[4];
} cases[] = {
	{ "", "", { "10.0.0.1", "2001:db8::1", "not an address", "" }, { NULL } },
	{ "set trusthost1 0.0.0.0 0.0.0.0\nset ip6-trusthost3 ::/0\n", "",
	  { "10.0.0.1", "2001:db8::1" }, { NULL } },
	{ "set trusthost2 10.0.0.0 255.255.255.128\n", "10.0.0.0/25,::/0",
	  { "10.0.0.0", "10.0.0.127", "::ffff:10.0.0.1", "2001:db8::1" },
	  { "10.0.0.128", "9.255.255.255", "not an address", "" } },
	{ "set trusthost1 10.1.2.3 255.255.255.255\nset trusthost10 192.168.0.0 255.255.0.0\n"
	  "set ip6-trusthost10 2001:db8:0:4::/62\n",
	  "10.1.2.3/32,192.168.0.0/16,2001:db8:0:4::/62",
	  { "10.1.2.3", "192.168.255.255", "2001:db8:0:7::1" },
	  { "10.1.2.2", "192.169.0.0", "2001:db8:0:8::1", "::ffff:10.1.2.4" } },
	{ "set ip6-trusthost1 fe80::/10\n", "fe80::/10,0.0.0.0/0",
	  { "1.2.3.4", "fe80::1%eth0", "febf::1" }, { "fec0::1", "::1", "fe80::1%a b", "1.2.3.4 " } },
};

static struct object *admin(const char *body) {
	AUTO_FREE char *text = xasprintf("%s%s", PROFILE, body);
	struct object *obj = object_new(fixture_table("system.admin"), "x");
	struct err err = { 0 };

	ck_assert_msg(text_parse(obj, text, &err) == 0, "%s", err.text);
	return obj;
}

static bool allows(const struct trust *t, const char *address) {
	struct trust_source source;

	(void)trust_source(address, &source);
	return trust_allows(t, &source);
}

START_TEST(test_one) {
	struct object *obj = admin(cases[_i].body);
	AUTO_STR struct str patterns = STR_INIT;
	struct trust t;

	trust_of(obj, &t);
	for (int i = 0; i < 4 && cases[_i].in[i]; i++)
		ck_assert_msg(allows(&t, cases[_i].in[i]), "%s", cases[_i].in[i]);
	for (int i = 0; i < 4 && cases[_i].out[i]; i++)
		ck_assert_msg(!allows(&t, cases[_i].out[i]), "%s", cases[_i].out[i]);
	trust_patterns(&t, &patterns);
	ck_assert_str_eq(str_text(&patterns), cases[_i].patterns);
	object_free(obj);
}
END_TEST

struct seen {
	struct str text;
};

static void see(void *arg, const struct object *who, const struct trust_net *net) {
	struct seen *s = arg;
	char text[NET_TEXT_MAX];

	inet_ntop(net->family, net->addr.byte, text, sizeof(text));
	str_addf(&s->text, "%s:%s/%u ", who->key, text, net->bits);
}

static void check_union(const struct engine *e, int family, bool open, const char *nets) {
	struct seen s = { STR_INIT };

	ck_assert_int_eq(trust_is_open(e->model, family), open);
	trust_each(e->model, family, see, &s);
	ck_assert_str_eq(str_text(&s.text), nets);
	str_done(&s.text);
}

START_TEST(test_all) {
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);

	check_union(e, AF_INET, true, "");
	fixture_set(e, "system.admin", "admin", PROFILE "set trusthost1 10.0.0.0/8\n");
	check_union(e, AF_INET, false, "admin:10.0.0.0/8 ");
	check_union(e, AF_INET6, true, "");
	fixture_set(e, "system.admin", "b", PROFILE "set trusthost3 10.0.0.0/8\n"
						    "set ip6-trusthost1 fe80::/10\n");
	check_union(e, AF_INET, false, "admin:10.0.0.0/8 b:10.0.0.0/8 ");
	/* One who may come from anywhere opens it to all; one who cannot log in does not. */
	fixture_set(e, "system.admin", "c", PROFILE);
	check_union(e, AF_INET, true, "");
	fixture_set(e, "system.admin", "c", PROFILE "set status disable\n");
	check_union(e, AF_INET, false, "admin:10.0.0.0/8 b:10.0.0.0/8 ");
	fixture_set(e, "system.admin", "c", PROFILE "set remote-auth enable\n");
	check_union(e, AF_INET, false, "admin:10.0.0.0/8 b:10.0.0.0/8 ");
	fixture_set(e, "system.admin", "admin",
		    PROFILE "set trusthost1 10.0.0.0/8\nset ip6-trusthost2 ::1/128\n");
	check_union(e, AF_INET6, false, "admin:::1/128 b:fe80::/10 ");
	engine_close(e);
}
END_TEST

static Suite *trust_suite(void) {
	Suite *s = suite_create("trust");
	TCase *t = fixture_case(s, "trust");

	tcase_add_loop_test(t, test_one, 0, ARRAY_LEN(cases));
	tcase_add_test(t, test_all);
	return s;
}

int main(void) {
	return fixture_run(trust_suite());
}
