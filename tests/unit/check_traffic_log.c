/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session as a line of the traffic log, to the byte, and what became of sessions that have
 * ended.
 */
#include "backends/traffic_log.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/service_names.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define TIME 1700000000123456789u
#define SECOND 1000000000u

/* ---- lines ---- */

#define HEAD(id) \
	"date=2023-11-14 time=22:13:20 eventtime=1700000000123456789 tz=\"+0000\" logid=\"" id "\" " \
	"type=\"traffic\" subtype=\"forward\" level=\"notice\" vd=\"root\" "
#define PORTS \
	"srcip=207.102.138.19 srcport=40000 srcintf=\"port1\" srcintfrole=\"wan\" " \
	"dstip=20.150.252.91 dstport=65022 dstintf=\"port2\" dstintfrole=\"lan\" "
#define POLICY \
	"policyid=2 policytype=\"policy\" poluuid=\"c9ff1fd8-db75-51eb-6b34-e17d224884b9\" " \
	"policyname=\"to_VIP\" service=\"SSH\" "
#define DNAT "trandisp=\"dnat\" tranip=172.16.137.15 tranport=22 "
#define NOTHING "duration=0 sentbyte=0 rcvdbyte=0 sentpkt=0 rcvdpkt=0 appcat=\"unscanned\""

static struct ct_tuple tuple(int family, const char *src, const char *dst, uint16_t sport,
			     uint16_t dport) {
	struct ct_tuple t = { .sport = sport, .dport = dport };

	ck_assert(net_parse(family, src, &t.src) && net_parse(family, dst, &t.dst));
	return t;
}

static struct ct virtual_ip(void) {
	return (struct ct){
		.family = AF_INET,
		.proto = IPPROTO_TCP,
		.tuple = { tuple(AF_INET, "207.102.138.19", "20.150.252.91", 40000, 65022),
			   tuple(AF_INET, "172.16.137.15", "207.102.138.19", 22, 40000) },
	};
}

static struct traffic_facts facts(enum traffic_action action, const struct ct *ct) {
	return (struct traffic_facts){
		.time_ns = TIME,
		.action = action,
		.ct = ct,
		.session = 77,
		.in = "port1",
		.out = "port2",
		.in_role = "wan",
		.out_role = "lan",
		.policy = 2,
		.policy_uuid = "c9ff1fd8-db75-51eb-6b34-e17d224884b9",
		.policy_name = "to_VIP",
		.service = "SSH",
	};
}

static void assert_line(const struct traffic_facts *f, const char *wanted) {
	struct str line AUTO_STR = STR_INIT;

	setenv("TZ", "UTC", 1);
	tzset();
	traffic_log_print(f, &line);
	ck_assert_str_eq(str_text(&line), wanted);
}

START_TEST(test_closed) {
	struct ct ct = virtual_ip();
	struct traffic_facts f = facts(TRAFFIC_CLOSE, &ct);

	ct.start_ns = TIME - 61 * (uint64_t)SECOND;
	ct.stop_ns = TIME - SECOND / 2;
	ct.count[CT_ORIG] = (struct ct_counter){ 17, 5000000000u };
	ct.count[CT_REPLY] = (struct ct_counter){ 16, 1224 };
	assert_line(&f, HEAD("0000000013") PORTS "sessionid=77 proto=6 action=\"close\" " POLICY DNAT
			"duration=60 sentbyte=5000000000 rcvdbyte=1224 sentpkt=17 rcvdpkt=16 "
			"appcat=\"unscanned\"");
}
END_TEST

START_TEST(test_started) {
	struct ct ct = virtual_ip();
	struct traffic_facts f = facts(TRAFFIC_START, &ct);

	ct.start_ns = TIME;
	assert_line(&f, HEAD("0000000015") PORTS "sessionid=77 proto=6 action=\"start\" " POLICY DNAT
			NOTHING);
}
END_TEST

/* By no policy: it has neither id nor name. */
START_TEST(test_implicit_deny) {
	struct ct ct = virtual_ip();
	struct traffic_facts f = facts(TRAFFIC_DENY, &ct);

	f.session = f.policy = 0;
	f.policy_uuid = f.policy_name = "";
	f.out = f.out_role = "";
	f.service = "tcp/65022";
	assert_line(&f, HEAD("0000000013")
			"srcip=207.102.138.19 srcport=40000 srcintf=\"port1\" srcintfrole=\"wan\" "
			"dstip=20.150.252.91 dstport=65022 dstintf=\"unknown0\" "
			"dstintfrole=\"undefined\" sessionid=0 proto=6 action=\"deny\" policyid=0 "
			"policytype=\"policy\" service=\"tcp/65022\" " DNAT NOTHING);
}
END_TEST

START_TEST(test_icmp) {
	struct ct ct = {
		.family = AF_INET,
		.proto = IPPROTO_ICMP,
		.tuple = { tuple(AF_INET, "10.0.0.1", "192.0.2.1", 27583, 8),
			   tuple(AF_INET, "192.0.2.1", "198.51.100.1", 27583, 0) },
	};
	struct traffic_facts f = facts(TRAFFIC_ACCEPT, &ct);

	f.service = "PING";
	assert_line(&f, HEAD("0000000013")
			"srcip=10.0.0.1 identifier=27583 srcintf=\"port1\" srcintfrole=\"wan\" "
			"dstip=192.0.2.1 dstintf=\"port2\" dstintfrole=\"lan\" sessionid=77 proto=1 "
			"action=\"accept\" policyid=2 policytype=\"policy\" "
			"poluuid=\"c9ff1fd8-db75-51eb-6b34-e17d224884b9\" policyname=\"to_VIP\" "
			"service=\"PING\" trandisp=\"snat\" transip=198.51.100.1 transport=0 " NOTHING);
}
END_TEST

START_TEST(test_ipv6) {
	struct ct ct = {
		.family = AF_INET6,
		.proto = IPPROTO_UDP,
		.tuple = { tuple(AF_INET6, "2001:db8::1", "2001:db8::2", 5353, 53),
			   tuple(AF_INET6, "2001:db8::2", "2001:db8::1", 53, 5353) },
	};
	struct traffic_facts f = facts(TRAFFIC_DENY, &ct);

	f.session = f.policy = 0;
	f.policy_uuid = f.policy_name = "";
	f.service = "DNS";
	assert_line(&f, HEAD("0000000013")
			"srcip=2001:db8::1 srcport=5353 srcintf=\"port1\" srcintfrole=\"wan\" "
			"dstip=2001:db8::2 dstport=53 dstintf=\"port2\" dstintfrole=\"lan\" sessionid=0 "
			"proto=17 action=\"deny\" policyid=0 policytype=\"policy\" service=\"DNS\" "
			"trandisp=\"noop\" " NOTHING);
}
END_TEST

/* A protocol without ports has none in its line either. */
START_TEST(test_no_ports) {
	struct ct ct = virtual_ip();
	struct traffic_facts f = facts(TRAFFIC_ACCEPT, &ct);
	struct str line AUTO_STR = STR_INIT;

	ct.proto = 50;
	traffic_log_print(&f, &line);
	ck_assert_ptr_null(strstr(str_text(&line), " srcport="));
	ck_assert_ptr_null(strstr(str_text(&line), " dstport="));
	ck_assert_ptr_nonnull(strstr(str_text(&line), "trandisp=\"dnat\" tranip=172.16.137.15 tranport=0 "));
}
END_TEST

static const struct {
	const char *server, *client;   /* as the other end sees them; NULL: as they are */
	uint16_t sport, dport;         /* of the answer */
	const char *wanted;
} translations[] = {
	{ NULL, NULL, 80, 40000, "trandisp=\"noop\" duration" },
	{ "10.0.0.9", NULL, 80, 40000, "trandisp=\"dnat\" tranip=10.0.0.9 tranport=80 duration" },
	{ NULL, NULL, 8080, 40000, "trandisp=\"dnat\" tranip=192.0.2.1 tranport=8080 duration" },
	{ NULL, "198.51.100.1", 80, 40000, "trandisp=\"snat\" transip=198.51.100.1 transport=40000 duration" },
	{ NULL, NULL, 80, 1024, "trandisp=\"snat\" transip=10.0.0.1 transport=1024 duration" },
	{ "10.0.0.9", "198.51.100.1", 81, 1025,
	  "trandisp=\"snat+dnat\" tranip=10.0.0.9 tranport=81 transip=198.51.100.1 transport=1025 duration" },
};

START_TEST(test_translation) {
	const char *server = translations[_i].server, *client = translations[_i].client;
	struct ct ct = { .family = AF_INET, .proto = IPPROTO_TCP };
	struct traffic_facts f = facts(TRAFFIC_CLOSE, &ct);
	struct str line AUTO_STR = STR_INIT;

	ct.tuple[CT_ORIG] = tuple(AF_INET, "10.0.0.1", "192.0.2.1", 40000, 80);
	ct.tuple[CT_REPLY] = tuple(AF_INET, server ? server : "192.0.2.1", client ? client : "10.0.0.1",
				   translations[_i].sport, translations[_i].dport);
	traffic_log_print(&f, &line);
	ck_assert_msg(strstr(str_text(&line), translations[_i].wanted), "%s", str_text(&line));
}
END_TEST

static const struct {
	uint8_t proto, state;
	uint32_t by;
	enum traffic_action action;
} endings[] = {
	{ IPPROTO_TCP, TCP_CONNTRACK_TIME_WAIT, 0, TRAFFIC_CLOSE },
	{ IPPROTO_TCP, TCP_CONNTRACK_LAST_ACK, 0, TRAFFIC_CLOSE },
	{ IPPROTO_TCP, TCP_CONNTRACK_CLOSE, 0, TRAFFIC_CLOSE },
	{ IPPROTO_TCP, TCP_CONNTRACK_SYN_SENT, 0, TRAFFIC_TIMEOUT },
	{ IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, 0, TRAFFIC_TIMEOUT },
	{ IPPROTO_TCP, TCP_CONNTRACK_FIN_WAIT, 0, TRAFFIC_TIMEOUT },
	{ IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, 1234, TRAFFIC_CLOSE },
	{ IPPROTO_UDP, 0, 0, TRAFFIC_ACCEPT },
	{ IPPROTO_UDP, 0, 1234, TRAFFIC_ACCEPT },
	{ IPPROTO_ICMP, 0, 0, TRAFFIC_ACCEPT },
	{ IPPROTO_SCTP, 7, 0, TRAFFIC_ACCEPT },
};

START_TEST(test_endings) {
	const struct ct ct = { .proto = endings[_i].proto, .state = endings[_i].state };

	ck_assert_int_eq(traffic_log_ending(&ct, endings[_i].by), endings[_i].action);
}
END_TEST

/* ---- names of services ---- */

static const char services[] =
	"config firewall service custom\n"
	"edit \"wide\"\nset tcp-portrange 7000-7999\nset udp-portrange 1-65535\nnext\n"
	"edit \"narrow\"\nset tcp-portrange 7010-7020\nnext\n"
	"edit \"same\"\nset tcp-portrange 7010-7020\nnext\n"
	"edit \"from\"\nset tcp-portrange 9000:1000-2000\nnext\n"
	"edit \"unreachable\"\nset protocol ICMP\nset icmptype 3\nset icmpcode 1\nnext\n"
	"edit \"routing\"\nset protocol IP\nset protocol-number 89\nnext\n"
	"edit \"every\"\nset protocol IP\nnext\n"
	"edit \"pings\"\nset protocol ICMP\nnext\nend\n";

static const struct {
	struct service_packet packet;
	const char *name;
} names[] = {
	{ { IPPROTO_TCP, 0, 0, 40000, 7500 }, "wide" },
	{ { IPPROTO_TCP, 0, 0, 40000, 7015 }, "narrow" },
	{ { IPPROTO_TCP, 0, 0, 40000, 8000 }, "tcp/8000" },
	{ { IPPROTO_UDP, 0, 0, 40000, 7015 }, "udp/7015" },
	{ { IPPROTO_SCTP, 0, 0, 40000, 7015 }, "sctp/7015" },
	{ { IPPROTO_UDPLITE, 0, 0, 40000, 1 }, "udplite/1" },
	{ { IPPROTO_TCP, 0, 0, 1500, 9000 }, "from" },
	{ { IPPROTO_TCP, 0, 0, 2500, 9000 }, "tcp/9000" },
	{ { IPPROTO_ICMP, 3, 1, 0, 0 }, "unreachable" },
	{ { IPPROTO_ICMP, 3, 2, 0, 0 }, "icmp/3/2" },
	{ { IPPROTO_ICMPV6, 128, 0, 0, 0 }, "icmp6/128/0" },
	{ { 89, 0, 0, 0, 0 }, "routing" },
	{ { 103, 0, 0, 0, 0 }, "proto/103" },
};

START_TEST(test_names) {
	struct model *m = conf_model(services);
	struct service_names *n = service_names_new(m);
	struct str name AUTO_STR = STR_INIT;

	model_free(m); /* names outlive the configuration */
	service_names_print(n, &names[_i].packet, &name);
	ck_assert_str_eq(str_text(&name), names[_i].name);
	service_names_free(n);
}
END_TEST

static Suite *traffic_log_suite(void) {
	Suite *s = suite_create("traffic_log");
	TCase *t = fixture_case(s, "traffic_log");

	tcase_add_test(t, test_closed);
	tcase_add_test(t, test_started);
	tcase_add_test(t, test_implicit_deny);
	tcase_add_test(t, test_icmp);
	tcase_add_test(t, test_ipv6);
	tcase_add_test(t, test_no_ports);
	tcase_add_loop_test(t, test_translation, 0, ARRAY_LEN(translations));
	tcase_add_loop_test(t, test_endings, 0, ARRAY_LEN(endings));
	tcase_add_loop_test(t, test_names, 0, ARRAY_LEN(names));
	return s;
}

int main(void) {
	return fixture_run(traffic_log_suite());
}
