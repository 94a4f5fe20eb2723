/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replication of the configuration in the text form of Prometheus. Totals count from the start of
 * this program; members are counted by state, and each has its own lag.
 */
#include <inttypes.h>

#include "cfgdb/base/mem.h"
#include "sync/autoscale_text.h"

#define STATES (AUTOSCALE_IN_SYNC + 1)

static void put_head(const char *name, const char *type, const char *help, struct str *out) {
	str_addf(out, "# HELP gatehouse_autoscale_%s %s\n# TYPE gatehouse_autoscale_%s %s\n", name,
		 help, name, type);
}

static void put_singles(const struct autoscale_facts *f, const struct autoscale_stats *s,
			const struct callback_info *c, struct str *out) {
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
		{ "started", "gauge", "1 when this unit takes part in a group.", s->started },
		{ "primary", "gauge", "1 when this unit gives its configuration to the others.",
		  s->standing.primary && s->started },
		{ "in_sync", "gauge", "1 when this unit has what the primary has.",
		  s->started && s->state == AUTOSCALE_IN_SYNC },
		{ "epoch", "gauge", "Grows with each change of the primary.", s->standing.epoch },
		{ "revision", "gauge", "Of the primary that this unit has.",
		  f->unit.primary ? s->standing.revision : s->standing.followed_revision },
		{ "connections", "gauge", "To other members.", s->channels },
		{ "memory_bytes", "gauge", "Memory held for questions and copies.", s->memory },
		{ "changes_total", "counter", "Commits of changes of the primary.", s->deltas },
		{ "copies_total", "counter", "Commits after a comparison of everything.",
		  s->copies },
		{ "healed_total", "counter", "Comparisons because checksums differed.",
		  s->healed },
		{ "failures_total", "counter", "Configurations that could not be taken.",
		  s->failures },
		{ "fenced_total", "counter", "Times that this unit stepped down for a primary.",
		  s->fenced },
		{ "pushes_total", "counter", "Changes sent as they were made.", s->pushes },
		{ "questions_total", "counter", "Questions to the primary.", s->questions },
		{ "answers_total", "counter", "Questions of members that were answered.",
		  s->answers },
		{ "malformed_total", "counter", "Messages that were none.", s->malformed },
		{ "losses_total", "counter", "Connections that broke.", s->losses },
		{ "callback_sent_total", "counter", "Heartbeats to callback-url.", c->sent },
		{ "callback_answered_total", "counter", "Heartbeats that were answered.",
		  c->answered },
		{ "callback_failures", "gauge", "Heartbeats without an answer, in a row.",
		  c->failures },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_head(rows[i].name, rows[i].type, rows[i].help, out);
		str_addf(out, "gatehouse_autoscale_%s %" PRIu64 "\n", rows[i].name, rows[i].value);
	}
}

struct sample {
	const char *value;           /* of the label */
	uint64_t n;
};

/* A metric with a sample for each value of one label. */
static void put_rows(const char *name, const char *type, const char *help, const char *label,
		     const struct sample *row, size_t n, struct str *out) {
	put_head(name, type, help, out);
	for (size_t i = 0; i < n; i++)
		str_addf(out, "gatehouse_autoscale_%s{%s=\"%s\"} %" PRIu64 "\n", name, label,
			 row[i].value, row[i].n);
}

static void put_members(const struct autoscale_facts *f, struct str *out) {
	struct sample row[STATES];
	struct autoscale_peer_info p;

	for (unsigned int i = 0; i < STATES; i++)
		row[i] = (struct sample){ autoscale_state_name((enum autoscale_state)i), 0 };
	for (unsigned int i = 0; f->source->peer(f->source->arg, i, &p); i++)
		row[p.state].n++;
	put_rows("members", "gauge", "Other members, as this unit sees them.", "state", row, STATES,
		 out);
}

/* How many revisions a member stands behind this unit, which leads. */
static void put_lag(const struct autoscale_facts *f, const struct autoscale_stats *s,
		    struct str *out) {
	struct autoscale_peer_info p;

	put_head("member_lag_revisions", "gauge", "Revisions of this primary that it has not.",
		 out);
	for (unsigned int i = 0; f->source->peer(f->source->arg, i, &p); i++) {
		uint64_t at = p.standing.followed_revision;

		if (f->unit.primary && p.connected && p.is_standing)
			str_addf(out, "gatehouse_autoscale_member_lag_revisions{member=\"%s\"} %"
				 PRIu64 "\n", p.serial,
				 s->standing.revision > at ? s->standing.revision - at : 0);
	}
}

static void put_refused(const struct autoscale_stats *s, const struct channels_stats *c,
			struct str *out) {
	const struct sample row[] = {
		{ "same_serial", s->refused[AUTOSCALE_SAME_SERIAL] },
		{ "no_version", s->refused[AUTOSCALE_NO_VERSION] },
		{ "lower_epoch", s->refused[AUTOSCALE_LOWER_EPOCH] },
		{ "full", s->refused[AUTOSCALE_FULL] },
		{ "no_key", c->refused },
		{ "stranger", c->strangers },
		{ "crowded", c->crowded },
		{ "late", c->late },
		{ "broken", c->broken },
	};

	put_rows("refused_total", "counter", "Connections to port 703 that were ended.", "reason",
		 row, ARRAY_LEN(row), out);
}

static void put_both(const char *name, const char *help, uint64_t sent, uint64_t received,
		     struct str *out) {
	const struct sample row[] = { { "sent", sent }, { "received", received } };

	put_rows(name, "counter", help, "direction", row, ARRAY_LEN(row), out);
}

void autoscale_text_metrics(const struct autoscale_facts *f, struct str *out) {
	struct autoscale_stats s;
	struct channels_stats c;
	struct callback_info callback;

	f->source->stats(f->source->arg, &s);
	f->source->callback(f->source->arg, &callback);
	f->source->channels(f->source->arg, &c);
	put_singles(f, &s, &callback, out);
	put_members(f, out);
	put_lag(f, &s, out);
	put_refused(&s, &c, out);
	put_both("messages_total", "Messages between members.", s.messages_sent,
		 s.messages_received, out);
	put_both("bytes_total", "Bytes of these messages.", s.bytes_sent, s.bytes_received, out);
}
