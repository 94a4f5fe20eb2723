/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of a unit in its group: epochs as roles change, what a restart remembers, what a
 * secondary refuses its administrators, who may become primary, and what a primary that steps down
 * leaves behind.
 */
#include "cfgdb/role.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/digest.h"
#include "tests/lib/fixture.h"

#define OTHER "GHVM0000OTHER001"
#define POLICY                                                                          \
	"set srcintf any\nset dstintf any\nset action accept\nset srcaddr all\nset dstaddr all\n" \
	"set schedule always\nset service ALL\n"
#define VMID "9b09d366-f5e2-490f-acab-3bbf2835bd7b"

static char *dir;
static struct engine *engine;
static struct role *role;

static void begin(void) {
	struct err err = { 0 };

	engine = fixture_engine(dir);
	role = role_new(engine, &err);
	ck_assert_msg(role != NULL, "%s", err.text);
}

static void end(void) {
	engine_close(engine);
	role = role_free(role);
}

static void restart(void) {
	end();
	begin();
}

static void setup(void) {
	dir = fixture_dir();
	begin();
}

static void teardown(void) {
	end();
	free(dir);
}

/* The code of a commit of system auto-scale. */
static int scale(const char *body, struct err *err) {
	struct txn *t = txn_new(engine, "tester", "cli");
	int rc = fixture_put(t, "system.auto-scale", "", TXN_ANY, body, err);

	if (rc == 0)
		rc = txn_commit(t, err);
	txn_free(t);
	return rc;
}

static void good_scale(const char *body) {
	struct err err = { 0 };

	ck_assert_msg(scale(body, &err) == 0, "%s", err.text);
}

/* What another member of this epoch has, being the same as here but for one address. */
static int bring(const char *serial, uint64_t epoch, uint64_t revision, const char *key,
		 struct err *err) {
	const struct txn_origin origin = { "admin", "cli", "", 1700000000 };
	const struct role_source source = { serial, epoch, revision };
	struct txn *t = txn_new_replicated(engine, &origin);
	struct object *obj;
	struct digest_group digests;
	struct digest_view view;
	int rc = 0;

	if (key) {
		obj = object_new(schema_find("firewall.address"), key);
		rc = txn_replicate_put(t, obj, err);
	}
	digest_view_init_txn(&view, engine, t);
	digest_group(&view, &digests);
	txn_expect(t, &digests);
	if (rc == 0)
		rc = role_commit(role, t, &source, err);
	txn_free(t);
	return rc;
}

static void good_bring(uint64_t epoch, uint64_t revision, const char *key) {
	struct err err = { 0 };

	ck_assert_msg(bring(OTHER, epoch, revision, key, &err) == 0, "%s", err.text);
}

static const struct membership *known(void) {
	return role_membership(role);
}

static void check_known(uint64_t epoch, bool synced, const char *serial, uint64_t revision) {
	AUTO_FREE char *primary = xstrdup(serial); /* the engine's own goes with the engine */

	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(known()->epoch, epoch);
		ck_assert_int_eq(known()->synced, synced);
		ck_assert_str_eq(known()->primary, primary);
		ck_assert_uint_eq(known()->revision, revision);
		restart();
	}
}

START_TEST(test_found) {
	check_known(0, false, "", 0);
	good_scale("set status enable\nset role primary\nset psksecret \"sixteen letters!\"\n");
	check_known(1, true, "", 0);
	/* other changes are no new role */
	good_scale("set status enable\nset role primary\nset hb-interval 7\n");
	check_known(1, true, "", 0);
	good_scale("set status enable\n");
	check_known(1, true, "", 0);
	good_scale("set status enable\nset role primary\n");
	check_known(2, true, "", 0);
	good_scale("set role primary\n");
	check_known(0, false, "", 0);
}
END_TEST

START_TEST(test_follow) {
	good_scale("set status enable\nset primary-ip 10.0.0.1\n");
	check_known(0, false, "", 0);
	good_bring(3, 17, "from-primary");
	check_known(3, true, OTHER, 17);
	ck_assert(!known()->joined);
	good_bring(3, 18, NULL); /* nothing differs: it is remembered all the same */
	check_known(3, true, OTHER, 18);
	good_bring(4, 2, "other");
	check_known(4, true, OTHER, 2);
}
END_TEST

/* Whether somebody has followed is kept for this epoch of this primary, and for no other. */
START_TEST(test_joined) {
	struct membership met = { .epoch = 1, .heard = 1, .joined = true };

	good_scale("set status enable\nset role primary\n");
	met.epoch = 2;
	ck_assert_int_eq(role_meet(role, &met, NULL), 0);
	ck_assert(!known()->joined);
	met.epoch = 1;
	ck_assert_int_eq(role_meet(role, &met, NULL), 0);
	restart();
	ck_assert(known()->joined);
	met.joined = false;
	ck_assert_int_eq(role_meet(role, &met, NULL), 0);
	ck_assert(known()->joined);
	good_scale("set status enable\n");
	good_scale("set status enable\nset role primary\n");
	ck_assert_uint_eq(known()->epoch, 2);
	ck_assert(!known()->joined);
	met.joined = true;
	met.epoch = 2;
	ck_assert_int_eq(role_meet(role, &met, NULL), 0);
	good_scale("set status enable\n");
	good_bring(2, 17, NULL);
	ck_assert(!known()->joined);
	ck_assert_int_eq(role_meet(role, &met, NULL), 0);
	ck_assert(!known()->joined);
}
END_TEST

/* An epoch that is over, no epoch, a unit that is none, a primary: nothing happens. */
START_TEST(test_bring_refused) {
	AUTO_FREE char *before = NULL, *after = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(bring(OTHER, 1, 1, "x", &err), ERR_CONFLICT);
	good_scale("set status enable\n");
	good_bring(3, 17, NULL);
	before = fixture_snapshot(engine);
	ck_assert_int_eq(bring(OTHER, 2, 18, "x", &err), ERR_CONFLICT);
	ck_assert_str_eq(err.text, "the configuration is of epoch 2, that of this unit of 3");
	ck_assert_int_eq(bring(OTHER, 0, 18, "x", &err), ERR_CONFLICT);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(before, after);
	good_scale("set status enable\nset role primary\n");
	ck_assert_int_eq(bring(OTHER, 9, 18, "x", &err), ERR_CONFLICT);
	check_known(4, true, OTHER, 17);
}
END_TEST

START_TEST(test_never_synced) {
	struct membership met = { .heard = 5 };
	struct err err = { 0 };

	good_scale("set status enable\n");
	ck_assert_int_eq(role_meet(role, &met, &err), 0);
	ck_assert_int_eq(scale("set status enable\nset role primary\n", &err), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.text, "never had the configuration"));
	ck_assert(!role_is_primary(engine->model));
	/* alone it can found another group */
	good_scale("");
	good_scale("set status enable\nset role primary\n");
	check_known(1, true, "", 0);
}
END_TEST

/* Heard of a higher epoch, it begins one above that. */
START_TEST(test_above_all) {
	struct membership met = { .heard = 41 };

	good_scale("set status enable\n");
	good_bring(3, 17, NULL);
	ck_assert_int_eq(role_meet(role, &met, NULL), 0);
	good_scale("set status enable\nset role primary\n");
	check_known(42, true, OTHER, 17);
}
END_TEST

/* When no number is left, the unit stays what it is, and can be read again. */
START_TEST(test_no_epoch_left) {
	struct membership met = { .heard = INT64_MAX };
	struct err err = { 0 };

	good_scale("set status enable\n");
	good_bring(3, 17, NULL);
	ck_assert_int_eq(role_meet(role, &met, NULL), 0);
	ck_assert_int_eq(scale("set status enable\nset role primary\n", &err), ERR_RANGE);
	ck_assert_ptr_nonnull(strstr(err.text, "no epoch is left"));
	ck_assert(!role_is_primary(engine->model));
	check_known(3, true, OTHER, 17);
	ck_assert_uint_eq(known()->heard, INT64_MAX);
}
END_TEST

/* ---- what administrators may change ---- */

static int edit(const char *table, const char *key, const char *body, struct err *err) {
	struct txn *t = txn_new(engine, "tester", "cli");
	int rc = fixture_put(t, table, key, TXN_ANY, body, err);

	if (rc == 0)
		rc = txn_commit(t, err);
	txn_free(t);
	return rc;
}

START_TEST(test_guard) {
	struct err err = { 0 };

	good_scale("set status enable\nset primary-ip 10.0.0.1\n");
	ck_assert_int_eq(edit("firewall.address", "mine", "", &err), 0);
	good_bring(1, 1, NULL);
	ck_assert_int_eq(edit("firewall.address", "more", "", &err), ERR_PERMISSION);
	ck_assert_str_eq(err.text, "firewall address more: this unit is a secondary of its group: "
				   "change it on the primary, " OTHER " (10.0.0.1)");
	ck_assert_int_eq(fixture_delete(engine, "firewall.address", "mine", &err),
			 ERR_PERMISSION);
	/* what changes nothing, and what is the unit's own */
	ck_assert_int_eq(edit("firewall.address", "mine", "", &err), 0);
	ck_assert_int_eq(edit("system.global", "", "set hostname other\n", &err), 0);
	ck_assert_int_eq(edit("system.global", "", "set hostname other\nset timezone 4\n", &err),
			 ERR_PERMISSION);
	ck_assert_ptr_eq(strstr(err.text, "system global timezone: this unit is a secondary"),
			 err.text);
	ck_assert_int_eq(edit("firewall.address", "mine", "set comment x\nset color 3\n", &err),
			 ERR_PERMISSION);
	ck_assert_ptr_eq(strstr(err.text, "firewall address mine comment: this unit"), err.text);
	ck_assert_int_eq(edit("system.auto-scale", "", "set hb-interval 3\nset status enable\n",
			      &err), 0);
	restart();
	ck_assert_int_eq(edit("firewall.address", "more", "", &err), ERR_PERMISSION);
	good_scale("");
	ck_assert_int_eq(edit("firewall.address", "more", "", &err), 0);
}
END_TEST

/* ---- orders ---- */

static union net_addr address(const char *text) {
	union net_addr ip = { 0 };

	ck_assert(net_parse(AF_INET, text, &ip));
	return ip;
}

static char *comment_of_last(uint64_t id) {
	struct revision rev;
	char *comment;

	ck_assert_int_eq(store_revision_get(engine->store, id, &rev, NULL), 0);
	comment = xstrdup(rev.comment);
	revision_done(&rev);
	return comment;
}

START_TEST(test_step_down) {
	struct role_order order = { .primary_ip = address("10.0.0.9"), .heard = 6,
				    .why = "GHVM2 is primary of epoch 6" };
	AUTO_FREE char *comment = NULL;
	struct err err = { 0 };
	uint64_t last;

	good_scale("set status enable\nset role primary\n");
	ck_assert_int_eq(edit("firewall.address", "mine", "", &err), 0);
	last = engine->revision;
	order.told = last - 1;
	ck_assert_msg(role_order(role, &order, &err) == 0, "%s", err.text);
	ck_assert(!role_is_primary(engine->model));
	ck_assert_uint_eq(object_ip(model_object(engine->model, schema_find("system.auto-scale")),
				    (unsigned int)schema_attr_index(
					    schema_find("system.auto-scale"), "primary-ip")).a,
			  0x0a000009);
	comment = comment_of_last(last);
	ck_assert_msg(strstr(comment, "not replicated") && strstr(comment, "GHVM2"), "%s", comment);
	ck_assert_uint_eq(known()->heard, 6);
	ck_assert_uint_eq(known()->epoch, 1);
}
END_TEST

/* So does one that an administrator has made a secondary before it met anybody. */
START_TEST(test_stepped_down_by_hand) {
	struct role_order order = { .primary_ip = address("10.0.0.9"), .heard = 6, .why = "x" };
	AUTO_FREE char *comment = NULL;
	uint64_t last;

	good_scale("set status enable\nset role primary\n");
	good_scale("set status enable\n");
	last = engine->revision;
	ck_assert_int_eq(role_order(role, &order, NULL), 0);
	comment = comment_of_last(last);
	ck_assert_msg(strstr(comment, "not replicated"), "%s", comment);
}
END_TEST

/* What all have needs no name. */
START_TEST(test_step_down_told) {
	struct role_order order = { .primary_ip = address("10.0.0.9"), .heard = 6, .why = "x" };
	AUTO_FREE char *comment = NULL;
	uint64_t last;

	good_scale("set status enable\nset role primary\n");
	last = order.told = engine->revision;
	ck_assert_int_eq(role_order(role, &order, NULL), 0);
	comment = comment_of_last(last);
	ck_assert_str_eq(comment, "");
}
END_TEST

START_TEST(test_order_primary) {
	struct role_order order = { .primary = true, .why = "callback" };
	struct err err = { 0 };

	ck_assert_int_eq(role_order(role, &order, &err), ERR_CONFLICT); /* of no group */
	good_scale("set status enable\n");
	good_bring(3, 17, NULL);
	ck_assert_int_eq(role_order(role, &order, NULL), 0);
	check_known(4, true, OTHER, 17);
}
END_TEST

/* What a unit had when it joined, up to its last edit before. */
START_TEST(test_former) {
	AUTO_FREE char *comment = NULL, *later = NULL, *wanted = NULL;
	uint64_t last;

	good_scale("set status enable\n");
	ck_assert_int_eq(edit("firewall.address", "mine", "", NULL), 0);
	last = engine->revision;
	good_bring(1, 17, "theirs");
	wanted = xasprintf("not replicated: revisions 1 to %d (the configuration of " OTHER
			   ", which leads epoch 1, replaces it)", (int)last);
	comment = comment_of_last(last);
	ck_assert_str_eq(comment, wanted);
	good_bring(1, 18, "more");
	later = comment_of_last(last + 1);
	ck_assert_str_eq(later, "");
}
END_TEST

/* One that has what the others have gives up nothing. */
START_TEST(test_former_is_same) {
	AUTO_FREE char *comment = NULL;
	uint64_t last;

	good_scale("set status enable\n");
	last = engine->revision;
	good_bring(1, 17, NULL);
	comment = comment_of_last(last);
	ck_assert_str_eq(comment, "");
}
END_TEST

static void take_warning(void *arg, const char *text) {
	snprintf(arg, WARN_TEXT_MAX, "%s", text);
}

/* The warning of a commit of system auto-scale, or "". */
static const char *warning_of(const char *body) {
	static char text[WARN_TEXT_MAX];
	struct txn *t = txn_new(engine, "tester", "cli");

	*text = '\0';
	ck_assert_int_eq(fixture_put(t, "system.auto-scale", "", TXN_ANY, body, NULL), 0);
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	warn_drain(txn_warnings(t), take_warning, text);
	txn_free(t);
	return text;
}

/* Who joins with policies of his own hears of it when he does. */
START_TEST(test_warning) {
	ck_assert_str_eq(warning_of("set status enable\n"), "");
	good_scale("");
	ck_assert_int_eq(edit("firewall.policy", "1", POLICY, NULL), 0);
	ck_assert_str_eq(warning_of("set status enable\nset role primary\n"), "");
	ck_assert_str_eq(warning_of("set role primary\n"), "");
	ck_assert_str_eq(warning_of("set status enable\nset primary-ip 10.0.0.1\n"),
			 "system auto-scale: the configuration of the primary will replace that of "
			 "this unit, with its 1 firewall policy: only its history will have it");
	ck_assert_str_eq(warning_of("set status enable\nset hb-interval 3\n"), "");
}
END_TEST

/* ---- members ---- */

START_TEST(test_members) {
	struct membership now = { .heard = 2, .n = 2 };

	good_scale("set status enable\nset role primary\n");
	now.member[0] = (struct member){ "GHVM1", VMID, MEMBER_SECONDARY, address("10.0.0.1"), 5,
					 0 };
	now.member[1] = (struct member){ "GHVM2", VMID, MEMBER_SECONDARY, address("10.0.0.2"), 6,
					 0 };
	ck_assert_int_eq(role_meet(role, &now, NULL), 0);
	ck_assert_int_eq(role_link(role, "GHVM1", 4, NULL), 0);
	restart();
	ck_assert_uint_eq(known()->n, 2);
	ck_assert_uint_eq(known()->member[0].sync_id, 4);
	/* the first leaves; what was made for it is remembered until it is gone */
	now.member[0] = now.member[1];
	now.n = 1;
	ck_assert_int_eq(role_meet(role, &now, NULL), 0);
	restart();
	ck_assert_uint_eq(known()->n, 2);
	ck_assert_str_eq(known()->member[1].serial, "GHVM1");
	ck_assert_int_eq(known()->member[1].role, MEMBER_GONE);
	ck_assert_int_eq(role_link(role, "GHVM1", 0, NULL), 0);
	ck_assert_uint_eq(known()->n, 1);
	restart();
	ck_assert_uint_eq(known()->n, 1);
	ck_assert_str_eq(known()->member[0].serial, "GHVM2");
}
END_TEST

/* A commit that fails leaves the epoch as it was, in memory and in the database. */
START_TEST(test_commit_fails) {
	struct fake_kernel k = { .n_apply = 0 };
	struct err err = { 0 };

	fake_kernel_attach(&k, engine);
	k.fail_apply = true;
	ck_assert_int_ne(scale("set status enable\nset role primary\n", &err), 0);
	ck_assert_uint_eq(known()->epoch, 0);
	k.fail_apply = false;
	good_scale("set status enable\nset role primary\n");
	ck_assert_uint_eq(known()->epoch, 1);
	fake_kernel_done(&k);
}
END_TEST

static Suite *role_suite(void) {
	Suite *s = suite_create("role");
	TCase *t = fixture_case(s, "role");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_found);
	tcase_add_test(t, test_follow);
	tcase_add_test(t, test_joined);
	tcase_add_test(t, test_bring_refused);
	tcase_add_test(t, test_never_synced);
	tcase_add_test(t, test_above_all);
	tcase_add_test(t, test_no_epoch_left);
	tcase_add_test(t, test_guard);
	tcase_add_test(t, test_step_down);
	tcase_add_test(t, test_stepped_down_by_hand);
	tcase_add_test(t, test_step_down_told);
	tcase_add_test(t, test_order_primary);
	tcase_add_test(t, test_former);
	tcase_add_test(t, test_former_is_same);
	tcase_add_test(t, test_warning);
	tcase_add_test(t, test_members);
	tcase_add_test(t, test_commit_fails);
	return s;
}

int main(void) {
	return fixture_run(role_suite());
}
