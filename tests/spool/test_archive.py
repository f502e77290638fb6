"""Kept mail is on the disk before the reply, comes back byte for byte, has bounds (L8, L10, CONTRACT 8)."""

from __future__ import annotations

import errno
import json
import subprocess
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.spool.archive import Archive, ArchiveFull
from gatepost.spool.index import Kept
from tests.spool.shim import Failing, Killing, Recorder, in_child

NOW = 1_795_392_000.0  # 2026-11-23 00:00 UTC
DAY = "2026-11-23"
MAIL = b"Subject: =?x?=\r\nMessage-ID: <1@b>\r\n\r\nHello \xff\r\n.dot\r\n"
BIG = 1 << 30


def archive(place: Path, *, most: int = BIG, files: Recorder | None = None, domain: int = 0) -> Archive:
    if files is None:
        return Archive(place, most, 0, lambda: NOW, domain_bytes=domain)
    return Archive(place, most, 0, lambda: NOW, files, domain_bytes=domain)


def kept(name: str = "0DQ3N7V5K2F8T.1", domain: str = "example.org", *, held: bool = False) -> Kept:
    return Kept(
        id=name,
        time=NOW,
        sender="a@b.example",
        recipient=f"ann@{domain}",
        domain=domain,
        ip="192.0.2.1",
        host="mx.b.example",
        helo="mx",
        reason="listed in zen.example",
        plugin="dnsbl",
        outcome="quarantined" if held else "rejected",
        held=held,
        subject="Hi",
        message_id="<1@b>",
        size=len(MAIL),
    )


def mails(place: Path) -> list[str]:
    return sorted(str(file.relative_to(place)) for file in place.glob("????-*/*/*"))


def test_kept_and_read(tmp_path: Path) -> None:
    """The bytes come back as received; the index has one line with the old names of the fields."""
    store = archive(tmp_path)
    ref = store.keep(kept(), [MAIL[:7], MAIL[7:]])
    assert f"{DAY}/example.org/0DQ3N7V5K2F8T.1.eml.zst" == ref
    assert MAIL == store.read(ref)
    (line,) = (tmp_path / "index" / f"{DAY}.jsonl").read_text().splitlines()
    said = json.loads(line)
    wanted = {
        "id": "0DQ3N7V5K2F8T.1",
        "time": NOW,
        "from": "<a@b.example>",
        "ip": "192.0.2.1",
        "host": "mx.b.example",
        "helo": "mx",
        "reason": "listed in zen.example",
        "plugin": "dnsbl",
        "outcome": "rejected",
        "subject": "Hi",
        "recipient": "ann@example.org",
        "message-id": "<1@b>",
        "size": len(MAIL),
        "filename": ref,
    }
    assert wanted.items() <= said.items()


def test_counting_what_was_kept_today(tmp_path: Path) -> None:
    """`find -L today -type f | wc -l` says how many were kept today; yesterday's link is there as well."""
    store = archive(tmp_path)
    for number in range(3):
        store.keep(kept(f"A.{number}"), [MAIL])
    found = subprocess.run(
        ["find", "-L", "today", "-type", "f"], cwd=tmp_path, capture_output=True, check=True
    )
    assert 3 == found.stdout.count(b"\n")
    assert "2026-11-22" == str((tmp_path / "yesterday").readlink())


def test_order_of_writing(tmp_path: Path) -> None:
    """File, directory and index are on the disk when `keep` returns, in this order (L1, L8)."""
    archive(tmp_path).keep(kept("first"), [MAIL])
    recorder = Recorder()
    archive(tmp_path, files=recorder).keep(kept("second"), [MAIL])
    said = [word for word in recorder.said if not word.startswith(("open", "close"))]
    name = "second.eml.zst"
    expected = [
        f"write {name}.tmp",
        f"fsync {name}.tmp",
        f"rename {name}.tmp -> {name}",
        "fsync example.org",
        f"write {DAY}.jsonl",
        f"fsync {DAY}.jsonl",
    ]
    assert expected == said


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.EMFILE])
def test_failure_keeps_nothing(tmp_path: Path, code: int) -> None:
    """Whichever call fails: an OSError, no file, no line that can be found, and the count is right."""
    for several in (1, 3):
        at = 0
        while True:
            place = tmp_path / f"{several}-{at}"
            archive(place)
            shim = Failing(at, code)
            items = [kept(f"x.{n}", f"d{n}.example") for n in range(several)]
            try:
                archive(place, files=shim).keep_each(items, [MAIL])
            except OSError as error:
                assert code == error.errno
                assert [] == mails(place), shim.failed
                assert [] == archive(place).list()
                assert 0 == archive(place).usage.get("@all")
            else:
                break
            at += 1
        assert at > 10


def test_killed_at_each_step(tmp_path: Path) -> None:
    """kill -9 ahead of each call: a mail is found whole, or not in the list; never half."""
    at = 0
    while True:
        place = tmp_path / str(at)
        archive(place)
        finished = in_child(partial(archive(place, files=Killing(at)).keep, kept(), [MAIL]))
        store = archive(place)
        found = store.list()
        assert [MAIL] * len(found) == [store.read(one.ref) for one in found]
        for file in mails(place):
            assert MAIL == store.read(file)
        left = store.recover(NOW + 1e10)
        assert len(left) == len(list((place / "corrupt").glob("*"))) if left else True
        assert [] == list((place / "tmp").iterdir())
        assert store.recount() == sum((place / file).stat().st_size for file in mails(place))
        if finished:
            assert 1 == len(found)
            break
        at += 1
    assert at > 10


def test_several_recipients_share_the_bytes(tmp_path: Path) -> None:
    """One mail for three recipients: three names, the bytes once; deleting one leaves the others."""
    store = archive(tmp_path)
    items = [kept(), kept(), kept(domain="two.example")]
    refs = store.keep_each(items, [MAIL])
    assert 3 == len(set(refs))
    assert 1 == len({(tmp_path / ref).stat().st_ino for ref in refs})
    assert store.delete(refs[0])
    assert not store.delete(refs[0])
    assert [MAIL, MAIL] == [store.read(ref) for ref in refs[1:]]
    assert {refs[1], refs[2]} == {one.ref for one in store.find("0DQ3N7V5K2F8T")}
    assert [refs[2]] == [one.ref for one in store.find("0DQ3N7V5K2F8T.1", "two.example")]


def test_find_by_id(tmp_path: Path) -> None:
    """A session's id finds its transactions, but not those of an id that begins alike."""
    store = archive(tmp_path)
    store.keep(kept("AAA.1"), [MAIL])
    store.keep(kept("AAA.12"), [MAIL])
    assert ["AAA.1"] == [one.id for one in store.find("AAA.1")]
    assert {"AAA.1", "AAA.12"} == {one.id for one in store.find("AAA")}
    assert [] == store.find("AA")
    assert [] == store.find('"')
    found = store.get(f"{DAY}/example.org/AAA.1.eml.zst")
    assert found is not None
    assert "AAA.1" == found.id
    assert store.get("nothing") is None


def test_list(tmp_path: Path) -> None:
    """Newest first, by domain, outcome, words, with a limit."""
    store = archive(tmp_path)
    for number in range(5):
        store.keep(kept(f"A{number}", held=number == 2), [MAIL])
    store.keep(kept("B", "two.example"), [MAIL])
    assert ["B", "A4", "A3"] == [one.id for one in store.list(limit=3)]
    assert ["B"] == [one.id for one in store.list("two.example")]
    assert ["A2"] == [one.id for one in store.list(outcome="quarantined")]
    assert 6 == len(store.list(text="ZEN.example"))
    assert [] == store.list(text="nothing like it")
    assert [] == store.list(since=NOW + 86_400)


def test_bound_in_all(tmp_path: Path) -> None:
    """Over the bound the oldest refused mail goes; held mail stays until nothing else is left to go."""
    store = archive(tmp_path)
    held = store.keep(kept("held", held=True), [MAIL])
    size = store.usage.get("@all")
    store = archive(tmp_path, most=size * 3 + size // 2)
    refs = [store.keep(kept(f"A{n}"), [MAIL]) for n in range(5)]
    assert store.exists(held)
    assert not store.exists(refs[0])
    assert store.exists(refs[4])
    assert store.usage.get("@all") <= store.max_bytes
    with pytest.raises(ArchiveFull):
        for number in range(9):
            store.keep(kept(f"H{number}", held=True), [MAIL])
    assert not any(store.exists(ref) for ref in refs)
    assert store.exists(held)
    assert store.usage.get("@all") == store.recount() <= store.max_bytes


def test_bound_of_a_domain(tmp_path: Path) -> None:
    """One domain's storm throws out its own mail, nobody else's."""
    store = archive(tmp_path)
    other = store.keep(kept("other", "two.example"), [MAIL])
    size = store.usage.get("two.example")
    store = archive(tmp_path, domain=size * 2 + size // 2)
    refs = [store.keep(kept(f"A{n}"), [MAIL]) for n in range(6)]
    assert store.exists(other)
    assert store.exists(refs[-1])
    assert store.usage.get("example.org") <= store.domain_bytes


def test_little_left_on_the_disk(tmp_path: Path) -> None:
    """Under `min_free` nothing more is kept: an error, which the caller turns into 4xx or a count."""
    store = Archive(tmp_path, BIG, 1 << 62, lambda: NOW)
    with pytest.raises(ArchiveFull):
        store.keep(kept(), [MAIL])
    assert [] == mails(tmp_path)


EVIL = ["../../../etc/cron.d/x", "..", "a/b", "", "\0", "a\r\nb", "\ud800", "[192.0.2.1]", "x" * 3000]


@pytest.mark.parametrize("name", EVIL)
def test_no_name_is_a_path(tmp_path: Path, name: str) -> None:
    """A domain or id from the net lies inside the day's directory, whatever it holds (T3.4)."""
    place = tmp_path / "archive"
    store = archive(place)
    ref = store.keep(kept(name, name), [MAIL])
    assert MAIL == store.read(ref)
    assert [ref] == mails(place)
    assert ["archive"] == [entry.name for entry in tmp_path.iterdir()]
    assert [ref] == [one.ref for one in store.list()]


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "/etc/passwd",
        "../x/y.eml.zst",
        f"{DAY}/../x.eml.zst",
        f"{DAY}/a/../../b.eml.zst",
        f"{DAY}/a/b",
        "today/a/b.eml.zst",
    ],
)
def test_no_reference_leads_out(tmp_path: Path, ref: str) -> None:
    """Only what `keep` made is a reference."""
    store = archive(tmp_path)
    assert not store.exists(ref)
    with pytest.raises(ValueError, match="not a reference"):
        store.read(ref)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_one_line_whatever_they_wrote(subject: str, helo: str, sender: str) -> None:
    """No text of a stranger makes a second line; it comes back equal."""
    item = Kept("x", NOW, sender or None, "ann@example.org", "example.org", helo=helo, subject=subject)
    line = item.as_line()
    assert 1 == line.count(b"\n")
    assert line.isascii()
    said = json.loads(line)
    assert (subject, helo, f"<{sender}>") == (said["subject"], said["helo"], said["from"])


def test_a_damaged_file_is_our_error(tmp_path: Path) -> None:
    """A cut or overwritten file gives an OSError, a bomb is read in blocks."""
    store = archive(tmp_path)
    ref = store.keep(kept(), [MAIL * 1000])
    path = tmp_path / ref
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(OSError):
        store.read(ref)
    path.write_bytes(b"rubbish")
    with pytest.raises(OSError):
        store.read(ref)
    bomb = store.keep(kept("bomb"), (b"\0" * 1_000_000 for _ in range(50)))
    assert max(map(len, store.blocks(bomb))) <= 262_144


def test_torn_lines_are_passed_over(tmp_path: Path) -> None:
    """Rubbish between the lines of the index hides nothing else."""
    store = archive(tmp_path)
    store.keep(kept("A"), [MAIL])
    with (tmp_path / "index" / f"{DAY}.jsonl").open("ab") as stream:
        stream.write(b'{"id":"half\n\n[]\n\xff\xfe\nnull\n{"id":5}\n')
    store.keep(kept("B"), [MAIL])
    assert ["B", "A"] == [one.id for one in store.list()]
