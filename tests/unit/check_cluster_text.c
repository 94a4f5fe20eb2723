/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `diagnose sys session sync`, byte by byte. */
#include "backends/cluster_text.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

/* As unit A printed it. */
static const char golden[] =
	"sync_ctx: sync_started=1, sync_tcp=1, sync_others=1,\n"
	"sync_expectation=1, sync_nat=1, stdalone_sesync=1.\n"
	"sync: create=213:0, update=899, delete=2:0, query=11\n"
	"recv: create=32:0, update=119, delete=1:0, query=1\n"
	"ses pkts: send=0, alloc_fail=0, recv=0, recv_err=0 sz_err=0\n"
	"udp pkts: send=1125, recv=152\n"
	"nCfg_sess_sync_num=1, mtu=1500, ipsec_tun_sync=1\n"
	"sync_filter:\n"
	"\t1: vd=-1, szone=0, dzone=0, saddr=0.0.0.0:0.0.0.0, daddr=0.0.0.0:0.0.0.0, "
	"sport=0-65535, dport=0:65535\n";

START_TEST(as_on_unit_a)
{
	const struct cluster c = { .tcp = true,
				   .others = true,
				   .expectation = true,
				   .nat = true,
				   .n_peers = 1,
				   .peer = { { .sync_id = 1, .all_vdoms = true } } };
	const struct cluster_counts n = { .started = true,
					  .sent = { 213, 0, 899, 2, 0, 11 },
					  .received = { 32, 0, 119, 1, 0, 1 },
					  .datagrams_sent = 1125,
					  .datagrams_received = 152 };
	AUTO_STR struct str out = STR_INIT;

	cluster_text_sync(&c, &n, &out);
	ck_assert_str_eq(str_text(&out), golden);
}
END_TEST

/* Every counter in its place; filters with all they can have. */
static const char full[] =
	"sync_ctx: sync_started=0, sync_tcp=0, sync_others=1,\n"
	"sync_expectation=0, sync_nat=1, stdalone_sesync=1.\n"
	"sync: create=1:2, update=3, delete=4:5, query=6\n"
	"recv: create=7:8, update=9, delete=10:11, query=12\n"
	"ses pkts: send=13, alloc_fail=15, recv=14, recv_err=16 sz_err=17\n"
	"udp pkts: send=18, recv=18446744073709551615\n"
	"nCfg_sess_sync_num=2, mtu=9000, ipsec_tun_sync=1\n"
	"sync_filter:\n"
	"\t7: vd=0, szone=1, dzone=0, saddr=10.0.0.0:255.128.0.0, daddr=1.2.3.4:255.255.255.255, "
	"sport=0-65535, dport=80:90, saddr6=2001:db8::/32, daddr6=::1/128\n"
	"\t7: vd=0, szone=1, dzone=0, saddr=10.0.0.0:255.128.0.0, daddr=1.2.3.4:255.255.255.255, "
	"sport=53-53, dport=0:65535, saddr6=2001:db8::/32, daddr6=::1/128\n"
	"\t4294967295: vd=-1, szone=0, dzone=1, saddr=0.0.0.0:0.0.0.0, daddr=0.0.0.0:0.0.0.0, "
	"sport=0-65535, dport=0:65535\n";

START_TEST(every_field)
{
	struct cluster c = { .others = true,
			     .nat = true,
			     .n_peers = 2,
			     .peer = { { .sync_id = 7,
					 .srcintf = "lo",
					 .n_services = 2,
					 .service = { { .dst = { 80, 90 } },
						      { .src = { 53, 53 } } },
					 .src = { net_ipv4(0x0a000000), 9 },
					 .dst = { net_ipv4(0x01020304), 32 },
					 .src6 = { .len = 32 },
					 .dst6 = { .len = 128 } },
				       { .sync_id = UINT32_MAX,
					 .all_vdoms = true,
					 .dstintf = "lo" } } };
	const struct cluster_counts n = { .sent = { 1, 2, 3, 4, 5, 6 },
					  .received = { 7, 8, 9, 10, 11, 12 },
					  .frames_sent = 13,
					  .frames_received = 14,
					  .alloc_fail = 15,
					  .recv_err = 16,
					  .sz_err = 17,
					  .datagrams_sent = 18,
					  .datagrams_received = UINT64_MAX,
					  .mtu = 9000 };
	AUTO_STR struct str out = STR_INIT;

	ck_assert(net_parse(AF_INET6, "2001:db8::", &c.peer[0].src6.addr));
	ck_assert(net_parse(AF_INET6, "::1", &c.peer[0].dst6.addr));
	cluster_text_sync(&c, &n, &out);
	ck_assert_str_eq(str_text(&out), full);
	str_clear(&out);
	cluster_text_sync_json(&c, &n, &out);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "\n\"frames_sent\":13,\n"));
	ck_assert_ptr_nonnull(
		strstr(str_text(&out), "\n\"datagrams_received\":18446744073709551615,\n"));
	ck_assert_ptr_nonnull(strstr(str_text(&out), "\n\"mtu\":9000,\n\"peers\":[{\"sync_id\":"));
}
END_TEST

START_TEST(nothing)
{
	const struct cluster c = { .n_peers = 0 };
	const struct cluster_counts n = { .started = false };
	AUTO_STR struct str out = STR_INIT;

	cluster_text_sync(&c, &n, &out);
	ck_assert_str_eq(str_text(&out),
			 "sync_ctx: sync_started=0, sync_tcp=0, sync_others=0,\n"
			 "sync_expectation=0, sync_nat=0, stdalone_sesync=0.\n"
			 "sync: create=0:0, update=0, delete=0:0, query=0\n"
			 "recv: create=0:0, update=0, delete=0:0, query=0\n"
			 "ses pkts: send=0, alloc_fail=0, recv=0, recv_err=0 sz_err=0\n"
			 "udp pkts: send=0, recv=0\n"
			 "nCfg_sess_sync_num=0, mtu=1500, ipsec_tun_sync=1\n"
			 "sync_filter:\n");
}
END_TEST

int main(void) {
	Suite *suite = suite_create("cluster text");
	TCase *tc = fixture_case(suite, "text");

	tcase_add_test(tc, as_on_unit_a);
	tcase_add_test(tc, every_field);
	tcase_add_test(tc, nothing);
	return fixture_run(suite);
}
