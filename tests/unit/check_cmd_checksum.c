/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums as administrators read them on a unit in no group: of all, of tables, of objects; and
 * what is being entered beside what is in force.
 */
#include "cfgdb/control/cmd_checksum.h"
#include "cfgdb/rights.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/role.h"
#include "tests/lib/fixture.h"

static struct engine *engine;
static struct cmd_checksum ctx;

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();
	struct err err = { 0 };

	engine = fixture_engine(dir);
	ctx = (struct cmd_checksum){ engine, role_new(engine, &err), relay_new() };
	ck_assert_msg(ctx.role != NULL, "%s", err.text);
	fixture_set(engine, "firewall.address", "web", "set subnet 10.0.0.0 255.0.0.0");
}

static void teardown(void) {
	relay_free(ctx.relay);
	engine_close(engine);
	role_free(ctx.role);
}

static int run(const char *what, char *const *argv, size_t argc, struct str *out,
	       struct err *err) {
	AUTO_FREE char *words = xasprintf("diagnose sys ha checksum %s", what);
	struct command_call call = { .model = engine->model, .argc = argc, .argv = argv,
				     .rights = &rights_all };
	size_t n, i = 0;
	const struct command *table = commands_checksum(&n);
	struct stream s = { .fd = -1 };
	int rc;

	while (i < n && strcmp(table[i].words, words) != 0)
		i++;
	ck_assert_uint_lt(i, n);
	if (table[i].run)
		return table[i].run(&ctx, &call, out, err);
	rc = table[i].open(&ctx, &call, &s, err);
	if (rc)
		return rc;
	ck_assert_int_eq(s.next(s.ctx, out, err), STREAM_END);
	s.close(s.ctx);
	return 0;
}

static char *said(const char *what, const char *a, const char *b) {
	char *argv[] = { (char *)a, (char *)b };
	struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(run(what, argv, (size_t)((a != NULL) + (b != NULL)), &out, &err) == 0, "%s",
		      err.text);
	return str_steal(&out);
}

/* The digits of the line that begins with these words after this mark; the caller frees them. */
static char *digits(const char *text, const char *mark, const char *begin) {
	const char *line = strstr(text, mark);
	size_t n;
	char *ret;

	ck_assert_ptr_nonnull(line);
	line = strstr(line, begin);
	ck_assert_ptr_nonnull(line);
	line += strlen(begin);
	n = strcspn(line, "\n");
	ret = xcalloc(1, n + 1);
	memcpy(ret, line, n);
	return ret;
}

static void assert_relation(const char *text, const char *name, bool equal) {
	AUTO_FREE char *staged = digits(text, "\ndebugzone\n", name);
	AUTO_FREE char *active = digits(text, "\nchecksum\n", name);

	ck_assert_uint_eq(strlen(active), 16 * 3 - 1);
	ck_assert_uint_eq(strspn(active, "0123456789abcdef "), 16 * 3 - 1);
	ck_assert_int_eq(strcmp(staged, active) == 0, equal);
}

START_TEST(of_all)
{
	AUTO_FREE char *text = said("show", NULL, NULL);

	ck_assert(strncmp(text, "is_manage_primary()=1, is_root_primary()=1\n\ndebugzone\nglobal: ",
			  61) == 0);
	ck_assert_ptr_nonnull(strstr(text, "\n\nchecksum\nglobal: "));
	assert_relation(text, "global: ", true);
	assert_relation(text, "root: ", true);
	assert_relation(text, "all: ", true);
}
END_TEST

START_TEST(what_is_being_entered)
{
	struct txn *t = txn_new(engine, "root", "cli");
	struct err err = { 0 };

	ck_assert_int_eq(fixture_put(t, "firewall.address", "web", TXN_ANY,
				     "set subnet 10.0.0.0 255.255.0.0", &err), 0);
	{
		AUTO_FREE char *text = said("show", NULL, NULL);

		assert_relation(text, "global: ", true);
		assert_relation(text, "root: ", false);
		assert_relation(text, "all: ", false);
	}
	txn_free(t);
	{
		AUTO_FREE char *text = said("show", NULL, NULL);

		assert_relation(text, "all: ", true);
	}
}
END_TEST

START_TEST(of_tables_and_objects)
{
	AUTO_FREE char *root = said("show", "root", NULL);
	AUTO_FREE char *global = said("show", "global", NULL);
	AUTO_FREE char *objects = said("show", "root", "firewall.address");
	AUTO_FREE char *web = digits(objects, "", "web: ");

	ck_assert_ptr_nonnull(strstr(root, "\nfirewall.address: "));
	ck_assert_ptr_null(strstr(root, "system."));
	ck_assert_ptr_null(strstr(global, "firewall.address"));
	ck_assert_uint_eq(strlen(web), 32);
	fixture_set(engine, "firewall.address", "web", "set subnet 10.1.0.0 255.255.0.0");
	{
		AUTO_FREE char *after = said("show", "root", NULL);
		AUTO_FREE char *a = digits(root, "", "\nfirewall.address: ");
		AUTO_FREE char *b = digits(after, "", "\nfirewall.address: ");

		ck_assert_str_ne(a, b);
	}
}
END_TEST

/* One unit in no group: itself, and nobody else. */
START_TEST(of_the_cluster)
{
	AUTO_FREE char *text = said("autoscale-cluster", NULL, NULL);
	AUTO_FREE char *cluster = said("cluster", NULL, NULL);
	AUTO_FREE char *head =
		xasprintf("================== %s ==================\nis_autoscale_primary()=0\n\n",
			  engine->serial);

	ck_assert(strncmp(text, head, strlen(head)) == 0);
	ck_assert_ptr_null(strstr(text + strlen(head), "====="));
	ck_assert_ptr_nonnull(strstr(cluster, "\nis_manage_primary()=1, is_root_primary()=1\n"));
	assert_relation(cluster, "all: ", true);
}
END_TEST

START_TEST(made_anew)
{
	AUTO_FREE char *before = said("show", NULL, NULL);

	free(said("recalculate", NULL, NULL));
	free(said("recalculate", "root", NULL));
	{
		AUTO_FREE char *after = said("show", NULL, NULL);

		ck_assert_str_eq(before, after);
	}
}
END_TEST

START_TEST(wrong_words)
{
	static const struct {
		const char *what, *words[3];
		size_t n;
	} wrong[] = {
		{ "show", { "nowhere" }, 1 },
		{ "show", { "root", "nonsense" }, 2 },
		{ "show", { "global", "firewall.address" }, 2 },
		{ "show", { "root", "system.global" }, 2 },
		{ "show", { "root", "firewall.address", "more" }, 3 },
		{ "recalculate", { "nowhere" }, 1 },
		{ "cluster", { "more" }, 1 },
		{ "autoscale-cluster", { "more" }, 1 },
	};
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_int_eq(run(wrong[i].what, (char *const *)wrong[i].words, wrong[i].n, &out,
				     &err), ERR_PARSE);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(run("show", (char *[]){ (char *)"root", (char *)"nonsense" }, 2, &out,
			     &err), ERR_PARSE);
	ck_assert_ptr_nonnull(strstr(err.text, "command parse error before 'nonsense'"));
}
END_TEST

int main(void) {
	Suite *suite = suite_create("cmd_checksum");
	TCase *tc = fixture_case(suite, "commands");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, of_all);
	tcase_add_test(tc, what_is_being_entered);
	tcase_add_test(tc, of_tables_and_objects);
	tcase_add_test(tc, of_the_cluster);
	tcase_add_test(tc, made_anew);
	tcase_add_test(tc, wrong_words);
	return fixture_run(suite);
}
