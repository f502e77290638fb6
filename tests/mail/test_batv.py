"""BATV tags: the vectors of the rule, the circle of a thousand days, and nobody else's tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.address import Address, parse_address
from gatepost.mail.batv import DAY, LIFETIME, LONGEST, check, make, mark_of, plain, read
from tests.cost import assert_linear

KEYS = {0: b"secret", 1: b"secret"}
USER = parse_address("user@example.org")

locals_ = st.from_regex(r"\A[a-zA-Z0-9!#$%&'*+/?^_`{|}~-]{1,48}\Z")
days = st.integers(0, 3_000_000)


@pytest.mark.parametrize(
    ("number", "day", "address", "tagged"),
    [
        (0, 123, "user@example.com", "prvs=0123cfcd40=user@example.com"),
        (1, 999, "user@example.com", "prvs=1999304bed=user@example.com"),
    ],
)
def test_vectors(number: int, day: int, address: str, tagged: str) -> None:
    """The two vectors of the rule, made and checked, with the key `secret`."""
    assert tagged == f"prvs={number}{day:03}{mark_of(b'secret', number, day, address)}={address}"
    made = make(parse_address(address), number, b"secret", (day - LIFETIME) * DAY)
    assert made is not None
    assert tagged == made.text
    tag = read(made.local)
    assert tag is not None
    assert check(made, tag, KEYS, day * DAY).valid


@given(locals_, days, st.integers(0, 9), st.binary(min_size=1, max_size=64))
def test_round_trip(local: str, day: int, number: int, key: bytes) -> None:
    """What is made leads to the same address and is good for seven days, on whatever day, and no longer."""
    address = Address(local, "example.org", f"{local}@Example.ORG")
    made = make(address, number, key, day * DAY)
    if read(local) is not None:
        assert made is None
        return
    assert made is not None
    assert address == plain(made)
    assert address.text == plain(made).text
    tag = read(made.local)
    assert tag is not None
    good = [check(made, tag, {number: key}, (day + n) * DAY).valid for n in range(1_000)]
    assert [True] * (LIFETIME + 1) + [False] * (999 - LIFETIME) == good


def test_dead_for_the_rest_of_the_circle() -> None:
    """A tag that expires on day 500 is dead on 501 to 999 and also on 0 to 492 of the next round."""
    made = make(USER, 0, b"secret", 493 * DAY)
    assert made is not None
    tag = read(made.local)
    assert tag is not None
    alive = [day for day in range(2_000) if check(made, tag, KEYS, day * DAY).valid]
    assert [*range(493, 501), *range(1_493, 1_501)] == alive
    assert "expired 1 days ago" == check(made, tag, KEYS, 501 * DAY).reason


def test_the_same_for_a_day() -> None:
    """A tag does not change within a day: greylisting elsewhere sees the same sender again."""
    first, last = make(USER, 0, b"k", 20_000 * DAY), make(USER, 0, b"k", 20_001 * DAY - 1)
    assert first is not None
    assert last is not None
    assert first.text == last.text


@given(st.text(max_size=80))
def test_nobody_elses_tags(local: str) -> None:
    """Any other text is no tag, or one that no key of ours made; nothing is raised."""
    tag = read(local)
    if tag is not None:
        assert tag.local
    tag = read(f"prvs=0123{local[:6]}={local}")
    if tag is not None:
        address = Address(local, "example.org", f"{local}@example.org")
        assert not check(address, tag, {0: b"another key"}, 123 * DAY).valid or len(local) >= 6


@pytest.mark.parametrize(
    ("local", "reason"),
    [
        ("prvs=0123cfcd41=user", "not made with key 0"),
        ("prvs=0124cfcd40=user", "not made with key 0"),
        ("prvs=1123cfcd40=user", "not made with key 1"),
        ("prvs=0123cfcd40=other", "not made with key 0"),
        ("prvs=3123cfcd40=user", "no key 3"),
    ],
)
def test_changed_tags(local: str, reason: str) -> None:
    """A digit of the mark, the day, the number or the address changed: refused, with the reason."""
    tag = read(local)
    assert tag is not None
    address = parse_address(f"{local}@example.com")
    assert (False, reason) == check(address, tag, KEYS, 120 * DAY)


def test_key_of_the_number() -> None:
    """Each tag is checked with the key whose number it has: an old key goes on beside the new one."""
    old = make(USER, 0, b"old", 100 * DAY)
    new = make(USER, 1, b"new", 100 * DAY)
    for made in (old, new):
        assert made is not None
        tag = read(made.local)
        assert tag is not None
        assert check(made, tag, {0: b"old", 1: b"new"}, 101 * DAY).valid
        assert not check(made, tag, {0: b"new", 1: b"old"}, 101 * DAY).valid


def test_capitals_changed_on_the_way() -> None:
    """A server that folds addresses, or the mark, does not make a tag bad."""
    made = make(parse_address("ann@example.org"), 0, b"secret", 100 * DAY)
    assert made is not None
    for text in (made.text.upper(), made.text.replace("example.org", "Example.ORG")):
        address = parse_address(text)
        tag = read(address.local)
        assert tag is not None
        assert check(address, tag, KEYS, 100 * DAY).valid


@pytest.mark.parametrize(
    "local",
    [
        "user",
        "prvs=",
        "prvs=0123cfcd40=",
        "prvs=0123cfcd4=user",
        "prvs=x123cfcd40=user",
        "prvs=user/0123cfcd40",
        "xprvs=0123cfcd40=user",
        "prvs=\u0660123cfcd40=user",
    ],
)
def test_no_tag(local: str) -> None:
    """What is not wholly a tag is an address like any other, also the old form with a slash."""
    assert read(local) is None
    address = Address(local, "example.org", f"{local}@example.org")
    assert plain(address) is address


def test_what_can_have_no_tag() -> None:
    """No room, quotes, a tag already: None, and the mail goes out as it is."""
    assert make(parse_address(f"{'a' * LONGEST}@example.org"), 0, b"k", 0) is not None
    assert make(parse_address(f"{'a' * (LONGEST + 1)}@example.org"), 0, b"k", 0) is None
    assert make(parse_address('"a b"@example.org'), 0, b"k", 0) is None
    assert make(parse_address("prvs=0123cfcd40=user@example.org"), 0, b"k", 0) is None


def test_quotes_that_are_not_needed() -> None:
    """`"ann"@` is `ann@`: it gets the tag of that address, and quotes lead past no check."""
    quoted, bare = (
        make(parse_address(text), 0, b"k", 0) for text in ('"ann"@example.org', "ann@example.org")
    )
    assert quoted == bare
    assert quoted is not None
    assert bare is not None
    assert bare.text == quoted.text


def test_not_a_local_part_behind_the_tag() -> None:
    """`prvs=0123cfcd40=.a@` would lead to no address: it stays what it is, and nobody has that name."""
    address = parse_address("prvs=0123cfcd40=a@example.org")
    odd = Address("prvs=0123cfcd40=.a", address.domain, "prvs=0123cfcd40=.a@example.org")
    assert plain(odd) is odd


def test_twice_the_bytes_take_twice_the_time() -> None:
    """Reading is linear."""
    assert read("prvs=0123cfcd40" * 20_000) is None
    assert_linear(lambda n: "prvs=0123cfcd40" * n, lambda text: [read(text) for _ in range(20)], 20_000)
