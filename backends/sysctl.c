/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of settings, timeouts of sessions as the configuration has them, and a table of those of
 * each managed interface: other interfaces stay as they were, for the rules leave them alone. The
 * settings are written when the configuration manages its first interface, when it changes them,
 * and at each start; the file of former values is written before, so that an uninstall can put them
 * back. A setting that this kernel does not have is skipped.
 *
 * Undoing a commit puts back what it has changed.
 */
#include "backends/sysctl.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/managed.h"
#include "backends/ttl.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"

#define VALUE_MAX 64
#define FILE_MAX (256u << 10) /* bytes of former values: some 6,000 interfaces */

/* Path below /proc/sys, and value. The timeouts of ttl.h come after these. */
static const struct setting {
	const char *path, *value;
} fixed[] = {
	/* A session begins with SYN. */
	{ "net/netfilter/nf_conntrack_tcp_loose", "0" },
	{ "net/netfilter/nf_conntrack_acct", "1" },
	{ "net/netfilter/nf_conntrack_timestamp", "1" },
	{ "net/netfilter/nf_conntrack_events", "1" },
};

/*
 * The same below net/ipv4/conf/INTERFACE: of it and of all, the larger value counts in the kernel.
 */
static const struct setting interface_settings[] = {
	{ "forwarding", "1" },
	/*
	 * A reply may leave by another link than its request came in by: the check of sources is
	 * loose.
	 */
	{ "rp_filter", "2" },
	/* A changed address must not take the others of its network with it. */
	{ "promote_secondaries", "1" },
};

#define N_SETTINGS (ARRAY_LEN(fixed) + TTL_SETTINGS)

struct values {
	char value[N_SETTINGS][VALUE_MAX];
};

struct sysctl {
	char *saved_path;
	struct values now, next;   /* set by this process (all empty: nothing yet), to be set */
	bool wanted;               /* the commit in progress sets them */
	const struct model *model; /* of the commit in progress */
	struct str raised;         /* what it has set of interfaces: lines NAME=FORMER */
	struct values before;      /* for undoing it; "" where nothing was written */
};

static const char *setting_name(size_t i) {
	return i < ARRAY_LEN(fixed) ? fixed[i].path : ttl_setting_name(i - ARRAY_LEN(fixed));
}

static struct values values_of(const struct model *model) {
	struct ttl_times system = ttl_of_system(model);
	struct values v = { 0 };

	for (size_t i = 0; i < N_SETTINGS; i++)
		if (i < ARRAY_LEN(fixed))
			strlcpy(v.value[i], fixed[i].value, VALUE_MAX);
		else
			snprintf(v.value[i], VALUE_MAX, "%u",
				 ttl_setting_value(&system, i - ARRAY_LEN(fixed)));
	return v;
}

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

/* Add lines to the file of former values, but for those that it has: the first value counts. */
static int save_lines(const struct sysctl *s, const char *lines, struct err *err) {
	AUTO_FREE char *copy = xstrdup(lines);
	struct str all AUTO_STR = STR_INIT;
	size_t before;
	int rc;

	str_add_char(&all, '\n');
	rc = file_read(s->saved_path, FILE_MAX, &all, err);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	before = all.len;
	for (char *rest = copy, *line; (line = strsep(&rest, "\n")) && *line;) {
		int name_len = (int)(strrchr(line, '=') - line);
		AUTO_FREE char *known = xasprintf("\n%.*s=", name_len, line);

		if (!strstr(str_text(&all), known))
			str_addf(&all, "%s\n", line);
	}
	if (all.len > FILE_MAX)
		return err_set(err, ERR_STORE, "%s: too many interfaces", s->saved_path);
	if (all.len == before)
		return 0;
	return file_replace(s->saved_path, str_text(&all) + 1, all.len - 1, err);
}

/* Keep the values that are there now. */
static int save_former(const struct sysctl *s, struct err *err) {
	struct str lines AUTO_STR = STR_INIT;

	for (size_t i = 0; i < N_SETTINGS; i++) {
		AUTO_FREE char *path = setting_path(setting_name(i));
		char value[VALUE_MAX];

		if (read_value(path, value))
			str_addf(&lines, "%s=%s\n", setting_name(i), value);
	}
	return save_lines(s, str_text(&lines), err);
}

#define CONF "net/ipv4/conf/"

/* The row for "net/ipv4/conf/INTERFACE/SETTING", or NULL; names of interfaces have no slash. */
static const struct setting *interface_setting(const char *name) {
	const char *interface = name + strlen(CONF), *slash;

	if (strncmp(name, CONF, strlen(CONF)) != 0)
		return NULL;
	slash = strchr(interface, '/');
	if (!slash || slash == interface || *interface == '.')
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(interface_settings); i++)
		if (strcmp(interface_settings[i].path, slash + 1) == 0)
			return &interface_settings[i];
	return NULL;
}

static bool is_ours(const char *name) {
	if (interface_setting(name))
		return true;
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (strcmp(setting_name(i), name) == 0)
			return true;
	return false;
}

int sysctl_restore(const char *saved_path, struct err *err) {
	struct str text AUTO_STR = STR_INIT;
	int rc = file_read(saved_path, FILE_MAX, &text, err);

	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	for (char *rest = text.data, *line; (line = strsep(&rest, "\n"));) {
		char *value = strrchr(line, '=');
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
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (s->before.value[i][0] != '\0') {
			AUTO_FREE char *path = setting_path(setting_name(i));

			write_value(path, s->before.value[i]);
		}
	s->before = (struct values){ 0 };
}

/* Set what s->next has. */
static int set_all(struct sysctl *s, struct err *err) {
	int rc = save_former(s, err);

	s->before = (struct values){ 0 };
	for (size_t i = 0; i < N_SETTINGS && rc == 0; i++) {
		AUTO_FREE char *path = setting_path(setting_name(i));
		char value[VALUE_MAX];
		int bad;

		if (!read_value(path, value) || strcmp(value, s->next.value[i]) == 0)
			continue;
		bad = write_value(path, s->next.value[i]);
		if (bad)
			rc = err_set(err, ERR_KERNEL, "%s: %s", path, strerror(bad));
		else
			memcpy(s->before.value[i], value, sizeof(value));
	}
	if (rc)
		put_back(s);
	return rc;
}

/* ---- managed interfaces ---- */

/* Append what an interface lacks, as lines NAME=FORMER; a link that is not there lacks nothing. */
static void find_lacking(const char *interface, struct str *out) {
	for (size_t i = 0; i < ARRAY_LEN(interface_settings); i++) {
		const struct setting *wanted = &interface_settings[i];
		AUTO_FREE char *name = xasprintf(CONF "%s/%s", interface, wanted->path);
		AUTO_FREE char *path = setting_path(name);
		char value[VALUE_MAX];

		if (read_value(path, value) && strcmp(value, wanted->value) != 0)
			str_addf(out, "%s=%s\n", name, value);
	}
}

/* Write each setting that lines of NAME=FORMER name: its former value, or that of our table. */
static int write_lines(const char *lines, bool former, struct str *done, struct err *err) {
	AUTO_FREE char *copy = xstrdup(lines);

	for (char *rest = copy, *line; (line = strsep(&rest, "\n")) && *line;) {
		char *value = strrchr(line, '=');
		AUTO_FREE char *path = NULL;
		int bad;

		*value++ = '\0';
		path = setting_path(line);
		bad = write_value(path, former ? value : interface_setting(line)->value);
		if (bad && bad != ENOENT && !former)
			return err_set(err, ERR_KERNEL, "%s: %s", path, strerror(bad));
		if (bad == 0 && done)
			str_addf(done, "%s=%s\n", line, value);
	}
	return 0;
}

static int raise_all(struct sysctl *s, const struct model *model, struct err *err) {
	struct names names = managed_interfaces(model);
	struct str lacking AUTO_STR = STR_INIT;
	int rc = 0;

	for (size_t i = 0; i < names.n; i++)
		find_lacking(names.name[i], &lacking);
	names_done(&names);
	if (lacking.len > 0)
		rc = save_lines(s, str_text(&lacking), err);
	return rc ? rc : write_lines(str_text(&lacking), false, &s->raised, err);
}

static void lower_raised(struct sysctl *s) {
	write_lines(str_text(&s->raised), true, NULL, NULL);
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
	s->next = values_of(commit->model);
	rc = set_all(s, err);
	if (rc)
		return rc;
	s->now = s->next;
	return sysctl_reconcile(s, commit->model, err);
}

static int backend_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct sysctl *s = ctx;

	(void)err;
	s->next = values_of(commit->model);
	s->wanted = memcmp(&s->next, &s->now, sizeof(s->now)) != 0 && manages(commit->model);
	s->model = commit->model;
	return 0;
}

static int backend_apply(void *ctx, struct err *err) {
	struct sysctl *s = ctx;

	if (fault_hit("sysctl.apply"))
		return err_set(err, ERR_KERNEL, "injected fault before settings change");
	s->before = (struct values){ 0 };
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
	if (s->wanted)
		s->now = s->next;
	s->wanted = false;
	s->before = (struct values){ 0 };
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
