/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters of traces, from the words of an administrator to what the kernel traces: datagrams on the
 * loopback of a network namespace of each test's own. And the table of a trace: it disturbs no
 * other, nobody else can change it, and it goes with whoever made it.
 */
#include "backends/flow_trace.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/nft.h"
#include "backends/nft_netlink.h"
#include "backends/nft_text.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

/* ---- filters ---- */

/* What `diagnose debug flow filter TEXT` gives. */
static int set(struct flow_filter *f, const char *text) {
	AUTO_WORDS struct words words = { 0 };
	struct err err = { 0 };

	ck_assert_int_eq(lex_words(text, &words, &err), LEX_OK);
	return flow_filter_set(f, words.n, words.w, &err);
}

static void assert_printed(const struct flow_filter *f, const char *want) {
	struct str out AUTO_STR = STR_INIT;

	flow_filter_print(f, &out);
	ck_assert_str_eq(str_text(&out), want);
}

#define NOTHING                                                                                    \
	"\tvf: any\n\tproto: any\n\tHost addr: any\n\tHost saddr: any\n\tHost daddr: any\n"            \
	"\tport: any\n\tsport: any\n\tdport: any\n"

START_TEST(test_set) {
	struct flow_filter f = { 0 };

	assert_printed(&f, NOTHING);
	ck_assert_int_eq(set(&f, "proto 6"), 0);
	ck_assert_int_eq(set(&f, "addr 10.1.1.1"), 0);
	ck_assert_int_eq(set(&f, "daddr 10.0.0.0 10.255.255.255"), 0);
	ck_assert_int_eq(set(&f, "dport 1000 2000"), 0);
	ck_assert_int_eq(set(&f, "dport 80"), 0);
	ck_assert_int_eq(set(&f, "negate dport"), 0);
	ck_assert_int_eq(set(&f, "negate sport"), 0);
	ck_assert_int_eq(set(&f, "vd 0"), 0);
	assert_printed(&f, "\tvf: 0\n\tproto: 6-6\n\thost addr: 10.1.1.1-10.1.1.1\n\tHost saddr: any\n"
			   "\tHost daddr: 10.0.0.0-10.255.255.255\n\tport: any\n\tsport: any\n"
			   "\tdport: not 80-80\n");
	ck_assert_int_eq(set(&f, "vd -1"), 0);
	ck_assert(!f.c[FLOW_VD].set);
	ck_assert_int_eq(set(&f, "vd-name root"), 0);
	ck_assert(f.c[FLOW_VD].set);
	ck_assert_int_eq(set(&f, "clear"), 0);
	assert_printed(&f, NOTHING);
}
END_TEST

static const struct {
	const char *text;
	int code;
} wrong[] = {
	{ "", ERR_INCOMPLETE },		   { "proto", ERR_INCOMPLETE },
	{ "addr", ERR_INCOMPLETE },	   { "negate", ERR_INCOMPLETE },
	{ "vd", ERR_INCOMPLETE },	   { "nothing 1", ERR_PARSE },
	{ "proto 256", ERR_PARSE },	   { "proto tcp", ERR_PARSE },
	{ "addr 10.1.1", ERR_PARSE },	   { "addr 10.1.1.2 10.1.1.1", ERR_PARSE },
	{ "addr 10.1.1.1 x", ERR_PARSE },  { "addr 10.1.1.1 10.1.1.2 or", ERR_PARSE },
	{ "port 65536", ERR_PARSE },	   { "port -1", ERR_PARSE },
	{ "negate clear", ERR_PARSE },	   { "negate addr port", ERR_PARSE },
	{ "vd 1", ERR_PARSE },		   { "vd root", ERR_PARSE },
	{ "vd-name other", ERR_PARSE },	   { "vd 0 0", ERR_PARSE },
	{ "clear all", ERR_PARSE },
};

START_TEST(test_wrong) {
	struct flow_filter f = { 0 };

	ck_assert_int_eq(set(&f, "port 7"), 0);
	ck_assert_int_eq(set(&f, wrong[_i].text), wrong[_i].code);
	ck_assert(f.c[FLOW_PORT].set && f.c[FLOW_PORT].from == 7 && f.c[FLOW_PORT].to == 7);
	ck_assert(!f.c[FLOW_ADDR].set && !f.c[FLOW_VD].set && !f.c[FLOW_PORT].negate);
}
END_TEST

/* ---- the kernel ---- */

/* A socket of the loopback; the test's end closes it. */
static int datagrams(const char *addr, uint16_t port) {
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	inet_pton(AF_INET, addr, &sin.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

/* With someone behind the ports that are sent to: no errors come back. */
static void own_namespace(void) {
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
	datagrams("127.0.0.2", 2000);
	datagrams("127.0.0.2", 2001);
	datagrams("127.0.0.2", 3000);
}

/* Send a datagram between two addresses of the loopback. */
static void send_datagram(const char *src, uint16_t sport, const char *dst, uint16_t dport) {
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(dport) };
	int fd = datagrams(src, sport);

	inet_pton(AF_INET, dst, &to.sin_addr);
	ck_assert_int_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	close(fd);
}

static struct flow_trace *opened(const struct flow_filter *f) {
	struct err err = { 0 };
	struct flow_trace *t = flow_trace_open(f, &err);

	ck_assert_msg(t, "%s", err.text);
	return t;
}

/* What is heard of the packets of one trace. */
struct heard {
	const char *table;
	unsigned int sent;         /* datagrams that the unit sent */
	unsigned int received;
	unsigned int delivered;
	int in;                    /* where the packet came in */
	char chain[FLOW_NAME_MAX]; /* where the first packet was first met */
};

static bool is_begin(const char *chain) {
	return strcmp(chain, FLOW_CHAIN_NEW) == 0 || strcmp(chain, FLOW_CHAIN_ORIGINAL) == 0 ||
	       strcmp(chain, FLOW_CHAIN_REPLY) == 0 || strcmp(chain, FLOW_CHAIN_UNTRACKED) == 0;
}

static void hear(void *arg, const struct flow_event *e) {
	struct heard *h = arg;

	if (strcmp(e->table, h->table) != 0)
		return;
	/* what is traced already has its header here */
	if (strcmp(e->chain, FLOW_CHAIN_RECEIVED) == 0 && e->has_header)
		h->in = e->in;
	if (strcmp(e->chain, FLOW_CHAIN_IN) == 0 && e->has_header)
		h->delivered++;
	if (!e->is_rule || !is_begin(e->chain))
		return;
	if (e->has_header ? e->in : h->in)
		h->received++;
	else
		h->sent++;
	h->in = 0;
	if (h->chain[0] == '\0')
		strcpy(h->chain, e->chain);
}

/* All events come before the packet is delivered: nothing has to be waited for. */
static struct heard listen_to(struct flow_trace *t) {
	struct heard h = { .table = flow_trace_table(t) };
	bool lost = false;

	while (!flow_trace_read(t, 100, hear, &h, &lost))
		;
	ck_assert(!lost);
	return h;
}

/* Whether a datagram from 127.0.0.1:1000 to 127.0.0.2:2000 is traced. */
static const struct {
	const char *filter[3];
	bool taken;
} filters[] = {
	{ { NULL }, true },
	{ { "addr 127.0.0.1" }, true },
	{ { "addr 127.0.0.2" }, true },
	{ { "addr 127.0.0.3" }, false },
	{ { "addr 127.0.0.0 127.0.0.1" }, true },
	{ { "addr 127.0.0.3 127.0.0.9" }, false },
	{ { "addr 127.0.0.2", "negate addr" }, false },
	{ { "addr 127.0.0.3", "negate addr" }, true },
	{ { "saddr 127.0.0.1" }, true },
	{ { "saddr 127.0.0.2" }, false },
	{ { "saddr 127.0.0.2", "negate saddr" }, true },
	{ { "daddr 127.0.0.1" }, false },
	{ { "daddr 127.0.0.2" }, true },
	{ { "proto 17" }, true },
	{ { "proto 6" }, false },
	{ { "proto 6 17" }, true },
	{ { "proto 17", "negate proto" }, false },
	{ { "port 1000" }, true },
	{ { "port 2000" }, true },
	{ { "port 1001 1999" }, false },
	{ { "port 1001 1999", "negate port" }, true },
	{ { "port 900 1100", "negate port" }, false },
	{ { "sport 1000" }, true },
	{ { "sport 2000" }, false },
	{ { "dport 2000 65535" }, true },
	{ { "dport 0 1999" }, false },
	{ { "dport 2000", "negate dport" }, false },
	{ { "saddr 127.0.0.1", "dport 2000", "proto 17" }, true },
	{ { "saddr 127.0.0.1", "dport 2001" }, false },
	{ { "vd 0" }, true },
	{ { "vd 0", "negate vd" }, false },
};

START_TEST(test_filter) {
	struct flow_filter f = { 0 };
	struct flow_trace *t;
	struct heard h;

	own_namespace();
	for (size_t i = 0; i < ARRAY_LEN(filters[_i].filter) && filters[_i].filter[i]; i++)
		ck_assert_int_eq(set(&f, filters[_i].filter[i]), 0);
	t = opened(&f);
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 2000);
	h = listen_to(t);
	ck_assert_uint_eq(h.sent, filters[_i].taken);
	ck_assert_uint_eq(h.received, filters[_i].taken);
	ck_assert_uint_eq(h.delivered, filters[_i].taken);
	ck_assert_uint_eq(flow_trace_left_out(t), 0);
	flow_trace_close(t);
}
END_TEST

/* ICMP has no ports, even where its first bytes look like one: the error is 3, 3, which is 771. */
START_TEST(test_no_ports) {
	struct flow_filter f = { 0 };
	struct flow_trace *t;
	struct heard h;

	own_namespace();
	ck_assert_int_eq(set(&f, "sport 771"), 0);
	t = opened(&f);
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 4000); /* nobody is there */
	h = listen_to(t);
	ck_assert_uint_eq(h.sent + h.received, 0);
	flow_trace_close(t);
	ck_assert_int_eq(set(&f, "clear"), 0);
	ck_assert_int_eq(set(&f, "proto 1"), 0);
	t = opened(&f);
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 4000);
	h = listen_to(t);
	ck_assert_uint_eq(h.sent, 1);
	ck_assert_uint_eq(h.received, 1);
	flow_trace_close(t);
}
END_TEST

/* What connection tracking knows of a packet is in the name of the chain that it meets first. */
START_TEST(test_states) {
	struct flow_filter f = { 0 };
	struct flow_trace *t;

	own_namespace();
	datagrams("127.0.0.1", 1000);
	ck_assert_int_eq(system("nft 'add table ip x; add chain ip x p { type filter hook output priority -300; };"
				"add rule ip x p udp dport 3000 notrack'"),
			 0);
	t = opened(&f);
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 2000);
	ck_assert_str_eq(listen_to(t).chain, FLOW_CHAIN_NEW);
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 2000);
	ck_assert_str_eq(listen_to(t).chain, FLOW_CHAIN_ORIGINAL);
	send_datagram("127.0.0.2", 2000, "127.0.0.1", 1000);
	ck_assert_str_eq(listen_to(t).chain, FLOW_CHAIN_REPLY);
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 3000);
	ck_assert_str_eq(listen_to(t).chain, FLOW_CHAIN_UNTRACKED);
	flow_trace_close(t);
}
END_TEST

/* Two at a time hear their own packets, and each other's do not count for them. */
START_TEST(test_two) {
	struct flow_filter all = { 0 }, some = { 0 };
	struct flow_trace *a, *b;
	struct heard heard_a, heard_b;

	own_namespace();
	ck_assert_int_eq(set(&some, "dport 2001"), 0);
	a = opened(&all);
	b = opened(&some);
	ck_assert_str_ne(flow_trace_table(a), flow_trace_table(b));
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 2000);
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 2001);
	heard_a = listen_to(a);
	heard_b = listen_to(b);
	ck_assert_uint_eq(heard_a.sent, 2);
	ck_assert_uint_eq(heard_b.sent, 1);
	flow_trace_close(a);
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 2001);
	ck_assert_uint_eq(listen_to(b).sent, 1);
	flow_trace_close(b);
}
END_TEST

START_TEST(test_too_many) {
	struct flow_trace *t[FLOW_TRACES_MAX];
	struct flow_filter f = { 0 };
	struct err err = { 0 };

	own_namespace();
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		t[i] = opened(&f);
	ck_assert_ptr_null(flow_trace_open(&f, &err));
	ck_assert_int_eq(err.code, ERR_MAX_ENTRIES);
	t[1] = flow_trace_close(t[1]);
	t[1] = opened(&f);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		flow_trace_close(t[i]);
}
END_TEST

/* A flood is traced up to the bound; the others are counted. */
START_TEST(test_left_out) {
	struct flow_filter f = { 0 };
	struct flow_trace *t;
	struct heard h;
	uint64_t left_out;
	time_t start;

	own_namespace();
	ck_assert_int_eq(set(&f, "dport 2000"), 0);
	t = opened(&f);
	start = time(NULL);
	for (int i = 0; i < 10 * FLOW_RATE; i++)
		send_datagram("127.0.0.1", 1000, "127.0.0.2", 2000);
	h = listen_to(t);
	left_out = flow_trace_left_out(t);
	/* each datagram is met twice: where it is sent and where it comes in */
	ck_assert_uint_eq(h.sent + h.received + left_out, 2 * 10 * FLOW_RATE);
	ck_assert_uint_ge(h.sent + h.received, FLOW_RATE);
	ck_assert_uint_le(h.sent + h.received, FLOW_RATE * (uint64_t)(time(NULL) - start + 2));
	flow_trace_close(t);
}
END_TEST

/* What cannot be heard any more is noticed. */
START_TEST(test_overrun) {
	struct flow_filter f = { 0 };
	struct flow_trace *t;
	struct heard h;
	bool lost = false;

	own_namespace();
	t = opened(&f);
	h = (struct heard){ .table = flow_trace_table(t) };
	ck_assert_int_eq(system("nft 'add table ip x; add chain ip x p { type filter hook output priority -300; };"
				"add rule ip x p meta nftrace set 1'"),
			 0);
	for (int i = 0; i < 10000; i++)
		send_datagram("127.0.0.1", 1000, "127.0.0.2", 2000);
	while (!flow_trace_read(t, 100, hear, &h, &lost))
		;
	ck_assert(lost);
	flow_trace_close(t);
}
END_TEST

/* ---- the table ---- */

/* All tables as nft(8) lists them, without what counts; the caller frees the result. */
static char *listing(void) {
	FILE *f = popen("nft -s list ruleset", "r");
	struct str text = STR_INIT;
	char part[65536];
	size_t n;

	ck_assert_ptr_nonnull(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		str_add_bytes(&text, part, n);
	ck_assert_int_eq(pclose(f), 0);
	str_add_char(&text, '\n');
	return str_steal(&text);
}

static const char rules[] = "config system interface\nedit \"port1\"\nset allowaccess ping ssh\nnext\nend\n"
			    "config firewall policy\nedit 7\nset srcintf \"port1\"\nset dstintf \"port1\"\n"
			    "set action accept\nset srcaddr \"all\"\nset dstaddr \"all\"\n"
			    "set schedule \"always\"\nset service \"ALL\"\nnext\nend\n";

/* The rules in force, their mark, and who watches over them are left alone. */
START_TEST(test_undisturbed) {
	struct model *m = conf_model(rules);
	const struct commit commit = { .model = m, .revision = 5 };
	struct flow_filter f = { 0 };
	struct nft *nft = nft_new(NULL);
	struct nft_intruder who;
	struct flow_trace *t;
	struct backend b;
	char *before, *with, *after;

	own_namespace();
	nft_free(nft);
	nft = nft_new(NULL);
	b = nft_backend(nft);
	ck_assert_int_eq(b.start(b.ctx, &commit, NULL), 0);
	before = listing();
	ck_assert_ptr_nonnull(strstr(before, "set revision"));
	t = opened(&f);
	with = listing();
	ck_assert_ptr_nonnull(strstr(with, "table inet gatehouse_trace1 {"));
	ck_assert_int_eq(strncmp(with, before, strlen(before) - 1), 0);
	ck_assert(!nft_touched(nft, &who));
	flow_trace_close(t);
	after = listing();
	ck_assert_str_eq(after, before);
	ck_assert(!nft_touched(nft, &who));
	free(before);
	free(with);
	free(after);
	nft_free(nft);
	model_free(m);
}
END_TEST

START_TEST(test_owned) {
	struct flow_filter f = { 0 };
	struct flow_trace *t;

	own_namespace();
	t = opened(&f);
	ck_assert_int_ne(system("nft delete table inet gatehouse_trace1 2>/dev/null"), 0);
	ck_assert_int_ne(system("nft flush chain inet gatehouse_trace1 new 2>/dev/null"), 0);
	ck_assert_int_eq(system("nft flush ruleset"), 0);
	send_datagram("127.0.0.1", 1000, "127.0.0.2", 2000);
	ck_assert_uint_eq(listen_to(t).sent, 1);
	flow_trace_close(t);
}
END_TEST

/* Whatever ends its maker, the table goes with it. */
START_TEST(test_maker_dies) {
	struct flow_filter f = { 0 };
	int ready[2], status;
	char byte, *list;
	pid_t pid;

	own_namespace();
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct flow_trace *t = flow_trace_open(&f, NULL);

		_exit(t && write(ready[1], "x", 1) == 1 ? pause() : 1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	list = listing();
	ck_assert_ptr_nonnull(strstr(list, "table inet gatehouse_trace1"));
	free(list);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	list = listing();
	ck_assert_str_eq(list, "\n");
	free(list);
}
END_TEST

static Suite *trace_suite(void) {
	Suite *s = suite_create("flow_trace");
	TCase *t = fixture_case(s, "flow_trace");

	tcase_add_test(t, test_set);
	tcase_add_loop_test(t, test_wrong, 0, ARRAY_LEN(wrong));
	tcase_add_loop_test(t, test_filter, 0, ARRAY_LEN(filters));
	tcase_add_test(t, test_no_ports);
	tcase_add_test(t, test_states);
	tcase_add_test(t, test_two);
	tcase_add_test(t, test_too_many);
	tcase_add_test(t, test_left_out);
	tcase_add_test(t, test_overrun);
	tcase_add_test(t, test_undisturbed);
	tcase_add_test(t, test_owned);
	tcase_add_test(t, test_maker_dies);
	return s;
}

int main(void) {
	return fixture_run(trace_suite());
}
