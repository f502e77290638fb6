"""Mails from senders that are proved or not, put through the real pipeline."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from gatepost.dns.zone import Zone
from gatepost.mail.address import parse_address
from gatepost.mail.session import Session
from gatepost.mail.transaction import Recipient, Transaction
from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.bench import Bench
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.decide import Finding, Outcome, decide_message
from gatepost.policy.policy import DomainPolicy
from tests.auth.mails import parsed, zone


@dataclass
class World:
    """A client, what DNS knows, and the switches of example.org."""

    records: tuple[str, ...] = ()
    switches: dict[str, dict[str, Any]] = field(default_factory=dict)
    client: str = "192.0.2.1"
    helo: str = "mail.example.net"
    sender: str = "ann@example.net"
    tools: Tools = field(default_factory=Tools)
    dns: Zone | None = None

    def judge(self, raw: bytes | None = None, domains: tuple[str, ...] = ("example.org",)) -> Judged:
        """Put one mail through; without `raw` only as far as RCPT."""
        return asyncio.run(self.ask(raw, domains))

    async def ask(self, raw: bytes | None, domains: tuple[str, ...] = ("example.org",)) -> Judged:
        """The same inside a loop."""
        self.dns = self.dns or zone(*self.records)
        self.tools.dns = self.dns
        self.tools.hostname = "mx.example.org"
        bench = Bench(load(entries=False), self.tools)
        session = Session("S1", self.client, helo=self.helo, esmtp=True)
        transaction = Transaction("S1.1", parse_address(self.sender) if self.sender else None)
        recipients = []
        policies: list[DomainPolicy] = []
        early: list[Finding] = []
        for domain in domains:
            switches = {name: {"mode": "off"} for name in bench.registry._by_name} | {
                name: {"mode": "on", **own} for name, own in self.switches.items()
            }
            policies.append(bench.policy(domain, switches))
            address = parse_address(f"bob@{domain}")
            recipients.append(Recipient(address, address, policy=policies[-1]))
            transaction.recipients.append(recipients[-1])
            answers = bench.pipeline.run_recipient(session, transaction, recipients[-1], policies[-1])
            early = answers if isinstance(answers, list) else await answers
        late: list[Finding] = []
        if raw is not None:
            late = (await bench.pipeline.run_message(session, transaction, recipients, parsed(raw)))[-1]
        outcome = decide_message(policies[-1], early + late, None)
        if raw is not None:
            done = bench.pipeline.run_done(session, transaction, recipients[-1], outcome)
            if done is not None:
                await done
        return Judged(early, late, outcome, transaction)


@dataclass
class Judged:
    """What the checks said, and what became of it."""

    early: list[Finding]
    late: list[Finding]
    outcome: Outcome
    transaction: Transaction

    def said(self, plugin: str) -> list[str]:
        """Return verdicts of one check as short words: `reject 5.7.23`, `score 2`, `defer 4.4.3`."""
        return [
            _short(f) for f in (*self.early, *self.late) if f.plugin == plugin and (f.verdict or f.failure)
        ]

    def reasons(self, plugin: str) -> str:
        """Return all that one check gave as its reasons."""
        verdicts = [f.verdict for f in (*self.early, *self.late) if f.plugin == plugin]
        return "; ".join(v.reason for v in verdicts if isinstance(v, Reject | Defer | Score))


def _short(finding: Finding) -> str:
    verdict = finding.verdict
    if finding.failure:
        return f"failure {finding.failure}"
    if isinstance(verdict, Reject | Defer):
        return f"{type(verdict).__name__.lower()} {verdict.enhanced}"
    if isinstance(verdict, Score):
        return f"score {verdict.points:g}"
    return type(verdict).__name__.lower()
