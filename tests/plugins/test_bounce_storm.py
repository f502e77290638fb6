"""Twenty bounces in ten minutes close an address to bounces, for a while, and for nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.message import Message
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Reject, Score
from gatepost.plugin import BatvTag, Context, Mode, Plugin, PluginSettings, Scope
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.tools import Tools
from gatepost.plugins.bounce_storm import BounceStorm
from gatepost.policy.policy import DomainPolicy
from gatepost.store.memory import MemoryRecords, MemoryState

BOUNCE = b"Subject: Undelivered Mail Returned to Sender\r\n\r\n"
CHALLENGE = b"Auto-Submitted: auto-replied\r\nSubject: Please confirm your message\r\n\r\n"
PLAIN = b"Subject: lunch\r\n\r\n"
MINUTE = 60.0


class Tags(Plugin):
    """Stands in for `bounce`: who begins with `b` was named with a valid tag, with `c` with a bad one."""

    scope = Scope.RECIPIENT
    default_mode = Mode.ON
    tells = (BatvTag,)

    def rcpt(self, ctx: Context[PluginSettings]) -> None:
        first = ctx.recipient.local[0] if ctx.recipient else ""
        if first in "bc":
            ctx.tell(BatvTag(first == "b", "for a test"))


class House:
    """A gateway in small: one clock, one state, mails one by one."""

    def __init__(self, **settings: Any) -> None:
        self.now = 1_795_000_000.0
        self.state = MemoryState(lambda: self.now)
        self.records = MemoryRecords()
        self.alerts: list[str] = []
        self.settings = settings

    def policy(self, bench: Bench, domain: str = "example.org") -> DomainPolicy:
        return bench.policy(domain, {"bounce_storm": {"mode": "on", **self.settings}})

    def bench(self) -> Bench:
        tools = Tools(
            state=self.state, records=self.records, alert=lambda _plugin, text: self.alerts.append(text)
        )
        return Bench([BounceStorm, Tags], tools, lambda: self.now)

    def mail(self, to: str = "ann@example.org", sender: str = "", head: bytes = BOUNCE) -> str:
        """Send one mail; return where it was refused, `rcpt` or `headers`, or ``."""
        return asyncio.run(self._mail(to, sender, head))

    async def _mail(self, to: str, sender: str, head: bytes | None) -> str:
        bench = self.bench()
        case = Case(sender=sender, recipient=to)
        policy = self.policy(bench, to.partition("@")[2])
        session, transaction = case.session(), case.transaction()
        findings = await bench.ask(policy, case, session, transaction)
        assert [] == [f.failure for f in findings if f.failure]
        refused = [f.verdict for f in findings if isinstance(f.verdict, Reject)]
        if refused:
            assert refused[0].at_once
            return "rcpt"
        if head is None:
            return ""
        recipient = Recipient(parse_address(to), parse_address(to), policy=policy)
        (said,) = await bench.pipeline.run_message(session, transaction, [recipient], Message(head))
        assert [] == [f.failure for f in said if f.failure]
        self.said = [f.verdict for f in said if f.verdict is not None]
        return "headers" if any(isinstance(v, Reject) for v in self.said) else ""

    def storm(self, number: int = 20, **words: Any) -> list[str]:
        return [self.mail(**words) for _ in range(number)]


def test_row_7_4_20_bounces_to_one_address_in_ten_minutes() -> None:
    """systems-before 7.4: twenty bounces pass, then the address is closed to bounces and to nothing else."""
    house = House()
    assert [""] * 20 == house.storm()
    assert [Score(0, "20 bounces within 10 minutes: the address is closed to bounces for 60 minutes")] == (
        house.said
    )
    assert "rcpt" == house.mail()
    assert "" == house.mail(sender="bob@example.net", head=PLAIN)
    assert "" == house.mail(to="dan@example.org")
    assert "" == house.mail(to="ann@example.net")
    assert 1 == len(house.alerts)


def test_slow_bounces_are_no_storm() -> None:
    """A bounce a minute closes nothing, however long it goes on."""
    house = House()
    for _ in range(100):
        assert "" == house.mail()
        house.now += MINUTE


def test_opens_by_itself() -> None:
    """When the time is over the address is open, that is told, and it takes another storm to close it."""
    house = House(closed_minutes=5)
    house.storm()
    house.now += 4 * MINUTE
    assert "rcpt" == house.mail()
    house.now += 2 * MINUTE
    assert [""] * 19 == house.storm(19)
    assert "ann@example.org is open to bounces again" == house.alerts[1]
    assert ["", "rcpt"] == house.storm(2)


def test_stays_closed_while_the_storm_goes_on() -> None:
    """As many as make a storm, refused in the second half of the time, keep it closed; fewer do not."""
    house = House()
    house.storm()
    for _ in range(30):
        house.now += 4 * MINUTE
        assert {"rcpt"} == set(house.storm(10))
    house.now += 30 * MINUTE
    assert "rcpt" == house.mail()
    house.now += 30 * MINUTE
    assert "" == house.mail()


def test_challenges() -> None:
    """Challenges come with a real sender: counted as bounces, and refused while the address is closed."""
    house = House()
    assert [""] * 20 == house.storm(sender="bob@example.net", head=CHALLENGE)
    assert "rcpt" == house.mail()
    assert "headers" == house.mail(sender="bob@example.net", head=CHALLENGE)
    away = b"Auto-Submitted: auto-replied\r\nSubject: away\r\n\r\n"
    assert "" == house.mail(sender="bob@example.net", head=away)


def test_close_all() -> None:
    """As an option all mail is refused at RCPT."""
    house = House(close="all")
    house.storm()
    assert "rcpt" == house.mail(sender="bob@example.net", head=PLAIN)
    assert "closed to all mail" in house.alerts[0]


def test_valid_batv_bounces_pass() -> None:
    """A bounce with a valid tag answers our own mail: not counted, not refused; a bad tag is no tag."""
    house = House(bounces=2)
    assert [""] * 10 == house.storm(10, to="bob@example.org")
    assert ["", "", "rcpt"] == house.storm(3, to="cat@example.org")


@pytest.mark.parametrize("never", ["ann", "Ann@example.org"])
def test_exceptions(never: str) -> None:
    """An address that is named is never closed."""
    house = House(never=[never])
    assert {""} == set(house.storm(50))


def test_callouts_are_no_bounces() -> None:
    """Who asks at RCPT and leaves has sent no bounce: another server that looks whether you exist."""
    house = House()
    for _ in range(50):
        assert "" == asyncio.run(house._mail("ann@example.org", "", None))
    assert "" == house.mail()


def test_two_domains_never_share_a_count() -> None:
    """The same local part of another domain has its own storm."""
    house = House()
    house.storm(19)
    house.storm(19, to="ann@example.net")
    assert [] == house.alerts


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a catch-all domain's closed addresses only the last are remembered for people."""
    monkeypatch.setattr("gatepost.plugins.bounce_storm.MAX_KEPT", 3)
    house = House(bounces=1)
    for n in range(6):
        house.now += 1
        house.mail(to=f"x{n}@example.org")
    kept = asyncio.run(house.records.list("example.org", "bounce_storm"))
    assert ["closed x3", "closed x4", "closed x5"] == [key for key, _ in kept]
    assert "rcpt" == house.mail(to="x0@example.org")


def test_damaged_state_closes_nothing() -> None:
    """What cannot be read is forgotten."""
    house = House()
    place = "bounce_storm\x1fexample.org\x1fclosed ann"
    asyncio.run(house.state.put("bounce_storm\x1fexample.org\x1fany closed", b"1", 600))
    asyncio.run(house.state.put(place, b"[1,", 600))
    assert "" == house.mail()
