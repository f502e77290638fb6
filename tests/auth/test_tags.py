"""A tag list is read in one way, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.auth.tags import MAX_LIST, TagProblem, base64_value, read_tags, unfolded, without_b

GOOD = {
    "v=1; a=rsa-sha256": {"v": "1", "a": "rsa-sha256"},
    " v = 1 ;\r\n\ta = x ; ": {"v": "1", "a": "x"},
    "p=": {"p": ""},
    "h=a :\r\n b": {"h": "a :\r\n b"},
    "b=a=b=": {"b": "a=b="},
    "d=bücher.example": {"d": "bücher.example"},
}
BAD = [
    "",
    ";",
    "v",
    "v=1;;a=b",
    "v=1; v=1",
    "1=2",
    "=x",
    "v=1\0",
    "v=1; \x1b=x",
    "a-b=c",
    "x" * (MAX_LIST + 1),
]


@pytest.mark.parametrize(("text", "tags"), GOOD.items())
def test_good(text: str, tags: dict[str, str]) -> None:
    """Names and values, white space around them taken off."""
    assert tags == read_tags(text) == read_tags(text.encode())


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    """What might be read in two ways is unreadable."""
    with pytest.raises(TagProblem):
        read_tags(text)


def test_not_utf8() -> None:
    """Octets that are no text are no tags."""
    with pytest.raises(TagProblem):
        read_tags(b"v=\xff")


@given(st.binary(max_size=200))
def test_only_our_errors(raw: bytes) -> None:
    """Whatever comes, it is read or it is a TagProblem."""
    try:
        read_tags(raw)
    except TagProblem:
        pass


def test_base64() -> None:
    """White space in base64 is nothing; anything else that is no base64 is a problem."""
    assert b"abc" == base64_value("YW\r\n Jj")
    for bad in ("", "YWJ", "YW-j", "YWJj=", "===="):
        with pytest.raises(TagProblem):
            base64_value(bad)
    assert "a:b" == unfolded("a :\r\n\tb")


def test_without_b() -> None:
    """Only the value of b= goes, with the white space around it; bh= stays."""
    assert b" v=1; bh=x; b=; d=e\r\n" == without_b(
        b" v=1; bh=x; b= A\r\n B ; d=e\r\n".replace(b" ; d", b"; d")
    )
    assert b" v=1;\r\n\tb =" == without_b(b" v=1;\r\n\tb = AAA=\r\n")
    assert b"b=;bb=c" == without_b(b"b=x;bb=c")
