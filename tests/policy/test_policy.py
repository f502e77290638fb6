"""A mailbox that overrides something has a policy of its own; all others have the domain's."""

from gatepost.plugin.registry import load
from gatepost.policy.resolve import resolve
from gatepost.policy.source import DomainRows, Everywhere


def test_for_mailbox() -> None:
    """By the folded local part; the rest of the policy is the domain's."""
    rows = DomainRows("example.org", {"route": ["smtp://a:25"]}, mailboxes={"ann": {"score.reject_at": 99.0}})
    policy = resolve(rows, Everywhere(), {})
    assert policy.for_mailbox("ann").reject_at == 99.0
    assert policy.for_mailbox("ann").routes == policy.routes
    assert policy.for_mailbox("bob") is policy


def test_no_mailboxes() -> None:
    """Most domains have none."""
    policy = resolve(DomainRows("example.org", {}), Everywhere(), {})
    assert policy.for_mailbox("ann") is policy


def test_for_training() -> None:
    """Only the check `training`, which nothing leads past; the same object each time; off: none at all."""
    defaults = load(None, entries=False).defaults()
    rows = DomainRows(
        "example.org",
        {"route": ["smtp://a:25"], "bypass": True, "training.on_failure": "pass", "training.mode": "watch"},
    )
    policy = resolve(rows, Everywhere(), defaults)
    found = policy.for_training()
    assert found is not None
    assert found is policy.for_training()
    assert ["training"] == list(found.plugins)
    one = found.plugins["training"]
    assert ("on", "reject", "defer") == (one.mode, one.action, one.on_failure)
    assert (True, False, "example.org") == (found.trains, found.bypass, found.domain)
    off = resolve(DomainRows("example.org", {"training.mode": "off"}), Everywhere(), defaults)
    assert off.for_training() is None
    assert resolve(DomainRows("example.org", {}), Everywhere(), {}).for_training() is None
