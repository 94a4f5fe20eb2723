/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines to syslog: datagrams to the syslog daemon of this machine, or to a server. Nothing here
 * waits: what cannot be taken at once is dropped and counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/logs/logtext.h"

#define LOGSEND_LOCAL "/dev/log"

struct logsend;

/* Where lines go; strings are copied. */
struct logsend_target {
	const char *server;      /* IPv4 or IPv6 address; "": the local syslog daemon */
	uint16_t port;           /* of the server */
	unsigned int facility;   /* RFC 5424 */
	const char *name, *serial; /* of this unit: a server is told with each line */
};

/* Nothing is sent yet; local is the path of the local daemon's socket. The caller frees it. */
struct logsend *logsend_new(const char *local);

/* Free; NULL is fine. Returns NULL. */
struct logsend *logsend_free(struct logsend *s);

/* Send there from now on; NULL, or a server that is no address: nowhere. */
void logsend_to(struct logsend *s, const struct logsend_target *target);

/* Whether lines can be sent to a server: names are not looked up. */
bool logsend_is_address(const char *server);

/* Send a line of the log (of len bytes). */
void logsend_line(struct logsend *s, enum logtext_level level, const char *line, size_t len);

/* Lines dropped since the last call. */
uint64_t logsend_lost(struct logsend *s);
