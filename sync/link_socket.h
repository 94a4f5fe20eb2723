/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A datagram socket of links: 32 messages for each call of the kernel, in and out. */
#pragma once

#include <linux/if_packet.h>
#include <sys/socket.h>

#include "sync/link.h"

#define LINK_BATCH 32
#define LINK_PER_TURN 256        /* messages read before others have their turn */

/* Bytes of the longest message: a datagram and its length. */
#define LINK_MESSAGE_MAX (LINK_DATAGRAM_MAX + LINK_ETHER_OVERHEAD)

/* Messages with all that the kernel wants to be told of each, made once. */
struct link_batch {
	unsigned int first, n;     /* those that are to be sent */
	struct mmsghdr header[LINK_BATCH];
	struct iovec iov[LINK_BATCH];
	union {
		struct sockaddr_in in;
		struct sockaddr_ll ll;
	} addr[LINK_BATCH];
	union {
		struct cmsghdr header;
		uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control[LINK_BATCH];
	uint8_t data[LINK_BATCH][LINK_MESSAGE_MAX];
};

struct link_socket {
	int fd;                    /* -1: closed */
	struct event *readable, *writable, *flush;
	struct link_batch *out;
	bool wanted;               /* somebody waits for room */
	struct link_batch *in;     /* shared: it is empty between calls */
	struct link_stats *stats;
	const struct link_calls *calls;
	/* Take a message that came; one that had to be cut has LINK_MESSAGE_MAX bytes. */
	void (*take)(struct link_socket *s, const struct msghdr *message, size_t len);
};

/* Messages for reading or writing; the caller frees them with free(). */
struct link_batch *link_batch_new(void);

/*
 * Serve fd, which belongs to the socket then; in, stats, calls and take are set. False: there is no
 * memory, and it is closed.
 */
bool link_socket_open(struct link_socket *s, int fd, struct event_base *base);

/* Close it; what waits is lost. Nothing happens when it is closed already. */
void link_socket_close(struct link_socket *s);

/*
 * The next message to fill: msg_name is as long as an address, msg_iov as the longest message,
 * msg_control is not used. NULL: full, or closed; then `writable` follows.
 */
struct msghdr *link_socket_next(struct link_socket *s);

/* Send it at the end of this turn. */
void link_socket_put(struct link_socket *s);

/* Give a socket room for bursts, beyond what others may have where that is allowed. */
void link_socket_buffers(int fd);

/* Messages that the kernel had no room for. */
uint32_t link_socket_drops(int fd);
