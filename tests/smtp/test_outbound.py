"""What goes to a back end holds no bare CR, bare LF or NUL and ends exactly once (T1.3)."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.smtp.data import DataReader, stuff_pieces, unstuff
from gatepost.smtp.errors import OutboundError
from gatepost.smtp.outbound import outbound
from tests.cost import assert_cheap

BYTES = st.lists(
    st.sampled_from([b"\r\n", b"\r\n", b".", b"a", b"\r\n.\r\n", b"\r", b"\n", b"\0", b""]), max_size=20
)


def clean(text: bytes) -> bool:
    """Say whether a message may go out."""
    rest = text.replace(b"\r\n", b"")
    return b"\r" not in rest and b"\n" not in rest and b"\0" not in text


def sent(pieces: list[bytes], *, stuffed: bool) -> tuple[bytes, bool]:
    """Return what went out, and whether it is whole."""
    out = b""
    try:
        for piece in outbound(pieces, stuffed=stuffed):
            out += piece
    except OutboundError:
        return out, False
    return out, True


@given(BYTES)
def test_plain_text(pieces: list[bytes]) -> None:
    """Any bytes: what is clean arrives as it is, what is not is refused before it goes out."""
    text = b"".join(pieces)
    out, whole = sent(pieces, stuffed=False)
    assert whole == clean(text)
    assert clean(out) or (out.endswith(b"\r") and clean(out[:-1]))
    if whole:
        reader = DataReader(10_000)
        message = reader.feed(out)
        assert reader.done
        assert reader.rest == b""
        assert unstuff([message]) == (text if text.endswith(b"\r\n") or not text else text + b"\r\n")
    else:
        assert b"\r\n.\r\n" not in b"\r\n" + out


@given(BYTES)
def test_stuffed_text(pieces: list[bytes]) -> None:
    """Bytes with dots doubled go as they are; an end inside is refused, at any border of pieces."""
    text = b"".join(pieces)
    out, whole = sent(pieces, stuffed=True)
    ended = text if text.endswith(b"\r\n") or not text else text + b"\r\n"
    assert whole == (clean(text) and b"\r\n.\r\n" not in b"\r\n" + ended)
    assert (b"\r\n" + out).count(b"\r\n.\r\n") == int(whole)
    if whole:
        assert out == ended + b".\r\n"


@given(BYTES)
def test_what_our_reader_let_pass_goes_out(pieces: list[bytes]) -> None:
    """A clean message of DATA, with a header on top, is never refused on its way on."""
    text = b"".join(pieces)
    if clean(text):
        out, whole = sent([b"Received: x\r\n", *stuff_pieces(pieces)], stuffed=True)
        assert whole
        assert out.startswith(b"Received: x\r\n")


@pytest.mark.parametrize(
    ("text", "stuffed", "out"),
    [
        (b"", False, b".\r\n"),
        (b"", True, b".\r\n"),
        (b"a", False, b"a\r\n.\r\n"),
        (b".", False, b"..\r\n.\r\n"),
        (b".\r\n", False, b"..\r\n.\r\n"),
        (b"a\r\n.b\r\n", False, b"a\r\n..b\r\n.\r\n"),
        (b"a\r\n..b\r\n", True, b"a\r\n..b\r\n.\r\n"),
        (b"\r\n", True, b"\r\n.\r\n"),
    ],
)
def test_table(text: bytes, stuffed: bool, out: bytes) -> None:
    """Examples, in every cut."""
    for cut in range(len(text) + 1):
        assert sent([text[:cut], text[cut:]], stuffed=stuffed) == (out, True)


@pytest.mark.parametrize("ends", list(itertools.product([b"\r", b"\n", b"\r\r\n", b"\n\r", b"\0"], repeat=2)))
def test_smuggling_forms_never_leave(ends: tuple[bytes, bytes]) -> None:
    """Each of the forms of T1.1 is refused, stuffed or not."""
    text = b"a" + ends[0] + b"." + ends[1] + b"MAIL FROM:<b@x>\r\n"
    for stuffed in (True, False):
        for cut in range(len(text)):
            assert not sent([text[:cut], text[cut:]], stuffed=stuffed)[1]


@pytest.mark.parametrize("unit", [b"\r\n", b".\r\n", b"a"])
def test_linear(unit: bytes) -> None:
    """Two megabytes of the worst take a moment."""
    pieces = [unit * (100_000 // len(unit))] * 20
    assert_cheap(1, lambda: sent(pieces, stuffed=False))
