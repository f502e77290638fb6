"""Changing the policy: one transaction, one version, one line of who, when, from and to."""

import threading
from pathlib import Path

import pytest

from gatepost.store.base import Change, Conflict, NotFound, StoreError
from gatepost.store.policy_db import PolicyStore
from gatepost.store.scopes import ScopeError
from tests.store.conftest import Clock


def last(store: PolicyStore) -> Change:
    """Return the newest change."""
    return store.changes(limit=1)[0]


def test_put(store: PolicyStore, clock: Clock) -> None:
    """Each change makes the version one higher and says from what to what."""
    clock.now += 60
    version = store.put("domain:Example.org", {"keep_days": 3, "dnsbl.zones": ["a"]}, by="bob")
    assert version == store.version() == 2
    assert store.settings("domain:example.org")["keep_days"] == 3
    change = last(store)
    assert (change.version, change.by, change.time) == (2, "bob", clock.now)
    assert (change.scope, change.what) == ("domain:example.org", "settings")
    assert change.before == {"keep_days": None, "dnsbl.zones": None}
    assert change.after == {"keep_days": 3, "dnsbl.zones": ["a"]}
    assert store.put("domain:example.org", {"keep_days": 3}, by="bob") == 2, "nothing changed"
    store.unset("domain:example.org", ["keep_days"])
    assert "keep_days" not in store.settings("domain:example.org")


def test_conflict(store: PolicyStore) -> None:
    """Who saw an older version is told who was faster and what is there now."""
    seen = store.version()
    store.put("domain:example.org", {"keep_days": 3}, expect=seen, by="ann")
    with pytest.raises(Conflict, match="by ann") as caught:
        store.put("domain:example.org", {"keep_days": 9}, expect=seen, by="bob")
    assert caught.value.present["keep_days"] == 3
    assert store.settings("domain:example.org")["keep_days"] == 3
    store.put("all", {"keep_days": 5}, expect=seen)
    store.put("mailbox:x@example.org", {"refuse_at": "rcpt"}, expect=seen)
    store.put("domain:example.org", {"keep_days": 9}, expect=store.version(), by="bob")


def test_two_writers(tmp_path: Path, store: PolicyStore) -> None:
    """Writers in two processes wait for each other; no change and no version is lost."""

    def work(n: int) -> None:
        mine = PolicyStore(tmp_path / "policy.db")
        for i in range(10):
            mine.put("domain:example.org", {f"dnsbl.k{n}": i}, by=f"w{n}")
        mine.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.version() == 41
    assert len(store.changes(limit=100)) == 41
    assert {f"dnsbl.k{n}": 9 for n in range(4)}.items() <= store.settings("domain:example.org").items()


def test_domains(store: PolicyStore) -> None:
    """Added once, with routes and settings; removed with everything."""
    store.add_domain("Example.NET", ["smtp://a:25", "smtp://b:25"], {"recipients": "any"}, by="ann")
    assert store.settings("domain:example.net") == {
        "route": ["smtp://a:25", "smtp://b:25"],
        "recipients": "any",
    }
    with pytest.raises(Conflict, match="hosted already"):
        store.add_domain("example.net", "smtp://c:25")
    with pytest.raises(ScopeError):
        store.add_domain("not a domain", "smtp://c:25")
    store.add_recipients("example.net", ["ann"])
    store.add_entry("mailbox:ann@example.net", "allow", "ip", "192.0.2.1")
    store.remove_domain("example.net", by="bob")
    assert store.domain("example.net") is None
    assert store.entries("mailbox:ann@example.net") == []
    change = last(store)
    assert (change.what, change.by, change.after) == ("domain", "bob", None)
    assert change.before["recipients"] == [["ann", 1, None]]
    store.add_domain("example.net", "smtp://c:25")
    assert store.recipients("example.net") == [], "a new domain of the same name starts empty"


def test_what_is_not_there(store: PolicyStore) -> None:
    """Changing a domain that is not hosted is NotFound, and changes nothing."""
    for change in (
        lambda: store.put("domain:example.net", {"keep_days": 3}),
        lambda: store.put("mailbox:a@example.net", {"keep_days": 3}),
        lambda: store.add_recipients("example.net", ["ann"]),
        lambda: store.remove_recipients("example.net", ["ann"]),
        lambda: store.add_entry("domain:example.net", "deny", "tld", "ru"),
        lambda: store.remove_domain("example.net"),
        lambda: store.remove_entry(77),
        lambda: store.change(77),
    ):
        with pytest.raises(NotFound):
            change()
    assert store.version() == 1


def test_recipients(store: PolicyStore) -> None:
    """Adding counts what is new; removing counts what went; both are written down."""
    assert store.add_recipients("example.org", ["ann", "Ann", "bob"], by="x") == 2
    assert store.add_recipients("example.org", ["ann"]) == 0
    assert store.add_recipients("example.org", ["ann"], acl=["192.0.2.1"]) == 1
    assert last(store).before == [["ann", 1, None]]
    store.add_recipients("example.org", ["ann"], kind="invalid")
    assert store.remove_recipients("example.org", ["ann"], kind="invalid") == 1
    assert store.remove_recipients("example.org", ["ann", "nobody"]) == 1
    assert last(store).after == []
    assert [r.local for r in store.recipients("example.org")] == ["bob"]
    with pytest.raises(StoreError, match="neither"):
        store.add_recipients("example.org", ["x"], kind="perhaps")
    with pytest.raises(ScopeError):
        store.add_recipients("example.org", ["good", "bad\n"])
    assert store.recipient("example.org", "good") is None, "all of them or none"


def test_large_changes_are_counted(store: PolicyStore) -> None:
    """A change of thousands of recipients is written down as a number and cannot be rolled back."""
    store.add_recipients("example.org", [f"u{n}" for n in range(6000)])
    change = last(store)
    assert (change.after, change.complete) == (6000, False)
    with pytest.raises(StoreError, match="too large"):
        store.roll_back(change.id)


def test_entries(store: PolicyStore) -> None:
    """The same entry again is renewed; allow and deny of one thing are two."""
    first = store.add_entry("domain:example.org", "deny", "ip", "192.0.2.1", note="spam", by="ann")
    again = store.add_entry("domain:example.org", "deny", "ip", "192.0.2.1", expires=99.0, by="bob")
    other = store.add_entry("domain:example.org", "allow", "ip", "192.0.2.1", plugin="dnsbl")
    assert again.id == first.id
    assert store.entries("domain:example.org") == [again, other]
    assert last(store).before is None
    store.remove_entry(first.id, by="bob")
    assert store.entries("domain:example.org") == [other]
    assert last(store).before["note"] == ""


def test_locked_entries(store: PolicyStore) -> None:
    """Only an administrator changes what an administrator locked."""
    entry = store.add_entry("domain:example.org", "deny", "tld", "ru", locked=True, admin=True)
    with pytest.raises(StoreError, match="locked"):
        store.remove_entry(entry.id, by="owner")
    with pytest.raises(StoreError, match="locked"):
        store.add_entry("domain:example.org", "deny", "tld", "ru")
    store.remove_entry(entry.id, by="root", admin=True)


def test_values_are_json(store: PolicyStore) -> None:
    """What JSON does not have is refused before anything is written."""
    for value in (float("nan"), {1, 2}, b"x"):
        with pytest.raises(StoreError, match="JSON"):
            store.put("domain:example.org", {"keep_days": value})
    assert store.version() == 1


def test_changes_by_page(store: PolicyStore) -> None:
    """The newest first, of one domain with its mailboxes, of all, and page by page."""
    store.add_domain("example.net", "smtp://a:25")
    store.put("all", {"keep_days": 5})
    store.put("mailbox:ann@example.org", {"refuse_at": "rcpt"})
    scopes = [c.scope for c in store.changes()]
    assert scopes == ["mailbox:ann@example.org", "all", "domain:example.net", "domain:example.org"]
    assert [c.scope for c in store.changes(domain="example.org")] == [scopes[0], scopes[3]]
    assert [c.scope for c in store.changes(domain="all")] == ["all"]
    first = store.changes(limit=3)
    assert [c.scope for c in store.changes(limit=3, before_id=first[-1].id)] == scopes[3:]
    assert [c.version for c in store.changes(since_version=2)] == [4, 3]


def test_note(store: PolicyStore) -> None:
    """What is no policy stands in the list of its domain, or of all, and makes no version."""
    version = store.version()
    store.note("released", None, {"id": "1"}, "ann", "example.org")
    store.note("user", None, {"name": "ann"}, "root")
    assert version == store.version()
    assert ["released", "domain"] == [one.what for one in store.changes(domain="example.org")]
    assert ["user"] == [one.what for one in store.changes(domain="all")]


def test_load(tmp_path: Path) -> None:
    """Many domains at once: one version, one line of change."""
    store = PolicyStore(tmp_path / "policy.db")
    domains = ((f"d{n}.example", "smtp://a:25", {"keep_days": 3}, ["Ann", "bob"]) for n in range(200))
    assert store.load(domains, by="import") == 200
    assert store.version() == 1
    assert last(store).after == {"domains": 200}
    assert store.recipient("d77.example", "ann") is not None
    assert store.settings("domain:d77.example") == {"route": ["smtp://a:25"], "keep_days": 3}
    with pytest.raises(StoreError):
        store.load([("new.example", "smtp://a:25", {}, []), ("d7.example", "smtp://a:25", {}, [])])
    assert store.domain("new.example") is None, "all of them or none"


def test_copy(store: PolicyStore, tmp_path: Path) -> None:
    """A copy is a policy of its own."""
    store.copy_to(tmp_path / "copy.db")
    copied = PolicyStore(tmp_path / "copy.db")
    assert copied.domains() == ["example.org"]
