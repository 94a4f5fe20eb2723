/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of connection tracking by the thousand, made over ctnetlink: established TCP sessions
 * through a virtual IP, each with a number of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ct_maker;

#define CT_MAKE_VIP "20.150.252.91"
#define CT_MAKE_SERVER "172.16.137.15"

/* Open a socket to the current network namespace; the test ends when that fails. */
struct ct_maker *ct_make_open(void);

/* Close. */
void ct_make_close(struct ct_maker *m);

/* The source address and port of session `i`, in host byte order. */
uint32_t ct_make_addr(uint32_t i);
uint16_t ct_make_port(uint32_t i);

/* Make sessions first to first + n - 1, with their number modulo `marks` as mark. */
void ct_make_create(struct ct_maker *m, uint32_t first, uint32_t n, uint32_t marks);

/* Delete them. */
void ct_make_delete(struct ct_maker *m, uint32_t first, uint32_t n);

/* Give them a state of TCP, TCP_CONNTRACK_*. */
void ct_make_change(struct ct_maker *m, uint32_t first, uint32_t n, uint8_t state);

/* Note in their labels that packets came here, as the rules of a unit do. */
void ct_make_see(struct ct_maker *m, uint32_t first, uint32_t n);

/* Give them one second to live. */
void ct_make_expire(struct ct_maker *m, uint32_t first, uint32_t n);

/* Requests that the kernel has refused since the last call. */
uint32_t ct_make_refused(struct ct_maker *m);

struct ct;
struct ct_kernel_filter;

/* Whether an entry is one that the kernel lists for a filter. */
bool ct_make_listed(const struct ct_kernel_filter *filter, const struct ct *ct);
