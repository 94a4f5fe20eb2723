/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form is the one that functions in use know: a POST is a heartbeat unless `status` is set in
 * it, then it is a message about how the unit was set up. The sequence must grow, or a heartbeat
 * counts as overtaken; times are such that any language reads them.
 *
 * Those functions answer with the address of the primary when it has changed, and with nothing
 * else; what was written for this product answers with a role. Both are understood.
 */
#include "sync/callback_form.h"

#include <inttypes.h>
#include <jansson.h>
#include <sys/socket.h>
#include <time.h>

#include "cfgdb/base/fmt.h"
#include "cfgdb/base/mem.h"

#define TOLD_MAX 40                  /* bytes of a foreign text that an error quotes */

/* ---- the request ---- */

static void put_time(struct fmt *f, const char *name, int64_t time_s) {
	time_t t = (time_t)time_s;
	char text[32];
	struct tm tm;

	fmt_str(f, name);
	if (time_s > 0 && gmtime_r(&t, &tm) &&
	    strftime(text, sizeof(text), "\"%Y-%m-%dT%H:%M:%SZ\"", &tm) > 0)
		fmt_str(f, text);
	else
		fmt_lit(f, "null");
}

static void put_bool(struct fmt *f, const char *name, bool value) {
	fmt_str(f, name);
	fmt_str(f, value ? "true" : "false");
}

static void put_ip(struct fmt *f, const char *name, const union net_addr *ip) {
	fmt_str(f, name);
	if (ip->word[0]) {
		fmt_char(f, '"');
		fmt_addr(f, AF_INET, ip);
		fmt_char(f, '"');
	} else {
		fmt_lit(f, "null");
	}
}

static void put_checksum(struct fmt *f, const uint8_t checksum[CALLBACK_CHECKSUM]) {
	fmt_lit(f, ",\"checksum\":\"");
	for (unsigned int i = 0; i < CALLBACK_CHECKSUM; i++) {
		fmt_char(f, "0123456789abcdef"[checksum[i] >> 4]);
		fmt_char(f, "0123456789abcdef"[checksum[i] & 15]);
	}
	fmt_char(f, '"');
}

size_t callback_form_request(char ret[CALLBACK_REQUEST_MAX], const struct callback_facts *facts,
			     const struct callback_beat *beat) {
	struct fmt f = fmt_begin(ret, CALLBACK_REQUEST_MAX - 1);

	fmt_lit(&f, "{\"instance\":");
	fmt_json(&f, facts->instance);
	fmt_lit(&f, ",\"interval\":");
	fmt_u64(&f, beat->interval_s);
	fmt_lit(&f, ",\"status\":null,\"sequence\":");
	fmt_u64(&f, beat->sequence);
	put_time(&f, ",\"time\":", beat->time_s);
	put_time(&f, ",\"sync_time\":", facts->synced_s);
	put_time(&f, ",\"sync_fail_time\":", facts->failed_s);
	put_bool(&f, ",\"sync_status\":", facts->in_sync);
	put_bool(&f, ",\"is_primary\":", facts->primary);
	put_checksum(&f, facts->checksum);
	put_ip(&f, ",\"ip\":", &facts->ip);
	fmt_char(&f, '}');
	*f.at = '\0';
	return (size_t)(f.at - ret);
}

/* ---- the answer ---- */

static int not_understood(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int not_understood(struct err *err, const char *fmt, ...) {
	AUTO_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	err_clean_line(text);
	return err_set(err, ERR_PARSE, "the answer is not understood: %s", text);
}

/* Whether it leaves everything as it is: that is said in several ways. */
static bool says_nothing(const json_t *answer) {
	return json_is_null(answer) ||
	       (json_is_string(answer) && json_string_length(answer) == 0) ||
	       (json_is_object(answer) && json_object_size(answer) == 0);
}

static int take_role(const json_t *answer, bool *is_said, bool *primary, struct err *err) {
	static const struct {
		const char *word;
		bool primary;
	} words[] = {
		{ "primary", true }, { "master", true }, { "secondary", false }, { "slave", false }
	};
	const json_t *value = json_object_get(answer, "role");

	*is_said = value != NULL;
	if (!value)
		return 0;
	if (!json_is_string(value))
		return not_understood(err, "role is not a string");
	for (unsigned int i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(json_string_value(value), words[i].word) == 0) {
			*primary = words[i].primary;
			return 0;
		}
	return not_understood(err, "role is neither primary nor secondary: \"%.*s\"", TOLD_MAX,
			      json_string_value(value));
}

/* The address of the primary, under the one of its names that is used; zero when it is not said. */
static int take_ip(const json_t *answer, union net_addr *ret, struct err *err) {
	static const char *const names[] = { "primary-ip", "primary_ip", "master-ip", "master_ip" };
	const char *said = NULL;

	*ret = (union net_addr){ 0 };
	for (unsigned int i = 0; i < ARRAY_LEN(names); i++) {
		const json_t *value = json_object_get(answer, names[i]);
		const char *text = json_string_value(value);

		if (!value || json_is_null(value) || (text && !*text))
			continue;
		if (said)
			return not_understood(err, "%s and %s are one thing", said, names[i]);
		said = names[i];
		if (!text)
			return not_understood(err, "%s is not a string", said);
		if (!net_parse(AF_INET, text, ret))
			return not_understood(err, "%s is no IPv4 address: \"%.*s\"", said,
					      TOLD_MAX, text);
	}
	return 0;
}

static int take_object(struct callback_answer *ret, const json_t *answer, const union net_addr *own,
		       struct err *err) {
	bool has_role, has_ip;
	int rc = take_role(answer, &has_role, &ret->primary, err);

	if (rc == 0)
		rc = take_ip(answer, &ret->primary_ip, err);
	if (rc)
		return rc;
	has_ip = ret->primary_ip.word[0] != 0;
	if (!has_role && !has_ip)
		return not_understood(err, "it has neither role nor primary-ip");
	if (!has_role && !own->word[0])
		return not_understood(err, "it has no role, and this unit has no address yet to "
					   "compare with primary-ip");
	if (!has_role)
		ret->primary = net_equal(own, &ret->primary_ip);
	if (!ret->primary && has_ip && net_equal(own, &ret->primary_ip))
		return not_understood(err, "role is secondary, but primary-ip is this unit's own");
	ret->decided = true;
	return 0;
}

/* White space of JSON. */
static bool is_blank(const char *data, size_t len) {
	while (len > 0 && data[len - 1] && strchr(" \t\r\n", data[len - 1]))
		len--;
	return len == 0;
}

int callback_form_answer(struct callback_answer *ret, const char *data, size_t len,
			 const union net_addr *own, struct err *err) {
	json_error_t why;
	json_t *answer;
	int rc = 0;

	*ret = (struct callback_answer){ .decided = false };
	if (len > CALLBACK_ANSWER_MAX)
		return not_understood(err, "it is longer than %d bytes", CALLBACK_ANSWER_MAX);
	if (is_blank(data, len))
		return 0;
	/* The library bounds the depth, and takes only UTF-8 without zeros. */
	answer = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!answer)
		return not_understood(err, "it is not JSON: line %d: %s", why.line, why.text);
	if (!says_nothing(answer))
		rc = json_is_object(answer) ? take_object(ret, answer, own, err)
					    : not_understood(err, "it is not an object");
	json_decref(answer);
	if (rc)
		*ret = (struct callback_answer){ .decided = false };
	return rc;
}
