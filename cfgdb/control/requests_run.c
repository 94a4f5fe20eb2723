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

static bool is_denial(int code) {
	return code == ERR_DENIED || code == ERR_PERMISSION;
}

/* What only shows something is told when he may not see it; completion has not tried anything. */
static bool is_told(const struct command *c, enum ctl_form form, int code) {
	if (form == CTL_FORM_CHECK || (form == CTL_FORM_HINT && !c->writes))
		return form == CTL_FORM_CHECK && is_denial(code);
	return c->writes || is_denial(code);
}

static void tell(const struct caller *s, const char *words, size_t argc, char *const argv[],
		 int code) {
	audit_command(s->config->audit, &(struct audit_who){ s->user, s->ui }, words, argc, argv,
		      code);
}

/* The shell may begin now: that is told when it has said what became of it. */
static void leave_to_shell(struct caller *s, const struct command *c,
			   const struct command_call *call) {
	request_run_settle(s, AUDIT_UNKNOWN);
	str_add(&s->doing, c->words);
	for (size_t i = 0; i < call->argc && s->doing.len <= CTL_TEXT_CHUNK; i++)
		str_addf(&s->doing, " %s", call->argv[i]);
}

static int carry_out(struct caller *s, const struct command *c, const struct command_call *call,
		     struct err *err) {
	AUTO_STR struct str text = STR_INIT;
	int rc;

	if (call->json && !c->has_json)
		return err_set(err, ERR_PARSE, "this command has no JSON form: %s", c->words);
	if (c->open)
		return c->open(c->ctx, call, &s->stream, err);
	rc = c->run(c->ctx, call, &text, err);
	send_text(s, CTL_TEXT, &text);
	return rc;
}

static int run_command(struct caller *s, enum ctl_form form, size_t argc, char *const argv[],
		       struct err *err) {
	size_t n_words;
	const struct command *command = command_find(s->config, argc, argv, &n_words);
	const struct command_call call = {
		s->engine->model, argc - n_words, argv + n_words, s->user, &s->rights,
		form == CTL_FORM_JSON, &s->memories, s
	};
	int rc;

	if (!command)
		return command_bad_word(argv[0], err);
	rc = check_command(s, command, err);
	if (rc) {
		if (is_told(command, form, rc))
			tell(s, command->words, 0, NULL, rc);
		return rc;
	}
	if (form != CTL_FORM_CHECK)
		rc = carry_out(s, command, &call, err);
	else if (command->check)
		rc = command->check(command->ctx, &call, err);
	if (command->by_shell && form != CTL_FORM_CHECK && rc == 0)
		leave_to_shell(s, command, &call);
	else if (is_told(command, form, rc))
		tell(s, command->words, call.argc, call.argv, rc);
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
		rc = run_command(s, form, argc, argv, err);
	for (size_t i = 0; i < argc; i++)
		free(argv[i]);
	return rc;
}

/* ---- what the shell does by itself ---- */

void request_run_settle(struct caller *s, int code) {
	if (s->doing.len > 0)
		tell(s, str_text(&s->doing), 0, NULL, code);
	str_done(&s->doing);
}

int request_run_outcome(struct caller *s, struct buf_reader *r, struct err *err) {
	int code = (int)buf_get_u32(r);

	(void)err;
	r->bad = !buf_reader_end(r);
	if (!r->bad)
		request_run_settle(s, code);
	return 0;
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
