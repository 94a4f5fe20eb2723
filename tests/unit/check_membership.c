/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a unit knows of its group, as text and back: each field survives, and no line that is not
 * one of these is taken.
 */
#include "cfgdb/membership.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define MEMBER "member GHVM000000000002 9b09d366-f5e2-490f-acab-3bbf2835bd7b "
#define VMID "9b09d366-f5e2-490f-acab-3bbf2835bd7b"

static const char all[] = "epoch 3\nheard 5\nsynced 1\njoined 1\n"
			  "primary GHVM000000000001 77\n" MEMBER "secondary 10.0.0.2 1700000000 4\n"
			  "member GHVM000000000003 " VMID " primary 10.0.0.3 0 0\n"
			  "member GHVM000000000004 " VMID " gone 10.0.0.4 0 1\n";

START_TEST(test_round_trip) {
	AUTO_STR struct str text = STR_INIT;
	struct err err = { 0 };
	struct membership m;

	ck_assert_msg(membership_parse(&m, all, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(m.epoch, 3);
	ck_assert_uint_eq(m.heard, 5);
	ck_assert(m.synced && m.joined);
	ck_assert_str_eq(m.primary, "GHVM000000000001");
	ck_assert_uint_eq(m.revision, 77);
	ck_assert_uint_eq(m.n, 3);
	ck_assert_uint_eq(m.member[0].role, MEMBER_SECONDARY);
	ck_assert_int_eq(m.member[0].heard_s, 1700000000);
	ck_assert_uint_eq(m.member[0].sync_id, 4);
	ck_assert_uint_eq(m.member[1].role, MEMBER_PRIMARY);
	ck_assert_uint_eq(m.member[2].role, MEMBER_GONE);
	ck_assert_ptr_eq(membership_find(&m, "GHVM000000000003"), &m.member[1]);
	ck_assert_ptr_null(membership_find(&m, "GHVM000000000005"));
	membership_text(&m, &text);
	ck_assert_str_eq(str_text(&text), all);
}
END_TEST

START_TEST(test_nothing) {
	AUTO_STR struct str text = STR_INIT;
	struct membership m, again;

	ck_assert_int_eq(membership_parse(&m, "", NULL), 0);
	ck_assert_uint_eq(m.epoch, 0);
	ck_assert(!m.synced && !m.joined && !*m.primary && m.n == 0);
	membership_text(&m, &text);
	ck_assert_int_eq(membership_parse(&again, str_text(&text), NULL), 0);
	ck_assert_int_eq(memcmp(&m, &again, sizeof(m)), 0);
}
END_TEST

static const char *const refused[] = {
	"epoch\n", "epoch 1 2\n", "epoch -1\n", "epoch 1x\n", "epoch  1\n", "epoch 1", "\n",
	"epoch 18446744073709551615\n", "epoch 99999999999999999999999\n", "synced 2\n",
	"synced yes\n", "joined 2\n", "joined\n", "primary GHVM1\n", "primary a/b 1\n", "primary  1\n",
	"primary GHVM0000000000000001 1\n", "unknown 1\n",
	"member GHVM1 v secondary 10.0.0.1 0\n",
	"member GHVM1 v secondary 10.0.0.1 0 0 0\n",
	"member GHVM1 v other 10.0.0.1 0 0\n",
	"member GHVM1 v secondary 10.0.0.256 0 0\n",
	"member GHVM1 v secondary ::1 0 0\n",
	"member GHVM1 v secondary 10.0.0.1 0 4294967296\n",
	"member GHVM1 v secondary 10.0.0.1 -1 0\n",
	"member GHVM1 v secondary 10.0.0.1 0 0\nmember GHVM1 v secondary 10.0.0.2 0 0\n",
};

START_TEST(test_refused) {
	struct err err = { 0 };
	struct membership m;

	ck_assert_int_eq(membership_parse(&m, refused[_i], &err), ERR_PARSE);
	ck_assert_ptr_nonnull(strstr(err.text, "line "));
}
END_TEST

/* The most members there can be have room in the text, and one more is refused. */
START_TEST(test_many) {
	AUTO_STR struct str text = STR_INIT;
	struct membership m;

	for (int i = 0; i < MEMBERS_MAX; i++)
		str_addf(&text,
			 "member GHVM%015d " VMID "000 secondary 255.255.255.255 "
			 "9223372036854775807 4294967295\n", i);
	ck_assert_int_eq(membership_parse(&m, str_text(&text), NULL), 0);
	ck_assert_uint_eq(m.n, MEMBERS_MAX);
	ck_assert_uint_lt(text.len + 200, MEMBERSHIP_TEXT_MAX);
	str_add(&text, "member GHVM1 v secondary 10.0.0.1 0 0\n");
	ck_assert_int_eq(membership_parse(&m, str_text(&text), NULL), ERR_PARSE);
}
END_TEST

static Suite *suite(void) {
	Suite *s = suite_create("membership");
	TCase *tc = tcase_create("membership");

	tcase_add_test(tc, test_round_trip);
	tcase_add_test(tc, test_nothing);
	tcase_add_loop_test(tc, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, test_many);
	suite_add_tcase(s, tc);
	return s;
}

int main(void) {
	return fixture_run(suite());
}
