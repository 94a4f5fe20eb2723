/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices when another program changes our table in the kernel. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"

struct nft_watch;

/* A program that changed our table; name is "" and pid 0 when the kernel did not tell. */
struct nft_intruder {
	char name[32];
	uint32_t pid;
};

/*
 * Listen in the current network namespace to changes by all sockets but the one with this port;
 * the caller closes it. NULL and *err when that fails.
 */
struct nft_watch *nft_watch_open(uint32_t own_port, struct err *err);

/* Close; NULL is fine. Returns NULL. */
struct nft_watch *nft_watch_close(struct nft_watch *w);

/* Readable when nft_watch_read has something to read. */
int nft_watch_fd(const struct nft_watch *w);

/*
 * Read what has come, without waiting; of much the rest next time. True when our table was changed,
 * or may have been because there was too much to hear; *who is the last who did it.
 */
bool nft_watch_read(struct nft_watch *w, struct nft_intruder *who);
