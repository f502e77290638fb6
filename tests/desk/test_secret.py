"""There is one secret of an installation, readable by nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gatepost.desk.secret import LENGTH, NAME, installation_secret


def test_made_once(tmp_path: Path) -> None:
    """Whoever comes first makes it; all others read the same, also at the same moment."""
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(installation_secret, [tmp_path / "data"] * 8))
    assert len(found) == 1
    assert len(found.pop()) == LENGTH
    assert (tmp_path / "data" / NAME).stat().st_mode & 0o077 == 0
    assert [p.name for p in (tmp_path / "data").iterdir()] == [NAME]


def test_damaged(tmp_path: Path) -> None:
    """A cut-off secret signs nothing."""
    (tmp_path / NAME).write_bytes(b"short")
    with pytest.raises(OSError, match="damaged"):
        installation_secret(tmp_path)
