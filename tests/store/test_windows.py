"""A sliding window made of two numbers is near the truth and never below the piece that runs."""

import random

from gatepost.store.windows import bucket_of, sliding


def test_near_the_truth() -> None:
    """For traffic that comes evenly, within a tenth of a true count."""
    rng = random.Random(5)
    window = 60.0
    times = sorted(rng.uniform(0, 1200) for _ in range(20_000))
    for now in (130.0, 333.3, 719.9, 1000.0):
        pieces: dict[int, int] = {}
        for t in times:
            if t <= now:
                pieces[bucket_of(t, window)] = pieces.get(bucket_of(t, window), 0) + 1
        true = sum(1 for t in times if now - window < t <= now)
        bucket = bucket_of(now, window)
        guess = sliding(now, window, pieces.get(bucket, 0), pieces.get(bucket - 1, 0))
        assert abs(guess - true) < true / 10


def test_edges() -> None:
    """At the start of a piece all of the one before counts; at its end nothing does."""
    assert sliding(120.0, 60.0, 0, 10) == 10
    assert sliding(179.999, 60.0, 0, 10) == 0
    assert sliding(150.0, 60.0, 3, 10) == 8
    assert sliding(150.0, 60.0, 3, 0) == 3
