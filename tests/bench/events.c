/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it costs to tell what administrators do: tests/bench/events. Commits of one address each, by
 * turns on a unit that tells nobody, on one that writes events to the disk, and on one that sends
 * them to a syslog server as well; there is no kernel beneath, so it is the store that they are
 * compared with. Then refusals: those that are told, and those that are too many.
 *
 * Nothing here passes or fails by the clock.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/logs/audit.h"
#include "cfgdb/logs/flood.h"
#include "cfgdb/model/text.h"
#include "cfgdb/txn.h"

#define COMMITS 500u
#define REFUSALS 100000u

static const char *const kinds[] = { "told to nobody", "to the disk", "to the disk and a server" };

struct unit {
	char dir[40], *log_dir;
	struct engine *engine;
	struct logs *logs;
	struct audit *audit;     /* NULL: nobody is told */
	double times[COMMITS];
};

static double now_s(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void require(bool good, const struct err *err) {
	if (good)
		return;
	fprintf(stderr, "events: %s\n", err->text);
	exit(1);
}

static void put(struct engine *e, const char *dotted, const char *key, const char *body) {
	struct txn *t = txn_new(e, "admin", "ssh(192.0.2.7)");
	struct object *obj = object_new(schema_find(dotted), key);
	struct err err = { 0 };

	require(text_parse(obj, body, &err) == 0, &err);
	require(txn_put(t, obj, TXN_ANY, &err) == 0, &err);
	require(txn_commit(t, &err) == 0, &err);
	txn_free(t);
}

/* The port is that of a server that does not listen, or nobody would read what is sent. */
static void unit_open(struct unit *u, unsigned int kind) {
	struct err err = { 0 };
	struct backend b;

	strcpy(u->dir, "/tmp/gatehouse-bench.XXXXXX");
	require(mkdtemp(u->dir) != NULL, &(struct err){ .text = "no directory" });
	u->engine = engine_open(u->dir, &err);
	require(u->engine != NULL, &err);
	if (kind == 0)
		return;
	u->log_dir = xasprintf("%s/log", u->dir);
	u->logs = logs_open(u->log_dir, "/nowhere", u->engine);
	u->audit = audit_new(u->logs, moment_now);
	b = logs_backend(u->logs);
	engine_add_backend(u->engine, &b);
	require(b.start(b.ctx, &(struct commit){ .model = u->engine->model }, &err) == 0, &err);
	b = audit_backend(u->audit);
	engine_add_backend(u->engine, &b);
	if (kind > 1)
		put(u->engine, "log.syslogd.setting", "",
		    "set status enable\nset server 127.0.0.1\nset port 9\n");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void unit_close(struct unit *u) {
	audit_free(u->audit);
	logs_close(u->logs);
	engine_close(u->engine);
	free(u->log_dir);
	if (nftw(u->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
		perror(u->dir);
}

static int compare(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median_us(struct unit *u) {
	qsort(u->times, COMMITS, sizeof(u->times[0]), compare);
	return u->times[COMMITS / 2] * 1e6;
}

static void commit_figures(struct unit *units) {
	double base;

	for (unsigned int i = 0; i < COMMITS; i++) {
		AUTO_FREE char *body = xasprintf("set comment 'number %u'\n", i);

		for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
			double begin = now_s();

			put(units[k].engine, "firewall.address", "a", body);
			units[k].times[i] = now_s() - begin;
		}
	}
	base = median_us(&units[0]);
	printf("%u commits, the median of each\n", COMMITS);
	printf("  %-28s %8.0f us\n", kinds[0], base);
	for (size_t k = 1; k < ARRAY_LEN(kinds); k++) {
		double t = median_us(&units[k]);

		printf("  %-28s %8.0f us  %5.2f times\n", kinds[k], t, t / base);
	}
}

static double refuse(struct audit *a, unsigned int n) {
	static const struct audit_who who = { "guest", "ssh(192.0.2.7)" };
	const struct err why = { .code = ERR_DENIED, .text = "he may not" };
	const struct audit_refused what = { .change = true, .why = &why };
	double begin = now_s();

	for (unsigned int i = 0; i < n; i++)
		audit_refusal(a, &who, &what);
	return (now_s() - begin) * 1e6 / n;
}

static void refusal_figures(struct audit *a) {
	double told = refuse(a, FLOOD_EACH_MAX), untold = refuse(a, REFUSALS);

	printf("refusals\n  %-28s %8.2f us\n  %-28s %8.2f us  %5.2f times\n", "that are told", told,
	       "that are too many", untold, untold / told);
}

int main(void) {
	struct unit *units = xcalloc(ARRAY_LEN(kinds), sizeof(*units));

	for (unsigned int k = 0; k < ARRAY_LEN(kinds); k++)
		unit_open(&units[k], k);
	commit_figures(units);
	refusal_figures(units[1].audit);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		unit_close(&units[k]);
	free(units);
	return 0;
}
