/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people read. Where FortiOS has a form it is kept, so that who knows it, and programs that
 * read it, find the lines they look for; what it does not have follows in lines of their own.
 *
 * A secondary talks with the primary only. What it knows of other secondaries is who they are, so
 * it says nothing of their state.
 */
#include "sync/autoscale_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cfgdb/control/cmd_checksum.h"
#include "cfgdb/model/version.h"

static bool get_peer(const struct autoscale_facts *f, unsigned int i,
		     struct autoscale_peer_info *ret) {
	return f->source->peer(f->source->arg, i, ret);
}

static void get_stats(const struct autoscale_facts *f, struct autoscale_stats *ret) {
	f->source->stats(f->source->arg, ret);
}

static const char *role_name(bool primary) {
	return primary ? "primary" : "secondary";
}

static void put_ip(const union net_addr *ip, struct str *out) {
	str_addf(out, "%u.%u.%u.%u", ip->byte[0], ip->byte[1], ip->byte[2], ip->byte[3]);
}

/* As FortiOS writes them. */
static void put_local_time(int64_t wall_s, struct str *out) {
	time_t t = (time_t)wall_s;
	struct tm tm;
	char text[32];

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "<%Y/%m/%d %H:%M:%S>", &tm);
	str_add(out, text);
}

static void put_time(int64_t wall_s, struct str *out) {
	time_t t = (time_t)wall_s;
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	str_add(out, wall_s ? text : "never");
}

/* ---- diagnose sys ha autoscale-peers ---- */

/* Of a member that was never heard nothing more is known. */
static void put_detail(const struct autoscale_facts *f, const struct autoscale_peer_info *p,
		       struct str *out) {
	const struct autoscale_standing *s = &p->standing;

	str_addf(out, "\tstate: %s\n\tlast heard: ", autoscale_state_name(p->state));
	put_time(p->heard_s, out);
	if (*p->why)
		str_addf(out, "\n\tlast error: %s", p->why);
	str_add_char(out, '\n');
	if (!p->is_standing)
		return;
	str_addf(out, "\thostname: %s\n\tepoch: %" PRIu64 "\n\trevision: %" PRIu64, p->hostname,
		 s->epoch, s->revision);
	if (*s->followed)
		str_addf(out, ", that is %" PRIu64 " of %s", s->followed_revision, s->followed);
	str_addf(out, "\n\tschema: %s\n\tin sync last: ",
		 p->same_schema ? "the same" : "another");
	put_time(p->state == AUTOSCALE_IN_SYNC ? f->source->now_s(f->source->arg) : p->synced_s,
		 out);
	str_addf(out, "\n\tmessages: %" PRIu64 " sent, %" PRIu64 " received\n\tbytes: %" PRIu64
		 " sent, %" PRIu64 " received\n", p->messages_sent, p->messages_received,
		 p->bytes_sent, p->bytes_received);
	str_addf(out, "\tchanges pushed: %" PRIu64 ", questions answered: %" PRIu64
		 ", connections lost: %" PRIu64 "\n", p->pushes, p->questions, p->losses);
}

void autoscale_text_peers(const struct autoscale_facts *f, bool detail, struct str *out) {
	struct autoscale_peer_info p;

	for (unsigned int i = 0; get_peer(f, i, &p); i++) {
		str_addf(out, "Serial#: %s\nVMID: %s\nRole: %s\nIP: ", p.serial, p.vmid,
			 role_name(p.primary));
		put_ip(&p.ip, out);
		str_add_char(out, '\n');
		if (detail)
			put_detail(f, &p, out);
	}
}

/* ---- diagnose sys ha checksum cluster, autoscale-cluster ---- */

static const char *checksum_line(const struct autoscale_peer_info *p, bool autoscale) {
	if (autoscale)
		return p->primary ? "is_autoscale_primary()=1" : "is_autoscale_primary()=0";
	return p->primary ? "is_manage_primary()=1, is_root_primary()=1"
			  : "is_manage_primary()=0, is_root_primary()=0";
}

void autoscale_text_checksums(const struct autoscale_facts *f, bool autoscale, struct str *out) {
	struct autoscale_peer_info p;

	for (unsigned int i = 0; get_peer(f, i, &p); i++) {
		if (!p.connected || !p.is_standing)
			continue;
		str_add_char(out, '\n');
		cmd_checksum_unit(p.serial, checksum_line(&p, autoscale), &p.standing.staged,
				  &p.standing.active, out);
	}
}

/* ---- get system ha status ---- */

/* One that was primary, and is silent since another one leads, is it no more. */
static bool leads(const struct autoscale_stats *s, const struct autoscale_peer_info *p) {
	return p->primary && (p->connected || !*s->primary || strcmp(p->serial, s->primary) == 0);
}

/* Whether the state of a member is known here. */
static bool is_watched(const struct autoscale_facts *f, const struct autoscale_peer_info *p) {
	return f->unit.primary || p->primary || p->connected;
}

static void warn(unsigned int *n, struct str *out, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void warn(unsigned int *n, struct str *out, const char *fmt, ...) {
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_addf(out, "%s    WARNING: %s\n", (*n)++ ? "" : "\n", text);
}

static void warn_of_state(unsigned int *n, const char *who, enum autoscale_state state,
			  const char *why, struct str *out) {
	if (state != AUTOSCALE_IN_SYNC)
		warn(n, out, "%s is not in sync: %s%s%s", who, autoscale_state_name(state),
		     *why ? ": " : "", why);
}

static void warn_of_callback(const struct autoscale_facts *f, unsigned int *n, struct str *out) {
	struct callback_info info;

	f->source->callback(f->source->arg, &info);
	if (info.failures > 0)
		warn(n, out, "callback-url has not answered %u times: %s", info.failures, info.why);
}

static void put_health(const struct autoscale_facts *f, const struct autoscale_stats *s,
		       struct str *out) {
	struct autoscale_peer_info p;
	unsigned int n = 0;

	str_add(out, "HA Health Status:");
	if (f->unit.makes_key)
		warn(&n, out, "replication has not started: the key is being made of psksecret");
	else if (!f->unit.has_key)
		warn(&n, out, "there is no psksecret");
	else if (!s->started || !s->desk)
		warn(&n, out, "replication has not started");
	if (!*s->primary)
		warn(&n, out, "no primary is known");
	warn_of_state(&n, "this unit", s->state, s->why, out);
	warn_of_callback(f, &n, out);
	for (unsigned int i = 0; get_peer(f, i, &p); i++)
		if (is_watched(f, &p))
			warn_of_state(&n, p.serial, p.state, p.why, out);
	if (n == 0)
		str_add(out, " OK\n");
}

static void put_selection(const struct autoscale_stats *s, struct str *out) {
	if (!*s->primary || s->leads_s == 0)
		return;
	str_add(out, "Primary selected using:\n    ");
	put_local_time(s->leads_s, out);
	str_addf(out, " %s is selected as the primary because its role is primary, and its epoch, "
		 "%" PRIu64 ", the highest.\n", s->primary, s->primary_epoch);
}

static void put_sync(const char *serial, int64_t ago_s, enum autoscale_state state,
		     const char *why, struct str *out) {
	str_addf(out, "    %s(updated %" PRId64 " seconds ago): %s\n", serial,
		 ago_s < 0 ? 0 : ago_s,
		 state == AUTOSCALE_IN_SYNC ? "in-sync" : "out-of-sync");
	if (state != AUTOSCALE_IN_SYNC)
		str_addf(out, "\t%s%s%s\n", autoscale_state_name(state), *why ? ": " : "", why);
}

static void put_configuration(const struct autoscale_facts *f, const struct autoscale_stats *s,
			      struct str *out) {
	int64_t now = f->source->now_s(f->source->arg);
	struct autoscale_peer_info p;

	str_add(out, "Configuration Status:\n");
	put_sync(f->unit.serial, 0, s->state, s->why, out);
	if (s->state == AUTOSCALE_COPYING)
		str_addf(out, "\t%" PRIu64 " of %" PRIu64 " tables compared\n", s->progress,
			 s->progress_of);
	for (unsigned int i = 0; get_peer(f, i, &p); i++)
		if (is_watched(f, &p))
			put_sync(p.serial, now - p.heard_s, p.state, p.why, out);
}

static void put_member(bool primary, const char *hostname, const char *serial,
		       const union net_addr *ip, struct str *out) {
	str_addf(out, "%-11s : %s, %s, ", primary ? "Primary" : "Secondary", hostname, serial);
	put_ip(ip, out);
	str_add_char(out, '\n');
}

static void put_members(const struct autoscale_facts *f, const struct autoscale_stats *s,
			bool primary, struct str *out) {
	struct autoscale_peer_info p;

	if (f->unit.primary == primary)
		put_member(primary, f->unit.hostname, f->unit.serial, &f->unit.ip, out);
	for (unsigned int i = 0; get_peer(f, i, &p); i++)
		if (leads(s, &p) == primary)
			put_member(primary, *p.hostname ? p.hostname : "-", p.serial, &p.ip, out);
}

void autoscale_text_status(const struct autoscale_facts *f, struct str *out) {
	struct autoscale_stats s;

	get_stats(f, &s);
	put_health(f, &s, out);
	str_addf(out, "Model: %s\nMode: auto-scale\nGroup: 0\nDebug: 0\n", VERSION_PRODUCT);
	str_addf(out, "Epoch: %" PRIu64 "\nRevision: %" PRIu64 "\n", s.standing.epoch,
		 s.standing.revision);
	put_selection(&s, out);
	str_addf(out, "ses_pickup: %s, ses_pickup_delay=%s\n", f->pickup ? "enable" : "disable",
		 f->pickup_delay ? "enable" : "disable");
	put_configuration(f, &s, out);
	put_members(f, &s, true, out);
	put_members(f, &s, false, out);
}

/* ---- diagnose sys ha status ---- */

static void put_traffic(const struct autoscale_facts *f, const struct autoscale_stats *s,
			struct str *out) {
	str_addf(out, "HA information\nStatistics\n\ttraffic.local = s:0 p:%" PRIu64 " b:%" PRIu64
		 "\n\ttraffic.total = s:0 p:%" PRIu64 " b:%" PRIu64 "\n", s->messages_sent,
		 s->bytes_sent, s->messages_sent + s->messages_received,
		 s->bytes_sent + s->bytes_received);
	str_addf(out, "Model=%s, Mode=auto-scale Group=0 Debug=0\n", VERSION_PRODUCT);
	str_addf(out, "nvcluster=0, ses_pickup=%d, delay=%d\n", f->pickup, f->pickup_delay);
}

static void put_replication(const struct autoscale_stats *s, struct str *out) {
	str_addf(out, "[Configuration replication]\nstarted=%d, gatehoused=%d, connections=%u\n",
		 s->started, s->desk, s->channels);
	str_addf(out, "state=%s, epoch=%" PRIu64 ", revision=%" PRIu64 "\n",
		 autoscale_state_name(s->state), s->standing.epoch, s->standing.revision);
	str_addf(out, "primary=%s, primary_ip=", *s->primary ? s->primary : "-");
	put_ip(&s->primary_ip, out);
	str_addf(out, ", followed_revision=%" PRIu64 "\n", s->standing.followed_revision);
	str_addf(out, "changes=%" PRIu64 ", copies=%" PRIu64 ", healed=%" PRIu64
		 ", failures=%" PRIu64 ", fenced=%" PRIu64 "\n",
		 s->deltas, s->copies, s->healed, s->failures, s->fenced);
	str_addf(out, "pushes=%" PRIu64 ", questions=%" PRIu64 ", answers=%" PRIu64
		 ", lost=%" PRIu64 ", malformed=%" PRIu64 "\n",
		 s->pushes, s->questions, s->answers, s->losses, s->malformed);
	if (s->state == AUTOSCALE_COPYING)
		str_addf(out, "copying: %" PRIu64 " of %" PRIu64 " tables compared\n", s->progress,
			 s->progress_of);
	if (*s->why)
		str_addf(out, "last failure: %s\n", s->why);
}

static void put_callback(const struct autoscale_facts *f, struct str *out) {
	struct callback_info info;

	if (!*f->unit.callback_url)
		return;
	f->source->callback(f->source->arg, &info);
	str_addf(out, "callback: sent=%" PRIu64 ", answered=%" PRIu64 ", failures=%u, answer=",
		 info.sent, info.answered, info.failures);
	put_time(info.answered_s, out);
	str_addf(out, "%s%s\n", *info.why ? "\ncallback failure: " : "", info.why);
}

void autoscale_text_numbers(const struct autoscale_facts *f, struct str *out) {
	struct autoscale_stats s;
	struct autoscale_peer_info p;

	get_stats(f, &s);
	put_traffic(f, &s, out);
	put_replication(&s, out);
	put_callback(f, out);
	for (unsigned int i = 0; get_peer(f, i, &p); i++) {
		str_addf(out, "%s: ip=", p.serial);
		put_ip(&p.ip, out);
		str_addf(out, ", role=%s, state=%s, epoch=%" PRIu64 ", revision=%" PRIu64 "\n",
			 role_name(p.primary), autoscale_state_name(p.state), p.standing.epoch,
			 p.standing.revision);
	}
}

/* ---- diagnose sys ha history read ---- */

void autoscale_text_history(const struct autoscale_facts *f, struct str *out) {
	struct autoscale_event e;

	for (unsigned int i = 0; f->source->event(f->source->arg, i, &e); i++) {
		put_local_time(e.wall_s, out);
		str_addf(out, " %s\n", e.text);
	}
}
