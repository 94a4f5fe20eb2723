/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prompt, line, output, an empty line, prompt: the exchange that programs which drive a FortiOS
 * shell through a terminal expect to the byte. A quoted value may go on in further lines, which
 * have a prompt of their own.
 *
 * Ctrl-C drops what was typed; with nothing typed it leaves the open config, unsaved, and at the
 * root the shell.
 */
#include "cli/session.h"

#include <signal.h>
#include <string.h>

#include "cfgdb/base/utf8.h"
#include "cfgdb/model/lex.h"
#include "cli/edit.h"
#include "cli/idle.h"
#include "cli/lines.h"

#define PROMPT_MORE "> "

struct session {
	struct shell *sh;
	struct str command; /* lines of it so far */
	enum line_state state;
	bool idle;          /* nobody has typed for too long */
};

static void session_forget(struct session *s) {
	str_clear(&s->command);
	s->state = LINE_WHOLE;
}

/* True for a line on which nothing is to be done. */
static bool session_is_void(const char *text) {
	text += strspn(text, " \t\r\n");
	return *text == '\0' || *text == '#';
}

/*
 * The empty line before the next prompt; output that was cut off ends its line first, unless the
 * pager has wiped it.
 */
static void session_blank(struct session *s) {
	bool cut = out_stopped(s->sh->out) && !s->sh->out->wiped;

	out_begin(s->sh->out);
	if (!s->sh->quit)
		out_text(s->sh->out, cut ? "\n\n" : "\n");
}

static void session_run_command(struct session *s) {
	const char *text = str_text(&s->command);

	out_begin(s->sh->out);
	if (!session_is_void(text)) {
		idle_begin(s->sh->idle_s);
		shell_run(s->sh, text);
		s->idle = idle_end();
		session_blank(s);
	}
	out_flush(s->sh->out);
	session_forget(s);
}

static void session_refuse(struct session *s, unsigned int most) {
	struct err err;

	err_set(&err, ERR_TOO_LONG, "the line is too long: at most %u bytes", most);
	out_begin(s->sh->out);
	shell_fail(s->sh, &err);
	session_blank(s);
	out_flush(s->sh->out);
	session_forget(s);
}

static void session_line(struct session *s, const char *line) {
	if (s->command.len + strlen(line) > LEX_LINE_MAX) {
		session_refuse(s, LEX_LINE_MAX);
		return;
	}
	str_add(&s->command, line);
	s->state = line_scan(s->state, line);
	if (line_is_open(s->state))
		str_add_char(&s->command, '\n');
	else
		session_run_command(s);
}

static void session_interrupt(struct session *s, const char *line) {
	out_text(s->sh->out, "\n");
	out_flush(s->sh->out);
	if (s->command.len > 0 || (*line && s->sh->context.depth == 0))
		session_forget(s);
	else if (s->sh->context.depth > 0)
		shell_drop(s->sh);
	else
		s->sh->quit = true;
}

/* It holds the name of what is open. */
static void session_prompt(const struct session *s, struct str *prompt) {
	AUTO_STR struct str text = STR_INIT;

	str_clear(prompt);
	if (s->command.len > 0)
		str_add(&text, PROMPT_MORE);
	else
		shell_prompt(s->sh, &text);
	utf8_visible(str_text(&text), text.len, prompt);
}

static void session_timeout(const struct session *s) {
	out_begin(s->sh->out);
	out_text(s->sh->out, "\nTimeout\n");
	out_flush(s->sh->out);
	s->sh->idle = true;
}

static void session_loop(struct session *s, struct edit *edit) {
	AUTO_STR struct str prompt = STR_INIT;
	AUTO_STR struct str line = STR_INIT;

	while (!s->sh->quit && !s->sh->lost && !s->idle) {
		session_prompt(s, &prompt);
		switch (edit_line(edit, str_text(&prompt), str_text(&s->command), &line)) {
		case EDIT_LINE:
			session_line(s, str_text(&line));
			break;
		case EDIT_TOO_LONG:
			session_refuse(s, EDIT_KEYS_MAX);
			break;
		case EDIT_INTERRUPT:
			session_interrupt(s, str_text(&line));
			break;
		case EDIT_IDLE:
			s->idle = true;
			break;
		case EDIT_END:
			return;
		}
	}
	if (s->idle)
		session_timeout(s);
}

static bool session_confirm(void *arg, const char *question) {
	return edit_confirm(arg, question);
}

static bool session_ask(void *arg, const char *prompt, struct str *ret) {
	return edit_secret(arg, prompt, ret);
}

static int session_key(void *arg) {
	return edit_wait_key(arg);
}

static bool session_key_ready(void *arg) {
	return edit_has_key(arg);
}

void session_run(struct shell *sh) {
	struct session s = { .sh = sh };
	struct edit *edit = edit_new(sh);
	struct err err;

	if (!edit) {
		err_set(&err, ERR_FILE, "the terminal cannot be used");
		shell_fail(sh, &err);
		return;
	}
	sh->confirm = session_confirm;
	sh->confirm_arg = edit;
	sh->ask = session_ask;
	sh->ask_arg = edit;
	sh->typing = sh->reads_stdin = true;
	sh->out->key = session_key;
	sh->out->key_ready = session_key_ready;
	sh->out->key_arg = edit;
	out_catch_interrupt();
	signal(SIGTSTP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	session_loop(&s, edit);
	sh->confirm = NULL;
	sh->ask = NULL;
	sh->out->key = NULL;
	edit_free(edit);
	str_done(&s.command);
}
