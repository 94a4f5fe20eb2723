/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libpcap, told to hand on every packet at once. It has several kinds of headers before the network
 * layer; what is handed on has an Ethernet header always, made up where there was none: its sender
 * is known on "any", its receiver is not and zero.
 *
 * On one interface libpcap does not tell which way a packet goes: one that has the interface's own
 * address as its sender goes out. A filter is compiled without optimising, which may take long.
 */
#include "backends/sniffer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backends/sniffer_filter.h"
#include "cfgdb/base/mem.h"

#define BUFFER_SIZE (4 << 20)

struct sniffer {
	pcap_t *pcap;
	int link;                      /* DLT_* */
	bool counted;
	char interface[IF_NAMESIZE];
	uint8_t mac[ETH_ALEN];         /* of the interface, if it has one */
	bool has_mac;
	uint8_t frame[SNIFFER_ETHER + SNIFFER_SNAPLEN];
	/* While packets are read. */
	bool (*each)(void *arg, const struct sniffer_packet *p);
	void *arg;
};

static unsigned int n_sniffers;

static bool is_any(const struct sniffer *s) {
	return s->link == DLT_LINUX_SLL2;
}

static int pcap_failed(const struct sniffer *s, int code, struct err *err) {
	const char *why = pcap_geterr(s->pcap);

	return err_set(err, ERR_KERNEL, "packets cannot be captured: %s",
		       *why ? why : pcap_statustostr(code));
}

static void read_mac(struct sniffer *s) {
	struct ifreq ifr = { .ifr_flags = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(ifr.ifr_name, s->interface, sizeof(ifr.ifr_name));
	s->has_mac = fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &ifr) == 0 &&
		     ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER;
	memcpy(s->mac, ifr.ifr_hwaddr.sa_data, sizeof(s->mac));
	if (fd >= 0)
		close(fd);
}

static int start(struct sniffer *s, bool any, struct err *err) {
	char text[PCAP_ERRBUF_SIZE];
	int rc;

	s->pcap = pcap_create(s->interface, text);
	if (!s->pcap)
		return err_set(err, ERR_KERNEL, "packets cannot be captured: %s", text);
	pcap_set_snaplen(s->pcap, SNIFFER_SNAPLEN);
	pcap_set_buffer_size(s->pcap, BUFFER_SIZE);
	pcap_set_immediate_mode(s->pcap, 1);
	rc = pcap_activate(s->pcap);
	if (rc < 0)
		return pcap_failed(s, rc, err);
	if (any && pcap_set_datalink(s->pcap, DLT_LINUX_SLL2) != 0)
		return pcap_failed(s, 0, err);
	s->link = pcap_datalink(s->pcap);
	if (s->link != DLT_EN10MB && s->link != DLT_LINUX_SLL2 && s->link != DLT_LINUX_SLL &&
	    s->link != DLT_RAW)
		return err_set(err, ERR_KERNEL, "packets of interface %s cannot be read",
			       s->interface);
	if (pcap_setnonblock(s->pcap, 1, text) != 0)
		return err_set(err, ERR_KERNEL, "packets cannot be captured: %s", text);
	return 0;
}

static int set_filter(struct sniffer *s, const char *filter, struct err *err) {
	struct bpf_program program;
	int rc = sniffer_filter_check(filter, err);

	if (rc)
		return rc;
	if (pcap_compile(s->pcap, &program, filter, 0, PCAP_NETMASK_UNKNOWN) != 0)
		return err_set(err, ERR_VALUE, "filter: %s", pcap_geterr(s->pcap));
	rc = pcap_setfilter(s->pcap, &program);
	pcap_freecode(&program);
	return rc ? pcap_failed(s, rc, err) : 0;
}

/*
 * Names with a meaning of their own for libpcap are no interfaces. The kernel finds one also by the
 * label of an address: there a colon ends the name.
 */
static int check_interface(const char *interface, bool any, struct err *err) {
	if (any || (strlen(interface) < IF_NAMESIZE && !strchr(interface, ':') &&
		    if_nametoindex(interface) != 0))
		return 0;
	return err_set(err, ERR_NOT_FOUND, "there is no interface '%.100s'", interface);
}

struct sniffer *sniffer_open(const char *interface, const char *filter, struct err *err) {
	bool any = strcmp(interface, "any") == 0;
	struct sniffer *s;

	if (check_interface(interface, any, err) != 0)
		return NULL;
	if (n_sniffers == SNIFFERS_MAX) {
		err_set(err, ERR_MAX_ENTRIES, "%d others capture packets already", SNIFFERS_MAX);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	n_sniffers++;
	strcpy(s->interface, interface);
	if (start(s, any, err) != 0 || (filter && set_filter(s, filter, err) != 0))
		return sniffer_close(s);
	if (!any)
		read_mac(s);
	return s;
}

struct sniffer *sniffer_close(struct sniffer *s) {
	if (!s)
		return NULL;
	if (s->pcap)
		pcap_close(s->pcap);
	free(s);
	n_sniffers--;
	return NULL;
}

int sniffer_fd(const struct sniffer *s) {
	return pcap_get_selectable_fd(s->pcap);
}

/* ---- headers ---- */

/* Put an Ethernet header in the place of what comes before the network layer. */
static void make_frame(struct sniffer *s, const uint8_t *network, size_t len, uint16_t type,
		       const uint8_t *sender, struct sniffer_packet *p) {
	if (len > SNIFFER_SNAPLEN)
		len = SNIFFER_SNAPLEN;
	memset(s->frame, 0, SNIFFER_ETHER);
	if (sender)
		memcpy(s->frame + ETH_ALEN, sender, ETH_ALEN);
	s->frame[12] = (uint8_t)(type >> 8);
	s->frame[13] = (uint8_t)type;
	memcpy(s->frame + SNIFFER_ETHER, network, len);
	p->frame = s->frame;
	p->len = SNIFFER_ETHER + len;
}

static enum sniffer_way way_of(unsigned int packet_type) {
	return packet_type == LINUX_SLL_OUTGOING ? SNIFFER_OUT : SNIFFER_IN;
}

static void read_cooked2(struct sniffer *s, const uint8_t *data, size_t len,
			 struct sniffer_packet *p, char name[IF_NAMESIZE]) {
	struct sll2_header h;

	memcpy(&h, data, sizeof(h));
	if (!if_indextoname(ntohl(h.sll2_if_index), name))
		snprintf(name, IF_NAMESIZE, "%u", ntohl(h.sll2_if_index));
	p->interface = name;
	p->way = way_of(h.sll2_pkttype);
	make_frame(s, data + sizeof(h), len - sizeof(h), ntohs(h.sll2_protocol),
		   h.sll2_halen == ETH_ALEN ? h.sll2_addr : NULL, p);
}

static void read_cooked(struct sniffer *s, const uint8_t *data, size_t len,
			struct sniffer_packet *p) {
	struct sll_header h;

	memcpy(&h, data, sizeof(h));
	p->way = way_of(ntohs(h.sll_pkttype));
	make_frame(s, data + sizeof(h), len - sizeof(h), ntohs(h.sll_protocol),
		   ntohs(h.sll_halen) == ETH_ALEN ? h.sll_addr : NULL, p);
}

static void read_ether(const struct sniffer *s, const uint8_t *data, size_t len,
		       struct sniffer_packet *p) {
	p->frame = data;
	p->len = len;
	if (s->has_mac && len >= 2 * ETH_ALEN)
		p->way = memcmp(data + ETH_ALEN, s->mac, ETH_ALEN) == 0 ? SNIFFER_OUT : SNIFFER_IN;
}

static bool read_packet(struct sniffer *s, const struct pcap_pkthdr *head, const uint8_t *data) {
	struct sniffer_packet p = { .when = { .tv_sec = head->ts.tv_sec,
					      .tv_nsec = head->ts.tv_usec * 1000 },
				    .interface = s->interface,
				    .way = SNIFFER_UNKNOWN };
	char name[IF_NAMESIZE];
	size_t len = head->caplen;

	if (is_any(s) && len >= sizeof(struct sll2_header))
		read_cooked2(s, data, len, &p, name);
	else if (s->link == DLT_LINUX_SLL && len >= sizeof(struct sll_header))
		read_cooked(s, data, len, &p);
	else if (s->link == DLT_RAW && len > 0)
		make_frame(s, data, len, data[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP, NULL,
			   &p);
	else if (s->link == DLT_EN10MB)
		read_ether(s, data, len, &p);
	else
		return true;
	return s->each(s->arg, &p);
}

int sniffer_read(struct sniffer *s, unsigned int most,
		 bool (*each)(void *arg, const struct sniffer_packet *p), void *arg,
		 struct err *err) {
	bool more = true;

	s->each = each;
	s->arg = arg;
	for (unsigned int i = 0; i < most && more; i++) {
		struct pcap_pkthdr *head;
		const uint8_t *data;
		int n = pcap_next_ex(s->pcap, &head, &data);

		if (n < 0)
			return pcap_failed(s, n, err);
		if (n == 0)
			break;
		more = read_packet(s, head, data);
	}
	return 0;
}

void sniffer_stats(struct sniffer *s, unsigned int *received, unsigned int *dropped) {
	struct pcap_stat stat = { .ps_recv = 0 };

	pcap_stats(s->pcap, &stat);
	*received = stat.ps_recv;
	*dropped = stat.ps_drop;
}
