/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets in clear are short-lived, but memory that is given back keeps them until somebody writes
 * over it. A program that links wipe_free.c wipes its heap as it is freed; its stack it wipes here.
 */
#pragma once

/* Wipe what calls that have returned may have left on the stack of this thread: 64 KB below. */
void wipe_stack(void);
