/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readers of such lines differ: some take a backslash before a quote as part of the text, most do
 * not. So neither character is ever part of a value: a quote becomes an apostrophe, a backslash a
 * slash, a control character a blank or a number, and every reader finds the same fields.
 */
#include "cfgdb/logs/logtext.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cfgdb/base/utf8.h"

static const char *const levels[] = {
	[LOGTEXT_EMERGENCY] = "emergency",     [LOGTEXT_ALERT] = "alert",
	[LOGTEXT_CRITICAL] = "critical",       [LOGTEXT_ERROR] = "error",
	[LOGTEXT_WARNING] = "warning",	       [LOGTEXT_NOTICE] = "notice",
	[LOGTEXT_INFORMATION] = "information", [LOGTEXT_DEBUG] = "debug",
};

void logtext_head(struct str *line, const struct logtext_head *head) {
	time_t seconds = (time_t)(head->time_ns / 1000000000u);
	struct tm tm;
	char when[64], zone[8];

	localtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "date=%Y-%m-%d time=%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	str_add(line, when);
	logtext_num(line, "eventtime", head->time_ns);
	logtext_str(line, "tz", zone);
	logtext_str(line, "logid", head->id);
	logtext_str(line, "type", head->type);
	logtext_str(line, "subtype", head->subtype);
	logtext_str(line, "level", levels[head->level]);
	logtext_str(line, "vd", "root");
}

/*
 * One character of a value, which may come from anybody: it ends no value and no line, and does
 * nothing to the terminal of who reads it. Returns its length.
 */
static size_t add_harmless(struct str *line, const char *s) {
	unsigned char c = (unsigned char)*s;
	uint32_t point;
	size_t n = utf8_next(s, strlen(s), &point);

	if (c < 0x20 || c == 0x7f)
		str_add_char(line, ' ');
	else if (c == '"' || c == '\\')
		str_add_char(line, c == '"' ? '\'' : '/');
	else if (c >= 0x80 && n < 2)
		str_addf(line, "<%02X>", c);
	else if (utf8_is_control(point))
		str_addf(line, "<U+%04" PRIX32 ">", point);
	else
		str_add_bytes(line, s, n);
	return n > 0 ? n : 1;
}

void logtext_str(struct str *line, const char *name, const char *value) {
	str_addf(line, " %s=\"", name);
	while (*value)
		value += add_harmless(line, value);
	str_add_char(line, '"');
}

void logtext_num(struct str *line, const char *name, uint64_t value) {
	str_addf(line, " %s=%" PRIu64, name, value);
}

void logtext_word(struct str *line, const char *name, const char *value) {
	str_addf(line, " %s=%s", name, value);
}

/* The end of the value that begins at p: its closing quote, or the blank after it. */
static const char *value_end(const char *p, const char *end) {
	bool quoted = p < end && *p == '"';
	const char *last = memchr(p + quoted, quoted ? '"' : ' ', (size_t)(end - p) - quoted);

	return last ? last : end;
}

bool logtext_field(const char *line, size_t len, const char *name, const char **value, size_t *n) {
	const char *end = line + len;
	size_t name_len = strlen(name);

	for (const char *p = line; p < end;) {
		const char *equals = memchr(p, '=', (size_t)(end - p)), *last;

		if (!equals)
			return false;
		last = value_end(equals + 1, end);
		if ((size_t)(equals - p) == name_len && memcmp(p, name, name_len) == 0) {
			*value = equals + 1;
			*value += *value < end && **value == '"';
			*n = (size_t)(last - *value);
			return true;
		}
		for (p = last; p < end && (*p == '"' || *p == ' ');)
			p++;
	}
	return false;
}
