/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams between two units over UDP and over Ethernet, each unit in a network namespace of its
 * own: what arrives and what does not, full buffers, and interfaces that come and go.
 */
#include "sync/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"
#include "tests/lib/pair.h"

#define FLOOD 40000
#define MANY 300             /* the kernel hands on as many at once between interfaces */

/* A unit, and what it was told last. */
static struct unit {
	struct link_set *set;
	struct link_config config;
	unsigned int n_datagrams, n_batches, n_writable, n_states;
	unsigned int link;
	bool has_mac;
	uint8_t mac[LINK_MAC];
	size_t len;
	uint8_t data[LINK_DATAGRAM_MAX];
	struct {
		bool told, up;
		unsigned int mtu;
	} state[LINKS_MAX];
} units[2];

static void unit_datagram(void *arg, unsigned int link, const uint8_t *mac, uint8_t *data,
			  size_t len) {
	struct unit *u = arg;

	u->n_datagrams++;
	u->link = link;
	u->has_mac = mac != NULL;
	if (mac)
		memcpy(u->mac, mac, LINK_MAC);
	ck_assert_uint_le(len, sizeof(u->data));
	u->len = len;
	memcpy(u->data, data, len);
	memset(data, 0xee, len); /* it may be changed */
}

static void unit_batch(void *arg) {
	struct unit *u = arg;

	u->n_batches++;
}

static void unit_writable(void *arg) {
	struct unit *u = arg;

	u->n_writable++;
}

static void unit_state(void *arg, unsigned int link, bool up, unsigned int mtu) {
	struct unit *u = arg;

	ck_assert_uint_lt(link, LINKS_MAX);
	u->n_states++;
	u->state[link].told = true;
	u->state[link].up = up;
	u->state[link].mtu = mtu;
}

static bool all_told(void) {
	for (int i = 0; i < 2; i++)
		if (units[i].set && !units[i].state[LINK_L2].told)
			return false;
	return true;
}

static void unit_start(unsigned int n) {
	struct unit *u = &units[n];
	const struct link_calls calls = { u, unit_datagram, unit_batch, unit_writable, unit_state };
	struct err err = { 0 };

	pair_enter(n);
	u->set = link_set_new(pair_base[n], &calls, &err);
	ck_assert_msg(u->set != NULL, "%s", err.text);
	link_set_configure(u->set, &u->config);
	ck_assert_uint_eq(u->n_states, 0); /* later, out of the loop */
	pair_until(all_told);
}

static void setup(void) {
	pair_setup();
	memset(units, 0, sizeof(units));
	for (int i = 0; i < 2; i++) {
		units[i].config.peers.n = 1;
		units[i].config.n_devs = 1;
		snprintf(units[i].config.dev[0], IFNAMSIZ, "v%d", i);
	}
	units[0].config.peers.peer[0].ip = pair_ip("10.9.0.2");
	units[1].config.peers.peer[0].ip = pair_ip("10.9.0.1");
}

static bool links_up(void) {
	return units[0].state[0].up && units[1].state[0].up && units[0].state[LINK_L2].up &&
	       units[1].state[LINK_L2].up;
}

static void start_both(void) {
	unit_start(0);
	unit_start(1);
	pair_until(links_up);
}

static void teardown(void) {
	for (int i = 0; i < 2; i++)
		link_set_free(units[i].set);
	pair_teardown();
}

static struct link_stats stats(unsigned int n, unsigned int layer) {
	struct link_stats s;

	link_set_stats(units[n].set, layer, &s);
	return s;
}

static void forget(void) {
	for (int i = 0; i < 2; i++)
		units[i].n_datagrams = units[i].n_batches = units[i].n_writable = 0;
}

static bool got_1(void) {
	return units[1].n_datagrams > 0;
}

static bool got_0(void) {
	return units[0].n_datagrams > 0;
}

/* Send bytes of one value from a unit and see them arrive at the other. */
static void assert_arrives(unsigned int from, unsigned int link, const uint8_t *mac, uint8_t value,
			   size_t len) {
	const struct unit *to = &units[!from];
	uint8_t data[LINK_DATAGRAM_MAX];

	forget();
	memset(data, value, len);
	ck_assert(link_send(units[from].set, link, mac, data, len));
	pair_until(from == 0 ? got_1 : got_0);
	ck_assert_uint_eq(to->n_datagrams, 1);
	ck_assert_uint_eq(to->link, link);
	ck_assert_int_eq(to->has_mac, link >= LINK_L2);
	ck_assert_uint_eq(to->len, len);
	ck_assert_mem_eq(to->data, data, len);
	ck_assert_uint_ge(to->n_batches, 1);
}

/* ---- both kinds ---- */

static const unsigned int kinds[] = { 0, LINK_L2 };

static unsigned int layer_of(unsigned int link) {
	return link < LINK_L2 ? 3 : 2;
}

START_TEST(test_sizes) {
	unsigned int link = kinds[_i];
	const size_t most = 1500 - (link ? LINK_ETHER_OVERHEAD : LINK_IP_OVERHEAD);
	const size_t sizes[] = { 1, 2, 43, 44, 45, 200, most };

	start_both();
	ck_assert_uint_eq(units[0].state[link].mtu, 1500);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_arrives(0, link, NULL, (uint8_t)i, sizes[i]);
		assert_arrives(1, link, NULL, (uint8_t)~i, sizes[i]);
	}
	ck_assert_uint_eq(stats(0, layer_of(link)).sent, ARRAY_LEN(sizes));
	ck_assert_uint_eq(stats(0, layer_of(link)).received, ARRAY_LEN(sizes));
	ck_assert_uint_eq(stats(0, 5 - layer_of(link)).sent, 0);
}
END_TEST

START_TEST(test_jumbo) {
	unsigned int link = kinds[_i];

	pair_run(0, "ip link set v0 mtu 9216");
	pair_run(1, "ip link set v1 mtu 9216");
	start_both();
	ck_assert_uint_eq(units[0].state[link].mtu, 9216);
	assert_arrives(0, link, NULL, 9, 9216 - (link ? LINK_ETHER_OVERHEAD : LINK_IP_OVERHEAD));
}
END_TEST

/* What does not fit is left out, and holds nothing up. */
START_TEST(test_too_long) {
	unsigned int link = kinds[_i];
	uint8_t data[LINK_DATAGRAM_MAX + 1] = { 0 };

	start_both();
	ck_assert(!link_send(units[0].set, link, NULL, data, 0));
	ck_assert(!link_send(units[0].set, link, NULL, data, sizeof(data)));
	ck_assert(link_send(units[0].set, link, NULL, data, 1501));
	assert_arrives(0, link, NULL, 1, 100);
	ck_assert_uint_eq(stats(0, layer_of(link)).errors, 1);
	ck_assert_uint_eq(stats(0, layer_of(link)).sent, 1);
}
END_TEST

START_TEST(test_no_such_link) {
	start_both();
	ck_assert(!link_send(units[0].set, 1, NULL, (const uint8_t *)"x", 1));
	ck_assert(!link_send(units[0].set, LINK_L2 + 1, NULL, (const uint8_t *)"x", 1));
	ck_assert(!link_send(units[0].set, LINKS_MAX, NULL, (const uint8_t *)"x", 1));
	ck_assert(!link_send(units[0].set, UINT32_MAX, NULL, (const uint8_t *)"x", 1));
}
END_TEST

static bool got_many(void) {
	return units[1].n_datagrams == MANY;
}

/* All of one turn go together at its end; who gets many at once takes some in each turn. */
START_TEST(test_batches) {
	unsigned int link = kinds[_i];
	uint8_t data[100] = { 0 };

	start_both();
	assert_arrives(0, link, NULL, 1, 1); /* addresses are resolved */
	forget();
	for (int i = 0; i < MANY; i++)
		ck_assert(link_send(units[0].set, link, NULL, data, sizeof(data)));
	ck_assert_uint_eq(stats(0, layer_of(link)).sent, 1 + 9 * 32); /* whole batches */
	pair_enter(0);
	event_base_loop(pair_base[0], EVLOOP_NONBLOCK);
	ck_assert_uint_eq(stats(0, layer_of(link)).sent, 1 + MANY);
	event_base_loop(pair_base[1], EVLOOP_NONBLOCK | EVLOOP_ONCE);
	ck_assert_uint_eq(units[1].n_datagrams, 256);
	ck_assert_uint_eq(units[1].n_batches, 1);
	pair_until(got_many);
	ck_assert_uint_eq(units[1].n_batches, 2);
}
END_TEST

static bool writable_0(void) {
	return units[0].n_writable > 0;
}

/* An interface that takes nothing: what waits has a bound, and room is told. */
START_TEST(test_full) {
	unsigned int link = kinds[_i], n = 0;
	uint8_t data[1400] = { 0 };

	start_both();
	assert_arrives(0, link, NULL, 1, 1);
	pair_run(0, "tc qdisc add dev v0 root tbf rate 8kbit burst 1600 limit 100m");
	while (link_send(units[0].set, link, NULL, data, sizeof(data))) {
		event_base_loop(pair_base[0], EVLOOP_NONBLOCK);
		ck_assert_uint_lt(n++, 100000);
	}
	ck_assert_uint_eq(stats(0, layer_of(link)).full, 1);
	event_base_loop(pair_base[0], EVLOOP_NONBLOCK);
	ck_assert(!link_send(units[0].set, link, NULL, data, sizeof(data)));
	ck_assert_uint_eq(units[0].n_writable, 0);
	ck_assert(link_send(units[0].set, LINK_L2 - link, NULL, data, 1)); /* not the other */
	pair_run(0, "tc qdisc del dev v0 root");
	pair_until(writable_0);
	ck_assert_uint_eq(units[0].n_writable, 1);
	pair_turn();
	forget();
	assert_arrives(0, link, NULL, 2, 10);
}
END_TEST

/* Datagrams that nobody reads: those that found no room are counted. */
START_TEST(test_dropped) {
	unsigned int link = kinds[_i];
	uint8_t data[1400] = { 0 };

	start_both();
	assert_arrives(0, link, NULL, 1, 1);
	pair_enter(0);
	for (int i = 0; i < FLOOD; i++) {
		link_send(units[0].set, link, NULL, data, sizeof(data));
		if (i % 32 == 0)
			event_base_loop(pair_base[0], EVLOOP_NONBLOCK);
	}
	event_base_loop(pair_base[0], EVLOOP_NONBLOCK);
	ck_assert_uint_gt(stats(1, layer_of(link)).dropped, 0);
	forget();
	pair_enter(1);
	event_base_loop(pair_base[1], EVLOOP_NONBLOCK);
	ck_assert_uint_le(units[1].n_datagrams + stats(1, layer_of(link)).dropped, FLOOD);
	ck_assert_uint_gt(units[1].n_datagrams, 1000); /* the room is not small */
}
END_TEST

/* ---- UDP ---- */

static void raw_datagram(const char *source, size_t len) {
	static const uint8_t data[20000];
	const union net_addr from = pair_ip(source), to = pair_ip("10.9.0.1");
	struct sockaddr_in addr = wire_sockaddr(&to, WIRE_PORT);
	int fd;

	pair_enter(1);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert(wire_bind(fd, &from));
	ck_assert_int_eq(sendto(fd, data, len, 0, (struct sockaddr *)&addr, sizeof(addr)),
			 (ssize_t)len);
	close(fd);
}

static bool received_5(void) {
	return stats(0, 3).received == 5;
}

START_TEST(test_foreign_datagrams) {
	pair_run(1, "ip addr add 10.9.0.3/24 dev v1");
	start_both();
	raw_datagram("10.9.0.3", 100);
	raw_datagram("10.9.0.2", 0);
	raw_datagram("10.9.0.2", LINK_DATAGRAM_MAX + 1); /* comes in fragments */
	raw_datagram("10.9.0.2", 20000);
	raw_datagram("10.9.0.2", LINK_DATAGRAM_MAX);
	pair_until(received_5);
	ck_assert_uint_eq(stats(0, 3).strangers, 1);
	ck_assert_uint_eq(stats(0, 3).malformed, 3);
	ck_assert_uint_eq(units[0].n_datagrams, 1);
	ck_assert_uint_eq(units[0].len, LINK_DATAGRAM_MAX);
}
END_TEST

START_TEST(test_source) {
	pair_run(1, "ip addr add 10.9.0.22/24 dev v1");
	units[0].config.peers.n = 2;
	units[0].config.peers.peer[1].ip = pair_ip("10.9.0.22");
	units[1].config.peers.n = 3;
	units[1].config.peers.peer[1].ip = pair_ip("10.9.0.1"); /* twice: the first counts */
	units[1].config.peers.peer[2].ip = pair_ip("10.9.0.1");
	units[1].config.peers.peer[2].source = pair_ip("10.9.0.22");
	start_both();
	ck_assert(!units[1].state[1].told);
	ck_assert(link_send(units[1].set, 2, NULL, (const uint8_t *)"x", 1));
	pair_until(got_0);
	ck_assert_uint_eq(units[0].link, 1);
	forget();
	ck_assert(link_send(units[1].set, 0, NULL, (const uint8_t *)"x", 1));
	pair_until(got_0);
	ck_assert_uint_eq(units[0].link, 0);
}
END_TEST

static bool received_last(void) {
	return units[1].data[0] == 'y';
}

/* Nobody listens there: the ICMP errors change nothing. */
START_TEST(test_port_unreachable) {
	unit_start(0);
	for (int i = 0; i < 3; i++) {
		ck_assert(link_send(units[0].set, 0, NULL, (const uint8_t *)"x", 1));
		pair_turn();
	}
	unit_start(1);
	ck_assert(link_send(units[0].set, 0, NULL, (const uint8_t *)"y", 1));
	pair_until(received_last);
	ck_assert_uint_eq(stats(0, 3).errors, 0);
	ck_assert_uint_eq(stats(0, 3).sent, 4);
}
END_TEST

START_TEST(test_port_taken) {
	const struct link_calls calls = { 0 };
	struct err err = { 0 };

	unit_start(0);
	pair_enter(0);
	ck_assert_ptr_null(link_set_new(pair_base[0], &calls, &err));
	ck_assert_str_eq(err.text, "UDP port 708 cannot be had: Address already in use");
}
END_TEST

/* ---- Ethernet ---- */

START_TEST(test_mac) {
	uint8_t mac[2][LINK_MAC];

	start_both();
	assert_arrives(0, LINK_L2, NULL, 1, 10);
	memcpy(mac[0], units[1].mac, LINK_MAC);
	assert_arrives(1, LINK_L2, mac[0], 2, 10);
	memcpy(mac[1], units[0].mac, LINK_MAC);
	ck_assert_mem_ne(mac[0], mac[1], LINK_MAC);
	assert_arrives(0, LINK_L2, mac[1], 3, 10);
	ck_assert_mem_eq(units[1].mac, mac[0], LINK_MAC);
}
END_TEST

/* A frame with these bytes behind its header. */
static void raw_frame(const char *to, const char *bytes, size_t len) {
	struct sockaddr_ll addr = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(LINK_ETHER_TYPE),
				    .sll_halen = LINK_MAC };
	int fd;

	pair_enter(1);
	addr.sll_ifindex = (int)if_nametoindex("v1");
	memcpy(addr.sll_addr, to, LINK_MAC);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(sendto(fd, bytes, len, 0, (struct sockaddr *)&addr, sizeof(addr)),
			 (ssize_t)len);
	close(fd);
}

#define GROUP "\x03\x47\x48\x53\x59\x4e"
#define OTHER "\x02\x00\x00\x00\x00\x77"

static const struct {
	const char *to, *bytes;
	size_t len;
	struct link_stats want;
	size_t arrives;
} frames[] = {
	{ GROUP, "\0\1x", 3, { .received = 1 }, 1 },
	{ GROUP, "\0\2xyz\0\0\0\0\0\0\0", 12, { .received = 1 }, 2 },    /* padded */
	{ GROUP, "\0", 1, { .received = 1, .malformed = 1 }, 0 },
	{ GROUP, "\0\0", 2, { .received = 1, .malformed = 1 }, 0 },
	{ GROUP, "\0\0xyz", 5, { .received = 1, .malformed = 1 }, 0 },
	{ GROUP, "\0\4xyz", 5, { .received = 1, .malformed = 1 }, 0 },
	{ GROUP, "\xff\xffxyz", 5, { .received = 1, .malformed = 1 }, 0 },
	{ OTHER, "\0\1x", 3, { .received = 1, .strangers = 1 }, 0 },
	{ "\xff\xff\xff\xff\xff\xff", "\0\1x", 3, { .received = 1, .strangers = 1 }, 0 },
};

static bool received_frame(void) {
	return stats(0, 2).received == 1;
}

START_TEST(test_frames) {
	struct link_stats s;

	pair_run(0, "ip link set v0 promisc on"); /* it sees what is for others, too */
	start_both();
	raw_frame(frames[_i].to, frames[_i].bytes, frames[_i].len);
	pair_until(received_frame);
	s = stats(0, 2);
	ck_assert_mem_eq(&s, &frames[_i].want, sizeof(s));
	ck_assert_uint_eq(units[0].n_datagrams, frames[_i].arrives > 0);
	ck_assert_uint_eq(units[0].len, frames[_i].arrives);
	ck_assert_mem_eq(units[0].data, frames[_i].bytes + 2, frames[_i].arrives);
}
END_TEST

START_TEST(test_no_ethernet) {
	strcpy(units[0].config.dev[0], "lo");
	unit_start(0);
	ck_assert(!units[0].state[LINK_L2].up);
	ck_assert(!link_send(units[0].set, LINK_L2, NULL, (const uint8_t *)"x", 1));
}
END_TEST

/* ---- interfaces come and go ---- */

static bool ethernet_down(void) {
	return !units[0].state[LINK_L2].up;
}

static bool udp_down(void) {
	return !units[0].state[0].up;
}

static bool both_down(void) {
	return ethernet_down() && udp_down();
}

static void assert_all_work(void) {
	pair_until(links_up);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		assert_arrives(0, kinds[i], NULL, 1, 100);
		assert_arrives(1, kinds[i], NULL, 2, 100);
	}
}

START_TEST(test_down_and_up) {
	start_both();
	assert_all_work();
	pair_run(0, "ip link set v0 down");
	pair_until(both_down);
	link_send(units[0].set, 0, NULL, (const uint8_t *)"x", 1);
	link_send(units[0].set, LINK_L2, NULL, (const uint8_t *)"x", 1);
	pair_turn();
	ck_assert_uint_eq(stats(0, 3).errors, 1);
	ck_assert_uint_ge(stats(0, 2).errors, 1);
	pair_run(0, "ip link set v0 up");
	assert_all_work();
}
END_TEST

START_TEST(test_carrier) {
	start_both();
	pair_run(1, "ip link set v1 down");
	pair_until(ethernet_down);
	pair_run(1, "ip link set v1 up");
	assert_all_work();
}
END_TEST

static bool mtu_told(void) {
	return units[0].state[0].mtu == 1400 && units[0].state[LINK_L2].mtu == 1400;
}

START_TEST(test_mtu_changes) {
	start_both();
	pair_run(0, "ip link set v0 mtu 1400");
	pair_until(mtu_told);
	assert_all_work();
}
END_TEST

START_TEST(test_renamed) {
	start_both();
	pair_run(0, "ip link set v0 name other");
	pair_until(ethernet_down);
	ck_assert(units[0].state[0].up); /* UDP goes by addresses */
	ck_assert(!link_send(units[0].set, LINK_L2, NULL, (const uint8_t *)"x", 1));
	pair_run(0, "ip link set other name v0");
	assert_all_work();
}
END_TEST

/* Both have heard the other, which may not have looked yet when it was spoken to first. */
static bool exchanged(void) {
	for (int i = 0; i < 2; i++)
		link_send(units[i].set, LINK_L2, NULL, (const uint8_t *)"x", 1);
	pair_turn();
	pair_turn();
	return got_0() && got_1();
}

/* Deleted and made anew, even with the same index before anybody has looked. */
START_TEST(test_replaced) {
	char command[256];
	unsigned int index;

	start_both();
	assert_all_work();
	pair_enter(0);
	index = if_nametoindex("v0");
	pair_run(0, "ip link delete v0");
	if (_i)
		pair_until(both_down);
	snprintf(command, sizeof(command),
		 "ip link add v0 index %u type veth peer name v1 index 99 && "
		 "ip link set v1 netns $other_ns && ip addr add 10.9.0.1/24 dev v0 && "
		 "ip link set v0 up",
		 index);
	pair_run(0, command);
	pair_run(1, "ip addr add 10.9.0.2/24 dev v1 && ip link set v1 up");
	forget();
	pair_until(exchanged);
	assert_all_work();
}
END_TEST

/* A daemon that is started before its interface is there. */
START_TEST(test_later) {
	strcpy(units[0].config.dev[0], "late");
	unit_start(0);
	unit_start(1);
	ck_assert(!units[0].state[LINK_L2].up);
	pair_run(0, "ip link set v0 name late");
	assert_all_work();
}
END_TEST

static bool told_again(void) {
	return units[0].n_states == 3;
}

START_TEST(test_configure) {
	struct link_config config;

	start_both();
	config = units[0].config;
	config.n_devs = 2;
	strcpy(config.dev[0], "none");
	strcpy(config.dev[1], "v0");
	units[0].n_states = 0;
	link_set_configure(units[0].set, &config);
	pair_until(told_again); /* all, also what has not changed */
	ck_assert(units[0].state[0].up);
	ck_assert(!units[0].state[LINK_L2].up);
	ck_assert(units[0].state[LINK_L2 + 1].up);
	ck_assert(link_send(units[1].set, LINK_L2, NULL, (const uint8_t *)"x", 1));
	pair_until(got_0);
	ck_assert_uint_eq(units[0].link, LINK_L2 + 1);
	config.n_devs = config.peers.n = 0;
	link_set_configure(units[0].set, &config);
	ck_assert(!link_send(units[0].set, 0, NULL, (const uint8_t *)"x", 1));
	ck_assert(!link_send(units[0].set, LINK_L2 + 1, NULL, (const uint8_t *)"x", 1));
}
END_TEST

/* Routes change by the thousand: they are looked at now and then, and at their end. */
START_TEST(test_many_changes) {
	start_both();
	pair_run(0, "for i in $(seq 0 4999); do echo route add 10.$((20 + i / 250)).$((i % 250))"
		    ".0/24 via 10.9.0.2; done | ip -batch - && ip link set v0 mtu 1400");
	pair_until(mtu_told);
	assert_all_work();
}
END_TEST

static Suite *link_suite(void) {
	Suite *s = suite_create("link");
	TCase *t = fixture_case(s, "link");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_sizes, 0, ARRAY_LEN(kinds));
	tcase_add_loop_test(t, test_jumbo, 0, ARRAY_LEN(kinds));
	tcase_add_loop_test(t, test_too_long, 0, ARRAY_LEN(kinds));
	tcase_add_test(t, test_no_such_link);
	tcase_add_loop_test(t, test_batches, 0, ARRAY_LEN(kinds));
	tcase_add_loop_test(t, test_full, 0, ARRAY_LEN(kinds));
	tcase_add_loop_test(t, test_dropped, 0, ARRAY_LEN(kinds));
	tcase_add_test(t, test_foreign_datagrams);
	tcase_add_test(t, test_source);
	tcase_add_test(t, test_port_unreachable);
	tcase_add_test(t, test_port_taken);
	tcase_add_test(t, test_mac);
	tcase_add_loop_test(t, test_frames, 0, ARRAY_LEN(frames));
	tcase_add_test(t, test_no_ethernet);
	tcase_add_test(t, test_down_and_up);
	tcase_add_test(t, test_carrier);
	tcase_add_test(t, test_mtu_changes);
	tcase_add_test(t, test_renamed);
	tcase_add_loop_test(t, test_replaced, 0, 2);
	tcase_add_test(t, test_later);
	tcase_add_test(t, test_configure);
	tcase_add_test(t, test_many_changes);
	return s;
}

int main(void) {
	return fixture_run(link_suite());
}
