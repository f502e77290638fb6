"""The server's side of SMTP without a socket: bytes in, events out, replies in, bytes out.

Rules it keeps, however the bytes are cut: only CRLF ends a command, only CRLF . CRLF ends DATA,
only the count ends a BDAT chunk; nothing pipelined behind STARTTLS is run; a command at the wrong
moment, unknown or misspelt is answered here and never reaches the caller.

    protocol.receive(data)
    while (event := protocol.next_event()) is not None:
        ... protocol.reply(Reply(250, ...)) -> bytes

An event wants exactly one reply before the next is asked for; `Answer` and `DataChunk` want none.
This is the hot path (reference/performance.md, section 4): a verb is one look-up in a table made for
the state, replies are bytes that were made before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from gatepost.mail.reply import Reply
from gatepost.smtp.bdat import BdatReader
from gatepost.smtp.commands import (
    BDAT_SYNTAX,
    Extensions,
    Limits,
    parse_bdat,
    parse_hello,
    parse_mail,
    parse_rcpt,
)
from gatepost.smtp.data import BARE, DataReader
from gatepost.smtp.errors import BareNewline, CommandError, LineTooLong, LocalProtocolError
from gatepost.smtp.events import (
    Abort,
    Answer,
    BdatChunkEnd,
    DataBegin,
    DataChunk,
    DataEnd,
    Event,
    Hello,
    Mail,
    Quit,
    Rcpt,
    Reset,
    StartTls,
    XClient,
)
from gatepost.smtp.grammar import CONTROL, is_clean
from gatepost.smtp.lines import LineBuffer
from gatepost.smtp.states import AFTER, NOT_NOW, State
from gatepost.smtp.xclient import parse_xclient

__all__ = [
    "Abort",
    "Answer",
    "BdatChunkEnd",
    "DataBegin",
    "DataChunk",
    "DataEnd",
    "Event",
    "Extensions",
    "Hello",
    "Limits",
    "LocalProtocolError",
    "Mail",
    "Quit",
    "Rcpt",
    "Reset",
    "ServerProtocol",
    "StartTls",
    "State",
    "XClient",
]

TOO_LONG = Reply(500, "5.5.2", "Line too long", close=True)
BARE_NEWLINE = Reply(500, "5.5.2", "Bare newline: lines end in CR LF")
UNKNOWN = Reply(500, "5.5.2", "Command not recognized")
NOT_HERE = Reply(502, "5.5.1", "Command not implemented")
NO_ARGUMENT = Reply(501, "5.5.4", "No argument is allowed here")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors", close=True)
NOT_SMTP = Reply(554, "5.5.2", "This is a mail server", close=True)
NOOP_ANSWER = Answer(b"250 2.0.0 Ok\r\n")
VRFY_ANSWER = Answer(b"252 2.0.0 Cannot verify, but will take mail for the user\r\n")
HELP_ANSWER = Answer(
    b"214 2.0.0 HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT: see RFC 5321\r\n"
)
UNIMPLEMENTED = frozenset({b"AUTH", b"EXPN", b"ETRN", b"TURN", b"SEND", b"SOML", b"SAML", b"XFOR"})
BROWSER = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"CONNECT ", b"OPTIONS ", b"HOST:", b"USER-AGENT:")
"""What other programs say that were sent here to speak in someone's name: they are cut off at once."""

_banners: dict[str, tuple[bytes, bytes, bytes]] = {}

_Handler: TypeAlias = "Callable[[ServerProtocol, bytes], Event | None]"
_Commands: TypeAlias = dict[bytes, _Handler]


@dataclass(frozen=True, slots=True)
class _Owed:
    """The event that waits for its reply, and where each answer leads."""

    name: str
    yes: State | None
    yes_commands: _Commands
    no: State | None
    no_commands: _Commands


class ServerProtocol(LineBuffer):
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
        self._commands = _FRESH_COMMANDS
        self._owed: _Owed | None = None
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
        return self._owed is _OWED_STARTTLS and self.size > 0

    def next_event(self) -> Event | None:
        """Return what the client did next, None until more bytes come."""
        if self._owed is not None:
            raise LocalProtocolError(f"{self._owed.name} wants a reply first")
        if self._raw:
            event = self._raw_event()
            if event is not None or self._raw:
                return event
        data = self._data
        if not data:
            return None
        try:
            end = len(data) - 2
            if (
                data.find(b"\n") == end + 1
                and data[end] == 13
                and end < 510
                and not (self._pos or self._skipped or self._more)
            ):  # a command that came alone: what `take` does, without the call
                line: bytes | None = data[:end]
                self._data = b""
            else:
                line = self.take()
            if line is None:
                return None
            handler = self._commands.get(line[:4])
            if handler is not None:
                return handler(self, line)
            return self._unusual(line)
        except CommandError as error:
            return self._refuse(error.reply)
        except BareNewline as error:
            # A chunk that nobody counts must not be run as commands.
            chunk = error.line[:4].upper() == b"BDAT"
            return self._abort(BDAT_SYNTAX) if chunk else self._refuse(BARE_NEWLINE)
        except LineTooLong:
            return self._abort(TOO_LONG)

    def reply(self, reply: Reply) -> bytes:
        """Answer the last event and move the state; returns the bytes to write."""
        owed = self._owed
        if owed is None:
            raise LocalProtocolError("no reply is owed")
        self._owed = None
        if reply.code >= 400:
            state = owed.no
            if state is not None:
                self._commands = owed.no_commands
                self._entered(state)
        else:
            state = owed.yes
            if state is not None:
                self._commands = owed.yes_commands
                if state is _MAIL:
                    self.state = state
                elif state is _RCPT:
                    self.state = state
                    self.recipients += 1
                else:
                    if state is State.DATA and reply.code != 354:
                        raise LocalProtocolError(f"{reply.code} is no answer to DATA")
                    self._entered(state)
        return reply.wire()

    def hello(self) -> bytes:
        """Answer HELO or EHLO with what we offer; a transaction that was open is over (4.1.4)."""
        if self._owed is not _OWED_HELLO:
            raise LocalProtocolError("no HELO to answer")
        self._owed = None
        self._said_hello = True
        self.state = _READY
        self._commands = _READY_COMMANDS
        self._reader = None
        self._utf8 = False
        self.recipients = 0
        banner = _banners.get(self._hostname) or _banner(self._hostname)
        return banner[2] + self._extensions.lines if self._esmtp else banner[1]

    def restart(self, reply: Reply) -> bytes:
        """Answer XCLIENT with success: the session begins anew, as another client's."""
        if self._owed is not _OWED_XCLIENT:
            raise LocalProtocolError("no XCLIENT to answer")
        self._owed = None
        self._fresh()
        return reply.wire()

    def reset_for_tls(self) -> None:
        """The 220 to STARTTLS is said: forget what was said, and every byte that waits (RFC 3207, 4.2)."""
        if self._owed is not _OWED_STARTTLS:
            raise LocalProtocolError("no STARTTLS to answer")
        self._owed = None
        self.clear()
        self._extensions = replace(self._extensions, starttls=False)
        self._fresh()

    def tls_refused(self) -> None:
        """The 454 to STARTTLS is said by the driver: the session goes on as it was."""
        if self._owed is not _OWED_STARTTLS:
            raise LocalProtocolError("no STARTTLS to refuse")
        self._owed = None

    # -- states ---------------------------------------------------------------------------

    def _entered(self, state: State) -> None:
        self.state = state
        if state is State.DATA:
            self._reader = DataReader(self._limits.message, self._limits.message_line)
            self._raw = True
        elif state is _READY:
            self._forget_transaction()
            if not self._said_hello:
                self.state, self._commands = _FRESH, _FRESH_COMMANDS
        elif state is State.CLOSED:
            self._forget_transaction()
            self._raw = True

    def _fresh(self) -> None:
        self._said_hello = False
        self.state, self._commands = _FRESH, _FRESH_COMMANDS
        self._forget_transaction()

    def _forget_transaction(self) -> None:
        self._reader = None
        self._utf8 = False
        self.recipients = 0

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
            self._owed = _OWED_CHUNK
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
        self._owed = _OWED_END
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
        self._owed = _OWED_ABORT
        return Abort(reply)

    def _unusual(self, line: bytes) -> Event | None:
        """A verb in mixed case, of another protocol, of nobody; or a line too long for its command."""
        verb = line[:4].upper()
        if len(line) > self._limits.command_line - 2 and verb not in {b"MAIL", b"RCPT"}:
            return self._abort(TOO_LONG)
        handler = self._commands.get(verb)
        if handler is not None:
            return handler(self, line)
        if line[:12].upper().startswith(BROWSER):
            return self._abort(NOT_SMTP)
        if verb in UNIMPLEMENTED and line[4:5] in {b"", b" "}:
            return self._refuse(NOT_HERE)
        return self._unknown()

    def _unknown(self) -> Answer | Abort:
        self.unrecognised += 1
        return self._refuse(UNKNOWN)

    # -- one handler a verb ---------------------------------------------------------------

    def _odd(self, line: bytes, word: bytes) -> Answer | Abort | None:
        """Return what is wrong with a line that should be `word` alone; None if it is only lower case."""
        if line.rstrip(b" ").upper() == word:
            return None
        if not is_clean(line):
            return self._refuse(CONTROL)
        if line[: len(word) + 1].upper() == word + b" ":
            return self._refuse(NO_ARGUMENT)
        return self._unknown()

    def _on_helo(self, line: bytes) -> Event:
        if line[4:5] != b" " and len(line) > 4:
            return self._unknown()
        self._esmtp = esmtp = line[0] in b"Ee"
        event = parse_hello(line, esmtp)
        self._owed = _OWED_HELLO
        return event

    def _on_mail(self, line: bytes) -> Event:
        event = parse_mail(line, self._limits, self._extensions)
        self._utf8 = event.smtputf8
        self._owed = _OWED_MAIL
        return event

    def _on_rcpt(self, line: bytes) -> Event:
        event = parse_rcpt(line, self._extensions, utf8=self._utf8)
        if self.recipients >= self._limits.recipients:
            return self._refuse(TOO_MANY_RECIPIENTS)
        self._owed = _OWED_RCPT
        return event

    def _on_data(self, line: bytes) -> Event:
        if line != b"DATA" and (answer := self._odd(line, b"DATA")) is not None:
            return answer
        self._owed = _OWED_DATA
        return DataBegin(early=self.size > 0)

    def _on_bdat(self, line: bytes) -> Event | None:
        if line[4:5] not in {b" ", b""}:
            return self._unknown()
        size, last = parse_bdat(line)
        if not self._extensions.chunking:
            self._drop(size)
            return self._refuse(NOT_HERE)
        reader = self._reader
        if type(reader) is not BdatReader:
            self._reader = reader = BdatReader(self._limits.message, self._limits.message_line)
        reader.begin(size, last)
        self._raw = True
        return self._raw_event()

    def _drop(self, size: int) -> None:
        """The bytes of a refused chunk are counted and thrown away, never run (RFC 3030, 2)."""
        self._swallow = size
        self._raw = size > 0

    def _on_rset(self, line: bytes) -> Event:
        if line != b"RSET" and (answer := self._odd(line, b"RSET")) is not None:
            return answer
        self._owed = _OWED_RESET
        return Reset()

    def _on_quit(self, line: bytes) -> Event:
        if line != b"QUIT" and (answer := self._odd(line, b"QUIT")) is not None:
            return answer
        self._owed = _OWED_QUIT
        return Quit()

    def _on_starttls(self, line: bytes) -> Event:
        if (answer := self._odd(line, b"STARTTLS")) is not None:
            return answer
        if not self._extensions.starttls:
            return self._refuse(NOT_HERE)
        self._owed = _OWED_STARTTLS
        return StartTls(injected=self.size > 0)

    def _on_xclient(self, line: bytes) -> Event:
        if not self._extensions.xclient or line[:8].upper() != b"XCLIENT ":
            return self._unknown()
        if not is_clean(line):
            return self._refuse(CONTROL)
        event = XClient(parse_xclient(line[8:].decode("ascii").strip()))
        self._owed = _OWED_XCLIENT
        return event

    def _said(self, line: bytes, answer: Answer) -> Event:
        if line[4:5] not in {b" ", b""}:
            return self._unknown()
        return answer if is_clean(line, utf8=True) else self._refuse(CONTROL)

    def _on_noop(self, line: bytes) -> Event:
        return self._said(line, NOOP_ANSWER)

    def _on_vrfy(self, line: bytes) -> Event:
        return self._said(line, VRFY_ANSWER)

    def _on_help(self, line: bytes) -> Event:
        return self._said(line, HELP_ANSWER)


def _banner(hostname: str) -> tuple[bytes, bytes, bytes]:
    """Return the greeting, the reply to HELO and the first line of that to EHLO, made once a name."""
    _banners[hostname] = banner = (
        Reply(220, "", f"{hostname} ESMTP").wire(),
        Reply(250, "", hostname).wire(),
        Reply(250, "", hostname).wire().replace(b"250 ", b"250-", 1),
    )
    return banner


def _wrong_moment(verb: str, sentence: str) -> _Handler:
    """Return the handler that answers a command at the wrong moment; it must still count BDAT's bytes."""
    reply = Reply(503, "5.5.1", sentence)
    if verb == "BDAT":

        def refuse(self: ServerProtocol, line: bytes) -> Event:
            self._drop(parse_bdat(line)[0])
            return self._refuse(reply)
    else:

        def refuse(self: ServerProtocol, line: bytes) -> Event:  # noqa: ARG001 - a handler's arguments
            return self._refuse(reply)

    return refuse


_HANDLERS: dict[str, _Handler] = {
    "HELO": ServerProtocol._on_helo,
    "EHLO": ServerProtocol._on_helo,
    "MAIL": ServerProtocol._on_mail,
    "RCPT": ServerProtocol._on_rcpt,
    "DATA": ServerProtocol._on_data,
    "BDAT": ServerProtocol._on_bdat,
    "RSET": ServerProtocol._on_rset,
    "NOOP": ServerProtocol._on_noop,
    "QUIT": ServerProtocol._on_quit,
    "VRFY": ServerProtocol._on_vrfy,
    "HELP": ServerProtocol._on_help,
    "STARTTLS": ServerProtocol._on_starttls,
    "XCLIENT": ServerProtocol._on_xclient,
}


def _commands_in(state: State) -> _Commands:
    """Return first four letters (in capitals and in small letters) -> handler, as `NOT_NOW` says."""
    not_now = NOT_NOW.get(state, {})
    table: _Commands = {}
    for verb, handler in _HANDLERS.items():
        chosen = _wrong_moment(verb, not_now[verb]) if verb in not_now else handler
        table[verb[:4].encode()] = table[verb[:4].lower().encode()] = chosen
    return table


_COMMANDS = {state: _commands_in(state) for state in State}


def _owed(name: str) -> _Owed:
    yes, no = AFTER[name]
    return _Owed(name, yes, _COMMANDS[yes or State.FRESH], no, _COMMANDS[no or State.FRESH])


# An Enum's members and a table keyed by them are slow to reach: what the hot path needs has a name here.
_FRESH, _READY, _MAIL, _RCPT = State.FRESH, State.READY, State.MAIL, State.RCPT
_FRESH_COMMANDS, _READY_COMMANDS = _COMMANDS[State.FRESH], _COMMANDS[State.READY]
_OWED_HELLO, _OWED_MAIL, _OWED_RCPT = _owed("hello"), _owed("mail"), _owed("rcpt")
_OWED_DATA, _OWED_CHUNK, _OWED_END = _owed("data"), _owed("chunk"), _owed("end")
_OWED_RESET, _OWED_STARTTLS, _OWED_XCLIENT = _owed("reset"), _owed("starttls"), _owed("xclient")
_OWED_QUIT, _OWED_ABORT = _owed("quit"), _owed("abort")
