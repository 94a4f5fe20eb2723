/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rendering, comparing and applying. The ruleset in force is kept in memory; a commit renders the
 * next one and sends the difference. A one-element set in the kernel tells which configuration and
 * which ruleset it holds: at a start that finds its own, nothing is touched and the counters go on;
 * otherwise the table is replaced in one step and the counters are carried over.
 *
 * When the kernel does not hold what we think (someone deleted the table), a difference cannot be
 * applied; then the whole is put in its place.
 */
#include "backends/nft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/nft_netlink.h"
#include "backends/render.h"
#include "backends/schedule.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"

/* A ruleset, and the mark that goes with it; both NULL when nothing of ours is in the kernel. */
struct image {
	struct ruleset *rules, *mark;
	uint64_t revision;
	time_t next_change;
};

struct nft {
	struct nft_netlink *nl;
	struct image now, next;
	bool prepared;             /* next is to come */
	bool same_rules;           /* next has the rules of now */
	bool unsure;               /* the kernel may hold something else than now */
};

static void image_done(struct image *im) {
	ruleset_free(im->rules);
	ruleset_free(im->mark);
	*im = (struct image){ .next_change = SCHEDULE_NEVER };
}

static void image_mark(struct image *im, uint64_t revision) {
	ruleset_free(im->mark);
	im->revision = revision;
	im->mark = im->rules ? render_revision(revision, ruleset_hash(im->rules)) : NULL;
}

static struct image image_render(const struct model *model, uint64_t revision) {
	struct image im = { .rules = NULL };

	im.rules = render(model, time(NULL), &im.next_change);
	image_mark(&im, revision);
	return im;
}

struct nft *nft_new(struct err *err) {
	struct nft *nft = xcalloc(1, sizeof(*nft));

	nft->now.next_change = nft->next.next_change = SCHEDULE_NEVER;
	nft->nl = nft_netlink_open(err);
	return nft->nl ? nft : nft_free(nft);
}

struct nft *nft_free(struct nft *nft) {
	if (!nft)
		return NULL;
	image_done(&nft->now);
	image_done(&nft->next);
	nft_netlink_close(nft->nl);
	free(nft);
	return NULL;
}

const struct ruleset *nft_ruleset(const struct nft *nft) {
	return nft->now.rules;
}

time_t nft_next_change(const struct nft *nft) {
	return nft->now.next_change;
}

/* ---- counters ---- */

static void seed_elem(void *arg, const struct nft_elem *elem) {
	struct set *set = arg;
	const struct elem *e = elem->key_len == set->key_len ? set_find(set, elem->key) : NULL;

	if (!e)
		return;
	set->elems[e - set->elems].packets = elem->packets;
	set->elems[e - set->elems].bytes = elem->bytes;
}

/* Let counters begin at what the kernel has counted so far. */
static void seed_counters(struct nft *nft, struct ruleset *rules) {
	static const char *const names[] = { RENDER_SET_HITS, RENDER_SET_TRAFFIC };

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

/* ---- the kernel ---- */

static int replace(struct nft *nft, struct image *im, struct err *err) {
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;

	if (!im->rules)
		return nft_netlink_remove(nft->nl, err);
	seed_counters(nft, im->rules);
	ruleset_diff(NULL, im->rules, &d);
	ruleset_diff(NULL, im->mark, &d);
	return nft_netlink_replace(nft->nl, &d, err);
}

/* True when a difference failed because it was one to something else. */
static bool out_of_step(const struct nft *nft) {
	int e = nft_netlink_errno(nft->nl);

	return e == ENOENT || e == EEXIST || e == EBUSY;
}

/* From one image to another; the kernel is at one of them, whatever happens. */
static int change(struct nft *nft, const struct image *from, struct image *to, bool same_rules,
		  struct err *err) {
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;
	int rc;

	if (!from->rules && !to->rules)
		return 0;
	if (!from->rules || !to->rules || nft->unsure)
		return replace(nft, to, err);
	if (!same_rules)
		ruleset_diff(from->rules, to->rules, &d);
	ruleset_diff(from->mark, to->mark, &d);
	rc = d.whole ? ERR_KERNEL : nft_netlink_apply(nft->nl, &d, err);
	if (rc && (d.whole || out_of_step(nft)))
		rc = replace(nft, to, err);
	return rc;
}

/* ---- start ---- */

struct found {
	bool any;
	uint32_t words[2];
};

static void take_mark(void *arg, const struct nft_elem *elem) {
	struct found *f = arg;

	if (elem->key_len != sizeof(f->words))
		return;
	f->any = true;
	memcpy(f->words, elem->key, sizeof(f->words));
}

/* Only the mark is old: the rules are those that would be made. */
static int renew_mark(struct nft *nft, const struct found *old, struct err *err) {
	struct ruleset *mark = render_revision(0, 0);
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;
	int rc;

	memcpy((void *)mark->sets->elems[0].key, old->words, sizeof(old->words));
	ruleset_diff(mark, nft->now.mark, &d);
	rc = nft_netlink_apply(nft->nl, &d, err);
	ruleset_free(mark);
	return rc;
}

/* A mark that fits says what we put there; someone may have taken rules out, or put some in. */
static bool rules_are_there(struct nft *nft) {
	uint32_t have, want = 0;

	for (const struct chain *c = nft->now.rules->chains; c; c = c->next)
		want += c->n_rules;
	return nft_netlink_count_rules(nft->nl, &have, NULL) == 0 && have == want;
}

static int backend_start(void *ctx, const struct commit *commit, struct err *err) {
	struct nft *nft = ctx;
	struct found found = { .any = false };
	struct key k;
	int rc = nft_netlink_read(nft->nl, RENDER_SET_REVISION, NULL, take_mark, &found, err);

	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	image_done(&nft->now);
	nft->now = image_render(commit->model, commit->revision);
	if (!nft->now.rules)
		return rc == ERR_NOT_FOUND ? 0 : nft_netlink_remove(nft->nl, err);
	k = render_revision_key(commit->revision, ruleset_hash(nft->now.rules));
	if (found.any && !rules_are_there(nft))
		found.any = false;
	if (found.any && memcmp(k.bytes, found.words, sizeof(found.words)) == 0)
		return 0;
	if (found.any && memcmp(k.bytes + 4, &found.words[1], 4) == 0 &&
	    renew_mark(nft, &found, err) == 0)
		return 0;
	rc = replace(nft, &nft->now, err);
	nft->unsure = rc != 0;
	return rc;
}

/* ---- commits ---- */

/* Whether an object's table has a part in the rules. */
static bool matters(const struct change *c) {
	static const char *const tables[] = {
		"firewall.",	 "system.interface",	      "system.zone",
		"router.static", "system.standalone-cluster", "system.auto-scale"
	};
	const char *name = (c->after ? c->after : c->before)->table->dotted;

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (strncmp(name, tables[i], strlen(tables[i])) == 0)
			return true;
	return false;
}

static int backend_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct nft *nft = ctx;
	bool any = time(NULL) >= nft->now.next_change;

	(void)err;
	for (size_t i = 0; i < commit->n_changes && !any; i++)
		any = matters(&commit->changes[i]);
	image_done(&nft->next);
	nft->same_rules = !any;
	nft->prepared = true;
	if (any)
		nft->next = image_render(commit->model, commit->revision);
	else
		nft->next = (struct image){ .rules = nft->now.rules,
					    .next_change = nft->now.next_change };
	if (!any)
		image_mark(&nft->next, commit->revision);
	return 0;
}

static int backend_apply(void *ctx, struct err *err) {
	struct nft *nft = ctx;
	int rc;

	if (fault_hit("nft.apply"))
		return err_set(err, ERR_KERNEL, "injected fault before the rules change");
	rc = change(nft, &nft->now, &nft->next, nft->same_rules, err);
	nft->unsure = rc != 0; /* an answer may have been lost: the next change puts in the whole */
	if (rc == 0 && fault_hit("nft.applied")) {
		change(nft, &nft->next, &nft->now, nft->same_rules, NULL);
		rc = err_set(err, ERR_KERNEL, "injected fault after the rules changed");
	}
	return rc;
}

static void backend_undo(void *ctx) {
	struct nft *nft = ctx;

	nft->unsure = change(nft, &nft->next, &nft->now, nft->same_rules, NULL) != 0;
}

static void drop_next(struct nft *nft) {
	if (nft->same_rules)
		nft->next.rules = NULL; /* they are those of now */
	image_done(&nft->next);
	nft->prepared = nft->same_rules = false;
}

static void backend_finish(void *ctx) {
	struct nft *nft = ctx;

	if (!nft->prepared)
		return;
	if (nft->same_rules)
		nft->now.rules = NULL;
	image_done(&nft->now);
	nft->now = nft->next;
	nft->next = (struct image){ .next_change = SCHEDULE_NEVER };
	nft->prepared = nft->same_rules = false;
}

static void backend_cancel(void *ctx) {
	drop_next(ctx);
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
	struct image next = image_render(model, nft->now.revision);
	int rc = change(nft, &nft->now, &next, false, err);

	if (rc == 0) {
		image_done(&nft->now);
		nft->now = next;
		nft->unsure = false;
	} else {
		image_done(&next);
	}
	return rc;
}

int nft_remove(struct nft *nft, struct err *err) {
	int rc = nft_netlink_remove(nft->nl, err);

	if (rc == 0)
		image_done(&nft->now);
	return rc;
}
