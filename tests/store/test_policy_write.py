"""Rows and their line of change stand or fall together."""

from pathlib import Path

import pytest

from gatepost.store.base import StoreError
from gatepost.store.policy_db import PolicyStore
from gatepost.store.policy_write import as_json, unlocked


def test_all_or_nothing(store: PolicyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the line of change cannot be written nothing else is either."""

    def fails(*_args: object, **_named: object) -> int:
        raise StoreError("no room")

    monkeypatch.setattr(store, "changed", fails)
    for change in (
        lambda: store.put("domain:example.org", {"keep_days": 3}),
        lambda: store.add_recipients("example.org", ["ann"]),
        lambda: store.add_entry("all", "deny", "tld", "ru"),
        lambda: store.add_domain("example.net", "smtp://a:25"),
        lambda: store.remove_domain("example.org"),
    ):
        with pytest.raises(StoreError, match="no room"):
            change()
    monkeypatch.undo()
    assert store.version() == 1
    assert store.domains() == ["example.org"]
    assert store.recipients("example.org") == []
    assert store.entries("all") == []
    assert "keep_days" not in store.settings("domain:example.org")


def test_reopened(store: PolicyStore, tmp_path: Path) -> None:
    """What was changed is there for the next one who opens the file."""
    store.put("domain:example.org", {"subjects": False})
    assert PolicyStore(tmp_path / "policy.db").settings("domain:example.org")["subjects"] is False


def test_as_json() -> None:
    """Sorted, so that equal values are equal texts."""
    assert as_json({"b": 1, "a": "ü"}) == '{"a": "ü", "b": 1}'


def test_unlocked() -> None:
    """A locked entry is an administrator's."""
    unlocked({"id": 1, "locked": 0}, admin=False)
    unlocked({"id": 1, "locked": 1}, admin=True)
    with pytest.raises(StoreError, match="locked"):
        unlocked({"id": 1, "locked": 1}, admin=False)
