/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rendering, comparing and applying. The ruleset in force is kept in memory; a commit renders the
 * next one and sends the difference. A one-element set in the kernel tells which configuration and
 * which ruleset it holds, and the generation of nf_tables that this was: at a start that finds its
 * own, and no generation since, nothing is touched; otherwise the table is replaced in one step and
 * the counters are carried over.
 *
 * When someone else changes our table it is put in place again as a whole: at once by whoever
 * listens to nft_fd, and by a commit whose difference does not fit what it finds.
 *
 * When a timeout leaves the kernel, sessions that have it fall back to the VDOM's time, and finding
 * them is a walk over all sessions. So timeouts that rules no longer name are kept, up to a bound,
 * until the table is replaced: a session keeps the time it began with.
 */
#include "backends/nft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kept.h"
#include "backends/nft_encode.h"
#include "backends/nft_netlink.h"
#include "backends/render.h"
#include "backends/review.h"
#include "backends/schedule.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"

#define SEND_TRIES 10                /* while others keep changing tables of theirs */
#define WAIT_MAX 60                  /* seconds: a clock that is set is noticed within this time */
#define KEPT_MAX 256                 /* timeouts that only sessions have */

/* A configuration's ruleset; rules is NULL when nothing of ours is in the kernel. */
struct image {
	struct ruleset *rules;
	uint32_t hash;             /* of rules */
	uint64_t revision;
	time_t since, next_change; /* between these it is what the schedules say */
};

struct nft {
	struct nft_netlink *nl;
	struct nft_watch *watch;
	uint32_t helpers;          /* that the kernel has */
	struct image now, next;    /* they may share their rules */
	struct ruleset *mark;      /* what the kernel holds beside the rules: see render_revision */
	bool was_there;            /* rules of a configuration were, at the start */
	bool prepared;             /* next is to come */
	bool unsure;               /* the kernel may hold something else than now */
	uint64_t changes;          /* how often rules in it were changed */
};

static void image_done(struct image *im) {
	ruleset_free(im->rules);
	*im = (struct image){ .next_change = SCHEDULE_NEVER };
}

/* For a commit that has no changes, what is new comes from the clock. */
static struct image image_render(const struct nft *nft, const struct commit *commit) {
	struct image im = { .revision = commit->revision, .since = time(NULL) };

	im.rules = render_with(commit->model, im.since, nft->helpers, &im.next_change);
	if (im.rules && nft->now.rules) {
		ruleset_keep_timeouts(im.rules, nft->now.rules, KEPT_MAX);
		kept_settle(im.rules, nft->now.rules, commit);
	}
	im.hash = im.rules ? ruleset_hash(im.rules) : 0;
	return im;
}

struct nft *nft_new(struct err *err) {
	struct nft *nft = xcalloc(1, sizeof(*nft));

	nft->now.next_change = nft->next.next_change = SCHEDULE_NEVER;
	nft->nl = nft_netlink_open(err);
	if (nft->nl && nft_netlink_helpers(nft->nl, &nft->helpers, err) == 0)
		nft->watch = nft_watch_open(nft_netlink_port(nft->nl), err);
	return nft->watch ? nft : nft_free(nft);
}

static void backend_cancel(void *ctx) {
	struct nft *nft = ctx;

	if (nft->next.rules == nft->now.rules)
		nft->next.rules = NULL;
	image_done(&nft->next);
	nft->prepared = false;
}

struct nft *nft_free(struct nft *nft) {
	if (!nft)
		return NULL;
	backend_cancel(nft);
	image_done(&nft->now);
	ruleset_free(nft->mark);
	nft_watch_close(nft->watch);
	nft_netlink_close(nft->nl);
	free(nft);
	return NULL;
}

uint32_t nft_helpers(const struct nft *nft) {
	return nft->helpers;
}

const struct ruleset *nft_ruleset(const struct nft *nft) {
	return nft->now.rules;
}

struct ruleset *nft_ruleset_held(const struct nft *nft) {
	return ruleset_hold(nft->now.rules);
}

uint64_t nft_changes(const struct nft *nft) {
	return nft->changes;
}

uint64_t nft_revision(const struct nft *nft) {
	return nft->now.revision;
}

bool nft_was_there(const struct nft *nft) {
	return nft->was_there;
}

bool nft_is_due(const struct nft *nft, time_t now) {
	return now < nft->now.since || now >= nft->now.next_change;
}

time_t nft_wait(const struct nft *nft, time_t now) {
	time_t next = nft->now.next_change;

	if (nft_is_due(nft, now))
		return 1;
	return next - now < WAIT_MAX ? next - now : WAIT_MAX;
}

/* ---- counters ---- */

static void seed_elem(void *arg, const struct nft_elem *elem) {
	struct set *set = arg;
	struct key k = KEY_INIT; /* ours are padded */
	const struct elem *e;

	if (elem->key_len != nft_key_len(set))
		return;
	memcpy(k.bytes, elem->key, elem->key_len);
	e = set_find(set, k.bytes);
	if (!e)
		return;
	set->elems[e - set->elems].packets = elem->packets;
	set->elems[e - set->elems].bytes = elem->bytes;
}

/* Let counters begin at what the kernel has counted so far. */
static void seed_counters(struct nft *nft, struct ruleset *rules) {
	static const char *const names[] = { RENDER_SET_HITS, RENDER_SET_TRAFFIC,
					     RENDER_SET_UNLOGGED, RENDER_SET_SETUPS };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		nft_netlink_read(nft->nl, names[i], NULL, seed_elem, ruleset_set(rules, names[i]),
				 NULL);
}

static void take_counter(void *arg, const struct nft_elem *elem) {
	struct nft_elem *ret = arg;

	*ret = *elem;
}

int nft_read_counters(struct nft *nft, uint32_t policy, struct nft_counters *ret, struct err *err) {
	struct nft_elem hits = { .packets = 0 }, traffic = { .packets = 0 };
	struct key k = KEY_INIT;
	int rc;

	key_num(&k, FIELD_CT_MARK, policy);
	rc = nft_netlink_read(nft->nl, RENDER_SET_HITS, &k, take_counter, &hits, err);
	if (rc == 0 && policy != 0)
		rc = nft_netlink_read(nft->nl, RENDER_SET_TRAFFIC, &k, take_counter, &traffic, err);
	if (policy == 0)
		traffic = hits;
	*ret = (struct nft_counters){ traffic.packets, traffic.bytes, hits.packets };
	return rc;
}

int nft_read_setups(struct nft *nft, uint64_t *ret, struct err *err) {
	struct nft_elem all = { .packets = 0 };
	int rc = nft_netlink_read(nft->nl, RENDER_SET_SETUPS, NULL, take_counter, &all, err);

	*ret = all.packets;
	return rc;
}

struct policy_counters {
	uint32_t policy;
	struct nft_counters c;
};

struct all_counters {
	struct policy_counters *list;
	size_t n;
	bool traffic;              /* what is read now; hits were read before */
};

static int counters_order(const void *a, const void *b) {
	const struct policy_counters *x = a, *y = b;

	return (x->policy > y->policy) - (x->policy < y->policy);
}

/* Hits make the list, traffic is filled in. */
static void take_counters(void *arg, const struct nft_elem *elem) {
	struct all_counters *all = arg;
	struct policy_counters p = { .c = { elem->packets, elem->bytes, elem->packets } }, *there;

	if (elem->key_len != sizeof(p.policy))
		return;
	memcpy(&p.policy, elem->key, sizeof(p.policy));
	there = all->n ? bsearch(&p, all->list, all->n, sizeof(p), counters_order) : NULL;
	if (all->traffic && there) {
		there->c.packets = elem->packets;
		there->c.bytes = elem->bytes;
	} else if (!all->traffic) {
		if ((all->n & (all->n - 1)) == 0)
			all->list = xreallocarray(all->list, all->n ? all->n * 2 : 1, sizeof(p));
		all->list[all->n++] = p;
	}
}

int nft_each_counters(struct nft *nft,
		      void (*each)(void *arg, uint32_t policy, const struct nft_counters *c),
		      void *arg, struct err *err) {
	struct all_counters all = { .n = 0 };
	int rc = nft_netlink_read(nft->nl, RENDER_SET_HITS, NULL, take_counters, &all, err);

	if (all.n)
		qsort(all.list, all.n, sizeof(*all.list), counters_order);
	all.traffic = true;
	if (rc == 0)
		rc = nft_netlink_read(nft->nl, RENDER_SET_TRAFFIC, NULL, take_counters, &all, err);
	for (size_t i = 0; i < all.n && rc == 0; i++)
		each(arg, all.list[i].policy, &all.list[i].c);
	free(all.list);
	return rc;
}

struct unlogged_visit {
	void (*each)(void *arg, uint32_t policy, uint64_t packets);
	void *arg;
};

static void visit_unlogged(void *arg, const struct nft_elem *elem) {
	const struct unlogged_visit *v = arg;
	uint32_t policy;

	if (elem->key_len < sizeof(policy))
		return;
	memcpy(&policy, elem->key, sizeof(policy));
	v->each(v->arg, policy, elem->packets);
}

int nft_each_unlogged(struct nft *nft, void (*each)(void *arg, uint32_t policy, uint64_t packets),
		      void *arg, struct err *err) {
	struct unlogged_visit v = { each, arg };

	return nft_netlink_read(nft->nl, RENDER_SET_UNLOGGED, NULL, visit_unlogged, &v, err);
}

/* ---- the kernel ---- */

static void set_mark(struct nft *nft, struct ruleset *mark) {
	ruleset_free(nft->mark);
	nft->mark = mark;
}

static int take_out(struct nft *nft, struct err *err) {
	int rc;

	nft->changes++;
	rc = nft_netlink_remove(nft->nl, err);
	if (rc == 0)
		set_mark(nft, NULL);
	return rc;
}

/* The mark of an image that the next generation brings; the kernel's number skips 0. */
static struct key mark_after(const struct image *im, uint32_t generation) {
	return render_revision_key(im->revision, im->hash, generation + 1 ? generation + 1 : 1);
}

/*
 * Send the way from one image to another; from NULL: all is put in the place of what is there. The
 * mark tells the generation that this makes, so it must not come after someone else's change.
 */
static int send_once(struct nft *nft, const struct image *from, const struct image *to,
		     struct err *err) {
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;
	struct ruleset *mark;
	uint32_t generation;
	struct key k;
	int rc;

	if (from && from->rules != to->rules)
		ruleset_diff(from->rules, to->rules, &d);
	if (d.whole)
		return send_once(nft, NULL, to, err);
	if (!from) {
		seed_counters(nft, to->rules);
		ruleset_diff(NULL, to->rules, &d);
	}
	nft->changes += !ruleset_delta_empty(&d) || (from && kept_ends(from->rules, to->rules));
	rc = nft_netlink_generation(nft->nl, &generation, err);
	if (rc)
		return rc;
	k = mark_after(to, generation);
	mark = render_revision(&k);
	ruleset_diff(from ? nft->mark : NULL, mark, &d);
	rc = from ? nft_netlink_apply(nft->nl, &d, generation, err)
		  : nft_netlink_replace(nft->nl, &d, generation, err);
	if (rc == 0)
		set_mark(nft, mark);
	else
		ruleset_free(mark);
	return rc;
}

static int send_change(struct nft *nft, const struct image *from, const struct image *to,
		       struct err *err) {
	int rc = 0;

	for (int i = 0; i < SEND_TRIES; i++) {
		rc = send_once(nft, from, to, err);
		if (rc == 0 || nft_netlink_errno(nft->nl) != ERESTART)
			break;
	}
	return rc;
}

/* True when a difference failed because it was one to something else. */
static bool out_of_step(const struct nft *nft) {
	int e = nft_netlink_errno(nft->nl);

	return e == ENOENT || e == EEXIST || e == EBUSY;
}

/* From one image to another; the kernel is at one of them, whatever happens. */
static int change(struct nft *nft, const struct image *from, const struct image *to,
		  struct err *err) {
	int rc;

	if (!from->rules && !to->rules)
		return 0;
	if (!to->rules)
		return take_out(nft, err);
	if (!from->rules || nft->unsure)
		return send_change(nft, NULL, to, err);
	rc = send_change(nft, from, to, err);
	if (rc && out_of_step(nft))
		rc = send_change(nft, NULL, to, err);
	return rc;
}

/* ---- start ---- */

static void take_mark(void *arg, const struct nft_elem *elem) {
	struct key *found = arg;

	if (elem->key_len != 3 * sizeof(uint32_t))
		return;
	found->len = elem->key_len;
	memcpy(found->bytes, elem->key, elem->key_len);
}

/*
 * Keep the rules that are in the kernel: the mark says that they are those that would be made, and
 * the generation that nobody has changed anything since. Only the revision may be another one.
 */
static bool keep_rules(struct nft *nft, const struct key *found) {
	uint32_t generation;
	struct key k;

	if (found->len == 0 || nft_netlink_generation(nft->nl, &generation, NULL) != 0)
		return false;
	k = render_revision_key(nft->now.revision, nft->now.hash, generation);
	if (memcmp(k.bytes + 4, found->bytes + 4, k.len - 4) != 0)
		return false;
	set_mark(nft, render_revision(found));
	return memcmp(k.bytes, found->bytes, 4) == 0 ||
	       send_change(nft, &nft->now, &nft->now, NULL) == 0;
}

/* What stands in has revision 0. */
static bool is_of_commit(const struct key *found) {
	struct key none = render_revision_key(0, 0, 0);

	return found->len > 0 && memcmp(found->bytes, none.bytes, 4) != 0;
}

static int backend_start(void *ctx, const struct commit *commit, struct err *err) {
	struct nft *nft = ctx;
	struct key found = KEY_INIT;
	int rc = nft_netlink_read(nft->nl, RENDER_SET_REVISION, NULL, take_mark, &found, err);

	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	nft->was_there = is_of_commit(&found);
	image_done(&nft->now);
	nft->now = image_render(nft, commit);
	if (!nft->now.rules)
		return rc == ERR_NOT_FOUND ? 0 : take_out(nft, err);
	if (keep_rules(nft, &found))
		return 0;
	rc = send_change(nft, NULL, &nft->now, err);
	nft->unsure = rc != 0;
	return rc;
}

int nft_stand_in(struct nft *nft, const struct model *model, struct err *err) {
	struct commit commit = { .model = model };
	struct key found = KEY_INIT;
	int rc = nft_netlink_read(nft->nl, RENDER_SET_REVISION, NULL, take_mark, &found, err);

	return rc == ERR_NOT_FOUND ? backend_start(nft, &commit, err) : rc;
}

/* ---- commits ---- */

/* Whether an object's table has a part in the rules. */
static bool matters(const struct change *c) {
	static const char *const tables[] = {
		"firewall.",	 "system.interface",	      "system.zone",
		"router.static", "system.standalone-cluster", "system.auto-scale",
		"system.settings", "system.global", "system.session-ttl", "system.session-helper",
		"system.admin", "log.setting",
	};
	const char *name = (c->after ? c->after : c->before)->table->dotted;

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (strncmp(name, tables[i], strlen(tables[i])) == 0)
			return true;
	return false;
}

static int backend_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct nft *nft = ctx;
	bool any = nft_is_due(nft, time(NULL));
	int rc;

	for (size_t i = 0; i < commit->n_changes && !any; i++)
		any = matters(&commit->changes[i]);
	backend_cancel(nft);
	rc = any ? render_check(commit->model, err) : 0;
	if (rc)
		return rc;
	nft->prepared = true;
	nft->next = any ? image_render(nft, commit) : nft->now;
	nft->next.revision = commit->revision;
	review_commit(commit, nft->helpers);
	return 0;
}

static int backend_apply(void *ctx, struct err *err) {
	struct nft *nft = ctx;
	int rc;

	if (fault_hit("nft.apply"))
		return err_set(err, ERR_KERNEL, "injected fault before the rules change");
	rc = change(nft, &nft->now, &nft->next, err);
	nft->unsure = rc != 0; /* an answer may have been lost: the next change puts in the whole */
	if (rc == 0 && fault_hit("nft.applied")) {
		change(nft, &nft->next, &nft->now, NULL);
		rc = err_set(err, ERR_KERNEL, "injected fault after the rules changed");
	}
	return rc;
}

static void backend_undo(void *ctx) {
	struct nft *nft = ctx;

	nft->unsure = change(nft, &nft->next, &nft->now, NULL) != 0;
}

static void backend_finish(void *ctx) {
	struct nft *nft = ctx;

	if (!nft->prepared)
		return;
	if (nft->next.rules != nft->now.rules)
		image_done(&nft->now);
	nft->now = nft->next;
	nft->next = (struct image){ .next_change = SCHEDULE_NEVER };
	nft->prepared = false;
}

struct backend nft_backend(struct nft *nft) {
	return (struct backend){
		.name = "nft",
		.start = backend_start,
		.prepare = backend_prepare,
		.apply = backend_apply,
		.undo = backend_undo,
		.finish = backend_finish,
		.cancel = backend_cancel,
		.ctx = nft,
	};
}

int nft_refresh(struct nft *nft, const struct model *model, struct err *err) {
	const struct commit clock = { .model = model, .revision = nft->now.revision };
	struct image next = image_render(nft, &clock);
	int rc = change(nft, &nft->now, &next, err);

	if (rc == 0) {
		image_done(&nft->now);
		nft->now = next;
		nft->unsure = false;
	} else {
		image_done(&next);
	}
	return rc;
}

/* ---- changes by others ---- */

int nft_fd(const struct nft *nft) {
	return nft_watch_fd(nft->watch);
}

bool nft_touched(struct nft *nft, struct nft_intruder *who) {
	bool touched = nft_watch_read(nft->watch, who);

	if (touched)
		nft->unsure = true;
	return touched && nft->now.rules;
}

bool nft_is_unsure(const struct nft *nft) {
	return nft->unsure;
}

int nft_restore(struct nft *nft, struct err *err) {
	int rc = nft->now.rules ? send_change(nft, NULL, &nft->now, err) : 0;

	nft->unsure = rc != 0;
	return rc;
}

int nft_remove(struct nft *nft, struct err *err) {
	int rc = take_out(nft, err);

	if (rc == 0)
		image_done(&nft->now);
	return rc;
}
