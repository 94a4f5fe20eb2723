/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the administrator stands: the open `config` and `edit`, and the edit buffers.
 *
 * Changes touch only the buffer of the innermost level. Leaving a level with `next` or `end` hands
 * the buffer one level down, at the bottom to the daemon; `abort` and a lost connection drop it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/control/client.h"
#include "cfgdb/model/object.h"
#include "cfgdb/model/schema.h"
#include "cli/prefs.h"

#define CONTEXT_DEPTH_MAX 16

/*
 * Kinds of levels; also a mask of where a command exists. A level is never of the last two: they
 * are what context_kind() makes of an object and of a list.
 */
enum level_kind {
	LEVEL_ROOT = 1 << 0,
	LEVEL_LIST = 1 << 1,     /* in a table, no entry open */
	LEVEL_ENTRY = 1 << 2,    /* in an entry of a table */
	LEVEL_OBJECT = 1 << 3,   /* in a table that is one object */
	LEVEL_DIRECT = 1 << 4,   /* such a one, below which `edit` works too */
	LEVEL_ORDERED = 1 << 5,  /* in a table whose order has a meaning, no entry open */
};

struct level {
	enum level_kind kind;
	const struct schema_table *table;
	int attr;                /* of the level below, which holds the table; -1: top level */
	bool implied;            /* list that `edit` below an object opened: ends with its entry */
	bool hidden;             /* object below an alias' list: closed with it */
	bool through;            /* list of which each change is written at once */
	bool is_new, dirty;
	struct object *obj;      /* entry, object: the buffer */
	char *name;              /* as the prompt shows it */
	const char *frame;       /* list, object: what stands after `config` in `show` */
};

/* A table as it was named: by its own path, or by an alias of a child list. */
struct target {
	const struct schema_table *table;
	const struct schema_alias *alias;  /* NULL: own path */
};

struct context {
	struct client *client;   /* not owned */
	struct prefs *prefs;     /* not owned */
	struct level levels[CONTEXT_DEPTH_MAX];
	size_t depth;
	bool leaves_uuid;        /* a new entry of the top gets one where it is saved */
};

/* Innermost level, or NULL at the root. */
struct level *context_top(struct context *ctx);

/* Where commands are now. */
enum level_kind context_kind(const struct context *ctx);

/* The list that `edit` and `delete` work on: its table, and its holder when it is a child. */
struct list_ref {
	const struct schema_table *table;
	struct level *holder;    /* NULL: top level */
	int attr;                /* of the holder */
	bool through;
};

/* Describe the list that is open, or that `edit` would open; false when there is none. */
bool context_list(struct context *ctx, struct list_ref *ret);

/* client_get(), and what belongs to the session is as it has it. */
int context_get(const struct context *ctx, const struct schema_table *table, const char *key,
		struct object **ret, struct err *err);

/* The buffer of a level as it would be saved; the caller frees it. */
struct object *context_copy(const struct level *level);

/* An attribute of the level's buffer has been changed. */
void context_touch(struct level *level, unsigned int attr);

/* `config PATH` at the root. */
int context_config(struct context *ctx, const struct target *target, struct err *err);

/* `config NAME` in an entry or object, for the child attribute. */
int context_child(struct context *ctx, unsigned int attr, struct err *err);

/* `edit KEY`; *added is set when the entry is new. */
int context_edit(struct context *ctx, const char *word, bool *added, struct err *err);

/* `delete KEY`. */
int context_delete(struct context *ctx, const char *word, struct err *err);

/* `purge`: delete all entries, or none. */
int context_purge(struct context *ctx, struct err *err);

/* `rename KEY to WORD`; of keys that are numbers, 0 stands for the next free one. */
int context_rename(struct context *ctx, const char *word, const char *to_word, struct err *err);

/* `clone KEY to WORD`: at the end of the table, with an uuid of its own. */
int context_clone(struct context *ctx, const char *word, const char *to_word, struct err *err);

/* `move KEY before KEY`, or after it, at a LEVEL_ORDERED. */
int context_move(struct context *ctx, const char *word, bool before, const char *other_word,
		 struct err *err);

/* `next`: save the entry; whatever happens, the list is on top afterwards. */
int context_next(struct context *ctx, struct err *err);

/* `end`: save and close the innermost `config`; it is closed whatever happens. */
int context_end(struct context *ctx, struct err *err);

/* `abort`: close the innermost `config` without saving what is open in it. */
void context_abort(struct context *ctx);

/* Back to the root, saving nothing. */
void context_drop(struct context *ctx);
