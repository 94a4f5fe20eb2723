/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet socket for each interface. The kernel writes the Ethernet header; the payload begins
 * with its length (u16), for short frames are padded on their way.
 *
 * An interface is known by its name: what is called so now is what is meant. The socket is bound to
 * an index and dies with it, so it is opened anew when the name has another one; what its own
 * address says (getsockname) also tells when an index was given a second time. An interface that
 * only goes down and comes back keeps its socket, and the kernel does the rest.
 */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sync/link_kind.h"

/* To all members: a group of our own choice, locally administered. */
static const uint8_t group[LINK_MAC] = { 0x03, 0x47, 0x48, 0x53, 0x59, 0x4e };

static void ethernet_take(struct link_socket *s, const struct msghdr *message, size_t len) {
	const struct link_ethernet *e = (const struct link_ethernet *)s;
	const struct sockaddr_ll *from = message->msg_name;
	uint8_t *data = message->msg_iov->iov_base;
	size_t told = len < LINK_ETHER_OVERHEAD ? 0 : (size_t)data[0] << 8 | data[1];

	if ((from->sll_pkttype != PACKET_HOST && from->sll_pkttype != PACKET_MULTICAST) ||
	    from->sll_halen != LINK_MAC)
		s->stats->strangers++;
	else if (told == 0 || told > LINK_DATAGRAM_MAX || told > len - LINK_ETHER_OVERHEAD)
		s->stats->malformed++;
	else
		s->calls->datagram(s->calls->arg, e->link, from->sll_addr,
				   data + LINK_ETHER_OVERHEAD, told);
}

static bool join_group(int fd, int index) {
	struct packet_mreq mreq = { .mr_ifindex = index,
				    .mr_type = PACKET_MR_MULTICAST,
				    .mr_alen = LINK_MAC };

	memcpy(mreq.mr_address, group, sizeof(group));
	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) == 0;
}

/* Without a protocol nothing comes before it is bound: not what is on other interfaces. */
static void ethernet_open(struct link_ethernet *e, struct event_base *base) {
	struct sockaddr_ll addr = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(LINK_ETHER_TYPE),
				    .sll_ifindex = e->index };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	link_socket_buffers(fd);
	e->socket.take = ethernet_take;
	if (join_group(fd, e->index) && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		link_socket_open(&e->socket, fd, base);
	else
		close(fd);
}

static bool ask(const struct link_ethernet *e, int any, unsigned long what, struct ifreq *ret) {
	snprintf(ret->ifr_name, sizeof(ret->ifr_name), "%s", e->name);
	return ioctl(any, what, ret) == 0;
}

static bool is_bound(const struct link_ethernet *e, int index) {
	struct sockaddr_ll addr = { 0 };
	socklen_t len = sizeof(addr);

	return e->socket.fd >= 0 && e->index == index &&
	       getsockname(e->socket.fd, (struct sockaddr *)&addr, &len) == 0 &&
	       addr.sll_ifindex == index;
}

/* Index of the interface when it is one that frames can be sent on; 0. */
static int ethernet_index(const struct link_ethernet *e, int any) {
	struct ifreq hw = { 0 }, index = { 0 };

	if (!ask(e, any, SIOCGIFHWADDR, &hw) || hw.ifr_hwaddr.sa_family != ARPHRD_ETHER ||
	    !ask(e, any, SIOCGIFINDEX, &index))
		return 0;
	return index.ifr_ifindex;
}

bool link_ethernet_look(struct link_ethernet *e, struct event_base *base, int any,
			unsigned int *mtu) {
	struct ifreq flags = { 0 }, size = { 0 };
	int index = ethernet_index(e, any);

	*mtu = 0;
	if (!is_bound(e, index)) {
		link_socket_close(&e->socket);
		e->index = index;
		if (index != 0)
			ethernet_open(e, base);
	}
	if (e->socket.fd < 0 || !ask(e, any, SIOCGIFFLAGS, &flags) ||
	    !ask(e, any, SIOCGIFMTU, &size))
		return false;
	*mtu = (unsigned int)size.ifr_mtu;
	return (flags.ifr_flags & IFF_UP) && (flags.ifr_flags & IFF_RUNNING);
}

bool link_ethernet_send(struct link_ethernet *e, const uint8_t *mac, const uint8_t *data,
			size_t len) {
	struct msghdr *message = link_socket_next(&e->socket);
	struct sockaddr_ll *to;
	uint8_t *out;

	if (!message)
		return false;
	to = message->msg_name;
	*to = (struct sockaddr_ll){ .sll_family = AF_PACKET,
				    .sll_protocol = htons(LINK_ETHER_TYPE),
				    .sll_ifindex = e->index,
				    .sll_halen = LINK_MAC };
	memcpy(to->sll_addr, mac ? mac : group, LINK_MAC);
	message->msg_namelen = sizeof(*to);
	out = message->msg_iov->iov_base;
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	memcpy(out + LINK_ETHER_OVERHEAD, data, len);
	message->msg_iov->iov_len = LINK_ETHER_OVERHEAD + len;
	link_socket_put(&e->socket);
	return true;
}
