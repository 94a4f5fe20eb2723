/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server is forked from the test, so that it can be killed, and so that what it keeps from its
 * clients is another process' memory. Beside the requests it has two commands: `diagnose shout`
 * says its words again, and `diagnose count` is a stream.
 */
#include "tests/lib/served.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/command.h"
#include "cfgdb/control/server.h"
#include "tests/lib/fixture.h"

static int shout_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	(void)ctx;
	for (size_t i = 0; i < call->argc; i++)
		str_addf(out, "%s\n", call->argv[i]);
	for (int i = 0; call->argc == 0 && i < 20000; i++)
		str_addf(out, "line %d\n", i);
	return call->argc == 1 ? err_set(err, ERR_VALUE, "one word is not enough") : 0;
}

/*
 * Streams. `count N` counts up to N, a line a piece; `endless` has no end, but tells how far it
 * came when it is left; `pause` waits for a clock between its two lines; `fail` fails after one.
 * Who looks knows how many are open, and how many pieces were made.
 */
struct counter {
	unsigned long at, end;
	bool pause, fail, endless;
	int clock;
};

static struct served_tally *tally;  /* in the server's process */

static enum stream_state counter_next(void *ctx, struct str *out, struct err *err) {
	struct counter *c = ctx;
	const struct itimerspec soon = { .it_value = { .tv_nsec = 30 * 1000 * 1000 } };

	tally->pieces++;
	if (c->fail && c->at == 1)
		return err_set(err, ERR_VALUE, "no more") ? STREAM_FAILED : STREAM_END;
	str_addf(out, "%lu\n", ++c->at);
	for (int i = 0; c->endless && i < 1000; i++)
		str_add(out, "endless\n");
	if (c->at == c->end)
		return STREAM_END;
	if (c->pause && timerfd_settime(c->clock, 0, &soon, NULL) != 0)
		return STREAM_END;
	return c->pause ? STREAM_WAIT : STREAM_MORE;
}

static void counter_last(void *ctx, struct str *out) {
	str_addf(out, "left at %lu\n", ((struct counter *)ctx)->at);
}

static void counter_close(void *ctx) {
	struct counter *c = ctx;

	close(c->clock);
	free(c);
	tally->open--;
}

static int count_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	const char *kind = call->argc ? call->argv[0] : "";
	struct counter *c;

	(void)ctx;
	if (!*kind)
		return command_word_missing(err);
	c = xcalloc(1, sizeof(*c));
	c->pause = strcmp(kind, "pause") == 0;
	c->fail = strcmp(kind, "fail") == 0;
	c->endless = strcmp(kind, "endless") == 0;
	c->end = c->pause ? 2 : strtoul(kind, NULL, 10);
	c->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	tally->open++;
	*ret = (struct stream){ counter_next, counter_close, c->clock, c,
				c->endless ? counter_last : NULL };
	return 0;
}

/* Serves until it is killed. */
static void serve(const struct served *sv, int ready) {
	static const struct command commands[] = {
		{ .words = "diagnose shout", .run = shout_run },
		{ .words = "diagnose count", .open = count_open },
	};
	struct server_config config = { .path = sv->path,
					.group = "no such group",
					.commands = commands,
					.n_commands = ARRAY_LEN(commands),
					.version = "1.2.3" };
	struct event_base *base = event_base_new();
	struct err err = { 0 };
	struct engine *e = engine_open(sv->dir, &err);
	struct server *s;

	tally = sv->tally;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test does not stop it */
	signal(SIGPIPE, SIG_IGN);	  /* as the daemon does */
	if (!base || !e)
		_exit(1);
	fixture_set(e, "system.global", "", "set hostname unit\n");
	fixture_set(e, "system.interface", "port1", "set type physical\n");
	s = server_new(base, e, &config, &err);
	if (!s || write(ready, "r", 1) != 1)
		_exit(1);
	event_base_dispatch(base);
	_exit(0);
}

void served_start(struct served *sv) {
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	sv->process = fork();
	if (sv->process == 0) {
		close(ready[0]);
		serve(sv, ready[1]);
	}
	close(ready[1]);
	ck_assert_msg(read(ready[0], &byte, 1) == 1, "the server does not start");
	close(ready[0]);
}

void served_stop(struct served *sv) {
	int status;

	if (sv->process > 0) {
		kill(sv->process, SIGKILL);
		ck_assert_int_eq(waitpid(sv->process, &status, 0), sv->process);
	}
	sv->process = 0;
	sv->tally->open = sv->tally->pieces = 0;
}

void served_init(struct served *sv) {
	sv->dir = fixture_dir();
	sv->path = xasprintf("%s/ctl", sv->dir);
	sv->tally = mmap(NULL, sizeof(*sv->tally), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert(sv->tally != MAP_FAILED);
	served_start(sv);
}

void served_done(struct served *sv) {
	served_stop(sv);
	munmap((void *)sv->tally, sizeof(*sv->tally));
	free(sv->path);
	free(sv->dir);
}
