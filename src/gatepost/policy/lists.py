"""Allow and deny lists: which entry decides about a client and a sender (CONTRACT 5, precedence 3 to 6).

A mailbox's entries come before its domain's, those before the entries for all domains. At one
level the more exact one wins; of two equally exact ones allow wins. An allow entry for something
that the client merely claims (an unproven sender, a HELO name) never beats a deny entry for the
client itself: envelope senders are forged.

A `Table` is built once for one scope and shared: 100,000 domains have one table of the entries
for all of them. A look costs a few dictionary look-ups, however long the lists are.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import ClassVar

from gatepost.mail.address import Address, fold
from gatepost.policy.entries import LEVELS, Entry, EntryError, entry_text, parse_entry, unmapped

__all__ = ["Entry", "EntryError", "Lists", "Table", "entry_text", "parse_entry"]

_ABOUT_CLIENT = frozenset({"ip", "net", "host", "tld", "helo"})
_CLAIMS = frozenset({"sender", "sender_domain", "helo"})
"""Said by the client and not proven by the connection."""
MAX_LABELS = 40
"""Labels of a sender's domain that are looked at, from the right (a domain may have 127)."""

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
        address = unmapped(ip_address(client))
    except ValueError:
        return 0, 0
    return address.version, int(address)


def canonical_client(client: str) -> str:
    """Return an address in the one spelling that entries have; IPv4 comes that way from the kernel."""
    if ":" not in client:
        return client
    try:
        return str(unmapped(ip_address(client)))
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
