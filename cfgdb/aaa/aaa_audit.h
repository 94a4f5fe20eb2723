/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Logins, refusals and logouts as lines of the event log. */
#pragma once

#include "cfgdb/aaa/aaa.h"
#include "cfgdb/logs/logtext.h"

/* How who has the event came: "ssh(10.0.0.1)", "console"; to be freed by the caller. */
char *aaa_audit_source(const struct aaa_event *event);

/* Whether somebody was turned away, which anyone can have as often as he likes. */
bool aaa_audit_is_refusal(const struct aaa_event *event);

/* Append the line of an event that happened at that time (ns since 1970); returns its level. */
enum logtext_level aaa_audit_line(const struct aaa_event *event, uint64_t time_ns,
				  struct str *line);
