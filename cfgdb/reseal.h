/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key that secrets are sealed with becomes another one, with the commit that says so. */
#pragma once

#include "cfgdb/engine.h"

/* In one commit; zeroed: the key stays. */
struct reseal {
	const struct seal_key *before; /* NULL: the key stays */
};

/* Give the keyring the private key of the database, if it has one. Before anything is unsealed. */
int reseal_open(struct engine *e, struct err *err);

/*
 * The model is loaded: put the key in force that it wants, and have texts that were sealed with
 * another one, or in an older form, sealed anew, also in the database and, if they name their
 * attribute, in its history. What cannot be written now
 * stays as it is, and can be read.
 */
void reseal_start(struct engine *e);

/* Whether before -> after, of system global, takes another key; digits: what was typed, or "". */
bool reseal_is_needed(struct engine *e, const struct object *before, const struct object *after,
		      const char *digits);

/* ERR_VALUE when before -> after, of system global, needs a private key, and none was typed. */
int reseal_check(struct engine *e, const struct object *before, const struct object *after,
		 const char *digits, struct err *err);

/*
 * In a commit that has changed system global from before to after, both of which may be NULL: put
 * the key in force that it wants. It is the one of these digits ("": none was typed) or, in what
 * brings the past back (restores), the last one. ERR_VALUE when there is none.
 */
int reseal_begin(struct reseal *r, struct engine *e, const struct object *before,
		 const struct object *after, const char *digits, bool restores, struct err *err);

/* Within the open transaction of the database: write all that is sealed, of the history, too. */
int reseal_write(const struct reseal *r, struct engine *e, const char *digits, struct err *err);

/* The commit failed: the key before is in force. */
void reseal_undo(struct reseal *r, struct engine *e);

/* It is real: bring the model to what was written. */
void reseal_finish(const struct reseal *r, struct engine *e);
