"""Hand a message on inside the dialogue: one or several next hops, a result for each recipient.

The sender's server is told what the domain's own server said, so nothing is lost and nothing is
bounced (RFC 5321, 6.1). The common case (one route, an idle connection) costs one future; nothing
here waits longer than the deadline that the intake gives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from gatepost.mail.address import Address
from gatepost.mail.session import Session
from gatepost.relay.connection import BackendConnection, NoConnection, xclient_attributes
from gatepost.relay.exchange import Command, Exchange
from gatepost.relay.lines import mail_line, rcpt_line, unable
from gatepost.relay.maildir import deliver as deliver_to_maildir
from gatepost.relay.places import NoPlace
from gatepost.relay.pool import Pool
from gatepost.relay.results import (
    DEFERRED,
    DELIVERED,
    REFUSED,
    TROUBLE,
    UNREACHABLE,
    Content,
    MailParams,
    Result,
    Target,
    To,
    Who,
    deferred,
    unreachable,
)
from gatepost.relay.routes import Route, RouteError, order, parse_route
from gatepost.relay.sign_in import Login
from gatepost.smtp.client import ClientProtocol
from gatepost.telemetry.conditions import BACKEND, HERE

Count = Callable[[str], None]
"""`count(kind)`: one recipient's result, for the metrics."""
MOST_PLAIN = 10_000
_FORMAT = ClientProtocol()
"""For its pure helpers only."""


def no_count(_kind: str) -> None:
    """Count nothing."""


class Relay:
    """The way on, for the intake (in the dialogue) and for the courier (from the spool)."""

    def __init__(
        self,
        pool: Pool,
        *,
        dice: Callable[[], float] = lambda: 0.5,
        count: Count = no_count,
        clock: Callable[[], float],
    ) -> None:
        self.pool = pool
        self._dice = dice
        self._plain: dict[tuple[str, ...], Route] = {}
        """Routes of domains that have one server: nothing to choose."""
        self._count = count
        self._clock = clock
        """Seconds since 1970, for the names of files in a maildir."""

    def signing_in(self, login: Login) -> Relay:
        """Return a way on of its own that signs in; who takes it closes its pool."""
        return Relay(self.pool.signing_in(login), dice=self._dice, count=self._count, clock=self._clock)

    async def hand_off(
        self,
        session: Session | Who | None,
        sender: Address | None,
        params: MailParams,
        groups: Sequence[Target],
        chunks: Iterable[bytes],
        stuffed: bool,
        top: bytes,
        deadline: float,
        *,
        proven: bool = False,
    ) -> list[Result]:
        """Hand on; returns a result for each recipient, in the order of the groups.

        `chunks` may be iterated more than once. `deadline` is of the loop's clock. Never raises for
        what a next hop does. `proven`: our own reader found nothing wrong with the bytes.
        """
        content = Content(chunks, stuffed, top, proven)
        if len(groups) == 1:
            target = groups[0]
            route = self._plain.get(target.routes)
            if route is not None:
                results = await self._to_server(
                    route, session, sender, params, target.recipients, content, deadline
                )
                self._seen(route, sender, target.recipients, results)
                self._tally(results)
                return results
            return await self._to_target(session, sender, params, groups[0], content, deadline)
        # All are waited for: our fault at one server must not make the others' mail come again.
        parts = await asyncio.gather(
            *(self._to_target(session, sender, params, group, content, deadline) for group in groups),
            return_exceptions=True,
        )
        every: list[Result] = []
        for part, group in zip(parts, groups, strict=True):
            if isinstance(part, Exception):
                where = f"{type(part).__name__}: {part}"
                every += [TROUBLE._replace(where=where)] * len(group.recipients)
            elif isinstance(part, BaseException):
                raise part
            else:
                every += part
        return every

    async def _to_target(
        self,
        session: Session | Who | None,
        sender: Address | None,
        params: MailParams,
        target: Target,
        content: Content,
        deadline: float,
    ) -> list[Result]:
        """Ask the target's routes in turn, until one answers at all."""
        try:
            routes = [parse_route(url) for url in target.routes]
        except RouteError as error:
            routes = []
            results = [unreachable(f"bad route: {error}", enhanced="4.3.5")] * len(target.recipients)
        else:
            results = [unreachable("no route", enhanced="4.3.5")] * len(target.recipients)
        if len(routes) > 1:
            routes = order(routes, self._dice)
        for route in routes:
            if route.scheme == "maildir":
                results = await self._to_maildir(route, sender, target.recipients, content)
            else:
                results = await self._to_server(
                    route, session, sender, params, target.recipients, content, deadline
                )
            self._seen(route, sender, target.recipients, results)
            if results[0].kind != UNREACHABLE:
                break
        if len(routes) == 1 and routes[0].scheme != "maildir":
            self._plain[target.routes] = routes[0]
            if len(self._plain) > MOST_PLAIN:
                self._plain.clear()
        self._tally(results)
        return results

    def _seen(
        self, route: Route, sender: Address | None, recipients: Sequence[To], results: Sequence[Result]
    ) -> None:
        """Remember whether a next hop is there: what it says of a mail is another matter."""
        if sender is None and route.scheme == "smtp+mx":
            return  # a notice to a stranger's server: no back end of ours
        now, first = self._clock(), results[0]
        folder_fails = route.scheme == "maildir" and first.kind == DEFERRED
        if first.kind == UNREACHABLE or folder_fails:
            HERE.ill(BACKEND, route.place, first.text, now, recipients[0].address.domain)
        else:
            HERE.well(BACKEND, route.place, now)

    def _tally(self, results: Sequence[Result]) -> None:
        for result in results:
            self._count(result.kind)

    async def _to_server(
        self,
        route: Route,
        session: Session | Who | None,
        sender: Address | None,
        params: MailParams,
        recipients: Sequence[To],
        content: Content,
        deadline: float,
    ) -> list[Result]:
        """One message to one server; a connection that died while idle is replaced once."""
        pool = self.pool
        connection = pool.take(route)
        fresh = False
        while True:
            try:
                if connection is None:
                    connection = await pool.open(route, deadline, fresh=fresh)
                reused = connection.used > 0
                if connection.resetting or (route.xclient and session is not None):
                    await self._prepare(connection, session, deadline)
            except NoPlace as error:
                if error.permanent:
                    return [Result(REFUSED, 550, error.enhanced, error.text, route.place)] * len(recipients)
                return [unreachable(error.text, route.place, error.enhanced)] * len(recipients)
            except (NoConnection, TimeoutError) as error:
                if connection is not None:
                    connection.abort()
                    pool.give(connection)
                    connection = None
                    if not fresh:
                        fresh = True
                        continue
                return [unreachable(str(error) or "no answer in time", route.place)] * len(recipients)
            cannot = unable(connection.capabilities, params, sender, recipients, connection.place)
            if cannot is not None:
                pool.give(connection)
                return [cannot] * len(recipients)
            try:
                exchange = self._exchange(connection, route, session, sender, params, recipients, content)
            except BaseException:
                pool.give(connection)
                raise
            done: asyncio.Future[None] = connection.loop.create_future()
            connection.start(exchange, deadline, done)
            try:
                await done
            except asyncio.CancelledError:
                connection.abort()
                pool.give(connection)
                raise
            pool.give(connection)
            if reused and not fresh and exchange.retry and connection.loop.time() < deadline:
                # It had closed while it lay idle: nothing of this message was taken anywhere.
                connection = None
                fresh = True
                continue
            return exchange.results

    async def _prepare(
        self, connection: BackendConnection, session: Session | Who | None, deadline: float
    ) -> None:
        """Finish what the last message left open, and tell who the client is."""
        async with asyncio.timeout_at(deadline):
            await connection.settle()
            if connection.route.xclient and session is not None:
                await connection.tell_client(who_is(session), self.pool.hostname)

    def _exchange(
        self,
        connection: BackendConnection,
        route: Route,
        session: Session | Who | None,
        sender: Address | None,
        params: MailParams,
        recipients: Sequence[To],
        content: Content,
    ) -> Exchange:
        capabilities = connection.capabilities
        assert capabilities is not None
        ahead = b""
        ahead_replies = 0
        if route.xforward and capabilities.xforward and session is not None:
            said = xclient_attributes(who_is(session), capabilities.xforward)
            ahead = _FORMAT.xforward(said)
            ahead_replies = 1
        prdr = capabilities.prdr and len(recipients) > 1
        command = Command(
            ahead,
            ahead_replies,
            mail_line(sender, params, capabilities, prdr),
            [rcpt_line(to, capabilities) for to in recipients],
        )
        return Exchange(
            command,
            content,
            pipelined=capabilities.pipelining,
            lmtp=route.lmtp,
            prdr=prdr,
            where=connection.place,
            dsn=capabilities.dsn,
        )

    async def _to_maildir(
        self, route: Route, sender: Address | None, recipients: Sequence[To], content: Content
    ) -> list[Result]:
        """Deliver into a folder: the final delivery, so each recipient has a file of his own."""
        results = []
        for to in recipients:
            try:
                path = await asyncio.to_thread(
                    deliver_to_maildir, route.path, sender, to.address, content, self._clock()
                )
            except (OSError, ValueError) as error:
                results.append(deferred("4.3.0", f"maildir: {error}", route.place))
            else:
                results.append(Result(DELIVERED, 250, "2.0.0", "Delivered", str(path), True))
        return results


def who_is(session: Session | Who) -> Who:
    """Return what XCLIENT and XFORWARD may say of a session."""
    if isinstance(session, Who):
        return session
    host = session.host if session.host_confirmed else ""
    return Who(session.client, session.port, host or "", session.helo, session.esmtp, session.id)
