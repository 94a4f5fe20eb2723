/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes sessions in the current network namespace, for measuring: make_sessions N. They go through
 * a virtual IP, with marks from 0 to 15.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/ct_make.h"

#define POLICIES 16

int main(int argc, char *argv[]) {
	unsigned long n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct ct_maker *m;
	uint32_t refused;

	if (n == 0 || n > UINT32_MAX) {
		fputs("usage: make_sessions N\n", stderr);
		return 2;
	}
	m = ct_make_open();
	ct_make_create(m, 0, (uint32_t)n, POLICIES);
	refused = ct_make_refused(m);
	ct_make_close(m);
	if (refused)
		fprintf(stderr, "make_sessions: the kernel refused %u of %lu\n", refused, n);
	return refused != 0;
}
