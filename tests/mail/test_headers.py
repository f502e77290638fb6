"""What a stranger said cannot break a line of ours; lines that came are counted and dropped whole."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.headers import add_to_subject, count_received, date, date_header, received, strip_headers
from gatepost.mail.message import Message
from gatepost.mail.session import Session
from gatepost.mail.transaction import Transaction

WHEN = 1_700_000_000.9
DIRTY = st.text(st.sampled_from('ab\r\n\0 ()<>"\\;:\u2028\u202e\ud800é\x1b%.'), max_size=30)


def test_received() -> None:
    """The whole field, as RFC 5321 section 4.4 has it."""
    session = Session("0DQ3N7V5K2F8T", "192.0.2.7", helo="mail.example.com", esmtp=True)
    session.host, session.host_confirmed, session.tls = "out.example.com", True, "TLSv1.3 AES"
    line = received(session, Transaction("0DQ3N7V5K2F8T.1", None), "mx.example.org", WHEN, "ann@example.org")
    assert line.decode() == (
        "Received: from mail.example.com (out.example.com [192.0.2.7])\r\n"
        "\t(using TLSv1.3 AES)\r\n"
        "\tby mx.example.org (Gatepost) with ESMTPS\r\n"
        "\tid 0DQ3N7V5K2F8T.1\r\n"
        "\tfor <ann@example.org>;\r\n"
        "\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
    )


@pytest.mark.parametrize(
    ("esmtp", "tls", "utf8", "word"),
    [
        (False, "", False, "SMTP"),
        (True, "", False, "ESMTP"),
        (True, "TLSv1.3 x", False, "ESMTPS"),
        (True, "", True, "UTF8SMTP"),
        (True, "TLSv1.3 x", True, "UTF8SMTPS"),
    ],
)
def test_protocol_word(esmtp: bool, tls: str, utf8: bool, word: str) -> None:
    """RFC 3848 and RFC 6531."""
    session = Session("S", "2001:db8::1", helo="a", esmtp=esmtp, tls=tls)
    line = received(session, Transaction("S.1", None, smtputf8=utf8), "mx", WHEN, None).decode()
    assert f" with {word}\r\n" in line
    assert "[IPv6:2001:db8::1]" in line
    assert "for <" not in line


def test_an_unproven_name_is_not_written() -> None:
    """rDNS that does not resolve back is the client's own claim."""
    session = Session("S", "192.0.2.7", helo="a", host="bank.example", host_confirmed=False)
    assert b"(unknown [192.0.2.7])" in received(session, Transaction("S.1", None), "mx", WHEN, None)


@given(DIRTY, DIRTY, DIRTY, DIRTY, st.booleans())
def test_no_value_breaks_the_field(helo: str, host: str, tls: str, to: str, utf8: bool) -> None:
    """Whatever is said, it is one field with the same lines, without NUL, and its comments close (T3.4)."""
    session = Session("S", "192.0.2.7", helo=helo, host=host, host_confirmed=True, tls=tls, esmtp=True)
    line = received(session, Transaction("S.1", None, smtputf8=utf8), "mx.example.org", WHEN, to)
    message = Message(line + b"\r\n")
    assert not message.ambiguous
    assert len(message.headers) == 1
    assert line.replace(b"\r\n\t", b"").count(b"\n") == 1
    value = message.headers[0].value
    assert re.fullmatch(r"from \S+ \(\S+ \[\S+\]\) .*by mx.example.org \(Gatepost\) .*\+0000", value)
    assert (value.count("("), value.count(")")) == ((3, 3) if tls else (2, 2)) or "for <" in value


def test_date() -> None:
    """In English and UTC on every machine."""
    assert date_header(WHEN) == b"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    parsed = datetime.strptime(date(951_782_400), "%a, %d %b %Y %H:%M:%S %z")
    assert parsed.timestamp() == 951_782_400


def test_count_received() -> None:
    """Any case, the first line as well, no other field and no folded line."""
    head = b"received: a\r\nRECEIVED: b\r\n\tReceived: c\r\nX-Received: d\r\nReceived: e\r\n\r\n"
    assert count_received(head) == 3
    assert count_received(b"") == 0


def test_strip_headers() -> None:
    """A field goes with all its lines; the others stay byte for byte."""
    head = b"X-Spam: a\r\n\tb\r\nSubject: c\r\n d\r\nx-spam : e\r\nTo: f\r\n\r\n"
    assert strip_headers(head, ["X-SPAM"]) == b"Subject: c\r\n d\r\nTo: f\r\n\r\n"
    assert strip_headers(head, []) == head
    assert strip_headers(b"", ["a"]) == b""


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"To: a\r\nSubject: Hi\r\nCc: b\r\n\r\n", b"To: a\r\nSubject: Hi (w: 1 of 2)\r\nCc: b\r\n\r\n"),
        (b"SUBJECT:\r\n\r\n", b"SUBJECT: (w: 1 of 2)\r\n\r\n"),
        (b"Subject: a\r\n\tb\r\nTo: c\r\n\r\n", b"Subject: a\r\n\tb (w: 1 of 2)\r\nTo: c\r\n\r\n"),
        (b"Subject: a\r\nSubject: b\r\n\r\n", b"Subject: a (w: 1 of 2)\r\nSubject: b\r\n\r\n"),
        (b"X: a\r\n Subject: b\r\n\r\n", b"Subject: (w: 1 of 2)\r\nX: a\r\n Subject: b\r\n\r\n"),
        (b"", b"Subject: (w: 1 of 2)\r\n"),
        (
            b"Subject: " + b"x" * 70 + b"\r\n\r\n",
            b"Subject: " + b"x" * 70 + b"\r\n (w: 1 of 2)\r\n\r\n",
        ),
    ],
)
def test_words_behind_the_subject(head: bytes, wanted: bytes) -> None:
    """Behind the first Subject, on a line of its own where it would be too long; else a new one on top."""
    assert wanted == add_to_subject(head, "(w: 1 of 2)")
