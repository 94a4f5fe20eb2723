/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that run programs of the system: with which arguments, and what becomes of what they
 * print. The programs are scripts made here, in a directory that is all of PATH.
 */
#include "cli/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fake_shell.h"
#include "tests/lib/fixture.h"

#define FAIL(code) "Command fail. Return code " #code "\n"
#define REFUSED(word) "\ncommand parse error before '" word "'\n" FAIL(-61)

static char *dir;
static struct fake_shell f;

static void setup(void) {
	dir = fixture_dir();
	fake_shell_init(&f, SHELL_COMMIT_EACH);
	setenv("PATH", dir, 1);
}

static void teardown(void) {
	fake_shell_done(&f);
	free(dir);
}

/* A program that keeps its arguments and does what body says. */
static void make_program(const char *name, const char *body) {
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fprintf(out, "#!/bin/sh\nprintf '%%s|' \"$@\" >%s/args\n%s\n", dir, body);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(chmod(path, 0700), 0);
}

/* The arguments of the last run, each with a bar behind it; "" when there was none since. */
static char *take_args(void) {
	AUTO_FREE char *path = xasprintf("%s/args", dir);
	struct str args = STR_INIT;

	file_read(path, 4096, &args, NULL);
	remove(path);
	return args.len ? str_steal(&args) : xstrdup("");
}

static void assert_args(const char *right) {
	AUTO_FREE char *args = take_args();

	ck_assert_str_eq(args, right);
}

/* The moment that timedatectl is given begins or ends so; the rest is now. */
static void assert_moment(const char *begin, const char *end) {
	static const char words[] = "--no-ask-password|set-time|";
	AUTO_FREE char *args = take_args();
	const char *moment = args + sizeof(words) - 1;

	ck_assert_int_eq(strncmp(args, words, sizeof(words) - 1), 0);
	ck_assert_uint_eq(strlen(moment), strlen("2026-01-31 12:00:00|"));
	ck_assert_int_eq(strncmp(moment, begin, strlen(begin)), 0);
	ck_assert_str_eq(moment + strlen(moment) - strlen(end), end);
}

/* What the machine lacks stands in a line of its own, if it does. */
static void assert_denied(const char *line, const char *begin) {
	const char *said = fake_shell_run(&f, line);

	ck_assert_msg(strncmp(said, begin, strlen(begin)) == 0, "%s", said);
	ck_assert_ptr_nonnull(strstr(said, "\n" FAIL(-37)));
}

/* ---- ping ---- */

static const char ping_says[] =
	"echo 'PING host.example (192.0.2.1) 56(84) bytes of data.'\n"
	"echo '64 bytes from 192.0.2.1: icmp_seq=1 ttl=63 time=0.54 ms'\n"
	"echo\n"
	"echo '--- host.example ping statistics ---'\n"
	"echo '2 packets transmitted, 1 received, 50% packet loss, time 1ms'\n"
	"echo 'rtt min/avg/max/mdev = 0.541/0.541/0.541/0.000 ms'\n"
	"exit 1";

START_TEST(test_ping) {
	make_program("ping", ping_says);
	ck_assert_str_eq(fake_shell_run(&f, "execute ping host.example"),
			 "PING host.example (192.0.2.1): 56 data bytes\n"
			 "64 bytes from 192.0.2.1: icmp_seq=0 ttl=63 time=0.5 ms\n"
			 "\n--- host.example ping statistics ---\n"
			 "2 packets transmitted, 1 packets received, 50% packet loss\n"
			 "round-trip min/avg/max = 0.5/0.5/0.5 ms\n");
	assert_args("-4|-n|-c|5|-s|56|-W|2|--|host.example|");
	make_program("ping", "echo 'ping: x: Name or service not known' >&2; exit 2");
	ck_assert_str_eq(fake_shell_run(&f, "execute ping x"),
			 "Unable to resolve hostname.\n" FAIL(-3));
	make_program("ping", "echo 'ping: connect: Network is unreachable' >&2; exit 2");
	ck_assert_str_eq(fake_shell_run(&f, "execute ping x"), "sendto failed\n" FAIL(-651));
	make_program("ping", "echo 'ping: bind: Cannot assign requested address' >&2; exit 2");
	ck_assert_str_eq(fake_shell_run(&f, "execute ping x"),
			 "ping: bind: Cannot assign requested address\n" FAIL(-39));
}
END_TEST

static const char options_at_first[] = "Ping Options:\n"
				       "        Repeat Count: 5\n"
				       "        Data Size: 56\n"
				       "        Timeout: 2\n"
				       "        Interval: 1\n"
				       "        TTL: 64\n"
				       "        TOS: 0\n"
				       "        DF bit: unset\n"
				       "        Source Address: auto\n"
				       "        Interface: auto\n";

START_TEST(test_ping_options) {
	static const char set[] = "execute ping-options repeat-count 3\n"
				  "execute ping-options data-size 1400\n"
				  "execute ping-options timeout 1\n"
				  "execute ping-options interval 4\n"
				  "execute ping-options ttl 9\n"
				  "execute ping-options tos 16\n"
				  "execute ping-options df-bit yes\n"
				  "execute ping-options source 192.0.2.9\n"
				  "execute ping-options interface port1\n";
	static const char back[] = "execute ping-options df-bit no\n"
				   "execute ping-options source auto\n"
				   "execute ping-options interface auto\n";

	make_program("ping", "echo 'PING x (192.0.2.1) 1400(1428) bytes of data.'");
	ck_assert_str_eq(fake_shell_run(&f, "execute ping-options view-settings"),
			 options_at_first);
	ck_assert_str_eq(fake_shell_run(&f, set), "");
	ck_assert_str_eq(fake_shell_run(&f, "execute ping-options view-settings"),
			 "Ping Options:\n        Repeat Count: 3\n        Data Size: 1400\n"
			 "        Timeout: 1\n        Interval: 4\n        TTL: 9\n        TOS: 16\n"
			 "        DF bit: set\n        Source Address: 192.0.2.9\n"
			 "        Interface: port1\n");
	ck_assert_str_eq(fake_shell_run(&f, "execute ping x"),
			 "PING x (192.0.2.1): 1400 data bytes\n");
	assert_args("-4|-n|-c|3|-s|1400|-W|1|-i|4|-t|9|-Q|16|-M|do|-I|192.0.2.9|-I|port1|--|x|");
	ck_assert_str_eq(fake_shell_run(&f, back), "");
	fake_shell_run(&f, "execute ping x");
	assert_args("-4|-n|-c|3|-s|1400|-W|1|-i|4|-t|9|-Q|16|--|x|");
	fake_shell_run(&f, "execute ping-options reset");
	ck_assert_str_eq(fake_shell_run(&f, "execute ping-options view-settings"),
			 options_at_first);
}
END_TEST

/* Words that are no such value: none of them reaches a program. */
static const struct {
	const char *line, *answer;
} refused[] = {
	{ "execute ping -f", REFUSED("-f") },
	{ "execute ping a;b", REFUSED("a;b") },
	{ "execute traceroute -x", REFUSED("-x") },
	{ "execute traceroute 'a b'", REFUSED("a b") },
	{ "execute ping-options repeat-count 0", REFUSED("0") },
	{ "execute ping-options repeat-count auto", REFUSED("auto") },
	{ "execute ping-options ttl 256", REFUSED("256") },
	{ "execute ping-options ttl ' 000000000000000000001'",
	  REFUSED(" 000000000000000000001") },
	{ "execute ping-options data-size 65508", REFUSED("65508") },
	{ "execute ping-options df-bit maybe", REFUSED("maybe") },
	{ "execute ping-options source port1", REFUSED("port1") },
	{ "execute ping-options interface -b", REFUSED("-b") },
	{ "execute ping-options interface abcdefghijklmnop", REFUSED("abcdefghijklmnop") },
	{ "execute ping-options source", "\nincomplete command in the end\n" FAIL(-160) },
	{ "execute date 2026-02-30", REFUSED("2026-02-30") },
	{ "execute date 2026-2-3", REFUSED("2026-2-3") },
	{ "execute date tomorrow", REFUSED("tomorrow") },
	{ "execute date 2026-01-01 x", REFUSED("x") },
	{ "execute time 24:00", REFUSED("24:00") },
	{ "execute time 12:30:99", REFUSED("12:30:99") },
	{ "execute time 12", REFUSED("12") },
	{ "execute reboot now", REFUSED("now") },
	{ "execute reboot comment", "\nincomplete command in the end\n" FAIL(-160) },
};

START_TEST(test_refused) {
	static const char *const programs[] = { "ping", "traceroute", "timedatectl", "systemctl" };

	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		make_program(programs[i], "");
	ck_assert_str_eq(fake_shell_run(&f, refused[_i].line), refused[_i].answer);
	assert_args("");
}
END_TEST

START_TEST(test_not_installed) {
	ck_assert_str_eq(fake_shell_run(&f, "execute ping x"), "ping is not installed\n" FAIL(-39));
	ck_assert_str_eq(fake_shell_run(&f, "execute traceroute x"),
			 "traceroute is not installed\n" FAIL(-39));
	ck_assert_str_eq(fake_shell_run(&f, "execute reboot"),
			 "systemctl is not installed\n" FAIL(-39));
	ck_assert_str_eq(fake_shell_run(&f, "execute time 12:00"),
			 "timedatectl is not installed\n" FAIL(-39));
}
END_TEST

/* ---- traceroute ---- */

START_TEST(test_traceroute) {
	make_program("traceroute",
		     "echo 'traceroute to host.example (8.8.8.8), 32 hops max, 84 byte packets'\n"
		     "echo ' 1  192.0.2.1  0.454 ms  0.503 ms  0.262 ms'\n"
		     "echo ' 2  * * *'");
	ck_assert_str_eq(fake_shell_run(&f, "execute traceroute host.example"),
			 "traceroute to host.example (8.8.8.8), 32 hops max, "
			 "3 probe packets per hop, 84 byte packets\n"
			 " 1  192.0.2.1  0.454 ms  0.503 ms  0.262 ms\n"
			 " 2  * * *\n");
	assert_args("-4|-n|-q|3|-m|32|--|host.example|84|");
	make_program("traceroute",
		     "echo 'x: Name or service not known' >&2\n"
		     "echo 'Cannot handle \"host\" cmdline arg `x'\\''' >&2; exit 2");
	ck_assert_str_eq(fake_shell_run(&f, "execute traceroute x"),
			 "Unable to resolve hostname.\n" FAIL(-3));
	make_program("traceroute", "echo 'connect: Network is unreachable' >&2; exit 1");
	ck_assert_str_eq(fake_shell_run(&f, "execute traceroute x"),
			 "connect: Network is unreachable\n" FAIL(-39));
}
END_TEST

/* ---- how they print ---- */

/* A program keeps lines that do not go to a terminal; it may colour those that do. */
START_TEST(test_terminal) {
	static const char hop[] = " 1  192.0.2.1  0.1 ms  0.1 ms  0.1 ms\n";

	make_program("traceroute", "[ -t 1 ] && echo ' 1  192.0.2.1  0.1 ms  0.1 ms  0.1 ms'");
	ck_assert_str_eq(fake_shell_run(&f, "execute traceroute x"), hop);
	make_program("ping", "[ -t 1 ] && echo '--- x ping statistics ---'");
	ck_assert_str_eq(fake_shell_run(&f, "execute ping x"), "\n--- x ping statistics ---\n");
	make_program("timedatectl", "[ -t 1 ] || [ -t 2 ] || echo plain; exit 1");
	assert_denied("execute time 7:05", "the clock is not set: plain\n");
}
END_TEST

/* ---- the clock ---- */

START_TEST(test_clock) {
	int year, month, day, hour, minute, second, end = 0;

	ck_assert_int_eq(sscanf(fake_shell_run(&f, "execute date"),
				"current date is: %4d-%2d-%2d\n%n", &year, &month, &day, &end), 3);
	ck_assert_int_gt(end, 0);
	ck_assert_int_ge(year, 2026);
	end = 0;
	ck_assert_int_eq(sscanf(fake_shell_run(&f, "execute time"),
				"current time is: %2d:%2d:%2d\nlast ntp sync: %n", &hour, &minute,
				&second, &end), 3);
	ck_assert_int_gt(end, 0);
	make_program("timedatectl", "");
	ck_assert_str_eq(fake_shell_run(&f, "execute time 21:05:34"), "");
	assert_moment("20", " 21:05:34|");
	ck_assert_str_eq(fake_shell_run(&f, "execute time 7:05"), "");
	assert_moment("20", " 07:05:00|");
	ck_assert_str_eq(fake_shell_run(&f, "execute date 2031-12-31"), "");
	assert_moment("2031-12-31 ", "|");
	make_program("timedatectl", "echo 'Failed to set time: Access denied' >&2; exit 1");
	assert_denied("execute time 21:05:34",
		      "the clock is not set: Failed to set time: Access denied\n");
	ck_assert_int_eq(fake_client_outcome(f.client), ERR_PERMISSION);
	make_program("timedatectl", "kill -9 $$");
	assert_denied("execute time 21:05:34", "the clock is not set: timedatectl was ended\n");
}
END_TEST

static bool answer;
static const char *asked;

static bool confirm(void *arg, const char *question) {
	(void)arg;
	asked = question;
	return answer;
}

/* What the shell does by itself it does when the daemon has nothing against it. */
START_TEST(test_not_permitted) {
	static const char *const lines[] = { "execute reboot", "execute shutdown comment x",
					     "execute time 7:05", "execute date 2031-12-31" };

	make_program("systemctl", "");
	make_program("timedatectl", "");
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		fake_client_fail(f.client, "run", 1, ERR_PERMISSION, "not you");
		ck_assert_ptr_nonnull(strstr(fake_shell_run(&f, lines[i]), "not you\n" FAIL(-37)));
	}
	f.sh.confirm = confirm;
	asked = NULL;
	fake_client_fail(f.client, "may", 1, ERR_PERMISSION, "not you");
	ck_assert_str_eq(fake_shell_run(&f, "execute reboot"), "not you\n" FAIL(-37));
	ck_assert_ptr_null(asked);
	f.sh.confirm = NULL;
	assert_args("");
	fake_client_fail(f.client, "run", 1, ERR_PERMISSION, "not you");
	ck_assert_ptr_null(strstr(fake_shell_run(&f, "execute time"), "not you"));
}
END_TEST

static void touch(const char *root, const char *path) {
	AUTO_FREE char *full = xasprintf("%s%s", root, path);
	FILE *file;

	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		ck_assert(mkdir(full, 0700) == 0 || errno == EEXIST);
		*at = '/';
	}
	file = fopen(full, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
}

START_TEST(test_lacks) {
	AUTO_FREE char *root = xasprintf("%s/machine", dir);

	ck_assert_int_eq(mkdir(root, 0700), 0);
	ck_assert_ptr_nonnull(strstr(program_lacks(root, true), "dbus does not run"));
	ck_assert_ptr_nonnull(strstr(program_lacks(root, false), "dbus does not run"));
	touch(root, "/run/dbus/system_bus_socket");
	ck_assert_ptr_null(program_lacks(root, true));
	ck_assert_ptr_nonnull(strstr(program_lacks(root, false), "polkitd is not installed"));
	touch(root, "/usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service");
	ck_assert_ptr_null(program_lacks(root, false));
}
END_TEST

/* ---- reboot and shutdown ---- */

START_TEST(test_power) {
	make_program("systemctl", "");
	f.sh.confirm = confirm;
	ck_assert_str_eq(fake_shell_run(&f, "execute reboot"),
			 "This operation will reboot the system!\n");
	ck_assert_str_eq(asked, "Do you want to continue? (y/n)");
	ck_assert_str_eq(fake_shell_run(&f, "execute reboot comment x"),
			 "This operation will reboot the system!\n");
	ck_assert_str_eq(fake_shell_run(&f, "execute shutdown"),
			 "This operation will shut down the system!\n");
	assert_args("");
	answer = true;
	ck_assert_str_eq(fake_shell_run(&f, "execute reboot"),
			 "This operation will reboot the system!\n"
			 "The system is going down: reboot.\n");
	assert_args("--no-ask-password|reboot|");
	f.sh.confirm = NULL;
	ck_assert_str_eq(fake_shell_run(&f, "execute reboot comment \"new kernel\""),
			 "The system is going down: reboot.\n");
	assert_args("--no-ask-password|reboot|--message=new kernel|");
	ck_assert_int_eq(fake_client_outcome(f.client), 0);
	ck_assert_str_eq(fake_shell_run(&f, "execute shutdown"),
			 "The system is going down: shutdown.\n");
	assert_args("--no-ask-password|poweroff|");
	make_program("systemctl", "echo 'Interactive authentication required.' >&2; exit 1");
	assert_denied("execute shutdown", "shutdown is refused: Interactive authentication required.\n");
	ck_assert_int_eq(fake_client_outcome(f.client), ERR_PERMISSION);
}
END_TEST

static Suite *program_suite(void) {
	Suite *s = suite_create("program");
	TCase *t = fixture_case(s, "program");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_ping);
	tcase_add_test(t, test_terminal);
	tcase_add_test(t, test_ping_options);
	tcase_add_loop_test(t, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_test(t, test_not_installed);
	tcase_add_test(t, test_lacks);
	tcase_add_test(t, test_traceroute);
	tcase_add_test(t, test_clock);
	tcase_add_test(t, test_power);
	tcase_add_test(t, test_not_permitted);
	return s;
}

int main(void) {
	return fixture_run(program_suite());
}
