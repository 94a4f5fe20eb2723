/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of lines that stops growing. Names that users chose are quoted in warnings as they are in
 * errors, so no control character of them gets through, and none of them breaks the line.
 */
#include "cfgdb/base/warn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/mem.h"

void warn_add(struct warnings *w, const char *fmt, ...) {
	char text[WARN_TEXT_MAX];
	va_list ap;

	if (!w)
		return;
	if (w->n == WARN_MAX) {
		w->lost++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_clean_line(text);
	w->text = xreallocarray(w->text, w->n + 1, sizeof(*w->text));
	w->text[w->n++] = xstrdup(text);
}

void warn_clear(struct warnings *w) {
	for (unsigned int i = 0; i < w->n; i++)
		free(w->text[i]);
	free(w->text);
	*w = (struct warnings){ 0 };
}

void warn_drain(struct warnings *w, void (*take)(void *arg, const char *text), void *arg) {
	char more[64];

	for (unsigned int i = 0; i < w->n; i++)
		take(arg, w->text[i]);
	snprintf(more, sizeof(more), "%u more warnings are not listed", w->lost);
	if (w->lost)
		take(arg, more);
	warn_clear(w);
}
