"""Runs one workload: every contender once a round, A B C ... A B C, so that a busy minute hits all alike.

A run is: warm up, read the CPU account, load, wait until the server's own background work is over, read
again. A run during which others used more than a quarter of the machine is repeated once.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.gatepost import Gatepost
from bench.groups import Usage, machine_busy, pss_kib
from bench.load import Holder, Load, Outcome, fire
from bench.places import BenchError, progress
from bench.resolver import Resolver
from bench.server import Server, Sink
from bench.workloads import Contender, Workload

FIRST_LOOK = 6.0
"""Seconds within which it is seen what a server needs when idle."""
FOREIGN_LIMIT = 0.25


@dataclass(slots=True)
class Sample:
    """One contender in one round."""

    figure: float
    rate: float = 0.0
    user: float = 0.0
    system: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    errors: int = 0
    foreign: float = 0.0


@dataclass(slots=True)
class Series:
    """One contender in all rounds."""

    key: str
    title: str
    version: str = ""
    samples: list[Sample] = field(default_factory=list)
    started_in: float = 0.0
    worker_mib: float = 0.0
    how: str = ""
    problems: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        if text and text not in self.problems:
            self.problems.append(text)


class Runner:
    """The servers of one workload and what they showed."""

    def __init__(
        self, workload: Workload, contenders: tuple[Contender, ...], rounds: int, scale: float
    ) -> None:
        self.workload = workload
        self.contenders = contenders
        self.rounds = rounds
        self.scale = scale
        self.dead: set[Callable[[int], Server]] = set()
        self.servers: dict[Callable[[int], Server], Server] = {}
        self.sent: dict[str, int] = {}
        self.sink = Sink()
        self.resolver = Resolver(workload.load.size) if workload.resolver else None
        self.series = [self._new_series(contender) for contender in contenders]

    def _new_series(self, contender: Contender) -> Series:
        make = contender.make
        assert isinstance(make, type) and issubclass(make, Server)
        label = f"/{contender.label}" if contender.label else ""
        title = f"{make.title}{', mail for ' + contender.label if label else ''}"
        return Series(make.name + label, title)

    def run(self) -> list[Series]:
        try:
            self.sink.start()
            if self.resolver:
                self.resolver.start()
            if self.workload.figure == "kib":
                self._idle_rounds()
            else:
                self._load_rounds()
        finally:
            for server in [*self.servers.values(), self.sink, self.resolver]:
                if server:
                    server.stop()
        return self.series

    def _server(self, contender: Contender, series: Series) -> Server | None:
        """The contender's server, started; None (and the reason noted) where it does not start."""
        server = self.servers.get(contender.make)
        if server is None and contender.make not in self.dead:
            server = contender.make(self.sink.port)
            try:
                progress(f"  starting {server.name}")
                server.start()
                self.servers[contender.make] = server
                series.version = server.version()
            except BenchError as error:
                server.stop()
                self.dead.add(contender.make)
                series.problem(str(error))
                progress(f"  {error}")
                return None
        if server is not None:
            series.started_in, series.how = server.started_in, server.running().how
        return server

    def _load_rounds(self) -> None:
        for number in range(self.rounds):
            for contender, series in zip(self.contenders, self.series, strict=True):
                server = self._server(contender, series)
                if server is None:
                    continue
                try:
                    sample = self._measure(server, contender, series)
                    if sample.foreign > FOREIGN_LIMIT:
                        sample = min(
                            sample, self._measure(server, contender, series), key=lambda s: s.foreign
                        )
                except BenchError as error:
                    series.problem(str(error))
                    continue
                series.samples.append(sample)
                progress(
                    f"  round {number + 1} {series.key:<22} {sample.figure:8.3f}  {sample.rate:8.0f}/s"
                    f"  p50 {sample.p50:.2f} ms  errors {sample.errors}  others {sample.foreign:.0%}"
                )
        for contender, series in zip(self.contenders, self.series, strict=True):
            server = self.servers.get(contender.make)
            if isinstance(server, Gatepost):
                series.worker_mib = server.worker_mib()
                series.problem(server.check(self.sent[server.name]))

    def _measure(self, server: Server, contender: Contender, series: Series) -> Sample:
        load = contender.load or self.workload.load
        sessions = max(20 if load.clients > 1 else 3, int(contender.sessions * self.scale))
        # A tenth to warm up, at least four hundred: lazily started processes, a compiler in the run time.
        self._fire(server, load, max(sessions // 10, min(400, sessions)), series)
        settle(server)
        group, sink = server.running(), self.sink.running()
        before, sink_before, busy_before, began = (
            group.usage(),
            sink.usage(),
            machine_busy(),
            time.monotonic(),
        )
        outcome = self._fire(server, load, sessions, series)
        # Foreign time is taken over the load alone; the server's own over its background work as well.
        elapsed, busy = time.monotonic() - began, machine_busy() - busy_before
        ours = group.usage().since(before).total + sink.usage().since(sink_before).total + outcome.cpu
        settle(server)
        used = group.usage().since(before)
        foreign = max(0.0, busy - ours) / (elapsed * (os.cpu_count() or 1))
        return _sample(self.workload.figure, used, outcome, foreign)

    def _fire(self, server: Server, load: Load, sessions: int, series: Series) -> Outcome:
        outcome = fire(load, server.port, sessions)
        self.sent[server.name] = self.sent.get(server.name, 0) + outcome.sessions
        if outcome.errors:
            series.problem(f"{outcome.errors} of {sessions} sessions failed: {outcome.first_error}")
        if not outcome.sessions:
            raise BenchError(f"no session of {sessions} succeeded: {outcome.first_error}")
        return outcome

    def _idle_rounds(self) -> None:
        """Each round on a fresh server: memory that a heap keeps would flatter the second."""
        for number in range(self.rounds):
            for contender, series in zip(self.contenders, self.series, strict=True):
                server = self._server(contender, series)
                if server is None:
                    continue
                try:
                    sample = self._hold(server, max(200, int(contender.sessions * self.scale)), series)
                    series.samples.append(sample)
                    progress(f"  round {number + 1} {series.key:<22} {sample.figure:8.2f} KiB a connection")
                except BenchError as error:
                    series.problem(str(error))
                finally:
                    del self.servers[contender.make]
                    server.stop()

    def _hold(self, server: Server, count: int, series: Series) -> Sample:
        fire(Load(refused=1, known_users="postscreen" in server.name), server.port, 400)
        settle(server)
        before = pss_kib(server.running().pids())
        holder = Holder(server.port, count)
        held = holder.outcome.held
        time.sleep(2)
        after = pss_kib(server.running().pids())
        left = holder.release()
        if held < count or left.held < count:
            series.problem(f"held {held} of {count}, {left.held} at the end: {left.first_error}")
        if isinstance(server, Gatepost):
            series.worker_mib = max(after.values()) / 1024
        return Sample((sum(after.values()) - sum(before.values())) / max(1, held), errors=count - left.held)


def _sample(figure: str, used: Usage, outcome: Outcome, foreign: float) -> Sample:
    each = 1000 / outcome.sessions
    return Sample(
        figure=outcome.p50 if figure == "p50" else used.total * each,
        rate=outcome.sessions / outcome.seconds,
        user=used.user * each,
        system=used.system * each,
        p50=outcome.p50,
        p99=outcome.p99,
        errors=outcome.errors,
        foreign=foreign,
    )


def settle(server: Server) -> None:
    """Wait until the server does nothing more, at most 20 seconds.

    That is under 2 % of a core for half a second; or no more than it was seen to need when idle, since
    a virtual machine that sleeps between two ticks makes each of them dear.
    """
    time.sleep(server.settles_in)
    began, least = time.monotonic(), server.idles_at
    while time.monotonic() < began + (20 if least else FIRST_LOOK):
        before = server.running().usage()
        time.sleep(0.5)
        used = server.running().usage().since(before).total
        server.idles_at = min(server.idles_at or used, used)
        if used < max(0.01, 1.25 * least):
            return
