/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said to the function behind callback-url, and what its answer means: JSON in and out, no
 * I/O. gatehouse-syncd(8) documents the form. The answer comes from another machine: it is bounded
 * in length and depth, and each key counts once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/net.h"

#define CALLBACK_INSTANCE 64         /* bytes of the name of a unit, with its end */
#define CALLBACK_CHECKSUM 16         /* bytes of a digest that are told */
#define CALLBACK_REQUEST_MAX 1024    /* bytes of a request, with its end */
#define CALLBACK_ANSWER_MAX 65536    /* bytes of an answer */

/* How this unit stands. */
struct callback_facts {
	char instance[CALLBACK_INSTANCE];    /* its serial number */
	union net_addr ip;           /* IPv4 address on sync-interface; zero: unknown */
	bool primary;
	bool in_sync;                /* its configuration is the primary's */
	int64_t synced_s, failed_s;  /* since 1970: was in sync last, failed last; 0: never */
	uint8_t checksum[CALLBACK_CHECKSUM]; /* of all that the group shares */
};

/* What comes with every heartbeat. */
struct callback_beat {
	uint32_t interval_s;
	uint64_t sequence;
	int64_t time_s;              /* since 1970 */
};

/* Write a heartbeat as text; the number of its bytes. */
size_t callback_form_request(char ret[CALLBACK_REQUEST_MAX], const struct callback_facts *facts,
			     const struct callback_beat *beat);

struct callback_answer {
	bool decided;                /* false: it has nothing to say, the role stays */
	bool primary;
	union net_addr primary_ip;   /* zero: not said */
};

/*
 * Take an answer of len bytes. own: address of this unit, zero when unknown; where only an address
 * is named, it is the primary's. ERR_PARSE and one line that says what is wrong.
 */
int callback_form_answer(struct callback_answer *ret, const char *data, size_t len,
			 const union net_addr *own, struct err *err);
