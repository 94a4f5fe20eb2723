/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as records of an authenticated member. What is read keeps its promises: a known type
 * and family, clean addresses, printable names, buckets in bounds; and it is told again in the same
 * way: encoded, decoded and encoded once more, the bytes are the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"
#include "sync/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void check_tuple(uint8_t family, const struct ct_tuple *t) {
	promise(family == AF_INET || family == AF_INET6, "the family is known");
	if (family == AF_INET6)
		return;
	for (const union net_addr *a = &t->src; a <= &t->dst; a++)
		promise(a->word[1] == 0 && a->half[1] == 0, "an IPv4 address is four bytes");
}

static void check_name(const char *name, size_t size) {
	size_t len = strnlen(name, size);

	promise(len < size, "a name ends");
	for (size_t i = 0; i < len; i++)
		promise(name[i] > ' ' && name[i] <= '~', "and can be printed");
}

static void check_session(const struct ct *ct) {
	check_tuple(ct->family, &ct->tuple[CT_ORIG]);
	check_tuple(ct->family, &ct->tuple[CT_REPLY]);
	check_tuple(ct->family, &ct->master);
	check_name(ct->helper, sizeof(ct->helper));
	promise(ct->timeout <= RECORD_TIMEOUT_MAX && ct->state < 64, "time and state are in bounds");
	promise(ct->start_ns <= (UINT64_C(1) << 32) * 1000000000, "and so is the start");
	promise(ct->label[0] == 0 && ct->label[1] == 0 && ct->id == 0, "nothing more is told");
}

static void check_expect(const struct ct_expect *e) {
	check_tuple(e->family, &e->tuple);
	check_tuple(e->family, &e->mask);
	check_tuple(e->family, &e->master);
	check_tuple(e->family, &e->nat);
	check_name(e->helper, sizeof(e->helper));
	check_name(e->fn, sizeof(e->fn));
	promise(e->has_nat || e->nat_dir == CT_ORIG, "a direction of translation is of one");
}

static void check_record(const struct record *r) {
	promise(r->type >= RECORD_CREATE && r->type <= RECORD_DIGEST, "the type is known");
	if (r->type <= RECORD_KEEP)
		check_session(&r->ct);
	else if (r->type == RECORD_EXPECT)
		check_expect(&r->expect);
	else if (r->type == RECORD_DIGEST)
		promise(r->count <= RECORD_SUMS && r->first + r->count <= PRINTS_BUCKETS,
			"sums are of buckets");
}

static void check_again(const struct record *r) {
	AUTO_BUF struct buf one = BUF_INIT, two = BUF_INIT;
	struct buf_reader reader;
	struct record again;

	record_encode(&one, r);
	promise(one.len <= RECORD_MAX && one.len == 2u + one.data[1], "a record has its length");
	buf_reader_init(&reader, one.data, one.len);
	memset(&again, 0xee, sizeof(again));
	promise(record_decode(&reader, &again) && buf_reader_end(&reader), "it can be read");
	record_encode(&two, &again);
	promise(one.len == two.len && memcmp(one.data, two.data, one.len) == 0, "as the same");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	/* Nothing behind its end. */
	AUTO_FREE uint8_t *copy = xreallocarray(NULL, size ? size : 1, 1);
	struct buf_reader reader;
	struct record r;

	memcpy(copy, data, size);
	buf_reader_init(&reader, copy, size);
	memset(&r, 0xee, sizeof(r));
	while (record_decode(&reader, &r)) {
		check_record(&r);
		check_again(&r);
		memset(&r, 0xee, sizeof(r));
	}
	promise(reader.bad || reader.pos == size, "all is read, or there is a fault");
	return 0;
}
