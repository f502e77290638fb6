"""The real Exim behind the tests: it delivers, refuses, defers and offers what it should."""

import smtplib
import uuid

from tests.system.exim import Exim


def test_mail_arrives(exim: Exim) -> None:
    """A mail for ann of either domain is in her Maildir."""
    for domain in ("example.org", "second.example"):
        marker = uuid.uuid4().hex
        with smtplib.SMTP("127.0.0.1", exim.port, timeout=10) as client:
            client.sendmail("me@client.example", [f"ann@{domain}"], f"Subject: {marker}\r\n\r\nHello\r\n")
        assert b"Hello" in exim.maildir("ann").wait(marker)


def test_refusals(exim: Exim) -> None:
    """Unknown users get 550 at RCPT, foreign domains too; `later` is deferred."""
    with smtplib.SMTP("127.0.0.1", exim.port, timeout=10) as client:
        client.ehlo("client.example")
        client.mail("me@client.example")
        assert 550 == client.rcpt("nosuch@example.org")[0]
        assert 550 == client.rcpt("ann@foreign.example")[0]
        assert 451 == client.rcpt("later@example.org")[0]
        assert 250 == client.rcpt("bob@example.org")[0]


def test_offers(exim: Exim) -> None:
    """It offers PRDR, CHUNKING, PIPELINING, 8BITMIME, SMTPUTF8 and STARTTLS, and TLS can be had."""
    with smtplib.SMTP("127.0.0.1", exim.port, timeout=10) as client:
        client.ehlo("client.example")
        offered = set(client.esmtp_features)
        assert {"prdr", "chunking", "pipelining", "8bitmime", "smtputf8", "size", "starttls"} <= offered
        assert 220 == client.starttls()[0]
        assert 250 == client.ehlo("client.example")[0]


def test_picky_refuses_after_the_data(exim: Exim) -> None:
    """With PRDR each recipient has a reply of its own (draft-hall-prdr): ann takes it, picky does not."""
    marker = uuid.uuid4().hex
    with smtplib.SMTP("127.0.0.1", exim.port, timeout=10) as client:
        client.ehlo("client.example")
        client.mail("me@client.example", ["PRDR"])
        assert 250 == client.rcpt("ann@example.org")[0]
        assert 250 == client.rcpt("picky@example.org")[0]
        assert 354 == client.docmd("DATA")[0]
        client.send(f"Subject: {marker}\r\n\r\nHello\r\n.\r\n".encode())
        assert [353, 250, 550, 250] == [client.getreply()[0] for _ in range(4)]
    assert b"Hello" in exim.maildir("ann").wait(marker)
