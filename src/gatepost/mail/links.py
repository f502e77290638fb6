"""Where a link leads: its host as a browser would read it, whatever was done to hide it.

The rules are those of the URL standard (WHATWG, sections 3.5 and 4.4), since that is what happens when
somebody clicks: backslashes are slashes, blanks within vanish, all before the last `@` is no host, and
`0x7f.1` and `2130706433` are addresses. Pure and linear; what is no link to a host is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote, unquote_to_bytes

import idna

MAX_URL = 4_000
"""Characters of one link that are looked at."""
MAX_INNER = 3
"""Links within a link (redirectors, click counters) that are looked at."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.\-]*):", re.I)
_SPECIAL = frozenset(["http", "https", "ftp"])
_EDGES = "".join(map(chr, range(33)))
_VANISH = {9: None, 10: None, 13: None}
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_INNER = re.compile(r"https?(?::|%3a)", re.I)


@dataclass(frozen=True, slots=True)
class Link:
    """Where one link leads."""

    host: str
    """A name in ASCII (A-labels) and lower case without a dot at its end, or an address."""
    is_address: bool = False
    disguise: str = ""
    """`userinfo`, `number` (an address that is not written as one) or `encoded`; "" for none."""


def link_of(url: str) -> Link | None:
    """Return where a link leads, None for one that leads to no other host."""
    text = url[:MAX_URL].strip(_EDGES).translate(_VANISH)
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() not in _SPECIAL:
        return None
    rest = (text[scheme.end() :] if scheme is not None else text).replace("\\", "/")
    if scheme is None and not rest.startswith("//"):
        return None
    authority = re.split(r"[/?#]", rest.lstrip("/"), maxsplit=1)[0]
    before, at, host = authority.rpartition("@")
    link = _host(host)
    if link is not None and at and before.strip(":"):
        return Link(link.host, link.is_address, "userinfo")
    return link


def links_of(urls: Iterable[str]) -> Iterator[Link]:
    """Yield where links lead, each host with each disguise once; links inside of links too."""
    met = set()
    for url in urls:
        for one in (url, *_inside(url)):
            link = link_of(one)
            if link is not None and link not in met:
                met.add(link)
                yield link


def _inside(url: str) -> list[str]:
    """Return the links in the path or query of a link."""
    places = [found.start() for found in _INNER.finditer(url[:MAX_URL], 8)][:MAX_INNER]
    return [re.split(r"[&\s\"'<>]", unquote(url[place:MAX_URL]), maxsplit=1)[0] for place in places]


def _host(text: str) -> Link | None:
    """Read host and port."""
    if text.startswith("["):
        try:
            return Link(str(IPv6Address(text[1:].partition("]")[0])), is_address=True)
        except ValueError:
            return None
    name, colon, port = text.rpartition(":")
    if not colon:
        name = text
    elif port and not port.isdecimal():
        return None
    encoded = "%" in name
    if encoded:
        name = unquote_to_bytes(name).decode("utf-8", "replace")
    name = ascii_name(name)
    if not name:
        return None
    last = name.rpartition(".")[2]
    if last.isdecimal() or last.startswith("0x"):
        return _number(name)
    return Link(name, disguise="encoded" if encoded else "")


def ascii_name(name: str) -> str:
    """Return a host name in A-labels and lower case (UTS 46), "" for what is none."""
    name = name.lower().rstrip(".") if name.isascii() else name
    if not name.isascii():
        try:
            name = idna.encode(name[:253], uts46=True, transitional=False).decode("ascii").rstrip(".")
        except (UnicodeError, ValueError):
            return ""
    return name if len(name) <= 253 and _NAME.fullmatch(name) else ""


def _number(name: str) -> Link | None:
    """Read an IPv4 address in one of the ways that browsers know: decimal, octal, hex, one to four parts."""
    parts = name.split(".")
    if len(parts) > 4:
        return None
    try:
        numbers = [_integer(part) for part in parts]
    except ValueError:
        return None
    last = numbers.pop()
    if any(n > 255 for n in numbers) or last >= 256 ** (4 - len(numbers)):
        return None
    for place, n in enumerate(numbers):
        last += n << 8 * (3 - place)
    address = str(IPv4Address(last))
    return Link(address, is_address=True, disguise="" if address == name else "number")


def _integer(text: str) -> int:
    if len(text) > 20:
        raise ValueError(text)
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8) if text[:1] == "0" and len(text) > 1 else int(text)
