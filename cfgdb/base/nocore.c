/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two locks for one door. The limit keeps the kernel from writing a core file, but not from giving
 * one to a program that core_pattern names; being not dumpable stops that, too, and closes
 * /proc/PID/mem and ptrace(2) to processes of the same user.
 */
#include "cfgdb/base/nocore.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int nocore(struct err *err) {
	const struct rlimit none = { 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		return err_set(err, ERR_PERMISSION, "core files cannot be turned off: %s",
			       strerror(errno));
	return 0;
}
