"""The dialogue of one message: the short way gives the same results as the long one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.relay.exchange import BODY, BROKEN, DONE, NOTHING, Command, Exchange
from gatepost.relay.results import Content, Result
from gatepost.smtp.client import ClientProtocol, ClientReply
from gatepost.smtp.errors import GarbageError

CONTENT = Content([b"x\r\n"], True)
OK = ClientReply(250, "2.1.0", ["Ok"])
GO = ClientReply(354, "", ["Go"])


def exchange(
    count: int = 1, *, pipelined: bool = True, lmtp: bool = False, prdr: bool = False, ahead: int = 0
) -> Exchange:
    rcpts = [b"RCPT TO:<%d>\r\n" % n for n in range(count)]
    command = Command(b"XFORWARD\r\n" * ahead, ahead, b"MAIL FROM:<>\r\n", rcpts)
    return Exchange(command, CONTENT, pipelined=pipelined, lmtp=lmtp, prdr=prdr, where="back", dsn=True)


def long_way(data: bytes, count: int, *, lmtp: bool = False, prdr: bool = False) -> list[Result] | None:
    """The results by the general code, None where the exchange is not over or ends badly."""
    one = exchange(count, lmtp=lmtp, prdr=prdr)
    for reply in [OK] * (count + 1) + [GO]:
        one.hear(reply)
    client = ClientProtocol()
    client.receive(data)
    try:
        reply_ = client.next_reply()
    except GarbageError:
        return None
    if reply_ is None or client.pending or one.hear(reply_) != DONE:
        return None
    return one.results


FINALS = [
    b"250 2.0.0 Ok: queued as 4X\r\n",
    b"250 2.6.0 <1@b> x\r\n",
    b"250 2.0.0 \r\n",
    b"250 OK id=1\r\n",
    b"250 2.0.0\r\n",
    b"250-2.0.0 a\r\n250 2.0.0 b\r\n",
    b"250 2.0.0 a\n",
    b"250 2.0.0 a\r\n250 b\r\n",
    b"250 2.0.0 a",
    b"250 5.0.0 a\r\n",
    b"250 2.0.0 \xc3\xa9\r\n",
    b"250 2.0.0 a\x1b[0m\r\n",
    b"251 2.0.0 a\r\n",
    b"550 5.0.0 a\r\n",
    b"",
    b"250 2.0.0 " + b"y" * 600 + b"\r\n",
]


@pytest.mark.parametrize("data", FINALS)
@pytest.mark.parametrize("count", [1, 3])
def test_short_way_says_the_same(data: bytes, count: int) -> None:
    """Where the short way has an answer, it is that of the long way."""
    one = exchange(count)
    assert one.hear_envelope([OK] * (count + 1) + [GO])
    if one.hear_yes(data):
        assert long_way(data, count) == one.results
    assert one.sent_body


@given(st.binary(max_size=40).map(lambda end: b"250 2.0.0 " + end + b"\r\n"))
def test_short_way_on_any_bytes(data: bytes) -> None:
    """Whatever a next hop says."""
    one = exchange()
    one.hear_envelope([OK, OK, GO])
    if one.hear_yes(data):
        assert long_way(data, 1) == one.results


def test_short_way_is_not_for_everybody() -> None:
    """Not for LMTP and PRDR, a refused recipient, XFORWARD, or an envelope sent line by line."""
    for one in (exchange(2, lmtp=True), exchange(2, prdr=True)):
        one.hear_envelope([OK, OK, OK, GO])
        assert not one.hear_yes(FINALS[0])
    one = exchange(2)
    for reply in (OK, OK, ClientReply(550, "5.1.1", ["no"]), GO):
        one.hear(reply)
    assert not one.hear_yes(FINALS[0])
    assert not exchange(ahead=1).hear_envelope([OK, OK, GO])
    assert not exchange(pipelined=False).hear_envelope([OK, OK, GO])
    assert not exchange(2).hear_envelope([OK, OK, GO])


def test_one_word_at_a_time() -> None:
    """Without PIPELINING each command waits for the last one's answer."""
    one = exchange(2, pipelined=False, ahead=1)
    assert b"XFORWARD\r\n" == one.begin()
    said = []
    for reply in (OK, OK, OK, OK):
        assert NOTHING == one.hear(reply)
        said.append(one.next)
    assert [b"MAIL FROM:<>\r\n", b"RCPT TO:<0>\r\n", b"RCPT TO:<1>\r\n", b"DATA\r\n"] == said
    assert BODY == one.hear(GO)
    assert DONE == one.hear(OK)
    assert [True, True] == [result.delivered for result in one.results]


def test_lost_at_each_step() -> None:
    """Wherever it breaks, each recipient has a result, and no one is delivered without his 2xx."""
    replies = [OK, OK, ClientReply(550, "5.1.1", ["no"]), GO]
    for count in range(len(replies) + 1):
        one = exchange(2)
        for reply in replies[:count]:
            one.hear(reply)
        assert one.retry is False
        one.lost("gone")
        assert 2 == len(one.results)
        assert not any(result.delivered for result in one.results)
        assert one.retry == (count < 4)
        assert ("refused" if count >= 3 else "deferred") == one.results[1].kind


def test_garbage_breaks() -> None:
    """A code that has no meaning at its place ends the connection."""
    for heard in range(4):
        one = exchange(1)
        for reply in [OK, OK, GO][:heard]:
            one.hear(reply)
        assert BROKEN == one.hear(ClientReply(399, "", ["?"]))
        assert "deferred" == one.results[0].kind
