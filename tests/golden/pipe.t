# SPDX-License-Identifier: GPL-2.0-or-later
#
# Lines piped into the shell: prompts, no echo, a blank line after each command, a last prompt at
# the end of input. Prompts name where one is.

A | show system ha
v700b0066-FGT-A # config system ha
    set session-pickup enable
    set session-pickup-connectionless enable
    set session-pickup-expectation enable
    set session-pickup-nat enable
    set override disable
end

v700b0066-FGT-A #<_>

A | config firewall service custom
A | edit "web"
A | set tcp-portrange 8080
A | next
A | edit "web"
A | show
A | end
v700b0066-FGT-A #<_>
v700b0066-FGT-A (custom) # new entry 'web' added

v700b0066-FGT-A (web) #<_>
v700b0066-FGT-A (web) #<_>
v700b0066-FGT-A (custom) #<_>
v700b0066-FGT-A (web) # config firewall service custom
    edit "web"
        set tcp-portrange 8080
    next
end

v700b0066-FGT-A (web) #<_>
v700b0066-FGT-A #<_>

# An error is part of the stream, and the session goes on.
A | show system nonsense
A | delte
A | exit
v700b0066-FGT-A #<_>
command parse error before 'nonsense'
Command fail. Return code -61

v700b0066-FGT-A # Unknown action 0

v700b0066-FGT-A #<_>
