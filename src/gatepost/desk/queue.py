"""Mail that waits to be handed on: look, try again now, throw away."""

from __future__ import annotations

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.mail.ids import clean
from gatepost.spool.envelope import Envelope

Names = list[str]
Envelopes = list[Envelope]


def listing(desk: Desk, domain: str | None = None) -> Envelopes:
    """Return what waits, oldest first."""
    return [e for e in desk.queue.list() if domain is None or e.domain == domain]


def find(desk: Desk, names: Names) -> Envelopes:
    """Return the entries that a person means: an id, a beginning that only one has, or a session's id."""
    known = {envelope.id: envelope for envelope in desk.queue.list()}
    found: Envelopes = []
    for name in names:
        session = clean(name)
        if session is not None and name not in known:
            of_session = [
                e for e in known.values() if e.session.partition(".")[0] == session.partition(".")[0]
            ]
            found += of_session
            if of_session:
                continue
        near = [known[name]] if name in known else [e for id_, e in known.items() if id_.startswith(name)]
        if not near:
            raise NotFound(f"nothing waits under {name!r}")
        if len(near) > 1:
            raise DeskError(f"{name!r} is the beginning of {len(near)} ids; write more of it")
        found.append(near[0])
    return found


def retry(desk: Desk, envelopes: Envelopes) -> Names:
    """Make entries due now; returns the ids of those that are being delivered at this moment or gone."""
    now = desk.clock()
    return [e.id for e in envelopes if not desk.queue.retry(e.id, now)]


def drop(desk: Desk, envelopes: Envelopes) -> Names:
    """Throw entries away; returns the ids of those that are being delivered at this moment or gone."""
    left: Names = []
    for envelope in envelopes:
        if not desk.queue.drop(envelope.id):
            left.append(envelope.id)
        elif envelope.once:
            # It was not delivered, so the kept mail may be released another time.
            desk.queue.forget_sent(envelope.id)
    return left
