"""Training addresses: read, made, and good for one person of one domain only."""

from __future__ import annotations

import pytest

from gatepost.mail.train_address import Named, domain_of, holds, make, read

SECRET = b"s" * 32


@pytest.mark.parametrize(
    ("local", "wanted"),
    [
        ("spam", Named(True)),
        ("HAM", Named(False)),
        ("spam+ann=abc", Named(True, "ann", "abc")),
        ("Spam+Ann.Lee=ABC", Named(True, "ann.lee", "abc")),
        ("ham+a=b=c", Named(False, "a=b", "c")),
        ("spam+x+y=c", Named(True, "x+y", "c")),
        ("spam+ann", None),
        ("spam+=abc", None),
        ("spam+ann=", None),
        ("spam+", None),
        ("postmaster", None),
        ("spammer", None),
        ("", None),
    ],
)
def test_read(local: str, wanted: Named | None) -> None:
    """Any case; a name without a secret is no address."""
    assert wanted == read(local)


def test_a_secret_is_good_for_one_owner_of_the_name() -> None:
    """Nobody makes one that a former owner knew, though both begin to count at 1."""
    marks = {make(SECRET, "example.org", "ann", 1, since, spam=True) for since in (0.0, 5.0, 5.001)}
    assert 3 == len(marks)
    named = read(make(SECRET, "example.org", "ann", 1, 5.0, spam=True).partition("@")[0])
    assert named is not None
    assert [False, True, False] == [
        holds(named, SECRET, "example.org", 1, since) for since in (0.0, 5.0, 5.001)
    ]


def test_a_secret_is_good_for_one_person_domain_and_generation() -> None:
    """And for both kinds."""
    address = make(SECRET, "example.org", "Ann", 1, spam=True)
    local, _, host = address.partition("@")
    assert ("example.org", True) == (domain_of(host), local.startswith("spam+ann="))
    named = read(local.upper())
    assert named is not None
    assert holds(named, SECRET, "example.org", 1)
    assert holds(named._replace(spam=False), SECRET, "example.org", 1)
    assert not holds(named, SECRET, "example.net", 1)
    assert not holds(named, SECRET, "example.org", 2)
    assert not holds(named, b"t" * 32, "example.org", 1)
    assert not holds(named._replace(person="bob"), SECRET, "example.org", 1)
    assert not holds(named._replace(mark=named.mark[:-1]), SECRET, "example.org", 1)
    assert not holds(named._replace(mark="\udcff"), SECRET, "example.org", 1)


def test_a_long_name_has_none() -> None:
    """A local part has 64 octets (RFC 5321, 4.5.3.1.1)."""
    assert make(SECRET, "example.org", "x" * 42, 1, spam=True)
    assert not make(SECRET, "example.org", "x" * 43, 1, spam=True)
    assert make(SECRET, "example.org", "x" * 43, 1, spam=False)


def test_whose() -> None:
    """Only what stands below `train.`."""
    assert ["example.org", "", ""] == [
        domain_of(host) for host in ("train.example.org", "example.org", "xtrain.example.org")
    ]
