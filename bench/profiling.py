"""Where a Gatepost worker spends its time under a workload: py-spy for the Python, perf for the whole of
it.

py-spy's figures are shares of the samples in which the worker was running; perf's are shares of its CPU
time with the kernel's part named. The full stacks are left in bench/.work/profile for a flame graph.
"""

import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

from bench.gatepost import Gatepost
from bench.install import py_spy
from bench.load import fire
from bench.places import WORK, BenchError, call, progress
from bench.resolver import Resolver
from bench.rounds import settle
from bench.server import Sink
from bench.workloads import Workload

FOLDER = WORK / "profile"


def profile(workload: Workload, tool: str, seconds: float, top: int) -> str:
    """Run the workload against one worker for so many seconds and say what it did."""
    contender = next((c for c in reversed(workload.contenders) if _one_worker(c.make)), None)
    if contender is None or workload.figure == "kib":
        raise BenchError(f"{workload.name} has no Gatepost with one worker to profile")
    sink = Sink()
    resolver = Resolver(workload.load.size) if workload.resolver else None
    server: Gatepost | None = None
    stop = threading.Event()
    try:
        sink.start()
        if resolver:
            resolver.start()
        made = contender.make(sink.port)
        assert isinstance(made, Gatepost)
        server = made
        progress(f"  starting {server.name}")
        server.start()
        settle(server)  # the console still starts
        load = contender.load or workload.load
        port = server.port

        def keep_firing() -> None:
            while not stop.is_set():
                fire(load, port, max(20, contender.sessions // 10))

        thread = threading.Thread(target=keep_firing, daemon=True)
        thread.start()
        worker = _busiest(server, 2.0)
        progress(f"  {tool} on worker {worker} for {seconds:.0f} s")
        FOLDER.mkdir(parents=True, exist_ok=True)
        text = (_perf if tool == "perf" else _py_spy)(worker, workload.name, seconds, top)
        stop.set()
        thread.join(60)
        return text
    finally:
        stop.set()
        if server is not None:
            server.stop()
        sink.stop()
        if resolver:
            resolver.stop()


def _one_worker(make: object) -> bool:
    return isinstance(make, type) and issubclass(make, Gatepost) and make.workers == 1


def _busiest(server: Gatepost, seconds: float) -> int:
    """The worker is the process of the tree that the load keeps busy."""

    def ticks() -> dict[int, int]:
        found = {}
        for pid in server.running().pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[pid] = int(fields[11]) + int(fields[12])
        return found

    before = ticks()
    time.sleep(seconds)
    after = ticks()
    return max(after, key=lambda pid: after[pid] - before.get(pid, 0))


def _py_spy(pid: int, name: str, seconds: float, top: int) -> str:
    stacks = FOLDER / f"{name}.stacks"
    call(
        py_spy(), "record", "--pid", str(pid), "--duration", str(int(seconds)), "--rate", "500",
        "--format", "raw", "--output", stacks, timeout=seconds + 60,
    )  # fmt: skip
    return f"{read_stacks(stacks.read_text(), top)}\n(stacks: {stacks})"


def read_stacks(text: str, top: int) -> str:
    """The dearest functions of py-spy's raw form: `a;b;c 12` a line."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    total = 0
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_function(frame) for frame in stack.split(";")]
        total += int(count)
        own[frames[-1]] += int(count)
        for frame in set(frames):
            whole[frame] += int(count)
    lines = [f"{total} samples", "   self  inside  function"]
    lines += _rows(own.most_common(top), own, whole, total)
    lines += ["", "   self  inside  function, by all that it calls"]
    lines += _rows(whole.most_common(top), own, whole, total)
    return "\n".join(lines)


def _rows(chosen: list[tuple[str, int]], own: Counter[str], whole: Counter[str], total: int) -> list[str]:
    return [f"{own[name] / total:7.1%} {whole[name] / total:7.1%}  {name}" for name, _ in chosen]


def _function(frame: str) -> str:
    """`reply (gatepost/smtp/server.py:120)` without its line: one function is one row."""
    head, colon, _line = frame.rpartition(":")
    return f"{head})" if colon else frame


def _perf(pid: int, name: str, seconds: float, top: int) -> str:
    data = FOLDER / f"{name}.perf"
    recorded = subprocess.run(
        [
            "perf",
            "record",
            "-F",
            "999",
            "-e",
            "cpu-clock",
            "-p",
            str(pid),
            "-o",
            str(data),
            "--",
            "sleep",
            str(seconds),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if not data.exists():
        raise BenchError(f"perf record: {recorded.stderr[-400:]}")
    parts = []
    for order in ("dso", "dso,symbol"):
        text = call("perf", "report", "--stdio", "-i", data, "--sort", order, "--percent-limit", "0.5")
        rows = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        parts.append("\n".join(rows[:top]))
    return "\n\n".join(parts)
