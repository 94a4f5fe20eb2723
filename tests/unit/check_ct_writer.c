/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries that are written into the kernel, read back: every kind of translation and protocol, what
 * an update may change, what is refused and why, and that what one program writes is no event to
 * itself. Each test has a network namespace of its own.
 */
#include "backends/ct_writer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/ct_events.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define TIMEOUT 3000

/* Labels and translation are there only while a rule asks for them. */
static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	ck_assert_int_eq(system("sysctl -qw net.netfilter.nf_conntrack_events=1 && nft -f - <<'END'\n"
				"table inet t {\n"
				"chain nat { type nat hook postrouting priority 100; }\n"
				"chain f { type filter hook forward priority 0; ct label 0 counter; }\n"
				"}\nEND"),
			 0);
}

/* ---- entries as text: orig src dst sport dport, reply src dst sport dport ---- */

struct form {
	int family;
	uint8_t proto, state;
	uint32_t status;
	struct {
		const char *src, *dst;
		uint16_t sport, dport;
	} tuple[2];
};

#define BOTH (IPS_SEEN_REPLY | IPS_ASSURED)
#define EST TCP_CONNTRACK_ESTABLISHED

static const struct form forms[] = {
	{ AF_INET, IPPROTO_TCP, EST, BOTH, { { "10.0.0.1", "10.1.0.1", 5000, 80 },
					     { "10.1.0.1", "10.0.0.1", 80, 5000 } } },
	{ AF_INET, IPPROTO_TCP, EST, BOTH, { { "10.0.0.1", "20.0.0.1", 5000, 65022 },
					     { "10.1.0.1", "10.0.0.1", 22, 5000 } } },
	{ AF_INET, IPPROTO_TCP, TCP_CONNTRACK_SYN_SENT, 0, { { "10.0.0.1", "10.1.0.1", 5000, 80 },
							     { "10.1.0.1", "30.0.0.1", 80, 7000 } } },
	{ AF_INET, IPPROTO_TCP, EST, BOTH, { { "10.0.0.1", "20.0.0.1", 5000, 65022 },
					     { "10.1.0.1", "30.0.0.1", 22, 7000 } } },
	{ AF_INET, IPPROTO_UDP, 0, IPS_SEEN_REPLY, { { "10.0.0.1", "10.1.0.1", 5000, 53 },
						     { "10.1.0.1", "30.0.0.1", 53, 5000 } } },
	{ AF_INET, IPPROTO_ICMP, 0, IPS_SEEN_REPLY, { { "10.0.0.1", "10.1.0.1", 77, 8 },
						      { "10.1.0.1", "10.0.0.1", 77, 0 } } },
	{ AF_INET, IPPROTO_ICMP, 0, IPS_SEEN_REPLY, { { "10.0.0.1", "10.1.0.1", 77, 8 },
						      { "10.1.0.1", "30.0.0.1", 99, 0 } } },
	{ AF_INET, IPPROTO_GRE, 0, BOTH, { { "10.0.0.1", "10.1.0.1", 17, 18 },
					   { "10.1.0.1", "10.0.0.1", 18, 17 } } },
	{ AF_INET, IPPROTO_ESP, 0, BOTH, { { "10.0.0.1", "10.1.0.1", 0, 0 },
					   { "10.1.0.1", "10.0.0.1", 0, 0 } } },
	{ AF_INET6, IPPROTO_TCP, EST, BOTH, { { "fd00::1", "fd01::1", 5000, 80 },
					      { "fd01::1", "fd00::1", 80, 5000 } } },
	{ AF_INET6, IPPROTO_TCP, EST, BOTH, { { "fd00::1", "fd02::1", 5000, 80 },
					      { "fd01::1", "fd03::1", 8080, 5001 } } },
	{ AF_INET6, IPPROTO_ICMPV6, 0, IPS_SEEN_REPLY, { { "fd00::1", "fd01::1", 77, 128 },
							 { "fd01::1", "fd00::1", 77, 129 } } },
};

static struct ct entry_of(const struct form *f) {
	struct ct ct = { .family = (uint8_t)f->family,
			 .proto = f->proto,
			 .state = f->state,
			 .status = f->status,
			 .timeout = TIMEOUT,
			 .mark = 4711,
			 .label = { 0x1234567800abcd01, 0x2a500000000 } };

	for (int d = CT_ORIG; d <= CT_REPLY; d++) {
		ck_assert(net_parse(f->family, f->tuple[d].src, &ct.tuple[d].src));
		ck_assert(net_parse(f->family, f->tuple[d].dst, &ct.tuple[d].dst));
		ct.tuple[d].sport = f->tuple[d].sport;
		ct.tuple[d].dport = f->tuple[d].dport;
	}
	return ct;
}

/* ---- a writer that keeps what was refused ---- */

struct refusals {
	unsigned int n;
	int error[256];
	uint16_t sport[256];
};

static void keep(void *arg, const struct ct_change *change, int error) {
	struct refusals *r = arg;

	ck_assert_uint_lt(r->n, ARRAY_LEN(r->error));
	r->error[r->n] = error;
	r->sport[r->n++] = change->ct.tuple[CT_ORIG].sport;
}

static struct ct_writer *opened(ct_refused_fn *refused, void *arg) {
	struct err err = { 0 };
	struct ct_writer *w = ct_writer_open(refused, arg, &err);

	ck_assert_msg(w, "%s", err.text);
	return w;
}

static void put(struct ct_writer *w, enum ct_write what, const struct ct *ct) {
	ct_write(w, &(struct ct_change){ .what = what, .ct = *ct });
}

static bool in_kernel(const struct ct *named, struct ct *ret) {
	struct err err = { 0 };
	struct ct_netlink *nl = ct_open(&err);
	int rc;

	ck_assert_msg(nl, "%s", err.text);
	*ret = *named;
	rc = ct_get(nl, ret, &err);
	ct_close(nl);
	ck_assert_msg(rc == 0 || rc == ERR_NOT_FOUND, "%s", err.text);
	return rc == 0;
}

static void expect_entry(const struct ct *wanted) {
	struct ct ct;

	ck_assert(in_kernel(wanted, &ct));
	ck_assert_mem_eq(ct.tuple, wanted->tuple, sizeof(ct.tuple));
	ck_assert_uint_eq(ct.state, wanted->state);
	ck_assert_uint_eq(ct.status & BOTH, wanted->status & BOTH);
	ck_assert_uint_eq(ct.mark, wanted->mark);
	ck_assert_mem_eq(ct.label, wanted->label, sizeof(ct.label));
	ck_assert_uint_le(ct.timeout, wanted->timeout);
	ck_assert_uint_ge(ct.timeout, wanted->timeout - 60);
}

START_TEST(test_create) {
	struct refusals r = { 0 };
	struct ct ct = entry_of(&forms[_i]);
	struct ct_writer *w;

	own_namespace();
	w = opened(keep, &r);
	put(w, CT_WRITE_CREATE, &ct);
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 0);
	expect_entry(&ct);
	put(w, CT_WRITE_DELETE, &ct);
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 0);
	ck_assert(!in_kernel(&ct, &ct));
	ct_writer_close(w);
}
END_TEST

/* Not each kernel tracks SCTP; where it does, the verification tags must be those of the owner. */
START_TEST(test_sctp) {
	static const struct form form = {
		AF_INET, IPPROTO_SCTP, 4, BOTH,
		{ { "10.0.0.1", "10.1.0.1", 5000, 80 }, { "10.1.0.1", "10.0.0.1", 80, 5000 } }
	};
	struct refusals r = { 0 };
	struct ct ct = entry_of(&form), found;
	struct ct_writer *w;

	own_namespace();
	w = opened(keep, &r);
	ct.vtag[CT_ORIG] = 0x11223344;
	ct.vtag[CT_REPLY] = 0x55667788;
	put(w, CT_WRITE_CREATE, &ct);
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 0);
	ck_assert(in_kernel(&ct, &found));
	ck_assert_mem_eq(found.vtag, ct.vtag, sizeof(ct.vtag));
	ck_assert_uint_eq(found.state, ct.state);
	ct_writer_close(w);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(test_taken) {
	struct refusals r = { 0 };
	struct ct first = entry_of(&forms[1]), second = first;
	struct ct_writer *w;

	own_namespace();
	w = opened(keep, &r);
	put(w, CT_WRITE_CREATE, &first);
	put(w, CT_WRITE_CREATE, &first);
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_int_eq(r.error[0], EEXIST);

	/* Another virtual IP to the same server: the replies would be the same. */
	ck_assert(net_parse(AF_INET, "20.0.0.2", &second.tuple[CT_ORIG].dst));
	put(w, CT_WRITE_CREATE, &second);
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 2);
	ck_assert_int_eq(r.error[1], EEXIST);
	expect_entry(&first);
	ck_assert(!in_kernel(&second, &second));
	ct_writer_close(w);
}
END_TEST

/* Every seventh change of several batches fails; the others are done, in order. */
START_TEST(test_batches) {
	struct refusals r = { 0 };
	struct ct ct = entry_of(&forms[0]), found;
	struct ct_writer *w;

	own_namespace();
	w = opened(keep, &r);
	for (uint16_t i = 0; i < 200; i++) {
		ct.tuple[CT_ORIG].sport = ct.tuple[CT_REPLY].dport = (uint16_t)(1000 + i);
		put(w, i % 7 == 3 ? CT_WRITE_DELETE : CT_WRITE_CREATE, &ct);
	}
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 29);
	for (unsigned int i = 0; i < r.n; i++) {
		ck_assert_int_eq(r.error[i], ENOENT);
		ck_assert_uint_eq(r.sport[i], 1003 + 7 * i);
	}
	for (uint16_t i = 0; i < 200; i++) {
		ct.tuple[CT_ORIG].sport = ct.tuple[CT_REPLY].dport = (uint16_t)(1000 + i);
		ck_assert_int_eq(in_kernel(&ct, &found), i % 7 != 3);
	}
	ct_writer_close(w);
}
END_TEST

struct second_try {
	struct ct_writer *w;
	unsigned int n;
};

/* Whoever hears of a refusal may write at once: here, remove what is in the way and try again. */
static void try_again(void *arg, const struct ct_change *change, int error) {
	struct second_try *t = arg;

	ck_assert_int_eq(error, EEXIST);
	t->n++;
	put(t->w, CT_WRITE_DELETE, &change->ct);
	ct_write(t->w, change);
}

START_TEST(test_write_when_refused) {
	struct second_try t = { 0 };
	struct ct ct = entry_of(&forms[0]);

	own_namespace();
	t.w = opened(try_again, &t);
	for (int round = 0; round < 2; round++) {
		ct.mark = (uint32_t)(1 + round);
		for (uint16_t i = 0; i < CT_WRITER_BATCH; i++) {
			ct.tuple[CT_ORIG].sport = ct.tuple[CT_REPLY].dport = (uint16_t)(1000 + i);
			put(t.w, CT_WRITE_CREATE, &ct);
		}
	}
	ct_writer_flush(t.w);
	ck_assert_uint_eq(t.n, CT_WRITER_BATCH);
	expect_entry(&ct);
	ct_writer_close(t.w);
}
END_TEST

START_TEST(test_master) {
	struct refusals r = { 0 };
	struct ct master = entry_of(&forms[0]), ct = entry_of(&forms[1]), found;
	struct ct_writer *w;

	own_namespace();
	w = opened(keep, &r);
	ct.has_master = true;
	ct.master = master.tuple[CT_ORIG];
	ct.master_proto = master.proto;
	put(w, CT_WRITE_CREATE, &ct);
	ct_writer_flush(w);
	expect_entry(&ct);
	put(w, CT_WRITE_DELETE, &ct);
	put(w, CT_WRITE_CREATE, &master);
	put(w, CT_WRITE_CREATE, &ct);
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 0);
	ck_assert(in_kernel(&ct, &found));
	ck_assert(found.has_master);
	ck_assert_mem_eq(&found.master, &master.tuple[CT_ORIG], sizeof(found.master));
	ct_writer_close(w);
}
END_TEST

/* ---- expected sessions ---- */

struct expected {
	unsigned int n;
	struct ct_expect expect;
};

static void keep_expect(void *arg, const struct ct_expect *e) {
	struct expected *x = arg;

	x->n++;
	x->expect = *e;
}

static struct expected listed_expects(void) {
	struct err err = { 0 };
	struct ct_dump *d = ct_dump_open_expect(&err);
	enum ct_dump_state state = CT_DUMP_MORE;
	struct expected x = { 0 };

	ck_assert_msg(d, "%s", err.text);
	while (state == CT_DUMP_MORE) {
		struct pollfd p = { .fd = ct_dump_fd(d), .events = POLLIN };

		ck_assert_int_eq(poll(&p, 1, 10000), 1);
		state = ct_dump_next_expect(d, keep_expect, &x, &err);
	}
	ck_assert_msg(state == CT_DUMP_END, "%s", err.text);
	ct_dump_close(d);
	return x;
}

static void no_event(void *arg, enum ct_event event, const struct ct *ct, uint32_t by) {
	(void)arg;
	(void)event;
	(void)ct;
	(void)by;
}

/* The data connection that an FTP server behind a virtual IP has announced. */
static struct ct_expect ftp_data(const struct ct *control) {
	struct ct_expect e = { .family = AF_INET,
			       .proto = IPPROTO_TCP,
			       .master_proto = IPPROTO_TCP,
			       .master = control->tuple[CT_ORIG],
			       .has_nat = true,
			       .nat_dir = CT_ORIG,
			       .timeout = 300,
			       .helper = "ftp",
			       .fn = "nat-follow-master" };

	e.tuple = (struct ct_tuple){ .src = control->tuple[CT_ORIG].src,
				     .dst = control->tuple[CT_ORIG].dst,
				     .dport = 40000 };
	memset(e.mask.src.byte, 0xff, 4);
	memset(e.mask.dst.byte, 0xff, 4);
	e.mask.dport = 0xffff;
	e.nat.sport = 40000;
	return e;
}

/* One that is written is in the kernel as it was told; another program hears of it. */
START_TEST(test_expect) {
	struct err err = { 0 };
	struct refusals r = { 0 };
	struct expected heard = { 0 }, found;
	struct ct control = entry_of(&forms[1]);
	struct ct_expect e = ftp_data(&control);
	struct ct_change change = { .what = CT_WRITE_EXPECT, .expect = &e };
	struct ct_events *events;
	struct ct_writer *w;

	own_namespace();
	strcpy(control.helper, "ftp");
	w = opened(keep, &r);
	events = ct_events_open(&err);
	ck_assert_int_eq(ct_events_follow(events, 1, 8 << 20, &err), 0);
	ct_write(w, &change);
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_int_eq(r.error[0], ENOENT);

	put(w, CT_WRITE_CREATE, &control);
	ct_write(w, &change);
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 1);
	found = listed_expects();
	ck_assert(!ct_events_read_all(events, no_event, keep_expect, &heard));
	ck_assert_uint_eq(heard.n, 1);
	ck_assert_uint_eq(found.n, 1);
	for (int i = 0; i < 2; i++) {
		const struct ct_expect *x = i ? &found.expect : &heard.expect;

		ck_assert_mem_eq(&x->tuple, &e.tuple, sizeof(e.tuple));
		ck_assert_mem_eq(&x->mask, &e.mask, sizeof(e.mask));
		ck_assert_mem_eq(&x->master, &e.master, sizeof(e.master));
		ck_assert_str_eq(x->helper, "ftp");
		ck_assert_str_eq(x->fn, "nat-follow-master");
		ck_assert(x->has_nat && x->nat_dir == CT_ORIG && x->nat.sport == 40000);
	}
	ct_events_close(events);
	ct_writer_close(w);
}
END_TEST

/* ---- updates ---- */

START_TEST(test_update) {
	struct refusals r = { 0 };
	struct ct ct = entry_of(&forms[2]);
	struct ct_change change = { .what = CT_WRITE_UPDATE };
	struct ct_writer *w;

	own_namespace();
	w = opened(keep, &r);
	put(w, CT_WRITE_CREATE, &ct);
	ct.state = EST;
	ct.status = BOTH;
	ct.timeout = 7777;
	ct.label[0] ^= 0xff00;
	ct.label[1] = 0;
	change.ct = ct;
	change.fields = CT_FIELD_STATE | CT_FIELD_STATUS | CT_FIELD_TIMEOUT | CT_FIELD_LABEL;
	change.label_mask[0] = 0xffff00;
	ct_write(w, &change);
	/* Bits that are set stay set, and what the mask leaves out stays as it was. */
	change.ct.status = 0;
	change.ct.timeout = ct.timeout = 5555;
	change.fields = CT_FIELD_STATUS | CT_FIELD_TIMEOUT;
	ct_write(w, &change);
	ct_writer_flush(w);
	ck_assert_uint_eq(r.n, 0);
	ct.label[1] = entry_of(&forms[2]).label[1];
	expect_entry(&ct);
	ct_writer_close(w);
}
END_TEST

/* ---- events ---- */

struct heard {
	unsigned int n[3];
	uint16_t sport;
};

static void hear(void *arg, enum ct_event event, const struct ct *ct, uint32_t by) {
	struct heard *h = arg;

	ck_assert_uint_ne(by, 0);
	h->n[event]++;
	h->sport = ct->tuple[CT_ORIG].sport;
}

/* The same story told by two writers: one's own is not heard. */
START_TEST(test_follow) {
	struct err err = { 0 };
	struct refusals r = { 0 };
	struct heard h = { 0 };
	struct ct ct = entry_of(&forms[0]);
	struct ct_events *e;
	struct ct_writer *w[2];

	own_namespace();
	e = ct_events_open(&err);
	ck_assert_msg(e, "%s", err.text);
	w[0] = opened(keep, &r);
	w[1] = opened(keep, &r);
	ck_assert_msg(ct_events_follow(e, ct_writer_port(w[0]), 8 << 20, &err) == 0, "%s", err.text);
	for (unsigned int i = 0; i < 2; i++) {
		struct ct_change change = { .what = CT_WRITE_UPDATE, .fields = CT_FIELD_MARK };

		ct.tuple[CT_ORIG].sport = ct.tuple[CT_REPLY].dport = (uint16_t)(1000 + i);
		put(w[i], CT_WRITE_CREATE, &ct);
		ct_writer_flush(w[i]);
		change.ct = ct;
		change.ct.mark = 99;
		ct_write(w[i], &change);
		ct_writer_flush(w[i]);
		put(w[i], CT_WRITE_DELETE, &ct);
		ct_writer_flush(w[i]);
	}
	ck_assert_uint_eq(r.n, 0);
	ck_assert(!ct_events_read(e, hear, &h));
	ck_assert_uint_eq(h.sport, 1001);
	ck_assert_uint_eq(h.n[CT_BEGINS], 1);
	ck_assert_uint_eq(h.n[CT_CHANGES], 1);
	ck_assert_uint_eq(h.n[CT_ENDS], 1);
	ct_writer_close(w[0]);
	ct_writer_close(w[1]);
	ct_events_close(e);
}
END_TEST

static Suite *ct_writer_suite(void) {
	Suite *s = suite_create("ct_writer");
	TCase *tc = fixture_case(s, "kernel");

	tcase_add_loop_test(tc, test_create, 0, ARRAY_LEN(forms));
	tcase_add_test(tc, test_sctp);
	tcase_add_test(tc, test_taken);
	tcase_add_test(tc, test_batches);
	tcase_add_test(tc, test_write_when_refused);
	tcase_add_test(tc, test_master);
	tcase_add_test(tc, test_expect);
	tcase_add_test(tc, test_update);
	tcase_add_test(tc, test_follow);
	return s;
}

int main(void) {
	return fixture_run(ct_writer_suite());
}
