/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel side of the daemon as a whole: all backends, and what keeps them right in between. */
#pragma once

#include "cfgdb/control/command.h"
#include "cfgdb/engine.h"

struct audit;
struct event_base;
struct kernel;
struct logs;
struct relay;

struct kernel_config {
	struct event_base *base;
	struct engine *engine;       /* open; outlives the kernel side */
	struct relay *relay;         /* to gatehouse-syncd; outlives the kernel side */
	const char *state_dir;       /* where it keeps its files, and the log */
	unsigned int sync_wait_s;    /* as wait_s of struct hold_config */
	/* Takes what the administrator of the machine should know, with a priority of syslog(3). */
	void (*tell)(int priority, const char *text);
};

/*
 * Open all backends, add them to the engine and start it: the kernel then holds what the
 * configuration says. NULL and *err when that fails. The caller closes it.
 */
struct kernel *kernel_open(const struct kernel_config *config, struct err *err);

/* Close; rules, routes, addresses and settings stay. NULL is fine. Returns NULL. */
struct kernel *kernel_close(struct kernel *k);

/* Who tells the log of administrators. */
struct audit *kernel_audit(const struct kernel *k);

/* The log of the unit, for events of other parts. */
struct logs *kernel_logs(const struct kernel *k);

/* Hand out the tables of commands that it answers, each with the ctx for its rows. */
void kernel_commands(struct kernel *k,
		     void (*add)(void *arg, const struct command *commands, size_t n, void *ctx),
		     void *arg);

/* Before anything can fail: close what was managed, in case its configuration does not open. */
int kernel_close_managed(const char *state_dir, struct err *err);

/* Give the machine back: our rules, routes and kernel settings go, addresses and links stay. */
int kernel_release(const char *state_dir, struct err *err);
