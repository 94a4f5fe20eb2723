/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What members say of sessions: compact records, several to a datagram.
 *
 * A record is u8 type, u8 length of the rest, fields, then TLVs (u8 tag, u8 length, value). Whoever
 * reads skips types and tags that he does not know, and what a value has beyond what he knows; new
 * fields are new tags. All numbers are big-endian.
 *
 *   all of a session  u8 flags, u8 protocol, u32 serial, original tuple; flags that are not known
 *                     mean nothing
 *   UPDATE, CREATE    u8 state (0x40: SEEN_REPLY, 0x80: ASSURED), u24 timeout
 *   CREATE            u16 status, u32 mark, u32 start (s), u16 start (ms), then source and
 *                     destination address, source and destination port of the reply tuple, each
 *                     only where a flag says that it is not as in the inverse of the original tuple
 *   EXPECT            u8 flags, u8 protocol, u8 protocol of the master, u32 class, u32 flags of the
 *                     kernel, u32 timeout, tuple, mask, tuple of the master, translation if a flag
 *                     says so
 *   RESYNC_*          u16 walk, 128 bytes of bitmap
 *   DIGEST            u16 first, u8 count, u64 sums
 *
 * A tuple is two addresses of 4 or 16 bytes and two u16: ports, keys, or with ICMP id and (type,
 * code). Tags: 1 zone u16, 2 VDOM u16, 3 helper, 4 and 5 shift of sequence numbers (3 x u32) of
 * original and reply direction, 6 master (u8 protocol, tuple), 7 function of an expected session, 8
 * verification tags of SCTP (2 x u32) of original and reply direction.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backends/ct.h"
#include "cfgdb/base/buf.h"
#include "sync/prints.h"

enum record_type {
	RECORD_CREATE = 1,
	RECORD_UPDATE,
	RECORD_DELETE,
	RECORD_QUERY,
	RECORD_CLAIM,
	RECORD_YIELD,
	RECORD_KEEP,
	RECORD_EXPECT,
	RECORD_RESYNC_ASK,
	RECORD_RESYNC_BEGIN,
	RECORD_RESYNC_END,
	RECORD_DIGEST,
};

#define RECORD_MAX 257               /* bytes of the longest */
#define RECORD_SUMS 31               /* most sums in a DIGEST */
#define RECORD_TIMEOUT_MAX 0xffffff  /* seconds (194 days); what is longer is told as this */

struct record {
	enum record_type type;
	uint32_t serial;             /* of the session; EXPECT: not told */
	uint16_t vd;                 /* of the session or expectation: index of its VDOM */
	bool from_copy;              /* UPDATE: the sender holds a copy */
	bool unseen;                 /* CREATE: the sender took it over, no packet seen yet */
	bool expired;                /* DELETE: it was open, and timed out: nobody has ended it */
	/* By type; the others are not to be touched. */
	union {
		/*
		 * A session. All records tell original tuple, family, protocol, zone. UPDATE:
		 * state (below 64), timeout (without grace), of status SEEN_REPLY and ASSURED,
		 * seqadj, vtag. CREATE: also the reply tuple, the first 16 bits of status, mark,
		 * helper, master, and in start_ns the start in whole milliseconds: encoding takes
		 * it from the label where that has one, otherwise from start_ns.
		 */
		struct ct ct;
		/* EXPECT: all but id, nor bits of a mask that no port or ICMP type has. */
		struct ct_expect expect;
		struct {             /* RESYNC_* */
			uint16_t walk;       /* number of the resync */
			uint64_t buckets[PRINTS_BUCKETS / 64];     /* bitmap: n % 64 of n / 64 */
		};
		struct {             /* DIGEST: sums of buckets first.. */
			uint16_t first;
			uint8_t count;       /* at most RECORD_SUMS */
			uint64_t sums[RECORD_SUMS];
		};
	};
};

/* Append a record: at most RECORD_MAX bytes. */
void record_encode(struct buf *b, const struct record *r);

/*
 * Take the next record whose type is known. False at the end, or at the first fault: then
 * reader->bad is set. Any bytes are safe: addresses and names are clean, buckets are in bounds, and
 * what is not told is zero. Whether the kernel can hold such a session is not judged.
 */
bool record_decode(struct buf_reader *reader, struct record *r);
