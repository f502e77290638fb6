"""Text and links of a message, as its reader sees them."""

from __future__ import annotations

import pytest

from gatepost.mail.message import Message, find_border
from gatepost.mail.structure import Structure, read_structure
from gatepost.mail.text import MAX_LINKS, MAX_TEXT, links, strip_html, texts
from tests.cost import assert_cheap


def page(html: str, kind: str = "text/html") -> Structure:
    raw = f"Content-Type: {kind}; charset=utf-8\r\n\r\n{html}".encode()
    return read_structure(Message(raw[: find_border(raw)], raw))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello <b>Bob</b></p>", "\nHello Bob\n"),
        ("fr&eacute;e &#86;iagra &lt;x&gt;", "frée Viagra <x>"),
        ("via<b></b>gra via<!-- x -->gra", "viagra via gra"),
        ("<script>var x = '<p>';</script>seen<style>p { }</style>", " seen "),
        ("<title>never shown</title>seen", " seen"),
        ("a < b and c > d", "a < b and c > d"),
        ("<script>never closed", " "),
        ("x<br/>y", "x\ny"),
    ],
)
def test_html(html: str, text: str) -> None:
    """Tags are gone, entities undone, and what is never shown is left out."""
    assert text == strip_html(html)


def test_links() -> None:
    """From attributes and from text, each once, as they are written."""
    html = """<a href="http://paypal.com@evil.example/x">x</a> <img src='cid:1'> <a href=HTTP://A.example/b?c=1&amp;d=2>
        see https://b.example/path. And www.c.example/d, <a href="mailto:me@d.example">d</a>"""
    wanted = [
        "http://paypal.com@evil.example/x",
        "cid:1",
        "HTTP://A.example/b?c=1&d=2",
        "mailto:me@d.example",
    ]
    assert [*wanted, "https://b.example/path", "http://www.c.example/d"] == links(page(html))
    assert ["http://a.example/x"] == links(page("go to (http://a.example/x) now", "text/plain"))


def test_bounds() -> None:
    """No more text and no more links than there is room for."""
    assert MAX_LINKS == len(links(page(" ".join(f"http://h{n}.example/" for n in range(2 * MAX_LINKS)))))
    (only,) = texts(page("x" * (MAX_TEXT + 10), "text/plain"))
    assert MAX_TEXT == len(only[1])


@pytest.mark.parametrize(
    "html",
    ["<" * 200_000, "<a " * 80_000, "<script" * 30_000, "<!--" * 60_000, "href=" * 50_000,
     '<a href="' * 30_000, "&" * 250_000,
     "www." * 60_000, "http://" * 30_000, "<div>" * 50_000, "&#1" * 80_000],
    ids=lambda html: ascii(html[:8]),
)  # fmt: skip
def test_bombs(html: str) -> None:
    """Twice the bytes take at most twice the time: no pattern looks at a byte again and again."""
    assert_cheap(0.5, strip_html, html)
    assert_cheap(0.5, lambda: links(page(html)))
