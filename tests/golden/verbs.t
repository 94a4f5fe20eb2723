# SPDX-License-Identifier: GPL-2.0-or-later
#
# The verbs that work on whole entries and lists: what they do, what they print, what they refuse.

# ---- rename ----

# All that refers to an entry goes with it, in one revision; its uuid and place stay.
A $ config firewall address
A $     edit "web"
A $         set subnet 10.1.1.1/32
A $         set uuid 11111111-1111-4111-8111-111111111111
A $     next
A $     edit "db"
A $     next
A $ end
A $ config firewall addrgrp
A $     edit "servers"
A $         set member "web" "db"
A $         set uuid 22222222-2222-4222-8222-222222222222
A $     next
A $ end
A $ config firewall policy
A $     edit 10
A $         set srcintf "port1"
A $         set dstintf "port2"
A $         set srcaddr "all"
A $         set dstaddr "web"
A $         set schedule "always"
A $         set service "ALL"
A $     next
A $ end
new entry 'web' added
new entry 'db' added
new entry 'servers' added
new entry '10' added

A # config firewall address
A > rename web to www
A > show web
A > show www
A > end
A > show firewall addrgrp servers member
A > show firewall policy 10 dstaddr
A > execute revision list config | grep -A1 " COMMENT"
entry is not found in table
Command fail. Return code -3
config firewall address
    edit "www"
        set uuid 11111111-1111-4111-8111-111111111111
        set subnet 10.1.1.1 255.255.255.255
    next
end
config firewall addrgrp
    edit "servers"
        set member "www" "db"
    next
end
config firewall policy
    edit 10
        set dstaddr "www"
    next
end
ID       TIME                 ADMIN            SOURCE                CHANGES  COMMENT
<*> root             cli                         4 <_>

# A name that is taken, also by an entry that shares the name space; one that is none.
A # config firewall address
A > rename db to www
A > rename db to servers
A > rename db to "<db>"
A > rename nobody to db2
A > rename db
A > rename db two db2
A > end
entry 'www' exists already

value parse error before 'www'
Command fail. Return code -5
Name 'servers' conflict: 'address group' and 'address' cannot be the same name.
node_check_object fail! for name servers

value parse error before 'servers'
Command fail. Return code -163
The string contains XSS vulnerability characters

value parse error before '<db>'
Command fail. Return code -173
entry is not found in table
Command fail. Return code -3

incomplete command in the end
Command fail. Return code -160

command parse error before 'two'
Command fail. Return code -61

# Numbers are names of entries, too: 0 is the next free one.
A # config firewall policy
A > rename 10 to 20
A > rename 20 to 0
A > rename 21 to 3
A > rename 21 to x
A > get | grep ==
A > rename 21 to 10
A > end
entry '3' exists already

value parse error before '3'
Command fail. Return code -5
invalid unsigned integer value: x

value parse error before 'x'
Command fail. Return code -651
== [ 2 ]
== [ 3 ]
== [ 21 ]

# An interface is called as its device is.
A # config system interface
A > rename port1 to port7
A > end
an interface is called as its device is: it cannot be renamed
Command fail. Return code -7

# ---- clone ----

A # config firewall addrgrp
A > clone servers to more
A > show more member
A > clone servers to more
A > clone servers to db
A > clone nobody to x
A > end
config firewall addrgrp
    edit "more"
        set member "www" "db"
    next
end
entry 'more' exists already

value parse error before 'more'
Command fail. Return code -5
Name 'db' conflict: 'address' and 'address group' cannot be the same name.
node_check_object fail! for name db

value parse error before 'db'
Command fail. Return code -163
entry is not found in table
Command fail. Return code -3

# Its uuid is its own.
A # show firewall addrgrp | grep -c 22222222
A > show firewall addrgrp | grep -c "set uuid"
1
2

# What no two entries may have alike is not cloned.
A # config firewall policy
A > clone 10 to 11
A > edit 10
A > set name "ten"
A > next
A > clone 10 to 12
A > clone 11 to 0
A > get | grep ==
A > delete 11
A > delete 12
A > end
firewall policy 10 has the name 'ten' already
object set operator error, -15 discard the setting
Command fail. Return code -15
== [ 2 ]
== [ 3 ]
== [ 10 ]
== [ 11 ]
== [ 12 ]

# Secrets are cloned with the rest.
A # config system admin
A > edit "ada"
A > set accprofile "super_admin"
A > set password "correct horse battery"
A > next
A > clone ada to bob
A > show bob accprofile
A > show bob password
A > delete ada
A > delete bob
A > end
new entry 'ada' added
config system admin
    edit "bob"
        set accprofile "super_admin"
    next
end
config system admin
    edit "bob"
        set password ENC <*>
    next
end

# ---- move ----

A # config firewall policy
A > get | grep ==
A > move 10 before 2
A > move 2 after 3
A > get | grep ==
A > move 2 after 10
A > move 10 after 3
A > get | grep ==
A > end
== [ 2 ]
== [ 3 ]
== [ 10 ]
== [ 10 ]
== [ 3 ]
== [ 2 ]
== [ 2 ]
== [ 3 ]
== [ 10 ]

A # config firewall policy
A > move 10 before 99
A > move 99 after 10
A > move 10 before 10
A > move 10 behind 2
A > move 10 before
A > end
firewall policy 99: entry is not found in table
Command fail. Return code -3
firewall policy 99: entry is not found in table
Command fail. Return code -3
an entry cannot stand before or after itself

value parse error before '10'
Command fail. Return code -651

command parse error before 'behind'
Command fail. Return code -61

incomplete command in the end
Command fail. Return code -160

# Where order has no meaning there is no such verb.
A # config firewall address
A > move db before www
A > end
Unknown action 0

# ---- purge ----

# All or none.
A # config firewall address
A > purge
A > show db
A > end
'all' stays, so none is removed
The entry is used by other 4 entries
Command fail. Return code -23
config firewall address
    edit "db"
        set uuid <*>
    next
end

A # config firewall addrgrp
A > purge
A > show
A > end
config firewall addrgrp
end

A # config router static
A > purge x
A > end
A > purge

command parse error before 'x'
Command fail. Return code -61
Unknown action 0

# ---- nested tables: in the buffer, saved with their entry ----

A # config webfilter profile
A > edit "p"
A > config ftgd-wf
A > config filters
A > edit 1
A > set action block
A > next
A > edit 2
A > next
A > clone 1 to 0
A > move 3 before 1
A > rename 2 to 9
A > end
A > end
A > next
A > show p ftgd-wf filters
A > edit "p"
A > config ftgd-wf
A > config filters
A > purge
A > show
A > abort
A > abort
A > abort
A > show webfilter profile p ftgd-wf filters 3
new entry 'p' added
new entry '1' added
new entry '2' added
config webfilter profile
    edit "p"
        config ftgd-wf
            config filters
                edit 3
                    set action block
                next
                edit 1
                    set action block
                next
                edit 9
                next
            end
        end
    next
end
config filters
end
config webfilter profile
    edit "p"
        config ftgd-wf
            config filters
                edit 3
                    set action block
                next
            end
        end
    next
end

# By another path they are saved at once.
A # config system cluster-sync
A > clone 1 to 5
A > rename 5 to 6
A > show 6
A > abort
A > show system standalone-cluster cluster-peer 6 peerip
A > config system standalone-cluster
A > rename 6 to 7
A > abort
A > get system cluster-sync 7 peerip
A > config system cluster-sync
A > delete 7
A > end
config system standalone-cluster
    edit 6
        set peerip 172.16.136.70
    next
end
config system standalone-cluster
    config cluster-peer
        edit 6
            set peerip 172.16.136.70
        next
    end
end
peerip              : 172.16.136.70

# ---- scripts ----

# A block is one transaction; what fails is left out.
A $ config firewall address
A $     edit "x"
A $     next
A $     rename "x" to "y"
A $     rename "nobody" to "z"
A $     clone "y" to "z"
A $     delete "y"
A $     purge
A $ end
A $ get firewall address | grep "== \[ [xyz] \]"
new entry 'x' added
== [ z ]
script:5: error: entry is not found in table (code -3)
script:8: error: 'all' stays, so none is removed; The entry is used by other 4 entries (code -23)

# ---- lists of values ----

A # config system interface
A > edit port1
A > select allowaccess ssh
A > show allowaccess
A > append allowaccess ping
A > clear allowaccess
A > show allowaccess
A > clear mode
A > clear nothing
A > clear
A > abort
config system interface
    edit "port1"
        set allowaccess ssh
    next
end
config system interface
    edit "port1"
    next
end

command parse error before 'mode'
Command fail. Return code -61

command parse error before 'nothing'
Command fail. Return code -61

incomplete command in the end
Command fail. Return code -160

A # config firewall schedule recurring
A > edit x
A > select day monday friday
A > get day
A > clear day
A > abort
new entry 'x' added
day                 : monday friday<_>
Attribute 'day' MUST be set.
Command fail. Return code -56

# ---- show and get of what is inside ----

A # show firewall policy 10 srcaddr
A > show firewall policy 10 logtraffic-start
A > show full-configuration firewall policy 10 logtraffic-start
A > get firewall policy 10 logtraffic-start
A > get firewall address www subnet
A > show system standalone-cluster cluster-peer 1 peerip
A > get system standalone-cluster cluster-peer
config firewall policy
    edit 10
        set srcaddr "all"
    next
end
config firewall policy
    edit 10
    next
end
config firewall policy
    edit 10
        set logtraffic-start disable
    next
end
logtraffic-start    : disable<_>
subnet              : 10.1.1.1 255.255.255.255
config system standalone-cluster
    config cluster-peer
        edit 1
            set peerip 172.16.136.70
        next
    end
end
== [ 1 ]
sync-id: 1   peerip: 172.16.136.70  <_>

A # get firewall address www subnet x
A > get firewall address www colour
A > show firewall policy 99 name
A > show firewall policy 10 nat
A > show system standalone-cluster cluster-peer 9
A > show system ha no

command parse error before 'x'
Command fail. Return code -61

command parse error before 'colour'
Command fail. Return code -61
entry is not found in table
Command fail. Return code -3

command parse error before 'nat'
Command fail. Return code -61
entry is not found in table
Command fail. Return code -3

command parse error before 'no'
Command fail. Return code -61

A # config firewall policy
A > show 10 service
A > edit 10
A > show schedule
A > get schedule
A > abort
config firewall policy
    edit 10
        set service "ALL"
    next
end
config firewall policy
    edit 10
        set schedule "always"
    next
end
schedule            : always

# ---- tree ----

A # tree firewall addrgrp
-- [addrgrp] --*name (79)
             |- uuid
             |- type
             |- category
             |-*member
             |- comment (255)
             |- exclude
             |-*exclude-member
             |- visibility
             |- color (0,32)
             +- [tagging] --*name (63)
                          |- category (63)
                          |- tags (79)
             |- allow-routing
             |- fabric-object

A # tree system standalone-cluster cluster-peer session-sync-filter
-- [session-sync-filter] -- srcintf
                         |- dstintf
                         |- srcaddr
                         |- dstaddr
                         |- srcaddr6
                         |- dstaddr6
                         +- [custom-service] --*id (0,4294967295)
                                             |- src-port-range
                                             |- dst-port-range

A # tree firewall schedule | grep "\["
-- [schedule] -- [onetime] --*name (31)
              +- [recurring] --*name (31)
              +- [group] --*name (31)

A # config firewall policy
A > tree | grep "ses"
A > edit 10
A > tree | grep -c -v "^    "
A > abort
            |- firewall-session-dirty
            |- tcp-session-without-syn
            |- session-ttl (0,2764800)
            |- delay-tcp-npu-session
1

A # config system standalone-cluster
A > tree cluster-peer session-sync-filter custom-service
A > abort
-- [custom-service] --*id (0,4294967295)
                    |- src-port-range
                    |- dst-port-range

A # tree | grep "^--"
-- [system] -- [global] -- admin-concurrent
-- [firewall] -- [address] --*name (79)
-- [ips] -- [sensor] --*name (47)
-- [application] -- [list] --*name (47)
-- [antivirus] -- [profile] --*name (47)
-- [webfilter] -- [profile] --*name (47)
-- [log] -- [setting] -- resolve-ip
-- [router] -- [static] --*seq-num (0,4294967295)

A # tree firewall nothing
A > tree firewall policy srcaddr
A > tree nothing

command parse error before 'nothing'
Command fail. Return code -61

command parse error before 'srcaddr'
Command fail. Return code -61

command parse error before 'nothing'
Command fail. Return code -61
