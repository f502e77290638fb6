"""Two kinds of error: theirs becomes a reply, ours is a bug of the caller (house style, 9)."""

from __future__ import annotations

from gatepost.mail.reply import Reply


class LocalProtocolError(Exception):
    """We did what the protocol does not allow now: a reply that nobody waits for, and the like."""


class RemoteProtocolError(Exception):
    """The other side said what is no SMTP; the text says what. Never holds more than printable ASCII."""


class CommandError(RemoteProtocolError):
    """A command that cannot be obeyed, with the reply that says so."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class LineTooLong(RemoteProtocolError):
    """A line goes past its bound."""


class BareNewline(RemoteProtocolError):
    """An LF without a CR stood in a command; only CRLF ends a line (RFC 5321, 2.3.8)."""

    def __init__(self, line: bytes) -> None:
        super().__init__("bare newline")
        self.line = line
        """What stood before it."""


class GarbageError(RemoteProtocolError):
    """What a server sent is no SMTP reply, or too much of one."""


class OutboundError(Exception):
    """A message that must not go out as it is: a bare CR, a bare LF or a NUL (T1.3)."""
