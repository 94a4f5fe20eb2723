/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ruleset executed in a test as the kernel would execute it. */
#pragma once

#include "backends/ruleset_eval.h"

/* Run a base chain; the test fails when the ruleset does what the kernel would refuse. */
enum eval_verdict sim_chain(const struct ruleset *rs, const char *base, struct eval_packet *p);
