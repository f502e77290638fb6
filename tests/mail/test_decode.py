"""Transfer encodings and character sets: tolerant, bounded, and right where there is a right."""

from __future__ import annotations

import tracemalloc
from base64 import b64decode, b64encode
from quopri import encodestring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.decode import decode_text, decode_transfer
from tests.cost import assert_cheap


@given(st.binary(max_size=2_000))
def test_there_and_back(data: bytes) -> None:
    """What Python's own library encodes comes back."""
    lines = b64encode(data)
    wrapped = b"\r\n".join(lines[n : n + 76] for n in range(0, len(lines), 76))
    assert data == decode_transfer(wrapped, "base64", 10_000)
    text = data.replace(b"\r", b"").replace(b"\n", b"\r\n")
    assert text == decode_transfer(
        encodestring(text, quotetabs=True).replace(b"=0D\r\n", b"\r\n"), "quoted-printable", 10_000
    )


@pytest.mark.parametrize(
    ("raw", "encoding", "wanted"),
    [
        (b"aGVs*bG8=\r\n!!d29ybGQ=", "base64", b"helloworld"),
        (b"aGVsbG8", "base64", b"hello"),
        (b"aGVsbG8gd29ybGQ=trailing", "base64", b"hello world" + b64decode(b"trailing")),
        (b"=", "base64", b""),
        (b"a", "base64", b""),
        (b"a=3Db=\r\nc =zz", "quoted-printable", b"a=bc =zz"),
        (b"begin 644 x\r\n#0V%T\r\n`\r\nend\r\n", "x-uuencode", b"Cat"),
        (b"not so", "x-uuencode", b""),
        (b"as it is", "8bit", b"as it is"),
        (b"as it is", "no-such-thing", b"as it is"),
    ],
)
def test_cases(raw: bytes, encoding: str, wanted: bytes) -> None:
    """What is not of the alphabet is passed over, and padding in the middle ends nothing."""
    assert wanted == decode_transfer(raw, encoding, 1_000)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", ""])
@given(data=st.binary(max_size=500), limit=st.integers(0, 50))
def test_never_more_than_asked_for(encoding: str, data: bytes, limit: int) -> None:
    """At most the limit, whatever came."""
    assert len(decode_transfer(data, encoding, limit)) <= limit


UU = [b"\n", b"`\n", b"x\n", b"begin 644 x\n", b"!AAAAAAAA\n", b"M" + b"A" * 70]


@pytest.mark.parametrize("line", UU, ids=ascii)
def test_uuencode_bombs(line: bytes) -> None:
    """24 MB of lines that give nothing: under a second of CPU and 50 MB (T6.1)."""
    raw = line * (24_000_000 // len(line))
    assert_cheap(1, decode_transfer, raw, "x-uuencode", 100_000_000)
    tracemalloc.start()
    decode_transfer(raw[:2_000_000], "x-uuencode", 100_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    ("data", "charset", "wanted"),
    [
        ("grün".encode(), "utf-8", "grün"),
        ("grün".encode("latin-1"), "iso-8859-1", "grün"),
        ("grün".encode(), "", "grün"),
        ("grün €".encode("cp1252"), "", "grün €"),
        ("привет".encode("koi8-r"), "koi8-r", "привет"),
        ("grün".encode(), "us-ascii", "grün"),
        ("grün".encode(), "no-such", "grün"),
        ("grün".encode()[:3], "utf-8", "gr\ufffd"),
        (b"\xff\xfe bad", "utf-8", "\ufffd\ufffd bad"),
        (b"zip", "zip", "zip"),
    ],
)
def test_character_sets(data: bytes, charset: str, wanted: str) -> None:
    """The declared one, then UTF-8, then a single byte one; what is no character set counts for nothing."""
    assert wanted == decode_text(data, charset)


def test_html_says_its_own() -> None:
    """Where the part says nothing, the page may."""
    page = '<html><meta http-equiv="content-type" content="text/html; charset=koi8-r">привет'
    assert "привет" in decode_text(page.encode("koi8-r"), "", html=True)
