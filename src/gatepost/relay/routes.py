"""Where a domain's mail goes on: route URLs, read once and frozen.

    smtp://host:port   smtp+mx://domain   lmtp://host:port   lmtp:///socket   maildir:///path/%d/%u

with `?tls=wanted|required|implicit|off`, `?xclient`, `?xforward`, `?weight=10`, `?fallback`, `?public`.
Several routes share the mail by weight; one with `fallback` is asked when no other answers.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = {"smtp": 25, "smtp+mx": 25, "lmtp": 24, "maildir": 0}
TLS = ("wanted", "required", "implicit", "off")
OPTIONS = ("tls", "xclient", "xforward", "weight", "fallback", "public")
MAX_WEIGHT = 1000

_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")


class RouteError(ValueError):
    """The text is not a route; says why and what would be."""


@dataclass(frozen=True, slots=True)
class Route:
    """One way on. Equal URLs give the same object, so that a pool may use it as its key."""

    url: str
    scheme: str
    host: str = ""
    """Name or address, without brackets; "" for a socket or a maildir."""
    port: int = 0
    path: str = ""
    tls: str = "wanted"
    """`wanted`: encrypted when offered, whoever answers; `required`: with a certificate that holds;
    `implicit`: the same from the first byte on (port 465); `off`."""
    xclient: bool = False
    xforward: bool = False
    weight: int = 1
    fallback: bool = False
    public: bool = False
    """Set by an owner: only to public addresses and those of [relay] allow, whatever its name means then."""

    @property
    def lmtp(self) -> bool:
        """True where each recipient gets an answer of its own after the data (RFC 2033)."""
        return self.scheme == "lmtp"

    @property
    def place(self) -> str:
        """Return host and port, or the path, for logs and replies to the owner."""
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@lru_cache(maxsize=10_000)
def parse_route(url: str) -> Route:
    """Return the route; RouteError says in a sentence what is wrong."""
    if not url.isprintable() or " " in url or len(url) > 1000:
        raise RouteError("a route holds no spaces or control characters, and at most 1000 characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RouteError(f"{url!r}: {error}") from error
    scheme = parts.scheme
    if scheme not in PORTS:
        near = difflib.get_close_matches(scheme, PORTS, 1)
        hint = f"; did you mean {near[0]}://?" if near else ""
        raise RouteError(f"{url!r}: a route begins with smtp://, smtp+mx://, lmtp:// or maildir://{hint}")
    if parts.fragment or "@" in parts.netloc:
        raise RouteError(f"{url!r}: a route has no user and no fragment")
    options = _options(url, parts.query)
    host, path = parts.hostname or "", parts.path
    if scheme == "maildir" or (scheme == "lmtp" and not parts.netloc):
        _check_path(url, host, path)
        return replace(Route(url, scheme, path=path, tls="off"), **options)
    if path not in ("", "/"):
        raise RouteError(f"{url!r}: nothing may follow the host and port but ?options")
    _check_host(url, scheme, host)
    if port == 0:
        raise RouteError(f"{url!r}: port 0 is not a port")
    return replace(Route(url, scheme, host.rstrip("."), port or PORTS[scheme]), **options)


def _options(url: str, query: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(OPTIONS)}"
            raise RouteError(f"{url!r}: unknown option {name!r}{hint}")
        if name == "tls":
            if value not in TLS:
                raise RouteError(f"{url!r}: tls is wanted, required, implicit or off, not {value!r}")
            said[name] = value
        elif name == "weight":
            if not (value.isascii() and value.isdecimal() and 1 <= int(value[:9]) <= MAX_WEIGHT):
                raise RouteError(f"{url!r}: weight is a number from 1 to {MAX_WEIGHT}, not {value!r}")
            said[name] = int(value)
        elif value not in ("", "1", "true", "yes"):
            raise RouteError(f"{url!r}: {name} stands alone, as ?{name}")
        else:
            said[name] = True
    return said


def _check_path(url: str, host: str, path: str) -> None:
    if host:
        raise RouteError(f"{url!r}: a path begins with a third slash, as maildir:///path")
    if not path.startswith("/") or path == "/" or "\0" in path:
        raise RouteError(f"{url!r}: the path has to be absolute and not the root")
    if ".." in path.split("/"):
        raise RouteError(f"{url!r}: '..' has no place in a path")


def _check_host(url: str, scheme: str, host: str) -> None:
    if not host:
        raise RouteError(f"{url!r}: the host is missing, as in {scheme}://mail.example.org")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host) or re.fullmatch(r"[0-9.]+", host):
            raise RouteError(f"{url!r}: {host!r} is neither a host name nor an address") from None
    else:
        if scheme == "smtp+mx":
            raise RouteError(f"{url!r}: smtp+mx asks a domain for its MX hosts; an address has none")


def order(routes: Sequence[Route], dice: Callable[[], float]) -> list[Route]:
    """Return the routes in the order in which to ask them: by weight, then the fall-backs."""
    if len(routes) == 1:
        return [*routes]
    first = _shuffled([route for route in routes if not route.fallback], dice)
    return first + _shuffled([route for route in routes if route.fallback], dice)


def _shuffled(routes: list[Route], dice: Callable[[], float]) -> list[Route]:
    # A weight w wins with probability w / sum (Efraimidis and Spirakis: the largest u ** (1/w)).
    return sorted(routes, key=lambda route: dice() ** (1.0 / route.weight), reverse=True)


def owner_may(route: Route, networks: Sequence[Network]) -> str | None:
    """Return why an owner (not an administrator) may not set this route, None if he may ([relay] allow).

    Names are judged again by the address they have when a connection is made (`guard_for`).
    """
    if route.path:
        return "sockets and maildirs are for administrators"
    try:
        address = ipaddress.ip_address(route.host)
    except ValueError:
        return None
    return address_allowed(str(address), networks)


def owners(url: str) -> str:
    """Return the route as it is kept where an owner set it: with the option `public`."""
    if parse_route(url).public:
        return url
    return f"{url}{'&' if '?' in url else '?'}public"


def guard_for(networks: Sequence[Network]) -> Callable[[Route, str, int], str | None]:
    """Return who says why a connection is not allowed: an owner's route, and an address that is private."""

    def guard(route: Route, address: str, _port: int) -> str | None:
        return address_allowed(address, networks) if route.public else None

    return guard


def address_allowed(text: str, networks: Sequence[Network]) -> str | None:
    """Return why an owner's route may not lead to this address, None if it may."""
    address = ipaddress.ip_address(text)
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    if any(address in network for network in networks if network.version == address.version):
        return None
    if not address.is_global or address.is_multicast:
        return f"{address} is private; an administrator has to allow it in [relay] allow"
    return None
