/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of `diagnose`: what looks into the running system. Nearly all are answered by the daemon, so
 * a row says only how the line is completed and explained. Output that is followed as it comes, or
 * that asks a question, is not paged.
 */
#include "cli/commands_rows.h"

static const struct command diagnose_config[] = {
	{ "unenforced", "List what is set and not enforced.", REMOTE },
	{ 0 }
};

static const struct argument addr_range_args[] = {
	{ "<from>", "Address, or the first of a range." },
	{ "<to>", "Last address." },
};

static const struct argument port_range_args[] = {
	{ "<from>", "Port, or the first of a range." },
	{ "<to>", "Last port." },
};

static const struct argument proto_range_args[] = {
	{ "<protocol number>", "Number of the IP protocol, or the first of a range." },
	{ "<protocol number>", "Last number." },
};

static const struct argument vd_args[] = {
	{ "<vd>", "Index of the virtual domain; -1 for all." },
};

static const struct argument vd_name_args[] = {
	{ "<vd name>", "Name of the virtual domain." },
};

#define RANGE(a) .min_args = 1, .max_args = 2, .args = a, REMOTE

static const struct command diagnose_flow_negate[] = {
	{ "vd", "Virtual domain.", REMOTE },
	{ "proto", "IP protocol.", REMOTE },
	{ "addr", "Source or destination address.", REMOTE },
	{ "saddr", "Source address.", REMOTE },
	{ "daddr", "Destination address.", REMOTE },
	{ "port", "Source or destination port.", REMOTE },
	{ "sport", "Source port.", REMOTE },
	{ "dport", "Destination port.", REMOTE },
	{ 0 }
};

static const struct command diagnose_flow_filter[] = {
	{ "clear", "Let all packets through the filter.", REMOTE },
	{ "vd", "Packets of a virtual domain.", .min_args = 1, .max_args = 1, .args = vd_args,
	  REMOTE },
	{ "vd-name", "The same, by name.", .min_args = 1, .max_args = 1, .args = vd_name_args,
	  REMOTE },
	{ "proto", "Packets of an IP protocol.", RANGE(proto_range_args) },
	{ "addr", "Packets from or to an address.", RANGE(addr_range_args) },
	{ "saddr", "Packets from an address.", RANGE(addr_range_args) },
	{ "daddr", "Packets to an address.", RANGE(addr_range_args) },
	{ "port", "Packets from or to a port.", RANGE(port_range_args) },
	{ "sport", "Packets from a port.", RANGE(port_range_args) },
	{ "dport", "Packets to a port.", RANGE(port_range_args) },
	{ "negate", "Turn a condition round.", .sub = diagnose_flow_negate },
	{ 0 }
};

static const struct command diagnose_switch[] = {
	{ "enable", "Show it.", REMOTE },
	{ "disable", "Do not show it.", REMOTE },
	{ 0 }
};

static const struct command diagnose_flow_show[] = {
	{ "function-name", "Name and line of the function in each line.", .sub = diagnose_switch },
	{ "iprope", "Policies before the one that matched, and what of them did not fit.",
	  .sub = diagnose_switch },
	{ 0 }
};

static const struct argument trace_args[] = {
	{ "<packets>", "How many packets; without it, until a key is pressed." },
};

static const struct command diagnose_flow_trace[] = {
	{ "start", "Trace packets.", .max_args = 1, .args = trace_args, WATCH },
	{ "stop", "Trace no more.", REMOTE },
	{ 0 }
};

static const struct command diagnose_flow[] = {
	{ "filter", "Show which packets are traced, or say which.", .sub = diagnose_flow_filter,
	  REMOTE },
	{ "show", "What is shown of them.", .sub = diagnose_flow_show },
	{ "trace", "Their way through the unit.", .sub = diagnose_flow_trace },
	{ 0 }
};

static const struct argument level_args[] = {
	{ "<level>", "What is shown." },
};

static const struct command diagnose_application[] = {
	{ "hasync", "Replication of the configuration.", .min_args = 1, .max_args = 1,
	  .args = level_args, WATCH },
	{ "sessionsync", "Session synchronization.", .min_args = 1, .max_args = 1,
	  .args = level_args, WATCH },
	{ 0 }
};

static const struct argument cli_level_args[] = {
	{ "<verbosity>", "1 to 8; 0: show none." },
};

static const struct command diagnose_debug[] = {
	{ "application", "What a part of the unit does.", .sub = diagnose_application },
	{ "cli", "Changes of the configuration, as commands.", .min_args = 1, .max_args = 1,
	  .args = cli_level_args, WATCH },
	{ "disable", "Show no debug output.", REMOTE },
	{ "enable", "Show debug output.", WATCH },
	{ "flow", "The way of packets through the unit.", .sub = diagnose_flow },
	{ "reset", "Stop all debugging and forget its settings.", REMOTE },
	{ 0 }
};

static const struct argument sniffer_args[] = {
	{ "<interface or any>", "Interface, or any." },
	{ "<filter>", "Which packets, in quotes, as pcap-filter(7) says; none for all." },
	{ "<detail>", "How much of each packet is printed." },
	{ "<count>", "How many packets; 0 for all until Ctrl-C." },
	{ "<timestamp>", "Form of times; without it, relative to the start." },
};

static const struct command diagnose_sniffer[] = {
	{ "packet", "Print packets as they come and go.", .max_args = 5, .args = sniffer_args,
	  LIVE },
	{ 0 }
};

static const struct argument lookup_args[] = {
	{ "<source>", "Source address." },
	{ "<source port>", "Source port." },
	{ "<destination>", "Destination address." },
	{ "<destination port>", "Destination port." },
	{ "<protocol>", "Number or name of the IP protocol." },
	{ "<interface>", "Interface the packet comes in by." },
};

static const struct argument policy_args[] = {
	{ "<policy or 0>", "Number of the policy; 0 for what no policy allows." },
};

static const struct command diagnose_iprope_show[] = {
	{ "100004", "IPv4 policies.", .min_args = 1, .max_args = 1, .args = policy_args, REMOTE },
	{ 0 }
};

static const struct command diagnose_iprope[] = {
	{ "lookup", "Tell which policy decides on a packet.", .min_args = 6, .max_args = 6,
	  .args = lookup_args, REMOTE },
	{ "show", "Show the counters of a policy.", .sub = diagnose_iprope_show },
	{ 0 }
};

static const struct command diagnose_firewall[] = {
	{ "iprope", "Policies as the kernel has them.", .sub = diagnose_iprope },
	{ 0 }
};

static const struct command diagnose_ip_address[] = {
	{ "list", "List addresses of interfaces.", REMOTE },
	{ 0 }
};

static const struct command diagnose_ip_arp[] = {
	{ "list", "List neighbours, with their state and times.", REMOTE },
	{ 0 }
};

static const struct command diagnose_ip[] = {
	{ "address", "Addresses of interfaces.", .sub = diagnose_ip_address },
	{ "arp", "Neighbours.", .sub = diagnose_ip_arp },
	{ 0 }
};

static const struct argument device_args[] = {
	{ "<interface>", "Interface; all of them when it is missing." },
};

static const struct command diagnose_netlink_interface[] = {
	{ "list", "List devices, with their counters.", .max_args = 1, .args = device_args,
	  REMOTE },
	{ 0 }
};

static const struct command diagnose_netlink[] = {
	{ "interface", "Network devices.", .sub = diagnose_netlink_interface },
	{ 0 }
};

static const struct command diagnose_deviceinfo[] = {
	{ "nic", "List network cards, or show one.", .max_args = 1, .args = device_args,
	  REMOTE },
	{ 0 }
};

static const struct command diagnose_hardware[] = {
	{ "deviceinfo", "Devices.", .sub = diagnose_deviceinfo },
	{ 0 }
};

static const struct argument refcnt_args[] = {
	{ "<table.key>", "Table and key attribute, such as firewall.address.name." },
	{ "<entry>", "Key of the entry." },
};

static const struct command diagnose_refcnt[] = {
	{ "show", "List who refers to an entry.", .min_args = 2, .max_args = 2,
	  .args = refcnt_args, REMOTE },
	{ 0 }
};

static const struct argument locked_args[] = {
	{ "<address>", "Address, or network, as it is listed; without it, all of them." },
};

static const struct command diagnose_lockout[] = {
	{ "clear", "Let addresses try again.", .max_args = 1, .args = locked_args, REMOTE },
	{ "list", "Addresses from which nobody can log in after failures.", REMOTE },
	{ 0 }
};

static const struct command diagnose_admin[] = {
	{ "lockout", "Addresses that are locked out.", .sub = diagnose_lockout },
	{ 0 }
};

static const struct command diagnose_cmdb[] = {
	{ "refcnt", "References between entries.", .sub = diagnose_refcnt },
	{ 0 }
};

static const struct command diagnose_vd[] = {
	{ "list", "List virtual domains.", REMOTE },
	{ 0 }
};

static const struct argument range_args[] = {
	{ "<from>", "Value, or the first of a range." },
	{ "<to>", "Last value of the range." },
};

static const struct argument policy_range_args[] = {
	{ "<policy>", "Number of the policy, or the first of a range." },
	{ "<policy>", "Last number." },
};

static const struct argument interface_args[] = {
	{ "<interface>", "Name of the interface." },
};

static const struct argument address_args[] = {
	{ "<address>", "Address." },
};

static const struct argument criterion_args[] = {
	{ "<criterion>", "Name of the criterion; all of them when it is missing." },
};

#define ONE(a) .min_args = 1, .max_args = 1, .args = a, REMOTE

static const struct command session_filter[] = {
	{ "clear", "Forget one criterion, or all.", .max_args = 1, .args = criterion_args, REMOTE },
	{ "dintf", "Interface that packets of the client leave by.",
	  ONE(interface_args) },
	{ "dport", "Destination port, before translation.", RANGE(range_args) },
	{ "dst", "Destination address, before translation.", RANGE(range_args) },
	{ "duration", "Age in seconds.", RANGE(range_args) },
	{ "expire", "Seconds until it ends when no packet comes.", RANGE(range_args) },
	{ "ext-dst", "Destination address to add to a list of which one must fit.",
	  ONE(address_args) },
	{ "ext-dst-negate", "Destination address to add to a list of which none may fit.",
	  ONE(address_args) },
	{ "ext-src", "Source address to add to a list of which one must fit.", ONE(address_args) },
	{ "ext-src-negate", "Source address to add to a list of which none may fit.",
	  ONE(address_args) },
	{ "negate", "Turn a criterion round, or back.", .min_args = 1, .max_args = 1,
	  .args = criterion_args, REMOTE },
	{ "nport", "Source port after translation.", RANGE(range_args) },
	{ "nsrc", "Source address after translation.", RANGE(range_args) },
	{ "policy", "Number of the policy.", RANGE(policy_range_args) },
	{ "proto", "Number of the IP protocol.", RANGE(proto_range_args) },
	{ "proto-state", "State of the protocol, as in the list.", RANGE(range_args) },
	{ "session-state1", "Bits of the first state word, and their mask, hexadecimal.",
	  RANGE(range_args) },
	{ "session-state2", "Bits of the second state word, and their mask, hexadecimal.",
	  RANGE(range_args) },
	{ "sintf", "Interface that packets of the client come in by.",
	  ONE(interface_args) },
	{ "sport", "Source port.", RANGE(range_args) },
	{ "src", "Source address.", RANGE(range_args) },
	{ "vd", "Index of the virtual domain; -1 is every one.", RANGE(range_args) },
	{ "vd-name", "Name of the virtual domain.", ONE(vd_name_args) },
	{ 0 }
};

static const struct argument tuple_args[] = {
	{ "<protocol number>", "Number of the IP protocol." },
	{ "<source>", "Source address." },
	{ "<source port>", "Source port." },
	{ "<destination>", "Destination address, before translation." },
	{ "<destination port>", "Destination port, before translation." },
};

static const struct command diagnose_session_sync[] = {
	{ "reset", "Set the counters to zero.", REMOTE },
	{ 0 }
};

static const struct command diagnose_session[] = {
	{ "clear", "End the sessions that fit the filter.",
	  .flags = COMMAND_UNPAGED | COMMAND_CHECKED, .run = cmd_session_clear },
	{ "exact", "Show one session.", .min_args = 5, .max_args = 5, .args = tuple_args, REMOTE },
	{ "filter", "Show or set the filter of this connection.", .sub = session_filter, REMOTE },
	{ "full-stat", "Numbers about sessions and their table.", REMOTE },
	{ "list", "List the sessions that fit the filter.", REMOTE },
	{ "stat", "Numbers about sessions.", REMOTE },
	{ "sync", "Numbers about sessions that units share.", .sub = diagnose_session_sync,
	  REMOTE },
	{ "ttl", "Timeouts of sessions.", REMOTE },
	{ 0 }
};

static const struct command diagnose_session6[] = {
	{ "clear", "End the sessions that fit the filter.",
	  .flags = COMMAND_UNPAGED | COMMAND_CHECKED, .run = cmd_session_clear },
	{ "filter", "Show or set the filter of this connection.", .sub = session_filter, REMOTE },
	{ "list", "List the sessions that fit the filter.", REMOTE },
	{ "stat", "Numbers about sessions.", REMOTE },
	{ 0 }
};

static const struct command diagnose_peers[] = {
	{ "detail", "With their state.", REMOTE },
	{ 0 }
};

static const struct argument table_args[] = {
	{ "<table>", "Table, such as firewall.address: its objects." },
};

static const struct command diagnose_checksum_show[] = {
	{ "global", "Tables that are of no virtual domain.", .max_args = 1, .args = table_args,
	  REMOTE },
	{ "root", "Tables of virtual domain root.", .max_args = 1, .args = table_args, REMOTE },
	{ 0 }
};

static const struct command diagnose_checksum_parts[] = {
	{ "global", "Tables that are of no virtual domain.", REMOTE },
	{ "root", "Tables of virtual domain root.", REMOTE },
	{ 0 }
};

static const struct argument serial_args[] = {
	{ "<serial>", "Serial number of another member." },
};

static const struct command diagnose_checksum[] = {
	{ "autoscale-cluster", "Of all members of the auto-scale group.", REMOTE },
	{ "cluster", "Of all members.", REMOTE },
	{ "diff", "What differs from the primary; on the primary, from each member, or one.",
	  .max_args = 1, .args = serial_args, REMOTE },
	{ "recalculate", "Make the checksums of this unit anew.", .sub = diagnose_checksum_parts,
	  REMOTE },
	{ "show", "Of this unit; of its tables, or of the objects of one.",
	  .sub = diagnose_checksum_show, REMOTE },
	{ 0 }
};

static const struct command diagnose_history[] = {
	{ "read", "What has happened in the group.", REMOTE },
	{ 0 }
};

static const struct command diagnose_ha[] = {
	{ "autoscale-peers", "The units that the configuration is shared with.",
	  .sub = diagnose_peers, REMOTE },
	{ "checksum", "Checksums of the configuration.", .sub = diagnose_checksum },
	{ "history", "Events of the group.", .sub = diagnose_history },
	{ "standalone-peers", "The units that sessions are shared with.", REMOTE },
	{ "status", "Numbers about the group.", REMOTE },
	{ 0 }
};

static const struct argument top_args[] = {
	{ "<delay>", "Seconds between two lists, 1 to 3600." },
	{ "<lines>", "Most processes in a list, 1 to 1000." },
	{ "<times>", "How many lists; without it, until q or Ctrl-C." },
};

static const struct command diagnose_transaction_show[] = {
	{ "txn-cli-commands", "The commands that lead to what each changes.", REMOTE },
	{ "txn-entity", "What each changes.", REMOTE },
	{ "txn-info", "Whose they are, and when they end.", REMOTE },
	{ "txn-lock", "What they keep others from.", REMOTE },
	{ "txn-meta", "Numbers.", REMOTE },
	{ 0 }
};

static const struct command diagnose_transaction[] = {
	{ "show", "Show open config transactions.", .sub = diagnose_transaction_show },
	{ 0 }
};

static const struct command diagnose_sys[] = {
	{ "admin", "Administrators.", .sub = diagnose_admin },
	{ "cmdb", "The configuration database.", .sub = diagnose_cmdb },
	{ "config-transaction", "Changes that are not active yet.", .sub = diagnose_transaction },
	{ "ha", "Other units.", .sub = diagnose_ha },
	{ "session", "IPv4 sessions.", .sub = diagnose_session },
	{ "session6", "IPv6 sessions.", .sub = diagnose_session6 },
	{ "top", "List the busiest processes, again and again.", .max_args = 3, .args = top_args,
	  TOP },
	{ "vd", "Virtual domains.", .sub = diagnose_vd },
	{ 0 }
};

const struct command commands_diagnose[] = {
	{ "config", "The configuration.", .sub = diagnose_config },
	{ "debug", "What the unit does, as it does it.", .sub = diagnose_debug },
	{ "firewall", "Policies.", .sub = diagnose_firewall },
	{ "hardware", "The machine.", .sub = diagnose_hardware },
	{ "ip", "Addresses and neighbours.", .sub = diagnose_ip },
	{ "netlink", "Network devices as the kernel has them.", .sub = diagnose_netlink },
	{ "sniffer", "Packets on the wire.", .sub = diagnose_sniffer },
	{ "sys", "The system.", .sub = diagnose_sys },
	{ 0 }
};
