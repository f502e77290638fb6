"""The load: what a session says, and the generator that says it.

`load.c` is the generator; where no C compiler can be had, Postfix's smtp-source stands in for what it
can do (one client address, no latencies).
"""

import json
import shutil
import subprocess
import time
from dataclasses import dataclass

from bench.places import BENCH, WORK, BenchError, call
from bench.resolver import signed_mail
from bench.server import DOMAIN

BINARY = WORK / "bin" / "load"


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of session, as load.c's arguments."""

    refused: int = 0
    """Recipients that are to be refused; 0: messages are to be taken."""
    known_users: bool = False
    """The refused recipients exist: it is the client that is unwelcome."""
    size: int = 4096
    messages: int = 1
    clients: int = 50
    bounces: int = 0
    """The null sender but for each such message (1: always null); 0: one and the same sender."""
    domains: int = 0
    users: int = 10_000
    idle: bool = False
    signed: bool = False
    """The mail of that size that bench.resolver signed, in place of the generator's own."""

    def arguments(self, port: int, sessions: int, seconds: float) -> list[str]:
        words = ["-p", str(port), "-n", str(sessions), "-t", str(seconds), "-c", str(self.clients)]
        words += ["-S", "250" if self.idle else str(self.clients)]
        if self.domains:
            words += ["-D", str(self.domains)]
        if self.bounces:
            words += ["-b", str(self.bounces)]
        words += ["-u", str(self.users)]
        if self.idle:
            return [*words, "-i"]
        if self.refused:
            return [*words, "-x", "-r", str(self.refused), *(["-k"] if self.known_users else [])]
        if self.signed:
            words += ["-f", str(signed_mail(self.size))]
        return [*words, "-l", str(self.size), "-m", str(self.messages)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the generator saw."""

    sessions: int
    errors: int
    first_error: str
    seconds: float
    p50: float
    """Milliseconds from MAIL to the last reply of a message; of a session where nothing was accepted."""
    p99: float
    cpu: float
    held: int = 0


def generator() -> str:
    """The compiled generator, made anew when its source is younger; "" where there is no compiler."""
    source = BENCH / "load.c"
    if BINARY.exists() and BINARY.stat().st_mtime >= source.stat().st_mtime:
        return str(BINARY)
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return ""
    BINARY.parent.mkdir(parents=True, exist_ok=True)
    call(compiler, "-O2", "-Wall", "-o", BINARY, source)
    return str(BINARY)


def fire(load: Load, port: int, sessions: int, seconds: float = 120) -> Outcome:
    """Run the load to its end."""
    binary = generator()
    if not binary:
        return _with_smtp_source(load, port, sessions, seconds)
    return read_outcome(call(binary, *load.arguments(port, sessions, seconds), timeout=seconds + 30))


def read_outcome(line: str) -> Outcome:
    data = json.loads(line)
    late = " (time limit reached)" if data["timed_out"] else ""
    return Outcome(
        sessions=data["sessions"],
        errors=data["errors"],
        first_error=data["first_error"] + late,
        seconds=data["seconds"],
        p50=data["message_ms"]["p50"],
        p99=data["message_ms"]["p99"],
        cpu=data["cpu"],
        held=data["held"],
    )


class Holder:
    """Idle connections, held until `release`."""

    def __init__(self, port: int, count: int, seconds: float = 180) -> None:
        binary = generator()
        if not binary:
            raise BenchError("holding idle connections needs the compiled generator (install gcc)")
        self._process = subprocess.Popen(
            [binary, *Load(idle=True).arguments(port, count, seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.outcome = read_outcome(self._process.stdout.readline())

    def release(self) -> Outcome:
        """Let go; how many were still open."""
        said, _ = self._process.communicate("\n", timeout=30)
        return read_outcome(said.splitlines()[-1])


def _with_smtp_source(load: Load, port: int, sessions: int, seconds: float) -> Outcome:
    """smtp-source: one client address, no latencies, and it counts no errors but those that end it."""
    source = shutil.which("smtp-source")
    if source is None:
        raise BenchError("neither a C compiler nor smtp-source (Debian: gcc, postfix)")
    name = "nosuch" if load.refused and not load.known_users else "user0"
    words = ["-s", str(min(load.clients, 40)), "-m", str(sessions * load.messages), "-l", str(load.size)]
    words += ["-f", "sender@example.com", "-t", f"{name}@{DOMAIN}", "-r", str(max(1, load.refused))]
    if load.refused:
        words.append("-A")
    if load.messages > 1:
        raise BenchError("smtp-source cannot say when a session ends: workloads of many messages need gcc")
    if load.signed:
        raise BenchError("smtp-source writes its own mail: this workload needs gcc")
    if load.domains:
        raise BenchError("smtp-source knows one recipient: this workload needs gcc")
    began = time.monotonic()
    call(source, *words, f"inet:127.0.0.1:{port}", timeout=seconds)
    return Outcome(sessions, 0, "", time.monotonic() - began, 0.0, 0.0, 0.0)
