/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiled schema: what tables exist, what their attributes are called, hold and mean.
 *
 * Everything here is const data generated from schemas/ by schemas/compile.awk. A table is
 * either a list (entries with a key) or an object (one set of attributes). A nested table is an
 * attribute of type ATTR_CHILD whose `child` is a table of its own, so one walk serves all depths.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum attr_type {
	ATTR_OPTION,
	ATTR_INTEGER,
	ATTR_STRING,
	ATTR_FQDN,
	ATTR_REF,
	ATTR_IPV4,
	ATTR_IPV4_HOST,
	ATTR_IPV4_NET,
	ATTR_IPV4_RANGE,
	ATTR_IPV6,
	ATTR_IPV6_PREFIX,
	ATTR_PORT_RANGE,
	ATTR_SERVICE_PORTS,
	ATTR_MAC,
	ATTR_UUID,
	ATTR_TIME,
	ATTR_DATETIME,
	ATTR_PASSWORD,
	ATTR_PASSWORD_HASH,
	ATTR_CHILD,
	ATTR_TYPE_COUNT
};

enum attr_flag {
	ATTR_MULTI = 1 << 0,    /* a list of values */
	ATTR_REQUIRED = 1 << 1, /* must be set when the entry is saved */
	ATTR_ALWAYS = 1 << 2,   /* shown even at its default */
	ATTR_QUOTED = 1 << 3,   /* shown in double quotes */
	ATTR_STORED = 1 << 4,   /* validated and shown, not enforced */
	ATTR_LOCAL = 1 << 5,    /* belongs to the unit: not replicated, not in the checksum */
	ATTR_NODEFAULT = 1 << 6,/* unset until someone sets it */
	ATTR_KEY = 1 << 7,      /* the key of a list */
	ATTR_DIRECT = 1 << 8,   /* child list that `edit` directly below the parent opens */
	ATTR_ANY = 1 << 9,      /* reference in which the word `any` stands for every entry */
	ATTR_UNIQUE = 1 << 10,  /* string that no two entries have, unless it is empty */
	ATTR_NEVER = 1 << 11,   /* integer, not negative; the word `never` can stand for it */
	ATTR_SESSION = 1 << 12, /* belongs to a shell: never sent nor kept; local, too */
	ATTR_REMARK = 1 << 13,  /* string that is shown beside the key of an entry */
	ATTR_LISTED = 1 << 14,  /* in the line of an entry that `get` prints for its table */
	ATTR_WORDS = 1 << 15,   /* string that may be typed as two words without quotes */
};

enum table_flag {
	TABLE_LIST = 1 << 0,    /* entries with a key; otherwise a single object */
	TABLE_ORDERED = 1 << 1, /* the order of entries has a meaning */
	TABLE_VDOM = 1 << 2,    /* one per VDOM; otherwise global */
	TABLE_STORED = 1 << 3,  /* nothing of it is enforced */
	TABLE_LOCAL = 1 << 4,   /* belongs to the unit */
};

struct schema_option {
	const char *name;
	const char *help; /* NULL: the word explains itself */
	bool stored;      /* known, not enforced */
};

/* One condition: attribute `attr` of the same entry has one of the values `words` ("a|b"). */
struct schema_cond {
	uint16_t attr;
	const char *words;
};

struct schema_attr {
	const char *name;
	const char *help;
	enum attr_type type;
	unsigned int flags;                  /* enum attr_flag */
	const char *dflt;                    /* NULL: none; words separated by blanks */
	int64_t min, max; /* integer: bounds; string: most bytes; password: least */
	const struct schema_option *options; /* option: values; string: the only names, if any */
	uint16_t n_options;
	uint16_t n_refs, n_conds;
	const uint16_t *refs;                /* ref: table ids */
	const struct schema_cond *conds;     /* all must hold for the attribute to exist */
	const struct schema_table *child;    /* child: the nested table */
};

/* An entry may not be called like one of `table`: the code of that error. */
struct schema_clash {
	uint16_t table;
	int16_t code;
};

struct schema_table {
	uint16_t id;
	uint16_t n_attrs;
	unsigned int flags;                  /* enum table_flag */
	const char *path;                    /* "firewall policy"; a child: its own name only */
	const char *dotted;                  /* "firewall.policy", "system.ha.secondary-vcluster" */
	const char *help;
	const char *group;                   /* of roles (cfgdb/rights.h); NULL: none, or a child */
	const char *names;                   /* name space shared with other tables, or NULL */
	const char *noun;                    /* what errors of clashing names call it, or NULL */
	const struct schema_clash *clashes;  /* n_clashes of them; see schema_clash_code() */
	uint16_t n_clashes;
	const struct schema_attr *attrs;     /* the key of a list is attrs[0] */
	const struct schema_table *parent;   /* NULL: top level */
	uint32_t max_entries;                /* 0: the product's general bound */
};

/* Another path that opens a child list of a table. */
struct schema_alias {
	const char *path;
	const char *help;
	uint16_t table;
	uint16_t attr;
};

extern const struct schema_table *const schema_tables[]; /* by id; children included */
extern const uint16_t schema_n_tables;
extern const uint16_t schema_top[];                      /* top-level tables, as `show` has them */
extern const uint16_t schema_n_top;
extern const struct schema_alias schema_aliases[];
extern const uint16_t schema_n_aliases;
extern const char schema_digest[];                       /* changes with any change of the schema */

/* Table with this id, or NULL when the id is out of range. */
const struct schema_table *schema_table(unsigned int id);

/* Top-level table with this dotted name ("firewall.policy"), or NULL. */
const struct schema_table *schema_find(const char *dotted);

/* Index of the attribute with exactly this name, or -1. */
int schema_attr_index(const struct schema_table *table, const char *name);

/* Index of the option with exactly this name, or -1. */
int schema_option_index(const struct schema_attr *attr, const char *name);

/*
 * True when nothing of the table is enforced: said of it, of a table that it is nested in, or of
 * each of its attributes.
 */
bool schema_is_stored_table(const struct schema_table *table);

/* Attribute whose child list `edit` directly below the table opens, or -1. */
int schema_direct(const struct schema_table *table);

/* Code of the error that one name in two tables of a name space is. */
int schema_clash_code(const struct schema_table *a, const struct schema_table *b);

static inline bool schema_is_list(const struct schema_table *table) {
	return (table->flags & TABLE_LIST) != 0;
}

/* True for attributes that are shown as "ENC TEXT" only. */
static inline bool schema_is_secret(const struct schema_attr *attr) {
	return attr->type == ATTR_PASSWORD || attr->type == ATTR_PASSWORD_HASH;
}

/* True when an attribute, or the whole child table it holds, belongs to the unit. */
static inline bool schema_is_local(const struct schema_attr *attr) {
	return (attr->flags & ATTR_LOCAL) || (attr->child && (attr->child->flags & TABLE_LOCAL));
}

/* True when an attribute, or the whole child table it holds, is not enforced. */
static inline bool schema_is_stored(const struct schema_attr *attr) {
	return (attr->flags & ATTR_STORED) || (attr->child && (attr->child->flags & TABLE_STORED));
}
