/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what another member of the group says an object is. The first two choose the table.
 * What is refused is refused with a reason. What is taken is kept whole: it goes on to the next
 * member as the same lines, counts in its digest as it does where nothing of it is known, and reads
 * back from the database as an equal object.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "cfgdb/shared.h"
#include "cfgdb/unknown.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct keyring *ring;
static const struct shared all_shared;

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
	char dir[] = "/tmp/gatehouse-fuzz.XXXXXX";
	AUTO_FREE char *path = NULL;

	(void)argc;
	(void)argv;
	promise(mkdtemp(dir) != NULL, "there is a temporary directory");
	path = xasprintf("%s/device.key", dir);
	ring = keyring_open(path, true, NULL);
	promise(ring != NULL, "there is a key");
	unlink(path);
	rmdir(dir);
	return 0;
}

/* What a restart makes of it. */
static void check_stored(const struct object *obj) {
	struct object *back = object_new(obj->table, obj->key);
	AUTO_STR struct str body = STR_INIT;
	struct err err = { 0 };

	text_body(obj, 0, TEXT_KEPT, &body);
	promise(unknown_parse(back, str_text(&body), &err) == 0, "what is stored reads back");
	object_normalize(back);
	promise(object_equal(back, obj), "to an equal object");
	object_free(back);
}

static void check_sent_on(const struct object *obj) {
	struct object *back = object_new(obj->table, obj->key);
	AUTO_STR struct str text = STR_INIT, again = STR_INIT;
	struct err err = { 0 };

	promise(shared_text(&all_shared, ring, obj, &text, &err) == 0, "it can be sent on");
	promise(shared_parse(ring, back, str_text(&text), &err) == 0, "and is taken there");
	promise(secret_seal_object(ring, back, obj, &err) == 0, "with its secrets");
	object_normalize(back);
	promise(shared_equal(&all_shared, back, obj), "as the same object");
	promise(shared_text(&all_shared, ring, back, &again, &err) == 0, "which can be sent on");
	promise(strcmp(str_text(&text), str_text(&again)) == 0, "in the same words");
	object_free(back);
}

static void check_row(const char *body) {
	struct row *row = NULL, *back = NULL;
	AUTO_STR struct str text = STR_INIT;
	struct err err = { 0 };

	if (shared_row_parse(ring, "no.such", "1", body, &row, &err) != 0) {
		promise(err.code != 0 && *err.text && !row, "an error has a code and a text");
		return;
	}
	if (shared_row_text(ring, row, &text, &err) == 0) {
		promise(shared_row_parse(ring, "no.such", "1", str_text(&text), &back, &err) == 0,
			"a row can be sent on");
		promise(strcmp(row->body, back->body) == 0, "and is the same there");
	} else {
		promise(err.code == ERR_TOO_LONG, "unless it is too large");
	}
	row_free(row);
	row_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct schema_table *table;
	AUTO_FREE char *body = NULL;
	struct object *obj;
	struct err err = { 0 };

	if (size < 2)
		return 0;
	table = schema_tables[schema_top[((unsigned int)data[0] << 8 | data[1]) % schema_n_top]];
	body = xstrndup((const char *)data + 2, size - 2);
	obj = object_new(table, "1");
	if (shared_parse(ring, obj, body, &err) == 0) {
		object_normalize(obj);
		if (shared_has(&all_shared, obj) &&
		    secret_seal_object(ring, obj, NULL, &err) == 0)
			check_sent_on(obj);
		check_stored(obj);
	} else {
		promise(err.code != 0 && *err.text, "an error has a code and a text");
	}
	object_free(obj);
	check_row(body);
	return 0;
}
