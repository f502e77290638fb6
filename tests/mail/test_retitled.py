"""Another header block, and the rest as it came."""

from __future__ import annotations

import pytest

from gatepost.mail.retitled import Retitled, with_words

TEXT = b"Subject: a\r\n\r\nline\r\nline\r\n"
HEAD = b"Subject: a [x]\r\n\r\n"


@pytest.mark.parametrize("size", [1, 5, 14, 15, 100])
def test_whatever_the_pieces(size: int) -> None:
    """Cut anywhere it is the same, and it is read twice."""
    pieces = [TEXT[start : start + size] for start in range(0, len(TEXT), size)]
    one = Retitled(pieces, 14, HEAD)
    assert [HEAD + TEXT[14:]] * 2 == [b"".join(one) for _ in range(2)]


def test_nothing_behind_it() -> None:
    """A message of its header block alone, and none at all."""
    assert HEAD == b"".join(Retitled([TEXT[:14]], 14, HEAD)) == b"".join(Retitled([], 14, HEAD))


def test_words_behind_the_subject() -> None:
    """The size that is told is the size that goes on."""
    more, one = with_words([TEXT[:9], TEXT[9:]], TEXT[:14], "[x]")
    assert HEAD + TEXT[14:] == b"".join(one)
    assert len(HEAD + TEXT[14:]) == len(TEXT) + more
