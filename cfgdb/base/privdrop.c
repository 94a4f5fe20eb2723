/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Started by root (a lab, an init without user switching) the daemons drop to their own user with
 * libcap-ng; started by systemd with User= and AmbientCapabilities= there is nothing left to drop
 * but what was given beyond need. Either way the same is left: a few capabilities, no way to more,
 * and a memory that neither core files nor other processes of the user show.
 */
#include "cfgdb/base/privdrop.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int privdrop_ids(const char *user, const char *group, uid_t *uid, gid_t *gid, struct err *err) {
	const struct passwd *pw = getpwnam(user);
	const struct group *gr = getgrnam(group);

	if (!pw)
		return err_set(err, ERR_NOT_FOUND,
			       "no user %s: make it with systemd-sysusers, or name one with --user",
			       user);
	if (!gr)
		return err_set(err, ERR_NOT_FOUND,
			       "no group %s: make it with systemd-sysusers, or name one with "
			       "--group",
			       group);
	*uid = pw->pw_uid;
	*gid = gr->gr_gid;
	return 0;
}

/* Nothing is gained from a file that is run, nor told by the memory of this process. */
static int shut(struct err *err) {
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(err, ERR_PERMISSION, "cannot refuse new privileges: %s",
			       strerror(errno));
	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_set(err, ERR_PERMISSION, "cannot refuse core files: %s",
			       strerror(errno));
	return 0;
}

int privdrop(uid_t uid, gid_t gid, const unsigned int caps[], size_t n, struct err *err) {
	capng_select_t all = CAPNG_SELECT_CAPS;
	int rc = 0;

	if (capng_get_caps_process() != 0)
		return err_set(err, ERR_PERMISSION, "cannot read the capabilities of the process");
	for (size_t i = 0; i < n; i++)
		if (!capng_have_capability(CAPNG_PERMITTED, caps[i]))
			return err_set(err, ERR_PERMISSION,
				       "capability %s is missing: start as root",
				       capng_capability_to_name(caps[i]));
	/* The set of what could be gained can be emptied only with this one. */
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		all = CAPNG_SELECT_BOTH;
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < n; i++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, caps[i]);
	if (geteuid() == 0 && uid != 0)
		rc = capng_change_id((int)uid, (int)gid,
				     CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	else
		rc = capng_apply(all);
	if (rc != 0)
		return err_set(err, ERR_PERMISSION, "cannot drop privileges (libcap-ng says %d)",
			       rc);
	return shut(err);
}
