/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is checked before an object is staged: what the schema demands of every table, and the rules
 * of single ones, each with the error an administrator sees.
 */
#include "cfgdb/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "cfgdb/script.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

#define POLICY                                                                 \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset dstaddr all\n" \
	"set schedule always\nset service ALL\n"
#define VIP	   "set extintf any\n"
#define DISCARD(n) "object check operator error, " #n ", discard the setting"
#define NO_PEER(ip) \
	{ "system.standalone-cluster", "", \
	  "config cluster-peer\nedit 1\nset peerip " ip "\nnext\nend\n", ERR_VALUE, \
	  ip " is no address that a unit can have\nnode_check_object fail! for peerip " ip \
	  "\n\nvalue parse error before '" ip "'" }
#define NO_URL "callback-url has the form https://HOST/PATH\n" DISCARD(-651)
#define LAST_ADMIN \
	"'admin' is the last administrator with profile 'super_admin' who can log in\n" DISCARD(-7)

#define ADMIN "set accprofile prof_admin\n"
#define ED25519_BYTES "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define ED25519	      "ssh-ed25519 " ED25519_BYTES
#define NO_KIND	  "does not begin with a kind of key that can log in: no options stand there"
#define NO_BASE64 "has no base64 behind its kind, or not all of it"
#define CUT	  "is cut off, or of another kind than it says"
#define KEY_BODY(n, key) ADMIN "set ssh-public-key" n " \"" key "\"\n"
#define GOOD_KEY(n, key) { "system.admin", "bob", KEY_BODY(n, key), 0, NULL }
#define BAD_KEY(n, key, shown, why)                                 \
	{ "system.admin", "bob", KEY_BODY(n, key), ERR_VALUE,       \
	  "ssh-public-key" n " " why                                \
	  "\nnode_check_object fail! for ssh-public-key" n " " shown \
	  "\n\nvalue parse error before '" shown "'" }
#define END_BODY(time) ADMIN "set password-expire " time "\n"
#define GOOD_END(time) { "system.admin", "bob", END_BODY(time), 0, NULL }
#define BAD_END(time)                                                                     \
	{ "system.admin", "bob", END_BODY(time), ERR_VALUE,                               \
	  "password-expire is no time: it has the form YYYY-MM-DD hh:mm:ss\n"             \
	  "node_check_object fail! for password-expire " time "\n\nvalue parse error before '" \
	  time "'" }

static struct engine *engine;
static struct txn *txn;

static const char base[] =
	"config system interface\n"
	"edit port1\nset type physical\nset ip 10.0.1.1/24\nnext\n"
	"edit port2\nset type physical\nset ip 10.0.2.1/24\nnext\n"
	"edit port3\nset type physical\nnext\n"
	"end\n"
	"config system zone\nedit inside\nset interface port2\nnext\nend\n"
	"config firewall address\nedit a\nnext\nedit b\nnext\nend\n"
	"config firewall addrgrp\n"
	"edit g1\nset member a\nnext\n"
	"edit g2\nset member g1\nnext\n"
	"edit g3\nset member b\nset exclude enable\nset exclude-member g2\nnext\n"
	"end\n"
	"config firewall service group\nedit s1\nset member HTTP\nnext\nedit s2\nset member s1\n"
	"next\nend\n"
	"config firewall vip\n"
	"edit v1\nset extip 1.1.1.1\nset mappedip 10.0.2.5\nset extintf port1\n"
	"set portforward enable\n"
	"set extport 80\nset mappedport 8080\nnext\n"
	"edit v2\nset extip 2.2.2.0-2.2.2.9\nset mappedip 10.0.2.10-10.0.2.19\nset extintf any\n"
	"next\n"
	"edit v3\nset extip 3.3.3.3\nset mappedip 10.0.2.5\nset extintf port1\n"
	"set status disable\nnext\n"
	"end\n"
	"config firewall vipgrp\nedit vg\nset interface any\nset member v2\nnext\nend\n"
	"config firewall policy\nedit 7\n" POLICY "next\nedit 8\n" POLICY "set name taken\nnext\n"
	"edit 9\n" POLICY "set dstintf port1\nnext\nend\n"
	"config system standalone-cluster\nconfig cluster-peer\nedit 1\nset peerip 10.0.9.9\n"
	"next\nend\nend\n";

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();
	struct err err = { 0 };

	engine = fixture_engine(dir);
	txn = txn_new(engine, "admin", "test");
	ck_assert_msg(script_load(txn, base, &err) == 0, "%s", err.text);
	ck_assert_msg(txn_commit(txn, &err) == 0, "%s", err.text);
}

static void teardown(void) {
	txn_free(txn);
	engine_close(engine);
}

static const struct {
	const char *table, *key, *body;
	int code;
	const char *text; /* NULL: taken */
} cases[] = {
	/* required attributes */
	{ "firewall.policy", "1", POLICY, 0, NULL },
	{ "firewall.policy", "1", "set srcintf any\n", ERR_EMPTY,
	  "Attribute 'dstintf' MUST be set." },
	{ "firewall.policy", "1", POLICY "unset srcaddr\nset internet-service-src enable\n", 0,
	  NULL },
	{ "firewall.addrgrp", "g", "", ERR_EMPTY, "Attribute 'member' MUST be set." },
	{ "firewall.address", "r", "set type iprange\nset end-ip 1.1.1.1\n", ERR_EMPTY,
	  "Attribute 'start-ip' MUST be set." },
	{ "firewall.vip", "v", "set mappedip 1.1.1.1\n", ERR_EMPTY,
	  "Attribute 'extintf' MUST be set." },
	{ "firewall.vip", "v", VIP, ERR_EMPTY, "Attribute 'mappedip' MUST be set." },
	{ "firewall.vip", "v",
	  VIP "set mappedip 1.1.1.1\nset extip 9.9.9.9\nset portforward enable\n", ERR_EMPTY,
	  "Attribute 'extport' MUST be set." },
	{ "system.vdom-exception", "1", "", ERR_EMPTY, "Attribute 'object' MUST be set." },
	{ "system.session-helper", "30", "set protocol 6\nset port 21\n", ERR_EMPTY,
	  "Attribute 'name' MUST be set." },
	/* a URL that leaves the unit */
	{ "system.auto-scale", "", "set callback-url https://10.0.0.1:8443/role?code=x\n", 0, NULL },
	{ "system.auto-scale", "", "set callback-url HTTPS://host.test\n", 0, NULL },
	{ "system.auto-scale", "", "set callback-url http://host.test/role\n", ERR_VALUE, NO_URL },
	{ "system.auto-scale", "", "set callback-url https://\n", ERR_VALUE, NO_URL },
	{ "system.auto-scale", "", "set callback-url host.test/role\n", ERR_VALUE, NO_URL },
	/* ports with a time of their own */
	{ "system.session-ttl", "",
	  "config port\nedit 1\nset protocol 6\nset start-port 80\n"
	  "set end-port 80\nnext\nend\n",
	  0, NULL },
	{ "system.session-ttl", "",
	  "config port\nedit 1\nset protocol 6\nset start-port 80\n"
	  "next\nend\n",
	  ERR_PORT_RANGE,
	  "end-port must not be below start-port\n"
	  "object check operator error, -363, discard the setting" },
	/* names */
	{ "firewall.addrgrp", "a", "set member b\n", -163,
	  "Name 'a' conflict: 'address group' and 'address' cannot be the same name." },
	{ "firewall.address", "v1", "", -164,
	  "Name 'v1' conflict: 'address' and 'virtual IP' cannot be the same name." },
	{ "firewall.vip", "a", VIP "set mappedip 9.9.9.9\n", -164,
	  "Name 'a' conflict: 'virtual IP' and 'address' cannot be the same name." },
	{ "firewall.vip", "g1", VIP "set mappedip 9.9.9.9\n", -165,
	  "Name 'g1' conflict: 'virtual IP' and 'address group' cannot be the same name." },
	{ "firewall.vipgrp", "v1", "set interface any\nset member v2\n", -310,
	  "Name 'v1' conflict: 'virtual IP group' and 'virtual IP' cannot be the same name." },
	{ "firewall.vipgrp", "a", "set interface any\nset member v2\n", -311,
	  "Name 'a' conflict: 'virtual IP group' and 'address' cannot be the same name." },
	{ "firewall.vipgrp", "g1", "set interface any\nset member v2\n", -312,
	  "Name 'g1' conflict: 'virtual IP group' and 'address group' cannot be the same name." },
	{ "firewall.addrgrp", "vg", "set member b\n", -312,
	  "Name 'vg' conflict: 'address group' and 'virtual IP group' cannot be the same name." },
	{ "system.zone", "port1", "", ERR_NAME_INTERFACE,
	  "Name 'port1' conflict: 'zone' and 'interface' cannot be the same name." },
	{ "system.interface", "inside", "", ERR_NAME_INTERFACE,
	  "Name 'inside' conflict: 'interface' and 'zone' cannot be the same name." },
	{ "firewall.service.group", "HTTP", "set member s1\n", -162,
	  "Name 'HTTP' conflict: 'service group' and 'service' cannot be the same name." },
	{ "firewall.schedule.onetime", "always",
	  "set start 00:00 2024/01/01\nset end 00:00 2024/01/02\n", ERR_EXISTS,
	  "Name 'always' conflict: 'one-time schedule' and 'recurring schedule' cannot be the "
	  "same name." },
	{ "system.zone", "any", "", ERR_NAME_INTERFACE,
	  "Name 'any' conflict: it stands for every interface." },
	{ "system.interface", "any", "", ERR_NAME_INTERFACE,
	  "Name 'any' conflict: it stands for every interface." },
	{ "firewall.address", "any", "", 0, NULL },
	{ "firewall.policy", "9", POLICY "set name taken\n", ERR_DUPLICATE,
	  "firewall policy 8 has the name 'taken' already\n"
	  "object set operator error, -15 discard the setting" },
	{ "firewall.policy", "9", POLICY "set name Taken\n", 0, NULL },
	{ "firewall.policy", "9", POLICY, 0, NULL },
	{ "firewall.policy", "8", POLICY "set name taken\nset status disable\n", 0, NULL },
	{ "firewall.address", "taken", "", 0, NULL },
	/* addresses and groups */
	{ "firewall.address", "r", "set type iprange\nset start-ip 1.1.1.2\nset end-ip 1.1.1.1\n",
	  ERR_IP_RANGE, "end-ip must be greater than start-ip\n" DISCARD(-45) },
	{ "firewall.address", "r", "set type iprange\nset start-ip 1.1.1.1\nset end-ip 1.1.1.1\n",
	  0, NULL },
	{ "firewall.addrgrp", "g1", "set member g1\n", ERR_CONFLICT,
	  "Group 'g1' would contain itself, or groups are nested deeper than 16.\n" DISCARD(-7) },
	{ "firewall.addrgrp", "g1", "set member g2\n", ERR_CONFLICT,
	  "Group 'g1' would contain itself, or groups are nested deeper than 16.\n" DISCARD(-7) },
	{ "firewall.addrgrp", "g1", "set member g3\n", ERR_CONFLICT,
	  "Group 'g1' would contain itself, or groups are nested deeper than 16.\n" DISCARD(-7) },
	{ "firewall.addrgrp", "new", "set member new\n", ERR_CONFLICT,
	  "Group 'new' would contain itself, or groups are nested deeper than 16.\n" DISCARD(-7) },
	{ "firewall.addrgrp", "g4", "set member g1 g2 g3 a\n", 0, NULL },
	{ "firewall.service.group", "s1", "set member s2\n", ERR_CONFLICT,
	  "Group 's1' would contain itself, or groups are nested deeper than 16.\n" DISCARD(-7) },
	/* schedules */
	{ "firewall.schedule.onetime", "o",
	  "set start 10:00 2024/01/01\nset end 10:00 2024/01/01\n", ERR_VALUE,
	  "end must be later than start\n" DISCARD(-651) },
	{ "firewall.schedule.onetime", "o",
	  "set start 10:00 2024/01/01\nset end 09:00 2024/01/02\n", 0, NULL },
	/* virtual IPs */
	{ "firewall.vip", "v", VIP "set extip 9.9.9.9\nset mappedip 1.1.1.1-1.1.1.2\n", ERR_VIP,
	  "extip and mappedip must hold equally many addresses\n" DISCARD(-36) },
	{ "firewall.vip", "v", VIP "set extip 9.9.9.9-9.9.9.10\nset mappedip 1.1.1.1 1.1.1.2\n",
	  ERR_VIP, "extip and mappedip must hold equally many addresses\n" DISCARD(-36) },
	{ "firewall.vip", "v",
	  VIP "set extip 9.9.9.9\nset mappedip 1.1.1.1\nset portforward enable\nset extport 1-3\n"
	      "set mappedport 1-2\n",
	  ERR_VIP, "extport and mappedport must hold equally many ports\n" DISCARD(-36) },
	{ "firewall.vip", "v",
	  "set extintf port1\nset extip 1.1.1.1\nset mappedip 9.9.9.9\nset portforward enable\n"
	  "set extport 79-81\nset mappedport 79-81\n",
	  ERR_VIP,
	  "The external address and port of 'v' are duplicated with another vip 'v1'\n" DISCARD(
		  -36) },
	{ "firewall.vip", "v", VIP "set extip 1.1.1.1\nset mappedip 9.9.9.9\n", ERR_VIP,
	  "The external address and port of 'v' are duplicated with another vip 'v1'\n" DISCARD(
		  -36) },
	{ "firewall.vip", "v", "set extintf port2\nset extip 1.1.1.1\nset mappedip 9.9.9.9\n", 0,
	  NULL },
	{ "firewall.vip", "v",
	  "set extintf port1\nset extip 1.1.1.1\nset mappedip 9.9.9.9\nset portforward enable\n"
	  "set extport 81\nset mappedport 81\n",
	  0, NULL },
	{ "firewall.vip", "v",
	  "set extintf port1\nset extip 1.1.1.1\nset mappedip 9.9.9.9\nset portforward enable\n"
	  "set protocol udp\nset extport 80\nset mappedport 81\n",
	  0, NULL },
	{ "firewall.vip", "v",
	  "set extintf port3\nset extip 2.2.2.9-2.2.2.10\nset mappedip 9.9.9.9-9.9.9.10\n", ERR_VIP,
	  "The external address and port of 'v' are duplicated with another vip 'v2'\n" DISCARD(
		  -36) },
	{ "firewall.vip", "v", "set extintf port1\nset extip 3.3.3.3\nset mappedip 9.9.9.9\n", 0,
	  NULL },
	{ "firewall.vip", "v", VIP "set extip 1.1.1.1\nset mappedip 9.9.9.9\nset status disable\n",
	  0, NULL },
	{ "firewall.vip", "v1", "set extintf port1\nset extip 1.1.1.1\nset mappedip 9.9.9.9\n", 0,
	  NULL },
	/* policies */
	{ "firewall.policy", "0", POLICY, ERR_VALUE,
	  "node_check_object fail! for policyid 0\n\nvalue parse error before '0'" },
	{ "firewall.policy", "1", POLICY "set service HTTP ALL\n", ERR_VALUE,
	  "node_check_object fail! for service ALL\n\nvalue parse error before 'ALL'" },
	{ "firewall.policy", "1", POLICY "set dstaddr v1\nset srcintf inside\n", 0, NULL },
	/* interfaces and zones */
	{ "system.interface", "port3", "set type physical\nset ip 10.0.2.77/25\n", ERR_OVERLAP,
	  "Subnets overlap between 'port3' and the primary IP of 'port2'\n"
	  "object set operator error, -54 discard the setting" },
	{ "system.interface", "port3", "set type physical\nset ip 10.0.0.1/16\n", ERR_OVERLAP,
	  "Subnets overlap between 'port3' and the primary IP of 'port1'\n"
	  "object set operator error, -54 discard the setting" },
	{ "system.interface", "port3", "set type physical\nset ip 10.0.3.1/24\n", 0, NULL },
	{ "system.interface", "port2", "set type physical\nset ip 10.0.2.2/24\n", 0, NULL },
	{ "system.zone", "other", "set interface port3 port2\n", ERR_CONFLICT,
	  "Interface 'port2' is in zone 'inside' already\n\nvalue parse error before 'port2'" },
	{ "system.zone", "other", "set interface port3\n", 0, NULL },
	{ "system.zone", "inside", "set interface port2 port3\n", 0, NULL },
	{ "system.zone", "inside", "set interface port2 port1\n", ERR_ZONE,
	  "Interface 'port1' cannot be in a zone: firewall policy 9 names it\n"
	  "node_check_object fail! for interface port1\n\nvalue parse error before 'port1'" },
	{ "firewall.policy", "1", POLICY "set dstintf port3 port2\n", ERR_CONFLICT,
	  "Interface 'port2' is in zone 'inside': name the zone\n"
	  "node_check_object fail! for dstintf port2\n\nvalue parse error before 'port2'" },
	{ "firewall.policy", "1", POLICY "set srcintf port2\n", ERR_CONFLICT,
	  "Interface 'port2' is in zone 'inside': name the zone\n"
	  "node_check_object fail! for srcintf port2\n\nvalue parse error before 'port2'" },
	{ "firewall.policy", "1", POLICY "set srcintf inside\nset dstintf port1\n", 0, NULL },
	/* administrators: the factory's one is the only super_admin */
	{ "system.admin", "admin", "set accprofile prof_admin\n", ERR_CONFLICT, LAST_ADMIN },
	{ "system.admin", "admin", "set accprofile super_admin\nset remote-auth enable\n",
	  ERR_CONFLICT, LAST_ADMIN },
	{ "system.admin", "admin", "set accprofile super_admin\nset guest-auth enable\n",
	  ERR_CONFLICT, LAST_ADMIN },
	{ "system.admin", "admin", "set accprofile super_admin\nset status disable\n",
	  ERR_CONFLICT, LAST_ADMIN },
	{ "system.admin", "admin", "set accprofile super_admin\nset comments x\n", 0, NULL },
	{ "system.admin", "other", "set accprofile prof_admin\n", 0, NULL },
	{ "system.admin", "admin", "set accprofile super_admin\nset wildcard enable\n",
	  ERR_CONFLICT, LAST_ADMIN },
	GOOD_KEY("1", ED25519),
	GOOD_KEY("2", ED25519 " bob@home, at night"),
	GOOD_KEY("3", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAEQCAgYKDhIWGh4iJiouMjY6P"),
	GOOD_KEY("1", ""),
	BAD_KEY("1", "from=10.0.0.1 " ED25519, "from=10.0.0.1 ssh-ed25519 AAAAC3NzaC1lZD", NO_KIND),
	BAD_KEY("2", "ssh-dss AAAAB3NzaC1kc3M=", "ssh-dss AAAAB3NzaC1kc3M=", NO_KIND),
	BAD_KEY("3", "ssh-ed25519", "ssh-ed25519", "is a kind without a key"),
	BAD_KEY("1", "ssh-ed25519 ", "ssh-ed25519 ", NO_BASE64),
	BAD_KEY("1", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA", NO_BASE64),
	BAD_KEY("1", "ssh-ed25519 AAAAC3Nza,1l", "ssh-ed25519 AAAAC3Nza,1l", NO_BASE64),
	BAD_KEY("1", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", CUT),
	BAD_KEY("1", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAB",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAB", CUT),
	BAD_KEY("1", "ssh-rsa " ED25519_BYTES, "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgME", CUT),
	BAD_KEY("1", ED25519 "\n" ED25519, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAB",
		"is more than one line"),
	GOOD_END("2027-01-01 10:00:00"),
	GOOD_END("\"2028-02-29 23:59:59\""),
	GOOD_END("0000-00-00 00:00:00"),
	BAD_END("tomorrow"),
	BAD_END("2027-02-29 10:00:00"),
	BAD_END("2027-13-01 10:00:00"),
	BAD_END("2027-01-00 10:00:00"),
	BAD_END("2027-01-01 24:00:00"),
	BAD_END("2027-01-01"),
	/* routes */
	{ "router.static", "1", "", ERR_EMPTY, "Attribute 'device' MUST be set." },
	{ "router.static", "1", "set blackhole enable\n", 0, NULL },
	{ "router.static", "1", "set status disable\n", 0, NULL },
	{ "router.static", "1", "set device port1\n", 0, NULL },
	/* groups of units */
	{ "system.standalone-cluster", "",
	  "config cluster-peer\nedit 1\nset peerip 10.0.1.1\nnext\nend\n", ERR_VALUE,
	  "10.0.1.1 is an address of this unit\nnode_check_object fail! for peerip 10.0.1.1\n\n"
	  "value parse error before '10.0.1.1'" },
	NO_PEER("0.0.0.1"),
	NO_PEER("224.0.0.1"),
	NO_PEER("239.255.255.255"),
	NO_PEER("240.0.0.1"),
	NO_PEER("255.255.255.255"),
	{ "system.standalone-cluster", "",
	  "config cluster-peer\nedit 1\nset peerip 223.255.255.1\nnext\nedit 2\nnext\nend\n", 0,
	  NULL },
	{ "system.ha", "", "set mode a-p\n", ERR_HA_AND_SYNC,
	  "session synchronization and HA mode exclude each other" },
	{ "system.ha", "", "set group-id 3\n", 0, NULL },
	{ "system.settings", "", "set opmode transparent\n", ERR_OPMODE,
	  "This product routes: it has no transparent mode.\n"
	  "node_check_object fail! for opmode transparent\n"
	  "Attribute 'opmode' value 'transparent' checking fail -7610" },
};

START_TEST(test_case) {
	struct err err = { 0 };
	int rc = fixture_put(txn, cases[_i].table, cases[_i].key, TXN_ANY, cases[_i].body, &err);

	ck_assert_msg(rc == cases[_i].code, "%s %s\n%s: %d %s", cases[_i].table, cases[_i].key,
		      cases[_i].body, rc, err.text);
	if (!cases[_i].text)
		return;
	ck_assert_str_eq(err.text, cases[_i].text);
	ck_assert_int_eq(err.code, rc);
	ck_assert_uint_eq(txn_staged(txn), 0);
	ck_assert_int_eq(
		fixture_put(txn, cases[_i].table, cases[_i].key, TXN_ANY, cases[_i].body, NULL),
		rc);
}
END_TEST

static void put(const char *table, const char *key, const char *body) {
	struct err err = { 0 };
	int rc = fixture_put(txn, table, key, TXN_ANY, body, &err);

	ck_assert_msg(rc == 0, "%s %s: %d %s", table, key, rc, err.text);
}

/* ---- rules over several objects ---- */

START_TEST(test_overlap_allowed) {
	put("system.settings", "", "set allow-subnet-overlap enable\n");
	put("system.interface", "port3", "set type physical\nset ip 10.0.2.77/25\n");
}
END_TEST

/* An overlap that was found on the machine may stay while the address is not touched. */
START_TEST(test_overlap_found) {
	struct err err = { 0 };

	put("system.settings", "", "set allow-subnet-overlap enable\n");
	put("system.interface", "port3", "set type physical\nset ip 10.0.2.77/25\n");
	ck_assert_int_eq(txn_commit(txn, &err), 0);
	put("system.settings", "", "");
	ck_assert_int_eq(txn_commit(txn, &err), 0);
	put("system.interface", "port3", "set type physical\nset ip 10.0.2.77/25\nset alias x\n");
	ck_assert_int_eq(fixture_put(txn, "system.interface", "port3", TXN_ANY,
				     "set ip 10.0.2.78/25\n", &err),
			 ERR_OVERLAP);
	/* the same holds when the commit looks again, because someone else was faster elsewhere */
	fixture_set(engine, "firewall.address", "z", "");
	ck_assert_msg(txn_commit(txn, &err) == 0, "%s", err.text);
}
END_TEST

/* A zone takes what policies no longer name; what two do at once is found at the commit. */
START_TEST(test_zone_and_policies) {
	struct txn *other = txn_new(engine, "other", "test");
	struct err err = { 0 };

	put("firewall.policy", "9", POLICY "set dstintf port3\n");
	put("system.zone", "outside", "set interface port1\n");
	put("firewall.policy", "9", POLICY "set dstintf outside\n");
	ck_assert_int_eq(txn_commit(txn, &err), 0);
	put("system.zone", "outside", "set interface port1 port3\n");
	ck_assert_int_eq(fixture_put(other, "firewall.policy", "10", TXN_ANY,
				     POLICY "set dstintf port3\n", &err),
			 0);
	ck_assert_int_eq(txn_commit(other, &err), 0);
	ck_assert_int_eq(txn_commit(txn, &err), ERR_LOCKED);
	ck_assert_ptr_nonnull(strstr(err.text, "\nInterface 'port3' cannot be in a zone: "
					       "firewall policy 10 names it\n"));
	put("firewall.policy", "11", POLICY "set dstintf port3\n");
	ck_assert_int_eq(fixture_put(other, "firewall.policy", "10", TXN_ANY, POLICY, &err), 0);
	ck_assert_int_eq(fixture_put(other, "system.zone", "outside", TXN_ANY,
				     "set interface port3\n", &err),
			 0);
	ck_assert_int_eq(txn_commit(other, &err), 0);
	ck_assert_int_eq(txn_commit(txn, &err), ERR_LOCKED);
	ck_assert_ptr_nonnull(
		strstr(err.text, "\nInterface 'port3' is in zone 'outside': name the zone\n"));
	txn_free(other);
}
END_TEST

/* Of several interfaces that are taken the first is named, whichever zone was made first. */
START_TEST(test_zone_names_first) {
	struct err err = { 0 };

	put("firewall.policy", "9", POLICY);
	put("system.zone", "later", "set interface port3\n");
	put("system.zone", "latest", "set interface port1\n");
	ck_assert_int_eq(fixture_put(txn, "system.zone", "both", TXN_NEW,
				     "set interface port1 port3 port2\n", &err),
			 ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.text, "Interface 'port1' is in zone 'latest' already\n"));
	ck_assert_int_eq(fixture_put(txn, "system.zone", "both", TXN_NEW,
				     "set interface port3 port1 port2\n", &err),
			 ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.text, "Interface 'port3' is in zone 'later' already\n"));
}
END_TEST

static int delete_admin(struct txn *t, const char *name, struct err *err) {
	return txn_delete(t, fixture_table("system.admin"), name, err);
}

/*
 * One super_admin is left, whoever deletes, moves or makes how many in one transaction or in two.
 */
START_TEST(test_last_admin) {
	struct txn *other = txn_new(engine, "other", "test");
	struct err err = { 0 };

	ck_assert_int_eq(delete_admin(txn, "admin", &err), ERR_CONFLICT);
	ck_assert_str_eq(err.text, LAST_ADMIN);
	put("system.admin", "remote", "set accprofile super_admin\nset remote-auth enable\n");
	put("system.admin", "boss", "set accprofile super_admin\n");
	put("system.admin", "admin", "set accprofile prof_admin\n");
	ck_assert_int_eq(delete_admin(txn, "boss", &err), ERR_CONFLICT);
	ck_assert_int_eq(fixture_put(txn, "system.admin", "boss", TXN_ANY,
				     "set accprofile prof_admin\n", &err),
			 ERR_CONFLICT);
	put("system.admin", "admin", "set accprofile super_admin\n");
	ck_assert_int_eq(delete_admin(txn, "remote", &err), 0);
	ck_assert_int_eq(txn_commit(txn, &err), 0);
	/* each of two sees the other one's administrator stay */
	ck_assert_int_eq(delete_admin(txn, "admin", &err), 0);
	ck_assert_int_eq(delete_admin(other, "boss", &err), 0);
	ck_assert_int_eq(txn_commit(other, &err), 0);
	ck_assert_int_eq(txn_commit(txn, &err), ERR_LOCKED);
	put("system.admin", "boss", "set accprofile super_admin\n");
	ck_assert_int_eq(txn_commit(txn, &err), 0);
	put("system.admin", "admin", "set accprofile prof_admin\n");
	ck_assert_int_eq(delete_admin(other, "boss", &err), 0);
	ck_assert_int_eq(txn_commit(other, &err), 0);
	ck_assert_int_eq(txn_commit(txn, &err), ERR_LOCKED);
	txn_free(other);
}
END_TEST

/* Who has a name that the machine or nobody can have is none who could log in. */
START_TEST(test_last_admin_name) {
	static const char *const names[] = { "daemon", "bad name", "a:b" };
	const struct schema_table *table = fixture_table("system.admin");
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		put("system.admin", names[i], "set accprofile super_admin\n");
		ck_assert_int_eq(txn_rename(txn, table, "admin", "root", &err), ERR_CONFLICT);
		ck_assert_str_eq(err.text, LAST_ADMIN);
		ck_assert_int_eq(delete_admin(txn, "admin", &err), ERR_CONFLICT);
		ck_assert_str_eq(err.text, LAST_ADMIN);
		ck_assert_int_eq(delete_admin(txn, names[i], &err), 0);
	}
	ck_assert_int_eq(txn_rename(txn, table, "admin", "boss", &err), 0);
}
END_TEST

static void take_text(void *arg, const char *text) {
	str_addf(arg, "%s\n", text);
}

/* What he may put, but has no use of. */
START_TEST(test_admin_warnings) {
	AUTO_STR struct str said = STR_INIT;
	struct err err = { 0 };

	put("system.admin", "bob", ADMIN "set schedule always\n");
	put("system.admin", "carl", ADMIN "set schedule nights\n");
	put("system.admin", "daemon", ADMIN);
	put("system.admin", "bad name", ADMIN);
	ck_assert_msg(txn_commit(txn, &err) == 0, "%s", err.text);
	warn_drain(txn_warnings(txn), take_text, &said);
	ck_assert_str_eq(str_text(&said),
			 "system admin carl: there is no schedule 'nights': he cannot log in over "
			 "the network\n"
			 "system admin daemon: nobody can log in as this administrator: 'daemon' is "
			 "the name of an account of the machine\n"
			 "system admin bad name: nobody can log in as this administrator: 'bad "
			 "name' is no name that a user can have\n");
}
END_TEST

/* What an older release has taken does not keep him from all else. */
START_TEST(test_admin_before) {
	const struct object *bob;
	struct value key = { .n = 1, .u.one.str = xstrdup("no key") };
	struct err err = { 0 };

	put("system.admin", "bob", ADMIN);
	ck_assert_msg(txn_commit(txn, &err) == 0, "%s", err.text);
	bob = model_find(engine->model, fixture_table("system.admin"), "bob");
	object_set((struct object *)bob, SYSTEM_ADMIN__SSH_PUBLIC_KEY1, key);
	put("system.admin", "bob", KEY_BODY("1", "no key") "set comments x\n");
	ck_assert_int_eq(fixture_put(txn, "system.admin", "bob", TXN_ANY, KEY_BODY("2", "no key"),
				     &err),
			 ERR_VALUE);
}
END_TEST

START_TEST(test_ha_and_sync) {
	struct err err = { 0 };

	put("system.standalone-cluster", "", "");
	put("system.ha", "", "set mode a-p\n");
	ck_assert_int_eq(
		fixture_put(txn, "system.standalone-cluster", "", TXN_ANY,
			    "config cluster-peer\nedit 1\nset peerip 10.0.9.9\nnext\nend\n", &err),
		ERR_HA_AND_SYNC);
	ck_assert_int_eq(txn_commit(txn, &err), 0);
}
END_TEST

/* Levels count below and above the group that is put, over what is active and what is staged. */
START_TEST(test_group_depth) {
	struct err err = { 0 };

	put("firewall.addrgrp", "up1", "set member a\n");
	put("firewall.addrgrp", "down1", "set member a\n");
	for (int i = 2; i <= 8; i++) {
		AUTO_FREE char *up = xasprintf("up%d", i), *down = xasprintf("down%d", i);
		AUTO_FREE char *up_body = xasprintf("set member up%d\n", i - 1);
		AUTO_FREE char *down_body = xasprintf("set member down%d\n", i - 1);

		put("firewall.addrgrp", up, up_body);
		put("firewall.addrgrp", down, down_body);
		if (i == 5)
			ck_assert_int_eq(txn_commit(txn, &err), 0);
	}
	put("firewall.addrgrp", "up1", "set member down8\n"); /* 8 above and 8 below: 16 */
	ck_assert_int_eq(
		fixture_put(txn, "firewall.addrgrp", "top", TXN_ANY, "set member up8\n", &err),
		ERR_CONFLICT);
	put("firewall.addrgrp", "down9", "set member down8\n");
	ck_assert_int_eq(
		fixture_put(txn, "firewall.addrgrp", "up1", TXN_ANY, "set member down9\n", &err),
		ERR_CONFLICT);
	ck_assert_int_eq(txn_commit(txn, &err), 0);
}
END_TEST

/* Every group of a level names every group of the next: each is looked at once, not once a path. */
START_TEST(test_group_lattice) {
	struct err err = { 0 };

	for (int level = 0; level < 15; level++)
		for (int i = 0; i < 10; i++) {
			AUTO_FREE char *key = xasprintf("l%d.%d", level, i);
			AUTO_STR struct str body = STR_INIT;

			str_add(&body, "set member");
			for (int n = 0; n < 10 && level > 0; n++)
				str_addf(&body, " l%d.%d", level - 1, n);
			str_add(&body, level > 0 ? "\n" : " a\n");
			put("firewall.addrgrp", key, str_text(&body));
		}
	ck_assert_int_eq(
		fixture_put(txn, "firewall.addrgrp", "l0.0", TXN_ANY, "set member l14.9\n", &err),
		ERR_CONFLICT);
	ck_assert_int_eq(txn_commit(txn, &err), 0);
}
END_TEST

/* ---- room ---- */

START_TEST(test_child_room) {
	AUTO_STR struct str body = STR_INIT;
	struct err err = { 0 };

	str_add(&body, "config cluster-peer\n");
	for (int i = 1; i <= 15; i++)
		str_addf(&body, "edit %d\nset peerip 10.9.9.%d\nnext\n", i, i);
	str_add(&body, "end\n");
	put("system.standalone-cluster", "", str_text(&body));
	str_clear(&body);
	str_add(&body, "config cluster-peer\n");
	for (int i = 1; i <= 16; i++)
		str_addf(&body, "edit %d\nnext\n", i);
	str_add(&body, "end\n");
	ck_assert_int_eq(
		fixture_put(txn, "system.standalone-cluster", "", TXN_ANY, str_text(&body), &err),
		ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text, "Maximum number of entries: 15;\n"
				   "object set operator error, -4 discard the setting");
}
END_TEST

/* A command with interfaces number 1 to n, as the body of standalone-cluster; the caller frees. */
static char *with_interfaces(const char *before, int n, const char *after) {
	struct str body = STR_INIT;

	str_add(&body, before);
	for (int i = 1; i <= n; i++)
		str_addf(&body, " i%d", i);
	str_addf(&body, "\n%s", after);
	return str_steal(&body);
}

#define DOWN "config cluster-peer\nedit 1\nset down-intfs-before-sess-sync"

static const struct {
	const char *before, *after, *attr;
	int most;
} rooms[] = {
	{ "set session-sync-dev", "", "session-sync-dev", 8 },
	{ DOWN, "next\nend\n", "down-intfs-before-sess-sync", 16 },
};

START_TEST(test_interfaces_room) {
	AUTO_FREE char *all = with_interfaces(rooms[_i].before, rooms[_i].most, rooms[_i].after);
	AUTO_FREE char *more =
		with_interfaces(rooms[_i].before, rooms[_i].most + 1, rooms[_i].after);
	AUTO_FREE char *text = xasprintf("%s takes %d interfaces at most\n"
					 "object set operator error, -4 discard the setting",
					 rooms[_i].attr, rooms[_i].most);
	struct err err = { 0 };

	for (int i = 1; i <= rooms[_i].most + 1; i++) {
		AUTO_FREE char *name = xasprintf("i%d", i);

		put("system.interface", name, "set type physical\n");
	}
	put("system.standalone-cluster", "", all);
	ck_assert_int_eq(
		fixture_put(txn, "system.standalone-cluster", "", TXN_ANY, more, &err),
		ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text, text);
}
END_TEST

/* ---- the form a table keeps ---- */

static const struct {
	const char *body, *kept;
} adjusted[] = {
	{ "set srcaddr all a\n", "set srcaddr \"a\"\n" },
	{ "set srcaddr a all b\n", "set srcaddr \"a\" \"b\"\n" },
	{ "set srcaddr all\n", "set srcaddr \"all\"\n" },
	{ "set dstaddr b all\n", "set dstaddr \"b\"\n" },
	{ "set srcintf any port1\n", "set srcintf \"port1\"\n" },
	{ "set dstintf any port1\n", "set dstintf \"any\" \"port1\"\n" },
	{ "set service ALL HTTP\n", "set service \"ALL\" \"HTTP\"\n" },
};

START_TEST(test_adjust) {
	struct object *obj = object_new(fixture_table("firewall.policy"), "1");
	AUTO_STR struct str out = STR_INIT;

	ck_assert_int_eq(text_parse(obj, adjusted[_i].body, NULL), 0);
	check_adjust(obj);
	text_body(obj, 0, 0, &out);
	ck_assert_str_eq(str_text(&out), adjusted[_i].kept);
	object_free(obj);
}
END_TEST

static Suite *rules_suite(void) {
	Suite *s = suite_create("rules");
	TCase *t = fixture_case(s, "rules");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_case, 0, ARRAY_LEN(cases));
	tcase_add_test(t, test_overlap_allowed);
	tcase_add_test(t, test_overlap_found);
	tcase_add_test(t, test_zone_and_policies);
	tcase_add_test(t, test_zone_names_first);
	tcase_add_test(t, test_last_admin);
	tcase_add_test(t, test_last_admin_name);
	tcase_add_test(t, test_admin_warnings);
	tcase_add_test(t, test_admin_before);
	tcase_add_test(t, test_ha_and_sync);
	tcase_add_test(t, test_group_depth);
	tcase_add_test(t, test_group_lattice);
	tcase_add_test(t, test_child_room);
	tcase_add_loop_test(t, test_interfaces_room, 0, ARRAY_LEN(rooms));
	tcase_add_loop_test(t, test_adjust, 0, ARRAY_LEN(adjusted));
	return s;
}

int main(void) {
	return fixture_run(rules_suite());
}
