/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ten thousand policies name "all" and "always" ten thousand times; asking the daemon each time
 * would cost more than all the rest of a script. One slot a hash value, the newest wins, so memory
 * is bounded and nothing is ever searched. A stale answer does no harm: the daemon checks every
 * reference again at commit.
 */
#include "cli/refs.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/object.h"

#define REFS_SLOTS 4096

struct ref {
	uint16_t table, attr;
	char *name; /* NULL: free */
};

struct refs {
	struct ref slots[REFS_SLOTS];
};

struct refs *refs_new(void) {
	return xcalloc(1, sizeof(struct refs));
}

void refs_clear(struct refs *refs) {
	for (size_t i = 0; i < REFS_SLOTS; i++) {
		free(refs->slots[i].name);
		refs->slots[i].name = NULL;
	}
}

void refs_free(struct refs *refs) {
	if (!refs)
		return;
	refs_clear(refs);
	free(refs);
}

/* FNV-1a over table, attribute and name. */
static size_t refs_slot(const struct schema_table *table, unsigned int attr, const char *name) {
	uint32_t h = 2166136261u;

	h = (h ^ table->id) * 16777619u;
	h = (h ^ attr) * 16777619u;
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h % REFS_SLOTS;
}

bool refs_has(const struct refs *refs, const struct schema_table *table, unsigned int attr,
	      const char *name) {
	const struct ref *slot = &refs->slots[refs_slot(table, attr, name)];

	return slot->name && slot->table == table->id && slot->attr == attr &&
	       strcmp(slot->name, name) == 0;
}

void refs_add(struct refs *refs, const struct schema_table *table, unsigned int attr,
	      const char *name) {
	struct ref *slot = &refs->slots[refs_slot(table, attr, name)];

	if (strlen(name) > OBJECT_KEY_MAX)
		return;
	free(slot->name);
	*slot = (struct ref){ table->id, (uint16_t)attr, xstrdup(name) };
}
