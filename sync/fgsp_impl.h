/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the state machine share; nobody else includes it. */
#pragma once

#include "backends/session.h"
#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/rate.h"
#include "sync/arq.h"
#include "sync/fgsp.h"
#include "sync/ladder.h"
#include "sync/prints.h"
#include "sync/record.h"

#define FGSP_MEMBERS CLUSTER_PEERS_MAX
#define FGSP_NOBODY 15               /* owner of copies whose owner is not known here (any more) */
#define FGSP_KEYS 3                  /* epochs of a member: in use, before that, to come */
#define FGSP_CHANNELS 64
#define FGSP_MARKS 32                /* points in a stream whose time is kept */
#define FGSP_PENDING 128             /* changes that wait for the end of the batch */
#define FGSP_WALKS 4                 /* numbers of walks in prints */
#define FGSP_CLAIMS 8192             /* claims that wait for the second look */

#define FGSP_MS UINT64_C(1000)
#define FGSP_S UINT64_C(1000000)
#define FGSP_NEVER UINT64_MAX

/* A set of buckets. */
struct fgsp_buckets {
	uint64_t word[PRINTS_BUCKETS / 64];
};

/* Sums of the sessions of one direction between two members, by bucket. */
struct fgsp_sums {
	uint64_t sum[PRINTS_BUCKETS];
	uint64_t count;
};

/* An address that leads to a peer. */
struct fgsp_site {
	unsigned int number;         /* first entry of cluster.peer with it */
	union net_addr ip;
	int member;                  /* -1: not known who is there */
	bool connecting;
	bool refused;                /* `why` says for what */
	bool away;                   /* it could not be connected to since it last was */
	uint64_t connect_us, backoff_us;
	char why[128];
};

struct fgsp_channel {
	bool used, initiator;
	bool ready;                  /* both sides have its keys */
	unsigned int number;
	unsigned int site;           /* index */
	int member;                  /* -1: before its HELLO */
	uint32_t epoch;
	uint64_t incarnation;        /* of this unit, as it was told */
	uint64_t begun_us;
	char serial[CLUSTER_SERIAL]; /* of the initiator */
	uint8_t master[SEAL_MASTER];
};

struct fgsp_key {
	struct seal *seal;           /* NULL: free */
	bool ready;                  /* the peer has it, too */
	uint64_t until_us;           /* after that it is forgotten */
	unsigned int channel;        /* where it comes from */
};

/* A point in the stream to a member and when it was put. */
struct fgsp_mark {
	uint64_t seq, wall_ns, now_us;
};

/* Another unit of the group. Its index is a bit of print.peers. */
struct fgsp_member {
	bool used;
	char serial[CLUSTER_SERIAL];
	uint16_t id;
	uint32_t entries;            /* of cluster.peer, as bits: its filters */
	uint64_t incarnation;        /* of this unit towards it */
	uint64_t theirs;
	uint32_t epoch;              /* of the keys in use, for listings */

	struct fgsp_key key[FGSP_KEYS];
	int sending;                 /* index of key; -1: none */
	uint64_t rekey_us;
	uint8_t mac[CLUSTER_DEVS_MAX][FGSP_MAC];
	bool has_mac[CLUSTER_DEVS_MAX];

	struct {                     /* counted with streams and ladders of before */
		uint64_t lost, repaired, link_changes, disconnects;
	} before;
	struct arq *arq;
	struct ladder *ladder;
	size_t payload_max;
	bool connected, has_link, blocked;
	uint64_t patience_us;        /* silence after which it is lost */
	uint64_t given_us;           /* before that it is not taken for lost */
	bool is_given;               /* that time has not come yet */
	uint64_t lost_us;            /* since when it is not connected */
	uint64_t moved_us;           /* it has acknowledged something, or had nothing to, or came */
	struct fgsp_mark mark[FGSP_MARKS];
	unsigned int n_marks;
	uint64_t acked_ns;

	struct fgsp_sums told;       /* our sessions that it has been told of */
	struct fgsp_sums copies;     /* copies here that it owns */

	struct fgsp_buckets next, now;       /* to be sent anew: by the next walk, by this one */
	bool sending_anew;           /* BEGIN has gone out */
	uint16_t resync;             /* number of the last one */
	const char *resync_why;
	uint64_t resyncs, resync_ns;
	uint64_t end_seq;            /* it is in sync once this is acknowledged; 0: no END yet */

	struct fgsp_buckets coming;  /* what it sends anew */
	uint16_t coming_number;
	bool is_coming, has_come;    /* has_come: all its sessions were sent here once */
	uint16_t round[PRINTS_BUCKETS];      /* times that it began to send a bucket anew */
	uint32_t copies_in[PRINTS_BUCKETS];  /* copies here that it owns, by bucket */
	uint64_t unheard;            /* those in `coming` that it has not told again yet */
	struct fgsp_buckets stale, stale_now;        /* not refreshed copies are to go */
	struct fgsp_buckets asked;   /* buckets that differ, while its sums come in */
	uint64_t ask_us, ask_wait_us;        /* when it may be asked, how long after that again */
	uint64_t digest_us;          /* when our sums are due */
};

/* A change of an own session that waits for others of the same batch. */
struct fgsp_pending {
	uint64_t fp;                 /* 0: free */
	uint16_t create, update;     /* members that are to hear it, as bits */
	bool unseen;
	struct ct ct;
};

/* A session that a member would like to take over. */
struct fgsp_claim {
	uint64_t fp, packets, due_us;
	uint32_t serial;
	uint8_t member, family, proto;
	uint16_t zone;
	struct ct_tuple tuple;
};

struct fgsp_walk {
	bool running, wanted;
	bool is_void;                /* it began under another configuration: its end is awaited */
	uint8_t number;              /* of prints that it has seen */
	uint64_t begun_us, due_us, not_before_us;
	uint64_t gone[1024];         /* bits by fingerprint: sessions that ended meanwhile */
	uint64_t settled;            /* settle_us that has passed: who is not known now is lost */
};

/* Copies that were not made for one reason. */
struct fgsp_missing {
	uint64_t n, next_us;         /* next_us: when that may be said again */
};

struct fgsp {
	struct fgsp_env env;
	struct cluster cluster;
	bool started;                /* there are peers and a key */
	uint16_t id;                 /* of this unit */
	uint64_t salt, forgotten;    /* what incarnations are made of */
	uint64_t now_us, settle_us;
	bool link_up[FGSP_LINKS];
	unsigned int link_mtu[FGSP_LINKS];
	union net_addr *local[2];    /* sorted; IPv4 and IPv6 */
	size_t n_local[2];

	struct fgsp_site site[CLUSTER_PEERS_MAX];
	unsigned int n_sites;
	struct fgsp_channel channel[FGSP_CHANNELS];
	struct fgsp_member member[FGSP_MEMBERS];
	uint16_t members;            /* those in use, as bits */

	struct prints *prints;
	bool walked;                 /* the table was read once: copies of before are known */
	struct fgsp_walk walk;
	struct fgsp_pending pending[FGSP_PENDING];
	unsigned int n_pending;
	struct fgsp_claim *claim;    /* a ring, in the order of due_us; NULL before the first */
	unsigned int first_claim, n_claims;
	uint8_t claimed[4096];       /* how many claims there are by low bits of the fingerprint */
	struct rate queries;         /* ours */

	bool ready;
	struct fgsp_stats stats;
	struct fgsp_missing unplaced, roomless;

	struct buf scratch;
	struct record in, out;
	struct fgsp_change change;
	uint8_t sealed[FGSP_DATAGRAM_MAX];
};

/* Parts of the first half of a label; the start is its second half. */
#define FGSP_LABEL_COPY (UINT64_C(1) << SESSION_LABEL_COPY)
#define FGSP_LABEL_SEEN (UINT64_C(1) << SESSION_LABEL_SEEN)
#define FGSP_LABEL_OWNER (UINT64_C(0xffff) << SESSION_LABEL_OWNER)
#define FGSP_LABEL_SERIAL (UINT64_C(0xffffffff) << SESSION_LABEL_SERIAL)
#define FGSP_LABEL_START UINT64_C(0x3ffffffffff)       /* of the second half */

/* ---- small things ---- */

static inline bool fgsp_has_bucket(const struct fgsp_buckets *b, unsigned int n) {
	return b->word[n / 64] >> n % 64 & 1;
}

static inline void fgsp_add_bucket(struct fgsp_buckets *b, unsigned int n) {
	b->word[n / 64] |= UINT64_C(1) << n % 64;
}

static inline bool fgsp_any_bucket(const struct fgsp_buckets *b) {
	uint64_t any = 0;

	for (unsigned int i = 0; i < PRINTS_BUCKETS / 64; i++)
		any |= b->word[i];
	return any;
}

static inline void fgsp_join_buckets(struct fgsp_buckets *b, const struct fgsp_buckets *more) {
	for (unsigned int i = 0; i < PRINTS_BUCKETS / 64; i++)
		b->word[i] |= more->word[i];
}

static inline void fgsp_drop_buckets(struct fgsp_buckets *b, const struct fgsp_buckets *less) {
	for (unsigned int i = 0; i < PRINTS_BUCKETS / 64; i++)
		b->word[i] &= ~less->word[i];
}

static inline uint64_t fgsp_min(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}

/* All members in turn, `m` and its index `i`; both are declared here. */
#define FGSP_EACH_MEMBER(f, m, i) \
	for (unsigned int i = 0; i < FGSP_MEMBERS; i++) \
		for (__typeof__(&(f)->member[0]) m = &(f)->member[i]; m && m->used; m = NULL)

static inline unsigned int fgsp_index(const struct fgsp *f, const struct fgsp_member *m) {
	return (unsigned int)(m - f->member);
}

/* A line for the log. */
void fgsp_log(const struct fgsp *f, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- fgsp_peer.c: who is there ---- */

/* Make sites, members and links what the configuration says; members without a site are dropped. */
void fgsp_peer_configure(struct fgsp *f);

/* Connect, close and forget what is due. */
void fgsp_peer_poll(struct fgsp *f);

/* When that is. */
uint64_t fgsp_peer_deadline(const struct fgsp *f);

/* The member with a unit id, or -1. */
int fgsp_peer_find(const struct fgsp *f, uint16_t id);

/* Release all members and forget channels, which are closed if `close`. */
void fgsp_peer_done(struct fgsp *f, bool close);

/* ---- fgsp_link.c: datagrams ---- */

/* Note when what was put so far went out, for listings. */
void fgsp_link_mark(struct fgsp *f, struct fgsp_member *m);

/* Give a new member its ladder and stream, or begin them anew. */
void fgsp_link_begin(struct fgsp *f, struct fgsp_member *m);

/* Make links, timing and sizes of datagrams of a member what the configuration says. */
void fgsp_link_configure(struct fgsp *f, struct fgsp_member *m);

/* Beats, links that are lost, repetitions. */
void fgsp_link_poll(struct fgsp *f);

/* When that is. */
uint64_t fgsp_link_deadline(const struct fgsp *f);

/* Send what a member's stream holds; with flush, datagrams that are not full, too. */
void fgsp_link_pump(struct fgsp *f, struct fgsp_member *m, bool flush);

/* Put a record, f->out, into a member's stream. False: its queue is full. */
bool fgsp_link_put(struct fgsp *f, struct fgsp_member *m);

/* Put f->scratch, an encoded record, into a member's stream. False: its queue is full. */
bool fgsp_link_put_encoded(struct fgsp *f, struct fgsp_member *m);

/* Whether a member's queue takes much again after it was full. */
bool fgsp_link_has_room(const struct fgsp *f, const struct fgsp_member *m);

/* Whether a member that is there has taken nothing for long of what waits for it. */
bool fgsp_link_stuck(const struct fgsp *f, const struct fgsp_member *m);

/* When it will be, if it goes on as now. */
uint64_t fgsp_link_patience(const struct fgsp_member *m);

/* Whether a member that is known is not there. */
bool fgsp_link_lost(const struct fgsp *f, const struct fgsp_member *m);

/* ---- fgsp_session.c: what is said of sessions ---- */

/* State and status of an entry as prints keep them. */
uint8_t fgsp_session_state(const struct ct *ct);

/* A print is told as this entry is. */
void fgsp_session_note(struct print *p, const struct ct *ct);

/* State and status as they were told last, into an entry. */
void fgsp_session_restate(const struct print *p, struct ct *ct);

/* Whether this is, as far as is known, the mark that was told last. */
bool fgsp_session_is_mark(const struct print *p, const struct ct *ct);

/* When a session began, in ns since 1970: by its label, or by the kernel. */
uint64_t fgsp_session_start(const struct ct *ct);

/* Whose an entry is. */
enum fgsp_whose { FGSP_OWN, FGSP_ADOPTED, FGSP_COPY };
enum fgsp_whose fgsp_session_whose(const struct fgsp *f, const struct ct *ct);

/* Members that are to have an own session, as bits. */
uint16_t fgsp_session_want(const struct fgsp *f, const struct ct *ct);

/* Whether it begins or ends at this unit: such a one is neither told to anyone nor taken. */
bool fgsp_session_is_local(const struct fgsp *f, const struct ct *ct);

/* The walk has come to an entry: say what is to be said of it. */
void fgsp_session_walk(struct fgsp *f, const struct ct *ct);

/* Make an entry's print one of an own session, and tell it. */
void fgsp_session_own(struct fgsp *f, struct print *p, const struct ct *ct, bool seen);

/* Forget that members (bits) were told of a session. */
void fgsp_session_untell(struct fgsp *f, struct print *p, uint16_t members);

/*
 * Say something of a session to members (bits), now. flag: as in struct record unseen, from_copy,
 * or expired, whichever the type has.
 */
void fgsp_session_say(struct fgsp *f, enum record_type type, const struct ct *ct, uint32_t serial,
		      bool flag, uint16_t members);

/* Tell a session to members (bits) that perhaps were told before, now. */
void fgsp_session_create(struct fgsp *f, struct print *p, const struct ct *ct, uint16_t members);

/* The print of the session that an expected one belongs to; NULL: not known. */
struct print *fgsp_session_master(const struct fgsp *f, const struct ct_expect *e);

/* Say what waits for the end of the batch. */
void fgsp_session_flush(struct fgsp *f);

/* ---- fgsp_copy.c: copies of sessions of others ---- */

/* What a copy has to live, of a session whose owner says what it has left: both in seconds. */
uint32_t fgsp_copy_timeout(uint32_t left);

/* Make or refresh the copy that f->in, a CREATE of a member, describes. */
void fgsp_copy_create(struct fgsp *f, struct fgsp_member *m);

/* A print becomes a copy of a member, or of nobody; it must not be one already. */
void fgsp_copy_print(struct fgsp *f, struct print *p, unsigned int owner, uint32_t serial);

/* A print is no copy any more. */
void fgsp_copy_unprint(struct fgsp *f, struct print *p);

/* Take a copy over, whose entry in the kernel is *ct; `seen`: packets were seen here. */
void fgsp_copy_adopt(struct fgsp *f, struct print *p, const struct ct *ct, bool seen);

/* Leave an own session to a member, whose copy it becomes. */
void fgsp_copy_yield(struct fgsp *f, struct print *p, const struct ct *ct, unsigned int owner);

/* A copy was found in the kernel's table. */
void fgsp_copy_walk(struct fgsp *f, struct print *p, uint64_t fp, const struct ct *ct);

/* An event showed a copy. */
void fgsp_copy_changed(struct fgsp *f, struct print *p, uint64_t fp, const struct ct *ct);

/*
 * Queue a write of part of an entry: `fields`, and of its label the bits label_mask and its start.
 */
void fgsp_copy_update(struct fgsp *f, const struct ct *ct, unsigned int fields,
		      uint64_t label_mask);

/* Queue a delete of the copy with this serial; `unseen`: unless a packet of it came here. */
void fgsp_copy_delete(struct fgsp *f, const struct ct *ct, uint32_t serial, bool unseen);

/* ---- fgsp_take.c: what members say ---- */

/* Take the records of one datagram of a member. False: not to be understood. */
bool fgsp_take(struct fgsp *f, struct fgsp_member *m, const uint8_t *data, size_t len);

/* Claims whose second look is due. */
void fgsp_take_poll(struct fgsp *f);

/* When that is. */
uint64_t fgsp_take_deadline(const struct fgsp *f);

/* Claims of a member that is dropped. */
void fgsp_take_forget(struct fgsp *f, unsigned int member);

/* ---- fgsp_resync.c: that both sides agree ---- */

/* Walk the table soon. */
void fgsp_resync_walk(struct fgsp *f);

/* A bucket of what a member was told is to be sent anew. */
void fgsp_resync_bucket(struct fgsp_member *m, unsigned int bucket, const char *why);

/* All of it. */
void fgsp_resync_all(struct fgsp_member *m, const char *why);

/* RESYNC_ASK, _BEGIN, _END and DIGEST of a member, in f->in. */
void fgsp_resync_take(struct fgsp *f, struct fgsp_member *m);

/* Whether somebody can be sent now what it lacks: with the next walk. */
void fgsp_resync_check(struct fgsp *f);

/* Walks, sums and points in streams that are due. */
void fgsp_resync_poll(struct fgsp *f);

/* When that is. */
uint64_t fgsp_resync_deadline(const struct fgsp *f);

/* Whether our sessions are all at a member. */
bool fgsp_resync_done(const struct fgsp_member *m);

/* ---- fgsp_info.c: what commands show ---- */

/* Keep what a member's stream and ladder have counted: they are about to begin anew. */
void fgsp_info_keep(struct fgsp_member *m);
