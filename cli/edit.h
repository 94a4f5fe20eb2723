/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Typing lines at a terminal: editing, history, `?` and Tab. */
#pragma once

#include "cfgdb/base/str.h"
#include "cli/shell.h"

struct edit;

#define EDIT_KEYS_MAX (1u << 20)     /* keys that one line takes */

enum edit_result {
	EDIT_LINE,
	EDIT_TOO_LONG,       /* more keys than that: the line is dropped */
	EDIT_INTERRUPT,      /* Ctrl-C; the line is what had been typed */
	EDIT_IDLE,           /* nobody has typed for sh->idle_s */
	EDIT_END,            /* the terminal is gone, or Ctrl-D on an empty line */
};

/* Editor on standard input and output for this shell, which must outlive it; NULL: no terminal. */
struct edit *edit_new(struct shell *sh);

/* Give the terminal back as it was; NULL is fine. */
void edit_free(struct edit *e);

/*
 * Ask for one line. before is the part of the command that was typed in earlier lines; the line
 * comes without its newline.
 */
enum edit_result edit_line(struct edit *e, const char *prompt, const char *before,
			   struct str *line);

/* Wait for a key, not shown: its byte, or -1 when Ctrl-C came instead or the terminal is gone. */
int edit_wait_key(struct edit *e);

/* Whether a key is there already. */
bool edit_has_key(const struct edit *e);

/* Ask for a line, which is not shown, into ret; false when Ctrl-C came or nobody types. */
bool edit_secret(struct edit *e, const char *prompt, struct str *ret);

/* Ask a question that one key answers: true for y. The answer is shown. */
bool edit_confirm(struct edit *e, const char *question);
