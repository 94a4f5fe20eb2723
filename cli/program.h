/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of the system, run as the administrator with arguments of our choice. */
#pragma once

#include <stdbool.h>

#include "cfgdb/base/err.h"
#include "cli/shell.h"

#define PROGRAM_LINE_MAX 1024    /* bytes of a line that are read at once */
#define PROGRAM_HOST_MAX 255

/*
 * Run argv[0], looked for in PATH, with nothing to read; each() takes the lines that it prints on
 * either output, without newline. Returns its exit status in *status, or 128 when a signal ended
 * it. ERR_FILE when it is not installed or cannot be run.
 */
int program_run(struct shell *sh, const char *const argv[],
		void (*each)(void *arg, const char *line), void *arg, int *status,
		struct err *err);

/*
 * The same with a terminal to print on, where there is one to be had: each() takes a line as soon
 * as it is printed.
 */
int program_follow(struct shell *sh, const char *const argv[],
		   void (*each)(void *arg, const char *line), void *arg, int *status,
		   struct err *err);

/*
 * What the machine whose files are below root ("" for this one) lacks to let a user who is not root
 * ask systemd for something: words for an error, or NULL.
 */
const char *program_lacks(const char *root, bool is_root);

/* Fill *err: the system refused something, in its words, and what it lacks; returns its code. */
int program_denied(const char *what, const char *how, const char *said, struct err *err);

/* True for what can be the name or address of a host, and no option of a program. */
bool program_host_is_sane(const char *host);
