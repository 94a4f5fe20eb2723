/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `execute batch ...`: a script that is typed. From `start` on lines are put aside; `end` carries
 * them out as any script, with a top-level block as one transaction, and prints nothing of what
 * they print: programs that work this way read `lastlog` afterwards, a line with the code of each
 * command. They may ask for it through another connection, so the daemon keeps it.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/client.h"
#include "cfgdb/control/ctl.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/report.h"

#define KEEP_WORDS 3 /* execute batch keep */

/* A batch at work. */
struct batch_job {
	struct shell *sh;
	struct str log;
	struct err lost; /* the connection went meanwhile */
};

static void job_report(void *arg, const struct err *err) {
	struct batch_job *job = arg;

	if (err->code == ERR_TIMEOUT)
		job->lost = *err;
}

static void job_warn(void *arg, const char *text) {
	(void)arg;
	(void)text;
}

static void job_output(void *arg, const char *text, size_t n) {
	(void)arg;
	(void)text;
	(void)n;
}

static void job_line(void *arg, const char *line, int code) {
	struct batch_job *job = arg;

	str_addf(&job->log, "%d: ", report_code(code));
	if (shell_is_secret(job->sh, line)) { /* others may read it over a shoulder, or keep it */
		shell_mask(line, &job->log);
		line = "";
	}
	for (line += strspn(line, " \t"); *line; line++) {
		if (*line == '\n')
			str_add(&job->log, "\\n");
		else
			str_add_char(&job->log, *line);
	}
	str_add_char(&job->log, '\n');
}

static void job_run(struct batch_job *job, const char *text) {
	struct shell *sh = job->sh, before = *sh;
	struct out_filter filter = out_filter(sh->out, (struct out_filter){ job_output, NULL });
	struct lines lines;
	struct batch b = { .sh = sh, .lines = &lines, .done = job_line, .done_arg = job };

	lines_open_text(&lines, text);
	if (sh->commit == SHELL_COMMIT_EACH)
		sh->commit = SHELL_COMMIT_BLOCK;
	sh->report = job_report;
	sh->warn = job_warn;
	sh->report_arg = job;
	sh->confirm = NULL;
	sh->json = false;
	sh->queue.running = true;
	batch_run(&b);
	sh->queue.running = false;
	sh->json = before.json;
	sh->confirm = before.confirm;
	sh->report_arg = before.report_arg;
	sh->warn = before.warn;
	sh->report = before.report;
	sh->commit = before.commit;
	sh->line = before.line;
	lines_done(&lines);
	out_filter(sh->out, filter);
}

static bool never_enough(void *arg) {
	(void)arg;
	return false;
}

static const struct client_output no_output = { .text = job_output,
						     .enough = never_enough };

/* Hand the log to the daemon, in words as long as they may be. */
static int job_keep(struct batch_job *job, struct err *err) {
	size_t n = KEEP_WORDS, piece = CTL_WORD_MAX - 1, at = 0;
	char *words[CTL_WORDS_MAX] = { (char *)"execute", (char *)"batch", (char *)"keep" };
	int rc;

	for (; at < job->log.len && n < CTL_WORDS_MAX; at += piece)
		words[n++] = xstrndup(job->log.data + at,
				      job->log.len - at < piece ? job->log.len - at : piece);
	rc = client_run(job->sh->client, n, words, &no_output, err);
	while (n-- > KEEP_WORDS)
		free(words[n]);
	return rc;
}

int cmd_batch_start(struct shell *sh, const struct call *call, struct err *err) {
	char *words[] = { (char *)call->words[0], (char *)call->words[1], (char *)call->words[2] };
	int rc;

	if (sh->queue.open || sh->queue.running)
		return err_set(err, ERR_CONFLICT, "batch mode is on already");
	rc = client_run(sh->client, ARRAY_LEN(words), words, &no_output, err);
	if (rc)
		return rc;
	queue_open(&sh->queue);
	out_text(sh->out, "Enter batch mode...\n");
	return 0;
}

int cmd_batch_end(struct shell *sh, const struct call *call, struct err *err) {
	struct batch_job job = { .sh = sh };
	AUTO_FREE char *text = NULL;
	bool full = sh->queue.full;
	int rc;

	(void)call;
	if (!sh->queue.open)
		return err_set(err, ERR_CONFLICT, "batch mode is stopped");
	text = xstrdup(str_text(&sh->queue.lines));
	queue_done(&sh->queue);
	if (full)
		return err_set(err, ERR_TOO_LONG,
			       "the batch is too long: at most %u bytes and %u lines\n"
			       "nothing of it was carried out",
			       QUEUE_BYTES_MAX, QUEUE_LINES_MAX);
	out_text(sh->out, "Exit and run batch commands...\n");
	out_flush(sh->out);
	job_run(&job, text);
	if (job.lost.code)
		*err = job.lost;
	rc = job.lost.code ? job.lost.code : job_keep(&job, err);
	str_done(&job.log);
	return rc;
}

int cmd_batch_status(struct shell *sh, const struct call *call, struct err *err) {
	(void)call;
	(void)err;
	if (sh->queue.open)
		out_printf(sh->out, "batch mode is running: %zu commands wait for its end\n",
			   sh->queue.n);
	else
		out_text(sh->out, "batch mode is stopped\n");
	return 0;
}
