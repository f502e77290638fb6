"""Every process follows; with a damaged, locked or lost database the last good policy goes on."""

import sqlite3
from pathlib import Path

import pytest

from gatepost.policy.snapshot import PolicyUnavailable, Snapshot
from gatepost.store.base import StoreDamaged
from gatepost.store.policy_db import PolicyStore
from gatepost.store.policy_follow import PolicyFollower, keep_last_good
from gatepost.store.policy_write import LAST_GOOD
from tests.policy.dnsbl import DEFAULTS


def begin(folder: Path) -> tuple[PolicyFollower, Snapshot]:
    """Start like a worker does."""
    follower = PolicyFollower(folder)
    return follower, follower.snapshot(DEFAULTS)


def damage(path: Path) -> None:
    """Write over the whole file."""
    for name in (path.name, path.name + "-wal"):
        if path.with_name(name).exists():
            path.with_name(name).write_bytes(b"\xa5" * 40_000)


def test_changes_arrive(store: PolicyStore, tmp_path: Path) -> None:
    """A change is in the next snapshot; without one the snapshot stays the very same."""
    follower, snapshot = begin(tmp_path)
    assert follower.next(snapshot, DEFAULTS) is snapshot
    store.put("domain:example.org", {"keep_days": 3})
    later = follower.next(snapshot, DEFAULTS)
    assert later.version == store.version()
    policy = later.policy_for("example.org")
    assert policy is not None
    assert policy.keep_days == 3
    store.add_domain("example.net", "smtp://a:25")
    assert later.policy_for("example.net") is None, "the policy as it was at the last look"
    assert follower.next(later, DEFAULTS).policy_for("example.net") is not None


def test_changes_for_all_arrive(store: PolicyStore, tmp_path: Path) -> None:
    """And reach every domain."""
    follower, snapshot = begin(tmp_path)
    snapshot.policy_for("example.org")
    store.put("all", {"dnsbl.mode": "off"})
    policy = follower.next(snapshot, DEFAULTS).policy_for("example.org")
    assert policy is not None
    assert policy.plugins["dnsbl"].mode == "off"


def test_large_lists_are_followed(
    store: PolicyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipient list that is asked name by name is seen anew after each look."""
    monkeypatch.setattr("gatepost.policy.snapshot.SMALL_LIST", 1)
    store.add_recipients("example.org", ["a", "b", "c"])
    follower, snapshot = begin(tmp_path)
    assert snapshot.recipient("example.org", "d") is None
    store.add_recipients("example.org", ["d"])
    snapshot = follower.next(snapshot, DEFAULTS)
    assert snapshot.recipient("example.org", "d") is not None


def test_damaged_while_running(store: PolicyStore, tmp_path: Path) -> None:
    """What is in memory goes on, the rest comes from the last good copy, and it is said in words."""
    store.add_domain("example.net", "smtp://a:25")
    store.add_recipients("example.net", ["ann"])
    assert keep_last_good(tmp_path)
    follower, snapshot = begin(tmp_path)
    policy = snapshot.policy_for("example.org")
    store.close()
    damage(tmp_path / "policy.db")
    assert follower.next(snapshot, DEFAULTS) is snapshot
    follower.close()
    restarted, again = begin(tmp_path)
    assert "damaged" in restarted.trouble
    assert "gatepost restore" in restarted.trouble
    assert snapshot.policy_for("example.org") is policy
    assert again.policy_for("example.net") is not None
    assert again.recipient("example.net", "ann") is not None
    assert again.recipient("example.net", "nosuch") is None
    with pytest.raises(PolicyUnavailable, match="last good copy"):
        again.policy_for("unknown.example")
    assert not keep_last_good(tmp_path), "a damaged policy does not replace the good copy"
    assert again.policy_for("example.org") is not None


def test_damaged_without_a_copy(store: PolicyStore, tmp_path: Path) -> None:
    """There is nothing to go on with: unavailable, never unknown."""
    store.close()
    damage(tmp_path / "policy.db")
    with pytest.raises(PolicyUnavailable, match="no last good copy"):
        begin(tmp_path)


def test_damaged_copy_too(store: PolicyStore, tmp_path: Path) -> None:
    """Both broken: unavailable, with both said."""
    keep_last_good(tmp_path)
    store.close()
    damage(tmp_path / "policy.db")
    (tmp_path / LAST_GOOD).write_bytes(b"x" * 5000)
    with pytest.raises(PolicyUnavailable):
        begin(tmp_path)


def test_lost(store: PolicyStore, tmp_path: Path) -> None:
    """A file that is gone is not made anew and empty, neither by a reader nor by a writer."""
    keep_last_good(tmp_path)
    store.close()
    for name in ("policy.db", "policy.db-wal", "policy.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    follower, snapshot = begin(tmp_path)
    assert "does not exist" in follower.trouble
    assert snapshot.policy_for("example.org") is not None
    with pytest.raises(StoreDamaged, match=r"does not exist, or is empty; restore it.*policy\.last-good\.db"):
        PolicyStore(tmp_path / "policy.db")
    assert not (tmp_path / "policy.db").exists()
    assert not keep_last_good(tmp_path)


def test_repaired(store: PolicyStore, tmp_path: Path) -> None:
    """When the database is back it is in force within one look."""
    keep_last_good(tmp_path)
    store.copy_to(tmp_path / "saved.db")
    store.close()
    damage(tmp_path / "policy.db")
    follower, snapshot = begin(tmp_path)
    assert follower.trouble
    assert follower.next(snapshot, DEFAULTS) is snapshot
    for name in ("policy.db-wal", "policy.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "saved.db").replace(tmp_path / "policy.db")
    PolicyStore(tmp_path / "policy.db").add_domain("new.example", "smtp://a:25")
    later = follower.next(snapshot, DEFAULTS)
    assert not follower.trouble
    assert later.policy_for("new.example") is not None
    assert later.policy_for("unknown.example") is None


def test_locked(store: PolicyStore, tmp_path: Path) -> None:
    """While another process holds the database for itself, the last snapshot and the copy go on."""
    store.add_domain("example.net", "smtp://a:25")
    keep_last_good(tmp_path)
    store.close()
    holder = sqlite3.connect(tmp_path / "policy.db", isolation_level=None)
    holder.execute("PRAGMA journal_mode = DELETE")
    follower, snapshot = begin(tmp_path)
    kept = snapshot.policy_for("example.org")
    follower.close()
    holder = sqlite3.connect(tmp_path / "policy.db", isolation_level=None, timeout=0)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("UPDATE version SET number = number")
    follower, again = begin(tmp_path)
    assert "locked" in follower.trouble
    assert again.policy_for("example.net") is not None
    assert follower.next(snapshot, DEFAULTS) is snapshot
    assert snapshot.policy_for("example.org") is kept
    holder.execute("ROLLBACK")
    holder.close()
    later = follower.next(again, DEFAULTS)
    assert not follower.trouble
    assert later.policy_for("unknown.example") is None


def test_empty(tmp_path: Path) -> None:
    """A policy without a domain refuses nobody for good, and makes no good copy."""
    PolicyStore(tmp_path / "policy.db").close()
    _, snapshot = begin(tmp_path)
    with pytest.raises(PolicyUnavailable, match="empty"):
        snapshot.policy_for("example.org")
    assert not keep_last_good(tmp_path)


def test_a_snapshot_that_cannot_be_made(
    store: PolicyStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one goes on, whole, and it is said why."""
    follower, snapshot = begin(tmp_path)
    store.put("all", {"keep_days": 5})

    def fails(*_args: object) -> Snapshot:
        raise ValueError("odd row")

    monkeypatch.setattr(Snapshot, "with_changes", fails)
    assert follower.next(snapshot, DEFAULTS) is snapshot
    assert "odd row" in follower.trouble
    monkeypatch.undo()
    assert follower.next(snapshot, DEFAULTS).version == store.version()
