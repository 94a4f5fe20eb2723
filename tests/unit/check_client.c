/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shell's end of the control socket against the daemon's: a server in a process of its own on
 * an engine in a temporary directory, and clients that use, overuse and lose their connections.
 */
#include "cfgdb/control/client.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/served.h"

static struct served served;
static const char *path;            /* of its socket */
static struct client *client;

static struct client *connected(void) {
	struct err err = { 0 };
	struct client *c = client_open(path, &err);

	ck_assert_msg(c != NULL, "%s", err.text);
	return c;
}

static void setup(void) {
	served_init(&served);
	path = served.path;
	client = connected();
}

static void teardown(void) {
	client_close(client);
	served_done(&served);
}

static void good(int rc, const struct err *err) {
	ck_assert_msg(rc == 0, "%d %s", rc, err->text);
}

/* ---- an ordinary session ---- */

static struct object *got(struct client *c, const char *table, const char *key) {
	struct err err = { 0 };
	struct object *obj = NULL;

	good(client_get(c, fixture_table(table), key, &obj, &err), &err);
	return obj;
}

static int put(struct client *c, const char *table, const char *key, uint64_t ver, const char *body,
	       struct err *err) {
	struct object *obj = object_new(fixture_table(table), key);
	int rc = text_parse(obj, body, err);

	obj->ver = ver;
	rc = rc ? rc : client_put(c, obj, err);
	object_free(obj);
	return rc;
}

START_TEST(test_hello) {
	struct stat st;

	ck_assert_str_eq(client_info(client)->hostname, "unit");
	ck_assert_str_eq(client_info(client)->version, "1.2.3");
	ck_assert_uint_gt(strlen(client_info(client)->user), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
}
END_TEST

START_TEST(test_put_get_delete) {
	struct err err = { 0 };
	struct object *obj;

	good(put(client, "firewall.address", "a", CLIENT_NEW, "set comment 'two\nlines'\n", &err),
	     &err);
	obj = got(client, "firewall.address", "a");
	ck_assert_str_eq(object_str(obj, FIREWALL_ADDRESS__COMMENT), "two\nlines");
	ck_assert_uint_gt(obj->ver, 0);
	ck_assert_int_eq(put(client, "firewall.address", "a", CLIENT_NEW, "", &err), ERR_LOCKED);
	good(put(client, "firewall.address", "a", obj->ver, "set comment other\n", &err), &err);
	object_free(obj);
	good(client_rename(client, fixture_table("firewall.address"), "a", "b", &err), &err);
	ck_assert_int_ne(client_place(client, fixture_table("firewall.policy"), "1", true, "2", &err),
			 0);
	good(client_purge(client, fixture_table("router.static"), &err), &err);
	good(client_delete(client, fixture_table("firewall.address"), "b", &err), &err);
	ck_assert_int_eq(client_delete(client, fixture_table("firewall.address"), "a", &err),
			 ERR_NOT_FOUND);
	ck_assert_int_eq(client_get(client, fixture_table("firewall.address"), "a", &obj, &err),
			 ERR_NOT_FOUND);
	obj = got(client, "system.ha", "");
	ck_assert_uint_eq(obj->n_fields, 0);
	ck_assert_uint_eq(obj->ver, CLIENT_NEW);
	object_free(obj);
}
END_TEST

static void take_warning(void *arg, const char *text) {
	str_addf(arg, "%s|", text);
}

/* What the unit sealed may be set again; what it did not, or what is too long to be asked, not. */
START_TEST(test_check_secret) {
	const struct schema_table *table = fixture_table("system.auto-scale");
	struct object *obj = got(client, "system.auto-scale", "");
	AUTO_FREE char *longer = xasprintf("ENC %0*d", VALUE_SEALED_MAX + 1, 0);
	struct err err = { 0 };
	const char *sealed;

	good(put(client, "system.auto-scale", "", obj->ver, "set psksecret verysecretindeed\n", &err),
	     &err);
	object_free(obj);
	obj = got(client, "system.auto-scale", "");
	sealed = object_str(obj, SYSTEM_AUTO_SCALE__PSKSECRET);
	good(client_check_secret(client, table, SYSTEM_AUTO_SCALE__PSKSECRET, sealed, &err), &err);
	ck_assert_int_eq(client_check_secret(client, table, SYSTEM_AUTO_SCALE__PSKSECRET, "ENC Zm9v", &err),
			 ERR_VALUE);
	ck_assert_str_eq(err.text, "");
	ck_assert_int_eq(
		client_check_secret(client, table, SYSTEM_AUTO_SCALE__PSKSECRET, longer, &err),
		ERR_VALUE);
	object_free(obj);
	object_free(got(client, "system.auto-scale", ""));
}
END_TEST

/* Warnings come before the answer; who does not ask for them misses nothing else. */
START_TEST(test_warning) {
	struct object *obj = got(client, "system.auto-scale", "");
	AUTO_STR struct str said = STR_INIT;
	struct err err = { 0 };

	good(put(client, "system.auto-scale", "", obj->ver, "set psksecret short\n", &err), &err);
	client_on_warning(client, take_warning, &said);
	object_free(obj);
	obj = got(client, "system.auto-scale", "");
	good(put(client, "system.auto-scale", "", obj->ver, "set psksecret tiny\n", &err), &err);
	ck_assert_str_eq(str_text(&said), "system auto-scale: psksecret has fewer than 16 characters|");
	object_free(obj);
}
END_TEST

/* The prompt's name follows a commit. */
START_TEST(test_hostname) {
	struct err err = { 0 };
	struct object *obj = got(client, "system.global", "");

	good(put(client, "system.global", "", obj->ver, "set hostname other\n", &err), &err);
	ck_assert_str_eq(client_info(client)->hostname, "other");
	object_free(obj);
}
END_TEST

static int count_object(void *arg, struct object *obj) {
	object_free(obj);
	return ++*(int *)arg == 5;
}

static int count_key(void *arg, const char *key, const char *remark) {
	str_addf(arg, "%s%s ", key, remark);
	return 0;
}

static int add_key(void *arg, struct object *obj) {
	str_addf(arg, "%s ", obj->key);
	object_free(obj);
	return 0;
}

START_TEST(test_lists) {
	struct err err = { 0 };
	AUTO_STR struct str keys = STR_INIT;
	uint64_t id = 0;
	int n = 0;

	/* who has seen enough leaves the connection in step */
	good(client_list(client, fixture_table("firewall.service.custom"), count_object, &n, &err),
	     &err);
	ck_assert_int_eq(n, 5);
	good(client_keys(client, fixture_table("firewall.address"), "", 99, count_key, &keys, &err),
	     &err);
	ck_assert_str_eq(str_text(&keys), "all none ");
	good(client_next_id(client, fixture_table("firewall.policy"), &id, &err), &err);
	ck_assert_uint_eq(id, 1);
	good(client_check_ref(client, fixture_table("firewall.policy"), FIREWALL_POLICY__SRCINTF,
			      "any", &err),
	     &err);
	ck_assert_int_eq(client_check_ref(client, fixture_table("firewall.policy"),
					  FIREWALL_POLICY__SRCINTF, "x", &err),
			 ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "");
}
END_TEST

/* A group that was given a member made after it comes after that member, so that the list loads. */
START_TEST(test_list_order) {
	struct err err = { 0 };
	AUTO_STR struct str keys = STR_INIT;
	struct object *obj;

	good(put(client, "firewall.addrgrp", "first", CLIENT_NEW, "set member all\n", &err), &err);
	good(put(client, "firewall.addrgrp", "second", CLIENT_NEW, "set member all\n", &err), &err);
	obj = got(client, "firewall.addrgrp", "first");
	good(put(client, "firewall.addrgrp", "first", obj->ver, "set member second\n", &err), &err);
	object_free(obj);
	good(client_list(client, fixture_table("firewall.addrgrp"), add_key, &keys, &err), &err);
	ck_assert_str_eq(str_text(&keys), "second first ");
}
END_TEST

START_TEST(test_transaction) {
	struct client *other = connected();
	struct err err = { 0 };
	struct object *obj;

	good(client_begin(client, &err), &err);
	good(put(client, "firewall.address", "a", CLIENT_NEW, "", &err), &err);
	ck_assert_int_eq(client_get(other, fixture_table("firewall.address"), "a", &obj, &err),
			 ERR_NOT_FOUND);
	good(client_commit(client, &err), &err);
	object_free(got(other, "firewall.address", "a"));
	good(client_begin(client, &err), &err);
	good(client_delete(client, fixture_table("firewall.address"), "a", &err), &err);
	good(client_abort(client, &err), &err);
	object_free(got(client, "firewall.address", "a"));
	/* who hangs up in the middle leaves nothing */
	good(client_begin(other, &err), &err);
	good(client_delete(other, fixture_table("firewall.address"), "a", &err), &err);
	client_close(other);
	object_free(got(client, "firewall.address", "a"));
}
END_TEST

/* A comment has a bound; a commit that is refused here is not sent. */
START_TEST(test_comment) {
	char comment[CTL_COMMENT_MAX + 2];
	const struct client_commit how = { .comment = comment }, waits = { 1, "" };
	struct err err = { 0 };

	memset(comment, 'c', sizeof(comment));
	comment[sizeof(comment) - 1] = '\0';
	good(client_begin(client, &err), &err);
	good(put(client, "firewall.address", "a", CLIENT_NEW, "", &err), &err);
	ck_assert_int_eq(client_commit_as(client, &how, &err), ERR_TOO_LONG);
	comment[CTL_COMMENT_MAX] = '\0';
	good(client_commit_as(client, &how, &err), &err);
	object_free(got(client, "firewall.address", "a"));
	/* this daemon has nothing that would take it back */
	good(client_begin(client, &err), &err);
	ck_assert_int_eq(client_commit_as(client, &waits, &err), ERR_CONFLICT);
}
END_TEST

struct hearing {
	struct str text;
	size_t most;         /* bytes after which there is enough */
};

static void hear_text(void *arg, const char *text, size_t len) {
	str_add_bytes(&((struct hearing *)arg)->text, text, len);
}

static bool heard_enough(void *arg) {
	const struct hearing *h = arg;

	return h->text.len >= h->most;
}

/* Runs a command, its output in place of what was heard before. */
static int run(struct client *c, size_t n_words, char *const words[], struct hearing *h,
	       struct err *err) {
	const struct client_output out = { hear_text, heard_enough, h, false, false, hear_text };

	str_clear(&h->text);
	return client_run(c, n_words, words, &out, err);
}

START_TEST(test_run) {
	char *words[] = { (char *)"diagnose", (char *)"shout", (char *)"a b", (char *)"" };
	struct err err = { 0 };
	struct hearing h = { .text = STR_INIT, .most = SIZE_MAX };

	good(run(client, 4, words, &h, &err), &err);
	ck_assert_str_eq(str_text(&h.text), "a b\n\n");
	ck_assert_int_eq(run(client, 3, words, &h, &err), ERR_VALUE);
	ck_assert_str_eq(str_text(&h.text), "a b\n");
	ck_assert_str_eq(err.text, "one word is not enough");
	good(run(client, 2, words, &h, &err), &err);
	ck_assert_uint_gt(h.text.len, 200000);
	ck_assert_str_eq(str_text(&h.text) + h.text.len - 11, "line 19999\n");
	str_done(&h.text);
}
END_TEST

/* ---- output in pieces ---- */

static int count(struct client *c, const char *kind, struct hearing *h, struct err *err) {
	char *words[] = { (char *)"diagnose", (char *)"count", (char *)kind };

	return run(c, *kind ? 3 : 2, words, h, err);
}

START_TEST(test_stream) {
	struct hearing h = { .text = STR_INIT, .most = SIZE_MAX };
	struct err err = { 0 };

	good(count(client, "3", &h, &err), &err);
	ck_assert_str_eq(str_text(&h.text), "1\n2\n3\n");
	good(count(client, "pause", &h, &err), &err);
	ck_assert_str_eq(str_text(&h.text), "1\n2\n");
	ck_assert_int_eq(count(client, "fail", &h, &err), ERR_VALUE);
	ck_assert_str_eq(str_text(&h.text), "1\n");
	ck_assert_str_eq(err.text, "no more");
	ck_assert_int_eq(count(client, "", &h, &err), ERR_INCOMPLETE);
	good(count(client, "20000", &h, &err), &err);
	ck_assert_str_eq(str_text(&h.text) + h.text.len - 12, "19999\n20000\n");
	ck_assert_uint_eq(served.tally->open, 0);
	str_done(&h.text);
}
END_TEST

/* What is left early ends there, and the connection goes on. */
START_TEST(test_stream_cancelled) {
	struct hearing h = { .text = STR_INIT };
	struct err err = { 0 };
	const char *last;

	for (size_t most = 0; most < 3000000; most += 1000000) {
		h.most = most;
		good(count(client, "endless", &h, &err), &err);
		last = strstr(str_text(&h.text), "left at ");
		ck_assert(last && strtoul(last + 8, NULL, 10) > 0);
		ck_assert_uint_le(last - str_text(&h.text), most + CTL_TEXT_CHUNK);
		ck_assert_uint_eq(served.tally->open, 0);
	}
	h.most = 0; /* one that waits is left, too */
	good(count(client, "pause", &h, &err), &err);
	h.most = 1; /* it ends before anybody hears of the cancellation */
	good(count(client, "1", &h, &err), &err);
	h.most = SIZE_MAX;
	good(count(client, "2", &h, &err), &err);
	ck_assert_str_eq(str_text(&h.text), "1\n2\n");
	str_done(&h.text);
}
END_TEST

static int dial(void) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_uint_lt(strlen(path), sizeof(addr.sun_path));
	strcpy(addr.sun_path, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void put_frame(struct buf *wire, const struct buf *frame) {
	buf_put_u32(wire, (uint32_t)frame->len);
	buf_put_bytes(wire, frame->data, frame->len);
}

/* Asks for an endless answer and reads none of it. */
static int dial_endless(void) {
	AUTO_BUF struct buf hello = BUF_INIT, run = BUF_INIT, wire = BUF_INIT;
	int fd = dial();

	buf_put_u8(&hello, CTL_HELLO);
	buf_put_u32(&hello, CTL_VERSION);
	buf_put_str(&hello, schema_digest);
	buf_put_u8(&run, CTL_RUN);
	buf_put_u8(&run, CTL_FORM_TEXT);
	buf_put_u16(&run, 3);
	buf_put_str(&run, "diagnose");
	buf_put_str(&run, "count");
	buf_put_str(&run, "endless");
	put_frame(&wire, &hello);
	put_frame(&wire, &run);
	ck_assert_int_eq(send(fd, wire.data, wire.len, 0), (ssize_t)wire.len);
	return fd;
}

/* Nobody waits for one that does not read, little is made for it; when it goes, its stream goes. */
START_TEST(test_stream_unread) {
	struct hearing h = { .text = STR_INIT, .most = SIZE_MAX };
	struct err err = { 0 };
	int fds[3];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = dial_endless();
	while (served.tally->open < ARRAY_LEN(fds))
		sched_yield();
	good(count(client, "20000", &h, &err), &err);
	ck_assert_uint_lt(served.tally->pieces, 20000 + 3 * 200); /* of 8 kB each */
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	while (served.tally->open > 0)
		sched_yield();
	str_done(&h.text);
}
END_TEST

/* A second request before the end of the answer is a fault of the client: it is hung up on. */
START_TEST(test_stream_interrupted) {
	AUTO_BUF struct buf frame = BUF_INIT, wire = BUF_INIT;
	char data[65536];
	int fd = dial_endless();
	ssize_t n;

	while (served.tally->open == 0)
		sched_yield();
	buf_put_u8(&frame, CTL_BEGIN);
	put_frame(&wire, &frame);
	ck_assert_int_eq(send(fd, wire.data, wire.len, 0), (ssize_t)wire.len);
	while ((n = recv(fd, data, sizeof(data), 0)) > 0)
		;
	ck_assert(n == 0 || errno == ECONNRESET);
	ck_assert_uint_eq(served.tally->open, 0);
	close(fd);
}
END_TEST

/* ---- more than fits ---- */

static int no_key(void *arg, const char *key, const char *remark) {
	(void)arg;
	ck_abort_msg("%s %s", key, remark);
	return 0;
}

/* What no daemon takes is refused here: the connection lives on. */
START_TEST(test_too_long) {
	const struct schema_table *address = fixture_table("firewall.address");
	AUTO_FREE char *text = xcalloc(70000, 1);
	struct hearing none = { .text = STR_INIT, .most = SIZE_MAX };
	char *words[300];
	struct err err = { 0 };
	struct object *obj = NULL;

	memset(text, 'a', 69999);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i] = (char *)"x";
	ck_assert_int_eq(run(client, ARRAY_LEN(words), words, &none, &err), ERR_TOO_LONG);
	words[1] = text;
	ck_assert_int_eq(run(client, 2, words, &none, &err), ERR_TOO_LONG);
	ck_assert_uint_eq(none.text.len, 0);
	ck_assert_int_eq(client_get(client, address, text, &obj, &err), ERR_NOT_FOUND);
	ck_assert_int_eq(client_delete(client, address, text, &err), ERR_NOT_FOUND);
	ck_assert_int_eq(client_check_ref(client, fixture_table("firewall.policy"),
					  FIREWALL_POLICY__SRCADDR, text, &err),
			 ERR_NOT_FOUND);
	good(client_keys(client, address, text, 9, no_key, NULL, &err), &err);
	object_free(got(client, "firewall.address", "all"));
}
END_TEST

START_TEST(test_large_object) {
	AUTO_STR struct str body = STR_INIT;
	struct object *obj = object_new(fixture_table("webfilter.profile"), "p"), *holder;
	struct err err = { 0 };

	/* the largest list of the longest texts that an attribute takes */
	str_add(&body, "config ftgd-wf\nconfig filters\n");
	for (int i = 1; i <= 30; i++) {
		str_addf(&body, "edit %d\nset auth-usr-grp", i);
		for (int n = 0; n < 1500; n++)
			str_addf(&body, " %076d", n);
		str_add(&body, "\nnext\n");
	}
	str_add(&body, "end\nend\n");
	good(text_parse(obj, str_text(&body), &err), &err);
	obj->ver = CLIENT_NEW;
	good(client_put(client, obj, &err), &err);
	object_free(obj);
	obj = got(client, "webfilter.profile", "p");
	holder = value_item(object_get(obj, WEBFILTER_PROFILE__FTGD_WF), 0)->entry;
	ck_assert_uint_eq(object_count(holder, WEBFILTER_PROFILE_FTGD_WF__FILTERS), 30);
	for (int i = 1; i <= 30; i++) {
		AUTO_FREE char *key = xasprintf("%d", i);
		struct object *entry =
			object_child(holder, WEBFILTER_PROFILE_FTGD_WF__FILTERS, key);
		struct value *v =
			object_get_mutable(entry, WEBFILTER_PROFILE_FTGD_WF_FILTERS__AUTH_USR_GRP);

		for (int n = 0; n < 2500; n++)
			value_add_item(v, (union item){ .str = xasprintf("%076d", n + 10000) });
	}
	ck_assert_int_eq(client_put(client, obj, &err), ERR_TOO_LONG);
	object_free(obj);
	object_free(got(client, "firewall.address", "all"));
}
END_TEST

/* ---- connections that break ---- */

START_TEST(test_no_server) {
	AUTO_FREE char *long_path = xcalloc(300, 1);
	struct err err = { 0 };

	served_stop(&served);
	ck_assert_ptr_null(client_open(path, &err));
	ck_assert_int_eq(err.code, ERR_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot reach gatehoused at "));
	memset(long_path, 'x', 299);
	ck_assert_ptr_null(client_open(long_path, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "path is too long for a socket"));
	client_close(NULL);
}
END_TEST

/* A server that dies: one error, the same from then on, no signal and no wait. */
START_TEST(test_server_dies) {
	struct err err = { 0 };
	struct object *obj = NULL;

	served_stop(&served);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(client_get(client, fixture_table("system.ha"), "", &obj, &err),
				 ERR_TIMEOUT);
		ck_assert_str_eq(err.text,
				 "the configuration daemon does not answer: connection lost");
		ck_assert_int_eq(client_commit(client, &err), ERR_TIMEOUT);
	}
	served_start(&served);
	ck_assert_int_eq(client_commit(client, &err), ERR_TIMEOUT);
	client_close(client);
	client = connected();
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} broken[] = {
	{ "\x00\x00\x00\x00", 4 },     { "\xff\xff\xff\xff", 4 },
	{ "\x00\x80\x00\x01", 4 },     { "\x00\x00\x00\x01\x02", 5 },
	{ "\x00\x00\x00\x01\xff", 5 }, { "GET / HTTP/1.0\r\n\r\n", 18 },
};

/* Who does not speak the protocol is hung up on; others notice nothing. */
START_TEST(test_junk) {
	int fd = dial();
	char byte;

	ck_assert_int_eq(send(fd, broken[_i].bytes, broken[_i].len, MSG_NOSIGNAL),
			 (ssize_t)broken[_i].len);
	ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
	close(fd);
	object_free(got(client, "firewall.address", "all"));
}
END_TEST

/* A frame that comes byte by byte is a frame; one that never ends keeps nobody waiting. */
START_TEST(test_slow) {
	AUTO_BUF struct buf hello = BUF_INIT;
	int fd = dial(), stuck = dial();
	char byte;

	ck_assert_int_eq(send(stuck, "\x00\x00\x10\x00\x01", 5, MSG_NOSIGNAL), 5);
	buf_put_u32(&hello, (uint32_t)(1 + 4 + 4 + strlen(schema_digest)));
	buf_put_u8(&hello, CTL_HELLO);
	buf_put_u32(&hello, CTL_VERSION);
	buf_put_str(&hello, schema_digest);
	for (size_t i = 0; i < hello.len; i++)
		ck_assert_int_eq(send(fd, hello.data + i, 1, MSG_NOSIGNAL), 1);
	ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
	object_free(got(client, "firewall.address", "all"));
	close(fd);
	close(stuck);
}
END_TEST

/* Requests whose answers nobody reads: the server stops reading them, and serves the others. */
START_TEST(test_reader_that_sleeps) {
	AUTO_BUF struct buf frames = BUF_INIT;
	int fd = dial();
	size_t sent = 0;
	ssize_t n;

	buf_put_u32(&frames, (uint32_t)(1 + 4 + 4 + strlen(schema_digest)));
	buf_put_u8(&frames, CTL_HELLO);
	buf_put_u32(&frames, CTL_VERSION);
	buf_put_str(&frames, schema_digest);
	for (int i = 0; i < 100000; i++) {
		buf_put_u32(&frames, 3);
		buf_put_u8(&frames, CTL_LIST);
		buf_put_u16(&frames, fixture_table("firewall.service.custom")->id);
	}
	for (int quiet = 0; quiet < 20;) {
		n = send(fd, frames.data + sent, frames.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		quiet = n > 0 ? 0 : quiet + 1;
		sent += n > 0 ? (size_t)n : 0;
		ck_assert(n > 0 || errno == EAGAIN);
		object_free(got(client, "firewall.address", "all"));
	}
	ck_assert_uint_lt(sent, frames.len);
	close(fd);
	object_free(got(client, "firewall.address", "all"));
}
END_TEST

/* More connections than the server serves are ended at once; those before them live on. */
START_TEST(test_many_connections) {
	int fd[300];
	unsigned int alive = 0, most = geteuid() == 0 ? 256 : 64;

	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = dial();
	object_free(got(client, "firewall.address", "all"));
	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		char byte;
		ssize_t n = recv(fd[i], &byte, 1, MSG_DONTWAIT);

		alive += n < 0 && errno == EAGAIN;
	}
	ck_assert_uint_eq(alive, most - 1);
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		close(fd[i]);
}
END_TEST

static Suite *client_suite(void) {
	Suite *s = suite_create("client");
	TCase *t = fixture_case(s, "client");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_hello);
	tcase_add_test(t, test_put_get_delete);
	tcase_add_test(t, test_check_secret);
	tcase_add_test(t, test_warning);
	tcase_add_test(t, test_hostname);
	tcase_add_test(t, test_lists);
	tcase_add_test(t, test_list_order);
	tcase_add_test(t, test_transaction);
	tcase_add_test(t, test_comment);
	tcase_add_test(t, test_run);
	tcase_add_test(t, test_stream);
	tcase_add_test(t, test_stream_cancelled);
	tcase_add_test(t, test_stream_unread);
	tcase_add_test(t, test_stream_interrupted);
	tcase_add_test(t, test_too_long);
	tcase_add_test(t, test_large_object);
	tcase_add_test(t, test_no_server);
	tcase_add_test(t, test_server_dies);
	tcase_add_loop_test(t, test_junk, 0, ARRAY_LEN(broken));
	tcase_add_test(t, test_slow);
	tcase_add_test(t, test_reader_that_sleeps);
	tcase_add_test(t, test_many_connections);
	return s;
}

int main(void) {
	return fixture_run(client_suite());
}
