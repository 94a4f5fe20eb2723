/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gatehouse-syncd is told after which commit, with which key; and which sessions of a unit its
 * peers have, from what it answers.
 */
#include "backends/replication.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "backends/session.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "tests/lib/fixture.h"

#define PEER	"config cluster-peer\nedit 1\nset peerip 10.9.9.2\nnext\nend\n"
#define SECRET	"set psksecret a-secret-of-16-chars\n"
#define HEX_KEY "0x000102030405060708090a0b0c0d0e0f"

static struct event_base *base;
static struct engine *engine;
static struct relay *relay;
static struct replication *replication;
static unsigned int n_told;

/* What was sent to the one that is attached. */
static unsigned int n_states, n_calls;
static struct cluster state;

static void take(void *arg, const struct buf *frame) {
	struct buf_reader r;
	struct err err = { 0 };
	uint8_t type;

	(void)arg;
	buf_reader_init(&r, frame->data, frame->len);
	type = buf_get_u8(&r);
	n_calls += type == CTL_CALL;
	if (type != CTL_STATE)
		return;
	n_states++;
	ck_assert_uint_eq(buf_get_u8(&r), CTL_STATE_CLUSTER);
	ck_assert_msg(cluster_decode(&state, &r, &err) == 0, "%s", err.text);
	ck_assert(buf_reader_end(&r));
}

static void tell(int priority, const char *text) {
	(void)priority;
	(void)text;
	n_told++;
}

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();
	struct replication_config config = { .tell = tell, .state_dir = dir };
	struct err err = { 0 };

	base = event_base_new();
	engine = fixture_engine(dir);
	relay = relay_new();
	config.base = base;
	config.engine = engine;
	config.relay = relay;
	replication = replication_new(&config, &err);
	ck_assert_msg(replication != NULL, "%s", err.text);
	ck_assert_int_eq(relay_attach(relay, take, NULL, &err), 0);
	relay_welcome(relay);
}

static void teardown(void) {
	replication_free(replication);
	relay_detach(relay);
	relay_free(relay);
	engine_close(engine);
	event_base_free(base);
}

static void set(const char *table, const char *body) {
	fixture_set(engine, table, "", body);
	replication_update(replication);
}

static void wait_for_state(unsigned int n) {
	while (n_states < n)
		event_base_loop(base, EVLOOP_ONCE);
}

START_TEST(told)
{
	replication_update(replication);
	ck_assert_uint_eq(n_states, 1);
	ck_assert(!state.has_key && state.n_peers == 0);
	ck_assert_str_eq(state.serial, engine->serial);
	/* Without peers no key is made, without a secret there is none. */
	set("system.standalone-cluster", SECRET);
	ck_assert_uint_eq(n_states, 1);
	set("system.standalone-cluster", "set psksecret \"\"\n" PEER);
	ck_assert_uint_eq(n_states, 2);
	ck_assert(!state.has_key && state.n_peers == 1);
	/* What does not concern it is not told. */
	set("system.global", "set hostname other\n");
	ck_assert_uint_eq(n_states, 2);
	set("system.ha", "set session-pickup enable\n");
	ck_assert_uint_eq(n_states, 3);
	ck_assert(state.tcp);
	ck_assert_uint_eq(n_told, 0);
}
END_TEST

/* The old state stands until the new key is there; then all changes come at once. */
START_TEST(key)
{
	uint8_t first[CLUSTER_KEY];

	set("system.standalone-cluster", PEER);
	set("system.standalone-cluster", SECRET PEER);
	ck_assert_uint_eq(n_states, 1);
	wait_for_state(2);
	ck_assert(state.has_key);
	memcpy(first, state.key, sizeof(first));
	set("system.ha", "set session-pickup enable\n");
	ck_assert_uint_eq(n_states, 3);
	ck_assert_mem_eq(state.key, first, sizeof(first));
	set("system.standalone-cluster", SECRET "set standalone-group-id 9\n" PEER);
	set("system.ha", "set session-pickup disable\n");
	ck_assert_uint_eq(n_states, 3);
	wait_for_state(4);
	ck_assert_uint_eq(state.group_id, 9);
	ck_assert(!state.tcp);
	ck_assert_mem_ne(state.key, first, sizeof(first));
}
END_TEST

/* That of auto-scale counts where the cluster has none. */
START_TEST(whose_secret)
{
	uint8_t scale[CLUSTER_KEY];

	set("system.standalone-cluster", PEER);
	set("system.auto-scale", "set psksecret " HEX_KEY "\n");
	ck_assert(state.has_key);
	memcpy(scale, state.key, sizeof(scale));
	set("system.standalone-cluster", "set psksecret " HEX_KEY "ff\n" PEER);
	ck_assert(state.has_key);
	ck_assert_mem_ne(state.key, scale, sizeof(scale));
	set("system.standalone-cluster", "set psksecret \"\"\n" PEER);
	ck_assert_mem_eq(state.key, scale, sizeof(scale));
}
END_TEST

/* ---- who has which sessions ---- */

#define S	UINT64_C(1000000000)
#define FILTER(net) "config session-sync-filter\nset srcaddr " net "\nend\n"

static const char peers[] =
	"config cluster-peer\n"
	"edit 1\nset peerip 10.9.9.2\n" FILTER("10.1.0.0 255.255.0.0") "next\n"
	"edit 2\nset peerip 10.9.9.3\n" FILTER("10.2.0.0 255.255.0.0") "next\n"
	"edit 3\nset peerip 10.9.9.2\n" FILTER("10.3.0.0 255.255.0.0") "next\nend\n";

static const struct {
	const char *answer, *src;
	uint8_t proto;
	uint64_t start_s;
	bool delay, has;
} views[] = {
	{ "1 100000000000\n", "10.1.0.1", IPPROTO_TCP, 99, false, true },
	{ "1 100000000000\n", "10.1.0.1", IPPROTO_TCP, 100, false, false },
	{ "1 100000000000\n", "10.2.0.1", IPPROTO_TCP, 99, false, false },
	/* The other entry of the same address. */
	{ "1 100000000000\n", "10.3.0.1", IPPROTO_TCP, 99, false, true },
	{ "1 100000000000\n", "10.1.0.1", IPPROTO_UDP, 99, false, false },
	{ "1 100000000000\n", "10.1.0.1", IPPROTO_TCP, 69, true, true },
	{ "1 100000000000\n", "10.1.0.1", IPPROTO_TCP, 71, true, false },
	{ "1 5\n2 100000000000\n", "10.2.0.1", IPPROTO_TCP, 99, false, true },
	{ "1 5\n2 100000000000\n", "10.1.0.1", IPPROTO_TCP, 99, false, false },
	{ "", "10.1.0.1", IPPROTO_TCP, 0, false, false },
	/* What is no answer. */
	{ "1\n", "10.1.0.1", IPPROTO_TCP, 1, false, false },
	{ "1 \n1 x\nx 1\n\n 1", "10.1.0.1", IPPROTO_TCP, 1, false, false },
	{ "9 100000000000\n", "10.1.0.1", IPPROTO_TCP, 1, false, false },
	{ "4294967297 100000000000\n", "10.1.0.1", IPPROTO_TCP, 1, false, false },
	{ "1 100000000000", "10.1.0.1", IPPROTO_TCP, 1, false, false },
	{ "x\n1 100000000000\n", "10.1.0.1", IPPROTO_TCP, 1, false, true },
};

START_TEST(view)
{
	struct replication_view v;
	struct ct ct = { .family = AF_INET, .proto = views[_i].proto };
	struct relay_call *call;
	bool has = false;

	ck_assert(net_parse(AF_INET, views[_i].src, &ct.tuple[CT_ORIG].src));
	ct.start_ns = views[_i].start_s * S;
	set("system.standalone-cluster", peers);
	set("system.ha", views[_i].delay ? "set session-pickup enable\nset session-pickup-delay enable\n"
					 : "set session-pickup enable\n");
	replication_view_begin(replication, &v);
	call = replication_view_ask(replication, &v);
	ck_assert_ptr_nonnull(call);
	ck_assert_uint_eq(n_calls, 1);
	ck_assert_uint_eq(v.unit, cluster_unit_id(engine->serial));
	ck_assert_uint_eq(v.cluster.n_peers, 3);
	replication_view_take(&v, views[_i].answer);
	for (unsigned int i = 0; i < 3; i++)
		has = has || replication_view_has(&v, i, &ct);
	ck_assert_int_eq(has, views[_i].has);
	relay_call_close(call);
}
END_TEST

/* Nobody is asked where nobody is, or nothing is shared. */
START_TEST(view_of_nobody)
{
	struct replication_view v;

	replication_view_begin(replication, &v);
	ck_assert_ptr_null(replication_view_ask(replication, &v));
	ck_assert_uint_eq(v.unit, cluster_unit_id(engine->serial));
	set("system.standalone-cluster", peers);
	replication_view_begin(replication, &v);
	relay_detach(relay);
	ck_assert_ptr_null(replication_view_ask(replication, &v));
	ck_assert_uint_eq(n_calls, 0);
}
END_TEST

/* ---- whose sessions ---- */

/* What the unit took over from a peer still says COPY, until a packet comes. */
START_TEST(own_copies)
{
	struct session_context here = { .unit = 77 };
	struct ct ct = { .family = AF_INET, .proto = IPPROTO_TCP, .timeout = 1000 };
	struct session s;

	ct.label[0] = 1u << SESSION_LABEL_COPY | 78u << SESSION_LABEL_OWNER;
	session_init(&s, &here, &ct);
	ck_assert(s.copy);
	ck_assert_uint_eq(s.expire, 1000 - SESSION_COPY_GRACE_S);
	ct.label[0] = 1u << SESSION_LABEL_COPY | 77u << SESSION_LABEL_OWNER;
	session_init(&s, &here, &ct);
	ck_assert(!s.copy);
	ck_assert_uint_eq(s.expire, 1000);
	/* Who does not know himself takes none for his own. */
	here.unit = 0;
	session_init(&s, &here, &ct);
	ck_assert(s.copy);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("replication");
	TCase *tc = fixture_case(suite, "replication");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, told);
	tcase_add_test(tc, key);
	tcase_add_test(tc, whose_secret);
	tcase_add_loop_test(tc, view, 0, ARRAY_LEN(views));
	tcase_add_test(tc, view_of_nobody);
	tcase_add_test(tc, own_copies);
	return fixture_run(suite);
}
