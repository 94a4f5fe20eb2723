/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that the kernel would refuse are a fault of the renderer, wherever they turn up. */
#include "tests/lib/simulate.h"

#include <check.h>

enum eval_verdict sim_chain(const struct ruleset *rs, const char *base, struct eval_packet *p) {
	struct err err = { 0 };
	enum eval_verdict v = ruleset_eval(rs, base, p, &err);

	ck_assert_msg(v != EVAL_FAULT, "chain %s: %s", base, err.text);
	return v;
}
