/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer is any number of frames and then CTL_OK or CTL_ERROR. What comes when nothing was asked
 * belongs nowhere and ends the connection.
 */
#include "sync/desk.h"

#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"

struct desk {
	struct desk_calls calls;
	struct uplink *uplink;
	unsigned int open;           /* requests that are not answered */
};

static void greeted(void *arg) {
	struct desk *d = arg;

	d->open = 0;
	uplink_settle(d->uplink, "can be asked for the configuration");
	d->calls.up(d->calls.arg);
}

static bool take_frame(void *arg, const uint8_t *data, size_t len) {
	struct desk *d = arg;

	if (d->open == 0)
		return false;
	d->open -= data[0] == CTL_OK || data[0] == CTL_ERROR;
	d->calls.answer(d->calls.arg, data, len);
	return true;
}

static void lost(void *arg) {
	struct desk *d = arg;

	d->calls.down(d->calls.arg);
}

static void say(void *arg, int priority, const char *text) {
	struct desk *d = arg;

	d->calls.log(d->calls.arg, priority, text);
}

void desk_ask(struct desk *d, const struct buf *request) {
	if (!uplink_is_settled(d->uplink))
		return;
	d->open++;
	uplink_send(d->uplink, request);
}

struct desk *desk_new(struct event_base *base, const char *path, const struct desk_calls *calls,
		      struct err *err) {
	struct desk *d = xcalloc(1, sizeof(*d));
	const struct uplink_calls up = { d, greeted, take_frame, lost, say };

	d->calls = *calls;
	d->uplink = uplink_new(base, path, CTL_FRAME_MAX, &up, err);
	return d->uplink ? d : desk_free(d);
}

struct desk *desk_free(struct desk *d) {
	if (!d)
		return NULL;
	uplink_free(d->uplink);
	free(d);
	return NULL;
}
