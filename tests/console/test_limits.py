"""Strangers are counted by network, windows end by themselves, and what is remembered is bounded."""

from gatepost.console import limits
from gatepost.console.limits import Limits
from tests.console.house import House


class Clock:
    """A clock that the test turns."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_window() -> None:
    """So many in a window, and then the rest of it has to be waited for; each thing and network alone."""
    clock = Clock()
    counted = Limits(clock)
    for _ in range(3):
        assert 0 == counted.wait("x", "192.0.2.1", 3, 60)
        counted.count("x", "192.0.2.1", 60)
        clock.now += 10
    assert 30 == counted.wait("x", "192.0.2.1", 3, 60)
    assert [0, 0] == [counted.wait("y", "192.0.2.1", 3, 60), counted.wait("x", "192.0.2.2", 3, 60)]
    clock.now += 30
    assert 0 == counted.wait("x", "192.0.2.1", 3, 60)
    counted.count("x", "192.0.2.1", 60)
    clock.now -= 500
    assert 0 == counted.wait("x", "192.0.2.1", 1, 60), "a clock that was set back shuts nobody out"


def test_bounded() -> None:
    """However many networks come, so many are remembered."""
    counted = Limits(Clock())
    for n in range(limits.MOST_KNOWN + 50):
        counted.count("x", str(n), 60)
    assert limits.MOST_KNOWN == len(counted._counts)
    assert 0 == counted.wait("x", "0", 1, 60)
    assert 60 == counted.wait("x", str(limits.MOST_KNOWN), 1, 60)


def test_answer(house: House) -> None:
    """429 with the seconds to wait."""
    browser = house.browser()
    answers = [browser.get("/digest/x") for _ in range(31)]
    assert [404] * 30 + [429] == [one.status_code for one in answers]
    assert "900" < answers[-1].headers["retry-after"] <= "901"
    assert "Too many tries" in answers[-1].text
