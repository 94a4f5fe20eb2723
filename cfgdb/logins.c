/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process has the session of its nearest ancestor that has begun one: so all commands of one SSH
 * connection share it, and a process that was left behind by a session that has ended has none. The
 * line of parents is short; it is asked of the kernel when somebody connects, not kept.
 *
 * A session that is ended here stays in the table, over, until its process has ended: there is no
 * right to kill that, only to refuse it everything.
 */
#include "cfgdb/logins.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"

#define ANCESTORS_MAX 32
#define STAT_MAX 4096

LIST_HEAD(list, login);

struct logins {
	struct event_base *base;
	void (*gone)(void *arg, const struct login *login, const char *reason);
	void *arg;
	struct list list;        /* the newest first */
	uint32_t last_id;
	unsigned int n;
};

struct logins *logins_new(struct event_base *base,
			  void (*gone)(void *arg, const struct login *login, const char *reason),
			  void *arg) {
	struct logins *l = xcalloc(1, sizeof(*l));

	l->base = base;
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
	free(l);
	return NULL;
}

/* ---- beginning and end ---- */

void logins_end(struct login *login, const char *reason) {
	if (login->over)
		return;
	login->over = true;
	login->of->gone(login->of->arg, login, reason);
}

static void on_ended(evutil_socket_t fd, short what, void *arg) {
	struct login *login = arg;

	(void)fd;
	(void)what;
	logins_end(login, "exit");
	drop(login);
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

struct login *logins_begin(struct logins *l, const struct login *like, struct err *err) {
	struct login *login;

	if (l->n >= LOGINS_MAX || with_pid(l, like->pid)) {
		err_set(err, ERR_MAX_ENTRIES, "too many sessions, or a second one of a process");
		return NULL;
	}
	login = xcalloc(1, sizeof(*login));
	*login = *like;
	login->id = ++l->last_id;
	login->of = l;
	login->over = false;
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

/* ---- finding ---- */

/* The parent of a process; 0 when it has none, or is not there. */
static pid_t parent_of(pid_t pid) {
	AUTO_FREE char *path = xasprintf("/proc/%d/stat", (int)pid);
	AUTO_STR struct str text = STR_INIT;
	const char *name_end;
	int parent = 0;

	if (file_read(path, STAT_MAX, &text, NULL) != 0)
		return 0;
	/* The name of a program may hold anything; the last parenthesis ends it. */
	name_end = strrchr(str_text(&text), ')');
	if (!name_end || sscanf(name_end, ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

struct login *logins_of(const struct logins *l, pid_t pid, uid_t uid) {
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		struct login *login = with_pid(l, pid);

		if (login)
			return login->uid == uid ? login : NULL;
		pid = parent_of(pid);
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
