# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws commands: most of them good, with what the reference says is there, some of them not.

Names are few, so that entries meet: they clash, refer to each other and are refused for it.
"""

from values import KINDS, Refused

TABLES = ("firewall address", "firewall addrgrp", "firewall service custom",
          "firewall service group", "firewall policy", "firewall schedule recurring", "system zone",
          "router static", "system standalone-cluster", "system cluster-sync", "system global")
LARGE = ("firewall service custom", "system global")  # there is much to print of these

NAMES = ("a", "b", "c", "web", "two words", "all", "ALL", "port1", "port2", "always", "any",
         "none", "HTTP", "x<y", "", "a-name-that-is-longer-than-any-schedule-may-be-called",
         "\u00e4\u20ac")
NUMBERS = ("0", "0", "0", "0", "1", "2", "3", "7", "007", "00", "4294967294", "4294967295", "-1",
           "x")
NONSENSE = ("delte", "e", "ex", "u", "un", "s", "n", "c", "a", "p", "r", "m", "end end", "next now",
            "edit", "edit a b", "delete", "set", "unset", "append", "clear", "select", "unselect",
            "config", "rename a", "rename a too b", "rename a to", "clone a to b c",
            "move 1 before", "move 1 behind 2", "exit", "purge now", "abort now", "show nowhere", "get nowhere",
            "set nowhere 1", "unset nowhere")
ROOT_NONSENSE = ("delte", "e", "ex", "end", "next", "set a b", "edit 1", "config", "config nowhere",
                 "config firewall", "config firewall addr", "config system nowhere", "show nowhere",
                 "show f", "show firewall", "get", "get system", "get firewall nowhere",
                 "config firewall policy 1", "purge", "rename a to b")
NEVER_SET = ("cfg-save", "cfg-revert-timeout", "admintimeout")

GOOD = {
    "string": ("", "x", "two words", "it's", 'a "quoted" word', "back\\slash", "bar | bar", "#1",
               "\u20ac", "ends in \\", "two\nlines"),
    "fqdn": ("", "example.com", "www.Example.org.", "_sip.example"),
    "ipv4": ("0.0.0.0", "10.0.0.1", "10.0.0.9", "192.168.1.1", "10.255.255.255"),
    "ipv4-net": ("0.0.0.0/0", "10.1.2.3/8", "10.1.2.3/32", "172.16.0.0/12"),
    "ipv4-host": ("10.1.2.3/8", "10.1.2.3/32"),
    "ipv4-range": ("0.0.0.0", "10.0.0.1", "10.0.0.1-10.0.0.9", "10.0.0.77/30"),
    "ipv6-prefix": ("::/0", "2001:DB8::/32", "::1"),
    "port-range": ("0-0", "80", "1-65535", "80-80", "443"),
    "service-ports": ("80", "8000-8010", "53:1024-65535", "80:0-65535", "443-443"),
    "time": ("00:00", "8:05", "23:59"),
    "uuid": ("A26B50CC-db75-51eb-7dd5-a313054c614a", "a26b50cc-db75-51eb-7dd5-a313054c614b"),
}
BAD = {
    "fqdn": ("a..b", "a b", "*.example.com"),
    "option": ("maybe", "enable", "", "ena"),
    "integer": ("-1", "99999999999", "x", "", "1x", "+1"),
    "ref": ("nobody", "x<y", "any"),
    "ipv4": ("1.1", "1.2.3.256", "01.2.3.4", "::1"),
    "ipv4-net": ("1.1/8", "10.0.0.1", "10.0.0.1/33", "10.0.0.1/x"),
    "ipv4-host": ("224.0.0.1/24", "10.0.0.1/33"),
    "ipv4-range": ("1.1-2.2", "10.0.0.9-10.0.0.1", "10.0.0.1/40"),
    "ipv6-prefix": ("::/129", "1.2.3.4", "x/64"),
    "port-range": ("65536", "90-80", "80-"),
    "service-ports": ("100-10", "1:9-8", "1:", "1:2:3"),
    "time": ("25:00", "8.05", "8:60"),
    "uuid": ("1-2-3",),
}


class Typist:
    def __init__(self, model, random, reverts=False):
        self.model, self.random, self.reverts = model, random, reverts
        self.whole_script = False  # of which config transactions are no part

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def pick(self, some):
        return some[int(self.random.random() * len(some))]

    def draw(self, *weighted):
        """One of (weight, what), by weight."""
        at = self.random.random() * sum(weight for weight, _ in weighted)
        for weight, what in weighted:
            at -= weight
            if at < 0:
                return what
        return weighted[-1][1]

    def next(self):
        """The words of the next command."""
        if getattr(self.model, "left_out", None) and self.chance(60):
            words = self.pick(("next", "end"))
        elif not self.model.levels:
            words = self.at_root()
        elif self.model.levels[-1].is_list():
            words = self.in_list()
        else:
            words = self.in_buffer()
        words = words if isinstance(words, list) else words.split(" ")
        return ["end"] if self.comes_back(words[-1]) else words

    def comes_back(self, word):
        """Whether a transaction would make an entry again that it has deleted: in a table whose order
        has no meaning it is not said where that one would stand."""
        if not self.model.store.before or not self.model.levels or \
                not (self.model.levels[-1].is_list() or self.model.levels[-1].table.direct()):
            return False
        level = self.model.list_here()
        if level.holder or "ordered" in level.table.flags:
            return False
        try:
            key = self.model.key_for(level, word)
        except Refused:
            return False
        return not self.model.entry_of(level, key) and key in [
            one.key for one in self.model.store.before[0][level.table.path]]

    def shorten(self, word, percent=12):
        if len(word) > 1 and self.chance(percent):
            return word[:1 + int(self.random.random() * (len(word) - 1))]
        return word

    # ---- at the root ----

    def at_root(self):
        return self.draw((70, self.config), (12, lambda: self.look_at_path("show")),
                         (8, lambda: self.look_at_path("get")),
                         (3, lambda: self.pick(ROOT_NONSENSE)),
                         (1, lambda: "execute revision list config | grep -c :"),
                         (4 if self.reverts else 0, self.revert), (0 if self.whole_script else 3, self.transaction))()

    def leave(self):
        """What leads out of all that is open."""
        if self.model.levels:
            return ["abort"]
        if self.model.transaction:
            return ["execute", "config-transaction", self.pick(("commit", "abort"))]
        return ["end"]

    def revert(self):
        if self.model.transaction:
            return self.transaction()
        last = len(self.model.store.history)
        first = max(last - 6, 4) if self.chance(70) else 4
        return f"execute revision revert {self.pick(range(first, last + 2))}"

    def transaction(self):
        return "execute config-transaction " + self.pick(("start", "abort", "commit", "commit"))

    def table(self):
        path = self.pick(TABLES + ("firewall policy",) * 3)
        return self.pick(TABLES) if path in LARGE and self.chance(60) else path

    def config(self):
        return [self.shorten(word, 5) for word in ("config " + self.table()).split()]

    def look_at_path(self, verb):
        path = self.table()
        words = [verb, *path.split()]
        if verb == "show":
            words = [self.shorten(word, 5) for word in words]
            if self.chance(20):
                words.insert(1, self.shorten("full-configuration"))
        if path in self.model.aliases:
            table, attr = self.model.aliases[path]
            return words + self.names_in_list(attr.child, self.stored(table).entries(attr), path)
        table = self.model.tables[path]
        if table.is_list:
            return words + self.names_in_list(table, self.model.store.lists[path], path)
        return words + self.names_within(self.stored(table))

    def stored(self, table):
        return self.model.store.objects[table.path]

    def names_in_list(self, table, entries, path=""):
        if not self.chance(98 if path in LARGE else 75):
            return []
        if entries and self.chance(90):
            entry = self.pick(entries)
            return [entry.key, *self.names_within(entry)]
        return [self.key(table)]

    def names_within(self, entry):
        large = len(entry.table.attrs) > 60
        if not self.chance(95 if large else 40):
            return ["nowhere"] if self.chance(3) else []
        attr = self.pick(entry.table.attrs)
        name = self.shorten(attr.name)
        if not attr.child:
            return [name, "x"] if self.chance(3) else [name]
        if attr.child.is_list:
            return [name, *self.names_in_list(attr.child, entry.entries(attr))]
        inside = entry.nested.get(attr.name)
        return [name, *(self.names_within(inside) if inside else [])]

    # ---- in a list ----

    def key(self, table):
        if table.key().kind == "integer":
            return self.pick(NUMBERS)
        return self.pick(NAMES[:4] if self.chance(50) else NAMES)

    def entries(self):
        level = self.model.list_here()
        if level.holder:
            return level.table, level.holder.entry.entries(level.attr)
        return level.table, self.model.store.lists[level.table.path]

    def some_key(self, existing):
        """A key, of an entry that there is in so many per cent."""
        table, entries = self.entries()
        return self.pick(entries).key if entries and self.chance(existing) else self.key(table)

    def whole(self, verb):
        verb = self.shorten(verb, 5)
        to = self.draw((9, "to"), (1, "t"))
        # rules know some names: they go, and come to others
        known = self.pick(("all", "ALL"))
        there = any(entry.key == known for entry in self.entries()[1])
        if self.chance(15):
            return [verb, known, to, self.key(self.entries()[0])] if there else \
                [verb, self.some_key(100), to, known]
        return [verb, self.some_key(85), to, self.some_key(8)]

    def move(self):
        where = self.pick(("before", "after", "b", "a"))
        return ["move", self.some_key(92), where, self.some_key(92)]

    def in_list(self):
        top = self.model.levels[-1]
        ordered = "ordered" in top.table.flags and len(self.model.store.lists[top.table.path]) > 1
        # where order has no meaning, other names stand behind the rest as long as it is open
        no_rename = (self.model.store.before and not self.model.list_here().holder and
                     "ordered" not in top.table.flags)
        return self.draw((45, lambda: [self.shorten("edit", 5), self.some_key(40)]),
                         (5, lambda: [self.shorten("delete", 5), self.some_key(80)]),
                         (0 if self.reverts else 0.4, lambda: "purge"),
                         (0 if no_rename else 4, lambda: self.whole("rename")),
                         (4, lambda: self.whole("clone")), (40 if ordered else 0.3, self.move),
                         (4, lambda: self.look_here("show")), (3, lambda: self.look_here("get")),
                         (15, lambda: "end"), (2, lambda: "abort"), (2, self.nonsense))()

    def look_here(self, verb):
        top = self.model.levels[-1]
        words = [self.shorten(verb, 5)]
        if verb == "show" and self.chance(10):
            words.append(self.shorten("full-configuration"))
        if top.is_list():
            return words + self.names_in_list(*self.entries(), top.table.path)
        return words + self.names_within(top.entry)

    def nonsense(self):
        return self.pick(NONSENSE)

    # ---- in an entry or object ----

    def in_buffer(self):
        top = self.model.levels[-1]
        missing = top.entry.missing()
        if missing and self.chance(70):
            return ["set", missing.name, *self.value(missing)]
        direct = top.table.direct() and not top.is_entry()
        inner = any(attr.child for attr in top.table.attrs)
        return self.draw((45, lambda: self.change("set")), (4, lambda: self.change("unset")),
                         (6, lambda: self.change("append")), (6, self.unselect),
                         (2, lambda: self.change("select")), (2, lambda: self.change("clear")),
                         (12 if inner else 0, self.config_child),
                         (40 if direct else 0, self.in_list),
                         (5, lambda: self.look_here("show")), (3, lambda: self.look_here("get")),
                         (15 if top.is_entry() else 1, lambda: "next"), (10, lambda: "end"),
                         (2, lambda: "abort"), (2, self.nonsense))()

    def config_child(self):
        children = [attr for attr in self.model.levels[-1].table.attrs if attr.child]
        return [self.shorten("config", 5), self.shorten(self.pick(children).name)]

    def attribute(self, multi=False):
        entry = self.model.levels[-1].entry
        attrs = [attr for attr in entry.table.attrs if attr.kind in KINDS and
                 attr.name not in NEVER_SET and (attr.multi or not multi)]
        good = [attr for attr in attrs if entry.has(attr)]
        if good and self.chance(95):
            # what conditions depend on, and what depends on them, comes more often than the rest
            depended = {name for attr in attrs for name, _ in attr.when}
            pivots = [attr for attr in good if attr.name in depended]
            conditional = [attr for attr in good if attr.when]
            return self.pick(self.draw((2, pivots), (3, conditional), (3, good[:12]), (2, good)) or
                             good)
        return self.pick(attrs or entry.table.attrs)

    def change(self, verb):
        attr = self.attribute(multi=verb in ("append", "select", "clear") and self.chance(95))
        words = [self.shorten(verb, 5), self.shorten(attr.name)]
        if verb in ("unset", "clear"):
            return words + (["x"] if self.chance(2) else [])
        return words + self.value(attr)

    def unselect(self):
        entry = self.model.levels[-1].entry
        held = [attr for attr in entry.table.attrs if attr.multi and attr.name in entry.values]
        attr = self.pick(held) if held and self.chance(80) else self.attribute(multi=True)
        now = entry.value(attr.name)
        words = [self.pick(now)] if now and self.chance(85) else self.value(attr)
        return [self.shorten("unselect", 5), attr.name,
                *(one for word in words for one in ([word] if attr.kind == "ref" or
                                                    attr.kind == "string" else word.split()))]

    def value(self, attr):
        """Words that are a value of the attribute, in most cases."""
        if self.chance(2):
            return []
        words = self.one_value(attr)
        while attr.multi and self.chance(45):
            words += self.one_value(attr)
        if self.chance(1):
            words.append("x")
        return words

    def one_value(self, attr):
        if self.chance(6) and attr.kind in BAD:
            return [self.pick(BAD[attr.kind])]
        if attr.options:
            return [self.pick(attr.options)]
        if attr.kind == "integer":
            return [str(self.pick((attr.low, attr.high, attr.high // 2, "0", "1", "09")))]
        if attr.kind == "ref":
            return [self.reference(attr)]
        if attr.kind == "string" and self.chance(4):
            return ["x" * (attr.size + self.pick((-1, 0, 1))) if attr.size < 100 else "x" * 99]
        if attr.kind == "ipv4-net" and self.chance(40):
            return self.pick((["10.1.2.3", "255.255.0.0"], ["10.0.0.0", "255.0.255.0"],
                              ["10.0.0.0", "8"], ["10.0.0.1", "255.255.255.255"]))
        return [self.pick(GOOD[attr.kind])] if attr.kind in GOOD else ["x"]

    def reference(self, attr):
        path = self.pick(attr.refs)
        keys = [one.key for one in self.model.store.lists[path]]
        if path == "firewall service custom":
            keys = keys[:2] + keys[-4:]
        return self.pick(keys) if keys and self.chance(85) else self.pick(NAMES)


# ---- spelling ----

def spell(word, random):
    """A word as it may be typed: the shell must make the same of it."""
    plain = word != "" and all(one.isalnum() or one in "-_./:" for one in word)
    how = random.random()
    if plain and how < 0.9:
        return word
    if "'" not in word and how < 0.93:
        return f"'{word}'"
    if word and how < 0.96 and "\n" not in word:
        return "".join(one if one.isalnum() else "\\" + one for one in word)
    if word and how < 0.98:
        return spell(word[:1], random) + spell(word[1:], random) if len(word) > 1 else f'"{word}"'
    return '"' + "".join("\\" + one if one in "\"\\" else one for one in word) + '"'


def line_of(words, random):
    if "|" in words:
        return " ".join(words)
    return (" " if random.random() < 0.9 else "  ").join(spell(word, random) for word in words)
