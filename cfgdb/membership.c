/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One form for the database and for the way to gatehouse-syncd: lines of words, which a person can
 * read in the database. What is no such line is an error: it comes from a broken program, and half
 * of what is known of a group would let an old configuration win.
 */
#include "cfgdb/membership.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define LINE_WORDS 7
#define LINE_MAX_LEN 255

struct line {
	unsigned int n;
	char *word[LINE_WORDS];
};

struct member *membership_find(struct membership *m, const char *serial) {
	for (unsigned int i = 0; i < m->n; i++)
		if (strcmp(m->member[i].serial, serial) == 0)
			return &m->member[i];
	return NULL;
}

/* ---- to text ---- */

static const char *const role_names[] = { [MEMBER_PRIMARY] = "primary",
					  [MEMBER_SECONDARY] = "secondary",
					  [MEMBER_GONE] = "gone" };

static void member_text(const struct member *p, struct str *out) {
	char ip[NET_TEXT_MAX] = "0.0.0.0";

	inet_ntop(AF_INET, p->ip.byte, ip, sizeof(ip));
	str_addf(out, "member %s %s %s %s %" PRId64 " %" PRIu32 "\n", p->serial, p->vmid,
		 role_names[p->role], ip, p->heard_s, p->sync_id);
}

void membership_text(const struct membership *m, struct str *out) {
	str_addf(out, "epoch %" PRIu64 "\nheard %" PRIu64 "\nsynced %d\n", m->epoch, m->heard,
		 m->synced);
	if (m->joined)
		str_add(out, "joined 1\n");
	if (*m->primary)
		str_addf(out, "primary %s %" PRIu64 "\n", m->primary, m->revision);
	for (unsigned int i = 0; i < m->n; i++)
		member_text(&m->member[i], out);
}

/* ---- from text ---- */

/* A number of decimal digits up to max (below 2^64 - 1); false when it is none. */
static bool take_number(const char *word, uint64_t max, uint64_t *ret) {
	char *end;

	if (*word < '0' || *word > '9' || strlen(word) > 20)
		return false;
	*ret = strtoull(word, &end, 10);
	return !*end && *ret <= max;
}

/* A name of letters, digits, hyphens and underscores that has room in ret. */
static bool take_name(const char *word, char *ret, size_t size) {
	static const char allowed[] = "0123456789-_"
				      "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(word);

	if (len == 0 || len >= size || strspn(word, allowed) != len)
		return false;
	memcpy(ret, word, len + 1);
	return true;
}

static bool take_flag(const char *word, bool *ret) {
	uint64_t n;

	if (!take_number(word, 1, &n))
		return false;
	*ret = n;
	return true;
}

static bool take_role(const char *word, enum member_role *ret) {
	for (size_t i = 0; i < ARRAY_LEN(role_names); i++) {
		if (strcmp(word, role_names[i]) == 0) {
			*ret = (enum member_role)i;
			return true;
		}
	}
	return false;
}

static bool take_member(struct membership *m, const struct line *l) {
	struct member p = { .sync_id = 0 };
	uint64_t heard, sync_id;

	if (l->n != 7 || m->n == MEMBERS_MAX || !take_name(l->word[1], p.serial, MEMBER_SERIAL) ||
	    !take_name(l->word[2], p.vmid, MEMBER_VMID) || !take_role(l->word[3], &p.role) ||
	    !net_parse(AF_INET, l->word[4], &p.ip) ||
	    !take_number(l->word[5], INT64_MAX, &heard) ||
	    !take_number(l->word[6], UINT32_MAX, &sync_id) || membership_find(m, p.serial))
		return false;
	p.heard_s = (int64_t)heard;
	p.sync_id = (uint32_t)sync_id;
	m->member[m->n++] = p;
	return true;
}

static bool take_line(struct membership *m, const struct line *l) {
	if (l->n == 2 && strcmp(l->word[0], "epoch") == 0)
		return take_number(l->word[1], INT64_MAX, &m->epoch);
	if (l->n == 2 && strcmp(l->word[0], "heard") == 0)
		return take_number(l->word[1], INT64_MAX, &m->heard);
	if (l->n == 2 && strcmp(l->word[0], "synced") == 0)
		return take_flag(l->word[1], &m->synced);
	if (l->n == 2 && strcmp(l->word[0], "joined") == 0)
		return take_flag(l->word[1], &m->joined);
	if (l->n == 3 && strcmp(l->word[0], "primary") == 0)
		return take_name(l->word[1], m->primary, MEMBER_SERIAL) &&
		       take_number(l->word[2], INT64_MAX, &m->revision);
	return l->n > 0 && strcmp(l->word[0], "member") == 0 && take_member(m, l);
}

/* Cut a line into its words; false when there are too many. */
static bool split_line(char *text, struct line *ret) {
	char *rest = text, *word;

	ret->n = 0;
	while ((word = strsep(&rest, " ")) != NULL) {
		if (ret->n == LINE_WORDS)
			return false;
		ret->word[ret->n++] = word;
	}
	return true;
}

int membership_parse(struct membership *m, const char *text, struct err *err) {
	unsigned int number = 1;

	*m = (struct membership){ .n = 0 };
	for (; *text; number++) {
		size_t len = strcspn(text, "\n");
		char copy[LINE_MAX_LEN + 1];
		struct line line;

		if (len > LINE_MAX_LEN || text[len] != '\n')
			return err_set(err, ERR_PARSE, "line %u of the group's members", number);
		memcpy(copy, text, len);
		copy[len] = '\0';
		if (!split_line(copy, &line) || !take_line(m, &line))
			return err_set(err, ERR_PARSE, "line %u of the group's members", number);
		text += len + 1;
	}
	return 0;
}
