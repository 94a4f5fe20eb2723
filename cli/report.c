/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts that know FortiOS look for the line with the code; `Unknown action 0` has none. Programs
 * that read JSON get the same facts as members, an object a line, and with them the place: errors
 * of a long script are of no use without it.
 */
#include "cli/report.h"

#include "cfgdb/base/json_put.h"

int report_code(int code) {
	return code == ERR_UNKNOWN ? ERR_PARSE : code;
}

void report_text(const struct err *err, struct str *out) {
	str_addf(out, "%s\n", err->text);
	if (err->code == ERR_MAX_ENTRIES)
		str_addf(out, "Command fail. Return code %d (%s)\n", err->code,
			 err_meaning(err->code));
	else if (err->code != ERR_UNKNOWN)
		str_addf(out, "Command fail. Return code %d\n", err->code);
}

/* The words that would lead here again: "firewall policy 5". */
static void report_path(const struct context *context, struct str *out) {
	for (size_t i = 0; i < context->depth; i++) {
		const struct level *level = &context->levels[i];
		const char *word = level->kind == LEVEL_ENTRY ? level->name : level->frame;

		if (!level->implied && !level->hidden)
			str_addf(out, "%s%s", out->len ? " " : "", word);
	}
}

/* Members of an outermost object have lines; here it is one line. */
static void report_join(const struct str *lines, struct str *out) {
	for (size_t i = 0; i < lines->len; i++)
		if (lines->data[i] != '\n')
			str_add_char(out, lines->data[i]);
	str_add_char(out, '\n');
}

void report_json(const char *kind, const struct err *err, unsigned long line,
		 const struct context *context, struct str *out) {
	AUTO_STR struct str lines = STR_INIT, path = STR_INIT;
	struct json j = json_put_begin(&lines);

	report_path(context, &path);
	json_put_object(&j, NULL);
	json_put_text(&j, "kind", kind);
	if (err->code != 0)
		json_put_i64(&j, "code", report_code(err->code));
	json_put_text(&j, "text", err->text + (err->text[0] == '\n'));
	if (line > 0)
		json_put_u64(&j, "line", line);
	if (path.len > 0)
		json_put_text(&j, "path", str_text(&path));
	json_put_end(&j);
	report_join(&lines, out);
}
