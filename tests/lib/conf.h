/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration text as a model, for tests: well-formed `config` blocks, no checks. */
#pragma once

#include "cfgdb/model/model.h"

/*
 * Put the objects of a text into a model; every object gets version ver. Ends the test on a
 * mistake.
 */
void conf_load(struct model *m, const char *text, uint64_t ver);

/* A model with the factory's addresses, services and schedules that tests name, and this text. */
struct model *conf_model(const char *text);
