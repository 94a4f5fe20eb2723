/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few things about addresses that need more than a comparison. Text is printed by fmt.c, which
 * does it without a call into the C library.
 */
#include "cfgdb/base/net.h"

#include <arpa/inet.h>
#include <sys/socket.h>

bool net_parse(int family, const char *text, union net_addr *ret) {
	*ret = (union net_addr){ .half = { 0, 0 } };
	return inet_pton(family, text, ret->byte) == 1;
}

union net_addr net_ipv4(uint32_t addr) {
	return (union net_addr){ .word = { htonl(addr) } };
}

unsigned int net_len(int family) {
	return family == AF_INET ? 4 : 16;
}
