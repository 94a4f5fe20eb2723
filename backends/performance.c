/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples stand in a ring. Their counters only grow, although those they are made of do not:
 * devices come, go and are replaced by others of the same number, rules that count sessions are
 * loaded anew. So a sample adds what each counter has grown since the one before, and what has
 * shrunk began anew and adds nothing.
 *
 * Only wires count: a packet to a VLAN or tunnel is counted once, by the device below it. A packet
 * that is forwarded is received and sent.
 */
#include "backends/performance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define SAMPLES (PERFORMANCE_KEPT_S / PERFORMANCE_EVERY_S + 1)

/* Counters of a device at the last sample. */
struct traffic_seen {
	int index;
	uint64_t rx, tx;
};

struct performance {
	struct performance_sample sample[SAMPLES];
	size_t n, next;              /* samples there are; where the next one goes */
	struct traffic_seen *seen;
	size_t n_seen;
	uint64_t setups_seen;
	struct cpus before, last;
};

/* ---- processors ---- */

static bool cpu_parse(const char *line, struct cpu *ret) {
	unsigned long long t[CPU_USES] = { 0 };
	int used = 0;

	*ret = (struct cpu){ .number = -1 };
	if (strncmp(line, "cpu ", 4) == 0)
		used = 4;
	else if (sscanf(line, "cpu%d %n", &ret->number, &used) != 1 || used == 0)
		return false;
	if (sscanf(line + used, "%llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
		   &t[3], &t[4], &t[5], &t[6], &t[7]) < CPU_IDLE + 1)
		return false;
	for (int i = 0; i < CPU_USES; i++)
		ret->ticks[i] = t[i];
	return true;
}

void cpus_parse(const char *text, struct cpus *ret) {
	struct cpu cpu;

	*ret = (struct cpus){ NULL, 0 };
	while (cpu_parse(text, &cpu)) {
		if ((ret->n & (ret->n - 1)) == 0)
			ret->cpu = xreallocarray(ret->cpu, ret->n ? ret->n * 2 : 1,
						 sizeof(*ret->cpu));
		ret->cpu[ret->n++] = cpu;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

void cpus_done(struct cpus *cpus) {
	free(cpus->cpu);
	*cpus = (struct cpus){ NULL, 0 };
}

static const struct cpu *cpu_find(const struct cpus *cpus, int number) {
	for (size_t i = 0; i < cpus->n; i++)
		if (cpus->cpu[i].number == number)
			return &cpus->cpu[i];
	return NULL;
}

/* The kernel takes back some of what it has counted as idle. */
static uint64_t grown(uint64_t before, uint64_t now) {
	return now > before ? now - before : 0;
}

static uint64_t ticks_since(const struct cpu *then, const struct cpu *now,
			    uint64_t ret[CPU_USES]) {
	uint64_t all = 0;

	for (int i = 0; i < CPU_USES; i++)
		all += ret[i] = grown(then ? then->ticks[i] : 0, now->ticks[i]);
	return all;
}

void cpu_shares(const struct cpus *before, const struct cpu *now, unsigned int ret[CPU_USES]) {
	uint64_t ticks[CPU_USES];
	uint64_t all = ticks_since(cpu_find(before, now->number), now, ticks);

	if (all == 0)
		all = ticks_since(NULL, now, ticks);
	for (int i = 0; i < CPU_USES; i++)
		ret[i] = all ? (unsigned int)((ticks[i] * 100 + all / 2) / all) : 0;
}

/* ---- memory ---- */

static uint64_t memory_line(const char *text, const char *name) {
	size_t len = strlen(name);

	for (; *text; text += *text == '\n') {
		if (strncmp(text, name, len) == 0)
			return strtoull(text + len, NULL, 10);
		text += strcspn(text, "\n");
	}
	return 0;
}

void memory_parse(const char *text, struct memory *ret) {
	uint64_t available = memory_line(text, "MemAvailable:");

	ret->total = memory_line(text, "MemTotal:");
	ret->free = memory_line(text, "MemFree:");
	ret->freeable = grown(ret->free, available < ret->total ? available : ret->total);
}

/* ---- samples ---- */

struct performance *performance_new(void) {
	return xcalloc(1, sizeof(struct performance));
}

struct performance *performance_free(struct performance *p) {
	if (!p)
		return NULL;
	cpus_done(&p->before);
	cpus_done(&p->last);
	free(p->seen);
	free(p);
	return NULL;
}

static const struct traffic_seen *find_seen(const struct performance *p, int index) {
	for (size_t i = 0; i < p->n_seen; i++)
		if (p->seen[i].index == index)
			return &p->seen[i];
	return NULL;
}

/* What passed since the last sample. A device that was not there then has no traffic yet. */
static void add_traffic(struct performance *p, const struct devices *devices,
			struct performance_sample *s) {
	struct traffic_seen *seen = xcalloc(devices->n + 1, sizeof(*seen));
	size_t n = 0;

	for (size_t i = 0; i < devices->n; i++) {
		const struct device *d = &devices->device[i];
		const struct traffic_seen *before = find_seen(p, d->index);

		if (!device_is_wire(d))
			continue;
		seen[n++] = (struct traffic_seen){ d->index, d->stats.rx_bytes, d->stats.tx_bytes };
		if (!before)
			continue;
		s->rx_bytes += grown(before->rx, d->stats.rx_bytes);
		s->tx_bytes += grown(before->tx, d->stats.tx_bytes);
	}
	free(p->seen);
	p->seen = seen;
	p->n_seen = n;
}

/* The i-th newest sample, i < n. */
static const struct performance_sample *sample_at(const struct performance *p, size_t i) {
	return &p->sample[(p->next + SAMPLES - 1 - i) % SAMPLES];
}

void performance_add(struct performance *p, int64_t time_ms, const struct devices *devices,
		     uint32_t sessions, uint64_t setups) {
	struct performance_sample s = { .time_ms = time_ms };

	if (p->n) {
		const struct performance_sample *last = sample_at(p, 0);

		s.rx_bytes = last->rx_bytes;
		s.tx_bytes = last->tx_bytes;
		s.setups = last->setups + grown(p->setups_seen, setups);
	}
	s.sessions = sessions;
	add_traffic(p, devices, &s);
	p->setups_seen = setups;
	p->sample[p->next] = s;
	p->next = (p->next + 1) % SAMPLES;
	p->n += p->n < SAMPLES;
}

void performance_add_cpus(struct performance *p, struct cpus *cpus) {
	cpus_done(&p->before);
	p->before = p->last;
	p->last = *cpus;
	*cpus = (struct cpus){ NULL, 0 };
}

const struct cpus *performance_cpus(const struct performance *p) {
	return p->before.n ? &p->before : &p->last;
}

struct performance_average performance_last(const struct performance *p, unsigned int seconds) {
	struct performance_average a = { .sessions = 0 };
	const struct performance_sample *newest, *oldest;
	uint64_t sessions = 0, ms;
	size_t n = 1;

	if (p->n == 0)
		return a;
	newest = sample_at(p, 0);
	sessions = newest->sessions;
	/* a timer may be late: half a sample more still belongs to the time */
	while (n < p->n && newest->time_ms - sample_at(p, n)->time_ms <=
				   (int64_t)seconds * 1000 + PERFORMANCE_EVERY_S * 500)
		sessions += sample_at(p, n++)->sessions;
	oldest = sample_at(p, n - 1);
	a.sessions = (sessions + n / 2) / n;
	ms = (uint64_t)(newest->time_ms - oldest->time_ms);
	if (ms == 0)
		return a;
	a.rx_kbps = (newest->rx_bytes - oldest->rx_bytes) * 8 / ms;
	a.tx_kbps = (newest->tx_bytes - oldest->tx_bytes) * 8 / ms;
	a.setups_per_s = (newest->setups - oldest->setups) * 1000 / ms;
	return a;
}
