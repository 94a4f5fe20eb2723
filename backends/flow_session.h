/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session of a traced packet, asked of connection tracking.
 */
#pragma once

#include "backends/ct.h"
#include "backends/flow.h"

/*
 * Find a packet's session; false when it has none, or when which one it is cannot be told. One that
 * ended with its first packet has a number all the same, but no policy.
 */
bool flow_session_find(struct ct_netlink *nl, const struct flow_packet *p,
		       struct flow_session *ret);
