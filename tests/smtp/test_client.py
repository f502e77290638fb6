"""Replies are read within bounds, at any split; what we say is one line each."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.smtp.client import MAX_COMMAND, MAX_LINE, Capabilities, ClientProtocol, ClientReply
from gatepost.smtp.errors import GarbageError, LocalProtocolError, OutboundError
from tests.cost import assert_cheap


def replies(client: ClientProtocol) -> list[ClientReply]:
    """Return all that are complete."""
    return list(iter(client.next_reply, None))


def one(wire: bytes) -> ClientReply:
    """Read one reply."""
    client = ClientProtocol()
    client.receive(wire)
    (reply,) = replies(client)
    assert not client.pending
    return reply


@pytest.mark.parametrize(
    ("wire", "reply"),
    [
        (b"250 2.1.0 Ok\r\n", ClientReply(250, "2.1.0", ["Ok"])),
        (b"250\r\n", ClientReply(250, "", [""])),
        (b"250 \r\n", ClientReply(250, "", [""])),
        (b"250 Ok\n", ClientReply(250, "", ["Ok"])),
        (b"550-5.1.1 No\r\n550 5.1.1 such user\r\n", ClientReply(550, "5.1.1", ["No", "such user"])),
        (b"250-one\r\n250-two\r\n250 three\r\n", ClientReply(250, "", ["one", "two", "three"])),
        (b"550 2.1.1 odd\r\n", ClientReply(550, "", ["2.1.1 odd"])),
        (b"450 4.7.1\r\n", ClientReply(450, "4.7.1", [""])),
        (b"550 5.7.1 \x1b[31m\xc3\xa9\xff\x00\r\n", ClientReply(550, "5.7.1", ["?[31mé\ufffd?"])),
        (b"354 go\rahead\r\n", ClientReply(354, "", ["go?ahead"])),
    ],
)
def test_replies(wire: bytes, reply: ClientReply) -> None:
    """Codes, enhanced codes, several lines, and text that is safe to write down."""
    assert reply == one(wire)


@pytest.mark.parametrize(
    "wire",
    [
        b"\r\n",
        b"hello\r\n",
        b"25\r\n",
        b"150 no\r\n",
        b"600 no\r\n",
        b"250_no\r\n",
        b"2500 no\r\n",
        b"250-a\r\n251 b\r\n",
        b"250-a\r\n" * 101,
        b"a" * (MAX_LINE + 1),
        b"250 " + b"a" * MAX_LINE + b"\r\n",
        (b"250-" + b"a" * 4000 + b"\r\n") * 20,
    ],
)
def test_garbage(wire: bytes) -> None:
    """What is no reply, or too much of one, is our own error."""
    client = ClientProtocol()
    client.receive(wire)
    with pytest.raises(GarbageError) as caught:
        replies(client)
    assert str(caught.value).isprintable()


PIECES = st.lists(st.sampled_from([b"250 ok\r\n", b"250-a\r\n", b"550 5.1.1 no\r\n", b"250", b" ", b"x\r\n"]))


@given(PIECES, st.lists(st.integers(0, 60), max_size=8))
def test_any_split(pieces: list[bytes], places: list[int]) -> None:
    """The same replies, or the same error, however the bytes come."""
    wire = b"".join(pieces)

    def read(cuts: list[int]) -> list[ClientReply | str]:
        client = ClientProtocol()
        out: list[ClientReply | str] = []
        marks = sorted({min(c, len(wire)) for c in cuts} | {0, len(wire)})
        for a, b in itertools.pairwise(marks):
            client.receive(wire[a:b])
            try:
                while (reply := client.next_reply()) is not None:
                    out.append(reply)
            except GarbageError as error:
                return [*out, str(error)]
        return out

    assert read([]) == read(places) == read(list(range(len(wire))))


@given(st.binary(max_size=200))
def test_only_our_own_error_comes_out(wire: bytes) -> None:
    """Any bytes give replies or a GarbageError."""
    client = ClientProtocol()
    client.receive(wire)
    try:
        found = replies(client)
    except GarbageError:
        return
    assert all(line.isprintable() for reply in found for line in reply.lines)


def test_pending() -> None:
    """More than one reply, or half of one, is seen."""
    client = ClientProtocol()
    client.receive(b"250 one\r\n250 tw")
    assert client.next_reply() is not None
    assert client.pending
    client.drop_plaintext()
    assert not client.pending
    client.receive(b"250-a\r\n")
    assert client.next_reply() is None
    assert client.pending
    client.drop_plaintext()
    client.receive(b"220 fresh\r\n")
    assert client.next_reply() == ClientReply(220, "", ["fresh"])


def test_capabilities() -> None:
    """What EHLO offers, in any case and with `=` as old servers write it."""
    client = ClientProtocol()
    reply = one(
        b"250-mx.example.org\r\n250-pipelining\r\n250-SIZE=1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
        b"250-STARTTLS\r\n250-CHUNKING\r\n250-DSN\r\n250-PRDR\r\n"
        b"250-XCLIENT NAME ADDR\r\n250 XFORWARD NAME\r\n"
    )
    offered = client.capabilities(reply)
    names = frozenset({"NAME", "ADDR"})
    assert offered == Capabilities(True, 1000, True, True, True, True, True, names, frozenset({"NAME"}), True)
    assert client.capabilities(one(b"250 mx\r\n")) == Capabilities()
    assert client.capabilities(one(b"250-mx\r\n250 SIZE\r\n")).size == 0
    assert client.capabilities(one(b"250-mx\r\n250 SIZE x\r\n")).size == 0


def test_greeting() -> None:
    """EHLO, or LHLO for LMTP; never a name that breaks the line."""
    assert ClientProtocol().ehlo("mx.example.org") == b"EHLO mx.example.org\r\n"
    assert ClientProtocol(lmtp=True).ehlo("mx") == b"LHLO mx\r\n"
    for name in ("", "a b", "a\r\nRSET", "é", "a" * 256):
        with pytest.raises(LocalProtocolError):
            ClientProtocol().ehlo(name)


def test_xclient_and_xforward() -> None:
    """xtext for what needs it, [UNAVAILABLE] for what is not known, IPv6 with its prefix."""
    client = ClientProtocol()
    said = client.xclient({"NAME": None, "ADDR": "2001:db8::1", "HELO": "a b+c=\r\n", "PORT": "25"})
    assert said == b"XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 HELO=a+20b+2Bc+3D+0D+0A PORT=25\r\n"
    assert client.xforward({"NAME": "a.example"}) == b"XFORWARD NAME=a.example\r\n"


@given(st.dictionaries(st.sampled_from(["NAME", "ADDR", "HELO", "PORT"]), st.none() | st.text(max_size=300)))
def test_attributes_never_break_the_line(attributes: dict[str, str | None]) -> None:
    """Any value makes one printable line of bounded length (T3.4)."""
    line = ClientProtocol().xclient(attributes)
    assert line.endswith(b"\r\n")
    assert line[:-2].decode("ascii").isprintable()
    assert len(line) <= MAX_COMMAND + 2


def test_body() -> None:
    """What follows the 354 is checked on its way (`outbound`)."""
    client = ClientProtocol()
    assert b"".join(client.body([b".a\r\n"], stuffed=False)) == b"..a\r\n.\r\n"
    with pytest.raises(OutboundError):
        list(client.body([b"a\nb"], stuffed=True))


def test_a_babbling_server_costs_little() -> None:
    """A hundred thousand replies, or a line that dribbles in, take linear time."""

    def listen() -> None:
        client = ClientProtocol()
        client.receive(b"250 ok\r\n" * 50_000)
        assert len(replies(client)) == 50_000
        with pytest.raises(GarbageError):
            for _ in range(100_000):
                client.receive(b"2")
                client.next_reply()

    assert_cheap(2, listen)
