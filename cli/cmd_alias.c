/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `alias NAME ARGUMENT...`: carries out the lines of an entry of `system alias` as if they had been
 * typed. Every line is looked at before the first one runs: an alias that lacks an argument does
 * nothing. It ends at the first line that fails, and what it had opened by then is dropped; one
 * that all went well may leave a `config` open, for the lines that follow.
 */
#include <stdint.h>

#include "cfgdb/control/client.h"
#include "cfgdb/model/lex.h"
#include "cli/alias.h"
#include "cli/commands.h"
#include "cli/lines.h"
#include "schemas/schema_gen.h"

/* Call each() with every line, until one fails. */
static int alias_each(const char *name, const char *text,
		      int (*each)(void *arg, const char *line, struct err *err), void *arg,
		      struct err *err) {
	AUTO_STR struct str line = STR_INIT;
	struct lines lines;
	int rc;

	lines_open_text(&lines, text);
	while ((rc = lines_next(&lines, &line, err)) > 0) {
		rc = each(arg, str_text(&line), err);
		if (rc) {
			err_prefix(err, "alias %.64s, line %lu:", name, lines.first);
			break;
		}
	}
	lines_done(&lines);
	return rc;
}

struct alias_call {
	struct shell *sh;
	char *const *argv;
	size_t argc;
	size_t least, most; /* arguments that the lines so far take */
};

static int alias_measure(void *arg, const char *line, struct err *err) {
	struct alias_call *c = arg;
	size_t least, most = alias_arguments(line, &least);

	(void)err;
	c->least = least > c->least ? least : c->least;
	c->most = most > c->most ? most : c->most;
	return 0;
}

static int alias_run_line(void *arg, const char *line, struct err *err) {
	struct alias_call *c = arg;
	AUTO_STR struct str text = STR_INIT;

	if (out_stopped(c->sh->out) || c->sh->quit)
		return 0;
	alias_expand(line, c->argv, c->argc, &text);
	if (text.len > LEX_LINE_MAX)
		return err_set(err, ERR_TOO_LONG, "the line is too long: at most %u bytes",
			       LEX_LINE_MAX);
	return shell_try(c->sh, str_text(&text), err);
}

/* What an alias opened and did not save is dropped when it fails. */
static int alias_run(struct alias_call *c, const char *name, const char *text, struct err *err) {
	size_t depth = c->sh->context.depth;
	int rc;

	if (c->sh->alias_depth == ALIAS_DEPTH_MAX)
		return err_set(err, ERR_MAX_ENTRIES,
			       "aliases are nested too deeply: at most %d inside each other",
			       ALIAS_DEPTH_MAX);
	c->sh->alias_depth++;
	rc = alias_each(name, text, alias_run_line, c, err);
	c->sh->alias_depth--;
	if (rc && c->sh->context.depth > depth)
		shell_drop(c->sh);
	return rc;
}

static int alias_check(const struct alias_call *c, const char *name, struct err *err) {
	if (c->argc < c->least)
		return err_set(err, ERR_INCOMPLETE,
			       "alias '%.64s' lacks arguments: it needs %zu\n\n"
			       "incomplete command in the end",
			       name, c->least);
	return c->argc > c->most ? grammar_refuse(c->argv[c->most], err) : 0;
}

int cmd_alias(struct shell *sh, const struct call *call, struct err *err) {
	struct alias_call c = { .sh = sh, .argv = call->argv + 1, .argc = call->argc - 1 };
	const struct value *v;
	struct object *obj;
	int rc = client_get(sh->client, schema_table(TBL_SYSTEM_ALIAS), call->argv[0], &obj, err);

	if (rc == ERR_NOT_FOUND)
		return err_set(err, rc, "entry is not found in table");
	if (rc)
		return rc;
	v = object_get(obj, SYSTEM_ALIAS__COMMAND);
	if (v) {
		const char *text = value_item(v, 0)->str;

		rc = alias_each(call->argv[0], text, alias_measure, &c, err);
		if (rc == 0)
			rc = alias_check(&c, call->argv[0], err);
		if (rc == 0)
			rc = alias_run(&c, call->argv[0], text, err);
	}
	object_free(obj);
	return rc;
}
