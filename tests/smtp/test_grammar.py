"""xtext there and back, parameters one by one, and what may stand in a command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.smtp.errors import CommandError
from gatepost.smtp.grammar import from_xtext, is_clean, is_xtext, parameters, to_xtext


@given(st.text())
def test_xtext_round_trip(text: str) -> None:
    """Any text becomes printable ASCII without `=`, and comes back (lone surrogates as `?`)."""
    coded = to_xtext(text)
    assert coded.isascii()
    assert is_xtext(coded)
    assert "=" not in coded
    assert from_xtext(coded) == text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("text", ["+", "+0", "+0a", "a=b", "a b", "é", "+FF", "\n"])
def test_no_xtext(text: str) -> None:
    """RFC 3461 section 4: capitals, two digits, no bare plus or equals; and no broken UTF-8."""
    assert from_xtext(text) is None


def test_parameters() -> None:
    """Keywords in capitals, values as they are."""
    assert parameters(b" SIZE=10 smtputf8  X-a=b:c ") == {"SIZE": "10", "SMTPUTF8": None, "X-A": "b:c"}
    assert parameters(b"") == {}


@pytest.mark.parametrize(
    "rest", [b"SIZE=1", b" A=1=2", b" =", b" -A", b" A A", b" a=\xff", b" A=" + b" ", b" X!"]
)
def test_bad_parameters(rest: bytes) -> None:
    """Not behind a space, no keyword, twice, 8-bit."""
    with pytest.raises(CommandError):
        parameters(rest)


@pytest.mark.parametrize(
    ("line", "ascii_only", "with_utf8"),
    [
        (b"abc ~", True, True),
        (b"a\tb", False, False),
        (b"a\0b", False, False),
        (b"a\x7fb", False, False),
        (b"a\rb", False, False),
        ("é".encode(), False, True),
        ("é\t".encode(), False, False),
        (b"", True, True),
    ],
)
def test_clean(line: bytes, ascii_only: bool, with_utf8: bool) -> None:
    """Printable ASCII, or UTF-8 too where it is asked for."""
    assert is_clean(line) is ascii_only
    assert is_clean(line, utf8=True) is with_utf8
