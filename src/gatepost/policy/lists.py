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
from gatepost.mail.session import Session
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

    __slots__ = ("allows_senders", "by_field", "entries", "fields", "nets")

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self.by_field: dict[str, dict[str, list[Entry]]] = {}
        """field -> value -> entries, allow first; networks apart."""
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
                self.by_field.setdefault(entry.field, {}).setdefault(entry.value, []).append(entry)
        for (version, length), same in sorted(nets.items(), reverse=True):
            self.nets.append((version, length, same))
        self.fields = frozenset(entry.field for entry in self.entries)
        self.allows_senders = any(
            e.kind == "allow" and e.field in ("sender", "sender_domain") for e in self.entries
        )

    def candidates(self, facts: Facts) -> list[tuple[int, Entry]]:
        """Return the entries that hold, each with how exact it is (small is exact), not sorted."""
        found: list[tuple[int, Entry]] = []
        for field, values in self.by_field.items():
            for rank, value in facts.of(field):
                entries = values.get(value)
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
        if not found:
            return found
        now, confirmed, proven = facts.now, facts.confirmed, facts.proven
        return [
            (rank, e)
            for rank, e in found
            if (e.expires is None or e.expires > now)
            and (proven or not e.verified)
            # Deny by host name counts for any PTR name, allow only for a forward-confirmed one.
            and (e.kind == "deny" or e.field not in ("host", "tld") or (e.field, e.value) in confirmed)
        ]


class Facts:
    """What is known of a client and a sender, as the values under which entries may stand.

    Worked out field by field when a list asks for it, and then for all its tables.
    """

    __slots__ = (
        "_client",
        "_helo",
        "_hosts",
        "_known",
        "_number",
        "_sender",
        "confirmed",
        "now",
        "proven",
    )

    def __init__(
        self,
        client: str,
        sender: Address | None,
        hosts: tuple[tuple[str, bool], ...],
        helo: str,
        now: float,
        proven: bool,
    ) -> None:
        self._client = client
        self._sender = sender
        self._hosts = hosts
        self._helo = helo
        self.now = now
        self.proven = proven
        self.confirmed: set[tuple[str, str]] = set()
        """(field, value) that a forward-confirmed name stands for; allow counts for no other."""
        self._known: dict[str, list[tuple[int, str]]] = {}
        self._number: tuple[int, int] | None = None

    def of(self, field: str) -> list[tuple[int, str]]:
        """Return (how exact, value) under which entries of this field may stand."""
        known = self._known.get(field)
        if known is None:
            known = self._known[field] = self._find(field)
        return known

    def number(self) -> tuple[int, int]:
        """Return IP version and number of the client; (0, 0) if it has none."""
        if self._number is None:
            self._number = client_number(self._client)
        return self._number

    def _find(self, field: str) -> list[tuple[int, str]]:
        if field == "ip":
            return [(_IP, canonical_client(self._client))]
        if field == "helo":
            return [(_HELO_NAME, self._helo.lower())]
        if field in ("host", "tld"):
            return self._host_values(field)
        sender = self._sender
        if sender is None or not sender.domain:
            return []
        if field == "sender":
            return [(_SENDER, f"{fold(sender.local)}@{sender.domain}")]
        above = parents(sender.domain)
        return [(_DOMAIN, sender.domain), *((_PARENT + n, name) for n, name in enumerate(above))]

    def _host_values(self, field: str) -> list[tuple[int, str]]:
        """Any PTR name counts, and of one with two confirmed names both."""
        found: dict[str, int] = {}
        for host, confirmed in self._hosts:
            name = host.lower().rstrip(".")
            values = (name,) if field == "host" else (name, *parents(name))
            for value in values:
                found[value] = _HOST if field == "host" else _TLD - 1 - value.count(".")
                if confirmed:
                    self.confirmed.add((field, value))
        return [(rank, value) for value, rank in found.items()]


def parents(name: str) -> list[str]:
    """Return the names above a domain name, the nearest first; of a very deep one the last."""
    found: list[str] = []
    dot = name.find(".")
    while dot >= 0:
        name = name[dot + 1 :]
        found.append(name)
        dot = name.find(".")
    return found[-MAX_LABELS:]


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

    __slots__ = ("allows_senders", "needs_host", "tables")

    EMPTY: ClassVar[Lists]

    def __init__(self, entries: Iterable[Entry] = (), *, tables: Iterable[Table] = ()) -> None:
        """`entries` of any level, sorted into tables here; or ready `tables`, nearest level first."""
        ready = [t for t in tables if t.entries]
        by_level: dict[str, list[Entry]] = {}
        for entry in entries:
            by_level.setdefault(entry.level, []).append(entry)
        ready += [Table(by_level[level]) for level in LEVELS if level in by_level]
        self.tables: tuple[Table, ...] = tuple(ready)
        self.needs_host = any(not t.fields.isdisjoint(("host", "tld")) for t in ready)
        """Some entry asks for the client's rDNS name."""
        self.allows_senders = any(t.allows_senders for t in ready)
        """Some entry may say more of a sender that SPF or DKIM proves."""

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
        hosts = ((host, host_confirmed),) if host else ()
        return self._match(Facts(client, sender, hosts, helo, now, proven))

    def match_session(
        self, session: Session, sender: Address | None, now: float, proven: bool = False
    ) -> Entry | None:
        """Return the entry that decides about this client, by all its PTR names, and this sender."""
        if not self.tables:
            return None
        return self._match(Facts(session.client, sender, session.host_names, session.helo, now, proven))

    def matching(
        self, session: Session, sender: Address | None, now: float, proven: bool = False
    ) -> list[Entry]:
        """Return all entries that are about this client or sender, the nearest and most exact first."""
        facts = Facts(session.client, sender, session.host_names, session.helo, now, proven)
        return [e for table in self.tables for _, e in sorted(table.candidates(facts), key=_order)]

    def hangs_on_proof(self, session: Session, sender: Address | None, now: float) -> bool:
        """Return True when another entry decides once SPF or DKIM agrees with the sender."""
        if not self.allows_senders or sender is None:
            return False
        without = self.match_session(session, sender, now)
        return without is not self.match_session(session, sender, now, proven=True)

    def _match(self, facts: Facts) -> Entry | None:
        proven = facts.proven
        claimed: Entry | None = None
        for table in self.tables:
            found = table.candidates(facts)
            if found:
                best = (found[0] if len(found) == 1 else min(found, key=_order))[1]
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
