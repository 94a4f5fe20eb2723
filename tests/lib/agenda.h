/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What will happen in a simulated world: by time, then in the order in which it was put in. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct agenda_item;

struct agenda {
	struct agenda_item *heap;
	size_t n, size;
	uint64_t order;              /* of the next */
};

/* Something, whose memory goes over to the agenda, will happen then. */
void agenda_put(struct agenda *a, uint64_t at_us, void *what);

/* When the first happens; UINT64_MAX: nothing will. */
uint64_t agenda_first_us(const struct agenda *a);

/* Take out the first, which there is; the caller frees it. */
void *agenda_take(struct agenda *a);

/* Release the memory; what is still in it is freed by `done`. */
void agenda_done(struct agenda *a, void (*done)(void *what));
