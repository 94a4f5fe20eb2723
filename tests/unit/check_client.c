/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shell's end of the control socket against the daemon's: a server in a process of its own on
 * an engine in a temporary directory, and clients that use, overuse and lose their connections.
 */
#include "cfgdb/client.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/command.h"
#include "cfgdb/ctl.h"
#include "cfgdb/server.h"
#include "cfgdb/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

static char *dir, *path;
static pid_t server;
static struct client *client;

/* ---- the server's process ---- */

static int shout_run(void *ctx, const struct model *model, size_t argc, char *const argv[],
		     struct str *out, struct err *err) {
	(void)ctx;
	(void)model;
	for (size_t i = 0; i < argc; i++)
		str_addf(out, "%s\n", argv[i]);
	for (int i = 0; argc == 0 && i < 20000; i++)
		str_addf(out, "line %d\n", i);
	return argc == 1 ? err_set(err, ERR_VALUE, "one word is not enough") : 0;
}

/* Serves until it is killed. */
static void serve(int ready) {
	static const struct command commands[] = { { "diagnose shout", shout_run, NULL } };
	struct server_config config = { .path = path,
					.group = "no such group",
					.commands = commands,
					.n_commands = 1,
					.version = "1.2.3" };
	struct event_base *base = event_base_new();
	struct err err = { 0 };
	struct engine *e = engine_open(dir, &err);
	struct server *s;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test does not stop it */
	signal(SIGPIPE, SIG_IGN);	  /* as the daemon does */
	if (!base || !e)
		_exit(1);
	fixture_set(e, "system.global", "", "set hostname unit\n");
	fixture_set(e, "system.interface", "port1", "set type physical\n");
	s = server_new(base, e, &config, &err);
	if (!s || write(ready, "r", 1) != 1)
		_exit(1);
	event_base_dispatch(base);
	_exit(0);
}

static void start(void) {
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	server = fork();
	if (server == 0) {
		close(ready[0]);
		serve(ready[1]);
	}
	close(ready[1]);
	ck_assert_msg(read(ready[0], &byte, 1) == 1, "the server does not start");
	close(ready[0]);
}

static void stop(void) {
	int status;

	if (server > 0) {
		kill(server, SIGKILL);
		ck_assert_int_eq(waitpid(server, &status, 0), server);
	}
	server = 0;
}

static struct client *connected(void) {
	struct err err = { 0 };
	struct client *c = client_open(path, &err);

	ck_assert_msg(c != NULL, "%s", err.text);
	return c;
}

static void setup(void) {
	dir = fixture_dir();
	path = xasprintf("%s/ctl", dir);
	start();
	client = connected();
}

static void teardown(void) {
	client_close(client);
	stop();
	free(path);
	free(dir);
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
	good(client_delete(client, fixture_table("firewall.address"), "a", &err), &err);
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

static int count_key(void *arg, const char *key) {
	str_addf(arg, "%s ", key);
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

static void hear_text(void *arg, const char *text, size_t len) {
	str_add_bytes(arg, text, len);
}

START_TEST(test_run) {
	char *words[] = { (char *)"diagnose", (char *)"shout", (char *)"a b", (char *)"" };
	struct err err = { 0 };
	AUTO_STR struct str out = STR_INIT;

	good(client_run(client, 4, words, hear_text, &out, &err), &err);
	ck_assert_str_eq(str_text(&out), "a b\n\n");
	str_clear(&out);
	ck_assert_int_eq(client_run(client, 3, words, hear_text, &out, &err), ERR_VALUE);
	ck_assert_str_eq(str_text(&out), "a b\n");
	ck_assert_str_eq(err.text, "one word is not enough");
	str_clear(&out);
	good(client_run(client, 2, words, hear_text, &out, &err), &err);
	ck_assert_uint_gt(out.len, 200000);
	ck_assert_str_eq(str_text(&out) + out.len - 11, "line 19999\n");
}
END_TEST

/* ---- more than fits ---- */

static int no_key(void *arg, const char *key) {
	(void)arg;
	ck_abort_msg("%s", key);
	return 0;
}

static void no_text(void *arg, const char *text, size_t len) {
	(void)arg;
	ck_abort_msg("%.*s", (int)len, text);
}

/* What no daemon takes is refused here: the connection lives on. */
START_TEST(test_too_long) {
	const struct schema_table *address = fixture_table("firewall.address");
	AUTO_FREE char *text = xcalloc(70000, 1);
	char *words[300];
	struct err err = { 0 };
	struct object *obj = NULL;

	memset(text, 'a', 69999);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		words[i] = (char *)"x";
	ck_assert_int_eq(client_run(client, ARRAY_LEN(words), words, no_text, NULL, &err),
			 ERR_TOO_LONG);
	words[1] = text;
	ck_assert_int_eq(client_run(client, 2, words, no_text, NULL, &err), ERR_TOO_LONG);
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
	struct object *obj = object_new(fixture_table("system.ha"), "");
	struct err err = { 0 };

	/* the largest list of the longest texts that an attribute takes */
	str_add(&body, "config vcluster\n");
	for (int i = 1; i <= 30; i++) {
		str_addf(&body, "edit %d\nset vdom", i);
		for (int n = 0; n < 1500; n++)
			str_addf(&body, " %076d", n);
		str_add(&body, "\nnext\n");
	}
	str_add(&body, "end\n");
	good(text_parse(obj, str_text(&body), &err), &err);
	obj->ver = CLIENT_NEW;
	good(client_put(client, obj, &err), &err);
	object_free(obj);
	obj = got(client, "system.ha", "");
	ck_assert_uint_eq(object_count(obj, SYSTEM_HA__VCLUSTER), 30);
	for (int i = 1; i <= 30; i++) {
		AUTO_FREE char *key = xasprintf("%d", i);
		struct object *entry = object_child(obj, SYSTEM_HA__VCLUSTER, key);
		struct value *v = object_get_mutable(entry, SYSTEM_HA_VCLUSTER__VDOM);

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

	stop();
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

	stop();
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(client_get(client, fixture_table("system.ha"), "", &obj, &err),
				 ERR_TIMEOUT);
		ck_assert_str_eq(err.text,
				 "the configuration daemon does not answer: connection lost");
		ck_assert_int_eq(client_commit(client, &err), ERR_TIMEOUT);
	}
	start();
	ck_assert_int_eq(client_commit(client, &err), ERR_TIMEOUT);
	client_close(client);
	client = connected();
}
END_TEST

static int raw_connection(void) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_uint_lt(strlen(path), sizeof(addr.sun_path));
	strcpy(addr.sun_path, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

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
	int fd = raw_connection();
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
	int fd = raw_connection(), stuck = raw_connection();
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
	int fd = raw_connection();
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
	int fd[200];
	unsigned int alive = 0;

	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = raw_connection();
	object_free(got(client, "firewall.address", "all"));
	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		char byte;
		ssize_t n = recv(fd[i], &byte, 1, MSG_DONTWAIT);

		alive += n < 0 && errno == EAGAIN;
	}
	ck_assert_uint_eq(alive, 127);
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
	tcase_add_test(t, test_hostname);
	tcase_add_test(t, test_lists);
	tcase_add_test(t, test_list_order);
	tcase_add_test(t, test_transaction);
	tcase_add_test(t, test_run);
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
