/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rulesets as data: sets of addresses, lookups, hashes, and the difference of two rulesets. */
#include "backends/ruleset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/ranges.h"
#include "backends/ruleset_diff.h"
#include "tests/lib/fixture.h"

/* ---- ranges ---- */

static struct ranges random_ranges(uint64_t *state, bool member[64]) {
	struct ranges s = { NULL, 0 };

	memset(member, 0, 64 * sizeof(*member));
	for (int n = 0; n < 6; n++) {
		uint32_t lo, hi;

		*state = *state * 6364136223846793005u + 1442695040888963407u;
		lo = (uint32_t)(*state >> 40) % 64;
		hi = lo + (uint32_t)(*state >> 50) % 12;
		if (hi > 63)
			hi = 63;
		/* The last two of the small numbers stand for the ends of the address space. */
		ranges_add(&s, lo == 63 ? UINT32_MAX : lo, hi == 63 ? UINT32_MAX : hi);
		for (uint32_t i = lo; i <= hi; i++)
			member[i] = true;
	}
	ranges_normalize(&s);
	return s;
}

static bool is_in(const struct ranges *s, int i) {
	return ranges_contain(s, i == 63 ? UINT32_MAX : (uint32_t)i);
}

static void assert_normal(const struct ranges *s) {
	for (uint32_t i = 0; i < s->n; i++) {
		ck_assert_uint_le(s->r[i].lo, s->r[i].hi);
		if (i > 0)
			ck_assert_uint_gt(s->r[i].lo, (uint64_t)s->r[i - 1].hi + 1);
	}
}

START_TEST(test_ranges) {
	uint64_t state = fixture_seed();

	for (unsigned int round = 0; round < fixture_rounds(2000); round++) {
		bool in_a[64], in_b[64];
		struct ranges a AUTO_RANGES = random_ranges(&state, in_a);
		struct ranges b AUTO_RANGES = random_ranges(&state, in_b);
		struct ranges minus AUTO_RANGES = ranges_minus(&a, &b);
		struct ranges not_a AUTO_RANGES = ranges_complement(&a);
		struct ranges again AUTO_RANGES = ranges_complement(&not_a);

		assert_normal(&a);
		assert_normal(&minus);
		assert_normal(&not_a);
		ck_assert(ranges_equal(&a, &again));
		ck_assert_uint_eq(ranges_size(&a) + ranges_size(&not_a), (uint64_t)1 << 32);
		for (int i = 0; i < 64; i++) {
			ck_assert_int_eq(is_in(&a, i), in_a[i]);
			ck_assert_int_eq(is_in(&minus, i), in_a[i] && !in_b[i]);
			ck_assert_int_eq(is_in(&not_a, i), !in_a[i]);
		}
	}
}
END_TEST

START_TEST(test_ranges_all) {
	struct ranges s AUTO_RANGES = { NULL, 0 }, none AUTO_RANGES = { NULL, 0 };

	ck_assert(!ranges_all(&s));
	ck_assert(!ranges_contain(&s, 0));
	ranges_add(&s, 0x80000000, UINT32_MAX);
	ranges_add(&s, 0, 0x7fffffff);
	ranges_normalize(&s);
	ck_assert(ranges_all(&s));
	ck_assert_uint_eq(ranges_size(&s), (uint64_t)1 << 32);
	none = ranges_complement(&s);
	ck_assert_uint_eq(none.n, 0);
}
END_TEST

/* ---- names and sets ---- */

START_TEST(test_names) {
	struct ruleset *rs = ruleset_new();
	const char *first = ruleset_name(rs, "name 0");
	char text[16];

	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "name %d", i);
		ck_assert_str_eq(ruleset_name(rs, text), text);
		ruleset_add_chain(rs, text);
		ruleset_add_set(rs, text, DATA_NONE, 0, FIELD_DADDR, 0, 0, 0);
	}
	ck_assert_ptr_eq(ruleset_namef(rs, "name %d", 0), first);
	ck_assert_str_eq(ruleset_chain(rs, "name 4711")->name, "name 4711");
	ck_assert_str_eq(ruleset_set(rs, "name 4711")->name, "name 4711");
	ck_assert_ptr_null(ruleset_chain(rs, "name 5000"));
	ck_assert_ptr_null(ruleset_set(rs, "name 5000"));
	ck_assert_uint_eq(rs->n_chains, 5000);
	ruleset_free(rs);
}
END_TEST

static struct elem *add_range(struct ruleset *rs, struct set *set, uint32_t lo, uint32_t hi) {
	struct key k = KEY_INIT;
	struct elem *e;

	key_num(&k, set->field[0], lo);
	e = set_add(rs, set, &k);
	e->last = hi;
	return e;
}

static const struct elem *find_num(const struct set *set, uint32_t v) {
	struct key k = KEY_INIT;

	key_num(&k, set->field[0], v);
	return set_find(set, k.bytes);
}

START_TEST(test_sets) {
	static const enum rule_field fields[] = { FIELD_DADDR, FIELD_DPORT };
	struct ruleset *rs = ruleset_new();
	struct set *set = ruleset_add_set(rs, "s", DATA_NONE, SET_INTERVAL, fields[_i], 0, 0, 0);

	add_range(rs, set, 300, 400);
	add_range(rs, set, 10, 20);
	add_range(rs, set, 10, 99)->a = 1; /* the first one stays */
	add_range(rs, set, 21, 255);
	ruleset_sort(rs);
	ck_assert_uint_eq(set->n_elems, 3);
	ck_assert_ptr_null(find_num(set, 9));
	ck_assert_uint_eq(find_num(set, 10)->last, 20);
	ck_assert_uint_eq(find_num(set, 20)->last, 20);
	ck_assert_uint_eq(find_num(set, 21)->last, 255);
	ck_assert_ptr_null(find_num(set, 256));
	ck_assert_uint_eq(find_num(set, 400)->last, 400);
	ck_assert_ptr_null(find_num(set, 401));
	ck_assert_uint_eq(key_value(set, set->elems[2].key), 300);
	ruleset_free(rs);
}
END_TEST

START_TEST(test_keys) {
	static const unsigned char right[] = {
		'e', 't', 'h', '0', 0, 0, 0, 0,	      0,    0, 0, 0, 0, 0,
		0,   0,	  10,  1,   2, 3, 6, 0,	      0,    0, 0x1f, 0x90, 0, 0
	};
	struct key k = KEY_INIT;
	struct ruleset *rs = ruleset_new();
	struct set *set = ruleset_add_set(rs, "s", DATA_NONE, 0, FIELD_IIFNAME, FIELD_DADDR,
					  FIELD_L4PROTO, FIELD_DPORT);

	key_ifname(&k, "eth0");
	key_num(&k, FIELD_DADDR, 0x0a010203);
	key_num(&k, FIELD_L4PROTO, 6);
	key_num(&k, FIELD_DPORT, 8080);
	ck_assert_uint_eq(k.len, sizeof(right));
	ck_assert_uint_eq(set->key_len, sizeof(right));
	ck_assert_mem_eq(k.bytes, right, sizeof(right));
	ruleset_free(rs);
}
END_TEST

/* ---- differences ---- */

enum {
	EXTRA_CHAIN = 1,
	OTHER_RULE = 2,
	EXTRA_ELEM = 4,
	OTHER_DATA = 8,
	OTHER_HOOK = 16,
	EXTRA_SET = 32,
	EXTRA_OBJECT = 64,
	OTHER_SECONDS = 128,
	OTHER_HELPER = 256,
};

static void add_objects(struct ruleset *rs, unsigned int what) {
	struct ct_object timeout = { .name = ruleset_name(rs, "timeout"), .l4proto = 6 };
	struct ct_object helper = { .name = ruleset_name(rs, "helper"),
				    .kind = CT_HELPER,
				    .l4proto = 6,
				    .helper = ruleset_name(rs, what & OTHER_HELPER ? "b" : "a") };

	timeout.seconds[CT_TCP_ESTABLISHED] = what & OTHER_SECONDS ? 601 : 600;
	ruleset_add_object(rs, &timeout);
	ruleset_add_object(rs, &helper);
	if (what & EXTRA_OBJECT) {
		timeout.name = ruleset_name(rs, "extra");
		ruleset_add_object(rs, &timeout);
	}
}

static struct ruleset *sample(unsigned int what) {
	struct ruleset *rs = ruleset_new();
	struct chain *base =
		ruleset_add_base(rs, "base", CHAIN_FILTER, HOOK_FORWARD, what & OTHER_HOOK ? 1 : 0);
	struct set *map = ruleset_add_set(rs, "map", DATA_MARK, SET_INTERVAL, FIELD_DADDR, 0, 0, 0);

	chain_rule(base);
	chain_stmt(base, MATCH_EQ, FIELD_DADDR, what & OTHER_RULE ? 2 : 1, 0, NULL);
	chain_stmt(base, STMT_DROP, FIELD_NONE, 0, 0, NULL);
	chain_rule(base);
	chain_stmt(base, STMT_ACCEPT, FIELD_NONE, 0, 0, NULL);
	add_range(rs, map, 10, 20)->a = what & OTHER_DATA ? 7 : 5;
	add_range(rs, map, 30, 40)->a = 6;
	if (what & EXTRA_ELEM)
		add_range(rs, map, 25, 29)->a = 8;
	if (what & EXTRA_CHAIN)
		ruleset_add_chain(rs, "extra");
	if (what & EXTRA_SET)
		add_range(rs,
			  ruleset_add_set(rs, "set", DATA_NONE, SET_INTERVAL, FIELD_DADDR, 0, 0, 0),
			  1, 1);
	add_objects(rs, what);
	ruleset_sort(rs);
	return rs;
}

/* Every owner may free it. */
START_TEST(test_owners) {
	struct ruleset *rs = sample(EXTRA_SET), *held = ruleset_hold(rs);

	ck_assert_ptr_eq(held, rs);
	ck_assert_ptr_null(ruleset_free(rs));
	ck_assert_ptr_nonnull(ruleset_set(held, "set"));
	ck_assert_ptr_null(ruleset_free(held));
	ck_assert_ptr_null(ruleset_hold(NULL));
}
END_TEST

static const struct {
	unsigned int from, to;
	struct ruleset_delta want; /* only the numbers */
} diffs[] = {
	{ 0, 0, { .n_add = 0 } },
	{ 0, EXTRA_CHAIN, { .n_new_chains = 1 } },
	{ EXTRA_CHAIN, 0, { .n_old_chains = 1 } },
	{ 0, OTHER_RULE, { .n_changed_chains = 1 } },
	{ 0, EXTRA_ELEM, { .n_add = 1 } },
	{ EXTRA_ELEM, 0, { .n_del = 1 } },
	{ 0, OTHER_DATA, { .n_add = 1, .n_del = 1 } },
	{ 0, OTHER_HOOK, { .whole = true } },
	{ 0, EXTRA_SET, { .n_new_sets = 1 } },
	{ EXTRA_SET, 0, { .n_old_sets = 1 } },
	{ 0, EXTRA_OBJECT, { .n_new_objects = 1 } },
	{ EXTRA_OBJECT, 0, { .n_old_objects = 1 } },
	{ 0, OTHER_SECONDS, { .whole = true } },
	{ 0, OTHER_HELPER, { .whole = true } },
	{ EXTRA_SET | OTHER_RULE, EXTRA_CHAIN | EXTRA_ELEM,
	  { .n_old_sets = 1, .n_changed_chains = 1, .n_new_chains = 1, .n_add = 1 } },
};

START_TEST(test_diff) {
	struct ruleset *from = sample(diffs[_i].from), *to = sample(diffs[_i].to);
	const struct ruleset_delta *want = &diffs[_i].want;
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;

	ruleset_diff(from, to, &d);
	ck_assert_int_eq(d.whole, want->whole);
	ck_assert_uint_eq(d.n_new_sets, want->n_new_sets);
	ck_assert_uint_eq(d.n_old_sets, want->n_old_sets);
	ck_assert_uint_eq(d.n_new_objects, want->n_new_objects);
	ck_assert_uint_eq(d.n_old_objects, want->n_old_objects);
	ck_assert_uint_eq(d.n_new_chains, want->n_new_chains);
	ck_assert_uint_eq(d.n_changed_chains, want->n_changed_chains);
	ck_assert_uint_eq(d.n_old_chains, want->n_old_chains);
	ck_assert_uint_eq(d.n_add, want->n_add);
	ck_assert_uint_eq(d.n_del, want->n_del);
	ck_assert_int_eq(ruleset_delta_empty(&d), diffs[_i].from == diffs[_i].to);
	ck_assert_int_eq(ruleset_hash(from) == ruleset_hash(to), diffs[_i].from == diffs[_i].to);
	ruleset_free(from);
	ruleset_free(to);
}
END_TEST

START_TEST(test_diff_with_nothing) {
	struct ruleset *rs = sample(EXTRA_SET);
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT,
			       back AUTO_DELTA = RULESET_DELTA_INIT;

	ruleset_diff(NULL, rs, &d);
	ck_assert_uint_eq(d.n_new_chains, 1);
	ck_assert_uint_eq(d.n_new_sets, 2);
	ck_assert_uint_eq(d.n_new_objects, 2);
	ck_assert_uint_eq(d.n_add, 0); /* elements of new sets come with their sets */
	ruleset_diff(rs, NULL, &back);
	ck_assert_uint_eq(back.n_old_chains, 1);
	ck_assert_uint_eq(back.n_old_sets, 2);
	ck_assert_uint_eq(back.n_old_objects, 2);
	ruleset_free(rs);
}
END_TEST

/* Counters are no content: where they stand must not make a difference. */
START_TEST(test_counters_are_no_content) {
	struct ruleset *a = sample(0), *b = sample(0);
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;

	b->sets->elems[0].packets = 5;
	ruleset_diff(a, b, &d);
	ck_assert(ruleset_delta_empty(&d));
	ck_assert_uint_eq(ruleset_hash(a), ruleset_hash(b));
	ruleset_free(a);
	ruleset_free(b);
}
END_TEST

static Suite *ruleset_suite(void) {
	Suite *s = suite_create("ruleset");
	TCase *t = tcase_create("ruleset");

	tcase_add_test(t, test_ranges);
	tcase_add_test(t, test_ranges_all);
	tcase_add_test(t, test_names);
	tcase_add_loop_test(t, test_sets, 0, 2);
	tcase_add_test(t, test_keys);
	tcase_add_test(t, test_owners);
	tcase_add_loop_test(t, test_diff, 0, sizeof(diffs) / sizeof(diffs[0]));
	tcase_add_test(t, test_diff_with_nothing);
	tcase_add_test(t, test_counters_are_no_content);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(ruleset_suite());
}
