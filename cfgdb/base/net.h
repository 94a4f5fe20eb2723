/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of either family in one shape, so that what compares and prints them is written once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NET_TEXT_MAX 46    /* an address as text, with its end */

/*
 * Network byte order, as on the wire. An IPv4 address is in the first four bytes, the others are
 * zero: addresses of one family are equal, and in order, when their bytes are.
 */
union net_addr {
	uint8_t byte[16];
	uint32_t word[4];
	uint64_t half[2];
};

/* Parse an address of a family (AF_INET, AF_INET6); false when it is none. */
bool net_parse(int family, const char *text, union net_addr *ret);

/* An IPv4 address given in host byte order. */
union net_addr net_ipv4(uint32_t addr);

/* Bytes of an address: 4 or 16. */
unsigned int net_len(int family);

/* The order of two addresses of one family: below, at or above zero. */
static inline int net_order(const union net_addr *a, const union net_addr *b) {
	return memcmp(a->byte, b->byte, sizeof(a->byte));
}

/* Whether two addresses of one family are the same. */
static inline bool net_equal(const union net_addr *a, const union net_addr *b) {
	return a->half[0] == b->half[0] && a->half[1] == b->half[1];
}
