/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members, links and keys of replication, one situation at a time, in a simulated group. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "sync/fgsp_impl.h"
#include "tests/lib/fgsp_world.h"
#include "tests/lib/fixture.h"

/* ---- links ---- */

static void use(struct world *w, const char *link, unsigned int layer) {
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);
	uint64_t before[4] = { 0, 0, world_sent(w, 0, 2), world_sent(w, 0, 3) };

	world_run(w, 20 * WORLD_MS);
	ck_assert_str_eq(world_peer(w, 0).link, link);
	ck_assert_int_eq(world_owner_at(w, 1, flow), layer ? 0 : -1);
	if (layer)
		ck_assert_uint_gt(world_sent(w, 0, layer), before[layer]);
	if (layer == 2)
		ck_assert_uint_le(world_sent(w, 0, 3), before[3] + 1);
}

/* Down the ladder and up again; what was not acknowledged goes out on the next link. */
START_TEST(test_ladder) {
	struct world *w = world_group(2, 2);
	bool seen = _i;

	use(w, "layer 2 (port3, port4)", 2);
	world_link(w, 0, FGSP_L2, false, seen);
	world_run(w, 5 * WORLD_S);
	use(w, "layer 2 (port4)", 2);
	world_link(w, 1, FGSP_L2 + 1, false, seen);
	world_run(w, 5 * WORLD_S);
	use(w, "layer 3 (10.0.0.2)", 3);
	world_link(w, 0, 0, false, seen);
	world_run(w, 8 * WORLD_S);
	ck_assert_uint_eq(world_peer(w, 0).state, FGSP_PEER_LOST);
	use(w, "none", 0);
	ck_assert_uint_gt(world_peer(w, 0).lag_records, 0);
	world_link(w, 0, 0, true, seen);
	world_run(w, 5 * WORLD_S);
	use(w, "layer 3 (10.0.0.2)", 3);
	world_link(w, 1, FGSP_L2 + 1, true, seen);
	world_link(w, 0, FGSP_L2, true, seen);
	world_run(w, 5 * WORLD_S);
	use(w, "layer 2 (port3, port4)", 2);
	world_settle(w, 10 * WORLD_S);
	ck_assert_uint_ge(world_peer(w, 0).link_changes, 6);
	ck_assert_uint_eq(world_peer(w, 0).disconnects, 1);
	world_free(w);
}
END_TEST

/* Nothing long passes from unit 0 by port3. */
static bool is_narrow(unsigned int from, unsigned int to, unsigned int link, size_t len) {
	(void)to;
	return from != 0 || link != FGSP_L2 || len < 1000;
}

/* Only beats are lost. */
static bool is_busy(unsigned int from, unsigned int to, unsigned int link, size_t len) {
	(void)from;
	(void)to;
	return !world_is_long(link, len);
}

/* A link that carries beats must carry all that is sent; here only short datagrams get through. */
START_TEST(test_narrow_link) {
	struct world *w = world_new(&(struct world_options){ .seed = 7, .units = 2, .devs = 2 });
	bool at_once = _i;

	world_filter(w, at_once ? is_narrow : NULL);
	world_run(w, WORLD_START);
	world_filter(w, is_narrow);
	for (unsigned int i = 0; i < 60; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, 8 * WORLD_S);
	world_settle(w, WORLD_S);
	for (unsigned int i = 0; i < 2; i++)
		ck_assert_str_eq(world_peer(w, i).link, "layer 2 (port4)");
	world_filter(w, NULL);
	world_run(w, 8 * WORLD_S);
	for (unsigned int i = 0; i < 2; i++)
		ck_assert_str_eq(world_peer(w, i).link, "layer 2 (port3, port4)");
	world_free(w);
}
END_TEST

/* No beat gets through, but sessions do: nobody is lost before that ends. */
START_TEST(test_busy_links) {
	struct world *w = world_group(2, 2);
	uint64_t changes = world_peer(w, 0).link_changes;

	world_filter(w, is_busy);
	for (unsigned int i = 0; i < 60; i++) {
		world_establish(w, 0, IPPROTO_TCP, true);
		world_run(w, WORLD_S / 2);
		ck_assert_int_eq(world_owner_at(w, 1, i), 0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_str_eq(world_peer(w, i).link, "layer 2 (port3, port4)");
		ck_assert_uint_eq(world_peer(w, i).link_changes, changes);
	}
	world_run(w, 4 * WORLD_S);
	for (unsigned int i = 0; i < 2; i++)
		ck_assert_uint_eq(world_peer(w, i).state, FGSP_PEER_LOST);
	world_filter(w, NULL);
	world_settle(w, 20 * WORLD_S);
	world_free(w);
}
END_TEST

/* ---- who is there ---- */

/* New keys each hour, without a gap; a channel that dies takes nothing with it. */
START_TEST(test_rekey) {
	struct world *w = world_group(2, 1);
	uint64_t channels = world_channels(w);
	uint32_t epoch = world_peer(w, 0).epoch;
	unsigned int flow;

	ck_assert_uint_ne(epoch, 0);
	ck_assert_uint_eq(epoch, world_peer(w, 1).epoch);
	world_break(w, 0, false);
	world_run(w, 10 * WORLD_S);
	ck_assert_uint_gt(world_channels(w), channels);
	epoch = world_peer(w, 0).epoch;
	channels = world_channels(w);
	world_run(w, 3590 * WORLD_S);
	for (unsigned int i = 0; i < 100; i++) {
		flow = world_establish(w, i % 2, IPPROTO_TCP, true);
		world_run(w, 200 * WORLD_MS);
		ck_assert_int_eq(world_owner_at(w, 1 - i % 2, flow), (int)(i % 2));
	}
	ck_assert_uint_ne(world_peer(w, 0).epoch, epoch);
	ck_assert_uint_eq(world_peer(w, 0).epoch, world_peer(w, 1).epoch);
	ck_assert_uint_eq(world_channels(w), channels + 1);
	ck_assert_uint_eq(world_peer(w, 0).resyncs, 1);
	ck_assert_uint_eq(world_stats(w, 0).ses.recv_err + world_stats(w, 0).udp.recv_err, 0);
	world_free(w);
}
END_TEST

/* Connections that die at one end only do not keep the members apart. */
START_TEST(test_half_open) {
	struct world *w = world_group(2, 0);
	uint64_t channels = world_channels(w);

	world_break(w, (unsigned int)_i, true);
	world_run(w, 20 * WORLD_S);
	ck_assert_uint_gt(world_channels(w), channels);
	world_run(w, 60 * WORLD_S);
	ck_assert_uint_le(world_channels(w), channels + 3);
	ck_assert_uint_eq(world_peer(w, 0).epoch, world_peer(w, 1).epoch);
	world_free(w);
}
END_TEST

static void same_serial(struct cluster *c) {
	snprintf(c->serial, sizeof(c->serial), "GHVMTEST00000000");
}

static void same_member_id(struct cluster *c) {
	c->member_id = 5;
}

static void no_encryption(struct cluster *c) {
	c->encrypt = false;
}

static void other_key(struct cluster *c) {
	c->key[7] ^= 1;
}

static const struct {
	void (*spoil)(struct cluster *c);
	const char *why;
} strangers[] = {
	{ same_serial, "refused: it has the serial number of this unit" },
	{ same_member_id, "refused: it has the same group-member-id" },
	{ no_encryption, "refused: encryption is not set as here" },
	{ other_key, "no answer" },
};

START_TEST(test_refused) {
	struct world *w = world_group(2, 1);
	unsigned int flow;

	world_cluster(w, 0)->member_id = 5;
	world_configure(w, 0);
	strangers[_i].spoil(world_cluster(w, 1));
	world_configure(w, 1);
	world_run(w, 30 * WORLD_S);
	flow = world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, 10 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), -1);
	ck_assert_str_eq(world_peer(w, 0).why, strangers[_i].why);
	ck_assert_uint_eq(world_stats(w, 0).refused > 0, strangers[_i].spoil != other_key);
	ck_assert(world_channels(w) < 60);
	world_free(w);
}
END_TEST

START_TEST(test_dropped_and_back) {
	struct world *w = world_group(3, 1);
	struct cluster *c = world_cluster(w, 0), before = *c;

	for (unsigned int i = 0; i < 30; i++)
		world_establish(w, i % 3, IPPROTO_TCP, true);
	world_settle(w, WORLD_S);
	c->peer[0] = c->peer[--c->n_peers];
	world_configure(w, 0);
	world_run(w, 3 * WORLD_S);
	ck_assert(!fgsp_peer_info(world_machine(w, 0), 1, &(struct fgsp_peer_info){ 0 }));
	ck_assert_str_eq(world_peer(w, 0).serial, "GHVMTEST00000002");
	*c = before;
	world_configure(w, 0);
	world_settle(w, 30 * WORLD_S);
	world_free(w);
}
END_TEST

/* What stands already, said once more, costs no walk of the table. */
START_TEST(test_told_again) {
	struct world *w = world_group(2, 0);
	const struct fgsp_walk *walk = &world_machine(w, 0)->walk;
	uint64_t begun;

	world_run(w, 5 * WORLD_S);
	begun = walk->begun_us;
	for (int i = 0; i < 25; i++) {
		world_configure(w, 0);
		world_run(w, 200 * WORLD_MS);
	}
	ck_assert_uint_eq(walk->begun_us, begun);
	/* Anything else is a reason. */
	world_cluster(w, 0)->expectation ^= true;
	world_configure(w, 0);
	world_run(w, 200 * WORLD_MS);
	ck_assert_uint_gt(walk->begun_us, begun);
	world_free(w);
}
END_TEST

START_TEST(test_ready_alone) {
	const struct world_options options = { .seed = 2, .units = 2, .hb_interval_ms = 200,
					       .hb_lost = 10 };
	struct world *w = world_new(&options);

	world_stop(w, 1, true);
	world_run(w, 1900 * WORLD_MS);
	ck_assert(!world_ready(w, 0));
	world_run(w, 200 * WORLD_MS);
	ck_assert(world_ready(w, 0));
	world_free(w);
}
END_TEST

/* What was counted of a peer that begins anew is not forgotten. */
START_TEST(test_counters_go_on) {
	struct world *w = world_group(2, 2);
	struct fgsp_peer_info before, after;

	world_link(w, 0, FGSP_L2, false, false);
	world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, 5 * WORLD_S);
	world_connect(w, 0, 1, false);
	world_run(w, 5 * WORLD_S);
	world_connect(w, 0, 1, true);
	world_run(w, 5 * WORLD_S);
	before = world_peer(w, 0);
	ck_assert(before.repaired > 0 && before.link_changes >= 4 && before.disconnects == 1);
	world_stop(w, 1, false);
	world_start(w, 1);
	world_run(w, 5 * WORLD_S);
	after = world_peer(w, 0);
	ck_assert_uint_eq(after.state, FGSP_PEER_IN_SYNC);
	ck_assert_uint_ge(after.repaired, before.repaired);
	ck_assert_uint_ge(after.lost, before.lost);
	ck_assert_uint_gt(after.link_changes, before.link_changes);
	ck_assert_uint_ge(after.disconnects, before.disconnects);
	world_free(w);
}
END_TEST

START_TEST(test_peer_info) {
	struct world *w = world_group(2, 1);
	struct fgsp_peer_info info = world_peer(w, 0);

	ck_assert_uint_eq(info.state, FGSP_PEER_IN_SYNC);
	ck_assert_str_eq(fgsp_peer_state_name(info.state), "in-sync");
	ck_assert_str_eq(info.serial, "GHVMTEST00000001");
	ck_assert_uint_eq(info.unit_id, world_id(w, 1));
	ck_assert_uint_gt(info.rtt_us, 150);
	ck_assert_uint_lt(info.rtt_us, 2000);
	ck_assert_uint_eq(info.lag_records, 0);
	ck_assert_uint_gt(info.acked_ns, 0);
	world_connect(w, 0, 1, false);
	world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, 500 * WORLD_MS);
	info = world_peer(w, 0);
	ck_assert_uint_gt(info.lag_records, 0);
	ck_assert_uint_ge(info.lag_us, 200000);
	ck_assert_uint_gt(info.acked_ns, 0);
	ck_assert_uint_lt(info.acked_ns, world_peer(w, 1).acked_ns);
	/* What it had before it was lost is nothing to build on. */
	world_run(w, 10 * WORLD_S);
	info = world_peer(w, 0);
	ck_assert_int_eq(info.state, FGSP_PEER_LOST);
	ck_assert_uint_eq(info.acked_ns, 0);
	world_free(w);
}
END_TEST

/* ---- who may speak ---- */

static uint64_t errors(const struct world *w, unsigned int unit) {
	struct fgsp_stats s = world_stats(w, unit);

	return s.udp.recv_err + s.udp.sz_err;
}

/* Rubbish, changed, cut, replayed and reflected datagrams are counted, and that is all. */
START_TEST(test_forged) {
	struct world *w = world_group(2, 0);
	uint8_t data[2048], changed[2048];
	size_t len;
	uint64_t before;

	world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, 5 * WORLD_S);
	len = world_last(w, 1, data, sizeof(data));
	ck_assert_uint_gt(len, SEAL_HEADER + SEAL_TAG);
	before = errors(w, 1);
	world_attack(w, 1, 0, data, len);
	for (size_t i = 0; i < len; i++) {
		memcpy(changed, data, len);
		changed[i] ^= 0x41;
		world_attack(w, 1, 0, changed, len);
		world_attack(w, 1, FGSP_ANY, data, i);
	}
	ck_assert_uint_eq(errors(w, 1), before + 2 * len + 1);
	before = errors(w, 0);
	world_attack(w, 0, 0, data, len);
	ck_assert_uint_eq(errors(w, 0), before + 1);
	world_settle(w, 5 * WORLD_S);
	world_free(w);
}
END_TEST

/* A machine that is alone with whoever speaks on channel 1. */
struct alone {
	unsigned int frames, closed;
	bool walks;
};

static void count_frame(void *arg, unsigned int channel, const uint8_t *data, size_t len) {
	struct alone *a = arg;

	ck_assert_uint_eq(channel, 1);
	ck_assert(data && len > 0);
	a->frames++;
}

static void count_close(void *arg, unsigned int channel) {
	struct alone *a = arg;

	ck_assert_uint_eq(channel, 1);
	a->closed++;
}

static void no_connect(void *arg, unsigned int peer) {
	ck_assert(arg && peer == 0);
}

static void note_walk(void *arg) {
	((struct alone *)arg)->walks = true;
}

static void no_log(void *arg, int priority, const char *text) {
	ck_assert(arg && priority >= 0 && text);
}

static uint64_t no_chance(void *arg) {
	ck_assert_ptr_nonnull(arg);
	return 4;
}

static struct fgsp *make_alone(struct alone *a, bool initiator) {
	const struct fgsp_env env = { .arg = a, .frame = count_frame, .close = count_close,
				      .connect = no_connect, .walk = note_walk, .log = no_log,
				      .random = no_chance };
	struct cluster c = { .serial = "GHVMTEST00000000", .has_key = true, .encrypt = true,
			     .member_id = 3, .n_peers = 1 };
	struct fgsp_channel_info info = { .peer = 0, .initiator = initiator };
	struct fgsp *f = fgsp_new(&env, 1);

	c.peer[0] = (struct cluster_peer){ .ip = net_ipv4(0x0a000002u), .hb_interval_ms = 200,
					   .hb_lost = 10 };
	fgsp_configure(f, &c, 1);
	fgsp_poll(f, 1);
	ck_assert(a->walks);
	fgsp_walk_end(f, true, 1);
	snprintf(info.serial, sizeof(info.serial), "GHVMTEST0000000%u", !initiator);
	fgsp_channel_up(f, 1, &info, 1);
	ck_assert_uint_eq(a->frames, !initiator);    /* who is called speaks first */
	return f;
}

static const struct {
	uint16_t version, oldest;
	const char *serial;
	uint16_t id_xor;
	uint8_t member_id, flags;
	uint32_t epoch;
	const char *why;
} hellos[] = {
	{ 1, 1, "GHVMTEST00000001", 0, 4, 1, 9, NULL },
	{ 7, 1, "GHVMTEST00000001", 0, 0, 1, 9, NULL },
	{ 0, 0, "GHVMTEST00000001", 0, 4, 1, 9, "its version is too old or too new" },
	{ 9, 2, "GHVMTEST00000001", 0, 4, 1, 9, "its version is too old or too new" },
	{ 1, 1, "GHVMTEST00000000", 0, 4, 1, 9, "it has the serial number of this unit" },
	{ 1, 1, "GHVMTEST00000002", 0, 4, 1, 9, "it is not who its key says" },
	{ 1, 1, "GHVMTEST00000001", 1, 4, 1, 9, "its unit id is not that of its serial number" },
	{ 1, 1, "GHVMTEST00000001", 0, 3, 1, 9, "it has the same group-member-id" },
	{ 1, 1, "GHVMTEST00000001", 0, 4, 0, 9, "encryption is not set as here" },
	{ 1, 1, "GHVMTEST00000001", 0, 4, 1, 0, "its keys have no number" },
};

static void put_hello_of(struct buf *b, unsigned int i, const char *serial) {
	buf_put_u8(b, 1);
	buf_put_u16(b, hellos[i].version);
	buf_put_u16(b, hellos[i].oldest);
	buf_put_str(b, serial);
	buf_put_u16(b, cluster_unit_id(serial) ^ hellos[i].id_xor);
	buf_put_u64(b, 12345);
	buf_put_u8(b, hellos[i].member_id);
	buf_put_u8(b, hellos[i].flags);
	buf_put_u32(b, hellos[i].epoch);
}

static void put_hello(struct buf *b, unsigned int i) {
	put_hello_of(b, i, hellos[i].serial);
}

START_TEST(test_hello) {
	struct alone a = { 0 };
	struct fgsp *f = make_alone(&a, false);
	AUTO_BUF struct buf b = BUF_INIT;
	struct fgsp_peer_info info;

	put_hello(&b, (unsigned int)_i);
	fgsp_frame(f, 1, b.data, b.len, 2);
	ck_assert(fgsp_peer_info(f, 0, &info));
	ck_assert_uint_eq(a.closed, hellos[_i].why != NULL);
	ck_assert_uint_eq(a.frames, hellos[_i].why ? 1 : 2);
	ck_assert_uint_eq(info.state == FGSP_PEER_REFUSED, hellos[_i].why != NULL);
	if (hellos[_i].why)
		ck_assert_str_eq(info.why + strlen("refused: "), hellos[_i].why);
	else
		ck_assert_str_eq(info.serial, "GHVMTEST00000001");
	fgsp_free(f);
}
END_TEST

/* Who was refused and is gone is not refused any more; for what it was, until it comes back. */
START_TEST(test_refused_and_away) {
	const struct fgsp_channel_info back = { .serial = "GHVMTEST00000001" };
	static const unsigned int bad[] = { 7, 2 };      /* of hellos[] */
	struct alone a = { 0 };
	struct fgsp *f = make_alone(&a, false);
	struct fgsp_peer_info info;

	for (unsigned int i = 0; i < 2; i++) {
		AUTO_BUF struct buf b = BUF_INIT;

		if (i > 0)
			fgsp_channel_up(f, 1, &back, 4);
		put_hello(&b, bad[i]);
		fgsp_frame(f, 1, b.data, b.len, 2 + 3 * i);
		ck_assert(fgsp_peer_info(f, 0, &info));
		ck_assert_int_eq(info.state, FGSP_PEER_REFUSED);
		ck_assert_str_eq(info.why + strlen("refused: "), hellos[bad[i]].why);
		fgsp_connect_failed(f, 0, "Connection refused", 3 + 3 * i);
		ck_assert(fgsp_peer_info(f, 0, &info));
		ck_assert_int_eq(info.state, FGSP_PEER_CONNECTING);
		ck_assert_str_eq(info.why + strlen("refused: "), hellos[bad[i]].why);
	}
	fgsp_free(f);
}
END_TEST

static const struct {
	const char *serial;
	bool is_one;
} names[] = {
	{ "GHVMTEST00000001", true },
	{ "x", true },
	{ "", false },
	{ "GHVM\npeer 1", false },
	{ "GHVM\033[2J", false },
	{ "GHVM TEST", false },
	{ "GHVM\"TEST", false },
	{ "GHVM\xc3\xa4", false },
};

/* Who was called is known by no key: its serial number may be none, and then is not printed. */
START_TEST(test_hello_name) {
	struct alone a = { 0 };
	struct fgsp *f = make_alone(&a, true);
	AUTO_BUF struct buf b = BUF_INIT;
	struct fgsp_peer_info info;

	put_hello_of(&b, 0, names[_i].serial);
	fgsp_frame(f, 1, b.data, b.len, 2);
	ck_assert(fgsp_peer_info(f, 0, &info));
	ck_assert_str_eq(info.serial, names[_i].is_one ? names[_i].serial : "");
	ck_assert_str_eq(info.why,
			 names[_i].is_one ? "" : "refused: what it says is no serial number");
	ck_assert_uint_eq(a.closed, !names[_i].is_one);
	fgsp_free(f);
}
END_TEST

/* A HELLO that is cut anywhere, or comes twice, or rubbish instead of it, ends the channel. */
START_TEST(test_bad_frames) {
	AUTO_BUF struct buf b = BUF_INIT;

	put_hello(&b, 0);
	for (size_t len = 0; len < b.len; len++) {
		struct alone a = { 0 };
		struct fgsp *f = make_alone(&a, false);

		fgsp_frame(f, 1, b.data, len, 2);
		ck_assert_uint_eq(a.closed, 1);
		fgsp_frame(f, 1, b.data, b.len, 2);  /* on a channel that is closed: nothing */
		ck_assert_uint_eq(a.frames, 1);
		fgsp_free(f);
	}
	for (unsigned int ready = 0; ready < 2; ready++) {
		struct alone a = { 0 };
		struct fgsp *f = make_alone(&a, false);
		uint8_t other_epoch[5] = { 2, 0, 0, 0, 8 };

		fgsp_frame(f, 1, b.data, b.len, 2);
		ck_assert_uint_eq(a.closed, 0);
		if (ready)
			fgsp_frame(f, 1, other_epoch, sizeof(other_epoch), 2);
		else
			fgsp_frame(f, 1, b.data, b.len, 2);
		ck_assert_uint_eq(a.closed, 1);
		fgsp_free(f);
	}
}
END_TEST

static Suite *peers_suite(void) {
	Suite *s = suite_create("fgsp peers");
	TCase *t = fixture_case(s, "peers");

	tcase_add_loop_test(t, test_ladder, 0, 2);
	tcase_add_loop_test(t, test_narrow_link, 0, 2);
	tcase_add_test(t, test_busy_links);
	tcase_add_test(t, test_rekey);
	tcase_add_loop_test(t, test_half_open, 0, 2);
	tcase_add_loop_test(t, test_refused, 0, ARRAY_LEN(strangers));
	tcase_add_test(t, test_dropped_and_back);
	tcase_add_test(t, test_told_again);
	tcase_add_test(t, test_ready_alone);
	tcase_add_test(t, test_counters_go_on);
	tcase_add_test(t, test_peer_info);
	tcase_add_test(t, test_forged);
	tcase_add_loop_test(t, test_hello, 0, ARRAY_LEN(hellos));
	tcase_add_test(t, test_refused_and_away);
	tcase_add_loop_test(t, test_hello_name, 0, ARRAY_LEN(names));
	tcase_add_test(t, test_bad_frames);
	return s;
}

int main(void) {
	return fixture_run(peers_suite());
}
