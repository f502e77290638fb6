"""Empty the spool: hand on what waits, again and again, for five days (RFC 5321, 4.5.4.1).

An entry is claimed, tried, and written back before the claim ends; killed anywhere between, it is
delivered once or twice, never not at all. What is refused for good is bounced to a sender who is
proven, else kept as failed and told to the owner (T8.1, T8.4). A release never bounces.

What is not judged yet (`Envelope.unjudged`) is judged first, each time until there is an answer: no answer
is no delivery, and after the last try it is held; where that cannot be it goes on waiting and never fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

from gatepost.mail import batv
from gatepost.mail.address import Address, AddressError, parse_address
from gatepost.mail.message import find_border
from gatepost.mail.retitled import with_words
from gatepost.relay.bounce import Fate, make_notice
from gatepost.relay.handoff import Relay
from gatepost.relay.results import (
    DELIVERED,
    REFUSED,
    MailParams,
    Result,
    Target,
    To,
    Who,
    deferred,
    unreachable,
)
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.spool.queue import Claim, Log, Queue, no_log
from gatepost.store.durable import Blob

WAITS = (60, 300, 300, 900, 1800, 3600, 3600, 7200, 7200, 14_400)
"""Seconds before the next attempt, by the number of attempts made; the last one for all that follow."""
GIVE_UP = 5 * 86_400
"""Age in seconds at which an undelivered recipient has failed,"""
ENOUGH = 30
"""if at least so many attempts were made: a clock that jumps ahead makes nobody's mail bounce (L14)."""
AT_ONCE = 20
JUDGED_AT_ONCE = 4
"""A scanner that hangs must not keep what waits for none; and each has a whole mail in memory."""
HEAD_LIMIT = 131_072
"""Bytes looked at for the Subject."""
TIME = 600.0
"""Seconds for one attempt (RFC 5321, 4.5.3.2.6 wants ten minutes behind the final dot)."""
LOOK = 1.0
PAUSE = 300.0
"""Seconds for which an entry rests whose attempt ended in an error of ours: what was delivered and could
not be written down (a full disk) would be delivered again with each look."""

RoutesFor = Callable[[str], Sequence[str] | None]
"""`routes_for(domain)`: the routes of its policy now; None: not hosted here any more (or not known)."""
Outcome = Callable[[Envelope, Rcpt, Result], None]
"""Told of each recipient whose fate is final, for the journal."""
GOES, WAITS_ON, ENDED = "goes", "waits", "ended"


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said of a mail that was not judged yet."""

    kind: str
    """`goes`: on to its server. `waits`: no answer yet. `ended`: it is held, durably, or done with."""
    why: str = ""
    top: str = ""
    """Header lines that go before the bytes, where it goes."""
    subject: str = ""
    """Words that go behind its Subject."""


Judge = Callable[[Envelope, Blob, bool], Awaitable[Judged]]
"""`judge(envelope, bytes, last)`; `last`: there is no other try, so who can holds it."""


async def no_judge(_envelope: Envelope, _blob: Blob, _last: bool) -> Judged:
    """Say that nobody can judge here."""
    return Judged(WAITS_ON, "no checks can be asked here")


Work = Callable[[tuple[str]], AbstractContextManager[None]]
"""`with work((domain,))`: what is done is work for this domain."""


def no_outcome(_envelope: Envelope, _recipient: Rcpt, _result: Result) -> None:
    """Tell nobody."""


def no_work(_domains: tuple[str]) -> AbstractContextManager[None]:
    """Tell nobody."""
    return nullcontext()


class Courier:
    """One for an installation; more do no harm (the claim keeps them apart)."""

    def __init__(
        self,
        queue: Queue,
        relay: Relay,
        *,
        hostname: str,
        routes_for: RoutesFor,
        clock: Callable[[], float],
        log: Log = no_log,
        outcome: Outcome = no_outcome,
        judge: Judge = no_judge,
        work: Work = no_work,
    ) -> None:
        self._queue = queue
        self._relay = relay
        self._hostname = hostname
        self._routes_for = routes_for
        self._clock = clock
        self._log = log
        self._outcome = outcome
        self._judge = judge
        self._work = work
        self._judging = 0
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._resting: dict[str, float] = {}
        """Entry -> until when."""

    async def run(self) -> None:
        """Work until cancelled; what is under way then ends by itself or is tried again after a restart."""
        await asyncio.to_thread(self._queue.recover)
        try:
            while True:
                await self.work_off()
                await asyncio.sleep(LOOK)
        finally:
            for task in self._busy.values():
                task.cancel()

    async def look(self) -> None:
        """Begin what is due, as far as there is room."""
        due = await asyncio.to_thread(self._queue.due, self._clock())
        for name in due:
            if len(self._busy) >= AT_ONCE:
                break
            self._begin(name)

    async def work_off(self) -> None:
        """Begin all that is due, the next as soon as one has ended: a long outage leaves many thousands."""
        for name in await asyncio.to_thread(self._queue.due, self._clock()):
            while len(self._busy) >= AT_ONCE:
                await asyncio.wait(self._busy.values(), return_when=asyncio.FIRST_COMPLETED)
            self._begin(name)

    def _begin(self, name: str) -> None:
        if name not in self._busy and not self._rests(name):
            self._busy[name] = task = asyncio.ensure_future(self.attempt(name))
            task.add_done_callback(partial(self._ended, name))

    def _rests(self, name: str) -> bool:
        until = self._resting.get(name)
        if until is None:
            return False
        if 0 < until - self._clock() <= PAUSE:
            return True
        del self._resting[name]  # over, or the clock was set
        return False

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._busy:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)
            await asyncio.sleep(0)

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._busy.pop(name, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A disk that does not take the result: the entry is as it was and comes again, after a while.
            self._resting[name] = self._clock() + PAUSE
            self._log("courier.error", level="error", id=name, error=f"{type(error).__name__}: {error}")

    async def attempt(self, name: str) -> None:
        """Try one entry once."""
        claim = await asyncio.to_thread(self._queue.claim, name)
        if claim is None:
            return
        with self._work((claim.envelope.domain,)):
            await self._attempt(claim)

    async def _attempt(self, claim: Claim) -> None:
        try:
            envelope, results = await self._tried(claim)
        except BaseException:
            claim.release()
            raise
        if results is None:
            claim.release()
            return
        # The thread gives the claim back itself: it ends its work although we may be cancelled.
        for one, result in await asyncio.to_thread(self._settle, claim, envelope, results):
            self._outcome(envelope, one, result)

    async def _tried(self, claim: Claim) -> tuple[Envelope, list[Result] | None]:
        """Judge where that is not done, and hand on; no results where nothing is to be written down."""
        envelope = claim.envelope
        if not envelope.waiting:
            return envelope, None
        if envelope.unjudged is not None:
            if self._judging >= JUDGED_AT_ONCE:
                return envelope, None  # it is due as before
            said = await self._judged(envelope, claim)
            if said.kind == ENDED:
                self._log("courier.ended", id=envelope.id, session=envelope.session, why=said.why)
                await asyncio.to_thread(self._queue.done, claim)
                return envelope, None
            if said.kind != GOES:
                return envelope, [deferred("4.3.0", said.why, "not judged yet")] * len(envelope.waiting)
            envelope = replace(envelope, unjudged=None, top=said.top, subject=said.subject, reason="judged")
        return envelope, await self._hand_on(envelope, claim)

    async def _judged(self, envelope: Envelope, claim: Claim) -> Judged:
        self._judging += 1
        try:
            # First written down: a mail that kills who reads it must not come again at once.
            wait = WAITS[min(envelope.attempts, len(WAITS) - 1)]
            tried = replace(envelope, attempts=envelope.attempts + 1, due=self._clock() + wait)
            await asyncio.to_thread(self._queue.update, claim, tried)
            return await self._judge(envelope, claim.blob, self._is_last(envelope))
        finally:
            self._judging -= 1

    async def _hand_on(self, envelope: Envelope, claim: Claim) -> list[Result]:
        waiting = envelope.waiting
        routes = envelope.routes or tuple(self._routes_for(envelope.domain) or ())
        if not routes:
            return [unreachable(f"no route for {envelope.domain} now", enhanced="4.3.5")] * len(waiting)
        try:
            sender = read_address(envelope.sender) if envelope.sender is not None else None
            to = [To(read_address(one.address), one.notify, one.orcpt) for one in waiting]
        except AddressError as error:
            return [Result(REFUSED, 553, "5.1.3", str(error))] * len(waiting)
        who = Who(envelope.client, 0, envelope.host, envelope.helo, True, envelope.session)
        top = envelope.top.encode("ascii", "replace")
        try:
            more, chunks = await asyncio.to_thread(_titled, envelope, claim.blob)
        except OSError as error:  # the blob cannot be read now
            return [deferred("4.3.0", f"the spool: {error}")] * len(waiting)
        size = envelope.size + len(top) + more
        params = MailParams(size, envelope.body, envelope.smtputf8, envelope.ret, envelope.envid)
        deadline = asyncio.get_running_loop().time() + TIME
        session = who if envelope.client else None
        try:
            return await self._relay.hand_off(
                session, sender, params, [Target(routes, to)], chunks, False, top, deadline
            )
        except OSError as error:  # the blob cannot be read now
            return [deferred("4.3.0", f"the spool: {error}")] * len(waiting)

    def _settle(
        self, claim: Claim, envelope: Envelope, results: Sequence[Result]
    ) -> list[tuple[Rcpt, Result]]:
        """Write down what became of each recipient, and release the claim; returns whose fate is final."""
        try:
            return self._write_down(claim, envelope, results)
        finally:
            claim.release()

    def _write_down(
        self, claim: Claim, envelope: Envelope, results: Sequence[Result]
    ) -> list[tuple[Rcpt, Result]]:
        """Bounces first, so that a crash loses none."""
        now = self._clock()
        attempts = envelope.attempts + 1
        # What is not judged and cannot be held does not fail: it would be thrown away one day, unread.
        old = envelope.unjudged is None and self._is_last(envelope)
        left: list[Rcpt] = [one for one in envelope.recipients if one.failed]
        lost: list[tuple[Rcpt, Result]] = []
        final: list[tuple[Rcpt, Result]] = []
        for one, result in zip(envelope.waiting, results, strict=True):
            said = f"{result.code} {result.enhanced} {result.text} ({result.where})"[:1000]
            self._log(
                "courier.attempt",
                id=envelope.id,
                session=envelope.session,
                recipient=one.address,
                result=result.kind,
                reply=said,
                attempts=attempts,
            )
            if result.kind == DELIVERED:
                final.append((one, result))
            elif result.kind == REFUSED or old:
                if result.kind != REFUSED:
                    result = Result(
                        REFUSED, 554, "5.4.7", f"Gave up after five days: {result.text}", result.where
                    )
                lost.append((one, result))
                final.append((one, result))
                if not self._may_bounce(envelope):
                    left.append(replace(one, last=said, failed=True))
            else:
                left.append(replace(one, last=said))
        if lost:
            self._bounce(envelope, claim, lost, attempts, now)
        if left:
            wait = WAITS[min(attempts, len(WAITS)) - 1]
            self._queue.update(
                claim, replace(envelope, recipients=tuple(left), attempts=attempts, due=now + wait)
            )
        else:
            self._queue.done(claim)
        return final

    def _is_last(self, envelope: Envelope) -> bool:
        """Return whether there is no other try behind this one."""
        return self._clock() - envelope.created >= GIVE_UP and envelope.attempts + 1 >= ENOUGH

    @staticmethod
    def _may_bounce(envelope: Envelope) -> bool:
        """Only to a proven sender, never for a bounce, never for a release (T8.4, CONTRACT 8)."""
        return envelope.proven and bool(envelope.sender) and envelope.reason not in ("release", "bounce")

    def _bounce(
        self,
        envelope: Envelope,
        claim: Claim,
        lost: Sequence[tuple[Rcpt, Result]],
        attempts: int,
        now: float,
    ) -> None:
        wanted = [(one, result) for one, result in lost if one.notify.upper() != "NEVER"]
        if not self._may_bounce(envelope) or not wanted:
            self._log(
                "courier.kept" if not self._may_bounce(envelope) else "courier.no_notice",
                level="warning",
                id=envelope.id,
                session=envelope.session,
                recipients=",".join(one.address for one, _ in lost),
                reason="refused by the next hop; the sender is not proven, so nothing is sent to him",
            )
            return
        assert envelope.sender is not None
        # The same attempt makes the same id: killed behind this line, no second notice is made.
        name = f"{envelope.id}-b{attempts}"
        text = make_notice(
            hostname=self._hostname,
            id=name,
            to=envelope.sender,
            fates=[
                Fate(one.address, "failed", result.enhanced, f"{result.code} {result.text}", one.orcpt)
                for one, result in wanted
            ],
            head=claim.blob.head(),
            now=now,
            arrived=envelope.created,
            envid=envelope.envid,
        )
        hosted = self._routes_for(read_address(envelope.sender).domain) is not None
        self._queue.put(notice_envelope(name, envelope, now, hosted=hosted), [text])


def _titled(envelope: Envelope, blob: Blob) -> tuple[int, Iterable[bytes]]:
    """Return a message as it goes on, and how much longer it is than what lies here."""
    if not envelope.subject:
        return 0, blob
    old = blob.head(HEAD_LIMIT)
    border = find_border(old)
    return with_words(blob, old if border < 0 else old[:border], envelope.subject)


def notice_envelope(name: str, about: Envelope, now: float, *, hosted: bool = False) -> Envelope:
    """Return the envelope of a notice: null sender, to the original's sender, by his domain's MX.

    Where his domain is hosted here that MX is ourselves: it goes by the domain's own route, to the
    address without its BATV tag.
    """
    assert about.sender is not None
    sender = read_address(about.sender)
    domain, to = sender.domain, batv.plain(sender).text if hosted else about.sender
    return Envelope(
        id=name,
        sender=None,
        recipients=(Rcpt(to),),
        created=now,
        due=now,
        domain=domain,
        routes=() if hosted else (f"smtp+mx://{domain}",),
        reason="bounce",
        smtputf8=not about.sender.isascii(),
        session=about.session,
        once=True,
    )


def read_address(text: str) -> Address:
    """Return the address that stands in an envelope."""
    return parse_address(text)
