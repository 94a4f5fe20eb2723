/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packet capture. */
#pragma once

#include <stdbool.h>

#include "backends/sniffer_text.h"
#include "cfgdb/base/err.h"

#define SNIFFERS_MAX 4       /* at the same time */
#define SNIFFER_SNAPLEN 9216 /* bytes of a packet that are seen */

struct sniffer;

/*
 * Begin to capture on an interface of the current network namespace, or on all ("any"), what a
 * filter (pcap-filter(7)) lets through; NULL: all. NULL and *err when that fails, or when too many
 * capture already. The caller closes it.
 */
struct sniffer *sniffer_open(const char *interface, const char *filter, struct err *err);

/* End; NULL is fine. Returns NULL. */
struct sniffer *sniffer_close(struct sniffer *s);

/* Readable when there are packets. */
int sniffer_fd(const struct sniffer *s);

/*
 * Hand on up to `most` packets that are there, without waiting; each() returns false when it wants
 * no more. 0, or ERR_KERNEL and *err when capturing is over, as when the interface went.
 */
int sniffer_read(struct sniffer *s, unsigned int most,
		 bool (*each)(void *arg, const struct sniffer_packet *p), void *arg,
		 struct err *err);

/* How many packets the filter has let through, and how many of those there was no room for. */
void sniffer_stats(struct sniffer *s, unsigned int *received, unsigned int *dropped);
