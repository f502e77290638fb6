"""XCLIENT is read and written so that a value means the same on both sides and breaks nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.smtp.errors import CommandError
from gatepost.smtp.xclient import ATTRIBUTES, format_attributes, parse_xclient

TEXT = st.text(min_size=1, max_size=40).filter(str.isprintable)
KINDS = {"ADDR": st.ip_addresses().map(str), "PORT": st.integers(0, 65_535).map(str)}
KINDS |= {"DESTADDR": KINDS["ADDR"], "DESTPORT": KINDS["PORT"]}
VALUES = st.fixed_dictionaries({}, optional={n: st.none() | KINDS.get(n, TEXT) for n in ATTRIBUTES})


def test_parse() -> None:
    """Names in any case, xtext undone, unknown values None, IPv6 without its prefix."""
    assert parse_xclient("NAME=mx.example.com addr=192.0.2.1 HELO=a+20b PORT=[UNAVAILABLE]") == {
        "NAME": "mx.example.com",
        "ADDR": "192.0.2.1",
        "HELO": "a b",
        "PORT": None,
    }
    assert parse_xclient("ADDR=IPV6:2001:db8::1 NAME=[TEMPUNAVAIL]") == {"ADDR": "2001:db8::1", "NAME": None}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NAME",
        "FROB=1",
        "NAME=a NAME=b",
        "NAME=a+0Ab",
        "NAME=a+0",
        "NAME=a+FF",
        "NAME=a  ADDR=b",
        "NAME=" + "a" * 256,
        "ADDR=nonsense",
        "ADDR=192.0.2",
        "ADDR=IPV6:fe80::1%25eth0",
        "PORT=65536",
        "PORT=-1",
    ],
)
def test_refused(text: str) -> None:
    """What is no attribute, comes twice, hides a control character, or is no address or port."""
    with pytest.raises(CommandError) as caught:
        parse_xclient(text)
    assert caught.value.reply.code == 501


@given(VALUES)
def test_round_trip(attributes: dict[str, str | None]) -> None:
    """What is written is what is read."""
    if not attributes or any((v or "").startswith("[") for v in attributes.values()):
        return
    assert parse_xclient(format_attributes(attributes)) == attributes


@given(st.text(max_size=60))
def test_only_our_own_error_comes_out(text: str) -> None:
    """Any text gives attributes or a CommandError."""
    for attempt in (text, "NAME=" + text):
        try:
            found = parse_xclient(attempt)
        except CommandError:
            continue
        assert all(value is None or value.isprintable() for value in found.values())
