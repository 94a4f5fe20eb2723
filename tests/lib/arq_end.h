/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A side of a stream of sync/arq.h, for tests: it puts numbered records and proves what comes. */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "sync/arq.h"

#define MS 1000u
#define SECOND 1000000u
#define NEVER UINT64_MAX
#define PAYLOAD 1400u
#define RECORD_MIN 9
#define RECORD_MAX 255

/* As ck_assert(), for what runs millions of times: check notes the place of each of its own. */
#define must(what) do { if (!(what)) ck_abort_msg("not so: %s", #what); } while (0)

struct end {
	struct arq *arq;
	uint64_t put, taken;         /* records */
	unsigned int epoch;          /* for the user */
	uint64_t beat_at, retry_at;  /* likewise */
};

/* Two ends of one stream each way. */
void end_begin(struct end ends[2], const struct arq_limits *limits);

/* All has arrived, nothing is stored, nothing is waited for; they are freed. */
void end_finish(struct end ends[2]);

/* Write the record with this number: u8 len, u64 number, and what follows from it. Returns len. */
size_t end_record(uint64_t number, size_t len, uint8_t *out);

/* Put the next record; false: no room. */
bool end_put(struct end *e, size_t len, size_t payload_max);

/* Fill n datagrams of PAYLOAD bytes each with records of 100 bytes. */
void end_put_datagrams(struct end *e, unsigned int n);

/* Take a payload; the test fails unless its records are the next ones. False: it was malformed. */
bool end_take(struct end *e, uint64_t now, const uint8_t *payload, size_t len);

/* What an end sends next, as a copy that the caller frees; NULL: nothing. */
uint8_t *end_send(struct end *e, uint64_t now, size_t *len);

/* All that a has to send reaches b, or is lost (b NULL). Returns how many payloads that were. */
unsigned int end_pass(struct end *a, struct end *b, uint64_t now);

/* What arq_stats() says. */
struct arq_stats end_stats(const struct end *e);
