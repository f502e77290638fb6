"""The policy at one version: built when asked, shared when unchanged, bounded, and never falsely empty."""

import pytest

from gatepost.policy.snapshot import LOAD_AT, RECIPIENTS, PolicyUnavailable, Snapshot
from gatepost.policy.source import DomainRows, Everywhere, RecipientRow
from tests.cost import assert_cheap
from tests.policy.dnsbl import DEFAULTS

ROUTE = {"route": ["smtp://a:25"]}


class Rows:
    """A policy source in dictionaries that counts what it is asked."""

    def __init__(self, *domains: str) -> None:
        self.domains = {name: DomainRows(name, ROUTE) for name in domains}
        self.all = Everywhere()
        self.people: dict[str, list[RecipientRow]] = {}
        self.asked: list[str] = []
        self.broken = False

    def _look(self, what: str) -> None:
        self.asked.append(what)
        if self.broken:
            raise OSError("disk is gone")

    def domain(self, name: str) -> DomainRows | None:
        self._look(f"domain {name}")
        return self.domains.get(name)

    def everywhere(self) -> Everywhere:
        self._look("everywhere")
        return self.all

    def recipient(self, domain: str, local: str) -> RecipientRow | None:
        self._look(f"recipient {local}")
        found = {r.local: r for r in self.people.get(domain, [])}
        invalid = [r for r in self.people.get(domain, []) if r.local == local and r.kind == "invalid"]
        return invalid[0] if invalid else found.get(local) or found.get("*")

    def recipients_up_to(self, domain: str, limit: int) -> list[RecipientRow] | None:
        self._look("recipients")
        people = self.people.get(domain, [])
        return None if len(people) > limit else people

    def first_domain(self) -> str | None:
        self._look("first")
        return min(self.domains, default=None)


def test_built_when_first_asked() -> None:
    """A domain's rows are read once, whether it is hosted or not."""
    rows = Rows("a.example")
    snapshot = Snapshot(1, rows, DEFAULTS)
    policy = snapshot.policy_for("a.example")
    assert policy is not None
    assert policy.routes == ("smtp://a:25",)
    assert snapshot.policy_for("a.example") is policy
    assert snapshot.policy_for("b.example") is None
    assert snapshot.policy_for("b.example") is None
    assert rows.asked == ["everywhere", "domain a.example", "domain b.example", "first"]


def test_unreadable_is_not_unknown() -> None:
    """What fails below is PolicyUnavailable; what was read before goes on."""
    rows = Rows("a.example", "b.example")
    snapshot = Snapshot(1, rows, DEFAULTS)
    snapshot.policy_for("a.example")
    rows.broken = True
    assert snapshot.policy_for("a.example") is not None
    for ask in (
        lambda: snapshot.policy_for("b.example"),
        lambda: snapshot.recipient("a.example", "ann"),
        snapshot.first_domain,
        lambda: Snapshot(2, rows, DEFAULTS),
    ):
        with pytest.raises(PolicyUnavailable, match="disk is gone"):
            ask()
    rows.broken = False
    assert snapshot.policy_for("b.example") is not None, "a failure is not remembered"


def test_an_empty_policy_is_not_a_policy() -> None:
    """With no domain at all nobody can be told "not hosted here" (CONTRACT 4)."""
    with pytest.raises(PolicyUnavailable, match="empty"):
        Snapshot(0, Rows(), DEFAULTS).policy_for("a.example")


def test_changes_of_one_domain() -> None:
    """The next snapshot shares what did not change; the old one stays as it was."""
    rows = Rows("a.example", "b.example")
    old = Snapshot(1, rows, DEFAULTS)
    a, b = old.policy_for("a.example"), old.policy_for("b.example")
    assert old.policy_for("c.example") is None
    rows.domains["a.example"] = DomainRows("a.example", {**ROUTE, "keep_days": 3})
    rows.domains["c.example"] = DomainRows("c.example", ROUTE)
    new = old.with_changes(2, {"a.example", "c.example"})
    assert new.version == 2
    changed = new.policy_for("a.example")
    assert changed is not None
    assert (changed.keep_days, changed.version) == (3, 2)
    assert new.policy_for("b.example") is b
    assert new.policy_for("c.example") is not None
    assert old.policy_for("a.example") is a
    assert old.policy_for("c.example") is None
    assert new.everywhere is old.everywhere


def test_changes_for_all() -> None:
    """A change for all domains builds everything anew."""
    rows = Rows("a.example")
    old = Snapshot(1, rows, DEFAULTS)
    old.policy_for("a.example")
    rows.all = Everywhere({"keep_days": 9})
    new = old.with_changes(2, None)
    policy = new.policy_for("a.example")
    assert policy is not None
    assert policy.keep_days == 9
    assert new.everywhere.keep_days == 9


def test_memory_is_bounded() -> None:
    """What is not asked for is forgotten; what is asked for again and again stays."""
    rows = Rows(*(f"d{n}.example" for n in range(300)), "hot.example")
    snapshot = Snapshot(1, rows, DEFAULTS, cap=40)
    hot = snapshot.policy_for("hot.example")
    for n in range(300):
        snapshot.policy_for(f"d{n}.example")
        assert snapshot.policy_for("hot.example") is hot
    assert len(snapshot._young) + len(snapshot._old) <= 40
    for n in range(300):
        assert snapshot.policy_for(f"no{n}.example") is None
    assert len(snapshot._nobody) <= 40
    assert snapshot.policy_for("hot.example") is hot, "strangers' domains push nothing out"


def test_recipients_in_memory() -> None:
    """A short list is read once; invalid beats valid, and the wildcard comes last."""
    rows = Rows("a.example")
    invalid = RecipientRow("bob", "invalid")
    rows.people["a.example"] = [
        RecipientRow("bob"),
        invalid,
        RecipientRow("ann", acl=("192.0.2.1",)),
        RecipientRow("*"),
    ]
    snapshot = Snapshot(1, rows, DEFAULTS)
    for _ in range(10):
        ann = snapshot.recipient("a.example", "ann")
        assert ann is not None
        assert ann.acl == ("192.0.2.1",)
        assert snapshot.recipient("a.example", "bob") is invalid
        assert snapshot.recipient("a.example", "carl") == RecipientRow("*")
    assert rows.asked.count("recipients") == 1
    assert len([a for a in rows.asked if a.startswith("recipient ")]) == LOAD_AT - 1
    assert snapshot.recipient("b.example", "ann") is None
    policy = snapshot.policy_for("a.example")
    assert policy is not None
    assert set(policy.cache[RECIPIENTS]) == {"bob", "ann", "*"}


def test_long_lists_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list, or a short one when memory is full of lists, is asked name by name."""
    monkeypatch.setattr("gatepost.policy.snapshot.SMALL_LIST", 10)
    monkeypatch.setattr("gatepost.policy.snapshot.ALL_LISTS", 15)
    rows = Rows("long.example", "a.example", "b.example")
    rows.people["long.example"] = [RecipientRow(f"u{n}") for n in range(11)]
    rows.people["a.example"] = rows.people["b.example"] = [RecipientRow(f"u{n}") for n in range(9)]
    snapshot = Snapshot(1, rows, DEFAULTS)
    for _ in range(5):
        for domain in rows.domains:
            assert snapshot.recipient(domain, "u1") == RecipientRow("u1")
            assert snapshot.recipient(domain, "nosuch") is None
    assert sum(1 for a in rows.asked if a == "recipients") == 3, "a list that is too long is not tried again"
    assert sum(1 for a in rows.asked if a.startswith("recipient ")) == 10 + 10 + LOAD_AT - 1


def test_recipients_change_with_their_domain() -> None:
    """A changed domain's list is read again."""
    rows = Rows("a.example")
    old = Snapshot(1, rows, DEFAULTS)
    for _ in range(LOAD_AT):
        assert old.recipient("a.example", "ann") is None
    rows.people["a.example"] = [RecipientRow("ann")]
    new = old.with_changes(2, {"a.example"})
    assert new.recipient("a.example", "ann") == RecipientRow("ann")


def test_faults_are_told() -> None:
    """A value that cannot be is left out and named; repaired, it is named no longer."""
    rows = Rows("a.example")
    rows.all = Everywhere({"keep_days": "x"})
    rows.domains["a.example"] = DomainRows("a.example", {"mixed": "x"})
    old = Snapshot(1, rows, DEFAULTS)
    assert [f.key for f in old.faults] == ["keep_days"]
    old.policy_for("a.example")
    assert [f.key for f in old.faults] == ["keep_days", "mixed"]
    assert [f.key for f in old.with_changes(2, {"a.example"}).faults] == ["keep_days"]


def test_first_domain() -> None:
    """By name."""
    assert Snapshot(1, Rows("b.example", "a.example"), DEFAULTS).first_domain() == "a.example"


def test_cost() -> None:
    """A look costs a dictionary look-up: far below two microseconds even on a busy machine."""
    snapshot = Snapshot(1, Rows("a.example"), DEFAULTS)
    snapshot.policy_for("a.example")
    assert_cheap(2000 * 2e-6, lambda: [snapshot.policy_for("a.example") for _ in range(2000)])
