/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as datagrams, each with a length of two bytes before it, at a unit that shares fixed
 * keys with a peer. The bytes come as they are, and once more as what the peer seals: opened, that
 * is the payload it was, once; and with one bit changed it is refused.
 *
 * The first byte says: bit 0 ChaCha20, bit 1 encryption.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "sync/seal.h"

#define OVERHEAD (SEAL_HEADER + SEAL_TAG)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct opened {
	enum seal_result result;
	enum seal_channel channel;
	uint8_t link, *payload;
	size_t len;
	uint8_t *data;               /* the datagram; freed by the caller */
};

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static struct seal *unit(bool first, uint8_t form) {
	struct seal_params p = { .epoch = 7, .cipher = form & 1, .encrypt = form & 2 };
	struct seal *s;

	p.own_serial = first ? "GHVM000000000001" : "GHVM000000000002";
	p.peer_serial = first ? "GHVM000000000002" : "GHVM000000000001";
	p.own_id = first ? 1 : 2;
	p.peer_id = first ? 2 : 1;
	s = seal_new(&p, NULL);
	promise(s != NULL, "there are keys");
	return s;
}

/* Open a copy with nothing behind its end. */
static struct opened open_copy(struct seal *s, const uint8_t *data, size_t len) {
	struct opened o = { .data = xreallocarray(NULL, len ? len : 1, 1) };

	memcpy(o.data, data, len);
	o.result = seal_open(s, o.data, len, &o.channel, &o.link, &o.payload, &o.len);
	if (o.result != SEAL_OK)
		promise(!o.payload && !o.len && !o.link, "what is refused gives nothing");
	return o;
}

static void check_foreign(struct seal *s, const uint8_t *data, size_t len) {
	struct opened o = open_copy(s, data, len);
	uint16_t sender;
	uint32_t epoch;

	promise(seal_peek(data, len, &sender, &epoch) == (len >= OVERHEAD), "a header is seen");
	if (o.result == SEAL_OK) {
		promise(sender == 1 && epoch == 7 && o.link < SEAL_LINKS, "it is of the peer");
		promise(o.payload == o.data + SEAL_HEADER && o.len + OVERHEAD == len,
			"the payload lies inside");
	}
	free(o.data);
}

static void check_sealed(struct seal *peer, struct seal *s, const uint8_t *data, size_t len) {
	AUTO_FREE uint8_t *out = xreallocarray(NULL, len + OVERHEAD, 1);
	enum seal_channel ch = len % 2 ? SEAL_UDP : SEAL_ETHERNET;
	uint8_t link = (uint8_t)(16 + len % 16), bit = len ? data[0] : 0;
	size_t n = seal_make(peer, ch, link, data, len, out);
	struct opened o;

	promise(n == len + OVERHEAD, "a payload is sealed");
	out[bit % n] ^= (uint8_t)(1 << bit % 8);
	o = open_copy(s, out, n);
	promise(o.result != SEAL_OK, "a bit more is refused");
	free(o.data);
	out[bit % n] ^= (uint8_t)(1 << bit % 8);
	o = open_copy(s, out, n);
	promise(o.result == SEAL_OK && o.channel == ch && o.link == link, "it is opened");
	promise(o.len == len && memcmp(o.payload, data, len) == 0, "and is what it was");
	free(o.data);
	o = open_copy(s, out, n);
	promise(o.result == SEAL_REPLAYED, "but once");
	free(o.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	uint8_t form = size ? data[0] : 0;
	struct seal *peer = unit(true, form), *s = unit(false, form);

	for (size_t at = 1; at + 2 <= size;) {
		size_t len = (size_t)data[at] << 8 | data[at + 1];

		at += 2;
		len = len < size - at ? len : size - at;
		check_foreign(s, data + at, len);
		check_sealed(peer, s, data + at, len);
		at += len;
	}
	seal_free(peer);
	seal_free(s);
	return 0;
}
