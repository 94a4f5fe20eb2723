/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reboot and shutdown are asked of systemd as the administrator, whom the machine's rules for
 * polkit let, when the daemon has found that his role allows it. What became of it the daemon tells
 * the log; should it go down first, that nobody has said. The comment is for the log of
 * the machine and for whoever else is logged in. All that is set is saved already: there is nothing
 * to be done before.
 */
#include <bsd/string.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/commands.h"
#include "cli/program.h"

#define COMMENT_MAX 255

static void power_keep(void *arg, const char *line) {
	if (*line)
		strlcpy(arg, line, PROGRAM_LINE_MAX);
}

static int power_run(struct shell *sh, const struct call *call, const char *verb, struct err *err) {
	AUTO_FREE char *comment = NULL;
	char said[PROGRAM_LINE_MAX] = "systemctl was ended";
	const char *args[] = { "systemctl", "--no-ask-password", verb, NULL, NULL };
	int status, rc;

	if (call->argc > 0) {
		if (strlen(call->argv[0]) > COMMENT_MAX)
			return err_set(err, ERR_LENGTH, "the comment is too long: at most %d bytes",
				       COMMENT_MAX);
		comment = xasprintf("--message=%s", call->argv[0]);
		args[3] = comment;
	}
	rc = cmd_permit(sh, call, err);
	if (rc)
		return rc;
	rc = program_run(sh, args, power_keep, said, &status, err);
	if (rc == 0 && status)
		rc = program_denied(call->words[1], "is refused", said, err);
	if (cmd_outcome(sh, rc) != 0)
		return rc;
	out_printf(sh->out, "The system is going down: %s.\n", call->words[1]);
	return 0;
}

int cmd_reboot(struct shell *sh, const struct call *call, struct err *err) {
	return power_run(sh, call, "reboot", err);
}

int cmd_shutdown(struct shell *sh, const struct call *call, struct err *err) {
	return power_run(sh, call, "poweroff", err);
}
