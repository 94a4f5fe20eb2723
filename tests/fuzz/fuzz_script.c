/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a script, and each of its lines as one that is being typed. The first byte chooses
 * how changes are committed. Besides surviving, the shell must keep three promises: nothing is open
 * at the end, no transaction either, and what `show` prints reads back to the same text.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/batch.h"
#include "cli/complete.h"
#include "tests/lib/fake_shell.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
	(void)argc;
	(void)argv;
	/* no input shall run a program */
	return setenv("PATH", "/nonexistent", 1);
}

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void run_script(struct fake_shell *f, const char *text) {
	struct lines lines;
	struct batch b = { .sh = &f->sh, .lines = &lines };

	lines_open_text(&lines, text);
	if (f->sh.commit == SHELL_COMMIT_ALL)
		batch_run_atomic(&b);
	else
		batch_run(&b);
	lines_done(&lines);
	promise(f->sh.context.depth == 0, "nothing is open at the end");
	promise(client_begin(f->client, NULL) == 0, "no transaction is open at the end");
	client_abort(f->client, NULL);
}

static void complete_script(struct fake_shell *f, const char *text) {
	AUTO_STR struct str line = STR_INIT;
	struct lines lines;

	lines_open_text(&lines, text);
	while (lines_next(&lines, &line, NULL) > 0) {
		struct completion c;

		complete_line(&f->sh, str_text(&line), &c);
		promise(c.start <= line.len, "a word starts in the line");
		promise(complete_common(&c) >= (c.n ? strlen(c.prefix) : 0),
			"candidates begin with what is typed");
		complete_done(&c);
		shell_run(&f->sh, str_text(&line));
	}
	lines_done(&lines);
}

/* Text that one shell shows is shown again by a shell that has read it. */
static void reload(struct fake_shell *f) {
	AUTO_FREE char *text = xstrdup(fake_shell_run(f, "show"));
	struct fake_shell again;

	fake_shell_init(&again, SHELL_COMMIT_EACH);
	fake_shell_run(&again, text);
	/* a group may name one that stands below it: that is found by an error */
	promise(again.sh.failures > 0 || strcmp(fake_shell_run(&again, "show"), text) == 0,
		"show reads back");
	fake_shell_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const enum shell_commit commits[] = { SHELL_COMMIT_EACH, SHELL_COMMIT_BLOCK,
						     SHELL_COMMIT_ALL };
	AUTO_FREE char *text = NULL;
	struct fake_shell f;

	if (size == 0)
		return 0;
	text = xstrndup((const char *)data + 1, size - 1);
	fake_shell_init_objects(&f, commits[data[0] % ARRAY_LEN(commits)]);
	if (data[0] & 0x80)
		complete_script(&f, text);
	else
		run_script(&f, text);
	if (f.sh.context.depth > 0)
		shell_drop(&f.sh);
	queue_done(&f.sh.queue);
	f.sh.commit = SHELL_COMMIT_EACH;
	f.sh.quit = false;
	reload(&f);
	fake_shell_done(&f);
	return 0;
}
