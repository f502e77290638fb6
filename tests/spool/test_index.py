"""Erasing a line disturbs nobody who appends meanwhile."""

from __future__ import annotations

from pathlib import Path

from gatepost.spool.index import Index, Kept, read_line


def line(number: int) -> bytes:
    return Kept(
        f"T{number}", 1.0, None, "a@b.example", "b.example", ref=f"2026-11-23/b.example/T{number}.eml.zst"
    ).as_line()


def test_erase_in_place(tmp_path: Path) -> None:
    """The line becomes blanks; the ones around it and those that come later stay."""
    index = Index(tmp_path)
    for number in range(3):
        index.append("2026-11-23", line(number))
    size = index.path("2026-11-23").stat().st_size
    assert index.erase("2026-11-23", "2026-11-23/b.example/T1.eml.zst")
    assert not index.erase("2026-11-23", "2026-11-23/b.example/T1.eml.zst")
    assert not index.erase("2026-11-22", "x")
    assert size == index.path("2026-11-23").stat().st_size
    index.append("2026-11-23", line(3))
    assert ["T0", "T2", "T3"] == [kept.id for kept in index.read("2026-11-23")]
    assert b"T1" not in index.path("2026-11-23").read_bytes()


def test_some_domains(tmp_path: Path) -> None:
    """What senders and people wrote is never taken for the domain of a line."""
    index = Index(tmp_path)
    hostile = 'x"domain":"b.example" ,"domain":"b.example","x":"'
    for n, domain in enumerate(("a.example", "b.example", "c.example", "a.example")):
        kept = Kept(f"T{n}", 1.0, hostile, "x@y", domain, reason=hostile, subject=hostile, helo=hostile)
        index.append("2026-11-23", kept.as_line())
    index.append("2026-11-23", b'torn "domain":"b.example"\n\n')
    assert ["T1"] == [kept.id for kept in index.read_of("2026-11-23", {"b.example"})]
    assert ["T0", "T2", "T3"] == [kept.id for kept in index.read_of("2026-11-23", {"a.example", "c.example"})]
    assert [] == list(index.read_of("2026-11-24", {"a.example"}))


def test_rewrite(tmp_path: Path) -> None:
    """A past day's index is replaced, and goes when nothing is left."""
    index = Index(tmp_path)
    index.append("2026-11-20", line(0) + line(1))
    index.rewrite("2026-11-20", [line(1)])
    assert ["T1"] == [kept.id for kept in index.read("2026-11-20")]
    assert ["2026-11-20"] == index.days()
    index.rewrite("2026-11-20", [])
    assert [] == index.days()
    assert [] == list(index.read("2026-11-20"))
    assert [] == list(index.search("2026-11-20", b"x"))


def test_null_sender_and_unknown_host() -> None:
    """`<>` and `Unknown` stand for nothing, as in the systems before."""
    kept = read_line(line(0))
    assert kept is not None
    assert (None, "") == (kept.sender, kept.host)
    assert b'"from":"<>"' in line(0)
    assert b'"host":"Unknown"' in line(0)


def test_no_reason() -> None:
    """A copy without a reason says so in the old words, and is read as without one."""
    assert b'"reason":"Unknown reason"' in line(1)
    kept = read_line(line(1))
    assert kept is not None
    assert "" == kept.reason
