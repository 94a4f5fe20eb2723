/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A daemon that has started gives up all system calls but those that it needs (seccomp). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"

#define CONFINE_ARGS 2

/* A build with the address sanitizer, which needs some calls more. */
#if defined __SANITIZE_ADDRESS__
#define CONFINE_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define CONFINE_SANITIZED 1
#endif
#endif

/* An argument of a system call, counted from 0: what the mask leaves of it equals value. */
struct confine_arg {
	unsigned int arg;
	uint64_t mask, value;        /* mask 0: no further argument */
};

/* A call that is allowed with these arguments only; a call can have several such rows. */
struct confine_limit {
	const char *call;            /* NULL: the end of the rows */
	struct confine_arg args[CONFINE_ARGS];
};

#define CONFINE_IS(n, v) { .arg = (n), .mask = UINT32_MAX, .value = (uint32_t)(v) }

/* What one program needs beyond what all of them do. */
struct confine_list {
	const char *const *calls;    /* names, parted by blanks; NULL: the end */
	const struct confine_limit *limits;
};

extern const struct confine_list confine_gatehoused, confine_syncd;

/*
 * From now on any other call ends the process (SIGSYS), in every thread and for good.
 * ERR_PERMISSION when the kernel refuses.
 */
int confine(const struct confine_list *list, struct err *err);

/* Whether this build can confine; without libseccomp confine() does nothing. */
bool confine_is_built(void);

/* One sentence for the log: what confine() has done. */
const char *confine_state(void);
