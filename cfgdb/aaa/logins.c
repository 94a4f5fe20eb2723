/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process has the session of its nearest ancestor that has begun one: so all commands of one SSH
 * connection share it, and a process that was left behind by a session that has ended has none. The
 * line of parents is short; it is asked of the kernel when somebody connects, not kept.
 *
 * A session that is ended here stays in the table, over, until its process has ended: there is no
 * right to kill that, only to refuse it everything.
 *
 * The file is written anew with each change: a line that names the start of the machine, then one
 * for each session. It lies where nothing outlives the machine's restart, and a number of a process
 * that another one has got meanwhile is told by the time that it was started.
 */
#include "cfgdb/aaa/logins.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/moment.h"

#define FILE_MAX (LOGINS_MAX * 512)
#define ANCESTORS_MAX 32
#define STAT_MAX 4096

LIST_HEAD(list, login);

struct logins {
	struct event_base *base;
	char *path;              /* NULL: they are kept nowhere */
	void (*gone)(void *arg, const struct login *login, const char *reason);
	void *arg;
	struct list list;        /* the newest first */
	uint32_t last_id;
	unsigned int n;
};

struct logins *logins_new(struct event_base *base, const char *path,
			  void (*gone)(void *arg, const struct login *login, const char *reason),
			  void *arg) {
	struct logins *l = xcalloc(1, sizeof(*l));

	l->base = base;
	l->path = path ? xstrdup(path) : NULL;
	l->gone = gone;
	l->arg = arg;
	LIST_INIT(&l->list);
	return l;
}

static void drop(struct login *login) {
	LIST_REMOVE(login, next);
	login->of->n--;
	if (login->ended)
		event_free(login->ended);
	if (login->fd >= 0)
		close(login->fd);
	free(login);
}

struct logins *logins_free(struct logins *l) {
	struct login *login;

	if (!l)
		return NULL;
	while ((login = LIST_FIRST(&l->list)) != NULL)
		drop(login);
	free(l->path);
	free(l);
	return NULL;
}

/* ---- processes ---- */

/* Numbers in the stat of a process behind its name and state, from its parent's on. */
enum { STAT_PARENT = 0, STAT_START = 18 };

static uint64_t stat_of(pid_t pid, unsigned int place) {
	AUTO_FREE char *path = xasprintf("/proc/%d/stat", (int)pid);
	AUTO_STR struct str text = STR_INIT;
	const char *at;

	if (file_read(path, STAT_MAX, &text, NULL) != 0)
		return 0;
	/* The name of a program may hold anything; the last parenthesis ends it. */
	at = strrchr(str_text(&text), ')');
	for (unsigned int i = 0; at && i < place + 2; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* ---- the file ---- */

/* What is so of a session, as a number in its line. */
enum { FLAG_OVER = 1, FLAG_DUE = 2 };

static void save_one(const struct login *login, struct str *out) {
	int flags = (login->over ? FLAG_OVER : 0) | (login->due ? FLAG_DUE : 0);
	const char *tty = *login->tty && !strpbrk(login->tty, " \n") ? login->tty : "-";

	str_addf(out,
		 "%" PRIu32 " %" PRIu32 " %d %" PRIu64 " %" PRId64 " %" PRId64
		 " %d %d %s %s %s\n",
		 login->id, login->uid, (int)login->pid, login->process_start, login->wall_s,
		 login->boot_s, (int)login->service, flags, login->name,
		 *login->source ? login->source : "-", tty);
}

/* What cannot be kept does not outlive the daemon: those who are logged in then log in again. */
static void save(const struct logins *l) {
	AUTO_STR struct str text = STR_INIT;
	const struct login *login;
	char boot[MOMENT_BOOT_ID];

	if (!l->path)
		return;
	moment_boot_id(boot);
	str_addf(&text, "%s\n", boot);
	LIST_FOREACH(login, &l->list, next)
		save_one(login, &text);
	(void)file_replace(l->path, str_text(&text), text.len, NULL);
}

/* ---- beginning and end ---- */

void logins_end(struct login *login, const char *reason) {
	if (login->over)
		return;
	login->over = true;
	save(login->of);
	login->of->gone(login->of->arg, login, reason);
}

static void on_ended(evutil_socket_t fd, short what, void *arg) {
	struct login *login = arg;
	const struct logins *l = login->of;

	(void)fd;
	(void)what;
	logins_end(login, "exit");
	drop(login);
	save(l);
}

static struct login *with_pid(const struct logins *l, pid_t pid) {
	struct login *login;

	LIST_FOREACH(login, &l->list, next)
		if (login->pid == pid)
			return login;
	return NULL;
}

/* Have the end of its process watched; false when that cannot be. */
static bool watch(struct login *login) {
	login->fd = (int)syscall(SYS_pidfd_open, login->pid, 0);
	if (login->fd < 0)
		return false;
	if (!login->of->base)
		return true;
	login->ended = event_new(login->of->base, login->fd, EV_READ, on_ended, login);
	return login->ended && event_add(login->ended, NULL) == 0;
}

static void name_origin(struct login *login) {
	if (login->service == AAA_CONSOLE)
		snprintf(login->origin, sizeof(login->origin), "console");
	else
		snprintf(login->origin, sizeof(login->origin), "ssh(%s)", login->source);
}

static struct login *insert(struct logins *l, const struct login *like, struct err *err) {
	struct login *login = xcalloc(1, sizeof(*login));

	*login = *like;
	login->of = l;
	login->ended = NULL;
	name_origin(login);
	LIST_INSERT_HEAD(&l->list, login, next);
	l->n++;
	if (watch(login))
		return login;
	err_set(err, ERR_NOT_FOUND, "the process of the session: %s", strerror(errno));
	drop(login);
	return NULL;
}

struct login *logins_begin(struct logins *l, const struct login *like, struct err *err) {
	struct login copy = *like, *login;

	if (l->n >= LOGINS_MAX || with_pid(l, like->pid)) {
		err_set(err, ERR_MAX_ENTRIES, "too many sessions, or a second one of a process");
		return NULL;
	}
	copy.id = ++l->last_id;
	copy.over = false;
	copy.process_start = stat_of(like->pid, STAT_START);
	login = insert(l, &copy, err);
	if (login)
		save(l);
	return login;
}

static bool parse(char *line, struct login *ret) {
	int pid, service, flags;

	*ret = (struct login){ .id = 0 };
	if (sscanf(line, "%" SCNu32 " %" SCNu32 " %d %" SCNu64 " %" SCNd64 " %" SCNd64
			 " %d %d %63s %63s %32s",
		   &ret->id, &ret->uid, &pid, &ret->process_start, &ret->wall_s, &ret->boot_s,
		   &service, &flags, ret->name, ret->source, ret->tty) != 11)
		return false;
	ret->pid = pid;
	ret->service = service == AAA_CONSOLE ? AAA_CONSOLE : AAA_SSH;
	ret->over = flags & FLAG_OVER;
	ret->due = flags & FLAG_DUE;
	if (strcmp(ret->source, "-") == 0)
		ret->source[0] = '\0';
	if (strcmp(ret->tty, "-") == 0)
		ret->tty[0] = '\0';
	return true;
}

/* Its process may be gone, and its number another's. */
static void take_up(struct logins *l, struct login *like) {
	bool there = stat_of(like->pid, STAT_START) == like->process_start && like->process_start;

	if (like->id > l->last_id)
		l->last_id = like->id;
	if (there && l->n < LOGINS_MAX && !with_pid(l, like->pid) && insert(l, like, NULL))
		return;
	name_origin(like);
	if (!like->over)
		l->gone(l->arg, like, "exit");
}

void logins_load(struct logins *l) {
	AUTO_STR struct str text = STR_INIT;
	char boot[MOMENT_BOOT_ID], *rest, *line;

	if (!l->path || file_read(l->path, FILE_MAX, &text, NULL) != 0)
		return;
	moment_boot_id(boot);
	rest = text.data;
	line = strsep(&rest, "\n");
	if (!line || strcmp(line, boot) != 0)
		return;
	while (rest && *rest) {
		struct login like;

		line = strsep(&rest, "\n");
		if (parse(line, &like))
			take_up(l, &like);
	}
	save(l);
}

/* ---- finding ---- */

struct login *logins_of(const struct logins *l, pid_t pid, uid_t uid) {
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		struct login *login = with_pid(l, pid);

		if (login)
			return login->uid == uid ? login : NULL;
		pid = (pid_t)stat_of(pid, STAT_PARENT);
	}
	return NULL;
}

struct login *logins_find(const struct logins *l, uint32_t id) {
	struct login *login;

	LIST_FOREACH(login, &l->list, next)
		if (login->id == id && !login->over)
			return login;
	return NULL;
}

void logins_each(const struct logins *l, void (*visit)(void *arg, struct login *login), void *arg) {
	struct login *order[LOGINS_MAX], *login;
	size_t n = 0;

	LIST_FOREACH(login, &l->list, next)
		if (!login->over)
			order[n++] = login;
	while (n > 0)
		visit(arg, order[--n]);
}

unsigned int logins_count(const struct logins *l, uid_t uid) {
	const struct login *login;
	unsigned int n = 0;

	LIST_FOREACH(login, &l->list, next)
		n += !login->over && (uid == 0 || login->uid == uid);
	return n;
}
