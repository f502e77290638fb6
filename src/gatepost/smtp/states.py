"""When may a client say what: the states of a session, as tables (RFC 5321, 4.1.4).

A command that a state does not name is allowed in it; the sentence beside one that it names is the
503 that answers it. What the answer to an event does to the state stands in its `Owed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Where a session stands between two commands."""

    __hash__ = object.__hash__  # Enum's own is Python code, and states are looked up with each reply

    FRESH = "fresh"
    """No HELO or EHLO yet, or none since TLS began (RFC 3207, 4.2)."""
    READY = "ready"
    """Greeted, no transaction."""
    MAIL = "mail"
    """A sender, no recipient accepted."""
    RCPT = "rcpt"
    """At least one recipient accepted."""
    DATA = "data"
    """Behind the 354: the bytes are the message."""
    CHUNKS = "chunks"
    """At least one BDAT went by, not the last (RFC 3030)."""
    CLOSED = "closed"
    """Nothing more is read."""


_HELLO = "Say HELO or EHLO first"
_SENDER = "Give the sender first (MAIL)"
_RECIPIENT = "No valid recipient was given (RCPT)"
_NESTED = "Sender already given"
_OPEN = "Not during a mail transaction"
_CHUNKS = "BDAT has begun, only BDAT or RSET may follow"

NOT_NOW: dict[State, dict[str, str]] = {
    State.FRESH: {"MAIL": _HELLO, "RCPT": _HELLO, "DATA": _HELLO, "BDAT": _HELLO, "STARTTLS": _HELLO},
    State.READY: {"RCPT": _SENDER, "DATA": _SENDER, "BDAT": _SENDER},
    State.MAIL: {
        "MAIL": _NESTED,
        "DATA": _RECIPIENT,
        "BDAT": _RECIPIENT,
        "STARTTLS": _OPEN,
        "XCLIENT": _OPEN,
    },
    State.RCPT: {"MAIL": _NESTED, "STARTTLS": _OPEN, "XCLIENT": _OPEN},
    State.CHUNKS: {"MAIL": _NESTED, "RCPT": _CHUNKS, "DATA": _CHUNKS, "STARTTLS": _OPEN, "XCLIENT": _OPEN},
}


@dataclass(frozen=True, slots=True)
class Owed:
    """An event that waits for its reply, and where each answer leads; None leaves the state."""

    name: str
    yes: State | None = None
    no: State | None = None


HELLO = Owed("HELO")  # the positive answer is hello()
MAIL = Owed("MAIL", yes=State.MAIL)
RCPT = Owed("RCPT", yes=State.RCPT)
DATA = Owed("DATA", yes=State.DATA)
CHUNK = Owed("a chunk", yes=State.CHUNKS, no=State.READY)
MESSAGE = Owed("the message", yes=State.READY, no=State.READY)  # RFC 5321, 4.1.1.4: over either way
RESET = Owed("RSET", yes=State.READY, no=State.READY)  # FRESH if no HELO was said
STARTTLS = Owed("STARTTLS")  # the positive answer is a handshake, then reset_for_tls()
XCLIENT = Owed("XCLIENT")  # the positive answer is restart()
QUIT = Owed("QUIT", yes=State.CLOSED, no=State.CLOSED)
ABORT = Owed("an abort", yes=State.CLOSED, no=State.CLOSED)
