/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `diagnose firewall iprope`: policies as the packet filter sees them. ctx is a struct nft. */
#pragma once

#include "cfgdb/control/command.h"

/* lookup SRC SPORT DST DPORT PROTO DEV: the policy that would judge such a packet, and why. */
int cmd_iprope_lookup(void *ctx, const struct command_call *call, struct str *out, struct err *err);

/* show 100004 POLICY: counters of a policy; 0 is the implicit deny. */
int cmd_iprope_show(void *ctx, const struct command_call *call, struct str *out, struct err *err);
