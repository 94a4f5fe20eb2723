/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arguments of get, diagnose and execute. The name of an argument says where its values are found:
 * words that have a meaning there, keys of a table, names that only the running system has. What is
 * not listed may be accepted all the same: that is up to the command. A name without brackets is a
 * word itself.
 */
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/completer.h"
#include "cli/live.h"

struct text_word {
	const char *word, *help; /* a word of NULL is the end */
};

static const struct text_word detail_words[] = {
	{ "1", "A line for each." },
	{ "2", "And its bytes from IP on." },
	{ "3", "And its bytes from Ethernet on." },
	{ "4", "As 1, with the interface." },
	{ "5", "As 2, with the interface." },
	{ "6", "As 3, with the interface." },
	{ 0 },
};

static const struct text_word level_words[] = {
	{ "-1", "All." },
	{ "0", "Nothing." },
	{ "3", "Errors." },
	{ "4", "And warnings." },
	{ "5", "And notices." },
	{ "6", "And news." },
	{ 0 },
};

static const struct text_word verb_words[] = {
	{ "clear", "Forget a criterion, or all." },
	{ "list", "Show the filter." },
	{ "negate", "Turn a criterion round." },
	{ 0 },
};

static const struct text_word protocol_numbers[] = {
	{ "1", "ICMP" },
	{ "6", "TCP" },
	{ "17", "UDP" },
	{ 0 },
};

static const struct text_word any_words[] = { { "any", "every interface" }, { 0 } };
static const struct text_word timestamp_words[] = { { "a", "UTC" }, { "l", "local time" }, { 0 } };
static const struct text_word vd_words[] = { { "-1", "every one" }, { "0", "root" }, { 0 } };
static const struct text_word zero_words[] = { { "0", "what no policy allows" }, { 0 } };

/* Criteria of the filter for sessions; fields of log lines of the category traffic. */
static const char criteria[] =
	"dintf dport dst duration expire ext-dst ext-dst-negate ext-src ext-src-negate nport nsrc "
	"policy proto proto-state session-state1 session-state2 sintf sport src vd";
static const char fields[] =
	"action dstintf dstip dstport duration policyid policyname proto rcvdbyte rcvdpkt sentbyte "
	"sentpkt service sessionid srcintf srcip srcport";

/* Where the values of an argument are found. */
static const struct text_source {
	const char *name;              /* of the argument, as its row has it */
	const struct text_word *words; /* words with their meaning */
	const char *plain;             /* words, with blanks between them */
	const char *table;             /* keys of this table */
	enum live live;
} sources[] = {
	{ .name = "<alias>", .table = "system.alias" },
	{ .name = "<category>", .plain = "event traffic" },
	{ .name = "<criterion>", .plain = criteria },
	{ .name = "<criterion or verb>", .words = verb_words, .plain = criteria },
	{ .name = "<detail>", .words = detail_words },
	{ .name = "<device>", .plain = "disk" },
	{ .name = "<entry>", .live = LIVE_ENTRIES },
	{ .name = "<field>", .plain = fields },
	{ .name = "<file>", .plain = "-", .live = LIVE_FILES },
	{ .name = "<id>", .live = LIVE_TRANSACTIONS },
	{ .name = "<interface>", .table = "system.interface" },
	{ .name = "<interface or any>", .words = any_words, .table = "system.interface" },
	{ .name = "<level>", .words = level_words },
	{ .name = "<option>", .plain = "--check --confirm --partial" },
	{ .name = "<part>", .plain = "all field" },
	{ .name = "<policy>", .table = "firewall.policy" },
	{ .name = "<policy or 0>", .words = zero_words, .table = "firewall.policy" },
	{ .name = "<protocol>", .plain = "icmp tcp udp" },
	{ .name = "<protocol number>", .words = protocol_numbers },
	{ .name = "<revision>", .live = LIVE_REVISIONS },
	{ .name = "<serial>", .live = LIVE_MEMBERS },
	{ .name = "<table>", .live = LIVE_TABLES },
	{ .name = "<table.key>", .live = LIVE_KEYS },
	{ .name = "<timestamp>", .words = timestamp_words },
	{ .name = "<vd>", .words = vd_words },
	{ .name = "<vd name>", .plain = "root" },
	{ .name = "<waiting>", .live = LIVE_AWAITED },
	{ .name = "<yes>", .plain = "no yes" },
};

static const struct text_source *text_source(const char *name) {
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		if (strcmp(sources[i].name, name) == 0)
			return &sources[i];
	return NULL;
}

static bool take_name(void *arg, const char *name, const char *help, bool open) {
	struct completion *c = arg;
	size_t n = c->n;

	completer_add(c, name, help, false);
	if (c->n > n)
		c->items[n].open = open;
	return true;
}

static void list_words(struct completion *c, const struct text_source *s) {
	const char *plain = s->plain ? s->plain : "";
	size_t n;

	for (const struct text_word *w = s->words; w && w->word; w++)
		completer_add(c, w->word, w->help, false);
	for (; (n = strcspn(plain, " ")) > 0; plain += n + strspn(plain + n, " ")) {
		AUTO_FREE char *word = xstrndup(plain, n);

		completer_add(c, word, "", false);
	}
}

void complete_text(struct completer *k, const struct argument *argument) {
	const struct text_source *s = text_source(argument->name);
	const struct schema_table *table = s && s->table ? schema_find(s->table) : NULL;
	const struct live_query q = { .sh = k->sh,
				      .argv = k->argv,
				      .argc = k->argc,
				      .prefix = k->c->prefix,
				      .take = take_name,
				      .arg = k->c };

	if (!argument->name)
		return;
	if (argument->name[0] != '<') {
		completer_add(k->c, argument->name, argument->help, false);
		return;
	}
	completer_note(k->c, argument->name, false, xstrdup(argument->help));
	if (!s)
		return;
	list_words(k->c, s);
	if (table)
		completer_keys(k, table, completer_noun(table), NULL);
	live_names(&q, s->live);
	if (s->live == LIVE_FILES || s->live == LIVE_TABLES || s->live == LIVE_KEYS)
		completer_sort(k->c);
}
