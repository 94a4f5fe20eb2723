/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process is known by its number and the time of its start: numbers are used again. One that was
 * not there before has used all of its time since.
 *
 * Names are anyone's bytes, with blanks and brackets: the last bracket ends them.
 */
#include "backends/processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

/* Kernel threads that wait idly sleep; what is traced is stopped. */
static char state_of(char c) {
	switch (c) {
	case 'I': return 'S';
	case 't': return 'T';
	case 'X': return 'Z';
	default: return c;
	}
}

static void take_name(const char *from, size_t n, struct process *ret) {
	size_t i = 0;

	for (; i < n && i + 1 < sizeof(ret->name); i++)
		ret->name[i] = from[i] > ' ' && from[i] < 0x7f ? from[i] : '_';
	ret->name[i] = '\0';
}

bool process_parse(const char *text, unsigned int page_kib, struct process *ret) {
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	unsigned long long user, system, start;
	long long pages;
	char state;

	*ret = (struct process){ .pid = atoi(text) };
	if (ret->pid <= 0 || !open || !close || close <= open + 1)
		return false;
	if (sscanf(close + 1,
		   " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %d %*d %*d "
		   "%llu %*u %lld",
		   &state, &user, &system, &ret->nice, &start, &pages) != 6)
		return false;
	take_name(open + 1, (size_t)(close - open - 1), ret);
	ret->state = state_of(state);
	ret->ticks = user + system;
	ret->start = start;
	ret->rss_kib = pages > 0 ? (uint64_t)pages * page_kib : 0;
	return true;
}

void processes_add(struct processes *ps, const struct process *p) {
	if (ps->n >= PROCESSES_MAX)
		return;
	if ((ps->n & (ps->n - 1)) == 0)
		ps->process = xreallocarray(ps->process, ps->n ? ps->n * 2 : 1,
					    sizeof(*ps->process));
	ps->process[ps->n++] = *p;
}

void processes_done(struct processes *ps) {
	free(ps->process);
	*ps = (struct processes){ NULL, 0 };
}

static int pid_order(const void *a, const void *b) {
	const struct process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int use_order(const void *a, const void *b) {
	const struct process *x = a, *y = b;

	if (x->cpu_tenths != y->cpu_tenths)
		return x->cpu_tenths > y->cpu_tenths ? -1 : 1;
	if (x->rss_kib != y->rss_kib)
		return x->rss_kib > y->rss_kib ? -1 : 1;
	return pid_order(a, b);
}

void processes_by_pid(struct processes *ps) {
	if (ps->n)
		qsort(ps->process, ps->n, sizeof(*ps->process), pid_order);
}

static uint64_t ticks_before(const struct processes *before, const struct process *p) {
	const struct process *then =
		before->n ? bsearch(p, before->process, before->n, sizeof(*p), pid_order) : NULL;

	return then && then->start == p->start && then->ticks <= p->ticks ? then->ticks : 0;
}

void processes_compare(const struct processes *before, struct processes *now, uint64_t ticks,
		       uint64_t memory_kib) {
	for (size_t i = 0; i < now->n; i++) {
		struct process *p = &now->process[i];
		uint64_t used = p->ticks - ticks_before(before, p);

		p->cpu_tenths = ticks ? (unsigned int)((used * 1000 + ticks / 2) / ticks) : 0;
		p->memory_tenths = memory_kib ? (unsigned int)(p->rss_kib * 1000 / memory_kib) : 0;
	}
	if (now->n)
		qsort(now->process, now->n, sizeof(*now->process), use_order);
}
