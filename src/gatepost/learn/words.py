"""The view of words: what a person would point at, each with a prefix that says where it stood.

Header names and their words, addresses and their domains, networks that the mail came through, shapes of ids
and dates, words of subject and text, tags, links, MIME types and names of attachments. Bounded in all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from gatepost.mail.message import Message, decode_words
from gatepost.mail.structure import Structure
from gatepost.mail.text import TAG, links, strip_html, texts

MAX_WORDS = 4_000
MAX_BODY_WORDS = 1_200
MAX_HEADERS = 200
MAX_VALUE = 600
"""Characters of a header that are looked at."""
MAX_LINKS = 60

_WORD = re.compile(r"[^\W_][\w'\u2019$€£%.-]{0,40}|[$€£!?%]+")
_NUMBER = re.compile(r"\d+")
_UPPER = re.compile(r"[A-Z]+")
_LOWER = re.compile(r"[a-z]+")
_ADDRESS = re.compile(r"([^\s<>\"'(),:;@]{1,64})@([A-Za-z0-9.-]{1,253})")
_IP = re.compile(r"\b(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\b")
_NAME = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_COLOUR = re.compile(
    r"#[0-9a-f]{3,6}\b|\b(?:font-size|display|color|width|height)\s*[:=]\s*\"?[^;\"'\s>]{1,12}"
)
_WIDE = re.compile(r"[⺀-퟿豈-﫿぀-ヿ]+")

SILENT = frozenset(
    ("dkim-signature", "domainkey-signature", "arc-seal", "arc-message-signature",
     "arc-authentication-results", "x-google-dkim-signature", "x-gm-message-state",
     "authentication-results", "received-spf",
     "x-spam-status", "x-spam-level", "x-spam-flag", "x-spam-score", "x-spam-report", "status", "x-status",
     "x-received", "x-google-smtp-source", "openpgp", "autocrypt", "x-face", "face")
)  # fmt: skip
"""Only their presence counts: signatures are different in each mail, and others' verdicts are not ours."""
_PEOPLE = frozenset(("from", "to", "cc", "reply-to", "sender", "return-path", "errors-to", "x-original-from"))
_GROUPS = {
    "h": "headers",
    "a": "sender",
    "r": "path",
    "s": "subject",
    "b": "text",
    "u": "links",
    "m": "structure",
}


def group_of(word: str) -> str:
    """Return what part of the message a word speaks of, for the explanation."""
    return _GROUPS.get(word[:1], "headers")


def words(message: Message, structure: Structure, facts: tuple[str, ...] = ()) -> list[str]:
    """Return the distinct words of a message, in the order met; `facts` are words about the session."""
    found: dict[str, None] = dict.fromkeys(f"h:fact:{fact}" for fact in facts)
    for word in _all(message, structure):
        found[word] = None
        if len(found) >= MAX_WORDS:
            break
    return list(found)


def _all(message: Message, structure: Structure) -> Iterator[str]:
    yield from _headers(message)
    yield from _mime(structure)
    yield from _body(structure)


def _headers(message: Message) -> Iterator[str]:
    hops = 0
    for header in message.headers[:MAX_HEADERS]:
        name, value = header.name.lower(), header.value[:MAX_VALUE]
        yield f"h:{name}"
        if name in SILENT:
            continue
        if name == "received":
            hops += 1
            if hops <= 5:
                yield from _hop(hops, value.lower())
        elif name in _PEOPLE:
            yield from _people(name, decode_words(value, MAX_VALUE))
        elif name == "subject":
            yield from _subject(decode_words(value, MAX_VALUE))
        elif name in ("message-id", "date", "in-reply-to", "references", "content-id"):
            yield f"h:{name}~{shape(value[:120])}"
            yield from (
                f"h:{name}@{part}" for part in _domain_parts(value.rpartition("@")[2].strip("> ").lower())
            )
        else:
            for word in _split(decode_words(value, MAX_VALUE).lower()):
                yield f"h:{name}:{word}"
    yield f"r:hops{min(hops, 9)}"
    yield "h~" + ",".join(h.name[:3] for h in message.headers if h.name.lower() in _ORDER)


_ORDER = frozenset(
    ("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "received")
)


def _hop(number: int, value: str) -> Iterator[str]:
    for a, b, c, d in _IP.findall(value)[:3]:
        yield f"r:{a}.{b}"
        yield f"r:{a}.{b}.{c}"
        yield f"r:{a}.{b}.{c}.{d}"
    for host in _NAME.findall(value.partition(";")[0])[:8]:
        for part in _domain_parts(host):
            yield f"r:{part}"
        if number == 1:
            yield f"r:1:{shape(host)}"
    by, _, _ = value.partition(";")
    for word in re.findall(r"with (\w+)|\(([a-z]+)|using (\w+)", by)[:5]:
        yield f"r:{''.join(word)}"


def _people(name: str, value: str) -> Iterator[str]:
    shown = _ADDRESS.sub(" ", value)
    for word in _split(shown.lower()):
        yield f"a:{name}:{word}"
    yield f"a:{name}~{shape(shown[:40])}"
    found = _ADDRESS.findall(value)[:20]
    yield f"a:{name}#{min(len(found), 5)}"
    for local, domain in found:
        domain = domain.lower()
        yield f"a:{name}:{local.lower()}@{domain}"
        yield f"a:{name}~{shape(local)}"
        for part in _domain_parts(domain):
            yield f"a:{name}@{part}"


def _subject(value: str) -> Iterator[str]:
    yield f"s~{shape(value[:24])}"
    if value and value == value.upper() and value != value.lower():
        yield "s!capitals"
    for word in _split(value):
        yield f"s:{word}"
        low = word.lower()
        if low != word:
            yield f"s:{low}"
    if not value.isascii():
        yield "s!wide"


def _mime(structure: Structure) -> Iterator[str]:
    for part in structure.parts[:50]:
        yield f"m:{part.type}"
        yield f"m:{part.depth}:{part.type}"
        if part.encoding:
            yield f"m:{part.type}={part.encoding}"
        charset = part.content_type.get("charset").lower()
        if charset:
            yield f"m:{part.type}={charset}"
        boundary = part.content_type.get("boundary")
        if boundary:
            yield f"m:b~{shape(boundary)}"
        for name in part.filenames[:3]:
            yield f"m:f:{name.lower()[-40:]}"
            yield f"m:f.{name.lower().rpartition('.')[2][:10]}"
            yield f"m:f~{shape(name)[:20]}"
        if not part.is_multipart and not part.type.startswith("text/"):
            yield f"m:magic:{part.content(4).hex()}"
    for trouble in structure.troubles:
        yield f"m!{trouble}"
    yield f"m#{min(len(structure.parts), 10)}"


def _body(structure: Structure) -> Iterator[str]:
    left = MAX_BODY_WORDS
    for kind, text in texts(structure, 60_000):
        if kind == "text/html":
            yield from _tags(text)
            text = strip_html(text)
        for word in _split(text[:20_000]):
            yield f"b:{word.lower()}"
            left -= 1
            if left <= 0:
                break
        if left <= 0:
            break
    for link in links(structure, MAX_LINKS):
        yield from _link(link)


def _tags(html: str) -> Iterator[str]:
    for count, match in enumerate(TAG.finditer(html)):
        if count >= 300:
            break
        name, attributes = match[1].lower(), match[2].lower()[:300]
        yield f"m:<{name}"
        for found in _COLOUR.findall(attributes)[:5]:
            yield f"m:<{name} {found}"


def _link(link: str) -> Iterator[str]:
    low = link.lower()[:500]
    scheme, colon, rest = low.partition(":")
    if not colon:
        yield "u!relative"
        return
    yield f"u:{scheme[:10]}"
    if scheme not in ("http", "https", "ftp"):
        for local, domain in _ADDRESS.findall(rest)[:1]:
            yield f"u:{local}@{domain}"
        return
    try:
        parts = urlsplit(low)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        yield "u!odd"
        return
    if port:
        yield "u!port"
    if "@" in parts.netloc:
        yield "u!userinfo"
    if _IP.fullmatch(host):
        yield "u!numeric"
    for part in _domain_parts(host):
        yield f"u:{part}"
    for word in _split(parts.path)[:8]:
        yield f"u/{word}"
    if parts.query:
        yield f"u?{shape(parts.query[:30])}"


def _domain_parts(domain: str) -> list[str]:
    """`mail.example.org` -> itself, `example.org`, `org`."""
    labels = domain.strip(".").split(".")[-5:]
    return [".".join(labels[n:]) for n in range(len(labels))]


def _split(text: str) -> list[str]:
    """Return words; scripts without blanks between words give pairs of characters."""
    out: list[str] = []
    for word in _WORD.findall(text):
        if word.isascii() or not _WIDE.search(word):
            out.append(word.rstrip(".'-") if len(word) > 1 else word)
        else:
            out += [word[n : n + 2] for n in range(min(len(word) - 1, 40))] or [word]
    return out


def shape(text: str) -> str:
    """Return `A` for capitals, `a` for small letters, `0` for digits, the rest as it is."""
    return _NUMBER.sub("0", _LOWER.sub("a", _UPPER.sub("A", text)))[:40]
