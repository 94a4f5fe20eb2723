/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Config transactions as connections see them: who sees what, what is locked for whom, what a lost
 * connection, a commit that fails and the end of the time leave behind. The clock is the test's.
 */
#include "cfgdb/workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/cmd_transaction.h"
#include "cfgdb/ctl.h"
#include "cfgdb/pending.h"
#include "cfgdb/requests.h"
#include "tests/lib/fixture.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset schedule always\nset service ALL\n"
#define LOCKED                                                                                   \
	"Can not config the object since either the object or the referenced objects are being " \
	"configured by other transactions."
#define UUID(n) "set uuid 00000000-0000-4000-8000-00000000000" #n "\n"

static struct moment now;
static char *dir;
static struct engine *engine;
static struct server_config config;

static void test_clock(struct moment *ret) {
	*ret = now;
}

/* ---- one connection ---- */

struct wire {
	struct caller caller;
	struct str said;         /* warnings and texts */
	struct err err;          /* of the last request */
	uint64_t id;
	unsigned int n_objects;
};

static struct wire alice, alice2, bob;

static void hear(void *arg, const struct buf *frame) {
	struct wire *w = arg;
	struct buf_reader r;
	uint8_t type;

	buf_reader_init(&r, frame->data, frame->len);
	type = buf_get_u8(&r);
	if (type == CTL_ERROR) {
		int code = (int)buf_get_u32(&r);
		AUTO_FREE char *text = buf_get_str(&r, ERR_TEXT_MAX);

		err_set(&w->err, code, "%s", text);
	} else if (type == CTL_TEXT || type == CTL_WARNING) {
		AUTO_FREE char *text = buf_get_str(&r, CTL_TEXT_CHUNK);

		str_addf(&w->said, "%s%s", type == CTL_WARNING ? "warning: " : "", text);
		if (type == CTL_WARNING)
			str_add_char(&w->said, '\n');
	} else if (type == CTL_ID) {
		w->id = buf_get_u64(&r);
	} else if (type == CTL_OBJECT) {
		AUTO_FREE char *key = (buf_get_u64(&r), buf_get_str(&r, OBJECT_KEY_MAX));
		AUTO_FREE char *body = buf_get_str(&r, CTL_FRAME_MAX);

		w->n_objects++;
		str_addf(&w->said, "%s: %s", key, body);
	}
}

static int ask(struct wire *w, const struct buf *frame) {
	str_clear(&w->said);
	w->err = (struct err){ 0 };
	w->n_objects = 0;
	ck_assert(caller_request(&w->caller, frame->data, frame->len));
	return w->err.code;
}

static void wire_open(struct wire *w, const char *user) {
	AUTO_BUF struct buf b = BUF_INIT;

	*w = (struct wire){ .said = STR_INIT };
	caller_init(&w->caller, engine, &config, user, true);
	w->caller.send = hear;
	w->caller.send_arg = w;
	buf_put_u8(&b, CTL_HELLO);
	buf_put_u32(&b, CTL_VERSION);
	buf_put_str(&b, schema_digest);
	ck_assert_int_eq(ask(w, &b), 0);
}

static void wire_close(struct wire *w) {
	caller_done(&w->caller);
	str_done(&w->said);
}

/* Run a command, its words parted by single blanks. */
static int run(struct wire *w, const char *line) {
	AUTO_BUF struct buf b = BUF_INIT;
	AUTO_FREE char *copy = xstrdup(line);
	uint16_t n = 1;

	for (const char *p = line; *p; p++)
		n += *p == ' ';
	buf_put_u8(&b, CTL_RUN);
	buf_put_u8(&b, CTL_FORM_TEXT);
	buf_put_u16(&b, n);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		buf_put_str(&b, word);
	return ask(w, &b);
}

static int txn(struct wire *w, const char *words) {
	AUTO_FREE char *line = xasprintf("execute config-transaction %s", words);

	return run(w, line);
}

static int send_put(struct wire *w, const char *table, const char *key, uint64_t base,
		    const char *body) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_PUT);
	buf_put_u16(&b, fixture_table(table)->id);
	buf_put_str(&b, key);
	buf_put_u64(&b, base);
	buf_put_str(&b, body);
	return ask(w, &b);
}

static int named(struct wire *w, enum ctl_type type, const char *table, const char *key) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, (uint8_t)type);
	buf_put_u16(&b, fixture_table(table)->id);
	if (key)
		buf_put_str(&b, key);
	return ask(w, &b);
}

/* Put, from the version that the connection sees. */
static int put(struct wire *w, const char *table, const char *key, const char *body) {
	struct txn *view = workspace_txn(&w->caller.seat);
	struct txn *other = view ? NULL : txn_new(engine, "x", "x");
	uint64_t base = txn_base_version(view ? view : other, fixture_table(table), key);

	txn_free(other);
	return send_put(w, table, key, base, body);
}

static int drop(struct wire *w, const char *table, const char *key) {
	return named(w, CTL_DELETE, table, key);
}

static int get(struct wire *w, const char *table, const char *key) {
	return named(w, CTL_GET, table, key);
}

static int simple(struct wire *w, enum ctl_type type) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, (uint8_t)type);
	if (type == CTL_BEGIN)
		buf_put_u8(&b, CTL_BEGIN_CHANGE);
	if (type == CTL_COMMIT) {
		buf_put_u32(&b, 0);
		buf_put_str(&b, "");
	}
	return ask(w, &b);
}

#define GOOD(call, w) ck_assert_msg((call) == 0, "%d %s", (w)->err.code, (w)->err.text)

static void populate(void) {
	fixture_set(engine, "system.interface", "port1", "set type physical\n");
	fixture_set(engine, "firewall.address", "x", UUID(1));
	fixture_set(engine, "firewall.address", "y", UUID(2));
	fixture_set(engine, "firewall.address", "z", UUID(3));
	fixture_set(engine, "firewall.addrgrp", "g", UUID(4) "set member x\n");
	fixture_set(engine, "firewall.policy", "7", POLICY UUID(5) "set name p\nset dstaddr g\n");
}

static void hear_pending(void *arg, bool failed, const char *text) {
	(void)arg;
	(void)failed;
	(void)text;
}

static void open_all(void) {
	struct pending_config waiting = { .clock = test_clock, .boot_id = "x",
					  .tell = hear_pending };
	struct err err = { 0 };
	size_t n;

	engine = fixture_engine(dir);
	config = (struct server_config){ .path = "/unused", .group = "g", .version = "1" };
	config.commands = commands_transaction(&n);
	config.n_commands = n;
	config.workspace = workspace_new(engine, test_clock, &err);
	ck_assert_msg(config.workspace != NULL, "%s", err.text);
	waiting.engine = engine;
	config.pending = pending_open(&waiting, &err);
	ck_assert_msg(config.pending != NULL, "%s", err.text);
	wire_open(&alice, "alice");
	wire_open(&alice2, "alice");
	wire_open(&bob, "bob");
}

static void close_all(void) {
	wire_close(&alice);
	wire_close(&alice2);
	wire_close(&bob);
	pending_close(config.pending);
	workspace_free(config.workspace);
	ck_assert_uint_eq(engine->staged_bytes, 0);
	engine_close(engine);
}

static void setup(void) {
	now = (struct moment){ 1000000, 5000 };
	dir = fixture_dir();
	engine = fixture_engine(dir);
	populate();
	engine_close(engine);
	open_all();
}

static void teardown(void) {
	fixture_fault(NULL);
	close_all();
	free(dir);
}

/* ---- what is seen ---- */

/* What is put is seen where the transaction is open, and nowhere else before the commit. */
START_TEST(test_seen) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;

	GOOD(txn(&alice, "start"), &alice);
	ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "config transaction id=1 is open\n"));
	ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "after 60 minutes"));
	GOOD(put(&alice, "firewall.address", "new", UUID(6)), &alice);
	GOOD(put(&alice, "firewall.addrgrp", "g", UUID(4) "set member x new\n"), &alice);
	GOOD(drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(get(&alice, "firewall.address", "new"), &alice);
	ck_assert_int_eq(get(&alice, "firewall.policy", "7"), ERR_NOT_FOUND);
	ck_assert_int_eq(get(&bob, "firewall.address", "new"), ERR_NOT_FOUND);
	ck_assert_int_eq(get(&alice2, "firewall.address", "new"), ERR_NOT_FOUND);
	GOOD(get(&bob, "firewall.policy", "7"), &bob);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
	ck_assert_ptr_null(engine_staged(engine));
	GOOD(txn(&alice, "commit"), &alice);
	GOOD(get(&bob, "firewall.address", "new"), &bob);
	ck_assert_int_eq(get(&bob, "firewall.policy", "7"), ERR_NOT_FOUND);
	ck_assert_int_eq(txn(&alice, "commit"), ERR_NOT_FOUND);
	GOOD(put(&alice, "firewall.policy", "8", POLICY "set dstaddr g\n"), &alice);
	GOOD(get(&bob, "firewall.policy", "8"), &bob);
}
END_TEST

START_TEST(test_abort) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;

	GOOD(txn(&alice, "start 5"), &alice);
	GOOD(drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(txn(&alice, "abort"), &alice);
	ck_assert_int_eq(txn(&alice, "abort"), ERR_NOT_FOUND);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
	GOOD(put(&bob, "firewall.policy", "7", POLICY UUID(5) "set dstaddr all\n"), &bob);
}
END_TEST

/* Comment and author of the revision. */
START_TEST(test_comment) {
	struct revision rev;
	struct err err;

	GOOD(txn(&alice, "start"), &alice);
	GOOD(drop(&alice, "firewall.policy", "7"), &alice);
	ck_assert_int_eq(txn(&alice, "commit comment"), ERR_INCOMPLETE);
	ck_assert_int_eq(txn(&alice, "commit because"), ERR_PARSE);
	GOOD(txn(&alice, "commit comment cleanup"), &alice);
	ck_assert_int_eq(store_revision_get(engine->store, engine->revision, &rev, &err), 0);
	ck_assert_str_eq(rev.comment, "cleanup");
	ck_assert_str_eq(rev.user, "alice");
	revision_done(&rev);
}
END_TEST

/* ---- locks ---- */

/* What alice has staged, by which number of the table above, and what bob then wants. */
static const struct {
	const char *name;
	enum { OWN_PUT, OWN_DELETE } own;
	const char *table, *key, *body;
	bool put;                /* bob puts, or deletes */
	const char *its_table, *its_key, *its_body;
	int code;
} locks[] = {
	{ "the same object", OWN_PUT, "firewall.address", "y", UUID(2) "set comment a\n", true,
	  "firewall.address", "y", UUID(2) "set comment b\n", ERR_LOCKED },
	{ "deletion of it", OWN_PUT, "firewall.address", "y", UUID(2) "set comment a\n", false,
	  "firewall.address", "y", "", ERR_LOCKED },
	{ "another object of the table", OWN_PUT, "firewall.address", "y",
	  UUID(2) "set comment a\n", true, "firewall.address", "z", UUID(3) "set comment b\n", 0 },
	{ "deletion of another one", OWN_PUT, "firewall.address", "y", UUID(2) "set comment a\n",
	  false, "firewall.address", "z", "", 0 },
	{ "deletion of what is referred to now", OWN_PUT, "firewall.addrgrp", "g",
	  UUID(4) "set member x y\n", false, "firewall.address", "y", "", ERR_LOCKED },
	{ "a change of what is referred to now", OWN_PUT, "firewall.addrgrp", "g",
	  UUID(4) "set member x y\n", true, "firewall.address", "y", UUID(2) "set comment b\n",
	  0 },
	{ "a reference to what is deleted", OWN_DELETE, "firewall.address", "y", NULL, true,
	  "firewall.addrgrp", "h", "set member y\n", ERR_LOCKED },
	{ "a reference to what is changed", OWN_PUT, "firewall.address", "y",
	  UUID(2) "set comment a\n", true, "firewall.addrgrp", "h", "set member y\n", 0 },
	{ "a new object of that name", OWN_PUT, "firewall.address", "n", "", true,
	  "firewall.address", "n", "", ERR_LOCKED },
	{ "a new object of that name in a table beside it", OWN_PUT, "firewall.address", "n", "",
	  true, "firewall.addrgrp", "n", "set member x\n", ERR_LOCKED },
	{ "the same unique name", OWN_PUT, "firewall.policy", "8",
	  POLICY "set name q\nset dstaddr all\n", true, "firewall.policy", "9",
	  POLICY "set name q\nset dstaddr all\n", ERR_LOCKED },
	{ "another unique name", OWN_PUT, "firewall.policy", "8",
	  POLICY "set name q\nset dstaddr all\n", true, "firewall.policy", "9",
	  POLICY "set name r\nset dstaddr all\n", 0 },
	{ "the same settings", OWN_PUT, "system.settings", "", "set ses-denied-traffic enable\n",
	  true, "system.settings", "", "set asymroute enable\n", ERR_LOCKED },
	{ "a reference to an interface that was found", OWN_PUT, "firewall.policy", "8",
	  POLICY "set dstaddr all\n", true, "router.static", "1", "set device port1\n", 0 },
};

START_TEST(test_lock) {
	int rc;

	GOOD(txn(&alice, "start"), &alice);
	GOOD(locks[_i].own == OWN_PUT
		     ? put(&alice, locks[_i].table, locks[_i].key, locks[_i].body)
		     : drop(&alice, locks[_i].table, locks[_i].key),
	     &alice);
	rc = locks[_i].put ? put(&bob, locks[_i].its_table, locks[_i].its_key, locks[_i].its_body)
			   : drop(&bob, locks[_i].its_table, locks[_i].its_key);
	ck_assert_msg(rc == locks[_i].code, "%s: %d %s", locks[_i].name, rc, bob.err.text);
	if (rc == 0) { /* then the transaction is not harmed by it */
		GOOD(txn(&alice, "commit"), &alice);
		return;
	}
	ck_assert_ptr_nonnull(strstr(bob.err.text, ": config transaction id=1 of alice has it\n" LOCKED));
	GOOD(txn(&alice, "abort"), &alice);
	rc = locks[_i].put ? put(&bob, locks[_i].its_table, locks[_i].its_key, locks[_i].its_body)
			   : drop(&bob, locks[_i].its_table, locks[_i].its_key);
	ck_assert_msg(rc == 0 || rc == ERR_IN_USE, "%s: %d", locks[_i].name, rc);
}
END_TEST

/* Two held transactions, too, and the user's own other session. */
START_TEST(test_lock_held) {
	GOOD(txn(&alice, "start"), &alice);
	GOOD(txn(&alice2, "start"), &alice2);
	GOOD(txn(&bob, "start"), &bob);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	ck_assert_int_eq(drop(&alice2, "firewall.address", "y"), ERR_LOCKED);
	ck_assert_int_eq(drop(&bob, "firewall.address", "y"), ERR_LOCKED);
	GOOD(put(&bob, "firewall.addrgrp", "h", "set member y\n"), &bob);
	ck_assert_int_eq(drop(&alice, "firewall.address", "y"), ERR_LOCKED);
	GOOD(txn(&alice, "commit"), &alice);
	GOOD(txn(&bob, "commit"), &bob);
}
END_TEST

/* What was staged before the lock came is refused at its commit, and all of it. */
START_TEST(test_lock_comes_later) {
	GOOD(simple(&bob, CTL_BEGIN), &bob);
	GOOD(put(&bob, "firewall.address", "y", UUID(2) "set comment b\n"), &bob);
	GOOD(put(&bob, "firewall.address", "z", UUID(3) "set comment b\n"), &bob);
	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	ck_assert_int_eq(simple(&bob, CTL_COMMIT), ERR_LOCKED);
	GOOD(txn(&alice, "commit"), &alice);
	GOOD(get(&bob, "firewall.address", "z"), &bob);
	ck_assert_ptr_null(strstr(str_text(&bob.said), "comment"));
}
END_TEST

/* New numbers: each gets his own, and keeps it. */
START_TEST(test_numbers) {
	GOOD(txn(&alice, "start"), &alice);
	GOOD(send_put(&alice, "router.static", "0", TXN_NEXT, "set device port1\n"), &alice);
	GOOD(named(&bob, CTL_NEXT_ID, "router.static", NULL), &bob);
	ck_assert_uint_eq(bob.id, 2);
	GOOD(send_put(&bob, "router.static", "0", TXN_NEXT, "set device port1\n"), &bob);
	GOOD(send_put(&bob, "router.static", "1", TXN_NEXT, "set device port1\n"), &bob);
	ck_assert_str_eq(str_text(&bob.said), "warning: router static 1: someone else took the "
					      "number meanwhile, the new entry is 3\n");
	GOOD(txn(&alice, "commit"), &alice);
	ck_assert_str_eq(str_text(&alice.said), "");
	GOOD(named(&bob, CTL_LIST, "router.static", NULL), &bob);
	ck_assert_uint_eq(bob.n_objects, 3);
}
END_TEST

/* An interface that both take up is nobody's: who names it first adopts it for both. */
START_TEST(test_adopted) {
	struct txn *found = txn_new(engine, "system", "found");
	struct err err = { 0 };

	txn_as_found(found);
	ck_assert_int_eq(fixture_put(found, "system.interface", "port9", TXN_NEW,
				     "set type physical\n", &err), 0);
	ck_assert_int_eq(txn_commit(found, &err), 0);
	txn_free(found);
	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "router.static", "1", "set device port9\n"), &alice);
	GOOD(put(&bob, "router.static", "2", "set device port9\n"), &bob);
	GOOD(put(&bob, "system.interface", "port9", "set type physical\nset alias b\n"), &bob);
	GOOD(txn(&alice, "commit"), &alice);
	GOOD(get(&bob, "system.interface", "port9"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "alias"));
}
END_TEST

/* Who changes a found interface keeps others from taking it up meanwhile. */
START_TEST(test_adopted_locked) {
	struct txn *found = txn_new(engine, "system", "found");
	struct err err = { 0 };

	txn_as_found(found);
	ck_assert_int_eq(fixture_put(found, "system.interface", "port9", TXN_NEW,
				     "set type physical\n", &err), 0);
	ck_assert_int_eq(txn_commit(found, &err), 0);
	txn_free(found);
	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "system.interface", "port9", "set type physical\nset alias a\n"), &alice);
	ck_assert_int_eq(put(&bob, "router.static", "2", "set device port9\n"), ERR_LOCKED);
	GOOD(txn(&alice, "commit"), &alice);
	GOOD(put(&bob, "router.static", "2", "set device port9\n"), &bob);
}
END_TEST

/* What the primary says is not stopped; the transaction learns it at its commit, and stays. */
START_TEST(test_replicated) {
	const struct txn_origin origin = { "carol", "replicated", "", 0 };
	struct txn *t;
	struct err err = { 0 };

	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(put(&alice, "firewall.address", "z", UUID(3) "set comment a\n"), &alice);
	t = txn_new_replicated(engine, &origin);
	ck_assert_int_eq(txn_replicate_delete(t, fixture_table("firewall.address"), "y", &err), 0);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
	ck_assert_int_eq(txn(&alice, "commit"), ERR_LOCKED);
	ck_assert_str_eq(alice.err.text,
			 "config transaction id=1 stays open:\nfirewall address y:\n" LOCKED);
	GOOD(get(&alice, "firewall.address", "y"), &alice);
	GOOD(get(&bob, "firewall.address", "z"), &bob);
	ck_assert_ptr_null(strstr(str_text(&bob.said), "comment"));
	GOOD(txn(&alice, "abort"), &alice);
}
END_TEST

/* Neither is what the unit itself must do, whoever edits. */
START_TEST(test_override) {
	struct txn *t = txn_new(engine, "system", "auto-scale");
	struct err err = { 0 };

	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "system.auto-scale", "", "set hb-interval 5\n"), &alice);
	ck_assert_int_eq(fixture_put(t, "system.auto-scale", "", TXN_ANY, "set hb-interval 6\n",
				     &err), ERR_LOCKED);
	txn_override(t);
	ck_assert_int_eq(fixture_put(t, "system.auto-scale", "", TXN_ANY, "set hb-interval 6\n",
				     &err), 0);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
	ck_assert_int_eq(txn(&alice, "commit"), ERR_LOCKED);
}
END_TEST

/* ---- connections ---- */

START_TEST(test_lost_connection) {
	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	wire_close(&alice);
	wire_open(&alice, "alice");
	ck_assert_int_eq(drop(&alice, "firewall.address", "y"), ERR_LOCKED);
	ck_assert_int_eq(txn(&bob, "resume 1"), ERR_PERMISSION);
	ck_assert_str_eq(bob.err.text, "config transaction id=1 is of alice");
	ck_assert_int_eq(txn(&bob, "abort 1"), ERR_PERMISSION);
	ck_assert_int_eq(txn(&alice, "resume 2"), ERR_NOT_FOUND);
	GOOD(txn(&alice, "status"), &alice);
	ck_assert_str_eq(str_text(&alice.said), "config transaction id=1 of alice: not open, 1 "
						"changes, expires in 3600 seconds\n");
	GOOD(txn(&alice, "resume 1"), &alice);
	ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "id=1 is open, with 1 changes\n"));
	GOOD(txn(&alice, "resume 1"), &alice);
	GOOD(txn(&alice, "commit"), &alice);
	GOOD(get(&bob, "firewall.address", "y"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "comment"));
	ck_assert_int_eq(txn(&alice, "resume 1"), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "it was committed or aborted"));
}
END_TEST

/* A connection that hangs is no reason to wait; it then may change nothing by mistake. */
START_TEST(test_taken_over) {
	AUTO_FREE char *before = NULL, *after = NULL;

	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(txn(&alice2, "resume 1"), &alice2);
	before = fixture_snapshot(engine);
	ck_assert_int_eq(drop(&alice, "firewall.policy", "7"), ERR_CONFLICT);
	ck_assert_int_eq(simple(&alice, CTL_BEGIN), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "id=1 was resumed in another session"));
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
	GOOD(txn(&alice, "abort"), &alice); /* nothing of it here: it is accepted */
	GOOD(drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(txn(&alice2, "commit"), &alice2);
}
END_TEST

/* Root may do with it what its user may. */
START_TEST(test_root) {
	struct wire root;

	wire_open(&root, "root");
	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(txn(&root, "abort 1"), &root);
	ck_assert_int_eq(drop(&alice, "firewall.policy", "7"), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "id=1 was aborted in another session"));
	GOOD(txn(&alice, "start"), &alice);
	GOOD(drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(get(&bob, "firewall.policy", "7"), &bob);
	wire_close(&root);
}
END_TEST

/* ---- time ---- */

/* What is seen, and what brings the warnings; a change begins the time anew. */
START_TEST(test_expiry) {
	GOOD(txn(&alice, "start 1"), &alice);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	now.boot_s += 29;
	GOOD(named(&alice, CTL_LIST, "router.static", NULL), &alice);
	ck_assert_str_eq(str_text(&alice.said), "");
	now.boot_s += 1;
	GOOD(get(&alice, "firewall.address", "y"), &alice); /* completion asks so: nothing comes */
	ck_assert_ptr_null(strstr(str_text(&alice.said), "warning"));
	GOOD(named(&alice, CTL_LIST, "router.static", NULL), &alice);
	ck_assert_str_eq(str_text(&alice.said),
			 "warning: config transaction id=1 will expire in 30 seconds\n");
	GOOD(named(&alice, CTL_LIST, "router.static", NULL), &alice);
	ck_assert_str_eq(str_text(&alice.said), "");
	now.boot_s += 25;
	GOOD(named(&alice, CTL_LIST, "router.static", NULL), &alice);
	ck_assert_str_eq(str_text(&alice.said),
			 "warning: config transaction id=1 will expire in 5 seconds\n");
	GOOD(put(&alice, "firewall.address", "z", UUID(3) "set comment a\n"), &alice);
	now.boot_s += 59;
	ck_assert_int_eq(drop(&bob, "firewall.address", "y"), ERR_LOCKED);
	now.boot_s += 1;
	GOOD(drop(&bob, "firewall.address", "y"), &bob);
	ck_assert_int_eq(drop(&alice, "firewall.policy", "7"), ERR_CONFLICT);
	ck_assert_str_eq(str_text(&alice.said), "warning: config transaction id=1 has expired\n");
	ck_assert_int_eq(drop(&alice, "firewall.policy", "7"), ERR_CONFLICT);
	ck_assert_str_eq(str_text(&alice.said), "");
	ck_assert_int_eq(txn(&alice, "commit"), ERR_NOT_FOUND);
	ck_assert_str_eq(alice.err.text, "config transaction id=1 has expired");
	GOOD(txn(&alice, "abort"), &alice);
	GOOD(drop(&alice, "firewall.policy", "7"), &alice);
}
END_TEST

/* The whole time is there for who has lost his connection. */
START_TEST(test_expiry_detached) {
	GOOD(txn(&alice, "start 1"), &alice);
	now.boot_s += 50;
	wire_close(&alice);
	wire_open(&alice, "alice");
	now.boot_s += 59;
	GOOD(txn(&alice, "resume 1"), &alice);
	wire_close(&alice);
	wire_open(&alice, "alice");
	now.boot_s += 60;
	ck_assert_int_eq(txn(&alice, "resume 1"), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "has expired"));
}
END_TEST

START_TEST(test_minutes) {
	static const char *const bad[] = { "start 0", "start 1441", "start x", "start 1 2",
					   "resume", "resume x", "resume 1 2", "abort x",
					   "commit confirm", "commit confirm 0",
					   "commit confirm 1441", "status x" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(txn(&alice, bad[i]) != 0, "%s", bad[i]);
	GOOD(txn(&alice, "status"), &alice);
	ck_assert_str_eq(str_text(&alice.said), "no config transaction is open\n");
	GOOD(txn(&alice, "start 1440"), &alice);
	ck_assert_int_eq(txn(&alice, "start"), ERR_CONFLICT);
	ck_assert_int_eq(txn(&alice, "resume 7"), ERR_NOT_FOUND);
}
END_TEST

/* ---- bounds ---- */

START_TEST(test_bounds) {
	struct wire w[WORKSPACE_MAX + 1];

	for (unsigned int i = 0; i <= WORKSPACE_MAX; i++) {
		AUTO_FREE char *user = xasprintf("user%u", i / WORKSPACE_USER_MAX);

		wire_open(&w[i], user);
		ck_assert_int_eq(txn(&w[i], "start"), i < WORKSPACE_MAX ? 0 : ERR_MAX_ENTRIES);
	}
	wire_close(&w[0]);
	wire_open(&w[0], "user1");
	ck_assert_int_eq(txn(&w[0], "start"), ERR_MAX_ENTRIES);
	ck_assert_int_eq(txn(&w[1], "abort"), 0);
	ck_assert_int_eq(txn(&w[0], "start"), ERR_MAX_ENTRIES); /* one user's own bound */
	ck_assert_str_eq(w[0].err.text,
			 "8 config transactions of user1 are open: commit or abort one");
	ck_assert_int_eq(txn(&w[1], "start"), 0);
	for (unsigned int i = 0; i <= WORKSPACE_MAX; i++)
		wire_close(&w[i]);
}
END_TEST

/* ---- commits that fail ---- */

static const char *const points[] = { "store.write", "commit.kernel", "store.commit" };

/* Whatever fails, all that was staged is there as it was, and can be committed. */
START_TEST(test_failed_commit) {
	AUTO_FREE char *before = NULL, *after = NULL;
	bool failed = true;
	int n = 0;

	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "firewall.address", "new", UUID(6)), &alice);
	GOOD(put(&alice, "firewall.addrgrp", "g", UUID(4) "set member new\n"), &alice);
	GOOD(drop(&alice, "firewall.address", "x"), &alice);
	GOOD(drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(put(&alice, "firewall.policy", "7", POLICY UUID(7) "set dstaddr g\n"), &alice);
	before = fixture_snapshot(engine);
	while (failed) {
		AUTO_FREE char *fault = xasprintf("%s:%d", points[_i], ++n);
		AUTO_FREE char *now_is = NULL;

		fixture_fault(fault);
		failed = txn(&alice, "commit") != 0;
		fixture_fault(NULL);
		now_is = fixture_snapshot(engine);
		ck_assert(failed == (strcmp(now_is, before) == 0));
		if (!failed)
			break;
		GOOD(txn(&alice, "status"), &alice);
		ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "open here, 4 changes"));
		ck_assert_int_eq(get(&alice, "firewall.address", "x"), ERR_NOT_FOUND);
		GOOD(get(&alice, "firewall.policy", "7"), &alice);
		ck_assert_int_eq(drop(&bob, "firewall.policy", "7"), ERR_LOCKED);
	}
	ck_assert_int_gt(n, 1);
	after = fixture_snapshot(engine);
	GOOD(get(&bob, "firewall.policy", "7"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "000000000007"));
}
END_TEST

/* ---- commits that wait ---- */

/* By the command, and by the request of a script: what is told, who may confirm. */
START_TEST(test_confirm) {
	AUTO_BUF struct buf b = BUF_INIT;

	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(txn(&alice, "commit comment why confirm 5"), &alice);
	ck_assert_str_eq(str_text(&alice.said),
			 "warning: revision 8 will be taken back in 5 minutes unless it is "
			 "confirmed: execute config-transaction confirm 8\n");
	ck_assert_int_eq(drop(&alice, "firewall.address", "y"), ERR_LOCKED);
	GOOD(simple(&bob, CTL_BEGIN), &bob);
	GOOD(put(&bob, "firewall.address", "z", UUID(3) "set comment b\n"), &bob);
	buf_put_u8(&b, CTL_COMMIT);
	buf_put_u32(&b, 1);
	buf_put_str(&b, "");
	GOOD(ask(&bob, &b), &bob);
	GOOD(txn(&bob, "status"), &bob);
	ck_assert_str_eq(str_text(&bob.said),
			 "revision 9 of bob waits for its confirmation: it will be taken back in "
			 "60 seconds\n"
			 "revision 8 of alice waits for its confirmation: it will be taken back "
			 "in 300 seconds\n");
	GOOD(txn(&alice, "confirm"), &alice);
	ck_assert_str_eq(str_text(&alice.said), "revision 8 is confirmed\n");
	ck_assert_int_eq(txn(&alice, "confirm"), ERR_NOT_FOUND);
	GOOD(txn(&alice, "confirm 9"), &alice);
	GOOD(drop(&bob, "firewall.address", "z"), &bob);
}
END_TEST

/* A transaction that is held is no way around the lock; the end of the wait lets it through. */
START_TEST(test_confirm_and_held) {
	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(txn(&alice, "commit confirm 1"), &alice);
	GOOD(txn(&bob, "start"), &bob);
	ck_assert_int_eq(drop(&bob, "firewall.address", "y"), ERR_LOCKED);
	GOOD(drop(&bob, "firewall.address", "z"), &bob);
	now.boot_s += 60;
	now.wall_s += 60;
	pending_tick(config.pending);
	GOOD(get(&alice, "firewall.address", "y"), &alice);
	ck_assert_ptr_null(strstr(str_text(&alice.said), "comment"));
	GOOD(drop(&bob, "firewall.address", "y"), &bob);
	GOOD(txn(&bob, "commit"), &bob);
}
END_TEST

/* What is beyond the bound is not committed. */
START_TEST(test_confirm_bound) {
	AUTO_BUF struct buf b = BUF_INIT;

	GOOD(simple(&bob, CTL_BEGIN), &bob);
	GOOD(drop(&bob, "firewall.policy", "7"), &bob);
	buf_put_u8(&b, CTL_COMMIT);
	buf_put_u32(&b, PENDING_MINUTES_MAX + 1);
	buf_put_str(&b, "");
	ck_assert_int_eq(ask(&bob, &b), ERR_RANGE);
	GOOD(get(&bob, "firewall.policy", "7"), &bob);
}
END_TEST

/* ---- scripts ---- */

/* A block is staged, its end and its abort are not those of the transaction. */
START_TEST(test_block) {
	GOOD(txn(&alice, "start"), &alice);
	GOOD(simple(&alice, CTL_BEGIN), &alice);
	ck_assert_int_eq(simple(&alice, CTL_BEGIN), ERR_CONFLICT);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(simple(&alice, CTL_COMMIT), &alice);
	ck_assert_int_eq(simple(&alice, CTL_COMMIT), ERR_CONFLICT);
	GOOD(simple(&alice, CTL_BEGIN), &alice);
	GOOD(put(&alice, "firewall.address", "z", UUID(3) "set comment a\n"), &alice);
	GOOD(simple(&alice, CTL_ABORT), &alice);
	GOOD(get(&bob, "firewall.address", "y"), &bob);
	ck_assert_ptr_null(strstr(str_text(&bob.said), "comment"));
	GOOD(txn(&alice, "commit"), &alice);
	GOOD(get(&bob, "firewall.address", "z"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "comment"));
}
END_TEST

/* A configuration is restored whole and at once. */
START_TEST(test_replace) {
	AUTO_BUF struct buf b = BUF_INIT;

	GOOD(txn(&alice, "start"), &alice);
	buf_put_u8(&b, CTL_BEGIN);
	buf_put_u8(&b, CTL_BEGIN_REPLACE_FACTORY);
	ck_assert_int_eq(ask(&alice, &b), ERR_CONFLICT);
	GOOD(get(&alice, "firewall.policy", "7"), &alice);
	GOOD(put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(ask(&bob, &b), &bob);
	ck_assert_int_eq(simple(&bob, CTL_COMMIT), ERR_LOCKED); /* it would delete what is locked */
	GOOD(txn(&alice, "commit"), &alice);
}
END_TEST

START_TEST(test_atomic) {
	GOOD(simple(&alice, CTL_BEGIN), &alice);
	ck_assert_int_eq(txn(&alice, "start"), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "--atomic"));
	ck_assert_int_eq(txn(&alice, "resume 1"), ERR_CONFLICT);
}
END_TEST

/* ---- a new daemon ---- */

START_TEST(test_restart) {
	GOOD(txn(&alice, "start"), &alice);
	GOOD(drop(&alice, "firewall.policy", "7"), &alice);
	close_all();
	open_all();
	GOOD(get(&alice, "firewall.policy", "7"), &alice);
	ck_assert_int_eq(txn(&alice, "resume 1"), ERR_NOT_FOUND);
	ck_assert_str_eq(alice.err.text, "config transaction id=1 is not open: it was lost when "
					 "gatehoused was started anew");
	GOOD(txn(&alice, "start"), &alice);
	ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "id=2 is open"));
}
END_TEST

/* ---- what is told ---- */

START_TEST(test_show) {
	GOOD(txn(&alice, "start"), &alice);
	GOOD(put(&alice, "firewall.addrgrp", "g", UUID(4) "set member y\n"), &alice);
	GOOD(drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(run(&bob, "diagnose sys config-transaction show txn-entity"), &bob);
	ck_assert_str_eq(str_text(&bob.said), "id=1\n"
					      "    firewall addrgrp g: put\n"
					      "    firewall policy 7: delete\n");
	GOOD(run(&bob, "diagnose sys config-transaction show txn-lock"), &bob);
	ck_assert_str_eq(str_text(&bob.said),
			 "id=1\n"
			 "    firewall addrgrp g: nobody else can change or delete it\n"
			 "    firewall address y: nobody else can delete it\n"
			 "    firewall policy 7: nobody else can change or name it\n");
	GOOD(run(&bob, "diagnose sys config-transaction show txn-info"), &bob);
	ck_assert_ptr_nonnull(
		strstr(str_text(&bob.said), "id=1 user=alice state=attached changes=2 bytes="));
	GOOD(run(&bob, "diagnose sys config-transaction show txn-meta"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "open=1 max=32 max_by_user=8"));
}
END_TEST

static Suite *workspace_suite(void) {
	Suite *s = suite_create("workspace");
	TCase *t = fixture_case(s, "workspace");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_seen);
	tcase_add_test(t, test_abort);
	tcase_add_test(t, test_comment);
	tcase_add_loop_test(t, test_lock, 0, ARRAY_LEN(locks));
	tcase_add_test(t, test_lock_held);
	tcase_add_test(t, test_lock_comes_later);
	tcase_add_test(t, test_numbers);
	tcase_add_test(t, test_adopted);
	tcase_add_test(t, test_adopted_locked);
	tcase_add_test(t, test_replicated);
	tcase_add_test(t, test_override);
	tcase_add_test(t, test_lost_connection);
	tcase_add_test(t, test_taken_over);
	tcase_add_test(t, test_root);
	tcase_add_test(t, test_expiry);
	tcase_add_test(t, test_expiry_detached);
	tcase_add_test(t, test_minutes);
	tcase_add_test(t, test_bounds);
	tcase_add_loop_test(t, test_failed_commit, 0, ARRAY_LEN(points));
	tcase_add_test(t, test_confirm);
	tcase_add_test(t, test_confirm_and_held);
	tcase_add_test(t, test_confirm_bound);
	tcase_add_test(t, test_block);
	tcase_add_test(t, test_replace);
	tcase_add_test(t, test_atomic);
	tcase_add_test(t, test_restart);
	tcase_add_test(t, test_show);
	return s;
}

int main(void) {
	return fixture_run(workspace_suite());
}
