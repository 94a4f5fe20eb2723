/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collecting what can stand at the end of a line: what the files of completion share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/complete.h"
#include "cli/grammar.h"

/* What is being completed. */
struct completer {
	struct shell *sh;
	struct completion *c;
	char *const *argv;       /* words between those of the command and the last one */
	size_t argc;
};

/* Add a word if it fits and was not the last one; it counts even if there is no room for it. */
void completer_add(struct completion *c, const char *word, const char *help, bool required);

/* Bring the words into order, each once. */
void completer_sort(struct completion *c);

/* What an entry of the table is called. */
const char *completer_noun(const struct schema_table *table);

/* Add a note; takes over help. */
void completer_note(struct completion *c, const char *word, bool required, char *help);

/*
 * Add the keys of a top-level table, with their remarks; noun says what they are, unless "". One is
 * left out, unless `but` is NULL.
 */
void completer_keys(struct completer *k, const struct schema_table *table, const char *noun,
		    const char *but);

/* Add the keys of a child list that holder has, with their remarks. */
void completer_children(struct completer *k, const struct object *holder, unsigned int attr);

/* complete_value.c: the attributes that commands of this kind can name, with what they mean. */
void complete_value_attrs(struct completer *k, const struct object *obj, enum command_args kind);

/* complete_value.c: values of the attribute argv[0], and what there is to say of them. */
void complete_value(struct completer *k, const struct object *obj, enum command_args kind);

/* complete_value.c: notes on a key that is being typed. */
void complete_value_key(struct completer *k, const struct schema_table *table);

/* complete_value.c: whether what argv holds behind the attribute can be its value. */
bool complete_value_whole(const struct completer *k, const struct object *obj,
			  enum command_args kind);

/*
 * complete_within.c: what can follow names that lead further into a table, or into what is open;
 * false when it is the key of an entry.
 */
bool complete_within(struct completer *k, const struct target *target);

/* complete_text.c: what an argument of a command can be. */
void complete_text(struct completer *k, const struct argument *argument);

/* complete_pipe.c: what can follow the n words behind the last bar of a line. */
void complete_pipe(struct completion *c, char *const words[], size_t n);
