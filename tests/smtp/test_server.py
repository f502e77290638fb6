"""A session means the same however its bytes are cut, and no bytes get past the rules of the protocol."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.mail.reply import Reply
from gatepost.smtp.server import (
    Abort,
    Answer,
    DataBegin,
    DataChunk,
    DataEnd,
    Event,
    Extensions,
    Limits,
    LocalProtocolError,
    Mail,
    Rcpt,
    ServerProtocol,
    StartTls,
    State,
    XClient,
)
from tests.cost import assert_linear
from tests.smtp.dialogue import LIMITS, OFFERED, Server

ENDS = [b"\r", b"\n", b"\r\n", b"\r\r\n", b"\n\r", b"\0", b""]
START = b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<ann@example.org>\r\n"
WORDS = st.sampled_from(
    [
        b"EHLO a\r\n",
        b"HELO b\r\n",
        b"MAIL FROM:<a@b>\r\n",
        b"MAIL FROM:<> SIZE=5\r\n",
        b"RCPT TO:<ann@example.org>\r\n",
        b"RCPT TO:<no@example.org>\r\n",
        b"DATA\r\n",
        b"data\r\n",
        b"text\r\n.\r\n",
        b"a\n.\r\n",
        b"\r\n.\r\n",
        b"BDAT 4\r\nRSET",
        b"BDAT 7 LAST\r\nQUIT\r\n.",
        b"BDAT 0 LAST\r\n",
        b"RSET\r\n",
        b"NOOP x\r\n",
        b"nonsense\r\n",
        b"NOOP\n",
        b"\r\n",
        b"\r",
        b".",
        b"VRFY a\r\n",
    ]
)


class Patient(Server):
    """A driver that lets early data pass, so that the cuts cannot matter."""

    def _answer(self, event: Event) -> Reply | bytes:
        if isinstance(event, DataBegin):
            event.early = False
            return Reply(354, "", "Go on")
        return super()._answer(event)


def session(wire: bytes, places: list[int] | None = None) -> tuple[list[Event], bytes]:
    """Play bytes, cut at places; return the events and what was said."""
    server = Patient()
    marks = sorted({min(p, len(wire)) for p in places or []} | {0, len(wire)})
    said = b"".join(server.say(wire[a:b]) for a, b in itertools.pairwise(marks))
    return server.events, said


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=14), st.lists(st.integers(0, 200), max_size=12))
def test_any_split(words: list[bytes], places: list[int]) -> None:
    """Events and answers do not depend on how the bytes are cut."""
    wire = b"".join(words)
    expected = session(wire)
    assert expected == session(wire, places)
    assert expected == session(wire, list(range(len(wire))))


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=14))
def test_the_rules_hold(words: list[bytes]) -> None:
    """No recipient without sender, no data without recipient, as many answers as commands want."""
    sender = recipients = False
    for event in session(START + b"".join(words))[0]:
        if isinstance(event, Mail):
            assert not sender
            sender = True
        elif isinstance(event, Rcpt):
            assert sender
            recipients = recipients or event.address.local == "ann"
        elif isinstance(event, DataBegin | DataChunk):
            assert recipients
        elif isinstance(event, DataEnd):
            assert recipients
            sender = recipients = False
        elif type(event).__name__ in {"Hello", "Reset"}:
            sender = recipients = False


@pytest.mark.parametrize("left", ENDS)
@pytest.mark.parametrize("right", ENDS)
def test_no_second_message_is_smuggled(left: bytes, right: bytes) -> None:
    """T1.1: with every pair of line ends around a dot, at every read boundary, one message is one."""
    inner = b"MAIL FROM:<evil@b>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nx\r\n"
    body = b"a" + left + b"." + right + inner + b".\r\n"
    rest = body.replace(b"\r\n", b"")
    unclean = b"\r" in rest or b"\n" in rest
    true_end = b"\r\n.\r\n" in body[: len(body) - len(inner)]
    for cut in range(len(body) + 1):
        for bare in ("normalize", "reject"):
            server = Server(bare=bare)
            server.say(START + b"DATA\r\n")
            server.say(body[:cut])
            server.say(body[cut:])
            ends = [event for event in server.events if isinstance(event, DataEnd)]
            mails = [event for event in server.events if isinstance(event, Mail)]
            assert len(mails) == (2 if true_end else 1)
            assert len(ends) >= 1
            if not true_end:
                assert ends[0].size == len(body) - 3
                if ends[0].spoilt == "":
                    assert ends[0].normalize == (bare == "normalize" and unclean)


@pytest.mark.parametrize("bare", ["normalize", "reject"])
def test_bare_newline(bare: str) -> None:
    """`normalize` asks for it, `reject` spoils, behind the true end (T1.2); BDAT too (T1.4)."""
    for body in (b"DATA\r\na\nb\r\n.\r\n", b"BDAT 4 LAST\r\na\rb\n"):
        server = Patient(bare=bare)
        server.say(START + body)
        end = server.events[-1]
        assert isinstance(end, DataEnd)
        assert end.normalize == (bare == "normalize")
        assert end.spoilt == ("" if bare == "normalize" else "bare")
        assert end.stuffed == body.startswith(b"DATA")


def test_early_data_is_told() -> None:
    """T2.4: DATA with bytes behind it in the same segment says so; alone it does not."""
    server = Server()
    server.say(START)
    server.say(b"DATA\r\nSubject: x\r\n.\r\n")
    assert server.events[-1] == DataBegin(early=True)
    assert server.closed
    server = Server()
    server.say(START + b"DATA\r\n")
    assert server.events[-1] == DataBegin(early=False)


def test_starttls_forgets_everything() -> None:
    """T2.1, T2.2: what waits is told and dropped; after the handshake a new EHLO is wanted."""
    protocol = ServerProtocol("mx", LIMITS, OFFERED, "normalize")
    protocol.receive(b"EHLO a\r\n")
    protocol.next_event()
    protocol.hello()
    protocol.receive(b"STARTTLS\r\nMAIL FROM:<a@b>\r\n")
    assert protocol.next_event() == StartTls(injected=True)
    assert protocol.pending_after_starttls
    protocol.reset_for_tls()
    assert protocol.buffered == 0
    assert protocol.state is State.FRESH
    protocol.receive(b"MAIL FROM:<a@b>\r\n")
    event = protocol.next_event()
    assert isinstance(event, Answer)
    assert event.data.startswith(b"503")
    protocol.receive(b"EHLO a\r\n")
    protocol.next_event()
    assert b"STARTTLS" not in protocol.hello()


def test_starttls_refused() -> None:
    """The driver said 454: the session goes on as it was."""
    protocol = ServerProtocol("mx", LIMITS, OFFERED, "normalize")
    protocol.receive(b"EHLO a\r\nSTARTTLS\r\n")
    protocol.next_event()
    protocol.hello()
    assert protocol.next_event() == StartTls()
    assert not protocol.pending_after_starttls
    protocol.tls_refused()
    protocol.receive(b"MAIL FROM:<a@b>\r\n")
    assert isinstance(protocol.next_event(), Mail)


def test_xclient() -> None:
    """Only where it is offered; after it the session is fresh."""
    server = Server(offered=Extensions(xclient=True))
    server.say(b"EHLO a\r\nXCLIENT ADDR=IPv6:2001:db8::1 NAME=[UNAVAILABLE]\r\n")
    assert server.events[-1] == XClient({"ADDR": "2001:db8::1", "NAME": None})
    assert server.say(b"MAIL FROM:<a@b>\r\n").startswith(b"503")
    assert server.say(b"XCLIENT FROB=1\r\n").startswith(b"501 5.5.4")
    assert server.say(b"XCLIENT NAME=\xff\r\n").startswith(b"500")
    assert server.say(b"EHLO a\r\nMAIL FROM:<a@b>\r\nXCLIENT ADDR=[UNAVAILABLE]\r\n").count(b"503") == 1


@pytest.mark.parametrize("size", [510, 511, 2046, 2047, 5000])
def test_line_limits(size: int) -> None:
    """512 octets for a command, 2048 for MAIL and RCPT, CRLF included; past that the session is over."""
    for line, limit in ((b"NOOP ", 510), (b"rcpt to:<", 2046)):
        for step in (1, 100_000):
            server = Server()
            server.say(b"EHLO a\r\nMAIL FROM:<a@b>\r\n")
            wire = line + b"a" * (size - len(line)) + b"\r\n"
            said = b"".join(server.say(wire[at : at + step]) for at in range(0, len(wire), step))
            assert server.closed == (size > limit)
            assert said.startswith(b"500 5.5.2") == (size > limit)


def test_a_line_without_end_is_bounded() -> None:
    """Bytes that never become a line end the session at the bound, not later."""
    server = Server()
    count = 0
    while not server.closed and count < 5000:
        server.say(b"a")
        count += 1
    assert count == 2048
    assert server.protocol.next_event() is None
    assert server.protocol.buffered == 0


def test_too_many_recipients() -> None:
    """452 past the limit; those before stay (RFC 5321, 4.5.3.1.10)."""
    server = Server()
    said = server.say(b"EHLO a\r\nMAIL FROM:<a@b>\r\n" + b"RCPT TO:<ann@example.org>\r\n" * 5)
    assert said.count(b"250 2.1.5") == 3
    assert said.count(b"452 4.5.3") == 2
    assert server.protocol.recipients == 3


@pytest.mark.parametrize(("length", "too_big"), [(1000, False), (1001, True)])
def test_message_limit(length: int, too_big: bool) -> None:
    """At the limit and one octet over it, by DATA and by BDAT; the next command is found."""
    text = (b"a" * 48 + b"\r\n") * 19 + b"a" * (length - 952) + b"\r\n"
    assert len(text) == length
    for wire in (b"DATA\r\n" + text + b".\r\n", b"BDAT %d\r\n%bBDAT 0 LAST\r\n" % (length, text)):
        events, said = session(START + wire + b"NOOP\r\n", [40, 300, 800])
        end = next(event for event in events if isinstance(event, DataEnd))
        assert end.too_big == too_big
        kept = b"".join(event.data for event in events if isinstance(event, DataChunk))
        assert len(kept) <= 1000
        assert said.endswith(b"250 2.0.0 Ok\r\n")


def test_line_of_a_message_is_bounded() -> None:
    """`max_message_line` spoils the message."""
    events, _ = session(START + b"DATA\r\n" + b"a" * 199 + b"\r\n.\r\n")
    end = events[-1]
    assert isinstance(end, DataEnd)
    assert end.spoilt == "line"


@pytest.mark.parametrize(
    "line", [b"GET / HTTP/1.1", b"post /x", b"Host: mx.example.org", b"CONNECT a:25 HTTP/1.0"]
)
def test_browsers_are_cut_off(line: bytes) -> None:
    """A request of another protocol must not be followed by commands in its body."""
    server = Server()
    assert server.say(line + b"\r\nEHLO a\r\n").startswith(b"554 5.5.2")
    assert server.closed


def test_closed_is_closed() -> None:
    """Behind QUIT nothing is run, whatever still comes."""
    protocol = ServerProtocol("mx", LIMITS, OFFERED, "normalize")
    protocol.receive(b"QUIT\r\nEHLO a\r\n")
    protocol.next_event()
    protocol.reply(Reply(221, "2.0.0", "Bye"))
    for data in (b"", b"MAIL FROM:<a@b>\r\n", b"x" * 5000):
        protocol.receive(data)
        assert protocol.next_event() is None
        assert protocol.buffered == 0


def test_early_talk_waits() -> None:
    """What comes before the greeting is kept and answered after it."""
    protocol = ServerProtocol("mx.example.org", LIMITS, OFFERED, "normalize")
    protocol.receive(b"EHLO a\r\n")
    assert protocol.buffered == 8
    assert protocol.greet() == b"220 mx.example.org ESMTP\r\n"
    assert protocol.greet("slow today") == b"220 mx.example.org ESMTP slow today\r\n"
    assert protocol.next_event() is not None


def test_errors_are_counted() -> None:
    """Bad commands, and those that are none at all, for whoever judges clients."""
    server = Server()
    server.say(b"FROB\r\nDATA\r\nEHLO\r\nNOOP\r\nXYZZY\r\n")
    assert (server.protocol.errors, server.protocol.unrecognised) == (4, 2)
    server = Server(Limits(errors=1))
    assert server.say(b"A\r\n").startswith(b"500")
    assert server.say(b"B\r\n").startswith(b"421 4.7.0")
    assert isinstance(server.events[-1], Abort)


def test_only_our_own_answers_come_out_of_any_bytes() -> None:
    """Two thousand sessions of random bytes: every line that is said is a reply."""
    dice = random.Random(7)
    words = [b"EHLO a", b"MAIL FROM:<", b"a@b>", b"RCPT TO:<ann@example.org>", b"DATA", b"BDAT 3", b" LAST"]
    words += [b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\0", b"\xff", b".", b" ", b"\r\n.\r\n", b"STARTTLS"]
    for _ in range(2000):
        server = Server()
        for _ in range(dice.randrange(12)):
            said = server.say(b"".join(dice.choices(words, k=dice.randrange(8))))
            said += server.say(dice.randbytes(dice.randrange(9)))
            for line in said.decode("ascii").split("\r\n")[:-1]:
                assert line[:3].isdecimal(), line
                assert line.isprintable()


def test_asking_without_answering_is_our_mistake() -> None:
    """The next event comes only behind the last one's reply."""
    protocol = ServerProtocol("mx", LIMITS, OFFERED, "normalize")
    protocol.receive(b"EHLO a\r\nNOOP\r\n")
    protocol.next_event()
    with pytest.raises(LocalProtocolError):
        protocol.next_event()


def test_twice_the_commands_take_twice_the_time() -> None:
    """A client that pipelines a megabyte of commands costs what its commands cost."""

    def answer(wire: bytes) -> None:
        protocol = ServerProtocol("mx", LIMITS, OFFERED, "normalize")
        protocol.receive(wire)
        for _ in range(len(wire) // 6):
            assert protocol.next_event() is not None

    assert_linear(lambda count: b"NOOP\r\n" * count, answer, 10_000)
