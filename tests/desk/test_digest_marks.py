"""What is remembered of digests survives, is one domain's alone, and goes when it is of no more use."""

from __future__ import annotations

from gatepost.desk import digest_marks
from gatepost.desk.desk import Desk
from gatepost.desk.digest_marks import Last, Sent, Use
from tests.desk.conftest import Clock


def test_last(desk: Desk) -> None:
    """How far a domain's digests told."""
    assert digest_marks.last(desk, "example.org") is None
    digest_marks.told(desk, "example.org", 5.5, "2026-11-25")
    assert Last(5.5, "2026-11-25") == digest_marks.last(desk, "example.org")
    assert digest_marks.last(desk, "other.example") is None


def test_readers(desk: Desk, clock: Clock) -> None:
    """Who got what last; who got nothing for long is forgotten, and so are links that have expired."""
    old, new = Sent("digest-1", 1.0, 2.0), Sent("digest-2", 3.0, 4.0)
    digest_marks.sent(desk, "example.org", "ann@example.org", old)
    digest_marks.sent(desk, "example.org", "bob@example.org", new)
    assert old == digest_marks.reader(desk, "example.org", "ann@example.org")
    for link, expires in (("a", clock.now - 1), ("b", clock.now + 1)):
        use = Use(desk, "example.org", link)
        assert use.begin()
        use.end(expires, used=True)

    digest_marks.forget(desk, "example.org", 3.0)

    assert {"bob@example.org": new} == digest_marks.readers(desk, "example.org")
    assert [False, True] == [digest_marks.is_used(desk, "example.org", link) for link in "ab"]


def test_use(desk: Desk, clock: Clock) -> None:
    """One at a time; used once; what a crash cut off is good again after a while."""
    first, second = Use(desk, "example.org", "x"), Use(desk, "example.org", "x")
    assert [True, False] == [first.begin(), second.begin()]
    first.end(0, used=False)
    assert second.begin()
    clock.now += digest_marks.LEASE + 1  # killed
    third = Use(desk, "example.org", "x")
    assert third.begin()
    third.end(clock.now + 9, used=True)
    assert not Use(desk, "example.org", "x").begin()
    assert digest_marks.is_used(desk, "example.org", "x")
