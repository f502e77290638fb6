"""The real Postfix behind the tests: it delivers, refuses, defers and offers what it should."""

import smtplib
import uuid

from tests.system.postfix import Postfix
from tests.system.process import wait_until


def test_mail_arrives(postfix: Postfix) -> None:
    """A mail for ann of either domain is in her Maildir."""
    for domain in ("example.org", "second.example"):
        marker = uuid.uuid4().hex
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=10) as client:
            client.sendmail("me@client.example", [f"ann@{domain}"], f"Subject: {marker}\r\n\r\nHello\r\n")
        assert b"Hello" in postfix.maildir("ann").wait(marker)


def test_refusals(postfix: Postfix) -> None:
    """Unknown users get 550 at RCPT, foreign domains 554; `later` is deferred."""
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=10) as client:
        client.ehlo("client.example")
        client.mail("me@client.example")
        assert 550 == client.rcpt("nosuch@example.org")[0]
        assert 554 == client.rcpt("ann@foreign.example")[0]
        assert 451 == client.rcpt("later@example.org")[0]
        assert 250 == client.rcpt("bob@example.org")[0]


def test_offers(postfix: Postfix) -> None:
    """It offers XCLIENT, XFORWARD, DSN and STARTTLS, and TLS can be had."""
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=10) as client:
        client.ehlo("client.example")
        offered = set(client.esmtp_features)
        assert {
            "xclient",
            "xforward",
            "dsn",
            "chunking",
            "pipelining",
            "8bitmime",
            "smtputf8",
            "starttls",
        } <= offered
        assert 220 == client.starttls()[0]
        assert 250 == client.ehlo("client.example")[0]


def test_xclient_is_in_the_log(postfix: Postfix) -> None:
    """What XCLIENT says is what Postfix takes for the client."""
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=10) as client:
        client.ehlo("client.example")
        assert 220 == client.docmd("XCLIENT", "NAME=far.example ADDR=192.0.2.55 HELO=far.example")[0]
        client.ehlo("client.example")
        client.mail("me@client.example")
        client.rcpt("nosuch@example.org")
    wait_until(lambda: "far.example[192.0.2.55]" in postfix.log(), "the client in Postfix's log")
