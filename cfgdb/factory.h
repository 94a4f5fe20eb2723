/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The factory configuration (schemas/factory.conf), as text in the shell's language. */
#pragma once

extern const char factory_conf[];
