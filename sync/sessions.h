/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's table of sessions, for the state machine of replication: its changes, written in
 * batches; what becomes of sessions, heard in batches, too; look-ups and walks.
 */
#pragma once

#include "sync/fgsp.h"

struct event_base;
struct sessions;

/* What tells the time of the machine, in us. */
typedef uint64_t sessions_clock_fn(void);

struct sessions_config {
	struct event_base *base;
	sessions_clock_fn *now_us;
	int event_buffer;            /* bytes of events that the kernel keeps; 0: 64 MB */
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
 * Tell this machine from now on what becomes of sessions. NULL: nobody; the kernel then spares
 * itself the events.
 */
int sessions_serve(struct sessions *s, struct fgsp *machine, struct err *err);

/*
 * The end of a batch of whatever the machine was told: it says what it has kept back, changes are
 * done, and it hears of those that failed.
 */
void sessions_flush(struct sessions *s);

/* Routes have changed: read them again when they are needed. */
void sessions_forget_routes(struct sessions *s);

/* ---- for struct fgsp_env ---- */

/* Queue a change. */
void sessions_write(struct sessions *s, const struct fgsp_change *change);

/* Read the entry with this original or reply tuple, after all changes so far. */
bool sessions_get(struct sessions *s, struct ct *ct);

/* Walk all entries. */
void sessions_walk(struct sessions *s);

/* Whether a session comes in by one interface and goes out by another; "": any. */
bool sessions_interfaces(struct sessions *s, const struct ct *ct, const char *srcintf,
		      const char *dstintf);
