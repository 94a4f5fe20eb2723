/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers for chains and sets, found by name through two hash tables that grow with them.
 *
 * Names and origins sit in blocks that are freed with the ruleset: tens of thousands of small
 * strings cost a few allocations. A name is stored once, so rules and elements share it. Keys of
 * elements are kept as the kernel holds them (network byte order except for marks, each field
 * padded to four bytes); comparing keys of one number bytewise is then comparing the numbers.
 */
#include "backends/ruleset.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define BLOCK_SIZE (64u << 10)
#define BUCKETS_MIN 256u

struct block {
	struct block *next;
	size_t used, size;
	char data[];
};

struct name {
	struct name *bucket;
	uint32_t hash;
	char text[];
};

struct ruleset_store {
	struct block *blocks;
	struct name **names;
	struct chain **chains, **last_chain;
	struct set **sets, **last_set;
	struct ct_object *objects[BUCKETS_MIN], **last_object; /* they are few */
	uint32_t n_names, names_size, chains_size, sets_size;
	uint32_t owners;
	const struct object *origin_of;     /* the object asked for last, and its origin */
	const struct origin *origin;
};

static uint32_t hash_bytes(uint32_t h, const void *data, size_t n) {
	const unsigned char *p = data;

	while (n-- > 0)
		h = (h ^ *p++) * 16777619u;
	return h;
}

static uint32_t hash_text(const char *s) {
	return hash_bytes(2166136261u, s, strlen(s));
}

static void *store_alloc(struct ruleset_store *st, size_t n) {
	struct block *b = st->blocks;

	n = (n + 7) & ~(size_t)7;
	if (!b || b->size - b->used < n) {
		size_t size = n > BLOCK_SIZE ? n : BLOCK_SIZE;

		b = xcalloc(1, sizeof(*b) + size);
		b->size = size;
		b->next = st->blocks;
		st->blocks = b;
	}
	b->used += n;
	return b->data + b->used - n;
}

struct ruleset *ruleset_new(void) {
	struct ruleset *rs = xcalloc(1, sizeof(*rs));
	struct ruleset_store *st = xcalloc(1, sizeof(*st));

	st->names_size = st->chains_size = st->sets_size = BUCKETS_MIN;
	st->names = xcalloc(st->names_size, sizeof(struct name *));
	st->chains = xcalloc(st->chains_size, sizeof(struct chain *));
	st->sets = xcalloc(st->sets_size, sizeof(struct set *));
	st->last_chain = &rs->chains;
	st->last_set = &rs->sets;
	st->owners = 1;
	st->last_object = &rs->objects;
	rs->store = st;
	rs->kept.marks = (struct set){ .name = "kept",
				       .field = { FIELD_CT_MARK },
				       .n_fields = 1,
				       .data = DATA_MARK,
				       .key_len = (uint16_t)field_key_len(FIELD_CT_MARK),
				       .sorted = true };
	return rs;
}

struct ruleset *ruleset_hold(struct ruleset *rs) {
	if (rs)
		rs->store->owners++;
	return rs;
}

static void store_free(struct ruleset_store *st) {
	for (struct block *b = st->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(st->names);
	free(st->chains);
	free(st->sets);
	free(st);
}

struct ruleset *ruleset_free(struct ruleset *rs) {
	if (!rs || --rs->store->owners > 0)
		return NULL;
	for (struct chain *c = rs->chains, *next; c; c = next) {
		next = c->next;
		free(c->stmts);
		free(c->rules);
		free(c);
	}
	for (struct set *s = rs->sets, *next; s; s = next) {
		next = s->next;
		free(s->elems);
		free(s);
	}
	free(rs->kept.marks.elems);
	store_free(rs->store);
	free(rs);
	return NULL;
}

static void names_grow(struct ruleset_store *st) {
	uint32_t size = st->names_size * 4;
	struct name **table = xcalloc(size, sizeof(struct name *));

	for (uint32_t i = 0; i < st->names_size; i++)
		for (struct name *n = st->names[i], *next; n; n = next) {
			next = n->bucket;
			n->bucket = table[n->hash & (size - 1)];
			table[n->hash & (size - 1)] = n;
		}
	free(st->names);
	st->names = table;
	st->names_size = size;
}

const char *ruleset_name(struct ruleset *rs, const char *name) {
	struct ruleset_store *st = rs->store;
	uint32_t hash = hash_text(name);
	struct name *n = st->names[hash & (st->names_size - 1)];
	size_t len = strlen(name) + 1;

	for (; n; n = n->bucket)
		if (n->hash == hash && strcmp(n->text, name) == 0)
			return n->text;
	if (++st->n_names > st->names_size)
		names_grow(st);
	n = store_alloc(st, sizeof(*n) + len);
	n->hash = hash;
	memcpy(n->text, name, len);
	n->bucket = st->names[hash & (st->names_size - 1)];
	st->names[hash & (st->names_size - 1)] = n;
	return n->text;
}

const char *ruleset_namef(struct ruleset *rs, const char *fmt, ...) {
	char text[32];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return ruleset_name(rs, text);
}

const struct origin *ruleset_origin(struct ruleset *rs, const struct object *obj) {
	struct ruleset_store *st = rs->store;
	struct origin *o;

	if (!obj || obj == st->origin_of)
		return obj ? st->origin : NULL;
	o = store_alloc(st, sizeof(*o) + strlen(obj->key) + 1);
	o->table = obj->table;
	memcpy(o->key, obj->key, strlen(obj->key) + 1);
	st->origin_of = obj;
	st->origin = o;
	return o;
}

static void chains_grow(struct ruleset *rs) {
	struct ruleset_store *st = rs->store;

	st->chains_size *= 4;
	free(st->chains);
	st->chains = xcalloc(st->chains_size, sizeof(struct chain *));
	for (struct chain *c = rs->chains; c; c = c->next) {
		uint32_t i = hash_text(c->name) & (st->chains_size - 1);

		c->bucket = st->chains[i];
		st->chains[i] = c;
	}
}

struct chain *ruleset_add_chain(struct ruleset *rs, const char *name) {
	struct ruleset_store *st = rs->store;
	struct chain *c = xcalloc(1, sizeof(*c));
	uint32_t i;

	c->name = ruleset_name(rs, name);
	if (++rs->n_chains > st->chains_size)
		chains_grow(rs);
	i = hash_text(c->name) & (st->chains_size - 1);
	c->bucket = st->chains[i];
	st->chains[i] = c;
	*st->last_chain = c;
	st->last_chain = &c->next;
	return c;
}

struct chain *ruleset_add_base(struct ruleset *rs, const char *name, enum chain_type type,
			       enum chain_hook hook, int32_t priority) {
	struct chain *c = ruleset_add_chain(rs, name);

	c->type = type;
	c->hook = hook;
	c->priority = priority;
	return c;
}

struct chain *ruleset_chain(const struct ruleset *rs, const char *name) {
	struct chain *c = rs->store->chains[hash_text(name) & (rs->store->chains_size - 1)];

	while (c && strcmp(c->name, name) != 0)
		c = c->bucket;
	return c;
}

const struct ct_object *ruleset_add_object(struct ruleset *rs, const struct ct_object *object) {
	struct ruleset_store *st = rs->store;
	struct ct_object *o = store_alloc(st, sizeof(*o));
	uint32_t i = hash_text(object->name) & (BUCKETS_MIN - 1);

	*o = *object;
	o->next = NULL;
	o->bucket = st->objects[i];
	st->objects[i] = o;
	*st->last_object = o;
	st->last_object = &o->next;
	rs->n_objects++;
	return o;
}

void ruleset_keep_timeouts(struct ruleset *rs, const struct ruleset *from, uint32_t most) {
	for (const struct ct_object *o = from->objects; o && most > 0; o = o->next) {
		struct ct_object copy = *o;

		if (o->kind != CT_TIMEOUT || ruleset_object(rs, o->name))
			continue;
		copy.name = ruleset_name(rs, o->name);
		copy.origin = NULL;
		copy.kept = true;
		ruleset_add_object(rs, &copy);
		most--;
	}
}

const struct ct_object *ruleset_object(const struct ruleset *rs, const char *name) {
	const struct ct_object *o = rs->store->objects[hash_text(name) & (BUCKETS_MIN - 1)];

	while (o && strcmp(o->name, name) != 0)
		o = o->bucket;
	return o;
}

unsigned int field_key_len(enum rule_field f) {
	return f == FIELD_IIFNAME || f == FIELD_OIFNAME ? IFNAMSIZ : 4;
}

static void sets_grow(struct ruleset *rs) {
	struct ruleset_store *st = rs->store;

	st->sets_size *= 4;
	free(st->sets);
	st->sets = xcalloc(st->sets_size, sizeof(struct set *));
	for (struct set *s = rs->sets; s; s = s->next) {
		uint32_t i = hash_text(s->name) & (st->sets_size - 1);

		s->bucket = st->sets[i];
		st->sets[i] = s;
	}
}

struct set *ruleset_add_set(struct ruleset *rs, const char *name, enum set_data data,
			    unsigned int flags, enum rule_field f1, enum rule_field f2,
			    enum rule_field f3, enum rule_field f4) {
	const enum rule_field fields[RULESET_FIELDS_MAX] = { f1, f2, f3, f4 };
	struct ruleset_store *st = rs->store;
	struct set *s = xcalloc(1, sizeof(*s));
	uint32_t i;

	s->name = ruleset_name(rs, name);
	s->data = (uint8_t)data;
	s->flags = (uint8_t)flags;
	for (; s->n_fields < RULESET_FIELDS_MAX && fields[s->n_fields] != FIELD_NONE;
	     s->n_fields++) {
		s->field[s->n_fields] = (uint8_t)fields[s->n_fields];
		s->key_len = (uint16_t)(s->key_len + field_key_len(fields[s->n_fields]));
	}
	if (++rs->n_sets > st->sets_size)
		sets_grow(rs);
	i = hash_text(s->name) & (st->sets_size - 1);
	s->bucket = st->sets[i];
	st->sets[i] = s;
	*st->last_set = s;
	st->last_set = &s->next;
	return s;
}

struct set *ruleset_set(const struct ruleset *rs, const char *name) {
	struct set *s = rs->store->sets[hash_text(name) & (rs->store->sets_size - 1)];

	while (s && strcmp(s->name, name) != 0)
		s = s->bucket;
	return s;
}

void chain_rule(struct chain *c) {
	if (c->n_rules == c->rules_size) {
		c->rules_size = c->rules_size ? c->rules_size * 2 : 4;
		c->rules = xreallocarray(c->rules, c->rules_size, sizeof(*c->rules));
	}
	c->rules[c->n_rules++] = (struct rule){ .first = c->n_stmts, .origin = c->origin };
}

static struct stmt *chain_add(struct chain *c) {
	if (c->n_stmts == c->stmts_size) {
		c->stmts_size = c->stmts_size ? c->stmts_size * 2 : 8;
		c->stmts = xreallocarray(c->stmts, c->stmts_size, sizeof(*c->stmts));
	}
	c->rules[c->n_rules - 1].n++;
	c->stmts[c->n_stmts] = (struct stmt){ .op = 0 };
	return &c->stmts[c->n_stmts++];
}

void chain_stmt(struct chain *c, enum stmt_op op, enum rule_field f, uint32_t a, uint32_t b,
		const char *name) {
	struct stmt *s = chain_add(c);

	s->op = (uint8_t)op;
	s->field[0] = (uint8_t)f;
	s->a = a;
	s->b = b;
	s->name = name;
}

void chain_lookup(struct chain *c, enum stmt_op op, const char *set, enum rule_field f1,
		  enum rule_field f2, enum rule_field f3, enum rule_field f4) {
	struct stmt *s = chain_add(c);

	s->op = (uint8_t)op;
	s->name = set;
	s->field[0] = (uint8_t)f1;
	s->field[1] = (uint8_t)f2;
	s->field[2] = (uint8_t)f3;
	s->field[3] = (uint8_t)f4;
}

void key_num(struct key *k, enum rule_field f, uint32_t value) {
	unsigned char *p = k->bytes + k->len;

	memset(p, 0, 4);
	switch (f) {
	case FIELD_SADDR:
	case FIELD_DADDR:
		value = htonl(value);
		memcpy(p, &value, 4);
		break;
	case FIELD_SPORT:
	case FIELD_DPORT:
		p[0] = (unsigned char)(value >> 8);
		p[1] = (unsigned char)value;
		break;
	case FIELD_L4PROTO:
		p[0] = (unsigned char)value;
		break;
	default:
		memcpy(p, &value, 4);
		break;
	}
	k->len += 4;
}

void key_ifname(struct key *k, const char *name) {
	memset(k->bytes + k->len, 0, IFNAMSIZ);
	memcpy(k->bytes + k->len, name, strnlen(name, IFNAMSIZ - 1));
	k->len += IFNAMSIZ;
}

uint32_t key_value(const struct set *set, const unsigned char *key) {
	uint32_t v;

	memcpy(&v, key, 4);
	switch (set->field[0]) {
	case FIELD_SADDR:
	case FIELD_DADDR:
		return ntohl(v);
	case FIELD_SPORT:
	case FIELD_DPORT:
		return (uint32_t)key[0] << 8 | key[1];
	case FIELD_L4PROTO:
		return key[0];
	default:
		return v;
	}
}

struct elem *set_add(struct ruleset *rs, struct set *set, const struct key *key) {
	unsigned char *bytes = store_alloc(rs->store, set->key_len);

	if (set->n_elems == set->elems_size) {
		set->elems_size = set->elems_size ? set->elems_size * 2 : 8;
		set->elems = xreallocarray(set->elems, set->elems_size, sizeof(*set->elems));
	}
	memcpy(bytes, key->bytes, set->key_len);
	set->elems[set->n_elems] = (struct elem){ .key = bytes, .order = set->n_elems };
	set->sorted = false;
	return &set->elems[set->n_elems++];
}

static int elem_order(const void *a, const void *b, void *len) {
	const struct elem *x = a, *y = b;
	int order = memcmp(x->key, y->key, *(size_t *)len);

	if (order == 0)
		order = x->order < y->order ? -1 : x->order > y->order;
	return order;
}

static void set_sort(struct set *set) {
	size_t len = set->key_len;
	uint32_t n = 0;
	bool ordered = true;

	for (uint32_t i = 1; i < set->n_elems && ordered; i++)
		ordered = memcmp(set->elems[i - 1].key, set->elems[i].key, len) < 0;
	set->sorted = true;
	if (ordered)
		return;
	qsort_r(set->elems, set->n_elems, sizeof(*set->elems), elem_order, &len);
	for (uint32_t i = 0; i < set->n_elems; i++)
		if (n == 0 || memcmp(set->elems[n - 1].key, set->elems[i].key, len) != 0)
			set->elems[n++] = set->elems[i];
	set->n_elems = n;
}

void ruleset_sort(struct ruleset *rs) {
	for (struct set *s = rs->sets; s; s = s->next)
		if (!s->sorted)
			set_sort(s);
	if (!rs->kept.marks.sorted)
		set_sort(&rs->kept.marks);
}

const struct elem *set_find(const struct set *set, const unsigned char *key) {
	uint32_t lo = 0, hi = set->n_elems;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (memcmp(set->elems[mid].key, key, set->key_len) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return NULL;
	if (set->flags & SET_INTERVAL)
		return key_value(set, key) <= set->elems[lo - 1].last ? &set->elems[lo - 1] : NULL;
	return memcmp(set->elems[lo - 1].key, key, set->key_len) == 0 ? &set->elems[lo - 1] : NULL;
}

void ruleset_keep(struct ruleset *rs, uint32_t mark, unsigned int why) {
	struct key k = KEY_INIT;

	key_num(&k, FIELD_CT_MARK, mark);
	set_add(rs, &rs->kept.marks, &k)->a = why;
}

bool ruleset_keeps(const struct ruleset *rs, uint32_t mark) {
	const struct elem *e;
	struct key k = KEY_INIT;

	key_num(&k, FIELD_CT_MARK, mark);
	e = set_find(&rs->kept.marks, k.bytes);
	return e ? (e->a & (KEEP_SET | KEEP_OVER)) != 0 : rs->kept.others;
}

static bool name_equal(const char *a, const char *b) {
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool elem_equal(const struct set *set, const struct elem *a, const struct elem *b) {
	return memcmp(a->key, b->key, set->key_len) == 0 && a->last == b->last &&
	       a->verdict == b->verdict && a->a == b->a && a->port == b->port &&
	       name_equal(a->chain, b->chain);
}

bool chain_equal(const struct chain *a, const struct chain *b) {
	if (a->type != b->type || a->hook != b->hook || a->priority != b->priority ||
	    a->n_stmts != b->n_stmts || a->n_rules != b->n_rules)
		return false;
	for (uint32_t i = 0; i < a->n_rules; i++)
		if (a->rules[i].n != b->rules[i].n)
			return false;
	for (uint32_t i = 0; i < a->n_stmts; i++) {
		const struct stmt *x = &a->stmts[i], *y = &b->stmts[i];

		if (x->op != y->op || memcmp(x->field, y->field, sizeof(x->field)) != 0 ||
		    x->a != y->a || x->b != y->b || !name_equal(x->name, y->name))
			return false;
	}
	return true;
}

bool ct_object_equal(const struct ct_object *a, const struct ct_object *b) {
	return a->kind == b->kind && a->l4proto == b->l4proto &&
	       memcmp(a->seconds, b->seconds, sizeof(a->seconds)) == 0 &&
	       name_equal(a->helper, b->helper);
}

static uint32_t hash_name(uint32_t h, const char *name) {
	return name ? hash_bytes(h, name, strlen(name) + 1) : h;
}

static uint32_t chain_hash(const struct chain *c) {
	uint32_t h = hash_text(c->name);
	const int32_t base[] = { (int32_t)c->type, (int32_t)c->hook, c->priority };

	h = hash_bytes(h, base, sizeof(base));
	for (uint32_t i = 0; i < c->n_rules; i++)
		h = hash_bytes(h, &c->rules[i].n, sizeof(c->rules[i].n));
	for (uint32_t i = 0; i < c->n_stmts; i++) {
		const struct stmt *s = &c->stmts[i];
		const uint32_t numbers[] = { s->op, s->a, s->b };

		h = hash_bytes(h, numbers, sizeof(numbers));
		h = hash_bytes(h, s->field, sizeof(s->field));
		h = hash_name(h, s->name);
	}
	return h;
}

static uint32_t set_hash(const struct set *s) {
	uint32_t h = hash_text(s->name);
	const uint8_t kind[] = { s->data, s->flags, s->n_fields };

	h = hash_bytes(h, kind, sizeof(kind));
	h = hash_bytes(h, s->field, sizeof(s->field));
	for (uint32_t i = 0; i < s->n_elems; i++) {
		const struct elem *e = &s->elems[i];
		const uint32_t data[] = { e->last, e->verdict, e->a, e->port };

		h = hash_bytes(h, e->key, s->key_len);
		h = hash_name(hash_bytes(h, data, sizeof(data)), e->chain);
	}
	return h;
}

static uint32_t object_hash(const struct ct_object *o) {
	const uint8_t kind[] = { o->kind, o->l4proto };
	uint32_t h = hash_bytes(hash_text(o->name), kind, sizeof(kind));

	return hash_name(hash_bytes(h, o->seconds, sizeof(o->seconds)), o->helper);
}

/* The sum does not depend on the order in which its parts were made. */
uint32_t ruleset_hash(const struct ruleset *rs) {
	uint32_t sum = 0;

	for (const struct chain *c = rs->chains; c; c = c->next)
		sum += chain_hash(c) * 2654435761u;
	for (const struct set *s = rs->sets; s; s = s->next)
		sum += set_hash(s) * 2246822519u;
	for (const struct ct_object *o = rs->objects; o; o = o->next)
		sum += o->kept ? 0 : object_hash(o) * 3266489917u;
	return sum;
}
