"""What the name of a host tells: that of a customer's line, of a machine that sends no mail, and whose it is.

Providers name the lines of their customers by machine: the line's address in the name, or a word
such as `dyn` or `dsl`. Mail from there is mostly mail that its owner knows nothing of. Nothing here
asks anybody; a name is judged by its letters, in time linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import ip_address

MAX_NAME = 255
"""Characters of a name that are looked at."""
LINES = frozenset(
    [
        "adsl",
        "broadband",
        "cable",
        "cablemodem",
        "catv",
        "cpe",
        "customer",
        "customers",
        "dhcp",
        "dial",
        "dialin",
        "dialup",
        "dip",
        "dsl",
        "dslam",
        "dyn",
        "dynamic",
        "dynamicip",
        "dynip",
        "fiber",
        "fibra",
        "ftth",
        "gprs",
        "hfc",
        "isdn",
        "lte",
        "mobile",
        "pool",
        "pools",
        "pppoe",
        "ppp",
        "resnet",
        "sdsl",
        "umts",
        "vdsl",
        "wifi",
        "wimax",
        "wlan",
        "xdsl",
    ]
)
"""Words of the names of lines whose address changes or that belong to a home."""
STEADY = frozenset(["mail", "mailer", "mta", "mx", "out", "outbound", "relay", "smtp", "static"])
"""Words that a line's owner has somebody write there: then the name was given on purpose."""
PUBLIC = frozenset(
    [
        "ac",
        "co",
        "com",
        "edu",
        "gob",
        "gov",
        "go",
        "ltd",
        "mil",
        "ne",
        "net",
        "nom",
        "or",
        "org",
        "plc",
        "sch",
    ]
)
"""Second labels under which people register domains in many countries (`co.uk`, `com.br`)."""
_WORDS = re.compile(r"[a-z]+|[0-9]+")
_LABEL = re.compile(r"[a-z]+")


def words_of(name: str) -> list[str]:
    """Return the runs of letters and of digits in a name, in order."""
    return _WORDS.findall(name[:MAX_NAME].lower())


def holds_address(name: str, client: str) -> bool:
    """Return True when a host name is made of the client's address.

    Three of the four octets, in any order and writing (`1-2-3`, `001002003`), or the whole
    address in hexadecimal; of an IPv6 address its last 16 digits, or four of its groups.
    """
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return False
    text = name[:MAX_NAME].lower()
    bare = re.sub(r"[^0-9a-f]", "", text.partition(".")[0])
    packed = address.packed.hex()
    if address.version == 6:
        groups = [packed[n : n + 4].lstrip("0") or "0" for n in range(0, 32, 4)]
        found = set(re.split(r"[^0-9a-f]+", text))
        return packed[16:] in bare or sum(g in found for g in dict.fromkeys(groups) if g != "0") >= 4
    octets = [str(b) for b in address.packed]
    padded = [f"{b:03d}" for b in address.packed]
    if packed in bare or any("".join(o) in bare for o in (padded, padded[::-1])):
        return True
    numbers = [w.lstrip("0") or "0" for w in words_of(text) if w.isdecimal()]
    rest = list(numbers)
    hits = 0
    for octet in octets:
        if octet in rest:
            rest.remove(octet)
            hits += 1
    return hits >= 3


def line_of(name: str, client: str) -> str:
    """Return why a name looks like that of a customer's line, "" if it does not."""
    host = name[:MAX_NAME].lower()
    words = set(words_of(".".join(host.split(".")[:-2])))  # not the name that the provider itself has
    if words & STEADY:
        return ""
    found = sorted(words & LINES)
    if found:
        return f"has the word {found[0]}"
    return "is made of the client's address" if holds_address(host, client) else ""


def role_of(name: str, roles: Collection[str]) -> str:
    """Return the role that the first label names (`mysql` of `mysql2.example.org`), "" for none.

    The last word that is no role clears it: `web-mail.example.org` sends mail.
    """
    first, dot, _ = name[:MAX_NAME].lower().partition(".")
    words = _LABEL.findall(first)
    if not dot or not words or any(word in STEADY for word in words):
        return ""
    return next((word for word in words if word in roles), "")


def owner_of(name: str) -> str:
    """Return under which name the hosts of one owner stand: `example.org` of `mx3.example.org`.

    Without a list of public suffixes, so it never goes above three labels under a country's
    second level, and a name of two labels is its own owner's.
    """
    labels = name[:MAX_NAME].lower().rstrip(".").split(".")
    keep = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in PUBLIC else 2
    return ".".join(labels[-keep:])
