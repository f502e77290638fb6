"""What would have let a mail in: the entry, the name or the wait that its refusal asks for, and a trial.

What was refused stopped at its first refusal, so nobody knows what later checks would have said. The trial
asks them: the mail is judged again as things are today, once as it is and once with the remedy in force.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from enum import StrEnum

from gatepost.desk.check import opened
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.replay import Overlay, existed, mail_of
from gatepost.desk.stats import KINDS, TROUBLE
from gatepost.desk.trial import Answer, Trial
from gatepost.mail.address import Address, AddressError, parse_address
from gatepost.plugin.deadly import NAME as POISON
from gatepost.policy.entries import Entry, parse_entry
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.snapshot import PolicyUnavailable
from gatepost.policy.source import DomainRows
from gatepost.store.base import OutcomeRow

LET_IN = frozenset({"accepted", "queued", "taken"})


class What(StrEnum):
    """What has to be done."""

    ENTRY = "entry"
    """An allow entry."""
    RECIPIENT = "recipient"
    """The recipient has to be on the list."""
    CLIENTS = "clients"
    """The recipient's own list of clients has to name this one."""
    WAIT = "wait"
    """The same again, later."""
    DENIED = "denied"
    """A deny entry has to go."""
    SERVER = "server"
    """The domain's own server refused it, or something was broken: nothing of ours would have helped."""
    HOST = "host"
    """The domain has to be hosted here."""
    NOTHING = "nothing"
    """No entry leads past this check."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way in."""

    what: What
    entry: str = ""
    """What the allow entry says, as it is typed."""
    check: str = ""
    """The one check that it leads past; "" is every check."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A mail judged again, today."""

    now: Answer
    """As things are."""
    then: Answer
    """With the entry."""
    whole: bool
    """False: the message was not kept, so what reads it could not be asked."""


def remedies(desk: Desk, row: OutcomeRow) -> list[Remedy]:
    """Return the ways in, the narrowest first; none for a mail that came in."""
    if row.fate in LET_IN or row.fate == "abandoned":
        return []
    check = row.plugin
    if check == "recipients":
        return [Remedy(What.CLIENTS if "clients" in row.reason else What.RECIPIENT, row.recipient)]
    if check in ("relaying", "outgoing"):
        return [Remedy(What.HOST)]
    if check == POISON:
        return [Remedy(What.WAIT if row.fate == "deferred" else What.NOTHING, check=check)]
    if KINDS.get(check) == TROUBLE:
        return [Remedy(What.SERVER)]
    if check in desk.registry.unskippable:
        return [Remedy(What.NOTHING, check=check)]
    past = check if check in {one.name for one in desk.registry} and check != "deny_list" else ""
    found = [Remedy(What.ENTRY, text, past) for text in (row.sender, row.client) if text and _is_entry(text)]
    if check == "deny_list":
        found.insert(0, Remedy(What.DENIED))
    if row.fate == "deferred":
        found.insert(0, Remedy(What.WAIT))
    return found


def tried(desk: Desk, row: OutcomeRow, entry: str, check: str = "") -> Tried:
    """Judge a mail again with an allow entry and without. DeskError where it cannot be judged."""
    field, value = parse_entry(entry)
    extra = Entry(0, "allow", field, value, check)
    try:
        return asyncio.run(_tried(desk, row, extra))
    except PolicyUnavailable as error:
        raise DeskError(f"the policy cannot be read: {error}") from error


async def _tried(desk: Desk, row: OutcomeRow, extra: Entry) -> Tried:
    mail, _ = mail_of(desk, [row])
    said = existed(row)

    async def verify(_policy: DomainPolicy, _address: Address, _client: str) -> str:
        return said

    def allowed(rows: DomainRows) -> DomainRows:
        return replace(rows, entries=(*rows.entries, extra))

    async with opened(desk) as memory:
        answers = []
        for source in (desk.policy, Overlay(desk.policy, _domain(row), allowed)):
            stage = memory.stage(source, verify, desk.clock)
            answers += await Trial(stage, replace(mail, time=desk.clock())).run()
    return Tried(answers[0], answers[1], mail.raw is not None)


def _domain(row: OutcomeRow) -> str:
    try:
        return parse_address(row.recipient).domain
    except AddressError as error:
        raise DeskError(f"{row.recipient!r}: {error}") from error


def _is_entry(text: str) -> bool:
    try:
        parse_entry(text)
    except ValueError:
        return False
    return True
