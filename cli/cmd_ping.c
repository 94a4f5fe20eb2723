/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping and traceroute are the system's own programs, run as the administrator with arguments that
 * are made here; their lines are rewritten one by one to the form that FortiOS prints.
 *
 * Options of ping last as long as the session. They are kept as texts that were checked when they
 * were set, with the letters by which ping takes them.
 */
#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/commands.h"
#include "cli/program.h"

#define PROBES "3"
#define HOPS "32"
#define TRACE_BYTES "84"
#define PING_NO_ANSWER 1     /* exit status; above it, it could not even ask */
#define ARGS_MAX (2 * PING_OPTIONS + 10)

/* ---- execute ping ---- */

struct ping {
	struct shell *sh;
	const char *size;
	bool no_host, no_route;
	char said[PROGRAM_LINE_MAX];   /* what is no part of the output: why it failed */
};

/* What the last lines of either program tell, for the error that the administrator sees. */
static bool line_no_host(const char *line) {
	return strstr(line, "not known") || strstr(line, "name resolution") ||
	       strstr(line, "associated with");
}

static void ping_line(void *arg, const char *line) {
	char name[PROGRAM_HOST_MAX + 1], addr[64], loss[32];
	unsigned int bytes, seq, ttl, sent, received;
	double time, min, avg, max;
	struct ping *p = arg;
	struct out *out = p->sh->out;

	if (sscanf(line, "PING %255s (%63[^)])", name, addr) == 2)
		out_printf(out, "PING %s (%s): %s data bytes\n", name, addr, p->size);
	else if (sscanf(line, "%u bytes from %63[^:]: icmp_seq=%u ttl=%u time=%lf", &bytes, addr,
			&seq, &ttl, &time) == 5)
		out_printf(out, "%u bytes from %s: icmp_seq=%u ttl=%u time=%.1f ms\n", bytes, addr,
			   seq > 0 ? seq - 1 : 0, ttl, time);
	else if (sscanf(line, "%u packets transmitted, %u received", &sent, &received) == 2) {
		snprintf(loss, sizeof(loss), "%u%%", sent ? (sent - received) * 100 / sent : 0);
		out_printf(out, "%u packets transmitted, %u packets received, %s packet loss\n",
			   sent, received, loss);
	} else if (sscanf(line, "rtt min/avg/max/mdev = %lf/%lf/%lf", &min, &avg, &max) == 3)
		out_printf(out, "round-trip min/avg/max = %.1f/%.1f/%.1f ms\n", min, avg, max);
	else if (line_no_host(line))
		p->no_host = true;
	else if (strstr(line, "unreachable") || strstr(line, "not permitted") ||
		 strstr(line, "Invalid argument"))
		p->no_route |= strncmp(line, "From ", 5) != 0;
	else if (strncmp(line, "--- ", 4) == 0)
		out_printf(out, "\n%s\n", line);
	else if (*line)
		strlcpy(p->said, line, sizeof(p->said));
	out_flush(out);
}

/* ---- execute ping-options ---- */

/* What a value is. */
enum option_kind { OPTION_NUMBER, OPTION_ADDRESS, OPTION_NAME, OPTION_YES };

static const struct {
	const char *word;        /* of the command */
	const char *label;       /* in view-settings */
	const char *letter;      /* of ping */
	const char *standard;    /* while it is not set; given to ping when it is a number */
	enum option_kind kind;
	long long min, max;
} options[PING_OPTIONS] = {
	[PING_COUNT] = { "repeat-count", "Repeat Count", "-c", "5", OPTION_NUMBER, 1, INT32_MAX },
	[PING_SIZE] = { "data-size", "Data Size", "-s", "56", OPTION_NUMBER, 0, 65507 },
	[PING_TIMEOUT] = { "timeout", "Timeout", "-W", "2", OPTION_NUMBER, 1, 3600 },
	[PING_INTERVAL] = { "interval", "Interval", "-i", "1", OPTION_NUMBER, 1, 3600 },
	[PING_TTL] = { "ttl", "TTL", "-t", "64", OPTION_NUMBER, 1, 255 },
	[PING_TOS] = { "tos", "TOS", "-Q", "0", OPTION_NUMBER, 0, 255 },
	[PING_DF] = { "df-bit", "DF bit", "-M", "unset", OPTION_YES, 0, 0 },
	[PING_SOURCE] = { "source", "Source Address", "-I", "auto", OPTION_ADDRESS, 0, 0 },
	[PING_INTERFACE] = { "interface", "Interface", "-I", "auto", OPTION_NAME, 0, 0 },
};

static const char *option_value(const struct ping_options *o, size_t i) {
	return *o->value[i] ? o->value[i] : options[i].standard;
}

/* The value that is kept of a word, "" for the standard one; NULL when it cannot be. */
static const char *option_check(size_t i, const char *word) {
	const char *bad = NULL;
	struct in_addr addr;

	if (strcmp(word, "auto") == 0 && strcmp(options[i].standard, "auto") == 0)
		return "";
	switch (options[i].kind) {
	case OPTION_NUMBER:
		strtonum(word, options[i].min, options[i].max, &bad);
		return bad || strlen(word) >= PING_VALUE_MAX ? NULL : word;
	case OPTION_ADDRESS:
		return inet_pton(AF_INET, word, &addr) == 1 ? word : NULL;
	case OPTION_NAME:
		return program_host_is_sane(word) && strlen(word) < PING_VALUE_MAX ? word : NULL;
	case OPTION_YES:
		return strcmp(word, "yes") == 0 ? "set" : strcmp(word, "no") == 0 ? "" : NULL;
	}
	return NULL;
}

int cmd_ping_option(struct shell *sh, const struct call *call, struct err *err) {
	const char *value;
	size_t i = 0;

	while (i < PING_OPTIONS && strcmp(options[i].word, call->words[2]) != 0)
		i++;
	value = i < PING_OPTIONS ? option_check(i, call->argv[0]) : NULL;
	if (!value)
		return grammar_refuse(call->argv[0], err);
	strlcpy(sh->ping.value[i], value, PING_VALUE_MAX);
	return 0;
}

int cmd_ping_reset(struct shell *sh, const struct call *call, struct err *err) {
	(void)call;
	(void)err;
	sh->ping = (struct ping_options){ .value = { "" } };
	return 0;
}

int cmd_ping_view(struct shell *sh, const struct call *call, struct err *err) {
	(void)call;
	(void)err;
	out_text(sh->out, "Ping Options:\n");
	for (size_t i = 0; i < PING_OPTIONS; i++)
		out_printf(sh->out, "        %s: %s\n", options[i].label,
			   option_value(&sh->ping, i));
	return 0;
}

/* The options as ping takes them; those that are as the kernel has them are not said. */
static size_t option_args(const struct ping_options *o, const char *args[]) {
	size_t n = 0;

	for (size_t i = 0; i < PING_OPTIONS; i++) {
		if (!*o->value[i] && i != PING_COUNT && i != PING_SIZE && i != PING_TIMEOUT)
			continue;
		args[n++] = options[i].letter;
		args[n++] = i == PING_DF ? "do" : option_value(o, i);
	}
	return n;
}

int cmd_ping(struct shell *sh, const struct call *call, struct err *err) {
	struct ping p = { .sh = sh, .size = option_value(&sh->ping, PING_SIZE) };
	const char *args[ARGS_MAX] = { "ping", "-4", "-n" };
	size_t n = 3;
	int status, rc;

	if (!program_host_is_sane(call->argv[0]))
		return grammar_refuse(call->argv[0], err);
	n += option_args(&sh->ping, args + n);
	args[n++] = "--";
	args[n++] = call->argv[0];
	rc = program_follow(sh, args, ping_line, &p, &status, err);
	if (rc)
		return rc;
	if (p.no_host)
		return err_set(err, ERR_NOT_FOUND, "Unable to resolve hostname.");
	if (p.no_route)
		return err_set(err, ERR_VALUE, "sendto failed");
	return status > PING_NO_ANSWER && *p.said ? err_set(err, ERR_FILE, "%s", p.said) : 0;
}

/* ---- execute traceroute ---- */

struct trace {
	struct shell *sh;
	bool no_host;
	char said[PROGRAM_LINE_MAX];   /* what is no part of the output: why it failed */
};

static void trace_line(void *arg, const char *line) {
	char name[PROGRAM_HOST_MAX + 1], addr[64];
	struct trace *t = arg;
	unsigned int hop;

	if (sscanf(line, "traceroute to %255s (%63[^)])", name, addr) == 2)
		out_printf(t->sh->out,
			   "traceroute to %s (%s), " HOPS " hops max, " PROBES
			   " probe packets per hop, " TRACE_BYTES " byte packets\n",
			   name, addr);
	else if (sscanf(line, " %u ", &hop) == 1)
		out_printf(t->sh->out, "%s\n", line);
	else if (line_no_host(line))
		t->no_host = true;
	else if (*line)
		strlcpy(t->said, line, sizeof(t->said));
	out_flush(t->sh->out);
}

int cmd_traceroute(struct shell *sh, const struct call *call, struct err *err) {
	const char *host = call->argv[0];
	const char *const args[] = { "traceroute", "-4", "-n", "-q", PROBES, "-m", HOPS, "--",
				     host, TRACE_BYTES, NULL };
	struct trace t = { .sh = sh };
	int status, rc;

	if (!program_host_is_sane(host))
		return grammar_refuse(host, err);
	rc = program_follow(sh, args, trace_line, &t, &status, err);
	if (rc)
		return rc;
	if (t.no_host)
		return err_set(err, ERR_NOT_FOUND, "Unable to resolve hostname.");
	return status != 0 && *t.said ? err_set(err, ERR_FILE, "%s", t.said) : 0;
}
