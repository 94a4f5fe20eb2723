/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of settings, and forwarding of each managed interface: that of the others stays as it was,
 * for the rules leave them alone. The settings are written when the configuration manages its first interface, and at
 * each start from then on; the file of former values is written before, once, so that an uninstall
 * can put them back. A setting that this kernel does not have is skipped.
 *
 * A commit only ever sets them the first time; undoing that commit puts the former values back.
 */
#include "backends/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/managed.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"

#define VALUE_MAX 64
#define FILE_MAX 8192

/* Path below /proc/sys, and value. */
static const struct setting {
	const char *path, *value;
} settings[] = {
	/*
	 * A reply may leave by another link than its request came in by: loose, where the machine
	 * checks.
	 */
	{ "net/ipv4/conf/all/rp_filter", "2" },
	/* A changed address must not take the others of its network with it. */
	{ "net/ipv4/conf/all/promote_secondaries", "1" },
	/* A session begins with SYN. */
	{ "net/netfilter/nf_conntrack_tcp_loose", "0" },
	{ "net/netfilter/nf_conntrack_tcp_timeout_established", "3600" },
	{ "net/netfilter/nf_conntrack_acct", "1" },
	{ "net/netfilter/nf_conntrack_timestamp", "1" },
	{ "net/netfilter/nf_conntrack_events", "1" },
};

struct sysctl {
	char *saved_path;
	bool set;                  /* they have been set by this process */
	bool wanted;               /* the commit in progress wants them */
	const struct model *model; /* of the commit in progress */
	struct str raised;         /* interfaces it has set forwarding for, each followed by a newline */
	char before[ARRAY_LEN(settings)]
		   [VALUE_MAX]; /* for undoing it; "" where nothing was written */
};

/* Read a short file into a line without its end; false when it is not there. */
static bool read_value(const char *path, char value[VALUE_MAX]) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, value, VALUE_MAX - 1);
	close(fd);
	value[n > 0 ? n : 0] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return n > 0;
}

static int write_value(const char *path, const char *value) {
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int saved;

	if (fd < 0)
		return errno;
	n = write(fd, value, strlen(value));
	saved = errno;
	close(fd);
	return n == (ssize_t)strlen(value) ? 0 : saved;
}

static char *setting_path(const char *name) {
	return xasprintf("/proc/sys/%s", name);
}

/* ---- the file of former values ---- */

static int file_write(const char *path, const struct str *text, struct err *err) {
	AUTO_FREE char *temporary = xasprintf("%s.new", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return err_set(err, ERR_STORE, "%s: %s", temporary, strerror(errno));
	ok = write(fd, str_text(text), text->len) == (ssize_t)text->len && fsync(fd) == 0;
	if (close(fd) != 0 || !ok || rename(temporary, path) != 0)
		return err_set(err, ERR_STORE, "%s: %s", path, strerror(errno));
	return 0;
}

/* Keep the values that are there now, unless that has been done. */
static int save_former(const struct sysctl *s, struct err *err) {
	struct str text AUTO_STR = STR_INIT;

	if (access(s->saved_path, F_OK) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		AUTO_FREE char *path = setting_path(settings[i].path);
		char value[VALUE_MAX];

		if (read_value(path, value))
			str_addf(&text, "%s=%s\n", settings[i].path, value);
	}
	return file_write(s->saved_path, &text, err);
}

/* "net/ipv4/conf/IF/forwarding": interface names have no slash. */
static bool is_forwarding(const char *name) {
	static const char prefix[] = "net/ipv4/conf/", suffix[] = "/forwarding";
	const char *end;

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	end = strchr(name + strlen(prefix), '/');
	return end && end > name + strlen(prefix) && name[strlen(prefix)] != '.' && strcmp(end, suffix) == 0;
}

static bool is_ours(const char *name) {
	if (is_forwarding(name))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (strcmp(settings[i].path, name) == 0)
			return true;
	return false;
}

int sysctl_restore(const char *saved_path, struct err *err) {
	AUTO_FREE char *text = xcalloc(1, FILE_MAX);
	int fd = open(saved_path, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT
			       ? 0
			       : err_set(err, ERR_STORE, "%s: %s", saved_path, strerror(errno));
	n = read(fd, text, FILE_MAX - 1);
	close(fd);
	if (n < 0)
		return err_set(err, ERR_STORE, "%s: %s", saved_path, strerror(errno));
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		char *value = strchr(line, '=');
		AUTO_FREE char *path = NULL;
		int bad;

		if (!value)
			continue;
		*value++ = '\0';
		path = setting_path(line);
		bad = is_ours(line) ? write_value(path, value) : EINVAL;
		if (bad && bad != ENOENT)
			rc = err_set(err, ERR_KERNEL, "%s: %s", path, strerror(bad));
	}
	if (rc == 0)
		unlink(saved_path);
	return rc;
}

/* ---- the backend ---- */

struct sysctl *sysctl_new(const char *saved_path) {
	struct sysctl *s = xcalloc(1, sizeof(*s));

	s->saved_path = xstrdup(saved_path);
	return s;
}

struct sysctl *sysctl_free(struct sysctl *s) {
	if (!s)
		return NULL;
	str_done(&s->raised);
	free(s->saved_path);
	free(s);
	return NULL;
}

static void put_back(struct sysctl *s) {
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (s->before[i][0] != '\0') {
			AUTO_FREE char *path = setting_path(settings[i].path);

			write_value(path, s->before[i]);
		}
	memset(s->before, 0, sizeof(s->before));
}

static int set_all(struct sysctl *s, struct err *err) {
	int rc = save_former(s, err);

	memset(s->before, 0, sizeof(s->before));
	for (size_t i = 0; i < ARRAY_LEN(settings) && rc == 0; i++) {
		AUTO_FREE char *path = setting_path(settings[i].path);
		char value[VALUE_MAX];
		int bad;

		if (!read_value(path, value) || strcmp(value, settings[i].value) == 0)
			continue;
		bad = write_value(path, settings[i].value);
		if (bad)
			rc = err_set(err, ERR_KERNEL, "%s: %s", path, strerror(bad));
		else
			memcpy(s->before[i], value, sizeof(value));
	}
	if (rc)
		put_back(s);
	return rc;
}

/* ---- forwarding of managed interfaces ---- */

static char *forwarding_name(const char *interface) {
	return xasprintf("net/ipv4/conf/%s/forwarding", interface);
}

/* Add what an interface had to the file, unless it is there. */
static int save_forwarding(const struct sysctl *s, const char *name, struct err *err) {
	AUTO_FREE char *line = xasprintf("%s=0\n", name);
	AUTO_FREE char *text = xcalloc(1, FILE_MAX);
	struct str all AUTO_STR = STR_INIT;
	int fd = open(s->saved_path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, FILE_MAX - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return err_set(err, ERR_STORE, "%s: %s", s->saved_path, strerror(errno));
	if (strstr(text, line))
		return 0;
	if ((size_t)n + strlen(line) >= FILE_MAX)
		return err_set(err, ERR_STORE, "%s: too many interfaces", s->saved_path);
	str_add(&all, text);
	str_add(&all, line);
	return file_write(s->saved_path, &all, err);
}

static int raise_forwarding(struct sysctl *s, const char *interface, struct err *err) {
	AUTO_FREE char *name = forwarding_name(interface);
	AUTO_FREE char *path = setting_path(name);
	char value[VALUE_MAX];
	int rc;

	if (!read_value(path, value) || strcmp(value, "0") != 0)
		return 0; /* no such link, or it forwards already */
	rc = save_forwarding(s, name, err);
	if (rc)
		return rc;
	rc = write_value(path, "1");
	if (rc)
		return err_set(err, ERR_KERNEL, "%s: %s", path, strerror(rc));
	str_addf(&s->raised, "%s\n", interface);
	return 0;
}

static int raise_all(struct sysctl *s, const struct model *model, struct err *err) {
	struct names names = managed_interfaces(model);
	int rc = 0;

	for (size_t i = 0; i < names.n && rc == 0; i++)
		rc = raise_forwarding(s, names.name[i], err);
	names_done(&names);
	return rc;
}

static void lower_raised(struct sysctl *s) {
	char *rest = s->raised.data;

	for (char *line; rest && (line = strsep(&rest, "\n"));) {
		AUTO_FREE char *name = forwarding_name(line);
		AUTO_FREE char *path = setting_path(name);

		if (*line)
			write_value(path, "0");
	}
	str_clear(&s->raised);
}

int sysctl_reconcile(struct sysctl *s, const struct model *model, struct err *err) {
	int rc = raise_all(s, model, err);

	str_clear(&s->raised);
	return rc;
}

static bool manages(const struct model *model) {
	struct names names = managed_interfaces(model);
	bool any = names.n > 0;

	names_done(&names);
	return any;
}

static int backend_start(void *ctx, const struct commit *commit, struct err *err) {
	struct sysctl *s = ctx;
	int rc;

	if (!manages(commit->model))
		return 0;
	rc = set_all(s, err);
	s->set = rc == 0;
	return rc ? rc : sysctl_reconcile(s, commit->model, err);
}

static int backend_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct sysctl *s = ctx;

	(void)err;
	s->wanted = !s->set && manages(commit->model);
	s->model = commit->model;
	return 0;
}

static int backend_apply(void *ctx, struct err *err) {
	struct sysctl *s = ctx;

	if (fault_hit("sysctl.apply"))
		return err_set(err, ERR_KERNEL, "injected fault before settings change");
	memset(s->before, 0, sizeof(s->before));
	str_clear(&s->raised);
	if (s->wanted && set_all(s, err) != 0)
		return ERR_KERNEL;
	if (raise_all(s, s->model, err) == 0)
		return 0;
	lower_raised(s);
	put_back(s);
	return ERR_KERNEL;
}

static void backend_undo(void *ctx) {
	lower_raised(ctx);
	put_back(ctx);
}

static void backend_finish(void *ctx) {
	struct sysctl *s = ctx;

	str_clear(&s->raised);
	s->set |= s->wanted;
	s->wanted = false;
	memset(s->before, 0, sizeof(s->before));
}

static void backend_cancel(void *ctx) {
	struct sysctl *s = ctx;

	s->wanted = false;
}

struct backend sysctl_backend(struct sysctl *s) {
	return (struct backend){
		.name = "sysctl",
		.start = backend_start,
		.prepare = backend_prepare,
		.apply = backend_apply,
		.undo = backend_undo,
		.finish = backend_finish,
		.cancel = backend_cancel,
		.ctx = s,
	};
}
