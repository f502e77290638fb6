"""Where one session stands: what is owed, what a reply does, when bytes are a message.

Everything of the server's side that is not a command. Replies move the state as `states` says; the
bytes of a message, of a refused chunk and of a closed session are never looked at as commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from gatepost.mail.reply import Reply
from gatepost.smtp.bdat import BdatReader
from gatepost.smtp.commands import Extensions, Limits
from gatepost.smtp.data import BARE, DataReader
from gatepost.smtp.errors import LocalProtocolError
from gatepost.smtp.events import Abort, Answer, BdatChunkEnd, DataChunk, DataEnd, Event
from gatepost.smtp.lines import LineBuffer
from gatepost.smtp.states import ABORT, CHUNK, HELLO, MESSAGE, STARTTLS, XCLIENT, Owed, State

TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors", close=True)

# An Enum's members are slow to reach: those of the hot path have a name here.
_FRESH, _READY, _RCPT, _DATA, _CLOSED = State.FRESH, State.READY, State.RCPT, State.DATA, State.CLOSED
_banners: dict[str, tuple[bytes, bytes, bytes]] = {}


class Machine(LineBuffer):
    """One session. Fields that live with the session first, then those of a transaction."""

    __slots__ = (
        "_commands",
        "_esmtp",
        "_extensions",
        "_hostname",
        "_limits",
        "_normalize",
        "_owed",
        "_raw",
        "_reader",
        "_said_hello",
        "_swallow",
        "_utf8",
        "errors",
        "recipients",
        "state",
        "unrecognised",
    )
    _tables: ClassVar[dict[State, dict[bytes, Callable[[Any, bytes], Event | None]]]] = {}
    """State -> first four letters of a command -> what obeys it; filled by `server`."""

    def __init__(self, hostname: str, limits: Limits, extensions: Extensions, bare_newline: str) -> None:
        self._hostname = hostname
        self._limits = limits
        self._extensions = extensions
        self._normalize = bare_newline == "normalize"
        # The fields of LineBuffer: a base and not a part, for that is half a microsecond a session.
        self._limit = limits.path_line
        self._data = b""
        self._pos = self._waiting = self._skipped = 0
        self._more: list[bytes] = []
        self.state = _FRESH
        self._commands = self._tables[_FRESH]
        self._owed: Owed | None = None
        self._raw = False  # the bytes that come are no commands: a message, a refused chunk, or too late
        self._said_hello = self._esmtp = False
        self.errors = 0
        """Commands that were refused here."""
        self.unrecognised = 0
        """Those of them that are no SMTP at all."""
        self._reader: DataReader | BdatReader | None = None
        self._swallow = 0
        self._utf8 = False
        self.recipients = 0
        """Recipients accepted in this transaction."""

    # -- what the driver calls ------------------------------------------------------------

    def greet(self, text: str = "") -> bytes:
        """Return the greeting (RFC 5321, 4.3.1)."""
        if text:
            return Reply(220, "", f"{self._hostname} ESMTP {text}").wire()
        return (_banners.get(self._hostname) or _banner(self._hostname))[0]

    def receive(self, data: bytes) -> None:
        """Take bytes from the client; O(1) however many wait."""
        if not self._data:
            self._data = data
        else:
            self.add(data)

    @property
    def buffered(self) -> int:
        """How many bytes wait for `next_event`."""
        return self.size

    @property
    def in_data(self) -> bool:
        """The bytes that come now are a message's."""
        return self._raw and self._reader is not None

    @property
    def pending_after_starttls(self) -> bool:
        """Bytes came behind STARTTLS and before the handshake (T2.1)."""
        return self._owed is STARTTLS and self.size > 0

    def reply(self, reply: Reply) -> bytes:
        """Answer the last event and move the state; returns the bytes to write."""
        owed = self._owed
        if owed is None:
            raise LocalProtocolError("no reply is owed")
        self._owed = None
        if reply.code >= 400:
            state = owed.no
            if state is not None:
                self._entered(state)
        else:
            state = owed.yes
            if state is _RCPT:
                self.recipients += 1
                self.state = state
                self._commands = self._tables[state]
            elif state is not None:
                if state is _DATA and reply.code != 354:
                    raise LocalProtocolError(f"{reply.code} is no answer to DATA")
                self._entered(state)
        return reply.wire()

    def hello(self) -> bytes:
        """Answer HELO or EHLO with what we offer; a transaction that was open is over (4.1.4)."""
        if self._owed is not HELLO:
            raise LocalProtocolError("no HELO to answer")
        self._owed = None
        self._said_hello = True
        self._entered(_READY)
        banner = _banners.get(self._hostname) or _banner(self._hostname)
        return banner[2] + self._extensions.lines if self._esmtp else banner[1]

    def restart(self, reply: Reply) -> bytes:
        """Answer XCLIENT with success: the session begins anew, as another client's."""
        if self._owed is not XCLIENT:
            raise LocalProtocolError("no XCLIENT to answer")
        self._owed = None
        self._fresh()
        return reply.wire()

    def reset_for_tls(self) -> None:
        """The 220 to STARTTLS is said: forget what was said, and every byte that waits (RFC 3207, 4.2)."""
        if self._owed is not STARTTLS:
            raise LocalProtocolError("no STARTTLS to answer")
        self._owed = None
        self.clear()
        self._extensions = replace(self._extensions, starttls=False)
        self._fresh()

    def tls_refused(self) -> None:
        """The 454 to STARTTLS is said by the driver: the session goes on as it was."""
        if self._owed is not STARTTLS:
            raise LocalProtocolError("no STARTTLS to refuse")
        self._owed = None

    # -- states ---------------------------------------------------------------------------

    def _entered(self, state: State) -> None:
        if state is _READY:
            self._reader = None
            self._utf8 = False
            self.recipients = 0
            if not self._said_hello:
                state = _FRESH
        elif state is _DATA:
            self._reader = DataReader(self._limits.message, self._limits.message_line)
            self._raw = True
        elif state is _CLOSED:
            self._reader = None
            self._raw = True
        self.state = state
        self._commands = self._tables[state]

    def _fresh(self) -> None:
        self._said_hello = False
        self._entered(_READY)

    # -- bytes that are no commands -------------------------------------------------------

    def _raw_event(self) -> Event | None:
        """Take what waits as a message; `_raw` is False after it when commands come again."""
        reader = self._reader
        if type(reader) is DataReader:
            if not reader.done:
                piece = reader.feed(self.take_all())
                if reader.done:
                    self.put_back(reader.rest)
                if piece:
                    return DataChunk(piece)
                if not reader.done:
                    return None
            return self._message_end(reader)
        if type(reader) is BdatReader:
            if reader.left:
                piece = reader.feed(self.take_some(reader.left))
                if piece:
                    return DataChunk(piece)
                if reader.left:
                    return None
            if reader.last:
                return self._message_end(reader)
            self._raw = False
            self._owed = CHUNK
            return BdatChunkEnd()
        if self._swallow:
            self._swallow -= len(self.take_some(self._swallow))
            self._raw = self._swallow > 0
            return None
        self.clear()  # closed: whatever still comes is never run
        return None

    def _message_end(self, reader: DataReader | BdatReader) -> DataEnd:
        self._raw = False
        self._reader = None
        self._owed = MESSAGE
        spoilt = reader.spoilt
        normalize = spoilt == BARE and self._normalize
        return DataEnd(
            reader.size, reader.too_big, "" if normalize else spoilt, normalize, type(reader) is DataReader
        )

    # -- answers of our own ---------------------------------------------------------------

    def _refuse(self, reply: Reply) -> Answer | Abort:
        """Answer a bad command ourselves; too many of them end the session."""
        if reply.close:
            return self._abort(reply)
        if reply.code >= 500:
            self.errors += 1
            if self.errors > self._limits.errors:
                return self._abort(TOO_MANY_ERRORS)
        return Answer(reply.wire())

    def _abort(self, reply: Reply) -> Abort:
        self.errors += 1
        self._owed = ABORT
        return Abort(reply)


def _banner(hostname: str) -> tuple[bytes, bytes, bytes]:
    """Return the greeting, the reply to HELO and the first line of that to EHLO, made once a name."""
    _banners[hostname] = banner = (
        Reply(220, "", f"{hostname} ESMTP").wire(),
        Reply(250, "", hostname).wire(),
        Reply(250, "", hostname).wire().replace(b"250 ", b"250-", 1),
    )
    return banner
