"""The policy as it is read: rows for a snapshot, following, and pages for people."""

from pathlib import Path

from gatepost.policy.source import RecipientRow
from gatepost.store.policy_db import PolicyStore
from tests.store.conftest import HOSTILE


def test_rows_of_a_domain(store: PolicyStore) -> None:
    """Settings and entries, the domain's and its mailboxes'."""
    store.put("domain:example.org", {"keep_days": 3})
    store.put("mailbox:Ann@example.org", {"refuse_at": "rcpt"})
    store.add_entry("domain:example.org", "deny", "tld", "ru")
    store.add_entry(
        "mailbox:ann@example.org", "allow", "ip", "192.0.2.1", plugin="dnsbl", expires=9.0, note="n"
    )
    rows = store.domain("example.org")
    assert rows is not None
    assert rows.values == {"route": ["smtp://127.0.0.1:2600"], "keep_days": 3}
    assert rows.mailboxes == {"ann": {"refuse_at": "rcpt"}}
    assert [(e.kind, e.value, e.level) for e in rows.entries] == [("deny", "ru", "domain")]
    (entry,) = rows.mailbox_entries["ann"]
    assert (entry.level, entry.plugin, entry.expires, entry.note) == ("mailbox", "dnsbl", 9.0, "n")
    assert store.domain("example.net") is None
    assert store.mailboxes("example.org") == ["ann"]


def test_rows_of_all(store: PolicyStore) -> None:
    """What is set for all domains belongs to none."""
    store.put("all", {"keep_days": 9})
    store.add_entry("all", "deny", "ip", "192.0.2.9", locked=True)
    everywhere = store.everywhere()
    assert everywhere.values == {"keep_days": 9}
    assert [(e.level, e.locked) for e in everywhere.entries] == [("all", True)]
    assert store.domain("*") is None


def test_recipients(store: PolicyStore) -> None:
    """Itself before the wildcard, invalid before valid."""
    assert store.recipient("example.org", "ann") is None
    store.add_recipients("example.org", ["Ann", "bob"])
    store.add_recipients("example.org", ["bob"], kind="invalid")
    store.add_recipients("example.org", ["sales"], acl=["192.0.2.0/24"])
    assert store.recipient("example.org", "ann") == RecipientRow("ann")
    assert store.recipient("example.org", "bob") == RecipientRow("bob", "invalid")
    assert store.recipient("example.org", "sales") == RecipientRow("sales", "valid", ("192.0.2.0/24",))
    assert store.recipient("example.org", "carl") is None
    store.add_recipients("example.org", ["*"])
    assert store.recipient("example.org", "carl") == RecipientRow("*")
    assert store.recipient("example.org", "bob") == RecipientRow("bob", "invalid")
    assert store.recipient("example.net", "ann") is None
    assert store.count_recipients("example.org") == 5


def test_hostile_names_are_data(store: PolicyStore) -> None:
    """Names that look like SQL, paths or patterns find themselves and nothing else."""
    store.add_recipients("example.org", HOSTILE[:5])
    for name in HOSTILE:
        found = store.recipient("example.org", name.lower())
        assert (found is not None) == (name in HOSTILE[:5])
        assert store.recipient(name, "ann") is None
        assert store.domain(name) is None
    assert store.domains() == ["example.org"]


def test_recipients_up_to(store: PolicyStore) -> None:
    """All of a short list; nothing of one that is longer."""
    store.add_recipients("example.org", [f"u{n}" for n in range(10)])
    rows = store.recipients_up_to("example.org", 10)
    assert rows is not None
    assert len(rows) == 10
    assert store.recipients_up_to("example.org", 9) is None
    assert store.recipients_up_to("example.net", 9) == []


def test_pages(store: PolicyStore) -> None:
    """Domains and recipients come by name, from a name on."""
    for name in ("b.example", "a.example"):
        store.add_domain(name, "smtp://a:25")
    assert store.domains() == ["a.example", "b.example", "example.org"]
    assert store.domains(after="a.example", limit=1) == ["b.example"]
    assert store.first_domain() == "a.example"
    store.add_recipients("example.org", ["a", "b", "c"])
    assert [r.local for r in store.recipients("example.org", after="a", limit=1)] == ["b"]


def test_following(store: PolicyStore, tmp_path: Path) -> None:
    """A second connection sees that something changed, what, and which domains."""
    reader = PolicyStore(tmp_path / "policy.db")
    token, version = reader.follow_token(), reader.version()
    assert reader.changed_domains(version) == (version, set())
    assert reader.follow_token() == token
    store.put("domain:example.org", {"keep_days": 3})
    store.add_recipients("example.org", ["ann"])
    assert reader.follow_token() != token
    assert reader.changed_domains(version) == (version + 2, {"example.org"})
    store.put("all", {"keep_days": 5})
    assert reader.changed_domains(version) == (version + 3, None), "everything may have changed"
    assert reader.changed_domains(version + 100)[1] is None, "another file: start anew"


def test_many_changes_are_all(store: PolicyStore) -> None:
    """More changed domains than are worth telling apart are all of them."""
    for n in range(5):
        store.add_domain(f"d{n}.example", "smtp://a:25")
    from gatepost.store import policy_rows

    before = policy_rows.MAX_CHANGED
    policy_rows.MAX_CHANGED = 3
    try:
        assert store.changed_domains(1)[1] is None
    finally:
        policy_rows.MAX_CHANGED = before


def test_hold(store: PolicyStore, tmp_path: Path) -> None:
    """Between hold and release the rows stay as they were."""
    reader = PolicyStore(tmp_path / "policy.db")
    reader.hold()
    assert reader.recipient("example.org", "ann") is None
    store.add_recipients("example.org", ["ann"])
    assert reader.recipient("example.org", "ann") is None
    reader.hold()
    reader.release()
    reader.release()
    assert reader.recipient("example.org", "ann") is not None
