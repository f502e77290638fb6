"""Machines' answers are told from people's mail, and from shops that ask to confirm something."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.automatic import Kind, automatic
from gatepost.mail.message import Message
from tests.cost import assert_cheap


def kind(*fields: str, null_sender: bool = False) -> str | None:
    found = automatic(Message("".join(f"{f}\r\n" for f in (*fields, "")).encode()), null_sender=null_sender)
    return found.kind if found else None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (("Content-Type: multipart/report; report-type=delivery-status; boundary=x",), Kind.BOUNCE),
        (('Content-Type: multipart/report;\r\n\tboundary=x; report-type="delivery-status"',), Kind.BOUNCE),
        (("Content-Type: multipart/report; report-type=feedback-report",), None),
        (("X-Failed-Recipients: bob@example.net",), Kind.BOUNCE),
        (("From: Mail Delivery System <MAILER-DAEMON@mx.example>", "Subject: Undelivered Mail"), Kind.BOUNCE),
        (("From: Ann <ann@example.net>", "Subject: Undelivered mail, what to do?"), None),
        (("Auto-Submitted: auto-replied", "Subject: Returned mail: see transcript"), Kind.BOUNCE),
        (("X-TMDA-Confirm: 1",), Kind.CHALLENGE),
        (("Auto-Submitted: auto-replied", "Subject: Please confirm your message"), Kind.CHALLENGE),
        (("In-Reply-To: <1@example.org>", "Subject: Message needs sender verification"), Kind.CHALLENGE),
        (("In-Reply-To: <1@x>", "Subject: =?utf-8?q?Please_verify_your_e-mail?="), Kind.CHALLENGE),
        (("From: shop@example.net", "Subject: Please confirm your email address"), None),
        (("Auto-Submitted: auto-replied (vacation)", "Subject: away"), None),
        (("Auto-Submitted: auto-replied; owner-email=ann@example.net", "Subject: away"), Kind.REPLY),
        (("Auto-Submitted: auto-generated", "Subject: backup done"), None),
        (("X-Autoreply: yes",), Kind.REPLY),
        (("Precedence: auto_reply",), Kind.REPLY),
        (("Precedence: list", "Subject: [list] hello"), None),
        (("From: Ann <ann@example.net>", "Subject: lunch"), None),
        ((), None),
    ],
)
def test_kinds(fields: tuple[str, ...], expected: Kind | None) -> None:
    """What each kind of program writes, and what only looks like it."""
    assert expected == kind(*fields)


def test_null_sender() -> None:
    """With the null sender it is a bounce, unless it is known better."""
    assert Kind.BOUNCE == kind("Subject: lunch", null_sender=True)
    assert Kind.CHALLENGE == kind("Subject: confirm your message", null_sender=True)
    assert Kind.REPLY == kind("Auto-Submitted: auto-replied", "Subject: away", null_sender=True)


@given(st.binary(max_size=400), st.booleans())
def test_any_header(head: bytes, null_sender: bool) -> None:
    """Whatever the headers are, there is an answer and no error."""
    found = automatic(Message(head), null_sender=null_sender)
    assert found is None or found.kind in Kind


@pytest.mark.parametrize("piece", ["confirm ", "mail ", "delivery failed ", "report-type=", "<postmaster"])
def test_time_is_bounded(piece: str) -> None:
    """A field of any size is looked at in time that does not grow."""
    line = piece * 10_000
    head = f"Subject: {line}\r\nFrom: {line}\r\nContent-Type: multipart/report; {line}\r\n\r\n".encode()
    assert_cheap(0.1, lambda: automatic(Message(head), null_sender=True))
