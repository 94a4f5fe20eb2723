/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the body of an object. The first two choose the table. What is refused is refused
 * with a reason; what is taken prints to a text that reads back to an equal object, in the form of
 * show and in that of show full-configuration.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void check_round_trip(const struct object *obj, unsigned int flags) {
	AUTO_STR struct str text = STR_INIT, again = STR_INIT;
	struct object *back = object_new(obj->table, obj->key);
	struct err err = { 0 };

	text_body(obj, 0, flags, &text);
	promise(text_parse(back, str_text(&text), &err) == 0, "what is printed reads back");
	object_normalize(back);
	promise(object_equal(obj, back), "to an equal object");
	text_body(back, 0, flags, &again);
	promise(strcmp(str_text(&text), str_text(&again)) == 0, "that prints the same");
	object_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct schema_table *table;
	AUTO_FREE char *body = NULL;
	struct object *obj;
	struct err err = { 0 };

	if (size < 2)
		return 0;
	table = schema_tables[((unsigned int)data[0] << 8 | data[1]) % schema_n_tables];
	body = xstrndup((const char *)data + 2, size - 2);
	obj = object_new(table, "1");
	if (text_parse(obj, body, &err) == 0) {
		object_normalize(obj);
		check_round_trip(obj, TEXT_WIRE);
		check_round_trip(obj, TEXT_WIRE | TEXT_FULL);
	} else {
		promise(err.code != 0 && *err.text, "an error has a code and a text");
	}
	object_free(obj);
	return 0;
}
