/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an administrator is warned of: each case is a configuration, the objects of it that a commit
 * changes, and the warnings, one a line.
 */
#include "backends/review.h"

#include <stdlib.h>
#include <string.h>

#include "backends/helper.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "schemas/schema_gen.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

static const char base[] =
	"config system interface\nedit port1\nset ip 192.0.2.1/24\nnext\nedit port2\nnext\nend\n"
	"config firewall address\n"
	"edit net\nset subnet 10.0.0.0/8\nnext\n"
	"edit ads\nset type fqdn\nset fqdn ads.example.com\nnext\n"
	"edit far\nset type geography\nset country XX\nnext\n"
	"edit card\nset type mac\nnext\n"
	"edit tag\nset type dynamic\nnext\n"
	"edit route\nset type route-tag\nnext\n"
	"edit spare\nset type fqdn\nnext\n"
	"end\n"
	"config firewall addrgrp\n"
	"edit plain\nset member net\nnext\n"
	"edit some\nset member net ads\nnext\n"
	"edit deep\nset member plain some\nnext\n"
	"edit but\nset member net\nset exclude enable\nset exclude-member ads\nnext\n"
	"edit many\nset member ads far card tag route\nnext\n"
	"edit spare-group\nset member ads\nnext\n"
	"end\n"
	"config firewall service custom\n"
	"edit of-server\nset fqdn www.example.com\nset tcp-portrange 80\nnext\nend\n"
	"config firewall vip\n"
	"edit good\nset extip 192.0.2.10\nset mappedip 10.0.0.1\nset extintf port1\nnext\n"
	"edit long\nset extip 192.0.2.11\nset mappedip 10.0.0.2\nset extintf port1\n"
	"set portforward enable\nset extport 1-65535\nset mappedport 1-65535\nnext\n"
	"edit wide\nset extip 20.0.0.0-20.1.0.0\nset mappedip 10.1.0.0-10.2.0.0\nset extintf any\nnext\n"
	"edit bare\nset mappedip 10.0.0.3\nset extintf port2\nnext\n"
	"edit balance\nset type server-load-balance\nset extip 192.0.2.12\nset extintf port1\nnext\n"
	"edit off\nset extip 20.0.0.0-20.1.0.0\nset mappedip 10.1.0.0-10.2.0.0\nset extintf any\n"
	"set status disable\nnext\n"
	"end\n"
	"config firewall vipgrp\nedit vips\nset interface any\nset member good bare\nnext\nend\n";

#define POLICY(rest)                                                                          \
	"config firewall policy\nedit 7\nset srcintf port2\nset dstintf port1\nset srcaddr all\n" \
	"set dstaddr all\nset schedule none\nset service ALL\n" rest "next\nend\n"
#define ACCEPT "set action accept\n"
#define HELPER(name, protocol)                                                             \
	"config system session-helper\nedit 30\nset name " name "\nset protocol " protocol \
	"\nset port 99\nnext\nend\n"
#define SERVICE(proto, helper)                                                                   \
	"config firewall service custom\nedit s\nset " proto "-portrange 99\nset helper " helper \
	"\nnext\nend\n"

#define PEER                                                                        \
	"config system standalone-cluster\nconfig cluster-peer\nedit 1\n"        \
	"set peerip 10.9.9.9\nnext\nend\nend\n"
#define SCALE	  "config system auto-scale\nset psksecret a-secret-of-16-chars\nend\n"
#define NO_SECRET "system standalone-cluster: sessions are not shared without a psksecret\n"

static const struct {
	const char *config, *changed, *warnings; /* changed: table and key, as "table key\n..." */
} cases[] = {
	{ POLICY(ACCEPT), "policy 7", "" },
	/* all of a side, or a part; accepting or not */
	{ POLICY("set srcaddr ads\n"), "policy 7",
	  "firewall policy 7 matches nothing: this unit cannot enforce its srcaddr: \"ads\" (type fqdn)\n" },
	{ POLICY(ACCEPT "set dstaddr far\n"), "policy 7",
	  "firewall policy 7 matches nothing: this unit cannot enforce its dstaddr: "
	  "\"far\" (type geography)\n" },
	{ POLICY("set srcaddr net ads\n"), "policy 7",
	  "firewall policy 7 leaves out what this unit cannot enforce in its srcaddr: "
	  "\"ads\" (type fqdn)\n" },
	{ POLICY(ACCEPT "set srcaddr net ads\nset dstaddr net far\n"), "policy 7",
	  "firewall policy 7 leaves out what this unit cannot enforce in its srcaddr: "
	  "\"ads\" (type fqdn)\n"
	  "firewall policy 7 leaves out what this unit cannot enforce in its dstaddr: "
	  "\"far\" (type geography)\n" },
	{ POLICY("set srcaddr ads far card tag route\n"), "policy 7",
	  "firewall policy 7 matches nothing: this unit cannot enforce its srcaddr: "
	  "\"ads\" (type fqdn), \"far\" (type geography), \"card\" (type mac), \"tag\" (type dynamic)"
	  " and others\n" },
	/* in groups; once, however often it is there */
	{ POLICY("set srcaddr deep\n"), "policy 7",
	  "firewall policy 7 leaves out what this unit cannot enforce in its srcaddr: "
	  "\"ads\" (type fqdn)\n" },
	{ POLICY("set srcaddr deep some ads\n"), "policy 7",
	  "firewall policy 7 leaves out what this unit cannot enforce in its srcaddr: "
	  "\"ads\" (type fqdn)\n" },
	{ POLICY("set srcaddr plain\n"), "policy 7", "" },
	/* what would be taken out: who denies, denies it; who accepts, leaves out the whole */
	{ POLICY("set srcaddr but\n"), "policy 7",
	  "firewall policy 7 denies what it should spare: this unit cannot enforce all of its srcaddr: "
	  "\"ads\" (type fqdn)\n" },
	{ POLICY(ACCEPT "set srcaddr but\n"), "policy 7",
	  "firewall policy 7 matches nothing: this unit cannot enforce its srcaddr: \"ads\" (type fqdn)\n" },
	{ POLICY(ACCEPT "set srcaddr but net\n"), "policy 7",
	  "firewall policy 7 leaves out what this unit cannot enforce in its srcaddr: "
	  "\"ads\" (type fqdn)\n" },
	{ POLICY("set srcaddr ads\nset srcaddr-negate enable\n"), "policy 7",
	  "firewall policy 7 denies what it should spare: this unit cannot enforce all of its srcaddr: "
	  "\"ads\" (type fqdn)\n" },
	{ POLICY("set srcaddr but\nset srcaddr-negate enable\n"), "policy 7",
	  "firewall policy 7 leaves out what this unit cannot enforce in its srcaddr: "
	  "\"ads\" (type fqdn)\n" },
	{ POLICY(ACCEPT "set dstaddr net ads\nset dstaddr-negate enable\n"), "policy 7",
	  "firewall policy 7 matches nothing: this unit cannot enforce its dstaddr: \"ads\" (type fqdn)\n" },
	/* switched off, or not asked for */
	{ POLICY("set srcaddr ads\nset status disable\n"), "policy 7", "" },
	{ POLICY("set srcaddr ads\nset internet-service-src enable\n"), "policy 7",
	  "firewall policy 7 denies what it should spare: this unit cannot enforce its "
	  "internet-service-src\n" },
	/* not changed */
	{ POLICY("set srcaddr ads\n"), "address net", "" },
	/* virtual IPs among the destinations */
	{ POLICY(ACCEPT "set dstaddr good\n"), "policy 7", "" },
	{ POLICY(ACCEPT "set dstaddr bare\n"), "policy 7",
	  "firewall policy 7 matches nothing: this unit cannot enforce its dstaddr: "
	  "\"bare\" (extip is that of an interface without address)\n" },
	{ POLICY(ACCEPT "set dstaddr vips\n"), "policy 7",
	  "firewall policy 7 leaves out what this unit cannot enforce in its dstaddr: "
	  "\"bare\" (extip is that of an interface without address)\n" },
	{ POLICY(ACCEPT "set dstaddr off\n"), "policy 7", "" },
	/* other criteria */
	{ POLICY(ACCEPT "set groups guests\nset srcaddr ads\n"), "policy 7",
	  "firewall policy 7 matches nothing: this unit cannot enforce its groups\n" },
	{ POLICY("set groups guests\n"), "policy 7",
	  "firewall policy 7 denies what it should spare: this unit cannot enforce its groups\n" },
	{ POLICY("set action ipsec\n"), "policy 7",
	  "firewall policy 7 denies: this unit cannot enforce action ipsec\n" },
	{ POLICY("set service of-server\n"), "policy 7",
	  "firewall policy 7 matches nothing: this unit cannot enforce its service: "
	  "services of a server, a host name, an application or a proxy\n" },
	{ POLICY(ACCEPT "set service HTTP of-server\n"), "policy 7",
	  "firewall policy 7 leaves out what this unit cannot enforce in its service: "
	  "services of a server, a host name, an application or a proxy\n" },
	{ POLICY("set service of-server\nset service-negate enable\n"), "policy 7",
	  "firewall policy 7 denies what it should spare: this unit cannot enforce all of its service: "
	  "services of a server, a host name, an application or a proxy\n" },
	{ POLICY("set service ALL of-server\n"), "policy 7", "" },
	/* virtual IPs */
	{ "", "vip good\nvip off", "" },
	{ "", "vip long", "" }, /* ports stay what they are: nothing is written out */
	{ "", "vip wide", "firewall vip wide takes no packet: its ranges are too long\n" },
	{ "", "vip bare",
	  "firewall vip bare takes no packet: extip is that of an interface without address\n" },
	{ "", "vip balance", "firewall vip balance takes no packet: its type is not enforced\n" },
	/* addresses in use */
	{ "", "address spare\naddrgrp spare-group\naddrgrp plain\naddress net", "" },
	{ "", "address ads",
	  "firewall address ads is in use, but this unit cannot enforce all of it: "
	  "\"ads\" (type fqdn)\n" },
	{ POLICY("set srcaddr deep but\n"), "addrgrp deep\naddrgrp but",
	  "firewall addrgrp deep is in use, but this unit cannot enforce all of it: "
	  "\"ads\" (type fqdn)\n"
	  "firewall addrgrp but is in use, but this unit cannot enforce all of it: "
	  "\"ads\" (type fqdn)\n" },
	/* sessions; this kernel has all helpers but that of FTP */
	{ HELPER("tftp", "17"), "system.session-helper 30", "" },
	{ HELPER("tftp", "6"), "system.session-helper 30",
	  "system session-helper 30 does nothing: this unit has no helper tftp for protocol 6\n" },
	{ HELPER("rsh", "6"), "system.session-helper 30",
	  "system session-helper 30 does nothing: this unit has no helper rsh for protocol 6\n" },
	{ HELPER("ftp", "6"), "system.session-helper 30",
	  "system session-helper 30 does nothing: this unit has no helper ftp for protocol 6\n" },
	{ SERVICE("tcp", "auto"), "service.custom s", "" },
	{ SERVICE("tcp", "disable"), "service.custom s", "" },
	{ SERVICE("udp", "tftp"), "service.custom s", "" },
	{ SERVICE("tcp", "sip"), "service.custom s", "" },
	{ SERVICE("tcp", "tftp"), "service.custom s",
	  "firewall service custom s has no helper: this unit has no tftp for its protocols\n" },
	{ SERVICE("tcp", "ftp"), "service.custom s",
	  "firewall service custom s has no helper: this unit has no ftp for its protocols\n" },
	{ "config system session-ttl\nconfig port\nedit 1\nset protocol 132\nnext\n"
	  "edit 2\nset protocol 17\nnext\nedit 3\nnext\nend\nend\n",
	  "system.session-ttl ",
	  "system session-ttl: port 1 does nothing: this unit cannot enforce times of protocol "
	  "132\n" },
	/* members of a group share no sessions without a secret, wherever it is */
	{ PEER, "system.standalone-cluster ", NO_SECRET },
	{ PEER SCALE, "system.standalone-cluster ", "" },
	{ PEER "config system auto-scale\nset status enable\nend\n", "system.auto-scale ",
	  NO_SECRET },
	{ PEER "config system standalone-cluster\nset psksecret a-secret-of-16-chars\n"
	  "config cluster-peer\nedit 1\nset peerip 10.9.9.9\nnext\nend\nend\n",
	  "system.standalone-cluster ", "" },
	{ "config system standalone-cluster\nset standalone-group-id 1\nend\n",
	  "system.standalone-cluster ", "" },
};

/* Changes of the objects that a text names; the caller frees. */
static struct change *changes_of(const struct model *m, const char *text, size_t *n) {
	struct change *changes = xcalloc(8, sizeof(*changes));

	for (*n = 0; *text; ++*n) {
		size_t len = strcspn(text, "\n"), word = strcspn(text, " ");
		bool system = strncmp(text, "system.", 7) == 0;
		AUTO_FREE char *table =
			xasprintf("%s%.*s", system ? "" : "firewall.", (int)word, text);
		AUTO_FREE char *key = xstrndup(text + word + 1, len - word - 1);

		changes[*n].after = model_find(m, fixture_table(table), key);
		changes[*n].before = changes[*n].after;
		ck_assert_msg(changes[*n].after != NULL, "%s %s", table, key);
		text += len + (text[len] == '\n');
	}
	return changes;
}

static void take(void *arg, const char *text) {
	str_addf(arg, "%s\n", text);
}

static void review(const struct model *m, const struct change *changes, size_t n,
		   struct str *said) {
	struct warnings w = { 0 };
	struct commit commit = { .model = m, .changes = changes, .n_changes = n };

	review_commit(&commit, HELPERS_ALL & ~1u);
	commit.warnings = &w;
	review_commit(&commit, HELPERS_ALL & ~1u);
	warn_drain(&w, take, said);
}

START_TEST(test_case) {
	AUTO_FREE char *text = xasprintf("%s%s", base, cases[_i].config);
	struct model *m = conf_model(text);
	AUTO_STR struct str said = STR_INIT;
	size_t n;
	AUTO_FREE struct change *changes = changes_of(m, cases[_i].changed, &n);

	review(m, changes, n, &said);
	ck_assert_msg(strcmp(str_text(&said), cases[_i].warnings) == 0, "%s%s:\n%s",
		      cases[_i].config, cases[_i].changed, str_text(&said));
	model_free(m);
}
END_TEST

/* What is new or gone needs no word of its own. */
START_TEST(test_new_and_deleted) {
	struct model *m = conf_model(base);
	const struct object *ads = model_find(m, fixture_table("firewall.address"), "ads");
	struct change changes[] = { { .before = NULL, .after = ads },
				    { .before = ads, .after = NULL } };
	AUTO_STR struct str said = STR_INIT;

	review(m, changes, ARRAY_LEN(changes), &said);
	ck_assert_str_eq(str_text(&said), "");
	model_free(m);
}
END_TEST

/* Groups that share groups in many ways: 8^14 paths lead to the one name that is missing. */
START_TEST(test_lattice) {
	AUTO_STR struct str text = STR_INIT, said = STR_INIT;
	AUTO_FREE struct change *changes = NULL;
	struct model *m;
	size_t n;

	str_addf(&text, "%sconfig firewall addrgrp\n", base);
	for (int level = 0; level < 14; level++)
		for (int i = 0; i < 8; i++) {
			str_addf(&text, "edit l%d.%d\nset member net", level, i);
			for (int k = 0; k < 8 && level > 0; k++)
				str_addf(&text, " l%d.%d", level - 1, k);
			str_add(&text, level > 0 ? "\nnext\n" : " ads\nnext\n");
		}
	str_add(&text, "end\n" POLICY("set srcaddr l13.0\n"));
	m = conf_model(str_text(&text));
	changes = changes_of(m, "policy 7", &n);
	review(m, changes, n, &said);
	ck_assert_str_eq(str_text(&said),
			 "firewall policy 7 leaves out what this unit cannot enforce in its "
			 "srcaddr: \"ads\" (type fqdn)\n");
	model_free(m);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("review");
	TCase *t = fixture_case(suite, "review");

	tcase_add_loop_test(t, test_case, 0, ARRAY_LEN(cases));
	tcase_add_test(t, test_new_and_deleted);
	tcase_add_test(t, test_lattice);
	return fixture_run(suite);
}
