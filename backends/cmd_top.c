/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look at all processes is made in pieces, for others want to be served, too; then the stream
 * waits. What is printed is what happened between two looks: so the first lines come after a second
 * and not at once. With a number of times the stream ends by itself; as JSON it ends after one.
 *
 * The share of a process is that of one processor, the line above has shares of all.
 */
#include "backends/cmd_top.h"

#include <bsd/stdlib.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "backends/processes.h"
#include "backends/sampler.h"
#include "cfgdb/base/file.h"
#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"

#define DELAY_S 5
#define DELAY_MAX_S 3600
#define LINES 20
#define LINES_MAX 1000
#define TIMES_MAX 1000000
#define PIECE 100            /* processes that are read at once */
#define STAT_MAX 4096        /* bytes of /proc/PID/stat */
#define MEMINFO_MAX 65536

/* The machine at one moment. */
struct look {
	struct processes processes;
	struct cpus cpus;
	struct memory memory;
	struct timespec at;
};

struct top {
	unsigned int delay_s, lines, times;  /* times: 0 for ever */
	unsigned int shown;
	bool json;
	struct json out;
	int timer;
	DIR *dir;                /* while a look is being made */
	struct look before, now;
	bool looked;             /* `before` is there */
};

/* ---- looking ---- */

static void look_done(struct look *l) {
	processes_done(&l->processes);
	cpus_done(&l->cpus);
}

static int look_begin(struct top *t, struct err *err) {
	t->dir = opendir("/proc");
	return t->dir ? 0 : err_set(err, ERR_KERNEL, "/proc: %s", strerror(errno));
}

static void look_at(struct look *l, const char *pid) {
	AUTO_FREE char *path = xasprintf("/proc/%s/stat", pid);
	AUTO_STR struct str text = STR_INIT;
	struct process p;

	/* it may be over by now */
	if (file_read(path, STAT_MAX, &text, NULL) == 0 &&
	    process_parse(str_text(&text), (unsigned int)sysconf(_SC_PAGESIZE) / 1024, &p))
		processes_add(&l->processes, &p);
}

/* Look at some more; false when these were all. */
static bool look_on(struct top *t) {
	const struct dirent *entry;

	for (unsigned int i = 0; i < PIECE;) {
		entry = readdir(t->dir);
		if (!entry)
			return false;
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		look_at(&t->now, entry->d_name);
		i++;
	}
	return true;
}

static int look_end(struct top *t, struct err *err) {
	AUTO_STR struct str text = STR_INIT;
	int rc = sampler_read_cpus(&t->now.cpus, err);

	closedir(t->dir);
	t->dir = NULL;
	if (rc == 0)
		rc = file_read("/proc/meminfo", MEMINFO_MAX, &text, err);
	memory_parse(str_text(&text), &t->now.memory);
	clock_gettime(CLOCK_BOOTTIME, &t->now.at);
	processes_by_pid(&t->now.processes);
	return rc;
}

/* What is now will be before. */
static void look_over(struct top *t) {
	look_done(&t->before);
	t->before = t->now;
	processes_by_pid(&t->before.processes);
	t->now = (struct look){ .processes = { NULL, 0 } };
	t->looked = true;
}

/* ---- printing ---- */

static const struct {
	enum cpu_use use;
	const char *letters, *name;
} uses[] = {
	{ CPU_USER, "U", "user" },	  { CPU_NICE, "N", "nice" },
	{ CPU_SYSTEM, "S", "system" },	  { CPU_IDLE, "I", "idle" },
	{ CPU_IOWAIT, "WA", "iowait" },	  { CPU_IRQ, "HI", "irq" },
	{ CPU_SOFTIRQ, "SI", "softirq" }, { CPU_STEAL, "ST", "steal" },
};

static void shares(const struct top *t, unsigned int ret[CPU_USES]) {
	memset(ret, 0, CPU_USES * sizeof(*ret));
	if (t->now.cpus.n)
		cpu_shares(&t->before.cpus, &t->now.cpus.cpu[0], ret);
}

static void print(const struct top *t, size_t n, struct str *out) {
	long long minutes = t->now.at.tv_sec / 60;
	unsigned int share[CPU_USES];

	shares(t, share);
	str_addf(out, "Run Time:  %lld days, %lld hours and %lld minutes\n", minutes / 1440,
		 minutes / 60 % 24, minutes % 60);
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		str_addf(out, "%s%u%s", i ? ", " : "", share[uses[i].use], uses[i].letters);
	str_addf(out, "; %" PRIu64 "T, %" PRIu64 "F\n", t->now.memory.total / 1024,
		 t->now.memory.free / 1024);
	for (size_t i = 0; i < n; i++) {
		const struct process *p = &t->now.processes.process[i];

		str_addf(out, "%16s%9d      %c %c%6u.%u%6u.%u\n", p->name, p->pid, p->state,
			 p->nice < 0 ? '<' : p->nice > 0 ? 'N' : ' ', p->cpu_tenths / 10,
			 p->cpu_tenths % 10, p->memory_tenths / 10, p->memory_tenths % 10);
	}
}

static void put(struct top *t, size_t n, struct str *out) {
	struct json *j = &t->out;
	unsigned int share[CPU_USES];

	j->out = out;
	if (t->shown == 0)
		json_put_array(j, NULL);
	shares(t, share);
	json_put_object(j, NULL);
	json_put_i64(j, "uptime_seconds", t->now.at.tv_sec);
	json_put_object(j, "cpu");
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		json_put_u64(j, uses[i].name, share[uses[i].use]);
	json_put_end(j);
	json_put_u64(j, "memory_kib", t->now.memory.total);
	json_put_u64(j, "free_kib", t->now.memory.free);
	json_put_array(j, "processes");
	for (size_t i = 0; i < n; i++) {
		const struct process *p = &t->now.processes.process[i];
		const char state[] = { p->state, '\0' };

		json_put_object(j, NULL);
		json_put_text(j, "name", p->name);
		json_put_i64(j, "pid", p->pid);
		json_put_text(j, "state", state);
		json_put_i64(j, "nice", p->nice);
		json_put_tenths(j, "cpu", p->cpu_tenths);
		json_put_tenths(j, "memory", p->memory_tenths);
		json_put_u64(j, "resident_kib", p->rss_kib);
		json_put_end(j);
	}
	json_put_end(j);
	json_put_end(j);
	if (t->shown + 1 == t->times)
		json_put_end(j);
}

/* Ticks of a processor that have passed between the looks. */
static uint64_t ticks_between(const struct top *t) {
	long long ms = (t->now.at.tv_sec - t->before.at.tv_sec) * 1000ll +
		       (t->now.at.tv_nsec - t->before.at.tv_nsec) / 1000000;

	return ms > 0 ? (uint64_t)ms * (uint64_t)sysconf(_SC_CLK_TCK) / 1000 : 0;
}

static void show(struct top *t, struct str *out) {
	size_t n = t->now.processes.n < t->lines ? t->now.processes.n : t->lines;

	processes_compare(&t->before.processes, &t->now.processes, ticks_between(t),
			  t->now.memory.total);
	if (t->json)
		put(t, n, out);
	else
		print(t, n, out);
	t->shown++;
}

/* ---- the stream ---- */

static enum stream_state top_next(void *ctx, struct str *out, struct err *err) {
	struct top *t = ctx;
	uint64_t expired;

	if (read(t->timer, &expired, sizeof(expired)) < 0 && errno != EAGAIN) {
		err_set(err, ERR_KERNEL, "no timer: %s", strerror(errno));
		return STREAM_FAILED;
	}
	if (!t->dir && look_begin(t, err) != 0)
		return STREAM_FAILED;
	if (look_on(t))
		return STREAM_MORE;
	if (look_end(t, err) != 0)
		return STREAM_FAILED;
	if (t->looked)
		show(t, out);
	look_over(t);
	return t->times && t->shown == t->times ? STREAM_END : STREAM_WAIT;
}

/* A list that nobody wants the rest of is a list all the same. */
static void top_last(void *ctx, struct str *out) {
	struct top *t = ctx;

	t->out.out = out;
	if (t->json && t->shown > 0)
		json_put_end(&t->out);
}

static void top_close(void *ctx) {
	struct top *t = ctx;

	if (t->dir)
		closedir(t->dir);
	if (t->timer >= 0)
		close(t->timer);
	look_done(&t->before);
	look_done(&t->now);
	free(t);
}

static int take_number(const struct command_call *call, size_t i, unsigned int max,
		       unsigned int *ret, struct err *err) {
	const char *bad = NULL;

	if (i >= call->argc)
		return 0;
	*ret = (unsigned int)strtonum(call->argv[i], 1, max, &bad);
	return bad ? command_bad_word(call->argv[i], err) : 0;
}

static int take_words(const struct command_call *call, struct top *t, struct err *err) {
	int rc = call->argc > 3 ? command_bad_word(call->argv[3], err) : 0;

	t->delay_s = DELAY_S;
	t->lines = LINES;
	t->times = call->json ? 1 : 0;
	if (rc == 0)
		rc = take_number(call, 0, DELAY_MAX_S, &t->delay_s, err);
	if (rc == 0)
		rc = take_number(call, 1, LINES_MAX, &t->lines, err);
	if (rc == 0)
		rc = take_number(call, 2, TIMES_MAX, &t->times, err);
	return rc;
}

static int top_open(void *ctx, const struct command_call *call, struct stream *ret,
		    struct err *err) {
	struct top *t = xcalloc(1, sizeof(*t));
	struct itimerspec ticks = { .it_value = { .tv_sec = 1 } };
	int rc = take_words(call, t, err);

	(void)ctx;
	t->json = call->json;
	t->timer = rc ? -1 : timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	ticks.it_interval.tv_sec = t->delay_s;
	if (rc == 0 && (t->timer < 0 || timerfd_settime(t->timer, 0, &ticks, NULL) != 0))
		rc = err_set(err, ERR_KERNEL, "no timer: %s", strerror(errno));
	if (rc) {
		top_close(t);
		return rc;
	}
	*ret = (struct stream){ .next = top_next, .close = top_close, .last = top_last,
				.fd = t->timer, .ctx = t };
	return 0;
}

const struct command *commands_top(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose sys top", .reads = "sysgrp.cfg",
		  .open = top_open, .has_json = true },
		{ .words = "get system performance top", .reads = "sysgrp.cfg",
		  .open = top_open, .has_json = true },
	};

	*n = ARRAY_LEN(table);
	return table;
}
