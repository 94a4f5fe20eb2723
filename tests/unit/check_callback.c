/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The callback without a network: what a heartbeat says, what answers mean, how long failures are
 * waited out, and URLs that are refused before anything is sent. tests/net/callback.test has the
 * rest.
 */
#include "sync/callback.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define OWN   0x0a000001 /* 10.0.0.1 */
#define OTHER 0x0a000002

/* ---- the request ---- */

static const struct {
	struct callback_facts facts;
	struct callback_beat beat;
	const char *text;
} requests[] = {
	{ { .instance = "GHVM000000000001" },
	  { .interval_s = 10, .sequence = 1, .time_s = 1800000000 },
	  "{\"instance\":\"GHVM000000000001\",\"interval\":10,\"status\":null,\"sequence\":1,"
	  "\"time\":\"2027-01-15T08:00:00Z\",\"sync_time\":null,\"sync_fail_time\":null,"
	  "\"sync_status\":false,\"is_primary\":false,"
	  "\"checksum\":\"00000000000000000000000000000000\",\"ip\":null}" },
	{ { .instance = "a \"unit\"\n",
	    .ip = { { 172, 16, 136, 69 } },
	    .primary = true,
	    .in_sync = true,
	    .synced_s = 1800000001,
	    .failed_s = 1,
	    .checksum = { 0x01, 0x23, [15] = 0xef } },
	  { .interval_s = 65535, .sequence = UINT64_C(1800000002), .time_s = 1800000002 },
	  "{\"instance\":\"a \\\"unit\\\"\\u000a\",\"interval\":65535,\"status\":null,"
	  "\"sequence\":1800000002,\"time\":\"2027-01-15T08:00:02Z\","
	  "\"sync_time\":\"2027-01-15T08:00:01Z\",\"sync_fail_time\":\"1970-01-01T00:00:01Z\","
	  "\"sync_status\":true,\"is_primary\":true,"
	  "\"checksum\":\"012300000000000000000000000000ef\",\"ip\":\"172.16.136.69\"}" },
};

START_TEST(test_request) {
	char text[CALLBACK_REQUEST_MAX];
	size_t len = callback_form_request(text, &requests[_i].facts, &requests[_i].beat);

	ck_assert_str_eq(text, requests[_i].text);
	ck_assert_uint_eq(len, strlen(text));
}
END_TEST

/* The longest that can be said has room. */
START_TEST(test_longest_request) {
	struct callback_facts facts = { .ip = { { 255, 255, 255, 255 } },
					.synced_s = INT64_C(253402300799),
					.failed_s = INT64_C(253402300799) };
	const struct callback_beat beat = { UINT32_MAX, UINT64_MAX, INT64_C(253402300799) };
	char text[CALLBACK_REQUEST_MAX];
	size_t len;

	memset(facts.instance, 1, sizeof(facts.instance) - 1);
	len = callback_form_request(text, &facts, &beat);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_ptr_nonnull(strstr(text, "\"ip\":\"255.255.255.255\"}"));
}
END_TEST

/* ---- the answer ---- */

static const struct {
	const char *text;
	bool decided, primary;
	uint32_t ip;
} answers[] = {
	{ "{\"role\":\"primary\"}", true, true, 0 },
	{ "{\"role\":\"master\"}", true, true, 0 },
	{ "{\"role\":\"secondary\"}", true, false, 0 },
	{ "{\"role\":\"slave\"}", true, false, 0 },
	{ "{\"role\":\"primary\",\"primary-ip\":\"10.0.0.1\"}", true, true, OWN },
	{ "{\"role\":\"primary\",\"primary-ip\":\"10.0.0.2\"}", true, true, OTHER },
	{ "{\"role\":\"secondary\",\"primary-ip\":\"10.0.0.2\"}", true, false, OTHER },
	{ "{\"role\":\"secondary\",\"primary_ip\":\"10.0.0.2\"}", true, false, OTHER },
	{ "{\"role\":\"secondary\",\"master-ip\":\"10.0.0.2\"}", true, false, OTHER },
	{ "{\"role\":\"secondary\",\"master_ip\":\"10.0.0.2\"}", true, false, OTHER },
	{ "{\"role\":\"secondary\",\"primary-ip\":null,\"master-ip\":\"\"}", true, false, 0 },
	/* Only an address: is it this unit's? */
	{ "{\"master-ip\":\"10.0.0.1\"}", true, true, OWN },
	{ "{\"master-ip\":\"10.0.0.2\"}", true, false, OTHER },
	/* Other keys mean nothing, whatever they hold. */
	{ " {\"a\":{\"role\":1,\"b\":[1,2,{}]},\"role\":\"primary\",\"z\":1e9}\r\n", true, true,
	  0 },
	/* Nothing new. */
	{ "", false, false, 0 },
	{ " \t\r\n", false, false, 0 },
	{ "{}", false, false, 0 },
	{ "null", false, false, 0 },
	{ "\"\"", false, false, 0 },
};

START_TEST(test_answer) {
	const union net_addr own = net_ipv4(OWN), ip = net_ipv4(answers[_i].ip);
	const char *text = answers[_i].text;
	struct callback_answer answer;
	struct err err = { 0 };

	ck_assert_msg(callback_form_answer(&answer, text, strlen(text), &own, &err) == 0, "%s: %s",
		      text, err.text);
	ck_assert_msg(answer.decided == answers[_i].decided, "%s", text);
	ck_assert_msg(answer.primary == answers[_i].primary, "%s", text);
	ck_assert_msg(net_equal(&answer.primary_ip, &ip), "%s", text);
}
END_TEST

static const struct {
	const char *text, *why;
} bad_answers[] = {
	{ "<html>", "it is not JSON: line 1: invalid token near '<'" },
	{ "{\"role\":\"primary\"", "it is not JSON: line 1: '}' expected near end of file" },
	{ "{\"role\":\"primary\"}x", "it is not JSON: line 1: end of file expected near 'x'" },
	{ "{\"role\":\"primary\",\n\"role\":\"primary\"}",
	  "it is not JSON: line 2: duplicate object key near '\"role\"'" },
	{ "{\"role\":\"\xff\"}", "it is not JSON: line 1: unable to decode byte 0xff near '\"'" },
	{ "{\"role\":\"primary\\u0000\"}",
	  "it is not JSON: line 1: \\u0000 is not allowed without JSON_ALLOW_NUL "
	  "near '\"primary\\u0000\"'" },
	{ "[\"primary\"]", "it is not an object" },
	{ "\"primary\"", "it is not an object" },
	{ "1", "it is not an object" },
	{ "[]", "it is not an object" },
	{ "{\"rule\":\"primary\"}", "it has neither role nor primary-ip" },
	{ "{\"primary-ip\":\"\"}", "it has neither role nor primary-ip" },
	{ "{\"role\":1}", "role is not a string" },
	{ "{\"role\":null}", "role is not a string" },
	{ "{\"role\":\"Primary\"}", "role is neither primary nor secondary: \"Primary\"" },
	{ "{\"role\":\"\"}", "role is neither primary nor secondary: \"\"" },
	{ "{\"role\":\"a\\nb\"}", "role is neither primary nor secondary: \"a b\"" },
	{ "{\"role\":\"0123456789012345678901234567890123456789xyz\"}",
	  "role is neither primary nor secondary: \"0123456789012345678901234567890123456789\"" },
	{ "{\"role\":\"secondary\",\"primary-ip\":1}", "primary-ip is not a string" },
	{ "{\"role\":\"secondary\",\"primary-ip\":\"10.0.0\"}",
	  "primary-ip is no IPv4 address: \"10.0.0\"" },
	{ "{\"role\":\"secondary\",\"master-ip\":\"2001:db8::1\"}",
	  "master-ip is no IPv4 address: \"2001:db8::1\"" },
	{ "{\"role\":\"secondary\",\"primary-ip\":\"10.0.0.2\",\"master-ip\":\"10.0.0.2\"}",
	  "primary-ip and master-ip are one thing" },
	{ "{\"role\":\"secondary\",\"primary-ip\":\"10.0.0.1\"}",
	  "role is secondary, but primary-ip is this unit's own" },
};

static void is_refused(const char *text, size_t len, const union net_addr *own, const char *why) {
	AUTO_FREE char *wanted = xasprintf("the answer is not understood: %s", why);
	struct callback_answer answer = { .decided = true };
	struct err err = { 0 };

	ck_assert_int_eq(callback_form_answer(&answer, text, len, own, &err), ERR_PARSE);
	ck_assert_str_eq(err.text, wanted);
	ck_assert(!answer.decided && !answer.primary && !answer.primary_ip.word[0]);
}

START_TEST(test_bad_answer) {
	const union net_addr own = net_ipv4(OWN);

	is_refused(bad_answers[_i].text, strlen(bad_answers[_i].text), &own, bad_answers[_i].why);
}
END_TEST

START_TEST(test_unknown_own) {
	const union net_addr none = { 0 };
	const char *text = "{\"master-ip\":\"10.0.0.1\"}";

	is_refused(text, strlen(text), &none,
		   "it has no role, and this unit has no address yet to compare with primary-ip");
}
END_TEST

/* As long as it may be, one byte longer, and deeper than anybody writes. */
START_TEST(test_bounds) {
	const union net_addr own = net_ipv4(OWN);
	const char *start = "{\"role\":\"primary\"}";
	AUTO_FREE char *text = xcalloc(1, CALLBACK_ANSWER_MAX + 2);
	struct callback_answer answer;

	memset(text, ' ', CALLBACK_ANSWER_MAX + 1);
	memcpy(text, start, strlen(start));
	ck_assert_int_eq(callback_form_answer(&answer, text, CALLBACK_ANSWER_MAX, &own, NULL), 0);
	ck_assert(answer.decided && answer.primary);
	is_refused(text, CALLBACK_ANSWER_MAX + 1, &own, "it is longer than 65536 bytes");
	memset(text, '[', CALLBACK_ANSWER_MAX);
	is_refused(text, CALLBACK_ANSWER_MAX, &own,
		   "it is not JSON: line 1: maximum parsing depth reached near '['");
	memset(text, ' ', CALLBACK_ANSWER_MAX + 1);
	is_refused(text, CALLBACK_ANSWER_MAX + 1, &own, "it is longer than 65536 bytes");
}
END_TEST

/* ---- failures ---- */

static const struct {
	uint32_t interval_ms;
	unsigned int failures;
	uint32_t longest_ms;
} waits[] = {
	{ 10000, 0, 10000 },	       { 10000, 1, 10000 },	      { 10000, 2, 20000 },
	{ 10000, 3, 40000 },	       { 10000, 5, 160000 },	      { 10000, 6, 300000 },
	{ 10000, 7, 300000 },	       { 10000, UINT32_MAX, 300000 }, { 120000, 2, 240000 },
	{ 120000, 3, 300000 },	       { 400000, 1, 400000 },	      { 400000, 9, 400000 },
	{ UINT32_MAX, 9, UINT32_MAX },
};

START_TEST(test_wait) {
	uint32_t longest = waits[_i].longest_ms, at_least = longest - longest / 4;

	ck_assert_uint_eq(callback_wait_ms(waits[_i].interval_ms, waits[_i].failures, 300000, 0),
			  longest);
	ck_assert_uint_eq(
		callback_wait_ms(waits[_i].interval_ms, waits[_i].failures, 300000, longest / 4),
		at_least);
	for (uint32_t random = 1; random < UINT32_MAX / 2; random *= 3) {
		uint32_t wait =
			callback_wait_ms(waits[_i].interval_ms, waits[_i].failures, 300000, random);

		ck_assert(wait >= at_least && wait <= longest);
	}
}
END_TEST

/* ---- what is refused at once ---- */

static struct event_base *base;
static char *said;

static void fill_in(void *arg, struct callback_facts *ret) {
	(void)arg;
	(void)ret;
	ck_abort_msg("a heartbeat is made");
}

static void decided(void *arg, bool primary, const union net_addr *primary_ip) {
	(void)arg;
	(void)primary;
	(void)primary_ip;
	ck_abort_msg("something is decided");
}

static void failed(void *arg, const char *why) {
	(void)arg;
	free(said);
	said = xstrdup(why);
	event_base_loopbreak(base);
}

static void tell(void *arg, int priority, const char *text) {
	(void)arg;
	ck_abort_msg("%d %s", priority, text);
}

static const struct callback_calls calls = { NULL, fill_in, decided, failed, tell };

static const struct {
	const char *url, *why;
} urls[] = {
	{ "http://host.test/path?code=secret",
	  "the URL begins with http, and only https will do (http://host.test/path)" },
	{ "FTP://user:secret@host.test:21/",
	  "the URL begins with ftp, and only https will do (ftp://host.test:21/)" },
	{ "file:///etc/passwd", "the URL begins with file, and only https will do (callback-url)" },
	{ "https://", "the URL is not understood: No host part in the URL (callback-url)" },
	{ "host.test/secret", "the URL is not understood: Bad scheme (callback-url)" },
	{ "https://host.test:99999/secret",
	  "the URL is not understood: Port number was not a decimal number between 0 and 65535 "
	  "(callback-url)" },
};

START_TEST(test_url) {
	const struct callback_limits limits = CALLBACK_LIMITS;
	struct callback_info info;
	struct err err = { 0 };
	struct callback *cb;

	base = event_base_new();
	cb = callback_new(base, &calls, NULL, &limits, &err);
	ck_assert_msg(cb != NULL, "%s", err.text);
	callback_configure(cb, urls[_i].url, 10000);
	ck_assert_ptr_null(said); /* calls come out of the loop only */
	event_base_dispatch(base);
	ck_assert_str_eq(said, urls[_i].why);
	callback_info(cb, &info);
	ck_assert_str_eq(info.why, urls[_i].why);
	ck_assert_uint_eq(info.failures, 1);
	callback_configure(cb, "", 10000);
	callback_info(cb, &info);
	ck_assert_str_eq(info.why, "");
	ck_assert_int_eq(event_base_dispatch(base), 1); /* nothing is waited for */
	callback_free(cb);
	event_base_free(base);
	free(said);
}
END_TEST

START_TEST(test_ca_file) {
	struct err err = { 0 };

	base = event_base_new();
	ck_assert_ptr_null(callback_new(base, &calls, "/nonexistent/ca.pem", NULL, &err));
	ck_assert_int_eq(err.code, ERR_FILE);
	ck_assert_str_eq(err.text, "/nonexistent/ca.pem: No such file or directory");
	event_base_free(base);
}
END_TEST

static Suite *callback_suite(void) {
	Suite *s = suite_create("callback");
	TCase *t = fixture_case(s, "callback");

	tcase_add_loop_test(t, test_request, 0, ARRAY_LEN(requests));
	tcase_add_test(t, test_longest_request);
	tcase_add_loop_test(t, test_answer, 0, ARRAY_LEN(answers));
	tcase_add_loop_test(t, test_bad_answer, 0, ARRAY_LEN(bad_answers));
	tcase_add_test(t, test_unknown_own);
	tcase_add_test(t, test_bounds);
	tcase_add_loop_test(t, test_wait, 0, ARRAY_LEN(waits));
	tcase_add_loop_test(t, test_url, 0, ARRAY_LEN(urls));
	tcase_add_test(t, test_ca_file);
	return s;
}

int main(void) {
	return fixture_run(callback_suite());
}
