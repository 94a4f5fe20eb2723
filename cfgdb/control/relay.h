/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's end towards the program that is attached to it (gatehouse-syncd): what that program
 * is to do goes there, commands of administrators go there, and what it answers comes back.
 *
 * Nobody waits for it: a command that it answers is a stream with a time limit.
 */
#pragma once

#include "cfgdb/base/buf.h"
#include "cfgdb/control/command.h"
#include "cfgdb/control/ctl.h"

#define RELAY_WAIT_MS 5000     /* for an answer, or more of it */
#define RELAY_TEXT_MAX (1u << 20) /* bytes of an answer that nobody has taken yet */

struct relay;
struct relay_call;

/* New relay, nobody attached; the caller frees it when nothing uses it any more. */
struct relay *relay_new(void);

/* Free it; NULL is fine. Returns NULL. */
struct relay *relay_free(struct relay *r);

/* ---- the connection ---- */

/*
 * Someone attaches: frames go to him by send(arg). ERR_LOCKED when another one is attached.
 * relay_welcome() follows.
 */
int relay_attach(struct relay *r, void (*send)(void *arg, const struct buf *frame), void *arg,
		 struct err *err);

/* Send what is to be said at once. */
void relay_welcome(struct relay *r);

/* He is gone: the calls under way end. */
void relay_detach(struct relay *r);

/* Who is told of the one that is attached; the functions may be NULL. */
struct relay_watch {
	void *arg;
	void (*ready)(void *arg);    /* other members' sessions are here; may come again */
	void (*gone)(void *arg);     /* it is attached no more */
};

/* Tell this one from now on, and no other; NULL: nobody. What it points to is copied. */
void relay_set_watch(struct relay *r, const struct relay_watch *watch);

/* The attached one has said CTL_READY. */
void relay_ready(struct relay *r);

/* Take the fields of a CTL_REPLY or CTL_REPLY_END; r->bad says that they are none. */
void relay_reply(struct relay *r, struct buf_reader *fields);
void relay_reply_end(struct relay *r, struct buf_reader *fields);

/* ---- what it is to do ---- */

/*
 * From now on these n bytes, which are copied and, being secret, wiped later; they are sent when
 * they differ from the last ones of their kind.
 */
void relay_set_state(struct relay *r, enum ctl_state kind, const void *data, size_t n);

/* ---- commands ---- */

/* Whether someone is attached. */
bool relay_is_attached(const struct relay *r);

/*
 * Begin a call with these words; wait_ms bounds each silence, 0: nothing does. NULL and *err when
 * nobody is attached, or there are too many words or calls. The caller closes it.
 */
struct relay_call *relay_call_open(struct relay *r, unsigned int wait_ms, bool json, size_t argc,
				   char *const argv[], struct err *err);

/* Readable when relay_call_next() has something to do. */
int relay_call_fd(const struct relay_call *call);

/* Append what has come, without waiting: never STREAM_MORE. See struct stream. */
enum stream_state relay_call_next(struct relay_call *call, struct str *out, struct err *err);

/* End a call at any time; NULL is fine. Returns NULL. */
struct relay_call *relay_call_close(struct relay_call *call);

/* A call as the output of a command: `words` are its own, those of `call` follow. */
int relay_open(struct relay *r, unsigned int wait_ms, const char *words,
	       const struct command_call *call, struct stream *ret, struct err *err);
