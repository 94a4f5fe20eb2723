/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each record holds its number and bytes that follow from it, so that an end knows from what it
 * took so far what must come next. Ends are driven by hand; there is no network between them.
 */
#include "tests/lib/arq_end.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

size_t end_record(uint64_t number, size_t len, uint8_t *out) {
	uint64_t be = htobe64(number);

	out[0] = (uint8_t)len;
	memcpy(out + 1, &be, sizeof(be));
	memset(out + RECORD_MIN, (int)(number % 251), len - RECORD_MIN);
	return len;
}

static void end_take_records(void *arg, const uint8_t *records, size_t len) {
	struct end *e = arg;
	uint8_t expected[RECORD_MAX];

	must(len > 0);
	while (len > 0) {
		size_t size = records[0];

		must(size >= RECORD_MIN && size <= len);
		end_record(e->taken++, size, expected);
		must(memcmp(records, expected, size) == 0);
		records += size;
		len -= size;
	}
}

bool end_take(struct end *e, uint64_t now, const uint8_t *payload, size_t len) {
	return arq_take(e->arq, now, payload, len, end_take_records, e);
}

bool end_put(struct end *e, size_t len, size_t payload_max) {
	uint8_t record[RECORD_MAX];

	if (!arq_put(e->arq, record, end_record(e->put, len, record), payload_max))
		return false;
	e->put++;
	return true;
}

void end_put_datagrams(struct end *e, unsigned int n) {
	for (unsigned int i = 0; i < n * ((PAYLOAD - ARQ_HEADER) / 100); i++)
		must(end_put(e, 100, PAYLOAD));
}

struct arq_stats end_stats(const struct end *e) {
	struct arq_stats stats;

	arq_stats(e->arq, &stats);
	return stats;
}

uint8_t *end_send(struct end *e, uint64_t now, size_t *len) {
	const uint8_t *payload;
	uint8_t *copy;

	*len = arq_next(e->arq, now, true, &payload);
	if (*len == 0)
		return NULL;
	copy = xreallocarray(NULL, *len, 1);
	memcpy(copy, payload, *len);
	arq_sent(e->arq, now);
	return copy;
}

unsigned int end_pass(struct end *a, struct end *b, uint64_t now) {
	const uint8_t *payload;
	unsigned int n = 0;
	size_t len;

	for (; (len = arq_next(a->arq, now, true, &payload)) > 0; n++) {
		must(b == NULL || end_take(b, now, payload, len));
		arq_sent(a->arq, now);
	}
	return n;
}

void end_begin(struct end ends[2], const struct arq_limits *limits) {
	for (int i = 0; i < 2; i++)
		ends[i] = (struct end){ .arq = arq_new(limits) };
}

void end_finish(struct end ends[2]) {
	for (int i = 0; i < 2; i++) {
		struct arq_stats stats = end_stats(&ends[i]);

		must(ends[i].taken == ends[!i].put);
		must(stats.queued_bytes == 0 && stats.queued_records == 0);
		must(stats.early_bytes == 0);
		must(arq_acked(ends[i].arq) == arq_mark(ends[i].arq));
		must(arq_deadline(ends[i].arq) == NEVER);
		arq_free(ends[i].arq);
	}
}
