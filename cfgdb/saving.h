/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the configuration is saved, where `system global` says that changes are not by themselves
 * (cfg-save manual, revert): until they are, the unit goes back when the machine is started, and
 * with `revert` when cfg-revert-timeout is over. It goes back by a commit like any other. A
 * secondary of a group has what its primary has, and so everything is saved there.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/moment.h"
#include "cfgdb/engine.h"
#include "cfgdb/txn.h"

struct event_base;
struct saving;

struct saving_config {
	struct engine *engine;
	struct event_base *base;         /* to watch the time; NULL: saving_tick() is called */
	moment_fn *clock;
	const char *boot_id;             /* of the machine's present start; copied */
	/* Takes what has become of changes that were not saved; failed: they are still there. */
	void (*tell)(void *arg, bool failed, const char *text);
	void *arg;
};

/*
 * Read what is not saved, and take part in all commits of the engine from now on, as one of its
 * backends. If the machine was started since, go back to what was saved: before there are rules in
 * the kernel. NULL and *err when it cannot be read. The caller closes it after the engine's last
 * commit.
 */
struct saving *saving_open(const struct saving_config *config, struct err *err);

/* Watch the time from now on; it may be over. */
int saving_start(struct saving *s, struct err *err);

/* Close; what is not saved stays so. NULL is fine. Returns NULL. */
struct saving *saving_close(struct saving *s);

/* The revision that is saved, when there are changes after it that are not; 0: all is saved. */
uint64_t saving_saved(const struct saving *s);

/* Seconds until the unit goes back by itself; -1: it does not. */
int64_t saving_left(const struct saving *s);

/* All is saved as it is now. */
int saving_save(struct saving *s, struct err *err);

/*
 * Stage into t, which is empty, what brings back what was saved; ERR_NOT_FOUND when all is saved.
 * After 0 its commit must come next, and saving_settle() after that, which is told whether the
 * commit succeeded.
 */
int saving_stage(struct saving *s, struct txn *t, struct err *err);
void saving_settle(struct saving *s, bool committed);

/* Go back if the time is over. */
void saving_tick(struct saving *s);
