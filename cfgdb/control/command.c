/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands remember for a connection, such as the session filter of an administrator. It is a
 * short list by kind, so that a module that needs such memory asks for it where it is used, and
 * nobody else knows of it.
 */
#include "cfgdb/control/command.h"

#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/rights.h"

struct memories {
	const struct memory_kind *kind;
	struct memories *next;
	max_align_t data[];
};

bool command_may_see(const struct command_call *call, const struct schema_table *table) {
	return rights_on(call->rights, table) >= RIGHTS_READ;
}

int command_bad_word(const char *word, struct err *err) {
	return err_set(err, ERR_PARSE, "\ncommand parse error before '%.200s'", word);
}

int command_word_missing(struct err *err) {
	return err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
}

int command_no_words(const struct command_call *call, struct err *err) {
	return call->argc ? command_bad_word(call->argv[0], err) : 0;
}

void *command_memory(const struct command_call *call, const struct memory_kind *kind) {
	struct memories *m = *call->memories;

	while (m && m->kind != kind)
		m = m->next;
	if (m)
		return m->data;
	m = xcalloc(1, sizeof(*m) + kind->size);
	m->kind = kind;
	m->next = *call->memories;
	*call->memories = m;
	if (kind->init)
		kind->init(m->data);
	return m->data;
}

void memories_done(struct memories **memories) {
	while (*memories) {
		struct memories *m = *memories;

		*memories = m->next;
		if (m->kind->done)
			m->kind->done(m->data);
		free(m);
	}
}
