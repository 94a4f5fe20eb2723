# SPDX-License-Identifier: GPL-2.0-or-later
#
# How long sessions live, and which helpers follow them: what is shipped, what can be said, and how
# it is shown.
# needs: factory

# Nothing but the default: nothing is shown.
A # show system session-ttl
config system session-ttl
end

A # get system session-ttl
default             : 3600<*>
<...>

# `never` is taken wherever a time is, without being offered.
A # config system session-ttl
A > set default never
A > config port
A > edit 1
A > set protocol 6
A > set timeout never
A > set start-port 8080
A > set end-port 8090
A > next
A > edit 2
A > set protocol 17
A > set start-port 53
A > set end-port 53
A > next
A > edit 3
A > set timeout 86400
A > next
A > end
A > end
A > show system session-ttl
new entry '1' added
new entry '2' added
new entry '3' added
config system session-ttl
    set default never
    config port
        edit 1
            set protocol 6
            set timeout never
            set start-port 8080
            set end-port 8090
        next
        edit 2
            set protocol 17
            set start-port 53
            set end-port 53
        next
        edit 3
            set timeout 86400
        next
    end
end

A # show full-configuration system session-ttl
config system session-ttl
    set default never
    config port
        edit 1
            set protocol 6
            set timeout never
            set start-port 8080
            set end-port 8090
            set refresh-direction both
        next
        edit 2
            set protocol 17
            set timeout 300
            set start-port 53
            set end-port 53
            set refresh-direction both
        next
        edit 3
            set protocol 0
            set timeout 86400
            set refresh-direction both
        next
    end
end

# Ports exist for protocols that have them.
A # config system session-ttl
A > config port
A > edit 3
A > set start-port 80
A > abort
A > abort

command parse error before 'start-port'
Command fail. Return code -61

A # config system session-ttl
A > config port
A > edit 4
A > set protocol 6
A > set start-port 80
A > end
A > end
new entry '4' added
end-port must not be below start-port
object check operator error, -363, discard the setting
Command fail. Return code -363

# Bounds; another word than never is no time.
A # config system session-ttl
A > set default 299
A > abort
invalid unsigned integer value: 299

value parse error before '299'
Command fail. Return code -651

A # config system session-ttl
A > set default always
A > abort
invalid unsigned integer value: always

value parse error before 'always'
Command fail. Return code -651

A # config system session-ttl
A > set default 1800
A > end
A > get system session-ttl
default             : 1800<*>
<...>

# Policies and services say it, too.
A # config firewall service custom
A > edit "db"
A > set tcp-portrange 5432
A > set session-ttl never
A > set tcp-halfclose-timer 600
A > set udp-idle-timer 30
A > set helper disable
A > next
A > end
A > config firewall policy
A > edit 1
A > set srcintf port1
A > set dstintf port2
A > set srcaddr all
A > set dstaddr all
A > set service db
A > set schedule always
A > set action accept
A > set session-ttl 7200
A > next
A > edit 2
A > set srcintf port1
A > set dstintf port2
A > set srcaddr all
A > set dstaddr all
A > set service ALL
A > set schedule always
A > set action accept
A > set session-ttl never
A > end
A > show firewall service custom db
A > show firewall policy
new entry 'db' added
new entry '1' added
new entry '2' added
config firewall service custom
    edit "db"
        set helper disable
        set tcp-portrange 5432
        set tcp-halfclose-timer 600
        set udp-idle-timer 30
        set session-ttl never
    next
end
config firewall policy
    edit 1
        set uuid <*>
        set srcintf "port1"
        set dstintf "port2"
        set action accept
        set srcaddr "all"
        set dstaddr "all"
        set schedule "always"
        set service "db"
        set session-ttl 7200
    next
    edit 2
        set uuid <*>
        set srcintf "port1"
        set dstintf "port2"
        set action accept
        set srcaddr "all"
        set dstaddr "all"
        set schedule "always"
        set service "ALL"
        set session-ttl never
    next
end

# The helpers that a unit is shipped with, by number, name, protocol and port.
A # show system session-helper
config system session-helper
    edit 1
        set name pptp
        set protocol 6
        set port 1723
    next
    edit 2
        set name h323
        set protocol 6
        set port 1720
    next
    edit 3
        set name ras
        set protocol 17
        set port 1719
    next
    edit 4
        set name tns
        set protocol 6
        set port 1521
    next
    edit 5
        set name tftp
        set protocol 17
        set port 69
    next
    edit 6
        set name rtsp
        set protocol 6
        set port 554
    next
    edit 7
        set name rtsp
        set protocol 6
        set port 7070
    next
    edit 8
        set name rtsp
        set protocol 6
        set port 8554
    next
    edit 9
        set name ftp
        set protocol 6
        set port 21
    next
    edit 10
        set name mms
        set protocol 6
        set port 1863
    next
    edit 11
        set name pmap
        set protocol 6
        set port 111
    next
    edit 12
        set name pmap
        set protocol 17
        set port 111
    next
    edit 13
        set name sip
        set protocol 17
        set port 5060
    next
    edit 14
        set name dns-udp
        set protocol 17
        set port 53
    next
    edit 15
        set name rsh
        set protocol 6
        set port 514
    next
    edit 16
        set name rsh
        set protocol 6
        set port 512
    next
    edit 17
        set name dcerpc
        set protocol 6
        set port 135
    next
    edit 18
        set name dcerpc
        set protocol 17
        set port 135
    next
    edit 19
        set name mgcp
        set protocol 17
        set port 2427
    next
    edit 20
        set name mgcp
        set protocol 17
        set port 2727
    next
end

A # config system session-helper
A > edit 0
A > set name ftp
A > set protocol 6
A > set port 2121
A > next
A > edit 22
A > set name rsh
A > set protocol 6
A > set port 1514
A > next
A > delete 20
A > end
A > show system session-helper 21
new entry '0' added
new entry '22' added
Warning: system session-helper 22 does nothing: this unit has no helper rsh for protocol 6
config system session-helper
    edit 21
        set name ftp
        set protocol 6
        set port 2121
    next
end

# Timers of the whole unit.
A # config system global
A > set tcp-halfopen-timer 30
A > set tcp-rst-timer 10
A > set udp-idle-timer 60
A > end
A > show system global
config system global
<...>
    set tcp-halfopen-timer 30
    set tcp-rst-timer 10
    set udp-idle-timer 60
end

# Of all this, only what Linux has no helper for is not enforced.
A # diagnose config unenforced
system session-helper 22: name=rsh
