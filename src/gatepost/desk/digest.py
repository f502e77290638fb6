"""What a digest tells: which mail was kept for a domain, or for one mailbox, between two moments.

A mailbox's digest holds that mailbox's mail and no other; only who stands in `digest.to` gets the whole
domain's. The index of the archive is read once for all the domains that are asked about together, and
no more is held in memory than is shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gatepost.desk import archive, digest_marks, domains
from gatepost.desk.desk import Desk
from gatepost.desk.digest_links import EXAMPLE, RELEASE, Link, make
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.scopes import hosted
from gatepost.mail.address import Address, AddressError, fold, parse_address
from gatepost.plugin.deadly import NAME as POISON
from gatepost.policy.policy import DomainPolicy
from gatepost.spool.index import Kept

ROWS = 50
"""Mails that one digest shows; of the others it says how many there are."""
MAILBOXES = 1_000
"""Mailboxes of a domain that get a digest at once; the first that come in the index."""
MAILBOXES_KEY = "digest.mailboxes"
DAY, HOUR = 86_400.0, 3_600.0
SPAN = {"daily": DAY, "weekly": 7 * DAY, "off": DAY}
"""Seconds that a digest is about where none was made before."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kept mail."""

    kept: Kept
    token: str
    """Opens its page for who reads the digest; "" where it is released in the console alone."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything that one digest says, but for the words."""

    domain: str
    reader: str
    """The address that it goes to."""
    whole: bool
    """About all mail of the domain."""
    since: float
    until: float
    held: tuple[Row, ...]
    """The sender believes that it arrived; the newest first."""
    refused: tuple[Row, ...]
    """The sender was told; the newest first."""
    more: int
    """So many others were kept."""
    language: str
    zone: str
    hostname: str
    public_url: str
    """The console as people reach it, "" where nobody said."""
    keep_days: int

    @property
    def number(self) -> int:
        """How many mails were kept."""
        return len(self.held) + len(self.refused) + self.more


@dataclass(frozen=True, slots=True)
class Want:
    """Of what is asked: a domain's mail behind `since`, up to `until`."""

    policy: DomainPolicy
    since: float
    until: float
    owed: Mapping[str, float] = field(default_factory=dict)
    """reader -> an earlier `since`: what an earlier digest said did not reach him."""

    @property
    def earliest(self) -> float:
        """From when on the index has to be read."""
        return min([self.since, *self.owed.values()])


class _Rows:
    """What was found for one reader: counted all, held the newest."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.held: deque[Kept] = deque(maxlen=ROWS)
        self.refused: deque[Kept] = deque(maxlen=ROWS)
        self.number = 0

    def add(self, kept: Kept) -> None:
        if kept.time > self.since:
            self.number += 1
            (self.held if kept.held else self.refused).append(kept)


class _Domain:
    """What was found for a domain, reader by reader."""

    def __init__(self, desk: Desk, want: Want) -> None:
        self._desk = desk
        self.want = want
        self._owners = frozenset(want.policy.digest_to)
        self._exists: dict[str, bool] = {}
        readers = [address_of(local, want.policy.domain) for local in want.policy.digest_to]
        self._whole = {name: _Rows(self._since(name)) for name in readers}
        self._own: dict[str, _Rows] = {}

    def add(self, kept: Kept) -> None:
        for one in self._whole.values():
            one.add(kept)
        try:
            address = parse_address(kept.recipient)
        except AddressError:
            return  # an index that somebody edited: nobody to tell it to
        local = fold(address.local)
        if local in self._owners or not self._wants(local, address, kept):
            return
        reader = address_of(local, address.domain)
        rows = self._own.get(reader)
        if rows is None:
            if len(self._own) >= MAILBOXES:
                return
            rows = self._own[reader] = _Rows(self._since(reader))
        rows.add(kept)

    def _wants(self, local: str, address: Address, kept: Kept) -> bool:
        """Say whether a mailbox gets a digest, and is one: nothing is sent to names that nobody has."""
        if not self.want.policy.for_mailbox(local).digest_mailboxes:
            return False
        known = self._exists.get(local)
        if known is None:
            row = self._desk.policy.recipient(address.domain, local)
            listed = self.want.policy.recipients == "list"
            known = row.kind == "valid" if row is not None else not listed and not _unknown(kept)
            self._exists[local] = known
        return known

    def _since(self, reader: str) -> float:
        return self.want.owed.get(reader, self.want.since)

    def found(self) -> Iterator[tuple[str, bool, _Rows]]:
        """Yield (reader, the whole domain's, rows) of everybody who has something to read."""
        for whole, readers in ((True, self._whole), (False, self._own)):
            for reader, rows in readers.items():
                if rows.number:
                    yield reader, whole, rows


def digests(desk: Desk, wants: Iterable[Want]) -> Iterator[Digest]:
    """Yield the digests of some domains; who has nothing to read gets none."""
    asked = {want.policy.domain: _Domain(desk, want) for want in wants}
    if not asked:
        return
    begin = min(domain.want.earliest for domain in asked.values())
    end = max(domain.want.until for domain in asked.values())
    for kept in _kept(desk, asked, begin, end):
        domain = asked.get(kept.domain)
        if (
            domain is not None
            and domain.want.earliest < kept.time <= domain.want.until
            and _there(desk, kept)
        ):
            domain.add(kept)
    for domain in asked.values():
        for reader, whole, rows in domain.found():
            yield _digest(desk, domain.want, reader, whole, rows)


def now(
    desk: Desk, word: str, reader: str | None = None, *, since: float | None = None, example: bool = False
) -> Digest:
    """Return the digest of what was kept since the last one, even if that is nothing.

    `reader`: a mailbox; None: whoever gets the whole domain's. `example`: its links open nothing, for
    who only looks.
    """
    domain = hosted(desk, word)
    policy, _ = domains.resolved(desk, domain)
    local = _local(reader, domain) if reader is not None else "postmaster"
    whole = reader is None or local in policy.digest_to
    # Who gets the whole domain's was named by its owner; postmaster, for one, stands on few lists.
    name = address_of(local, domain) if whole else reader_of(desk, policy, local)
    if since is None:
        last = digest_marks.last(desk, domain)
        since = last.until if last is not None else desk.clock() - SPAN[policy.digest]
    want = Want(policy, since, desk.clock())
    rows = _Rows(want.since)
    for kept in _kept(desk, {domain}, want.since, want.until):
        mine = kept.domain == domain and want.since < kept.time <= want.until
        if mine and (whole or _is_of(kept, name)) and _there(desk, kept):
            rows.add(kept)
    return _digest(desk, want, name, whole, rows, example=example)


def switch(desk: Desk, word: str, mailbox: str, on: bool | None) -> bool:
    """Give a mailbox a digest of its own, or none (None: as its domain has it); returns what holds now."""
    domain = hosted(desk, word)
    local = _local(mailbox, domain)
    place = f"{local}@{domain}"
    if on is not None:
        domains.set_values(desk, place, {MAILBOXES_KEY: on})
    elif MAILBOXES_KEY in domains.own_values(desk, place):
        domains.unset_values(desk, place, [MAILBOXES_KEY])
    return domains.resolved(desk, place)[0].digest_mailboxes


def reader_of(desk: Desk, policy: DomainPolicy, local: str) -> str:
    """Return a mailbox of the domain as its digest is addressed; NotFound where it is none."""
    row = desk.policy.recipient(policy.domain, local)
    if row.kind != "valid" if row is not None else policy.recipients == "list":
        raise NotFound(f"{local}@{policy.domain} does not exist here")
    return address_of(local, policy.domain)


def address_of(local: str, domain: str) -> str:
    """Return the address of a folded local part."""
    try:
        return parse_address(f"{local}@{domain}").text
    except AddressError:
        quoted = "".join(f"\\{c}" if c in '\\"' else c for c in local)
        return f'"{quoted}"@{domain}'


def _local(text: str, domain: str) -> str:
    """Return the folded local part of a mailbox of this domain; DeskError where it is of another."""
    try:
        address = parse_address(text if "@" in text else f"{text}@{domain}")
    except AddressError as error:
        raise DeskError(f"{text!r} is not a mailbox: {error}") from error
    if address.domain != domain:
        raise DeskError(f"{text} is not a mailbox of {domain}")
    return fold(address.local)


def _is_of(kept: Kept, reader: str) -> bool:
    try:
        return parse_address(kept.recipient) == parse_address(reader)
    except AddressError:
        return False


def _kept(desk: Desk, of: Container[str], begin: float, end: float) -> Iterator[Kept]:
    """Yield what the index has of some domains from the day of `begin` to that of `end`, as written."""
    # A mail of the last moment of a day may stand in the index of the next.
    first, last = desk.archive.day(begin), desk.archive.day(end + HOUR)
    for day in desk.archive.index.days():
        if first <= day <= last:
            yield from desk.archive.index.read_of(day, of)


def _there(desk: Desk, kept: Kept) -> bool:
    """Say whether a mail is still kept, and nobody released it yet."""
    return desk.archive.exists(kept.ref) and archive.state(desk, kept).state != archive.DELIVERED


def _digest(
    desk: Desk, want: Want, reader: str, whole: bool, rows: _Rows, *, example: bool = False
) -> Digest:
    policy = want.policy
    held = list(rows.held)[::-1]
    refused = list(rows.refused)[::-1][: ROWS - len(held)]

    def row(kept: Kept) -> Row:
        if not desk.public_url or not may_release(desk, kept):
            return Row(kept, "")
        expires = kept.time + policy.keep_days * DAY
        return Row(kept, EXAMPLE if example else make(desk, Link(RELEASE, kept.ref, reader, expires)))

    return Digest(
        domain=policy.domain,
        reader=reader,
        whole=whole,
        since=rows.since,
        until=want.until,
        held=tuple(map(row, held)),
        refused=tuple(map(row, refused)),
        more=rows.number - len(held) - len(refused),
        language=policy.digest_language,
        zone=policy.digest_zone,
        hostname=desk.hostname,
        public_url=desk.public_url,
        keep_days=policy.keep_days,
    )


def may_release(desk: Desk, kept: Kept) -> bool:
    """Say whether a link may release it: not what no general allow entry would let in (malware, poison)."""
    check = desk.registry.get(kept.plugin)
    return kept.plugin != POISON and (check is None or not check.plugin.unskippable)


def _unknown(kept: Kept) -> bool:
    return kept.plugin == "recipients"
