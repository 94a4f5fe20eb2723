/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel knows in which control group a process is, and systemd makes one for each login
 * session and writes down the host that the login came from. Users can make groups, too, but only
 * below others of their own: the whole path counts.
 */
#include "cfgdb/origin.h"

#include <stdio.h>
#include <string.h>

#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"

#define FILE_MAX    16384
#define SESSION_MAX 32

static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char of_hosts[] =
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:%_-";

/* Copy a word of these characters, and only whole. */
static void take_word(const char *text, const char *chars, char *ret, size_t size) {
	size_t len = strspn(text, chars);

	if (len < size)
		snprintf(ret, size, "%.*s", (int)len, text);
}

static void session_of(const char *root, pid_t pid, char ret[SESSION_MAX]) {
	AUTO_FREE char *path = xasprintf("%s/proc/%d/cgroup", root, (int)pid);
	AUTO_STR struct str text = STR_INIT;
	const char *group;
	unsigned int uid;
	int len = 0;

	*ret = '\0';
	if (file_read(path, FILE_MAX, &text, NULL) != 0)
		return;
	group = strstr(str_text(&text), "0::/user.slice/");
	if (group && sscanf(group, "0::/user.slice/user-%u.slice/session-%n", &uid, &len) == 1 &&
	    len > 0)
		take_word(group + len, letters, ret, SESSION_MAX);
}

void origin_of(const char *root, pid_t pid, char ret[ORIGIN_MAX]) {
	AUTO_STR struct str text = STR_INIT;
	AUTO_FREE char *path = NULL;
	char session[SESSION_MAX];
	const char *host;

	*ret = '\0';
	session_of(root, pid, session);
	path = xasprintf("%s/run/systemd/sessions/%s", root, session);
	if (!*session || file_read(path, FILE_MAX, &text, NULL) != 0)
		return;
	host = strstr(str_text(&text), "\nREMOTE_HOST=");
	if (host)
		take_word(host + strlen("\nREMOTE_HOST="), of_hosts, ret, ORIGIN_MAX);
}
