"""The keeper deletes what removed domains left when nobody can bring them back, and says so."""

from __future__ import annotations

import os
from pathlib import Path

from gatepost.app.left_behind import LeftBehind
from gatepost.config import load as load_config
from gatepost.config.desks import desk_from
from gatepost.desk import domains
from gatepost.desk.deeds import at_once
from gatepost.telemetry.log import Log
from tests.desk.conftest import NOW

DAY = 86_400


def test_look(tmp_path: Path) -> None:
    """Not before its time; then all of it, once; mail of a domain stays as long as its policy said."""
    said = {"hostname": "mx.test", "data_dir": str(tmp_path / "data")}
    config = load_config(None, {}, overrides=said, search=())
    log = tmp_path / "log"
    now = [float(NOW)]
    left = LeftBehind(config, Log(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)), clock=lambda: now[0])
    with desk_from(config, "test", clock=lambda: now[0]) as desk:
        domains.add(desk, "example.org", ["maildir:///nowhere/%u"], {"keep_days": 77})
        at_once(desk.records.put("example.org", "notes", "x", {}))
        domains.remove(desk, "example.org")
        assert (77, 30, 30) == tuple(map(left.keep_days, ("example.org", "other.example", "")))
        now[0] += 29 * DAY
        assert [] == left.look()
        assert list(desk.records.of_domain("example.org"))
        now[0] += 2 * DAY
        assert ["example.org"] == left.look()
        assert [] == left.look()
        assert not list(desk.records.of_domain("example.org"))
    for name in ("policy.db", "policy.db-wal", "policy.db-shm"):
        (config.data_dir / name).unlink(missing_ok=True)
    (config.data_dir / "policy.db").write_bytes(b"this is no database" * 400)
    assert 3650 == left.keep_days("example.org"), "nothing is thrown away while nobody knows"
    assert 1 == log.read_text().count("left_behind domain=example.org")
