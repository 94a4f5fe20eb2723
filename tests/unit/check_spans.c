/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges of objects: those that meet a range are found, each once, whatever came and went. */
#include "cfgdb/model/spans.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

/* ---- the index ---- */

#define OBJECTS 400

/* Ranges of these tests stand in fields that nothing else asks for. */
static struct span by_numbers(const struct object *obj) {
	return (struct span){ obj->ver, (uint64_t)obj->pos };
}

static struct span upwards(const struct object *obj) {
	return (struct span){ obj->ver, UINT64_MAX };
}

/* Of any length from 1 to 2^64, near other ones. */
static struct span random_span(struct rng *r) {
	unsigned int bits = rng_below(r, 64);
	uint64_t lo = rng_next(r) >> rng_below(r, 64), length = rng_next(r) >> bits;

	if (rng_chance(r, 20))
		lo = (uint64_t)1 << bits;
	return (struct span){ lo, lo + length < lo ? UINT64_MAX : lo + length };
}

static bool meet(struct span a, struct span b) {
	return a.lo <= b.hi && b.lo <= a.hi;
}

/* Counts visits in the hash of an object, which is of no other use here. */
static int count(void *arg, const struct object *obj) {
	++*(size_t *)arg;
	((struct object *)obj)->hash[0]++;
	return 0;
}

static void check_query(const struct spans *s, span_fn *of, struct object *obj[],
			const bool there[], struct span span) {
	size_t visits = 0, want = 0;

	ck_assert_int_eq(spans_each(s, span, count, &visits), 0);
	for (size_t i = 0; i < OBJECTS; i++) {
		bool meets = there[i] && meet(of(obj[i]), span);

		ck_assert_uint_eq(obj[i]->hash[0], meets);
		obj[i]->hash[0] = 0;
		want += meets;
	}
	ck_assert_uint_eq(visits, want);
}

START_TEST(test_random) {
	struct rng r = rng_seed(fixture_seed() * 1000 + (uint64_t)_i);
	const struct schema_table *table = fixture_table("firewall.address");
	struct object *obj[OBJECTS], *foreign = object_new(fixture_table("firewall.vip"), "v");
	bool there[OBJECTS] = { false }, made;
	struct spans *list = NULL, *first = spans_of(&list, table, by_numbers, &made), *second;

	ck_assert(made);
	second = spans_of(&list, table, upwards, &made);
	ck_assert(made && second != first);
	ck_assert(spans_of(&list, table, by_numbers, &made) == first && !made);
	for (size_t i = 0; i < OBJECTS; i++)
		obj[i] = object_new(table, "a");
	spans_add(list, foreign);
	for (int round = 0; round < 4000; round++) {
		size_t i = rng_below(&r, OBJECTS);

		if (there[i]) {
			spans_remove(list, obj[i]);
		} else {
			struct span span = random_span(&r);

			obj[i]->ver = span.lo;
			obj[i]->pos = (int64_t)span.hi;
			spans_add(list, obj[i]);
		}
		there[i] = !there[i];
		if (round % 4)
			continue;
		check_query(first, by_numbers, obj, there, random_span(&r));
		check_query(second, upwards, obj, there, random_span(&r));
	}
	check_query(first, by_numbers, obj, there, (struct span){ 0, UINT64_MAX });
	check_query(first, by_numbers, obj, there, (struct span){ UINT64_MAX, UINT64_MAX });
	spans_free(&list);
	ck_assert_ptr_null(list);
	for (size_t i = 0; i < OBJECTS; i++)
		object_free(obj[i]);
	object_free(foreign);
}
END_TEST

/* ---- in a transaction ---- */

#define VIPS 60

static struct span outside(const struct object *vip) {
	struct ipv4_pair ip = object_ip(vip, FIREWALL_VIP__EXTIP);

	return (struct span){ ip.a, ip.b };
}

struct tally {
	struct span span;
	size_t n;
};

static int tally_all(void *arg, const struct object *obj) {
	struct tally *tally = arg;

	tally->n += meet(outside(obj), tally->span);
	return 0;
}

static int tally_met(void *arg, const struct object *obj) {
	(void)obj;
	++*(size_t *)arg;
	return 0;
}

static void check_meeting(const struct txn *t, uint32_t lo, uint32_t hi) {
	const struct schema_table *table = fixture_table("firewall.vip");
	struct tally all = { .span = { lo, hi } };
	size_t met = 0;

	txn_each(t, table, tally_all, &all);
	ck_assert_int_eq(txn_each_meeting(t, table, outside, all.span, tally_met, &met), 0);
	ck_assert_uint_eq(met, all.n);
}

/* Put or delete one of a few virtual IPs; one that would clash is refused, which is fine. */
static void change_one(struct rng *r, struct txn *t) {
	AUTO_FREE char *key = xasprintf("v%u", rng_below(r, VIPS));
	uint32_t lo = rng_below(r, 250), hi = lo + rng_below(r, 5);
	AUTO_FREE char *body = xasprintf("set extintf any\nset extip 9.9.9.%u-9.9.9.%u\n"
					 "set mappedip 8.8.8.%u-8.8.8.%u\n", lo, hi, lo, hi);

	if (rng_chance(r, 30))
		txn_delete(t, fixture_table("firewall.vip"), key, NULL);
	else
		fixture_put(t, "firewall.vip", key, TXN_ANY, body, NULL);
}

START_TEST(test_transaction) {
	struct rng r = rng_seed(fixture_seed() * 2000 + (uint64_t)_i);
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);
	struct txn *t = txn_new(e, "a", "test"), *other = txn_new(e, "b", "test");
	size_t clean = 0;

	for (int round = 0; round < 600; round++) {
		uint32_t lo = 0x09090900 + rng_below(&r, 250);

		change_one(&r, rng_chance(&r, 80) ? t : other);
		check_meeting(t, lo, lo + rng_below(&r, 20));
		check_meeting(other, lo, lo);
		if (round % 40 == 39) {
			fixture_fault(rng_chance(&r, 50) ? "store.commit:1" : NULL);
			clean += txn_commit(rng_chance(&r, 70) ? t : other, NULL) == 0;
			fixture_fault(NULL);
			check_meeting(t, 0x09090900, 0x090909ff);
			check_meeting(other, 0x09090900, 0x090909ff);
		}
	}
	ck_assert_uint_gt(clean, 0);
	ck_assert_uint_gt(model_count(e->model, fixture_table("firewall.vip")), 5);
	txn_free(t);
	txn_free(other);
	engine_close(e);
}
END_TEST

static int stop(void *arg, const struct object *obj) {
	(void)obj;
	return ++*(int *)arg == 2 ? 7 : 0;
}

START_TEST(test_stops) {
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);
	struct txn *t = txn_new(e, "a", "test");
	struct span all = { 0, UINT64_MAX };
	struct err err = { 0 };
	int n = 0;

	for (int i = 1; i < 5; i++) {
		AUTO_FREE char *key = xasprintf("v%d", i);
		AUTO_FREE char *body = xasprintf("set extip 9.9.9.%d\nset extintf any\n"
						 "set mappedip 8.8.8.8\n", i);

		ck_assert_int_eq(fixture_put(t, "firewall.vip", key, TXN_ANY, body, &err), 0);
		if (i == 1)
			ck_assert_int_eq(txn_commit(t, &err), 0);
	}
	ck_assert_int_eq(txn_each_meeting(t, fixture_table("firewall.vip"), outside, all, stop, &n),
			 7);
	ck_assert_int_eq(n, 2);
	txn_free(t);
	engine_close(e);
}
END_TEST

static Suite *spans_suite(void) {
	Suite *s = suite_create("spans");
	TCase *t = fixture_case(s, "spans");

	tcase_add_loop_test(t, test_random, 0, 4);
	tcase_add_loop_test(t, test_transaction, 0, 4);
	tcase_add_test(t, test_stops);
	return s;
}

int main(void) {
	return fixture_run(spans_suite());
}
