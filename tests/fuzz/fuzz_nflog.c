/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a datagram of nfnetlink_log, and the same bytes as the name of the policy. What is
 * read of it as a packet is a line of the log that keeps its promises: printable, one line, with
 * the fields that were written and no others, whatever stands in the name.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/nflog.h"
#include "backends/traffic_log.h"
#include "cfgdb/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void has(const struct str *line, const char *name, const char *wanted) {
	const char *value;
	size_t n;

	promise(logtext_field(line->data, line->len, name, &value, &n), "every field is there");
	promise(n == strlen(wanted) && memcmp(value, wanted, n) == 0, "as it was written");
}

static void check_line(const struct nflog_packet *p, const char *name) {
	AUTO_STR struct str line = STR_INIT;
	unsigned int quotes = 0;

	traffic_log_print(&(struct traffic_facts){ .action = TRAFFIC_DENY,
						   .ct = &p->ct,
						   .in = name,
						   .out = "port2",
						   .in_role = "",
						   .out_role = "",
						   .policy_uuid = "",
						   .policy_name = name,
						   .service = name },
			  &line);
	for (size_t i = 0; i < line.len; i++) {
		promise((unsigned char)line.data[i] >= 0x20 && line.data[i] != 0x7f, "one line");
		promise(line.data[i] != '\\', "nothing is escaped");
		quotes += line.data[i] == '"';
	}
	promise(quotes % 2 == 0, "quotes are closed");
	has(&line, "action", "deny");
	has(&line, "dstintf", "port2");
	has(&line, "appcat", "unscanned");
	promise(strcmp(line.data + line.len - 18, "appcat=\"unscanned\"") == 0, "nothing follows");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	/* Aligned, and with nothing behind its end. */
	AUTO_FREE char *copy = xreallocarray(NULL, size ? size : 1, 1);
	AUTO_FREE char *name = xstrndup((const char *)data, size);
	struct nflog_packet p;

	memcpy(copy, data, size);
	for (size_t at = 0; size - at >= NLMSG_HDRLEN;) {
		const struct nlmsghdr *nlh = (const void *)(copy + at);

		if (nlh->nlmsg_len < NLMSG_HDRLEN || nlh->nlmsg_len > size - at)
			break;
		if (nflog_decode(nlh, &p)) {
			promise(strnlen(p.prefix, NFLOG_PREFIX_MAX) < NFLOG_PREFIX_MAX, "the prefix ends");
			check_line(&p, name);
		}
		at += NLMSG_ALIGN(nlh->nlmsg_len);
		if (at > size)
			break;
	}
	return 0;
}
