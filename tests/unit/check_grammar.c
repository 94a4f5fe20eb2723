/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a line means: words in full, abbreviations, what is ambiguous, what is refused and how. A
 * line is only understood here, never carried out, so no client is needed. The command tree itself
 * is walked, too: no word without help, none that leads nowhere.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"
#include "cfgdb/model/text.h"
#include "cli/commands.h"
#include "cli/grammar.h"

#define ROOT LEVEL_ROOT

/*
 * A line, and how it is understood: words of the command; > table that the path names; = arguments.
 * Or the code and text of the error.
 */
static const struct {
	enum level_kind where;
	const char *line, *want;
} cases[] = {
	{ ROOT, "config system ha", "config >system.ha" },
	{ ROOT, "conf sys ha", "config >system.ha" },
	{ ROOT, "c firewall service custom", "config >firewall.service.custom" },
	{ ROOT, "conf fire serv cus", "config >firewall.service.custom" },
	{ ROOT, "config system cluster-sync", "config >system.standalone-cluster.cluster-peer" },
	{ ROOT, "conf system cl", "config >system.standalone-cluster.cluster-peer" },
	{ ROOT, "show", "show" },
	{ ROOT, "sh", "show" },
	{ ROOT, "show firewall policy 3", "show >firewall.policy =3" },
	{ ROOT, "show firewall address \"my host\"", "show >firewall.address =my host" },
	{ ROOT, "sh full fire pol", "show full-configuration >firewall.policy" },
	{ ROOT, "show full-configuration", "show full-configuration" },
	{ ROOT, "show firewall vip 172.16.137.15:22", "show >firewall.vip =172.16.137.15:22" },
	{ ROOT, "get system status", "get system status" },
	{ ROOT, "g sy st", "get system status" },
	{ ROOT, "g sy stan", "get >system.standalone-cluster" },
	{ ROOT, "get sys stat", "get system status" },
	{ ROOT, "get sys auto", "get >system.auto-scale" },
	{ ROOT, "get router info routing-table all", "get router info routing-table all" },
	{ ROOT, "get router static 4", "get >router.static =4" },
	{ ROOT, "diag sys cmdb refcnt show firewall.address.name all",
	  "diagnose sys cmdb refcnt show =firewall.address.name =all" },
	{ ROOT, "diagnose firewall iprope show 100004 7",
	  "diagnose firewall iprope show 100004 =7" },
	{ ROOT, "show system ha vcluster 1", "show >system.ha =vcluster =1" },
	{ ROOT, "get fire pol 3 srca", "get >firewall.policy =3 =srca" },
	{ ROOT, "tree", "tree" },
	{ ROOT, "tr fire sch", "tree" },
	{ ROOT, "tree system ha vcl", "tree >system.ha =vcl" },
	{ ROOT, "exec ping 10.0.0.1", "execute ping =10.0.0.1" },
	{ ROOT, "quit", "quit" },
	{ LEVEL_LIST, "edit 4", "edit =4" },
	{ LEVEL_LIST, "show 4", "show =4" },
	{ LEVEL_LIST, "show full 4", "show full-configuration =4" },
	{ LEVEL_ENTRY, "set comment \"\"", "set =comment =" },
	{ LEVEL_ENTRY, "se member a b c", "set =member =a =b =c" },
	{ LEVEL_ENTRY, "sel member a", "select =member =a" },
	{ LEVEL_ENTRY, "c sub", "config =sub" },
	{ LEVEL_ENTRY, "cl member", "clear =member" },
	{ LEVEL_ENTRY, "show member", "show =member" },
	{ LEVEL_ORDERED, "m 3 before 4", "move =3 =before =4" },
	{ LEVEL_ORDERED, "edit 4", "edit =4" },
	{ LEVEL_LIST, "p", "purge" },
	{ LEVEL_DIRECT, "ren 1 to 2", "rename =1 =to =2" },
	{ LEVEL_ENTRY, "next", "next" },
	{ LEVEL_DIRECT, "edit 1", "edit =1" },
	{ LEVEL_DIRECT, "set status enable", "set =status =enable" },

	{ ROOT, "delte", "-9999 Unknown action 0" },
	{ ROOT, "set x y", "-9999 Unknown action 0" },
	{ ROOT, "end", "-9999 Unknown action 0" },
	{ ROOT, "\"\"", "-9999 Unknown action 0" },
	{ ROOT, "configure system ha", "-9999 Unknown action 0" },
	{ ROOT, "ex", "-61 \nambiguous command before 'ex'" },
	{ ROOT, "show system nonsense", "-61 \ncommand parse error before 'nonsense'" },
	{ ROOT, "show nonsense", "-61 \ncommand parse error before 'nonsense'" },
	{ ROOT, "show f", "-61 \nambiguous command before 'f'" },
	{ ROOT, "config global", "-61 \ncommand parse error before 'global'" },
	{ ROOT, "config firewall policy 3", "-61 \ncommand parse error before '3'" },
	{ ROOT, "tree system nonsense", "-61 \ncommand parse error before 'nonsense'" },
	{ ROOT, "get system status x", "-61 \ncommand parse error before 'x'" },
	{ ROOT, "get system", "-160 \nincomplete command in the end" },
	{ ROOT, "get", "-160 \nincomplete command in the end" },
	{ ROOT, "config", "-160 \nincomplete command in the end" },
	{ ROOT, "config system", "-160 \nincomplete command in the end" },
	{ ROOT, "diagnose sys", "-160 \nincomplete command in the end" },
	{ ROOT, "execute ping", "-160 \nincomplete command in the end" },
	{ ROOT, "execute ping a b", "-61 \ncommand parse error before 'b'" },
	{ LEVEL_LIST, "edit", "-160 \nincomplete command in the end" },
	{ LEVEL_LIST, "edit a b", "-61 \ncommand parse error before 'b'" },
	{ LEVEL_LIST, "set a b", "-9999 Unknown action 0" },
	{ LEVEL_LIST, "next", "-9999 Unknown action 0" },
	{ LEVEL_LIST, "move 3 before 4", "-9999 Unknown action 0" },
	{ LEVEL_DIRECT, "purge", "-9999 Unknown action 0" },
	{ LEVEL_ENTRY, "set", "-160 \nincomplete command in the end" },
	{ LEVEL_ENTRY, "unset", "-160 \nincomplete command in the end" },
	{ LEVEL_ENTRY, "edit x", "-9999 Unknown action 0" },
	{ LEVEL_ENTRY, "un x", "-61 \nambiguous command before 'un'" },
	{ LEVEL_ENTRY, "diagnose sys vd list", "-9999 Unknown action 0" },
	{ LEVEL_OBJECT, "edit x", "-9999 Unknown action 0" },
	{ LEVEL_OBJECT, "next", "-9999 Unknown action 0" },
};

static void describe(const struct call *call, struct str *out) {
	for (size_t i = 0; i < call->n_words; i++)
		str_addf(out, "%s%s", out->len ? " " : "", call->words[i]);
	if (call->target.table)
		str_addf(out, " >%s", call->target.table->dotted);
	for (size_t i = 0; i < call->argc; i++)
		str_addf(out, " =%s", call->argv[i]);
}

START_TEST(lines_are_understood) {
	AUTO_WORDS struct words words = { 0 };
	AUTO_STR struct str got = STR_INIT;
	struct err err = { 0 };
	struct call call;
	int rc;

	ck_assert_int_eq(lex_words(cases[_i].line, &words, &err), LEX_OK);
	rc = grammar_parse(commands, cases[_i].where, NULL, words.w, words.n, &call, &err);
	if (rc)
		str_addf(&got, "%d %s", rc, err.text);
	else
		describe(&call, &got);
	ck_assert_str_eq(str_text(&got), cases[_i].want);
}
END_TEST

/* Table, settings that make conditions hold, kind of argument, word, attribute or error. */
static const struct {
	const char *table, *body;
	enum command_args kind;
	const char *word, *want;
} attrs[] = {
	{ "firewall.policy", "", ARGS_VALUES, "srcintf", "srcintf" },
	{ "firewall.policy", "", ARGS_VALUES, "srci", "srcintf" },
	{ "firewall.policy", "", ARGS_VALUES, "src", "\nambiguous command before 'src'" },
	{ "firewall.policy", "", ARGS_VALUES, "service", "service" },
	{ "firewall.policy", "", ARGS_VALUES, "srcaddr", "srcaddr" },
	{ "firewall.policy", "", ARGS_VALUES, "nat", "\ncommand parse error before 'nat'" },
	{ "firewall.policy", "set action accept\n", ARGS_VALUES, "nat", "nat" },
	{ "firewall.policy", "", ARGS_VALUES, "policyid",
	  "\ncommand parse error before 'policyid'" },
	{ "firewall.policy", "", ARGS_VALUES, "", "\ncommand parse error before ''" },
	{ "firewall.policy", "", ARGS_LIST_VALUES, "srcaddr", "srcaddr" },
	{ "firewall.policy", "", ARGS_LIST_VALUES, "action",
	  "\ncommand parse error before 'action'" },
	{ "system.standalone-cluster", "", ARGS_CHILD, "cluster-peer", "cluster-peer" },
	{ "system.standalone-cluster", "", ARGS_CHILD, "clu", "cluster-peer" },
	{ "system.standalone-cluster", "", ARGS_VALUES, "cluster-peer",
	  "\ncommand parse error before 'cluster-peer'" },
	{ "system.standalone-cluster", "", ARGS_CHILD, "encryption",
	  "\ncommand parse error before 'encryption'" },
};

START_TEST(attributes_are_found) {
	const struct schema_table *table = schema_find(attrs[_i].table);
	struct object *obj = object_new(table, "1");
	struct err err = { 0 };
	int attr;

	ck_assert_int_eq(text_parse(obj, attrs[_i].body, NULL), 0);
	attr = grammar_attr(obj, attrs[_i].word, attrs[_i].kind, &err);
	ck_assert_str_eq(attr < 0 ? err.text : table->attrs[attr].name, attrs[_i].want);
	if (attr < 0)
		ck_assert_int_eq(err.code, ERR_PARSE);
	object_free(obj);
}
END_TEST

static bool count_words(void *arg, const char *word, const char *help) {
	(void)word;
	(*(unsigned int *)arg)++;
	return help == NULL;
}

/* Every word of the tree has a help text, and what has no function has words below it. */
static void check_tree(const struct command *c) {
	for (; c->word; c++) {
		ck_assert_msg(c->help && *c->help, "%s has no help", c->word);
		ck_assert_msg(c->run || c->sub, "%s does nothing", c->word);
		if (c->kind == ARGS_TEXT && c->max_args > 0)
			ck_assert_msg(c->args != NULL, "arguments of %s are not described",
				      c->word);
		if (c->sub)
			check_tree(c->sub);
	}
}

START_TEST(tree_is_complete) {
	struct grammar g;
	unsigned int n = 0;

	check_tree(commands);
	grammar_start(&g, commands, LEVEL_ROOT, NULL);
	grammar_words(&g, count_words, &n);
	ck_assert_uint_eq(n, 8);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("grammar");
	TCase *t = tcase_create("grammar");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, lines_are_understood, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(t, attributes_are_found, 0, (int)ARRAY_LEN(attrs));
	tcase_add_test(t, tree_is_complete);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
