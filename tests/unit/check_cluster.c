/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What replication is to do: as read from a configuration, as bytes and back, cut short and
 * changed at every place; filters and switches on single sessions.
 */
#include "backends/cluster.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define SERIAL "GHVM0123456789AB"

static const char config[] =
	"config system interface\nedit \"port1\"\nset ip 10.0.0.1 255.255.255.0\nnext\n"
	"edit \"port2\"\nnext\nedit \"port3\"\nnext\nend\n"
	"config system ha\nset session-pickup enable\nset session-pickup-nat enable\n"
	"set session-pickup-expectation enable\nend\n"
	"config system standalone-cluster\nset standalone-group-id 7\nset group-member-id 3\n"
	"set layer2-connection available\nset session-sync-dev \"port2\" \"port3\"\n"
	"set encryption enable\nconfig cluster-peer\n"
	"edit 1\nset peerip 10.0.0.2\nset hb-interval 5\nset hb-lost-threshold 4\n"
	"set down-intfs-before-sess-sync \"port1\" \"port2\"\nset syncvd \"root\"\n"
	"config session-sync-filter\nset srcintf \"port1\"\nset srcaddr 172.16.0.0 255.240.0.0\n"
	"set dstaddr6 2001:db8::/33\nconfig custom-service\n"
	"edit 1\nset dst-port-range 80-90\nnext\nedit 2\nset src-port-range 53-53\nnext\nend\nend\n"
	"next\n"
	"edit 2\nset peerip 10.0.0.1\nnext\n"
	"edit 3\nnext\n"
	"edit 4\nset peerip 10.0.0.4\nnext\n"
	"end\nend\n";

static void read_config(struct cluster *c, const char *text) {
	struct model *model = conf_model(text);

	cluster_of_model(c, model, SERIAL);
	model_free(model);
}

static void check_config(const struct cluster *cluster) {
	const struct cluster c = *cluster;
	const struct cluster_peer *p = &c.peer[0];

	ck_assert_str_eq(c.serial, SERIAL);
	ck_assert_uint_eq(c.group_id, 7);
	ck_assert_uint_eq(c.member_id, 3);
	ck_assert(c.l2_available && c.encrypt);
	ck_assert(c.tcp && !c.others && c.expectation && c.nat && !c.delay);
	ck_assert_uint_eq(c.n_devs, 2);
	ck_assert_str_eq(c.dev[0], "port2");
	ck_assert_str_eq(c.dev[1], "port3");
	/* Number 2 is the unit itself, number 3 has no address. */
	ck_assert_uint_eq(c.n_peers, 2);
	ck_assert_uint_eq(p->sync_id, 1);
	ck_assert_uint_eq(ntohl(p->ip.word[0]), 0x0a000002);
	ck_assert_uint_eq(p->hb_interval_ms, 500);
	ck_assert_uint_eq(p->hb_lost, 4);
	ck_assert(p->sync_root && !p->all_vdoms);
	ck_assert_uint_eq(p->n_down, 2);
	ck_assert_str_eq(p->down[1], "port2");
	ck_assert_str_eq(p->srcintf, "port1");
	ck_assert_str_eq(p->dstintf, "");
	ck_assert_uint_eq(p->src.len, 12);
	ck_assert_uint_eq(ntohl(p->src.addr.word[0]), 0xac100000);
	ck_assert_uint_eq(p->dst.len, 0);
	ck_assert_uint_eq(p->src6.len, 0);
	ck_assert_uint_eq(p->dst6.len, 33);
	ck_assert_uint_eq(ntohl(p->dst6.addr.word[0]), 0x20010db8);
	ck_assert_uint_eq(p->n_services, 2);
	ck_assert_uint_eq(p->service[0].dst[0], 80);
	ck_assert_uint_eq(p->service[0].dst[1], 90);
	ck_assert_uint_eq(p->service[0].src[1], 0);
	ck_assert_uint_eq(p->service[1].src[0], 53);
	ck_assert_uint_eq(c.peer[1].sync_id, 4);
	ck_assert_uint_eq(c.peer[1].hb_interval_ms, 200);
	ck_assert_uint_eq(c.peer[1].hb_lost, 10);
	ck_assert(c.peer[1].sync_root && c.peer[1].all_vdoms);
}

START_TEST(configuration)
{
	struct cluster c;

	read_config(&c, config);
	check_config(&c);
	ck_assert(!c.has_key);
}
END_TEST

START_TEST(nothing_configured)
{
	struct cluster c;

	read_config(&c, "");
	ck_assert_uint_eq(c.n_peers, 0);
	ck_assert_uint_eq(c.n_devs, 0);
	c.has_key = true;
	ck_assert(!cluster_is_started(&c));
	read_config(&c, config);
	ck_assert(!cluster_is_started(&c));
	c.has_key = true;
	ck_assert(cluster_is_started(&c));
}
END_TEST

START_TEST(unit_ids)
{
	/* These stand in labels and on the wire: they may not change. */
	ck_assert_uint_eq(cluster_unit_id(SERIAL), 0xcfc5);
	ck_assert_uint_eq(cluster_unit_id("GHVM0123456789AC"), 0xc976);
	ck_assert_uint_ne(cluster_unit_id(""), 0);
}
END_TEST

/* ---- as bytes ---- */

static int decode(struct cluster *c, const uint8_t *data, size_t len) {
	struct buf_reader r;
	struct err err = { 0 };
	int rc;

	buf_reader_init(&r, data, len);
	rc = cluster_decode(c, &r, &err);
	ck_assert_int_eq(rc, err.code);
	return rc ? rc : buf_reader_end(&r) ? 0 : ERR_PARSE;
}

START_TEST(bytes_and_back)
{
	AUTO_BUF struct buf b = BUF_INIT;
	struct cluster c, back;

	read_config(&c, config);
	c.has_key = true;
	memset(c.key, 0x5a, sizeof(c.key));
	cluster_encode(&b, &c);
	ck_assert_int_eq(decode(&back, b.data, b.len), 0);
	ck_assert(cluster_equal(&c, &back));
	ck_assert(back.has_key);
	ck_assert_mem_eq(back.key, c.key, sizeof(c.key));
	check_config(&back);
	back.key[31] ^= 1;
	ck_assert(!cluster_equal(&c, &back));
	for (size_t len = 0; len < b.len; len++)
		ck_assert_int_ne(decode(&back, b.data, len), 0);
}
END_TEST

/* Whatever a byte says: it is refused, or taken whole and within the bounds of the struct. */
START_TEST(changed_bytes)
{
	AUTO_BUF struct buf b = BUF_INIT;
	struct cluster c, back;

	read_config(&c, config);
	cluster_encode(&b, &c);
	for (size_t at = 0; at < b.len; at++)
		for (unsigned int v = 0; v < 256; v += v < 8 || v > 247 ? 1 : 15) {
			uint8_t was = b.data[at];

			b.data[at] = (uint8_t)v;
			if (decode(&back, b.data, b.len) == 0) {
				AUTO_BUF struct buf again = BUF_INIT;

				cluster_encode(&again, &back);
				ck_assert_uint_eq(again.len, b.len);
				ck_assert_mem_eq(again.data, b.data, b.len);
			}
			b.data[at] = was;
		}
}
END_TEST

static void no_serial(struct cluster *c) { c->serial[0] = '\0'; }
static void big_member(struct cluster *c) { c->member_id = 16; }
static void no_address(struct cluster *c) { c->peer[0].ip.word[0] = 0; }
static void no_interval(struct cluster *c) { c->peer[0].hb_interval_ms = 0; }
static void long_interval(struct cluster *c) { c->peer[0].hb_interval_ms = 2001; }
static void no_threshold(struct cluster *c) { c->peer[0].hb_lost = 0; }
static void big_threshold(struct cluster *c) { c->peer[0].hb_lost = 61; }
static void long_prefix(struct cluster *c) { c->peer[0].src.len = 33; }
static void long_prefix6(struct cluster *c) { c->peer[0].dst6.len = 129; }
static void turned_range(struct cluster *c) { c->peer[0].service[0].dst[1] = 1; }
static void no_name(struct cluster *c) { c->dev[0][0] = '\0'; }

static const struct {
	const char *what;
	void (*spoil)(struct cluster *c);
} out_of_bounds[] = {
	{ "no serial", no_serial },	     { "member 16", big_member },
	{ "no address", no_address },	     { "interval 0", no_interval },
	{ "interval 2001 ms", long_interval }, { "threshold 0", no_threshold },
	{ "threshold 61", big_threshold },   { "prefix 33", long_prefix },
	{ "prefix 129", long_prefix6 },	     { "range turned round", turned_range },
	{ "device without a name", no_name },
};

START_TEST(bounds)
{
	AUTO_BUF struct buf b = BUF_INIT;
	struct cluster c, back;

	read_config(&c, config);
	out_of_bounds[_i].spoil(&c);
	cluster_encode(&b, &c);
	ck_assert_msg(decode(&back, b.data, b.len) == ERR_PARSE, "%s", out_of_bounds[_i].what);
}
END_TEST

/* ---- filters and switches ---- */

struct flow {
	const char *src, *dst;
	uint8_t proto;
	uint16_t sport, dport;
};

static struct ct ct_of(const struct flow *f) {
	struct ct ct = { .family = strchr(f->src, ':') ? AF_INET6 : AF_INET, .proto = f->proto };
	struct ct_tuple *t = &ct.tuple[CT_ORIG];

	ck_assert(net_parse(ct.family, f->src, &t->src) && net_parse(ct.family, f->dst, &t->dst));
	t->sport = f->sport;
	t->dport = f->dport;
	return ct;
}

#define FILTERED                                                               \
	"config system standalone-cluster\nconfig cluster-peer\nedit 1\n"      \
	"set peerip 10.0.0.2\nconfig session-sync-filter\n"
#define END "end\nnext\nend\nend\n"

static const struct {
	const char *filter;
	struct flow flow;
	bool match;
} filters[] = {
	{ "", { "1.2.3.4", "5.6.7.8", IPPROTO_TCP, 1, 2 }, true },
	{ "", { "2001::1", "2001::2", IPPROTO_GRE, 0, 0 }, true },
	{ "set srcaddr 10.1.0.0 255.255.128.0\n", { "10.1.127.1", "1.1.1.1", 6, 1, 2 }, true },
	{ "set srcaddr 10.1.0.0 255.255.128.0\n", { "10.1.128.1", "1.1.1.1", 6, 1, 2 }, false },
	{ "set srcaddr 10.1.0.0 255.255.128.0\n", { "1.1.1.1", "10.1.127.1", 6, 1, 2 }, false },
	{ "set srcaddr 10.1.0.0 255.255.128.0\n", { "2001::1", "2001::2", 6, 1, 2 }, true },
	{ "set dstaddr 9.9.9.9 255.255.255.255\n", { "1.1.1.1", "9.9.9.9", 6, 1, 2 }, true },
	{ "set dstaddr 9.9.9.9 255.255.255.255\n", { "1.1.1.1", "9.9.9.8", 6, 1, 2 }, false },
	{ "set srcaddr6 2001:db8::/31\n", { "2001:db9::1", "2001::2", 6, 1, 2 }, true },
	{ "set srcaddr6 2001:db8::/31\n", { "2001:dba::1", "2001::2", 6, 1, 2 }, false },
	{ "set dstaddr6 2001:db8::1/128\n", { "::1", "2001:db8::1", 6, 1, 2 }, true },
	{ "set dstaddr6 2001:db8::1/128\n", { "::1", "2001:db8::2", 6, 1, 2 }, false },
	{ "config custom-service\nedit 1\nset dst-port-range 80-90\nnext\nend\n",
	  { "1.1.1.1", "2.2.2.2", IPPROTO_UDP, 1, 90 }, true },
	{ "config custom-service\nedit 1\nset dst-port-range 80-90\nnext\nend\n",
	  { "1.1.1.1", "2.2.2.2", IPPROTO_TCP, 1, 91 }, false },
	{ "config custom-service\nedit 1\nset dst-port-range 80-90\nnext\nend\n",
	  { "1.1.1.1", "2.2.2.2", IPPROTO_ICMP, 85, 85 }, false },
	{ "config custom-service\nedit 1\nset src-port-range 5-5\nset dst-port-range 6-6\nnext\n"
	  "edit 2\nset src-port-range 7-8\nnext\nend\n",
	  { "1.1.1.1", "2.2.2.2", IPPROTO_TCP, 7, 6 }, true },
	{ "config custom-service\nedit 1\nset src-port-range 5-5\nset dst-port-range 6-6\nnext\n"
	  "edit 2\nset src-port-range 7-8\nnext\nend\n",
	  { "1.1.1.1", "2.2.2.2", IPPROTO_TCP, 5, 7 }, false },
	{ "config custom-service\nedit 1\nnext\nend\n",
	  { "1.1.1.1", "2.2.2.2", IPPROTO_ICMP, 85, 8 }, true },
};

START_TEST(filter)
{
	AUTO_FREE char *text = xasprintf(FILTERED "%s" END, filters[_i].filter);
	struct ct ct = ct_of(&filters[_i].flow);
	struct cluster c;

	read_config(&c, text);
	ck_assert_uint_eq(c.n_peers, 1);
	ck_assert_int_eq(cluster_filter(&c.peer[0], &ct), filters[_i].match);
	c.peer[0].sync_root = false;
	ck_assert(!cluster_filter(&c.peer[0], &ct));
}
END_TEST

static const struct {
	bool tcp, others, nat;
	uint8_t proto;
	uint32_t status;
	bool wanted;
} switches[] = {
	{ true, false, false, IPPROTO_TCP, 0, true },
	{ false, true, true, IPPROTO_TCP, 0, false },
	{ true, false, true, IPPROTO_UDP, 0, false },
	{ false, true, false, IPPROTO_UDP, 0, true },
	{ false, true, false, IPPROTO_ICMP, 0, true },
	{ false, true, false, IPPROTO_SCTP, 0, true },
	{ true, true, false, IPPROTO_TCP, IPS_DST_NAT, false },
	{ true, true, false, IPPROTO_UDP, IPS_SRC_NAT, false },
	{ true, true, true, IPPROTO_TCP, IPS_DST_NAT | IPS_SRC_NAT, true },
	/* The kernel has looked, and translated nothing. */
	{ true, true, false, IPPROTO_TCP, IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE, true },
};

START_TEST(wanted)
{
	struct cluster c = { .tcp = switches[_i].tcp,
			     .others = switches[_i].others,
			     .nat = switches[_i].nat };
	struct ct ct = { .family = AF_INET,
			 .proto = switches[_i].proto,
			 .status = switches[_i].status };

	ck_assert_int_eq(cluster_wants(&c, &ct), switches[_i].wanted);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("cluster");
	TCase *tc = fixture_case(suite, "all");

	tcase_add_test(tc, configuration);
	tcase_add_test(tc, nothing_configured);
	tcase_add_test(tc, unit_ids);
	tcase_add_test(tc, bytes_and_back);
	tcase_add_test(tc, changed_bytes);
	tcase_add_loop_test(tc, bounds, 0, ARRAY_LEN(out_of_bounds));
	tcase_add_loop_test(tc, filter, 0, ARRAY_LEN(filters));
	tcase_add_loop_test(tc, wanted, 0, ARRAY_LEN(switches));
	return fixture_run(suite);
}
