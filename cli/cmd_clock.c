/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock is the machine's. It is shown here, and set by timedatectl as the administrator, whom
 * the machine's rules for polkit let: neither this shell nor the daemon has the right to set it.
 * The daemon is asked before whether his role allows it, and tells the log what became of it. What
 * refuses (time that is synchronized, a missing right) is told in its own words.
 *
 * When the clock was set last by a time server is known where systemd-timesyncd does that; of other
 * services the kernel knows only that one does.
 */
#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/program.h"

#define SYNC_FILE "/run/systemd/timesync/synchronized"
#define MOMENT_MAX 64

static struct tm clock_now(void) {
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	return tm;
}

static void clock_last_sync(char *ret, size_t size) {
	struct timex kernel = { .modes = 0 };
	struct stat st;
	struct tm tm;

	if (stat(SYNC_FILE, &st) == 0 && localtime_r(&st.st_mtime, &tm))
		strftime(ret, size, "%a %b %e %H:%M:%S %Y", &tm);
	else
		strlcpy(ret, adjtimex(&kernel) == -1 || kernel.status & STA_UNSYNC
				     ? "never" : "synchronized", size);
}

static void clock_keep(void *arg, const char *line) {
	if (*line)
		strlcpy(arg, line, PROGRAM_LINE_MAX);
}

static int clock_set(struct shell *sh, const struct call *call, const struct tm *tm,
		     struct err *err) {
	char moment[MOMENT_MAX], said[PROGRAM_LINE_MAX] = "timedatectl was ended";
	const char *const args[] = { "timedatectl", "--no-ask-password", "set-time", moment, NULL };
	int status, rc;

	strftime(moment, sizeof(moment), "%Y-%m-%d %H:%M:%S", tm);
	rc = cmd_permit(sh, call, err);
	if (rc)
		return rc;
	rc = program_run(sh, args, clock_keep, said, &status, err);
	if (rc == 0 && status)
		rc = program_denied("the clock", "is not set", said, err);
	return cmd_outcome(sh, rc);
}

/* Read all of word by a format of strptime(3). */
static bool clock_parse(const char *word, const char *format, struct tm *tm) {
	const char *end = strptime(word, format, tm);

	return end && *end == '\0';
}

int cmd_date(struct shell *sh, const struct call *call, struct err *err) {
	struct tm tm = clock_now(), back;
	char text[MOMENT_MAX];

	if (call->argc == 0) {
		strftime(text, sizeof(text), "%Y-%m-%d", &tm);
		out_printf(sh->out, "current date is: %s\n", text);
		return 0;
	}
	if (strlen(call->argv[0]) != strlen("2026-01-31") ||
	    !clock_parse(call->argv[0], "%Y-%m-%d", &tm))
		return grammar_refuse(call->argv[0], err);
	back = tm;
	back.tm_isdst = -1;
	if (mktime(&back) == -1 || back.tm_mday != tm.tm_mday) /* February 30 */
		return grammar_refuse(call->argv[0], err);
	return clock_set(sh, call, &tm, err);
}

int cmd_time(struct shell *sh, const struct call *call, struct err *err) {
	struct tm tm = clock_now();
	char text[MOMENT_MAX];

	if (call->argc == 0) {
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
		out_printf(sh->out, "current time is: %s\n", text);
		clock_last_sync(text, sizeof(text));
		out_printf(sh->out, "last ntp sync: %s\n", text);
		return 0;
	}
	tm.tm_sec = 0;
	if (!clock_parse(call->argv[0], "%H:%M:%S", &tm) &&
	    !clock_parse(call->argv[0], "%H:%M", &tm))
		return grammar_refuse(call->argv[0], err);
	return clock_set(sh, call, &tm, err);
}
