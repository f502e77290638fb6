"""Entries are read as people write them, expire, carry a note, and are removed by number or by word."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.desk import lists
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.lists import Wanted


def shown(desk: Desk, word: str | None) -> list[tuple[str, str, str]]:
    """Return (scope, kind, entry) of what is listed."""
    return [(one.scope, one.entry.kind, one.entry.text) for one in lists.show(desk, word)]


def test_add_and_show(desk: Desk) -> None:
    """A domain's list shows those of its mailboxes too; those of all domains are apart."""
    lists.add(desk, "example.org", "deny", "192.0.2.7")
    lists.add(desk, "ann@example.org", "allow", "Bob@Example.net")
    lists.add(desk, None, "deny", ".ru")
    assert shown(desk, "example.org") == [
        ("domain:example.org", "deny", "192.0.2.7"),
        ("mailbox:ann@example.org", "allow", "bob@example.net"),
    ]
    assert shown(desk, "ann@example.org") == [("mailbox:ann@example.org", "allow", "bob@example.net")]
    assert shown(desk, None) == [("all", "deny", ".ru")]


def test_details(desk: Desk) -> None:
    """Expiry, note, plugin, lock and proof are kept; the same entry again is renewed."""
    entry = lists.add(
        desk,
        "example.org",
        "allow",
        "ann@example.net",
        plugin="dnsbl",
        expires="30d",
        note="our partner",
        verified=True,
        locked=True,
    )
    assert entry.expires == desk.clock() + 30 * 86_400
    assert (entry.plugin, entry.note, entry.verified, entry.locked) == ("dnsbl", "our partner", True, True)
    again = lists.add(desk, "example.org", "allow", "ann@example.net", plugin="dnsbl")
    assert (again.id, again.expires) == (entry.id, None)
    assert len(lists.show(desk, "example.org")) == 1


def test_uses(desk: Desk) -> None:
    """It is shown how often an entry decided."""
    entry = lists.add(desk, "example.org", "deny", "192.0.2.7")
    desk.records.count_use(entry.id)
    desk.records.count_use(entry.id)
    desk.records.flush()
    assert lists.show(desk, "example.org")[0].uses == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10.0.0.1/8", "did you mean 10.0.0.0/8"),
        ("", "empty"),
        ("a b@c", "not a mail address"),
        ("300.1.1.1", "not an IP address"),
    ],
)
def test_bad_entry(desk: Desk, text: str, words: str) -> None:
    """What is no entry is answered with what is wrong."""
    with pytest.raises(DeskError, match=words):
        lists.add(desk, "example.org", "deny", text)


def test_unknown_plugin(desk: Desk) -> None:
    """An entry for a check that is not there names the nearest one."""
    with pytest.raises(NotFound, match=r"did you mean 'dnsbl'"):
        lists.add(desk, "example.org", "allow", "192.0.2.7", plugin="dnsb")


def test_a_check_without_a_list(desk: Desk) -> None:
    """Nobody is told that an entry leads past the list of recipients when it never does."""
    with pytest.raises(DeskError, match="recipients has no list of its own"):
        lists.add(desk, "example.org", "allow", "192.0.2.7", plugin="recipients")


def test_verified_is_for_senders(desk: Desk) -> None:
    """SPF and DKIM say nothing of an address."""
    with pytest.raises(DeskError, match="--verified"):
        lists.add(desk, "example.org", "allow", "192.0.2.7", verified=True)


def test_remove(desk: Desk) -> None:
    """By number or by what it says; an allow and a deny entry of the same both go."""
    one = lists.add(desk, "example.org", "deny", "192.0.2.7")
    lists.add(desk, "example.org", "allow", "example.net")
    lists.add(desk, "example.org", "deny", "example.net")
    assert [e.id for e in lists.remove(desk, "example.org", f"#{one.id}")] == [one.id]
    assert len(lists.remove(desk, "example.org", "example.net")) == 2
    assert shown(desk, "example.org") == []
    with pytest.raises(NotFound, match=r"no entry '192\.0\.2\.7'"):
        lists.remove(desk, "example.org", "192.0.2.7")


def test_number_of_another_domain(desk: Desk) -> None:
    """A number removes only from the list that was named."""
    one = lists.add(desk, None, "deny", "192.0.2.7")
    with pytest.raises((NotFound, DeskError)):
        lists.remove(desk, "example.org", str(one.id))
    assert len(lists.show(desk, None)) == 1


def test_find(desk: Desk) -> None:
    """By text, kind and check, the newest first, in pages; the total is that of all pages."""
    for n in range(5):
        lists.add(desk, "example.org", "deny", f"n{n}.example.net", note="Spam" if n % 2 else "")
    lists.add(desk, "ann@example.org", "allow", "bob@example.net", plugin="dnsbl")

    def found(limit: int = 10, **wanted: Any) -> list[str]:
        return [one.entry.value for one in lists.find(desk, "example.org", Wanted(**wanted), limit).rows]

    assert ["n3.example.net", "n1.example.net"] == found(text="spam")
    assert ["bob@example.net"] == found(text="ANN@") == found(plugin="dnsbl") == found(kind="allow")
    assert 5 == len(found(plugin="-"))
    first = lists.find(desk, "example.org", Wanted(kind="deny"), 2)
    assert (5, 2) == (first.total, len(first.rows))
    rest = lists.find(desk, "example.org", Wanted(kind="deny", after=first.next), 10)
    assert (3, None) == (len(rest.rows), rest.next)


def test_change(desk: Desk) -> None:
    """The same entry keeps its number and place, another one takes its place; a locked one stays."""
    entry = lists.add(desk, "ann@example.org", "allow", "bob@example.net", note="old")
    same = lists.change(desk, "example.org", entry.id, "allow", "bob@example.net", note="new")
    assert (entry.id, "new") == (same.id, same.note)
    lists.change(desk, "example.org", entry.id, "deny", "bob@example.net", expires=desk.clock() + 60)
    (only,) = lists.show(desk, "example.org")
    assert ("mailbox:ann@example.org", "deny") == (only.scope, only.entry.kind)
    with pytest.raises(DeskError, match="over already"):
        lists.change(desk, "example.org", only.entry.id, "deny", "bob@example.net", expires=desk.clock() - 1)
    lists.add(desk, "ann@example.org", "deny", "bob@example.net", locked=True)
    desk.admin = False
    with pytest.raises(DeskError, match="locked"):
        lists.change(desk, "example.org", only.entry.id, "allow", "bob@example.net")
    with pytest.raises(NotFound):
        lists.one(desk, "example.org", 99_999)
