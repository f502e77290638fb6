"""One person's data as a zip: every kind in a file of its own, mail as received, and written down."""

from __future__ import annotations

import io
import json
import zipfile

from gatepost.desk import changes, privacy, privacy_export
from gatepost.desk.deeds import deeds_of
from gatepost.desk.desk import Desk
from tests.desk.conftest import Clock
from tests.desk.test_archive import RAW
from tests.desk.test_privacy import ANN, BOB, full

__all__ = ["full"]


def exported(desk: Desk, address: str) -> tuple[zipfile.ZipFile, dict[str, int]]:
    """Return the zip and the counts."""
    out = io.BytesIO()
    counts = privacy_export.export(desk, "example.org", privacy.person(address), out)
    return zipfile.ZipFile(out), counts


def rows(file: zipfile.ZipFile, name: str) -> list[dict[str, object]]:
    """Return the lines of a file."""
    return [json.loads(line) for line in file.read(f"{name}.jsonl").splitlines()]


def test_export(full: Desk) -> None:
    """What `look` found, whole."""
    file, counts = exported(full, ANN)
    assert file.testzip() is None
    for kind in (
        "journal",
        "kept",
        "queue",
        "records",
        "trainings",
        "reviews",
        "changes",
        "lists",
        "accounts",
    ):
        assert counts[kind] == len(rows(file, kind)), kind
    (row,) = rows(file, "journal")
    assert (ANN, BOB, f"dear {ANN}") == (row["recipient"], row["sender"], row["subject"])
    (mail,) = [name for name in file.namelist() if name.startswith("kept/")]
    assert RAW == file.read(mail)
    assert ANN in file.read("README.txt").decode()
    (account,) = rows(file, "accounts")
    assert {"name", "role", "domains", "language", "zone"} == account.keys()


def test_written_down(full: Desk, clock: Clock) -> None:
    """In the list of changes, without the person, and with each mail that was opened."""
    before = len([one for one in deeds_of(full, "example.org") if one.what == "opened"])
    clock.now += 60
    exported(full, ANN)
    assert before + 1 == len([one for one in deeds_of(full, "example.org") if one.what == "opened"])
    first = changes.listing(full, "example.org", limit=1)[0]
    assert "exported one person's data: " in changes.in_words(first)
    assert "1 journal, 1 kept" in changes.in_words(first)
    assert ANN not in str(first)


def test_of_others_nothing(full: Desk) -> None:
    """Nobody else's row, and nothing of another domain."""
    file, _ = exported(full, ANN)
    everything = b"\n".join(file.read(name) for name in file.namelist() if name.endswith(".jsonl"))
    assert b"joann" not in everything
    assert b"carl@example.com" not in everything


def test_a_mail_that_cannot_be_read(full: Desk) -> None:
    """Is named, and the rest is there."""
    (kept,) = privacy.look(full, "example.org", privacy.person(ANN)).kept
    full.archive.path(kept.ref).write_bytes(b"no zstd")
    file, _ = exported(full, ANN)
    (mail,) = [name for name in file.namelist() if name.startswith("kept/")]
    assert b"[cannot be read: " in file.read(mail)
    assert 1 == len(rows(file, "journal"))
