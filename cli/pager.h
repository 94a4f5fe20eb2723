/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a page of output ends, and what the question after it looks like: bytes in, bytes out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/str.h"

#define PAGER_QUESTION "--More-- "

struct pager {
	unsigned int rows, columns; /* of the screen */
	unsigned int left;          /* rows that can begin before it asks */
	unsigned int column;        /* where the next character stands; columns: at the margin */
};

enum pager_answer {
	PAGER_ON,     /* the text goes on */
	PAGER_QUIT,   /* the rest is not wanted */
	PAGER_NONE,   /* no answer: it still asks */
};

/* A first page begins, at the left margin, on a screen of this size. */
void pager_begin(struct pager *p, unsigned int rows, unsigned int columns);

/* The size of the screen is, or has become, this one. */
void pager_resize(struct pager *p, unsigned int rows, unsigned int columns);

/* False on a screen without a size, or too narrow for the question. */
bool pager_works(const struct pager *p);

/*
 * How many of n bytes, whole characters of LC_CTYPE's UTF-8 without control characters, fit on the
 * page. Fewer than n: it is full, and the others are to be handed in again after an answer.
 */
size_t pager_fit(struct pager *p, const char *text, size_t n);

/* Append the question. */
void pager_ask(const struct pager *p, struct str *out);

/* Take a key, or -1 for the end; append what wipes the question off when it was answered. */
enum pager_answer pager_answer(struct pager *p, int key, struct str *out);
