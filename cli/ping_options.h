/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `execute ping-options` has set for the pings of a session. */
#pragma once

#define PING_VALUE_MAX 16    /* bytes of a value, an address or a name of an interface at most */

enum ping_option {
	PING_COUNT,
	PING_SIZE,
	PING_TIMEOUT,
	PING_INTERVAL,
	PING_TTL,
	PING_TOS,
	PING_DF,
	PING_SOURCE,
	PING_INTERFACE,
	PING_OPTIONS
};

/* Values that have been checked; "" is what was never set. All zero is a good start. */
struct ping_options {
	char value[PING_OPTIONS][PING_VALUE_MAX];
};
