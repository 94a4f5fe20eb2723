/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing that adds to the log waits for it or fails because of it. Whatever a target drops is
 * counted there, and told from time to time: in the log, which may be full itself, and to whoever
 * asks for a report.
 */
#include "cfgdb/logs/logs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/logs/logsend.h"
#include "schemas/schema_gen.h"

#define MB ((uint64_t)1 << 20)

struct logs {
	const struct engine *engine;
	struct logstore *store;
	struct logsend *send;
	bool to_disk;
	bool changed;              /* by the commit in progress */
};

struct logs *logs_open(const char *dir, const char *local, const struct engine *engine) {
	struct logs *l = xcalloc(1, sizeof(*l));

	l->engine = engine;
	l->store = logstore_open(dir, MB);
	l->send = logsend_new(local);
	return l;
}

struct logs *logs_close(struct logs *l) {
	if (!l)
		return NULL;
	logstore_close(l->store);
	logsend_free(l->send);
	free(l);
	return NULL;
}

struct logstore *logs_store(struct logs *l) {
	return l->store;
}

/* ---- settings ---- */

static void apply_syslog(struct logs *l) {
	const struct object *s =
		model_object(l->engine->model, schema_table(TBL_LOG_SYSLOGD_SETTING));
	const struct logsend_target target = {
		.server = object_str(s, LOG_SYSLOGD_SETTING__SERVER),
		.port = (uint16_t)object_num(s, LOG_SYSLOGD_SETTING__PORT),
		.facility = (unsigned int)object_num(s, LOG_SYSLOGD_SETTING__FACILITY),
		.name = engine_hostname(l->engine),
		.serial = l->engine->serial,
	};

	logsend_to(l->send, object_is(s, LOG_SYSLOGD_SETTING__STATUS, "enable") ? &target : NULL);
}

static void apply(struct logs *l) {
	const struct object *disk =
		model_object(l->engine->model, schema_table(TBL_LOG_DISK_SETTING));

	l->to_disk = object_is(disk, LOG_DISK_SETTING__STATUS, "enable");
	logstore_set_file_max(l->store,
			      (uint64_t)object_num(disk, LOG_DISK_SETTING__MAX_LOG_FILE_SIZE) * MB);
	apply_syslog(l);
}

static int backend_start(void *ctx, const struct commit *commit, struct err *err) {
	(void)commit;
	(void)err;
	apply(ctx);
	return 0;
}

static void warn_of_server(const struct object *s, struct warnings *w) {
	const char *server = object_str(s, LOG_SYSLOGD_SETTING__SERVER);

	if (object_is(s, LOG_SYSLOGD_SETTING__STATUS, "enable") && *server &&
	    !logsend_is_address(server))
		warn_add(w, "log syslogd setting sends nothing: server %s is no address, and this "
			    "unit looks no name up", server);
}

/* The host name is part of what is sent. */
static int backend_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct logs *l = ctx;

	(void)err;
	l->changed = false;
	for (size_t i = 0; i < commit->n_changes; i++) {
		const struct change *c = &commit->changes[i];
		const struct schema_table *table = (c->after ? c->after : c->before)->table;

		l->changed |= strncmp(table->dotted, "log.", 4) == 0 ||
			      table->id == TBL_SYSTEM_GLOBAL;
		if (c->after && table->id == TBL_LOG_SYSLOGD_SETTING)
			warn_of_server(c->after, commit->warnings);
	}
	return 0;
}

static void backend_finish(void *ctx) {
	struct logs *l = ctx;

	if (l->changed)
		apply(l);
	l->changed = false;
}

struct backend logs_backend(struct logs *l) {
	return (struct backend){
		.name = "logs",
		.start = backend_start,
		.prepare = backend_prepare,
		.finish = backend_finish,
		.ctx = l,
	};
}

/* ---- lines ---- */

void logs_add(struct logs *l, enum logstore_category c, enum logtext_level level,
	      const struct str *line) {
	if (l->to_disk)
		logstore_add(l->store, c, str_text(line), line->len);
	logsend_line(l->send, level, str_text(line), line->len);
}

/* An event of subtype system: id 01 00 and the number of the message. */
static void add_event(struct logs *l, const char *id, enum logtext_level level, const char *what,
		      const char *text) {
	struct str line AUTO_STR = STR_INIT;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	logtext_head(&line, &(struct logtext_head){
				    .time_ns = (uint64_t)now.tv_sec * 1000000000u +
					       (uint64_t)now.tv_nsec,
				    .id = id,
				    .type = "event",
				    .subtype = "system",
				    .level = level,
			    });
	logtext_str(&line, "logdesc", what);
	logtext_str(&line, "msg", text);
	logs_add(l, LOGSTORE_EVENT, level, &line);
}

void logs_add_loss(struct logs *l, const char *text) {
	add_event(l, "0100022019", LOGTEXT_NOTICE, "Log rate limit exceeded", text);
}

void logs_add_change(struct logs *l, enum logtext_level level, const char *text) {
	add_event(l, "0100032102", level, "Configuration changed", text);
}

void logs_flush(struct logs *l) {
	logstore_flush(l->store);
}

static void tell_unsent(struct logs *l, uint64_t n) {
	AUTO_FREE char *text = xasprintf("%" PRIu64 " lines could not be sent to syslog", n);

	logs_add_loss(l, text);
}

static int tell_unwritten(struct logs *l, uint64_t n, struct err *err) {
	AUTO_FREE char *text = xasprintf("%" PRIu64 " lines could not be written to the disk", n);

	add_event(l, "0100032010", LOGTEXT_WARNING, "Disk full", text);
	return err_set(err, ERR_STORE, "%s", text);
}

int logs_report(struct logs *l, struct err *err) {
	uint64_t unsent, unwritten;
	int rc = 0;

	logs_flush(l);
	unsent = logsend_lost(l->send);
	unwritten = logstore_lost(l->store);
	if (unsent)
		tell_unsent(l, unsent);
	if (unwritten)
		rc = tell_unwritten(l, unwritten, err);
	logs_flush(l);
	/* Lines of this report that were dropped do not count, or there would be no end. */
	logsend_lost(l->send);
	logstore_lost(l->store);
	return rc;
}
