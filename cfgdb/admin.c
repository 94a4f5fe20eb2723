/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An account of the machine comes before an administrator of the same name, so nobody can log in as
 * the latter. Such an entry is legal all the same: what was saved elsewhere must load here.
 *
 * The bytes of a key are fields, each behind its length; the first is the kind once more. So what
 * was cut off, or put together from two keys, is seen, whatever the kind holds.
 *
 * A time that nobody can read is over: a password must not last for ever because of a slip.
 */
#include "cfgdb/admin.h"

#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define ACCOUNTS "/etc/passwd"
#define KEY_BYTES_MAX 4096
#define NEVER "0000-00-00 00:00:00"

/* ---- names ---- */

bool admin_is_login_name(const char *name) {
	if (!*name || *name == '-' || strlen(name) > ADMIN_NAME_MAX)
		return false;
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f || strchr(":/,", *name))
			return false;
	return true;
}

static bool has_account(const char *name) {
	FILE *file = fopen(ACCOUNTS, "re");
	const struct passwd *pw;
	bool found = false;

	while (file && !found && (pw = fgetpwent(file)) != NULL)
		found = strcmp(pw->pw_name, name) == 0;
	if (file)
		(void)fclose(file);
	return found;
}

const char *admin_objection_to_name(const char *name) {
	if (!admin_is_login_name(name))
		return "is no name that a user can have";
	return has_account(name) ? "is the name of an account of the machine" : NULL;
}

/* ---- keys ---- */

static const char *const key_kinds[] = {
	"ssh-ed25519",		      "ssh-rsa",
	"ecdsa-sha2-nistp256",	      "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521",	      "sk-ssh-ed25519@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com",
};

static const char *kind_of(const char *key) {
	size_t len = strcspn(key, " ");

	for (size_t i = 0; i < ARRAY_LEN(key_kinds); i++)
		if (strlen(key_kinds[i]) == len && strncmp(key, key_kinds[i], len) == 0)
			return key_kinds[i];
	return NULL;
}

/* The value of a digit, or -1. */
static int digit_of(char c) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* The bytes that len characters of base64 stand for, into ret; 0: they stand for none. */
static size_t decode(const char *text, size_t len, uint8_t ret[KEY_BYTES_MAX]) {
	uint32_t bits = 0;
	size_t n = 0, pad = 0;

	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	if (len % 4 != 0 || len / 4 * 3 > KEY_BYTES_MAX)
		return 0;
	for (size_t i = 0; i < len; i++) {
		int digit = i < len - pad ? digit_of(text[i]) : 0;

		if (digit < 0)
			return 0;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 == 3)
			for (int shift = 16; shift >= 0; shift -= 8)
				ret[n++] = (uint8_t)(bits >> shift);
	}
	return n - pad;
}

/* Whether these are fields of a key of this kind, and nothing is missing or left over. */
static bool is_of_kind(const uint8_t *at, size_t left, const char *kind) {
	size_t n_fields = 0;

	while (left >= 4) {
		size_t len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];

		if (len > left - 4)
			return false;
		if (n_fields++ == 0 && (len != strlen(kind) || memcmp(at + 4, kind, len) != 0))
			return false;
		at += 4 + len;
		left -= 4 + len;
	}
	return left == 0 && n_fields > 1;
}

const char *admin_objection_to_key(const char *key, size_t *len) {
	const char *kind = kind_of(key), *base64;
	uint8_t bytes[KEY_BYTES_MAX];
	size_t n;

	*len = 0;
	if (strpbrk(key, "\r\n"))
		return "is more than one line";
	if (!kind)
		return "does not begin with a kind of key that can log in: no options stand there";
	if (!key[strlen(kind)])
		return "is a kind without a key";
	base64 = key + strlen(kind) + 1;
	n = decode(base64, strcspn(base64, " "), bytes);
	if (n == 0)
		return "has no base64 behind its kind, or not all of it";
	if (!is_of_kind(bytes, n, kind))
		return "is cut off, or of another kind than it says";
	*len = (size_t)(base64 - key) + strcspn(base64, " ");
	return NULL;
}

/* ---- expiry ---- */

bool admin_expiry(const char *text, time_t *ret) {
	struct tm tm = { 0 }, real;
	const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);

	*ret = strcmp(text, NEVER) == 0 ? 0 : 1;
	if (*ret == 0)
		return true;
	if (!end || *end || tm.tm_sec > 59)
		return false;
	real = tm;
	if (timegm(&real) < 0 || real.tm_mday != tm.tm_mday) /* February 30 is a day in March */
		return false;
	tm.tm_isdst = -1;
	*ret = mktime(&tm);
	if (*ret <= 0)
		*ret = 1;
	return true;
}

/* ---- what is of no use ---- */

bool admin_has_schedule(const struct model *model, const char *name) {
	static const uint16_t tables[] = { TBL_FIREWALL_SCHEDULE_ONETIME,
					   TBL_FIREWALL_SCHEDULE_RECURRING,
					   TBL_FIREWALL_SCHEDULE_GROUP };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (model_find(model, schema_table(tables[i]), name))
			return true;
	return false;
}

void admin_review(const struct model *model, const struct object *admin, struct warnings *w) {
	const char *why = admin_objection_to_name(admin->key);
	const char *schedule = object_str(admin, SYSTEM_ADMIN__SCHEDULE);
	time_t ends;

	if (why)
		warn_add(w, "system admin %s: nobody can log in as this administrator: '%s' %s",
			 admin->key, admin->key, why);
	if (*schedule && !admin_has_schedule(model, schedule))
		warn_add(w, "system admin %s: there is no schedule '%s': he cannot log in over "
			    "the network", admin->key, schedule);
	if (!admin_expiry(object_str(admin, SYSTEM_ADMIN__PASSWORD_EXPIRE), &ends))
		warn_add(w, "system admin %s: password-expire '%s' is no time: the password counts "
			    "as expired",
			 admin->key, object_str(admin, SYSTEM_ADMIN__PASSWORD_EXPIRE));
}
