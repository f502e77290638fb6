"""Mail below `train.` of a hosted domain has a policy of its own, and never becomes a delivery."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.transaction import Recipient
from gatepost.plugin.registry import load
from gatepost.policy.decide import Fate, Outcome
from gatepost.policy.snapshot import Snapshot
from gatepost.policy.training import settled, whose
from gatepost.store.policy_db import PolicyStore


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """Three domains: one as it comes, one without training, one that is itself called so."""
    store = PolicyStore(tmp_path / "policy.db")
    store.add_domain("example.org", "smtp://127.0.0.1:1", {})
    store.add_domain("off.test", "smtp://127.0.0.1:1", {"training.mode": "off"})
    store.add_domain("train.off.test", "smtp://127.0.0.1:1", {})
    return Snapshot(1, store, load(None, entries=False).defaults())


@pytest.mark.parametrize(
    ("address", "final", "domain", "trains"),
    [
        ("ann@example.org", "ann@example.org", "example.org", False),
        ("prvs=0123abcdef=ann@example.org", "ann@example.org", "example.org", False),
        ("spam@train.example.org", "spam@train.example.org", "example.org", True),
        ("whatever@train.example.org", "whatever@train.example.org", "example.org", True),
        ("Abuse@train.example.org", "Abuse@example.org", "example.org", False),
        ("spam@train.off.test", "spam@train.off.test", "train.off.test", False),
        ("spam@train.train.off.test", "spam@train.train.off.test", "train.off.test", True),
        ("spam@train.foreign.test", "spam@train.foreign.test", "", False),
        ("postmaster@train.foreign.test", "postmaster@train.foreign.test", "", False),
        ("spam@xtrain.example.org", "spam@xtrain.example.org", "", False),
    ],
)
def test_whose(snapshot: Snapshot, address: str, final: str, domain: str, trains: bool) -> None:
    """Who is meant, under whose policy, and whether that one only trains."""
    found, policy = whose(snapshot, parse_address(address))
    assert final == found.text
    assert (domain, trains) == ((policy.domain, policy.trains) if policy is not None else ("", False))


def test_training_is_off(snapshot: Snapshot, tmp_path: Path) -> None:
    """Then nothing is hosted there."""
    store = PolicyStore(tmp_path / "policy.db")
    store.remove_domain("train.off.test")
    later = snapshot.with_changes(2, None)
    assert whose(later, parse_address("spam@train.off.test"))[1] is None


def test_settled(snapshot: Snapshot) -> None:
    """Whatever a check would make of it: accepted becomes a 4xx, held (nobody can read it) a 5xx."""
    address = parse_address("spam@train.example.org")
    recipient = Recipient(address, address, policy=whose(snapshot, address)[1])
    fates = {fate: settled(recipient, Outcome(fate)).fate for fate in Fate}
    assert {Fate.ACCEPT: Fate.DEFER, Fate.QUARANTINE: Fate.REJECT} == {
        before: after for before, after in fates.items() if before is not after
    }
    assert "why" == settled(recipient, Outcome(Fate.QUARANTINE, reason="why")).reason
    other = Recipient(address, address, policy=snapshot.policy_for("example.org"))
    assert Outcome(Fate.ACCEPT) == settled(other, Outcome(Fate.ACCEPT))
