"""A PROXY header is read to the letter, at any split; anything else is an error and never SMTP (T9.3)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.smtp.proxy_header import MAX_V2, SIGNATURE, ProxyError, ProxyReader, ProxyResult

FOUR = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + (4000).to_bytes(2, "big") + (25).to_bytes(2, "big")
SIX = bytes.fromhex("20010db8000000000000000000000001" * 2) + b"\x0f\xa0\x00\x19"
MAPPED = bytes.fromhex("00000000000000000000ffffc0000201" * 2) + b"\x0f\xa0\x00\x19"
TLV = b"\x04\x00\x03abc"


def v2(family: int, block: bytes, command: int = 0x21, length: int | None = None) -> bytes:
    """Return a version 2 header."""
    return (
        SIGNATURE
        + bytes([command, family])
        + (len(block) if length is None else length).to_bytes(2, "big")
        + block
    )


GOOD = [
    (b"PROXY TCP4 192.0.2.1 198.51.100.2 4000 25\r\n", ("192.0.2.1", 4000, "198.51.100.2:25")),
    (b"PROXY TCP6 2001:db8::1 2001:db8::2 4000 25\r\n", ("2001:db8::1", 4000, "[2001:db8::2]:25")),
    (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 4000 25\r\n", ("192.0.2.1", 4000, "192.0.2.2:25")),
    (b"PROXY UNKNOWN\r\n", ("", 0, "")),
    (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", ("", 0, "")),
    (v2(0x11, FOUR), ("192.0.2.1", 4000, "198.51.100.2:25")),
    (v2(0x11, FOUR + TLV + b"\x01\x00\x00"), ("192.0.2.1", 4000, "198.51.100.2:25")),
    (v2(0x21, SIX), ("2001:db8::1", 4000, "[2001:db8::1]:25")),
    (v2(0x21, MAPPED), ("192.0.2.1", 4000, "192.0.2.1:25")),
    (v2(0x31, b"/run/a".ljust(108, b"\0") * 2), ("", 0, "")),
    (v2(0x00, b""), ("", 0, "")),
    (v2(0x00, b"", command=0x20), ("", 0, "")),
    (v2(0x11, FOUR, command=0x20), ("", 0, "")),
    (v2(0xFF, b"whatever", command=0x20), ("", 0, "")),
]


@pytest.mark.parametrize(("wire", "expected"), GOOD)
def test_good(wire: bytes, expected: tuple[str, int, str]) -> None:
    """Each header in one piece, at every cut, byte by byte; what follows is handed back."""
    result = ProxyResult(*expected, b"EHLO a\r\n")
    for cut in range(len(wire)):
        reader = ProxyReader()
        if cut:
            assert reader.feed(wire[:cut]) is None, cut
        assert reader.feed(wire[cut:] + b"EHLO a\r\n") == result
    single = ProxyReader()
    for octet in wire[:-1]:
        assert single.feed(bytes([octet])) is None
    assert single.feed(wire[-1:]) == ProxyResult(*expected, b"")


BAD = [
    b"EHLO a\r\n",
    b"\r\nEHLO a\r\n",
    b"\0",
    b"PROXX",
    b"proxy TCP4 192.0.2.1 198.51.100.2 4000 25\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 4000 25\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 4000\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 4000 65536\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 04000 25\r\n",
    b"PROXY TCP4 192.0.2.1  198.51.100.2 4000 25\r\n",
    b"PROXY TCP4 192.0.2.256 198.51.100.2 4000 25\r\n",
    b"PROXY TCP4 2001:db8::1 2001:db8::2 4000 25\r\n",
    b"PROXY TCP6 192.0.2.1 192.0.2.2 4000 25\r\n",
    b"PROXY UDP4 192.0.2.1 198.51.100.2 4000 25\r\n",
    b"PROXY UNKNOWN\0\r\n",
    b"PROXY " + b"a" * 101,
    b"PROXY UNKNOWN " + b"a" * 92 + b"\r\n",
    SIGNATURE[:11] + b"X",
    v2(0x11, FOUR, command=0x11),
    v2(0x11, FOUR, command=0x22),
    v2(0x12, FOUR),
    v2(0x41, FOUR),
    v2(0x01, b""),
    v2(0x10, FOUR),
    v2(0x11, FOUR[:11]),
    v2(0x21, SIX[:35]),
    v2(0x31, b"a" * 215),
    v2(0x11, FOUR + b"\x04"),
    v2(0x11, FOUR + b"\x04\x00\x05abc"),
    v2(0x11, FOUR + TLV + b"\x04\x00"),
    v2(0x11, b"", length=MAX_V2 + 1),
]


@pytest.mark.parametrize("wire", BAD)
def test_bad(wire: bytes) -> None:
    """Each is refused, whole and byte by byte, and gives no result on the way."""
    with pytest.raises(ProxyError):
        ProxyReader().feed(wire)
    single = ProxyReader()
    with pytest.raises(ProxyError):
        for octet in wire:
            assert single.feed(bytes([octet])) is None


def test_the_longest_version_1_line() -> None:
    """107 octets are let pass (2.1); the bound is exact."""
    line = b"PROXY UNKNOWN " + b"a" * 91 + b"\r\n"
    assert len(line) == 107
    assert ProxyReader().feed(line) is not None


@given(st.binary(max_size=80))
def test_only_our_own_error_comes_out(raw: bytes) -> None:
    """Any bytes wait, give a result or a ProxyError."""
    for wire in (raw, b"PROXY TCP4 " + raw, SIGNATURE + raw, v2(0x11, raw), v2(0x21, raw)):
        try:
            ProxyReader().feed(wire)
        except ProxyError:
            pass


def test_one_wrong_byte() -> None:
    """A good header with one byte changed never crashes the reader."""
    dice = random.Random(3)
    for wire, _ in GOOD:
        for place in range(len(wire)):
            changed = wire[:place] + bytes([dice.randrange(256)]) + wire[place + 1 :]
            try:
                ProxyReader().feed(changed)
            except ProxyError:
                pass
