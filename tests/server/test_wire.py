"""Our own transport: order of bytes, back-pressure, half-closed peers, last replies that arrive."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from gatepost.server.sockets import open_listeners
from gatepost.server.wire import Hub, Wire
from tests.soon import soon


class Echo:
    """A peer that does with each piece what the test says."""

    def __init__(self, act: Callable[["Echo", bytes], None], stay: bool = False) -> None:
        self.act = act
        self.stay = stay
        self.wire: Wire | None = None
        self.lost = asyncio.Event()
        self.got = bytearray()

    def data_received(self, data: bytes) -> None:
        self.got += data
        self.act(self, data)

    def eof_received(self) -> bool:
        return self.stay

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


@asynccontextmanager
async def door(
    act: Callable[[Echo, bytes], None], stay: bool = False
) -> AsyncIterator[tuple[int, list[Echo]]]:
    hub = Hub(asyncio.get_running_loop())
    (sock,) = open_listeners(["127.0.0.1:0"])
    peers: list[Echo] = []

    def accept(fd: int, _address: tuple[str, int]) -> None:
        peer = Echo(act, stay)
        peers.append(peer)
        peer.wire = Wire(hub, fd, peer)

    stop = hub.listen(sock, accept)
    try:
        yield sock.getsockname()[1], peers
    finally:
        stop()
        hub.close()
        sock.close()


def run(test: Callable[[], object]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))  # type: ignore[arg-type]


def test_bytes_come_back_in_order_under_back_pressure() -> None:
    """A peer that does not read makes us stop reading, and nothing is lost or out of order."""

    def back(peer: Echo, data: bytes) -> None:
        assert peer.wire is not None
        peer.wire.write(data)

    async def test() -> None:
        async with door(back) as (port, peers):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            sent = os.urandom(8_000_000)
            writer.write(sent)
            await asyncio.sleep(0.3)
            assert peers[0].got != sent, "the server must not take everything from a peer that reads nothing"
            assert await reader.readexactly(len(sent)) == sent
            writer.close()
            await peers[0].lost.wait()

    run(test)


def test_last_reply_survives_unread_input() -> None:
    """Closing while the client still sends must not reset the connection before it has read our reply."""

    def act(peer: Echo, _data: bytes) -> None:
        assert peer.wire is not None
        peer.wire.write(b"421 bye\r\n")
        peer.wire.close()

    async def test() -> None:
        async with door(act) as (port, peers):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(50):
                writer.write(b"z" * 10_000)
            await asyncio.sleep(0.2)
            assert await reader.readline() == b"421 bye\r\n"
            writer.close()
            await peers[0].lost.wait()

    run(test)


def test_half_closed_peer_still_gets_the_answer() -> None:
    """`printf ... | nc` sends all and shuts its side: the answer still goes out."""

    def act(peer: Echo, data: bytes) -> None:
        asyncio.get_running_loop().call_later(0.1, finish, peer, data)

    def finish(peer: Echo, data: bytes) -> None:
        assert peer.wire is not None
        peer.wire.write(data.upper())
        peer.wire.close()

    async def test() -> None:
        async with door(act, stay=True) as (port, _peers):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello")
            writer.write_eof()
            assert await reader.read() == b"HELLO"
            writer.close()

    run(test)


def test_paused_reads_nothing() -> None:
    """pause_reading holds; resume_reading lets it go on."""

    async def test() -> None:
        async with door(lambda _p, _d: None) as (port, peers):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await settled(peers, 1)
            wire = peers[0].wire
            assert wire is not None
            wire.pause_reading()
            writer.write(b"abc")
            await asyncio.sleep(0.1)
            assert peers[0].got == b""
            wire.resume_reading()
            await soon(lambda: peers[0].got == b"abc")
            writer.transport.abort()
            await peers[0].lost.wait()
            assert wire.is_closing()
            wire.write(b"to nobody")

    run(test)


def test_detached_socket_lives_on() -> None:
    """What TLS needs: the wire lets go of the socket, and it works under asyncio."""

    async def test() -> None:
        async with door(lambda _p, _d: None) as (port, peers):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await settled(peers, 1)
            wire = peers[0].wire
            assert wire is not None
            sock: socket.socket = wire.detach()
            _r, theirs = await asyncio.open_connection(sock=sock)
            theirs.write(b"from asyncio")
            assert await reader.readexactly(12) == b"from asyncio"
            writer.close()
            theirs.close()

    run(test)


# -- replies that wait for the end of their batch ----------------------------------------------


def callers(port: int, number: int) -> list[socket.socket]:
    """Connect so many clients; they can be read from without waiting."""
    made = []
    for _ in range(number):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setblocking(False)
        made.append(sock)
    return made


def heard(sock: socket.socket) -> bytes | None:
    """Return what a client has got by now: b"" is the end, None is nothing yet."""
    try:
        return sock.recv(100)
    except BlockingIOError:
        return None


async def settled(peers: list[Echo], number: int) -> None:
    """So many are there."""
    await soon(lambda: len(peers) >= number)


def all_got(peers: list[Echo], word: bytes) -> bool:
    """This word was the last that each got."""
    return all(peer.got.endswith(word) for peer in peers)


def test_replies_of_one_batch_are_sent_behind_it() -> None:
    """While the batch runs nobody hears anything; behind it all hear what is theirs, in order."""
    seen: list[list[bytes | None]] = []
    clients: list[socket.socket] = []

    def act(peer: Echo, data: bytes) -> None:
        assert peer.wire is not None
        peer.wire.write(data.upper())
        peer.wire.write(b"!")
        seen.append([heard(one) for one in clients])

    async def test() -> None:
        async with door(act) as (port, peers):
            clients.extend(callers(port, 3))
            await settled(peers, 3)
            for n, one in enumerate(clients):
                one.send(b"abc"[n : n + 1])
            await soon(lambda: len(seen) == 3)
            assert [[None] * 3] * 3 == seen
            assert [b"A!", b"B!", b"C!"] == [heard(one) for one in clients]

    run(test)


def test_many_replies_do_not_wait_for_the_whole_batch() -> None:
    """After 32 of them the first are sent, however many events the batch still has."""
    clients: list[socket.socket] = []
    first: list[bytes | None] = []

    def act(peer: Echo, data: bytes) -> None:
        assert peer.wire is not None
        peer.wire.write(data)
        if len([one for one in all_peers if one.got]) == 40:
            first.extend(got for one in clients if (got := heard(one)) is not None)

    all_peers: list[Echo] = []

    async def test() -> None:
        async with door(act) as (port, peers):
            clients.extend(callers(port, 40))
            await settled(peers, 40)
            all_peers.extend(peers)
            for one in clients:
                one.send(b"x")
            await soon(lambda: all(peer.got for peer in peers))
            assert [b"x"] * 32 == first

    run(test)


@pytest.mark.parametrize("end", ["finish", "close", "abort", "detach"])
def test_last_reply_of_a_batch_is_sent_however_it_ends(end: str) -> None:
    """A reply that waits for the end of its batch is not lost to whoever ends the connection in it."""
    gone: list[socket.socket] = []

    def act(peer: Echo, _data: bytes) -> None:
        assert peer.wire is not None
        peer.wire.write(b"221 bye\r\n")
        ended = getattr(peer.wire, end)()
        peer.wire.write(b"never said")
        if ended is not None:
            gone.append(ended)

    async def test() -> None:
        async with door(act) as (port, _peers):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"QUIT\r\n")
            assert await reader.readline() == b"221 bye\r\n"
            for sock in gone:
                sock.close()
            assert await reader.read() == b""
            writer.close()

    run(test)


def test_a_fault_of_one_session_silences_no_other() -> None:
    """Who fails while replies are sent is told of; whose turn comes behind it is answered, now and later."""
    told: list[object] = []

    def act(peer: Echo, data: bytes) -> None:
        assert peer.wire is not None
        peer.wire.write(data)

    async def test() -> None:
        async with door(act) as (port, peers):
            clients = callers(port, 3)
            await settled(peers, 3)
            asyncio.get_running_loop().set_exception_handler(
                lambda _loop, said: told.append(said["exception"])
            )

            first = peers[0].wire
            assert first is not None
            hub = first._hub
            hub._ready[first._fd] = lambda _events: hub.late.append(Broken())  # type: ignore[arg-type]
            for word in (b"a", b"b"):
                for one in clients:
                    one.send(word)
                await soon(partial(all_got, peers[1:], word))
                assert [word, word] == [heard(one) for one in clients[1:]]
            assert told and all(isinstance(one, RuntimeError) for one in told)

    class Broken:
        def send_late(self) -> None:
            raise RuntimeError("a bug")

    run(test)
