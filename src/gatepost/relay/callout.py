"""Ask the domain's own server whether a mailbox exists: MAIL FROM:<>, RCPT TO, RSET (T8.3).

Answers are kept: "yes" for two hours, "no" for a quarter of one. A server that cannot be asked says
nothing: then a last "yes" counts for some days; without one it is unknown (4xx), never accepted blindly,
and never refused for an old "no". Questions for the same mailbox at the same time are one question.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from gatepost.mail.address import Address
from gatepost.relay import maildir
from gatepost.relay.connection import BackendConnection, NoConnection
from gatepost.relay.lines import mail_line, rcpt_line
from gatepost.relay.places import NoPlace
from gatepost.relay.pool import Pool
from gatepost.relay.results import PROTOCOL_FAULTS, MailParams, To
from gatepost.relay.routes import Route, RouteError, order, parse_route

YES_FOR = 2 * 3600
NO_FOR = 15 * 60
STALE_FOR = 7 * 86_400
"""Seconds that an old "yes" still counts while the server cannot be asked."""
MOST = 100_000
"""Answers kept in a process."""
TIME = 30.0
"""Seconds for one question."""
UNKNOWN_USER = frozenset({550, 551, 553})

Exists = Literal["yes", "no", "unknown"]
Question = tuple[str, ...]
"""Routes and mailbox: where another server is asked since, the answers of the one before count no more."""


class _Kept(NamedTuple):
    answer: Exists
    at: float


class Callout:
    """The questions and answers of one process."""

    def __init__(
        self,
        pool: Pool,
        *,
        clock: Callable[[], float],
        dice: Callable[[], float] = lambda: 0.5,
        most: int = MOST,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._dice = dice
        self._most = most
        self._kept: OrderedDict[Question, _Kept] = OrderedDict()
        self._asking: dict[Question, asyncio.Task[Exists]] = {}

    def known(self, routes: Sequence[str], address: Address) -> Exists | None:
        """Return the answer if it is kept and fresh."""
        kept = self._kept.get((*routes, *address.key))
        if kept is None:
            return None
        age = self._clock() - kept.at
        limit = YES_FOR if kept.answer == "yes" else NO_FOR
        return kept.answer if 0 <= age < limit else None

    async def verify(self, routes: Sequence[str], address: Address) -> Exists:
        """Return whether the mailbox exists, as its domain's server says."""
        answer = self.known(routes, address)
        if answer is not None:
            return answer
        key = (*routes, *address.key)
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.ensure_future(self._ask_routes(routes, address))
            task.add_done_callback(lambda _done: self._asking.pop(key, None))
        # One who gives up must not take the question away from the others.
        return await asyncio.shield(task)

    async def _ask_routes(self, urls: Sequence[str], address: Address) -> Exists:
        answer: Exists = "unknown"
        key = (*urls, *address.key)
        try:
            routes = order([parse_route(url) for url in urls], self._dice)
        except RouteError:
            routes = []
        for route in routes:
            answer = await self._ask(route, address)
            if answer != "unknown":
                break
        if answer == "unknown":
            return self._stale(key)
        kept = self._kept
        kept[key] = _Kept(answer, self._clock())
        kept.move_to_end(key)
        if len(kept) > self._most:
            kept.popitem(last=False)
        return answer

    def _stale(self, key: Question) -> Exists:
        kept = self._kept.get(key)
        if kept is not None and kept.answer == "yes" and 0 <= self._clock() - kept.at < STALE_FOR:
            return "yes"
        return "unknown"  # also where it once said no: the mailbox may have been made since

    async def _ask(self, route: Route, address: Address) -> Exists:
        if route.scheme == "maildir":
            return "yes" if maildir.exists(route.path, address) else "no"
        deadline = asyncio.get_running_loop().time() + TIME
        connection = self._pool.take(route)
        fresh = connection is None
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    if connection is None:
                        connection = await self._pool.open(route, deadline, fresh=True)
                    answer = await self._say(connection, address)
            except (NoConnection, NoPlace, TimeoutError):
                if connection is not None:
                    connection.abort()
                    self._pool.give(connection)
                    connection = None
                if fresh:
                    return "unknown"
                fresh = True
                continue
            except BaseException:
                if connection is not None:
                    connection.abort()
                    self._pool.give(connection)
                raise
            self._pool.give(connection)
            return answer

    async def _say(self, connection: BackendConnection, address: Address) -> Exists:
        await connection.settle()
        offered = connection.capabilities
        assert offered is not None
        connection.used += 1
        international = not address.text.isascii()
        if international and not offered.utf8:
            return "unknown"
        mail = await connection.ask(mail_line(None, MailParams(smtputf8=international), offered, False))
        if mail.code == 421:
            raise NoConnection("The next hop closes", mail)
        answer: Exists = "unknown"
        if mail.code // 100 == 2:
            reply = await connection.ask(rcpt_line(To(address), offered))
            answer = judge(reply.code, reply.enhanced)
            await connection.ask(b"RSET\r\n")
        return answer


def judge(code: int, enhanced: str) -> Exists:
    """Return what a reply to RCPT says of the mailbox; a refusal of *us* (5.7.x, 503, 530) says nothing."""
    if code // 100 == 2:
        return "yes"
    if code // 100 != 5 or code in PROTOCOL_FAULTS:
        return "unknown"
    if enhanced.startswith("5.1."):
        return "no"
    if enhanced.startswith(("5.7.", "5.3.", "5.5.")):
        return "unknown"
    if code in UNKNOWN_USER or enhanced.startswith("5.2.1"):
        return "no"
    return "no" if code == 554 and not enhanced else "unknown"
