/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a file to restore; the first one says whether it must be whole. No more lines are
 * counted than there are, nothing is open at the end but the transaction, and the account has a
 * bound.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/loader.h"
#include "tests/lib/fake_shell.h"

#define ACCOUNT_MAX (2u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static unsigned long lines_of(const uint8_t *data, size_t size) {
	unsigned long n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_STR struct str account = STR_INIT;
	struct loader_input in = { 0 };
	struct tally tally = { .n = 0 };
	unsigned long sum = 0;
	struct fake_shell f;

	if (size == 0)
		return 0;
	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	in = (struct loader_input){ .client = f.client, .text = (const char *)data + 1,
				    .size = size - 1, .exact = data[0] & 1 };
	client_replace(f.client, false, NULL);
	promise(loader_run(&in, &tally) == LOADER_DONE, "it is done");
	shell_listen(&f.sh);
	promise(client_abort(f.client, NULL) == 0, "the transaction is open");
	tally_print(&tally, &account);
	for (int kind = 0; kind < TALLY_KINDS; kind++)
		sum += tally.lines[kind];
	promise(sum <= lines_of(data, size), "a line is counted once");
	promise(account.len < ACCOUNT_MAX, "the account has a bound");
	tally_clear(&tally);
	fake_shell_done(&f);
	return 0;
}
