"""What waits is found by id, a beginning of it, or the session; retried and dropped by hand."""

from __future__ import annotations

import pytest

from gatepost.desk import queue
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.spool.envelope import Envelope, Rcpt


def put(desk: Desk, name: str, **more: object) -> Envelope:
    """Put an entry into the queue that was refused for good."""
    envelope = Envelope(
        id=name,
        sender="bob@example.net",
        recipients=(Rcpt("ann@example.org", failed=True, last="550 no"),),
        created=desk.clock(),
        due=desk.clock() + 3600,
        domain="example.org",
        session="0DQ3N7V5K2F8T.1",
        **more,  # type: ignore[arg-type]
    )
    desk.queue.put(envelope, [b"Subject: x\r\n\r\nbody\r\n"])
    return envelope


def test_listing(desk: Desk) -> None:
    """All, or those of a domain."""
    put(desk, "aaaa1111")
    assert [e.id for e in queue.listing(desk)] == ["aaaa1111"]
    assert queue.listing(desk, "example.net") == []


def test_find(desk: Desk) -> None:
    """A beginning is enough where only one has it; the id of the session finds its mail too."""
    put(desk, "aaaa1111")
    put(desk, "aaaa2222")
    assert [e.id for e in queue.find(desk, ["aaaa2"])] == ["aaaa2222"]
    assert [e.id for e in queue.find(desk, ["0dq3n7v5k2f8t"])] == ["aaaa1111", "aaaa2222"]
    with pytest.raises(DeskError, match="beginning of 2 ids"):
        queue.find(desk, ["aaaa"])
    with pytest.raises(NotFound):
        queue.find(desk, ["bbbb"])


def test_retry(desk: Desk) -> None:
    """Due now, also what was refused for good."""
    one = put(desk, "aaaa1111")
    assert queue.retry(desk, [one]) == []
    (after,) = queue.listing(desk)
    assert after.due == desk.clock()
    assert [r.failed for r in after.recipients] == [False]


def test_drop(desk: Desk) -> None:
    """Gone, without a bounce."""
    one = put(desk, "aaaa1111")
    assert queue.drop(desk, [one]) == []
    assert queue.listing(desk) == []


def test_being_delivered(desk: Desk) -> None:
    """What a courier holds at this moment is left alone and named."""
    one = put(desk, "aaaa1111")
    claim = desk.queue.claim("aaaa1111")
    assert claim is not None
    assert queue.drop(desk, [one]) == ["aaaa1111"]
    assert queue.retry(desk, [one]) == ["aaaa1111"]
    claim.release()


def test_dropped_release_may_be_released_again(desk: Desk) -> None:
    """A release that was dropped was not delivered, so it leaves no mark of a delivery."""
    one = put(desk, "release-1", once=True)
    queue.drop(desk, [one])
    assert not desk.queue.was_sent("release-1")
