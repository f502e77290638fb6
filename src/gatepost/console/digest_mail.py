"""A digest as a mail: text and HTML, in the domain's language, times in its zone. Pure.

What senders wrote (subjects, addresses) and what servers said of them is shown on one line each, cut,
without anything that cannot be seen: no line of theirs begins a header, a link or a paragraph of ours.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterator
from urllib.parse import quote

from gatepost.console.environment import environment
from gatepost.console.text import Words, language_for, mark, zone_for
from gatepost.desk.digest import Digest, Row
from gatepost.mail.headers import date

LONGEST = 200
"""Characters of one thing that a stranger wrote."""
WIDTH = 72
_WORD = 42
"""Bytes of UTF-8 in one encoded word, which has 75 characters at most (RFC 2047, 2)."""

HELD = mark("Held: the senders believe that it arrived")
REFUSED = mark("Refused: the senders were told")


def make(digest: Digest, id: str, now: float) -> bytes:  # noqa: A002 - the word of the house
    """Return the whole mail: plain bytes with CRLF, ready for the queue."""
    words = words_of(digest, now)
    border = f"=_gatepost_{id}"  # `=_` never stands in quoted-printable
    head = [
        f"From: Gatepost <postmaster@{digest.hostname}>",
        f"To: <{digest.reader}>",
        f"Subject: {encoded(subject(digest, words))}",
        f"Date: {date(int(now))}",
        f"Message-ID: <{id}@{digest.hostname}>",
        "Auto-Submitted: auto-generated",  # RFC 3834: nobody answers it
        "X-Auto-Response-Suppress: All",
        f"Content-Language: {words.language}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{border}"',
        "",
    ]
    parts = []
    for kind, said in (("plain", text(digest, words)), ("html", html(digest, words))):
        parts += [
            f"--{border}",
            f"Content-Type: text/{kind}; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            "",
            _quoted(said),
        ]
    return "\r\n".join([*head, *parts, f"--{border}--", ""]).encode("utf-8")


def words_of(digest: Digest, now: float) -> Words:
    """Return how things are written in a digest; a language that we do not speak is English."""
    return Words(language_for(digest.language, ""), zone_for(digest.zone), now)


def subject(digest: Digest, words: Words) -> str:
    """Return the subject."""
    about = digest.domain if digest.whole else digest.reader
    return words.say_many(
        "%(n)s mail was kept for %(about)s", "%(n)s mails were kept for %(about)s", digest.number, about=about
    )


def text(digest: Digest, words: Words) -> str:
    """Return the digest for who reads text."""
    return "\n".join(_lines(digest, words)) + "\n"


def html(digest: Digest, words: Words) -> str:
    """Return the digest for who reads HTML; it loads nothing from anywhere."""
    return (
        environment(words.language)
        .get_template("digest_mail.html")
        .render(
            words=words,
            many=words.say_many,
            digest=digest,
            title=subject(digest, words),
            since=since(digest, words),
            groups=_groups(digest),
            line=told,
            link=link,
            archive=archive(digest),
            footer=footer(digest, words),
        )
    )


def since(digest: Digest, words: Words) -> str:
    """Return about which time it is."""
    begin, end = words.day_and_time(digest.since), words.day_and_time(digest.until)
    return words.say(mark("From %(begin)s to %(end)s."), begin=begin, end=end)


def footer(digest: Digest, words: Words) -> list[str]:
    """Return how the links work, and where this comes from."""
    days = words.say_many("%(n)s day", "%(n)s days", digest.keep_days)
    said = [words.say(mark("Kept mail is deleted after %(days)s."), days=days)]
    if digest.public_url:
        opens = mark(
            "A link opens a page with a button that delivers the mail; it is good once, for you alone."
        )
        said.insert(0, words.say(opens))
    zone = words.zone_name
    said.append(words.say(mark("Times in %(zone)s. Sent by %(host)s."), zone=zone, host=digest.hostname))
    return said


def link(digest: Digest, row: Row) -> str:
    """Return where a kept mail can be released, "" where that is not by a link."""
    return f"{digest.public_url}/digest/{row.token}" if row.token else ""


def archive(digest: Digest) -> str:
    """Return where the console shows them all, for who may sign in there; "" for one mailbox."""
    if not digest.public_url or not digest.whole:
        return ""
    return f"{digest.public_url}/archive?domain={quote(digest.domain)}"


def line(text: str) -> str:
    """Return what a stranger wrote as one line of what can be seen, cut."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST]).split())
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "\u2026"


def told(text: str) -> str:
    """Return what a stranger wrote for a mail: programs make links of addresses, so none stands there."""
    return line(text).replace("://", "[:]//")


def encoded(said: str) -> str:
    """Return text for a header field: as it is in ASCII, else in encoded words of whole characters."""
    said = line(said)
    if said.isascii() and "=?" not in said:
        return said
    found, piece = [], b""
    for c in said:
        more = c.encode("utf-8", "replace")
        if len(piece) + len(more) > _WORD:
            found.append(piece)
            piece = b""
        piece += more
    return "\r\n ".join(f"=?utf-8?B?{b64encode(one).decode()}?=" for one in [*found, piece])


def _groups(digest: Digest) -> list[tuple[str, tuple[Row, ...]]]:
    return [(title, rows) for title, rows in ((HELD, digest.held), (REFUSED, digest.refused)) if rows]


def _lines(digest: Digest, words: Words) -> Iterator[str]:
    yield subject(digest, words) + "."
    yield since(digest, words)
    for title, rows in _groups(digest):
        said = f"{words.say(title)} ({words.number(len(rows))})"
        yield from ("", said, "-" * min(len(said), WIDTH))
        for row in rows:
            yield ""
            yield from _row(digest, row, words)
    if digest.more:
        yield ""
        yield words.say_many("And %(n)s more.", "And %(n)s more.", digest.more)
    if not digest.number:
        yield ""
        yield words.say(mark("Nothing was kept."))
    if archive(digest):
        yield words.say(mark("All of it: %(url)s"), url=archive(digest))
    yield from ("", "-- ", *footer(digest, words))


def _row(digest: Digest, row: Row, words: Words) -> Iterator[str]:
    kept = row.kept
    yield told(kept.subject) or words.say(mark("(no subject)"))
    sender = told(kept.sender or "") or words.say(mark("(a bounce)"))
    yield "  " + words.say(
        mark("From %(sender)s, %(when)s"), sender=sender, when=words.day_and_time(kept.time)
    )
    if digest.whole:
        yield "  " + words.say(mark("To %(recipient)s"), recipient=told(kept.recipient))
    why = told(kept.reason) or kept.plugin
    if why:
        yield "  " + words.say(mark("Why: %(why)s"), why=why)
    where = link(digest, row)
    if where:
        yield "  " + words.say(mark("Deliver it: %(url)s"), url=where)
    else:
        yield "  " + words.say(mark("In the console: %(id)s"), id=kept.id)


def _quoted(said: str) -> str:
    """Return text as quoted-printable with CRLF."""
    data = said.encode("utf-8", "replace").replace(b"\n", b"\r\n")
    return b2a_qp(data, istext=True).decode("ascii")
