/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members are known by their addresses before they are known by anything else: whoever speaks from
 * another one is not heard. There are few of them, so a list is searched from its begin.
 */
#include "sync/wire.h"

#include <string.h>
#include <sys/socket.h>

int wire_find(const struct wire_peers *peers, const union net_addr *ip) {
	for (unsigned int i = 0; i < peers->n; i++)
		if (net_equal(&peers->peer[i].ip, ip))
			return (int)i;
	return -1;
}

int wire_find_sockaddr(const struct wire_peers *peers, const struct sockaddr_in *from) {
	union net_addr ip = { .word = { from->sin_addr.s_addr } };

	return from->sin_family == AF_INET ? wire_find(peers, &ip) : -1;
}

struct sockaddr_in wire_sockaddr(const union net_addr *ip, uint16_t port) {
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = ip->word[0] };
}

bool wire_bind(int fd, const union net_addr *source) {
	struct sockaddr_in addr = wire_sockaddr(source, 0);

	return source->word[0] == 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;
}
