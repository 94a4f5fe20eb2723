/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every command, once: its word, its help, where it exists, what it takes and what carries it out.
 * Dispatch, abbreviations, `?` and Tab all read these rows. A command that the daemon answers needs
 * a row and nothing else in the shell; those of `diagnose`, `execute` and `get` stand in files of
 * their own.
 */
#include "cfgdb/base/mem.h"
#include "cli/alias.h"
#include "cli/commands_rows.h"

#define IN_LIST (LEVEL_LIST | LEVEL_ORDERED)
#define IN_TABLE (IN_LIST | LEVEL_DIRECT)
#define IN_BUFFER (LEVEL_ENTRY | LEVEL_OBJECT | LEVEL_DIRECT)
#define IN_CONFIG (IN_LIST | IN_BUFFER)

static const struct command show[] = {
	{ "full-configuration", "With values that are at their default.", .flags = COMMAND_PATHS,
	  .kind = ARGS_WITHIN, .run = cmd_show_full },
	{ 0 }
};

static const struct command show_here[] = {
	{ "full-configuration", "With values that are at their default.", .kind = ARGS_WITHIN,
	  .max_args = UINT16_MAX, .run = cmd_show_here_full },
	{ 0 }
};

static const struct argument alias_args[] = {
	{ "<alias>", "Name, as in system alias." },
	[1 ... ALIAS_ARGUMENTS_MAX] = { "<argument>", "What the alias needs." },
};

const struct command commands[] = {
	{ "config", "Configure a table or object.", LEVEL_ROOT, COMMAND_PATHS | COMMAND_TARGET,
	  .run = cmd_config },
	{ "get", "Show values, and state of the unit.", LEVEL_ROOT,
	  COMMAND_PATHS | COMMAND_TARGET, commands_get, ARGS_WITHIN, .run = cmd_get },
	{ "show", "Show configuration.", LEVEL_ROOT, COMMAND_PATHS, show, ARGS_WITHIN,
	  .run = cmd_show },
	{ "tree", "Draw tables and their attributes, with limits.", LEVEL_ROOT,
	  COMMAND_PATHS | COMMAND_PARTS | COMMAND_TEXT, .kind = ARGS_TREE, .run = cmd_tree },
	{ "diagnose", "Look into the running system.", LEVEL_ROOT, .sub = commands_diagnose },
	{ "execute", "Run a command once.", LEVEL_ROOT, .sub = commands_execute },
	{ "alias", "Run commands that have a name.", LEVEL_ROOT, .min_args = 1,
	  .max_args = ARRAY_LEN(alias_args), .args = alias_args, .run = cmd_alias },
	{ "exit", "End the session.", LEVEL_ROOT, COMMAND_AT_ONCE, .run = cmd_exit },
	{ "quit", "End the session.", LEVEL_ROOT, COMMAND_HIDDEN | COMMAND_AT_ONCE,
	  .run = cmd_exit },

	{ "config", "Configure a table or object inside.", IN_BUFFER, .kind = ARGS_CHILD,
	  .min_args = 1, .max_args = UINT16_MAX, .run = cmd_config_child },
	{ "edit", "Open an entry, a new one if there is none.", IN_TABLE, .kind = ARGS_ENTRY,
	  .min_args = 1, .max_args = 1, .run = cmd_edit },
	{ "delete", "Remove an entry.", IN_TABLE, .kind = ARGS_ENTRY, .min_args = 1, .max_args = 1,
	  .run = cmd_delete },
	{ "purge", "Remove all entries.", IN_LIST, .run = cmd_purge,
	  .warning = "This operation will clear all table!" },
	{ "rename", "Give an entry another name, in all that refers to it, too.", IN_TABLE,
	  .kind = ARGS_RENAME, .min_args = 3, .max_args = 3, .run = cmd_rename },
	{ "clone", "Make an entry like another one.", IN_TABLE, .kind = ARGS_RENAME,
	  .min_args = 3, .max_args = 3, .run = cmd_clone },
	{ "move", "Give an entry another place in the order.", LEVEL_ORDERED, .kind = ARGS_MOVE,
	  .min_args = 3, .max_args = 3, .run = cmd_move },
	{ "set", "Set an attribute.", IN_BUFFER, .kind = ARGS_VALUES, .min_args = 1,
	  .max_args = UINT16_MAX, .run = cmd_set },
	{ "unset", "Set an attribute to its default.", IN_BUFFER, .kind = ARGS_ATTR, .min_args = 1,
	  .max_args = UINT16_MAX, .run = cmd_unset },
	{ "append", "Add values to a list.", IN_BUFFER, .kind = ARGS_LIST_VALUES, .min_args = 1,
	  .max_args = UINT16_MAX, .run = cmd_append },
	{ "select", "Set a list to these values.", IN_BUFFER, COMMAND_YIELDS,
	  .kind = ARGS_LIST_VALUES, .min_args = 1, .max_args = UINT16_MAX, .run = cmd_set },
	{ "clear", "Empty a list.", IN_BUFFER, COMMAND_YIELDS, .kind = ARGS_LIST, .min_args = 1,
	  .max_args = UINT16_MAX, .run = cmd_clear },
	{ "unselect", "Remove values from a list.", IN_BUFFER, .kind = ARGS_HELD_VALUES,
	  .min_args = 1, .max_args = UINT16_MAX, .run = cmd_unselect },
	{ "get", "Show values, also those at their default.", IN_CONFIG, .kind = ARGS_WITHIN,
	  .max_args = UINT16_MAX, .run = cmd_get_here },
	{ "show", "Show configuration.", IN_CONFIG, .sub = show_here, .kind = ARGS_WITHIN,
	  .max_args = UINT16_MAX, .run = cmd_show_here },
	{ "tree", "Draw the table and its attributes, with limits.", IN_CONFIG, COMMAND_TEXT,
	  .kind = ARGS_TREE, .max_args = UINT16_MAX, .run = cmd_tree },
	{ "next", "Save the entry and go back to its table.", LEVEL_ENTRY, .run = cmd_next },
	{ "end", "Save and leave.", IN_CONFIG, .run = cmd_end },
	{ "abort", "Leave without saving.", IN_CONFIG, .run = cmd_abort },
	{ "exit", "End the session.", IN_CONFIG, COMMAND_HIDDEN, .run = cmd_exit_inside },
	{ "quit", "End the session.", IN_CONFIG, COMMAND_HIDDEN, .run = cmd_exit_inside },
	{ 0 }
};
