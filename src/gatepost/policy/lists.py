"""Allow and deny lists: which entry decides about a client and a sender (CONTRACT 5, precedence 3 to 6).

A mailbox's entries come before its domain's, those before the entries for all domains. At one
level the more exact one wins; of two equally exact ones allow wins. An allow entry for something
that the client merely claims (an unproven sender, a HELO name) never beats a deny entry for the
client itself: envelope senders are forged.

A `Table` is built once for one scope and shared: 100,000 domains have one table of the entries
for all of them. A look costs a few dictionary look-ups, however long the lists are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ClassVar

from gatepost.mail.address import Address, AddressError, fold, parse_address, parse_domain

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
_ABOUT_CLIENT = frozenset({"ip", "net", "host", "tld", "helo"})
_CLAIMS = frozenset({"sender", "sender_domain", "helo"})
"""Said by the client and not proven by the connection."""
_HELO = re.compile(r"[!-~]{1,255}")
MAX_LABELS = 40
"""Labels of a sender's domain that are looked at, from the right (a domain may have 127)."""


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
    return str(_unmapped(address))


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
        return "ip", str(_unmapped(network.network_address))
    return "net", str(network)


def _net_only(text: str) -> str:
    field, value = _network(text)
    if field == "net":
        return value
    return f"{value}/{ip_address(value).max_prefixlen}"


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
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
        return parse_domain(text)
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

# How exact an entry is: the smaller the number, the more exact (CONTRACT 5, precedence 4).
_IP, _SENDER, _HOST, _DOMAIN, _PARENT, _NET, _TLD, _HELO_NAME = 0, 1, 2, 3, 4, 400, 600, 700


class Table:
    """The entries of one scope and one plugin, by field and value."""

    __slots__ = ("by_value", "entries", "fields", "nets")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self.by_value: dict[tuple[str, str], list[Entry]] = {}
        """(field, value) -> entries, allow first."""
        self.nets: list[tuple[int, int, dict[int, list[Entry]]]] = []
        """(IP version, prefix length, number of the network -> entries), longest prefix first."""
        nets: dict[tuple[int, int], dict[int, list[Entry]]] = {}
        for entry in self.entries:
            if entry.field == "net":
                network = ip_network(entry.value)
                shift = network.max_prefixlen - network.prefixlen
                same = nets.setdefault((network.version, network.prefixlen), {})
                same.setdefault(int(network.network_address) >> shift, []).append(entry)
            else:
                self.by_value.setdefault((entry.field, entry.value), []).append(entry)
        for found in (*self.by_value.values(), *(e for same in nets.values() for e in same.values())):
            found.sort(key=lambda e: e.kind)  # "allow" < "deny"
        for (version, length), same in sorted(nets.items(), reverse=True):
            self.nets.append((version, length, same))
        self.fields = frozenset(entry.field for entry in self.entries)

    def candidates(self, facts: _Facts) -> list[tuple[int, Entry]]:
        """Return the entries that hold, each with how exact it is (small is exact), not sorted."""
        found: list[tuple[int, Entry]] = []
        by_value = self.by_value
        if by_value:
            for rank, key in facts.keys:
                entries = by_value.get(key)
                if entries is not None:
                    found += [(rank, e) for e in entries]
        if self.nets:
            version, number = facts.number()
            width = 32 if version == 4 else 128
            for of_version, length, same in self.nets:
                if of_version == version:
                    entries = same.get(number >> (width - length))
                    if entries is not None:
                        found += [(_NET - length, e) for e in entries]
        now, confirmed, proven = facts.now, facts.host_confirmed, facts.proven
        return [
            (rank, e)
            for rank, e in found
            if (e.expires is None or e.expires > now)
            and (proven or not e.verified)
            # Deny by host name counts for any PTR name, allow only for a forward-confirmed one.
            and (confirmed or e.kind == "deny" or e.field not in ("host", "tld"))
        ]


class _Facts:
    """What is known of a client and a sender, as the keys under which entries may stand."""

    __slots__ = ("_client", "_number", "host_confirmed", "keys", "now", "proven")

    def __init__(
        self,
        client: str,
        sender: Address | None,
        host: str | None,
        host_confirmed: bool,
        helo: str,
        now: float,
        proven: bool,
        fields: frozenset[str],
    ) -> None:
        self._client = client
        self._number: tuple[int, int] | None = None
        self.host_confirmed = host_confirmed
        self.now = now
        self.proven = proven
        keys = [(_IP, ("ip", canonical_client(client)))]
        if "helo" in fields:
            keys.append((_HELO_NAME, ("helo", helo.lower())))
        if sender is not None and sender.domain and ("sender" in fields or "sender_domain" in fields):
            domain = sender.domain
            keys.append((_SENDER, ("sender", f"{fold(sender.local)}@{domain}")))
            keys.append((_DOMAIN, ("sender_domain", domain)))
            labels = domain.split(".")
            first = max(1, len(labels) - MAX_LABELS)
            keys += [
                (_PARENT + n, ("sender_domain", ".".join(labels[n:]))) for n in range(first, len(labels))
            ]
        if host and ("host" in fields or "tld" in fields):
            name = host.lower().rstrip(".")
            keys.append((_HOST, ("host", name)))
            labels = name.split(".")
            first = max(0, len(labels) - MAX_LABELS)
            keys += [
                (_TLD - (len(labels) - n), ("tld", ".".join(labels[n:]))) for n in range(first, len(labels))
            ]
        self.keys = keys

    def number(self) -> tuple[int, int]:
        """Return IP version and number of the client; (0, 0) if it has none."""
        if self._number is None:
            self._number = client_number(self._client)
        return self._number


def client_number(client: str) -> tuple[int, int]:
    """Return (4 or 6, number) of an address as text, (0, 0) for what is none."""
    parts = client.split(".")
    if len(parts) == 4 and ":" not in client:
        try:
            a, b, c, d = parts
            return 4, int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)
        except ValueError:
            return 0, 0
    try:
        address = _unmapped(ip_address(client))
    except ValueError:
        return 0, 0
    return address.version, int(address)


def canonical_client(client: str) -> str:
    """Return an address in the one spelling that entries have; IPv4 comes that way from the kernel."""
    if ":" not in client:
        return client
    try:
        return str(_unmapped(ip_address(client)))
    except ValueError:
        return client


class Lists:
    """The lists that hold for one domain or mailbox, nearest level first. Never changed once built."""

    __slots__ = ("_fields", "needs_host", "tables")

    EMPTY: ClassVar[Lists]

    def __init__(self, entries: Iterable[Entry] = (), *, tables: Iterable[Table] = ()) -> None:
        """`entries` of any level, sorted into tables here; or ready `tables`, nearest level first."""
        ready = [t for t in tables if t.entries]
        by_level: dict[str, list[Entry]] = {}
        for entry in entries:
            by_level.setdefault(entry.level, []).append(entry)
        ready += [Table(by_level[level]) for level in LEVELS if level in by_level]
        self.tables: tuple[Table, ...] = tuple(ready)
        self._fields = frozenset(f for t in ready for f in t.fields)
        self.needs_host = not self._fields.isdisjoint(("host", "tld"))
        """Some entry asks for the client's rDNS name."""

    def __bool__(self) -> bool:
        return bool(self.tables)

    def __len__(self) -> int:
        return sum(len(t.entries) for t in self.tables)

    def match(
        self,
        client: str,
        sender: Address | None,
        host: str | None,
        host_confirmed: bool,
        helo: str,
        now: float,
        proven: bool = False,
    ) -> Entry | None:
        """Return the entry that decides, or None. `proven`: SPF or DKIM agrees with the sender."""
        if not self.tables:
            return None
        facts = _Facts(client, sender, host, host_confirmed, helo, now, proven, self._fields)
        claimed: Entry | None = None
        for table in self.tables:
            found = table.candidates(facts)
            if found:
                best = min(found, key=_order)[1]
                if best.kind == "deny" or best.field not in _CLAIMS or (proven and best.field != "helo"):
                    return best
                claimed = best
                break
        if claimed is None:
            return None
        # An unproven claim allows: unless some entry of any level denies the client itself.
        rest = [e for table in self.tables for e in _ordered(table.candidates(facts), proven)]
        if any(e.kind == "deny" and e.field in _ABOUT_CLIENT for e in rest):
            return rest[0]
        return claimed


def _order(candidate: tuple[int, Entry]) -> tuple[int, str]:
    return candidate[0], candidate[1].kind


def _ordered(found: list[tuple[int, Entry]], proven: bool) -> list[Entry]:
    """Return the entries best first, without allow entries for what is only claimed."""
    return [
        e
        for _, e in sorted(found, key=_order)
        if e.kind == "deny" or e.field not in _CLAIMS or (proven and e.field != "helo")
    ]


Lists.EMPTY = Lists()
