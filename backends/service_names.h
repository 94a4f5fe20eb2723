/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a packet's service is called. */
#pragma once

#include "backends/service.h"
#include "cfgdb/base/str.h"

struct service_names;

/* The names of the configuration's services as they are now; the caller frees it. */
struct service_names *service_names_new(const struct model *model);

/* Free; NULL is fine. Returns NULL. */
struct service_names *service_names_free(struct service_names *names);

/*
 * Append the name of the service that fits a packet most closely, of equals the first in the table;
 * "tcp/9443", "icmp/3/1" or "proto/103" when none does. What holds every port of a protocol is no
 * answer.
 */
void service_names_print(const struct service_names *names, const struct service_packet *p,
			 struct str *out);
