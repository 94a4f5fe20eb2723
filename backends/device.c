/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One dump of links has everything but what only drivers know: that is asked by the ioctl of
 * ethtool, which, unlike /sys, always speaks of the namespace of who asks. Virtual drivers say
 * little; what they do not say is left empty, so that nobody prints a guess.
 *
 * A dump that the kernel interrupts, because devices come and go meanwhile, is begun anew.
 */
#include "backends/device.h"

#include <bsd/string.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"

#define TRIES 100
#define MASK_WORDS_MAX 128   /* words in each of the three masks of link modes */

/* ---- links ---- */

static void take_text(const struct nlattr *attr, char *ret, size_t size) {
	strlcpy(ret, mnl_attr_get_str(attr), size);
}

static void take_addr(const struct nlattr *attr, struct device_addr *ret) {
	uint16_t len = mnl_attr_get_payload_len(attr);

	if (len > sizeof(ret->byte))
		return;
	memcpy(ret->byte, mnl_attr_get_payload(attr), len);
	ret->len = (uint8_t)len;
}

/* Kernels differ in how many counters they have: what is missing is zero. */
static void take_stats(const struct nlattr *attr, struct rtnl_link_stats64 *ret) {
	size_t len = mnl_attr_get_payload_len(attr);

	memcpy(ret, mnl_attr_get_payload(attr), len < sizeof(*ret) ? len : sizeof(*ret));
}

static void take_kind(const struct nlattr *info, struct device *d) {
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, info)
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			take_text(attr, d->kind, sizeof(d->kind));
}

static void take_attr(const struct nlattr *attr, struct device *d) {
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME: take_text(attr, d->name, sizeof(d->name)); break;
	case IFLA_QDISC: take_text(attr, d->qdisc, sizeof(d->qdisc)); break;
	case IFLA_GROUP: d->ours = mnl_attr_get_u32(attr) == RTNL_PROTOCOL_HANDOVER; break;
	case IFLA_MTU: d->mtu = mnl_attr_get_u32(attr); break;
	case IFLA_TXQLEN: d->queue = mnl_attr_get_u32(attr); break;
	case IFLA_LINK: d->link = (int)mnl_attr_get_u32(attr); break;
	case IFLA_MASTER: d->master = (int)mnl_attr_get_u32(attr); break;
	case IFLA_ADDRESS: take_addr(attr, &d->addr); break;
	case IFLA_BROADCAST: take_addr(attr, &d->broadcast); break;
	case IFLA_PERM_ADDRESS: take_addr(attr, &d->permanent); break;
	case IFLA_STATS64: take_stats(attr, &d->stats); break;
	case IFLA_LINKINFO: take_kind(attr, d); break;
	default: break;
	}
}

static int take_link(const struct nlmsghdr *nlh, void *arg) {
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct devices *ds = arg;
	const struct nlattr *attr;
	struct device *d;
	bool far = false;

	if ((ds->n & (ds->n - 1)) == 0)
		ds->device = xreallocarray(ds->device, ds->n ? ds->n * 2 : 1, sizeof(*ds->device));
	d = &ds->device[ds->n++];
	*d = (struct device){ .index = ifi->ifi_index, .type = ifi->ifi_type,
			      .flags = ifi->ifi_flags };
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		take_attr(attr, d);
		far |= mnl_attr_get_type(attr) == IFLA_LINK_NETNSID;
	}
	if (far)
		d->link = 0; /* a number of another namespace */
	return MNL_CB_OK;
}

static int index_order(const void *a, const void *b) {
	const struct device *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

int devices_read(struct rtnl *rtnl, struct devices *ret) {
	int rc = EINTR;

	*ret = (struct devices){ NULL, 0 };
	for (int i = 0; i < TRIES && rc == EINTR; i++) {
		devices_done(ret);
		rc = rtnl_dump(rtnl, RTM_GETLINK, AF_UNSPEC, take_link, ret);
	}
	if (rc)
		devices_done(ret);
	else if (ret->n)
		qsort(ret->device, ret->n, sizeof(*ret->device), index_order);
	return rc;
}

void devices_done(struct devices *devices) {
	free(devices->device);
	*devices = (struct devices){ NULL, 0 };
}

const struct device *devices_find(const struct devices *devices, const char *name) {
	for (size_t i = 0; i < devices->n; i++)
		if (strcmp(devices->device[i].name, name) == 0)
			return &devices->device[i];
	return NULL;
}

const struct device *devices_at(const struct devices *devices, int index) {
	for (size_t i = 0; i < devices->n; i++)
		if (devices->device[i].index == index)
			return &devices->device[i];
	return NULL;
}

bool device_is_wire(const struct device *d) {
	return !(d->flags & IFF_LOOPBACK) && (!*d->kind || strcmp(d->kind, "veth") == 0);
}

bool device_is_running(const struct device *d) {
	return (d->flags & IFF_UP) && (d->flags & IFF_LOWER_UP);
}

void device_print_addr(const struct device_addr *addr, struct str *out) {
	for (unsigned int i = 0; i < addr->len; i++)
		str_addf(out, "%s%02x", i ? ":" : "", addr->byte[i]);
}

/* ---- drivers ---- */

static bool ask(int fd, const char *name, void *question) {
	struct ifreq ifr = { .ifr_data = question };

	strlcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
	return ioctl(fd, SIOCETHTOOL, &ifr) == 0;
}

static void ask_name(int fd, const char *name, struct device_driver *ret) {
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	if (!ask(fd, name, &info))
		return;
	memcpy(ret->name, info.driver, sizeof(ret->name) - 1);
	memcpy(ret->bus, info.bus_info, sizeof(ret->bus) - 1);
}

/* The first answer tells how long the masks are, as a negative number; the second has all. */
static void ask_settings(int fd, const char *name, struct device_driver *ret) {
	struct {
		struct ethtool_link_settings is;
		uint32_t masks[3 * MASK_WORDS_MAX];
	} s = { .is = { .cmd = ETHTOOL_GLINKSETTINGS } };

	if (!ask(fd, name, &s) || s.is.link_mode_masks_nwords >= 0)
		return;
	s.is.link_mode_masks_nwords = (int8_t)-s.is.link_mode_masks_nwords;
	if (!ask(fd, name, &s))
		return;
	if (s.is.speed != 0 && s.is.speed != (uint32_t)SPEED_UNKNOWN)
		ret->speed_mbps = s.is.speed;
	ret->knows_duplex = s.is.duplex == DUPLEX_FULL || s.is.duplex == DUPLEX_HALF;
	ret->full_duplex = s.is.duplex == DUPLEX_FULL;
	ret->knows_autoneg = true;
	ret->autoneg = s.is.autoneg == AUTONEG_ENABLE;
}

void device_ask_driver(const char *name, struct device_driver *ret) {
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*ret = (struct device_driver){ .speed_mbps = 0 };
	if (fd < 0)
		return;
	ask_name(fd, name, ret);
	ask_settings(fd, name, ret);
	close(fd);
}
