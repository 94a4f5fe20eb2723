/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and closing, and what is done with whole entries. The work is done by the context; what
 * is added here is when changes become real. In a session every `next` and `end` is committed by
 * the daemon as it comes. In a script the outermost `config` opens a transaction and its `end`
 * commits it: entries that fail on the way are left out, the rest becomes real at once.
 */
#include <string.h>

#include "cfgdb/control/client.h"
#include "cli/commands.h"

int cmd_config(struct shell *sh, const struct call *call, struct err *err) {
	int rc = 0;

	refs_clear(sh->refs);
	if (sh->commit == SHELL_COMMIT_BLOCK)
		rc = client_begin(sh->client, err);
	if (rc)
		return rc;
	sh->in_block = sh->commit == SHELL_COMMIT_BLOCK;
	rc = context_config(&sh->context, &call->target, err);
	if (rc)
		shell_drop(sh);
	return rc;
}

int cmd_config_child(struct shell *sh, const struct call *call, struct err *err) {
	int attr = grammar_attr(shell_object(sh), call->argv[0], ARGS_CHILD, err);

	if (attr < 0)
		return err->code;
	if (call->argc > 1)
		return grammar_refuse(call->argv[1], err);
	return context_child(&sh->context, (unsigned int)attr, err);
}

int cmd_edit(struct shell *sh, const struct call *call, struct err *err) {
	bool added;
	int rc = context_edit(&sh->context, call->argv[0], &added, err);

	if (rc == 0 && added)
		out_printf(sh->out, "new entry '%s' added\n", context_top(&sh->context)->name);
	return rc;
}

int cmd_delete(struct shell *sh, const struct call *call, struct err *err) {
	refs_clear(sh->refs);
	return context_delete(&sh->context, call->argv[0], err);
}

int cmd_purge(struct shell *sh, const struct call *call, struct err *err) {
	(void)call;
	refs_clear(sh->refs);
	return context_purge(&sh->context, err);
}

/* Whether what was typed is the keyword, or short for it. */
static bool is_keyword(const char *typed, const char *keyword) {
	return *typed && strncmp(typed, keyword, strlen(typed)) == 0;
}

int cmd_rename(struct shell *sh, const struct call *call, struct err *err) {
	if (!is_keyword(call->argv[1], "to"))
		return grammar_refuse(call->argv[1], err);
	refs_clear(sh->refs);
	return context_rename(&sh->context, call->argv[0], call->argv[2], err);
}

int cmd_clone(struct shell *sh, const struct call *call, struct err *err) {
	if (!is_keyword(call->argv[1], "to"))
		return grammar_refuse(call->argv[1], err);
	return context_clone(&sh->context, call->argv[0], call->argv[2], err);
}

int cmd_move(struct shell *sh, const struct call *call, struct err *err) {
	bool before = is_keyword(call->argv[1], "before");

	if (!before && !is_keyword(call->argv[1], "after"))
		return grammar_refuse(call->argv[1], err);
	return context_move(&sh->context, call->argv[0], before, call->argv[2], err);
}

int cmd_next(struct shell *sh, const struct call *call, struct err *err) {
	(void)call;
	return context_next(&sh->context, err);
}

/* Commit the transaction of a block whose `config` has just been closed. */
static int config_commit(struct shell *sh, struct err *err) {
	if (!sh->in_block || sh->context.depth > 0)
		return 0;
	sh->in_block = false;
	return client_commit(sh->client, err);
}

int cmd_end(struct shell *sh, const struct call *call, struct err *err) {
	struct err entry = { 0 };
	int rc = cmd_private_key_for(sh, err);

	(void)call;
	if (rc) /* what was edited is still open: the key may be looked for */
		return rc;
	rc = context_end(&sh->context, &entry);
	if (rc == 0)
		return config_commit(sh, err);
	rc = config_commit(sh, err);
	if (rc) {
		shell_fail(sh, &entry);
		return rc;
	}
	*err = entry;
	return entry.code;
}

int cmd_abort(struct shell *sh, const struct call *call, struct err *err) {
	(void)call;
	context_abort(&sh->context);
	return config_commit(sh, err);
}
