"""When may a client say what: the states of a session, as tables (RFC 5321, 4.1.4).

A command that a state does not name is allowed in it; the sentence beside one that it names is the
503 that answers it. What the answer to an event does to the state stands in `AFTER`.
"""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a session stands between two commands."""

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

AFTER: dict[str, tuple[State | None, State | None]] = {
    # what is answered: (state after a positive reply, after a negative one); None leaves it
    "hello": (None, None),  # the positive answer is ServerProtocol.hello()
    "mail": (State.MAIL, None),
    "rcpt": (State.RCPT, None),
    "data": (State.DATA, None),
    "chunk": (State.CHUNKS, State.READY),
    "end": (State.READY, State.READY),  # RFC 5321, 4.1.1.4: buffers are cleared either way
    "reset": (State.READY, State.READY),  # FRESH if no HELO was given
    "starttls": (None, None),  # the positive answer is a handshake, then reset_for_tls()
    "xclient": (None, None),  # the positive answer is restart()
    "quit": (State.CLOSED, State.CLOSED),
    "abort": (State.CLOSED, State.CLOSED),
}
