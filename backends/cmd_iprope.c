/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies asked about. Counters come from the kernel; the lookup is answered from the
 * configuration, and only the way out is asked of the kernel's routing.
 */
#include "backends/cmd_iprope.h"

#include <bsd/stdlib.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/lookup.h"
#include "backends/nft.h"
#include "backends/route.h"
#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define FORWARD_GROUP "100004"

static int parse_number(const char *word, uint32_t max, uint32_t *ret, struct err *err) {
	const char *bad = NULL;

	*ret = (uint32_t)strtonum(word, 0, max, &bad);
	return bad ? command_bad_word(word, err) : 0;
}

static int parse_addr(const char *word, uint32_t *ret, struct err *err) {
	return value_parse_ipv4(word, ret) ? 0 : command_bad_word(word, err);
}

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
	{ "icmp", IPPROTO_ICMP },
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "sctp", IPPROTO_SCTP },
};

static int parse_protocol(const char *word, uint8_t *ret, struct err *err) {
	uint32_t number;
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (strcmp(word, protocols[i].name) == 0) {
			*ret = protocols[i].number;
			return 0;
		}
	rc = parse_number(word, 255, &number, err);
	*ret = (uint8_t)number;
	return rc;
}

/* With ICMP, the ports of the command are type and code. */
static int parse_packet(char *const argv[], struct lookup_packet *p, struct err *err) {
	uint32_t sport = 0, dport = 0;
	int rc = parse_addr(argv[0], &p->src, err);

	if (rc == 0)
		rc = parse_number(argv[1], 65535, &sport, err);
	if (rc == 0)
		rc = parse_addr(argv[2], &p->dst, err);
	if (rc == 0)
		rc = parse_number(argv[3], 65535, &dport, err);
	if (rc == 0)
		rc = parse_protocol(argv[4], &p->proto, err);
	p->in = argv[5];
	p->sport = (uint16_t)sport;
	p->dport = (uint16_t)dport;
	if (p->proto == IPPROTO_ICMP) {
		p->icmp_type = (uint8_t)sport;
		p->icmp_code = (uint8_t)dport;
		p->sport = p->dport = 0;
	}
	return rc;
}

/*
 * The interface that packets to the (translated) destination leave by, into out; why not,
 * otherwise.
 */
static const char *way_out(const struct lookup_packet *p, const struct lookup_result *r,
			   char out[16]) {
	struct rtnl *rtnl = rtnl_open(NULL);
	struct links links = { .n = 0 };
	const struct link *in, *l = NULL;
	const char *why = "the kernel cannot be asked for a route";
	int index;

	if (rtnl && links_read(rtnl, &links) == 0) {
		in = links_find(&links, p->in);
		index = route_lookup(rtnl, p->src, r->dst, in ? in->index : 0);
		l = index > 0 ? links_at(&links, index) : NULL;
		why = index < 0 ? "the destination is this unit" : "no route to the destination";
	}
	if (l)
		memcpy(out, l->name, sizeof(l->name));
	links_done(&links);
	rtnl_close(rtnl);
	return l ? NULL : why;
}

static void print_packet(char *const argv[], struct str *out) {
	str_addf(out, "<src [%s-%s] dst [%s-%s] proto %s dev %s> ", argv[0], argv[1], argv[2],
		 argv[3], argv[4], argv[5]);
}

static void print_translation(const struct lookup_result *r, struct str *out) {
	if (!r->vip)
		return;
	str_addf(out, "virtual IP \"%s\" leads to ", r->vip->obj->key);
	value_print_ipv4(r->dst, out);
	str_addf(out, ":%u\n", r->dport);
}

static void put_lookup(const struct lookup_result *r, const char *dev, const char *why,
		       const char *explained, struct str *out) {
	struct json j = json_put_begin(out);
	AUTO_STR struct str dst = STR_INIT;

	json_put_object(&j, NULL);
	json_put_u64(&j, "policy", r->policy);
	if (r->vip) {
		value_print_ipv4(r->dst, &dst);
		json_put_text(&j, "virtual_ip", r->vip->obj->key);
		json_put_text(&j, "translated_destination", str_text(&dst));
		json_put_u64(&j, "translated_port", r->dport);
	} else {
		json_put_null(&j, "virtual_ip");
	}
	json_put_text(&j, "interface", dev);
	if (why)
		json_put_text(&j, "no_way", why);
	else
		json_put_null(&j, "no_way");
	json_put_lines(&j, "explanation", explained);
	json_put_end(&j);
}

int cmd_iprope_lookup(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	struct lookup_packet p = { .in = NULL };
	AUTO_STR struct str explained = STR_INIT;
	struct lookup_result r;
	struct policies *ps;
	const char *why;
	char dev[16] = "";
	int rc;

	(void)ctx;
	if (call->argc != 6)
		return call->argc < 6 ? command_word_missing(err)
				      : command_bad_word(call->argv[6], err);
	rc = parse_packet(call->argv, &p, err);
	if (rc)
		return rc;
	if (!model_find(call->model, schema_table(TBL_SYSTEM_INTERFACE), p.in))
		return command_bad_word(p.in, err);
	ps = policies_new(call->model, time(NULL));
	lookup_translate(call->model, ps, &p, &r);
	why = way_out(&p, &r, dev);
	if (!why)
		lookup_judge(call->model, ps, &p, dev, &r);
	if (!why && !r.by)
		lookup_explain(call->model, ps, &p, dev, &r, &explained);
	if (call->json) {
		put_lookup(&r, dev, why, str_text(&explained), out);
	} else {
		print_packet(call->argv, out);
		str_addf(out, "matches policy id: %" PRIu32 "\n", r.policy);
		print_translation(&r, out);
		if (why)
			str_addf(out, "%s\n", why);
		str_add(out, str_text(&explained));
	}
	policies_free(ps);
	return 0;
}

static void put_counters(uint32_t policy, const struct nft_counters *c, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	json_put_u64(&j, "policy", policy);
	json_put_u64(&j, "packets", c->packets);
	json_put_u64(&j, "bytes", c->bytes);
	json_put_u64(&j, "hits", c->hits);
	json_put_end(&j);
}

int cmd_iprope_show(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct nft_counters c;
	uint32_t policy;
	int rc;

	if (call->argc < 2)
		return command_word_missing(err);
	if (call->argc > 2)
		return command_bad_word(call->argv[2], err);
	if (strcmp(call->argv[0], FORWARD_GROUP) != 0)
		return command_bad_word(call->argv[0], err);
	rc = parse_number(call->argv[1], UINT32_MAX - 1, &policy, err);
	if (rc)
		return rc;
	rc = nft_read_counters(ctx, policy, &c, err);
	if (rc == ERR_NOT_FOUND) {
		/* While no interface is managed, nothing is filtered and nothing counted. */
		if (policy != 0 &&
		    !model_find(call->model, schema_table(TBL_FIREWALL_POLICY), call->argv[1]))
			return err_set(err, ERR_NOT_FOUND, "no such policy: %" PRIu32, policy);
		c = (struct nft_counters){ .packets = 0 };
		rc = 0;
	}
	if (rc == 0 && call->json)
		put_counters(policy, &c, out);
	else if (rc == 0)
		str_addf(out,
			 "idx=%" PRIu32 " pkts/bytes=%" PRIu64 "/%" PRIu64 " hit count:%" PRIu64
			 "\n",
			 policy, c.packets, c.bytes, c.hits);
	return rc;
}
