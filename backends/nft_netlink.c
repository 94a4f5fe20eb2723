/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches of nf_tables messages. A batch is built in one buffer and sent by one call; the kernel
 * checks all of it and then switches to the new state or leaves the old one. Its answers carry the
 * sequence number of the message that failed, and for lists of elements the offset of the bad one:
 * from those we find what it was made for.
 *
 * The order inside a batch is that of struct ruleset_delta: new objects, sets and chains (empty),
 * old rules out, elements out, elements in, rules in, old sets, chains and objects out.
 */
#include "backends/nft_netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/helper.h"
#include "backends/nft_encode.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"

#define ELEMS_PER_MESSAGE 300        /* of at most 160 bytes each: the list's length has 16 bits */
#define ANSWER_SIZE (64u << 10)
#define RECEIVE_BUFFER (4 << 20)
#define ANSWER_WAIT_S 10             /* the kernel answers at once, or something is badly wrong */
#define READ_TRIES 10                /* of a list that others change meanwhile */

/* What a message of the batch is about. */
struct part {
	const char *what, *name;             /* "rule", name of chain or set */
	const struct origin *origin;
	const struct elem_change *elems;     /* or those in the message */
	size_t offset;                       /* where it begins in the batch */
};

struct batch {
	char *data;
	size_t len, size;
	struct part *parts;                  /* by sequence number */
	size_t n_parts, parts_size;
	uint32_t first_seq;
	struct elem_change *own;             /* elements of new sets, as changes */
};

struct nft_netlink {
	struct mnl_socket *sock;
	const char *table;
	bool owned;                          /* the table goes when the socket does */
	uint32_t seq;
	int sys_errno;
};

struct nft_netlink *nft_netlink_open(struct err *err) {
	struct nft_netlink *nl = xcalloc(1, sizeof(*nl));
	const struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	int on = 1, size = RECEIVE_BUFFER;

	nl->table = RULESET_TABLE;
	nl->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_set(err, ERR_KERNEL, "netfilter cannot be reached: %s", strerror(errno));
		return nft_netlink_close(nl);
	}
	/* Without these, refusals are told with less detail. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait))) {
		err_set(err, ERR_KERNEL, "netfilter cannot be reached: %s", strerror(errno));
		return nft_netlink_close(nl);
	}
	return nl;
}

struct nft_netlink *nft_netlink_open_owned(const char *table, struct err *err) {
	struct nft_netlink *nl = nft_netlink_open(err);

	if (nl) {
		nl->table = table;
		nl->owned = true;
	}
	return nl;
}

struct nft_netlink *nft_netlink_close(struct nft_netlink *nl) {
	if (nl && nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
	return NULL;
}

int nft_netlink_errno(const struct nft_netlink *nl) {
	return nl->sys_errno;
}

uint32_t nft_netlink_port(const struct nft_netlink *nl) {
	return mnl_socket_get_portid(nl->sock);
}

static void batch_done(struct batch *b) {
	free(b->data);
	free(b->parts);
	free(b->own);
}

static void batch_room(struct batch *b) {
	if (b->size - b->len >= NFT_ENCODE_ROOM)
		return;
	b->size = b->size ? b->size * 2 : 4 * NFT_ENCODE_ROOM;
	b->data = xreallocarray(b->data, b->size, 1);
}

static struct part *batch_part(struct batch *b) {
	if (b->n_parts == b->parts_size) {
		b->parts_size = b->parts_size ? b->parts_size * 2 : 256;
		b->parts = xreallocarray(b->parts, b->parts_size, sizeof(*b->parts));
	}
	b->parts[b->n_parts] = (struct part){ .what = "batch", .offset = b->len };
	return &b->parts[b->n_parts++];
}

static void batch_open(struct nft_netlink *nl, struct batch *b, uint32_t generation) {
	struct nlmsghdr *nlh;

	*b = (struct batch){ .first_seq = nl->seq };
	batch_room(b);
	batch_part(b);
	nlh = nftnl_batch_begin(b->data, nl->seq++);
	if (generation)
		mnl_attr_put_u32(nlh, NFNL_BATCH_GENID, htonl(generation));
	b->len = nlh->nlmsg_len;
}

static struct nlmsghdr *batch_message(struct nft_netlink *nl, struct batch *b, uint16_t type,
				      uint16_t flags, const char *what, const char *name,
				      const struct origin *origin) {
	struct part *p;

	batch_room(b);
	p = batch_part(b);
	p->what = what;
	p->name = name;
	p->origin = origin;
	return nftnl_nlmsg_build_hdr(b->data + b->len, type, NFPROTO_INET, flags, nl->seq++);
}

static void batch_close_message(struct batch *b, const struct nlmsghdr *nlh) {
	b->len += NLMSG_ALIGN(nlh->nlmsg_len);
}

static void put_table(struct nft_netlink *nl, struct batch *b, uint16_t type) {
	struct nlmsghdr *nlh =
		batch_message(nl, b, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0, "table",
			      nl->table, NULL);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, nl->table);
	if (nl->owned && type == NFT_MSG_NEWTABLE)
		mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_OWNER));
	batch_close_message(b, nlh);
}

static void put_chain(struct nft_netlink *nl, struct batch *b, const struct chain *c, bool add) {
	struct nlmsghdr *nlh = batch_message(nl, b, add ? NFT_MSG_NEWCHAIN : NFT_MSG_DELCHAIN,
					     add ? NLM_F_CREATE : 0, "chain", c->name, c->origin);

	nft_encode_chain(nlh, nl->table, c);
	batch_close_message(b, nlh);
}

static void put_flush(struct nft_netlink *nl, struct batch *b, const struct chain *c) {
	struct nlmsghdr *nlh =
		batch_message(nl, b, NFT_MSG_DELRULE, 0, "chain", c->name, c->origin);

	nft_encode_flush(nlh, nl->table, c->name);
	batch_close_message(b, nlh);
}

static void put_rules(struct nft_netlink *nl, struct batch *b, const struct chain *c) {
	for (uint32_t i = 0; i < c->n_rules; i++) {
		struct nlmsghdr *nlh =
			batch_message(nl, b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, "rule",
				      c->name, c->rules[i].origin);

		nft_encode_rule(nlh, nl->table, c, i);
		batch_close_message(b, nlh);
	}
}

static void put_set(struct nft_netlink *nl, struct batch *b, const struct set *set, bool add) {
	struct nlmsghdr *nlh = batch_message(nl, b, add ? NFT_MSG_NEWSET : NFT_MSG_DELSET,
					     add ? NLM_F_CREATE : 0, "set", set->name, NULL);

	nft_encode_set(nlh, nl->table, set, nl->seq);
	batch_close_message(b, nlh);
}

static void put_object(struct nft_netlink *nl, struct batch *b, const struct ct_object *o,
		       bool add) {
	struct nlmsghdr *nlh = batch_message(nl, b, add ? NFT_MSG_NEWOBJ : NFT_MSG_DELOBJ,
					     add ? NLM_F_CREATE : 0, "object", o->name, o->origin);

	nft_encode_object(nlh, o);
	batch_close_message(b, nlh);
}

static void put_value(struct nlmsghdr *nlh, uint16_t attr, const void *data, size_t len) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, attr);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, data);
	mnl_attr_nest_end(nlh, nest);
}

static void put_verdict(struct nlmsghdr *nlh, const struct elem *e) {
	static const int32_t verdicts[] = {
		[STMT_ACCEPT] = NF_ACCEPT, [STMT_DROP] = NF_DROP, [STMT_RETURN] = NFT_RETURN,
		[STMT_JUMP] = NFT_JUMP, [STMT_GOTO] = NFT_GOTO,
	};
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(nlh, NFTA_VERDICT_CODE, htonl((uint32_t)verdicts[e->verdict]));
	if (e->chain)
		mnl_attr_put_strz(nlh, NFTA_VERDICT_CHAIN, e->chain);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, data);
}

static void put_data(struct nlmsghdr *nlh, const struct set *set, const struct elem *e) {
	const uint32_t addr[2] = { htonl(e->a), htonl((uint32_t)e->port << 16) };

	switch ((enum set_data)set->data) {
	case DATA_VERDICT:
		put_verdict(nlh, e);
		break;
	case DATA_MARK:
		put_value(nlh, NFTA_SET_ELEM_DATA, &e->a, sizeof(e->a));
		break;
	case DATA_ADDR:
		put_value(nlh, NFTA_SET_ELEM_DATA, addr, 4);
		break;
	case DATA_ADDR_PORT:
		put_value(nlh, NFTA_SET_ELEM_DATA, addr, 8);
		break;
	case DATA_NONE:
		break;
	}
}

static uint64_t to_be64(uint64_t v) {
	return htobe64(v);
}

static void put_counter(struct nlmsghdr *nlh, const struct elem *e) {
	struct nlattr *expr = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_EXPR);
	struct nlattr *data;

	mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, "counter");
	data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
	mnl_attr_put_u64(nlh, NFTA_COUNTER_BYTES, to_be64(e->bytes));
	mnl_attr_put_u64(nlh, NFTA_COUNTER_PACKETS, to_be64(e->packets));
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, expr);
}

static bool elem_has_end(const struct set *set, const struct elem *e) {
	/* Keys of ranges have four bytes at most. */
	return (set->flags & SET_INTERVAL) && e->last < UINT32_MAX >> (32 - 8 * nft_key_len(set));
}

static void put_elem(struct nlmsghdr *nlh, const struct set *set, const struct elem *e, bool add) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	struct key end = KEY_INIT;

	put_value(nlh, NFTA_SET_ELEM_KEY, e->key, nft_key_len(set));
	if (add)
		put_data(nlh, set, e);
	if (add && (set->flags & SET_COUNTER))
		put_counter(nlh, e);
	mnl_attr_nest_end(nlh, nest);
	if (!elem_has_end(set, e))
		return;
	nest = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	key_num(&end, set->field[0], e->last + 1);
	mnl_attr_put_u32(nlh, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	put_value(nlh, NFTA_SET_ELEM_KEY, end.bytes, nft_key_len(set));
	mnl_attr_nest_end(nlh, nest);
}

/* Elements of one set, as many to a message as fit. */
static void put_elems(struct nft_netlink *nl, struct batch *b, const struct elem_change *list,
		      size_t n, bool add) {
	for (size_t i = 0; i < n;) {
		struct nlmsghdr *nlh = batch_message(
			nl, b, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
			add ? NLM_F_CREATE : 0, "element of set", list[i].set->name, NULL);
		const struct set *set = list[i].set;
		struct nlattr *nest;

		b->parts[b->n_parts - 1].elems = &list[i];
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, nl->table);
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set->name);
		nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
		for (size_t end = i + ELEMS_PER_MESSAGE; i < n && i < end && list[i].set == set;
		     i++)
			put_elem(nlh, set, list[i].elem, add);
		mnl_attr_nest_end(nlh, nest);
		batch_close_message(b, nlh);
	}
}

static size_t count_new_elems(const struct ruleset_delta *d) {
	size_t n = 0;

	for (size_t i = 0; i < d->n_new_sets; i++)
		n += d->new_sets[i]->n_elems;
	return n;
}

static void put_new_elems(struct nft_netlink *nl, struct batch *b, const struct ruleset_delta *d) {
	size_t n = 0;

	b->own = xcalloc(count_new_elems(d), sizeof(*b->own));
	for (size_t i = 0; i < d->n_new_sets; i++)
		for (uint32_t j = 0; j < d->new_sets[i]->n_elems; j++)
			b->own[n++] =
				(struct elem_change){ d->new_sets[i], &d->new_sets[i]->elems[j] };
	put_elems(nl, b, b->own, n, true);
}

static void put_delta(struct nft_netlink *nl, struct batch *b, const struct ruleset_delta *d) {
	for (size_t i = 0; i < d->n_new_objects; i++)
		put_object(nl, b, d->new_objects[i], true);
	for (size_t i = 0; i < d->n_new_sets; i++)
		put_set(nl, b, d->new_sets[i], true);
	for (size_t i = 0; i < d->n_new_chains; i++)
		put_chain(nl, b, d->new_chains[i], true);
	for (size_t i = 0; i < d->n_changed_chains; i++)
		put_flush(nl, b, d->changed_chains[i]);
	for (size_t i = 0; i < d->n_old_chains; i++)
		put_flush(nl, b, d->old_chains[i]);
	put_elems(nl, b, d->del, d->n_del, false);
	put_new_elems(nl, b, d);
	put_elems(nl, b, d->add, d->n_add, true);
	for (size_t i = 0; i < d->n_new_chains; i++)
		put_rules(nl, b, d->new_chains[i]);
	for (size_t i = 0; i < d->n_changed_chains; i++)
		put_rules(nl, b, d->changed_chains[i]);
	for (size_t i = 0; i < d->n_old_sets; i++)
		put_set(nl, b, d->old_sets[i], false);
	for (size_t i = 0; i < d->n_old_chains; i++)
		put_chain(nl, b, d->old_chains[i], false);
	for (size_t i = 0; i < d->n_old_objects; i++)
		put_object(nl, b, d->old_objects[i], false);
}

/* The element of a message's list that lies at this offset from the message's begin. */
static const struct origin *part_elem_origin(const struct batch *b, const struct part *p,
					     uint32_t offset) {
	const struct nlmsghdr *nlh = (const void *)(b->data + p->offset);
	const struct elem_change *c = p->elems;
	const struct nlattr *list, *elem;
	bool end = false;

	mnl_attr_for_each(list, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(list) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(elem, list) {
			if (offset <
			    (size_t)((const char *)elem - (const char *)nlh) + elem->nla_len)
				return c->elem->origin;
			if (!end && elem_has_end(c->set, c->elem)) {
				end = true;
				continue;
			}
			end = false;
			c++;
		}
	}
	return NULL;
}

static int batch_refused(struct nft_netlink *nl, const struct batch *b, uint32_t seq, int sys_errno,
			 uint32_t offset, struct err *err) {
	const struct part *p =
		seq - b->first_seq < b->n_parts ? &b->parts[seq - b->first_seq] : &b->parts[0];
	const struct origin *o = p->elems ? part_elem_origin(b, p, offset) : p->origin;

	nl->sys_errno = sys_errno;
	if (o)
		return err_set(err, ERR_KERNEL, "the kernel refused %s %s: %s (%s %s)",
			       o->table->path, o->key, strerror(sys_errno), p->what, p->name);
	return err_set(err, ERR_KERNEL, "the kernel refused %s %s: %s", p->what,
		       p->name ? p->name : "", strerror(sys_errno));
}

/* Offset of the bad attribute that an error message tells, or 0. */
static uint32_t answer_offset(const struct nlmsghdr *nlh) {
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	mnl_attr_for_each(attr, nlh,
			  sizeof(struct nlmsgerr)) if (mnl_attr_get_type(attr) ==
							       NLMSGERR_ATTR_OFFS &&
						       mnl_attr_get_payload_len(attr) >=
							       4) return mnl_attr_get_u32(attr);
	return 0;
}

/* 1: the last message was acknowledged; 0: go on; an error code: refused. */
static int batch_answer(struct nft_netlink *nl, const struct batch *b, const char *data, int len,
			struct err *err) {
	for (const struct nlmsghdr *nlh = (const void *)data; mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

		if (nlh->nlmsg_type != NLMSG_ERROR)
			continue;
		if (e->error != 0)
			return batch_refused(nl, b, e->msg.nlmsg_seq, -e->error, answer_offset(nlh),
					     err);
		if (e->msg.nlmsg_seq - b->first_seq == b->n_parts - 1)
			return 1;
	}
	return 0;
}

/* The kernel has answered everything by the time sending returns. */
static int batch_answers(struct nft_netlink *nl, const struct batch *b, struct err *err) {
	AUTO_FREE char *data = xcalloc(1, ANSWER_SIZE);
	int fd = mnl_socket_get_fd(nl->sock), ret = 0;

	while (ret == 0) {
		ssize_t n = recv(fd, data, ANSWER_SIZE, MSG_DONTWAIT);

		if (n < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (n <= 0) {
			nl->sys_errno = errno;
			return err_set(err, ERR_KERNEL, "the kernel gave no answer: %s",
				       strerror(errno));
		}
		ret = batch_answer(nl, b, data, (int)n, err);
	}
	return ret == 1 ? 0 : ret;
}

/* Answers to a batch that was given up must not be taken for those of the next. */
static void socket_drain(struct nft_netlink *nl) {
	char data[8192];

	while (recv(mnl_socket_get_fd(nl->sock), data, sizeof(data), MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS)
		;
}

static int batch_send(struct nft_netlink *nl, struct batch *b, struct err *err) {
	struct nlmsghdr *last = (void *)(b->data + b->parts[b->n_parts - 1].offset);
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	int fd = mnl_socket_get_fd(nl->sock), size;
	int ret;

	last->nlmsg_flags |= NLM_F_ACK;
	batch_room(b);
	nftnl_batch_end(b->data + b->len, nl->seq++);
	b->len += ((struct nlmsghdr *)(b->data + b->len))->nlmsg_len;
	size = (int)b->len + 65536;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	nl->sys_errno = 0;
	if (sendto(fd, b->data, b->len, 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
		nl->sys_errno = errno;
		return err_set(err, ERR_KERNEL, "the change cannot be sent to the kernel: %s",
			       strerror(errno));
	}
	ret = batch_answers(nl, b, err);
	socket_drain(nl);
	return ret;
}

/* For tests: the kernel is made to refuse the last rule that was made for an object. */
static void batch_spoil(struct batch *b) {
	for (size_t i = b->n_parts; i-- > 0;)
		if (strcmp(b->parts[i].what, "rule") == 0 && b->parts[i].origin) {
			struct nlmsghdr *nlh = (void *)(b->data + b->parts[i].offset);

			nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_MAX;
			return;
		}
}

/* Build the rest of a batch, send it, forget it. */
static int batch_deliver(struct nft_netlink *nl, struct batch *b, const struct ruleset_delta *delta,
			 struct err *err) {
	int ret;

	put_delta(nl, b, delta);
	if (fault_hit("nft.refuse"))
		batch_spoil(b);
	ret = batch_send(nl, b, err);
	batch_done(b);
	return ret;
}

int nft_netlink_apply(struct nft_netlink *nl, const struct ruleset_delta *delta,
		      uint32_t generation, struct err *err) {
	struct batch b;

	if (ruleset_delta_empty(delta))
		return 0;
	batch_open(nl, &b, generation);
	return batch_deliver(nl, &b, delta, err);
}

int nft_netlink_replace(struct nft_netlink *nl, const struct ruleset_delta *delta,
			uint32_t generation, struct err *err) {
	struct batch b;

	batch_open(nl, &b, generation);
	put_table(nl, &b, NFT_MSG_NEWTABLE);
	put_table(nl, &b, NFT_MSG_DELTABLE);
	put_table(nl, &b, NFT_MSG_NEWTABLE);
	return batch_deliver(nl, &b, delta, err);
}

int nft_netlink_remove(struct nft_netlink *nl, struct err *err) {
	struct batch b;
	int ret;

	batch_open(nl, &b, 0);
	put_table(nl, &b, NFT_MSG_NEWTABLE);
	put_table(nl, &b, NFT_MSG_DELTABLE);
	ret = batch_send(nl, &b, err);
	batch_done(&b);
	return ret;
}

/* ---- helpers ---- */

/* Clear the helpers whose objects were refused; an error code when something else was. */
static int helpers_answer(const struct batch *b, const char *data, int len, uint32_t *set,
			  struct err *err) {
	for (const struct nlmsghdr *nlh = (const void *)data; mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len)) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
		uint32_t part =
			nlh->nlmsg_type == NLMSG_ERROR ? e->msg.nlmsg_seq - b->first_seq : 0;

		if (nlh->nlmsg_type != NLMSG_ERROR || e->error == 0)
			continue;
		if (part < 2 || part >= 2 + HELPERS)
			return err_set(err, ERR_KERNEL,
				       "the kernel cannot be asked for helpers: %s",
				       strerror(-e->error));
		*set &= ~(1u << (part - 2));
	}
	return 0;
}

/* A batch without an end is checked and given up: the table, if there is one, stays as it is. */
int nft_netlink_helpers(struct nft_netlink *nl, uint32_t *set, struct err *err) {
	AUTO_FREE char *data = xcalloc(1, ANSWER_SIZE);
	int fd = mnl_socket_get_fd(nl->sock), rc = 0;
	struct batch b;
	ssize_t n;

	*set = HELPERS_ALL;
	batch_open(nl, &b, 0);
	put_table(nl, &b, NFT_MSG_NEWTABLE);
	for (int i = 0; i < HELPERS; i++) {
		char name[16];
		struct ct_object o = { .name = name,
				       .kind = CT_HELPER,
				       .l4proto = helper_table[i].proto,
				       .helper = helper_table[i].kernel };

		snprintf(name, sizeof(name), "probe.%d", i);
		put_object(nl, &b, &o, true);
	}
	if (mnl_socket_sendto(nl->sock, b.data, b.len) < 0)
		rc = err_set(err, ERR_KERNEL, "the kernel cannot be asked for helpers: %s",
			     strerror(errno));
	while (rc == 0 && (n = recv(fd, data, ANSWER_SIZE, MSG_DONTWAIT)) > 0)
		rc = helpers_answer(&b, data, (int)n, set, err);
	batch_done(&b);
	socket_drain(nl);
	return rc;
}

struct reader {
	void (*each)(void *arg, const struct nft_elem *elem);
	void *arg;
	bool found;
};

static int read_counter(struct nftnl_expr *x, void *arg) {
	struct nft_elem *elem = arg;

	if (strcmp(nftnl_expr_get_str(x, NFTNL_EXPR_NAME), "counter") == 0) {
		elem->packets = nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_PACKETS);
		elem->bytes = nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_BYTES);
	}
	return 0;
}

static void read_elem(const struct nftnl_set_elem *x, struct reader *r) {
	struct nft_elem elem = { .key_len = 0 };
	const void *data;
	uint32_t len;

	if (nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_FLAGS) &&
	    (nftnl_set_elem_get_u32((struct nftnl_set_elem *)x, NFTNL_SET_ELEM_FLAGS) &
	     NFT_SET_ELEM_INTERVAL_END))
		return;
	elem.key = nftnl_set_elem_get((struct nftnl_set_elem *)x, NFTNL_SET_ELEM_KEY, &len);
	elem.key_len = len;
	if (!elem.key)
		return;
	data = nftnl_set_elem_get((struct nftnl_set_elem *)x, NFTNL_SET_ELEM_DATA, &len);
	if (data && len >= sizeof(elem.data))
		memcpy(&elem.data, data, sizeof(elem.data));
	nftnl_set_elem_expr_foreach((struct nftnl_set_elem *)x, read_counter, &elem);
	r->found = true;
	r->each(r->arg, &elem);
}

static int read_message(const struct nlmsghdr *nlh, void *arg) {
	struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_set_elems_iter *it;
	struct nftnl_set_elem *x;

	if (!set)
		return MNL_CB_ERROR;
	if (nftnl_set_elems_nlmsg_parse(nlh, set) == 0) {
		it = nftnl_set_elems_iter_create(set);
		while (it && (x = nftnl_set_elems_iter_next(it)))
			read_elem(x, arg);
		if (it)
			nftnl_set_elems_iter_destroy(it);
	}
	nftnl_set_free(set);
	return MNL_CB_OK;
}

static struct nlmsghdr *read_request(struct nft_netlink *nl, char *data, const char *set,
				     const struct key *key) {
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(data, NFT_MSG_GETSETELEM, NFPROTO_INET,
						     key ? NLM_F_ACK : NLM_F_DUMP, nl->seq++);

	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, nl->table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	if (key) {
		struct nlattr *list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
		struct nlattr *elem = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);

		put_value(nlh, NFTA_SET_ELEM_KEY, key->bytes, key->len);
		mnl_attr_nest_end(nlh, elem);
		mnl_attr_nest_end(nlh, list);
	}
	return nlh;
}

/* Send a request and hand its answers on, in `data`; false with the system error kept in nl. */
static bool ask(struct nft_netlink *nl, const struct nlmsghdr *nlh, char *data, mnl_cb_t each,
		void *arg) {
	uint32_t seq = nlh->nlmsg_seq, port = mnl_socket_get_portid(nl->sock);
	int more = -1;
	ssize_t n;

	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) >= 0)
		do {
			n = mnl_socket_recvfrom(nl->sock, data, ANSWER_SIZE);
			more = n > 0 ? mnl_cb_run(data, (size_t)n, seq, port, each, arg) : -1;
		} while (more > MNL_CB_STOP);
	if (more >= 0)
		return true;
	nl->sys_errno = errno;
	socket_drain(nl);
	return false;
}

int nft_netlink_read(struct nft_netlink *nl, const char *set, const struct key *key,
		     void (*each)(void *arg, const struct nft_elem *elem), void *arg,
		     struct err *err) {
	AUTO_FREE char *data = xcalloc(1, ANSWER_SIZE);
	struct reader r = { .each = each, .arg = arg };
	bool done = false;

	for (int i = 0; i < READ_TRIES && !done; i++) {
		done = ask(nl, read_request(nl, data, set, key), data, read_message, &r);
		if (!done && nl->sys_errno != EINTR)
			break;
	}
	if (!done)
		return err_set(err, nl->sys_errno == ENOENT ? ERR_NOT_FOUND : ERR_KERNEL,
			       "set %s: %s", set, strerror(nl->sys_errno));
	return key && !r.found ? err_set(err, ERR_NOT_FOUND, "set %s has no such element", set) : 0;
}

/* ---- the generation ---- */

static int take_generation(const struct nlmsghdr *nlh, void *arg) {
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID && mnl_attr_get_payload_len(attr) == 4)
			*(uint32_t *)arg = ntohl(mnl_attr_get_u32(attr));
	return MNL_CB_OK;
}

int nft_netlink_generation(struct nft_netlink *nl, uint32_t *ret, struct err *err) {
	AUTO_FREE char *data = xcalloc(1, ANSWER_SIZE);
	struct nlmsghdr *nlh =
		nftnl_nlmsg_build_hdr(data, NFT_MSG_GETGEN, AF_UNSPEC, NLM_F_ACK, nl->seq++);

	*ret = 0;
	if (ask(nl, nlh, data, take_generation, ret) && *ret != 0)
		return 0;
	return err_set(err, ERR_KERNEL, "the packet filter tells no generation: %s",
		       strerror(nl->sys_errno));
}
