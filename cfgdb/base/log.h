/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of log on stderr, with a level that systemd understands; for programs, not libraries. */
#pragma once

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6 };

/* Write one line; the level is written as <N> when stderr goes to the journal (sd-daemon(3)). */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
