/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members, links and keys of replication, one situation at a time, in a simulated group. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "sync/fgsp_impl.h"
#include "tests/lib/fgsp_world.h"
#include "tests/lib/fixture.h"

#define START (10 * WORLD_S)         /* until then peers have found each other */

static struct world *group(unsigned int units, unsigned int devs) {
	struct world *w = world_new(&(struct world_options){ .seed = 7, .units = units,
							     .devs = devs, .encrypt = true });

	world_run(w, START);
	return w;
}

static struct fgsp_stats stats_of(const struct world *w, unsigned int unit) {
	struct fgsp_stats stats;

	fgsp_stats(world_machine(w, unit), &stats);
	return stats;
}

static struct fgsp_peer_info peer_of(const struct world *w, unsigned int unit) {
	struct fgsp_peer_info info;

	ck_assert(fgsp_peer_info(world_machine(w, unit), 0, &info));
	return info;
}

/* The unit that owns a session, as an entry at `unit` says; -1: there is none. */
static int owner_at(struct world *w, unsigned int unit, unsigned int flow) {
	struct kernel_entry *e = world_entry(w, unit, flow);

	return e ? world_owner(w, unit, e) : -1;
}

/* ---- links ---- */

static void use(struct world *w, const char *link, unsigned int layer) {
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);
	uint64_t before[4] = { 0, 0, world_sent(w, 0, 2), world_sent(w, 0, 3) };

	world_run(w, 20 * WORLD_MS);
	ck_assert_str_eq(peer_of(w, 0).link, link);
	ck_assert_int_eq(owner_at(w, 1, flow), layer ? 0 : -1);
	if (layer)
		ck_assert_uint_gt(world_sent(w, 0, layer), before[layer]);
	if (layer == 2)
		ck_assert_uint_le(world_sent(w, 0, 3), before[3] + 1);
}

/* Down the ladder and up again; what was not acknowledged goes out on the next link. */
START_TEST(test_ladder) {
	struct world *w = group(2, 2);
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
	ck_assert_uint_eq(peer_of(w, 0).state, FGSP_PEER_LOST);
	use(w, "none", 0);
	ck_assert_uint_gt(peer_of(w, 0).lag_records, 0);
	world_link(w, 0, 0, true, seen);
	world_run(w, 5 * WORLD_S);
	use(w, "layer 3 (10.0.0.2)", 3);
	world_link(w, 1, FGSP_L2 + 1, true, seen);
	world_link(w, 0, FGSP_L2, true, seen);
	world_run(w, 5 * WORLD_S);
	use(w, "layer 2 (port3, port4)", 2);
	world_settle(w, 10 * WORLD_S);
	ck_assert_uint_ge(peer_of(w, 0).link_changes, 6);
	ck_assert_uint_eq(peer_of(w, 0).disconnects, 1);
	world_free(w);
}
END_TEST

/* ---- who is there ---- */

/* New keys each hour, without a gap; a channel that dies takes nothing with it. */
START_TEST(test_rekey) {
	struct world *w = group(2, 1);
	uint64_t channels = world_channels(w);
	uint32_t epoch = peer_of(w, 0).epoch;
	unsigned int flow;

	ck_assert_uint_ne(epoch, 0);
	ck_assert_uint_eq(epoch, peer_of(w, 1).epoch);
	world_break(w, 0, false);
	world_run(w, 10 * WORLD_S);
	ck_assert_uint_gt(world_channels(w), channels);
	epoch = peer_of(w, 0).epoch;
	channels = world_channels(w);
	world_run(w, 3590 * WORLD_S);
	for (unsigned int i = 0; i < 100; i++) {
		flow = world_establish(w, i % 2, IPPROTO_TCP, true);
		world_run(w, 200 * WORLD_MS);
		ck_assert_int_eq(owner_at(w, 1 - i % 2, flow), (int)(i % 2));
	}
	ck_assert_uint_ne(peer_of(w, 0).epoch, epoch);
	ck_assert_uint_eq(peer_of(w, 0).epoch, peer_of(w, 1).epoch);
	ck_assert_uint_eq(world_channels(w), channels + 1);
	ck_assert_uint_eq(peer_of(w, 0).resyncs, 1);
	ck_assert_uint_eq(stats_of(w, 0).ses.recv_err + stats_of(w, 0).udp.recv_err, 0);
	world_free(w);
}
END_TEST

/* Connections that die at one end only do not keep the members apart. */
START_TEST(test_half_open) {
	struct world *w = group(2, 0);
	uint64_t channels = world_channels(w);

	world_break(w, (unsigned int)_i, true);
	world_run(w, 20 * WORLD_S);
	ck_assert_uint_gt(world_channels(w), channels);
	world_run(w, 60 * WORLD_S);
	ck_assert_uint_le(world_channels(w), channels + 3);
	ck_assert_uint_eq(peer_of(w, 0).epoch, peer_of(w, 1).epoch);
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
	struct world *w = group(2, 1);
	unsigned int flow;

	world_cluster(w, 0)->member_id = 5;
	world_configure(w, 0);
	strangers[_i].spoil(world_cluster(w, 1));
	world_configure(w, 1);
	world_run(w, 30 * WORLD_S);
	flow = world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, 10 * WORLD_S);
	ck_assert_int_eq(owner_at(w, 1, flow), -1);
	ck_assert_str_eq(peer_of(w, 0).why, strangers[_i].why);
	ck_assert_uint_eq(stats_of(w, 0).refused > 0, strangers[_i].spoil != other_key);
	ck_assert(world_channels(w) < 60);
	world_free(w);
}
END_TEST

START_TEST(test_dropped_and_back) {
	struct world *w = group(3, 1);
	struct cluster *c = world_cluster(w, 0), before = *c;

	for (unsigned int i = 0; i < 30; i++)
		world_establish(w, i % 3, IPPROTO_TCP, true);
	world_settle(w, WORLD_S);
	c->peer[0] = c->peer[--c->n_peers];
	world_configure(w, 0);
	world_run(w, 3 * WORLD_S);
	ck_assert(!fgsp_peer_info(world_machine(w, 0), 1, &(struct fgsp_peer_info){ 0 }));
	ck_assert_str_eq(peer_of(w, 0).serial, "GHVMTEST00000002");
	*c = before;
	world_configure(w, 0);
	world_settle(w, 30 * WORLD_S);
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

START_TEST(test_peer_info) {
	struct world *w = group(2, 1);
	struct fgsp_peer_info info = peer_of(w, 0);

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
	info = peer_of(w, 0);
	ck_assert_uint_gt(info.lag_records, 0);
	ck_assert_uint_ge(info.lag_us, 200000);
	ck_assert_uint_lt(info.acked_ns, peer_of(w, 1).acked_ns);
	world_free(w);
}
END_TEST

/* ---- who may speak ---- */

static uint64_t errors(const struct world *w, unsigned int unit) {
	struct fgsp_stats s = stats_of(w, unit);

	return s.udp.recv_err + s.udp.sz_err;
}

/* Rubbish, changed, cut, replayed and reflected datagrams are counted, and that is all. */
START_TEST(test_forged) {
	struct world *w = group(2, 0);
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

static Suite *peers_suite(void) {
	Suite *s = suite_create("fgsp peers");
	TCase *t = fixture_case(s, "peers");

	tcase_add_loop_test(t, test_ladder, 0, 2);
	tcase_add_test(t, test_rekey);
	tcase_add_loop_test(t, test_half_open, 0, 2);
	tcase_add_loop_test(t, test_refused, 0, ARRAY_LEN(strangers));
	tcase_add_test(t, test_dropped_and_back);
	tcase_add_test(t, test_ready_alone);
	tcase_add_test(t, test_peer_info);
	tcase_add_test(t, test_forged);
	return s;
}

int main(void) {
	return fixture_run(peers_suite());
}
