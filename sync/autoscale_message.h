/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What members of a group say to each other about the configuration that they share, as bytes.
 * README.md here has the table. Every field is bounded; the bytes come from another machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/net.h"
#include "cfgdb/digest.h"
#include "cfgdb/membership.h"
#include "cfgdb/model/operation.h"

#define AUTOSCALE_MESSAGE_MAX (1u << 20) /* bytes of a message */
#define AUTOSCALE_NAME 64                /* bytes of a name with its end: host, user, source */
#define AUTOSCALE_SCHEMA 65              /* digest of a schema, with its end */
#define AUTOSCALE_TROUBLE 160            /* bytes of a line of text with its end */
#define AUTOSCALE_KEYS_MAX 512           /* objects in a question */
#define AUTOSCALE_QUESTION_MAX 65536     /* bytes of a question */

enum autoscale_type {
	AUTOSCALE_HELLO = 1,
	AUTOSCALE_BEAT,
	AUTOSCALE_ASK_CHANGES,
	AUTOSCALE_CHANGES,
	AUTOSCALE_ASK_TABLES,
	AUTOSCALE_TABLES,
	AUTOSCALE_ASK_INDEX,
	AUTOSCALE_INDEX,
	AUTOSCALE_ASK_OBJECTS,
	AUTOSCALE_OBJECTS,
	AUTOSCALE_REFUSE,
	AUTOSCALE_FORGET,
	AUTOSCALE_NO,
	AUTOSCALE_TYPES,
};

/* Why a connection ends, or a question has no answer. */
enum autoscale_why {
	AUTOSCALE_SAME_SERIAL = 1,
	AUTOSCALE_NO_VERSION,
	AUTOSCALE_LOWER_EPOCH,
	AUTOSCALE_FULL,              /* more members, or questions, than there may be */
	AUTOSCALE_TOO_FAR,           /* history or message do not reach: compare the whole */
	AUTOSCALE_CANNOT,            /* gatehoused says no */
	AUTOSCALE_WHYS,
};

/* How a member stands: in HELLO and in every BEAT. */
struct autoscale_standing {
	bool primary, synced;
	bool joined;                 /* primary: some member has had its configuration */
	bool copying;                /* it is on its way to the primary's revision */
	bool failing;                /* it could not get there; `trouble` says why */
	uint16_t hb_interval_s;
	uint64_t epoch;              /* that it leads, or whose configuration it has */
	uint64_t heard;              /* the highest that it has heard of: epoch or above */
	uint64_t revision;           /* of its own configuration */
	char followed[MEMBER_SERIAL];        /* whose configuration it has; "": its own */
	uint64_t followed_revision;  /* the one of that unit that it has */
	union net_addr followed_ip;  /* primary-ip; zero: none */
	struct digest_group active, staged;
	char trouble[AUTOSCALE_TROUBLE];
};

/* A message of any type; what its type has not is zero. Strings are printable and whole. */
struct autoscale_message {
	enum autoscale_type type;
	uint32_t id;                 /* of a question, and of its answer; 0: nobody has asked */
	uint16_t version, oldest;    /* HELLO */
	char serial[MEMBER_SERIAL];  /* HELLO, FORGET */
	char vmid[MEMBER_VMID], hostname[AUTOSCALE_NAME], schema[AUTOSCALE_SCHEMA];
	struct autoscale_standing standing;  /* HELLO, BEAT */
	uint32_t members_version;    /* BEAT: of the list; 0: of no list */
	uint64_t since;              /* CHANGES and its question */
	uint64_t revision;           /* that an answer is of */
	bool checked;                /* CHANGES: digests are those that the receiver must reach */
	char user[AUTOSCALE_NAME], source[AUTOSCALE_NAME];
	uint64_t time_s;             /* of the commit, since 1970 */
	struct digest_group digests;
	char table[OPERATION_TABLE_MAX + 1], after[OBJECT_KEY_MAX + 1];      /* ASK_INDEX */
	bool more;                   /* INDEX: the table goes on */
	enum autoscale_why why;      /* REFUSE, NO */
	char text[AUTOSCALE_TROUBLE];
	/* Members, digests, keys or operations: taken with the functions below, n of them. */
	uint32_t n;
	struct buf_reader list;      /* into the bytes of the message; checked when decoded */
};

/* A name and the digest of what has it: of TABLES and INDEX. */
struct autoscale_digest {
	char name[OBJECT_KEY_MAX + 1];
	unsigned char digest[DIGEST_LEN];
};

/* An object that is asked for. */
struct autoscale_key {
	char table[OPERATION_TABLE_MAX + 1], key[OBJECT_KEY_MAX + 1];
};

/*
 * Append a message; what m->list has left to read is copied as its list. The caller wipes b when it
 * holds operations.
 */
void autoscale_message_encode(struct buf *b, const struct autoscale_message *m);

/*
 * Take one message of at most AUTOSCALE_MESSAGE_MAX bytes, all of whose list was looked at. False
 * when anything is out of bounds, or its type is not known; *m is then undefined. What follows the
 * fields of HELLO and BEAT is of later versions.
 */
bool autoscale_message_decode(struct autoscale_message *m, const uint8_t *data, size_t len);

/* Set the id of an encoded question or answer. */
void autoscale_message_set_id(struct buf *b, uint32_t id);

/* Items of a list; r->bad when there is none. Where to put and where to take. */
void autoscale_message_put_digest(struct buf *b, const char *name,
				  const unsigned char digest[DIGEST_LEN]);
void autoscale_message_get_digest(struct buf_reader *r, struct autoscale_digest *ret);
void autoscale_message_put_key(struct buf *b, const char *table, const char *key);
void autoscale_message_get_key(struct buf_reader *r, struct autoscale_key *ret);

/* A member; heard_s is how long ago that was. */
void autoscale_message_put_member(struct buf *b, const struct member *p);
void autoscale_message_get_member(struct buf_reader *r, struct member *ret);

/* Take a string of less than size bytes without control characters. */
void autoscale_message_get_text(struct buf_reader *r, char *ret, size_t size);
