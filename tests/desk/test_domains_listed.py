"""The list of domains shows what matters and costs no check."""

from __future__ import annotations

from gatepost.desk import domains, domains_listed, lists, recipients
from gatepost.desk.desk import Desk


def test_listing(desk: Desk) -> None:
    """Name, routes, how recipients are known and how many are listed."""
    domains.add(desk, "b.example", ["smtp://192.0.2.5"], {"recipients": "any"})
    recipients.add(desk, "example.org", ["ann", "bob"])
    found = domains_listed.listing(desk)
    assert [(d.name, d.recipients, d.listed) for d in found] == [
        ("b.example", "any", 0),
        ("example.org", "list", 2),
    ]
    assert found[0].routes == ("smtp://192.0.2.5",)


def test_names_by_beginning(desk: Desk) -> None:
    """For completion: those that begin so, a whole name too, at most so many."""
    for name in ("example.com", "example.net", "other.test"):
        domains.add(desk, name, ["smtp://192.0.2.5"])
    assert domains_listed.names(desk, "ex") == ["example.com", "example.net", "example.org"]
    assert domains_listed.names(desk, "example.net") == ["example.net"]
    assert domains_listed.names(desk, "ex", limit=1) == ["example.com"]
    assert domains_listed.names(desk, "z") == []


def test_about(desk: Desk) -> None:
    """What is set for just this domain, with numbers of the rest."""
    lists.add(desk, "ann@example.org", "deny", "192.0.2.9")
    recipients.add(desk, "example.org", ["ann"])
    about = domains_listed.about(desk, "EXAMPLE.org")
    assert (about.name, about.listed, about.entries, about.mailboxes) == ("example.org", 1, 1, ["ann"])
    assert about.version == desk.policy.version()
