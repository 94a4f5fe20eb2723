/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions as they are shown: two transcripts of real units byte by byte, then each kind of
 * session, each state, each time, in all three forms.
 */
#include "backends/session_text.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_sctp.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define S UINT64_C(1000000000)
#define NOW (UINT64_C(1700000000) * S)

/* ---- a unit to look at them from ---- */

static void route(struct fib *f, const char *dst, uint8_t prefix, enum fib_kind kind,
		  const char *gateway, int index) {
	uint8_t family = strchr(dst, ':') ? AF_INET6 : AF_INET;
	struct fib_route r = { .family = family, .prefix = prefix,
			       .table = kind == FIB_LOCAL ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
			       .hop = { .kind = kind, .index = index } };

	ck_assert(net_parse(family, dst, &r.dst));
	if (gateway) {
		r.hop.gateway_family = family;
		ck_assert(net_parse(family, gateway, &r.hop.gateway));
	}
	fib_add(f, &r);
}

static struct fib *ways(void) {
	struct fib *f = fib_new();

	route(f, "0.0.0.0", 0, FIB_UNICAST, "172.16.136.1", 3);
	route(f, "172.16.136.0", 26, FIB_UNICAST, NULL, 3);
	route(f, "172.16.136.64", 26, FIB_UNICAST, NULL, 4);
	route(f, "172.16.137.0", 24, FIB_UNICAST, "172.16.136.65", 4);
	route(f, "172.16.136.4", 32, FIB_LOCAL, NULL, FIB_LOOPBACK);
	route(f, "127.0.0.0", 8, FIB_LOCAL, NULL, FIB_LOOPBACK);
	route(f, "10.9.0.0", 16, FIB_REJECT, NULL, 0);
	route(f, "::", 0, FIB_UNICAST, "fd00:3::1", 3);
	route(f, "fd00:4::", 64, FIB_UNICAST, NULL, 4);
	fib_seal(f);
	return f;
}

/* Policy 2 is that of the transcripts. */
static bool policy(void *arg, uint32_t id, struct session_policy *ret) {
	(void)arg;
	if (id == 2)
		*ret = (struct session_policy){ .log = true, .utm = true };
	return id == 2;
}

static bool synced(void *arg, const struct ct *ct) {
	(void)arg;
	return ct->id == 0x1fd4;
}

#define PORTS(first, last) "set start-port " first "\nset end-port " last "\nnext\n"

static const char ttls[] =
	"config system session-ttl\nconfig port\n"
	"edit 1\nset protocol 6\nset timeout 900\n" PORTS("8080", "8090")
	"edit 2\nset protocol 6\nset timeout 60\n" PORTS("53", "53")
	"edit 3\nset protocol 17\nset timeout 60\n" PORTS("53", "53")
	"edit 4\nset protocol 6\nset timeout 1800\n" PORTS("1", "65535")
	"edit 5\nset protocol 17\nset timeout never\n" PORTS("5000", "5000") "end\nend\n"
	"config firewall policy\nedit 3\nset action accept\nset session-ttl 7200\nnext\n"
	"edit 4\nset action accept\nset session-ttl never\nnext\nend\n";

static struct link link_of[] = { { .name = "lo", .index = 1 },
				 { .name = "port1", .index = 3 },
				 { .name = "p\"\\\n\xff", .index = 4 } };
static const struct links links = { .link = link_of, .n = ARRAY_LEN(link_of) };

#define UNIT 0x1234

static struct session_context ctx = { .now_ns = NOW, .policy = policy,
				      .synced = synced, .unit = UNIT, .links = &links };

static char text[4 * SESSION_TEXT_MAX];
static struct fmt f;
static struct session s;

static void begin(void) {
	f = fmt_begin(text, sizeof(text) - 1);
}

static void assert_text(const char *right) {
	ck_assert(!f.cut);
	*f.at = '\0';
	ck_assert_str_eq(text, right);
}

/* ---- sessions ---- */

static void set_label(struct ct *ct, unsigned int first, uint64_t v) {
	ct->label[first / 64] |= v << first % 64;
}

static void set_end(struct ct *ct, const char *addr, union net_addr *ret) {
	ct->family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	ck_assert_msg(net_parse(ct->family, addr, ret), "%s", addr);
}

/* Source, destination, where the answer comes from and where it goes to. */
static struct ct entry(uint8_t proto, const char *src, uint16_t sport, const char *dst,
		       uint16_t dport, const char *from, uint16_t from_port, const char *back,
		       uint16_t back_port) {
	struct ct ct = { .proto = proto, .status = IPS_CONFIRMED, .timeout = 3595, .id = 0x1fd4 };

	set_end(&ct, src, &ct.tuple[CT_ORIG].src);
	set_end(&ct, dst, &ct.tuple[CT_ORIG].dst);
	set_end(&ct, from, &ct.tuple[CT_REPLY].src);
	set_end(&ct, back, &ct.tuple[CT_REPLY].dst);
	ct.tuple[CT_ORIG].sport = sport;
	ct.tuple[CT_ORIG].dport = dport;
	ct.tuple[CT_REPLY].sport = from_port;
	ct.tuple[CT_REPLY].dport = back_port;
	if (proto == IPPROTO_TCP)
		ct.state = TCP_CONNTRACK_ESTABLISHED;
	return ct;
}

static struct ct vip(const char *client, uint16_t port, uint32_t serial, uint64_t age_ms) {
	struct ct ct = entry(IPPROTO_TCP, client, port, "20.150.252.91", 65022, "172.16.137.15", 22,
			     client, port);

	ct.mark = 2;
	set_label(&ct, SESSION_LABEL_SERIAL, serial);
	ct.start_ns = NOW - age_ms * 1000000;
	return ct;
}

static struct ct owned(struct ct ct, uint32_t expire, uint64_t sent, uint64_t sent_packets,
		       uint64_t received, uint64_t received_packets) {
	ct.timeout = expire;
	ct.count[CT_ORIG] = (struct ct_counter){ sent_packets, sent };
	ct.count[CT_REPLY] = (struct ct_counter){ received_packets, received };
	return ct;
}

/* What the owner told: when it began. The entry itself is younger here. */
static struct ct copied(struct ct ct, uint32_t expire) {
	ct.timeout = expire + SESSION_COPY_GRACE_S;
	set_label(&ct, SESSION_LABEL_COPY, 1);
	set_label(&ct, SESSION_LABEL_OWNER, UNIT ^ 3);
	set_label(&ct, SESSION_LABEL_START, ct.start_ns / S);
	set_label(&ct, SESSION_LABEL_START_MS, ct.start_ns % S / 1000000);
	ct.start_ns = NOW - S;
	return ct;
}

/* ---- transcripts ---- */

#define HEAD_1(digits, duration, expire) \
	"\nsession info: proto=6 proto_state=" digits " duration=" duration " expire=" expire \
	" timeout=3600 flags=00000000 socktype=0 sockport=0 av_idx=0 use=4\n"                   \
	"origin-shaper=\nreply-shaper=\nper_ip_shaper=\n"                                       \
	"class_id=0 ha_id=0 policy_dir=0 tunnel=/ vlan_cos=0/255\n"
#define TAIL_1(client, serial, npu) \
	"hook=pre dir=org act=dnat " client "->20.150.252.91:65022(172.16.137.15:22)\n"      \
	"hook=post dir=reply act=snat 172.16.137.15:22->" client "(20.150.252.91:65022)\n"   \
	"hook=post dir=org act=noop " client "->172.16.137.15:22(0.0.0.0:0)\n"               \
	"pos/(before,after) 0/(0,0), 0/(0,0)\n"                                              \
	"misc=0 policy_id=2 auth_info=0 chk_client_info=0 vd=0\n"                            \
	"serial=" serial " tos=ff/ff app_list=0 app=0 url_cat=0\n"                           \
	"sdwan_mbr_seq=0 sdwan_service_id=0\n"                                               \
	"rpdb_link_id=00000000 rpdb_svc_id=0 ngfwid=n/a\n"                                   \
	"npu_state=" npu "\n"
#define WAY_1 "orgin->sink: org pre->post, reply pre->post dev=3->4/4->3 gwy="
#define OWN_STATE "state=log may_dirty synced f00 \n"
#define COPY_STATE                                                        \
	"state=log may_dirty ndr f00 syn_ses \n"                          \
	"statistic(bytes/packets/allow_err): org=0/0/0 reply=0/0/0 tuples=3\n" \
	"tx speed(Bps/kbps): 0/0 rx speed(Bps/kbps): 0/0\n" WAY_1 "0.0.0.0/0.0.0.0\n"

static const char unit_a[] =
	HEAD_1("11", "9", "3595") OWN_STATE
	"statistic(bytes/packets/allow_err): org=4305/22/1 reply=4533/19/1 tuples=3\n"
	"tx speed(Bps/kbps): 436/3 rx speed(Bps/kbps): 459/3\n" WAY_1 "172.16.136.65/172.16.136.1\n"
	TAIL_1("207.102.138.19:57402", "00001fd4", "0x001008")
	HEAD_1("11", "10", "3589") COPY_STATE TAIL_1("13.83.82.124:55212", "00000591", "0x001000")
	"total session 2\n";

static const char unit_b[] =
	HEAD_1("11", "12", "3587") COPY_STATE TAIL_1("207.102.138.19:57402", "00001fd4", "0x001000")
	HEAD_1("11", "13", "3598") OWN_STATE
	"statistic(bytes/packets/allow_err): org=3861/27/1 reply=3965/21/1 tuples=3\n"
	"tx speed(Bps/kbps): 277/2 rx speed(Bps/kbps): 284/2\n" WAY_1 "172.16.136.65/172.16.136.1\n"
	TAIL_1("13.83.82.124:55212", "00000591", "0x001008")
	"total session 2\n";

static void put_list(const struct ct *ct) {
	session_init(&s, &ctx, ct);
	session_text_list(&s, &f);
}

START_TEST(test_transcripts) {
	struct ct first, second;

	begin();
	first = owned(vip("207.102.138.19", 57402, 0x1fd4, 9860), 3595, 4305, 22, 4533, 19);
	second = copied(vip("13.83.82.124", 55212, 0x591, 10940), 3589);
	put_list(&first);
	put_list(&second);
	session_text_total(AF_INET, 2, &f);
	assert_text(unit_a);
	begin();
	first = copied(vip("207.102.138.19", 57402, 0x1fd4, 12860), 3587);
	second = owned(vip("13.83.82.124", 55212, 0x591, 13920), 3598, 3861, 27, 3965, 21);
	put_list(&first);
	put_list(&second);
	session_text_total(AF_INET, 2, &f);
	assert_text(unit_b);
	begin();
	session_text_total(AF_INET, 0, &f);
	session_text_total(AF_INET6, 3, &f);
	assert_text("total session 0\ntotal session6: 3\n");
}
END_TEST

/* ---- kinds of sessions ---- */

struct kind {
	uint8_t proto;
	const char *src;
	uint16_t sport;
	const char *dst;
	uint16_t dport;
	const char *from;
	uint16_t from_port;
	const char *back;
	uint16_t back_port;
	const char *state, *use, *lines; /* lines: from the way to the last hook line */
	const char *row;
};

#define CLIENT "172.16.137.9"
#define TCP IPPROTO_TCP
#define FORWARD "state=may_dirty synced f00 "
#define LOCAL "state=local f00 "

static const struct kind kinds[] = {
	/* A virtual IP with a port of its own. */
	{ TCP, "1.2.3.4", 1000, "20.150.252.91", 80, "172.16.137.15", 8080, "1.2.3.4", 1000, FORWARD, "use=4",
	  "orgin->sink: org pre->post, reply pre->post dev=3->4/4->3 gwy=172.16.136.65/172.16.136.1\n"
	  "hook=pre dir=org act=dnat 1.2.3.4:1000->20.150.252.91:80(172.16.137.15:8080)\n"
	  "hook=post dir=reply act=snat 172.16.137.15:8080->1.2.3.4:1000(20.150.252.91:80)\n"
	  "hook=post dir=org act=noop 1.2.3.4:1000->172.16.137.15:8080(0.0.0.0:0)\n",
	  "tcp     3595   1.2.3.4:1000     -                20.150.252.91:80 172.16.137.15:8080\n" },
	/* One to one: the port stays. */
	{ TCP, "1.2.3.4", 1000, "20.150.252.91", 80, "172.16.137.15", 80, "1.2.3.4", 1000, FORWARD, "use=4",
	  "orgin->sink: org pre->post, reply pre->post dev=3->4/4->3 gwy=172.16.136.65/172.16.136.1\n"
	  "hook=pre dir=org act=dnat 1.2.3.4:1000->20.150.252.91:80(172.16.137.15:80)\n"
	  "hook=post dir=reply act=snat 172.16.137.15:80->1.2.3.4:1000(20.150.252.91:80)\n"
	  "hook=post dir=org act=noop 1.2.3.4:1000->172.16.137.15:80(0.0.0.0:0)\n",
	  "tcp     3595   1.2.3.4:1000     -                20.150.252.91:80 172.16.137.15:80\n" },
	/* Only the port changes. */
	{ TCP, "1.2.3.4", 1000, "172.16.137.15", 80, "172.16.137.15", 8080, "1.2.3.4", 1000, FORWARD, "use=4",
	  "orgin->sink: org pre->post, reply pre->post dev=3->4/4->3 gwy=172.16.136.65/172.16.136.1\n"
	  "hook=pre dir=org act=dnat 1.2.3.4:1000->172.16.137.15:80(172.16.137.15:8080)\n"
	  "hook=post dir=reply act=snat 172.16.137.15:8080->1.2.3.4:1000(172.16.137.15:80)\n"
	  "hook=post dir=org act=noop 1.2.3.4:1000->172.16.137.15:8080(0.0.0.0:0)\n",
	  "tcp     3595   1.2.3.4:1000     -                172.16.137.15:80 172.16.137.15:8080\n" },
	/* The source is translated. */
	{ TCP, CLIENT, 1000, "8.8.8.8", 443, "8.8.8.8", 443, "172.16.136.4", 61000, FORWARD, "use=3",
	  "orgin->sink: org pre->post, reply pre->post dev=4->3/3->4 gwy=172.16.136.1/172.16.136.65\n"
	  "hook=post dir=org act=snat 172.16.137.9:1000->8.8.8.8:443(172.16.136.4:61000)\n"
	  "hook=pre dir=reply act=dnat 8.8.8.8:443->172.16.136.4:61000(172.16.137.9:1000)\n",
	  "tcp     3595   172.16.137.9:1000 172.16.136.4:61000 8.8.8.8:443      -               \n" },
	/* Both ends are. */
	{ TCP, CLIENT, 1000, "20.150.252.91", 80, "172.16.137.15", 8080, "172.16.136.69", 61000, FORWARD, "use=5",
	  "orgin->sink: org pre->post, reply pre->post dev=4->4/4->4 gwy=172.16.136.65/172.16.136.65\n"
	  "hook=pre dir=org act=dnat 172.16.137.9:1000->20.150.252.91:80(172.16.137.15:8080)\n"
	  "hook=post dir=org act=snat 172.16.137.9:1000->172.16.137.15:8080(172.16.136.69:61000)\n"
	  "hook=pre dir=reply act=dnat 172.16.137.15:8080->172.16.136.69:61000(172.16.137.9:1000)\n"
	  "hook=post dir=reply act=snat 172.16.137.15:8080->172.16.137.9:1000(20.150.252.91:80)\n",
	  "tcp     3595   172.16.137.9:1000 172.16.136.69:61000 20.150.252.91:80 172.16.137.15:8080\n" },
	/* Neither; the next hop of an end on a link is that end. */
	{ TCP, "172.16.136.70", 1000, "8.8.8.8", 443, "8.8.8.8", 443, "172.16.136.70", 1000, FORWARD, "use=3",
	  "orgin->sink: org pre->post, reply pre->post dev=4->3/3->4 gwy=172.16.136.1/172.16.136.70\n"
	  "hook=pre dir=org act=noop 172.16.136.70:1000->8.8.8.8:443(0.0.0.0:0)\n"
	  "hook=post dir=reply act=noop 8.8.8.8:443->172.16.136.70:1000(0.0.0.0:0)\n",
	  "tcp     3595   172.16.136.70:1000 -                8.8.8.8:443      -               \n" },
	/* Nobody knows a way. */
	{ TCP, "10.9.1.1", 1000, "10.9.2.2", 443, "10.9.2.2", 443, "10.9.1.1", 1000, FORWARD, "use=3",
	  "orgin->sink: org pre->post, reply pre->post dev=0->0/0->0 gwy=0.0.0.0/0.0.0.0\n"
	  "hook=pre dir=org act=noop 10.9.1.1:1000->10.9.2.2:443(0.0.0.0:0)\n"
	  "hook=post dir=reply act=noop 10.9.2.2:443->10.9.1.1:1000(0.0.0.0:0)\n",
	  "tcp     3595   10.9.1.1:1000    -                10.9.2.2:443     -               \n" },
	/* To the unit. */
	{ TCP, CLIENT, 1000, "172.16.136.4", 22, "172.16.136.4", 22, CLIENT, 1000, LOCAL, "use=3",
	  "orgin->sink: org pre->in, reply out->post dev=4->1/1->4 gwy=172.16.136.4/172.16.136.65\n"
	  "hook=pre dir=org act=noop 172.16.137.9:1000->172.16.136.4:22(0.0.0.0:0)\n"
	  "hook=post dir=reply act=noop 172.16.136.4:22->172.16.137.9:1000(0.0.0.0:0)\n",
	  "tcp     3595   172.16.137.9:1000 -                172.16.136.4:22  -               \n" },
	/* From the unit. */
	{ IPPROTO_UDP, "172.16.136.4", 5353, "8.8.8.8", 53, "8.8.8.8", 53, "172.16.136.4", 5353, LOCAL, "use=3",
	  "orgin->sink: org out->post, reply pre->in dev=1->3/3->1 gwy=172.16.136.1/172.16.136.4\n"
	  "hook=out dir=org act=noop 172.16.136.4:5353->8.8.8.8:53(0.0.0.0:0)\n"
	  "hook=in dir=reply act=noop 8.8.8.8:53->172.16.136.4:5353(0.0.0.0:0)\n",
	  "udp     3595   172.16.136.4:5353 -                8.8.8.8:53       -               \n" },
	/* From the unit to itself. */
	{ TCP, "127.0.0.1", 1000, "127.0.0.1", 80, "127.0.0.1", 80, "127.0.0.1", 1000, LOCAL, "use=3",
	  "orgin->sink: org out->in, reply out->in dev=1->1/1->1 gwy=127.0.0.1/127.0.0.1\n"
	  "hook=out dir=org act=noop 127.0.0.1:1000->127.0.0.1:80(0.0.0.0:0)\n"
	  "hook=in dir=reply act=noop 127.0.0.1:80->127.0.0.1:1000(0.0.0.0:0)\n",
	  "tcp     3595   127.0.0.1:1000   -                127.0.0.1:80     -               \n" },
	/* ICMP: id, then type; both directions have the id, and it is what is translated. */
	{ IPPROTO_ICMP, CLIENT, 768, "8.8.8.8", 8, "8.8.8.8", 62464, "172.16.136.4", 0, FORWARD, "use=3",
	  "orgin->sink: org pre->post, reply pre->post dev=4->3/3->4 gwy=172.16.136.1/172.16.136.65\n"
	  "hook=post dir=org act=snat 172.16.137.9:768->8.8.8.8:8(172.16.136.4:62464)\n"
	  "hook=pre dir=reply act=dnat 8.8.8.8:62464->172.16.136.4:0(172.16.137.9:768)\n",
	  "icmp    3595   172.16.137.9:768 172.16.136.4:62464 8.8.8.8:8        -               \n" },
	{ IPPROTO_ICMP, "1.2.3.4", 768, "20.150.252.91", 8, "172.16.137.15", 768, "1.2.3.4", 0, FORWARD, "use=4",
	  "orgin->sink: org pre->post, reply pre->post dev=3->4/4->3 gwy=172.16.136.65/172.16.136.1\n"
	  "hook=pre dir=org act=dnat 1.2.3.4:768->20.150.252.91:8(172.16.137.15:768)\n"
	  "hook=post dir=reply act=snat 172.16.137.15:768->1.2.3.4:0(20.150.252.91:768)\n"
	  "hook=post dir=org act=noop 1.2.3.4:768->172.16.137.15:8(0.0.0.0:0)\n",
	  "icmp    3595   1.2.3.4:768      -                20.150.252.91:8  172.16.137.15:8 \n" },
	/* Protocols without ports. */
	{ 50, CLIENT, 0, "8.8.8.8", 0, "8.8.8.8", 0, CLIENT, 0, FORWARD, "use=3",
	  "orgin->sink: org pre->post, reply pre->post dev=4->3/3->4 gwy=172.16.136.1/172.16.136.65\n"
	  "hook=pre dir=org act=noop 172.16.137.9:0->8.8.8.8:0(0.0.0.0:0)\n"
	  "hook=post dir=reply act=noop 8.8.8.8:0->172.16.137.9:0(0.0.0.0:0)\n",
	  "50      3595   172.16.137.9:0   -                8.8.8.8:0        -               \n" },
	/* IPv6. */
	{ TCP, "fd00:4::9", 1000, "2001:db8::1", 80, "2001:db8::1", 80, "fd00:4::9", 1000, FORWARD, "use=3",
	  "orgin->sink: org pre->post, reply pre->post dev=4->3/3->4 gwy=fd00:3::1/fd00:4::9\n"
	  "hook=pre dir=org act=noop fd00:4::9:1000->2001:db8::1:80(:::0)\n"
	  "hook=post dir=reply act=noop 2001:db8::1:80->fd00:4::9:1000(:::0)\n",
	  "tcp     3595   fd00:4::9:1000   -                2001:db8::1:80   -               \n" },
	{ IPPROTO_ICMPV6, "fd00:4::9", 89, "2001:db8::1", 128, "2001:db8::1", 27355, "fd00:3::52", 129, FORWARD,
	  "use=3",
	  "orgin->sink: org pre->post, reply pre->post dev=4->3/3->4 gwy=fd00:3::1/fd00:4::9\n"
	  "hook=post dir=org act=snat fd00:4::9:89->2001:db8::1:128(fd00:3::52:27355)\n"
	  "hook=pre dir=reply act=dnat 2001:db8::1:27355->fd00:3::52:129(fd00:4::9:89)\n",
	  "icmp6   3595   fd00:4::9:89     fd00:3::52:27355 2001:db8::1:128  -               \n" },
};

START_TEST(test_kinds) {
	const struct kind *k = &kinds[_i];
	struct ct ct = entry(k->proto, k->src, k->sport, k->dst, k->dport, k->from, k->from_port,
			     k->back, k->back_port);
	const char *way, *end;

	begin();
	put_list(&ct);
	ck_assert(!f.cut);
	*f.at = '\0';
	ck_assert_int_eq(strncmp(text, ct.family == AF_INET ? "\nsession info: " : "\nsession6 info: ", 15),
			 0);
	ck_assert_ptr_nonnull(strstr(text, k->state));
	ck_assert_ptr_nonnull(strstr(text, k->use));
	way = strstr(text, "orgin->sink");
	end = strstr(text, k->proto == TCP ? "pos/" : "misc=");
	ck_assert(way && end);
	/* Only TCP has sequence numbers. */
	ck_assert_int_eq(strstr(text, "pos/") != NULL, k->proto == TCP);
	text[end - text] = '\0';
	ck_assert_str_eq(way, k->lines);
	begin();
	session_text_row(&s, &f);
	assert_text(k->row);
}
END_TEST

START_TEST(test_header) {
	begin();
	session_text_header(&f);
	assert_text("PROTO   EXPIRE SOURCE           SOURCE-NAT       DESTINATION      DESTINATION-NAT \n");
}
END_TEST

/* ---- states ---- */

static const struct {
	uint8_t proto, state;
	uint32_t status, mark;
	const char *digits;
} states[] = {
	{ TCP, TCP_CONNTRACK_NONE, 0, 0, "00" },
	{ TCP, TCP_CONNTRACK_SYN_SENT, 0, 0, "02" },
	{ TCP, TCP_CONNTRACK_SYN_RECV, 0, 0, "03" },
	{ TCP, TCP_CONNTRACK_ESTABLISHED, 0, 0, "01" },
	{ TCP, TCP_CONNTRACK_FIN_WAIT, 0, 0, "04" },
	{ TCP, TCP_CONNTRACK_CLOSE_WAIT, 0, 0, "07" },
	{ TCP, TCP_CONNTRACK_LAST_ACK, 0, 0, "08" },
	{ TCP, TCP_CONNTRACK_TIME_WAIT, 0, 0, "05" },
	{ TCP, TCP_CONNTRACK_CLOSE, 0, 0, "06" },
	{ TCP, TCP_CONNTRACK_SYN_SENT2, 0, 0, "02" },
	{ TCP, 200, 0, 0, "00" },
	{ TCP, TCP_CONNTRACK_ESTABLISHED, 0, 2, "11" },
	{ TCP, TCP_CONNTRACK_FIN_WAIT, 0, 2, "14" },
	{ TCP, TCP_CONNTRACK_ESTABLISHED, 0, 3, "01" },
	{ IPPROTO_UDP, 0, 0, 2, "00" },
	{ IPPROTO_UDP, 0, IPS_SEEN_REPLY, 2, "01" },
	{ IPPROTO_UDPLITE, 0, IPS_SEEN_REPLY, 0, "01" },
	{ IPPROTO_ICMP, 0, IPS_SEEN_REPLY, 2, "00" },
	{ IPPROTO_GRE, 0, IPS_SEEN_REPLY, 2, "00" },
	{ IPPROTO_SCTP, SCTP_CONNTRACK_NONE, 0, 0, "00" },
	{ IPPROTO_SCTP, SCTP_CONNTRACK_CLOSED, 0, 0, "02" },
	{ IPPROTO_SCTP, SCTP_CONNTRACK_COOKIE_WAIT, 0, 0, "03" },
	{ IPPROTO_SCTP, SCTP_CONNTRACK_COOKIE_ECHOED, 0, 0, "04" },
	{ IPPROTO_SCTP, SCTP_CONNTRACK_ESTABLISHED, 0, 0, "01" },
	{ IPPROTO_SCTP, SCTP_CONNTRACK_SHUTDOWN_SENT, 0, 0, "05" },
	{ IPPROTO_SCTP, SCTP_CONNTRACK_SHUTDOWN_RECD, 0, 0, "06" },
	{ IPPROTO_SCTP, SCTP_CONNTRACK_SHUTDOWN_ACK_SENT, 0, 0, "07" },
	{ IPPROTO_SCTP, SCTP_CONNTRACK_HEARTBEAT_SENT, 0, 0, "01" },
};

START_TEST(test_states) {
	struct ct ct = entry(states[_i].proto, "1.2.3.4", 1, "5.6.7.8", 2, "5.6.7.8", 2, "1.2.3.4", 1);

	ct.state = states[_i].state;
	ct.status = states[_i].status;
	ct.mark = states[_i].mark;
	session_init(&s, &ctx, &ct);
	ck_assert_uint_eq(s.state[0], states[_i].digits[0] - '0');
	ck_assert_uint_eq(s.state[1], states[_i].digits[1] - '0');
}
END_TEST

/* ---- times and rates ---- */

static const struct {
	uint8_t proto;
	uint16_t dport;
	uint32_t mark, left;       /* policy, seconds of the kernel */
	enum { PASSING, COPY, SEEN, OWN } kind;
	const char *first;         /* expire= and timeout= */
} times[] = {
	{ TCP, 22, 0, 1795, PASSING, " expire=1795 timeout=1800 " },
	{ TCP, 8085, 0, 895, PASSING, " expire=895 timeout=900 " },
	{ TCP, 53, 0, 10, PASSING, " expire=10 timeout=60 " },
	{ TCP, 8085, 3, 7199, PASSING, " expire=7199 timeout=7200 " },
	{ TCP, 0, 0, 3595, PASSING, " expire=3595 timeout=3600 " },
	{ IPPROTO_SCTP, 9, 0, 3595, PASSING, " expire=3595 timeout=3600 " },
	{ IPPROTO_UDP, 9, 0, 29, PASSING, " expire=29 timeout=0 " },
	{ IPPROTO_UDP, 53, 0, 29, PASSING, " expire=29 timeout=60 " },
	{ IPPROTO_UDP, 9, 3, 29, PASSING, " expire=29 timeout=7200 " },
	{ IPPROTO_ICMP, 8, 0, 29, PASSING, " expire=29 timeout=0 " },
	{ TCP, 9, 4, 2764801, PASSING, " expire=never timeout=never " },
	{ TCP, 9, 4, 2147483, PASSING, " expire=never timeout=never " },
	{ TCP, 9, 4, 119, PASSING, " expire=119 timeout=never " },
	{ IPPROTO_UDP, 5000, 0, 4000000, PASSING, " expire=never timeout=never " },
	/* Copies live a little longer than they show. */
	{ TCP, 22, 0, 1900, COPY, " expire=1600 timeout=1800 " },
	{ TCP, 22, 0, 300, COPY, " expire=0 timeout=1800 " },
	{ TCP, 22, 0, 5, COPY, " expire=0 timeout=1800 " },
	{ TCP, 22, 0, 9999, COPY, " expire=1800 timeout=1800 " },
	{ IPPROTO_UDP, 9, 0, 330, COPY, " expire=30 timeout=0 " },
	/* Unless packets come here. */
	{ TCP, 22, 0, 1799, SEEN, " expire=1799 timeout=1800 " },
	/* Begun before the times changed. */
	{ TCP, 8085, 0, 3599, PASSING, " expire=3599 timeout=3599 " },
	{ IPPROTO_UDP, 53, 0, 179, PASSING, " expire=179 timeout=179 " },
	{ IPPROTO_UDP, 9, 0, 179, PASSING, " expire=179 timeout=0 " },
	/* Rules about policies, services and ports do not see the unit's own. */
	{ TCP, 8085, 0, 3595, OWN, " expire=3595 timeout=3600 " },
	{ IPPROTO_UDP, 5000, 0, 29, OWN, " expire=29 timeout=0 " },
};

START_TEST(test_times) {
	struct session_context own = ctx;
	struct model *m = conf_model(ttls);
	struct ttl *ttl = ttl_new(m);
	const char *from = times[_i].kind == OWN ? "172.16.136.4" : "1.2.3.4";
	struct ct ct = entry(times[_i].proto, from, 1, "5.6.7.8", times[_i].dport, "5.6.7.8",
			     times[_i].dport, from, 1);

	own.ttl = ttl;
	ct.mark = times[_i].mark;
	ct.timeout = times[_i].left;
	if (times[_i].kind == COPY || times[_i].kind == SEEN)
		set_label(&ct, SESSION_LABEL_COPY, 1);
	if (times[_i].kind == SEEN)
		set_label(&ct, SESSION_LABEL_SEEN, 1);
	session_init(&s, &own, &ct);
	begin();
	session_text_list(&s, &f);
	*f.at = '\0';
	ck_assert_msg(strstr(text, times[_i].first), "%s", text);
	ttl_free(ttl);
	model_free(m);
}
END_TEST

static const struct {
	uint64_t start_ns, bytes;
	uint32_t duration;
	uint64_t rate;
} rates[] = {
	{ NOW - 10 * S, 1000, 10, 100 },
	{ NOW - 10 * S + 1, 1000, 9, 100 },
	{ NOW - S / 2, 1000, 0, 2000 },
	{ NOW - 3 * S, UINT64_C(1) << 62, 3, (UINT64_C(1) << 62) / 3 },
	{ NOW - 86400 * 365 * S, UINT64_C(31536000) * 125000000, 31536000, 125000000 },
	/* Not known, or not yet. */
	{ 0, 1000, 0, 0 },
	{ NOW, 1000, 0, 0 },
	{ NOW + S, 1000, 0, 0 },
};

START_TEST(test_rates) {
	struct ct ct = entry(TCP, "1.2.3.4", 1, "5.6.7.8", 2, "5.6.7.8", 2, "1.2.3.4", 1);

	ct.start_ns = rates[_i].start_ns;
	ct.count[CT_REPLY].bytes = rates[_i].bytes;
	session_init(&s, &ctx, &ct);
	ck_assert_uint_eq(s.duration, rates[_i].duration);
	ck_assert_uint_eq(s.rate[CT_ORIG], 0);
	ck_assert_uint_eq(s.rate[CT_REPLY], rates[_i].rate);
}
END_TEST

/* ---- who owns it ---- */

START_TEST(test_copies) {
	struct ct ct = copied(vip("1.2.3.4", 1000, 0xabcd, 5000), 100), local;
	union net_addr gateway;

	session_init(&s, &ctx, &ct);
	session_way(&s);
	ck_assert(s.copy);
	ck_assert_uint_eq(s.duration, 5);
	ck_assert_uint_eq(s.serial, 0xabcd);
	ck_assert_uint_eq(session_gateway(&s, 0, &gateway), 0);
	ck_assert_uint_eq(session_gateway(&s, 1, &gateway), 0);
	ck_assert_int_eq(session_link(&s, 0), 3);
	ck_assert_int_eq(session_link(&s, 1), 4);
	/* Once a packet has come by here, its way is known. */
	set_label(&ct, SESSION_LABEL_SEEN, 1);
	session_init(&s, &ctx, &ct);
	session_way(&s);
	ck_assert_uint_eq(session_gateway(&s, 0, &gateway), AF_INET);
	ck_assert_uint_eq(gateway.word[0], htonl(0xac108801));
	/* Sessions of the unit itself are never copied. */
	local = entry(TCP, CLIENT, 1, "172.16.136.4", 22, "172.16.136.4", 22, CLIENT, 1);
	session_init(&s, &ctx, &local);
	ck_assert_uint_eq(s.state1 & SESSION_SYNCED, SESSION_SYNCED);
	session_way(&s);
	ck_assert_uint_eq(s.state1, SESSION_LOCAL);
	/* Nothing is known but the entry. */
	session_init(&s, &(struct session_context){ .now_ns = NOW }, &local);
	session_way(&s);
	ck_assert_uint_eq(s.state1, SESSION_MAY_DIRTY);
	ck_assert_int_eq(session_link(&s, 0), 0);
}
END_TEST

START_TEST(test_serials) {
	struct ct ct = entry(TCP, "1.2.3.4", 1, "5.6.7.8", 2, "5.6.7.8", 2, "1.2.3.4", 1), other = ct;
	uint32_t serial = session_serial(&ct), n = 0;

	ck_assert_uint_ne(serial, 0);
	/* What changes while a session lives changes nothing. */
	other.timeout = 1;
	other.mark = 77;
	other.status |= IPS_ASSURED;
	other.count[0].bytes = 7;
	set_label(&other, SESSION_LABEL_SEEN, 1);
	other.tuple[CT_REPLY].sport = 9;
	ck_assert_uint_eq(session_serial(&other), serial);
	set_label(&other, SESSION_LABEL_SERIAL, 0xdeadbeef);
	ck_assert_uint_eq(session_serial(&other), 0xdeadbeef);
	/* What makes it another session changes it. */
	for (int i = 0; i < 9; i++) {
		other = ct;
		i == 0	 ? (other.id ^= 1)
		: i == 1 ? (other.zone ^= 1)
		: i == 2 ? (other.proto ^= 1)
		: i == 3 ? (other.tuple[CT_ORIG].sport ^= 1)
		: i == 4 ? (other.tuple[CT_ORIG].dport ^= 1)
		: i == 5 ? (other.tuple[CT_ORIG].src.byte[3] ^= 1)
		: i == 6 ? (other.tuple[CT_ORIG].dst.byte[3] ^= 1)
		: i == 7 ? (other.tuple[CT_ORIG].src.byte[15] ^= 1)
			 : (other.tuple[CT_ORIG].icmp_code ^= 1);
		n += session_serial(&other) != serial;
	}
	ck_assert_uint_eq(n, 9);
}
END_TEST

/* ---- the rest of the long form ---- */

START_TEST(test_details) {
	struct ct ct = entry(TCP, "1.2.3.4", 1, "172.16.137.9", 21, "172.16.137.9", 21, "1.2.3.4", 1);
	struct session_context own = ctx;

	strcpy(ct.helper, "ftp");
	ct.seqadj[CT_ORIG] = (struct ct_seqadj){ 4000000000, -3, 4 };
	ct.seqadj[CT_REPLY] = (struct ct_seqadj){ 5, 6, -7 };
	ct.count[CT_ORIG] = (struct ct_counter){ 1, 40 };
	ct.mark = 4294967294;
	own.vd = 7;
	session_init(&s, &own, &ct);
	begin();
	session_text_list(&s, &f);
	*f.at = '\0';
	ck_assert_ptr_nonnull(strstr(text, " tunnel=/ helper=ftp vlan_cos=0/255\n"));
	ck_assert_ptr_nonnull(strstr(text, "pos/(before,after) 4000000000/(-3,4), 5/(6,-7)\n"));
	ck_assert_ptr_nonnull(strstr(text, "allow_err): org=40/1/1 reply=0/0/0 tuples=2\n"));
	ck_assert_ptr_nonnull(strstr(text, " policy_id=4294967294 "));
	ck_assert_ptr_nonnull(strstr(text, " vd=7\n"));
}
END_TEST

/* ---- JSON ---- */

START_TEST(test_json) {
	struct ct ct = owned(vip("207.102.138.19", 57402, 0x1fd4, 9860), 3595, 4305, 22, 4533, 19);

	session_init(&s, &ctx, &ct);
	begin();
	session_text_json(&s, &f);
	assert_text("{\"vdom\":0,\"family\":\"ipv4\",\"serial\":\"00001fd4\",\"protocol\":6,\"state\":\"11\","
		    "\"policy\":2,\"duration\":9,\"expire\":3595,\"timeout\":3600,"
		    "\"flags\":[\"log\",\"may_dirty\",\"synced\"],\"helper\":null,"
		    "\"source\":{\"address\":\"207.102.138.19\",\"port\":57402},\"source_nat\":null,"
		    "\"destination\":{\"address\":\"20.150.252.91\",\"port\":65022},"
		    "\"destination_nat\":{\"address\":\"172.16.137.15\",\"port\":22},"
		    "\"sent\":{\"bytes\":4305,\"packets\":22,\"rate\":436},"
		    "\"received\":{\"bytes\":4533,\"packets\":19,\"rate\":459},"
		    "\"incoming\":{\"interface\":\"port1\",\"index\":3,\"gateway\":\"172.16.136.1\"},"
		    "\"outgoing\":{\"interface\":\"p\\\"\\\\\\u000a\xef\xbf\xbd\",\"index\":4,"
		    "\"gateway\":\"172.16.136.65\"}}");
	ct = entry(IPPROTO_ICMPV6, "fd00:4::9", 89, "fd00:9::1", 128, "fd00:9::1", 90, "fd00:3::52", 129);
	ct.mark = 4;
	ct.timeout = 59;
	strcpy(ct.helper, "a\"b");
	session_init(&s, &(struct session_context){ .now_ns = NOW, .policy = policy }, &ct);
	begin();
	session_text_json(&s, &f);
	*f.at = '\0';
	ck_assert_ptr_nonnull(strstr(text, "\"family\":\"ipv6\""));
	ck_assert_ptr_nonnull(strstr(text, "\"expire\":59,\"timeout\":0,"
					   "\"flags\":[\"may_dirty\"],\"helper\":\"a\\\"b\""));
	ck_assert_ptr_nonnull(strstr(text, "\"source_nat\":{\"address\":\"fd00:3::52\",\"port\":90}"));
	ck_assert_ptr_nonnull(strstr(text, "\"outgoing\":{\"interface\":null,\"index\":null,\"gateway\":null}}"));
}
END_TEST

/* A session without end, and a helper that the kernel calls by another name. */
START_TEST(test_json_never) {
	static const struct ttl never = { .system = { { [TTL_IDLE] = TTL_NEVER } } };
	struct ct ct = entry(TCP, "1.2.3.4", 1, "5.6.7.8", 1720, "5.6.7.8", 1720, "1.2.3.4", 1);

	ct.timeout = TTL_KERNEL_MAX;
	strcpy(ct.helper, "Q.931");
	session_init(&s, &(struct session_context){ .now_ns = NOW, .ttl = &never }, &ct);
	begin();
	session_text_json(&s, &f);
	*f.at = '\0';
	ck_assert_ptr_nonnull(strstr(text, "\"expire\":null,\"timeout\":null,"));
	ck_assert_ptr_nonnull(strstr(text, "\"helper\":\"h323\""));
}
END_TEST

/* ---- bounds ---- */

/* The longest there can be fits, and where it does not, nothing is written behind the end. */
START_TEST(test_bounds) {
	static void (*const forms[])(struct session *s, struct fmt *f) = { session_text_list,
									   session_text_json };
	struct rng r = rng_seed(fixture_seed());
	struct session_context own = ctx;
	struct ct ct;

	own.vd = UINT32_MAX;
	memset(&ct, 0xff, sizeof(ct));
	memset(ct.helper, '"', sizeof(ct.helper) - 1);
	ct.helper[sizeof(ct.helper) - 1] = '\0';
	ct.family = AF_INET6;
	ct.proto = TCP;
	ct.has_master = true;
	ct.label[0] = 0;
	ct.label[1] = 0;
	for (int i = 0; i < 15; i += 2)
		ct.tuple[CT_REPLY].src.byte[i] = ct.tuple[CT_ORIG].src.byte[i] = 0xfe;
	ct.seqadj[0] = ct.seqadj[1] = (struct ct_seqadj){ UINT32_MAX, INT32_MIN, INT32_MIN };
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		size_t longest;

		session_init(&s, &own, &ct);
		f = fmt_begin(text, SESSION_TEXT_MAX);
		forms[i](&s, &f);
		ck_assert(!f.cut);
		longest = (size_t)(f.at - text);
		ck_assert_uint_gt(longest, 500);
		for (unsigned int j = 0; j < 500; j++) {
			size_t room = rng_below(&r, (uint32_t)longest);

			memset(text, '#', longest + 1);
			f = fmt_begin(text, room);
			forms[i](&s, &f);
			ck_assert(f.cut);
			ck_assert_uint_le((size_t)(f.at - text), room);
			ck_assert_int_eq(text[room], '#');
		}
	}
}
END_TEST

static void setup(void) {
	ctx.fib = ways();
}

static void teardown(void) {
	ctx.fib = fib_free(ctx.fib);
}

static Suite *session_suite(void) {
	Suite *suite = suite_create("session text");
	TCase *t = fixture_case(suite, "session text");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_transcripts);
	tcase_add_loop_test(t, test_kinds, 0, ARRAY_LEN(kinds));
	tcase_add_test(t, test_header);
	tcase_add_loop_test(t, test_states, 0, ARRAY_LEN(states));
	tcase_add_loop_test(t, test_times, 0, ARRAY_LEN(times));
	tcase_add_loop_test(t, test_rates, 0, ARRAY_LEN(rates));
	tcase_add_test(t, test_copies);
	tcase_add_test(t, test_serials);
	tcase_add_test(t, test_details);
	tcase_add_test(t, test_json);
	tcase_add_test(t, test_json_never);
	tcase_add_test(t, test_bounds);
	return suite;
}

int main(void) {
	return fixture_run(session_suite());
}
