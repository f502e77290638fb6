"""A server has settled when it does no more than when it idles."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bench import rounds
from bench.groups import Usage


class Stub:
    """A server that uses so much in each half second, and then as much as it said last."""

    settles_in = 0.0
    idles_at = 0.0

    def __init__(self) -> None:
        self.uses: list[float] = []
        self.total = 0.0
        self.looks = 0

    def running(self) -> Stub:
        return self

    def usage(self) -> Usage:
        self.looks += 1
        if self.looks % 2 == 0:
            self.total += self.uses.pop(0) if len(self.uses) > 1 else self.uses[0]
        return Usage(self.total, self.total, 0.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_settled(clock: list[float]) -> None:
    """At once under 2 % of a core; where idling needs more, when it is back at that; 20 s at most."""
    server: Any = Stub()
    server.uses = [0.4, 0.005]
    rounds.settle(server)
    assert 1.0 == clock[0]
    dear: Any = Stub()
    dear.uses = [0.4, 0.09, 0.08]
    rounds.settle(dear)
    assert 1.0 + rounds.FIRST_LOOK == clock[0]
    assert 0.08 == pytest.approx(dear.idles_at)
    dear.uses, before = [0.5, 0.3, 0.085], clock[0]
    rounds.settle(dear)
    assert 1.5 == clock[0] - before
    dear.uses, before = [0.5], clock[0]
    rounds.settle(dear)
    assert 20.0 == clock[0] - before
