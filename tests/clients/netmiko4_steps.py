# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps of Netmiko 4, which Debian 12 does not have: netmiko4_steps.py HOST USER PASSWORD.

It answers the banner, learns the prompt, looks for virtual domains, for the version and for the
pager, turns that off, and on again at its end. Where 2.4 waits for silence, 4 waits for a match.
"""

import re
import sys

import paramiko

from checks import check, equal, has

PROMPT = "[#$]"
BANNER = f"to accept|{PROMPT}"
OLD_KEX = ("diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1",
           "diffie-hellman-group-exchange-sha256", "diffie-hellman-group1-sha1")
LIMIT_S = 60


class Steps:
    def __init__(self, channel):
        self.channel = channel
        self.coming = ""  # what no step has taken

    def read(self, pattern):
        """Takes what comes up to a match of the pattern."""
        while not (match := re.search(pattern, self.coming)):
            data = self.channel.recv(65536)
            if not data:
                raise EOFError(f"no {pattern!r}, only: {self.coming!r}")
            self.coming += data.decode()
        said, self.coming = self.coming[:match.end()], self.coming[match.end():]
        return said.replace("\r", "")

    def command(self, line):
        """What a line prints: behind its echo, up to the next prompt."""
        self.channel.sendall(line + "\n")
        self.read(re.escape(line))
        return self.read(r"\n\S+ (\([^ ]+\) )?[#$] ")


def connect(host, user, password):
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    paramiko.Transport._preferred_kex = OLD_KEX
    client.connect(host, username=user, password=password, look_for_keys=False,
                   allow_agent=False, timeout=LIMIT_S)
    return client


def main(host, user, password):
    client = connect(host, user, password)
    channel = client.invoke_shell(term="vt100", width=511, height=1000)
    channel.settimeout(LIMIT_S)
    steps = Steps(channel)
    has("the banner comes first", steps.read(BANNER), "to accept")
    channel.sendall("a\r")
    prompt = steps.read(f"{PROMPT} ").splitlines()[-1].strip()
    equal("then the prompt", prompt, "v700b0066-FGT-B #")
    virtual = steps.command("get system status | grep Virtual")
    check("virtual domains are looked for, and are not there",
          re.search("^Virtual domain configuration: ", virtual, re.M) and not
          re.search("Virtual domain configuration: (multiple|enable|split-task)", virtual), virtual)
    version = steps.command("get system status | grep Version")
    check("the version is one that it knows",
          re.search(r"^Version: .* (v[78]\.).*$", version, re.M), version)
    console = steps.command("get system console")
    mode = re.search(r"output\s+:\s+(?P<mode>\S+)\s*$", console, re.M)
    check("the pager is on", mode and mode.group("mode") == "more", console)
    for wanted in ("standard", "more"):
        for line in ("config system console", f"set output {wanted}", "end"):
            said = steps.command(line)
            check(f"{line}: no error", "fail" not in said and "Unknown" not in said, said)
        has(f"the pager is {wanted}", steps.command("get system console | grep output"), wanted)
    channel.sendall("exit\n")
    while channel.recv(65536):
        pass
    equal("exit ends the session", channel.recv_exit_status(), 0)
    client.close()


main(*sys.argv[1:])
