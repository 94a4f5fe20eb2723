/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replication of sessions as one state machine: time and messages in, messages out, no I/O and
 * nothing that blocks; README.md here is the protocol. The daemon and the simulator of the tests
 * drive the same code.
 *
 * now_us is microseconds of a clock that only goes forward. All functions that take it may call
 * back into struct fgsp_env; nothing there may call the machine again. After a batch of input comes
 * fgsp_flush(); at fgsp_deadline(), fgsp_poll().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/cluster.h"
#include "backends/ct.h"
#include "sync/seal.h"

struct fgsp;

/* ---- links and channels ---- */

/*
 * Links have numbers: peerip number n of the configuration is n (the first entry of cluster.peer
 * with that address counts), session-sync-dev number n is FGSP_L2 + n.
 */
#define FGSP_L2 16
#define FGSP_LINKS (FGSP_L2 + CLUSTER_DEVS_MAX)
#define FGSP_ANY UINT32_MAX          /* not known which */

#define FGSP_MAC 6                   /* bytes of a hardware address */
#define FGSP_DATAGRAM_MAX 9216       /* bytes of the longest datagram */

/* A connection that stands, with its TLS handshake done. */
struct fgsp_channel_info {
	bool initiator;              /* this unit has connected */
	unsigned int peer;           /* the peerip connected to, or it came from; FGSP_ANY */
	char serial[CLUSTER_SERIAL]; /* of the initiator: identity of its key */
	uint8_t master[SEAL_MASTER]; /* exported secret */
};

/* ---- what the kernel is asked ---- */

enum fgsp_write { FGSP_CREATE, FGSP_UPDATE, FGSP_DELETE, FGSP_EXPECT };

/* What an UPDATE changes. */
#define FGSP_STATE 1u                /* ct.state */
#define FGSP_STATUS 2u               /* ct.status: SEEN_REPLY and ASSURED are set, never cleared */
#define FGSP_TIMEOUT 4u              /* ct.timeout */
#define FGSP_LABEL 8u                /* bits label_mask of ct.label */
#define FGSP_MARK 16u                /* ct.mark */
#define FGSP_LIBERAL 32u             /* windows of TCP are not checked from then on */

/*
 * A write. Those of one batch happen in order. Valid only during the call.
 *
 * CREATE: all of ct, label included; ct.timeout has the grace in it. UPDATE: `fields`; ct holds
 * the rest of the session, too, where `whole`. DELETE: an entry with the tuple and zone of ct, if
 * its label agrees with ct.label in label_mask: another one in its place stays, and nothing is
 * reported.
 */
struct fgsp_change {
	enum fgsp_write what;
	unsigned int fields;
	bool whole;
	uint64_t label_mask[2];
	uint32_t cookie;             /* the machine's own; comes back with a failure */
	struct ct ct;
	const struct ct_expect *expect;      /* EXPECT: the rest is zero */
};

/* What the machine asks of the outside. Every call returns at once; none calls the machine. */
struct fgsp_env {
	void *arg;                   /* of all */
	size_t queue_bytes;          /* of what is not yet acknowledged, for each peer; 0: 8 MB */
	bool slow_aes;               /* this processor has no AES: ask for ChaCha20 */
	/*
	 * Send a sealed datagram over a link. With layer 2, mac is the peer's, NULL for the group
	 * address. False: not now, its buffer is full.
	 */
	bool (*datagram)(void *arg, unsigned int link, const uint8_t *mac, const uint8_t *data,
			 size_t len);
	/* Connect to a peerip; fgsp_channel_up() follows, or fgsp_connect_failed(). */
	void (*connect)(void *arg, unsigned int peer);
	/* Send a frame on a channel; its length in front is the channel's business. */
	void (*frame)(void *arg, unsigned int channel, const uint8_t *data, size_t len);
	/* Close a channel after what was sent on it; fgsp_channel_down() does not follow. */
	void (*close)(void *arg, unsigned int channel);
	/*
	 * Queue a write. A failure comes back by fgsp_write_failed(), not from within a call of the
	 * machine. A CREATE must be refused with EEXIST where the kernel would choose another reply
	 * tuple than the one that is asked for.
	 */
	void (*write)(void *arg, const struct fgsp_change *change);
	/*
	 * Read the entry with this original or reply tuple now, after all writes that were queued.
	 * False: there is none.
	 */
	bool (*get)(void *arg, struct ct *ct);
	/*
	 * Begin to walk the table: fgsp_walk_entry() for each, then fgsp_walk_end(). The machine
	 * asks for one walk at a time.
	 */
	void (*walk)(void *arg);
	/* Seconds that the kernel gives an entry in its state with each packet; 0: not known. */
	uint32_t (*timeout)(void *arg, const struct ct *ct);
	/* Whether the table is so full that what is left of it is for own sessions. */
	bool (*full)(void *arg);
	/* Whether a session comes in by srcintf and goes out by dstintf; "": any. */
	bool (*interfaces)(void *arg, const struct ct *ct, const char *srcintf,
			   const char *dstintf);
	/* The tables of the peers are in, or they are lost: held interfaces may go up. Once. */
	void (*ready)(void *arg);
	/* A line for the log; priority as in syslog(3). */
	void (*log)(void *arg, int priority, const char *text);
	/* 64 random bits. */
	uint64_t (*random)(void *arg);
	/* Time since 1970 in ns; may jump. */
	uint64_t (*wall_ns)(void *arg);
};

/* A machine without peers; *env is copied. The caller frees it. */
struct fgsp *fgsp_new(const struct fgsp_env *env, uint64_t now_us);

/* Free with all that it holds; channels are not closed. NULL is fine. Returns NULL. */
struct fgsp *fgsp_free(struct fgsp *f);

/*
 * Take a configuration, which is copied. Peers that stay keep their streams; with another key, all
 * begin anew. Links that are new or have another number are down until fgsp_link() says more.
 */
void fgsp_configure(struct fgsp *f, const struct cluster *c, uint64_t now_us);

/* The unit's own addresses, IPv4 and IPv6: sessions from and to them are never told. Copied. */
void fgsp_locals(struct fgsp *f, const union net_addr *addr4, size_t n4,
		 const union net_addr *addr6, size_t n6);

/* ---- time ---- */

/* Do what is due. */
void fgsp_poll(struct fgsp *f, uint64_t now_us);

/* When fgsp_poll() has something to do, in us; UINT64_MAX: never. */
uint64_t fgsp_deadline(const struct fgsp *f);

/* The end of a batch of input: what was said of sessions goes out. */
void fgsp_flush(struct fgsp *f, uint64_t now_us);

/* ---- messages ---- */

/* A channel stands; its number is the caller's and in use until it is closed or down. */
void fgsp_channel_up(struct fgsp *f, unsigned int channel, const struct fgsp_channel_info *info,
		     uint64_t now_us);

/* A frame came on a channel, without its length in front. */
void fgsp_frame(struct fgsp *f, unsigned int channel, const uint8_t *data, size_t len,
		uint64_t now_us);

/* A channel is gone. */
void fgsp_channel_down(struct fgsp *f, unsigned int channel, uint64_t now_us);

/* What connect() asked for did not come about; why is one line for an administrator. */
void fgsp_connect_failed(struct fgsp *f, unsigned int peer, const char *why, uint64_t now_us);

/*
 * A datagram came, over a link (layer 3: the peerip it came from, or FGSP_ANY); mac is the sender's
 * on layer 2, else NULL. It is opened in place.
 */
void fgsp_datagram(struct fgsp *f, unsigned int link, const uint8_t *mac, uint8_t *data, size_t len,
		   uint64_t now_us);

/* What the system says of a link, and the MTU of its interface (IP packet, or Ethernet payload). */
void fgsp_link(struct fgsp *f, unsigned int link, bool up, unsigned int mtu, uint64_t now_us);

/* A link whose buffer was full takes datagrams again. */
void fgsp_writable(struct fgsp *f, uint64_t now_us);

/* ---- the kernel ---- */

/* GONE: somebody has ended it. EXPIRED: the kernel did, by itself. */
enum fgsp_event { FGSP_NEW, FGSP_CHANGED, FGSP_GONE, FGSP_EXPIRED };

/*
 * An event of connection tracking; by_us: it is of a write of ours. The end has no label, and the
 * others need not tell when the session began.
 */
void fgsp_event(struct fgsp *f, enum fgsp_event what, const struct ct *ct, bool by_us,
		uint64_t now_us);

/* A helper expects a connection. */
void fgsp_expect(struct fgsp *f, const struct ct_expect *expect, uint64_t now_us);

/* Events were lost. */
void fgsp_overrun(struct fgsp *f, uint64_t now_us);

/* An entry of the walk that was asked for. */
void fgsp_walk_entry(struct fgsp *f, const struct ct *ct, uint64_t now_us);

/* The walk is over; whole: every entry was there. */
void fgsp_walk_end(struct fgsp *f, bool whole, uint64_t now_us);

/* Whether the walk may go on; false: queues are full, ask again after the next fgsp_poll(). */
bool fgsp_walk_room(const struct fgsp *f);

/*
 * A write was refused with this errno; the change is as it was given. EEXIST: the original or the
 * reply tuple of a CREATE is taken; ENOENT: there is no such entry.
 */
void fgsp_write_failed(struct fgsp *f, const struct fgsp_change *change, int error,
		       uint64_t now_us);

/* ---- commands ---- */

/* Send everything to all peers anew. */
void fgsp_resync(struct fgsp *f, uint64_t now_us);

/* Records of sessions, as `diagnose sys session sync` counts them. */
struct fgsp_records {
	uint64_t create, create_expect, update, delete, delete_expect, query;
};

/* Datagrams of a layer. */
struct fgsp_packets {
	uint64_t send, recv;
	uint64_t alloc_fail;         /* not sent: buffer full */
	uint64_t recv_err;           /* not of a member, forged, replayed, or not understood */
	uint64_t sz_err;             /* shorter or longer than any can be */
};

/* Counters are totals since the machine was made: they never go down. */
struct fgsp_stats {
	struct fgsp_records sent, received;
	struct fgsp_packets ses, udp;        /* layer 2, layer 3 */
	uint64_t refused;            /* peers refused at the handshake */
	uint64_t clashes;            /* copies that met another session in their place */
	uint64_t no_room;            /* copies not made because the table is nearly full */
	uint64_t adopted, yielded;   /* sessions taken over from and left to peers */
	uint64_t overruns;           /* times that events were lost */
	uint64_t full;               /* records that found a queue full */
	uint64_t write_errors;       /* writes that failed for good */
	uint64_t own, copies;        /* known now: own sessions that peers have, and copies */
	size_t memory;               /* bytes held for sessions and queues now */
	bool started;                /* there are peers and a key */
	bool ready;                  /* env.ready() was called */
	unsigned int mtu;            /* of the link in use with the smallest one, 0 without any */
};

/* Copy the counters and what there is to see now. */
void fgsp_stats(const struct fgsp *f, struct fgsp_stats *stats);

enum fgsp_peer_state {
	FGSP_PEER_CONNECTING,        /* no handshake yet */
	FGSP_PEER_REFUSED,           /* `why` says for what; tried again */
	FGSP_PEER_LOST,              /* known, but no link reaches it */
	FGSP_PEER_SYNCING,           /* our sessions are not all there yet, or its not all here */
	FGSP_PEER_IN_SYNC,
};

struct fgsp_peer_info {
	unsigned int peer;           /* the first peerip that leads there */
	enum fgsp_peer_state state;
	char why[128];               /* one line, also of a connection that failed; or "" */
	char serial[CLUSTER_SERIAL]; /* "": not known yet */
	uint16_t unit_id;
	uint32_t epoch;              /* of the keys we send under; 0: none */
	char link[512];              /* "layer 2 (port3, port4)", "layer 3 (192.0.2.2)", "none" */
	uint32_t rtt_us;             /* 0: not known */
	uint64_t lag_records;        /* queued or not acknowledged */
	uint64_t lag_us;             /* since the oldest of them was put */
	uint64_t lost;               /* datagrams found missing here and asked for */
	uint64_t repaired;           /* datagrams sent once more */
	uint64_t link_changes, disconnects;
	uint64_t resyncs;            /* times that buckets were sent anew to it */
	uint64_t resync_ns;          /* wall clock of the last time; 0: never */
	const char *resync_why;      /* a constant; "" */
	uint64_t acked_ns;           /* it has all up to this time since 1970; 0: not in sync */
	uint64_t told, copies;       /* our sessions there, its sessions here */
};

/*
 * Copy what is known of peer number i (from 0), as of the last call that took the time; false:
 * there are not as many.
 */
bool fgsp_peer_info(const struct fgsp *f, unsigned int i, struct fgsp_peer_info *info);

/* Name of a state, as `diagnose sys ha standalone-peers` prints it; a constant. */
const char *fgsp_peer_state_name(enum fgsp_peer_state state);
