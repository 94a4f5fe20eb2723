/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that the daemon answers. The one whose words are the longest that begin the line is
 * meant; the rest are its arguments. Whether its user may have it is asked here, from what its row
 * says, before it sees anything of the line. An answer that does not come at once is a stream of
 * the connection, of which there is one at a time.
 */
#include "cfgdb/control/requests_run.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/logs/audit.h"

/* ---- which one ---- */

/* Words of the command that begin argv, or 0. */
static size_t command_matches(const struct command *c, size_t argc, char *const argv[]) {
	const char *p = c->words;
	size_t n = 0;

	while (*p) {
		size_t len = strcspn(p, " ");

		if (n >= argc || strlen(argv[n]) != len || strncmp(argv[n], p, len) != 0)
			return 0;
		n++;
		p += len;
		p += *p == ' ';
	}
	return n;
}

static const struct command *command_find(const struct server_config *config, size_t argc,
					  char *const argv[], size_t *n_words) {
	const struct command *best = NULL;

	*n_words = 0;
	for (size_t i = 0; i < config->n_commands; i++) {
		size_t n = command_matches(&config->commands[i], argc, argv);

		if (n > *n_words) {
			*n_words = n;
			best = &config->commands[i];
		}
	}
	return best;
}

/* ---- running ---- */

static void send_text(struct caller *s, enum ctl_type type, const struct str *text) {
	for (size_t at = 0; at < text->len;) {
		AUTO_BUF struct buf b = BUF_INIT;
		size_t n = text->len - at < CTL_TEXT_CHUNK ? text->len - at : CTL_TEXT_CHUNK;

		buf_put_u8(&b, (uint8_t)type);
		buf_put_strn(&b, text->data + at, n);
		s->send(s->send_arg, &b);
		at += n;
	}
}

/* The first word must be his, and the group. */
static int check_command(const struct caller *s, const struct command *c, struct err *err) {
	AUTO_FREE char *verb = xstrndup(c->words, strcspn(c->words, " "));
	AUTO_FREE char *act = xasprintf("use '%s'", c->words);
	const char *group = c->writes ? c->writes : c->reads;
	enum rights_level needed = c->writes ? RIGHTS_WRITE : RIGHTS_READ;

	if (s->rights.super || ((s->rights.verbs & rights_verb(verb)) &&
				rights_in(&s->rights, group) >= needed))
		return 0;
	return rights_refuse(c->act ? c->act : act, err);
}

/* What only shows something is told when he may not see it. */
static bool is_told(const struct command *c, int code) {
	return c->writes || c->told || code == ERR_DENIED || code == ERR_PERMISSION;
}

static int run_command(struct caller *s, bool json, size_t argc, char *const argv[],
		       struct err *err) {
	size_t n_words;
	const struct command *command = command_find(s->config, argc, argv, &n_words);
	const struct command_call call = {
		s->engine->model, argc - n_words, argv + n_words, s->user, &s->rights, json,
		&s->memories, s
	};
	const struct audit_who who = { s->user, s->ui };
	AUTO_STR struct str text = STR_INIT;
	int rc;

	if (!command)
		return command_bad_word(argv[0], err);
	rc = check_command(s, command, err);
	if (rc) {
		audit_command(s->config->audit, &who, command->words, 0, NULL, rc);
		return rc;
	}
	if (json && !command->has_json)
		return err_set(err, ERR_PARSE, "this command has no JSON form: %s", command->words);
	if (command->open) {
		rc = command->open(command->ctx, &call, &s->stream, err);
	} else {
		rc = command->run(command->ctx, &call, &text, err);
		send_text(s, CTL_TEXT, &text);
	}
	if (is_told(command, rc))
		audit_command(s->config->audit, &who, command->words, call.argc, call.argv, rc);
	return rc;
}

int request_run(struct caller *s, struct buf_reader *r, struct err *err) {
	uint8_t form = buf_get_u8(r);
	size_t argc = buf_get_u16(r);
	char *argv[CTL_WORDS_MAX];
	int rc = 0;

	if (form >= CTL_FORM_COUNT || argc == 0 || argc > CTL_WORDS_MAX) {
		r->bad = true;
		return 0;
	}
	for (size_t i = 0; i < argc; i++)
		argv[i] = buf_get_str(r, CTL_WORD_MAX);
	r->bad = !buf_reader_end(r);
	if (!r->bad)
		rc = run_command(s, form == CTL_FORM_JSON, argc, argv, err);
	for (size_t i = 0; i < argc; i++)
		free(argv[i]);
	return rc;
}

/* ---- answers under way ---- */

void request_run_drop(struct caller *s) {
	if (s->stream.close)
		s->stream.close(s->stream.ctx);
	s->stream = (struct stream){ .fd = -1 };
}

enum stream_state request_run_next(struct caller *s, struct err *err) {
	AUTO_STR struct str text = STR_INIT;
	enum stream_state state = s->stream.next(s->stream.ctx, &text, err);

	send_text(s, CTL_TEXT, &text);
	if (state == STREAM_END || state == STREAM_FAILED)
		request_run_drop(s);
	return state;
}

/* The answer ends here; one that has ended already was answered. */
int request_run_cancel(struct caller *s, struct buf_reader *r, struct err *err) {
	AUTO_STR struct str text = STR_INIT;

	(void)err;
	r->bad = !buf_reader_end(r);
	if (r->bad)
		return 0;
	if (s->stream.last)
		s->stream.last(s->stream.ctx, &text);
	send_text(s, CTL_LAST, &text);
	request_run_drop(s);
	return 0;
}
