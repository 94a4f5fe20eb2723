/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command is one physical line, or several when a quote stays open or a backslash comes last.
 * Each physical line is looked at once, whatever a file holds: the state after it is all that the
 * next one needs. Memory is bounded by LEX_LINE_MAX; what is longer is skipped to its end and
 * refused as a whole. Line ends may be LF or CR LF, and a byte order mark at the start is dropped.
 */
#include "cli/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"

#define LINES_BUFFER 65536

bool line_is_open(enum line_state state) {
	return state != LINE_WHOLE && state != LINE_COMMENT;
}

enum line_state line_scan(enum line_state state, const char *line) {
	if (state != LINE_DOUBLE && state != LINE_SINGLE) {
		if (state == LINE_WHOLE && line[strspn(line, " \t\r")] == '#')
			return LINE_COMMENT;
		state = LINE_WHOLE;
	}
	for (const char *p = line; *p; p++) {
		if (state == LINE_SINGLE) {
			if (*p == '\'')
				state = LINE_WHOLE;
		} else if (*p == '\\' && state == LINE_WHOLE) {
			if (!*++p)
				return LINE_JOINED;
		} else if (*p == '\\') {
			p += p[1] && strchr("\"'\\", p[1]);
		} else if (*p == '"') {
			state = state == LINE_DOUBLE ? LINE_WHOLE : LINE_DOUBLE;
		} else if (*p == '\'' && state == LINE_WHOLE) {
			state = LINE_SINGLE;
		}
	}
	return state;
}

void lines_open(struct lines *l, int fd) {
	*l = (struct lines){ .fd = fd, .buffer = xcalloc(1, LINES_BUFFER) };
}

void lines_open_text(struct lines *l, const char *text) {
	lines_open_bytes(l, text, strlen(text));
}

void lines_open_bytes(struct lines *l, const char *data, size_t n) {
	*l = (struct lines){ .fd = -1, .text = data, .end = n, .eof = true };
}

void lines_done(struct lines *l) {
	free(l->buffer);
	l->buffer = NULL;
}

bool lines_empty(const struct lines *l) {
	return l->pos == l->end && !l->eof;
}

static bool lines_idle(struct lines *l) {
	struct pollfd ready = { .fd = l->fd, .events = POLLIN };

	l->idle = l->idle_s > 0 && poll(&ready, 1, (int)l->idle_s * 1000) == 0;
	return l->idle;
}

/* Bytes that can be had at once; *data points at them. 0: the end. */
static size_t lines_peek(struct lines *l, const char **data) {
	ssize_t n;

	while (l->pos == l->end && !l->eof) {
		n = lines_idle(l) ? 0 : read(l->fd, l->buffer, LINES_BUFFER);
		if (n > 0) {
			l->pos = 0;
			l->end = (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			l->eof = true;
		}
	}
	*data = (l->text ? l->text : l->buffer) + l->pos;
	return l->end - l->pos;
}

/* What is wrong with the command so far. */
struct fault_flags {
	bool zero, too_long;
};

/* Append one physical line, newline dropped; false when there is none. */
static bool lines_physical(struct lines *l, struct str *out, struct fault_flags *bad) {
	size_t start = out->len;
	bool any = false;

	for (;;) {
		const char *data, *newline;
		size_t have = lines_peek(l, &data);
		size_t take;

		if (have == 0)
			break;
		any = true;
		newline = memchr(data, '\n', have);
		take = newline ? (size_t)(newline - data) : have;
		if (out->len + take > LEX_LINE_MAX)
			bad->too_long = true;
		bad->zero |= memchr(data, '\0', take) != NULL;
		if (!bad->too_long && !bad->zero)
			str_add_bytes(out, data, take);
		l->pos += take + (newline != NULL);
		if (newline)
			break;
	}
	if (out->len > start && out->data[out->len - 1] == '\r')
		out->data[--out->len] = '\0';
	return any;
}

static void lines_drop_mark(struct str *out) {
	if (out->len >= 3 && memcmp(out->data, "\xef\xbb\xbf", 3) == 0) {
		memmove(out->data, out->data + 3, out->len - 2);
		out->len -= 3;
	}
}

int lines_next(struct lines *l, struct str *out, struct err *err) {
	enum line_state state = LINE_WHOLE;
	struct fault_flags bad = { false, false };
	size_t start = 0;

	str_clear(out);
	l->first = l->number + 1;
	while (lines_physical(l, out, &bad)) {
		if (l->number++ == 0)
			lines_drop_mark(out);
		if (bad.too_long || bad.zero)
			break;
		state = line_scan(state, str_text(out) + start);
		if (!line_is_open(state))
			return 1;
		str_add_char(out, '\n');
		start = out->len;
	}
	if (bad.zero)
		return err_set(err, ERR_CHARACTERS, "the line holds a zero byte");
	if (bad.too_long)
		return err_set(err, ERR_TOO_LONG, "the line is too long: at most %u bytes",
			       LEX_LINE_MAX);
	if (state == LINE_DOUBLE || state == LINE_SINGLE)
		return err_set(err, ERR_PARSE, "Unmatched %s quote.",
			       state == LINE_DOUBLE ? "double" : "single");
	if (state == LINE_JOINED)
		return err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
	l->first = l->number;
	return 0;
}
