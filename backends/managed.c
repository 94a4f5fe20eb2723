/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An interface is left alone until the configuration says something about it: then what it does not
 * allow is dropped there. Objects taken up at the first start have version 0 and say nothing.
 */
#include "backends/managed.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

void names_add(struct names *names, const char *name) {
	if ((names->n & (names->n - 1)) == 0)
		names->name = xreallocarray(names->name, names->n ? names->n * 2 : 1,
					    sizeof(*names->name));
	names->name[names->n++] = name;
}

static int name_order(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void names_sort(struct names *names) {
	size_t n = 0;

	if (names->n == 0)
		return;
	qsort(names->name, names->n, sizeof(*names->name), name_order);
	for (size_t i = 0; i < names->n; i++)
		if (n == 0 || strcmp(names->name[n - 1], names->name[i]) != 0)
			names->name[n++] = names->name[i];
	names->n = n;
}

bool names_have(const struct names *names, const char *name) {
	return names->n > 0 &&
	       bsearch(&name, names->name, names->n, sizeof(*names->name), name_order) != NULL;
}

void names_done(struct names *names) {
	free(names->name);
	*names = (struct names){ NULL, 0 };
}

static const struct schema_attr *attr_of(unsigned int table, unsigned int attr) {
	return &schema_table(table)->attrs[attr];
}

/* Stops at a use that makes an interface ours. */
static int claims(void *arg, const struct object *holder, const struct schema_attr *attr) {
	(void)arg;
	(void)holder;
	return attr == attr_of(TBL_SYSTEM_ZONE, SYSTEM_ZONE__INTERFACE) ||
	       attr == attr_of(TBL_FIREWALL_POLICY, FIREWALL_POLICY__SRCINTF) ||
	       attr == attr_of(TBL_FIREWALL_POLICY, FIREWALL_POLICY__DSTINTF) ||
	       attr == attr_of(TBL_FIREWALL_VIP, FIREWALL_VIP__EXTINTF) ||
	       attr == attr_of(TBL_FIREWALL_VIP, FIREWALL_VIP__SRCINTF_FILTER) ||
	       attr == attr_of(TBL_ROUTER_STATIC, ROUTER_STATIC__DEVICE) ||
	       attr == attr_of(TBL_SYSTEM_STANDALONE_CLUSTER,
			       SYSTEM_STANDALONE_CLUSTER__SESSION_SYNC_DEV) ||
	       attr == attr_of(TBL_SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER,
			       SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER__DOWN_INTFS_BEFORE_SESS_SYNC);
}

struct names managed_interfaces(const struct model *model) {
	struct names names = { NULL, 0 };
	const struct object *obj = model_first(model, schema_table(TBL_SYSTEM_INTERFACE));

	for (; obj; obj = model_next(model, obj))
		if (obj->ver != 0 || model_each_user(model, obj, claims, NULL) != 0)
			names_add(&names, obj->key);
	names_sort(&names);
	return names;
}
