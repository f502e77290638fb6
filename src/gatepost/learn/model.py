"""The model: three online logistic regressions, one for each view, joined by a fourth of four numbers.

Each regression has a weight and a step size (AdaGrad) for each slot, is trained on its own error and
only where it is not sure yet, over vectors of unit length. A domain's own table is small and leans on a
shared base that it cannot change: score = own + half of the base's. The arrays belong to the caller (a
mapped file, or memory).

All arithmetic is in a fixed order, so that the same trainings give the same bytes (exact undo by replay).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatepost.learn.features import BITS, VIEWS, Features

SLOTS = 82_000
"""Of a domain's table for each view: with 4 bytes a slot less than 1 MB in all."""
BASE_SLOTS = 1_300_000
"""Of the shared base: 2 bytes a slot, 7.8 MB in all."""
RATE = 0.3
EPSILON = 3e-4
MARGIN = 3.0
"""Log-odds on the right side from which a view learns no more from a message: 5 % doubt."""
CLIP = 12.0
JOIN_RATE = 0.01
BASE_SHARE = 0.5
FIRST_JOIN = (1 / 3, 1 / 3, 1 / 3, 0.0)
"""Weights of the views and bias, before anything is learnt."""
RIGHT = 1.0
"""Log-odds that a correction reaches ("this is not spam"), in at most `MAX_ROUNDS` steps."""
MAX_ROUNDS = 8

Half = NDArray[np.float16]
Slots = NDArray[np.int64]


@dataclass(slots=True)
class Table:
    """One view of one domain."""

    weights: Half
    steps: Half
    """Sum of squared gradients for each slot."""

    @classmethod
    def empty(cls, slots: int = SLOTS) -> Table:
        """Return one that knows nothing."""
        return cls(np.zeros(slots, np.float16), np.zeros(slots, np.float16))


@dataclass(slots=True)
class Score:
    """What the model says of a message, in log-odds: above 0 is spam."""

    total: float
    views: tuple[float, ...]

    @property
    def probability(self) -> float:
        """Of spam."""
        return _sigmoid(self.total)


class Model:
    """What one domain has learnt, on top of the base."""

    __slots__ = ("base", "join", "tables")

    def __init__(
        self, tables: Sequence[Table], join: NDArray[np.float64], base: Sequence[Half] | None = None
    ) -> None:
        self.tables = tables
        self.join = join
        """Weights of the views, then the bias; written in place."""
        self.base = base

    @classmethod
    def empty(cls, base: Sequence[Half] | None = None, slots: int = SLOTS) -> Model:
        """Return one in memory that knows nothing of its own."""
        return cls([Table.empty(slots) for _ in VIEWS], np.array(FIRST_JOIN, np.float64), base)

    def score(self, features: Features) -> Score:
        """Return log-odds; about 0.1 ms."""
        return self._joined([self._view(n, view)[0] for n, view in enumerate(features.views)])

    def train(self, features: Features, *, spam: bool, weight: float = 1.0) -> Score:
        """Learn one message; returns the score from before."""
        found = [self._view(n, view) for n, view in enumerate(features.views)]
        before = self._joined([x for x, _, _ in found])
        label = 1.0 if spam else 0.0
        # The weights of the views learn from scores that were taken before the views learn.
        error = (label - _sigmoid(before.total)) * JOIN_RATE * weight
        for n, x in enumerate(before.views):
            self.join[n] += error * x
        self.join[-1] += error
        for table, (x, slots, length) in zip(self.tables, found, strict=True):
            if (x if spam else -x) < MARGIN:
                gradient = (label - _sigmoid(x)) / length * weight
                steps = table.steps[slots].astype(np.float32) + np.float32(gradient * gradient)
                change = np.float32(RATE * gradient) / np.sqrt(steps + np.float32(EPSILON))
                table.steps[slots] = steps.astype(np.float16)
                table.weights[slots] = (table.weights[slots].astype(np.float32) + change).astype(np.float16)
        return before

    def correct(self, features: Features, *, spam: bool, weight: float = 1.0) -> Score:
        """Learn until the message is on the right side; returns the score from before."""
        before = self.train(features, spam=spam, weight=weight)
        for _ in range(MAX_ROUNDS - 1):
            now = self.score(features).total
            if (now if spam else -now) >= RIGHT:
                break
            self.train(features, spam=spam, weight=weight)
        return before

    def contributions(self, view: int, hashes: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Return what each feature of a view adds to the total."""
        slots = slots_of(hashes, len(self.tables[view].weights))
        each = self.tables[view].weights[slots].astype(np.float64)
        if self.base is not None:
            each += BASE_SHARE * self.base[view][slots_of(hashes, len(self.base[view]))].astype(np.float64)
        return np.asarray(each / sqrt(len(hashes) + 1) * float(self.join[view]))

    def _view(self, n: int, hashes: NDArray[np.uint32]) -> tuple[float, Slots, float]:
        table = self.tables[n]
        slots = slots_of(hashes, len(table.weights))
        length = sqrt(len(hashes) + 1)
        total = float(table.weights[slots].astype(np.float32).sum())
        if self.base is not None:
            base = self.base[n]
            total += BASE_SHARE * float(base[slots_of(hashes, len(base))].astype(np.float32).sum())
        return total / length, slots, length

    def _joined(self, views: Sequence[float]) -> Score:
        clipped = tuple(min(CLIP, max(-CLIP, x)) for x in views)
        join: Any = self.join
        total = float(join[-1]) + sum(float(join[n]) * x for n, x in enumerate(clipped))
        return Score(total, clipped)


def slots_of(hashes: NDArray[np.uint32], size: int) -> Slots:
    """Return the slots of features in a table of any size; a larger one cuts finer."""
    return ((hashes.astype(np.uint64) * np.uint64(size)) >> np.uint64(BITS)).astype(np.int64)


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + exp(-min(30.0, max(-30.0, x))))
