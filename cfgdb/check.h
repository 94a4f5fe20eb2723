/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must hold for an object before it is staged: by the schema, and by rules of tables. */
#pragma once

#include "cfgdb/base/warn.h"
#include "cfgdb/txn_view.h"

/*
 * Required attributes, references, shared and unique names, number of entries; then the rules of
 * the table.
 */
int check_object(const struct txn *t, const struct object *obj, struct err *err);

/* Whether obj may go: nothing may refer to it, and rules of its table may hold it. */
int check_delete(const struct txn *t, const struct object *obj, struct err *err);

/* The same when all other entries of its table go, too. */
int check_purge(const struct txn *t, const struct object *obj, struct err *err);

/*
 * Whether obj may be called as `renamed`, which is it with another key: that must be free, and no
 * name of an entry in a table of the same name space.
 */
int check_rename(const struct txn *t, const struct object *obj, const struct object *renamed,
		 struct err *err);

/*
 * The same for what another member of the group has checked: references, shared and unique names
 * must be right here, too; what else there is against obj is a warning.
 */
int check_replicated(const struct txn *t, const struct object *obj, struct warnings *warnings,
		     struct err *err);

/* Whether all that refers to obj, which is to go, would refer to something else. */
int check_replicated_delete(const struct txn *t, const struct object *obj,
			    struct warnings *warnings, struct err *err);

/* Bring an object into the form its table keeps it in ("all" beside others goes, for example). */
void check_adjust(struct object *obj);

/*
 * The rules of single tables, in check_rules.c: for what is put, what is deleted, what is deleted
 * with all of its table, what is renamed.
 */
int check_rules(const struct txn *t, const struct object *obj, struct err *err);
int check_delete_rules(const struct txn *t, const struct object *obj, struct err *err);
int check_purge_rules(const struct object *obj, struct err *err);
int check_rename_rules(const struct txn *t, const struct object *obj, const struct object *renamed,
		       struct err *err);
