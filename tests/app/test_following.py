"""Each process follows the store; what cannot be read leaves the snapshot in force, and is said once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.app import prepare
from gatepost.app.following import Follower
from gatepost.plugin import registry as plugins
from gatepost.policy.snapshot import PolicyUnavailable
from gatepost.store.policy_db import PolicyStore
from gatepost.store.policy_follow import keep_last_good
from gatepost.telemetry.log import Log


class House:
    """A store with one domain, and one process that follows it."""

    def __init__(self, folder: Path) -> None:
        prepare(folder)
        self.folder = folder
        self.store = PolicyStore(folder / "policy.db")
        self.store.add_domain("example.org", "smtp://127.0.0.1:1", {})
        self._stream = (folder / "log").open("wb")
        self.registry = plugins.load(None, entries=False)
        self.follow()

    def follow(self) -> None:
        """Begin as a process does that starts now."""
        self.follower = Follower(self.folder, self.registry, Log(self._stream.fileno(), "logfmt", "info"))

    def hosted(self, name: str) -> bool:
        """Say whether mail for a domain would be taken now."""
        return self.follower.live.snapshot.policy_for(name) is not None

    def said(self, event: str) -> int:
        """Count an event in the log."""
        return (self.folder / "log").read_text().count(f"event={event}")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A process that follows."""
    return House(tmp_path)


def test_a_change_is_seen(house: House) -> None:
    """A new snapshot when something changed, the same one when nothing did."""
    before = house.follower.live.snapshot
    assert not house.follower.look()
    assert before is house.follower.live.snapshot
    house.store.add_domain("example.net", "smtp://127.0.0.1:1", {})
    assert house.follower.look()
    assert (True, True) == (house.hosted("example.org"), house.hosted("example.net"))


def test_trouble_is_said_once(house: House) -> None:
    """The last good copy answers for a damaged database; one line when that begins and one when it ends."""
    assert keep_last_good(house.folder)
    house.store.close()
    database = house.folder / "policy.db"
    sound = database.read_bytes()
    database.write_bytes(b"\xa5" * len(sound))
    house.follow()
    for _ in range(3):
        house.follower.look()
    assert house.hosted("example.org")
    with pytest.raises(PolicyUnavailable):
        house.hosted("never-seen.example")
    assert (1, 0) == (house.said("policy_unreadable"), house.said("policy_readable"))
    database.write_bytes(sound)
    for _ in range(3):
        house.follower.look()
    assert (True, False) == (house.hosted("example.org"), house.hosted("never-seen.example"))
    assert (1, 1) == (house.said("policy_unreadable"), house.said("policy_readable"))


def test_a_setting_that_cannot_be_is_said(house: House) -> None:
    """The farther level holds, and the log names the setting."""
    house.store.put("domain:example.org", {"refuse_at": "never"}, by="hand")
    house.follower.look()
    policy = house.follower.live.snapshot.policy_for("example.org")
    assert policy is not None
    house.follower.look()
    assert "data" == policy.refuse_at
    assert 1 == house.said("setting_ignored")
    assert "refuse_at" in (house.folder / "log").read_text()


def test_plugins_loaded_anew(house: House) -> None:
    """With other plugins the settings are read by their models."""
    before = house.follower.live.snapshot
    house.follower.new_registry(house.registry)
    assert before is not house.follower.live.snapshot
    assert house.hosted("example.org")
