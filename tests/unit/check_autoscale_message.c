/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between members: what is said is understood, and nothing else is. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sync/autoscale_message.h"
#include "tests/lib/fixture.h"

#define SERIAL "GHVM000000000001"

static struct autoscale_standing standing_make(void) {
	struct autoscale_standing s = {
		.primary = true, .joined = true, .copying = true, .hb_interval_s = 10,
		.epoch = 3, .heard = 4, .revision = 77,
		.followed = SERIAL, .followed_revision = 76, .trouble = "disk full",
	};

	s.followed_ip = net_ipv4(0x0a000001);
	memset(&s.active, 1, sizeof(s.active));
	memset(&s.staged, 2, sizeof(s.staged));
	return s;
}

/* A message of each type with all its fields; its list is in *list. */
static struct autoscale_message message_make(enum autoscale_type type, struct buf *list) {
	struct autoscale_message m = { .type = type, .id = 5 };
	unsigned char digest[DIGEST_LEN] = { 9 };
	struct member member = { .serial = SERIAL, .vmid = "vm-1", .role = MEMBER_SECONDARY,
				 .ip = net_ipv4(0x0a000002), .heard_s = 60 };
	char table[] = "firewall.policy", key[] = "1", after[] = "2", body[] = "set x y\n";
	struct operation o = { .kind = OPERATION_PUT, .placed = true, .table = table, .key = key,
			       .after = after, .body = body };

	if (type == AUTOSCALE_HELLO || type == AUTOSCALE_BEAT)
		m.standing = standing_make();
	if (type == AUTOSCALE_HELLO || type == AUTOSCALE_FORGET)
		strcpy(m.serial, SERIAL);
	if (type == AUTOSCALE_HELLO) {
		m.version = m.oldest = 1;
		strcpy(m.vmid, "vm-1");
		strcpy(m.hostname, "a host");
		strcpy(m.schema, "abc");
	} else if (type == AUTOSCALE_BEAT) {
		m.members_version = 8;
		autoscale_message_put_member(list, &member);
		m.n = 1;
	} else if (type == AUTOSCALE_CHANGES || type == AUTOSCALE_OBJECTS) {
		operation_encode(list, &o);
		m.n = 1;
		m.revision = 9;
	} else if (type == AUTOSCALE_TABLES || type == AUTOSCALE_INDEX) {
		autoscale_message_put_digest(list, "firewall.policy", digest);
		autoscale_message_put_digest(list, "", digest);
		m.n = 2;
		m.revision = 9;
		m.more = type == AUTOSCALE_INDEX;
	} else if (type == AUTOSCALE_ASK_OBJECTS) {
		autoscale_message_put_key(list, "firewall.policy", "1");
		m.n = 1;
	} else if (type == AUTOSCALE_ASK_INDEX) {
		strcpy(m.table, "firewall.policy");
		strcpy(m.after, "7");
	} else if (type == AUTOSCALE_REFUSE || type == AUTOSCALE_NO) {
		m.why = AUTOSCALE_FULL;
		strcpy(m.text, "no room");
	}
	if (type == AUTOSCALE_CHANGES || type == AUTOSCALE_ASK_CHANGES)
		m.since = 8;
	if (type == AUTOSCALE_CHANGES) {
		m.checked = true;
		strcpy(m.user, "admin");
		strcpy(m.source, "ssh");
		m.time_s = 1790000000;
		memset(&m.digests, 3, sizeof(m.digests));
	}
	if (list->len > 0)
		buf_reader_init(&m.list, list->data, list->len);
	return m;
}

static void check_same(const struct autoscale_message *a, const struct autoscale_message *b) {
	struct autoscale_message x = *a, y = *b;
	size_t n = x.list.len - x.list.pos;

	ck_assert_uint_eq(n, y.list.len - y.list.pos);
	if (n > 0)
		ck_assert_mem_eq(x.list.data + x.list.pos, y.list.data + y.list.pos, n);
	memset(&x.list, 0, sizeof(x.list));
	memset(&y.list, 0, sizeof(y.list));
	ck_assert_mem_eq(&x, &y, sizeof(x));
}

static void encode(struct buf *b, enum autoscale_type type) {
	AUTO_BUF struct buf list = BUF_INIT;
	struct autoscale_message m;

	m = message_make(type, &list);
	autoscale_message_encode(b, &m);
}

START_TEST(test_types) {
	AUTO_BUF struct buf b = BUF_INIT, list = BUF_INIT;
	struct autoscale_message m = message_make((enum autoscale_type)_i, &list), again;

	autoscale_message_encode(&b, &m);
	ck_assert(autoscale_message_decode(&again, b.data, b.len));
	check_same(&m, &again);
	autoscale_message_set_id(&b, 0x01020304);
	ck_assert(autoscale_message_decode(&again, b.data, b.len));
	ck_assert_uint_eq(again.id, 0x01020304);
}
END_TEST

/* A message that ends early is none; one that goes on only where later versions may add. */
START_TEST(test_lengths) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct autoscale_message m;

	encode(&b, (enum autoscale_type)_i);
	for (size_t n = 0; n < b.len; n++)
		ck_assert(!autoscale_message_decode(&m, b.data, n));
	buf_put_u8(&b, 0);
	ck_assert_int_eq(autoscale_message_decode(&m, b.data, b.len),
			 _i == AUTOSCALE_HELLO || _i == AUTOSCALE_BEAT);
}
END_TEST

START_TEST(test_items) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct autoscale_message m;
	struct member p;

	encode(&b, AUTOSCALE_BEAT);
	ck_assert(autoscale_message_decode(&m, b.data, b.len));
	autoscale_message_get_member(&m.list, &p);
	ck_assert(buf_reader_end(&m.list));
	ck_assert_str_eq(p.serial, SERIAL);
	ck_assert_str_eq(p.vmid, "vm-1");
	ck_assert_int_eq(p.role, MEMBER_SECONDARY);
	ck_assert_int_eq(p.heard_s, 60);
}
END_TEST

/* ---- what is out of bounds ---- */

static void no_interval(struct autoscale_message *m) {
	m->standing.hb_interval_s = 0;
}

static void large_epoch(struct autoscale_message *m) {
	m->standing.epoch = m->standing.heard = UINT64_MAX;
}

/* A unit has heard of its own. */
static void unheard_epoch(struct autoscale_message *m) {
	m->standing.epoch = m->standing.heard + 1;
}

static void no_serial(struct autoscale_message *m) {
	m->serial[0] = '\0';
}

static void odd_serial(struct autoscale_message *m) {
	m->serial[3] = ' ';
}

static void odd_hostname(struct autoscale_message *m) {
	m->hostname[0] = '\n';
}

static void odd_followed(struct autoscale_message *m) {
	m->standing.followed[0] = '/';
}

static void swapped_versions(struct autoscale_message *m) {
	m->oldest = 2;
}

static void backwards(struct autoscale_message *m) {
	m->revision = m->since - 1;
}

static void too_many(struct autoscale_message *m) {
	m->n = UINT32_MAX;
}

static void one_more(struct autoscale_message *m) {
	m->n++;
}

static const struct {
	enum autoscale_type type;
	void (*spoil)(struct autoscale_message *m);
} spoilt[] = {
	{ AUTOSCALE_HELLO, no_interval }, { AUTOSCALE_HELLO, large_epoch },
	{ AUTOSCALE_BEAT, unheard_epoch },
	{ AUTOSCALE_HELLO, no_serial }, { AUTOSCALE_HELLO, odd_serial },
	{ AUTOSCALE_HELLO, odd_hostname }, { AUTOSCALE_HELLO, odd_followed },
	{ AUTOSCALE_HELLO, swapped_versions }, { AUTOSCALE_FORGET, odd_serial },
	{ AUTOSCALE_CHANGES, backwards }, { AUTOSCALE_BEAT, too_many },
	{ AUTOSCALE_CHANGES, too_many }, { AUTOSCALE_OBJECTS, one_more },
	{ AUTOSCALE_INDEX, one_more }, { AUTOSCALE_ASK_OBJECTS, too_many },
};

START_TEST(test_spoilt) {
	AUTO_BUF struct buf b = BUF_INIT, list = BUF_INIT;
	struct autoscale_message m = message_make(spoilt[_i].type, &list);

	spoilt[_i].spoil(&m);
	autoscale_message_encode(&b, &m);
	ck_assert(!autoscale_message_decode(&m, b.data, b.len));
}
END_TEST

START_TEST(test_strange) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct autoscale_message m;

	encode(&b, AUTOSCALE_ASK_TABLES);
	b.data[0] = 0;
	ck_assert(!autoscale_message_decode(&m, b.data, b.len));
	b.data[0] = AUTOSCALE_TYPES;
	ck_assert(!autoscale_message_decode(&m, b.data, b.len));
	buf_done(&b);
	encode(&b, AUTOSCALE_HELLO);
	buf_reserve(&b, AUTOSCALE_MESSAGE_MAX + 1);
	ck_assert(autoscale_message_decode(&m, b.data, b.len));
	while (b.len <= AUTOSCALE_MESSAGE_MAX)
		buf_put_u8(&b, 0);
	ck_assert(!autoscale_message_decode(&m, b.data, b.len));
}
END_TEST

static Suite *message_suite(void) {
	Suite *s = suite_create("autoscale message");
	TCase *t = fixture_case(s, "messages");

	tcase_add_loop_test(t, test_types, AUTOSCALE_HELLO, AUTOSCALE_TYPES);
	tcase_add_loop_test(t, test_lengths, AUTOSCALE_HELLO, AUTOSCALE_TYPES);
	tcase_add_test(t, test_items);
	tcase_add_loop_test(t, test_spoilt, 0, sizeof(spoilt) / sizeof(*spoilt));
	tcase_add_test(t, test_strange);
	return s;
}

int main(void) {
	return fixture_run(message_suite());
}
