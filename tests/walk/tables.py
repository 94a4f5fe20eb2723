# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of the product as schemas/README.md says them, read from schemas/*/*.schema.

A second reader beside schemas/compile.awk: what that one would get wrong is a difference here.
"""

import shlex

VALUE_FLAGS = {"default", "when", "in", "advised", "max"}


class Attr:
    """A key, an attribute, or a nested table (child is its Table)."""

    def __init__(self, name, kind, words):
        self.name = name
        self.kind = kind
        self.child = None
        self.options = self.refs = ()
        self.low = self.high = self.size = None
        self.values = []
        if kind == "option":
            self.options = words.pop(0).split("|")
        elif kind == "integer":
            low, high = words.pop(0).split("..")
            self.low, self.high = int(low), int(high)
        elif kind == "string":
            self.size = int(words.pop(0))
        elif kind == "ref":
            self.refs = [name.replace(".", " ") for name in words.pop(0).split("|")]
        self.flags = read_flags(words)
        self.multi = "multi" in self.flags
        if self.flags.get("in"):
            self.options = self.flags["in"].split("|")
        self.when = [(name, allowed.split("|")) for name, allowed in
                     (one.split("=") for one in self.flags.get("when", "").split(",") if one)]

    def default(self):
        """Its values while nobody has set any, as a list; empty: none."""
        if "nodefault" in self.flags:
            return []
        if "default" in self.flags:
            value = self.flags["default"]
            value = "0" if value == "0-0" else value  # the form in which port ranges are kept
            return value.split() if self.multi else [value]
        if self.multi:
            return []
        return {"option": lambda: [self.options[0]], "integer": lambda: [str(self.low)],
                "ipv4": lambda: ["0.0.0.0"], "ipv4-net": lambda: ["0.0.0.0 0.0.0.0"],
                "ipv4-host": lambda: ["0.0.0.0 0.0.0.0"], "ipv6-prefix": lambda: ["::/0"],
                "string": lambda: [""], "fqdn": lambda: [""], "ref": lambda: [""],
                }.get(self.kind, list)()


class Table:
    def __init__(self, path, kind, words):
        self.path = path
        self.is_list = kind == "list"
        self.flags = read_flags(words)
        self.attrs = []
        self.group = self.noun = None
        self.clash_codes = {}

    def key(self):
        return self.attrs[0]

    def key_or_none(self):
        return self.attrs[0] if self.is_list else None

    def attr(self, name):
        return next((a for a in self.attrs if a.name == name), None)

    def direct(self):
        return next((a for a in self.attrs if a.child and "direct" in a.child.flags), None)


def read_flags(words):
    flags = {}
    while words:
        word = words.pop(0)
        flags[word] = words.pop(0) if word in VALUE_FLAGS else True
    return flags


def read_file(path, tables, aliases):
    stack = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = shlex.split(line) if not line.startswith("#") else []
        if not words:
            continue
        what = words.pop(0)
        if what not in ("names", "opt"):
            help_text = words.pop() if what != "end" else ""
            assert what == "end" or help_text
        if what == "table":
            kind = next(i for i in range(2, len(words)) if words[i] in ("list", "object"))
            stack = [Table(" ".join(words[:kind]), words[kind], words[kind + 1:])]
            tables[stack[0].path] = stack[0]
        elif what == "names":
            stack[0].group, stack[0].noun = words[0], words[1]
            for clash in words[2:]:
                other, code = clash.split("=")
                stack[0].clash_codes[other.replace(".", " ")] = int(code)
        elif what in ("key", "attr"):
            stack[-1].attrs.append(Attr(words[0], words[1], words[2:]))
        elif what == "child":
            attr = Attr(words[0], "child", [])
            attr.child = Table(words[0], words[1], words[2:])
            stack[-1].attrs.append(attr)
            stack.append(attr.child)
        elif what == "alias":
            aliases[" ".join(words[:-1])] = (stack[0], stack[0].attr(words[-1]))
        elif what == "end":
            stack.pop()


def read(folder):
    """All tables by their path, and the aliases: path -> (object table, its nested list)."""
    tables, aliases = {}, {}
    for path in sorted(folder.glob("*/*.schema")):
        read_file(path, tables, aliases)
    return tables, aliases
