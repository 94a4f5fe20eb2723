/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One flow of UDP from one network namespace to another at a steady rate, and an account of it:
 * flood FROM TO ADDRESS PORT RATE SECONDS [CPU CPU]. Every datagram has a number and the time at
 * which it was sent; the other end marks the numbers that come. It answers the first ones, so that
 * a firewall between the two has an established session before the flow begins: then "ready" is
 * printed. SECONDS 0: until SIGTERM.
 *
 * Sender and receiver are threads of this process. If CPUs are said they stay there, and the sender
 * runs before everything else on its own (SCHED_FIFO), to be on time. It makes up for being late by
 * some milliseconds; after more the flow is slower, as "rate" tells. What the receiver's own socket
 * had no room for is counted apart ("overflow"), for no firewall lost it. Times of arrival are the
 * kernel's, not those at which this process comes to look.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sock_diag.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32
#define NUMBERS_MAX (1u << 30)      /* datagrams in a run: an hour and more of any rate in reach */
#define BUFFER_BYTES (128 << 20)    /* some 300,000 datagrams */
#define HELLO_TRIES 200
#define HELLO_MS 50
#define QUIET_MS 1000               /* after the last one: what has not come by then is lost */
#define LATE_NS 10000000u           /* what the sender makes up for, at most */
#define NS_PER_S 1000000000ull

struct datagram {
	uint64_t number;            /* 0: a greeting, to be answered; the flow begins with 1 */
	uint64_t sent_ns;           /* CLOCK_REALTIME */
};

struct sender {
	int fd, cpu;
	uint64_t rate, seconds, n;
	uint64_t took_ns;
};

struct receiver {
	int fd, cpu;
	uint8_t *seen;              /* a bit for each number */
	uint64_t n, twice;
	uint64_t last_ns, gap_ns;   /* the last arrival; longest time between two */
	uint64_t delay_ns;          /* longest time under way */
};

static _Atomic uint64_t n_sent;    /* final once sender_ended */
static atomic_bool sender_ended;
static volatile sig_atomic_t stopped;

static void fail(const char *what) {
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void stop(int number) {
	(void)number;
	stopped = 1;
}

static uint64_t clock_ns(clockid_t id) {
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t ns) {
	struct timespec t = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void pin(int cpu) {
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		fail("CPU");
}

/* A socket of the namespace of that name; this thread stays there. */
static int socket_in(const char *namespace) {
	char path[256];
	int space, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	space = open(path, O_RDONLY | O_CLOEXEC);
	if (space < 0 || setns(space, CLONE_NEWNET) != 0)
		fail(path);
	close(space);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket");
	return fd;
}

static void set_option(int fd, int name, int value) {
	if (setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value)) != 0)
		fail("setsockopt");
}

/* ---- the receiver ---- */

static uint64_t arrival_ns(struct msghdr *m) {
	struct timespec t = { 0 };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
			memcpy(&t, CMSG_DATA(c), sizeof(t));
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void keep_longest(uint64_t *longest, uint64_t from_ns, uint64_t to_ns) {
	if (from_ns && to_ns > from_ns && to_ns - from_ns > *longest)
		*longest = to_ns - from_ns;
}

static void take(struct receiver *r, const struct datagram *d, struct msghdr *m) {
	uint64_t now_ns = arrival_ns(m);
	uint8_t bit = (uint8_t)(1u << (d->number & 7));

	if (d->number == 0) {
		if (sendto(r->fd, d, sizeof(*d), 0, m->msg_name, m->msg_namelen) < 0)
			fail("answer");
		return;
	}
	if (d->number > NUMBERS_MAX)
		return;
	keep_longest(&r->gap_ns, r->last_ns, now_ns);
	keep_longest(&r->delay_ns, d->sent_ns, now_ns);
	r->last_ns = now_ns;
	if (r->seen[d->number >> 3] & bit) {
		r->twice++;
		return;
	}
	r->seen[d->number >> 3] |= bit;
	r->n++;
}

/* True while there may be more to come; waits for that up to QUIET_MS. */
static bool receive(struct receiver *r) {
	struct mmsghdr m[BATCH] = { 0 };
	struct datagram d[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in from[BATCH];
	char control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
	int n;

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ &d[i], sizeof(d[i]) };
		m[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
						.msg_namelen = sizeof(from[i]),
						.msg_iov = &iov[i],
						.msg_iovlen = 1,
						.msg_control = control[i],
						.msg_controllen = sizeof(control[i]) };
	}
	n = recvmmsg(r->fd, m, BATCH, MSG_WAITFORONE, NULL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail("receive");
	for (int i = 0; i < n; i++)
		if (m[i].msg_len == sizeof(d[i]))
			take(r, &d[i], &m[i].msg_hdr);
	return n > 0 || errno == EINTR || !atomic_load(&sender_ended);
}

static void *receiver_run(void *arg) {
	struct receiver *r = arg;

	pin(r->cpu);
	while (receive(r) && !(atomic_load(&sender_ended) && r->n == atomic_load(&n_sent)))
		;
	return NULL;
}

static void receiver_open(struct receiver *r, const char *namespace, uint16_t port) {
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval quiet = { QUIET_MS / 1000, QUIET_MS % 1000 * 1000 };

	r->fd = socket_in(namespace);
	r->seen = calloc(NUMBERS_MAX / 8 + 1, 1);
	if (!r->seen)
		fail("memory");
	set_option(r->fd, SO_RCVBUFFORCE, BUFFER_BYTES);
	set_option(r->fd, SO_TIMESTAMPNS, 1);
	if (setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof(quiet)) != 0)
		fail("setsockopt");
	if (bind(r->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		fail("bind");
}

/* Datagrams that the socket had no room for. */
static uint32_t receiver_overflow(const struct receiver *r) {
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(r->fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		fail("SO_MEMINFO");
	return info[SK_MEMINFO_DROPS];
}

/* ---- the sender ---- */

static void sender_open(struct sender *s, const char *namespace, const char *address,
			uint16_t port) {
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, address, &addr.sin_addr) != 1)
		fail(address);
	s->fd = socket_in(namespace);
	/* Datagrams count until the next machine takes them up: it must not set the pace. */
	set_option(s->fd, SO_SNDBUFFORCE, BUFFER_BYTES);
	if (connect(s->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		fail("connect");
}

static void greet(struct sender *s) {
	struct timeval wait = { 0, HELLO_MS * 1000 };
	struct datagram d = { 0 };

	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0)
		fail("setsockopt");
	for (int i = 0; i < HELLO_TRIES && !stopped; i++) {
		if (send(s->fd, &d, sizeof(d), 0) < 0)
			fail("send");
		if (recv(s->fd, &d, sizeof(d), 0) == sizeof(d))
			return;
	}
	errno = ETIMEDOUT;
	fail("no answer from the other end");
}

static void send_batch(struct sender *s) {
	struct mmsghdr m[BATCH] = { 0 };
	struct datagram d[BATCH];
	struct iovec iov[BATCH];
	uint64_t now_ns = clock_ns(CLOCK_REALTIME);
	unsigned int done = 0;

	for (unsigned int i = 0; i < BATCH; i++) {
		d[i] = (struct datagram){ s->n + i + 1, now_ns };
		iov[i] = (struct iovec){ &d[i], sizeof(d[i]) };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	while (done < BATCH) {
		int rc = sendmmsg(s->fd, m + done, BATCH - done, 0);

		if (rc < 0 && errno != EINTR)
			fail("send");
		done += rc > 0 ? (unsigned int)rc : 0;
	}
	s->n += BATCH;
}

static bool sender_goes_on(const struct sender *s) {
	return !stopped && s->n < NUMBERS_MAX - BATCH &&
	       (!s->seconds || s->took_ns < s->seconds * NS_PER_S);
}

static void sender_run(struct sender *s) {
	uint64_t begin_ns = clock_ns(CLOCK_MONOTONIC), now_ns = begin_ns;
	double pause_ns = 1e9 * BATCH / (double)s->rate, due_ns = (double)begin_ns;

	while (sender_goes_on(s)) {
		if ((double)now_ns < due_ns)
			sleep_until((uint64_t)due_ns);
		else if ((double)now_ns > due_ns + LATE_NS)
			due_ns = (double)now_ns;
		send_batch(s);
		due_ns += pause_ns;
		now_ns = clock_ns(CLOCK_MONOTONIC);
		s->took_ns = now_ns - begin_ns;
	}
	atomic_store(&n_sent, s->n);
	atomic_store(&sender_ended, true);
}

/* ---- both ---- */

static void report(const struct sender *s, const struct receiver *r) {
	double seconds = (double)s->took_ns * 1e-9;

	printf("sent=%" PRIu64 " received=%" PRIu64 " lost=%" PRIu64 " twice=%" PRIu64
	       " overflow=%" PRIu32 " rate=%.0f gap_us=%" PRIu64 " delay_us=%" PRIu64 "\n",
	       s->n, r->n, s->n - r->n, r->twice, receiver_overflow(r),
	       seconds > 0 ? (double)s->n / seconds : 0, r->gap_ns / 1000, r->delay_ns / 1000);
}

static uint64_t number(const char *word, uint64_t min, uint64_t max) {
	char *end;
	unsigned long long n = strtoull(word, &end, 10);

	errno = EINVAL;
	if (*end || end == word || n < min || n > max)
		fail(word);
	return n;
}

/* A receiver on the same CPU must not hold up the sender: what waits for it is in its buffer. */
static void prefer(void) {
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &param) != 0)
		fail("real-time scheduling");
}

static void run(struct sender *s, struct receiver *r) {
	pthread_t thread;

	if (pthread_create(&thread, NULL, receiver_run, r) != 0)
		fail("thread");
	pin(s->cpu);
	greet(s);
	puts("ready");
	fflush(stdout);
	if (s->cpu >= 0)
		prefer();
	sender_run(s);
	pthread_join(thread, NULL);
	report(s, r);
}

int main(int argc, char **argv) {
	struct sigaction on_signal = { .sa_handler = stop };
	struct receiver r = { .cpu = -1 };
	struct sender s = { .cpu = -1 };
	uint16_t port;

	if (argc != 7 && argc != 9) {
		fputs("usage: flood FROM TO ADDRESS PORT RATE SECONDS [CPU CPU]\n", stderr);
		return 2;
	}
	port = (uint16_t)number(argv[4], 1, UINT16_MAX);
	s.rate = number(argv[5], 1, NS_PER_S);
	s.seconds = number(argv[6], 0, UINT32_MAX);
	if (argc == 9) {
		s.cpu = (int)number(argv[7], 0, CPU_SETSIZE - 1);
		r.cpu = (int)number(argv[8], 0, CPU_SETSIZE - 1);
	}
	sigaction(SIGTERM, &on_signal, NULL);
	sigaction(SIGINT, &on_signal, NULL);
	receiver_open(&r, argv[2], port);
	sender_open(&s, argv[1], argv[3], port);
	run(&s, &r);
	return 0;
}
