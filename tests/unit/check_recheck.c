/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over the kernel's sessions, each test in a network namespace of its own: which of them
 * are judged at all, what the kernel is told, that a walk begins when rules change and comes to its
 * end in steps. How a session is judged is the subject of check_judge.
 */
#include "backends/recheck.h"

#include <endian.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "backends/ct.h"
#include "backends/ct_writer.h"
#include "backends/session.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "schemas/schema_gen.h"
#include "tests/lib/conf.h"
#include "tests/lib/ct_make.h"
#include "tests/lib/fixture.h"

#define ALL "set schedule \"always\"\nset srcaddr \"all\"\nset service \"ALL\"\nset action accept\n"

/* Policies 2: a virtual IP; 3: outwards; 4: inwards by ports that do not matter here. */
static const char base[] =
	"config system interface\nedit \"port1\"\nnext\nedit \"port2\"\nnext\nend\n"
	"config firewall vip\n"
	"edit \"ssh\"\nset extip 20.150.252.91\nset mappedip \"172.16.137.15\"\nset extintf \"port1\"\n"
	"set portforward enable\nset extport 65022\nset mappedport 22\nnext\n"
	"edit \"self\"\nset extip 20.150.252.92\nset mappedip \"172.16.2.4\"\nset extintf \"port1\"\nnext\nend\n"
	"config firewall policy\n"
	"edit 2\nset srcintf \"port1\"\nset dstintf \"port2\"\nset dstaddr \"ssh\" \"self\"\n" ALL "next\n"
	"edit 3\nset srcintf \"port2\"\nset dstintf \"port1\"\nset dstaddr \"all\"\nset nat enable\n" ALL "next\nend\n";

static const char wider[] =
	"config firewall policy\nedit 9\nset srcintf \"any\"\nset dstintf \"any\"\nset dstaddr \"ssh\" \"all\"\n" ALL
	"next\nend\n";

static const char left_alone[] = "config system settings\nset firewall-session-dirty check-new\nend\n";

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("ip link set lo up && for i in 1 2 3; do ip link add port$i index 1$i type veth peer name peer$i && "
	    "ip link set port$i up && ip link set peer$i up && ip address add 172.16.$i.4/24 dev port$i && "
	    "ip address add fd00:$i::4/64 dev port$i nodad; done && "
	    "ip route add default via 172.16.1.77 && ip route add 172.16.137.0/24 via 172.16.2.77");
	/* The kernel makes the routes of IPv6 addresses some time later. */
	run("until test \"$(ip -6 route show table local | grep -c '^local fd00:')\" = 3; do "
	    "sleep 0.02; done");
}

/* ---- a unit ---- */

struct unit {
	struct model *m;
	struct nft *nft;
	struct recheck *r;
	uint64_t revision;
};

static struct unit unit_new(void) {
	struct unit u = { .m = conf_model(base) };
	struct err err = { 0 };
	struct backend b;

	own_namespace();
	u.nft = nft_new(&err);
	ck_assert_msg(u.nft, "%s", err.text);
	b = nft_backend(u.nft);
	ck_assert_msg(b.start(b.ctx, &(struct commit){ .model = u.m }, &err) == 0, "%s", err.text);
	u.r = recheck_new(u.nft, &err);
	ck_assert_msg(u.r, "%s", err.text);
	return u;
}

static void unit_done(struct unit *u) {
	recheck_free(u->r);
	nft_free(u->nft);
	model_free(u->m);
}

/* Commit what is in the model, by a change of this object of a table. */
static void commit_change(struct unit *u, unsigned int table, const char *key) {
	struct change change = { .after = model_find(u->m, schema_table(table), key) };
	struct commit c = { .model = u->m, .changes = &change, .n_changes = 1 };
	struct backend b = nft_backend(u->nft);
	struct err err = { 0 };

	ck_assert_ptr_nonnull(change.after);
	c.revision = ++u->revision;
	ck_assert_msg(b.prepare(b.ctx, &c, &err) == 0 && b.apply(b.ctx, &err) == 0, "%s", err.text);
	b.finish(b.ctx);
}

/* Rules of a changed configuration; those who watch are not told. */
static void change(struct unit *u, const char *text, const char *removed) {
	conf_load(u->m, text, 2);
	for (; *removed; removed++)
		object_free(model_take(u->m, schema_table(TBL_FIREWALL_POLICY),
				       (char[]){ *removed, '\0' }));
	commit_change(u, TBL_FIREWALL_ADDRESS, "all");
}

static void finish_walk(struct unit *u) {
	struct err err = { 0 };

	recheck_look(u->r);
	while (recheck_busy(u->r))
		ck_assert_msg(recheck_step(u->r, &err) == 0, "%s", err.text);
}

/* ---- sessions ---- */

/* As conntrack(8) lists it, without what varies; "" when it is gone. The caller frees it. */
static char *listing(const char *filter) {
	AUTO_FREE char *command = xasprintf("conntrack -L %s 2>/dev/null", filter);
	FILE *f = popen(command, "r");
	struct str out = STR_INIT;
	char line[512];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		str_add(&out, line);
	pclose(f);
	str_add(&out, "");
	return str_steal(&out);
}

#define GONE (-1)

/* The mark of the only session that there is, or GONE. */
static int64_t mark_of(const char *filter) {
	AUTO_FREE char *list = listing(filter);
	const char *mark = list ? strstr(list, "mark=") : NULL;

	return mark ? strtoll(mark + 5, NULL, 10) : GONE;
}

static void add_session(const char *what) {
	AUTO_FREE char *command = xasprintf("conntrack -I -t 600 %s >/dev/null 2>&1", what);

	run(command);
}

#define TCP "-p tcp --state ESTABLISHED -u SEEN_REPLY,ASSURED "
#define CLIENT "207.102.138.19"
#define SERVER "172.16.137.15"
#define VIP_SESSION \
	TCP "-s " CLIENT " -d 20.150.252.91 --sport 40000 --dport 65022 -r " SERVER " -q " CLIENT \
	    " --reply-port-src 22 --reply-port-dst 40000 -m 2"
#define OUTBOUND \
	TCP "-s " SERVER " -d " CLIENT " --sport 40000 --dport 443 -r " CLIENT " -q 172.16.1.4" \
	    " --reply-port-src 443 --reply-port-dst 40000 -m 3"

static const struct {
	const char *what, *session, *removed, *text;
	int64_t mark;
} cases[] = {
	{ "through a virtual IP, allowed", VIP_SESSION, "3", "", 2 },
	{ "through a virtual IP, no longer allowed", VIP_SESSION, "2", "", GONE },
	{ "through a virtual IP, allowed by another policy", VIP_SESSION, "2", wider, 9 },
	{ "through a virtual IP, left alone", VIP_SESSION, "2", left_alone, 2 },
	{ "outwards, with source translation, allowed", OUTBOUND, "2", "", 3 },
	{ "outwards, with source translation, no longer allowed", OUTBOUND, "3", "", GONE },
	{ "outwards, allowed by another policy", OUTBOUND, "3", wider, 9 },
	{ "UDP", "-p udp -s " SERVER " -d " CLIENT " --sport 53 --dport 53 -m 3", "3", "", GONE },
	{ "UDP", "-p udp -s " SERVER " -d " CLIENT " --sport 53 --dport 53 -m 3", "2", "", 3 },
	{ "GRE", "-p gre --srckey 5 --dstkey 6 -s " SERVER " -d " CLIENT " -m 3", "3", "", GONE },
	{ "a mark that nobody knows", "-p udp -s " SERVER " -d " CLIENT " --sport 5 --dport 6 -m 77", "2", "",
	  3 },
	{ "to the unit", TCP "-s " CLIENT " -d 172.16.1.4 --sport 5 --dport 22", "23", "", 0 },
	{ "to the unit, by a virtual IP", TCP "-s " CLIENT " -d 20.150.252.92 --sport 5 --dport 22 -r 172.16.2.4"
	  " -q " CLIENT " --reply-port-src 22 --reply-port-dst 5", "23", "", 0 },
	{ "of the unit", TCP "-s 172.16.1.4 -d " CLIENT " --sport 5 --dport 22", "23", "", 0 },
	{ "of the unit with itself", TCP "-s 127.0.0.1 -d 127.0.0.1 --sport 5 --dport 22", "23", "", 0 },
	{ "to all", "-p udp -s 0.0.0.0 -d 255.255.255.255 --sport 68 --dport 67", "23", "", 0 },
	{ "between unmanaged interfaces", TCP "-s 172.16.3.5 -d 172.16.3.6 --sport 5 --dport 22 -m 66", "23", "",
	  66 },
	{ "IPv6 through managed interfaces", TCP "-s fd00:1::5 -d fd00:2::5 --sport 5 --dport 22", "2", "",
	  GONE },
	{ "IPv6 between others", TCP "-s fd00:3::5 -d fd00:3::6 --sport 5 --dport 22 -m 6", "2", "", 6 },
	{ "IPv6 to the unit", TCP "-s fd00:1::5 -d fd00:1::4 --sport 5 --dport 22", "2", "", 0 },
	{ "a session of another zone", "-w 5 -p udp -s " SERVER " -d " CLIENT " --sport 5 --dport 6 -m 3", "3", "",
	  GONE },
};

static const char *family(const char *session) {
	return strstr(session, "fd00:") ? "-f ipv6" : "";
}

/* Rules that were there before the sessions take nothing from anyone; then they change. */
START_TEST(test_sessions) {
	const char *filter = family(cases[_i].session);
	struct unit u = unit_new();
	int64_t mark;

	add_session(cases[_i].session);
	finish_walk(&u);
	ck_assert_msg(mark_of(filter) != GONE || strstr(filter, "ipv6"), "%s: gone at first",
		      cases[_i].what);
	change(&u, cases[_i].text, cases[_i].removed);
	finish_walk(&u);
	mark = mark_of(filter);
	ck_assert_msg(mark == cases[_i].mark, "%s (%d): %lld", cases[_i].what, _i, (long long)mark);
	unit_done(&u);
}
END_TEST

/* ---- sessions that conntrack(8) cannot make ---- */

static struct ct_tuple tuple(const char *src, uint16_t sport, const char *dst, uint16_t dport) {
	struct ct_tuple t = { .sport = sport, .dport = dport };

	ck_assert(net_parse(AF_INET, src, &t.src) && net_parse(AF_INET, dst, &t.dst));
	return t;
}

static void put_tuple(struct nlmsghdr *nlh, uint16_t type, uint8_t proto,
		      const struct ct_tuple *t) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, type), *part;

	part = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put_u32(nlh, CTA_IP_V4_SRC, t->src.word[0]);
	mnl_attr_put_u32(nlh, CTA_IP_V4_DST, t->dst.word[0]);
	mnl_attr_nest_end(nlh, part);
	part = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, proto);
	if (proto == IPPROTO_ICMP) {
		mnl_attr_put_u16(nlh, CTA_PROTO_ICMP_ID, htobe16(t->sport));
		mnl_attr_put_u8(nlh, CTA_PROTO_ICMP_TYPE, (uint8_t)t->dport);
		mnl_attr_put_u8(nlh, CTA_PROTO_ICMP_CODE, 0);
	} else {
		mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htobe16(t->sport));
		mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htobe16(t->dport));
	}
	mnl_attr_nest_end(nlh, part);
	mnl_attr_nest_end(nlh, nest);
}

/* Make a session with these tuples, opened by another one (or NULL). */
static void add_entry(uint8_t proto, struct ct_tuple orig, struct ct_tuple reply,
		      const struct ct_tuple *master, uint32_t mark) {
	char data[CT_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW,
					       NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, AF_INET);
	struct mnl_socket *sock = mnl_socket_open(NETLINK_NETFILTER);
	ssize_t n;

	put_tuple(nlh, CTA_TUPLE_ORIG, proto, &orig);
	put_tuple(nlh, CTA_TUPLE_REPLY, proto, &reply);
	if (master)
		put_tuple(nlh, CTA_TUPLE_MASTER, IPPROTO_TCP, master);
	mnl_attr_put_u32(nlh, CTA_STATUS, htobe32(IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED));
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htobe32(600));
	mnl_attr_put_u32(nlh, CTA_MARK, htobe32(mark));
	ck_assert(sock && mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) == 0);
	ck_assert_int_gt(mnl_socket_sendto(sock, nlh, nlh->nlmsg_len), 0);
	n = mnl_socket_recvfrom(sock, data, sizeof(data));
	ck_assert_int_eq(mnl_cb_run(data, (size_t)n, 0, mnl_socket_get_portid(sock), NULL, NULL),
			 MNL_CB_STOP);
	mnl_socket_close(sock);
}

/* Of ICMP, type and code are judged: policy 3 lets out echo requests only. */
START_TEST(test_icmp) {
	static const struct { uint8_t type; int64_t mark; } types[] = { { 8, 3 }, { 13, GONE } };
	uint8_t type = types[_i].type;
	struct unit u = unit_new();

	add_entry(IPPROTO_ICMP, tuple(SERVER, 7, CLIENT, type),
		  tuple(CLIENT, 7, SERVER, type == 8 ? 0 : 14), NULL, 3);
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), 3);
	change(&u, "config firewall policy\nedit 3\nset srcintf \"port2\"\nset dstintf \"port1\"\n"
		   "set srcaddr \"all\"\nset dstaddr \"all\"\nset service \"PING\"\n"
		   "set schedule \"always\"\nset action accept\nnext\nend\n", "");
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), types[_i].mark);
	unit_done(&u);
}
END_TEST

/* A session from the server back to the client, as the data of FTP, opened by this one. */
static void add_expected(const struct ct_tuple *master, uint32_t mark) {
	add_entry(IPPROTO_TCP, tuple(SERVER, 20, CLIENT, 50000), tuple(CLIENT, 50000, SERVER, 20),
		  master,
		  mark);
}

/* It goes where the session goes that opened it, also when that one has ended long ago. */
static const struct {
	const char *removed, *text;
	int64_t mark;
} expected[] = {
	{ "3", "", 2 },
	{ "2", "", GONE },
	{ "23", wider, 9 },
	{ "2", left_alone, 2 },
	{ "", "config firewall vip\nedit \"ssh\"\nset extip 20.150.252.91\nset mappedip \"172.16.137.15\"\n"
	      "set extintf \"port2\"\nset portforward enable\nset extport 65022\nset mappedport 22\nnext\nend\n",
	  GONE },
};

START_TEST(test_expected) {
	const struct ct_tuple master = tuple(CLIENT, 40000, "20.150.252.91", 65022);
	size_t i = (size_t)_i / 2;
	struct unit u = unit_new();

	add_session(VIP_SESSION);
	add_expected(&master, 2);
	if (_i % 2)
		run("conntrack -D -p tcp --orig-port-dst 65022 >/dev/null 2>&1");
	finish_walk(&u);
	ck_assert_int_eq(mark_of("-p tcp --orig-port-dst 50000"), 2);
	change(&u, expected[i].text, expected[i].removed);
	finish_walk(&u);
	ck_assert_int_eq(mark_of("-p tcp --orig-port-dst 50000"), expected[i].mark);
	unit_done(&u);
}
END_TEST

/* The unit's own transfers are no business of policies, whoever opens the second session. */
START_TEST(test_expected_of_the_unit) {
	const struct ct_tuple master = tuple("172.16.1.4", 40000, CLIENT, 21);
	struct unit u = unit_new();

	add_session(TCP "-s 172.16.1.4 -d " CLIENT " --sport 40000 --dport 21");
	add_expected(&master, 0);
	change(&u, "", "23");
	finish_walk(&u);
	ck_assert_int_eq(mark_of("-p tcp --orig-port-dst 50000"), 0);
	unit_done(&u);
}
END_TEST

/* ---- copies of sessions of other members ---- */

#define MEMBERS \
	"config system standalone-cluster\nconfig cluster-peer\nedit 1\nset peerip 172.16.136.70\nnext\nend\nend\n"
#define NO_MEMBERS "config system standalone-cluster\nend\n"
#define COPY (UINT64_C(0x123456780000ab00) | 1u << SESSION_LABEL_COPY)
#define SEEN (1u << SESSION_LABEL_SEEN)
#define REFUSED (1u << SESSION_LABEL_REFUSED)

static void must_be_made(void *arg, const struct ct_change *change, int error) {
	(void)arg;
	(void)change;
	ck_abort_msg("refused: %s", strerror(error));
}

/* A session through the virtual IP, under policy 2. */
static struct ct vip_session(uint64_t label) {
	return (struct ct){ .family = AF_INET,
			    .proto = IPPROTO_TCP,
			    .state = TCP_CONNTRACK_ESTABLISHED,
			    .status = IPS_SEEN_REPLY | IPS_ASSURED,
			    .timeout = 600,
			    .mark = 2,
			    .label = { label, 0 },
			    .tuple = { tuple(CLIENT, 40000, "20.150.252.91", 65022),
				       tuple(SERVER, 22, CLIENT, 40000) } };
}

static void add_copy(uint64_t label) {
	struct ct_change c = { .what = CT_WRITE_CREATE, .ct = vip_session(label) };
	struct err err = { 0 };
	struct ct_writer *w = ct_writer_open(must_be_made, NULL, &err);

	ck_assert_msg(w, "%s", err.text);
	ct_write(w, &c);
	ct_writer_flush(w);
	ct_writer_close(w);
}

/* Its label now; 0 when it is gone. */
static uint64_t label_now(void) {
	struct ct ct = vip_session(0);
	struct err err = { 0 };
	struct ct_netlink *nl = ct_open(&err);
	int rc = ct_get(nl, &ct, &err);

	ct_close(nl);
	ck_assert(rc == 0 || rc == ERR_NOT_FOUND);
	return rc ? 0 : ct.label[0];
}

static const struct {
	const char *removed, *text;
	uint64_t label;
} then[] = {
	{ "", "", COPY | REFUSED },
	{ "3", wider, COPY },
	{ "", left_alone, COPY | REFUSED },
	{ "", NO_MEMBERS, 0 },
};

/* A copy that is not allowed any more stays, refused, until rules allow it again. */
START_TEST(test_copy) {
	struct unit u = unit_new();

	change(&u, MEMBERS, "");
	add_copy(COPY | SEEN);
	finish_walk(&u);
	ck_assert_uint_eq(label_now(), COPY | SEEN);
	change(&u, "", "2");
	finish_walk(&u);
	ck_assert_uint_eq(label_now(), COPY | REFUSED);
	change(&u, then[_i].text, then[_i].removed);
	finish_walk(&u);
	ck_assert_uint_eq(label_now(), then[_i].label);
	unit_done(&u);
}
END_TEST

/* What is left alone by the policy it has stays refused. */
START_TEST(test_copy_left_alone) {
	struct unit u = unit_new();

	change(&u, MEMBERS, "");
	add_copy(COPY);
	finish_walk(&u);
	change(&u, "config system settings\nset firewall-session-dirty check-policy-option\nend\n", "2");
	finish_walk(&u);
	ck_assert_uint_eq(label_now(), COPY | REFUSED);
	change(&u, "config firewall policy\nedit 2\nset srcintf \"port1\"\nset dstintf \"port2\"\n"
		   "set dstaddr \"ssh\"\nset firewall-session-dirty check-new\n" ALL "next\nend\n", "");
	finish_walk(&u);
	ck_assert_uint_eq(label_now(), COPY | REFUSED);
	unit_done(&u);
}
END_TEST

/* ---- the clock ---- */

/* Half of every day; which half it is now depends on the time zone. */
#define HALF_DAYS \
	"config firewall schedule recurring\nedit \"half\"\nset day sunday monday tuesday wednesday thursday " \
	"friday saturday\nset start 00:00\nset end 12:00\nnext\nend\n"

static bool is_first_half(const char *zone) {
	time_t now = time(NULL);
	struct tm tm;

	setenv("TZ", zone, 1);
	tzset();
	return localtime_r(&now, &tm)->tm_hour < 12;
}

static void set_half(bool first) {
	ck_assert(is_first_half("AAA0") == first || is_first_half("BBB12") == first);
}

static void clock_ticks(struct unit *u, bool first) {
	struct err err = { 0 };

	set_half(first);
	ck_assert_msg(nft_refresh(u->nft, u->m, &err) == 0, "%s", err.text);
	finish_walk(u);
}

START_TEST(test_schedule) {
	static const struct { const char *lines; int64_t mark; } ends[] = {
		{ "set schedule-timeout enable\n", GONE }, { "set schedule-timeout disable\n", 3 },
	};
	AUTO_FREE char *text = xasprintf(
		HALF_DAYS "config firewall policy\nedit 3\nset srcintf \"port2\"\nset dstintf \"port1\"\n"
			  "set dstaddr \"all\"\n" ALL "set schedule \"half\"\n%snext\nend\n", ends[_i].lines);
	struct unit u = unit_new();
	uint64_t walks;

	set_half(true);
	add_session(OUTBOUND);
	change(&u, text, "");
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), 3);
	walks = recheck_counts(u.r).walks;
	clock_ticks(&u, false);
	ck_assert_uint_eq(recheck_counts(u.r).walks, walks + 1);
	ck_assert_int_eq(mark_of(""), ends[_i].mark);
	unit_done(&u);
}
END_TEST

#define OVER \
	"config firewall policy\nedit 3\nset srcintf \"port2\"\nset dstintf \"port1\"\nset dstaddr \"all\"\n" \
	ALL "set srcaddr \"group\"\nset schedule \"half\"\n"
#define HOSTS(group, subnet) \
	"config firewall address\nedit \"host\"\nset subnet " subnet "\nnext\nend\n" \
	"config firewall addrgrp\nedit \"group\"\nset member \"host\"\nset comment \"" group "\"\nnext\nend\n"

/* After the clock has ended the schedule of policy 3. */
static const struct {
	const char *text;
	unsigned int table;
	const char *key;
	int64_t mark;
} outlasting[] = {
	/* What has nothing to do with it. */
	{ wider, TBL_FIREWALL_POLICY, "9", 3 },
	{ "", TBL_FIREWALL_ADDRESS, "all", GONE }, /* the policy names it */
	{ "", TBL_FIREWALL_ADDRESS, "none", 3 },
	{ "", TBL_SYSTEM_INTERFACE, "port1", 3 },
	{ left_alone, TBL_SYSTEM_SETTINGS, "", 3 },
	/* The policy itself; with the first three, rules in the kernel stay what they are. */
	{ OVER "set status disable\nnext\nend\n", TBL_FIREWALL_POLICY, "3", GONE },
	{ OVER "set schedule-timeout enable\nnext\nend\n", TBL_FIREWALL_POLICY, "3", GONE },
	{ OVER "set srcaddr \"none\"\nnext\nend\n", TBL_FIREWALL_POLICY, "3", GONE },
	{ OVER "set action deny\nnext\nend\n", TBL_FIREWALL_POLICY, "3", GONE },
	/* What it names. */
	{ "config firewall schedule recurring\nedit \"half\"\nset day sunday\nset start 00:00\nset end 00:01\n"
	  "next\nend\n", TBL_FIREWALL_SCHEDULE_RECURRING, "half", GONE },
	{ HOSTS("x", "0.0.0.0 0.0.0.0"), TBL_FIREWALL_ADDRGRP, "group", GONE },
	{ HOSTS("", "10.0.0.0 255.0.0.0"), TBL_FIREWALL_ADDRESS, "host", GONE },
};

/* The end of a schedule lets sessions live; a change of what had one is a change like any other. */
START_TEST(test_outlasting) {
	struct unit u = unit_new();

	set_half(true);
	add_session(OUTBOUND);
	change(&u, HALF_DAYS HOSTS("", "0.0.0.0 0.0.0.0") OVER "next\nend\n", "");
	finish_walk(&u);
	clock_ticks(&u, false);
	ck_assert_int_eq(mark_of(""), 3);
	conf_load(u.m, outlasting[_i].text, 2);
	commit_change(&u, outlasting[_i].table, outlasting[_i].key);
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), outlasting[_i].mark);
	unit_done(&u);
}
END_TEST

/* What somebody ended stays ended, whatever the clock does; what begins again can outlast again. */
START_TEST(test_ended_by_hand) {
	struct unit u = unit_new();

	set_half(false);
	change(&u, HALF_DAYS HOSTS("", "0.0.0.0 0.0.0.0"), "");
	finish_walk(&u);
	add_session(OUTBOUND);
	conf_load(u.m, OVER "next\nend\n", 2);
	commit_change(&u, TBL_FIREWALL_POLICY, "3");
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), GONE);
	add_session(OUTBOUND);
	conf_load(u.m, wider, 2);
	commit_change(&u, TBL_FIREWALL_POLICY, "9");
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), 9);
	clock_ticks(&u, true);
	ck_assert_int_eq(mark_of(""), 3);
	clock_ticks(&u, false);
	ck_assert_int_eq(mark_of(""), 3);
	unit_done(&u);
}
END_TEST

/* ---- routes ---- */

/* Without a route nothing passes and nothing is judged; with it, it is. */
START_TEST(test_without_route) {
	struct unit u = unit_new();

	add_session(VIP_SESSION);
	finish_walk(&u);
	run("ip route delete default");
	change(&u, "", "2");
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), 2);
	recheck_look_at_routes(u.r);
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), 2);
	run("ip route add default via 172.16.1.77");
	recheck_look_at_routes(u.r);
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), GONE);
	recheck_look_at_routes(u.r);
	ck_assert(!recheck_busy(u.r));
	unit_done(&u);
}
END_TEST

/*
 * The route back to the client is by port3, but that is not how it came in: as long as its policy
 * is there, it stays.
 */
START_TEST(test_other_way_back) {
	struct unit u = unit_new();

	run("ip route add 207.102.138.0/24 via 172.16.3.77");
	add_session(VIP_SESSION);
	finish_walk(&u);
	change(&u, "", "3");
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), 2);
	change(&u, "", "2");
	finish_walk(&u);
	ck_assert_int_eq(mark_of(""), GONE);
	unit_done(&u);
}
END_TEST

/* ---- walks ---- */

#define MANY (RECHECK_AT_ONCE + 15000u)

static void add_many(uint32_t first, uint32_t n) {
	struct ct_maker *m = ct_make_open();

	ct_make_create(m, first, n, 1000);
	ck_assert_uint_eq(ct_make_refused(m), 0);
	ct_make_close(m);
}

static uint32_t count(void) {
	struct err err = { 0 };
	struct ct_netlink *nl = ct_open(&err);
	uint32_t n, max;

	ck_assert_msg(nl && ct_count(nl, &n, &max, &err) == 0, "%s", err.text);
	ct_close(nl);
	return n;
}

START_TEST(test_nothing_to_do) {
	struct unit u = unit_new();

	add_many(0, 10);
	ck_assert(recheck_busy(u.r)); /* who knows what the last daemon left undone */
	recheck_look(u.r);
	ck_assert(!recheck_busy(u.r));
	ck_assert_uint_eq(recheck_counts(u.r).walks, 1);
	ck_assert_uint_eq(recheck_counts(u.r).judged, 10);
	change(&u, "config firewall policy\nedit 3\nset srcintf \"port2\"\nset dstintf \"port1\"\n"
		   "set dstaddr \"all\"\nset nat enable\nset comments \"x\"\n" ALL "next\nend\n", "");
	recheck_look(u.r);
	ck_assert_uint_eq(recheck_counts(u.r).walks, 1);
	change(&u, left_alone, "");
	recheck_look(u.r);
	ck_assert_uint_eq(recheck_counts(u.r).judged, 10);
	change(&u, "", "2");
	recheck_look(u.r);
	ck_assert(!recheck_busy(u.r));
	ck_assert_uint_eq(recheck_counts(u.r).judged, 10);
	ck_assert_uint_eq(count(), 10);
	ck_assert_int_eq(nft_remove(u.nft, NULL), 0);
	recheck_look(u.r);
	ck_assert(!recheck_busy(u.r));
	ck_assert_uint_eq(count(), 10);
	unit_done(&u);
}
END_TEST

/* A table of ordinary size is done when the commit is; what is beyond waits, but not for long. */
START_TEST(test_in_steps) {
	struct unit u = unit_new();
	struct recheck_counts c;
	struct err err = { 0 };
	unsigned int steps = 0;

	add_many(0, MANY);
	finish_walk(&u);
	c = recheck_counts(u.r);
	ck_assert_uint_eq(c.moved, MANY - MANY / 1000); /* they had other marks, but for some */
	change(&u, "", "2");
	recheck_look(u.r);
	ck_assert(recheck_busy(u.r));
	ck_assert_uint_ge(recheck_counts(u.r).ended, RECHECK_AT_ONCE);
	ck_assert_uint_lt(recheck_counts(u.r).ended, RECHECK_AT_ONCE + 1000);
	for (; recheck_busy(u.r); steps++) {
		uint64_t judged = recheck_counts(u.r).judged;

		ck_assert_int_eq(recheck_step(u.r, &err), 0);
		ck_assert_uint_lt(recheck_counts(u.r).judged - judged, 3000);
	}
	ck_assert_uint_gt(steps, 4);
	ck_assert_uint_eq(count(), 0);
	ck_assert_uint_eq(recheck_counts(u.r).ended - c.ended, MANY);
	unit_done(&u);
}
END_TEST

/* New rules in the middle of a walk: all sessions are judged by those. */
START_TEST(test_begin_anew) {
	struct unit u = unit_new();

	add_many(0, MANY);
	finish_walk(&u);
	change(&u, wider, "2");
	recheck_look(u.r);
	ck_assert(recheck_busy(u.r));
	ck_assert_uint_eq(count(), MANY);
	change(&u, "", "9");
	recheck_look(u.r);
	ck_assert(recheck_busy(u.r));
	finish_walk(&u);
	ck_assert_uint_eq(count(), 0);
	unit_done(&u);
}
END_TEST

/* The rules go in the middle of a walk: what has not been judged stays. */
START_TEST(test_rules_go) {
	struct unit u = unit_new();
	struct err err = { 0 };

	add_many(0, MANY);
	recheck_look(u.r);
	ck_assert(recheck_busy(u.r));
	ck_assert_int_eq(nft_remove(u.nft, NULL), 0);
	ck_assert_int_eq(recheck_step(u.r, &err), 0);
	ck_assert(!recheck_busy(u.r));
	ck_assert_uint_eq(count(), MANY);
	unit_done(&u);
}
END_TEST

/* What fails is told and tried again. */
START_TEST(test_failure) {
	struct unit u = unit_new();
	struct err err = { 0 };

	add_many(0, 10);
	finish_walk(&u);
	change(&u, "", "2");
	ck_assert_int_eq(seteuid(65534), 0);
	recheck_look(u.r);
	ck_assert_int_eq(recheck_step(u.r, &err), ERR_KERNEL);
	ck_assert_str_ne(err.text, "");
	ck_assert(recheck_busy(u.r));
	ck_assert_int_eq(recheck_step(u.r, &err), ERR_KERNEL);
	ck_assert(recheck_busy(u.r));
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_uint_eq(count(), 10);
	ck_assert_int_eq(recheck_step(u.r, &err), 0);
	ck_assert(!recheck_busy(u.r));
	ck_assert_uint_eq(count(), 0);
	unit_done(&u);
}
END_TEST

static Suite *recheck_suite(void) {
	Suite *s = suite_create("recheck");
	TCase *t = fixture_case(s, "recheck");

	tcase_add_loop_test(t, test_sessions, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(t, test_icmp, 0, 2);
	tcase_add_loop_test(t, test_expected, 0, 2 * ARRAY_LEN(expected));
	tcase_add_test(t, test_expected_of_the_unit);
	tcase_add_loop_test(t, test_copy, 0, ARRAY_LEN(then));
	tcase_add_test(t, test_copy_left_alone);
	tcase_add_loop_test(t, test_schedule, 0, 2);
	tcase_add_loop_test(t, test_outlasting, 0, ARRAY_LEN(outlasting));
	tcase_add_test(t, test_ended_by_hand);
	tcase_add_test(t, test_without_route);
	tcase_add_test(t, test_other_way_back);
	tcase_add_test(t, test_nothing_to_do);
	tcase_add_test(t, test_in_steps);
	tcase_add_test(t, test_begin_anew);
	tcase_add_test(t, test_rules_go);
	tcase_add_test(t, test_failure);
	return s;
}

int main(void) {
	return fixture_run(recheck_suite());
}
