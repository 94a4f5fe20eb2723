# SPDX-License-Identifier: GPL-2.0-or-later
# needs: factory
#
# The history of the configuration: what was changed, by whom, as commands, and back again; and what of
# it is saved.

A # config firewall address
A > edit "web"
A > set subnet 10.1.0.0 255.255.0.0
A > next
A > edit "db"
A > set subnet 10.2.0.0 255.255.0.0
A > next
A > end
new entry 'web' added
new entry 'db' added

A # config firewall policy
A > edit 1
A > set name "first"
A > set srcintf any
A > set dstintf any
A > set srcaddr web
A > set dstaddr db
A > set schedule always
A > set service HTTPS
A > set action accept
A > next
A > edit 2
A > set srcintf any
A > set dstintf any
A > set srcaddr all
A > set dstaddr all
A > set schedule always
A > set service ALL
A > next
A > end
new entry '1' added
new entry '2' added

A # config firewall policy
A > edit 1
A > set service HTTPS SSH
A > unset name
A > next
A > move 2 before 1
A > end

A # execute revision list config
ID       TIME                 ADMIN            SOURCE                CHANGES  COMMENT
<...>

A # execute revision diff 3 5
config firewall policy
    edit 1
        set uuid <*>
        set srcintf "any"
        set dstintf "any"
        set action accept
        set srcaddr "web"
        set dstaddr "db"
        set schedule "always"
        set service "HTTPS" "SSH"
    next
    edit 2
        set uuid <*>
        set srcintf "any"
        set dstintf "any"
        set srcaddr "all"
        set dstaddr "all"
        set schedule "always"
        set service "ALL"
    next
    move 2 before 1
end

A # execute revision diff 5 3
config firewall policy
    delete 2
    delete 1
end

A # execute revision diff 4
config firewall policy
    edit 1
        unset name
        set service "HTTPS" "SSH"
    next
    move 2 before 1
end

A # execute revision diff 5 5

A # execute revision diff 4 99
the history has no revision 99
Command fail. Return code -3

A # execute revision diff 0

command parse error before '0'
Command fail. Return code -61

A # execute revision diff

incomplete command in the end
Command fail. Return code -160

A # execute revision diff 3 4 5

command parse error before '5'
Command fail. Return code -61

A # execute revision revert 99
the history has no revision 99
Command fail. Return code -3

A # execute revision revert x

command parse error before 'x'
Command fail. Return code -61

A # execute revision revert 4
The configuration is that of revision 4 again: revision 6.

A # show firewall policy
config firewall policy
    edit 1
        set name "first"
        set uuid <*>
        set srcintf "any"
        set dstintf "any"
        set action accept
        set srcaddr "web"
        set dstaddr "db"
        set schedule "always"
        set service "HTTPS"
    next
    edit 2
        set uuid <*>
        set srcintf "any"
        set dstintf "any"
        set srcaddr "all"
        set dstaddr "all"
        set schedule "always"
        set service "ALL"
    next
end

A # execute revision revert 4
The configuration is that of revision 4 already.

A # execute config-transaction start
A > execute revision revert 5
A > execute config-transaction abort
config transaction id=1 is open
It ends after 60 minutes without a change. `execute config-transaction resume 1` takes it up again after a lost connection.
a config transaction is open here: commit or abort it first
Command fail. Return code -7
<...>

A # execute revision comment 4 "Web servers reach the data"

A # execute revision comment 99 "nobody"
the history has no revision 99
Command fail. Return code -3

A # execute revision comment 4 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
string value is too long. the size is 256, the limit is 255
Command fail. Return code -1

A # execute revision list config
ID       TIME                 ADMIN            SOURCE                CHANGES  COMMENT
6        <*>  <*> cli                         1  revert to 4
5        <*>  <*> cli                         2 <_>
4        <*>  <*> cli                         2  Web servers reach the data
3        <*>  <*> cli                         2 <_>
2        <*>  system           found                       <*> <_>
1        <*>  system           factory                   <*> <_>

# Nothing is to be saved as long as changes are saved by themselves.
A # execute cfg status
Everything is saved.

A # execute cfg save
Everything is saved.

A # execute cfg reload
everything is saved: there is nothing to reload
Command fail. Return code -3

A # config system global
A > set cfg-save revert
A > set cfg-revert-timeout 9
A > set cfg-revert-timeout 1000
A > end
invalid unsigned integer value: 9

value parse error before '9'
Command fail. Return code -651

A # config firewall address
A > edit "cache"
A > next
A > end
new entry 'cache' added
Warning: not saved: back to revision 7 in <*> seconds unless you execute cfg save

A # execute cfg status
Saved is revision 7, not what came after it.
The unit goes back to it in <*> seconds.

A # execute cfg reload
The configuration is that of revision 7 again: revision 9.

A # show firewall address cache
entry is not found in table
Command fail. Return code -3

A # config system global
A > set cfg-save manual
A > end
Warning: not saved: back to revision 9 at the next start of the machine unless you execute cfg save

A # config firewall address
A > edit "cache"
A > next
A > end
new entry 'cache' added

A # config firewall address
A > edit "more"
A > next
A > end
new entry 'more' added

A # execute cfg status
Saved is revision 9, not what came after it.
The unit goes back to it at the next start of the machine.

A # execute cfg save
Revision 12 is saved.

A # execute cfg save
Everything is saved.

A # execute revision list config
ID       TIME                 ADMIN            SOURCE                CHANGES  COMMENT
12       <*>  <*> cli                         1 <_>
11       <*>  <*> cli                         1 <_>
10       <*>  <*> cli                         1 <_>
9        <*>  <*> cli                         1  back to revision 7, which was saved
8        <*>  <*> cli                         1 <_>
7        <*>  <*> cli                         1 <_>
6        <*>  <*> cli                         1  revert to 4
5        <*>  <*> cli                         2 <_>
4        <*>  <*> cli                         2  Web servers reach the data
3        <*>  <*> cli                         2 <_>
2        <*>  system           found                       <*> <_>
1        <*>  system           factory                   <*> <_>
