"""One connection: what comes at an odd moment is neither lost nor taken for something else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.relay.connection import (
    BackendConnection,
    NoConnection,
    ends_well,
    whole_lines,
    xclient_attributes,
)
from gatepost.relay.exchange import Command, Exchange
from gatepost.relay.results import Content, Who
from gatepost.relay.routes import parse_route
from tests.relay.backend import run


class Transport:
    """Takes what is written; says when it has had enough."""

    def __init__(self) -> None:
        self.said = b""
        self.aborted = False
        self.unsent = 0

    def write(self, data: bytes) -> None:
        self.said += data

    def writelines(self, parts: list[bytes]) -> None:
        self.said += b"".join(parts)

    def abort(self) -> None:
        self.aborted = True

    close = abort

    def get_extra_info(self, _name: str) -> Any:
        return None

    def get_write_buffer_size(self) -> int:
        return self.unsent


EHLO = b"250-back\r\n250 PIPELINING\r\n"


def connected() -> tuple[BackendConnection, Transport]:
    connection = BackendConnection(parse_route("smtp://192.0.2.1"), "192.0.2.1", "192.0.2.1:25")
    transport = Transport()
    connection.connection_made(transport)
    return connection, transport


async def greeted() -> tuple[BackendConnection, Transport]:
    connection, transport = connected()
    connection.data_received(b"220 back\r\n")
    task = asyncio.ensure_future(connection.greet("gate", None))
    await asyncio.sleep(0)
    connection.data_received(EHLO)
    await task
    transport.said = b""
    return connection, transport


def begun(
    connection: BackendConnection, chunks: list[bytes], *, proven: bool = False
) -> tuple[Exchange, asyncio.Future[None]]:
    command = Command(b"", 0, b"MAIL FROM:<>\r\n", [b"RCPT TO:<x>\r\n"])
    exchange = Exchange(
        command, Content(chunks, True, b"", proven), pipelined=True, lmtp=False, prdr=False, where=""
    )
    done = asyncio.get_running_loop().create_future()
    connection.start(exchange, 1e9, done)
    return exchange, done


def test_greeting_before_we_listen() -> None:
    """A greeting that is there with the connection is heard; so is EHLO's answer byte by byte."""

    async def main() -> None:
        connection, transport = connected()
        connection.data_received(b"220 back\r\n")
        task = asyncio.ensure_future(connection.greet("gate", None))
        await asyncio.sleep(0)
        for byte in EHLO:
            connection.data_received(bytes([byte]))
        await task
        assert b"EHLO gate\r\n" == transport.said
        assert connection.capabilities is not None
        assert connection.capabilities.pipelining

    run(main())


def test_helo_for_the_very_old() -> None:
    """A server that knows no EHLO is greeted with HELO and offers nothing."""

    async def main() -> None:
        connection, transport = connected()
        task = asyncio.ensure_future(connection.greet("gate", None))
        for data in (b"220 old\r\n", b"502 what\r\n", b"250 old\r\n"):
            await asyncio.sleep(0)
            connection.data_received(data)
        await task
        assert b"EHLO gate\r\nHELO gate\r\n" == transport.said
        assert connection.capabilities is not None
        assert not connection.capabilities.pipelining

    run(main())


@pytest.mark.parametrize("data", [b"421 4.4.2 idle\r\n", b"250 what\r\n", b"\0"])
def test_words_while_idle(data: bytes) -> None:
    """Whatever is said to nobody ends an idle connection: it is no answer to what comes next."""

    async def main() -> None:
        connection, transport = await greeted()
        connection.idle = True
        connection.data_received(data)
        assert connection.gone
        assert transport.aborted

    run(main())


def test_answers_at_any_split() -> None:
    """The answers of an envelope cut anywhere, first time or learnt, send the same body once."""

    async def main() -> None:
        answers = b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n"
        for _ in range(2):
            for cut in range(len(answers)):
                connection, transport = await greeted()
                exchange, done = begun(connection, [b"Hi\r\n"], proven=cut % 2 == 0)
                for piece in (answers[:cut], answers[cut:]):
                    if piece:
                        connection.data_received(piece)
                assert b"MAIL FROM:<>\r\nRCPT TO:<x>\r\nDATA\r\nHi\r\n.\r\n" == transport.said
                connection.data_received(b"250 2.0.0 Taken\r\n")
                assert done.done()
                assert exchange.results[0].delivered
                assert not transport.aborted

    run(main())


def test_a_yes_before_the_end_is_no_yes() -> None:
    """A server that says 250 before it has the whole message did not take it."""

    async def main() -> None:
        connection, transport = await greeted()
        exchange, done = begun(connection, [b"line\r\n" * 1000] * 3)
        connection.data_received(b"250 Ok\r\n250 Ok\r\n")
        connection.pause_writing()
        connection.data_received(b"354 Go\r\n")
        connection.data_received(b"250 2.0.0 Taken already\r\n")
        assert done.done()
        assert "deferred" == exchange.results[0].kind
        assert transport.aborted

    run(main())


def test_a_no_before_the_end() -> None:
    """A 5xx in the middle of the message is passed on, and the connection is not used again."""

    async def main() -> None:
        connection, transport = await greeted()
        exchange, done = begun(connection, [b"line\r\n" * 1000] * 3)
        connection.data_received(b"250 Ok\r\n250 Ok\r\n")
        connection.pause_writing()
        connection.data_received(b"354 Go\r\n552 5.3.4 enough\r\n")
        assert done.done()
        assert ("refused", 552) == (exchange.results[0].kind, exchange.results[0].code)
        assert transport.aborted
        connection, transport = await greeted()
        transport.unsent = 500
        exchange, done = begun(connection, [b"x\r\n"], proven=True)
        connection.data_received(b"250 Ok\r\n250 Ok\r\n354 Go\r\n")
        connection.data_received(b"552 5.3.4 enough\r\n")
        assert transport.aborted

    run(main())


def test_back_pressure() -> None:
    """A large message follows the pace of the transport."""

    async def main() -> None:
        connection, transport = await greeted()
        begun(connection, [b"line\r\n" * 1000] * 100)
        connection.data_received(b"250 Ok\r\n250 Ok\r\n")
        connection.pause_writing()
        connection.data_received(b"354 Go\r\n")
        assert b"line" not in transport.said
        connection.resume_writing()
        assert transport.said.endswith(b"line\r\n.\r\n")
        assert 100_000 == transport.said.count(b"line\r\n")

    run(main())


def test_starting_on_a_dead_connection() -> None:
    """A connection that went meanwhile gives a result, not silence."""

    async def main() -> None:
        connection, _ = await greeted()
        connection.connection_lost(None)
        exchange, done = begun(connection, [b"x\r\n"])
        assert done.done()
        assert exchange.retry
        with pytest.raises(NoConnection):
            await connection.ask(b"NOOP\r\n")

    run(main())


@pytest.mark.parametrize(
    ("top", "whole"),
    [
        (b"", True),
        (b"Received: x\r\n", True),
        (b"Received: x\r\n\ty\r\n z\r\nX-A:\r\n", True),
        (b"Received: x", False),
        (b"Received: x\n", False),
        (b"Received: x\r\n\r\n", False),
        (b"Received: x\r\n.\r\n", False),
        (b".: x\r\n", True),
        (b"X: a\0b\r\n", False),
        (b"X: a\rb\r\n", False),
        (b" x\r\n", False),
        (b"no colon\r\n", False),
    ],
)
def test_what_goes_on_top(top: bytes, whole: bool) -> None:
    """Only whole header lines: nothing that ends the headers or the message."""
    assert whole == whole_lines(top)


@given(st.binary(max_size=30))
def test_top_never_ends_the_message(data: bytes) -> None:
    """Whatever passes holds no end of headers, no end of data, no bare CR, LF or NUL."""
    for top in (data, b"X: " + data + b"\r\n"):
        if whole_lines(top):
            assert b"\r\n\r\n" not in b"\r\n" + top or not top
            assert b"\r\n.\r\n" not in b"\r\n" + top
            assert top.count(b"\r") == top.count(b"\n") == top.count(b"\r\n")
            assert b"\0" not in top


def test_ends_well() -> None:
    """The short way is for messages that are small, not empty, and end in CRLF."""
    assert ends_well([b"a\r\n"])
    assert ends_well([b"a", b"b\r\n"])
    assert not ends_well([])
    assert not ends_well([b"a\r"])
    assert not ends_well([b"x" * 2_000_000, b"\r\n"])


def test_only_what_is_known_of_the_client() -> None:
    """Attributes that the next hop does not know are not sent; what we do not know is None."""
    assert {"ADDR": "192.0.2.1", "NAME": None} == xclient_attributes(
        Who("192.0.2.1"), frozenset({"ADDR", "NAME", "LOGIN"})
    )
