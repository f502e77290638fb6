"""The author is who every mail program shows, or nobody (see also test_fooling)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.auth.author import MAX_AUTHORS, MAX_FROM, authors
from gatepost.mail.message import Message
from tests.cost import assert_cheap

GOOD = {
    "ann@example.net": ("example.net",),
    "<ann@example.net>": ("example.net",),
    "Ann <ann@Example.NET>": ("example.net",),
    "Ann B. Smith <ann@example.net>": ("example.net",),
    '"Smith, Ann" <ann@example.net>': ("example.net",),
    '"ann@other.example" <ann@example.net>': ("example.net",),
    "=?utf-8?q?Ann_=40other?= <ann@example.net>": ("example.net",),
    "Änne <ann@example.net>": ("example.net",),
    "Ann\u00a0B <ann@example.net>": ("example.net",),
    "ann@example.net (Ann)": ("example.net",),
    "(Ann) ann@example.net": ("example.net",),
    "Ann (at home (really)) <ann@example.net> (x)": ("example.net",),
    "ann@example.net <ann@example.net>": ("example.net",),
    "a@one.example, Bob <b@two.example>": ("one.example", "two.example"),
    "a@one.example, b@one.example": ("one.example",),
    '"ann smith"@example.net': None,
    '"ann.smith"@example.net': ("example.net",),
    "ann@bücher.example": ("xn--bcher-kva.example",),
    "<ann@xn--bcher-kva.example>": ("xn--bcher-kva.example",),
}
ODD = {
    "friends:ann@example.net;": "group",
    "undisclosed-recipients:;": "group",
    "<@route.example:ann@example.net>": "angle brackets",
    "<ann@example.net><bob@other.example>": "behind an address",
    "bob@other.example <ann@example.net>": "another address",
    "ann@example.net bob@other.example": "behind an address",
    "Ann < ann@example.net >": "angle brackets",
    "=?utf-8?q?ann?=@example.net": "encoded word",
    '"a@b"@example.net': "hides",
    '"a\\"b"@example.net': "hides",
    "ann@[192.0.2.1]": "without a domain",
    "ann@example.net (bob@other.example)": "comment",
    "(open ann@example.net": "comment",
    "ann@exam ple.net": "behind an address",
    "ann@example.net,": "no address",
    ",ann@example.net": "no address",
    "ann@-example.net": "bad domain",
    "ann\u202e@example.net": "unprintable",
    "ann": "no address",
    "ann@": "no address",
    "@example.net": "no address",
    "a@b.example, " * (MAX_AUTHORS + 1) + "a@b.example": "too many",
    "x" * MAX_FROM + "@example.net": "too long",
    '"a \x7f" <ann@example.net>': "control",
}


def message(*lines: str) -> Message:
    """Return a message with these From headers."""
    return Message("".join(f"From: {line}\r\n" for line in lines).encode() + b"To: b@c.example\r\n\r\n")


@pytest.mark.parametrize(("line", "domains"), GOOD.items())
def test_good(line: str, domains: tuple[str, ...] | None) -> None:
    """The domains of all authors, each once, in lower case and A-labels."""
    found = authors(message(line))
    if domains is None:
        assert found.ambiguous  # a quoted blank: programs end the address there
        return
    assert (domains, "", "") == (found.domains, found.ambiguous, found.problem)


@pytest.mark.parametrize(("line", "why"), ODD.items())
def test_odd(line: str, why: str) -> None:
    """What readers read differently is ambiguous and says why."""
    found = authors(message(line))
    assert why in found.ambiguous, found


def test_none() -> None:
    """No From, and a From without an address, have no author."""
    assert ((), "", "there is no From") == _plain(message())
    assert ((), "", "no address in From") == _plain(message(""))


def _plain(one: Message) -> tuple[tuple[str, ...], str, str]:
    found = authors(one)
    return found.domains, found.ambiguous, found.problem


def test_two_headers() -> None:
    """Two From headers are ambiguous, even in agreement, and both authors are judged."""
    found = authors(message("a@one.example", "b@two.example"))
    assert (("one.example", "two.example"), "2 From headers") == (found.domains, found.ambiguous)


def test_odd_ones_are_judged_too() -> None:
    """Each domain that stands in an ambiguous From is judged, so that the worst counts."""
    found = authors(message("x@evil.example <ann@victim.example>"))
    assert {"evil.example", "victim.example"} == set(found.domains)


@given(st.text(alphabet='ab.@<>()",:;\\ =?\r\n\t', max_size=60))
def test_no_exception(text: str) -> None:
    """Whatever stands in From, there is an answer."""
    authors(message(text))


@pytest.mark.parametrize("what", ["(", '"', "\\", "a ", "a@", "<", ",", " ", "a@b,", '"a"', "(a)", "=?"])
def test_linear(what: str) -> None:
    """The longest From of anything takes no time to speak of."""
    assert_cheap(0.3, lambda: authors(message(what * (MAX_FROM // len(what)))))
