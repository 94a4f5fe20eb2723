# SPDX-License-Identifier: GPL-2.0-or-later
# needs: alone
#
# What the unit tells about itself, in the forms that scripts parse.

A # get system status
Version: Gatehouse-VM64 v7.4.0,build<*>,<*> (GA)
Serial-Number: GHVM<*>
Hostname: v700b0066-FGT-A
Operation Mode: NAT
Current virtual domain: root
Max number of virtual domains: 1
Virtual domains status: 1 in NAT mode, 0 in TP mode
Virtual domain configuration: disable
FIPS-CC mode: disable
Current HA mode: standalone
Branch point: <*>
Release Version Information: GA
System time: <*>

A # diagnose sys vd list
list virtual firewall info:
name=root index=0 <*>

# What is set and not enforced.
A # diagnose config unenforced
firewall policy 2: utm-status ssl-ssh-profile av-profile
firewall policy 3: inspection-mode

# Sessions are not shared: gatehouse-syncd does not run here.
A # diagnose sys session sync
sync_ctx: sync_started=0, sync_tcp=1, sync_others=1,
sync_expectation=1, sync_nat=1, stdalone_sesync=1.
sync: create=0:0, update=0, delete=0:0, query=0
recv: create=0:0, update=0, delete=0:0, query=0
ses pkts: send=0, alloc_fail=0, recv=0, recv_err=0 sz_err=0
udp pkts: send=0, recv=0
nCfg_sess_sync_num=1, mtu=1500, ipsec_tun_sync=1
sync_filter:
	1: vd=-1, szone=0, dzone=0, saddr=0.0.0.0:0.0.0.0, daddr=0.0.0.0:0.0.0.0, sport=0-65535, dport=0:65535

A # diagnose sys ha standalone-peers
gatehouse-syncd is not running
Command fail. Return code -3

A # diagnose debug application sessionsync high

command parse error before 'high'
Command fail. Return code -61

A # diagnose debug application sessionsync 0

A # diagnose debug application sessionsync 7
A > diagnose debug enable
gatehouse-syncd is not running
Command fail. Return code -3

# The state of a group has an answer without gatehouse-syncd, too; its members have not.
A # get system ha status
HA Health Status:
    WARNING: gatehouse-syncd does not run
Model: Gatehouse-VM64
Mode: auto-scale
Group: 0
Debug: 0
ses_pickup: enable, ses_pickup_delay=disable

A # diagnose sys ha status
HA information
Statistics
	traffic.local = s:0 p:0 b:0
	traffic.total = s:0 p:0 b:0
Model=Gatehouse-VM64, Mode=auto-scale Group=0 Debug=0
nvcluster=0, ses_pickup=1, delay=0

A # diagnose sys ha autoscale-peers
gatehouse-syncd is not running
Command fail. Return code -3

A # diagnose sys ha autoscale-peers all

command parse error before 'all'
Command fail. Return code -61

A # diagnose sys ha checksum diff
gatehouse-syncd is not running
Command fail. Return code -3

A # diagnose sys ha history read
gatehouse-syncd is not running
Command fail. Return code -3

A # execute ha forget

incomplete command in the end
Command fail. Return code -160

A # execute ha forget GHVM000000000000
gatehouse-syncd is not running
Command fail. Return code -3

A # diagnose sys ha checksum recalculate global
A > diagnose sys ha checksum recalculate all

command parse error before 'all'
Command fail. Return code -61

A # diagnose sys ha checksum show global system.auto-scale
system.auto-scale: <*>

# The table is still there beside its status.
A # get system ha
<...>
session-pickup      : enable<_>
<...>

A # diagnose debug application hasync high

command parse error before 'high'
Command fail. Return code -61

A # diagnose debug application hasync 0

# Who refers to an entry.
A # diagnose sys cmdb refcnt show firewall.vip.name 172.16.137.15:22
entry used by table firewall.policy:policyid '2'

A # diagnose sys cmdb refcnt show system.interface.name port2
<...>
entry used by table system.auto-scale
<...>
entry used by table router.static:seq-num '2'
<...>

# The routes of the configuration and those of the interfaces.
A # get router info routing-table all
Codes: <*>
<...>
Routing table for VRF=0
S*      0.0.0.0/0 [10/0] via 172.16.136.1, port1<*>
<...>

A # get router info routing-table all
<...>
C       172.16.136.0/26 is directly connected, port1
<...>
C       172.16.136.64/26 is directly connected, port2
<...>

A # get router info routing-table all
<...>
S       168.63.129.16/32 [10/0] via 172.16.136.<*>
                         [10/0] via 172.16.136.<*>
<...>
S       172.16.137.0/24 [10/0] via 172.16.136.65, port2<*>
<...>

# Counters of a policy, before there was any traffic.
A # diagnose firewall iprope show 100004 2
idx=2 pkts/bytes=0/0 hit count:0<*>
<...>

# Which policy would decide.
A # diagnose firewall iprope lookup 207.102.138.19 50000 20.150.252.91 65022 tcp port1
<src [207.102.138.19-50000] dst [20.150.252.91-65022] proto tcp dev port1> matches policy id: 2
<...>

A # diagnose firewall iprope lookup 172.16.137.15 50000 203.0.113.80 443 tcp port2
<src [172.16.137.15-50000] dst [203.0.113.80-443] proto tcp dev port2> matches policy id: 3
<...>

A # diagnose firewall iprope lookup 207.102.138.19 50000 20.150.252.91 22 tcp port1
<src [207.102.138.19-50000] dst [20.150.252.91-22] proto tcp dev port1> matches policy id: 0
<...>

# What a connection has said about debugging is kept for it, and for no other.
A # diagnose debug flow filter addr 10.1.1.1
A > diagnose debug flow filter dport 1000 2000
A > diagnose debug flow filter negate dport
A > diagnose debug flow filter
A > diagnose debug flow show function-name enable
A > diagnose debug flow show function-name disable
A > diagnose debug flow show iprope enable
A > diagnose debug flow trace start 10
A > diagnose debug flow trace stop
A > diagnose debug enable
A > diagnose debug disable
A > diagnose debug flow trace start 10
A > diagnose debug reset
A > diagnose debug enable
A > diagnose debug flow filter
	vf: any
	proto: any
	host addr: 10.1.1.1-10.1.1.1
	Host saddr: any
	Host daddr: any
	port: any
	sport: any
	dport: not 1000-2000
show function name
do not show function name
show trace messages about iprope
	vf: any
	proto: any
	Host addr: any
	Host saddr: any
	Host daddr: any
	port: any
	sport: any
	dport: any

A # diagnose debug flow filter addr 10.1.1

command parse error before '10.1.1'
Command fail. Return code -61

A # diagnose debug flow trace start many

command parse error before 'many'
Command fail. Return code -61

A # diagnose sniffer packet port9
there is no interface 'port9'
Command fail. Return code -3

A # diagnose sniffer packet any none 4 1 x

command parse error before 'x'
Command fail. Return code -61

A # execute ping 172.16.136.1
PING 172.16.136.1 (172.16.136.1): 56 data bytes
64 bytes from 172.16.136.1: icmp_seq=0 ttl=64 time=<*> ms
64 bytes from 172.16.136.1: icmp_seq=1 ttl=64 time=<*> ms
64 bytes from 172.16.136.1: icmp_seq=2 ttl=64 time=<*> ms
64 bytes from 172.16.136.1: icmp_seq=3 ttl=64 time=<*> ms
64 bytes from 172.16.136.1: icmp_seq=4 ttl=64 time=<*> ms

--- 172.16.136.1 ping statistics ---
5 packets transmitted, 5 packets received, 0% packet loss
round-trip min/avg/max = <*>/<*>/<*> ms

# The log; an empty one has no lines and no blank line before them.
A # execute log filter category
Available categories:
 0: traffic
 1: event

A # execute log filter device
Available devices:
 1: disk

A # execute log filter field dstport 22 80-90
A > execute log filter field action not close
A > execute log filter dump
category: traffic
device: disk
start-line: 1
view-lines: 10
max-checklines: 0
Filter: ( dstport "22" or "80-90" ) AND ( not action "close" )

A # execute log display
0 logs found.
0 logs returned.

A # execute log filter device memory

command parse error before 'memory'
Command fail. Return code -61

A # execute log filter view-lines 2000

command parse error before '2000'
Command fail. Return code -61

# The header that backups carry.
A # show
#config-version=GHVM64-7.4.0-FW-build<*>-<*>:opmode=0:vdom=0:user=root
#conf_file_ver=<*>
#buildno=<*>
#global_vdom=1
config system global
    set hostname "v700b0066-FGT-A"
end
<...>
