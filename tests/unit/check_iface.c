/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces and kernel settings, each test in a network namespace of its own: what the
 * configuration says of managed interfaces is there, what it does not say is left alone, and a
 * commit that fails leaves everything as it was.
 */
#include "backends/iface.h"

#include <event2/event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/sysctl.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* Two links; the second is somebody else's. */
static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("ip link set lo up && for i in 1 2; do ip link add port$i type veth peer name peer$i && "
	    "ip link set peer$i up; done && ip link set port2 up && ip address add 192.0.2.2/24 dev port2");
}

/* Links with state, MTU and addresses, as one line; the caller frees. */
static char *state(void) {
	FILE *f = popen(
		"for i in port1 port2; do echo $(ip -oneline link show $i | "
		"sed 's/.*<\\(.*\\)> mtu \\([0-9]*\\).*/\\1 \\2/; s/[A-Z,_-]*\\<UP\\>[A-Z,_-]* /up /; "
		"s/.*[A-Z]\\+ /down /') $(ip -4 -oneline address show dev $i | awk '{ print $4 }' | sort); done",
		"r");
	struct str out = STR_INIT;
	char line[512];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		str_addf(&out, "%s%.*s", out.len ? "; " : "", (int)strcspn(line, "\n"), line);
	pclose(f);
	return str_steal(&out);
}

static void assert_state(const char *right) {
	AUTO_FREE char *now = state();

	ck_assert_str_eq(now, right);
}

static struct model *model_of(const char *lines) {
	struct str text AUTO_STR = STR_INIT;
	struct model *m;

	str_addf(&text, "config system interface\nedit \"port1\"\n%snext\nend\n", lines);
	m = conf_model(str_text(&text));
	conf_load(
		m,
		"config system interface\nedit \"port2\"\nset ip 192.0.2.2 255.255.255.0\nnext\nend\n",
		0);
	return m;
}

static struct iface *started(const char *lines) {
	struct model *m = model_of(lines);
	struct err err = { 0 };
	struct iface *f = iface_new(NULL, &err);
	struct backend b;

	ck_assert_msg(f, "%s", err.text);
	b = iface_backend(f);
	ck_assert_msg(b.start(f, &(struct commit){ .model = m }, &err) == 0, "%s", err.text);
	model_free(m);
	return f;
}

static int apply(struct iface *f, struct model *m, struct err *err) {
	struct backend b = iface_backend(f);
	int rc = b.prepare(f, &(struct commit){ .model = m, .revision = 1 }, err);

	ck_assert_int_eq(rc, 0);
	model_free(m);
	return b.apply(f, err);
}

#define OTHER "; up 1500 192.0.2.2/24"

static const struct {
	const char *lines, *state;
} cases[] = {
	{ "", "up 1500" OTHER },
	{ "set ip 10.0.0.1 255.255.255.0\n", "up 1500 10.0.0.1/24" OTHER },
	{ "set ip 10.0.0.2 255.255.255.0\n", "up 1500 10.0.0.2/24" OTHER },
	{ "set ip 10.0.0.1 255.255.0.0\n", "up 1500 10.0.0.1/16" OTHER },
	{ "set ip 10.0.0.1 255.255.255.255\nset mtu-override enable\nset mtu 1400\n",
	  "up 1400 10.0.0.1/32" OTHER },
	{ "set ip 10.0.0.1 255.255.255.0\nset status down\n", "down 1500 10.0.0.1/24" OTHER },
	{ "set ip 10.0.0.1 255.255.255.0\nset secondary-IP enable\nconfig secondaryip\nedit 1\n"
	  "set ip 10.0.0.5 255.255.255.0\nnext\nedit 2\nset ip 10.9.0.1 255.255.0.0\nnext\nend\n",
	  "up 1500 10.0.0.1/24 10.0.0.5/24 10.9.0.1/16" OTHER },
	{ "set ip 10.0.0.1 255.255.255.0\nconfig secondaryip\nedit 1\nset ip 10.0.0.5 255.255.255.0\nnext\nend\n",
	  "up 1500 10.0.0.1/24" OTHER },
	{ "set ip 10.0.0.9 255.255.255.0\nset secondary-IP enable\nconfig secondaryip\nedit 1\n"
	  "set ip 10.0.0.1 255.255.255.0\nnext\nend\n",
	  "up 1500 10.0.0.1/24 10.0.0.9/24" OTHER },
	{ "set mode dhcp\n", "up 1500" OTHER },
};

START_TEST(test_states) {
	struct iface *f;

	own_namespace();
	f = started(cases[_i].lines);
	assert_state(cases[_i].state);
	ck_assert_int_eq(iface_reconcile(f, NULL), 0);
	assert_state(cases[_i].state);
	iface_free(f);
}
END_TEST

/* From each case to each other, and back by undo. MTUs that are no longer set stay. */
START_TEST(test_undo) {
	struct err err = { 0 };

	own_namespace();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct iface *f;
		struct backend b;

		if (strstr(cases[i].lines, "mtu") || strstr(cases[_i].lines, "mtu"))
			continue;
		f = started(cases[_i].lines);
		b = iface_backend(f);
		assert_state(cases[_i].state);
		ck_assert_msg(apply(f, model_of(cases[i].lines), &err) == 0, "%s", err.text);
		assert_state(cases[i].state);
		b.undo(f);
		b.cancel(f);
		assert_state(cases[_i].state);
		ck_assert_msg(apply(f, model_of(cases[i].lines), &err) == 0, "%s", err.text);
		b.finish(f);
		assert_state(cases[i].state);
		iface_free(f);
	}
}
END_TEST

START_TEST(test_mtu) {
	struct err err = { 0 };
	struct iface *f;
	struct backend b;

	own_namespace();
	f = started(cases[1].lines);
	b = iface_backend(f);
	ck_assert_int_eq(apply(f, model_of(cases[4].lines), &err), 0);
	assert_state(cases[4].state);
	b.undo(f);
	b.cancel(f);
	assert_state(cases[1].state);
	iface_free(f);
}
END_TEST

START_TEST(test_fault) {
	static const char *const points[] = { "iface.apply:1", "iface.applied:1" };
	struct err err = { 0 };
	struct iface *f;

	own_namespace();
	f = started(cases[1].lines);
	setenv("GATEHOUSE_FAULT", points[_i], 1);
	fault_init();
	ck_assert_int_eq(apply(f, model_of(cases[6].lines), &err), ERR_KERNEL);
	assert_state(cases[1].state);
	iface_free(f);
}
END_TEST

/*
 * Addresses of others on a managed interface stay; ours that are no longer wanted go at the next
 * start.
 */
START_TEST(test_foreign_addresses) {
	struct iface *f;

	own_namespace();
	run("ip address add 10.3.0.1/24 dev port1");
	f = started(cases[1].lines);
	assert_state("up 1500 10.0.0.1/24 10.3.0.1/24" OTHER);
	iface_free(f);
	f = started(cases[2].lines);
	assert_state("up 1500 10.0.0.2/24 10.3.0.1/24" OTHER);
	iface_free(f);
}
END_TEST

/* An address that was there before the configuration said so is ours to remove once it said so. */
START_TEST(test_taken_up_address) {
	struct err err = { 0 };
	struct iface *f;

	own_namespace();
	run("ip address add 10.0.0.1/24 dev port1");
	f = started(cases[1].lines);
	ck_assert_int_eq(apply(f, model_of(cases[2].lines), &err), 0);
	assert_state(cases[2].state);
	iface_free(f);
}
END_TEST

/* What was only found is left to whoever set it up, until the configuration says otherwise. */
START_TEST(test_as_found) {
	static const char change[] =
		"config system interface\nedit \"port2\"\nset ip 192.0.2.9 255.255.255.0\nnext\nend\n";
	static const char policy[] =
		"config firewall policy\nedit 1\nset srcintf \"port2\"\nset dstintf \"port2\"\nset srcaddr \"all\"\n"
		"set dstaddr \"all\"\nset service \"ALL\"\nset schedule \"always\"\nnext\nend\n";
	struct model *m = model_of("");
	struct err err = { 0 };
	struct iface *f;
	struct backend b;

	own_namespace();
	conf_load(m, policy, 1);
	f = iface_new(NULL, &err);
	b = iface_backend(f);
	ck_assert_int_eq(b.start(f, &(struct commit){ .model = m }, &err), 0);
	run("ip address del 192.0.2.2/24 dev port2 && ip address add 192.0.2.3/24 dev port2");
	run("ip link set port2 mtu 1300");
	ck_assert_int_eq(iface_reconcile(f, &err), 0);
	assert_state("up 1500; up 1300 192.0.2.3/24");
	run("ip address add 192.0.2.2/24 dev port2");
	conf_load(m, change, 2);
	ck_assert_int_eq(apply(f, m, &err), 0);
	b.finish(f);
	assert_state("up 1500; up 1300 192.0.2.3/24 192.0.2.9/24");
	iface_free(f);
}
END_TEST

/* ---- interfaces that are held down ---- */

#define PEER(lines) \
	"config system standalone-cluster\nset psksecret a-secret-of-16-chars\nconfig cluster-peer\n" \
	"edit 1\nset peerip 10.9.9.2\n" lines "next\nend\nend\n"

static struct event_base *base;
static struct relay *relay;
static struct hold *hold;
static struct iface *held;

static void ignore(int priority, const char *text) {
	(void)priority;
	(void)text;
}

static void let_go(void *arg) {
	(void)arg;
	ck_assert_int_eq(iface_reconcile(held, NULL), 0);
}

/* A start of the unit with this configuration; let_go() follows relay_ready(). */
static void start_held(struct model *m) {
	struct hold_config config = { .wait_s = 3600, .tell = ignore, .let_go = let_go };
	struct backend b;

	own_namespace();
	config.base = base = event_base_new();
	config.relay = relay = relay_new();
	hold = hold_new(&config, NULL);
	held = iface_new(hold, NULL);
	b = iface_backend(held);
	hold_begin(hold, m);
	ck_assert_int_eq(b.start(held, &(struct commit){ .model = m }, NULL), 0);
}

static void end_held(void) {
	iface_free(held);
	hold_free(hold);
	relay_free(relay);
	event_base_free(base);
}

static const struct {
	const char *lines, *down, *after, *state;
} holds[] = {
	{ "set ip 10.0.0.1 255.255.255.0\n", "port1", "down 1500 10.0.0.1/24" OTHER,
	  "up 1500 10.0.0.1/24" OTHER },
	{ "set ip 10.0.0.1 255.255.255.0\nset status down\n", "port1",
	  "down 1500 10.0.0.1/24" OTHER, "down 1500 10.0.0.1/24" OTHER },
	{ "set mtu-override enable\nset mtu 1400\n", "port1", "down 1400" OTHER, "up 1400" OTHER },
	/* One that is only described as it was found, with the other. */
	{ "", "port1 port2", "down 1500; down 1500 192.0.2.2/24", "up 1500" OTHER },
};

/* Who else brings it up does not prevail. */
START_TEST(test_held) {
	AUTO_FREE char *text =
		xasprintf(PEER("set down-intfs-before-sess-sync %s\n"), holds[_i].down);
	struct model *m = model_of(holds[_i].lines);

	conf_load(m, text, 1);
	start_held(m);
	assert_state(holds[_i].after);
	run("ip link set port1 up");
	ck_assert_int_eq(iface_reconcile(held, NULL), 0);
	assert_state(holds[_i].after);
	relay_ready(relay);
	assert_state(holds[_i].state);
	end_held();
	model_free(m);
}
END_TEST

/* A commit that no longer names it brings up what was down, and down again when it is undone. */
START_TEST(test_held_no_more) {
	struct model *m = model_of("");
	struct err err = { 0 };

	conf_load(m, PEER("set down-intfs-before-sess-sync port1 port2\n"), 1);
	if (_i)
		conf_load(m, "config router static\nedit 1\nset device port2\nnext\nend\n", 1);
	start_held(m);
	assert_state("down 1500; down 1500 192.0.2.2/24");
	conf_load(m, PEER(""), 2);
	ck_assert_msg(apply(held, m, &err) == 0, "%s", err.text);
	assert_state("up 1500" OTHER);
	iface_backend(held).undo(held);
	assert_state("down 1500; down 1500 192.0.2.2/24");
	end_held();
}
END_TEST

/* An interface that is no longer managed is left as it is. */
START_TEST(test_no_longer_managed) {
	static const char policy[] =
		"config firewall policy\nedit 1\nset srcintf \"port2\"\nset dstintf \"port2\"\nset srcaddr \"all\"\n"
		"set dstaddr \"all\"\nset service \"ALL\"\nset schedule \"always\"\nnext\nend\n";
	struct model *m = model_of("");
	struct err err = { 0 };
	struct iface *f;
	struct backend b;

	own_namespace();
	f = started("");
	b = iface_backend(f);
	conf_load(m, policy, 1);
	ck_assert_int_eq(apply(f, m, &err), 0);
	b.finish(f);
	assert_state("up 1500" OTHER);
	ck_assert_int_eq(apply(f, model_of(""), &err), 0);
	b.finish(f);
	assert_state("up 1500" OTHER);
	iface_free(f);
}
END_TEST

START_TEST(test_late_link) {
	struct iface *f;

	own_namespace();
	run("ip link delete port1");
	f = started(cases[1].lines);
	run("ip link add port1 type veth peer name peer1 && ip link set peer1 up");
	ck_assert_int_eq(iface_reconcile(f, NULL), 0);
	assert_state(cases[1].state);
	iface_free(f);
}
END_TEST

START_TEST(test_found) {
	struct links links;
	struct err err = { 0 };
	const struct link *l;

	own_namespace();
	ck_assert_int_eq(iface_found(&links, &err), 0);
	ck_assert_uint_eq(links.n, 4);
	ck_assert_ptr_null(links_find(&links, "lo"));
	l = links_find(&links, "port2");
	ck_assert(l && l->up && l->running && l->mtu == 1500);
	ck_assert(!links_find(&links, "port1")->up);
	for (size_t i = 0; i < links.n_addrs; i++)
		if (links.addr[i].index == l->index) {
			ck_assert_uint_eq(links.addr[i].addr, 0xc0000202);
			ck_assert_uint_eq(links.addr[i].prefix, 24);
			ck_assert(!links.addr[i].ours);
		}
	links_done(&links);
}
END_TEST

/* ---- settings ---- */

static long setting(const char *name) {
	AUTO_FREE char *path = xasprintf("/proc/sys/%s", name);
	FILE *f = fopen(path, "r");
	long v = -1;

	ck_assert_msg(f, "%s", path);
	ck_assert_int_eq(fscanf(f, "%ld", &v), 1);
	fclose(f);
	return v;
}

static void assert_settings(bool set) {
	ck_assert_int_eq(setting("net/ipv4/conf/port1/forwarding"), set);
	ck_assert_int_eq(setting("net/ipv4/conf/port1/rp_filter"), set ? 2 : 1);
	ck_assert_int_eq(setting("net/ipv4/conf/port1/promote_secondaries"), set);
	/*
	 * Links that are not managed forward as they did, and check sources as strictly: what
	 * counts is the larger of the link's own and that of all.
	 */
	for (size_t i = 0; i < 2; i++) {
		AUTO_FREE char *conf = xasprintf("net/ipv4/conf/%s", i ? "all" : "peer1");
		AUTO_FREE char *forwarding = xasprintf("%s/forwarding", conf);
		AUTO_FREE char *rp_filter = xasprintf("%s/rp_filter", conf);
		AUTO_FREE char *promote = xasprintf("%s/promote_secondaries", conf);

		ck_assert_int_eq(setting(forwarding), 0);
		ck_assert_int_eq(setting(rp_filter), 1);
		ck_assert_int_eq(setting(promote), 0);
	}
	ck_assert_int_eq(setting("net/ipv4/ip_forward"), 0);
	ck_assert_int_eq(setting("net/netfilter/nf_conntrack_tcp_loose"), !set);
	ck_assert_int_eq(setting("net/netfilter/nf_conntrack_acct"), set);
	ck_assert_int_eq(setting("net/netfilter/nf_conntrack_tcp_timeout_established"),
			 set ? 3600 : 1234);
}

START_TEST(test_settings) {
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *path = xasprintf("%s/sysctl.saved", dir);
	struct model *none = conf_model(""), *some = model_of("");
	struct sysctl *s = sysctl_new(path);
	struct backend b = sysctl_backend(s);
	struct err err = { 0 };

	own_namespace();
	run("for i in all port1 peer1; do sysctl -qw net.ipv4.conf.$i.rp_filter=1 "
	    "net.ipv4.conf.$i.promote_secondaries=0; done");
	run("sysctl -qw net.ipv4.ip_forward=0 net.netfilter.nf_conntrack_tcp_loose=1 net.netfilter.nf_conntrack_acct=0 "
	    "net.netfilter.nf_conntrack_tcp_timeout_established=1234");
	ck_assert_int_eq(b.start(s, &(struct commit){ .model = none }, &err), 0);
	assert_settings(false);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(b.prepare(s, &(struct commit){ .model = some }, &err), 0);
	ck_assert_msg(b.apply(s, &err) == 0, "%s", err.text);
	assert_settings(true);
	b.undo(s);
	b.cancel(s);
	assert_settings(false);
	ck_assert_int_eq(b.prepare(s, &(struct commit){ .model = some }, &err), 0);
	ck_assert_int_eq(b.apply(s, &err), 0);
	b.finish(s);
	assert_settings(true);
	sysctl_free(s);
	/* A restart sets them again and keeps the first file. */
	s = sysctl_new(path);
	run("sysctl -qw net.ipv4.ip_forward=0");
	ck_assert_int_eq(b.start(s, &(struct commit){ .model = some }, &err), 0);
	assert_settings(true);
	sysctl_free(s);
	ck_assert_msg(sysctl_restore(path, &err) == 0, "%s", err.text);
	assert_settings(false);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(sysctl_restore(path, &err), 0);
	model_free(none);
	model_free(some);
}
END_TEST

#define UDP_TIMEOUT "net/netfilter/nf_conntrack_udp_timeout_stream"

static int settings_apply(struct backend *b, const struct model *m) {
	struct err err = { 0 };
	int rc = b->prepare(b->ctx, &(struct commit){ .model = m }, &err);

	return rc ? rc : b->apply(b->ctx, &err);
}

/* Timers of the configuration: a commit changes them, undoing it puts back what was before. */
START_TEST(test_timers) {
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *path = xasprintf("%s/sysctl.saved", dir);
	struct model *m = model_of("");
	struct sysctl *s = sysctl_new(path);
	struct backend b = sysctl_backend(s);
	struct err err = { 0 };
	FILE *f;

	own_namespace();
	run("sysctl -qw net.netfilter.nf_conntrack_udp_timeout_stream=77");
	/* A file of before, that knows less. */
	f = fopen(path, "w");
	ck_assert(f && fputs("net/netfilter/nf_conntrack_acct=1\n", f) >= 0 && fclose(f) == 0);
	ck_assert_int_eq(b.start(s, &(struct commit){ .model = m }, &err), 0);
	ck_assert_int_eq(setting(UDP_TIMEOUT), 180);
	conf_load(m,
		  "config system global\nset udp-idle-timer 33\nend\n"
		  "config system session-ttl\nset default 900\nend\n",
		  2);
	ck_assert_int_eq(settings_apply(&b, m), 0);
	ck_assert_int_eq(setting(UDP_TIMEOUT), 33);
	ck_assert_int_eq(setting("net/netfilter/nf_conntrack_tcp_timeout_established"), 900);
	b.undo(s);
	b.cancel(s);
	ck_assert_int_eq(setting(UDP_TIMEOUT), 180);
	ck_assert_int_eq(settings_apply(&b, m), 0);
	b.finish(s);
	ck_assert_int_eq(setting(UDP_TIMEOUT), 33);
	/* A commit about something else writes nothing. */
	run("sysctl -qw net.netfilter.nf_conntrack_udp_timeout_stream=44");
	ck_assert_int_eq(settings_apply(&b, m), 0);
	b.finish(s);
	ck_assert_int_eq(setting(UDP_TIMEOUT), 44);
	sysctl_free(s);
	ck_assert_msg(sysctl_restore(path, &err) == 0, "%s", err.text);
	ck_assert_int_eq(setting(UDP_TIMEOUT), 77);
	ck_assert_int_eq(setting("net/netfilter/nf_conntrack_acct"), 1);
	model_free(m);
}
END_TEST

static Suite *iface_suite(void) {
	Suite *s = suite_create("iface");
	TCase *t = tcase_create("iface");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_states, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(t, test_undo, 0, ARRAY_LEN(cases));
	tcase_add_test(t, test_mtu);
	tcase_add_loop_test(t, test_fault, 0, 2);
	tcase_add_test(t, test_foreign_addresses);
	tcase_add_test(t, test_taken_up_address);
	tcase_add_test(t, test_as_found);
	tcase_add_loop_test(t, test_held, 0, ARRAY_LEN(holds));
	tcase_add_loop_test(t, test_held_no_more, 0, 2);
	tcase_add_test(t, test_no_longer_managed);
	tcase_add_test(t, test_late_link);
	tcase_add_test(t, test_found);
	tcase_add_test(t, test_settings);
	tcase_add_test(t, test_timers);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(iface_suite());
}
