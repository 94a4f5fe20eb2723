/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call waits on one descriptor, a timer: it is set to the time limit, and to now when something
 * has come. So silence and answer wake the same reader, and he sees by what is there which of them
 * it was.
 *
 * Everything is bounded: words of a call, calls at a time, text that waits for its reader. Who
 * attaches is told no more than that, and what he answers to calls that have ended is dropped.
 */
#include "cfgdb/control/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"

#define CALLS_MAX 128
#define CALL_BYTES_MAX 8192    /* of all words of a call */
#define NOT_RUNNING "gatehouse-syncd is not running"

struct relay_call {
	struct relay *relay;
	uint32_t id;
	unsigned int wait_ms;
	int timer;
	struct str text;             /* has come, and was not taken yet */
	bool heard, ended;
	struct err err;              /* what it ended with */
	LIST_ENTRY(relay_call) next;
};

struct relay {
	void (*send)(void *arg, const struct buf *frame); /* NULL: nobody is attached */
	void *arg;
	struct relay_watch watch;
	struct buf state[CTL_STATE_COUNT];
	bool welcomed;
	uint32_t last_id;
	unsigned int n_calls;
	LIST_HEAD(, relay_call) calls;
};

struct relay *relay_new(void) {
	struct relay *r = xcalloc(1, sizeof(*r));

	LIST_INIT(&r->calls);
	return r;
}

struct relay *relay_free(struct relay *r) {
	if (!r)
		return NULL;
	for (int i = 0; i < CTL_STATE_COUNT; i++)
		buf_wipe(&r->state[i]);
	free(r);
	return NULL;
}

/* ---- calls ---- */

static void call_set_timer(struct relay_call *call, time_t s, long ns) {
	const struct itimerspec when = { .it_value = { .tv_sec = s, .tv_nsec = ns } };

	/* It fails for bad arguments only. */
	(void)timerfd_settime(call->timer, 0, &when, NULL);
}

static void call_wake(struct relay_call *call) {
	call_set_timer(call, 0, 1);
}

/* The silence begins. */
static void call_rest(struct relay_call *call) {
	call->heard = false;
	call_set_timer(call, call->wait_ms / 1000, call->wait_ms % 1000 * 1000000L);
}

static void call_end(struct relay_call *call, int code, const char *text) {
	call->ended = true;
	if (code)
		err_set(&call->err, code, "%s", text);
	call_wake(call);
}

static struct relay_call *call_find(const struct relay *r, uint32_t id) {
	struct relay_call *call;

	LIST_FOREACH(call, &r->calls, next)
		if (call->id == id && !call->ended)
			return call;
	return NULL;
}

static void send_id(struct relay *r, enum ctl_type type, uint32_t id) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, (uint8_t)type);
	buf_put_u32(&b, id);
	r->send(r->arg, &b);
}

static void send_call(struct relay *r, uint32_t id, bool json, size_t argc, char *const argv[]) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_CALL);
	buf_put_u32(&b, id);
	buf_put_u8(&b, json ? CTL_FORM_JSON : CTL_FORM_TEXT);
	buf_put_u16(&b, (uint16_t)argc);
	for (size_t i = 0; i < argc; i++)
		buf_put_str(&b, argv[i]);
	r->send(r->arg, &b);
}

static bool is_short(size_t argc, char *const argv[]) {
	size_t bytes = 0;

	for (size_t i = 0; i < argc && bytes <= CALL_BYTES_MAX; i++)
		bytes += strlen(argv[i]);
	return argc <= CTL_WORDS_MAX && bytes <= CALL_BYTES_MAX;
}

struct relay_call *relay_call_open(struct relay *r, unsigned int wait_ms, bool json, size_t argc,
				   char *const argv[], struct err *err) {
	struct relay_call *call;
	int timer;

	if (!relay_is_attached(r)) {
		err_set(err, ERR_NOT_FOUND, NOT_RUNNING);
		return NULL;
	}
	timer = r->n_calls < CALLS_MAX && is_short(argc, argv)
			? timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)
			: -1;
	if (timer < 0) {
		err_set(err, ERR_TOO_LONG, "too many commands, or words of one, for session "
					   "synchronization");
		return NULL;
	}
	call = xcalloc(1, sizeof(*call));
	call->relay = r;
	call->timer = timer;
	call->wait_ms = wait_ms;
	call->id = ++r->last_id;
	LIST_INSERT_HEAD(&r->calls, call, next);
	r->n_calls++;
	call_rest(call);
	send_call(r, call->id, json, argc, argv);
	return call;
}

int relay_call_fd(const struct relay_call *call) {
	return call->timer;
}

enum stream_state relay_call_next(struct relay_call *call, struct str *out, struct err *err) {
	uint64_t ticks;
	bool woken = read(call->timer, &ticks, sizeof(ticks)) == sizeof(ticks);

	if (call->text.len)
		str_add_bytes(out, call->text.data, call->text.len);
	str_clear(&call->text);
	if (call->ended) {
		if (call->err.code)
			*err = call->err;
		return call->err.code ? STREAM_FAILED : STREAM_END;
	}
	if (call->heard) {
		call_rest(call);
		return STREAM_WAIT;
	}
	if (!woken)
		return STREAM_WAIT;
	err_set(err, ERR_NOT_FOUND, "gatehouse-syncd does not answer");
	return STREAM_FAILED;
}

struct relay_call *relay_call_close(struct relay_call *call) {
	if (!call)
		return NULL;
	if (!call->ended && relay_is_attached(call->relay))
		send_id(call->relay, CTL_CALL_CANCEL, call->id);
	LIST_REMOVE(call, next);
	call->relay->n_calls--;
	close(call->timer);
	str_done(&call->text);
	free(call);
	return NULL;
}

/* ---- calls as the output of commands ---- */

static enum stream_state stream_next(void *ctx, struct str *out, struct err *err) {
	return relay_call_next(ctx, out, err);
}

static void stream_close(void *ctx) {
	relay_call_close(ctx);
}

/* The words of a command's name, and those after it, as one list; the caller frees names. */
static size_t join_words(char *names, const struct command_call *call, char **argv, size_t max) {
	size_t n = 0;
	char *save = NULL;

	for (char *w = strtok_r(names, " ", &save); w && n < max; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	for (size_t i = 0; i < call->argc && n < max; i++)
		argv[n++] = call->argv[i];
	return n;
}

int relay_open(struct relay *r, unsigned int wait_ms, const char *words,
	       const struct command_call *call, struct stream *ret, struct err *err) {
	AUTO_FREE char *names = xstrdup(words);
	char *argv[CTL_WORDS_MAX];
	size_t argc = join_words(names, call, argv, CTL_WORDS_MAX);
	struct relay_call *c = relay_call_open(r, wait_ms, call->json, argc, argv, err);

	if (!c)
		return err->code;
	*ret = (struct stream){ .next = stream_next, .close = stream_close, .fd = c->timer,
				.ctx = c };
	return 0;
}

/* ---- the connection ---- */

bool relay_is_attached(const struct relay *r) {
	return r && r->welcomed;
}

int relay_attach(struct relay *r, void (*send)(void *arg, const struct buf *frame), void *arg,
		 struct err *err) {
	if (r->send)
		return err_set(err, ERR_LOCKED, "another one is attached");
	r->send = send;
	r->arg = arg;
	r->welcomed = false;
	return 0;
}

static void send_state(struct relay *r, enum ctl_state kind) {
	const struct buf *state = &r->state[kind];
	struct buf b = BUF_INIT;

	if (state->len == 0)
		return;
	buf_reserve(&b, 2 + state->len);
	buf_put_u8(&b, CTL_STATE);
	buf_put_u8(&b, (uint8_t)kind);
	buf_put_bytes(&b, state->data, state->len);
	r->send(r->arg, &b);
	buf_wipe(&b);
}

void relay_welcome(struct relay *r) {
	r->welcomed = true;
	for (int kind = CTL_STATE_CLUSTER; kind < CTL_STATE_COUNT; kind++)
		send_state(r, (enum ctl_state)kind);
}

void relay_detach(struct relay *r) {
	struct relay_call *call;

	r->send = NULL;
	r->welcomed = false;
	LIST_FOREACH(call, &r->calls, next)
		if (!call->ended)
			call_end(call, ERR_NOT_FOUND, NOT_RUNNING);
	if (r->watch.gone)
		r->watch.gone(r->watch.arg);
}

void relay_set_watch(struct relay *r, const struct relay_watch *watch) {
	r->watch = watch ? *watch : (struct relay_watch){ .arg = NULL };
}

void relay_ready(struct relay *r) {
	if (r->watch.ready)
		r->watch.ready(r->watch.arg);
}

void relay_set_state(struct relay *r, enum ctl_state kind, const void *data, size_t n) {
	struct buf *state = &r->state[kind];

	if (state->len == n && memcmp(state->data, data, n) == 0)
		return;
	buf_wipe(state);
	buf_reserve(state, n);
	buf_put_bytes(state, data, n);
	if (relay_is_attached(r))
		send_state(r, kind);
}

void relay_reply(struct relay *r, struct buf_reader *fields) {
	uint32_t id = buf_get_u32(fields);
	AUTO_FREE char *text = buf_get_str(fields, CTL_TEXT_CHUNK);
	struct relay_call *call = call_find(r, id);

	if (!buf_reader_end(fields))
		fields->bad = true;
	if (fields->bad || !call)
		return;
	if (call->text.len + strlen(text) > RELAY_TEXT_MAX) {
		send_id(r, CTL_CALL_CANCEL, id);
		call_end(call, ERR_TOO_LONG, "more output than is taken");
		return;
	}
	str_add(&call->text, text);
	call->heard = true;
	call_wake(call);
}

void relay_reply_end(struct relay *r, struct buf_reader *fields) {
	uint32_t id = buf_get_u32(fields);
	int code = (int)buf_get_u32(fields);
	AUTO_FREE char *text = buf_get_str(fields, ERR_TEXT_MAX - 1);
	struct relay_call *call = call_find(r, id);

	if (!buf_reader_end(fields))
		fields->bad = true;
	if (code == ERR_TIMEOUT)
		code = ERR_NOT_FOUND; /* to the shell it would mean that we are gone */
	if (!fields->bad && call)
		call_end(call, code, text);
}
