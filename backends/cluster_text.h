/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replication of sessions as `diagnose sys session sync` shows it. */
#pragma once

#include "backends/cluster.h"
#include "cfgdb/base/str.h"

/* Messages about sessions, in one direction; about expected connections where it says so. */
struct cluster_messages {
	uint64_t create, create_expect, update, delete, delete_expect, query;
};

/* What is counted; all zero where nothing runs. */
struct cluster_counts {
	bool started;                /* replication runs */
	struct cluster_messages sent, received;
	uint64_t frames_sent, frames_received;       /* Ethernet frames */
	uint64_t alloc_fail, recv_err, sz_err;       /* of frames and datagrams */
	uint64_t datagrams_sent, datagrams_received; /* UDP */
	unsigned int mtu;            /* 0: not known yet */
};

/*
 * Append the text. Filters are printed one a line for each of their services; a zone is the index
 * of the interface, 0 is any.
 */
void cluster_text_sync(const struct cluster *c, const struct cluster_counts *n, struct str *out);

/* The same as JSON. */
void cluster_text_sync_json(const struct cluster *c, const struct cluster_counts *n,
			    struct str *out);
