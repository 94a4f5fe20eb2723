/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between the configurations of this unit and of another member, for an administrator:
 * table, object and attribute. Pure: it says what is to be asked, and takes the answers.
 */
#pragma once

#include <stdbool.h>

#include "cfgdb/base/str.h"
#include "cfgdb/model/operation.h"
#include "sync/autoscale_message.h"

#define COMPARISON_MAX 100     /* differences that are told */

struct comparison;

/* Begin one between units of these serial numbers; the caller frees it. */
struct comparison *comparison_new(const char *own, const char *other);

/* Wipe what it holds; NULL is fine. Returns NULL. */
struct comparison *comparison_free(struct comparison *c);

/*
 * What is to be asked next, and of whom, valid until the answer is taken. False: this is the end.
 */
bool comparison_ask(struct comparison *c, const char **serial, struct autoscale_message *question);

/*
 * Take the answer; NULL: it cannot be had, and why. What is found is appended as lines; the last
 * one says how many differences there are.
 */
void comparison_take(struct comparison *c, const struct autoscale_message *answer, const char *why,
		     struct str *out);

/* Append what may come from another member, as a short part of a line. */
void comparison_put(const char *part, struct str *out);

/*
 * Append a line for each attribute in which two states of one object differ, at most max; the
 * values of secrets are not told. Returns how many.
 */
unsigned int comparison_objects(const struct operation *here, const struct operation *there,
				unsigned int max, struct str *out);
