/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traffic log: what the kernel tells of packets that were denied and of sessions that begin and
 * end becomes lines, for those policies that ask for it.
 */
#pragma once

#include "backends/fib.h"
#include "backends/nft.h"
#include "cfgdb/backend.h"
#include "cfgdb/logs/logs.h"

struct traffic;

/*
 * The traffic log of the current network namespace; nft, logs and ways (of fib_open) are borrowed.
 * NULL and *err when there can be none. The caller closes it.
 */
struct traffic *traffic_new(struct nft *nft, struct logs *logs, struct fib *ways, struct err *err);

/* Close; NULL is fine. Returns NULL. */
struct traffic *traffic_free(struct traffic *t);

/* The backend to add to the engine, behind that of nft. */
struct backend traffic_backend(struct traffic *t);

/*
 * The descriptors that are readable when there is something to log. That of denied packets is -1
 * while another program takes them.
 */
int traffic_denied_fd(const struct traffic *t);
int traffic_sessions_fd(const struct traffic *t);

/* Log some of what was denied, or of the sessions that began and ended. */
void traffic_take_denied(struct traffic *t);
void traffic_take_sessions(struct traffic *t);

/*
 * Tell, in the log, what had to be left out since the last call, and try again what the kernel
 * refused; called every few seconds. ERR_KERNEL, once, when the kernel does not tell all.
 */
int traffic_report(struct traffic *t, struct err *err);
