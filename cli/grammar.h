/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a command line, matched one after the other against the command tree and the paths
 * of the schema, which share the positions after `get`, `show` and `config`.
 *
 * Every keyword may be shortened as long as it is unambiguous; a word that is there in full wins
 * over longer ones. Verbs that few people type do not make those ambiguous that everybody does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/err.h"
#include "cfgdb/model/object.h"
#include "cli/context.h"

#define GRAMMAR_PATH_MAX 128
#define GRAMMAR_WORDS_MAX 8

struct shell;
struct call;

enum command_flag {
	COMMAND_PATHS = 1 << 0,   /* schema paths go on here */
	COMMAND_TARGET = 1 << 1,  /* needs a whole path */
	COMMAND_HIDDEN = 1 << 2,  /* works, but is not offered */
	COMMAND_UNPAGED = 1 << 3, /* output is followed as it comes, or is a question */
	COMMAND_YIELDS = 1 << 4,  /* what is short for it and for another one means that */
	COMMAND_PARTS = 1 << 5,   /* the beginning of a path will do */
	COMMAND_AT_ONCE = 1 << 6, /* is carried out even while a batch is typed */
	COMMAND_CHECKED = 1 << 7, /* the daemon says whether it may be before the shell begins */
	COMMAND_TEXT = 1 << 8,    /* what it prints has no form of JSON */
};

/* What the arguments after the words of a command are. */
enum command_args {
	ARGS_TEXT,                /* described by `args` */
	ARGS_ENTRY,               /* key of an entry: of the path's table, or of the open list */
	ARGS_CHILD,               /* child attribute */
	ARGS_ATTR,                /* attribute */
	ARGS_VALUES,              /* attribute and values */
	ARGS_LIST,                /* attribute that holds a list */
	ARGS_LIST_VALUES,         /* the same, and values */
	ARGS_HELD_VALUES,         /* the same, and values that are in the list now */
	ARGS_WITHIN,              /* keys, nested tables and an attribute: the way further in */
	ARGS_TREE,                /* nested tables, without keys */
	ARGS_RENAME,              /* key, `to`, another key */
	ARGS_MOVE,                /* key, `before` or `after`, another key */
};

struct argument {
	const char *name;         /* "<address>"; NULL: there is none, but the command says so */
	const char *help;
};

/* One word of the command tree. */
struct command {
	const char *word;         /* NULL ends an array */
	const char *help;
	unsigned int where;       /* enum level_kind; first words only */
	unsigned int flags;       /* enum command_flag */
	const struct command *sub;
	enum command_args kind;
	unsigned int min_args, max_args;
	const struct argument *args;  /* ARGS_TEXT: max_args of them */
	const char *warning;      /* told at a terminal before it asks whether to go on; or NULL:
				   * the daemon has said before that it may be */
	/* Carry it out; NULL: words are missing. */
	int (*run)(struct shell *sh, const struct call *call, struct err *err);
};

/* A command line that was understood. */
struct call {
	const struct command *command;
	const char *words[GRAMMAR_WORDS_MAX]; /* of the command, in full */
	size_t n_words;
	struct target target;     /* table is NULL when no path was given */
	char path[GRAMMAR_PATH_MAX]; /* in full, of COMMAND_PARTS as far as it was given */
	size_t argc;
	char *const *argv;
};

/* How far a line has been understood. */
struct grammar {
	const struct command *tree;    /* first words */
	enum level_kind where;
	const struct client_info *who; /* what he may not see is not there; NULL: he may all */
	const struct command *command; /* last word of the tree, or NULL when only a path goes on */
	const struct command *base;    /* last word of the tree after which paths may follow */
	const char *words[GRAMMAR_WORDS_MAX];
	size_t n_words;
	size_t n_base;                 /* words up to base */
	bool in_path;
	char path[GRAMMAR_PATH_MAX];   /* in full, so far */
	struct target target;          /* what path names, if that is a whole table */
};

/* A place at the start of a line. */
void grammar_start(struct grammar *g, const struct command *tree, enum level_kind where,
		   const struct client_info *who);

/* Visit every word that can follow; stops when visit returns true. */
void grammar_words(const struct grammar *g,
		   bool (*visit)(void *arg, const char *word, const char *help), void *arg);

/* Go on by one word: 1 done, 0 it cannot follow, -1 ambiguous. */
int grammar_step(struct grammar *g, const char *word);

/* The command that runs here with what was said so far, or NULL when words are missing. */
const struct command *grammar_command(const struct grammar *g);

/* Understand a whole line of n > 0 words; *ret refers to them. */
int grammar_parse(const struct command *tree, enum level_kind where, const struct client_info *who,
		  char *const words[], size_t n, struct call *ret, struct err *err);

/* Whether this attribute can be named by arguments of this kind. */
bool grammar_attr_fits(const struct object *obj, unsigned int attr, enum command_args kind);

/* Table nested in this one that a word names, or NULL and *err. */
const struct schema_table *grammar_child(const struct schema_table *table, const char *word,
					 struct err *err);

/* Index of the attribute that a word names, or -1 and *err. */
int grammar_attr(const struct object *obj, const char *word, enum command_args kind,
		 struct err *err);

/* Fill *err with the text for a word that is not understood; returns its code. */
int grammar_refuse(const char *word, struct err *err);

/* Fill *err with the text for a line that lacks a word; returns its code. */
int grammar_incomplete(struct err *err);
