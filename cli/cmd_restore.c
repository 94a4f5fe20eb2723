/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `execute backup` and `execute restore`. A restore is one transaction that replaces all: the file
 * is carried out in it, its account is printed, and only then, when nothing of it was refused and
 * the administrator says so, it is committed. Whoever restores at night and in haste gets all of
 * his file or learns what is wrong with it, and nothing in between, unless he asks for that.
 *
 * A backup of this product says everything: what it does not have is gone. Any other file knows
 * nothing of what is built in here: it comes on top of what a new unit has.
 */
#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cli/backup.h"
#include "cli/commands.h"
#include "cli/loader.h"
#include "cli/progress.h"

#define FILE_MAX_MB 256
#define CONFIRM_MINUTES_MAX 1440
#define UNCHANGED "nothing was changed"
#define QUESTION "This operation will overwrite the current setting!"

/* ---- backup ---- */

static bool backup_stop(void *arg) {
	const struct shell *sh = arg;

	return out_stopped(sh->out);
}

static enum backup_form form_of(const struct call *call) {
	const char *word = call->words[2];

	if (strcmp(word, "full-config") == 0)
		return BACKUP_FULL;
	return strcmp(word, "yaml-config") == 0 ? BACKUP_YAML : BACKUP_CONFIG;
}

/* The present revision gets a comment; the text is in the database already. */
static int backup_flash(struct shell *sh, const struct call *call, struct err *err) {
	AUTO_STR struct str revision = STR_INIT;
	int rc = 0;

	out_text(sh->out, "Please wait...\n");
	out_flush(sh->out);
	if (call->argc > 1)
		rc = backup_revision(sh->client, &revision, err);
	if (rc == 0 && call->argc > 1)
		rc = backup_comment(sh->client, str_text(&revision), call->argv[1], err);
	if (rc == 0)
		out_text(sh->out, "\nConfig backed up to flash disk done.\n");
	return rc;
}

/* Words that are too many; those who know them from elsewhere learn what there is here. */
static int refuse_more(const struct call *call, struct err *err) {
	static const char *const places[] = { "ftp", "management-station", "sftp", "tftp", "usb" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (strcmp(call->argv[0], places[i]) == 0)
			return err_set(err, ERR_FILE,
				       "%s is not possible: a backup is a file here, /tmp/FILE, or "
				       "what `scp -O UNIT:sys_config FILE` fetches from elsewhere",
				       places[i]);
	return grammar_refuse(call->argv[1], err);
}

int cmd_backup(struct shell *sh, const struct call *call, struct err *err) {
	enum backup_form form = form_of(call);
	const char *path = call->argv[0];
	bool to_out = strcmp(path, "-") == 0;
	AUTO_STR struct str text = STR_INIT;
	int rc;

	if (form == BACKUP_CONFIG && strcmp(path, "flash") == 0)
		return call->argc > 2 ? grammar_refuse(call->argv[2], err)
				      : backup_flash(sh, call, err);
	if (call->argc > 1)
		return refuse_more(call, err);
	if (*path == '\0')
		return err_set(err, ERR_FILE, "a file name is missing: nothing was written");
	if (!to_out)
		out_text(sh->out, "Please wait...\n");
	out_flush(sh->out);
	rc = backup_text(sh->client, form, backup_stop, sh, &text, err);
	if (rc || out_stopped(sh->out)) {
		cmd_outcome(sh, rc ? rc : ERR_FILE);
		return rc;
	}
	if (to_out)
		out_bytes(sh->out, str_text(&text), text.len);
	else
		rc = backup_write(path, &text, err);
	if (cmd_outcome(sh, rc) == 0 && !to_out)
		out_printf(sh->out, "\nConfig backed up to %s done.\n", path);
	return rc;
}

/* ---- restore: the file ---- */

struct restore {
	struct shell *sh;
	const char *path;
	bool check, partial;
	unsigned int confirm_minutes; /* 0: for good */
	struct str text;
	struct progress progress;
	struct tally tally;
};

static int refuse_path(const char *path, const char *why, struct err *err) {
	return err_set(err, ERR_RESTORE, "Can not get config file %s: %s", path, why);
}

static int read_all(int fd, struct restore *r, struct err *err) {
	char *chunk = xcalloc(1, 65536);
	ssize_t n;

	while ((n = read(fd, chunk, 65536)) != 0 && !out_stopped(r->sh->out)) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || r->text.len + (size_t)n > (size_t)FILE_MAX_MB << 20)
			break;
		str_add_bytes(&r->text, chunk, (size_t)n);
	}
	free(chunk);
	if (n < 0)
		return refuse_path(r->path, strerror(errno), err);
	if (n > 0 && !out_stopped(r->sh->out))
		return err_set(err, ERR_TOO_LONG, "%s is too long: at most %d MB", r->path,
			       FILE_MAX_MB);
	return 0;
}

/* What is no file may never end, and a pipe may never begin: a script would wait for ever. */
static const char *open_file(const char *path, int *fd) {
	struct stat st;
	const char *why = NULL;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0 || fstat(*fd, &st) != 0)
		why = strerror(errno);
	else if (S_ISDIR(st.st_mode))
		why = strerror(EISDIR);
	else if (!S_ISREG(st.st_mode))
		why = "it is no file; - reads standard input";
	if (why && *fd >= 0)
		close(*fd);
	return why;
}

static int read_file(struct restore *r, struct err *err) {
	bool is_stdin = strcmp(r->path, "-") == 0;
	int fd = STDIN_FILENO, rc;
	const char *why;

	if (is_stdin && r->sh->reads_stdin)
		return refuse_path(r->path, "the commands come from there", err);
	why = is_stdin ? NULL : open_file(r->path, &fd);
	if (why)
		return refuse_path(r->path, why, err);
	rc = read_all(fd, r, err);
	if (!is_stdin)
		close(fd);
	return rc;
}

/* ---- restore: the transaction ---- */

static int64_t now_ms(void) {
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool on_step(void *arg, size_t done) {
	struct restore *r = arg;

	progress_step(&r->progress, done, now_ms());
	return out_stopped(r->sh->out);
}

static void take_text(void *arg, const char *text, size_t n) {
	str_add_bytes(arg, text, n);
}

static bool never_enough(void *arg) {
	(void)arg;
	return false;
}

/* Print what the daemon says of the restore: its losses, before the commit, or its outcome. */
static int print_told(struct restore *r, const char *what, struct err *err) {
	const char *const words[] = { "execute", "restore", what };
	AUTO_STR struct str text = STR_INIT;
	const struct client_output out = { .text = take_text,
					   .enough = never_enough,
					   .arg = &text };
	int rc = client_run(r->sh->client, ARRAY_LEN(words), (char **)words, &out, err);

	if (rc == 0)
		out_text(r->sh->out, str_text(&text));
	return rc;
}

/* When the connection is lost: what that means for the configuration. */
static int say_if_lost(struct err *err, const char *what) {
	AUTO_FREE char *text = xstrdup(err->text);

	return err->code == ERR_TIMEOUT ? err_set(err, ERR_TIMEOUT, "%s: %s", text, what)
					: err->code;
}

static void print_account(struct restore *r) {
	AUTO_STR struct str text = STR_INIT;
	const char *data = str_text(&r->text);
	size_t n = r->text.len;

	tally_print(&r->tally, &text);
	if (backup_is_ours(data, n) && !backup_has_end(data, n))
		str_add(&text, "The line that ends a backup is missing: it may have been cut off, "
			       "or is what `show` printed.\n");
	out_text(r->sh->out, str_text(&text));
	out_flush(r->sh->out);
}

/* Why the file is not to be committed, as it is. */
static int judge(const struct restore *r, struct err *err) {
	unsigned long refused = r->tally.lines[TALLY_REFUSED];

	if (r->tally.landed == 0)
		return err_set(err, ERR_FILE, "%s holds no configuration: nothing was changed",
			       r->path);
	if (r->partial)
		return 0;
	if (!backup_is_any(str_text(&r->text), r->text.len))
		return err_set(err, ERR_FILE,
			       "%s is no backup, it does not begin with #config-version=: "
			       "nothing was changed.\n"
			       "What it does not have would be gone: --partial does so",
			       r->path);
	if (refused > 0)
		return err_set(err, ERR_FILE,
			       "%lu line%s refused: nothing was changed.\n"
			       "--partial restores the rest without %s",
			       refused, refused == 1 ? " was" : "s were",
			       refused == 1 ? "it" : "them");
	return 0;
}

static int load(struct restore *r, struct err *err) {
	const char *text = str_text(&r->text);
	const struct loader_input in = { .client = r->sh->client,
					 .text = text,
					 .size = r->text.len,
					 .exact = backup_is_ours(text, r->text.len),
					 .step = on_step,
					 .arg = r };
	enum loader_end end;

	progress_begin(&r->progress, r->sh->out->terminal ? r->sh->out->fd : -1, in.size,
		       now_ms());
	end = loader_run(&in, &r->tally);
	shell_listen(r->sh);
	progress_end(&r->progress);
	if (end == LOADER_LOST)
		return err_set(err, ERR_TIMEOUT, "the connection broke");
	if (end == LOADER_STOPPED)
		return err_set(err, ERR_FILE, "interrupted: nothing was changed");
	print_account(r);
	if (r->tally.landed > 0 && print_told(r, "losses", err) != 0)
		return err->code;
	return judge(r, err);
}

/* In the transaction that is open: true when it is to be committed. */
static bool wants_commit(struct restore *r, int rc) {
	if (rc)
		return false;
	out_text(r->sh->out, "File check OK.\n");
	return !r->check && shell_confirm(r->sh, QUESTION);
}

static int commit(struct restore *r, struct err *err) {
	AUTO_FREE char *comment = xasprintf("restored from %.200s", r->path);
	const struct client_commit how = { r->confirm_minutes, comment };

	err_clean_line(comment);
	if (client_commit_as(r->sh->client, &how, err) != 0)
		return say_if_lost(err, "whether anything was changed is not known: "
					"execute revision list config tells it");
	if (print_told(r, "outcome", err) != 0)
		return say_if_lost(err, "the file is restored");
	return 0;
}

/* With another private key each of its secrets would be refused, and what to do is one thing. */
static int check_key(const struct restore *r, struct err *err) {
	AUTO_STR struct str ours = STR_INIT;
	char theirs[BACKUP_KEY_MAX + 1];
	int rc;

	backup_key_of(str_text(&r->text), r->text.len, theirs);
	if (r->partial || strcmp(theirs, "none") == 0)
		return 0;
	rc = backup_key(r->sh->client, &ours, err);
	if (rc || strcmp(str_text(&ours), theirs) == 0)
		return rc;
	return err_set(err, ERR_FILE,
		       "The secrets of %s are encrypted with the private key %s, this unit has %s: "
		       "nothing was changed.\n"
		       "`execute private-data-encryption key` takes the key of the file",
		       r->path, theirs, str_text(&ours));
}

static int replace(struct restore *r, struct err *err) {
	struct client *client = r->sh->client;
	bool ours = backup_is_ours(str_text(&r->text), r->text.len);
	struct err second;
	int rc = check_key(r, err);

	if (rc == 0)
		rc = ours && r->partial ? client_replace_partly(client, err) :
					  client_replace(client, !ours, err);
	if (rc)
		return say_if_lost(err, UNCHANGED);
	rc = load(r, err);
	if (wants_commit(r, rc))
		return commit(r, err);
	if (rc != ERR_TIMEOUT && client_abort(client, &second) == ERR_TIMEOUT && rc == 0) {
		*err = second;
		rc = err->code;
	}
	return rc ? say_if_lost(err, UNCHANGED) : 0;
}

/* ---- restore: the command ---- */

static int take_minutes(struct restore *r, const struct call *call, size_t i, struct err *err) {
	const char *why;

	if (i >= call->argc)
		return grammar_incomplete(err);
	r->confirm_minutes =
		(unsigned int)strtonum(call->argv[i], 1, CONFIRM_MINUTES_MAX, &why);
	return why ? grammar_refuse(call->argv[i], err) : 0;
}

static int take_option(struct restore *r, const struct call *call, size_t *i, struct err *err) {
	const char *word = call->argv[*i];

	if (strcmp(word, "--check") == 0)
		r->check = true;
	else if (strcmp(word, "--partial") == 0)
		r->partial = true;
	else if (strcmp(word, "--confirm") == 0)
		return take_minutes(r, call, ++*i, err);
	else
		return grammar_refuse(word, err);
	return 0;
}

int cmd_restore(struct shell *sh, const struct call *call, struct err *err) {
	struct restore r = { .sh = sh, .path = call->argv[0], .text = STR_INIT };
	int rc = 0;

	for (size_t i = 1; i < call->argc && rc == 0; i++)
		rc = take_option(&r, call, &i, err);
	if (rc)
		return rc;
	out_text(sh->out, "Please wait...\n");
	out_flush(sh->out);
	rc = read_file(&r, err);
	if (rc == 0 && !out_stopped(sh->out)) {
		out_text(sh->out, "\nGet config from local disk OK.\n");
		out_flush(sh->out);
		rc = replace(&r, err);
	}
	if (r.text.len > 0)
		explicit_bzero(r.text.data, r.text.len); /* it may hold secrets in clear */
	str_done(&r.text);
	tally_clear(&r.tally);
	return rc;
}
