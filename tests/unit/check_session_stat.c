/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers about sessions: what is counted, and the texts that show it. */
#include "backends/session_stat.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define ERRORS                                                                              \
	"firewall error stat:\n"                                                            \
	"error1=00000000\nerror2=00000000\nerror3=00000000\nerror4=00000000\n"              \
	"tt=00000000\ncont=00000000\nids_recv=00000000\nurl_recv=00000000\n"                \
	"av_recv=00000000\nfqdn_count=00000000\nfqdn6_count=00000000\n"                     \
	"global: ses_limit=0 ses6_limit=0 rt_limit=0 rt6_limit=0\n"

static struct session_stat stat;

static void count(uint8_t proto, uint8_t state, uint32_t status, unsigned int n) {
	static const struct session_context ctx;
	struct ct ct = { .family = AF_INET, .proto = proto, .state = state, .status = status };
	struct session s;

	while (n--) {
		session_init(&s, &ctx, &ct);
		session_tally_add(&stat.tally, &s);
	}
}

static void fill(void) {
	stat = (struct session_stat){ .family = AF_INET,
				      .setup_rate = 221,
				      .expected = 4,
				      .expect_max = 4096,
				      .table_size = 262144,
				      .deleted = 108,
				      .flushed = 18,
				      .kernel = {
					      .clash_resolve = 7, .early_drop = 3, .drop = 2 } };
	count(IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, IPS_SEEN_REPLY, 6);
	count(IPPROTO_TCP, TCP_CONNTRACK_SYN_SENT, 0, 2);
	count(IPPROTO_TCP, TCP_CONNTRACK_SYN_RECV, 0, 1);
	count(IPPROTO_TCP, TCP_CONNTRACK_TIME_WAIT, IPS_SEEN_REPLY, 5);
	count(IPPROTO_UDP, 0, 0, 3);
	count(IPPROTO_UDP, 0, IPS_SEEN_REPLY, 4);
	count(IPPROTO_ICMP, 0, 0, 1);
}

static void assert_text(const struct str *out, const char *right) {
	ck_assert_str_eq(str_text(out), right);
}

START_TEST(test_stat) {
	AUTO_STR struct str out = STR_INIT;

	fill();
	session_stat_print(&stat, false, &out);
	assert_text(&out, "misc info:\t session_count=22 setup_rate=221 exp_count=4 clash=7\n"
			  "\tmemory_tension_drop=3 ephemeral=6/0 removeable=0\n"
			  "delete=108, flush=18, dev_down=0/0 ses_flush_filters=0\n"
			  "flush_work_num=0\n"
			  "TCP sessions:\n"
			  "\t 6 in ESTABLISHED state\n"
			  "\t 2 in SYN_SENT state\n"
			  "\t 1 in SYN_RECV state\n"
			  "\t 5 in TIME_WAIT state\n" ERRORS);
}
END_TEST

START_TEST(test_full_stat) {
	AUTO_STR struct str out = STR_INIT;

	stat = (struct session_stat){ .table_size = 262144, .expect_max = 4096, .expected = 1 };
	count(IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, IPS_SEEN_REPLY, 12);
	session_stat_print(&stat, true, &out);
	assert_text(&out, "session table:\t\t table_size=262144 max_depth=0 used=24\n"
			  "expect session table:\t table_size=4096 max_depth=0 used=1\n"
			  "misc info:\t session_count=12 setup_rate=0 exp_count=1 clash=0\n"
			  "\tmemory_tension_drop=0 ephemeral=0/0 removeable=0\n"
			  "delete=0, flush=0, dev_down=0/0 ses_flush_filters=0\n"
			  "flush_work_num=0\n"
			  "TCP sessions:\n"
			  "\t 12 in ESTABLISHED state\n" ERRORS);
}
END_TEST

START_TEST(test_json) {
	AUTO_STR struct str out = STR_INIT;

	fill();
	session_stat_json(&stat, &out);
	assert_text(&out, "{\"sessions\":22,\"setup_rate\":221,\"expected\":4,\"clash\":7,\"early_drop\":3,"
			  "\"drop\":2,\"ephemeral\":6,\"deleted\":108,\"flushed\":18,\"table_size\":262144,"
			  "\"tcp\":{\"NONE\":0,\"ESTABLISHED\":6,\"SYN_SENT\":2,\"SYN_RECV\":1,"
			  "\"FIN_WAIT\":0,\"TIME_WAIT\":5,\"CLOSE\":0,\"CLOSE_WAIT\":0,\"LAST_ACK\":0,"
			  "\"LISTEN\":0}}\n");
}
END_TEST

START_TEST(test_status) {
	AUTO_STR struct str out = STR_INIT;

	session_stat_status(AF_INET, 223, &out);
	session_stat_status(AF_INET6, 1, &out);
	assert_text(&out, "The total number of IPv4 sessions for the current VDOM: 223\n"
			  "The total number of IPv6 sessions for the current VDOM: 1\n");
}
END_TEST

START_TEST(test_ttl) {
	struct model *m = conf_model(
		"config system session-ttl\nconfig port\nedit 1\nset protocol 6\nset timeout 900\n"
		"set start-port 8080\nset end-port 8090\nnext\nedit 2\nset timeout never\nnext\n"
		"end\nend\n");
	struct model *never = conf_model("config system session-ttl\nset default never\nend\n");
	AUTO_STR struct str out = STR_INIT;

	session_stat_ttl(m, &out);
	session_stat_ttl(never, &out);
	model_free(m);
	model_free(never);
	assert_text(&out, "list session timeout:\n\tDefault timeout=3600\n"
			  "\tprotocol=6 port=8080-8090 timeout=900\n"
			  "\tprotocol=0 port=0-0 timeout=never\n"
			  "list session timeout:\n\tDefault timeout=never\n");
}
END_TEST

START_TEST(test_ttl_json) {
	AUTO_STR struct str out = STR_INIT;
	struct model *m = conf_model(
		"config system session-ttl\nset default never\nconfig port\nedit 1\n"
		"set protocol 6\nset timeout 900\nset start-port 22\nset end-port 23\nnext\n"
		"edit 2\nset protocol 17\nset timeout never\nset start-port 1\nset end-port 2\n"
		"next\nend\nend\n");

	session_stat_ttl_json(m, &out);
	ck_assert_str_eq(str_text(&out),
			 "{\n\"default\":null,\n\"ports\":["
			 "{\"protocol\":6,\"start_port\":22,\"end_port\":23,\"timeout\":900},"
			 "{\"protocol\":17,\"start_port\":1,\"end_port\":2,\"timeout\":null}]\n}\n");
	model_free(m);
}
END_TEST

static Suite *stat_suite(void) {
	Suite *s = suite_create("session stat");
	TCase *t = fixture_case(s, "session stat");

	tcase_add_test(t, test_stat);
	tcase_add_test(t, test_full_stat);
	tcase_add_test(t, test_json);
	tcase_add_test(t, test_status);
	tcase_add_test(t, test_ttl);
	tcase_add_test(t, test_ttl_json);
	return s;
}

int main(void) {
	return fixture_run(stat_suite());
}
