/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The requests with which replication reads the configuration that the group shares, and brings
 * that of another member: CTL_SYNC_... of cfgdb/control/ctl.h. Each reads its fields from r
 * (r->bad: they are none), sends what belongs before CTL_OK, or fills *err and returns its code.
 */
#pragma once

#include "cfgdb/control/requests.h"

/* Digests of all tables that hold something. */
int request_sync_tables(struct caller *s, struct buf_reader *r, struct err *err);

/* Digests of the objects of one table, a page of them. */
int request_sync_index(struct caller *s, struct buf_reader *r, struct err *err);

/* What has changed since a revision. */
int request_sync_changes(struct caller *s, struct buf_reader *r, struct err *err);

/* Objects by name. */
int request_sync_read(struct caller *s, struct buf_reader *r, struct err *err);

/* Open a replicated transaction. */
int request_sync_begin(struct caller *s, struct buf_reader *r, struct err *err);

/* Put an operation into it. */
int request_sync_stage(struct caller *s, struct buf_reader *r, struct err *err);

/* Make it active, as the configuration of another member. */
int request_sync_commit(struct caller *s, struct buf_reader *r, struct err *err);

/* Become primary or secondary. */
int request_sync_role(struct caller *s, struct buf_reader *r, struct err *err);

/* Remember the other members. */
int request_sync_members(struct caller *s, struct buf_reader *r, struct err *err);
