/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations as bytes: each kind survives, and no bytes that are none are taken. */
#include "cfgdb/model/operation.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define TEXT(s) ((char *)(s))

static const struct operation operations[] = {
	{ OPERATION_PUT, false, TEXT("system.global"), TEXT(""), TEXT(""), TEXT("set x y\n") },
	{ OPERATION_PUT, true, TEXT("firewall.policy"), TEXT("7"), TEXT("12"), TEXT("") },
	{ OPERATION_PUT, true, TEXT("firewall.policy"), TEXT("7"), TEXT(""), TEXT("a\nb\n") },
	{ OPERATION_DELETE, false, TEXT("firewall.address"), TEXT("a b"), TEXT(""), TEXT("") },
	{ OPERATION_PLACE, true, TEXT("firewall.policy"), TEXT("7"), TEXT("6"), TEXT("") },
};

START_TEST(test_round_trip) {
	const struct operation *o = &operations[_i];
	AUTO_BUF struct buf b = BUF_INIT;
	struct buf_reader r;
	struct operation got;

	operation_encode(&b, o);
	buf_reader_init(&r, b.data, b.len);
	operation_decode(&got, &r);
	ck_assert(buf_reader_end(&r));
	ck_assert_int_eq(got.kind, o->kind);
	ck_assert_int_eq(got.placed, o->placed);
	ck_assert_str_eq(got.table, o->table);
	ck_assert_str_eq(got.key, o->key);
	ck_assert_str_eq(got.after, o->after);
	ck_assert_str_eq(got.body, o->body);
	operation_done(&got);
	ck_assert_ptr_null(got.table);
}
END_TEST

/* Cut anywhere it is none, and can be released all the same. */
START_TEST(test_cut) {
	AUTO_BUF struct buf b = BUF_INIT;

	operation_encode(&b, &operations[_i]);
	for (size_t len = 0; len < b.len; len++) {
		struct buf_reader r;
		struct operation got;

		buf_reader_init(&r, b.data, len);
		operation_decode(&got, &r);
		ck_assert(r.bad);
		operation_done(&got);
	}
}
END_TEST

static const struct {
	const char *name;
	uint8_t kind, placed;
	const char *table, *after;
} wrong[] = {
	{ "kind 0", 0, 0, "a.b", "" },
	{ "kind 4", 4, 0, "a.b", "" },
	{ "a flag that is none", OPERATION_PUT, 2, "a.b", "" },
	{ "no table", OPERATION_PUT, 0, "", "" },
	{ "after what, where there is no order", OPERATION_PUT, 0, "a.b", "x" },
	{ "a place that is none", OPERATION_PLACE, 0, "a.b", "" },
};

START_TEST(test_wrong) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct buf_reader r;
	struct operation got;

	buf_put_u8(&b, wrong[_i].kind);
	buf_put_str(&b, wrong[_i].table);
	buf_put_str(&b, "key");
	buf_put_u8(&b, wrong[_i].placed);
	buf_put_str(&b, wrong[_i].after);
	if (wrong[_i].kind == OPERATION_PUT)
		buf_put_str(&b, "");
	buf_reader_init(&r, b.data, b.len);
	operation_decode(&got, &r);
	ck_assert_msg(r.bad, "%s", wrong[_i].name);
	operation_done(&got);
}
END_TEST

static Suite *operation_suite(void) {
	Suite *s = suite_create("operation");
	TCase *t = tcase_create("operation");

	tcase_add_loop_test(t, test_round_trip, 0, ARRAY_LEN(operations));
	tcase_add_loop_test(t, test_cut, 0, ARRAY_LEN(operations));
	tcase_add_loop_test(t, test_wrong, 0, ARRAY_LEN(wrong));
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(operation_suite());
}
