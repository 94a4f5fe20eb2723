/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion for another shell, which completes the command line of this program. */
#pragma once

#include "cfgdb/control/client.h"
#include "cli/lines.h"

/*
 * Append what text can become after the commands of lines: its part before the word that is
 * completed, and below that the words, one a line, quoted as they would be typed, with a blank
 * where they are whole. Nothing when there are none. The commands change nothing, and those that
 * are not about configuration are left out.
 */
void offer_print(struct client *client, struct lines *lines, const char *text, struct str *out);
