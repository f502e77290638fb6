"""The one resolver of a process: one cache, one time limit, queries for the same name joined.

aiodns (c-ares) does the wire; it costs an eighth of dnspython per query (reference/libraries.md).
It is made at the first query, in the worker: a channel does not survive a fork. An answer that
is in the cache comes back without a trip through the loop.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_address
from time import monotonic
from typing import Any

import aiodns
import pycares

from gatepost.dns.lookups import Lookups, Records, bounded
from gatepost.dns.names import DnsError, DnsFailure, NoData, NxDomain, clean
from gatepost.telemetry import metrics

CACHE_SIZE = 50_000
NEGATIVE_TTL = 60
"""Seconds for "not there": c-ares does not hand out the SOA's own figure (RFC 2308, 5)."""
FAILURE_TTL = 5
"""Seconds for "nobody answers": a storm of mail must not become a storm of queries (RFC 2308, 7)."""
MAX_TTL = 3_600
TRIES = 2

_NOT_THERE = {pycares.errno.ARES_ENOTFOUND: NxDomain, pycares.errno.ARES_ENODATA: NoData}
_BAD_NAME = pycares.errno.ARES_EBADNAME

Key = tuple[str, str]


class Resolver(Lookups):
    """Asks the given servers, or those of /etc/resolv.conf."""

    def __init__(
        self, servers: Sequence[str] = (), timeout: float = 5.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self._servers = [server_address(server) for server in servers]
        self._timeout = timeout
        self._clock = clock
        self._channel: aiodns.DNSResolver | None = None
        self._cache: dict[Key, tuple[float, Records | DnsError]] = {}
        self._asking: dict[Key, asyncio.Future[Records | DnsError]] = {}

    async def look(self, name: str, kind: str) -> Records:
        """Return the records of a name, from the cache when they are there."""
        found = self._begin(clean(name), kind)
        if isinstance(found, asyncio.Future):
            found = await asyncio.shield(found)  # who gives up must not end it for the others
        if isinstance(found, DnsError):
            raise _again(found)
        return found

    async def look_all(self, names: Sequence[str], kind: str) -> list[Records | DnsError]:
        """Ask all at once; what is in the cache costs no wait."""
        begun: list[Records | DnsError | asyncio.Future[Records | DnsError]] = []
        for name in names:
            try:
                begun.append(self._begin(clean(name), kind))
            except NxDomain as error:
                begun.append(error)
        return [await asyncio.shield(b) if isinstance(b, asyncio.Future) else b for b in begun]

    def peek(self, name: str, kind: str) -> Records | DnsError | None:
        """Return what the cache has."""
        kept = self._cache.get((kind, name))
        return kept[1] if kept is not None and kept[0] > self._clock() else None

    async def close(self) -> None:
        """Close the sockets."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    def forget(self) -> None:
        """Empty the cache."""
        self._cache.clear()

    def _begin(self, name: str, kind: str) -> Records | DnsError | asyncio.Future[Records | DnsError]:
        key = (kind, name)
        kept = self._cache.get(key)
        if kept is not None and kept[0] > self._clock():
            return kept[1]
        asking = self._asking.get(key)
        if asking is None:
            self._asking[key] = asking = asyncio.get_running_loop().create_future()
            self._ask(key, self._clock() + self._timeout)
        return asking

    def _ask(self, key: Key, until: float) -> None:
        kind, name = key
        self._wire().query_dns(name, kind).add_done_callback(partial(self._answered, key, until))

    def _wire(self) -> aiodns.DNSResolver:
        if self._channel is None:
            # c-ares waits `timeout` for the first try and twice that for the second.
            self._channel = aiodns.DNSResolver(
                nameservers=self._servers or None,
                timeout=max(0.05, self._timeout / (2**TRIES - 1)),
                tries=TRIES,
            )
        return self._channel

    def _answered(self, key: Key, until: float, query: asyncio.Future[Any]) -> None:
        """Keep an answer for as long as it says, and give it to all who asked."""
        kind, name = key
        if timed_out(query) and self._clock() + self._timeout / 2 < until and self._channel is not None:
            # c-ares learns how fast a server is, and gives up on a name that takes it longer than
            # usual after less than a second. The name's own servers may need more, and have it:
            # while half of our own time limit is left, it is asked once more.
            self._ask(key, until)
            return
        answer, ttl = read_answer(query, name, kind)
        metrics.DNS_QUERIES.inc(1, _result(answer))
        cache = self._cache
        cache.pop(key, None)
        if len(cache) >= CACHE_SIZE:
            for old in [k for k, _ in zip(cache, range(CACHE_SIZE // 10), strict=False)]:
                del cache[old]
        cache[key] = (self._clock() + ttl, answer)
        asking = self._asking.pop(key, None)
        if asking is not None and not asking.done():
            asking.set_result(answer)


def timed_out(query: asyncio.Future[Any]) -> bool:
    """Return True when c-ares had no answer in the time that it thought fit."""
    error = None if query.cancelled() else query.exception()
    return error is not None and bool(error.args) and error.args[0] == pycares.errno.ARES_ETIMEOUT


def read_answer(query: asyncio.Future[Any], name: str, kind: str) -> tuple[Records | DnsError, float]:
    """Return records (or what kind of nothing it was) and seconds to keep them."""
    if query.cancelled():
        return DnsFailure(f"{name} {kind}: the resolver was closed"), 0
    error = query.exception()
    if error is None:
        wanted = getattr(pycares, f"QUERY_TYPE_{kind}")
        records = [r for r in query.result().answer if r.type == wanted]
        if not records:
            return NoData(f"{name} has no {kind}"), NEGATIVE_TTL
        ttl = min(r.ttl for r in records)
        return bounded([_text(r.data, kind) for r in records]), min(max(ttl, 1), MAX_TTL)
    code = error.args[0] if error.args else None
    if code in _NOT_THERE:
        return _NOT_THERE[code](f"{name} {kind}: {error.args[-1]}"), NEGATIVE_TTL
    if code == _BAD_NAME:
        return NxDomain(f"{name} can be no name in DNS"), NEGATIVE_TTL
    return DnsFailure(f"{name} {kind}: {error.args[-1] if error.args else error}"), FAILURE_TTL


def _result(answer: Records | DnsError) -> str:
    if isinstance(answer, tuple):
        return "found"
    return "failed" if isinstance(answer, DnsFailure) else "not there"


def _text(data: Any, kind: str) -> str:
    if kind == "MX":
        return f"{data.priority} {data.exchange}"
    if kind == "TXT":
        raw: bytes | str = data.data
        return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return str(data.dname if kind == "PTR" else data.addr)


def _again(error: DnsError) -> DnsError:
    """A kept error is raised as a new one: a traceback must not grow from mail to mail."""
    return type(error)(*error.args)


def server_address(server: str) -> str:
    """Return `address:port` for `host`, `host:port`, `[::1]:53` or `::1`, as c-ares wants it."""
    host, port = server, "53"
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif server.count(":") == 1:
        host, _, port = server.partition(":")
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f"[dns] servers: {server!r} has no valid port")
    try:
        address = str(ip_address(host))
    except ValueError:
        try:
            address = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0][4][0]  # type: ignore[assignment]
        except OSError as error:
            raise ValueError(f"[dns] servers: {server!r}: {error}") from error
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
