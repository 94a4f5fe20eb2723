/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets as `diagnose sniffer packet` prints them. */
#pragma once

#include <stdint.h>
#include <time.h>

#include "cfgdb/base/str.h"

#define SNIFFER_ETHER 14   /* bytes in an Ethernet header */

enum sniffer_way { SNIFFER_IN, SNIFFER_OUT, SNIFFER_UNKNOWN };

struct sniffer_packet {
	struct timespec when;      /* since 1970 */
	const char *interface;
	enum sniffer_way way;
	const uint8_t *frame;      /* from the Ethernet header on, len bytes of it */
	size_t len;
};

enum sniffer_clock { SNIFFER_SINCE_START, SNIFFER_UTC, SNIFFER_LOCAL };

#define SNIFFER_LEVEL_MAX 6

/* How packets are printed. */
struct sniffer_form {
	unsigned int level;        /* 1 to SNIFFER_LEVEL_MAX, as FortiOS numbers them */
	enum sniffer_clock clock;
	struct timespec start;     /* since 1970 */
};

/* Append a packet: a line, and from level 2 on, but for 4, its bytes below. */
void sniffer_text(const struct sniffer_packet *p, const struct sniffer_form *form, struct str *out);
