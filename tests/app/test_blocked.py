"""A plugin that blocked a worker more than once is weakened wherever it was switched on, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.app.blocked import blame, put_away
from gatepost.store.deaths import DEATHS, WORKER, Death, Deaths
from gatepost.store.policy_db import PolicyStore

KEY = "stuck.mode"
BEFORE = {
    "domain:on.example": "on",
    "domain:watch.example": "watch",
    "domain:off.example": "off",
    "mailbox:ann@off.example": "on",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PolicyStore]:
    """Give a policy with domains that have the plugin on, on watch, and off."""
    store = PolicyStore(tmp_path / "policy.db")
    for name in ("on", "watch", "off", "unset"):
        store.add_domain(f"{name}.example", "smtp://127.0.0.1:1")
    for scope, mode in BEFORE.items():
        store.put(scope, {KEY: mode, "stuck.other": "stays"})
    yield store
    store.close()


def test_the_second_time_it_only_watches(store: PolicyStore, tmp_path: Path) -> None:
    """Where it was on it is on watch; where it was off, or nobody wanted it, nothing changes."""
    assert "watch" == put_away(tmp_path, "stuck", 2, "off")
    assert BEFORE | {"domain:on.example": "watch", "mailbox:ann@off.example": "watch"} == store.values_of(KEY)


def test_on_by_default(store: PolicyStore, tmp_path: Path) -> None:
    """A plugin that is on where nobody set it is put on watch for all."""
    put_away(tmp_path, "stuck", 2, "on")
    assert "watch" == store.values_of(KEY)["all"]


def test_the_third_time_it_is_off(store: PolicyStore, tmp_path: Path) -> None:
    """Watching, it still blocked: off everywhere, by a change that can be seen and undone."""
    assert "off" == put_away(tmp_path, "stuck", 3, "watch")
    assert {"off"} == set(store.values_of(KEY).values())
    assert set(BEFORE) | {"all"} == set(store.values_of(KEY))
    changes = [change for change in store.changes() if change.by == "watchdog"]
    assert {"all", "domain:on.example", "domain:watch.example", "mailbox:ann@off.example"} == {
        change.scope for change in changes
    }


def test_blame(tmp_path: Path) -> None:
    """Each message that a dead worker had in hand is written down, and counted."""
    one, other = b"1" * 16, b"2" * 16
    assert [(one.hex(), 1)] == blame(tmp_path, "stuck", [one], "w0 ended with status -9", 1e9)
    assert [(one.hex(), 2), (other.hex(), 1)] == blame(tmp_path, "", [one, other], "w1", 1e9 + 1)
    death = Death(1e9, WORKER, "stuck", "w0 ended with status -9")
    assert [death, Death(1e9 + 1, WORKER, "", "w1")] == Deaths(tmp_path / DEATHS).of(one, 1e9 + 2)
