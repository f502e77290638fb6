"""What became of earlier mail gives points; what cannot be forged is remembered, and forgotten in time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.auth import facts
from gatepost.dns.zone import Zone
from gatepost.mail.verdict import Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.plugins.reputation import points_of
from gatepost.policy.decide import Fate, Outcome
from gatepost.store.memory import MemoryState

REGISTRY = load(entries=False)
CLIENT, OTHER = "198.51.100.7", "203.0.113.9"
DNS = "proven.example TXT v=spf1 ip4:198.51.100.7 ip4:203.0.113.9 -all"
WANTED, UNWANTED = Outcome(Fate.ACCEPT), Outcome(Fate.REJECT, "dnsbl", code=550, enhanced="5.7.1")
UNKNOWN = Outcome(Fate.REJECT, "recipients", code=550, enhanced="5.1.1")


class House:
    """One domain with the check on, and a clock that the test turns."""

    def __init__(self, **settings: Any) -> None:
        self.now = 1_795_000_000.0
        self.state = MemoryState(lambda: self.now)
        self.bench = Bench(REGISTRY, Tools(dns=Zone(DNS), state=self.state), lambda: self.now)
        self.policy = self.bench.policy("example.org", {"reputation": {"mode": "on", **settings}})

    def mail(
        self, outcome: Outcome | None = None, client: str = CLIENT, sender: str = "eve@other.example"
    ) -> float | None:
        """Return the points of a mail, None for no opinion; then its fate is told."""
        return asyncio.run(self._mail(Case(client=client, sender=sender), outcome))

    async def _mail(self, case: Case, outcome: Outcome | None) -> float | None:
        session, transaction = case.session(), case.transaction()
        findings = await self.bench.ask(self.policy, case, session, transaction)
        (finding,) = [f for f in findings if f.plugin == "reputation"]
        assert "" == finding.failure
        if outcome is not None:
            later = self.bench.pipeline.run_done(session, transaction, transaction.recipients[0], outcome)
            if later is not None:
                await later
        assert finding.verdict is None or isinstance(finding.verdict, Score)
        return finding.verdict.points if finding.verdict is not None else None

    def past(self, outcome: Outcome, times: int = 10, **words: Any) -> None:
        """Give a client or a domain a past."""
        for _ in range(times):
            self.mail(outcome, **words)


def test_bad_past() -> None:
    """Ten refused mails: the eleventh begins with three points, and another client's does not."""
    house = House()
    house.past(UNWANTED, 9)
    assert house.mail(UNWANTED) is None
    assert 3.0 == house.mail()
    assert house.mail(client=OTHER) is None


def test_good_past() -> None:
    """Whose mail was always wanted is believed a little more."""
    house = House()
    house.past(WANTED)
    assert -1.0 == house.mail()


def test_half_and_half() -> None:
    """A large provider that sends both is neither."""
    house = House()
    house.past(WANTED, 5)
    house.past(UNWANTED, 5)
    assert 0.0 == house.mail()


def test_proven_domain() -> None:
    """A domain that SPF proves takes its past with it to another address; one that is only said does not."""
    house = House()
    house.past(UNWANTED, sender="eve@proven.example")
    assert 3.0 == house.mail(client=OTHER, sender="eve@proven.example")
    assert house.mail(client="192.0.2.99", sender="eve@proven.example") is None
    assert house.mail(client=OTHER) is None
    off = House(domains=False)
    off.past(UNWANTED, sender="eve@proven.example")
    assert off.mail(client=OTHER, sender="eve@proven.example") is None


def test_time_passes() -> None:
    """After two windows nothing is left of the past."""
    house = House(days=1)
    house.past(UNWANTED)
    assert 3.0 == house.mail()
    house.now += 2 * 86_400
    assert house.mail() is None


def test_what_counts() -> None:
    """Mail to nobody counts unless the owner thinks otherwise; deferrals, forms and back ends do not."""
    house = House()
    house.past(UNKNOWN)
    assert 3.0 == house.mail()
    mild = House(unknown_recipients=False)
    mild.past(UNKNOWN)
    assert mild.mail() is None
    for other in (
        Outcome(Fate.DEFER, "greylist", code=451, enhanced="4.7.1"),
        Outcome(Fate.REJECT, "smtp", code=552, enhanced="5.3.4"),
        Outcome(Fate.TAKE, "training"),
    ):
        house = House()
        house.past(other)
        assert house.mail() is None, other


def test_own_points_are_no_reason() -> None:
    """A refusal by points that would not have been one without its own changes nothing."""
    by_points = Outcome(Fate.REJECT, "score", code=550, enhanced="5.7.1", score=16.0)
    house = House()
    house.past(UNWANTED)
    before = dict(house.state._counts)
    assert 3.0 == house.mail(by_points)
    assert {k: n for k, n in house.state._counts.items() if n} == {k: n for k, n in before.items() if n}
    house.mail(Outcome(Fate.REJECT, "score", code=550, enhanced="5.7.1", score=30.0))
    assert 11 == max(house.state._counts.values())


def test_dkim_domain() -> None:
    """A signing domain is looked up when the message has come, and each domain once."""
    plan = House().bench.pipeline.plan(House().policy)
    assert "reputation" not in {s.plugin.name for group in plan.content for s in group}
    house = House()
    policy = house.bench.policy("example.org", {"reputation": {"mode": "on"}, "dkim": {"mode": "on"}})
    steps = [s for group in house.bench.pipeline.plan(policy).content for s in group]
    assert "message" in {s.hook for s in steps if s.plugin.name == "reputation"}
    names = [s.plugin.name for s in steps]
    assert names.index("dkim") < names.index("reputation")
    assert ("b.example",) == facts.Dkim("pass", (facts.Signature("pass", "b.example"),)).passed()


@pytest.mark.parametrize(
    ("good", "bad", "points"),
    [(0, 10, 3.0), (10, 0, -1.0), (5, 5, 0.0), (1, 3, 1.5), (3, 1, -0.5), (0, 0, 0.0)],
)
def test_points(good: int, bad: int, points: float) -> None:
    """Between the best and the worst in a straight line, with nothing in the middle."""
    assert points == points_of(good, bad, -1.0, 3.0)
