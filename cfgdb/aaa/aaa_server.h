/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket of cfgdb/aaa/aaa_wire.h, open to every process of the machine. */
#pragma once

#include "cfgdb/aaa/aaa.h"

struct aaa_server;
struct event_base;

struct aaa_server_config {
	struct event_base *base;
	struct aaa *aaa;
	const char *path;            /* of the socket, replaced if it exists; copied */
	uid_t keys_uid;              /* who may ask for keys, beside root */
};

/* Listen. NULL and *err when that fails. The caller frees it before aaa. */
struct aaa_server *aaa_server_new(const struct aaa_server_config *config, struct err *err);

/* Drop all connections, remove the socket. NULL is fine. Returns NULL. */
struct aaa_server *aaa_server_free(struct aaa_server *s);
