"""What people teach: counted once, taken back exactly, bounded by day and person."""

from __future__ import annotations

import pytest

from gatepost.desk import domains, training
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.training import Lesson, counts, log, make_base, train, undo
from gatepost.learn.features import features
from gatepost.spool.index import Kept
from tests.desk.conftest import Clock
from tests.learn.mails import message
from tests.plugins.test_classifier import ham_mail, spam_mail


def teach(desk: Desk, count: int, how: str = training.COMMAND_LINE) -> None:
    for number in range(count):
        train(desk, "example.org", [Lesson(spam_mail(number))], spam=True, how=how)
        train(desk, "example.org", [Lesson(ham_mail(number))], spam=False, how=how)


def score(desk: Desk, raw: bytes) -> float:
    one = message("x")
    one = type(one)(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", raw)
    return desk.models.score("example.org", features(one, desk.models.seed))[0].total


def test_train(desk: Desk) -> None:
    """Counted, known again, and in the log with what was thought before."""
    assert (0, 0) == counts(desk, "example.org")
    assert [] == log(desk, "example.org")
    teach(desk, 20)
    assert (20, 20) == counts(desk, "example.org")
    assert score(desk, spam_mail(99)) > 1 > -1 > score(desk, ham_mail(99))
    again = train(desk, "example.org", [Lesson(spam_mail(1)), Lesson(spam_mail(50))], spam=True)
    assert (1, 1) == (len(again.learnt), again.already)
    newest = log(desk, "example.org", 3)
    assert [41, 40, 39] == [t.seq for t in newest]
    assert newest[0].before > 0
    assert newest[0].by == desk.by


def test_undo_by_number_person_and_day(desk: Desk, clock: Clock) -> None:
    """The score is what it was before."""
    teach(desk, 10)
    before = score(desk, spam_mail(99))
    desk.by = "mallory"
    clock.now += 86_400
    train(desk, "example.org", [Lesson(spam_mail(n)) for n in range(100, 105)], spam=False)
    assert score(desk, spam_mail(99)) != before
    assert 5 == len(undo(desk, "example.org", by="mallory"))
    assert score(desk, spam_mail(99)) == before
    assert [] == undo(desk, "example.org", by="mallory")
    (last,) = undo(desk, "example.org", [20])
    assert (20, True) == (last.seq, last.undone)
    with pytest.raises(DeskError, match="none of this number"):
        undo(desk, "example.org", [99])


def test_bounded_by_day_and_person(desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stolen account does bounded harm; the next day there is room again; the command line has no bound."""
    monkeypatch.setattr("gatepost.store.trainings.A_DAY", 4)
    teach(desk, 2, "console")
    with pytest.raises(DeskError, match="4 is the most"):
        train(desk, "example.org", [Lesson(spam_mail(50))], spam=True, how="console")
    train(desk, "example.org", [Lesson(spam_mail(51))], spam=True)
    clock.now += 86_401
    train(desk, "example.org", [Lesson(spam_mail(50))], spam=True, how="console")


def test_kept_mail(desk: Desk) -> None:
    """A correction puts the very mail on the right side."""
    teach(desk, 20)
    kept = Kept("A.1", desk.clock(), "eve@x.example", "ann@example.org", "example.org", size=10)
    ref = desk.archive.keep(kept, [spam_mail(99)])
    copies = desk.archive.find("A.1")
    assert [ref] == [one.ref for one in copies]
    assert score(desk, spam_mail(99)) > 0
    done = training.train_kept(desk, copies, spam=False, how="console")
    assert ["A.1"] == [t.what for t in done.learnt]
    assert score(desk, spam_mail(99)) <= -1


def test_base(desk: Desk) -> None:
    """Of domains that are named, and hosted here."""
    teach(desk, 5)
    assert (1, 10) == make_base(desk, ["example.org"])
    with pytest.raises(DeskError, match="not hosted"):
        make_base(desk, ["nowhere.example"])


def test_unknown_domain(desk: Desk) -> None:
    """Nobody teaches a domain that is not here."""
    with pytest.raises(DeskError, match="not hosted"):
        train(desk, "nowhere.example", [Lesson(b"x")], spam=True)


def test_who_taught_how_much(desk: Desk, clock: Clock) -> None:
    """By day and person, newest first; what was taken back does not count; older ones page by page."""
    teach(desk, 2)
    clock.now += 86_400
    desk.by = "bob"
    teach(desk, 3)
    undo(desk, "example.org", [1])
    found = training.days(desk, "example.org")
    assert [("bob", 1, 1), ("ann", 1, 2)] == [(one.by, one.spam, one.ham) for one in found]
    assert [one.day for one in found] == sorted((one.day for one in found), reverse=True)
    assert 1 == len(training.days(desk, "example.org", 1))
    assert [4, 3] == [one.seq for one in log(desk, "example.org", 2, before=5)]


def test_standing(desk: Desk) -> None:
    """What the classifier may do: nothing, look, or give points."""
    domains.set_values(desk, "example.org", {"classifier.least": 3})
    assert (("off", 0, 0, 3), (3, 3), False) == as_tuple(training.standing(desk, "example.org"))
    teach(desk, 2)
    domains.set_values(desk, "example.org", {"classifier.mode": "on"})
    assert (("on", 2, 2, 3), (1, 1), False) == as_tuple(training.standing(desk, "example.org"))
    train(desk, "example.org", [Lesson(spam_mail(9))], spam=True)
    train(desk, "example.org", [Lesson(ham_mail(9))], spam=False)
    assert (("on", 3, 3, 3), (0, 0), True) == as_tuple(training.standing(desk, "example.org"))


def as_tuple(one: training.Standing) -> tuple[tuple[str, int, int, int], tuple[int, int], bool]:
    return (one.mode, one.spam, one.ham, one.least), one.missing, one.gives_points


def test_in_whose_name(desk: Desk) -> None:
    """A program passes on whose opinion it is, as long as that is somebody of the domain."""
    who = training.mailbox(desk, "example.org", "Bob@Example.org")
    train(desk, "example.org", [Lesson(spam_mail(1))], spam=True, how="api", by=who)
    assert ["bob@example.org"] == [one.by for one in log(desk, "example.org")]
    for wrong in ("bob@example.net", "bob"):
        with pytest.raises(DeskError):
            training.mailbox(desk, "example.org", wrong)


def test_as_it_came_to_our_door(desk: Desk) -> None:
    """A mail out of a mailbox is the same mail as before: what was put on top of it is gone."""
    raw = b"Message-ID: <1@x>\r\n" + spam_mail(1)
    ours = b"Return-Path: <x@y>\r\nReceived: from a\r\n\tby mx.example.org (Gatepost) with ESMTP; now\r\n"
    train(desk, "example.org", [Lesson(raw)], spam=True)
    first = score(desk, spam_mail(2))
    undo(desk, "example.org", [1])
    stored = (ours + b"X-Gatepost-Classifier: wanted\r\n" + raw).replace(b"\r\n", b"\n")
    train(desk, "example.org", [Lesson(stored)], spam=True)
    assert first == score(desk, spam_mail(2))


def test_other_filters_are_taught_later(desk: Desk) -> None:
    """Once for what was learnt, in the domains that asked for it."""
    teach(desk, 1)
    assert [] == training.waiting(desk, "example.org")
    settings = {
        "spamassassin.mode": "on",
        "spamassassin.learn": True,
        "rspamd.mode": "watch",
        "rspamd.learn": True,
    }
    domains.set_values(desk, "example.org", settings)
    for _ in range(2):
        train(desk, "example.org", [Lesson(spam_mail(7))], spam=True)
    found = training.waiting(desk, "example.org")
    assert {("spamassassin", 1), ("rspamd", 1)} == {(one.plugin, one.waiting) for one in found}
    (path, _) = desk.errands.paths()
    assert (desk.errands.read(path) or (None, b""))[1] == spam_mail(7)
