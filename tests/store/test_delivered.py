"""Kept features: found by id and key in their domain only, after a restart and a kill, and bounded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatepost.store.delivered import DAY, Delivered, Record

NOW = 1_790_000_000.0


def record(n: int, time: float = NOW, key: str = "", to: str = "ann@example.org") -> Record:
    """Return a record of the nth mail."""
    return Record(f"ID{n}.1", time, (to,), key or f"key{n}")


def files(folder: Path) -> list[Path]:
    """Return the files of all domains, in the order of their names."""
    return sorted(folder.glob("delivered/*/*"), key=lambda path: path.name)


def test_found_again(tmp_path: Path) -> None:
    """By another process, and after a restart; another domain has nothing of it."""
    kept = Delivered(tmp_path, "w0")
    for n in range(20):
        kept.add("example.org", record(n), bytes([n]) * 100)
    again = Delivered(tmp_path)
    assert (record(7), b"\7" * 100) == again.find("example.org", "ID7.1")
    assert again.find("example.net", "ID7.1") is None
    assert again.find("example.org", "ID7") is None
    assert again.find("..", "ID7.1") is None
    assert ["example.org"] == again.domains()
    assert [] == Delivered(tmp_path / "nothing").domains()


def test_by_key(tmp_path: Path) -> None:
    """All that are the same message."""
    kept = Delivered(tmp_path, "w0")
    kept.add("example.org", record(1, key="same"), b"a")
    kept.add("example.org", record(2), b"b")
    kept.add("example.org", record(3, key="same", to="bob@example.org"), b"c")
    found = kept.by_key("example.org", "same")
    assert [("ID1.1", b"a"), ("ID3.1", b"c")] == [(r.id, f) for r, f in found]
    assert [] == kept.by_key("example.net", "same")


def test_a_torn_end(tmp_path: Path) -> None:
    """What was cut off by a kill is passed over, and what comes next is not lost behind it."""
    kept = Delivered(tmp_path, "w0")
    kept.add("example.org", record(1), b"first")
    kept.add("example.org", record(2), b"torn")
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    for cut in range(1, len(whole) // 2):
        path.write_bytes(whole[:-cut])
        assert kept.find("example.org", "ID1.1") == (record(1), b"first"), cut
        assert kept.find("example.org", "ID2.1") is None
    after = Delivered(tmp_path, "w0-again")
    after.add("example.org", record(3), b"third")
    assert (record(3), b"third") == after.find("example.org", "ID3.1")
    path.write_bytes(os.urandom(200))
    assert after.find("example.org", "ID1.1") is None


def test_torn_by_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process goes on in another file: what comes when there is room is not lost behind a torn one."""
    kept = Delivered(tmp_path, "w0")
    kept.add("example.org", record(1), b"first")

    def full(fd: int, data: bytes) -> None:
        os.write(fd, data[:-3])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("gatepost.store.delivered.write_all", full)
        with pytest.raises(OSError, match="No space"):
            kept.add("example.org", record(2), b"torn")
    kept.add("example.org", record(3), b"third")
    assert (record(3), b"third") == kept.find("example.org", "ID3.1")
    assert (record(1), b"first") == kept.find("example.org", "ID1.1")


def test_of_a_day(tmp_path: Path) -> None:
    """In the order in which it came, features read when they are wanted."""
    kept = Delivered(tmp_path, "w0")
    for n, at in enumerate((NOW, NOW, NOW + DAY)):
        kept.add("example.org", record(n, at), bytes([n]))
    found = list(kept.of_day("example.org", "2026-09-21"))
    assert ["ID0.1", "ID1.1"] == [r.id for r, _ in found]
    assert [b"\0", b"\1"] == [read() for _, read in kept.of_day("example.org", "2026-09-21")]


def test_bounded_for_a_domain(tmp_path: Path) -> None:
    """The oldest go; another domain's stay."""
    kept = Delivered(tmp_path, "w0", domain_bytes=10_000, file_bytes=2_000)
    kept.add("example.net", record(0), b"x" * 500)
    for n in range(200):
        kept.add("example.org", record(n), b"x" * 500)
    assert sum(path.stat().st_size for path in (tmp_path / "delivered/example.org").iterdir()) <= 12_000
    assert kept.find("example.org", "ID0.1") is None
    assert kept.find("example.org", "ID199.1") is not None
    assert kept.find("example.net", "ID0.1") is not None


def test_many_domains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of them is bounded, and nothing is written over."""
    monkeypatch.setattr("gatepost.store.delivered.MOST_IN_HAND", 3)
    kept = Delivered(tmp_path, "w0")
    for n in range(20):
        kept.add(f"d{n % 5}.test", record(n), b"%d" % n)
    for n in range(20):
        assert (record(n), b"%d" % n) == kept.find(f"d{n % 5}.test", f"ID{n}.1")


def test_expire(tmp_path: Path) -> None:
    """After 14 days, and the oldest of all where there is too much."""
    kept = Delivered(tmp_path, "w0", file_bytes=100)
    for n in range(20):
        kept.add(("example.org", "example.net")[n % 2], record(n, NOW - (19 - n) * DAY), b"x" * 100)
    assert 5 == kept.expire(NOW)
    assert kept.find("example.org", "ID4.1") is None
    assert kept.find("example.net", "ID5.1") is not None
    size = files(tmp_path)[0].stat().st_size
    assert 5 == kept.expire(NOW, 10 * size + 50)
    assert kept.find("example.net", "ID9.1") is None
    assert kept.find("example.org", "ID10.1") is not None


def test_what_is_too_large_is_not_kept(tmp_path: Path) -> None:
    """Nothing a sender does makes a record without a bound."""
    kept = Delivered(tmp_path, "w0")
    kept.add("example.org", record(1), b"x" * (1 << 19))
    many = Record("ID2.1", NOW, tuple(f"{n}@example.org" for n in range(1_000)), "k")
    kept.add("example.org", many, b"x")
    found = kept.find("example.org", "ID2.1")
    assert found is not None
    assert 20 == len(found[0].to)
    assert kept.find("example.org", "ID1.1") is None
