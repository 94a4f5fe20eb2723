/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places against a plain array in which entries are shifted about: whatever moves where, the order
 * is that of the array, numbers grow, and none is 0.
 */
#include "cfgdb/model/places.h"

#include <stdio.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/model.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define KEY_MAX 16
#define ENTRIES_MAX 400

struct array {
	char key[ENTRIES_MAX][KEY_MAX];
	size_t n;
};

static void array_take(struct array *a, size_t i, char key[KEY_MAX]) {
	memcpy(key, a->key[i], KEY_MAX);
	memmove(a->key[i], a->key[i + 1], (a->n - i - 1) * KEY_MAX);
	a->n--;
}

static void array_enter(struct array *a, size_t i, const char key[KEY_MAX]) {
	memmove(a->key[i + 1], a->key[i], (a->n - i) * KEY_MAX);
	memcpy(a->key[i], key, KEY_MAX);
	a->n++;
}

static void check_numbers(const struct places *ps) {
	const struct place *place = places_first(ps), *next;

	for (; place; place = next) {
		next = places_next(ps, place);
		ck_assert_int_ne(place->pos, 0);
		ck_assert(!next || place->pos < next->pos);
		ck_assert_ptr_eq(places_find(ps, place->key), place);
	}
}

static void check_same(const struct places *ps, const struct array *a) {
	const struct place *place = places_first(ps), *before = NULL;

	for (size_t i = 0; i < a->n; i++) {
		ck_assert_ptr_nonnull(place);
		ck_assert_str_eq(place->key, a->key[i]);
		ck_assert_ptr_eq(places_prev(ps, place), before);
		before = place;
		place = places_next(ps, place);
	}
	ck_assert_ptr_null(place);
	check_numbers(ps);
}

static void append(struct places *ps, struct array *a, unsigned int id) {
	snprintf(a->key[a->n], KEY_MAX, "%u", id);
	places_append(ps, a->key[a->n++]);
}

/* One entry behind another one or before all, both drawn; half of all moves go near one place. */
static void move(struct places *ps, struct array *a, struct rng *r) {
	size_t from = rng_below(r, (uint32_t)a->n), to;
	char key[KEY_MAX];

	array_take(a, from, key);
	to = rng_below(r, rng_chance(r, 50) ? 4 : (uint32_t)a->n + 1);
	to = to > a->n ? a->n : to;
	places_move(ps, key, to > 0 ? a->key[to - 1] : "");
	array_enter(a, to, key);
}

static void change(struct places *ps, struct array *a, struct rng *r, unsigned int id) {
	size_t i = rng_below(r, (uint32_t)a->n);
	char key[KEY_MAX];

	if (a->n < ENTRIES_MAX && rng_chance(r, 40)) {
		append(ps, a, id);
	} else if (a->n > 2) {
		array_take(a, i, key);
		places_remove(ps, key);
		places_remove(ps, key);
		ck_assert_ptr_null(places_find(ps, key));
	}
}

START_TEST(test_random) {
	struct rng r = rng_seed(fixture_seed() * 1000 + (uint64_t)_i);
	struct places *ps = places_new();
	struct array a = { .n = 0 };
	const unsigned int n = fixture_rounds(10000);

	for (unsigned int id = 0; id < 3 + 50 * (unsigned int)_i; id++)
		append(ps, &a, id);
	for (unsigned int i = 0; i < n; i++) {
		if (rng_chance(&r, 10))
			change(ps, &a, &r, 1000 + i);
		else
			move(ps, &a, &r);
		if (i % 100 == 0)
			check_same(ps, &a);
	}
	check_same(ps, &a);
	places_free(ps);
}
END_TEST

static struct places *numbered(unsigned int n) {
	struct places *ps = places_new();

	for (unsigned int i = 0; i < n; i++) {
		AUTO_FREE char *key = xasprintf("%u", i);

		places_append(ps, key);
	}
	return ps;
}

/* As often as one likes to the same place; far from there nobody is given another number. */
START_TEST(test_same_place) {
	struct places *ps = numbered(1000);
	int64_t last = places_find(ps, "999")->pos, pos;
	unsigned int renumbered = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		AUTO_FREE char *key = xasprintf("%u", 400 + i % 300);

		pos = places_find(ps, "300")->pos;
		places_move(ps, key, "300");
		renumbered += places_find(ps, "300")->pos != pos;
		ck_assert_str_eq(places_next(ps, places_find(ps, "300"))->key, key);
	}
	check_numbers(ps);
	ck_assert_uint_gt(renumbered, 0);
	ck_assert_uint_lt(renumbered, 20000 / 8);
	ck_assert_int_eq(places_find(ps, "0")->pos, MODEL_POS_GAP);
	ck_assert_int_eq(places_find(ps, "999")->pos, last);
	places_free(ps);
}
END_TEST

/* Before all others there is room without end, and numbers stay in the range that is of use. */
START_TEST(test_first_place) {
	struct places *ps = numbered(3);
	const char *keys[] = { "0", "1", "2" };

	for (unsigned int i = 0; i < 600000; i++)
		places_move(ps, keys[i % 3], "");
	check_numbers(ps);
	ck_assert_str_eq(places_first(ps)->key, "2");
	ck_assert_str_eq(places_next(ps, places_first(ps))->key, "1");
	ck_assert_int_gt(places_first(ps)->pos, -((int64_t)1 << 51));
	places_free(ps);
}
END_TEST

/* Around 0, which says that there is no number yet. */
START_TEST(test_zero) {
	static const int64_t around[][2] = {
		{ -1, 2 }, { -2, 2 }, { -1, 1 }, { -3, 1 }, { -MODEL_POS_GAP, MODEL_POS_GAP },
	};
	struct places *ps = places_new();

	places_enter(ps, "low", around[_i][0]);
	places_enter(ps, "high", around[_i][1]);
	places_append(ps, "new");
	places_move(ps, "new", "low");
	check_numbers(ps);
	ck_assert_str_eq(places_next(ps, places_first(ps))->key, "new");
	places_remove(ps, "high");
	places_move(ps, "new", "low");
	check_numbers(ps);
	places_remove(ps, "new");
	places_append(ps, "new");
	places_move(ps, "low", "new");
	places_move(ps, "low", "");
	check_numbers(ps);
	ck_assert_str_eq(places_first(ps)->key, "low");
	places_free(ps);
}
END_TEST

static Suite *places_suite(void) {
	Suite *s = suite_create("places");
	TCase *t = fixture_case(s, "places");

	tcase_add_loop_test(t, test_random, 0, 6);
	tcase_add_test(t, test_same_place);
	tcase_add_test(t, test_first_place);
	tcase_add_loop_test(t, test_zero, 0, 5);
	return s;
}

int main(void) {
	return fixture_run(places_suite());
}
