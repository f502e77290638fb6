"""What was told before the message came is told again for a copy that outlived its session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Reject
from gatepost.plugin.base import Plugin, Scope
from gatepost.plugin.pipeline import Pipeline
from gatepost.plugin.recall import recall
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import CannotAnswer, Tools
from gatepost.policy.policy import Mode
from gatepost.policy.resolve import resolve
from gatepost.policy.source import DomainRows, Everywhere

ANN = parse_address("ann@example.org")
CAME = 1_000.0


@dataclass(frozen=True)
class Seen:
    """A fact."""

    at: float


class Teller(Plugin):
    """Tells at each hook before the message, and says no."""

    default_mode = Mode.ON
    tells = (Seen,)

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None

    def helo(self, _ctx: Any) -> Reject:
        """Speak at HELO."""
        self.asked.append("helo")
        return Reject("no")

    async def mail(self, ctx: Any) -> Reject:
        """Speak at MAIL."""
        self.asked.append("mail")
        if self.error is not None:
            raise self.error
        ctx.tell(Seen(ctx.now))
        return Reject("no")

    def message(self, _ctx: Any) -> None:
        """Say nothing of the message."""
        self.asked.append("message")


class Silent(Plugin):
    """Tells nothing."""

    default_mode = Mode.ON
    scope = Scope.RECIPIENT

    def __init__(self) -> None:
        self.asked: list[str] = []

    def rcpt(self, _ctx: Any) -> None:
        """Count, as a check of the rate does."""
        self.asked.append("rcpt")


def recalled(*, exempt: bool = False, error: Exception | None = None) -> tuple[Any, Teller, Silent, Any]:
    """Recall for one copy; returns the findings, the checks and the transaction."""
    teller, silent = Teller(), Silent()
    teller.error = error
    registry = Registry([("teller", teller, "test", ""), ("silent", silent, "test", "")])
    pipeline = Pipeline(registry, Tools(), lambda: CAME + 400_000)
    recipient = Recipient(ANN, ANN, exempt=exempt)
    rows = DomainRows("example.org", {"route": ["smtp://a:25"], "teller.on_failure": "defer"})
    recipient.policy = resolve(rows, Everywhere(), registry.defaults())
    transaction = Transaction("0.1", None, CAME)
    found = asyncio.run(recall(pipeline, Session("0", "192.0.2.7"), transaction, recipient))
    return found, teller, silent, transaction


def test_facts_only() -> None:
    """Who tells is asked, as of when the mail came; what he says is not heard twice, nobody else is asked."""
    found, teller, silent, transaction = recalled()
    assert ([], ["helo", "mail"], []) == (found, teller.asked, silent.asked)
    assert Seen(CAME) in transaction.answers.values()


@pytest.mark.parametrize("error", [CannotAnswer("dead"), RuntimeError("a bug")])
def test_no_answer_is_no_fact(error: Exception) -> None:
    """Who cannot tell now: the copy waits for him, where the domain says so."""
    (found,), *_ = recalled(error=error)
    assert ("teller", "mail", True) == (found.plugin, found.hook, bool(found.failure))
    assert type(found.verdict).__name__ == "Defer"


def test_exempt() -> None:
    """Nobody was asked for postmaster."""
    found, teller, _, _ = recalled(exempt=True)
    assert ([], []) == (found, teller.asked)
