"""Run classic filters: a message on standard input, an answer by exit status or by what is printed.

Which commands there are is the administrator's to say (`[scanner.commands.NAME]` in gatepost.toml); a domain
only chooses among their names. Each has a folder of its own for each domain. Bounded: time, memory, output,
number at once; the whole process group is killed at the deadline.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gatepost.plugin.outside import OutsideError
from gatepost.policy.commands import Command, Side
from gatepost.spool.names import safe_name

FOLDER = "filters"
MAX_OUTPUT = 1 << 18
"""Bytes of an answer that are looked at; what comes behind is thrown away."""
GRACE = 2.0
"""Seconds for a killed process to be gone."""
LIMITS = 'ulimit -v "$1" && ulimit -c 0 && shift && exec "$@"'


class Commands:
    """The commands of this installation; made once in each process."""

    def __init__(self, commands: Mapping[str, Command], data_dir: Path) -> None:
        self.commands = commands
        self._top = data_dir / FOLDER
        self._free: dict[str, asyncio.Semaphore] = {}

    async def classify(self, name: str, domain: str, raw: bytes) -> tuple[Side, float | None]:
        """Return a filter's opinion; AnswerError where it is none, TimeoutError where it is too slow."""
        command = self.known(name)
        free = self._free.setdefault(name, asyncio.Semaphore(command.processes))
        async with free:
            folder = self._folder(command, domain)
            if folder is None:
                folder = await asyncio.to_thread(self._prepared, command, domain)
            process = await asyncio.create_subprocess_exec(
                *_bounded(command, command.classify, folder, domain), **_surroundings(folder)
            )
            try:
                async with asyncio.timeout(command.seconds):
                    said, status = await _talk(process, _as_text(command, raw))
            finally:
                if process.returncode is None:
                    await _end(process)
        return command.judge(status, said)

    def teach(self, name: str, domain: str, raw: bytes, *, spam: bool) -> bool:
        """Teach a filter one message, one at a time in a domain; False where it is not one that learns.

        OutsideError says why it did not work.
        """
        command = self.known(name)
        words = command.spam if spam else command.ham
        if not words:
            return False
        folder = self._prepared(command, domain)
        with _alone(folder):
            _run(command, words, folder, domain, _as_text(command, raw))
        return True

    def known(self, name: str) -> Command:
        """Return a command; OutsideError names those that there are."""
        if name not in self.commands:
            there = ", ".join(sorted(self.commands)) or "none"
            raise OutsideError(f"no filter is called {name!r:.60} here (scanner.commands has: {there})")
        return self.commands[name]

    def _path(self, command: Command, domain: str) -> Path:
        return self._top / safe_name(command.name) / safe_name(domain)

    def _folder(self, command: Command, domain: str) -> Path | None:
        """Return the domain's folder, None where it is yet to be made."""
        path = self._path(command, domain)
        return path if path.is_dir() else None

    def _prepared(self, command: Command, domain: str) -> Path:
        """Return the domain's folder, made and prepared; a half prepared one is never seen."""
        path = self._path(command, domain)
        if path.is_dir():
            return path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path.parent):
            if not path.is_dir():
                # Hidden, as no `safe_name` is: `example.org.new` is a name that a domain may have.
                new = path.with_name(f".{path.name}.new")
                new.mkdir(mode=0o700, exist_ok=True)
                if command.prepare:
                    _run(command, command.prepare, new, domain, b"")
                new.rename(path)
        return path


def _bounded(command: Command, words: tuple[str, ...], folder: Path, domain: str) -> list[str]:
    """Return the words with what they stand for, under a limit of memory."""
    filled = [word.replace("{data}", str(folder)).replace("{domain}", domain) for word in words]
    return ["/bin/sh", "-c", LIMITS, "sh", str(command.memory // 1024), *filled]


def _surroundings(folder: Path) -> dict[str, Any]:
    return {
        "cwd": folder,
        "env": {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C"},
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
        "start_new_session": True,
    }


def _as_text(command: Command, raw: bytes) -> bytes:
    """Return the message as a Unix program reads it: lines end with LF."""
    return raw[: command.max_size].replace(b"\r\n", b"\n")


async def _talk(process: asyncio.subprocess.Process, raw: bytes) -> tuple[bytes, int]:
    """Write the message, read what is said to its end, wait for the status."""
    reader, writer = process.stdout, process.stdin
    assert reader is not None
    assert writer is not None

    async def write() -> None:
        with contextlib.suppress(ConnectionError):  # a filter need not read to the end
            writer.write(raw)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def read() -> bytes:
        said = bytearray()
        while piece := await reader.read(65_536):
            said += piece[: MAX_OUTPUT - len(said)]
        return bytes(said)

    _, said = await asyncio.gather(write(), read())
    return said, await process.wait()


def _run(command: Command, words: tuple[str, ...], folder: Path, domain: str, raw: bytes) -> None:
    """Run to its end; OutsideError where it takes too long or ends with another status than 0."""
    process = subprocess.Popen(_bounded(command, words, folder, domain), **_surroundings(folder))  # noqa: S603
    try:
        process.communicate(raw, timeout=command.seconds)
    except subprocess.TimeoutExpired:
        raise OutsideError(f"{command.name} took more than {command.seconds:g} s") from None
    finally:
        if process.poll() is None:
            _kill(process.pid)
            process.communicate()
    if process.returncode:
        raise OutsideError(f"{command.name} ended with status {process.returncode}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a process that took too long, and read what is left so that its pipes close.

    Something that left its group may hold a pipe open: nobody waits for that.
    """
    _kill(process.pid)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE):
            await process.communicate()


def _kill(pid: int) -> None:
    """Kill a process with all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder's lock."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
