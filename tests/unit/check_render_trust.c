/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who reaches the services of administration, as the networks of all administrators say. */
#include <netinet/in.h>
#include <string.h>

#include "backends/render.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"
#include "tests/lib/simulate.h"

#define CLIENT 0xcf668a13           /* 207.102.138.19 */

static const char interfaces[] =
	"config system interface\nedit \"port1\"\nset allowaccess ping ssh fgfm\nnext\nend\n"
	"config router static\nedit 1\nset device \"port1\"\nnext\nend\n";

#define NOT_OPEN(nets) \
	"config system accprofile\nedit \"p\"\nnext\nend\nconfig system admin\nedit \"admin\"\n" \
	"set accprofile \"p\"\n" nets "next\nend\n"
#define NETS "set trusthost1 207.102.138.0 255.255.255.0\nset trusthost2 207.102.139.0 255.255.255.0\n"
#define NETS6 "set ip6-trusthost1 2001:db8:4::/46\nset ip6-trusthost2 fe80::1/128\n"

/* Who reaches the services of administration, as his networks are trusted or not. */
static const struct {
	const char *more;
	uint32_t src;
	uint32_t src6[4];           /* zeros: IPv4 */
	uint8_t proto, type;
	uint16_t dport;
	enum eval_verdict verdict;
} trusts[] = {
	{ NOT_OPEN(NETS), CLIENT, { 0 }, IPPROTO_TCP, 0, 22, EVAL_ACCEPT },
	{ NOT_OPEN(NETS), 0xcf668bff, { 0 }, IPPROTO_TCP, 0, 22, EVAL_ACCEPT },
	{ NOT_OPEN(NETS), 0xcf668c00, { 0 }, IPPROTO_TCP, 0, 22, EVAL_DROP },
	{ NOT_OPEN(NETS), 0xcf6689ff, { 0 }, IPPROTO_TCP, 0, 22, EVAL_DROP },
	{ NOT_OPEN(NETS), CLIENT, { 0 }, IPPROTO_ICMP, 8, 0, EVAL_ACCEPT },
	{ NOT_OPEN(NETS), 0xcf668c00, { 0 }, IPPROTO_ICMP, 8, 0, EVAL_DROP },
	{ NOT_OPEN(NETS), 0xcf668c00, { 0 }, IPPROTO_ICMP, 3, 0, EVAL_ACCEPT },
	/* What does not administer the unit asks for no trust. */
	{ NOT_OPEN(NETS), 0xcf668c00, { 0 }, IPPROTO_TCP, 0, 541, EVAL_ACCEPT },
	/* The families are apart. */
	{ NOT_OPEN(NETS), 0, { 0x20010db8, 9 }, IPPROTO_TCP, 0, 22, EVAL_ACCEPT },
	{ NOT_OPEN(NETS6), 0xcf668c00, { 0 }, IPPROTO_TCP, 0, 22, EVAL_ACCEPT },
	{ NOT_OPEN(NETS6), 0, { 0x20010db8, 0x00040000 }, IPPROTO_TCP, 0, 22, EVAL_ACCEPT },
	{ NOT_OPEN(NETS6), 0, { 0x20010db8, 0x0007ffff, 1, 1 }, IPPROTO_TCP, 0, 22, EVAL_ACCEPT },
	{ NOT_OPEN(NETS6), 0, { 0x20010db8, 0x00080000 }, IPPROTO_TCP, 0, 22, EVAL_DROP },
	{ NOT_OPEN(NETS6), 0, { 0x20010db8, 0x0003ffff }, IPPROTO_TCP, 0, 22, EVAL_DROP },
	{ NOT_OPEN(NETS6), 0, { 0xfe800000, 0, 0, 1 }, IPPROTO_ICMPV6, 128, 0, EVAL_ACCEPT },
	{ NOT_OPEN(NETS6), 0, { 0xfe800000, 0, 0, 2 }, IPPROTO_ICMPV6, 128, 0, EVAL_DROP },
	{ NOT_OPEN(NETS6), 0, { 0xfe800000, 0, 0, 2 }, IPPROTO_ICMPV6, 135, 0, EVAL_ACCEPT },
	/* One who may come from anywhere opens it to all; one who cannot log in does not. */
	{ NOT_OPEN(NETS "next\nedit \"x\"\nset accprofile \"p\"\n"), 0xcf668c00, { 0 },
	  IPPROTO_TCP, 0, 22, EVAL_ACCEPT },
	{ NOT_OPEN(NETS "next\nedit \"x\"\nset accprofile \"p\"\nset status disable\n"),
	  0xcf668c00, { 0 }, IPPROTO_TCP, 0, 22, EVAL_DROP },
	/* SSH is where admin-ssh-port says. */
	{ NOT_OPEN(NETS) "config system global\nset admin-ssh-port 2222\nend\n", CLIENT, { 0 },
	  IPPROTO_TCP, 0, 2222, EVAL_ACCEPT },
	{ NOT_OPEN(NETS) "config system global\nset admin-ssh-port 2222\nend\n", CLIENT, { 0 },
	  IPPROTO_TCP, 0, 22, EVAL_DROP },
};

START_TEST(test_trusted) {
	struct model *m = conf_model(interfaces);
	struct ruleset *rs;
	time_t next;
	struct eval_packet p = {
		.in = "port1", .out = "", .src = trusts[_i].src, .dst = 0xac108804,
		.proto = trusts[_i].proto, .icmp_type = trusts[_i].type,
		.ipv6 = trusts[_i].src6[0] != 0, .sport = 40000, .dport = trusts[_i].dport,
		.state = CT_STATE_NEW, .local = true,
	};

	conf_load(m, trusts[_i].more, 2);
	rs = render(m, 0, &next);
	memcpy(p.src6, trusts[_i].src6, sizeof(p.src6));
	ck_assert_int_eq(sim_chain(rs, "input", &p), trusts[_i].verdict);
	ruleset_free(rs);
	model_free(m);
}
END_TEST

static Suite *render_trust_suite(void) {
	Suite *s = suite_create("render_trust");
	TCase *t = fixture_case(s, "render_trust");

	tcase_add_loop_test(t, test_trusted, 0, ARRAY_LEN(trusts));
	return s;
}

int main(void) {
	return fixture_run(render_trust_suite());
}
