"""What is wrong now: whom we ask, checks, processes, backups, the disk, the policy, held mail."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from gatepost.desk import backup, domains, troubles
from gatepost.desk.alarms import UNSEEN
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter
from gatepost.telemetry.conditions import Condition
from tests.desk.conftest import NOW


def said(found: object) -> list[tuple[str, str, str]]:
    """Return kind, name and reason of each."""
    return [(one.kind, one.name, one.why) for one in found]  # type: ignore[attr-defined]


def test_whom_we_ask(desk: Desk) -> None:
    """Those who are ill; a next hop only of a domain that is hosted; nobody who was not asked for a day."""
    seen = [
        Condition("list", "bl.example", "lists everything", NOW - 5, NOW),
        Condition("list", "fine.example", "", NOW - 5, NOW),
        Condition("scanner", "old:1", "refused", NOW - 2 * UNSEEN, NOW - UNSEEN - 1),
        Condition(
            "backend", "10.0.0.5:25", "refused\r\nby it", NOW - 5, NOW, ["example.org", "gone.example"]
        ),
        Condition("backend", "10.0.0.6:25", "refused", NOW - 5, NOW, ["gone.example"]),
    ]
    found = list(troubles.asked(desk, seen, NOW))
    assert [
        ("list", "bl.example", "lists everything"), ("backend", "10.0.0.5:25", "refused by it"),
    ] == said(found)  # fmt: skip
    assert ("example.org",) == found[1].domains


def test_mail_that_is_stuck(desk: Desk) -> None:
    """Also of a domain that was removed; not what was kept in the end."""
    seen = [
        Condition("spool", "gone.example", "cannot be held", NOW - 5, NOW),
        Condition("spool", "example.org", "", NOW - 5, NOW),
    ]
    (one,) = troubles.asked(desk, seen, NOW)
    assert ("spool", "gone.example", "cannot be held", ()) == (one.kind, one.name, one.why, one.domains)


def test_checks(desk: Desk) -> None:
    """One that often could not answer; not once, not long ago, and not because of a dead scanner."""
    often = [NOW - 9 * n for n in range(troubles.FAILURES)][::-1]
    seen = [
        Condition("check", "rare", "ValueError", NOW, NOW, times=[NOW]),
        Condition("check", "past", "ValueError", NOW, NOW, times=[at - troubles.WITHIN - 50 for at in often]),
        Condition("check", "often", "ValueError", NOW, NOW, times=often),
        Condition("scanner", "127.0.0.1:3310", "refused", NOW, NOW),
        Condition("check", "clamav", "127.0.0.1:3310: refused", NOW, NOW, times=often),
    ]
    found = list(troubles.asked(desk, seen, NOW))
    assert [("check", "often", "ValueError"), ("scanner", "127.0.0.1:3310", "refused")] == said(found)
    assert often[0] == found[0].since


def test_a_check_that_did_not_load(desk: Desk) -> None:
    """Is named with the reason."""
    assert [] == list(troubles.loaded(desk, NOW))
    assert desk.plugin_folder is not None
    desk.plugin_folder.mkdir()
    (desk.plugin_folder / "broken.py").write_text("raise ValueError('no')\n")
    del vars(desk)["registry"]
    ((kind, name, why),) = said(troubles.loaded(desk, NOW))
    assert ("check", "broken") == (kind, name)
    assert why.startswith("it did not load: ")
    assert "no" in why


def test_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little of it is left, or less than kept mail needs."""
    gib = 1 << 30
    desk.archive_min_free = gib
    left = {"free": 50 * gib}
    space = lambda _path: SimpleNamespace(free=left["free"], total=100 * gib)  # noqa: E731
    monkeypatch.setattr(shutil, "disk_usage", space)
    assert [] == list(troubles.disk(desk, NOW))
    left["free"] = 4 * gib
    ((kind, _, why),) = said(troubles.disk(desk, NOW))
    assert "disk" == kind
    assert why.startswith("4.0 GiB of 100.0 GiB are free")
    desk.archive_min_free = 20 * gib
    left["free"] = 19 * gib
    assert 1 == len(list(troubles.disk(desk, NOW)))


def test_policy(desk: Desk) -> None:
    """A stored value that cannot be used, and a database that cannot be read."""
    assert [] == list(troubles.policy(desk, NOW))
    desk.policy.put("all", {"dnsbl.threshold": "many"}, by="x")
    ((kind, _, why),) = said(troubles.policy(desk, NOW))
    assert "policy" == kind
    assert "dnsbl.threshold" in why
    desk.policy.close()
    del vars(desk)["policy"]
    (desk.data_dir / "policy.db").write_bytes(b"x" * 9000)
    for left in ("policy.db-wal", "policy.db-shm"):
        (desk.data_dir / left).unlink(missing_ok=True)
    ((_, name, why),) = said(troubles.policy(desk, NOW))
    assert ("policy.db", True) == (name, "damaged" in why)


def test_processes(desk: Desk) -> None:
    """One that died often lately; once is no trouble, and neither is what is long ago."""
    for n in range(troubles.DEATHS - 1):
        troubles.died(desk.data_dir, "w0", "with status -11", NOW + n)
        troubles.died(desk.data_dir, "w1", "with status 1", NOW - troubles.DEATHS_WITHIN - 5)
    assert [] == list(troubles.processes(desk, NOW + 10))
    troubles.died(desk.data_dir, "w0", "with status -9", NOW + 10)
    troubles.died(desk.data_dir, "w1", "with status 1", NOW)
    ((kind, name, why),) = said(troubles.processes(desk, NOW + 11))
    assert ("process", "w0") == (kind, name)
    assert "3 times in the last 15 minutes, last with status -9" == why
    assert [] == list(troubles.processes(desk, NOW + troubles.DEATHS_WITHIN + 11))


def test_half_a_file(desk: Desk) -> None:
    """What cannot be read says nothing, and does not stay."""
    (desk.data_dir / "run").mkdir()
    (desk.data_dir / "run" / troubles.DEATHS_FILE).write_text('{"w0')
    (desk.data_dir / "run" / troubles.BACKUP_FILE).write_text("[]")
    assert [] == [*troubles.processes(desk, NOW), *troubles.backups(desk, NOW)]
    for n in range(troubles.DEATHS):
        troubles.died(desk.data_dir, "w0", "x", NOW + n)
    assert 1 == len(list(troubles.processes(desk, NOW + 5)))


def test_backups(desk: Desk, tmp_path: Path) -> None:
    """One that failed is trouble until one succeeds."""
    assert desk.policy.version()
    with pytest.raises((DeskError, OSError)):
        backup.make(desk.data_dir, tmp_path / "no" / "such" / "folder", NOW)
    ((kind, _, why),) = said(troubles.backups(desk, NOW + 5))
    assert "backup" == kind
    assert why
    backup.make(desk.data_dir, tmp_path / "good", NOW + 9)
    assert [] == list(troubles.backups(desk, NOW + 10))


def test_held_mail(desk: Desk) -> None:
    """Of a domain whose digest nobody gets; no alarm where somebody gets one, or nothing is held."""
    domains.add(desk, "other.example", ["maildir:///nowhere"])
    assert [] == list(troubles.held(desk, NOW))
    writer = JournalWriter(desk.data_dir, "w0", clock=lambda: NOW)
    for name in ("example.org", "gone.example"):
        writer.add(
            outcome_line("0DQ3N7V5K2F8T.1", name, f"ann@{name}", "x@y.example", "192.0.2.1", "quarantined",
                         "score", "held", 250)
        )  # fmt: skip
    writer.flush()
    writer.close()
    desk.journal.collect(desk.data_dir)
    (found,) = troubles.held(desk, NOW + 60)
    assert ("held", ("example.org",)) == (found.kind, found.domains)
    domains.set_values(desk, "example.org", {"digest": "daily", "digest.to": ["ann"]})
    assert [] == list(troubles.held(desk, NOW + 60))
    domains.set_values(desk, "example.org", {"digest": "off"})
    assert [] == list(troubles.held(desk, NOW + 3 * troubles.HELD_WITHIN))


def test_poison(desk: Desk) -> None:
    """Mail that was set aside within a day, by domain; what was only put off is no alarm yet."""
    writer = JournalWriter(desk.data_dir, "w0", clock=lambda: NOW)

    def write(name: str, fate: str, code: int) -> None:
        writer.add(
            outcome_line("0DQ3N7V5K2F8T.1", name, f"ann@{name}", "x@y.example", "192.0.2.1", fate,
                         "poison", "killed 2 processes", code)
        )  # fmt: skip
        writer.flush()
        desk.journal.collect(desk.data_dir)

    write("example.org", "deferred", 451)
    assert [] == list(troubles.poison(desk, NOW + 60))
    write("example.org", "quarantined", 250)
    write("example.org", "quarantined", 250)
    write("a.example", "rejected", 554)
    (found,) = troubles.poison(desk, NOW + 60)
    assert ("poison", ("a.example", "example.org")) == (found.kind, found.domains)
    assert found.why.startswith("3 set aside within a day")
    assert [] == list(troubles.poison(desk, NOW + 3 * troubles.HELD_WITHIN))
    writer.close()
