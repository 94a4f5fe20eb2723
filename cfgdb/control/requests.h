/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each request of the control protocol does. No sockets here: frames come in, frames go out
 * through a callback, so tests and fuzzers drive it directly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/aaa/logins.h"
#include "cfgdb/base/buf.h"
#include "cfgdb/control/server.h"
#include "cfgdb/rights.h"
#include "cfgdb/txn.h"
#include "cfgdb/workspace.h"

/* One administrator at one connection. */
struct caller {
	struct engine *engine;
	const struct server_config *config;
	char user[80];           /* any key of system admin fits */
	char ui[LOGINS_ORIGIN_MAX]; /* how he came: "ssh(10.0.0.1)", "console"; "cli": no login */
	bool administrator;      /* of system admin; otherwise a user of the machine */
	uint32_t session;        /* of an administrator (cfgdb/aaa/logins.h); 0: none */
	bool allowed;            /* is an administrator */
	struct rights rights;    /* what he may */
	bool has_role;           /* it is his role that says so, at each moment */
	uint64_t role_revision;  /* as of which it was looked at */
	bool may_attach;         /* may attach, whatever else */
	bool attached;
	bool greeted;            /* has sent a hello that fits */
	struct txn *txn;         /* open transaction, or NULL */
	bool replicates;         /* it is a replicated one */
	bool restores;           /* it replaces the configuration */
	uint64_t made;           /* revision of the last commit; 0: it made none */
	char private_key[PRIVATE_KEY_DIGITS + 1]; /* that was given and not used yet; "": none */
	struct seat seat;        /* for the config transaction that is open here, if any */
	struct memories *memories; /* of commands */
	struct str doing;        /* what the shell does by itself at the moment, for the log */
	struct stream stream;    /* the answer under way; next is NULL when there is none */
	void (*send)(void *arg, const struct buf *frame); /* type byte and fields */
	void *send_arg;
};

/*
 * Begin; the caller sets send and send_arg, and may_attach where it is so. Who is allowed may do
 * everything.
 */
void caller_init(struct caller *s, struct engine *engine, const struct server_config *config,
		 const char *user, bool allowed);

/*
 * The user is an entry of system admin: from now on he may what the configuration says at each
 * moment, which is nothing when there is no such entry any more.
 */
void caller_take_role(struct caller *s);

/* A new transaction of this caller, in which he changes nothing that he may not. */
struct txn *caller_txn_new(struct caller *s);

/* How a transaction is to be committed. */
struct commit_wish {
	unsigned int confirm_minutes;  /* until it is reverted, unless it is confirmed; 0: never */
	const char *comment;           /* of the revision */
};

/* Commit t as wished, for this caller, and send what there is to warn of. */
int caller_commit(struct caller *s, struct txn *t, const struct commit_wish *wish, struct err *err);

/* Drop the open transaction, if any. */
void caller_drop_txn(struct caller *s);

/* Drop the open transaction and the answer under way, if any, and what commands keep. */
void caller_done(struct caller *s);

/*
 * Answer one frame of len bytes; false when the connection is to be closed. While an answer is
 * under way only CTL_CANCEL may come.
 */
bool caller_request(struct caller *s, const uint8_t *frame, size_t len);

/* What the caller sees: its open transaction, or *temporary, one that holds nothing. */
struct txn *caller_view(struct caller *s, struct txn **temporary);

/*
 * Commit what a request, whose outcome is rc, staged outside a transaction, tell what is warned of,
 * and free the temporary one.
 */
int caller_settle(struct caller *s, struct txn *temporary, int rc, struct err *err);

/* Read the number of a top-level table; r->bad when it is none. */
const struct schema_table *request_take_table(struct buf_reader *r);

/*
 * The last field was read: r->bad when something is missing or left over, otherwise ERR_DENIED when
 * the caller may not do this much with the table. Nothing is done before.
 */
int request_begins(const struct caller *s, struct buf_reader *r, const struct schema_table *table,
		   enum rights_level level, struct err *err);

/*
 * The key as the table keeps it ("007" is 7), to be freed by the caller; an object table has none,
 * and r->bad is set when there is one.
 */
int request_key(struct buf_reader *r, const struct schema_table *table, const char *key,
		char **ret, struct err *err);

/* True while the answer to the last request is under way: call caller_stream for more of it. */
bool caller_is_streaming(const struct caller *s);

/* Send the next piece of that answer. STREAM_WAIT: call again when s->stream.fd is readable. */
enum stream_state caller_stream(struct caller *s);
