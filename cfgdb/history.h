/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A past revision in a transaction: as it was, or all but what one revision changed. Interfaces as
 * they are found on the machine are nobody's change, and stay as they are. Secrets come back with
 * the sealed text they had, objects of tables that this release does not know with theirs.
 */
#pragma once

#include "cfgdb/txn.h"

/*
 * New transaction in which everything is as it was at a revision, to be looked at and never to be
 * committed. NULL and *err as history_stage() says. The caller frees it.
 */
struct txn *history_look(struct engine *e, uint64_t revision, struct err *err);

/*
 * Stage into t, which is empty, what brings the configuration of a revision back. What rules of
 * tables have against an object is a warning: it was accepted once. ERR_NOT_FOUND: the history has
 * no such revision; ERR_STORE: it does not tell an order of then; otherwise the error of an object,
 * as of one that an administrator puts. After an error t is to be freed.
 */
int history_stage(struct txn *t, uint64_t revision, struct err *err);

/*
 * Stage into t, which is empty, what takes back the changes of one revision and leaves those of all
 * others. ERR_CONFLICT, with the object named, when someone has changed the same object since, or
 * needs what would go. Other errors as history_stage().
 */
int history_undo(struct txn *t, uint64_t revision, struct err *err);
