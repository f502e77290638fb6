"""The parent: forks the workers, the keeper and its helpers, and keeps each place filled.

It does nothing else, so that nothing can bring it down: no asyncio, no threads, no message ever passes
through it. It waits for signals, for deaths and for a loop that stands still. What it sees it says
through `on_event`, with the names of EVENTS.

Signals (CONTRACT section 2): HUP goes on to all; TERM or INT drains, a second one stops.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gatepost.server.board import Board
from gatepost.server.child import HANDLED, READY, Child, say_ready
from gatepost.server.signals import Signals
from gatepost.server.systemd import Notifier
from gatepost.server.watchdog import Watchdog

__all__ = ["EVENTS", "READY", "Bounds", "Supervisor", "say_ready"]

EVENTS = {
    "process_started": "a worker or the keeper was forked: process, pid",
    "process_ready": "a worker answers: process, pid, seconds",
    "process_died": "it ended unasked: process, pid, status (below 0: by that signal), seconds",
    "process_delayed": "it died early more than once and waits for its restart: process, seconds, failures",
    "process_ended": "it ended as asked: process, pid, status",
    "worker_blocked": "its loop stood still and it was killed: process, pid, seconds, plugin, times",
    "cannot_start": "no worker ever became ready: failures",
    "cannot_fork": "the kernel refused a new process: process, error",
    "reload": "HUP was passed on",
    "drain": "open transactions end, new ones are sent away: reason, seconds",
    "stop": "a second TERM, or the time to drain is over: reason",
    "stopped": "all processes have ended: seconds",
    "trouble": "a function that the parent was given raised: where, error",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long the parent waits for what; seconds."""

    standstill: float = 10.0
    """A loop without a heartbeat is killed after it."""
    start: float = 60.0
    """The first heartbeat may take so long: a large policy is loaded."""
    steady: float = 10.0
    """Who lived this long and dies is replaced at once; earlier deaths in a row wait ever longer."""
    delay: float = 1.0
    """The first wait; doubled each time."""
    longest_delay: float = 30.0
    drain: float = 300.0
    """From TERM until those that still run are stopped: longer than `final_reply`."""
    stop: float = 3.0
    """From being told to stop until KILL."""
    tick: float = 1.0
    """The longest sleep of the parent: how finely it sees the heartbeats."""
    give_up: int = 3
    """Early deaths in a row of one worker, while the workers were never all ready, that end the start."""


class Supervisor:
    """Keeps `workers` processes and one keeper running until it is told to stop.

    `run_worker(n, board, notify_fd)` and `run_keeper(board)` are called in the child. A worker calls
    `board.open_column(n)`, `say_ready(notify_fd)` when it accepts, and `column.beat()` each second from
    its loop; at TERM it drains and returns, at a second TERM it returns at once, at HUP it re-reads. The
    keeper's column is `board.keeper`; its heartbeat is watched once it has given one.

    `helpers` are further processes by name (the console): started again when they die, told TERM when
    the drain begins. They have no column, so nobody watches their loop: no mail waits for them.

    `plugin_name(index)` names what the board says was running; without it the worker's own names on the
    board are used. `on_plugin_blocked(name, times)` is called in the parent from the second time on,
    `on_suspects(plugin, messages, why)` where a worker died with messages in hand (`Board.suspects`), and
    `on_reload()` at HUP before it is passed on. None of these may start a thread or leave a database
    open: the parent forks again later.
    """

    def __init__(
        self,
        run_worker: Callable[[int, Board, int], None],
        run_keeper: Callable[[Board], None],
        workers: int,
        board: Board,
        on_event: Callable[[str, dict[str, Any]], None],
        *,
        helpers: Mapping[str, Callable[[], None]] | None = None,
        plugin_name: Callable[[int], str] | None = None,
        on_plugin_blocked: Callable[[str, int], None] | None = None,
        on_suspects: Callable[[str, list[bytes], str], None] | None = None,
        on_reload: Callable[[], None] | None = None,
        bounds: Bounds | None = None,
        notifier: Notifier | None = None,
    ) -> None:
        self.board = board
        self._on_event = on_event
        self._on_plugin_blocked = on_plugin_blocked
        self._on_suspects = on_suspects
        self._on_reload = on_reload
        self._bounds = bounds = bounds or Bounds()
        self._notifier = notifier or Notifier({}, 0)
        self._workers = [Child(f"w{n}", n, _worker_body(run_worker, n, board)) for n in range(workers)]
        self._keeper = Child("keeper", board.keeper, lambda _: run_keeper(board))
        self._helpers = [Child(name, None, _helper_body(run)) for name, run in (helpers or {}).items()]
        self._all = [*self._workers, self._keeper, *self._helpers]
        self._signals = Signals(HANDLED)
        self._watchdog = Watchdog(
            board,
            standstill=bounds.standstill,
            start=bounds.start,
            tick=bounds.tick,
            plugin_name=plugin_name,
        )
        self._status = 0
        self._was_ready = False
        """All workers answered at once, at some time."""
        self._reloaded = 0.0
        self._said_alive = 0.0
        # The end comes in steps: drain until, keeper told, stop until.
        self._drain_until: float | None = None
        self._keeper_told = False
        self._stop_until: float | None = None

    def run(self) -> int:
        """Supervise to the end; return the exit status, 0 where the end was asked for."""
        # What lives now is shared with the children for good: the collector must not touch its pages.
        gc.collect()
        gc.freeze()
        begun = time.monotonic()
        with self._signals:
            try:
                while True:
                    now = time.monotonic()
                    self._fill(now)
                    self._wait(now)
                    now = time.monotonic()
                    self._hear(now)
                    for number in self._signals.read():
                        self._obey(number, now)
                    self._reap(now)
                    self._watch(now)
                    if self._drain_until is not None and self._wind_down(now, self._drain_until):
                        break
                    self._keep_alive(now)
            finally:
                self._kill_all()
                gc.unfreeze()
        self._say("stopped", seconds=round(time.monotonic() - begun, 1))
        return self._status

    # --- filling the places -------------------------------------------------------------------------

    def _fill(self, now: float) -> None:
        """Start whoever is due."""
        for child in self._all:
            if self._drain_until is not None or child.pid or child.due > now:
                continue
            # What a child must not hold: our waking sockets, and our ends of the others' pipes.
            foreign = [*self._signals.fds, *(fd for other in self._all for fd in other.fds)]
            try:
                child.start(now, foreign)
            except OSError as error:
                child.failures += 1
                child.due = now + max(self._bounds.delay, self._wait_of(child))
                self._say("cannot_fork", process=child.name, error=str(error))
            else:
                if child.column is not None:
                    self._watchdog.begin(child.column, now, may_be_silent=child is self._keeper)
                self._say("process_started", process=child.name, pid=child.pid)

    def _wait(self, now: float) -> None:
        """Sleep until something happens, or until it is time to look."""
        until = now + self._bounds.tick
        if self._stop_until is not None:
            until = min(until, max(self._stop_until, now))
        poll = select.poll()
        poll.register(self._signals.fd, select.POLLIN)
        for child in self._all:
            if not child.pid and self._drain_until is None:
                until = min(until, child.due)
            elif child.pid and not child.ready and not child.mute:
                poll.register(child.notify, select.POLLIN)
        poll.poll(max(1, int((until - now) * 1000) + 1))

    def _hear(self, now: float) -> None:
        """See who has become ready."""
        for child in self._all:
            if not (child.pid and child.hear()):
                continue
            self._say(
                "process_ready", process=child.name, pid=child.pid, seconds=round(now - child.started, 2)
            )
            if child.started <= self._reloaded:
                # It was begun before the HUP and not yet listening when that came.
                child.signal(signal.SIGHUP)
            first = not self._was_ready
            self._was_ready = self._was_ready or all(worker.ready for worker in self._workers)
            if self._was_ready and first and self._drain_until is None:
                self._notifier.ready(self._summary())
            else:
                self._notifier.status(self._summary())

    def _reap(self, now: float) -> None:
        """Wait for the dead. As process 1 of a container we also get others' orphans: no more than that."""
        while True:
            try:
                pid, raw = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for child in self._all:
                if child.pid == pid:
                    self._mourn(child, os.waitstatus_to_exitcode(raw), now)

    def _mourn(self, child: Child, status: int, now: float) -> None:
        """Forget what the dead one counted, and plan its replacement."""
        pid, lived = child.pid, now - child.started
        is_worker = child in self._workers
        was_ready = child.ready or child.hear() or not is_worker
        child.bury()
        child.ready = False
        if child.column is not None:
            self._watchdog.end(child.column)
            if is_worker and self._drain_until is None:
                self._suspect(child.column, f"{child.name} ended with status {status}")
            self.board.zero(child.column)
        if self._drain_until is not None:
            self._say("process_ended", process=child.name, pid=pid, status=status)
            return
        self._say("process_died", process=child.name, pid=pid, status=status, seconds=round(lived, 1))
        self._notifier.status(self._summary())
        steady = was_ready and (child.killed or lived >= self._bounds.steady)
        child.failures = 0 if steady else child.failures + 1
        if is_worker and not self._was_ready and child.failures >= self._bounds.give_up:
            self._status = 1
            self._say("cannot_start", failures=child.failures)
            self._drain(now, "no worker can start")
            return
        wait = self._wait_of(child)
        child.due = now + wait
        if wait:
            self._say("process_delayed", process=child.name, seconds=wait, failures=child.failures)

    def _suspect(self, column: int, why: str) -> None:
        """Tell which messages the dead one had in hand, before its column is forgotten."""
        if self._on_suspects is None:
            return
        try:
            plugin, messages = self.board.suspects(column)
            if messages:
                self._on_suspects(plugin, messages, why)
        except Exception as error:
            self._say("trouble", where="on_suspects", error=repr(error))

    def _wait_of(self, child: Child) -> float:
        """Return how long to wait: not at all after one early death, then ever longer."""
        if child.failures < 2:
            return 0.0
        return min(self._bounds.longest_delay, self._bounds.delay * 2.0 ** min(child.failures - 2, 20))

    def _watch(self, now: float) -> None:
        """Kill whose loop stands still; the plugin that does it twice is told on."""
        for column, seconds in self._watchdog.look(now):
            child = self._all[column]
            plugin, times = "", 0
            try:
                plugin, times = self._watchdog.blame(column)
            except Exception as error:
                self._say("trouble", where="plugin_name", error=repr(error))
            child.killed = True
            child.signal(signal.SIGKILL)
            self._watchdog.end(column)
            facts = {"process": child.name, "pid": child.pid, "seconds": round(seconds, 1)}
            self._say("worker_blocked", **facts, plugin=plugin, times=times)
            if times >= 2 and self._on_plugin_blocked is not None:
                try:
                    self._on_plugin_blocked(plugin, times)
                except Exception as error:
                    self._say("trouble", where="on_plugin_blocked", error=repr(error))

    # --- signals and the end ------------------------------------------------------------------------

    def _obey(self, number: int, now: float) -> None:
        name = signal.Signals(number).name
        if number == signal.SIGHUP and self._drain_until is None:
            self._reload(now)
        elif number in (signal.SIGTERM, signal.SIGINT):
            if self._drain_until is None:
                self._drain(now, name)
            elif self._stop_until is None:
                self._stop(now, f"a second signal, {name}")

    def _reload(self, now: float) -> None:
        """The parent re-reads first: a worker that is forked later begins with what it has."""
        self._notifier.reloading()
        if self._on_reload is not None:
            try:
                self._on_reload()
            except Exception as error:
                self._say("trouble", where="on_reload", error=repr(error))
        self._reloaded = now
        for child in self._all:
            child.signal(signal.SIGHUP)
        self._say("reload")
        self._notifier.ready(self._summary())

    def _drain(self, now: float, reason: str) -> None:
        self._drain_until = now + self._bounds.drain
        self._say("drain", reason=reason, seconds=self._bounds.drain)
        self._notifier.stopping("open transactions end")
        for child in (*self._workers, *self._helpers):
            child.signal(signal.SIGTERM)

    def _stop(self, now: float, reason: str) -> None:
        self._stop_until = now + self._bounds.stop
        self._say("stop", reason=reason)
        for child in self._all:
            child.signal(signal.SIGTERM)

    def _wind_down(self, now: float, drain_until: float) -> bool:
        """Move the end along; true when nobody is left."""
        if not any(child.pid for child in self._all):
            return True
        if self._stop_until is not None:
            if now >= self._stop_until:
                for child in self._all:
                    child.signal(signal.SIGKILL)
        elif now >= drain_until:
            self._stop(now, "the time to drain is over")
        elif not self._keeper_told and not any(worker.pid for worker in self._workers):
            # The keeper goes last: it brings in what the workers wrote at their end.
            self._keeper_told = True
            self._keeper.signal(signal.SIGTERM)
            self._drain_until = min(drain_until, now + self._bounds.standstill)
        return False

    def _kill_all(self) -> None:
        """Leave nobody behind, also where an error ends the parent."""
        for child in self._all:
            if child.pid:
                child.signal(signal.SIGKILL)
                os.waitpid(child.pid, 0)
                child.bury()

    # --- telling others -----------------------------------------------------------------------------

    def _keep_alive(self, now: float) -> None:
        """Tell systemd that we live; if we cease to, it restarts the whole."""
        if self._notifier.watchdog and now - self._said_alive >= self._notifier.watchdog - self._bounds.tick:
            self._said_alive = now
            self._notifier.alive()

    def _summary(self) -> str:
        ready = sum(1 for worker in self._workers if worker.ready)
        return f"{ready} of {len(self._workers)} workers answer"

    def _say(self, name: str, /, **fields: Any) -> None:
        """Tell the owner; a full disk or a broken pipe there must not bring the parent down."""
        try:
            self._on_event(name, fields)
        except Exception:
            try:
                traceback.print_exc(file=sys.stderr)
            except OSError:
                pass  # nobody listens; the mail goes on


def _helper_body(run: Callable[[], None]) -> Callable[[int], None]:
    return lambda _notify_fd: run()


def _worker_body(run: Callable[[int, Board, int], None], n: int, board: Board) -> Callable[[int], None]:
    return lambda notify_fd: run(n, board, notify_fd)
