"""People, sessions and tries are kept; a code is used once, whoever is faster."""

from pathlib import Path

import pytest

from gatepost.store.accounts_db import KEPT_LOGINS, AccountsStore, LoginRow, PersonRow, SessionRow
from gatepost.store.base import Conflict, NotFound

ANN = PersonRow(
    "ann", "owner", "$hash", "de", "Europe/Berlin", domains=("a.example", "b.example"), created=1.0
)


@pytest.fixture
def store(tmp_path: Path) -> AccountsStore:
    """Return a store with ann."""
    made = AccountsStore(tmp_path / "accounts.db")
    made.add(ANN)
    return made


def test_people(store: AccountsStore) -> None:
    """What was added comes back; a name is taken once; a change changes what it says."""
    assert ANN == store.person("ann")
    assert [ANN] == store.people()
    assert store.person("bob") is None
    with pytest.raises(Conflict):
        store.add(ANN)
    store.change("ann", {"role": "reader", "domains": ("c.example",), "recovery": ("x", "y")})
    changed = store.person("ann")
    assert changed is not None
    assert ("reader", ("c.example",), ("x", "y")) == (changed.role, changed.domains, changed.recovery)
    with pytest.raises(NotFound):
        store.change("bob", {"role": "admin"})
    with pytest.raises(NotFound):
        store.remove("bob")


def test_codes_are_used_once(store: AccountsStore, tmp_path: Path) -> None:
    """A step and all before it, and a recovery code, also where two processes ask at once."""
    other = AccountsStore(tmp_path / "accounts.db")
    store.change("ann", {"recovery": ("x", "y")})
    assert [True, False, False, True] == [
        store.use_step("ann", 7), other.use_step("ann", 7),
        store.use_step("ann", 6), other.use_step("ann", 8),
    ]  # fmt: skip
    assert [True, False, False] == [
        store.use_recovery("ann", "x"), other.use_recovery("ann", "x"), store.use_recovery("bob", "y"),
    ]  # fmt: skip


def test_sessions(store: AccountsStore) -> None:
    """They end one by one, all but one, or with the person."""
    for n in range(3):
        store.begin(SessionRow(f"s{n}", "ann", 1.0, float(n), "192.0.2.1", "browser"))
    assert ["s2", "s1", "s0"] == [one.id for one in store.sessions("ann")]
    store.seen("s0", 9.0)
    assert "s0" == store.sessions("ann")[0].id
    store.end("s2")
    assert store.session("s2") is None
    assert 1 == store.end_all("ann", "s0")
    assert ["s0"] == [one.id for one in store.sessions("ann")]
    store.remove("ann")
    assert store.session("s0") is None


def test_tries(store: AccountsStore) -> None:
    """Failures are counted in their window and forgiven; every try is written down for a while."""
    store.failed(["account ann", "network 192.0.2.1"], 100.0, 0.0)
    store.failed(["account ann"], 200.0, 0.0)
    assert (2, 100.0) == store.failures("account ann", 50.0)
    assert (1, 200.0) == store.failures("account ann", 100.0)
    store.failed(["account bob"], 300.0, 150.0)
    assert (1, 200.0) == store.failures("account ann", 0.0)
    store.forgive("account ann")
    assert (0, 0.0) == store.failures("account ann", 0.0)
    store.write_down(LoginRow(1.0, "ann", "192.0.2.1", "wrong"))
    store.write_down(LoginRow(2.0, "bob", "192.0.2.1", "in"))
    assert ["bob", "ann"] == [one.name for one in store.logins()]
    assert ["wrong"] == [one.outcome for one in store.logins("ann")]
    store.write_down(LoginRow(3.0 + KEPT_LOGINS, "ann", "192.0.2.1", "in"))
    assert ["in"] == [one.outcome for one in store.logins()]


def test_copy(store: AccountsStore, tmp_path: Path) -> None:
    """A copy has all of it."""
    store.copy_to(tmp_path / "copy.db")
    assert [ANN] == AccountsStore(tmp_path / "copy.db").people()
