/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One struct of fixed size, like that of session replication (backends/cluster.c): made by the
 * daemon that owns the configuration, told again after each commit, so that the one that replicates
 * learns of a new revision and of a new role in the same way.
 *
 * In bytes: a version, then the fields of the struct in its order; what is known of the group is
 * the text of cfgdb/membership.h.
 */
#include "backends/autoscale.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/role.h"
#include "schemas/schema_gen.h"

#define CODEC_VERSION 2

/* ---- from the configuration ---- */

static union net_addr address_of(const struct object *obj, unsigned int attr) {
	return net_ipv4(object_ip(obj, attr).a);
}

/* Where other members reach this unit, if sync-interface says it. */
static union net_addr own_address(const struct model *m, const char *interface) {
	const struct object *obj = model_find(m, schema_tables[TBL_SYSTEM_INTERFACE], interface);

	return obj ? address_of(obj, SYSTEM_INTERFACE__IP) : net_ipv4(0);
}

static void take_digests(struct autoscale *a, const struct engine *e) {
	const struct txn *staged = engine_staged(e);
	struct digest_view view;

	digest_view_init(&view, e);
	digest_group(&view, &a->active);
	a->staged = a->active;
	if (!staged)
		return;
	digest_view_init_txn(&view, e, staged);
	digest_group(&view, &a->staged);
}

/* Who has left is nobody's business any more. */
static void take_group(struct autoscale *a, const struct membership *group) {
	a->group = *group;
	a->group.n = 0;
	for (unsigned int i = 0; i < group->n; i++)
		if (group->member[i].role != MEMBER_GONE)
			a->group.member[a->group.n++] = group->member[i];
}

void autoscale_of_engine(struct autoscale *a, const struct engine *e,
			 const struct membership *group) {
	const struct object *obj = model_object(e->model, schema_tables[TBL_SYSTEM_AUTO_SCALE]);

	*a = (struct autoscale){ .enabled = role_is_member(e->model),
				 .primary = role_is_primary(e->model) };
	snprintf(a->serial, sizeof(a->serial), "%s", e->serial);
	snprintf(a->vmid, sizeof(a->vmid), "%s", e->vmid);
	snprintf(a->hostname, sizeof(a->hostname), "%s", engine_hostname(e));
	snprintf(a->interface, sizeof(a->interface), "%s",
		 object_str(obj, SYSTEM_AUTO_SCALE__SYNC_INTERFACE));
	snprintf(a->callback_url, sizeof(a->callback_url), "%s",
		 object_str(obj, SYSTEM_AUTO_SCALE__CALLBACK_URL));
	a->primary_ip = address_of(obj, SYSTEM_AUTO_SCALE__PRIMARY_IP);
	a->ip = own_address(e->model, a->interface);
	a->hb_interval_s = (uint32_t)object_num(obj, SYSTEM_AUTO_SCALE__HB_INTERVAL);
	if (a->hb_interval_s == 0)
		a->hb_interval_s = 1;
	a->revision = e->revision;
	take_group(a, group);
	if (a->enabled)
		take_digests(a, e);
}

const char *autoscale_secret(const struct model *model) {
	return object_str(model_object(model, schema_tables[TBL_SYSTEM_AUTO_SCALE]),
			  SYSTEM_AUTO_SCALE__PSKSECRET);
}

/* ---- as bytes ---- */

static void put_digests(struct buf *b, const struct digest_group *d) {
	buf_put_bytes(b, d->global, sizeof(d->global));
	buf_put_bytes(b, d->root, sizeof(d->root));
	buf_put_bytes(b, d->all, sizeof(d->all));
}

void autoscale_encode(struct buf *b, const struct autoscale *a) {
	AUTO_STR struct str group = STR_INIT;

	membership_text(&a->group, &group);
	buf_reserve(b, b->len + AUTOSCALE_BYTES_MAX);
	buf_put_u8(b, CODEC_VERSION);
	buf_put_u8(b, a->enabled);
	buf_put_u8(b, a->has_key);
	buf_put_u8(b, a->makes_key);
	buf_put_bytes(b, a->key, sizeof(a->key));
	buf_put_str(b, a->serial);
	buf_put_str(b, a->vmid);
	buf_put_str(b, a->hostname);
	buf_put_u8(b, a->primary);
	buf_put_bytes(b, a->primary_ip.byte, 4);
	buf_put_str(b, a->interface);
	buf_put_bytes(b, a->ip.byte, 4);
	buf_put_u32(b, a->hb_interval_s);
	buf_put_str(b, a->callback_url);
	buf_put_u64(b, a->revision);
	put_digests(b, &a->active);
	put_digests(b, &a->staged);
	buf_put_strn(b, str_text(&group), group.len);
}

static void get_text(struct buf_reader *r, char *ret, size_t size) {
	AUTO_FREE char *text = buf_get_str(r, size - 1);

	snprintf(ret, size, "%s", text);
}

static bool get_flag(struct buf_reader *r) {
	uint8_t flag = buf_get_u8(r);

	r->bad = r->bad || flag > 1;
	return flag == 1;
}

static void get_digests(struct buf_reader *r, struct digest_group *d) {
	buf_get_bytes(r, d->global, sizeof(d->global));
	buf_get_bytes(r, d->root, sizeof(d->root));
	buf_get_bytes(r, d->all, sizeof(d->all));
}

static void get_fields(struct autoscale *a, struct buf_reader *r) {
	a->enabled = get_flag(r);
	a->has_key = get_flag(r);
	a->makes_key = get_flag(r);
	buf_get_bytes(r, a->key, sizeof(a->key));
	get_text(r, a->serial, sizeof(a->serial));
	get_text(r, a->vmid, sizeof(a->vmid));
	get_text(r, a->hostname, sizeof(a->hostname));
	a->primary = get_flag(r);
	buf_get_bytes(r, a->primary_ip.byte, 4);
	get_text(r, a->interface, sizeof(a->interface));
	buf_get_bytes(r, a->ip.byte, 4);
	a->hb_interval_s = buf_get_u32(r);
	get_text(r, a->callback_url, sizeof(a->callback_url));
	a->revision = buf_get_u64(r);
	get_digests(r, &a->active);
	get_digests(r, &a->staged);
}

int autoscale_decode(struct autoscale *a, struct buf_reader *r, struct err *err) {
	AUTO_FREE char *group = NULL;
	int rc;

	*a = (struct autoscale){ .enabled = false };
	r->bad = r->bad || buf_get_u8(r) != CODEC_VERSION;
	get_fields(a, r);
	group = buf_get_str(r, MEMBERSHIP_TEXT_MAX);
	if (r->bad || a->hb_interval_s == 0)
		return err_set(err, ERR_PARSE, "what replication of the configuration is to do");
	rc = membership_parse(&a->group, group, err);
	r->bad = r->bad || rc;
	return rc;
}
