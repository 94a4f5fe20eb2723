/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ruleset in the language of nft(8): for checks, tests and people. */
#pragma once

#include "backends/ruleset.h"
#include "cfgdb/base/str.h"

/* Append commands that replace the whole table by this ruleset, for `nft -f`. */
void nft_text(const struct ruleset *rs, struct str *out);
