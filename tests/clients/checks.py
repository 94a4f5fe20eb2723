# SPDX-License-Identifier: GPL-2.0-or-later
"""What the scripts beside this one tell the test that runs them: a line for each check, as TAP has
it, but without numbers. The test gives it those, and fails when a script ends before its end.
"""


def check(name, fine, got=None):
    print(("" if fine else "not ") + f"ok - {name}")
    if not fine:
        print("".join(f"#   {line}\n" for line in f"got: {got}".splitlines()), end="", flush=True)


def equal(name, got, wanted):
    check(name, got == wanted, f"{got!r}\nwanted: {wanted!r}")


def has(name, text, *parts):
    missing = [part for part in parts if part not in text]
    check(name, not missing, f"{text}\nwanted in it: {missing}")


def fails(name, kind, action):
    """Passes when the action raises an exception of this kind; returns what it says."""
    try:
        got = action()
    except kind as exception:
        check(name, True)
        return str(exception)
    check(name, False, got)
    return ""
