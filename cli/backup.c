/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text is made in memory, table by table; should the configuration change meanwhile it is made
 * anew, so that it is that of one revision. An interface that was found and that nobody has
 * configured is no part of it: where it is restored, interfaces are found again.
 *
 * The last line says that nothing is missing. The file is written beside the one that it replaces
 * and takes its name when it is on the disk, all in a folder that is held open, so that it does not
 * matter what becomes of the path meanwhile. It is written by the administrator, with his rights.
 */
#include "cli/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/random.h"
#include "cfgdb/model/text.h"
#include "cfgdb/model/version.h"
#include "cli/commands.h"
#include "cli/yaml.h"
#include "schemas/schema_gen.h"

#define CONF_FILE_VERSION "1"   /* form of the text below the header */
#define HEADER		  "#config-version="
#define END_LINE	  "#conf_file_end\n"
#define TRIES_MAX	  8
#define KEY_LINE	  "#private-encryption-key="
#define NO_KEY		  "none"

struct backup {
	struct client *client;
	enum backup_form form;
	bool (*stop)(void *arg);
	void *arg;
	const char *frame;       /* path of the table, while nothing of it has been printed */
	struct str *out;
};

void backup_header(const struct client *client, struct str *out) {
	str_addf(out,
		 HEADER VERSION_MODEL "-" VERSION_RELEASE "-FW-build" VERSION_BUILD "-" VERSION_DATE
		 ":opmode=0:vdom=0:user=%s\n",
		 client_info(client)->user);
	str_add(out, "#conf_file_ver=" CONF_FILE_VERSION "\n#buildno=" VERSION_BUILD
		     "\n#global_vdom=1\n");
}

/* ---- the text ---- */

/* A link as it was found, which nobody has configured. */
static bool is_untouched(const struct object *obj) {
	return obj->table->id == TBL_SYSTEM_INTERFACE && obj->ver == 0;
}

static void add_object(struct backup *b, const struct object *obj) {
	unsigned int flags = b->form == BACKUP_FULL ? TEXT_FULL : 0;
	AUTO_STR struct str body = STR_INIT;

	if (b->form == BACKUP_YAML)
		yaml_object(obj, &body);
	else if (schema_is_list(obj->table))
		text_entry(obj, 1, flags, &body);
	else
		text_body(obj, 1, flags, &body);
	if (body.len == 0)
		return;
	if (b->frame && b->form == BACKUP_YAML)
		yaml_table(obj->table, b->out);
	else if (b->frame)
		str_addf(b->out, "config %s\n", b->frame);
	b->frame = NULL;
	str_add_bytes(b->out, str_text(&body), body.len);
}

static int add_entry(void *arg, struct object *obj) {
	struct backup *b = arg;

	if (!is_untouched(obj))
		add_object(b, obj);
	object_free(obj);
	return b->stop && b->stop(b->arg);
}

static int add_table(struct backup *b, const struct schema_table *table, struct err *err) {
	struct object *obj;
	int rc;

	b->frame = table->path;
	if (schema_is_list(table)) {
		rc = client_list(b->client, table, add_entry, b, err);
	} else {
		rc = client_get(b->client, table, "", &obj, err);
		if (rc == 0) {
			add_object(b, obj);
			object_free(obj);
		}
	}
	if (rc == 0 && !b->frame && b->form != BACKUP_YAML)
		str_add(b->out, "end\n");
	return rc;
}

/* ---- one moment ---- */

static void take_text(void *arg, const char *text, size_t n) {
	str_add_bytes(arg, text, n);
}

static bool never_enough(void *arg) {
	(void)arg;
	return false;
}

static int run_for_word(struct client *client, const char *const words[3], struct str *ret,
			struct err *err) {
	const struct client_output out = { .text = take_text,
					   .enough = never_enough,
					   .arg = ret };
	int rc;

	str_clear(ret);
	rc = client_run(client, 3, (char **)words, &out, err);
	if (rc == 0 && ret->len > 0)
		ret->data[--ret->len] = '\0'; /* the end of the line */
	return rc;
}

int backup_revision(struct client *client, struct str *ret, struct err *err) {
	const char *const words[] = { "execute", "backup", "revision" };

	return run_for_word(client, words, ret, err);
}

int backup_key(struct client *client, struct str *ret, struct err *err) {
	const char *const words[] = { "execute", "private-data-encryption", "id" };

	return run_for_word(client, words, ret, err);
}

static int add_all(struct backup *b, struct err *err) {
	AUTO_STR struct str key = STR_INIT;
	int rc = backup_key(b->client, &key, err);

	backup_header(b->client, b->out);
	if (rc == 0 && strcmp(str_text(&key), NO_KEY) != 0)
		str_addf(b->out, KEY_LINE "%s\n", str_text(&key));
	for (uint16_t i = 0; i < schema_n_top && rc == 0 && !(b->stop && b->stop(b->arg)); i++)
		rc = add_table(b, schema_tables[schema_top[i]], err);
	str_add(b->out, END_LINE);
	return rc;
}

int backup_comment(struct client *client, const char *revision, const char *comment,
		   struct err *err) {
	const char *const words[] = { "execute", "revision", "comment", revision, comment };
	AUTO_STR struct str said = STR_INIT;
	const struct client_output out = { .text = take_text,
					   .enough = never_enough,
					   .arg = &said };

	return client_run(client, ARRAY_LEN(words), (char **)words, &out, err);
}

int backup_text(struct client *client, enum backup_form form, bool (*stop)(void *arg), void *arg,
		struct str *out, struct err *err) {
	static const char *const names[] = {
		[BACKUP_CONFIG] = "config",
		[BACKUP_FULL] = "full-config",
		[BACKUP_YAML] = "yaml-config",
	};
	struct backup b = { client, form, stop, arg, NULL, out };
	AUTO_STR struct str before = STR_INIT, after = STR_INIT;
	const char *const words[] = { "execute", "backup", names[form] };
	int rc = run_for_word(client, words, &before, err);

	for (int i = 0; i < TRIES_MAX && rc == 0; i++) {
		str_clear(out);
		rc = add_all(&b, err);
		if (rc == 0)
			rc = backup_revision(client, &after, err);
		if (rc || strcmp(str_text(&before), str_text(&after)) == 0)
			return rc;
		str_clear(&before);
		str_add(&before, str_text(&after));
	}
	return rc ? rc : err_set(err, ERR_LOCKED, "the configuration changes all the time");
}

/* ---- whose text it is ---- */

static bool begins_with(const char *text, size_t n, const char *head) {
	size_t mark = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	return n - mark >= strlen(head) && memcmp(text + mark, head, strlen(head)) == 0;
}

bool backup_is_any(const char *text, size_t n) {
	return begins_with(text, n, HEADER);
}

bool backup_is_ours(const char *text, size_t n) {
	return begins_with(text, n, HEADER VERSION_MODEL "-");
}

void backup_key_of(const char *text, size_t n, char ret[BACKUP_KEY_MAX + 1]) {
	const char *at = text, *end = text + n;
	size_t len;

	snprintf(ret, BACKUP_KEY_MAX + 1, "%s", NO_KEY);
	while (at && at < end && *at == '#') {
		if ((size_t)(end - at) > strlen(KEY_LINE) &&
		    memcmp(at, KEY_LINE, strlen(KEY_LINE)) == 0) {
			at += strlen(KEY_LINE);
			len = strspn(at, "0123456789abcdef");
			snprintf(ret, BACKUP_KEY_MAX + 1, "%.*s", (int)len, at);
			return;
		}
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
}

bool backup_has_end(const char *text, size_t n) {
	size_t len = strlen(END_LINE) - 1;

	while (n > 0 && strchr(" \t\r\n", text[n - 1]))
		n--;
	return n >= len && memcmp(text + n - len, END_LINE, len) == 0;
}

/* ---- the file ---- */

static int refuse_file(const char *path, const char *why, struct err *err) {
	return err_set(err, ERR_FILE, "%s: %s: nothing was written", path, why);
}

static const char *write_whole(int fd, const struct str *text) {
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return strerror(errno);
	}
	return fsync(fd) == 0 ? NULL : strerror(errno);
}

/* Only a file may be replaced; whatever gets that name later is not followed. */
static const char *objection_to(int dir, const char *name) {
	struct stat st;

	if (*name == '\0')
		return "it is a folder";
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? NULL : strerror(errno);
	if (S_ISDIR(st.st_mode))
		return "it is a folder";
	return S_ISREG(st.st_mode) ? NULL : "it is no file";
}

/* Write beside the file of this name, then give it the name. */
static const char *write_beside(int dir, const char *name, const struct str *text) {
	AUTO_FREE char *beside =
		xasprintf(".gatehouse-%016llx", (unsigned long long)random_u64());
	int fd = openat(dir, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const char *why;

	if (fd < 0)
		return strerror(errno);
	why = write_whole(fd, text);
	if (close(fd) != 0 && !why)
		why = strerror(errno);
	if (!why && renameat(dir, beside, dir, name) != 0)
		why = strerror(errno);
	if (why)
		unlinkat(dir, beside, 0);
	else if (fsync(dir) != 0)
		why = strerror(errno);
	return why;
}

int backup_write(const char *path, const struct str *text, struct err *err) {
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	AUTO_FREE char *folder = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *why;

	if (dir < 0)
		return refuse_file(path, strerror(errno), err);
	why = objection_to(dir, name);
	if (!why)
		why = write_beside(dir, name, text);
	close(dir);
	return why ? refuse_file(path, why, err) : 0;
}
