/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A message is u8 type, u32 id, and the fields of its type in the order in which they are put and
 * taken here; a list comes last: u32 count and items. A list is read whole when the message is
 * decoded, so that who walks it later meets no surprises, and nothing of a message that is wrong
 * somewhere has an effect.
 *
 * Names of members end up in lines of words (cfgdb/membership.h) and in the log: they are letters,
 * digits, hyphens and underscores.
 */
#include "sync/autoscale_message.h"

#include <stdlib.h>
#include <string.h>

#define ID_AT 1                      /* byte at which the id of a message stands */

enum { PRIMARY = 1, SYNCED = 2, COPYING = 4, FAILING = 8, JOINED = 16 };

/* ---- fields ---- */

void autoscale_message_get_text(struct buf_reader *r, char *ret, size_t size) {
	char *text = buf_get_str(r, size - 1);

	for (const char *p = text; *p; p++)
		r->bad = r->bad || (unsigned char)*p < ' ' || *p == 0x7f;
	strcpy(ret, r->bad ? "" : text);
	free(text);
}

/* A key may hold whatever its table lets through. */
static void get_key(struct buf_reader *r, char *ret, size_t size) {
	char *text = buf_get_str(r, size - 1);

	strcpy(ret, text);
	free(text);
}

/* "" only where the name may be missing. */
static void get_name(struct buf_reader *r, char *ret, size_t size, bool may_miss) {
	static const char allowed[] = "0123456789-_"
				      "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	get_key(r, ret, size);
	r->bad = r->bad || (!*ret && !may_miss) || ret[strspn(ret, allowed)];
}

static void put_ip(struct buf *b, const union net_addr *ip) {
	buf_put_bytes(b, ip->byte, 4);
}

static void get_ip(struct buf_reader *r, union net_addr *ret) {
	*ret = (union net_addr){ .half = { 0 } };
	buf_get_bytes(r, ret->byte, 4);
}

static void put_digests(struct buf *b, const struct digest_group *d) {
	buf_put_bytes(b, d->global, DIGEST_LEN);
	buf_put_bytes(b, d->root, DIGEST_LEN);
	buf_put_bytes(b, d->all, DIGEST_LEN);
}

static void get_digests(struct buf_reader *r, struct digest_group *ret) {
	buf_get_bytes(r, ret->global, DIGEST_LEN);
	buf_get_bytes(r, ret->root, DIGEST_LEN);
	buf_get_bytes(r, ret->all, DIGEST_LEN);
}

static void put_standing(struct buf *b, const struct autoscale_standing *s) {
	buf_put_u8(b, (uint8_t)((s->primary ? PRIMARY : 0) | (s->synced ? SYNCED : 0) |
				(s->copying ? COPYING : 0) | (s->failing ? FAILING : 0) |
				(s->joined ? JOINED : 0)));
	buf_put_u16(b, s->hb_interval_s);
	buf_put_u64(b, s->epoch);
	buf_put_u64(b, s->heard);
	buf_put_u64(b, s->revision);
	buf_put_str(b, s->followed);
	buf_put_u64(b, s->followed_revision);
	put_ip(b, &s->followed_ip);
	put_digests(b, &s->active);
	put_digests(b, &s->staged);
	buf_put_str(b, s->trouble);
}

static void get_standing(struct buf_reader *r, struct autoscale_standing *s) {
	uint8_t flags = buf_get_u8(r);

	s->primary = flags & PRIMARY;
	s->synced = flags & SYNCED;
	s->copying = flags & COPYING;
	s->failing = flags & FAILING;
	s->joined = flags & JOINED;
	s->hb_interval_s = buf_get_u16(r);
	s->epoch = buf_get_u64(r);
	s->heard = buf_get_u64(r);
	s->revision = buf_get_u64(r);
	get_name(r, s->followed, sizeof(s->followed), true);
	s->followed_revision = buf_get_u64(r);
	get_ip(r, &s->followed_ip);
	get_digests(r, &s->active);
	get_digests(r, &s->staged);
	autoscale_message_get_text(r, s->trouble, sizeof(s->trouble));
	/* epochs and revisions are kept as signed numbers */
	r->bad = r->bad || s->hb_interval_s == 0 || s->heard > INT64_MAX ||
		 s->epoch > s->heard || s->revision > INT64_MAX ||
		 s->followed_revision > INT64_MAX;
}

/* ---- items of lists ---- */

void autoscale_message_put_digest(struct buf *b, const char *name,
				  const unsigned char digest[DIGEST_LEN]) {
	buf_put_str(b, name);
	buf_put_bytes(b, digest, DIGEST_LEN);
}

void autoscale_message_get_digest(struct buf_reader *r, struct autoscale_digest *ret) {
	get_key(r, ret->name, sizeof(ret->name));
	buf_get_bytes(r, ret->digest, DIGEST_LEN);
}

void autoscale_message_put_key(struct buf *b, const char *table, const char *key) {
	buf_put_str(b, table);
	buf_put_str(b, key);
}

void autoscale_message_get_key(struct buf_reader *r, struct autoscale_key *ret) {
	get_key(r, ret->table, sizeof(ret->table));
	get_key(r, ret->key, sizeof(ret->key));
	r->bad = r->bad || !*ret->table;
}

void autoscale_message_put_member(struct buf *b, const struct member *p) {
	buf_put_str(b, p->serial);
	buf_put_str(b, p->vmid);
	buf_put_u8(b, p->role == MEMBER_PRIMARY);
	put_ip(b, &p->ip);
	buf_put_u32(b, (uint32_t)p->heard_s);
}

void autoscale_message_get_member(struct buf_reader *r, struct member *ret) {
	uint8_t primary;

	get_name(r, ret->serial, sizeof(ret->serial), false);
	get_name(r, ret->vmid, sizeof(ret->vmid), false);
	primary = buf_get_u8(r);
	ret->role = primary ? MEMBER_PRIMARY : MEMBER_SECONDARY;
	get_ip(r, &ret->ip);
	ret->heard_s = buf_get_u32(r);
	ret->sync_id = 0;
	r->bad = r->bad || primary > 1;
}

static void skip_member(struct buf_reader *r) {
	struct member skipped;

	autoscale_message_get_member(r, &skipped);
}

static void skip_digest(struct buf_reader *r) {
	struct autoscale_digest skipped;

	autoscale_message_get_digest(r, &skipped);
}

static void skip_key(struct buf_reader *r) {
	struct autoscale_key skipped;

	autoscale_message_get_key(r, &skipped);
}

static void skip_operation(struct buf_reader *r) {
	struct operation skipped;

	operation_decode(&skipped, r);
	operation_done(&skipped);
}

/* ---- messages ---- */

/* What the list of a type is of, and how many at most; NULL: it has none. */
static const struct {
	void (*skip)(struct buf_reader *r);
	uint32_t max;
} lists[AUTOSCALE_TYPES] = {
	[AUTOSCALE_BEAT] = { skip_member, MEMBERS_MAX + 1 },
	[AUTOSCALE_CHANGES] = { skip_operation, AUTOSCALE_MESSAGE_MAX },
	[AUTOSCALE_TABLES] = { skip_digest, AUTOSCALE_MESSAGE_MAX },
	[AUTOSCALE_INDEX] = { skip_digest, AUTOSCALE_MESSAGE_MAX },
	[AUTOSCALE_ASK_OBJECTS] = { skip_key, AUTOSCALE_KEYS_MAX },
	[AUTOSCALE_OBJECTS] = { skip_operation, AUTOSCALE_MESSAGE_MAX },
};

static void put_hello(struct buf *b, const struct autoscale_message *m) {
	buf_put_u16(b, m->version);
	buf_put_u16(b, m->oldest);
	buf_put_str(b, m->serial);
	buf_put_str(b, m->vmid);
	buf_put_str(b, m->hostname);
	buf_put_str(b, m->schema);
	put_standing(b, &m->standing);
}

static void get_hello(struct buf_reader *r, struct autoscale_message *m) {
	m->version = buf_get_u16(r);
	m->oldest = buf_get_u16(r);
	get_name(r, m->serial, sizeof(m->serial), false);
	get_name(r, m->vmid, sizeof(m->vmid), false);
	autoscale_message_get_text(r, m->hostname, sizeof(m->hostname));
	autoscale_message_get_text(r, m->schema, sizeof(m->schema));
	get_standing(r, &m->standing);
	r->bad = r->bad || m->oldest > m->version;
}

static void put_beat(struct buf *b, const struct autoscale_message *m) {
	put_standing(b, &m->standing);
	buf_put_u32(b, m->members_version);
}

static void get_beat(struct buf_reader *r, struct autoscale_message *m) {
	get_standing(r, &m->standing);
	m->members_version = buf_get_u32(r);
}

static void put_since(struct buf *b, const struct autoscale_message *m) {
	buf_put_u64(b, m->since);
}

static void get_since(struct buf_reader *r, struct autoscale_message *m) {
	m->since = buf_get_u64(r);
}

static void put_changes(struct buf *b, const struct autoscale_message *m) {
	buf_put_u64(b, m->since);
	buf_put_u64(b, m->revision);
	buf_put_str(b, m->user);
	buf_put_str(b, m->source);
	buf_put_u64(b, m->time_s);
	buf_put_u8(b, m->checked);
	put_digests(b, &m->digests);
}

static void get_changes(struct buf_reader *r, struct autoscale_message *m) {
	uint8_t checked;

	m->since = buf_get_u64(r);
	m->revision = buf_get_u64(r);
	autoscale_message_get_text(r, m->user, sizeof(m->user));
	autoscale_message_get_text(r, m->source, sizeof(m->source));
	m->time_s = buf_get_u64(r);
	checked = buf_get_u8(r);
	m->checked = checked;
	get_digests(r, &m->digests);
	r->bad = r->bad || checked > 1 || m->since > m->revision || m->revision > INT64_MAX;
}

static void put_revision(struct buf *b, const struct autoscale_message *m) {
	buf_put_u64(b, m->revision);
}

static void get_revision(struct buf_reader *r, struct autoscale_message *m) {
	m->revision = buf_get_u64(r);
	r->bad = r->bad || m->revision > INT64_MAX;
}

static void put_ask_index(struct buf *b, const struct autoscale_message *m) {
	autoscale_message_put_key(b, m->table, m->after);
}

static void get_ask_index(struct buf_reader *r, struct autoscale_message *m) {
	struct autoscale_key key;

	autoscale_message_get_key(r, &key);
	strcpy(m->table, key.table);
	strcpy(m->after, key.key);
}

static void put_index(struct buf *b, const struct autoscale_message *m) {
	buf_put_u64(b, m->revision);
	buf_put_u8(b, m->more);
}

static void get_index(struct buf_reader *r, struct autoscale_message *m) {
	uint8_t more;

	get_revision(r, m);
	more = buf_get_u8(r);
	m->more = more;
	r->bad = r->bad || more > 1;
}

static void put_why(struct buf *b, const struct autoscale_message *m) {
	buf_put_u16(b, (uint16_t)m->why);
	buf_put_str(b, m->text);
}

static void get_why(struct buf_reader *r, struct autoscale_message *m) {
	uint16_t why = buf_get_u16(r);

	/* a later version has more of them */
	m->why = why > 0 && why < AUTOSCALE_WHYS ? (enum autoscale_why)why : AUTOSCALE_CANNOT;
	autoscale_message_get_text(r, m->text, sizeof(m->text));
}

static void put_forget(struct buf *b, const struct autoscale_message *m) {
	buf_put_str(b, m->serial);
}

static void get_forget(struct buf_reader *r, struct autoscale_message *m) {
	get_name(r, m->serial, sizeof(m->serial), false);
}

static const struct {
	void (*put)(struct buf *b, const struct autoscale_message *m);
	void (*get)(struct buf_reader *r, struct autoscale_message *m);
} fields[AUTOSCALE_TYPES] = {
	[AUTOSCALE_HELLO] = { put_hello, get_hello },
	[AUTOSCALE_BEAT] = { put_beat, get_beat },
	[AUTOSCALE_ASK_CHANGES] = { put_since, get_since },
	[AUTOSCALE_CHANGES] = { put_changes, get_changes },
	[AUTOSCALE_TABLES] = { put_revision, get_revision },
	[AUTOSCALE_ASK_INDEX] = { put_ask_index, get_ask_index },
	[AUTOSCALE_INDEX] = { put_index, get_index },
	[AUTOSCALE_OBJECTS] = { put_revision, get_revision },
	[AUTOSCALE_REFUSE] = { put_why, get_why },
	[AUTOSCALE_FORGET] = { put_forget, get_forget },
	[AUTOSCALE_NO] = { put_why, get_why },
};

void autoscale_message_encode(struct buf *b, const struct autoscale_message *m) {
	buf_put_u8(b, m->type);
	buf_put_u32(b, m->id);
	if (fields[m->type].put)
		fields[m->type].put(b, m);
	if (!lists[m->type].skip)
		return;
	buf_put_u32(b, m->n);
	if (m->list.len > m->list.pos)
		buf_put_bytes(b, m->list.data + m->list.pos, m->list.len - m->list.pos);
}

static void get_list(struct buf_reader *r, struct autoscale_message *m) {
	m->n = buf_get_u32(r);
	r->bad = r->bad || m->n > lists[m->type].max;
	m->list = *r;
	for (uint32_t i = 0; i < m->n && !r->bad; i++)
		lists[m->type].skip(r);
	m->list.len = r->pos;
}

bool autoscale_message_decode(struct autoscale_message *m, const uint8_t *data, size_t len) {
	struct buf_reader r;
	uint8_t type;

	if (len > AUTOSCALE_MESSAGE_MAX)
		return false;
	buf_reader_init(&r, data, len);
	type = buf_get_u8(&r);
	if (type < AUTOSCALE_HELLO || type >= AUTOSCALE_TYPES)
		return false;
	memset(m, 0, sizeof(*m));
	m->type = (enum autoscale_type)type;
	m->id = buf_get_u32(&r);
	if (fields[type].get)
		fields[type].get(&r, m);
	if (lists[type].skip)
		get_list(&r, m);
	if (type == AUTOSCALE_HELLO || type == AUTOSCALE_BEAT)
		return !r.bad;
	return buf_reader_end(&r);
}

void autoscale_message_set_id(struct buf *b, uint32_t id) {
	for (unsigned int i = 0; i < 4; i++)
		b->data[ID_AT + i] = (uint8_t)(id >> (24 - 8 * i));
}
