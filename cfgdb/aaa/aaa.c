/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A password is judged in two steps: a hash is compared, in a thread, and then everything else that
 * could refuse it is looked at, as it is at that moment. The first step is the same for a right
 * password, a wrong one, a name that nobody has and an address that is locked out, and so is the
 * answer; only the event tells them apart. An attempt that fails counts against its address,
 * whatever the reason, or that would tell which password was right.
 *
 * The console has no address: no network, no lock and no schedule applies there. It is the only
 * place where an administrator without a password can log in, to set one.
 */
#include "cfgdb/aaa/aaa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfgdb/aaa/accounts.h"
#include "cfgdb/aaa/hasher.h"
#include "cfgdb/aaa/lockout.h"
#include "cfgdb/aaa/trust.h"
#include "cfgdb/admin.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/secret.h"
#include "cfgdb/txn.h"
#include "schemas/schema_gen.h"

#define NEW_PASSWORD_MAX 128

struct aaa {
	struct aaa_config config;
	struct accounts *accounts;
	struct lockout *lockout;
	struct lockout_rule rule;    /* as it was followed last */
	struct hasher *hasher;
	struct logins *logins;
};

/* A password that is being compared. */
struct aaa_try {
	struct aaa *a;
	aaa_done_fn *done;           /* NULL: nobody waits any more */
	void *arg;
	enum aaa_service service;
	bool empty;                  /* what was typed */
	char name[AAA_NAME_MAX + 1], source[AAA_SOURCE_MAX + 1];
	bool free;                   /* of a change: it was compared with the new one */
	char new_one[AAA_PASSWORD_MAX + 1], origin[AAA_ORIGIN_MAX + 1];
};

static const struct object *find(const struct aaa *a, const char *name) {
	return model_find(a->config.engine->model, schema_table(TBL_SYSTEM_ADMIN), name);
}

static const struct object *global(const struct aaa *a) {
	return model_object(a->config.engine->model, schema_table(TBL_SYSTEM_GLOBAL));
}

static struct moment now(const struct aaa *a) {
	struct moment m;

	a->config.clock(&m);
	return m;
}

/* ---- what is told ---- */

static void tell(const struct aaa *a, struct aaa_event event) {
	const struct object *admin = event.local ? NULL : find(a, event.user);

	event.profile = admin ? object_str(admin, SYSTEM_ADMIN__ACCPROFILE) : "";
	if (a->config.tell)
		a->config.tell(a->config.arg, &event);
}

static void tell_refused(const struct aaa *a, const struct aaa_login *login, const char *reason) {
	tell(a, (struct aaa_event){ .kind = AAA_EVENT_REFUSED,
				    .user = login->name,
				    .service = login->service,
				    .source = login->source,
				    .reason = reason });
}

void aaa_stranger(const struct aaa *a, uid_t uid) {
	const char *name = accounts_name(a->accounts, uid);
	AUTO_FREE char *user = name ? xstrdup(name) : xasprintf("uid%u", uid);

	tell(a, (struct aaa_event){ .kind = AAA_EVENT_STRANGER,
				    .user = user,
				    .origin = "cli",
				    .reason = "not_root" });
}

/* What somebody is told whose session has ended, for a reason as the log has it. */
static const char *farewell(const char *reason) {
	static const struct {
		const char *reason, *text;
	} farewells[] = {
		{ "disconnected", "your session was ended by another administrator" },
		{ "account_removed", "your session was ended: the account is removed or disabled" },
		{ "timeout", "your session was ended: nobody has typed for too long" },
	};

	for (size_t i = 0; i < ARRAY_LEN(farewells); i++)
		if (strcmp(farewells[i].reason, reason) == 0)
			return farewells[i].text;
	return "your session has ended";
}

void aaa_local(const struct aaa *a, const struct aaa_login *login, enum aaa_local what) {
	static const enum aaa_event_kind kinds[AAA_LOCAL_COUNT] = {
		[AAA_LOCAL_REFUSED] = AAA_EVENT_REFUSED,
		[AAA_LOCAL_LOGIN] = AAA_EVENT_LOGIN,
		[AAA_LOCAL_LOGOUT] = AAA_EVENT_LOGOUT,
	};

	tell(a, (struct aaa_event){ .kind = kinds[what],
				    .user = login->name,
				    .service = login->service,
				    .source = login->source,
				    .reason = "local",
				    .local = true });
}

static void on_gone(void *arg, const struct login *login, const char *reason) {
	const struct aaa *a = arg;

	tell(a, (struct aaa_event){ .kind = AAA_EVENT_LOGOUT,
				    .user = login->name,
				    .service = login->service,
				    .source = login->source,
				    .reason = reason,
				    .duration_s = now(a).boot_s - login->boot_s });
	if (a->config.over)
		a->config.over(a->config.arg, login->id, farewell(reason));
}

/* ---- accounts ---- */

static bool has_password(const struct object *admin) {
	return object_get(admin, SYSTEM_ADMIN__PASSWORD) != NULL;
}

static bool must_change(const struct aaa *a, const struct object *admin, enum aaa_service service) {
	time_t end;

	(void)admin_expiry(object_str(admin, SYSTEM_ADMIN__PASSWORD_EXPIRE), &end);
	return object_is(admin, SYSTEM_ADMIN__FORCE_PASSWORD_CHANGE, "enable") ||
	       (end != 0 && end <= now(a).wall_s) ||
	       (service == AAA_CONSOLE && !has_password(admin));
}

static uint32_t idle_s(const struct aaa *a, const struct object *admin, enum aaa_service service) {
	const struct object *g = global(a);
	const struct object *profile =
		model_find(a->config.engine->model, schema_table(TBL_SYSTEM_ACCPROFILE),
			   object_str(admin, SYSTEM_ADMIN__ACCPROFILE));
	int64_t console_s = object_num(g, SYSTEM_GLOBAL__ADMIN_CONSOLE_TIMEOUT);
	int64_t minutes = object_num(g, SYSTEM_GLOBAL__ADMINTIMEOUT);

	if (service == AAA_CONSOLE && console_s > 0)
		return (uint32_t)console_s;
	if (profile &&
	    object_is(profile, SYSTEM_ACCPROFILE__ADMINTIMEOUT_OVERRIDE, "enable"))
		minutes = object_num(profile, SYSTEM_ACCPROFILE__ADMINTIMEOUT);
	return (uint32_t)(60 * minutes);
}

static int fill(const struct aaa *a, const struct object *admin, enum aaa_service service,
		struct aaa_account *ret) {
	*ret = (struct aaa_account){ .gid = a->config.gid };
	ret->uid = admin ? accounts_uid(a->accounts, admin->key) : 0;
	if (ret->uid == 0)
		return AAA_NOT_FOUND;
	snprintf(ret->name, sizeof(ret->name), "%s", admin->key);
	ret->idle_s = idle_s(a, admin, service);
	if (must_change(a, admin, service))
		ret->flags |= AAA_MUST_CHANGE;
	if (object_is(global(a), SYSTEM_GLOBAL__POST_LOGIN_BANNER, "enable"))
		ret->flags |= AAA_BANNER;
	return AAA_OK;
}

int aaa_name(const struct aaa *a, const char *name, struct aaa_account *ret) {
	return fill(a, find(a, name), AAA_SSH, ret);
}

int aaa_uid(const struct aaa *a, uint32_t uid, struct aaa_account *ret) {
	const char *name = accounts_name(a->accounts, uid);

	return fill(a, name ? find(a, name) : NULL, AAA_SSH, ret);
}

/* ---- judging ---- */

static bool in_schedule(const struct aaa *a, const struct object *admin) {
	const char *schedule = object_str(admin, SYSTEM_ADMIN__SCHEDULE);

	return !*schedule || !a->config.runs ||
	       a->config.runs(a->config.arg, schedule, now(a).wall_s);
}

/* Why nobody can log in from there under this name, in a word; NULL: nothing is against it. */
static const char *objection(const struct aaa *a, const struct object *admin,
			     enum aaa_service service, const char *source) {
	struct trust_source from = { 0 };
	struct trust t;

	if (service == AAA_SSH && !trust_source(source, &from))
		return "source_invalid";
	if (service == AAA_SSH && lockout_is_locked(a->lockout, &from, now(a).boot_s))
		return "locked";
	if (!admin || accounts_uid(a->accounts, admin->key) == 0)
		return "name_invalid";
	if (!trust_is_local(admin))
		return "disabled";
	if (service == AAA_CONSOLE)
		return NULL;
	if (!in_schedule(a, admin))
		return "schedule";
	trust_of(admin, &t);
	return trust_allows(&t, &from) ? NULL : "trusthost";
}

/*
 * The same of the number of sessions. The console is there for when nobody else gets in: it is not
 * kept out by how many there are.
 */
static const char *objection_to_session(const struct aaa *a, const struct object *admin,
					enum aaa_service service) {
	uint32_t uid = accounts_uid(a->accounts, admin->key);
	const struct object *g = global(a);

	if (object_is(g, SYSTEM_GLOBAL__ADMIN_CONCURRENT, "disable") &&
	    logins_count(a->logins, uid) > 0)
		return "concurrent";
	if (service != AAA_CONSOLE &&
	    logins_count(a->logins, 0) >= object_num(g, SYSTEM_GLOBAL__ADMIN_LOGIN_MAX))
		return "exceed_limit";
	return NULL;
}

static struct lockout_rule rule_of(const struct aaa *a) {
	const struct object *g = global(a);

	return (struct lockout_rule){
		.threshold = (unsigned int)object_num(g, SYSTEM_GLOBAL__ADMIN_LOCKOUT_THRESHOLD),
		.duration_s = object_num(g, SYSTEM_GLOBAL__ADMIN_LOCKOUT_DURATION),
	};
}

static void count_failure(const struct aaa *a, const struct aaa_login *login) {
	const struct lockout_rule rule = rule_of(a);
	struct trust_source from;

	if (login->service != AAA_SSH || !trust_source(login->source, &from) ||
	    !lockout_failed(a->lockout, &from, login->name, &rule, now(a).boot_s))
		return;
	tell(a, (struct aaa_event){ .kind = AAA_EVENT_LOCKED,
				    .user = login->name,
				    .service = login->service,
				    .source = login->source,
				    .reason = "exceed_limit",
				    .duration_s = rule.duration_s,
				    .failures = rule.threshold });
}

static void forget_failures(const struct aaa *a, const struct aaa_login *login) {
	struct trust_source from;

	if (login->service == AAA_SSH && trust_source(login->source, &from))
		lockout_succeeded(a->lockout, &from, login->name);
}

/* ---- passwords ---- */

/* The hash of a password, to be wiped and freed; NULL when there is none. */
static char *hash_of(const struct aaa *a, const struct object *admin) {
	char *hash = NULL;

	if (admin && has_password(admin))
		(void)secret_unseal(a->config.engine->keyring,
				    object_str(admin, SYSTEM_ADMIN__PASSWORD), &hash, NULL);
	return hash;
}

static struct aaa_try *begin_try(struct aaa *a, const char *name, aaa_done_fn *done, void *arg) {
	struct aaa_try *t = xcalloc(1, sizeof(*t));

	t->a = a;
	t->done = done;
	t->arg = arg;
	snprintf(t->name, sizeof(t->name), "%s", name);
	return t;
}

/* Wake with the answer to whether the password is that of the name; NULL when too many wait. */
static struct aaa_try *compare(struct aaa_try *t, const char *password,
			       void (*judge)(void *arg, bool right)) {
	char *hash = hash_of(t->a, find(t->a, t->name));
	bool taken = hasher_compare(t->a->hasher, hash, password, judge, t);

	if (hash)
		explicit_bzero(hash, strlen(hash));
	free(hash);
	if (taken)
		return t;
	free(t);
	return NULL;
}

static void end_try(struct aaa_try *t, int type, const struct aaa_account *ret) {
	if (t->done)
		t->done(t->arg, type, ret);
	explicit_bzero(t, sizeof(*t));
	free(t);
}

void aaa_forget(struct aaa_try *t) {
	if (t)
		t->done = NULL;
}

static const char *objection_to_password(const struct aaa_try *t, const struct object *admin,
					 bool right) {
	bool none = admin && !has_password(admin) && t->empty;

	if (t->service == AAA_CONSOLE)
		return right || none ? NULL : "passwd_invalid";
	if (!right || t->empty)
		return "passwd_invalid";
	return object_is(global(t->a), SYSTEM_GLOBAL__ADMIN_SSH_PASSWORD, "enable") ? NULL
										   : "method";
}

static void on_compared(void *arg, bool right) {
	struct aaa_try *t = arg;
	const struct aaa_login login = { t->service, t->name, t->source, NULL };
	const struct object *admin = find(t->a, t->name);
	const char *why = objection(t->a, admin, t->service, t->source);
	struct aaa_account account = { 0 };

	if (!why)
		why = objection_to_password(t, admin, right);
	if (why) {
		tell_refused(t->a, &login, why);
		count_failure(t->a, &login);
		end_try(t, AAA_DENIED, &account);
		return;
	}
	forget_failures(t->a, &login);
	end_try(t, fill(t->a, admin, t->service, &account), &account);
}

struct aaa_try *aaa_auth(struct aaa *a, const struct aaa_login *login, const char *password,
			 aaa_done_fn *done, void *arg) {
	struct aaa_try *t = begin_try(a, login->name, done, arg);

	t->service = login->service;
	t->empty = !*password;
	snprintf(t->source, sizeof(t->source), "%s", login->source);
	return compare(t, password, on_compared);
}

/* ---- a new password ---- */

static int store_password(const struct aaa_try *t, const struct object *admin, struct err *err) {
	struct txn *txn = txn_new(t->a->config.engine, t->name, t->origin);
	struct object *obj = object_copy(admin);
	struct value value = { .n = 1, .u.one.str = xasprintf("=%s", t->new_one) };
	int rc;

	object_set(obj, SYSTEM_ADMIN__PASSWORD, value);
	object_unset(obj, SYSTEM_ADMIN__FORCE_PASSWORD_CHANGE);
	object_unset(obj, SYSTEM_ADMIN__PASSWORD_EXPIRE);
	rc = txn_put(txn, obj, admin->ver, err);
	if (rc == 0)
		rc = txn_commit(txn, err);
	txn_free(txn);
	return rc;
}

static const char *objection_to_new(const struct aaa_try *t, bool right) {
	if (!*t->new_one)
		return "the new password is empty";
	if (strlen(t->new_one) > NEW_PASSWORD_MAX)
		return "the new password is too long";
	if (t->free && right)
		return "the new password is the old one";
	return t->free || right ? NULL : "the old password is wrong";
}

static void settle(void *arg, struct login *login) {
	const struct aaa_try *t = arg;

	if (strcmp(login->name, t->name) == 0)
		login->due = false;
}

static void tell_kept(const struct aaa_try *t, const char *why) {
	tell(t->a, (struct aaa_event){ .kind = AAA_EVENT_KEPT,
				       .user = t->name,
				       .origin = t->origin,
				       .reason = why });
}

/* What this unit may not change, for another password neither: it says who may. */
static int set_password(const struct aaa_try *t, bool right, struct err *err) {
	const struct object *admin = find(t->a, t->name);
	const char *why = admin ? objection_to_new(t, right) : "there is no such administrator";

	if (why) {
		tell_kept(t, why);
		err_set(err, ERR_VALUE, "%s", why);
		return AAA_DENIED;
	}
	if (store_password(t, admin, err) == 0) {
		logins_each(t->a->logins, settle, (void *)t);
		return AAA_OK;
	}
	tell_kept(t, "refused");
	return err->code == ERR_PERMISSION ? AAA_BUSY : AAA_DENIED;
}

static void on_compared_old(void *arg, bool right) {
	struct aaa_try *t = arg;
	struct aaa_account account = { 0 };
	struct err err = { 0 };
	int type = set_password(t, right, &err);

	if (type == AAA_OK)
		type = fill(t->a, find(t->a, t->name), AAA_SSH, &account);
	else
		snprintf(account.text, sizeof(account.text), "%.*s", AAA_TEXT_MAX, err.text);
	end_try(t, type, &account);
}

struct aaa_try *aaa_password(struct aaa *a, const struct aaa_change *change, aaa_done_fn *done,
			     void *arg) {
	const struct object *admin = find(a, change->name);
	struct aaa_try *t = begin_try(a, change->name, done, arg);

	/* An empty one is the old one of who has none. */
	t->free = change->free || (admin && !has_password(admin) && !*change->old);
	snprintf(t->new_one, sizeof(t->new_one), "%s", change->new_one);
	snprintf(t->origin, sizeof(t->origin), "%s", change->origin);
	return compare(t, t->free ? change->new_one : change->old, on_compared_old);
}

/* ---- account and keys ---- */

/* What somebody may be told who has proved who he is; all else could help to guess. */
static const char *told_of(const char *objection) {
	if (strcmp(objection, "concurrent") == 0)
		return "you are logged in already, and admin-concurrent is disabled";
	return strcmp(objection, "exceed_limit") == 0 ? "too many administrators are logged in"
						      : "";
}

int aaa_account(struct aaa *a, const struct aaa_login *login, struct aaa_account *ret) {
	const struct object *admin = find(a, login->name);
	const char *why = objection(a, admin, login->service, login->source);

	*ret = (struct aaa_account){ 0 };
	if (!why)
		why = objection_to_session(a, admin, login->service);
	if (!why)
		return fill(a, admin, login->service, ret);
	tell_refused(a, login, why);
	snprintf(ret->text, sizeof(ret->text), "%s", told_of(why));
	return AAA_DENIED;
}

/* What was stored by an older release may be no key. */
static void add_key(const char *key, const char *options, struct str *out) {
	size_t len;

	if (*key && !admin_objection_to_key(key, &len))
		str_addf(out, "%s %.*s\n", options, (int)len, key);
}

int aaa_keys(const struct aaa *a, const char *name, struct str *out) {
	const struct object *admin = find(a, name);
	AUTO_STR struct str options = STR_INIT, nets = STR_INIT;
	struct trust t;

	if (!admin || accounts_uid(a->accounts, name) == 0 || !trust_is_local(admin))
		return AAA_NOT_FOUND;
	trust_of(admin, &t);
	trust_patterns(&t, &nets);
	str_add(&options, "restrict,pty");
	if (nets.len)
		str_addf(&options, ",from=\"%s\"", str_text(&nets));
	for (unsigned int i = 0; i < 3; i++)
		add_key(object_str(admin, SYSTEM_ADMIN__SSH_PUBLIC_KEY1 + i), str_text(&options),
			out);
	return AAA_OK;
}

/* ---- sessions ---- */

/* What has to be changed is so from the login on: nobody is held up amid his work. */
static void add_session(const struct login *login, struct aaa_account *ret) {
	ret->session = login->id;
	if (!login->due)
		ret->flags &= (uint8_t)~AAA_MUST_CHANGE;
	snprintf(ret->origin, sizeof(ret->origin), "%s", login->origin);
}

int aaa_begin(struct aaa *a, const struct aaa_login *login, pid_t pid, struct aaa_account *ret) {
	int type = aaa_account(a, login, ret);
	struct login like = { .pid = pid,
			      .uid = ret->uid,
			      .service = login->service,
			      .due = ret->flags & AAA_MUST_CHANGE,
			      .wall_s = now(a).wall_s,
			      .boot_s = now(a).boot_s };
	const struct login *begun;

	if (type != AAA_OK)
		return type;
	snprintf(like.name, sizeof(like.name), "%s", login->name);
	snprintf(like.source, sizeof(like.source), "%s", login->source);
	snprintf(like.tty, sizeof(like.tty), "%s", login->tty);
	begun = logins_begin(a->logins, &like, NULL);
	if (!begun)
		return AAA_BUSY;
	add_session(begun, ret);
	tell(a, (struct aaa_event){ .kind = AAA_EVENT_LOGIN,
				    .user = begun->name,
				    .service = begun->service,
				    .source = begun->source,
				    .reason = "none" });
	return AAA_OK;
}

int aaa_end(struct aaa *a, uint32_t session, const char *reason) {
	struct login *login = logins_find(a->logins, session);

	if (!login)
		return AAA_NOT_FOUND;
	logins_end(login, reason);
	return AAA_OK;
}

int aaa_self(const struct aaa *a, pid_t pid, uid_t uid, struct aaa_account *ret) {
	const struct login *login = logins_of(a->logins, pid, uid);
	int type;

	*ret = (struct aaa_account){ 0 };
	if (!login)
		return AAA_NOT_FOUND;
	if (login->over) {
		snprintf(ret->text, sizeof(ret->text), "%s", farewell(""));
		return AAA_DENIED;
	}
	type = fill(a, find(a, login->name), login->service, ret);
	add_session(login, ret);
	return type;
}

bool aaa_is_due(const struct aaa *a, uint32_t session) {
	const struct login *login = a ? logins_find(a->logins, session) : NULL;
	const struct object *admin = login && login->due ? find(a, login->name) : NULL;

	return admin && must_change(a, admin, login->service);
}

const char *aaa_objection(const struct aaa *a, uint32_t session) {
	const struct login *login = logins_find(a->logins, session);

	return login ? objection(a, find(a, login->name), login->service, login->source) : NULL;
}

void aaa_each_lock(const struct aaa *a,
		   void (*visit)(void *arg, const struct lockout_entry *entry), void *arg) {
	lockout_each(a->lockout, now(a).boot_s, visit, arg);
}

unsigned int aaa_unlock(struct aaa *a, const struct trust_source *source) {
	return lockout_clear(a->lockout, source, now(a).boot_s);
}

const struct logins *aaa_logins(const struct aaa *a) {
	return a->logins;
}

/* ---- the SSH server ---- */

static void put_words(const struct object *obj, unsigned int attr, char *ret) {
	AUTO_STR struct str words = STR_INIT;

	value_print(&obj->table->attrs[attr], object_value(obj, attr), VALUE_GET, &words);
	snprintf(ret, AAA_WORDS_MAX + 1, "%s", str_text(&words));
}

void aaa_listen(const struct aaa *a, struct aaa_listen *ret) {
	const struct object *g = global(a);

	*ret = (struct aaa_listen){
		.port = (uint16_t)object_num(g, SYSTEM_GLOBAL__ADMIN_SSH_PORT),
		.grace_s = (uint16_t)object_num(g, SYSTEM_GLOBAL__ADMIN_SSH_GRACE_TIME),
		.idle_s = 60 * (uint32_t)object_num(g, SYSTEM_GLOBAL__ADMINTIMEOUT),
		.banner = object_is(g, SYSTEM_GLOBAL__PRE_LOGIN_BANNER, "enable"),
	};
	put_words(g, SYSTEM_GLOBAL__SSH_KEX_ALGO, ret->kex);
	put_words(g, SYSTEM_GLOBAL__SSH_ENC_ALGO, ret->ciphers);
	put_words(g, SYSTEM_GLOBAL__SSH_MAC_ALGO, ret->macs);
}

/* ---- the whole ---- */

static void end_if_gone(void *arg, struct login *login) {
	const struct aaa *a = arg;
	const struct object *admin = find(a, login->name);

	if (!admin || accounts_uid(a->accounts, login->name) != login->uid ||
	    !trust_is_local(admin))
		logins_end(login, "account_removed");
}

int aaa_follow(struct aaa *a, struct err *err) {
	const struct lockout_rule rule = rule_of(a);
	int rc = accounts_follow(a->accounts, err);

	if (rule.threshold != a->rule.threshold || rule.duration_s != a->rule.duration_s)
		lockout_follow(a->lockout, &rule, now(a).boot_s);
	a->rule = rule;
	logins_each(a->logins, end_if_gone, a);
	return rc;
}

struct aaa *aaa_open(const struct aaa_config *config, struct err *err) {
	struct aaa *a = xcalloc(1, sizeof(*a));

	a->config = *config;
	a->rule = rule_of(a);
	a->lockout = lockout_new();
	a->logins = logins_new(config->base, config->sessions, on_gone, a);
	a->accounts = accounts_open(config->engine, err);
	a->hasher = a->accounts ? hasher_new(config->base, err) : NULL;
	if (!a->hasher)
		return aaa_close(a);
	logins_load(a->logins);
	logins_each(a->logins, end_if_gone, a);
	return a;
}

struct aaa *aaa_close(struct aaa *a) {
	if (!a)
		return NULL;
	hasher_free(a->hasher);
	logins_free(a->logins);
	lockout_free(a->lockout);
	accounts_close(a->accounts);
	free(a);
	return NULL;
}

uint64_t aaa_hashes(const struct aaa *a) {
	return hasher_count(a->hasher);
}
