/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed datagrams: bytes as another program computes them, what is opened and what is not, and the
 * window of replays against a model. The module is compiled into the test, so that the last numbers
 * of a link can be reached.
 */
#include "sync/seal.c"

#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define SERIAL_A "GHVMAAAAAAAAAAAA"
#define SERIAL_B "GHVMBBBBBBBBBBBB"
#define ROOM 256

/* What opening gave. */
static enum seal_channel channel;
static uint8_t link_number, *payload;
static size_t payload_len;

static struct seal_params params_of(bool a, enum seal_cipher cipher, bool encrypt) {
	struct seal_params p = { .epoch = 0x01020304, .cipher = cipher, .encrypt = encrypt };

	for (unsigned int i = 0; i < SEAL_MASTER; i++)
		p.master[i] = (uint8_t)(0x40 + i);
	p.own_serial = a ? SERIAL_A : SERIAL_B;
	p.peer_serial = a ? SERIAL_B : SERIAL_A;
	p.own_id = a ? 0xabcd : 0x1111;
	p.peer_id = a ? 0x1111 : 0xabcd;
	return p;
}

static struct seal *make(bool a, enum seal_cipher cipher, bool encrypt) {
	struct seal_params p = params_of(a, cipher, encrypt);
	struct err err = { 0 };
	struct seal *s = seal_new(&p, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	return s;
}

static size_t seal_text(struct seal *s, enum seal_channel ch, uint8_t link, const char *text,
			uint8_t *out) {
	return seal_make(s, ch, link, (const uint8_t *)text, strlen(text), out);
}

/* Open a copy: nothing reads beyond its end, and the datagram can be opened again. */
static enum seal_result open_copy(struct seal *s, const uint8_t *data, size_t len) {
	static uint8_t *copy;

	free(copy);
	copy = xreallocarray(NULL, len ? len : 1, 1);
	memcpy(copy, data, len);
	channel = 0;
	payload = NULL;
	return seal_open(s, copy, len, &channel, &link_number, &payload, &payload_len);
}

/* ---- bytes ---- */

/*
 * Made with another implementation of AEAD and a HKDF of its own, which was tried on the vectors of
 * RFC 5869; always the second datagram of a link.
 */
static const struct known {
	enum seal_cipher cipher;
	enum seal_channel channel;
	uint8_t link;
	bool encrypt;
	const char *datagram;
} known[] = {
	{ SEAL_AES_256_GCM, SEAL_UDP, 0, true,
	  "\xab\xcd\x01\x02\x03\x04\x01\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	  "\xf1\xba\x9e\xa1\xb0\x24\xc3\x6f\xcc\x6b\xf3\x42\x34\x71\x19\x7a"
	  "\xa2\xb7\x1a\x76\x9f\xd9\x17\x7f\x60\x1a\x85\xba\x97\x11\x3f\xc7"
	  "\xbe\x47" },
	{ SEAL_CHACHA20, SEAL_ETHERNET, 31, true,
	  "\xab\xcd\x01\x02\x03\x04\x02\x1f\x00\x00\x00\x00\x00\x00\x00\x01"
	  "\xfa\xda\xf7\x8a\x88\xa0\x5e\x11\x54\x88\xd3\x4f\xe5\x1b\x19\xc5"
	  "\x90\xa2\x30\x0c\x23\x83\x65\x91\xd9\x95\x06\x8e\xab\xb4\x6a\xdf"
	  "\x3a\x08" },
	{ SEAL_AES_256_GCM, SEAL_ETHERNET, 5, false,
	  "\xab\xcd\x01\x02\x03\x04\x82\x05\x00\x00\x00\x00\x00\x00\x00\x01"
	  "\x73\x65\x73\x73\x69\x6f\x6e\x73\x20\x6f\x66\x20\x61\x20\x75\x6e"
	  "\x69\x74\xde\x92\x7f\xa1\xe5\x34\xaa\xf7\x5e\x74\x43\x21\x77\x60"
	  "\xd0\x1c" },
	{ SEAL_CHACHA20, SEAL_UDP, 5, false,
	  "\xab\xcd\x01\x02\x03\x04\x81\x05\x00\x00\x00\x00\x00\x00\x00\x01"
	  "\x73\x65\x73\x73\x69\x6f\x6e\x73\x20\x6f\x66\x20\x61\x20\x75\x6e"
	  "\x69\x74\xa9\xd9\x44\xc6\x05\x63\x1e\x6b\x20\xa7\xfc\xa7\x30\x23"
	  "\x71\x31" },
};
static const char known_text[] = "sessions of a unit";

START_TEST(test_known) {
	const struct known *k = &known[_i];
	struct seal *a = make(true, k->cipher, k->encrypt);
	struct seal *b = make(false, k->cipher, k->encrypt);
	const size_t len = SEAL_HEADER + strlen(known_text) + SEAL_TAG;
	uint8_t out[ROOM];

	ck_assert_uint_gt(seal_text(a, k->channel, k->link, "first", out), 0);
	ck_assert_uint_eq(seal_text(a, k->channel, k->link, known_text, out), len);
	ck_assert_mem_eq(out, k->datagram, len);
	ck_assert_int_eq(open_copy(b, out, len), SEAL_OK);
	ck_assert_int_eq(channel, k->channel);
	ck_assert_uint_eq(link_number, k->link);
	ck_assert_uint_eq(payload_len, strlen(known_text));
	ck_assert_mem_eq(payload, known_text, payload_len);
	seal_free(a);
	seal_free(b);
}
END_TEST

START_TEST(test_derived) {
	static const char psk[] =
		"\xbe\xeb\x4d\x0f\x69\x61\xae\x14\x71\xaf\xbc\x70\x2c\xaf\x88\x92"
		"\x2f\x59\x4f\xec\x37\x20\x81\x36\xfd\xdf\x36\x2d\x83\x7e\x93\x78";
	static const char prints[] =
		"\x00\x4c\x66\xe7\x83\x4f\x30\x68\x0a\x67\x1e\xe0\x8f\xe0\x36\xed";
	struct seal_params p = params_of(true, SEAL_AES_256_GCM, true);
	uint8_t out[SEAL_MASTER];
	struct err err = { 0 };

	ck_assert_int_eq(seal_psk(p.master, SERIAL_A, out, &err), 0);
	ck_assert_mem_eq(out, psk, SEAL_MASTER);
	ck_assert_int_eq(seal_psk(p.master, SERIAL_B, out, &err), 0);
	ck_assert_mem_ne(out, psk, SEAL_MASTER);
	ck_assert_int_eq(seal_prints_key(p.master, out, &err), 0);
	ck_assert_mem_eq(out, prints, SEAL_PRINTS_KEY);
	ck_assert_int_eq(seal_psk(p.master, "", out, &err), ERR_VALUE);
	ck_assert_int_eq(seal_psk(p.master, "GHVM0123456789012345678901234567x", out, &err),
			 ERR_VALUE);
}
END_TEST

/* ---- opening ---- */

/* Payloads of all sizes, both ways at once, on several links. */
START_TEST(test_both_ways) {
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 1400, 9000, SEAL_PAYLOAD_MAX };
	struct rng r = rng_seed(fixture_seed());
	uint8_t *text = xcalloc(2, SEAL_PAYLOAD_MAX + SEAL_HEADER + SEAL_TAG);
	uint8_t *out = text + SEAL_PAYLOAD_MAX;

	for (int form = 0; form < 4; form++) {
		struct seal *s[2] = { make(true, form & 1, form & 2),
				      make(false, form & 1, form & 2) };

		for (unsigned int i = 0; i < 40; i++) {
			size_t size = sizes[i % ARRAY_LEN(sizes)], len;
			enum seal_channel ch = 1 + rng_below(&r, 2);
			uint8_t link = (uint8_t)rng_below(&r, SEAL_LINKS);
			unsigned int from = rng_below(&r, 2);

			memset(text, (int)i, size);
			len = seal_make(s[from], ch, link, text, size, out);
			ck_assert_uint_eq(len, size + SEAL_HEADER + SEAL_TAG);
			ck_assert_int_eq(open_copy(s[!from], out, len), SEAL_OK);
			ck_assert(channel == ch && link_number == link && payload_len == size);
			ck_assert_mem_eq(payload, text, size);
		}
		seal_free(s[0]);
		seal_free(s[1]);
	}
	free(text);
}
END_TEST

/* One wrong bit, a byte more or less: refused; the true datagram still is not. */
START_TEST(test_forged) {
	for (int form = 0; form < 4; form++) {
		struct seal *a = make(true, form & 1, form & 2);
		struct seal *b = make(false, form & 1, form & 2);
		uint8_t out[ROOM] = { 0 };
		size_t len = seal_text(a, SEAL_UDP, 3, known_text, out);

		for (size_t bit = 0; bit < len * 8; bit++) {
			out[bit / 8] ^= (uint8_t)(1 << bit % 8);
			ck_assert_int_ne(open_copy(b, out, len), SEAL_OK);
			ck_assert_ptr_null(payload);
			out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (size_t cut = 0; cut < len; cut++)
			ck_assert_int_eq(open_copy(b, out, cut), cut < SEAL_HEADER + SEAL_TAG
									 ? SEAL_MALFORMED
									 : SEAL_FORGED);
		ck_assert_int_eq(open_copy(b, out, len + 1), SEAL_FORGED);
		ck_assert_int_eq(open_copy(b, out, len), SEAL_OK);
		seal_free(a);
		seal_free(b);
	}
}
END_TEST

/* Another key, epoch, cipher, serial or id of the peer, the other direction. */
START_TEST(test_strangers) {
	struct seal_params p[5];
	struct seal *a = make(true, SEAL_AES_256_GCM, true);
	uint8_t out[ROOM];
	size_t len = seal_text(a, SEAL_UDP, 0, known_text, out);

	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		p[i] = params_of(false, SEAL_AES_256_GCM, true);
	p[0].master[31] ^= 1;
	p[1].epoch++;
	p[2].cipher = SEAL_CHACHA20;
	p[3].peer_serial = "GHVMCCCCCCCCCCCC";
	p[4].peer_id ^= 1;
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		struct seal *b = seal_new(&p[i], NULL);

		ck_assert_int_eq(open_copy(b, out, len), SEAL_FORGED);
		seal_free(b);
	}
	ck_assert_int_eq(open_copy(a, out, len), SEAL_FORGED);
	out[0] = 0x11;               /* reflected, with the sender it should have */
	out[1] = 0x11;
	ck_assert_int_eq(open_copy(a, out, len), SEAL_FORGED);
	seal_free(a);
}
END_TEST

/* The epoch, too, when somebody forges the header; and links do not share keys. */
START_TEST(test_bound_to_keys) {
	struct seal *a = make(true, SEAL_AES_256_GCM, true);
	struct seal *b = make(false, SEAL_AES_256_GCM, true);
	struct seal_params next = params_of(false, SEAL_AES_256_GCM, true);
	uint8_t one[ROOM], two[ROOM];
	size_t len = seal_text(a, SEAL_UDP, 1, known_text, one);
	struct seal *c;

	next.epoch = 0x01020305;
	c = seal_new(&next, NULL);
	one[5] = 5;
	ck_assert_int_eq(open_copy(c, one, len), SEAL_FORGED);
	ck_assert_uint_eq(seal_text(a, SEAL_UDP, 2, known_text, two), len);
	ck_assert_mem_ne(one + SEAL_HEADER, two + SEAL_HEADER, len - SEAL_HEADER);
	two[7] = 1;
	ck_assert_int_eq(open_copy(b, two, len), SEAL_FORGED);
	seal_free(a);
	seal_free(b);
	seal_free(c);
}
END_TEST

/* Who encrypts takes nothing readable; who does not, takes both. */
START_TEST(test_readable) {
	struct seal *clear = make(true, SEAL_AES_256_GCM, false);
	struct seal *secret = make(true, SEAL_AES_256_GCM, true);
	struct seal *b = make(false, SEAL_AES_256_GCM, true);
	struct seal *c = make(false, SEAL_AES_256_GCM, false);
	uint8_t one[ROOM], two[ROOM];
	size_t len = seal_text(clear, SEAL_UDP, 0, known_text, one);

	ck_assert_uint_eq(seal_text(secret, SEAL_UDP, 1, known_text, two), len);
	ck_assert_ptr_nonnull(memmem(one, len, known_text, strlen(known_text)));
	ck_assert_ptr_null(memmem(two, len, known_text, strlen(known_text)));
	ck_assert_int_eq(open_copy(b, one, len), SEAL_READABLE);
	ck_assert_ptr_null(payload);
	ck_assert_int_eq(open_copy(c, one, len), SEAL_OK);
	ck_assert_int_eq(open_copy(c, two, len), SEAL_OK);
	one[len - 1] ^= 1;
	ck_assert_int_eq(open_copy(b, one, len), SEAL_FORGED);
	seal_free(clear);
	seal_free(secret);
	seal_free(b);
	seal_free(c);
}
END_TEST

START_TEST(test_malformed) {
	struct seal *a = make(true, SEAL_AES_256_GCM, true);
	struct seal *b = make(false, SEAL_AES_256_GCM, true);
	uint8_t out[ROOM], *large = xcalloc(1, SEAL_PAYLOAD_MAX + 1 + SEAL_HEADER + SEAL_TAG);
	size_t len = seal_text(a, SEAL_UDP, 0, known_text, out);
	uint16_t sender;
	uint32_t epoch;

	ck_assert(!seal_peek(out, SEAL_HEADER + SEAL_TAG - 1, &sender, &epoch));
	ck_assert(seal_peek(out, SEAL_HEADER + SEAL_TAG, &sender, &epoch));
	ck_assert(sender == 0xabcd && epoch == 0x01020304 && epoch == seal_epoch(a));
	memcpy(large, out, SEAL_HEADER);
	ck_assert_int_eq(open_copy(b, large, SEAL_PAYLOAD_MAX + 1 + SEAL_HEADER + SEAL_TAG),
			 SEAL_MALFORMED);
	for (unsigned int ch = 0; ch < 256; ch++) {
		out[6] = (uint8_t)ch;
		if ((ch & 0x7f) != 1 && (ch & 0x7f) != 2)
			ck_assert_int_eq(open_copy(b, out, len), SEAL_MALFORMED);
	}
	out[6] = 1;
	out[7] = SEAL_LINKS;
	ck_assert_int_eq(open_copy(b, out, len), SEAL_MALFORMED);
	out[7] = 0;
	memset(out + 8, 0xff, 8);
	ck_assert_int_eq(open_copy(b, out, len), SEAL_MALFORMED);
	free(large);
	seal_free(a);
	seal_free(b);
}
END_TEST

START_TEST(test_refused) {
	struct seal *a = make(true, SEAL_AES_256_GCM, true);
	struct seal_params p = params_of(true, SEAL_AES_256_GCM, true);
	uint8_t *large = xcalloc(2, SEAL_PAYLOAD_MAX + 1 + SEAL_HEADER + SEAL_TAG);
	struct err err = { 0 };

	ck_assert_uint_eq(seal_text(a, SEAL_UDP, SEAL_LINKS, "", large), 0);
	ck_assert_uint_eq(seal_text(a, (enum seal_channel)3, 0, "", large), 0);
	ck_assert_uint_eq(seal_make(a, SEAL_UDP, 0, large, SEAL_PAYLOAD_MAX + 1,
				    large + SEAL_PAYLOAD_MAX + 1),
			  0);
	p.peer_serial = SERIAL_A;
	ck_assert_ptr_null(seal_new(&p, &err));
	ck_assert_int_eq(err.code, ERR_VALUE);
	p.peer_serial = "";
	ck_assert_ptr_null(seal_new(&p, &err));
	ck_assert_ptr_null(seal_free(NULL));
	free(large);
	seal_free(a);
}
END_TEST

/* ---- numbers ---- */

/* No number beyond the bound, and none twice: the line is used up, others are not. */
START_TEST(test_used_up) {
	struct seal *a = make(true, SEAL_AES_256_GCM, true);
	struct seal *b = make(false, SEAL_AES_256_GCM, true);
	uint8_t out[ROOM];
	size_t len;

	ck_assert_uint_eq(seal_sent(a), 0);
	ck_assert_uint_gt(seal_text(a, SEAL_UDP, 4, "x", out), 0);
	ck_assert_uint_eq(seal_sent(a), 1);
	a->line[SENT][SEAL_UDP - 1][4].next = SEAL_SENT_MAX - 2;
	for (int i = 0; i < 2; i++) {
		len = seal_text(a, SEAL_UDP, 4, "x", out);
		ck_assert_int_eq(open_copy(b, out, len), SEAL_OK);
	}
	ck_assert_uint_eq(seal_sent(a), SEAL_SENT_MAX);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(seal_text(a, SEAL_UDP, 4, "x", out), 0);
	ck_assert_uint_eq(seal_sent(a), SEAL_SENT_MAX);
	len = seal_text(a, SEAL_UDP, 5, "x", out);
	ck_assert_int_eq(open_copy(b, out, len), SEAL_OK);
	seal_free(a);
	seal_free(b);
}
END_TEST

#define NUMBERS 8192
#define SHORT (SEAL_HEADER + 1 + SEAL_TAG)

/* Datagrams 0 to NUMBERS - 1 of one link, in order. */
static uint8_t (*datagrams(void))[SHORT] {
	uint8_t (*all)[SHORT] = xcalloc(NUMBERS, SHORT);
	struct seal *a = make(true, SEAL_AES_256_GCM, true);

	for (unsigned int i = 0; i < NUMBERS; i++)
		ck_assert_uint_eq(seal_text(a, SEAL_UDP, 0, "x", all[i]), SHORT);
	seal_free(a);
	return all;
}

START_TEST(test_edges) {
	uint8_t (*all)[SHORT] = datagrams();
	static const struct {
		unsigned int number;
		enum seal_result result;
	} steps[] = {
		{ 0, SEAL_OK },
		{ 0, SEAL_REPLAYED },
		{ 1, SEAL_OK },                  /* in order */
		{ 2, SEAL_OK },
		{ 5, SEAL_OK },                  /* reordered */
		{ 3, SEAL_OK },
		{ 3, SEAL_REPLAYED },
		{ 4, SEAL_OK },
		{ 5, SEAL_REPLAYED },
		{ 1029, SEAL_OK },               /* 5 is out, 6 is the last inside */
		{ 5, SEAL_REPLAYED },
		{ 6, SEAL_OK },
		{ 6, SEAL_REPLAYED },
		{ 1028, SEAL_OK },
		{ 8000, SEAL_OK },               /* far ahead: nothing of before stays */
		{ 6976, SEAL_REPLAYED },
		{ 6977, SEAL_OK },
		{ 6977, SEAL_REPLAYED },
		{ 7999, SEAL_OK },
		{ 8000, SEAL_REPLAYED },
		{ 1030, SEAL_REPLAYED },
		{ 8001, SEAL_OK },
	};
	struct seal *b = make(false, SEAL_AES_256_GCM, true);

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		ck_assert_msg(open_copy(b, all[steps[i].number], SHORT) == steps[i].result,
			      "step %zu, number %u", i, steps[i].number);
	free(all);
	seal_free(b);
}
END_TEST

/* Whatever the order, what was not here and is not too late is taken, once. */
START_TEST(test_window) {
	struct rng r = rng_seed(fixture_seed());
	uint8_t (*all)[SHORT] = datagrams();
	bool *taken = xcalloc(NUMBERS, sizeof(*taken));
	struct seal *b = make(false, SEAL_AES_256_GCM, true);
	unsigned int top = 0, n_taken = 0;
	bool any = false;

	for (unsigned int i = 0; i < 40000; i++) {
		unsigned int back = rng_below(&r, 1100), ahead = rng_below(&r, 100) ? 3 : 1200;
		unsigned int n = top + rng_below(&r, ahead);
		bool good;

		n = rng_chance(&r, 50) ? n : n - (n < back ? n : back);
		n = n < NUMBERS ? n : NUMBERS - 1;
		good = !any || n > top || (top - n < SEAL_WINDOW && !taken[n]);
		ck_assert_int_eq(open_copy(b, all[n], SHORT), good ? SEAL_OK : SEAL_REPLAYED);
		taken[n] = true;
		top = n > top ? n : top;
		n_taken += good;
		any = true;
	}
	ck_assert_uint_gt(n_taken, 1000);
	ck_assert_uint_lt(n_taken, 39000);
	free(taken);
	free(all);
	seal_free(b);
}
END_TEST

/* What is forged with a number far ahead does not move the window. */
START_TEST(test_window_stays) {
	uint8_t (*all)[SHORT] = datagrams();
	struct seal *b = make(false, SEAL_AES_256_GCM, true);

	ck_assert_int_eq(open_copy(b, all[1], SHORT), SEAL_OK);
	all[5000][SHORT - 1] ^= 1;
	ck_assert_int_eq(open_copy(b, all[5000], SHORT), SEAL_FORGED);
	ck_assert_int_eq(open_copy(b, all[0], SHORT), SEAL_OK);
	all[5000][SHORT - 1] ^= 1;
	ck_assert_int_eq(open_copy(b, all[5000], SHORT), SEAL_OK);
	ck_assert_int_eq(open_copy(b, all[2], SHORT), SEAL_REPLAYED);
	free(all);
	seal_free(b);
}
END_TEST

static Suite *seal_suite(void) {
	Suite *s = suite_create("seal");
	TCase *t = fixture_case(s, "seal");

	tcase_add_loop_test(t, test_known, 0, ARRAY_LEN(known));
	tcase_add_test(t, test_derived);
	tcase_add_test(t, test_both_ways);
	tcase_add_test(t, test_forged);
	tcase_add_test(t, test_strangers);
	tcase_add_test(t, test_bound_to_keys);
	tcase_add_test(t, test_readable);
	tcase_add_test(t, test_malformed);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_used_up);
	tcase_add_test(t, test_edges);
	tcase_add_test(t, test_window);
	tcase_add_test(t, test_window_stays);
	return s;
}

int main(void) {
	return fixture_run(seal_suite());
}
