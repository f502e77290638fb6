"""What was told before the message came is told again for a copy that outlived its session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.message import Message
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Reject, Rewrite
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


class AtAccept:
    """A fact about the client."""


class AtMail:
    """A fact about the sender."""


class Renamed:
    """A fact about a recipient."""


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


class Machine(Plugin):
    """A check of the whole machine that tells."""

    default_mode = Mode.ON
    scope = Scope.GATEWAY
    tells = (AtAccept, AtMail)

    def connect(self, ctx: Any) -> None:
        """Speak at accept."""
        ctx.tell(AtAccept())

    def mail(self, ctx: Any) -> Reject:
        """Speak at MAIL."""
        ctx.tell(AtMail())
        return Reject("never heard again")


class Addresses(Plugin):
    """Says that somebody is really another, and tells so."""

    default_mode = Mode.ON
    scope = Scope.RECIPIENT
    tells = (Renamed,)

    def address(self, ctx: Any) -> Rewrite:
        """Speak before the recipient is known."""
        ctx.tell(Renamed())
        return Rewrite("other@example.org")


class Reader(Plugin):
    """Reads all of that, early and late."""

    default_mode = Mode.ON
    scope = Scope.RECIPIENT
    needs = (AtAccept, AtMail, Renamed)
    unskippable = True

    def message(self, ctx: Any) -> Any:
        """Say what is missing."""
        missing = [kind.__name__ for kind in self.needs if ctx.fact(kind) is None]
        return Reject(", ".join(missing)) if missing else None


@pytest.mark.parametrize("exempt", [False, True])
def test_the_machines_own_and_who_is_meant(exempt: bool) -> None:
    """What the machine's own checks told, and who says who is meant, counts too; nobody is meant anew."""
    named = [("machine", Machine()), ("addresses", Addresses()), ("reader", Reader())]
    registry = Registry([(name, plugin, "test", "") for name, plugin in named])
    pipeline = Pipeline(registry, Tools(), lambda: CAME)
    recipient = Recipient(ANN, ANN, exempt=exempt)
    recipient.policy = resolve(
        DomainRows("example.org", {"route": ["smtp://a:25"]}), Everywhere(), registry.defaults()
    )
    session, transaction = Session("0", "192.0.2.7"), Transaction("0.1", None, CAME)
    assert [] == asyncio.run(recall(pipeline, session, transaction, recipient))
    assert ANN == recipient.final
    (found,) = asyncio.run(pipeline.run_message(session, transaction, [recipient], Message(b"\r\n", b"\r\n")))
    assert [] == [one.verdict for one in found if one.verdict is not None]
    assert AtAccept in session.answers


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
