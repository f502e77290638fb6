"""A word means a domain, a mailbox or all domains; the nearest name is offered for a wrong one."""

from __future__ import annotations

import pytest

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.scopes import address_in, hosted, hosted_scope, scope_for


def test_words(desk: Desk) -> None:
    """Nothing is all domains, a name a domain, an address a mailbox."""
    assert hosted_scope(desk, None) == ("all", "all")
    assert hosted_scope(desk, "Example.ORG.") == ("domain:example.org", "domain")
    assert hosted_scope(desk, "ann@example.org") == ("mailbox:ann@example.org", "mailbox")


def test_not_hosted(desk: Desk) -> None:
    """The error names the domain that was probably meant."""
    with pytest.raises(NotFound, match=r"exmaple\.org is not hosted here; did you mean 'example\.org'"):
        hosted(desk, "exmaple.org")


@pytest.mark.parametrize("word", ["a b", "", "[192.0.2.1]", "@example.org", "../../x"])
def test_no_scope(word: str) -> None:
    """What is neither is an error for the person, not a fault of ours."""
    with pytest.raises(DeskError):
        scope_for(word)


def test_address_in() -> None:
    """A name of the domain, with or without it; another domain's is none."""
    assert (
        "ann@example.org"
        == address_in("example.org", " ann ")
        == address_in("example.org", "ann@EXAMPLE.org")
    )
    with pytest.raises(DeskError, match="not of"):
        address_in("example.org", "ann@example.net")
