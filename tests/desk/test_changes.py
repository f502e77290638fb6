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
    desk.policy.load(
        [("a.example", "smtp://a.example.net", {}, []), ("b.example", "smtp://b.example.net", {}, [])]
    )
    assert last(desk) == "read in: 2 domains"
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


def test_an_owner_puts_back_only_what_he_may_set(desk: Desk) -> None:
    """What an administrator took away does not come back by a roll back: scanners, private routes."""
    for values in ({"clamav.addresses": ["127.0.0.1:3310"]}, {"route": ["maildir:///srv/mail"]}):
        before = domains.own_values(desk, "example.org")
        domains.set_values(desk, "example.org", values)
        key = next(iter(values))
        if key in before:
            domains.set_values(desk, "example.org", {"route": ["smtp://mail.example.net"]})
        else:
            domains.unset_values(desk, "example.org", [key])
        number, now = changes.listing(desk)[0].id, domains.own_values(desk, "example.org")
        desk.admin = False
        with pytest.raises(DeskError, match="administrator"):
            changes.roll_back(desk, number)
        assert now == domains.own_values(desk, "example.org")
        desk.admin = True
        changes.roll_back(desk, number)
        assert values[key] == domains.own_values(desk, "example.org")[key]


def test_an_owner_undoes_what_is_his(desk: Desk) -> None:
    """Beside an administrator's scanner that stays, an owner's own settings and routes are rolled back."""
    domains.set_values(desk, "example.org", {"clamav.addresses": ["127.0.0.1:3310"]})
    desk.admin = False
    domains.set_values(desk, "example.org", {"route": ["smtp://a.example.net"]})
    domains.set_values(desk, "example.org", {"route": ["smtp://b.example.net"], "clamav.mode": "on"})
    changes.roll_back(desk, changes.listing(desk)[0].id)
    assert ["smtp://a.example.net?public"] == domains.own_values(desk, "example.org")["route"]
    assert ["127.0.0.1:3310"] == domains.own_values(desk, "example.org")["clamav.addresses"]


def test_an_owner_removes_no_domain_by_undoing_that_it_was_added(desk: Desk) -> None:
    """Domains come and go by administrators alone, whatever it is called."""
    domains.add(desk, "new.example", ["smtp://mail.example.net"])
    added = changes.listing(desk)[0]
    desk.admin = False
    assert not changes.can_be_undone(added, admin=False)
    with pytest.raises(DeskError, match="administrator"):
        changes.roll_back(desk, added.id)
    assert domains.own_values(desk, "new.example")
    desk.admin = True
    changes.roll_back(desk, added.id)
    with pytest.raises(NotFound):
        domains.own_values(desk, "new.example")
