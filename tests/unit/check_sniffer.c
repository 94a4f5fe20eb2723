/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sniffer prints of packets that are written out here, byte for byte; the filters it
 * takes; and captures on the loopback of a network namespace.
 */
#include "backends/sniffer.h"

#include <arpa/inet.h>
#include <check.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/sniffer_filter.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

/* ---- lines ---- */

#define MACS "0200000001010200000002ab"
#define IP(proto, len) "450000" len "123440003f" proto "0000" "0a010203" "0a020304"

static const struct {
	const char *frame, *text;
} frames[] = {
	{ MACS "0800" IP("06", "3c") "1a0a01bb000000050000000060020200", "10.1.2.3.6666 -> 10.2.3.4.443: syn 5 " },
	{ MACS "0800" IP("06", "3c") "1a0a01bb000000050000000960120200",
	  "10.1.2.3.6666 -> 10.2.3.4.443: syn 5 ack 9 " },
	{ MACS "0800" IP("06", "3c") "1a0a01bb000000050000000960100200",
	  "10.1.2.3.6666 -> 10.2.3.4.443: ack 9 " },
	{ MACS "0800" IP("06", "3c") "1a0a01bbffffffff0000000960180200",
	  "10.1.2.3.6666 -> 10.2.3.4.443: psh 4294967295 ack 9 " },
	{ MACS "0800" IP("06", "3c") "1a0a01bb000000050000000960110200",
	  "10.1.2.3.6666 -> 10.2.3.4.443: fin 5 ack 9 " },
	{ MACS "0800" IP("06", "3c") "1a0a01bb000000050000000060040200", "10.1.2.3.6666 -> 10.2.3.4.443: rst 5 " },
	{ MACS "0800" IP("06", "3c") "1a0a01bb00", "10.1.2.3.6666 -> 10.2.3.4.443: [|tcp]" },
	{ MACS "0800" IP("11", "24") "003507d0001000004142434445464748", "10.1.2.3.53 -> 10.2.3.4.2000: udp 8" },
	{ MACS "0800" IP("11", "24") "0035", "10.1.2.3 -> 10.2.3.4: [|udp]" },
	{ MACS "0800" IP("01", "54") "0800000000010001", "10.1.2.3 -> 10.2.3.4: icmp: echo request" },
	{ MACS "0800" IP("01", "54") "0000000000010001", "10.1.2.3 -> 10.2.3.4: icmp: echo reply" },
	{ MACS "0800" IP("01", "54") "0301000000000000" IP("06", "3c") "00500051",
	  "10.1.2.3 -> 10.2.3.4: icmp: host 10.2.3.4 unreachable" },
	{ MACS "0800" IP("01", "54") "0303000000000000" IP("11", "3c") "0050ecc6",
	  "10.1.2.3 -> 10.2.3.4: icmp: 10.2.3.4 udp port 60614 unreachable" },
	{ MACS "0800" IP("01", "54") "0304000000000000" IP("11", "3c") "0050ecc6",
	  "10.1.2.3 -> 10.2.3.4: icmp: 10.2.3.4 unreachable - need to frag" },
	{ MACS "0800" IP("01", "54") "0303000000000000" "45", "10.1.2.3 -> 10.2.3.4: icmp: type-3 code-3" },
	{ MACS "0800" IP("01", "54") "0b00000000000000", "10.1.2.3 -> 10.2.3.4: icmp: time exceeded in-transit" },
	{ MACS "0800" IP("01", "54") "0d00000000000000", "10.1.2.3 -> 10.2.3.4: icmp: type-13 code-0" },
	{ MACS "0800" IP("32", "54") "2e03e37b00000002", "10.1.2.3 -> 10.2.3.4: ESP(spi=0x2e03e37b,seq=0x2)" },
	{ MACS "0800" IP("2f", "54") "00000800", "10.1.2.3 -> 10.2.3.4: ip-proto-47 64" },
	/* fragments: the first has ports, the next has not */
	{ MACS "0800" "45000054123420003f1100000a0102030a020304" "003507d0041000004142434445464748",
	  "10.1.2.3.53 -> 10.2.3.4.2000: udp 1032 (frag 4660:64@0+)" },
	{ MACS "0800" "45000054123400083f1100000a0102030a020304" "003507d0041000004142434445464748",
	  "10.1.2.3 -> 10.2.3.4: ip-proto-17 (frag 4660:64@64)" },
	{ MACS "0800" "4500", "[|ip]" },
	{ MACS "0800" "4100003c123440003f0600000a0102030a020304", "[|ip]" },
	{ MACS "0806" "0001080006040001020000000101c0a80164000000000000c0a80163",
	  "arp who-has 192.168.1.99 tell 192.168.1.100" },
	{ MACS "0806" "0001080006040002020000000101c0a80163020000000102c0a80164",
	  "arp reply 192.168.1.99 is-at 02:00:00:00:01:01" },
	{ MACS "0806" "000108000604", "arp [|arp]" },
	{ MACS "8100" "200a" "0800" IP("01", "54") "0800000000010001",
	  "802.1Q vlan#10 P1 10.1.2.3 -> 10.2.3.4: icmp: echo request" },
	{ MACS "86dd" "6000000000140640" "fe800000000000000000000000000001" "ff020000000000000000000000000002"
	  "1a0a01bb000000050000000060020200", "fe80::1.6666 -> ff02::2.443: syn 5 " },
	{ MACS "86dd" "6000000000203aff" "fe800000000000000000000000000001" "ff020000000000000000000000000002"
	  "8700000000000000fe800000000000000000000000000009",
	  "fe80::1 -> ff02::2: icmp6: neighbor sol: who has fe80::9" },
	{ MACS "86dd" "6000000000203aff" "fe800000000000000000000000000001" "ff020000000000000000000000000002"
	  "8000000000010001", "fe80::1 -> ff02::2: icmp6: echo request" },
	{ MACS "86dd" "60000000", "[|ip6]" },
	{ MACS "88cc" "0207", "ether proto 0x88cc 2" },
	{ "0200", "ether proto 0x0000 0" },
	{ "", "ether proto 0x0000 0" },
};

static size_t from_hex(const char *hex, uint8_t *data) {
	size_t n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		const char digits[] = { hex[0], hex[1], '\0' };

		data[n++] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return n;
}

/* A packet of its own memory, as long as it is: what reads beyond it is found by a sanitizer. */
static char *text_of(const char *hex, const struct sniffer_form *form) {
	AUTO_FREE uint8_t *data = xcalloc(strlen(hex) / 2 + (*hex == '\0'), 1);
	const struct sniffer_packet p = { .when = { 1505220013, 675529999 },
					  .interface = "port1",
					  .way = SNIFFER_IN,
					  .frame = data,
					  .len = from_hex(hex, data) };
	struct str out = STR_INIT;

	sniffer_text(&p, form, &out);
	return str_steal(&out);
}

START_TEST(test_line) {
	const struct sniffer_form form = { .level = 1, .start = { 1505220012, 675529000 } };
	struct str want AUTO_STR = STR_INIT;
	AUTO_FREE char *got = text_of(frames[_i].frame, &form);

	str_addf(&want, "1.000000 %s\n", frames[_i].text);
	ck_assert_str_eq(got, str_text(&want));
}
END_TEST

/* Cut anywhere, a packet is one line. */
START_TEST(test_cut) {
	const struct sniffer_form form = { .level = 1 };
	AUTO_FREE char *hex = xstrdup(frames[_i].frame);

	for (size_t len = strlen(hex); len >= 2; len -= 2) {
		AUTO_FREE char *got = NULL;

		hex[len] = '\0';
		got = text_of(hex, &form);
		ck_assert_ptr_eq(strchr(got, '\n'), got + strlen(got) - 1);
	}
}
END_TEST

#define PING MACS "0800" IP("01", "21") "0800d6c6b371c23d40017308aa"
#define PING_LINE "10.1.2.3 -> 10.2.3.4: icmp: echo request\n"
#define FROM_IP                                                                                    \
	"0x0000\t 4500 0021 1234 4000 3f01 0000 0a01 0203\tE..!.4@.?.......\n"                       \
	"0x0010\t 0a02 0304 0800 d6c6 b371 c23d 4001 7308\t.........q.=@.s.\n"                       \
	"0x0020\t aa                                     \t.\n\n"
#define FROM_ETHER                                                                                 \
	"0x0000\t 0200 0000 0101 0200 0000 02ab 0800 4500\t..............E.\n"                       \
	"0x0010\t 0021 1234 4000 3f01 0000 0a01 0203 0a02\t.!.4@.?.........\n"                       \
	"0x0020\t 0304 0800 d6c6 b371 c23d 4001 7308 aa  \t.......q.=@.s..\n\n"

START_TEST(test_levels) {
	static const char *const texts[] = {
		"0.000000 " PING_LINE,
		"0.000000 " PING_LINE FROM_IP,
		"0.000000 " PING_LINE FROM_ETHER,
		"0.000000 port1 in " PING_LINE,
		"0.000000 port1 in " PING_LINE FROM_IP,
		"0.000000 port1 in " PING_LINE FROM_ETHER,
	};
	/* a packet may be older than the start by a moment */
	const struct sniffer_form form = { .level = (unsigned int)_i + 1,
					   .start = { 1505220014, 0 } };
	AUTO_FREE char *got = text_of(PING, &form);

	ck_assert_str_eq(got, texts[_i]);
}
END_TEST

START_TEST(test_clocks) {
	struct sniffer_form form = { .level = 1, .clock = SNIFFER_UTC };
	AUTO_FREE char *utc = text_of(PING, &form), *local = NULL;

	ck_assert_str_eq(utc, "2017-09-12 12:40:13.675529 " PING_LINE);
	setenv("TZ", "XYZ-2", 1);
	tzset();
	form.clock = SNIFFER_LOCAL;
	local = text_of(PING, &form);
	ck_assert_str_eq(local, "2017-09-12 14:40:13.675529 " PING_LINE);
}
END_TEST

/* ---- filters ---- */

static const char *const good_filters[] = {
	"icmp",
	"host 10.1.2.3 and (port 80 or 443)",
	"src host 10.1.2.3 and not dst net 10.2",
	"net 10.0.0.0/8 or net 10.0.0.0 mask 255.0.0.0",
	"ether host 02:00:00:00:01:01 || arp",
	"host fe80::1 or host ::ffff:10.1.2.3",
	"tcp[13] & 2 != 0 and tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
	"icmp[icmptype] == icmp-echo or icmp6[0] = 0x80",
	"ip[2:2] > 576 and greater 100",
	"portrange 8000-8010",
	"port ssh and tcp",
	"ip proto \\tcp or ip proto 47",
	"(ip and ip[1] & 0xfc == 0x70)",
	"vlan 10 and udp port 53",
};

START_TEST(test_good_filter) {
	struct err err = { 0 };

	ck_assert_msg(sniffer_filter_check(good_filters[_i], &err) == 0, "%s", err.text);
}
END_TEST

/* Whatever libpcap might take for a name and look up. */
static const char *const bad_filters[] = {
	"host www.example.com", "www", "host 1.de", "host dead.beef", "host 1.2.3.4.5", "host 10.", "net intern",
	"host 80-90", "src ab:cd",  "host fe80::x", "gateway 10.1.2.3", "port a.b",  "ether host 2:3:4:5:6",
	"port 80 or host x",	    "host 0xzz",    "_x",		"tcp and protochain 6",
};

START_TEST(test_bad_filter) {
	struct err err = { 0 };

	ck_assert_int_eq(sniffer_filter_check(bad_filters[_i], &err), ERR_VALUE);
	ck_assert_ptr_nonnull(strstr(err.text, "is not known"));
}
END_TEST

/* ---- captures ---- */

static void own_namespace(void) {
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
}

static void send_datagram(uint16_t port, size_t len) {
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	static const char data[60000];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0); /* it sends to itself */
	ck_assert_int_eq(sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)),
			 (ssize_t)len);
	close(fd);
}

struct caught {
	unsigned int n, most;
	enum sniffer_way way;
	char interface[16];
	size_t len;
};

static bool catch(void *arg, const struct sniffer_packet *p) {
	struct caught *c = arg;

	c->n++;
	c->way = p->way;
	c->len = p->len;
	strcpy(c->interface, p->interface);
	return c->n < c->most;
}

static struct sniffer *opened(const char *interface, const char *filter) {
	struct err err = { 0 };
	struct sniffer *s = sniffer_open(interface, filter, &err);

	ck_assert_msg(s, "%s", err.text);
	return s;
}

/* Read until this many packets have come. */
static struct caught catch_packets(struct sniffer *s, unsigned int n) {
	struct caught c = { .most = n };
	struct err err = { 0 };

	while (c.n < n) {
		struct pollfd p = { .fd = sniffer_fd(s), .events = POLLIN };

		ck_assert_int_eq(poll(&p, 1, 10000), 1);
		ck_assert_msg(sniffer_read(s, 100, catch, &c, &err) == 0, "%s", err.text);
	}
	return c;
}

START_TEST(test_capture) {
	unsigned int received, dropped;
	struct sniffer *s;
	struct caught c;

	own_namespace();
	s = opened("lo", "udp port 2000");
	send_datagram(2001, 10);
	send_datagram(2000, 11);
	send_datagram(2001, 10);
	send_datagram(2000, 12);
	c = catch_packets(s, 2);
	ck_assert_str_eq(c.interface, "lo");
	ck_assert_uint_eq(c.len, 14 + 20 + 8 + 12);
	sniffer_stats(s, &received, &dropped);
	/* on the loopback each passes the filter twice, and libpcap hands on one */
	ck_assert_uint_eq(received, 4);
	ck_assert_uint_eq(dropped, 0);
	sniffer_close(s);
}
END_TEST

START_TEST(test_capture_any) {
	struct sniffer *s;
	struct caught c;

	own_namespace();
	s = opened("any", "udp port 2000");
	send_datagram(2000, 11);
	c = catch_packets(s, 1);
	ck_assert_int_eq(c.way, SNIFFER_IN);
	ck_assert_str_eq(c.interface, "lo");
	ck_assert_uint_eq(c.len, 14 + 20 + 8 + 11);
	sniffer_close(s);
}
END_TEST

START_TEST(test_capture_long) {
	struct sniffer *s;
	struct caught c;

	own_namespace();
	s = opened(_i ? "any" : "lo", NULL);
	send_datagram(2000, 60000);
	c = catch_packets(s, 1);
	ck_assert_uint_le(c.len, SNIFFER_ETHER + SNIFFER_SNAPLEN);
	ck_assert_uint_ge(c.len, SNIFFER_SNAPLEN - 20);
	sniffer_close(s);
}
END_TEST

static const struct {
	const char *interface, *filter;
	int code;
	const char *text;
} refused[] = {
	{ "nothing", NULL, ERR_NOT_FOUND, "there is no interface 'nothing'" },
	{ "lo:foo", NULL, ERR_NOT_FOUND, "there is no interface 'lo:foo'" },
	{ "nflog:5", NULL, ERR_NOT_FOUND, "there is no interface 'nflog:5'" },
	{ "", NULL, ERR_NOT_FOUND, "there is no interface ''" },
	{ "a name that is longer than any", NULL, ERR_NOT_FOUND, "there is no interface" },
	{ "lo", "host 10.1.2.3 and", ERR_VALUE, "filter: can't parse filter expression" },
	{ "lo", "port nothing", ERR_VALUE, "filter: " },
	{ "lo", "host name", ERR_VALUE, "filter: 'name' is not known" },
};

START_TEST(test_refused) {
	struct err err = { 0 };

	own_namespace();
	ck_assert_ptr_null(sniffer_open(refused[_i].interface, refused[_i].filter, &err));
	ck_assert_int_eq(err.code, refused[_i].code);
	ck_assert_msg(strstr(err.text, refused[_i].text), "%s", err.text);
	for (int i = 0; i < 2 * SNIFFERS_MAX; i++) /* what is refused takes no place */
		sniffer_open(refused[_i].interface, refused[_i].filter, NULL);
	sniffer_close(opened("lo", NULL));
}
END_TEST

START_TEST(test_too_many) {
	struct sniffer *s[SNIFFERS_MAX];
	struct err err = { 0 };

	own_namespace();
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		s[i] = opened("lo", NULL);
	ck_assert_ptr_null(sniffer_open("lo", NULL, &err));
	ck_assert_int_eq(err.code, ERR_MAX_ENTRIES);
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		sniffer_close(s[i]);
	sniffer_close(opened("lo", NULL));
}
END_TEST

/* An interface that goes ends its capture. */
START_TEST(test_interface_goes) {
	struct err err = { 0 };
	struct caught c = { .most = 1 };
	struct pollfd p = { .events = POLLIN };
	struct sniffer *s;

	own_namespace();
	ck_assert_int_eq(system("ip link add name passing up type veth peer name other"), 0);
	s = opened("passing", "udp port 9");
	ck_assert_int_eq(system("ip link delete passing"), 0);
	p.fd = sniffer_fd(s);
	while (sniffer_read(s, 10, catch, &c, &err) == 0)
		ck_assert_int_eq(poll(&p, 1, 10000), 1);
	ck_assert_int_eq(err.code, ERR_KERNEL);
	sniffer_close(s);
}
END_TEST

static Suite *sniffer_suite(void) {
	Suite *s = suite_create("sniffer");
	TCase *t = fixture_case(s, "sniffer");

	tcase_add_loop_test(t, test_line, 0, ARRAY_LEN(frames));
	tcase_add_loop_test(t, test_cut, 0, ARRAY_LEN(frames));
	tcase_add_loop_test(t, test_levels, 0, SNIFFER_LEVEL_MAX);
	tcase_add_test(t, test_clocks);
	tcase_add_loop_test(t, test_good_filter, 0, ARRAY_LEN(good_filters));
	tcase_add_loop_test(t, test_bad_filter, 0, ARRAY_LEN(bad_filters));
	tcase_add_test(t, test_capture);
	tcase_add_test(t, test_capture_any);
	tcase_add_loop_test(t, test_capture_long, 0, 2);
	tcase_add_loop_test(t, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_test(t, test_too_many);
	tcase_add_test(t, test_interface_goes);
	return s;
}

int main(void) {
	return fixture_run(sniffer_suite());
}
