/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of `get system performance status` are read by scripts, so they keep their form; lines
 * about what this product does not have (viruses, attacks) are not there. Shares of processors are
 * those since the sample before the last: of ten to twenty seconds.
 */
#include "backends/cmd_performance.h"

#include <inttypes.h>
#include <time.h>

#include "backends/sampler.h"
#include "cfgdb/base/file.h"
#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"

#define FILE_MAX (1u << 20)

static const unsigned int minutes[] = { 1, 10, 30 };

/* ---- get system performance status ---- */

/* In the order in which they are printed, which is not that of the kernel. */
static const struct {
	enum cpu_use use;
	const char *name;
} uses[] = {
	{ CPU_USER, "user" },	  { CPU_SYSTEM, "system" }, { CPU_NICE, "nice" },
	{ CPU_IDLE, "idle" },	  { CPU_IOWAIT, "iowait" }, { CPU_IRQ, "irq" },
	{ CPU_SOFTIRQ, "softirq" },
};

static void print_cpu(const struct performance_view *v, const struct cpu *cpu, struct str *out) {
	unsigned int share[CPU_USES];

	cpu_shares(&v->before, cpu, share);
	str_add(out, "CPU");
	if (cpu->number >= 0)
		str_addf(out, "%d", cpu->number);
	str_add(out, " states:");
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		str_addf(out, " %u%% %s", share[uses[i].use], uses[i].name);
	str_add_char(out, '\n');
}

/* Tenths of a per cent. */
static unsigned int share_of(uint64_t part, uint64_t all) {
	return all ? (unsigned int)((part * 1000 + all / 2) / all) : 0;
}

static void print_memory(const struct memory *m, struct str *out) {
	uint64_t used = m->total - m->free - m->freeable;
	const struct {
		uint64_t kib;
		const char *name;
	} parts[] = { { used, "used" }, { m->free, "free" }, { m->freeable, "freeable" } };

	str_addf(out, "Memory: %" PRIu64 "k total", m->total);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		unsigned int share = share_of(parts[i].kib, m->total);

		str_addf(out, ", %" PRIu64 "k %s (%u.%u%%)", parts[i].kib, parts[i].name,
			 share / 10, share % 10);
	}
	str_add_char(out, '\n');
}

static void print_averages(const struct performance_view *v, struct str *out) {
	str_add(out, "Average network usage:");
	for (size_t i = 0; i < ARRAY_LEN(minutes); i++)
		str_addf(out, "%s %" PRIu64 " / %" PRIu64 " kbps in %u minute%s", i ? "," : "",
			 v->last[i].rx_kbps, v->last[i].tx_kbps, minutes[i], i ? "s" : "");
	str_add(out, "\nAverage sessions:");
	for (size_t i = 0; i < ARRAY_LEN(minutes); i++)
		str_addf(out, "%s %" PRIu64 " sessions in %u minute%s", i ? "," : "",
			 v->last[i].sessions, minutes[i], i ? "s" : "");
	str_add(out, "\nAverage session setup rate:");
	for (size_t i = 0; i < ARRAY_LEN(minutes); i++)
		str_addf(out, "%s %" PRIu64 " sessions per second in last %u minute%s",
			 i ? "," : "", v->last[i].setups_per_s, minutes[i], i ? "s" : "");
	str_add_char(out, '\n');
}

void performance_print(const struct performance_view *v, struct str *out) {
	for (size_t i = 0; i < v->now.n; i++)
		print_cpu(v, &v->now.cpu[i], out);
	print_memory(&v->memory, out);
	print_averages(v, out);
	str_addf(out, "Uptime: %" PRIu64 " days,  %" PRIu64 " hours,  %" PRIu64 " minutes\n",
		 v->uptime_s / 86400, v->uptime_s / 3600 % 24, v->uptime_s / 60 % 60);
}

static void put_cpu(const struct performance_view *v, const struct cpu *cpu, struct json *j) {
	unsigned int share[CPU_USES];

	cpu_shares(&v->before, cpu, share);
	json_put_object(j, NULL);
	if (cpu->number >= 0)
		json_put_i64(j, "cpu", cpu->number);
	else
		json_put_text(j, "cpu", "all");
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		json_put_u64(j, uses[i].name, share[uses[i].use]);
	json_put_end(j);
}

void performance_json(const struct performance_view *v, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	json_put_array(&j, "cpus");
	for (size_t i = 0; i < v->now.n; i++)
		put_cpu(v, &v->now.cpu[i], &j);
	json_put_end(&j);
	json_put_object(&j, "memory_kib");
	json_put_u64(&j, "total", v->memory.total);
	json_put_u64(&j, "used", v->memory.total - v->memory.free - v->memory.freeable);
	json_put_u64(&j, "free", v->memory.free);
	json_put_u64(&j, "freeable", v->memory.freeable);
	json_put_end(&j);
	json_put_array(&j, "averages");
	for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
		json_put_object(&j, NULL);
		json_put_u64(&j, "minutes", minutes[i]);
		json_put_u64(&j, "rx_kbps", v->last[i].rx_kbps);
		json_put_u64(&j, "tx_kbps", v->last[i].tx_kbps);
		json_put_u64(&j, "sessions", v->last[i].sessions);
		json_put_u64(&j, "session_setups_per_second", v->last[i].setups_per_s);
		json_put_end(&j);
	}
	json_put_end(&j);
	json_put_u64(&j, "uptime_seconds", v->uptime_s);
	json_put_end(&j);
}

static int read_memory(struct memory *ret, struct err *err) {
	AUTO_STR struct str text = STR_INIT;
	int rc = file_read("/proc/meminfo", FILE_MAX, &text, err);

	memory_parse(str_text(&text), ret);
	return rc;
}

static int run_performance(void *ctx, const struct command_call *call, struct str *out,
			   struct err *err) {
	const struct performance *p = sampler_performance(ctx);
	struct performance_view v = { .before = *performance_cpus(p) };
	struct timespec up;
	int rc = command_no_words(call, err);

	if (rc == 0)
		rc = sampler_read_cpus(&v.now, err);
	if (rc == 0)
		rc = read_memory(&v.memory, err);
	clock_gettime(CLOCK_BOOTTIME, &up);
	v.uptime_s = (uint64_t)up.tv_sec;
	for (size_t i = 0; i < ARRAY_LEN(minutes); i++)
		v.last[i] = performance_last(p, minutes[i] * 60);
	if (rc == 0 && call->json)
		performance_json(&v, out);
	else if (rc == 0)
		performance_print(&v, out);
	cpus_done(&v.now);
	return rc;
}

const struct command *commands_performance(size_t *n) {
	static const struct command table[] = {
		{ .words = "get system performance status", .reads = "sysgrp.cfg",
		  .run = run_performance,
		  .has_json = true },
	};

	*n = ARRAY_LEN(table);
	return table;
}
