"""A notice is a report that programs read (RFC 3464), and holds nothing hostile of the mail it is about."""

from __future__ import annotations

import email
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.relay.bounce import Fate, date, make_notice, quoted


def notice(
    head: bytes = b"Subject: x\r\n\r\n", diagnostic: str = "550 no such user", action: str = "failed"
) -> bytes:
    return make_notice(
        hostname="mx.example.org",
        id="ab12",
        to="a@b.example",
        fates=[Fate("ann@example.org", action, "5.1.1", diagnostic, "rfc822;ann@example.org")],
        head=head,
        now=1_795_392_000.0,
        arrived=1_795_305_600.0,
        envid="QQ",
    )


def parts(data: bytes) -> list[Message]:
    message = email.message_from_bytes(data)
    assert "multipart/report" == message.get_content_type()
    found = message.get_payload()
    assert isinstance(found, list)
    return [part for part in found if isinstance(part, Message)]


@pytest.mark.parametrize("action", ["failed", "delayed", "relayed"])
def test_report(action: str) -> None:
    """Three parts; the second one has the fields of RFC 3464; nobody answers it (RFC 3834)."""
    data = notice(action=action)
    text, report, head = parts(data)
    assert ["text/plain", "message/delivery-status", "text/rfc822-headers"] == [
        part.get_content_type() for part in (text, report, head)
    ]
    said = report.as_string()
    for line in (
        "Reporting-MTA: dns; mx.example.org",
        "Original-Envelope-Id: QQ",
        "Final-Recipient: rfc822; ann@example.org",
        "Original-Recipient: rfc822;ann@example.org",
        f"Action: {action}",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 no such user",
    ):
        assert line in said
    assert b"Auto-Submitted: auto-replied\r\n" in data
    assert b"To: <a@b.example>\r\n" in data
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert all(len(line) < 998 for line in data.split(b"\r\n"))


HOSTILE = [
    b"Subject: x\r\n--=_gatepost_ab12\r\nContent-Type: text/html\r\n\r\n",
    b"Subject: \x00\x1b[31m\xff\r\n\r\n",
    b"Subject: a\nBcc: b\rX: y\r\n\r\n",
    b"X: " + b"y" * 100_000,
    b"",
    b"\r\n\r\nbody",
]


@pytest.mark.parametrize("head", HOSTILE)
def test_hostile_heads(head: bytes) -> None:
    """The quoted headers make no fourth part, no body, no control character."""
    data = notice(head)
    assert 3 == len(parts(data))
    assert data.isascii()
    assert not set(data) - set(range(32, 127)) - {9, 10, 13}
    assert len(data) < 20_000


@given(st.binary(max_size=300), st.text(max_size=100))
def test_anything(head: bytes, diagnostic: str) -> None:
    """Three parts whatever stood in the mail or came from the next hop."""
    data = notice(head, diagnostic)
    assert 3 == len(parts(data))
    assert data.isascii()
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_quoted_and_date() -> None:
    """The body is never quoted; the date is UTC."""
    assert "Subject: x\r\n" == quoted(b"Subject: x\r\n\r\nsecret")
    assert "Mon, 23 Nov 2026 00:00:00 +0000" == date(1_795_392_000.0)
