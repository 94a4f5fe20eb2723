# SPDX-License-Identifier: GPL-2.0-or-later
"""Values: what each type takes, the form it is kept in, how it is printed, what is refused and how.

A value is a list of texts in the form in which they are kept.
"""

import ipaddress
import re


class Refused(Exception):
    """A command that fails: the text of its error, and its code (None: there is no line for it)."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


def before(word):
    return f"\n\nvalue parse error before '{word}'"


def parse_error(word):
    return Refused(-61, f"\ncommand parse error before '{word}'")


def incomplete():
    return Refused(-160, "\nincomplete command in the end")


def fails_check(attr, word, code=-651, cause=""):
    return Refused(code, f"{cause}node_check_object fail! for {attr.name} {word}{before(word)}")


def not_in_table(word=None):
    return Refused(-3, "entry is not found in table" + (before(word) if word is not None else ""))


def no_such_reference(word):
    return Refused(-3, f"entry not found in datasource{before(word)}")


def bad_mask():
    return Refused(-9, "invalid netmask.\nobject check operator error, -9, discard the setting")


def take_name(attr, word):
    if re.search(r"[\"'<>\n]", word):
        raise Refused(-173, f"The string contains XSS vulnerability characters{before(word)}")
    return word


def take_string(attr, word):
    size = len(word.encode())
    if size > attr.size:
        raise Refused(-1, f"string value is too long. the size is {size}, the limit is "
                          f"{attr.size}\nvalue parse error before '{word}'")
    if attr.options and word not in attr.options and not (word == "" and attr.default() == [""]):
        raise no_such_reference(word)
    return word


def take_integer(attr, word):
    if "never" in attr.flags and word == "never":
        return word
    if re.fullmatch(r"-?[0-9]+", word) and attr.low <= int(word) <= attr.high:
        return str(int(word))
    if attr.low < 0:
        raise Refused(-651, f"invalid integer value{before(word)}")
    raise Refused(-651, f"invalid unsigned integer value: {word}{before(word)}")


def take_option(attr, word):
    if word not in attr.options:
        raise fails_check(attr, word)
    return word


def take_fqdn(attr, word):
    label = r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?"
    if word and not re.fullmatch(rf"{label}(\.{label})*\.?", word):
        raise fails_check(attr, word, cause="domain name is not valid.\n")
    return word


def address(word, shown=None):
    try:
        return ipaddress.IPv4Address(word)
    except ValueError:
        raise Refused(-8, f"invalid ip address{before(word if shown is None else shown)}") from None


def mask_of_length(word):
    if not re.fullmatch(r"[0-9]{1,3}", word) or int(word) > 32:
        raise bad_mask()
    return int(ipaddress.IPv4Network(f"0.0.0.0/{int(word)}").netmask)


def mask(word):
    try:
        number = int(ipaddress.IPv4Address(word))
    except ValueError:
        raise bad_mask() from None
    gap = ~number & 0xffffffff
    if gap & (gap + 1):
        raise bad_mask()
    return number


def take_ipv4(attr, word):
    return str(address(word))


def take_range(attr, word):
    if "/" in word:
        ip, length = word.split("/", 1)
        low, bits = int(address(ip, word)), mask_of_length(length)
        low, high = low & bits, low | ~bits & 0xffffffff
    elif "-" in word:
        low, high = (int(address(end, word)) for end in word.split("-", 1))
    else:
        low = high = int(address(word))
    if high < low:
        raise fails_check(attr, word, -45)
    ends = [str(ipaddress.IPv4Address(end)) for end in (low, high)]
    return ends[0] if low == high else "-".join(ends)


def take_ipv6_prefix(attr, word):
    ip, _, length = word.partition("/")
    try:
        ip = ipaddress.IPv6Address(ip)
    except ValueError:
        raise Refused(-8, f"invalid ip address{before(ip)}") from None
    if "/" in word and (not re.fullmatch(r"[0-9]{1,3}", length) or int(length) > 128):
        raise bad_mask()
    return f"{ip}/{int(length or 128)}"


def ports(word):
    """N or N-M as numbers; None: it is neither."""
    found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", word)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    return (low, high) if low <= high <= 65535 else None


def print_ports(both):
    return str(both[0]) if both[0] == both[1] else f"{both[0]}-{both[1]}"


def take_port_range(attr, word):
    both = ports(word)
    if not both:
        raise fails_check(attr, word, -650)
    return print_ports(both)


def take_service_ports(attr, word):
    server, colon, client = word.partition(":")
    server, client = ports(server), ports(client) if colon else (0, 65535)
    if not server or not client:
        raise fails_check(attr, word, -650)
    return print_ports(server) + ("" if client == (0, 65535) else ":" + print_ports(client))


def take_time(attr, word):
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{1,2})", word)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise fails_check(attr, word)
    return f"{int(found[1]):02}:{int(found[2]):02}"


def take_uuid(attr, word):
    if not re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", word):
        raise fails_check(attr, word)
    return word.lower()


TAKE = {"string": take_string, "integer": take_integer, "option": take_option, "fqdn": take_fqdn,
        "ref": take_name, "ipv4": take_ipv4, "ipv4-range": take_range, "time": take_time,
        "ipv6-prefix": take_ipv6_prefix, "port-range": take_port_range, "uuid": take_uuid,
        "service-ports": take_service_ports}
KINDS = set(TAKE) | {"ipv4-host", "ipv4-net"}


def take_net(attr, words):
    """Address and mask: the first words of a line, which go."""
    ip, slash, length = words[0].partition("/")
    number = int(address(ip, words[0]))
    if not slash and len(words) < 2:
        raise incomplete()
    bits = mask_of_length(length) if slash else mask(words[1])
    if attr.kind == "ipv4-host" and number >> 24 >= 224:
        raise Refused(-8, f"ip address must be a class A, B, or C ip{before(words[0])}")
    del words[:1 if slash else 2]
    number &= bits if attr.kind == "ipv4-net" else 0xffffffff
    return f"{ipaddress.IPv4Address(number)} {ipaddress.IPv4Address(bits)}"


def take(attr, words):
    """What the words of a line make of an attribute."""
    words, taken = list(words), []
    if not words:
        raise incomplete()
    while words:
        if taken and not attr.multi:
            raise parse_error(words[0])
        if attr.kind in ("ipv4-host", "ipv4-net"):
            taken.append(take_net(attr, words))
        elif attr.kind == "ref" and attr.multi and words[0] == "":
            raise no_such_reference("")
        else:
            taken.append(TAKE[attr.kind](attr, words.pop(0)))
    return arrange(attr, taken)


def arrange(attr, taken):
    """Each once; options in the order in which they are declared."""
    once = list(dict.fromkeys(taken))
    return sorted(once, key=attr.options.index) if attr.kind == "option" else once


def take_key(attr, word):
    if word == "":
        raise Refused(-56, f"Attribute '{attr.name}' MUST be set.")
    if attr.kind == "integer":
        return take_integer(attr, word)
    return take_name(attr, take_string(attr, word))


def quote(text):
    return '"' + re.sub(r"([\"'\\])", r"\\\1", text) + '"' if text else "''"


def printed(attr, value):
    """As `show` prints it."""
    if attr.kind in ("string", "fqdn", "ref") or "quoted" in attr.flags:
        return " ".join(map(quote, value))
    if attr.kind == "option":
        return " ".join(quote(one) if " " in one else one for one in value)
    return " ".join(value)


def read(attr, value):
    """As `get` prints it."""
    return " ".join(value).replace("\n", "\\n") + (" " if attr.kind == "option" else "")
