/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the event log says of logins: one line a kind, and names that try to say more. */
#include "cfgdb/aaa/aaa_audit.h"

#include <stdlib.h>
#include <time.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define HEAD(id, level) \
	"date=2027-01-15 time=08:00:00 eventtime=1800000000000000000 tz=\"+0000\" logid=\"" id \
	"\" type=\"event\" subtype=\"system\" level=\"" level "\" vd=\"root\" "

static const struct {
	struct aaa_event event;
	const char *line;
} lines[] = {
	{ { AAA_EVENT_LOGIN, "bob", "prof_admin", AAA_SSH, "10.0.0.1", "none", 0, 0, NULL, false },
	  HEAD("0100032001", "information")
	  "logdesc=\"Admin login successful\" user=\"bob\" ui=\"ssh(10.0.0.1)\" method=\"ssh\" "
	  "srcip=10.0.0.1 action=\"login\" status=\"success\" reason=\"none\" "
	  "profile=\"prof_admin\" msg=\"Administrator bob logged in from ssh(10.0.0.1)\"" },
	{ { AAA_EVENT_LOGIN, "bob", "prof_admin", AAA_CONSOLE, "", "none", 0, 0, NULL, false },
	  HEAD("0100032001", "information")
	  "logdesc=\"Admin login successful\" user=\"bob\" ui=\"console\" method=\"console\" "
	  "action=\"login\" status=\"success\" reason=\"none\" profile=\"prof_admin\" "
	  "msg=\"Administrator bob logged in from console\"" },
	{ { AAA_EVENT_REFUSED, "x\" status=\"success\n", "", AAA_SSH, "not an address",
	    "name_invalid", 0, 0, NULL, false },
	  HEAD("0100032002", "alert")
	  "logdesc=\"Admin login failed\" user=\"x' status='success \" ui=\"ssh(not an address)\" "
	  "method=\"ssh\" action=\"login\" status=\"failed\" reason=\"name_invalid\" "
	  "msg=\"Login of administrator x' status='success  from ssh(not an address) was refused: "
	  "name_invalid\"" },
	{ { AAA_EVENT_REFUSED, "my password", "", AAA_CONSOLE, "", "name_invalid", 0, 0, NULL, false },
	  HEAD("0100032002", "alert")
	  "logdesc=\"Admin login failed\" user=\"unknown\" ui=\"console\" method=\"console\" "
	  "action=\"login\" status=\"failed\" reason=\"name_invalid\" "
	  "msg=\"Login of administrator unknown from console was refused: name_invalid\"" },
	{ { AAA_EVENT_LOCKED, "bob", "prof_admin", AAA_SSH, "fe80::1", "exceed_limit", 60, 3, NULL, false },
	  HEAD("0100032021", "alert")
	  "logdesc=\"Admin login disabled\" user=\"bob\" ui=\"ssh(fe80::1)\" method=\"ssh\" "
	  "srcip=fe80::1 action=\"login\" status=\"failed\" reason=\"exceed_limit\" "
	  "profile=\"prof_admin\" "
	  "msg=\"Logins from fe80::1 are disabled for 60 seconds after 3 bad attempts\"" },
	{ { AAA_EVENT_LOGOUT, "bob", "prof_admin", AAA_SSH, "10.0.0.1", "exit", 77, 0, NULL, false },
	  HEAD("0100032003", "information")
	  "logdesc=\"Admin logout successful\" user=\"bob\" ui=\"ssh(10.0.0.1)\" method=\"ssh\" "
	  "srcip=10.0.0.1 action=\"logout\" status=\"success\" reason=\"exit\" "
	  "profile=\"prof_admin\" duration=77 "
	  "msg=\"Administrator bob logged out from ssh(10.0.0.1)\"" },
	{ { AAA_EVENT_REFUSED, "root", "", AAA_SSH, "10.0.0.1", "local", 0, 0, NULL, true },
	  HEAD("0100032002", "alert")
	  "logdesc=\"Admin login failed\" user=\"root\" ui=\"ssh(10.0.0.1)\" method=\"ssh\" "
	  "srcip=10.0.0.1 action=\"login\" status=\"failed\" reason=\"local\" "
	  "msg=\"Login of local user root from ssh(10.0.0.1) was refused: local\"" },
	{ { AAA_EVENT_LOGOUT, "joe", "", AAA_SSH, "10.0.0.1", "local", 0, 0, NULL, true },
	  HEAD("0100032003", "information")
	  "logdesc=\"Admin logout successful\" user=\"joe\" ui=\"ssh(10.0.0.1)\" method=\"ssh\" "
	  "srcip=10.0.0.1 action=\"logout\" status=\"success\" reason=\"local\" "
	  "msg=\"Local user joe logged out from ssh(10.0.0.1)\"" },
	{ { AAA_EVENT_KEPT, "bob", "prof_admin", AAA_SSH, NULL, "the old password is wrong", 0, 0,
	    "ssh(10.0.0.1)", false },
	  HEAD("0100044546", "warning")
	  "logdesc=\"Change refused\" user=\"bob\" ui=\"ssh(10.0.0.1)\" action=\"Edit\" "
	  "status=\"failure\" reason=\"the old password is wrong\" profile=\"prof_admin\" "
	  "msg=\"The password of administrator bob stays as it is\"" },
	{ { AAA_EVENT_STRANGER, "uid4711", "", AAA_SSH, NULL, "not_root", 0, 0, "cli", false },
	  HEAD("0100032002", "alert")
	  "logdesc=\"Admin login failed\" user=\"uid4711\" ui=\"cli\" action=\"login\" "
	  "status=\"failed\" reason=\"not_root\" "
	  "msg=\"A process of uid4711 has asked for logins of administrators\"" },
};

START_TEST(test_line) {
	AUTO_STR struct str line = STR_INIT;

	setenv("TZ", "UTC", 1);
	tzset();
	aaa_audit_line(&lines[_i].event, 1800000000000000000u, &line);
	ck_assert_str_eq(str_text(&line), lines[_i].line);
}
END_TEST

static Suite *aaa_audit_suite(void) {
	Suite *s = suite_create("aaa_audit");
	TCase *t = fixture_case(s, "aaa_audit");

	tcase_add_loop_test(t, test_line, 0, ARRAY_LEN(lines));
	return s;
}

int main(void) {
	return fixture_run(aaa_audit_suite());
}
