"""A scanner that is down lets nothing through unread: not by the spool, and not by a release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import in_force
from tests.system.scanners import Scanner, clamd_again
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter
from tests.system.test_scanners_live import ANN, OTHER, on, virus


def waiting(gateway: Gateway) -> list[dict[str, Any]]:
    """Return what waits in the spool."""
    found: list[dict[str, Any]] = gateway.json("queue", "list")
    return found


def copies(sink: Sink, name: bytes) -> int:
    """Return how many mails went to somebody."""
    return sum(b"<" + name + b">" in one for one in sink.messages())


def test_a_copy_that_nobody_scanned(
    make_gateway: Callable[..., Gateway], sink: Sink, mortal_clamd: Scanner
) -> None:
    """clamd is dead, another domain takes its copy: ours waits, and is scanned when clamd lives again."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    hosting(gateway, sink.port, domain="other.example")
    on(gateway, "clamav.mode=on", f'clamav.addresses=["{mortal_clamd.address}"]')
    mortal_clamd.stop()
    for mail in (virus(), letter("clean")):
        assert 250 == gateway.send([ANN, OTHER], mail)[0]
    assert (2, 0) == (copies(sink, OTHER.encode()), copies(sink, ANN.encode()))
    gateway.cli("queue", "retry", "--all")
    wait_until(lambda: [1, 1] == [one["attempts"] for one in waiting(gateway)], "a try without an answer")
    for one in waiting(gateway):
        assert "not judged yet" == one["reason"]
        assert "clamav cannot answer" in one["recipients"][0]["last"]
    assert 0 == copies(sink, ANN.encode())
    alive = clamd_again(mortal_clamd)
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

    wait_until(lambda: {"quarantined", "accepted", "queued"} <= set(fates()), "its fate in the journal")


def not_released(gateway: Gateway, name: str) -> str:
    """Return why a kept mail is not released."""
    done = gateway.cli("archive", "release", name, check=False)
    assert 1 == done.returncode
    return done.stderr


def test_a_release_is_scanned(
    make_gateway: Callable[..., Gateway], sink: Sink, mortal_clamd: Scanner
) -> None:
    """Kept unread by an early check, it is scanned now; what is found, or a dead clamd, takes a word more."""
    gateway = make_gateway(scanner={"clamav": {"address": mortal_clamd.address}})
    hosting(gateway, sink.port)
    on(gateway, "clamav.mode=on", "deny_list.mode=on")
    gateway.cli("list", "add", "example.org", "deny", "client.example")
    in_force()
    for mail in (virus(), letter("clean"), letter("later")):
        assert 550 == gateway.send([ANN], mail)[0]
    kept = {one["subject"]: one["filename"] for one in gateway.json("archive", "list")}
    assert {"deny_list"} == {one["plugin"] for one in gateway.json("archive", "list")}

    def arrived(name: bytes) -> bool:
        return any(b"Subject: " + name in one for one in sink.messages())

    gateway.cli("archive", "release", kept["clean"])
    wait_until(lambda: arrived(b"clean"), "the clean one")
    refused = not_released(gateway, kept["invoice"])
    assert "refuses it: clamav: ClamAV: Test.Eicar" in refused
    mortal_clamd.stop()
    refused = not_released(gateway, kept["later"])
    assert "cannot look at it now: clamav: clamav cannot answer" in refused
    assert [] == waiting(gateway)
    gateway.cli("archive", "release", "--all-the-same", kept["invoice"], kept["later"])
    wait_until(lambda: arrived(b"later") and arrived(b"invoice"), "both, all the same")
