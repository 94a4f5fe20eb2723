/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captured packets as a stream. Each piece of it is bounded in packets and in bytes; a reader who
 * is slower than the packets come costs packets, which libpcap counts and the last lines tell, and
 * nobody else anything.
 */
#include "backends/cmd_sniffer.h"

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "backends/sniffer.h"
#include "backends/sniffer_filter.h"
#include "cfgdb/base/mem.h"

#define PACKETS_PER_PIECE 256
#define PIECE_MAX (128u << 10) /* bytes; one packet more may come */
#define COUNT_MAX 1000000000

struct sniffing {
	struct sniffer *sniffer;
	struct sniffer_form form;
	const char *interface, *filter;    /* for the first lines; of the call */
	uint32_t left;                     /* packets to come; 0: no bound */
	bool bounded;
	struct str head;                   /* first lines, not yet printed */
	struct str *out;                   /* while packets are read */
};

static bool sniffing_is_over(const struct sniffing *s) {
	return s->bounded && s->left == 0;
}

static bool take_packet(void *arg, const struct sniffer_packet *p) {
	struct sniffing *s = arg;

	sniffer_text(p, &s->form, s->out);
	if (s->bounded)
		s->left--;
	return !sniffing_is_over(s) && s->out->len < PIECE_MAX;
}

static void sniffing_last(void *ctx, struct str *out) {
	struct sniffing *s = ctx;
	unsigned int received, dropped;

	sniffer_stats(s->sniffer, &received, &dropped);
	str_addf(out, "%u packets received by filter\n%u packets dropped by kernel\n", received,
		 dropped);
}

static enum stream_state sniffing_next(void *ctx, struct str *out, struct err *err) {
	struct sniffing *s = ctx;

	str_add(out, str_text(&s->head));
	str_clear(&s->head);
	s->out = out;
	if (sniffer_read(s->sniffer, PACKETS_PER_PIECE, take_packet, s, err) != 0)
		return STREAM_FAILED;
	if (!sniffing_is_over(s))
		return STREAM_WAIT;
	sniffing_last(s, out);
	return STREAM_END;
}

static void sniffing_close(void *ctx) {
	struct sniffing *s = ctx;

	sniffer_close(s->sniffer);
	str_done(&s->head);
	free(s);
}

/* The i-th word, or what stands for it when it is not there. */
static const char *word(const struct command_call *call, size_t i, const char *otherwise) {
	return i < call->argc ? call->argv[i] : otherwise;
}

static int parse_number(const char *text, long long min, long long max, uint32_t *ret,
			struct err *err) {
	const char *bad = NULL;

	*ret = (uint32_t)strtonum(text, min, max, &bad);
	return bad ? command_bad_word(text, err) : 0;
}

static int parse_clock(const char *text, enum sniffer_clock *ret, struct err *err) {
	if (*text == '\0')
		*ret = SNIFFER_SINCE_START;
	else if (strcmp(text, "a") == 0)
		*ret = SNIFFER_UTC;
	else if (strcmp(text, "l") == 0)
		*ret = SNIFFER_LOCAL;
	else
		return command_bad_word(text, err);
	return 0;
}

/* INTERFACE FILTER LEVEL COUNT TIMESTAMP, all of which may be left out from the end on. */
static int parse_call(const struct command_call *call, struct sniffing *s, struct err *err) {
	uint32_t level = 1;
	int rc = call->argc > 5 ? command_bad_word(call->argv[5], err) : 0;

	s->interface = word(call, 0, "any");
	s->filter = word(call, 1, "none");
	if (rc == 0 && strlen(s->filter) > SNIFFER_FILTER_MAX)
		rc = err_set(err, ERR_LENGTH, "the filter is too long: at most %d bytes",
			     SNIFFER_FILTER_MAX);
	if (rc == 0)
		rc = parse_number(word(call, 2, "1"), 1, SNIFFER_LEVEL_MAX, &level, err);
	if (rc == 0)
		rc = parse_number(word(call, 3, "0"), 0, COUNT_MAX, &s->left, err);
	if (rc == 0)
		rc = parse_clock(word(call, 4, ""), &s->form.clock, err);
	s->form.level = level;
	s->bounded = s->left > 0;
	return rc;
}

static int packet_open(void *ctx, const struct command_call *call, struct stream *ret,
		       struct err *err) {
	struct sniffing *s = xcalloc(1, sizeof(*s));
	bool all;

	(void)ctx;
	if (parse_call(call, s, err) == 0) {
		all = *s->filter == '\0' || strcmp(s->filter, "none") == 0;
		s->sniffer = sniffer_open(s->interface, all ? NULL : s->filter, err);
	}
	if (!s->sniffer) {
		free(s);
		return err->code;
	}
	clock_gettime(CLOCK_REALTIME, &s->form.start);
	str_addf(&s->head, "Using Original Sniffing Mode\ninterfaces=[%s]\nfilters=[%s]\n",
		 s->interface, s->filter);
	*ret = (struct stream){ .next = sniffing_next, .close = sniffing_close,
				.fd = sniffer_fd(s->sniffer), .ctx = s, .last = sniffing_last };
	return 0;
}

const struct command *commands_sniffer(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose sniffer packet", .writes = "netgrp.packet-capture",
		  .open = packet_open },
	};

	*n = ARRAY_LEN(table);
	return table;
}
