"""Arnt Gulbrandsen's messages with international addresses and names (RFC 6532): read as they are meant."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.auth.author import authors
from gatepost.learn.words import words
from gatepost.mail.address import parse_address
from gatepost.mail.message import Message, find_border
from gatepost.mail.structure import Structure, read_structure
from tests.conformance.suites import SUITES, suite

JORAN = "Jøran Øygårdvær <jøran@example.com>"
ARNT = "Arnt Gulbrandsen <arnt@example.com>"
JAM = "blåbærsyltetøy"
MESSAGES: dict[str, dict[str, Any]] = {
    "addresses": {
        "From": JORAN,
        "Cc": JORAN,
        "To": ARNT,
        "Signed-Off-By": JORAN,
        "author": "example.com",
        "parts": [("text/plain", [])],
        "says": "syntactically that's just a string",
        "words": {"a:from:jøran", "a:from:jøran@example.com", "a:cc:jøran@example.com"},
    },
    "attachment": {
        "From": ARNT,
        "author": "example.com",
        "parts": [("multipart/mixed", []), ("text/plain", []), ("image/jpeg", [JAM])],
        "says": "a somewhat challenging filename",
        "words": {f"m:f:{JAM}", "m:magic:ffd8ffe0"},
    },
    "from": {
        "From": JORAN,
        "To": ARNT,
        "author": "example.com",
        "parts": [("text/plain", [])],
        "says": "asdf",
        "words": {"a:from:øygårdvær"},
    },
    "mimefield": {
        "From": ARNT,
        "author": "example.com",
        "parts": [("text/plain", [JAM])],
        "says": "perfectly legal",
        "words": {f"m:f:{JAM}"},
    },
    "not-emoji": {
        "From": "xn--ls8ha@outlook.com",  # a local part is nobody's to decode
        "author": "outlook.com",
        "parts": [("text/plain", [])],
        "says": "is not an emoji",
        "words": {"a:from:xn--ls8ha@outlook.com"},
    },
    "punycode": {
        "From": "Dømi <info@xn--dmi-0na.fo>",
        "To": "Dømi <dømi@xn--dmi-0na.fo>",
        "Cc": JORAN,
        "author": "xn--dmi-0na.fo",
        "parts": [("text/plain", [])],
        "says": "should handle both forms in the same way",
        "words": {"a:from:info@xn--dmi-0na.fo", "a:to:dømi@xn--dmi-0na.fo"},
    },
}
"""File -> headers as a person reads them, the author's domain, parts with their names, what the text says."""


def read(name: str) -> tuple[Message, Structure]:
    """Read a message as it comes over SMTP, where lines end with CRLF."""
    raw = suite("eai-test-messages", name).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    message = Message(raw[: find_border(raw)], raw)
    return message, read_structure(message)


def test_the_suite_is_whole() -> None:
    """No message of it is forgotten here."""
    suite("eai-test-messages")
    files = {path.name for path in (SUITES / "eai-test-messages").iterdir()} - {"README.md"}
    assert files == set(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name: str) -> None:
    """Names and addresses as they were written, one certain author, parts with their names, nothing odd."""
    wanted = MESSAGES[name]
    message, structure = read(name)
    assert (False, False, []) == (message.ambiguous, message.over_budget, structure.troubles)
    for field in ("From", "To", "Cc", "Signed-Off-By"):
        if field in wanted:
            assert [wanted[field]] == message.all(field)
    found = authors(message)
    assert ((wanted["author"],), "", "") == (found.domains, found.ambiguous, found.problem)
    assert wanted["parts"] == [(part.type, part.filenames) for part in structure.parts]
    (text,) = [part.text() for part in structure.parts if part.type == "text/plain"]
    assert wanted["says"] in text.replace("\r\n", " ")
    assert wanted["words"] <= set(words(message, structure))


def test_the_picture() -> None:
    """The attachment's bytes are a whole JPEG, from its first marker to its last."""
    _, structure = read("attachment")
    picture = structure.parts[-1].content()
    assert (b"\xff\xd8\xff\xe0", b"\xff\xd9") == (picture[:4], picture[-2:])


def test_other_parameters() -> None:
    """A parameter that nobody asked about may be international, too."""
    _, structure = read("attachment")
    assert "abstürzen" == structure.parts[1].content_type.get("x-eai-please-do-not")


def test_the_addresses_are_mailboxes() -> None:
    """Each address can stand in the envelope; both forms of a domain are one, a local part is as it is."""
    both = parse_address("dømi@xn--dmi-0na.fo"), parse_address("dømi@dømi.fo")
    assert both[0] == both[1]
    assert "xn--dmi-0na.fo" == both[1].domain
    assert ("jøran", "example.com") == parse_address("Jøran@example.com").key
    assert "xn--ls8ha" == parse_address("xn--ls8ha@outlook.com").local
    assert parse_address("xn--ls8ha@outlook.com") != parse_address("💩@outlook.com")
