/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration as `show` prints it is blocks of
 *
 *     config firewall address
 *         edit "all"
 *             ...body...
 *         next
 *     end
 *
 * The blocks are cut out here; bodies are read by text_parse(). This is for text that is correct:
 * the factory configuration, what a peer sends. People's scripts go through the shell.
 */
#include "cfgdb/script.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"
#include "cfgdb/model/text.h"

struct script {
	struct txn *txn;
	const char *p;             /* the next line */
	const char *line_start;    /* the line that `words` hold */
	unsigned int line;         /* where it begins */
	unsigned int next_line;
	struct words words;
	struct err *err;
};

static int script_fail(struct script *s, const char *what) {
	return err_set(s->err, ERR_FILE, "line %u: %s", s->line, what);
}

/* The next logical line that is not empty, into s->words; words.n is 0 at the end of the text. */
static int script_next(struct script *s) {
	do {
		AUTO_FREE char *text = NULL;
		const char *end;
		bool open;

		words_done(&s->words);
		if (!*s->p)
			return 0;
		s->line_start = s->p;
		end = lex_line_end(s->p, &open);
		text = xstrndup(s->p, (size_t)(end - s->p));
		s->line = s->next_line++;
		for (const char *c = s->p; c < end; c++)
			s->next_line += *c == '\n';
		s->p = *end ? end + 1 : end;
		if (open || lex_words(text, &s->words, s->err) != LEX_OK)
			return script_fail(s, "a quote is not closed");
	} while (s->words.n == 0);
	return 0;
}

/* Read lines up to the `closing` word of this level; the text between is the body. */
static int script_object(struct script *s, const struct schema_table *table, const char *key,
			 const char *closing) {
	const char *start = s->p;
	unsigned int line = s->line;
	struct object *obj;
	int depth = 0, rc;

	for (;;) {
		rc = script_next(s);
		if (rc)
			return rc;
		if (s->words.n == 0)
			return script_fail(s, "the block is not closed");
		if (depth == 0 && strcmp(s->words.w[0], closing) == 0)
			break;
		depth += strcmp(s->words.w[0], "config") == 0;
		depth -= strcmp(s->words.w[0], "end") == 0;
		if (depth < 0)
			return script_fail(s, "the entry is not closed");
	}
	obj = object_new(table, key);
	{
		AUTO_FREE char *body = xstrndup(start, (size_t)(s->line_start - start));

		rc = text_parse(obj, body, s->err);
	}
	if (rc)
		object_free(obj);
	else
		rc = txn_put(s->txn, obj, TXN_ANY, s->err);
	if (rc)
		err_prefix(s->err, "line %u: %s %s", line, table->path, key);
	return rc;
}

static const struct schema_table *script_table(const struct script *s) {
	AUTO_STR struct str dotted = STR_INIT;

	for (size_t i = 1; i < s->words.n; i++)
		str_addf(&dotted, "%s%s", i > 1 ? "." : "", s->words.w[i]);
	return schema_find(str_text(&dotted));
}

static int script_list(struct script *s, const struct schema_table *table) {
	for (;;) {
		AUTO_FREE char *key = NULL;
		int rc = script_next(s);

		if (rc)
			return rc;
		if (s->words.n == 1 && strcmp(s->words.w[0], "end") == 0)
			return 0;
		if (s->words.n != 2 || strcmp(s->words.w[0], "edit") != 0)
			return script_fail(s, "expected edit or end");
		rc = object_key_parse(table, s->words.w[1], &key, s->err);
		if (rc)
			err_prefix(s->err, "line %u: %s", s->line, table->path);
		else
			rc = script_object(s, table, key, "next");
		if (rc)
			return rc;
	}
}

int script_load(struct txn *t, const char *text, struct err *err) {
	struct script s = { .txn = t, .p = text, .next_line = 1, .err = err };
	int rc;

	while ((rc = script_next(&s)) == 0 && s.words.n > 0) {
		const struct schema_table *table = script_table(&s);

		if (strcmp(s.words.w[0], "config") != 0 || !table)
			rc = script_fail(&s, "expected config and a table");
		else
			rc = schema_is_list(table) ? script_list(&s, table)
						   : script_object(&s, table, "", "end");
		if (rc)
			break;
	}
	words_done(&s.words);
	return rc;
}
