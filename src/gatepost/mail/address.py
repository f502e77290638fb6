"""Addresses of the envelope, by the strict grammar of RFC 5321 section 4.1.2 (and RFC 6531).

One grammar for the wire and for people who type an address. Whoever reads an address otherwise
than the next server does can be led past a check (CVE-2023-27043), so nothing is guessed: what
the grammar does not have is an `AddressError`. Plain `local@domain` takes one regex; quotes,
source routes, literals and international names take the long way to the same answer.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - loads the codec once, at start
import re
import unicodedata
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any

MAX_LOCAL = 64
"""Octets of a local part (RFC 5321, 4.5.3.1.1)."""
MAX_DOMAIN = 255
"""Octets of a domain (4.5.3.1.2)."""
MAX_PATH = 254
"""Octets of `local@domain`: a path has 256 with its angle brackets (4.5.3.1.3)."""
MAX_LABEL = 63
"""Octets of one label of a domain (RFC 1035, 2.3.4)."""
MAX_ROUTE = 2048
"""Octets looked at in all, source route included."""


class AddressError(ValueError):
    """What was given is no address; the text says why, in words for the sender."""


class NeedsUtf8(AddressError):
    """The address is international and SMTPUTF8 was not asked for (RFC 6531, 3.2)."""


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Address:
    """A mailbox of the envelope. Two addresses are equal when their `key` is."""

    local: str
    """Local part as a value: quotes and backslashes undone, case kept."""
    domain: str
    """Lower case; A-labels (`xn--`) for international names; `[192.0.2.1]` a literal; "" for postmaster."""
    text: str
    """As it was given between the angle brackets, without source route: what is handed on."""

    def __init__(self, local: str, domain: str, text: str) -> None:
        # By hand: the __init__ of a frozen dataclass takes twice as long, and two are made a session.
        _set_local(self, local)
        _set_domain(self, domain)
        _set_text(self, text)

    @property
    def key(self) -> tuple[str, str]:
        """The same for all spellings of one mailbox: local part folded, and domain."""
        return fold(self.local), self.domain

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Address):
            return NotImplemented
        return self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


_set_local: Any = Address.__dict__["local"].__set__
_set_domain: Any = Address.__dict__["domain"].__set__
_set_text: Any = Address.__dict__["text"].__set__

_ATEXT = r"A-Za-z0-9!#$%&'*+\-/=?^_`{|}~"
PLAIN = re.compile(rf"<((?!\.)([{_ATEXT}.]+)@(?![-.])([A-Za-z0-9.\-]+))>")
"""`<local@domain>` in ASCII, as groups text, local, domain. Who uses it asks `is_plain` for the rest."""
# By what they have not: a class that reaches to U+10FFFF takes 2 to 5 ms to compile, at each start.
_UTF8_ATEXT = r"[^\x00-\x20\"(),.:;<>@\[\\\]\x7f]"
# No possessive group: Python 3.11.2 (Debian 12) does not step back behind a turn that failed (gh-101955).
_DOT_ATOM = re.compile(rf"{_UTF8_ATEXT}+(?:\.{_UTF8_ATEXT}+)*")
_QUOTED = re.compile(r'"((?:[^\x00-\x1f"\\\x7f]|\\[ -~])*)"')
_DOMAIN = re.compile(r"[^\x00-/:-@\[-`{-\x7f](?:[^\x00-,/:-@\[-`{-\x7f]*+)")
_LITERAL = re.compile(r"\[([!-Z^-~]{1,60}+)\]")
_ROUTE = re.compile(r"@[^@,:<>\"\\ ]+(?:,@[^@,:<>\"\\ ]+)*:")
_LABELS = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?)*")
_UNQUOTE = re.compile(r"\\(.)")
_JOINERS = dict.fromkeys((0x200C, 0x200D))
"""Zero-width (non-)joiner: the only format characters that Persian and Indic names need."""


def is_plain(text: str, local: str, domain: str) -> bool:
    """Return whether a match of `PLAIN` is a valid address; if not, the long way says what is wrong."""
    if local[-1] == "." or domain[-1] in "-.":  # not by look-behind: Python 3.11.2 forgets it behind `++`
        return False
    if ".." in text or len(local) > MAX_LOCAL or len(domain) > MAX_LABEL:
        return False  # in a domain of so few octets no label is too long either
    return "-" not in domain or not ("-." in domain or ".-" in domain)


def needs_quotes(local: str) -> bool:
    """Return whether a local part can only be written in quotes."""
    return _DOT_ATOM.fullmatch(local) is None


def fold(local: str) -> str:
    """Return a local part as it is compared: lower case, NFC."""
    if local.isascii():
        return local.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())


def parse_path(
    raw: bytes, *, utf8: bool, allow_null: bool = False, allow_postmaster: bool = False
) -> tuple[Address | None, bytes]:
    """Parse `<...>` at the start of `raw`; return the address (None for `<>`) and what follows it.

    Spaces before the bracket are passed over, as most servers do though RFC 5321 3.3 forbids them.
    """
    raw = raw.lstrip(b" ")
    text = _decode(raw[:MAX_ROUTE], utf8)
    plain = PLAIN.match(text)
    if plain is not None:
        whole, local, domain = plain.groups()
        if is_plain(whole, local, domain):
            return Address(local, domain.lower(), whole), raw[plain.end() :]
    if not text.startswith("<"):
        raise AddressError("address must stand in angle brackets")
    if text.startswith("<>"):
        if not allow_null:
            raise AddressError("empty address")
        return None, raw[2:]
    at = 1
    route = _ROUTE.match(text, at)
    if route is not None:
        at = route.end()
    address, end = _mailbox(text, at, allow_postmaster)
    if text[end : end + 1] != ">":
        raise AddressError("bad character in address, or no closing bracket")
    return address, raw[len(text[: end + 1].encode()) :]


def parse_address(text: str, utf8: bool = True) -> Address:
    """Parse what a person typed or a plugin returned: `local@domain`, with or without brackets."""
    text = text.strip()
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    if not utf8 and not text.isascii():
        raise NeedsUtf8("address is not ASCII")
    if len(text) > MAX_ROUTE:
        raise AddressError("address is too long")
    address, end = _mailbox(text, 0, allow_postmaster=False)
    if end != len(text):
        raise AddressError("bad character in address")
    return address


def parse_domain(text: str) -> str:
    """Return a domain name or address literal as it is compared: lower case, A-labels."""
    if text.startswith("["):
        literal = _LITERAL.fullmatch(text)
        if literal is None:
            raise AddressError("bad address literal")
        return _literal(literal[1])
    if len(text) > MAX_DOMAIN:
        raise AddressError("domain is too long")
    return _domain_name(text)


def _decode(raw: bytes, utf8: bool) -> str:
    if raw.isascii():
        return raw.decode("ascii")
    if not utf8:
        raise NeedsUtf8("address is not ASCII")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise AddressError("address is not valid UTF-8") from None


def _mailbox(text: str, at: int, allow_postmaster: bool) -> tuple[Address, int]:
    """Parse `Mailbox` of RFC 5321 4.1.2 at `at`; return it and the position behind it."""
    atom = _DOT_ATOM.match(text, at)
    quoted = None if atom is not None else _QUOTED.match(text, at)
    if atom is not None:
        local, end = atom[0], atom.end()
    elif quoted is not None:
        local, end = _UNQUOTE.sub(r"\1", quoted[1]), quoted.end()
    else:
        raise AddressError("bad local part")
    if text[end : end + 1] != "@":
        if allow_postmaster and atom is not None and local.lower() == "postmaster":
            return Address(local, "", local), end
        raise AddressError("bad character in local part, or no domain")
    _check_international(local)
    if len(text[at:end].encode()) > MAX_LOCAL:
        raise AddressError("local part is too long")
    literal = _LITERAL.match(text, end + 1)
    if literal is not None:
        domain, end = _literal(literal[1]), literal.end()
    else:
        name = _DOMAIN.match(text, end + 1)
        if name is None:
            raise AddressError("bad domain")
        if len(name[0]) > MAX_DOMAIN:
            raise AddressError("domain is too long")
        domain, end = _domain_name(name[0]), name.end()
    whole = text[at:end]
    if len(whole.encode()) > MAX_PATH:
        raise AddressError("address is too long")
    return Address(local, domain, whole), end


def _domain_name(name: str) -> str:
    if not name.isascii():
        _check_international(name)
        try:
            # Bounded by MAX_DOMAIN above: the codec was quadratic in its time (CVE-2022-45061).
            name = unicodedata.normalize("NFC", name).encode("idna").decode("ascii")
        except UnicodeError:
            raise AddressError("bad international domain") from None
    name = name.lower()
    if _LABELS.fullmatch(name) is None:
        raise AddressError("bad domain")
    if len(name) > MAX_DOMAIN:
        raise AddressError("domain is too long")
    return name


def _literal(inner: str) -> str:
    """Return the canonical form of an IPv4 or IPv6 literal (RFC 5321, 4.1.3); other tags are not in use."""
    try:
        if inner[:5].lower() == "ipv6:":
            if "%" in inner:
                raise AddressError("bad address literal")
            return f"[ipv6:{IPv6Address(inner[5:]).compressed}]"
        return f"[{IPv4Address(inner)}]"
    except AddressValueError:
        raise AddressError("bad address literal") from None


def _check_international(text: str) -> None:
    """Refuse what looks like nothing or turns the line around: controls, bidi marks, odd spaces."""
    if not text.isascii() and not is_printable(text):
        raise AddressError("unprintable character in address")


def is_printable(text: str) -> bool:
    """Return whether an address may stand in a line: what the grammar lets in goes out as well."""
    return text.isprintable() or text.translate(_JOINERS).isprintable()
