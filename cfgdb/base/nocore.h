/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that holds secrets is nobody else's: neither after a crash nor before. */
#pragma once

#include "cfgdb/base/err.h"

/*
 * From now on the process leaves no core file, and nobody but root can look into its memory. Called
 * after the last change of its uid, which would undo half of it. ERR_PERMISSION when it fails.
 */
int nocore(struct err *err);
