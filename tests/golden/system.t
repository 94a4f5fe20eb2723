# SPDX-License-Identifier: GPL-2.0-or-later
# needs: alone
#
# The machine and its network as a unit shows them, in the forms that scripts parse.

A # get system performance status
CPU states: <*>% user <*>% system <*>% nice <*>% idle <*>% iowait <*>% irq <*>% softirq
CPU0 states: <*>% user <*>% system <*>% nice <*>% idle <*>% iowait <*>% irq <*>% softirq
<...>
Memory: <*>k total, <*>k used (<*>%), <*>k free (<*>%), <*>k freeable (<*>%)
Average network usage: <*> / <*> kbps in 1 minute, <*> / <*> kbps in 10 minutes, <*> / <*> kbps in 30 minutes
Average sessions: <*> sessions in 1 minute, <*> sessions in 10 minutes, <*> sessions in 30 minutes
Average session setup rate: <*> sessions per second in last 1 minute, <*> sessions per second in last 10 minutes, <*> sessions per second in last 30 minutes
Uptime: <*> days,  <*> hours,  <*> minutes

A # get hardware status
Model name: Gatehouse-VM64
ASIC version: not available
CPU: <*>
Number of CPUs: <*>
RAM: <*> MB
<...>
Network Card chipset: veth

A # get system interface physical port1
== [onboard]
	==[port1]
		mode: static
		ip: 172.16.136.4 255.255.255.192
		ipv6: ::/0
		status: up
		speed: <*>Mbps (Duplex: full)

A # get system interface physical port7
no such physical interface: port7
Command fail. Return code -3

A # get hardware nic
The following NICs are available:
	port1
	port2
	port3
	port4

A # diagnose hardware deviceinfo nic port1
Driver Name     :veth
Current_HWaddr   02:00:00:00:01:0a
========== Link Status ==========
Admin           :up
autonego_setting:<*>
Speed           :<*>
Duplex          :Full
link_status     :Up
============ Counters ===========
Rx Pkts         :<*>
Rx Bytes        :<*>
Tx Pkts         :<*>
Tx Bytes        :<*>
Host Tx dropped :0

A # diagnose netlink interface list port2

if=port2 family=00 type=1 index=3 mtu=1500 link=0 master=0
flags=up broadcast run multicast<_>
Qdisc=noqueue hw_addr=02:00:00:00:02:0a broadcast_addr=ff:ff:ff:ff:ff:ff
stat: rxp=<*> txp=<*> rxb=<*> txb=<*> rxe=0 txe=0 rxd=<*> txd=0 mc=<*> collision=0 @ time=<*>
re: rxl=0 rxo=0 rxc=0 rxf=0 rxfi=0 rxm=0
te: txa=0 txc=0 txfi=0 txh=0 txw=0
misc rxc=0 txc=0

A # diagnose netlink interface list port1 port2

command parse error before 'port2'
Command fail. Return code -61

A # get router info routing-table details 172.16.136.70

Routing table for VRF=0
Routing entry for 172.16.136.64/26
  Known via "connected", distance 0, metric 0, best
  * vrf 0 directly connected, port2

A # get router info routing-table details 172.16.137.15

Routing table for VRF=0
Routing entry for 172.16.137.0/24
  Known via "static", distance 10, metric 0, best
  * vrf 0 172.16.136.65, via port2

# What the configuration has and the kernel has not: the interface is down.
A # config system interface
A > edit port4
A > set status down
A > end
A > config router static
A > edit 77
A > set dst 10.77.0.0/16
A > set device port4
A > end
new entry '77' added

A # get router info routing-table database
Codes: K - kernel, C - connected, S - static, R - RIP, B - BGP
       O - OSPF, IA - OSPF inter area
       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2
       E1 - OSPF external type 1, E2 - OSPF external type 2
       i - IS-IS, L1 - IS-IS level-1, L2 - IS-IS level-2, ia - IS-IS inter area
       > - selected route, * - FIB route, p - stale info

Routing table for VRF=0
S    *> 0.0.0.0/0 [10/0] via 172.16.136.1, port1, [1/0]
S       10.77.0.0/16 [10/0] is directly connected, port4 inactive, [1/0]
S    *> 168.63.129.16/32 [10/0] via 172.16.136.65, port2, [1/0]
                         [10/0] via 172.16.136.1, port1, [1/0]
S    *> 172.16.136.0/22 [10/0] via 172.16.136.65, port2, [1/0]
C    *> 172.16.136.0/26 is directly connected, port1
C    *> 172.16.136.64/26 is directly connected, port2
S    *> 172.16.137.0/24 [10/0] via 172.16.136.65, port2, [1/0]

A # execute date
current date is: <*>-<*>-<*>

A # execute time
current time is: <*>:<*>:<*>
last ntp sync: <*>

A # execute date 2026-02-31

command parse error before '2026-02-31'
Command fail. Return code -61

# Options of ping last as long as the session.
A # execute ping-options repeat-count 2
A > execute ping-options source 172.16.136.69
A > execute ping-options view-settings
Ping Options:
        Repeat Count: 2
        Data Size: 56
        Timeout: 2
        Interval: 1
        TTL: 64
        TOS: 0
        DF bit: unset
        Source Address: 172.16.136.69
        Interface: auto

A # execute ping-options view-settings
Ping Options:
        Repeat Count: 5
<...>

A # execute reboot now

command parse error before 'now'
Command fail. Return code -61
