/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces as a backend: addresses, state and MTU of managed interfaces; and what is found. */
#pragma once

#include "backends/hold.h"
#include "backends/rtnl.h"
#include "cfgdb/backend.h"

struct iface;

/*
 * Open; NULL and *err when that fails. What hold has is kept down; it outlives this, and
 * iface_reconcile() is called when it lets go. NULL: nothing is.
 */
struct iface *iface_new(const struct hold *hold, struct err *err);

/* Close; what was set stays. NULL is fine. Returns NULL. */
struct iface *iface_free(struct iface *f);

/* The backend to add to the engine; it lives as long as f. */
struct backend iface_backend(struct iface *f);

/*
 * Compare managed interfaces with the configuration and set what differs, as after an event of the
 * monitor. Absent interfaces are no error.
 */
int iface_reconcile(struct iface *f, struct err *err);

/*
 * Links and addresses of the machine, for taking them up: those with `loopback`, and what is there
 * for the way to other members, are left out. Release with links_done.
 */
int iface_found(struct links *ret, struct err *err);
