"""Opening an SQLite file: pragmas, numbered migrations, and errors in words.

WAL: readers never wait for a writer. Migrations are plain SQL, `schema/NAME_0001_first.sql` and
so on, forward only, each in one transaction together with the file's number (`user_version`), so
two processes that start at once do not get in each other's way.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gatepost.store.base import StoreDamaged, StoreError, StoreFull, StoreLocked

WRITE_WAIT = 5.0
"""Seconds a writer waits for another one."""
READ_WAIT = 0.1
"""Seconds a reader on the way of mail waits: in WAL it does not have to, but for a moment at start."""
WAL_PAUSE = 0.01
"""Seconds between two tries to switch a new file to WAL."""
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT", "SQLITE_SCHEMA", "SQLITE_ERROR")
_FULL = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")


def open_database(
    path: Path, name: str, *, wait: float = WRITE_WAIT, synchronous: str = "FULL"
) -> sqlite3.Connection:
    """Open (or make) a database of ours for reading and writing, migrated to this program's schema."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Ours alone: what is kept here is other people's mail.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    with errors_of(path):
        db = sqlite3.connect(path, timeout=wait, isolation_level=None, check_same_thread=False)
        try:
            _use_wal(db, wait)
            db.execute(f"PRAGMA synchronous = {_word(synchronous)}")
            migrate(db, name, path)
        except BaseException:
            db.close()
            raise
    return db


def _use_wal(db: sqlite3.Connection, wait: float) -> None:
    """Switch to WAL. Where several do so at once, SQLite says "locked" without waiting as told."""
    until = time.monotonic() + wait
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if (
                not (getattr(error, "sqlite_errorname", "") or "").startswith("SQLITE_BUSY")
                or time.monotonic() > until
            ):
                raise
        time.sleep(WAL_PAUSE)


def open_read_only(path: Path, name: str) -> sqlite3.Connection:
    """Open a copy that nobody writes any more."""
    with errors_of(path):
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        db = sqlite3.connect(uri, uri=True, timeout=READ_WAIT, isolation_level=None, check_same_thread=False)
        try:
            (number,) = db.execute("PRAGMA user_version").fetchone()
            if number != len(schema(name)):
                raise StoreError(f"{path} was made by another version of Gatepost")
        except BaseException:
            db.close()
            raise
    return db


def schema(name: str) -> list[str]:
    """Return the migrations of a database in order, as SQL."""
    folder = Path(__file__).parent / "schema"
    files = sorted((f for f in folder.iterdir() if f.name.startswith(f"{name}_")), key=lambda f: f.name)
    return [f.read_text("utf-8") for f in files]


def migrate(db: sqlite3.Connection, name: str, path: Path) -> None:
    """Bring a database to this program's schema."""
    steps = schema(name)
    (number,) = db.execute("PRAGMA user_version").fetchone()
    if number == len(steps):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        (number,) = db.execute("PRAGMA user_version").fetchone()
        if number > len(steps):
            raise StoreError(f"{path} was made by a newer Gatepost (schema {number}, here {len(steps)})")
        for step in steps[number:]:
            for statement in statements(step):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(steps)}")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def statements(sql: str) -> Iterator[str]:
    """Yield the statements of a script (executescript would commit behind our back)."""
    held = ""
    for line in sql.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            yield held
            held = ""


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing, and alone among writers from the first statement on."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        if db.in_transaction:  # a full disk has rolled back by itself
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise in_words(error, path) from error


def in_words(error: sqlite3.Error, path: Path) -> StoreError:
    """Return what an SQLite error means for the people of the machine."""
    code = getattr(error, "sqlite_errorname", "") or ""
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreLocked(f"{path} is locked by another process")
    if code.startswith(_FULL):
        return StoreFull(f"{path} cannot be written or read: {error}")
    if code.startswith(_DAMAGE) or isinstance(error, sqlite3.DatabaseError):
        return StoreDamaged(f"{path} is damaged ({error}); restore it from a backup: gatepost restore FILE")
    return StoreError(f"{path}: {error}")


def check(path: Path) -> None:
    """Look at every page of a database; StoreDamaged if one is broken."""
    with errors_of(path):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            (answer,) = db.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            db.close()
    if answer != "ok":
        raise StoreDamaged(f"{path} is damaged ({answer}); restore it from a backup: gatepost restore FILE")


def copy(db: sqlite3.Connection, path: Path, to: Path) -> None:
    """Write a consistent, checked copy of an open database to `to`: whole or not at all."""
    new = to.with_name(f"{to.name}.new{os.getpid()}")
    new.unlink(missing_ok=True)
    try:
        with errors_of(path):
            target = sqlite3.connect(new, isolation_level=None)
            try:
                db.backup(target, pages=-1)
                # A copy is one file: without WAL it can be read from a disk that cannot be written.
                target.execute("PRAGMA journal_mode = DELETE")
            finally:
                target.close()
        check(new)
        new.chmod(0o600)
        sync(new)
        new.replace(to)
        sync(to.parent)
    finally:
        new.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _word(text: str) -> str:
    assert text in ("OFF", "NORMAL", "FULL")
    return text
