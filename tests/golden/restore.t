# SPDX-License-Identifier: GPL-2.0-or-later
# needs: alone
#
# Saving and restoring the configuration, as far as it needs no file: tests/net/restore.test has the rest.

# Only the configuration, from its header to its end.
A # execute backup config -
#config-version=GHVM64-7.4.0-FW-build<*>:opmode=0:vdom=0:user=<*>
#conf_file_ver=1
#buildno=<*>
#global_vdom=1
config system global
    set hostname "v700b0066-FGT-A"
end
<...>
end
#conf_file_end

A # execute backup full-config -
#config-version=GHVM64-7.4.0-FW-build<*>:opmode=0:vdom=0:user=<*>
<...>
        unset<*>
<...>
#conf_file_end

A # execute backup yaml-config -
#config-version=GHVM64-7.4.0-FW-build<*>:opmode=0:vdom=0:user=<*>
<...>
firewall_policy:
<...>
      srcintf: ["port1"]
<...>
      srcaddr: ["all"]
<...>
#conf_file_end

# The present revision gets a comment.
A # execute backup config flash "before the change"
Please wait...

Config backed up to flash disk done.

A # execute backup config flash
Please wait...

Config backed up to flash disk done.

A # execute revision list config
<...>
<*>before the change
<...>

# What is no file is not replaced.
A # execute backup config /
Please wait...
/: it is a folder: nothing was written
Command fail. Return code -39

A # execute backup config /dev/null
Please wait...
/dev/null: it is no file: nothing was written
Command fail. Return code -39

A # execute backup config ''
a file name is missing: nothing was written
Command fail. Return code -39

A # execute backup config

incomplete command in the end
Command fail. Return code -160

A # execute backup config - more

command parse error before 'more'
Command fail. Return code -61

A # execute backup config flash a comment

command parse error before 'comment'
Command fail. Return code -61

# What FortiOS has and is not here.
A # execute backup config tftp backup.conf 192.0.2.1
tftp is not possible: a backup is a file here, /tmp/FILE, or what `scp -O UNIT:sys_config FILE` fetches from elsewhere
Command fail. Return code -39

A # execute backup full-config usb backup.conf
usb is not possible: a backup is a file here, /tmp/FILE, or what `scp -O UNIT:sys_config FILE` fetches from elsewhere
Command fail. Return code -39

# A file that is not there, and one that is none.
A # execute restore config /nonexistent/file
Please wait...
Can not get config file /nonexistent/file: No such file or directory
Command fail. Return code -28

A # execute restore config /dev/null
Please wait...
Can not get config file /dev/null: it is no file; - reads standard input
Command fail. Return code -28

A # execute restore config x --careful

command parse error before '--careful'
Command fail. Return code -61

A # execute restore config x --confirm

incomplete command in the end
Command fail. Return code -160

A # execute restore config x --confirm 0

command parse error before '0'
Command fail. Return code -61

# Where the commands come from there is no file.
A | execute restore config -
<*> # Please wait...
Can not get config file -: the commands come from there
Command fail. Return code -28

<*> #<_>
