/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the unit tests of the configuration engine share: directories that go away, engines in
 * them, one text that says everything an engine holds, and a backend that is no kernel.
 */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/engine.h"
#include "cfgdb/txn.h"

/* A new test case of a suite, with time enough for a sanitizer on a busy machine. */
TCase *fixture_case(Suite *suite, const char *name);

/* Run all tests of a suite; the exit status of main(). Directories are removed at its end. */
int fixture_run(Suite *suite);

/* A new empty directory for one test; the caller frees the path. */
char *fixture_dir(void);

/* Base of all random numbers of this run: GATEHOUSE_SEED, or 1. */
uint64_t fixture_seed(void);

/* How often a random test repeats: n, times GATEHOUSE_ROUNDS. */
unsigned int fixture_rounds(unsigned int n);

/* Open the engine of a directory; the test fails when that fails. */
struct engine *fixture_engine(const char *dir);

/* Top-level table by its dotted name; the test fails when there is none. */
const struct schema_table *fixture_table(const char *dotted);

/* Stage an object given as text; base as in txn_put(). Returns its code. */
int fixture_put(struct txn *t, const char *dotted, const char *key, uint64_t base, const char *body,
		struct err *err);

/* Put and commit one object in a transaction of its own; the test fails when that fails. */
void fixture_set(struct engine *e, const char *dotted, const char *key, const char *body);

/* Delete and commit; the code of either. */
int fixture_delete(struct engine *e, const char *dotted, const char *key, struct err *err);

/*
 * Everything an engine holds, as text: objects in order with position, version, hash and body, uses
 * of each, digest of the whole, revision. The caller frees it.
 */
char *fixture_snapshot(const struct engine *e);

/* The same, from a second engine opened on the directory as after a restart. */
char *fixture_snapshot_of(const char *dir);

/* Make named points fail: GATEHOUSE_FAULT; NULL: none. */
void fixture_fault(const char *spec);

/*
 * A kernel for tests: it holds what the model held at the last apply, and watches the order of
 * calls.
 */
struct fake_kernel {
	char *now, *next, *before; /* before: until finish, what undo goes back to */
	bool prepared, applied;
	bool fail_prepare, fail_apply;
	unsigned int n_prepare, n_apply, n_undo, n_finish, n_cancel;
	char wrong[128]; /* a call that was out of order, or "" */
};

/* Put k under an engine; it starts with what the model holds. */
void fake_kernel_attach(struct fake_kernel *k, struct engine *e);

/* Release what k holds. */
void fake_kernel_done(struct fake_kernel *k);
