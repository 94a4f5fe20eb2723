/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions on different fields must all hold; of the values of one field, one. A value with a
 * hyphen is a range when both ends, and what the line has, are numbers or IPv4 addresses, and a
 * plain text otherwise: names may have hyphens, too.
 */
#include "cfgdb/control/logfilter.h"

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/command.h"
#include "cfgdb/model/value.h"

static const char *const categories[LOGSTORE_CATEGORIES] = {
	[LOGSTORE_TRAFFIC] = "traffic",
	[LOGSTORE_EVENT] = "event",
};

void logfilter_init(struct logfilter *f) {
	*f = (struct logfilter){ .category = LOGSTORE_TRAFFIC, .start_line = 1, .view_lines = 10 };
}

static void field_done(struct logfilter_field *field) {
	free(field->name);
	for (unsigned int i = 0; i < field->n_values; i++)
		free(field->value[i]);
	*field = (struct logfilter_field){ .name = NULL };
}

void logfilter_clear_fields(struct logfilter *f) {
	while (f->n_fields > 0)
		field_done(&f->field[--f->n_fields]);
}

void logfilter_done(struct logfilter *f) {
	logfilter_clear_fields(f);
}

/* ---- setting ---- */

/* The condition on this field, a new one if there is none; NULL when there are too many. */
static struct logfilter_field *field_at(struct logfilter *f, const char *name) {
	for (unsigned int i = 0; i < f->n_fields; i++)
		if (strcmp(f->field[i].name, name) == 0)
			return &f->field[i];
	return f->n_fields < LOGFILTER_FIELDS_MAX ? &f->field[f->n_fields++] : NULL;
}

static int check_words(size_t argc, char *const argv[], struct err *err) {
	for (size_t i = 0; i < argc; i++)
		if (*argv[i] == '\0' || strlen(argv[i]) > LOGFILTER_WORD_MAX)
			return command_bad_word(argv[i], err);
	return 0;
}

int logfilter_set_field(struct logfilter *f, size_t argc, char *const argv[], struct err *err) {
	bool negate = argc > 1 && strcmp(argv[1], "not") == 0;
	size_t first = negate ? 2 : 1;
	struct logfilter_field *field;

	if (argc <= first)
		return command_word_missing(err);
	if (argc - first > LOGFILTER_VALUES_MAX)
		return command_bad_word(argv[first + LOGFILTER_VALUES_MAX], err);
	if (check_words(argc, argv, err) != 0)
		return ERR_PARSE;
	field = field_at(f, argv[0]);
	if (!field)
		return err_set(err, ERR_MAX_ENTRIES, "at most %d fields", LOGFILTER_FIELDS_MAX);
	field_done(field);
	field->name = xstrdup(argv[0]);
	field->negate = negate;
	while (first < argc)
		field->value[field->n_values++] = xstrdup(argv[first++]);
	return 0;
}

/* By name or number. */
int logfilter_set_category(struct logfilter *f, const char *word, struct err *err) {
	for (int c = 0; c < LOGSTORE_CATEGORIES; c++) {
		const char number[] = { (char)('0' + c), '\0' };

		if (strcmp(word, categories[c]) == 0 || strcmp(word, number) == 0) {
			f->category = (enum logstore_category)c;
			return 0;
		}
	}
	return command_bad_word(word, err);
}

static int set_number(uint32_t *ret, const char *word, uint32_t low, uint32_t high,
		      struct err *err) {
	const char *bad = NULL;
	uint32_t number = (uint32_t)strtonum(word, low, high, &bad);

	if (bad)
		return command_bad_word(word, err);
	*ret = number;
	return 0;
}

int logfilter_set_start_line(struct logfilter *f, const char *word, struct err *err) {
	return set_number(&f->start_line, word, 1, UINT32_MAX, err);
}

int logfilter_set_view_lines(struct logfilter *f, const char *word, struct err *err) {
	return set_number(&f->view_lines, word, 5, 1000, err);
}

int logfilter_set_max_checklines(struct logfilter *f, const char *word, struct err *err) {
	if (strcmp(word, "0") != 0)
		return set_number(&f->max_checklines, word, 100, 1000000, err);
	f->max_checklines = 0;
	return 0;
}

/* ---- matching ---- */

static bool parse_number(const char *text, uint64_t *ret) {
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*ret = strtoull(text, &end, 10);
	return *end == '\0';
}

static bool parse_addr(const char *text, uint64_t *ret) {
	uint32_t addr;

	if (!value_parse_ipv4(text, &addr))
		return false;
	*ret = addr;
	return true;
}

/* Whether text lies in the range "LOW-HIGH" of what parse understands. */
static bool in_range(const char *range, const char *text,
		     bool (*parse)(const char *text, uint64_t *ret)) {
	const char *hyphen = strchr(range, '-');
	char low[LOGFILTER_WORD_MAX + 1];
	uint64_t lo, hi, value;

	if (!hyphen || !parse(text, &value) || !parse(hyphen + 1, &hi))
		return false;
	memcpy(low, range, (size_t)(hyphen - range));
	low[hyphen - range] = '\0';
	return parse(low, &lo) && value >= lo && value <= hi;
}

static bool value_matches(const char *wanted, const char *text) {
	return strcmp(wanted, text) == 0 || in_range(wanted, text, parse_number) ||
	       in_range(wanted, text, parse_addr);
}

static bool field_matches(const struct logfilter_field *field, const char *line, size_t len) {
	char text[LOGFILTER_WORD_MAX + 1];
	const char *value;
	size_t n;

	if (!logtext_field(line, len, field->name, &value, &n) || n >= sizeof(text))
		return field->negate;
	memcpy(text, value, n);
	text[n] = '\0';
	for (unsigned int i = 0; i < field->n_values; i++)
		if (value_matches(field->value[i], text))
			return !field->negate;
	return field->negate;
}

bool logfilter_match(const struct logfilter *f, const char *line, size_t len) {
	for (unsigned int i = 0; i < f->n_fields; i++)
		if (!field_matches(&f->field[i], line, len))
			return false;
	return true;
}

/* ---- printing ---- */

static void print_field(const struct logfilter_field *field, struct str *out) {
	str_addf(out, "( %s%s", field->negate ? "not " : "", field->name);
	for (unsigned int i = 0; i < field->n_values; i++)
		str_addf(out, "%s \"%s\"", i ? " or" : "", field->value[i]);
	str_add(out, " )");
}

void logfilter_print(const struct logfilter *f, struct str *out) {
	str_addf(out,
		 "category: %s\ndevice: disk\nstart-line: %u\nview-lines: %u\nmax-checklines: %u\n",
		 categories[f->category], f->start_line, f->view_lines, f->max_checklines);
	str_add(out, "Filter:");
	for (unsigned int i = 0; i < f->n_fields; i++) {
		str_add(out, i ? " AND " : " ");
		print_field(&f->field[i], out);
	}
	str_add_char(out, '\n');
}

const char *logfilter_category_name(enum logstore_category c) {
	return categories[c];
}
