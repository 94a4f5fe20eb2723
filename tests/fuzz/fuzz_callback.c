/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the answer of a function. What is taken names a role and at most an IPv4 address;
 * what is not says why in one short line without control characters, and names nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/utf8.h"
#include "sync/callback_form.h"

#define LINE_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void check_line(const char *text) {
	size_t left = strlen(text), n;
	uint32_t point;

	promise(left > 0 && left < LINE_MAX, "an error is a short line");
	for (; left > 0; text += n, left -= n) {
		n = utf8_next(text, left, &point);
		promise(n > 0 && *text != '\n' && *text != '\t' && !utf8_is_control(point),
			"an error shows itself");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const union net_addr own = net_ipv4(0x0a000001);
	struct callback_answer answer;
	struct err err = { 0 };
	int rc = callback_form_answer(&answer, (const char *)data, size, &own, &err);

	if (rc) {
		promise(rc == ERR_PARSE && err.code == ERR_PARSE, "an error has a number");
		promise(!answer.decided, "an error decides nothing");
		check_line(err.text);
		return 0;
	}
	promise(size <= CALLBACK_ANSWER_MAX, "answers have a bound");
	if (!answer.decided)
		promise(!answer.primary && !answer.primary_ip.word[0], "nothing is nothing");
	else if (!answer.primary)
		promise(!net_equal(&answer.primary_ip, &own), "no unit follows itself");
	promise(!answer.primary_ip.word[1] && !answer.primary_ip.half[1], "addresses are IPv4");
	return 0;
}
