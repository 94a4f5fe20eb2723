/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines: their head to the byte, values that try to end their quotes, and reading fields
 * back.
 */
#include "cfgdb/logs/logtext.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

static const struct logtext_head head = {
	.time_ns = 1700000000123456789u,
	.id = "0000000013",
	.type = "traffic",
	.subtype = "forward",
	.level = LOGTEXT_NOTICE,
};

static void in_zone(const char *zone) {
	setenv("TZ", zone, 1);
	tzset();
}

START_TEST(test_head) {
	struct str line AUTO_STR = STR_INIT;

	in_zone("UTC");
	logtext_head(&line, &head);
	ck_assert_str_eq(str_text(&line),
			 "date=2023-11-14 time=22:13:20 eventtime=1700000000123456789 tz=\"+0000\" "
			 "logid=\"0000000013\" type=\"traffic\" subtype=\"forward\" level=\"notice\" vd=\"root\"");
	str_clear(&line);
	in_zone("PST8");
	logtext_head(&line, &head);
	ck_assert_msg(strncmp(str_text(&line), "date=2023-11-14 time=14:13:20 ", 30) == 0, "%s",
		      str_text(&line));
	ck_assert_ptr_nonnull(strstr(str_text(&line), " tz=\"-0800\" "));
}
END_TEST

START_TEST(test_fields) {
	struct str line AUTO_STR = STR_INIT;

	str_add(&line, "date=2026-01-01");
	logtext_str(&line, "empty", "");
	logtext_num(&line, "sentbyte", UINT64_MAX);
	logtext_word(&line, "srcip", "10.0.0.1");
	logtext_str(&line, "policyname", "to web");
	ck_assert_str_eq(str_text(&line), "date=2026-01-01 empty=\"\" sentbyte=18446744073709551615 "
					  "srcip=10.0.0.1 policyname=\"to web\"");
}
END_TEST

static const struct {
	const char *value, *kept;
} hostile[] = {
	{ "a\" action=\"accept", "a' action='accept" },
	{ "a\\", "a/" },
	{ "a\\\" srcip=1.2.3.4", "a/' srcip=1.2.3.4" },
	{ "a\ndate=2026-01-01 time=00:00:00", "a date=2026-01-01 time=00:00:00" },
	{ "a\r\t\x1b[2J\x7f", "a   [2J " },
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	{ "ev\xc2\x9b" "31mil", "ev<U+009B>31mil" },
	{ "\x9b" "1m\xff\xc3", "<9B>1m<FF><C3>" },
	{ "to\xe2\x80\xae" "exe", "to<U+202E>exe" },
};

/* Whatever a name holds, the fields after it are those that were written. */
START_TEST(test_hostile) {
	struct str line AUTO_STR = STR_INIT;
	AUTO_FREE char *found = NULL;
	const char *value;
	size_t n;

	logtext_str(&line, "policyname", hostile[_i].value);
	logtext_str(&line, "action", "deny");
	ck_assert(logtext_field(str_text(&line), line.len, "action", &value, &n));
	ck_assert_msg(n == 4 && memcmp(value, "deny", 4) == 0, "%s", str_text(&line));
	ck_assert(logtext_field(str_text(&line), line.len, " policyname", &value, &n));
	found = xstrndup(value, n);
	ck_assert_str_eq(found, hostile[_i].kept);
}
END_TEST

static const struct {
	const char *line, *name, *value; /* value NULL: there is none */
} lookups[] = {
	{ "a=1 b=22 c=\"x y\" d=4", "a", "1" },
	{ "a=1 b=22 c=\"x y\" d=4", "b", "22" },
	{ "a=1 b=22 c=\"x y\" d=4", "c", "x y" },
	{ "a=1 b=22 c=\"x y\" d=4", "d", "4" },
	{ "a=1 b=22 c=\"x y\" d=4", "e", NULL },
	{ "a=1 b=22 c=\"x y\" d=4", "", NULL },
	{ "aa=1 a=2", "a", "2" },
	{ "c=\"a=1\" a=2", "a", "2" },
	{ "c=\" a=1 \" a=2", "a", "2" },
	{ "a=\"\" b=\"\" c=1", "b", "" },
	{ "a=\"\" b=\"\" c=1", "c", "1" },
	{ "a= b=1", "a", "" },
	{ "a= b=1", "b", "1" },
	{ "a=\"cut", "a", "cut" },
	{ "a", "a", NULL },
	{ "a=", "a", "" },
	{ "", "a", NULL },
};

/* The line has no zero at its end: what is read is freed memory otherwise. */
START_TEST(test_lookup) {
	size_t len = strlen(lookups[_i].line), n = 0;
	char *line = malloc(len ? len : 1);
	const char *value;
	bool found;

	memcpy(line, lookups[_i].line, len);
	found = logtext_field(line, len, lookups[_i].name, &value, &n);
	ck_assert_msg(found == (lookups[_i].value != NULL), "%s", lookups[_i].line);
	if (found)
		ck_assert_msg(n == strlen(lookups[_i].value) &&
				      memcmp(value, lookups[_i].value, n) == 0,
			      "%s: %.*s", lookups[_i].line, (int)n, value);
	free(line);
}
END_TEST

static Suite *logtext_suite(void) {
	Suite *s = suite_create("logtext");
	TCase *t = fixture_case(s, "logtext");

	tcase_add_test(t, test_head);
	tcase_add_test(t, test_fields);
	tcase_add_loop_test(t, test_hostile, 0, ARRAY_LEN(hostile));
	tcase_add_loop_test(t, test_lookup, 0, ARRAY_LEN(lookups));
	return s;
}

int main(void) {
	return fixture_run(logtext_suite());
}
