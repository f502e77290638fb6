"""What was backed up comes back whole; nothing is overwritten unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.desk import backup, domains, domains_listed
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError


def test_round_trip(desk: Desk, tmp_path: Path) -> None:
    """Domains and files of the archive are in the backup."""
    kept = desk.data_dir / "archive" / "2026-11-23" / "example.org" / "X.eml.zst"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"bytes")
    file = tmp_path / "backup"
    made = backup.make(desk.data_dir, file, 1.0)
    assert "policy" in made.databases
    assert file.stat().st_mode & 0o077 == 0
    fresh = tmp_path / "fresh"
    backup.put_back(fresh, file, 2.0)
    with Desk(fresh, "ann") as other:
        assert domains_listed.names(other) == ["example.org"]
    assert (fresh / kept.relative_to(desk.data_dir)).read_bytes() == b"bytes"


def test_restore_over_data(desk: Desk, tmp_path: Path) -> None:
    """What is there is set aside, and only when asked."""
    file = tmp_path / "backup"
    backup.make(desk.data_dir, file, 1.0)
    domains.add(desk, "later.example", ["smtp://192.0.2.5"])
    data = desk.data_dir
    desk.close()
    with pytest.raises(DeskError, match="holds data already"):
        backup.put_back(data, file, 2.0)
    done = backup.put_back(data, file, 2.0, replace=True)
    assert done.set_aside is not None
    assert (done.set_aside / "policy.db").exists()
    with Desk(data, "ann") as other:
        assert domains_listed.names(other) == ["example.org"]


def test_errors(tmp_path: Path) -> None:
    """No data, no file, no backup: one sentence each."""
    with pytest.raises(DeskError, match=r"no policy\.db"):
        backup.make(tmp_path / "empty", tmp_path / "file", 1.0)
    with pytest.raises(DeskError, match="is a folder"):
        backup.make(tmp_path, tmp_path, 1.0)
    with pytest.raises(DeskError, match="is not a file"):
        backup.put_back(tmp_path / "data", tmp_path / "nothing", 1.0)
    (tmp_path / "junk").write_bytes(b"junk")
    with pytest.raises(DeskError, match="not a"):
        backup.put_back(tmp_path / "data", tmp_path / "junk", 1.0)
