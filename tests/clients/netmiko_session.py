# SPDX-License-Identifier: GPL-2.0-or-later
"""Netmiko 2.4, as programs use it: netmiko_session.py HOST USER PASSWORD writes|reads LOG.

It paces itself with pauses of its own, which are left as they are; what it sent and got is in LOG.
"""

import re
import sys

from netmiko import ConnectHandler

from checks import check, equal, fails, has

LONG = "x" * 1000  # a terminal of 80 columns must not change its echo
POLICY = ["config firewall policy", "edit 77", "set name by-netmiko", "set srcintf port1",
          "set dstintf port2", "set srcaddr all", "set dstaddr all", "set schedule always",
          "set service HTTP", f"set comments {LONG}", "set action accept", "next", "end"]


def look(connection):
    has("send_command gets what a command prints", connection.send_command("get system status"),
        "Version: Gatehouse-VM64 v7.", "Hostname: v700b0066-FGT-A")
    equal("and nothing else", connection.send_command("show system global"),
          'config system global\n    set hostname "v700b0066-FGT-A"\nend\n')
    text = connection.send_command("show full-configuration firewall policy")
    check("long output is whole", text.startswith("config firewall policy\n") and
          text.endswith("end\n") and text.count("\n") > 100, text)
    mode = re.search(r"output\s+:\s+(.*)\s+\n", connection.send_command("get system console"))
    equal("the pager reads as Netmiko reads it", mode and mode.group(1).strip(), "standard")
    has("an error is text as well", connection.send_command("get nonsense"),
        "command parse error before 'nonsense'", "Command fail. Return code -61")


def write(connection):
    equal("the prompt is the host's name", connection.find_prompt(), "v700b0066-FGT-A #")
    look(connection)
    said = connection.send_config_set(POLICY)
    has("send_config_set types a policy", said, "new entry '77' added",
        "(77) # set action accept\n\nv700b0066-FGT-A (77) # next\n")
    check("without an error", "Command fail" not in said and "Unknown" not in said, said)
    has("it is there", connection.send_command("show firewall policy 77"), LONG)
    fails("there is nothing to save", NotImplementedError, connection.save_config)


def read(connection):
    equal("the prompt of who may only read ends otherwise", connection.find_prompt(),
          "v700b0066-FGT-A $")
    look(connection)
    has("send_config_set shows the refusal", connection.send_config_set(POLICY),
        "does not have the permission to change firewall policy.\nCommand fail. Return code -14\n")


def main(host, user, password, job, log):
    connection = ConnectHandler(device_type="fortinet", host=host, username=user,
                                password=password, session_log=log)
    {"writes": write, "reads": read}[job](connection)
    connection.disconnect()
    with open(log, encoding="utf-8", newline="") as file:
        said = file.read()
    check("the pager is off and on again, once",
          said.count("set output standard") == said.count("set output more") == 1 and
          said.index("set output standard") < said.index("set output more"), said)
    check("nothing was drawn", "\x1b" not in said and "--More--" not in said, repr(said))


main(*sys.argv[1:])
