"""A backup holds everything that is remembered; restored, it is all there; a hostile one harms nothing."""

import asyncio
import io
import json
import os
import tarfile
from pathlib import Path

import pytest
from backports import zstd

from gatepost.store.accounts_db import AccountsStore, PersonRow
from gatepost.store.backup import ASIDE, MANIFEST, STAGE, BackupError, backup, restore
from gatepost.store.base import StoreDamaged, StoreError
from gatepost.store.journal_db import JournalStore, JournalWriter, outcome_line
from gatepost.store.policy_db import PolicyStore
from gatepost.store.records_db import RecordsStore

NOW = 1_700_000_000.0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory as it is while mail flows."""
    data = tmp_path / "data"
    policy = PolicyStore(data / "policy.db")
    policy.add_domain("example.org", "smtp://a:25")
    policy.add_recipients("example.org", ["ann"])
    asyncio.run(RecordsStore(data / "records.db").put("example.org", "p", "k", [1]))
    accounts = AccountsStore(data / "accounts.db")
    accounts.add(PersonRow("ann", "owner", "hash", domains=("example.org",)))
    accounts.close()
    writer = JournalWriter(data, "w0")
    for n in range(2):
        writer.add(outcome_line(f"I{n}.1", "example.org", "ann@example.org", "", "192.0.2.1", "accepted"))
        writer.flush()
        if n == 0:
            JournalStore(data / "journal.db").collect()
    writer.close()
    day = data / "archive" / "2026-01-02" / "example.org"
    day.mkdir(parents=True)
    (day / "I1.eml.zst").write_bytes(b"mail" * 1000)
    os.link(day / "I1.eml.zst", day / "I2.eml.zst")
    (data / "archive" / "today").symlink_to("2026-01-02")
    (data / "spool").mkdir()
    (data / "spool" / "E1.json").write_text("{}")
    (data / "secret").write_bytes(b"s" * 32)
    (data / "secret").chmod(0o600)
    (data / "scratch").mkdir()
    (data / "scratch" / "half").write_bytes(b"x")
    (data / "run").mkdir()
    return data


def test_there_and_back(data: Path, tmp_path: Path) -> None:
    """Domains, records, journal lines (collected or not), kept mail, queue and secret; each line once."""
    file = tmp_path / "backup.gp"
    made = backup(data, file, NOW)
    assert made.databases == ("policy", "journal", "records", "accounts")
    assert made.size == file.stat().st_size
    assert file.stat().st_mode & 0o77 == 0
    other = tmp_path / "other"
    restored = restore(file, other)
    assert (restored.made, restored.set_aside) == (NOW, None)
    policy = PolicyStore(other / "policy.db")
    assert policy.domains() == ["example.org"]
    assert policy.recipient("example.org", "ann") is not None
    assert asyncio.run(RecordsStore(other / "records.db").get("example.org", "p", "k")) == [1]
    person = AccountsStore(other / "accounts.db").person("ann")
    assert person is not None
    assert person.domains == ("example.org",)
    journal = JournalStore(other / "journal.db")
    journal.collect()
    assert [row.id for row in journal.search()] == ["I1.1", "I0.1"]
    day = other / "archive" / "today" / "example.org"
    assert (day / "I1.eml.zst").read_bytes() == b"mail" * 1000
    assert (day / "I2.eml.zst").samefile(day / "I1.eml.zst")
    assert (other / "spool" / "E1.json").read_text() == "{}"
    assert (other / "secret").stat().st_mode & 0o777 == 0o600
    assert not (other / "scratch").exists()
    assert not [p for p in other.iterdir() if p.name.startswith(STAGE)]


def test_while_mail_flows(data: Path, tmp_path: Path) -> None:
    """With everything open and written to, the copy is consistent."""
    policy = PolicyStore(data / "policy.db")
    policy.put("all", {"keep_days": 5})
    policy.hold()
    file = tmp_path / "b"
    backup(data, file, NOW)
    restore(file, tmp_path / "other")
    assert PolicyStore(tmp_path / "other" / "policy.db").version() == policy.version()


def test_into_the_data_itself(data: Path, tmp_path: Path) -> None:
    """A backup file that lies in the data directory is not in the backup."""
    for _ in range(2):
        backup(data, data / "nightly.gp", NOW)
    restore(data / "nightly.gp", tmp_path / "other")
    assert not (tmp_path / "other" / "nightly.gp").exists()


def test_nothing_is_overwritten(data: Path, tmp_path: Path) -> None:
    """What is there is set aside, and only when that was asked for."""
    file = tmp_path / "b"
    backup(data, file, NOW)
    PolicyStore(data / "policy.db").add_domain("later.example", "smtp://a:25")
    with pytest.raises(BackupError, match="--replace"):
        restore(file, data)
    summary = restore(file, data, replace=True, now=NOW)
    assert summary.set_aside == data / f"{ASIDE}{int(NOW)}"
    assert PolicyStore(data / "policy.db").domains() == ["example.org"]
    assert PolicyStore(summary.set_aside / "policy.db").domains() == ["example.org", "later.example"]
    backup(data, tmp_path / "c", NOW)
    restore(tmp_path / "c", tmp_path / "other")
    assert not list((tmp_path / "other").glob(f"{ASIDE}*")), "what was set aside is not in later backups"


def test_not_under_a_running_server(data: Path, tmp_path: Path) -> None:
    """Who has a journal file open would go on writing into what is set aside."""
    file = tmp_path / "b"
    backup(data, file, NOW)
    writer = JournalWriter(data, "w1")
    writer.add("x\n")
    writer.flush()
    with pytest.raises(BackupError, match="running"):
        restore(file, data, replace=True)
    assert (data / "policy.db").exists()


def test_damaged_data_is_not_backed_up(data: Path, tmp_path: Path) -> None:
    """The old backup stays when a database is broken."""
    file = tmp_path / "b"
    backup(data, file, NOW)
    before = file.read_bytes()
    for name in ("records.db", "records.db-wal"):
        if (data / name).exists():
            (data / name).write_bytes(b"\xa5" * 9000)
    with pytest.raises(StoreDamaged):
        backup(data, file, NOW + 1)
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("b")] == ["b"]


def test_no_data(tmp_path: Path) -> None:
    """An empty folder is not backed up by mistake; a folder that cannot be written is said."""
    with pytest.raises(BackupError, match=r"no policy\.db"):
        backup(tmp_path, tmp_path / "b", NOW)


def test_cannot_be_written(data: Path, tmp_path: Path) -> None:
    """In words, not as a traceback."""
    with pytest.raises(StoreError, match="nowhere"):
        backup(data, tmp_path / "nowhere" / "b", NOW)
    with pytest.raises(StoreError, match="missing"):
        restore(tmp_path / "missing", tmp_path / "other")


@pytest.mark.parametrize("cut", [0, 10, 200, -200, -1])
def test_truncated(data: Path, tmp_path: Path, cut: int) -> None:
    """A part of a backup is refused and nothing is touched."""
    file = tmp_path / "b"
    backup(data, file, NOW)
    file.write_bytes(file.read_bytes()[:cut])
    other = tmp_path / "other"
    with pytest.raises(StoreError):
        restore(file, other)
    assert list(other.iterdir()) == []


def forged(path: Path, *members: tarfile.TarInfo, manifest: object = None) -> Path:
    """Write a file that looks like a backup."""
    about = manifest if manifest is not None else {"format": 1, "made": 0, "databases": []}
    with zstd.ZstdFile(path, "w") as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        content = json.dumps(about).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
        for member in members:
            tar.addfile(member, io.BytesIO(b"\0" * member.size))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Return one member."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 3 if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize(
    "members",
    [
        [member("../outside")],
        [member("/tmp/gatepost-outside")],
        [member("a/../../outside")],
        [member("link", tarfile.SYMTYPE, "/etc"), member("link/outside")],
        [member("link", tarfile.SYMTYPE, "../..")],
        [member("in"), member("link", tarfile.SYMTYPE, "in"), member("link/outside")],
        [member("hard", tarfile.LNKTYPE, "../../secret")],
        [member("hard", tarfile.LNKTYPE, "nothing")],
        [member("fifo", tarfile.FIFOTYPE)],
        [member("device", tarfile.CHRTYPE)],
    ],
)
def test_hostile(members: list[tarfile.TarInfo], tmp_path: Path) -> None:
    """No name and no link of a backup leads out of the data directory."""
    file = forged(tmp_path / "b", *members)
    (tmp_path / "secret").write_text("x")
    other = tmp_path / "deep" / "other"
    other.mkdir(parents=True)
    with pytest.raises(StoreError):
        restore(file, other)
    assert list(other.iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b", "deep", "secret"]


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        "x",
        {},
        {"format": 99, "databases": []},
        {"format": 1, "databases": ["etc"]},
        {"format": 1, "databases": ["policy"]},
    ],
)
def test_not_a_backup(manifest: object, tmp_path: Path) -> None:
    """Another program's file, or another version's, is said to be so."""
    with pytest.raises(BackupError):
        restore(forged(tmp_path / "b", manifest=manifest), tmp_path / "other")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(BackupError, match="not a whole backup"):
        restore(tmp_path / "text", tmp_path / "other")
