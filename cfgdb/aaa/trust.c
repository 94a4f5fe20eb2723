/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An administrator without networks may come from anywhere; 0.0.0.0/0 and ::/0 are the same as
 * none, as a new entry has them. The families are apart: who names only IPv4 networks is free in
 * IPv6. What the packet filter lets in is the union over all who can log in, so one who is free
 * frees it.
 */
#include "cfgdb/aaa/trust.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define HOSTS 10

/* The attributes stand one behind the other, as the compiler of schemas numbers them. */
_Static_assert(SYSTEM_ADMIN__TRUSTHOST10 == SYSTEM_ADMIN__TRUSTHOST1 + HOSTS - 1, "trusthost");
_Static_assert(SYSTEM_ADMIN__IP6_TRUSTHOST10 == SYSTEM_ADMIN__IP6_TRUSTHOST1 + HOSTS - 1,
	       "ip6-trusthost");

static bool is_mapped(const union net_addr *addr) {
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(addr->byte, prefix, sizeof(prefix)) == 0;
}

static const char of_zones[] =
	"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-";

bool trust_source(const char *text, struct trust_source *ret) {
	AUTO_FREE char *copy = xstrdup(text);
	size_t len = strcspn(copy, "%");

	*ret = (struct trust_source){ .family = 0 };
	if (copy[len] && copy[len + 1 + strspn(copy + len + 1, of_zones)])
		return false;
	copy[len] = '\0';
	ret->family = AF_INET;
	if (net_parse(AF_INET, copy, &ret->addr))
		return true;
	ret->family = net_parse(AF_INET6, copy, &ret->addr) ? AF_INET6 : 0;
	if (ret->family == AF_INET6 && is_mapped(&ret->addr)) {
		ret->addr = (union net_addr){ .word = { ret->addr.word[3] } };
		ret->family = AF_INET;
	}
	return ret->family != 0;
}

/* ---- one administrator ---- */

static void mask(struct trust_net *net) {
	for (unsigned int i = 0; i < sizeof(net->addr.byte); i++) {
		unsigned int kept = net->bits > 8 * i ? net->bits - 8 * i : 0;

		if (kept < 8)
			net->addr.byte[i] &= (uint8_t)(0xff00 >> kept);
	}
}

static void add(struct trust *t, struct trust_net net) {
	if (net.bits == 0)
		return;
	mask(&net);
	t->net[t->n++] = net;
	if (net.family == AF_INET)
		t->n_ipv4++;
	else
		t->n_ipv6++;
}

static void add_ipv4(struct trust *t, const struct object *admin, unsigned int attr) {
	struct ipv4_pair ip = object_ip(admin, attr);
	unsigned int bits = (unsigned int)__builtin_popcount(ip.b);

	add(t, (struct trust_net){ AF_INET, net_ipv4(ip.a), bits });
}

static void add_ipv6(struct trust *t, const struct object *admin, unsigned int attr) {
	AUTO_FREE char *text = xstrdup(object_str(admin, attr));
	struct trust_net net = { .family = AF_INET6 };
	char *slash = strchr(text, '/');

	if (!slash)
		return;
	*slash = '\0';
	net.bits = (unsigned int)atoi(slash + 1);
	if (net_parse(AF_INET6, text, &net.addr))
		add(t, net);
}

void trust_of(const struct object *admin, struct trust *ret) {
	*ret = (struct trust){ .n = 0 };
	for (unsigned int i = 0; i < HOSTS; i++)
		add_ipv4(ret, admin, SYSTEM_ADMIN__TRUSTHOST1 + i);
	for (unsigned int i = 0; i < HOSTS; i++)
		add_ipv6(ret, admin, SYSTEM_ADMIN__IP6_TRUSTHOST1 + i);
}

static bool contains(const struct trust_net *net, const struct trust_source *source) {
	struct trust_net other = { source->family, source->addr, net->bits };

	mask(&other);
	return net->family == source->family && net_equal(&net->addr, &other.addr);
}

static unsigned int count_of(const struct trust *t, int family) {
	return family == AF_INET ? t->n_ipv4 : t->n_ipv6;
}

bool trust_allows(const struct trust *t, const struct trust_source *source) {
	if (source->family == 0)
		return t->n == 0;
	if (count_of(t, source->family) == 0)
		return true;
	for (unsigned int i = 0; i < t->n; i++)
		if (contains(&t->net[i], source))
			return true;
	return false;
}

static void add_pattern(struct str *out, const char *address, unsigned int bits) {
	str_addf(out, "%s%s/%u", out->len ? "," : "", address, bits);
}

void trust_patterns(const struct trust *t, struct str *out) {
	AUTO_STR struct str list = STR_INIT;
	char text[NET_TEXT_MAX];

	for (unsigned int i = 0; i < t->n; i++) {
		inet_ntop(t->net[i].family, t->net[i].addr.byte, text, sizeof(text));
		add_pattern(&list, text, t->net[i].bits);
	}
	if (t->n && !t->n_ipv4)
		add_pattern(&list, "0.0.0.0", 0);
	if (t->n && !t->n_ipv6)
		add_pattern(&list, "::", 0);
	str_add(out, str_text(&list));
}

/* ---- all of them ---- */

bool trust_is_local(const struct object *admin) {
	return object_is(admin, SYSTEM_ADMIN__STATUS, "enable") &&
	       object_is(admin, SYSTEM_ADMIN__REMOTE_AUTH, "disable") &&
	       object_is(admin, SYSTEM_ADMIN__WILDCARD, "disable") &&
	       object_is(admin, SYSTEM_ADMIN__PEER_AUTH, "disable") &&
	       object_is(admin, SYSTEM_ADMIN__GUEST_AUTH, "disable");
}

static const struct object *first_admin(const struct model *model) {
	return model_first(model, schema_table(TBL_SYSTEM_ADMIN));
}

bool trust_is_open(const struct model *model, int family) {
	bool any = false;

	for (const struct object *a = first_admin(model); a; a = model_next(model, a)) {
		struct trust t;

		if (!trust_is_local(a))
			continue;
		trust_of(a, &t);
		if (count_of(&t, family) == 0)
			return true;
		any = true;
	}
	return !any;
}

void trust_each(const struct model *model, int family,
		void (*visit)(void *arg, const struct object *admin, const struct trust_net *net),
		void *arg) {
	if (trust_is_open(model, family))
		return;
	for (const struct object *a = first_admin(model); a; a = model_next(model, a)) {
		struct trust t;

		if (!trust_is_local(a))
			continue;
		trust_of(a, &t);
		for (unsigned int i = 0; i < t.n; i++)
			if (t.net[i].family == family)
				visit(arg, a, &t.net[i]);
	}
}
