/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the configuration the members of a group have in common, and how they tell each other.
 *
 * Not shared is what the schema calls local, and the tables that `system vdom-exception` names. A
 * link that nobody touched is no part of it either: it is described as it is found, on each unit
 * for itself.
 *
 * Between members an object is a body of lines as in cfgdb/model/text.h, but with nothing in it
 * that is at its default, sorted, each secret as a line of its own kind:
 *
 *     set hb-interval 5
 *     secret psksecret "in clear"
 *
 * and, for an object of a virtual domain, a line that says so: `vdom root`. So the receiver can
 * keep what it does not know (cfgdb/unknown.h). The digests of the group are over the same text.
 */
#pragma once

#include "cfgdb/model/model.h"
#include "cfgdb/model/rows.h"
#include "cfgdb/secret.h"

/* Which tables the exceptions of a configuration leave out; copied freely. */
struct shared {
	uint64_t excepted;       /* bit i: what word i of the attribute `object` says */
};

/* As the exceptions in a model say. */
void shared_init(struct shared *s, const struct model *m);

/* Leave out what this entry of system vdom-exception says, too. */
void shared_except(struct shared *s, const struct object *exception);

/* Whether the table of this dotted name, which this release need not know, is shared. */
bool shared_has_name(const struct shared *s, const char *dotted);

/* Whether the peers of session replication are shared, or each unit has its own. */
bool shared_has_peers(const struct shared *s);

/* Whether a top-level table is shared. */
bool shared_has_table(const struct shared *s, const struct schema_table *table);

/* Whether the group counts an object: its table is shared, and something of it is. */
bool shared_has(const struct shared *s, const struct object *obj);

/* The same of an object whose table is known to be shared. */
bool shared_counts(const struct shared *s, const struct object *obj);

/* New object with what is shared of obj; NULL: nothing. The caller frees it. */
struct object *shared_part(const struct shared *s, const struct object *obj);

/* Whether two objects, or none (NULL), are the same to the group; secrets as they are held. */
bool shared_equal(const struct shared *s, const struct object *a, const struct object *b);

/*
 * The first attribute in which two objects differ to the group; NULL: none, or one of them is an
 * entry that is not there.
 */
const struct schema_attr *shared_difference(const struct shared *s, const struct object *a,
					    const struct object *b);

/*
 * New object with what is shared of theirs and what is the unit's own of ours, each of which may be
 * NULL: none. NULL when the unit has none afterwards. The caller frees it.
 */
struct object *shared_merge(const struct shared *s, const struct object *theirs,
			    const struct object *ours);

/* An interface of this name as a link is found: not shared before someone touches it. */
struct object *shared_found(const char *name);

/*
 * Append the same lines as shared_text(), in any order, secrets as they are held: for digests.
 */
void shared_held(const struct shared *s, const struct object *obj, struct str *out);

/* The same of a row. */
void shared_row_held(const struct row *row, struct str *out);

/*
 * Append the body of obj for another member; obj must be shared. It holds secrets in clear: wipe
 * it. Errors: a secret that cannot be read, a body above TEXT_BODY_MAX.
 */
int shared_text(const struct shared *s, const struct keyring *k, const struct object *obj,
		struct str *out, struct err *err);

/*
 * Read such a body into obj, which must be empty. Secrets are sealed; what this release cannot read
 * is kept. Only a text that is no body is an error, or one above TEXT_BODY_MAX.
 */
int shared_parse(const struct keyring *k, struct object *obj, const char *body, struct err *err);

/* The same for an object of a table that this release does not have; the caller frees *ret. */
int shared_row_parse(const struct keyring *k, const char *dotted, const char *key,
		     const char *body, struct row **ret, struct err *err);

/* Append the body of such an object for another member, as shared_text() does. */
int shared_row_text(const struct keyring *k, const struct row *row, struct str *out,
		    struct err *err);
