"""Replies move the state as the tables say; a reply at the wrong moment is our own mistake."""

from __future__ import annotations

import pytest

from gatepost.mail.reply import Reply
from gatepost.smtp.commands import Extensions, Limits
from gatepost.smtp.errors import LocalProtocolError
from gatepost.smtp.server import Answer, BdatChunkEnd, DataEnd, ServerProtocol
from gatepost.smtp.states import NOT_NOW, State

YES, NO = Reply(250, "2.0.0", "Ok"), Reply(550, "5.7.1", "No")
GO = Reply(354, "", "Go on")


def start(*lines: bytes) -> ServerProtocol:
    """Return a protocol that heard these lines and said yes to each."""
    protocol = ServerProtocol("mx", Limits(), Extensions(starttls=True, xclient=True), "normalize")
    for line in (b"EHLO a", *lines):
        protocol.receive(line + b"\r\n")
        protocol.next_event()
        if line.startswith(b"EHLO"):
            protocol.hello()
        else:
            protocol.reply(GO if line == b"DATA" else YES)
    return protocol


MAIL, RCPT = b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>"


@pytest.mark.parametrize(
    ("said", "line", "reply", "state"),
    [
        ([], MAIL, YES, State.MAIL),
        ([], MAIL, NO, State.READY),
        ([MAIL], RCPT, YES, State.RCPT),
        ([MAIL], RCPT, NO, State.MAIL),
        ([MAIL, RCPT], RCPT, NO, State.RCPT),
        ([MAIL, RCPT], b"DATA", GO, State.DATA),
        ([MAIL, RCPT], b"DATA", NO, State.RCPT),
        ([MAIL, RCPT], b"RSET", YES, State.READY),
        ([MAIL, RCPT], b"BDAT 0", YES, State.CHUNKS),
        ([MAIL, RCPT], b"BDAT 0", NO, State.READY),
        ([MAIL, RCPT], b"BDAT 0 LAST", NO, State.READY),
        ([MAIL, RCPT, b"BDAT 0"], b"BDAT 0 LAST", YES, State.READY),
        ([MAIL, RCPT, b"BDAT 0"], b"RSET", YES, State.READY),
        ([MAIL, RCPT], b"EHLO b", NO, State.RCPT),
        ([], b"STARTTLS", NO, State.READY),
        ([], b"XCLIENT ADDR=192.0.2.1", NO, State.READY),
        ([MAIL], b"QUIT", YES, State.CLOSED),
    ],
)
def test_replies_move_the_state(said: list[bytes], line: bytes, reply: Reply, state: State) -> None:
    """Each event with each kind of answer."""
    protocol = start(*said)
    protocol.receive(line + b"\r\n")
    protocol.next_event()
    assert protocol.reply(reply) == reply.wire()
    assert protocol.state is state


@pytest.mark.parametrize("state", list(NOT_NOW), ids=lambda state: state.value)
def test_the_table_of_moments(state: State) -> None:
    """What a state does not allow is a 503 with its sentence; the state stays."""
    said = {
        State.FRESH: [],
        State.READY: [],
        State.MAIL: [MAIL],
        State.RCPT: [MAIL, RCPT],
        State.CHUNKS: [MAIL, RCPT, b"BDAT 0"],
    }
    words = {"MAIL": MAIL, "RCPT": RCPT, "BDAT": b"BDAT 0", "XCLIENT": b"XCLIENT ADDR=192.0.2.1"}
    for verb, sentence in NOT_NOW[state].items():
        protocol = start(*said[state])
        if state is State.FRESH:
            protocol = ServerProtocol("mx", Limits(), Extensions(starttls=True), "normalize")
        protocol.receive(words.get(verb, verb.encode()) + b"\r\n")
        event = protocol.next_event()
        assert isinstance(event, Answer)
        assert event.data == f"503 5.5.1 {sentence}\r\n".encode()
        assert protocol.state is state


def test_a_message_ends_the_transaction() -> None:
    """Recipients are counted anew after each message (RFC 5321, 4.1.1.4)."""
    protocol = start(MAIL, RCPT, RCPT, b"DATA")
    assert protocol.recipients == 2
    assert protocol.in_data
    protocol.receive(b".\r\n")
    end = protocol.next_event()
    assert isinstance(end, DataEnd)
    assert not protocol.in_data
    assert protocol.recipients == 2
    protocol.reply(YES)
    assert protocol.recipients == 0


def test_rset_before_helo_stays_before_helo() -> None:
    """RSET greets nobody."""
    protocol = ServerProtocol("mx", Limits(), Extensions(), "normalize")
    protocol.receive(b"RSET\r\n")
    protocol.next_event()
    protocol.reply(YES)
    assert protocol.state is State.FRESH


def test_chunk_in_parts() -> None:
    """While a chunk is incomplete the bytes are a message's."""
    protocol = start(MAIL, RCPT)
    protocol.receive(b"BDAT 4\r\nab")
    assert protocol.next_event() is not None
    assert protocol.next_event() is None
    assert protocol.in_data
    protocol.receive(b"cd")
    assert protocol.next_event() is not None
    assert isinstance(protocol.next_event(), BdatChunkEnd)
    assert not protocol.in_data


def test_answers_at_the_wrong_moment_are_our_mistake() -> None:
    """LocalProtocolError, never bytes on the wire."""
    protocol = ServerProtocol("mx", Limits(), Extensions(starttls=True), "normalize")
    for call in (protocol.hello, protocol.reset_for_tls, protocol.tls_refused):
        with pytest.raises(LocalProtocolError):
            call()
    with pytest.raises(LocalProtocolError):
        protocol.reply(YES)
    with pytest.raises(LocalProtocolError):
        protocol.restart(YES)
    protocol = start(MAIL, RCPT)
    protocol.receive(b"DATA\r\n")
    protocol.next_event()
    with pytest.raises(LocalProtocolError):
        protocol.reply(YES)
