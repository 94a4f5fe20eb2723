/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What administrators see of replication: answers to the commands that gatehoused passes on, and
 * debug output for those who watch.
 */
#pragma once

#include "cfgdb/base/str.h"
#include "sync/door.h"
#include "sync/fgsp.h"

/* Where the facts come from. */
struct cmd_sync_source {
	void *arg;
	/* As fgsp_stats() and fgsp_peer_info(). */
	void (*stats)(void *arg, struct fgsp_stats *ret);
	bool (*peer)(void *arg, unsigned int i, struct fgsp_peer_info *ret);
	/* As fgsp_resync(). */
	void (*resync)(void *arg);
	/* Append what else there is for `get metrics`; NULL: nothing. */
	void (*metrics)(void *arg, struct str *out);
};

struct cmd_sync;

/* Source and the place where answers go are the caller's and outlive it; the caller frees it. */
struct cmd_sync *cmd_sync_new(const struct cmd_sync_source *source, struct door *door);

/* NULL is fine. Returns NULL. */
struct cmd_sync *cmd_sync_free(struct cmd_sync *c);

/* This is the configuration from now on; NULL: none yet. It is copied, but for the key. */
void cmd_sync_cluster(struct cmd_sync *c, const struct cluster *cluster);

/* Answer a command. */
void cmd_sync_call(struct cmd_sync *c, const struct door_call *call);

/* A command ends without an answer. */
void cmd_sync_cancel(struct cmd_sync *c, uint32_t id);

/* So do all. */
void cmd_sync_lost(struct cmd_sync *c);

/* What lines of the log are about; a sum of these for lines about more. */
enum cmd_sync_topic {
	CMD_SYNC_SESSIONS = 1,       /* `diagnose debug application sessionsync` */
	CMD_SYNC_CONFIG = 2,         /* `diagnose debug application hasync` */
};

/* Show a line of the log to those who watch; priority as in syslog(3). */
void cmd_sync_log(struct cmd_sync *c, unsigned int topics, int priority, const char *text);

/* ---- the texts ---- */

/* `diagnose sys session sync`, as lines or as a JSON object. */
void cmd_sync_status(const struct cluster *c, const struct fgsp_stats *stats, bool json,
		     struct str *out);

/* `diagnose sys ha standalone-peers`: one peer, as lines or as a JSON object. */
void cmd_sync_peer(const struct cluster *c, const struct fgsp_peer_info *p, bool json,
		   struct str *out);

/* `get metrics`: the lines of replication. */
void cmd_sync_metrics(const struct cluster *c, const struct cmd_sync_source *source,
		      struct str *out);
