"""A scanner that is down lets nothing through unread: not by the spool, and not by a release."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.system import scanners
from tests.system.gateway import Gateway
from tests.system.process import open_directory, wait_until
from tests.system.scanners import Scanner, clamd_again
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter
from tests.system.test_scanners_live import ANN, OTHER, on, virus


@pytest.fixture
def clamd() -> Iterator[Scanner]:
    """Give a real clamd that may be stopped."""
    with open_directory("clamd") as top:
        server = scanners.clamd(top)
        yield server
        server.stop()


def waiting(gateway: Gateway) -> list[dict[str, Any]]:
    """Return what waits in the spool."""
    found: list[dict[str, Any]] = gateway.json("queue", "list")
    return found


def copies(sink: Sink, name: bytes) -> int:
    """Return how many mails went to somebody."""
    return sum(b"<" + name + b">" in one for one in sink.messages())


def test_a_copy_that_nobody_scanned(make_gateway: Callable[..., Gateway], sink: Sink, clamd: Scanner) -> None:
    """clamd is dead, another domain takes its copy: ours waits, and is scanned when clamd lives again."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    hosting(gateway, sink.port, domain="other.example")
    on(gateway, "clamav.mode=on", f'clamav.addresses=["{clamd.address}"]')
    clamd.stop()
    for mail in (virus(), letter("clean")):
        assert 250 == gateway.send([ANN, OTHER], mail)[0]
    assert (2, 0) == (copies(sink, OTHER.encode()), copies(sink, ANN.encode()))
    gateway.cli("queue", "retry", "--all")
    wait_until(lambda: [1, 1] == [one["attempts"] for one in waiting(gateway)], "a try without an answer", 20)
    for one in waiting(gateway):
        assert "not judged yet" == one["reason"]
        assert "clamav cannot answer" in one["recipients"][0]["last"]
    assert 0 == copies(sink, ANN.encode())
    alive = clamd_again(clamd)
    try:
        gateway.cli("queue", "retry", "--all")
        wait_until(lambda: not waiting(gateway), "an empty spool", 30)
    finally:
        alive.stop()
    assert 1 == copies(sink, ANN.encode())
    assert b"Subject: clean" in sink.messages()[-1]
    (kept,) = gateway.json("archive", "list", "example.org")
    assert ("quarantined", "clamav") == (kept["outcome"], kept["plugin"])
    assert "Test.Eicar" in kept["reason"]

    def fates() -> list[str]:
        return [row["outcome"] for row in gateway.json("journal", "--domain", "example.org")]

    wait_until(lambda: {"quarantined", "accepted", "queued"} <= set(fates()), "its fate in the journal", 10)
