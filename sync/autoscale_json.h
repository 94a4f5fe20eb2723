/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sync/autoscale_text.h tells people, as JSON; times are seconds since 1970, 0: never. */
#pragma once

#include "sync/autoscale_text.h"

/* `diagnose sys ha autoscale-peers`, with all details. */
void autoscale_json_peers(const struct autoscale_facts *f, struct str *out);

/* `diagnose sys ha checksum ...cluster`: members of the array that gatehoused has begun. */
void autoscale_json_checksums(const struct autoscale_facts *f, struct str *out);

/* `get system ha status`, `diagnose sys ha status`: everything that either says. */
void autoscale_json_status(const struct autoscale_facts *f, struct str *out);

/* `diagnose sys ha history read`. */
void autoscale_json_history(const struct autoscale_facts *f, struct str *out);
