/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers to ARP for the outside addresses of virtual IPs, as a backend. */
#pragma once

#include "backends/rtnl.h"
#include "cfgdb/backend.h"

struct arp;

/* Open; NULL and *err when that fails. */
struct arp *arp_new(struct err *err);

/* Close; what was set stays. NULL is fine. Returns NULL. */
struct arp *arp_free(struct arp *a);

/* The backend to add to the engine, after that of interfaces; it lives as long as a. */
struct backend arp_backend(struct arp *a);

/* Compare with the configuration again, as after an event of the monitor. */
int arp_reconcile(struct arp *a, struct err *err);

/* Remove all answers, for an uninstall. */
int arp_remove(struct arp *a, struct err *err);
