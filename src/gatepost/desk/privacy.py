"""One person's data in one domain: found by the address, handed out, erased (CONTRACT 8).

Whoever is erased is no longer named in the domain's journal, kept mail, records, trainings and list of
changes: a name that says nothing stands there, the same in each place, so that counts and stories stay
true. Who did something (changed, opened, released, taught by the console) is taken out by an administrator
alone: no owner wipes a colleague's or his own deeds. What waits to be delivered is left whole. What somebody
set (lists, recipients, accounts) is a setting and is only told; that an account and its tokens came and went
stands in the machine's list of changes, where an administrator erases it too. Other domains' data about the
same address are theirs.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from gatepost.desk import archive, domains, journal, lists
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.person import Person
from gatepost.desk.scopes import hosted
from gatepost.desk.training import CONSOLE
from gatepost.mail.address import AddressError, parse_address
from gatepost.store.base import Change
from gatepost.store.journal_lines import read_outcome
from gatepost.store.policy_follow import keep_last_good
from gatepost.store.records_db import RecordRow
from gatepost.store.scopes import ALL

if TYPE_CHECKING:
    from gatepost.desk.lists import Listed
    from gatepost.desk.users import User
    from gatepost.spool.envelope import Envelope
    from gatepost.spool.index import Kept
    from gatepost.store.journal_person import Row
    from gatepost.store.reviews_db import ReviewRow
    from gatepost.store.trainings import Training

MOST = 200_000
"""Journal rows of one go; who has more asks again."""
SUBJECT, RECIPIENT, SENDER, REASON = 13, 11, 12, 10
"""Where they stand in a line of the journal."""
OF_MAILBOX = frozenset({"counted_address", "bounce_storm", "bounce"})
"""Checks whose records have the local part as the second word of the key."""
DOER = frozenset({"by", "created_by"})
"""Where a record or a change names who did it."""
ERASED = "erased"
"""In the place of a local part."""


@dataclass(slots=True)
class Traces:
    """Where a person stands in a domain."""

    journal: list[Row] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    queue: list[Envelope] = field(default_factory=list)
    records: list[RecordRow] = field(default_factory=list)
    """With counted addresses of the mailbox, who opened their mail, and when their digest went."""
    trainings: list[Training] = field(default_factory=list)
    reviews: list[ReviewRow] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    lists: list[Listed] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    accounts: list[User] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Return how many there are of each kind."""
        return {one.name: len(getattr(self, one.name)) for one in fields(self)}


@dataclass(slots=True)
class Erased:
    """What was done."""

    done: dict[str, int]
    """Kind -> how many were erased or rewritten."""
    left: dict[str, int]
    """Kind -> how many were left: what waits for delivery, what is a setting, and who did what."""


def person(address: str) -> Person:
    """Return who is meant by an address as people write it."""
    try:
        parsed = parse_address(address.strip().removeprefix("<").removesuffix(">"))
    except AddressError as error:
        raise DeskError(f"{address!r:.100} is no address: {error}") from error
    if not parsed.domain:
        raise DeskError("an address has a domain, as ann@example.org")
    return Person(parsed, secrets.token_hex(4))


def look(desk: Desk, domain: str, who: Person) -> Traces:
    """Return where a person stands in a domain; nothing is changed."""
    name = hosted(desk, domain)
    journal.collect(desk)
    found = Traces()
    found.journal = _rows(desk, name, who)
    found.kept = [
        kept for kept in _kept(desk, name) if who.is_them(kept.recipient) or who.is_them(kept.sender)
    ]
    found.queue = [one for one in desk.queue.list() if one.domain == name and _in_queue(one, who)]
    found.records = [row for row in desk.records.of_domain(name) if _in_record(row, who, name)]
    found.trainings = [one for one in _trainings(desk, name) if who.named_in([one.by, one.what])]
    found.reviews = [one for one in _reviews(desk, name) if _in_review(one, who)]
    found.changes = [one for one in _changes(desk, name) if _in_change(one, who, name)]
    found.lists = [one for one in lists.show(desk, name) if _in_list(one, who)]
    if who.domain == name:
        known = desk.policy.recipient(name, who.local)
        found.recipients = [who.local] if known is not None and known.local == who.local else []
    found.accounts = _accounts(desk, name, who)
    return found


def erase(desk: Desk, domain: str, who: Person) -> Erased:
    """Erase a person; what was done stands in the list of changes, without the person."""
    name = hosted(desk, domain)
    found = look(desk, name, who)
    waiting = {one.session for one in found.queue if one.waiting}
    left = {
        "queue": sum(1 for one in found.queue if one.waiting),
        **{kind: len(getattr(found, kind)) for kind in ("lists", "recipients", "accounts")},
    }
    done = {
        "kept": _erase_kept(desk, found),
        "queue": sum(1 for one in found.queue if not one.waiting and desk.queue.drop(one.id)),
        "journal": _erase_journal(desk, found, who, waiting),
        "records": _erase_records(desk, name, found, who),
        "trainings": _erase_trainings(desk, name, found, who),
        "reviews": desk.reviews.remove(name, [one.id for one in found.reviews]),
        "changes": _erase_changes(desk, found, who, name),
    }
    while len(found.journal) >= MOST and (more := _erase_more(desk, name, who, waiting)):
        done["journal"] += more
    for kind in ("kept", "records", "trainings", "changes"):
        left[kind] = len(getattr(found, kind)) - done[kind]
    desk.policy.note("erased", None, {kind: number for kind, number in done.items() if number}, desk.by, name)
    keep_last_good(desk.data_dir)
    return Erased(done, {kind: number for kind, number in left.items() if number})


# --- finding ------------------------------------------------------------------------------------------------


def _rows(desk: Desk, name: str, who: Person) -> list[Row]:
    named = (
        row
        for row in desk.journal.naming(name, who.word)
        if who.named_in(_fields(row[2])) or who.named_in(_trace(row[3]))
    )
    return list(itertools.islice(named, MOST))


def _fields(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _trace(trace: str) -> Any:
    return _fields(trace) if trace and not trace.startswith("=") else ""


def _kept(desk: Desk, name: str) -> Iterator[Kept]:
    """Yield the lines of the index, also of mail that was thrown out to make room: they name people too."""
    for day in desk.archive.index.days():
        yield from desk.archive.index.read_of(day, {name})


def _in_queue(one: Envelope, who: Person) -> bool:
    return who.is_them(one.sender) or any(who.is_them(each.address) for each in one.recipients)


def _in_record(row: RecordRow, who: Person, domain: str) -> bool:
    return who.named_in([row.key, row.value]) or _of_their_mailbox(row, who, domain)


def _of_their_mailbox(row: RecordRow, who: Person, domain: str) -> bool:
    return row.plugin in OF_MAILBOX and who.domain == domain and row.key.split(" ")[1:2] == [who.local]


def _trainings(desk: Desk, name: str) -> list[Training]:
    try:
        models = desk.models_in()
    except ImportError:  # without numpy nothing was taught
        return []
    return models.trainings(name).look() if models.of_domain(name).is_dir() else []


def _reviews(desk: Desk, name: str) -> list[ReviewRow]:
    return [
        row for waiting in (True, False) for row in desk.reviews.listing([name], waiting=waiting, limit=MOST)
    ]


def _in_review(one: ReviewRow, who: Person) -> bool:
    return who.named_in([one.recipient, one.sender, one.contact, one.text])


def _changes(desk: Desk, name: str) -> Iterator[Change]:
    """Yield a domain's changes; for administrators the machine's too, where accounts and tokens are named."""
    yield from desk.policy.changes_of(name)
    if desk.admin:
        yield from desk.policy.changes_of(ALL)


def _in_change(one: Change, who: Person, domain: str) -> bool:
    if who.named_in([one.by, one.before, one.after]):
        return True
    return one.what == "recipients" and who.domain == domain and _has_row(one, who.local)


def _has_row(one: Change, local: str) -> bool:
    rows = [row for side in (one.before, one.after) if isinstance(side, list) for row in side]
    return any(isinstance(row, list) and row[:1] == [local] for row in rows)


def _in_list(one: Listed, who: Person) -> bool:
    return who.named_in([one.scope.removeprefix("mailbox:"), one.entry.value, one.entry.note])


def _accounts(desk: Desk, name: str, who: Person) -> list[User]:
    from gatepost.desk import users

    return [one for one in users.everyone(desk) if who.is_them(one.name) and name in one.domains]


# --- erasing ------------------------------------------------------------------------------------------------


def _erase_kept(desk: Desk, found: Traces) -> int:
    """Delete kept mail, but for what is being released."""
    done = 0
    for kept in found.kept:
        if archive.state(desk, kept).state == archive.WAITING:
            continue
        desk.archive.delete(kept.ref)
        desk.queue.forget_sent(archive.queue_name(kept))
        done += 1
    return done


def _erase_journal(desk: Desk, found: Traces, who: Person, waiting: set[str]) -> int:
    rows = []
    for seq, at, line, trace in found.journal:
        if read_outcome(seq, at, line, "").id in waiting:
            continue
        said = _fields(line)
        if isinstance(said, list) and (who.is_them(said[RECIPIENT]) or who.is_them(said[SENDER])):
            said[SUBJECT] = ""
        rows.append((seq, _line(who.without(said)), _rewritten(trace, who)))
    desk.journal.rewrite(rows)
    return len(rows)


def _erase_more(desk: Desk, name: str, who: Person, waiting: set[str]) -> int:
    """Go on where one go was not enough; 0 when nothing is left but what waits."""
    found = Traces(journal=_rows(desk, name, who))
    return _erase_journal(desk, found, who, waiting)


def _rewritten(trace: str, who: Person) -> str:
    return trace if not trace or trace.startswith("=") else _line(who.without(_fields(trace)))


def _line(said: Any) -> str:
    """Return a row as the workers write it: the journal's counts look at its form."""
    return said if isinstance(said, str) else json.dumps(said, separators=(",", ":"))


def _erase_records(desk: Desk, name: str, found: Traces, who: Person) -> int:
    """Records that are kept under the person's name go; in others the name is another one.

    What counts for a mailbox that still exists stays: an exhausted address must not come to life again.
    """
    done = 0
    desk.records.overwrite()
    exists = bool(found.recipients) or domains.resolved(desk, name)[0].recipients != "list"
    for row in found.records:
        theirs = _of_their_mailbox(row, who, name)
        if theirs and exists:
            continue
        if theirs or who.named_in(row.key):
            at_once(desk.records.forget(name, row.plugin, row.key))
        elif (value := _without(desk, who, row.value)) != row.value:
            at_once(desk.records.put(name, row.plugin, row.key, value))
        else:
            continue
        done += 1
    return done


def _erase_trainings(desk: Desk, name: str, found: Traces, who: Person) -> int:
    if not found.trainings:
        return 0
    numbers = {one.seq for one in found.trainings if one.how != CONSOLE or not _did_it(desk, who, one.by)}
    with desk.models.trainings(name) as held:
        return held.rename(numbers, who.without)


def _erase_changes(desk: Desk, found: Traces, who: Person, domain: str) -> int:
    rows = []
    for one in found.changes:
        by = one.by if _did_it(desk, who, one.by) else who.without(one.by)
        before, after = _without(desk, who, one.before), _without(desk, who, one.after)
        complete = one.complete
        if one.what == "recipients" and who.domain == domain:
            before, after = _without_row(before, who.local), _without_row(after, who.local)
        if (before, after) != (one.before, one.after):
            complete = False  # it names somebody whom nobody knows: it cannot be rolled back
        if (by, before, after) != (one.by, one.before, one.after):
            rows.append((one.id, by, before, after, complete))
    desk.policy.rewrite_changes(rows)
    return len(rows)


def _did_it(desk: Desk, who: Person, name: str) -> bool:
    """Say whether a name is that of the account which did something, and stays since an owner erases."""
    return not desk.admin and who.is_them(name)


def _without(desk: Desk, who: Person, value: Any) -> Any:
    """Return a value without the person, but for who did it where that stays."""
    if isinstance(value, dict):
        return {
            who.without(key): inner
            if key in DOER and isinstance(inner, str) and _did_it(desk, who, inner)
            else _without(desk, who, inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without(desk, who, inner) for inner in value]
    return who.without(value)


def _without_row(side: Any, local: str) -> Any:
    if not isinstance(side, list):
        return side
    return [[ERASED, *row[1:]] if isinstance(row, list) and row[:1] == [local] else row for row in side]
