/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only sessions of administrators are listed: a user of the machine who is in the group has none.
 * Nobody ends the session of a super_admin but another one, or a user of the machine; an
 * administrator whose entry says so is left alone by all but himself and those users. Of sessions
 * of whom he may not see nobody learns anything.
 */
#include "cfgdb/control/cmd_admin.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfgdb/aaa/aaa.h"
#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/net.h"
#include "cfgdb/control/requests.h"
#include "cfgdb/rights.h"
#include "schemas/schema_gen.h"

struct listing {
	const struct command_call *call;
	struct str *out;
	struct json json;
};

static const struct object *admin_of(const struct command_call *call, const char *name) {
	return model_find(call->model, schema_table(TBL_SYSTEM_ADMIN), name);
}

static const char *profile_of(const struct command_call *call, const char *name) {
	const struct object *admin = admin_of(call, name);

	return admin ? object_str(admin, SYSTEM_ADMIN__ACCPROFILE) : "";
}

/* Whether he may know of a session: as of the entry, see rights_see(). */
static bool is_seen(const struct command_call *call, const struct login *login) {
	struct rights theirs;

	if (!login || call->rights->global)
		return login != NULL;
	rights_of_admin(call->model, login->name, &theirs);
	return !theirs.global;
}

static const char *time_text(int64_t wall_s, const char *format, char text[64]) {
	time_t when = (time_t)wall_s;
	struct tm tm;

	localtime_r(&when, &tm);
	strftime(text, 64, format, &tm);
	return text;
}

static const char *local_of(const struct login *login) {
	return login->service == AAA_SSH ? "sshv2" : "console";
}

static const char *or_dash(const char *text) {
	return *text ? text : "-";
}

/* ---- get system admin list ---- */

static void list_json(struct listing *l, const struct login *login) {
	json_put_object(&l->json, NULL);
	json_put_u64(&l->json, "id", login->id);
	json_put_text(&l->json, "username", login->name);
	json_put_text(&l->json, "local", local_of(login));
	json_put_text(&l->json, "device", login->tty);
	json_put_text(&l->json, "profile", profile_of(l->call, login->name));
	json_put_text(&l->json, "remote", login->source);
	json_put_i64(&l->json, "started", login->wall_s);
	json_put_end(&l->json);
}

static void list_one(void *arg, struct login *login) {
	struct listing *l = arg;
	char when[64];

	if (!is_seen(l->call, login))
		return;
	if (l->call->json)
		list_json(l, login);
	else
		str_addf(l->out, "%-16s %-8s %-12s %-20s %-20s %s\n", login->name, local_of(login),
			 or_dash(login->tty), profile_of(l->call, login->name),
			 or_dash(login->source),
			 time_text(login->wall_s, "%Y-%m-%d %H:%M:%S", when));
}

static int list_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct listing l = { .call = call, .out = out, .json = json_put_begin(out) };

	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	if (call->json)
		json_put_array(&l.json, NULL);
	else
		str_addf(out, "%-16s %-8s %-12s %-20s %-20s %s\n", "username", "local", "device",
			 "profile", "remote", "started");
	logins_each(aaa_logins(ctx), list_one, &l);
	if (call->json)
		json_put_end(&l.json);
	return 0;
}

/* ---- get system admin status ---- */

static void status_json(const struct command_call *call, const struct login *login,
			struct str *out) {
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	json_put_text(&j, "username", call->caller->user);
	json_put_text(&j, "local", login ? local_of(login) : "machine");
	json_put_text(&j, "vdom", "root");
	if (login) {
		json_put_text(&j, "device", login->tty);
		json_put_text(&j, "remote", login->source);
		json_put_i64(&j, "started", login->wall_s);
	}
	json_put_i64(&j, "now", time(NULL));
	json_put_end(&j);
}

static void status_text(const struct command_call *call, const struct login *login,
			struct str *out) {
	char when[64];

	str_addf(out, "username: %s\n", call->caller->user);
	if (login) {
		str_addf(out, "login local: %s\nlogin device: %s\nlogin remote: %s\n",
			 local_of(login), or_dash(login->tty), or_dash(login->source));
		str_addf(out, "login vdom: root\nlogin started: %s\n",
			 time_text(login->wall_s, "%Y-%m-%d %H:%M:%S", when));
	} else {
		str_add(out, "login local: machine\nlogin vdom: root\n");
	}
	str_addf(out, "current time: %s\n", time_text(time(NULL), "%Y-%m-%d %H:%M:%S", when));
}

static int status_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	const struct login *login = logins_find(aaa_logins(ctx), call->caller->session);

	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	(call->json ? status_json : status_text)(call, login, out);
	return 0;
}

/* ---- execute disconnect-admin-session [ID] ---- */

static void connected_one(void *arg, struct login *login) {
	const struct listing *l = arg;
	char when[64];

	if (!is_seen(l->call, login))
		return;
	str_addf(l->out, "%-8" PRIu32 "%-17s%-9s%-21s%s\n", login->id, login->name,
		 login->service == AAA_SSH ? "SSH" : "CONSOLE", or_dash(login->source),
		 time_text(login->wall_s, "%a %b %e %H:%M:%S %Y", when));
}

static void list_connected(const struct aaa *a, const struct command_call *call, struct str *out) {
	struct listing l = { .call = call, .out = out };

	str_addf(out, "Connected:\n%-8s%-17s%-9s%-21s%s\n", "INDEX", "USERNAME", "TYPE", "FROM",
		 "TIME");
	logins_each(aaa_logins(a), connected_one, &l);
}

static bool is_super(const struct command_call *call, const char *name) {
	return strcmp(profile_of(call, name), "super_admin") == 0;
}

static bool may_end(const struct command_call *call, const struct login *login) {
	const struct caller *caller = call->caller;
	const struct object *admin = admin_of(call, login->name);

	if (!caller->administrator || strcmp(caller->user, login->name) == 0)
		return true;
	if (admin && object_is(admin, SYSTEM_ADMIN__ALLOW_REMOVE_ADMIN_SESSION, "disable"))
		return false;
	return is_super(call, caller->user) || !is_super(call, login->name);
}

static int disconnect_run(void *ctx, const struct command_call *call, struct str *out,
			  struct err *err) {
	const struct login *login;
	const char *bad = NULL;
	uint32_t id;

	if (call->argc == 0) {
		list_connected(ctx, call, out);
		return 0;
	}
	id = (uint32_t)strtonum(call->argv[0], 1, UINT32_MAX, &bad);
	if (bad || call->argc > 1)
		return command_bad_word(call->argv[bad ? 0 : 1], err);
	login = logins_find(aaa_logins(ctx), id);
	if (!is_seen(call, login))
		return err_set(err, ERR_NOT_FOUND, "there is no session %" PRIu32, id);
	if (!may_end(call, login))
		return err_set(err, ERR_PERMISSION, "the session of %s cannot be ended by you",
			       login->name);
	str_addf(out, "session %" PRIu32 " of %s from %s is ended\n", id, login->name,
		 login->origin);
	aaa_end(ctx, id, "disconnected");
	return 0;
}

/* ---- diagnose sys admin lockout list, clear [ADDRESS] ---- */

/* "10.0.0.1", "2001:db8::/64": an IPv6 address stands for its network. */
static const char *lock_address(const struct trust_source *source, char text[NET_TEXT_MAX + 3]) {
	if (!inet_ntop(source->family, source->addr.byte, text, NET_TEXT_MAX))
		*text = '\0';
	return source->family == AF_INET6 ? strcat(text, "/64") : text;
}

static void list_lock(void *arg, const struct lockout_entry *entry) {
	struct listing *l = arg;
	char address[NET_TEXT_MAX + 3];

	(void)lock_address(&entry->source, address);
	if (!l->call->json) {
		str_addf(l->out, "%-44s %-9u %" PRId64 "\n", address, entry->failures,
			 entry->left_s);
		return;
	}
	json_put_object(&l->json, NULL);
	json_put_text(&l->json, "address", address);
	json_put_u64(&l->json, "failures", entry->failures);
	json_put_i64(&l->json, "seconds_left", entry->left_s);
	json_put_end(&l->json);
}

static int lockout_list_run(void *ctx, const struct command_call *call, struct str *out,
			    struct err *err) {
	struct listing l = { .call = call, .out = out, .json = json_put_begin(out) };

	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	if (call->json)
		json_put_array(&l.json, NULL);
	else
		str_addf(out, "%-44s %-9s %s\n", "address", "failures", "seconds left");
	aaa_each_lock(ctx, list_lock, &l);
	if (call->json)
		json_put_end(&l.json);
	return 0;
}

/* An address, also as it is listed. */
static bool parse_lock(const char *word, struct trust_source *ret) {
	AUTO_FREE char *address = xstrdup(word);
	char *slash = strchr(address, '/');

	if (slash && strcmp(slash, "/64") != 0)
		return false;
	if (slash)
		*slash = '\0';
	return trust_source(address, ret) && (!slash || ret->family == AF_INET6);
}

static void clear_json(struct str *out, unsigned int n) {
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	json_put_u64(&j, "cleared", n);
	json_put_end(&j);
}

static int lockout_clear_run(void *ctx, const struct command_call *call, struct str *out,
			     struct err *err) {
	struct trust_source source;
	unsigned int n;

	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	if (call->argc == 1 && !parse_lock(call->argv[0], &source))
		return command_bad_word(call->argv[0], err);
	n = aaa_unlock(ctx, call->argc == 1 ? &source : NULL);
	if (n == 0 && call->argc == 1)
		return err_set(err, ERR_NOT_FOUND, "%s is not locked out", call->argv[0]);
	if (call->json)
		clear_json(out, n);
	else
		str_addf(out, "%u address%s no longer locked out\n", n, n == 1 ? " is" : "es are");
	return 0;
}

/* ---- what the shell does by itself: here is said who may ---- */

static int permit_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	(void)ctx;
	(void)call;
	(void)out;
	(void)err;
	return 0;
}

static const struct command commands[] = {
	{ .words = "get system admin list", .reads = "sysgrp.admin", .has_json = true,
	  .run = list_run },
	{ .words = "get system admin status", .reads = "any", .has_json = true, .run = status_run },
	{ .words = "diagnose sys admin lockout list", .reads = "sysgrp.admin", .has_json = true,
	  .run = lockout_list_run },
	{ .words = "diagnose sys admin lockout clear", .writes = "sysgrp.admin", .has_json = true,
	  .run = lockout_clear_run },
	{ .words = "execute disconnect-admin-session", .writes = "sysgrp.admin",
	  .run = disconnect_run },
	{ .words = "execute reboot", .writes = "sysgrp.mnt", .by_shell = true,
	  .run = permit_run },
	{ .words = "execute shutdown", .writes = "sysgrp.mnt", .by_shell = true,
	  .run = permit_run },
	{ .words = "execute date", .writes = "sysgrp.cfg", .by_shell = true,
	  .run = permit_run },
	{ .words = "execute time", .writes = "sysgrp.cfg", .by_shell = true,
	  .run = permit_run },
};

const struct command *commands_admin(size_t *n) {
	*n = ARRAY_LEN(commands);
	return commands;
}
