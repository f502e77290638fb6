"""kill -9 of a worker, of the keeper, of all: what got 250 is at its server or kept, at least once."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from gatepost.spool.archive import Archive
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.spool.queue import Queue
from tests.system.gateway import Gateway
from tests.system.process import TOP, open_directory, wait_until
from tests.system.running import behind, deny, host, in_force, policy, running, workers
from tests.system.sink import Sink
from tests.system.talk import Talk

DENIED = "127.0.0.66"
KINDS = ("passes", "spools", "holds", "refuses")
MARK = re.compile(rb"mail-([0-9]+)-([a-z]+)-end")


class Load:
    """Clients that send numbered mails one after the other, and note which got an answer."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._number = 0
        self.promised: dict[str, set[int]] = {kind: set() for kind in KINDS}
        self.answers: Counter[tuple[str, int]] = Counter()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(6)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, and wait for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                self._number += 1
                number = self._number
            kind = KINDS[number % len(KINDS)]
            try:
                with Talk(self._gateway.port, DENIED, seconds=10) as talk:
                    if talk.greeting[0] == 220:
                        self._send(talk, number, kind)
            except (OSError, AssertionError):
                time.sleep(0.05)  # killed under way: the client does not know, and would come again

    def _send(self, talk: Talk, number: int, kind: str) -> None:
        talk.begin(f"ann@{kind}.example")
        mark = f"mail-{number}-{kind}-end"
        code, _ = talk.data(f"Subject: {mark}\r\n\r\n{mark}\r\n".encode() + b"x" * 500 + b"\r\n")
        with self._lock:
            self.answers[kind, code] += 1
            if code == (550 if kind == "refuses" else 250):
                self.promised[kind].add(number)


def hosts(gateway: Gateway, up: str, down: str) -> None:
    """Host a domain for each thing that may become of a mail."""
    host(gateway, "passes.example", up)
    host(gateway, "spools.example", down, on_backend_down="spool")
    host(gateway, "holds.example", up, deny_list__action="quarantine")
    host(gateway, "refuses.example", up, refuse_at="data")
    for domain in ("holds.example", "refuses.example"):
        deny(gateway, domain, DENIED)
    in_force()


def kill_one(gateway: Gateway, dice: random.Random) -> None:
    """Kill a worker or the keeper, as the kernel does when memory is short."""
    there = workers(gateway)
    if there:
        try:
            os.kill(dice.choice(there), signal.SIGKILL)
        except ProcessLookupError:
            pass  # it had just ended


def numbers(kind: str, texts: list[bytes]) -> Counter[int]:
    """Return how often each numbered mail of a kind is among these."""
    marks = [next(MARK.finditer(text), None) for text in texts]
    return Counter(int(mark[1]) for mark in marks if mark and mark[2].decode() == kind)


def test_what_got_250_is_somewhere() -> None:
    """L1, L2, L8: under load everything is killed, one by one and all at once; nothing promised is lost."""
    dice = random.Random(1)
    with ExitStack() as stack:
        sink = Sink(stack.enter_context(open_directory("sink")))
        stack.callback(sink.stop)
        gateway = stack.enter_context(running(smtp={"workers": 2}, archive={"min_free": "1MiB"}))
        hosts(gateway, f"smtp://127.0.0.1:{sink.port}", "smtp://127.0.0.1:1")
        load = Load(gateway)
        load.start()
        for _ in range(3):
            for _ in range(3):
                time.sleep(0.6)
                kill_one(gateway, dice)
            time.sleep(0.6)
            gateway.kill()
            gateway.start()
        load.stop()
        with closing(policy(gateway)) as store:
            store.put("domain:spools.example", {"route": [f"smtp://127.0.0.1:{sink.port}"]})
        in_force()
        gateway.cli("queue", "retry", "--all")
        wait_until(lambda: not gateway.json("queue", "list"), "an empty queue")

        assert all(len(promised) > 10 for promised in load.promised.values()), load.answers
        assert not [key for key in load.answers if key[1] // 100 == 5 and key != ("refuses", 550)]
        at_sink = sink.messages()
        archive = Archive(gateway.data / "archive", 1 << 40, 1)
        kept = [archive.read(one.ref) for one in archive.list(limit=1_000_000)]
        there = {
            "passes": numbers("passes", at_sink),
            "spools": numbers("spools", at_sink),
            "holds": numbers("holds", kept),
            "refuses": numbers("refuses", kept),
        }
        lost = {kind: load.promised[kind] - set(there[kind]) for kind in KINDS}
        assert {kind: set() for kind in KINDS} == lost
        assert not numbers("holds", at_sink) + numbers("refuses", at_sink), "what is held was delivered"
        assert max(there["spools"].values()) <= 2
        assert "event=bug" not in gateway.said()


@pytest.fixture
def garbage() -> Iterator[dict[str, bytes]]:
    """Give names and bytes that a killed or mad process may leave in the spool."""
    yield {
        "0123456789abcdef0123.json": b"{ half an enve",
        "aaaaaaaaaaaaaaaaaaaa.json": b"\0" * 300,
        "bbbbbbbbbbbbbbbbbbbb.eml": b"Subject: no envelope\r\n\r\nx\r\n",
        "cccccccccccccccccccc.json.77.1.tmp": b'{"id": "ccc',
        "dddddddddddddddddddd.eml.77.2.tmp": b"Subject: half a",
        "core": b"\x7fELF",
        "note.txt": b"remember the milk",
    }


def test_a_restart_finishes_all_work(garbage: dict[str, bytes]) -> None:
    """L12: half-written files go to `corrupt/` unchanged, with a line in the log; the rest is delivered."""
    with ExitStack() as stack:
        backend = stack.enter_context(behind())
        gateway = stack.enter_context(running())
        hosts(gateway, backend.url, "smtp://127.0.0.1:1")
        for number in range(5):
            with Talk(gateway.port) as talk:
                talk.begin("ann@spools.example")
                assert 250 == talk.data(f"Subject: mail-{number}-spools-end\r\n\r\nx\r\n".encode())[0]
        gateway.kill()
        spool = gateway.data / "spool"
        long_ago = time.time() - 3600  # younger files may be in somebody's hands
        for name, text in garbage.items():
            (spool / name).write_bytes(text)
            os.utime(spool / name, (long_ago, long_ago))
        with closing(policy(gateway)) as store:
            store.put("domain:spools.example", {"route": [backend.url]})

        gateway.start()

        gateway.cli("queue", "retry", "--all")
        wait_until(lambda: len(backend.taken) == 5, "the five mails")
        aside = spool / "corrupt"
        wait_until(lambda: len(list(aside.iterdir())) >= len(garbage), "the garbage put aside")
        found = sorted(path.read_bytes() for path in aside.iterdir())
        assert sorted(garbage.values()) == found
        for name in garbage:
            assert name in gateway.said()
        wait_until(lambda: not gateway.json("queue", "list"), "an empty queue")


def test_two_couriers_never_deliver_one_entry_twice(tmp_path: Path) -> None:
    """L14: three processes on one spool at once: each entry goes out once."""
    count = 120
    queue = Queue(tmp_path / "spool")
    now = time.time()
    for number in range(count):
        envelope = Envelope(
            id=queue.new_id(), sender="me@client.example", recipients=(Rcpt(f"n{number}@spools.example"),),
            created=now, due=now - 1, domain="spools.example", reason="spool",
        )  # fmt: skip
        queue.put(envelope, [f"Subject: mail-{number}-spools-end\r\n\r\nx\r\n".encode()])
    with open_directory("sink") as top:
        sink = Sink(top)
        try:
            command = [sys.executable, "-m", "tests.system.courier_process", str(tmp_path / "spool")]
            command += [f"smtp://127.0.0.1:{sink.port}"]
            running_ = [subprocess.Popen(command, cwd=TOP) for _ in range(3)]
            assert [0, 0, 0] == [process.wait(40) for process in running_]
            found = numbers("spools", sink.messages())
        finally:
            sink.stop()
    assert set(range(count)) == set(found)
    assert {1} == set(found.values())


def cut_off(gateway: Gateway, domain: str, body: bytes, close: Callable[[Talk], None]) -> None:
    """Send a message up to each of its bytes and go away."""
    for start in range(0, len(body), 40):
        talks = [Talk(gateway.port, DENIED) for _ in body[start : start + 40]]
        for cut, talk in enumerate(talks, start):
            talk.begin(f"ann@{domain}")
            assert 354 == talk.say("DATA")[0]
            talk.send(body[:cut])
        for talk in talks:
            close(talk)


def reset(talk: Talk) -> None:
    """Go away with a reset instead of a farewell."""
    talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    talk.close()


@pytest.mark.parametrize("close", [Talk.close, reset], ids=["closed", "reset"])
def test_gone_before_the_final_dot(close: Callable[[Talk], None]) -> None:
    """L6: a client that goes away at any byte before the end of its data leaves nothing behind."""
    body = b"Subject: cut\r\n\r\na line\r\n..\r\n.\r\n"
    with behind() as backend, running(smtp={"workers": 2}) as gateway:
        hosts(gateway, backend.url, "smtp://127.0.0.1:1")
        for domain in ("passes.example", "holds.example", "spools.example"):
            cut_off(gateway, domain, body, close)
        with Talk(gateway.port) as talk:
            talk.begin("ann@passes.example")
            assert 250 == talk.data(b"Subject: whole\r\n\r\nx\r\n")[0]
        assert 1 == len(backend.taken)
        assert not list((gateway.data / "archive").rglob("*.eml.zst"))
        assert not list((gateway.data / "spool").glob("*.eml"))
        assert not list((gateway.data / "scratch").iterdir())
        assert "event=bug" not in gateway.said()
