"""From a route to the addresses that may be connected to, in order (RFC 5321, 5.1).

An address given literally needs nobody. A name is asked of our resolver and, where that knows none, of the
operating system (`/etc/hosts`, a container's names). `smtp+mx://` asks for the domain's MX hosts: ours
and those behind us in preference are passed over, or mail would go in a circle.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from gatepost.dns.names import DnsError, DnsFailure, NoData, NxDomain
from gatepost.relay.routes import Route

MOST = 12
"""Addresses that are tried for one message."""


class Resolver(Protocol):
    """What of the resolver is needed here."""

    async def a(self, name: str) -> list[str]:
        """Return IPv4 addresses."""

    async def aaaa(self, name: str) -> list[str]:
        """Return IPv6 addresses."""

    async def mx(self, name: str) -> list[tuple[int, str]]:
        """Return (preference, host)."""


class Place(NamedTuple):
    """One address to connect to."""

    host: str
    """The name it belongs to, for the certificate."""
    address: str
    port: int

    def __str__(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"


class NoPlace(Exception):
    """There is no address. `permanent`: the name or its mail service does not exist (RFC 7505)."""

    def __init__(self, text: str, enhanced: str = "4.4.3", *, permanent: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.enhanced = enhanced
        self.permanent = permanent


async def places(
    route: Route, resolver: Resolver, is_ours: Callable[[str, int], bool], dice: Callable[[], float]
) -> list[Place]:
    """Return where to connect, best first; NoPlace with the reason where that is nowhere."""
    if route.scheme == "smtp+mx":
        return await _mx(route, resolver, is_ours, dice)
    found = [Place(route.host, address, route.port) for address in await addresses(route.host, resolver)]
    others = [place for place in found if not is_ours(place.address, place.port)]
    if found and not others:
        raise NoPlace(f"The route {route.place} leads to ourselves", "4.4.6")
    return others[:MOST]


async def _mx(
    route: Route, resolver: Resolver, is_ours: Callable[[str, int], bool], dice: Callable[[], float]
) -> list[Place]:
    try:
        answers = await resolver.mx(route.host)
    except NxDomain as error:
        raise NoPlace(f"The domain {route.host} does not exist", "5.1.2", permanent=True) from error
    except NoData:
        answers = [(0, route.host)]  # RFC 5321, 5.1: the domain's own address is its MX
    except DnsFailure as error:
        raise NoPlace(f"The MX hosts of {route.host} could not be asked for: {error}") from error
    hosts = [(preference, host.rstrip(".")) for preference, host in answers]
    if not any(host for _, host in hosts):
        raise NoPlace(f"{route.host} takes no mail (null MX)", "5.1.10", permanent=True)
    found: list[Place] = []
    problem = NoPlace(f"No MX host of {route.host} has an address")
    ours: int | None = None
    for preference, host in sorted(hosts, key=lambda one: (one[0], dice())):
        if not host or (ours is not None and preference >= ours):
            continue
        try:
            here = [Place(host, address, route.port) for address in await addresses(host, resolver)]
        except NoPlace as error:
            problem = error
            continue
        if any(is_ours(place.address, place.port) for place in here):
            # We are one of its MX hosts: only those that are better than we are (RFC 5321, 5.1).
            ours = preference
            found = [place for place in found if _better(place, hosts, preference)]
            continue
        found += here
        if len(found) >= MOST:
            break
    if not found:
        if ours is not None:
            raise NoPlace(f"The MX hosts of {route.host} lead to ourselves", "4.4.6")
        raise NoPlace(problem.text, problem.enhanced)
    return found[:MOST]


def _better(place: Place, hosts: Sequence[tuple[int, str]], ours: int) -> bool:
    return any(host == place.host and preference < ours for preference, host in hosts)


async def addresses(host: str, resolver: Resolver) -> list[str]:
    """Return a host's addresses, IPv6 and IPv4 in turn."""
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass  # a name
    failure: DnsFailure | None = None
    found: list[list[str]] = []
    for answer in await asyncio.gather(resolver.aaaa(host), resolver.a(host), return_exceptions=True):
        if isinstance(answer, DnsFailure):
            failure = answer
        elif isinstance(answer, DnsError):
            continue  # no such name, or none of this kind
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found.append(answer)
    if any(found):
        longest = max(map(len, found))
        return [answers[n] for n in range(longest) for answers in found if n < len(answers)]
    local = await _ask_system(host)
    if local:
        return local
    if failure is not None:
        raise NoPlace(f"The address of {host} could not be asked for: {failure}")
    raise NoPlace(f"{host} has no address")


async def _ask_system(host: str) -> list[str]:
    """Names of `/etc/hosts` and the like."""
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))
