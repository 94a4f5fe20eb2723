/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The requests about commands: CTL_RUN, CTL_CANCEL, and the answer of a command that is under way.
 * Requests read their fields from r (r->bad: they are none), or fill *err and return its code.
 */
#pragma once

#include "cfgdb/control/requests.h"

/* Run a command, if the caller may; its output is sent, or a stream of the caller's from now on. */
int request_run(struct caller *s, struct buf_reader *r, struct err *err);

/* The shell says what became of what it does by itself. */
int request_run_outcome(struct caller *s, struct buf_reader *r, struct err *err);

/* Tell the log what the shell does by itself, if anything, with its code: it is over. */
void request_run_settle(struct caller *s, int code);

/* End the answer under way; one that has ended already was answered. */
int request_run_cancel(struct caller *s, struct buf_reader *r, struct err *err);

/* Send the next piece of the answer under way, which is dropped when that was the last one. */
enum stream_state request_run_next(struct caller *s, struct err *err);

/* Drop the answer under way, if any. */
void request_run_drop(struct caller *s);
