/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table says who may send what: anyone, uid 0, the helper for keys, or whoever the function finds
 * entitled. Who may not is told nothing: AAA_DENIED, whatever he asked for.
 *
 * Names and uids are no secret, and programs of any user ask for them often; only how often all of
 * them together may ask is bounded. What a login asks for is never turned away for others' sake.
 */
#include "cfgdb/aaa/requests_aaa.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

/* ---- answers ---- */

static void put_account(struct buf *b, const struct aaa_account *account) {
	buf_put_str(b, account->name);
	buf_put_u32(b, account->uid);
	buf_put_u32(b, account->gid);
	buf_put_u32(b, account->session);
	buf_put_u32(b, account->idle_s);
	buf_put_u8(b, account->flags);
	buf_put_str(b, account->origin);
}

static void answer(const struct asker *who, int type, const struct aaa_account *account) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, AAA_VERSION);
	buf_put_u8(&b, (uint8_t)type);
	if (type == AAA_OK)
		put_account(&b, account);
	else
		buf_put_str(&b, account ? account->text : "");
	who->send(who->arg, &b);
}

static void answer_text(const struct asker *who, int type, const char *text) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, AAA_VERSION);
	buf_put_u8(&b, (uint8_t)type);
	buf_put_str(&b, text);
	who->send(who->arg, &b);
}

static void on_done(void *arg, int type, const struct aaa_account *account) {
	struct asker *who = arg;

	who->waits = NULL;
	answer(who, type, account);
}

static void wait_for(struct asker *who, struct aaa_try *t) {
	who->waits = t;
	if (!t)
		answer(who, AAA_BUSY, NULL);
}

/* ---- fields ---- */

struct login_fields {
	struct aaa_login login;
	char *name, *source, *tty;
};

static void fields_done(struct login_fields *f) {
	free(f->name);
	free(f->source);
	free(f->tty);
}

#define AUTO_FIELDS __attribute__((cleanup(fields_done)))

static void take_login(struct buf_reader *r, struct login_fields *f) {
	uint8_t service = buf_get_u8(r);

	f->name = buf_get_str(r, AAA_NAME_MAX);
	f->source = buf_get_str(r, AAA_SOURCE_MAX);
	f->tty = buf_get_str(r, AAA_TTY_MAX);
	r->bad = r->bad || service >= AAA_SERVICE_COUNT;
	f->login = (struct aaa_login){ (enum aaa_service)service, f->name, f->source, f->tty };
}

static bool take_end(struct buf_reader *r) {
	r->bad = r->bad || !buf_reader_end(r);
	return !r->bad;
}

static void wipe(char *text) {
	explicit_bzero(text, strlen(text));
	free(text);
}

/* ---- requests: each reads its fields from r; r->bad: they are none ---- */

static void request_name(struct asker *who, struct buf_reader *r) {
	AUTO_FREE char *name = buf_get_str(r, AAA_NAME_MAX);
	struct aaa_account account;

	if (take_end(r))
		answer(who, aaa_name(who->shared->aaa, name, &account), &account);
}

static void request_uid(struct asker *who, struct buf_reader *r) {
	uint32_t uid = buf_get_u32(r);
	struct aaa_account account;

	if (take_end(r))
		answer(who, aaa_uid(who->shared->aaa, uid, &account), &account);
}

static void request_auth(struct asker *who, struct buf_reader *r) {
	AUTO_FIELDS struct login_fields f = { .name = NULL };
	char *password;

	take_login(r, &f);
	password = buf_get_str(r, AAA_PASSWORD_MAX);
	if (take_end(r))
		wait_for(who, aaa_auth(who->shared->aaa, &f.login, password, on_done, who));
	wipe(password);
}

static void request_account(struct asker *who, struct buf_reader *r) {
	AUTO_FIELDS struct login_fields f = { .name = NULL };
	struct aaa_account account;

	take_login(r, &f);
	if (take_end(r))
		answer(who, aaa_account(who->shared->aaa, &f.login, &account), &account);
}

static void request_keys(struct asker *who, struct buf_reader *r) {
	AUTO_FREE char *name = buf_get_str(r, AAA_NAME_MAX);
	AUTO_STR struct str text = STR_INIT;
	int type;

	if (!take_end(r))
		return;
	type = aaa_keys(who->shared->aaa, name, &text);
	answer_text(who, type, str_text(&text));
}

static void request_begin(struct asker *who, struct buf_reader *r) {
	AUTO_FIELDS struct login_fields f = { .name = NULL };
	struct aaa_account account;

	take_login(r, &f);
	if (take_end(r))
		answer(who, aaa_begin(who->shared->aaa, &f.login, who->pid, &account), &account);
}

/* Of the shell of an administrator it is his own, and he has not typed for too long. */
static void request_end(struct asker *who, struct buf_reader *r) {
	struct aaa_account self = { 0 };
	uint32_t session = buf_get_u32(r);
	bool free = who->uid == 0;

	if (!take_end(r))
		return;
	if (free || (aaa_self(who->shared->aaa, who->pid, who->uid, &self) == AAA_OK &&
		     self.session == session))
		answer(who, aaa_end(who->shared->aaa, session, free ? "exit" : "timeout"), &self);
	else
		answer(who, AAA_DENIED, NULL);
}

static void request_self(struct asker *who, struct buf_reader *r) {
	struct aaa_account account;

	if (take_end(r))
		answer(who, aaa_self(who->shared->aaa, who->pid, who->uid, &account), &account);
}

/* Root knows whom it speaks for; anyone else has a session, under that name. */
static void change_password(struct asker *who, struct aaa_change *change) {
	struct aaa_account self;

	change->origin = "login";
	change->free = who->uid == 0;
	if (who->uid != 0) {
		if (aaa_self(who->shared->aaa, who->pid, who->uid, &self) != AAA_OK ||
		    strcmp(self.name, change->name) != 0) {
			answer(who, AAA_DENIED, NULL);
			return;
		}
		change->origin = self.origin;
		change->free = self.flags & AAA_MUST_CHANGE;
	}
	wait_for(who, aaa_password(who->shared->aaa, change, on_done, who));
}

static void request_password(struct asker *who, struct buf_reader *r) {
	AUTO_FREE char *name = buf_get_str(r, AAA_NAME_MAX);
	char *old = buf_get_str(r, AAA_PASSWORD_MAX);
	char *new_one = buf_get_str(r, AAA_PASSWORD_MAX);
	struct aaa_change change = { .name = name, .old = old, .new_one = new_one };

	if (take_end(r))
		change_password(who, &change);
	wipe(old);
	wipe(new_one);
}

static void request_listen(struct asker *who, struct buf_reader *r) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct aaa_listen listen;

	if (!take_end(r))
		return;
	aaa_listen(who->shared->aaa, &listen);
	buf_put_u8(&b, AAA_VERSION);
	buf_put_u8(&b, AAA_OK);
	buf_put_u16(&b, listen.port);
	buf_put_u16(&b, listen.grace_s);
	buf_put_u32(&b, listen.idle_s);
	buf_put_u8(&b, listen.banner);
	buf_put_str(&b, listen.kex);
	buf_put_str(&b, listen.ciphers);
	buf_put_str(&b, listen.macs);
	who->send(who->arg, &b);
}

static void request_local(struct asker *who, struct buf_reader *r) {
	AUTO_FIELDS struct login_fields f = { .name = NULL };
	const struct aaa_account nothing = { .uid = 0 };
	uint8_t what = buf_get_u8(r);

	take_login(r, &f);
	r->bad = r->bad || what >= AAA_LOCAL_COUNT;
	if (!take_end(r))
		return;
	aaa_local(who->shared->aaa, &f.login, (enum aaa_local)what);
	answer(who, AAA_OK, &nothing);
}

/* ---- who may ---- */

enum entitled { ANYONE, ROOT, ROOT_OR_KEYS };

static const struct {
	void (*answer)(struct asker *who, struct buf_reader *r);
	enum entitled to;
} requests[AAA_REQUEST_COUNT] = {
	[AAA_NAME] = { request_name, ANYONE },
	[AAA_UID] = { request_uid, ANYONE },
	[AAA_AUTH] = { request_auth, ROOT },
	[AAA_ACCOUNT] = { request_account, ROOT },
	[AAA_KEYS] = { request_keys, ROOT_OR_KEYS },
	[AAA_BEGIN] = { request_begin, ROOT },
	[AAA_END] = { request_end, ANYONE },
	[AAA_SELF] = { request_self, ANYONE },
	[AAA_PASSWORD] = { request_password, ANYONE },
	[AAA_LISTEN] = { request_listen, ROOT },
	[AAA_LOCAL] = { request_local, ROOT },
};

static bool may(const struct asker *who, enum entitled to) {
	if (who->uid == 0 || to == ANYONE)
		return true;
	return to == ROOT_OR_KEYS && who->uid == who->shared->keys_uid;
}

bool asker_is_trusted(const struct requests_aaa *shared, uid_t uid) {
	return uid == 0 || uid == shared->keys_uid || aaa_is_uid(uid);
}

bool asker_request(struct asker *who, const uint8_t *packet, size_t len, uint64_t now_ns) {
	struct buf_reader r;
	uint8_t version, type;

	buf_reader_init(&r, packet, len);
	version = buf_get_u8(&r);
	type = buf_get_u8(&r);
	if (r.bad || version != AAA_VERSION || type == 0 || type >= AAA_REQUEST_COUNT || who->waits)
		return false;
	if (!may(who, requests[type].to)) {
		aaa_stranger(who->shared->aaa, who->uid);
		answer(who, AAA_DENIED, NULL);
		return true;
	}
	if (!asker_is_trusted(who->shared, who->uid) && !rate_take(&who->shared->lookups, now_ns)) {
		answer(who, AAA_BUSY, NULL);
		return true;
	}
	requests[type].answer(who, &r);
	return !r.bad;
}

void asker_done(struct asker *who) {
	aaa_forget(who->waits);
	who->waits = NULL;
}
