/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A script goes on after an error: what fails is reported and left out. Left out with a `config` or
 * an `edit` are the lines that were meant for it, or they would hit whatever is open instead: a
 * misspelt nested `config` must not let its `set` lines change the entry around it. Commands that
 * change nothing are carried out even there, at the root.
 *
 * Without its `end` a top-level block is not committed: a script that was cut off does nothing by
 * halves.
 */
#include "cli/batch.h"

#include <stdio.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"
#include "cli/pipe.h"

static const struct {
	const char *word;
	size_t least; /* letters that make it unambiguous everywhere */
	enum verb verb;
} verbs[] = {
	{ "config", 1, VERB_CONFIG },
	{ "edit", 2, VERB_EDIT },
	{ "next", 1, VERB_NEXT },
	{ "end", 2, VERB_CLOSE },
	{ "abort", 2, VERB_CLOSE },
	{ "get", 1, VERB_LOOK },
	{ "show", 2, VERB_LOOK },
	{ "tree", 1, VERB_LOOK },
	{ "diagnose", 2, VERB_LOOK },
	{ "execute", 3, VERB_LOOK },
	{ "exit", 3, VERB_QUIT },
	{ "quit", 1, VERB_QUIT },
};

enum verb batch_verb(const struct words *words) {
	size_t len = words->n ? strlen(words->w[0]) : 0;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (len >= verbs[i].least && strncmp(verbs[i].word, words->w[0], len) == 0)
			return verbs[i].verb == VERB_LOOK && words->n < 2 ? VERB_OTHER
									  : verbs[i].verb;
	return VERB_OTHER;
}

/* ---- errors ---- */

/* The lines of an error as one. */
static void batch_join(const char *text, struct str *out) {
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > 0 && out->len > 0)
			str_add(out, "; ");
		str_add_bytes(out, text, n);
		text += n + (text[n] != '\0');
	}
}

static void batch_say(struct batch *b, unsigned long line, const char *kind, const char *text) {
	b->sh->line = line;
	if (b->sh->json) {
		shell_note(b->sh, text);
		return;
	}
	out_flush(b->sh->out);
	fprintf(stderr, "%s:%lu: %s: %s\n", b->name, line, kind, text);
}

static void batch_report_at(struct batch *b, unsigned long line, const struct err *err) {
	AUTO_STR struct str text = STR_INIT;

	batch_join(err->text, &text);
	if (err->code != ERR_UNKNOWN)
		str_addf(&text, " (code %d)", err->code);
	batch_say(b, line, "error", str_text(&text));
}

static void batch_report(void *arg, const struct err *err) {
	struct batch *b = arg;

	batch_report_at(b, b->lines->first, err);
}

static void batch_warn(void *arg, const char *text) {
	struct batch *b = arg;

	batch_say(b, b->lines->first, "warning", text);
}

/* ---- leaving out ---- */

static void batch_skip(struct batch *b, bool entry, int why) {
	b->left_out = b->lines->first;
	b->why = why;
	b->entry = entry;
	b->nested = 0;
}

static void batch_skip_end(struct batch *b, unsigned long last) {
	if ((b->name || b->sh->json) && last > b->left_out + 1)
		batch_say(b, b->left_out, "note", "the lines up to its end were left out, too");
	b->left_out = 0;
}

/* True when a line belongs to what was left out and must not be carried out. */
static bool batch_skips(struct batch *b, enum verb verb) {
	if (!b->left_out)
		return false;
	if (verb == VERB_LOOK || verb == VERB_QUIT)
		return b->sh->context.depth > 0;
	if (verb == VERB_CONFIG)
		b->nested++;
	if (verb == VERB_CLOSE && b->nested > 0) {
		b->nested--;
	} else if (verb == VERB_CLOSE) {
		/* the end of a table whose entry failed closes the table */
		bool runs = b->entry;

		batch_skip_end(b, b->lines->first);
		return !runs;
	} else if (verb == VERB_NEXT && b->entry && b->nested == 0) {
		batch_skip_end(b, b->lines->first);
	}
	return true;
}

/* ---- running ---- */

static void batch_prompt(struct batch *b) {
	AUTO_STR struct str prompt = STR_INIT;

	if (!b->prompts)
		return;
	shell_prompt(b->sh, &prompt);
	out_text(b->sh->out, str_text(&prompt));
	if (lines_empty(b->lines))
		out_flush(b->sh->out);
}

/* Returns the code of the command, which belongs to what is carried out. */
static int batch_try(struct batch *b, const char *line, enum verb verb) {
	bool at_root = b->sh->context.depth == 0;
	int rc = shell_run(b->sh, line);

	if (rc && (verb == VERB_CONFIG || verb == VERB_EDIT))
		batch_skip(b, verb == VERB_EDIT, rc);
	else if (at_root && b->sh->context.depth > 0)
		b->block = b->lines->first;
	return rc;
}

static void batch_done(const struct batch *b, const char *command, int code) {
	if (b->done)
		b->done(b->done_arg, command, code);
}

enum batch_outcome batch_command(struct batch *b, const char *line) {
	AUTO_WORDS struct words words = { 0 };
	struct pipe pipe;
	enum verb verb;
	bool skipped;
	int rc;

	if (pipe_split(line, &pipe, NULL) == 0)
		pipe_words(line, &pipe, &words, NULL);
	verb = batch_verb(&words);
	skipped = batch_skips(b, verb);
	rc = skipped ? b->why : batch_try(b, line, verb);
	if (b->sh->queue.open) /* nobody types a batch for what could not be opened */
		b->left_out = 0;
	if (words.n > 0)
		batch_done(b, line, rc);
	if (skipped)
		return BATCH_LEFT_OUT;
	return rc ? BATCH_FAILED : BATCH_DONE;
}

/* The input ended while a block was open. */
static void batch_unfinished(struct batch *b) {
	const struct level *top = context_top(&b->sh->context);
	bool entry = top && top->kind == LEVEL_ENTRY;
	struct err err;

	if (!top)
		return;
	err_set(&err, ERR_INCOMPLETE,
		"the configuration of '%s' that begins in line %lu%s%.200s%s has no end: "
		"nothing of it is committed",
		b->sh->context.levels[0].frame, b->block, entry ? ", entry '" : "",
		entry ? top->name : "", entry ? "' in it," : "");
	b->lines->first = b->sh->line = b->block;
	if (b->prompts)
		out_text(b->sh->out, "\n");
	shell_fail(b->sh, &err);
	batch_done(b, "end", err.code);
	shell_drop(b->sh);
}

/* A secret that the script has in the line behind the command. */
static bool batch_ask(void *arg, const char *prompt, struct str *ret) {
	struct batch *b = arg;

	(void)prompt;
	return lines_next(b->lines, ret, NULL) > 0;
}

void batch_run(struct batch *b) {
	AUTO_STR struct str line = STR_INIT;
	struct err err;
	int rc = 1;

	if (b->name && !b->sh->json) {
		b->sh->report = batch_report;
		b->sh->warn = batch_warn;
		b->sh->report_arg = b;
	}
	if (b->sh->reads_stdin && !b->sh->typing) {
		b->sh->ask = batch_ask;
		b->sh->ask_arg = b;
	}
	while (!b->sh->quit && !b->sh->lost) {
		batch_prompt(b);
		rc = lines_next(b->lines, &line, &err);
		if (rc == 0)
			break;
		b->sh->line = b->lines->first;
		out_begin(b->sh->out);
		if (rc > 0) {
			batch_command(b, str_text(&line));
		} else {
			shell_fail(b->sh, &err);
			batch_done(b, str_text(&line), rc);
		}
		if (rc > 0 && b->prompts && !b->sh->quit)
			out_text(b->sh->out, "\n");
	}
	if (b->left_out)
		batch_skip_end(b, b->lines->first);
	if (b->sh->lost)
		context_drop(&b->sh->context);
	batch_unfinished(b);
	out_flush(b->sh->out);
}

void batch_run_atomic(struct batch *b) {
	struct shell *sh = b->sh;
	AUTO_FREE char *note = NULL;
	struct err err = { 0 };

	if (client_begin(sh->client, &err)) {
		shell_fail(sh, &err);
		return;
	}
	batch_run(b);
	if (sh->lost)
		return;
	sh->line = 0;
	if (sh->failures == 0) {
		if (client_commit_as(sh->client, &b->commit, &err) == 0)
			return;
		err_prefix(&err, "nothing was committed");
		shell_fail(sh, &err);
		return;
	}
	if (client_abort(sh->client, &err) == ERR_TIMEOUT)
		sh->lost = true;
	note = xasprintf("nothing was committed: %lu of the commands failed", sh->failures);
	shell_note(sh, note);
}
