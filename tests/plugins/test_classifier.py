"""The classifier gives points by what a domain taught, says why, and nothing before it was taught enough."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.message import Message, find_border
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import AddHeader, Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.learning import models_in
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.plugins.classifier import Settings
from gatepost.policy.decide import Finding
from gatepost.store.trainings import Training
from tests.learn import mails

REGISTRY = load(entries=False)


def spam_mail(number: int) -> bytes:
    one = mails.message(
        f"Cheap pills number {number}, buy now at http://pills{number}.example/", f"Offer {number}!"
    )
    assert one.body is not None
    return one.body


def ham_mail(number: int) -> bytes:
    one = mails.message(f"The meeting of project {number} is moved to Monday. Ann", f"Re: meeting {number}")
    assert one.body is not None
    return one.body


class House:
    """Domains with the check on, and their models."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.models = models_in(folder)
        self.bench = Bench(REGISTRY, Tools(models=self.models))
        self.settings = {"mode": "on", "least": 5, **settings}

    def teach(self, count: int, domain: str = "example.org", *, upside_down: bool = False) -> None:
        """Teach as many of each."""
        from gatepost.learn.features import features

        with self.models().trainings(domain) as held:
            for number in range(count):
                for raw, spam in ((spam_mail(number), True), (ham_mail(number), False)):
                    message = Message(raw[: find_border(raw)], raw)
                    training = Training(spam != upside_down, "ann", float(number), f"{spam}{number}")
                    held.train([(training, features(message, self.models().seed))])

    def ask(self, raw: bytes, domains: tuple[str, ...] = ("example.org",)) -> list[Finding]:
        """Return what the check finds for each domain."""
        return asyncio.run(self._ask(raw, domains))

    async def _ask(self, raw: bytes, domains: tuple[str, ...]) -> list[Finding]:
        case = Case()
        session, transaction = case.session(), case.transaction()
        for domain in domains:
            address = parse_address(f"ann@{domain}")
            policy = self.bench.policy(domain, {"classifier": self.settings})
            transaction.recipients.append(Recipient(address, address, policy=policy))
        message = Message(raw[: find_border(raw)], raw)
        answers = await self.bench.pipeline.run_message(session, transaction, transaction.recipients, message)
        return [
            f
            for found in answers
            for f in found
            if f.plugin == "classifier" and not isinstance(f.verdict, AddHeader)
        ]

    def points(self, raw: bytes, domain: str = "example.org") -> float:
        """Return the points of a mail."""
        (finding,) = self.ask(raw, (domain,))
        assert isinstance(finding.verdict, Score), finding
        return finding.verdict.points


def test_learnt(tmp_path: Path) -> None:
    """Spam like that which was taught gets points, mail like the wanted one gets some off."""
    house = House(tmp_path)
    house.teach(30)
    assert 5.0 == house.points(spam_mail(99))
    assert -1.0 == house.points(ham_mail(99))
    assert 0.0 == house.points(b"Subject: x\r\n\r\nsomething else\r\n")


def test_each_domain_its_own(tmp_path: Path) -> None:
    """What is spam for one is wanted by another, in one mail for both."""
    house = House(tmp_path)
    house.teach(30)
    house.teach(30, "other.example", upside_down=True)
    first, second = house.ask(spam_mail(99), ("example.org", "other.example"))
    assert isinstance(first.verdict, Score)
    assert isinstance(second.verdict, Score)
    assert (5.0, -1.0) == (first.verdict.points, second.verdict.points)


def test_too_little_taught(tmp_path: Path) -> None:
    """It says what it would say, and gives no points."""
    house = House(tmp_path, least=31)
    house.teach(30)
    (finding,) = house.ask(spam_mail(99))
    assert isinstance(finding.verdict, Score)
    assert 0.0 == finding.verdict.points
    assert finding.verdict.reason.startswith("still learning (30 spam and 30 wanted of 31 each): spam +")


def test_nothing_taught(tmp_path: Path) -> None:
    """No model, no opinion, no file made."""
    house = House(tmp_path)
    assert 0.0 == house.points(spam_mail(1))
    assert not (tmp_path / "learn" / "domains").exists()


def test_it_says_why(tmp_path: Path) -> None:
    """The score in parts and the strongest words, for the message page."""
    house = House(tmp_path)
    house.teach(30)
    (finding,) = house.ask(spam_mail(99))
    assert isinstance(finding.verdict, Score)
    assert "raw bytes +" in finding.verdict.reason
    assert "b:" in finding.verdict.reason


@pytest.mark.parametrize(("header", "count"), [(True, 1), (False, 0)])
def test_header(tmp_path: Path, header: bool, count: int) -> None:
    """What it thought stands in the mail where the domain wants it."""
    house = House(tmp_path, header=header)
    house.teach(30)
    case = Case()
    policy = house.bench.policy("example.org", {"classifier": house.settings})
    address = parse_address("ann@example.org")
    recipient = Recipient(address, address, policy=policy)
    raw = spam_mail(99)

    async def run() -> list[Finding]:
        message = Message(raw[: find_border(raw)], raw)
        transaction = case.transaction()
        transaction.recipients.append(recipient)
        (found,) = await house.bench.pipeline.run_message(case.session(), transaction, [recipient], message)
        return found

    added = [f.verdict for f in asyncio.run(run()) if isinstance(f.verdict, AddHeader)]
    assert count == len(added)
    for one in added:
        assert one.name == "X-Gatepost-Classifier"
        assert one.value.startswith("spam; log-odds=+")
        assert one.value.endswith("learnt=30/30")


def test_settings_in_order() -> None:
    """What looks like spam cannot be more than what is spam."""
    with pytest.raises(ValueError, match="likely_at"):
        Settings(likely_at=5, spam_at=3)
