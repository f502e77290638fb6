"""A digest is one well-formed mail in its domain's words, and what a sender wrote is nothing but text."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest

from gatepost.console import digest_mail
from gatepost.desk.digest import Digest, Row
from gatepost.spool.index import Kept

AT = 1_795_593_600.0  # 2026-11-25 08:00 UTC
KEPT = Kept(
    "0DQ3N7V5K2F8T.1", AT - 7200, "mia@partner.example", "ann@example.org", "example.org",
    reason="SPF says fail", plugin="spf", subject="Das Angebot für Sie", held=True,
)  # fmt: skip
DIGEST = Digest(
    domain="example.org", reader="ann@example.org", whole=False, since=AT - 86_400, until=AT,
    held=(Row(KEPT, "TOKEN.1"),), refused=(Row(replace(KEPT, sender=None, subject=""), ""),), more=3,
    language="en", zone="Europe/Berlin", hostname="mx.example.org", public_url="https://mx.example.org",
    keep_days=30,
)  # fmt: skip


def mail(digest: Digest) -> EmailMessage:
    """Return the mail as a program of today reads it."""
    raw = digest_mail.make(digest, "digest-1", AT)
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 200
    read = message_from_bytes(raw, policy=policy.default)
    assert isinstance(read, EmailMessage)
    assert [] == [part.defects for part in read.walk() if part.defects]
    return read


def parts(digest: Digest) -> tuple[str, str]:
    """Return text and HTML."""
    plain, html = mail(digest).iter_parts()
    assert ["text/plain", "text/html"] == [plain.get_content_type(), html.get_content_type()]
    return plain.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def test_header() -> None:
    """From us, to the reader, a subject, an id of its own, and nobody is to answer it."""
    read = mail(DIGEST)
    assert "Gatepost <postmaster@mx.example.org>" == read["from"]
    assert "5 mails were kept for ann@example.org" == read["subject"]
    assert ("ann@example.org", "<digest-1@mx.example.org>") == (read["to"], read["message-id"])
    assert ("auto-generated", "Wed, 25 Nov 2026 08:00:00 +0000") == (read["auto-submitted"], read["date"])


def test_text() -> None:
    """What, from whom, when in the domain's zone, why, and where it is delivered."""
    text, _ = parts(DIGEST)
    assert text.startswith(
        "5 mails were kept for ann@example.org.\n"
        "From Tue 24 Nov, 09:00 to Wed 25 Nov, 09:00.\n"
        "\n"
        "Held: the senders believe that it arrived (1)\n"
        "---------------------------------------------\n"
        "\n"
        "Das Angebot für Sie\n"
        "  From mia@partner.example, Wed 25 Nov, 07:00\n"
        "  Why: SPF says fail\n"
        "  Deliver it: https://mx.example.org/digest/TOKEN.1\n"
        "\n"
        "Refused: the senders were told (1)\n"
    )
    assert "(no subject)\n  From (a bounce), Wed" in text
    assert "  In the console: 0DQ3N7V5K2F8T.1\n\nAnd 3 more.\n" in text
    assert "deleted after 30 days." in text
    assert "/archive" not in text


def test_whole_domain() -> None:
    """Says to whom each mail was, and where all of it is."""
    text, html = parts(replace(DIGEST, whole=True, reader="postmaster@example.org"))
    assert "5 mails were kept for example.org." in text
    assert "  To ann@example.org\n" in text
    assert "https://mx.example.org/archive?domain=example.org" in text
    assert "→ <bdi>ann@example.org</bdi>" in html


def test_german() -> None:
    """In the domain's language, the subject too; a language that we do not speak is English."""
    read = mail(replace(DIGEST, language="de", held=(), refused=(DIGEST.held[0],), more=0))
    assert "1 Mail für ann@example.org wurde aufbewahrt" == read["subject"]
    text, html = parts(replace(DIGEST, language="de"))
    assert "Von Di. 24 Nov., 09:00 bis Mi. 25 Nov., 09:00." in text
    assert '<html lang="de">' in html
    assert "Zustellen</a>" in html
    assert "mails were kept" in parts(replace(DIGEST, language="xx"))[0]


def test_nothing() -> None:
    """A digest that somebody asked for may be empty."""
    text, html = parts(replace(DIGEST, held=(), refused=(), more=0))
    assert "0 mails were kept" in text
    assert "Nothing was kept." in text
    assert "Nothing was kept." in html


HOSTILE = [
    '<script>alert(1)</script><img src=x onerror="alert(1)">',
    'x" onmouseover="alert(1)',
    "a\r\nBcc: victim@example.net\r\n\r\nbody",
    "a\n  Deliver it: https://evil.example/\n-- ",
    "\u202egnp.exe \u2028 next \u2029 \x00\x1b[31m\x85",
    "--=_gatepost_digest-1--",
    "=?utf-8?B?PGI+?=",
    "{{ 7 * 7 }} %(n)s %s",
    "\udcff\ud800",
    "x" * 100_000,
    "=" * 3000,
    "ü" * 3000,
    ".",
    "From me",
]


class Tags(HTMLParser):
    """Collects what is not text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, tuple(name for name, _ in attrs)))


def tags(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the elements of a page."""
    reader = Tags()
    reader.feed(html)
    return reader.found


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("whole", [False, True])
def test_hostile(payload: str, whole: bool) -> None:
    """The same elements, header fields and lines as with a harmless mail; nothing unseen in any of them."""
    bad = Kept(
        "0DQ3N7V5K2F8T.1", AT, payload, payload, "example.org", ip=payload, host=payload, reason=payload,
        plugin=payload, subject=payload, message_id=payload,
    )  # fmt: skip
    good = replace(bad, sender="a", recipient="b", reason="c", plugin="d", subject="e")
    read, usual = (
        mail(replace(DIGEST, whole=whole, held=(Row(one, "T"),), refused=())) for one in (bad, good)
    )
    assert read.keys() == usual.keys()
    (plain, html), (usual_plain, usual_html) = (
        [part.get_content() for part in one.iter_parts()] for one in (read, usual)
    )
    assert len(usual_plain.splitlines()) == len(plain.splitlines())
    assert tags(usual_html) == tags(html)
    assert "".join(plain.split()).isprintable()
    assert len(plain) < 4_000


def test_bounded() -> None:
    """The largest digest is a mail of a size that every server takes."""
    kept = replace(KEPT, subject="ü" * 1000, sender="ü" * 1000, reason="ü" * 1000)
    raw = digest_mail.make(replace(DIGEST, whole=True, held=(Row(kept, "t" * 400),) * 50), "x", AT)
    assert len(raw) < 600_000


def test_an_international_reader() -> None:
    """His address stands as it is: the entry of the queue says SMTPUTF8."""
    raw = digest_mail.make(replace(DIGEST, reader="jürgen@example.org"), "x", AT)
    assert "To: <jürgen@example.org>\r\n".encode() in raw
    assert b"Subject: =?utf-8?B?" in raw


def test_encoded_words() -> None:
    """Each holds whole characters and is short enough; together they say what was said."""
    said = "Für Jürgen: " + "日本語" * 20
    field = digest_mail.encoded(said)
    assert max(map(len, field.split("\r\n "))) <= 75
    raw = f"Subject: {field}\r\n\r\n".encode("ascii")
    assert said == message_from_bytes(raw, policy=policy.default)["subject"]
    assert "plain" == digest_mail.encoded("plain")


def test_a_subject_is_no_link() -> None:
    """A line that looks like ours, with an address in it: no mail program makes a link of it."""
    kept = replace(
        KEPT, subject="Deliver it: https://evil.example/digest/x", reason="said http://evil.example"
    )
    for said in parts(replace(DIGEST, held=(Row(kept, "TOKEN.1"),))):
        assert "https[:]//evil.example/digest/x" in said
        assert "://evil" not in said
        assert "https://mx.example.org/digest/TOKEN.1" in said
