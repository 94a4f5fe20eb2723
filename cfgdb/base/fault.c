/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit crosses a dozen places where a machine can die or a disk can fill. Each is a named
 * point here, so that a test can walk a commit and stop it at every one of them, in the real
 * daemon, with a real kill -9.
 */
#include "cfgdb/base/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAULT_MAX 8

static struct fault {
	char name[32];
	int countdown;
	bool kills;
} faults[FAULT_MAX];
static int n_faults;

static void fault_parse(const char *spec) {
	struct fault *f = &faults[n_faults];
	char how[8] = "";

	if (sscanf(spec, "%31[^:]:%d:%7s", f->name, &f->countdown, how) < 2)
		return;
	f->kills = strcmp(how, "kill") == 0;
	n_faults++;
}

void fault_init(void) {
	const char *env = getenv("GATEHOUSE_FAULT");
	char copy[256];

	n_faults = 0;
	if (!env || strlen(env) >= sizeof(copy))
		return;
	strcpy(copy, env);
	for (char *p = strtok(copy, ","); p && n_faults < FAULT_MAX; p = strtok(NULL, ","))
		fault_parse(p);
}

bool fault_hit(const char *name) {
	for (int i = 0; i < n_faults; i++) {
		struct fault *f = &faults[i];

		if (strcmp(f->name, name) != 0 || --f->countdown != 0)
			continue;
		if (f->kills)
			kill(getpid(), SIGKILL);
		return true;
	}
	return false;
}
