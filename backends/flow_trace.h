/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracing in the kernel: on while somebody traces, at no cost otherwise. */
#pragma once

#include "backends/flow_event.h"
#include "backends/flow_filter.h"

#define FLOW_TRACES_MAX 4  /* at the same time */

struct flow_trace;

/*
 * Begin to trace what the filter lets through in the current network namespace; NULL and *err when
 * that fails, or when too many trace already. The caller closes it.
 */
struct flow_trace *flow_trace_open(const struct flow_filter *filter, struct err *err);

/* End tracing; nothing of it stays in the kernel. NULL is fine. Returns NULL. */
struct flow_trace *flow_trace_close(struct flow_trace *t);

/* The table of this trace in the kernel, of family inet. */
const char *flow_trace_table(const struct flow_trace *t);

/*
 * Hand on up to `most` events, without waiting, those of packets that others trace, too. True when
 * those were all; *lost is set when events were lost since the last call.
 */
bool flow_trace_read(struct flow_trace *t, unsigned int most,
		     void (*each)(void *arg, const struct flow_event *event), void *arg,
		     bool *lost);

/* Packets so far that fit the filter and were too many to trace. */
uint64_t flow_trace_left_out(struct flow_trace *t);
