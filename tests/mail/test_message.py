"""The header block is read as it stands, within bounds, in linear time; what is unclear is marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.message import MAX_HEAD, MAX_LINES, Message, decode_words, find_border
from tests.cost import assert_cheap

PLAIN = (
    b"Subject: hello\r\nFrom: Ann <ann@example.org>,\r\n\tBob <bob@example.org>\r\nX-A:\r\nX-A: two\r\n\r\n"
)


def test_fields() -> None:
    """Names as written, values unfolded, raw bytes complete."""
    message = Message(PLAIN)
    assert [h.name for h in message.headers] == ["Subject", "From", "X-A", "X-A"]
    assert message.get("from") == "Ann <ann@example.org>, Bob <bob@example.org>"
    assert message.all("x-a") == ["", "two"]
    assert message.get("X-None") is None
    assert message.all("X-None") == []
    assert message.subject == "hello"
    assert b"".join(h.raw for h in message.headers) + b"\r\n" == PLAIN
    assert not message.ambiguous
    assert not message.over_budget
    assert message.body is None


@pytest.mark.parametrize(
    "head",
    [
        b"Subject: a\r\n",
        b"Subject: a",
        b"",
        b"Subject: a\nTo: b\r\n\r\n",
        b"Subject: a\rTo: b\r\n\r\n",
        b"Subject: a\0\r\n\r\n",
        b"Subject : a\r\n\r\n",
        b" folded\r\nSubject: a\r\n\r\n",
        b"Subject: a\r\n \r\nTo: b\r\n\r\n",
        b"Subject: a\r\nno field\r\n\r\n",
        b"Subject\r\n\r\n",
        b": a\r\n\r\n",
        b"S\xc3\xbcbject: a\r\n\r\n",
    ],
)
def test_ambiguous(head: bytes) -> None:
    """Each of these is read differently by different readers (T1.5)."""
    assert Message(head).ambiguous


def test_a_message_without_header_is_clear() -> None:
    """An empty line at once is a border like any other."""
    message = Message(b"\r\n")
    assert not message.ambiguous
    assert message.headers == []


@pytest.mark.parametrize(
    ("buffer", "border"),
    [(b"a: b\r\n\r\nbody", 8), (b"\r\nbody", 2), (b"a: b\r\n", -1), (b"", -1), (b"a: b\n\nbody", -1)],
)
def test_border(buffer: bytes, border: int) -> None:
    """Only CRLF CRLF is the border."""
    assert border == find_border(buffer)


@given(st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b"a", b":", b" ", b"A: b\r\n"]), max_size=30))
def test_a_clear_head_is_read_whole(parts: list[bytes]) -> None:
    """What is not ambiguous comes back byte for byte; nothing but that comes out of any bytes."""
    head = b"".join(parts)
    message = Message(head)
    if not message.ambiguous:
        border = find_border(head)
        assert b"".join(h.raw for h in message.headers) + b"\r\n" == head[:border]


def test_budget_of_lines() -> None:
    """The limit is let pass, one more line is over budget (T6.2)."""
    at = Message(b"A: b\r\n" * (MAX_LINES - 1) + b"\r\n")
    assert not at.over_budget
    assert len(at.headers) == MAX_LINES - 1
    over = Message(b"A: b\r\n" * (MAX_LINES + 1) + b"\r\n")
    assert over.over_budget
    assert len(over.headers) <= MAX_LINES


def test_budget_of_octets() -> None:
    """The same for the size of the block."""
    line = b"A: " + b"b" * (MAX_HEAD - 7) + b"\r\n\r\n"
    assert len(line) == MAX_HEAD
    assert not Message(line).over_budget
    assert not Message(line).ambiguous
    assert Message(b"b" + line).over_budget


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?B?SGVsbG8=?=", "Hello"),
        ("=?UTF-8?q?J=C3=B6rg_Lee?= said", "Jörg Lee said"),
        ("=?iso-8859-1?q?J=F6rg?= =?iso-8859-1?q?_x?=", "Jörg x"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "ö"),
        ("a =?utf-8?q?b?= c", "a b c"),
        ("=?utf-8?q?a?=  =?iso-8859-1?q?b?=", "ab"),
        ("=?utf-8*en?q?a?=", "a"),
        ("=?x-unknown?q?a?=", "=?x-unknown?q?a?="),
        ("=?zlib?q?a?=", "=?zlib?q?a?="),
        ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
        ("=?utf-8?q?a=0D=0AB:?=", "a  B:"),
        ("=?utf-8?q?=E2=80=AEx?=", " x"),
        ("a\tb", "a b"),
        ("=?utf-8?q?=FF?=", "\ufffd"),
        ("=?windows-1252?Q?=80?=", "€"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
    ],
)
def test_encoded_words(raw: str, text: str) -> None:
    """RFC 2047, with the neighbours that real software cuts apart; one printable line comes out."""
    assert text == decode_words(raw)


@given(st.text(st.sampled_from("=?utf-8BqQ?_ a\n")))
def test_decoding_anything(raw: str) -> None:
    """Any text gives a printable line."""
    assert decode_words(raw).isprintable()


@pytest.mark.parametrize("unit", ["=?utf-8?q?a?= ", "=?utf-8?b?YQ==?=", "=?", "=?a?q?", "=?utf-8?q?", "a "])
def test_a_bomb_of_words_is_cut(unit: str) -> None:
    """1.4 MB of encoded words took the library 44 s; here the bound holds, and time is linear (T6.1)."""
    many, some = unit * 100_000, unit * 20_000
    assert len(decode_words(many)) <= 2000
    assert_cheap(0.1, decode_words, many)
    assert_cheap(1, decode_words, some, 10_000_000)


@pytest.mark.parametrize("unit", [b"A: b\r\n", b"\n", b"\r", b" a\r\n", b"a", b"a ", b":", b"\r\n "])
def test_a_bomb_of_headers_is_cut(unit: bytes) -> None:
    """Megabytes of header are read in milliseconds: what is past the budget is not looked at."""
    head = b"To: a\r\n" + unit * (5_000_000 // len(unit))
    assert_cheap(0.2, lambda: Message(head).get("To"))
    assert Message(head).over_budget
