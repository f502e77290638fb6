"""The table of clients counts exactly, for its owner and for any reader, and does not wear out."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.server.counts import FULL, Counts, client_key

FACTOR = 0x9E3779B97F4A7C15


def table(slots: int, factor: int = FACTOR) -> tuple[Counts, Counts, memoryview]:
    """An owner and a reader over the same cells."""
    cells = memoryview(bytearray(slots * 16)).cast("Q")
    return Counts(cells, factor), Counts(cells, factor), cells


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("::1", "127.0.0.1", False),
        ("::1", "nonsense", False),
        ("nonsense", "", True),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_64(one: str, other: str, same: bool) -> None:
    """IPv6 by /64, mapped addresses as IPv4, and nothing has the key 0."""
    assert same == (client_key(one) == client_key(other))
    assert client_key(one) != 0 != client_key(other)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 24)), max_size=300),
    st.integers(0, (1 << 63) - 1).map(lambda n: 2 * n + 1),
)
def test_it_agrees_with_a_plain_counter(steps: list[tuple[bool, int]], factor: int) -> None:
    """Whatever the order and the collisions: 24 keys in 32 slots."""
    owner, reader, _ = table(32, factor)
    model: Counter[int] = Counter()
    for come, key in steps:
        if come:
            model[key] += 1
            assert model[key] == owner.add(key)
        elif model[key]:
            model[key] -= 1
            owner.take(key)
    for key in range(1, 26):
        assert model[key] == reader.read(key)
    assert len(owner) == sum(1 for n in model.values() if n)


def test_a_full_table_refuses_and_recovers() -> None:
    """The first key too many is over any limit; one goes, one can come."""
    owner, reader, _ = table(8)
    for key in range(1, 9):
        assert owner.add(key) == 1
    assert owner.add(9) == FULL
    assert reader.read(9) == 0
    owner.take(9)
    owner.take(4)
    assert owner.add(9) == 1
    assert [reader.read(key) for key in range(1, 10)] == [1, 1, 1, 0, 1, 1, 1, 1, 1]


def test_it_does_not_wear_out() -> None:
    """A million clients that came and went leave an empty table, not one full of dead keys."""
    owner, _, cells = table(256)
    for key in range(1, 20_000):
        owner.add(key)
        if key > 60:
            owner.take(key - 60)
    dead = sum(1 for at in range(0, len(cells), 2) if cells[at] and not cells[at + 1])
    assert len(owner) == 60
    assert dead < 60
    for key in range(19_900, 20_000):
        owner.take(key)
    assert len(owner) == 0
    assert cells.tobytes() == bytes(256 * 16)


def test_taking_what_is_not_there_changes_nothing() -> None:
    """A count never goes below nothing."""
    owner, reader, _ = table(8)
    owner.take(5)
    assert reader.read(5) == 0
    assert owner.add(5) == 1
