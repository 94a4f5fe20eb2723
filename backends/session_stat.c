/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printed a few times a day, so by format strings. What has a counterpart in Linux is counted:
 * clash is the kernel's clash_resolve, memory_tension_drop what it dropped early from a full table.
 * The others stay 0, as they are on a unit that does not use what they count: the limit of
 * ephemeral sessions, removeable, dev_down, ses_flush_filters, flush_work_num, max_depth, the
 * firewall error numbers, the limits of the last line.
 *
 * `used` counts tuples: the kernel keeps each session in its table twice, once for each direction.
 */
#include "backends/session_stat.h"

#include <arpa/inet.h>
#include <inttypes.h>

#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

static const char *const tcp_names[SESSION_TCP_STATES] = {
	"NONE",      "ESTABLISHED", "SYN_SENT",   "SYN_RECV", "FIN_WAIT",
	"TIME_WAIT", "CLOSE",       "CLOSE_WAIT", "LAST_ACK", "LISTEN",
};

void session_tally_add(struct session_tally *t, const struct session *s) {
	uint8_t state = s->state[1];

	t->total++;
	if (s->ct->proto == IPPROTO_UDP) {
		t->ephemeral += state == 0;
	} else if (s->ct->proto == IPPROTO_TCP) {
		t->tcp[state < SESSION_TCP_STATES ? state : 0]++;
		t->ephemeral += state == 2 || state == 3;
	}
}

static void print_errors(struct str *out) {
	static const char *const names[] = { "error1",   "error2",   "error3",  "error4",
					     "tt",       "cont",     "ids_recv", "url_recv",
					     "av_recv",  "fqdn_count", "fqdn6_count" };

	str_add(out, "firewall error stat:\n");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		str_addf(out, "%s=00000000\n", names[i]);
	str_add(out, "global: ses_limit=0 ses6_limit=0 rt_limit=0 rt6_limit=0\n");
}

void session_stat_print(const struct session_stat *s, bool full, struct str *out) {
	if (full)
		str_addf(out,
			 "session table:\t\t table_size=%" PRIu64 " max_depth=0 used=%" PRIu64 "\n"
			 "expect session table:\t table_size=%" PRIu64 " max_depth=0 used=%" PRIu64
			 "\n",
			 s->table_size, s->tally.total * 2, s->expect_max, s->expected);
	str_addf(out,
		 "misc info:\t session_count=%" PRIu64 " setup_rate=%" PRIu64 " exp_count=%" PRIu64
		 " clash=%" PRIu64 "\n"
		 "\tmemory_tension_drop=%" PRIu64 " ephemeral=%" PRIu64 "/0 removeable=0\n"
		 "delete=%" PRIu64 ", flush=%" PRIu64 ", dev_down=0/0 ses_flush_filters=0\n"
		 "flush_work_num=0\n"
		 "TCP sessions:\n",
		 s->tally.total, s->setup_rate, s->expected, s->kernel.clash_resolve,
		 s->kernel.early_drop, s->tally.ephemeral, s->deleted, s->flushed);
	for (size_t i = 0; i < SESSION_TCP_STATES; i++)
		if (s->tally.tcp[i])
			str_addf(out, "\t %" PRIu64 " in %s state\n", s->tally.tcp[i],
				 tcp_names[i]);
	print_errors(out);
}

void session_stat_json(const struct session_stat *s, struct str *out) {
	str_addf(out,
		 "{\"sessions\":%" PRIu64 ",\"setup_rate\":%" PRIu64 ",\"expected\":%" PRIu64
		 ",\"clash\":%" PRIu64 ",\"early_drop\":%" PRIu64 ",\"drop\":%" PRIu64
		 ",\"ephemeral\":%" PRIu64 ",\"deleted\":%" PRIu64 ",\"flushed\":%" PRIu64
		 ",\"table_size\":%" PRIu64 ",\"tcp\":{",
		 s->tally.total, s->setup_rate, s->expected, s->kernel.clash_resolve,
		 s->kernel.early_drop, s->kernel.drop, s->tally.ephemeral, s->deleted, s->flushed,
		 s->table_size);
	for (size_t i = 0; i < SESSION_TCP_STATES; i++)
		str_addf(out, "%s\"%s\":%" PRIu64, i ? "," : "", tcp_names[i], s->tally.tcp[i]);
	str_add(out, "}}\n");
}

void session_stat_status(uint8_t family, uint64_t sessions, struct str *out) {
	str_addf(out, "The total number of %s sessions for the current VDOM: %" PRIu64 "\n",
		 family == AF_INET ? "IPv4" : "IPv6", sessions);
}

static void print_seconds(const struct object *obj, unsigned int attr, struct str *out) {
	value_print(&obj->table->attrs[attr], object_value(obj, attr), VALUE_GET, out);
}

void session_stat_ttl(const struct model *model, struct str *out) {
	const struct object *ttl = model_object(model, schema_table(TBL_SYSTEM_SESSION_TTL));
	const struct value *ports = object_value(ttl, SYSTEM_SESSION_TTL__PORT);

	str_add(out, "list session timeout:\n\tDefault timeout=");
	print_seconds(ttl, SYSTEM_SESSION_TTL__DEFAULT, out);
	str_add_char(out, '\n');
	for (uint32_t i = 0; ports && i < ports->n; i++) {
		const struct object *port = value_item(ports, i)->entry;

		str_addf(out, "\tprotocol=%" PRId64 " port=%" PRId64 "-%" PRId64 " timeout=",
			 object_num(port, SYSTEM_SESSION_TTL_PORT__PROTOCOL),
			 object_num(port, SYSTEM_SESSION_TTL_PORT__START_PORT),
			 object_num(port, SYSTEM_SESSION_TTL_PORT__END_PORT));
		print_seconds(port, SYSTEM_SESSION_TTL_PORT__TIMEOUT, out);
		str_add_char(out, '\n');
	}
}

static void put_seconds(struct json *j, const char *name, int64_t seconds) {
	if (seconds == VALUE_NEVER)
		json_put_null(j, name);
	else
		json_put_i64(j, name, seconds);
}

void session_stat_ttl_json(const struct model *model, struct str *out) {
	const struct object *ttl = model_object(model, schema_table(TBL_SYSTEM_SESSION_TTL));
	const struct value *ports = object_value(ttl, SYSTEM_SESSION_TTL__PORT);
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	put_seconds(&j, "default", object_num(ttl, SYSTEM_SESSION_TTL__DEFAULT));
	json_put_array(&j, "ports");
	for (uint32_t i = 0; ports && i < ports->n; i++) {
		const struct object *port = value_item(ports, i)->entry;

		json_put_object(&j, NULL);
		json_put_i64(&j, "protocol", object_num(port, SYSTEM_SESSION_TTL_PORT__PROTOCOL));
		json_put_i64(&j, "start_port",
			     object_num(port, SYSTEM_SESSION_TTL_PORT__START_PORT));
		json_put_i64(&j, "end_port", object_num(port, SYSTEM_SESSION_TTL_PORT__END_PORT));
		put_seconds(&j, "timeout", object_num(port, SYSTEM_SESSION_TTL_PORT__TIMEOUT));
		json_put_end(&j);
	}
	json_put_end(&j);
	json_put_end(&j);
}
