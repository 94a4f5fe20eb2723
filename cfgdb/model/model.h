/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration in memory: for each table its objects, by key and in order, and who refers
 * to whom.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/model/object.h"
#include "cfgdb/model/rows.h"
#include "cfgdb/model/spans.h"

#define MODEL_POS_GAP ((int64_t)1 << 32)  /* distance of neighbours when appended */

/* The place behind an entry at pos when nothing is behind it; never 0. */
static inline int64_t model_pos_behind(int64_t pos) {
	return pos == -MODEL_POS_GAP ? MODEL_POS_GAP : pos + MODEL_POS_GAP;
}

struct model;

/* New empty model; the caller frees it. */
struct model *model_new(void);

/* Free a model and its objects; NULL is fine. Returns NULL. */
struct model *model_free(struct model *m);

/* Object with this key ("" for an object table), or NULL. */
const struct object *model_find(const struct model *m, const struct schema_table *table,
				const char *key);

/*
 * The object of an object table: the stored one, or an empty one (all defaults) when nothing was
 * ever set. Never NULL; owned by the model.
 */
const struct object *model_object(const struct model *m, const struct schema_table *table);

/* First object of a table in its order, or NULL. */
const struct object *model_first(const struct model *m, const struct schema_table *table);

/* The object after obj in its table, or NULL. */
const struct object *model_next(const struct model *m, const struct object *obj);

/* The object before obj in its table, or NULL. */
const struct object *model_prev(const struct model *m, const struct object *obj);

/* Last object of a table, or NULL. */
const struct object *model_last(const struct model *m, const struct schema_table *table);

/* Object of the table with the smallest key not below this one, or NULL: for listing by prefix. */
const struct object *model_seek(const struct model *m, const struct schema_table *table,
				const char *key);

/* The object after obj by key, or NULL. */
const struct object *model_next_key(const struct model *m, const struct object *obj);

/* Object of a table with the greatest key, or NULL. */
const struct object *model_last_key(const struct model *m, const struct schema_table *table);

/* The object before obj by key, or NULL. */
const struct object *model_prev_key(const struct model *m, const struct object *obj);

/* Objects of tables that this release does not have; the model owns them, a commit changes them. */
struct rows *model_rows(const struct model *m);

/* Number of objects in a table. */
size_t model_count(const struct model *m, const struct schema_table *table);

/* What a reference attribute's name stands for: the first of its tables that has it, or NULL. */
const struct object *model_resolve(const struct model *m, const struct schema_attr *attr,
				   const char *name);

/* True when name is built in for references of this attribute: `any`, where it may be said. */
bool model_builtin(const struct schema_attr *attr, const char *name);

/*
 * Put obj into the model, in the place of one with the same key, which is returned (the caller
 * frees it) or NULL. pos 0 appends, or keeps the place of the one replaced. Takes over obj.
 */
struct object *model_put(struct model *m, struct object *obj);

/* Take an object out; the caller frees it. NULL when there was none. */
struct object *model_take(struct model *m, const struct schema_table *table, const char *key);

/* Give an object of the model another place. */
void model_place(struct model *m, const struct object *obj, int64_t pos);

/*
 * Visit every use of obj: `holder` is the top-level object with the reference, `attr` the
 * attribute that holds it. Stops when visit returns non-zero and returns that.
 */
int model_each_user(const struct model *m, const struct object *obj,
		    int (*visit)(void *arg, const struct object *holder,
				 const struct schema_attr *attr),
		    void *arg);

/*
 * Visit all objects of a table whose range, by `of`, meets span. Stops when visit returns non-zero
 * and returns that.
 */
int model_each_meeting(const struct model *m, const struct schema_table *table, span_fn *of,
		       struct span span, span_visit_fn *visit, void *arg);

/* A number that changes whenever entries of a table come, go or change places. */
uint64_t model_order(const struct model *m, const struct schema_table *table);

/* Number of uses of obj. */
size_t model_count_users(const struct model *m, const struct object *obj);

/*
 * Visit every object of the table of obj that has its text in this unique attribute (obj itself,
 * too, if it is in the model), as model_each_user does.
 */
int model_each_same(const struct model *m, const struct object *obj, unsigned int attr,
		    int (*visit)(void *arg, const struct object *holder,
				 const struct schema_attr *attr),
		    void *arg);

/* An index over texts of any objects: who refers to whom by name, or who has which unique text. */
struct uses;

enum uses_of {
	USES_OF_REFERENCES,
	USES_OF_UNIQUE,
};

/* New empty index; the caller frees it. */
struct uses *uses_new(enum uses_of of);

/* Free an index, not the objects in it; NULL is fine. Returns NULL. */
struct uses *uses_free(struct uses *u);

/*
 * Enter all references, or unique texts, of holder, which must live and stay as it is until it is
 * removed.
 */
void uses_add(struct uses *u, const struct object *holder);

/* Take them out again. */
void uses_remove(struct uses *u, const struct object *holder);

/*
 * Visit each holder and attribute with a reference that may stand for target, once, however often
 * the attribute names it. Stops when visit returns non-zero and returns that.
 */
int uses_each(const struct uses *u, const struct object *target,
	      int (*visit)(void *arg, const struct object *holder, const struct schema_attr *attr),
	      void *arg);

/*
 * Visit, in an index of unique texts, each holder that has the text of obj in this attribute. Stops
 * when visit returns non-zero and returns that.
 */
int uses_each_same(const struct uses *u, const struct object *obj, unsigned int attr,
		   int (*visit)(void *arg, const struct object *holder,
				const struct schema_attr *attr),
		   void *arg);
