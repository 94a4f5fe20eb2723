/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions of a network namespace for tests of replication, straight over ctnetlink:
 *
 *   entries make|delete FIRST N       established sessions through a virtual IP, from FIRST on
 *   entries change FIRST N STATE      give them another state of TCP, a number
 *   entries see FIRST N               note in their labels that packets came here
 *   entries expire FIRST N            let them time out in a second
 *   entries list SERIAL               all, as the unit of this serial number sees them
 *
 * A line of a listing is what must be equal on all members (family, protocol, zone, both tuples,
 * mark, serial, "begun" when it is known when, status, state), a tab, and whose the session is: the
 * 16-bit id of its owner.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/cluster.h"
#include "backends/ct.h"
#include "backends/session.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/ct_make.h"

#define DUMP_MS 10000
#define STATUS (IPS_SEEN_REPLY | IPS_ASSURED | IPS_SRC_NAT | IPS_DST_NAT)

static void print_tuple(const struct ct *ct, enum ct_dir dir) {
	const struct ct_tuple *t = &ct->tuple[dir];
	char src[NET_TEXT_MAX], dst[NET_TEXT_MAX];

	inet_ntop(ct->family, t->src.byte, src, sizeof(src));
	inet_ntop(ct->family, t->dst.byte, dst, sizeof(dst));
	printf(" %s:%u>%s:%u/%u", src, t->sport, dst, t->dport, t->icmp_code);
}

/* A copy's start is that of its session, which is seconds at most from when it was heard of. */
static const char *begun(const struct ct *ct) {
	if (!session_label(ct, SESSION_LABEL_SERIAL, 32))
		return ct->start_ns ? "begun" : "-";
	return session_label(ct, SESSION_LABEL_START, 32) ? "begun" : "-";
}

static void print_entry(void *arg, const struct ct *ct) {
	const uint16_t *unit = arg;
	bool copy = session_label(ct, SESSION_LABEL_COPY, 1);

	printf("%u %u %u", ct->family, ct->proto, ct->zone);
	print_tuple(ct, CT_ORIG);
	print_tuple(ct, CT_REPLY);
	printf(" %" PRIu32 " %08" PRIx32 " %s %x %u\t%u\n", ct->mark, session_serial(ct),
	       begun(ct), ct->status & STATUS, ct->state,
	       copy ? (unsigned int)session_label(ct, SESSION_LABEL_OWNER, 16) : *unit);
}

static int list(const char *serial) {
	enum ct_dump_state state = CT_DUMP_MORE;
	uint16_t unit = cluster_unit_id(serial);
	struct err err = { 0 };
	struct ct_dump *d = ct_dump_open(NULL, &err);

	while (d && state == CT_DUMP_MORE) {
		struct pollfd p = { .fd = ct_dump_fd(d), .events = POLLIN };

		if (poll(&p, 1, DUMP_MS) != 1)
			err_set(&err, ERR_KERNEL, "the listing does not go on");
		state = err.code ? CT_DUMP_ERROR : ct_dump_next(d, print_entry, &unit, &err);
	}
	ct_dump_close(d);
	if (!err.code)
		return 0;
	fprintf(stderr, "entries: %s\n", err.text);
	return 1;
}

static void make(struct ct_maker *m, uint32_t first, uint32_t n) {
	ct_make_create(m, first, n, 1);
}

static const struct {
	const char *word;
	void (*act)(struct ct_maker *m, uint32_t first, uint32_t n);
} acts[] = {
	{ "make", make },
	{ "delete", ct_make_delete },
	{ "see", ct_make_see },
	{ "expire", ct_make_expire },
};

static int change(int argc, char **argv) {
	struct ct_maker *m = ct_make_open();
	uint32_t first = (uint32_t)strtoul(argv[2], NULL, 10);
	uint32_t n = (uint32_t)strtoul(argv[3], NULL, 10), refused;

	if (argc == 5)
		ct_make_change(m, first, n, (uint8_t)strtoul(argv[4], NULL, 10));
	for (size_t i = 0; i < ARRAY_LEN(acts) && argc == 4; i++)
		if (strcmp(argv[1], acts[i].word) == 0)
			acts[i].act(m, first, n);
	refused = ct_make_refused(m);
	ct_make_close(m);
	if (refused)
		fprintf(stderr, "entries: %" PRIu32 " refused\n", refused);
	return refused != 0;
}

int main(int argc, char **argv) {
	if (argc == 3 && strcmp(argv[1], "list") == 0)
		return list(argv[2]);
	for (size_t i = 0; i < ARRAY_LEN(acts) && argc == 4; i++)
		if (strcmp(argv[1], acts[i].word) == 0)
			return change(argc, argv);
	if (argc == 5 && strcmp(argv[1], "change") == 0)
		return change(argc, argv);
	fputs("usage: entries make|delete|see|expire FIRST N | change FIRST N STATE | list SERIAL\n",
	      stderr);
	return 2;
}
