/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the wire between members costs: tests/bench/wire, as root. Handshakes in memory, CPU time of
 * each end; then datagrams over a veth link between two network namespaces, UDP and Ethernet, CPU
 * time of both ends together: the kernel receives in the sender's time there.
 *
 * Nothing here passes or fails by the clock.
 */
#include <event2/event.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "sync/channel.h"
#include "sync/link.h"

#define HANDSHAKES 2000
#define DATAGRAMS 400000u
#define BURST 128              /* sent in one turn */

struct unit {
	int net;                   /* its namespace */
	struct event_base *base;
	struct link_set *set;
	unsigned int n_received, n_up;
};

static void fail(const char *text) {
	fprintf(stderr, "wire: %s\n", text);
	exit(1);
}

static double seconds(clockid_t clock) {
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- handshakes ---- */

static bool some_psk(void *arg, const char *initiator, uint8_t psk[CHANNEL_PSK]) {
	memset(psk, *initiator, CHANNEL_PSK);
	return true;
}

/* Hand over what one has to say; the time that the other needs for it is added to *spent. */
static bool hand_over(struct channel *from, struct channel *to, double *spent) {
	uint8_t data[CHANNEL_OUTPUT_MAX];
	size_t n = channel_output(from, data, sizeof(data));
	double begin = seconds(CLOCK_THREAD_CPUTIME_ID);

	if (n > 0)
		channel_take(to, data, n);
	*spent += seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
	return n > 0;
}

static void shake_hands(struct channel_maker *a, struct channel_maker *b, double spent[2]) {
	double begin = seconds(CLOCK_THREAD_CPUTIME_ID);
	struct channel *x = channel_new(a, true), *y;

	spent[0] += seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
	begin = seconds(CLOCK_THREAD_CPUTIME_ID);
	y = channel_new(b, false);
	spent[1] += seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
	if (!x || !y)
		fail("no channel");
	while (hand_over(x, y, &spent[1]) || hand_over(y, x, &spent[0]))
		;
	if (channel_state(x) != CHANNEL_UP || channel_state(y) != CHANNEL_UP)
		fail("a handshake failed");
	channel_free(x);
	channel_free(y);
}

static void measure_handshakes(void) {
	struct channel_maker *a = channel_maker_new("GHVM0000000000AA", some_psk, NULL, NULL);
	struct channel_maker *b = channel_maker_new("GHVM0000000000BB", some_psk, NULL, NULL);
	double spent[2] = { 0 };

	if (!a || !b)
		fail("TLS cannot be had");
	for (int i = 0; i < HANDSHAKES; i++)
		shake_hands(a, b, spent);
	printf("handshake, CPU time: who begins %.0f us, who answers %.0f us\n",
	       spent[0] / HANDSHAKES * 1e6, spent[1] / HANDSHAKES * 1e6);
	channel_maker_free(a);
	channel_maker_free(b);
}

/* ---- datagrams ---- */

static void count_datagram(void *arg, unsigned int link, const uint8_t *mac, uint8_t *data,
			   size_t len) {
	struct unit *u = arg;

	u->n_received++;
}

static void nothing(void *arg) {
}

static void count_up(void *arg, unsigned int link, bool up, unsigned int mtu) {
	struct unit *u = arg;

	u->n_up += up;
}

static void enter(const struct unit *u) {
	if (setns(u->net, CLONE_NEWNET) != 0)
		fail("this needs root");
}

static void run(const struct unit *u, const struct unit *other, const char *command) {
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), other->net);
	enter(u);
	if (setenv("other_ns", path, 1) != 0 || system(command) != 0)
		fail(command);
}

static void open_unit(struct unit *u, const char *dev, const char *peer) {
	const struct link_calls calls = { u, count_datagram, nothing, nothing, count_up };
	struct link_config config = { .n_devs = 1, .peers.n = 1 };
	struct err err = { 0 };

	snprintf(config.dev[0], sizeof(config.dev[0]), "%s", dev);
	if (!net_parse(AF_INET, peer, &config.peers.peer[0].ip))
		fail(peer);
	enter(u);
	u->set = link_set_new(u->base, &calls, &err);
	if (!u->set)
		fail(err.text);
	link_set_configure(u->set, &config);
}

static void turn(struct unit units[2]) {
	for (int i = 0; i < 2; i++)
		event_base_loop(units[i].base, EVLOOP_NONBLOCK);
}

static void make_units(struct unit units[2]) {
	for (int i = 0; i < 2; i++) {
		if (unshare(CLONE_NEWNET) != 0)
			fail("this needs root");
		units[i].net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		units[i].base = event_base_new();
		if (units[i].net < 0 || !units[i].base)
			fail("no namespace");
	}
	run(&units[1], &units[0],
	    "ip link add v1 mtu 9216 type veth peer name v0 mtu 9216 && "
	    "ip link set v0 netns $other_ns && ip addr add 10.9.0.2/24 dev v1 && "
	    "ip link set v1 up");
	run(&units[0], &units[1], "ip addr add 10.9.0.1/24 dev v0 && ip link set v0 up");
	open_unit(&units[0], "v0", "10.9.0.2");
	open_unit(&units[1], "v1", "10.9.0.1");
	while (units[0].n_up < 2 || units[1].n_up < 2) {
		for (int i = 0; i < 2; i++) {
			enter(&units[i]);
			event_base_loop(units[i].base, EVLOOP_NONBLOCK);
		}
		usleep(1000);
	}
}

static void measure_datagrams(struct unit units[2], const char *name, unsigned int link,
			      size_t len) {
	static uint8_t data[LINK_DATAGRAM_MAX];
	double begin, spent;

	units[1].n_received = 0;
	while (units[1].n_received == 0) { /* addresses are resolved */
		link_send(units[0].set, link, NULL, data, 1);
		turn(units);
	}
	units[1].n_received = 0;
	begin = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (unsigned int i = 0; i < DATAGRAMS; i++) {
		link_send(units[0].set, link, NULL, data, len);
		if (i % BURST == BURST - 1)
			turn(units);
	}
	turn(units);
	spent = seconds(CLOCK_PROCESS_CPUTIME_ID) - begin;
	printf("%s, %zu bytes: %.2f us a datagram, %.0f a second, %u of %u arrived\n", name, len,
	       spent / DATAGRAMS * 1e6, DATAGRAMS / spent, units[1].n_received, DATAGRAMS);
}

int main(void) {
	struct unit units[2] = { 0 };

	measure_handshakes();
	make_units(units);
	for (size_t len = 1400; len <= 9000; len += 7600) {
		measure_datagrams(units, "UDP", 0, len);
		measure_datagrams(units, "Ethernet", LINK_L2, len);
	}
	for (int i = 0; i < 2; i++) {
		link_set_free(units[i].set);
		event_base_free(units[i].base);
	}
	return 0;
}
