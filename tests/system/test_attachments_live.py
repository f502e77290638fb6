"""Files in mail over the wire: two domains in one transaction, a bomb, poison, and who pays nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.plugin.archive_bombs import forty_two
from tests.plugin.archive_cases import PLAIN, mail, rar5, zipped
from tests.system.gateway import Gateway
from tests.system.meanwhile import nobody_waits
from tests.system.process import wait_until
from tests.system.running import in_force
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

ANN, OTHER = "ann@example.org", "ann@other.example"


def rows(gateway: Gateway) -> str:
    """Return the journal of example.org with what each check said."""
    found = gateway.json("journal", "--domain", "example.org")
    return str([gateway.json("explain", row["id"]) for row in found])


def on(gateway: Gateway, *settings: str) -> None:
    """Set for example.org, and wait until it is in force."""
    gateway.cli("domain", "set", "example.org", *settings)
    in_force()


def processes(gateway: Gateway) -> set[int]:
    """Return all processes of a gateway: they are in its session."""
    assert gateway.child is not None
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getsid(int(path.name)) == gateway.child.process.pid:
                found.add(int(path.name))
    return found


def children(pid: int) -> set[int]:
    """Return the children of a process."""
    with contextlib.suppress(OSError):
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()))
    return set()


def readers(gateway: Gateway) -> list[int]:
    """Return those that look into mail."""
    found = []
    for pid in processes(gateway):
        with contextlib.suppress(OSError):
            if b"gatepost.plugin.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def test_refused_for_one_domain(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """A program in a zip in one mail to two domains: refused for the one, delivered to the other."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    hosting(gateway, sink.port, domain="other.example")
    on(gateway, "attachments.mode=on")
    raw = mail(("invoice.zip", zipped(PLAIN)))
    code, said = gateway.send([ANN], raw)
    assert (550, "5.7.1") == (code, said.split()[0])
    assert "a kind of file that is not accepted here" in said
    assert "setup.exe" not in said
    before = len(sink.messages())
    assert 250 == gateway.send([ANN, OTHER], raw)[0]
    (got,) = sink.messages()[before:]
    assert b"<ann@other.example>" in got
    assert b"<ann@example.org>" not in got
    wait_until(lambda: "invoice.zip/setup.exe ends in .exe" in rows(gateway), "the reason")
    assert 250 == gateway.send([ANN], mail(("photos.rar", rar5({"a.txt": b"x"}))))[0]
    assert 550 == gateway.send([ANN], mail(("photos.rar", rar5(PLAIN))))[0]
    gateway.cli("list", "add", "example.org", "allow", "client.example", "--plugin", "attachments")
    in_force()
    assert 250 == gateway.send([ANN], raw)[0]


def test_a_bomb_is_held_and_nobody_waits(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """42.zip's like gets 250 and is held; another session's NOOP is answered meanwhile (T6.1)."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    on(gateway, "attachments.mode=on", "headers.mode=on")
    gateway.send([ANN], mail(("a.zip", zipped({"a.txt": b"x"}))))  # the process is there
    bomb = mail(("a.zip", forty_two()), head=b"X-Padding: " + b"x" * 500 + b"\r\n")

    def send() -> None:
        assert 250 == gateway.send([ANN], bomb)[0]

    before = len(sink.messages())
    nobody_waits(gateway.port, send)
    assert before == len(sink.messages())
    wait_until(lambda: "unpacks to more than 500 times its size" in rows(gateway), "the reason")


def test_refused_at_rcpt_pays_nothing(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """No process is started for mail to nobody, nor for a letter without files."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    on(gateway, "attachments.mode=on")
    raw = mail(("a.zip", zipped({"a.txt": b"x"})))
    assert 550 == gateway.send(["nobody@example.org"], raw)[0]
    assert 250 == gateway.send([ANN], letter("no files"))[0]
    assert [] == readers(gateway)
    assert 250 == gateway.send([ANN], raw)[0]
    assert 1 == len(readers(gateway))


def test_poison(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """A mail whose process is killed each time is held, the administrator told, and the next mail goes on."""
    gateway = make_gateway()
    hosting(gateway, sink.port)
    on(gateway, "attachments.mode=on")
    slow = mail(
        *((f"{n}.zip", zipped({f"{m}.zip": zipped({"a": b"x"}) for m in range(190)})) for n in range(10))
    )

    known = processes(gateway)

    async def play() -> int:
        sent = asyncio.create_task(asyncio.to_thread(gateway.send, [ANN], slow))
        while not sent.done():
            for reader in {one for pid in known for one in children(pid)} - known:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(reader, signal.SIGKILL)
            await asyncio.sleep(0.001)
        return sent.result()[0]

    before = len(sink.messages())
    assert 250 == asyncio.run(play())
    assert before == len(sink.messages())
    wait_until(lambda: "poison: the process died" in rows(gateway), "the reason")
    assert "poison" in gateway.said()
    assert 250 == gateway.send([ANN], mail(("a.zip", zipped({"a.txt": b"x"}))))[0]
    assert before + 1 == len(sink.messages())
