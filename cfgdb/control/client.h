/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shell's end of the control socket: requests that wait for their answer.
 *
 * Every function returns 0 or the code of *err. A connection that breaks, and a daemon that is
 * silent for CLIENT_WAIT_S (the output of a command may pause for longer), give ERR_TIMEOUT; the
 * client is then unusable and can only be closed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/model/object.h"
#include "cfgdb/rights.h"

#define CLIENT_WAIT_S 120      /* longer than the largest commit, of another client too, takes */
#define CLIENT_NEW UINT64_MAX  /* version of an object that must not exist yet */
#define CLIENT_NEXT (UINT64_MAX - 2) /* of one whose number may become the next free one */

struct client;

/* What the daemon says of itself at connection. */
struct client_info {
	char hostname[64];   /* for the prompt; changes are seen by client_info() after a commit */
	char user[80];       /* administrator this connection acts for */
	char version[128];   /* product version of the daemon */
	bool writes_all;     /* he may change everything */
	uint8_t verbs;       /* first words that he may use: enum rights_verb */
	const uint8_t *levels; /* enum rights_level, by table; NULL: all of them may be written */
};

/* Connect to the socket at path; NULL and *err when that fails. The caller closes it. */
struct client *client_open(const char *path, struct err *err);

/* The same, with another bound on the daemon's silence, in seconds. */
struct client *client_open_within(const char *path, unsigned int wait_s, struct err *err);

/* Close; an open transaction is dropped by the daemon. NULL is fine. */
void client_close(struct client *c);

/*
 * Have warn() called with each line by which the daemon warns of what it accepts, before the
 * request that brings it returns. NULL: warnings are dropped.
 */
void client_on_warning(struct client *c, void (*warn)(void *arg, const char *text), void *arg);

/* What the daemon said last; never NULL. */
const struct client_info *client_info(const struct client *c);

/* Whether the administrator may see a table, as it was at connection; the daemon decides. */
static inline bool client_may_see(const struct client_info *info,
				  const struct schema_table *table) {
	return !info->levels || info->levels[table->id] != RIGHTS_NONE;
}

/*
 * The object with this key ("" for an object table; all defaults when never set), with the version
 * it has; sees what the open transaction has staged. The caller frees *ret.
 */
int client_get(struct client *c, const struct schema_table *table, const char *key,
	       struct object **ret, struct err *err);

/*
 * All objects of a table in order, as of one moment. each() takes over obj; when it returns
 * non-zero the rest is skipped.
 */
int client_list(struct client *c, const struct schema_table *table,
		int (*each)(void *arg, struct object *obj), void *arg, struct err *err);

/* Keys of a table that begin with prefix, at most max of them, each with its object_remark(). */
int client_keys(struct client *c, const struct schema_table *table, const char *prefix,
		uint32_t max, int (*each)(void *arg, const char *key, const char *remark),
		void *arg, struct err *err);

/* Whether name may be used in this reference attribute; ERR_NOT_FOUND (without text) if not. */
int client_check_ref(struct client *c, const struct schema_table *table, unsigned int attr,
		     const char *name, struct err *err);

/*
 * Whether a sealed text ("ENC TEXT") may be set in this secret attribute; ERR_VALUE (without text)
 * if not.
 */
int client_check_secret(struct client *c, const struct schema_table *table, unsigned int attr,
			const char *sealed, struct err *err);

/* Next free id of a table with an integer key: what `edit 0` becomes. */
int client_next_id(struct client *c, const struct schema_table *table, uint64_t *ret,
		   struct err *err);

/* Open a transaction: puts are staged until client_commit. */
int client_begin(struct client *c, struct err *err);

/*
 * Open one that replaces the configuration: it sees nothing but what it puts and, if factory is
 * set, what a new unit has.
 */
int client_replace(struct client *c, bool factory, struct err *err);

/* The same of which lines may be left out: what is put without a secret keeps its own. */
int client_replace_partly(struct client *c, struct err *err);

/* How staged changes become real. */
struct client_commit {
	unsigned int confirm_minutes; /* until they are taken back unless confirmed; 0: never */
	const char *comment;          /* of the revision; NULL: none */
};

/*
 * Make the staged changes real, all or none; the transaction is closed either way. how NULL: for
 * good, without a comment.
 */
int client_commit_as(struct client *c, const struct client_commit *how, struct err *err);
int client_commit(struct client *c, struct err *err);

/* Drop the staged changes. */
int client_abort(struct client *c, struct err *err);

/*
 * Put one top-level object, whole. obj->ver is the version it started from, CLIENT_NEW or
 * CLIENT_NEXT for a new one. Outside a transaction it is committed at once. obj stays the caller's.
 */
int client_put(struct client *c, const struct object *obj, struct err *err);

/* Delete one object. */
int client_delete(struct client *c, const struct schema_table *table, const char *key,
		  struct err *err);

/* Give an entry another key, and with it all that refers to the entry. */
int client_rename(struct client *c, const struct schema_table *table, const char *key,
		  const char *to, struct err *err);

/* Move an entry of an ordered table before or behind another one. */
int client_place(struct client *c, const struct schema_table *table, const char *key, bool before,
		 const char *other, struct err *err);

/* Delete all entries of a table, or none. */
int client_purge(struct client *c, const struct schema_table *table, struct err *err);

/*
 * Give the private key of these digits for the next commit that enables private-data-encryption;
 * or, at_once, have that enabled with it, which may be another one than so far.
 */
int client_private_key(struct client *c, const char *digits, bool at_once, struct err *err);

/* Where the output of a command goes. */
struct client_output {
	/* Takes a piece of text, in which lines end in \n. */
	void (*text)(void *arg, const char *text, size_t len);
	/* True when the rest is not wanted; asked after each piece and a few times a second. */
	bool (*enough)(void *arg);
	void *arg;
	bool json;           /* the text is to be JSON */
	bool hint;           /* it is for completion: no refusal is told in the log */
	/* Takes what the command says in the end when the rest is not wanted. May be NULL. */
	void (*last)(void *arg, const char *text, size_t len);
};

/*
 * Run a command in the daemon (get, diagnose, execute). Its output may be endless: then it lasts
 * until there is enough, which is no error.
 */
int client_run(struct client *c, size_t n_words, char *const words[],
	       const struct client_output *out, struct err *err);

/* Whether a command would be carried out now: 0, or what speaks against it. Nothing is done. */
int client_may(struct client *c, size_t n_words, char *const words[], struct err *err);

/*
 * Say for the log what became of what the shell does by itself since client_run: 0, or the code of
 * its error.
 */
int client_outcome(struct client *c, int code, struct err *err);
