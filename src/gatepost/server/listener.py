"""The door of one process: accepts, counts, and keeps the clock of all its connections.

One timer for all connections: each notes its deadline, and a tick a second looks only at those
whose second has come. What is refused here is refused in proper SMTP.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gatepost.mail.reply import Reply
from gatepost.mail.session import Session
from gatepost.server.connection import Connection
from gatepost.server.counts import client_key
from gatepost.server.dialogue import Dialogue
from gatepost.server.wire import Hub, Wire
from gatepost.smtp.proxy_header import ProxyResult
from gatepost.smtp.server import Extensions, ServerProtocol

if TYPE_CHECKING:
    from gatepost.server.gateway import Gateway

SESSION_SECONDS = 7_200
"""A session as a whole ends after this, whatever the client does."""
TOO_MANY = Reply(421, "4.7.0", "Too many connections, try again later", close=True)
TOO_MANY_CLIENT = Reply(421, "4.7.0", "Too many connections from your address, try again later", close=True)
OVERLOADED = Reply(421, "4.3.2", "System is too busy, try again later", close=True)

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


class Door:
    """Listening sockets and living connections of one process."""

    def __init__(self, gateway: Gateway, loop: asyncio.AbstractEventLoop, hub: Hub) -> None:
        self.gateway = gateway
        self.loop = loop
        self.hub = hub
        self.timeout = float(gateway.config.smtp.timeout)
        self.deadline = hub.now + self.timeout
        """When a client's time is over that did something in this batch; a second's grain is enough."""
        self.connections: set[Connection] = set()
        self._stops: list[Callable[[], None]] = []
        self._seconds: dict[int, set[Connection]] = defaultdict(set)
        self._tick = int(hub.now)
        self._limit = gateway.config.smtp.max_connections
        self._limit_each = gateway.config.smtp.max_connections_per_client
        self._wait = float(gateway.config.smtp.greet_wait)
        self._proxies: Networks = tuple(gateway.config.smtp.proxy_protocol_from)
        self._xclients: Networks = tuple(gateway.config.smtp.xclient_from)
        self._draining = False

    def open(self, socks: list[socket.socket]) -> None:
        """Accept on these listening sockets."""
        for sock in socks:
            host, port = sock.getsockname()[:2]
            local = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self._stops.append(self.hub.listen(sock, self._acceptor(local)))

    def tls(self) -> ssl.SSLContext | None:
        """Return the context for STARTTLS, or None while there is none."""
        return self.gateway.tls

    def new_protocol(self, session: Session) -> ServerProtocol:
        """Return the protocol side of a new session, with what this client is offered."""
        gateway = self.gateway
        return ServerProtocol(
            gateway.hostname,
            gateway.limits,
            self._extensions(session.client),
            gateway.config.smtp.bare_newline,
        )

    def new_dialogue(self, session: Session, protocol: ServerProtocol) -> Dialogue:
        """Return who leads the conversation of a new session."""
        return Dialogue(self.gateway, session, protocol)

    def _extensions(self, client: str) -> Extensions:
        if self._xclients and within(client, self._xclients):
            return self.gateway.extensions_trusted
        return self.gateway.extensions

    def _acceptor(self, local: str) -> Callable[[int, tuple[str, int]], None]:
        gateway, hub, limit, limit_each = self.gateway, self.hub, self._limit, self._limit_each
        proxies, wait = self._proxies, self._wait
        column, board = gateway.column, gateway.column.board
        ids, ends = gateway.ids, SESSION_SECONDS

        def accept(fd: int, address: tuple[str, int]) -> None:
            client = address[0]
            if client.startswith("::ffff:") and "." in client:
                client = client[7:]
            key = client_key(client)
            now = time.time()
            session = Session(ids.make(int(now * 1000)), client, address[1], now, "smtp", local)
            proxied = bool(proxies) and within(client, proxies)
            if gateway.overloaded or self._draining:
                self._turn_away(fd, session, OVERLOADED if gateway.overloaded else gateway.shutting_down)
                return
            each = column.enter(key)
            if (each > limit_each and not proxied) or board.connections() > limit:
                column.leave(key)
                self._turn_away(fd, session, TOO_MANY_CLIENT if each > limit_each else TOO_MANY)
                return
            if gateway.guards_connect and not proxied and (refused := self._guarded(session)) is not None:
                column.leave(key)
                self._turn_away(fd, session, refused)
                return
            connection = Connection(self, session, key)
            connection.ends = hub.now + ends
            self.connections.add(connection)
            wire = Wire(hub, fd, connection)
            connection.start(wire, proxied=proxied, wait=wait)
            connection.second = second = int(connection.deadline) + 1
            self._seconds[second].add(connection)

        return accept

    def _turn_away(self, fd: int, session: Session, reply: Reply) -> None:
        """Refuse before the dialogue, in proper SMTP, without building one."""
        try:
            os.set_blocking(fd, False)
            os.write(fd, reply.with_id(session.id).wire())
        except OSError:
            pass  # the client is gone: nobody to tell
        os.close(fd)
        self.gateway.turned_away(session, reply)

    def _guarded(self, session: Session) -> Reply | None:
        """Ask the machine's own checks (client_rate) about a client that has come."""
        verdict: Any = self.gateway.pipeline.gateway_connect(session)
        if verdict is None:
            return None
        return Reply(verdict.code, verdict.enhanced, verdict.public or "Try again later", close=True)

    def arrived(self, connection: Connection, result: ProxyResult) -> bool:
        """The balancer told who the client is: count that one. False: refused and closed."""
        session, gateway = connection.session, self.gateway
        session.proxied = session.client
        session.client = result.client
        session.port = result.port
        key = client_key(result.client)
        each = gateway.column.move(connection.client_key, key)
        connection.client_key = key
        refused = TOO_MANY_CLIENT if each > self._limit_each else None
        if refused is None and gateway.guards_connect:
            refused = self._guarded(session)
        if refused is None:
            return True
        connection.turn_away(refused)
        return False

    def leave(self, connection: Connection) -> None:
        """A connection is gone."""
        if connection in self.connections:
            self.connections.discard(connection)
            bucket = self._seconds.get(connection.second)
            if bucket is not None:
                bucket.discard(connection)
            self.gateway.column.leave(connection.client_key)

    def tick(self) -> None:
        """Look at the connections whose second has come; called once a second."""
        now = time.monotonic()
        self.hub.now = now
        self.deadline = now + 1 + self.timeout
        seconds, last = int(now), self._tick
        self._tick = seconds
        due = [s for s in range(last + 1, seconds + 1) if s in self._seconds]
        for second in due:
            for connection in self._seconds.pop(second):
                end = min(connection.deadline, connection.ends)
                if end <= now:
                    connection.timed_out()
                if connection in self.connections:
                    again = max(seconds + 1, int(min(connection.deadline, connection.ends)) + 1)
                    connection.second = again
                    self._seconds[again].add(connection)

    def drain(self) -> None:
        """Accept nobody new; sessions end when their transaction does."""
        self._draining = True
        for stop in self._stops:
            stop()
        self._stops.clear()
        for connection in list(self.connections):
            connection.shut_down()


def within(client: str, networks: Networks) -> bool:
    """Return whether a client's address lies in one of the networks."""
    address = ipaddress.ip_address(client.partition("%")[0])
    return any(address.version == network.version and address in network for network in networks)
