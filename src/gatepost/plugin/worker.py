"""Killable processes for heavy or untrusted work: `await ctx.in_worker(function, ...)`.

A thread that hangs in a parser cannot be stopped; a process can. Each has a memory limit and is
killed at its deadline, when its caller goes away, and when our own process dies. A function is
sent by name and must stand at the top of its module; its arguments and its result are plain
values (numbers, texts, bytes, lists, dicts): what comes back from a process that read hostile
mail is not trusted to name classes.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import importlib
import io
import os
import pickle
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from gatepost.plugin.tools import Killed, WorkerBusy, WorkerError

__all__ = ["WorkerBusy", "WorkerError", "Workers"]

R = TypeVar("R")

MEMORY = 1 << 30
"""Bytes of address space of one process."""
MAX_BYTES = 64 << 20
"""Bytes of one question or answer."""
MAX_USES = 1_000
"""Calls after which a process is replaced: what leaks does not leak for ever."""
_LENGTH = struct.Struct("!I")


class Workers:
    """A few processes, started when they are needed."""

    def __init__(self, count: int = 2, memory: int = MEMORY) -> None:
        self._memory = memory
        self._free = asyncio.Semaphore(count)
        self._idle: list[_Process] = []

    async def run(self, function: Callable[..., R], *arguments: Any, timeout: float = 10.0) -> R:  # noqa: ASYNC109 - see `Context.in_worker`
        """Return what the function returns; WorkerError otherwise."""
        question = _question(function, arguments)
        started, begun = monotonic(), None
        try:
            async with asyncio.timeout(timeout), self._free:
                begun = monotonic()
                return await self._run(question)  # type: ignore[no-any-return]
        except TimeoutError:
            said = f"{function.__name__} took more than {timeout:g} s"
            if begun is None or begun - started > timeout / 2:
                raise WorkerBusy(f"{said}, since no process was free") from None
            raise Killed(said, late=True) from None

    async def _run(self, question: bytes) -> Any:
        while self._idle and self._idle[-1].gone:  # ended while it idled: nobody's fault
            self._idle.pop()
        process = self._idle.pop() if self._idle else await _Process.start(self._memory)
        try:
            done, value = await process.ask(question)
            if not done and str(value).startswith("MemoryError"):
                raise Killed(f"MemoryError: the process needed more than {self._memory >> 20} MiB")
        except BaseException:
            process.kill()  # its state is not known: also when our caller went away
            raise
        if process.uses >= MAX_USES:
            process.kill()
        else:
            self._idle.append(process)
        if not done:
            raise WorkerError(str(value))
        return value

    def close(self) -> None:
        """Kill all that idle; those that work are killed by their callers' end."""
        while self._idle:
            self._idle.pop().kill()


class _Process:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.uses = 0

    @classmethod
    async def start(cls, memory: int) -> _Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gatepost.plugin.worker",
            str(memory),
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return cls(process)

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self._process.returncode is not None

    async def ask(self, question: bytes) -> tuple[bool, Any]:
        self.uses += 1
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None
        assert writer is not None
        try:
            try:
                writer.write(_LENGTH.pack(len(question)))
                writer.write(question)  # apart: it may be megabytes
                await writer.drain()
            except RuntimeError as error:  # what uvloop says of a pipe whose other end is gone
                raise ConnectionError(str(error)) from error
            (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
            if size > MAX_BYTES:
                raise WorkerError(f"an answer of {size} bytes")
            answer = _plain(await reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError, pickle.UnpicklingError) as error:
            raise Killed(f"the process died or answered nonsense ({type(error).__name__})") from error
        if not (isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], bool)):
            raise WorkerError("the process answered nonsense")
        return answer

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module == "builtins" and name in ("set", "frozenset", "bytearray", "complex"):
            return getattr(builtins, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no plain value")


def _plain(data: bytes) -> Any:
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:
        raise pickle.UnpicklingError(str(error)) from error


def _question(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    if "." in function.__qualname__:
        raise WorkerError(f"{function.__qualname__} does not stand at the top of its module")
    module = sys.modules.get(function.__module__)
    path = getattr(module, "__file__", None) or ""
    question = pickle.dumps((function.__module__, path, function.__name__, arguments))
    if len(question) > MAX_BYTES:
        raise WorkerError(f"arguments of {len(question)} bytes")
    return question


# -- in the process ------------------------------------------------------------------------------


def _serve(memory: int, parent: int) -> None:
    """Answer questions until nobody asks any more."""
    import ctypes
    import resource
    import signal

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: die with the parent
    if os.getppid() != parent:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked, answered = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)  # what the work prints must not be taken for an answer
    functions: dict[tuple[str, str], Callable[..., Any]] = {}
    while len(head := asked.read(_LENGTH.size)) == _LENGTH.size:
        question = asked.read(_LENGTH.unpack(head)[0])
        try:
            module, path, name, arguments = pickle.loads(question)  # noqa: S301 - from our own parent
            function = functions.get((module, name))
            if function is None:
                function = functions[module, name] = _find(module, path, name)
            answer = pickle.dumps((True, function(*arguments)))
        except BaseException as error:
            answer = pickle.dumps((False, f"{type(error).__name__}: {error}"[:1000]))
        answered.write(_LENGTH.pack(len(answer)) + answer)
        answered.flush()


def _find(module: str, path: str, name: str) -> Callable[..., Any]:
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError:
        from gatepost.plugin.registry import load_file

        found = load_file(Path(path))  # a plugin of the folder
    return getattr(found, name)  # type: ignore[no-any-return]


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]))
