/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control protocol without sockets: each request and its answers, frames that are cut short or
 * too long, and what a second connection sees of the first one's transaction.
 */
#include "cfgdb/control/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/password.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset schedule always\nset service ALL\n"
#define NOT_FOUND "entry is not found in table\n"
#define LOCKED                                                                                   \
	"Can not config the object since either the object or the referenced objects are being " \
	"configured by other transactions."

/* ---- commands for CTL_RUN ---- */

static int echo_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	str_addf(out, "%s", (const char *)ctx);
	for (size_t i = 0; i < call->argc; i++)
		str_addf(out, "<%s>", call->argv[i]);
	return call->argc > 0 && strcmp(call->argv[0], "fail") == 0
		       ? err_set(err, ERR_VALUE, "failed")
		       : 0;
}

static int long_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	(void)ctx;
	(void)call;
	(void)err;
	str_add_blanks(out, 100000);
	return 0;
}

/* How often this connection has asked; and how many such memories there are. */
static unsigned int n_memories;

static void calls_init(void *memory) {
	*(unsigned int *)memory = 100;
	n_memories++;
}

static void calls_done(void *memory) {
	(void)memory;
	n_memories--;
}

static int calls_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	static const struct memory_kind kind = { sizeof(unsigned int), calls_init, calls_done };
	static const struct memory_kind other = { sizeof(unsigned int), NULL, NULL };
	unsigned int *n = command_memory(call, &kind), *m = command_memory(call, &other);

	(void)ctx;
	if (call->json)
		str_add(out, "{}");
	else
		str_addf(out, "%u %u", ++*n, ++*m);
	return command_no_words(call, err);
}

static const struct command commands[] = {
	{ .words = "get system", .run = echo_run, .ctx = (void *)"short" },
	{ .words = "get system status", .run = echo_run, .ctx = (void *)"long" },
	{ .words = "diagnose much", .run = long_run },
	{ .words = "diagnose calls", .has_json = true, .run = calls_run },
};

static const struct server_config config = {
	.path = "/unused",
	.group = "gatehouse",
	.commands = commands,
	.n_commands = ARRAY_LEN(commands),
	.version = "1.2.3",
};

/* ---- one connection ---- */

struct wire {
	struct caller caller;
	struct str said; /* all answers, one a line */
	unsigned int n_text;
	size_t text_bytes;
};

static struct engine *engine;
static struct wire a, b;

/* One answer as a line of text, read as a client would. */
static void hear(void *arg, const struct buf *frame) {
	struct wire *w = arg;
	struct buf_reader r;
	uint8_t type;

	buf_reader_init(&r, frame->data, frame->len);
	type = buf_get_u8(&r);
	if (type == CTL_OBJECT) {
		uint64_t ver = buf_get_u64(&r);
		AUTO_FREE char *key = buf_get_str(&r, 255), *body = buf_get_str(&r, CTL_FRAME_MAX);

		str_addf(&w->said, "object %lld '%s' %s\n", (long long)ver, key, body);
	} else if (type == CTL_ERROR) {
		int code = (int)buf_get_u32(&r);
		AUTO_FREE char *text = buf_get_str(&r, ERR_TEXT_MAX);

		str_addf(&w->said, "error %d %s\n", code, text);
	} else if (type == CTL_ID) {
		str_addf(&w->said, "id %llu\n", (unsigned long long)buf_get_u64(&r));
	} else {
		AUTO_FREE char *text = buf_get_str(&r, CTL_TEXT_CHUNK);
		AUTO_FREE char *more = type == CTL_INFO || type == CTL_KEY ? buf_get_str(&r, 100) : xstrdup("");
		const char *what = type == CTL_OK     ? "ok"
				   : type == CTL_INFO ? "info"
				   : type == CTL_KEY  ? "key"
				   : type == CTL_WARNING ? "warning"
							 : "text";

		w->n_text += type == CTL_TEXT;
		w->text_bytes += type == CTL_TEXT ? strlen(text) : 0;
		if (type != CTL_OK && strlen(text) < 1000)
			str_addf(&w->said, "%s %s%s%s\n", what, text, *more ? " " : "", more);
		else
			str_addf(&w->said, "%s\n", what);
		ck_assert(type != CTL_OK || strcmp(text, "unit") == 0);
	}
	ck_assert_msg(type == CTL_INFO || buf_reader_end(&r), "answer %u is not as ctl.h says", type);
}

static void wire_open(struct wire *w, bool allowed) {
	*w = (struct wire){ .said = STR_INIT };
	caller_init(&w->caller, engine, &config, "alice", allowed);
	w->caller.send = hear;
	w->caller.send_arg = w;
}

static void wire_close(struct wire *w) {
	caller_done(&w->caller);
	str_done(&w->said);
}

/*
 * A request from a text: type, then words: 1:N 2:N 4:N 8:N integers of so many bytes, t:NAME a
 * table, and s:TEXT a string up to the next | .
 */
static void build(struct buf *frame, enum ctl_type type, const char *fields) {
	buf_put_u8(frame, (uint8_t)type);
	while (*fields) {
		size_t len = strcspn(fields, "|");
		AUTO_FREE char *field = xstrndup(fields, len);
		unsigned long long n = strtoull(field + 2, NULL, 10);

		switch (field[0]) {
		case '1':
			buf_put_u8(frame, (uint8_t)n);
			break;
		case '2':
			buf_put_u16(frame, (uint16_t)n);
			break;
		case '4':
			buf_put_u32(frame, (uint32_t)n);
			break;
		case '8':
			buf_put_u64(frame, n);
			break;
		case 't':
			buf_put_u16(frame, fixture_table(field + 2)->id);
			break;
		case 's':
			buf_put_str(frame, field + 2);
			break;
		default:
			ck_abort_msg("%s", field);
		}
		fields += len + (fields[len] == '|');
	}
}

/* Send a request; what was answered, until the next one. */
static const char *ask(struct wire *w, enum ctl_type type, const char *fields) {
	AUTO_BUF struct buf frame = BUF_INIT;

	str_clear(&w->said);
	build(&frame, type, fields);
	if (!caller_request(&w->caller, frame.data, frame.len))
		str_add(&w->said, "closed\n");
	return str_text(&w->said);
}

static void greet(struct wire *w) {
	AUTO_FREE char *fields = xasprintf("4:%d|s:%s", CTL_VERSION, schema_digest);

	ck_assert_str_eq(ask(w, CTL_HELLO, fields), "info alice 1.2.3\nok\n");
}

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();

	engine = fixture_engine(dir);
	fixture_set(engine, "system.global", "", "set hostname unit\n");
	fixture_set(engine, "system.interface", "port1", "set type physical\n");
	fixture_set(engine, "firewall.address", "x",
		    "set uuid 00000000-0000-4000-8000-000000000001\n");
	fixture_set(engine, "firewall.policy", "7", POLICY "set dstaddr x\n");
	fixture_set(engine, "router.static", "10", "set device port1\n");
	fixture_set(engine, "router.static", "9", "set device port1\nset distance 3\n");
	wire_open(&a, true);
	wire_open(&b, true);
	greet(&a);
	greet(&b);
}

static void teardown(void) {
	wire_close(&a);
	wire_close(&b);
	engine_close(engine);
}

/* ---- hello ---- */

START_TEST(test_hello) {
	struct wire w;

	wire_open(&w, true);
	ck_assert_str_eq(ask(&w, CTL_GET, "t:system.ha|s:"), "closed\n");
	ck_assert_str_eq(
		ask(&w, CTL_HELLO, "4:1|s:0123456789abcdef"),
		"error -7 shell and daemon are of different versions: restart the daemon\n");
	ck_assert_str_eq(ask(&w, CTL_GET, "t:system.ha|s:"), "closed\n");
	ck_assert_str_eq(
		ask(&w, CTL_HELLO, "4:99|s:"),
		"error -7 shell and daemon are of different versions: restart the daemon\n");
	greet(&w);
	greet(&w);
	wire_close(&w);
}
END_TEST

#define NOT_YOU \
	"error -37 you are no administrator of this unit: root and members of the group gatehouse " \
	"are, and entries of config system admin that log in\n"

START_TEST(test_not_allowed) {
	AUTO_FREE char *hello = xasprintf("4:%d|s:%s", CTL_VERSION, schema_digest);
	struct wire w;

	wire_open(&w, false);
	ck_assert_str_eq(ask(&w, CTL_HELLO, hello), NOT_YOU);
	ck_assert_str_eq(ask(&w, CTL_GET, "t:system.ha|s:"), "closed\n");
	w.caller.greeted = true;
	ck_assert_str_eq(ask(&w, CTL_DELETE, "t:firewall.policy|s:7"), NOT_YOU);
	ck_assert_ptr_nonnull(model_find(engine->model, fixture_table("firewall.policy"), "7"));
	wire_close(&w);
}
END_TEST

/* ---- who attaches ---- */

/* Who may attach and is no administrator can do nothing else. */
START_TEST(test_attach) {
	struct server_config with_relay = config;
	struct wire w, other;

	with_relay.relay = relay_new();
	wire_open(&w, false);
	w.caller.config = &with_relay;
	w.caller.may_attach = true;
	ck_assert_str_eq(ask(&w, CTL_ATTACH, ""), "closed\n"); /* no hello before */
	greet(&w);
	ck_assert_str_eq(ask(&w, CTL_GET, "t:system.ha|s:"), NOT_YOU);
	ck_assert_str_eq(ask(&w, CTL_RUN, "1:0|2:1|s:diagnose"), NOT_YOU);
	ck_assert_str_eq(ask(&w, CTL_REPLY, "4:1|s:x"), "closed\n"); /* not attached */
	ck_assert_str_eq(ask(&w, CTL_READY, ""), "closed\n");
	ck_assert_str_eq(ask(&w, CTL_ATTACH, "1:0"), "closed\n");
	ck_assert(!w.caller.attached);
	ck_assert_str_eq(ask(&w, CTL_ATTACH, ""), "ok\n");
	ck_assert(relay_is_attached(with_relay.relay));
	ck_assert_str_eq(ask(&w, CTL_REPLY, "4:1|s:x"), "");
	ck_assert_str_eq(ask(&w, CTL_REPLY_END, "4:1|4:0|s:"), "");
	ck_assert_str_eq(ask(&w, CTL_READY, ""), "");
	ck_assert_str_eq(ask(&w, CTL_READY, "1:0"), "closed\n");
	ck_assert_str_eq(ask(&w, CTL_GET, "t:system.ha|s:"), "closed\n");
	ck_assert_str_eq(ask(&w, CTL_ATTACH, ""), "closed\n");
	/* One at a time. */
	wire_open(&other, true);
	other.caller.config = &with_relay;
	other.caller.may_attach = true;
	greet(&other);
	ck_assert_str_eq(ask(&other, CTL_ATTACH, ""), "error 14 another one is attached\n");
	wire_close(&w);
	ck_assert(!relay_is_attached(with_relay.relay));
	ck_assert_str_eq(ask(&other, CTL_ATTACH, ""), "ok\n");
	wire_close(&other);
	relay_free(with_relay.relay);
}
END_TEST

/* An administrator does not take its place. */
START_TEST(test_attach_refused) {
	struct server_config with_relay = config;
	struct wire w;

	with_relay.relay = relay_new();
	wire_open(&w, true);
	w.caller.config = &with_relay;
	greet(&w);
	ck_assert_str_eq(ask(&w, CTL_ATTACH, ""), NOT_YOU);
	ck_assert(!relay_is_attached(with_relay.relay));
	/* Where nothing can be attached, root cannot either. */
	w.caller.config = &config;
	w.caller.may_attach = true;
	ck_assert_str_eq(ask(&w, CTL_ATTACH, ""), "error -3 nobody can attach here\n");
	wire_close(&w);
	relay_free(with_relay.relay);
}
END_TEST

START_TEST(test_unknown_type) {
	ck_assert(!caller_request(&a.caller, (const uint8_t *)"", 0));
	for (unsigned int type = 0; type < 256; type++)
		if (type == 0 || type >= CTL_REQUEST_COUNT)
			ck_assert_str_eq(ask(&a, (enum ctl_type)type, ""), "closed\n");
}
END_TEST

/* ---- reading ---- */

static const struct {
	enum ctl_type type;
	const char *fields, *answer;
} reads[] = {
	{ CTL_GET, "t:router.static|s:9",
	  "object 7 '9' set distance 3\nset device \"port1\"\n\nok\n" },
	{ CTL_GET, "t:router.static|s:009",
	  "object 7 '9' set distance 3\nset device \"port1\"\n\nok\n" },
	{ CTL_GET, "t:router.static|s:9x",
	  "error -651 invalid unsigned integer value: 9x\n\nvalue parse error before '9x'\n" },
	{ CTL_GET, "t:router.static|s:", "error -56 Attribute 'seq-num' MUST be set.\n" },
	{ CTL_GET, "t:router.static|s:11", "error -3 entry is not found in table\n" },
	{ CTL_GET, "t:firewall.address|s:all", "*" },
	{ CTL_GET, "t:firewall.address|s:X", "error -3 entry is not found in table\n" },
	{ CTL_GET, "t:system.auto-scale|s:", "object -1 '' \nok\n" },
	{ CTL_GET, "t:system.auto-scale|s:x", "closed\n" },
	{ CTL_GET, "2:65535|s:", "closed\n" },
	{ CTL_LIST, "t:router.static",
	  "object 6 '10' set device \"port1\"\n\nobject 7 '9' set distance 3\n"
	  "set device \"port1\"\n\nok\n" },
	{ CTL_LIST, "t:system.auto-scale", "ok\n" },
	{ CTL_LIST, "2:60000", "closed\n" },
	{ CTL_KEYS, "t:firewall.address|s:|4:2", "key all\nkey none\nok\n" },
	{ CTL_KEYS, "t:firewall.address|s:|4:100", "key all\nkey none\nkey x\nok\n" },
	{ CTL_KEYS, "t:firewall.address|s:no|4:100", "key none\nok\n" },
	{ CTL_KEYS, "t:firewall.address|s:q|4:100", "ok\n" },
	{ CTL_KEYS, "t:firewall.address|s:|4:0", "ok\n" },
	{ CTL_NEXT_ID, "t:router.static", "id 11\nok\n" },
	{ CTL_NEXT_ID, "t:firewall.address", "error -61 \ncommand parse error before '0'\n" },
	{ CTL_NEXT_ID, "t:system.ha", "error -61 \ncommand parse error before '0'\n" },
	{ CTL_ABORT, "", "ok\n" },
	{ CTL_COMMIT, "4:0|s:", "error -7 no transaction is open\n" },
	{ CTL_RUN, "1:0|2:2|s:get|s:system", "text short\nok\n" },
	{ CTL_RUN, "1:0|2:4|s:get|s:system|s:status|s:a b", "text long<a b>\nok\n" },
	{ CTL_RUN, "1:0|2:3|s:get|s:system|s:statu", "text short<statu>\nok\n" },
	{ CTL_RUN, "1:0|2:3|s:get|s:system|s:fail", "text short<fail>\nerror -651 failed\n" },
	{ CTL_RUN, "1:0|2:1|s:get", "error -61 \ncommand parse error before 'get'\n" },
	{ CTL_RUN, "1:0|2:0", "closed\n" },
	{ CTL_RUN, "1:4|2:2|s:get|s:system", "closed\n" },
	{ CTL_RUN, "1:1|2:2|s:get|s:system", "error -61 this command has no JSON form: get system\n" },
	{ CTL_RUN, "1:1|2:2|s:diagnose|s:calls", "text {}\nok\n" },
	{ CTL_RUN, "1:0|2:257", "closed\n" },
	{ CTL_RUN, "1:0|2:3|s:get|s:system", "closed\n" },
	{ CTL_RUN, "1:0|2:2|s:get|s:system|s:more", "closed\n" },
};

START_TEST(test_read) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	const char *answer = ask(&a, reads[_i].type, reads[_i].fields);

	if (reads[_i].answer[0] != '*')
		ck_assert_str_eq(answer, reads[_i].answer);
	else
		ck_assert_ptr_nonnull(strstr(answer, "object 0 'all' set uuid "));
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

static const char *check_ref(const char *table, unsigned int attr, const char *name) {
	AUTO_FREE char *fields = xasprintf("t:%s|2:%u|s:%s", table, attr, name);

	return ask(&a, CTL_CHECK_REF, fields);
}

START_TEST(test_check_ref) {
	AUTO_FREE char *nested =
		xasprintf("2:%d|2:%d|s:port1", TBL_SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER,
			  SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER__DOWN_INTFS_BEFORE_SESS_SYNC);

	ck_assert_str_eq(check_ref("firewall.policy", FIREWALL_POLICY__DSTADDR, "x"), "ok\n");
	ck_assert_str_eq(check_ref("firewall.policy", FIREWALL_POLICY__DSTADDR, "y"),
			 "error -3 \n");
	ck_assert_str_eq(check_ref("firewall.policy", FIREWALL_POLICY__SRCINTF, "any"), "ok\n");
	ck_assert_str_eq(check_ref("firewall.policy", FIREWALL_POLICY__DSTADDR, "any"),
			 "error -3 \n");
	ck_assert_str_eq(check_ref("firewall.policy", FIREWALL_POLICY__NAME, "x"), "closed\n");
	ck_assert_str_eq(check_ref("firewall.policy", 60000, "x"), "closed\n");
	ck_assert_str_eq(ask(&a, CTL_CHECK_REF, nested), "ok\n");
}
END_TEST

static const char *check_secret(const char *table, unsigned int attr, const char *sealed) {
	AUTO_FREE char *fields = xasprintf("t:%s|2:%u|s:%s", table, attr, sealed);

	return ask(&a, CTL_CHECK_SECRET, fields);
}

/* Whatever is wrong with a sealed text, the answer is the same. */
START_TEST(test_check_secret) {
	const unsigned int psk = SYSTEM_AUTO_SCALE__PSKSECRET, password = SYSTEM_ADMIN__PASSWORD;
	const struct schema_table *s = schema_tables[TBL_SYSTEM_AUTO_SCALE];
	const struct schema_table *t = schema_tables[TBL_SYSTEM_ADMIN];
	AUTO_FREE char *sealed = secret_seal_for(engine->keyring, s, &s->attrs[psk], "secret"),
		       *made = password_hash("x"), *hash = secret_seal_for(
			       engine->keyring, t, &t->attrs[password], made);
	AUTO_FREE char *longest = xasprintf("ENC %0*d", VALUE_SEALED_MAX, 0),
		       *too_long = xasprintf("%s0", longest), *changed = xstrdup(sealed);
	const char *const wrong[] = { changed, "ENC Zm9v", "in clear", longest };

	changed[10] = changed[10] == 'A' ? 'B' : 'A';
	ck_assert_str_eq(check_secret("system.auto-scale", psk, sealed), "ok\n");
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_str_eq(check_secret("system.auto-scale", psk, wrong[i]), "error -651 \n");
	ck_assert_str_eq(check_secret("system.admin", password, sealed), "error -651 \n");
	ck_assert_str_eq(check_secret("system.admin", password, hash), "ok\n");
	ck_assert_str_eq(check_secret("system.auto-scale", psk, too_long), "closed\n");
	ck_assert_str_eq(check_secret("system.auto-scale", SYSTEM_AUTO_SCALE__STATUS, sealed),
			 "closed\n");
	ck_assert_str_eq(check_secret("system.auto-scale", 60000, sealed), "closed\n");
}
END_TEST

/* Output comes in pieces that a frame takes. */
START_TEST(test_long_output) {
	ck_assert_str_eq(ask(&a, CTL_RUN, "1:0|2:2|s:diagnose|s:much"), "text\ntext\ntext\ntext\nok\n");
	ck_assert_uint_eq(a.n_text, 4);
	ck_assert_uint_eq(a.text_bytes, 100000);
}
END_TEST

/* What commands keep belongs to the connection, and goes with it. */
START_TEST(test_memory) {
	ck_assert_str_eq(ask(&a, CTL_RUN, "1:0|2:2|s:diagnose|s:calls"), "text 101 1\nok\n");
	ck_assert_str_eq(ask(&a, CTL_RUN, "1:0|2:2|s:diagnose|s:calls"), "text 102 2\nok\n");
	ck_assert_str_eq(ask(&b, CTL_RUN, "1:0|2:2|s:diagnose|s:calls"), "text 101 1\nok\n");
	ck_assert_uint_eq(n_memories, 2);
	caller_done(&a.caller);
	ck_assert_uint_eq(n_memories, 1);
}
END_TEST

/* The end of an answer may cross with the wish for it. */
START_TEST(test_cancel_nothing) {
	ck_assert_str_eq(ask(&a, CTL_CANCEL, ""), "");
	ck_assert_str_eq(ask(&a, CTL_CANCEL, "2:1"), "closed\n");
}
END_TEST

/* ---- changing ---- */

START_TEST(test_put) {
	const struct schema_table *address = fixture_table("firewall.address");

	ck_assert_str_eq(ask(&a, CTL_PUT,
			     "t:firewall.address|s:new|8:18446744073709551615|s:set comment hi\n"),
			 "ok\n");
	ck_assert_str_eq(
		object_str(model_find(engine->model, address, "new"), FIREWALL_ADDRESS__COMMENT),
		"hi");
	ck_assert_uint_eq(engine->revision, 8);
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:firewall.address|s:new|8:18446744073709551615|s:"),
			 "error 14 " LOCKED "\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:firewall.address|s:new|8:8|s:set comment ho\n"),
			 "ok\n");
	ck_assert_str_eq(ask(&b, CTL_PUT, "t:firewall.address|s:new|8:8|s:set comment hu\n"),
			 "error 14 " LOCKED "\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:firewall.address|s:|8:1|s:"),
			 "error -56 Attribute 'name' MUST be set.\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:firewall.address|s:z|8:1|s:frob"),
			 "error -61 line 1: command parse error before 'frob'\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:firewall.address|s:z|8:18446744073709551614|s:"),
			 "closed\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:system.ha|s:x|8:18446744073709551615|s:"), "closed\n");
	ck_assert_str_eq(
		ask(&a, CTL_PUT, "t:system.ha|s:|8:18446744073709551615|s:set group-id 3\n"),
		"ok\n");
	ck_assert_str_eq(ask(&a, CTL_PUT,
			     "t:router.static|s:0012|8:18446744073709551615|s:set device port1\n"),
			 "ok\n");
	ck_assert_ptr_nonnull(model_find(engine->model, fixture_table("router.static"), "12"));
}
END_TEST

START_TEST(test_delete) {
	ck_assert_str_eq(ask(&a, CTL_DELETE, "t:firewall.address|s:x"),
			 "error -23 The entry is used by other 1 entries\n");
	ck_assert_str_eq(ask(&a, CTL_DELETE, "t:firewall.address|s:nobody"),
			 "error -3 entry is not found in table\n");
	ck_assert_str_eq(
		ask(&a, CTL_DELETE, "t:firewall.policy|s:7x"),
		"error -651 invalid unsigned integer value: 7x\n\nvalue parse error before '7x'\n");
	ck_assert_str_eq(ask(&a, CTL_DELETE, "t:firewall.policy|s:07"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_DELETE, "t:firewall.address|s:x"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_DELETE, "t:system.global|s:"),
			 "error -61 \ncommand parse error before 'delete'\n");
}
END_TEST

/* Renaming, placing, purging: what is asked one after the other, and the revision afterwards. */
static const struct {
	enum ctl_type type;
	const char *fields, *answer;
	unsigned int revision;
} edits[] = {
	{ CTL_RENAME, "t:firewall.address|s:x|s:all",
	  "error -5 entry 'all' exists already\n\nvalue parse error before 'all'\n", 7 },
	{ CTL_RENAME, "t:firewall.address|s:nobody|s:y", "error -3 " NOT_FOUND, 7 },
	{ CTL_RENAME, "t:firewall.address|s:x|s:y", "ok\n", 8 },
	{ CTL_DELETE, "t:firewall.address|s:y",
	  "error -23 The entry is used by other 1 entries\n", 8 },
	{ CTL_PUT, "t:firewall.policy|s:8|8:18446744073709551615|s:set dstaddr all\n" POLICY,
	  "ok\n", 9 },
	{ CTL_PLACE, "t:firewall.policy|s:8|1:1|s:7", "ok\n", 10 },
	{ CTL_KEYS, "t:firewall.policy|s:|4:9", "key 8\nkey 7\nok\n", 10 },
	{ CTL_PLACE, "t:firewall.policy|s:08|1:0|s:07", "ok\n", 11 },
	/* a place that an entry has already is no change */
	{ CTL_PLACE, "t:firewall.policy|s:8|1:0|s:7", "ok\n", 11 },
	{ CTL_PLACE, "t:firewall.policy|s:7|1:1|s:8", "ok\n", 11 },
	{ CTL_KEYS, "t:firewall.policy|s:|4:9", "key 7\nkey 8\nok\n", 11 },
	{ CTL_PLACE, "t:firewall.policy|s:7|1:1|s:9", "error -3 firewall policy 9: " NOT_FOUND, 11 },
	{ CTL_PLACE, "t:firewall.policy|s:9|1:1|s:7", "error -3 firewall policy 9: " NOT_FOUND, 11 },
	{ CTL_PLACE, "t:firewall.policy|s:7|1:1|s:7", "error -3 firewall policy 7: " NOT_FOUND, 11 },
	{ CTL_PLACE, "t:firewall.address|s:y|1:1|s:all",
	  "error -61 firewall address: the order of entries has no meaning\n", 11 },
	{ CTL_PURGE, "t:firewall.address", "error -23 'all' stays, so none is removed\n"
	  "The entry is used by other 3 entries\n", 11 },
	{ CTL_PURGE, "t:system.global", "error -61 \ncommand parse error before 'purge'\n", 11 },
	{ CTL_BEGIN, "1:0", "ok\n", 11 },
	{ CTL_RENAME, "t:firewall.policy|s:07|s:009", "ok\n", 11 },
	{ CTL_KEYS, "t:firewall.policy|s:|4:9", "key 9\nkey 8\nok\n", 11 },
	{ CTL_PURGE, "t:router.static", "ok\n", 11 },
	{ CTL_COMMIT, "4:0|s:", "ok\n", 12 },
	{ CTL_KEYS, "t:firewall.policy|s:|4:9", "key 9\nkey 8\nok\n", 12 },
	{ CTL_PURGE, "t:router.static", "ok\n", 12 },
	{ CTL_PLACE, "t:firewall.policy|s:9|1:2|s:8", "closed\n", 12 },
};

START_TEST(test_ui) {
	struct revision rev;

	snprintf(a.caller.ui, sizeof(a.caller.ui), "ssh(203.0.113.7)");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:firewall.address|s:h|8:18446744073709551615|s:"), "ok\n");
	ck_assert_int_eq(store_revision_get(engine->store, engine->revision, &rev, NULL), 0);
	ck_assert_str_eq(rev.source, "ssh(203.0.113.7)");
	revision_done(&rev);
}
END_TEST

START_TEST(test_edits) {
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		ck_assert_str_eq(ask(&a, edits[i].type, edits[i].fields), edits[i].answer);
		ck_assert_uint_eq(engine->revision, edits[i].revision);
	}
}
END_TEST

/* One that replaces all sees nothing, or what a new unit has. */
START_TEST(test_replace) {
	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:1"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_KEYS, "t:firewall.address|s:|4:9"), "ok\n");
	ck_assert_str_eq(ask(&b, CTL_GET, "t:router.static|s:9"),
			 "object 7 '9' set distance 3\nset device \"port1\"\n\nok\n");
	ck_assert_str_eq(ask(&a, CTL_ABORT, ""), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:2"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_KEYS, "t:firewall.address|s:|4:9"),
			 "key all\nkey none\nok\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:system.global|s:|8:2|s:set hostname unit\n"),
			 "ok\n");
	ck_assert_str_eq(ask(&a, CTL_COMMIT, "4:0|s:"), "ok\n");
	ck_assert_uint_eq(model_count(engine->model, fixture_table("router.static")), 0);
	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:4"), "closed\n");
}
END_TEST

/* What a transaction has staged is seen by its own connection only, until it is committed. */
START_TEST(test_transaction) {
	static const char put[] =
		"t:router.static|s:20|8:18446744073709551615|s:set device port1\n";
	static const char again[] =
		"t:router.static|s:20|8:18446744073709551615|s:set device port1\nset distance 9\n";

	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:0"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:0"), "error -7 a transaction is open already\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, put), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_GET, "t:router.static|s:20"),
			 "object -1 '20' set device \"port1\"\n\nok\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, again), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_DELETE, "t:router.static|s:10"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_LIST, "t:router.static"),
			 "object 7 '9' set distance 3\nset device \"port1\"\n\n"
			 "object -1 '20' set distance 9\nset device \"port1\"\n\nok\n");
	ck_assert_str_eq(ask(&a, CTL_KEYS, "t:router.static|s:|4:9"), "key 9\nkey 20\nok\n");
	ck_assert_str_eq(ask(&a, CTL_NEXT_ID, "t:router.static"), "id 21\nok\n");
	ck_assert_str_eq(ask(&b, CTL_KEYS, "t:router.static|s:|4:9"), "key 10\nkey 9\nok\n");
	ck_assert_str_eq(ask(&b, CTL_NEXT_ID, "t:router.static"), "id 11\nok\n");
	ck_assert_str_eq(ask(&a, CTL_COMMIT, "4:0|s:"), "ok\n");
	ck_assert_str_eq(ask(&b, CTL_KEYS, "t:router.static|s:|4:9"), "key 9\nkey 20\nok\n");
	ck_assert_uint_eq(engine->revision, 8);
	ck_assert_str_eq(ask(&a, CTL_COMMIT, "4:0|s:"), "error -7 no transaction is open\n");
}
END_TEST

/* Two administrators, one number: the second gets another one, and is told. */
START_TEST(test_next) {
#define NEXT "8:18446744073709551613|s:set device port1\n"
	static const char taken[] = "router static 11: someone else took the number meanwhile, "
				    "the new entry is ";
	AUTO_FREE char *twelve = xasprintf("warning %s12\nok\n", taken);
	AUTO_FREE char *fourteen = xasprintf("warning %s14\nok\n", taken);

	ck_assert_str_eq(ask(&a, CTL_PUT, "t:router.static|s:11|" NEXT), "ok\n");
	ck_assert_str_eq(ask(&b, CTL_PUT, "t:router.static|s:11|" NEXT), twelve);
	ck_assert_str_eq(ask(&b, CTL_PUT, "t:router.static|s:0|" NEXT), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_KEYS, "t:router.static|s:|4:9"),
			 "key 10\nkey 9\nkey 11\nkey 12\nkey 13\nok\n");
	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:0"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:router.static|s:11|" NEXT), fourteen);
	ck_assert_str_eq(ask(&a, CTL_COMMIT, "4:0|s:"), "ok\n");
	ck_assert_ptr_nonnull(
		strstr(ask(&a, CTL_PUT, "t:firewall.address|s:y|8:18446744073709551613|s:"),
		       "error -61 "));
	ck_assert_ptr_nonnull(strstr(ask(&a, CTL_PUT, "t:system.ha|s:|8:18446744073709551613|s:"),
				     "error -61 "));
}
END_TEST

/* A short secret is warned of when it is committed, once, and only if it is. */
START_TEST(test_warning) {
#define SHORT "system auto-scale: psksecret has fewer than 16 characters"
	ck_assert_str_eq(
		ask(&a, CTL_PUT,
		    "t:system.auto-scale|s:|8:18446744073709551615|s:set psksecret short\n"),
		"warning " SHORT "\nok\n");
	ck_assert_str_eq(
		ask(&a, CTL_PUT,
		    "t:system.auto-scale|s:|8:8|s:set psksecret short\nset hb-interval 5\n"),
		"ok\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:system.auto-scale|s:|8:9|s:set hb-interval 5\n"),
			 "ok\n");
	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:0"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:system.auto-scale|s:|8:10|s:set psksecret other\n"),
			 "ok\n");
	ck_assert_str_eq(ask(&a, CTL_COMMIT, "4:0|s:"), "warning " SHORT "\nok\n");
	fixture_fault("commit.kernel:1");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:system.auto-scale|s:|8:11|s:set psksecret third\n"),
			 "error -362 injected fault before the kernel\n");
	fixture_fault(NULL);
}
END_TEST

/* The version that a list gives is the one a put must name, in a transaction, too. */
START_TEST(test_version_of_list) {
	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:0"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:router.static|s:9|8:7|s:set device port1\n"), "ok\n");
	ck_assert_ptr_nonnull(
		strstr(ask(&a, CTL_LIST, "t:router.static"), "object 7 '9' set device"));
	ck_assert_str_eq(
		ask(&a, CTL_PUT, "t:router.static|s:9|8:7|s:set device port1\nset distance 4\n"),
		"ok\n");
	ck_assert_str_eq(ask(&a, CTL_ABORT, ""), "ok\n");
	ck_assert_ptr_nonnull(
		strstr(ask(&a, CTL_LIST, "t:router.static"), "object 7 '9' set distance 3"));
}
END_TEST

START_TEST(test_conflict) {
	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:0"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_PUT, "t:router.static|s:9|8:7|s:set device port1\n"), "ok\n");
	ck_assert_str_eq(
		ask(&b, CTL_PUT, "t:router.static|s:9|8:7|s:set device port1\nset distance 44\n"),
		"ok\n");
	ck_assert_str_eq(ask(&a, CTL_COMMIT, "4:0|s:"), "error 14 " LOCKED "\n");
	ck_assert_str_eq(ask(&a, CTL_GET, "t:router.static|s:9"),
			 "object 8 '9' set distance 44\nset device \"port1\"\n\nok\n");
	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:0"), "ok\n");
}
END_TEST

/* A connection that ends takes its transaction with it. */
START_TEST(test_connection_ends) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;

	ck_assert_str_eq(ask(&a, CTL_BEGIN, "1:0"), "ok\n");
	ck_assert_str_eq(ask(&a, CTL_DELETE, "t:firewall.policy|s:7"), "ok\n");
	caller_done(&a.caller);
	caller_done(&a.caller);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

/* ---- frames that are not as they should be ---- */

static const struct {
	enum ctl_type type;
	const char *fields;
} whole[] = {
	{ CTL_GET, "t:router.static|s:9" },
	{ CTL_LIST, "t:router.static" },
	{ CTL_KEYS, "t:firewall.address|s:|4:9" },
	{ CTL_CHECK_REF, "t:firewall.policy|2:5|s:any" },
	{ CTL_CHECK_SECRET, "t:system.auto-scale|2:6|s:ENC Zm9v" },
	{ CTL_NEXT_ID, "t:router.static" },
	{ CTL_BEGIN, "1:0" },
	{ CTL_COMMIT, "4:0|s:" },
	{ CTL_ABORT, "" },
	{ CTL_PUT, "t:router.static|s:9|8:7|s:set device port1\n" },
	{ CTL_DELETE, "t:router.static|s:9" },
	{ CTL_RENAME, "t:router.static|s:9|s:90" },
	{ CTL_PLACE, "t:firewall.policy|s:7|1:0|s:8" },
	{ CTL_PURGE, "t:router.static" },
	{ CTL_RUN, "1:0|2:2|s:get|s:system" },
};

/* Cut anywhere, or with a byte too many, a frame ends the connection and does nothing before. */
START_TEST(test_cut) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	AUTO_BUF struct buf frame = BUF_INIT;

	ck_assert_uint_eq(SYSTEM_AUTO_SCALE__PSKSECRET, 6);
	build(&frame, whole[_i].type, whole[_i].fields);
	for (size_t len = 1; len <= frame.len + 1; len++) {
		AUTO_FREE uint8_t *copy = xcalloc(len, 1);

		if (len == frame.len)
			continue;
		memcpy(copy, frame.data, len < frame.len ? len : frame.len);
		str_clear(&a.said);
		ck_assert_msg(!caller_request(&a.caller, copy, len), "%zu of %zu bytes", len,
			      frame.len);
		ck_assert_str_eq(str_text(&a.said), "");
		ck_assert_ptr_null(a.caller.txn);
	}
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
	ck_assert(caller_request(&a.caller, frame.data, frame.len));
}
END_TEST

static Suite *requests_suite(void) {
	Suite *s = suite_create("requests");
	TCase *t = fixture_case(s, "requests");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_hello);
	tcase_add_test(t, test_not_allowed);
	tcase_add_test(t, test_attach);
	tcase_add_test(t, test_attach_refused);
	tcase_add_test(t, test_unknown_type);
	tcase_add_loop_test(t, test_read, 0, ARRAY_LEN(reads));
	tcase_add_test(t, test_check_ref);
	tcase_add_test(t, test_check_secret);
	tcase_add_test(t, test_long_output);
	tcase_add_test(t, test_memory);
	tcase_add_test(t, test_cancel_nothing);
	tcase_add_test(t, test_put);
	tcase_add_test(t, test_delete);
	tcase_add_test(t, test_edits);
	tcase_add_test(t, test_ui);
	tcase_add_test(t, test_replace);
	tcase_add_test(t, test_transaction);
	tcase_add_test(t, test_next);
	tcase_add_test(t, test_warning);
	tcase_add_test(t, test_version_of_list);
	tcase_add_test(t, test_conflict);
	tcase_add_test(t, test_connection_ends);
	tcase_add_loop_test(t, test_cut, 0, ARRAY_LEN(whole));
	return s;
}

int main(void) {
	return fixture_run(requests_suite());
}
