"""The outcome when the message is there: findings, lists, a proof where an entry hangs on it, bypass."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.message import Message
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Reject
from gatepost.plugin.judge import judge
from gatepost.policy.decide import Finding
from gatepost.policy.policy import Action, Mode
from gatepost.policy.resolve import resolve
from gatepost.policy.source import DomainRows, Everywhere

BAD = Finding("x", "message", Reject("bad"), Mode.ON, Action.REJECT)
ANN = parse_address("ann@example.org")


def judged(findings: list[Finding], *, hangs: bool = False, proven: bool = False, **values: Any) -> Any:
    """Judge one mail; returns the outcome and how often the message was read."""
    read: list[int] = []

    def whole() -> Message:
        read.append(1)
        return Message(b"Subject: x\r\n\r\n")

    async def proof(*_: Any) -> bool:
        return proven

    pipeline: Any = SimpleNamespace(
        unskippable=frozenset(),
        hangs_on_proof=lambda *_: hangs,
        proven=proof,
        past_own_lists=lambda _session, _transaction, _policy, _findings: [],
    )
    recipient = Recipient(ANN, ANN, findings=findings)
    recipient.policy = resolve(
        DomainRows("example.org", {"route": ["smtp://a:25"], **values}), Everywhere(), {}
    )
    session, transaction = Session("0", "192.0.2.7"), Transaction("0.1", None)
    outcome = asyncio.run(judge(pipeline, session, transaction, recipient, whole))
    return outcome, len(read)


@pytest.mark.parametrize(
    ("fate", "read", "findings", "more"),
    [
        ("accept", 0, [], {}),
        ("reject", 0, [BAD], {}),
        ("reject", 1, [BAD], {"hangs": True}),
        ("accept", 1, [BAD], {"hangs": True, "proven": True}),
        ("accept", 0, [BAD], {"bypass": True}),
    ],
)
def test_judged(fate: str, read: int, findings: list[Finding], more: dict[str, Any]) -> None:
    """The message is read for a proof and for nothing else."""
    outcome, times = judged(findings, **more)
    assert (fate, read) == (outcome.fate.value, times)
    assert ("bypass" in outcome.tags) == ("bypass" in more)
