"""Is a kept mail malware? Asked before anybody releases it: nothing filters it again behind that.

A mail that an early check refused was kept without anybody looking into it, so that nobody knows. Only the
checks that no allow entry leads past are asked (viruses), and only those that the domain has on. Where
they were not asked, whatever the cause, nobody knows: only their own answer says that nothing is found.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from gatepost.desk.check import opened
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.replay import Overlay
from gatepost.desk.trial import AT_DATA, NOBODY, Answer, Mail, Trial
from gatepost.mail.address import Address, parse_address
from gatepost.plugin.base import Scope
from gatepost.plugin.hooks import hooks_of
from gatepost.policy.policy import DomainPolicy, Mode
from gatepost.policy.snapshot import PolicyUnavailable, Snapshot
from gatepost.policy.source import DomainRows
from gatepost.policy.training import whose
from gatepost.spool.index import Kept

MODE = ".mode"


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
        doubt = _doubt(said, asked)
        if doubt is None or not doubt.answered:
            doubt = _not_there(desk, kept) or doubt
    except (OSError, PolicyUnavailable) as error:
        raise DeskError(f"{kept.ref} cannot be looked at: {error}") from error
    return doubt


def _doubt(said: Answer, asked: set[str]) -> Doubt | None:
    if said.fate == "accepted" and said.at == AT_DATA:
        unasked = [name for name in said.unasked if name in asked]
        return Doubt(f"{', '.join(unasked)}: not asked", answered=False) if unasked else None
    failed = any(step.check == said.plugin and step.result.startswith("failed") for step in said.steps)
    # Points are theirs alone: nobody else was asked.
    answered = said.plugin in asked or (said.plugin == "score" and said.at == AT_DATA)
    return Doubt(f"{said.plugin}: {said.reason}", answered=answered and not failed)


def _not_there(desk: Desk, kept: Kept) -> Doubt | None:
    """Return a doubt where the domain has a check on that may be such a one, and that nobody can ask.

    It did not load, or its file is gone: then only the settings know of it.
    """
    snapshot = Snapshot(desk.policy.version(), desk.policy, desk.registry.defaults())
    final, policy = whose(snapshot, parse_address(kept.recipient))
    plugins = policy.for_mailbox(final.key[0]).plugins if policy is not None else {}
    for one in desk.registry:
        broken = one.error and one.may_be_unskippable
        if broken and one.name in plugins and plugins[one.name].mode is Mode.ON:
            return Doubt(f"{one.name}: did not load: {one.error}", answered=False)
    rows = desk.policy.domain(final.domain)
    if rows is None:
        return None
    mailbox = rows.mailboxes.get(final.key[0], {})
    for key, value in sorted({**desk.policy.everywhere().values, **rows.values, **mailbox}.items()):
        name = key.removesuffix(MODE)
        if key.endswith(MODE) and value == Mode.ON and name not in desk.registry:
            return Doubt(f"{name}: the plugin is not there", answered=False)
    return None


async def _asked(desk: Desk, source: Overlay, mail: Mail) -> list[Answer]:
    async def verify(_policy: DomainPolicy, _address: Address, _client: str) -> str:
        return "yes"

    async with opened(desk) as memory:
        # How often its client comes now is nothing against a mail that is here.
        return await Trial(memory.stage(source, verify, desk.clock), mail, gateway=False).run()
