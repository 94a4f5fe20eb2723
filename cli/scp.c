/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of scp starts `scp -f FILE` here to fetch a file and `scp -t FILE` to bring one. Each
 * end answers what the other sends with one byte: 0, or 1 and a line that says what is wrong. There
 * is one file, the configuration; nothing can be brought. SFTP, which newer clients speak unless
 * they are told otherwise (-O), is refused by the SSH server.
 */
#include "cli/scp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/model/lex.h"
#include "cli/backup.h"

#define FILE_NAME "sys_config"

bool scp_is_request(const char *command) {
	return strncmp(command, "scp ", 4) == 0;
}

static bool send_bytes(const char *data, size_t n) {
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, data, n);

		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			data += done;
			n -= (size_t)done;
		}
	}
	return true;
}

/* Whether the client is ready for more. */
static bool is_ready(void) {
	char answer;
	ssize_t n;

	while ((n = read(STDIN_FILENO, &answer, 1)) < 0 && errno == EINTR)
		;
	return n == 1 && answer == 0;
}

static bool refuse(const char *why) {
	AUTO_STR struct str line = STR_INIT;

	str_addf(&line, "\001scp: %s\n", why);
	(void)send_bytes(line.data, line.len);
	return false;
}

static bool send_config(struct client *client) {
	AUTO_STR struct str text = STR_INIT, head = STR_INIT;
	struct err err;
	bool sent;

	if (!is_ready())
		return false;
	if (backup_text(client, BACKUP_CONFIG, NULL, NULL, &text, &err) != 0)
		return refuse(err.text);
	str_addf(&head, "C0600 %zu " FILE_NAME "\n", text.len);
	sent = send_bytes(head.data, head.len) && is_ready() && send_bytes(text.data, text.len) &&
	       send_bytes("", 1) && is_ready();
	return client_outcome(client, sent ? 0 : ERR_FILE, &err) == 0 && sent;
}

/* The file that is to be fetched, or NULL. */
static const char *wanted(const struct words *words) {
	const char *file = NULL;
	bool fetch = false;

	for (size_t i = 1; i < words->n; i++) {
		if (*words->w[i] != '-')
			file = words->w[i];
		else if (strcmp(words->w[i], "-f") == 0)
			fetch = true;
	}
	return fetch ? file : NULL;
}

bool scp_serve(struct client *client, const char *command) {
	AUTO_WORDS struct words words = { 0 };
	const char *file;

	if (lex_words(command, &words, NULL) != LEX_OK)
		return refuse("that cannot be read");
	file = wanted(&words);
	if (!file)
		return refuse("nothing can be written here, only " FILE_NAME " be read");
	if (strcmp(file, FILE_NAME) != 0)
		return refuse("there is no such file, only " FILE_NAME);
	return send_config(client);
}
