/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `?` lists and what Tab has to choose from, at every kind of place: verbs, paths, keys,
 * attributes, options, references, and values that can only be described. The form of the list is
 * checked by a few examples to the byte.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cli/complete.h"
#include "cli/live.h"
#include "tests/lib/fake_shell.h"

static struct fake_shell f;

static void setup(void) {
	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(
		&f,
		"config firewall address\nedit \"web two\"\nend\nconfig firewall addrgrp\n"
		"edit wgroup\n"
		"set member web\nend\nconfig system cluster-sync\nedit 3\nend\nedit 8\nend\n");
}

static void teardown(void) {
	fake_shell_done(&f);
}

/*
 * Commands before, the unfinished line, and: the words that fit (| between them; a leading * marks
 * required ones; ... at the end: others may follow), ! and the hint, $ when Enter will do.
 */
static const struct {
	const char *before, *text, *want;
} cases[] = {
	{ "", "", "config|get|show|tree|diagnose|execute|alias|exit" },
	{ "", "s", "show" },
	{ "", "zz", "" },
	{ "", "# sh", "" },
	{ "", "delte ", "" },
	{ "", "config firewall s", "schedule|service|ssl-ssh-profile" },
	{ "", "config firewall service ", "category|custom|group" },
	{ "", "config system cl", "cluster-sync" },
	{ "", "conf fire serv cu", "custom" },
	{ "", "get system st", "standalone-cluster|status" },
	{ "", "get router ", "info|static" },
	{ "", "get router info ", "routing-table" },
	{ "", "get router info routing-table all ", "$" },
	{ "", "show full", "full-configuration" },
	{ "", "show full-configuration router ", "static" },
	{ "", "show firewall address ", "all|web|web two!name$" },
	{ "", "show firewall address w", "web|web two!name" },
	{ "", "show firewall address \"web t", "web two!name" },
	{ "", "show firewall address web ", "uuid|..." },
	{ "", "get firewall address web comment ", "$" },
	{ "", "show system cluster-sync ", "3!sync-id$" },
	{ "", "show system ha ", "group-id|..." },
	{ "", "config firewall address ", "$" },
	{ "", "tree firewall sc", "schedule" },
	{ "config firewall addrgrp\nedit other\nset member web\nend\n"
	  "config firewall addrgrp\nedit wgroup",
	  "set member ", "all|web|web two|other!member" },
	{ "", "tree firewall ", "address|addrgrp|policy|schedule|service|ssl-ssh-profile|vip|vipgrp$" },
	{ "", "tree firewall address ", "tagging$" },
	{ "", "tree system standalone-cluster cl", "cluster-peer" },
	{ "", "tree system standalone-cluster cluster-peer ", "session-sync-filter$" },
	{ "config system standalone-cluster", "tree mon", "monitor-prefix" },
	{ "", "execute ping ", "!<host>" },
	{ "", "diagnose firewall iprope lookup 1.2.3.4 ", "!<source port>" },
	{ "", "diagnose firewall iprope lookup 1 2 3 4 5 6 ", "$" },
	{ "", "diagnose firewall iprope lookup 1 2 3 4 ", "icmp|tcp|udp!<protocol>" },
	{ "", "diagnose firewall iprope lookup 1 2 3 4 tcp ", "port1|port2!<interface>" },
	{ "config firewall policy\nedit 7\nset srcintf port1\nset dstintf port2\nset srcaddr all\n"
	  "set dstaddr all\nset service ALL\nset schedule always\nend",
	  "diagnose firewall iprope show 100004 ", "0|7!<policy or 0>" },
	{ "", "diagnose sniffer packet ", "any|port1|port2!<interface or any>$" },
	{ "", "diagnose sniffer packet any none ", "1|2|3|4|5|6!<detail>$" },
	{ "", "diagnose sys session filter sintf p", "port1|port2!<interface>" },
	{ "", "diagnose sys session filter clear pro", "proto|proto-state!<criterion>" },
	{ "", "execute set system session filter c", "clear!<criterion or verb>" },
	{ "", "diagnose sys cmdb refcnt show firewall.addr",
	  "firewall.address.name|firewall.addrgrp.name!<table.key>" },
	{ "", "diagnose sys cmdb refcnt show firewall.address.name w", "web|web two!<entry>" },
	{ "", "diagnose sys cmdb refcnt show firewall.address w", "web|web two!<entry>" },
	{ "", "diagnose sys cmdb refcnt show nothing.here w", "!<entry>" },
	{ "", "diagnose sys ha checksum show root firewall.sc",
	  "firewall.schedule.group|firewall.schedule.onetime|firewall.schedule.recurring!<table>" },
	{ "", "execute log filter category ", "event|traffic!<category>$" },

	{ "", "show firewall policy | ", "grep" },
	{ "", "show firewall policy|gr", "grep" },
	{ "", "show firewall policy | egrep ", "" },
	{ "", "show firewall policy | grep ", "-i|-n|-v|-f|-c|-A|-B|-C!<pattern>" },
	{ "", "show firewall policy | gr -", "-i|-n|-v|-f|-c|-A|-B|-C!<pattern>" },
	{ "", "show firewall policy | grep -fA ", "!<lines>" },
	{ "", "show firewall policy | grep -A 3 ", "-i|-n|-v|-f|-c|-A|-B|-C!<pattern>" },
	{ "", "show firewall policy | grep web ", "-i|-n|-v|-f|-c|-A|-B|-C$" },
	{ "", "show firewall policy | grep web | g", "grep" },
	{ "", "show firewall address \"we|", "!name" },

	{ "config firewall address", "", "edit|delete|purge|rename|clone|get|show|tree|end|abort" },
	{ "config firewall policy", "", "edit|delete|purge|rename|clone|move|get|show|tree|end|abort" },
	{ "config firewall address", "rename ", "all|web|web two!name" },
	{ "config firewall address", "rename web ", "to" },
	{ "config firewall address", "rename web to ", "!name" },
	{ "config firewall address", "clone web to x ", "$" },
	{ "config firewall address", "clone w", "web|web two!name" },
	{ "config firewall address", "purge ", "$" },
	{ "config firewall policy", "move 3 ", "after|before" },
	{ "config firewall policy", "move 3 before ", "!policyid" },
	{ "config firewall policy", "move 3 before 4 ", "$" },
	{ "config webfilter profile\nedit p\nconfig ftgd-wf\nconfig filters\nedit 1\nnext\nedit 22\nnext",
	  "move 1 after ", "1|22!id" },
	{ "", "show full-configuration firewall address web com", "comment" },
	{ "config system standalone-cluster", "rename ", "3!sync-id" },
	{ "config system standalone-cluster", "m", "" },
	{ "config firewall address", "edit ", "all|web|web two!name" },
	{ "config firewall address", "delete a", "all!name" },
	{ "config firewall address", "show ", "full-configuration|all|web|web two!name$" },
	{ "config firewall address", "show web com", "comment" },
	{ "config firewall address", "show web comment ", "$" },
	{ "config firewall address", "show nobody ", "$" },
	{ "config system standalone-cluster", "e", "edit|end" },
	{ "config system standalone-cluster", "show cluster-peer ", "3$" },
	{ "config system standalone-cluster", "get cluster-peer 3 peeri", "peerip" },
	{ "config system standalone-cluster", "get cluster-peer 3 session-sync-filter src",
	  "srcintf|srcaddr|srcaddr6" },
	{ "config system standalone-cluster\nconfig cluster-peer", "show 3 peeri", "peerip" },
	{ "config system standalone-cluster", "edit ", "3!sync-id" },
	{ "config system standalone-cluster", "config cl", "cluster-peer" },
	{ "config system standalone-cluster\nconfig cluster-peer", "edit ", "3!sync-id" },
	{ "config system ha", "n", "" },

	{ "config firewall policy\nedit 1", "",
	  "config|set|unset|append|select|clear|unselect|get|show|tree|next|end|abort" },
	{ "config firewall policy\nedit 1", "set srci", "*srcintf" },
	{ "config firewall policy\nedit 1", "set src", "*srcintf|*srcaddr|..." },
	{ "config firewall policy\nedit 1", "set na", "name|..." },
	{ "config firewall policy\nedit 1\nset action accept", "set na", "name|nat64|..." },
	{ "config firewall policy\nedit 1", "set policyid", "" },
	{ "config firewall policy\nedit 1", "set action ", "accept|deny|ipsec!action" },
	{ "config firewall policy\nedit 1", "set action a", "accept!action" },
	{ "config firewall policy\nedit 1", "set action accept ", "$" },
	{ "config firewall policy\nedit 1", "set srcintf port", "port1|port2!srcintf" },
	{ "config firewall policy\nedit 1", "set srcaddr w", "web|web two|wgroup!srcaddr" },
	{ "config firewall policy\nedit 1", "set srcaddr all ", "all|web|web two|wgroup!srcaddr$" },
	{ "config firewall policy\nedit 1", "append srci", "*srcintf" },
	{ "config firewall policy\nedit 1", "append act", "" },
	{ "config firewall policy\nedit 1", "clear srci", "*srcintf" },
	{ "config firewall policy\nedit 1", "clear act", "" },
	{ "config firewall policy\nedit 1", "clear srcaddr ", "$" },
	{ "config firewall policy\nedit 1", "select srcaddr w", "web|web two|wgroup!srcaddr" },
	{ "config firewall policy\nedit 1", "show srci", "*srcintf" },
	{ "config firewall policy\nedit 1\nset srcaddr web wgroup", "unselect srcaddr ",
	  "web|wgroup!srcaddr" },
	{ "config firewall policy\nedit 1\nset srcaddr web wgroup", "unselect srcaddr wg",
	  "wgroup!srcaddr" },
	{ "config firewall policy\nedit 1\nset srcaddr web \"web two\"", "unselect srcaddr web ",
	  "web|web two!srcaddr$" },
	{ "config firewall policy\nedit 1", "unselect srcaddr ", "!srcaddr" },
	{ "config firewall policy\nedit 1", "unselect act", "" },
	{ "config system interface\nedit port1\nset allowaccess ssh ping", "unselect allowaccess ",
	  "ping|ssh!allowaccess" },
	{ "config firewall policy\nedit 1", "set name ", "!name" },
	{ "config firewall policy\nedit 1", "set name x ", "$" },
	{ "config firewall policy\nedit 1", "unset na", "name|..." },
	{ "config system interface\nedit port1", "set vdom ", "root!vdom" },
	{ "config system interface\nedit port1", "set vdom x", "!vdom" },
	{ "config router static\nedit 1", "set dst ", "!dst" },
	{ "config router static\nedit 1", "set dst 10.0.0.0 ", "!dst" },
	{ "config router static\nedit 1", "set dst 10.0.0.0/8 ", "$" },
	{ "config router static\nedit 1", "set dst 10.0.0.0 255.0.0.0 ", "$" },
	{ "config router static\nedit 1", "set distance ", "!distance" },
};

static void describe(const struct completion *c, struct str *out) {
	for (size_t i = 0; i < c->n; i++)
		str_addf(out, "%s%s%s", i ? "|" : "", c->items[i].required ? "*" : "",
			 c->items[i].word);
	if (c->n_notes)
		str_addf(out, "!%s", c->notes[0].word);
	if (c->whole)
		str_add_char(out, '$');
}

START_TEST(candidates) {
	AUTO_STR struct str got = STR_INIT;
	const char *dots = strstr(cases[_i].want, "|...");
	struct completion c;

	fake_shell_run(&f, cases[_i].before);
	complete_line(&f.sh, cases[_i].text, &c);
	describe(&c, &got);
	complete_done(&c);
	if (dots && got.len > (size_t)(dots - cases[_i].want)) {
		size_t n = (size_t)(dots - cases[_i].want);

		got.data[n] = '\0';
		got.len = n;
		str_add(&got, dots);
	}
	ck_assert_str_eq(str_text(&got), cases[_i].want);
}
END_TEST

static void expect_help(const char *before, const char *text, const char *want) {
	AUTO_STR struct str got = STR_INIT;
	struct completion c;

	fake_shell_run(&f, before);
	complete_line(&f.sh, text, &c);
	complete_print(&c, &got);
	complete_done(&c);
	ck_assert_str_eq(str_text(&got), want);
}

START_TEST(help_is_in_columns) {
	expect_help("", "e", "execute    Run a command once.\nexit       End the session.\n");
	expect_help("", "show firewall address web comment ",
		    "<Enter>\n|    Filter what it prints.\n");
	expect_help("config router static\nedit 1", "set distance ",
		    "distance     Enter an integer value from <1> to <255>\n"
		    "<meaning>    Trust in the route: of several to one destination, the lowest is "
		    "installed.\n"
		    "<current>    10\n"
		    "<default>    10\n");
	expect_help("", "set ss", "");
	expect_help("", "set av-p", "");
}
END_TEST

START_TEST(help_marks_what_is_required_and_what_is_not_enforced) {
	expect_help(
		"config firewall policy\nedit 1\nset action accept\nset utm-status enable",
		"set srcaddr",
		"*srcaddr           Source addresses; one of them must match.\n"
		"srcaddr6           IPv6 source addresses. (not enforced)\n"
		"srcaddr-negate     Match sources that are not in srcaddr.\n"
		"srcaddr6-negate    Match sources that are not in srcaddr6. (not enforced)\n");
}
END_TEST

START_TEST(unselect_offers_what_is_there) {
	expect_help("config system interface\nedit port1\nset allowaccess ssh snmp",
		    "unselect allowaccess ",
		    "allowaccess    Services of this unit that may be reached through the "
		    "interface, whatever program offers them; empty: none.\n"
		    "<current>      ssh snmp\n"
		    "ssh            Shell by SSH (TCP 22).\n"
		    "snmp           SNMP queries (UDP 161).\n");
}
END_TEST

/* By its own path, by an alias, by all its attributes, and in what is nested in it. */
START_TEST(help_marks_tables_that_are_not_enforced) {
	expect_help(
		"", "config ips se",
		"sensor    Intrusion prevention: which attacks are looked for, and what happens to "
		"them. (not enforced)\n");
	expect_help(
		"", "config system ha",
		"ha    High availability: what is replicated between units, and clusters.\n");
	expect_help("", "config system zo",
		    "zone    Groups of interfaces that policies name as one.\n");
	expect_help(
		"", "config system cluster-s",
		"cluster-sync    Units that sessions are shared with; older path of cluster-peer in "
		"standalone-cluster.\n");
	expect_help(
		"config system cluster-sync\nedit 1", "set syncv",
		"syncvd    Virtual domains whose sessions are sent; empty: all.\n");
	expect_help("", "set ipsec-t",
		    "ipsec-tunnel-sync    Send the state of IPsec tunnels too. (not enforced)\n");
	expect_help("abort\nconfig system auto-scale", "set hb-i",
		    "hb-interval    Seconds between heartbeats.\n");
	expect_help("abort\nconfig ips sensor\nedit a", "set comm",
		    "comment    Free text. (not enforced)\n");
	expect_help("abort\nconfig system accprofile\nedit a", "set routeg",
		    "routegrp    Routing; older form of netgrp-permission. (not enforced)\n");
}
END_TEST

START_TEST(names_show_what_they_are) {
	expect_help("config firewall policy\nedit 1", "set dstaddr w",
		    "*dstaddr    Destination addresses or virtual IPs; one of them must match.\n"
		    "web         address\nweb two     address\nwgroup      address group\n");
}
END_TEST

/* What the administrator wrote on an entry stands beside its key: one line, and not too long. */
START_TEST(remarks_tell_entries_apart) {
	fake_shell_run(&f, "config firewall address\nedit web\nset comment \"the web server\"\nnext\n"
			   "edit \"web two\"\nset comment \"1234567890123456789012345678901234567890"
			   "1234567890123456789\xc3\xa4\"\nend\nconfig firewall addrgrp\nedit wgroup\n"
			   "set comment \"first\nsecond\"\nend");
	expect_help("config firewall policy\nedit 1", "set srcaddr w",
		    "*srcaddr    Source addresses; one of them must match.\n"
		    "web         address: the web server\n"
		    "web two     address: "
		    "12345678901234567890123456789012345678901234567890123456789...\n"
		    "wgroup      address group: first...\n");
	expect_help("abort", "show firewall address web",
		    "name       Enter a string of at most <79> bytes\n"
		    "web        the web server\n"
		    "web two    12345678901234567890123456789012345678901234567890123456789...\n");
}
END_TEST

/* Kind of value, meaning, present value, default, choices: what there is of them. */
START_TEST(values_are_explained) {
	expect_help("config firewall policy\nedit 1\nset action accept\nset srcaddr \"web two\" all",
		    "set action ",
		    "action       What happens to a session that matches.\n"
		    "<current>    accept\n"
		    "<default>    deny\n"
		    "accept       Let it pass.\n"
		    "deny         Drop it without an answer.\n"
		    "ipsec        Send it through a policy-based tunnel; nothing would encrypt "
		    "here, so it is dropped. (not enforced)\n");
	expect_help("", "set srcaddr wg",
		    "*srcaddr    Source addresses; one of them must match.\n"
		    "wgroup      address group\n");
	expect_help("", "set srcaddr ",
		    "*srcaddr     Source addresses; one of them must match.\n"
		    "<current>    \"web two\" \"all\"\n"
		    "all          address\n"
		    "web          address\n"
		    "web two      address\n"
		    "wgroup       address group\n");
	expect_help("set utm-status enable", "set av-profile ",
		    "av-profile    Antivirus profile; empty: no scan. (not enforced)\n");
	expect_help("", "set comments ",
		    "comments     Enter a string of at most <1023> bytes\n"
		    "<meaning>    Remark of the administrator.\n");
}
END_TEST

/* An attribute that is not there says what it takes; one that no table has says nothing. */
START_TEST(absent_attributes_say_why) {
	expect_help("config firewall policy\nedit 1", "set nat46 ",
		    "nat46    Exists only if action is accept\n");
	expect_help("", "set ippool ",
		    "ippool    Exists only if action is accept, and nat is enable\n");
	expect_help("", "set nothing ", "");
	expect_help("abort\nconfig firewall vip\nedit v", "set status x ", "<Enter>\n");
}
END_TEST

START_TEST(secrets_are_not_shown) {
	expect_help("config system standalone-cluster\nset psksecret \"not to be seen\"",
		    "set psksecret ",
		    "psksecret    Enter the secret (at least <16> bytes are advised)\n"
		    "<meaning>    Secret of the group, 16 characters or more; empty: that of "
		    "system auto-scale.\n"
		    "<current>    *\n");
}
END_TEST

START_TEST(long_values_are_cut) {
	AUTO_STR struct str line = STR_INIT;
	struct completion c;

	str_add(&line, "config firewall policy\nedit 1\nset comments \"");
	for (int i = 0; i < 200; i++)
		str_add(&line, "\xc3\xa4");
	str_add(&line, "\"");
	fake_shell_run(&f, str_text(&line));
	complete_line(&f.sh, "set comments ", &c);
	ck_assert_uint_eq(c.n_notes, 3);
	ck_assert_str_eq(c.notes[2].word, "<current>");
	/* a quote and as many whole characters as there is room for */
	ck_assert_uint_eq(strlen(c.notes[2].help), 159 + strlen("..."));
	ck_assert_str_eq(c.notes[2].help + 157, "\xc3\xa4...");
	complete_done(&c);
}
END_TEST

/* What only the running system knows, from what it prints. */
START_TEST(names_of_the_running_system) {
	fake_client_say(f.client, "diagnose sys ha autoscale-peers",
			"Serial#: GHVM5JYE9GPRGP3M\nVMID: x\nRole: primary\nIP: 10.0.0.1\n\n"
			"Serial#: GHVMCCCCCCCCCCCC\nVMID: y\nRole: secondary\nIP: 10.0.0.2\n");
	expect_help("", "execute ha forget ",
		    "<serial>            Serial number of another member.\n"
		    "GHVM5JYE9GPRGP3M    primary\n"
		    "GHVMCCCCCCCCCCCC    secondary\n");
	expect_help("", "execute ha forget GHVMC",
		    "<serial>            Serial number of another member.\n"
		    "GHVMCCCCCCCCCCCC    secondary\n");
	fake_client_say(f.client, "diagnose sys ha autoscale-peers", "");
	expect_help("", "execute ha forget ",
		    "<serial>    Serial number of another member.\n");
	fake_client_fail(f.client, "run", 1, ERR_PERMISSION, "no");
	expect_help("", "execute ha forget ",
		    "<serial>    Serial number of another member.\n");
}
END_TEST

struct names {
	struct str text;
	size_t n;
};

static bool take_name(void *arg, const char *name, const char *help, bool open) {
	struct names *names = arg;

	str_addf(&names->text, "%s%s(%s)\n", name, open ? "..." : "", help);
	return ++names->n < 4;
}

static void take_names(enum live kind, const char *prefix, struct names *names) {
	const struct live_query q = {
		.sh = &f.sh, .prefix = prefix, .take = take_name, .arg = names
	};

	*names = (struct names){ STR_INIT, 0 };
	live_names(&q, kind);
}

static void expect_names(enum live kind, const char *prefix, const char *want) {
	struct names names;

	take_names(kind, prefix, &names);
	ck_assert_str_eq(str_text(&names.text), want);
	str_done(&names.text);
}

START_TEST(revisions) {
	fake_client_say(f.client, "execute revision list config",
			"ID TIME ADMIN COMMENT\n 12 2026-11-22 admin before the move\n 3 x\n2\n"
			"no number\n1 first\n0 not wanted any more\n");
	expect_names(LIVE_REVISIONS, "",
		     "12(2026-11-22 admin before the move)\n3(x)\n2()\n1(first)\n");
}
END_TEST

START_TEST(transactions) {
	fake_client_say(f.client, "execute config-transaction status",
			"config transaction id=3 of admin: not open, 2 changes\n"
			"config transaction id=x\n"
			"revision 81 of bob waits for its confirmation\n");
	expect_names(LIVE_TRANSACTIONS, "", "3(of admin: not open, 2 changes)\n");
	expect_names(LIVE_AWAITED, "", "81(of bob waits for its confirmation)\n");
	expect_help("", "execute config-transaction resume ",
		    "<id>    Number of the config transaction, as status shows it.\n"
		    "3       of admin: not open, 2 changes\n");
	expect_help("", "execute config-transaction commit confirm 5 ",
		    "comment    Say what it is.\n<Enter>\n|          Filter what it prints.\n");
}
END_TEST

static void count_warning(void *arg, const char *text) {
	(void)text;
	++*(unsigned int *)arg;
}

/* That a config transaction ends soon is not told amid a line. */
START_TEST(revisions_and_warning) {
	unsigned int n = 0;

	fake_client_warn(f.client, "run", "it ends soon");
	f.sh.warn = count_warning;
	f.sh.report_arg = &n;
	fake_client_say(f.client, "execute revision list config", "1 first\n");
	expect_names(LIVE_REVISIONS, "", "1(first)\n");
	ck_assert_uint_eq(n, 0);
	fake_shell_run(&f, "diagnose sys vd list\n");
	ck_assert_uint_eq(n, 1);
}
END_TEST

START_TEST(files) {
	char folder[] = "/tmp/check_complete.XXXXXX";
	AUTO_STR struct str line = STR_INIT;
	AUTO_STR struct str want = STR_INIT;
	struct names names;
	char path[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/old", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/.hidden", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/old.conf", folder);
	fclose(fopen(path, "w"));
	str_addf(&line, "%s/o", folder);
	take_names(LIVE_FILES, str_text(&line), &names);
	ck_assert_uint_eq(names.n, 2); /* in whichever order the folder has them */
	ck_assert_ptr_nonnull(strstr(str_text(&names.text), "/old/...()\n"));
	ck_assert_ptr_nonnull(strstr(str_text(&names.text), "/old.conf()\n"));
	str_done(&names.text);
	str_clear(&line);
	str_addf(&line, "%s/.h", folder);
	str_addf(&want, "%s/.hidden/...()\n", folder);
	expect_names(LIVE_FILES, str_text(&line), str_text(&want));
	expect_names(LIVE_FILES, "/nowhere/at/all/", "");
	remove(path);
	snprintf(path, sizeof(path), "%s/old", folder);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/.hidden", folder);
	rmdir(path);
	rmdir(folder);
}
END_TEST

START_TEST(options_of_filters_are_explained) {
	expect_help("", "show | grep x -v",
		    "-v    Lines that do not match\n");
}
END_TEST

START_TEST(long_lists_are_cut) {
	AUTO_STR struct str got = STR_INIT;
	struct completion c;

	fake_shell_run(&f, "config firewall address");
	for (int i = 0; i <= COMPLETE_MAX; i++) {
		char line[64];

		snprintf(line, sizeof(line), "edit \"%s%d\"\nnext", i < COMPLETE_MAX ? "ha" : "hb", i);
		fake_shell_run(&f, line);
	}
	complete_line(&f.sh, "edit h", &c);
	ck_assert_uint_eq(complete_common(&c), strlen("h")); /* the last one counts, too */
	ck_assert_uint_eq(c.n, COMPLETE_MAX);
	ck_assert_uint_eq(c.found, COMPLETE_MAX + 1);
	complete_print(&c, &got);
	ck_assert_ptr_nonnull(
		strstr(str_text(&got), "\n... (1000 of 1001; type more of the word)\n"));
	complete_done(&c);
}
END_TEST

START_TEST(common_part_and_start) {
	struct completion c;

	fake_shell_run(
		&f, "config firewall address\nedit \"w\xc3\xa4\"\nnext\nedit \"w\xc3\xb6\"\nend");
	complete_line(&f.sh, "show firewall address we", &c);
	ck_assert_uint_eq(complete_common(&c), 3);
	ck_assert_uint_eq(c.start, 22);
	ck_assert_str_eq(c.prefix, "we");
	complete_done(&c);
	complete_line(&f.sh, "show firewall address \"web t", &c);
	ck_assert_uint_eq(c.start, 22);
	complete_done(&c);
	/* never half a character */
	complete_line(&f.sh, "show firewall address w\xc3", &c);
	ck_assert_uint_eq(complete_common(&c), 1);
	complete_done(&c);
	complete_line(&f.sh, "", &c);
	ck_assert_uint_eq(complete_common(&c), 0);
	complete_done(&c);
}
END_TEST

/* A candidate filled in by Tab is again what completion finds there, and the only way to go on. */
static void expect_found_again(const char *text, const struct completion *c, size_t i) {
	AUTO_FREE char *line = xstrndup(text, c->start);
	AUTO_STR struct str filled = STR_INIT;
	struct completion again;
	bool found = false;

	str_add(&filled, line);
	if (c->items[i].open)
		complete_quote_part(c->items[i].word, false, &filled);
	else
		complete_quote(c->items[i].word, &filled);
	complete_line(&f.sh, str_text(&filled), &again);
	for (size_t k = 0; k < again.n; k++)
		found |= strcmp(again.items[k].word, c->items[i].word) == 0;
	ck_assert_msg(found || c->items[i].open, "%s", str_text(&filled));
	ck_assert_str_eq(again.prefix, c->items[i].word);
	ck_assert_uint_eq(again.start, c->start);
	complete_done(&again);
}

/* Lines made of candidates, cut anywhere: from each place, at each kind of level. */
START_TEST(random_lines) {
	static const char *const places[] = {
		"", "config firewall address", "config firewall policy\nedit 1",
		"config system standalone-cluster", "config system interface\nedit port1",
	};
	unsigned int seed = 1;

	for (unsigned int round = 0; round < 400; round++) {
		AUTO_STR struct str line = STR_INIT;

		fake_shell_run(&f, places[round % ARRAY_LEN(places)]);
		for (unsigned int n = 0; n < 8; n++) {
			struct completion c;
			size_t cut, i;

			complete_line(&f.sh, str_text(&line), &c);
			if (c.n == 0) {
				complete_done(&c);
				break;
			}
			i = (size_t)rand_r(&seed) % c.n;
			expect_found_again(str_text(&line), &c, i);
			ck_assert_uint_le(complete_common(&c), strlen(c.items[i].word));
			cut = strlen(c.items[i].word);
			cut = (size_t)rand_r(&seed) % (2 * cut + 2);
			if (cut <= strlen(c.items[i].word)) {
				c.items[i].word[cut] = '\0'; /* half a word, or half a character */
				n = 8;
			}
			complete_quote(c.items[i].word, &line);
			str_add_char(&line, ' ');
			complete_done(&c);
		}
		fake_shell_run(&f, "abort");
	}
}
END_TEST

START_TEST(words_are_quoted_when_needed) {
	static const char *const words[][2] = {
		{ "a", "a" },
		{ "a b", "\"a b\"" },
		{ "", "\"\"" },
		{ "a\"b", "\"a\\\"b\"" },
		{ "10.0.0.1:80", "10.0.0.1:80" },
		{ "a?", "\"a?\"" },
		{ "#1", "\"#1\"" },
		{ "a|b", "\"a|b\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		AUTO_STR struct str got = STR_INIT;

		complete_quote(words[i][0], &got);
		ck_assert_str_eq(str_text(&got), words[i][1]);
	}
}
END_TEST

START_TEST(parts_of_words_leave_their_quote_open) {
	static const struct {
		const char *word;
		bool quoted;
		const char *want;
	} parts[] = {
		{ "web", false, "web" },
		{ "web", true, "\"web" },
		{ "web ", false, "\"web " },
		{ "a\"b", true, "\"a\\\"b" },
		{ "", true, "\"" },
		{ "", false, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		AUTO_STR struct str got = STR_INIT;

		complete_quote_part(parts[i].word, parts[i].quoted, &got);
		ck_assert_str_eq(str_text(&got), parts[i].want);
	}
}
END_TEST

int main(void) {
	Suite *suite = suite_create("complete");
	TCase *t = tcase_create("complete");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, candidates, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, help_is_in_columns);
	tcase_add_test(t, help_marks_what_is_required_and_what_is_not_enforced);
	tcase_add_test(t, unselect_offers_what_is_there);
	tcase_add_test(t, help_marks_tables_that_are_not_enforced);
	tcase_add_test(t, names_show_what_they_are);
	tcase_add_test(t, remarks_tell_entries_apart);
	tcase_add_test(t, values_are_explained);
	tcase_add_test(t, absent_attributes_say_why);
	tcase_add_test(t, secrets_are_not_shown);
	tcase_add_test(t, long_values_are_cut);
	tcase_add_test(t, names_of_the_running_system);
	tcase_add_test(t, revisions);
	tcase_add_test(t, transactions);
	tcase_add_test(t, revisions_and_warning);
	tcase_add_test(t, files);
	tcase_add_test(t, options_of_filters_are_explained);
	tcase_add_test(t, long_lists_are_cut);
	tcase_add_test(t, common_part_and_start);
	tcase_add_test(t, random_lines);
	tcase_add_test(t, words_are_quoted_when_needed);
	tcase_add_test(t, parts_of_words_leave_their_quote_open);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
