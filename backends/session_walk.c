/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel is asked for what it can tell apart; the rest of the filter is applied here. What a
 * session inherits from its policy is looked up in a sorted copy of those facts, made once: the
 * configuration may change while a long walk goes on.
 */
#include "backends/session_walk.h"

#include <stdlib.h>
#include <time.h>

#include "backends/policy.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define NS_PER_S 1000000000u

struct policy_facts {
	uint32_t id;
	struct session_policy facts;
};

struct session_walk {
	struct session_filter filter;
	struct session_context context;
	struct ct_dump *dump;
	struct links links;
	struct ttl *ttl;
	const struct replication_view *view;
	struct policy_facts *policy;
	size_t n_policies;
	/* Of the bite under way. */
	void (*each)(void *arg, struct session *s);
	void *arg;
};

/* ---- policies ---- */

static int policy_order(const void *a, const void *b) {
	const struct policy_facts *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static struct session_policy facts_of(const struct object *policy) {
	bool utm = object_is(policy, FIREWALL_POLICY__UTM_STATUS, "enable");

	return (struct session_policy){
		.log = policy_logs(policy) != 0,
		.utm = utm,
	};
}

static void read_policies(struct session_walk *w, const struct model *model) {
	const struct schema_table *table = schema_table(TBL_FIREWALL_POLICY);

	w->policy = xcalloc(model_count(model, table) + 1, sizeof(*w->policy));
	for (const struct object *obj = model_first(model, table); obj;
	     obj = model_next(model, obj))
		w->policy[w->n_policies++] = (struct policy_facts){
			(uint32_t)strtoul(obj->key, NULL, 10), facts_of(obj)
		};
	qsort(w->policy, w->n_policies, sizeof(*w->policy), policy_order);
}

static bool find_policy(void *arg, uint32_t id, struct session_policy *ret) {
	const struct session_walk *w = arg;
	const struct policy_facts want = { .id = id };
	const struct policy_facts *found =
		bsearch(&want, w->policy, w->n_policies, sizeof(want), policy_order);

	if (found)
		*ret = found->facts;
	return found != NULL;
}

/* ---- peers ---- */

static bool is_link(const struct session_walk *w, int index, const char *name) {
	const struct link *l = links_at(&w->links, index);

	return !*name || (l && strcmp(l->name, name) == 0);
}

/* The ways are those that packets would take now. */
static bool comes_and_goes(const struct session_walk *w, const struct cluster_peer *p,
			   const struct ct *ct) {
	struct fib_path path;

	if (!*p->srcintf && !*p->dstintf)
		return true;
	fib_path(w->context.fib, ct->family, &ct->tuple[CT_ORIG].src, &ct->tuple[CT_REPLY].src,
		 &path);
	return is_link(w, path.to[0].index, p->srcintf) && is_link(w, path.to[1].index, p->dstintf);
}

static bool is_synced(void *arg, const struct ct *ct) {
	const struct session_walk *w = arg;
	const struct cluster *c = &w->view->cluster;

	for (unsigned int i = 0; i < c->n_peers; i++)
		if (replication_view_has(w->view, i, ct) && comes_and_goes(w, &c->peer[i], ct))
			return true;
	return false;
}

/* ---- the walk ---- */

static int read_links(struct session_walk *w, struct err *err) {
	struct rtnl *rtnl = rtnl_open(err);
	int rc;

	if (!rtnl)
		return ERR_KERNEL;
	rc = links_read(rtnl, &w->links);
	rtnl_close(rtnl);
	return rc ? err_set(err, ERR_KERNEL, "links cannot be read: %s", strerror(rc)) : 0;
}

static void set_clock(struct session_walk *w) {
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	w->context.now_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

struct session_walk *session_walk_open(const struct model *model,
				       const struct session_filter *filter, struct fib *ways,
				       const struct replication_view *view, struct err *err) {
	struct session_walk *w = xcalloc(1, sizeof(*w));

	w->filter = *filter;
	w->view = view;
	if (read_links(w, err) != 0)
		return session_walk_close(w);
	w->ttl = ttl_new(model);
	w->context = (struct session_context){ .ttl = w->ttl,
					       .links = &w->links,
					       .fib = ways,
					       .policy = find_policy,
					       .synced = is_synced,
					       .unit = view->unit,
					       .arg = w };
	fib_look(ways);
	set_clock(w);
	read_policies(w, model);
	return w;
}

struct session_walk *session_walk_close(struct session_walk *w) {
	if (!w)
		return NULL;
	ct_dump_close(w->dump);
	links_done(&w->links);
	ttl_free(w->ttl);
	free(w->policy);
	free(w);
	return NULL;
}

const struct session_context *session_walk_context(const struct session_walk *w) {
	return &w->context;
}

static bool open_dump(struct session_walk *w, struct err *err) {
	struct ct_kernel_filter kernel;

	session_filter_kernel(&w->filter, &kernel);
	if (!w->dump)
		w->dump = ct_dump_open(&kernel, err);
	return w->dump;
}

static void take(void *arg, const struct ct *ct) {
	struct session_walk *w = arg;
	struct session s;

	if (ct->family != w->filter.family)
		return;
	session_init(&s, &w->context, ct);
	if (session_filter_match(&w->filter, &s))
		w->each(w->arg, &s);
}

enum ct_dump_state session_walk_next(struct session_walk *w,
				     void (*each)(void *arg, struct session *s), void *arg,
				     struct err *err) {
	if (!open_dump(w, err))
		return CT_DUMP_ERROR;
	set_clock(w);
	w->each = each;
	w->arg = arg;
	return ct_dump_next(w->dump, take, w, err);
}
