/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as frames of two control connections, against an engine in memory that holds the
 * factory configuration and a few objects more. An input is frames with a length of two bytes
 * before each, of which the highest bit says whose it is; a frame without bytes lets half a minute
 * pass.
 *
 * Besides surviving, the daemon must keep its promises: answers are as ctl.h says, references lead
 * somewhere, an error changes nothing, and what is in memory is in the database.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/cmd_transaction.h"
#include "cfgdb/control/commands.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/requests.h"
#include "cfgdb/factory.h"
#include "cfgdb/model/text.h"
#include "cfgdb/pending.h"
#include "cfgdb/script.h"
#include "cfgdb/workspace.h"

#define FRAMES_MAX 32

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char more[] =
	"config system interface\nedit port1\nset type physical\nset ip 10.0.1.1/24\nnext\n"
	"edit port2\nnext\nend\n"
	"config firewall address\nedit a\nnext\nedit b\nset type iprange\nset start-ip 1.1.1.1\n"
	"set end-ip 1.1.1.9\nnext\nend\n"
	"config firewall addrgrp\nedit g\nset member a b\nnext\nend\n"
	"config firewall policy\nedit 1\nset srcintf port1\nset dstintf port2\nset srcaddr g\n"
	"set dstaddr all\n"
	"set schedule always\nset service ALL\nnext\nend\n"
	"config router static\nedit 1\nset device port1\nnext\nend\n";

static struct keyring *ring;
static struct model *template; /* what every input starts from */
static struct command commands[64];
static struct moment now;
static struct server_config config = {
	.path = "/nowhere", .group = "gatehouse", .commands = commands, .version = "0"
};

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

/* ---- an engine of its own for each input ---- */

static struct engine engine_make(struct model *model) {
	struct engine e = { .model = model,
			    .store = store_open(":memory:", NULL),
			    .keyring = ring };

	promise(e.store != NULL, "a database in memory opens");
	strcpy(e.serial, "GHVM000000000000");
	return e;
}

static struct model *model_duplicate(const struct model *m) {
	struct model *copy = model_new();

	for (uint16_t i = 0; i < schema_n_top; i++)
		for (const struct object *obj = model_first(m, schema_tables[schema_top[i]]); obj;
		     obj = model_next(m, obj))
			model_put(copy, object_copy(obj));
	return copy;
}

static void make_key(void) {
	char dir[] = "/tmp/gatehouse-fuzz.XXXXXX";
	AUTO_FREE char *path = NULL;

	promise(mkdtemp(dir) != NULL, "there is a temporary directory");
	path = xasprintf("%s/device.key", dir);
	ring = keyring_open(path, true, NULL);
	promise(ring != NULL, "there is a key");
	unlink(path);
	rmdir(dir);
}

static void take_group(const struct command *(*group)(size_t *n)) {
	size_t n;
	const struct command *table = group(&n);

	promise(config.n_commands + n <= ARRAY_LEN(commands), "there is room for all commands");
	memcpy(&commands[config.n_commands], table, n * sizeof(*table));
	config.n_commands += n;
}

static void take_commands(void) {
	take_group(commands_config);
	take_group(commands_transaction);
	take_group(commands_transaction_show);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
	struct engine e;
	struct txn *t;

	(void)argc;
	(void)argv;
	make_key();
	take_commands();
	template = model_new();
	e = engine_make(template);
	t = txn_new(&e, "fuzz", "fuzz");
	promise(script_load(t, factory_conf, NULL) == 0 && script_load(t, more, NULL) == 0 &&
			txn_commit(t, NULL) == 0,
		"the start configuration loads");
	txn_free(t);
	store_close(e.store);
	return 0;
}

/* ---- promises ---- */

/* Every answer has the fields that its type has, and no more. */
static void hear(void *arg, const struct buf *frame) {
	struct buf_reader r;
	uint8_t type;

	(void)arg;
	buf_reader_init(&r, frame->data, frame->len);
	type = buf_get_u8(&r);
	promise(type >= CTL_OK && type <= CTL_LAST, "answers are of a known type");
	promise(frame->len <= CTL_FRAME_MAX, "answers fit into a frame");
	if (type == CTL_OBJECT || type == CTL_ID)
		buf_get_u64(&r);
	if (type == CTL_ERROR)
		promise(buf_get_u32(&r) != 0, "errors have a code");
	if (type != CTL_ID)
		free(buf_get_str(&r, CTL_FRAME_MAX));
	if (type == CTL_OBJECT || type == CTL_INFO || type == CTL_KEY)
		free(buf_get_str(&r, CTL_FRAME_MAX));
	if (type == CTL_INFO)
		for (size_t n = sizeof(uint32_t) + schema_n_tables; n > 0; n--)
			buf_get_u8(&r);
	promise(buf_reader_end(&r), "answers are as ctl.h says");
}

static int check_ref(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	const struct schema_attr *a = &holder->table->attrs[attr];

	promise(model_resolve(arg, a, name) || model_builtin(a, name), "references lead somewhere");
	return 0;
}

static int check_row(void *arg, struct object *obj, const char *body, struct err *err) {
	const struct object *active = model_find(arg, obj->table, obj->key);
	AUTO_STR struct str text = STR_INIT;

	promise(active != NULL, "what is in the database is in memory");
	promise(active->pos == obj->pos && active->ver == obj->ver,
		"at the same place, of the same revision");
	promise(memcmp(active->hash, obj->hash, OBJECT_HASH_LEN) == 0, "with the same digest");
	text_body(active, 0, 0, &text);
	promise(strcmp(str_text(&text), body) == 0, "and the same text");
	promise(text_parse(obj, body, err) == 0 && object_equal(obj, active), "which reads back");
	object_free(obj);
	return 0;
}

static int refuse_unknown(void *arg, struct row *row, struct err *err) {
	(void)arg;
	(void)row;
	(void)err;
	promise(false, "nobody can make a table");
	return ERR_STORE;
}

static void check_engine(struct engine *e) {
	const struct store_visitor visitor = { check_row, refuse_unknown, e->model };
	struct err err = { 0 };

	for (uint16_t i = 0; i < schema_n_top; i++)
		for (const struct object *obj = model_first(e->model, schema_tables[schema_top[i]]);
		     obj; obj = model_next(e->model, obj))
			object_each_ref(obj, check_ref, e->model);
	promise(store_load(e->store, &visitor, &err) == 0, "the database can be read");
}

/* ---- two connections ---- */

static void tell_time(struct moment *ret) {
	*ret = now;
}

static void hear_pending(void *arg, bool failed, const char *text) {
	(void)arg;
	(void)failed;
	promise(*text != '\0', "what becomes of a commit is told");
}

static void open_transactions(struct engine *e) {
	const struct pending_config waiting = {
		.engine = e, .clock = tell_time, .boot_id = "fuzz", .tell = hear_pending
	};

	now = (struct moment){ 1000000, 1000 };
	config.workspace = workspace_new(e, tell_time, NULL);
	config.pending = pending_open(&waiting, NULL);
	promise(config.workspace && config.pending, "there are transactions");
}

static void pass_time(void) {
	now.wall_s += 30;
	now.boot_s += 30;
	pending_tick(config.pending);
}

static void connect_one(struct caller *s, struct engine *e, const char *user, bool greeted) {
	caller_init(s, e, &config, user, true);
	s->send = hear;
	s->greeted = greeted;
}

/* True when the connection stays. */
static bool ask(struct caller *s, const uint8_t *frame, size_t len) {
	if (len > 0)
		return caller_request(s, frame, len);
	pass_time();
	return true;
}

static void converse(struct caller s[2], const uint8_t *data, size_t size) {
	bool open[2] = { true, true };

	for (size_t at = 1, n = 0; at + 2 <= size && n < FRAMES_MAX; n++) {
		size_t len = (size_t)(data[at] & 0x7f) << 8 | data[at + 1];
		unsigned int who = data[at] >> 7;

		at += 2;
		len = len < size - at ? len : size - at;
		open[who] = open[who] && ask(&s[who], data + at, len);
		at += len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct engine e = engine_make(model_duplicate(template));
	bool greeted = size > 0 && data[0] != 0;
	struct caller s[2];

	e.revision = 1;
	for (size_t i = 0; i < config.n_commands; i++)
		commands[i].ctx = &e;
	open_transactions(&e);
	connect_one(&s[0], &e, "fuzz", greeted);
	connect_one(&s[1], &e, "other", greeted);
	converse(s, data, size);
	caller_done(&s[0]);
	caller_done(&s[1]);
	pending_close(config.pending);
	workspace_free(config.workspace);
	promise(e.staged_bytes == 0, "nothing stays staged");
	check_engine(&e);
	store_close(e.store);
	model_free(e.model);
	return 0;
}
