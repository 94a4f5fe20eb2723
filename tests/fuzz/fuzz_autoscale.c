/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a message of an authenticated member about the configuration. What is read keeps its
 * promises: names that can stand in a line of words, numbers in bounds, a list whose items are all
 * there; and it is said again in the same way. Then the bytes are given to a machine, as primary
 * and as secondary, once its other end has said who it is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "sync/autoscale.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void check_name(const char *name) {
	for (; *name; name++)
		promise(*name > ' ' && *name < 0x7f, "a name is one word");
}

static void check_list(const struct autoscale_message *m) {
	struct buf_reader r = m->list;

	for (uint32_t i = 0; i < m->n; i++) {
		struct autoscale_digest digest;
		struct autoscale_key key;
		struct operation o;
		struct member p;

		if (m->type == AUTOSCALE_BEAT) {
			autoscale_message_get_member(&r, &p);
			check_name(p.serial);
			check_name(p.vmid);
		} else if (m->type == AUTOSCALE_CHANGES || m->type == AUTOSCALE_OBJECTS) {
			operation_decode(&o, &r);
			operation_done(&o);
		} else if (m->type == AUTOSCALE_ASK_OBJECTS) {
			autoscale_message_get_key(&r, &key);
		} else {
			autoscale_message_get_digest(&r, &digest);
		}
	}
	promise(m->n == 0 || buf_reader_end(&r), "a list has as many items as it says");
}

static void check_message(const struct autoscale_message *m, const uint8_t *data, size_t size) {
	AUTO_BUF struct buf b = BUF_INIT;

	check_name(m->serial);
	check_name(m->standing.followed);
	check_list(m);
	autoscale_message_encode(&b, m);
	promise(b.len <= size, "it is said again, not longer");
	/* these leave something to later versions */
	if (m->type != AUTOSCALE_HELLO && m->type != AUTOSCALE_BEAT &&
	    m->type != AUTOSCALE_REFUSE && m->type != AUTOSCALE_NO)
		promise(b.len == size && memcmp(b.data, data, size) == 0, "and with the same bytes");
}

/* ---- a machine ---- */

static bool env_send(void *arg, unsigned int channel, const uint8_t *message, size_t len) {
	struct autoscale_message m;

	(void)arg;
	(void)channel;
	promise(autoscale_message_decode(&m, message, len), "what a machine says is a message");
	return true;
}

static void env_connect(void *arg, const union net_addr *ip) {
	(void)arg;
	(void)ip;
}

static void env_close(void *arg, unsigned int channel) {
	(void)arg;
	(void)channel;
}

static void env_ask(void *arg, const struct buf *request) {
	(void)arg;
	promise(request->len > 0 && request->len <= AUTOSCALE_MESSAGE_MAX, "questions have bounds");
}

static void env_log(void *arg, int priority, const char *text) {
	(void)arg;
	(void)priority;
	for (; *text; text++)
		promise((unsigned char)*text >= ' ', "a line is one line");
}

static uint64_t env_random(void *arg) {
	(void)arg;
	return 4;
}

static int64_t env_wall_s(void *arg) {
	(void)arg;
	return 1790000000;
}

static void say_hello(struct autoscale_machine *m, bool primary) {
	struct autoscale_message hello = { .type = AUTOSCALE_HELLO, .version = 1, .oldest = 1,
					   .serial = "B", .vmid = "vm-b" };
	AUTO_BUF struct buf b = BUF_INIT;

	hello.standing.primary = primary;
	hello.standing.synced = true;
	hello.standing.epoch = hello.standing.heard = 1;
	hello.standing.revision = 5;
	hello.standing.hb_interval_s = 10;
	autoscale_message_encode(&b, &hello);
	autoscale_message(m, 1, b.data, b.len, 2000);
}

static void give(bool primary, const uint8_t *data, size_t size) {
	static const struct autoscale_env env = {
		.connect = env_connect, .send = env_send, .close = env_close, .ask = env_ask,
		.log = env_log, .random = env_random, .wall_s = env_wall_s,
	};
	struct autoscale *a = xcalloc(1, sizeof(*a));
	struct autoscale_machine *m = autoscale_new(&env, 1000);
	union net_addr ip = net_ipv4(0x0a000002);

	*a = (struct autoscale){ .enabled = true, .has_key = true, .serial = "A", .vmid = "vm-a",
				 .primary = primary, .hb_interval_s = 10, .revision = 5 };
	a->primary_ip = ip;
	a->group.epoch = a->group.heard = 1;
	a->group.synced = primary;
	autoscale_configure(m, a, 1000);
	autoscale_desk_up(m, 1000);
	autoscale_up(m, 1, &ip, "B", 1000);
	say_hello(m, !primary);
	autoscale_message(m, 1, data, size, 3000);
	autoscale_tick(m, 100000000);
	autoscale_free(m);
	free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	/* Nothing behind its end. */
	AUTO_FREE uint8_t *copy = xreallocarray(NULL, size ? size : 1, 1);
	struct autoscale_message m;

	memcpy(copy, data, size);
	if (autoscale_message_decode(&m, copy, size))
		check_message(&m, copy, size);
	give(true, copy, size);
	give(false, copy, size);
	return 0;
}
