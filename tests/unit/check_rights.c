/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What roles allow. The tables here are a second opinion: which group each table and each command
 * of the daemon is in, and how a role is read and compared, written down without a look at the
 * first. Random roles and requests get the same decision from both.
 */
#include "cfgdb/rights.h"

#include <stdlib.h>
#include <string.h>

#include "backends/changes.h"
#include "backends/cmd_autoscale.h"
#include "backends/cmd_flow.h"
#include "backends/cmd_hardware.h"
#include "backends/cmd_link.h"
#include "backends/cmd_metrics.h"
#include "backends/cmd_performance.h"
#include "backends/cmd_port.h"
#include "backends/cmd_replication.h"
#include "backends/cmd_session.h"
#include "backends/cmd_sniffer.h"
#include "backends/cmd_top.h"
#include "backends/commands_kernel.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/cmd_admin.h"
#include "cfgdb/control/cmd_batch.h"
#include "cfgdb/control/cmd_checksum.h"
#include "cfgdb/control/cmd_log.h"
#include "cfgdb/control/cmd_revision.h"
#include "cfgdb/control/cmd_transaction.h"
#include "cfgdb/control/commands.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/rng.h"
#include "tests/lib/wire.h"

/* ---- the second opinion ---- */

static const struct {
	const char *table, *group;
} groups[] = {
	{ "antivirus.profile", "utmgrp.antivirus" },
	{ "application.list", "utmgrp.application-control" },
	{ "firewall.address", "fwgrp.address" },
	{ "firewall.addrgrp", "fwgrp.address" },
	{ "firewall.policy", "fwgrp.policy" },
	{ "firewall.schedule.group", "fwgrp.schedule" },
	{ "firewall.schedule.onetime", "fwgrp.schedule" },
	{ "firewall.schedule.recurring", "fwgrp.schedule" },
	{ "firewall.service.category", "fwgrp.service" },
	{ "firewall.service.custom", "fwgrp.service" },
	{ "firewall.service.group", "fwgrp.service" },
	{ "firewall.ssl-ssh-profile", "fwgrp.others" },
	{ "firewall.vip", "fwgrp.others" },
	{ "firewall.vipgrp", "fwgrp.others" },
	{ "ips.sensor", "utmgrp.ips" },
	{ "log.disk.setting", "loggrp.config" },
	{ "log.memory.setting", "loggrp.config" },
	{ "log.setting", "loggrp.config" },
	{ "log.syslogd.setting", "loggrp.config" },
	{ "router.static", "netgrp.route-cfg" },
	{ "system.accprofile", "sysgrp.admin" },
	{ "system.admin", "sysgrp.admin" },
	{ "system.alias", "sysgrp.cfg" },
	{ "system.auto-scale", "sysgrp.cfg" },
	{ "system.console", "any" },
	{ "system.global", "sysgrp.cfg" },
	{ "system.ha", "sysgrp.cfg" },
	{ "system.interface", "netgrp.cfg" },
	{ "system.session-helper", "sysgrp.cfg" },
	{ "system.session-ttl", "sysgrp.cfg" },
	{ "system.settings", "sysgrp.cfg" },
	{ "system.standalone-cluster", "sysgrp.cfg" },
	{ "system.vdom-exception", "sysgrp.cfg" },
	{ "system.zone", "netgrp.cfg" },
	{ "webfilter.profile", "utmgrp.webfilter" },
};

#define READS(group, words) { words, group, RIGHTS_READ }
#define WRITES(group, words) { words, group, RIGHTS_WRITE }

static const struct {
	const char *words, *group;
	enum rights_level level;
} needs[] = {
	READS("any", "get system status"),
	READS("sysgrp.admin", "get system admin list"),
	READS("any", "get system admin status"),
	READS("sysgrp.admin", "diagnose sys admin lockout list"),
	WRITES("sysgrp.admin", "diagnose sys admin lockout clear"),
	WRITES("sysgrp.admin", "execute disconnect-admin-session"),
	WRITES("sysgrp.mnt", "execute reboot"),
	WRITES("sysgrp.mnt", "execute shutdown"),
	WRITES("sysgrp.cfg", "execute date"),
	WRITES("sysgrp.cfg", "execute time"),
	READS("any", "diagnose sys vd list"),
	READS("any", "diagnose sys cmdb refcnt show"),
	READS("any", "diagnose config unenforced"),
	READS("any", "diagnose debug enable"),
	READS("any", "diagnose debug disable"),
	READS("any", "diagnose debug reset"),
	READS("any", "execute batch start"),
	READS("any", "execute batch keep"),
	READS("any", "execute batch lastlog"),
	READS("any", "execute config-transaction start"),
	READS("any", "execute config-transaction resume"),
	READS("any", "execute config-transaction abort"),
	READS("any", "execute config-transaction elsewhere"),
	READS("any", "execute config-transaction commit"),
	READS("any", "execute config-transaction confirm"),
	READS("any", "execute config-transaction diff"),
	READS("any", "execute config-transaction status"),
	READS("sysgrp.cfg", "diagnose sys config-transaction show txn-meta"),
	READS("sysgrp.cfg", "diagnose sys config-transaction show txn-info"),
	READS("all", "diagnose sys config-transaction show txn-entity"),
	READS("all", "diagnose sys config-transaction show txn-lock"),
	READS("all", "diagnose sys config-transaction show txn-cli-commands"),
	READS("all", "diagnose debug cli"),
	READS("all", "diagnose sys ha checksum diff"),
	READS("all", "execute revision list config"),
	READS("all", "execute revision diff"),
	READS("all", "execute backup revision"),
	READS("all", "execute backup config"),
	READS("all", "execute backup full-config"),
	READS("all", "execute backup yaml-config"),
	READS("any", "execute restore losses"),
	READS("any", "execute restore outcome"),
	WRITES("all", "execute restore config"),
	WRITES("all", "execute private-data-encryption key"),
	READS("any", "execute private-data-encryption id"),
	WRITES("all", "execute revision revert"),
	WRITES("all", "execute cfg reload"),
	WRITES("sysgrp.mnt", "execute revision comment"),
	WRITES("sysgrp.mnt", "execute cfg save"),
	READS("sysgrp.mnt", "execute cfg status"),
	READS("sysgrp.cfg", "diagnose sys ha checksum show"),
	WRITES("sysgrp.mnt", "diagnose sys ha checksum recalculate"),
	READS("sysgrp.cfg", "diagnose sys ha checksum cluster"),
	READS("sysgrp.cfg", "diagnose sys ha checksum autoscale-cluster"),
	READS("sysgrp.cfg", "diagnose sys ha autoscale-peers"),
	READS("sysgrp.cfg", "diagnose sys ha history read"),
	READS("sysgrp.cfg", "diagnose sys ha status"),
	WRITES("sysgrp.cfg", "execute ha forget"),
	READS("sysgrp.cfg", "get system ha status"),
	READS("sysgrp.cfg", "diagnose sys ha standalone-peers"),
	READS("sysgrp.cfg", "diagnose sys session sync"),
	WRITES("sysgrp.mnt", "diagnose sys session sync reset"),
	WRITES("sysgrp.mnt", "execute sync-session"),
	READS("sysgrp.cfg", "diagnose debug application sessionsync"),
	READS("sysgrp.cfg", "diagnose debug application hasync"),
	READS("sysgrp.cfg", "get metrics"),
	READS("netgrp.cfg", "diagnose ip address list"),
	READS("netgrp.route-cfg", "get router info routing-table all"),
	READS("netgrp.route-cfg", "get router info routing-table database"),
	READS("netgrp.route-cfg", "get router info routing-table details"),
	READS("netgrp.cfg", "get system arp"),
	READS("netgrp.cfg", "diagnose ip arp list"),
	WRITES("netgrp.cfg", "execute clear system arp table"),
	READS("netgrp.cfg", "diagnose netlink interface list"),
	READS("netgrp.cfg", "get system interface physical"),
	READS("netgrp.cfg", "get hardware nic"),
	READS("netgrp.cfg", "diagnose hardware deviceinfo nic"),
	READS("sysgrp.cfg", "get hardware status"),
	READS("sysgrp.cfg", "get system performance status"),
	READS("sysgrp.cfg", "get system performance top"),
	READS("sysgrp.cfg", "diagnose sys top"),
	READS("fwgrp.policy", "diagnose firewall iprope lookup"),
	READS("fwgrp.policy", "diagnose firewall iprope show"),
	WRITES("netgrp.packet-capture", "diagnose sniffer packet"),
	WRITES("netgrp.packet-capture", "diagnose debug flow filter"),
	WRITES("netgrp.packet-capture", "diagnose debug flow show function-name"),
	WRITES("netgrp.packet-capture", "diagnose debug flow show iprope"),
	WRITES("netgrp.packet-capture", "diagnose debug flow trace start"),
	WRITES("netgrp.packet-capture", "diagnose debug flow trace stop"),
	READS("loggrp.data-access", "execute log filter category"),
	READS("loggrp.data-access", "execute log filter device"),
	READS("loggrp.data-access", "execute log filter dump"),
	READS("loggrp.data-access", "execute log filter field"),
	READS("loggrp.data-access", "execute log filter max-checklines"),
	READS("loggrp.data-access", "execute log filter reset"),
	READS("loggrp.data-access", "execute log filter start-line"),
	READS("loggrp.data-access", "execute log filter view-lines"),
	READS("loggrp.data-access", "execute log display"),
	WRITES("loggrp.data-access", "execute log delete"),
	WRITES("loggrp.data-access", "execute log delete-all"),
	READS("ftviewgrp", "diagnose sys session list"),
	READS("ftviewgrp", "diagnose sys session6 list"),
	READS("ftviewgrp", "diagnose sys session filter"),
	READS("ftviewgrp", "diagnose sys session6 filter"),
	WRITES("ftviewgrp", "diagnose sys session clear"),
	WRITES("ftviewgrp", "diagnose sys session6 clear"),
	READS("ftviewgrp", "diagnose sys session stat"),
	READS("ftviewgrp", "diagnose sys session6 stat"),
	READS("ftviewgrp", "diagnose sys session full-stat"),
	READS("ftviewgrp", "diagnose sys session ttl"),
	READS("ftviewgrp", "diagnose sys session exact"),
	READS("ftviewgrp", "get system session list"),
	READS("ftviewgrp", "get system session status"),
	READS("ftviewgrp", "get system session-info list"),
	READS("ftviewgrp", "get system session-info full-stat"),
	READS("ftviewgrp", "get system session-info statistics"),
	READS("ftviewgrp", "get system session-info ttl"),
	READS("ftviewgrp", "get system session-info expectation"),
	READS("ftviewgrp", "execute set system session filter"),
};

static const struct {
	const char *name;
	const char *subs[16];
} attrs[] = {
	{ "secfabgrp", { "csfsys", "csffoo" } },
	{ "ftviewgrp", { NULL } },
	{ "authgrp", { NULL } },
	{ "sysgrp", { "admin", "upd", "cfg", "mnt" } },
	{ "netgrp", { "cfg", "packet-capture", "route-cfg" } },
	{ "loggrp", { "config", "data-access", "report-access", "threat-weight" } },
	{ "fwgrp", { "policy", "address", "service", "schedule", "others" } },
	{ "vpngrp", { NULL } },
	{ "utmgrp",
	  { "antivirus", "ips", "webfilter", "emailfilter", "dlp", "file-filter",
	    "application-control", "icap", "voip", "waf", "dnsfilter", "endpoint-control",
	    "videofilter", "virtual-patch", "casb" } },
	{ "wanoptgrp", { NULL } },
	{ "wifi", { NULL } },
};

static const char *const verbs[] = { "get", "show", "config", "execute", "diagnose" };
static const char *const words[] = { "none", "read", "read-write", "custom" };

enum { CUSTOM = RIGHTS_WRITE + 1 };

struct role {
	bool global, verb[ARRAY_LEN(verbs)];
	unsigned int attr[ARRAY_LEN(attrs)]; /* enum rights_level or CUSTOM */
	enum rights_level sub[ARRAY_LEN(attrs)][16];
};

static bool has_verb(const struct role *role, const char *word) {
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i], word) == 0)
			return role->verb[i];
	return false;
}

/* As the words of the role say, for "fwgrp.policy" or "ftviewgrp". */
static enum rights_level told(const struct role *role, const char *group) {
	for (size_t i = 0; i < ARRAY_LEN(attrs); i++) {
		size_t len = strcspn(group, ".");

		if (strlen(attrs[i].name) != len || strncmp(attrs[i].name, group, len) != 0)
			continue;
		if (role->attr[i] != CUSTOM)
			return role->attr[i];
		for (size_t s = 0; attrs[i].subs[s]; s++)
			if (strcmp(attrs[i].subs[s], group + len + 1) == 0)
				return role->sub[i][s];
	}
	ck_abort_msg("no group %s", group);
}

static bool has_verbs(const struct role *role) {
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (role->verb[i])
			return true;
	return false;
}

static bool has_all(const struct role *role, enum rights_level level) {
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (strcmp(groups[i].group, "any") != 0 && told(role, groups[i].group) < level)
			return false;
	return role->global && has_verbs(role);
}

static bool has_group(const struct role *role, const char *group, enum rights_level level) {
	if (!has_verbs(role))
		return false;
	if (strcmp(group, "all") == 0 || (strcmp(group, "any") == 0 && level == RIGHTS_WRITE))
		return has_all(role, level);
	return strcmp(group, "any") == 0 || told(role, group) >= level;
}

static bool has_table(const struct role *role, const char *table, enum rights_level level) {
	size_t i = 0;

	while (strcmp(groups[i].table, table) != 0)
		i++;
	if (!has_verb(role, "config") &&
	    (level == RIGHTS_WRITE || (!has_verb(role, "get") && !has_verb(role, "show"))))
		return false;
	return has_group(role, groups[i].group, level);
}

static bool has_role(const struct role *role, const struct role *other) {
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (other->verb[i] && !role->verb[i])
			return false;
	for (size_t i = 0; i < ARRAY_LEN(attrs); i++)
		for (size_t s = 0; s == 0 || attrs[i].subs[s]; s++) {
			AUTO_FREE char *group =
				xasprintf("%s.%s", attrs[i].name,
					  attrs[i].subs[s] ? attrs[i].subs[s] : "");

			if (told(other, group) > told(role, group))
				return false;
		}
	return role->global || !other->global;
}

/* Every second one may nearly everything. */
static void draw_role(struct rng *r, struct role *ret) {
	unsigned int most = rng_chance(r, 50) ? 90 : 30;

	*ret = (struct role){ .global = rng_chance(r, most) };
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		ret->verb[i] = rng_chance(r, most);
	for (size_t i = 0; i < ARRAY_LEN(attrs); i++) {
		ret->attr[i] = rng_chance(r, most) ? RIGHTS_WRITE : rng_below(r, 3);
		if (attrs[i].subs[0] && rng_chance(r, 40))
			ret->attr[i] = CUSTOM;
		for (size_t s = 0; s < 15; s++)
			ret->sub[i][s] = rng_chance(r, most) ? RIGHTS_WRITE : rng_below(r, 3);
	}
}

/* Details that do not count are there, too. */
static char *role_text(const struct role *role) {
	struct str out = STR_INIT;

	str_addf(&out, "set scope %s\n", role->global ? "global" : "vdom");
	for (size_t i = 0; i < ARRAY_LEN(attrs); i++) {
		str_addf(&out, "set %s %s\n", attrs[i].name, words[role->attr[i]]);
		if (!attrs[i].subs[0])
			continue;
		str_addf(&out, "config %s-permission\n", attrs[i].name);
		for (size_t s = 0; attrs[i].subs[s]; s++)
			str_addf(&out, "set %s %s\n", attrs[i].subs[s], words[role->sub[i][s]]);
		str_add(&out, "end\n");
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		str_addf(&out, "set cli-%s %s\n",
			 strcmp(verbs[i], "execute") == 0 ? "exec" : verbs[i],
			 role->verb[i] ? "enable" : "disable");
	return str_steal(&out);
}

static void set_role(struct engine *e, const char *name, const struct role *role) {
	AUTO_FREE char *text = role_text(role);

	fixture_set(e, "system.accprofile", name, text);
}

/* ---- the unit ---- */

static struct wire_unit unit;
static struct wire w;
static struct command *all_commands;
static size_t n_all;

static int do_nothing(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	(void)ctx;
	(void)call;
	(void)out;
	(void)err;
	return 0;
}

static void take_rows(const struct command *(*table)(size_t *n)) {
	size_t n;
	const struct command *rows = table(&n);

	all_commands = xreallocarray(all_commands, n_all + n, sizeof(*all_commands));
	for (size_t i = 0; i < n; i++) {
		all_commands[n_all] = rows[i];
		all_commands[n_all].open = NULL;
		all_commands[n_all].check = NULL;
		all_commands[n_all++].run = do_nothing;
	}
}

/* What all rows of the daemon ask for, without what they do. */
static void take_all_rows(void) {
	static const struct command *(*const tables[])(size_t *n) = {
		commands_config,   commands_admin,	 commands_batch,	 commands_checksum,
		commands_revision, commands_transaction, commands_transaction_show,
		commands_autoscale, commands_kernel,	 commands_session,
		commands_replication, commands_metrics,	 commands_log,
		commands_flow,	   commands_sniffer,	 commands_changes,
		commands_performance, commands_hardware, commands_link,
		commands_port,	   commands_top,
	};

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		take_rows(tables[i]);
}

static void setup(void) {
	wire_unit_init(&unit);
	take_all_rows();
}

static void teardown(void) {
	wire_unit_done(&unit);
	free(all_commands);
	all_commands = NULL;
	n_all = 0;
}

/* Connect as an entry of system admin that has this role. */
static void connect_with(const char *role) {
	AUTO_FREE char *body = xasprintf("set accprofile %s\n", role);

	fixture_set(unit.engine, "system.admin", "actor", body);
	wire_open(&w, &unit, "actor");
	caller_take_role(&w.caller);
}

static bool is_denied(const struct wire *wire) {
	return wire->err.code == ERR_DENIED || wire->err.code == ERR_PERMISSION;
}

/* ---- what is in which group ---- */

struct known {
	bool found;
	const char *name;
};

static void match(void *arg, const char *name) {
	struct known *k = arg;

	k->found = k->found || strcmp(k->name, name) == 0;
}

static void expect_group(const char *name) {
	struct known k = { strcmp(name, "any") == 0 || strcmp(name, "all") == 0, name };

	rights_each_group(match, &k);
	ck_assert_msg(k.found, "no role has %s", name);
}

static void count(void *arg, const char *name) {
	(void)name;
	++*(size_t *)arg;
}

/* Every table has a group that roles have. */
START_TEST(test_tables) {
	size_t n = 0;

	rights_each_group(count, &n);
	ck_assert_uint_lt(n, RIGHTS_GROUPS_MAX);
	ck_assert_uint_eq(schema_n_top, ARRAY_LEN(groups));
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];
		size_t at = 0;

		ck_assert_msg(table->group != NULL, "%s", table->dotted);
		while (at < ARRAY_LEN(groups) && strcmp(groups[at].table, table->dotted) != 0)
			at++;
		ck_assert_msg(at < ARRAY_LEN(groups), "%s", table->dotted);
		ck_assert_str_eq(table->group, groups[at].group);
		expect_group(table->group);
	}
}
END_TEST

/* So has every command. */
START_TEST(test_commands) {
	for (size_t i = 0; i < n_all; i++) {
		const struct command *c = &all_commands[i];
		size_t at = 0;

		while (at < ARRAY_LEN(needs) && strcmp(needs[at].words, c->words) != 0)
			at++;
		ck_assert_msg(at < ARRAY_LEN(needs), "no opinion on: %s", c->words);
		ck_assert_msg(!c->reads != !c->writes, "%s", c->words);
		ck_assert_str_eq(c->reads ? c->reads : c->writes, needs[at].group);
		ck_assert_msg(needs[at].level == (c->reads ? RIGHTS_READ : RIGHTS_WRITE), "%s",
			      c->words);
		expect_group(needs[at].group);
	}
	ck_assert_uint_eq(n_all, ARRAY_LEN(needs));
}
END_TEST

/* ---- random roles ---- */

/* What completion asks before a value is put. */
static enum rights_level ask_value(const struct schema_table *table, enum ctl_type type) {
	AUTO_BUF struct buf b = BUF_INIT;
	uint16_t i = 0;

	while (i < table->n_attrs && (type == CTL_CHECK_REF ? table->attrs[i].type != ATTR_REF
							   : !schema_is_secret(&table->attrs[i])))
		i++;
	if (i == table->n_attrs)
		return RIGHTS_NONE;
	buf_put_u8(&b, (uint8_t)type);
	buf_put_u16(&b, table->id);
	buf_put_u16(&b, i);
	buf_put_str(&b, "nothing");
	wire_ask(&w, &b);
	return RIGHTS_WRITE;
}

/* A request about a table; what level it needs, RIGHTS_NONE: it does not make sense here. */
static enum rights_level ask_table(const struct schema_table *table, enum ctl_type type) {
	bool list = schema_is_list(table), number = list && table->attrs[0].type == ATTR_INTEGER;
	const char *key = !list ? "" : number ? "4711" : "nobody";
	AUTO_BUF struct buf b = BUF_INIT;

	if (type == CTL_CHECK_REF || type == CTL_CHECK_SECRET)
		return ask_value(table, type);
	buf_put_u8(&b, (uint8_t)type);
	buf_put_u16(&b, table->id);
	if (type != CTL_LIST && type != CTL_NEXT_ID && type != CTL_PURGE)
		buf_put_str(&b, type == CTL_KEYS ? "" : key);
	if (type == CTL_KEYS)
		buf_put_u32(&b, 10);
	if (type == CTL_PUT)
		buf_put_u64(&b, TXN_NEW);
	if (type == CTL_PLACE)
		buf_put_u8(&b, 0);
	if (type == CTL_PUT)
		buf_put_str(&b, "set no-such-attribute 1\n");
	if (type == CTL_RENAME || type == CTL_PLACE)
		buf_put_str(&b, number ? "4712" : "nowhere");
	if (!list && (type == CTL_RENAME || type == CTL_PLACE))
		return RIGHTS_NONE;
	wire_ask(&w, &b);
	return type == CTL_GET || type == CTL_LIST || type == CTL_KEYS || type == CTL_NEXT_ID
		       ? RIGHTS_READ
		       : RIGHTS_WRITE;
}

static void check_table(const struct role *role, const struct schema_table *table,
			enum ctl_type type) {
	bool admins = strcmp(table->dotted, "system.admin") == 0 ||
		      strcmp(table->dotted, "system.accprofile") == 0;
	enum rights_level needed;
	bool may;

	if (type == CTL_PURGE && admins)
		return; /* others are in it; see below */
	wire_simple(&w, CTL_BEGIN);
	needed = ask_table(table, type);
	may = has_table(role, table->dotted, needed);
	if (needed != RIGHTS_NONE)
		ck_assert_msg(may == !is_denied(&w), "%s, request %d: %d %s", table->dotted, type,
			      w.err.code, w.err.text);
	ck_assert(w.err.code != ERR_DENIED || strstr(w.err.text, table->path));
	wire_simple(&w, CTL_ABORT);
}

static void check_command(const struct role *role, size_t i) {
	AUTO_FREE char *verb = xstrndup(needs[i].words, strcspn(needs[i].words, " "));
	bool may = has_verb(role, verb) && has_group(role, needs[i].group, needs[i].level);
	size_t row = 0;

	wire_run(&w, needs[i].words);
	ck_assert_msg(w.err.code == (may ? 0 : ERR_PERMISSION), "%s: %d %s", needs[i].words,
		      w.err.code, w.err.text);
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_CHECK, needs[i].words), may ? 0 : ERR_PERMISSION);
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_HINT, needs[i].words), may ? 0 : ERR_PERMISSION);
	while (strcmp(all_commands[row].words, needs[i].words) != 0)
		row++;
	wire_run_json(&w, needs[i].words);
	ck_assert_int_eq(w.err.code, !may			     ? ERR_PERMISSION
				     : all_commands[row].has_json ? 0
								     : ERR_PARSE);
}

/* Who is no super_admin replaces nothing, whatever his role says. */
static void check_restore(void) {
	for (enum ctl_begin kind = CTL_BEGIN_REPLACE; kind < CTL_BEGIN_COUNT; kind++) {
		AUTO_BUF struct buf b = BUF_INIT;

		buf_put_u8(&b, CTL_BEGIN);
		buf_put_u8(&b, (uint8_t)kind);
		ck_assert_int_eq(wire_ask(&w, &b), ERR_PERMISSION);
	}
}

/* Any role and any request: the daemon decides as the tables above say. */
START_TEST(test_any) {
	static const enum ctl_type types[] = { CTL_GET,	   CTL_LIST,   CTL_KEYS,  CTL_NEXT_ID,
					       CTL_PUT,	   CTL_DELETE, CTL_RENAME, CTL_PLACE,
					       CTL_PURGE,  CTL_CHECK_REF, CTL_CHECK_SECRET };
	struct rng r = rng_seed(fixture_seed());
	struct role role;

	draw_role(&r, &role);
	set_role(unit.engine, "role", &role);
	connect_with("role");
	w.caller.config = &(struct server_config){ .commands = all_commands, .n_commands = n_all,
						   .group = "g" };
	for (unsigned int n = fixture_rounds(40); n > 0; n--) {
		draw_role(&r, &role);
		set_role(unit.engine, "role", &role);
		for (int i = 0; i < 60; i++)
			check_table(&role,
				    schema_tables[schema_top[rng_below(&r, schema_n_top)]],
				    types[rng_below(&r, ARRAY_LEN(types))]);
		for (int i = 0; i < 30; i++)
			check_command(&role, rng_below(&r, ARRAY_LEN(needs)));
		check_restore();
	}
	wire_close(&w);
}
END_TEST

/* What is done to whom, with roles p (before) and q (after). */
enum deed { MAKE_ADMIN, CHANGE_ADMIN, MOVE_ADMIN, DROP_ADMIN, MAKE_ROLE, CHANGE_ROLE, DROP_ROLE,
	    RENAME_ROLE, DEEDS };

static int rename_role(const char *from, const char *to) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_RENAME);
	buf_put_u16(&b, fixture_table("system.accprofile")->id);
	buf_put_str(&b, from);
	buf_put_str(&b, to);
	return wire_ask(&w, &b);
}

static void do_deed(enum deed deed, const struct role *q) {
	AUTO_FREE char *text = role_text(q);

	switch (deed) {
	case MAKE_ADMIN:
		wire_put(&w, "system.admin", "new", "set accprofile q\n");
		break;
	case CHANGE_ADMIN:
		wire_put(&w, "system.admin", "old", "set accprofile p\nset comments x\n");
		break;
	case MOVE_ADMIN:
		wire_put(&w, "system.admin", "old", "set accprofile q\n");
		break;
	case DROP_ADMIN:
		wire_drop(&w, "system.admin", "old");
		break;
	case MAKE_ROLE:
		wire_put(&w, "system.accprofile", "fresh", text);
		break;
	case CHANGE_ROLE:
		wire_put(&w, "system.accprofile", "p", text);
		break;
	case DROP_ROLE:
		wire_drop(&w, "system.accprofile", "p");
		break;
	case RENAME_ROLE:
		rename_role("p", "other");
		break;
	case DEEDS:
		break;
	}
}

/* Nobody gives, or takes from anybody, what he has not. */
START_TEST(test_any_deed) {
	static const bool of_p[DEEDS] = { [CHANGE_ADMIN] = true, [MOVE_ADMIN] = true,
					  [DROP_ADMIN] = true,	 [CHANGE_ROLE] = true,
					  [DROP_ROLE] = true,	 [RENAME_ROLE] = true };
	static const bool of_q[DEEDS] = { [MAKE_ADMIN] = true, [MOVE_ADMIN] = true,
					  [MAKE_ROLE] = true,  [CHANGE_ROLE] = true };
	struct rng r = rng_seed(fixture_seed());
	struct role role, p, q;
	unsigned int allowed = 0;

	draw_role(&r, &p);
	set_role(unit.engine, "role", &p);
	set_role(unit.engine, "p", &p);
	fixture_set(unit.engine, "system.admin", "old", "set accprofile p\n");
	connect_with("role");
	for (unsigned int n = fixture_rounds(150); n > 0; n--) {
		draw_role(&r, &role);
		draw_role(&r, &p);
		draw_role(&r, &q);
		if (rng_chance(&r, 60))
			memset(role.verb, true, sizeof(role.verb));
		if (rng_chance(&r, 60)) {
			p = role;
			p.attr[rng_below(&r, ARRAY_LEN(attrs))] = RIGHTS_READ;
		}
		if (rng_chance(&r, 60)) {
			q = role;
			q.verb[rng_below(&r, ARRAY_LEN(verbs))] = false;
		}
		set_role(unit.engine, "role", &role);
		set_role(unit.engine, "p", &p);
		set_role(unit.engine, "q", &q);
		for (enum deed deed = 0; deed < DEEDS; deed++) {
			bool may = has_table(&role, "system.admin", RIGHTS_WRITE) &&
				   (!of_p[deed] || has_role(&role, &p)) &&
				   (!of_q[deed] || has_role(&role, &q));

			wire_simple(&w, CTL_BEGIN);
			do_deed(deed, &q);
			ck_assert_msg(may == !is_denied(&w), "deed %d: %d %s", deed, w.err.code,
				      w.err.text);
			allowed += may;
			wire_simple(&w, CTL_ABORT);
		}
	}
	ck_assert_uint_gt(allowed, 0);
	wire_close(&w);
}
END_TEST

/* ---- */

int main(void) {
	Suite *suite = suite_create("rights");
	TCase *t = fixture_case(suite, "rights");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_tables);
	tcase_add_test(t, test_commands);
	tcase_add_test(t, test_any);
	tcase_add_test(t, test_any_deed);
	return fixture_run(suite);
}
