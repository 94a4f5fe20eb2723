/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command tree and the functions behind it, one file a group. */
#pragma once

#include "cfgdb/base/err.h"
#include "cli/grammar.h"
#include "cli/shell.h"

/* All commands; the first words say where they exist. Ends with a row without a word. */
extern const struct command commands[];

/* cmd_config.c: `config PATH` at the root, `config NAME` in an entry. */
int cmd_config(struct shell *sh, const struct call *call, struct err *err);
int cmd_config_child(struct shell *sh, const struct call *call, struct err *err);

/*
 * cmd_config.c: `edit KEY`, `delete KEY`, `purge`, `rename KEY to KEY`, `clone KEY to KEY`,
 * `move KEY before KEY`, `next`, `end`, `abort`.
 */
int cmd_edit(struct shell *sh, const struct call *call, struct err *err);
int cmd_delete(struct shell *sh, const struct call *call, struct err *err);
int cmd_purge(struct shell *sh, const struct call *call, struct err *err);
int cmd_rename(struct shell *sh, const struct call *call, struct err *err);
int cmd_clone(struct shell *sh, const struct call *call, struct err *err);
int cmd_move(struct shell *sh, const struct call *call, struct err *err);
int cmd_next(struct shell *sh, const struct call *call, struct err *err);
int cmd_end(struct shell *sh, const struct call *call, struct err *err);
int cmd_abort(struct shell *sh, const struct call *call, struct err *err);

/*
 * cmd_set.c: `set ATTR VALUE...`, `unset ATTR`; for lists `append` and `unselect ATTR VALUE...`,
 * `clear ATTR`, and `select ATTR VALUE...`, which is `set` for them.
 */
int cmd_set(struct shell *sh, const struct call *call, struct err *err);
int cmd_unset(struct shell *sh, const struct call *call, struct err *err);
int cmd_append(struct shell *sh, const struct call *call, struct err *err);
int cmd_unselect(struct shell *sh, const struct call *call, struct err *err);
int cmd_clear(struct shell *sh, const struct call *call, struct err *err);

/* cmd_show.c: `show [PATH [KEY]]` and `show full-configuration ...`, at the root and inside. */
int cmd_show(struct shell *sh, const struct call *call, struct err *err);
int cmd_show_full(struct shell *sh, const struct call *call, struct err *err);
int cmd_show_here(struct shell *sh, const struct call *call, struct err *err);
int cmd_show_here_full(struct shell *sh, const struct call *call, struct err *err);

/* cmd_alias.c: `alias NAME ARGUMENT...` at the root. */
int cmd_alias(struct shell *sh, const struct call *call, struct err *err);

/* cmd_batch.c: `execute batch start`, `end`, `status`. */
int cmd_batch_start(struct shell *sh, const struct call *call, struct err *err);
int cmd_batch_end(struct shell *sh, const struct call *call, struct err *err);
int cmd_batch_status(struct shell *sh, const struct call *call, struct err *err);

/* cmd_tree.c: `tree [PATH]` at the root, `tree [NAME...]` inside. */
int cmd_tree(struct shell *sh, const struct call *call, struct err *err);

/* cmd_get.c: `get PATH [KEY]` at the root, `get [KEY]` inside. */
int cmd_get(struct shell *sh, const struct call *call, struct err *err);
int cmd_get_here(struct shell *sh, const struct call *call, struct err *err);

/*
 * cmd_restore.c: `execute backup config|full-config|yaml-config FILE` and `execute restore config
 * FILE [OPTION...]`.
 */
int cmd_backup(struct shell *sh, const struct call *call, struct err *err);
int cmd_restore(struct shell *sh, const struct call *call, struct err *err);

/*
 * cmd_private_key.c: `execute private-data-encryption key`; whether a value can be set, for there
 * is a key, or someone who can be asked for it; and, before an `end`, that question.
 */
int cmd_private_key(struct shell *sh, const struct call *call, struct err *err);
int cmd_private_key_check(struct shell *sh, const struct schema_table *table, unsigned int attr,
			  const struct value *v, struct err *err);
int cmd_private_key_for(struct shell *sh, struct err *err);

/*
 * cmd_execute.c: what the daemon answers, up to a key with `watch`, up to the key q with `top`,
 * with a question before it ends all sessions or takes a config transaction out of another session;
 * `exit`, also inside a config.
 */
int cmd_remote(struct shell *sh, const struct call *call, struct err *err);

/* Ask the daemon whether the command would be carried out; 0, or what speaks against it. */
int cmd_may(struct shell *sh, const struct call *call, struct err *err);

/* Tell the daemon that this shell begins to do something by itself, if he may. */
int cmd_permit(struct shell *sh, const struct call *call, struct err *err);

/* Tell it, for the log, what became of that: 0, or the code of an error. Returns that. */
int cmd_outcome(struct shell *sh, int rc);
int cmd_watch(struct shell *sh, const struct call *call, struct err *err);
int cmd_top(struct shell *sh, const struct call *call, struct err *err);
int cmd_session_clear(struct shell *sh, const struct call *call, struct err *err);
int cmd_transaction_take(struct shell *sh, const struct call *call, struct err *err);
int cmd_exit(struct shell *sh, const struct call *call, struct err *err);
int cmd_exit_inside(struct shell *sh, const struct call *call, struct err *err);

/* cmd_ping.c: `execute ping HOST` and its options, `execute traceroute HOST`. */
int cmd_ping(struct shell *sh, const struct call *call, struct err *err);
int cmd_ping_option(struct shell *sh, const struct call *call, struct err *err);
int cmd_ping_reset(struct shell *sh, const struct call *call, struct err *err);
int cmd_ping_view(struct shell *sh, const struct call *call, struct err *err);
int cmd_traceroute(struct shell *sh, const struct call *call, struct err *err);

/* cmd_clock.c: `execute date [YYYY-MM-DD]`, `execute time [HH:MM[:SS]]`. */
int cmd_date(struct shell *sh, const struct call *call, struct err *err);
int cmd_time(struct shell *sh, const struct call *call, struct err *err);

/* cmd_power.c: `execute reboot` and `execute shutdown`, with a comment or without. */
int cmd_reboot(struct shell *sh, const struct call *call, struct err *err);
int cmd_shutdown(struct shell *sh, const struct call *call, struct err *err);
