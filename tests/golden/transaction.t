# SPDX-License-Identifier: GPL-2.0-or-later
#
# Config transactions: what is put between start and commit becomes active together.

A # execute config-transaction status
no config transaction is open

A # execute config-transaction commit
no config transaction is open here
Command fail. Return code -3

A # execute config-transaction abort
no config transaction is open here
Command fail. Return code -3

A # execute config-transaction start 0

command parse error before '0'
minutes are 1 to 1440
Command fail. Return code -61

A # execute config-transaction resume

incomplete command in the end
Command fail. Return code -160

A # execute config-transaction resume 99
config transaction id=99 is not open: there was none with this id
Command fail. Return code -3

# One session: what it has staged is what it sees.
A # execute config-transaction start
A > config firewall address
A > edit "staged"
A > set subnet 10.7.0.0 255.255.0.0
A > next
A > end
A > show firewall address staged
A > execute config-transaction status
config transaction id=1 is open
It ends after 60 minutes without a change. `execute config-transaction resume 1` takes it up again after a lost connection.
new entry 'staged' added
config firewall address
    edit "staged"
        set uuid <*>
        set subnet 10.7.0.0 255.255.0.0
    next
end
config transaction id=1 of <*>: open here, 1 change, expires in <*> seconds

# The session has ended, the transaction has not. Nobody else sees it, but that it is locked.
A # show firewall address staged
entry is not found in table
Command fail. Return code -3

A # config firewall address
A > edit "staged"
A > next
A > end
new entry 'staged' added
firewall address staged: config transaction id=1 of <*> has it
Can not config the object since either the object or the referenced objects are being configured by other transactions.
Command fail. Return code 14

A # diagnose sys config-transaction show txn-lock
id=1
    firewall address staged: nobody else can change or delete it

A # diagnose sys config-transaction show txn-entity
id=1
    firewall address staged: put

A # diagnose sys config-transaction show txn-info
id=1 user=<*> state=detached changes=1 bytes=<*> timeout=60 expires=<*>

A # diagnose sys config-transaction show txn-meta
open=1 max=32 max_by_user=8 timeout=60 staged_bytes=<*>

A # execute config-transaction resume 1
A > execute config-transaction commit comment "one more net"
config transaction id=1 is open, with 1 change
It ends after 60 minutes without a change. `execute config-transaction resume 1` takes it up again after a lost connection.

A # show firewall address staged
config firewall address
    edit "staged"
        set uuid <*>
        set subnet 10.7.0.0 255.255.0.0
    next
end

A # execute revision list config
<...>
<*>one more net
<...>

A # execute config-transaction resume 1
config transaction id=1 is not open: it was committed or aborted, or has expired
Command fail. Return code -3

# A script: its blocks are staged one by one, and committed together.
A $ execute config-transaction start 5
A $ config firewall address
A $ edit "staged"
A $ set comment "from a script"
A $ end
A $ config firewall address
A $ edit "wrong"
A $ set subnet 10.7.0.0 255.255.0.300
A $ end
A $ execute config-transaction commit
<...>
script:8: error: <*>
<...>

A # show firewall address staged
config firewall address
    edit "staged"
        set uuid <*>
        set comment "from a script"
        set subnet 10.7.0.0 255.255.0.0
    next
end

A # execute config-transaction start
A > config firewall address
A > delete staged
A > end
A > execute config-transaction abort
config transaction id=3 is open
It ends after 60 minutes without a change. `execute config-transaction resume 3` takes it up again after a lost connection.

A # show firewall address staged
config firewall address
    edit "staged"
<...>
end

# What it would change, as commands; also for who looks from outside.
A # execute config-transaction start
A > config firewall address
A > edit "staged"
A > set comment "another"
A > end
A > execute config-transaction diff
config transaction id=4 is open
It ends after 60 minutes without a change. `execute config-transaction resume 4` takes it up again after a lost connection.
config firewall address
    edit "staged"
        set comment "another"
    next
end

A # diagnose sys config-transaction show txn-cli-commands
id=4
config firewall address
    edit "staged"
        set comment "another"
    next
end

# A commit that waits for its confirmation. Its objects are locked meanwhile, for everyone.
A # execute config-transaction resume 4
A > execute config-transaction commit confirm 10 comment "to be seen"
A > execute config-transaction status
config transaction id=4 is open, with 1 change
It ends after 60 minutes without a change. `execute config-transaction resume 4` takes it up again after a lost connection.
Warning: revision <*> will be taken back in 10 minutes unless it is confirmed: execute config-transaction confirm <*>
revision <*> of <*> waits for its confirmation: it will be taken back in <*> seconds

A # config firewall address
A > edit "staged"
A > set comment "third"
A > end
firewall address staged: revision <*> of <*> waits for its confirmation
Can not config the object since either the object or the referenced objects are being configured by other transactions.
Command fail. Return code 14

A # diagnose sys config-transaction show txn-lock
revision=<*>
    firewall address staged: nobody else can change or delete it

A # diagnose sys config-transaction show txn-entity
revision=<*>
    firewall address staged: put

A # execute config-transaction confirm 1
revision 1 does not wait for a confirmation
Command fail. Return code -3

A # execute config-transaction confirm
revision <*> is confirmed

A # execute config-transaction confirm
no commit of yours waits for its confirmation
Command fail. Return code -3

A # show firewall address staged
config firewall address
    edit "staged"
        set uuid <*>
        set comment "another"
        set subnet 10.7.0.0 255.255.0.0
    next
end
