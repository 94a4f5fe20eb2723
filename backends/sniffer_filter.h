/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which capture filters are handed to libpcap. */
#pragma once

#include "cfgdb/base/err.h"

#define SNIFFER_FILTER_MAX 1024   /* bytes */

/*
 * Refuse a filter with words that libpcap would look up by asking a name server, for everybody
 * would wait for its answer: ERR_VALUE. The rest of the language is libpcap's to check.
 */
int sniffer_filter_check(const char *filter, struct err *err);
