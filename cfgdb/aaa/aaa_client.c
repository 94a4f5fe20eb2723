/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection for each question: nothing of ours stays open in a program of others, and a daemon
 * that was restarted meanwhile is no special case. What held a password is wiped.
 *
 * The daemon has few rights and gives none that it has not: an account is of the daemon's own
 * group, or the answer is none.
 */
#include "cfgdb/aaa/aaa_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/buf.h"

static void begin(struct buf *b, enum aaa_type type) {
	/* Room for all of it: growing would leave a password behind. */
	buf_reserve(b, AAA_REQUEST_MAX);
	buf_put_u8(b, AAA_VERSION);
	buf_put_u8(b, (uint8_t)type);
}

/* False when the text is longer than max bytes. */
static bool put(struct buf *b, const char *text, size_t max) {
	const char *s = text ? text : "";

	if (strlen(s) > max)
		return false;
	buf_put_str(b, s);
	return true;
}

static bool put_login(struct buf *b, const struct aaa_login *login) {
	buf_put_u8(b, (uint8_t)login->service);
	return put(b, login->name, AAA_NAME_MAX) && put(b, login->source, AAA_SOURCE_MAX) &&
	       put(b, login->tty, AAA_TTY_MAX);
}

static int64_t now_ms(void) {
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Signals are those of the program that this runs in: they neither end a wait nor prolong it. */
static bool connect_by(int fd, const struct sockaddr_un *addr, int64_t deadline_ms) {
	int rc;

	do {
		rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	} while (rc != 0 && errno == EINTR && now_ms() < deadline_ms);
	return rc == 0;
}

static ssize_t receive_by(int fd, uint8_t *answer, int64_t deadline_ms) {
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	int n;

	do {
		int64_t left_ms = deadline_ms - now_ms();

		n = poll(&ready, 1, left_ms > 0 ? (int)left_ms : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? recv(fd, answer, AAA_ANSWER_MAX, MSG_DONTWAIT) : -1;
}

static int dial(const char *path, unsigned int wait_ms) {
	const struct timeval wait = { wait_ms / 1000, (suseconds_t)(wait_ms % 1000) * 1000 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -1;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
	    connect_by(fd, &addr, now_ms() + wait_ms))
		return fd;
	close(fd);
	return -1;
}

/* The group that the daemon runs with, as the kernel knows it. */
static gid_t group_of(int fd) {
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 ? cred.gid : (gid_t)-1;
}

/* Send the request, which is released, and wait for the answer; *gid is the daemon's group. */
static ssize_t exchange(const char *path, unsigned int wait_ms, struct buf *request,
			uint8_t *answer, gid_t *gid) {
	int64_t deadline_ms = now_ms() + wait_ms;
	int fd = dial(path, wait_ms);
	ssize_t n = -1;

	*gid = fd >= 0 ? group_of(fd) : (gid_t)-1;
	if (fd >= 0 && send(fd, request->data, request->len, MSG_NOSIGNAL) == (ssize_t)request->len)
		n = receive_by(fd, answer, deadline_ms);
	if (fd >= 0)
		close(fd);
	buf_wipe(request);
	return n;
}

/* A text of the answer; r->bad when it is not there or too long. */
static void take(struct buf_reader *r, char *ret, size_t size) {
	char *text = buf_get_str(r, size - 1);

	snprintf(ret, size, "%s", text);
	free(text);
}

static void take_account(struct buf_reader *r, struct aaa_account *ret) {
	take(r, ret->name, sizeof(ret->name));
	ret->uid = buf_get_u32(r);
	ret->gid = buf_get_u32(r);
	ret->session = buf_get_u32(r);
	ret->idle_s = buf_get_u32(r);
	ret->flags = buf_get_u8(r);
	take(r, ret->origin, sizeof(ret->origin));
}

/* The type of an answer of n bytes, and r behind it. */
static int take_type(struct buf_reader *r, const uint8_t *answer, ssize_t n) {
	uint8_t version, type;

	if (n <= 0)
		return AAA_CLIENT_AWAY;
	buf_reader_init(r, answer, (size_t)n);
	version = buf_get_u8(r);
	type = buf_get_u8(r);
	if (r->bad || version != AAA_VERSION || type < AAA_OK || type > AAA_BUSY)
		return AAA_CLIENT_AWAY;
	return type;
}

static int ask(const char *path, unsigned int wait_ms, struct buf *request,
	       struct aaa_account *ret) {
	uint8_t *answer = malloc(AAA_ANSWER_MAX);
	struct aaa_account account = { 0 };
	struct buf_reader r;
	int type = AAA_CLIENT_AWAY;
	gid_t gid;

	if (answer)
		type = take_type(&r, answer, exchange(path, wait_ms, request, answer, &gid));
	else
		buf_wipe(request);
	if (type == AAA_OK)
		take_account(&r, &account);
	else if (type > 0)
		take(&r, account.text, sizeof(account.text));
	if (type > 0 && !buf_reader_end(&r))
		type = AAA_CLIENT_AWAY;
	if (type == AAA_OK && account.gid != gid && account.uid != 0)
		type = AAA_CLIENT_AWAY;
	free(answer);
	if (ret)
		*ret = account;
	return type;
}

static int refuse(struct buf *request, struct aaa_account *ret) {
	buf_wipe(request);
	if (ret)
		memset(ret, 0, sizeof(*ret));
	return AAA_DENIED;
}

int aaa_client_name(const char *path, const char *name, struct aaa_account *ret) {
	struct buf b = BUF_INIT;

	if (strlen(name) > AAA_NAME_MAX) {
		memset(ret, 0, sizeof(*ret));
		return AAA_NOT_FOUND;
	}
	begin(&b, AAA_NAME);
	buf_put_str(&b, name);
	return ask(path, AAA_CLIENT_WAIT_MS, &b, ret);
}

int aaa_client_uid(const char *path, uint32_t uid, struct aaa_account *ret) {
	struct buf b = BUF_INIT;

	if (uid < AAA_UID_MIN || uid > AAA_UID_MAX) {
		memset(ret, 0, sizeof(*ret));
		return AAA_NOT_FOUND;
	}
	begin(&b, AAA_UID);
	buf_put_u32(&b, uid);
	return ask(path, AAA_CLIENT_WAIT_MS, &b, ret);
}

int aaa_client_auth(const char *path, const struct aaa_login *login, const char *password,
		    struct aaa_account *ret) {
	struct buf b = BUF_INIT;

	begin(&b, AAA_AUTH);
	if (!put_login(&b, login) || !put(&b, password, AAA_PASSWORD_MAX))
		return refuse(&b, ret);
	return ask(path, AAA_CLIENT_LOGIN_WAIT_MS, &b, ret);
}

static int ask_login(const char *path, enum aaa_type type, const struct aaa_login *login,
		     struct aaa_account *ret) {
	struct buf b = BUF_INIT;

	begin(&b, type);
	if (!put_login(&b, login))
		return refuse(&b, ret);
	return ask(path, AAA_CLIENT_LOGIN_WAIT_MS, &b, ret);
}

int aaa_client_account(const char *path, const struct aaa_login *login, struct aaa_account *ret) {
	return ask_login(path, AAA_ACCOUNT, login, ret);
}

int aaa_client_begin(const char *path, const struct aaa_login *login, struct aaa_account *ret) {
	return ask_login(path, AAA_BEGIN, login, ret);
}

int aaa_client_local(const char *path, const struct aaa_login *login, enum aaa_local what) {
	struct aaa_account nothing;
	struct buf b = BUF_INIT;

	begin(&b, AAA_LOCAL);
	buf_put_u8(&b, (uint8_t)what);
	if (!put_login(&b, login))
		return refuse(&b, &nothing);
	return ask(path, AAA_CLIENT_WAIT_MS, &b, &nothing);
}

int aaa_client_keys(const char *path, const char *name, char *text, size_t size) {
	uint8_t *answer = malloc(AAA_ANSWER_MAX);
	struct buf b = BUF_INIT;
	struct buf_reader r;
	int type = AAA_CLIENT_AWAY;
	gid_t gid;

	*text = '\0';
	if (strlen(name) > AAA_NAME_MAX || !answer) {
		free(answer);
		return AAA_NOT_FOUND;
	}
	begin(&b, AAA_KEYS);
	buf_put_str(&b, name);
	type = take_type(&r, answer, exchange(path, AAA_CLIENT_LOGIN_WAIT_MS, &b, answer, &gid));
	if (type > 0)
		take(&r, text, size);
	if (type > 0 && !buf_reader_end(&r))
		type = AAA_CLIENT_AWAY;
	if (type != AAA_OK)
		*text = '\0';
	free(answer);
	return type;
}

static void take_listen(struct buf_reader *r, struct aaa_listen *ret) {
	ret->port = buf_get_u16(r);
	ret->grace_s = buf_get_u16(r);
	ret->idle_s = buf_get_u32(r);
	ret->banner = buf_get_u8(r) != 0;
	take(r, ret->kex, sizeof(ret->kex));
	take(r, ret->ciphers, sizeof(ret->ciphers));
	take(r, ret->macs, sizeof(ret->macs));
}

int aaa_client_listen(const char *path, struct aaa_listen *ret) {
	uint8_t *answer = malloc(AAA_ANSWER_MAX);
	struct buf b = BUF_INIT;
	struct aaa_listen listen = { 0 };
	struct buf_reader r;
	int type;
	gid_t gid;

	if (!answer)
		return AAA_CLIENT_AWAY;
	begin(&b, AAA_LISTEN);
	type = take_type(&r, answer, exchange(path, AAA_CLIENT_WAIT_MS, &b, answer, &gid));
	if (type == AAA_OK)
		take_listen(&r, &listen);
	if (type == AAA_OK && !buf_reader_end(&r))
		type = AAA_CLIENT_AWAY;
	if (type == AAA_OK)
		*ret = listen;
	free(answer);
	return type;
}

int aaa_client_end(const char *path, uint32_t session) {
	struct buf b = BUF_INIT;

	begin(&b, AAA_END);
	buf_put_u32(&b, session);
	return ask(path, AAA_CLIENT_LOGIN_WAIT_MS, &b, NULL);
}

int aaa_client_self(const char *path, struct aaa_account *ret) {
	struct buf b = BUF_INIT;

	begin(&b, AAA_SELF);
	return ask(path, AAA_CLIENT_WAIT_MS, &b, ret);
}

int aaa_client_password(const char *path, const char *name, const char *old, const char *new_one,
			struct aaa_account *ret) {
	struct buf b = BUF_INIT;

	begin(&b, AAA_PASSWORD);
	if (!put(&b, name, AAA_NAME_MAX) || !put(&b, old, AAA_PASSWORD_MAX) ||
	    !put(&b, new_one, AAA_PASSWORD_MAX))
		return refuse(&b, ret);
	return ask(path, AAA_CLIENT_LOGIN_WAIT_MS, &b, ret);
}
