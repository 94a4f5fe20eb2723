/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A first line as what stands behind a bar, and any bytes as the output that goes through it. The
 * filter must survive both, whatever it keeps for later, and give the same for a text in one piece
 * and for the same text byte by byte; what comes are whole lines.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/pipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

/* False when the line has no filters that work. */
static bool filter(const char *line, const struct pipe *p, const char *text, size_t len,
		   size_t piece, struct out *out) {
	struct filters filters;

	out_init(out, -1);
	if (filters_begin(&filters, line, p, out, NULL) != 0)
		return false;
	for (; len > 0; text += piece, len -= piece) {
		piece = piece < len ? piece : len;
		out_bytes(out, text, piece);
	}
	filters_end(&filters);
	promise(!out->filter.text, "filters are gone at the end");
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const uint8_t *end = memchr(data, '\n', size);
	size_t n = end ? (size_t)(end - data) : size;
	AUTO_FREE char *words = xstrndup((const char *)data, n);
	AUTO_FREE char *line = xasprintf("show | %s", words);
	const char *text = (const char *)data + n;
	struct out whole, pieces;
	struct pipe p;

	/* regcomp(3) may take any time and memory for repetitions of repetitions */
	if (strstr(words, "\\{") || strlen(words) > 100 || pipe_split(line, &p, NULL) || p.n == 0)
		return 0;
	if (filter(line, &p, text, size - n, size, &whole)) {
		promise(filter(line, &p, text, size - n, 1, &pieces), "filters begin twice");
		promise(whole.pending.len == pieces.pending.len &&
				memcmp(str_text(&whole.pending), str_text(&pieces.pending),
				       whole.pending.len) == 0,
			"pieces make no difference");
		promise(whole.pending.len == 0 ||
				whole.pending.data[whole.pending.len - 1] == '\n',
			"lines are whole");
		out_done(&pieces);
	}
	out_done(&whole);
	return 0;
}
