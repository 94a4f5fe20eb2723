/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table from numbers to meanings, and two ways to fill a struct err. The meanings are used
 * where a message has no text of its own and in the manual.
 */
#include "cfgdb/base/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/utf8.h"

static const struct {
	int code;
	const char *meaning;
} err_table[] = {
	{ ERR_NONE, "no error" },
	{ ERR_LOCKED, "changed or locked by another administrator" },
	{ ERR_HA_AND_SYNC, "HA mode and session synchronization exclude each other" },
	{ ERR_LENGTH, "value is too long" },
	{ ERR_NOT_FOUND, "entry not found" },
	{ ERR_MAX_ENTRIES, "reached the maximum number of entries" },
	{ ERR_EXISTS, "entry exists already" },
	{ ERR_CONFLICT, "conflicts with other settings" },
	{ ERR_IP, "invalid IP address" },
	{ ERR_NETMASK, "invalid netmask" },
	{ ERR_DENIED, "permission denied for this object" },
	{ ERR_DUPLICATE, "duplicate entry" },
	{ ERR_IN_USE, "entry is in use" },
	{ ERR_RESTORE, "no file to restore" },
	{ ERR_VIP, "duplicate or invalid virtual IP mapping" },
	{ ERR_PERMISSION, "permission denied" },
	{ ERR_FILE, "configuration file error" },
	{ ERR_IP_RANGE, "invalid IP range" },
	{ ERR_FORMAT, "invalid format" },
	{ ERR_OVERLAP, "subnets overlap" },
	{ ERR_EMPTY, "required value is empty" },
	{ ERR_PARSE, "input is not as expected" },
	{ ERR_TOO_LONG, "text is too long" },
	{ ERR_ZONE, "interface is used by a policy" },
	{ ERR_INCOMPLETE, "incomplete command" },
	{ ERR_NAME_INTERFACE, "name is used by another interface object" },
	{ ERR_CHARACTERS, "forbidden characters" },
	{ ERR_TIMEOUT, "no answer from the configuration daemon" },
	{ ERR_STORE, "the configuration could not be written" },
	{ ERR_KERNEL, "the kernel refused the change" },
	{ ERR_PORT_RANGE, "invalid port range" },
	{ ERR_RANGE, "invalid range" },
	{ ERR_VALUE, "invalid value" },
	{ ERR_OPMODE, "operation mode is not available" },
	{ ERR_UNKNOWN, "unknown command" },
};

/* What a user or a peer typed is quoted in errors: no control character reaches a terminal. */
static void err_clean(char *text) {
	size_t len = strlen(text), to = 0, n;
	uint32_t point;

	for (size_t from = 0; from < len; from += n) {
		n = utf8_next(text + from, len - from, &point);
		if (n == 0)
			break; /* cut off by the bound */
		if (utf8_is_control(point))
			text[to++] = '?';
		else
			for (size_t i = 0; i < n; i++)
				text[to++] = text[from + i];
	}
	text[to] = '\0';
}

void err_clean_line(char *text) {
	err_clean(text);
	for (char *p = text; *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
}

int err_set(struct err *e, int code, const char *fmt, ...) {
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	err_clean(e->text);
	return code;
}

void err_prefix(struct err *e, const char *fmt, ...) {
	char old[ERR_TEXT_MAX];
	size_t len;
	va_list ap;

	if (!e)
		return;
	memcpy(old, e->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	len = strlen(e->text);
	snprintf(e->text + len, sizeof(e->text) - len, "\n%s", old);
	err_clean(e->text);
}

const char *err_meaning(int code) {
	for (size_t i = 0; i < ARRAY_LEN(err_table); i++)
		if (err_table[i].code == code)
			return err_table[i].meaning;
	return "unknown error";
}
