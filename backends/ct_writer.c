/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes are encoded into one buffer of messages, which the kernel works off in order before the
 * system call returns. It answers only for those that fail, with their sequence number; so a batch
 * costs one call to send and one to hear that there is nothing to hear.
 *
 * A translated entry has one right form: the reply tuple as it would be without translation, and
 * for each direction the one address and port to translate to. With both given, and each a single
 * one, the kernel has no choice: it does as told or says EEXIST. (With one left out, it picks any
 * free port for the other in silence.)
 *
 * Windows of TCP cannot be carried over, so entries are liberal in both directions.
 */
#include "backends/ct_writer.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"

#define ERROR_BUFFER (1 << 20)         /* room for the errors of a whole batch */
#define STATUS_SET (IPS_SEEN_REPLY | IPS_ASSURED)
#define TCP_FLAGS (IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_SACK_PERM)

/* The changes of one system call. */
struct batch {
	unsigned int n;
	uint32_t first_seq;
	size_t len;
	struct ct_change change[CT_WRITER_BATCH];
	char data[CT_WRITER_BATCH * CT_MESSAGE_MAX];
};

struct ct_writer {
	struct mnl_socket *sock;
	ct_refused_fn *refused;
	void *arg;
	struct batch batch;
};

struct ct_writer *ct_writer_open(ct_refused_fn *refused, void *arg, struct err *err) {
	struct ct_writer *w = xcalloc(1, sizeof(*w));
	int size = ERROR_BUFFER, on = 1;

	w->refused = refused;
	w->arg = arg;
	w->batch.first_seq = 1;
	w->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!w->sock || mnl_socket_bind(w->sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(w->sock, NETLINK_CAP_ACK, &on, sizeof(on)) < 0 ||
	    setsockopt(mnl_socket_get_fd(w->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) < 0) {
		err_set(err, ERR_KERNEL, "sessions cannot be written: %s", strerror(errno));
		return ct_writer_close(w);
	}
	return w;
}

struct ct_writer *ct_writer_close(struct ct_writer *w) {
	if (w && w->sock)
		mnl_socket_close(w->sock);
	free(w);
	return NULL;
}

uint32_t ct_writer_port(const struct ct_writer *w) {
	return mnl_socket_get_portid(w->sock);
}

/* ---- messages ---- */

/* The reply to the original tuple as it is without translation. */
static struct ct_tuple plain_reply(const struct ct *ct) {
	const struct ct_tuple *orig = &ct->tuple[CT_ORIG], *reply = &ct->tuple[CT_REPLY];
	bool icmp = ct_is_icmp(ct->proto);

	return (struct ct_tuple){ .src = orig->dst,
				  .dst = orig->src,
				  .sport = icmp ? orig->sport : orig->dport,
				  .dport = icmp ? reply->dport : orig->sport,
				  .icmp_code = reply->icmp_code };
}

/* What to translate to: one address, and one port, id or key. */
static void put_nat(struct nlmsghdr *nlh, uint16_t attr, uint8_t family,
		    const union net_addr *addr, uint16_t port) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, attr), *proto;
	bool ipv4 = family == AF_INET;
	unsigned int len = net_len(family);

	mnl_attr_put(nlh, ipv4 ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP, len, addr->byte);
	mnl_attr_put(nlh, ipv4 ? CTA_NAT_V4_MAXIP : CTA_NAT_V6_MAXIP, len, addr->byte);
	proto = mnl_attr_nest_start(nlh, CTA_NAT_PROTO);
	mnl_attr_put_u16(nlh, CTA_PROTONAT_PORT_MIN, htobe16(port));
	mnl_attr_put_u16(nlh, CTA_PROTONAT_PORT_MAX, htobe16(port));
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, nest);
}

static bool translated(const struct ct *ct, const struct ct_tuple *plain) {
	const struct ct_tuple *reply = &ct->tuple[CT_REPLY];

	return !net_equal(&plain->src, &reply->src) || !net_equal(&plain->dst, &reply->dst) ||
	       plain->sport != reply->sport || plain->dport != reply->dport;
}

static void put_reply(struct nlmsghdr *nlh, const struct ct *ct) {
	const struct ct_tuple *orig = &ct->tuple[CT_ORIG], *reply = &ct->tuple[CT_REPLY];
	struct ct_tuple plain = plain_reply(ct);
	bool icmp = ct_is_icmp(ct->proto);

	ct_encode_tuple(nlh, CTA_TUPLE_REPLY, ct, &plain);
	if (!translated(ct, &plain))
		return;
	put_nat(nlh, CTA_NAT_DST, ct->family, &reply->src, icmp ? orig->sport : reply->sport);
	put_nat(nlh, CTA_NAT_SRC, ct->family, &reply->dst, icmp ? reply->sport : reply->dport);
}

/* state: NULL leaves it as it is. */
static void put_tcp(struct nlmsghdr *nlh, const uint8_t *state) {
	static const struct nf_ct_tcp_flags flags = { .flags = TCP_FLAGS, .mask = TCP_FLAGS };
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);

	if (state)
		mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, *state);
	mnl_attr_put(nlh, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(flags), &flags);
	mnl_attr_put(nlh, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(flags), &flags);
	mnl_attr_nest_end(nlh, tcp);
	mnl_attr_nest_end(nlh, nest);
}

static void put_sctp(struct nlmsghdr *nlh, const struct ct *ct) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	struct nlattr *sctp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_SCTP);

	mnl_attr_put_u8(nlh, CTA_PROTOINFO_SCTP_STATE, ct->state);
	mnl_attr_put_u32(nlh, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, htobe32(ct->vtag[CT_ORIG]));
	mnl_attr_put_u32(nlh, CTA_PROTOINFO_SCTP_VTAG_REPLY, htobe32(ct->vtag[CT_REPLY]));
	mnl_attr_nest_end(nlh, sctp);
	mnl_attr_nest_end(nlh, nest);
}

static void put_state(struct nlmsghdr *nlh, const struct ct *ct) {
	if (ct->proto == IPPROTO_TCP)
		put_tcp(nlh, &ct->state);
	else if (ct->proto == IPPROTO_SCTP)
		put_sctp(nlh, ct);
}

static void put_seqadj(struct nlmsghdr *nlh, uint16_t attr, const struct ct_seqadj *adj) {
	struct nlattr *nest;

	if (adj->before == 0 && adj->after == 0)
		return;
	nest = mnl_attr_nest_start(nlh, attr);
	mnl_attr_put_u32(nlh, CTA_SEQADJ_CORRECTION_POS, htobe32(adj->pos));
	mnl_attr_put_u32(nlh, CTA_SEQADJ_OFFSET_BEFORE, htobe32((uint32_t)adj->before));
	mnl_attr_put_u32(nlh, CTA_SEQADJ_OFFSET_AFTER, htobe32((uint32_t)adj->after));
	mnl_attr_nest_end(nlh, nest);
}

static void put_helper(struct nlmsghdr *nlh, const char *name) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_HELP);

	mnl_attr_put_strz(nlh, CTA_HELP_NAME, name);
	mnl_attr_nest_end(nlh, nest);
}

static void put_master(struct nlmsghdr *nlh, const struct ct *ct) {
	struct ct master = { .family = ct->family, .proto = ct->master_proto };

	ct_encode_tuple(nlh, CTA_TUPLE_MASTER, &master, &ct->master);
}

static void put_new(struct nlmsghdr *nlh, const struct ct *ct) {
	put_reply(nlh, ct);
	mnl_attr_put_u32(nlh, CTA_STATUS, htobe32((ct->status & STATUS_SET) | IPS_CONFIRMED));
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htobe32(ct->timeout));
	if (ct->mark)
		mnl_attr_put_u32(nlh, CTA_MARK, htobe32(ct->mark));
	mnl_attr_put(nlh, CTA_LABELS, sizeof(ct->label), ct->label);
	put_state(nlh, ct);
	put_seqadj(nlh, CTA_SEQ_ADJ_ORIG, &ct->seqadj[CT_ORIG]);
	put_seqadj(nlh, CTA_SEQ_ADJ_REPLY, &ct->seqadj[CT_REPLY]);
	if (ct->helper[0])
		put_helper(nlh, ct->helper);
	if (ct->has_master)
		put_master(nlh, ct);
}

/* The kernel turns over what is sent outside of the mask. */
static void put_label(struct nlmsghdr *nlh, const struct ct_change *c) {
	const uint64_t *mask = c->label_mask;
	uint64_t label[2] = { c->ct.label[0] & mask[0], c->ct.label[1] & mask[1] };

	mnl_attr_put(nlh, CTA_LABELS, sizeof(label), label);
	mnl_attr_put(nlh, CTA_LABELS_MASK, sizeof(c->label_mask), mask);
}

static void put_changed(struct nlmsghdr *nlh, const struct ct_change *c) {
	const struct ct *ct = &c->ct;

	if (c->fields & CT_FIELD_STATUS)
		mnl_attr_put_u32(nlh, CTA_STATUS,
				 htobe32((ct->status & (STATUS_SET | IPS_EXPECTED)) |
					 IPS_CONFIRMED));
	if (c->fields & CT_FIELD_TIMEOUT)
		mnl_attr_put_u32(nlh, CTA_TIMEOUT, htobe32(ct->timeout));
	if (c->fields & CT_FIELD_MARK)
		mnl_attr_put_u32(nlh, CTA_MARK, htobe32(ct->mark));
	if (c->fields & CT_FIELD_STATE)
		put_state(nlh, ct);
	else if (c->fields & CT_FIELD_LIBERAL && ct->proto == IPPROTO_TCP)
		put_tcp(nlh, NULL);
	if (c->fields & CT_FIELD_LABEL)
		put_label(nlh, c);
}

/* ---- expected sessions ---- */

static void put_expect_tuple(struct nlmsghdr *nlh, uint16_t attr, const struct ct_expect *e,
			     uint8_t proto, const struct ct_tuple *tuple) {
	const struct ct kind = { .family = e->family, .proto = proto };

	ct_encode_tuple(nlh, attr, &kind, tuple);
}

static void put_expect_nat(struct nlmsghdr *nlh, const struct ct_expect *e) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_EXPECT_NAT);

	mnl_attr_put_u32(nlh, CTA_EXPECT_NAT_DIR, htobe32(e->nat_dir));
	put_expect_tuple(nlh, CTA_EXPECT_NAT_TUPLE, e, e->proto, &e->nat);
	mnl_attr_nest_end(nlh, nest);
}

static struct nlmsghdr *encode_expect(char *data, const struct ct_expect *e) {
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_NEW,
					       NLM_F_CREATE | NLM_F_EXCL, e->family);

	put_expect_tuple(nlh, CTA_EXPECT_MASTER, e, e->master_proto, &e->master);
	put_expect_tuple(nlh, CTA_EXPECT_TUPLE, e, e->proto, &e->tuple);
	put_expect_tuple(nlh, CTA_EXPECT_MASK, e, e->proto, &e->mask);
	if (e->has_nat)
		put_expect_nat(nlh, e);
	mnl_attr_put_u32(nlh, CTA_EXPECT_TIMEOUT, htobe32(e->timeout));
	mnl_attr_put_u32(nlh, CTA_EXPECT_FLAGS, htobe32(e->flags));
	mnl_attr_put_u32(nlh, CTA_EXPECT_CLASS, htobe32(e->class));
	if (e->zone)
		mnl_attr_put_u16(nlh, CTA_EXPECT_ZONE, htobe16(e->zone));
	if (e->helper[0])
		mnl_attr_put_strz(nlh, CTA_EXPECT_HELP_NAME, e->helper);
	if (e->fn[0])
		mnl_attr_put_strz(nlh, CTA_EXPECT_FN, e->fn);
	return nlh;
}

/* ---- all of them ---- */

static struct nlmsghdr *encode_entry(char *data, const struct ct_change *c) {
	static const struct {
		uint8_t type;
		uint16_t flags;
	} messages[] = {
		[CT_WRITE_CREATE] = { IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL },
		[CT_WRITE_UPDATE] = { IPCTNL_MSG_CT_NEW, 0 },
		[CT_WRITE_DELETE] = { IPCTNL_MSG_CT_DELETE, 0 },
	};
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK, messages[c->what].type,
					       messages[c->what].flags, c->ct.family);

	ct_encode_key(nlh, &c->ct);
	if (c->what == CT_WRITE_CREATE)
		put_new(nlh, &c->ct);
	else if (c->what == CT_WRITE_UPDATE)
		put_changed(nlh, c);
	else if (c->ct.id)
		mnl_attr_put_u32(nlh, CTA_ID, htobe32(c->ct.id));
	return nlh;
}

/* ---- batches ---- */

void ct_write(struct ct_writer *w, const struct ct_change *change) {
	struct batch *b = &w->batch;
	char *data = b->data + b->len;
	struct nlmsghdr *nlh = change->what == CT_WRITE_EXPECT
				       ? encode_expect(data, change->expect)
				       : encode_entry(data, change);

	nlh->nlmsg_seq = b->first_seq + b->n;
	b->len += NLMSG_ALIGN(nlh->nlmsg_len);
	b->change[b->n++] = *change;
	if (b->n == CT_WRITER_BATCH)
		ct_writer_flush(w);
}

/* What failed, by number in the batch. */
struct failures {
	uint32_t first_seq;
	int error[CT_WRITER_BATCH];
	bool any;
};

static void take_errors(const char *data, ssize_t n, struct failures *f) {
	int len = (int)n;

	for (const struct nlmsghdr *nlh = (const void *)data; mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
		uint32_t i = nlh->nlmsg_seq - f->first_seq;

		if (nlh->nlmsg_type != NLMSG_ERROR || i >= CT_WRITER_BATCH ||
		    nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) || e->error == 0)
			continue;
		f->error[i] = -e->error;
		f->any = true;
	}
}

static void send_batch(struct ct_writer *w, struct failures *f) {
	struct batch *b = &w->batch;
	char data[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n;

	if (mnl_socket_sendto(w->sock, b->data, b->len) < 0) {
		for (unsigned int i = 0; i < b->n; i++)
			f->error[i] = errno;
		f->any = true;
		return;
	}
	while ((n = recv(mnl_socket_get_fd(w->sock), data, sizeof(data), MSG_DONTWAIT)) > 0)
		take_errors(data, n, f);
}

/*
 * What can be done with less: an entry without its master, or an update that would take back bits
 * of the status, which the kernel refuses whole.
 */
static bool second_try(struct ct_change *c, int error) {
	if (c->what == CT_WRITE_CREATE && error == ENOENT && c->ct.has_master) {
		c->ct.has_master = false;
		return true;
	}
	if (c->what == CT_WRITE_UPDATE && error == EBUSY && c->fields & CT_FIELD_STATUS) {
		c->fields &= ~CT_FIELD_STATUS;
		return true;
	}
	return false;
}

/*
 * The batch begins anew before anybody hears of the failures, for that may bring new changes.
 */
static void flush_once(struct ct_writer *w) {
	struct batch *b = &w->batch;
	struct failures f = { .first_seq = b->first_seq };
	unsigned int n = b->n;
	AUTO_FREE struct ct_change *failed = NULL;

	send_batch(w, &f);
	b->n = 0;
	b->len = 0;
	b->first_seq += CT_WRITER_BATCH;
	if (!f.any)
		return;
	failed = xcalloc(n, sizeof(*failed));
	memcpy(failed, b->change, n * sizeof(*failed));
	for (unsigned int i = 0; i < n; i++)
		if (f.error[i] && second_try(&failed[i], f.error[i]))
			ct_write(w, &failed[i]);
		else if (f.error[i])
			w->refused(w->arg, &failed[i], f.error[i]);
}

void ct_writer_flush(struct ct_writer *w) {
	while (w->batch.n)
		flush_once(w);
}
