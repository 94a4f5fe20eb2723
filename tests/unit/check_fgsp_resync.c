/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it costs that members come to agree: one that says much and does little, or nothing at all,
 * must not hold up the others, nor make a unit work for nothing.
 */
#include <netinet/in.h>
#include <string.h>

#include "sync/fgsp_impl.h"
#include "tests/lib/fgsp_world.h"
#include "tests/lib/fixture.h"

#define SESSIONS 40

/* Passes over all prints of whatever machine: the linker leads here who calls prints_each(). */
static unsigned int passes;

bool __real_prints_each(struct prints *p, uint64_t *cursor, size_t n,
			void (*visit)(void *arg, struct print *print), void *arg);
bool __wrap_prints_each(struct prints *p, uint64_t *cursor, size_t n,
			void (*visit)(void *arg, struct print *print), void *arg);

bool __wrap_prints_each(struct prints *p, uint64_t *cursor, size_t n,
			void (*visit)(void *arg, struct print *print), void *arg) {
	passes++;
	return __real_prints_each(p, cursor, n, visit, arg);
}

/* The first peer of a unit says that it begins, or has ended, to send everything anew. */
static void say(struct world *w, unsigned int unit, enum record_type type, uint16_t number) {
	struct fgsp *f = world_machine(w, unit);
	struct record r = { .type = type };
	AUTO_BUF struct buf b = BUF_INIT;

	r.walk = number;
	memset(r.buckets, 0xff, sizeof(r.buckets));
	record_encode(&b, &r);
	ck_assert(fgsp_take(f, &f->member[0], b.data, b.len));
}

static unsigned int copies(struct world *w, unsigned int unit) {
	unsigned int n = 0;

	for (unsigned int i = 0; i < SESSIONS; i++)
		n += world_owner_at(w, unit, i) == 0;
	return n;
}

/* Who begins a thousand times is heard, and costs no pass over what is known of sessions. */
START_TEST(test_begins) {
	struct world *w = world_group(2, 0);

	for (unsigned int i = 0; i < SESSIONS; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, WORLD_S);
	passes = 0;
	for (uint16_t i = 0; i < 1000; i++) {
		say(w, 1, RECORD_RESYNC_BEGIN, i);
		say(w, 1, RECORD_RESYNC_END, i - 1);
	}
	ck_assert_uint_eq(passes, 0);
	ck_assert_uint_eq(copies(w, 1), SESSIONS);
	say(w, 1, RECORD_RESYNC_END, 999);
	ck_assert_uint_eq(passes, 0);
	world_run(w, 2 * WORLD_S);
	ck_assert_uint_eq(copies(w, 1), 0);          /* not one of them was told again */
	world_settle(w, 30 * WORLD_S);
	ck_assert_uint_eq(copies(w, 1), SESSIONS);
	world_free(w);
}
END_TEST

/* Beats get through to unit 2, and nothing else. */
static bool is_stuck(unsigned int from, unsigned int to, unsigned int link, size_t len) {
	return from != 0 || to != 2 || world_is_long(link, len);
}

/* Who takes nothing holds up the walk of the others for a while, and gets all when it moves. */
START_TEST(test_stuck) {
	struct world *w = world_new(&(struct world_options){ .seed = 5, .units = 3,
							     .queue_bytes = 12000 });
	struct fgsp_peer_info info;

	world_run(w, WORLD_START);
	for (unsigned int i = 0; i < 200; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_settle(w, 5 * WORLD_S);
	world_filter(w, is_stuck);
	fgsp_resync(world_machine(w, 0), world_now(w));
	world_run(w, 5 * WORLD_S);
	kernel_delete(world_kernel(w, 1), world_entry(w, 1, 3), false);
	world_run(w, 30 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, 3), 0);        /* it was missed, and sent anew */
	ck_assert_uint_eq(world_peer(w, 0).state, FGSP_PEER_IN_SYNC);
	ck_assert(fgsp_peer_info(world_machine(w, 0), 1, &info));
	ck_assert_uint_eq(info.state, FGSP_PEER_SYNCING);
	ck_assert_str_eq(info.resync_why, "no acknowledgement");
	ck_assert_uint_eq(info.disconnects, 0);
	ck_assert_uint_le(world_stats(w, 0).memory, sizeof(struct fgsp) + (1 << 20));
	for (unsigned int i = 0; i < 200; i += 7)
		world_packet(w, i, 0, PACKET_RESET);
	world_run(w, WORLD_S);
	world_filter(w, NULL);
	world_settle(w, 10 * WORLD_S);
	ck_assert(fgsp_peer_info(world_machine(w, 0), 1, &info));
	ck_assert_uint_eq(info.state, FGSP_PEER_IN_SYNC);
	world_free(w);
}
END_TEST

static Suite *resync_suite(void) {
	Suite *s = suite_create("fgsp resync");
	TCase *t = fixture_case(s, "cost");

	tcase_add_test(t, test_begins);
	tcase_add_test(t, test_stuck);
	return s;
}

int main(void) {
	return fixture_run(resync_suite());
}
