/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values are drawn as the words an administrator would type and read by the parser of the product,
 * so a random object holds only what could have been typed. An attribute with conditions is drawn
 * in a later pass, when those it depends on are known.
 */
#include "tests/lib/random_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/value_type.h"
#include "schemas/schema_gen.h"

#define ITEMS_MAX 6
#define PASSES	  5

static int64_t rng_between(struct rng *r, int64_t lo, int64_t hi) {
	uint64_t span = (uint64_t)hi - (uint64_t)lo;

	if (rng_chance(r, 20))
		return rng_chance(r, 50) ? lo : hi;
	return (int64_t)((uint64_t)lo +
			 (span == UINT64_MAX ? rng_next(r) : rng_next(r) % (span + 1)));
}

/* ---- text ---- */

static const char *random_piece(struct rng *r, bool for_key) {
	static const char *const plain[] = { "a",
					     "b",
					     "Z",
					     "0",
					     "9",
					     "-",
					     "_",
					     ".",
					     " ",
					     "x1",
					     "\\",
					     "#",
					     "&",
					     ",",
					     "(",
					     ")",
					     "?",
					     "/",
					     ":",
					     "*",
					     "\xc3\xa4",
					     "\xe2\x82\xac",
					     "\xf0\x9f\x94\xa5",
					     "set ",
					     "end" };
	static const char *const wild[] = { "\"", "'", "\n",	   "\t",      "\\\\",
					    "<",  ">", "\nnext\n", "\nend\n", "''" };

	if (!for_key && rng_chance(r, 25))
		return wild[rng_below(r, ARRAY_LEN(wild))];
	return plain[rng_below(r, ARRAY_LEN(plain))];
}

static char *random_pieces(struct rng *r, size_t max, bool for_key) {
	char *text = xcalloc(max + 1, 1);
	size_t len = 0,
	       want = rng_chance(r, 10) ? max : rng_below(r, max < 24 ? (uint32_t)max + 1 : 25);

	while (len < want) {
		const char *piece = random_piece(r, for_key);

		if (len + strlen(piece) > max)
			piece = "y";
		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	return text;
}

char *random_text(struct rng *r, size_t max) {
	return random_pieces(r, max, false);
}

/* ---- words of one item ---- */

static char *random_ip(struct rng *r) {
	uint32_t ip = (uint32_t)rng_next(r), first = 1 + (ip >> 24) % 223;

	return xasprintf("%u.%u.%u.%u", first == 127 ? 10 : first, ip >> 16 & 255, ip >> 8 & 255,
			 ip & 255);
}

static char *random_ip_range(struct rng *r) {
	uint32_t lo = (uint32_t)rng_next(r) % 0xdf000000u, hi = lo + rng_below(r, 70000);

	if (rng_chance(r, 30))
		return random_ip(r);
	return xasprintf("%u.%u.%u.%u-%u.%u.%u.%u", lo >> 24, lo >> 16 & 255, lo >> 8 & 255,
			 lo & 255, hi >> 24, hi >> 16 & 255, hi >> 8 & 255, hi & 255);
}

static char *random_ip_len(struct rng *r) {
	char *ip = random_ip(r);
	char *both = xasprintf("%s/%u", ip, rng_below(r, 33));

	free(ip);
	return both;
}

static char *random_ip6(struct rng *r, bool prefix) {
	uint64_t hi = rng_next(r), lo = rng_chance(r, 50) ? rng_below(r, 9) : rng_next(r);
	char len[8] = "";

	if (prefix)
		snprintf(len, sizeof(len), "/%u", rng_below(r, 129));
	return xasprintf("%x:%x:%x:%x:%x:%x:%x:%x%s", (unsigned int)(hi >> 48),
			 (unsigned int)(hi >> 32 & 0xffff), (unsigned int)(hi >> 16 & 0xffff),
			 (unsigned int)(hi & 0xffff), (unsigned int)(lo >> 48),
			 (unsigned int)(lo >> 32 & 0xffff), (unsigned int)(lo >> 16 & 0xffff),
			 (unsigned int)(lo & 0xffff), len);
}

static char *random_ports(struct rng *r) {
	uint32_t lo = rng_below(r, 65536);

	if (rng_chance(r, 50))
		return xasprintf("%u", lo);
	return xasprintf("%u-%u", lo, lo + rng_below(r, 65536 - lo));
}

static char *random_service_ports(struct rng *r) {
	char *dst = random_ports(r), *src, *both;

	if (rng_chance(r, 60))
		return dst;
	src = random_ports(r);
	both = xasprintf("%s:%s", dst, src);
	free(dst);
	free(src);
	return both;
}

static char *random_hex(struct rng *r, const char *form) {
	char *text = xstrdup(form);

	for (char *p = text; *p; p++)
		if (*p == 'x')
			*p = "0123456789abcdef"[rng_below(r, 16)];
	return text;
}

static char *random_domain(struct rng *r) {
	char *text = random_hex(r, rng_chance(r, 50) ? "xx-x.xxx.example" : "x_x.xx");

	if (rng_chance(r, 20))
		*text = '\0';
	return text;
}

static char *random_time(struct rng *r) {
	return xasprintf("%02u:%02u", rng_below(r, 24), rng_below(r, 60));
}

static char *random_ref(struct rng *r, const struct schema_attr *attr, random_name_fn *name,
			void *arg) {
	const char *given;
	char *text;

	if (!name) {
		do
			text = random_pieces(r, 35, true);
		while (!*text && (free(text), true));
		return text;
	}
	given = name(arg, r, attr);
	return given ? xstrdup(given) : NULL;
}

/* The first word of an item; NULL when there is no name for a reference. */
static char *random_word(struct rng *r, const struct schema_attr *attr, random_name_fn *name,
			 void *arg) {
	size_t max = attr->max > 0 && attr->max < 300 ? (size_t)attr->max : 300;

	if (attr->n_options > 0)
		return xstrdup(attr->options[rng_below(r, attr->n_options)].name);
	switch (attr->type) {
	case ATTR_INTEGER:
		return xasprintf("%lld", (long long)rng_between(r, attr->min, attr->max));
	case ATTR_STRING:
		return random_pieces(r, max, (attr->flags & ATTR_KEY) != 0);
	case ATTR_FQDN:
		return random_domain(r);
	case ATTR_REF:
		return random_ref(r, attr, name, arg);
	case ATTR_IPV4:
		return random_ip(r);
	case ATTR_IPV4_HOST:
	case ATTR_IPV4_NET:
		return random_ip_len(r);
	case ATTR_IPV4_RANGE:
		return random_ip_range(r);
	case ATTR_IPV6:
		return random_ip6(r, false);
	case ATTR_IPV6_PREFIX:
		return random_ip6(r, true);
	case ATTR_PORT_RANGE:
		return random_ports(r);
	case ATTR_SERVICE_PORTS:
		return random_service_ports(r);
	case ATTR_MAC:
		return random_hex(r, "xx:xx:xx:xx:xx:xx");
	case ATTR_UUID:
		return random_hex(r, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
	case ATTR_TIME:
	case ATTR_DATETIME:
		return random_time(r);
	case ATTR_PASSWORD:
	case ATTR_PASSWORD_HASH:
		return random_pieces(r, 64, false);
	default:
		abort();
	}
}

struct value random_value(struct rng *r, const struct schema_attr *attr, random_name_fn *name,
			  void *arg) {
	char *words[2 * ITEMS_MAX];
	size_t n = 0, items = attr->flags & ATTR_MULTI ? 1 + rng_below(r, ITEMS_MAX) : 1;
	struct value v = { 0 };
	struct err err = { 0 };

	for (size_t i = 0; i < items; i++) {
		char *word = random_word(r, attr, name, arg);

		if (!word)
			break;
		words[n++] = word;
		if (attr->type == ATTR_DATETIME)
			words[n++] = xasprintf("%04u/%02u/%02u", 1970 + rng_below(r, 130),
					       1 + rng_below(r, 12), 1 + rng_below(r, 28));
	}
	if (n > 0 && value_parse(attr, words, n, &v, &err) != 0) {
		fprintf(stderr, "random value of %s refused: %s\n", attr->name, err.text);
		abort();
	}
	for (size_t i = 0; i < n; i++)
		free(words[i]);
	return v;
}

char *random_key(struct rng *r, const struct schema_table *table) {
	for (;;) {
		char *word = random_word(r, &table->attrs[0], NULL, NULL), *key = NULL;
		int rc = object_key_parse(table, word, &key, NULL);

		free(word);
		if (rc == 0)
			return key;
	}
}

/* ---- objects ---- */

static void random_child(struct rng *r, struct object *obj, unsigned int attr, unsigned int percent,
			 random_name_fn *name, void *arg) {
	const struct schema_table *child = obj->table->attrs[attr].child;
	uint32_t most = child->max_entries && child->max_entries < 4 ? child->max_entries : 4;
	struct value v = { 0 };

	if (!schema_is_list(child)) {
		value_add_item(&v, (union item){ .entry = random_object(r, child, "", percent, name,
									arg) });
		object_set(obj, attr, v);
		return;
	}
	for (uint32_t n = 1 + rng_below(r, most); n > 0; n--) {
		char *key = random_key(r, child);

		object_child_put(obj, attr, random_object(r, child, key, percent, name, arg));
		free(key);
	}
}

static void random_attr(struct rng *r, struct object *obj, unsigned int attr, unsigned int percent,
			random_name_fn *name, void *arg) {
	const struct schema_attr *a = &obj->table->attrs[attr];

	if (a->flags & ATTR_KEY || object_get(obj, attr))
		return;
	if (obj->table->id == TBL_SYSTEM_GLOBAL && attr == SYSTEM_GLOBAL__PRIVATE_DATA_ENCRYPTION)
		return; /* refused without a key */
	if (!(a->flags & ATTR_REQUIRED) && !rng_chance(r, percent))
		return;
	if (a->type == ATTR_CHILD)
		random_child(r, obj, attr, percent, name, arg);
	else
		object_set(obj, attr, random_value(r, a, name, arg));
}

struct object *random_object(struct rng *r, const struct schema_table *table, const char *key,
			     unsigned int percent, random_name_fn *name, void *arg) {
	struct object *obj = object_new(table, key);

	for (int pass = 0; pass < PASSES; pass++)
		for (unsigned int i = 0; i < table->n_attrs; i++)
			if ((pass == 0) == (table->attrs[i].n_conds == 0) && object_has(obj, i))
				random_attr(r, obj, i, percent, name, arg);
	object_normalize(obj);
	return obj;
}
