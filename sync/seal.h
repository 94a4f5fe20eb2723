/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may speak: datagrams are sealed with keys of a connection, and each is taken once.
 *
 * A datagram is a header of 16 bytes, the payload, and a tag of 16 bytes:
 *
 *   u16 sender id, u32 epoch, u8 channel (bit 7: the payload is readable), u8 link, u64 number
 *
 * The header is authenticated, the payload encrypted, or if readable authenticated as well. The
 * nonce is iv xor number. Numbers of a link begin at 0; its key and iv are 44 bytes of
 *
 *   HKDF-SHA256(master, no salt, "gatehouse fgsp data" | u32 epoch | serial of the sender |
 *               serial of the receiver | u8 channel | u8 link)
 *
 * Serials stand there with the zero byte that ends them; all numbers are big-endian.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/err.h"

#define SEAL_HEADER 16
#define SEAL_TAG 16
#define SEAL_PAYLOAD_MAX 65475       /* bytes: with header and tag a UDP datagram */
#define SEAL_MASTER 32               /* bytes of a master secret, a group key, a PSK */
#define SEAL_PRINTS_KEY 16           /* bytes of a key for fingerprints */
#define SEAL_LINKS 32                /* links of a channel, from 0 */
#define SEAL_WINDOW 1024             /* numbers that may come late */
#define SEAL_SENT_MAX (UINT64_C(1) << 32)     /* datagrams of a link under one key */
#define SEAL_SERIAL_MAX 32           /* bytes in a serial, without its end */

enum seal_channel { SEAL_UDP = 1, SEAL_ETHERNET = 2 };
enum seal_cipher { SEAL_AES_256_GCM, SEAL_CHACHA20 };

struct seal_params {
	uint8_t master[SEAL_MASTER];
	uint32_t epoch;
	enum seal_cipher cipher;
	bool encrypt;                /* false: what is sent can be read */
	const char *own_serial, *peer_serial;      /* must differ; only read in the call */
	uint16_t own_id, peer_id;
};

/*
 * Keys of one epoch with one peer, both directions; those of a link are derived when it is first
 * used. The caller frees it. NULL and *err when the serials are no two, or OpenSSL fails.
 */
struct seal *seal_new(const struct seal_params *p, struct err *err);

/* Wipe and free; NULL is fine. Returns NULL. */
struct seal *seal_free(struct seal *s);

/* The epoch. */
uint32_t seal_epoch(const struct seal *s);

/* Most datagrams that were sealed on one link: near SEAL_SENT_MAX it is time for new keys. */
uint64_t seal_sent(const struct seal *s);

/*
 * Seal len bytes of payload into out, which has room for len + SEAL_HEADER + SEAL_TAG and does not
 * overlap it. Returns the bytes written; 0: link or length out of bounds, or the key is used up.
 */
size_t seal_make(struct seal *s, enum seal_channel ch, uint8_t link, const uint8_t *payload,
		 size_t len, uint8_t *out);

/* What a datagram claims: sender and epoch, before anything is proven. False: it is too short. */
bool seal_peek(const uint8_t *data, size_t len, uint16_t *sender, uint32_t *epoch);

enum seal_result {
	SEAL_OK,
	SEAL_FORGED,                 /* not sealed by the peer, for us, in this epoch */
	SEAL_REPLAYED,               /* sealed by the peer, but here before, or too late */
	SEAL_READABLE,               /* sealed by the peer, but readable though we encrypt */
	SEAL_MALFORMED,              /* no datagram at all */
};

/*
 * Open a datagram in place. Only with SEAL_OK the rest is filled: channel, link, and the payload,
 * which lies in data. Otherwise nothing is changed but the bytes of data, which mean nothing then.
 */
enum seal_result seal_open(struct seal *s, uint8_t *data, size_t len, enum seal_channel *ch,
			   uint8_t *link, uint8_t **payload, size_t *payload_len);

/*
 * The PSK of a connection: HKDF-SHA256(group key, "gatehouse fgsp psk" | initiator's serial). The
 * caller wipes it. ERR_VALUE when the serial is none, ERR_KERNEL when OpenSSL fails.
 */
int seal_psk(const uint8_t key[SEAL_MASTER], const char *initiator, uint8_t psk[SEAL_MASTER],
	     struct err *err);

/*
 * The key of fingerprints, equal on all members: HKDF-SHA256(group key, "gatehouse fgsp prints").
 * ERR_KERNEL when OpenSSL fails.
 */
int seal_prints_key(const uint8_t key[SEAL_MASTER], uint8_t ret[SEAL_PRINTS_KEY], struct err *err);
