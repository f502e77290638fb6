"""What would have let a mail in: the way is named, and tried by asking the checks again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.desk import domains, recipients, remedy
from gatepost.desk.desk import Desk
from gatepost.desk.remedy import What
from gatepost.store.base import OutcomeRow

ROW = OutcomeRow(
    1, "0DQ3N7V5K2F8T.1", 0.0, "example.org", "ann@example.org", "bob@x.example", "192.0.2.7", "rejected",
    "helo_name", "no name", 550, 0.0, 0, "", "", None, 0.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, [("entry", "bob@x.example", "helo_name"), ("entry", "192.0.2.7", "helo_name")]),
        ({"sender": ""}, [("entry", "192.0.2.7", "helo_name")]),
        ({"plugin": "score"}, [("entry", "bob@x.example", ""), ("entry", "192.0.2.7", "")]),
        ({"fate": "accepted"}, []),
        ({"fate": "abandoned"}, []),
        ({"plugin": "recipients"}, [("recipient", "ann@example.org", "")]),
        ({"plugin": "recipients", "reason": "list of clients"}, [("clients", "ann@example.org", "")]),
        ({"plugin": "relaying"}, [("host", "", "")]),
        ({"plugin": ""}, [("server", "", "")]),
        ({"plugin": "relay"}, [("server", "", "")]),
        ({"plugin": "poison", "fate": "quarantined"}, [("nothing", "", "poison")]),
        ({"plugin": "poison", "fate": "deferred"}, [("wait", "", "poison")]),
        ({"plugin": "localpart_rules", "sender": ""}, [("entry", "192.0.2.7", "localpart_rules")]),
        ({"sender": "<script>", "client": "no address"}, []),
    ],
)  # fmt: skip
def test_ways(desk: Desk, change: dict[str, str], expected: list[tuple[str, str, str]]) -> None:
    """The narrowest first; none for what came in, none that would not help."""
    row = replace(ROW, **change)  # type: ignore[arg-type]
    if row.plugin in desk.registry.unskippable and row.plugin != "recipients":
        expected = [("nothing", "", row.plugin)]
    assert expected == [(str(one.what), one.entry, one.check) for one in remedy.remedies(desk, row)]


def test_put_off_and_denied(desk: Desk) -> None:
    """Whoever was put off comes in by coming again; a deny entry has to go."""
    assert What.WAIT is remedy.remedies(desk, replace(ROW, fate="deferred", plugin="greylist"))[0].what
    assert What.DENIED is remedy.remedies(desk, replace(ROW, plugin="deny_list"))[0].what


def test_tried(desk: Desk) -> None:
    """Judged again as things are and with the entry; nothing is written."""
    recipients.add(desk, "example.org", ["ann"])
    domains.set_values(desk, "example.org", {"helo_name.mode": "on", "refuse_at": "rcpt"})
    row = replace(ROW, sender="")  # its HELO name is not known, so one is made up: a good one
    found = remedy.tried(desk, row, "192.0.2.7", "helo_name")
    assert ("accepted", "accepted", False) == (found.now.fate, found.then.fate, found.whole)
    version = desk.policy.version()
    domains.set_values(desk, "example.org", {"deny_list.mode": "on"})
    from gatepost.desk import lists

    lists.add(desk, "example.org", "deny", "x.example")
    found = remedy.tried(desk, ROW, "bob@x.example")
    assert ("rejected", "accepted") == (found.now.fate, found.then.fate)
    assert version + 2 == desk.policy.version()
