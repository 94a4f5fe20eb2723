/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may log in, and as what: names and uids of administrators, their passwords and keys, from
 * where and how many of them, and who is logged in.
 */
#pragma once

#include "cfgdb/aaa/aaa_client.h"
#include "cfgdb/aaa/lockout.h"
#include "cfgdb/aaa/logins.h"
#include "cfgdb/base/moment.h"
#include "cfgdb/engine.h"

struct aaa;
struct aaa_try;

enum aaa_event_kind {
	AAA_EVENT_LOGIN,
	AAA_EVENT_REFUSED,
	AAA_EVENT_LOCKED,        /* an address is locked out */
	AAA_EVENT_LOGOUT,
	AAA_EVENT_KEPT,          /* a password was not changed */
	AAA_EVENT_STRANGER,      /* a process asked for what is not its business */
};

/* Something about a login, for those who write it down. */
struct aaa_event {
	enum aaa_event_kind kind;
	const char *user, *profile; /* the profile "" when there is no such user */
	enum aaa_service service;
	const char *source;         /* "" at the console */
	const char *reason;         /* in a word: "passwd_invalid", "exit" */
	int64_t duration_s;         /* of a lock, or of the session that ended */
	unsigned int failures;      /* that led to a lock */
	const char *origin;         /* of the last two, for service and source: "console" */
	bool local;                 /* a user of the machine's files, no administrator */
};

struct aaa_config {
	struct event_base *base;
	struct engine *engine;
	moment_fn *clock;
	gid_t gid;                  /* of administrators */
	const char *sessions;       /* file that keeps sessions while the daemon is away, or NULL */
	/* Takes what happens; may be NULL. */
	void (*tell)(void *arg, const struct aaa_event *event);
	/* A session has ended: what it has open is to be closed, and told why. May be NULL. */
	void (*over)(void *arg, uint32_t session, const char *why);
	/* Whether a schedule runs; NULL: all do. */
	bool (*runs)(void *arg, const char *schedule, time_t now);
	void *arg;
};

/*
 * Open; config is copied, the name of the file, too. NULL and *err when that fails. The caller
 * closes it before the engine.
 */
struct aaa *aaa_open(const struct aaa_config *config, struct err *err);

/* Close; who waits for an answer gets none. NULL is fine. Returns NULL. */
struct aaa *aaa_close(struct aaa *a);

/* Follow the configuration, after each commit: who is gone or disabled is logged out. */
int aaa_follow(struct aaa *a, struct err *err);

/*
 * The functions below return AAA_OK, AAA_NOT_FOUND, AAA_DENIED or AAA_BUSY, and fill *ret as
 * cfgdb/aaa/aaa_wire.h says.
 */
int aaa_name(const struct aaa *a, const char *name, struct aaa_account *ret);
int aaa_uid(const struct aaa *a, uint32_t uid, struct aaa_account *ret);

/* Takes the answer of aaa_auth() and aaa_password(). */
typedef void aaa_done_fn(void *arg, int type, const struct aaa_account *ret);

/*
 * Judge a password; done(arg) is called later, once, unless aaa_forget() came before. NULL when too
 * many wait: done is not called.
 */
struct aaa_try *aaa_auth(struct aaa *a, const struct aaa_login *login, const char *password,
			 aaa_done_fn *done, void *arg);

/* A new password. */
struct aaa_change {
	const char *name, *old, *new_one;
	bool free;                  /* the old one need not be known */
	const char *origin;         /* of who asks, for the revision */
};

/* Set a password; as aaa_auth(). */
struct aaa_try *aaa_password(struct aaa *a, const struct aaa_change *change, aaa_done_fn *done,
			     void *arg);

/* Nobody waits for it any more; what it has to remember it will. NULL is fine. */
void aaa_forget(struct aaa_try *t);

/* Judge all but the password. */
int aaa_account(struct aaa *a, const struct aaa_login *login, struct aaa_account *ret);

/* Append the keys of an administrator, who can log in, as lines of an authorized_keys file. */
int aaa_keys(const struct aaa *a, const char *name, struct str *out);

/* Fill in how the SSH server is to run. */
void aaa_listen(const struct aaa *a, struct aaa_listen *ret);

/* Begin a session of this process, judged as by aaa_account(). */
int aaa_begin(struct aaa *a, const struct aaa_login *login, pid_t pid, struct aaa_account *ret);

/* End one. */
int aaa_end(struct aaa *a, uint32_t session, const char *reason);

/* The session that a process of an administrator belongs to. */
int aaa_self(const struct aaa *a, pid_t pid, uid_t uid, struct aaa_account *ret);

/* Whether a new password has to be set in this session before anything else; a NULL: in none. */
bool aaa_is_due(const struct aaa *a, uint32_t session);

/*
 * Why the administrator of this session could not log in again from where he did, in a word; NULL:
 * he could, or there is no such session.
 */
const char *aaa_objection(const struct aaa *a, uint32_t session);

/* Addresses that are locked out: visit them. */
void aaa_each_lock(const struct aaa *a,
		   void (*visit)(void *arg, const struct lockout_entry *entry), void *arg);

/* End the lock of an address, or of all (NULL); returns how many there were. */
unsigned int aaa_unlock(struct aaa *a, const struct trust_source *source);

/* Who is logged in. */
const struct logins *aaa_logins(const struct aaa *a);

/* Tell that a process of this uid has asked for what it may not ask for. */
void aaa_stranger(const struct aaa *a, uid_t uid);

/* Tell what has become of a login of a user of the machine's files. */
void aaa_local(const struct aaa *a, const struct aaa_login *login, enum aaa_local what);

/* Whether a uid is in the range of administrators: the system is never asked for its name. */
static inline bool aaa_is_uid(uint32_t uid) {
	return uid >= AAA_UID_MIN && uid <= AAA_UID_MAX;
}

/* Passwords compared since the start. */
uint64_t aaa_hashes(const struct aaa *a);
