"""A kept mail is shown so that nothing in it runs, loads or leads anywhere, and never without end."""

from __future__ import annotations

import re

import pytest

from gatepost.desk import preview
from gatepost.desk.preview import MAX_RAW, cleaned, read

MIXED = b"""From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>\r
Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r
X-Long: 1\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=iso-8859-1\r
\r
Gr\xfc\xdfe\r
--b\r
Content-Type: text/html\r
\r
<p onclick=x()>Hello <a href="http://evil.example/">there</a></p><script>a()</script>\r
<img src=//evil.example/x>\r
--b\r
Content-Type: application/pdf; name="=?utf-8?q?Angeb=C3=B6t.pdf?="\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0xLjQK\r
--b\r
Content-Type: text/plain\r
Content-Disposition: attachment; filename="notes.txt"\r
\r
secret\r
--b--\r
"""


def test_parts() -> None:
    """Headers decoded, text as text, HTML cleaned, attachments by name, type and size, links as a list."""
    found = preview.preview(MIXED)
    assert [("From", "Jürgen <j@x.example>"), ("Subject", "Grüße")] == found.first
    assert ("X-Long", "1") in found.headers
    assert "Grüße" == found.text.strip()
    assert found.html.endswith("<p>Hello <a>there</a></p>\r\n") or "<p>Hello <a>there</a></p>" in found.html
    assert not re.search(r"script|evil|onclick|img", found.html.partition("</title>")[2])
    assert [("Angeböt.pdf", "application/pdf", 9), ("notes.txt", "text/plain")] == [
        (found.attachments[0].name, found.attachments[0].type, found.attachments[0].size),
        (found.attachments[1].name, found.attachments[1].type),
    ]
    assert "http://evil.example/" in found.links
    assert "JVBERi0xLjQK" in found.source
    assert not found.cut


@pytest.mark.parametrize(
    "html",
    [
        "<script>evil()</script>",
        "<img src=//evil.example>",
        "<a href='javascript:evil()'>x</a>",
        "<form action=//evil.example><input name=a></form>",
        "<base href=//evil.example>",
        "<meta http-equiv=refresh content='0;url=//evil.example'>",
        "<style>@import url(//evil.example)</style>",
        "<p style='background:url(//evil.example)'>x",
        "<svg><script href=//evil.example></script></svg>",
        "<iframe src=//evil.example></iframe>",
        "<object data=//evil.example></object><embed src=//evil.example>",
        "<video src=//evil.example><audio src=//evil.example>",
        "<link rel=stylesheet href=//evil.example>",
        "<table background=//evil.example>",
        "<math><mtext></p><img src=//evil.example onerror=evil()>",
        "<noscript><p title='</noscript><img src=//evil.example onerror=evil()>'>",
    ],
)
def test_nothing_leads_out(html: str) -> None:
    """No address, no handler, no style of a sender comes through."""
    assert "evil" not in cleaned(html)


def test_only_html() -> None:
    """Without a text part the text is what stands in the HTML."""
    found = preview.preview(b"Content-Type: text/html\r\n\r\n<p>one</p><script>no</script>two")
    assert ["one", "two"] == found.text.split()


def test_no_headers_at_all() -> None:
    """A mail that is none is shown as far as it can be."""
    found = preview.preview(b"just words")
    assert ([], []) == (found.first, found.attachments)
    assert "just words" == found.source


def test_bounded() -> None:
    """Only so many bytes are read, and what is left out is said."""
    blocks = (b"x" * 1_000_000 for _ in range(1_000))
    raw, cut = read(blocks)
    assert (MAX_RAW, True) == (len(raw), cut)
    assert 900 < sum(1 for _ in blocks)
    found = preview.preview(b"\r\n" + raw, cut)
    assert found.cut
    assert preview.MAX_TEXT == len(found.text)
    assert (b"ab", False) == read([b"a", b"b"])
