/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each direction of each link of a channel is a line of its own: a key, an iv and numbers that go
 * up by one. So links never share nonces, a number is never used twice under a key, and a restart,
 * which brings new keys, may begin at 0 again. What needs a number beyond the bound is refused.
 *
 * A line is made when it is first used and keeps its cipher context, in which the key is set up
 * already: a datagram costs no more than a nonce. A forger can make us derive the keys of all links
 * once, not more.
 *
 * Replays are found after the tag has proven the datagram, so the counters tell what is true.
 */
#include "sync/seal.h"

#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"

#define KEY 32
#define IV 12
#define READABLE 0x80          /* bit of the channel */
#define WORDS (SEAL_WINDOW / 64)

enum direction { SENT, RECEIVED };

struct line {
	EVP_CIPHER_CTX *ctx;   /* NULL: not used yet */
	uint8_t iv[IV];
	uint64_t next;         /* number of the next datagram, or one above the highest taken */
	uint64_t seen[WORDS];  /* RECEIVED: bit n % SEAL_WINDOW: number n was taken */
};

struct seal {
	struct seal_params p;
	char own_serial[SEAL_SERIAL_MAX + 1], peer_serial[SEAL_SERIAL_MAX + 1];
	EVP_CIPHER *cipher;
	struct line line[2][SEAL_ETHERNET][SEAL_LINKS];      /* by direction, channel - 1, link */
};

/* ---- keys ---- */

/* HKDF (RFC 5869) with SHA-256 and no salt. */
static bool hkdf(const uint8_t key[SEAL_MASTER], const struct buf *info, uint8_t *out, size_t len) {
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, SEAL_MASTER),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info->data, info->len),
		OSSL_PARAM_construct_end(),
	};
	bool good = ctx && EVP_KDF_derive(ctx, out, len, params) > 0;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	ERR_clear_error();
	return good;
}

static void put_text(struct buf *b, const char *text) {
	buf_put_bytes(b, text, strlen(text));
}

static void put_serial(struct buf *b, const char *serial) {
	buf_put_bytes(b, serial, strlen(serial) + 1);
}

static bool is_serial(const char *serial) {
	size_t len = strnlen(serial, SEAL_SERIAL_MAX + 1);

	return len > 0 && len <= SEAL_SERIAL_MAX;
}

int seal_psk(const uint8_t key[SEAL_MASTER], const char *initiator, uint8_t psk[SEAL_MASTER],
	     struct err *err) {
	AUTO_BUF struct buf info = BUF_INIT;

	if (!is_serial(initiator))
		return err_set(err, ERR_VALUE, "a serial number is missing or too long");
	put_text(&info, "gatehouse fgsp psk");
	put_serial(&info, initiator);
	if (!hkdf(key, &info, psk, SEAL_MASTER))
		return err_set(err, ERR_KERNEL, "no key can be derived");
	return 0;
}

int seal_prints_key(const uint8_t key[SEAL_MASTER], uint8_t ret[SEAL_PRINTS_KEY], struct err *err) {
	AUTO_BUF struct buf info = BUF_INIT;

	put_text(&info, "gatehouse fgsp prints");
	if (!hkdf(key, &info, ret, SEAL_PRINTS_KEY))
		return err_set(err, ERR_KERNEL, "no key can be derived");
	return 0;
}

/* ---- lines ---- */

static bool line_open(const struct seal *s, struct line *l, enum direction dir, uint8_t ch,
		      uint8_t link) {
	AUTO_BUF struct buf info = BUF_INIT;
	uint8_t keys[KEY + IV];

	put_text(&info, "gatehouse fgsp data");
	buf_put_u32(&info, s->p.epoch);
	put_serial(&info, dir == SENT ? s->p.own_serial : s->p.peer_serial);
	put_serial(&info, dir == SENT ? s->p.peer_serial : s->p.own_serial);
	buf_put_u8(&info, ch);
	buf_put_u8(&info, link);
	l->ctx = EVP_CIPHER_CTX_new();
	if (l->ctx && hkdf(s->p.master, &info, keys, sizeof(keys)) &&
	    EVP_CipherInit_ex2(l->ctx, s->cipher, keys, NULL, dir == SENT, NULL)) {
		memcpy(l->iv, keys + KEY, IV);
	} else {
		EVP_CIPHER_CTX_free(l->ctx);
		l->ctx = NULL;
	}
	OPENSSL_cleanse(keys, sizeof(keys));
	return l->ctx != NULL;
}

/* NULL when there is no such link, or its keys cannot be made. */
static struct line *line_of(struct seal *s, enum direction dir, uint8_t ch, uint8_t link) {
	struct line *l;

	if ((ch != SEAL_UDP && ch != SEAL_ETHERNET) || link >= SEAL_LINKS)
		return NULL;
	l = &s->line[dir][ch - 1][link];
	return l->ctx || line_open(s, l, dir, ch, link) ? l : NULL;
}

/* Give the line the nonce of a number, and what is authenticated but not encrypted. */
static bool line_start(struct line *l, uint64_t number, const uint8_t *clear, size_t len) {
	uint8_t nonce[IV];
	uint64_t low;
	int n;

	memcpy(nonce, l->iv, IV);
	memcpy(&low, nonce + IV - sizeof(low), sizeof(low));
	low ^= htobe64(number);
	memcpy(nonce + IV - sizeof(low), &low, sizeof(low));
	return EVP_CipherInit_ex2(l->ctx, NULL, NULL, nonce, -1, NULL) &&
	       EVP_CipherUpdate(l->ctx, NULL, &n, clear, (int)len);
}

/* ---- an epoch ---- */

static struct seal *failed(struct seal *s, struct err *err, int code, const char *text) {
	err_set(err, code, "%s", text);
	return seal_free(s);
}

struct seal *seal_new(const struct seal_params *p, struct err *err) {
	struct seal *s = xcalloc(1, sizeof(*s));

	s->p = *p;
	/* With one serial both directions would have one key, and the same numbers. */
	if (!is_serial(p->own_serial) || !is_serial(p->peer_serial) ||
	    strcmp(p->own_serial, p->peer_serial) == 0)
		return failed(s, err, ERR_VALUE, "the serial numbers of two units are needed");
	s->p.own_serial = strcpy(s->own_serial, p->own_serial);
	s->p.peer_serial = strcpy(s->peer_serial, p->peer_serial);
	s->cipher = EVP_CIPHER_fetch(
		NULL, p->cipher == SEAL_AES_256_GCM ? "AES-256-GCM" : "ChaCha20-Poly1305", NULL);
	ERR_clear_error();
	if (!s->cipher)
		return failed(s, err, ERR_KERNEL, "the cipher is not available");
	return s;
}

struct seal *seal_free(struct seal *s) {
	struct line *l;

	if (!s)
		return NULL;
	l = &s->line[0][0][0];
	for (size_t i = 0; i < sizeof(s->line) / sizeof(*l); i++)
		EVP_CIPHER_CTX_free(l[i].ctx);
	EVP_CIPHER_free(s->cipher);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
	return NULL;
}

uint32_t seal_epoch(const struct seal *s) {
	return s->p.epoch;
}

uint64_t seal_sent(const struct seal *s) {
	const struct line *l = &s->line[SENT][0][0];
	uint64_t most = 0;

	for (size_t i = 0; i < sizeof(s->line[SENT]) / sizeof(*l); i++)
		most = l[i].next > most ? l[i].next : most;
	return most;
}

/* ---- headers ---- */

struct header {
	uint16_t sender;
	uint32_t epoch;
	uint8_t channel, link;
	uint64_t number;
};

static void header_put(uint8_t *out, const struct header *h) {
	uint64_t first = (uint64_t)h->sender << 48 | (uint64_t)h->epoch << 16 |
			 (uint64_t)h->channel << 8 | h->link;

	first = htobe64(first);
	memcpy(out, &first, sizeof(first));
	first = htobe64(h->number);
	memcpy(out + sizeof(first), &first, sizeof(first));
}

static struct header header_get(const uint8_t *data) {
	struct header h;
	uint64_t first;

	memcpy(&first, data, sizeof(first));
	memcpy(&h.number, data + sizeof(first), sizeof(h.number));
	first = be64toh(first);
	h.number = be64toh(h.number);
	h.sender = (uint16_t)(first >> 48);
	h.epoch = (uint32_t)(first >> 16);
	h.channel = (uint8_t)(first >> 8);
	h.link = (uint8_t)first;
	return h;
}

bool seal_peek(const uint8_t *data, size_t len, uint16_t *sender, uint32_t *epoch) {
	struct header h;

	if (len < SEAL_HEADER + SEAL_TAG)
		return false;
	h = header_get(data);
	*sender = h.sender;
	*epoch = h.epoch;
	return true;
}

/* ---- datagrams ---- */

size_t seal_make(struct seal *s, enum seal_channel ch, uint8_t link, const uint8_t *payload,
		 size_t len, uint8_t *out) {
	struct line *l = line_of(s, SENT, (uint8_t)ch, link);
	size_t clear = s->p.encrypt ? SEAL_HEADER : SEAL_HEADER + len;
	uint8_t *body = out + SEAL_HEADER, *tag = body + len;
	struct header h = { s->p.own_id, s->p.epoch, (uint8_t)ch, link, 0 };
	int n = 0;

	if (!l || len > SEAL_PAYLOAD_MAX || l->next >= SEAL_SENT_MAX)
		return 0;
	/* Whatever happens from here on, the number is used. */
	h.number = l->next++;
	h.channel |= s->p.encrypt ? 0 : READABLE;
	header_put(out, &h);
	if (!s->p.encrypt)
		memcpy(body, payload, len);
	if (!line_start(l, h.number, out, clear) ||
	    (s->p.encrypt && !EVP_EncryptUpdate(l->ctx, body, &n, payload, (int)len)) ||
	    !EVP_EncryptFinal_ex(l->ctx, tag, &n) ||
	    !EVP_CIPHER_CTX_ctrl(l->ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, tag)) {
		ERR_clear_error();
		return 0;
	}
	return SEAL_HEADER + len + SEAL_TAG;
}

/* Whether a number is new; if so it is noted. */
static bool take_number(struct line *l, uint64_t number) {
	uint64_t *word = &l->seen[number / 64 % WORDS], bit = UINT64_C(1) << number % 64;

	if (number >= l->next) {
		uint64_t end = number - l->next < SEAL_WINDOW ? number + 1 : l->next + SEAL_WINDOW;

		for (uint64_t n = l->next; n < end; n++)
			l->seen[n / 64 % WORDS] &= ~(UINT64_C(1) << n % 64);
		l->next = number + 1;
	} else if (l->next - number > SEAL_WINDOW || (*word & bit)) {
		return false;
	}
	*word |= bit;
	return true;
}

/* Prove a datagram, and decrypt it in its place. */
static bool prove(struct line *l, const struct header *h, uint8_t *data, size_t len) {
	uint8_t *body = data + SEAL_HEADER, *tag = data + len - SEAL_TAG;
	size_t body_len = len - SEAL_HEADER - SEAL_TAG;
	bool readable = h->channel & READABLE;
	int n = 0;

	if (line_start(l, h->number, data, SEAL_HEADER + (readable ? body_len : 0)) &&
	    (readable || EVP_DecryptUpdate(l->ctx, body, &n, body, (int)body_len)) &&
	    EVP_CIPHER_CTX_ctrl(l->ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, tag) &&
	    EVP_DecryptFinal_ex(l->ctx, tag, &n))
		return true;
	ERR_clear_error();
	return false;
}

enum seal_result seal_open(struct seal *s, uint8_t *data, size_t len, enum seal_channel *ch,
			   uint8_t *link, uint8_t **payload, size_t *payload_len) {
	struct header h;
	struct line *l;

	if (len < SEAL_HEADER + SEAL_TAG || len > SEAL_HEADER + SEAL_PAYLOAD_MAX + SEAL_TAG)
		return SEAL_MALFORMED;
	h = header_get(data);
	if (h.sender != s->p.peer_id || h.epoch != s->p.epoch)
		return SEAL_FORGED;
	l = line_of(s, RECEIVED, h.channel & ~READABLE, h.link);
	if (!l || h.number >= SEAL_SENT_MAX)
		return SEAL_MALFORMED;
	if (!prove(l, &h, data, len))
		return SEAL_FORGED;
	if (h.channel & READABLE && s->p.encrypt)
		return SEAL_READABLE;
	if (!take_number(l, h.number))
		return SEAL_REPLAYED;
	*ch = h.channel & ~READABLE;
	*link = h.link;
	*payload = data + SEAL_HEADER;
	*payload_len = len - SEAL_HEADER - SEAL_TAG;
	return SEAL_OK;
}
