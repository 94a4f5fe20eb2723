/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine has and nobody has configured yet is described as it is, with version 0:
 * nothing is set, and nothing will be, until a commit names it. The description is renewed at each
 * start for as long as nobody has.
 */
#include "backends/takeup.h"

#include "backends/iface.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/shared.h"
#include "cfgdb/txn.h"
#include "schemas/schema_gen.h"

static void set_word(struct object *obj, unsigned int attr, char *const words[], size_t n) {
	struct value v;

	if (value_parse(&obj->table->attrs[attr], words, n, &v, NULL) == 0)
		object_set(obj, attr, v);
}

static void set_address(struct object *obj, unsigned int attr, const struct link_addr *addr) {
	struct value v = { 0 };
	uint32_t mask = addr->prefix ? 0xffffffffu << (32 - addr->prefix) : 0;

	value_add_item(&v, (union item){ .ip = { addr->addr, mask } });
	object_set(obj, attr, v);
}

/* The second and later addresses of a link are entries of the list of secondary ones. */
static void set_secondary(struct object *obj, const struct link_addr *addr, unsigned int id) {
	const struct schema_table *table = obj->table->attrs[SYSTEM_INTERFACE__SECONDARYIP].child;
	AUTO_FREE char *key = xasprintf("%u", id);
	struct object *entry = object_new(table, key);

	set_word(obj, SYSTEM_INTERFACE__SECONDARY_IP, (char *[]){ (char *)"enable" }, 1);
	set_address(entry, SYSTEM_INTERFACE_SECONDARYIP__IP, addr);
	object_child_put(obj, SYSTEM_INTERFACE__SECONDARYIP, entry);
}

/* A link as it is found, as an entry of system interface that lets administrators in. */
static struct object *describe_link(const struct links *links, const struct link *link) {
	struct object *obj = shared_found(link->name);
	struct value index = { 0 };
	unsigned int n = 0;

	value_add_item(&index, (union item){ .num = link->index });
	object_set(obj, SYSTEM_INTERFACE__SNMP_INDEX, index);
	for (size_t i = 0; i < links->n_addrs; i++) {
		if (links->addr[i].index != link->index)
			continue;
		if (n++ == 0)
			set_address(obj, SYSTEM_INTERFACE__IP, &links->addr[i]);
		else
			set_secondary(obj, &links->addr[i], n - 1);
	}
	return obj;
}

int takeup_links(struct engine *e, void (*refused)(const char *link, const struct err *why),
		 struct err *err) {
	struct links links;
	struct txn *t;
	int rc = iface_found(&links, err);

	if (rc)
		return rc;
	t = txn_new(e, "system", STORE_SOURCE_FOUND);
	txn_as_found(t);
	for (size_t i = 0; i < links.n; i++) {
		struct object *obj = describe_link(&links, &links.link[i]);
		const struct object *known = txn_find(t, obj->table, obj->key);
		AUTO_FREE char *key = NULL;
		struct err why = { 0 };

		if (known && known->ver != 0) {
			object_free(obj);
		} else if (object_key_parse(obj->table, obj->key, &key, &why) != 0) {
			object_free(obj); /* nobody could type that name, nor load what shows it */
			refused(links.link[i].name, &why);
		} else if (txn_put(t, obj, TXN_ANY, &why) != 0) {
			refused(links.link[i].name, &why);
		}
	}
	rc = txn_commit(t, err);
	txn_free(t);
	links_done(&links);
	return rc;
}
