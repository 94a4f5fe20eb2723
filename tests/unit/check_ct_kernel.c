/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own entries, each test in a network namespace of its own, compared with what
 * conntrack(8) reads of them; requests, filters, and listings while sessions come and go.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backends/ct.h"
#include "cfgdb/base/fmt.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "tests/lib/ct_make.h"
#include "tests/lib/fixture.h"

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* The output of a command; the caller frees. */
static char *output(const char *command) {
	FILE *f = popen(command, "r");
	struct str out = STR_INIT;
	char line[512];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		str_add(&out, line);
	ck_assert_msg(pclose(f) == 0, "%s", command);
	return str_steal(&out);
}

static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1 && "
	    "ip link set lo up");
}

/* ---- listing ---- */

struct entries {
	struct ct ct[4096];
	uint32_t n;
};

static void keep(void *arg, const struct ct *ct) {
	struct entries *es = arg;

	ck_assert_uint_lt(es->n, ARRAY_LEN(es->ct));
	es->ct[es->n++] = *ct;
}

static void list(const struct ct_kernel_filter *filter, void (*each)(void *, const struct ct *),
		 void *arg) {
	struct err err = { 0 };
	struct ct_dump *d = ct_dump_open(filter, &err);
	enum ct_dump_state state = CT_DUMP_MORE;

	ck_assert_msg(d, "%s", err.text);
	while (state == CT_DUMP_MORE) {
		struct pollfd p = { .fd = ct_dump_fd(d), .events = POLLIN };

		ck_assert_msg(poll(&p, 1, 10000) == 1, "a listing is always readable up to its end");
		state = ct_dump_next(d, each, arg, &err);
	}
	ck_assert_msg(state == CT_DUMP_END, "%s", err.text);
	ct_dump_close(d);
}

static struct entries *entries_new(const struct ct_kernel_filter *filter) {
	struct entries *es = xcalloc(1, sizeof(*es));

	list(filter, keep, es);
	return es;
}

/* ---- entries as conntrack(8) prints them ---- */

static void add_addr(struct str *out, const char *name, int family, const union net_addr *addr) {
	char text[INET6_ADDRSTRLEN];

	str_addf(out, " %s=%s", name, inet_ntop(family, addr->byte, text, sizeof(text)));
}

static void add_tuple(struct str *out, const struct ct *ct, enum ct_dir dir) {
	const struct ct_tuple *t = &ct->tuple[dir];
	const struct ct_counter *c = &ct->count[dir];

	add_addr(out, "src", ct->family, &t->src);
	add_addr(out, "dst", ct->family, &t->dst);
	if (ct_is_icmp(ct->proto))
		str_addf(out, " type=%u code=%u id=%u", t->dport, t->icmp_code, t->sport);
	else if (ct->proto == IPPROTO_GRE)
		str_addf(out, " srckey=0x%x dstkey=0x%x", t->sport, t->dport);
	else if (ct_has_ports(ct->proto))
		str_addf(out, " sport=%u dport=%u", t->sport, t->dport);
	str_addf(out, " packets=%llu bytes=%llu", (unsigned long long)c->packets,
		 (unsigned long long)c->bytes);
	if (dir == CT_ORIG && !(ct->status & IPS_SEEN_REPLY))
		str_add(out, " [UNREPLIED]");
}

static const char *proto_name(uint8_t proto) {
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_GRE:
		return "gre";
	default:
		return "unknown";
	}
}

static const char *state_name(const struct ct *ct) {
	static const char *const tcp[] = { "NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
					   "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
					   "CLOSE",    "SYN_SENT2" };
	static const char *const sctp[] = { "NONE",        "CLOSED",        "COOKIE_WAIT",
					    "COOKIE_ECHOED", "ESTABLISHED",   "SHUTDOWN_SENT",
					    "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT" };

	if (ct->proto == IPPROTO_TCP)
		return tcp[ct->state];
	return ct->proto == IPPROTO_SCTP ? sctp[ct->state] : NULL;
}

/* One line without what changes by itself: timeout, use, start. */
static void add_entry(struct str *out, const struct ct *ct) {
	str_addf(out, "%s %d %s %u", ct->family == AF_INET ? "ipv4" : "ipv6", ct->family,
		 proto_name(ct->proto), ct->proto);
	if (state_name(ct))
		str_addf(out, " %s", state_name(ct));
	add_tuple(out, ct, CT_ORIG);
	add_tuple(out, ct, CT_REPLY);
	str_addf(out, "%s mark=%u", ct->status & IPS_ASSURED ? " [ASSURED]" : "", ct->mark);
	if (ct->zone)
		str_addf(out, " zone=%u", ct->zone);
	if (ct->helper[0])
		str_addf(out, " helper=%s", ct->helper);
	str_addf(out, " id=%u", ct->id);
}

/* Every entry is the line that conntrack(8) prints of it, and there are no others. */
static void compare_with_conntrack(const struct entries *es) {
	AUTO_FREE char *right = output("conntrack -L -o extended,id 2>/dev/null | sed -E 's/ +/ /g; "
				       "s/^(ip.. [0-9]+ [a-z0-9]+ [0-9]+) [0-9]+/\\1/; s/ (use|delta-time)=[0-9]+//g'");
	uint32_t lines = 0;

	for (const char *at = right; *at; at++)
		lines += *at == '\n';
	ck_assert_uint_eq(es->n, lines);
	for (uint32_t i = 0; i < es->n; i++) {
		AUTO_STR struct str line = STR_INIT;

		add_entry(&line, &es->ct[i]);
		str_add_char(&line, '\n');
		ck_assert_msg(strstr(right, str_text(&line)), "%s is not in\n%s", str_text(&line),
			      right);
	}
}

/* ---- entries of every kind ---- */

#define INSERT(words) "conntrack -I " words " -t 300 >/dev/null 2>&1 && "
#define TCP(last, words) \
	INSERT("-p tcp -s 10.0.0.1 -d 10.0.1." last " --sport 40000 --dport 80 " words)

static const char all_kinds[] =
	TCP("1", "--state SYN_SENT")
	TCP("2", "--state SYN_RECV -u SEEN_REPLY")
	TCP("3", "--state ESTABLISHED -u SEEN_REPLY,ASSURED --mark 4294967295")
	TCP("4", "--state FIN_WAIT -u SEEN_REPLY,ASSURED")
	TCP("5", "--state CLOSE_WAIT -u SEEN_REPLY,ASSURED")
	TCP("6", "--state LAST_ACK -u SEEN_REPLY,ASSURED")
	TCP("7", "--state TIME_WAIT -u SEEN_REPLY,ASSURED")
	TCP("8", "--state CLOSE -u SEEN_REPLY,ASSURED")
	TCP("9", "--state ESTABLISHED -u SEEN_REPLY,ASSURED --dst-nat 192.168.7.7:8080 --mark 2")
	TCP("10", "--state ESTABLISHED -u SEEN_REPLY,ASSURED --src-nat 192.168.7.8")
	TCP("11", "--state ESTABLISHED -u SEEN_REPLY,ASSURED --dst-nat 192.168.7.9")
	TCP("12", "--state ESTABLISHED -u SEEN_REPLY -w 7")
	INSERT("-p udp -s fd00::1 -d fd00::2 --sport 53 --dport 53")
	INSERT("-p udp -s 10.0.0.1 -d 10.0.1.1 --sport 53 --dport 53 -u SEEN_REPLY")
	INSERT("-p tcp -s fd00::1 -d fd00::2 --sport 5 --dport 6 --state ESTABLISHED --mark 3")
	INSERT("-p icmp -s 10.0.0.1 -d 10.0.1.1 --icmp-type 8 --icmp-code 0 --icmp-id 77")
	INSERT("-p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 78")
	INSERT("-p sctp -s 10.0.0.1 -d 10.0.1.1 --orig-port-src 1 --orig-port-dst 2 --state ESTABLISHED "
	       "--orig-vtag 1 --reply-vtag 2")
	INSERT("-p gre -s 10.0.0.1 -d 10.0.1.1 --srckey 1 --dstkey 2")
	INSERT("-p 50 -s 10.0.0.1 -d 10.0.1.1")
	"true";

START_TEST(test_kinds) {
	AUTO_FREE struct entries *es = NULL;

	own_namespace();
	run(all_kinds);
	es = entries_new(NULL);
	ck_assert_uint_eq(es->n, 20);
	compare_with_conntrack(es);
	for (uint32_t i = 0; i < es->n; i++) {
		ck_assert_uint_le(es->ct[i].timeout, 300);
		ck_assert_uint_ge(es->ct[i].timeout, 200);
		ck_assert_uint_ge(es->ct[i].use, 1);
	}
}
END_TEST

static int socket_to(int family, int type, const char *addr, uint16_t port, bool listening) {
	int fd = socket(family, type | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr *to = family == AF_INET ? (void *)&in : (void *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
	void *bytes = family == AF_INET ? (void *)&in.sin_addr : (void *)&in6.sin6_addr;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(inet_pton(family, addr, bytes), 1);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	ck_assert_int_eq((listening ? bind : connect)(fd, to, len), 0);
	if (listening && type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

static const char loop_rules[] =
	"nft -f - <<'END'\n"
	"table inet t {\n"
	" ct helper ftp { type \"ftp\" protocol tcp; l3proto inet; }\n"
	" chain out { type filter hook output priority 0; ct mark set 9; ct label set 35;\n"
	"  tcp dport 21 ct helper set \"ftp\"; }\n"
	" chain nat { type nat hook output priority -100; tcp dport 99 dnat ip to 127.0.0.1:21; }\n"
	"}\nEND\n";

static const struct ct *find(const struct entries *es, uint8_t family, uint8_t proto,
			     uint16_t dport) {
	for (uint32_t i = 0; i < es->n; i++)
		if (es->ct[i].family == family && es->ct[i].proto == proto &&
		    es->ct[i].tuple[CT_ORIG].dport == dport)
			return &es->ct[i];
	return NULL;
}

static uint64_t now_ns(void) {
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Real packets: counters, times, helper, labels, translation, both families. */
START_TEST(test_traffic) {
	AUTO_FREE struct entries *es = NULL;
	const struct ct *tcp, *dnat, *udp, *six;
	uint64_t before = now_ns();
	int server, client, six_server, six_client, translated, oneway;

	own_namespace();
	run(loop_rules);
	server = socket_to(AF_INET, SOCK_STREAM, "127.0.0.1", 21, true);
	six_server = socket_to(AF_INET6, SOCK_STREAM, "::1", 80, true);
	client = socket_to(AF_INET, SOCK_STREAM, "127.0.0.1", 21, false);
	six_client = socket_to(AF_INET6, SOCK_STREAM, "::1", 80, false);
	translated = socket_to(AF_INET, SOCK_STREAM, "127.0.0.1", 99, false);
	oneway = socket_to(AF_INET, SOCK_DGRAM, "127.0.0.1", 5000, false);
	ck_assert_int_eq(send(oneway, "hello", 5, 0), 5);
	run("ping -c 1 -q 127.0.0.1 >/dev/null && ping -c 1 -q ::1 >/dev/null");
	es = entries_new(NULL);
	compare_with_conntrack(es);
	tcp = find(es, AF_INET, IPPROTO_TCP, 21);
	dnat = find(es, AF_INET, IPPROTO_TCP, 99);
	udp = find(es, AF_INET, IPPROTO_UDP, 5000);
	six = find(es, AF_INET6, IPPROTO_TCP, 80);
	ck_assert(tcp && dnat && udp && six);
	ck_assert(find(es, AF_INET, IPPROTO_ICMP, 8) && find(es, AF_INET6, IPPROTO_ICMPV6, 128));
	ck_assert_str_eq(tcp->helper, "ftp");
	ck_assert_str_eq(six->helper, "");
	ck_assert_uint_eq(tcp->mark, 9);
	ck_assert_uint_eq(tcp->label[0], UINT64_C(1) << 35);
	ck_assert_uint_eq(tcp->label[1], 0);
	ck_assert_uint_eq(tcp->state, TCP_CONNTRACK_ESTABLISHED);
	ck_assert_uint_ge(tcp->start_ns, before);
	ck_assert_uint_le(tcp->start_ns, now_ns());
	ck_assert_uint_eq(dnat->tuple[CT_REPLY].sport, 21);
	ck_assert(dnat->status & IPS_DST_NAT);
	ck_assert_uint_eq(udp->count[CT_ORIG].packets, 1);
	ck_assert_uint_eq(udp->count[CT_ORIG].bytes, 20 + 8 + 5);
	ck_assert_uint_eq(udp->count[CT_REPLY].packets, 0);
	close(server);
	close(client);
	close(six_server);
	close(six_client);
	close(translated);
	close(oneway);
}
END_TEST

/* ---- requests ---- */

static struct ct made(uint32_t i) {
	struct ct ct = { .family = AF_INET, .proto = IPPROTO_TCP };

	ct.tuple[CT_ORIG].src = net_ipv4(ct_make_addr(i));
	ct.tuple[CT_ORIG].sport = ct_make_port(i);
	ck_assert(net_parse(AF_INET, CT_MAKE_VIP, &ct.tuple[CT_ORIG].dst));
	ct.tuple[CT_ORIG].dport = 65022;
	return ct;
}

static struct ct_netlink *opened(void) {
	struct err err = { 0 };
	struct ct_netlink *nl = ct_open(&err);

	ck_assert_msg(nl, "%s", err.text);
	return nl;
}

static uint32_t counted(struct ct_netlink *nl) {
	uint32_t n, max;
	struct err err = { 0 };

	ck_assert_msg(ct_count(nl, &n, &max, &err) == 0, "%s", err.text);
	ck_assert_uint_gt(max, 0);
	return n;
}

START_TEST(test_requests) {
	static const uint64_t all[2] = { UINT64_MAX, UINT64_MAX }, some[2] = { 0xff0, 0xf };
	static const uint64_t first[2] = { 0xabcd, 0xb0 }, second[2] = { 0x1234, 0x67 };
	struct ct_maker *m;
	struct ct_netlink *nl;
	struct ct ct = made(3), gone = made(77), reply;
	struct err err = { 0 };

	own_namespace();
	run(loop_rules); /* one of them has to do with labels, or there are none */
	m = ct_make_open();
	nl = opened();
	ct_make_create(m, 0, 10, 100);
	ck_assert_uint_eq(ct_make_refused(m), 0);
	ck_assert_uint_eq(counted(nl), 10);
	ck_assert_msg(ct_get(nl, &ct, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(ct.mark, 3);
	ck_assert_uint_eq(ct.tuple[CT_REPLY].sport, 22);
	ck_assert_uint_ne(ct.id, 0);
	/* By the tuple of the reply, too. */
	reply = (struct ct){ .family = AF_INET, .proto = IPPROTO_TCP };
	reply.tuple[CT_ORIG] = ct.tuple[CT_REPLY];
	ck_assert_int_eq(ct_get(nl, &reply, &err), 0);
	ck_assert_uint_eq(reply.id, ct.id);
	ck_assert_int_eq(ct_get(nl, &gone, &err), ERR_NOT_FOUND);

	ck_assert_int_eq(ct_set_mark(nl, &ct, 0xaaaa5555, 0xffff0000, &err), 0);
	ck_assert_int_eq(ct_set_label(nl, &ct, first, all, &err), 0);
	ck_assert_int_eq(ct_set_label(nl, &ct, second, some, &err), 0);
	ck_assert_int_eq(ct_set_timeout(nl, &ct, 1234567, &err), 0);
	ck_assert_int_eq(ct_get(nl, &ct, &err), 0);
	ck_assert_uint_eq(ct.mark, 0xaaaa0003);
	ck_assert_uint_eq(ct.label[0], 0xa23d);
	ck_assert_uint_eq(ct.label[1], 0xb7);
	ck_assert_uint_le(ct.timeout, 1234567);
	ck_assert_uint_gt(ct.timeout, 1234000);
	ck_assert_int_eq(ct_set_mark(nl, &gone, 1, 1, &err), ERR_NOT_FOUND);
	ck_assert_int_eq(ct_set_timeout(nl, &gone, 1, &err), ERR_NOT_FOUND);
	ck_assert_int_eq(ct_set_label(nl, &gone, first, all, &err), ERR_NOT_FOUND);
	ck_assert_uint_eq(counted(nl), 10);

	ck_assert_int_eq(ct_delete(nl, &gone, &err), ERR_NOT_FOUND);
	ck_assert_msg(ct_delete(nl, &ct, &err) == 0, "%s", err.text);
	ck_assert_int_eq(ct_delete(nl, &ct, &err), ERR_NOT_FOUND);
	ck_assert_uint_eq(counted(nl), 9);
	ct_close(nl);
	ct_make_close(m);
}
END_TEST

/* Several at once: each answer belongs to its question, those that are not there included. */
START_TEST(test_get_all) {
	struct ct ct[CT_GET_MAX];
	bool there[CT_GET_MAX];
	struct ct_maker *m;
	struct ct_netlink *nl;
	struct err err = { 0 };

	own_namespace();
	m = ct_make_open();
	nl = opened();
	ct_make_create(m, 0, CT_GET_MAX, 1000);
	for (uint32_t i = 0; i < CT_GET_MAX; i += 3)
		ct_make_delete(m, i, 1);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < CT_GET_MAX; i++)
			ct[i] = made(i);
		ck_assert_int_eq(ct_get_all(nl, ct, there, CT_GET_MAX, &err), 0);
		for (uint32_t i = 0; i < CT_GET_MAX; i++) {
			ck_assert_int_eq(there[i], i % 3 != 0);
			ck_assert_uint_eq(ct[i].mark, there[i] ? i : made(i).mark);
			ck_assert_int_eq(ct[i].id != 0, there[i]);
		}
	}
	ck_assert_int_eq(ct_get_all(nl, ct, there, 0, &err), 0);
	ct[0] = made(1);
	ck_assert_int_eq(ct_get(nl, &ct[0], &err), 0);
	ct_close(nl);
	ct_make_close(m);
}
END_TEST

/* Another session in the place of one that has ended is not touched by what was meant for that. */
START_TEST(test_successor) {
	struct ct_maker *m;
	struct ct_netlink *nl;
	struct ct old = made(0), young = made(0);
	struct err err = { 0 };
	uint32_t tries = 0;

	own_namespace();
	m = ct_make_open();
	nl = opened();
	ct_make_create(m, 0, 1, 2);
	ck_assert_int_eq(ct_get(nl, &old, &err), 0);
	/*
	 * The id is made of the place in memory: others take that, until the successor has another.
	 */
	do {
		ct_make_delete(m, 0, 1);
		ct_make_create(m, 1000 * ++tries, 1000, 2);
		ct_make_create(m, 0, 1, 2);
		ck_assert_int_eq(ct_get(nl, &young, &err), 0);
	} while (young.id == old.id && tries < 50);
	ck_assert_uint_ne(young.id, old.id);
	ck_assert_int_eq(ct_delete(nl, &old, &err), ERR_NOT_FOUND);
	ck_assert_int_eq(ct_get(nl, &young, &err), 0);
	ck_assert_int_eq(ct_delete(nl, &young, &err), 0);
	ck_assert_int_eq(ct_get(nl, &young, &err), ERR_NOT_FOUND);
	ct_close(nl);
	ct_make_close(m);
}
END_TEST

/* Of every kind: what a listing tells is enough to read and to delete the entry. */
START_TEST(test_delete_kinds) {
	AUTO_FREE struct entries *es = NULL;
	struct ct_netlink *nl;
	struct err err = { 0 };

	own_namespace();
	run(all_kinds);
	es = entries_new(NULL);
	nl = opened();
	for (uint32_t i = 0; i < es->n; i++) {
		struct ct again = es->ct[i];
		AUTO_STR struct str text = STR_INIT;

		add_entry(&text, &es->ct[i]);
		ck_assert_msg(ct_get(nl, &again, &err) == 0, "%s: %s", str_text(&text), err.text);
		ck_assert_uint_eq(again.id, es->ct[i].id);
		ck_assert_msg(ct_delete(nl, &es->ct[i], &err) == 0, "%s: %s", str_text(&text),
			      err.text);
		ck_assert_uint_eq(counted(nl), es->n - i - 1);
	}
	ct_close(nl);
}
END_TEST

/* Sums over the processors, as conntrack(8) prints them one by one. */
static uint64_t sum_of(const char *name) {
	AUTO_FREE char *command = xasprintf(
		"conntrack -S | grep -o '\\b%s=[0-9]*' | awk -F= '{ n += $2 } END { print n }'", name);
	AUTO_FREE char *text = output(command);

	return strtoull(text, NULL, 10);
}

START_TEST(test_stats) {
	struct ct_netlink *nl;
	struct ct_stats stats;
	struct err err = { 0 };
	uint32_t expected;
	int server, client;

	own_namespace();
	run("nft -f - <<'END'\n"
	    "table ip t {\n"
	    " ct expectation e { protocol tcp; dport 4000; timeout 1h; size 9; l3proto ip; }\n"
	    " chain o { type filter hook output priority 0; tcp dport 21 ct expectation set \"e\"; }\n"
	    "}\nEND\n"
	    "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0");
	nl = opened();
	ck_assert_int_eq(ct_expect_count(nl, &expected, &err), 0);
	ck_assert_uint_eq(expected, 0);
	server = socket_to(AF_INET, SOCK_STREAM, "127.0.0.1", 21, true);
	client = socket_to(AF_INET, SOCK_STREAM, "127.0.0.1", 21, false);
	/* An answer to nothing. */
	run("conntrack -F 2>/dev/null");
	ck_assert_int_eq(send(client, "x", 1, MSG_DONTWAIT), 1);
	ck_assert_msg(ct_stats(nl, &stats, &err) == 0, "%s", err.text);
	ck_assert_uint_gt(stats.invalid, 0);
	ck_assert_uint_eq(stats.invalid, sum_of("invalid"));
	ck_assert_uint_eq(stats.insert_failed, sum_of("insert_failed"));
	ck_assert_uint_eq(stats.clash_resolve, sum_of("clash_resolve"));
	close(client);
	client = socket_to(AF_INET, SOCK_STREAM, "127.0.0.1", 21, false);
	ck_assert_msg(ct_expect_count(nl, &expected, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(expected, 1);
	close(client);
	close(server);
	ct_close(nl);
}
END_TEST

/* ---- filters ---- */

#define ADDR4(a, b, c, d) { .byte = { a, b, c, d } }
#define ADDR6(last) { .byte = { 0xfd, [15] = last } }
#define EVERYTHING UINT32_MAX
#define IPV4 .family = AF_INET
#define IPV6 .family = AF_INET6
/* Fields of the original tuple, or of the reply's, and their values. */
#define ORIG(what, ...) .fields = { what }, .tuple = { { __VA_ARGS__ } }
#define REPLY(what, ...) .fields = { 0, what }, .tuple = { [CT_REPLY] = { __VA_ARGS__ } }
#define PROTO_SPORT (CT_FILTER_PROTO | CT_FILTER_SPORT)
#define PROTO_DPORT (CT_FILTER_PROTO | CT_FILTER_DPORT)
#define ASSURED_MARK_2 \
	.mark = 2, .mark_mask = EVERYTHING, .status = IPS_ASSURED, .status_mask = IPS_ASSURED

static const struct {
	struct ct_kernel_filter filter;
	uint32_t n; /* how many of all kinds fit */
} filters[] = {
	{ { .family = 0 }, 20 },
	{ { IPV4 }, 17 },
	{ { IPV6 }, 3 },
	{ { .mark = 2, .mark_mask = EVERYTHING }, 1 },
	{ { .mark = 2, .mark_mask = 2 }, 3 },
	{ { .mark = 0, .mark_mask = EVERYTHING }, 17 },
	{ { .status = IPS_SEEN_REPLY, .status_mask = IPS_SEEN_REPLY }, 12 },
	{ { .status = 0, .status_mask = IPS_SEEN_REPLY }, 8 },
	{ { .status = IPS_SRC_NAT, .status_mask = IPS_SRC_NAT | IPS_DST_NAT }, 1 },
	{ { .has_zone = true, .zone = 7 }, 1 },
	{ { IPV4, ORIG(CT_FILTER_DST, .dst = ADDR4(10, 0, 1, 1)) }, 6 },
	{ { IPV4, ORIG(CT_FILTER_SRC, .src = ADDR4(10, 0, 0, 1)) }, 17 },
	{ { IPV4, .proto = IPPROTO_TCP, ORIG(CT_FILTER_PROTO, .sport = 0) }, 12 },
	{ { IPV4, .proto = 50, ORIG(CT_FILTER_PROTO, .sport = 0) }, 1 },
	{ { IPV4, .proto = IPPROTO_TCP, ORIG(PROTO_DPORT, .dport = 80) }, 12 },
	{ { IPV4, .proto = IPPROTO_UDP, ORIG(PROTO_SPORT, .sport = 53) }, 1 },
	{ { IPV4, .proto = IPPROTO_UDP, ORIG(PROTO_SPORT, .sport = 54) }, 0 },
	{ { IPV4, REPLY(CT_FILTER_SRC, .src = ADDR4(192, 168, 7, 7)) }, 1 },
	{ { IPV4, REPLY(CT_FILTER_DST, .dst = ADDR4(192, 168, 7, 8)) }, 1 },
	{ { IPV4, .proto = IPPROTO_TCP, REPLY(PROTO_SPORT, .sport = 8080) }, 1 },
	{ { IPV4, .proto = IPPROTO_ICMP, ORIG(PROTO_SPORT | PROTO_DPORT, .sport = 77, .dport = 8) },
	  1 },
	{ { IPV4, .proto = IPPROTO_ICMP, ORIG(PROTO_SPORT, .sport = 78) }, 0 },
	{ { IPV6, .proto = IPPROTO_ICMPV6,
	    ORIG(PROTO_SPORT | PROTO_DPORT, .sport = 78, .dport = 128) },
	  1 },
	{ { IPV6, .proto = IPPROTO_TCP,
	    ORIG(CT_FILTER_SRC | CT_FILTER_DST | CT_FILTER_PROTO, .src = ADDR6(1),
		 .dst = ADDR6(2)) },
	  1 },
	{ { IPV6, ORIG(CT_FILTER_SRC, .src = ADDR6(1)) }, 3 },
	{ { IPV6, ORIG(CT_FILTER_SRC, .src = ADDR6(9)) }, 0 },
	{ { IPV4, .proto = IPPROTO_TCP, ORIG(CT_FILTER_PROTO, .sport = 0), ASSURED_MARK_2 }, 1 },
};

/*
 * The kernel lists what we think it does, but for addresses of IPv6, which it is not asked for, and
 * for zones, which older ones ignore; our reading of the filter stands in for it elsewhere.
 */
START_TEST(test_filters) {
	AUTO_FREE struct entries *all = NULL, *es = NULL;
	uint32_t n = 0;

	own_namespace();
	run(all_kinds);
	all = entries_new(NULL);
	es = entries_new(&filters[_i].filter);
	for (uint32_t i = 0; i < all->n; i++)
		n += ct_make_listed(&filters[_i].filter, &all->ct[i]);
	ck_assert_uint_eq(n, filters[_i].n);
	if (filters[_i].filter.family == AF_INET6 || filters[_i].filter.has_zone)
		ck_assert_uint_ge(es->n, n);
	else
		ck_assert_uint_eq(es->n, n);
	for (uint32_t i = n = 0; i < es->n; i++)
		n += ct_make_listed(&filters[_i].filter, &es->ct[i]);
	ck_assert_uint_eq(n, filters[_i].n);
}
END_TEST

/* What the kernel refuses to compare is left out: a type of ICMP that begins no session. */
START_TEST(test_filter_refused) {
	const struct ct_kernel_filter f = { .family = AF_INET,
					    .fields = { CT_FILTER_PROTO | CT_FILTER_DPORT },
					    .proto = IPPROTO_ICMP,
					    .tuple = { { .dport = 250 } },
					    .mark = 2,
					    .mark_mask = EVERYTHING };
	AUTO_FREE struct entries *es = NULL;

	own_namespace();
	run(all_kinds);
	es = entries_new(&f);
	ck_assert_uint_eq(es->n, 1);
	ck_assert_uint_eq(es->ct[0].mark, 2);
}
END_TEST

/* ---- sessions come and go ---- */

#define STABLE 20000u
#define PASSING 1000000u          /* first number of those that come and go */
#define BATCHES 20u

struct seen {
	uint8_t stable[STABLE];
	uint64_t passing, foreign;
};

static void see(void *arg, const struct ct *ct) {
	uint32_t addr = be32toh(ct->tuple[CT_ORIG].src.word[0]) - ct_make_addr(0);
	uint32_t i = addr * 4 + (uint32_t)(ct->tuple[CT_ORIG].sport - ct_make_port(0)) / 7;
	struct seen *s = arg;

	if (i < STABLE)
		s->stable[i]++;
	else if (i >= PASSING && i < PASSING + BATCHES * 1000)
		s->passing++;
	else
		s->foreign++;
}

/* Makes and deletes 20,000 sessions over and over, and tells each time. */
static pid_t start_churn(int *rounds) {
	int ends[2];
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct ct_maker *m = ct_make_open();

		for (;;) {
			for (uint32_t i = 0; i < BATCHES; i++)
				ct_make_create(m, PASSING + i * 1000, 1000, 7);
			for (uint32_t i = 0; i < BATCHES; i++)
				ct_make_delete(m, PASSING + i * 1000, 1000);
			if (write(ends[1], "", 1) != 1)
				_exit(1);
		}
	}
	close(ends[1]);
	*rounds = ends[0];
	return pid;
}

static unsigned int rounds_since(int fd) {
	char data[4096];
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 ? (unsigned int)read(fd, data, sizeof(data)) : 0;
}

/*
 * While sessions are made and deleted as fast as the kernel can: each listing ends, and has every
 * session that lives all the time exactly once. It goes on until they have come and gone 20 times.
 */
START_TEST(test_churn) {
	struct seen *seen = xcalloc(1, sizeof(*seen));
	struct ct_maker *m;
	unsigned int rounds = 0, listings = 0;
	int fd;
	pid_t pid;

	own_namespace();
	m = ct_make_open();
	ct_make_create(m, 0, STABLE, 7);
	ck_assert_uint_eq(ct_make_refused(m), 0);
	pid = start_churn(&fd);
	while (rounds < 20 || listings < 20) {
		memset(seen->stable, 0, sizeof(seen->stable));
		list(NULL, see, seen);
		listings++;
		for (uint32_t i = 0; i < STABLE; i++)
			ck_assert_msg(seen->stable[i] == 1, "session %u came %u times", i,
				      seen->stable[i]);
		rounds += rounds_since(fd);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_uint_gt(seen->passing, 0);
	ck_assert_uint_eq(seen->foreign, 0);
	close(fd);
	ct_make_close(m);
	free(seen);
}
END_TEST

/* A reader that stops costs nothing, and may go away in the middle. */
START_TEST(test_slow_reader) {
	struct entries *es = xcalloc(1, sizeof(*es));
	struct ct_maker *m;
	struct ct_netlink *nl;
	struct ct_dump *d;
	struct err err = { 0 };

	own_namespace();
	m = ct_make_open();
	nl = opened();
	ct_make_create(m, 0, 4000, 7);
	d = ct_dump_open(NULL, &err);
	ck_assert_ptr_nonnull(d);
	ck_assert_int_eq(ct_dump_next(d, keep, es, &err), CT_DUMP_MORE);
	ck_assert_uint_gt(es->n, 0);
	ck_assert_uint_lt(es->n, 400);
	/* Deleted meanwhile: they do not come any more. */
	ct_make_delete(m, 0, 4000);
	ck_assert_uint_eq(counted(nl), 0);
	es->n = 0;
	while (ct_dump_next(d, keep, es, &err) == CT_DUMP_MORE)
		;
	ck_assert_uint_lt(es->n, 400);
	ct_dump_close(d);
	ct_make_create(m, 0, 4000, 7);
	d = ct_dump_open(NULL, &err);
	ck_assert_int_eq(ct_dump_next(d, keep, es, &err), CT_DUMP_MORE);
	ct_dump_close(d);
	ck_assert_uint_eq(counted(nl), 4000);
	ct_close(nl);
	ct_make_close(m);
	free(es);
}
END_TEST

static Suite *ct_suite(void) {
	Suite *s = suite_create("ct in the kernel");
	TCase *t = fixture_case(s, "ct in the kernel");

	tcase_add_test(t, test_kinds);
	tcase_add_test(t, test_traffic);
	tcase_add_test(t, test_requests);
	tcase_add_test(t, test_get_all);
	tcase_add_test(t, test_successor);
	tcase_add_test(t, test_delete_kinds);
	tcase_add_test(t, test_stats);
	tcase_add_loop_test(t, test_filters, 0, ARRAY_LEN(filters));
	tcase_add_test(t, test_filter_refused);
	tcase_add_test(t, test_churn);
	tcase_add_test(t, test_slow_reader);
	return s;
}

int main(void) {
	return fixture_run(ct_suite());
}
