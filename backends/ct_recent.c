/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel walks its table bucket by bucket and remembers, between two datagrams, the entry that
 * did not fit any more. When that one has gone meanwhile, it begins the bucket again: entries of
 * this bucket come twice, at the end of one datagram and at the start of the next. (One in some
 * 100,000 did, when a listing ran while half of the table was deleted.)
 *
 * So as many entries as a bucket may have are kept, and those that begin a datagram are compared
 * with those that came before it. What was written over meanwhile cannot come again: it and what
 * took its place would be more than a bucket holds.
 */
#include "backends/ct_recent.h"

static bool same_tuple(const struct ct_tuple *a, const struct ct_tuple *b) {
	return net_equal(&a->src, &b->src) && net_equal(&a->dst, &b->dst) &&
	       a->sport == b->sport && a->dport == b->dport && a->icmp_code == b->icmp_code;
}

/* The id is a hash of where the entry is in memory: alone it may be that of another, too. */
static bool same_entry(const struct ct_key *key, const struct ct *ct) {
	return key->id == ct->id && key->zone == ct->zone && key->proto == ct->proto &&
	       same_tuple(&key->tuple, &ct->tuple[CT_ORIG]);
}

void ct_recent_datagram(struct ct_recent *r) {
	r->n_before = r->n;
}

static bool came_before(const struct ct_recent *r, const struct ct *ct) {
	uint64_t n = r->n_before < CT_BUCKET_MAX ? r->n_before : CT_BUCKET_MAX;

	if (r->n - r->n_before >= CT_BUCKET_MAX)
		return false;
	for (uint64_t i = 1; i <= n; i++)
		if (same_entry(&r->ring[(r->n_before - i) % CT_BUCKET_MAX], ct))
			return true;
	return false;
}

bool ct_recent_again(struct ct_recent *r, const struct ct *ct) {
	if (came_before(r, ct))
		return true;
	r->ring[r->n++ % CT_BUCKET_MAX] =
		(struct ct_key){ ct->tuple[CT_ORIG], ct->id, ct->zone, ct->proto };
	return false;
}
