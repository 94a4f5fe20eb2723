/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging in, as programs that use PAM do it. The daemon judges; this brings it the name, the
 * password and the address, and turns its answers into those of PAM.
 *
 * A user of the system's files is none of ours, whatever his name: PAM_USER_UNKNOWN, and the next
 * module goes on. So a local account stays possible while the daemon is away. A name that nobody
 * has is asked for all the same, so that it costs what a known one costs.
 *
 * Only the word `console` in the PAM configuration makes a login one of the console, where networks
 * and locks do not apply: an empty address never does. With that word it stands in the stack of
 * every program, so it is for login(1) alone, started by root with nobody at the other end of a
 * network; of all others it looks at nothing. A new password that is due is asked for by the shell,
 * after a key as after a password.
 *
 * With the word `local` it stands behind the module that judges users of the files, and tells the
 * daemon what has become of them: in the stack of authentication that they were refused, which it
 * does as well, in that of sessions their begin and end.
 */
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_modules.h>
#include <security/pam_ext.h>

#include "cfgdb/aaa/aaa_client.h"
#include "cli/login/paths.h"

#define EXPORT __attribute__((visibility("default")))
#define PASSWD_BUFFER 4096
#define SESSION_DATA "gatehouse_session"
#define CONSOLE_SERVICE "login"

/* Somebody who logs in, as PAM has him. */
struct who {
	struct aaa_login login;
	bool known;            /* to the system, now */
	uid_t uid;
};

static bool has_word(int argc, const char **argv, const char *word) {
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

static const char *item(pam_handle_t *pam, int type) {
	const void *value = NULL;

	return pam_get_item(pam, type, &value) == PAM_SUCCESS && value ? value : "";
}

static bool is_ours(uid_t uid) {
	return uid >= AAA_UID_MIN && uid <= AAA_UID_MAX;
}

static bool is_at_console(pam_handle_t *pam) {
	return getuid() == 0 && strcmp(item(pam, PAM_SERVICE), CONSOLE_SERVICE) == 0 &&
	       !*item(pam, PAM_RHOST);
}

/*
 * PAM_SUCCESS, PAM_USER_UNKNOWN for a user of the files, PAM_IGNORE where this is no login of ours,
 * or another error.
 */
static int find_who(pam_handle_t *pam, int argc, const char **argv, struct who *ret) {
	char buffer[PASSWD_BUFFER];
	struct passwd pw, *found = NULL;
	const char *name = NULL, *tty = item(pam, PAM_TTY);
	bool console = has_word(argc, argv, "console");
	int rc;

	if (console && !is_at_console(pam))
		return PAM_IGNORE;
	rc = pam_get_user(pam, &name, NULL);
	if (rc != PAM_SUCCESS || !name)
		return PAM_SERVICE_ERR;
	if (strncmp(tty, "/dev/", 5) == 0)
		tty += 5;
	*ret = (struct who){ .login = { .name = name, .tty = tty, .source = "" } };
	ret->login.service = console ? AAA_CONSOLE : AAA_SSH;
	if (ret->login.service == AAA_SSH)
		ret->login.source = item(pam, PAM_RHOST);
	(void)getpwnam_r(name, &pw, buffer, sizeof(buffer), &found);
	ret->known = found != NULL;
	ret->uid = found ? found->pw_uid : 0;
	return found && !is_ours(ret->uid) ? PAM_USER_UNKNOWN : PAM_SUCCESS;
}

/* The daemon's yes is for the account that is about to be used, or for none. */
static int answer(pam_handle_t *pam, const struct who *who, int type,
		  const struct aaa_account *account, int denied) {
	if (type == AAA_OK && who->known && who->uid == account->uid)
		return PAM_SUCCESS;
	if (type == AAA_CLIENT_AWAY) {
		pam_syslog(pam, LOG_ERR, "gatehoused does not answer");
		return PAM_AUTHINFO_UNAVAIL;
	}
	if (*account->text)
		pam_error(pam, "%s", account->text);
	return denied;
}

/* ---- users of the files ---- */

static void tell_local(pam_handle_t *pam, enum aaa_local what) {
	const char *name = item(pam, PAM_USER), *tty = item(pam, PAM_TTY);
	const struct aaa_login login = { AAA_SSH, name, item(pam, PAM_RHOST), tty };

	if (aaa_client_local(LOGIN_SOCKET, &login, what) == AAA_CLIENT_AWAY)
		pam_syslog(pam, LOG_WARNING, "gatehoused does not answer: the event is lost");
}

/* ---- what PAM calls ---- */

EXPORT int pam_sm_authenticate(pam_handle_t *pam, int flags, int argc, const char **argv) {
	struct aaa_account account = { .uid = 0 };
	const char *password = NULL;
	struct who who;
	int rc, type;

	(void)flags;
	if (has_word(argc, argv, "local")) {
		tell_local(pam, AAA_LOCAL_REFUSED);
		return PAM_AUTH_ERR;
	}
	rc = find_who(pam, argc, argv, &who);
	if (rc != PAM_SUCCESS)
		return rc;
	rc = pam_get_authtok(pam, PAM_AUTHTOK, &password, NULL);
	if (rc != PAM_SUCCESS || !password)
		return PAM_AUTH_ERR;
	type = aaa_client_auth(LOGIN_SOCKET, &who.login, password, &account);
	return answer(pam, &who, type, &account, PAM_AUTH_ERR);
}

EXPORT int pam_sm_setcred(pam_handle_t *pam, int flags, int argc, const char **argv) {
	struct who who;

	(void)flags;
	return find_who(pam, argc, argv, &who);
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *pam, int flags, int argc, const char **argv) {
	struct aaa_account account = { .uid = 0 };
	struct who who;
	int rc = find_who(pam, argc, argv, &who), type;

	(void)flags;
	if (rc != PAM_SUCCESS)
		return rc;
	type = aaa_client_account(LOGIN_SOCKET, &who.login, &account);
	return answer(pam, &who, type, &account, PAM_PERM_DENIED);
}

EXPORT int pam_sm_open_session(pam_handle_t *pam, int flags, int argc, const char **argv) {
	struct aaa_account account = { .uid = 0 };
	struct who who;
	int rc, type;

	(void)flags;
	if (has_word(argc, argv, "local")) {
		tell_local(pam, AAA_LOCAL_LOGIN);
		return PAM_SUCCESS;
	}
	rc = find_who(pam, argc, argv, &who);
	if (rc != PAM_SUCCESS)
		return rc;
	type = aaa_client_begin(LOGIN_SOCKET, &who.login, &account);
	rc = answer(pam, &who, type, &account, PAM_SESSION_ERR);
	if (rc == PAM_SUCCESS)
		rc = pam_set_data(pam, SESSION_DATA, (void *)(uintptr_t)account.session, NULL);
	else if (type == AAA_OK)
		(void)aaa_client_end(LOGIN_SOCKET, account.session);
	return rc;
}

/* The daemon sees the process end, too: what it cannot be told is over all the same. */
EXPORT int pam_sm_close_session(pam_handle_t *pam, int flags, int argc, const char **argv) {
	const void *session = NULL;

	(void)flags;
	if (has_word(argc, argv, "local")) {
		tell_local(pam, AAA_LOCAL_LOGOUT);
		return PAM_SUCCESS;
	}
	if (pam_get_data(pam, SESSION_DATA, &session) != PAM_SUCCESS || !session)
		return PAM_USER_UNKNOWN;
	(void)aaa_client_end(LOGIN_SOCKET, (uint32_t)(uintptr_t)session);
	return PAM_SUCCESS;
}
