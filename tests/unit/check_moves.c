/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As few moves as can be: every order of a few entries, against trying all sets that could stay. */
#include "cfgdb/model/moves.h"

#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define MOST 7

static bool rises(const size_t *from, unsigned int set, size_t n) {
	size_t last = 0;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!(set >> i & 1))
			continue;
		if (from[i] == MOVES_NEW || (any && from[i] <= last))
			return false;
		last = from[i];
		any = true;
	}
	return true;
}

static void check_order(const size_t *from, size_t n) {
	bool moves[MOST];
	unsigned int stays = 0;
	int most = 0;

	moves_find(from, n, moves);
	for (size_t i = 0; i < n; i++)
		stays |= moves[i] ? 0u : 1u << i;
	for (unsigned int set = 0; set < 1u << n; set++)
		if (rises(from, set, n) && __builtin_popcount(set) > most)
			most = __builtin_popcount(set);
	ck_assert(rises(from, stays, n));
	ck_assert_int_eq(__builtin_popcount(stays), most);
}

static void permute(size_t *from, size_t at, size_t n) {
	if (at == n)
		check_order(from, n);
	for (size_t i = at; i < n; i++) {
		size_t a = from[at], b = from[i];

		from[at] = b;
		from[i] = a;
		permute(from, at + 1, n);
		from[at] = a;
		from[i] = b;
	}
}

START_TEST(test_all_orders) {
	size_t from[MOST];

	for (size_t n = 0; n <= MOST; n++) {
		for (size_t i = 0; i < n; i++)
			from[i] = i * 3;
		permute(from, 0, n);
	}
}
END_TEST

START_TEST(test_new_entries) {
	const size_t from[] = { MOVES_NEW, 4, MOVES_NEW, 5, 2 };
	bool moves[ARRAY_LEN(from)];

	moves_find(from, ARRAY_LEN(from), moves);
	ck_assert(moves[0] && !moves[1] && moves[2] && !moves[3] && moves[4]);
	moves_find(NULL, 0, NULL);
}
END_TEST

int main(void) {
	Suite *s = suite_create("moves");
	TCase *t = fixture_case(s, "moves");

	tcase_add_test(t, test_all_orders);
	tcase_add_test(t, test_new_entries);
	return fixture_run(s);
}
