"""Backup and restore: one file with everything that is remembered, taken while mail flows.

The databases are consistent copies (SQLite's own), checked before they go in. Journal lines that
wait to be collected go in before the journal database: a line is then in one of the two or in
both, where the note of how far was read makes it count once. Messages (archive, spool) and
secrets go in as files; a message that is handed on meanwhile may be delivered twice after a
restore, never lost.
"""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from backports import zstd

from gatepost.store import journal_writer, sqlite
from gatepost.store.base import StoreError, StoreFull
from gatepost.store.journal_writer import FOLDER as JOURNAL

DATABASES = ("policy", "journal", "records", "state", "accounts")
LEFT_OUT = frozenset({"scratch", "run", "tmp", "lost+found"})
"""Folders at the top of what is not remembered."""
MANIFEST = "gatepost-backup.json"
FORMAT = 1
LEVEL = 3
BLOCK = 1024 * 1024
STAGE = ".restore"
ASIDE = "before-restore-"
_DATABASE_FILES = (".db", ".db-wal", ".db-shm", ".db-journal", ".damaged")


class BackupError(StoreError):
    """A backup cannot be made or put back."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds."""

    file: Path
    made: float
    databases: tuple[str, ...]
    files: int
    size: int
    """Bytes of the backup file."""
    set_aside: Path | None = None
    """Restore: where what was there before lies now."""


def backup(data_dir: Path, file: Path, now: float) -> Summary:
    """Write everything of `data_dir` into `file`, durably; a file that is there is replaced at the end."""
    if not (data_dir / "policy.db").exists():
        raise BackupError(f"{data_dir} holds no Gatepost data: there is no policy.db")
    new = file.with_name(f"{file.name}.new{os.getpid()}")
    try:
        with _file_errors(file), os.fdopen(_create(new), "wb") as raw:
            with zstd.ZstdFile(raw, "w", level=LEVEL) as packed, _tar(packed, "w|") as tar:
                present = tuple(n for n in DATABASES if (data_dir / f"{n}.db").exists())
                about = {"format": FORMAT, "made": now, "databases": present}
                _add_bytes(tar, MANIFEST, json.dumps(about).encode(), now)
                files = sum(_add(tar, data_dir, path) for path in _files(data_dir, data_dir / JOURNAL))
                for name in present:
                    _add_database(tar, data_dir / f"{name}.db", name)
                files += sum(
                    _add(tar, data_dir, path)
                    for path in _files(data_dir, data_dir)
                    if path.relative_to(data_dir).parts[0] != JOURNAL and not _same(path, file, new)
                )
            raw.flush()
            os.fsync(raw.fileno())
        new.replace(file)
        sqlite.sync(file.parent)
    finally:
        new.unlink(missing_ok=True)
    return Summary(file, now, present, files, file.stat().st_size)


def restore(file: Path, data_dir: Path, *, replace: bool = False, now: float = 0.0) -> Summary:
    """Put a backup back. What is there already is set aside with `replace`, an error without.

    Gatepost must not be running. Everything is unpacked and checked before anything is moved.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
    present = [path for path in data_dir.iterdir() if path.name not in (STAGE, "lost+found")]
    if any(path.name == "policy.db" for path in present) and not replace:
        raise BackupError(f"{data_dir} holds data already; say --replace to set it aside")
    if journal_writer.in_use(data_dir):
        raise BackupError(f"Gatepost is running on {data_dir}; stop it first")
    with tempfile.TemporaryDirectory(prefix=STAGE, dir=data_dir) as held, _file_errors(file):
        stage = Path(held)
        about, files = _unpack(file, stage)
        for name in about["databases"]:
            sqlite.check(stage / f"{name}.db")
        aside: Path | None = None
        if present:
            aside = data_dir / f"{ASIDE}{int(now)}"
            aside.mkdir(mode=0o700)
            for path in present:
                # A reader that ends takes its -wal and -shm files with it.
                with suppress(FileNotFoundError):
                    path.rename(aside / path.name)
        for path in list(stage.iterdir()):
            path.rename(data_dir / path.name)
        sqlite.sync(data_dir)
    return Summary(file, about["made"], tuple(about["databases"]), files, file.stat().st_size, aside)


@contextmanager
def _file_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreFull(f"{error.filename or file}: {error.strerror or error}") from error


# -- packing ------------------------------------------------------------------------------------


def _create(path: Path) -> int:
    """Ours alone: it holds people's mail and the secrets."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _tar(packed: IO[bytes] | Any, mode: str) -> tarfile.TarFile:
    return tarfile.open(fileobj=packed, mode=mode, format=tarfile.PAX_FORMAT)  # type: ignore[call-overload,no-any-return]


def _files(data_dir: Path, top: Path) -> Iterator[Path]:
    """Yield what goes in as files, sorted, folders before what is in them."""
    for folder, names, files in os.walk(top):
        here = Path(folder)
        if here == data_dir:
            names[:] = [n for n in names if n not in LEFT_OUT and not n.startswith((ASIDE, STAGE))]
        for name in sorted(names):
            yield here / name
        for name in sorted(files):
            # Databases at the top go in as copies; temporary names are of what is not finished.
            if here == data_dir and name.endswith(_DATABASE_FILES):
                continue
            yield here / name


def _same(path: Path, *others: Path) -> bool:
    return path.name in {o.name for o in others} and any(
        o.exists() and path.exists() and path.samefile(o) for o in others
    )


def _add(tar: tarfile.TarFile, data_dir: Path, path: Path) -> int:
    """Put one file, folder or link in; 0 if it is gone (handed on, expired) or none of these."""
    name = path.relative_to(data_dir).as_posix()
    try:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            # Opened first: a file that tarfile has seen but that is not in could be linked to later.
            with path.open("rb") as stream:
                info = tar.gettarinfo(arcname=name, fileobj=stream)
                tar.addfile(info, _Exactly(stream, info.size))
            return 1
        link = stat.S_ISLNK(mode)
        if stat.S_ISDIR(mode) or (link and not _leads_outside(str(path.readlink()))):
            tar.addfile(tar.gettarinfo(path, name))
            return int(link)
    except FileNotFoundError:
        pass  # gone meanwhile
    return 0


class _Exactly(io.RawIOBase):
    """A file that may grow or shrink while it is read: as many bytes as were announced, then zeros."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        piece = self._stream.read(wanted)
        self._left -= wanted
        return piece.ljust(wanted, b"\0")


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes, now: float) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), 0o600, int(now)
    tar.addfile(info, io.BytesIO(content))


def _add_database(tar: tarfile.TarFile, path: Path, name: str) -> None:
    # Beside the database: the machine's /tmp may be small.
    with tempfile.TemporaryDirectory(prefix=STAGE, dir=path.parent) as folder:
        whole = Path(folder) / path.name
        db = sqlite.open_database(path, name)
        try:
            sqlite.copy(db, path, whole)
        finally:
            db.close()
        with whole.open("rb") as stream:
            info = tar.gettarinfo(arcname=path.name, fileobj=stream)
            tar.addfile(info, stream)


# -- unpacking ----------------------------------------------------------------------------------


def _unpack(file: Path, stage: Path) -> tuple[dict[str, Any], int]:
    about: dict[str, Any] | None = None
    files = 0
    try:
        with zstd.ZstdFile(file, "r") as packed, _tar(packed, "r|") as tar:
            for member in tar:
                if about is None:
                    about = _manifest(tar, member, file)
                    continue
                files += _put(tar, member, stage)
    except (zstd.ZstdError, tarfile.TarError, EOFError) as error:
        raise BackupError(f"{file} is not a whole backup: {error}") from error
    if about is None:
        raise BackupError(f"{file} is not a backup of Gatepost")
    missing = [n for n in about["databases"] if not (stage / f"{n}.db").exists()]
    if missing:
        raise BackupError(f"{file} is not a whole backup: {', '.join(missing)} missing")
    return about, files


def _manifest(tar: tarfile.TarFile, member: tarfile.TarInfo, file: Path) -> dict[str, Any]:
    stream = tar.extractfile(member) if member.isreg() and member.name == MANIFEST else None
    try:
        about = json.loads(stream.read(BLOCK)) if stream is not None else None
    except ValueError:
        about = None
    if not isinstance(about, dict) or not set(about.get("databases", ["?"])) <= set(DATABASES):
        raise BackupError(f"{file} is not a backup of Gatepost")
    if about.get("format") != FORMAT:
        raise BackupError(f"{file} was made by another version of Gatepost")
    return about


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, stage: Path) -> int:
    """Write one member below `stage`, wherever its name would like to lead."""
    path = _inside(stage, member.name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    if member.isdir():
        path.mkdir(exist_ok=True, mode=0o750)
        path.chmod(member.mode & 0o770)
        return 0
    if member.issym():
        if _leads_outside(member.linkname):
            raise BackupError(f"link {member.name!r} leads outside")
        path.symlink_to(member.linkname)
    elif member.islnk():
        os.link(_inside(stage, member.linkname), path, follow_symlinks=False)
    elif member.isreg():
        stream = tar.extractfile(member)
        assert stream is not None
        with os.fdopen(_create(path), "wb") as out:
            while block := stream.read(BLOCK):
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        path.chmod(member.mode & 0o660)
        os.utime(path, (member.mtime, member.mtime))
    else:
        raise BackupError(f"{member.name!r} is neither a file nor a folder")
    return 1


def _leads_outside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name


def _inside(stage: Path, name: str) -> Path:
    """Return where a name of the backup lies; BackupError if that is not below `stage`."""
    parts = PurePosixPath(name).parts
    if _leads_outside(name):
        raise BackupError(f"name {name!r} leads outside")
    path = stage
    for part in parts[:-1]:
        path = path / part
        if path.is_symlink():
            raise BackupError(f"name {name!r} leads through a link")
    return path / parts[-1]
