/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object's digest is over the same text that `show` prints, less what is local, so equal
 * output means equal digest. Object digests are kept; tables and the whole are summed up from
 * them when asked for, which costs milliseconds at 100,000 objects.
 */
#include "cfgdb/digest.h"

#include <sha2.h>
#include <string.h>

#include "cfgdb/base/str.h"
#include "cfgdb/text.h"

void digest_object(const struct keyring *k, struct object *obj) {
	AUTO_STR struct str text = STR_INIT;
	struct object *masked = NULL;
	SHA2_CTX state;

	if (secret_in_object(obj)) {
		masked = object_copy(obj);
		secret_mask_object(k, masked);
	}
	str_addf(&text, "%s %s\n", obj->table->dotted, obj->key);
	text_body(masked ? masked : obj, 0, TEXT_NO_LOCAL, &text);
	SHA256Init(&state);
	SHA256Update(&state, (const uint8_t *)str_text(&text), text.len);
	SHA256Final(obj->hash, &state);
	object_free(masked);
}

void digest_table(const struct model *m, const struct schema_table *table,
		  unsigned char out[DIGEST_LEN]) {
	bool ordered = (table->flags & TABLE_ORDERED) != 0;
	SHA2_CTX state;
	const struct object *obj = ordered ? model_first(m, table) : model_seek(m, table, "");

	SHA256Init(&state);
	while (obj) {
		SHA256Update(&state, (const uint8_t *)obj->key, strlen(obj->key) + 1);
		SHA256Update(&state, obj->hash, sizeof(obj->hash));
		obj = ordered ? model_next(m, obj) : model_next_key(m, obj);
	}
	SHA256Final(out, &state);
}

/* An object table in which only the unit's own attributes are set counts as never touched. */
static bool digest_skips(const struct model *m, const struct schema_table *table) {
	const struct object *obj = model_first(m, table);

	if ((table->flags & TABLE_LOCAL) || !obj)
		return true;
	return !schema_is_list(table) && object_is_local(obj);
}

void digest_root(const struct model *m, unsigned char out[DIGEST_LEN]) {
	SHA2_CTX state;
	unsigned char table_digest[DIGEST_LEN];

	SHA256Init(&state);
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];

		if (digest_skips(m, table))
			continue;
		digest_table(m, table, table_digest);
		SHA256Update(&state, (const uint8_t *)table->dotted, strlen(table->dotted) + 1);
		SHA256Update(&state, table_digest, sizeof(table_digest));
	}
	SHA256Final(out, &state);
}
