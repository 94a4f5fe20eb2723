/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replication of sessions as a running thing: the state machine with its links and channels to the
 * other members, its kernel and its clock.
 */
#pragma once

#include "sync/fgsp.h"

struct event_base;
struct replica;

struct replica_config {
	struct event_base *base;
	int event_buffer;            /* bytes of events that the kernel keeps; 0: a good number */
	/* Takes a line for the log, with a priority of syslog(3). */
	void (*log)(void *arg, int priority, const char *text);
	/*
	 * Other members' sessions are here, or they are lost, or nothing can be had of them now:
	 * held interfaces may go up. Once.
	 */
	void (*ready)(void *arg);
	void *arg;                   /* of both */
};

/* One that does nothing yet; NULL and *err when that fails. The caller frees it before the base. */
struct replica *replica_new(const struct replica_config *config, struct err *err);

/* Hang up. Sessions stay as they are. NULL is fine. Returns NULL. */
struct replica *replica_free(struct replica *r);

/*
 * Do this from now on. Where the configuration asks for something, but port 708 or the kernel's
 * events cannot be had, the log says so, and it is tried again some seconds later.
 */
void replica_configure(struct replica *r, const struct cluster *c);

/* As the functions of sync/fgsp.h. */
void replica_stats(const struct replica *r, struct fgsp_stats *ret);
bool replica_peer(const struct replica *r, unsigned int i, struct fgsp_peer_info *ret);
void replica_resync(struct replica *r);
