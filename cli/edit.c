/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libedit, told three things. What is typed ahead or pasted must wait unechoed until it is asked
 * for, or it would show twice: the terminal neither echoes nor collects lines while a command runs.
 * Ctrl-C is a key and no signal while a line is typed. And a line that reaches the right margin
 * must go on without a byte of help, for programs compare the echo with what they sent: terminals
 * wrap by themselves (am), and the blank and backspace that force the wrap early (xn) are off.
 */
#include "cli/edit.h"

#include <errno.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ttydefaults.h>
#include <unistd.h>
#include <wchar.h>

#include "cfgdb/base/mem.h"
#include "cli/complete.h"
#include "cli/idle.h"

#define HISTORY_LINES 500
#define HISTORY_LINE_MAX 4096
#define READ_AHEAD 4096
#define SECRET_KEYS_MAX 255
#define LOOK_MS 200 /* for a Ctrl-C that came between two system calls */

/* Tab pressed again: another candidate takes the place of the one before. */
struct tab {
	struct completion found;
	size_t at;   /* candidate that is shown; found.n: none yet */
	char *line;  /* what the last Tab left behind; NULL: no Tab before */
};

struct edit {
	struct shell *sh;
	EditLine *el;
	History *history;
	FILE *null;
	const char *prompt, *before;
	enum edit_result result;
	struct tab tab;
	unsigned int keys;	 /* in this line */
	bool idle;		 /* nobody has typed for too long */
	mbstate_t decoder;
	size_t pos, end;	 /* what is left in bytes */
	char bytes[READ_AHEAD];
};

static struct edit *edit_of(EditLine *el) {
	struct edit *e = NULL;

	el_get(el, EL_CLIENTDATA, &e);
	return e;
}

static char *edit_prompt(EditLine *el) {
	return (char *)edit_of(el)->prompt;
}

/* What has been typed up to the cursor, earlier lines of the command included. */
static char *edit_typed(EditLine *el) {
	const LineInfo *info = el_line(el);

	return xasprintf("%s%.*s", edit_of(el)->before, (int)(info->cursor - info->buffer),
			 info->buffer);
}

/* ---- reading ---- */

/* Wait for bytes as long as the session may be idle; false when that is over. */
static bool edit_await(struct edit *e) {
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };

	e->idle = e->sh->idle_s > 0 && poll(&ready, 1, (int)e->sh->idle_s * 1000) == 0;
	return !e->idle;
}

/* The next byte: 1, 0 when the terminal is gone, -1 and errno on an error. */
static int edit_byte(struct edit *e, char *byte) {
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;

	if (e->pos == e->end) {
		if (!edit_await(e))
			return 0;
		/* somebody else may have made the terminal non-blocking */
		while ((n = read(STDIN_FILENO, e->bytes, sizeof(e->bytes))) < 0 && errno == EAGAIN)
			poll(&ready, 1, -1);
		if (n <= 0)
			return (int)n;
		e->pos = 0;
		e->end = (size_t)n;
		idle_touch();
	}
	*byte = e->bytes[e->pos++];
	if (e->sh->drop_return && *byte == '\r') {
		e->sh->drop_return = false;
		return edit_byte(e, byte);
	}
	e->sh->drop_return = false;
	return 1;
}

/* The next key, as edit_byte. Dropped: bytes that are no character, and keys beyond the bound. */
static int edit_key(EditLine *el, wchar_t *key) {
	struct edit *e = edit_of(el);
	char byte;
	int rc;

	while ((rc = edit_byte(e, &byte)) == 1) {
		size_t n = mbrtowc(key, &byte, 1, &e->decoder);

		if (n == (size_t)-1)
			memset(&e->decoder, 0, sizeof(e->decoder));
		if (n > 1)
			continue;
		if (++e->keys <= EDIT_KEYS_MAX || wcschr(L"\r\n\x03", *key))
			break;
	}
	return rc;
}

/* ---- changing the line ---- */

static int count_characters(const char *s) {
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Put text in the place of what stands between start and the cursor. */
static void edit_replace(EditLine *el, const char *typed, size_t start, const char *text) {
	const char *old = typed + start;
	size_t same = strlen(old);

	if (strncmp(old, text, same) != 0) {
		el_deletestr(el, count_characters(old));
		same = 0;
	}
	if (text[same])
		el_insertstr(el, text + same);
}

static void edit_fill_in(EditLine *el, const char *typed, size_t start,
			 const struct candidate *item, bool finished) {
	AUTO_STR struct str text = STR_INIT;

	if (item->open)
		complete_quote_part(item->word, false, &text);
	else
		complete_quote(item->word, &text);
	if (finished && !item->open)
		str_add_char(&text, ' ');
	edit_replace(el, typed, start, str_text(&text));
}

/* ---- ? ---- */

static unsigned char edit_help(EditLine *el, int ch) {
	struct edit *e = edit_of(el);
	AUTO_FREE char *typed = edit_typed(el);
	AUTO_STR struct str text = STR_INIT;
	struct completion c;
	bool can_fill;

	(void)ch;
	complete_line(e->sh, typed, &c);
	can_fill = c.n == 1 && *c.prefix && strcmp(c.prefix, c.items[0].word) != 0 &&
		   c.start >= strlen(e->before);
	if (can_fill) {
		edit_fill_in(el, typed, c.start, &c.items[0], true);
		complete_done(&c);
		return CC_REFRESH;
	}
	complete_print(&c, &text);
	complete_done(&c);
	out_begin(e->sh->out);
	out_text(e->sh->out, "\n");
	shell_page(e->sh, true);
	out_text(e->sh->out, str_text(&text));
	shell_page(e->sh, false);
	out_begin(e->sh->out);
	out_text(e->sh->out, "\n");
	out_flush(e->sh->out);
	el_set(el, EL_REFRESH);
	return CC_NORM;
}

/* ---- Tab ---- */

static void tab_reset(struct tab *tab) {
	complete_done(&tab->found);
	free(tab->line);
	tab->line = NULL;
}

/* The next candidate, or the one before. */
static void tab_turn(EditLine *el, struct tab *tab, const char *typed, bool back) {
	size_t n = tab->found.n;

	if (back)
		tab->at = (tab->at == 0 ? n : tab->at) - 1;
	else
		tab->at = tab->at + 1 < n ? tab->at + 1 : 0;
	edit_fill_in(el, typed, tab->found.start, &tab->found.items[tab->at], false);
}

static void tab_common(EditLine *el, struct tab *tab, const char *typed, size_t len) {
	AUTO_FREE char *common = xstrndup(tab->found.items[0].word, len);
	AUTO_STR struct str text = STR_INIT;

	complete_quote_part(common, tab->found.quoted, &text);
	edit_replace(el, typed, tab->found.start, str_text(&text));
}

/* First Tab: the common part, or a candidate when nothing is common beyond the prefix. */
static unsigned char tab_first(EditLine *el, struct tab *tab, const char *typed, bool back) {
	struct edit *e = edit_of(el);
	struct completion *found = &tab->found;
	size_t len;

	tab_reset(tab);
	complete_line(e->sh, typed, found);
	if (found->n == 0 || found->start < strlen(e->before)) {
		tab_reset(tab);
		return CC_ERROR;
	}
	if (found->n == 1) {
		edit_fill_in(el, typed, found->start, &found->items[0], true);
		tab_reset(tab);
		return CC_REFRESH;
	}
	tab->at = found->n;
	len = complete_common(found);
	if (len > strlen(found->prefix))
		tab_common(el, tab, typed, len);
	else
		tab_turn(el, tab, typed, back);
	tab->line = edit_typed(el);
	return CC_REFRESH;
}

/* A Tab before the first word with more behind it: pasted text that is indented. */
static bool tab_is_indent(const struct edit *e, const char *typed) {
	return !typed[strspn(typed, " ")] && e->pos < e->end;
}

static unsigned char edit_turn(EditLine *el, bool back) {
	struct tab *tab = &edit_of(el)->tab;
	AUTO_FREE char *typed = edit_typed(el);

	if (tab_is_indent(edit_of(el), typed))
		return CC_NORM;
	if (!tab->line || strcmp(tab->line, typed) != 0)
		return tab_first(el, tab, typed, back);
	tab_turn(el, tab, typed, back);
	free(tab->line);
	tab->line = edit_typed(el);
	return CC_REFRESH;
}

static unsigned char edit_tab(EditLine *el, int ch) {
	(void)ch;
	return edit_turn(el, false);
}

static unsigned char edit_tab_back(EditLine *el, int ch) {
	(void)ch;
	return edit_turn(el, true);
}

/* ---- ending a line ---- */

static unsigned char edit_interrupt(EditLine *el, int ch) {
	(void)ch;
	edit_of(el)->result = EDIT_INTERRUPT;
	return CC_NEWLINE;
}

static unsigned char edit_delete(EditLine *el, int ch) {
	const LineInfo *info = el_line(el);
	struct edit *e = edit_of(el);

	(void)ch;
	if (info->cursor < info->lastchar) {
		el_cursor(el, 1);
		el_deletestr(el, 1);
		return CC_REFRESH;
	}
	if (info->lastchar > info->buffer || *e->before || e->sh->context.depth > 0)
		return CC_ERROR;
	e->result = EDIT_END;
	return CC_EOF;
}

/* ---- life ---- */

static void edit_bind(EditLine *el) {
	static const struct {
		const char *name, *help, *key;
		unsigned char (*function)(EditLine *, int);
	} own[] = {
		{ "gh-help", "list what can follow", "?", edit_help },
		{ "gh-complete", "complete the word", "^I", edit_tab },
		{ "gh-complete-back", "the same, backwards", "\033[Z", edit_tab_back },
		{ "gh-interrupt", "drop the line", "^C", edit_interrupt },
		{ "gh-delete", "delete a character, or end the session", "^D", edit_delete },
	};
	static const char *const stock[][2] = {
		{ "^B", "ed-prev-word" },
		{ "^F", "em-next-word" },
		{ "^P", "ed-prev-history" },
		{ "^N", "ed-next-history" },
		{ "^R", "em-inc-search-prev" },
		{ "^V", "ed-quoted-insert" },
		{ "^Z", "ed-unassigned" },
		{ "^\\\\", "ed-unassigned" },
	};

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		el_set(el, EL_ADDFN, own[i].name, own[i].help, own[i].function);
		el_set(el, EL_BIND, own[i].key, own[i].name, NULL);
	}
	for (size_t i = 0; i < ARRAY_LEN(stock); i++)
		el_set(el, EL_BIND, stock[i][0], stock[i][1], NULL);
}

struct edit *edit_new(struct shell *sh) {
	struct edit *e = xcalloc(1, sizeof(*e));
	HistEvent event;

	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
	e->sh = sh;
	e->prompt = e->before = "";
	e->null = fopen("/dev/null", "w");
	e->el = e->null ? el_init("gatehouse", stdin, stdout, e->null) : NULL;
	e->history = history_init();
	if (!e->el || !e->history) {
		edit_free(e);
		return NULL;
	}
	history(e->history, &event, H_SETSIZE, HISTORY_LINES);
	history(e->history, &event, H_SETUNIQUE, 1);
	el_set(e->el, EL_CLIENTDATA, e);
	el_set(e->el, EL_EDITOR, "emacs");
	el_set(e->el, EL_PROMPT, edit_prompt);
	el_set(e->el, EL_GETCFN, edit_key);
	el_set(e->el, EL_HIST, history, e->history);
	el_set(e->el, EL_SETTY, "-d", "-isig", NULL);
	el_set(e->el, EL_SETTY, "-x", "-echo", "-icanon", NULL);
	el_set(e->el, EL_SETTC, "am", "yes", NULL);
	el_set(e->el, EL_SETTC, "xn", "no", NULL);
	edit_bind(e->el);
	return e;
}

void edit_free(struct edit *e) {
	if (!e)
		return;
	tab_reset(&e->tab);
	if (e->el)
		el_end(e->el);
	if (e->history)
		history_end(e->history);
	if (e->null)
		fclose(e->null);
	free(e);
}

/* A line that holds a secret is not kept, nor is any other line of its command. */
static void edit_remember(struct edit *e, const char *line) {
	AUTO_FREE char *command = xasprintf("%s%s", e->before, line);
	HistEvent event;

	if (line[strspn(line, " \t\n")] && strlen(line) <= HISTORY_LINE_MAX &&
	    !shell_is_secret(e->sh, command))
		history(e->history, &event, H_ENTER, line);
}

enum edit_result edit_line(struct edit *e, const char *prompt, const char *before,
			   struct str *line) {
	const char *text;
	int n;

	e->prompt = prompt;
	e->before = before;
	e->result = EDIT_LINE;
	e->keys = 0;
	tab_reset(&e->tab);
	str_clear(line);
	if (e->idle)
		return EDIT_IDLE;
	/* before the prompt, so that whoever waits for it finds every key in force */
	el_set(e->el, EL_PREP_TERM, 1);
	errno = 0;
	text = el_gets(e->el, &n);
	if (text && n > 0)
		str_add(line, text);
	else if (e->idle)
		return EDIT_IDLE;
	else if (e->result == EDIT_LINE)
		return errno == EINTR ? EDIT_INTERRUPT : EDIT_END;
	while (line->len > 0 && strchr("\r\n", line->data[line->len - 1]))
		line->data[--line->len] = '\0';
	if (e->result == EDIT_LINE && e->keys > EDIT_KEYS_MAX + 1)
		return EDIT_TOO_LONG;
	if (e->result == EDIT_LINE)
		edit_remember(e, str_text(line));
	return e->result;
}

/* Wait for a key; false when Ctrl-C came instead, be it before this was called. */
static bool edit_await_key(struct edit *e) {
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };

	while (e->pos == e->end && !out_stopped(e->sh->out))
		if (poll(&ready, 1, LOOK_MS) > 0)
			break;
	return !out_stopped(e->sh->out);
}

int edit_wait_key(struct edit *e) {
	char key;

	return edit_await_key(e) && edit_byte(e, &key) == 1 ? (unsigned char)key : -1;
}

bool edit_has_key(const struct edit *e) {
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };

	return e->pos != e->end || poll(&ready, 1, 0) > 0;
}

bool edit_secret(struct edit *e, const char *prompt, struct str *ret) {
	int key;

	out_text(e->sh->out, prompt);
	out_flush(e->sh->out);
	while ((key = edit_wait_key(e)) > 0 && key != '\r' && key != '\n') {
		if (key == '\x7f' || key == '\b')
			ret->len -= ret->len > 0;
		else if (key == CTRL('U'))
			ret->len = 0;
		else if (ret->len < SECRET_KEYS_MAX)
			str_add_char(ret, (char)key);
		if (ret->data)
			ret->data[ret->len] = '\0';
	}
	out_text(e->sh->out, "\n");
	out_flush(e->sh->out);
	return key == '\r' || key == '\n';
}

bool edit_confirm(struct edit *e, const char *question) {
	bool yes;
	int key;

	out_text(e->sh->out, question);
	out_flush(e->sh->out);
	key = edit_wait_key(e);
	yes = key == 'y' || key == 'Y';
	out_text(e->sh->out, yes ? "y\n" : "n\n");
	out_flush(e->sh->out);
	return yes;
}
