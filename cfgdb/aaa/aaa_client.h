/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other end of cfgdb/aaa/aaa_wire.h, for what runs inside programs of others: it needs nothing
 * of ours but the codec, keeps nothing between two calls, and waits AAA_CLIENT_WAIT_MS at most for
 * a look-up, AAA_CLIENT_LOGIN_WAIT_MS for all else.
 *
 * Every function asks at the socket at `path` and returns the type of the answer: AAA_OK,
 * AAA_NOT_FOUND, AAA_DENIED or AAA_BUSY; AAA_CLIENT_AWAY when the daemon does not answer. Texts
 * that are longer than their bounds are AAA_DENIED.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/aaa/aaa_wire.h"

#define AAA_CLIENT_AWAY (-1)
#define AAA_CLIENT_WAIT_MS 2000
#define AAA_CLIENT_LOGIN_WAIT_MS 20000

/* Somebody who logs in. Strings may be NULL: "". */
struct aaa_login {
	enum aaa_service service;
	const char *name;
	const char *source;            /* address; "" at the console */
	const char *tty;
};

/* What the SSH server for administrators is to do. */
struct aaa_listen {
	uint16_t port, grace_s;        /* grace_s: for a login */
	uint32_t idle_s;               /* until a connection that nobody uses ends */
	bool banner;                   /* before a login */
	char kex[AAA_WORDS_MAX + 1], ciphers[AAA_WORDS_MAX + 1], macs[AAA_WORDS_MAX + 1];
};

/* What the daemon says of an administrator. */
struct aaa_account {
	char name[AAA_NAME_MAX + 1];
	uint32_t uid, gid;
	uint32_t session;              /* 0: none */
	uint32_t idle_s;               /* without input until the session is to end; 0: never */
	uint8_t flags;                 /* enum aaa_flag */
	char origin[AAA_ORIGIN_MAX + 1]; /* of the session: "ssh(10.0.0.1)", "console" */
	char text[AAA_TEXT_MAX + 1];   /* of a refusal: what may be told, or "" */
};

/* The administrator of that name. */
int aaa_client_name(const char *path, const char *name, struct aaa_account *ret);

/* The administrator with that uid; AAA_NOT_FOUND at once when nobody can have it. */
int aaa_client_uid(const char *path, uint32_t uid, struct aaa_account *ret);

/* Whether this is his password. */
int aaa_client_auth(const char *path, const struct aaa_login *login, const char *password,
		    struct aaa_account *ret);

/* Whether he may log in, being who he says. */
int aaa_client_account(const char *path, const struct aaa_login *login, struct aaa_account *ret);

/* His keys as lines of an authorized_keys file, with their end, into text of size bytes. */
int aaa_client_keys(const char *path, const char *name, char *text, size_t size);

/* Begin a session for this process. */
int aaa_client_begin(const char *path, const struct aaa_login *login, struct aaa_account *ret);

/* Tell of a user of the machine's files, waiting as for a look-up. */
int aaa_client_local(const char *path, const struct aaa_login *login, enum aaa_local what);

/* How the SSH server is to run; *ret is only changed when the answer is AAA_OK. */
int aaa_client_listen(const char *path, struct aaa_listen *ret);

/* End a session. */
int aaa_client_end(const char *path, uint32_t session);

/* The session that this process belongs to. */
int aaa_client_self(const char *path, struct aaa_account *ret);

/* Set a new password; old may be "" where it is not compared. */
int aaa_client_password(const char *path, const char *name, const char *old, const char *new_one,
			struct aaa_account *ret);
