/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interpreter of rulesets: how verdicts travel through chains, what maps do, and that rules
 * which the kernel would refuse end in a fault. That it decides as the kernel does on real rules is
 * the subject of check_nft_packets.
 */
#include "backends/ruleset_eval.h"

#include <netinet/in.h>
#include <string.h>

#include "tests/lib/fixture.h"
#include "tests/lib/simulate.h"

/* A ruleset under construction: rules are added to the chain named last. */
struct build {
	struct ruleset *rs;
	struct chain *c;
};

static struct build begin(const char *base) {
	struct build b = { ruleset_new(), NULL };

	b.c = ruleset_add_base(b.rs, base, CHAIN_FILTER, HOOK_FORWARD, 0);
	return b;
}

static void chain(struct build *b, const char *name) {
	b->c = ruleset_add_chain(b->rs, name);
}

static void stmt(struct build *b, enum stmt_op op, enum rule_field f, uint32_t a, uint32_t z,
		 const char *name) {
	chain_stmt(b->c, op, f, a, z, name);
}

/* A rule of one verdict. */
static void verdict(struct build *b, enum stmt_op op, const char *name) {
	chain_rule(b->c);
	stmt(b, op, FIELD_NONE, 0, 0, name);
}

/* A rule that sets the mark, to see who was there. */
static void mark(struct build *b, uint32_t m) {
	chain_rule(b->c);
	stmt(b, STMT_MARK, FIELD_NONE, m, 0, NULL);
}

static struct eval_packet packet(void) {
	return (struct eval_packet){ .in = "port1",
				     .out = "port2",
				     .src = 0x0a000001,
				     .dst = 0x0a000002,
				     .proto = IPPROTO_TCP,
				     .sport = 1000,
				     .dport = 80,
				     .label = 5,
				     .tcp_flags = 2,
				     .broadcast = true,
				     .packet_mark = 9,
				     .state = CT_STATE_NEW };
}

/* ---- verdicts ---- */

/* base: [op] to "one", mark 1; one: [end]; */
static const struct {
	const char *what;
	enum stmt_op way, end;
	enum eval_verdict verdict;
	uint32_t mark;
} ways[] = {
	{ "a jump comes back", STMT_JUMP, STMT_RETURN, EVAL_ACCEPT, 1 },
	{ "a jump that accepts does not", STMT_JUMP, STMT_ACCEPT, EVAL_ACCEPT, 0 },
	{ "a jump that drops does not", STMT_JUMP, STMT_DROP, EVAL_DROP, 0 },
	{ "a goto does not come back", STMT_GOTO, STMT_RETURN, EVAL_ACCEPT, 0 },
	{ "a goto that drops", STMT_GOTO, STMT_DROP, EVAL_DROP, 0 },
};

START_TEST(test_ways) {
	struct build b = begin("base");
	struct eval_packet p = packet();

	verdict(&b, ways[_i].way, "one");
	mark(&b, 1);
	chain(&b, "one");
	verdict(&b, ways[_i].end, NULL);
	ck_assert_msg(sim_chain(b.rs, "base", &p) == ways[_i].verdict, "%s", ways[_i].what);
	ck_assert_msg(p.mark == ways[_i].mark, "%s", ways[_i].what);
	ruleset_free(b.rs);
}
END_TEST

/* The end of a chain that was gone to is the end of the one that went: the caller goes on. */
START_TEST(test_goto_inside_jump) {
	struct build b = begin("base");
	struct eval_packet p = packet();

	verdict(&b, STMT_JUMP, "one");
	chain_rule(b.c);
	stmt(&b, MATCH_EQ, FIELD_CT_MARK, 2, 0, NULL);
	stmt(&b, STMT_DROP, FIELD_NONE, 0, 0, NULL);
	chain(&b, "one");
	verdict(&b, STMT_GOTO, "two");
	mark(&b, 1);
	chain(&b, "two");
	mark(&b, 2);
	ck_assert_int_eq(sim_chain(b.rs, "base", &p), EVAL_DROP);
	ck_assert_uint_eq(p.mark, 2);
	ruleset_free(b.rs);
}
END_TEST

/* ---- matches ---- */

static const struct {
	enum stmt_op op;
	enum rule_field f;
	uint32_t a, b;
	const char *name;
	bool hit;
} matches[] = {
	{ MATCH_EQ, FIELD_DPORT, 80, 0, NULL, true },
	{ MATCH_EQ, FIELD_DPORT, 81, 0, NULL, false },
	{ MATCH_NE, FIELD_NFPROTO, NFPROTO_IS_IPV4, 0, NULL, false },
	{ MATCH_GT, FIELD_SPORT, 999, 0, NULL, true },
	{ MATCH_GT, FIELD_SPORT, 1000, 0, NULL, false },
	{ MATCH_LT, FIELD_SPORT, 1001, 0, NULL, true },
	{ MATCH_LT, FIELD_SPORT, 1000, 0, NULL, false },
	{ MATCH_RANGE, FIELD_SADDR, 0x0a000001, 0x0a000009, NULL, true },
	{ MATCH_RANGE, FIELD_SADDR, 0x0a000002, 0x0a000009, NULL, false },
	{ MATCH_BITS, FIELD_CT_STATE, CT_STATE_NEW | CT_STATE_RELATED, 0, NULL, true },
	{ MATCH_BITS, FIELD_CT_STATUS, CT_STATUS_CONFIRMED, 0, NULL, false },
	{ MATCH_EQ, FIELD_DADDR_TYPE, DADDR_TYPE_LOCAL, 0, NULL, false },
	{ MATCH_EQ, FIELD_IIFNAME, 0, 0, "port1", true },
	{ MATCH_EQ, FIELD_OIFNAME, 0, 0, "port1", false },
	{ MATCH_NE, FIELD_OIFNAME, 0, 0, "port1", true },
	{ MATCH_LABEL, FIELD_NONE, 7, 5, NULL, true },
	{ MATCH_LABEL, FIELD_NONE, 2, 0, NULL, true },
	{ MATCH_LABEL, FIELD_NONE, 3, 0, NULL, false },
	{ MATCH_BITS, FIELD_TCP_FLAGS, 6, 0, NULL, true },
	{ MATCH_BITS, FIELD_TCP_FLAGS, TCP_FLAG_ACK_BIT, 0, NULL, false },
	{ MATCH_EQ, FIELD_PACKET_TYPE, PACKET_TYPE_BROADCAST, 0, NULL, true },
	{ MATCH_EQ, FIELD_PACKET_TYPE, PACKET_TYPE_HOST, 0, NULL, false },
	{ MATCH_EQ, FIELD_PACKET_MARK, 9, 0, NULL, true },
	{ MATCH_EQ, FIELD_WAY_BACK, WAY_BACK_EXISTS, 0, NULL, true },
	{ MATCH_EQ, FIELD_WAY_BACK, WAY_BACK_MISSING, 0, NULL, false },
	{ MATCH_NE, FIELD_DADDR_TYPE, DADDR_TYPE_UNICAST, 0, NULL, false },
	/* What a packet does not have matches nothing, negated or not. */
	{ MATCH_EQ, FIELD_ICMP_TYPE, 0, 0, NULL, false },
	{ MATCH_NE, FIELD_ICMP_TYPE, 8, 0, NULL, false },
};

START_TEST(test_matches) {
	struct build b = begin("base");
	struct eval_packet p = packet();

	chain_rule(b.c);
	stmt(&b, matches[_i].op, matches[_i].f, matches[_i].a, matches[_i].b, matches[_i].name);
	stmt(&b, STMT_DROP, FIELD_NONE, 0, 0, NULL);
	ck_assert_int_eq(sim_chain(b.rs, "base", &p) == EVAL_DROP, matches[_i].hit);
	ruleset_free(b.rs);
}
END_TEST

/* ---- sets and maps ---- */

static struct set *port_map(struct build *b, enum set_data data, uint32_t first, uint32_t last) {
	struct set *s = ruleset_add_set(b->rs, "map", data, SET_INTERVAL, FIELD_DPORT, 0, 0, 0);
	struct key k = KEY_INIT;

	key_num(&k, FIELD_DPORT, first);
	set_add(b->rs, s, &k)->last = last;
	return s;
}

static void lookup(struct build *b, enum stmt_op op) {
	chain_rule(b->c);
	chain_lookup(b->c, op, "map", FIELD_DPORT, 0, 0, 0);
}

/* A map that has no entry lets the rule go on (verdicts) or ends it (marks). */
START_TEST(test_maps) {
	static const struct { uint32_t first, last, mark; } cases[] = {
		{ 70, 80, 7 }, { 80, 90, 7 }, { 81, 90, 0 }, { 70, 79, 0 },
	};
	struct build b = begin("base");
	struct eval_packet p = packet();

	port_map(&b, DATA_MARK, cases[_i].first, cases[_i].last)->elems[0].a = 7;
	lookup(&b, STMT_MARK_MAP);
	stmt(&b, STMT_DROP, FIELD_NONE, 0, 0, NULL);
	ruleset_sort(b.rs);
	ck_assert_int_eq(sim_chain(b.rs, "base", &p), cases[_i].mark ? EVAL_DROP : EVAL_ACCEPT);
	ck_assert_uint_eq(p.mark, cases[_i].mark);
	ruleset_free(b.rs);
}
END_TEST

START_TEST(test_verdict_map) {
	struct build b = begin("base");
	struct eval_packet p = packet();
	struct elem *e = port_map(&b, DATA_VERDICT, 80, 80)->elems;

	e->verdict = STMT_JUMP;
	e->chain = "one";
	lookup(&b, STMT_VMAP);
	stmt(&b, STMT_DROP, FIELD_NONE, 0, 0, NULL);
	chain(&b, "one");
	mark(&b, 5);
	ruleset_sort(b.rs);
	ck_assert_int_eq(sim_chain(b.rs, "base", &p), EVAL_DROP);
	ck_assert_uint_eq(p.mark, 5);
	p = packet();
	p.dport = 81;
	ck_assert_int_eq(sim_chain(b.rs, "base", &p), EVAL_DROP);
	ck_assert_uint_eq(p.mark, 0);
	ruleset_free(b.rs);
}
END_TEST

START_TEST(test_translation) {
	struct build b = begin("base");
	struct eval_packet p = packet();
	struct elem *e = port_map(&b, DATA_ADDR_PORT, 80, 80)->elems;

	e->a = 0x0a0a0a0a;
	e->port = 8080;
	lookup(&b, STMT_DNAT_MAP);
	verdict(&b, STMT_DROP, NULL);
	ruleset_sort(b.rs);
	ck_assert_int_eq(sim_chain(b.rs, "base", &p), EVAL_ACCEPT);
	ck_assert_uint_eq(p.dst, 0x0a0a0a0a);
	ck_assert_uint_eq(p.dport, 8080);
	ruleset_free(b.rs);
}
END_TEST

/* ---- what the kernel refuses ---- */

static void no_base(struct build *b) {
	b->c->type = CHAIN_PLAIN;
}

static void no_chain(struct build *b) {
	verdict(b, STMT_JUMP, "nowhere");
}

static void no_name(struct build *b) {
	verdict(b, STMT_GOTO, NULL);
}

static void loop_of_jumps(struct build *b) {
	verdict(b, STMT_JUMP, "one");
	chain(b, "one");
	verdict(b, STMT_JUMP, "one");
}

static void loop_of_gotos(struct build *b) {
	verdict(b, STMT_GOTO, "one");
	chain(b, "one");
	verdict(b, STMT_GOTO, "one");
}

/* A base chain and 16 more: one too many. */
static void deep(struct build *b) {
	for (int i = 1; i <= 16; i++) {
		verdict(b, STMT_JUMP, ruleset_namef(b->rs, "c%d", i));
		chain(b, ruleset_namef(b->rs, "c%d", i));
	}
}

static void no_set(struct build *b) {
	lookup(b, MATCH_SET);
}

static void set_not_sorted(struct build *b) {
	port_map(b, DATA_NONE, 1, 2)->sorted = false;
	lookup(b, MATCH_SET);
}

static void set_as_map(struct build *b) {
	port_map(b, DATA_NONE, 1, 2);
	lookup(b, STMT_VMAP);
	ruleset_sort(b->rs);
}

static void map_as_set(struct build *b) {
	port_map(b, DATA_MARK, 1, 2);
	lookup(b, MATCH_NOT_SET);
	ruleset_sort(b->rs);
}

static void marks_as_addresses(struct build *b) {
	port_map(b, DATA_MARK, 1, 2);
	lookup(b, STMT_DNAT_MAP);
	ruleset_sort(b->rs);
}

static void key_too_long(struct build *b) {
	port_map(b, DATA_NONE, 1, 2);
	chain_rule(b->c);
	chain_lookup(b->c, MATCH_SET, "map", FIELD_DPORT, FIELD_SPORT, 0, 0);
	ruleset_sort(b->rs);
}

static void key_of_another_size(struct build *b) {
	port_map(b, DATA_NONE, 1, 2);
	chain_rule(b->c);
	chain_lookup(b->c, MATCH_SET, "map", FIELD_IIFNAME, 0, 0, 0);
	ruleset_sort(b->rs);
}

static void empty_key(struct build *b) {
	port_map(b, DATA_NONE, 1, 2);
	chain_rule(b->c);
	chain_lookup(b->c, MATCH_SET, "map", 0, 0, 0, 0);
	ruleset_sort(b->rs);
}

static void match_of_nothing(struct build *b) {
	chain_rule(b->c);
	stmt(b, MATCH_EQ, FIELD_NONE, 0, 0, NULL);
}

static void match_of_no_interface(struct build *b) {
	chain_rule(b->c);
	stmt(b, MATCH_EQ, FIELD_IIFNAME, 0, 0, NULL);
}

static void range_of_interfaces(struct build *b) {
	chain_rule(b->c);
	stmt(b, MATCH_RANGE, FIELD_IIFNAME, 0, 0, "port1");
}

static void unknown_statement(struct build *b) {
	verdict(b, STMT_GOTO + 1, NULL);
}

static void no_verdict(struct build *b) {
	port_map(b, DATA_VERDICT, 80, 80)->elems[0].verdict = STMT_MARK;
	lookup(b, STMT_VMAP);
	ruleset_sort(b->rs);
}

static void (*const faults[])(struct build *) = {
	no_base,	    no_chain,	      no_name,		  loop_of_jumps,
	loop_of_gotos,	    deep,	      no_set,		  set_not_sorted,
	set_as_map,	    map_as_set,	      marks_as_addresses, key_too_long,
	key_of_another_size, empty_key,	      match_of_nothing,	  match_of_no_interface,
	range_of_interfaces, unknown_statement, no_verdict,
};

START_TEST(test_faults) {
	struct build b = begin("base");
	struct eval_packet p = packet();
	struct err err = { 0 };

	faults[_i](&b);
	ck_assert_int_eq(ruleset_eval(b.rs, "base", &p, &err), EVAL_FAULT);
	ck_assert_int_eq(err.code, ERR_KERNEL);
	ck_assert_int_eq(ruleset_eval(b.rs, "base", &p, NULL), EVAL_FAULT);
	ruleset_free(b.rs);
}
END_TEST

/* As deep as the kernel allows. */
START_TEST(test_depth) {
	struct build b = begin("base");
	struct eval_packet p = packet();

	for (int i = 1; i <= 15; i++) {
		verdict(&b, i % 2 ? STMT_JUMP : STMT_GOTO, ruleset_namef(b.rs, "c%d", i));
		chain(&b, ruleset_namef(b.rs, "c%d", i));
	}
	verdict(&b, STMT_DROP, NULL);
	ck_assert_int_eq(sim_chain(b.rs, "base", &p), EVAL_DROP);
	ck_assert_int_eq(ruleset_eval(b.rs, "elsewhere", &p, NULL), EVAL_FAULT);
	ruleset_free(b.rs);
}
END_TEST

static Suite *ruleset_eval_suite(void) {
	Suite *s = suite_create("ruleset_eval");
	TCase *t = tcase_create("ruleset_eval");

	tcase_add_loop_test(t, test_ways, 0, 5);
	tcase_add_test(t, test_goto_inside_jump);
	tcase_add_loop_test(t, test_matches, 0, sizeof(matches) / sizeof(matches[0]));
	tcase_add_loop_test(t, test_maps, 0, 4);
	tcase_add_test(t, test_verdict_map);
	tcase_add_test(t, test_translation);
	tcase_add_loop_test(t, test_faults, 0, sizeof(faults) / sizeof(faults[0]));
	tcase_add_test(t, test_depth);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(ruleset_eval_suite());
}
