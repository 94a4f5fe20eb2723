/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The filter of log lines: what is understood, what is refused, what matches, how it is printed. */
#include "cfgdb/control/logfilter.h"

#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define WORDS_MAX 12

static const char line[] =
	"date=2026-11-22 time=10:00:00 type=\"traffic\" srcip=10.1.2.3 srcport=40000 dstip=192.0.2.9 "
	"dstport=443 action=\"close\" policyid=7 policyname=\"a-1 b\" sentbyte=4000000000";

/* Set a field from words in one text; a quote is not needed here: "~" stands for a blank. */
static int set_field(struct logfilter *f, const char *text, struct err *err) {
	AUTO_FREE char *copy = xstrdup(text);
	char *words[WORDS_MAX], *rest = copy;
	size_t n = 0;

	while (rest && n < WORDS_MAX) {
		words[n] = strsep(&rest, " ");
		for (char *p = words[n++]; *p; p++)
			if (*p == '~')
				*p = ' ';
	}
	return logfilter_set_field(f, n, words, err);
}

static const struct {
	const char *field;
	bool matches;
} conditions[] = {
	{ "srcip 10.1.2.3", true },
	{ "srcip 10.1.2.30", false },
	{ "srcip 10.1.2", false },
	{ "srcip not 10.1.2.3", false },
	{ "srcip not 10.1.2.4", true },
	{ "srcip 10.1.2.4 10.1.2.3", true },
	{ "srcip not 10.1.2.4 10.1.2.3", false },
	{ "srcip 10.1.0.0-10.1.255.255", true },
	{ "srcip 10.1.2.3-10.1.2.3", true },
	{ "srcip 10.1.2.4-10.1.2.9", false },
	{ "srcip 9.0.0.0-10.1.2.2", false },
	{ "dstport 443", true },
	{ "dstport 400-500", true },
	{ "dstport 444-500", false },
	{ "dstport 1-10 443 500-600", true },
	{ "dstport 0443", false },
	{ "sentbyte 3999999999-4000000001", true },
	{ "action close", true },
	{ "action deny", false },
	{ "action clo", false },
	{ "policyname a-1~b", true },
	{ "policyname a-1", false },
	{ "policyname 1-9", false },
	{ "service HTTPS", false },
	{ "service not HTTPS", true },
	{ "date 2026-11-22", true },
};

START_TEST(test_conditions) {
	struct logfilter f;
	struct err err = { 0 };

	logfilter_init(&f);
	ck_assert(logfilter_match(&f, line, strlen(line)));
	ck_assert_msg(set_field(&f, conditions[_i].field, &err) == 0, "%s", err.text);
	ck_assert_msg(logfilter_match(&f, line, strlen(line)) == conditions[_i].matches, "%s",
		      conditions[_i].field);
	logfilter_done(&f);
}
END_TEST

/* Conditions on several fields must all hold; one field said again is said anew. */
START_TEST(test_all_of_them) {
	struct logfilter f;

	logfilter_init(&f);
	ck_assert_int_eq(set_field(&f, "srcip 10.1.2.3", NULL), 0);
	ck_assert_int_eq(set_field(&f, "action deny", NULL), 0);
	ck_assert(!logfilter_match(&f, line, strlen(line)));
	ck_assert_int_eq(set_field(&f, "action close", NULL), 0);
	ck_assert(logfilter_match(&f, line, strlen(line)));
	ck_assert_uint_eq(f.n_fields, 2);
	logfilter_clear_fields(&f);
	ck_assert(logfilter_match(&f, "date=x", 6));
	logfilter_done(&f);
}
END_TEST

static const struct {
	const char *field;
	int code;
} wrong[] = {
	{ "srcip", ERR_INCOMPLETE },
	{ "srcip not", ERR_INCOMPLETE },
	{ "srcip ", ERR_PARSE },
	{ " 1", ERR_PARSE },
	{ "srcport 1 2 3 4 5 6 7 8", ERR_PARSE },
	{ "srcport not 1 2 3 4 5 6 7 8", ERR_PARSE },
};

START_TEST(test_wrong) {
	struct logfilter f;
	struct err err = { 0 };

	logfilter_init(&f);
	ck_assert_int_eq(set_field(&f, wrong[_i].field, &err), wrong[_i].code);
	ck_assert_uint_eq(f.n_fields, 0);
	logfilter_done(&f);
}
END_TEST

START_TEST(test_bounds) {
	AUTO_FREE char *long_word = xcalloc(1, LOGFILTER_WORD_MAX + 2);
	char *words[] = { (char *)"srcip", long_word };
	struct logfilter f;
	struct err err = { 0 };

	logfilter_init(&f);
	memset(long_word, '1', LOGFILTER_WORD_MAX + 1);
	ck_assert_int_eq(logfilter_set_field(&f, 2, words, &err), ERR_PARSE);
	long_word[LOGFILTER_WORD_MAX] = '\0';
	ck_assert_int_eq(logfilter_set_field(&f, 2, words, &err), 0);
	ck_assert(!logfilter_match(&f, line, strlen(line)));
	for (int i = 1; i < LOGFILTER_FIELDS_MAX; i++) {
		char name[] = { 'f', (char)('a' + i), '\0' };

		words[0] = name;
		ck_assert_int_eq(logfilter_set_field(&f, 2, words, &err), 0);
	}
	words[0] = (char *)"more";
	ck_assert_int_eq(logfilter_set_field(&f, 2, words, &err), ERR_MAX_ENTRIES);
	words[0] = (char *)"srcip";
	ck_assert_int_eq(logfilter_set_field(&f, 2, words, &err), 0);
	logfilter_done(&f);
}
END_TEST

static const struct {
	int (*set)(struct logfilter *f, const char *word, struct err *err);
	const char *word;
	bool good;
} settings[] = {
	{ logfilter_set_category, "traffic", true },
	{ logfilter_set_category, "event", true },
	{ logfilter_set_category, "0", true },
	{ logfilter_set_category, "1", true },
	{ logfilter_set_category, "2", false },
	{ logfilter_set_category, "", false },
	{ logfilter_set_category, "utm-virus", false },
	{ logfilter_set_start_line, "1", true },
	{ logfilter_set_start_line, "4294967295", true },
	{ logfilter_set_start_line, "0", false },
	{ logfilter_set_start_line, "4294967296", false },
	{ logfilter_set_view_lines, "5", true },
	{ logfilter_set_view_lines, "1000", true },
	{ logfilter_set_view_lines, "4", false },
	{ logfilter_set_view_lines, "1001", false },
	{ logfilter_set_view_lines, "ten", false },
	{ logfilter_set_max_checklines, "0", true },
	{ logfilter_set_max_checklines, "100", true },
	{ logfilter_set_max_checklines, "1000000", true },
	{ logfilter_set_max_checklines, "99", false },
	{ logfilter_set_max_checklines, "1000001", false },
};

START_TEST(test_settings) {
	struct logfilter f, before;
	struct err err = { 0 };
	int rc;

	logfilter_init(&f);
	before = f;
	rc = settings[_i].set(&f, settings[_i].word, &err);
	ck_assert_msg(rc == (settings[_i].good ? 0 : ERR_PARSE), "%s", settings[_i].word);
	if (rc)
		ck_assert_mem_eq(&f, &before, sizeof(f));
}
END_TEST

START_TEST(test_print) {
	struct str out AUTO_STR = STR_INIT;
	struct logfilter f;

	logfilter_init(&f);
	logfilter_print(&f, &out);
	ck_assert_str_eq(str_text(&out), "category: traffic\ndevice: disk\nstart-line: 1\n"
					 "view-lines: 10\nmax-checklines: 0\nFilter:\n");
	str_clear(&out);
	logfilter_set_category(&f, "event", NULL);
	logfilter_set_view_lines(&f, "20", NULL);
	set_field(&f, "srcip 10.0.0.1 10.0.0.2", NULL);
	set_field(&f, "action not deny", NULL);
	logfilter_print(&f, &out);
	ck_assert_str_eq(str_text(&out),
			 "category: event\ndevice: disk\nstart-line: 1\nview-lines: 20\n"
			 "max-checklines: 0\n"
			 "Filter: ( srcip \"10.0.0.1\" or \"10.0.0.2\" ) AND ( not action \"deny\" )\n");
	logfilter_done(&f);
}
END_TEST

static Suite *logfilter_suite(void) {
	Suite *s = suite_create("logfilter");
	TCase *t = fixture_case(s, "logfilter");

	tcase_add_loop_test(t, test_conditions, 0, ARRAY_LEN(conditions));
	tcase_add_test(t, test_all_of_them);
	tcase_add_loop_test(t, test_wrong, 0, ARRAY_LEN(wrong));
	tcase_add_test(t, test_bounds);
	tcase_add_loop_test(t, test_settings, 0, ARRAY_LEN(settings));
	tcase_add_test(t, test_print);
	return s;
}

int main(void) {
	return fixture_run(logfilter_suite());
}
