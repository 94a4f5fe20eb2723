/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One string that holds all lines, each behind a head with its number and length. Taking one only
 * moves the start; what lies before it is given back when it has become the larger half, so that
 * a line costs the same however many wait.
 */
#include "cli/backlog.h"

#include <string.h>

struct backlog_head {
	unsigned long number;
	size_t len;
};

static struct backlog_head backlog_head(const struct backlog *b) {
	struct backlog_head head;

	memcpy(&head, b->bytes.data + b->first, sizeof(head));
	return head;
}

static void backlog_compact(struct backlog *b) {
	if (b->first <= b->bytes.len / 2)
		return;
	b->bytes.len -= b->first;
	memmove(b->bytes.data, b->bytes.data + b->first, b->bytes.len);
	b->first = 0;
}

void backlog_add(struct backlog *b, const struct backlog_line *line) {
	struct backlog_head head = { line->number, line->len };
	struct backlog_line lost;

	while (b->bytes.len - b->first + sizeof(head) + line->len > BACKLOG_MAX &&
	       backlog_take(b, &lost))
		;
	backlog_compact(b);
	str_add_bytes(&b->bytes, (const char *)&head, sizeof(head));
	str_add_bytes(&b->bytes, line->text, line->len);
	b->n++;
}

bool backlog_take(struct backlog *b, struct backlog_line *ret) {
	struct backlog_head head;

	if (b->n == 0)
		return false;
	head = backlog_head(b);
	*ret = (struct backlog_line){ head.number, b->bytes.data + b->first + sizeof(head),
				      head.len };
	b->first += sizeof(head) + head.len;
	b->n--;
	return true;
}

unsigned long backlog_first(const struct backlog *b) {
	return b->n ? backlog_head(b).number : 0;
}

void backlog_clear(struct backlog *b) {
	str_clear(&b->bytes);
	b->first = b->n = 0;
}

void backlog_done(struct backlog *b) {
	str_done(&b->bytes);
	b->first = b->n = 0;
}
