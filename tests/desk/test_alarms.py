"""Alarms begin, go on and end; each is told, not more often than once in an hour, and told to be over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.desk import alarms
from gatepost.desk.alarms import HOUR, Alarm, Told, Trouble, due, follow, told

CLAMD = Trouble("scanner", "127.0.0.1:3310", "Connection refused", 100, 100)
KEY = CLAMD.key


def begun(trouble: Trouble = CLAMD) -> Alarm:
    """Return the alarm of a trouble."""
    (alarm,) = follow([], [trouble], {}, trouble.since + 60, 60)
    return alarm


def test_begins_when_it_lasts() -> None:
    """Trouble of a moment is no alarm; one that lasts is one, since it began."""
    assert [] == follow([], [CLAMD], {}, 159, 60)
    alarm = begun()
    assert (KEY, 100, True, 1) == (alarm.key, alarm.began, alarm.open, alarm.times)
    assert "The scanner 127.0.0.1:3310 is in trouble: Connection refused" == alarm.text
    assert [] == follow([alarm], [CLAMD], {}, 200, 60)
    later = replace(CLAMD, why="no answer", seen=300)
    (alarm,) = follow([alarm], [later], {}, 300, 60)
    assert ("no answer", 100, 1) == (alarm.why, alarm.began, alarm.times)


def test_ends() -> None:
    """When it was seen well since; not because nobody looked (a worker that just came), unless for a day."""
    alarm = begun()
    assert [] == follow([alarm], [], {}, 500, 60)
    assert [] == follow([alarm], [], {KEY: 90}, 500, 60)
    (ended,) = follow([alarm], [], {KEY: 400}, 500, 60)
    assert (500, False) == (ended.ended, ended.open)
    assert [] == follow([ended], [], {KEY: 400}, 600, 60)
    (unseen,) = follow([alarm], [], {}, 100 + alarms.UNSEEN + 1, 60)
    assert not unseen.open


def test_others_end_when_they_are_not_wrong() -> None:
    """A disk is looked at each time, so no trouble is the end."""
    alarm = begun(Trouble("disk", "/data", "1 GiB of 100 GiB are free", 0, 0))
    assert 60 == alarm.began
    (ended,) = follow([alarm], [], {}, 70, 60)
    assert not ended.open


def test_comes_again() -> None:
    """It is the same alarm; what was seen before its end does not begin it anew."""
    (ended,) = follow([begun()], [], {KEY: 400}, 500, 60)
    assert [] == follow([ended], [CLAMD], {}, 600, 60)
    (again,) = follow([ended], [replace(CLAMD, since=700, seen=700)], {}, 800, 60)
    assert (700, True, 2) == (again.began, again.open, again.times)


def test_told() -> None:
    """Once, then not for the time to repeat, then that it goes on; and once that it is over."""
    alarm, repeat = begun(), 6 * HOUR
    assert "begin" == due(alarm, "mail", 200, repeat)
    alarm = told(alarm, "mail", "begin", 200)
    assert ("", "begin") == (due(alarm, "mail", 300, repeat), due(alarm, "webhook", 300, repeat))
    assert ("", "again") == (
        due(alarm, "mail", 199 + repeat, repeat), due(alarm, "mail", 200 + repeat, repeat),
    )  # fmt: skip
    alarm = told(alarm, "mail", "again", 200 + repeat)
    assert "" == due(alarm, "mail", 300 + repeat, repeat)
    ended = replace(alarm, ended=400 + repeat)
    assert "over" == due(ended, "mail", 400 + repeat, repeat)
    assert "" == due(told(ended, "mail", "over", 401 + repeat), "mail", 500 + repeat, repeat)


@pytest.mark.parametrize("repeat", [1.0, HOUR, 6 * HOUR])
def test_not_more_often_than_hourly(repeat: float) -> None:
    """One that comes and goes each minute is told once in an hour, and each that was told is over once."""
    alarm, said = begun(), []
    for minute in range(4 * 60):
        now = 1000.0 + 60 * minute
        alarm = replace(alarm, ended=now if minute % 2 else 0.0)
        what = due(alarm, "mail", now, repeat)
        if what:
            said.append((minute, what))
            alarm = told(alarm, "mail", what, now)
    assert ["begin", "over"] * 4 == [what for _, what in said]
    assert [0, 60, 120, 180] == [minute for minute, what in said if what == "begin"]


def test_nobody_could_be_told() -> None:
    """It is told when it is over, while that is news; to who has no way yet nothing old is told."""
    ended = replace(begun(), ended=1000)
    assert "over" == due(ended, "mail", 2000, HOUR)
    assert "" == due(ended, "mail", 1000 + alarms.DAY, HOUR)
    assert "" == due(told(ended, "mail", "over", 2000), "mail", 2001, HOUR)


def test_owners() -> None:
    """Are told of their own back ends and held mail, without the others' names; never of the machine."""
    shared = Trouble("backend", "10.0.0.5:25", "refused", 0, 0, ("ann.example", "eve.example"))
    theirs = begun(shared).of({"eve.example", "none.example"})
    assert theirs is not None
    assert ("eve.example",) == theirs.domains
    held = begun(Trouble("held", "", "", 0, 0, ("ann.example", "eve.example"))).of({"ann.example"})
    assert held is not None
    assert "Mail is held and nobody gets the digest: ann.example" == held.text
    assert begun(shared).of({"other.example"}) is None
    assert begun(replace(CLAMD, domains=("ann.example",))).of({"ann.example"}) is None


def test_texts() -> None:
    """Each kind has one; a text names some domains, and how many more."""
    names = tuple(f"{n}.example" for n in range(8))
    for kind in alarms.SENTENCES:
        text = Alarm(kind, "NAME", "WHY", 0, 0, domains=names).text
        assert "WHY" in text or "0.example, 1.example, 2.example, 3.example, 4.example, +3" in text
    assert "a b" == alarms.shortened(" a\r\n b ")
    assert 300 == len(alarms.shortened("x" * 999))


def test_told_word() -> None:
    """That it is over keeps the moment from which the hour counts."""
    alarm = told(told(begun(), "mail", "begin", 200), "mail", "over", 900)
    assert {"mail": Told(200, "over")} == alarm.told
