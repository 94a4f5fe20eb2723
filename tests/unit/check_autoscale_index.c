/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans that make one list of another: carried out as a copy does it, they lead there. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/autoscale_index.h"
#include "tests/lib/fixture.h"

#define NAMES_MAX 40

struct list {
	char name[NAMES_MAX + 1][8];
	unsigned char value[NAMES_MAX + 1];
	unsigned int n;
};

static struct autoscale_index index_of(const struct list *l) {
	struct autoscale_index x = { .n = 0 };

	for (unsigned int i = 0; i < l->n; i++) {
		unsigned char digest[DIGEST_LEN] = { l->value[i] };

		autoscale_index_add(&x, l->name[i], digest);
	}
	return x;
}

/* ---- carrying out ---- */

static unsigned int find(const struct list *l, const char *name) {
	unsigned int i = 0;

	while (i < l->n && strcmp(l->name[i], name) != 0)
		i++;
	return i;
}

static void take_out(struct list *l, unsigned int at) {
	l->n--;
	memmove(l->name + at, l->name + at + 1, (l->n - at) * sizeof(l->name[0]));
	memmove(l->value + at, l->value + at + 1, l->n - at);
}

static void put_behind(struct list *l, const char *name, unsigned char value, const char *after) {
	unsigned int at;

	if (find(l, name) < l->n)
		take_out(l, find(l, name));
	at = *after ? find(l, after) + 1 : 0;
	ck_assert_uint_le(at, l->n);
	memmove(l->name + at + 1, l->name + at, (l->n - at) * sizeof(l->name[0]));
	memmove(l->value + at + 1, l->value + at, l->n - at);
	snprintf(l->name[at], sizeof(l->name[at]), "%s", name);
	l->value[at] = value;
	l->n++;
}

struct counts {
	size_t fetch, move, delete;
};

static struct counts count(const struct autoscale_plan *plan, size_t n_theirs, size_t n_ours) {
	struct counts c = { .fetch = 0 };

	for (size_t i = 0; i < n_theirs; i++) {
		c.fetch += plan->theirs[i] == AUTOSCALE_FETCH;
		c.move += plan->theirs[i] == AUTOSCALE_MOVE;
	}
	for (size_t i = 0; i < n_ours; i++)
		c.delete += plan->deleted[i];
	return c;
}

static struct counts carry_out(const struct list *theirs, struct list *ours) {
	struct autoscale_index a = index_of(theirs), b = index_of(ours);
	struct autoscale_plan plan;
	struct counts c;

	autoscale_plan_make(&plan, &a, &b);
	c = count(&plan, a.n, b.n);
	for (size_t i = 0; i < b.n; i++)
		if (plan.deleted[i])
			take_out(ours, find(ours, b.entry[i].name));
	for (unsigned int i = 0; i < theirs->n; i++)
		if (plan.theirs[i] != AUTOSCALE_KEEP)
			put_behind(ours, theirs->name[i], theirs->value[i],
				   i > 0 ? theirs->name[i - 1] : "");
	autoscale_index_done(&a);
	autoscale_index_done(&b);
	autoscale_plan_done(&plan);
	return c;
}

static void check_equal(const struct list *a, const struct list *b) {
	ck_assert_uint_eq(a->n, b->n);
	for (unsigned int i = 0; i < a->n; i++) {
		ck_assert_str_eq(a->name[i], b->name[i]);
		ck_assert_uint_eq(a->value[i], b->value[i]);
	}
}

/* ---- cases ---- */

/* Letters are names; one with a sign behind it has another value. */
static struct list list_of(const char *text) {
	struct list l = { .n = 0 };

	for (; *text; text++) {
		if (*text == '*') {
			l.value[l.n - 1]++;
			continue;
		}
		snprintf(l.name[l.n], sizeof(l.name[0]), "%c", *text);
		l.value[l.n++] = 1;
	}
	return l;
}

static const struct {
	const char *theirs, *ours;
	struct counts of;
} cases[] = {
	{ "", "", { 0, 0, 0 } },
	{ "abc", "abc", { 0, 0, 0 } },
	{ "abc", "", { 3, 0, 0 } },
	{ "", "abc", { 0, 0, 3 } },
	{ "ab*c", "abc", { 1, 0, 0 } },
	{ "bcdefa", "abcdef", { 0, 1, 0 } },
	{ "fabcde", "abcdef", { 0, 1, 0 } },
	{ "acbdef", "abcdef", { 0, 1, 0 } },
	{ "edcba", "abcde", { 0, 4, 0 } },
	{ "xaybzc", "cab", { 3, 1, 0 } },
	{ "cx", "abc", { 1, 0, 2 } },
};

START_TEST(test_cases) {
	struct list theirs = list_of(cases[_i].theirs), ours = list_of(cases[_i].ours);
	struct counts c = carry_out(&theirs, &ours);

	check_equal(&theirs, &ours);
	ck_assert_uint_eq(c.fetch, cases[_i].of.fetch);
	ck_assert_uint_eq(c.move, cases[_i].of.move);
	ck_assert_uint_eq(c.delete, cases[_i].of.delete);
}
END_TEST

static struct list random_list(void) {
	struct list l = { .n = 0 };
	unsigned int n = (unsigned int)rand() % NAMES_MAX;

	for (unsigned int i = 0; i < n; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%u", (unsigned int)rand() % NAMES_MAX);
		if (find(&l, name) == l.n)
			put_behind(&l, name, (unsigned char)(rand() % 2),
				   l.n > 0 ? l.name[(unsigned int)rand() % l.n] : "");
	}
	return l;
}

START_TEST(test_random) {
	srand((unsigned int)fixture_seed());
	for (unsigned int i = 0; i < fixture_rounds(2000); i++) {
		struct list theirs = random_list(), ours = random_list();

		carry_out(&theirs, &ours);
		check_equal(&theirs, &ours);
	}
}
END_TEST

/* Not what an honest member sends, but nothing is deleted or read twice by it. */
START_TEST(test_repeated) {
	struct list theirs = list_of("aabab"), ours = list_of("ab");
	struct autoscale_index a = index_of(&theirs), b = index_of(&ours);
	struct autoscale_plan plan;
	struct counts c;

	autoscale_plan_make(&plan, &a, &b);
	c = count(&plan, a.n, b.n);
	ck_assert_uint_eq(c.fetch + c.move + c.delete, 0);
	autoscale_plan_done(&plan);
	autoscale_plan_make(&plan, &b, &a);
	c = count(&plan, b.n, a.n);
	ck_assert_uint_eq(c.fetch + c.delete, 0);
	autoscale_plan_done(&plan);
	autoscale_index_done(&a);
	autoscale_index_done(&b);
}
END_TEST

static Suite *index_suite(void) {
	Suite *s = suite_create("autoscale index");
	TCase *t = fixture_case(s, "plans");

	tcase_add_loop_test(t, test_cases, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(t, test_random);
	tcase_add_test(t, test_repeated);
	return s;
}

int main(void) {
	return fixture_run(index_suite());
}
