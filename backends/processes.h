/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes of the machine, and what they have used between two looks at them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/performance.h"
#include "cfgdb/base/str.h"

#define PROCESSES_MAX 100000

struct process {
	int pid;
	char name[64];           /* without blanks */
	char state;              /* R, S, D, Z; T: stopped */
	int nice;
	uint64_t start, ticks;   /* of the clock, since boot; used by it */
	uint64_t rss_kib;
	unsigned int cpu_tenths; /* per mille of one processor, since the look before */
	unsigned int memory_tenths; /* per mille of the memory */
};

struct processes {
	struct process *process;
	size_t n;
};

/* Take a process from the text of /proc/PID/stat; false when it is none. */
bool process_parse(const char *text, unsigned int page_kib, struct process *ret);

/* Add a process to the list, which takes no more than PROCESSES_MAX. */
void processes_add(struct processes *ps, const struct process *p);

/* Release what the list holds. */
void processes_done(struct processes *ps);

/*
 * Work out shares of what passed between two looks, and put the busiest first. `before` is in order
 * of numbers, as `now` is before this.
 */
void processes_compare(const struct processes *before, struct processes *now, uint64_t ticks,
		       uint64_t memory_kib);

/* Put a list in order of numbers. */
void processes_by_pid(struct processes *ps);
