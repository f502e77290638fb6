"""Digests are put into the queue: those that are due, once for each period, and one that somebody asks for.

The entry goes by the domain's own route and is filtered by nobody; null sender, so that nothing answers it.
A digest that is due has an id made of domain, reader and period, and the queue takes an id once, whoever
is killed or runs beside us. What did not reach its reader is told again in the next one, so that a server
that was down for days finds one digest and not many.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gatepost.desk import digest, digest_marks, domains
from gatepost.desk.desk import Desk
from gatepost.desk.digest import DAY, Digest, Want
from gatepost.desk.digest_marks import Sent
from gatepost.desk.doing import doing
from gatepost.desk.errors import DeskError
from gatepost.desk.scopes import hosted
from gatepost.mail.address import fold, parse_address
from gatepost.mail.ids import SessionIds
from gatepost.policy.policy import DomainPolicy
from gatepost.policy.resolve import Resolver
from gatepost.policy.schedule import Due, last_due, zone_of
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.store.scopes import ALL, parse_scope
from gatepost.store.under_way import deed

Render = Callable[[Digest, str, float], bytes]
"""`render(digest, id, now)`: the whole mail, bytes with CRLF."""
PREFIX = "digest-"
SLACK = 60.0
"""Seconds after its moment that a digest is made: mail of the last second stands in the index by then."""
LONGEST = 31 * DAY
"""A digest tells of no more, however long nobody made one."""
MARKS = 40 * DAY
"""How long it is known of a digest that it was delivered."""
AT_ONCE = 50
"""Domains for which the index is read together: what is found is held in memory."""
_OURS = 63
"""Stands for the worker in the ids of our mails; a machine has not so many workers."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """A domain whose moment has come."""

    policy: DomainPolicy
    due: Due
    since: float


def send(
    desk: Desk, word: str, reader: str | None, render: Render, *, since: float | None = None
) -> list[Digest]:
    """Send a digest now to a mailbox, or (None) to all who get the domain's; the schedule stays as it is."""
    domain = hosted(desk, word)
    policy, _ = domains.resolved(desk, domain)
    readers: list[str] = [reader] if reader is not None else list(policy.digest_to)
    if not readers:
        raise DeskError(f"nobody gets the digest of {domain}: set digest.to, or name a mailbox")
    made = []
    with doing(desk, domain):
        for name in readers:
            one = digest.now(desk, domain, name, since=since)
            _put(desk, policy, one, PREFIX + secrets.token_hex(12), render)
            made.append(one)
    return made


def send_due(desk: Desk, render: Render) -> list[Digest]:
    """Put every digest whose moment has come into the queue; returns those that are new."""
    now = desk.clock() - SLACK
    pending = list(_pending(desk, now))
    made: list[Digest] = []
    for at in range(0, len(pending), AT_ONCE):
        some = pending[at : at + AT_ONCE]
        with deed(desk.data_dir, [one.policy.domain for one in some]):
            made += _send_some(desk, [one for one in some if _is_there(desk, one.policy)], now, render)
    if pending:
        desk.queue.expire_sent(PREFIX, desk.clock() - MARKS)
    return made


def enabled(desk: Desk) -> list[str]:
    """Return the domains that have digests."""
    values = desk.policy.values_of("digest")
    wanted = {scope: value != "off" for scope, value in values.items()}
    named = {parse_scope(scope)[0]: on for scope, on in wanted.items() if scope != ALL}
    if not wanted.get(ALL, False):
        return sorted(name for name, on in named.items() if on)
    return [name for name in desk.policy.domains() if named.get(name, True)]


def _pending(desk: Desk, now: float) -> Iterator[_Pending]:
    names = enabled(desk)
    if not names:
        return
    resolver = Resolver(desk.policy.everywhere(), desk.registry.defaults())
    version = desk.policy.version()
    for name in names:
        rows = desk.policy.domain(name)
        if rows is None:
            continue
        policy = resolver.domain(rows, version, [])
        if policy.digest == "off":
            continue
        due = last_due(policy.digest, policy.digest_hour, zone_of(policy.digest_zone), now)
        last = digest_marks.last(desk, name)
        if last is None:
            # Just switched on: the first digest is that of the next moment.
            digest_marks.told(desk, name, due.at, due.period)
        elif due.at > last.until and due.period != last.period:
            yield _Pending(policy, due, max(last.until, now - LONGEST))


def _is_there(desk: Desk, policy: DomainPolicy) -> bool:
    rows = desk.policy.domain(policy.domain)
    return rows is not None and rows.owned_since == policy.owned_since


def _send_some(desk: Desk, pending: list[_Pending], now: float, render: Render) -> list[Digest]:
    by_domain = {one.policy.domain: one for one in pending}
    wants = [Want(one.policy, one.since, one.due.at, _owed(desk, one, now - LONGEST)) for one in pending]
    made = []
    for found in digest.digests(desk, wants):
        one = by_domain[found.domain]
        name = entry_name(one.policy, found.reader, one.due.period)
        before = digest_marks.reader(desk, found.domain, found.reader)
        if before is not None and before.entry == name:
            continue  # killed behind this reader: the others follow
        if before is not None:
            desk.queue.drop(before.entry)  # it waits, or failed: what it says stands in this one
        _put(desk, one.policy, found, name, render)
        digest_marks.sent(desk, found.domain, found.reader, Sent(name, found.since, found.until))
        made.append(found)
    for one in pending:
        digest_marks.told(desk, one.policy.domain, one.due.at, one.due.period)
        digest_marks.forget(desk, one.policy.domain, now - LONGEST)
    return made


def _owed(desk: Desk, one: _Pending, oldest: float) -> dict[str, float]:
    """Return reader -> since when he has to be told, where his last digest did not reach him."""
    domain = one.policy.domain
    return {
        reader: max(sent.since, oldest)
        for reader, sent in digest_marks.readers(desk, domain).items()
        if sent.until > oldest
        and sent.entry != entry_name(one.policy, reader, one.due.period)
        and not desk.queue.was_sent(sent.entry)
    }


def entry_name(policy: DomainPolicy, reader: str, period: str) -> str:
    """Return the queue's name for a reader's digest of a period: the same each time, so it is there once."""
    said = f"{policy.domain}\n{reader}\n{period}"
    said += f"\n{policy.owned_since:.3f}" if policy.owned_since else ""  # else: a former owner's was sent
    return PREFIX + hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _put(desk: Desk, policy: DomainPolicy, one: Digest, name: str, render: Render) -> None:
    now = desk.clock()
    mailbox = policy.for_mailbox(fold(parse_address(one.reader).local))
    envelope = Envelope(
        id=name,
        sender=None,
        recipients=(Rcpt(one.reader),),
        created=now,
        due=now,
        domain=one.domain,
        routes=mailbox.routes if mailbox.routes != policy.routes else (),
        reason="digest",
        smtputf8=not one.reader.isascii(),
        session=SessionIds(_OURS, secrets.randbits(18)).make(int(now * 1000)),
        once=True,
    )
    desk.queue.put(envelope, [render(one, name, now)])
