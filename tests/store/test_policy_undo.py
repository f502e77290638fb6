"""Rolling back: what was replaced comes back, unless someone has built on the change."""

import pytest

from gatepost.store.base import Conflict, StoreError
from gatepost.store.policy_db import PolicyStore


def newest(store: PolicyStore) -> int:
    """Return the number of the newest change."""
    return store.changes(limit=1)[0].id


def test_settings(store: PolicyStore) -> None:
    """Values come back as they were; a roll back can be rolled back."""
    store.put("domain:example.org", {"keep_days": 3})
    store.put("domain:example.org", {"keep_days": 9, "mixed": "split"}, by="bob")
    number = newest(store)
    version = store.roll_back(number, by="ann")
    assert store.settings("domain:example.org")["keep_days"] == 3
    assert "mixed" not in store.settings("domain:example.org")
    change = store.changes(limit=1)[0]
    assert (change.undoes, change.by, change.version) == (number, "ann", version)
    store.roll_back(change.id)
    assert store.settings("domain:example.org")["mixed"] == "split"


def test_settings_built_upon(store: PolicyStore) -> None:
    """A later change of the same value stands in the way; one of another value does not."""
    store.put("domain:example.org", {"keep_days": 3})
    number = newest(store)
    store.put("domain:example.org", {"mixed": "split"})
    store.put("domain:example.org", {"keep_days": 5})
    with pytest.raises(Conflict, match="changed since"):
        store.roll_back(number)
    assert store.settings("domain:example.org")["keep_days"] == 5
    store.put("domain:example.org", {"keep_days": 3})
    store.roll_back(number)
    assert "keep_days" not in store.settings("domain:example.org")
    assert store.settings("domain:example.org")["mixed"] == "split"


def test_entries(store: PolicyStore) -> None:
    """Added, renewed and removed entries."""
    entry = store.add_entry("domain:example.org", "deny", "tld", "ru", note="one")
    store.add_entry("domain:example.org", "deny", "tld", "ru", note="two")
    store.roll_back(newest(store))
    assert [e.note for e in store.entries("domain:example.org")] == ["one"]
    store.remove_entry(entry.id)
    removed = newest(store)
    store.roll_back(removed)
    assert store.entries("domain:example.org")[0].id == entry.id
    with pytest.raises(Conflict):
        store.roll_back(removed)


def test_locked_entries(store: PolicyStore) -> None:
    """Nobody unlocks by rolling back."""
    store.add_entry("domain:example.org", "deny", "tld", "ru", locked=True, admin=True)
    with pytest.raises(StoreError, match="locked"):
        store.roll_back(newest(store), by="owner")
    store.roll_back(newest(store), by="root", admin=True)
    assert store.entries("domain:example.org") == []


def test_recipients(store: PolicyStore) -> None:
    """Those that came go, those that went come back with their addresses."""
    store.add_recipients("example.org", ["ann"], acl=["192.0.2.1"])
    store.add_recipients("example.org", ["ann", "bob"])
    store.roll_back(newest(store))
    assert [(r.local, r.acl) for r in store.recipients("example.org")] == [("ann", ("192.0.2.1",))]
    store.remove_recipients("example.org", ["ann"])
    store.roll_back(newest(store))
    assert store.recipient("example.org", "ann") is not None


def test_a_removed_domain(store: PolicyStore) -> None:
    """It comes back with all that was its own."""
    store.put("mailbox:ann@example.org", {"refuse_at": "rcpt"})
    store.add_entry("domain:example.org", "allow", "ip", "192.0.2.1")
    store.add_recipients("example.org", ["ann", "bob"])
    before = store.domain("example.org")
    store.remove_domain("example.org")
    number = newest(store)
    store.roll_back(number)
    assert store.domain("example.org") == before
    assert store.count_recipients("example.org") == 2
    with pytest.raises(Conflict, match="hosted again"):
        store.roll_back(number)


def test_an_added_domain(store: PolicyStore) -> None:
    """It goes, if nobody has changed anything in it since."""
    added = newest(store)
    store.add_recipients("example.org", ["ann"])
    with pytest.raises(Conflict, match="changed meanwhile"):
        store.roll_back(added)
    store.add_domain("example.net", "smtp://a:25")
    store.roll_back(newest(store))
    assert store.domains() == ["example.org"]


def test_a_load(store: PolicyStore) -> None:
    """A bulk load is too large to be written down."""
    store.load([("a.example", "smtp://a:25", {}, [])])
    with pytest.raises(StoreError, match="too large"):
        store.roll_back(newest(store))
