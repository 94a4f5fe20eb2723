/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One socket for all peers; who sent a datagram is known by its source address, and by nothing else
 * until it has been opened.
 *
 * An ICMP error, which anybody may have sent, must not stop datagrams: the kernel goes by the MTU
 * of the interface (IP_PMTUDISC_INTERFACE) whatever was learned of the path, and a router that has
 * a smaller one may fragment. Whether there is a way at all, and its MTU, is what a socket that is
 * connected to the peer knows; it sends nothing.
 */
#include <errno.h>
#include <unistd.h>

#include "sync/link_kind.h"

static void udp_take(struct link_socket *s, const struct msghdr *message, size_t len) {
	const struct link_udp *u = (const struct link_udp *)s;
	int peer = wire_find_sockaddr(&u->peers, message->msg_name);

	if (peer < 0)
		s->stats->strangers++;
	else if (len == 0 || len > LINK_DATAGRAM_MAX)
		s->stats->malformed++;
	else
		s->calls->datagram(s->calls->arg, (unsigned int)peer, NULL,
				   message->msg_iov->iov_base, len);
}

static int udp_socket(void) {
	return socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int link_udp_open(struct link_udp *u, struct event_base *base, struct err *err) {
	const union net_addr any = { 0 };
	struct sockaddr_in addr = wire_sockaddr(&any, WIRE_PORT);
	const int discover = IP_PMTUDISC_INTERFACE;
	int fd = udp_socket();

	u->socket.take = udp_take;
	u->socket.fd = -1;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
	    setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover)) == 0) {
		link_socket_buffers(fd);
		if (link_socket_open(&u->socket, fd, base))
			return 0;
		return err_set(err, ERR_KERNEL, "UDP port %d cannot be served", WIRE_PORT);
	}
	err_set(err, ERR_KERNEL, "UDP port %d cannot be had: %s", WIRE_PORT, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ERR_KERNEL;
}

bool link_udp_state(const struct link_udp *u, unsigned int peer, unsigned int *mtu) {
	const struct wire_peer *p = &u->peers.peer[peer];
	struct sockaddr_in addr = wire_sockaddr(&p->ip, WIRE_PORT);
	int fd = udp_socket(), value = 0;
	socklen_t len = sizeof(value);
	bool up = fd >= 0 && wire_bind(fd, &p->source) &&
		  connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
		  getsockopt(fd, IPPROTO_IP, IP_MTU, &value, &len) == 0;

	if (fd >= 0)
		close(fd);
	*mtu = up ? (unsigned int)value : 0;
	return up;
}

/* The source address of one message; the interface stays the route's choice. */
static void set_source(struct msghdr *message, const union net_addr *source) {
	const struct in_pktinfo info = { .ipi_spec_dst.s_addr = source->word[0] };
	struct cmsghdr *c = message->msg_control;

	message->msg_controllen = CMSG_SPACE(sizeof(info));
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
}

bool link_udp_send(struct link_udp *u, unsigned int peer, const uint8_t *data, size_t len) {
	struct msghdr *message = peer < u->peers.n ? link_socket_next(&u->socket) : NULL;
	struct sockaddr_in *to;

	if (!message)
		return false;
	to = message->msg_name;
	*to = wire_sockaddr(&u->peers.peer[peer].ip, WIRE_PORT);
	message->msg_namelen = sizeof(*to);
	if (u->peers.peer[peer].source.word[0] != 0)
		set_source(message, &u->peers.peer[peer].source);
	memcpy(message->msg_iov->iov_base, data, len);
	message->msg_iov->iov_len = len;
	link_socket_put(&u->socket);
	return true;
}
