/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transcripts of several administrators with roles at one unit: the shell and the daemon's side of
 * its connection are the real ones, with one socket for each administrator between them, which
 * says who he is.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/cmd_revision.h"
#include "cfgdb/control/cmd_transaction.h"
#include "cfgdb/control/commands.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/requests.h"
#include "cfgdb/pending.h"
#include "cli/lines.h"
#include "cli/shell.h"
#include "tests/lib/fixture.h"

#define FAIL(code) "Command fail. Return code " #code "\n"
#define NO(what) "The current admin user does not have " what ".\n"
#define UUID(n) "set uuid 00000000-0000-4000-8000-00000000000" #n "\n"
#define VERBS \
	"set cli-get enable\nset cli-show enable\nset cli-config enable\nset cli-exec enable\n"

/* Who connects, each by a socket with his name. */
static const struct {
	const char *name, *role;
} admins[] = {
	{ "boss", "super_admin" },
	{ "ops", "fw" },
	{ "guest", "reader" },
	{ "prof", "prof_admin" },
};

static char *dir;
static pid_t unit_pid;

/* ---- the unit, in a process of its own ---- */

struct place {
	int listener, fd;        /* -1: nobody is connected */
	struct caller caller;
};

static void hear_pending(void *arg, bool failed, const char *text) {
	(void)arg;
	(void)failed;
	(void)text;
}

static bool transfer(int fd, uint8_t *data, size_t len, bool out) {
	while (len > 0) {
		ssize_t n = out ? write(fd, data, len) : read(fd, data, len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static void send_frame(void *arg, const struct buf *frame) {
	const struct place *p = arg;
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u32(&b, (uint32_t)frame->len);
	buf_put_bytes(&b, frame->data, frame->len);
	transfer(p->fd, b.data, b.len, true);
}

static void hang_up(struct place *p) {
	caller_done(&p->caller);
	close(p->fd);
	p->fd = -1;
}

static void answer(struct place *p) {
	uint8_t head[4], *frame;
	struct buf_reader r;
	uint32_t len;
	bool good;

	if (!transfer(p->fd, head, sizeof(head), false)) {
		hang_up(p);
		return;
	}
	buf_reader_init(&r, head, sizeof(head));
	len = buf_get_u32(&r);
	frame = xcalloc(len, 1);
	good = transfer(p->fd, frame, len, false) && caller_request(&p->caller, frame, len);
	while (good && caller_is_streaming(&p->caller))
		caller_stream(&p->caller);
	free(frame);
	if (!good)
		hang_up(p);
}

static void admit(struct place *p, struct engine *e, const struct server_config *config,
		  const char *name) {
	p->fd = accept(p->listener, NULL, NULL);
	caller_init(&p->caller, e, config, name, false);
	caller_take_role(&p->caller);
	p->caller.send = send_frame;
	p->caller.send_arg = p;
}

static int listen_at(const char *name) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

	ck_assert_uint_lt(strlen(path), sizeof(addr.sun_path));
	strcpy(addr.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, 4) != 0)
		_exit(1);
	return fd;
}

static void serve_all(struct place *places, struct engine *e, const struct server_config *config) {
	struct pollfd p[2 * ARRAY_LEN(admins)];

	for (;;) {
		for (size_t i = 0; i < ARRAY_LEN(admins); i++) {
			int listener = places[i].fd < 0 ? places[i].listener : -1;

			p[2 * i] = (struct pollfd){ .fd = listener, .events = POLLIN };
			p[2 * i + 1] = (struct pollfd){ .fd = places[i].fd, .events = POLLIN };
		}
		if (poll(p, ARRAY_LEN(p), -1) < 0)
			_exit(1);
		for (size_t i = 0; i < ARRAY_LEN(admins); i++) {
			if (p[2 * i].revents)
				admit(&places[i], e, config, admins[i].name);
			if (p[2 * i + 1].revents)
				answer(&places[i]);
		}
	}
}

static void configure(struct engine *e) {
	fixture_set(e, "system.global", "", "set hostname fw\n");
	fixture_set(e, "firewall.address", "web", UUID(1));
	fixture_set(e, "firewall.policy", "7",
		    "set srcintf any\nset dstintf any\nset srcaddr all\nset dstaddr web\n"
		    "set schedule always\nset service ALL\n" UUID(2));
	fixture_set(e, "system.accprofile", "fw",
		    "set fwgrp custom\nconfig fwgrp-permission\nset address read-write\n"
		    "set policy read\nend\n" VERBS);
	fixture_set(e, "system.accprofile", "reader",
		    "set fwgrp custom\nconfig fwgrp-permission\nset policy read\nend\n"
		    "set cli-show enable\n");
	for (size_t i = 0; i < ARRAY_LEN(admins); i++) {
		AUTO_FREE char *body = xasprintf("set accprofile %s\n", admins[i].role);

		fixture_set(e, "system.admin", admins[i].name, body);
	}
}

static void serve(int ready) {
	static struct command commands[64];
	static struct place places[ARRAY_LEN(admins)];
	struct cmd_revision revision = { fixture_engine(dir), NULL };
	struct engine *e = revision.engine;
	struct pending_config waiting = { .engine = e, .clock = moment_now, .boot_id = "x",
					  .tell = hear_pending };
	struct server_config config = { .group = "g", .version = "1", .commands = commands };
	const struct command *(*const tables[])(size_t *n) = { commands_config, commands_revision,
							       commands_transaction };
	void *const ctx[] = { e, &revision, NULL };

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test does not stop it */
	signal(SIGPIPE, SIG_IGN);
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		size_t n;
		const struct command *rows = tables[t](&n);

		for (size_t i = 0; i < n; i++) {
			commands[config.n_commands] = rows[i];
			commands[config.n_commands++].ctx = ctx[t];
		}
	}
	configure(e);
	config.workspace = workspace_new(e, moment_now, NULL);
	config.pending = pending_open(&waiting, NULL);
	for (size_t i = 0; i < ARRAY_LEN(admins); i++)
		places[i] = (struct place){ .listener = listen_at(admins[i].name), .fd = -1 };
	if (write(ready, "r", 1) != 1)
		_exit(1);
	serve_all(places, e, &config);
}

static void setup(void) {
	int ready[2];
	char byte;

	dir = fixture_dir();
	ck_assert_int_eq(pipe(ready), 0);
	unit_pid = fork();
	ck_assert_int_ge(unit_pid, 0);
	if (unit_pid == 0)
		serve(ready[1]);
	close(ready[1]);
	ck_assert_msg(read(ready[0], &byte, 1) == 1, "the unit does not start");
	close(ready[0]);
}

static void teardown(void) {
	kill(unit_pid, SIGKILL);
	ck_assert_int_eq(waitpid(unit_pid, NULL, 0), unit_pid);
	free(dir);
}

/* ---- transcripts ---- */

struct desk {
	struct client *client;
	struct out out;
	struct shell sh;
};

static void sit_down(struct desk *d, const char *name) {
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	struct err err = { 0 };

	d->client = client_open(path, &err);
	ck_assert_msg(d->client != NULL, "%s", err.text);
	out_init(&d->out, -1);
	shell_init(&d->sh, d->client, &d->out, SHELL_COMMIT_EACH);
}

static void leave(struct desk *d) {
	shell_done(&d->sh);
	str_clear(&d->out.pending);
	out_done(&d->out);
	client_close(d->client);
}

/* Each line with the prompt before it, and what it prints. */
static const char *type(struct desk *d, const char *text) {
	AUTO_STR struct str line = STR_INIT;
	struct lines lines;

	str_clear(&d->out.pending);
	lines_open_text(&lines, text);
	while (lines_next(&lines, &line, NULL) > 0) {
		shell_prompt(&d->sh, &d->out.pending);
		str_addf(&d->out.pending, "%s\n", str_text(&line));
		out_begin(&d->out);
		shell_run(&d->sh, str_text(&line));
	}
	lines_done(&lines);
	return str_text(&d->out.pending);
}

static struct desk one, other;

static void sit_two(const char *first, const char *second) {
	sit_down(&one, first);
	sit_down(&other, second);
}

static void leave_both(void) {
	leave(&one);
	leave(&other);
}

/* What it says to a restore of a file that has a configuration. */
static const char *restore(struct desk *d) {
	char file[] = "roles-XXXXXX", line[64];
	int fd = mkstemp(file);
	const char *said;

	ck_assert_int_ge(fd, 0);
	dprintf(fd, "config system global\nset hostname other\nend\n");
	close(fd);
	snprintf(line, sizeof(line), "execute restore config %s", file);
	said = type(d, line);
	unlink(file);
	return said;
}

#define SAYS(desk, text, want) ck_assert_str_eq(type(desk, text), want)

START_TEST(two_at_one_table) {
	sit_two("ops", "guest");
	SAYS(&one, "config firewall address\nedit web\nset comment by-ops\nend",
	     "fw $ config firewall address\nfw (address) $ edit web\nfw (web) $ set comment by-ops\n"
	     "fw (web) $ end\n");
	SAYS(&other, "show firewall address",
	     "fw $ show firewall address\n\ncommand parse error before 'address'\n" FAIL(-61));
	SAYS(&other, "config firewall address",
	     "fw $ config firewall address\nUnknown action 0\n");
	SAYS(&other, "show firewall policy 7 dstaddr",
	     "fw $ show firewall policy 7 dstaddr\nconfig firewall policy\n    edit 7\n"
	     "        set dstaddr \"web\"\n    next\nend\n");
	SAYS(&one, "config firewall policy\nedit 7\nset name x\nend",
	     "fw $ config firewall policy\nfw (policy) $ edit 7\nfw (7) $ set name x\nfw (7) $ end\n"
	     NO("the permission to change firewall policy") FAIL(-14));
	SAYS(&one, "config firewall policy\ndelete 7\nend",
	     "fw $ config firewall policy\nfw (policy) $ delete 7\n"
	     NO("the permission to change firewall policy") FAIL(-14) "fw (policy) $ end\n");
	leave_both();
}
END_TEST

START_TEST(what_is_no_table) {
	const char *said;

	sit_two("ops", "boss");
	SAYS(&one, "execute backup config -",
	     "fw $ execute backup config -\n" NO("the permission to backup config") FAIL(-37));
	SAYS(&one, "diagnose sys vd list", "fw $ diagnose sys vd list\nUnknown action 0\n");
	SAYS(&one, "execute revision diff 1",
	     "fw $ execute revision diff 1\n" NO("the permission to use 'execute revision diff'")
	     FAIL(-37));
	/* Before the file is read, and before any question. */
	said = restore(&one);
	ck_assert_ptr_nonnull(strstr(said, "\n" NO("the permission to restore config") FAIL(-37)));
	ck_assert_ptr_null(strstr(said, "wait"));
	SAYS(&one, "execute private-data-encryption key",
	     "fw $ execute private-data-encryption key\n"
	     NO("the permission to change the private key") FAIL(-37));
	ck_assert_ptr_nonnull(strstr(type(&one, "get system status"), "Hostname: fw\n"));
	ck_assert_ptr_nonnull(strstr(type(&other, "execute backup config -"), "edit \"boss\"\n"));
	leave_both();
}
END_TEST

/* What `show` prints is all that he may see, and nothing else. */
START_TEST(the_whole) {
	AUTO_STR struct str frames = STR_INIT;
	const char *at;

	sit_two("ops", "prof");
	at = type(&one, "show");
	ck_assert_ptr_null(strstr(at, "Command fail"));
	while ((at = strstr(at, "\nconfig ")) != NULL) {
		at++;
		str_add_bytes(&frames, at, strcspn(at, "\n") + 1);
	}
	ck_assert_str_eq(str_text(&frames), "config firewall address\nconfig firewall policy\n");
	/* Of administrators, those who are no more than he. */
	at = type(&other, "show system admin");
	ck_assert_ptr_nonnull(strstr(at, "edit \"ops\"\n"));
	ck_assert_ptr_null(strstr(at, "edit \"boss\"\n"));
	ck_assert_ptr_null(strstr(at, "edit \"admin\"\n"));
	leave_both();
}
END_TEST

/* A role that is taken away counts at once, in the session that is open. */
START_TEST(a_role_changes) {
	sit_two("ops", "boss");
	type(&one, "execute config-transaction start");
	SAYS(&one, "config firewall address\nedit new\nend",
	     "fw $ config firewall address\nfw (address) $ edit new\nnew entry 'new' added\n"
	     "fw (new) $ end\n");
	SAYS(&other, "config system admin\nedit ops\nset accprofile reader\nend",
	     "fw # config system admin\nfw (admin) # edit ops\nfw (ops) # set accprofile reader\n"
	     "fw (ops) # end\n");
	SAYS(&one, "execute config-transaction commit",
	     "fw $ execute config-transaction commit\n"
	     NO("the permission to use 'execute config-transaction commit'") FAIL(-37));
	SAYS(&one, "show firewall address web",
	     "fw $ show firewall address web\n" NO("the permission to see firewall address")
	     FAIL(-14));
	SAYS(&other, "show firewall address new",
	     "fw # show firewall address new\nentry is not found in table\n" FAIL(-3));
	leave_both();
}
END_TEST

int main(void) {
	Suite *suite = suite_create("roles_shell");
	TCase *t = fixture_case(suite, "roles_shell");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, two_at_one_table);
	tcase_add_test(t, what_is_no_table);
	tcase_add_test(t, the_whole);
	tcase_add_test(t, a_role_changes);
	return fixture_run(suite);
}
