"""Windows of four bytes: distinct, spread, and the same on every machine."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gatepost.learn.grams import grams, mixed


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_one_for_each_distinct_window(data: bytes, seed: int) -> None:
    """As many hashes as there are distinct windows: the mixing is one to one."""
    windows = {data[n : n + 4] for n in range(len(data) - 3)}
    found = grams(data, seed)
    assert len(windows) == len(found) == len(set(found.tolist()))


def test_the_same_everywhere() -> None:
    """Kept features of today are read by the program of tomorrow."""
    assert [483_358_274] == grams(b"spam", 1).tolist()
    assert grams(b"spam", 1).tolist() != grams(b"spam", 2).tolist()
    assert [] == grams(b"abc", 1).tolist()


def test_spread() -> None:
    """Neighbouring values land far apart: each of 64 drawers gets its share."""
    found = mixed(np.arange(64_000, dtype=np.uint32), 3) >> np.uint32(26)
    counts = np.bincount(found.astype(np.int64), minlength=64)
    assert 800 < counts.min()
    assert counts.max() < 1_200
