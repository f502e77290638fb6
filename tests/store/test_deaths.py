"""Deaths are counted durably, by many at once, within bounds, and forgotten."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gatepost.store import deaths
from gatepost.store.deaths import CHECK, KEPT, MOST_DEATHS, WORKER, Death, Deaths

NOW = 1_700_000_000.0
MAIL, OTHER = b"m" * 16, b"o" * 16


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def death(when: float = NOW, why: str = "signal 11") -> Death:
    return Death(when, WORKER, "classifier", why)


def test_counted(tmp_path: Path) -> None:
    """Each message by itself, oldest first, also for who opens the folder later."""
    folder = Deaths(tmp_path / "deaths")
    assert [] == folder.of(MAIL, NOW)
    assert 1 == folder.add(MAIL, death())
    assert 2 == folder.add(MAIL, Death(NOW + 60, CHECK, "", "took 10 s"))
    assert 1 == folder.add(OTHER, death())
    again = Deaths(tmp_path / "deaths")
    assert [death(), Death(NOW + 60, CHECK, "", "took 10 s")] == again.of(MAIL, NOW + 61)


def test_forgotten(tmp_path: Path) -> None:
    """After a week it counts no more, and its file goes when another one comes."""
    folder = Deaths(tmp_path)
    folder.add(MAIL, death())
    assert [] == folder.of(MAIL, NOW + KEPT)
    os.utime(tmp_path / MAIL.hex(), (NOW, NOW))
    folder.add(OTHER, death(NOW + KEPT + 1))
    assert [OTHER.hex()] == names(tmp_path)


def test_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many messages nor one that comes for ever fill the disk; the newest are known."""
    monkeypatch.setattr(deaths, "MOST", 5)
    folder = Deaths(tmp_path)
    for n in range(20):
        folder.add(bytes([n]) * 16, death())
        os.utime(tmp_path / (bytes([n]) * 16).hex(), (NOW + n, NOW + n))
    assert {(bytes([n]) * 16).hex() for n in range(15, 20)} == set(names(tmp_path))
    counts = [folder.add(MAIL, death(why="x" * 10_000)) for _ in range(MOST_DEATHS + 5)]
    assert [*range(1, MOST_DEATHS + 1), *[MOST_DEATHS] * 5] == counts
    assert (tmp_path / MAIL.hex()).stat().st_size < 10_000


def test_many_at_once(tmp_path: Path) -> None:
    """The parent and all workers may write down at the same time."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: Deaths(tmp_path).add(MAIL, death(why=f"{n}")), range(16)))
    assert {f"{n}" for n in range(16)} == {one.why for one in Deaths(tmp_path).of(MAIL, NOW)}


def test_what_was_cut_off(tmp_path: Path) -> None:
    """A line that a full disk or a kill cut short is no death, and swallows none."""
    folder = Deaths(tmp_path)
    folder.add(MAIL, death(why="line\nbreak\tand \x1b"))
    with (tmp_path / MAIL.hex()).open("ab") as file:
        file.write(b"17000")
    assert 2 == folder.add(MAIL, death())
    assert ["line break and  ", "signal 11"] == [one.why for one in folder.of(MAIL, NOW)]
