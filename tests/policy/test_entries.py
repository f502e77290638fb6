"""What a person types becomes one canonical entry, or an error that says what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.policy.entries import FIELDS, Entry, EntryError, entry_text, parse_entry, unmapped

GOOD = [
    ("192.0.2.1", "ip", "192.0.2.1"),
    (" 192.0.2.1 ", "ip", "192.0.2.1"),
    ("2001:DB8::1", "ip", "2001:db8::1"),
    ("[2001:db8:0:0::1]", "ip", "2001:db8::1"),
    ("::ffff:192.0.2.1", "ip", "192.0.2.1"),
    ("10.0.0.0/8", "net", "10.0.0.0/8"),
    ("2001:db8::/32", "net", "2001:db8::/32"),
    ("192.0.2.1/32", "ip", "192.0.2.1"),
    ("Ann@Example.ORG", "sender", "ann@example.org"),
    ("example.org", "sender_domain", "example.org"),
    ("bücher.example", "sender_domain", "xn--bcher-kva.example"),
    (".ru", "tld", "ru"),
    ("tld:ru", "tld", "ru"),
    ("tld:.com.br", "tld", "com.br"),
    ("host:Mail.Example.org", "host", "mail.example.org"),
    ("helo:Friend", "helo", "friend"),
    ("domain:example.org", "sender_domain", "example.org"),
    ("ip:192.0.2.7", "ip", "192.0.2.7"),
    ("net:192.0.2.7/32", "net", "192.0.2.7/32"),
]


@pytest.mark.parametrize(("text", "field", "value"), GOOD)
def test_what_a_person_types(text: str, field: str, value: str) -> None:
    """Each form is known by its look or by its prefix."""
    assert parse_entry(text) == (field, value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("1.2.3.400", "not an IP address"),
        ("10.0.0.5/8", "did you mean 10.0.0.0/8"),
        ("banana/8", "not a network"),
        ("ann@", "not a mail address"),
        ("under_score.example", "not a domain"),
        ("example.org.", "without a dot"),
        ("..ru", "end of a host name"),
        ("host:", "not a host name"),
        ("helo:two words", "not a HELO name"),
        ("../../etc/passwd", "not a network"),
        ("ip:example.org", "not an IP address"),
        ("*.ru", "no wildcards; .* .ru is the end"),
        ("10.*", "no wildcards; .* 10.0.0.0/8 a network"),
        ("*@example.net", "no wildcards; example.net has its sub-domains"),
        ("ann@*.example.net", "no wildcards"),
    ],
)
def test_what_is_no_entry(text: str, why: str) -> None:
    """The error says what is wrong, and what was probably meant."""
    with pytest.raises(EntryError, match=why):
        parse_entry(text)


@pytest.mark.parametrize(("_text", "field", "value"), GOOD)
def test_printed_and_read_back(_text: str, field: str, value: str) -> None:
    """What is shown can be typed again and is the same entry."""
    shown = entry_text(field, value)
    assert parse_entry(shown)[1].removesuffix("/32") == value.removesuffix("/32")
    assert field in FIELDS


@given(st.text(max_size=80))
def test_only_our_own_error(text: str) -> None:
    """Whatever is typed, it is an entry or an EntryError."""
    try:
        field, value = parse_entry(text)
    except EntryError:
        return
    assert field in FIELDS
    assert parse_entry(entry_text(field, value)) == (field, value)


def test_as_text() -> None:
    """An entry says its kind, itself and how far it reaches."""
    assert str(Entry(1, "allow", "tld", "ru", level="all")) == "allow .ru (all domains)"
    assert str(Entry(1, "deny", "host", "a.example", level="mailbox")) == "deny host:a.example (mailbox)"
    assert Entry(1, "deny", "ip", "192.0.2.1").text == "192.0.2.1"


def test_unmapped() -> None:
    """IPv4 within IPv6 is IPv4."""
    from ipaddress import ip_address

    assert str(unmapped(ip_address("::ffff:192.0.2.1"))) == "192.0.2.1"
    assert str(unmapped(ip_address("2001:db8::1"))) == "2001:db8::1"
