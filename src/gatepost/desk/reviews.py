"""Requests for a review: a refused sender asks on his page, the domain's owner decides.

What the stranger wrote is kept as text, bounded, without control characters. He is told that it was
taken and no more; nothing is sent to whatever address he gives, since he may give anybody's. What is decided
is done by the functions that the message page uses, each of which may be asked for twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gatepost.desk import journal, lists, remedy, why
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError, NotFound
from gatepost.desk.releasing import Releasing
from gatepost.desk.remedy import What
from gatepost.desk.sessions import network_of
from gatepost.mail.address import AddressError, parse_address
from gatepost.spool.index import Kept
from gatepost.store.base import OutcomeRow
from gatepost.store.reviews_db import Asked, ReviewRow, TooMany

if TYPE_CHECKING:
    from gatepost.policy.entries import Entry

MAX_TEXT, MAX_CONTACT = 1_000, 254
"""Characters that a stranger may write."""
MAX_LINES = 20
PER_NETWORK, PER_DOMAIN = 5, 50
"""Requests within a day."""
RELEASE, ALLOW, DECLINE = "release", "allow", "decline"
STATES = {RELEASE: "released", ALLOW: "allowed", DECLINE: "declined"}
"""What may be decided -> what the request is then."""

Rows = list[ReviewRow]


class BadContact(DeskError):
    """What was given as an address is none."""


class Enough(DeskError):
    """Too many requests came today, from there or for that domain."""


@dataclass(frozen=True, slots=True)
class Review:
    """One request, with what can be done about it."""

    request: ReviewRow
    row: OutcomeRow | None
    """The refusal, as long as the journal has it."""
    kept: Kept | None
    """The copy of its recipient, where one is kept."""
    others: int
    """Copies of the same mail for others of the domain, refused by the same check."""
    entry: str
    """The sender, as an allow entry names him; "" where none would lead past."""


def ask(desk: Desk, token: str, client: str, contact: str, text: str) -> None:
    """Take a request. NotFound: no such token; Conflict: it was asked before; Enough; BadContact."""
    one = why.find(desk, token).row
    request = ReviewRow(
        0,
        one.domain,
        one.id,
        one.recipient,
        one.sender,
        one.plugin,
        desk.clock(),
        network_of(client),
        _address(contact),
        plain(text),
    )
    try:
        desk.reviews.add(request, of_network=PER_NETWORK, of_domain=PER_DOMAIN)
    except Asked as error:
        raise Conflict("a review was asked for already") from error
    except TooMany as error:
        raise Enough("too many reviews were asked for today") from error


def asked(desk: Desk, refusal: OutcomeRow) -> bool:
    """Return whether somebody asked for a review of a refusal."""
    return desk.reviews.of_refusal(refusal.domain, refusal.id, refusal.recipient) is not None


def listing(
    desk: Desk,
    domains: Sequence[str] | None,
    *,
    waiting: bool = True,
    limit: int = 50,
    before: int | None = None,
) -> Rows:
    """Return what waits for a decision, or what was decided, the newest first (None: of all domains)."""
    return desk.reviews.listing(domains, waiting=waiting, limit=limit, before=before)


def waiting(desk: Desk, domains: Sequence[str] | None) -> int:
    """Return how many requests wait for a decision."""
    return desk.reviews.waiting(domains)


def get(desk: Desk, domain: str, number: int) -> ReviewRow:
    """Return a request of a domain."""
    found = desk.reviews.get(domain, number)
    if found is None:
        raise NotFound(f"{domain} has no request {number}")
    return found


def about(desk: Desk, request: ReviewRow) -> Review:
    """Return a request with its mail, as far as that is still there."""
    try:
        rows = [one.row for one in journal.explain(desk, request.mail).outcomes]
    except DeskError:
        rows = []
    row = next(
        (one for one in rows if (one.domain, one.recipient) == (request.domain, request.recipient)), None
    )
    copies = _copies(desk, request)
    ref = row.archive_ref if row is not None else ""
    # A counted address is kept under the mailbox that it is for: the row knows which copy is its own.
    kept = next((one for one in copies if one.ref == ref or _same(one.recipient, request.recipient)), None)
    ways = remedy.remedies(desk, row) if row is not None else []
    past = any(way.what is What.ENTRY and way.entry == request.sender for way in ways)
    others = len(copies) - (kept is not None)
    return Review(request, row, kept, others, request.sender if past else "")


def decide(desk: Desk, domain: str, number: int, decision: str, *, all_the_same: bool = False) -> ReviewRow:
    """Do what was decided and write it down; Conflict where somebody decided before.

    `release` hands on what is kept of the mail for the domain; `allow` puts the sender on the domain's list
    for that check, and releases as well; `decline` changes nothing else. Doubtful where the domain's virus
    check is against a release, before anything is changed; `all_the_same` releases it then.
    """
    if decision not in STATES:
        raise DeskError(f"{decision!r} is none of {', '.join(STATES)}")
    request = get(desk, domain, number)
    if request.decided is not None:
        raise Conflict(f"{request.decided_by} has decided before: {request.state}")
    releasing = Releasing(desk, all_the_same=all_the_same)
    if decision in (RELEASE, ALLOW):
        for kept in _copies(desk, request):
            releasing.look(kept)
    if decision == ALLOW:
        _allow(desk, request)
    if decision in (RELEASE, ALLOW):
        _release(desk, request, releasing, must=decision == RELEASE)
    if not desk.reviews.decide(domain, number, STATES[decision], desk.by, desk.clock()):
        raise Conflict("somebody else has decided meanwhile")
    said = {"id": request.mail, "recipient": request.recipient, "decision": STATES[decision]}
    desk.policy.note("review", None, said, desk.by, domain)
    return get(desk, domain, number)


def plain(text: str) -> str:
    """Return what a stranger wrote as lines of what can be seen, bounded in each direction."""
    lines = text[: 4 * MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    shown = [" ".join("".join(c if c.isprintable() else " " for c in line).split()) for line in lines]
    return "\n".join([line for line in shown if line][:MAX_LINES])[:MAX_TEXT]


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _address(contact: str) -> str:
    """Return the address as it is written; "" for none."""
    contact = contact.strip()
    if not contact:
        return ""
    try:
        address = parse_address(contact[: MAX_CONTACT + 1])
    except AddressError as error:
        raise BadContact(f"that is no address: {error}") from error
    if len(contact) > MAX_CONTACT or not address.text.isprintable() or '"' in address.text:
        raise BadContact("that is no usual address")
    return address.text


def _copies(desk: Desk, request: ReviewRow) -> list[Kept]:
    """Return what is kept of the mail for the domain, of those whom the same check refused."""
    found = [one for one in desk.archive.find(request.mail) if one.domain == request.domain]
    return [one for one in found if one.plugin == request.plugin and desk.archive.exists(one.ref)]


def _release(desk: Desk, request: ReviewRow, releasing: Releasing, *, must: bool) -> None:
    copies = _copies(desk, request)
    if must and not copies:
        raise DeskError(
            "nothing was kept of this mail, so nothing can be released; the sender has to send again"
        )
    for kept in copies:
        releasing.hand_on(kept)


def _allow(desk: Desk, request: ReviewRow) -> Entry:
    one = about(desk, request)
    if not one.entry or one.row is None:
        raise DeskError("no entry for this sender leads past what refused the mail")
    ways = remedy.remedies(desk, one.row)
    check = next(way.check for way in ways if way.what is What.ENTRY and way.entry == one.entry)
    note = f"Asked for a review of {request.mail}"
    return lists.add(desk, request.domain, "allow", one.entry, plugin=check, note=note)
