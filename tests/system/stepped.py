"""One mail in a child process that is killed at its n-th system call behind our 354 (L2).

    python -m tests.system.stepped FOLDER KIND POINTS

runs the whole way of a mail (tests/server/indoors.py) again and again in copies of a prepared
folder, stops it by ptrace at every system call of all its threads, and kills it at one of them:
at so many points, evenly from the 354 to behind the reply. One JSON line for each run.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gatepost.relay.results import Result, Target
from tests.server.indoors import DELIVERED, Indoors

TRACEME, SYSCALL, SETOPTIONS = 0, 24, 0x4200
SYSGOOD, CLONE, EXITKILL = 1, 8, 0x100000
WALL = 0x40000000
CLIENT = "192.0.2.66"
BODY = b"Subject: stepped\r\n\r\n" + b"a line of the body\r\n" * 200
UNREACHABLE = Result("unreachable", 451, "4.4.1", "No connection", "back end", False)
KINDS: dict[str, list[str]] = {
    "held": ["holds.example"],
    "refused": ["refuses.example"],
    "spooled": ["spools.example"],
    "mixed": ["takes.example", "down.example", "holds.example"],
}
"""What becomes of the mail -> the domains of its recipients."""
SETTINGS: dict[str, dict[str, Any]] = {
    "holds.example": {"deny_list.action": "quarantine"},
    "refuses.example": {"refuse_at": "data"},
    "spools.example": {"on_backend_down": "spool"},
    "takes.example": {},
    "down.example": {},
}
_trace = ctypes.CDLL(None, use_errno=True).ptrace
_trace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_trace.restype = ctypes.c_long


def prepare(folder: Path) -> None:
    """Make an installation with a domain for each kind."""

    async def work() -> None:
        house = Indoors(folder)
        for name, settings in SETTINGS.items():
            house.host(name, settings)
        for name in ("holds.example", "refuses.example"):
            house.store.add_entry(f"domain:{name}", "deny", "ip", CLIENT)
        house.close()

    asyncio.run(work())


def answer(target: Target) -> list[Result]:
    """Return what the back ends say: one takes everything, the others are not there."""
    return [DELIVERED if to.address.domain == "takes.example" else UNREACHABLE for to in target.recipients]


def send(folder: Path, domains: Sequence[str], pipe: int, *, traced: bool = True) -> None:
    """Send one mail; what is said behind the 354 goes into the pipe at once."""

    async def work() -> None:
        house = Indoors(folder).open()

        def back_end(target: Target, _data: bytes) -> list[Result]:
            answers = answer(target)
            if DELIVERED in answers:
                os.write(pipe, b"taken\r\n")
            return answers

        house.back_end.answer = back_end
        client = house.client(CLIENT)
        await client.say("EHLO client.example")
        await client.say("MAIL FROM:<me@client.example>")
        for domain in domains:
            assert (await client.say(f"RCPT TO:<ann@{domain}>")).startswith("250"), domain
        assert (await client.say("DATA")).startswith("354")
        client.stream.write = lambda data: os.write(pipe, data)  # type: ignore[method-assign, assignment]
        if traced:
            os.kill(os.getpid(), signal.SIGSTOP)
        client.connection.data_received(BODY + b".\r\n")
        await client.quiet()
        if traced:  # what a process does to end is of no interest
            os._exit(0)

    asyncio.run(work())


def run(folder: Path, domains: Sequence[str], kill_at: int) -> tuple[int, str]:
    """Run one child and kill it at a system call (0: never); how many it made, and what was said."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 3
        try:
            os.close(reader)
            _trace(TRACEME, 0, None, None)
            send(folder, domains, writer)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    calls = _step(child, kill_at)
    said = b""
    while block := os.read(reader, 65_536):
        said += block
    os.close(reader)
    return calls, said.decode("ascii")


def _step(child: int, kill_at: int) -> int:
    """Follow a child from stop to stop until it is gone."""
    calls = 0
    inside: set[int] = set()
    begun = False
    while True:
        thread, status = os.waitpid(-1, WALL)
        if not os.WIFSTOPPED(status):
            if thread == child:
                assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed by itself"
                return calls
            continue
        stop = os.WSTOPSIG(status)
        deliver = 0
        if thread == child and not begun:
            assert stop == signal.SIGSTOP, stop
            _trace(SETOPTIONS, child, None, SYSGOOD | CLONE | EXITKILL)
            begun = True
        elif stop == signal.SIGTRAP | 0x80:
            if thread in inside:
                inside.remove(thread)
            else:
                inside.add(thread)
                calls += 1
                if calls == kill_at:
                    os.kill(child, signal.SIGKILL)
        elif stop not in (signal.SIGTRAP, signal.SIGSTOP):
            deliver = stop
        _trace(SYSCALL, thread, None, deliver)


def main() -> None:
    """Do what the command line says."""
    folder, kind, points = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    template = folder / "template"
    prepare(template)
    last, at, number = 0, 0, 0
    while True:
        copy = folder / f"{kind}-{number}"
        shutil.copytree(template, copy)
        calls, said = run(copy, KINDS[kind], at)
        print(json.dumps({"folder": str(copy), "at": at, "calls": calls, "said": said}), flush=True)
        if not number:
            last = calls
        number += 1
        at = 1 + last * (number - 1) // points
        if at > last:
            return


if __name__ == "__main__":
    main()
