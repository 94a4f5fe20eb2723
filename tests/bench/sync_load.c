/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load for tests/bench/sync. Sessions have numbers; number i is always the same one, established
 * TCP through a virtual IP.
 *
 *	sync_load create|update|delete FIRST COUNT RATE      sessions of this network namespace
 *	sync_load packets INTERFACE MAC FIRST COUNT RATE     a UDP packet of a new session each
 *	sync_load latency FROM TO FIRST COUNT                between two network namespaces
 *
 * RATE is a second, even to the millisecond; 0: as fast as it goes. The first two print the seconds
 * that it took, and those of CPU time. An update closes one direction of the session. Latency is
 * the time from the order to create a session in one namespace to its event in the other; it prints
 * the median and the 99th percentile in us, and how many were missing after a second.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "backends/ct_events.h"
#include "backends/ct_writer.h"
#include "cfgdb/base/mem.h"

#define CLIENTS 0x0a010000u            /* 10.1.0.0: first of them */
#define VIP 0xc000020au                /* 192.0.2.10 */
#define SERVER 0xc6336414u             /* 198.51.100.20 */
#define PORTS 50000u                   /* of one client */
#define MARK 7
#define MARK_TIMED 8                   /* of those whose latency is measured */
#define LIFE_S 3000
#define PER_MS 5000u                   /* sessions a second: one burst of rate / PER_MS each time */
#define PATIENCE_MS 1000

static uint32_t n_refused;

static void fail(const char *text) {
	fprintf(stderr, "sync_load: %s\n", text);
	exit(1);
}

static uint64_t clock_ns(clockid_t clock) {
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t now_ns(void) {
	return clock_ns(CLOCK_MONOTONIC);
}

static void sleep_until(uint64_t ns) {
	struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static uint32_t number(const char *word) {
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (*end || end == word || n > UINT32_MAX)
		fail("a number is wrong");
	return (uint32_t)n;
}

/* ---- sessions ---- */

static struct ct session(uint32_t i) {
	struct ct ct = { .family = AF_INET, .proto = IPPROTO_TCP, .timeout = LIFE_S, .mark = MARK };
	uint16_t port = (uint16_t)(1024 + i % PORTS);
	union net_addr client = net_ipv4(CLIENTS + i / PORTS);

	ct.tuple[CT_ORIG] = (struct ct_tuple){ client, net_ipv4(VIP), port, 443, 0 };
	ct.tuple[CT_REPLY] = (struct ct_tuple){ net_ipv4(SERVER), client, 8443, port, 0 };
	ct.state = TCP_CONNTRACK_ESTABLISHED;
	ct.status = IPS_SEEN_REPLY | IPS_ASSURED;
	return ct;
}

static void refused(void *arg, const struct ct_change *change, int error) {
	(void)arg;
	(void)change;
	if (n_refused++ == 0)
		fprintf(stderr, "sync_load: the kernel refused: %s\n", strerror(error));
}

static struct ct_writer *open_writer(void) {
	struct err err = { 0 };
	struct ct_writer *w = ct_writer_open(refused, NULL, &err);

	if (!w)
		fail(err.text);
	return w;
}

/* ---- what is done COUNT times ---- */

struct job {
	enum ct_write what;
	struct ct_writer *writer;
	int fd;                        /* of packets */
	struct sockaddr_ll to;
};

static void change_one(struct job *j, uint32_t i) {
	struct ct_change c = { .what = j->what, .fields = CT_FIELD_STATE, .ct = session(i) };

	if (j->what == CT_WRITE_UPDATE)
		c.ct.state = TCP_CONNTRACK_FIN_WAIT;
	ct_write(j->writer, &c);
}

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t text[4];
} __attribute__((packed));

static uint16_t checksum(const void *data, size_t len) {
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void send_one(struct job *j, uint32_t i) {
	struct packet p = {
		.ip = { .version = 4, .ihl = 5, .tot_len = htons(sizeof(p)), .ttl = 64,
			.protocol = IPPROTO_UDP, .saddr = htonl(CLIENTS + i / PORTS),
			.daddr = htonl(VIP) },
		.udp = { .uh_sport = htons((uint16_t)(1024 + i % PORTS)), .uh_dport = htons(443),
			 .uh_ulen = htons(sizeof(p) - sizeof(p.ip)) },
	};

	p.ip.check = checksum(&p.ip, sizeof(p.ip));
	if (sendto(j->fd, &p, sizeof(p), 0, (const struct sockaddr *)&j->to, sizeof(j->to)) < 0)
		n_refused++;
}

static void run(struct job *j, void (*one)(struct job *j, uint32_t i), uint32_t first,
		uint32_t count, uint32_t rate) {
	uint32_t burst = rate / PER_MS ? rate / PER_MS : 1;
	uint64_t begin = now_ns(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

	for (uint32_t i = 0; i < count; i++) {
		if (rate && i % burst == 0) {
			if (j->writer)
				ct_writer_flush(j->writer);
			sleep_until(begin + (uint64_t)i * 1000000000 / rate);
		}
		one(j, first + i);
	}
	if (j->writer)
		ct_writer_flush(j->writer);
	printf("%.6f %.6f\n", (double)(now_ns() - begin) / 1e9,
	       (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9);
}

static void open_packets(struct job *j, const char *interface, const char *mac) {
	unsigned int hex[ETH_ALEN];

	j->to = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP),
				      .sll_ifindex = (int)if_nametoindex(interface),
				      .sll_halen = ETH_ALEN };
	if (sscanf(mac, "%x:%x:%x:%x:%x:%x", &hex[0], &hex[1], &hex[2], &hex[3], &hex[4],
		   &hex[5]) != ETH_ALEN)
		fail("a MAC address is wrong");
	for (int i = 0; i < ETH_ALEN; i++)
		j->to.sll_addr[i] = (uint8_t)hex[i];
	j->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (j->fd < 0)
		fail("packets need root");
}

/* ---- latency ---- */

static void enter(const char *namespace) {
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		fail(path);
	close(fd);
}

static void see(void *arg, enum ct_event event, const struct ct *ct, uint32_t by) {
	uint16_t *port = arg;

	(void)by;
	if (event == CT_BEGINS)
		*port = ct->tuple[CT_ORIG].sport;
}

/* Wait for the session with this port; false: it does not come. */
static bool wait_for(struct ct_events *events, uint16_t port) {
	uint16_t seen = 0;

	while (seen != port) {
		struct pollfd p = { ct_events_fd(events), POLLIN, 0 };

		if (poll(&p, 1, PATIENCE_MS) <= 0)
			return false;
		ct_events_read(events, see, &seen);
	}
	return true;
}

static int order_u64(const void *a, const void *b) {
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void latency(const char *from, const char *to, uint32_t first, uint32_t count) {
	const struct ct_marks marks = { MARK_TIMED, MARK_TIMED };
	uint64_t *us = xcalloc(count + 1, sizeof(*us));
	struct ct_change c = { .what = CT_WRITE_CREATE };
	struct ct_events *events;
	struct ct_writer *writer;
	struct err err = { 0 };
	uint32_t n = 0;

	enter(from);
	writer = open_writer();
	enter(to);
	events = ct_events_open(&err);
	if (!events || ct_events_listen(events, &marks, 1, true, &err) != 0)
		fail(err.text);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t begin = now_ns();

		c.ct = session(first + i);
		c.ct.mark = MARK_TIMED;
		ct_write(writer, &c);
		ct_writer_flush(writer);
		if (wait_for(events, c.ct.tuple[CT_ORIG].sport))
			us[n++] = (now_ns() - begin) / 1000;
		usleep(8000 + i * 7919 % 4000);
	}
	qsort(us, n, sizeof(*us), order_u64);
	printf("%lu %lu %u\n", us[n / 2], us[n * 99 / 100], count - n);
	free(us);
	ct_events_close(events);
	ct_writer_close(writer);
}

int main(int argc, char *argv[]) {
	static const char *const changes[] = {
		[CT_WRITE_CREATE] = "create", [CT_WRITE_UPDATE] = "update",
		[CT_WRITE_DELETE] = "delete" };
	struct job j = { .what = CT_WRITE_CREATE };

	if (argc == 6 && strcmp(argv[1], "latency") == 0) {
		latency(argv[2], argv[3], number(argv[4]), number(argv[5]));
		return n_refused != 0;
	}
	if (argc == 7 && strcmp(argv[1], "packets") == 0) {
		open_packets(&j, argv[2], argv[3]);
		run(&j, send_one, number(argv[4]), number(argv[5]), number(argv[6]));
		return n_refused != 0;
	}
	while (argc == 5 && j.what <= CT_WRITE_DELETE && strcmp(argv[1], changes[j.what]) != 0)
		j.what++;
	if (argc != 5 || j.what > CT_WRITE_DELETE)
		fail("usage: see the beginning of sync_load.c");
	j.writer = open_writer();
	run(&j, change_one, number(argv[2]), number(argv[3]), number(argv[4]));
	ct_writer_close(j.writer);
	return n_refused != 0;
}
