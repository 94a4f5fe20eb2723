/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identities (uuids, serials, vmids) only need to be unique; they come from the same source as
 * keys because nothing is gained by having a second one.
 */
#include "cfgdb/base/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *out, size_t n) {
	uint8_t *p = out;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno != EINTR)
			abort(); /* a kernel without getrandom cannot run this program */
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

uint64_t random_u64(void) {
	uint64_t bits;

	random_bytes(&bits, sizeof(bits));
	return bits;
}

void random_uuid(char out[RANDOM_UUID_LEN + 1]) {
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(out, RANDOM_UUID_LEN + 1,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
}
