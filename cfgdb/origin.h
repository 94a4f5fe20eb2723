/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the user of a process has come from, as the system knows it: what the process itself says
 * (SSH_CONNECTION) is a claim.
 */
#pragma once

#include <sys/types.h>

#define ORIGIN_MAX 48 /* bytes, with the end: of any address; a longer name is none */

/*
 * The host from which the login session of a process was opened, "" when it was opened here, or
 * nobody knows. root is the directory in which /proc and /run are looked for: "" but in tests.
 */
void origin_of(const char *root, pid_t pid, char ret[ORIGIN_MAX]);
