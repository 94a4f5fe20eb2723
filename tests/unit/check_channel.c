/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections without sockets: two ends of ours, or one of ours and one made of plain OpenSSL that
 * does what ours never would. Whoever does not have the key gets no byte.
 */
#include "sync/channel.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define A "GHVM0000000000AA"
#define B "GHVM0000000000BB"
#define ROOM 65536

static const char *group_key;        /* what the initiator's end believes; NULL: there is none */
static struct channel_maker *maker_a, *maker_b;

/* Not a good key, but another one for each key and serial number. */
static bool psk_of(void *arg, const char *initiator, uint8_t psk[CHANNEL_PSK]) {
	const char *key = arg ? arg : group_key;
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[128];

	if (!key)
		return false;
	snprintf(text, sizeof(text), "%s|%s", key, initiator);
	ck_assert_int_eq(EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL), 1);
	memcpy(psk, digest, CHANNEL_PSK);
	return true;
}

static struct channel_maker *maker(const char *serial, const char *key) {
	struct err err = { 0 };
	struct channel_maker *m = channel_maker_new(serial, psk_of, (void *)key, &err);

	ck_assert_msg(m != NULL, "%s", err.text);
	return m;
}

static void setup(void) {
	group_key = "the key";
	maker_a = maker(A, NULL);
	maker_b = maker(B, "the key");
}

static void teardown(void) {
	channel_maker_free(maker_a);
	channel_maker_free(maker_b);
}

static struct channel *channel(struct channel_maker *m, bool initiator) {
	struct channel *c = channel_new(m, initiator);

	ck_assert_ptr_nonnull(c);
	return c;
}

/* Move bytes in pieces; false when there were none. */
static bool move(struct channel *from, struct channel *to, size_t piece) {
	uint8_t data[ROOM];
	size_t n = channel_output(from, data, sizeof(data));

	for (size_t i = 0; i < n; i += piece)
		channel_take(to, data + i, n - i < piece ? n - i : piece);
	return n > 0;
}

static void talk(struct channel *a, struct channel *b, size_t piece) {
	bool any = true;

	while (any) {
		any = move(a, b, piece);
		any |= move(b, a, piece);
	}
}

static void pair_up(struct channel **a, struct channel **b, size_t piece) {
	*a = channel(maker_a, true);
	*b = channel(maker_b, false);
	talk(*a, *b, piece);
	ck_assert_int_eq(channel_state(*a), CHANNEL_UP);
	ck_assert_int_eq(channel_state(*b), CHANNEL_UP);
}

static void assert_silent(struct channel *c, enum channel_state state) {
	uint8_t data[16];

	ck_assert_int_eq(channel_state(c), state);
	ck_assert_uint_eq(channel_output(c, data, sizeof(data)), 0);
}

/* ---- both ends are ours ---- */

static const size_t pieces[] = { ROOM, 100, 7, 1 };

START_TEST(test_up) {
	struct channel_info ia, ib, again, before = { 0 };

	for (int i = 0; i < 3; i++) {
		struct channel *a, *b;

		pair_up(&a, &b, pieces[_i]);
		channel_info(a, &ia);
		channel_info(b, &ib);
		ck_assert(ia.initiator && !ib.initiator);
		ck_assert_str_eq(ia.serial, A);
		ck_assert_str_eq(ib.serial, A);
		ck_assert_mem_eq(ia.master, ib.master, CHANNEL_MASTER);
		ck_assert_mem_ne(ia.master, before.master, CHANNEL_MASTER);
		channel_info(a, &again); /* the secret is handed over once */
		ck_assert_mem_eq(again.master, (uint8_t[CHANNEL_MASTER]){ 0 }, CHANNEL_MASTER);
		before = ia;
		channel_free(a);
		channel_free(b);
	}
}
END_TEST

static void assert_frame(struct channel *c, uint8_t fill, size_t len) {
	const uint8_t *data;
	size_t n;

	ck_assert(channel_frame(c, &data, &n));
	ck_assert_uint_eq(n, len);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(data[i], fill);
}

START_TEST(test_frames) {
	static const size_t lengths[] = { 1, 2, 255, 256, 4095, CHANNEL_FRAME_MAX };
	uint8_t data[CHANNEL_FRAME_MAX + 1];
	struct channel *a, *b;
	const uint8_t *frame;
	size_t n;

	pair_up(&a, &b, pieces[_i]);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		memset(data, (int)i + 1, sizeof(data));
		ck_assert(channel_put(a, data, lengths[i]));
		ck_assert(channel_put(b, data, lengths[i]));
	}
	ck_assert(!channel_put(a, data, 0));
	ck_assert(!channel_put(a, data, sizeof(data)));
	talk(a, b, pieces[_i]);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		assert_frame(a, (uint8_t)(i + 1), lengths[i]);
		assert_frame(b, (uint8_t)(i + 1), lengths[i]);
	}
	ck_assert(!channel_frame(a, &frame, &n));
	ck_assert(!channel_frame(b, &frame, &n));
	channel_free(a);
	channel_free(b);
}
END_TEST

START_TEST(test_before_up) {
	struct channel *a = channel(maker_a, true);
	const uint8_t *frame;
	size_t n;

	ck_assert(!channel_put(a, (const uint8_t *)"x", 1));
	ck_assert(!channel_frame(a, &frame, &n));
	ck_assert_int_eq(channel_state(a), CHANNEL_OPENING);
	channel_free(a);
}
END_TEST

START_TEST(test_wrong_key) {
	struct channel *a, *b = channel(maker_b, false);

	group_key = "another key";
	a = channel(maker_a, true);
	talk(a, b, ROOM);
	assert_silent(b, CHANNEL_REFUSED);
	assert_silent(a, CHANNEL_OPENING); /* it has not been answered */
	channel_take(b, (const uint8_t *)"more", 4);
	assert_silent(b, CHANNEL_REFUSED);
	channel_free(a);
	channel_free(b);
}
END_TEST

START_TEST(test_no_key) {
	struct channel *a, *b;

	group_key = NULL;
	ck_assert_ptr_null(channel_new(maker_a, true));
	a = channel(maker_b, true);
	b = channel(maker_a, false);
	talk(a, b, ROOM);
	assert_silent(b, CHANNEL_REFUSED);
	channel_free(a);
	channel_free(b);
}
END_TEST

/* A message that is sent back to its sender proves nothing. */
START_TEST(test_own_serial) {
	struct channel *a = channel(maker_a, true), *mirror = channel(maker_a, false);

	talk(a, mirror, ROOM);
	assert_silent(mirror, CHANNEL_REFUSED);
	channel_free(a);
	channel_free(mirror);
}
END_TEST

/* Whatever bit of a hello is turned over, nobody answers; but for the version of its record. */
START_TEST(test_changed_hello) {
	struct channel *a = channel(maker_a, true);
	uint8_t hello[1024], changed[1024];
	size_t len = channel_output(a, hello, sizeof(hello)), n_refused = 0;

	ck_assert_uint_gt(len, 100);
	for (size_t i = 0; i < len * 8; i++) {
		struct channel *b;

		if (i / 8 == 1 || i / 8 == 2)
			continue;
		b = channel(maker_b, false);
		memcpy(changed, hello, len);
		changed[i / 8] ^= (uint8_t)(1u << i % 8);
		channel_take(b, changed, len);
		n_refused += channel_state(b) == CHANNEL_REFUSED;
		assert_silent(b, channel_state(b));
		ck_assert_int_ne(channel_state(b), CHANNEL_UP);
		channel_free(b);
	}
	ck_assert_uint_gt(n_refused, len * 8 * 9 / 10); /* the others wait for more */
	channel_free(a);
}
END_TEST

START_TEST(test_garbage) {
	srandom((unsigned int)fixture_seed());
	for (unsigned int i = 0; i < fixture_rounds(500); i++) {
		struct channel *c = channel(maker_b, i % 2);
		uint8_t data[3000];

		while (channel_output(c, data, sizeof(data)) > 0)
			;
		for (size_t n = 0; n < sizeof(data); n++)
			data[n] = (uint8_t)random();
		if (i % 4 > 1) /* what looks like a handshake record gets further */
			memcpy(data, "\x16\x03\x03\x10\x00\x01\x00\x0f\xfc\x03\x03", 11);
		for (size_t n = 0; n < sizeof(data); n += 100)
			channel_take(c, data + n, 100);
		assert_silent(c, CHANNEL_REFUSED);
		channel_free(c);
	}
}
END_TEST

/* No more is read of a hello than one needs. */
START_TEST(test_long_hello) {
	static const uint8_t head[] = { 0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc };
	struct channel *c = channel(maker_b, false);
	size_t n = sizeof(head);

	channel_take(c, head, sizeof(head));
	for (; channel_state(c) == CHANNEL_OPENING; n++)
		channel_take(c, (const uint8_t *)"", 1);
	ck_assert_uint_eq(n, CHANNEL_HELLO_MAX + 1);
	assert_silent(c, CHANNEL_REFUSED);
	channel_free(c);
}
END_TEST

/* After the handshake: a record that was changed on its way, at each of its bytes. */
START_TEST(test_forged_record) {
	size_t len = 1;

	for (size_t i = 0; i < len; i++) {
		struct channel *a, *b;
		const uint8_t *frame;
		uint8_t data[256];
		size_t n;

		pair_up(&a, &b, ROOM);
		ck_assert(channel_put(a, (const uint8_t *)"frame", 5));
		len = channel_output(a, data, sizeof(data));
		data[i] ^= 1;
		channel_take(b, data, len);
		ck_assert(!channel_frame(b, &frame, &n));
		if (i != 3 && i != 4) /* its length: it waits for the rest */
			assert_silent(b, CHANNEL_BROKEN);
		channel_free(a);
		channel_free(b);
	}
	ck_assert_uint_gt(len, 2 + 5 + 16);
}
END_TEST

START_TEST(test_bad_serial) {
	struct err err = { 0 };

	ck_assert_ptr_null(channel_maker_new("", psk_of, NULL, &err));
	ck_assert_ptr_null(channel_maker_new("GHVM00000000000TOOLONG", psk_of, NULL, &err));
	ck_assert_str_eq(err.text, "'GHVM00000000000TOOLONG' is no serial number");
}
END_TEST

/* ---- the other end is not ours ---- */

/* What a stranger does. */
struct stranger {
	const char *identity;            /* NULL: no PSK */
	const char *key;
	unsigned char suite[2];          /* of the PSK */
	const char *suites, *groups;
	int version;
	bool plain;                      /* without (EC)DHE */
};

static const struct stranger *now;
static SSL_CTX *stranger_ctx;

static int stranger_psk(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *len,
			SSL_SESSION **session) {
	uint8_t psk[CHANNEL_PSK];

	(void)md;
	*session = NULL;
	if (!now->identity)
		return 1;
	psk_of((void *)now->key, now->identity, psk);
	*id = (const unsigned char *)now->identity;
	*len = strlen(now->identity);
	*session = SSL_SESSION_new();
	return SSL_SESSION_set1_master_key(*session, psk, sizeof(psk)) == 1 &&
	       SSL_SESSION_set_cipher(*session, SSL_CIPHER_find(ssl, now->suite)) == 1 &&
	       SSL_SESSION_set_protocol_version(*session, TLS1_3_VERSION) == 1;
}

static SSL *stranger_new(const struct stranger *s) {
	SSL *ssl;

	now = s;
	stranger_ctx = SSL_CTX_new(TLS_method());
	SSL_CTX_set_psk_use_session_callback(stranger_ctx, stranger_psk);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(stranger_ctx, s->version), 1);
	ck_assert_int_eq(SSL_CTX_set_ciphersuites(stranger_ctx, s->suites), 1);
	ck_assert_int_eq(SSL_CTX_set1_groups_list(stranger_ctx, s->groups), 1);
	if (s->plain)
		SSL_CTX_set_options(stranger_ctx, SSL_OP_ALLOW_NO_DHE_KEX);
	ssl = SSL_new(stranger_ctx);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	return ssl;
}

static void stranger_free(SSL *ssl) {
	SSL_free(ssl);
	SSL_CTX_free(stranger_ctx);
}

/* Bytes between a stranger and a channel; false when there were none. */
static bool carry(SSL *ssl, struct channel *c) {
	uint8_t data[ROOM];
	int n = BIO_read(SSL_get_wbio(ssl), data, sizeof(data));
	size_t m;

	if (n > 0)
		channel_take(c, data, (size_t)n);
	m = channel_output(c, data, sizeof(data));
	if (m > 0)
		ck_assert_int_eq(BIO_write(SSL_get_rbio(ssl), data, (int)m), (int)m);
	return n > 0 || m > 0;
}

static void shake(SSL *ssl, struct channel *c) {
	do
		SSL_do_handshake(ssl);
	while (carry(ssl, c));
}

#define SHA384 { 0x13, 0x02 }
#define SHA256 { 0x13, 0x01 }
#define SUITE "TLS_AES_256_GCM_SHA384"
#define SUITES SUITE ":TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"

static const struct stranger good = { A, "the key", SHA384, SUITES, "X25519", TLS1_3_VERSION,
				      false };

static const struct stranger strangers[] = {
	{ NULL, NULL, SHA384, SUITES, "X25519", TLS1_3_VERSION, false },
	{ NULL, NULL, SHA384, SUITES, "P-256:X25519", TLS1_3_VERSION, false }, /* wants a retry */
	{ NULL, NULL, SHA384, SUITES, "X25519", TLS1_2_VERSION, false },
	{ A, "another", SHA384, SUITES, "X25519", TLS1_3_VERSION, false },
	{ A, "another", SHA384, SUITES, "P-256:X25519", TLS1_3_VERSION, false },
	{ A, "the key", SHA384, SUITES, "P-256", TLS1_3_VERSION, false },
	{ A, "the key", SHA256, SUITES, "X25519", TLS1_3_VERSION, false },
	{ A, "the key", SHA256, "TLS_AES_128_GCM_SHA256", "X25519", TLS1_3_VERSION, false },
	{ B, "the key", SHA384, SUITES, "X25519", TLS1_3_VERSION, false }, /* our own number */
	{ "GHVM 000000000AA", "the key", SHA384, SUITES, "X25519", TLS1_3_VERSION, false },
	{ "GHVM0000000000AAA", "the key", SHA384, SUITES, "X25519", TLS1_3_VERSION, false },
};

START_TEST(test_stranger) {
	SSL *ssl = stranger_new(&strangers[_i]);
	struct channel *c = channel(maker_b, false);
	uint8_t data[16];

	SSL_set_connect_state(ssl);
	SSL_do_handshake(ssl);
	ck_assert_int_gt(BIO_pending(SSL_get_wbio(ssl)), 0);
	shake(ssl, c);
	assert_silent(c, CHANNEL_REFUSED);
	ck_assert_int_eq(BIO_read(SSL_get_rbio(ssl), data, sizeof(data)), -1);
	ck_assert(!SSL_is_init_finished(ssl));
	channel_free(c);
	stranger_free(ssl);
}
END_TEST

/* The same with the key in order: what is refused above is not refused for another reason. */
START_TEST(test_good_stranger) {
	SSL *ssl = stranger_new(&good);
	struct channel *c = channel(maker_b, false);

	SSL_set_connect_state(ssl);
	shake(ssl, c);
	ck_assert_int_eq(channel_state(c), CHANNEL_UP);
	ck_assert(SSL_is_init_finished(ssl));
	ck_assert_str_eq(SSL_get_cipher(ssl), SUITE);
	ck_assert_int_eq(SSL_get_negotiated_group(ssl), NID_X25519);
	channel_free(c);
	stranger_free(ssl);
}
END_TEST

/* A PSK alone would leave old traffic readable to whoever learns the key later. */
START_TEST(test_no_dhe) {
	struct stranger s = good;
	struct channel *c = channel(maker_b, false);
	SSL *ssl;

	s.plain = true;
	ssl = stranger_new(&s);
	SSL_set_connect_state(ssl);
	shake(ssl, c);
	ck_assert_int_eq(channel_state(c), CHANNEL_UP); /* it may offer it, we do not take it */
	ck_assert_int_eq(SSL_get_negotiated_group(ssl), NID_X25519);
	channel_free(c);
	stranger_free(ssl);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} bad_frames[] = {
	{ "\0\0", 2 },
	{ "\x10\x01", 2 },       /* 4097 */
	{ "\xff\xff", 2 },
	{ "\0\1x\0\0", 5 },      /* after a good one */
};

START_TEST(test_bad_frame) {
	SSL *ssl = stranger_new(&good);
	struct channel *c = channel(maker_b, false);
	const uint8_t *frame;
	size_t n, n_good = 0;

	SSL_set_connect_state(ssl);
	shake(ssl, c);
	ck_assert_int_eq(SSL_write(ssl, bad_frames[_i].bytes, (int)bad_frames[_i].len),
			 (int)bad_frames[_i].len);
	carry(ssl, c);
	while (channel_frame(c, &frame, &n))
		n_good++;
	ck_assert_uint_eq(n_good, bad_frames[_i].len > 2);
	assert_silent(c, CHANNEL_BROKEN);
	ck_assert(!channel_put(c, (const uint8_t *)"x", 1));
	channel_free(c);
	stranger_free(ssl);
}
END_TEST

/* Half a frame is none, until the rest comes. */
START_TEST(test_half_frame) {
	SSL *ssl = stranger_new(&good);
	struct channel *c = channel(maker_b, false);
	const uint8_t *frame;
	size_t n;

	SSL_set_connect_state(ssl);
	shake(ssl, c);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(SSL_write(ssl, &"\0\3ab"[i], 1), 1);
		carry(ssl, c);
		ck_assert(!channel_frame(c, &frame, &n));
		ck_assert_int_eq(channel_state(c), CHANNEL_UP);
	}
	SSL_write(ssl, "c", 1);
	carry(ssl, c);
	ck_assert(channel_frame(c, &frame, &n));
	ck_assert_uint_eq(n, 3);
	ck_assert_mem_eq(frame, "abc", 3);
	SSL_shutdown(ssl);
	carry(ssl, c);
	ck_assert(!channel_frame(c, &frame, &n));
	assert_silent(c, CHANNEL_ENDED);
	channel_free(c);
	stranger_free(ssl);
}
END_TEST

/* New keys may be asked for at any time; the answers do not pile up. */
START_TEST(test_key_updates) {
	SSL *ssl = stranger_new(&good);
	struct channel *c = channel(maker_b, false);
	const uint8_t *frame;
	size_t n;

	SSL_set_connect_state(ssl);
	shake(ssl, c);
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		SSL_do_handshake(ssl);
		carry(ssl, c);
		ck_assert(!channel_frame(c, &frame, &n));
		ck_assert_int_eq(channel_state(c), CHANNEL_UP);
		ck_assert(channel_put(c, (const uint8_t *)"hello", 5));
		carry(ssl, c);
		ck_assert_int_eq(SSL_read(ssl, (uint8_t[16]){ 0 }, 16), 7);
	}
	channel_free(c);
	stranger_free(ssl);
}
END_TEST

static void give_certificate(SSL *ssl) {
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	ck_assert(key && cert);
	ck_assert_int_eq(X509_set_version(cert, X509_VERSION_3), 1);
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(cert), 86400));
	ck_assert_int_eq(X509_set_pubkey(cert, key), 1);
	ck_assert_int_gt(X509_sign(cert, key, EVP_sha256()), 0);
	ck_assert_int_eq(SSL_use_certificate(ssl, cert), 1);
	ck_assert_int_eq(SSL_use_PrivateKey(ssl, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* Who has a certificate instead of the key is no member. */
START_TEST(test_certificate) {
	static const struct stranger server = { NULL, NULL, SHA384, SUITES, "X25519",
						TLS1_3_VERSION, false };
	SSL *ssl = stranger_new(&server);
	struct channel *c = channel(maker_a, true);

	give_certificate(ssl);
	SSL_set_accept_state(ssl);
	carry(ssl, c);
	shake(ssl, c);
	ck_assert_int_gt(SSL_get_state(ssl), TLS_ST_BEFORE); /* it has answered the hello */
	assert_silent(c, CHANNEL_REFUSED);
	channel_free(c);
	stranger_free(ssl);
}
END_TEST

/* What asks for another hello has proven nothing, and gets none. */
START_TEST(test_retry) {
	static const uint8_t retry[] = {
		0x16, 0x03, 0x03, 0x00, 0x39, 0x02, 0x00, 0x00, 0x35, 0x03, 0x03,
		/* the random number that means it */
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65,
		0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2,
		0xc8, 0xa8, 0x33, 0x9c,
		/* no session, our suite; TLS 1.3, and a cookie that is to be sent back */
		0x00, 0x13, 0x02, 0x00, 0x00, 0x0d, 0x00, 0x2b, 0x00, 0x02, 0x03, 0x04,
		0x00, 0x2c, 0x00, 0x03, 0x00, 0x01, 'c',
	};
	struct channel *c = channel(maker_a, true);
	uint8_t data[1024];

	ck_assert_uint_gt(channel_output(c, data, sizeof(data)), 0);
	channel_take(c, retry, sizeof(retry));
	assert_silent(c, CHANNEL_REFUSED);
	channel_free(c);
}
END_TEST

static Suite *channel_suite(void) {
	Suite *s = suite_create("channel");
	TCase *t = fixture_case(s, "channel");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_up, 0, ARRAY_LEN(pieces));
	tcase_add_loop_test(t, test_frames, 0, ARRAY_LEN(pieces));
	tcase_add_test(t, test_before_up);
	tcase_add_test(t, test_wrong_key);
	tcase_add_test(t, test_no_key);
	tcase_add_test(t, test_own_serial);
	tcase_add_test(t, test_changed_hello);
	tcase_add_test(t, test_garbage);
	tcase_add_test(t, test_long_hello);
	tcase_add_test(t, test_forged_record);
	tcase_add_test(t, test_bad_serial);
	tcase_add_loop_test(t, test_stranger, 0, ARRAY_LEN(strangers));
	tcase_add_test(t, test_good_stranger);
	tcase_add_test(t, test_no_dhe);
	tcase_add_loop_test(t, test_bad_frame, 0, ARRAY_LEN(bad_frames));
	tcase_add_test(t, test_half_frame);
	tcase_add_test(t, test_key_updates);
	tcase_add_test(t, test_certificate);
	tcase_add_test(t, test_retry);
	return s;
}

int main(void) {
	return fixture_run(channel_suite());
}
