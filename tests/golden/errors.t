# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every error text an administrator and his scripts know, and what provokes it.

# The first word is no command here: one line, no code.
A # delte firewall address x
Unknown action 0

A # ping
Unknown action 0

A # set hostname x
Unknown action 0

# One `end` too many does no harm.
A # end
Unknown action 0

# -61: a known verb, then a word that is not in the tree.
A # show system nonsense

command parse error before 'nonsense'
Command fail. Return code -61

A # config global

command parse error before 'global'
Command fail. Return code -61

A # config firewall address
A > edit "paint"
A > set colour red
A > abort
new entry 'paint' added

command parse error before 'colour'
Command fail. Return code -61

# An attribute whose condition does not hold does not exist.
A # config firewall policy
A > edit 9
A > set nat enable
A > abort
new entry '9' added

command parse error before 'nat'
Command fail. Return code -61

# -160: a word is missing.
A # get system

incomplete command in the end
Command fail. Return code -160

A # config system interface
A > edit "port1"
A > set ip 1.2.3.4
A > abort

incomplete command in the end
Command fail. Return code -160

A # config system global
A > set hostname
A > abort

incomplete command in the end
Command fail. Return code -160

# -3: a reference to an object that does not exist.
A # config router static
A > edit 9
A > set device "port9"
A > abort
new entry '9' added
entry not found in datasource

value parse error before 'port9'
Command fail. Return code -3

# One bad member refuses the whole list.
A # config firewall policy
A > edit 3
A > set srcaddr "all" "nobody"
A > show
A > abort
entry not found in datasource

value parse error before 'nobody'
Command fail. Return code -3
<...>
        set srcaddr "all"
<...>

# There is one virtual domain.
A # config system interface
A > edit "port1"
A > set vdom "nosuch"
A > set vdom root
A > show
A > abort
entry not found in datasource

value parse error before 'nosuch'
Command fail. Return code -3
<...>
        set vdom "root"
<...>

# -3: an entry that does not exist.
A # config firewall address
A > delete "nobody"
A > end
entry is not found in table
Command fail. Return code -3

A # show firewall vip "nobody"
entry is not found in table
Command fail. Return code -3

# -651: the value fails the check of the attribute.
A # config firewall policy
A > edit 3
A > set action maybe
A > abort
node_check_object fail! for action maybe

value parse error before 'maybe'
Command fail. Return code -651

A # config firewall schedule recurring
A > edit "late"
A > set start 25:00
A > abort
new entry 'late' added
node_check_object fail! for start 25:00

value parse error before '25:00'
Command fail. Return code -651

A # config firewall address
A > edit "host"
A > set type fqdn
A > set fqdn "no such..domain"
A > abort
new entry 'host' added
domain name is not valid.
node_check_object fail! for fqdn no such..domain

value parse error before 'no such..domain'
Command fail. Return code -651

# -651: not a number, or out of range.
A # config router static
A > edit 1
A > set distance near
A > abort
invalid unsigned integer value: near

value parse error before 'near'
Command fail. Return code -651

A # config router static
A > edit 1
A > set distance 256
A > abort
invalid unsigned integer value: 256

value parse error before '256'
Command fail. Return code -651

A # config firewall policy
A > edit first
A > end
invalid unsigned integer value: first

value parse error before 'first'
Command fail. Return code -651

# -650: an inverted range.
A # config firewall service custom
A > edit "backwards"
A > set tcp-portrange 100-10
A > abort
new entry 'backwards' added
node_check_object fail! for tcp-portrange 100-10

value parse error before '100-10'
Command fail. Return code -650

# -163: addresses, groups and virtual IPs share one name space.
A # config firewall addrgrp
A > edit "all"
A > abort
Name 'all' conflict: 'address' and 'address group' cannot be the same name.
node_check_object fail! for name all

value parse error before 'all'
Command fail. Return code -163

# -164, -165, -310 to -312: likewise, a code for each pair.
A # config firewall vip
A > edit "all"
A > abort
Name 'all' conflict: 'address' and 'virtual IP' cannot be the same name.
node_check_object fail! for name all

value parse error before 'all'
Command fail. Return code -164

A # config firewall vipgrp
A > edit "172.16.137.15:22"
A > abort
Name '172.16.137.15:22' conflict: 'virtual IP' and 'virtual IP group' cannot be the same name.
node_check_object fail! for name 172.16.137.15:22

value parse error before '172.16.137.15:22'
Command fail. Return code -310

# -15: no two policies have one name.
A # config firewall policy
A > edit 2
A > set name "to_Internet"
A > end
firewall policy 3 has the name 'to_Internet' already
object set operator error, -15 discard the setting
Command fail. Return code -15

# -8: no IPv4 address, or none a host can have.
A # config router static
A > edit 1
A > set gateway 1.1
A > abort
invalid ip address

value parse error before '1.1'
Command fail. Return code -8

A # config system interface
A > edit "port1"
A > set ip 224.0.0.1 255.255.255.0
A > abort
ip address must be a class A, B, or C ip

value parse error before '224.0.0.1'
Command fail. Return code -8

# -9: no netmask.
A # config system interface
A > edit "port1"
A > set ip 172.16.136.4 255.0.255.0
A > abort
invalid netmask.
object check operator error, -9, discard the setting
Command fail. Return code -9

# -1: too long.
A # config firewall policy
A > edit 3
A > set name "a name of a policy that is far too long"
A > abort
string value is too long. the size is 39, the limit is 35
value parse error before 'a name of a policy that is far too long'
Command fail. Return code -1

# -173: characters that a name may not hold.
A # config firewall address
A > edit "<b>"
A > end
The string contains XSS vulnerability characters

value parse error before '<b>'
Command fail. Return code -173

# -56: a required value is missing.
A # config firewall policy
A > edit 9
A > end
new entry '9' added
Attribute 'srcintf' MUST be set.
Command fail. Return code -56

A # show firewall policy 9
entry is not found in table
Command fail. Return code -3

# -45: the end before the start.
A # config firewall address
A > edit "backwards"
A > set type iprange
A > set start-ip 10.0.0.9
A > set end-ip 10.0.0.1
A > end
new entry 'backwards' added
end-ip must be greater than start-ip
object check operator error, -45, discard the setting
Command fail. Return code -45

# -54: two interfaces in one network.
A # config system interface
A > edit "port1"
A > set ip 172.16.136.71 255.255.255.192
A > end
Subnets overlap between 'port1' and the primary IP of 'port2'
object set operator error, -54 discard the setting
Command fail. Return code -54

A # show system interface port1
<...>
        set ip 172.16.136.4 255.255.255.192
<...>

# -36: an outside port can lead to one server only.
A # config firewall vip
A > edit "twin"
A > set extip 20.150.252.91
A > set mappedip "172.16.137.16"
A > set extintf "port1"
A > set portforward enable
A > set extport 80
A > set mappedport 80
A > end
new entry 'twin' added
<*>duplicated with another vip<*>
<...>
Command fail. Return code -36

# -23: what is in use stays.
A # config firewall vip
A > delete "172.16.137.15:22"
A > end
The entry is used by other 1 entries
Command fail. Return code -23

A # show firewall vip "172.16.137.15:22"
config firewall vip
    edit "172.16.137.15:22"
<...>
end

A # config firewall address
A > edit "shared"
A > set subnet 10.1.0.0 255.255.0.0
A > next
A > end
A > config firewall addrgrp
A > edit "one"
A > set member "shared"
A > next
A > edit "two"
A > set member "shared"
A > next
A > end
new entry 'shared' added
new entry 'one' added
new entry 'two' added

A # config firewall address
A > delete "shared"
A > end
The entry is used by other 2 entries
Command fail. Return code -23

# -157: an interface that policies name cannot be in a zone.
A # config system zone
A > edit "outside"
A > set interface "port1"
A > next
A > end
new entry 'outside' added
Interface 'port1' cannot be in a zone: firewall policy 2 names it
node_check_object fail! for interface port1

value parse error before 'port1'
Command fail. Return code -157

A # show system zone
config system zone
end

# -7: the last administrator who may do everything stays, and stays so.
A # config system admin
A > delete "admin"
A > edit "admin"
A > set accprofile "prof_admin"
A > next
A > edit "admin"
A > set guest-auth enable
A > next
A > end
'admin' is the last administrator with profile 'super_admin' who can log in
object check operator error, -7, discard the setting
Command fail. Return code -7
'admin' is the last administrator with profile 'super_admin' who can log in
object check operator error, -7, discard the setting
Command fail. Return code -7
'admin' is the last administrator with profile 'super_admin' who can log in
object check operator error, -7, discard the setting
Command fail. Return code -7

A # show system admin
config system admin
    edit "admin"
        set accprofile "super_admin"
        set vdom "root"
    next
end

# -4: a full table.
A # config system standalone-cluster
A > edit 2
A > set peerip 10.9.0.2
A > next
A > edit 3
A > set peerip 10.9.0.3
A > next
A > edit 4
A > set peerip 10.9.0.4
A > next
A > edit 5
A > set peerip 10.9.0.5
A > next
A > edit 6
A > set peerip 10.9.0.6
A > next
A > edit 7
A > set peerip 10.9.0.7
A > next
A > edit 8
A > set peerip 10.9.0.8
A > next
A > edit 9
A > set peerip 10.9.0.9
A > next
A > edit 10
A > set peerip 10.9.0.10
A > next
A > edit 11
A > set peerip 10.9.0.11
A > next
A > edit 12
A > set peerip 10.9.0.12
A > next
A > edit 13
A > set peerip 10.9.0.13
A > next
A > edit 14
A > set peerip 10.9.0.14
A > next
A > edit 15
A > set peerip 10.9.0.15
A > next
A > edit 16
A > abort
<...>
new entry '15' added
object set operator error, -4 discard the setting
Command fail. Return code -4 (reached the maximum number of entries)

# -7610: a check across attributes, at `end`.
A # config system settings
A > set opmode transparent
A > end
<...>
node_check_object fail! for opmode transparent
Attribute 'opmode' value 'transparent' checking fail -7610
Command fail. Return code -7610

# Nothing of all that has changed the configuration.
A # show firewall policy
<...>
    edit 2
<...>
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

# Ambiguous: there is more than one word that begins so.
A # ex

ambiguous command before 'ex'
Command fail. Return code -61

# Scripts: the same texts, on standard error, with the place that provoked each one.
A $ # a comment
A $ config firewall address
A $     edit "paint"
A $         set colour red
A $         set comment "kept"
A $     next
A $ end
A $ delte
new entry 'paint' added
script:4: error: command parse error before 'colour' (code -61)
script:8: error: Unknown action 0

# What was right in that script is in force.
A # show firewall address "paint"
config firewall address
    edit "paint"
        set uuid <*>
        set comment "kept"
    next
end

# A sealed secret that is not this unit's: the line is refused, the rest is not. Its own it takes.
A # config system auto-scale
A > set psksecret ENC AVpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
A > set hb-interval 7
A > end
the ENC text is none that this unit made for such a secret: type it in clear
node_check_object fail! for psksecret ***

value parse error before '***'
Command fail. Return code -651

A $ config system admin
A $     edit "guest"
A $         set accprofile "prof_admin"
A $         set password ENC AVpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
A $         set comments "kept"
A $     next
A $ end
new entry 'guest' added
script:4: error: the ENC text is none that this unit made for such a secret: type it in clear; node_check_object fail! for password ***; value parse error before '***' (code -651)

A # show system auto-scale
A > show system admin "guest"
<...>
    set hb-interval 7
    set psksecret ENC <*>
<...>
    edit "guest"
        set accprofile "prof_admin"
        set comments "kept"
    next
end
