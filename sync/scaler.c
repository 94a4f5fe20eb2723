/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever happens outside goes to the machine in a function of its own here, and each of them ends
 * with settle(): the machine says when it wants to be asked next.
 *
 * Who has the key may come from any address: the primary of a cloud does not know which units will
 * be its secondaries. What protects it meanwhile are the limits below, and that the firewall lets
 * packets to this port in only where other members are.
 *
 * Faults that are injected here only kill.
 */
#include "sync/scaler.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <syslog.h>
#include <time.h>

#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/random.h"
#include "sync/clock.h"
#include "sync/desk.h"
#include "sync/pieces.h"
#include "sync/seal.h"

#define SCALER_PORT 703
#define OUTPUT_MAX (4u << 20)      /* two of the longest messages, and what TLS adds */
#define RETRY_S 5
#define REFUSED_US UINT64_C(60000000) /* between two lines about connections refused */

/* A hundred members may come back at once. */
static const struct channels_limits limits = { .opening = 64,
					       .opening_each = 4,
					       .each = 8,
					       .per_s = 50,
					       .burst = 100,
					       .hello_ms = 3000 };

/* A channel that is up. */
struct line {
	unsigned int channel;
	struct pieces pieces;
	bool busy, closed;             /* its message is being read: it is freed after that */
	TAILQ_ENTRY(line) next;
};

struct scaler {
	struct scaler_config config;
	struct autoscale_machine *machine;
	struct desk *desk;
	struct callback *callback;
	struct channels *channels;     /* NULL: nothing is open */
	TAILQ_HEAD(, line) lines;
	struct event *due, *retry;
	uint64_t refused_us;           /* when one was logged; 0: never */
	unsigned int unsaid;           /* refused since */
	struct autoscale state;        /* the last that gatehoused said */
	int64_t synced_s, failed_s;    /* heartbeats that said so, since 1970; 0: none */
};

static void say(const struct scaler *s, int priority, const char *text) {
	s->config.log(s->config.arg, priority, text);
}

/* The end of each input. */
static void settle(struct scaler *s) {
	clock_arm(s->due, autoscale_due(s->machine));
}

static void on_due(evutil_socket_t fd, short what, void *arg) {
	struct scaler *s = arg;

	(void)fd;
	(void)what;
	autoscale_tick(s->machine, clock_us());
	settle(s);
}

/* ---- lines ---- */

static struct line *line_find(struct scaler *s, unsigned int channel) {
	struct line *l;

	TAILQ_FOREACH(l, &s->lines, next)
		if (l->channel == channel)
			return l;
	return NULL;
}

static void line_free(struct scaler *s, struct line *l) {
	if (!l)
		return;
	TAILQ_REMOVE(&s->lines, l, next);
	pieces_done(&l->pieces);
	free(l);
}

/* ---- what the machine asks for ---- */

static void connect_to(void *arg, const union net_addr *ip) {
	struct scaler *s = arg;

	if (s->channels)
		channels_connect(s->channels, ip);
}

static bool send_message(void *arg, unsigned int channel, const uint8_t *message, size_t len) {
	struct scaler *s = arg;

	return s->channels && pieces_send(s->channels, channel, message, len);
}

static void close_channel(void *arg, unsigned int channel) {
	struct scaler *s = arg;
	struct line *l = line_find(s, channel);

	if (l && l->busy)
		l->closed = true;
	else
		line_free(s, l);
	if (s->channels)
		channels_close(s->channels, channel);
}

static void ask(void *arg, const struct buf *request) {
	struct scaler *s = arg;

	desk_ask(s->desk, request);
}

static void inquired(void *arg, uint32_t inquiry, const struct autoscale_message *answer,
		     const char *why) {
	const struct scaler *s = arg;

	s->config.inquired(s->config.arg, inquiry, answer, why);
}

static void tell(void *arg, int priority, const char *text) {
	say(arg, priority, text);
}

static uint64_t draw(void *arg) {
	(void)arg;
	return random_u64();
}

static int64_t wall_s(void *arg) {
	(void)arg;
	return time(NULL);
}

/* ---- channels ---- */

static bool make_psk(void *arg, const char *initiator, uint8_t psk[CHANNEL_PSK]) {
	const struct scaler *s = arg;

	return seal_psk(s->state.key, initiator, psk, NULL) == 0;
}

static void channel_is_up(void *arg, unsigned int channel, const struct channel_info *info) {
	struct scaler *s = arg;
	struct line *l = xcalloc(1, sizeof(*l));

	l->channel = channel;
	TAILQ_INSERT_TAIL(&s->lines, l, next);
	autoscale_up(s->machine, channel, &info->ip, info->serial, clock_us());
	settle(s);
}

static void channel_is_down(void *arg, unsigned int channel, const char *why) {
	struct scaler *s = arg;

	line_free(s, line_find(s, channel));
	autoscale_down(s->machine, channel, why, clock_us());
	settle(s);
}

static void frame_came(void *arg, unsigned int channel, const uint8_t *data, size_t len) {
	struct scaler *s = arg;
	struct line *l = line_find(s, channel);

	if (!l)
		return;
	switch (pieces_take(&l->pieces, data, len, AUTOSCALE_MESSAGE_MAX)) {
	case PIECES_MORE:
		return;
	case PIECES_WHOLE:
		break;
	case PIECES_BAD:
		channels_close(s->channels, channel);
		channel_is_down(s, channel, "it has sent what cannot be read");
		return;
	}
	l->busy = true;
	fault_hit("scaler.message");
	autoscale_message(s->machine, channel, l->pieces.data.data, l->pieces.data.len, clock_us());
	l->busy = false;
	if (l->closed)
		line_free(s, l);
	settle(s);
}

static void connect_failed(void *arg, const union net_addr *ip, const char *why) {
	struct scaler *s = arg;

	autoscale_failed(s->machine, ip, why, clock_us());
	settle(s);
}

/* Anybody can make this happen as often as he likes. */
static void connection_refused(void *arg, const union net_addr *ip, const char *why) {
	struct scaler *s = arg;
	char text[256], from[NET_TEXT_MAX], more[64] = "";
	uint64_t now = clock_us();

	if (s->refused_us != 0 && now - s->refused_us < REFUSED_US) {
		s->unsaid++;
		return;
	}
	if (s->unsaid > 0)
		snprintf(more, sizeof(more), " (and %u others before)", s->unsaid);
	inet_ntop(AF_INET, ip->byte, from, sizeof(from));
	snprintf(text, sizeof(text), "Refused a connection of %s: %s%s", from, why, more);
	s->refused_us = now;
	s->unsaid = 0;
	say(s, LOG_WARNING, text);
}

/* ---- gatehoused ---- */

static void desk_is_up(void *arg) {
	struct scaler *s = arg;

	autoscale_desk_up(s->machine, clock_us());
	settle(s);
}

static void desk_answers(void *arg, const uint8_t *frame, size_t len) {
	struct scaler *s = arg;

	fault_hit("scaler.answer");
	autoscale_answer(s->machine, frame, len, clock_us());
	settle(s);
}

static void desk_is_down(void *arg) {
	struct scaler *s = arg;

	autoscale_desk_down(s->machine, clock_us());
	settle(s);
}

/* ---- the callback ---- */

static void callback_facts(void *arg, struct callback_facts *ret) {
	struct scaler *s = arg;
	struct autoscale_stats stats;

	autoscale_stats(s->machine, &stats);
	*ret = (struct callback_facts){ .ip = s->state.ip,
					.primary = s->state.primary,
					.in_sync = stats.state == AUTOSCALE_IN_SYNC };
	if (ret->in_sync)
		s->synced_s = time(NULL);
	if (*stats.why)
		s->failed_s = time(NULL);
	ret->synced_s = s->synced_s;
	ret->failed_s = s->failed_s;
	snprintf(ret->instance, sizeof(ret->instance), "%s", s->state.serial);
	memcpy(ret->checksum, s->state.active.all, sizeof(ret->checksum));
}

static void callback_decided(void *arg, bool primary, const union net_addr *primary_ip) {
	struct scaler *s = arg;

	autoscale_callback(s->machine, primary, primary_ip, clock_us());
	settle(s);
}

static void callback_failed(void *arg, const char *why) {
	struct scaler *s = arg;

	autoscale_callback_failed(s->machine, why, clock_us());
	settle(s);
}

/* ---- what is open ---- */

static void close_all(struct scaler *s) {
	struct line *l;

	while ((l = TAILQ_FIRST(&s->lines)) != NULL) {
		autoscale_down(s->machine, l->channel, "this unit leaves the group", clock_us());
		line_free(s, l);
	}
	s->channels = channels_free(s->channels);
}

static bool open_all(struct scaler *s, struct err *err) {
	const struct channels_config config = { .serial = s->state.serial,
						.port = SCALER_PORT,
						.open = true,
						.output_max = OUTPUT_MAX,
						.limits = limits };
	const struct channels_calls calls = { s,	  make_psk,	   channel_is_up,
					      frame_came, channel_is_down, connect_failed,
					      connection_refused };

	s->channels = channels_new(s->config.base, &config, &calls, err);
	return s->channels != NULL;
}

static void apply(struct scaler *s) {
	const struct timeval retry = { .tv_sec = RETRY_S };
	bool wanted = s->state.enabled && s->state.has_key;
	struct err err = { 0 };

	event_del(s->retry);
	if (!wanted) {
		close_all(s);
	} else if (!s->channels && !open_all(s, &err)) {
		say(s, LOG_ERR, err.text);
		event_add(s->retry, &retry);
	}
	autoscale_configure(s->machine, &s->state, clock_us());
	callback_configure(s->callback, s->channels ? s->state.callback_url : "",
			   s->state.hb_interval_s * 1000);
	settle(s);
}

static void on_retry(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	apply(arg);
}

void scaler_configure(struct scaler *s, const struct autoscale *a) {
	s->state = *a;
	apply(s);
}

/* ---- the whole ---- */

struct scaler *scaler_new(const struct scaler_config *config, struct err *err) {
	struct scaler *s = xcalloc(1, sizeof(*s));
	const struct autoscale_env env = { .arg = s,
					   .connect = connect_to,
					   .send = send_message,
					   .close = close_channel,
					   .ask = ask,
					   .inquired = inquired,
					   .log = tell,
					   .random = draw,
					   .wall_s = wall_s };
	const struct desk_calls desk = { s, desk_is_up, desk_answers, desk_is_down, tell };
	const struct callback_calls callback = { s, callback_facts, callback_decided,
						 callback_failed, tell };

	s->config = *config;
	TAILQ_INIT(&s->lines);
	s->machine = autoscale_new(&env, clock_us());
	s->due = evtimer_new(config->base, on_due, s);
	s->retry = evtimer_new(config->base, on_retry, s);
	s->desk = desk_new(config->base, config->socket, &desk, err);
	if (s->desk)
		s->callback = callback_new(config->base, &callback, config->callback_ca, NULL, err);
	s->config.socket = s->config.callback_ca = NULL; /* those have them */
	if (s->callback && s->due && s->retry)
		return s;
	if (s->callback)
		err_set(err, ERR_KERNEL, "no event loop");
	return scaler_free(s);
}

struct scaler *scaler_free(struct scaler *s) {
	if (!s)
		return NULL;
	close_all(s);
	callback_free(s->callback);
	desk_free(s->desk);
	autoscale_free(s->machine);
	if (s->due)
		event_free(s->due);
	if (s->retry)
		event_free(s->retry);
	explicit_bzero(s, sizeof(*s));
	free(s);
	return NULL;
}

/* ---- what there is to see ---- */

void scaler_stats(const struct scaler *s, struct autoscale_stats *ret) {
	autoscale_stats(s->machine, ret);
}

void scaler_channels(const struct scaler *s, struct channels_stats *ret) {
	*ret = s->channels ? *channels_stats(s->channels) : (struct channels_stats){ 0 };
}

void scaler_callback(const struct scaler *s, struct callback_info *ret) {
	callback_info(s->callback, ret);
}

bool scaler_peer(const struct scaler *s, unsigned int i, struct autoscale_peer_info *ret) {
	return autoscale_peer_info(s->machine, i, ret);
}

bool scaler_event(const struct scaler *s, unsigned int i, struct autoscale_event *ret) {
	return autoscale_history(s->machine, i, ret);
}

int scaler_forget(struct scaler *s, const char *serial, struct err *err) {
	int rc = autoscale_forget(s->machine, serial, clock_us(), err);

	settle(s);
	return rc;
}

uint32_t scaler_inquire(struct scaler *s, const char *serial,
			const struct autoscale_message *question, struct err *err) {
	uint32_t inquiry = autoscale_inquire(s->machine, serial, question, clock_us(), err);

	settle(s);
	return inquiry;
}
