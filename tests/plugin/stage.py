"""What the tests of this room share: plugins made in one line, a clock, and a stage to put them on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from gatepost.mail.address import parse_address
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.plugin.base import Plugin
from gatepost.plugin.bench import Bench, Case
from gatepost.policy.decide import Finding
from gatepost.policy.policy import DomainPolicy, Mode


def make_plugin(class_name: str = "Probe", /, **words: Any) -> type[Plugin]:
    """Return a plugin class with these hooks and words; on by default."""
    members: dict[str, Any] = {"__doc__": "Made for a test.", "default_mode": Mode.ON, **words}
    return type(class_name, (Plugin,), members)


def on(bench: Bench, domain: str = "example.org", **words: Any) -> DomainPolicy:
    """Return a policy of a domain with every plugin as its author made it."""
    return bench.policy(domain, words.pop("switches", None), **words)


def ask(bench: Bench, policy: DomainPolicy | None = None, case: Case | None = None) -> list[Finding]:
    """Return what the checks say at RCPT."""
    return asyncio.run(bench.ask(policy or bench.policy(), case))


class Mail:
    """One session and one transaction, asked about one recipient after the other."""

    def __init__(self, bench: Bench, case: Case | None = None) -> None:
        self.bench = bench
        self.case = case or Case()
        self.session: Session = self.case.session()
        self.transaction: Transaction = self.case.transaction()

    def rcpt(self, policy: DomainPolicy, local: str = "ann") -> list[Finding]:
        """Ask about a recipient of the policy's domain; it is a failure of the test when something waits."""
        address = parse_address(f"{local}@{policy.domain}")
        recipient = Recipient(address, address, policy=policy)
        answer = self.bench.pipeline.run_recipient(
            self.session, self.transaction, recipient, policy, self.case.row
        )
        assert isinstance(answer, list)
        self.transaction.recipients.append(recipient)
        return answer

    def again(self) -> None:
        """Begin another transaction in the same session."""
        self.transaction = self.case.transaction()


def counting(answer: Any = None) -> tuple[Callable[..., Any], list[Any]]:
    """Return a hook that gives one answer, and the list that grows by each asking."""
    asked: list[Any] = []

    def hook(_self: Any, ctx: Any) -> Any:
        asked.append(ctx)
        return answer

    return hook, asked
