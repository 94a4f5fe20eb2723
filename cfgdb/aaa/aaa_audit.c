/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ids and names of fields are those that collectors of FortiOS logs look for. The name of somebody
 * who was refused is what he typed: logtext sees to it that it cannot forge a field.
 *
 * A name that nobody has may be a password in the wrong place. By SSH the client has sent it before
 * it asked for a password, and who guesses names is to be seen: it is told. At the console both are
 * typed one after the other into the same line: there it is not.
 */
#include "cfgdb/aaa/aaa_audit.h"

#include <inttypes.h>

#include "cfgdb/aaa/trust.h"
#include "cfgdb/base/mem.h"

#define UNKNOWN "unknown"

static const struct kind {
	const char *id, *what, *action, *status;
	enum logtext_level level;
} kinds[] = {
	[AAA_EVENT_LOGIN] = { "0100032001", "Admin login successful", "login", "success",
			      LOGTEXT_INFORMATION },
	[AAA_EVENT_REFUSED] = { "0100032002", "Admin login failed", "login", "failed",
				LOGTEXT_ALERT },
	[AAA_EVENT_LOCKED] = { "0100032021", "Admin login disabled", "login", "failed",
			       LOGTEXT_ALERT },
	[AAA_EVENT_LOGOUT] = { "0100032003", "Admin logout successful", "logout", "success",
			       LOGTEXT_INFORMATION },
	[AAA_EVENT_STRANGER] = { "0100032002", "Admin login failed", "login", "failed",
				 LOGTEXT_ALERT },
	[AAA_EVENT_KEPT] = { "0100044546", "Change refused", "Edit", "failure", LOGTEXT_WARNING },
};

/* Who it was, as far as that is told. */
static const char *user_of(const struct aaa_event *e) {
	return e->service == AAA_CONSOLE && !*e->profile ? UNKNOWN : e->user;
}

static char *message(const struct aaa_event *e, const char *ui) {
	const char *who = e->local ? "Local user" : "Administrator";

	switch (e->kind) {
	case AAA_EVENT_LOGIN:
		return xasprintf("%s %s logged in from %s", who, user_of(e), ui);
	case AAA_EVENT_REFUSED:
		return xasprintf("Login of %s %s from %s was refused: %s",
				 e->local ? "local user" : "administrator", user_of(e), ui,
				 e->reason);
	case AAA_EVENT_LOCKED:
		return xasprintf("Logins from %s are disabled for %" PRId64
				 " seconds after %u bad attempts",
				 e->source, e->duration_s, e->failures);
	case AAA_EVENT_STRANGER:
		return xasprintf("A process of %s has asked for logins of administrators", e->user);
	case AAA_EVENT_KEPT:
		return xasprintf("The password of administrator %s stays as it is", e->user);
	case AAA_EVENT_LOGOUT:
		break;
	}
	return xasprintf("%s %s logged out from %s", who, user_of(e), ui);
}

char *aaa_audit_source(const struct aaa_event *event) {
	if (event->origin)
		return xstrdup(event->origin);
	return event->service == AAA_CONSOLE ? xstrdup("console") :
					       xasprintf("ssh(%s)", event->source);
}

bool aaa_audit_is_refusal(const struct aaa_event *event) {
	return event->kind == AAA_EVENT_REFUSED || event->kind == AAA_EVENT_KEPT ||
	       event->kind == AAA_EVENT_STRANGER;
}

enum logtext_level aaa_audit_line(const struct aaa_event *event, uint64_t time_ns,
				  struct str *line) {
	const struct kind *k = &kinds[event->kind];
	bool console = event->service == AAA_CONSOLE;
	AUTO_FREE char *ui = aaa_audit_source(event);
	AUTO_FREE char *text = message(event, ui);
	struct trust_source from;

	logtext_head(line, &(struct logtext_head){ .time_ns = time_ns,
						   .id = k->id,
						   .type = "event",
						   .subtype = "system",
						   .level = k->level });
	logtext_str(line, "logdesc", k->what);
	logtext_str(line, "user", user_of(event));
	logtext_str(line, "ui", ui);
	if (event->source)
		logtext_str(line, "method", console ? "console" : "ssh");
	if (event->source && !console && trust_source(event->source, &from))
		logtext_word(line, "srcip", event->source);
	logtext_str(line, "action", k->action);
	logtext_str(line, "status", k->status);
	logtext_str(line, "reason", event->reason);
	if (*event->profile)
		logtext_str(line, "profile", event->profile);
	if (event->kind == AAA_EVENT_LOGOUT && !event->local)
		logtext_num(line, "duration", (uint64_t)event->duration_s);
	logtext_str(line, "msg", text);
	return k->level;
}
