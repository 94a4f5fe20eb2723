/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit that has nothing but a callback: callback_probe INTERVAL_MS TIMEOUT_MS TELL_MS [CA-FILE].
 * It takes lines from standard input, up to its end: "url URL" (or none), "info", "ticks". Whatever
 * happens is a line on standard output. Beside that its event loop has a timer of a millisecond,
 * and "ticks" says how often that came: it stands still when something blocks the loop. It is
 * confined like gatehouse-syncd.
 */
#include <bsd/stdlib.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/confine.h"
#include "cfgdb/base/fmt.h"
#include "sync/callback.h"

static struct callback *callback;
static struct event_base *base;
static uint32_t interval_ms;
static unsigned long ticks;

static void fill_in(void *arg, struct callback_facts *ret) {
	(void)arg;
	strcpy(ret->instance, "GHVM000000000001");
	ret->ip = net_ipv4(0x0a000001);
	ret->in_sync = true;
	ret->synced_s = 1800000000;
	memset(ret->checksum, 0xab, sizeof(ret->checksum));
}

static void decided(void *arg, bool primary, const union net_addr *primary_ip) {
	char text[NET_TEXT_MAX];
	struct fmt f = fmt_begin(text, sizeof(text) - 1);

	(void)arg;
	fmt_addr(&f, AF_INET, primary_ip);
	*f.at = '\0';
	printf("decided %s %s\n", primary ? "primary" : "secondary", text);
}

static void failed(void *arg, const char *why) {
	(void)arg;
	printf("failed %s\n", why);
}

static void tell(void *arg, int priority, const char *text) {
	(void)arg;
	printf("log %d %s\n", priority, text);
}

static void tick(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	(void)arg;
	ticks++;
}

static void obey(const char *line) {
	struct callback_info info;

	if (strncmp(line, "url", 3) == 0)
		callback_configure(callback, line[3] ? line + 4 : NULL, interval_ms);
	else if (strcmp(line, "ticks") == 0)
		printf("ticks %lu\n", ticks);
	else if (strcmp(line, "info") == 0) {
		callback_info(callback, &info);
		printf("info sent=%lu answered=%lu failures=%u %s\n", info.sent, info.answered,
		       info.failures, info.why);
	}
}

static void on_input(struct bufferevent *bev, void *arg) {
	char *line;

	(void)arg;
	while ((line = evbuffer_readln(bufferevent_get_input(bev), NULL, EVBUFFER_EOL_LF))) {
		obey(line);
		free(line);
	}
}

static void on_end(struct bufferevent *bev, short what, void *arg) {
	(void)bev;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

static uint32_t number(const char *text) {
	const char *bad = NULL;
	uint32_t n = (uint32_t)strtonum(text, 0, UINT32_MAX, &bad);

	if (bad) {
		fprintf(stderr, "callback_probe: %s: %s\n", text, bad);
		exit(2);
	}
	return n;
}

static void run(void) {
	const struct timeval often = { .tv_usec = 1000 };
	struct event *timer = event_new(base, -1, EV_PERSIST, tick, NULL);
	struct bufferevent *input = bufferevent_socket_new(base, 0, 0);

	evutil_make_socket_nonblocking(0);
	bufferevent_setcb(input, on_input, NULL, on_end, NULL);
	bufferevent_enable(input, EV_READ);
	event_add(timer, &often);
	puts("ready");
	event_base_dispatch(base);
	event_free(timer);
	bufferevent_free(input);
}

int main(int argc, char **argv) {
	const struct callback_calls calls = { NULL, fill_in, decided, failed, tell };
	struct callback_limits limits = CALLBACK_LIMITS;
	struct err err = { 0 };

	if (argc < 4)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	setlinebuf(stdout);
	interval_ms = number(argv[1]);
	limits.timeout_ms = number(argv[2]);
	limits.tell_ms = number(argv[3]);
	base = event_base_new();
	callback = callback_new(base, &calls, argv[4], &limits, &err);
	if (!callback || confine(&confine_syncd, &err) != 0) {
		printf("refused %s\n", err.text);
		return 1;
	}
	run();
	callback_free(callback);
	event_base_free(base);
	return 0;
}
