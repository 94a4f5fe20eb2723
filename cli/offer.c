/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Someone types `gatehouse -c 'config firewall policy' -c 'edit 1' -c 'set sr` and presses Tab. The
 * commands before the last one are carried out in a transaction that is dropped, so that the last
 * one is completed where it would stand; what they print or fail with is nobody's business.
 */
#include "cli/offer.h"

#include <string.h>

#include "cfgdb/model/lex.h"
#include "cli/complete.h"
#include "cli/shell.h"

static void offer_ignore(void *arg, const struct err *err) {
	(void)arg;
	(void)err;
}

static void offer_ignore_warning(void *arg, const char *text) {
	(void)arg;
	(void)text;
}

/* Only what begins with `config` stays in the transaction. */
static bool offer_is_config(struct shell *sh, const char *line) {
	AUTO_WORDS struct words words = { 0 };

	if (sh->context.depth > 0)
		return true;
	return lex_words(line, &words, NULL) == LEX_OK && words.n > 0 &&
	       strncmp("config", words.w[0], strlen(words.w[0])) == 0;
}

static void offer_run(struct shell *sh, struct lines *lines) {
	AUTO_STR struct str line = STR_INIT;
	struct err err;
	int rc;

	while (!sh->lost && (rc = lines_next(lines, &line, &err)) != 0)
		if (rc > 0 && offer_is_config(sh, str_text(&line)))
			shell_run(sh, str_text(&line));
}

/* Either all words are in quotes or none: what they have in common is then that of their text. */
static void offer_words(struct shell *sh, const char *text, struct str *out) {
	struct completion c;
	bool quoted;

	complete_line(sh, text, &c);
	quoted = c.quoted;
	if (c.n > 0) {
		str_add_bytes(out, text, c.start);
		str_add_char(out, '\n');
	}
	for (size_t i = 0; i < c.n; i++)
		quoted |= !complete_is_plain(c.items[i].word);
	for (size_t i = 0; i < c.n; i++) {
		if (c.items[i].open)
			complete_quote_part(c.items[i].word, quoted, out);
		else if (quoted)
			value_quote(c.items[i].word, out);
		else
			str_add(out, c.items[i].word);
		str_add(out, c.items[i].open ? "\n" : " \n");
	}
	complete_done(&c);
}

void offer_print(struct client *client, struct lines *lines, const char *text, struct str *out) {
	struct shell sh;
	struct out nowhere;
	struct err err;
	bool begun = client_begin(client, &err) == 0;

	out_init(&nowhere, -1);
	shell_init(&sh, client, &nowhere, SHELL_COMMIT_ALL);
	sh.report = offer_ignore;
	sh.warn = offer_ignore_warning;
	if (begun)
		offer_run(&sh, lines);
	offer_words(&sh, text, out);
	shell_done(&sh);
	if (begun)
		client_abort(client, &err);
	out_done(&nowhere);
}
