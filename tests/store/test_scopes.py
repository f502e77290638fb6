"""Scopes as text and back; names of domains and local parts in the one form that is compared."""

import pytest

from gatepost.store.scopes import ScopeError, domain_name, level_of, local_part, parse_scope, scope_of


@pytest.mark.parametrize(
    ("scope", "place", "level"),
    [
        ("all", ("*", ""), "all"),
        ("domain:Example.ORG", ("example.org", ""), "domain"),
        ("mailbox:Ann@Example.org", ("example.org", "ann"), "mailbox"),
    ],
)
def test_scopes(scope: str, place: tuple[str, str], level: str) -> None:
    """There and back again."""
    assert parse_scope(scope) == place
    assert level_of(*place) == level
    assert parse_scope(scope_of(*place)) == place


@pytest.mark.parametrize(
    "scope",
    ["", "domain:", "domain:*", "mailbox:ann", "mailbox:@x", "zone:x", "domain:[192.0.2.1]", "domain:a b"],
)
def test_wrong_scopes(scope: str) -> None:
    """What is none is a ScopeError."""
    with pytest.raises(ScopeError):
        parse_scope(scope)


def test_domain_name() -> None:
    """Lower case, A-labels, no dot at the end."""
    assert domain_name(" Bücher.Example. ") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("Ann", "ann"),
        ("*", "*"),
        ("first.last+tag", "first.last+tag"),
        ("two words", "two words"),
        ('"two words"', "two words"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("JÜRGEN", "jürgen"),
        ("o'brien", "o'brien"),
        ("x'; DROP TABLE domain; --", "x'; drop table domain; --"),
    ],
)
def test_local_part(text: str, local: str) -> None:
    """Whatever could come over the wire can be listed; it is data and nothing else."""
    assert local_part(text) == local


@pytest.mark.parametrize("text", ["", "a" * 65, "a\nb", "a\0b"])
def test_no_local_part(text: str) -> None:
    """What could not come over the wire cannot be listed."""
    with pytest.raises(ScopeError):
        local_part(text)
