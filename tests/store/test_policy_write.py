"""Rows and their line of change stand or fall together."""

from pathlib import Path

import pytest

from gatepost.store import policy_write
from gatepost.store.base import Refused, StoreError
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


def test_a_domain_has_a_bound_of_entries(store: PolicyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mailboxes' entries count too; one that is there is renewed all the same; all domains' have none."""
    monkeypatch.setattr(policy_write, "MOST_ENTRIES", 2)
    store.add_entry("domain:example.org", "deny", "tld", "ru")
    store.add_entry("mailbox:ann@example.org", "deny", "tld", "ru")
    for scope in ("domain:example.org", "mailbox:bob@example.org"):
        with pytest.raises(Refused, match="2 is the most"):
            store.add_entry(scope, "deny", "tld", "cn")
    store.add_entry("domain:example.org", "deny", "tld", "ru", note="again")
    for tld in ("ru", "cn", "tk"):
        store.add_entry("all", "deny", "tld", tld)
    assert ["again"] == [one.note for one in store.entries("domain:example.org")]
