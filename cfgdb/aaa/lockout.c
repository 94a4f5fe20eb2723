/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of sets, as processors have them: an address belongs to one set, by a hash that nobody
 * outside can predict, and only addresses of its set can push it out. An address that is locked is
 * never pushed out, so a lock lasts as long as it is to, however many other addresses fail. When
 * all of a set are locked, a further address of that set shares the lock of one of them: an
 * attacker with very many addresses gets some strangers locked out for a while, and no more
 * guesses.
 */
#include "cfgdb/aaa/lockout.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/random.h"

struct slot {
	int family;              /* 0: free */
	union net_addr addr;
	unsigned int failures;
	uint64_t name;           /* hash of the name that failed */
	bool several;            /* names */
	int64_t since_s;         /* when it was locked last */
	int64_t until_s;         /* locked before that; 0: it is not */
	uint64_t used;           /* grows: when it was last needed */
};

struct lockout {
	uint64_t key[2], clock;
	struct slot slots[LOCKOUT_SETS][LOCKOUT_WAYS];
};

struct lockout *lockout_new(void) {
	struct lockout *l = xcalloc(1, sizeof(*l));

	l->key[0] = random_u64();
	l->key[1] = random_u64();
	return l;
}

struct lockout *lockout_free(struct lockout *l) {
	free(l);
	return NULL;
}

/* Multiply and fold, keyed: no collision can be made without the key. */
static uint64_t mix(const struct lockout *l, uint64_t h, uint64_t v) {
	unsigned __int128 product = (unsigned __int128)(h ^ v ^ l->key[0]) * (l->key[1] | 1);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_name(const struct lockout *l, const char *name) {
	uint64_t h = l->key[1];

	for (; *name; name++)
		h = mix(l, h, (unsigned char)*name);
	return h;
}

static struct trust_source counted(const struct trust_source *source) {
	struct trust_source ret = *source;

	if (ret.family == AF_INET6)
		ret.addr.half[1] = 0;
	return ret;
}

static const struct slot *set_of(const struct lockout *l, const struct trust_source *s) {
	uint64_t h = mix(l, mix(l, (uint64_t)s->family, s->addr.half[0]), s->addr.half[1]);

	return l->slots[h % LOCKOUT_SETS];
}

/* Whether slot a should go before slot b: a free one, then the least needed; a locked one last. */
static bool goes_before(const struct slot *a, const struct slot *b, int64_t now_s) {
	bool a_locked = a->until_s > now_s, b_locked = b->until_s > now_s;

	return a_locked != b_locked ? b_locked : a->used < b->used;
}

/* The slot of an address; or the one that it would get, which holds another or none. */
static struct slot *find(const struct lockout *l, const struct trust_source *s, int64_t now_s) {
	const struct slot *set = set_of(l, s), *best = set;

	for (unsigned int i = 0; i < LOCKOUT_WAYS; i++) {
		if (set[i].family == s->family && net_equal(&set[i].addr, &s->addr))
			return (struct slot *)&set[i];
		if (goes_before(&set[i], best, now_s))
			best = &set[i];
	}
	return (struct slot *)best;
}

static bool is_of(const struct slot *slot, const struct trust_source *s) {
	return slot->family == s->family && net_equal(&slot->addr, &s->addr);
}

bool lockout_is_locked(const struct lockout *l, const struct trust_source *source, int64_t now_s) {
	const struct trust_source s = counted(source);

	/* The one it would get is locked only when all of the set are: the lock is shared. */
	return find(l, &s, now_s)->until_s > now_s;
}

static void note_name(struct lockout *l, struct slot *slot, const char *name) {
	uint64_t hash = hash_name(l, name);

	slot->several = slot->failures > 0 && (slot->several || slot->name != hash);
	slot->name = hash;
}

bool lockout_failed(struct lockout *l, const struct trust_source *source, const char *name,
		    const struct lockout_rule *rule, int64_t now_s) {
	const struct trust_source s = counted(source);
	struct slot *slot = find(l, &s, now_s);

	if (rule->threshold == 0 || slot->until_s > now_s)
		return false;
	if (!is_of(slot, &s))
		*slot = (struct slot){ .family = s.family, .addr = s.addr };
	if (slot->until_s) {
		slot->until_s = 0;
		slot->failures = 0;
	}
	note_name(l, slot, name);
	slot->used = ++l->clock;
	if (++slot->failures < rule->threshold)
		return false;
	slot->since_s = now_s;
	slot->until_s = now_s + rule->duration_s;
	return rule->duration_s > 0;
}

void lockout_succeeded(struct lockout *l, const struct trust_source *source, const char *name) {
	const struct trust_source s = counted(source);
	struct slot *slot = find(l, &s, INT64_MIN);

	if (is_of(slot, &s) && !slot->several && slot->name == hash_name(l, name))
		*slot = (struct slot){ .family = 0 };
}

/* ---- locks that last ---- */

/* The next slot that is locked; after NULL: the first. */
static struct slot *next_locked(const struct lockout *l, const struct slot *after, int64_t now_s) {
	const struct slot *slot = after ? after + 1 : &l->slots[0][0];
	const struct slot *end = &l->slots[0][0] + LOCKOUT_SETS * LOCKOUT_WAYS;

	while (slot < end && slot->until_s <= now_s)
		slot++;
	return slot < end ? (struct slot *)slot : NULL;
}

void lockout_follow(struct lockout *l, const struct lockout_rule *rule, int64_t now_s) {
	struct slot *slot = NULL;

	while ((slot = next_locked(l, slot, now_s)) != NULL) {
		bool stays = rule->threshold > 0 && slot->failures >= rule->threshold;

		slot->until_s = stays ? slot->since_s + rule->duration_s : 0;
	}
}

void lockout_each(const struct lockout *l, int64_t now_s,
		  void (*visit)(void *arg, const struct lockout_entry *entry), void *arg) {
	const struct slot *slot = NULL;

	while ((slot = next_locked(l, slot, now_s)) != NULL)
		visit(arg, &(struct lockout_entry){ .source = { slot->family, slot->addr },
						    .failures = slot->failures,
						    .left_s = slot->until_s - now_s });
}

static unsigned int clear_all(struct lockout *l, int64_t now_s) {
	const struct slot *slot = NULL;
	unsigned int n = 0;

	while ((slot = next_locked(l, slot, now_s)) != NULL)
		n++;
	memset(l->slots, 0, sizeof(l->slots));
	return n;
}

unsigned int lockout_clear(struct lockout *l, const struct trust_source *source, int64_t now_s) {
	struct trust_source s;
	struct slot *slot;
	bool locked;

	if (!source)
		return clear_all(l, now_s);
	s = counted(source);
	slot = find(l, &s, now_s);
	locked = is_of(slot, &s) && slot->until_s > now_s;
	if (locked)
		*slot = (struct slot){ .family = 0 };
	return locked;
}
