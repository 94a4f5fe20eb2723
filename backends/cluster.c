/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration of replication in one struct of fixed size, so that what is compared, sent and
 * asked for each session costs no look-up of names. The daemon that owns the configuration makes
 * it; the one that replicates gets it as bytes.
 *
 * In bytes: a version, then the fields of the struct in its order, strings with their length, lists
 * with their number. What is out of bounds is refused whole: it would come from a broken daemon,
 * and half a configuration is none.
 *
 * A filter sees a session as the client does: addresses and ports before translation.
 */
#include "backends/cluster.h"

#include <ctype.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define CODEC_VERSION 1
#define INTERVAL_MS 100        /* the unit of hb-interval */

/* The rules of the table hold the lists to these. */
_Static_assert(CLUSTER_DEVS_MAX == 8 && CLUSTER_DOWN_MAX == 16, "cfgdb/check_rules.c");

/* ---- from the configuration ---- */

/* Names of an attribute into a list of at most max; returns how many. */
static unsigned int take_names(const struct object *obj, unsigned int attr, char (*ret)[IFNAMSIZ],
			       unsigned int max) {
	const struct value *v = object_value(obj, attr);
	unsigned int n = 0;

	for (uint32_t i = 0; v && i < v->n && n < max; i++) {
		const char *name = value_item(v, i)->str;

		if (*name && strlen(name) < IFNAMSIZ)
			strcpy(ret[n++], name);
	}
	return n;
}

static bool has_name(const struct object *obj, unsigned int attr, const char *name) {
	const struct value *v = object_value(obj, attr);

	for (uint32_t i = 0; v && i < v->n; i++)
		if (strcmp(value_item(v, i)->str, name) == 0)
			return true;
	return false;
}

static struct cluster_net net4_of(const struct object *obj, unsigned int attr) {
	struct ipv4_pair ip = object_ip(obj, attr);

	return (struct cluster_net){ net_ipv4(ip.a & ip.b),
				     (uint8_t)__builtin_popcount(ip.b) };
}

/* "ADDRESS/LENGTH"; any when there is none. */
static struct cluster_net net6_of(const struct object *obj, unsigned int attr) {
	char text[NET_TEXT_MAX + 4];
	struct cluster_net net = { .len = 0 };
	char *slash;

	snprintf(text, sizeof(text), "%s", object_str(obj, attr));
	slash = strchr(text, '/');
	if (!slash)
		return net;
	*slash = '\0';
	net.len = (uint8_t)strtoul(slash + 1, NULL, 10);
	if (net.len > 128 || !net_parse(AF_INET6, text, &net.addr))
		return (struct cluster_net){ .len = 0 };
	for (unsigned int i = net.len; i < 128; i++)
		net.addr.byte[i / 8] &= (uint8_t)~(0x80 >> i % 8);
	return net;
}

static void ports_of(const struct object *obj, unsigned int attr, uint16_t ret[2]) {
	const struct value *v = object_value(obj, attr);

	ret[0] = v ? value_item(v, 0)->ports.dst_lo : 0;
	ret[1] = v ? value_item(v, 0)->ports.dst_hi : 0;
}

#define FILTER_(name) SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER_SESSION_SYNC_FILTER__##name
#define SERVICE_(name) \
	SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER_SESSION_SYNC_FILTER_CUSTOM_SERVICE__##name
#define PEER_(name) SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER__##name
#define CLUSTER_(name) SYSTEM_STANDALONE_CLUSTER__##name

static void take_filter(struct cluster_peer *p, const struct object *filter) {
	const struct value *services = object_value(filter, FILTER_(CUSTOM_SERVICE));

	take_names(filter, FILTER_(SRCINTF), &p->srcintf, 1);
	take_names(filter, FILTER_(DSTINTF), &p->dstintf, 1);
	p->src = net4_of(filter, FILTER_(SRCADDR));
	p->dst = net4_of(filter, FILTER_(DSTADDR));
	p->src6 = net6_of(filter, FILTER_(SRCADDR6));
	p->dst6 = net6_of(filter, FILTER_(DSTADDR6));
	for (uint32_t i = 0; services && i < services->n && i < CLUSTER_SERVICES_MAX; i++) {
		const struct object *service = value_item(services, i)->entry;
		struct cluster_ports *ports = &p->service[p->n_services++];

		ports_of(service, SERVICE_(SRC_PORT_RANGE), ports->src);
		ports_of(service, SERVICE_(DST_PORT_RANGE), ports->dst);
	}
}

static void take_peer(struct cluster_peer *p, const struct object *entry) {
	const struct value *filter = object_value(entry, PEER_(SESSION_SYNC_FILTER));

	*p = (struct cluster_peer){
		.sync_id = (uint32_t)strtoul(entry->key, NULL, 10),
		.ip = net_ipv4(object_ip(entry, PEER_(PEERIP)).a),
		.hb_interval_ms = (uint32_t)object_num(entry, PEER_(HB_INTERVAL)) * INTERVAL_MS,
		.hb_lost = (uint32_t)object_num(entry, PEER_(HB_LOST_THRESHOLD)),
		.all_vdoms = object_count(entry, PEER_(SYNCVD)) == 0,
	};
	p->sync_root = p->all_vdoms || has_name(entry, PEER_(SYNCVD), "root");
	p->n_down = take_names(entry, PEER_(DOWN_INTFS_BEFORE_SESS_SYNC), p->down,
			       CLUSTER_DOWN_MAX);
	if (filter)
		take_filter(p, value_item(filter, 0)->entry);
}

static bool is_own_address(const struct model *model, uint32_t ip) {
	const struct schema_table *table = schema_table(TBL_SYSTEM_INTERFACE);

	for (const struct object *obj = model_first(model, table); obj;
	     obj = model_next(model, obj))
		if (object_ip(obj, SYSTEM_INTERFACE__IP).a == ip)
			return true;
	return false;
}

static void take_peers(struct cluster *c, const struct model *model, const struct object *obj) {
	const struct value *v = object_value(obj, CLUSTER_(CLUSTER_PEER));

	for (uint32_t i = 0; v && i < v->n && c->n_peers < CLUSTER_PEERS_MAX; i++) {
		const struct object *entry = value_item(v, i)->entry;
		uint32_t ip = object_ip(entry, PEER_(PEERIP)).a;

		if (ip && !is_own_address(model, ip))
			take_peer(&c->peer[c->n_peers++], entry);
	}
}

void cluster_of_model(struct cluster *c, const struct model *model, const char *serial) {
	const struct object *obj =
		model_object(model, schema_table(TBL_SYSTEM_STANDALONE_CLUSTER));
	const struct object *ha = model_object(model, schema_table(TBL_SYSTEM_HA));

	memset(c, 0, sizeof(*c));
	snprintf(c->serial, sizeof(c->serial), "%s", serial);
	c->group_id = (uint8_t)object_num(obj, CLUSTER_(STANDALONE_GROUP_ID));
	c->member_id = (uint8_t)object_num(obj, CLUSTER_(GROUP_MEMBER_ID));
	c->encrypt = object_is(obj, CLUSTER_(ENCRYPTION), "enable");
	c->l2_available = object_is(obj, CLUSTER_(LAYER2_CONNECTION), "available");
	c->tcp = object_is(ha, SYSTEM_HA__SESSION_PICKUP, "enable");
	c->others = object_is(ha, SYSTEM_HA__SESSION_PICKUP_CONNECTIONLESS, "enable");
	c->expectation = object_is(ha, SYSTEM_HA__SESSION_PICKUP_EXPECTATION, "enable");
	c->nat = object_is(ha, SYSTEM_HA__SESSION_PICKUP_NAT, "enable");
	c->delay = object_is(ha, SYSTEM_HA__SESSION_PICKUP_DELAY, "enable");
	c->n_devs = take_names(obj, CLUSTER_(SESSION_SYNC_DEV), c->dev, CLUSTER_DEVS_MAX);
	take_peers(c, model, obj);
}

const char *cluster_secret(const struct model *model) {
	const char *secret =
		object_str(model_object(model, schema_table(TBL_SYSTEM_STANDALONE_CLUSTER)),
			   CLUSTER_(PSKSECRET));

	return *secret ? secret
		       : object_str(model_object(model, schema_table(TBL_SYSTEM_AUTO_SCALE)),
				    SYSTEM_AUTO_SCALE__PSKSECRET);
}

bool cluster_is_down_before(const struct cluster *c, const char *name) {
	for (unsigned int i = 0; i < c->n_peers; i++)
		for (unsigned int j = 0; j < c->peer[i].n_down; j++)
			if (strcmp(c->peer[i].down[j], name) == 0)
				return true;
	return false;
}

/* FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), folded to 16 bits. */
bool cluster_is_serial(const char *text, size_t len) {
	for (size_t i = 0; i < len; i++)
		if (!isascii((unsigned char)text[i]) || !isalnum((unsigned char)text[i]))
			return false;
	return len > 0 && len < CLUSTER_SERIAL;
}

uint16_t cluster_unit_id(const char *serial) {
	uint32_t h = 2166136261u;
	uint16_t id;

	for (const char *p = serial; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619u;
	id = (uint16_t)(h >> 16 ^ h);
	return id ? id : 1;
}

bool cluster_is_started(const struct cluster *c) {
	return c->has_key && c->n_peers > 0;
}

/* What is encoded is what counts; paddings of the struct are not. */
bool cluster_equal(const struct cluster *a, const struct cluster *b) {
	struct buf x = BUF_INIT, y = BUF_INIT;
	bool equal;

	cluster_encode(&x, a);
	cluster_encode(&y, b);
	equal = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
	buf_wipe(&x);
	buf_wipe(&y);
	return equal;
}

/* ---- as bytes ---- */

static void put_names(struct buf *b, const char (*name)[IFNAMSIZ], unsigned int n) {
	buf_put_u8(b, (uint8_t)n);
	for (unsigned int i = 0; i < n; i++)
		buf_put_str(b, name[i]);
}

static void put_net(struct buf *b, const struct cluster_net *net) {
	buf_put_bytes(b, net->addr.byte, sizeof(net->addr.byte));
	buf_put_u8(b, net->len);
}

static void put_range(struct buf *b, const uint16_t range[2]) {
	buf_put_u16(b, range[0]);
	buf_put_u16(b, range[1]);
}

static void put_peer(struct buf *b, const struct cluster_peer *p) {
	buf_put_u32(b, p->sync_id);
	buf_put_bytes(b, p->ip.byte, 4);
	buf_put_u32(b, p->hb_interval_ms);
	buf_put_u32(b, p->hb_lost);
	buf_put_u8(b, p->sync_root);
	buf_put_u8(b, p->all_vdoms);
	buf_put_str(b, p->srcintf);
	buf_put_str(b, p->dstintf);
	put_net(b, &p->src);
	put_net(b, &p->dst);
	put_net(b, &p->src6);
	put_net(b, &p->dst6);
	buf_put_u8(b, (uint8_t)p->n_services);
	for (unsigned int i = 0; i < p->n_services; i++) {
		put_range(b, p->service[i].src);
		put_range(b, p->service[i].dst);
	}
	put_names(b, p->down, p->n_down);
}

void cluster_encode(struct buf *b, const struct cluster *c) {
	const bool flags[] = { c->encrypt, c->l2_available, c->has_key, c->tcp,
			       c->others,  c->expectation,  c->nat,	c->delay };

	buf_reserve(b, b->len + CLUSTER_BYTES_MAX);
	buf_put_u8(b, CODEC_VERSION);
	buf_put_str(b, c->serial);
	buf_put_u8(b, c->group_id);
	buf_put_u8(b, c->member_id);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		buf_put_u8(b, flags[i]);
	buf_put_bytes(b, c->key, sizeof(c->key));
	put_names(b, c->dev, c->n_devs);
	buf_put_u8(b, (uint8_t)c->n_peers);
	for (unsigned int i = 0; i < c->n_peers; i++)
		put_peer(b, &c->peer[i]);
}

static bool get_bool(struct buf_reader *r) {
	uint8_t v = buf_get_u8(r);

	r->bad = r->bad || v > 1;
	return v == 1;
}

/* A number of at most max; 0 when it is out of bounds. */
static unsigned int get_count(struct buf_reader *r, unsigned int max) {
	unsigned int n = buf_get_u8(r);

	r->bad = r->bad || n > max;
	return r->bad ? 0 : n;
}

/* A string that fits with its end. */
static void get_text(struct buf_reader *r, char *ret, size_t size) {
	AUTO_FREE char *text = buf_get_str(r, size - 1);

	memset(ret, 0, size);
	strcpy(ret, text);
}

static unsigned int get_names(struct buf_reader *r, char (*ret)[IFNAMSIZ], unsigned int max) {
	unsigned int n = get_count(r, max);

	for (unsigned int i = 0; i < n; i++) {
		get_text(r, ret[i], IFNAMSIZ);
		r->bad = r->bad || !*ret[i];
	}
	return n;
}

static struct cluster_net get_net(struct buf_reader *r, uint8_t bits) {
	struct cluster_net net;

	buf_get_bytes(r, net.addr.byte, sizeof(net.addr.byte));
	net.len = buf_get_u8(r);
	r->bad = r->bad || net.len > bits;
	return net;
}

static void get_range(struct buf_reader *r, uint16_t range[2]) {
	range[0] = buf_get_u16(r);
	range[1] = buf_get_u16(r);
	r->bad = r->bad || range[0] > range[1];
}

static void get_peer(struct buf_reader *r, struct cluster_peer *p) {
	p->sync_id = buf_get_u32(r);
	buf_get_bytes(r, p->ip.byte, 4);
	p->hb_interval_ms = buf_get_u32(r);
	p->hb_lost = buf_get_u32(r);
	r->bad = r->bad || p->ip.word[0] == 0 || p->hb_interval_ms == 0 ||
		 p->hb_interval_ms > 20 * INTERVAL_MS || p->hb_lost == 0 || p->hb_lost > 60;
	p->sync_root = get_bool(r);
	p->all_vdoms = get_bool(r);
	get_text(r, p->srcintf, sizeof(p->srcintf));
	get_text(r, p->dstintf, sizeof(p->dstintf));
	p->src = get_net(r, 32);
	p->dst = get_net(r, 32);
	p->src6 = get_net(r, 128);
	p->dst6 = get_net(r, 128);
	p->n_services = get_count(r, CLUSTER_SERVICES_MAX);
	for (unsigned int i = 0; i < p->n_services; i++) {
		get_range(r, p->service[i].src);
		get_range(r, p->service[i].dst);
	}
	p->n_down = get_names(r, p->down, CLUSTER_DOWN_MAX);
}

int cluster_decode(struct cluster *c, struct buf_reader *r, struct err *err) {
	bool *const flags[] = { &c->encrypt, &c->l2_available, &c->has_key, &c->tcp,
				&c->others,  &c->expectation,  &c->nat,	    &c->delay };

	memset(c, 0, sizeof(*c));
	r->bad = r->bad || buf_get_u8(r) != CODEC_VERSION;
	get_text(r, c->serial, sizeof(c->serial));
	c->group_id = buf_get_u8(r);
	c->member_id = buf_get_u8(r);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		*flags[i] = get_bool(r);
	buf_get_bytes(r, c->key, sizeof(c->key));
	c->n_devs = get_names(r, c->dev, CLUSTER_DEVS_MAX);
	c->n_peers = get_count(r, CLUSTER_PEERS_MAX);
	for (unsigned int i = 0; i < c->n_peers && !r->bad; i++)
		get_peer(r, &c->peer[i]);
	if (r->bad || !*c->serial || c->member_id > 15)
		return err_set(err, ERR_PARSE, "this is no configuration of replication");
	return 0;
}

/* ---- what is wanted ---- */

static bool net_has(const struct cluster_net *net, const union net_addr *addr) {
	unsigned int bytes = net->len / 8, bits = net->len % 8;

	return memcmp(net->addr.byte, addr->byte, bytes) == 0 &&
	       (bits == 0 || (net->addr.byte[bytes] ^ addr->byte[bytes]) >> (8 - bits) == 0);
}

static bool range_has(const uint16_t range[2], bool has_ports, uint16_t port) {
	return range[1] == 0 || (has_ports && port >= range[0] && port <= range[1]);
}

/* ICMP has neither a source nor a destination port; its number and type are none. */
static bool service_has(const struct cluster_peer *p, const struct ct *ct) {
	bool has_ports = ct_has_ports(ct->proto) && !ct_is_icmp(ct->proto);
	const struct ct_tuple *t = &ct->tuple[CT_ORIG];

	for (unsigned int i = 0; i < p->n_services; i++)
		if (range_has(p->service[i].src, has_ports, t->sport) &&
		    range_has(p->service[i].dst, has_ports, t->dport))
			return true;
	return p->n_services == 0;
}

bool cluster_filter(const struct cluster_peer *p, const struct ct *ct) {
	bool v4 = ct->family == AF_INET;
	const struct ct_tuple *t = &ct->tuple[CT_ORIG];

	return p->sync_root && net_has(v4 ? &p->src : &p->src6, &t->src) &&
	       net_has(v4 ? &p->dst : &p->dst6, &t->dst) && service_has(p, ct);
}

bool cluster_wants(const struct cluster *c, const struct ct *ct) {
	bool translated = ct->status & (IPS_SRC_NAT | IPS_DST_NAT);

	return (ct->proto == IPPROTO_TCP ? c->tcp : c->others) && (c->nat || !translated);
}
