/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transcripts: what is typed, what is printed, where one stands afterwards. Each case starts at the
 * root of a fresh shell that knows two interfaces, two addresses, a schedule and a service; the
 * text is compared to the byte, the texts and codes of errors included. Below them: what a
 * transcript cannot tell, such as how often the daemon is asked.
 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fake_shell.h"

#define POLICY \
	"config firewall policy\nedit 5\nset srcintf port1\nset dstintf port2\nset srcaddr all\n" \
	"set dstaddr web\nset action accept\nset schedule always\nset service ALL\n" \
	"set uuid 00000000-0000-4000-8000-000000000001\n"

#define UUID "        set uuid 00000000-0000-4000-8000-000000000001\n"

#define POLICY_SHOWN \
	"config firewall policy\n    edit 5\n" UUID \
	"        set srcintf \"port1\"\n        set dstintf \"port2\"\n" \
	"        set action accept\n" \
	"        set srcaddr \"all\"\n        set dstaddr \"web\"\n" \
	"        set schedule \"always\"\n" \
	"        set service \"ALL\"\n    next\nend\n"

#define SHOWN_SRCADDR(names) \
	"config firewall policy\n    edit 5\n        set srcaddr " names "\n    next\nend\n"
#define SHOWN_DSTADDR \
	"config firewall policy\n    edit 5\n        set dstaddr \"web\"\n    next\nend\n"

#define PEER \
	"config system standalone-cluster\nedit 1\nset peerip 10.0.0.1\n" \
	"config session-sync-filter\nset srcaddr 10.0.0.0/8\nend\n"

#define FAIL(code) "Command fail. Return code " #code "\n"

#define INCOMPLETE "\nincomplete command in the end\n" FAIL(-160)
#define REFUSED(word) "\ncommand parse error before '" word "'\n" FAIL(-61)
#define UNKNOWN "Unknown action 0\n"
#define NOT_THERE "entry is not found in table\n" FAIL(-3)
#define TAKEN(key) \
	"entry '" key "' exists already\n\nvalue parse error before '" key "'\n" FAIL(-5)
#define CLASH \
	"Name 'web' conflict: 'address' and 'address group' cannot be the same name.\n" \
	"node_check_object fail! for name web\n\nvalue parse error before 'web'\n" FAIL(-163)

static const struct {
	const char *typed, *printed, *prompt;
} cases[] = {
	/* prompts */
	{ "", "", "gate # " },
	{ "config firewall service custom", "", "gate (custom) # " },
	{ "config system ha", "", "gate (ha) # " },
	{ "config system cluster-sync", "", "gate (cluster-sync) # " },
	{ "config firewall address\nedit \"my host\"", "new entry 'my host' added\n",
	  "gate (my host) # " },
	{ "config router static\nedit 0", "new entry '0' added\n", "gate (0) # " },
	{ "config router static\nedit 007", "new entry '7' added\n", "gate (7) # " },
	{ "config system standalone-cluster\nedit 1", "new entry '1' added\n", "gate (1) # " },
	{ "config system standalone-cluster\nedit 1\nnext", "new entry '1' added\n",
	  "gate (standalone-cluster) # " },
	{ "config system standalone-cluster\nedit 1\nend", "new entry '1' added\n", "gate # " },
	{ "config system cluster-sync\nedit 1\nnext", "new entry '1' added\n",
	  "gate (cluster-sync) # " },
	{ "config system cluster-sync\nedit 1\nend", "new entry '1' added\n", "gate # " },
	{ "config system cluster-sync\nedit 1\nabort", "new entry '1' added\n", "gate # " },
	{ "config system standalone-cluster\nconfig cluster-peer\nedit 1\n"
	  "config session-sync-filter\n"
	  "config custom-service", "new entry '1' added\n", "gate (custom-service) # " },
	{ "config system standalone-cluster\nconfig cluster-peer\nedit 1\n"
	  "config session-sync-filter\n"
	  "config custom-service\nend", "new entry '1' added\n", "gate (session-sync-filter) # " },
	{ "config system standalone-cluster\nconfig cluster-peer\nedit 1\n"
	  "config session-sync-filter\nend",
	  "new entry '1' added\n", "gate (1) # " },
	{ "config system standalone-cluster\nconfig cluster-peer\nedit 1\nend",
	  "new entry '1' added\n",
	  "gate (standalone-cluster) # " },

	/* void lines */
	{ "\n   \n# comment\n", "", "gate # " },

	/* show, get */
	{ POLICY "show\nnext\nshow\nshow 5\nend\nshow firewall policy\nshow firewall policy 5",
	  "new entry '5' added\n" POLICY_SHOWN POLICY_SHOWN POLICY_SHOWN POLICY_SHOWN POLICY_SHOWN,
	  "gate # " },
	{ POLICY "next\nshow 6", "new entry '5' added\nentry is not found in table\n" FAIL(-3),
	  "gate (policy) # " },
	{ "show firewall vip\nshow system ha", "config firewall vip\nend\n"
	  "config system ha\n    set override disable\nend\n", "gate # " },
	{ "show firewall policy x", "entry is not found in table\n" FAIL(-3), "gate # " },
	{ "get firewall address nobody", "entry is not found in table\n" FAIL(-3), "gate # " },
	{ "get firewall schedule recurring", "== [ always ]\nname: always   \n", "gate # " },
	{ "get system console", "mode                : line \nbaudrate            : 9600 \n"
	  "output              : more \nlogin               : enable \n",
	  "gate # " },
	{ "config system cluster-sync\nedit 1\nset peerip 10.0.0.1\nshow\nend\n"
	  "show system cluster-sync\n"
	  "show system standalone-cluster\nshow system cluster-sync 1\nshow system cluster-sync 2",
	  "new entry '1' added\n"
	  "config system standalone-cluster\n    edit 1\n        set peerip 10.0.0.1\n    next\n"
	  "end\n"
	  "config system standalone-cluster\n    edit 1\n        set peerip 10.0.0.1\n    next\n"
	  "end\n"
	  "config system standalone-cluster\n    config cluster-peer\n        edit 1\n"
	  "            set peerip 10.0.0.1\n        next\n    end\nend\n"
	  "config system standalone-cluster\n    edit 1\n        set peerip 10.0.0.1\n    next\n"
	  "end\n"
	  "entry is not found in table\n" FAIL(-3), "gate # " },
	{ "config system standalone-cluster\nconfig cluster-peer\nedit 1\nset peerip 10.0.0.1\n"
	  "show\nnext\nshow\n"
	  "delete 1\nshow",
	  "new entry '1' added\nconfig cluster-peer\n    edit 1\n        set peerip 10.0.0.1\n"
	  "    next\nend\n"
	  "config cluster-peer\n    edit 1\n        set peerip 10.0.0.1\n    next\nend\n"
	  "config cluster-peer\nend\n",
	  "gate (cluster-peer) # " },

	/* names that follow lead inside */
	{ POLICY "next\nend\nshow firewall policy 5 srcaddr\nget firewall policy 5 srcaddr\n"
	  "show firewall policy 5 logtraffic-start\n"
	  "show full-configuration firewall policy 5 logtraffic-start\nget fire pol 5 logtraffic-s",
	  "new entry '5' added\nconfig firewall policy\n    edit 5\n        set srcaddr \"all\"\n"
	  "    next\nend\nsrcaddr             : all\n"
	  "config firewall policy\n    edit 5\n    next\nend\n"
	  "config firewall policy\n    edit 5\n        set logtraffic-start disable\n    next\n"
	  "end\nlogtraffic-start    : disable \n",
	  "gate # " },
	{ POLICY "show dstaddr\nget dstaddr\nshow full schedule\nnext\nshow 5 dstaddr\nget 5 dstaddr",
	  "new entry '5' added\n" SHOWN_DSTADDR "dstaddr             : web\n"
	  "config firewall policy\n    edit 5\n        set schedule \"always\"\n    next\nend\n"
	  SHOWN_DSTADDR "dstaddr             : web\n", "gate (policy) # " },
	{ PEER "end\nshow system standalone-cluster cluster-peer 1 peerip\n"
	  "show system standalone-cluster cluster-peer 1 session-sync-filter\n"
	  "show system cluster-sync 1 session-sync-filter srcaddr\n"
	  "get system standalone-cluster cluster-peer\n"
	  "get system standalone-cluster cluster-peer 1 session-sync-filter srcaddr",
	  "new entry '1' added\nconfig system standalone-cluster\n    config cluster-peer\n"
	  "        edit 1\n            set peerip 10.0.0.1\n        next\n    end\nend\n"
	  "config system standalone-cluster\n    config cluster-peer\n        edit 1\n"
	  "            config session-sync-filter\n"
	  "                set srcaddr 10.0.0.0 255.0.0.0\n            end\n"
	  "        next\n    end\nend\n"
	  "config system standalone-cluster\n    edit 1\n        config session-sync-filter\n"
	  "            set srcaddr 10.0.0.0 255.0.0.0\n        end\n    next\nend\n"
	  "== [ 1 ]\nsync-id: 1   peerip: 10.0.0.1   \n"
	  "srcaddr             : 10.0.0.0 255.0.0.0\n", "gate # " },
	{ PEER "show\nshow session-sync-filter srcaddr\nnext\nshow cluster-peer 1 peerip\n"
	  "get cluster-peer 1 peerip\nconfig cluster-peer\nshow 1 peerip\nget 1 peerip\nget",
	  "new entry '1' added\nconfig system standalone-cluster\n    edit 1\n"
	  "        set peerip 10.0.0.1\n        config session-sync-filter\n"
	  "            set srcaddr 10.0.0.0 255.0.0.0\n        end\n    next\nend\n"
	  "config system standalone-cluster\n    edit 1\n        config session-sync-filter\n"
	  "            set srcaddr 10.0.0.0 255.0.0.0\n        end\n    next\nend\n"
	  "config system standalone-cluster\n    config cluster-peer\n        edit 1\n"
	  "            set peerip 10.0.0.1\n        next\n    end\nend\n"
	  "peerip              : 10.0.0.1\n"
	  "config cluster-peer\n    edit 1\n        set peerip 10.0.0.1\n    next\nend\n"
	  "peerip              : 10.0.0.1\n== [ 1 ]\nsync-id: 1   peerip: 10.0.0.1   \n",
	  "gate (cluster-peer) # " },
	/* nested tables in which nothing is, are shown when they are asked for */
	{ "show system ha vcluster\nget system ha vcluster\n"
	  "show system ha secondary-vcluster\nget system ha secondary-vcluster vcluster-id",
	  "config system ha\n    config vcluster\n    end\nend\n"
	  "config system ha\n    config secondary-vcluster\n    end\nend\n"
	  "vcluster-id         : 1\n", "gate # " },
	/* refused at the word that leads nowhere */
	{ "show system ha colour\nget system ha mode red\nshow system ha vcluster 1\n"
	  "show system ha vcluster x\nget firewall address web colour\nshow firewall address x y\n"
	  "show firewall address web name\nget firewall address web s",
	  "\ncommand parse error before 'colour'\n" FAIL(-61)
	  "\ncommand parse error before 'red'\n" FAIL(-61)
	  "entry is not found in table\n" FAIL(-3) "entry is not found in table\n" FAIL(-3)
	  "\ncommand parse error before 'colour'\n" FAIL(-61)
	  "entry is not found in table\n" FAIL(-3)
	  "\ncommand parse error before 'name'\n" FAIL(-61)
	  "subnet              : 10.0.0.0 255.255.255.0\n", "gate # " },
	{ POLICY "set action deny\nshow srcaddr x\nget nat\nget srca\nnext\nshow 6 srcaddr\nget 5 colour",
	  "new entry '5' added\n\ncommand parse error before 'x'\n" FAIL(-61)
	  "\ncommand parse error before 'nat'\n" FAIL(-61)
	  "\nambiguous command before 'srca'\n" FAIL(-61)
	  "entry is not found in table\n" FAIL(-3)
	  "\ncommand parse error before 'colour'\n" FAIL(-61), "gate (policy) # " },

	/* edit 0: the prompt says 0, show the number */
	{ POLICY "next\nedit 0\nset uuid 00000000-0000-4000-8000-000000000001\nshow",
	  "new entry '5' added\nnew entry '0' added\nconfig firewall policy\n"
	  "    edit 6\n" UUID "    next\nend\n",
	  "gate (0) # " },
	{ "config router static\nedit 00\nset device port1\nnext\nclone 1 to 000\nget | grep ==",
	  "new entry '0' added\n== [ 1 ]\n== [ 2 ]\n", "gate (static) # " },
	{ "config system standalone-cluster\nedit 7\nnext\nedit 0\nshow",
	  "new entry '7' added\nnew entry '0' added\nconfig system standalone-cluster\n"
	  "    edit 8\n    next\nend\n",
	  "gate (0) # " },

	/* set, append, unselect, unset */
	{ POLICY "set srcaddr all nobody\nshow",
	  "new entry '5' added\nentry not found in datasource\n\n"
	  "value parse error before 'nobody'\n" FAIL(-3) POLICY_SHOWN, "gate (5) # " },
	{ POLICY "set srcintf port1 port1\nshow", "new entry '5' added\n" POLICY_SHOWN,
	  "gate (5) # " },
	{ "config system auto-scale\nset psksecret ENC abcd\nset psksecret ENC foreign\n"
	  "set hb-interval 5\nshow",
	  "the ENC text is none that this unit made for such a secret: type it in clear\n"
	  "node_check_object fail! for psksecret ***\n\nvalue parse error before '***'\n" FAIL(-651)
	  "config system auto-scale\n    set hb-interval 5\n    set psksecret ENC abcd\nend\n",
	  "gate (auto-scale) # " },
	{ POLICY "append srcaddr web\nunselect srcaddr web\nshow",
	  "new entry '5' added\n" POLICY_SHOWN,
	  "gate (5) # " },
	{ POLICY "append srcaddr all\nshow", "new entry '5' added\n" POLICY_SHOWN, "gate (5) # " },
	{ POLICY "select srcaddr web\nshow srcaddr\nselect srcaddr nobody\nselect action deny\n"
	  "select srcaddr\nshow srcaddr",
	  "new entry '5' added\n" SHOWN_SRCADDR("\"web\"")
	  "entry not found in datasource\n\nvalue parse error before 'nobody'\n" FAIL(-3)
	  "\ncommand parse error before 'action'\n" FAIL(-61)
	  "\nincomplete command in the end\n" FAIL(-160)
	  SHOWN_SRCADDR("\"web\""), "gate (5) # " },
	{ POLICY "clear srcaddr x\nclear action\nclear colour\nclear\nclear srcaddr\nshow srcaddr\n"
	  "next",
	  "new entry '5' added\n\ncommand parse error before 'x'\n" FAIL(-61)
	  "\ncommand parse error before 'action'\n" FAIL(-61)
	  "\ncommand parse error before 'colour'\n" FAIL(-61)
	  "\nincomplete command in the end\n" FAIL(-160)
	  "config firewall policy\n    edit 5\n    next\nend\n"
	  "Attribute 'srcaddr' MUST be set.\n" FAIL(-56), "gate (policy) # " },
	/* a list without values would be at its default again */
	{ "config firewall schedule recurring\nedit x\nclear day",
	  "new entry 'x' added\nAttribute 'day' MUST be set.\n" FAIL(-56), "gate (x) # " },
	{ POLICY "append action accept", "new entry '5' added\n\n"
	  "command parse error before 'action'\n" FAIL(-61),
	  "gate (5) # " },
	{ POLICY "append srcaddr nobody", "new entry '5' added\nentry not found in datasource\n\n"
	  "value parse error before 'nobody'\n" FAIL(-3), "gate (5) # " },
	{ POLICY "unselect srcaddr web", "new entry '5' added\nentry is not found in table\n\n"
	  "value parse error before 'web'\n" FAIL(-3), "gate (5) # " },
	/* the word that is not there is named */
	{ POLICY "unselect srcaddr all web", "new entry '5' added\nentry is not found in table\n\n"
	  "value parse error before 'web'\n" FAIL(-3), "gate (5) # " },
	{ POLICY "unselect srcaddr all\nnext",
	  "new entry '5' added\nAttribute 'srcaddr' MUST be set.\n" FAIL(-56),
	  "gate (policy) # " },
	{ POLICY "set nat enable\nunset nat\nset comments x\nunset comments\nshow",
	  "new entry '5' added\n" POLICY_SHOWN, "gate (5) # " },
	{ POLICY "unset action deny\nunset colour\nconfig firewall vip", "new entry '5' added\n"
	  "\ncommand parse error before 'deny'\n" FAIL(-61) "\n"
	  "command parse error before 'colour'\n" FAIL(-61)
	  "\ncommand parse error before 'firewall'\n" FAIL(-61), "gate (5) # " },
	{ POLICY "set action", "new entry '5' added\n\nincomplete command in the end\n" FAIL(-160),
	  "gate (5) # " },
	{ POLICY "set colour red", "new entry '5' added\n\n"
	  "command parse error before 'colour'\n" FAIL(-61),
	  "gate (5) # " },
	{ POLICY "set action deny\nset nat enable",
	  "new entry '5' added\n\ncommand parse error before 'nat'\n"
	  FAIL(-61), "gate (5) # " },
	/* what exists no longer is not shown */
	{ POLICY "set nat enable\nset action deny\nset action accept\nunset action\n"
	  "set action deny\nshow",
	  "new entry '5' added\nconfig firewall policy\n    edit 5\n" UUID
	  "        set srcintf \"port1\"\n        set dstintf \"port2\"\n"
	  "        set srcaddr \"all\"\n        set dstaddr \"web\"\n"
	  "        set schedule \"always\"\n"
	  "        set service \"ALL\"\n    next\nend\n", "gate (5) # " },

	/* what is saved when */
	{ POLICY "abort\nshow firewall policy",
	  "new entry '5' added\nconfig firewall policy\nend\n", "gate # " },
	{ POLICY "end\nshow firewall policy", "new entry '5' added\n" POLICY_SHOWN, "gate # " },
	{ POLICY "next\ndelete 5\nshow\ndelete 5",
	  "new entry '5' added\nconfig firewall policy\nend\n"
	  "entry is not found in table\n" FAIL(-3), "gate (policy) # " },
	{ "config firewall policy\nedit 1\nend\nshow firewall policy", "new entry '1' added\n"
	  "Attribute 'srcintf' MUST be set.\n" FAIL(-56) "config firewall policy\nend\n",
	  "gate # " },
	{ "config system ha\nset group-name x\nabort\nshow system ha",
	  "config system ha\n    set override disable\nend\n", "gate # " },
	{ "config system standalone-cluster\nconfig cluster-peer\nedit 1\nset peerip 10.0.0.1\n"
	  "next\nend\nabort\n"
	  "show system standalone-cluster",
	  "new entry '1' added\nconfig system standalone-cluster\nend\n",
	  "gate # " },
	{ "config system standalone-cluster\nconfig cluster-peer\nedit 1\nset peerip 10.0.0.1\n"
	  "config session-sync-filter\nset srcaddr 10.0.0.0/8\nabort\nshow",
	  "new entry '1' added\nconfig cluster-peer\n    edit 1\n        set peerip 10.0.0.1\n"
	  "    next\nend\n",
	  "gate (1) # " },
	{ "config system standalone-cluster\nedit 1\nset peerip 10.0.0.1\nnext\n"
	  "set standalone-group-id 7\nabort\n"
	  "show system standalone-cluster",
	  "new entry '1' added\nconfig system standalone-cluster\n"
	  "    config cluster-peer\n        edit 1\n            set peerip 10.0.0.1\n"
	  "        next\n    end\nend\n",
	  "gate # " },

	/* whole entries */
	{ POLICY "next\nend\nconfig firewall address\nrename web to www\nend\n"
	  "show firewall policy 5 dstaddr",
	  "new entry '5' added\nconfig firewall policy\n    edit 5\n        set dstaddr \"www\"\n"
	  "    next\nend\n", "gate # " },
	{ POLICY "next\nclone 5 to 0\nclone 5 t 9\nmove 9 before 5\nmove 6 be 5\nmove 5 a 6\n"
	  "get | grep ==",
	  "new entry '5' added\n== [ 9 ]\n== [ 6 ]\n== [ 5 ]\n", "gate (policy) # " },
	{ POLICY "next\nrename 5 to 0\npurge\nshow", "new entry '5' added\n"
	  "config firewall policy\nend\n", "gate (policy) # " },
	{ "config firewall addrgrp\nedit g\nset member web\nnext\nclone g to h\n"
	  "get g uuid | grep -c :\nshow h member\nend\n",
	  "new entry 'g' added\n1\nconfig firewall addrgrp\n    edit \"h\"\n"
	  "        set member \"web\"\n    next\nend\n", "gate # " },
	{ "config firewall address\nrename web\nrename web too www\nrename web to\n"
	  "rename web to a b\nrename nobody to x\nrename web to all\nrename web to \"<b>\"\n"
	  "clone web\nclone web at x\nclone nobody to x\nclone web to all\nclone web to \"\"",
	  INCOMPLETE REFUSED("too") INCOMPLETE REFUSED("b")
	  "entry is not found in table\n" FAIL(-3) "entry exists already\n" FAIL(-5)
	  "The string contains XSS vulnerability characters\n\n"
	  "value parse error before '<b>'\n" FAIL(-173)
	  INCOMPLETE REFUSED("at") "entry is not found in table\n" FAIL(-3)
	  "entry 'all' exists already\n\nvalue parse error before 'all'\n" FAIL(-5)
	  "Attribute 'name' MUST be set.\n" FAIL(-56), "gate (address) # " },
	{ "config firewall address\nmove web before all\npurge x\nend\nconfig firewall policy\n"
	  "move 1 before\nmove 1 behind 2\nmove 1 before 1\nmove 1 after 2\nmove x after 2\n"
	  "rename x to 3\nclone 1 to x",
	  UNKNOWN REFUSED("x") INCOMPLETE REFUSED("behind")
	  "an entry cannot stand before or after itself\n\nvalue parse error before '1'\n"
	  FAIL(-651) "entry is not found in table\n" FAIL(-3)
	  "invalid unsigned integer value: x\n\nvalue parse error before 'x'\n" FAIL(-651)
	  "invalid unsigned integer value: x\n\nvalue parse error before 'x'\n" FAIL(-651)
	  "invalid unsigned integer value: x\n\nvalue parse error before 'x'\n" FAIL(-651),
	  "gate (policy) # " },
	{ "config firewall addrgrp\nedit g\nset member all\nnext\nrename g to web\nclone g to web",
	  "new entry 'g' added\n" CLASH CLASH, "gate (addrgrp) # " },
	/* where they do not exist */
	{ "rename a to b\nconfig firewall address\nedit web\nrename a to b\npurge\nend\n"
	  "config system standalone-cluster\npurge\nmove 1 before 2",
	  UNKNOWN UNKNOWN UNKNOWN UNKNOWN UNKNOWN, "gate (standalone-cluster) # " },
	/* in nested tables they change the buffer */
	{ "config webfilter profile\nedit p\nconfig ftgd-wf\nconfig filters\nedit 1\nset action block\n"
	  "next\nedit 2\nnext\nedit 3\nnext\nmove 3 before 1\nclone 1 to 0\nrename 2 to 7\n"
	  "move 1 after 7\nget\nmove 9 after 1\nmove 1 before 9\nrename 9 to 10\nrename 1 to 3\n"
	  "clone 1 to 3\nclone 9 to 10\nshow 4 action\npurge\nshow\nend\nend\nabort\n"
	  "show webfilter profile",
	  "new entry 'p' added\nnew entry '1' added\nnew entry '2' added\nnew entry '3' added\n"
	  "== [ 3 ]\nid: 3   \n== [ 7 ]\nid: 7   \n== [ 1 ]\nid: 1   action: block    \n"
	  "== [ 4 ]\nid: 4   action: block    \n"
	  NOT_THERE NOT_THERE NOT_THERE TAKEN("3") TAKEN("3") NOT_THERE
	  "config filters\n    edit 4\n        set action block\n    next\nend\n"
	  "config filters\nend\nconfig webfilter profile\nend\n", "gate # " },
	/* behind an alias, or directly below their object, they are written at once */
	{ PEER "next\nclone 1 to 2\nrename 1 to 5\nabort\nconfig system cluster-sync\n"
	  "rename 5 to 1\nclone 2 to 0\nclone 2 to 0\nrename 9 to 8\nabort\n"
	  "get system cluster-sync\nconfig system cluster-sync\npurge\nabort\n"
	  "show system standalone-cluster",
	  "new entry '1' added\n" NOT_THERE
	  "== [ 1 ]\nsync-id: 1   peerip: 10.0.0.1   \n== [ 2 ]\nsync-id: 2   peerip: 10.0.0.1   \n"
	  "== [ 3 ]\nsync-id: 3   peerip: 10.0.0.1   \n== [ 4 ]\nsync-id: 4   peerip: 10.0.0.1   \n"
	  "config system standalone-cluster\nend\n", "gate # " },

	/* errors */
	{ "delte", "Unknown action 0\n", "gate # " },
	{ "end", "Unknown action 0\n", "gate # " },
	{ "config firewall address\nexit", "please use 'end' to return to root shell\n",
	  "gate (address) # " },
	{ "config firewall address\ndelete web\ndelete all", "", "gate (address) # " },
	{ POLICY "end\nconfig firewall address\ndelete web", "new entry '5' added\n"
	  "The entry is used by other 1 entries\n" FAIL(-23), "gate (address) # " },
	{ "config firewall address\nedit \"<b>\"",
	  "The string contains XSS vulnerability characters\n\n"
	  "value parse error before '<b>'\n" FAIL(-173), "gate (address) # " },
	{ "config firewall policy\nedit first", "invalid unsigned integer value: first\n\n"
	  "value parse error before 'first'\n" FAIL(-651), "gate (policy) # " },
	{ "config firewall addrgrp\nedit web",
	  "Name 'web' conflict: 'address' and 'address group' cannot be the "
	  "same name.\nnode_check_object fail! for name web\n\n"
	  "value parse error before 'web'\n" FAIL(-163),
	  "gate (addrgrp) # " },
	{ "config system zone\nedit port1",
	  "Name 'port1' conflict: 'interface' and 'zone' cannot be the "
	  "same name.\nnode_check_object fail! for name port1\n\n"
	  "value parse error before 'port1'\n" FAIL(-553),
	  "gate (zone) # " },
	{ "set \"", "", "gate # " },

	/* commands of the daemon get their words in full */
	{ "diag sys vd li\nget ro in ro al\ndiag fire ipr sh 100004 2",
	  "diagnose sys vd list\nget router info routing-table all\n"
	  "diagnose firewall iprope show 100004 2\n", "gate # " },
	{ "execute ping -f\nexecute ping a;b", "\ncommand parse error before '-f'\n" FAIL(-61)
	  "\ncommand parse error before 'a;b'\n" FAIL(-61), "gate # " },
};

START_TEST(transcripts) {
	AUTO_FREE char *prompt = NULL;
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	ck_assert_str_eq(fake_shell_run(&f, cases[_i].typed), cases[_i].printed);
	prompt = fake_shell_prompt(&f);
	ck_assert_str_eq(prompt, cases[_i].prompt);
	fake_shell_done(&f);
}
END_TEST

static bool answer;

static bool confirm(void *arg, const char *question) {
	(void)arg;
	(void)question;
	return answer;
}

#define ELSEWHERE "config transaction id=3 of bob is open in another session, with 5 changes."

/* What somebody is at work in is not taken away unasked; in a script nobody can be asked. */
START_TEST(a_transaction_is_taken_after_a_question) {
	struct fake_shell f;

	fake_shell_init(&f, SHELL_COMMIT_EACH);
	fake_client_say(f.client, "execute config-transaction elsewhere 3", ELSEWHERE "\n");
	ck_assert_str_eq(fake_shell_run(&f, "execute config-transaction abort 3"),
			 "execute config-transaction abort 3\n");
	f.sh.confirm = confirm;
	answer = false;
	ck_assert_str_eq(fake_shell_run(&f, "execute config-transaction abort 3\n"
					    "execute config-transaction resume 3"),
			 ELSEWHERE "\n" ELSEWHERE "\n");
	answer = true;
	ck_assert_str_eq(fake_shell_run(&f, "execute config-transaction resume 3"),
			 ELSEWHERE "\nexecute config-transaction resume 3\n");
	answer = false;
	ck_assert_str_eq(fake_shell_run(&f, "execute config-transaction abort"),
			 "execute config-transaction abort\n");
	fake_client_say(f.client, "execute config-transaction elsewhere 3", "");
	ck_assert_str_eq(fake_shell_run(&f, "execute config-transaction abort 3"),
			 "execute config-transaction abort 3\n");
	fake_shell_done(&f);
}
END_TEST

/* Text must not come between JSON: what has only text is refused, and so is what picks lines. */
START_TEST(text_is_refused_where_json_is_wanted) {
	static const char *const lines[] = {
		"tree firewall address", "execute date", "execute time", "execute batch status",
		"execute batch start", "execute batch end", "execute ping-options view-settings",
		"execute ping x", "execute traceroute x", "execute backup config flash x",
		"execute backup config -", "execute restore config -", "execute reboot",
		"execute shutdown comment x",
	};
	struct fake_shell f;

	fake_shell_init(&f, SHELL_COMMIT_EACH);
	f.sh.json = true;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const char *said = fake_shell_run(&f, lines[i]);

		ck_assert_msg(strncmp(said, "this command has no JSON form: ", 31) == 0, "%s: %s",
			      lines[i], said);
	}
	ck_assert_str_eq(fake_shell_run(&f, "config firewall address\ntree\nend"),
			 "this command has no JSON form: tree\n" FAIL(-61));
	ck_assert_str_eq(fake_shell_run(&f, "get system global | grep x"),
			 "filters pick lines of text, and JSON (--json) has none of meaning\n"
			 FAIL(-61));
	ck_assert_str_eq(fake_shell_run(&f, "execute ping-options repeat-count 2"), "");
	fake_shell_done(&f);
}
END_TEST

/* What is accepted with a warning is saved; the command has not failed. */
START_TEST(warnings_follow_the_command) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_client_warn(f.client, "put", "it may be too short");
	ck_assert_str_eq(fake_shell_run(&f, "config firewall address\nedit x\nset comment y\nnext"),
			 "new entry 'x' added\nWarning: it may be too short\n");
	ck_assert_str_eq(fake_shell_run(&f, "edit x\nset comment z\nend"),
			 "Warning: it may be too short\n");
	fake_client_warn(f.client, "put", NULL);
	ck_assert_str_eq(fake_shell_run(&f, "config firewall address\nedit x\nset comment a\nend"),
			 "");
	ck_assert_uint_eq(f.sh.failures, 0);
	fake_shell_done(&f);
}
END_TEST

/* Somebody else takes the number that `edit 0` has shown. */
START_TEST(a_new_entry_gets_a_number_that_is_free) {
	static const char entry[] = "config router static\nedit 0\nset device port1";
	struct fake_shell f;
	struct object *other;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, entry);
	other = object_new(schema_find("router.static"), "1");
	other->ver = CLIENT_NEW;
	ck_assert_int_eq(client_put(f.client, other, NULL), 0);
	ck_assert_str_eq(fake_shell_run(&f, "next"), "Warning: it has another number\n");
	ck_assert_str_eq(fake_shell_run(&f, "end\nshow router static"),
			 "config router static\n    edit 1\n    next\n    edit 2\n"
			 "        set device \"port1\"\n    next\nend\n");
	fake_shell_run(&f, entry);
	ck_assert_str_eq(fake_shell_run(&f, "end"), "");
	object_free(other);
	fake_shell_done(&f);
}
END_TEST

START_TEST(deletes_leave_no_stale_reference) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f,
		       "config firewall addrgrp\nedit g\nset member web\nabort\n"
		       "config firewall address\ndelete web\nend\nconfig firewall addrgrp\nedit g");
	ck_assert_str_eq(
		fake_shell_run(&f, "set member web"),
		"entry not found in datasource\n\nvalue parse error before 'web'\n" FAIL(-3));
	fake_shell_done(&f);
}
END_TEST

START_TEST(names_are_asked_for_once) {
	struct fake_shell f;
	unsigned int calls;

	fake_shell_init_objects(&f, SHELL_COMMIT_BLOCK);
	fake_shell_run(&f, POLICY);
	calls = fake_client_calls(f.client, "check_ref");
	ck_assert_uint_eq(calls, 6);
	fake_shell_run(&f, "next\nedit 6\nset srcintf port1\nset srcaddr all\nset service ALL");
	ck_assert_uint_eq(fake_client_calls(f.client, "check_ref"), calls);
	fake_shell_done(&f);
}
END_TEST

START_TEST(an_unchanged_entry_is_not_written) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	unsigned int calls = fake_client_calls(f.client, "put");

	fake_shell_run(
		&f,
		"config firewall address\nedit web\nnext\nedit web\nend\nconfig system ha\nend");
	ck_assert_uint_eq(fake_client_calls(f.client, "put"), calls);
	fake_shell_done(&f);
}
END_TEST

START_TEST(a_full_table_says_so) {
	struct fake_shell f;

	fake_shell_init(&f, SHELL_COMMIT_EACH);
	fake_client_fail(f.client, "put", 1, ERR_MAX_ENTRIES,
			 "object set operator error, -4 discard the setting");
	ck_assert_str_eq(fake_shell_run(&f, "config firewall address\nedit x\nend"),
			 "new entry 'x' added\nobject set operator error, -4 discard the setting\n"
			 "Command fail. Return code -4 (reached the maximum number of entries)\n");
	fake_shell_run(&f, "config system standalone-cluster");
	for (int i = 0; i < 15; i++)
		fake_shell_run(&f, "edit 0\nnext");
	ck_assert_str_eq(fake_shell_run(&f, "edit 0"),
			 "object set operator error, -4 discard the setting\n"
			 "Command fail. Return code -4 (reached the maximum number of entries)\n");
	ck_assert_str_eq(fake_shell_run(&f, "edit 3"), "");
	fake_shell_done(&f);
}
END_TEST

START_TEST(a_lost_connection_ends_all) {
	struct fake_shell f;

	fake_shell_init(&f, SHELL_COMMIT_EACH);
	fake_client_fail(f.client, "get", 1, ERR_TIMEOUT, "gone");
	ck_assert_str_eq(fake_shell_run(&f, "config system ha"), "gone\n" FAIL(-360));
	ck_assert(f.sh.lost);
	ck_assert_uint_eq(f.sh.context.depth, 0);
	fake_shell_done(&f);
}
END_TEST

START_TEST(the_whole_configuration_has_a_header) {
	static const char header[] = "#config-version=GHVM64-7.4.0-FW-build";
	struct fake_shell f;
	const char *text;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	text = fake_shell_run(&f, "show");
	ck_assert_int_eq(strncmp(text, header, strlen(header)), 0);
	ck_assert_ptr_nonnull(strstr(text, ":opmode=0:vdom=0:user=admin\n#conf_file_ver="));
	ck_assert_ptr_nonnull(strstr(text, "\n#buildno="));
	ck_assert_ptr_nonnull(strstr(text, "\n#global_vdom=1\nconfig system "));
	ck_assert_ptr_nonnull(strstr(text, "\nconfig firewall address\n    edit \"all\"\n"));
	ck_assert_ptr_null(strstr(text, "config firewall vip\n"));
	fake_shell_done(&f);
}
END_TEST

/* What `show` prints can be pasted into an empty shell, and shows the same there. */
START_TEST(show_reads_back) {
	static const char more[] = POLICY
		"end\nconfig system standalone-cluster\nedit 3\nset peerip 10.0.0.3\n"
		"config session-sync-filter\nset srcaddr 10.0.0.0/8\nconfig custom-service\n"
		"edit 0\n"
		"set dst-port-range 80\nend\nend\nend\nconfig firewall address\n"
		"edit \"a \\\"b'\\\\c\"\nend\n"
		"config firewall address\nedit x\nset comment \"two\nlines \\\" \\\\ ' end\"\n"
		"end\n";
	AUTO_FREE char *text = NULL;
	struct fake_shell a, b;

	fake_shell_init_objects(&a, SHELL_COMMIT_EACH);
	fake_shell_run(&a, more);
	text = xstrdup(fake_shell_run(&a, "show"));
	ck_assert_ptr_nonnull(strstr(text, "set comment \"two\nlines \\\" \\\\ \\' end\"\n"));
	fake_shell_init(&b, SHELL_COMMIT_EACH);
	fake_shell_run(&b, text);
	ck_assert_uint_eq(b.sh.failures, 0);
	ck_assert_str_eq(fake_shell_run(&b, "show"), text);
	fake_shell_done(&a);
	fake_shell_done(&b);
}
END_TEST

/* What is typed may hold newlines: none of them makes a line of an error. */
START_TEST(errors_keep_their_lines) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, "config firewall address\nedit web");
	ck_assert_str_eq(fake_shell_run(&f, "set type \"x\nCommand fail. Return code -1\""),
			 "node_check_object fail! for type x?Command fail. Return code -1\n\n"
			 "value parse error before 'x?Command fail. Return code -1'\n" FAIL(-651));
	ck_assert_str_eq(fake_shell_run(&f, "set \"a\nb\" \"c\nd\""),
			 "\ncommand parse error before 'a?b'\n" FAIL(-61));
	fake_shell_done(&f);
}
END_TEST

/*
 * Marks that turn text round: seen on a terminal, however the text is cut; byte for byte elsewhere.
 */
START_TEST(a_terminal_shows_control_characters) {
	static const char text[] = "set comment \"\xe2\x80\xae" "a\xc2\x9b\"\n";
	struct out terminal, file;

	out_init(&terminal, -1);
	out_init(&file, -1);
	terminal.terminal = true;
	for (const char *p = text; *p; p++) {
		out_bytes(&terminal, p, 1);
		out_bytes(&file, p, 1);
	}
	ck_assert_str_eq(str_text(&terminal.pending), "set comment \"<U+202E>a<U+009B>\"\n");
	ck_assert_str_eq(str_text(&file.pending), text);
	out_done(&terminal);
	out_done(&file);
}
END_TEST

START_TEST(an_interrupt_stops_output) {
	struct out out;

	out_init(&out, -1);
	out_catch_interrupt();
	out_text(&out, "before\n");
	raise(SIGINT);
	out_text(&out, "after\n");
	ck_assert(out_stopped(&out));
	ck_assert_uint_eq(out.pending.len, 0);
	out_begin(&out);
	out_text(&out, "next\n");
	ck_assert_str_eq(str_text(&out.pending), "next\n");
	out_done(&out);
}
END_TEST

/* Ctrl-C when part of a piece is written and the rest waits for a reader who has stopped. */
START_TEST(an_interrupt_ends_a_write_that_waits) {
	static char much[1 << 20];
	struct out out;
	pid_t child;
	int fds[2], room;

	memset(much, 'x', sizeof(much));
	ck_assert_int_eq(pipe(fds), 0);
	room = fcntl(fds[1], F_GETPIPE_SZ);
	out_init(&out, fds[1]);
	out_catch_interrupt();
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		for (int held = 0; held < room && getppid() != 1;)
			ioctl(fds[0], FIONREAD, &held);
		kill(getppid(), SIGINT);
		_exit(0);
	}
	out_bytes(&out, much, sizeof(much));
	ck_assert(out_stopped(&out));
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	out_done(&out);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("shell");
	TCase *t = tcase_create("shell");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, transcripts, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, warnings_follow_the_command);
	tcase_add_test(t, a_transaction_is_taken_after_a_question);
	tcase_add_test(t, text_is_refused_where_json_is_wanted);
	tcase_add_test(t, a_new_entry_gets_a_number_that_is_free);
	tcase_add_test(t, deletes_leave_no_stale_reference);
	tcase_add_test(t, names_are_asked_for_once);
	tcase_add_test(t, an_unchanged_entry_is_not_written);
	tcase_add_test(t, a_full_table_says_so);
	tcase_add_test(t, a_lost_connection_ends_all);
	tcase_add_test(t, the_whole_configuration_has_a_header);
	tcase_add_test(t, show_reads_back);
	tcase_add_test(t, errors_keep_their_lines);
	tcase_add_test(t, a_terminal_shows_control_characters);
	tcase_add_test(t, an_interrupt_stops_output);
	tcase_add_test(t, an_interrupt_ends_a_write_that_waits);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
