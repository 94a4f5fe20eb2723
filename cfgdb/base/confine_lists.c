/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each daemon needs beyond common_calls. Neither runs programs. gatehoused keeps files,
 * gatehouse-syncd has none of its own: it cannot make, rename or remove any.
 */
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/socket.h>

#include "cfgdb/base/confine.h"

static const char *const gatehoused_calls[] = {
	/* The database and the log: made, written to disk, locked, replaced, removed. */
	"mkdir mkdirat unlink unlinkat rename renameat renameat2 ftruncate ftruncate64 fallocate "
	"fsync fdatasync flock fchmod fchown fchown32",
	/* Keys are locked into memory. */
	"mlock munlock",
	/* When the process of a login ends. */
	"pidfd_open",
	NULL,
};

static const struct confine_limit gatehoused_limits[] = {
	/* libpcap asks what kind of interface it looks at. */
	{ "socket", { CONFINE_IS(0, AF_NETLINK), CONFINE_IS(2, NETLINK_GENERIC) } },
	{ "ioctl", { CONFINE_IS(1, SIOCGIFHWADDR) } },
	{ "ioctl", { CONFINE_IS(1, SIOCGIFMTU) } },
	{ "ioctl", { CONFINE_IS(1, SIOCGIFFLAGS) } },
	{ "ioctl", { CONFINE_IS(1, SIOCETHTOOL) } },
	{ NULL },
};

const struct confine_list confine_gatehoused = { gatehoused_calls, gatehoused_limits };

static const char *const syncd_calls[] = { NULL };

static const struct confine_limit syncd_limits[] = {
	/* Interfaces that frames go through: their state and length of frames. */
	{ "ioctl", { CONFINE_IS(1, SIOCGIFHWADDR) } },
	{ "ioctl", { CONFINE_IS(1, SIOCGIFMTU) } },
	{ "ioctl", { CONFINE_IS(1, SIOCGIFFLAGS) } },
	{ NULL },
};

const struct confine_list confine_syncd = { syncd_calls, syncd_limits };
