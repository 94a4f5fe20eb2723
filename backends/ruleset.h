/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content of one nftables table as data: sets, chains, rules. No text, no kernel, no I/O.
 *
 * A renderer builds it, two emitters (nft_text, nft_netlink) write it, ruleset_diff compares two of
 * them. Names and origins are kept by the ruleset itself, so it outlives the configuration that it
 * was made from.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/model/object.h"

#define RULESET_TABLE "gatehouse"
#define RULESET_KEY_MAX 32      /* bytes in the key of an element */
#define RULESET_FIELDS_MAX 4    /* fields in the key of a set */

/* What rules look at, and what keys of sets are made of. */
enum rule_field {
	FIELD_NONE,
	FIELD_IIFNAME,
	FIELD_OIFNAME,
	FIELD_NFPROTO,
	FIELD_L4PROTO,
	FIELD_SADDR,
	FIELD_DADDR,
	FIELD_SPORT,
	FIELD_DPORT,
	FIELD_ICMP_TYPE,
	FIELD_ICMP_CODE,
	FIELD_ICMP6_TYPE,
	FIELD_CT_STATE,
	FIELD_CT_STATUS,
	FIELD_CT_MARK,
	FIELD_CT_DIRECTION,
	FIELD_DADDR_TYPE,
	FIELD_TCP_FLAGS,
	FIELD_PACKET_TYPE,
	FIELD_PACKET_MARK,
	FIELD_WAY_BACK, /* prerouting only: the route to the source, by the link it came by */
	FIELD_SADDR6_0, /* 32 bits of an IPv6 source, after a match of FIELD_NFPROTO */
	FIELD_SADDR6_1,
	FIELD_SADDR6_2,
	FIELD_SADDR6_3,
	FIELD_COUNT
};

/*
 * Values of FIELD_NFPROTO, FIELD_CT_STATE (bits), FIELD_CT_STATUS (bits), FIELD_CT_DIRECTION,
 * FIELD_DADDR_TYPE, FIELD_TCP_FLAGS (bits), FIELD_PACKET_TYPE, FIELD_WAY_BACK.
 */
enum {
	NFPROTO_IS_IPV4 = 2,
	NFPROTO_IS_IPV6 = 10,
	CT_STATE_INVALID = 1,
	CT_STATE_ESTABLISHED = 2,
	CT_STATE_RELATED = 4,
	CT_STATE_NEW = 8,
	CT_STATUS_CONFIRMED = 8,
	CT_STATUS_DNAT = 32,
	CT_DIRECTION_REPLY = 1,
	DADDR_TYPE_UNICAST = 1,
	DADDR_TYPE_LOCAL = 2,
	TCP_FLAG_RST_BIT = 4,
	TCP_FLAG_ACK_BIT = 16,
	PACKET_TYPE_HOST = 0,
	PACKET_TYPE_BROADCAST = 1,
	WAY_BACK_MISSING = 0,
	WAY_BACK_EXISTS = 1,
};

enum stmt_op {
	/* Matches: the rule ends unless they hold. */
	MATCH_EQ,      /* field == a (or == name for interface names) */
	MATCH_NE,
	MATCH_GT,      /* field > a */
	MATCH_LT,      /* field < a */
	MATCH_RANGE,   /* a <= field <= b */
	MATCH_NOT_RANGE,
	MATCH_BITS,    /* field & a is not 0 */
	MATCH_SET,     /* fields are in set `name` (a set with counters counts) */
	MATCH_NOT_SET,
	MATCH_LABEL,   /* of the first 32 bits of ct label, those in a are as in b */
	MATCH_LIMIT,   /* no more than a packets a second, b at once: over all that come here */
	/* Statements. */
	STMT_VMAP,     /* verdict of map `name` for fields; goes on when there is none */
	STMT_MARK,     /* ct mark = a */
	STMT_MARK_MAP, /* ct mark = map `name` of fields; the rule ends when there is none */
	STMT_LABEL,    /* ct label: the bits in a are set */
	STMT_TIMEOUT,  /* a session that begins gets object `name`, a timeout */
	STMT_HELPER,   /* a session that begins gets object `name`, a helper */
	STMT_DNAT,     /* destination a, port b unless 0 */
	STMT_DNAT_MAP, /* destination from map `name` of fields */
	STMT_MASQUERADE,
	STMT_LOG,      /* tell listeners of log group a, with prefix `name` */
	STMT_PACKET_MARK, /* mark of the packet = a, or field (ct mark) */
	STMT_RESTORE,  /* field (destination, destination port) = what it was before translation */
	STMT_TO_HOST,  /* the frame counts as sent to this unit alone (prerouting only) */
	STMT_NOTRACK,  /* the packet is of no session (before connection tracking) */
	STMT_TRACE,    /* tell listeners of all rules that the packet meets from here on */
	STMT_ACCEPT,
	STMT_DROP,
	STMT_RETURN,
	STMT_JUMP,     /* to chain `name` */
	STMT_GOTO,
};

struct stmt {
	uint8_t op;                         /* enum stmt_op */
	uint8_t field
		[RULESET_FIELDS_MAX]; /* enum rule_field, ended by FIELD_NONE if there is room */
	uint32_t a, b;                      /* host byte order */
	const char *name;
};

/*
 * The object of the configuration that something was made for; NULL when it is part of the frame.
 */
struct origin {
	const struct schema_table *table;
	char key[];
};

struct rule {
	uint32_t first, n;                  /* its statements in chain->stmts */
	const struct origin *origin;
};

enum chain_type { CHAIN_PLAIN, CHAIN_FILTER, CHAIN_NAT };
enum chain_hook { HOOK_PREROUTING, HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT, HOOK_POSTROUTING };

struct chain {
	const char *name;
	enum chain_type type; /* not CHAIN_PLAIN: a base chain that accepts at its end */
	enum chain_hook hook;
	int32_t priority;
	struct stmt *stmts;
	uint32_t n_stmts, stmts_size;
	struct rule *rules;
	uint32_t n_rules, rules_size;
	const struct origin *origin;        /* of the rules that follow */
	struct chain *next;                 /* in order of creation */
	struct chain *bucket;
};

enum set_data { DATA_NONE, DATA_VERDICT, DATA_MARK, DATA_ADDR, DATA_ADDR_PORT };

enum set_flag {
	SET_INTERVAL = 1 << 0,              /* elements are ranges of one field */
	SET_COUNTER = 1 << 1,               /* each element counts packets and bytes */
};

struct elem {
	const unsigned char *key;           /* set->key_len bytes as the kernel holds them */
	uint32_t last; /* SET_INTERVAL: last value of the range, host byte order */
	uint8_t verdict;                    /* DATA_VERDICT: STMT_ACCEPT .. STMT_GOTO */
	const char *chain;                  /* DATA_VERDICT: target of STMT_JUMP, STMT_GOTO */
	uint32_t a;                         /* DATA_MARK: mark; DATA_ADDR*: address */
	uint16_t port;                      /* DATA_ADDR_PORT */
	uint32_t order;                     /* of addition to the set */
	uint64_t packets, bytes; /* SET_COUNTER: where it starts; no part of comparisons */
	const struct origin *origin;
};

struct set {
	const char *name;
	uint8_t field[RULESET_FIELDS_MAX];
	uint8_t n_fields;
	uint8_t data;                       /* enum set_data */
	uint8_t flags;                      /* enum set_flag */
	uint16_t key_len;
	struct elem *elems;
	uint32_t n_elems, elems_size;
	bool sorted;
	struct set *next;
	struct set *bucket;
};

/* Why a change of rules leaves sessions as they are: any of these but the last. */
enum ruleset_keep {
	KEEP_SET = 1 << 0,                  /* the settings say so */
	KEEP_OVER = 1 << 1,                 /* the clock ended the schedule of their policy */
	KEEP_NOT_OVER = 1 << 2,             /* it is over, too, but by a change */
};

/*
 * Which sessions a change of rules leaves as they are, by mark. The kernel is not told, so it is no
 * part of comparisons.
 */
struct ruleset_kept {
	bool others;                        /* those whose mark is not in marks */
	struct set marks;                   /* DATA_MARK: enum ruleset_keep */
};

enum ct_kind { CT_TIMEOUT, CT_HELPER };

/* Places in ct_object.seconds: states of UDP, and of TCP. */
enum ct_udp_state { CT_UDP_UNREPLIED, CT_UDP_REPLIED };
enum ct_tcp_state {
	CT_TCP_SYN_SENT,
	CT_TCP_SYN_RECV,
	CT_TCP_ESTABLISHED,
	CT_TCP_FIN_WAIT,
	CT_TCP_CLOSE_WAIT,
	CT_TCP_LAST_ACK,
	CT_TCP_TIME_WAIT,
	CT_TCP_CLOSE,
	CT_TCP_SYN_SENT2,
	CT_TCP_RETRANS, /* sent again and again */
	CT_TCP_UNACK,   /* established, and not acknowledged */
	CT_SECONDS_MAX
};

/*
 * What a session can be given with its first packet, and keeps: timeouts by state, or a helper. It
 * does nothing for sessions of another protocol.
 */
struct ct_object {
	const char *name;
	uint8_t kind;                       /* enum ct_kind */
	uint8_t l4proto;                    /* timeouts: TCP or UDP */
	uint32_t seconds[CT_SECONDS_MAX];   /* CT_TIMEOUT */
	const char *helper;                 /* CT_HELPER: its name in the kernel */
	bool kept; /* no rule names it, but sessions may have it; no part of the hash */
	const struct origin *origin;
	struct ct_object *next;
	struct ct_object *bucket;
};

struct ruleset {
	struct chain *chains;
	struct set *sets;
	struct ct_object *objects;
	uint32_t n_chains, n_sets, n_objects;
	struct ruleset_kept kept;
	struct ruleset_store *store;        /* names, origins and the indexes by name */
};

/* New empty ruleset; the caller frees it. */
struct ruleset *ruleset_new(void);

/* One more owner: each of them frees it once. Returns rs; NULL is fine. */
struct ruleset *ruleset_hold(struct ruleset *rs);

/* Free a ruleset, when this was its last owner; NULL is fine. Returns NULL. */
struct ruleset *ruleset_free(struct ruleset *rs);

/* The name as a string that lives as long as the ruleset; equal names give equal pointers. */
const char *ruleset_name(struct ruleset *rs, const char *name);

/* Like ruleset_name, for a formatted name of at most 31 bytes. */
const char *ruleset_namef(struct ruleset *rs, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The origin for an object; lives as long as the ruleset. NULL for NULL. */
const struct origin *ruleset_origin(struct ruleset *rs, const struct object *obj);

/* Add a chain; its name must be new. */
struct chain *ruleset_add_chain(struct ruleset *rs, const char *name);

/* Add a base chain. */
struct chain *ruleset_add_base(struct ruleset *rs, const char *name, enum chain_type type,
			       enum chain_hook hook, int32_t priority);

/* Chain with this name, or NULL. */
struct chain *ruleset_chain(const struct ruleset *rs, const char *name);

/* Add a set or map with a key of the given fields (FIELD_NONE ends them); its name must be new. */
struct set *ruleset_add_set(struct ruleset *rs, const char *name, enum set_data data,
			    unsigned int flags, enum rule_field f1, enum rule_field f2,
			    enum rule_field f3, enum rule_field f4);

/* Set with this name, or NULL. */
struct set *ruleset_set(const struct ruleset *rs, const char *name);

/* Say why (enum ruleset_keep) sessions with this mark stay as they are when the rules change. */
void ruleset_keep(struct ruleset *rs, uint32_t mark, unsigned int why);

/* Whether a change of rules to these leaves sessions with this mark as they are. */
bool ruleset_keeps(const struct ruleset *rs, uint32_t mark);

/* Add a copy of an object; its name must be new, it and the helper's come from this ruleset. */
const struct ct_object *ruleset_add_object(struct ruleset *rs, const struct ct_object *object);

/*
 * Add the timeouts of another ruleset that this one does not have, as kept ones; at most so many,
 * those that lost their rules last first.
 */
void ruleset_keep_timeouts(struct ruleset *rs, const struct ruleset *from, uint32_t most);

/* Object with this name, or NULL. */
const struct ct_object *ruleset_object(const struct ruleset *rs, const char *name);

/* Bytes that a field takes in a key. */
unsigned int field_key_len(enum rule_field f);

/* Begin a new rule at the end of a chain; what follows is added to it. */
void chain_rule(struct chain *c);

/* Add a statement to the last rule. `name` must come from ruleset_name, or be a constant. */
void chain_stmt(struct chain *c, enum stmt_op op, enum rule_field f, uint32_t a, uint32_t b,
		const char *name);

/* Add a statement that looks up to four fields in a set or map. */
void chain_lookup(struct chain *c, enum stmt_op op, const char *set, enum rule_field f1,
		  enum rule_field f2, enum rule_field f3, enum rule_field f4);

/* A key under construction. */
struct key {
	unsigned char bytes[RULESET_KEY_MAX];
	unsigned int len;
};

#define KEY_INIT { .len = 0 }

/* Append a field to a key: value in host byte order. */
void key_num(struct key *k, enum rule_field f, uint32_t value);

/* Append an interface name to a key. */
void key_ifname(struct key *k, const char *name);

/* The number that a key of one field holds, host byte order. */
uint32_t key_value(const struct set *set, const unsigned char *key);

/*
 * Add an element with a key (for SET_INTERVAL: the first value of the range). The result may be
 * filled further until the next call for this set.
 */
struct elem *set_add(struct ruleset *rs, struct set *set, const struct key *key);

/* Sort the elements of all sets by key; of elements with one key the first added stays. */
void ruleset_sort(struct ruleset *rs);

/* Element with this key in a sorted set (SET_INTERVAL: the range that holds it), or NULL. */
const struct elem *set_find(const struct set *set, const unsigned char *key);

/* Equal in key, range and data. */
bool elem_equal(const struct set *set, const struct elem *a, const struct elem *b);

/* Equal in kind and rules. */
bool chain_equal(const struct chain *a, const struct chain *b);

/* Equal in kind, protocol and content. */
bool ct_object_equal(const struct ct_object *a, const struct ct_object *b);

/*
 * A number that changes with any change of a sorted ruleset's content (counters and what is kept
 * excepted).
 */
uint32_t ruleset_hash(const struct ruleset *rs);
