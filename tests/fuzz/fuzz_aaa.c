/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as packets to the socket for logins, of root, the helper for keys, an administrator or
 * a stranger. Every answer is as the protocol says, there is one at most for each packet, and none
 * of those that are root's alone says yes to anyone else.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cfgdb/aaa/requests_aaa.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "cfgdb/txn.h"

#define KEY \
	"ssh-ed25519 " \
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

#define PACKETS_MAX 32
#define KEYS_UID 900
#define S UINT64_C(1000000000)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uid_t uids[] = { 0, KEYS_UID, AAA_UID_MIN, 1000 };
static char dir[] = "/tmp/fuzz-aaa-XXXXXX";
static struct event_base *base;
static struct engine *engine;
static struct requests_aaa shared;
static uint8_t asked;      /* the type of the last request */
static unsigned int n_answers;

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void read_account(struct buf_reader *r) {
	free(buf_get_str(r, AAA_NAME_MAX));
	for (int i = 0; i < 4; i++)
		(void)buf_get_u32(r);
	(void)buf_get_u8(r);
	free(buf_get_str(r, AAA_ORIGIN_MAX));
}

static void read_listen(struct buf_reader *r) {
	(void)buf_get_u32(r);
	(void)buf_get_u32(r);
	(void)buf_get_u8(r);
	for (int i = 0; i < 3; i++)
		free(buf_get_str(r, AAA_WORDS_MAX));
}

static void hear(void *arg, const struct buf *packet) {
	const struct asker *who = arg;
	struct buf_reader r;
	uint8_t type;

	n_answers++;
	promise(packet->len <= AAA_ANSWER_MAX, "answers have a bound");
	buf_reader_init(&r, packet->data, packet->len);
	promise(buf_get_u8(&r) == AAA_VERSION, "and a version");
	type = buf_get_u8(&r);
	if (type == AAA_OK && asked == AAA_LISTEN)
		read_listen(&r);
	else if (type == AAA_OK && asked != AAA_KEYS)
		read_account(&r);
	else
		free(buf_get_str(&r, type == AAA_OK ? AAA_KEYS_MAX : AAA_TEXT_MAX));
	promise(buf_reader_end(&r), "and are as aaa_wire.h says");
	promise(type != AAA_OK || who->uid == 0 || asked == AAA_NAME || asked == AAA_UID ||
			asked == AAA_SELF || (asked == AAA_KEYS && who->uid == KEYS_UID),
		"what is root's is root's");
}

static void make_admin(void) {
	static const char body[] = "set accprofile prof_admin\nset password secret\n"
				   "set ssh-public-key1 \"" KEY "\"\n";
	struct object *admin = object_new(schema_find("system.admin"), "bob");
	struct txn *t = txn_new(engine, "fuzz", "test");
	struct err err = { 0 };

	promise(text_parse(admin, body, &err) == 0 && txn_put(t, admin, TXN_ANY, &err) == 0 &&
			txn_commit(t, &err) == 0,
		err.text);
	txn_free(t);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
	struct aaa_config config = { .clock = moment_now };
	struct err err = { 0 };

	(void)argc;
	(void)argv;
	promise(mkdtemp(dir) != NULL, "there is a directory");
	engine = engine_open(dir, &err);
	promise(engine != NULL, err.text);
	make_admin();
	config.base = base = event_base_new();
	config.engine = engine;
	shared = (struct requests_aaa){ aaa_open(&config, &err), KEYS_UID, { 1000000, 1000, 0 } };
	promise(shared.aaa != NULL, err.text);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct asker who = { .shared = &shared, .pid = getpid(), .send = hear, .arg = &who };
	static uint64_t now_ns;
	bool open = size > 0;

	if (open)
		who.uid = uids[data[0] % ARRAY_LEN(uids)];
	for (size_t at = 1, n = 0; open && at + 2 <= size && n < PACKETS_MAX; n++) {
		size_t len = (size_t)data[at] << 8 | data[at + 1];

		at += 2;
		len = len < size - at ? len : size - at;
		asked = len > 1 ? data[at + 1] : 0;
		n_answers = 0;
		open = asker_request(&who, data + at, len, now_ns += S);
		promise(n_answers <= 1 && (!open || n_answers == 1 || who.waits),
			"each request has one answer");
		at += len;
	}
	asker_done(&who);
	event_base_loop(base, EVLOOP_NONBLOCK);
	return 0;
}
