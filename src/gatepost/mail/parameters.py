"""The value of a structured MIME field: `type/subtype; name=value` (RFC 2045, 5.1; RFC 2183; RFC 2231).

Bounded and tolerant: at most `MAX_PARAMETERS` of at most `MAX_VALUE` characters, in linear time. A name that
is given twice, or in two ways, keeps every reading, since mail programs differ on which one they take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from gatepost.mail.message import codec_of, decode_as_is, printable

MAX_VALUE = 8_192
"""Characters of a field that are read."""
MAX_PARAMETERS = 100
MAX_TEXT = 1_000
"""Characters of one parameter."""

OVERRIDES = re.compile("[\u202d\u202e]")
"""Marks that turn around letters that have a direction of their own: no language needs them in a name."""
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))')
_ESCAPED = re.compile(r"\\(.)")
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*"?)|\([^()"]*\)')
"""A quoted text, which is kept, or a comment (RFC 5322, 3.2.2), which is not."""
MAX_NESTED = 3
"""Comments in each other that are taken out."""
_SECTION = re.compile(r"(.+?)(?:\*(\d{1,3}))?(\*?)")


@dataclass(slots=True)
class Value:
    """A field's value taken apart."""

    word: str = ""
    """What stands before the first semicolon, in lower case: `text/html`, `attachment`."""
    parameters: dict[str, list[str]] = field(default_factory=dict)
    """Name in lower case -> all readings, the likeliest first."""
    over_budget: bool = False
    turns: bool = False
    """A value has marks that turn letters around, so that it is shown as another one."""
    count: int = 0
    """Parameters as they were written, sections and repeated ones each."""

    def add(self, name: str, said: str) -> None:
        """Add a reading; what is cut is told, since the end of a name is what a file is opened by.

        A NUL in it ends it for some programs, which is another reading.
        """
        self.over_budget = self.over_budget or len(said) > MAX_TEXT
        self.turns = self.turns or OVERRIDES.search(said) is not None
        before, nul, behind = said[:MAX_TEXT].partition("\0")
        readings = [said[:MAX_TEXT], before] if nul and before and behind else [said[:MAX_TEXT]]
        known = self.parameters.setdefault(name, [])
        known += [one for one in map(printable, readings) if one not in known]

    def get(self, name: str) -> str:
        """Return the likeliest reading of a parameter, "" if it is not there."""
        found = self.parameters.get(name)
        return found[0] if found else ""


def read_value(raw: str) -> Value:
    """Take a field's value apart; nothing is refused."""
    text = raw[:MAX_VALUE]
    word, semicolon, rest = text.partition(";")
    value = Value(_word(word), over_budget=len(raw) > MAX_VALUE)
    value.count = _read(value, semicolon + rest)
    without = _without_comments(semicolon + rest) if "(" in rest else semicolon + rest
    if without != semicolon + rest:  # some programs know comments here, and some do not
        _read(value, without)
    return value


def _without_comments(text: str) -> str:
    for _ in range(MAX_NESTED):
        before, text = text, _COMMENT.sub(lambda match: match[1] or " ", text)
        if text == before:
            break
    return text


def _read(value: Value, text: str) -> int:
    """Add all readings of the parameters; return how many were written down."""
    count = 0
    plain: dict[str, list[str]] = {}
    sections: dict[str, dict[int, list[tuple[str, bool]]]] = {}
    for match in _PARAMETER.finditer(text):
        if count >= MAX_PARAMETERS:
            value.over_budget = True
            break
        count += 1
        name, said = match[1].lower(), match[3]
        said = _ESCAPED.sub(r"\1", match[2]) if said is None else said.strip()
        if "*" not in name:
            plain.setdefault(name, []).append(said)
            continue
        section = _SECTION.fullmatch(name)
        if section is not None:
            same = sections.setdefault(section[1], {}).setdefault(int(section[2] or 0), [])
            same.append((said, bool(section[3])))
    # RFC 2231 goes first where both are there (RFC 6266, 4.3 says so for the web; mail programs follow).
    for name, pieces in sections.items():
        value.add(name, _joined({number: said[0] for number, said in pieces.items()}))
        if any(len(said) > 1 for said in pieces.values()):  # one and the same twice: the last one, too
            value.add(name, _joined({number: said[-1] for number, said in pieces.items()}))
    for name, said_all in plain.items():
        for said in said_all:
            value.add(name, decode_as_is(said, MAX_VALUE))
    return count


def _word(text: str) -> str:
    """Comments and blanks are no part of it (`text/plain (their own words)`)."""
    return text.partition("(")[0].strip().lower()[:200]


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """Join the sections of one parameter; the first one may say the character set (RFC 2231, 4)."""
    charset, data = "", b""
    for number in sorted(pieces):
        text, encoded = pieces[number]
        if not encoded:
            data += text.encode("utf-8", "replace")
            continue
        if number == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text)
        if len(data) > 4 * MAX_TEXT:
            break
    try:
        return data.decode(codec_of(charset) or "utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
