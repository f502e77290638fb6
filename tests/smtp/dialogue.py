"""Plays a written dialogue (tests/dialogues/README.md) against the protocol, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from gatepost.mail.reply import Reply
from gatepost.smtp.server import (
    Abort,
    Answer,
    BdatChunkEnd,
    DataBegin,
    DataChunk,
    DataEnd,
    Event,
    Extensions,
    Hello,
    Limits,
    Mail,
    Quit,
    Rcpt,
    Reset,
    ServerProtocol,
    StartTls,
    XClient,
)

FOLDER = Path(__file__).parents[1] / "dialogues"
LIMITS = Limits(message=1000, recipients=3, message_line=200)
OFFERED = Extensions(size=1000, starttls=True)


@dataclass(frozen=True, slots=True)
class Script:
    """One file: what goes in one segment, and what has to come back for it."""

    steps: tuple[tuple[bytes, tuple[str, ...]], ...]
    whole: bool
    """Segments must not be cut."""
    close: bool


def read(path: Path) -> Script:
    """Read a dialogue."""
    steps: list[tuple[bytes, list[str]]] = [(b"", [])]
    whole = close = False
    for line in path.read_text("utf-8").splitlines():
        mark, text = line[:2], line[3:]
        if mark in {"C:", "C!"}:
            data = text.encode() + b"\r\n"
            if mark == "C!":
                data = text.encode("latin-1").decode("unicode_escape").encode("latin-1")
            if steps[-1][1]:
                steps.append((b"", []))
            steps[-1] = (steps[-1][0] + data, [])
        elif mark == "S:":
            steps[-1][1].append(text)
        elif mark == "S.":
            close = True
        elif mark == "@ ":
            whole = True
        elif line and mark != "# ":
            raise ValueError(f"{path.name}: {line!r}")
    return Script(tuple((data, tuple(said)) for data, said in steps), whole, close)


class Server:
    """A driver with the simplest policy there is: ann, bob and postmaster exist."""

    def __init__(
        self, limits: Limits = LIMITS, offered: Extensions = OFFERED, bare: str = "normalize"
    ) -> None:
        self.protocol = ServerProtocol("mx.example.org", limits, offered, bare)
        self.closed = False
        self.events: list[Event] = []
        """Everything that happened, the pieces of a message joined."""
        self._open: bool | None = None
        """A StartTls was answered with 220."""

    def say(self, data: bytes) -> bytes:
        """Hear bytes, return what is answered to them."""
        if self.closed:
            return b""
        self.protocol.receive(data)
        return b"".join(self._pump())

    def _pump(self) -> Iterator[bytes]:
        while not self.closed and (event := self.protocol.next_event()) is not None:
            last = self.events[-1] if self.events else None
            if isinstance(event, DataChunk) and isinstance(last, DataChunk):
                self.events[-1] = DataChunk(last.data + event.data)
            else:
                self.events.append(event)
            answer = self._answer(event)
            if isinstance(answer, Reply):
                self.closed = answer.close
                yield self.protocol.reply(answer)
            else:
                yield answer

    def _answer(self, event: Event) -> Reply | bytes:
        protocol = self.protocol
        match event:
            case Answer():
                self.closed = event.close
                return event.data
            case DataChunk():
                return b""
            case Hello():
                return protocol.hello()
            case Mail():
                return Reply(250, "2.1.0", "Ok")
            case Rcpt():
                known = event.address.local.lower() in {"ann", "bob", "postmaster"}
                return Reply(250, "2.1.5", "Ok") if known else Reply(550, "5.1.1", "No such user")
            case DataBegin():
                return Reply(554, "5.5.0", "Too early", True) if event.early else Reply(354, "", "Go on")
            case BdatChunkEnd():
                return Reply(250, "2.0.0", "Ok")
            case DataEnd():
                return self._end(event)
            case Reset():
                return Reply(250, "2.0.0", "Ok")
            case Quit():
                return Reply(221, "2.0.0", "Bye", close=True)
            case Abort():
                return event.reply
            case XClient():
                return protocol.restart(Reply(220, "", "mx.example.org ESMTP"))
            case StartTls():
                if event.injected or protocol.pending_after_starttls:
                    self.closed = True
                    return b"554 5.5.0 Pipelined behind STARTTLS\r\n"
                protocol.reset_for_tls()
                return b"220 2.0.0 Go ahead\r\n"

    def _end(self, event: DataEnd) -> Reply:
        if event.too_big:
            return Reply(552, "5.3.4", "Too big")
        if event.spoilt:
            return Reply(550, "5.6.11" if event.spoilt == "bare" else "5.6.0", event.spoilt)
        extra = " normalize" if event.normalize else ""
        return Reply(250, "2.6.0", f"{event.size} bytes for {self.protocol.recipients}{extra}")


def play(script: Script, size: int = 0) -> str:
    """Play a dialogue, segments cut to `size` bytes; returns "" or what went wrong."""
    server = Server()
    said = server.protocol.greet()
    for data, expected in script.steps:
        step = size if size and not script.whole else max(len(data), 1)
        for at in range(0, len(data), step):
            said += server.say(data[at : at + step])
        lines = said.decode("ascii").split("\r\n")
        said = b""
        if lines.pop():
            return f"a line without end: {lines}"
        if len(lines) != len(expected):
            return f"{data!r}: expected {expected}, got {lines}"
        for line, pattern in zip(lines, expected, strict=True):
            if not fnmatchcase(line, pattern):
                return f"{data!r}: expected {pattern!r}, got {line!r}"
    if server.closed != script.close:
        return "closed" if server.closed else "not closed"
    return ""
