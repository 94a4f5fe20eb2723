/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table is read as nft(8) lists it, in blocks with a blank line between them, and what may
 * differ between equal tables is taken out: the order of blocks, the number of the generation, and
 * timeouts that only sessions have.
 */
#include "tests/lib/table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/nft_text.h"
#include "backends/render.h"
#include "cfgdb/base/mem.h"

static int order(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A timeout that no rule sets: what sessions may still have makes no difference to rules. */
static bool is_kept(const char *block, const char *text) {
	char use[64], name[32];

	if (sscanf(block, "\tct timeout %31s {", name) != 1)
		return false;
	snprintf(use, sizeof(use), "ct timeout set \"%s\"", name);
	return strstr(text, use) == NULL;
}

/* Sets and chains come in the order in which they were made; here they come by name. */
static void sort_blocks(const char *text, struct str *out) {
	char *copy = xstrdup(text), *block[4096], *p = copy;
	size_t n = 0;

	while (p && n < ARRAY_LEN(block)) {
		char *end = strstr(p, "\n\n");

		if (end) {
			*end = '\0';
			end += 2;
		}
		if (n > 0 || end)
			block[n++] = strncmp(p, "table", 5) == 0 ? strchr(p, '\n') + 1 : p;
		p = end;
	}
	qsort(block, n, sizeof(*block), order);
	for (size_t i = 0; i < n; i++) {
		char *tail = strstr(block[i], "\n}\n");

		if (tail)
			*tail = '\0';
		if (!is_kept(block[i], text))
			str_addf(out, "%s\n", block[i]);
	}
	free(copy);
}

/* The mark ends in the kernel's generation, which every commit counts up: it becomes 0. */
static void neutral_mark(char *list) {
	char *set = strstr(list, "\tset " RENDER_SET_REVISION " {");
	char *dot = set ? strstr(set, " . 0x") : NULL; /* of elements: the type is "mark . mark" */

	dot = dot ? strstr(dot + 1, " . 0x") : NULL;
	if (dot)
		memset(dot + 5, '0', 8);
}

char *table_listing(void) {
	FILE *f = popen("nft list table inet " RULESET_TABLE " 2>/dev/null", "r");
	struct str raw AUTO_STR = STR_INIT, sorted = STR_INIT;
	char part[65536];
	size_t n;

	ck_assert_ptr_nonnull(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		str_add_bytes(&raw, part, n);
	pclose(f);
	neutral_mark((char *)str_text(&raw));
	sort_blocks(str_text(&raw), &sorted);
	return str_steal(&sorted);
}

bool table_is_empty(void) {
	AUTO_FREE char *list = table_listing();

	return *list == '\0';
}

void table_load(const struct ruleset *rs) {
	struct str text AUTO_STR = STR_INIT;
	FILE *f = popen("nft -f -", "w");

	nft_text(rs, &text);
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text.data, 1, text.len, f), text.len);
	ck_assert_int_eq(pclose(f), 0);
}

void table_assert_same(char *a, char *b) {
	size_t i = 0;

	if (strcmp(a, b) == 0) {
		free(a);
		free(b);
		return;
	}
	while (a[i] == b[i])
		i++;
	i = i > 200 ? i - 200 : 0;
	ck_abort_msg("tables differ:\n%.400s\n---\n%.400s", a + i, b + i);
}
