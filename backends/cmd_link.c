/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each command reads the kernel when it is asked and prints lines of a form that scripts know: one
 * more line, or `-` for a number, and their templates fail. JSON tells the rest.
 */
#include "backends/cmd_link.h"

#include <inttypes.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/device.h"
#include "backends/neighbour.h"
#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/model/value.h"

#define HUNDREDTHS_PER_MINUTE 6000u

/* All that these commands look at. */
struct view {
	struct rtnl *rtnl;
	struct devices devices;
};

static int view_failed(int rc, struct err *err) {
	return err_set(err, ERR_KERNEL, "the kernel cannot be read: %s", strerror(rc));
}

static void view_close(struct view *v) {
	devices_done(&v->devices);
	rtnl_close(v->rtnl);
}

static int view_open(struct view *v, struct err *err) {
	int rc;

	*v = (struct view){ .rtnl = rtnl_open(err) };
	if (!v->rtnl)
		return ERR_KERNEL;
	rc = devices_read(v->rtnl, &v->devices);
	if (rc == 0)
		return 0;
	view_close(v);
	return view_failed(rc, err);
}

/* The one word that may follow, as the name of a device; *ret is NULL without one. */
static int take_device(const struct view *v, const struct command_call *call,
		       const struct device **ret, struct err *err) {
	*ret = NULL;
	if (call->argc == 0)
		return 0;
	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	*ret = devices_find(&v->devices, call->argv[0]);
	return *ret ? 0 : err_set(err, ERR_NOT_FOUND, "no such interface: %.32s", call->argv[0]);
}

static void put_addr(struct json *j, const char *name, const struct device_addr *addr) {
	AUTO_STR struct str text = STR_INIT;

	device_print_addr(addr, &text);
	json_put_text(j, name, str_text(&text));
}

static void put_ipv4(struct json *j, const char *name, uint32_t addr) {
	AUTO_STR struct str text = STR_INIT;

	value_print_ipv4(addr, &text);
	json_put_text(j, name, str_text(&text));
}

/* ---- get system arp, diagnose ip arp list ---- */

/* A neighbour with the device by which it is one. */
struct arp {
	const struct neighbour *n;
	const struct device *device;
};

static void print_arp(const struct arp *a, struct str *out) {
	const struct neighbour *n = a->n;
	AUTO_STR struct str addr = STR_INIT;

	value_print_ipv4(n->addr, &addr);
	str_addf(out, "%-17s %-10" PRIu32 " ", str_text(&addr),
		 n->confirmed / HUNDREDTHS_PER_MINUTE);
	device_print_addr(&n->hw, out);
	str_addf(out, " %s\n", a->device->name);
}

static void print_arp_entry(const struct arp *a, struct str *out) {
	const struct neighbour *n = a->n;

	str_addf(out, "index=%d ifname=%s ", n->index, a->device->name);
	value_print_ipv4(n->addr, out);
	str_add_char(out, ' ');
	device_print_addr(&n->hw, out);
	str_addf(out, " state=%08x use=%" PRIu32 " confirm=%" PRIu32 " update=%" PRIu32
		 " ref=%" PRIu32 "\n", n->state, n->used, n->confirmed, n->updated, n->refs);
}

static void put_arp(const struct arp *a, struct json *j) {
	const struct neighbour *n = a->n;

	json_put_object(j, NULL);
	put_ipv4(j, "address", n->addr);
	json_put_u64(j, "age_minutes", n->confirmed / HUNDREDTHS_PER_MINUTE);
	put_addr(j, "hardware_address", &n->hw);
	json_put_text(j, "interface", a->device->name);
	json_put_i64(j, "index", n->index);
	json_put_u64(j, "state", n->state);
	json_put_tenths(j, "used_seconds", n->used / 10);
	json_put_tenths(j, "confirmed_seconds", n->confirmed / 10);
	json_put_tenths(j, "updated_seconds", n->updated / 10);
	json_put_u64(j, "references", n->refs);
	json_put_end(j);
}

/* What leads packets to other members is no neighbour of anybody's. */
static int list_arp(const struct command_call *call, const char *head,
		    void (*print)(const struct arp *a, struct str *out), struct str *out,
		    struct err *err) {
	struct json j = json_put_begin(out);
	struct neighbours ns;
	struct view v;
	int rc = command_no_words(call, err);

	if (rc == 0)
		rc = view_open(&v, err);
	if (rc)
		return rc;
	rc = neighbours_read(v.rtnl, &ns);
	if (call->json)
		json_put_array(&j, NULL);
	else
		str_add(out, head);
	for (size_t i = 0; i < ns.n; i++) {
		const struct arp a = { &ns.neighbour[i],
				       devices_at(&v.devices, ns.neighbour[i].index) };

		if (!a.device || a.device->ours)
			continue;
		if (call->json)
			put_arp(&a, &j);
		else
			print(&a, out);
	}
	if (call->json)
		json_put_end(&j);
	neighbours_done(&ns);
	view_close(&v);
	return rc ? view_failed(rc, err) : 0;
}

static int run_arp(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	static const char head[] = "Address           Age(min)   Hardware Addr      Interface\n";

	(void)ctx;
	return list_arp(call, head, print_arp, out, err);
}

static int run_arp_list(void *ctx, const struct command_call *call, struct str *out,
			struct err *err) {
	(void)ctx;
	return list_arp(call, "", print_arp_entry, out, err);
}

static int run_arp_clear(void *ctx, const struct command_call *call, struct str *out,
			 struct err *err) {
	struct rtnl *rtnl;
	int rc = command_no_words(call, err);

	(void)ctx;
	(void)out;
	if (rc)
		return rc;
	rtnl = rtnl_open(err);
	rc = rtnl ? neighbours_forget(rtnl, err) : ERR_KERNEL;
	rtnl_close(rtnl);
	return rc;
}

/* ---- diagnose netlink interface list [NAME] ---- */

static const struct {
	unsigned int flag;
	const char *word;
} flag_words[] = {
	{ IFF_UP, "up" },
	{ IFF_BROADCAST, "broadcast" },
	{ IFF_LOOPBACK, "loopback" },
	{ IFF_POINTOPOINT, "pointopoint" },
	{ IFF_RUNNING, "run" },
	{ IFF_NOARP, "noarp" },
	{ IFF_PROMISC, "promsc" },
	{ IFF_ALLMULTI, "allmulti" },
	{ IFF_MASTER, "master" },
	{ IFF_SLAVE, "slave" },
	{ IFF_MULTICAST, "multicast" },
};

/* Counters by the names they have in the lines of text; a line begins with a word. */
static const struct {
	const char *line, *word, *name;
	size_t offset;
} counters[] = {
#define COUNTER(line, word, member) \
	{ line, word, #member, offsetof(struct rtnl_link_stats64, member) }
	COUNTER("stat:", "rxp", rx_packets),
	COUNTER(NULL, "txp", tx_packets),
	COUNTER(NULL, "rxb", rx_bytes),
	COUNTER(NULL, "txb", tx_bytes),
	COUNTER(NULL, "rxe", rx_errors),
	COUNTER(NULL, "txe", tx_errors),
	COUNTER(NULL, "rxd", rx_dropped),
	COUNTER(NULL, "txd", tx_dropped),
	COUNTER(NULL, "mc", multicast),
	COUNTER(NULL, "collision", collisions),
	COUNTER("re:", "rxl", rx_length_errors),
	COUNTER(NULL, "rxo", rx_over_errors),
	COUNTER(NULL, "rxc", rx_crc_errors),
	COUNTER(NULL, "rxf", rx_frame_errors),
	COUNTER(NULL, "rxfi", rx_fifo_errors),
	COUNTER(NULL, "rxm", rx_missed_errors),
	COUNTER("te:", "txa", tx_aborted_errors),
	COUNTER(NULL, "txc", tx_carrier_errors),
	COUNTER(NULL, "txfi", tx_fifo_errors),
	COUNTER(NULL, "txh", tx_heartbeat_errors),
	COUNTER(NULL, "txw", tx_window_errors),
	COUNTER("misc", "rxc", rx_compressed),
	COUNTER(NULL, "txc", tx_compressed),
#undef COUNTER
};

static uint64_t counter_of(const struct device *d, size_t i) {
	uint64_t v;

	memcpy(&v, (const char *)&d->stats + counters[i].offset, sizeof(v));
	return v;
}

static void print_counters(const struct device *d, struct str *out) {
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		bool ends = i + 1 == ARRAY_LEN(counters) || counters[i + 1].line;

		if (counters[i].line)
			str_add(out, counters[i].line);
		str_addf(out, " %s=%" PRIu64, counters[i].word, counter_of(d, i));
		if (ends && strcmp(counters[i].word, "collision") == 0)
			str_addf(out, " @ time=%lld", (long long)time(NULL));
		if (ends)
			str_add_char(out, '\n');
	}
}

static void print_device(const struct device *d, struct str *out) {
	str_addf(out, "\nif=%s family=00 type=%u index=%d mtu=%" PRIu32 " link=%d master=%d\n"
		 "flags=", d->name, d->type, d->index, d->mtu, d->link, d->master);
	for (size_t i = 0; i < ARRAY_LEN(flag_words); i++)
		if (d->flags & flag_words[i].flag)
			str_addf(out, "%s ", flag_words[i].word);
	str_addf(out, "\nQdisc=%s hw_addr=", d->qdisc);
	device_print_addr(&d->addr, out);
	str_add(out, " broadcast_addr=");
	device_print_addr(&d->broadcast, out);
	str_add_char(out, '\n');
	print_counters(d, out);
}

static void put_counters(const struct device *d, struct json *j) {
	json_put_object(j, "counters");
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		json_put_u64(j, counters[i].name, counter_of(d, i));
	json_put_end(j);
}

static void put_device(const struct device *d, struct json *j) {
	json_put_object(j, NULL);
	json_put_text(j, "name", d->name);
	json_put_i64(j, "index", d->index);
	json_put_u64(j, "type", d->type);
	json_put_text(j, "kind", d->kind);
	json_put_u64(j, "mtu", d->mtu);
	json_put_i64(j, "link", d->link);
	json_put_i64(j, "master", d->master);
	json_put_array(j, "flags");
	for (size_t i = 0; i < ARRAY_LEN(flag_words); i++)
		if (d->flags & flag_words[i].flag)
			json_put_text(j, NULL, flag_words[i].word);
	json_put_end(j);
	json_put_bool(j, "carrier", device_is_running(d));
	json_put_text(j, "qdisc", d->qdisc);
	json_put_u64(j, "queue", d->queue);
	put_addr(j, "hardware_address", &d->addr);
	put_addr(j, "broadcast_address", &d->broadcast);
	put_counters(d, j);
	json_put_end(j);
}

static int run_list(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct json j = json_put_begin(out);
	const struct device *one;
	struct view v;
	int rc = view_open(&v, err);

	(void)ctx;
	if (rc)
		return rc;
	rc = take_device(&v, call, &one, err);
	if (rc == 0 && call->json)
		json_put_array(&j, NULL);
	for (size_t i = 0; i < v.devices.n && rc == 0; i++) {
		const struct device *d = &v.devices.device[i];

		if (one && d != one)
			continue;
		if (call->json)
			put_device(d, &j);
		else
			print_device(d, out);
	}
	if (rc == 0 && call->json)
		json_put_end(&j);
	view_close(&v);
	return rc;
}

/* ---- the table ---- */

const struct command *commands_link(size_t *n) {
	static const struct command table[] = {
		{ .words = "get system arp", .reads = "netgrp.cfg",
		  .run = run_arp, .has_json = true },
		{ .words = "diagnose ip arp list", .reads = "netgrp.cfg",
		  .run = run_arp_list, .has_json = true },
		{ .words = "execute clear system arp table", .writes = "netgrp.cfg",
		  .run = run_arp_clear },
		{ .words = "diagnose netlink interface list", .reads = "netgrp.cfg",
		  .run = run_list, .has_json = true },
	};

	*n = ARRAY_LEN(table);
	return table;
}
