/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are not quite what they should be: what is taken of them, and the account of each
 * line. The configuration is in memory, and a file replaces what is in it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/loader.h"
#include "tests/lib/fake_shell.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define BASE \
	"config system interface\nedit port1\nnext\nedit port2\nnext\nend\n"                       \
	"config firewall schedule recurring\nedit always\nnext\nend\n"                              \
	"config firewall service custom\nedit ALL\nset protocol IP\nnext\nend\n"
#define ADDRESS "config firewall address\n"
#define RULE(addr) \
	"set srcintf port1\nset dstintf port2\nset srcaddr " addr "\nset dstaddr " addr             \
	"\nset schedule always\nset service ALL\n"

static struct fake_shell f;
static struct tally tally;
static struct str account;

static enum loader_end load(const char *text, size_t size, bool exact) {
	const struct loader_input in = { f.client, text, size, exact, NULL, NULL };
	enum loader_end end;

	ck_assert_int_eq(client_replace(f.client, false, NULL), 0);
	end = loader_run(&in, &tally);
	shell_listen(&f.sh);
	str_clear(&account);
	tally_print(&tally, &account);
	return end;
}

static void setup(void) {
	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	account = (struct str)STR_INIT;
	tally = (struct tally){ .n = 0 };
}

static void teardown(void) {
	tally_clear(&tally);
	str_done(&account);
	fake_shell_done(&f);
}

/* Lines that are neither empty nor comments, quotes and continuations aside. */
static unsigned long meant(const char *text) {
	unsigned long n = 0;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		n += text[strspn(text, " \t\r")] != '#' && !strchr("\r\n", text[strspn(text, " \t")]);
	return n;
}

static unsigned long counted(void) {
	return tally.lines[TALLY_TAKEN] + tally.lines[TALLY_WARNED] + tally.lines[TALLY_REFUSED];
}

/* ---- one file, one account, one configuration ---- */

static const struct {
	const char *text, *account; /* the first line of the account is its numbers */
	const char *show, *shown;   /* NULL: all addresses, by name */
} cases[] = {
	{ "", "0 0 0", NULL, "" },
	{ "# one\n\n   \n\t# two\n\r\n", "0 0 0", NULL, "" },
	{ ADDRESS "edit a\nnext\nedit b\nend\n", "5 0 0", NULL, "a b " },
	/* how it is written does not matter */
	{ "\xef\xbb\xbf#config-version=X\r\nconf fire address\r\n\tedit  \"a\"\r\n\t\tset comm 'x'\r\n"
	  "next\r\nend\r\n",
	  "5 0 0", "show firewall address a comment",
	  "config firewall address\n    edit \"a\"\n        set comment \"x\"\n    next\nend\n" },
	{ ADDRESS "edit a\nset comment \"one\ntwo\nnext\"\nnext\nend\n", "5 0 0", NULL, "a " },
	/* names that are not known, with all that belongs to them */
	{ "config system npu\nset x y\nend\n" ADDRESS "edit a\nset npu x\nset comment y\nnext\n"
	  "edit b\nset npu y\nend\n",
	  "6 0 5\nRefused, as the name is not known here:\n"
	  "  line 1 (3 lines): config system npu\n"
	  "  line 6 and 1 more: firewall address: set npu\n",
	  NULL, "a b " },
	{ "config vpn ssl web portal\nedit x\nconfig a\nedit 1\nnext\nend\nnext\nend\n"
	  "config vpn ipsec\nend\n",
	  "0 0 10\nRefused, as the name is not known here:\n"
	  "  line 1 and 1 more (10 lines): config vpn\n",
	  NULL, "" },
	/* values that are refused; the entry is not */
	{ ADDRESS "edit a\nset subnet 1.2.3\nset comment y\nnext\nend\n",
	  "5 0 1\nRefused:\n  line 3: firewall address: set subnet: invalid ip address; value parse "
	  "error before '1.2.3' (code -8)\n",
	  NULL, "a " },
	/* an entry that cannot be saved takes its lines with it */
	{ BASE "config firewall policy\nedit 1\nset srcintf port1\nset comments x\nnext\nend\n",
	  "17 0 4\nRefused:\n  line 20 (4 lines): firewall policy: next: Attribute 'dstintf' MUST be "
	  "set. (code -56)\n",
	  "show firewall policy", "config firewall policy\nend\n" },
	/* a secret of another unit */
	{ "config system auto-scale\nset psksecret ENC foreign\nset hb-interval 5\nend\n",
	  "3 0 1\nRefused:\n  line 2: system auto-scale: set psksecret: the ENC text is none that "
	  "this unit made for such a secret: type it in clear; value parse error before '***' "
	  "(code -651)\n",
	  "show system auto-scale",
	  "config system auto-scale\n    set hb-interval 5\nend\n" },
	/* what comes later in the file */
	{ "config firewall addrgrp\nedit g\nset member a h\nnext\nedit h\nset member a\nnext\nend\n"
	  ADDRESS "edit a\nnext\nend\n",
	  "12 0 0", "show firewall addrgrp g member",
	  "config firewall addrgrp\n    edit \"g\"\n        set member \"a\" \"h\"\n    next\nend\n" },
	{ BASE "config firewall policy\nedit 3\n" RULE("late") "next\nedit 1\n" RULE("all")
	  "next\nedit 2\n" RULE("late") "next\nend\n" ADDRESS "edit all\nnext\nedit late\nnext\nend\n",
	  "47 0 0", "get firewall policy | grep ==", "== [ 3 ]\n== [ 1 ]\n== [ 2 ]\n" },
	{ "config firewall addrgrp\nedit g\nset member nobody\nset comment x\nnext\nend\n",
	  "2 0 4\nRefused:\n  line 3: firewall addrgrp: set member: entry not found in datasource; "
	  "value parse error before 'nobody' (code -3)\n  line 5 (3 lines): firewall addrgrp: next: "
	  "Attribute 'member' MUST be set. (code -56)\n",
	  "show firewall addrgrp", "config firewall addrgrp\nend\n" },
	/* frames of virtual domains */
	{ "config vdom\nedit root\nnext\nend\nconfig global\nconfig system global\nset hostname x\nend\n"
	  "end\nconfig vdom\nedit root\n" ADDRESS "edit a\nnext\nend\nend\n",
	  "16 0 0", NULL, "a " },
	{ "config vdom\nedit root\nnext\nedit lab\nnext\nend\nconfig vdom\nedit lab\n" ADDRESS
	  "edit a\nnext\nend\nend\nconfig vdom\nedit root\n" ADDRESS "edit b\nnext\nend\nnext\nend\n",
	  "13 0 8\nRefused:\n  line 4 and 7 more: config vdom: there is one virtual domain here, root\n",
	  NULL, "b " },
	/* ends that are missing, or are too many */
	{ ADDRESS "edit a\nset comment x\nedit b\nnext\nend\n",
	  "5 1 0\nWarnings:\n  line 4: firewall address: edit: a `next` is missing before this line\n",
	  NULL, "a b " },
	{ ADDRESS "    edit a\n    next\nconfig system global\n    set hostname x\nend\n",
	  "5 1 0\nWarnings:\n  line 4: config system global: an `end` is missing before this line\n", NULL,
	  "a " },
	{ ADDRESS "edit a\nconfig system global\nset hostname x\nend\n",
	  "4 1 0\nWarnings:\n  line 3: config system global: an `end` is missing before this line\n", NULL,
	  "a " },
	{ "config vpn ssl\n  edit x\n  next\n" ADDRESS "  edit a\n  next\nend\n",
	  "3 1 3\nWarnings:\n  line 4: config firewall address: an `end` is missing before this line\n"
	  "Refused, as the name is not known here:\n  line 1 (3 lines): config vpn\n",
	  NULL, "a " },
	{ ADDRESS "edit a\nset comment x\n",
	  "3 0 0\nWarnings:\n  line 3: end of the file: an `end` is missing\n", NULL, "a " },
	{ "config global\n" ADDRESS "edit a\nend\n",
	  "4 0 0\nWarnings:\n  line 4: end of the file: an `end` is missing\n", NULL, "a " },
	{ ADDRESS "end\nend\nnext\n" ADDRESS "edit a\nend\n",
	  "5 2 0\nWarnings:\n  line 3: firewall address: end: nothing is open here\n  line 4: next: nothing is open "
	  "here\n",
	  NULL, "a " },
	/* what is no configuration */
	{ "show\nexecute ping x\nexit\nset psksecret b\nedit x\nalias x\n" ADDRESS
	  "edit a\nshow\nget\nnext\nend\nquit\n",
	  "4 0 9\nRefused:\n  line 1: show: this is no configuration\n"
	  "  line 2: execute ping: this is no configuration\n"
	  "  line 3: exit: this is no configuration\n"
	  "  line 4: set psksecret: this is no configuration\n"
	  "  line 5: edit: no table is open here\n"
	  "  line 6: alias x: this is no configuration\n"
	  "  line 9: firewall address: show: this is no configuration\n"
	  "  line 10: firewall address: get: this is no configuration\n"
	  "  line 13: quit: this is no configuration\n",
	  NULL, "a " },
	{ ADDRESS "edit a\nset comment \"x\nnext\nend\n",
	  "2 0 1\nWarnings:\n  line 5: end of the file: an `end` is missing\n"
	  "Refused:\n  line 3: firewall address: line: Unmatched double quote. (code -61)\n",
	  NULL, "a " },
	/* a default may name what is not there */
	{ BASE ADDRESS "edit all\nnext\nend\nconfig firewall policy\nedit 1\n" RULE("all")
	  "set action accept\nset utm-status enable\nset ssl-ssh-profile no-inspection\nnext\nend\n",
	  "32 0 0", "get firewall policy | grep ==", "== [ 1 ]\n" },
	/* a number that is drawn is drawn once, though a line of it failed */
	{ BASE ADDRESS "edit all\nnext\nend\nconfig firewall policy\nedit 0\n" RULE("all")
	  "set poolname nobody\nset name x\nset users nobody\nnext\nend\n",
	  NULL, "get firewall policy | grep ==", "== [ 1 ]\n" },
};

static int visit_key(void *arg, const char *key, const char *remark) {
	(void)remark;
	str_addf(arg, "%s ", key);
	return 0;
}

START_TEST(test_cases) {
	AUTO_STR struct str shown = STR_INIT;
	unsigned long taken, warned, refused;
	const char *rest;

	ck_assert_int_eq(load(cases[_i].text, strlen(cases[_i].text), false), LOADER_DONE);
	if (cases[_i].account) {
		AUTO_FREE char *want = NULL;

		ck_assert_int_eq(sscanf(cases[_i].account, "%lu %lu %lu", &taken, &warned, &refused),
				 3);
		rest = cases[_i].account + strcspn(cases[_i].account, "\n");
		want = xasprintf("%lu lines: %lu taken, %lu taken with a warning, %lu refused.\n%s",
				 taken + warned + refused, taken, warned, refused,
				 *rest ? rest + 1 : "");
		ck_assert_str_eq(str_text(&account), want);
	}
	ck_assert_int_eq(client_commit(f.client, NULL), 0);
	if (cases[_i].show) {
		ck_assert_str_eq(fake_shell_run(&f, cases[_i].show), cases[_i].shown);
		return;
	}
	client_keys(f.client, fixture_table("firewall.address"), "", 99, visit_key, &shown, NULL);
	ck_assert_str_eq(str_text(&shown), cases[_i].shown);
}
END_TEST

/* ---- what lands ---- */

static const struct {
	const char *text;
	unsigned long landed;    /* lines that make an entry or set an attribute, and stay */
} landings[] = {
	{ "end\n", 0 },
	{ "hostname R1\ninterface Gi0\n ip address 10.0.0.1 255.255.255.0\nend\n", 0 },
	{ ADDRESS "end\nhello\n", 0 },
	{ "config global\nend\nconfig vdom\nedit root\nend\n", 0 },
	{ "config system global\nunset hostname\nset nonsense x\nend\n", 0 },
	{ ADDRESS "edit a\nset comment x\nabort\n", 0 },
	{ ADDRESS "edit a\nnext\nedit b\nset comment x\nabort\n", 1 },
	{ ADDRESS "edit a\nnext\nabort\n", 1 },
	{ BASE "config firewall policy\nedit 1\nset srcintf port1\nnext\nend\n", 5 },
	{ ADDRESS "ed a\nse comment x\nset comm x\nnext\nend\n", 3 },
	{ "config system global\nset hostname x\nend\n", 1 },
};

/* A file of which nothing lands is no configuration, whatever lines of it are taken. */
START_TEST(test_landed) {
	const char *text = landings[_i].text;

	ck_assert_int_eq(load(text, strlen(text), false), LOADER_DONE);
	ck_assert_msg(tally.landed == landings[_i].landed, "%lu of:\n%s%s", tally.landed, text,
		      str_text(&account));
}
END_TEST

/* ---- a file that is whole or nothing ---- */

/* Of what this product wrote not a line may be missing. */
START_TEST(test_exact) {
	static const char text[] = ADDRESS "edit a\nnext\nend\n" ADDRESS "edit b\nset comment x\nnext\n"
					   "end\n";

	ck_assert_int_eq(load(text, strlen(text), true), LOADER_DONE);
	ck_assert_uint_eq(tally.lines[TALLY_REFUSED], 0);
	client_abort(f.client, NULL);
	for (size_t n = 1; n + 2 < strlen(text); n++) {
		AUTO_FREE char *cut = xstrndup(text, n);
		size_t block = strlen(ADDRESS "edit a\nnext\nend\n");
		bool between = n <= block && n + 2 >= block; /* `en` is enough */

		tally_clear(&tally);
		ck_assert_int_eq(load(cut, n, true), LOADER_DONE);
		client_abort(f.client, NULL);
		ck_assert_msg((tally.lines[TALLY_REFUSED] > 0) != between, "%zu bytes: %s", n,
			      str_text(&account));
		ck_assert_uint_eq(counted(), meant(cut));
	}
}
END_TEST

/* ---- the way there ---- */

static bool stop_at(void *arg, size_t done) {
	size_t *at = arg;

	return done >= *at;
}

START_TEST(test_stop) {
	static const char text[] = ADDRESS "edit a\nnext\nedit b\nnext\nend\n";
	size_t at = 40;
	const struct loader_input in = { f.client, text, strlen(text), false, stop_at, &at };

	ck_assert_int_eq(client_replace(f.client, false, NULL), 0);
	ck_assert_int_eq(loader_run(&in, &tally), LOADER_STOPPED);
	shell_listen(&f.sh);
	ck_assert_int_eq(client_abort(f.client, NULL), 0);
}
END_TEST

START_TEST(test_lost) {
	static const char text[] = ADDRESS "edit a\nnext\nedit b\nnext\nend\n";

	fake_client_fail(f.client, "put", 1, ERR_TIMEOUT, "gone");
	ck_assert_int_eq(load(text, strlen(text), false), LOADER_LOST);
}
END_TEST

/* What the daemon warns of makes a line a warned one. */
START_TEST(test_warning) {
	static const char text[] = ADDRESS "edit a\nnext\nend\n";

	fake_client_warn(f.client, "put", "not enforced");
	ck_assert_int_eq(load(text, strlen(text), false), LOADER_DONE);
	ck_assert_str_eq(str_text(&account),
			 "4 lines: 3 taken, 1 taken with a warning, 0 refused.\nWarnings:\n"
			 "  line 3: firewall address: next: not enforced\n");
}
END_TEST

/* More reasons than there is room for are counted. */
START_TEST(test_many_reasons) {
	AUTO_STR struct str text = STR_INIT;

	str_add(&text, ADDRESS "edit a\n");
	for (int i = 0; i < TALLY_GROUPS_MAX + 7; i++)
		str_addf(&text, "set nonsense%d x\n", i);
	str_add(&text, "end\n");
	ck_assert_int_eq(load(str_text(&text), text.len, false), LOADER_DONE);
	ck_assert_uint_eq(tally.lines[TALLY_REFUSED], TALLY_GROUPS_MAX + 7);
	ck_assert_uint_eq(tally.n, TALLY_GROUPS_MAX);
	ck_assert_ptr_nonnull(strstr(str_text(&account), "\n  7 more for other reasons\n"));
}
END_TEST

/* ---- any file ---- */

static const char *const pieces[] = {
	"config firewall address\n", "config firewall addrgrp\n", "config system global\n",
	"config system npu\n", "config vdom\n", "config global\n", "    edit a\n", "    edit b\n",
	"edit 0\n", "edit root\n", "edit lab\n", "next\n", "    next\n", "end\n", "abort\n",
	"        set member a b\n", "set comment x\n", "set hostname y\n", "set nonsense z\n",
	"config tagging\n", "unset comment\n", "append member a\n", "delete a\n", "# no\n", "\n",
	"config system cluster-sync\n", "config system standalone-cluster\n", "set peerip 1.2.3.4\n",
	"config cluster-peer\n", "show\n", "purge\n", "rename a to c\n", "set subnet 1.2.3.4\n",
};

/* Every line with a meaning is counted once, and nothing is open at the end. */
START_TEST(test_random) {
	struct rng r = rng_seed(fixture_seed() * 31 + (uint64_t)_i);

	for (unsigned int n = fixture_rounds(150); n > 0; n--) {
		AUTO_STR struct str text = STR_INIT;

		for (uint32_t lines = rng_below(&r, 60); lines > 0; lines--)
			str_add(&text, pieces[rng_below(&r, ARRAY_LEN(pieces))]);
		tally_clear(&tally);
		ck_assert_int_eq(load(str_text(&text), text.len, rng_chance(&r, 30)), LOADER_DONE);
		ck_assert_msg(counted() == meant(str_text(&text)), "%lu of %lu lines of:\n%s\n%s",
			      counted(), meant(str_text(&text)), str_text(&text),
			      str_text(&account));
		ck_assert_int_eq(client_abort(f.client, NULL), 0);
	}
}
END_TEST

static Suite *loader_suite(void) {
	Suite *s = suite_create("loader");
	TCase *t = fixture_case(s, "loader");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_cases, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(t, test_landed, 0, (int)ARRAY_LEN(landings));
	tcase_add_test(t, test_exact);
	tcase_add_test(t, test_stop);
	tcase_add_test(t, test_lost);
	tcase_add_test(t, test_warning);
	tcase_add_test(t, test_many_reasons);
	tcase_add_loop_test(t, test_random, 0, 4);
	return s;
}

int main(void) {
	return fixture_run(loader_suite());
}
