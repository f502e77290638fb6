"""What a training mail is about: the mails attached to it, itself where it was redirected, or what it quotes.

A forward mangles a mail (CONTRACT 6), so each is looked for by its signed id first (`plugin.training`);
what is read here is what is learnt where no original is found. What a mail program attached is the mail
itself, but for the lines that we and the domain's server put on top. Of a mail that stands in the text
only the text and the subject say something, and they count less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gatepost.auth.author import authors
from gatepost.auth.forged import without_forged
from gatepost.mail.message import Message, find_border
from gatepost.mail.stamp import HEADER, Stamp, in_text, key_of, key_of_id, read
from gatepost.mail.structure import AS_IT_IS, MESSAGES, Part, Structure, read_structure
from gatepost.mail.text import strip_html, texts

MAX_MAILS = 20
"""Mails attached to one training mail that are learnt."""
MAX_MAIL = 1 << 20
"""Bytes of one of them that are looked at."""
MAX_TEXT = 65_536
INLINE_WEIGHT = 0.3
"""How much a mail counts that stands in the text of another."""
MAX_REFERENCES = 4
HEAD_LIMIT = 131_072

ATTACHED, REDIRECTED, INLINE = "attached", "redirected", "inline"

_QUOTED_FIELD = re.compile(r"[>| \t*]*[^\s:>][^:\n]{0,30}:(?:[ \t].*)?$")
_PREFIXES = re.compile(r"(?:\s*(?:fwd?|wg|tr|rv|enc|doorst|vs|vb|i)\s*:\s*)+", re.IGNORECASE)
_ID = re.compile(r"<[^<>\s]{1,250}>")
_SAID = ("s", "b", "u")
"""First letters of the words (`learn.words`) that speak of subject, text and links."""


@dataclass(slots=True)
class Lesson:
    """One mail to learn, as far as the training mail itself tells."""

    how: str
    key: str
    features: bytes
    """Packed (`learn.features`)."""
    weight: float = 1.0
    stamps: list[Stamp] = field(default_factory=list)
    """Ids that it claims to have."""
    keys: list[str] = field(default_factory=list)
    """What it says that it answers or forwards, as keys of messages."""
    raw: bytes = b""
    """The mail as it came to us, where it is there whole."""


def lessons(head: bytes, body: bytes, seed: int, hostname: str, domain: str) -> list[Lesson]:
    """Return what is to be learnt from a training mail for a domain."""
    message = Message(head, body)
    structure = read_structure(message)
    found = [_whole(ATTACHED, raw, seed, hostname) for raw in _attached(structure)]
    if found:
        return found
    if _is_redirected(message, domain):
        return [_whole(REDIRECTED, body, seed, hostname)]
    return [_inline(message, structure, seed)]


def in_worker(head: bytes, body: bytes, seed: int, hostname: str, domain: str) -> list[Any]:
    """Return the same as plain values, for a process of its own; `from_worker` reads them."""
    return [
        [one.how, one.key, one.features, one.weight, [list(s) for s in one.stamps], one.keys, one.raw]
        for one in lessons(head, body, seed, hostname, domain)
    ]


def from_worker(said: list[Any]) -> list[Lesson]:
    """Return what `in_worker` told."""
    return [
        Lesson(how, key, features, weight, [Stamp(*s) for s in stamps], keys, raw)
        for how, key, features, weight, stamps, keys, raw in said
    ]


def as_received(raw: bytes, hostname: str) -> bytes:
    """Return a delivered mail as it came to our door: without what we and later servers put on top.

    Our Received field is the border: what stands above it was written after us, what we write besides
    stands below it. Without it only lines that are ours by name go.
    """
    border = find_border(raw[:HEAD_LIMIT])
    head = raw[:border] if border >= 0 else raw[:HEAD_LIMIT]
    at = head.find(f"by {hostname} (Gatepost)".encode())
    rest = head
    if at >= 0:
        end = re.compile(rb"\n(?![ \t])").search(head, at)
        rest = head[end.end() :] if end is not None else b""
    return without_forged(rest, hostname) + raw[len(head) :]


def _attached(structure: Structure) -> Iterator[bytes]:
    """Yield the mails attached, not those within them."""
    depth = -1
    count = 0
    for n, part in enumerate(structure.parts):
        if depth >= 0 and part.depth > depth:
            continue
        depth = -1
        if _is_mail(part) and count < MAX_MAILS:
            count += 1
            depth = part.depth
            raw = _content(structure.parts, n).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            if find_border(raw) > 2:
                yield raw


def _content(parts: list[Part], n: int) -> bytes:
    """Return an attached mail; one that is not encoded ends at the delimiter behind it."""
    part = parts[n]
    if part.type not in MESSAGES or part.encoding not in AS_IT_IS:
        return part.content(MAX_MAIL)
    parent = next((one for one in reversed(parts[:n]) if one.depth < part.depth), part)
    end = min(parent.end, part.body + MAX_MAIL)
    later = next((one for one in parts[n + 1 :] if one.depth <= part.depth), None)
    if later is not None:
        end = min(end, part.raw.rfind(b"\n", 0, later.start - 1))
    return part.raw[part.body : end].removesuffix(b"\r")


def _is_mail(part: Part) -> bool:
    if part.depth == 0:
        return False
    return part.type in MESSAGES or any(name.lower().endswith(".eml") for name in part.filenames)


def _is_redirected(message: Message, domain: str) -> bool:
    """Say whether the mail is the mail itself: sent on by a program that only changes the envelope."""
    if any(message.get(name) for name in (HEADER, "Resent-From", "Resent-To")):
        return True
    known = authors(message).domains
    return bool(known) and domain not in known


def _whole(how: str, raw: bytes, seed: int, hostname: str) -> Lesson:
    from gatepost.learn.features import features

    stamps = [stamp for value in _head(raw).all(HEADER) if (stamp := read(value)) is not None]
    bare = as_received(raw, hostname)
    border = find_border(bare)
    message = Message(bare[: border if 0 <= border < HEAD_LIMIT else HEAD_LIMIT], bare)
    return Lesson(how, key_of(message), features(message, seed).pack(), stamps=stamps[:5], raw=bare)


def _head(raw: bytes) -> Message:
    border = find_border(raw[:HEAD_LIMIT])
    return Message(raw[:border] if border >= 0 else raw[:HEAD_LIMIT])


def _inline(message: Message, structure: Structure, seed: int) -> Lesson:
    from gatepost.learn.features import Features, features

    written = _text(structure)
    quoted = _quoted(written)
    subject = _PREFIXES.sub("", message.subject[:500], count=1).strip()
    text = f"Subject: {subject}\r\n\r\n{quoted}".replace("\r\n", "\n").replace("\n", "\r\n")
    raw = text.encode("utf-8", "replace")
    made = Message(raw[: find_border(raw)], raw)
    seen = features(made, seed)
    # What the program that forwarded it left out (headers, structure) says nothing of the mail.
    said = [n for n, word in enumerate(seen.words) if word[:1] in _SAID]
    plain = Features((seen.views[0], seen.views[1][said], seen.views[2]))
    keys = [key_of_id(one) for one in _references(message)]
    stamps = in_text(written)
    return Lesson(INLINE, key_of(made), plain.pack(), INLINE_WEIGHT, stamps, keys)


def _text(structure: Structure) -> str:
    """Return the plain text, or that of the HTML where there is none."""
    found = list(texts(structure, MAX_TEXT))
    plain = [text for kind, text in found if kind == "text/plain" and text.strip()]
    return "\n".join(plain or [strip_html(text) for _, text in found])


def _quoted(text: str) -> str:
    """Return the text of the mail that a text quotes; all of it where nobody can say where that begins."""
    lines = text.splitlines()
    at = next((n for n, line in enumerate(lines) if _is_border(line.strip(" >|\t"))), -1) + 1
    if at == 0:
        return text
    while at < len(lines) and not lines[at].strip(" >|\t"):
        at += 1
    while at < len(lines) and _QUOTED_FIELD.match(lines[at]):
        at += 1
    rest = lines[at:]
    quoted = sum(line.startswith(">") for line in rest)
    if quoted * 2 > len(rest):
        rest = [line[1:].removeprefix(" ") if line.startswith(">") else line for line in rest]
    return "\n".join(rest)


def _is_border(line: str) -> bool:
    """Say whether the usual programs begin a quoted mail so, in whatever language."""
    if line.startswith("--") and line.endswith("--"):
        return any(c.isalpha() for c in line[:200])
    return line == "Begin forwarded message:" or (len(line) >= 10 and not line.strip("_"))


def _references(message: Message) -> list[str]:
    found: list[str] = []
    for name in ("X-Forwarded-Message-Id", "In-Reply-To", "References"):
        found += _ID.findall((message.get(name) or "")[-2_000:])[-MAX_REFERENCES:]
    return list(dict.fromkeys(found))
