/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's end of the control socket, in a process of its own. */
#pragma once

#include <sys/types.h>

/* Shared with the server's process: streams that are open, and pieces of them that were made. */
struct served_tally {
	volatile unsigned long open, pieces;
};

struct served {
	char *dir, *path;            /* of its state, and its socket */
	pid_t process;               /* 0: it does not run */
	struct served_tally *tally;
};

/* A new unit, whose server runs; the caller ends it with served_done(). */
void served_init(struct served *sv);

/* Start the server that was stopped. */
void served_start(struct served *sv);

/* Kill the server. */
void served_stop(struct served *sv);

/* Kill the server and forget the unit. */
void served_done(struct served *sv);
