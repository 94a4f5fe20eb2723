/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program may run a batch through one connection and ask through the next what became of it, so
 * the log is not the connection's but the administrator's. It is kept in memory: after a restart
 * there is none.
 */
#include "cfgdb/control/cmd_batch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/requests.h"

struct batch_log {
	TAILQ_ENTRY(batch_log) next;
	char *user;
	struct str text;
};

TAILQ_HEAD(batch_log_head, batch_log);

struct batch_logs {
	struct batch_log_head all; /* the newest first */
	unsigned int n;
};

struct batch_logs *batch_logs_new(void) {
	struct batch_logs *logs = xcalloc(1, sizeof(*logs));

	TAILQ_INIT(&logs->all);
	return logs;
}

static void batch_drop(struct batch_logs *logs, struct batch_log *log) {
	TAILQ_REMOVE(&logs->all, log, next);
	logs->n--;
	free(log->user);
	str_done(&log->text);
	free(log);
}

void batch_logs_free(struct batch_logs *logs) {
	struct batch_log *log;

	while (logs && (log = TAILQ_FIRST(&logs->all)) != NULL)
		batch_drop(logs, log);
	free(logs);
}

static struct batch_log *batch_find(const struct batch_logs *logs, const char *user) {
	struct batch_log *log;

	TAILQ_FOREACH(log, &logs->all, next)
		if (strcmp(log->user, user) == 0)
			return log;
	return NULL;
}

static int run_keep(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct batch_logs *logs = ctx;
	struct batch_log *log = batch_find(logs, call->user);
	size_t len = 0;

	(void)out;
	for (size_t i = 0; i < call->argc; i++)
		len += strlen(call->argv[i]);
	if (len > BATCH_LOG_MAX)
		return err_set(err, ERR_TOO_LONG, "the log is too long: at most %u bytes",
			       BATCH_LOG_MAX);
	if (log)
		batch_drop(logs, log);
	else if (logs->n == BATCH_LOGS_MAX)
		batch_drop(logs, TAILQ_LAST(&logs->all, batch_log_head));
	log = xcalloc(1, sizeof(*log));
	log->user = xstrdup(call->user);
	for (size_t i = 0; i < call->argc; i++)
		str_add(&log->text, call->argv[i]);
	TAILQ_INSERT_HEAD(&logs->all, log, next);
	logs->n++;
	return 0;
}

/* Each line is a code, a colon, and a command without newlines. */
static void log_json(const char *line, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_array(&j, NULL);
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *colon = line + strcspn(line, ":\n");
		const char *command = colon + strspn(colon, ": ");
		AUTO_FREE char *text = xstrndup(command, strcspn(command, "\n"));

		json_put_object(&j, NULL);
		json_put_i64(&j, "code", strtoll(line, NULL, 10));
		json_put_text(&j, "command", text);
		json_put_end(&j);
	}
	json_put_end(&j);
}

static int run_lastlog(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err) {
	const struct batch_log *log = batch_find(ctx, call->user);
	int rc = command_no_words(call, err);

	if (rc == 0 && call->json)
		log_json(log ? str_text(&log->text) : "", out);
	else if (rc == 0 && log)
		str_add_bytes(out, str_text(&log->text), log->text.len);
	return rc;
}

/* A batch commits block by block, a config transaction all at once: it is one or the other. */
static int run_start(void *ctx, const struct command_call *call, struct str *out,
		     struct err *err) {
	(void)ctx;
	(void)out;
	if (workspace_txn(&call->caller->seat))
		return err_set(err, ERR_CONFLICT,
			       "a batch cannot be started in a config transaction");
	return command_no_words(call, err);
}

const struct command *commands_batch(size_t *n) {
	static const struct command table[] = {
		{ .words = "execute batch start", .reads = "any", .run = run_start },
		{ .words = "execute batch keep", .reads = "any", .run = run_keep },
		{ .words = "execute batch lastlog", .reads = "any",
		  .has_json = true, .run = run_lastlog },
	};

	*n = ARRAY_LEN(table);
	return table;
}
