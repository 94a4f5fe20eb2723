/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk over the table of connection tracking. It reads a bite, judges each session in it and
 * tells the kernel at once what becomes of it; then it lets others have their turn. New rules make
 * it begin anew, so a session that is still there when it ends is one that the rules in force
 * allow.
 *
 * A session that another one opened (the data of FTP) goes where that one goes. Sessions of the
 * unit itself are no business of policies. A session without a route cannot pass a packet: it is
 * judged when it has one.
 *
 * The copy of a session of another member is not ours to end: it would come again. It is marked,
 * and the rules let no packet of it pass (render_sync.c); what becomes of the session, its owner
 * decides.
 */
#include "backends/recheck.h"

#include <endian.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/ct.h"
#include "backends/fib.h"
#include "backends/judge.h"
#include "backends/render.h"
#include "backends/rtnl.h"
#include "backends/session.h"
#include "cfgdb/base/mem.h"

#define STEP 2000 /* sessions in a step: some 10 ms */

struct recheck {
	const struct nft *nft;
	struct ct_netlink *requests;
	struct rtnl *rtnl;
	uint64_t seen;             /* changes of rules when the last walk began */
	bool due;                  /* a walk has to begin */
	bool routeless;            /* the last walk met sessions without a route */
	bool first;                /* none has begun yet */
	struct ruleset *before;    /* where the marks of all sessions come from; NULL: not known */
	struct recheck_counts counts;
	struct ct_dump *dump;      /* kept between walks: see ct_dump_again */
	/* The walk. */
	bool walking;
	struct fib *fib;
	struct links links;
	struct err err;            /* why it cannot go on */
};

struct recheck *recheck_new(const struct nft *nft, struct err *err) {
	struct recheck *r = xcalloc(1, sizeof(*r));

	r->nft = nft;
	r->due = r->first = true;
	r->requests = ct_open(err);
	r->rtnl = r->requests ? rtnl_open(err) : NULL;
	return r->rtnl ? r : recheck_free(r);
}

/* In the middle of a listing, only a new one can begin at its begin. */
static void walk_end(struct recheck *r, bool whole) {
	if (!whole)
		r->dump = ct_dump_close(r->dump);
	r->walking = false;
	r->fib = fib_free(r->fib);
	links_done(&r->links);
	r->links = (struct links){ .n = 0 };
}

struct recheck *recheck_free(struct recheck *r) {
	if (!r)
		return NULL;
	walk_end(r, false);
	ruleset_free(r->before);
	rtnl_close(r->rtnl);
	ct_close(r->requests);
	free(r);
	return NULL;
}

/* ---- one session ---- */

enum place { FORWARDED, OF_UNIT, NO_ROUTE };

static enum place place_of(const struct fib_hop *hop) {
	switch (hop->kind) {
	case FIB_UNICAST:
		return FORWARDED;
	case FIB_LOCAL:
	case FIB_BROADCAST:
		return OF_UNIT;
	default:
		return NO_ROUTE;
	}
}

/* The interface towards an end, for a session that is forwarded. */
static enum place find_way(const struct recheck *r, const struct fib_hop *hop, const char **name) {
	const struct link *link = links_at(&r->links, hop->index);
	enum place place = place_of(hop);

	if (place == FORWARDED && !link)
		return NO_ROUTE;
	*name = link ? link->name : "";
	return place;
}

/* Packets between these stay on their link, whatever the routes say. */
static bool is_on_link(uint8_t family, const union net_addr *client,
		       const union net_addr *server) {
	return family == AF_INET &&
	       (client->word[0] == INADDR_ANY || server->word[0] == INADDR_BROADCAST);
}

/* The interfaces of a session whose packets go from client to server. */
static enum place find_ways(const struct recheck *r, uint8_t family, const union net_addr *client,
			    const union net_addr *server, struct judge_session *s) {
	enum place in, out;
	struct fib_path path;

	if (is_on_link(family, client, server))
		return OF_UNIT;
	fib_path(r->fib, family, client, server, &path);
	in = find_way(r, &path.to[0], &s->in);
	out = find_way(r, &path.to[1], &s->out);
	return in == OF_UNIT || out == OF_UNIT ? OF_UNIT : in == FORWARDED ? out : in;
}

/* What a session was sent to first, and how. */
static struct judge_session first_of(uint8_t family, uint8_t proto, const struct ct_tuple *t,
				     uint32_t mark) {
	struct judge_session s = { .ipv6 = family == AF_INET6,
				   .proto = proto,
				   .sport = t->sport,
				   .dport = t->dport,
				   .to_port = t->dport,
				   .mark = mark };

	if (ct_is_icmp(proto)) {
		s.icmp_type = (uint8_t)t->dport;
		s.icmp_code = t->icmp_code;
	}
	if (!s.ipv6) {
		s.src = be32toh(t->src.word[0]);
		s.dst = s.to = be32toh(t->dst.word[0]);
	}
	return s;
}

/* The session that opened this one, as it would begin now. */
static enum place master_of(struct recheck *r, const struct ct *ct, struct judge_session *s) {
	const struct ct_tuple *t = &ct->master;
	union net_addr server = t->dst;
	struct fib_hop hop = fib_lookup(r->fib, ct->family, &t->src, NULL, 0);
	enum place place;

	*s = first_of(ct->family, ct->master_proto, t, ct->mark);
	place = find_way(r, &hop, &s->in);
	if (place != FORWARDED)
		return place;
	if (judge_aim(nft_ruleset(r->nft), s, &r->err) == 0 && !s->ipv6)
		server = net_ipv4(s->to);
	return find_ways(r, ct->family, &t->src, &server, s);
}

static enum place session_of(struct recheck *r, const struct ct *ct, struct judge_session *s) {
	const struct ct_tuple *orig = &ct->tuple[CT_ORIG], *reply = &ct->tuple[CT_REPLY];

	if (ct->has_master)
		return master_of(r, ct, s);
	*s = first_of(ct->family, ct->proto, orig, ct->mark);
	s->to_port = reply->sport;
	if (!s->ipv6)
		s->to = be32toh(reply->src.word[0]);
	return find_ways(r, ct->family, &orig->src, &reply->src, s);
}

/* The kernel's answer about a session; one that has ended by itself is as good. */
static void answered(struct recheck *r, int rc, const struct err *err, uint64_t *count) {
	if (rc == 0)
		(*count)++;
	else if (rc != ERR_NOT_FOUND)
		r->err = *err;
}

/* Mark a copy as refused, and as one that no packet came for; or take the mark back. */
static void refuse(struct recheck *r, const struct ct *ct, bool refused, uint64_t *count) {
	const uint64_t bit = UINT64_C(1) << SESSION_LABEL_REFUSED;
	const uint64_t label[2] = { refused ? bit : 0, 0 };
	const uint64_t mask[2] = { bit | (refused ? UINT64_C(1) << SESSION_LABEL_SEEN : 0), 0 };
	struct err err = { 0 };

	if (session_label(ct, SESSION_LABEL_REFUSED, 1) != refused)
		answered(r, ct_set_label(r->requests, ct, label, mask, &err), &err, count);
}

/* Without members, copies are sessions like any other. */
static void end_session(struct recheck *r, const struct ct *ct) {
	struct err err = { 0 };

	if (session_label(ct, SESSION_LABEL_COPY, 1) &&
	    ruleset_chain(nft_ruleset(r->nft), RENDER_CHAIN_COPIES))
		refuse(r, ct, true, &r->counts.ended);
	else
		answered(r, ct_delete(r->requests, ct, &err), &err, &r->counts.ended);
}

static void keep_session(struct recheck *r, const struct ct *ct, uint32_t mark) {
	struct err err = { 0 };

	if (mark != ct->mark)
		answered(r, ct_set_mark(r->requests, ct, mark, UINT32_MAX, &err), &err,
			 &r->counts.moved);
	/* What is left alone stays refused. */
	if (!ruleset_keeps(nft_ruleset(r->nft), ct->mark))
		refuse(r, ct, false, &r->counts.moved);
}

/* A failure is told when the walk is over: it keeps no other session from being judged. */
static void check_session(void *arg, const struct ct *ct) {
	struct recheck *r = arg;
	struct judge_session s;
	enum place place = session_of(r, ct, &s);
	uint32_t mark;

	r->counts.judged++;
	r->routeless |= place == NO_ROUTE;
	if (place != FORWARDED)
		return;
	switch (judge_session(nft_ruleset(r->nft), r->before, &s, &mark, &r->err)) {
	case JUDGE_END:
		end_session(r, ct);
		break;
	case JUDGE_KEEP:
		keep_session(r, ct, mark);
		break;
	case JUDGE_FAULT:
		break;
	}
}

/* ---- the walk ---- */

static void set_before(struct recheck *r, struct ruleset *rules) {
	ruleset_free(r->before);
	r->before = rules;
}

/* Whether the rules in force say anything about sessions that exist. */
static bool is_needed(const struct ruleset *rules) {
	return rules && !(rules->kept.others && rules->kept.marks.n_elems == 0);
}

/* An empty table is not worth a walk: its buckets alone take some milliseconds. */
static bool any_session(struct recheck *r) {
	uint32_t n, max;

	return ct_count(r->requests, &n, &max, NULL) != 0 || n > 0;
}

/* What sessions are judged by, and the listing of them. */
static int walk_open(struct recheck *r) {
	int rc = links_read(r->rtnl, &r->links);

	if (rc)
		return err_set(&r->err, ERR_KERNEL, "links cannot be read: %s", strerror(rc));
	r->fib = fib_read(&r->err);
	if (!r->fib)
		return ERR_KERNEL;
	if (r->dump)
		return ct_dump_again(r->dump, &r->err);
	r->dump = ct_dump_open(NULL, &r->err);
	return r->dump ? 0 : ERR_KERNEL;
}

/* What has failed begins anew; otherwise all marks come from the rules in force now. */
static void walk_settle(struct recheck *r) {
	r->due = r->err.code != 0;
	set_before(r, r->due ? NULL : nft_ruleset_held(r->nft));
}

static void walk_begin(struct recheck *r) {
	const struct ruleset *rules = nft_ruleset(r->nft);

	if (r->walking || !is_needed(rules))
		set_before(r, NULL);
	else if (r->first)
		set_before(r, nft_ruleset_held(r->nft));
	walk_end(r, !r->walking);
	r->err = (struct err){ 0 };
	r->due = r->routeless = r->first = false;
	if (!is_needed(rules))
		return;
	r->walking = any_session(r) && walk_open(r) == 0;
	r->counts.walks += r->walking;
	if (!r->walking)
		walk_settle(r);
}

/* Judge some n sessions. */
static void walk_on(struct recheck *r, uint64_t n) {
	uint64_t end = r->counts.judged + n, last = UINT64_MAX;
	enum ct_dump_state state = CT_DUMP_MORE;

	if (r->walking && !nft_ruleset(r->nft))
		walk_end(r, false);
	while (r->walking && state == CT_DUMP_MORE && r->counts.judged < end &&
	       r->counts.judged != last) {
		last = r->counts.judged;
		state = ct_dump_next(r->dump, check_session, r, &r->err);
	}
	if (state == CT_DUMP_MORE)
		return;
	walk_end(r, state == CT_DUMP_END);
	walk_settle(r);
}

void recheck_look(struct recheck *r) {
	r->due |= r->seen != nft_changes(r->nft);
	r->seen = nft_changes(r->nft);
	if (!r->due)
		return;
	walk_begin(r);
	walk_on(r, RECHECK_AT_ONCE);
}

void recheck_look_at_routes(struct recheck *r) {
	r->due |= r->routeless;
}

bool recheck_busy(const struct recheck *r) {
	return r->due || r->walking;
}

int recheck_step(struct recheck *r, struct err *err) {
	int rc;

	if (r->due && r->err.code == 0)
		walk_begin(r);
	walk_on(r, STEP);
	if (r->walking || !r->due || r->err.code == 0)
		return 0;
	rc = err_set(err, ERR_KERNEL, "%s", r->err.text);
	r->err = (struct err){ 0 };
	return rc;
}

struct recheck_counts recheck_counts(const struct recheck *r) {
	return r->counts;
}
