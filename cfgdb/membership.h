/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a unit knows of the group that shares its configuration (system auto-scale): how far the
 * group has come, whom the unit follows, who else is in it. Pure: a struct, and the text that it is
 * kept and told as.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/net.h"
#include "cfgdb/base/str.h"

#define MEMBER_SERIAL 20       /* bytes, with the end */
#define MEMBER_VMID 40
#define MEMBERS_MAX 99         /* besides the unit itself */
#define MEMBERSHIP_TEXT_MAX 32768

enum member_role {
	MEMBER_PRIMARY,
	MEMBER_SECONDARY,
	MEMBER_GONE,             /* it has left; its entry of cluster-peer is still there */
};

/* Another member of the group. */
struct member {
	char serial[MEMBER_SERIAL];
	char vmid[MEMBER_VMID];
	enum member_role role;
	union net_addr ip;       /* IPv4 */
	int64_t heard_s;         /* when it was heard last, seconds since 1970 */
	uint32_t sync_id;        /* of the entry of cluster-peer made for it; 0: none */
};

struct membership {
	uint64_t epoch;          /* of the configuration this unit has; 0: that of no group */
	uint64_t heard;          /* the highest one it has heard of, epoch or above */
	bool synced;             /* it has had the configuration of the group */
	bool joined;             /* primary: in this epoch some member has had its configuration */
	/*
	 * Whose configuration it has; a primary: had before. "": its own. And the revision of that
	 * unit which was the last here.
	 */
	char primary[MEMBER_SERIAL];
	uint64_t revision;
	unsigned int n;
	struct member member[MEMBERS_MAX];
};

/* The member with this serial, or NULL. */
struct member *membership_find(struct membership *m, const char *serial);

/* Append all as text. */
void membership_text(const struct membership *m, struct str *out);

/*
 * Read what these made, and nothing else: every line is checked. ERR_PARSE names the line; *m is
 * then undefined.
 */
int membership_parse(struct membership *m, const char *text, struct err *err);
