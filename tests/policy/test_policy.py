"""A mailbox that overrides something has a policy of its own; all others have the domain's."""

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
