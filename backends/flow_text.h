/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of one packet. */
#pragma once

#include "backends/flow.h"

/* Append the lines of a packet whose way is known. */
void flow_text(const struct flow_packet *p, const struct flow_show *show,
	       const struct flow_world *world, struct str *out);
