/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sample is one dump of links, one number of sessions, one counter of rules and one file: less
 * than half a millisecond every ten seconds. What cannot be read this time is not sampled; a gap
 * only makes an average one of less.
 */
#include "backends/sampler.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "backends/ct.h"
#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"

#define STAT_MAX (1u << 20) /* bytes of /proc/stat; of thousands of processors */

struct sampler {
	struct performance *performance;
	struct nft *nft;         /* not owned */
	struct rtnl *rtnl;
	struct ct_netlink *ct;
	struct event *timer;
};

int sampler_read_cpus(struct cpus *ret, struct err *err) {
	AUTO_STR struct str text = STR_INIT;
	int rc = file_read("/proc/stat", STAT_MAX, &text, err);

	cpus_parse(str_text(&text), ret);
	return rc;
}

static int64_t now_ms(void) {
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void take(struct sampler *s) {
	struct devices devices = { NULL, 0 };
	struct err err = { 0 };
	struct cpus cpus;
	uint64_t setups;
	uint32_t n, max;
	int rc;

	if (sampler_read_cpus(&cpus, &err) == 0)
		performance_add_cpus(s->performance, &cpus);
	cpus_done(&cpus);
	rc = nft_read_setups(s->nft, &setups, &err);
	if (rc == ERR_NOT_FOUND) { /* nothing is managed yet, nothing counted */
		setups = 0;
		rc = 0;
	}
	if (rc == 0 && ct_count(s->ct, &n, &max, &err) == 0 &&
	    devices_read(s->rtnl, &devices) == 0)
		performance_add(s->performance, now_ms(), &devices, n, setups);
	devices_done(&devices);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	take(arg);
}

struct sampler *sampler_new(struct event_base *base, struct nft *nft, struct err *err) {
	const struct timeval every = { .tv_sec = PERFORMANCE_EVERY_S };
	struct sampler *s = xcalloc(1, sizeof(*s));

	s->performance = performance_new();
	s->nft = nft;
	s->rtnl = rtnl_open(err);
	s->ct = s->rtnl ? ct_open(err) : NULL;
	if (!s->ct)
		return sampler_free(s);
	s->timer = event_new(base, -1, EV_PERSIST, on_timer, s);
	if (!s->timer || event_add(s->timer, &every) != 0) {
		err_set(err, ERR_STORE, "no event loop");
		return sampler_free(s);
	}
	take(s);
	return s;
}

struct sampler *sampler_free(struct sampler *s) {
	if (!s)
		return NULL;
	if (s->timer)
		event_free(s->timer);
	ct_close(s->ct);
	rtnl_close(s->rtnl);
	performance_free(s->performance);
	free(s);
	return NULL;
}

const struct performance *sampler_performance(const struct sampler *s) {
	return s->performance;
}
