"""What a training mail is about, in the shapes in which mail programs forward."""

from __future__ import annotations

import base64

import pytest

from gatepost.learn.features import features, unpack
from gatepost.mail.message import Message, find_border
from gatepost.mail.stamp import key_of, key_of_id, make
from gatepost.plugin.forwarded import (
    ATTACHED,
    INLINE,
    MAX_MAILS,
    REDIRECTED,
    Lesson,
    as_received,
    from_worker,
    in_worker,
    lessons,
)
from tests.cost import assert_cheap

HOST = "mx.example.org"
SEED = 7
ORIGINAL = (
    b"Received: from bad.example (bad.example [192.0.2.9]) by relay.example; now\r\n"
    b"From: Shop <shop@bad.example>\r\nTo: ann@example.org\r\nSubject: Cheap pills\r\n"
    b"Message-ID: <1@bad.example>\r\n\r\nBuy pills at http://pills.example/ now\r\n"
)
VALUE = make(b"s" * 32, "0DQ3N7V5K2F8T.1", "example.org", "ann@example.org")
OURS = (
    f"Received: from x (x [192.0.2.9])\r\n\tby {HOST} (Gatepost) with ESMTP\r\n\tid 1;\r\n\tnow\r\n"
    f"X-Gatepost-Id: {VALUE}\r\nX-Gatepost-Classifier: wanted; log-odds=-3\r\nX-Spam-Status: No\r\n"
).encode()
LATER = b"Return-Path: <x@bad.example>\r\nReceived: from mx by imap.example.org with LMTP\r\n"
DELIVERED = LATER + OURS + ORIGINAL


def forward(content: str, *parts: bytes, subject: str = "Fwd: Cheap pills", more: str = "") -> bytes:
    """Return a mail of Ann's with a text, and parts behind it."""
    head = f"From: Ann <ann@example.org>\r\nTo: spam@train.example.org\r\nSubject: {subject}\r\n{more}"
    text = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{content}".replace("\r\n", "\n").replace(
        "\n", "\r\n"
    )
    if not parts:
        return head.encode() + text.encode()
    head += "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n"
    body = b"".join(b"--b1\r\n" + part + b"\r\n" for part in (text.encode(), *parts))
    return head.encode() + body + b"--b1--\r\n"


def read(raw: bytes) -> list[Lesson]:
    """Return what is learnt from a mail."""
    border = find_border(raw)
    return lessons(raw[:border], raw, SEED, HOST, "example.org")


def packed(raw: bytes) -> bytes:
    """Return the features of a mail."""
    return features(Message(raw[: find_border(raw)], raw), SEED).pack()


AS_MESSAGE = b"Content-Type: message/rfc822\r\n\r\n"
AS_FILE = b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=m.EML\r\n"


@pytest.mark.parametrize(
    "part",
    [
        AS_MESSAGE + DELIVERED,
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(DELIVERED).replace(b"\n", b"\r\n"),
        AS_FILE + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(DELIVERED),
        AS_FILE + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(DELIVERED.replace(b"\r\n", b"\n")),
    ],
)  # fmt: skip
def test_attached(part: bytes) -> None:
    """The mail itself, as it came to our door: the very features that it had then."""
    (found,) = read(forward("See there", part))
    assert (ATTACHED, 1.0) == (found.how, found.weight)
    assert ORIGINAL.rstrip() == found.raw.rstrip()
    assert key_of_id("<1@bad.example>") == found.key
    assert ["0DQ3N7V5K2F8T.1"] == [stamp.id for stamp in found.stamps]
    assert packed(found.raw) == found.features


def test_the_features_are_those_of_delivery() -> None:
    """To the last one, where the mail program attached the mail as it was."""
    raw = ORIGINAL.rstrip(b"\r\n")
    (found,) = read(forward("See there", AS_MESSAGE + LATER + OURS + raw))
    assert packed(raw) == found.features


def test_several_attached_and_one_within() -> None:
    """Each is learnt once; what is attached to an attached mail is part of that."""
    inner = forward("deeper", AS_MESSAGE + ORIGINAL).replace(b"b1", b"b2").replace(b"ann@", b"eve@")
    found = read(forward("See", AS_MESSAGE + DELIVERED, AS_MESSAGE + inner, AS_MESSAGE + DELIVERED))
    assert [ATTACHED] * 3 == [one.how for one in found]
    assert b"--b2--" in found[1].raw
    assert found[0].features == found[2].features
    many = read(forward("See", *[AS_MESSAGE + ORIGINAL] * 50))
    assert MAX_MAILS == len(many)


@pytest.mark.parametrize(
    "raw",
    [
        DELIVERED,
        b"Resent-From: ann@example.org\r\nResent-To: spam@train.example.org\r\n" + ORIGINAL,
        ORIGINAL,
    ],
)
def test_redirected(raw: bytes) -> None:
    """It is the mail itself: it has our id, was sent on, or is not from here."""
    (found,) = read(raw)
    assert (REDIRECTED, 1.0, key_of_id("<1@bad.example>")) == (found.how, found.weight, found.key)
    assert (raw == DELIVERED) == bool(found.stamps)


QUOTES = {
    "thunderbird": "look\n\n-------- Forwarded Message --------\nSubject: \tCheap\nFrom: x <x@y>\n\n",
    "german": "siehe\n\n-------- Weitergeleitete Nachricht --------\nBetreff: \tCheap\nVon: x <x@y>\n\n",
    "apple": "look\n\nBegin forwarded message:\n\nFrom: x\nSubject: Cheap pills\nDate: Sun\n\n",
    "outlook": "look\n________________________________\nFrom: x <x@y>\nSent: Sunday\nSubject: Cheap\n\n",
    "quoted": "look\n\n> -----Original Message-----\n> From: x\n> Subject: Cheap\n>\n",
}


@pytest.mark.parametrize("program", QUOTES)
def test_inline(program: str) -> None:
    """Only what the mail says is learnt, with less weight; neither Ann's words nor any header."""
    body = "Buy pills at http://pills.example/ now\n"
    quoted = "".join(f"> {line}\n" for line in body.splitlines()) if program == "quoted" else body
    more = "References: <0@x> <1@bad.example>\r\n"
    (found,) = read(forward(QUOTES[program] + quoted, more=more))
    assert (INLINE, 0.3) == (found.how, found.weight)
    assert [key_of_id("<0@x>"), key_of_id("<1@bad.example>")] == found.keys
    plain = f"Subject: Cheap pills\r\n\r\n{body.strip()}".encode()
    wanted = features(Message(plain[: find_border(plain)], plain), SEED)
    said = {int(h) for h, w in zip(wanted.views[1], wanted.words, strict=True) if w[0] in "sbu"}
    got = {int(h) for h in unpack(found.features).views[1]}
    assert said <= got
    assert len(got) - len(said) <= 2, "but for a word of an odd field"


def test_an_id_in_the_text() -> None:
    """A program that quotes all headers quotes the id."""
    text = QUOTES["thunderbird"].replace("From:", f"X-Gatepost-Id: {VALUE}\nFrom:") + "Buy"
    (found,) = read(forward(text))
    assert ["0DQ3N7V5K2F8T.1"] == [stamp.id for stamp in found.stamps]


def test_as_received() -> None:
    """Our lines and those of later servers go; a mail that never passed here keeps its own."""
    assert ORIGINAL == as_received(DELIVERED, HOST)
    assert ORIGINAL == as_received(ORIGINAL, HOST)
    assert LATER + ORIGINAL == as_received(LATER + b"X-Gatepost-Tags: x\r\n" + ORIGINAL, HOST)
    for odd in (b"", b"\r\n", b"no header at all", b"by mx.example.org (Gatepost)"):
        assert isinstance(as_received(odd, HOST), bytes)


def test_through_a_process_of_its_own() -> None:
    """Plain values there and back."""
    raw = forward("See", AS_MESSAGE + DELIVERED)
    border = find_border(raw)
    assert read(raw) == from_worker(in_worker(raw[:border], raw, SEED, HOST, "example.org"))


@pytest.mark.parametrize(
    "raw",
    [
        forward("-" * 200_000 + "x\n" + "- " * 100_000),
        forward(QUOTES["apple"] + "a" * 300_000 + ":" + "> " * 100_000),
        forward("x", subject="Fwd: " * 20_000),
        forward("x", more="References: " + "<" * 100_000 + "\r\n"),
        forward("x", *[AS_MESSAGE] * 2_000),
        b"\r\n\r\n",
    ],
)
def test_hostile(raw: bytes) -> None:
    """Bounded, whatever comes."""
    assert read(raw)
    assert_cheap(1, read, raw)


def test_an_attached_mail_with_parts() -> None:
    """A mail with an attached mail in it, or parts of its own, comes out as it went in."""
    inner = forward("one", b"Content-Type: text/html\r\n\r\n<b>two</b>").replace(b"b1", b"x9").rstrip(b"\r\n")
    (found,) = read(forward("See", AS_MESSAGE + inner))
    assert inner == found.raw.rstrip(b"\r\n")
    assert key_of(Message(found.raw[: find_border(found.raw)], found.raw)) == found.key
