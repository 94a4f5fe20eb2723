/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference between two configurations, as commands that turn the one into the other. */
#pragma once

#include "cfgdb/txn.h"

/*
 * Append the commands that turn the configuration as `from` would leave it into that of `to`, each
 * of which can be carried out after those before it. Both are of one engine; what `from` holds is
 * used up. What no command can say is a comment line.
 */
void difference(struct txn *from, const struct txn *to, struct str *out);

/* The same from the active configuration to what t would make of it; t stays as it is. */
void difference_txn(const struct txn *t, struct str *out);
