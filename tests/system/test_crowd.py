"""Clients that are slow, or say nothing, or are ten thousand: bounded, and the service answers the others."""

from __future__ import annotations

import resource
import socket
import statistics
import time
from collections.abc import Iterator

import pytest

from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import behind, host, in_force, metric, running, workers
from tests.system.talk import Talk

TIMEOUT = 4
IDLE = 10_000
EACH = 50
"""Connections of one client address: the default of `max_connections_per_client`."""
AT_ONCE = 0.1
"""Seconds within which a NOOP is answered while the crowd stands there."""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Give a gateway with two workers that waits four seconds for a command."""
    with behind() as backend, running(smtp={"timeout": TIMEOUT, "workers": 2}) as gateway:
        host(gateway, "example.org", backend.url)
        in_force()
        yield gateway


def trickle(talk: Talk, text: bytes, seconds: float = 1.0) -> float:
    """Send one byte a second until the server says something; how long that took."""
    began = time.monotonic()
    for byte in text:
        talk.send(bytes([byte]))
        talk.sock.settimeout(seconds)
        try:
            talk.sock.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            continue
        break
    talk.sock.settimeout(20)
    return time.monotonic() - began


def test_one_byte_a_second(gateway: Gateway) -> None:
    """T9.5: a command has its time as a whole; a byte a second wins no more of it. 421, closed."""
    with Talk(gateway.port) as talk, Talk(gateway.port) as other:
        spent = trickle(talk, b"NOOP" + b" " * 60)
        assert 421 == talk.reply()[0]
        assert [] == talk.rest()
        assert TIMEOUT - 1 < spent < TIMEOUT + 4
        other.close()
    with Talk(gateway.port) as fresh:
        assert 250 == fresh.say("NOOP")[0]


def test_nothing_at_all(gateway: Gateway) -> None:
    """Before EHLO, within a transaction, within the message, within a chunk: 421 when the time is over."""
    with Talk(gateway.port) as one, Talk(gateway.port) as two, Talk(gateway.port) as three, Talk(
        gateway.port
    ) as four:  # fmt: skip
        began = time.monotonic()
        two.begin("ann@example.org")
        three.begin("ann@example.org")
        assert 354 == three.say("DATA")[0]
        three.send(b"Subject: half a mail\r\n\r\nhalf")
        four.begin("ann@example.org")
        four.send(b"BDAT 1000 LAST\r\nSubject: half")
        for talk in (one, two, three, four):
            assert [421] == talk.rest()
        assert time.monotonic() - began < TIMEOUT + 5


def test_half_closed(gateway: Gateway) -> None:
    """A client that has shut its sending side is answered and let go; one that resets takes nobody along."""
    with Talk(gateway.port) as talk:
        talk.send(b"EHLO client.example\r\nNOOP\r\n")
        talk.sock.shutdown(socket.SHUT_WR)
        assert [250, 250] == talk.rest()
    for _ in range(50):
        with Talk(gateway.port) as talk:
            talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            talk.send(b"EHLO client.example\r\nMAIL FROM:<me@client.example>\r\n")
    with Talk(gateway.port) as talk:
        assert 250 == talk.say("NOOP")[0]


def test_who_never_reads(gateway: Gateway) -> None:
    """A zero window: replies that nobody takes do not fill our memory, and the others are served."""
    before = sum(memory(pid) for pid in workers(gateway))
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    deaf.connect(("127.0.0.1", gateway.port))
    deaf.setblocking(False)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            deaf.send(b"HELP\r\n" * 10_000)
        except BlockingIOError:
            time.sleep(0.01)
        except (BrokenPipeError, ConnectionResetError):
            break
    with Talk(gateway.port) as talk:
        assert 250 == talk.say("NOOP")[0]
    assert sum(memory(pid) for pid in workers(gateway)) - before < 8192
    deaf.close()


def memory(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123
        return int(status.read().split("VmRSS:")[1].split()[0])


def noop_times(port: int, count: int) -> list[float]:
    """Return the seconds of so many NOOPs, each on a connection of its own."""
    times = []
    for _ in range(count):
        with Talk(port, "127.0.0.2") as talk:
            began = time.monotonic()
            assert 250 == talk.say("NOOP")[0]
            times.append(time.monotonic() - began)
    return times


def test_ten_thousand_idle_clients() -> None:
    """10,000 clients say EHLO and then nothing: a NOOP is answered within 100 ms, mail goes through."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= IDLE + 500, "the test needs 10,500 open files (ulimit -Hn)"
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd: list[socket.socket] = []
    try:
        with behind() as backend, running(smtp={"workers": 2}) as gateway:
            host(gateway, "example.org", backend.url)
            in_force()
            before = sum(memory(pid) for pid in workers(gateway)[:2])
            for number in range(IDLE):
                source = f"127.{1 + number // EACH // 250}.0.{1 + number // EACH % 250}"
                client = socket.socket()
                crowd.append(client)
                client.bind((source, 0))
                client.connect(("127.0.0.1", gateway.port))
            for client in crowd:
                client.settimeout(20)
                assert client.recv(100).startswith(b"220 ")
                client.sendall(b"EHLO client.example\r\n")
            for client in crowd:
                assert client.recv(500).startswith(b"250-")
            wait_until(lambda: metric(gateway, "gatepost_connections_open") >= IDLE, "all counted")

            assert statistics.median(noop_times(gateway.port, 21)) < AT_ONCE
            grown = sum(memory(pid) for pid in workers(gateway)[:2]) - before
            assert grown / IDLE < 8, f"{grown / IDLE:.1f} KiB for each"
            code, text = gateway.send(["ann@example.org"], b"Subject: x\r\n\r\nx\r\n", source="127.0.0.3")
            assert 250 == code, text
            first = crowd[0]
            first.sendall(b"QUIT\r\n")
            assert first.recv(100).startswith(b"221 ")

            with Talk(gateway.port, "127.1.0.2", greeted=False) as one_too_many:
                assert [421] == one_too_many.rest()
    finally:
        for client in crowd:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_row_7_4_xen_guest() -> None:
    """Row "Xen guest" of 7.4: while less memory is free than the bound says, new clients are sent away with
    421 before anything is done for them; the log says why, and no mail is refused for good."""
    with running(overload={"min_free_memory": "1024TiB"}) as gateway:

        def greeting() -> tuple[int, str]:
            with Talk(gateway.port, "127.0.0.9", greeted=False) as talk:
                return talk.reply()

        wait_until(lambda: greeting()[0] == 421, "looked at the memory")
        assert {(421, "4.3.2")} == {(code, text.split()[0]) for code, text in (greeting() for _ in range(3))}
        wait_until(lambda: "free memory" in gateway.said(), "the log")
        assert 0 == metric(gateway, "gatepost_outcomes_total")
