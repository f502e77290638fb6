"""Is a kept mail malware? Asked before anybody releases it: nothing filters it again behind that.

A mail that an early check refused was kept without anybody looking into it, so that nobody knows. Only the
checks that no allow entry leads past are asked (viruses), and only those that the domain has on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from gatepost.desk.check import opened
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.replay import Overlay
from gatepost.desk.trial import NOBODY, Answer, Mail, Trial
from gatepost.mail.address import Address
from gatepost.plugin.base import Scope
from gatepost.plugin.hooks import hooks_of
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.snapshot import PolicyUnavailable
from gatepost.policy.source import DomainRows
from gatepost.spool.index import Kept


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is said against releasing a mail."""

    said: str
    """Check and reason."""
    answered: bool
    """A check found something; False: it could not look, so nobody knows."""


def found(desk: Desk, kept: Kept) -> Doubt | None:
    """Return what is said against releasing a mail; also where a check cannot say."""
    asked = {
        one.name
        for one in desk.registry
        if not one.error and one.plugin.unskippable and {"headers", "message"} & set(hooks_of(one.plugin))
    }
    off = {
        f"{one.name}.mode": "off"
        for one in desk.registry
        if one.name not in asked and one.plugin.scope is not Scope.GATEWAY
    }

    def alone(rows: DomainRows) -> DomainRows:
        own = {local: {**values, **off} for local, values in rows.mailboxes.items()}
        return replace(rows, values={**rows.values, **off, "bypass": False}, mailboxes=own, entries=())

    try:
        raw = b"".join(desk.archive.blocks(kept.ref))
        mail = Mail(raw, kept.sender or "", (kept.recipient,), kept.ip or NOBODY, kept.helo, kept.time)
        (said,) = asyncio.run(_asked(desk, Overlay(desk.policy, kept.domain, alone), mail))
    except (OSError, PolicyUnavailable) as error:
        raise DeskError(f"{kept.ref} cannot be looked at: {error}") from error
    if said.fate == "accepted" or said.plugin not in asked:
        return None
    failed = any(step.check == said.plugin and step.result.startswith("failed") for step in said.steps)
    return Doubt(f"{said.plugin}: {said.reason}", answered=not failed)


async def _asked(desk: Desk, source: Overlay, mail: Mail) -> list[Answer]:
    async def verify(_policy: DomainPolicy, _address: Address, _client: str) -> str:
        return "yes"

    async with opened(desk) as memory:
        return await Trial(memory.stage(source, verify, desk.clock), mail).run()
