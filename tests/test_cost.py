"""What is too slow is found, and what was slow once is not."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.cost import ROUNDS, TRIES, assert_cheap, assert_dearer_by, assert_linear, quickest

Spend = Callable[..., None]


@pytest.fixture
def spend(monkeypatch: pytest.MonkeyPatch) -> Spend:
    """CPU time that passes only when it is spent: the power of a size, in the noise."""
    spent = [0.0]
    monkeypatch.setattr(time, "process_time", lambda: spent[0])

    def more(size: float, power: float = 1.0, noise: Iterator[float] | None = None) -> None:
        spent[0] += (next(noise) if noise else 1.0) * size**power

    return more


def noisy(tries: int) -> Iterator[float]:
    """Noise in so many measurements, and then none."""
    yield from [50.0] * tries
    while True:
        yield 1.0


def test_a_limit(spend: Spend) -> None:
    """One try within the limit is enough, and the last; the limit itself is too much."""
    assert_cheap(1.1, spend, 1, noise=noisy(TRIES - 1))
    with pytest.raises(AssertionError, match=r"50\.000000 s of CPU at best, 1\.1 s is the limit"):
        assert_cheap(1.1, spend, 1, noise=noisy(TRIES))
    with pytest.raises(AssertionError):
        assert_cheap(1, spend, 1)


def test_the_first_within_its_limit_is_the_last() -> None:
    """What is good costs the tests no more than once; what is not, so many times."""
    costs = iter(range(9, -9, -1))
    assert 6 == quickest(7, lambda: next(costs), float)
    assert 5 == next(costs)
    assert 5 - TRIES == quickest(-9, lambda: next(costs), float)


@pytest.mark.parametrize("times", [2, 4, 8])
def test_growth(spend: Spend, times: int) -> None:
    """n and n log n are linear, n^1.6 and n^2 are not; noise changes neither."""
    for power, noise in ((1.0, 2), (1.2, 2 * (TRIES - 1))):
        assert_linear(lambda n: n, partial(spend, power=power, noise=noisy(noise)), 100, times=times)
    for power, noise in ((1.6, 0), (2.0, 1)):
        with pytest.raises(AssertionError, match="of CPU: over"):
            assert_linear(lambda n: n, partial(spend, power=power, noise=noisy(noise)), 100, times=times)


def test_each_try_has_its_own(spend: Spend) -> None:
    """What is worked on is made for each try, and not used up by the one before."""
    made: list[list[int]] = []

    def make(n: int) -> list[int]:
        made.append([n])
        return made[-1]

    assert_linear(make, lambda given: spend(given.pop()), 100)
    assert [[]] * 2 * ROUNDS == made


def test_the_floor() -> None:
    """It is added, so that what costs nothing may cost twice nothing; it hides nothing that is dear."""
    assert_dearer_by(1.0, lambda: 0.0, lambda: 0.009, floor=0.01)
    with pytest.raises(AssertionError):
        assert_dearer_by(1.0, lambda: 1.0, lambda: 1.01, floor=0.01)
