/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is logged in: sessions of administrators, each of a process and all that descends from it.
 * The kernel says when that process has ended, and with it the session. They are kept in a file, so
 * that they outlive the daemon.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "cfgdb/aaa/aaa_wire.h"
#include "cfgdb/base/err.h"

#define LOGINS_MAX 512
#define LOGINS_ORIGIN_MAX (AAA_ORIGIN_MAX + 1)

struct event;
struct event_base;
struct logins;

struct login {
	uint32_t id;
	uint32_t uid;
	pid_t pid;
	uint64_t process_start;          /* of pid, as the kernel counts; a number may come again */
	char name[AAA_NAME_MAX + 1];
	enum aaa_service service;
	char source[AAA_SOURCE_MAX + 1]; /* "": the console */
	char tty[AAA_TTY_MAX + 1];
	char origin[LOGINS_ORIGIN_MAX];  /* "ssh(10.0.0.1)", "console" */
	int64_t wall_s, boot_s;          /* when it began */
	bool over;                       /* ended by us: its processes have no rights any more */
	bool due;                        /* began with a password that had to be changed */
	struct logins *of;
	int fd;                          /* readable when the process has ended */
	struct event *ended;
	LIST_ENTRY(login) next;
};

/*
 * New table. gone() is called for each session that ends, by itself or by logins_end(), with a
 * reason in a word: "exit" or that given there. base NULL: nobody watches processes. path NULL:
 * they are kept nowhere. The caller frees it.
 */
struct logins *logins_new(struct event_base *base, const char *path,
			  void (*gone)(void *arg, const struct login *login, const char *reason),
			  void *arg);

/*
 * Take up the sessions in the file whose processes are still there; gone() is told of the others.
 * What is not as it was written is no session.
 */
void logins_load(struct logins *l);

/* Free, telling nobody; NULL is fine. Returns NULL. */
struct logins *logins_free(struct logins *l);

/*
 * Begin a session like this one (id, process_start, origin, of, fd and ended are filled in) for its
 * process. NULL and *err when there is no such process, it has one already, or there are too many.
 */
struct login *logins_begin(struct logins *l, const struct login *like, struct err *err);

/* End it: its processes stay known, as having none, until they have ended. */
void logins_end(struct login *login, const char *reason);

/* The session that a process of this user belongs to, or NULL; one that is over, too. */
struct login *logins_of(const struct logins *l, pid_t pid, uid_t uid);

/* The session with this id, unless it is over, or NULL. */
struct login *logins_find(const struct logins *l, uint32_t id);

/* Visit those that are not over, the oldest first; visit may end the one it is given. */
void logins_each(const struct logins *l, void (*visit)(void *arg, struct login *login), void *arg);

/* How many are not over: of this uid, or of all (0). */
unsigned int logins_count(const struct logins *l, uid_t uid);
