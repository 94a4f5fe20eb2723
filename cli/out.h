/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place through which everything an administrator reads goes out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/str.h"
#include "cli/pager.h"

/* Takes text instead of the output; text is NULL: nobody does. */
struct out_filter {
	void (*text)(void *arg, const char *text, size_t n);
	void *arg;
};

struct out {
	int fd;              /* -1: the text stays in pending */
	bool terminal;       /* of fd: control characters are made visible */
	struct str pending;
	struct str cut;      /* for a terminal: the character whose end has not come yet */
	bool stopped;        /* the rest of this command's output is dropped */
	bool broken;         /* nobody reads any more */
	/*
	 * Waits for a key between two pages; -1: Ctrl-C came instead, or nobody is there. NULL:
	 * output has no pages.
	 */
	int (*key)(void *arg);
	bool (*key_ready)(void *arg); /* whether key would not wait; set where key is */
	void *key_arg;
	struct out_filter filter;
	bool paging;         /* what comes now stops after each page */
	bool wiped;          /* stopped there: the cursor is where the question was */
	struct pager pager;
};

/*
 * Start writing to fd, which stays the caller's; -1 keeps the text in o->pending. What goes to
 * anything but a terminal is written byte for byte.
 */
void out_init(struct out *o, int fd);

/* Write what is pending and release the memory. */
void out_done(struct out *o);

/* A new command begins: an earlier Ctrl-C is forgotten. */
void out_begin(struct out *o);

/*
 * From now on output stops after each page, on a terminal with keys and a size; or no longer. A
 * page begins here: the cursor is at the left margin.
 */
void out_page(struct out *o, bool on);

/* Append text; lines end in \n. */
void out_text(struct out *o, const char *text);

/* Append n bytes. */
void out_bytes(struct out *o, const char *data, size_t n);

/* Append formatted text. */
void out_printf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* From now on text goes through this filter; returns the one before. */
struct out_filter out_filter(struct out *o, struct out_filter filter);

/* Append text that no filter may hold back: errors, and what was asked. */
void out_say(struct out *o, const char *text);

/* Write what is pending. */
void out_flush(struct out *o);

/* True when producing more is in vain: Ctrl-C came, or nobody reads. */
bool out_stopped(struct out *o);

/* From now on Ctrl-C ends the output of a command and not the program. */
void out_catch_interrupt(void);
