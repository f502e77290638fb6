"""Canonical forms are those of RFC 6376, the same for any split of the body, in linear time."""

import hashlib

import pytest
from dkim.canonicalization import CanonicalizationPolicy
from hypothesis import given
from hypothesis import strategies as st

from gatepost.auth.canon import BodyHash, body_digest, header, relaxed_header, single_blanks
from tests.cost import assert_linear

BODIES = [
    b"", b"\r\n", b"\r\n\r\n", b"a", b"a\r\n", b"a\r\n\r\n\r\n", b" \r\n", b"\t \r\n\r\n", b"a \t b\t\r\n",
    b" C \r\nD \t E\r\n\r\n\r\n", b"a\r\n \r\n", b"\r\n\r\na\r\n", b"a\r\r\n", b"a\n", b"\ra", b"x" * 70_000,
    b" " * 70_000 + b"\r\n", b"\r\n" * 40_000, b"\r\n" * 40_000 + b"x\r\n", b"a\r\n" + b"\r\n" * 40_000,
]  # fmt: skip


def theirs(body: bytes, relaxed: bool) -> bytes:
    """Return the digest that dkimpy makes."""
    form = b"simple/relaxed" if relaxed else b"simple/simple"
    return hashlib.sha256(CanonicalizationPolicy.from_c_value(form).canonicalize_body(body)).digest()


def ours(pieces: list[bytes], relaxed: bool) -> bytes:
    """Return the digest of a body that comes in pieces."""
    hasher = BodyHash(relaxed)
    for piece in pieces:
        hasher.feed(piece)
    return hasher.done()


@pytest.mark.parametrize("relaxed", [False, True])
@pytest.mark.parametrize("body", [b for b in BODIES if len(b) < 100 or b"  " not in b])
def test_as_dkimpy(body: bytes, relaxed: bool) -> None:
    """Each body has the digest that dkimpy gives it."""
    if relaxed and body.endswith((b" ", b"\t", b"\r")):
        return
    assert theirs(body, relaxed) == ours([body], relaxed)


def test_samples_of_the_rfc() -> None:
    """RFC 6376, 3.4.5."""
    assert hashlib.sha256(b" C\r\nD E\r\n").digest() == ours([b" C \r\nD \t E\r\n\r\n\r\n"], True)
    assert hashlib.sha256(b" C \r\nD \t E\r\n").digest() == ours([b" C \r\nD \t E\r\n\r\n\r\n"], False)
    assert b"a:X\r\n" == relaxed_header(b"A", b" X\r\n")
    assert b"b:Y Z\r\n" == header(b"B : Y\t\r\n\tZ  \r\n", relaxed=True)
    assert b"B : Y\t\r\n\tZ  \r\n" == header(b"B : Y\t\r\n\tZ  \r\n", relaxed=False)


@pytest.mark.parametrize("relaxed", [False, True])
@pytest.mark.parametrize("body", [b for b in BODIES if len(b) < 100])
def test_any_split(body: bytes, relaxed: bool) -> None:
    """Cut in two or three at any place, a body has one digest and one size."""
    whole = ours([body], relaxed)
    for i in range(len(body) + 1):
        for j in range(i, len(body) + 1):
            assert whole == ours([body[:i], body[i:j], body[j:]], relaxed), (i, j)


@given(
    st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b".", b"\r", b"\n"]), max_size=40), st.booleans()
)
def test_octet_by_octet(parts: list[bytes], relaxed: bool) -> None:
    """An octet at a time is the same as all at once."""
    body = b"".join(parts)
    assert ours([body], relaxed) == ours([body[n : n + 1] for n in range(len(body))], relaxed)


@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"b "]), max_size=40), st.booleans())
def test_random_as_dkimpy(parts: list[bytes], relaxed: bool) -> None:
    """Random bodies that end in a line end agree with dkimpy."""
    body = b"".join(parts) + b"z\r\n"
    assert theirs(body, relaxed) == ours([body], relaxed)


@pytest.mark.parametrize("what", [b" ", b"\t", b"\r\n", b" \r\n", b"\t \t", b"a ", b"\r", b" \r"])
def test_twice_the_octets_twice_the_time(what: bytes) -> None:
    """Nothing makes the hashing of a body quadratic."""
    assert_linear(
        lambda size: what * (size // len(what)), lambda body: body_digest(body, 0, True), 500_000, times=8
    )


def test_start_and_size() -> None:
    """The body begins where the head ends; its canonical size is what l= counts."""
    digest, size = body_digest(b"A: b\r\n\r\nHi  you \r\n\r\n", 8, True)
    assert (hashlib.sha256(b"Hi you\r\n").digest(), 8) == (digest, size)
    assert b"a b c" == single_blanks(b"a  b \t\t  c")
