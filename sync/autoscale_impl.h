/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the state machine share; nobody else includes it. */
#pragma once

#include "cfgdb/base/mem.h"
#include "cfgdb/base/rate.h"
#include "cfgdb/control/ctl.h"
#include "sync/autoscale.h"
#include "sync/autoscale_index.h"

#define AUTOSCALE_VERSION 1
#define AUTOSCALE_OLDEST 1
#define AUTOSCALE_S UINT64_C(1000000)
#define AUTOSCALE_NEVER UINT64_MAX
#define AUTOSCALE_LOST_AFTER 3       /* heartbeats */
#define AUTOSCALE_CHANNELS (2 * MEMBERS_MAX + 16)
#define AUTOSCALE_SITES (MEMBERS_MAX + 2)
#define AUTOSCALE_RECENT 16          /* revisions whose digests are remembered */
#define AUTOSCALE_INQUIRIES 8
#define AUTOSCALE_INQUIRY (UINT32_C(1) << 31) /* in the ids of what administrators ask */
#define AUTOSCALE_INDEX_PAGE 2000    /* objects in one answer */
#define AUTOSCALE_ANSWER_MAX (AUTOSCALE_MESSAGE_MAX - 4096)  /* bytes of the list in it */
#define AUTOSCALE_PUSH_MAX (256u << 10) /* bytes of changes that are sent as they come */
#define AUTOSCALE_COPY_MAX ((size_t)32 << 20) /* bytes that one table's index may take here */

struct autoscale_channel;

/* Another member. */
struct autoscale_member {
	char serial[MEMBER_SERIAL], vmid[MEMBER_VMID], hostname[AUTOSCALE_NAME];
	char schema[AUTOSCALE_SCHEMA];
	union net_addr ip;
	bool primary;                /* by what was heard or told last */
	bool is_standing, refused;
	bool in_step, told_behind;   /* of a primary's secondary, as the history has it last */
	bool listed;                 /* secondary: the primary's list had it, or gatehoused */
	struct autoscale_standing standing;
	struct autoscale_channel *channel;   /* NULL: not connected */
	int64_t heard_us;            /* of our clock; may lie before its start */
	int64_t heard_s, connected_s, synced_s;
	char why[AUTOSCALE_TROUBLE];
	uint64_t messages_sent, messages_received, bytes_sent, bytes_received;
	uint64_t pushes, questions, losses;
};

struct autoscale_channel {
	unsigned int number;
	bool ended;                  /* closed: it goes when the call of the machine ends */
	char initiator[MEMBER_SERIAL];
	union net_addr ip;
	struct autoscale_member *member;     /* NULL: before its HELLO */
	uint64_t begun_us, heard_us;
	uint64_t beat_us;            /* when the next BEAT is due */
	uint64_t beaten_us;          /* of the last one */
	uint64_t told;               /* revision of ours that it has heard of */
	uint64_t close_us;           /* its key is not ours any more */
	uint32_t members_version;    /* of the list that it has */
	uint64_t pushed;             /* changes since this are on their way to it; 0: none */
	uint64_t pull;               /* the same could not be pushed: it is to ask */
	uint32_t asking[2];          /* ids of its questions under way; 0: none */
	struct rate questions;
};

/* An address to connect to. */
struct autoscale_site {
	union net_addr ip;
	bool connecting, wanted;
	uint64_t next_us, backoff_us;
};

/* ---- questions to gatehoused ---- */

/* A channel that waits for an answer; id 0: it is to hear of changes. */
struct autoscale_waiter {
	unsigned int channel;
	uint32_t id;
};

struct autoscale_question;
typedef void autoscale_done_fn(struct autoscale_machine *m, struct autoscale_question *q);

/* One in the queue, and its answer as it comes. */
struct autoscale_question {
	struct autoscale_question *next;
	struct buf request;
	autoscale_done_fn *done;     /* NULL: nobody is interested any more */
	bool asked, again;           /* again: to be asked once more if gatehoused goes away */
	enum autoscale_type answer;  /* message that is made of the answer, where one is */
	uint64_t since;              /* of CHANGES */
	bool goes_on;                /* INDEX: it is not the first page */
	struct autoscale_waiter *waiter;
	unsigned int n_waiters;
	uint32_t inquiry;
	/* the answer */
	uint64_t revision, time_s;
	char user[AUTOSCALE_NAME], source[AUTOSCALE_NAME];
	uint32_t n;
	struct buf list;
	bool is_full;                /* the rest of the list had no room */
	int32_t code;                /* 0: OK */
	char text[AUTOSCALE_TROUBLE];
	uint64_t parked_us;
};

/* ---- copying from the primary ---- */

enum autoscale_step {
	AUTOSCALE_IDLE,
	AUTOSCALE_GET_CHANGES,       /* asked for what has changed since */
	AUTOSCALE_GET_TABLES,
	AUTOSCALE_GET_INDEX,
	AUTOSCALE_GET_OBJECTS,
	AUTOSCALE_GET_REST,          /* what has changed meanwhile */
	AUTOSCALE_COMMIT,            /* the rest is gatehoused's */
};

struct autoscale_copy {
	enum autoscale_step step;
	char serial[MEMBER_SERIAL];  /* of whom, and of which epoch */
	uint64_t epoch;
	unsigned int channel;        /* to it */
	uint32_t id;                 /* of the question under way; 0: none */
	uint64_t asked_us;
	bool whole, heals;
	bool open;                   /* gatehoused has a transaction of it */
	unsigned int staging;        /* operations that gatehoused has not answered */
	uint64_t since;              /* revision of the tables */
	uint64_t revision;           /* that is committed */
	unsigned int again;          /* times that an index or all was begun anew */
	struct autoscale_index their_tables, our_tables;
	bool their_end, our_end;     /* of tables, then of the index */
	char **table;                /* those that differ */
	unsigned int n_tables, at;
	struct autoscale_index theirs, ours;
	struct autoscale_plan plan;
	size_t fetched;              /* entries of theirs that are dealt with */
	size_t asked_to;             /* end of those that are asked for */
};

/* What an administrator waits for. */
struct autoscale_inquiry {
	uint32_t number;             /* 0: free */
	char serial[MEMBER_SERIAL];
	struct buf question;
	uint32_t id;                 /* 0: not asked yet */
	uint64_t asked_us;
};

enum autoscale_note {
	AUTOSCALE_NOTE_REFUSED,      /* one for each reason */
	AUTOSCALE_NOTE_MALFORMED = AUTOSCALE_NOTE_REFUSED + AUTOSCALE_WHYS,
	AUTOSCALE_NOTE_FAILED,
	AUTOSCALE_NOTE_REFUSED_BY,
	AUTOSCALE_NOTE_ROLE,
	AUTOSCALE_NOTE_CALLBACK,
	AUTOSCALE_NOTE_CONNECT,
	AUTOSCALE_NOTE_FORGET,
	AUTOSCALE_NOTES,
};

struct autoscale_machine {
	struct autoscale_env env;
	uint64_t now_us;
	struct autoscale a;
	bool configured, started, desk;
	struct digest_group recent[AUTOSCALE_RECENT];
	uint64_t recent_revision[AUTOSCALE_RECENT];
	unsigned int n_recent;
	uint64_t key_revision;       /* digests of lower ones are under another key */

	uint64_t heard;              /* the highest epoch that members know of */
	/* Whose configuration this unit has: gatehoused may not have said so yet. */
	char at[MEMBER_SERIAL];
	uint64_t at_revision;

	struct autoscale_member *member[MEMBERS_MAX];        /* by serial */
	unsigned int n_members;
	uint32_t members_version;
	bool is_members_changed;
	uint64_t members_us;         /* not before that gatehoused is told of them */
	uint64_t told_heard;         /* highest epoch that it was told of */
	uint64_t leave_us;           /* when members are looked at that may be gone */

	struct autoscale_channel *channel[AUTOSCALE_CHANNELS];
	unsigned int n_channels;
	struct autoscale_site site[AUTOSCALE_SITES];
	unsigned int n_sites;
	union net_addr hint;         /* where the callback says that the primary is */

	struct autoscale_member *leader;     /* whom to follow; NULL: nobody, or this is primary */
	int64_t leads_s;             /* since when it leads, or this unit does */
	bool is_ordering;            /* a ROLE is under way */
	bool yields;                 /* this primary is to be none: it claims nothing any more */
	uint64_t joined_epoch;       /* that this unit leads, and some member has followed */
	char named[MEMBER_SERIAL];   /* who leads without revisions of ours: they have a name */
	uint64_t order_us;           /* no ROLE before that */

	struct autoscale_question *first, **last;
	unsigned int n_asked;
	size_t asked_bytes;
	struct autoscale_question *parked;   /* answers whose digests are not known yet */

	struct autoscale_copy copy;
	uint64_t retry_us, backoff_us;
	uint64_t verify_us;          /* digests are not compared before: they may be of before */
	bool failing, next_whole;
	char trouble[AUTOSCALE_TROUBLE];
	uint32_t last_id;

	struct autoscale_inquiry inquiry[AUTOSCALE_INQUIRIES];
	uint32_t last_inquiry;

	uint64_t noted_us[AUTOSCALE_NOTES];
	uint64_t unnoted[AUTOSCALE_NOTES];
	struct autoscale_event event[AUTOSCALE_HISTORY];
	uint64_t n_events;
	struct autoscale_stats stats;
};

static inline uint64_t autoscale_min(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}

static inline bool autoscale_is_ip(const union net_addr *ip) {
	return ip->word[0] != 0;
}

#define AUTOSCALE_EACH(m, c) \
	for (unsigned int i_ = 0; i_ < (m)->n_channels; i_++) \
		for (struct autoscale_channel *c = (m)->channel[i_]; c && !c->ended; c = NULL)

/* ---- autoscale.c ---- */

/* The highest epoch that this unit has heard of. */
uint64_t autoscale_heard(const struct autoscale_machine *m);

/* Heartbeat interval of a number of seconds that may be anything, in us. */
uint64_t autoscale_interval(uint32_t seconds);

/* The digests of a revision of this unit; NULL: not known. */
const struct digest_group *autoscale_digests(const struct autoscale_machine *m, uint64_t revision);

/* The end of every call: whatever follows from what has happened. */
void autoscale_settle(struct autoscale_machine *m);

/* ---- autoscale_info.c ---- */

/* An IPv4 address as text; returns ret. */
const char *autoscale_ip_text(const union net_addr *ip, char ret[NET_TEXT_MAX]);

/* A line for the log and one for the history. */
void autoscale_tell(struct autoscale_machine *m, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, at most once a minute of each kind. */
void autoscale_note(struct autoscale_machine *m, enum autoscale_note kind, int priority,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* How a member stands towards the leader it has. */
enum autoscale_state autoscale_member_state(const struct autoscale_machine *m,
					    const struct autoscale_member *p);

/* ---- autoscale_peer.c: channels, HELLO, BEAT ---- */

/* Send what is encoded; a channel that does not take it ends. */
bool autoscale_peer_send(struct autoscale_machine *m, struct autoscale_channel *c,
			 const struct buf *b);

/* Close a channel; why is for the administrator. */
void autoscale_peer_end(struct autoscale_machine *m, struct autoscale_channel *c, const char *why);

/* Say why, and close. */
void autoscale_peer_refuse(struct autoscale_machine *m, struct autoscale_channel *c,
			   enum autoscale_why why, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A BEAT goes out soon on a channel, on all. */
void autoscale_peer_beat(struct autoscale_channel *c);
void autoscale_peer_news(struct autoscale_machine *m);

/* What this unit says of itself. */
void autoscale_peer_standing(const struct autoscale_machine *m, struct autoscale_standing *s);

/* Forget channels that have ended; forget all, and close them. */
void autoscale_peer_reap(struct autoscale_machine *m);
void autoscale_peer_stop(struct autoscale_machine *m, const char *why);

/* The channel with this number, or NULL. */
struct autoscale_channel *autoscale_peer_channel(const struct autoscale_machine *m,
						 unsigned int number);

/* What is due, and when. */
void autoscale_peer_tick(struct autoscale_machine *m);
uint64_t autoscale_peer_due(const struct autoscale_machine *m);

/* ---- autoscale_site.c: whom to connect to ---- */

/* Find out who is wanted. */
void autoscale_site_update(struct autoscale_machine *m);

/* Connect to all that are wanted as soon as may be. */
void autoscale_site_hurry(struct autoscale_machine *m);
/* What came of it. */
void autoscale_site_up(struct autoscale_machine *m, const union net_addr *ip);
void autoscale_site_failed(struct autoscale_machine *m, const union net_addr *ip);
/* A connection was refused or not wanted: no more for a while. */
void autoscale_site_slow(struct autoscale_machine *m, const union net_addr *ip);
void autoscale_site_tick(struct autoscale_machine *m);
uint64_t autoscale_site_due(const struct autoscale_machine *m);

/* ---- autoscale_members.c: who is in the group ---- */

/* The member with this serial; NULL: none. */
struct autoscale_member *autoscale_members_find(const struct autoscale_machine *m,
						const char *serial);

/* The same, made if there is none; NULL: there is no room. */
struct autoscale_member *autoscale_members_meet(struct autoscale_machine *m, const char *serial);

/* Take those that gatehoused knows; forget all. */
void autoscale_members_load(struct autoscale_machine *m);
void autoscale_members_stop(struct autoscale_machine *m);

/* It was heard now. */
void autoscale_members_heard(struct autoscale_machine *m, struct autoscale_member *p);

/* What a member says of others: its list is taken when it leads. */
void autoscale_members_told(struct autoscale_machine *m, struct autoscale_member *by,
			    const struct autoscale_message *beat);

/* A member wants another forgotten. */
void autoscale_members_forget(struct autoscale_machine *m, const char *serial);

/* Something of the list has changed. */
void autoscale_members_changed(struct autoscale_machine *m);

/* Append all, this unit too, for a BEAT. */
void autoscale_members_put(const struct autoscale_machine *m, struct autoscale_message *beat,
			   struct buf *list);

/* What is due, and when. */
void autoscale_members_tick(struct autoscale_machine *m);
uint64_t autoscale_members_due(const struct autoscale_machine *m);

/* ---- autoscale_role.c: who leads ---- */

/*
 * Whether a member can have heard of such an epoch: they grow one by one, and what is believed once
 * stays for good.
 */
bool autoscale_role_may_be(const struct autoscale_machine *m, const struct autoscale_standing *s);

/* What a member says of epochs. */
void autoscale_role_hear(struct autoscale_machine *m, const struct autoscale_standing *s);

/* What a member has of this primary. */
void autoscale_role_joined(struct autoscale_machine *m, const struct autoscale_standing *s);

/* Find the leader; step down, or follow. */
void autoscale_role_decide(struct autoscale_machine *m);
/* Whether gatehoused knows whom this unit follows. */
bool autoscale_role_is_known(const struct autoscale_machine *m);
uint64_t autoscale_role_due(const struct autoscale_machine *m);

/* ---- autoscale_ask.c: questions to gatehoused ---- */

/* A question that is sent when its turn comes. The request is moved. */
struct autoscale_question *autoscale_ask(struct autoscale_machine *m, struct buf *request,
					 autoscale_done_fn *done);

/* One with the same request and function that has not been asked yet, or NULL. */
struct autoscale_question *autoscale_ask_same(const struct autoscale_machine *m,
					      const struct buf *request, autoscale_done_fn *done);

/* Ask as many as may be under way. */
void autoscale_ask_pump(struct autoscale_machine *m);

/* Nobody is interested in answers to questions of this kind any more. */
void autoscale_ask_drop(struct autoscale_machine *m, autoscale_done_fn *done);

/* A frame of the answer to the oldest one. */
void autoscale_ask_take(struct autoscale_machine *m, const uint8_t *frame, size_t len);

/* gatehoused is away: those that are to be asked again wait, the others end with an error. */
void autoscale_ask_lost(struct autoscale_machine *m);

/* Bytes held. */
size_t autoscale_ask_memory(const struct autoscale_machine *m);

/* Take out questions of members that no member waits for. */
void autoscale_ask_prune(struct autoscale_machine *m);

/* End all questions. */
void autoscale_ask_stop(struct autoscale_machine *m);

/* Release one. */
void autoscale_question_free(struct autoscale_question *q);

/* ---- autoscale_serve.c: what others ask ---- */

/* A question of a member. */
void autoscale_serve(struct autoscale_machine *m, struct autoscale_channel *c,
		     const struct autoscale_message *question);

/* Tell members that stand at an earlier revision what has changed. */
void autoscale_serve_push(struct autoscale_machine *m);

/* Its questions need no answer. */
void autoscale_serve_gone(struct autoscale_machine *m, const struct autoscale_channel *c);

/* Digests may have become known. */
void autoscale_serve_parked(struct autoscale_machine *m);
uint64_t autoscale_serve_due(const struct autoscale_machine *m);
void autoscale_serve_stop(struct autoscale_machine *m);

/* Append the request for a question of a member. False: there is none. */
bool autoscale_serve_request(const struct autoscale_message *question, struct buf *request);

/* The message that an answer of gatehoused makes. */
void autoscale_serve_answer(const struct autoscale_question *q, struct autoscale_message *ret);

/* ---- autoscale_copy.c: taking the leader's configuration ---- */

/* Begin where there is something to take, and none is under way. */
void autoscale_copy_begin(struct autoscale_machine *m);

/* An answer or a push, from who leads or not. */
void autoscale_copy_message(struct autoscale_machine *m, struct autoscale_channel *c,
			    const struct autoscale_message *message);

/* Its end is not to be awaited: the leader is gone, or another, or the desk is. */
void autoscale_copy_abort(struct autoscale_machine *m, const char *why);

/* What failed does not matter any more. */
void autoscale_copy_forgive(struct autoscale_machine *m);

/* Whether this unit has what its leader has. */
bool autoscale_copy_is_current(const struct autoscale_machine *m);

/* Bytes held. */
size_t autoscale_copy_memory(const struct autoscale_machine *m);

/* What is due, and when. */
void autoscale_copy_tick(struct autoscale_machine *m);
uint64_t autoscale_copy_due(const struct autoscale_machine *m);

/* ---- autoscale_inquire.c: what administrators ask ---- */

/* Ask what can be asked now. */
void autoscale_inquire_begin(struct autoscale_machine *m);
/* Whether it was an answer to one. */
bool autoscale_inquire_message(struct autoscale_machine *m, struct autoscale_channel *c,
			       const struct autoscale_message *message);
void autoscale_inquire_stop(struct autoscale_machine *m);
uint64_t autoscale_inquire_due(const struct autoscale_machine *m);
void autoscale_inquire_tick(struct autoscale_machine *m);
