/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The C library asks here for users that no file has (`passwd: files gatehouse`). Administrators of
 * the configuration are users as long as the daemon says so: none is kept here, none is listed, and
 * none has a password that could be compared. Their group is a group of the system, so groups are
 * not asked for.
 *
 * The daemon has fewer rights than most who ask: an answer that is not about who was asked for, or
 * has a uid that is no administrator's, is none.
 *
 * This runs in programs of others, in any thread: it writes nothing but the caller's buffer, and
 * answers in a bounded time, at once when the daemon is away. For one that hangs a program waits
 * once, not for each of its questions.
 */
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "cfgdb/aaa/aaa_client.h"
#include "cli/login/paths.h"

#define HANGS_S 10      /* until a daemon that hangs is asked again */

#define EXPORT __attribute__((visibility("default")))

/* Called by name, by the C library alone. */
enum nss_status _nss_gatehouse_getpwnam_r(const char *name, struct passwd *pw, char *buffer,
					  size_t size, int *error);
enum nss_status _nss_gatehouse_getpwuid_r(uid_t uid, struct passwd *pw, char *buffer, size_t size,
					  int *error);

/* Until then, by the clock of the machine, nobody waits for the daemon. */
static _Atomic time_t hangs_until;

static time_t now_s(void) {
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

static bool hangs(time_t now) {
	return now < atomic_load(&hangs_until);
}

/* The type of an answer to what was asked then. */
static int heard(int type, time_t asked) {
	time_t now = now_s();

	if (type == AAA_CLIENT_AWAY && now - asked >= AAA_CLIENT_WAIT_MS / 1000)
		atomic_store(&hangs_until, now + HANGS_S);
	return type;
}

/* Copy a text to the caller's buffer and step behind it. */
static char *keep(char **at, const char *text) {
	char *start = *at;

	*at = stpcpy(start, text) + 1;
	return start;
}

static enum nss_status fill(const struct aaa_account *account, struct passwd *pw, char *buffer,
			    size_t size, int *error) {
	char *at = buffer;

	if (size < strlen(account->name) + sizeof("*") + sizeof("") + sizeof("/") +
			   sizeof(LOGIN_SHELL) + 1) {
		*error = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	}
	pw->pw_name = keep(&at, account->name);
	pw->pw_passwd = keep(&at, "*");
	pw->pw_gecos = keep(&at, "");
	pw->pw_dir = keep(&at, "/");
	pw->pw_shell = keep(&at, LOGIN_SHELL);
	pw->pw_uid = account->uid;
	pw->pw_gid = account->gid;
	return NSS_STATUS_SUCCESS;
}

static bool is_administrator(const struct aaa_account *account) {
	return account->uid >= AAA_UID_MIN && account->uid <= AAA_UID_MAX;
}

static enum nss_status answer(int type, const struct aaa_account *account, struct passwd *pw,
			      char *buffer, size_t size, int *error) {
	if (type == AAA_OK)
		return fill(account, pw, buffer, size, error);
	if (type == AAA_BUSY) {
		*error = EAGAIN;
		return NSS_STATUS_TRYAGAIN;
	}
	*error = ENOENT;
	return type == AAA_CLIENT_AWAY ? NSS_STATUS_UNAVAIL : NSS_STATUS_NOTFOUND;
}

EXPORT enum nss_status _nss_gatehouse_getpwnam_r(const char *name, struct passwd *pw, char *buffer,
						 size_t size, int *error) {
	struct aaa_account account;
	time_t now = now_s();
	int type = AAA_CLIENT_AWAY;

	if (!hangs(now))
		type = heard(aaa_client_name(LOGIN_SOCKET, name, &account), now);
	if (type == AAA_OK && (strcmp(account.name, name) != 0 || !is_administrator(&account)))
		type = AAA_NOT_FOUND;

	return answer(type, &account, pw, buffer, size, error);
}

EXPORT enum nss_status _nss_gatehouse_getpwuid_r(uid_t uid, struct passwd *pw, char *buffer,
						 size_t size, int *error) {
	struct aaa_account account;
	time_t now = now_s();
	int type = AAA_CLIENT_AWAY;

	if (!hangs(now))
		type = heard(aaa_client_uid(LOGIN_SOCKET, uid, &account), now);
	if (type == AAA_OK && (account.uid != uid || !is_administrator(&account)))
		type = AAA_NOT_FOUND;

	return answer(type, &account, pw, buffer, size, error);
}
