/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The latest entries of a listing, to find those that come twice. Part of ct_dump.c. */
#pragma once

#include "backends/ct.h"

#define CT_BUCKET_MAX 80    /* the kernel drops what would make a bucket of its table longer */

/* What tells entries apart. */
struct ct_key {
	struct ct_tuple tuple;
	uint32_t id;
	uint16_t zone;
	uint8_t proto;
};

/* Zeroed at the start of a listing. */
struct ct_recent {
	struct ct_key ring[CT_BUCKET_MAX];
	uint64_t n, n_before;   /* entries in all, and in the datagrams before this one */
};

/* A new datagram begins. */
void ct_recent_datagram(struct ct_recent *r);

/* Whether an entry has come already; one that has not is remembered. */
bool ct_recent_again(struct ct_recent *r, const struct ct *ct);
