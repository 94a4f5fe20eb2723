/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form is FortiOS', in which commas, colons and blanks are mixed as they are; programs read it.
 * What it has no place for follows at the end of a line: IPv6 networks of a filter, where there are
 * some. ipsec_tun_sync is what an installation without a change shows: there are no tunnels here.
 */
#include "backends/cluster_text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>

#include "cfgdb/base/json_put.h"
#include "cfgdb/model/value.h"

#define MTU_DEFAULT 1500       /* of what is sent, before a link is known */

static void put_messages(const char *name, const struct cluster_messages *m, struct str *out) {
	str_addf(out,
		 "%s: create=%" PRIu64 ":%" PRIu64 ", update=%" PRIu64 ", delete=%" PRIu64
		 ":%" PRIu64 ", query=%" PRIu64 "\n",
		 name, m->create, m->create_expect, m->update, m->delete, m->delete_expect,
		 m->query);
}

static void put_net(const char *name, const struct cluster_net *net, struct str *out) {
	str_addf(out, ", %s=", name);
	value_print_ipv4(ntohl(net->addr.word[0]), out);
	str_add_char(out, ':');
	value_print_ipv4(net->len ? UINT32_MAX << (32 - net->len) : 0, out);
}

static void put_net6(const char *name, const struct cluster_net *net, struct str *out) {
	char text[NET_TEXT_MAX];

	if (net->len > 0 && inet_ntop(AF_INET6, net->addr.byte, text, sizeof(text)))
		str_addf(out, ", %s=%s/%u", name, text, net->len);
}

static unsigned int last_of(const uint16_t range[2]) {
	return range[1] ? range[1] : UINT16_MAX;
}

static void put_filter(const struct cluster_peer *p, const struct cluster_ports *ports,
		       struct str *out) {
	str_addf(out, "\t%" PRIu32 ": vd=%d, szone=%u, dzone=%u", p->sync_id,
		 p->all_vdoms ? -1 : 0, if_nametoindex(p->srcintf), if_nametoindex(p->dstintf));
	put_net("saddr", &p->src, out);
	put_net("daddr", &p->dst, out);
	str_addf(out, ", sport=%u-%u, dport=%u:%u", ports->src[0], last_of(ports->src),
		 ports->dst[0], last_of(ports->dst));
	put_net6("saddr6", &p->src6, out);
	put_net6("daddr6", &p->dst6, out);
	str_add_char(out, '\n');
}

static void put_filters(const struct cluster_peer *p, struct str *out) {
	static const struct cluster_ports any;

	if (p->n_services == 0)
		put_filter(p, &any, out);
	for (unsigned int i = 0; i < p->n_services; i++)
		put_filter(p, &p->service[i], out);
}

void cluster_text_sync(const struct cluster *c, const struct cluster_counts *n, struct str *out) {
	str_addf(out,
		 "sync_ctx: sync_started=%d, sync_tcp=%d, sync_others=%d,\n"
		 "sync_expectation=%d, sync_nat=%d, stdalone_sesync=%d.\n",
		 n->started, c->tcp, c->others, c->expectation, c->nat, c->n_peers > 0);
	put_messages("sync", &n->sent, out);
	put_messages("recv", &n->received, out);
	str_addf(out,
		 "ses pkts: send=%" PRIu64 ", alloc_fail=%" PRIu64 ", recv=%" PRIu64
		 ", recv_err=%" PRIu64 " sz_err=%" PRIu64 "\n",
		 n->frames_sent, n->alloc_fail, n->frames_received, n->recv_err, n->sz_err);
	str_addf(out, "udp pkts: send=%" PRIu64 ", recv=%" PRIu64 "\n", n->datagrams_sent,
		 n->datagrams_received);
	str_addf(out, "nCfg_sess_sync_num=%u, mtu=%u, ipsec_tun_sync=1\nsync_filter:\n",
		 c->n_peers, n->mtu ? n->mtu : MTU_DEFAULT);
	for (unsigned int i = 0; i < c->n_peers; i++)
		put_filters(&c->peer[i], out);
}

static void json_messages(const char *name, const struct cluster_messages *m, struct json *j) {
	json_put_object(j, name);
	json_put_u64(j, "create", m->create);
	json_put_u64(j, "create_expected", m->create_expect);
	json_put_u64(j, "update", m->update);
	json_put_u64(j, "delete", m->delete);
	json_put_u64(j, "delete_expected", m->delete_expect);
	json_put_u64(j, "query", m->query);
	json_put_end(j);
}

static void json_peers(const struct cluster *c, struct json *j) {
	json_put_array(j, "peers");
	for (unsigned int i = 0; i < c->n_peers; i++) {
		const uint8_t *ip = c->peer[i].ip.byte;

		json_put_object(j, NULL);
		json_put_u64(j, "sync_id", c->peer[i].sync_id);
		json_put_textf(j, "ip", "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
		json_put_end(j);
	}
	json_put_end(j);
}

void cluster_text_sync_json(const struct cluster *c, const struct cluster_counts *n,
			    struct str *out) {
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	json_put_bool(&j, "started", n->started);
	json_put_bool(&j, "tcp", c->tcp);
	json_put_bool(&j, "connectionless", c->others);
	json_put_bool(&j, "expectation", c->expectation);
	json_put_bool(&j, "nat", c->nat);
	json_messages("sent", &n->sent, &j);
	json_messages("received", &n->received, &j);
	json_put_u64(&j, "frames_sent", n->frames_sent);
	json_put_u64(&j, "frames_received", n->frames_received);
	json_put_u64(&j, "datagrams_sent", n->datagrams_sent);
	json_put_u64(&j, "datagrams_received", n->datagrams_received);
	json_put_u64(&j, "allocation_failures", n->alloc_fail);
	json_put_u64(&j, "receive_errors", n->recv_err);
	json_put_u64(&j, "size_errors", n->sz_err);
	json_put_u64(&j, "mtu", n->mtu ? n->mtu : MTU_DEFAULT);
	json_peers(c, &j);
	json_put_end(&j);
}
