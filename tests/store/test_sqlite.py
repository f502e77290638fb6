"""Opening a database: schema, two at once, damage, locks and full disks in words."""

import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from gatepost.store import sqlite as store_sqlite
from gatepost.store.base import StoreDamaged, StoreError, StoreFull, StoreLocked
from gatepost.store.sqlite import (
    check,
    copy,
    errors_of,
    open_database,
    open_read_only,
    schema,
    statements,
    transaction,
)

NAMES = ("policy", "journal", "records", "state")


@pytest.mark.parametrize("name", NAMES)
def test_made_and_opened_again(name: str, tmp_path: Path) -> None:
    """A database is made with its schema, ours alone, in WAL; a second time it is just opened."""
    path = tmp_path / "deep" / f"{name}.db"
    for _ in range(2):
        db = open_database(path, name)
        assert db.execute("PRAGMA user_version").fetchone() == (len(schema(name)),)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        db.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_at_once(tmp_path: Path) -> None:
    """Processes that start together make the schema once."""
    path = tmp_path / "policy.db"
    failures: list[Exception] = []

    def start() -> None:
        try:
            open_database(path, "policy").close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert open_database(path, "policy").execute("SELECT number FROM version").fetchall() == [(0,)]


def test_a_newer_file(tmp_path: Path) -> None:
    """A file of a newer program is not touched."""
    path = tmp_path / "policy.db"
    db = open_database(path, "policy")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer Gatepost"):
        open_database(path, "policy")


def test_a_failed_migration_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All steps of a migration or none."""
    path = tmp_path / "policy.db"
    good = schema("policy")
    bad = [*good, "CREATE TABLE more (id INTEGER);\nSELECT nonsense;\n"]
    monkeypatch.setattr(store_sqlite, "schema", lambda _: bad)
    with pytest.raises(StoreError):
        open_database(path, "policy")
    monkeypatch.setattr(store_sqlite, "schema", lambda _: good)
    db = open_database(path, "policy")
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)


@pytest.mark.parametrize("where", [0, 100, 5000])
def test_damage(where: int, tmp_path: Path) -> None:
    """A file that is no database or has a broken page is StoreDamaged, with what to do."""
    path = tmp_path / "policy.db"
    db = open_database(path, "policy")
    with transaction(db):
        db.executemany(
            "INSERT INTO domain (name, created, created_by) VALUES (?, 0, '')",
            ((f"domain{n}.example",) for n in range(2000)),
        )
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    content = bytearray(path.read_bytes())
    content[where : where + 20_000] = b"\xa5" * 20_000
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="gatepost restore"):
        check(path)


def test_not_a_database(tmp_path: Path) -> None:
    """Text in its place is damage, not a traceback."""
    path = tmp_path / "policy.db"
    path.write_text("route = smtp://somewhere\n" * 100)
    with pytest.raises(StoreDamaged, match="damaged"):
        open_database(path, "policy")


def test_locked(tmp_path: Path) -> None:
    """Who waits too long for another writer is told so."""
    path = tmp_path / "policy.db"
    first, second = open_database(path, "policy"), open_database(path, "policy", wait=0.05)
    with transaction(first), pytest.raises(StoreLocked, match="locked"), errors_of(path), transaction(second):
        raise AssertionError("two writers at once")


def test_cannot_be_opened(tmp_path: Path) -> None:
    """A folder in its place, or a disk that is full, is no damage."""
    path = tmp_path / "policy.db"
    path.mkdir()
    with pytest.raises((StoreFull, OSError)):
        open_database(path, "policy")
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorname = "SQLITE_FULL"
    with pytest.raises(StoreFull, match="full"), errors_of(path):
        raise full


def test_transaction(tmp_path: Path) -> None:
    """All or nothing."""
    db = open_database(tmp_path / "records.db", "records")
    row = ("example.org", "p", "k", "1")
    with pytest.raises(KeyError), transaction(db):
        db.execute("INSERT INTO record VALUES (?, ?, ?, ?)", row)
        raise KeyError
    assert db.execute("SELECT count(*) FROM record").fetchone() == (0,)
    with transaction(db):
        db.execute("INSERT INTO record VALUES (?, ?, ?, ?)", row)
    assert db.execute("SELECT count(*) FROM record").fetchone() == (1,)


def test_copy(tmp_path: Path) -> None:
    """A copy is whole, readable where nothing can be written, and leaves no temporary name."""
    path, to = tmp_path / "policy.db", tmp_path / "copy.db"
    db = open_database(path, "policy")
    db.execute("INSERT INTO domain (name, created, created_by) VALUES ('a.example', 0, '')")
    copy(db, path, to)
    assert sorted(p.name for p in tmp_path.iterdir() if "copy" in p.name) == ["copy.db"]
    read = open_read_only(to, "policy")
    assert read.execute("SELECT name FROM domain").fetchall() == [("a.example",)]
    with pytest.raises(sqlite3.OperationalError):
        read.execute("DELETE FROM domain")


def test_read_only_of_another_version(tmp_path: Path) -> None:
    """A copy of another program's version is not read."""
    path = tmp_path / "policy.db"
    sqlite3.connect(path).execute("CREATE TABLE x (y)").connection.close()
    with pytest.raises(StoreError, match="another version"):
        open_read_only(path, "policy")


def test_statements() -> None:
    """A script is cut at its statements, comments and all."""
    cut = list(statements("-- a; b\nCREATE TABLE a (x);\nCREATE TABLE b (\n  y\n);\n"))
    assert len(cut) == 2
    assert cut[1].strip().endswith(");")
