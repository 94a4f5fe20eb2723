/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies as trees of lines: read without a schema, brought into one order, printed to the same. */
#include "cfgdb/model/outline.h"

#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

/* The sorted text of a body. */
static char *sorted(const char *body) {
	AUTO_OUTLINE struct outline o = { 0 };
	struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(outline_parse(&o, body, &err) == 0, "%s", err.text);
	outline_sort(&o);
	outline_print(&o, &out);
	return str_steal(&out);
}

static const struct {
	const char *body, *want;
} forms[] = {
	{ "", "" },
	{ "# remark\n\n  set b 'x y'\nset a \"1\"\n", "set a 1\nset b \"x y\"\n" },
	{ "set a \"q\\\"'\\\\\nend\"\n", "set a \"q\\\"\\'\\\\\nend\"\n" },
	{ "set a 2 1\nset a 10\n", "set a 10\nset a 2 1\n" },
	{ "set a \"\"\nset a '#'\n", "set a \"\"\nset a \"#\"\n" },
	{ "unset x\nsecret p ENC aB+/=\nvdom root\n", "secret p ENC aB+/=\nunset x\nvdom root\n" },
	/* entries keep their order, what is in them is sorted */
	{ "config l\nedit 2\nset b 1\nset a 1\nnext\n edit 1\nnext\nend\n",
	  "config l\nedit 2\nset a 1\nset b 1\nnext\nedit 1\nnext\nend\n" },
	{ "set z 1\nconfig o\nconfig p\nset y 1\nset x 1\nend\nset w 1\nend\n",
	  "config o\nconfig p\nset x 1\nset y 1\nend\nset w 1\nend\nset z 1\n" },
	{ "kept\nset x 1\nend\nset a 1\n", "kept\nset x 1\nend\nset a 1\n" },
};

START_TEST(test_forms) {
	AUTO_FREE char *once = sorted(forms[_i].body), *twice = sorted(once);

	ck_assert_str_eq(once, forms[_i].want);
	ck_assert_str_eq(twice, once);
}
END_TEST

static const struct {
	const char *body, *error;
} refused[] = {
	{ "set a\n", "line 1: not a line of an object" },
	{ "set\n", "line 1: not a line of an object" },
	{ "set a b\nfoo x\n", "line 2: not a line of an object" },
	{ "secret a\n", "line 1: not a line of an object" },
	{ "secret a b c d\n", "line 1: not a line of an object" },
	{ "edit 1\nnext\n", "line 1: not a line of an object" },
	{ "config a\nedit 1\nnext\nset a b\nend\n", "line 4: not a line of an object" },
	{ "config a\nset a b\nedit 1\nnext\nend\n", "line 3: not a line of an object" },
	{ "next\n", "line 1: a block ends that was not begun" },
	{ "config a\nnext\n", "line 2: a block ends that was not begun" },
	{ "config a\nedit 1\nend\n", "line 3: a block ends that was not begun" },
	{ "config a\nend x\n", "line 2: a block ends that was not begun" },
	{ "config a\nset x \"1\n2\"\n", "line 3: a block has no end" },
	{ "set a \"b\n", "line 1: Unmatched double quote." },
};

START_TEST(test_refused) {
	AUTO_OUTLINE struct outline o = { 0 };
	struct err err = { 0 };

	ck_assert_int_eq(outline_parse(&o, refused[_i].body, &err), ERR_PARSE);
	ck_assert_str_eq(err.text, refused[_i].error);
}
END_TEST

/* Depth and number of lines are bounded. */
START_TEST(test_bounds) {
	AUTO_STR struct str deep = STR_INIT, many = STR_INIT;
	AUTO_OUTLINE struct outline o = { 0 }, p = { 0 };

	for (int i = 0; i < OUTLINE_DEPTH_MAX; i++)
		str_add(&deep, "config a\n");
	for (int i = 0; i < OUTLINE_DEPTH_MAX; i++)
		str_add(&deep, "end\n");
	ck_assert_int_eq(outline_parse(&o, str_text(&deep), NULL), ERR_PARSE);
	for (int i = 0; i <= OUTLINE_LINES_MAX; i++)
		str_add(&many, "set a b\n");
	ck_assert_int_eq(outline_parse(&p, str_text(&many), NULL), ERR_PARSE);
	ck_assert_uint_eq(p.n, OUTLINE_LINES_MAX);
}
END_TEST

/* Any object: its text sorted once is sorted, and reads back to an object that prints the same. */
START_TEST(test_any_object) {
	const struct schema_table *table = schema_tables[schema_top[_i]];

	for (unsigned int n = 0; n < fixture_rounds(10); n++) {
		struct rng r = rng_seed(fixture_seed() * 1000000 + (uint64_t)_i * 1000 + n);
		struct object *obj = random_object(&r, table, "1", rng_below(&r, 90), NULL, NULL);
		struct object *back = object_new(table, "1");
		AUTO_STR struct str text = STR_INIT, again = STR_INIT;
		AUTO_FREE char *once = NULL, *twice = NULL;

		text_body(obj, 0, TEXT_WIRE, &text);
		once = sorted(str_text(&text));
		twice = sorted(once);
		ck_assert_str_eq(once, twice);
		ck_assert_int_eq(text_parse(back, once, NULL), 0);
		text_body(back, 0, TEXT_WIRE, &again);
		ck_assert_str_eq(str_text(&again), str_text(&text));
		object_free(obj);
		object_free(back);
	}
}
END_TEST

static int open_one(void *arg, struct outline_line *line, struct err *err) {
	(void)err;
	str_addf(arg, "%s ", line->words.w[1]);
	outline_set_words(line, "x y", NULL);
	return strcmp(line->words.w[1], "c") == 0 ? ERR_VALUE : 0;
}

/* Secrets are found at any depth; a visit can change them, and end the walk. */
START_TEST(test_secrets) {
	AUTO_OUTLINE struct outline o = { 0 };
	AUTO_STR struct str seen = STR_INIT, text = STR_INIT;

	ck_assert_int_eq(outline_parse(&o,
				       "secret a 1\nconfig l\nedit 1\nsecret b ENC 2\nnext\nend\n"
				       "secret c 3\nsecret d 4\n",
				       NULL),
			 0);
	ck_assert_int_eq(outline_each_secret(&o, open_one, &seen, NULL), ERR_VALUE);
	ck_assert_str_eq(str_text(&seen), "a b c ");
	outline_print(&o, &text);
	ck_assert_str_eq(str_text(&text),
			 "secret a \"x y\"\nconfig l\nedit 1\nsecret b \"x y\"\nnext\nend\n"
			 "secret c \"x y\"\nsecret d 4\n");
}
END_TEST

static Suite *outline_suite(void) {
	Suite *s = suite_create("outline");
	TCase *t = fixture_case(s, "outline");

	tcase_add_loop_test(t, test_forms, 0, ARRAY_LEN(forms));
	tcase_add_loop_test(t, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_test(t, test_bounds);
	tcase_add_loop_test(t, test_any_object, 0, schema_n_top);
	tcase_add_test(t, test_secrets);
	return s;
}

int main(void) {
	return fixture_run(outline_suite());
}
