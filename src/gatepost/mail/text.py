"""What a message says to its reader: text of its parts, text out of HTML, and links.

The HTML reader is a tokeniser of two linear patterns, with caps: no tree is built, so nesting costs nothing.
It shows what is written, not what a browser would paint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from gatepost.mail.structure import Structure

MAX_TEXT = 1 << 18
"""Characters of text that are looked at in one message."""
MAX_LINKS = 1_000

_SILENT = re.compile(r"<(script|style|title|head)\b[^<>]*>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
TAG = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9:]{0,30})([^<>]{0,4000})>")
"""A tag: name and the text of its attributes."""
_BREAKS = frozenset(
    [
        "br",
        "p",
        "div",
        "tr",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "td",
        "th",
        "table",
        "ul",
        "ol",
        "hr",
        "blockquote",
        "title",
    ]
)
_LINK = re.compile(
    r"\b(?:href|src|action|background)\s*=\s*(?:\"([^\"]{1,4000})|'([^']{1,4000})|([^\s>\"']{1,4000}))", re.I
)
_URL = re.compile(
    r"\b(?:https?|ftp)://[^\s<>\"'\]\[(){}|\\^`\x00-\x1f]{3,2000}|\bwww\.[a-z0-9-]+\.[^\s<>\"'()]{2,2000}",
    re.I,
)


def texts(structure: Structure, limit: int = MAX_TEXT) -> Iterator[tuple[str, str]]:
    """Yield (type, text as written) of each part of text, HTML still with its tags; `limit` in all."""
    left = limit
    for part in structure.leaves():
        if left <= 0:
            return
        if part.type.startswith("text/") and part.disposition.word != "attachment":
            text = part.text(min(left, MAX_TEXT))[:left]
            left -= len(text)
            yield part.type, text


def strip_html(html: str) -> str:
    """Return the text of HTML: tags gone, entities undone, what is never shown left out."""
    text = _COMMENT.sub(" ", _SILENT.sub(" ", html[:MAX_TEXT]))
    text = TAG.sub(lambda m: "\n" if m[1].lstrip("/").lower() in _BREAKS else "", text)
    return unescape(text)


def links(structure: Structure, limit: int = MAX_LINKS) -> list[str]:
    """Return the addresses that a reader may follow, each once, in the order met."""
    found: dict[str, None] = {}
    for kind, text in texts(structure):
        if kind == "text/html":
            for match in _LINK.finditer(text):
                found[unescape(match[1] or match[2] or match[3]).strip()] = None
            text = strip_html(text)
        for match in _URL.finditer(text):
            url = match[0].rstrip(".,;:!?")
            found[url if "://" in url[:8] else f"http://{url}"] = None
        if len(found) >= limit:
            break
    return list(found)[:limit]
