/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How busy the unit is, and was in the last half hour: the daemon takes a sample every ten seconds,
 * whoever asks gets averages of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/device.h"
#include "cfgdb/base/err.h"

#define PERFORMANCE_EVERY_S 10
#define PERFORMANCE_KEPT_S 1800

/* Where the time of a processor goes, in ticks since it was started. */
enum cpu_use {
	CPU_USER,
	CPU_NICE,
	CPU_SYSTEM,
	CPU_IDLE,
	CPU_IOWAIT,
	CPU_IRQ,
	CPU_SOFTIRQ,
	CPU_STEAL,
	CPU_USES
};

struct cpu {
	int number;              /* -1: all of them together */
	uint64_t ticks[CPU_USES];
};

struct cpus {
	struct cpu *cpu;
	size_t n;
};

/* Take the processors from the text of /proc/stat; release with cpus_done. */
void cpus_parse(const char *text, struct cpus *ret);

/* Release what cpus_parse made. */
void cpus_done(struct cpus *cpus);

/*
 * Share of each use in the time between two moments, in per cent, of the processor at `now`; with
 * no time in between, since it was started.
 */
void cpu_shares(const struct cpus *before, const struct cpu *now, unsigned int ret[CPU_USES]);

/* Memory of the machine, in KiB. */
struct memory {
	uint64_t total, free, freeable;
};

/* Take it from the text of /proc/meminfo. */
void memory_parse(const char *text, struct memory *ret);

/* What is counted, at one moment. */
struct performance_sample {
	int64_t time_ms;                 /* of a clock that only goes forward */
	uint64_t rx_bytes, tx_bytes;     /* since the first sample */
	uint64_t setups;                 /* sessions that policies accepted, since then */
	uint32_t sessions;
};

struct performance_average {
	uint64_t rx_kbps, tx_kbps;       /* kilobits a second */
	uint64_t setups_per_s;
	uint64_t sessions;
};

struct performance;

/* Nothing is known yet. The caller frees it. */
struct performance *performance_new(void);

/* Free; NULL is fine. Returns NULL. */
struct performance *performance_free(struct performance *p);

/*
 * Add a sample: the devices as they are now, sessions, and the counter of sessions that were set
 * up, which may begin anew. What the counters had before the first sample is not counted.
 */
void performance_add(struct performance *p, int64_t time_ms, const struct devices *devices,
		     uint32_t sessions, uint64_t setups);

/* Remember where the time of processors went up to now; takes over cpus. */
void performance_add_cpus(struct performance *p, struct cpus *cpus);

/* The processors ten to twenty seconds ago; none yet when there are none. They stay p's. */
const struct cpus *performance_cpus(const struct performance *p);

/* Averages over the last seconds, or over what has been sampled of them. */
struct performance_average performance_last(const struct performance *p, unsigned int seconds);
