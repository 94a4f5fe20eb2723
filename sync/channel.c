/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS between two buffers in memory. Only TLS 1.3, one cipher suite and one group; no certificates,
 * no tickets, no early data: what is not needed cannot be attacked.
 *
 * The only proof is the external PSK. Its identity is the serial number of the unit that began, and
 * the key belongs to that number, so a message sent back to its sender proves nothing: own numbers
 * are refused. TLS without a PSK would fall back to certificates, so "the handshake is done" is not
 * enough: SSL_session_reused() tells whether the PSK was what it was done with.
 *
 * TLS writes alerts, and answers to some messages before the other end has proven anything. Both
 * lie in a buffer here, and leave it only when the proof is there.
 */
#include "sync/channel.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "backends/cluster.h"
#include "cfgdb/base/mem.h"

#define HEAD 2
#define EXPORTER "EXPORTER-gatehouse-fgsp"
#define SUITE "TLS_AES_256_GCM_SHA384"
#define SUITE_DIGEST "SHA384"

_Static_assert(CHANNEL_SERIAL == CLUSTER_SERIAL, "room for a serial number");

static const unsigned char suite_id[] = { 0x13, 0x02 };

struct channel_maker {
	SSL_CTX *tls;
	char serial[CHANNEL_SERIAL];
	channel_psk_fn *psk;
	void *arg;
};

struct channel {
	const struct channel_maker *maker;
	SSL *tls;
	BIO *in, *out;                 /* belong to tls */
	bool initiator;
	enum channel_state state;
	size_t n_hello;                /* bytes that came before it was up */
	char serial[CHANNEL_SERIAL];   /* of the initiator */
	uint8_t master[CHANNEL_MASTER];
	size_t have;                   /* of the frame that is being read */
	size_t given;                  /* bytes of the frame that was handed out last */
	uint8_t frame[HEAD + CHANNEL_FRAME_MAX];
};

/* ---- the key ---- */

/* A session as if it had been agreed on earlier, whose secret is the PSK; the caller owns it. */
static SSL_SESSION *psk_session(SSL *tls) {
	const struct channel *c = SSL_get_app_data(tls);
	const SSL_CIPHER *cipher = SSL_CIPHER_find(tls, suite_id);
	SSL_SESSION *session = SSL_SESSION_new();
	uint8_t psk[CHANNEL_PSK];
	bool made = session && cipher && c->maker->psk(c->maker->arg, c->serial, psk) &&
		    SSL_SESSION_set1_master_key(session, psk, sizeof(psk)) == 1 &&
		    SSL_SESSION_set_cipher(session, cipher) == 1 &&
		    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1;

	explicit_bzero(psk, sizeof(psk));
	if (made)
		return session;
	SSL_SESSION_free(session);
	return NULL;
}

/* The initiator's part. With a digest other than the suite's, TLS would go on without the PSK. */
static int use_psk(SSL *tls, const EVP_MD *md, const unsigned char **id, size_t *id_len,
		   SSL_SESSION **session) {
	struct channel *c = SSL_get_app_data(tls);

	*session = NULL;
	if (md && !EVP_MD_is_a(md, SUITE_DIGEST))
		return 0;
	*id = (const unsigned char *)c->serial;
	*id_len = strlen(c->serial);
	*session = psk_session(tls);
	return *session != NULL;
}

static bool take_identity(struct channel *c, const unsigned char *id, size_t len) {
	if (!cluster_is_serial((const char *)id, len))
		return false;
	memcpy(c->serial, id, len);
	c->serial[len] = '\0';
	return strcmp(c->serial, c->maker->serial) != 0;
}

/* The other's part. 0 ends the handshake; 1 without a session would go on without a PSK. */
static int find_psk(SSL *tls, const unsigned char *id, size_t id_len, SSL_SESSION **session) {
	*session = NULL;
	if (take_identity(SSL_get_app_data(tls), id, id_len))
		*session = psk_session(tls);
	return *session != NULL;
}

/* ---- what all connections have in common ---- */

static bool set_up(SSL_CTX *tls) {
	SSL_CTX_set_options(tls,
			    SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
				    SSL_OP_CLEANSE_PLAINTEXT);
	SSL_CTX_clear_options(tls, SSL_OP_ENABLE_MIDDLEBOX_COMPAT | SSL_OP_ALLOW_NO_DHE_KEX);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_set_psk_use_session_callback(tls, use_psk);
	SSL_CTX_set_psk_find_session_callback(tls, find_psk);
	return SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(tls, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_ciphersuites(tls, SUITE) == 1 &&
	       SSL_CTX_set1_groups_list(tls, "X25519") == 1 &&
	       SSL_CTX_set_num_tickets(tls, 0) == 1 &&
	       SSL_CTX_set_max_early_data(tls, 0) == 1 &&
	       SSL_CTX_set_recv_max_early_data(tls, 0) == 1;
}

struct channel_maker *channel_maker_new(const char *serial, channel_psk_fn *psk, void *arg,
					struct err *err) {
	struct channel_maker *m;

	if (*serial == '\0' || strlen(serial) >= CHANNEL_SERIAL) {
		err_set(err, ERR_VALUE, "'%.100s' is no serial number", serial);
		return NULL;
	}
	m = xcalloc(1, sizeof(*m));
	strcpy(m->serial, serial);
	m->psk = psk;
	m->arg = arg;
	ERR_clear_error();
	m->tls = SSL_CTX_new(TLS_method());
	if (m->tls && set_up(m->tls))
		return m;
	err_set(err, ERR_KERNEL, "TLS cannot be had: %s", ERR_reason_error_string(ERR_get_error()));
	ERR_clear_error();
	return channel_maker_free(m);
}

struct channel_maker *channel_maker_free(struct channel_maker *m) {
	if (m)
		SSL_CTX_free(m->tls);
	free(m);
	return NULL;
}

/* ---- the handshake ---- */

/* It is over; nothing leaves any more. */
static void end(struct channel *c, enum channel_state state) {
	c->state = state;
	BIO_reset(c->out);
}

static bool is_proven(const struct channel *c) {
	const SSL_CIPHER *cipher = SSL_get_current_cipher(c->tls);

	return SSL_session_reused(c->tls) == 1 && SSL_version(c->tls) == TLS1_3_VERSION && cipher &&
	       cipher == SSL_CIPHER_find(c->tls, suite_id);
}

/*
 * One step. An answer that TLS has made before the proof is there (to a hello that offers another
 * group, say) makes it a failure.
 */
static void shake_hands(struct channel *c) {
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(c->tls);
	if (rc != 1) {
		if (SSL_get_error(c->tls, rc) != SSL_ERROR_WANT_READ ||
		    (BIO_pending(c->out) > 0 && SSL_session_reused(c->tls) != 1))
			end(c, CHANNEL_REFUSED);
	} else if (is_proven(c) && SSL_export_keying_material(
					   c->tls, c->master, sizeof(c->master), EXPORTER,
					   strlen(EXPORTER), NULL, 0, 0) == 1) {
		c->state = CHANNEL_UP;
	} else {
		end(c, CHANNEL_REFUSED);
	}
	ERR_clear_error();
}

/* The hello goes out unproven, and is all that does. */
static bool say_hello(struct channel *c) {
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(c->tls);
	return rc < 0 && SSL_get_error(c->tls, rc) == SSL_ERROR_WANT_READ;
}

static bool make_tls(struct channel *c) {
	c->tls = SSL_new(c->maker->tls);
	c->in = BIO_new(BIO_s_mem());
	c->out = BIO_new(BIO_s_mem());
	if (!c->tls || !c->in || !c->out || SSL_set_app_data(c->tls, c) != 1) {
		BIO_free(c->in);
		BIO_free(c->out);
		return false;
	}
	SSL_set_bio(c->tls, c->in, c->out);
	if (!c->initiator) {
		SSL_set_accept_state(c->tls);
		return true;
	}
	/* There is nobody whose certificate would be good. */
	SSL_set_verify(c->tls, SSL_VERIFY_PEER, NULL);
	SSL_set_connect_state(c->tls);
	return say_hello(c);
}

struct channel *channel_new(struct channel_maker *m, bool initiator) {
	struct channel *c = xcalloc(1, sizeof(*c));
	bool made;

	c->maker = m;
	c->initiator = initiator;
	if (initiator)
		strcpy(c->serial, m->serial);
	ERR_clear_error();
	made = make_tls(c);
	ERR_clear_error();
	return made ? c : channel_free(c);
}

struct channel *channel_free(struct channel *c) {
	if (!c)
		return NULL;
	SSL_free(c->tls);
	explicit_bzero(c, sizeof(*c));
	free(c);
	return NULL;
}

void channel_take(struct channel *c, const uint8_t *data, size_t len) {
	bool taken;

	if (c->state != CHANNEL_OPENING && c->state != CHANNEL_UP)
		return;
	taken = len <= CHANNEL_OUTPUT_MAX && BIO_write(c->in, data, (int)len) == (int)len;
	if (!taken)
		end(c, c->state == CHANNEL_UP ? CHANNEL_BROKEN : CHANNEL_REFUSED);
	if (c->state != CHANNEL_OPENING)
		return;
	c->n_hello += len;
	shake_hands(c);
	if (c->state == CHANNEL_OPENING && c->n_hello > CHANNEL_HELLO_MAX)
		end(c, CHANNEL_REFUSED);
}

/* ---- frames ---- */

/* Read at most len bytes to the frame; false when there are none. */
static bool read_bytes(struct channel *c, size_t len) {
	size_t n = 0;
	int why;

	ERR_clear_error();
	if (SSL_read_ex(c->tls, c->frame + c->have, len, &n) == 1) {
		c->have += n;
		return true;
	}
	why = SSL_get_error(c->tls, 0);
	if (why == SSL_ERROR_ZERO_RETURN)
		end(c, CHANNEL_ENDED);
	else if (why != SSL_ERROR_WANT_READ || BIO_pending(c->out) > CHANNEL_OUTPUT_MAX)
		end(c, CHANNEL_BROKEN);
	ERR_clear_error();
	return false;
}

bool channel_frame(struct channel *c, const uint8_t **data, size_t *len) {
	explicit_bzero(c->frame, c->given); /* it may have held a secret */
	c->given = 0;
	while (c->state == CHANNEL_UP) {
		size_t n = 0;

		if (c->have >= HEAD) {
			n = (size_t)c->frame[0] << 8 | c->frame[1];
			if (n == 0 || n > CHANNEL_FRAME_MAX) {
				end(c, CHANNEL_BROKEN);
				return false;
			}
			if (c->have == HEAD + n) {
				c->have = 0;
				c->given = HEAD + n;
				*data = c->frame + HEAD;
				*len = n;
				return true;
			}
		}
		if (!read_bytes(c, HEAD + n - c->have))
			return false;
	}
	return false;
}

bool channel_put(struct channel *c, const uint8_t *data, size_t len) {
	uint8_t frame[HEAD + CHANNEL_FRAME_MAX];
	size_t n = 0;

	if (c->state != CHANNEL_UP || len == 0 || len > CHANNEL_FRAME_MAX)
		return false;
	frame[0] = (uint8_t)(len >> 8);
	frame[1] = (uint8_t)len;
	memcpy(frame + HEAD, data, len);
	ERR_clear_error();
	if (SSL_write_ex(c->tls, frame, HEAD + len, &n) == 1 && n == HEAD + len)
		return true;
	end(c, CHANNEL_BROKEN);
	ERR_clear_error();
	return false;
}

size_t channel_output(struct channel *c, uint8_t *out, size_t size) {
	int n = BIO_read(c->out, out, size > CHANNEL_OUTPUT_MAX ? CHANNEL_OUTPUT_MAX : (int)size);

	return n > 0 ? (size_t)n : 0;
}

enum channel_state channel_state(const struct channel *c) {
	return c->state;
}

void channel_info(struct channel *c, struct channel_info *ret) {
	*ret = (struct channel_info){ .initiator = c->initiator };
	memcpy(ret->serial, c->serial, sizeof(ret->serial));
	memcpy(ret->master, c->master, sizeof(ret->master));
	explicit_bzero(c->master, sizeof(c->master));
}
