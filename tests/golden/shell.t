# SPDX-License-Identifier: GPL-2.0-or-later
#
# The verbs of the shell, and how it reads and writes values.

# Every word may be shortened.
A # sh sys ha
config system ha
    set session-pickup enable
    set session-pickup-connectionless enable
    set session-pickup-expectation enable
    set session-pickup-nat enable
    set override disable
end

A # conf fire serv cus
A > ed web
A > se tcp-p 8080
A > ne
A > en
A > sh fire serv cus web
new entry 'web' added
config firewall service custom
    edit "web"
        set tcp-portrange 8080
    next
end

# `edit 0` takes the next free number, which `show` tells.
A # config firewall policy
A > edit 0
A > show
A > abort
new entry '0' added
config firewall policy
    edit 4
        set uuid <*>
    next
end

# Nothing is saved before `next` or `end`; `abort` saves nothing.
A # config firewall address
A > edit "draft"
A > set subnet 10.0.0.0/8
A > abort
A > show firewall address draft
new entry 'draft' added
entry is not found in table
Command fail. Return code -3

# `set` replaces, `append` and `unselect` change a list, `unset` empties.
A # config firewall address
A > edit "a"
A > next
A > edit "b"
A > next
A > edit "c"
A > set comment "not for long"
A > next
A > end
A > config firewall addrgrp
A > edit "g"
A > set member "a"
A > append member "b" "c"
A > unselect member "a"
A > next
A > end
A > config firewall address
A > edit "c"
A > unset comment
A > set subnet 10.1.2.0/24
A > end
A > show firewall addrgrp g
A > show firewall address c
<...>
config firewall addrgrp
    edit "g"
        set uuid <*>
        set member "b" "c"
    next
end
config firewall address
    edit "c"
        set uuid <*>
        set subnet 10.1.2.0 255.255.255.0
    next
end

# Quotes: blanks, quotes in quotes, pieces that join; what `show` prints reads back as the same.
A # config firewall address
A > edit "two words"
A > set comment 'single and "double"'
A > show
A > set comment "back\\slash"_'and piece'
A > show
A > abort
new entry 'two words' added
config firewall address
    edit "two words"
        set uuid <*>
        set comment "single and \"double\""
    next
end
config firewall address
    edit "two words"
        set uuid <*>
        set comment "back\\slash_and piece"
    next
end

# A quoted value may go on in the next line, where it starts in the first column.
A $ config firewall address
A $     edit "poem"
A $         set comment "first line
A $ second line"
A $     next
A $ end
A $ show firewall address poem
new entry 'poem' added
config firewall address
    edit "poem"
        set uuid <*>
        set comment "first line
second line"
    next
end

# A backslash joins lines; comments are ignored.
A $ # comment
A $ show \
A $ system \
A $     vdom-exception
config system vdom-exception
    edit 10
        set object system.cluster-sync
    next
end

# Nested tables, and the same store under its other names.
A # config system standalone-cluster
A > config cluster-peer
A > edit 2
A > set peerip 10.9.9.9
A > config session-sync-filter
A > set srcaddr 10.0.0.0 255.0.0.0
A > config custom-service
A > edit 1
A > set dst-port-range 80
A > next
A > end
A > end
A > next
A > end
A > end
A > show system standalone-cluster
<...>
config system standalone-cluster
    config cluster-peer
        edit 1
            set peerip 172.16.136.70
        next
        edit 2
            set peerip 10.9.9.9
            config session-sync-filter
                set srcaddr 10.0.0.0 255.0.0.0
                config custom-service
                    edit 1
                        set dst-port-range 80
                    next
                end
            end
        next
    end
end

A # config system cluster-sync
A > delete 2
A > end
A > show system cluster-sync
config system standalone-cluster
    edit 1
        set peerip 172.16.136.70
    next
end

# What one is not told by `show`, `show full-configuration` and `get` tell.
A # show full-configuration system console
config system console
    set mode line
    set baudrate 9600
    set output more
    set login enable
end

A # get system console
mode                : line<_>
baudrate            : 9600<_>
output              : more<_>
login               : enable<_>

A # get firewall policy
== [ 2 ]
policyid: 2   name: to_VIP   <*>
== [ 3 ]
policyid: 3   name: to_Internet   <*>

# A table without entries.
A # show firewall vipgrp
config firewall vipgrp
end

# `exit` is for the root.
A # config firewall policy
A > exit
A > end
please use 'end' to return to root shell
