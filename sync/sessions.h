/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's table of sessions, for the state machine of replication: its changes, written in
 * batches; what becomes of sessions, heard in batches, too; look-ups and walks. Of the machine only
 * the types of sync/fgsp.h are known.
 */
#pragma once

#include "sync/fgsp.h"

struct event_base;
struct sessions;

/* Who is served: the functions of sync/fgsp.h of these names, none called from within another. */
struct sessions_calls {
	void *arg;                   /* of all */
	void (*event)(void *arg, enum fgsp_event what, const struct ct *ct);
	void (*expect)(void *arg, const struct ct_expect *expect);
	void (*overrun)(void *arg);
	bool (*walk_room)(void *arg);
	void (*walk_entry)(void *arg, const struct ct *ct);
	void (*walk_end)(void *arg, bool whole);
	void (*write_failed)(void *arg, const struct fgsp_change *change, int error);
	void (*flush)(void *arg);
};

struct sessions_config {
	struct event_base *base;
	int event_buffer;            /* bytes of events that the kernel keeps; 0: 64 MB */
	const char *settings;        /* folder of those of the table; NULL: this namespace's */
	void (*log)(void *arg, int priority, const char *text);
	void *arg;                   /* of log */
};

/*
 * Open it in the current network namespace, with the kernel's events switched on. NULL and *err
 * when that fails. The caller frees it before the base.
 */
struct sessions *sessions_new(const struct sessions_config *config, struct err *err);

/* Close; what was not flushed is lost. NULL is fine. Returns NULL. */
struct sessions *sessions_free(struct sessions *s);

/*
 * Tell this one, which is copied, from now on what becomes of sessions. NULL: nobody; the kernel
 * then spares itself the events. A walk under way ends, not whole, for who has asked for it.
 */
int sessions_serve(struct sessions *s, const struct sessions_calls *calls, struct err *err);

/*
 * The end of a batch of whatever who is served was told: he says what he has kept back, changes are
 * done, and he hears of those that failed.
 */
void sessions_flush(struct sessions *s);

/* Routes have changed: read them again when they are needed. */
void sessions_forget_routes(struct sessions *s);

/* ---- for struct fgsp_env ---- */

/* Queue a change. */
void sessions_write(struct sessions *s, const struct fgsp_change *change);

/* Read the entry with this original or reply tuple, after all changes so far. */
bool sessions_get(struct sessions *s, struct ct *ct);

/* Walk all entries, for who is served; one walk at a time. */
void sessions_walk(struct sessions *s);

/*
 * Seconds that the kernel gives an entry in its state, of the current network namespace; 0: not
 * known here. It is asked at most once a second.
 */
uint32_t sessions_timeout(struct sessions *s, const struct ct *ct);

/*
 * Whether more than 9/10 of the kernel's table are in use, as of a second ago and with what was
 * made here since.
 */
bool sessions_is_full(struct sessions *s);

/* Whether a session comes in by one interface and goes out by another; "": any. */
bool sessions_interfaces(struct sessions *s, const struct ct *ct, const char *srcintf,
		      const char *dstintf);
