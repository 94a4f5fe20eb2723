# SPDX-License-Identifier: GPL-2.0-or-later
#
# What goes through filters, and commands with names of one's own.

A # get system status | grep "Virtual domain configuration"
Virtual domain configuration: disable

A # get system console | grep ^output
output              : more<_>

A # get firewall policy | grep ==
== [ 2 ]
== [ 3 ]

A # show firewall policy | grep -n edit
2:    edit 2
<*>:    edit 3

A # show | grep -f to_VIP
config firewall policy
    edit 2
        set name "to_VIP" <---
<...>
    next
end

A # show system ha | grep -c pickup
4

A # show system ha | grep pickup | grep -v -i NAT | grep -A1 connectionless
    set session-pickup-connectionless enable
    set session-pickup-expectation enable

A # show system ha | grep nothing

# What fails is told all the same.
A # show system nonsense | grep nothing

command parse error before 'nonsense'
Command fail. Return code -61

A # show system ha | less

command parse error before 'less'
Command fail. Return code -61

A # show system ha | grep -x

command parse error before '-x'
Command fail. Return code -61

A # show | grep -h
Usage: grep [-invfcABC] PATTERN
Options:
        -i      <*>
        -n      <*>
        -v      <*>
        -f      <*>
        -c      <*>
        -A      <*>
        -B      <*>
        -C      <*>

# A bar in quotes is text.
A # config firewall address
A > edit "a|b"
A > set comment 'x | grep y'
A > next
A > end
A > show firewall address "a|b" | grep "set comment"
new entry 'a|b' added
        set comment "x | grep y"

# Aliases.
A # config system alias
A > edit "pol"
A > set command "show firewall policy $1 | grep \"$2\""
A > next
A > edit "two"
A > set command "alias pol 2 $1
A > alias pol 3 '$1'"
A > next
A > end
A > alias pol 2 'set name'
A > alias two edit
A > show system alias
new entry 'pol' added
new entry 'two' added
        set name "to_VIP"
    edit 2
config system alias
    edit "pol"
        set command "show firewall policy $1 | grep \"$2\""
    next
    edit "two"
        set command "alias pol 2 $1
alias pol 3 \'$1\'"
    next
end

A # alias pol
alias 'pol' lacks arguments: it needs 2

incomplete command in the end
Command fail. Return code -160

A # alias nobody
entry is not found in table
Command fail. Return code -3
