/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What counts as a start of the unit, which interfaces it holds, and what ends that: the word of
 * gatehouse-syncd, its absence once the time is over, another configuration; nothing else.
 */
#include "backends/hold.h"

#include <event2/event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "backends/nft.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define CLUSTER(lines) "config system standalone-cluster\n" lines "end\n"
#define SECRET	       "set psksecret a-secret-of-16-chars\n"
#define PEER(id, lines) "edit " #id "\nset peerip 10.9.9." #id "\n" lines "next\n"
#define PEERS(entries)	"config cluster-peer\n" entries "end\n"
#define DOWN(names)	"set down-intfs-before-sess-sync " names "\n"
#define BOTH		CLUSTER(SECRET PEERS(PEER(2, DOWN("port1 port2"))))

static struct event_base *base;
static struct relay *relay;
static struct hold *hold;
static unsigned int n_let_go, n_told;
static int told;               /* how important the last one was */

static void tell(int priority, const char *text) {
	ck_assert_ptr_nonnull(strstr(text, "port"));
	told = priority;
	n_told++;
}

static void let_go(void *arg) {
	ck_assert_ptr_eq(arg, &n_let_go);
	ck_assert(!hold_has(hold, "port1"));
	n_let_go++;
}

static void send_nowhere(void *arg, const struct buf *frame) {
	(void)arg;
	(void)frame;
}

static void attach(void) {
	ck_assert_int_eq(relay_attach(relay, send_nowhere, NULL, NULL), 0);
	relay_welcome(relay);
}

static void setup(void) {
	base = event_base_new();
	relay = relay_new();
}

static void teardown(void) {
	hold_free(hold);
	relay_detach(relay); /* nobody is told any more */
	relay_free(relay);
	event_base_free(base);
}

/* A start of the unit. */
static void begin(unsigned int wait_s, const char *text) {
	const struct hold_config config = { base, relay, wait_s, tell, let_go, &n_let_go };
	struct model *model = conf_model(text);
	struct err err = { 0 };

	hold = hold_new(&config, &err);
	ck_assert_msg(hold != NULL, "%s", err.text);
	hold_begin(hold, model);
	model_free(model);
}

static void commit(const char *text) {
	struct model *model = conf_model(text);

	hold_update(hold, model);
	model_free(model);
}

static void assert_held(bool port1, bool port2, bool port3) {
	ck_assert_int_eq(hold_has(hold, "port1"), port1);
	ck_assert_int_eq(hold_has(hold, "port2"), port2);
	ck_assert_int_eq(hold_has(hold, "port3"), port3);
}

static const struct {
	const char *text;
	bool held[3];
} starts[] = {
	{ "", { false, false, false } },
	{ CLUSTER(SECRET PEERS(PEER(2, ""))), { false, false, false } },
	{ BOTH, { true, true, false } },
	{ CLUSTER(SECRET PEERS(PEER(2, DOWN("port1")) PEER(3, DOWN("port1 port3")))),
	  { true, false, true } },
	/* It cannot start: no secret, nobody with an address, only the unit itself. */
	{ CLUSTER(PEERS(PEER(2, DOWN("port1")))), { false, false, false } },
	{ CLUSTER(SECRET PEERS("edit 2\n" DOWN("port1") "next\n")), { false, false, false } },
	{ "config system interface\nedit port2\nset ip 10.9.9.2 255.255.255.0\nnext\nend\n" BOTH,
	  { false, false, false } },
	/* The secret of the other table is as good. */
	{ "config system auto-scale\n" SECRET "end\n" CLUSTER(PEERS(PEER(2, DOWN("port1")))),
	  { true, false, false } },
};

START_TEST(started)
{
	const bool *held = starts[_i].held;

	begin(3600, starts[_i].text);
	assert_held(held[0], held[1], held[2]);
	ck_assert_uint_eq(n_told, held[0] || held[1] || held[2]);
	ck_assert_uint_eq(n_let_go, 0);
}
END_TEST

/* As many as there can be, all with other names. */
START_TEST(many)
{
	struct str text AUTO_STR = STR_INIT;

	str_add(&text, "config system standalone-cluster\n" SECRET "config cluster-peer\n");
	for (unsigned int i = 0; i < CLUSTER_PEERS_MAX; i++) {
		str_addf(&text, "edit %u\nset peerip 10.9.9.%u\nset down-intfs-before-sess-sync", i,
			 i + 1);
		for (unsigned int j = 0; j < CLUSTER_DOWN_MAX; j++)
			str_addf(&text, " port%02u.%02u", i, j);
		str_add(&text, "\nnext\n");
	}
	str_add(&text, "end\nend\n");
	begin(3600, str_text(&text));
	ck_assert(hold_has(hold, "port00.00"));
	ck_assert(hold_has(hold, "port14.15"));
	commit(str_text(&text));
	ck_assert(hold_has(hold, "port14.15"));
	ck_assert_uint_eq(n_let_go, 0);
}
END_TEST

START_TEST(ready)
{
	begin(3600, BOTH);
	relay_ready(relay);
	assert_held(false, false, false);
	ck_assert_uint_eq(n_let_go, 1);
	ck_assert_int_eq(told, LOG_INFO);
	relay_ready(relay);
	commit("");
	attach();
	relay_detach(relay);
	ck_assert_uint_eq(n_let_go, 1);
	ck_assert_uint_eq(n_told, 2);
}
END_TEST

START_TEST(nobody_attaches)
{
	begin(0, BOTH);
	assert_held(true, true, false);
	event_base_loop(base, EVLOOP_ONCE);
	assert_held(false, false, false);
	ck_assert_uint_eq(n_let_go, 1);
	ck_assert_int_eq(told, LOG_WARNING);
}
END_TEST

/* Who is attached has all the time he needs; when he goes, it is over. */
START_TEST(attached)
{
	begin(0, BOTH);
	attach();
	event_base_loop(base, EVLOOP_ONCE);
	assert_held(true, true, false);
	relay_detach(relay);
	assert_held(false, false, false);
	ck_assert_uint_eq(n_let_go, 1);
	ck_assert_int_eq(told, LOG_WARNING);
}
END_TEST

/* Before the time is over he may come back. */
START_TEST(comes_and_goes)
{
	begin(3600, BOTH);
	attach();
	relay_detach(relay);
	assert_held(true, true, false);
	attach();
	relay_ready(relay);
	assert_held(false, false, false);
	ck_assert_uint_eq(n_let_go, 1);
}
END_TEST

START_TEST(other_configuration)
{
	begin(3600, BOTH);
	commit(BOTH);
	assert_held(true, true, false);
	/* What a commit names is not taken down: the unit runs. */
	commit(CLUSTER(SECRET PEERS(PEER(2, DOWN("port2 port3")))));
	assert_held(false, true, false);
	commit(BOTH);
	assert_held(false, true, false);
	ck_assert_uint_eq(n_let_go, 0);
	commit(CLUSTER(SECRET PEERS(PEER(2, DOWN("port3")))));
	assert_held(false, false, false);
	ck_assert_uint_eq(n_let_go, 1);
	commit(BOTH);
	assert_held(false, false, false);
}
END_TEST

START_TEST(no_secret_any_more)
{
	begin(3600, BOTH);
	commit(CLUSTER(PEERS(PEER(2, DOWN("port1 port2")))));
	assert_held(false, false, false);
	ck_assert_uint_eq(n_let_go, 1);
}
END_TEST

/* ---- what is a start of the unit ---- */

static void assert_was_there(const struct model *m, uint64_t revision, bool right) {
	struct nft *nft = nft_new(NULL);
	struct backend b = nft_backend(nft);
	struct err err = { 0 };

	ck_assert_msg(b.start(nft, &(struct commit){ .model = m, .revision = revision }, &err) == 0,
		      "%s", err.text);
	ck_assert_int_eq(nft_was_there(nft), right);
	nft_free(nft);
}

/* After a boot the kernel has no rules, or what stands in for them. */
START_TEST(rules_of_before)
{
	struct model *m = conf_model("config system interface\nedit port1\nnext\nend\n");
	struct nft *nft;

	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	assert_was_there(m, 5, false);
	assert_was_there(m, 5, true);
	assert_was_there(m, 6, true);
	ck_assert_int_eq(system("nft delete table inet gatehouse"), 0);
	nft = nft_new(NULL);
	ck_assert_int_eq(nft_stand_in(nft, m, NULL), 0);
	nft_free(nft);
	assert_was_there(m, 6, false);
	assert_was_there(m, 6, true);
	model_free(m);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("hold");
	TCase *tc = fixture_case(suite, "hold");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, started, 0, ARRAY_LEN(starts));
	tcase_add_test(tc, many);
	tcase_add_test(tc, ready);
	tcase_add_test(tc, nobody_attaches);
	tcase_add_test(tc, attached);
	tcase_add_test(tc, comes_and_goes);
	tcase_add_test(tc, other_configuration);
	tcase_add_test(tc, no_secret_any_more);
	tcase_add_test(tc, rules_of_before);
	return fixture_run(suite);
}
