/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader of configuration text that is enough for tests: it finds the table of each block and the
 * lines of each entry, and leaves the rest to text_parse.
 */
#include "tests/lib/conf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/model/lex.h"
#include "cfgdb/model/text.h"

static const char factory[] =
	"config firewall address\nedit \"all\"\nnext\n"
	"edit \"none\"\nset subnet 0.0.0.0 255.255.255.255\nnext\nend\n"
	"config firewall service custom\n"
	"edit \"ALL\"\nset protocol IP\nnext\n"
	"edit \"ALL_TCP\"\nset tcp-portrange 1-65535\nnext\n"
	"edit \"ALL_ICMP\"\nset protocol ICMP\nnext\n"
	"edit \"PING\"\nset protocol ICMP\nset icmptype 8\nnext\n"
	"edit \"GRE\"\nset protocol IP\nset protocol-number 47\nnext\n"
	"edit \"HTTP\"\nset tcp-portrange 80\nnext\n"
	"edit \"HTTPS\"\nset tcp-portrange 443\nnext\n"
	"edit \"SSH\"\nset tcp-portrange 22\nnext\n"
	"edit \"DNS\"\nset tcp-portrange 53\nset udp-portrange 53\nnext\nend\n"
	"config firewall schedule recurring\n"
	"edit \"always\"\nset day sunday monday tuesday wednesday thursday friday saturday\nnext\n"
	"edit \"none\"\nnext\nend\n";

static const struct schema_table *table_of(const struct words *w) {
	struct str dotted AUTO_STR = STR_INIT;
	const struct schema_table *table;

	for (size_t i = 1; i < w->n; i++)
		str_addf(&dotted, "%s%s", i > 1 ? "." : "", w->w[i]);
	table = schema_find(str_text(&dotted));
	ck_assert_msg(table, "no table %s", str_text(&dotted));
	return table;
}

static void put(struct model *m, const struct schema_table *table, const char *key,
		const char *body, uint64_t ver) {
	struct object *obj = object_new(table, key);
	struct err err = { 0 };

	ck_assert_msg(text_parse(obj, body, &err) == 0, "%s %s: %s", table->path, key, err.text);
	obj->ver = ver;
	object_free(model_put(m, obj));
}

struct reader {
	struct model *m;
	uint64_t ver;
	const struct schema_table *table;
	char *key;
	struct str body;
	int depth;                 /* blocks open inside the entry */
};

static void finish(struct reader *r) {
	put(r->m, r->table, r->key, str_text(&r->body), r->ver);
	free(r->key);
	r->key = NULL;
	str_clear(&r->body);
}

static void read_line(struct reader *r, const char *line) {
	struct words w AUTO_WORDS = { 0 };
	struct err err;

	ck_assert_int_eq(lex_words(line, &w, &err), LEX_OK);
	if (w.n == 0)
		return;
	if (!r->table) {
		r->table = table_of(&w);
		r->key = schema_is_list(r->table) ? NULL : xstrdup("");
		return;
	}
	if (!r->key && strcmp(w.w[0], "edit") == 0) {
		r->key = xstrdup(w.w[1]);
		return;
	}
	if (r->depth == 0 && (strcmp(w.w[0], "next") == 0 || strcmp(w.w[0], "end") == 0)) {
		if (r->key)
			finish(r);
		if (strcmp(w.w[0], "end") == 0)
			r->table = NULL;
		return;
	}
	r->depth += strcmp(w.w[0], "config") == 0 ? 1 : strcmp(w.w[0], "end") == 0 ? -1 : 0;
	str_addf(&r->body, "%s\n", line);
}

void conf_load(struct model *m, const char *text, uint64_t ver) {
	struct reader r = { .m = m, .ver = ver };

	while (*text) {
		size_t len = strcspn(text, "\n");
		AUTO_FREE char *line = xstrndup(text, len);

		read_line(&r, line);
		text += len + (text[len] == '\n');
	}
	ck_assert_msg(!r.table, "the text ends in the middle of a block");
	str_done(&r.body);
}

struct model *conf_model(const char *text) {
	struct model *m = model_new();

	conf_load(m, factory, 0);
	conf_load(m, text, 1);
	return m;
}
