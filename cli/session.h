/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session at a terminal. */
#pragma once

#include "cli/shell.h"

/* Read and carry out commands until the administrator leaves or the connection breaks. */
void session_run(struct shell *sh);
