"""XCLIENT: a trusted relay tells who the client really is (postfix.org/XCLIENT_README), both ways.

Whether a peer is trusted is the driver's business: the command exists only where `Extensions.xclient`
says so. A value is xtext (RFC 3461, 4); a value that decodes to a control character is no value.
"""

from __future__ import annotations

from ipaddress import ip_address

from gatepost.mail.reply import Reply
from gatepost.smtp.errors import CommandError
from gatepost.smtp.grammar import from_xtext, to_xtext

ATTRIBUTES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT", "REVERSE_NAME")
UNKNOWN = ("[UNAVAILABLE]", "[TEMPUNAVAIL]")
MAX_VALUE = 255
"""Characters of one value."""

_BAD = Reply(501, "5.5.4", "Bad XCLIENT attribute")


def parse_xclient(arguments: str) -> dict[str, str | None]:
    """Return attribute -> value, None for a value that the peer does not know; raises CommandError."""
    out: dict[str, str | None] = {}
    for word in arguments.split(" "):
        name, equals, raw = word.partition("=")
        name = name.upper()
        if not equals or name not in ATTRIBUTES or name in out:
            raise CommandError(_BAD)
        if raw.upper() in UNKNOWN:
            out[name] = None
            continue
        value = from_xtext(raw)
        if value is None or not value.isprintable() or len(value) > MAX_VALUE:
            raise CommandError(_BAD)
        out[name] = _CHECKED[name](value) if name in _CHECKED else value
    return out


def _address(value: str) -> str:
    """XCLIENT writes IPv6 as `IPV6:2001:db8::1`. What is no address would be nobody's in every list."""
    text = value[5:] if value[:5].upper() == "IPV6:" else value
    try:
        if "%" not in text:
            return str(ip_address(text))
    except ValueError:
        pass  # the same error as for a zone
    raise CommandError(_BAD)


def _port(value: str) -> str:
    if len(value) > 5 or not (value.isascii() and value.isdecimal()) or int(value) > 65_535:
        raise CommandError(_BAD)
    return value


_CHECKED = {"ADDR": _address, "DESTADDR": _address, "PORT": _port, "DESTPORT": _port}


def format_attributes(attributes: dict[str, str | None]) -> str:
    """Return `NAME=value ADDR=...` for XCLIENT or XFORWARD; None and "" become [UNAVAILABLE]."""
    words = []
    for name, value in attributes.items():
        if not value:
            words.append(f"{name}=[UNAVAILABLE]")
            continue
        if name in {"ADDR", "DESTADDR"} and ":" in value:
            value = "IPV6:" + value
        words.append(f"{name}={to_xtext(value[:MAX_VALUE])}")
    return " ".join(words)
