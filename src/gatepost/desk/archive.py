"""Kept mail: look, release to the domain's own server, delete.

A release puts the bytes as received (so DKIM still holds; but for lines that a stranger wrote in our
name, `gatepost.auth.forged`) under one signed header into the queue,
and the courier hands them straight to the route: nothing filters them again, two clicks are one
delivery, and the kept copy stays until the domain's server said 250. It never bounces.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from gatepost.auth.forged import without_forged
from gatepost.desk.deeds import write_down
from gatepost.desk.desk import Desk
from gatepost.desk.doing import doing
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.secret import installation_secret
from gatepost.mail import stamp
from gatepost.mail.message import find_border
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.spool.index import Kept
from gatepost.spool.release import VALID_FOR, body_hash, release_header

WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"

Copies = list[Kept]


@dataclass(frozen=True, slots=True)
class Release:
    """What became of the release of one kept copy."""

    kept: Kept
    queue_id: str
    state: str
    """`waiting`, `delivered`, `failed`, or "" where nobody released it."""
    last: str = ""
    """What the domain's server said last."""


def listing(
    desk: Desk,
    domain: str | None = None,
    *,
    since: float = 0.0,
    outcome: str | None = None,
    text: str = "",
    limit: int = 100,
    domains: Collection[str] | None = None,
    after: str = "",
) -> Copies:
    """Return what is kept (of `domains`), newest first; `after`: the last `ref` of the page before."""
    return desk.archive.list(
        domain, since=since, outcome=outcome, text=text, limit=limit, domains=domains, after=after
    )


def find(desk: Desk, what: str, domain: str | None = None, recipient: str | None = None) -> Copies:
    """Return the copies that a person means: the id of a session or transaction, or a file's name."""
    if "/" in what:
        one = desk.archive.get(what)
        found = [one] if one is not None and desk.archive.exists(one.ref) else []
    else:
        from gatepost.mail.ids import clean

        found = desk.archive.find(clean(what) or what)
    if domain is not None:
        found = [kept for kept in found if kept.domain == domain]
    if recipient is not None:
        found = [kept for kept in found if kept.recipient.lower() == recipient.lower()]
    if not found:
        where = f" of {domain}" if domain else f" for {recipient}" if recipient else ""
        raise NotFound(f"no mail{where} is kept under {what!r}")
    return found


def opened(desk: Desk, kept: Kept) -> Iterator[bytes]:
    """Return the bytes as received, a block at a time; who looked is written down."""
    write_down(desk, "opened", kept.domain, kept.ref, kept.id, kept.recipient)
    blocks = desk.archive.blocks(kept.ref)
    try:
        return itertools.chain([next(blocks, b"")], blocks)
    except OSError as error:
        raise DeskError(f"{kept.ref} cannot be read: {error.strerror}") from error


def release(desk: Desk, kept: Kept, *, again: bool = False, deed: str = "released") -> Release:
    """Hand a kept mail on to the domain's own server. `again`: also where that was done before.

    Nothing looks into it here: `gatepost.desk.releasing` does. `deed`: as what it is written down.
    """
    name = queue_name(kept)
    before = state(desk, kept)
    if before.state == DELIVERED and not again:
        return before
    if before.state in (WAITING, FAILED):
        # The same entry: at most one delivery, however often it is asked for.
        desk.queue.retry(name, desk.clock())
        return state(desk, kept)
    if desk.policy.domain(kept.domain) is None:
        raise DeskError(f"{kept.domain} is not hosted here any more, so there is no route to release to")
    with doing(desk, kept.domain):
        write_down(desk, deed, kept.domain, kept.ref, kept.id, kept.recipient)
        if again:
            desk.queue.forget_sent(name)
        _put(desk, kept, name)
    return state(desk, kept)


def _put(desk: Desk, kept: Kept, name: str) -> None:
    """Put a kept mail into the queue, as it goes on."""
    now = desk.clock()
    try:
        secret = installation_secret(desk.data_dir)
        header = release_header(
            secret,
            kept.id,
            kept.recipient,
            body_hash(desk.archive.blocks(kept.ref)),
            int(now) + VALID_FOR,
        )
        # Trained by mail later, it is found by its id as any delivered mail is.
        id_ = stamp.make(secret, kept.id, kept.domain, kept.recipient)
        header += f"{stamp.HEADER}: {id_}\r\n".encode("ascii", "replace")
        text = _without_forged(desk.archive.blocks(kept.ref), desk.hostname)
        desk.queue.put(_envelope(kept, name, now), itertools.chain([header], text))
    except OSError as error:
        raise DeskError(f"{kept.ref} cannot be released: {error.strerror or error}") from error


def _without_forged(blocks: Iterator[bytes], hostname: str) -> Iterator[bytes]:
    """Yield a mail as it goes on: what a stranger wrote in our name is kept, and handed to nobody."""
    head, border = b"", -1
    while border < 0 and (block := next(blocks, b"")):
        head += block
        border = find_border(head)
    border = len(head) if border < 0 else border
    yield without_forged(head[:border], hostname)
    yield head[border:]
    yield from blocks


def state(desk: Desk, kept: Kept) -> Release:
    """Return how far the release of a kept copy has come."""
    name = queue_name(kept)
    envelope = desk.queue.get(name)
    if envelope is not None:
        last = envelope.recipients[0].last if envelope.recipients else ""
        return Release(kept, name, WAITING if envelope.waiting else FAILED, last)
    return Release(kept, name, DELIVERED if desk.queue.was_sent(name) else "")


def delete(desk: Desk, kept: Kept) -> None:
    """Delete a kept copy, bytes and line of the index; one that waits to be released stays."""
    if state(desk, kept).state == WAITING:
        raise DeskError(f"{kept.id} is being released; drop it from the queue first")
    write_down(desk, "deleted", kept.domain, kept.ref, kept.id, kept.recipient)
    if not desk.archive.delete(kept.ref):
        raise NotFound(f"{kept.ref} is gone already")
    desk.queue.forget_sent(queue_name(kept))


def queue_name(kept: Kept) -> str:
    """Return the queue's name for the release of a copy: the same each time, so that it is there once."""
    return "release-" + hashlib.sha256(kept.ref.encode()).hexdigest()[:24]


def _envelope(kept: Kept, name: str, now: float) -> Envelope:
    return Envelope(
        id=name,
        sender=kept.sender,
        recipients=(Rcpt(kept.recipient),),
        created=now,
        due=now,
        domain=kept.domain,
        reason="release",
        proven=False,  # a released mail never bounces: its sender was told 5xx long ago
        body=kept.body,
        smtputf8=kept.smtputf8,
        client=kept.ip,
        host=kept.host,
        helo=kept.helo,
        session=kept.id,
        once=True,
        extra={"ref": kept.ref},
    )
