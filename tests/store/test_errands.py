"""Errands wait on the disk, are tried later each time, and given up after days; a domain's are bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.store import errands as module
from gatepost.store.errands import FIRST_WAIT, GIVEN_UP_AFTER, LONGEST_WAIT, MAX_RAW, SHOWN_FOR, Errands


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def test_put_and_done(tmp_path: Path) -> None:
    """In the order written, after a restart, cut to what other filters look at."""
    errands = Errands(tmp_path)
    assert [] == errands.paths()
    errands.put("example.org", "rspamd", b"one\nof two lines", spam=True)
    errands.put("example.org", "spamassassin", b"x" * (MAX_RAW + 5), spam=False)
    errands.put("example.net", "rspamd", b"other", spam=True)
    again = Errands(tmp_path)
    other, first, second = again.paths()
    found = again.read(first)
    assert found is not None
    assert ("example.org", "rspamd", True, 0) == (
        found[0].domain,
        found[0].plugin,
        found[0].spam,
        found[0].tries,
    )
    assert b"one\nof two lines" == found[1]
    assert MAX_RAW == len((again.read(second) or found)[1])
    assert ["rspamd", "spamassassin"] == [one.plugin for one in again.of_domain("example.org")]
    for path in (other, first, second):
        again.done(path)
    assert again.read(first) is None
    assert [] == again.paths()


def test_failed(tmp_path: Path) -> None:
    """Later each time, at most an hour; after three days without its message, and gone a week later."""
    clock = Clock()
    errands = Errands(tmp_path, clock)
    errands.put("example.org", "rspamd", b"raw", spam=True)
    (path,) = errands.paths()
    waits = []
    while True:
        errand, raw = errands.read(path) or pytest.fail("gone")
        after = errands.failed(path, errand, raw, "refused " * 100)
        if after.given_up:
            break
        waits.append(after.due - clock.now)
        clock.now = after.due
    assert [FIRST_WAIT, 2 * FIRST_WAIT, LONGEST_WAIT] == [waits[0], waits[1], waits[-1]]
    assert clock.now - after.since >= GIVEN_UP_AFTER
    assert (clock.now + SHOWN_FOR, 300) == (after.due, len(after.last))
    assert (after, b"") == errands.read(path)


def test_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest of the domain goes."""
    monkeypatch.setattr(module, "MOST", 3)
    errands = Errands(tmp_path)
    errands.put("example.net", "rspamd", b"mine", spam=True)
    for n in range(5):
        errands.put("example.org", "rspamd", b"%d" % n, spam=True)
    found = [errands.read(path) for path in errands.paths()]
    assert [b"mine", b"2", b"3", b"4"] == [one[1] for one in found if one is not None]


def test_what_is_none(tmp_path: Path) -> None:
    """A file that is no errand goes, and half-written ones are not looked at."""
    folder = tmp_path / "errands" / "example.org"
    folder.mkdir(parents=True)
    for text in ("", "{}\n", "[1]\nx", '{"domain":1,"more":2}\n'):
        (folder / "a").write_text(text)
        assert Errands(tmp_path).read(folder / "a") is None
        assert not (folder / "a").exists()
    (folder / "b.1.tmp").write_text("half")
    assert [] == Errands(tmp_path).paths()
    (tmp_path / "errands" / "file").write_text("")
    assert [] == Errands(tmp_path).paths()
