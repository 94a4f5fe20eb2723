/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes the samples of backends/performance.h, as long as the daemon runs. */
#pragma once

#include "backends/nft.h"
#include "backends/performance.h"

struct event_base;
struct sampler;

/* Take the first sample and go on by a timer of base; NULL and *err when that fails. */
struct sampler *sampler_new(struct event_base *base, struct nft *nft, struct err *err);

/* Stop; NULL is fine. Returns NULL. */
struct sampler *sampler_free(struct sampler *s);

/* What has been sampled so far; it lives as long as s. */
const struct performance *sampler_performance(const struct sampler *s);

/* Read the processors as they are now; release with cpus_done. */
int sampler_read_cpus(struct cpus *ret, struct err *err);
