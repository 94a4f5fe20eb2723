/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of the kernel's connection tracking table by the thousand: in order, many to a system
 * call, and only what fails comes back.
 */
#pragma once

#include "backends/ct.h"

#define CT_WRITER_BATCH 64     /* changes in one system call */

enum ct_write {
	CT_WRITE_CREATE,       /* all of ct; its reply tuple says what is translated */
	CT_WRITE_UPDATE,       /* the parts that `fields` names */
	CT_WRITE_DELETE,
	CT_WRITE_EXPECT,       /* `expect`: an expected session, whose master is there */
};

/* Parts of an entry that an update may change. */
#define CT_FIELD_STATE 1u      /* of TCP; its windows are not checked from then on */
#define CT_FIELD_STATUS 2u     /* IPS_SEEN_REPLY and IPS_ASSURED; they are set, never taken back */
#define CT_FIELD_TIMEOUT 4u
#define CT_FIELD_LABEL 8u      /* the bits of label_mask */
#define CT_FIELD_MARK 16u
#define CT_FIELD_LIBERAL 32u   /* windows of TCP are not checked from then on */

struct ct_change {
	enum ct_write what;
	unsigned int fields;           /* CT_FIELD_*, of an update */
	struct ct ct;                  /* named by original tuple and zone */
	uint64_t label_mask[2];        /* bits of ct.label that an update sets or clears */
	const struct ct_expect *expect;      /* only valid while it is written */
	uint64_t cookie;               /* the caller's own */
};

/*
 * Hears of a change that the kernel refused, and why (errno): EEXIST when one of the tuples of a
 * new entry is taken, ENOENT when the entry to be changed is gone. May write further changes, which
 * belong to the same flush; those must come to an end.
 */
typedef void ct_refused_fn(void *arg, const struct ct_change *change, int error);

struct ct_writer;

/*
 * Open a socket to the current network namespace; NULL and *err when that fails. refused() is
 * called by ct_writer_flush, and by ct_write when a batch is full.
 */
struct ct_writer *ct_writer_open(ct_refused_fn *refused, void *arg, struct err *err);

/* Close; what was not flushed is lost. NULL is fine. Returns NULL. */
struct ct_writer *ct_writer_close(struct ct_writer *w);

/* The netlink port whose changes these are: events carry it. */
uint32_t ct_writer_port(const struct ct_writer *w);

/*
 * Put a change into the batch, which goes out when it is full. A new entry is made exactly as told:
 * where the kernel would have to translate to another port, because the reply is taken, it is
 * refused with EEXIST. An entry whose master is not there is made without one.
 */
void ct_write(struct ct_writer *w, const struct ct_change *change);

/* Send what is in the batch; all is done when it returns. */
void ct_writer_flush(struct ct_writer *w);
