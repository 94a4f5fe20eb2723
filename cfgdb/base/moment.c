/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two clocks, for what has to happen in time. That on the wall goes on while the machine is off and
 * may be set; the other one does not go back, and means something only until the next start, which
 * the id of the boot tells.
 */
#include "cfgdb/base/moment.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

void moment_now(struct moment *ret) {
	struct timespec wall = { 0 }, boot = { 0 };

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	*ret = (struct moment){ wall.tv_sec, boot.tv_sec };
}

void moment_boot_id(char id[MOMENT_BOOT_ID]) {
	FILE *f = fopen(BOOT_ID_FILE, "re");

	if (!f || !fgets(id, MOMENT_BOOT_ID, f))
		id[0] = '\0';
	id[strcspn(id, "\n")] = '\0';
	if (f)
		fclose(f);
}
