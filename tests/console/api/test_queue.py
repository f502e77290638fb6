"""`/queue`: what waits, of one's own domains alone."""

import pytest

from gatepost.spool.envelope import Envelope, Rcpt
from tests.console.api.program import Program
from tests.console.house import House


@pytest.fixture(autouse=True)
def waiting(house: House) -> None:
    """One mail of each domain waits."""
    with house.desk() as desk:
        now = desk.clock()
        for name in ("ann.example", "eve.example"):
            envelope = Envelope(f"q-{name[:3]}", None, (Rcpt(f"you@{name}"),), now, now + 60, domain=name)
            desk.queue.put(envelope, [b"Subject: x\r\n\r\n"])


def test_queue(ann: Program, rob: Program, root: Program) -> None:
    """Listed, tried now, dropped; a reader only looks."""
    assert ["q-ann"] == [one["id"] for one in ann.get("/queue")["items"]]
    assert {"q-ann", "q-eve"} == {one["id"] for one in root.get("/queue")["items"]}
    assert [] == ann.get("/queue", domain="eve.example")["items"]
    rob.post("/queue/q-ann/retry", status=404)
    due = ann.get("/queue")["items"][0]["due"]
    ann.post("/queue/q-ann/retry", status=204)
    assert due > ann.get("/queue")["items"][0]["due"]
    ann.delete("/queue/q-eve", 404)
    ann.delete("/queue/q-ann", 204)
    ann.delete("/queue/q-ann", 404)
