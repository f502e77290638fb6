"""A message that kills who reads it is put off once, then set aside unread; nobody else's mail is touched."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.fingerprint import fingerprint
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Defer, Reject
from gatepost.plugin.base import Cost
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.deadly import NAME, Deadly
from gatepost.plugin.tools import Killed, Tools, WorkerError
from gatepost.policy.decide import Fate, Finding, Outcome, decide_message
from gatepost.policy.lists import Entry
from gatepost.server.hands import BYTES, Hands
from gatepost.store.deaths import CHECK, KEPT, WORKER, Death, Deaths
from tests.plugin.stage import make_plugin

NOW = 1_700_000_000.0
KILLER = Message(b"Subject: bomb\r\n\r\n", b"Subject: bomb\r\n\r\nboom\r\n")
OTHER = Message(b"Subject: hello\r\n\r\n", b"Subject: hello\r\n\r\nhello\r\n")
ON, WATCH = {"mode": "on"}, {"mode": "watch"}


async def reads(_self: Any, ctx: Any) -> None:
    await ctx.in_worker(len, ctx.message.body)


class House:
    """Checks that read in processes of their own, and what kills those."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.now = NOW
        self.alerts: list[str] = []
        self.killed = Killed("the process died")
        self.asked = 0
        self.hands = Hands(memoryview(bytearray(BYTES)))
        tools = Tools(
            in_worker=self.in_worker,
            deaths=Deaths(folder / "deaths"),
            hands=self.hands,
            alert=lambda plugin, text: self.alerts.append(f"{plugin}: {text}"),
        )
        checks = [make_plugin(name, message=reads, cost=Cost.CPU) for name in names or ("Reader",)]
        self.bench = Bench(checks, tools, lambda: self.now)

    async def in_worker(self, _function: Any, body: bytes, **_: Any) -> int:
        self.asked += 1
        assert self.hands.all()
        if b"boom" in body:
            raise self.killed
        return len(body)

    def send(self, message: Message, *settings: dict[str, Any], entry: Entry | None = None) -> list[Outcome]:
        """Let a message come to a mailbox of each of some domains."""
        self.now += 300
        policies = [
            self.bench.policy(f"d{n}.example", {k: v for k, v in one.items() if k != "poison"})
            for n, one in enumerate(settings or ({},))
        ]
        mail, case = self.bench.pipeline, Case()
        recipients = [
            Recipient(address, address, policy=policy)
            for policy in policies
            if (address := parse_address(f"ann@{policy.domain}"))
        ]
        transaction = case.transaction()
        found = asyncio.run(mail.run_message(case.session(), transaction, recipients, message))
        assert [] == self.hands.all()
        assert 0 == transaction.hand
        self.findings: list[list[Finding]] = found
        return [
            decide_message(policy, findings, entry, unskippable=mail.unskippable)
            for policy, findings in zip(policies, found, strict=True)
        ]

    def fates(self, message: Message, *settings: dict[str, Any]) -> list[Fate]:
        return [outcome.fate for outcome in self.send(message, *settings)]


def test_put_off_then_set_aside(tmp_path: Path) -> None:
    """The first time the sender waits; from the second on it is held, and from the third not even read."""
    house = House(tmp_path)
    (first,) = house.send(KILLER)
    assert (Fate.DEFER, NAME, 451) == (first.fate, first.plugin, first.code)
    assert "reader: the process died" in first.reason
    (second,) = house.send(KILLER)
    assert (Fate.QUARANTINE, NAME, 2) == (second.fate, second.plugin, house.asked)
    assert "killed 2 processes of ours, the last one of reader: the process died" == second.reason
    assert [Fate.QUARANTINE] == house.fates(KILLER)
    assert 2 == house.asked
    assert ["poison: "] * 2 == [alert[:8] for alert in house.alerts]
    assert "to ann@d0.example is set aside: killed 2" in house.alerts[0]
    assert [Fate.ACCEPT] == house.fates(OTHER)


def test_also_of_another_process(tmp_path: Path) -> None:
    """Known again by whoever gets it next, and after a restart; forgotten after a week."""
    House(tmp_path).send(KILLER)
    again = House(tmp_path)
    again.now += 1
    assert [Fate.QUARANTINE] == again.fates(KILLER)
    again.now += KEPT
    assert [Fate.DEFER] == again.fates(KILLER)


def test_late(tmp_path: Path) -> None:
    """What only took too long: the first time the check's `on_failure` decides; it is counted."""
    for on_failure, fate in (("pass", Fate.ACCEPT), ("defer", Fate.DEFER)):
        house = House(tmp_path / on_failure)
        house.killed = Killed("reader took more than 10 s", late=True)
        settings = {"reader": {"on_failure": on_failure}}
        assert [fate, Fate.QUARANTINE] == house.fates(KILLER, settings) + house.fates(KILLER, settings)


def test_an_error_is_no_death(tmp_path: Path) -> None:
    """A check that only raises, or finds all processes busy, says nothing against the message."""
    house = House(tmp_path)
    house.killed = WorkerError("ValueError: no")  # type: ignore[assignment]
    assert [Fate.ACCEPT] * 3 == [house.fates(KILLER)[0] for _ in range(3)]
    assert [] == house.alerts


def test_one_domain_never_touches_another(tmp_path: Path) -> None:
    """Only who asks the check that died waits or loses it; who only watches goes on."""
    house = House(tmp_path, "Reader", "Second")
    first = {"reader": ON, "second": {"mode": "off"}}
    second = {"reader": {"mode": "off"}, "second": ON}
    neither = {"reader": {"mode": "off"}, "second": {"mode": "off"}}
    watching = {"reader": WATCH, "second": {"mode": "off"}}
    assert [Fate.DEFER, Fate.ACCEPT, Fate.ACCEPT] == house.fates(KILLER, first, neither, watching)
    assert [Fate.QUARANTINE, Fate.DEFER, Fate.ACCEPT] == house.fates(KILLER, first, second, watching)
    assert [Fate.QUARANTINE, Fate.QUARANTINE] == house.fates(KILLER, first, second)
    assert [Fate.ACCEPT, Fate.ACCEPT] == house.fates(KILLER, neither, watching)


def test_two_checks_of_one_mail(tmp_path: Path) -> None:
    """Two that die of one coming are one time: the sender has not been told yet."""
    house = House(tmp_path, "Reader", "Second")
    assert [Fate.DEFER] == house.fates(KILLER)
    assert 2 == house.asked
    assert [Fate.QUARANTINE] == house.fates(KILLER)


@pytest.mark.parametrize(("plugin", "fates"), [("", "qq"), ("reader", "qa"), ("gone", "aa")])
def test_worker_that_died(tmp_path: Path, plugin: str, fates: str) -> None:
    """What the parent wrote down counts like it: for all checks where it knows none."""
    house = House(tmp_path, "Reader", "Second")
    deaths = Deaths(tmp_path / "deaths")
    for when in (NOW, NOW + 1):
        deaths.add(fingerprint(OTHER), Death(when, WORKER, plugin, "w0 ended with status -11"))
    with_reader, without = {"second": {"mode": "off"}}, {"reader": {"mode": "off"}}
    assert fates == "".join(one.value[0] for one in house.fates(OTHER, with_reader, without))


def test_nothing_leads_past(tmp_path: Path) -> None:
    """Nobody has read it, a virus scanner neither: an allow entry does not deliver it."""
    house = House(tmp_path)
    house.send(KILLER)
    (outcome,) = house.send(KILLER, {}, entry=Entry(1, "allow", "ip", "192.0.2.1"))
    assert (Fate.QUARANTINE, NAME) == (outcome.fate, outcome.plugin)


def test_refused_where_a_domain_says_so(tmp_path: Path) -> None:
    """`poison=reject` makes 5xx of it, never of the first time."""
    from dataclasses import replace

    house = House(tmp_path)
    policy = replace(house.bench.policy("d.example"), poison="reject")
    address = parse_address("ann@d.example")
    said = []
    for _ in range(2):
        house.now += 300
        transaction = Case().transaction()
        recipient = Recipient(address, address, policy=policy)
        run = house.bench.pipeline.run_message(Case().session(), transaction, [recipient], KILLER)
        ((finding,),) = [[f for f in found if f.plugin == NAME] for found in asyncio.run(run)]
        said.append((type(finding.verdict), decide_message(policy, [finding], None).code))
    assert [(Defer, 451), (Reject, 554)] == said


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """A death that cannot be written down counts for this mail, and is told."""
    house = House(tmp_path)
    (tmp_path / "deaths").write_text("in the way")
    house.bench.tools.deaths.of = lambda *_: []
    assert [Fate.DEFER] == house.fates(KILLER)
    assert "cannot be written down" in house.alerts[0]


def test_deaths_that_cannot_be_read(tmp_path: Path) -> None:
    """Good mail does not wait for them: nothing is known against it, and the administrator is told."""
    house = House(tmp_path)
    (tmp_path / "deaths").write_text("in the way")
    assert [Fate.ACCEPT] == house.fates(OTHER)
    assert "cannot be read" in house.alerts[0]


def test_without_the_house() -> None:
    """At the command line nothing is remembered."""
    deadly = Deadly(Tools(), lambda: NOW)

    async def ask(recipients: Any) -> list[list[Finding]]:
        return [[] for _ in recipients]

    assert [[]] == asyncio.run(deadly.ask(Case().transaction(), KILLER, [None], [[]], ask))  # type: ignore[list-item]
    assert CHECK != WORKER
