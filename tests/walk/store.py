# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration of the reference: entries, what is checked when one is saved, who names whom.

What is in the store is never changed in place: who changes an entry puts a copy.
"""

import uuid

from values import Refused, before, fails_check, not_in_table

GROUP_DEPTH = 16


class Entry:
    """An entry of a list, or an object: values of attributes, nested entries or objects."""

    def __init__(self, table, key=""):
        self.table, self.key = table, key
        self.values, self.nested = {}, {}

    def copy(self):
        other = Entry(self.table, self.key)
        other.values = dict(self.values)
        for name, inside in self.nested.items():
            other.nested[name] = ([one.copy() for one in inside] if isinstance(inside, list)
                                  else inside.copy())
        return other

    def same(self, other):
        return self.picture() == other.picture()

    def picture(self):
        inside = {name: [one.picture() for one in entries] if isinstance(entries, list)
                  else entries.picture() for name, entries in self.nested.items()}
        return self.key, self.values, inside

    def value(self, name):
        attr = self.table.attr(name)
        return self.values.get(name) or attr.default()

    def set(self, attr, value):
        if value == attr.default():
            self.values.pop(attr.name, None)
        else:
            self.values[attr.name] = value

    def has(self, attr):
        return all(any(allowed == "*" and self.value(name) not in ([], [""]) or
                       allowed in self.value(name) for allowed in words)
                   for name, words in attr.when)

    def is_empty(self):
        return not self.values and not self.nested

    def entries(self, attr):
        return self.nested.get(attr.name, [])

    def entry(self, attr, key):
        return next((one for one in self.entries(attr) if one.key == key), None)

    def normalized(self):
        """Without what does not exist."""
        other = self.copy()
        for attr in self.table.attrs:
            if not self.has(attr):
                other.values.pop(attr.name, None)
                other.nested.pop(attr.name, None)
        return other

    def references(self):
        """(entry that holds it, attribute) of each reference that is set, nested ones too."""
        for attr in self.table.attrs:
            if attr.kind == "ref" and attr.name in self.values:
                yield self, attr
            inside = self.nested.get(attr.name, [])
            for one in inside if isinstance(inside, list) else [inside]:
                yield from one.references()

    def missing(self):
        """The first required attribute that is empty, or None."""
        return next((attr for attr in self.table.attrs if "required" in attr.flags and
                     self.has(attr) and self.value(attr.name) in ([], [""], ["0.0.0.0"])), None)


def next_number(table, keys):
    """One above the greatest; the first gap when that is taken."""
    taken = {int(key) for key in keys}
    most = max(taken, default=0)
    if most < table.key().high:
        return str(most + 1)
    return str(next(n for n in range(1, most) if n not in taken))


class Store:
    def __init__(self, tables):
        self.tables = tables
        self.lists = {path: [] for path, table in tables.items() if table.is_list}
        self.objects = {path: Entry(table) for path, table in tables.items() if not table.is_list}
        self.history = []        # what each revision was: (lists, objects)
        self.before = None       # the same, when the open transaction began

    # ---- looking ----

    def find(self, path, key):
        return next((one for one in self.lists[path] if one.key == key), None)

    def listing(self, path):
        """The entries of a list; where they name each other, those that are named come first."""
        if "ordered" in self.tables[path].flags:
            return self.lists[path]
        listed = []

        def visit(entry, above):
            if entry in listed or entry in above:
                return
            for holder, attr in entry.references():
                for name in holder.values[attr.name] if path in attr.refs else []:
                    other = self.find(path, name)
                    if other:
                        visit(other, above + [entry])
            listed.append(entry)

        for entry in self.lists[path]:
            visit(entry, [])
        return listed

    def named(self, attr, name):
        """Whether a reference may have this name."""
        return name == "" or name == "any" and "any" in attr.flags or any(
            self.find(path, name) for path in attr.refs)

    def everything(self):
        for entries in self.lists.values():
            yield from entries
        yield from self.objects.values()

    def users(self, path, key):
        """The top-level entries that name this one, each as often as it has references to it."""
        for one in self.everything():
            for holder, attr in one.references():
                if path in attr.refs and key in holder.values[attr.name]:
                    yield one

    def clash(self, table, key):
        """The table of the same name space that has this key already, or None."""
        return next((other for path, other in self.tables.items() if table.group and
                     other is not table and other.group == table.group and self.find(path, key)),
                    None)

    def next_number(self, table):
        return next_number(table, (one.key for one in self.lists[table.path]))

    # ---- transactions ----

    def state(self):
        return {path: list(entries) for path, entries in self.lists.items()}, dict(self.objects)

    def is_state(self, state):
        return all(same_entries(self.lists[path], entries) for path, entries in state[0].items()) \
            and all(self.objects[path].same(one) for path, one in state[1].items())

    def begin(self):
        self.before = self.state()

    def commit(self):
        before, self.before = self.before, None
        if not self.is_state(before):
            self.changed()

    def drop(self):
        (self.lists, self.objects), self.before = self.before, None

    def changed(self):
        if self.before is None:
            self.history.append(self.state())

    def revert(self, revision):
        """Whether that changed anything."""
        if self.is_state(self.history[revision - 1]):
            return False
        lists, objects = self.history[revision - 1]
        self.lists = {path: list(entries) for path, entries in lists.items()}
        self.objects = dict(objects)
        self.changed()
        return True

    # ---- changing ----

    def put(self, entry):
        table, path = entry.table, entry.table.path
        old = self.find(path, entry.key) if table.is_list else self.objects[path]
        entry = adjusted(entry)
        fill(entry, old)
        self.check(entry)
        if old and old.same(entry):
            return
        if not table.is_list:
            self.objects[path] = entry
        elif old:
            self.lists[path][self.lists[path].index(old)] = entry
        else:
            self.lists[path].append(entry)
        self.changed()

    def delete(self, path, key):
        entry = self.find(path, key)
        if not entry:
            raise not_in_table()
        users = len(list(self.users(path, key)))
        if users:
            raise Refused(-23, f"The entry is used by other {users} entries")
        self.lists[path].remove(entry)
        self.changed()

    def purge(self, path):
        for entry in self.lists[path]:
            users = [one for one in self.users(path, entry.key) if one.table.path != path]
            if users:
                raise Refused(-23, f"'{entry.key}' stays, so none is removed\n"
                                   f"The entry is used by other {len(users)} entries")
        if self.lists[path]:
            self.lists[path] = []
            self.changed()

    def rename(self, path, key, to):
        entry = self.find(path, key)
        if not entry:
            raise not_in_table()
        if self.find(path, to):
            raise taken(to)
        check_any(entry.table, to)
        renamed = entry.copy()
        renamed.key = to
        users = [(one, adjusted(renamed_references(one, path, key, to)))
                 for one in dict.fromkeys(self.users(path, key))]
        for _, new in users:
            self.check_rules(new)
        self.lists[path][self.lists[path].index(entry)] = renamed
        for old, new in users:
            self.replace(old, new)
        self.changed()

    def replace(self, old, new):
        path = old.table.path
        if not old.table.is_list:
            self.objects[path] = new
        elif old in self.lists[path]:
            self.lists[path][self.lists[path].index(old)] = new

    def move(self, path, key, before_it, other):
        for one in (key, other):
            if not self.find(path, one):
                raise Refused(-3, f"{path} {one}: entry is not found in table")
        order = list(self.lists[path])
        entry = self.find(path, key)
        order.remove(entry)
        order.insert(order.index(self.find(path, other)) + (not before_it), entry)
        if order != self.lists[path]:
            self.lists[path] = order
            self.changed()

    # ---- what is refused ----

    def check(self, entry):
        self.check_required(entry)
        check_any(entry.table, entry.key)
        self.check_unique(entry)
        self.check_rules(entry)

    def check_rules(self, entry):
        rule = RULES.get(entry.table.path)
        if rule:
            rule(self, entry)

    def check_required(self, entry):
        attr = entry.missing()
        if attr:
            raise must_be_set(attr)
        for inside in entry.nested.values():
            for one in inside if isinstance(inside, list) else [inside]:
                self.check_required(one)

    def check_unique(self, entry):
        for attr in entry.table.attrs:
            value = entry.values.get(attr.name)
            if "unique" not in attr.flags or not value:
                continue
            for other in self.lists[entry.table.path]:
                if other.key != entry.key and other.values.get(attr.name) == value:
                    raise Refused(-15, f"{entry.table.path} {other.key} has the {attr.name} "
                                       f"'{value[0]}' already\n"
                                       "object set operator error, -15 discard the setting")


def same_entries(some, others):
    return len(some) == len(others) and all(one is other or one.same(other)
                                            for one, other in zip(some, others))


def check_any(table, key):
    if table.group == "interface" and key == "any":
        raise Refused(-553, "Name 'any' conflict: it stands for every interface.")


def must_be_set(attr):
    return Refused(-56, f"Attribute '{attr.name}' MUST be set.")


def taken(key):
    return Refused(-5, f"entry '{key}' exists already{before(key)}")


def renamed_references(entry, path, key, to):
    entry = entry.copy()
    for holder, attr in entry.references():
        if path in attr.refs:
            holder.values[attr.name] = [to if name == key else name
                                        for name in holder.values[attr.name]]
    return entry


def fill(entry, old=None):
    """What fills itself in: a uuid where there is none, that of before if there was one."""
    for attr in entry.table.attrs:
        if attr.kind == "uuid" and attr.name not in entry.values:
            entry.values[attr.name] = old.values[attr.name] if old else [str(uuid.uuid4())]


def adjusted(entry):
    """A name that covers all goes, where others stand beside it."""
    entry = entry.copy()
    if entry.table.path == "firewall policy":
        for name, everything in (("srcaddr", "all"), ("dstaddr", "all"), ("srcintf", "any")):
            value = entry.values.get(name, [])
            if len(value) > 1 and everything in value:
                entry.values[name] = [one for one in value if one != everything]
    return entry


# ---- rules of single tables ----

def number(ip):
    return [int(part) for part in ip.split(".")]


def rule_address(store, entry):
    if entry.value("type") == ["iprange"] and \
            number(entry.value("end-ip")[0]) < number(entry.value("start-ip")[0]):
        raise Refused(-45, "end-ip must be greater than start-ip\n"
                           "object check operator error, -45, discard the setting")


def rule_group(store, entry):
    """No group contains itself, and none is nested too deep."""
    path, key = entry.table.path, entry.key

    def members(name):
        group = entry if name == key else store.find(path, name)
        return [one for _, attr in group.references() for one in group.values[attr.name]
                if one == key or store.find(path, one)] if group else []

    def depth(name, seen):
        if name in seen:
            raise refusal
        return 1 + max((depth(one, seen | {name}) for one in members(name)), default=0)

    def height(name):
        return 1 + max((height(one.key) for one in store.users(path, name)
                        if one.table.path == path and one.key != key), default=0)

    refusal = Refused(-7, f"Group '{key}' would contain itself, or groups are nested deeper than "
                          f"{GROUP_DEPTH}.\nobject check operator error, -7, discard the setting")
    if depth(key, frozenset()) + height(key) - 1 > GROUP_DEPTH:
        raise refusal


def rule_policy(store, entry):
    services = entry.value("service")
    if len(services) > 1 and "ALL" in services:
        raise Refused(-651, f"node_check_object fail! for service ALL{before('ALL')}")
    for name in ("srcintf", "dstintf"):
        for one in entry.value(name):
            zone = next((zone for zone in store.lists["system zone"]
                         if one in zone.value("interface")), None)
            if zone:
                raise fails_check(entry.table.attr(name), one, -7,
                                  f"Interface '{one}' is in zone '{zone.key}': name the zone\n")


def rule_zone(store, entry):
    for name in entry.value("interface"):
        for zone in store.lists["system zone"]:
            if zone.key != entry.key and name in zone.value("interface"):
                raise Refused(-7, f"Interface '{name}' is in zone '{zone.key}' already"
                                  f"{before(name)}")
    for name in entry.value("interface"):
        policy = min((one for one in store.users("system interface", name)
                      if one.table.path == "firewall policy"), key=lambda one: int(one.key),
                     default=None)
        if policy:
            raise fails_check(entry.table.attr("interface"), name, -157,
                              f"Interface '{name}' cannot be in a zone: firewall policy "
                              f"{policy.key} names it\n")


def rule_static(store, entry):
    if entry.value("blackhole") == ["disable"] and entry.value("status") == ["enable"] and \
            entry.value("device") == [""] and not entry.value("sdwan-zone"):
        raise must_be_set(entry.table.attr("device"))


def rule_global(store, entry):
    name = entry.value("hostname")[0]
    if not all(one.isascii() and (one.isalnum() or one in "-_") for one in name):
        raise fails_check(entry.table.attr("hostname"), name,
                          cause="a host name holds letters, digits, - and _\n")


def rule_cluster(store, entry):
    for peer in entry.entries(entry.table.attr("cluster-peer")):
        ip = peer.value("peerip")[0]
        if ip != "0.0.0.0" and (number(ip)[0] == 0 or number(ip)[0] >= 224):
            raise fails_check(peer.table.attr("peerip"), ip,
                              cause=f"{ip} is no address that a unit can have\n")


RULES = {"firewall address": rule_address, "firewall addrgrp": rule_group,
         "firewall service group": rule_group, "firewall policy": rule_policy,
         "system zone": rule_zone, "router static": rule_static,
         "system global": rule_global,
         "system standalone-cluster": rule_cluster}
