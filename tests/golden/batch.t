# SPDX-License-Identifier: GPL-2.0-or-later
#
# Scripts that are typed, as programs do it: one request with all lines, another one that asks what
# became of them. The codes are those of errors; what was meant for a table that is not there has that
# of its line.

A | execute batch status
A | execute batch lastlog
A | execute batch start
A | execute batch status
A | config firewall address
A |     edit "b1"
A |         set subnet 10.1.0.0/16
A |     next
A |     edit "b2"
A |         set colour red
A |         set subnet 10.2.0.0/16
A |     next
A | end
A | config firewall nonsense
A |     edit 1
A |         set a b
A |     next
A | end
A | delte
A | config firewall addrgrp
A |     edit "g"
A |         set member "b1" "nobody"
A |         set member "b1" "b2"
A |     next
A |     delete "nobody"
A | end
A | show firewall address
A | execute batch status
A | exec batch end
A | execute batch status
A | execute batch lastlog
v700b0066-FGT-A # batch mode is stopped

v700b0066-FGT-A #<_>
v700b0066-FGT-A # Enter batch mode...

v700b0066-FGT-A # batch mode is running: 0 commands wait for its end

v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A # batch mode is running: 23 commands wait for its end

v700b0066-FGT-A # Exit and run batch commands...

v700b0066-FGT-A # batch mode is stopped

v700b0066-FGT-A # 0: config firewall address
0: edit "b1"
0: set subnet 10.1.0.0/16
0: next
0: edit "b2"
-61: set colour red
0: set subnet 10.2.0.0/16
0: next
0: end
-61: config firewall nonsense
-61: edit 1
-61: set a b
-61: next
-61: end
-61: delte
0: config firewall addrgrp
0: edit "g"
-3: set member "b1" "nobody"
0: set member "b1" "b2"
0: next
-3: delete "nobody"
0: end
0: show firewall address

v700b0066-FGT-A #<_>

# Asked through another connection.
A # execute batch lastlog | grep -c ^0
14

A # show firewall addrgrp g | grep member
        set member "b1" "b2"

# A block without its end is not committed.
A # execute batch start
A > config firewall address
A > edit "b3"
A > set comment 'two
A > lines'
A > next
A > execute batch end
A > execute batch lastlog | grep -v next
A > show firewall address b3
Enter batch mode...
Exit and run batch commands...
0: config firewall address
0: edit "b3"
0: set comment 'two\nlines'
-160: end
entry is not found in table
Command fail. Return code -3

# An entry that cannot be saved is left out.
A # execute batch start
A > config firewall vip
A > edit "v"
A > set extip 10.1.2.3
A > set mappedip "10.1.2.4"
A > set extintf "any"
A > next
A > edit "w"
A > next
A > end
A > execute batch end
A > execute batch lastlog
Enter batch mode...
Exit and run batch commands...
0: config firewall vip
0: edit "v"
0: set extip 10.1.2.3
0: set mappedip "10.1.2.4"
0: set extintf "any"
0: next
0: edit "w"
-56: next
0: end

A # execute batch start
A > execute batch start
A > execute batch end
A > execute batch end
Enter batch mode...
batch mode is on already
Command fail. Return code -7
Exit and run batch commands...
batch mode is stopped
Command fail. Return code -7

# A prelude for units with virtual domains does no harm.
A | config global
A | execute batch start
A | config firewall address
A | edit "b4"
A | next
A | end
A | execute batch end
A | execute batch lastlog
v700b0066-FGT-A #<_>
command parse error before 'global'
Command fail. Return code -61

v700b0066-FGT-A # Enter batch mode...

v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A #<_>
v700b0066-FGT-A # Exit and run batch commands...

v700b0066-FGT-A # 0: config firewall address
0: edit "b4"
0: next
0: end

v700b0066-FGT-A #<_>

# Secrets are not in the log.
A # execute batch start
A > config system standalone-cluster
A > set psksecret "one that nobody else sees"
A > unset psksecret nor-this
A > set psksecrt nor-this
A > set layer2-connection available psksecret nor-this
A > abort
A > set psksecret nor-this
A > execute batch end
A > execute batch lastlog
Enter batch mode...
Exit and run batch commands...
0: config system standalone-cluster
0: set psksecret *
-61: unset psksecret *
-61: set psksecrt *
-61: set layer2-connection *
0: abort
-61: set psksecret *

# It is a batch or a config transaction.
A # execute config-transaction start
A > execute batch start
A > execute config-transaction abort
config transaction id=<*>
<...>
a batch cannot be started in a config transaction
Command fail. Return code -7
<...>

A # execute batch start
A > execute config-transaction start
A > execute batch end
A > execute batch lastlog
Enter batch mode...
Exit and run batch commands...
-7: execute config-transaction start

# Inside of a config there is none; what is open when a session ends is forgotten.
A # config firewall address
A > execute batch start
A > end
Unknown action 0

A # execute batch start
A > config firewall address
A > edit "lost"
A > end
A > exit
Enter batch mode...

A # show firewall address lost
entry is not found in table
Command fail. Return code -3
