/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading whole configurations that programs wrote: exact names, no abbreviations. */
#pragma once

#include "cfgdb/txn.h"

/*
 * Stage every object of a configuration text (`config PATH` ... `end` blocks). The first mistake
 * ends it, with an error that names line, table and key.
 */
int script_load(struct txn *t, const char *text, struct err *err);
