/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet filter in the kernel, each test in a network namespace of its own: both emitters give
 * the same table, changes lead to the same table as a load from nothing, what is refused leaves
 * everything as it was and is told with the object at fault.
 */
#include "backends/nft.h"

#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "backends/helper.h"
#include "backends/nft_netlink.h"
#include "backends/nft_text.h"
#include "backends/render.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_policies.h"
#include "tests/lib/table.h"

static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
}

/* ---- configurations ---- */

static const char base[] =
	"config system interface\nedit \"port1\"\nset allowaccess ping ssh\nnext\nedit \"port2\"\nnext\nend\n"
	"config firewall address\nedit \"a\"\nset subnet 10.1.0.0 255.255.0.0\nnext\nend\n"
	"config firewall vip\nedit \"web\"\nset extip 20.0.0.1\nset mappedip \"10.1.0.1\"\nset extintf \"port1\"\n"
	"set portforward enable\nset extport 8000-8010\nset mappedport 9000-9010\nnext\n"
	"edit \"one\"\nset extip 20.0.0.8-20.0.0.11\nset mappedip \"10.1.0.8-10.1.0.11\"\nset extintf \"any\"\n"
	"set src-filter \"1.0.0.0-1.0.0.9\" \"2.0.0.1\" \"3.0.0.1\" \"4.0.0.1\" \"5.0.0.1\" \"6.0.0.1\" \"7.0.0.1\"\n"
	"next\nend\n"
	"config firewall policy\nedit 7\nset srcintf \"port1\"\nset dstintf \"port2\"\nset action accept\n"
	"set srcaddr \"all\"\nset dstaddr \"web\" \"one\" \"a\"\nset schedule \"always\"\nset service \"HTTP\" \"PING\"\n"
	"set nat enable\nnext\n"
	"edit 6\nset srcintf \"port1\"\nset dstintf \"any\"\nset srcaddr \"a\"\nset dstaddr \"all\"\n"
	"set schedule \"always\"\nset service \"ALL\"\nset logtraffic all\nnext\nend\n"
	"config log setting\nset fwpolicy-implicit-log enable\nset fwpolicy6-implicit-log enable\nend\n";

static const char more[] =
	"config firewall policy\nedit 8\nset srcintf \"port2\"\nset dstintf \"any\"\nset srcaddr \"a\"\n"
	"set dstaddr \"all\"\nset schedule \"always\"\nset service \"ALL\"\nnext\nend\n";

static const char members[] =
	"config system standalone-cluster\nconfig cluster-peer\nedit 1\nset peerip 10.9.0.2\nnext\nend\nend\n";

static const char linked_members[] =
	"config system interface\nedit \"port3\"\nnext\nend\nconfig system standalone-cluster\n"
	"set layer2-connection available\nset session-sync-dev \"port3\"\n"
	"config cluster-peer\nedit 1\nset peerip 10.9.0.2\nnext\nend\nend\n";

static const char trusted[] =
	"config system accprofile\nedit \"p\"\nnext\nend\nconfig system admin\nedit \"x\"\nset accprofile \"p\"\n"
	"set trusthost1 10.0.0.0 255.0.0.0\nset trusthost2 192.168.1.1 255.255.255.255\n"
	"set ip6-trusthost1 2001:db8::/36\nset ip6-trusthost2 fe80::1/128\nset ip6-trusthost3 fd00::/64\nnext\nend\n";

static struct model *random_model(unsigned int seed) {
	struct random_policies r = { fixture_seed() * 100 + seed, 30, 12, 20, 10, 60 };
	struct str text AUTO_STR = STR_INIT;

	random_policies_text(&r, &text);
	return conf_model(str_text(&text));
}

static struct nft *started(const struct model *m, uint64_t revision) {
	struct err err = { 0 };
	struct nft *nft = nft_new(&err);
	struct backend b;

	ck_assert_msg(nft, "%s", err.text);
	b = nft_backend(nft);
	ck_assert_msg(b.start(b.ctx, &(struct commit){ .model = m, .revision = revision }, &err) ==
			      0,
		      "%s", err.text);
	return nft;
}

/* A change that matters, so that a commit renders. */
static struct commit commit_of(const struct model *m, uint64_t revision) {
	static struct change any;

	any.after = model_first(m, schema_table(TBL_FIREWALL_ADDRESS));
	return (struct commit){ .model = m, .changes = &any, .n_changes = 1, .revision = revision };
}

static int try_commit(struct nft *nft, const struct model *m, uint64_t revision, struct err *err) {
	struct backend b = nft_backend(nft);
	struct commit c = commit_of(m, revision);
	int rc = b.prepare(b.ctx, &c, err);

	ck_assert_int_eq(rc, 0);
	rc = b.apply(b.ctx, err);
	if (rc)
		b.cancel(b.ctx);
	else
		b.finish(b.ctx);
	return rc;
}

/* ---- tests ---- */

/* What both emitters are given: members, too. */
static struct model *emitted(int i) {
	static const char *const texts[] = { "", members, linked_members, trusted };
	struct model *m = i < 4 ? conf_model(base) : random_model((unsigned int)i);

	if (i > 0 && i < 4)
		conf_load(m, texts[i], 2);
	return m;
}

START_TEST(test_emitters) {
	struct model *m = emitted(_i);
	struct nft *nft;
	char *text, *netlink;

	own_namespace();
	nft = started(m, 0);
	netlink = table_listing();
	ck_assert_int_eq(nft_remove(nft, NULL), 0);
	nft = nft_free(nft);
	ck_assert(table_is_empty());
	nft = started(m, 0);
	table_load(nft_ruleset(nft));
	text = table_listing();
	/* The text has no set of the revision. */
	ck_assert_ptr_nonnull(strstr(netlink, "\tset " RENDER_SET_REVISION));
	*strstr(netlink, "\tset " RENDER_SET_REVISION) = '\0';
	ck_assert_uint_gt(strlen(netlink), 1000);
	ck_assert_int_eq(strncmp(text, netlink, strlen(netlink)), 0);
	nft_free(nft);
	model_free(m);
	free(text);
	free(netlink);
}
END_TEST

/* From one random configuration to another and on; each time as if loaded from nothing. */
START_TEST(test_changes) {
	struct nft *nft = NULL;
	struct err err = { 0 };

	own_namespace();
	for (unsigned int i = 0; i < fixture_rounds(12); i++) {
		struct model *m = random_model(i);
		struct nft *other;
		char *changed, *loaded;

		if (!nft)
			nft = started(m, i);
		ck_assert_msg(try_commit(nft, m, i + 1, &err) == 0, "%s", err.text);
		changed = table_listing();
		other = started(m, 1000); /* another revision */
		ck_assert_int_eq(nft_remove(other, NULL), 0);
		nft_free(other);
		other = started(m, i + 1);
		loaded = table_listing();
		table_assert_same(changed, loaded);
		nft_free(other);
		model_free(m);
	}
	nft_free(nft);
}
END_TEST

START_TEST(test_undo) {
	struct model *a = random_model(1), *b = random_model(2);
	struct err err = { 0 };
	struct nft *nft;
	struct backend k;
	struct commit c = commit_of(b, 6);
	char *before, *between;

	own_namespace();
	nft = started(a, 5);
	before = table_listing();
	k = nft_backend(nft);
	ck_assert_int_eq(k.prepare(k.ctx, &c, &err), 0);
	ck_assert_msg(k.apply(k.ctx, &err) == 0, "%s", err.text);
	between = table_listing();
	ck_assert_str_ne(before, between);
	k.undo(k.ctx);
	k.cancel(k.ctx);
	table_assert_same(before, table_listing());
	ck_assert_int_eq(try_commit(nft, b, 6, &err), 0);
	table_assert_same(between, table_listing());
	nft_free(nft);
	model_free(a);
	model_free(b);
}
END_TEST

/* The kernel refuses: nothing has changed, and the error names the policy. */
START_TEST(test_refused) {
	struct model *m = conf_model(base);
	struct err err = { 0 };
	struct nft *nft;
	char *before;

	own_namespace();
	nft = started(m, 1);
	before = table_listing();
	conf_load(m, more, 2);
	setenv("GATEHOUSE_FAULT", "nft.refuse:1", 1);
	fault_init();
	ck_assert_int_eq(try_commit(nft, m, 2, &err), ERR_KERNEL);
	ck_assert_msg(strstr(err.text, "firewall policy 8"), "%s", err.text);
	table_assert_same(before, table_listing());
	ck_assert_msg(try_commit(nft, m, 2, &err) == 0, "%s", err.text);
	nft_free(nft);
	model_free(m);
}
END_TEST

/* A refused element is found among the many of its message. */
START_TEST(test_refused_element) {
	struct ruleset *rs = ruleset_new();
	struct set *set =
		ruleset_add_set(rs, "m", DATA_VERDICT, SET_INTERVAL, FIELD_DADDR, 0, 0, 0);
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;
	struct object *obj = object_new(schema_table(TBL_FIREWALL_VIP), "the one");
	struct err err = { 0 };
	struct nft_netlink *nl;

	own_namespace();
	nl = nft_netlink_open(&err);
	ck_assert_msg(nl, "%s", err.text);
	ruleset_add_chain(rs, "there");
	for (uint32_t i = 0; i < 1000; i++) {
		struct key k = KEY_INIT;
		struct elem *e;

		key_num(&k, FIELD_DADDR, i * 10);
		e = set_add(rs, set, &k);
		e->last = i * 10 + 5;
		e->verdict = STMT_JUMP;
		e->chain = i == 777 ? "missing" : "there";
		e->origin = i == 777 ? ruleset_origin(rs, obj) : NULL;
	}
	ruleset_sort(rs);
	ruleset_diff(NULL, rs, &d);
	ck_assert_int_eq(nft_netlink_replace(nl, &d, 0, &err), ERR_KERNEL);
	ck_assert_msg(strstr(err.text, "firewall vip the one"), "%s", err.text);
	nft_netlink_close(nl);
	object_free(obj);
	ruleset_free(rs);
}
END_TEST

/* ---- objects ---- */

/* A ruleset in which objects of these kinds are used by a rule each. */
static struct ruleset *with_objects(bool timeouts, bool helper, const struct object *origin) {
	struct ruleset *rs = ruleset_new();
	struct chain *c = ruleset_add_chain(rs, "c");
	struct ct_object o = { .name = "none", .origin = ruleset_origin(rs, origin) };

	for (int i = 0; timeouts && i < 2; i++) {
		o.kind = CT_TIMEOUT;
		o.l4proto = i ? IPPROTO_UDP : IPPROTO_TCP;
		o.name = ruleset_name(rs, i ? "u90" : "t600.1");
		for (uint32_t j = 0; j < CT_SECONDS_MAX; j++)
			o.seconds[j] = 600 + j;
		ruleset_add_object(rs, &o);
		chain_rule(c);
		chain_stmt(c, STMT_TIMEOUT, FIELD_NONE, 0, 0, o.name);
	}
	if (helper) {
		o.kind = CT_HELPER;
		o.l4proto = IPPROTO_TCP;
		o.name = ruleset_name(rs, "ftp-6");
		o.helper = origin ? "no such helper" : "ftp";
		ruleset_add_object(rs, &o);
		chain_rule(c);
		chain_stmt(c, STMT_HELPER, FIELD_NONE, 0, 0, o.name);
		chain_stmt(c, STMT_RETURN, FIELD_NONE, 0, 0, NULL);
	}
	ruleset_sort(rs);
	return rs;
}

static void apply(struct nft_netlink *nl, const struct ruleset *from, const struct ruleset *to) {
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;
	struct err err = { 0 };
	int rc;

	ruleset_diff(from, to, &d);
	rc = from ? nft_netlink_apply(nl, &d, 0, &err) : nft_netlink_replace(nl, &d, 0, &err);
	ck_assert_msg(rc == 0, "%s", err.text);
}

/* Objects come and go with what uses them, and are the same however they are loaded. */
START_TEST(test_objects) {
	struct ruleset *none = with_objects(false, false, NULL),
		       *some = with_objects(true, false, NULL),
		       *all = with_objects(true, true, NULL);
	struct nft_netlink *nl;
	char *by_text, *before;

	own_namespace();
	nl = nft_netlink_open(NULL);
	table_load(all);
	by_text = table_listing();
	ck_assert_ptr_nonnull(strstr(by_text, "established : 602"));
	ck_assert_ptr_nonnull(strstr(by_text, "unreplied : 600, replied : 601"));
	ck_assert_ptr_nonnull(strstr(by_text, "type \"ftp\" protocol tcp"));
	ck_assert_ptr_nonnull(strstr(by_text, "ct helper set \"ftp-6\" return"));
	apply(nl, NULL, none);
	before = table_listing();
	ck_assert_ptr_null(strstr(before, "ct timeout"));
	apply(nl, none, some);
	apply(nl, some, all);
	table_assert_same(by_text, table_listing());
	apply(nl, all, some);
	apply(nl, some, none);
	table_assert_same(before, table_listing());
	nft_netlink_close(nl);
	ruleset_free(none);
	ruleset_free(some);
	ruleset_free(all);
}
END_TEST

/* An object that the kernel refuses is told with what it was made for, and nothing has changed. */
START_TEST(test_refused_object) {
	struct object *obj = object_new(schema_table(TBL_FIREWALL_POLICY), "42");
	struct ruleset *good = with_objects(true, false, NULL),
		       *bad = with_objects(true, true, obj);
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;
	struct err err = { 0 };
	struct nft_netlink *nl;
	char *before;

	own_namespace();
	nl = nft_netlink_open(NULL);
	apply(nl, NULL, good);
	before = table_listing();
	ruleset_diff(good, bad, &d);
	ck_assert_int_eq(nft_netlink_apply(nl, &d, 0, &err), ERR_KERNEL);
	ck_assert_msg(strstr(err.text, "firewall policy 42"), "%s", err.text);
	table_assert_same(before, table_listing());
	nft_netlink_close(nl);
	ruleset_free(good);
	ruleset_free(bad);
	object_free(obj);
}
END_TEST

static uint64_t hits_of(struct nft *nft, uint32_t policy) {
	struct nft_counters c = { 0 };
	struct err err = { 0 };

	ck_assert_msg(nft_read_counters(nft, policy, &c, &err) == 0, "%s", err.text);
	return c.hits;
}

/* Put a table into the kernel whose counter of policy 7 has counted. */
static void count_before(const struct model *m, uint64_t revision) {
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;
	struct key k = KEY_INIT;
	time_t next;
	struct ruleset *rs = render(m, time(NULL), &next), *mark;
	struct nft_netlink *nl = nft_netlink_open(NULL);
	struct set *hits = ruleset_set(rs, RENDER_SET_HITS);
	uint32_t generation;

	ck_assert_int_eq(nft_netlink_generation(nl, &generation, NULL), 0);
	k = render_revision_key(revision, ruleset_hash(rs), generation + 1);
	mark = render_revision(&k);
	k = (struct key)KEY_INIT;
	key_num(&k, FIELD_CT_MARK, 7);
	hits->elems[set_find(hits, k.bytes) - hits->elems].packets = 42;
	ruleset_diff(NULL, rs, &d);
	ruleset_diff(NULL, mark, &d);
	ck_assert_int_eq(nft_netlink_replace(nl, &d, generation, NULL), 0);
	nft_netlink_close(nl);
	ruleset_free(rs);
	ruleset_free(mark);
}

/* A start with the right table, an old mark, an old table; then commits: counters go on. */
START_TEST(test_counters_survive) {
	struct model *m = conf_model(base);
	struct err err = { 0 };
	struct nft *nft;

	own_namespace();
	count_before(m, 5);
	if (_i == 2)
		conf_load(m, more, 2);
	nft = started(m, _i == 0 ? 5 : 6);
	ck_assert_uint_eq(hits_of(nft, 7), 42);
	ck_assert_uint_eq(hits_of(nft, 0), 0);
	conf_load(m, more, 7);
	ck_assert_int_eq(try_commit(nft, m, 7, &err), 0);
	ck_assert_uint_eq(hits_of(nft, 7), 42);
	ck_assert_uint_eq(hits_of(nft, 8), 0);
	nft_free(nft);
	model_free(m);
}
END_TEST

/* Someone empties the kernel: the next commit puts everything back. */
START_TEST(test_table_lost) {
	struct model *m = conf_model(base);
	struct err err = { 0 };
	struct nft *nft;
	char *right;

	own_namespace();
	conf_load(m, more, 2);
	nft = started(m, 2);
	right = table_listing();
	nft_free(nft);
	object_free(model_take(m, schema_table(TBL_FIREWALL_POLICY), "8"));
	nft = started(m, 1);
	ck_assert_int_eq(system("nft flush ruleset"), 0);
	conf_load(m, more, 2);
	ck_assert_msg(try_commit(nft, m, 2, &err) == 0, "%s", err.text);
	table_assert_same(right, table_listing());
	nft_free(nft);
	model_free(m);
}
END_TEST

/* Whether a change by another program is heard; it must be told who made it. */
static bool touched(struct nft *nft, const char *command) {
	struct nft_intruder who;
	bool ret;

	ck_assert_int_eq(system(command), 0);
	ret = nft_touched(nft, &who);
	ck_assert_str_eq(who.name, ret ? "nft" : "");
	ck_assert(ret == (who.pid != 0));
	ck_assert(nft_is_unsure(nft) == ret);
	return ret;
}

#define LOSING_EDITS 2 /* the first of these take the counters with them */

static const char *const edits[] = {
	"nft flush ruleset",
	"nft delete table inet gatehouse",
	"nft flush chain inet gatehouse forward",
	"nft insert rule inet gatehouse forward accept",
	"nft add element inet gatehouse managed '{ other }'",
	"nft delete element inet gatehouse managed '{ port1 }'",
	"nft add chain inet gatehouse other '{ type filter hook forward priority -1; }'",
	"nft 'add table ip x; add element inet gatehouse managed { other }; delete table ip x'",
};

/*
 * Our rules are put right; what others do with their own tables, and what we do, is not ours to
 * mend.
 */
START_TEST(test_touched) {
	struct model *m = conf_model(base);
	struct err err = { 0 };
	struct nft *nft;
	char *right;

	own_namespace();
	if (_i >= LOSING_EDITS)
		count_before(m, 5);
	nft = started(m, 5);
	conf_load(m, more, 6);
	ck_assert_int_eq(try_commit(nft, m, 6, &err), 0);
	right = table_listing();
	ck_assert(!touched(nft,
			   "nft 'add table inet x; add chain inet x c; add table ip gatehouse'"));
	ck_assert(touched(nft, edits[_i]));
	ck_assert_msg(nft_restore(nft, &err) == 0, "%s", err.text);
	table_assert_same(right, table_listing());
	ck_assert_uint_eq(hits_of(nft, 7), _i < LOSING_EDITS ? 0 : 42);
	ck_assert(!touched(nft, "true"));
	nft_free(nft);
	model_free(m);
}
END_TEST

/* What others did while nobody listened is found at the start, whatever it was. */
START_TEST(test_touched_before_start) {
	struct model *m = conf_model(base);
	char *right;

	own_namespace();
	nft_free(started(m, 5));
	right = table_listing();
	ck_assert_int_eq(system(edits[_i]), 0);
	nft_free(started(m, 5));
	table_assert_same(right, table_listing());
	model_free(m);
}
END_TEST

static uint32_t generation_of(struct nft_netlink *nl) {
	uint32_t generation;

	ck_assert_int_eq(nft_netlink_generation(nl, &generation, NULL), 0);
	return generation;
}

/* A start that finds what it left does not touch it. */
START_TEST(test_untouched) {
	struct model *m = conf_model(base);
	struct nft_netlink *nl;
	uint32_t before;

	own_namespace();
	nl = nft_netlink_open(NULL);
	nft_free(started(m, 5));
	before = generation_of(nl);
	nft_free(started(m, 5));
	ck_assert_uint_eq(generation_of(nl), before);
	nft_free(started(m, 6));
	ck_assert_uint_eq(generation_of(nl), before + 1);
	nft_free(started(m, 6));
	ck_assert_uint_eq(generation_of(nl), before + 1);
	nft_netlink_close(nl);
	model_free(m);
}
END_TEST

/* While nothing is managed, nothing is in the kernel. */
START_TEST(test_nothing_managed) {
	struct model *m = conf_model("");
	struct err err = { 0 };
	struct nft *nft;

	own_namespace();
	conf_load(m, "config system interface\nedit \"port1\"\nset allowaccess ping\nnext\nend\n",
		  0);
	nft = started(m, 0);
	ck_assert(table_is_empty());
	ck_assert_int_eq(try_commit(nft, m, 1, &err), 0);
	ck_assert(table_is_empty());
	conf_load(m, base, 2);
	ck_assert_int_eq(try_commit(nft, m, 2, &err), 0);
	ck_assert(!table_is_empty());
	nft_free(nft);
	model_free(m);
}
END_TEST

static void set_ttl(struct model *m, unsigned int seconds) {
	struct str text AUTO_STR = STR_INIT;

	str_addf(
		&text,
		"config firewall policy\nedit 9\nset srcintf \"port2\"\nset dstintf \"port1\"\n"
		"set srcaddr \"all\"\nset dstaddr \"all\"\nset action accept\nset schedule \"always\"\n"
		"set service \"ALL\"\nset session-ttl %u\nnext\nend\n",
		seconds);
	conf_load(m, str_text(&text), seconds);
}

static size_t count_timeouts(const struct ruleset *rs, bool kept) {
	size_t n = 0;

	for (const struct ct_object *o = rs->objects; o; o = o->next)
		n += o->kind == CT_TIMEOUT && o->kept == kept;
	return n;
}

static bool kernel_has(const char *object) {
	AUTO_FREE char *command =
		xasprintf("nft list ct timeout inet " RULESET_TABLE " %s >/dev/null 2>&1", object);

	return system(command) == 0;
}

/*
 * What sessions have stays when the configuration no longer says it, up to a bound; a start takes
 * no offence.
 */
START_TEST(test_timeouts_kept) {
	struct model *m = conf_model(base);
	struct err err = { 0 };
	struct nft_netlink *nl;
	struct nft *nft;
	uint32_t before;

	own_namespace();
	nl = nft_netlink_open(NULL);
	set_ttl(m, 600);
	nft = started(m, 600);
	set_ttl(m, 900);
	ck_assert_msg(try_commit(nft, m, 900, &err) == 0, "%s", err.text);
	ck_assert(kernel_has("t600.10.120.1.5") && kernel_has("t900.10.120.1.5"));
	ck_assert(kernel_has("u600") && kernel_has("u900"));
	ck_assert_uint_eq(count_timeouts(nft_ruleset(nft), false), 2);
	ck_assert_uint_eq(count_timeouts(nft_ruleset(nft), true), 2);
	before = generation_of(nl);
	nft_free(nft);
	nft = started(m, 900);
	ck_assert_uint_eq(generation_of(nl), before);
	for (unsigned int i = 1000; i < 1200; i++) {
		set_ttl(m, i);
		ck_assert_msg(try_commit(nft, m, i, &err) == 0, "%s", err.text);
	}
	ck_assert_uint_eq(count_timeouts(nft_ruleset(nft), true), 256);
	ck_assert(kernel_has("u1198") && kernel_has("u1072"));
	ck_assert(!kernel_has("u1070"));
	set_ttl(m, 600); /* it is there, from before the start */
	ck_assert_msg(try_commit(nft, m, 600, &err) == 0, "%s", err.text);
	ck_assert(kernel_has("u600"));
	nft_netlink_close(nl);
	nft_free(nft);
	model_free(m);
}
END_TEST

/* The kernel is asked which helpers it has, and that leaves no trace. */
START_TEST(test_helpers) {
	struct nft_netlink *nl;
	uint32_t set = 0, before;
	struct err err = { 0 };

	own_namespace();
	nl = nft_netlink_open(NULL);
	before = generation_of(nl);
	ck_assert_msg(nft_netlink_helpers(nl, &set, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(generation_of(nl), before);
	ck_assert(table_is_empty());
	for (int i = 0; i < HELPERS; i++) {
		AUTO_FREE char *command = xasprintf(
			"nft 'add table inet x; add ct helper inet x h { type \"%s\" protocol %s; }' "
			"2>/dev/null",
			helper_table[i].kernel,
			helper_table[i].proto == IPPROTO_TCP ? "tcp" : "udp");

		ck_assert_int_eq(system(command) == 0, (set & 1u << i) != 0);
		ck_assert_int_eq(system("nft flush ruleset"), 0);
	}
	nft_netlink_close(nl);
}
END_TEST

/* A commit that is none of ours changes the mark and nothing else. */
START_TEST(test_foreign_commit) {
	struct model *m = conf_model(base);
	struct err err = { 0 };
	struct nft *nft;
	struct backend b;
	struct commit c = { .model = m, .revision = 9 };
	struct key k;
	char *list, mark[32];

	own_namespace();
	nft = started(m, 8);
	b = nft_backend(nft);
	ck_assert_int_eq(b.prepare(b.ctx, &c, &err), 0);
	ck_assert_msg(b.apply(b.ctx, &err) == 0, "%s", err.text);
	b.undo(b.ctx);
	b.cancel(b.ctx);
	ck_assert_int_eq(b.prepare(b.ctx, &c, &err), 0);
	ck_assert_msg(b.apply(b.ctx, &err) == 0, "%s", err.text);
	b.finish(b.ctx);
	k = render_revision_key(9, ruleset_hash(nft_ruleset(nft)), 0);
	list = table_listing();
	snprintf(mark, sizeof(mark), "0x%08x . 0x%08x", *(uint32_t *)k.bytes,
		 *(uint32_t *)(k.bytes + 4));
	ck_assert_ptr_nonnull(strstr(list, mark));
	free(list);
	nft_free(nft);
	model_free(m);
}
END_TEST

/* ---- the clock ---- */

static time_t clock_shows; /* 0: the time it is */

/* What the packet filter takes for the time, in place of the C library's. */
time_t time(time_t *ret) {
	struct timespec now;
	time_t t = clock_shows;

	clock_gettime(CLOCK_REALTIME, &now);
	t = t ? t : now.tv_sec;
	if (ret)
		*ret = t;
	return t;
}

static const char scheduled[] =
	"config firewall schedule onetime\nedit \"day\"\nset start 10:00 2031/05/01\n"
	"set end 10:00 2031/05/02\nnext\nend\n"
	"config firewall policy\nedit 8\nset srcintf \"port1\"\nset dstintf \"port2\"\n"
	"set srcaddr \"all\"\nset dstaddr \"all\"\nset schedule \"day\"\nset service \"ALL\"\n"
	"set action accept\nnext\nend\n";

static time_t day_begins(void) {
	struct tm tm = { .tm_year = 131, .tm_mon = 4, .tm_mday = 1, .tm_hour = 10, .tm_isdst = -1 };

	return mktime(&tm);
}

static void check_refresh(struct nft *nft, const struct model *m, time_t now, uint32_t want) {
	struct err err = { 0 };

	clock_shows = now;
	ck_assert(nft_is_due(nft, now));
	ck_assert_int_eq(nft_wait(nft, now), 1);
	ck_assert_msg(nft_refresh(nft, m, &err) == 0, "%s", err.text);
	ck_assert(!nft_is_due(nft, now));
	ck_assert_uint_eq(ruleset_hash(nft_ruleset(nft)), want);
}

/* Rules are those of the time that the clock shows, whichever way it was set. */
START_TEST(test_clock) {
	struct model *m = conf_model(base);
	time_t begin = day_begins(), end = begin + 86400;
	uint32_t during, outside;
	struct err err = { 0 };
	struct nft *nft;

	own_namespace();
	conf_load(m, scheduled, 2);
	clock_shows = begin - 100;
	nft = started(m, 2);
	outside = ruleset_hash(nft_ruleset(nft));
	ck_assert(!nft_is_due(nft, begin - 1));
	ck_assert_int_eq(nft_wait(nft, begin - 100), 60);
	ck_assert_int_eq(nft_wait(nft, begin - 10), 10);
	clock_shows = begin;
	ck_assert_int_eq(nft_refresh(nft, m, &err), 0);
	during = ruleset_hash(nft_ruleset(nft));
	ck_assert_uint_ne(during, outside);
	check_refresh(nft, m, end, outside);
	check_refresh(nft, m, end - 1, during);
	ck_assert(!nft_is_due(nft, end - 1));
	check_refresh(nft, m, begin - 1, outside);
	/* forward within a time in which nothing changes, and back within it: nothing to do */
	check_refresh(nft, m, begin, during);
	ck_assert(!nft_is_due(nft, end - 1) && !nft_is_due(nft, begin));
	/* a commit that has no part in the rules sees it, too */
	check_refresh(nft, m, end, outside);
	clock_shows = end - 1;
	{
		struct backend b = nft_backend(nft);
		struct commit c = { .model = m, .revision = 3 };

		ck_assert_int_eq(b.prepare(b.ctx, &c, &err), 0);
		ck_assert_msg(b.apply(b.ctx, &err) == 0, "%s", err.text);
		b.finish(b.ctx);
	}
	ck_assert_uint_eq(ruleset_hash(nft_ruleset(nft)), during);
	ck_assert(!nft_is_due(nft, end - 1) && nft_is_due(nft, end - 2));
	nft_free(nft);
	model_free(m);
}
END_TEST

static Suite *nft_suite(void) {
	Suite *s = suite_create("nft");
	TCase *t = tcase_create("nft");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_emitters, 0, 8);
	tcase_add_test(t, test_changes);
	tcase_add_test(t, test_undo);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_refused_element);
	tcase_add_test(t, test_objects);
	tcase_add_test(t, test_refused_object);
	tcase_add_loop_test(t, test_counters_survive, 0, 3);
	tcase_add_test(t, test_table_lost);
	tcase_add_loop_test(t, test_touched, 0, ARRAY_LEN(edits));
	tcase_add_loop_test(t, test_touched_before_start, 0, ARRAY_LEN(edits));
	tcase_add_test(t, test_untouched);
	tcase_add_test(t, test_nothing_managed);
	tcase_add_test(t, test_timeouts_kept);
	tcase_add_test(t, test_helpers);
	tcase_add_test(t, test_foreign_commit);
	tcase_add_test(t, test_clock);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(nft_suite());
}
