/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exchange on a terminal, byte for byte: a session in a child process on a pseudo terminal, for
 * three kinds of terminal and several widths; the pager on screens of a few rows.
 *
 * Nothing sleeps: what was typed is answered by a known text, and reading goes on until that has
 * come.
 */
#include <check.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cli/edit.h"
#include "cli/session.h"
#include "tests/lib/fake_shell.h"

#define ANSWER_MS 10000

static const char *const terms[] = { "vt100", "xterm-256color", "dumb" };
static const unsigned short widths[] = { 80, 20, 511, 0 };

struct terminal {
	int fd;
	pid_t pid;
	struct str got;          /* since the last terminal_expect */
};

static void session_child(const char *term) {
	struct fake_shell f;
	struct out out;

	setenv("TERM", term, 1);
	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	out_init(&out, STDOUT_FILENO);
	f.sh.out = &out;
	fake_client_endless(f.client, "diagnose");
	session_run(&f.sh);
	_exit(f.sh.quit ? 42 : 43);
}

/* Read until the terminal has printed want at the end, or fail. */
static void terminal_wait(struct terminal *t, const char *want) {
	size_t len = strlen(want);
	char buffer[4096];

	while (t->got.len < len || strcmp(t->got.data + t->got.len - len, want) != 0) {
		struct pollfd p = { .fd = t->fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, ANSWER_MS) == 1 ? read(t->fd, buffer, sizeof(buffer)) : 0;

		ck_assert_msg(n > 0, "<%s> does not end in <%s>", str_text(&t->got), want);
		str_add_bytes(&t->got, buffer, (size_t)n);
	}
}

static void terminal_open_screen(struct terminal *t, const char *term, unsigned short rows,
				 unsigned short columns) {
	const struct winsize size = { .ws_row = rows, .ws_col = columns };

	*t = (struct terminal){ 0 };
	t->pid = forkpty(&t->fd, NULL, NULL, &size);
	ck_assert_int_ge(t->pid, 0);
	if (t->pid == 0)
		session_child(term);
	terminal_wait(t, "gate # ");
	ck_assert_str_eq(str_text(&t->got), "gate # ");
	str_clear(&t->got);
}

static void terminal_open(struct terminal *t, const char *term, unsigned short width) {
	terminal_open_screen(t, term, width ? 24 : 0, width);
}

static void terminal_resize(struct terminal *t, unsigned short rows, unsigned short columns) {
	const struct winsize size = { .ws_row = rows, .ws_col = columns };

	ck_assert_int_eq(ioctl(t->fd, TIOCSWINSZ, &size), 0);
}

static void terminal_type(struct terminal *t, const char *keys) {
	for (size_t len = strlen(keys); len > 0;) {
		ssize_t n = write(t->fd, keys, len);

		ck_assert_int_gt(n, 0);
		keys += n;
		len -= (size_t)n;
	}
}

/* Type keys; the terminal prints exactly want. */
static void terminal_expect(struct terminal *t, const char *keys, const char *want) {
	terminal_type(t, keys);
	terminal_wait(t, want);
	ck_assert_str_eq(str_text(&t->got), want);
	str_clear(&t->got);
}

/* The session ends by itself; how the child ended. */
static int terminal_end(struct terminal *t, const char *keys) {
	int status = 0;

	terminal_type(t, keys);
	ck_assert_int_eq(waitpid(t->pid, &status, 0), t->pid);
	close(t->fd);
	str_done(&t->got);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void open_case(struct terminal *t, int i) {
	terminal_open(t, terms[i % (int)ARRAY_LEN(terms)], widths[i / (int)ARRAY_LEN(terms)]);
}

START_TEST(commands_and_answers) {
	struct terminal t;

	open_case(&t, _i);
	terminal_expect(&t, "\r", "\r\ngate # ");
	terminal_expect(&t, "\n", "\r\ngate # ");
	terminal_expect(&t, "# comment\r", "# comment\r\ngate # ");
	terminal_expect(&t, "delte\r", "delte\r\nUnknown action 0\r\n\r\ngate # ");
	terminal_expect(&t, "show firewall vip\n",
			"show firewall vip\r\nconfig firewall vip\r\nend\r\n\r\ngate # ");
	terminal_expect(
		&t, "show system nonsense\r",
		"show system nonsense\r\n\r\n"
		"command parse error before 'nonsense'\r\nCommand fail. Return code -61\r\n\r\n"
		"gate # ");
	terminal_expect(&t, "config firewall address\r",
			"config firewall address\r\n\r\ngate (address) # ");
	terminal_expect(&t, "edit \"a b\"\r",
			"edit \"a b\"\r\nnew entry 'a b' added\r\n\r\ngate (a b) # ");
	terminal_expect(&t, "set comment \"one\r", "set comment \"one\r\n> ");
	terminal_expect(&t, "two\"\r", "two\"\r\n\r\ngate (a b) # ");
	terminal_expect(&t, "next\r", "next\r\n\r\ngate (address) # ");
	terminal_expect(&t, "end\r", "end\r\n\r\ngate # ");
	terminal_expect(&t, "end\r", "end\r\nUnknown action 0\r\n\r\ngate # ");
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

/* A command that destroys asks first; one key answers, and only y goes on. */
START_TEST(questions) {
	const char *asked = "execute log delete-all\r\nThis will delete all log lines!\r\n"
			    "Do you want to continue? (y/n)";
	struct terminal t;

	open_case(&t, _i);
	terminal_expect(&t, "execute log delete-all\r", asked);
	terminal_expect(&t, "n", "n\r\n\r\ngate # ");
	terminal_expect(&t, "execute log delete-all\r", asked);
	terminal_expect(&t, "\r", "n\r\n\r\ngate # ");
	terminal_expect(&t, "execute log delete-all\r", asked);
	terminal_expect(&t, "\3", "\r\n\r\ngate # ");
	terminal_expect(&t, "execute log delete-all\r", asked);
	terminal_expect(&t, "y", "y\r\nexecute log delete-all\r\n\r\ngate # ");
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

/* A thousand characters come back as they were typed: no blank, newline or escape among them. */
START_TEST(long_lines_are_echoed_as_they_are) {
	AUTO_STR struct str keys = STR_INIT;
	AUTO_STR struct str want = STR_INIT;
	struct terminal t;

	str_add(&keys, "delete \"");
	while (keys.len < 1000)
		str_addf(&keys, "name%zu ", keys.len);
	str_add(&want, str_text(&keys));
	open_case(&t, _i);
	terminal_expect(&t, str_text(&keys), str_text(&want));
	terminal_expect(&t, "\"\r", "\"\r\nUnknown action 0\r\n\r\ngate # ");
	/* all at once, return and next command included */
	str_add(&keys, "\"\rdelte\r");
	str_add(&want,
		"\"\r\nUnknown action 0\r\n\r\ngate # delte\r\nUnknown action 0\r\n\r\ngate # ");
	terminal_expect(&t, str_text(&keys), str_text(&want));
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

/* A line without end is swallowed beyond the bound, and refused. */
START_TEST(endless_lines_are_refused) {
	AUTO_STR struct str want = STR_INIT;
	struct pollfd p = { .events = POLLIN | POLLOUT };
	size_t left = EDIT_KEYS_MAX + 100000;
	struct terminal t;
	char buffer[4096];

	terminal_open(&t, "vt100", 80);
	memset(buffer, 'x', sizeof(buffer));
	p.fd = t.fd;
	while (left > 0) {
		ck_assert_int_eq(poll(&p, 1, ANSWER_MS), 1);
		if (p.revents & POLLIN) {
			char echo[4096];

			ck_assert_int_gt(read(t.fd, echo, sizeof(echo)), 0);
		} else {
			ssize_t n = write(t.fd, buffer, left < 256 ? left : 256);

			ck_assert_int_gt(n, 0);
			left -= (size_t)n;
		}
	}
	terminal_type(&t, "\r");
	str_addf(
		&want,
		"\r\nthe line is too long: at most %u bytes\r\nCommand fail. Return code -72\r\n\r\n"
		"gate # ",
		EDIT_KEYS_MAX);
	terminal_wait(&t, str_text(&want));
	str_clear(&t.got);
	terminal_expect(&t, "delte\r", "delte\r\nUnknown action 0\r\n\r\ngate # ");
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

/* What is pasted while a command runs is not echoed before its turn. */
START_TEST(pasted_lines_are_answered_in_turn) {
	AUTO_STR struct str keys = STR_INIT;
	AUTO_STR struct str want = STR_INIT;
	struct terminal t;

	open_case(&t, _i);
	str_add(&keys, "config firewall address\n");
	str_add(&want, "config firewall address\r\n\r\ngate (address) # ");
	for (int i = 0; i < 50; i++) {
		str_addf(&keys, "    edit \"h%d\"\n    next\n", i);
		str_addf(&want,
			 "    edit \"h%d\"\r\nnew entry 'h%d' added\r\n\r\ngate (h%d) # "
			 "    next\r\n\r\ngate (address) # ",
			 i, i, i);
	}
	str_add(&keys, "end\n");
	str_add(&want, "end\r\n\r\ngate # ");
	terminal_expect(&t, str_text(&keys), str_text(&want));
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

START_TEST(help_acts_at_once) {
	struct terminal t;

	open_case(&t, _i);
	terminal_expect(
		&t, "e?",
		"e\r\nexecute    Run a command once.\r\nexit       End the session.\r\n\r\n"
		"gate # e");
	terminal_expect(&t, "xit?", "xit\r\nexit    End the session.\r\n\r\ngate # exit");
	ck_assert_int_eq(terminal_end(&t, "\r"), 42);
}
END_TEST

START_TEST(a_quoted_question_mark_is_a_character) {
	struct terminal t;

	open_case(&t, _i);
	terminal_expect(&t, "delte a\x16?b\r", "delte a?b\r\nUnknown action 0\r\n\r\ngate # ");
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

/* Only what is done can be asked for: the bytes of a redraw differ between terminals. */
START_TEST(words_are_completed) {
	struct terminal t;

	open_case(&t, _i);
	terminal_type(&t, "conf\tfirewall addres\t\r");
	terminal_wait(&t, "\r\n\r\ngate (address) # ");
	terminal_type(&t, "edit \t\t\r");
	terminal_wait(&t, "\r\n\r\ngate (web) # ");
	terminal_type(&t, "ab?\r");
	terminal_wait(&t, "\r\n\r\ngate # ");
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

START_TEST(interrupt_leaves) {
	struct terminal t;

	open_case(&t, _i);
	terminal_expect(&t, "delte\x03", "delte\r\ngate # ");
	terminal_expect(&t, "config system ha\r", "config system ha\r\n\r\ngate (ha) # ");
	terminal_expect(&t, "set group-name x\r", "set group-name x\r\n\r\ngate (ha) # ");
	terminal_expect(&t, "set group-name \"a\r", "set group-name \"a\r\n> ");
	terminal_expect(&t, "\x03", "\r\ngate (ha) # ");
	terminal_expect(&t, "\x04", "\a");
	terminal_expect(&t, "\x03", "\r\ngate # ");
	terminal_expect(&t, "show system ha\r",
			"show system ha\r\nconfig system ha\r\n    set override disable\r\n"
			"end\r\n\r\ngate # ");
	ck_assert_int_eq(terminal_end(&t, "\x03"), 42);
}
END_TEST

/* Marks in a name turn nothing round: not in output, not in the prompt. */
START_TEST(marks_are_seen) {
	struct terminal t;

	terminal_open(&t, "vt100", 80);
	terminal_expect(&t, "config firewall address\r",
			"config firewall address\r\n\r\ngate (address) # ");
	terminal_type(&t, "edit \"a\xe2\x80\xae" "b\"\r");
	terminal_wait(&t, "\r\nnew entry 'a<U+202E>b' added\r\n\r\ngate (a<U+202E>b) # ");
	str_clear(&t.got);
	terminal_expect(&t, "next\r", "next\r\n\r\ngate (address) # ");
	terminal_type(&t, "show\r");
	terminal_wait(&t, "end\r\n\r\ngate (address) # ");
	ck_assert_ptr_nonnull(strstr(str_text(&t.got), "    edit \"a<U+202E>b\"\r\n"));
	ck_assert_ptr_null(strstr(str_text(&t.got), "\xe2\x80\xae"));
	terminal_type(&t, "edit a?");
	terminal_wait(&t, "\r\na<U+202E>b\r\n\r\ngate (address) # edit a");
	ck_assert_int_eq(terminal_end(&t, "\x03\x03\x03"), 42);
}
END_TEST

/*
 * What is watched ends at a key, which is the first of the next line; every command ends at Ctrl-C.
 * Each has a last word.
 */
START_TEST(watching_ends_at_a_key) {
	struct terminal t;

	open_case(&t, _i);
	terminal_type(&t, "diag debug enable\r");
	terminal_wait(&t, "diagnose debug enable\r\n");
	str_clear(&t.got);
	terminal_expect(&t, "delte\r",
			"\r\nenough\r\n\r\ngate # delte\r\nUnknown action 0\r\n\r\ngate # ");
	terminal_type(&t, "diag debug flow trace start 7\r");
	terminal_wait(&t, "diagnose debug flow trace start 7\r\n");
	str_clear(&t.got);
	terminal_expect(&t, "\x03", "\r\nenough\r\n\r\ngate # ");
	terminal_type(&t, "diag sys vd list\r");
	terminal_wait(&t, "diagnose sys vd list\r\n");
	str_clear(&t.got);
	terminal_expect(&t, "\x03", "\r\nenough\r\n\r\ngate # ");
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

START_TEST(end_of_input_ends_the_session) {
	struct terminal t;

	terminal_open(&t, "vt100", 80);
	ck_assert_int_eq(terminal_end(&t, "\x04"), 43);
}
END_TEST

START_TEST(the_terminal_is_given_back) {
	const tcflag_t wanted = ECHO | ICANON | ISIG;
	struct termios now;
	struct terminal t;
	int fd;

	terminal_open(&t, "vt100", 80);
	ck_assert_int_eq(tcgetattr(t.fd, &now), 0);
	ck_assert_uint_eq(now.c_lflag & wanted, 0);
	fd = dup(t.fd);
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
	ck_assert_int_eq(tcgetattr(fd, &now), 0);
	ck_assert_uint_eq(now.c_lflag & wanted, wanted);
	close(fd);
}
END_TEST

/* ---- the pager ---- */

#define MORE "--More-- "
#define WIPE "\r         \r"
#define PROMPT "\r\ngate # "
#define CONSOLE "get system console\r"
#define MODE "mode                : line \r\n"
#define BAUD "baudrate            : 9600 \r\n"
#define OUTPUT "output              : more \r\n"
#define LOGIN "login               : enable \r\n"

START_TEST(pages_of_two_rows) {
	struct terminal t;

	terminal_open_screen(&t, terms[_i], 3, 80);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE BAUD MORE);
	terminal_expect(&t, " ", WIPE OUTPUT LOGIN PROMPT);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE BAUD MORE);
	terminal_expect(&t, "\r", WIPE OUTPUT MORE);
	terminal_expect(&t, "\n", WIPE LOGIN PROMPT);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE BAUD MORE);
	terminal_expect(&t, "\r", WIPE OUTPUT MORE);
	terminal_expect(&t, "q", WIPE PROMPT);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE BAUD MORE);
	terminal_expect(&t, "xj\x1b\x04Q", WIPE PROMPT);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE BAUD MORE);
	terminal_expect(&t, "\x03", WIPE PROMPT);
	/* the next command has pages of its own */
	terminal_expect(&t, "delte\r", "delte\r\nUnknown action 0\r\n" PROMPT);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE BAUD MORE);
	terminal_expect(&t, "q", WIPE PROMPT);
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

/* Four rows fit on a screen of five: nothing is asked at the end. */
START_TEST(what_fits_asks_nothing) {
	struct terminal t;

	terminal_open_screen(&t, "vt100", 5, 80);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE BAUD OUTPUT LOGIN PROMPT);
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

START_TEST(wide_lines_take_several_rows) {
	struct terminal t;

	terminal_open_screen(&t, "vt100", 4, 26);
	/* 27 characters are two rows, 26 are one, of which the next one asks */
	terminal_type(&t, CONSOLE);
	terminal_wait(&t, "\r\n" MODE "baudrate            : 9600" MORE);
	str_clear(&t.got);
	terminal_expect(&t, " ", WIPE " \r\n" OUTPUT MORE);
	terminal_expect(&t, " ", WIPE LOGIN PROMPT);
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

/* Keys that were typed before they were asked for, with what comes after them. */
START_TEST(keys_may_come_early) {
	struct terminal t;

	terminal_open_screen(&t, "vt100", 2, 80);
	terminal_expect(&t, CONSOLE "  q" CONSOLE "q",
			CONSOLE "\n" MODE MORE WIPE BAUD MORE WIPE OUTPUT MORE WIPE PROMPT
			CONSOLE "\n" MODE MORE WIPE PROMPT);
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

START_TEST(the_screen_changes_between_pages) {
	struct terminal t;

	terminal_open_screen(&t, "vt100", 2, 80);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE MORE);
	terminal_resize(&t, 3, 80);
	terminal_expect(&t, " ", WIPE BAUD OUTPUT MORE);
	terminal_expect(&t, " ", WIPE LOGIN PROMPT);
	terminal_resize(&t, 2, 80);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE MORE);
	terminal_resize(&t, 0, 0);
	terminal_expect(&t, " ", WIPE BAUD OUTPUT LOGIN PROMPT);
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

START_TEST(no_screen_no_pages) {
	static const unsigned short sizes[][2] = { { 0, 80 }, { 2, 0 }, { 2, 8 } };
	struct terminal t;

	terminal_open_screen(&t, "vt100", sizes[_i][0], sizes[_i][1]);
	terminal_type(&t, CONSOLE);
	terminal_wait(&t, "\r\n" MODE BAUD OUTPUT LOGIN PROMPT);
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

START_TEST(a_session_without_pages) {
	const char *standard = "output              : standard \r\n";
	AUTO_STR struct str want = STR_INIT;
	struct terminal t;

	terminal_open_screen(&t, "vt100", 3, 80);
	terminal_expect(&t, "config system console\r",
			"config system console\r\n\r\ngate (console) # ");
	terminal_expect(&t, "set output standard\r",
			"set output standard\r\n\r\ngate (console) # ");
	terminal_expect(&t, "end\r", "end\r\n" PROMPT);
	str_addf(&want, CONSOLE "\n" MODE BAUD "%s" LOGIN PROMPT, standard);
	terminal_expect(&t, CONSOLE, str_text(&want));
	terminal_type(&t, "config system console\rset output more\rend\r" CONSOLE);
	terminal_wait(&t, CONSOLE "\n" MODE BAUD MORE);
	ck_assert_int_eq(terminal_end(&t, "qexit\r"), 42);
}
END_TEST

START_TEST(help_has_pages) {
	struct terminal t;

	terminal_open_screen(&t, "vt100", 3, 80);
	terminal_expect(&t, "e?",
			"e\r\nexecute    Run a command once.\r\nexit       End the session.\r\n\r\n"
			"gate # e");
	terminal_resize(&t, 2, 80);
	terminal_expect(&t, "?", "\r\nexecute    Run a command once.\r\n" MORE);
	terminal_expect(&t, " ", WIPE "exit       End the session.\r\n\r\ngate # e");
	terminal_expect(&t, "?", "\r\nexecute    Run a command once.\r\n" MORE);
	terminal_expect(&t, "q", WIPE "\r\ngate # e");
	terminal_expect(&t, "?", "\r\nexecute    Run a command once.\r\n" MORE);
	terminal_expect(&t, "\x03", WIPE "\r\ngate # e");
	ck_assert_int_eq(terminal_end(&t, "xit\r"), 42);
}
END_TEST

/* What is followed as it comes never waits, nor does a question. */
START_TEST(watching_has_no_pages) {
	struct terminal t;

	terminal_open_screen(&t, "vt100", 2, 20);
	terminal_type(&t, "diag sniffer packet any none 1 1 a\r");
	terminal_wait(&t, "diagnose sniffer packet any none 1 1 a\r\n");
	str_clear(&t.got);
	terminal_expect(&t, "\x03", "\r\nenough\r\n" PROMPT);
	terminal_type(&t, "diag debug flow trace start 7\r");
	terminal_wait(&t, "diagnose debug flow trace start 7\r\n");
	str_clear(&t.got);
	terminal_expect(&t, "\x03", "\r\nenough\r\n" PROMPT);
	terminal_type(&t, "execute log delete-all\r");
	terminal_wait(&t, "\r\nThis will delete all log lines!\r\n"
			  "Do you want to continue? (y/n)");
	str_clear(&t.got);
	terminal_expect(&t, "n", "n\r\n" PROMPT);
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

/* No more is asked of the daemon, which would never come to an end here. */
START_TEST(an_answer_ends_the_stream) {
	static const char *const keys[] = { "q", "Q", "\x03" };
	struct terminal t;

	terminal_open_screen(&t, "vt100", 3, 20);
	terminal_type(&t, "diagnose sys session exact 6 10.0.0.1 1 10.0.0.2 2\r");
	terminal_wait(&t, "\r\ndiagnose sys session exact 6 10.0.0.1 1 " MORE);
	str_clear(&t.got);
	terminal_expect(&t, keys[_i], WIPE "\r\nenough\r\n" PROMPT);
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

/* Characters that a terminal must not get are counted as they are printed. */
START_TEST(marks_are_counted_as_seen) {
	const char *rest = WIPE " added\r\n\r\n";
	struct terminal t;

	terminal_open_screen(&t, "vt100", 2, 40);
	terminal_type(&t, "config firewall address\redit \"0123456789\xe2\x80\xae"
			  "abcdefghij\"\r");
	terminal_wait(&t, "\r\nnew entry '0123456789<U+202E>abcdefghij'" MORE);
	str_clear(&t.got);
	terminal_type(&t, " ");
	terminal_wait(&t, "(0123456789<U+202E>abcdefghij) # ");
	ck_assert_int_eq(strncmp(str_text(&t.got), rest, strlen(rest)), 0);
	ck_assert_int_eq(terminal_end(&t, "\x03\x03"), 42);
}
END_TEST

START_TEST(the_terminal_is_given_back_after_pages) {
	const tcflag_t wanted = ECHO | ICANON | ISIG;
	struct termios now;
	struct terminal t;
	int fd;

	terminal_open_screen(&t, "vt100", 2, 80);
	terminal_expect(&t, CONSOLE, CONSOLE "\n" MODE MORE);
	fd = dup(t.fd);
	ck_assert_int_eq(tcgetattr(fd, &now), 0);
	ck_assert_uint_eq(now.c_lflag & (ECHO | ICANON), 0);
	ck_assert_int_eq(terminal_end(&t, "qexit\r"), 42);
	ck_assert_int_eq(tcgetattr(fd, &now), 0);
	ck_assert_uint_eq(now.c_lflag & wanted, wanted);
	close(fd);
}
END_TEST

START_TEST(history_comes_back) {
	struct terminal t;

	terminal_open(&t, "vt100", 80);
	terminal_expect(&t, "delte\r", "delte\r\nUnknown action 0\r\n\r\ngate # ");
	terminal_type(&t, "\x10\r");
	terminal_wait(&t, "\r\nUnknown action 0\r\n\r\ngate # ");
	ck_assert_int_eq(terminal_end(&t, "exit\r"), 42);
}
END_TEST

int main(void) {
	int matrix = (int)(ARRAY_LEN(terms) * ARRAY_LEN(widths));
	Suite *suite = suite_create("session");
	TCase *t = tcase_create("session");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, commands_and_answers, 0, matrix);
	tcase_add_loop_test(t, questions, 0, matrix);
	tcase_add_loop_test(t, long_lines_are_echoed_as_they_are, 0, matrix);
	tcase_add_loop_test(t, pasted_lines_are_answered_in_turn, 0, matrix);
	tcase_add_loop_test(t, help_acts_at_once, 0, matrix);
	tcase_add_loop_test(t, a_quoted_question_mark_is_a_character, 0, matrix);
	tcase_add_loop_test(t, words_are_completed, 0, matrix);
	tcase_add_loop_test(t, interrupt_leaves, 0, matrix);
	tcase_add_loop_test(t, watching_ends_at_a_key, 0, matrix);
	tcase_add_test(t, endless_lines_are_refused);
	tcase_add_test(t, marks_are_seen);
	tcase_add_test(t, end_of_input_ends_the_session);
	tcase_add_test(t, the_terminal_is_given_back);
	tcase_add_test(t, history_comes_back);
	tcase_add_loop_test(t, pages_of_two_rows, 0, (int)ARRAY_LEN(terms));
	tcase_add_test(t, what_fits_asks_nothing);
	tcase_add_test(t, wide_lines_take_several_rows);
	tcase_add_test(t, keys_may_come_early);
	tcase_add_test(t, the_screen_changes_between_pages);
	tcase_add_loop_test(t, no_screen_no_pages, 0, 3);
	tcase_add_test(t, a_session_without_pages);
	tcase_add_test(t, help_has_pages);
	tcase_add_test(t, watching_has_no_pages);
	tcase_add_loop_test(t, an_answer_ends_the_stream, 0, 3);
	tcase_add_test(t, marks_are_counted_as_seen);
	tcase_add_test(t, the_terminal_is_given_back_after_pages);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
