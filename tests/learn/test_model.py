"""The model learns, leans on a base, and is the same arithmetic to the last digit."""

from __future__ import annotations

import numpy as np
import pytest

from gatepost.learn.features import Features, unpack
from gatepost.learn.model import BASE_SLOTS, RIGHT, SLOTS, Half, Model, slots_of
from tests.learn.mails import ham, seen, spam


def trained(count: int = 40, base: list[Half] | None = None) -> Model:
    model = Model.empty(base)
    for number in range(count):
        model.train(spam(number), spam=True)
        model.train(ham(number), spam=False)
    return model


def test_it_learns() -> None:
    """Before: no opinion. After some of each: new ones of the kind are known, with a fitting probability."""
    assert 0.0 == Model.empty().score(spam(1)).total
    model = trained()
    bad, good = model.score(spam(99)), model.score(ham(99))
    assert bad.total > 2
    assert good.total < -2
    assert 0.85 < bad.probability <= 1
    assert 0 <= good.probability < 0.15


def test_size() -> None:
    """CONTRACT of the issue: at most 1 MB for a domain, 16 MB for the base."""
    tables = Model.empty().tables
    assert sum(table.weights.nbytes + table.steps.nbytes for table in tables) <= 1_000_000 - 4_096
    assert 3 * BASE_SLOTS * 2 <= 16_000_000


def test_training_says_what_it_thought_before() -> None:
    """The score from before the training, as `score` gives it."""
    model = trained(5)
    assert model.score(spam(7)).total == model.train(spam(7), spam=True).total


def test_the_same_trainings_the_same_bytes() -> None:
    """Undo by replay is exact, also from kept features, and other domains change nothing."""
    first, second, other = Model.empty(), Model.empty(), Model.empty()
    for number in range(30):
        for one, label in ((spam(number), True), (ham(number), False)):
            first.train(one, spam=label)
            other.train(one, spam=not label)
            second.train(unpack(one.pack()), spam=label)
    for a, b in zip(first.tables, second.tables, strict=True):
        assert a.weights.tobytes() == b.weights.tobytes()
        assert a.steps.tobytes() == b.steps.tobytes()
    assert first.join.tobytes() == second.join.tobytes()
    assert first.score(spam(99)).total == second.score(spam(99)).total
    assert other.score(spam(99)).total < 0


def test_a_correction_puts_it_right_at_once() -> None:
    """ "This is not spam": the very mail is on the right side afterwards."""
    model = trained()
    model.correct(spam(99), spam=False)
    assert model.score(spam(99)).total <= -RIGHT
    assert model.score(spam(5)).total > model.score(ham(5)).total


def test_a_base_helps_who_knows_nothing() -> None:
    """Half of what the base says counts, and a domain learns over it without changing it."""
    big = Model.empty(slots=BASE_SLOTS)
    for number in range(40):
        big.train(spam(number), spam=True)
        big.train(ham(number), spam=False)
    base = [table.weights for table in big.tables]
    before = [weights.tobytes() for weights in base]
    new = Model.empty(base)
    assert new.score(spam(99)).total > 0.5 > -0.5 > new.score(ham(99)).total
    for number in range(20):
        new.train(spam(number), spam=False)
    assert new.score(spam(99)).total < 0
    assert before == [weights.tobytes() for weights in base]


def test_weight_of_a_training() -> None:
    """A training of half the weight moves less."""
    whole, half = Model.empty(), Model.empty()
    whole.train(spam(1), spam=True)
    half.train(spam(1), spam=True, weight=0.25)
    assert whole.score(spam(1)).total > half.score(spam(1)).total > 0


@pytest.mark.parametrize("size", [1, 7, SLOTS, BASE_SLOTS])
def test_slots(size: int) -> None:
    """Every feature has a slot in a table of any size."""
    found = slots_of(np.array([0, 1, 2**24 - 1], np.uint32), size)
    assert [0, (1 * size) >> 24, size - 1] == found.tolist()


def test_nothing_to_see() -> None:
    """No features at all: no opinion, and a training of it harms nobody."""
    empty = np.zeros(0, np.uint32)
    nothing = Features((empty, empty, empty))
    model = trained(5)
    model.train(nothing, spam=True)
    assert abs(model.score(nothing).total) < 0.5
    assert model.score(seen("x")).total == model.score(seen("x")).total
