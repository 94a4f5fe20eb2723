/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gatehouse-syncd is told of the group, as bytes and back; and the configuration that comes by
 * itself: switches, the exception, and members as peers of session replication.
 */
#include "backends/scaling.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

#define HEX_KEY "0x00112233445566778899aabbccddeeff"
#define VMID "9b09d366-f5e2-490f-acab-3bbf2835bd7b"

static struct event_base *base;
static struct engine *engine;
static struct role *role;
static struct relay *relay;
static struct scaling *scaling;
static unsigned int n_states, n_told;
static struct autoscale state;

static void take(void *arg, const struct buf *frame) {
	struct buf_reader r;
	struct err err = { 0 };

	(void)arg;
	buf_reader_init(&r, frame->data, frame->len);
	ck_assert_uint_eq(buf_get_u8(&r), CTL_STATE);
	ck_assert_uint_eq(buf_get_u8(&r), CTL_STATE_AUTOSCALE);
	n_states++;
	ck_assert_msg(autoscale_decode(&state, &r, &err) == 0, "%s", err.text);
	ck_assert(buf_reader_end(&r));
}

static void tell(int priority, const char *text) {
	(void)priority;
	(void)text;
	n_told++;
}

static void settle(void) {
	event_base_loop(base, EVLOOP_NONBLOCK);
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();
	struct err err = { 0 };
	struct scaling_config config = { .state_dir = dir, .tell = tell };

	n_states = n_told = 0;
	config.base = base = event_base_new();
	config.engine = engine = fixture_engine(dir);
	config.role = role = role_new(engine, &err);
	config.relay = relay = relay_new();
	ck_assert_int_eq(relay_attach(relay, take, NULL, &err), 0);
	relay_welcome(relay);
	scaling = scaling_new(&config, &err);
	ck_assert_msg(scaling != NULL, "%s", err.text);
	settle();
}

static void teardown(void) {
	scaling_free(scaling);
	relay_detach(relay);
	relay_free(relay);
	engine_close(engine);
	role_free(role);
	event_base_free(base);
}

static void scale(const char *body) {
	fixture_set(engine, "system.auto-scale", "", body);
	settle();
}

static union net_addr address(const char *text) {
	union net_addr ip = { 0 };

	ck_assert(net_parse(AF_INET, text, &ip));
	return ip;
}

/* The body of an object, as `show` has it. */
static char *shown(const char *table) {
	struct str text = STR_INIT;

	text_body(model_object(engine->model, schema_find(table)), 0, 0, &text);
	return str_steal(&text);
}

static void check_shown(const char *table, const char *wanted) {
	AUTO_FREE char *text = shown(table);

	ck_assert_str_eq(text, wanted);
}

/* ---- what is told ---- */

START_TEST(test_told) {
	ck_assert_uint_eq(n_states, 1);
	ck_assert(!state.enabled && !state.has_key);
	ck_assert_str_eq(state.serial, engine->serial);
	ck_assert_str_eq(state.vmid, engine->vmid);
	fixture_set(engine, "system.interface", "port2",
		    "set ip 172.16.136.70 255.255.255.192\n");
	scale("set status enable\nset sync-interface port2\nset primary-ip 172.16.136.69\n"
	      "set hb-interval 7\nset callback-url \"https://x/y\"\nset psksecret " HEX_KEY "\n");
	ck_assert(state.enabled && state.has_key && !state.primary);
	ck_assert_str_eq(state.interface, "port2");
	ck_assert_int_eq(memcmp(state.ip.byte, address("172.16.136.70").byte, 4), 0);
	ck_assert_int_eq(memcmp(state.primary_ip.byte, address("172.16.136.69").byte, 4), 0);
	ck_assert_uint_eq(state.hb_interval_s, 7);
	ck_assert_str_eq(state.callback_url, "https://x/y");
	ck_assert_uint_eq(state.revision, engine->revision);
	ck_assert_int_eq(memcmp(&state.active, &state.staged, sizeof(state.active)), 0);
}
END_TEST

/* A commit of anything is a new revision, and is told; so is another secret, with another key. */
START_TEST(test_told_again) {
	uint8_t key[AUTOSCALE_KEY];
	struct digest_group before;

	scale("set status enable\nset role primary\nset psksecret " HEX_KEY "\n");
	memcpy(key, state.key, sizeof(key));
	before = state.active;
	fixture_set(engine, "firewall.address", "x", "");
	settle();
	ck_assert_uint_eq(state.revision, engine->revision);
	ck_assert_int_ne(memcmp(&before, &state.active, sizeof(before)), 0);
	ck_assert_int_eq(memcmp(key, state.key, sizeof(key)), 0);
	scale("set status enable\nset role primary\nset psksecret " HEX_KEY "ff\n");
	ck_assert_int_ne(memcmp(key, state.key, sizeof(key)), 0);
	scale("set psksecret " HEX_KEY "ff\n");
	ck_assert(!state.enabled && !state.has_key);
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

/* A key that takes its time: it is said that it comes; one that is there goes on meanwhile. */
START_TEST(test_key_is_made) {
	scale("set status enable\nset psksecret \"sixteen letters!\"\n");
	ck_assert(state.enabled && !state.has_key && state.makes_key);
	while (!state.has_key)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert(!state.makes_key);
	scale("set status enable\nset psksecret \"another sixteen letters\"\n");
	ck_assert(state.has_key && !state.makes_key);
	ck_assert_uint_lt(state.revision, engine->revision);
	while (state.revision < engine->revision)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert(state.has_key && !state.makes_key);
}
END_TEST

/* The key of connections says nothing of what goes into digests. */
START_TEST(test_keys_apart) {
	scale("set status enable\nset role primary\nset psksecret " HEX_KEY "\n");
	ck_assert(engine->has_group_mac);
	ck_assert_int_ne(memcmp(engine->group_mac, state.key, sizeof(state.key)), 0);
}
END_TEST

START_TEST(test_cut) {
	AUTO_BUF struct buf b = BUF_INIT;

	scale("set status enable\nset role primary\nset psksecret " HEX_KEY "\n");
	autoscale_encode(&b, &state);
	ck_assert_uint_le(b.len, AUTOSCALE_BYTES_MAX);
	for (size_t len = 0; len < b.len; len++) {
		struct autoscale got;
		struct buf_reader r;

		buf_reader_init(&r, b.data, len);
		ck_assert_int_ne(autoscale_decode(&got, &r, NULL), 0);
	}
}
END_TEST

/* ---- what comes by itself ---- */

START_TEST(test_switches) {
	scale("set status enable\nset role primary\n");
	check_shown("system.ha", "set session-pickup enable\n"
				 "set session-pickup-connectionless enable\n"
				 "set session-pickup-expectation enable\n"
				 "set session-pickup-nat enable\nset override disable\n");
	ck_assert_uint_eq(model_count(engine->model, schema_find("system.vdom-exception")), 1);
	ck_assert_ptr_nonnull(model_find(engine->model, schema_find("system.vdom-exception"),
					 "10"));
	/* once: who changes it afterwards means it */
	fixture_set(engine, "system.ha", "", "");
	ck_assert_int_eq(fixture_delete(engine, "system.vdom-exception", "10", NULL), 0);
	scale("set status enable\nset role primary\nset hb-interval 9\n");
	check_shown("system.ha", "set override disable\n");
	ck_assert_uint_eq(model_count(engine->model, schema_find("system.vdom-exception")), 0);
	scale("");
	scale("set status enable\nset role primary\n");
	ck_assert_uint_eq(model_count(engine->model, schema_find("system.vdom-exception")), 1);
}
END_TEST

/* Number 10 may be taken, and the exception may be there. */
START_TEST(test_exception_there) {
	fixture_set(engine, "system.vdom-exception", "10", "set object firewall.address\n");
	scale("set status enable\nset role primary\n");
	ck_assert_ptr_nonnull(model_find(engine->model, schema_find("system.vdom-exception"),
					 "11"));
	scale("");
	scale("set status enable\nset role primary\n");
	ck_assert_uint_eq(model_count(engine->model, schema_find("system.vdom-exception")), 2);
}
END_TEST

/* A secondary gets it from its primary, and until then has what it had. */
START_TEST(test_secondary) {
	scale("set status enable\nset primary-ip 10.0.0.1\n");
	check_shown("system.ha", "set override disable\n");
}
END_TEST

static void meet(unsigned int n, const char *const ips[]) {
	struct membership now = { .n = n };

	for (unsigned int i = 0; i < n; i++) {
		struct member *m = &now.member[i];

		snprintf(m->serial, sizeof(m->serial), "GHVM%s", strrchr(ips[i], '.') + 1);
		snprintf(m->vmid, sizeof(m->vmid), "%s", VMID);
		m->role = MEMBER_SECONDARY;
		m->ip = address(ips[i]);
	}
	ck_assert_int_eq(role_meet(role, &now, NULL), 0);
	settle();
}

#define PEER(n, ip) "    edit " n "\n        set peerip " ip "\n    next\n"

/* Members come and go, and their entries with them; what someone typed stays. */
START_TEST(test_peers) {
	static const char *const both[] = { "10.0.0.2", "10.0.0.3" }, *const one[] = { "10.0.0.3" };

	fixture_set(engine, "system.standalone-cluster", "",
		    "config cluster-peer\nedit 5\nset peerip 10.0.0.9\nnext\nend\n");
	scale("set status enable\nset role primary\n");
	meet(2, both);
	check_shown("system.standalone-cluster", "config cluster-peer\n" PEER("5", "10.0.0.9")
		    PEER("6", "10.0.0.2") PEER("7", "10.0.0.3") "end\n");
	meet(2, both);
	meet(1, one);
	check_shown("system.standalone-cluster", "config cluster-peer\n" PEER("5", "10.0.0.9")
		    PEER("7", "10.0.0.3") "end\n");
	ck_assert_uint_eq(role_membership(role)->n, 1);
	meet(0, one);
	check_shown("system.standalone-cluster",
		    "config cluster-peer\n" PEER("5", "10.0.0.9") "end\n");
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

/* A member that has a typed entry gets no other, and leaves it behind. */
START_TEST(test_typed_peer) {
	static const char *const ips[] = { "10.0.0.9" };

	fixture_set(engine, "system.standalone-cluster", "",
		    "config cluster-peer\nedit 1\nset peerip 10.0.0.9\nnext\nend\n");
	scale("set status enable\nset role primary\n");
	meet(1, ips);
	meet(0, ips);
	check_shown("system.standalone-cluster",
		    "config cluster-peer\n" PEER("1", "10.0.0.9") "end\n");
}
END_TEST

/* Sessions are shared with 15; more members are members all the same. */
START_TEST(test_many_peers) {
	char text[20][16];
	const char *ips[20];

	for (int i = 0; i < 20; i++) {
		snprintf(text[i], sizeof(text[i]), "10.0.0.%d", 10 + i);
		ips[i] = text[i];
	}
	scale("set status enable\nset role primary\n");
	meet(20, ips);
	ck_assert_uint_eq(object_count(model_object(engine->model,
						    schema_find("system.standalone-cluster")),
				       SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER), 15);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_uint_eq(state.group.n, 20);
}
END_TEST

static Suite *scaling_suite(void) {
	Suite *s = suite_create("scaling");
	TCase *t = fixture_case(s, "scaling");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_told);
	tcase_add_test(t, test_told_again);
	tcase_add_test(t, test_key_is_made);
	tcase_add_test(t, test_keys_apart);
	tcase_add_test(t, test_cut);
	tcase_add_test(t, test_switches);
	tcase_add_test(t, test_exception_there);
	tcase_add_test(t, test_secondary);
	tcase_add_test(t, test_peers);
	tcase_add_test(t, test_typed_peer);
	tcase_add_test(t, test_many_peers);
	return s;
}

int main(void) {
	return fixture_run(scaling_suite());
}
