/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration file, of this product or another, carried out in the transaction that is open:
 * everything that can be, with an account of every line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/control/client.h"
#include "cli/tally.h"

struct loader_input {
	struct client *client;   /* in whose transaction it goes */
	const char *text;        /* size bytes */
	size_t size;
	bool exact;              /* it is whole, or cut off: an end that is missing is an error */
	/* Told how many bytes are read; true: that is enough. NULL: nobody is. */
	bool (*step)(void *arg, size_t done);
	void *arg;
};

/* How loading ended. */
enum loader_end {
	LOADER_DONE,
	LOADER_STOPPED,          /* there was enough */
	LOADER_LOST,             /* the connection broke */
};

/*
 * Carry a file out; *ret, which is empty, has what became of its lines. Nothing is open afterwards
 * but the transaction. The warnings of the connection went to the tally: whoever had them before
 * must listen anew.
 */
enum loader_end loader_run(const struct loader_input *in, struct tally *ret);
