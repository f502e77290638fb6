"""Alarms outlive the process, are shown to who may see them, and are forgotten in the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.desk import alarm_book, alarms, domains, left_behind
from gatepost.desk.alarm_book import forget_old, remember, remembered, shown, way_fails, ways_that_fail
from gatepost.desk.alarms import Alarm, Told
from gatepost.desk.desk import Desk
from tests.desk.conftest import NOW

CLAMD = Alarm("scanner", "127.0.0.1:3310", "refused", NOW - 60, NOW, told={"mail": Told(NOW, "begin")})
SERVER = Alarm("backend", "10.0.0.5:25", "refused", NOW - 90, NOW, domains=("ann.example", "eve.example"))


def test_remembered(desk: Desk) -> None:
    """As it was; a later word about the same takes its place; those that go on stand first."""
    remember(desk, CLAMD)
    assert [CLAMD] == remembered(desk)
    ended = replace(CLAMD, ended=NOW + 5, times=3)
    remember(desk, ended)
    remember(desk, SERVER)
    assert [SERVER, ended] == remembered(desk)


def test_shown(desk: Desk) -> None:
    """To administrators all; to others what is theirs, as far as it is theirs; ended ones when asked for."""
    remember(desk, CLAMD)
    remember(desk, SERVER)
    assert [CLAMD, SERVER] == shown(desk, None)
    (theirs,) = shown(desk, {"eve.example"})
    assert ("10.0.0.5:25", ("eve.example",)) == (theirs.name, theirs.domains)
    assert [] == shown(desk, {"other.example"})
    assert [] == shown(desk, set())
    remember(desk, replace(SERVER, ended=NOW))
    assert ([], 1) == (shown(desk, {"eve.example"}), len(shown(desk, {"eve.example"}, ended=True)))


def test_of_a_former_owner(desk: Desk) -> None:
    """Who has a name now does not hear of the back end that another one had."""
    remember(desk, SERVER)
    remember(desk, replace(SERVER, name="10.0.0.6:25", ended=NOW))
    for name in SERVER.domains:
        domains.add(desk, name, ["maildir:///nowhere/%u"])
    domains.remove(desk, "eve.example")
    left_behind.forget(desk, "eve.example")
    domains.add(desk, "eve.example", ["maildir:///nowhere/%u"])
    assert [] == shown(desk, {"eve.example"}, ended=True)
    assert 2 == len(shown(desk, {"ann.example"}, ended=True))
    remember(desk, replace(SERVER, seen=NOW + 5))
    assert 1 == len(shown(desk, {"eve.example"}))


def test_forgotten(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A month after the end; one that goes on never; the oldest ends where there are too many."""
    remember(desk, CLAMD)
    remember(desk, replace(SERVER, ended=NOW))
    forget_old(desk, NOW + alarms.FORGOTTEN - 1)
    assert 2 == len(remembered(desk))
    forget_old(desk, NOW + alarms.FORGOTTEN + 1)
    assert [CLAMD] == remembered(desk)
    for n in range(4):
        remember(desk, replace(SERVER, name=str(n), ended=NOW + n))
    monkeypatch.setattr(alarm_book, "MOST", 3)
    forget_old(desk, NOW + 10)
    assert ["127.0.0.1:3310", "3", "2"] == [one.name for one in remembered(desk)]


def test_ways(desk: Desk) -> None:
    """That nothing gets out on a way is known until something does."""
    way_fails(desk, "mail", "refused")
    assert {"mail": "refused"} == ways_that_fail(desk)
    way_fails(desk, "mail", "")
    assert {} == ways_that_fail(desk)
