"""T6.4: a mail that kills who reads it is set aside, kept and told of; all other mail goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.relay.backend import Backend
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import behind, host, in_force, journal, running, written
from tests.system.talk import Talk

PLUGIN = '''"""Reads mail, and dies of some."""

import os
import signal
import time

from gatepost.plugin import Context, Plugin, PluginSettings


def parse(body):
    """Read in a process of its own."""
    if b"crash-process" in body:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"eat-memory" in body:
        bytearray(1 << 40)
    if b"take-long" in body:
        time.sleep(60)


class Reader(Plugin):
    """Read mail as a parser with holes does. It works because tests want it to."""

    timeout = 3.0

    async def message(self, ctx: Context[PluginSettings]):
        if b"crash-worker" in ctx.message.body:
            os.kill(os.getpid(), signal.SIGSEGV)
        await ctx.in_worker(parse, ctx.message.body)
'''
READS, NOT = "ann@reads.example", "ann@other.example"


def mail(marker: str, number: int = 1) -> bytes:
    """Return a mail that does what it says to who reads it."""
    return f"From: <me@client.example>\r\nSubject: {marker} {number}\r\n\r\n{marker}\r\n".encode()


@pytest.fixture
def back_end() -> Iterator[Backend]:
    """Give a back end that takes everything."""
    with behind() as backend:
        yield backend


@pytest.fixture
def gateway(back_end: Backend, tmp_path: Path) -> Iterator[Gateway]:
    """Give a gateway with two workers; one domain reads its mail, the other does not."""
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    (folder / "reader.py").write_text(PLUGIN)
    with running(smtp={"workers": 2}, plugins={"folder": str(folder)}) as gateway:
        host(gateway, "reads.example", back_end.url, reader__mode="on")
        host(gateway, "other.example", back_end.url, reader__mode="off")
        in_force()
        yield gateway


def send(gateway: Gateway, body: bytes, *recipients: str) -> int:
    """Send a mail; the code of the reply, 0 where the connection was cut."""
    with Talk(gateway.port) as talk:
        assert [250] * len(recipients) == [code for code, _ in talk.begin(*recipients)]
        return talk.data(body)[0]


def seen(gateway: Gateway, **where: str) -> list[tuple[str, str]]:
    """Return what became of mail, and who decided."""
    rows = sorted(journal(gateway, **where), key=lambda row: row.time)  # two workers wrote them
    return [(row.fate, row.plugin) for row in rows]


@pytest.mark.parametrize("marker", ["crash-process", "eat-memory"])
def test_killed_in_a_process_of_its_own(gateway: Gateway, back_end: Backend, marker: str) -> None:
    """4xx, then held: with the bytes, a row that says why, and an alert; the other domain has its copy."""
    assert 451 == send(gateway, mail(marker), READS)
    assert 250 == send(gateway, mail(marker), NOT, READS)  # both in one mail: only one has it held
    assert [["RCPT TO:<ann@other.example>"]] == [one.rcpts for one in back_end.taken]
    assert 250 == send(gateway, mail("ordinary"), READS)
    written(gateway, 4)
    fates = seen(gateway, domain="reads.example")
    assert [("deferred", "poison"), ("quarantined", "poison"), ("accepted", "")] == fates
    (kept,) = [row for row in journal(gateway) if row.fate == "quarantined"]
    assert "killed 2 processes of ours, the last one of reader" in kept.reason
    assert "event=alert" in gateway.said()
    assert "plugin=poison" in gateway.said()
    assert gateway.cli_bytes("archive", "show", kept.id).endswith(mail(marker))
    # Known again behind a restart, unread.
    assert 0 == gateway.stop()
    gateway.start()
    assert 250 == send(gateway, mail(marker), READS)
    written(gateway, 5)
    assert ("quarantined", "poison") == seen(gateway)[-1]


def test_took_too_long(gateway: Gateway) -> None:
    """The first time `on_failure` decides, as ever; the second time it is held."""
    assert 250 == send(gateway, mail("take-long"), READS)
    assert 250 == send(gateway, mail("take-long"), READS)
    written(gateway, 2)
    assert [("accepted", ""), ("quarantined", "poison")] == seen(gateway, domain="reads.example")


def test_killed_the_worker(gateway: Gateway) -> None:
    """Twice a worker dies of it, the third time it is held; mail of others flows all the while."""
    stop, delivered, refused = threading.Event(), [0], [0]

    def flow() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            code = 0
            while code == 0 and not stop.is_set():  # cut off with a worker: it comes again, as servers do
                try:
                    code = send(gateway, mail("ordinary", number), READS)
                except (OSError, AssertionError):
                    code = 0
            delivered[0] += code == 250
            refused[0] += code not in (0, 250)

    others = threading.Thread(target=flow)
    others.start()
    try:
        for times in (1, 2):
            assert 0 == send(gateway, mail("crash-worker"), READS)
            wait_until(lambda n=times: gateway.said().count("event=suspect") >= n, "told")  # type: ignore[misc]
            wait_until(lambda n=times: gateway.said().count("event=process_ready") >= n + 2, "a new one")  # type: ignore[misc]
        before = delivered[0]
        assert 250 == send(gateway, mail("crash-worker"), READS)
        wait_until(lambda: delivered[0] > before + 5, "the others go on")
    finally:
        stop.set()
        others.join(30)
    assert 0 == refused[0]
    said = gateway.said()
    assert 2 == said.count("event=process_died")
    suspects = [line for line in said.splitlines() if "event=suspect" in line]
    assert ["times=1" in suspects[0], "times=2" in suspects[1]] == [True, True]
    assert all("plugin=reader" in line for line in suspects)
    wait_until(lambda: ("quarantined", "poison") in seen(gateway), "the row")
    (kept,) = [row for row in journal(gateway) if row.fate == "quarantined"]
    assert gateway.cli_bytes("archive", "show", kept.id).endswith(mail("crash-worker"))
    assert {("accepted", ""), ("quarantined", "poison")} >= set(seen(gateway, domain="reads.example"))
