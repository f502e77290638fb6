"""Whom a text names: the address in all its spellings, and nobody whose address only looks like it."""

from __future__ import annotations

import pytest

from gatepost.desk.person import Person
from gatepost.mail.address import parse_address
from tests.cost import assert_cheap

ANN = Person(parse_address("ann@example.org"), "0a1b")


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org", "Ann@Example.ORG", "<ann@example.org>", "ann+news@example.org",
        "prvs=0123abcdef=ann@example.org", "to ann@example.org.", "ann@example.org, bob@example.org",
        '"Ann" <ann@example.org>', "reader\x1fann@example.org",
    ],
)  # fmt: skip
def test_named(text: str) -> None:
    """And behind it nobody is."""
    assert ANN.named_in(text)
    assert not ANN.named_in(ANN.without(text))
    assert "erased-0a1b@erased.invalid" in ANN.without(text)


@pytest.mark.parametrize(
    "text",
    [
        "joann@example.org", "ann@example.org.evil.example", "ann@example.organic", "x.ann@example.org",
        "ann@sub.example.org", "ann", "example.org", "ann+@example.net", "ann@example-org", "",
    ],
)  # fmt: skip
def test_somebody_else(text: str) -> None:
    """Is left as it is."""
    assert not ANN.named_in(text)
    assert text == ANN.without(text)


def test_values() -> None:
    """Whatever JSON has: keys and values at any depth; the rest stays."""
    value = {"to": ["ann@example.org", 5, None], "ann@example.org": {"deep": [["x ann@example.org y"]]}}
    assert ANN.named_in(value)
    erased = ANN.without(value)
    name = "erased-0a1b@erased.invalid"
    assert {"to": [name, 5, None], name: {"deep": [[f"x {name} y"]]}} == erased
    assert not ANN.named_in([1, None, True, 2.5])


def test_theirs() -> None:
    """A whole address, in each spelling."""
    assert ANN.is_them("ANN+x@example.org")
    assert ANN.is_them("prvs=0123abcdef=ann@example.org")
    assert not any(ANN.is_them(one) for one in (None, "", "joann@example.org", "x ann@example.org"))


def test_odd_characters() -> None:
    """Are characters, and no pattern."""
    odd = Person(parse_address("a.b+c@example.org"), "0")
    assert odd.named_in("a.b+c@example.org")
    assert not odd.named_in("aXb+c@example.org")


def test_linear() -> None:
    """A text that nearly names them a thousand times takes no longer for it."""
    for evil in ("prvs=" * 20_000, "ann+" * 20_000, "ann" * 30_000, "ann+a@" * 15_000):
        assert_cheap(1, ANN.without, evil)
