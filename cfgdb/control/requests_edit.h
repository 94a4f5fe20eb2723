/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The requests that change objects: CTL_PUT, CTL_DELETE, CTL_RENAME, CTL_PLACE, CTL_PURGE. Each
 * reads its fields from r (r->bad: they are none), or fills *err and returns its code.
 */
#pragma once

#include "cfgdb/control/requests.h"

/* Put an object whole. */
int request_edit_put(struct caller *s, struct buf_reader *r, struct err *err);

/* Delete an entry. */
int request_edit_delete(struct caller *s, struct buf_reader *r, struct err *err);

/* Give an entry another key. */
int request_edit_rename(struct caller *s, struct buf_reader *r, struct err *err);

/* Give an entry of an ordered table another place. */
int request_edit_place(struct caller *s, struct buf_reader *r, struct err *err);

/* Delete all entries of a table. */
int request_edit_purge(struct caller *s, struct buf_reader *r, struct err *err);

/* Take a private key, for the next commit or at once. */
int request_edit_private_key(struct caller *s, struct buf_reader *r, struct err *err);
