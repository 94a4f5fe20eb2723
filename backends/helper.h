/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Session helpers: those that FortiOS names and Linux has. */
#pragma once

#include <stdint.h>

struct helper {
	const char *name;   /* as the configuration has it */
	uint8_t proto;	    /* of the sessions that it follows */
	const char *kernel; /* as the kernel calls it */
};

#define HELPERS	    7
#define HELPERS_ALL ((1u << HELPERS) - 1)

/* All of them; in sets of helpers, bit i stands for the i-th. */
extern const struct helper helper_table[HELPERS];

/* What the configuration calls a helper of the kernel. */
const char *helper_name(const char *kernel);

/* Number of the helper of this name for a protocol, among those of a set; -1: there is none. */
int helper_find(uint32_t set, const char *name, uint8_t proto);
