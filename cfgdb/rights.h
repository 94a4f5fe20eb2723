/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an administrator may, as his role (system accprofile) says: for each group none, read or
 * read and write, and which first words of commands.
 *
 * Each table names its group in the schema, each command of the daemon in its row: the name of the
 * attribute, or ATTRIBUTE.SUB for one of the attributes in ATTRIBUTE-permission, which counts when
 * ATTRIBUTE is `custom`. Two groups stand in no role: what is in `any` all see, and `all` is every
 * table. What is in no group is for super_admin alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/warn.h"
#include "cfgdb/model/object.h"
#include "cfgdb/model/schema.h"

#define RIGHTS_GROUPS_MAX 64

struct model;
struct txn;

enum rights_level { RIGHTS_NONE, RIGHTS_READ, RIGHTS_WRITE };

/* First words of commands; a mask. */
enum rights_verb {
	RIGHTS_GET = 1 << 0,
	RIGHTS_SHOW = 1 << 1,
	RIGHTS_CONFIG = 1 << 2,
	RIGHTS_EXECUTE = 1 << 3,
	RIGHTS_DIAGNOSE = 1 << 4,
	RIGHTS_VERBS = (1 << 5) - 1,
};

struct rights {
	bool super;              /* everything: levels mean nothing */
	bool global;             /* of the unit, not of its virtual domains */
	uint8_t verbs;           /* enum rights_verb */
	uint8_t levels[RIGHTS_GROUPS_MAX]; /* enum rights_level, by number of the group */
};

extern const struct rights rights_all;   /* of super_admin */
extern const struct rights rights_none;

/* Visit the names of the groups that roles have, in the order of their numbers. */
void rights_each_group(void (*visit)(void *arg, const char *name), void *arg);

/* What a role says; an entry of system accprofile. */
void rights_of_profile(const struct object *profile, struct rights *ret);

/* Warn of a role with which nobody can do anything. */
void rights_review(const struct object *obj, struct warnings *warnings);

/* What this administrator may, as of the active configuration; nothing if he is none. */
void rights_of_admin(const struct model *m, const char *name, struct rights *ret);

/* Whether whoever may all of a may all of b. */
bool rights_include(const struct rights *a, const struct rights *b);

/*
 * What r may in a group: the data, whatever first words he may use. With `all`, what he may in each
 * table; RIGHTS_NONE also if he is not of the whole unit.
 */
enum rights_level rights_in(const struct rights *r, const char *group);

/* What r may with a table, or one nested in it: nothing is changed without `config`. */
enum rights_level rights_on(const struct rights *r, const struct schema_table *table);

/* Whether r may see this object of a table that he may see; t is what the role is looked up in. */
bool rights_see(const struct rights *r, const struct txn *t, const struct object *obj);

/* Of the first word of a command; 0: it is for everyone. */
enum rights_verb rights_verb(const char *word);

/* ERR_DENIED, saying that the administrator may not do this much with a table. */
int rights_refuse_table(const char *path, enum rights_level level, struct err *err);

/* The same when r may not; else 0. */
int rights_check(const struct rights *r, const struct schema_table *table, enum rights_level level,
		 struct err *err);

/*
 * ERR_PERMISSION unless r may change everything of the unit: who chooses the key that all secrets
 * are sealed with can read them.
 */
int rights_check_private(const struct rights *r, struct err *err);

/*
 * ERR_DENIED when r may not make `after` of `before` (NULL: there was none, or it goes) in t: he
 * may not write the table, or it is a role, or an administrator with one, that gives more than r.
 */
int rights_check_change(const struct rights *r, const struct txn *t, const struct object *before,
			const struct object *after, struct err *err);

/* ERR_PERMISSION, saying that the administrator may not do this ("backup config"). */
int rights_refuse(const char *what, struct err *err);
