"""The parent keeps each place filled, finds the blocked loop, and ends as it is told.

A real Supervisor with real children: each serves a socket, one line of the client at a time.
"""

import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gatepost.server.board import Board, client_key
from gatepost.server.systemd import Notifier
from gatepost.server.workers import EVENTS, Bounds, Supervisor, say_ready
from tests.system.process import wait_until

BOUNDS = Bounds(standstill=3, start=30, steady=30, delay=0.2, longest_delay=0.4, drain=60, stop=0.5, tick=0.1)
PLUGINS = ["recipients", "slow_one"]


def worker(listener: socket.socket, n: int, board: Board, notify_fd: int) -> None:
    """Serve lines: who, count, block, quit. TERM: accept no more, wait for those who are there."""
    column = board.open_column(n)
    column.name_plugins(PLUGINS)
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: told.append(number))
    peers: dict[int, socket.socket] = {}
    say_ready(notify_fd)
    hups = 0
    while not (signal.SIGTERM in told and not peers) and told.count(signal.SIGTERM) < 2:
        column.beat()
        hups += told.count(signal.SIGHUP)
        told[:] = [number for number in told if number != signal.SIGHUP]
        wanted = [*peers] if signal.SIGTERM in told else [*peers, listener.fileno()]
        for fd in select.select(wanted, [], [], 0.05)[0]:
            if fd == listener.fileno():
                try:
                    peer, _ = listener.accept()
                except BlockingIOError:
                    continue
                column.enter(client_key("192.0.2.1"))
                peers[peer.fileno()] = peer
                continue
            peer = peers[fd]
            match peer.recv(100).strip():
                case b"who":
                    peer.sendall(b"%d %d\n" % (os.getpid(), n))
                case b"count":
                    peer.sendall(b"%d\n" % board.client_count(client_key("192.0.2.1")))
                case b"hups":
                    peer.sendall(b"%d\n" % hups)
                case b"block":
                    column.running(2)
                    while True:
                        pass
                case b"deaf":
                    signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    peer.sendall(b"ok\n")
                case _:
                    peers.pop(fd).close()
                    column.leave(client_key("192.0.2.1"))


def keeper(board: Board) -> None:
    """Beat until TERM."""
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    column = board.open_column(board.keeper)
    while not told:
        column.beat()
        time.sleep(0.05)


class House:
    """A running parent, seen from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "events"
        self.pid = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)

    def start(
        self, workers: int = 2, run: Callable[[int, Board, int], None] | None = None, **more: Any
    ) -> None:
        """Fork a parent that runs the Supervisor."""
        self.log.write_text("")
        self.pid = os.fork()
        if self.pid:
            return
        status = 70
        try:
            board = Board.create(None, workers, clients=100)
            serve = run or (lambda n, board, fd: worker(self.listener, n, board, fd))
            more.setdefault("bounds", BOUNDS)
            status = Supervisor(serve, keeper, workers, board, self.say, **more).run()
        finally:
            os._exit(status)

    def say(self, name: str, fields: dict[str, Any]) -> None:
        """Write down what the parent says."""
        assert name in EVENTS
        with self.log.open("a") as log:
            log.write(json.dumps({"event": name, **fields}) + "\n")

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return what it said so far."""
        said = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [event for event in said if not name or event["event"] == name]

    def wait(self, name: str, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        """Wait until it has said so that often."""
        wait_until(lambda: len(self.events(name)) >= count, f"{name} of {self.log}", seconds)
        return self.events(name)

    def connect(self) -> socket.socket:
        """A client; its accept may be any worker's."""
        return socket.create_connection(self.listener.getsockname(), 30)

    def ask(self, peer: socket.socket, line: bytes) -> list[int]:
        """Say a line and read numbers."""
        peer.sendall(line + b"\n")
        return [int(word) for word in peer.recv(100).split()]

    def end(self, *numbers: int) -> int:
        """Send signals and wait for the parent's exit status."""
        for number in numbers:
            os.kill(self.pid, number)
            time.sleep(0.1)
        _, raw = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(raw)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    if made.pid:
        made.end(signal.SIGTERM, signal.SIGTERM)
    made.listener.close()


def alive(pid: int) -> bool:
    """Is there such a process (that is not a corpse)?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_worker_is_replaced_and_its_counts_are_forgotten(house: House) -> None:
    """kill -9 of one worker: the other goes on, a new one takes the place, the client's count is right."""
    house.start()
    house.wait("process_ready", 2)
    kept, lost = house.connect(), house.connect()
    (pid, n), (other, _) = house.ask(kept, b"who"), house.ask(lost, b"who")
    tries = 0
    while other == pid:
        tries += 1
        assert tries < 500
        lost.close()
        lost = house.connect()
        other = house.ask(lost, b"who")[0]
    os.kill(other, signal.SIGKILL)
    died = house.wait("process_died")[0]
    assert (died["pid"], died["status"]) == (other, -signal.SIGKILL)
    house.wait("process_ready", 3)
    assert house.ask(kept, b"who") == [pid, n]
    wait_until(lambda: house.ask(kept, b"count") == [1], "the dead one's client is not counted")
    kept.close()
    assert house.end(signal.SIGTERM) == 0


def test_a_blocked_loop_is_replaced_and_its_plugin_named(house: House) -> None:
    """Within the bound; the second time the plugin is handed over, by name."""

    tell = house.folder / "blocked"

    def on_plugin_blocked(name: str, times: int) -> None:
        tell.write_text(f"{name} {times}")

    house.start(
        plugin_name=lambda index: PLUGINS[index - 1],
        on_plugin_blocked=on_plugin_blocked,
    )
    house.wait("process_ready", 2)
    for time_no in (1, 2):
        begun = time.monotonic()
        with house.connect() as peer:
            peer.sendall(b"block\n")
            event = house.wait("worker_blocked", time_no)[-1]
            assert peer.recv(10) == b""
        # The next tick sees it; a machine that is busy may see it late.
        assert BOUNDS.standstill <= time.monotonic() - begun < 4 * BOUNDS.standstill
        assert (event["plugin"], event["times"]) == ("slow_one", time_no)
        assert event["seconds"] >= BOUNDS.standstill
        assert tell.exists() == (time_no == 2)
        house.wait("process_ready", 2 + time_no)
    assert tell.read_text() == "slow_one 2"

    with house.connect() as peer:
        assert len(house.ask(peer, b"who")) == 2
    assert house.end(signal.SIGTERM) == 0


def test_the_worker_names_its_plugins_where_nobody_else_does(house: House) -> None:
    """Plugins that only the worker knows are named by the board; trouble of the owner's is no end."""

    def on_plugin_blocked(name: str, times: int) -> None:
        raise OSError("the store is locked")

    house.start(workers=1, on_plugin_blocked=on_plugin_blocked)
    for time_no in (1, 2):
        house.wait("process_ready", time_no)
        with house.connect() as peer:
            peer.sendall(b"block\n")
            assert house.wait("worker_blocked", time_no)[-1]["plugin"] == "slow_one"
    assert "the store is locked" in house.wait("trouble")[0]["error"]
    house.wait("process_ready", 3)
    assert house.end(signal.SIGTERM) == 0


def test_term_drains(house: House) -> None:
    """What is open may end; the parent waits for it, takes the keeper last, and leaves nobody."""
    house.start()
    house.wait("process_ready", 2)
    peer = house.connect()
    pid = house.ask(peer, b"who")[0]
    os.kill(house.pid, signal.SIGTERM)
    house.wait("drain")
    house.wait("process_ended")
    time.sleep(0.3)
    assert house.ask(peer, b"who")[0] == pid, "still served"
    assert not house.events("stopped")
    peer.sendall(b"quit\n")
    assert house.end() == 0
    ended = [event["process"] for event in house.events("process_ended")]
    assert ended[-1] == "keeper"
    assert sorted(ended) == ["keeper", "w0", "w1"]
    assert not any(alive(event["pid"]) for event in house.events("process_started"))
    assert not house.events("process_died")
    peer.close()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_stops(house: House, second: int) -> None:
    """The open connection is cut; who does not even hear TERM is killed."""
    house.start()
    house.wait("process_ready", 2)
    open_one, deaf = house.connect(), house.connect()
    house.ask(open_one, b"who")
    deaf.sendall(b"deaf\n")
    assert deaf.recv(10) == b"ok\n"
    begun = time.monotonic()
    os.kill(house.pid, signal.SIGINT)
    house.wait("drain")  # two at once would be one
    assert house.end(second) == 0
    assert time.monotonic() - begun < BOUNDS.drain / 2, "it did not wait for the open ones"
    assert house.events("stop")
    assert not any(alive(event["pid"]) for event in house.events("process_started"))
    open_one.close()
    deaf.close()


def test_draining_has_a_bound(house: House) -> None:
    """A client that never ends does not keep the machine from shutting down."""
    house.start(bounds=Bounds(standstill=5, drain=0.5, stop=0.5, tick=0.1))
    house.wait("process_ready", 2)
    with house.connect() as peer:
        house.ask(peer, b"who")
        assert house.end(signal.SIGTERM) == 0  # while the client is still there
    assert house.events("stop")[0]["reason"] == "the time to drain is over"


def test_hup_is_passed_on(house: House) -> None:
    """To every child, after the parent has re-read; sessions stay."""
    tell = house.folder / "reloaded"
    house.start(workers=1, on_reload=lambda: tell.write_text("yes") and None)
    house.wait("process_ready")
    with house.connect() as peer:
        pid = house.ask(peer, b"who")[0]
        os.kill(house.pid, signal.SIGHUP)
        house.wait("reload")
        wait_until(lambda: house.ask(peer, b"hups") == [1], "HUP is passed on")
        assert tell.read_text() == "yes"
        assert house.ask(peer, b"who")[0] == pid
    assert not house.events("process_died")
    assert house.end(signal.SIGTERM) == 0


def test_a_worker_that_dies_again_and_again_is_restarted_ever_later(house: House) -> None:
    """At once, then after a wait that grows to its bound; the others serve on."""
    flag = house.folder / "bad"

    def run(n: int, board: Board, fd: int) -> None:
        if n == 1 and flag.exists():
            sys.exit(3)
        worker(house.listener, n, board, fd)

    house.start(run=run)
    house.wait("process_ready", 2)
    flag.write_text("")
    victim = next(event["pid"] for event in house.events("process_ready") if event["process"] == "w1")
    os.kill(victim, signal.SIGKILL)
    waits = [event["seconds"] for event in house.wait("process_delayed", 4)]
    assert waits[:4] == [0.2, 0.4, 0.4, 0.4]
    with house.connect() as peer:
        assert house.ask(peer, b"who")[1] == 0
    flag.unlink()
    house.wait("process_ready", 3)
    assert house.end(signal.SIGTERM) == 0


def test_what_can_never_start_ends_with_an_error(house: House) -> None:
    """No worker ever became ready: exit status 1 instead of trying for ever."""

    def run(n: int, board: Board, fd: int) -> None:
        sys.exit(3)

    house.start(run=run)
    assert house.end() == 1
    assert house.events("cannot_start")
    assert not any(alive(event["pid"]) for event in house.events("process_started"))


def test_one_that_never_comes_to_life_is_killed(house: House) -> None:
    """No first heartbeat within the bound; that is a failed start too."""
    house.start(
        workers=1, run=lambda n, board, fd: time.sleep(60), bounds=Bounds(start=0.5, tick=0.1, delay=0.1)
    )
    assert house.end() == 1
    # A keeper that a busy machine brings to life too late is another matter.
    assert [event["process"] for event in house.events("worker_blocked")].count("w0") == 3


def test_a_dead_keeper_is_replaced(house: House) -> None:
    """The mail does not wait for it."""
    house.start()
    house.wait("process_ready", 2)
    pid = next(event["pid"] for event in house.events("process_started") if event["process"] == "keeper")
    os.kill(pid, signal.SIGKILL)
    house.wait("process_died")
    started = house.wait("process_started", 4)[-1]
    assert started["process"] == "keeper"
    time.sleep(0.2)
    assert house.end(signal.SIGTERM) == 0


def test_workers_drain_when_the_parent_is_killed(house: House) -> None:
    """kill -9 of the parent: no worker stays behind unwatched, and none cuts off its client."""
    house.start()
    house.wait("process_ready", 2)
    peer = house.connect()
    pid = house.ask(peer, b"who")[0]
    assert house.end(signal.SIGKILL) == -signal.SIGKILL
    others = [event["pid"] for event in house.events("process_started") if event["pid"] != pid]
    wait_until(lambda: not any(alive(other) for other in others), "those without a client end")
    assert house.ask(peer, b"who")[0] == pid
    peer.sendall(b"quit\n")
    wait_until(lambda: not alive(pid), "the last one ends")
    peer.close()


def test_systemd_is_told(house: House, tmp_path: Path) -> None:
    """READY when all answer, RELOADING and READY at HUP, STOPPING at TERM, WATCHDOG in between."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(30)
        house.start(notifier=Notifier({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}, 0))
        heard: list[str] = []

        def hear(state: str) -> None:
            while not heard or state not in heard[-1].splitlines():
                heard.append(manager.recv(1000).decode())

        hear("READY=1")
        assert heard[-1].splitlines()[1] == "STATUS=2 of 2 workers answer"
        hear("WATCHDOG=1")
        os.kill(house.pid, signal.SIGHUP)
        hear("RELOADING=1")
        hear("READY=1")
        os.kill(house.pid, signal.SIGTERM)
        hear("STOPPING=1")
        assert house.end() == 0


def test_an_owner_who_cannot_write_does_not_stop_the_mail(house: House) -> None:
    """on_event raises (the disk is full): the parent goes on."""

    def say(name: str, fields: dict[str, Any]) -> None:
        House.say(house, name, fields)
        if name != "stopped":
            raise OSError("No space left on device")

    house.say = say  # type: ignore[method-assign]
    null = os.open("/dev/null", os.O_WRONLY)
    kept = os.dup(2)
    os.dup2(null, 2)
    try:
        house.start(workers=1)
        house.wait("process_ready")
    finally:
        os.dup2(kept, 2)
        os.close(null)
        os.close(kept)
    with house.connect() as peer:
        os.kill(house.ask(peer, b"who")[0], signal.SIGKILL)
    house.wait("process_ready", 2)
    assert house.end(signal.SIGTERM) == 0


def test_a_helper_is_replaced_and_ends_with_the_drain(house: House) -> None:
    """A further process by name comes back when killed, and is told to end when the drain begins."""

    def helper() -> None:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        threading.Event().wait()

    house.start(helpers={"console": helper})
    house.wait("process_ready", 2)
    begun = next(one for one in house.wait("process_started", 4) if one["process"] == "console")
    os.kill(begun["pid"], signal.SIGKILL)
    assert "console" == house.wait("process_died")[0]["process"]
    assert "console" == house.wait("process_started", 5)[-1]["process"]
    with house.connect() as peer:
        house.ask(peer, b"who")
        os.kill(house.pid, signal.SIGTERM)
        assert "console" in {event["process"] for event in house.wait("process_ended", 2)}
    assert 0 == house.end()
