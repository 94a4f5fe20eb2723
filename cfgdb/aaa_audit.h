/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logins, refusals and logouts as lines of the event log. */
#pragma once

#include "cfgdb/aaa.h"
#include "cfgdb/logtext.h"

/* Append the line of an event that happened at that time (ns since 1970); returns its level. */
enum logtext_level aaa_audit_line(const struct aaa_event *event, uint64_t time_ns,
				  struct str *line);
