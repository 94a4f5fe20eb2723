/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of `get` that show the state of the unit. They share their first words with the paths of the
 * schema: `get system interface` is a table, `get system status` a row here.
 */
#include "cli/commands_rows.h"

static const struct argument destination_args[] = {
	{ "<address>", "Where to; without it, all routes in use are told." },
};

static const struct command get_routing_table[] = {
	{ "all", "All active routes.", REMOTE },
	{ "database", "All routes, also those that are not in use.", REMOTE },
	{ "details", "Routes in use at length, or the one to an address.", .max_args = 1,
	  .args = destination_args, REMOTE },
	{ 0 }
};

static const struct command get_router_info[] = {
	{ "routing-table", "Routes in use.", .sub = get_routing_table },
	{ 0 }
};

static const struct command get_router[] = {
	{ "info", "State of routing.", .sub = get_router_info },
	{ 0 }
};

static const struct command get_session[] = {
	{ "list", "List the sessions that fit the filter, one a line.", REMOTE },
	{ "status", "Number of sessions.", REMOTE },
	{ 0 }
};

static const struct command get_session_info[] = {
	{ "expectation", "List the sessions that session helpers wait for.", REMOTE },
	{ "full-stat", "Numbers about sessions and their table.", REMOTE },
	{ "list", "List the sessions that fit the filter, one a line.", REMOTE },
	{ "statistics", "Numbers about sessions.", REMOTE },
	{ "ttl", "Timeouts of sessions.", REMOTE },
	{ 0 }
};

static const struct command get_admin[] = {
	{ "list", "Administrators who are logged in.", REMOTE },
	{ "status", "Your own login.", REMOTE },
	{ 0 }
};

static const struct command get_ha[] = {
	{ "status", "State of the group that this unit is in.", REMOTE },
	{ 0 }
};

static const struct argument interface_args[] = {
	{ "<interface>", "Interface; all of them when it is missing." },
};

#define ONE_INTERFACE .max_args = 1, .args = interface_args, REMOTE

static const struct command get_hardware[] = {
	{ "nic", "List network cards, or show one.", ONE_INTERFACE },
	{ "status", "What the machine is made of.", REMOTE },
	{ 0 }
};

static const struct command get_interface[] = {
	{ "physical", "State of physical interfaces.", ONE_INTERFACE },
	{ 0 }
};

static const struct argument top_args[] = {
	{ "<delay>", "Seconds between two lists, 1 to 3600." },
	{ "<lines>", "Most processes in a list, 1 to 1000." },
	{ "<times>", "How many lists; without it, until q or Ctrl-C." },
};

static const struct command get_performance[] = {
	{ "status", "Processors, memory, traffic and sessions in the last half hour.", REMOTE },
	{ "top", "List the busiest processes, again and again.", .max_args = 3, .args = top_args,
	  TOP },
	{ 0 }
};

static const struct command get_system[] = {
	{ "admin", "Administrators.", .sub = get_admin },
	{ "arp", "Neighbours that are known by ARP.", REMOTE },
	{ "ha", "High availability.", .sub = get_ha },
	{ "interface", "Network interfaces.", .sub = get_interface },
	{ "performance", "How busy the unit is.", .sub = get_performance },
	{ "session", "Sessions.", .sub = get_session },
	{ "session-info", "More about sessions.", .sub = get_session_info },
	{ "status", "Version, serial number and state of the unit.", REMOTE },
	{ 0 }
};

const struct command commands_get[] = {
	{ "hardware", "The machine.", .sub = get_hardware },
	{ "metrics", "Numbers for a collector, in the text form of Prometheus.", REMOTE },
	{ "router", "Routing.", .sub = get_router },
	{ "system", "The unit itself: interfaces, administrators, high availability.",
	  .sub = get_system },
	{ 0 }
};
