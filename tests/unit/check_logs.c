/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log as the configuration wants it and as `execute log ...` shows it: where lines go, what is
 * told when they go nowhere, pages and filters, commands that are refused.
 */
#include "cfgdb/logs/logs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/cmd_log.h"
#include "tests/lib/fixture.h"

#define WORDS_MAX 8

static char *dir, *log_dir, *local;
static struct engine *engine;
static struct logs *logs;
static struct memories *memories;

static void attach(void) {
	struct backend b;

	logs = logs_open(log_dir, local, engine);
	b = logs_backend(logs);
	engine_add_backend(engine, &b);
	ck_assert_int_eq(b.start(b.ctx, &(struct commit){ .model = engine->model }, NULL), 0);
}

static void setup(void) {
	dir = fixture_dir();
	log_dir = xasprintf("%s/log", dir);
	local = xasprintf("%s/syslog", dir);
	engine = fixture_engine(dir);
	attach();
}

static void teardown(void) {
	memories_done(&memories);
	logs_close(logs);
	engine_close(engine);
	free(local);
	free(log_dir);
	free(dir);
}

static void add(enum logstore_category c, const char *fields) {
	struct str line AUTO_STR = STR_INIT;

	str_addf(&line, "date=2026-11-22 time=10:00:00 %s", fields);
	logs_add(logs, c, LOGTEXT_NOTICE, &line);
}

static void add_traffic(unsigned int from, unsigned int to) {
	for (unsigned int i = from; i < to; i++) {
		AUTO_FREE char *fields = xasprintf("n=%u action=\"%s\"", i, i % 2 ? "deny" : "close");

		add(LOGSTORE_TRAFFIC, fields);
	}
}

/* ---- commands ---- */

static const struct command *find(char **words, size_t n, size_t *n_own) {
	size_t n_commands;
	const struct command *table = commands_log(&n_commands), *best = NULL;
	AUTO_STR struct str said = STR_INIT;

	for (size_t i = 0; i < n; i++) {
		str_addf(&said, "%s%s", i ? " " : "", words[i]);
		for (size_t j = 0; j < n_commands; j++)
			if (strcmp(table[j].words, str_text(&said)) == 0) {
				best = &table[j];
				*n_own = i + 1;
			}
	}
	ck_assert_ptr_nonnull(best);
	return best;
}

static int drain(struct stream *s, struct str *out, struct err *err) {
	enum stream_state state = STREAM_MORE;

	for (unsigned int i = 0; state == STREAM_MORE; i++) {
		size_t before = out->len;

		state = s->next(s->ctx, out, err);
		ck_assert_uint_le(out->len - before, 300 << 10);
		ck_assert_uint_lt(i, 10000);
	}
	s->close(s->ctx);
	ck_assert_int_eq(state, STREAM_END);
	return 0;
}

/* Run "execute log WHAT" on our connection; its code. */
static int run(const char *what, struct str *out) {
	AUTO_FREE char *copy = xasprintf("execute log %s", what);
	char *words[WORDS_MAX], *rest = copy;
	size_t n = 0, n_own = 0;
	struct command_call call = { .model = engine->model, .user = "root", .memories = &memories };
	const struct command *c;
	struct stream s = { .fd = -1 };
	struct err err = { 0 };
	int rc;

	while (rest && n < WORDS_MAX)
		words[n++] = strsep(&rest, " ");
	c = find(words, n, &n_own);
	call.argc = n - n_own;
	call.argv = words + n_own;
	if (!c->open)
		return c->run(logs, &call, out, &err);
	rc = c->open(logs, &call, &s, &err);
	return rc ? rc : drain(&s, out, &err);
}

static void says(const char *what, const char *wanted) {
	struct str out AUTO_STR = STR_INIT;

	ck_assert_msg(run(what, &out) == 0, "%s", what);
	ck_assert_msg(strcmp(str_text(&out), wanted) == 0, "%s says:\n%s", what, str_text(&out));
}

#define LINE(i, n, action) \
	i ": date=2026-11-22 time=10:00:00 n=" n " action=\"" action "\"\n\n"

START_TEST(test_display) {
	says("display", "0 logs found.\n0 logs returned.\n");
	add_traffic(0, 3);
	says("display", "3 logs found.\n3 logs returned.\n\n" LINE("1", "2", "close")
				LINE("2", "1", "deny") LINE("3", "0", "close"));
	add(LOGSTORE_EVENT, "e=1");
	says("filter category event", "");
	says("display", "1 logs found.\n1 logs returned.\n\n"
			"1: date=2026-11-22 time=10:00:00 e=1\n\n");
}
END_TEST

START_TEST(test_pages) {
	struct str out AUTO_STR = STR_INIT;

	add_traffic(0, 25);
	ck_assert_int_eq(run("display", &out), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "25 logs found.\n10 logs returned.\n\n1: "));
	ck_assert_ptr_nonnull(strstr(str_text(&out), "\n10: "));
	ck_assert_ptr_null(strstr(str_text(&out), "\n11: "));
	says("filter start-line 24", "");
	says("display", "25 logs found.\n2 logs returned.\n\n" LINE("24", "1", "deny")
				LINE("25", "0", "close"));
	says("filter start-line 26", "");
	says("display", "25 logs found.\n0 logs returned.\n");
}
END_TEST

START_TEST(test_filter) {
	add_traffic(0, 4);
	says("filter field action deny", "");
	says("filter view-lines 5", "");
	says("display", "2 logs found.\n2 logs returned.\n\n" LINE("1", "3", "deny")
				LINE("2", "1", "deny"));
	says("filter field n 0-1", "");
	says("display", "1 logs found.\n1 logs returned.\n\n" LINE("1", "1", "deny"));
	says("filter dump", "category: traffic\ndevice: disk\nstart-line: 1\nview-lines: 5\n"
			    "max-checklines: 0\nFilter: ( action \"deny\" ) AND ( n \"0-1\" )\n");
	says("filter reset field", "");
	says("filter dump", "category: traffic\ndevice: disk\nstart-line: 1\nview-lines: 5\n"
			    "max-checklines: 0\nFilter:\n");
	says("filter reset", "");
	says("filter dump", "category: traffic\ndevice: disk\nstart-line: 1\nview-lines: 10\n"
			    "max-checklines: 0\nFilter:\n");
}
END_TEST

/* A bound on what is looked at: what was found then is not all. */
START_TEST(test_checklines) {
	struct str out AUTO_STR = STR_INIT;

	add_traffic(0, 400);
	says("filter max-checklines 100", "");
	ck_assert_int_eq(run("display", &out), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "100 logs found.\n10 logs returned.\n25."));
	ck_assert_ptr_nonnull(strstr(str_text(&out), "% of logs has been searched.\n\n1: "));
}
END_TEST

/* A page of many pieces, out of more lines than are looked at in one. */
START_TEST(test_long) {
	struct str out AUTO_STR = STR_INIT;
	AUTO_FREE char *fields = xcalloc(1, 1001);

	memset(fields, 'x', 1000);
	fields[1] = '=';
	for (int i = 0; i < 2000; i++)
		add(LOGSTORE_TRAFFIC, fields);
	says("filter view-lines 1000", "");
	ck_assert_int_eq(run("display", &out), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "2000 logs found.\n1000 logs returned.\n\n"));
	ck_assert_uint_gt(out.len, 1000 * 1000);
	ck_assert_str_eq(str_text(&out) + out.len - 5, "xxx\n\n");
}
END_TEST

/* A display that nobody wants to the end, and one whose lines are removed meanwhile. */
START_TEST(test_left) {
	struct command_call call = { .model = engine->model, .memories = &memories };
	char *words[] = { (char *)"execute", (char *)"log", (char *)"display" };
	struct str out AUTO_STR = STR_INIT;
	struct stream s;
	size_t n;

	add_traffic(0, 20000);
	ck_assert_int_eq(find(words, 3, &n)->open(logs, &call, &s, NULL), 0);
	ck_assert_int_eq(s.next(s.ctx, &out, NULL), STREAM_MORE);
	s.close(s.ctx);
	ck_assert_int_eq(find(words, 3, &n)->open(logs, &call, &s, NULL), 0);
	ck_assert_int_eq(s.next(s.ctx, &out, NULL), STREAM_MORE);
	says("delete", "");
	drain(&s, &out, NULL);
	says("display", "0 logs found.\n0 logs returned.\n");
}
END_TEST

START_TEST(test_delete) {
	add_traffic(0, 2);
	add(LOGSTORE_EVENT, "e=1");
	says("delete", "");
	says("display", "0 logs found.\n0 logs returned.\n");
	says("filter category event", "");
	says("display", "1 logs found.\n1 logs returned.\n\n"
			"1: date=2026-11-22 time=10:00:00 e=1\n\n");
	add_traffic(0, 2);
	says("delete-all", "");
	says("display", "0 logs found.\n0 logs returned.\n");
	says("filter category traffic", "");
	says("display", "0 logs found.\n0 logs returned.\n");
}
END_TEST

START_TEST(test_lists) {
	says("filter category", "Available categories:\n 0: traffic\n 1: event\n");
	says("filter device", "Available devices:\n 1: disk\n");
	says("filter device disk", "");
	says("filter device 1", "");
}
END_TEST

static const struct {
	const char *what;
	int code;
} refused[] = {
	{ "filter category dns", ERR_PARSE },
	{ "filter category event x", ERR_PARSE },
	{ "filter device memory", ERR_PARSE },
	{ "filter device disk x", ERR_PARSE },
	{ "filter dump x", ERR_PARSE },
	{ "filter field", ERR_INCOMPLETE },
	{ "filter field srcip", ERR_INCOMPLETE },
	{ "filter start-line", ERR_INCOMPLETE },
	{ "filter start-line 0", ERR_PARSE },
	{ "filter start-line 1 2", ERR_PARSE },
	{ "filter view-lines 4", ERR_PARSE },
	{ "filter max-checklines 7", ERR_PARSE },
	{ "filter reset some", ERR_PARSE },
	{ "filter reset field x", ERR_PARSE },
	{ "display x", ERR_PARSE },
	{ "delete x", ERR_PARSE },
	{ "delete-all x", ERR_PARSE },
};

START_TEST(test_refused) {
	struct str out AUTO_STR = STR_INIT;

	add_traffic(0, 1);
	ck_assert_msg(run(refused[_i].what, &out) == refused[_i].code, "%s", refused[_i].what);
	ck_assert_str_eq(str_text(&out), "");
	says("display", "1 logs found.\n1 logs returned.\n\n" LINE("1", "0", "close"));
}
END_TEST

/* ---- settings ---- */

START_TEST(test_disk_off) {
	fixture_set(engine, "log.disk.setting", "", "set status disable\n");
	add_traffic(0, 2);
	says("display", "0 logs found.\n0 logs returned.\n");
	fixture_set(engine, "log.disk.setting", "", "unset status\n");
	add_traffic(2, 3);
	says("display", "1 logs found.\n1 logs returned.\n\n" LINE("1", "2", "close"));
}
END_TEST

/* The size of files is that of the configuration. */
START_TEST(test_size) {
	AUTO_FREE char *first = xasprintf("%s/traffic.1.log", log_dir);
	AUTO_FREE char *second = xasprintf("%s/traffic.2.log", log_dir);
	struct stat st;

	fixture_set(engine, "log.disk.setting", "", "set max-log-file-size 1\n");
	add_traffic(0, 30000);
	logs_flush(logs);
	ck_assert_int_eq(stat(first, &st), 0);
	ck_assert_int_le(st.st_size, 1 << 20);
	ck_assert_int_gt(st.st_size, 900 << 10);
	ck_assert_int_eq(stat(second, &st), 0);
}
END_TEST

/* The socket of a syslog daemon, and what it gets; the caller frees it. */
static int syslog_socket(void) {
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	strcpy(un.sun_path, local);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

static bool gets(int fd, const char *priority) {
	char text[4096] = "";

	if (recv(fd, text, sizeof(text) - 1, 0) <= 0)
		return false;
	ck_assert_msg(strncmp(text, priority, strlen(priority)) == 0, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, " gatehoused: date=2026-11-22 "));
	return true;
}

START_TEST(test_syslog) {
	int fd = syslog_socket();

	add_traffic(0, 1);
	ck_assert(!gets(fd, "")); /* off by default */
	fixture_set(engine, "log.syslogd.setting", "", "set status enable\n");
	add_traffic(0, 1);
	ck_assert(gets(fd, "<189>")); /* local7, notice */
	fixture_set(engine, "log.syslogd.setting", "", "set status enable\nset facility daemon\n");
	add_traffic(0, 1);
	ck_assert(gets(fd, "<29>"));
	fixture_set(engine, "log.syslogd.setting", "", "set status disable\n");
	add_traffic(0, 1);
	ck_assert(!gets(fd, ""));
	close(fd);
}
END_TEST

static const struct {
	const char *setting;
	bool warned;
} servers[] = {
	{ "set status enable\nset server \"log.example.com\"\n", true },
	{ "set server \"log.example.com\"\n", false },
	{ "set status enable\nset server \"192.0.2.1\"\n", false },
	{ "set status enable\n", false },
};

static void keep_warning(void *arg, const char *text) {
	str_add(arg, text);
}

/* That nothing will be sent is said when the server is set. */
START_TEST(test_servers) {
	struct str said AUTO_STR = STR_INIT;
	struct txn *t = txn_new(engine, "root", "test");
	struct err err = { 0 };

	ck_assert_int_eq(fixture_put(t, "log.syslogd.setting", "", 0, servers[_i].setting, &err), 0);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	warn_drain(txn_warnings(t), keep_warning, &said);
	ck_assert_msg((strstr(str_text(&said), "log.example.com") != NULL) == servers[_i].warned,
		      "%s", str_text(&said));
	txn_free(t);
}
END_TEST

/* What could not be sent is told in the log that could be written. */
START_TEST(test_unsent) {
	struct str out AUTO_STR = STR_INIT;
	struct err err = { 0 };

	fixture_set(engine, "log.syslogd.setting", "", "set status enable\n");
	add_traffic(0, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(logs_report(logs, &err), 0);
	says("filter category event", "");
	ck_assert_int_eq(run("display", &out), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "1 logs found."));
	ck_assert_msg(strstr(str_text(&out), " logid=\"0100022019\" type=\"event\" subtype=\"system\" "
					     "level=\"notice\" vd=\"root\" "
					     "logdesc=\"Log rate limit exceeded\" "
					     "msg=\"3 lines could not be sent to syslog\""),
		      "%s", str_text(&out));
}
END_TEST

/* What could not be written is told where it can be, and again only when there is more. */
START_TEST(test_unwritten) {
	struct err err = { 0 };
	int fd = syslog_socket();
	char text[4096] = "";

	ck_assert_int_eq(symlink("/nonexistent", log_dir), 0);
	add_traffic(0, 5);
	logs_flush(logs);
	fixture_set(engine, "log.syslogd.setting", "", "set status enable\n");
	ck_assert_int_eq(logs_report(logs, &err), ERR_STORE);
	ck_assert_str_eq(err.text, "5 lines could not be written to the disk");
	ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(text, " logid=\"0100032010\" "));
	ck_assert_ptr_nonnull(strstr(text, " msg=\"5 lines could not be written to the disk\""));
	ck_assert_int_eq(logs_report(logs, &err), 0); /* the line that told it does not count */
	close(fd);
}
END_TEST

static Suite *logs_suite(void) {
	Suite *s = suite_create("logs");
	TCase *t = fixture_case(s, "logs");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_display);
	tcase_add_test(t, test_pages);
	tcase_add_test(t, test_filter);
	tcase_add_test(t, test_checklines);
	tcase_add_test(t, test_long);
	tcase_add_test(t, test_left);
	tcase_add_test(t, test_delete);
	tcase_add_test(t, test_lists);
	tcase_add_loop_test(t, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_test(t, test_disk_off);
	tcase_add_test(t, test_size);
	tcase_add_test(t, test_syslog);
	tcase_add_loop_test(t, test_servers, 0, ARRAY_LEN(servers));
	tcase_add_test(t, test_unsent);
	tcase_add_test(t, test_unwritten);
	return s;
}

int main(void) {
	return fixture_run(logs_suite());
}
