"""Recipients are added, removed and imported; what cannot be read is told by its line."""

from __future__ import annotations

import pytest

from gatepost.desk import recipients
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError


def listed(desk: Desk) -> list[tuple[str, str]]:
    """Return (local part, kind) of what is listed."""
    return [(r.local, r.kind) for r in recipients.listing(desk, "example.org")]


def test_add_and_remove(desk: Desk) -> None:
    """A local part or a whole address, in any case, is one recipient."""
    assert recipients.add(desk, "example.org", ["Ann", "bob@example.org", "*"]) == 3
    assert recipients.add(desk, "example.org", ["ann"]) == 0
    assert listed(desk) == [("*", "valid"), ("ann", "valid"), ("bob", "valid")]
    assert recipients.remove(desk, "example.org", ["ANN@example.org", "nobody"]) == 1
    assert listed(desk) == [("*", "valid"), ("bob", "valid")]


def test_invalid_and_acl(desk: Desk) -> None:
    """A recipient may be known not to exist, or take mail from some clients alone."""
    recipients.add(desk, "example.org", ["old"], invalid=True)
    recipients.add(desk, "example.org", ["intern"], acl=["10.0.0.0/8", "2001:db8::1"])
    rows = {r.local: r for r in recipients.listing(desk, "example.org")}
    assert rows["old"].kind == "invalid"
    assert rows["intern"].acl == ("10.0.0.0/8", "2001:db8::1/128")


@pytest.mark.parametrize("text", ["ann@example.com", "", "a\x00b", "x" * 65])
def test_bad_local_part(desk: Desk, text: str) -> None:
    """What cannot come over the wire for this domain cannot be listed."""
    with pytest.raises(DeskError):
        recipients.add(desk, "example.org", [text])


def test_odd_local_parts(desk: Desk) -> None:
    """Quoted, international and path-like local parts are names like others, never paths (T3.4)."""
    odd = ["../../x", "jürgen", "a b", '"quoted one"']
    assert recipients.add(desk, "example.org", odd) == 4
    assert recipients.remove(desk, "example.org", odd) == 4


def test_bad_network(desk: Desk) -> None:
    """A wrong network is said."""
    with pytest.raises(DeskError, match=r"10\.0\.0\.1/8"):
        recipients.add(desk, "example.org", ["ann"], acl=["10.0.0.1/8"])


@pytest.mark.parametrize(
    "line",
    ["ann,Ann Lee", "ann: bob", "ann:x:1000:1000:Ann:/home/ann:/bin/sh", "ann\tbob", "ann@example.org bob"],
)
def test_what_is_no_list(desk: Desk, line: str) -> None:
    """A line of a table, of aliases or of passwd is told, and never taken for a name with odd characters."""
    done = recipients.import_lines(desk, "example.org", f'{line}\nbob\n*\n"carl lee"\n'.encode())
    assert (3, 1) == (done.added, done.bad_count)
    assert done.bad[0].startswith("line 1: ")
    assert {"bob", "*", "carl lee"} == {local for local, _ in listed(desk)}


def test_import(desk: Desk) -> None:
    """One a line, comments and blank lines passed over; bad lines are told and the rest is taken."""
    text = "\ufeffann\r\n# people\n\nbob@example.org\nann\ncarl@example.com\nd\u00f6ra\n".encode() + b"\xff\n"
    done = recipients.import_lines(desk, "example.org", text)
    assert (done.read, done.added, done.bad_count) == (3, 3, 2)
    assert done.bad[0].startswith("line 6: 'carl@example.com' is not of example.org")
    assert done.bad[1] == "line 8: not UTF-8"
    assert [local for local, _ in listed(desk)] == ["ann", "bob", "döra"]


def test_import_replaces(desk: Desk) -> None:
    """With `replace` the list is what the file says; those known as invalid stay."""
    recipients.add(desk, "example.org", ["ann", "bob"])
    recipients.add(desk, "example.org", ["old"], invalid=True)
    done = recipients.import_lines(desk, "example.org", b"bob\ncarl\n", replace=True)
    assert (done.added, done.removed) == (1, 1)
    assert listed(desk) == [("bob", "valid"), ("carl", "valid"), ("old", "invalid")]


def test_import_of_nothing_replaces_nothing(desk: Desk) -> None:
    """An empty file is a mistake: it does not empty the list."""
    recipients.add(desk, "example.org", ["ann"])
    with pytest.raises(DeskError, match="no recipient could be read"):
        recipients.import_lines(desk, "example.org", b"# nobody\n", replace=True)
    assert listed(desk) == [("ann", "valid")]


def test_import_of_many(desk: Desk) -> None:
    """Ten thousand come in, in changes that can each be rolled back."""
    lines = b"".join(b"user%d\n" % n for n in range(10_000))
    assert recipients.import_lines(desk, "example.org", lines).added == 10_000
    assert all(change.complete for change in desk.policy.changes(limit=10))
    assert [r.local for r in recipients.listing(desk, "example.org", "user5", 2)] == ["user50", "user500"]
