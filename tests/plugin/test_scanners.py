# ruff: noqa: E501
"""Several addresses of one scanner: the first that works is asked, a dead one is left alone for a while."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from gatepost.plugin.outside import OutsideError
from gatepost.plugin.scanners import LONGEST, REST, Breaker, ScannerAddress
from gatepost.plugin.tools import CannotAnswer
from gatepost.telemetry.conditions import HERE, SCANNER


class Scanners:
    """Addresses that work or not, and who was asked."""

    def __init__(self, **how: Any) -> None:
        self.how = how
        self.asked: list[str] = []
        self.alerts: list[str] = []
        self.breaker = Breaker()

    async def _question(self, address: str) -> str:
        self.asked.append(address)
        what = self.how[address]
        if what == "slow":
            await asyncio.sleep(5)
        if isinstance(what, Exception):
            raise what
        return str(what)

    def ask(self, now: float = 0.0) -> str:
        self.asked = []
        return asyncio.run(self.breaker.ask(list(self.how), self._question, now, 0.05, self.alerts.append))


@pytest.mark.parametrize(
    "fault", [OSError(111, "refused"), OutsideError("nonsense"), ValueError("x"), "slow",
              asyncio.IncompleteReadError(b"", 1)], ids=str
)  # fmt: skip
def test_the_next_is_asked(fault: object) -> None:
    """The one that failed is left alone, told once, tried again later, and told when it is back."""
    scanners = Scanners(a=fault, b="fine")
    assert "fine" == scanners.ask()
    assert ["a", "b"] == scanners.asked
    assert "fine" == scanners.ask(REST - 1)
    assert ["b"] == scanners.asked
    assert 1 == len(scanners.alerts)
    scanners.how["a"] = "back"
    assert "back" == scanners.ask(REST + 1)
    assert "a answers again" == scanners.alerts[-1]


def test_none_left() -> None:
    """The check cannot answer, and says why of each; the one that rests the shortest is tried all the same."""
    scanners = Scanners(a=OSError("down"), b=OSError("gone"))
    with pytest.raises(CannotAnswer, match="a: down; b: gone"):
        scanners.ask()
    with pytest.raises(CannotAnswer, match="a: down"):
        scanners.ask(1)
    assert ["a"] == scanners.asked
    scanners.how["b"] = "back"
    assert "back" == scanners.ask(2)


def test_condition() -> None:
    """Whether each address answers is known to the alarms."""
    HERE.reset()
    scanners = Scanners(a=OSError("down"), b="fine")
    scanners.ask(5)
    assert [(SCANNER, "a", "down"), (SCANNER, "b", "")] == [(c.kind, c.name, c.why) for c in HERE.all()]
    scanners.how["a"] = "back"
    scanners.ask(5 + REST)
    assert ["", ""] == [one.why for one in HERE.all()]


def test_rest_grows_and_ends() -> None:
    """Who stays dead is asked ever less often, but at least every five minutes."""
    scanners = Scanners(a=OSError("down"), b="fine")
    now, tried = 0.0, []
    while now < 3_000:
        scanners.ask(now)
        if "a" in scanners.asked:
            tried.append(now)
        now += 5
    gaps = [later - earlier for earlier, later in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert REST <= gaps[0] < gaps[-1] <= LONGEST + 5


@pytest.mark.parametrize("text", ["unix:/run/x", "127.0.0.1:3310", "[::1]:783", "clamd.example:1"])
def test_addresses(text: str) -> None:
    """Sockets and ports."""
    assert text == TypeAdapter(ScannerAddress).validate_python(text)


@pytest.mark.parametrize("text", ["", "3310", "unix:relative", "host:", "host:0", "host:99999", "http://x"])
def test_no_addresses(text: str) -> None:
    """What is none is said to be none."""
    with pytest.raises(ValidationError, match="neither"):
        TypeAdapter(ScannerAddress).validate_python(text)
