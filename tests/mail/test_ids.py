"""Session ids: unique, in order of time, and readable on the telephone."""

import pytest

from gatepost.mail.ids import ALPHABET, LENGTH, SessionIds, clean

NOW = 1_795_476_801_399


def value(text: str) -> int:
    n = 0
    for c in text:
        n = n * 32 + ALPHABET.index(c)
    return n


@pytest.mark.parametrize("worker", [0, 1, 5, 63])
def test_an_id_is_time_worker_and_counter(worker: int) -> None:
    """41 bits of milliseconds, 6 of the worker, 18 of a counter: nothing is lost and nothing overlaps."""
    ids = SessionIds(worker, 41)
    for n in range(3):
        made = ids.make(NOW + n // 2)
        assert len(made) == LENGTH
        assert value(made) == ((NOW + n // 2) & ((1 << 41) - 1)) << 24 | worker << 18 | 42 + n


def test_ids_differ_and_sort_by_time() -> None:
    """A hundred thousand of two workers in one second are all different, and later ones sort behind."""
    one, two = SessionIds(0, 0), SessionIds(1, 0)
    made = [ids.make(NOW + n // 100) for n in range(50_000) for ids in (one, two)]
    assert len(set(made)) == len(made)
    assert one.make(NOW + 10_000) > max(made)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("T42P1RXS046GF", "T42P1RXS046GF"),
        (" t42p1rxso46gf ", "T42P1RXS046GF"),
        ("T42P-1RXS-046GF.2", "T42P1RXS046GF.2"),
        ("IL2P1RXS046GF", "112P1RXS046GF"),
        ("T42P1RXS046G", None),
        ("T42P1RXS046GU", None),
        ("T42P1RXS046GF.x", None),
        ("'; DROP TABLE x", None),
        ("", None),
    ],
)
def test_what_a_person_typed(typed: str, meant: str | None) -> None:
    """Small letters, hyphens and look-alikes are understood; nothing else is."""
    assert clean(typed) == meant
