"""What the queue knows of a message besides its bytes: sender, recipients, when to try again.

Stored as one JSON object with a version, so that every later release reads what this one wrote.
A value never changes: an attempt makes a new one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

VERSION = 1


class BadEnvelope(ValueError):
    """What was found on the disk is not an envelope."""


@dataclass(frozen=True, slots=True)
class Rcpt:
    """One recipient that still waits."""

    address: str
    """As text between the angle brackets."""
    notify: str = ""
    orcpt: str = ""
    last: str = ""
    """What the next hop said last, as text (`451 4.3.0 ... (host:port)`)."""
    failed: bool = False
    """Refused for good and not bounced: kept for the owner, tried again only by hand."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Everything about one queued message but its bytes."""

    id: str
    sender: str | None
    """None is the null sender."""
    recipients: tuple[Rcpt, ...]
    created: float
    """Seconds since 1970."""
    due: float
    """When the next attempt may be made."""
    domain: str = ""
    """Whose mail it is, for the route and for `queue list`."""
    routes: tuple[str, ...] = ()
    """Route URLs; empty: asked of the domain's policy at each attempt."""
    reason: str = ""
    """Why it lies here: `deferred`, `unreachable`, `not judged yet`, `judged`, `release`, `bounce`."""
    proven: bool = False
    """SPF or DKIM agreed with the sender's domain: only then may a bounce go there (T8.4)."""
    attempts: int = 0
    body: str = "7BIT"
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""
    size: int = 0
    client: str = ""
    """Address of the client that brought it, for XCLIENT and XFORWARD."""
    host: str = ""
    helo: str = ""
    session: str = ""
    """Id of the session, so that each log line can be joined to it."""
    once: bool = False
    """Delivered at most once, though asked for twice (a release)."""
    unjudged: dict[str, Any] | None = None
    """It is not judged yet: what the one who judges it wrote down. None: it may go on (as all did before)."""
    top: str = ""
    """Header lines that the judgement added; they go before the bytes."""
    subject: str = ""
    """Words that the judgement puts behind the Subject."""
    extra: dict[str, str] = field(default_factory=dict)
    """Words of the one who queued it (the archive's reference of a release)."""

    @property
    def waiting(self) -> tuple[Rcpt, ...]:
        """The recipients that are to be tried again."""
        return tuple(r for r in self.recipients if not r.failed)

    def as_json(self) -> bytes:
        """Return the bytes that lie in the queue: one line."""
        said = asdict(self)
        said["v"] = VERSION
        return json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


_NAMES = {f.name for f in fields(Envelope)}
_RCPT_NAMES = {f.name for f in fields(Rcpt)}
_TYPES: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "sender": (str, type(None)),
    "created": (int, float),
    "due": (int, float),
    "attempts": (int,),
    "size": (int,),
    "proven": (bool,),
    "smtputf8": (bool,),
    "once": (bool,),
    "extra": (dict,),
    "unjudged": (dict, type(None)),
}


def read_envelope(data: bytes) -> Envelope:
    """Return the envelope; BadEnvelope for anything else. Words of a later version are passed over."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadEnvelope(f"not JSON: {error}") from error
    if not isinstance(said, dict) or said.get("v") != VERSION:
        raise BadEnvelope("no version that is known here")
    known: dict[str, Any] = {name: value for name, value in said.items() if name in _NAMES}
    for name, value in known.items():
        if name not in ("recipients", "routes") and not isinstance(value, _TYPES.get(name, (str,))):
            raise BadEnvelope(f"{name} is {type(value).__name__}")
    try:
        known["recipients"] = tuple(_rcpt(one) for one in known["recipients"])
        known["routes"] = tuple(str(route) for route in known.get("routes", ()))
        return Envelope(**known)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadEnvelope(f"not an envelope: {error}") from error


def _rcpt(said: dict[str, Any]) -> Rcpt:
    known = {name: value for name, value in said.items() if name in _RCPT_NAMES}
    if not isinstance(known["address"], str):
        raise BadEnvelope("a recipient without an address")
    return Rcpt(**known)
