/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The groups are not listed here: they are the attributes of system accprofile that can be
 * `read-write`, with those nested in ATTRIBUTE-permission in the place of ATTRIBUTE where there are
 * such. An attribute that the schema calls `stored` is an older form, and means nothing.
 *
 * Roles are compared as a whole. Whoever changes a role or an administrator needs all that it
 * gives, before and after: so nobody gets more than he has, nor touches the password or a key of
 * someone who may more. A transaction asks again at its commit, for roles may have changed.
 */
#include "cfgdb/rights.h"

#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/model.h"
#include "cfgdb/txn_view.h"
#include "schemas/schema_gen.h"

#define SUPER_ADMIN "super_admin"
#define GROUP_ANY "any"
#define GROUP_ALL "all"

const struct rights rights_all = {
	.super = true,
	.global = true,
	.verbs = RIGHTS_VERBS,
};

const struct rights rights_none;

/* ---- groups ---- */

/* Attribute `attr` of a role, and of what is nested there attribute `sub`, or -1. */
struct group {
	const struct schema_attr *attr, *sub;
	int attr_index, child_index, sub_index;
};

static bool is_level(const struct schema_attr *a) {
	return a->type == ATTR_OPTION && !(a->flags & ATTR_STORED) &&
	       schema_option_index(a, "read-write") >= 0;
}

/* The attribute with the details of this one, or -1. */
static int details_of(const struct schema_table *roles, const struct schema_attr *a) {
	AUTO_FREE char *name = xasprintf("%s-permission", a->name);

	return schema_option_index(a, "custom") >= 0 ? schema_attr_index(roles, name) : -1;
}

/* Non-zero, which is returned, ends it. */
static int each_group(int (*visit)(void *arg, unsigned int number, const struct group *g),
		      void *arg) {
	const struct schema_table *roles = schema_table(TBL_SYSTEM_ACCPROFILE);
	unsigned int n = 0;
	int rc = 0;

	for (int i = 0; i < roles->n_attrs && n < RIGHTS_GROUPS_MAX && rc == 0; i++) {
		struct group g = { &roles->attrs[i], NULL, i, -1, -1 };
		const struct schema_table *details;

		if (!is_level(g.attr))
			continue;
		g.child_index = details_of(roles, g.attr);
		details = g.child_index < 0 ? NULL : roles->attrs[g.child_index].child;
		if (!details)
			rc = visit(arg, n++, &g);
		while (details && ++g.sub_index < details->n_attrs && n < RIGHTS_GROUPS_MAX &&
		       rc == 0) {
			g.sub = &details->attrs[g.sub_index];
			rc = visit(arg, n++, &g);
		}
	}
	return rc;
}

struct naming {
	void (*visit)(void *arg, const char *name);
	void *arg;
};

static int tell_name(void *arg, unsigned int number, const struct group *g) {
	const struct naming *naming = arg;
	AUTO_FREE char *name = g->sub ? xasprintf("%s.%s", g->attr->name, g->sub->name)
				      : xstrdup(g->attr->name);

	(void)number;
	naming->visit(naming->arg, name);
	return 0;
}

void rights_each_group(void (*visit)(void *arg, const char *name), void *arg) {
	struct naming naming = { visit, arg };

	each_group(tell_name, &naming);
}

struct search {
	const char *name;
	int number;              /* -1: not found */
};

static int match_name(void *arg, unsigned int number, const struct group *g) {
	struct search *s = arg;
	size_t len = strlen(g->attr->name);

	if (strncmp(s->name, g->attr->name, len) != 0)
		return 0;
	if (g->sub ? s->name[len] != '.' || strcmp(s->name + len + 1, g->sub->name) != 0
		   : s->name[len] != '\0')
		return 0;
	s->number = (int)number;
	return 1;
}

static int number_of(const char *name) {
	struct search s = { name, -1 };

	each_group(match_name, &s);
	return s.number;
}

/* ---- roles ---- */

static enum rights_level level_of(const struct object *obj, int attr) {
	if (object_is(obj, (unsigned int)attr, "read-write"))
		return RIGHTS_WRITE;
	return object_is(obj, (unsigned int)attr, "read") ? RIGHTS_READ : RIGHTS_NONE;
}

struct reading {
	const struct object *profile;
	struct rights *ret;
};

static int read_group(void *arg, unsigned int number, const struct group *g) {
	const struct reading *r = arg;
	const struct object *details = NULL;
	const struct value *v;

	if (!object_is(r->profile, (unsigned int)g->attr_index, "custom")) {
		r->ret->levels[number] = (uint8_t)level_of(r->profile, g->attr_index);
		return 0;
	}
	v = object_get(r->profile, (unsigned int)g->child_index);
	if (v && v->n > 0)
		details = value_item(v, 0)->entry;
	if (details)
		r->ret->levels[number] = (uint8_t)level_of(details, g->sub_index);
	return 0;
}

static uint8_t verbs_of(const struct object *profile) {
	static const struct {
		unsigned int attr;
		enum rights_verb verb;
	} verbs[] = {
		{ SYSTEM_ACCPROFILE__CLI_GET, RIGHTS_GET },
		{ SYSTEM_ACCPROFILE__CLI_SHOW, RIGHTS_SHOW },
		{ SYSTEM_ACCPROFILE__CLI_CONFIG, RIGHTS_CONFIG },
		{ SYSTEM_ACCPROFILE__CLI_EXEC, RIGHTS_EXECUTE },
		{ SYSTEM_ACCPROFILE__CLI_DIAGNOSE, RIGHTS_DIAGNOSE },
	};
	uint8_t mask = 0;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (object_is(profile, verbs[i].attr, "enable"))
			mask |= (uint8_t)verbs[i].verb;
	return mask;
}

void rights_of_profile(const struct object *profile, struct rights *ret) {
	struct reading r = { profile, ret };

	if (strcmp(profile->key, SUPER_ADMIN) == 0) {
		*ret = rights_all;
		return;
	}
	*ret = rights_none;
	ret->global = object_is(profile, SYSTEM_ACCPROFILE__SCOPE, "global");
	ret->verbs = verbs_of(profile);
	each_group(read_group, &r);
}

void rights_review(const struct object *obj, struct warnings *warnings) {
	struct rights r;

	if (obj->table->id != TBL_SYSTEM_ACCPROFILE)
		return;
	rights_of_profile(obj, &r);
	if (r.verbs == 0)
		warn_add(warnings,
			 "%s %s: nobody can do anything in the shell with it: enable cli-get, "
			 "cli-show, cli-config, cli-exec or cli-diagnose",
			 obj->table->path, obj->key);
}

void rights_of_admin(const struct model *m, const char *name, struct rights *ret) {
	const struct object *admin = model_find(m, schema_table(TBL_SYSTEM_ADMIN), name);
	const struct object *profile = NULL;

	if (admin)
		profile = model_find(m, schema_table(TBL_SYSTEM_ACCPROFILE),
				     object_str(admin, SYSTEM_ADMIN__ACCPROFILE));
	if (profile)
		rights_of_profile(profile, ret);
	else
		*ret = rights_none;
}

bool rights_include(const struct rights *a, const struct rights *b) {
	if (a->super)
		return true;
	if (b->super || (b->global && !a->global) || (b->verbs & ~a->verbs))
		return false;
	for (int i = 0; i < RIGHTS_GROUPS_MAX; i++)
		if (b->levels[i] > a->levels[i])
			return false;
	return true;
}

/* ---- what one may ---- */

/* The least of all tables. */
static enum rights_level level_of_all(const struct rights *r) {
	enum rights_level least = r->global ? RIGHTS_WRITE : RIGHTS_NONE;

	for (uint16_t i = 0; i < schema_n_top && least > RIGHTS_NONE; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];
		enum rights_level level = RIGHTS_NONE;

		if (table->group && strcmp(table->group, GROUP_ANY) == 0)
			continue;
		if (table->group)
			level = rights_in(r, table->group);
		least = level < least ? level : least;
	}
	return least;
}

enum rights_level rights_in(const struct rights *r, const char *group) {
	int number;

	if (r->super)
		return RIGHTS_WRITE;
	if (!r->verbs || !group)
		return RIGHTS_NONE;
	if (strcmp(group, GROUP_ALL) == 0)
		return level_of_all(r);
	if (strcmp(group, GROUP_ANY) == 0)
		return level_of_all(r) == RIGHTS_WRITE ? RIGHTS_WRITE : RIGHTS_READ;
	number = number_of(group);
	return number < 0 ? RIGHTS_NONE : r->levels[number];
}

enum rights_level rights_on(const struct rights *r, const struct schema_table *table) {
	enum rights_level level;

	while (table->parent)
		table = table->parent;
	level = rights_in(r, table->group);
	if (!(r->verbs & (RIGHTS_GET | RIGHTS_SHOW | RIGHTS_CONFIG)))
		return RIGHTS_NONE;
	return level == RIGHTS_WRITE && !(r->verbs & RIGHTS_CONFIG) ? RIGHTS_READ : level;
}

/* ---- who may what with whom ---- */

/* The role of an administrator as t would leave it, or NULL. */
static const struct object *profile_of(const struct txn *t, const struct object *obj) {
	return obj->table->id == TBL_SYSTEM_ADMIN
		       ? txn_find(t, schema_table(TBL_SYSTEM_ACCPROFILE),
				  object_str(obj, SYSTEM_ADMIN__ACCPROFILE))
		       : NULL;
}

/*
 * What an object gives to somebody, were it active; false: nothing. The role of an administrator
 * may be missing while it gets another name: the commit asks once more.
 */
static bool strength_of(const struct txn *t, const struct object *obj, struct rights *ret) {
	const struct object *profile =
		obj->table->id == TBL_SYSTEM_ACCPROFILE ? obj : profile_of(t, obj);

	if (profile)
		rights_of_profile(profile, ret);
	return profile != NULL;
}

/* Administrators of the whole unit are nothing to those of its virtual domains. */
bool rights_see(const struct rights *r, const struct txn *t, const struct object *obj) {
	struct rights theirs;

	return r->global || obj->table->id != TBL_SYSTEM_ADMIN ||
	       !strength_of(t, obj, &theirs) || !theirs.global;
}

int rights_refuse_table(const char *path, enum rights_level level, struct err *err) {
	return err_set(err, ERR_DENIED,
		       "The current admin user does not have the permission to %s %s.",
		       level == RIGHTS_WRITE ? "change" : "see", path);
}

int rights_check(const struct rights *r, const struct schema_table *table, enum rights_level level,
		 struct err *err) {
	while (table->parent)
		table = table->parent;
	return rights_on(r, table) >= level ? 0 : rights_refuse_table(table->path, level, err);
}

static int refuse_stronger(const struct object *obj, struct err *err) {
	return err_set(err, ERR_DENIED,
		       "The current admin user does not have all the permissions of %s '%s'.",
		       obj->table->path, obj->key);
}

int rights_check_private(const struct rights *r, struct err *err) {
	return r->super || (r->global && rights_in(r, "all") == RIGHTS_WRITE)
		       ? 0
		       : rights_refuse("change the private key", err);
}

static bool is_private(const struct object *obj) {
	return obj && obj->table->id == TBL_SYSTEM_GLOBAL &&
	       object_is(obj, SYSTEM_GLOBAL__PRIVATE_DATA_ENCRYPTION, "enable");
}

int rights_check_change(const struct rights *r, const struct txn *t, const struct object *before,
			const struct object *after, struct err *err) {
	struct rights theirs;
	int rc = rights_check(r, after ? after->table : before->table, RIGHTS_WRITE, err);

	if (rc == 0 && is_private(before) != is_private(after))
		rc = rights_check_private(r, err);
	if (rc || r->super)
		return rc;
	if (before && strength_of(t, before, &theirs) &&
	    !rights_include(r, &theirs))
		return refuse_stronger(before, err);
	if (after && strength_of(t, after, &theirs) &&
	    !rights_include(r, &theirs))
		return refuse_stronger(after, err);
	return 0;
}

int rights_refuse(const char *what, struct err *err) {
	return err_set(err, ERR_PERMISSION,
		       "The current admin user does not have the permission to %s.", what);
}
