/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words are kept when they begin with what has been typed, up to a bound; whoever lists them may
 * stop then. Keys come from the daemon, which knows what is staged, too.
 */
#include "cli/completer.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/client.h"

#define REMARK_MAX 60 /* bytes of a remark that are told */

void complete_done(struct completion *c) {
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].word);
		free(c->items[i].help);
	}
	for (size_t i = 0; i < c->n_notes; i++) {
		free(c->notes[i].word);
		free(c->notes[i].help);
	}
	free(c->items);
	free(c->prefix);
	*c = (struct completion){ 0 };
}

/* What the word has in common with all before it. */
static void completer_compare(struct completion *c, const char *word) {
	const char *first = c->n ? c->items[0].word : word;
	size_t most = c->n ? c->common : strlen(word), len = 0;

	while (len < most && word[len] == first[len])
		len++;
	c->common = len;
	c->found++;
}

void completer_add(struct completion *c, const char *word, const char *help, bool required) {
	if (strncmp(word, c->prefix, strlen(c->prefix)) != 0)
		return;
	if (c->n > 0 && strcmp(c->items[c->n - 1].word, word) == 0)
		return;
	completer_compare(c, word);
	if (c->n >= COMPLETE_MAX)
		return;
	if (c->n == c->size) {
		c->size = c->size ? c->size * 2 : 32;
		c->items = xreallocarray(c->items, c->size, sizeof(*c->items));
	}
	c->items[c->n++] = (struct candidate){ .word = xstrdup(word),
					       .help = xstrdup(help),
					       .required = required };
}

static int compare_candidates(const void *a, const void *b) {
	return strcmp(((const struct candidate *)a)->word, ((const struct candidate *)b)->word);
}

void completer_sort(struct completion *c) {
	size_t n = 0;

	qsort(c->items, c->n, sizeof(*c->items), compare_candidates);
	for (size_t i = 0; i < c->n; i++) {
		if (n > 0 && strcmp(c->items[n - 1].word, c->items[i].word) == 0) {
			free(c->items[i].word);
			free(c->items[i].help);
		} else {
			c->items[n++] = c->items[i];
		}
	}
	c->found -= c->n - n;
	c->n = n;
}

void completer_note(struct completion *c, const char *word, bool required, char *help) {
	if (c->n_notes == COMPLETE_NOTES_MAX) {
		free(help);
		return;
	}
	c->notes[c->n_notes++] =
		(struct candidate){ .word = xstrdup(word), .help = help, .required = required };
}

struct key_adder {
	struct completion *c;
	const char *noun, *but;
};

/* What kind of entry it is, and what was written on it, as far as that is one short line. */
static void add_entry(struct completion *c, const char *key, const char *noun, const char *remark) {
	size_t n = strcspn(remark, "\n");
	AUTO_STR struct str help = STR_INIT;

	str_add(&help, noun);
	if (*noun && n > 0)
		str_add(&help, ": ");
	if (n > REMARK_MAX)
		for (n = REMARK_MAX; n > 0 && ((unsigned char)remark[n] & 0xc0) == 0x80; n--)
			;
	str_add_bytes(&help, remark, n);
	str_add(&help, remark[n] ? "..." : "");
	completer_add(c, key, str_text(&help), false);
}

static int add_key(void *arg, const char *key, const char *remark) {
	const struct key_adder *a = arg;

	if (!a->but || strcmp(key, a->but) != 0)
		add_entry(a->c, key, a->noun, remark);
	return 0;
}

void completer_keys(struct completer *k, const struct schema_table *table, const char *noun,
		    const char *but) {
	struct key_adder a = { k->c, noun, but };
	struct err err;

	if (!client_may_see(client_info(k->sh->client), table))
		return;
	if (client_keys(k->sh->client, table, k->c->prefix, UINT32_MAX, add_key, &a, &err) ==
	    ERR_TIMEOUT)
		k->sh->lost = true;
}

void completer_children(struct completer *k, const struct object *holder, unsigned int attr) {
	const struct value *v = object_get(holder, attr);

	for (uint32_t i = 0; v && i < v->n; i++)
		add_entry(k->c, value_item(v, i)->entry->key, "",
			  object_remark(value_item(v, i)->entry));
}

const char *completer_noun(const struct schema_table *table) {
	const char *last = strrchr(table->path, ' ');

	return table->noun ? table->noun : last ? last + 1 : table->path;
}
