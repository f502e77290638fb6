"""Keys by number, addresses that are signed, and secrets that are not shown."""

from __future__ import annotations

import json

import pytest

from gatepost.desk import batv, changes, domains
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.plugin.batv import since_key


def test_add_and_remove(desk: Desk) -> None:
    """The first address gives the domain a key; one that is removed begins anew later."""
    assert ["ann", "bob"] == batv.add(desk, "example.org", ["Ann", "bob@example.org", "ann"])
    at_once(desk.records.put("example.org", "bounce", since_key("ann"), {"since": 5.0}))
    found = batv.show(desk, "example.org")
    assert ((0,), [("ann", 5.0), ("bob", None)]) == (
        found.numbers,
        [(one.local, one.since) for one in found.addresses],
    )
    assert not found.checks
    domains.set_values(desk, "example.org", {"bounce.mode": "on", "bounce.batv": True})
    assert batv.show(desk, "example.org").checks
    assert ["ann"] == batv.remove(desk, "example.org", ["ann"])
    assert ["ann"] == batv.add(desk, "example.org", ["ann"])
    assert [("bob", None), ("ann", None)] == [
        (one.local, one.since) for one in batv.show(desk, "example.org").addresses
    ]


def test_everybody(desk: Desk) -> None:
    """With `*` those are shown whose signed mail was seen; when it is removed, all begin anew."""
    batv.add(desk, "example.org", ["*", "bob"])
    for local in ("ann", "bob"):
        at_once(desk.records.put("example.org", "bounce", since_key(local), {"since": 5.0}))
    shown = batv.show(desk, "example.org").addresses
    assert [("*", None), ("bob", 5.0), ("ann", 5.0)] == [(one.local, one.since) for one in shown]
    batv.remove(desk, "example.org", ["*"])
    assert ["bob"] == [one.local for one in batv.show(desk, "example.org").addresses]
    assert at_once(desk.records.get("example.org", "bounce", since_key("ann"))) is None
    assert at_once(desk.records.get("example.org", "bounce", since_key("bob"))) is not None


def test_rotation(desk: Desk) -> None:
    """Each new key has the next number and signs; tags of the old one stay good until it is dropped."""
    batv.add(desk, "example.org", ["ann"])
    first = batv.tag(desk, "ann@example.org")
    assert first.startswith("prvs=0")
    assert 1 == batv.new_key(desk, "example.org")
    second = batv.tag(desk, "ann@example.org")
    assert second.startswith("prvs=1")
    assert [True, True] == [batv.check(desk, one)[0] for one in (first, second)]
    with pytest.raises(DeskError, match="key 1 signs"):
        batv.drop_key(desk, "example.org", 1)
    batv.drop_key(desk, "example.org", 0)
    assert (False, "no key 0") == batv.check(desk, first)
    assert batv.check(desk, second)[0]


def test_twelve_rotations(desk: Desk) -> None:
    """Numbers go round after nine: the oldest key makes room."""
    assert [*range(10), 0, 1] == [batv.new_key(desk, "example.org") for _ in range(12)]
    assert (2, 3, 4, 5, 6, 7, 8, 9, 0, 1) == batv.show(desk, "example.org").numbers


def test_secrets_are_not_shown(desk: Desk) -> None:
    """Neither `domain get` nor the list of changes shows a key; who asks for it sees it."""
    batv.new_key(desk, "example.org")
    (secret,) = domains.own_values(desk, "example.org")[batv.KEYS]
    word = secret[2:]
    shown = domains.one_of(domains.get_values(desk, "example.org")[0], batv.KEYS)
    assert "(hidden)" == shown.value
    asked = domains.one_of(domains.get_values(desk, "example.org", secrets=True)[0], batv.KEYS)
    assert (secret,) == asked.value
    change = changes.listing(desk)[0]
    assert "bounce.batv_keys=(hidden)" == changes.in_words(change)
    assert word not in json.dumps(changes.hidden(change.after))
    domains.remove(desk, "example.org")
    removed = changes.listing(desk)[0]
    assert word in json.dumps(removed.before)
    assert word not in json.dumps(changes.hidden(removed.before))


def test_errors(desk: Desk) -> None:
    """What cannot be is said."""
    with pytest.raises(DeskError, match="not signed"):
        batv.tag(desk, "eve@example.org")
    with pytest.raises(DeskError, match=r"no address of example\.org"):
        batv.add(desk, "example.org", ["ann@example.net"])
    for untaggable in ("a b", "x" * 60, "prvs=0123abcdef=ann"):
        with pytest.raises(DeskError, match="it cannot be signed"):
            batv.add(desk, "example.org", ["ann", untaggable])
    assert () == batv.show(desk, "example.org").addresses
    with pytest.raises(NotFound, match="has no key 4"):
        batv.drop_key(desk, "example.org", 4)
    with pytest.raises(NotFound, match="none of these"):
        batv.remove(desk, "example.org", ["eve"])
    with pytest.raises(DeskError, match=r"bracket|character|local part"):
        batv.tag(desk, "eve")


def test_refuse_and_grace(desk: Desk) -> None:
    """Wanted is one thing, that the check is on another; grace runs from the first signed mail."""
    batv.add(desk, "example.org", ["ann", "bob"])
    at_once(desk.records.put("example.org", "bounce", since_key("ann"), {"since": 5.0}))
    batv.refuse(desk, "example.org", True)
    found = batv.show(desk, "example.org")
    assert (True, False) == (found.wanted, found.checks)
    assert [5.0 + 7 * 86_400, None] == [found.strict_from(one) for one in found.addresses]
    domains.set_values(desk, "example.org", {"bounce.batv_grace_days": 0})
    found = batv.show(desk, "example.org")
    assert [0.0, 0.0] == [found.strict_from(one) for one in found.addresses]
    batv.refuse(desk, "example.org", False)
    assert not batv.show(desk, "example.org").wanted
