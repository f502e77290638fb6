"""List entries: what they may be about, and how a person writes them.

An entry is about the client (its address, network, rDNS name or the end of that, HELO name) or
about the envelope sender (address, domain with its sub-domains). What is typed is brought into
one canonical form, so that two spellings of one thing are one entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from gatepost.mail.address import AddressError, parse_address, parse_domain

LEVELS = ("mailbox", "domain", "all")
KINDS = ("allow", "deny")
FIELDS = ("ip", "net", "sender", "host", "sender_domain", "tld", "helo")
PREFIXES = {
    "ip": "ip",
    "net": "net",
    "sender": "sender",
    "host": "host",
    "domain": "sender_domain",
    "tld": "tld",
    "helo": "helo",
}
"""How a person may say which field is meant: `host:mail.example.org`."""
_HELO = re.compile(r"[!-~]{1,255}")


class EntryError(ValueError):
    """What was given is no list entry; the text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an allow or deny list."""

    id: int
    kind: str
    """`allow` or `deny`."""
    field: str
    """One of `FIELDS`."""
    value: str
    """In canonical form, as `parse_entry` gives it."""
    plugin: str = ""
    """Only for this check; "" for all of them."""
    level: str = "domain"
    """`mailbox`, `domain` or `all`."""
    expires: float | None = None
    """Seconds since 1970."""
    note: str = ""
    verified: bool = False
    """Counts only when SPF or DKIM agrees with the sender."""
    locked: bool = False
    """Only an administrator may change it."""

    @property
    def text(self) -> str:
        """The entry as a person writes it; `parse_entry` reads it back."""
        return entry_text(self.field, self.value)

    def __str__(self) -> str:
        return f"{self.kind} {self.text} ({'all domains' if self.level == 'all' else self.level})"


def entry_text(field: str, value: str) -> str:
    """Return how `parse_entry` reads this field and value."""
    if field in ("host", "helo"):
        return f"{field}:{value}"
    return f".{value}" if field == "tld" else value


def parse_entry(text: str) -> tuple[str, str]:
    """Return (field, value) of what a person typed; `EntryError` says what is wrong with it.

    `192.0.2.1`, `10.0.0.0/8`, `ann@example.org`, `example.org` (sender's domain with its
    sub-domains), `.ru` or `tld:ru` (end of the client's rDNS name), `host:mail.example.org`
    (the whole rDNS name), `helo:friend`.
    """
    text = text.strip()
    if not text:
        raise EntryError("empty entry")
    prefix, colon, rest = text.partition(":")
    if colon and prefix.lower() in PREFIXES:
        field = PREFIXES[prefix.lower()]
        return field, _READERS[field](rest.strip())
    if "*" in text.partition("@")[2] or text.startswith("*@") or ("*" in text and "@" not in text):
        raise EntryError(
            f"{text!r}: there are no wildcards; example.net has its sub-domains with it,"
            " .ru is the end of the client's name, 10.0.0.0/8 a network"
        )
    if "/" in text and "@" not in text:
        return _network(text)
    if _looks_like_ip(text):
        return "ip", _ip(text)
    if "@" in text:
        return "sender", _sender(text)
    if text.startswith("."):
        return "tld", _name(text[1:], "end of a host name")
    return "sender_domain", _name(text, "domain")


def _looks_like_ip(text: str) -> bool:
    return ":" in text or text.startswith("[") or text.replace(".", "").isdecimal()


def _ip(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ip_address(bare)
    except ValueError:
        raise EntryError(f"{text!r} is not an IP address") from None
    return str(unmapped(address))


def _network(text: str) -> tuple[str, str]:
    try:
        network = ip_network(text)
    except ValueError:
        try:
            near = ip_network(text, strict=False)
        except ValueError:
            raise EntryError(f"{text!r} is not a network; write 192.0.2.0/24") from None
        raise EntryError(f"{text!r} has bits behind its prefix; did you mean {near}?") from None
    if network.num_addresses == 1:
        return "ip", str(unmapped(network.network_address))
    return "net", str(network)


def _net_only(text: str) -> str:
    field, value = _network(text)
    if field == "net":
        return value
    return f"{value}/{ip_address(value).max_prefixlen}"


def unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address inside an IPv4-mapped IPv6 address, any other as it is."""
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address


def _sender(text: str) -> str:
    try:
        local, domain = parse_address(text).key
    except AddressError as error:
        raise EntryError(f"{text!r} is not a mail address: {error}") from None
    return f"{local}@{domain}"


def _name(text: str, what: str = "host name") -> str:
    try:
        if text.startswith(("[", ".")) or text.endswith("."):
            raise AddressError("write it without brackets and without a dot around it")
        name = parse_domain(text)
        if name.rpartition(".")[2].isdecimal():
            raise AddressError("its last part is a number")
        return name
    except AddressError as error:
        raise EntryError(f"{text!r} is not a {what}: {error}") from None


def _helo(text: str) -> str:
    if not _HELO.fullmatch(text):
        raise EntryError(f"{text!r} is not a HELO name: 1 to 255 printable ASCII characters without space")
    return text.lower()


_READERS = {
    "ip": _ip,
    "net": _net_only,
    "sender": _sender,
    "host": _name,
    "sender_domain": _name,
    "tld": lambda text: _name(text.removeprefix("."), "end of a host name"),
    "helo": _helo,
}
