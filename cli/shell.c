/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One command: split into words, understood by the grammar for the kind of level on top, carried
 * out by the function of its row in the command tree, which fills an error or prints.
 *
 * Errors are printed here and nowhere else: the lines of the error, then the line with the code
 * that scripts look for. `Unknown action 0` has none.
 */
#include "cli/shell.h"

#include <stdio.h>
#include <string.h>

#include "cfgdb/model/lex.h"
#include "cli/commands.h"
#include "cli/grammar.h"
#include "cli/pipe.h"
#include "cli/report.h"
#include "schemas/schema_gen.h"

#define SHELL_QUESTION "Do you want to continue? (y/n)"

/* What the daemon warns of belongs to the command that is running. */
static void shell_warn(void *arg, const char *text) {
	struct shell *sh = arg;
	AUTO_STR struct str line = STR_INIT;

	if (sh->warn) {
		sh->warn(sh->report_arg, text);
		return;
	}
	str_addf(&line, "Warning: %s\n", text);
	out_say(sh->out, str_text(&line));
}

void shell_init(struct shell *sh, struct client *client, struct out *out,
		enum shell_commit commit) {
	*sh = (struct shell){ .client = client, .out = out, .commit = commit };
	sh->refs = refs_new();
	sh->prefs = prefs_new();
	sh->context.client = client;
	sh->context.prefs = sh->prefs;
	shell_listen(sh);
}

void shell_listen(struct shell *sh) {
	client_on_warning(sh->client, shell_warn, sh);
}

void shell_done(struct shell *sh) {
	client_on_warning(sh->client, NULL, NULL);
	context_drop(&sh->context);
	queue_done(&sh->queue);
	refs_free(sh->refs);
	sh->refs = NULL;
	prefs_free(sh->prefs);
	sh->prefs = NULL;
}

void shell_page(struct shell *sh, bool on) {
	const struct object *console = prefs_part(sh->prefs, schema_table(TBL_SYSTEM_CONSOLE));

	out_page(sh->out, on && object_is(console, SYSTEM_CONSOLE__OUTPUT, "more"));
}

bool shell_confirm(struct shell *sh, const char *warning) {
	struct out_filter filter;
	bool yes;

	if (!sh->confirm)
		return true;
	filter = out_filter(sh->out, (struct out_filter){ NULL, NULL });
	out_printf(sh->out, "%s\n", warning);
	if (sh->yes)
		out_printf(sh->out, "%sy\n", SHELL_QUESTION);
	yes = sh->yes || sh->confirm(sh->confirm_arg, SHELL_QUESTION);
	out_filter(sh->out, filter);
	return yes;
}

void shell_fail(struct shell *sh, const struct err *err) {
	AUTO_STR struct str text = STR_INIT;

	sh->failures++;
	if (err->code == ERR_TIMEOUT) {
		sh->lost = true;
		out_begin(sh->out); /* that is told even to who wanted no more output */
	}
	if (sh->report) {
		sh->report(sh->report_arg, err);
		return;
	}
	report_text(err, &text);
	out_say(sh->out, str_text(&text));
}

static void shell_tell_json(const struct shell *sh, const char *kind, const struct err *err) {
	AUTO_STR struct str text = STR_INIT;

	report_json(kind, err, sh->line, &sh->context, &text);
	out_flush(sh->out);
	fputs(str_text(&text), stderr);
}

static void shell_fail_json(void *arg, const struct err *err) {
	shell_tell_json(arg, "error", err);
}

static void shell_warn_json(void *arg, const char *text) {
	struct err err;

	err_set(&err, 0, "%s", text);
	shell_tell_json(arg, "warning", &err);
}

void shell_note(struct shell *sh, const char *text) {
	struct err err;

	err_set(&err, 0, "%s", text);
	if (sh->json)
		shell_tell_json(sh, "note", &err);
	else
		fprintf(stderr, "%s\n", text);
}

void shell_print_json(struct shell *sh) {
	sh->json = true;
	sh->report = shell_fail_json;
	sh->warn = shell_warn_json;
	sh->report_arg = sh;
}

/* Words of the command are quoted in its error: their newlines must not pass for lines of it. */
static void shell_one_line(const struct words *words, struct err *err) {
	for (size_t i = 0; i < words->n; i++) {
		struct err word;
		char *at;

		err_set(&word, 0, "%.200s", words->w[i]);
		while (strchr(word.text, '\n') && (at = strstr(err->text, word.text)) != NULL)
			for (size_t n = strlen(word.text); n > 0; n--, at++)
				*at = *at == '\n' ? '?' : *at;
	}
}

/* The shell runs a batch of its own accord, so what a batch must not do is refused here. */
static int shell_check_batch(const struct shell *sh, const struct call *call, struct err *err) {
	if (sh->queue.running && call->n_words > 1 &&
	    strcmp(call->words[1], "config-transaction") == 0)
		return err_set(err, ERR_CONFLICT, "a batch cannot use config transactions");
	return 0;
}

/* What is no JSON must not come between what is. */
static int shell_check_json(const struct shell *sh, const struct call *call, struct err *err) {
	AUTO_STR struct str words = STR_INIT;

	if (!sh->json || !(call->command->flags & COMMAND_TEXT))
		return 0;
	for (size_t i = 0; i < call->n_words; i++)
		str_addf(&words, " %s", call->words[i]);
	return err_set(err, ERR_PARSE, "this command has no JSON form:%s", str_text(&words));
}

/* Nothing is asked, and nothing begun, that the daemon refuses afterwards. */
static int shell_check_may(struct shell *sh, const struct call *call, struct err *err) {
	if (!(call->command->flags & COMMAND_CHECKED) && !(sh->confirm && call->command->warning))
		return 0;
	return cmd_may(sh, call, err);
}

static int shell_words(struct shell *sh, const struct words *words, struct err *err) {
	enum level_kind where = context_kind(&sh->context);
	struct call call;
	int rc = grammar_parse(commands, where, client_info(sh->client), words->w, words->n,
			       &call, err);

	if (rc == 0)
		rc = shell_check_batch(sh, &call, err);
	if (rc == 0)
		rc = shell_check_json(sh, &call, err);
	if (rc == 0)
		rc = shell_check_may(sh, &call, err);
	if (rc == 0 && call.command->warning && !shell_confirm(sh, call.command->warning))
		return 0;
	if (rc)
		return rc;
	shell_page(sh, !(call.command->flags & COMMAND_UNPAGED));
	return call.command->run(sh, &call, err);
}

/* Nothing is carried out when a filter is wrong. */
static int shell_filtered(struct shell *sh, const char *line, const struct pipe *pipe,
			  const struct words *words, struct err *err) {
	struct filters filters;
	int rc;

	if (words->n == 0)
		return pipe->n > 0 ? grammar_refuse("|", err) : 0;
	if (sh->json && pipe->n > 0)
		return err_set(err, ERR_PARSE,
			       "filters pick lines of text, and JSON (--json) has none of meaning");
	rc = filters_begin(&filters, line, pipe, sh->out, err);
	if (rc)
		return rc < 0 ? rc : 0;
	rc = shell_words(sh, words, err);
	filters_end(&filters);
	return rc;
}

/* Whether a line is carried out while a batch is typed: what ends it, and lines without words. */
static bool shell_is_at_once(const struct shell *sh, const char *line) {
	AUTO_WORDS struct words words = { 0 };
	struct pipe pipe;
	struct call call;

	if (pipe_split(line, &pipe, NULL) || pipe_words(line, &pipe, &words, NULL) != LEX_OK)
		return false;
	return words.n == 0 ||
	       (grammar_parse(commands, LEVEL_ROOT, client_info(sh->client), words.w, words.n,
			      &call, NULL) == 0 &&
		(call.command->flags & COMMAND_AT_ONCE));
}

int shell_try(struct shell *sh, const char *line, struct err *err) {
	AUTO_WORDS struct words words = { 0 };
	struct pipe pipe;
	int rc = pipe_split(line, &pipe, err);

	if (rc)
		return rc;
	if (sh->queue.open && !shell_is_at_once(sh, line)) {
		queue_add(&sh->queue, line);
		return 0;
	}
	switch (pipe_words(line, &pipe, &words, err)) {
	case LEX_OK:
		rc = shell_filtered(sh, line, &pipe, &words, err);
		break;
	case LEX_MORE:
		rc = err_set(err, ERR_PARSE, "Unmatched double quote.");
		break;
	case LEX_BAD:
		rc = err->code;
		break;
	}
	if (rc)
		shell_one_line(&words, err);
	shell_page(sh, false);
	return rc;
}

int shell_run(struct shell *sh, const char *line) {
	struct err err = { 0 };
	int rc = shell_try(sh, line, &err);

	if (rc)
		shell_fail(sh, &err);
	return rc;
}

void shell_drop(struct shell *sh) {
	struct err err;

	context_drop(&sh->context);
	if (sh->in_block && client_abort(sh->client, &err) == ERR_TIMEOUT)
		sh->lost = true;
	sh->in_block = false;
}

void shell_prompt(const struct shell *sh, struct str *out) {
	const struct context *ctx = &sh->context;

	str_add(out, client_info(sh->client)->hostname);
	if (ctx->depth)
		str_addf(out, " (%s)", ctx->levels[ctx->depth - 1].name);
	str_add(out, client_info(sh->client)->writes_all ? " # " : " $ ");
}

const struct schema_table *shell_list(struct shell *sh) {
	struct list_ref list;

	return context_list(&sh->context, &list) ? list.table : NULL;
}

const struct object *shell_object(struct shell *sh) {
	struct level *top = context_top(&sh->context);

	return top ? top->obj : NULL;
}
