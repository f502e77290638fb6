"""Silence teaches little, late, within bounds, and only where somebody could have spoken."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gatepost.desk import archive, domains, silence, training
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.silence import Agreed, look
from gatepost.desk.training import Lesson
from gatepost.learn.features import features
from gatepost.mail.message import Message, find_border
from gatepost.mail.stamp import key_of
from gatepost.spool.index import Kept
from gatepost.store.delivered import DAY, Delivered, Record
from tests.desk.conftest import NOW, Clock
from tests.plugins.test_classifier import ham_mail, spam_mail

DOMAIN = "example.org"
CAME = NOW - 5 * DAY
DAY_OF_IT = time.strftime("%Y-%m-%d", time.gmtime(CAME))


def parsed(raw: bytes) -> Message:
    return Message(raw[: find_border(raw)], raw)


def deliver(desk: Desk, raw: bytes, n: int, *, at: float = CAME, to: str = "", tagged: bool = False) -> None:
    """Let a mail have been delivered some days ago."""
    message = parsed(raw)
    record = Record(f"ID{n}.1", at, (to or f"p{n}@example.org",), key_of(message), tagged)
    kept = Delivered(desk.data_dir / "learn", f"t{n}")
    kept.add(DOMAIN, record, features(message, desk.models.seed).pack())


def refuse(desk: Desk, clock: Clock, raw: bytes, n: int, plugin: str = "dnsbl", held: bool = False) -> Kept:
    """Let a mail have been refused some days ago."""
    now, clock.now = clock.now, CAME
    item = Kept(
        f"IDR{n}.1",
        CAME,
        "x@bad.example",
        f"r{n}@example.org",
        DOMAIN,
        plugin=plugin,
        held=held,
        size=len(raw),
    )
    ref = desk.archive.keep(item, [raw])
    clock.now = now
    return desk.archive.get(ref) or item


def set_up(desk: Desk, **settings: Any) -> None:
    """Switch on, learn from all, and teach enough of both."""
    values = {"classifier.mode": "on", "classifier.least": 2, "training.silence": 1.0}
    domains.set_values(desk, DOMAIN, values | {f"training.{key}": value for key, value in settings.items()})
    for n in range(2):
        training.train(desk, DOMAIN, [Lesson(spam_mail(n))], spam=True)
        training.train(desk, DOMAIN, [Lesson(ham_mail(n))], spam=False)


def test_one_domain_in_trouble(desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others learn all the same, and what is wrong is told with the domain's name."""
    set_up(desk)
    domains.add(desk, "a.example", ["smtp://192.0.2.5"])
    Delivered(desk.data_dir / "learn", "t").add("a.example", Record("ID1.1", CAME, (), "k"), b"")
    deliver(desk, ham_mail(50), 1)

    def broken(asked: Desk, domain: str, policy: Any, real: Any = silence._due) -> Any:
        if domain == "a.example":
            raise OSError(5, "Input/output error")
        return real(asked, domain, policy)

    monkeypatch.setattr(silence, "_due", broken)
    for _ in range(14):
        with pytest.raises(OSError, match=r"a\.example: Input/output error"):
            look(desk)
    assert [("ID1.1", False, 0.2)] == taught(desk)


def test_given_away_meanwhile(desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name goes to nobody else while silence teaches; who is removed before teaches nothing."""
    set_up(desk)
    deliver(desk, ham_mail(50), 1)
    monkeypatch.setattr("gatepost.desk.left_behind.PATIENCE", 0.0)
    real = silence._agree

    def given_away(*given: Any) -> Any:
        domains.remove(desk, DOMAIN)
        with pytest.raises(DeskError, match="try again"):
            domains.add(desk, DOMAIN, ["maildir:///nowhere"], anew=True)
        return real(*given)

    monkeypatch.setattr(silence, "_agree", given_away)
    assert 1 == len(look(desk))
    domains.add(desk, DOMAIN, ["maildir:///nowhere"], anew=True)
    assert desk.models.of(DOMAIN) is None

    def removed(*given: Any, due: Any = silence._due) -> Any:
        found = due(*given)
        domains.remove(desk, DOMAIN)
        return found

    set_up(desk)
    deliver(desk, ham_mail(50), 1)
    monkeypatch.setattr(silence, "_due", removed)
    assert [] == look(desk)


def all_days(desk: Desk) -> list[Agreed]:
    """Look until nothing is due; return what was learnt of."""
    found = []
    while done := look(desk):
        found += done
    return [one for one in found if one.wanted or one.spam]


def taught(desk: Desk) -> list[tuple[str, bool, float]]:
    """Return what silence taught."""
    return [(t.what, t.spam, t.weight) for t in training.log(desk, DOMAIN) if t.how == silence.BY]


def test_what_nobody_objected_to(desk: Desk, clock: Clock) -> None:
    """Delivered is wanted, refused by a list and not released is spam: once, with little weight."""
    set_up(desk)
    deliver(desk, ham_mail(50), 1)
    refuse(desk, clock, spam_mail(60), 2)
    assert [Agreed(DAY_OF_IT, 1, 1)] == all_days(desk)
    assert {("ID1.1", False, 0.2), ("IDR2.1", True, 0.2)} == set(taught(desk))
    assert (2, 2) == training.counts(desk, DOMAIN), "nobody taught it"
    assert [] == look(desk)
    assert 2 == len(training.undo(desk, DOMAIN, by=silence.BY))
    (desk.models.of_domain(DOMAIN) / silence.DONE).unlink()
    assert [] == all_days(desk), "what was taken back is not learnt again"


def test_what_somebody_spoke_of(desk: Desk, clock: Clock) -> None:
    """Marked, tagged, released, refused by the classifier or the points: that is no agreement."""
    set_up(desk)
    deliver(desk, spam_mail(0), 1)  # taught as spam
    deliver(desk, ham_mail(51), 2, tagged=True)
    for n, plugin in enumerate(("classifier", "score", "recipients", "relay")):
        refuse(desk, clock, spam_mail(70 + n), n, plugin)
    archive.release(desk, refuse(desk, clock, spam_mail(80), 9))
    archive.delete(desk, refuse(desk, clock, spam_mail(81), 10))
    refuse(desk, clock, spam_mail(82) + b"x" * silence.MAX_SIZE, 11)
    assert [] == all_days(desk)


@pytest.mark.parametrize(
    "settings", [{"silence": 0.0}, {"mode": "off"}, {"silence_days": 12}], ids=["none", "off", "later"]
)
def test_not_where_nobody_wants_it(desk: Desk, settings: dict[str, Any]) -> None:
    """Switched off, or the time to object is not over."""
    set_up(desk, **settings)
    deliver(desk, ham_mail(50), 1)
    assert [] == all_days(desk)


def test_not_where_too_little_was_taught(desk: Desk) -> None:
    """Of either kind: silence never makes up the minimum."""
    set_up(desk)
    domains.set_values(desk, DOMAIN, {"classifier.least": 3})
    deliver(desk, ham_mail(50), 1)
    assert [] == look(desk)


def test_not_where_nobody_speaks(desk: Desk, clock: Clock) -> None:
    """Nobody taught anything for a month: nobody can be said to watch."""
    deliver(desk, ham_mail(50), 1)
    clock.now -= 40 * DAY
    set_up(desk)
    clock.now += 40 * DAY
    assert [] == all_days(desk)
    training.train(desk, DOMAIN, [Lesson(spam_mail(9))], spam=True)
    (desk.models.of_domain(DOMAIN) / silence.DONE).unlink()
    assert 1 == len(all_days(desk))


def test_bounds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """So much for a person and a domain, each day; one mail to many is one."""
    monkeypatch.setattr(silence, "A_DOMAIN", 7)
    set_up(desk)
    for n in range(10):
        deliver(desk, ham_mail(100 + n), n, to="Ann@example.org" if n % 2 else "ann@example.org")
    deliver(desk, ham_mail(200), 50)
    deliver(desk, ham_mail(200), 51)
    for n in range(20):
        deliver(desk, ham_mail(300 + n), 60 + n, at=CAME + DAY)
    counts = [silence.A_PERSON + 1, silence.A_DOMAIN]
    assert counts == [one.wanted for one in all_days(desk)]


def test_a_sample(desk: Desk) -> None:
    """About the share that is set, and the same mails each time."""
    ids = [f"ID{n}.1" for n in range(2_000)]
    chosen = [one for one in ids if silence._sampled(desk, one, 0.1)]
    assert 140 < len(chosen) < 260
    assert chosen == [one for one in ids if silence._sampled(desk, one, 0.1)]
    assert not any(silence._sampled(desk, one, 0.0) for one in ids)
    assert all(silence._sampled(desk, one, 1.0) for one in ids)


def test_a_domain_that_is_gone(desk: Desk) -> None:
    """What is left of it teaches nobody."""
    Delivered(desk.data_dir / "learn", "t").add("gone.example", Record("ID1.1", CAME, ("x",), "k"), b"")
    assert [] == look(desk)


def test_not_all_at_once(desk: Desk) -> None:
    """So many domains in one look."""
    set_up(desk)
    deliver(desk, ham_mail(50), 1)
    assert [] == look(desk, 0)
