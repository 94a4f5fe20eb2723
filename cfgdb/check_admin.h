/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of system admin, for cfgdb/check_rules.c: put, deleted, purged, renamed. */
#pragma once

#include "cfgdb/txn_view.h"

/* Whether an entry may become obj: its values, and that a super_admin is left. */
int check_admin(const struct txn *t, const struct object *obj, struct err *err);

/* Whether an entry may go. */
int check_admin_delete(const struct txn *t, const struct object *obj, struct err *err);

/* Whether an entry may go with all others. */
int check_admin_purge(const struct object *obj, struct err *err);

/* Whether obj may be called as renamed. */
int check_admin_rename(const struct txn *t, const struct object *obj, const struct object *renamed,
		       struct err *err);
