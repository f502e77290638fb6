"""Each change says who, where and what in one line, and can be undone while nobody built on it."""

from __future__ import annotations

import pytest

from gatepost.desk import changes, domains, lists, recipients
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError, NotFound


def last(desk: Desk) -> str:
    """Return the newest change in words."""
    return changes.in_words(changes.listing(desk)[0])


def test_in_words(desk: Desk) -> None:
    """Settings from and to, names of recipients, entries as people write them."""
    domains.set_values(desk, "example.org", {"keep_days": 7})
    assert last(desk) == "keep_days=7"
    domains.set_values(desk, "example.org", {"keep_days": 9})
    assert last(desk) == "keep_days: 7 -> 9"
    domains.unset_values(desk, "example.org", ["keep_days"])
    assert last(desk) == "keep_days: 9 -> not set"
    recipients.add(desk, "example.org", ["a", "b", "c", "d", "e", "f", "g"])
    assert last(desk) == "added a, b, c, d, e and 2 more"
    recipients.remove(desk, "example.org", ["a"])
    assert last(desk) == "removed a"
    lists.add(desk, None, "deny", ".ru", plugin="dnsbl")
    assert last(desk) == "added deny .ru for dnsbl"
    domains.remove(desk, "example.org")
    assert last(desk) == "domain removed"


def test_who_and_where(desk: Desk) -> None:
    """The person and the scope stand with the change; a domain's list has its mailboxes."""
    domains.set_values(desk, "ann@example.org", {"refuse_at": "rcpt"})
    domains.set_values(desk, None, {"refuse_at": "rcpt"})
    assert [(c.by, c.scope) for c in changes.listing(desk, "example.org")] == [
        ("ann", "mailbox:ann@example.org"),
        ("ann", "domain:example.org"),
    ]
    assert [c.scope for c in changes.listing(desk, "all")] == ["all"]
    assert len(changes.listing(desk, limit=1)) == 1


def test_roll_back(desk: Desk) -> None:
    """The value is as it was, and the roll back is a change that names what it undid."""
    domains.set_values(desk, "example.org", {"keep_days": 7})
    number = changes.listing(desk)[0].id
    changes.roll_back(desk, number)
    assert "keep_days" not in domains.own_values(desk, "example.org")
    assert last(desk) == f"keep_days: 7 -> not set (undoes change {number})"


def test_roll_back_what_was_built_on(desk: Desk) -> None:
    """Somebody changed the same since then: refused."""
    domains.set_values(desk, "example.org", {"keep_days": 7})
    number = changes.listing(desk)[0].id
    domains.set_values(desk, "example.org", {"keep_days": 9})
    with pytest.raises(Conflict, match="cannot be rolled back"):
        changes.roll_back(desk, number)


def test_no_such_change(desk: Desk) -> None:
    """A number that is none, and a domain that is none."""
    with pytest.raises(NotFound):
        changes.roll_back(desk, 999)
    with pytest.raises(DeskError):
        changes.listing(desk, "a b")
