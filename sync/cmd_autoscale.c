/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of words and functions; the rights were checked by gatehoused, which also knows these
 * words. Most answers are texts of what is known here.
 *
 * `checksum diff` has to ask other members, and this unit's own gatehoused in the same way. What
 * comes back is taken at once, for it is gone after the call; the next question is asked from the
 * event loop, because the machine that answers may not be asked from its answer.
 */
#include "sync/cmd_autoscale.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "sync/autoscale_json.h"
#include "sync/comparison.h"

#define DIFFS_MAX 4            /* at a time */
#define NONE_IS_CONNECTED "no other member is connected"
#define NONE_LEADS "of the members that are connected none is the primary"

/* A `checksum diff` that is under way. */
struct diff {
	uint32_t id;                 /* of the call */
	char serial[MEMBERS_MAX][MEMBER_SERIAL];
	unsigned int n, at;
	struct comparison *comparison;       /* with serial[at]; NULL: not begun */
	uint32_t inquiry;            /* under way; 0: none */
	struct str text;             /* not sent yet */
	bool is_json;
	struct json json;            /* to text, as lists of lines */
	LIST_ENTRY(diff) next;
};

struct cmd_autoscale {
	const struct cmd_autoscale_calls *calls;
	struct door *door;
	struct autoscale_facts facts;
	struct event *soon;
	unsigned int n_diffs;
	LIST_HEAD(, diff) diffs;
};

/* ---- answers that are at hand ---- */

static int run_peers(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_autoscale *c = arg;

	(void)err;
	if (call->json)
		autoscale_json_peers(&c->facts, out);
	else
		autoscale_text_peers(&c->facts, strcmp(call->argv[call->argc - 1], "detail") == 0,
				     out);
	return 0;
}

static int run_checksum(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_autoscale *c = arg;

	(void)err;
	if (call->json)
		autoscale_json_checksums(&c->facts, out);
	else
		autoscale_text_checksums(&c->facts,
					 strcmp(call->argv[1], "autoscale-cluster") == 0, out);
	return 0;
}

static int run_status(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_autoscale *c = arg;

	(void)err;
	if (call->json)
		autoscale_json_status(&c->facts, out);
	else if (strcmp(call->argv[0], "get") == 0)
		autoscale_text_status(&c->facts, out);
	else
		autoscale_text_numbers(&c->facts, out);
	return 0;
}

static int run_history(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_autoscale *c = arg;

	(void)err;
	if (call->json)
		autoscale_json_history(&c->facts, out);
	else
		autoscale_text_history(&c->facts, out);
	return 0;
}

static bool is_member(const struct cmd_autoscale *c, const char *serial) {
	const struct autoscale_source *source = c->facts.source;
	struct autoscale_peer_info p;

	for (unsigned int i = 0; source->peer(source->arg, i, &p); i++)
		if (strcmp(p.serial, serial) == 0)
			return true;
	return false;
}

/* One that is still there is the primary's to forget. */
static int run_forget(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_autoscale *c = arg;
	const char *serial = call->argv[call->argc - 1];
	int rc = c->calls->forget(c->calls->arg, serial, err);
	struct autoscale_stats stats;

	if (rc != 0 || !is_member(c, serial))
		return rc;
	c->facts.source->stats(c->facts.source->arg, &stats);
	str_addf(out, "%s, the primary, is asked to forget %s; its history says whether it did\n",
		 stats.primary, serial);
	return 0;
}

void cmd_autoscale_metrics(const struct cmd_autoscale *c, struct str *out) {
	autoscale_text_metrics(&c->facts, out);
}

/* ---- diagnose sys ha checksum diff [SERIAL] ---- */

static void diff_free(struct cmd_autoscale *c, struct diff *d) {
	LIST_REMOVE(d, next);
	c->n_diffs--;
	comparison_free(d->comparison);
	str_done(&d->text);
	free(d);
}

static void add_target(struct diff *d, const char *serial) {
	if (d->n < MEMBERS_MAX)
		strcpy(d->serial[d->n++], serial);
}

/* The primary compares itself with all, a secondary with the primary. */
static int find_targets(const struct cmd_autoscale *c, struct diff *d, const char *serial,
			struct err *err) {
	const struct autoscale_source *source = c->facts.source;
	struct autoscale_peer_info p;
	bool any = false;

	for (unsigned int i = 0; source->peer(source->arg, i, &p); i++) {
		any |= p.connected;
		if (serial ? strcmp(p.serial, serial) == 0
			   : p.connected && (c->facts.unit.primary || p.primary))
			add_target(d, p.serial);
	}
	if (d->n > 0)
		return 0;
	if (serial)
		return err_set(err, ERR_NOT_FOUND, "%s is no other member of the group", serial);
	return err_set(err, ERR_NOT_FOUND, any ? NONE_LEADS : NONE_IS_CONNECTED);
}

static int run_diff(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_autoscale *c = arg;
	struct diff *d;
	int rc;

	(void)out;
	if (c->n_diffs >= DIFFS_MAX)
		return err_set(err, ERR_MAX_ENTRIES, "%d compare already", DIFFS_MAX);
	d = xcalloc(1, sizeof(*d));
	d->id = call->id;
	d->is_json = call->json;
	d->json = json_put_resume(&d->text); /* gatehoused has begun it, and will end it */
	LIST_INSERT_HEAD(&c->diffs, d, next);
	c->n_diffs++;
	rc = find_targets(c, d, call->argc > 5 ? call->argv[5] : NULL, err);
	if (rc)
		diff_free(c, d);
	else
		event_active(c->soon, EV_TIMEOUT, 0);
	return rc;
}

/* False: the reader does not take it. */
static bool send_text(struct cmd_autoscale *c, struct diff *d) {
	bool taken = d->text.len == 0 ||
		     door_reply(c->door, d->id, str_text(&d->text), d->text.len);

	str_clear(&d->text);
	return taken;
}

static void begin_member(struct cmd_autoscale *c, struct diff *d) {
	const char *serial = d->serial[d->at];

	d->comparison = comparison_new(c->facts.unit.serial, serial);
	if (d->is_json) {
		json_put_object(&d->json, NULL);
		json_put_text(&d->json, "serial", serial);
		json_put_array(&d->json, "lines");
		return;
	}
	str_addf(&d->text, "%s================== %s ==================\n", d->at ? "\n" : "",
		 serial);
}

static void end_member(struct diff *d) {
	d->comparison = comparison_free(d->comparison);
	d->at++;
	if (!d->is_json)
		return;
	json_put_end(&d->json);
	json_put_end(&d->json);
}

static void take_answer(struct diff *d, const struct autoscale_message *answer, const char *why) {
	AUTO_STR struct str lines = STR_INIT;
	const char *at;

	if (!d->is_json) {
		comparison_take(d->comparison, answer, why, &d->text);
		return;
	}
	comparison_take(d->comparison, answer, why, &lines);
	for (at = str_text(&lines); *at; at += *at == '\n') {
		size_t len = strcspn(at, "\n");

		json_put_textf(&d->json, NULL, "%.*s", (int)len, at);
		at += len;
	}
}

/* Ask the next question. False: there is none any more. */
static bool ask_next(struct cmd_autoscale *c, struct diff *d) {
	struct autoscale_message question;
	struct err err = { 0 };
	const char *serial;

	while (d->at < d->n) {
		if (!d->comparison)
			begin_member(c, d);
		if (!comparison_ask(d->comparison, &serial, &question)) {
			end_member(d);
			continue;
		}
		d->inquiry = c->calls->inquire(c->calls->arg, serial, &question, &err);
		if (d->inquiry)
			return true;
		take_answer(d, NULL, err.text);
	}
	return false;
}

static void on_soon(evutil_socket_t fd, short what, void *arg) {
	struct cmd_autoscale *c = arg;
	struct diff *d, *next;

	(void)fd;
	(void)what;
	for (d = LIST_FIRST(&c->diffs); d; d = next) {
		bool goes_on = d->inquiry || ask_next(c, d);

		next = LIST_NEXT(d, next);
		if (!send_text(c, d))
			door_end(c->door, d->id, ERR_TOO_LONG, "the output was not taken");
		else if (!goes_on)
			door_end(c->door, d->id, 0, "");
		else
			continue;
		diff_free(c, d);
	}
}

void cmd_autoscale_inquired(struct cmd_autoscale *c, uint32_t inquiry,
			    const struct autoscale_message *answer, const char *why) {
	struct diff *d;

	LIST_FOREACH(d, &c->diffs, next) {
		if (d->inquiry != inquiry)
			continue;
		d->inquiry = 0;
		take_answer(d, answer, why);
		event_active(c->soon, EV_TIMEOUT, 0);
		return;
	}
}

/* ---- commands ---- */

static const struct door_command commands[] = {
	{ "diagnose sys ha autoscale-peers", 0, false, run_peers },
	{ "diagnose sys ha autoscale-peers detail", 0, false, run_peers },
	{ "checksum cluster", 0, false, run_checksum },
	{ "checksum autoscale-cluster", 0, false, run_checksum },
	{ "diagnose sys ha checksum diff", 0, true, run_diff },
	{ "diagnose sys ha checksum diff", 1, true, run_diff },
	{ "get system ha status", 0, false, run_status },
	{ "diagnose sys ha status", 0, false, run_status },
	{ "diagnose sys ha history read", 0, false, run_history },
	{ "execute ha forget", 1, false, run_forget },
};

bool cmd_autoscale_call(struct cmd_autoscale *c, const struct door_call *call) {
	return door_answer(c->door, commands, ARRAY_LEN(commands), c, call);
}

void cmd_autoscale_cancel(struct cmd_autoscale *c, uint32_t id) {
	struct diff *d = LIST_FIRST(&c->diffs);

	while (d && d->id != id)
		d = LIST_NEXT(d, next);
	if (d)
		diff_free(c, d);
}

void cmd_autoscale_lost(struct cmd_autoscale *c) {
	while (!LIST_EMPTY(&c->diffs))
		diff_free(c, LIST_FIRST(&c->diffs));
}

void cmd_autoscale_unit(struct cmd_autoscale *c, const struct autoscale *unit) {
	c->facts.unit = *unit;
	explicit_bzero(c->facts.unit.key, sizeof(c->facts.unit.key));
}

void cmd_autoscale_cluster(struct cmd_autoscale *c, const struct cluster *cluster) {
	c->facts.pickup = cluster->tcp;
	c->facts.pickup_delay = cluster->delay;
}

struct cmd_autoscale *cmd_autoscale_new(struct event_base *base,
					const struct autoscale_source *source,
					const struct cmd_autoscale_calls *calls,
					struct door *door, struct err *err) {
	struct cmd_autoscale *c = xcalloc(1, sizeof(*c));

	c->facts.source = source;
	c->calls = calls;
	c->door = door;
	LIST_INIT(&c->diffs);
	c->soon = evtimer_new(base, on_soon, c);
	if (c->soon)
		return c;
	err_set(err, ERR_KERNEL, "no event loop");
	return cmd_autoscale_free(c);
}

struct cmd_autoscale *cmd_autoscale_free(struct cmd_autoscale *c) {
	if (!c)
		return NULL;
	cmd_autoscale_lost(c);
	if (c->soon)
		event_free(c->soon);
	free(c);
	return NULL;
}
