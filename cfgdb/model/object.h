/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object: one entry of a list table, or the one set of attributes of an object table.
 *
 * Only attributes that differ from their default are held, sorted by attribute index, so an
 * object of a 200-attribute table costs what was set in it.
 */
#pragma once

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/model/schema.h"
#include "cfgdb/model/value.h"

#define OBJECT_KEY_MAX 255   /* bytes in a key */
#define OBJECT_HASH_LEN 32

struct field {
	uint16_t attr;
	struct value value;
};

struct object {
	const struct schema_table *table;
	char *key;               /* "" for an object table */
	uint64_t ver;            /* revision that last changed it; 0: as found or as shipped */
	int64_t pos;             /* place in the table; grows, with gaps */
	uint32_t n_fields;
	struct field *fields;    /* sorted by attr */
	char *unknown;           /* what this release cannot read (cfgdb/unknown.h), or NULL */
	unsigned char hash[OBJECT_HASH_LEN];
	unsigned char group_hash[OBJECT_HASH_LEN]; /* as group_stamp had it; see cfgdb/digest.h */
	uint64_t group_stamp;    /* 0: not made yet */
	RB_ENTRY(object) by_key, by_pos; /* of the model that holds it */
	struct object *same_slot;        /* of its index by name */
};

/* New empty object; copies key. The caller frees it. */
struct object *object_new(const struct schema_table *table, const char *key);

/* Free an object and all in it; NULL is fine. Returns NULL. */
struct object *object_free(struct object *obj);

/* Deep copy, not part of any model; the caller frees it. */
struct object *object_copy(const struct object *obj);

/* Give an object that is in no model or transaction another key, which is copied. */
void object_rekey(struct object *obj, const char *key);

/* Bytes of memory that obj takes with all in it, about. */
size_t object_size(const struct object *obj);

/* The value that is set, or NULL. */
const struct value *object_get(const struct object *obj, unsigned int attr);

/* The value that counts: set or default; NULL when neither is there. */
const struct value *object_value(const struct object *obj, unsigned int attr);

/* Like object_get, for changing in place; NULL when not set. */
struct value *object_get_mutable(struct object *obj, unsigned int attr);

/* Set attribute; takes over *value. A value equal to the default is dropped. */
void object_set(struct object *obj, unsigned int attr, struct value value);

/* Back to the default. */
void object_unset(struct object *obj, unsigned int attr);

/* True when the conditions of the attribute hold, so that it exists in this object. */
bool object_has(const struct object *obj, unsigned int attr);

/* Drop values of attributes whose conditions do not hold. */
void object_normalize(struct object *obj);

/* Equal in table, key and values. */
bool object_equal(const struct object *a, const struct object *b);

/* True when nothing is set in obj, nor kept of what this release cannot read. */
bool object_is_empty(const struct object *obj);

/* True when nothing is set in obj but what belongs to the unit. */
bool object_is_local(const struct object *obj);

/* Number of an option or integer attribute (set or default); 0 when there is none. */
int64_t object_num(const struct object *obj, unsigned int attr);

/* Text of a string-like attribute; "" when there is none. */
const char *object_str(const struct object *obj, unsigned int attr);

/* What is to be shown beside the key of an entry; "" when there is nothing. */
const char *object_remark(const struct object *obj);

/* IPv4 item of an attribute; zeros when there is none. */
struct ipv4_pair object_ip(const struct object *obj, unsigned int attr);

/* True when an option attribute has (one of its values is) this word. */
bool object_is(const struct object *obj, unsigned int attr, const char *word);

/* Number of items of an attribute (set or default). */
uint32_t object_count(const struct object *obj, unsigned int attr);

/* Entry of a child list with this key, or NULL. */
struct object *object_child(const struct object *obj, unsigned int attr, const char *key);

/* The child object of an attribute that is no list; made when missing. Owned by obj. */
struct object *object_child_make(struct object *obj, unsigned int attr);

/* Put an entry into a child list (replacing one with the same key); takes over entry. */
void object_child_put(struct object *obj, unsigned int attr, struct object *entry);

/* Remove an entry of a child list; false when there was none. */
bool object_child_delete(struct object *obj, unsigned int attr, const char *key);

/* Give an entry of a child list, which there is, a key that no other has. */
void object_child_rename(struct object *obj, unsigned int attr, const char *key, const char *to);

/* Move an entry of a child list before or behind another one; false when they are not two of it. */
bool object_child_move(struct object *obj, unsigned int attr, const char *key, bool before,
		       const char *other);

/*
 * Check a key as typed and bring it into canonical form; the caller frees *ret. Errors carry the
 * text an administrator sees.
 */
int object_key_parse(const struct schema_table *table, const char *word, char **ret,
		     struct err *err);

/* Order of two keys of a table: numeric for integer keys, else bytewise. */
int object_key_compare(const struct schema_table *table, const char *a, const char *b);

/* Empty all uuid attributes. */
void object_drop_uuid(struct object *obj);

/* Fill uuid attributes that are empty with random UUIDs (RFC 9562 version 4). */
void object_fill_uuid(struct object *obj);

/*
 * Visit the text of every attribute of obj that is unique in its table and not empty; stops when
 * visit returns non-zero and returns that.
 */
int object_each_unique(const struct object *obj,
		       int (*visit)(void *arg, const struct object *holder, unsigned int attr,
				    const char *text),
		       void *arg);

/* Visit every reference in obj and its children; a visit that returns non-zero ends that. */
int object_each_ref(const struct object *obj,
		    int (*visit)(void *arg, const struct object *holder, unsigned int attr,
				 const char *name),
		    void *arg);
