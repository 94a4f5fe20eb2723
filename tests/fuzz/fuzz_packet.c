/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a packet that the sniffer prints, at the level that the first byte chooses, and as a
 * message of the kernel about a traced packet. A packet is one line, and with its bytes as many as
 * they need; a message is read within its bounds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/flow_event.h"
#include "backends/sniffer_text.h"
#include "cfgdb/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static size_t count_lines(const char *text) {
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void print_packet(unsigned int level, const uint8_t *data, size_t size) {
	const struct sniffer_packet p = { .interface = "port1", .frame = data, .len = size };
	const struct sniffer_form form = { .level = level };
	AUTO_STR struct str text = STR_INIT;
	size_t lines;

	sniffer_text(&p, &form, &text);
	promise(strlen(str_text(&text)) == text.len, "what is printed is text");
	lines = count_lines(str_text(&text));
	if (level % 3 == 1)
		promise(lines == 1, "a packet is one line");
	else if (level % 3 == 2)
		promise(lines >= 2 && lines <= 2 + (size + 15) / 16, "and at most its bytes");
	else
		promise(lines == 2 + (size + 15) / 16, "and all its bytes");
}

static void read_message(const uint8_t *data, size_t size) {
	AUTO_FREE struct nlmsghdr *nlh = xcalloc(1, MNL_ALIGN(MNL_NLMSG_HDRLEN + size));
	struct flow_event e;

	memcpy((uint8_t *)nlh + MNL_NLMSG_HDRLEN, data, size);
	nlh->nlmsg_len = (uint32_t)(MNL_NLMSG_HDRLEN + size);
	nlh->nlmsg_type = 0x0a11;
	if (flow_event_decode(nlh, &e))
		promise(strlen(e.table) < FLOW_NAME_MAX && strlen(e.chain) < FLOW_NAME_MAX,
			"names have an end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_FREE uint8_t *copy = NULL;

	if (size < 2)
		return 0;
	copy = xcalloc(size - 1, 1); /* of the packet's own size, so that its end is seen */
	memcpy(copy, data + 1, size - 1);
	print_packet(1 + data[0] % SNIFFER_LEVEL_MAX, copy, size - 1);
	read_message(copy, size - 1);
	return 0;
}
