"""What a draft setting would have changed: mail of the journal is judged again, with it and without.

Both are asked, since a mail's fate may differ today for other reasons than the draft (DNS, lists,
recipients); what differs between the two is what the draft does. Mail is played again in its order
and at its time, so that rates and greylisting count as they would have. Nothing is written, sent
or asked of the domain's own server: who existed for it is taken from the journal.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gatepost.desk import journal
from gatepost.desk.check import Memory, opened
from gatepost.desk.desk import Desk
from gatepost.desk.domains import checked_values
from gatepost.desk.errors import DeskError
from gatepost.desk.replay import Overlay, existed, mail_of
from gatepost.desk.scopes import hosted
from gatepost.desk.stats import KINDS, LET_IN, TROUBLE
from gatepost.desk.steps import of_trace
from gatepost.desk.trial import AT_DATA, Answer, Trial
from gatepost.mail.address import Address, AddressError, parse_address
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.snapshot import PolicyUnavailable
from gatepost.policy.source import DomainRows
from gatepost.store.base import OutcomeRow

BY_MESSAGE = frozenset({"headers", "message"})
"""Moments of checks that read the message."""
UNDECIDED = "abandoned"
"""The fate of a copy whose client went away before it was judged."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One copy that the draft would have treated otherwise."""

    row: OutcomeRow
    """What became of it then."""
    today: Answer
    """What would become of it with the settings as they are."""
    draft: Answer
    whole: bool
    """Every check was asked that would have been; False: the message was not kept."""

    @property
    def why(self) -> str:
        """The reason for the difference."""
        if self.draft.fate != "accepted":
            return _because(self.draft)
        if self.draft.allowed_by:
            return f"allowed by {self.draft.allowed_by}"
        if self.today.fate != "accepted":
            return f"no longer {_because(self.today)}"
        return _because(self.draft) if self.draft.plugin else ""


@dataclass(slots=True)
class Recheck:
    """What came of it."""

    domain: str
    since: float
    changed: list[Changed] = field(default_factory=list)
    whole: int = 0
    """Copies that every check was asked about."""
    partly: int = 0
    """Copies without a kept message: only the checks up to RCPT were asked."""
    nameless: int = 0
    """Copies whose HELO name is not written down; the sender's domain stood for it."""
    left_out: int = 0
    """Copies that are not judged again: outgoing, an odd address, or the client went away undecided."""
    otherwise: int = 0
    """Copies that would fare otherwise today than then, with the draft or without."""
    more: bool = False
    """There were older ones beyond the limit."""


def recheck(desk: Desk, domain: str, values: Mapping[str, Any], *, since: float, limit: int) -> Recheck:
    """Judge the newest `limit` copies of a domain's mail again. Raises DeskError for a wrong draft."""
    name = hosted(desk, domain)
    draft = checked_values(desk, name, values)
    if not draft:
        raise DeskError("a draft needs a setting, as dnsbl.mode=on")
    rows = journal.search(desk, name, since=since, limit=limit + 1)
    found = Recheck(name, since, more=len(rows) > limit)
    try:
        asyncio.run(_Replay(desk, found, draft).run(rows[:limit][::-1]))
    except PolicyUnavailable as error:
        raise DeskError(f"the policy cannot be read: {error}") from error
    return found


class _Replay:
    """The mail of a domain, played again."""

    def __init__(self, desk: Desk, found: Recheck, draft: dict[str, Any]) -> None:
        self._desk = desk
        self._found = found
        self._draft = draft
        self._now = 0.0
        """The moment that is played."""
        self._existed: dict[str, str] = {}
        """Recipient of the mail that is played -> what the domain's own server said of it then."""

    async def run(self, rows: list[OutcomeRow]) -> None:
        async with opened(self._desk) as memory:
            self._prepare(memory)
            for _, copies in itertools.groupby(rows, key=lambda row: row.id):
                await self._again(list(copies))

    def _prepare(self, memory: Memory) -> None:
        policy = self._desk.policy
        drafted = Overlay(policy, self._found.domain, self._with_draft)
        self._today = memory.stage(policy, self._verify, lambda: self._now)
        self._drafted = memory.stage(drafted, self._verify, lambda: self._now)

    def _with_draft(self, rows: DomainRows) -> DomainRows:
        values = {**rows.values, **self._draft}
        return replace(rows, values={key: value for key, value in values.items() if value is not None})

    async def _verify(self, _policy: DomainPolicy, address: Address, _client: str) -> str:
        return self._existed.get(address.text.lower(), "yes")

    async def _again(self, copies: list[OutcomeRow]) -> None:
        """Judge one mail: all its copies for this domain."""
        judged = [row for row in copies if row.fate != UNDECIDED and self._came_in(row)]
        self._found.left_out += len(copies) - len(judged)
        if not judged:
            return
        self._now = judged[0].time
        self._existed = {row.recipient.lower(): existed(row) for row in judged}
        mail, named = mail_of(self._desk, judged)
        today = await Trial(self._today, mail).run()
        draft = await Trial(self._drafted, mail).run()
        self._found.nameless += 0 if named else len(judged)
        for row, one, other in zip(judged, today, draft, strict=True):
            self._compare(row, one, other, whole=mail.raw is not None)

    def _came_in(self, row: OutcomeRow) -> bool:
        """Is this mail for the domain? Its own outgoing mail is in its journal too."""
        try:
            if row.sender:
                parse_address(row.sender)
            return parse_address(row.recipient).domain == self._found.domain
        except AddressError:
            return False

    def _compare(self, row: OutcomeRow, today: Answer, draft: Answer, *, whole: bool) -> None:
        found = self._found
        # Refused at RCPT, the message would never have been read.
        complete = whole or draft.at != AT_DATA
        found.whole += complete
        found.partly += not complete
        if _fate(today) != _fate(draft):
            found.changed.insert(0, Changed(row, today, draft, complete))
        elif draft.fate != _as_judged(row.fate) and _can_tell(row, draft, complete=complete):
            found.otherwise += 1


def caveats(found: Recheck) -> Iterator[str]:
    """Yield, a sentence each, what could not be judged again as it was."""
    if found.partly:
        yield (
            f"{found.partly} without the message (*; only what is refused or held is kept): judged by the"
            " checks up to RCPT, those that read it could not be asked"
        )
    if found.nameless:
        yield f"{found.nameless} without the HELO name: the sender's domain stood for it"
    if found.left_out:
        yield f"{found.left_out} left out: outgoing, an odd address, or the client went away undecided"
    if found.otherwise:
        yield f"{found.otherwise} would fare otherwise today than then, with the draft or without"
    if found.more:
        yield "there are older ones beyond --limit"
    yield "DNS answers, lists, recipients and what checks remember are today's"


def _fate(answer: Answer) -> tuple[object, ...]:
    """Return what a sender and a recipient notice."""
    return answer.fate, answer.at, answer.reply, answer.recipient, answer.tags, answer.kept


def _because(answer: Answer) -> str:
    return f"{answer.plugin}: {answer.reason}" if answer.reason else answer.plugin


def _can_tell(row: OutcomeRow, draft: Answer, *, complete: bool) -> bool:
    """Does what became of a mail then say something of the checks that were asked again?

    The domain's own server, a full disk and the like are not asked; without the message, neither is what
    refused it by what stood in it.
    """
    if row.fate not in LET_IN and KINDS.get(row.plugin) == TROUBLE:
        return False
    if complete or row.fate in LET_IN:
        return True
    moments = {step.hook for step in of_trace(row.trace) if step.check == row.plugin}
    # Of like refusals only the first has its trace: then it counts whether the check was asked now.
    return not moments & BY_MESSAGE if moments else row.plugin in {step.check for step in draft.steps}


def _as_judged(fate: str) -> str:
    return "accepted" if fate == "queued" else fate
