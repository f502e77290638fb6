"""The words of a message: what they are, and how many at most."""

from __future__ import annotations

import pytest

from gatepost.learn.words import MAX_WORDS, group_of, shape, words
from gatepost.mail.structure import read_structure
from tests.cost import assert_cheap
from tests.learn.mails import message

MORE = (
    "Received: from mail.example.net (host7.isp.example [192.0.2.7]) by mx with ESMTP; x\r\n"
    "Message-ID: <20261125.AB12@client.example>\r\n"
    "X-Mailer: The Bat! 1.2\r\nDKIM-Signature: v=1; b=abcdef\r\n"
)


def said(text: str, **more: str) -> set[str]:
    one = message(text, **more)
    return set(words(one, read_structure(one)))


def test_headers_and_people() -> None:
    """Names, addresses, domains, networks and shapes, each with where it stood."""
    found = said("x", more=MORE, author="=?utf-8?Q?J=C3=BCrgen?= <j.meier7@mail.shop.example>")
    wanted = {"h:x-mailer", "h:x-mailer:bat", "a:from:jürgen", "a:from:j.meier7@mail.shop.example",
              "a:from@shop.example", "a:from@example", "a:from~a.a0", "r:192.0", "r:192.0.2", "r:192.0.2.7",
              "r:isp.example", "r:hops1",
              "h:message-id~<0.A0@a.a>", "h:message-id@client.example", "h:dkim-signature"}  # fmt: skip
    assert set() == wanted - found
    assert not [word for word in found if "abcdef" in word], "a signature's text is different in each mail"


def test_subject_text_and_links() -> None:
    """Decoded, split, with the case where it tells something."""
    found = said(
        "Buy at http://www.pills.example:8080/now?id=77 or 日本語", subject="=?utf-8?B?RlJFRSDigqw=?= money"
    )
    wanted = {"s:FREE", "s:free", "s:€", "s!wide", "b:buy", "u:http", "u:pills.example", "u!port", "u/now",
              "u?a=0", "b:日本", "b:本語"}  # fmt: skip
    assert set() == wanted - found


def test_html_and_structure() -> None:
    """Tags and colours are words, too, and what is odd about the structure."""
    page = '<p style="color:#ffffff">hidden</p><a href="http://1.2.3.4/">x</a>'
    found = said(page, more="Content-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: rot13\r\n")
    wanted = {
        "m:text/html",
        "m:text/html=koi8-r",
        "m!unknown encoding",
        "m:<p",
        "m:<p color:#ffffff",
        "u!numeric",
        "b:hidden",
    }
    assert set() == wanted - found


@pytest.mark.parametrize(
    ("text", "wanted"), [("AbC12.x-9", "AaA0.a-0"), ("", ""), ("x" * 99, "a"), ("a1" * 50, "a0" * 20)]
)
def test_shape(text: str, wanted: str) -> None:
    """How an id is built, not what it is."""
    assert wanted == shape(text)


def test_groups() -> None:
    """Each word belongs to a part of the message that has a name."""
    named = {"h:date": "headers", "a:from": "sender", "r:1.2": "path", "s:x": "subject", "b:x": "text",
             "u:x": "links", "m:x": "structure", "h~Fro,To": "headers"}  # fmt: skip
    assert named == {word: group_of(word) for word in named}


@pytest.mark.parametrize(
    "text", ["word%d " * 60_000, "<a%d " * 50_000, "http://h.example/ " * 30_000, "日" * 100_000]
)
def test_bounded(text: str) -> None:
    """However long the message: bounded words in bounded time."""
    text = text % tuple(range(text.count("%d")))
    assert len(said(text)) <= MAX_WORDS
    assert_cheap(0.5, said, text)
