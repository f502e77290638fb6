"""Who is the author, by the From header (RFC 5322, 3.6.2): DMARC's question, and what is forged most.

Mail programs differ on every odd form: two From fields, groups, routes, comments inside an
address, encoded words where an address should be, a second address in angle brackets. Whoever
picks one reading lets the attacker pick the other ("Composition Kills", 2020). So the grammar here
is narrow, and what it does not have is `ambiguous`: DMARC never passes for it (T3.2).

Linear: a few regular expressions without back-tracking over at most `MAX_FROM` characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gatepost.mail.address import AddressError, parse_address
from gatepost.mail.message import Message

MAX_FROM = 8_000
MAX_AUTHORS = 10
MAX_DEPTH = 10

_SPACE = re.compile(r"[ \t]*+")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"[^()\\]++|\\.|[()]")
_ATOM = re.compile(r"[^ \t()<>\[\]:;@\\,\"]++")
_ADDRESS = re.compile(
    r'(?:"(?:[^"\\]|\\.)*"|[^\s()<>\[\]:;@\\,"]++)@(?:\[[^\[\]\s]*+\]|[^\s()<>\[\]:;@\\,"]++)'
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\u2028\u2029]")
_HIDING = re.compile(r"[@<>,:;\\\"\s\x00-\x1f\x7f]")
"""What a local part can only have in quotes, where a reader may take it for the end of an address."""


@dataclass(frozen=True, slots=True)
class Authors:
    """What the From header says."""

    domains: tuple[str, ...]
    """Lower case, A-labels, each once; of all readings where there are several."""
    ambiguous: str = ""
    """Why readers may see different authors, "" when they do not."""
    problem: str = ""
    """Why there is no author at all."""


class _Odd(ValueError):
    """A form that is read in more than one way; the text says which."""


def authors(message: Message) -> Authors:
    """Return the author domains of a message."""
    fields = message.all("From")
    if not fields:
        return Authors((), problem="there is no From")
    domains: list[str] = []
    ambiguous = ""
    if len(fields) > 1:
        ambiguous = f"{len(fields)} From headers"
    if message.ambiguous or message.over_budget:
        ambiguous = ambiguous or "headers can be read in more than one way"
    for value in fields[:MAX_AUTHORS]:
        try:
            found = read_from(value)
        except _Odd as odd:
            ambiguous = ambiguous or str(odd)
            found = _every_domain(value)
        domains += found
    unique = tuple(dict.fromkeys(domains))
    if not unique and not ambiguous:
        return Authors((), problem="no address in From")
    return Authors(unique[:MAX_AUTHORS], ambiguous)


def read_from(value: str) -> list[str]:
    """Return the domains of a mailbox list; `_Odd` for what is read in more than one way."""
    if len(value) > MAX_FROM:
        raise _Odd("From is too long")
    if _CONTROL.search(value):
        raise _Odd("control character in From")
    if not value.strip(" \t"):
        return []
    domains: list[str] = []
    at = 0
    while True:
        if len(domains) >= MAX_AUTHORS:
            raise _Odd("too many authors")
        at, domain = _mailbox(value, at)
        domains.append(domain)
        if at >= len(value):
            return domains
        if value[at] != ",":
            raise _Odd(f"{value[at]!r} behind an address in From")
        at += 1


def _mailbox(value: str, at: int) -> tuple[int, str]:
    """Read `phrase <address>` or `address`, with comments around."""
    at = _skip(value, at)
    bare = _ADDRESS.match(value, at)
    if bare is not None:
        after = _skip(value, bare.end())
        if value[after : after + 1] != "<":
            return after, _domain(bare[0])
        # `ann@example.org <ann@example.org>` is not RFC 5322 and common; harmless when both are one.
        claimed = _domain(bare[0])
        at, domain = _angle(value, after)
        if claimed != domain:
            raise _Odd("another address in the display name of From")
        return at, domain
    at = _phrase(value, at)
    if value[at : at + 1] != "<":
        mark = value[at : at + 1]
        raise _Odd("group in From" if mark == ":" else "no address where one should be in From")
    return _angle(value, at)


def _phrase(value: str, at: int) -> int:
    while True:
        word = _QUOTED.match(value, at) or _ATOM.match(value, at)
        if word is None:
            return at
        at = _skip(value, word.end())


def _angle(value: str, at: int) -> tuple[int, str]:
    at += 1
    found = _ADDRESS.match(value, at)
    if found is None or value[found.end() : found.end() + 1] != ">":
        # A route, a comment, blanks, an encoded word, a second address: all of them are read differently.
        raise _Odd("what stands in the angle brackets of From is not one plain address")
    return _skip(value, found.end() + 1), _domain(found[0])


def _domain(text: str) -> str:
    if "=?" in text:
        raise _Odd("encoded word in an address of From")
    try:
        address = parse_address(text)
    except AddressError as error:
        raise _Odd(f"address in From: {error}") from None
    if _HIDING.search(address.local):
        raise _Odd("quoted local part in From that hides a mark of the grammar")
    if not address.domain or address.domain.startswith("["):
        raise _Odd("address in From without a domain name")
    return address.domain


def _skip(value: str, at: int) -> int:
    """Pass over blanks and comments; a comment that may be taken for an address is odd."""
    while True:
        space = _SPACE.match(value, at)
        assert space is not None
        at = space.end()
        if value[at : at + 1] != "(":
            return at
        end = _after_comment(value, at)
        if "@" in value[at:end] or "<" in value[at:end]:
            raise _Odd("address in a comment of From")
        at = end


def _after_comment(value: str, at: int) -> int:
    depth = 0
    for match in _COMMENT.finditer(value, at):
        if match[0] == "(":
            depth += 1
            if depth > MAX_DEPTH:
                break
        elif match[0] == ")":
            depth -= 1
            if depth == 0:
                return match.end()
    raise _Odd("comment without an end in From")


_ANY = re.compile(r"@([A-Za-z0-9\-.\x80-\U0010ffff]{1,253}+)")


def _every_domain(value: str) -> list[str]:
    """Return every domain that a reader might take from an odd field, so that the worst counts."""
    found: list[str] = []
    for text in _ANY.findall(value[:MAX_FROM])[:MAX_AUTHORS]:
        try:
            found.append(parse_address(f"a@{text.strip('.')}").domain)
        except AddressError:
            continue
    return found
