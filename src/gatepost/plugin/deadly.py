"""A message that kills who reads it: known again when it comes again, and set aside unread.

Who dies with a message in hand leaves a line (gatepost.store.deaths): the process of `ctx.in_worker` by the
hand of this worker, a worker itself by that of its parent. A first death stays with the sender: a worker's
end cuts the connection, one of a process gives 4xx (what took too long: as the check's `on_failure` says).
From the second on the message is *poison* for the domains that ask the check that had it: no check reads
it any more, it is held or refused as the domain chose, kept, and the administrator is told. Others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from gatepost.mail.fingerprint import fingerprint
from gatepost.mail.verdict import Defer, Reject
from gatepost.plugin.tools import Killed
from gatepost.policy.decide import Finding
from gatepost.policy.policy import Action, Mode
from gatepost.store.deaths import CHECK, Death

if TYPE_CHECKING:
    from gatepost.mail.message import Message
    from gatepost.mail.transaction import Recipient, Transaction
    from gatepost.plugin.step import Step
    from gatepost.plugin.tools import Tools

NAME = "poison"
FATAL = 2
"""Deaths from which on a message is poison; of one, anything may be the cause."""
PUBLIC = "Message cannot be processed here"

Findings = list[Finding]
Steps = Sequence["Step"]
Ask = Callable[[Sequence["Recipient"]], Awaitable[list[Findings]]]


class Died:
    """Key in a transaction's facts: [(plugin, what killed its process)]."""


def note(facts: dict[type, Any], plugin: str, killed: Killed) -> None:
    """Remember for the end of the checks that a process died over this message."""
    facts.setdefault(Died, []).append((plugin, killed))


class Deadly:
    """Asks for the messages of one process, but for those that are known to kill."""

    __slots__ = ("_clock", "_tools")

    def __init__(self, tools: Tools, clock: Callable[[], float]) -> None:
        self._tools = tools
        self._clock = clock

    async def ask(
        self,
        transaction: Transaction,
        message: Message,
        recipients: Sequence[Recipient],
        steps: Sequence[Steps],
        ask: Ask,
    ) -> list[Findings]:
        """Return the findings for each recipient; `steps` are the checks that each one's policy asks."""
        if self._tools.deaths is None:
            return await ask(recipients)
        mark = fingerprint(message)
        now = round(self._clock(), 3)
        deaths = self._known(mark, now)
        aside = [_times(deaths, own) >= FATAL for own in steps]
        asked = [recipient for recipient, away in zip(recipients, aside, strict=True) if not away]
        answers = iter(await self._ask(transaction, mark, asked, ask) if asked else ())
        found = [[] if away else next(answers) for away in aside]
        died: list[tuple[str, Killed]] = transaction.facts.pop(Died, [])
        for plugin, killed in died:
            deaths.append(await self._write(mark, Death(now, CHECK, plugin, str(killed))))
        prompt = {plugin for plugin, killed in died if not killed.late}
        for n, (recipient, own) in enumerate(zip(recipients, steps, strict=True)):
            if _times(deaths, own) >= FATAL:
                found[n].append(self._set_aside(transaction, recipient, _of(deaths, own)))
            elif fresh := [one for one in _of(deaths, own) if one.when == now and one.plugin in prompt]:
                found[n].append(_wait(fresh[0]))
        return found

    async def _ask(
        self, transaction: Transaction, mark: bytes, recipients: Sequence[Recipient], ask: Ask
    ) -> list[Findings]:
        hands = self._tools.hands
        if hands is None:
            return await ask(recipients)
        transaction.hand = slot = hands.take(mark)
        try:
            return await ask(recipients)
        finally:
            transaction.hand = 0
            hands.put(slot)

    def _known(self, mark: bytes, now: float) -> list[Death]:
        try:
            found: list[Death] = self._tools.deaths.of(mark, now)
        except OSError as error:  # no reason to put off all mail: nothing is known against this one
            self._tools.alert(NAME, f"deaths cannot be read: {error.strerror or error}")
            return []
        return found

    async def _write(self, mark: bytes, death: Death) -> Death:
        try:
            await asyncio.to_thread(self._tools.deaths.add, mark, death)
        except OSError as error:  # it counts for this mail; the next one begins anew
            self._tools.alert(NAME, f"a death cannot be written down: {error.strerror or error}")
        return death

    def _set_aside(self, transaction: Transaction, recipient: Recipient, deaths: list[Death]) -> Finding:
        last = deaths[-1]
        why = (
            f"killed {len(deaths)} processes of ours, the last one of {last.plugin or 'a worker'}: {last.why}"
        )
        self._tools.alert(NAME, f"{transaction.id} to {recipient.final.text} is set aside: {why}")
        action = Action(recipient.policy.poison)
        return _finding(Reject(why, PUBLIC, 554, "5.6.0"), action)


def _wait(death: Death) -> Finding:
    why = f"killed a process of ours: {death.plugin}: {death.why}"
    return _finding(
        Defer(why, "Message cannot be processed now, try again later", 451, "4.3.0"), Action.DEFER
    )


def _finding(verdict: Reject | Defer, action: Action) -> Finding:
    return Finding(NAME, "message", verdict, Mode.ON, action)


def _of(deaths: Sequence[Death], steps: Steps) -> list[Death]:
    """Return the deaths that concern who asks these checks: one domain's never touch another's mail.

    A check that only watches never acts: its processes may die. When a worker dies, others wait for it.
    """
    if not deaths:
        return []
    on = {step.plugin.name for step in steps if step.policy.mode is Mode.ON}
    asked = {step.plugin.name for step in steps}
    return [one for one in deaths if (one.plugin in (on if one.kind == CHECK else asked) or not one.plugin)]


def _times(deaths: Sequence[Death], steps: Steps) -> int:
    """Count the times that it came and killed; two checks that die of one coming are one time."""
    return len({death.when for death in _of(deaths, steps)})
