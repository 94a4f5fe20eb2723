/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two made-up configurations are compared: each is a list of objects, asked for as members are.
 * What is told of them is compared with what was expected, line by line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "sync/comparison.h"
#include "tests/lib/fixture.h"

#define HERE "GHVMAAAAAAAAAAAA"
#define THERE "GHVMBBBBBBBBBBBB"

struct made_up {
	const char *table, *key, *body;
};

struct unit {
	const struct made_up *object;
	size_t n;
	uint64_t revision;
	size_t page;                 /* keys in an answer; 0: all */
	size_t room;                 /* objects in an answer; 0: all */
	bool restless;               /* its revision grows with each answer */
};

static void sum(const char *text, unsigned char *digest) {
	memset(digest, 0, DIGEST_LEN);
	for (size_t i = 0; text[i]; i++)
		digest[i % DIGEST_LEN] = (unsigned char)(digest[i % DIGEST_LEN] * 31 + text[i]);
}

/* Objects stand by table. */
static void answer_tables(const struct unit *u, struct autoscale_message *m, struct buf *list) {
	for (size_t i = 0; i < u->n; i++) {
		AUTO_STR struct str all = STR_INIT;
		unsigned char digest[DIGEST_LEN];
		const char *table = u->object[i].table;

		for (; i < u->n && strcmp(u->object[i].table, table) == 0; i++)
			str_addf(&all, "%s %s\n", u->object[i].key, u->object[i].body);
		i--;
		sum(str_text(&all), digest);
		autoscale_message_put_digest(list, table, digest);
		m->n++;
	}
}

static void answer_index(const struct unit *u, const struct autoscale_message *question,
			 struct autoscale_message *m, struct buf *list) {
	bool begun = !*question->after;

	for (size_t i = 0; i < u->n; i++) {
		unsigned char digest[DIGEST_LEN];

		if (strcmp(u->object[i].table, question->table) != 0)
			continue;
		m->more = u->page > 0 && m->n == u->page;
		if (m->more)
			return;
		if (begun) {
			sum(u->object[i].body, digest);
			autoscale_message_put_digest(list, u->object[i].key, digest);
			m->n++;
		}
		begun = begun || strcmp(u->object[i].key, question->after) == 0;
	}
}

static void answer_objects(const struct unit *u, const struct autoscale_message *question,
			   struct autoscale_message *m, struct buf *list) {
	struct buf_reader asked = question->list;

	for (uint32_t k = 0; k < question->n && (u->room == 0 || k < u->room); k++) {
		struct autoscale_key key;
		struct operation o = { .kind = OPERATION_DELETE, .after = (char *)"",
				       .body = (char *)"" };

		autoscale_message_get_key(&asked, &key);
		o.table = key.table;
		o.key = key.key;
		for (size_t i = 0; i < u->n; i++)
			if (strcmp(u->object[i].table, key.table) == 0 &&
			    strcmp(u->object[i].key, key.key) == 0) {
				o.kind = OPERATION_PUT;
				o.body = (char *)u->object[i].body;
			}
		operation_encode(list, &o);
		m->n++;
	}
}

static void answer(struct unit *u, const struct autoscale_message *question, struct comparison *c,
		   struct str *out) {
	struct autoscale_message m = { .type = question->type + 1, .revision = u->revision };
	AUTO_BUF struct buf list = BUF_INIT;

	if (question->type == AUTOSCALE_ASK_TABLES)
		answer_tables(u, &m, &list);
	else if (question->type == AUTOSCALE_ASK_INDEX)
		answer_index(u, question, &m, &list);
	else
		answer_objects(u, question, &m, &list);
	buf_reader_init(&m.list, list.data, list.len);
	u->revision += u->restless;
	comparison_take(c, &m, "", out);
}

static void compare(struct unit *here, struct unit *there, struct str *out) {
	struct comparison *c = comparison_new(HERE, THERE);
	struct autoscale_message question;
	const char *serial;

	while (comparison_ask(c, &serial, &question))
		answer(strcmp(serial, HERE) == 0 ? here : there, &question, c, out);
	comparison_free(c);
}

static void assert_told(struct unit *here, struct unit *there, const char *right) {
	AUTO_STR struct str out = STR_INIT;

	compare(here, there, &out);
	ck_assert_str_eq(str_text(&out), right);
}

#define UNIT(list) { .object = list, .n = ARRAY_LEN(list), .revision = 7 }

static const struct made_up ours[] = {
	{ "firewall.address", "a", "set subnet 10.0.0.0 255.0.0.0\nvdom root\n" },
	{ "firewall.address", "b", "set comment \"one two\"\nset fqdn x\nvdom root\n" },
	{ "firewall.address", "only here", "vdom root\n" },
	{ "firewall.policy", "1", "set action accept\n" },
	{ "firewall.policy", "2", "set action deny\n" },
	{ "firewall.policy", "3", "set action deny\n" },
	{ "system.auto-scale", "", "secret psksecret one-secret\nset hb-interval 5\n" },
	{ "system.standalone-cluster", "",
	  "config cluster-peer\nedit 1\nset peerip 10.0.0.1\nnext\nedit 2\nset syncvd root\nnext\n"
	  "end\nsecret psksecret same\n" },
};

static const struct made_up theirs[] = {
	{ "firewall.address", "a", "set subnet 10.0.0.0 255.255.0.0\nvdom root\n" },
	{ "firewall.address", "b", "set comment \"one two\"\nvdom root\n" },
	{ "firewall.address", "only there", "vdom root\n" },
	{ "firewall.policy", "1", "set action accept\n" },
	{ "firewall.policy", "3", "set action deny\n" },
	{ "firewall.policy", "2", "set action deny\n" },
	{ "system.auto-scale", "", "secret psksecret another-secret\nset hb-interval 5\n" },
	{ "system.standalone-cluster", "",
	  "config cluster-peer\nedit 1\nset peerip 10.0.0.2\nnext\nend\nsecret psksecret same\n" },
	{ "vpn.new", "", "config what\nedit x\nnext\nend\nset colour \"deep blue\"\n" },
};

static const char told[] =
	"firewall.address only here: only here\n"
	"firewall.address a subnet: here 10.0.0.0 255.0.0.0, there 10.0.0.0 255.255.0.0\n"
	"firewall.address b fqdn: here x, there not set\n"
	"firewall.address only there: only there\n"
	"firewall.policy 3: stands at another place\n"
	"system.auto-scale psksecret: differs\n"
	"system.standalone-cluster cluster-peer 1 peerip: here 10.0.0.1, there 10.0.0.2\n"
	"system.standalone-cluster cluster-peer 2: here set, there not set\n"
	"system.standalone-cluster cluster-peer 2 syncvd: here root, there not set\n"
	"vpn.new: only there\n"
	"10 differences\n";

START_TEST(equal)
{
	struct unit here = UNIT(ours), there = UNIT(ours);

	assert_told(&here, &there, "equal\n");
}
END_TEST

START_TEST(everything_that_differs)
{
	struct unit here = UNIT(ours), there = UNIT(theirs);

	assert_told(&here, &there, told);
}
END_TEST

/* However little fits into an answer, the same is told. */
START_TEST(in_small_pieces)
{
	struct unit here = UNIT(ours), there = UNIT(theirs);

	here.page = there.page = 1;
	there.room = 1;
	assert_told(&here, &there, told);
	here.page = 2;
	here.room = 2;
	assert_told(&here, &there, told);
}
END_TEST

static const struct made_up secret_only[] = {
	{ "system.auto-scale", "", "secret psksecret one-secret\n" },
};
static const struct made_up no_secret[] = { { "system.auto-scale", "", "set hb-interval 5\n" } };

START_TEST(secrets_are_not_told)
{
	struct unit here = UNIT(secret_only), there = UNIT(no_secret);

	assert_told(&here, &there, "system.auto-scale hb-interval: here not set, there 5\n"
				   "system.auto-scale psksecret: here set, there not set\n"
				   "2 differences\n");
}
END_TEST

START_TEST(what_changes_meanwhile)
{
	struct unit here = UNIT(secret_only), there = UNIT(secret_only);

	there.restless = true;
	assert_told(&here, &there, "equal\n");
	there.object = no_secret;
	assert_told(&here, &there, "system.auto-scale hb-interval: here not set, there 5\n"
				   "system.auto-scale psksecret: here set, there not set\n"
				   "2 differences\n"
				   "the configuration has changed meanwhile: ask again\n");
}
END_TEST

/* What another member calls an entry goes to a terminal. */
START_TEST(control_characters)
{
	static const struct made_up evil[] = {
		{ "vpn.new", "", "config what\nedit \"a\x1b]0;b\nc\"\n"
		  "set d \"e\x07\"\nnext\nend\n" },
		{ "vpn.newer\x1b[2J", "k\ney", "" },
	};
	static const struct made_up good[] = { { "vpn.new", "", "set d e\n" } };
	struct unit here = UNIT(good), there = UNIT(evil);
	AUTO_STR struct str out = STR_INIT;

	compare(&here, &there, &out);
	ck_assert_ptr_null(strpbrk(str_text(&out), "\x1b\x07"));
	ck_assert_ptr_nonnull(strstr(str_text(&out), "b c d: here not set, there "));
	ck_assert_ptr_nonnull(strstr(str_text(&out), " k ey: only there\n4 differences\n"));
}
END_TEST

/* The first hundred, with a value that has no end. */
START_TEST(bounds)
{
	AUTO_STR struct str out = STR_INIT, value = STR_INIT, line = STR_INIT;
	struct made_up many[150], other[150];
	char keys[150][8];
	struct unit here = UNIT(many), there = UNIT(other);

	str_add(&value, "set comment ");
	for (int i = 0; i < 300; i++)
		str_add(&value, "\xc3\xa9");
	str_add(&value, "\n");
	for (int i = 0; i < 150; i++) {
		snprintf(keys[i], sizeof(keys[i]), "%03d", i);
		many[i] = (struct made_up){ "firewall.address", keys[i], str_text(&value) };
		other[i] = (struct made_up){ "firewall.address", keys[i], "" };
	}
	compare(&here, &there, &out);
	str_add(&line, "firewall.address 099 comment: here ");
	for (int i = 0; i < 100; i++)
		str_add(&line, "\xc3\xa9");
	str_add(&line, "..., there not set\n100 differences, and there may be more\n");
	ck_assert_ptr_nonnull(strstr(str_text(&out), str_text(&line)));
	ck_assert_ptr_null(strstr(str_text(&out), "address 100 "));
}
END_TEST

START_TEST(what_cannot_be_had)
{
	struct unit here = UNIT(ours);
	struct comparison *c = comparison_new(HERE, THERE);
	struct autoscale_message question;
	AUTO_STR struct str out = STR_INIT;
	const char *serial;

	ck_assert(comparison_ask(c, &serial, &question));
	ck_assert_str_eq(serial, HERE);
	answer(&here, &question, c, &out);
	ck_assert(comparison_ask(c, &serial, &question));
	ck_assert_str_eq(serial, THERE);
	comparison_take(c, NULL, "it does not answer", &out);
	ck_assert(!comparison_ask(c, &serial, &question));
	ck_assert_str_eq(str_text(&out), "cannot be compared: it does not answer\n");
	comparison_free(c);
}
END_TEST

/* An object that fits into no answer, and one that was not asked for. */
START_TEST(wrong_objects)
{
	struct autoscale_message none = { .type = AUTOSCALE_OBJECTS, .revision = 7 };
	struct autoscale_message wrong = { .type = AUTOSCALE_OBJECTS, .revision = 7, .n = 1 };
	struct operation o = { OPERATION_PUT, false, (char *)"system.global", (char *)"",
			       (char *)"", (char *)"" };
	AUTO_BUF struct buf list = BUF_INIT;

	operation_encode(&list, &o);
	buf_reader_init(&wrong.list, list.data, list.len);
	for (int i = 0; i < 2; i++) {
		struct unit here = UNIT(secret_only), there = UNIT(no_secret);
		struct comparison *c = comparison_new(HERE, THERE);
		struct autoscale_message question;
		AUTO_STR struct str out = STR_INIT;
		const char *serial;

		while (comparison_ask(c, &serial, &question))
			if (strcmp(serial, THERE) == 0 && question.type == AUTOSCALE_ASK_OBJECTS)
				comparison_take(c, i ? &wrong : &none, "", &out);
			else
				answer(strcmp(serial, HERE) == 0 ? &here : &there, &question,
				       c, &out);
		ck_assert_str_eq(str_text(&out),
				 i ? "cannot be compared: an object came that was not asked for\n"
				   : "system.auto-scale: differs, and is too long to be compared\n"
				     "1 difference\n");
		comparison_free(c);
	}
}
END_TEST

int main(void) {
	Suite *suite = suite_create("comparison");
	TCase *tc = fixture_case(suite, "comparison");

	tcase_add_test(tc, equal);
	tcase_add_test(tc, everything_that_differs);
	tcase_add_test(tc, in_small_pieces);
	tcase_add_test(tc, secrets_are_not_told);
	tcase_add_test(tc, what_changes_meanwhile);
	tcase_add_test(tc, control_characters);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, what_cannot_be_had);
	tcase_add_test(tc, wrong_objects);
	return fixture_run(suite);
}
