/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is there at this moment, for completion. Revisions, transactions and members of the group
 * are read from what the commands that list them print: an administrator who may not see that list
 * gets no names either.
 */
#include "cli/live.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/client.h"

#define OUTPUT_MAX (256u << 10) /* bytes of a list that are read */

/* ---- lists of the daemon ---- */

static void output_text(void *arg, const char *text, size_t len) {
	str_add_bytes(arg, text, len);
}

static bool output_enough(void *arg) {
	return ((struct str *)arg)->len > OUTPUT_MAX;
}

static void drop_warning(void *arg, const char *text) {
	(void)arg;
	(void)text;
}

/*
 * What a command prints; "" when it fails. A warning would come amid the line that is being typed.
 */
static void live_output(struct shell *sh, size_t n, char *const words[], struct str *text) {
	void (*warn)(void *arg, const char *text) = sh->warn;
	const struct client_output out = { .text = output_text,
					   .enough = output_enough,
					   .arg = text,
					   .hint = true };
	struct err err;
	int rc;

	sh->warn = drop_warning;
	rc = client_run(sh->client, n, words, &out, &err);
	sh->warn = warn;
	if (rc == ERR_TIMEOUT)
		sh->lost = true;
	if (rc)
		str_clear(text);
}

/* Lines that begin with a number behind some text, and go on with what is to be known of it. */
struct numbers {
	const char *command[4];
	const char *before;
};

static const struct numbers revisions = { { "execute", "revision", "list", "config" }, "" };
static const struct numbers transactions = { { "execute", "config-transaction", "status" },
					     "config transaction id=" };
static const struct numbers awaited = { { "execute", "config-transaction", "status" },
					"revision " };

static bool number_line(const struct live_query *q, const char *before, char *line) {
	char *rest;
	size_t n;

	line += strspn(line, " ");
	if (strncmp(line, before, strlen(before)) != 0)
		return true;
	line += strlen(before);
	n = strspn(line, "0123456789");
	if (n == 0 || (line[n] && line[n] != ' '))
		return true;
	rest = line + n + strspn(line + n, " ");
	line[n] = '\0';
	return q->take(q->arg, line, rest, false);
}

static void live_numbers(const struct live_query *q, const struct numbers *of) {
	char *words[ARRAY_LEN(of->command)];
	AUTO_STR struct str text = STR_INIT;
	char *save = NULL;
	size_t n = 0;

	for (; n < ARRAY_LEN(of->command) && of->command[n]; n++)
		words[n] = (char *)of->command[n];
	live_output(q->sh, n, words, &text);
	if (text.len == 0)
		return;
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!number_line(q, of->before, line))
			return;
}

/* Its role stands in one of the lines below the serial number. */
static void live_members(const struct live_query *q) {
	static const char serial[] = "Serial#: ", role[] = "Role: ";
	char *const words[] = { (char *)"diagnose", (char *)"sys", (char *)"ha",
				(char *)"autoscale-peers" };
	AUTO_STR struct str text = STR_INIT;
	const char *name = NULL;
	char *save = NULL;

	live_output(q->sh, ARRAY_LEN(words), words, &text);
	if (text.len == 0)
		return;
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, serial, strlen(serial)) == 0)
			name = line + strlen(serial);
		else if (name && strncmp(line, role, strlen(role)) == 0 &&
			 !q->take(q->arg, name, line + strlen(role), false))
			return;
	}
}

/* ---- tables ---- */

static void live_tables(const struct live_query *q, bool keys) {
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *t = schema_tables[schema_top[i]];
		bool here = client_may_see(client_info(q->sh->client), t);
		AUTO_FREE char *name = keys && schema_is_list(t)
					       ? xasprintf("%s.%s", t->dotted, t->attrs[0].name)
					       : xstrdup(t->dotted);

		if (here && (!keys || schema_is_list(t)) && !q->take(q->arg, name, t->help, false))
			return;
	}
}

static int live_key(void *arg, const char *key, const char *remark) {
	const struct live_query *q = arg;

	return !q->take(q->arg, key, remark, false);
}

static void live_entries(const struct live_query *q) {
	AUTO_FREE char *dotted = xstrdup(q->argc ? q->argv[q->argc - 1] : "");
	const struct schema_table *table = schema_find(dotted);
	char *cut = strrchr(dotted, '.');
	struct err err;

	if (!table && cut) {
		*cut = '\0';
		table = schema_find(dotted);
	}
	if (table && schema_is_list(table) &&
	    client_may_see(client_info(q->sh->client), table) &&
	    client_keys(q->sh->client, table, q->prefix, UINT32_MAX, live_key, (void *)q, &err) ==
		    ERR_TIMEOUT)
		q->sh->lost = true;
}

/* ---- files ---- */

static bool live_file(const struct live_query *q, const char *folder, const char *name) {
	AUTO_FREE char *path = xasprintf("%s%s", folder, name);
	AUTO_FREE char *open = xasprintf("%s/", path);
	struct stat st;
	bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	return q->take(q->arg, is_folder ? open : path, "", is_folder);
}

static void live_files(const struct live_query *q) {
	const char *slash = strrchr(q->prefix, '/');
	size_t n = slash ? (size_t)(slash + 1 - q->prefix) : 0;
	AUTO_FREE char *folder = xstrndup(q->prefix, n);
	DIR *dir = opendir(n ? folder : ".");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		const char *rest = q->prefix + n;

		if (strncmp(entry->d_name, rest, strlen(rest)) != 0 ||
		    (*entry->d_name == '.' && *rest != '.'))
			continue;
		if (!live_file(q, folder, entry->d_name))
			break;
	}
	if (dir)
		closedir(dir);
}

void live_names(const struct live_query *q, enum live kind) {
	switch (kind) {
	case LIVE_NOTHING:
		break;
	case LIVE_FILES:
		live_files(q);
		break;
	case LIVE_TABLES:
		live_tables(q, false);
		break;
	case LIVE_KEYS:
		live_tables(q, true);
		break;
	case LIVE_ENTRIES:
		live_entries(q);
		break;
	case LIVE_REVISIONS:
		live_numbers(q, &revisions);
		break;
	case LIVE_TRANSACTIONS:
		live_numbers(q, &transactions);
		break;
	case LIVE_AWAITED:
		live_numbers(q, &awaited);
		break;
	case LIVE_MEMBERS:
		live_members(q);
		break;
	}
}
