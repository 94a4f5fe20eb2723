/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit remembers what it touched, as far back as the history goes. The secret of the group is
 * an object like others, whose value is also what connections are made with: so it travels with
 * the configuration.
 */
#include "tests/lib/fake_desk.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/model/operation.h"

#define SECRET_KEY "secret"

static const char *const names[DESK_TABLES] = { "firewall.address", "firewall.policy",
						"firewall.vip", "router.static",
						"system.global" };

struct desk_touch {
	unsigned int table;
	char key[DESK_KEY];
};

struct desk_commit {
	uint64_t revision;
	size_t n;
	struct desk_touch *touch;
};

static bool is_ordered(unsigned int table) {
	return table == DESK_POLICY || table == DESK_VIP;
}

static unsigned int table_of(const char *name) {
	unsigned int i = 0;

	while (i < DESK_TABLES && strcmp(names[i], name) != 0)
		i++;
	return i;
}

/* ---- configurations ---- */

static void config_done(struct desk_config *c) {
	for (unsigned int i = 0; i < DESK_TABLES; i++)
		free(c->table[i].object);
	*c = (struct desk_config){ { { .n = 0 } } };
}

static void config_copy(struct desk_config *to, const struct desk_config *from) {
	config_done(to);
	for (unsigned int i = 0; i < DESK_TABLES; i++) {
		const struct desk_table *t = &from->table[i];

		to->table[i] = (struct desk_table){ .n = t->n, .size = t->n };
		to->table[i].object = xcalloc(t->n + 1, sizeof(*t->object));
		if (t->n > 0)
			memcpy(to->table[i].object, t->object, t->n * sizeof(*t->object));
	}
}

/* Where a key stands, or n. */
static size_t find(const struct desk_table *t, const char *key) {
	size_t i = 0;

	while (i < t->n && strcmp(t->object[i].key, key) != 0)
		i++;
	return i;
}

static void insert(struct desk_table *t, size_t at, const struct desk_object *o) {
	if (t->n >= t->size) {
		t->size = 2 * t->n + 8;
		t->object = xreallocarray(t->object, t->size, sizeof(*t->object));
	}
	memmove(t->object + at + 1, t->object + at, (t->n - at) * sizeof(*t->object));
	t->object[at] = *o;
	t->n++;
}

static struct desk_object take_out(struct desk_table *t, size_t at) {
	struct desk_object o = t->object[at];

	t->n--;
	memmove(t->object + at, t->object + at + 1, (t->n - at) * sizeof(*t->object));
	return o;
}

static void config_put(struct desk_config *c, unsigned int table, const struct desk_object *o) {
	struct desk_table *t = &c->table[table];
	size_t at = find(t, o->key);

	if (at < t->n) {
		t->object[at] = *o;
		return;
	}
	for (; at > 0 && !is_ordered(table) && strcmp(t->object[at - 1].key, o->key) > 0; at--) {
	}
	insert(t, at, o);
}

static void config_delete(struct desk_config *c, unsigned int table, const char *key) {
	struct desk_table *t = &c->table[table];
	size_t at = find(t, key);

	if (at < t->n)
		take_out(t, at);
}

/* False: one of them is not there. */
static bool config_place(struct desk_config *c, unsigned int table, const char *key,
			 const char *after) {
	struct desk_table *t = &c->table[table];
	struct desk_object o;

	if (find(t, key) == t->n || (*after && find(t, after) == t->n) || strcmp(key, after) == 0)
		return false;
	o = take_out(t, find(t, key));
	insert(t, *after ? find(t, after) + 1 : 0, &o);
	return true;
}

/* ---- digests ---- */

static uint64_t mix(uint64_t sum, uint64_t value) {
	uint64_t z = (sum ^ value) + UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t mix_text(uint64_t sum, const char *text) {
	for (; *text; text++)
		sum = mix(sum, (unsigned char)*text);
	return mix(sum, 256);
}

static uint64_t sum_object(const struct desk_object *o, uint32_t secret) {
	uint64_t sum = mix_text(mix(mix(0, o->value), o->padding), o->key);

	return o->value & DESK_SECRET ? mix(sum, secret) : sum;
}

static uint64_t sum_table(const struct desk_table *t, uint32_t secret) {
	uint64_t sum = 0;

	for (size_t i = 0; i < t->n; i++)
		sum = mix(sum, sum_object(&t->object[i], secret));
	return sum;
}

static void spread(uint64_t sum, unsigned char out[DIGEST_LEN]) {
	for (unsigned int i = 0; i < DIGEST_LEN; i++)
		out[i] = (unsigned char)(mix(sum, i / 8) >> 8 * (i % 8));
}

static void group_digests(const struct desk_config *c, uint32_t secret, struct digest_group *ret) {
	uint64_t root = 0, global = sum_table(&c->table[DESK_GLOBAL], secret);

	for (unsigned int i = 0; i < DESK_GLOBAL; i++)
		root = mix(root, sum_table(&c->table[i], secret));
	spread(root, ret->root);
	spread(global, ret->global);
	spread(mix(root, global), ret->all);
}

uint64_t fake_desk_sum(const struct fake_desk *d) {
	uint64_t sum = 0;

	for (unsigned int i = 0; i < DESK_TABLES; i++)
		sum = mix(sum, sum_table(&d->config.table[i], 0));
	return sum;
}

/* ---- revisions ---- */

static void forget_commits(struct fake_desk *d, unsigned int keep) {
	while (d->n_commits > keep) {
		free(d->commit[0].touch);
		d->n_commits--;
		memmove(d->commit, d->commit + 1, d->n_commits * sizeof(*d->commit));
	}
}

static struct desk_commit *add_commit(struct fake_desk *d) {
	forget_commits(d, d->history_max > 0 ? d->history_max - 1 : 0);
	d->commit = xreallocarray(d->commit, d->n_commits + 1, sizeof(*d->commit));
	d->a.revision++;
	d->commit[d->n_commits] = (struct desk_commit){ .revision = d->a.revision };
	return &d->commit[d->n_commits++];
}

static void touch(struct desk_commit *c, unsigned int table, const char *key) {
	c->touch = xreallocarray(c->touch, c->n + 1, sizeof(*c->touch));
	c->touch[c->n].table = table;
	snprintf(c->touch[c->n++].key, DESK_KEY, "%s", key);
}

static bool is_same_at(const struct desk_table *a, const struct desk_table *b, size_t i) {
	size_t j = find(b, a->object[i].key);

	return j < b->n && a->object[i].value == b->object[j].value &&
	       strcmp(i > 0 ? a->object[i - 1].key : "", j > 0 ? b->object[j - 1].key : "") == 0;
}

/* What differs between before and now: value, or the one before it. */
static void touch_all(struct desk_commit *c, const struct desk_config *before,
		      const struct desk_config *now) {
	for (unsigned int t = 0; t < DESK_TABLES; t++) {
		const struct desk_table *a = &before->table[t], *b = &now->table[t];

		if (a->n == b->n && (a->n == 0 || memcmp(a->object, b->object,
							 a->n * sizeof(*a->object)) == 0))
			continue;
		for (size_t i = 0; i < b->n; i++)
			if (!is_same_at(b, a, i))
				touch(c, t, b->object[i].key);
		for (size_t i = 0; i < a->n; i++)
			if (find(b, a->object[i].key) == b->n)
				touch(c, t, a->object[i].key);
	}
}

static bool is_equal(const struct desk_config *a, const struct desk_config *b) {
	for (unsigned int t = 0; t < DESK_TABLES; t++)
		if (a->table[t].n != b->table[t].n ||
		    sum_table(&a->table[t], 0) != sum_table(&b->table[t], 0))
			return false;
	return true;
}

static void take_secret(struct fake_desk *d) {
	const struct desk_table *t = &d->config.table[DESK_GLOBAL];
	size_t at = find(t, SECRET_KEY);

	if (at < t->n)
		d->secret = t->object[at].value;
	memset(d->a.key, 0, sizeof(d->a.key));
	memcpy(d->a.key, &d->secret, sizeof(d->secret));
}

/* ---- administrators ---- */

static bool is_guarded(const struct fake_desk *d) {
	return d->a.enabled && d->a.group.synced && !d->a.primary;
}

bool fake_desk_put(struct fake_desk *d, unsigned int table, const char *key, uint32_t value) {
	struct desk_object o = { .value = value };

	if (is_guarded(d))
		return false;
	snprintf(o.key, sizeof(o.key), "%s", key);
	config_put(&d->config, table, &o);
	touch(add_commit(d), table, key);
	return true;
}

bool fake_desk_fill(struct fake_desk *d, unsigned int n, uint32_t padding) {
	struct desk_config before = { { { .n = 0 } } };
	struct desk_table *t = &d->config.table[DESK_POLICY];

	if (is_guarded(d))
		return false;
	config_copy(&before, &d->config);
	t->n = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct desk_object o = { .value = i, .padding = padding };

		snprintf(o.key, sizeof(o.key), "p%05u", i);
		insert(t, i, &o);
	}
	touch_all(add_commit(d), &before, &d->config);
	config_done(&before);
	return true;
}

bool fake_desk_delete(struct fake_desk *d, unsigned int table, const char *key) {
	if (is_guarded(d))
		return false;
	config_delete(&d->config, table, key);
	touch(add_commit(d), table, key);
	return true;
}

bool fake_desk_move(struct fake_desk *d, unsigned int table, const char *key, const char *after) {
	if (is_guarded(d) || !config_place(&d->config, table, key, after))
		return false;
	touch(add_commit(d), table, key);
	return true;
}

void fake_desk_set_local(struct fake_desk *d, uint64_t value) {
	d->local = value;
	add_commit(d);
}

void fake_desk_set_secret(struct fake_desk *d, uint32_t secret) {
	struct desk_object o = { .key = SECRET_KEY, .value = secret | DESK_SECRET };

	config_put(&d->config, DESK_GLOBAL, &o);
	touch(add_commit(d), DESK_GLOBAL, SECRET_KEY);
	take_secret(d);
}

void fake_desk_tamper(struct fake_desk *d, unsigned int table, const char *key, uint32_t value) {
	struct desk_object o = { .value = value };

	snprintf(o.key, sizeof(o.key), "%s", key);
	config_put(&d->config, table, &o);
}

bool fake_desk_set_role(struct fake_desk *d, bool primary, const union net_addr *primary_ip) {
	struct membership *g = &d->a.group;
	bool was = d->a.enabled && d->a.primary;

	if (primary && !was) {
		if (g->heard > 0 && !g->synced)
			return false;
		g->epoch = ++g->heard;
		g->synced = true;
		g->joined = false;
	} else if (!primary && was) {
		*g->primary = '\0';
		g->revision = 0;
	}
	d->a.enabled = true;
	d->a.primary = primary;
	if (!primary && primary_ip && primary_ip->word[0])
		d->a.primary_ip = *primary_ip;
	add_commit(d);
	return true;
}

void fake_desk_leave(struct fake_desk *d) {
	d->a.enabled = d->a.primary = false;
	d->a.group = (struct membership){ .n = 0 };
	add_commit(d);
}

/* ---- answers ---- */

static void send_frame(struct fake_desk *d, struct buf *b) {
	d->answer(d->arg, b);
	buf_done(b);
}

static void send_revision(struct fake_desk *d) {
	struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_SYNC_REVISION);
	buf_put_u64(&b, d->a.revision);
	send_frame(d, &b);
}

static void send_digest(struct fake_desk *d, const char *name, uint64_t sum) {
	unsigned char digest[DIGEST_LEN];
	struct buf b = BUF_INIT;

	spread(sum, digest);
	buf_put_u8(&b, CTL_SYNC_DIGEST);
	buf_put_str(&b, name);
	buf_put_bytes(&b, digest, sizeof(digest));
	send_frame(d, &b);
}

static int tables(struct fake_desk *d) {
	send_revision(d);
	for (unsigned int i = 0; i < DESK_TABLES; i++)
		if (d->config.table[i].n > 0)
			send_digest(d, names[i], sum_table(&d->config.table[i], d->secret));
	return 0;
}

static int list_index(struct fake_desk *d, struct buf_reader *r) {
	AUTO_FREE char *name = buf_get_str(r, 127);
	AUTO_FREE char *after = buf_get_str(r, 255);
	uint32_t left = buf_get_u32(r);
	unsigned int table = table_of(name);
	const struct desk_table *t = &d->config.table[table % DESK_TABLES];
	size_t at = *after ? find(t, after) + 1 : 0;

	send_revision(d);
	if (table == DESK_TABLES)
		return 0;
	if (at > t->n)
		return ERR_NOT_FOUND;
	for (; at < t->n && left > 0; at++, left--)
		send_digest(d, t->object[at].key, sum_object(&t->object[at], d->secret));
	return 0;
}

/* What is under a name, as an operation. */
static void put_operation(const struct fake_desk *d, unsigned int table, const char *key,
			  struct buf *b) {
	const struct desk_table *t = &d->config.table[table];
	size_t at = find(t, key);
	AUTO_FREE char *body = NULL;
	struct operation o = { .kind = OPERATION_DELETE, .table = (char *)names[table],
			       .key = (char *)key, .after = (char *)"" };

	if (at < t->n) {
		body = xasprintf("%u %u %*s", t->object[at].value, t->object[at].padding,
				 (int)t->object[at].padding, "");
		o.kind = OPERATION_PUT;
		o.placed = is_ordered(table);
		if (o.placed && at > 0)
			o.after = t->object[at - 1].key;
		o.body = body;
	}
	buf_put_u8(b, CTL_SYNC_OPERATION);
	operation_encode(b, &o);
}

static int read_objects(struct fake_desk *d, struct buf_reader *r) {
	uint16_t n = buf_get_u16(r);

	send_revision(d);
	for (uint16_t i = 0; i < n && !r->bad; i++) {
		AUTO_FREE char *name = buf_get_str(r, 127);
		AUTO_FREE char *key = buf_get_str(r, 255);
		struct buf b = BUF_INIT;

		if (table_of(name) == DESK_TABLES)
			return ERR_NOT_FOUND;
		put_operation(d, table_of(name), key, &b);
		send_frame(d, &b);
	}
	return r->bad ? ERR_PARSE : 0;
}

static const struct fake_desk *sorting;      /* for the function below only */

static int by_place(const void *a, const void *b) {
	const struct desk_touch *x = a, *y = b;
	const struct desk_table *t = &sorting->config.table[x->table];

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (strcmp(x->key, y->key) == 0)
		return 0;
	if (find(t, x->key) != find(t, y->key))
		return find(t, x->key) < find(t, y->key) ? -1 : 1;
	return strcmp(x->key, y->key);
}

static size_t gather(struct fake_desk *d, uint64_t since, struct desk_touch **ret) {
	size_t n = 0;

	for (unsigned int i = 0; i < d->n_commits; i++) {
		const struct desk_commit *c = &d->commit[i];

		if (c->revision <= since || c->n == 0)
			continue;
		*ret = xreallocarray(*ret, n + c->n, sizeof(**ret));
		memcpy(*ret + n, c->touch, c->n * sizeof(**ret));
		n += c->n;
	}
	sorting = d;
	if (n > 1)
		qsort(*ret, n, sizeof(**ret), by_place);
	return n;
}

static int changes(struct fake_desk *d, struct buf_reader *r) {
	uint64_t since = buf_get_u64(r);
	uint32_t max = buf_get_u32(r);
	struct desk_touch *all AUTO_FREE = NULL;
	AUTO_BUF struct buf origin = BUF_INIT;
	size_t n, bytes = 0;

	if (since > d->a.revision || since + d->n_commits < d->a.revision)
		return ERR_NOT_FOUND;
	n = gather(d, since, &all);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < n; i++) {
			struct buf b = BUF_INIT;

			if (i > 0 && by_place(&all[i - 1], &all[i]) == 0)
				continue;
			put_operation(d, all[i].table, all[i].key, &b);
			bytes += b.len;
			if (pass == 1)
				d->answer(d->arg, &b);
			buf_done(&b);
		}
		if (pass == 1)
			break;
		if (bytes > max)
			return ERR_TOO_LONG;
		send_revision(d);
		buf_put_u8(&origin, CTL_SYNC_ORIGIN);
		buf_put_str(&origin, "admin");
		buf_put_str(&origin, "console");
		buf_put_u64(&origin, 1);
		d->answer(d->arg, &origin);
	}
	return 0;
}

/* ---- what others have ---- */

static int begin(struct fake_desk *d) {
	if (d->open)
		return ERR_CONFLICT;
	d->open = true;
	d->began = d->a.revision;
	config_copy(&d->staged, &d->config);
	return 0;
}

static int stage_put(struct fake_desk *d, unsigned int table, const struct operation *o) {
	struct desk_object new = { .value = 0 };

	if (sscanf(o->body, "%u %u", &new.value, &new.padding) != 2)
		return ERR_PARSE;
	if (d->refuses && new.value == d->refuses)
		return ERR_VALUE;
	snprintf(new.key, sizeof(new.key), "%s", o->key);
	config_put(&d->staged, table, &new);
	return 0;
}

static int stage(struct fake_desk *d, struct buf_reader *r) {
	struct operation o;
	unsigned int table;
	int rc = 0;

	operation_decode(&o, r);
	table = table_of(o.table);
	if (r->bad || table == DESK_TABLES)
		rc = ERR_PARSE;
	else if (!d->open)
		rc = ERR_CONFLICT;
	else if (o.kind == OPERATION_DELETE)
		config_delete(&d->staged, table, o.key);
	else if (o.kind == OPERATION_PUT)
		rc = stage_put(d, table, &o);
	if (rc == 0 && o.kind != OPERATION_DELETE && o.placed && is_ordered(table) &&
	    !config_place(&d->staged, table, o.key, o.after))
		rc = ERR_NOT_FOUND;
	operation_done(&o);
	return rc;
}

static bool is_reached(const struct fake_desk *d, const struct digest_group *wanted) {
	static const struct digest_group none;
	struct digest_group now;

	if (memcmp(wanted, &none, sizeof(none)) == 0)
		return true;
	group_digests(&d->staged, d->secret, &now);
	return memcmp(wanted, &now, sizeof(now)) == 0;
}

static void make_active(struct fake_desk *d) {
	if (is_equal(&d->config, &d->staged))
		return;
	touch_all(add_commit(d), &d->config, &d->staged);
	config_copy(&d->config, &d->staged);
	take_secret(d);
}

/* What is here now, and the others have only up to a revision. */
static void add_name(struct fake_desk *d, uint64_t told) {
	ck_assert_uint_lt(d->n_names, DESK_NAMES);
	d->name[d->n_names++] = (struct desk_name){ told, d->a.revision };
}

static int commit(struct fake_desk *d, struct buf_reader *r) {
	AUTO_FREE char *serial = buf_get_str(r, MEMBER_SERIAL - 1);
	uint64_t epoch = buf_get_u64(r), revision = buf_get_u64(r);
	struct membership *g = &d->a.group;
	struct digest_group wanted;
	bool open = d->open;

	buf_get_bytes(r, &wanted, sizeof(wanted));
	d->open = false;
	if (!open || r->bad || !d->a.enabled || d->a.primary || epoch < g->epoch ||
	    d->began != d->a.revision || !is_reached(d, &wanted))
		return ERR_CONFLICT;
	if (d->fails > 0) {
		d->fails--;
		return ERR_STORE;
	}
	if (!g->synced && !is_equal(&d->config, &d->staged))
		add_name(d, 0);
	make_active(d);
	g->epoch = epoch;
	g->heard = g->heard > epoch ? g->heard : epoch;
	g->synced = true;
	g->joined = false;
	g->revision = revision;
	snprintf(g->primary, sizeof(g->primary), "%s", serial);
	if (d->committed)
		d->committed(d->arg, serial, epoch, revision);
	return 0;
}

/* A configuration of its own is named where others will have to do without a part of it. */
static int order(struct fake_desk *d, struct buf_reader *r) {
	struct membership *g = &d->a.group;
	uint8_t primary = buf_get_u8(r);
	union net_addr ip = { .half = { 0 } };
	uint64_t heard, told;
	bool own = d->a.primary || !*g->primary;

	buf_get_bytes(r, ip.byte, 4);
	heard = buf_get_u64(r);
	told = buf_get_u64(r);
	free(buf_get_str(r, 1000));
	if (!buf_reader_end(r) || !d->a.enabled)
		return ERR_CONFLICT;
	g->heard = heard > g->heard ? heard : g->heard;
	if (!primary && own && told < d->a.revision)
		add_name(d, told);
	return fake_desk_set_role(d, primary, &ip) ? 0 : ERR_CONFLICT;
}

static int members(struct fake_desk *d, struct buf_reader *r) {
	AUTO_FREE char *text = buf_get_str(r, MEMBERSHIP_TEXT_MAX);
	struct membership *now AUTO_FREE = xcalloc(1, sizeof(*now));
	struct membership *g = &d->a.group;
	struct err err = { 0 };

	ck_assert_msg(buf_reader_end(r) && membership_parse(now, text, &err) == 0, "%s", err.text);
	g->heard = now->heard > g->heard ? now->heard : g->heard;
	g->joined |= now->joined && now->epoch == g->epoch && d->a.enabled && d->a.primary;
	g->n = now->n;
	memcpy(g->member, now->member, sizeof(g->member));
	return 0;
}

static int answer(struct fake_desk *d, uint8_t type, struct buf_reader *r) {
	switch (type) {
	case CTL_SYNC_TABLES:
		return tables(d);
	case CTL_SYNC_INDEX:
		return list_index(d, r);
	case CTL_SYNC_CHANGES:
		return changes(d, r);
	case CTL_SYNC_READ:
		return read_objects(d, r);
	case CTL_SYNC_BEGIN:
		return begin(d);
	case CTL_SYNC_STAGE:
		return stage(d, r);
	case CTL_SYNC_COMMIT:
		return commit(d, r);
	case CTL_SYNC_ROLE:
		return order(d, r);
	case CTL_SYNC_MEMBERS:
		return members(d, r);
	case CTL_ABORT:
		d->open = false;
		return 0;
	default:
		return ERR_PARSE;
	}
}

void fake_desk_request(struct fake_desk *d, const struct buf *request) {
	struct buf_reader r;
	struct buf b = BUF_INIT;
	int rc;

	if (d->deaf)
		return;
	buf_reader_init(&r, request->data, request->len);
	rc = answer(d, buf_get_u8(&r), &r);
	buf_put_u8(&b, rc == 0 ? CTL_OK : CTL_ERROR);
	if (rc != 0)
		buf_put_u32(&b, (uint32_t)rc);
	buf_put_str(&b, rc == 0 ? "host" : rc == ERR_VALUE ? "no such value\nin this table" :
								 err_meaning(rc));
	send_frame(d, &b);
}

/* ---- the whole ---- */

void fake_desk_init(struct fake_desk *d, const char *serial) {
	*d = (struct fake_desk){ .history_max = 1000 };
	snprintf(d->a.serial, sizeof(d->a.serial), "%s", serial);
	snprintf(d->a.vmid, sizeof(d->a.vmid), "vm-%s", serial);
	snprintf(d->a.hostname, sizeof(d->a.hostname), "host of %s", serial);
	d->a.has_key = true;
	d->a.hb_interval_s = 10;
	d->a.revision = 1;
	fake_desk_set_secret(d, 1);
}

void fake_desk_done(struct fake_desk *d) {
	forget_commits(d, 0);
	free(d->commit);
	config_done(&d->config);
	config_done(&d->staged);
}

void fake_desk_restart(struct fake_desk *d) {
	d->open = false;
}

void fake_desk_state(const struct fake_desk *d, struct autoscale *ret) {
	*ret = d->a;
	group_digests(&d->config, d->secret, &ret->active);
	group_digests(d->open ? &d->staged : &d->config, d->secret, &ret->staged);
}
