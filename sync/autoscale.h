/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replication of the configuration as one state machine: time, messages of members and answers of
 * gatehoused in; messages and questions out. No I/O and nothing that blocks; README.md here is the
 * protocol. The daemon and the simulator of the tests drive the same code.
 *
 * now_us is microseconds of a clock that only goes forward. All functions that take it may call
 * back into struct autoscale_env; nothing there may call the machine again. At autoscale_due(),
 * autoscale_tick().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/autoscale.h"
#include "cfgdb/base/buf.h"
#include "cfgdb/base/err.h"
#include "sync/autoscale_message.h"

struct autoscale_machine;

/* What the machine asks of the outside. Every call returns at once; none calls the machine. */
struct autoscale_env {
	void *arg;                   /* of all */
	/* Connect to an address; autoscale_up() follows, or autoscale_failed(). */
	void (*connect)(void *arg, const union net_addr *ip);
	/*
	 * Send a message on a channel. False: it is gone, or its other end does not take what is
	 * sent; the machine forgets it then, after close().
	 */
	bool (*send)(void *arg, unsigned int channel, const uint8_t *message, size_t len);
	/* Close a channel after what was sent on it; autoscale_down() does not follow. */
	void (*close)(void *arg, unsigned int channel);
	/*
	 * A question to gatehoused: type and fields as in cfgdb/control/ctl.h. autoscale_answer()
	 * follows for each, in the order they were asked, or autoscale_desk_down(), which ends all.
	 */
	void (*ask)(void *arg, const struct buf *request);
	/*
	 * What autoscale_inquire() asked for; NULL: it cannot be had, and why. The message is valid
	 * during the call. May be NULL.
	 */
	void (*inquired)(void *arg, uint32_t inquiry, const struct autoscale_message *answer,
			 const char *why);
	/* A line for the log; priority as in syslog(3). */
	void (*log)(void *arg, int priority, const char *text);
	/* 64 random bits. */
	uint64_t (*random)(void *arg);
	/* Seconds since 1970; may jump. */
	int64_t (*wall_s)(void *arg);
};

/* A machine that does nothing yet; *env is copied. The caller frees it. */
struct autoscale_machine *autoscale_new(const struct autoscale_env *env, uint64_t now_us);

/* Free with all that it holds; channels are not closed. NULL is fine. Returns NULL. */
struct autoscale_machine *autoscale_free(struct autoscale_machine *m);

/*
 * What gatehoused says of this unit, after each commit; copied. With another key, channels that are
 * up stay for three heartbeats, so that the members hear of it: who makes channels keeps them, too.
 */
void autoscale_configure(struct autoscale_machine *m, const struct autoscale *a, uint64_t now_us);

/* ---- time ---- */

/* Do what is due. */
void autoscale_tick(struct autoscale_machine *m, uint64_t now_us);

/* When autoscale_tick() has something to do, in us; UINT64_MAX: never. */
uint64_t autoscale_due(const struct autoscale_machine *m);

/* ---- members ---- */

/*
 * A channel stands; its number is the caller's and in use until it is closed or down. ip: the other
 * end; initiator: serial number of who has begun it, as its key proves.
 */
void autoscale_up(struct autoscale_machine *m, unsigned int channel, const union net_addr *ip,
		  const char *initiator, uint64_t now_us);

/* A channel is gone; why is one line for an administrator. */
void autoscale_down(struct autoscale_machine *m, unsigned int channel, const char *why,
		    uint64_t now_us);

/* What connect() asked for did not come about. */
void autoscale_failed(struct autoscale_machine *m, const union net_addr *ip, const char *why,
		      uint64_t now_us);

/* A whole message came on a channel; longer ones than AUTOSCALE_MESSAGE_MAX end it. */
void autoscale_message(struct autoscale_machine *m, unsigned int channel, const uint8_t *data,
		       size_t len, uint64_t now_us);

/* ---- gatehoused ---- */

/* It can be asked from now on. */
void autoscale_desk_up(struct autoscale_machine *m, uint64_t now_us);

/* It is away, and with it all questions and the transaction that was open. */
void autoscale_desk_down(struct autoscale_machine *m, uint64_t now_us);

/* A frame of the answer to the oldest question: type and fields as in cfgdb/control/ctl.h. */
void autoscale_answer(struct autoscale_machine *m, const uint8_t *frame, size_t len,
		      uint64_t now_us);

/* ---- who decides roles ---- */

/*
 * What the callback says this unit is to be. primary_ip of a secondary: where its primary is; zero:
 * not said. Refused, with a line in the log, for a unit that never had its group's configuration.
 */
void autoscale_callback(struct autoscale_machine *m, bool primary,
			const union net_addr *primary_ip, uint64_t now_us);

/* The callback could not be asked: the role stays; why is one line for an administrator. */
void autoscale_callback_failed(struct autoscale_machine *m, const char *why, uint64_t now_us);

/* ---- commands ---- */

/*
 * A member leaves: at once on the primary, and on a secondary that alone has met it; else asked of
 * the primary. An error for one that is connected or not known, and when no primary is there to be
 * asked.
 */
int autoscale_forget(struct autoscale_machine *m, const char *serial, uint64_t now_us,
		     struct err *err);

/*
 * Ask a member (by its serial; the own one: gatehoused) for tables, an index or objects: question
 * is one of ASK_TABLES, ASK_INDEX, ASK_OBJECTS. env.inquired() follows, later and once, with the
 * number that is returned. 0 and *err: it cannot be asked.
 */
uint32_t autoscale_inquire(struct autoscale_machine *m, const char *serial,
			   const struct autoscale_message *question, uint64_t now_us,
			   struct err *err);

enum autoscale_state {
	AUTOSCALE_CONNECTING,        /* never heard since the start */
	AUTOSCALE_REFUSED,           /* `why` says for what; tried again */
	AUTOSCALE_LOST,
	AUTOSCALE_BEHIND,            /* it has another revision than the primary */
	AUTOSCALE_COPYING,
	AUTOSCALE_IN_SYNC,
};

/* Another member. Of what no connection tells, the last that was heard. */
struct autoscale_peer_info {
	char serial[MEMBER_SERIAL], vmid[MEMBER_VMID], hostname[AUTOSCALE_NAME];
	char schema[AUTOSCALE_SCHEMA];
	bool same_schema;
	union net_addr ip;
	bool primary;
	bool connected;
	bool is_standing;            /* it was heard since the start: `standing` tells something */
	enum autoscale_state state;
	char why[AUTOSCALE_TROUBLE]; /* one line, also what it could not commit; or "" */
	struct autoscale_standing standing;
	int64_t heard_s;             /* since 1970; 0: never */
	int64_t connected_s, synced_s;       /* since 1970: came up, was in sync last; 0: never */
	uint64_t messages_sent, messages_received, bytes_sent, bytes_received;
	uint64_t pushes;             /* changes that were sent to it as they came */
	uint64_t questions;          /* of it that were answered */
	uint64_t losses;             /* connections that broke */
};

/*
 * Copy what is known of other member number i (from 0; by serial), as of the last call that took
 * the time; false: there are not as many.
 */
bool autoscale_peer_info(const struct autoscale_machine *m, unsigned int i,
			 struct autoscale_peer_info *info);

/* Name of a state; a constant. */
const char *autoscale_state_name(enum autoscale_state state);

struct autoscale_stats {
	uint64_t refused[AUTOSCALE_WHYS];    /* connections ended here, by reason */
	uint64_t malformed;          /* messages that were none; their channels were closed */
	uint64_t fenced;             /* times that this unit stepped down for another primary */
	uint64_t deltas, copies;     /* commits of changes, of whole comparisons */
	uint64_t healed;             /* whole comparisons because digests differed */
	uint64_t failures;           /* copies that ended otherwise */
	uint64_t pushes, questions, answers; /* changes sent as they came; asked, answered */
	uint64_t messages_sent, messages_received, bytes_sent, bytes_received;
	uint64_t losses;             /* connections that broke */
	size_t memory;               /* bytes held for questions and copies now */
	unsigned int channels;       /* up now */
	bool started;                /* it takes part in a group */
	bool desk;                   /* gatehoused can be asked */
	/* Of this unit. */
	struct autoscale_standing standing;
	char primary[MEMBER_SERIAL]; /* who leads, as this unit sees it; "": nobody known */
	union net_addr primary_ip;
	uint64_t primary_epoch;      /* that it leads */
	int64_t leads_s;             /* since when it leads, as far as is known: since 1970 */
	enum autoscale_state state;  /* towards it; AUTOSCALE_IN_SYNC for the primary itself */
	uint64_t progress, progress_of;      /* tables compared, and to be compared, of a copy */
	char why[AUTOSCALE_TROUBLE]; /* of the last failure, until it is mended; or "" */
};

/* Copy the counters and what there is to see now. */
void autoscale_stats(const struct autoscale_machine *m, struct autoscale_stats *stats);

#define AUTOSCALE_HISTORY 512

struct autoscale_event {
	int64_t wall_s;
	char text[AUTOSCALE_TROUBLE];
};

/* Copy event number i, the oldest is 0; false: there are not as many. At most AUTOSCALE_HISTORY. */
bool autoscale_history(const struct autoscale_machine *m, unsigned int i,
		       struct autoscale_event *event);
