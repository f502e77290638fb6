"""What a look-up may end in, and the names that addresses have in DNS.

"There is no such name", "the name has no such record" and "nobody answered" are three different
things (RFC 2308): a check that takes a time-out for "not there" refuses honest mail.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

_address = lru_cache(4_096)(ip_address)
"""Reading an address takes longer than what is done with it here, and the same few come all the time."""
MAX_NAME = 253
"""Characters of a name as text (RFC 1035, 2.3.4)."""
MAX_ANSWERS = 100
"""Records taken of one answer: an answer is input like any other (T9.4)."""
_NAME = re.compile(r"[!-\-/-~]{1,63}(?:\.[!-\-/-~]{1,63})*\.?")


class DnsError(Exception):
    """A look-up gave no records."""


class NxDomain(DnsError):
    """There is no such name."""


class NoData(DnsError):
    """The name is there, but has no record of this type."""


class DnsFailure(DnsError):
    """Nobody could say: time-out, SERVFAIL, REFUSED, garbage. Never the same as "not there"."""


def clean(name: str) -> str:
    """Return a name in lower case without the last dot; NxDomain for what can be no name."""
    if len(name) > MAX_NAME + 1 or not _NAME.fullmatch(name):
        raise NxDomain(f"{name[:80]!r} can be no name in DNS")
    return name.lower().removesuffix(".")


def reverse_labels(ip: str) -> str:
    """Return `1.2.0.192` for 192.0.2.1, and the 32 nibbles of an IPv6 address (RFC 5782, 2.1 and 2.4)."""
    if ":" not in ip:
        return ".".join(reversed(ip.split(".")))
    address: IPv4Address | IPv6Address = ip_address(ip.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        return reverse_labels(str(mapped))
    return ".".join(reversed(address.exploded.replace(":", "")))


def reverse_name(ip: str) -> str:
    """Return the name under which an address has its PTR record."""
    mapped = getattr(_address(ip.partition("%")[0]), "ipv4_mapped", None)
    if ":" not in ip or mapped is not None:
        return reverse_labels(ip) + ".in-addr.arpa"
    return reverse_labels(ip) + ".ip6.arpa"


def same_address(one: str, other: str) -> bool:
    """Return True for two spellings of one address."""
    try:
        return _address(one) == _address(other)
    except ValueError:
        return False


def neighbours(one: str, other: str) -> bool:
    """Return True for addresses of one IPv4 /24 or one IPv6 /64: mostly two hosts of one owner."""
    try:
        a, b = _address(one), _address(other)
    except ValueError:
        return False
    shift = 8 if a.version == 4 else 64
    return a.version == b.version and int(a) >> shift == int(b) >> shift
