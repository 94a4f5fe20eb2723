/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol is that of cfgdb/control/ctl.h: once greeted, it attaches, and from then on
 * gatehoused is who asks. Anything else than what belongs there ends the connection, which is begun
 * anew.
 *
 * What goes is bounded by how much gatehoused has not read.
 */
#include "sync/door.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "sync/uplink.h"

#define OUTPUT_MAX (1u << 20)

struct door {
	struct door_calls calls;
	struct uplink *uplink;
};

/* ---- frames that go ---- */

static void send_attach(void *arg) {
	struct door *d = arg;
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_ATTACH);
	uplink_send(d->uplink, &b);
}

static bool is_open(const struct door *d) {
	return uplink_is_settled(d->uplink);
}

static bool says(const struct door_call *call, const char *words, unsigned int n_args) {
	size_t n = 0;

	while (*words && n < call->argc) {
		size_t len = strcspn(words, " ");

		if (strlen(call->argv[n]) != len || strncmp(call->argv[n], words, len) != 0)
			return false;
		n++;
		words += len;
		words += *words == ' ';
	}
	return !*words && n + n_args == call->argc;
}

bool door_reply(struct door *d, uint32_t id, const char *text, size_t len) {
	if (!is_open(d))
		return false;
	while (len > 0 && uplink_waiting(d->uplink) <= OUTPUT_MAX) {
		AUTO_BUF struct buf b = BUF_INIT;
		size_t n = len < CTL_TEXT_CHUNK ? len : CTL_TEXT_CHUNK;

		buf_put_u8(&b, CTL_REPLY);
		buf_put_u32(&b, id);
		buf_put_strn(&b, text, n);
		uplink_send(d->uplink, &b);
		text += n;
		len -= n;
	}
	return len == 0;
}

void door_end(struct door *d, uint32_t id, int code, const char *text) {
	AUTO_BUF struct buf b = BUF_INIT;

	if (!is_open(d))
		return;
	buf_put_u8(&b, CTL_REPLY_END);
	buf_put_u32(&b, id);
	buf_put_u32(&b, (uint32_t)code);
	buf_put_strn(&b, text, code ? strnlen(text, ERR_TEXT_MAX - 1) : 0);
	uplink_send(d->uplink, &b);
}

bool door_answer(struct door *d, const struct door_command commands[], size_t n, void *arg,
		 const struct door_call *call) {
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };
	size_t i = 0;
	int rc;

	while (i < n && !says(call, commands[i].words, commands[i].n_args))
		i++;
	if (i == n)
		return false;
	rc = commands[i].run(arg, call, &out, &err);
	if (out.len > 0 && !door_reply(d, call->id, str_text(&out), out.len))
		rc = err_set(&err, ERR_TOO_LONG, "the output was not taken");
	if (rc || !commands[i].lasts)
		door_end(d, call->id, rc, err.text);
	return true;
}

void door_ready(struct door *d) {
	AUTO_BUF struct buf b = BUF_INIT;

	if (!is_open(d))
		return;
	buf_put_u8(&b, CTL_READY);
	uplink_send(d->uplink, &b);
}

/* ---- frames that come: false ends the connection ---- */

static bool take_cluster(struct door *d, struct buf_reader *r) {
	struct err err = { 0 };
	struct cluster c;
	bool ok = cluster_decode(&c, r, &err) == 0 && buf_reader_end(r);

	if (ok)
		d->calls.cluster(d->calls.arg, &c);
	explicit_bzero(&c, sizeof(c));
	return ok;
}

static bool take_autoscale(struct door *d, struct buf_reader *r) {
	struct err err = { 0 };
	struct autoscale a;
	bool ok = autoscale_decode(&a, r, &err) == 0 && buf_reader_end(r);

	if (ok)
		d->calls.autoscale(d->calls.arg, &a);
	explicit_bzero(&a, sizeof(a));
	return ok;
}

static bool take_state(struct door *d, struct buf_reader *r) {
	switch (buf_get_u8(r)) {
	case CTL_STATE_CLUSTER: return take_cluster(d, r);
	case CTL_STATE_AUTOSCALE: return take_autoscale(d, r);
	default: return false;
	}
}

static bool take_call(struct door *d, struct buf_reader *r) {
	struct door_call call = { .id = buf_get_u32(r) };
	uint8_t form = buf_get_u8(r);
	char *argv[CTL_WORDS_MAX];

	call.argc = buf_get_u16(r);
	call.json = form == CTL_FORM_JSON;
	call.argv = argv;
	if (r->bad || form >= CTL_FORM_COUNT || call.argc == 0 || call.argc > CTL_WORDS_MAX)
		return false;
	for (size_t i = 0; i < call.argc; i++)
		argv[i] = buf_get_str(r, CTL_ATTACHED_MAX);
	if (buf_reader_end(r))
		d->calls.call(d->calls.arg, &call);
	else
		r->bad = true;
	for (size_t i = 0; i < call.argc; i++)
		free(argv[i]);
	return !r->bad;
}

static bool take_cancel(struct door *d, struct buf_reader *r) {
	uint32_t id = buf_get_u32(r);

	if (!buf_reader_end(r))
		return false;
	d->calls.cancel(d->calls.arg, id);
	return true;
}

static bool take_frame(void *arg, const uint8_t *data, size_t len) {
	struct door *d = arg;
	struct buf_reader r;
	uint8_t type;

	buf_reader_init(&r, data, len);
	type = buf_get_u8(&r);
	if (!is_open(d)) {
		if (type == CTL_OK)
			uplink_settle(d->uplink, "attached");
		return type == CTL_OK;
	}
	switch (type) {
	case CTL_STATE: return take_state(d, &r);
	case CTL_CALL: return take_call(d, &r);
	case CTL_CALL_CANCEL: return take_cancel(d, &r);
	default: return false;
	}
}

static void lost(void *arg) {
	struct door *d = arg;

	d->calls.lost(d->calls.arg);
}

static void say(void *arg, int priority, const char *text) {
	struct door *d = arg;

	d->calls.log(d->calls.arg, priority, text);
}

struct door *door_new(struct event_base *base, const char *path, const struct door_calls *calls,
		      struct err *err) {
	struct door *d = xcalloc(1, sizeof(*d));
	const struct uplink_calls up = { d, send_attach, take_frame, lost, say };

	d->calls = *calls;
	d->uplink = uplink_new(base, path, CTL_ATTACHED_MAX, &up, err);
	return d->uplink ? d : door_free(d);
}

struct door *door_free(struct door *d) {
	if (!d)
		return NULL;
	uplink_free(d->uplink);
	free(d);
	return NULL;
}
