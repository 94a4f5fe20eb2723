/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands between a login and the first command: a banner, a new password that is due. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the shell is to know of the session. */
struct greeting {
	uint32_t idle_s;     /* without input until it ends; 0: never */
	bool accepted;       /* a banner, by a key: a return that follows is no line */
};

/*
 * Ask the daemon, at the socket for logins beside that for commands, which session this is, and do
 * at the terminal (standard input and output) what is due; without one nothing can be asked.
 * False when the session is not to go on: why has been said. Users of the system's files have no
 * greeting.
 */
bool greet(const char *control_socket, bool terminal, struct greeting *ret);

/* Tell the daemon that this session ends because nobody has typed, as the last that is done. */
void greet_idle(const char *control_socket);
