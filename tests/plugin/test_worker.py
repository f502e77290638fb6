"""Heavy work runs in a process that can be killed: by time, by memory, by its caller's end."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gatepost.mail.verdict import Score
from gatepost.plugin.bench import Bench
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.plugin.worker import WorkerBusy, WorkerError, Workers, _Process
from tests.plugin.stage import ask
from tests.soon import soon

WORK = '''"""Work for a test."""
import os
import sys
import time

class Thing:
    """Not a plain value."""

def add(a, b):
    return a + b

def who():
    return os.getpid()

def fail():
    raise ValueError("no")

def leave():
    os._exit(3)

def sleep(seconds):
    time.sleep(seconds)

def spin():
    while True:
        pass

def eat(size):
    return len(bytearray(size))

def thing():
    return Thing()

def chatter():
    print("hello" * 1000)
    sys.stdout.flush()
    return "quiet"

def echo(value):
    return value
'''


@pytest.fixture
def work(tmp_path: Path) -> Any:
    """Give a module that only its file knows, as a plugin of the folder is."""
    from gatepost.plugin.registry import load_file

    path = tmp_path / "worker_fixture.py"
    path.write_text(WORK)
    return load_file(path)


def run(act: Callable[[Workers], Coroutine[Any, Any, Any]], count: int = 2, memory: int = 1 << 30) -> Any:
    """Run a test with workers of its own."""

    async def with_workers() -> Any:
        workers = Workers(count, memory)
        try:
            return await act(workers)
        finally:
            workers.close()
            await asyncio.sleep(0.05)

    return asyncio.run(with_workers())


def gone(pid: int) -> bool:
    """No such process, not even a dead one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_result(work: Any) -> None:
    """Arguments go there and the result comes back, whatever plain values they are."""

    async def act(workers: Workers) -> None:
        assert 5 == await workers.run(work.add, 2, 3)
        for value in (None, b"\x00\xff" * 50_000, "\u00fc", [1, {"a": (2.5, None)}], {1, 2}, True):
            assert value == await workers.run(work.echo, value)
        assert 7 == await workers.run(len, "letters")

    run(act)


def test_process_is_used_again(work: Any) -> None:
    """Starting one costs much more than the work, so it is kept; and it is not our own."""

    async def act(workers: Workers) -> None:
        first, second = await workers.run(work.who), await workers.run(work.who)
        assert first == second != os.getpid()

    run(act)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fail", "ValueError: no"),
        ("leave", "the process died"),
        ("thing", "the process died or answered nonsense"),
    ],
)
def test_failure(work: Any, name: str, said: str) -> None:
    """What raises, dies or answers with something odd is an error, and the next call works."""

    async def act(workers: Workers) -> None:
        with pytest.raises(WorkerError, match=said):
            await workers.run(getattr(work, name))
        assert 3 == await workers.run(work.add, 1, 2)

    run(act)


@pytest.mark.parametrize("name", ["spin", "sleep"])
def test_deadline(work: Any, name: str) -> None:
    """At its deadline it is killed, also when it does not wait but turns."""

    async def act(workers: Workers) -> None:
        pid = await workers.run(work.who)
        started = time.monotonic()
        with pytest.raises(WorkerError, match=f"{name} took more than 0.2 s"):
            await workers.run(getattr(work, name), *([60] if name == "sleep" else []), timeout=0.2)
        assert time.monotonic() - started < 20  # it would have slept for 60, or turned for ever
        await soon(lambda: gone(pid))
        assert 3 == await workers.run(work.add, 1, 2)

    run(act, count=1)


def test_memory(work: Any) -> None:
    """A bomb ends in an error over there, not here."""

    async def act(workers: Workers) -> None:
        with pytest.raises(WorkerError, match="MemoryError"):
            await workers.run(work.eat, 1 << 31)
        assert 1 << 20 == await workers.run(work.eat, 1 << 20)

    run(act, memory=400 << 20)


def test_caller_went_away(work: Any) -> None:
    """When the session ends, so does its work."""

    async def act(workers: Workers) -> None:
        pid = await workers.run(work.who)
        task = asyncio.create_task(workers.run(work.sleep, 60))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await soon(lambda: gone(pid))

    run(act, count=1)


def test_never_more_than(work: Any) -> None:
    """So many at once; the others wait for their turn, within their own time."""

    async def act(workers: Workers) -> None:
        await asyncio.gather(*(workers.run(work.who) for _ in range(2)))
        started = time.monotonic()
        await asyncio.gather(*(workers.run(work.sleep, 0.1) for _ in range(4)))
        assert time.monotonic() - started >= 0.2
        with pytest.raises(WorkerError, match="took more than"):
            await asyncio.gather(*(workers.run(work.sleep, 0.2, timeout=0.3) for _ in range(4)))
        with pytest.raises(WorkerError) as slow:
            await workers.run(work.sleep, 5, timeout=0.2)
        assert not isinstance(slow.value, WorkerBusy)
        await asyncio.gather(*(workers.run(work.sleep, 0.1) for _ in range(2)))  # both are there
        asked = (workers.run(work.sleep, 2, timeout=3.5) for _ in range(3))
        said = await asyncio.gather(*asked, return_exceptions=True)
        assert [None, None, "sleep took more than 3.5 s, since no process was free"] == [
            one if one is None else str(one) for one in said
        ]
        assert isinstance(said[2], WorkerBusy)

    run(act)


def test_ended_while_it_idled(work: Any) -> None:
    """A process that somebody ends between two questions is replaced, and nobody notices."""

    async def act(workers: Workers) -> None:
        first = await workers.run(work.who)
        os.kill(first, 9)
        await soon(lambda: workers._idle[-1].gone)
        assert first != await workers.run(work.who)

    run(act)


def test_ended_under_way(work: Any) -> None:
    """One that ends while it is asked is a WorkerError; uvloop says so by a RuntimeError of the pipe."""

    class Closed:
        def write(self, data: bytes) -> None:
            raise RuntimeError("unable to perform operation on a pipe; the handler is closed")

    async def act(workers: Workers) -> None:
        process = _Process(SimpleNamespace(stdin=Closed(), stdout=asyncio.StreamReader()))  # type: ignore[arg-type]
        with pytest.raises(WorkerError, match="the process died"):
            await process.ask(b"a question")

    run(act)


def test_what_it_prints(work: Any) -> None:
    """What the work prints is not taken for an answer."""

    async def act(workers: Workers) -> None:
        assert "quiet" == await workers.run(work.chatter)
        assert 3 == await workers.run(work.add, 1, 2)

    run(act)


def test_what_cannot_be_sent() -> None:
    """A function inside a function has no name over there; that is said at once."""

    async def act(workers: Workers) -> None:
        with pytest.raises(WorkerError, match="does not stand at the top of its module"):
            await workers.run(lambda: 1)

    run(act)


PLUGIN = '''"""Heavy."""
from gatepost.plugin import Context, Mode, Plugin, PluginSettings, Score

def work(text):
    return len(text)

class Heavy(Plugin):
    """Works elsewhere."""
    default_mode = Mode.ON

    async def helo(self, ctx: Context[PluginSettings]) -> Score:
        return Score(await ctx.in_worker(work, ctx.session.helo), "worked")
'''


def test_from_a_plugin(tmp_path: Path) -> None:
    """`ctx.in_worker` runs a function of the plugin's own file."""
    (tmp_path / "heavy.py").write_text(PLUGIN)
    registry = load(tmp_path, entries=False, check_folder=False)
    bench = Bench(registry, Tools(in_worker=Workers(1).run))
    assert Score(16, "worked") in [f.verdict for f in ask(bench)]
