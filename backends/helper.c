/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel knows a helper by name and protocol and does not care for ports: which sessions it
 * follows is said by rules. H.323 is two helpers there, as it is in FortiOS, by other names.
 */
#include "backends/helper.h"

#include <netinet/in.h>
#include <string.h>

const struct helper helper_table[HELPERS] = {
	{ "ftp", IPPROTO_TCP, "ftp" },	 { "tftp", IPPROTO_UDP, "tftp" },
	{ "sip", IPPROTO_UDP, "sip" },	 { "sip", IPPROTO_TCP, "sip" },
	{ "pptp", IPPROTO_TCP, "pptp" }, { "h323", IPPROTO_TCP, "Q.931" },
	{ "ras", IPPROTO_UDP, "RAS" },
};

int helper_find(uint32_t set, const char *name, uint8_t proto) {
	for (int i = 0; i < HELPERS; i++)
		if ((set & 1u << i) && helper_table[i].proto == proto &&
		    strcmp(helper_table[i].name, name) == 0)
			return i;
	return -1;
}

const char *helper_name(const char *kernel) {
	for (int i = 0; i < HELPERS; i++)
		if (strcmp(helper_table[i].kernel, kernel) == 0)
			return helper_table[i].name;
	return kernel;
}
