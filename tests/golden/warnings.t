# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is accepted but will not do all that was meant is told at `next` or `end`. It is no failure.

# A secret that is easy to guess.
A # config system auto-scale
A > set psksecret short
A > end
Warning: system auto-scale: psksecret has fewer than 16 characters

# It stays as it is: nothing more to say.
A # config system auto-scale
A > set hb-interval 5
A > end

# Piped, in the stream.
A | config system standalone-cluster
A | set psksecret "no better one"
A | end
v700b0066-FGT-A #<_>
v700b0066-FGT-A (standalone-cluster) #<_>
v700b0066-FGT-A (standalone-cluster) # Warning: system standalone-cluster: psksecret has fewer than 16 characters

v700b0066-FGT-A #<_>

# In a script, on standard error with the line that committed it.
A $ config system auto-scale
A $     set psksecret "a secret that is long enough"
A $ end
A $ config system standalone-cluster
A $     set psksecret other
A $ end
script:6: warning: system standalone-cluster: psksecret has fewer than 16 characters

# Addresses that this unit cannot resolve: a policy that denies them denies nobody.
A # config firewall address
A > edit "ads"
A > set type fqdn
A > set fqdn ads.example.com
A > next
A > edit "far"
A > set type geography
A > set country XX
A > next
A > end
new entry 'ads' added
new entry 'far' added

A # config firewall policy
A > edit 8
A > set srcintf "port2"
A > set dstintf "port1"
A > set srcaddr "all"
A > set dstaddr "ads" "far"
A > set schedule "always"
A > set service "ALL"
A > next
A > end
new entry '8' added
Warning: firewall policy 8 matches nothing: this unit cannot enforce its dstaddr: "ads" (type fqdn), "far" (type geography)

# In a script the block is committed by its `end`; the other policies of it are not spoken of.
A $ config firewall policy
A $     edit 3
A $         set comments "plain"
A $     next
A $     edit 8
A $         set dstaddr "none" "ads"
A $     next
A $ end
script:8: warning: firewall policy 8 leaves out what this unit cannot enforce in its dstaddr: "ads" (type fqdn)

# A group that is in use already, and a member that will not be matched.
A # config firewall addrgrp
A > edit "blocked"
A > set member "none"
A > end
A > config firewall policy
A > edit 8
A > set dstaddr "blocked"
A > end
A > config firewall addrgrp
A > edit "blocked"
A > append member "far"
A > end
new entry 'blocked' added
Warning: firewall addrgrp blocked is in use, but this unit cannot enforce all of it: "far" (type geography)

# A policy that asks for what cannot be told from a packet.
A # config firewall policy
A > edit 3
A > set groups "guests"
A > end
Warning: firewall policy 3 matches nothing: this unit cannot enforce its groups

# Virtual IPs that take no packet.
A # config firewall vip
A > edit "wide"
A > set extip 198.18.0.0-198.19.255.255
A > set mappedip 10.0.0.0-10.1.255.255
A > set extintf "any"
A > next
A > edit "off"
A > set extip 198.18.0.0-198.19.255.255
A > set mappedip 10.0.0.0-10.1.255.255
A > set extintf "any"
A > set status disable
A > end
new entry 'wide' added
new entry 'off' added
Warning: firewall vip wide takes no packet: its ranges are too long

# What is accepted with a warning is there.
A # show firewall vip wide
config firewall vip
    edit "wide"
        set uuid <*>
        set extip 198.18.0.0-198.19.255.255
        set mappedip "10.0.0.0-10.1.255.255"
        set extintf "any"
    next
end

# A syslog server is an address: nobody waits for a name to be looked up.
A # config log syslogd setting
A > set status enable
A > set server log.example.com
A > end
Warning: log syslogd setting sends nothing: server log.example.com is no address, and this unit looks no name up

A # config log syslogd setting
A > set server 192.0.2.1
A > end
