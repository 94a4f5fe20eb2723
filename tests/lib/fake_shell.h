/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A shell on the client without a daemon, whose output is kept: for tests of cli/. */
#pragma once

#include "cli/out.h"
#include "cli/shell.h"
#include "tests/lib/fake_client.h"

struct fake_shell {
	struct client *client;
	struct out out;
	struct shell sh;
};

/* A shell at the root with an empty configuration. */
void fake_shell_init(struct fake_shell *f, enum shell_commit commit);

/* The same with interfaces port1 and port2, addresses all and web, a schedule and a service. */
void fake_shell_init_objects(struct fake_shell *f, enum shell_commit commit);

/* Release everything. */
void fake_shell_done(struct fake_shell *f);

/* Carry out lines, one command each; returns what was printed, valid until the next call. */
const char *fake_shell_run(struct fake_shell *f, const char *lines);

/* The prompt as it is now; the caller frees. */
char *fake_shell_prompt(struct fake_shell *f);
