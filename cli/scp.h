/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The far end of `scp -O`: the configuration as a file to fetch. */
#pragma once

#include <stdbool.h>

#include "cfgdb/control/client.h"

/* Whether this is what a client of scp has started here, rather than a command. */
bool scp_is_request(const char *command);

/* Serve it on standard input and output. True when the file was taken. */
bool scp_serve(struct client *client, const char *command);
