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
from gatepost.smtp.machine import Machine
from gatepost.smtp.states import DATA, HELLO, MAIL, NOT_NOW, QUIT, RCPT, RESET, STARTTLS, XCLIENT, State
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
"""RFC 5321's words for 502 (4.2.4): of commands that SMTP has and this server, on purpose, has not."""
NO_ARGUMENT = Reply(501, "5.5.4", "No argument is allowed here")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients")
NOT_SMTP = Reply(554, "5.5.2", "This is a mail server", close=True)
NOOP_ANSWER = Answer(b"250 2.0.0 Ok\r\n")
VRFY_ANSWER = Answer(b"252 2.0.0 Cannot verify, but will take mail for the user\r\n")
HELP_ANSWER = Answer(
    b"214 2.0.0 HELO EHLO MAIL RCPT DATA BDAT RSET NOOP VRFY STARTTLS QUIT: see RFC 5321\r\n"
)
LONG_VERBS = frozenset({b"MAIL", b"RCPT"})
"""Commands that may be longer than others: they have parameters (RFC 5321, 4.5.3.1.4 and 4.1.1.11)."""
UNIMPLEMENTED = frozenset({b"AUTH", b"EXPN", b"ETRN", b"TURN", b"SEND", b"SOML", b"SAML", b"XFOR"})
BROWSER = tuple(b"GET ,POST ,PUT ,HEAD ,CONNECT ,OPTIONS ,HOST:,USER-AGENT:,PROXY ".split(b","))
"""What other programs say that were sent here to speak in someone's name: they are cut off at once. So is
a balancer that is not listed (T9.3)."""
PROXY_V2 = b"\0"
"""The third line of a PROXY header of version 2, whose binary part must not be taken for commands."""


_Handler: TypeAlias = "Callable[[ServerProtocol, bytes], Event | None]"


class ServerProtocol(Machine):
    """One session: commands in, events out."""

    __slots__ = ()

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
                line = data[:end]
                self._data = b""
            else:
                taken = self.take()
                if taken is None:
                    return None
                line = taken
                if len(line) > self._limits.command_line - 2 and line[:4].upper() not in LONG_VERBS:
                    return self._abort(TOO_LONG)
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

    def _unusual(self, line: bytes) -> Event | None:
        """A verb in mixed case, of another protocol, or of nobody."""
        verb = line[:4].upper()
        handler = self._commands.get(verb)
        if handler is not None:
            return handler(self, line)
        if line[:12].upper().startswith(BROWSER) or line == PROXY_V2:
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
        self._owed = HELLO
        return event

    def _on_mail(self, line: bytes) -> Event:
        event = parse_mail(line, self._limits, self._extensions)
        self._utf8 = event.smtputf8
        self._owed = MAIL
        return event

    def _on_rcpt(self, line: bytes) -> Event:
        event = parse_rcpt(line, self._extensions, utf8=self._utf8)
        if self.recipients >= self._limits.recipients:
            return self._refuse(TOO_MANY_RECIPIENTS)
        self._owed = RCPT
        return event

    def _on_data(self, line: bytes) -> Event:
        if line != b"DATA" and (answer := self._odd(line, b"DATA")) is not None:
            return answer
        self._owed = DATA
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
        self._owed = RESET
        return Reset()

    def _on_quit(self, line: bytes) -> Event:
        if line != b"QUIT" and (answer := self._odd(line, b"QUIT")) is not None:
            return answer
        self._owed = QUIT
        return Quit()

    def _on_starttls(self, line: bytes) -> Event:
        if (answer := self._odd(line, b"STARTTLS")) is not None:
            return answer
        if not self._extensions.starttls:
            return self._refuse(NOT_HERE)
        self._owed = STARTTLS
        return StartTls(injected=self.size > 0)

    def _on_xclient(self, line: bytes) -> Event:
        if not self._extensions.xclient or line[:8].upper() != b"XCLIENT ":
            return self._unknown()
        if not is_clean(line):
            return self._refuse(CONTROL)
        event = XClient(parse_xclient(line[8:].decode("ascii").strip()))
        self._owed = XCLIENT
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


def _commands_in(state: State) -> dict[bytes, _Handler]:
    """Return first four letters (in capitals and in small letters) -> handler, as `NOT_NOW` says."""
    not_now = NOT_NOW.get(state, {})
    table: dict[bytes, _Handler] = {}
    for verb, handler in _HANDLERS.items():
        chosen = _wrong_moment(verb, not_now[verb]) if verb in not_now else handler
        table[verb[:4].encode()] = table[verb[:4].lower().encode()] = chosen
    return table


ServerProtocol._tables = {state: _commands_in(state) for state in State}
