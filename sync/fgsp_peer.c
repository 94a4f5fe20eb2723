/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is there: addresses that lead to peers (sites), the connections with them (channels), and
 * the units that spoke on one (members).
 *
 * On a channel, whoever was called speaks first: it knows the caller's serial from the key that
 * the channel is protected with. So each says HELLO to a unit it knows the name of, with an
 * incarnation that belongs to the two of them. A member whose incarnation is new begins its stream
 * anew. A channel only brings keys; when it dies the member lives on, and when one stands that its
 * initiator with the smaller serial has begun, the other one is closed.
 */
#include "sync/fgsp_impl.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <syslog.h>

#define VERSION 1
#define VERSION_OLDEST 1

enum frame { FRAME_HELLO = 1, FRAME_READY = 2 };

#define HELLO_ENCRYPTS 1u
#define HELLO_CHACHA 2u

#define BACKOFF_MIN_US (200 * FGSP_MS)
#define BACKOFF_MAX_US (5 * FGSP_S)
#define HELLO_US (5 * FGSP_S)
#define CONNECT_US (10 * FGSP_S)     /* an attempt of which nothing is heard is over */
#define REKEY_US (3600 * FGSP_S)
#define OLD_KEY_US (10 * FGSP_S)
#define SEALED_MAX (SEAL_SENT_MAX - (1u << 24))

/* What a HELLO says. */
struct hello {
	uint16_t version, oldest, unit_id;
	char serial[CLUSTER_SERIAL];
	uint64_t incarnation;
	uint8_t member_id, flags;
	uint32_t epoch;
};

/* ---- finding ---- */

int fgsp_peer_find(const struct fgsp *f, uint16_t id) {
	FGSP_EACH_MEMBER(f, m, i)
		if (m->id == id)
			return (int)i;
	return -1;
}

static int find_serial(const struct fgsp *f, const char *serial) {
	FGSP_EACH_MEMBER(f, m, i)
		if (strcmp(m->serial, serial) == 0)
			return (int)i;
	return -1;
}

static struct fgsp_channel *find_channel(struct fgsp *f, unsigned int number) {
	for (unsigned int i = 0; i < FGSP_CHANNELS; i++)
		if (f->channel[i].used && f->channel[i].number == number)
			return &f->channel[i];
	return NULL;
}

/* The channel of a member, other than c. */
static struct fgsp_channel *channel_of(struct fgsp *f, int member, const struct fgsp_channel *c) {
	for (unsigned int i = 0; i < FGSP_CHANNELS; i++)
		if (f->channel[i].used && f->channel[i].member == member && &f->channel[i] != c)
			return &f->channel[i];
	return NULL;
}

static int find_site(const struct fgsp *f, unsigned int number) {
	for (unsigned int i = 0; i < f->n_sites; i++)
		if (f->site[i].number == number)
			return (int)i;
	return -1;
}

/* ---- members ---- */

static void forget_key(struct fgsp_member *m, unsigned int i) {
	m->key[i].seal = seal_free(m->key[i].seal);
	if (m->sending == (int)i)
		m->sending = -1;
}

struct forgetting {
	struct fgsp *f;
	unsigned int member;
	bool copies;
};

static void forget_print(void *arg, struct print *p) {
	const struct forgetting *forget = arg;

	if (p->kind != PRINT_COPY)
		p->peers &= (uint16_t)~(1u << forget->member);
	else if (forget->copies && p->owner == forget->member)
		p->owner = FGSP_NOBODY;
}

/* What the member was told is not known any more; with `copies`, nor that copies here are of it. */
static void forget_sessions(struct fgsp *f, struct fgsp_member *m, bool copies) {
	struct forgetting forget = { f, fgsp_index(f, m), copies };
	uint64_t cursor = 0;

	fgsp_session_flush(f);
	while (prints_each(f->prints, &cursor, SIZE_MAX, forget_print, &forget))
		;
	memset(&m->told, 0, sizeof(m->told));
	if (copies)
		memset(&m->copies, 0, sizeof(m->copies));
}

static void drop_member(struct fgsp *f, struct fgsp_member *m) {
	fgsp_log(f, LOG_NOTICE, "Peer %s is no member any more", m->serial);
	for (unsigned int i = 0; i < FGSP_KEYS; i++)
		forget_key(m, i);
	forget_sessions(f, m, true);
	fgsp_take_forget(f, fgsp_index(f, m));
	arq_free(m->arq);
	ladder_free(m->ladder);
	f->members &= (uint16_t)~(1u << fgsp_index(f, m));
	f->forgotten++;
	memset(m, 0, sizeof(*m));
	fgsp_resync_walk(f);
}

/* The incarnation of this unit towards a serial: another one after a member was dropped. */
static uint64_t incarnation(const struct fgsp *f, const char *serial) {
	uint64_t h = f->salt + f->forgotten;

	for (; *serial; serial++)
		h = (h ^ (unsigned char)*serial) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/* Stream, links and what is known of sessions begin anew; copies of its sessions stay. */
static void begin_stream(struct fgsp *f, struct fgsp_member *m, uint64_t theirs) {
	for (unsigned int i = 0; i < FGSP_KEYS; i++)
		forget_key(m, i);
	forget_sessions(f, m, false);
	m->theirs = theirs;
	m->sending_anew = m->is_coming = m->has_come = false;
	m->end_seq = m->ask_us = m->ask_wait_us = 0;
	m->digest_us = FGSP_NEVER;
	memset(&m->stale, 0, sizeof(m->stale));
	memset(&m->stale_now, 0, sizeof(m->stale_now));
	fgsp_link_begin(f, m);
	fgsp_resync_all(m, "joining");
}

static struct fgsp_member *new_member(struct fgsp *f, const struct hello *h,
				      const struct fgsp_channel *c) {
	for (unsigned int i = 0; i < FGSP_MEMBERS; i++) {
		struct fgsp_member *m = &f->member[i];

		if (m->used)
			continue;
		memset(m, 0, sizeof(*m));
		m->used = true;
		m->sending = -1;
		m->id = h->unit_id;
		m->incarnation = c->incarnation;
		snprintf(m->serial, sizeof(m->serial), "%s", h->serial);
		f->members |= (uint16_t)(1u << i);
		return m;
	}
	return NULL;
}

/* The filters of a member: entries with an address that leads to it. False: none does. */
static bool set_entries(struct fgsp *f, struct fgsp_member *m) {
	m->entries = 0;
	for (unsigned int i = 0; i < f->n_sites; i++)
		for (unsigned int n = 0; n < f->cluster.n_peers; n++)
			if (f->site[i].member == (int)fgsp_index(f, m) &&
			    net_equal(&f->site[i].ip, &f->cluster.peer[n].ip))
				m->entries |= UINT32_C(1) << n;
	return m->entries != 0;
}

/* ---- channels ---- */

/* Do not connect again at once; the longer, the more often it failed. */
static void put_off(struct fgsp *f, struct fgsp_site *s) {
	uint64_t more_us = f->env.random(f->env.arg) % BACKOFF_MIN_US;

	s->backoff_us = s->backoff_us ? MIN(2 * s->backoff_us, BACKOFF_MAX_US) : BACKOFF_MIN_US;
	s->connect_us = f->now_us + s->backoff_us + more_us;
}

/* Forget a channel, and keys of it that the peer does not have. */
static void end_channel(struct fgsp *f, struct fgsp_channel *c) {
	struct fgsp_site *s = &f->site[c->site];

	if (c->member >= 0)
		for (unsigned int i = 0; i < FGSP_KEYS; i++) {
			struct fgsp_key *k = &f->member[c->member].key[i];

			if (k->seal && k->channel == c->number && !k->ready)
				forget_key(&f->member[c->member], i);
		}
	put_off(f, s);
	explicit_bzero(c, sizeof(*c));
}

static void close_channel(struct fgsp *f, struct fgsp_channel *c) {
	f->env.close(f->env.arg, c->number);
	end_channel(f, c);
}

__attribute__((format(printf, 3, 4)))
static void set_why(struct fgsp *f, struct fgsp_site *s, const char *fmt, ...) {
	char why[sizeof(s->why)], ip[INET_ADDRSTRLEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (strcmp(why, s->why) == 0)
		return;
	snprintf(s->why, sizeof(s->why), "%s", why);
	inet_ntop(AF_INET, s->ip.byte, ip, sizeof(ip));
	fgsp_log(f, LOG_WARNING, "Peer %s: %s", ip, why);
}

static void refuse(struct fgsp *f, struct fgsp_channel *c, const char *why) {
	struct fgsp_site *s = &f->site[c->site];

	f->stats.refused++;
	s->refused = true;
	s->backoff_us = BACKOFF_MAX_US;
	set_why(f, s, "refused: %s", why);
	close_channel(f, c);
}

static void say_hello(struct fgsp *f, struct fgsp_channel *c, const char *serial) {
	int member = find_serial(f, serial);
	AUTO_BUF struct buf b = BUF_INIT;

	c->incarnation = member < 0 ? incarnation(f, serial) : f->member[member].incarnation;

	buf_put_u8(&b, FRAME_HELLO);
	buf_put_u16(&b, VERSION);
	buf_put_u16(&b, VERSION_OLDEST);
	buf_put_str(&b, f->cluster.serial);
	buf_put_u16(&b, f->id);
	buf_put_u64(&b, c->incarnation);
	buf_put_u8(&b, f->cluster.member_id);
	buf_put_u8(&b, (f->cluster.encrypt ? HELLO_ENCRYPTS : 0) |
			       (f->env.slow_aes ? HELLO_CHACHA : 0));
	buf_put_u32(&b, c->epoch);
	f->env.frame(f->env.arg, c->number, b.data, b.len);
}

void fgsp_channel_up(struct fgsp *f, unsigned int channel, const struct fgsp_channel_info *info,
		     uint64_t now_us) {
	struct fgsp_channel *c = NULL;
	int site = info->peer == FGSP_ANY ? -1 : find_site(f, info->peer);

	f->now_us = now_us;
	for (unsigned int i = 0; i < FGSP_CHANNELS && !c; i++)
		if (!f->channel[i].used)
			c = &f->channel[i];
	if (site >= 0 && info->initiator)
		f->site[site].connecting = false;
	if (site >= 0)
		f->site[site].away = false;
	if (!c || site < 0 || !f->walked) {
		f->env.close(f->env.arg, channel);
		return;
	}
	*c = (struct fgsp_channel){ .used = true, .initiator = info->initiator, .member = -1,
				    .number = channel, .site = (unsigned int)site,
				    .begun_us = now_us };
	snprintf(c->serial, sizeof(c->serial), "%s", info->serial);
	memcpy(c->master, info->master, sizeof(c->master));
	if (c->initiator)
		c->epoch = (uint32_t)f->env.random(f->env.arg) | 1;
	else
		say_hello(f, c, c->serial);
}

void fgsp_channel_down(struct fgsp *f, unsigned int channel, uint64_t now_us) {
	struct fgsp_channel *c = find_channel(f, channel);

	f->now_us = now_us;
	if (c)
		end_channel(f, c);
}

void fgsp_connect_failed(struct fgsp *f, unsigned int peer, const char *why, uint64_t now_us) {
	int site = find_site(f, peer);
	struct fgsp_site *s;

	f->now_us = now_us;
	if (site < 0)
		return;
	s = &f->site[site];
	s->connecting = false;
	s->away = true;
	put_off(f, s);
	if (!s->refused)
		set_why(f, s, "%s", why);    /* what it was refused for says more */
}

/* ---- HELLO ---- */

static bool read_hello(struct buf_reader *r, struct hello *h) {
	char *serial;

	*h = (struct hello){ 0 };
	h->version = buf_get_u16(r);
	h->oldest = buf_get_u16(r);
	serial = buf_get_str(r, sizeof(h->serial) - 1);
	snprintf(h->serial, sizeof(h->serial), "%s", serial);
	free(serial);
	h->unit_id = buf_get_u16(r);
	h->incarnation = buf_get_u64(r);
	h->member_id = buf_get_u8(r);
	h->flags = buf_get_u8(r);
	h->epoch = buf_get_u32(r);
	return !r->bad;              /* what follows is of a later version */
}

/* Why a unit cannot be a member; NULL: it can. */
static const char *objection(const struct fgsp *f, const struct fgsp_channel *c,
			     const struct hello *h) {
	int known = find_serial(f, h->serial), same = fgsp_peer_find(f, h->unit_id);
	int site_member = f->site[c->site].member;

	if (!cluster_is_serial(h->serial, strlen(h->serial)))
		return "what it says is no serial number";   /* and is printed nowhere */
	if (strcmp(h->serial, f->cluster.serial) == 0)
		return "it has the serial number of this unit";
	if (!c->initiator && strcmp(h->serial, c->serial) != 0)
		return "it is not who its key says";
	if (h->version < VERSION_OLDEST || h->oldest > VERSION)
		return "its version is too old or too new";
	if (h->unit_id != cluster_unit_id(h->serial))
		return "its unit id is not that of its serial number";
	if (h->unit_id == f->id || (same >= 0 && same != known))
		return "its unit id is taken";
	if (h->member_id && h->member_id == f->cluster.member_id)
		return "it has the same group-member-id";
	if (!(h->flags & HELLO_ENCRYPTS) == f->cluster.encrypt)
		return "encryption is not set as here";
	if (!c->initiator && h->epoch == 0)
		return "its keys have no number";
	if (site_member >= 0 && site_member != known && f->member[site_member].connected)
		return "another peer is connected at this address";
	return NULL;
}

/* The site of a channel leads to this member from now on. */
static void bind_site(struct fgsp *f, struct fgsp_channel *c, int member) {
	struct fgsp_site *s = &f->site[c->site];
	int before = s->member;

	s->member = member;
	s->refused = false;
	s->why[0] = '\0';
	s->backoff_us = 0;
	if (before >= 0 && before != member && !set_entries(f, &f->member[before])) {
		struct fgsp_channel *old = channel_of(f, before, NULL);

		if (old)
			close_channel(f, old);
		drop_member(f, &f->member[before]);
	}
	set_entries(f, &f->member[member]);
	c->member = member;
}

/* Keys of this channel, to be used once the peer says that it has them. False: OpenSSL fails. */
static bool add_key(struct fgsp *f, struct fgsp_member *m, const struct fgsp_channel *c,
		    uint32_t epoch, enum seal_cipher cipher) {
	struct seal_params params = {
		.epoch = epoch, .cipher = cipher, .encrypt = f->cluster.encrypt,
		.own_serial = f->cluster.serial, .peer_serial = m->serial,
		.own_id = f->id, .peer_id = m->id,
	};
	struct err err = { 0 };
	unsigned int free = FGSP_KEYS;

	memcpy(params.master, c->master, sizeof(params.master));
	for (unsigned int i = FGSP_KEYS; i-- > 0;)
		if (!m->key[i].seal || (free == FGSP_KEYS && (int)i != m->sending))
			free = i;
	forget_key(m, free);
	m->key[free] = (struct fgsp_key){ .seal = seal_new(&params, &err),
					  .until_us = FGSP_NEVER, .channel = c->number };
	explicit_bzero(&params, sizeof(params));
	return m->key[free].seal != NULL;
}

/*
 * Of two channels with a member that came up together one stays. One that has stood for longer is
 * dead at the other end, or it was time for new keys. False: the new one was closed.
 */
static bool keep_one(struct fgsp *f, struct fgsp_channel *c, int member) {
	struct fgsp_channel *old = channel_of(f, member, c);

	if (!old)
		return true;
	if (f->now_us < old->begun_us + HELLO_US && strcmp(old->serial, c->serial) < 0) {
		close_channel(f, c);
		return false;
	}
	close_channel(f, old);
	return true;
}

/* Both sides have spoken: there are keys. */
static void agree(struct fgsp *f, struct fgsp_channel *c, const struct hello *h) {
	int index = find_serial(f, h->serial);
	struct fgsp_member *m = index < 0 ? new_member(f, h, c) : &f->member[index];
	bool chacha = c->initiator ? f->env.slow_aes : h->flags & HELLO_CHACHA;
	uint32_t epoch = c->initiator ? c->epoch : h->epoch;
	AUTO_BUF struct buf b = BUF_INIT;

	if (!m) {
		refuse(f, c, "there are 16 members");
		return;
	}
	if (m->incarnation != c->incarnation) {
		close_channel(f, c);        /* it was dropped and came back meanwhile */
		return;
	}
	bind_site(f, c, (int)fgsp_index(f, m));
	if (!m->arq || m->theirs != h->incarnation) {
		struct fgsp_channel *old = channel_of(f, (int)fgsp_index(f, m), c);

		if (old)
			close_channel(f, old);
		fgsp_log(f, LOG_NOTICE, "Peer %s joins", m->serial);
		begin_stream(f, m, h->incarnation);
	} else {
		fgsp_link_configure(f, m);
	}
	if (!keep_one(f, c, (int)fgsp_index(f, m)))
		return;
	c->epoch = epoch;
	if (!add_key(f, m, c, epoch, chacha ? SEAL_CHACHA20 : SEAL_AES_256_GCM)) {
		refuse(f, c, "keys cannot be made");
		return;
	}
	buf_put_u8(&b, FRAME_READY);
	buf_put_u32(&b, epoch);
	f->env.frame(f->env.arg, c->number, b.data, b.len);
	explicit_bzero(c->master, sizeof(c->master));
}

static void take_hello(struct fgsp *f, struct fgsp_channel *c, struct buf_reader *r) {
	struct hello h;
	const char *why;

	if (c->member >= 0 || !read_hello(r, &h)) {
		close_channel(f, c);
		return;
	}
	why = objection(f, c, &h);
	if (why) {
		refuse(f, c, why);
		return;
	}
	if (c->initiator)
		say_hello(f, c, h.serial);
	agree(f, c, &h);
}

/* The peer has our keys. What was in use before is still good for what is on its way. */
static void take_ready(struct fgsp *f, struct fgsp_channel *c, struct buf_reader *r) {
	struct fgsp_member *m = c->member < 0 ? NULL : &f->member[c->member];
	uint32_t epoch = buf_get_u32(r);

	for (unsigned int i = 0; m && i < FGSP_KEYS; i++) {
		struct fgsp_key *k = &m->key[i];

		if (!k->seal || seal_epoch(k->seal) != epoch || k->channel != c->number)
			continue;
		if (m->sending >= 0 && m->sending != (int)i)
			m->key[m->sending].until_us = f->now_us + OLD_KEY_US;
		k->ready = c->ready = true;
		m->sending = (int)i;
		m->epoch = epoch;
		m->rekey_us = f->now_us + REKEY_US;
		fgsp_link_configure(f, m);
		return;
	}
	close_channel(f, c);
}

void fgsp_frame(struct fgsp *f, unsigned int channel, const uint8_t *data, size_t len,
		uint64_t now_us) {
	struct fgsp_channel *c = find_channel(f, channel);
	struct buf_reader r;

	f->now_us = now_us;
	if (!c)
		return;
	buf_reader_init(&r, data, len);
	switch (buf_get_u8(&r)) {
	case FRAME_HELLO:
		take_hello(f, c, &r);
		break;
	case FRAME_READY:
		take_ready(f, c, &r);
		break;
	default:
		if (len == 0)
			close_channel(f, c);      /* what is not known is of a later version */
	}
}

/* ---- configuration ---- */

/* The site for an address: as it was, or a new one. */
static struct fgsp_site make_site(const struct fgsp_site *old, unsigned int n_old,
				  const union net_addr *ip, unsigned int number) {
	struct fgsp_site s = { .member = -1, .ip = *ip };

	for (unsigned int i = 0; i < n_old; i++)
		if (net_equal(&old[i].ip, ip))
			s = old[i];
	s.number = number;
	return s;
}

/*
 * Channels name their site by its index, which may have changed; those of sites that are gone end.
 */
static void move_channels(struct fgsp *f, const struct fgsp_site *old) {
	for (unsigned int i = 0; i < FGSP_CHANNELS; i++) {
		struct fgsp_channel *c = &f->channel[i];
		unsigned int n = 0;

		if (!c->used)
			continue;
		while (n < f->n_sites && !net_equal(&f->site[n].ip, &old[c->site].ip))
			n++;
		c->site = n < f->n_sites ? n : 0;
		if (n == f->n_sites || c->member < 0)
			close_channel(f, c);
	}
}

static void set_sites(struct fgsp *f) {
	struct fgsp_site old[CLUSTER_PEERS_MAX];
	unsigned int n_old = f->n_sites;

	memcpy(old, f->site, sizeof(old));
	f->n_sites = 0;
	for (unsigned int n = 0; n < f->cluster.n_peers; n++) {
		const union net_addr *ip = &f->cluster.peer[n].ip;
		unsigned int i = 0;

		while (i < f->n_sites && !net_equal(&f->site[i].ip, ip))
			i++;
		if (i == f->n_sites)
			f->site[f->n_sites++] = make_site(old, n_old, ip, n);
	}
	move_channels(f, old);
}

void fgsp_peer_done(struct fgsp *f, bool close) {
	for (unsigned int i = 0; i < FGSP_CHANNELS; i++) {
		if (f->channel[i].used && close)
			f->env.close(f->env.arg, f->channel[i].number);
		explicit_bzero(&f->channel[i], sizeof(f->channel[i]));
	}
	FGSP_EACH_MEMBER(f, m, i) {
		for (unsigned int k = 0; k < FGSP_KEYS; k++)
			forget_key(m, k);
		arq_free(m->arq);
		ladder_free(m->ladder);
		memset(m, 0, sizeof(*m));
	}
	f->members = 0;
	f->n_sites = 0;
	f->forgotten++;
}

void fgsp_peer_configure(struct fgsp *f) {
	set_sites(f);
	FGSP_EACH_MEMBER(f, m, i)
		if (set_entries(f, m))
			fgsp_link_configure(f, m);
		else
			drop_member(f, m);
}

/* ---- time ---- */

/* Whether this unit is to connect there now, or when. */
static uint64_t connect_due(struct fgsp *f, const struct fgsp_site *s) {
	struct fgsp_member *m = s->member < 0 ? NULL : &f->member[s->member];
	struct fgsp_channel *c = m ? channel_of(f, s->member, NULL) : NULL;

	if (!f->walked || !f->started)
		return FGSP_NEVER;
	if (s->connecting || !c)
		return s->connect_us;
	if (!c->initiator || &f->site[c->site] != s)
		return FGSP_NEVER;
	if (m->sending >= 0 && seal_sent(m->key[m->sending].seal) >= SEALED_MAX)
		return s->connect_us;
	return MAX(m->rekey_us, s->connect_us);
}

/* When a channel on which there are no keys yet is given up. */
static uint64_t patience(const struct fgsp_channel *c) {
	return c->used && !c->ready ? c->begun_us + HELLO_US : FGSP_NEVER;
}

static bool is_opening(const struct fgsp *f, unsigned int site) {
	for (unsigned int i = 0; i < FGSP_CHANNELS; i++)
		if (f->channel[i].used && f->channel[i].site == site && f->channel[i].member < 0)
			return true;
	return false;
}

void fgsp_peer_poll(struct fgsp *f) {
	for (unsigned int i = 0; i < FGSP_CHANNELS; i++)
		if (f->now_us >= patience(&f->channel[i]))
			close_channel(f, &f->channel[i]);
	for (unsigned int i = 0; i < f->n_sites; i++) {
		struct fgsp_site *s = &f->site[i];

		if (f->now_us < connect_due(f, s))
			continue;
		s->connect_us = f->now_us + CONNECT_US;
		if (is_opening(f, i))
			continue;
		s->connecting = true;
		f->env.connect(f->env.arg, s->number);
	}
	FGSP_EACH_MEMBER(f, m, i)
		for (unsigned int k = 0; k < FGSP_KEYS; k++)
			if (m->key[k].seal && f->now_us >= m->key[k].until_us)
				forget_key(m, k);
}

uint64_t fgsp_peer_deadline(const struct fgsp *f) {
	uint64_t due = FGSP_NEVER;

	for (unsigned int i = 0; i < FGSP_CHANNELS; i++)
		due = fgsp_min(due, patience(&f->channel[i]));
	for (unsigned int i = 0; i < f->n_sites; i++)
		due = fgsp_min(due, connect_due((struct fgsp *)f, &f->site[i]));
	FGSP_EACH_MEMBER(f, m, i)
		for (unsigned int k = 0; k < FGSP_KEYS; k++)
			if (m->key[k].seal)
				due = fgsp_min(due, m->key[k].until_us);
	return due;
}
