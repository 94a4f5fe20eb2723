/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling the service manager. */
#pragma once

#include "cfgdb/base/err.h"

/* Say that this daemon is ready, to who asked for it (NOTIFY_SOCKET); nobody: nothing to do. */
int notify_ready(struct err *err);
