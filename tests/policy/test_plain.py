"""The quick way gives the very policy that the long way gives, and leaves to it what is not plain."""

import pytest

from gatepost.policy.lists import Entry
from gatepost.policy.plain import FIELDS, Plain, threshold
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.resolve import Resolver
from gatepost.policy.settings import SETTINGS
from gatepost.policy.source import DomainRows, Everywhere
from tests.policy.dnsbl import DEFAULTS

ROUTE = {"route": ["smtp://a:25"]}
EVERYWHERE = Everywhere(
    {"preset": "strict", "keep_days": 9, "dnsbl.zones": ["a"]}, (Entry(1, "deny", "tld", "ru", level="all"),)
)


def long_way(rows: DomainRows, everywhere: Everywhere) -> DomainPolicy:
    """Return the policy without the quick way."""
    resolver = Resolver(everywhere, DEFAULTS)
    resolver._plain = Never(resolver.everywhere(3))
    return resolver.domain(rows, 3, [])


class Never(Plain):
    """No domain is plain."""

    def policy(self, rows: DomainRows, version: int) -> None:
        return None


@pytest.mark.parametrize(
    "values",
    [
        ROUTE,
        {},
        {**ROUTE, "recipients": "any", "refuse_at": "rcpt", "refuse_at.unknown": "data", "keep_days": 3},
        {**ROUTE, "score.tag_at": 1, "score.quarantine_at": 7, "score.reject_at": "off"},
        {**ROUTE, "on_backend_down": "spool", "mixed": "split", "bypass": True, "subjects": False},
    ],
)
@pytest.mark.parametrize("everywhere", [Everywhere(), EVERYWHERE])
def test_same_answer(values: dict[str, object], everywhere: Everywhere) -> None:
    """Field by field."""
    rows = DomainRows("example.org", values)
    quick = Resolver(everywhere, DEFAULTS).domain(rows, 3, [])
    slow = long_way(rows, everywhere)
    for name in DomainPolicy.__dataclass_fields__:
        if name == "lists":
            assert [t.entries for t in quick.lists.tables] == [t.entries for t in slow.lists.tables]
        elif name == "plugins":
            assert {n: (p.mode, p.settings, p.key, p.origin) for n, p in quick.plugins.items()} == {
                n: (p.mode, p.settings, p.key, p.origin) for n, p in slow.plugins.items()
            }
        else:
            assert getattr(quick, name) == getattr(slow, name), name


@pytest.mark.parametrize(
    "rows",
    [
        DomainRows("a.example", {**ROUTE, "preset": "careful"}),
        DomainRows("a.example", {**ROUTE, "dnsbl.mode": "off"}),
        DomainRows("a.example", {**ROUTE, "keep_days": -1}),
        DomainRows("a.example", {**ROUTE, "nosuch": 1}),
        DomainRows("a.example", ROUTE, entries=(Entry(1, "deny", "tld", "ru"),)),
        DomainRows("a.example", ROUTE, mailboxes={"ann": {}}),
        DomainRows("a.example", ROUTE, mailbox_entries={"ann": ()}),
    ],
)
def test_not_plain(rows: DomainRows) -> None:
    """Goes the long way, where faults are told."""
    assert Plain(Resolver(Everywhere(), DEFAULTS).everywhere(1)).policy(rows, 1) is None


def test_shared() -> None:
    """Two plain domains have one mapping of checks and one of origins, and a cache each."""
    resolver = Resolver(EVERYWHERE, DEFAULTS)
    one, two = (resolver.domain(DomainRows(f"{n}.example", ROUTE), 1, []) for n in "ab")
    assert one.plugins is two.plugins
    assert one.origin is two.origin
    assert one.lists is two.lists
    assert one.cache is not two.cache


def test_fields() -> None:
    """Every core setting but the preset is a field of the policy."""
    assert set(SETTINGS) == {*FIELDS, "preset"}
    assert threshold("off") is None
    assert threshold(3) == 3.0
