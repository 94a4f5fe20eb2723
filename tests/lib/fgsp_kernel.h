/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection tracking table of one unit, as far as replication can tell it from the kernel's:
 * packets make, change and end entries, entries expire, changes are events in a queue that may
 * overrun, and writes are refused for the kernel's reasons.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/ct.h"
#include "sync/fgsp.h"

#define KERNEL_ENTRIES 1024
#define KERNEL_EVENTS 512

enum packet { PACKET_OPEN, PACKET_REPLY, PACKET_DATA, PACKET_ANSWER, PACKET_FIN, PACKET_RESET };

enum verdict { PACKET_DROPPED, PACKET_PASSED, PACKET_NEW };

struct kernel_event {
	enum fgsp_event what;
	bool by_us;
	struct ct ct;
};

struct kernel_entry {
	struct ct ct;
	uint64_t expires_us, packet_us;      /* packet_us: the last packet here, 0: none */
	uint16_t next[2];                    /* in the chains by tuple; 0: the end */
	bool used;
	uint8_t told;                /* state in the last event */
};

struct kernel {
	struct kernel_entry entry[KERNEL_ENTRIES];   /* the first one stays free */
	uint16_t chain[256];
	unsigned int n_entries, last;
	unsigned int max;                    /* entries of others are made up to 9/10 of it */
	uint32_t next_id;
	struct kernel_event event[KERNEL_EVENTS];
	unsigned int first_event, n_events, max_events;
	bool overrun;
	uint64_t now_us, wall_ns;            /* set by whoever drives it */
	uint64_t soonest_us;                 /* nothing expires before that */
	unsigned int expectations;           /* that were written */
};

/* Begin with a table of zeroes; its queue holds max_events at most. */
void kernel_init(struct kernel *k, unsigned int max_events, uint32_t first_id);

/* Forget all entries without an event, as a restart of the machine does. */
void kernel_clear(struct kernel *k);

/*
 * A packet of a session. `session` has both tuples as they are with the translation that this unit
 * would make, family, protocol, zone and mark; its direction follows from the kind.
 */
enum verdict kernel_packet(struct kernel *k, const struct ct *session, enum packet packet);

/* The bits of status that an entry has for its translation. */
uint32_t kernel_translation(const struct ct *ct);

/* Seconds that an entry in this state has from each packet; 0: there is no such state. */
uint32_t kernel_lifetime(const struct ct *ct);

/* End what has expired. */
void kernel_expire(struct kernel *k);

/* The entry with this tuple, zone and protocol in its direction `dir`, or NULL. */
struct kernel_entry *kernel_find(struct kernel *k, const struct ct *ct, enum ct_dir dir);

/* An entry as a listing shows it. */
struct ct kernel_show(const struct kernel *k, const struct kernel_entry *e);

/* Do a write; 0, or its errno. */
int kernel_write(struct kernel *k, const struct fgsp_change *change);

/* End an entry, as an administrator does. */
void kernel_delete(struct kernel *k, struct kernel_entry *e, bool by_us);

/* Change the mark of an entry, as the daemon of the configuration does. */
void kernel_mark(struct kernel *k, struct kernel_entry *e, uint32_t mark);

/* Take the oldest event; false: there is none. */
bool kernel_take_event(struct kernel *k, struct kernel_event *event);
