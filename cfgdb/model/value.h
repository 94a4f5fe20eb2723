/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Typed values of attributes: parsed once at the edge, printed in one canonical form.
 *
 * A value is a list of items; most hold exactly one. An attribute that is not set has no value at
 * all (its default is value_default()).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"
#include "cfgdb/model/schema.h"

struct object;

#define VALUE_ITEMS_MAX 4096      /* items in one value */
#define VALUE_STRING_MAX 65536    /* bytes in one string */
#define VALUE_SEALED_MAX 4096     /* bytes of a sealed secret */
#define VALUE_SECRET_MAX (VALUE_SEALED_MAX + 4) /* the same with "ENC " before it */
#define VALUE_NEVER (-1)          /* the word `never` as the number of an integer */

/* IPv4, host byte order: address and mask, or first and last address of a range. */
struct ipv4_pair {
	uint32_t a, b;
};

/* Ports of a service: destination and source range; a source of 0..65535 means any. */
struct port_spec {
	uint16_t dst_lo, dst_hi, src_lo, src_hi;
};

/*
 * num:   option (index), integer, time (minutes of the day), datetime (decimal yyyymmddhhmm)
 * str:   string, fqdn, ref, ipv6*, mac, uuid: canonical text; password*: "ENC ..." sealed,
 *        "=..." plain
 * ip:    ipv4 (in a), ipv4-host, ipv4-net, ipv4-range
 * ports: port-range (dst_lo, dst_hi), service-ports
 * entry: child (an object of the child table; a child object has exactly one item)
 */
union item {
	int64_t num;
	char *str;
	struct ipv4_pair ip;
	struct port_spec ports;
	struct object *entry;
};

struct value {
	uint32_t n;
	union {
		union item one;    /* n == 1 */
		union item *many;  /* n > 1 */
	} u;
};

/* How a value is written. */
enum value_style {
	VALUE_SHOW, /* as after `set NAME`: strings quoted, unsealed secrets hidden */
	VALUE_GET,  /* as `get` prints it: nothing quoted, secrets as * */
	VALUE_WIRE, /* like VALUE_SHOW, unsealed secrets in clear: between shell and daemon only */
};

/* The i-th item, i < v->n. */
const union item *value_item(const struct value *v, uint32_t i);

/*
 * Parse the words after `set NAME` into *out, which the caller releases with value_done().
 * References are not looked up here. Errors carry the text an administrator sees.
 */
int value_parse(const struct schema_attr *attr, char *const words[], size_t n, struct value *out,
		struct err *err);

/* Append the words after `set NAME`. */
void value_print(const struct schema_attr *attr, const struct value *v, enum value_style style,
		 struct str *out);

/* Append s in double quotes, with the escapes that the shell reads back. */
void value_quote(const char *s, struct str *out);

/* Deep copy; the caller releases it. */
struct value value_copy(const struct schema_attr *attr, const struct value *v);

/* Release what v holds. */
void value_done(const struct schema_attr *attr, struct value *v);

/* Bytes of memory that v holds beside itself, about. */
size_t value_size(const struct schema_attr *attr, const struct value *v);

/* Same items in the same order. */
bool value_equal(const struct schema_attr *attr, const struct value *a, const struct value *b);

/* Append the items of add that v does not have yet (option and ref lists keep their form). */
void value_append(const struct schema_attr *attr, struct value *v, const struct value *add);

/* Remove the items of drop from v; returns how many were there. */
unsigned int value_remove(const struct schema_attr *attr, struct value *v,
			  const struct value *drop);

/* Replace item i, freeing the old one; takes over `item`. */
void value_replace_item(const struct schema_attr *attr, struct value *v, uint32_t i,
			union item item);

/* Add one item at the end; takes over `item`. */
void value_add_item(struct value *v, union item item);

/* Take item i out without freeing it; the caller owns it. */
union item value_take_item(struct value *v, uint32_t i);

/* Move item i to the place `to`, both below v->n; those between make room. */
void value_move_item(struct value *v, uint32_t i, uint32_t to);

/* What the attribute holds when it is not set; NULL when that is nothing. Lives for ever. */
const struct value *value_default(const struct schema_attr *attr);

/* The same for attribute number `attr` of a table, without a search. */
const struct value *value_default_at(const struct schema_table *table, unsigned int attr);

/* Parse a dotted IPv4 address into host byte order. */
bool value_parse_ipv4(const char *s, uint32_t *ret);

/* Append a dotted IPv4 address, given in host byte order. */
void value_print_ipv4(uint32_t addr, struct str *out);

/* Length of a contiguous netmask, or -1. */
int value_mask_len(uint32_t mask);
