# SPDX-License-Identifier: GPL-2.0-or-later
"""What people write with Paramiko: paramiko_channels.py HOST USER PASSWORD KEY.

Commands in channels, with and without a terminal, many at a time; and what a channel must not be.
"""

import sys

import paramiko

from checks import check, equal, fails, has

LIMIT_S = 60
MANY = 20
HOSTNAME = "v700b0066-FGT-A"
PROMPT = f"{HOSTNAME} # "


def connect(host, user, **how):
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(host, username=user, look_for_keys=False, allow_agent=False, timeout=LIMIT_S,
                   **how)
    return client


def carry_out(client, command, **how):
    """What a command prints to both ends, and its exit status."""
    _, out, errors = client.exec_command(command, timeout=LIMIT_S, **how)
    return out.read().decode(), errors.read().decode(), out.channel.recv_exit_status()


def commands(client):
    out, errors, status = carry_out(client, "get system status | grep Hostname")
    equal("a command", (out, errors, status), (f"Hostname: {HOSTNAME}\n", "", 0))
    out, _, status = carry_out(client, "show full-configuration", get_pty=True)
    check("at a terminal it has no pages", status == 0 and out.count("\n") > 24 and
          "--More--" not in out, out)
    out, errors, status = carry_out(client, "get nonsense")
    has("one that is wrong says so", out + errors, "parse error before 'nonsense'",
        "Return code -61")
    equal("and fails", status, 1)
    out, _, status = carry_out(client, "config firewall address\nedit by-paramiko\n"
                               "set subnet 10.1.0.0/16\nnext\nend\n"
                               "show firewall address by-paramiko")
    check("several lines are one script", status == 0 and "set subnet 10.1.0.0 255.255.0.0" in out,
          f"{status}: {out}")
    out, errors, status = carry_out(client, "get nonsense\nget system status | grep Hostname")
    check("of which what is right is carried out", f"Hostname: {HOSTNAME}" in out, out)
    equal("and the whole fails", status, 1)
    out, errors, status = carry_out(client, "config firewall address\nedit half\n"
                                    "set subnet 10.2.0.0/16")
    has("what has no end is not committed", out + errors, "has no end")
    equal("and fails, too", status, 1)
    equal("nothing of it is there", carry_out(client, "show firewall address | grep half")[0], "")


def read_all(channel):
    return "".join(iter(lambda: channel.recv(65536).decode(), ""))


def pipe(client):
    channel = client.get_transport().open_session(timeout=LIMIT_S)
    channel.settimeout(LIMIT_S)
    channel.invoke_shell()
    channel.sendall("get system status | grep Hostname\nget nonsense\n")
    channel.shutdown_write()
    said = read_all(channel)
    has("a shell without a terminal reads lines", said, f"{PROMPT}Hostname: {HOSTNAME}\n")
    equal("which it does not echo", said.count("nonsense"), 1)
    equal("and fails as they do", channel.recv_exit_status(), 1)


def read_up_to(channel, end):
    said = ""
    while not said.endswith(end):
        data = channel.recv(65536).decode()
        if not data:
            raise EOFError(f"no {end!r}, only: {said!r}")
        said += data
    return said


def terminal(client):
    channel = client.invoke_shell(term="xterm", width=80, height=24)
    channel.settimeout(LIMIT_S)
    read_up_to(channel, PROMPT)
    channel.sendall("get system status | grep Hostname\r")
    equal("at a terminal it echoes, answers and asks again", read_up_to(channel, f"\n{PROMPT}"),
          f"get system status | grep Hostname\r\nHostname: {HOSTNAME}\r\n\r\n{PROMPT}")
    channel.sendall("show full-configuration\r")
    said = read_up_to(channel, "--More-- ")
    equal("a page is one of the terminal", said.count("\n"), 23)
    channel.sendall("q")
    read_up_to(channel, PROMPT)
    channel.sendall("exit\r")
    read_all(channel)
    equal("and exit is the end of it", channel.recv_exit_status(), 0)


def many(client):
    channels = [client.invoke_shell(width=0, height=0) for _ in range(MANY)]
    for channel in channels:
        channel.settimeout(LIMIT_S)
        read_up_to(channel, PROMPT)
        channel.sendall("get system status | grep Hostname\r")
    answers = [read_up_to(channel, f"\n{PROMPT}") for channel in channels]
    equal(f"{MANY} at a time answer", sum(f"\nHostname: {HOSTNAME}\r" in a for a in answers), MANY)
    for channel in channels:
        channel.close()


def refused(client):
    transport = client.get_transport()
    fails("no way on to others", paramiko.ChannelException, lambda: transport.open_channel(
        "direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1), timeout=LIMIT_S))
    fails("no port of the unit listens", paramiko.SSHException,
          lambda: transport.request_port_forward("", 9000))
    fails("no X11", paramiko.SSHException, lambda: transport.open_session().request_x11())
    for name in "sftp", "netconf", "shell":
        fails(f"no subsystem {name}", paramiko.SSHException, lambda name=name:
              transport.open_session().invoke_subsystem(name))
    for line in "/bin/sh", "bash -c id", "sftp-server", "rsync --server . .", "scp":
        out, _, status = carry_out(client, line)
        equal(f"no program: {line}", (out, status), ("Unknown action 0\n", 1))
    has("and the connection is good for commands still",
        carry_out(client, "get system status")[0], HOSTNAME)


def main(host, user, password, key):
    client = connect(host, user, password=password)
    has("a password", carry_out(client, "get system admin status")[0], f"username: {user}\n")
    refused(client)
    client.close()
    client = connect(host, user, key_filename=key)
    has("a key", carry_out(client, "get system admin status")[0], f"username: {user}\n")
    for part in commands, pipe, terminal, many, refused:
        part(client)
    client.close()
    said = fails("another password", paramiko.AuthenticationException,
                 lambda: connect(host, user, password="wrong"))
    equal("reads as it does everywhere", said, "Authentication failed.")


main(*sys.argv[1:])
