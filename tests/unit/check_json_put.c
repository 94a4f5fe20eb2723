/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON member by member: commas, names, lines of the outermost, strings, numbers. */
#include "cfgdb/base/json_put.h"

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

static void put_empty_object(struct json *j) {
	json_put_object(j, NULL);
	json_put_end(j);
}

static void put_empty_array(struct json *j) {
	json_put_array(j, NULL);
	json_put_end(j);
}

static void put_values(struct json *j) {
	json_put_object(j, NULL);
	json_put_text(j, "text", "a \"b\"\n");
	json_put_textf(j, "made", "%d-%s", 1, "\\");
	json_put_lines(j, "lines", "a\n\nb");
	json_put_lines(j, "none", "");
	json_put_u64(j, "large", UINT64_MAX);
	json_put_i64(j, "small", INT64_MIN);
	json_put_tenths(j, "tenths", 7);
	json_put_bool(j, "yes", true);
	json_put_bool(j, "no", false);
	json_put_null(j, "nothing");
	json_put_end(j);
}

static void put_nested(struct json *j) {
	json_put_array(j, NULL);
	json_put_object(j, NULL);
	json_put_array(j, "list");
	json_put_u64(j, NULL, 1);
	json_put_text(j, NULL, "2");
	json_put_array(j, NULL);
	json_put_end(j);
	json_put_end(j);
	json_put_object(j, "none");
	json_put_end(j);
	json_put_u64(j, "after", 3);
	json_put_end(j);
	json_put_tenths(j, NULL, 125);
	json_put_end(j);
}

/* A list that is written in pieces. */
static void put_pieces(struct json *j) {
	struct json more = json_put_resume(j->out);

	json_put_array(j, NULL);
	json_put_u64(j, NULL, 1);
	json_put_u64(&more, NULL, 2);
	more = json_put_resume(j->out);
	json_put_end(&more);
	j->depth = more.depth;
}

static void put_hostile(struct json *j) {
	json_put_text(j, NULL, "\x01\x7f\xff\xc3\xa9");
}

static const struct {
	void (*put)(struct json *j);
	const char *text;
} cases[] = {
	{ put_empty_object, "{}\n" },
	{ put_empty_array, "[]\n" },
	{ put_values, "{\n\"text\":\"a \\\"b\\\"\\u000a\",\n\"made\":\"1-\\\\\",\n"
		      "\"lines\":[\"a\",\"\",\"b\"],\n\"none\":[],\n"
		      "\"large\":18446744073709551615,\n\"small\":-9223372036854775808,\n"
		      "\"tenths\":0.7,\n\"yes\":true,\n\"no\":false,\n\"nothing\":null\n}\n" },
	{ put_nested, "[\n{\"list\":[1,\"2\",[]],\"none\":{},\"after\":3},\n12.5\n]\n" },
	{ put_pieces, "[\n1,\n2\n]\n" },
	{ put_hostile, "\"\\u0001\\u007f\xef\xbf\xbd\xc3\xa9\"" },
};

START_TEST(test_put) {
	AUTO_STR struct str out = STR_INIT;
	struct json j = json_put_begin(&out);

	cases[_i].put(&j);
	ck_assert_str_eq(str_text(&out), cases[_i].text);
	ck_assert_uint_eq(j.depth, 0);
}
END_TEST

/* As deep as it may be: each closes as what it was opened as. */
START_TEST(test_depth) {
	AUTO_STR struct str out = STR_INIT, closes = STR_INIT;
	struct json j = json_put_begin(&out);
	size_t before;

	for (unsigned int i = 0; i < JSON_DEPTH_MAX; i++)
		if (i % 3)
			json_put_array(&j, NULL);
		else
			json_put_object(&j, NULL);
	before = out.len;
	for (unsigned int i = JSON_DEPTH_MAX; i-- > 0;) {
		json_put_end(&j);
		str_add(&closes, i ? "" : "\n");
		str_add_char(&closes, i % 3 ? ']' : '}');
	}
	str_add_char(&closes, '\n');
	ck_assert_str_eq(str_text(&out) + before, str_text(&closes));
}
END_TEST

static Suite *json_put_suite(void) {
	Suite *s = suite_create("json_put");
	TCase *t = fixture_case(s, "json_put");

	tcase_add_loop_test(t, test_put, 0, ARRAY_LEN(cases));
	tcase_add_test(t, test_depth);
	return s;
}

int main(void) {
	return fixture_run(json_put_suite());
}
