/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs get all that is known, under names of ours: the two commands about the state of the
 * group, which differ in form only, say the same here. What a secondary does not know of other
 * secondaries is what they last said, or missing.
 */
#include "sync/autoscale_json.h"

#include "cfgdb/base/json_put.h"
#include "cfgdb/control/cmd_checksum.h"
#include "cfgdb/model/version.h"

static bool get_peer(const struct autoscale_facts *f, unsigned int i,
		     struct autoscale_peer_info *ret) {
	return f->source->peer(f->source->arg, i, ret);
}

static const char *role_name(bool primary) {
	return primary ? "primary" : "secondary";
}

static void put_ip(struct json *j, const char *name, const union net_addr *ip) {
	json_put_textf(j, name, "%u.%u.%u.%u", ip->byte[0], ip->byte[1], ip->byte[2], ip->byte[3]);
}

/* ---- members ---- */

static void put_standing(const struct autoscale_peer_info *p, struct json *j) {
	const struct autoscale_standing *s = &p->standing;

	json_put_text(j, "hostname", p->hostname);
	json_put_bool(j, "same_schema", p->same_schema);
	json_put_u64(j, "epoch", s->epoch);
	json_put_u64(j, "revision", s->revision);
	json_put_text(j, "followed", s->followed);
	json_put_u64(j, "followed_revision", s->followed_revision);
}

static void put_peer(const struct autoscale_peer_info *p, struct json *j) {
	json_put_object(j, NULL);
	json_put_text(j, "serial", p->serial);
	json_put_text(j, "vmid", p->vmid);
	json_put_text(j, "role", role_name(p->primary));
	put_ip(j, "ip", &p->ip);
	json_put_text(j, "state", autoscale_state_name(p->state));
	json_put_bool(j, "connected", p->connected);
	json_put_text(j, "error", p->why);
	json_put_i64(j, "heard_s", p->heard_s);
	json_put_i64(j, "connected_s", p->connected_s);
	json_put_i64(j, "synced_s", p->synced_s);
	if (p->is_standing)
		put_standing(p, j);
	json_put_u64(j, "messages_sent", p->messages_sent);
	json_put_u64(j, "messages_received", p->messages_received);
	json_put_u64(j, "bytes_sent", p->bytes_sent);
	json_put_u64(j, "bytes_received", p->bytes_received);
	json_put_u64(j, "pushes", p->pushes);
	json_put_u64(j, "questions", p->questions);
	json_put_u64(j, "losses", p->losses);
	json_put_end(j);
}

static void put_peers(const struct autoscale_facts *f, const char *name, struct json *j) {
	struct autoscale_peer_info p;

	json_put_array(j, name);
	for (unsigned int i = 0; get_peer(f, i, &p); i++)
		put_peer(&p, j);
	json_put_end(j);
}

void autoscale_json_peers(const struct autoscale_facts *f, struct str *out) {
	struct json j = json_put_begin(out);

	put_peers(f, NULL, &j);
}

void autoscale_json_checksums(const struct autoscale_facts *f, struct str *out) {
	struct json j = json_put_resume(out);
	struct autoscale_peer_info p;

	for (unsigned int i = 0; get_peer(f, i, &p); i++)
		if (p.connected && p.is_standing)
			cmd_checksum_json(p.serial, p.primary, &p.standing.staged,
					  &p.standing.active, &j);
}

/* ---- the group ---- */

static void put_counters(const struct autoscale_stats *s, struct json *j) {
	json_put_u64(j, "changes", s->deltas);
	json_put_u64(j, "copies", s->copies);
	json_put_u64(j, "healed", s->healed);
	json_put_u64(j, "failures", s->failures);
	json_put_u64(j, "fenced", s->fenced);
	json_put_u64(j, "pushes", s->pushes);
	json_put_u64(j, "questions", s->questions);
	json_put_u64(j, "answers", s->answers);
	json_put_u64(j, "losses", s->losses);
	json_put_u64(j, "malformed", s->malformed);
	json_put_u64(j, "messages_sent", s->messages_sent);
	json_put_u64(j, "messages_received", s->messages_received);
	json_put_u64(j, "bytes_sent", s->bytes_sent);
	json_put_u64(j, "bytes_received", s->bytes_received);
}

static void put_unit(const struct autoscale_facts *f, const struct autoscale_stats *s,
		     struct json *j) {
	json_put_object(j, "unit");
	json_put_text(j, "serial", f->unit.serial);
	json_put_text(j, "hostname", f->unit.hostname);
	json_put_text(j, "role", role_name(f->unit.primary));
	put_ip(j, "ip", &f->unit.ip);
	json_put_text(j, "state", autoscale_state_name(s->state));
	json_put_text(j, "error", s->why);
	json_put_u64(j, "epoch", s->standing.epoch);
	json_put_u64(j, "revision", s->standing.revision);
	json_put_u64(j, "followed_revision", s->standing.followed_revision);
	json_put_u64(j, "tables_compared", s->progress);
	json_put_u64(j, "tables_to_compare", s->progress_of);
	json_put_end(j);
}

static void put_primary(const struct autoscale_stats *s, struct json *j) {
	if (!*s->primary) {
		json_put_null(j, "primary");
		return;
	}
	json_put_object(j, "primary");
	json_put_text(j, "serial", s->primary);
	put_ip(j, "ip", &s->primary_ip);
	json_put_i64(j, "leads_s", s->leads_s);
	json_put_end(j);
}

void autoscale_json_status(const struct autoscale_facts *f, struct str *out) {
	struct json j = json_put_begin(out);
	struct autoscale_stats s;

	f->source->stats(f->source->arg, &s);
	json_put_object(&j, NULL);
	json_put_text(&j, "model", VERSION_PRODUCT);
	json_put_text(&j, "mode", "auto-scale");
	json_put_bool(&j, "psksecret", f->unit.has_key);
	json_put_bool(&j, "started", s.started);
	json_put_bool(&j, "gatehoused", s.desk);
	json_put_bool(&j, "session_pickup", f->pickup);
	json_put_bool(&j, "session_pickup_delay", f->pickup_delay);
	put_primary(&s, &j);
	put_unit(f, &s, &j);
	put_peers(f, "members", &j);
	json_put_object(&j, "counters");
	put_counters(&s, &j);
	json_put_end(&j);
	json_put_end(&j);
}

void autoscale_json_history(const struct autoscale_facts *f, struct str *out) {
	struct json j = json_put_begin(out);
	struct autoscale_event e;

	json_put_array(&j, NULL);
	for (unsigned int i = 0; f->source->event(f->source->arg, i, &e); i++) {
		json_put_object(&j, NULL);
		json_put_i64(&j, "time_s", e.wall_s);
		json_put_text(&j, "event", e.text);
		json_put_end(&j);
	}
	json_put_end(&j);
}
