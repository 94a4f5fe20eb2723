# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unit A, the primary of the golden pair.

A # diagnose ip address list
<...>
IP=172.16.136.4->172.16.136.4/255.255.255.192 index=<*> devname=port1
IP=172.16.136.69->172.16.136.69/255.255.255.192 index=<*> devname=port2
<...>

A # show system vdom-exception
config system vdom-exception
    edit 10
        set object system.cluster-sync
    next
end

A # show system auto-scale
config system auto-scale
    set status enable
    set role primary
    set sync-interface "port2"
    set psksecret ENC <*>
end

A # show system cluster-sync
config system standalone-cluster
    edit 1
        set peerip 172.16.136.70
    next
end

A # show system standalone-cluster
config system standalone-cluster
    config cluster-peer
        edit 1
            set peerip 172.16.136.70
        next
    end
end

A # show system ha
config system ha
    set session-pickup enable
    set session-pickup-connectionless enable
    set session-pickup-expectation enable
    set session-pickup-nat enable
    set override disable
end

A # show firewall vip 172.16.137.15:22
config firewall vip
    edit "172.16.137.15:22"
        set uuid a26b50cc-db75-51eb-7dd5-a313054c614a
        set extip 20.150.252.91
        set mappedip "172.16.137.15"
        set extintf "port1"
        set portforward enable
        set extport 65022
        set mappedport 22
    next
end

A # show firewall vip 172.16.137.15:80
config firewall vip
    edit "172.16.137.15:80"
        set uuid aba58d6a-db75-51eb-118b-b771bfbf59b4
        set extip 20.150.252.91
        set mappedip "172.16.137.15"
        set extintf "port1"
        set portforward enable
        set extport 80
        set mappedport 80
    next
end

A # show firewall vip 172.16.137.15:443
config firewall vip
    edit "172.16.137.15:443"
        set uuid b0e949d8-db75-51eb-fb60-f5537489a0bc
        set extip 20.150.252.91
        set mappedip "172.16.137.15"
        set extintf "port1"
        set portforward enable
        set extport 443
        set mappedport 443
    next
end

A # show firewall policy
config firewall policy
    edit 2
        set name "to_VIP"
        set uuid c9ff1fd8-db75-51eb-6b34-e17d224884b9
        set srcintf "port1"
        set dstintf "port2"
        set action accept
        set srcaddr "all"
        set dstaddr "172.16.137.15:22" "172.16.137.15:443" "172.16.137.15:80"
        set schedule "always"
        set service "ALL"
        set utm-status enable
        set ssl-ssh-profile "deep-inspection"
        set av-profile "default"
        set logtraffic all
    next
    edit 3
        set name "to_Internet"
        set uuid d834ffb4-db75-51eb-e370-b6668f0fd24d
        set srcintf "port2"
        set dstintf "port1"
        set action accept
        set srcaddr "all"
        set dstaddr "all"
        set schedule "always"
        set service "ALL"
        set inspection-mode proxy
        set nat enable
    next
end

A # show router static
config router static
    edit 1
        set gateway 172.16.136.1
        set device "port1"
    next
    edit 2
        set dst 172.16.136.0 255.255.252.0
        set gateway 172.16.136.65
        set device "port2"
    next
    edit 3
        set dst 168.63.129.16 255.255.255.255
        set gateway 172.16.136.65
        set device "port2"
    next
    edit 4
        set dst 168.63.129.16 255.255.255.255
        set gateway 172.16.136.1
        set device "port1"
    next
    edit 137
        set dst 172.16.137.0 255.255.255.0
        set gateway 172.16.136.65
        set device "port2"
    next
end

# Names take 20 columns; values of options are followed by a blank.
A # get system auto-scale
status              : enable<_>
role                : primary<_>
sync-interface      : port2
primary-ip          : 0.0.0.0
callback-url        :<_>
hb-interval         : 10
psksecret           : *

# The group that shares its configuration: whatever belongs to one unit is not in the checksums.

A # diagnose sys ha autoscale-peers
Serial#: GHVM<*>
VMID: <*>-<*>-<*>-<*>-<*>
Role: secondary
IP: 172.16.136.70
A # diagnose sys ha checksum autoscale-cluster
================== GHVM<*> ==================
is_autoscale_primary()=1

debugzone
global: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>
root: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>
all: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>

checksum
global: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>
root: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>
all: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>

================== GHVM<*> ==================
is_autoscale_primary()=0

debugzone
global: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>
root: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>
all: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>

checksum
global: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>
root: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>
all: <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*> <*>
