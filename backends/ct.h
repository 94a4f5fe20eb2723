/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's connection tracking table, spoken to over ctnetlink: one entry as a struct of fixed
 * size, a listing that is read in small bites, and requests that are answered at once.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/net.h"

enum ct_dir { CT_ORIG, CT_REPLY };

/* One direction of an entry, numbers in host byte order. */
struct ct_tuple {
	union net_addr src, dst;
	uint16_t sport, dport;   /* ICMP: id, and type */
	uint8_t icmp_code;
};

struct ct_counter {
	uint64_t packets, bytes;
};

/* How sequence numbers of one direction are shifted. */
struct ct_seqadj {
	uint32_t pos;
	int32_t before, after;
};

#define CT_HELPER_MAX 16   /* bytes in a helper's name, with its end */

/* An entry. What the kernel did not tell is zero. */
struct ct {
	struct ct_tuple tuple[2];            /* by enum ct_dir; reply as the kernel expects it */
	uint8_t family, proto;               /* AF_INET or AF_INET6; IPPROTO_* */
	uint8_t state;                       /* TCP_CONNTRACK_* or SCTP_CONNTRACK_* */
	uint32_t vtag[2];                    /* of SCTP: verification tags, by enum ct_dir */
	bool has_master;                     /* it was expected by another entry: */
	uint8_t master_proto;
	struct ct_tuple master;              /* the original tuple of that one */
	uint16_t zone;
	uint32_t status;                     /* IPS_* */
	uint32_t timeout;                    /* seconds to live */
	uint32_t mark, id, use;
	uint64_t start_ns, stop_ns;          /* since 1970 */
	struct ct_counter count[2];
	struct ct_seqadj seqadj[2];
	uint64_t label[2];                   /* bit n of 128 is bit n % 64 of label[n / 64] */
	char helper[CT_HELPER_MAX];          /* printable, without blanks; "" when there is none */
};

#define CT_EXPECT_FN_MAX 32   /* bytes in the name of what the kernel does, with its end */

/*
 * A session that a helper expects, because another one, its master, has announced it. What the
 * kernel did not tell is zero.
 */
struct ct_expect {
	struct ct_tuple tuple, mask;         /* a bit of the tuple counts where mask has a 1 */
	struct ct_tuple master;              /* the original tuple of the master */
	uint8_t family, proto, master_proto;
	bool has_nat;                        /* it will be translated: */
	enum ct_dir nat_dir;                 /* its first packet goes this way of the master */
	/*
	 * Its source is what translation leads to: without an address, that of the master; with
	 * GRE the number is that of the call before translation.
	 */
	struct ct_tuple nat;
	uint16_t zone;                       /* Linux 6.18 does not tell it */
	uint32_t timeout;                    /* seconds to wait */
	uint32_t id, class;
	uint32_t flags;                      /* NF_CT_EXPECT_* */
	char helper[CT_HELPER_MAX];          /* of the master; as in struct ct */
	char fn[CT_EXPECT_FN_MAX];           /* what the kernel does then; "": nothing */
};

/* ---- messages ---- */

/*
 * Read a message of the kernel about one entry. False when it is about something else or lacks what
 * every entry has: both tuples with addresses and protocol. All nlmsg_len bytes of the message must
 * be there; what is in them may be anything.
 */
bool ct_decode(const struct nlmsghdr *nlh, struct ct *ret);

/*
 * Read a message about an expected session, of a listing or an event, in the same way. False when
 * it is about something else or lacks a tuple: the expected one, its mask or the master's.
 */
bool ct_decode_expect(const struct nlmsghdr *nlh, struct ct_expect *ret);

/* What a listing asks the kernel for; what is zero is not asked. */
struct ct_kernel_filter {
	uint8_t family;
	uint32_t mark, mark_mask;
	uint32_t status, status_mask;
	bool has_zone;                       /* ignored by kernels before 6.8 */
	uint16_t zone;
	/* Values of the tuples that must be equal: CT_FILTER_*; they need a family. */
	uint8_t fields[2];                   /* by enum ct_dir */
	uint8_t proto;
	struct ct_tuple tuple[2];
};

#define CT_FILTER_SRC 1u
#define CT_FILTER_DST 2u
#define CT_FILTER_PROTO 4u
#define CT_FILTER_SPORT 8u             /* these two need CT_FILTER_PROTO */
#define CT_FILTER_DPORT 16u

/* Whether tuples of this protocol have ports, or what stands for them with ICMP. */
bool ct_has_ports(uint8_t proto);

/* Whether it is ICMP of either family. */
bool ct_is_icmp(uint8_t proto);

#define CT_MESSAGE_MAX 1024            /* bytes in a request */

/*
 * Begin a request in data (CT_MESSAGE_MAX bytes, zeroed) to a subsystem (NFNL_SUBSYS_CTNETLINK or
 * NFNL_SUBSYS_CTNETLINK_EXP).
 */
struct nlmsghdr *ct_encode_begin(char *data, uint8_t subsystem, uint8_t type, uint16_t flags,
				 uint8_t family);

/* Add a tuple, of the family and protocol of ct, as attribute CTA_TUPLE_*. */
void ct_encode_tuple(struct nlmsghdr *nlh, uint16_t attr, const struct ct *ct,
		     const struct ct_tuple *tuple);

/* Add what names an entry: the original tuple and the zone. */
void ct_encode_key(struct nlmsghdr *nlh, const struct ct *ct);

/* Add the conditions of a listing; those on tuples only `with_tuples`. */
void ct_encode_filter(struct nlmsghdr *nlh, const struct ct_kernel_filter *filter,
		      bool with_tuples);

/* ---- listings ---- */

struct ct_dump;

enum ct_dump_state { CT_DUMP_MORE, CT_DUMP_END, CT_DUMP_ERROR };

/*
 * Begin to list, on a socket of its own that never blocks; NULL and *err when that fails. filter
 * may be NULL. Conditions that the kernel does not know are left out: the entries are always a
 * superset of what was asked. The kernel walks on until it has filled about 32 KB or has seen the
 * whole table, so a filter that matches little makes one call cost up to 0.4 us per entry in
 * the table.
 */
struct ct_dump *ct_dump_open(const struct ct_kernel_filter *filter, struct err *err);

/*
 * List once more, after CT_DUMP_END; 0, or *err. Where rules change at the same time this is much
 * faster than a new socket: closing one waits until the kernel has let go of the old rules.
 */
int ct_dump_again(struct ct_dump *d, struct err *err);

/* End the listing at any time; NULL is fine. Returns NULL. */
struct ct_dump *ct_dump_close(struct ct_dump *d);

/* The descriptor that is readable while there is more. */
int ct_dump_fd(const struct ct_dump *d);

/*
 * Take one bite of at most 32 KB, without waiting; each() sees every entry once, those that begin
 * or end meanwhile perhaps not. CT_DUMP_END: that was all. CT_DUMP_ERROR: *err says why the listing
 * is not whole.
 */
enum ct_dump_state ct_dump_next(struct ct_dump *d, void (*each)(void *arg, const struct ct *ct),
				void *arg, struct err *err);

/* Begin to list expected sessions of both families, as ct_dump_open. */
struct ct_dump *ct_dump_open_expect(struct err *err);

/* Take one bite of that listing, as ct_dump_next; each() sees every expected session once. */
enum ct_dump_state ct_dump_next_expect(struct ct_dump *d,
				       void (*each)(void *arg, const struct ct_expect *e),
				       void *arg, struct err *err);

/* ---- requests ---- */

/* A socket for requests, one at a time; none waits. */
struct ct_netlink;

/* Open a socket to the current network namespace; NULL and *err when that fails. */
struct ct_netlink *ct_open(struct err *err);

/* Close; NULL is fine. Returns NULL. */
struct ct_netlink *ct_close(struct ct_netlink *nl);

/*
 * Read the entry with the family, protocol, original tuple and zone of *ct into *ct; the tuple of
 * its reply finds it, too. ERR_NOT_FOUND when there is none.
 */
int ct_get(struct ct_netlink *nl, struct ct *ct, struct err *err);

#define CT_GET_MAX 64                  /* entries read at once */

/*
 * Read n entries in the same way, all with one system call to ask; there[i] says whether ct[i] was
 * found. On an error, *err says why the rest is not there.
 */
int ct_get_all(struct ct_netlink *nl, struct ct *ct, bool *there, size_t n, struct err *err);

/*
 * Delete an entry, named by tuple, zone and id, so that another one in its place stays.
 * ERR_NOT_FOUND when it is gone already.
 */
int ct_delete(struct ct_netlink *nl, const struct ct *ct, struct err *err);

/* Set the bits `mask` of an entry's mark, named by tuple and zone. ERR_NOT_FOUND as above. */
int ct_set_mark(struct ct_netlink *nl, const struct ct *ct, uint32_t mark, uint32_t mask,
		struct err *err);

/* Set the bits `mask` of an entry's label likewise. */
int ct_set_label(struct ct_netlink *nl, const struct ct *ct, const uint64_t label[2],
		 const uint64_t mask[2], struct err *err);

/* Set the time an entry has left, in seconds, named by tuple and zone. ERR_NOT_FOUND as above. */
int ct_set_timeout(struct ct_netlink *nl, const struct ct *ct, uint32_t seconds, struct err *err);

/* Entries of this namespace, and how many there may be (0: the kernel does not say). */
int ct_count(struct ct_netlink *nl, uint32_t *count, uint32_t *max, struct err *err);

/* What connection tracking of this namespace has counted, summed over processors. */
struct ct_stats {
	uint64_t found, invalid, insert, insert_failed, drop, early_drop, error, search_restart;
	uint64_t clash_resolve, chain_toolong;
};

/* Read the counters. */
int ct_stats(struct ct_netlink *nl, struct ct_stats *ret, struct err *err);

/* How many connections are expected by helpers. */
int ct_expect_count(struct ct_netlink *nl, uint32_t *count, struct err *err);
