"""The author as a reader sees it, and what is proven of it."""

from __future__ import annotations

import pytest

from gatepost.auth import facts
from gatepost.mail.message import Message
from gatepost.plugin.people import OTHER_ENDING, addresses_in, author_of, proven, wears


def message(value: str) -> Message:
    return Message(f"From: {value}\r\n\r\n".encode())


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("Ann Miller <ann@example.org>", "Ann Miller", "ann@example.org"),
        ('"Miller, Ann" <ann@example.org>', "Miller, Ann", "ann@example.org"),
        ("=?utf-8?q?Ann_M=C3=BCller?= <ann@example.org>", "Ann M\u00fcller", "ann@example.org"),
        ("ann@example.org", "", "ann@example.org"),
        ('"boss@example.org" <x@evil.test>', "boss@example.org", "x@evil.test"),
        ("Ann <ann@example.org>, Bob <bob@example.org>", "Ann <ann@example.org>, Bob", "bob@example.org"),
    ],
)
def test_author(value: str, name: str, address: str) -> None:
    """Name and address."""
    found = author_of(message(value))
    assert found is not None
    assert (name, address) == (found.name, str(found.address))


@pytest.mark.parametrize("value", ["", "nobody", "<>", "Ann <ann>", "x" * 5000 + "@example.org"])
def test_none(value: str) -> None:
    """What cannot be read is nobody."""
    assert author_of(message(value)) is None


def test_other_ending() -> None:
    """The same words in both rooms."""
    assert OTHER_ENDING == wears("example.com", "example.org")


def test_addresses() -> None:
    """What looks like one in a name."""
    assert ["ann@example.org"] == addresses_in("Ann (Ann@Example.org)")


@pytest.mark.parametrize(
    ("domain", "proof"),
    [("example.org", True), ("mail.example.org", True), ("example.net", False), ("signed.example", True)],
)
def test_proven(domain: str, proof: bool) -> None:
    """By SPF or a signature of the same registered part."""
    spf = facts.Spf("pass", "mailfrom", "bounces.example.org", "192.0.2.1")
    dkim = facts.Dkim(
        "pass", (facts.Signature("pass", "signed.example"), facts.Signature("fail", "example.net"))
    )
    assert proof is proven(domain, spf, dkim)
    assert not proven(domain, None, None)
