/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A shell whose output stays in memory. Lines go through the reader of scripts, so commands may
 * span several; errors are in the output, in the shell's own form. Nothing is undone between two
 * calls: tests go on where the last one stopped.
 */
#include "tests/lib/fake_shell.h"

#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "cli/lines.h"

void fake_shell_init(struct fake_shell *f, enum shell_commit commit) {
	/* no line of a test shall run a program of the machine by a slip */
	setenv("PATH", "/nonexistent", 1);
	f->client = fake_client_new();
	out_init(&f->out, -1);
	shell_init(&f->sh, f->client, &f->out, commit);
}

void fake_shell_init_objects(struct fake_shell *f, enum shell_commit commit) {
	fake_shell_init(f, commit);
	fake_shell_run(f,
		       "config system interface\nedit port1\nnext\nedit port2\nend\n"
		       "config firewall address\nedit all\nnext\nedit web\n"
		       "set subnet 10.0.0.0/24\nend\n"
		       "config firewall schedule recurring\nedit always\nend\n"
		       "config firewall service custom\nedit ALL\nset protocol IP\nend\n");
}

void fake_shell_done(struct fake_shell *f) {
	shell_done(&f->sh);
	out_done(&f->out);
	client_close(f->client);
}

const char *fake_shell_run(struct fake_shell *f, const char *lines) {
	AUTO_STR struct str line = STR_INIT;
	struct lines reader;

	str_clear(&f->out.pending);
	lines_open_text(&reader, lines);
	while (lines_next(&reader, &line, NULL) > 0) {
		out_begin(&f->out);
		shell_run(&f->sh, str_text(&line));
	}
	lines_done(&reader);
	return str_text(&f->out.pending);
}

char *fake_shell_prompt(struct fake_shell *f) {
	struct str text = STR_INIT;

	shell_prompt(&f->sh, &text);
	return str_steal(&text);
}
