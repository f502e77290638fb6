"""Connections to next hops that stay open: the next message needs no greeting, no TLS, no new socket.

An idle connection is used again within a minute and a hundred times; at most fifty are open for one
route, whoever comes then waits for his turn. One clock for all of them, once a second, looks after
deadlines and idle time, so that a message costs no timer.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any

from gatepost.relay.connection import BackendConnection, NoConnection
from gatepost.relay.places import Place, Resolver, places
from gatepost.relay.routes import Route
from gatepost.relay.sign_in import Login

MAX_IDLE = 60.0
"""Seconds; Postfix and Exim close an idle client after 300."""
MAX_USES = 100
PER_ROUTE = 50
CONNECT = 15.0
"""Seconds for one address: connection, greeting, EHLO and TLS (RFC 5321 allows 300 for a greeting, but a
client waits for our reply meanwhile)."""
DOWN_FOR = 10.0
"""Seconds that a next hop which let connections time out is not asked again: all its mail would wait."""
PLAIN_FOR = 600.0
"""Seconds that a next hop whose TLS does not work is spoken to without (only where TLS is `wanted`)."""

Guard = Callable[[Route, str, int], str | None]
"""`guard(route, address, port)`: why a connection there is not allowed, None if it is."""


def allow_all(_route: Route, _address: str, _port: int) -> str | None:
    """Forbid nothing."""
    return None


class _Line:
    """What is known of one route: its connections, and who waits for one."""

    __slots__ = ("down", "idle", "open", "plain", "waiting", "why")

    def __init__(self) -> None:
        self.idle: list[BackendConnection] = []
        self.open = 0
        """Connections in use, idle or being made."""
        self.waiting: deque[asyncio.Future[None]] = deque()
        self.down = 0.0
        self.why = ""
        self.plain = 0.0


class Pool:
    """All connections of one process."""

    def __init__(
        self,
        hostname: str,
        resolver: Resolver,
        *,
        is_ours: Callable[[str, int], bool] = lambda _address, _port: False,
        guard: Guard = allow_all,
        dice: Callable[[], float] = lambda: 0.5,
        trusted: ssl.SSLContext | None = None,
        tick: float = 1.0,
        per_route: int = PER_ROUTE,
        login: Login | None = None,
    ) -> None:
        self.hostname = hostname
        self.resolver = resolver
        self._is_ours = is_ours
        self._guard = guard
        self._dice = dice
        self._trusted = trusted
        self._anybody: ssl.SSLContext | None = None
        self._tick = tick
        self._per_route = per_route
        self._login = login
        self._lines: dict[str, _Line] = {}
        self._all: set[BackendConnection] = set()
        self._clock: asyncio.TimerHandle | None = None
        self._now = 0.0
        """Loop time when the clock struck last: exact enough for idle connections."""
        self._closing = False

    def signing_in(self, login: Login) -> Pool:
        """Return a pool of its own with the same rules that signs in wherever it goes."""
        return Pool(
            self.hostname,
            self.resolver,
            is_ours=self._is_ours,
            guard=self._guard,
            dice=self._dice,
            trusted=self._trusted,
            login=login,
        )

    # -- taking and giving back -----------------------------------------------------------

    def take(self, route: Route) -> BackendConnection | None:
        """Return an idle connection, at once; None when there is none."""
        line = self._lines.get(route.url)
        if line is None:
            return None
        idle = line.idle
        while idle:
            connection = idle.pop()
            if not connection.gone:
                connection.idle = False
                return connection
            self._forget(connection)
        return None

    async def open(self, route: Route, deadline: float, *, fresh: bool = False) -> BackendConnection:
        """Return a connection, ready for MAIL; NoConnection or NoPlace where there is none.

        It is a new one, or (if not `fresh`) one that came back while we waited for our turn.
        """
        line = self._lines.setdefault(route.url, _Line())
        loop = asyncio.get_running_loop()
        if line.down > loop.time():
            raise NoConnection(line.why)
        while line.open >= self._per_route:
            if fresh and line.idle:
                oldest = line.idle.pop(0)
                oldest.quit()
                self._forget(oldest)
                continue
            await self._wait(line, deadline)
            back = None if fresh else self.take(route)
            if back is not None:
                return back
        line.open += 1
        try:
            connection = await self._connect(route, line, deadline)
        except BaseException:
            line.open -= 1
            self._wake(line)
            raise
        self._all.add(connection)
        self._now = loop.time()
        self._wind(loop)
        return connection

    def give(self, connection: BackendConnection) -> None:
        """Take a connection back; the next message may have it."""
        line = self._lines[connection.route.url]
        if connection.gone or connection.used >= MAX_USES or self._closing:
            connection.quit()
            self._forget(connection)
            return
        connection.idle = True
        connection.idle_since = self._now
        line.idle.append(connection)
        if line.waiting:
            self._wake(line)

    def close(self) -> None:
        """Say good-bye to the idle ones; those in use are closed when they come back."""
        self._closing = True
        for line in self._lines.values():
            while line.idle:
                connection = line.idle.pop()
                connection.quit()
                self._forget(connection)
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
            if self._all:
                self._wind(asyncio.get_running_loop())

    def counts(self) -> tuple[int, int]:
        """Return (open, idle) connections."""
        return len(self._all), sum(len(line.idle) for line in self._lines.values())

    async def _wait(self, line: _Line, deadline: float) -> None:
        turn = asyncio.get_running_loop().create_future()
        line.waiting.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except TimeoutError as error:
            raise NoConnection("All connections to the next hop are in use") from error
        finally:
            if turn in line.waiting:
                line.waiting.remove(turn)

    def _wake(self, line: _Line) -> None:
        while line.waiting:
            turn = line.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _forget(self, connection: BackendConnection) -> None:
        if connection in self._all:
            self._all.remove(connection)
            line = self._lines[connection.route.url]
            line.open -= 1
            self._wake(line)

    # -- connecting -----------------------------------------------------------------------

    async def _connect(self, route: Route, line: _Line, deadline: float) -> BackendConnection:
        """Try one address after the other."""
        loop = asyncio.get_running_loop()
        if route.path:
            where = [Place("", route.path, 0)]
        else:
            where = await places(route, self.resolver, self._is_ours, self._dice)
        last = NoConnection("No address was left to try")
        timed_out = 0
        for place in where:
            forbidden = None if route.path else self._guard(route, place.address, place.port)
            if forbidden is not None:
                last = NoConnection(forbidden)
                continue
            until = min(deadline, loop.time() + CONNECT)
            try:
                async with asyncio.timeout_at(until):
                    return await self._greet(route, line, place)
            except TimeoutError:
                timed_out += 1
                last = NoConnection(f"{place}: no answer in time")
            except NoConnection as error:
                last = NoConnection(f"{place}: {error.text}{_quote(error)}", error.reply)
            if loop.time() >= deadline:
                break
        if timed_out == len(where):
            line.down = loop.time() + DOWN_FOR
            line.why = last.text
        raise last

    async def _greet(self, route: Route, line: _Line, place: Place) -> BackendConnection:
        loop = asyncio.get_running_loop()
        context = self._context(route)
        if route.tls == "wanted" and line.plain > loop.time():
            context = None
        try:
            return await self._try(route, place, context)
        except NoConnection as error:
            if not error.tls or route.tls != "wanted":
                raise
            # Better in clear text than not at all (RFC 7435): the owner asked for no more.
            line.plain = loop.time() + PLAIN_FOR
            return await self._try(route, place, None)

    async def _try(self, route: Route, place: Place, context: ssl.SSLContext | None) -> BackendConnection:
        loop = asyncio.get_running_loop()
        connection = BackendConnection(route, place.host, route.path or str(place))

        def same() -> Any:
            return connection

        try:
            if route.path:
                await loop.create_unix_connection(same, route.path)
            else:
                options: dict[str, Any] = {}
                if route.tls == "implicit":
                    options = {"ssl": context, "server_hostname": place.host}
                await loop.create_connection(same, place.address, place.port, **options)
                connection.tls = bool(options)
        except OSError as error:
            raise NoConnection(f"no connection ({error.strerror or error})") from error
        try:
            await connection.greet(self.hostname, context, self._login)
        except BaseException:
            connection.abort()
            raise
        return connection

    def _context(self, route: Route) -> ssl.SSLContext | None:
        if route.tls == "off":
            return None
        if route.tls in ("required", "implicit"):
            if self._trusted is None:
                self._trusted = ssl.create_default_context()
            return self._trusted
        if self._anybody is None:
            self._anybody = context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return self._anybody

    # -- time -----------------------------------------------------------------------------

    def _wind(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._clock is None:
            self._clock = loop.call_later(self._tick, self._strike, loop)

    def _strike(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at every connection: too late, too long idle, gone."""
        self._clock = None
        self._now = now = loop.time()
        for connection in [*self._all]:
            if connection.deadline <= now:
                connection.late()
        for line in self._lines.values():
            if not line.idle:
                continue
            stay = []
            for connection in line.idle:
                if connection.gone or now - connection.idle_since > MAX_IDLE:
                    connection.quit()
                    self._forget(connection)
                else:
                    stay.append(connection)
            line.idle = stay
        if self._all:
            self._wind(loop)


def _quote(error: NoConnection) -> str:
    """Return the next hop's own words, if it spoke."""
    reply = error.reply
    return "" if reply is None else f": {reply.code} {reply.enhanced} {' '.join(reply.lines)}"[:500]
