"""Which entry decides is told as mail is decided, with those that are about the same people and do not."""

from __future__ import annotations

import pytest

from gatepost.desk import lists
from gatepost.desk.deciding import Asked, deciding
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError

Said = list[tuple[str, str, list[str]]]


def said(desk: Desk, **asked: str | bool) -> Said:
    """Return (check, what decides, the others) for each list that says something."""
    return [
        (one.plugin, str(one.entry or ""), [str(other) for other in one.others])
        for one in deciding(desk, "example.org", Asked(**asked))  # type: ignore[arg-type]
    ]


def test_nearer_then_more_exact(desk: Desk) -> None:
    """A mailbox's entry before the domain's before all domains'; the address before its network."""
    lists.add(desk, None, "deny", "192.0.2.7")
    lists.add(desk, "example.org", "deny", "192.0.2.0/24")
    lists.add(desk, "example.org", "allow", "192.0.2.7")
    lists.add(desk, "ann@example.org", "deny", "192.0.2.0/24")
    far = "deny 192.0.2.7 (all domains)"
    assert said(desk, client="192.0.2.7") == [
        ("", "allow 192.0.2.7 (domain)", ["deny 192.0.2.0/24 (domain)", far])
    ]
    (one,) = said(desk, client="192.0.2.7", mailbox="Ann@example.org")
    assert "deny 192.0.2.0/24 (mailbox)" == one[1]
    assert [] == said(desk, client="198.51.100.1")


def test_a_forged_sender_beats_no_deny_of_the_client(desk: Desk) -> None:
    """Allow for the sender decides only when SPF or DKIM agrees."""
    lists.add(desk, "example.org", "allow", "bob@example.net")
    lists.add(desk, "example.org", "deny", "192.0.2.0/24")
    who = {"client": "192.0.2.7", "sender": "<bob@example.net>"}
    assert "deny 192.0.2.0/24 (domain)" == said(desk, **who)[0][1]
    assert "allow bob@example.net (domain)" == said(desk, **who, proven=True)[0][1]


def test_a_check_of_its_own(desk: Desk) -> None:
    """What one check lets past is told beside the general lists; a verified entry waits for proof."""
    lists.add(desk, "example.org", "allow", "bob@example.net", plugin="dnsbl", verified=True)
    lists.add(desk, "example.org", "allow", "host:mx.example.net")
    asked = {"sender": "bob@example.net", "host": "MX.example.net."}
    assert [("", "allow host:mx.example.net (domain)", [])] == said(desk, **asked)
    assert [
        ("", "allow host:mx.example.net (domain)", []),
        ("dnsbl", "allow bob@example.net (domain)", []),
    ] == said(desk, **asked, proven=True)


@pytest.mark.parametrize("asked", [{"client": "x"}, {"sender": "x y"}, {"host": ".."}])
def test_nonsense(desk: Desk, asked: dict[str, str]) -> None:
    """What is no address or name is told."""
    with pytest.raises(DeskError):
        said(desk, **asked)
