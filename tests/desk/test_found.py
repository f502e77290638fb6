"""Local parts found in old mail: where they stand, when and how often, and who of them is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatepost.desk import found, recipients
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.found import Found, chosen, locals_of, marked, search, write
from gatepost.mail.dates import parse_date
from gatepost.mail.message import Message
from tests.cost import assert_linear

NOW = 1_795_617_005.0


def seen(*lines: str) -> dict[str, bool]:
    """Return what is found in a header block."""
    return locals_of(Message("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"), "example.org")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("To: ann@example.org", {"ann": False}),
        ("to: Ann Lee <Ann@Example.ORG>, bob@example.org (Bob)", {"ann": False, "bob": False}),
        ('Cc: "Lee, Ann" <ann.lee@example.org>,\r\n <x@other.example>', {"ann.lee": False}),
        ('To: "a b"@example.org', {"a b": False}),
        ("To: friends: ann+list@example.org, bob@example.org;", {"ann+list": False, "bob": False}),
        ("Delivered-To: ann@example.org", {"ann": True}),
        ("X-Original-To: ann@example.org", {"ann": True}),
        ("Envelope-To: ann@example.org, bob@example.org", {"ann": True, "bob": True}),
        ("Received: from a by b for <ann@example.org>; Wed, 25 Nov 2026 14:30:05 +0000", {"ann": True}),
        ("Received: from a by b\r\n\tfor ann@example.org; Wed, 25 Nov 2026 14:30:05 +0000", {"ann": True}),
        ("Received: from a (envelope-from <eve@example.org>) by b", {}),
        ("From: ann@example.org", {}),
        ("Subject: ann@example.org", {}),
        ("To: ann@example.org.other.example, bob@example.organic, c@mail.example.org", {}),
        ("To: ann@example.org.", {"ann": False}),
        ("To: *@example.org", {}),
        ("To: @example.org, <@example.org>, ..@example.org", {}),
        ("To: " + "x" * 65 + "@example.org", {}),
        ("To: d\u00f6ra@example.org", {"d\u00f6ra": False}),
    ],
)
def test_where_they_stand(line: str, wanted: dict[str, bool]) -> None:
    """In five headers and behind `for` in Received, of this very domain; True where a server wrote it."""
    assert wanted == seen(line)


def test_hostile_header_is_bounded() -> None:
    """A thousand addresses of one mail are looked at; twice the bytes take no more than twice the time."""
    assert 1000 == len(seen("To: " + ",".join(f"u{n}@example.org" for n in range(5_000))))

    def made(size: int) -> Message:
        return Message(b"To: " + b"a" * size + b"\r\nCc: " + b'"\\' * (size // 2) + b"@example.org\r\n\r\n")

    assert_linear(made, lambda message: locals_of(message, "example.org"), 20_000, times=2)


def mail(*recipients_: str, day: int, header: str = "To") -> bytes:
    """Return a mail of a day in November 2026."""
    return (
        f"Received: from a by b; {day} Nov 2026 12:00:00 +0000\r\n"
        f"{header}: {', '.join(recipients_)}\r\n\r\nx\r\n"
    ).encode()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Ann got three mails, bob one by a server's word, shop one in March of a year that is to come."""
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "1").write_bytes(mail("ann@example.org", day=1))
    (folder / "2").write_bytes(mail("ann@example.org", "ANN@example.org", day=5))
    (folder / "3").write_bytes(mail("ann@example.org", day=3))
    (folder / "4").write_bytes(mail("bob@example.org", day=2, header="Delivered-To"))
    (folder / "5").write_bytes(mail("shop@example.org", day=4).replace(b"Nov 2026", b"Mar 2036"))
    return folder


def test_search(old: Path) -> None:
    """One mail is one use; first and last are the times at which it came, and none is in the future."""
    result = search("Example.ORG", [str(old)], NOW)
    assert [("ann", 3, 0), ("bob", 1, 1), ("shop", 1, 0)] == [
        (u.local, u.count, u.delivered) for u in result.uses
    ]
    ann, _, shop = result.uses
    assert parse_date("1 Nov 2026 12:00:00") == ann.first
    assert parse_date("5 Nov 2026 12:00:00") == ann.last
    assert NOW == shop.last
    assert 5 == result.reading.messages


def test_a_copied_file_is_as_old_as_its_mail(tmp_path: Path) -> None:
    """Without a Received field: the second in a Maildir's name, else the Date; when a file was copied says
    nothing, and counts only where nothing else does."""
    date, now = "Mon, 6 Sep 1999 14:30:05 +0000", NOW
    for name, head in {
        "940000000.M1.host:2,S": f"To: sure@example.org\nDate: {date}\n",
        "17": f"To: dated@example.org\nDate: {date}\n",
        "18": "To: bare@example.org\n",
        "mbox": f"From a@b.example Tue Sep  7 10:00:00 1999\nTo: box@example.org\nDate: {date}\n",
    }.items():
        (tmp_path / name).write_text(f"{head}\nx\n")
        os.utime(tmp_path / name, (now - 5, now - 5))
    found = {use.local: use.last for use in search("example.org", [str(tmp_path)], now).uses}
    assert {"sure": 940_000_000, "dated": parse_date(date), "bare": now - 5, "box": 936_698_400} == found


def test_choose_and_write(desk: Desk, old: Path) -> None:
    """By count, by time, by name; who is listed already is left alone, valid or not."""
    recipients.add(desk, "example.org", ["bob"], invalid=True)
    result = marked(desk, search("example.org", [str(old)], NOW))

    def names(**words: object) -> list[str]:
        return [use.local for use in chosen(result, **words)]  # type: ignore[arg-type]

    assert ["ann", "shop"] == names()
    assert ["ann"] == names(at_least=2)
    assert ["shop"] == names(since=NOW - 86_400)
    assert ["ann"] == names(only=["Ann@example.org", "bob"])
    assert [] == names(at_least=2, since=NOW)
    with pytest.raises(DeskError, match="no mail for it"):
        names(only=["nobody"])
    assert 2 == write(desk, "example.org", chosen(result))
    rows = {row.local: row.kind for row in recipients.listing(desk, "example.org")}
    assert {"ann": "valid", "bob": "invalid", "shop": "valid"} == rows
    assert [] == chosen(marked(desk, result))


def test_domain_that_is_none(desk: Desk) -> None:
    """A bad name and one that is not hosted here are said."""
    with pytest.raises(DeskError):
        search("no domain", [], NOW)
    with pytest.raises(NotFound):
        marked(desk, Found("example.net", []))


def test_more_than_can_be_remembered(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spam makes local parts up without end: beyond the bound they are only counted."""
    monkeypatch.setattr(found, "MOST", 1)
    result = search("example.org", [str(old)], NOW)
    assert (["ann"], 2) == ([use.local for use in result.uses], result.left_out)
