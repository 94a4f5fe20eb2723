/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the modules of the login find things: never told by the environment of who logs in. */
#pragma once

#include "cfgdb/aaa/aaa_wire.h"

#define LOGIN_SOCKET "/run/gatehouse/" AAA_SOCKET_NAME
#define LOGIN_CONTROL_SOCKET "/run/gatehouse/ctl"
#ifndef LOGIN_SHELL
#define LOGIN_SHELL "/usr/bin/gatehouse"
#endif
