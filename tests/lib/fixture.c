/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check runs every test in a process of its own, so a failed test cleans nothing up: all
 * directories are below one that the parent makes before and removes after.
 */
#include "tests/lib/fixture.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/digest.h"
#include "cfgdb/model/text.h"

#define TEST_SECONDS 120

static char *base_dir;

/* ---- running ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

TCase *fixture_case(Suite *suite, const char *name) {
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, TEST_SECONDS);
	suite_add_tcase(suite, t);
	return t;
}

int fixture_run(Suite *suite) {
	const char *tmp = getenv("TMPDIR");
	SRunner *runner = srunner_create(suite);
	int failed;

	base_dir = xasprintf("%s/gatehouse-check.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(base_dir)) {
		perror(base_dir);
		return 1;
	}
	unsetenv("GATEHOUSE_FAULT");
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	nftw(base_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(base_dir);
	return failed > 0;
}

char *fixture_dir(void) {
	char *dir = xasprintf("%s/XXXXXX", base_dir);

	ck_assert_ptr_nonnull(mkdtemp(dir));
	return dir;
}

static uint64_t environment_number(const char *name, uint64_t otherwise) {
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

uint64_t fixture_seed(void) {
	return environment_number("GATEHOUSE_SEED", 1);
}

unsigned int fixture_rounds(unsigned int n) {
	return n * (unsigned int)environment_number("GATEHOUSE_ROUNDS", 1);
}

void fixture_fault(const char *spec) {
	if (spec)
		setenv("GATEHOUSE_FAULT", spec, 1);
	else
		unsetenv("GATEHOUSE_FAULT");
	fault_init();
}

/* ---- engines ---- */

struct engine *fixture_engine(const char *dir) {
	struct err err = { 0 };
	struct engine *e = engine_open(dir, &err);

	ck_assert_msg(e != NULL, "engine_open: %s", err.text);
	return e;
}

const struct schema_table *fixture_table(const char *dotted) {
	const struct schema_table *table = schema_find(dotted);

	ck_assert_msg(table != NULL, "no table %s", dotted);
	return table;
}

int fixture_put(struct txn *t, const char *dotted, const char *key, uint64_t base, const char *body,
		struct err *err) {
	struct object *obj = object_new(fixture_table(dotted), key);
	int rc = text_parse(obj, body, err);

	if (rc) {
		object_free(obj);
		return rc;
	}
	return txn_put(t, obj, base, err);
}

void fixture_set(struct engine *e, const char *dotted, const char *key, const char *body) {
	struct txn *t = txn_new(e, "admin", "test");
	struct err err = { 0 };
	int rc = fixture_put(t, dotted, key, TXN_ANY, body, &err);

	ck_assert_msg(rc == 0, "put %s %s: %d %s", dotted, key, rc, err.text);
	rc = txn_commit(t, &err);
	ck_assert_msg(rc == 0, "commit %s %s: %d %s", dotted, key, rc, err.text);
	txn_free(t);
}

int fixture_delete(struct engine *e, const char *dotted, const char *key, struct err *err) {
	struct txn *t = txn_new(e, "admin", "test");
	int rc = txn_delete(t, fixture_table(dotted), key, err);

	if (rc == 0)
		rc = txn_commit(t, err);
	txn_free(t);
	return rc;
}

static void add_hex(const unsigned char *bytes, size_t n, struct str *out) {
	for (size_t i = 0; i < n; i++)
		str_addf(out, "%02x", bytes[i]);
}

static void snapshot_model(const struct model *m, struct str *out) {
	unsigned char root[DIGEST_LEN];

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];

		for (const struct object *obj = model_first(m, table); obj;
		     obj = model_next(m, obj)) {
			str_addf(out, "%s '%s' pos %lld ver %llu users %zu hash ", table->dotted,
				 obj->key, (long long)obj->pos, (unsigned long long)obj->ver,
				 model_count_users(m, obj));
			add_hex(obj->hash, sizeof(obj->hash), out);
			str_add_char(out, '\n');
			text_body(obj, 1, TEXT_KEPT, out);
		}
	}
	digest_root(m, root);
	str_add(out, "root ");
	add_hex(root, sizeof(root), out);
	str_add_char(out, '\n');
}

char *fixture_snapshot(const struct engine *e) {
	struct str out = STR_INIT;

	snapshot_model(e->model, &out);
	str_addf(&out, "revision %llu\n", (unsigned long long)e->revision);
	return str_steal(&out);
}

char *fixture_snapshot_of(const char *dir) {
	struct engine *e = fixture_engine(dir);
	char *text = fixture_snapshot(e);

	engine_close(e);
	return text;
}

/* ---- the kernel that is none ---- */

static void kernel_wrong(struct fake_kernel *k, bool right, const char *what) {
	if (!right && !*k->wrong)
		snprintf(k->wrong, sizeof(k->wrong), "%s out of order", what);
}

static char *kernel_picture(const struct model *m) {
	struct str out = STR_INIT;

	snapshot_model(m, &out);
	return str_steal(&out);
}

static int kernel_start(void *ctx, const struct commit *commit, struct err *err) {
	struct fake_kernel *k = ctx;

	(void)err;
	free(k->now);
	k->now = kernel_picture(commit->model);
	return 0;
}

static int kernel_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct fake_kernel *k = ctx;

	k->n_prepare++;
	kernel_wrong(k, !k->prepared && !k->applied, "prepare");
	kernel_wrong(k, commit->n_changes > 0, "prepare without a change");
	k->prepared = true;
	k->next = kernel_picture(commit->model);
	return k->fail_prepare ? err_set(err, ERR_KERNEL, "prepare refused") : 0;
}

static int kernel_apply(void *ctx, struct err *err) {
	struct fake_kernel *k = ctx;

	k->n_apply++;
	kernel_wrong(k, k->prepared && !k->applied, "apply");
	if (k->fail_apply)
		return err_set(err, ERR_KERNEL, "apply refused");
	k->applied = true;
	k->before = k->now;
	k->now = xstrdup(k->next);
	return 0;
}

static void kernel_undo(void *ctx) {
	struct fake_kernel *k = ctx;

	k->n_undo++;
	kernel_wrong(k, k->applied, "undo");
	free(k->now);
	k->now = k->before;
	k->before = NULL;
	k->applied = false;
}

static void kernel_forget(struct fake_kernel *k) {
	free(k->next);
	free(k->before);
	k->next = k->before = NULL;
	k->prepared = k->applied = false;
}

static void kernel_finish(void *ctx) {
	struct fake_kernel *k = ctx;

	k->n_finish++;
	kernel_wrong(k, k->applied, "finish");
	kernel_forget(k);
}

static void kernel_cancel(void *ctx) {
	struct fake_kernel *k = ctx;

	k->n_cancel++;
	kernel_wrong(k, k->prepared && !k->applied, "cancel");
	kernel_forget(k);
}

void fake_kernel_attach(struct fake_kernel *k, struct engine *e) {
	struct backend b = { .name = "fake",
			     .start = kernel_start,
			     .prepare = kernel_prepare,
			     .apply = kernel_apply,
			     .undo = kernel_undo,
			     .finish = kernel_finish,
			     .cancel = kernel_cancel,
			     .ctx = k };
	struct commit commit = { .model = e->model };

	*k = (struct fake_kernel){ 0 };
	kernel_start(k, &commit, NULL);
	engine_add_backend(e, &b);
}

void fake_kernel_done(struct fake_kernel *k) {
	kernel_forget(k);
	free(k->now);
	k->now = NULL;
}
