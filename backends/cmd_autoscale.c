/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each command goes to gatehouse-syncd with all its words, and its answer is the output. The two
 * that show the state of the group have an answer of their own where there is none to show: the
 * unit stands alone, or gatehouse-syncd is away or says nothing.
 */
#include "backends/cmd_autoscale.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/model/version.h"
#include "cfgdb/role.h"
#include "schemas/schema_gen.h"

/* ---- what is passed on ---- */

static int peers_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	bool detail = call->argc == 1 && strcmp(call->argv[0], "detail") == 0;

	if (!detail && command_no_words(call, err) != 0)
		return ERR_PARSE;
	return relay_open(ctx, RELAY_WAIT_MS, "diagnose sys ha autoscale-peers", call, ret, err);
}

static int history_open(void *ctx, const struct command_call *call, struct stream *ret,
			struct err *err) {
	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	return relay_open(ctx, RELAY_WAIT_MS, "diagnose sys ha history read", call, ret, err);
}

static int forget_open(void *ctx, const struct command_call *call, struct stream *ret,
		       struct err *err) {
	if (call->argc != 1)
		return call->argc ? command_bad_word(call->argv[1], err)
				  : command_word_missing(err);
	return relay_open(ctx, RELAY_WAIT_MS, "execute ha forget", call, ret, err);
}

/* ---- the state of the group ---- */

static bool ha_has(const struct model *m, unsigned int attr) {
	return object_is(model_object(m, schema_tables[TBL_SYSTEM_HA]), attr, "enable");
}

static void put_status(const struct model *m, const char *why, struct str *out) {
	bool member = role_is_member(m);

	str_addf(out, "HA Health Status:%s%s\n",
		 member ? "\n    WARNING: gatehouse-syncd " : " OK", member ? why : "");
	str_addf(out, "Model: %s\nMode: %s\nGroup: 0\nDebug: 0\n", VERSION_PRODUCT,
		 member ? "auto-scale" : "standalone");
	str_addf(out, "ses_pickup: %s, ses_pickup_delay=%s\n",
		 ha_has(m, SYSTEM_HA__SESSION_PICKUP) ? "enable" : "disable",
		 ha_has(m, SYSTEM_HA__SESSION_PICKUP_DELAY) ? "enable" : "disable");
}

static void put_numbers(const struct model *m, const char *why, struct str *out) {
	(void)why;
	str_addf(out, "HA information\nStatistics\n\ttraffic.local = s:0 p:0 b:0\n"
		 "\ttraffic.total = s:0 p:0 b:0\nModel=%s, Mode=%s Group=0 Debug=0\n"
		 "nvcluster=0, ses_pickup=%d, delay=%d\n", VERSION_PRODUCT,
		 role_is_member(m) ? "auto-scale" : "standalone",
		 ha_has(m, SYSTEM_HA__SESSION_PICKUP), ha_has(m, SYSTEM_HA__SESSION_PICKUP_DELAY));
}

/* In no group, or not told of it: what the configuration says. */
static void put_json(const struct model *m, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	json_put_text(&j, "model", VERSION_PRODUCT);
	json_put_text(&j, "mode", role_is_member(m) ? "auto-scale" : "standalone");
	json_put_bool(&j, "started", false);
	json_put_bool(&j, "session_pickup", ha_has(m, SYSTEM_HA__SESSION_PICKUP));
	json_put_bool(&j, "session_pickup_delay", ha_has(m, SYSTEM_HA__SESSION_PICKUP_DELAY));
	json_put_null(&j, "primary");
	json_put_array(&j, "members");
	json_put_end(&j);
	json_put_end(&j);
}

/* An answer, or the text in its place. */
struct state {
	struct relay_call *call;       /* NULL: there is nobody to ask */
	struct str text;
};

static enum stream_state state_next(void *ctx, struct str *out, struct err *err) {
	struct state *s = ctx;
	enum stream_state state = s->call ? relay_call_next(s->call, out, err) : STREAM_FAILED;

	if (out->len > 0)
		str_clear(&s->text);   /* what has begun is not begun anew */
	if (state != STREAM_FAILED || (s->call && s->text.len == 0))
		return state;
	str_add(out, str_text(&s->text));
	return STREAM_END;
}

static void state_close(void *ctx) {
	struct state *s = ctx;

	relay_call_close(s->call);
	str_done(&s->text);
	free(s);
}

static int state_open(struct relay *relay, char *words[4],
		      void (*put)(const struct model *m, const char *why, struct str *out),
		      const struct command_call *call, struct stream *ret, struct err *err) {
	bool asks = role_is_member(call->model) && relay_is_attached(relay);
	struct state *s;

	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	s = xcalloc(1, sizeof(*s));
	if (asks)
		s->call = relay_call_open(relay, RELAY_WAIT_MS, call->json, 4, words, NULL);
	if (call->json)
		put_json(call->model, &s->text);
	else
		put(call->model, s->call ? "does not answer" : "does not run", &s->text);
	*ret = (struct stream){ .next = state_next, .close = state_close, .ctx = s,
				.fd = s->call ? relay_call_fd(s->call) : -1 };
	return 0;
}

static int status_open(void *ctx, const struct command_call *call, struct stream *ret,
		       struct err *err) {
	char *words[] = { (char *)"get", (char *)"system", (char *)"ha", (char *)"status" };

	return state_open(ctx, words, put_status, call, ret, err);
}

static int numbers_open(void *ctx, const struct command_call *call, struct stream *ret,
			struct err *err) {
	char *words[] = { (char *)"diagnose", (char *)"sys", (char *)"ha", (char *)"status" };

	return state_open(ctx, words, put_numbers, call, ret, err);
}

const struct command *commands_autoscale(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose sys ha autoscale-peers", .reads = "sysgrp.cfg",
		  .open = peers_open,
		  .has_json = true },
		{ .words = "diagnose sys ha history read", .reads = "sysgrp.cfg",
		  .open = history_open,
		  .has_json = true },
		{ .words = "diagnose sys ha status", .reads = "sysgrp.cfg",
		  .open = numbers_open, .has_json = true },
		{ .words = "execute ha forget", .writes = "sysgrp.cfg", .open = forget_open },
		{ .words = "get system ha status", .reads = "sysgrp.cfg",
		  .open = status_open, .has_json = true },
	};

	*n = ARRAY_LEN(table);
	return table;
}
