# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference interpreter: what a command prints and changes, as the manual says it.

It knows nothing of the shell's sources, keeps everything as lists of texts, and is slow.
"""

from store import Entry, Store, fill, must_be_set, next_number, taken
from values import (Refused, arrange, before, fails_check, incomplete, no_such_reference,
                    not_in_table, parse_error, printed, read, take, take_key)

UNKNOWN = Refused(None, "Unknown action 0")
FULL = "full-configuration"

LOOK = ("get", "show", "tree")
LEAVE = ("end", "abort", "exit", "quit")
WHOLE = ("edit", "delete", "rename", "clone")
CHANGE = ("config", "set", "unset", "append", "unselect", "select", "clear")
YIELDING = ("select", "clear")
KNOWN_AT_ROOT = ("config", "get", "show", "execute")
ROOT = ("config", *LOOK, "diagnose", "execute", "alias", "exit", "quit")


class Level:
    """What a `config` or an `edit` has opened: a list, or a buffer (entry) with what it changes."""

    def __init__(self, table, name, frame, entry=None, holder=None, attr=None, through=False,
                 hidden=False, implied=False, new=False):
        self.table, self.name, self.frame, self.entry = table, name, frame, entry
        self.holder, self.attr = holder, attr  # the level whose buffer holds it, in this attribute
        self.through = through                 # each change of this list is saved at once
        self.hidden = hidden                   # closed with the list on it
        self.implied = implied                 # opened by `edit`, closed with the entry
        self.new, self.dirty = new, False

    def is_list(self):
        return self.entry is None

    def is_entry(self):
        return self.entry is not None and self.table.is_list


def match(word, candidates, yielding=()):
    """The candidate that a word is or is short for; None: there is none."""
    if word in candidates:
        return word
    fit = [one for one in candidates if word and one.startswith(word)]
    fit = [one for one in fit if one not in yielding] or fit
    if len(fit) > 1:
        raise Refused(-61, f"\nambiguous command before '{word}'")
    return fit[0] if fit else None


def arguments(words, least, most):
    if len(words) < least:
        raise incomplete()
    if len(words) > most:
        raise parse_error(words[most])
    return words


class Model:
    def __init__(self, tables, aliases):
        self.tables, self.aliases = tables, aliases
        self.store = Store(tables)
        self.levels = []
        self.failed, self.failures = False, 0  # whether the last one did; how many did
        self.blocks = False      # whether a block at the root is one transaction
        self.in_block = False    # whether that is open
        self.transactions = 0    # how many config transactions there were
        self.transaction = False  # whether one is open

    # ---- from outside ----

    def prompt(self):
        objects = self.store.before[1] if self.store.before else self.store.objects
        host = objects["system global"].value("hostname")[0] or "SERIAL"
        return f"{host} ({self.levels[-1].name}) # " if self.levels else f"{host} # "

    def run(self, words):
        """Carry out a command; what it prints."""
        self.out = []
        try:
            if words:
                self.command(words)
        except Refused as refused:
            self.failed = True
            self.failures += 1
            text = refused.text
            for word in words:  # its newlines must not pass for lines of the error
                text = text.replace(word, word.replace("\n", "?")) if "\n" in word else text
            self.out.append(text)
            if refused.code is not None:
                more = " (reached the maximum number of entries)" if refused.code == -4 else ""
                self.out.append(f"Command fail. Return code {refused.code}{more}")
        return "".join(line + "\n" for line in self.out)

    def verbs(self):
        if not self.levels:
            return ROOT
        top = self.levels[-1]
        if top.is_list():
            return (*WHOLE, "purge", *LOOK, *LEAVE,
                    *(["move"] if "ordered" in top.table.flags else []))
        return (*CHANGE, *LOOK, *LEAVE, *(["next"] if top.is_entry() else []),
                *(WHOLE if top.table.direct() and not top.is_entry() else []))

    def command(self, words):
        verb = match(words[0], self.verbs(), YIELDING)
        if not verb and "|" in words:
            raise NotImplementedError
        if not verb:
            raise UNKNOWN
        if verb in ("exit", "quit") and self.levels:
            arguments(words[1:], 0, 0)
            raise Refused(None, "please use 'end' to return to root shell")
        if not self.levels and verb not in KNOWN_AT_ROOT:
            raise incomplete() if words[1:] == [] and verb not in LEAVE else NotImplementedError
        if not self.levels:
            verb = "root_" + verb
        getattr(self, "do_" + verb)(words[1:])

    # ---- paths ----

    def path(self, words, more=()):
        """(path, the words behind it); a path is a table's or an alias."""
        path = ()
        paths = [tuple(one.split()) for one in (*self.tables, *self.aliases)]
        for i, word in enumerate(words):
            follow = {one[len(path)] for one in paths
                      if one[:len(path)] == path and len(one) > len(path)}
            found = match(word, follow | (set(more) if i == 0 else set()))
            if not found:
                break
            if found in more:
                return found, words[1:]
            path += (found,)
        if path not in paths:
            raise parse_error(words[len(path)]) if len(words) > len(path) else incomplete()
        return " ".join(path), words[len(path):]

    def do_root_config(self, words):
        path, rest = self.path(words)
        arguments(rest, 0, 0)
        if self.blocks and self.store.before is None:
            self.store.begin()
            self.in_block = True
        name = path.split()[-1]
        if path in self.aliases:
            table, attr = self.aliases[path]
            self.levels.append(Level(table, name, table.path, self.stored(table), hidden=True))
            self.levels.append(Level(attr.child, name, table.path, holder=self.levels[-1],
                                     attr=attr, through=True))
        else:
            table = self.tables[path]
            self.levels.append(Level(table, name, path,
                                     None if table.is_list else self.stored(table)))

    def stored(self, table):
        return self.store.objects[table.path].copy()

    # ---- lists ----

    def list_here(self):
        """The list that is open, or that `edit` would open."""
        top = self.levels[-1]
        if top.is_list():
            return top
        attr = top.table.direct()
        return Level(attr.child, "", top.frame, holder=top, attr=attr, through=top.attr is None,
                     implied=True)

    def entry_of(self, level, key):
        if level.holder:
            return level.holder.entry.entry(level.attr, key)
        return self.store.find(level.table.path, key)

    def key_for(self, level, word):
        """The key that a word means for an entry that may be new: 0 is the next free number."""
        key = take_key(level.table.key(), word)
        if level.table.key().kind != "integer" or key != "0":
            return key
        if level.holder:
            return next_number(level.table, (one.key for one in
                                             level.holder.entry.entries(level.attr)))
        return self.store.next_number(level.table)

    def check_clash(self, table, key):
        other = self.store.clash(table, key)
        if other:
            code = table.clash_codes.get(other.path, other.clash_codes.get(table.path, -5))
            raise fails_check(table.key(), key, code, f"Name '{key}' conflict: '{other.noun}' and "
                              f"'{table.noun}' cannot be the same name.\n")

    def check_room(self, level):
        most = level.table.flags.get("max")
        if most and len(level.holder.entry.entries(level.attr)) >= int(most):
            raise Refused(-4, "object set operator error, -4 discard the setting")

    def do_edit(self, words):
        word, = arguments(words, 1, 1)
        level = self.list_here()
        key = self.key_for(level, word)
        entry = self.entry_of(level, key)
        if not entry and level.holder:
            self.check_room(level)
        elif not entry:
            self.check_clash(level.table, key)
        name = "0" if take_key(level.table.key(), word) == "0" and \
            level.table.key().kind == "integer" else key
        new = entry is None
        if new:
            entry = self.new_entry(level.table, key)
            self.out.append(f"new entry '{name}' added")
        if level.implied:
            self.levels.append(level)
        self.levels.append(Level(level.table, name, level.frame, entry.copy(), level.holder,
                                 level.attr, level.through, new=new))

    @staticmethod
    def new_entry(table, key):
        entry = Entry(table, key)
        fill(entry)
        return entry

    def change_list(self, level, change):
        """Change a nested list in the buffer of its holder, which is saved when it is through."""
        holder, saved = level.holder, level.holder.entry.copy()
        entries = list(holder.entry.entries(level.attr))
        change(entries)
        holder.entry.nested[level.attr.name] = entries
        if not entries:
            del holder.entry.nested[level.attr.name]
        holder.dirty = True
        if level.through:
            self.save_through(holder, saved)

    def save_through(self, holder, saved):
        try:
            self.store.put(holder.entry.normalized())
        except Refused:
            holder.entry = saved
            raise
        holder.entry, holder.dirty = self.stored(holder.table), False

    def do_delete(self, words):
        word, = arguments(words, 1, 1)
        level = self.list_here()
        key = take_key(level.table.key(), word)
        if not level.holder:
            self.store.delete(level.table.path, key)
            return
        entry = self.entry_of(level, key)
        if not entry:
            raise not_in_table()
        self.change_list(level, lambda entries: entries.remove(entry))

    def do_purge(self, words):
        arguments(words, 0, 0)
        level = self.list_here()
        if level.holder:
            self.change_list(level, lambda entries: entries.clear())
        else:
            self.store.purge(level.table.path)

    def two_keys(self, words):
        key, to_word, other = arguments(words, 3, 3)
        if not match(to_word, ("to",)):
            raise parse_error(to_word)
        level = self.list_here()
        key = take_key(level.table.key(), key)
        if level.holder and not self.entry_of(level, key):
            raise not_in_table()
        to = self.key_for(level, other)
        if level.holder and self.entry_of(level, to):
            raise taken(to)
        if not level.holder:
            self.check_clash(level.table, to)
        return level, key, to

    def do_rename(self, words):
        level, key, to = self.two_keys(words)
        if not level.holder:
            self.store.rename(level.table.path, key, to)
            return

        def change(entries):
            renamed = self.entry_of(level, key).copy()
            renamed.key = to
            entries[[one.key for one in entries].index(key)] = renamed

        self.change_list(level, change)

    def do_clone(self, words):
        level, key, to = self.two_keys(words)
        entry = self.entry_of(level, key)
        if not entry:
            raise not_in_table()
        if self.entry_of(level, to):
            raise taken(to)
        clone = entry.copy()
        clone.key = to
        clone.values.update(self.new_entry(level.table, to).values)
        if level.holder:
            self.check_room(level)
            self.change_list(level, lambda entries: entries.append(clone))
        else:
            self.store.put(clone)

    def do_move(self, words):
        key, where, other = arguments(words, 3, 3)
        where = match(where, ("before", "after"))
        if not where:
            raise parse_error(words[1])
        level = self.list_here()
        key, other = (take_key(level.table.key(), one) for one in (key, other))
        if key == other:
            raise Refused(-651, f"an entry cannot stand before or after itself{before(other)}")
        self.store.move(level.table.path, key, where == "before", other)

    # ---- attributes ----

    def attr(self, entry, word, fits):
        """The attribute that a word names, of those that are there and fit."""
        there = [one for one in entry.table.attrs if one is not entry.table.key_or_none() and
                 fits(one) and entry.has(one)]
        if entry.table.attr(word) and entry.table.attr(word) not in there:
            raise parse_error(word)
        name = match(word, [one.name for one in there])
        if not name:
            raise parse_error(word)
        return entry.table.attr(name)

    def plain_attr(self, words, multi=False):
        if not words:
            raise incomplete()
        return self.attr(self.levels[-1].entry, words[0],
                         lambda one: not one.child and (one.multi or not multi))

    def check_names(self, attr, value):
        if attr.kind == "ref":
            for name in value:
                if not self.store.named(attr, name):
                    raise no_such_reference(name)

    def set_value(self, attr, value):
        self.levels[-1].entry.set(attr, value)
        self.levels[-1].dirty = True

    def do_set(self, words, multi=False):
        attr = self.plain_attr(words, multi)
        value = take(attr, words[1:])
        self.check_names(attr, value)
        if attr.name == "private-data-encryption" and value == ["enable"]:
            raise fails_check(attr, "enable", cause="it needs a key, which no line may hold: "
                              "`execute private-data-encryption key` asks for it and enables it\n")
        self.set_value(attr, value)

    def do_select(self, words):
        self.do_set(words, multi=True)

    def do_append(self, words):
        attr = self.plain_attr(words, multi=True)
        value = take(attr, words[1:])
        self.check_names(attr, value)
        self.set_value(attr, arrange(attr, self.levels[-1].entry.value(attr.name) + value))

    def do_unselect(self, words):
        attr = self.plain_attr(words, multi=True)
        gone = take(attr, words[1:])
        now = self.levels[-1].entry.value(attr.name)
        for word in words[1:]:
            if take(attr, [word])[0] not in now:
                raise not_in_table(word)
        self.empty(attr, [one for one in now if one not in gone])

    def empty(self, attr, rest):
        """A list that has a default cannot be empty."""
        if not rest and attr.default():
            raise must_be_set(attr)
        self.set_value(attr, rest)

    def do_clear(self, words):
        attr = self.plain_attr(words, multi=True)
        arguments(words, 1, 1)
        self.empty(attr, [])

    def do_unset(self, words):
        attr = self.plain_attr(words)
        arguments(words, 1, 1)
        self.set_value(attr, attr.default())

    # ---- opening and closing ----

    def do_config(self, words):
        if not words:
            raise incomplete()
        top = self.levels[-1]
        attr = self.attr(top.entry, words[0], lambda one: one.child)
        arguments(words, 1, 1)
        level = Level(attr.child, attr.name, attr.name, holder=top, attr=attr)
        if not attr.child.is_list:
            inside = top.entry.nested.get(attr.name)
            level.entry = inside.copy() if inside else Entry(attr.child)
        self.levels.append(level)

    def save(self, level):
        if not level.new and not level.dirty:
            return
        entry = level.entry = level.entry.normalized()
        attr = next((one for one in entry.table.attrs if "required" in one.flags and
                     entry.has(one) and one.name not in entry.values), None)
        if attr:
            raise must_be_set(attr)
        if not level.holder:
            self.store.put(entry)
            return
        holder, name = level.holder, level.attr.name
        saved = holder.entry.copy()
        if level.is_entry():
            entries = [one if one.key != entry.key else entry
                       for one in holder.entry.entries(level.attr)]
            holder.entry.nested[name] = entries if entry in entries else entries + [entry]
        elif entry.is_empty():
            holder.entry.nested.pop(name, None)
        else:
            holder.entry.nested[name] = entry
        holder.dirty = True
        if level.through:
            self.save_through(holder, saved)

    def do_next(self, words):
        arguments(words, 0, 0)
        try:
            self.save(self.levels[-1])
        finally:
            self.close_entry()

    def close_entry(self):
        self.levels.pop()
        if self.levels[-1].implied:
            self.levels.pop()

    def close_config(self):
        self.levels.pop()
        if self.levels and self.levels[-1].hidden:
            self.levels.pop()
        if not self.levels and self.in_block:
            self.in_block = False
            self.store.commit()

    def do_end(self, words):
        arguments(words, 0, 0)
        try:
            if self.levels[-1].is_entry():
                self.do_next([])
        finally:
            try:
                if not self.levels[-1].is_list():
                    self.save(self.levels[-1])
            finally:
                self.close_config()

    def do_abort(self, words):
        arguments(words, 0, 0)
        if self.levels[-1].is_entry():
            self.close_entry()
        self.close_config()

    # ---- looking: the way from a name to what it names ----

    def walk(self, entry, words):
        """The (entry, attribute) pairs on the way, and the entry at its end (or None)."""
        way = []
        words = list(words)
        while words:
            word = words.pop(0)
            attr = self.attr(entry, word, lambda one: True)
            way.append((entry, attr))
            if not attr.child:
                if words:
                    raise parse_error(words[0])
                return way, None
            if not attr.child.is_list:
                entry = entry.nested.get(attr.name) or Entry(attr.child)
            elif words:
                entry = self.child_entry(entry, attr, words.pop(0))
            else:
                return way, None
        return way, entry

    @staticmethod
    def child_entry(entry, attr, word):
        found = entry.entry(attr, key_or_none(attr.child, word))
        if not found:
            raise not_in_table()
        return found

    def look(self, path, words):
        """What a path and names lead to: (frame, entry, None, names) or (frame, None, list, [])."""
        if path in self.aliases:
            table, attr = self.aliases[path]
            return self.look_in(table.path, self.stored(table), attr, words)
        table = self.tables[path]
        if not table.is_list:
            return path, self.stored(table), None, words
        if not words:
            return path, None, self.store.listing(path), []
        entry = self.store.find(path, key_or_none(table, words[0]))
        if not entry:
            raise not_in_table()
        return path, entry, None, words[1:]

    def look_in(self, frame, entry, attr, words):
        if not words:
            return frame, None, entry.entries(attr), []
        return frame, self.child_entry(entry, attr, words[0]), None, words[1:]

    def look_here(self, words):
        top = self.levels[-1]
        if not top.is_list():
            return top.frame, top.entry, None, words
        if top.holder:
            return self.look_in(top.frame, top.holder.entry, top.attr, words)
        return self.look(top.table.path, words)

    # ---- show ----

    def do_root_show(self, words):
        full = False
        if not words:
            raise NotImplementedError
        path, rest = self.path(words, [FULL])
        if path == FULL:
            full = True
            if not rest:
                raise NotImplementedError
            path, rest = self.path(rest)
        self.show(full, *self.look(path, rest))

    def do_show(self, words):
        full = bool(words) and match(words[0], [FULL]) == FULL
        frame, entry, entries, names = self.look_here(words[1:] if full else words)
        self.show(full, frame, entry and entry.normalized(), entries, names)

    def show(self, full, frame, entry, entries, names):
        if entry is None:
            self.line(0, f"config {frame}")
            for one in entries:
                self.show_entry(one, 1, full)
            self.line(0, "end")
            return
        way, last = self.walk(entry, names)
        indent, ends = 0, []
        for one in [holder for holder, _ in way] + ([last] if last else []):
            self.line(indent, f"config {frame}")
            ends.append((indent, "end"))
            indent += 1
            if one.table.is_list:
                self.line(indent, self.edit_line(one))
                ends.append((indent, "next"))
                indent += 1
            if last is not one:
                frame = next(attr for holder, attr in way if holder is one).name
        if last:
            self.show_body(last, indent, full)
        elif way[-1][1].child:
            self.line(indent, f"config {frame}")
            for one in way[-1][0].entries(way[-1][1]):
                self.show_entry(one, indent + 1, full)
            self.line(indent, "end")
        else:
            self.show_attr(*way[-1], indent, full)
        for indent, end in reversed(ends):
            self.line(indent, end)

    def line(self, indent, text):
        self.out.append("    " * indent + text)

    @staticmethod
    def edit_line(entry):
        key = entry.table.key()
        return "edit " + (entry.key if key.kind == "integer" else printed(key, [entry.key]))

    def show_entry(self, entry, indent, full):
        self.line(indent, self.edit_line(entry))
        self.show_body(entry, indent + 1, full)
        self.line(indent, "next")

    def show_body(self, entry, indent, full):
        for attr in entry.table.attrs:
            if attr is not entry.table.key_or_none() and entry.has(attr):
                self.show_attr(entry, attr, indent, full)

    def show_attr(self, entry, attr, indent, full):
        if attr.child:
            self.show_child(entry, attr, indent, full)
            return
        value = entry.values.get(attr.name)
        if value is None and (full or "always" in attr.flags):
            value = attr.default()
        if value:
            self.line(indent, f"set {attr.name} {printed(attr, value)}")
        elif value is not None and not attr.multi and attr.kind not in ("uuid", "password"):
            self.line(indent, f"unset {attr.name}")

    def show_child(self, entry, attr, indent, full):
        inside = entry.nested.get(attr.name)
        if not inside and not (full and not attr.child.is_list):
            return
        self.line(indent, f"config {attr.name}")
        if attr.child.is_list:
            for one in inside:
                self.show_entry(one, indent + 1, full)
        else:
            self.show_body(inside or Entry(attr.child), indent + 1, full)
        self.line(indent, "end")

    # ---- get ----

    def do_root_get(self, words):
        path, rest = self.path(words)
        self.get(*self.look(path, rest))

    def do_get(self, words):
        self.get(*self.look_here(words))

    def get(self, _, entry, entries, names):
        if entry is None:
            self.get_entries(entries)
            return
        way, last = self.walk(entry, names)
        if last:
            self.get_body(last, 0)
        elif way[-1][1].child:
            self.get_entries(way[-1][0].entries(way[-1][1]))
        else:
            self.get_attr(*way[-1], 0)

    def get_entries(self, entries):
        for one in entries:
            self.out.append(f"== [ {one.key} ]")
            pairs = [f"{one.table.key().name}: {one.key}"]
            pairs += [f"{attr.name}: {read(attr, one.values[attr.name])}"
                      for attr in one.table.attrs if attr.name in one.values]
            self.out.append("   ".join(pairs) + "   ")

    def get_body(self, entry, indent):
        for attr in entry.table.attrs:
            if entry.has(attr):
                self.get_attr(entry, attr, indent)

    def get_attr(self, entry, attr, indent):
        if attr is entry.table.key_or_none():
            self.line(indent, f"{attr.name:<20}: {entry.key}")
        elif not attr.child:
            self.line(indent, f"{attr.name:<20}: {read(attr, entry.value(attr.name))}")
        else:
            self.line(indent, f"{attr.name}:")
            inside = entry.nested.get(attr.name, [])
            for one in inside if isinstance(inside, list) else [inside]:
                if attr.child.is_list:
                    self.line(indent + 1, f"== [ {one.key} ]")
                self.get_body(one, indent + 1)

    # ---- execute ----

    def do_root_execute(self, words):
        what = {"revision list config": self.count_revisions, "revision revert": self.revert,
                "config-transaction start": self.start, "config-transaction abort": self.abort,
                "config-transaction commit": self.commit}
        words = words[:-3] if words[-4:] == ["|", "grep", "-c", ":"] else words
        for name, do in what.items():
            if " ".join(words[:len(name.split())]) == name:
                do(*words[len(name.split()):])
                return
        raise NotImplementedError

    def count_revisions(self, bar):
        self.out.append(str(len(self.store.history)))

    def revert(self, revision):
        number, history = int(revision), self.store.history
        if self.transaction:
            raise NotImplementedError
        if not 1 <= number <= len(history):
            raise Refused(-3, f"the history has no revision {number}")
        if self.store.revert(number):
            self.out.append(f"The configuration is that of revision {number} again: revision "
                            f"{len(history)}.")
        else:
            self.out.append(f"The configuration is that of revision {number} already.")

    def start(self):
        if self.transaction:
            raise Refused(-7, f"config transaction id={self.transactions} is open here: commit or "
                              "abort it first")
        self.transactions += 1
        self.transaction = True
        self.store.begin()
        self.out.append(f"config transaction id={self.transactions} is open")
        self.out.append("It ends after 60 minutes without a change. `execute config-transaction "
                        f"resume {self.transactions}` takes it up again after a lost connection.")

    def check_transaction(self):
        if not self.transaction:
            raise Refused(-3, "no config transaction is open here")
        self.transaction = False

    def abort(self):
        self.check_transaction()
        self.store.drop()

    def commit(self):
        self.check_transaction()
        self.store.commit()


VERBS = (("config", 1), ("edit", 2), ("next", 1), ("end", 2), ("abort", 2), ("get", 1), ("show", 2),
         ("tree", 1), ("diagnose", 2), ("execute", 3), ("exit", 3), ("quit", 1))
LOOK_AT_ROOT = ("get", "show", "tree", "diagnose", "execute")


class Script(Model):
    """Commands of a script or pipe: a block is one transaction, and what was meant for a `config` or
    an `edit` that failed is left out."""

    def __init__(self, tables, aliases):
        super().__init__(tables, aliases)
        self.blocks = True
        self.left_out = None     # the verb that failed
        self.nested = 0          # `config`s inside what is left out

    @staticmethod
    def verb(words):
        for verb, least in VERBS:
            if words and len(words[0]) >= least and verb.startswith(words[0]):
                return None if verb in LOOK_AT_ROOT and len(words) < 2 else verb
        return None

    def run(self, words):
        verb = self.verb(words)
        if self.left_out and self.leaves_out(verb):
            return ""
        self.failed = False
        printed = super().run(words)
        if self.failed and verb in ("config", "edit"):
            self.left_out, self.nested = verb, 0
        return printed

    def leaves_out(self, verb):
        if verb in LOOK_AT_ROOT or verb in ("exit", "quit"):
            return bool(self.levels)
        if verb == "config":
            self.nested += 1
        elif verb in ("end", "abort") and self.nested:
            self.nested -= 1
        elif verb in ("end", "abort"):
            # the end of a table whose entry failed closes the table
            entry, self.left_out = self.left_out == "edit", None
            return not entry
        elif verb == "next" and self.left_out == "edit" and not self.nested:
            self.left_out = None
        return True

    def begin(self, whole):
        """A script; whole: as one transaction."""
        self.blocks, self.failures = not whole, 0
        if whole:
            self.store.begin()

    def end(self, whole):
        """Its exit status."""
        if whole and self.failures:
            self.store.drop()
        elif whole:
            self.store.commit()
        return int(self.failures > 0)


def key_or_none(table, word):
    try:
        return take_key(table.key(), word)
    except Refused:
        return None
