/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A foreign file of 50,000 lines has some hundred attributes and tables that are not known here,
 * each of them many times. So reasons of one subject and code are one line of the report, with the
 * number of the first line that gave it. There is room for a fixed number of them; the rest is
 * counted.
 */
#include "cli/tally.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

static struct tally_group *find(const struct tally *t, const struct tally_group *why) {
	for (size_t i = 0; i < t->n; i++)
		if (t->group[i].kind == why->kind && t->group[i].code == why->code &&
		    strcmp(t->group[i].subject, why->subject) == 0)
			return &t->group[i];
	return NULL;
}

void tally_say(struct tally *t, const struct tally_group *why) {
	struct tally_group *group = find(t, why);

	if (group) {
		group->times += why->times;
		group->lines += why->lines;
		if (why->first < group->first)
			group->first = why->first;
	} else if (t->n >= TALLY_GROUPS_MAX) {
		t->more += why->times;
	} else {
		if ((t->n & (t->n - 1)) == 0)
			t->group = xreallocarray(t->group, t->n ? t->n * 2 : 1, sizeof(*t->group));
		t->group[t->n] = *why;
		t->group[t->n].subject = xstrdup(why->subject);
		t->group[t->n++].reason = xstrdup(why->reason);
	}
}

void tally_add(struct tally *t, const struct tally *more) {
	for (size_t i = 0; i < TALLY_KINDS; i++)
		t->lines[i] += more->lines[i];
	for (size_t i = 0; i < more->n; i++)
		tally_say(t, &more->group[i]);
	t->landed += more->landed;
	t->more += more->more;
}

void tally_clear(struct tally *t) {
	for (size_t i = 0; i < t->n; i++) {
		free(t->group[i].subject);
		free(t->group[i].reason);
	}
	free(t->group);
	*t = (struct tally){ .n = 0 };
}

/* ---- the report ---- */

static int compare_first(const void *a, const void *b) {
	const struct tally_group *x = *(struct tally_group *const *)a;
	const struct tally_group *y = *(struct tally_group *const *)b;

	return (x->first > y->first) - (x->first < y->first);
}

static void print_group(const struct tally_group *group, struct str *out) {
	str_addf(out, "  line %lu", group->first);
	if (group->times > 1)
		str_addf(out, " and %lu more", group->times - 1);
	if (group->lines > group->times)
		str_addf(out, " (%lu line%s)", group->lines, str_plural(group->lines));
	str_addf(out, ": %s", group->subject);
	if (group->kind != TALLY_UNKNOWN)
		str_addf(out, ": %s", group->reason);
	if (group->code)
		str_addf(out, " (code %d)", group->code);
	str_add_char(out, '\n');
}

static void print_kind(const struct tally *t, enum tally_kind kind, const char *title,
		       struct str *out) {
	AUTO_FREE struct tally_group **sorted = xcalloc(t->n + 1, sizeof(*sorted));
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->group[i].kind == kind)
			sorted[n++] = &t->group[i];
	if (n > 0)
		str_addf(out, "%s:\n", title);
	qsort(sorted, n, sizeof(*sorted), compare_first);
	for (size_t i = 0; i < n; i++)
		print_group(sorted[i], out);
}

void tally_print(const struct tally *t, struct str *out) {
	unsigned long sum = 0;

	for (size_t i = 0; i < TALLY_KINDS; i++)
		sum += t->lines[i];
	str_addf(out, "%lu line%s: %lu taken, %lu taken with a warning, %lu refused.\n", sum,
		 str_plural(sum), t->lines[TALLY_TAKEN], t->lines[TALLY_WARNED],
		 t->lines[TALLY_REFUSED]);
	print_kind(t, TALLY_WARNED, "Warnings", out);
	print_kind(t, TALLY_REFUSED, "Refused", out);
	print_kind(t, TALLY_UNKNOWN, "Refused, as the name is not known here", out);
	if (t->more > 0)
		str_addf(out, "  %lu more for other reasons\n", t->more);
}
