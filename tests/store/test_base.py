"""The store's own errors say what happened, to people."""

from gatepost.store.base import Conflict, NotFound, StoreDamaged, StoreError, StoreFull, StoreLocked


def test_conflict() -> None:
    """Who was faster, and what is there now."""
    conflict = Conflict("domain:example.org", "ann", 5.0, {"keep_days": 3})
    assert str(conflict) == "domain:example.org was changed meanwhile by ann"
    assert (conflict.by, conflict.time, conflict.present) == ("ann", 5.0, {"keep_days": 3})
    assert str(Conflict("all", "", 0.0, {}, "because")) == "because"


def test_one_family() -> None:
    """Whoever catches StoreError catches all of them."""
    assert all(issubclass(e, StoreError) for e in (Conflict, NotFound, StoreDamaged, StoreFull, StoreLocked))
