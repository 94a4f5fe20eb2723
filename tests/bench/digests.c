/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it costs to know that two configurations are equal: tests/bench/digests. The digests of a
 * group over 10,000 policies: made for the first time, made again when none of them has changed,
 * and after one has; beside it the digest that each commit stores.
 *
 * Nothing here passes or fails by the clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/digest.h"
#include "cfgdb/engine.h"
#include "cfgdb/model/text.h"

#define POLICIES 10000u
#define ROUNDS 100u

static double now_s(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void figure(const char *what, double begin, unsigned int n) {
	printf("  %-44s %8.3f ms\n", what, (now_s() - begin) * 1e3 / n);
}

static struct object *object_of(const char *dotted, const char *key, const char *body) {
	struct object *obj = object_new(schema_find(dotted), key);
	struct err err = { 0 };

	if (text_parse(obj, body, &err) != 0) {
		fprintf(stderr, "digests: %s\n", err.text);
		exit(1);
	}
	return obj;
}

static void put_policy(struct engine *e, unsigned int i, const char *comment) {
	AUTO_FREE char *key = xasprintf("%u", i + 1);
	AUTO_FREE char *body = xasprintf(
		"set name policy%u\nset srcintf port1\nset dstintf port2\nset action accept\n"
		"set srcaddr a%u\nset dstaddr b%u\nset schedule always\nset service HTTP HTTPS\n"
		"set nat enable\nset comments '%s'\n",
		i, i, i, comment);
	struct object *obj = object_of("firewall.policy", key, body);

	digest_object(e->keyring, obj);
	object_free(model_put(e->model, obj));
}

static struct keyring *new_keyring(void) {
	char path[] = "/tmp/gatehouse-bench.XXXXXX";
	struct err err = { 0 };
	struct keyring *k;
	int fd = mkstemp(path);

	if (fd < 0 || close(fd) != 0 || unlink(path) != 0) {
		perror(path);
		exit(1);
	}
	k = keyring_open(path, true, &err);
	unlink(path);
	if (!k) {
		fprintf(stderr, "digests: %s\n", err.text);
		exit(1);
	}
	return k;
}

static void group_figures(struct engine *e) {
	struct digest_group group;
	struct digest_view v;
	double begin = now_s();

	digest_view_init(&v, e);
	digest_group(&v, &group);
	figure("of the group, for the first time", begin, 1);
	begin = now_s();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		digest_view_init(&v, e);
		digest_group(&v, &group);
	}
	figure("of the group, nothing has changed", begin, ROUNDS);
	begin = now_s();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		put_policy(e, i, "changed");
		digest_view_init(&v, e);
		digest_group(&v, &group);
	}
	figure("of the group, one policy has", begin, ROUNDS);
}

int main(void) {
	struct engine e = { .model = model_new(), .keyring = new_keyring(), .has_group_mac = true };
	unsigned char root[DIGEST_LEN];
	double begin;

	for (unsigned int i = 0; i < POLICIES; i++)
		put_policy(&e, i, "as it was");
	printf("digests of %u policies\n", POLICIES);
	group_figures(&e);
	begin = now_s();
	for (unsigned int i = 0; i < ROUNDS; i++)
		digest_root(e.model, root);
	figure("of the unit, at each commit", begin, ROUNDS);
	model_free(e.model);
	keyring_close(e.keyring);
	return 0;
}
