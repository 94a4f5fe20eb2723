/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions of cryptography and of strings spill what they work on into their frames, and so do
 * copies of structs. Who has handled a request calls this from not far above, when all of them have
 * returned: 64 KB below is deeper than any of them goes that handles a secret.
 */
#include "cfgdb/base/wipe.h"

#include <string.h>

#define STACK_BYTES 65536

__attribute__((noinline)) void wipe_stack(void) {
	unsigned char below[STACK_BYTES];

	explicit_bzero(below, sizeof(below));
}
