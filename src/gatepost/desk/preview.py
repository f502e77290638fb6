"""A kept mail for reading: nothing in it runs, nothing of it is fetched, and its size holds nobody up.

Headers are decoded, text is text, HTML is cleaned to what cannot load or lead anywhere, where links lead is
said in a list of its own, and of attachments stand names, types and sizes alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.mail.message import Message, decode_words, find_border
from gatepost.mail.structure import Part, read_structure
from gatepost.mail.text import links, strip_html

MAX_RAW = 8 << 20
"""Bytes of a mail that are looked at."""
MAX_TEXT = 200_000
"""Characters of text, and of HTML, that are shown."""
MAX_SOURCE = 100_000
MAX_HEADERS = 200
MAX_ATTACHMENTS = 100
MAX_LINKS = 50
FIRST = ("from", "to", "cc", "subject", "date", "reply-to")
"""Header fields that people look for."""
ATTACHED = "attachment"

TAGS = frozenset(
    re.findall(
        r"\w+",
        "a abbr b blockquote br caption center code dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i ins li ol"
        " p pre q s small span strong sub sup table tbody td tfoot th thead tr u ul",
    )
)
ATTRIBUTES = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
SILENT = {"script", "style", "head", "title", "noscript", "template", "svg", "math", "iframe", "object"}
"""What stands between these is not text."""
FRAME = (
    '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'"><title>-</title>'
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not shown."""

    name: str
    """"" where it has none."""
    type: str
    size: int
    """Bytes with the transfer encoding undone."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What people see of a mail."""

    first: list[tuple[str, str]]
    """The header fields that people look for, decoded."""
    headers: list[tuple[str, str]]
    """All, decoded."""
    text: str
    """What stands in it, as text; out of the HTML where there is nothing else."""
    html: str
    """A document for a sandboxed frame, "" where there is no HTML."""
    attachments: list[Attachment]
    links: list[str]
    """Where links lead, as they are written."""
    troubles: list[str]
    """What can be read in more than one way."""
    source: str
    """The beginning of the bytes as received."""
    cut: bool
    """There is more than is shown."""


def read(blocks: Iterable[bytes]) -> tuple[bytes, bool]:
    """Return as much of a mail as is looked at, and whether there is more."""
    raw = bytearray()
    for block in blocks:
        raw += block
        if len(raw) > MAX_RAW:
            return bytes(raw[:MAX_RAW]), True
    return bytes(raw), False


def preview(raw: bytes, cut: bool = False) -> Preview:
    """Return a mail for reading."""
    border = find_border(raw)
    message = Message(raw if border < 0 else raw[:border], raw)
    structure = read_structure(message)
    headers = [(one.name, decode_words(one.value)) for one in message.headers[:MAX_HEADERS]]
    by_name = {name.lower(): (name, value) for name, value in reversed(headers)}
    text, html, attachments = "", "", []
    for part in itertools.islice(structure.leaves(), 2 * MAX_ATTACHMENTS):
        shown = not part.filenames and part.disposition.word != ATTACHED
        if shown and part.type == "text/plain" and len(text) < MAX_TEXT:
            text += part.text(MAX_TEXT)
        elif shown and part.type == "text/html" and len(html) < MAX_TEXT:
            html += part.text(MAX_TEXT)
        elif part.depth or not shown or not part.type.startswith("text/"):
            attachments.append(_attachment(part))
    safe = cleaned(html[:MAX_TEXT]) if html else ""
    return Preview(
        [by_name[name] for name in FIRST if name in by_name],
        headers,
        (text or strip_html(html[:MAX_TEXT]))[:MAX_TEXT],
        FRAME + safe if safe else "",
        attachments[:MAX_ATTACHMENTS],
        links(structure, MAX_LINKS),
        structure.troubles,
        raw[:MAX_SOURCE].decode("utf-8", "replace"),
        cut or len(raw) > MAX_SOURCE or len(text) > MAX_TEXT or len(html) > MAX_TEXT,
    )


def cleaned(html: str) -> str:
    """Return HTML in which nothing runs, loads or leads anywhere; "" where nothing is installed to do so."""
    try:
        import nh3
    except ImportError:
        return ""
    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        clean_content_tags=SILENT,
        url_schemes=set(),
        link_rel=None,
    )


def _attachment(part: Part) -> Attachment:
    names = [decode_words(name) for name in part.filenames]
    return Attachment(names[0] if names else "", part.type, len(part.content(MAX_RAW)))
