"""Killed at any system call behind our 354: a mail that got 250 is there and whole (L1, L2, L8)."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gatepost.relay.results import Result, Target
from gatepost.spool.archive import Archive
from gatepost.spool.queue import Queue
from tests.server.indoors import DELIVERED, Indoors
from tests.spool.shim import Recorder
from tests.system.process import TOP
from tests.system.stepped import BODY, CLIENT, KINDS, answer, prepare

POINTS = 50


def what_is_there(folder: Path) -> dict[str, list[bytes]]:
    """Recover as after a restart, and return domain -> bytes of the copies in spool and archive."""
    found: dict[str, list[bytes]] = {}
    queue = Queue(folder / "spool")
    queue.recover()
    for envelope in queue.list():
        found.setdefault(envelope.domain, []).append(b"".join(queue.blob(envelope.id)))
    archive = Archive(folder / "archive", 1 << 40, 1)
    archive.recover(2e9)
    for kept in archive.list(limit=100):
        found.setdefault(kept.domain, []).append(archive.read(kept.ref))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_each_step(tmp_path: Path, kind: str) -> None:
    """L2, L8: what was promised is there, whole; what was not is there whole, or not at all."""
    command = [sys.executable, "-m", "tests.system.stepped", str(tmp_path), kind, str(POINTS)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=100, check=False)
    assert 0 == done.returncode, done.stderr
    runs: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(runs) > POINTS / 2
    promised = unpromised = 0
    for run in runs:
        said, where = run["said"], f"{kind}: killed at call {run['at']} of {runs[0]['calls']}: {run['said']}"
        there = what_is_there(Path(run["folder"]))
        for copies in there.values():
            assert 1 == len(copies), where
            assert copies[0].endswith(BODY), where
        replied = [line for line in said.split("\r\n") if line[:3].isdecimal()]
        if not replied:
            unpromised += 1
            continue
        promised += 1
        assert ("550" if kind == "refused" else "250") == replied[0][:3], where
        wanted = [domain for domain in KINDS[kind] if domain != "takes.example"]
        assert sorted(wanted) == sorted(there), where
        assert (kind == "mixed") == ("taken" in said), where
    assert (1, "") == (runs[1]["at"], runs[1]["said"])  # the measure itself: killed at its first call
    assert promised > 0
    assert unpromised > POINTS / 2


class Teller(Recorder):
    """Writes down the replies among the calls for durable writing."""

    def say(self, data: bytes) -> None:
        """Take what the client is told."""
        self.said.append(f"reply {data[:3].decode()}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_writing(tmp_path: Path, kind: str) -> None:
    """L1: write, fsync, rename, fsync of the folder, for each file; the back end's 250; then our reply."""
    prepare(tmp_path / "house")
    teller = Teller()

    async def work() -> None:
        house = Indoors(tmp_path / "house")
        house.archive = Archive(tmp_path / "house" / "archive", 1 << 30, 1, files=teller)
        house.queue = Queue(tmp_path / "house" / "spool", files=teller)
        house.open()

        def back_end(target: Target, _data: bytes) -> list[Result]:
            answers = answer(target)
            if DELIVERED in answers:
                teller.said.append("back end 250")
            return answers

        house.back_end.answer = back_end
        client = house.client(CLIENT)
        await client.say("EHLO client.example")
        await client.say("MAIL FROM:<me@client.example>")
        for domain in KINDS[kind]:
            await client.say(f"RCPT TO:<ann@{domain}>")
        await client.say("DATA")
        client.stream.write = teller.say  # type: ignore[method-assign]
        teller.said.clear()
        client.connection.data_received(BODY + b".\r\n")
        await client.quiet()
        house.close()

    asyncio.run(work())

    said = teller.said
    reply = next(n for n, word in enumerate(said) if word.startswith("reply"))
    assert ("reply 550" if kind == "refused" else "reply 250") == said[reply]
    before = said[:reply]
    assert not [word for word in said[reply:] if word.startswith(("write", "rename", "fsync"))]
    renames = [(n, word.split()) for n, word in enumerate(before) if word.startswith("rename")]
    assert len(renames) >= len(KINDS[kind]) - (kind == "mixed")
    for n, (_, old, _, new) in renames:
        assert f"fsync {old}" in before[:n], (old, before)
        folder = "spool" if new.endswith((".eml", ".json")) else KINDS[kind][-1]
        assert f"fsync {folder}" in before[n:], (new, before)
    assert (kind == "mixed") == ("back end 250" in before)
