/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The group that shares its configuration (system auto-scale), as administrators and collectors see
 * it: pure functions of what the machine tells of itself (sync/autoscale.h).
 */
#pragma once

#include "cfgdb/base/str.h"
#include "sync/autoscale.h"
#include "sync/callback.h"
#include "sync/channels.h"

/* Where the facts come from. */
struct autoscale_source {
	void *arg;
	/* As the functions of sync/scaler.h. */
	void (*stats)(void *arg, struct autoscale_stats *ret);
	void (*channels)(void *arg, struct channels_stats *ret);
	bool (*peer)(void *arg, unsigned int i, struct autoscale_peer_info *ret);
	bool (*event)(void *arg, unsigned int i, struct autoscale_event *ret);
	void (*callback)(void *arg, struct callback_info *ret);
	/* Seconds since 1970. */
	int64_t (*now_s)(void *arg);
};

struct autoscale_facts {
	const struct autoscale_source *source;
	struct autoscale unit;       /* the last that gatehoused said, without a key */
	bool pickup, pickup_delay;   /* session-pickup and -delay of system ha */
};

/* `diagnose sys ha autoscale-peers [detail]`. */
void autoscale_text_peers(const struct autoscale_facts *f, bool detail, struct str *out);

/*
 * `diagnose sys ha checksum cluster` or `autoscale-cluster`: the part of each connected member, to
 * follow that of this unit.
 */
void autoscale_text_checksums(const struct autoscale_facts *f, bool autoscale, struct str *out);

/* `get system ha status`, `diagnose sys ha status` and `diagnose sys ha history read`. */
void autoscale_text_status(const struct autoscale_facts *f, struct str *out);
void autoscale_text_numbers(const struct autoscale_facts *f, struct str *out);
void autoscale_text_history(const struct autoscale_facts *f, struct str *out);

/* The lines for `get metrics`. */
void autoscale_text_metrics(const struct autoscale_facts *f, struct str *out);
