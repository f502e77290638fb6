"""The day's index of kept mail: one JSON object on each line (CONTRACT 8).

`archive/index/YYYY-MM-DD.jsonl`, appended by one write of many processes. A line that cannot be read
(a torn write, a hand's edit) is passed over; a line is erased in place by blanks, so that who appends
meanwhile is not disturbed.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatepost.store.durable import SYSTEM, Files, append_durable, write_durable

NO_REASON = "Unknown reason"
"""As the index of the systems before had it."""
LONGEST_FIELD = 1000
"""Characters of one field; what a stranger wrote has a bound."""
_DOMAIN = b'"domain":"'


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept copy: what is known of it besides the bytes."""

    id: str
    """The transaction's id; several recipients of one mail may share it."""
    time: float
    sender: str | None
    """None is the null sender."""
    recipient: str
    domain: str
    """The recipient's domain: whose mail it is."""
    ip: str = ""
    host: str = ""
    helo: str = ""
    reason: str = ""
    plugin: str = ""
    outcome: str = "rejected"
    """`rejected` (the sender was told 5xx) or `quarantined` (the sender was told 250)."""
    held: bool = False
    """We said 250 for it: never thrown out to make room, and not storable means 4xx."""
    score: float = 0.0
    subject: str = ""
    message_id: str = ""
    size: int = 0
    body: str = "7BIT"
    smtputf8: bool = False
    proven: bool = False
    """SPF or DKIM agreed with the sender's domain."""
    ref: str = ""
    """Where the bytes are, relative to the archive; set by the archive."""
    stored: int = 0
    """Bytes on the disk."""

    def as_line(self) -> bytes:
        """Return the line of the index."""
        said: dict[str, Any] = {
            "id": self.id,
            "time": round(self.time, 3),
            "from": f"<{self.sender or ''}>",
            "ip": self.ip,
            "host": self.host or "Unknown",
            "helo": self.helo,
            "reason": self.reason or NO_REASON,
            "plugin": self.plugin,
            "outcome": self.outcome,
            "score": round(self.score, 2),
            "subject": self.subject,
            "recipient": self.recipient,
            "message-id": self.message_id,
            "size": self.size,
            "filename": self.ref,
            "domain": self.domain,
            "held": self.held,
            "stored": self.stored,
            "body": self.body,
            "smtputf8": self.smtputf8,
            "proven": self.proven,
        }
        bounded = {k: v[:LONGEST_FIELD] if isinstance(v, str) else v for k, v in said.items()}
        # ASCII only: no line end, control or bidi character of a stranger stands in the file raw.
        return json.dumps(bounded, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def read_line(line: bytes) -> Kept | None:
    """Return what a line says, None for a blank or broken one."""
    if not line.strip():
        return None
    try:
        said = json.loads(line)
        sender = str(said["from"]).removeprefix("<").removesuffix(">")
        host, reason = str(said.get("host", "")), str(said.get("reason", ""))
        return Kept(
            id=str(said["id"]),
            time=float(said["time"]),
            sender=sender or None,
            recipient=str(said["recipient"]),
            domain=str(said["domain"]),
            ip=str(said.get("ip", "")),
            host="" if host == "Unknown" else host,
            helo=str(said.get("helo", "")),
            reason="" if reason == NO_REASON else reason,
            plugin=str(said.get("plugin", "")),
            outcome=str(said.get("outcome", "")),
            held=said.get("held") is True,
            score=float(said.get("score", 0)),
            subject=str(said.get("subject", "")),
            message_id=str(said.get("message-id", "")),
            size=int(said.get("size", 0)),
            body=str(said.get("body", "7BIT")),
            smtputf8=said.get("smtputf8") is True,
            proven=said.get("proven") is True,
            ref=str(said["filename"]),
            stored=int(said.get("stored", 0)),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


class Index:
    """The index files of all days."""

    __slots__ = ("_directory", "_files")

    def __init__(self, directory: Path, files: Files = SYSTEM) -> None:
        self._directory = directory
        self._files = files

    def path(self, day: str) -> Path:
        """Return the file of a day."""
        return self._directory / f"{day}.jsonl"

    def append(self, day: str, lines: bytes) -> None:
        """Append, durably."""
        append_durable(self.path(day), lines, self._files)

    def days(self) -> list[str]:
        """Return the days that have an index, oldest first."""
        return sorted(entry.name.removesuffix(".jsonl") for entry in self._directory.glob("????-??-??.jsonl"))

    def read(self, day: str) -> Iterator[Kept]:
        """Yield what stands in a day's index, in the order written."""
        try:
            stream = self.path(day).open("rb")
        except FileNotFoundError:
            return
        with stream:
            for line in stream:
                kept = read_line(line)
                if kept is not None:
                    yield kept

    def read_of(self, day: str, domains: Container[str]) -> Iterator[Kept]:
        """Yield what stands in a day's index of some domains; the lines of others are hardly looked at."""
        try:
            stream = self.path(day).open("rb")
        except FileNotFoundError:
            return
        with stream:
            for line in stream:
                # No text of a stranger reads so: in it each quotation mark has a backslash before it.
                _, _, behind = line.partition(_DOMAIN)
                if behind.partition(b'"')[0].decode("ascii", "replace") in domains:
                    kept = read_line(line)
                    if kept is not None:
                        yield kept

    def search(self, day: str, needle: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, line) of the lines that hold `needle`; the file is not read line by line."""
        try:
            stream = self.path(day).open("rb")
        except FileNotFoundError:
            return
        with stream:
            if os.fstat(stream.fileno()).st_size == 0:
                return
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
                at = view.find(needle)
                while at >= 0:
                    start = view.rfind(b"\n", 0, at) + 1
                    end = view.find(b"\n", at)
                    end = len(view) if end < 0 else end
                    yield start, view[start:end]
                    at = view.find(needle, end)

    def erase(self, day: str, ref: str) -> bool:
        """Overwrite the line of one kept mail by blanks; False if there is none."""
        needle = b'"filename":' + json.dumps(ref).encode("ascii")
        found = list(self.search(day, needle))
        self._blank(day, found)
        return bool(found)

    def erase_domain(self, day: str, domain: str) -> int:
        """Overwrite the lines of a domain by blanks (others append meanwhile); returns how many."""
        found = [
            (at, line)
            for at, line in self.search(day, _DOMAIN + domain.encode("ascii", "replace") + b'"')
            if (kept := read_line(line)) is not None and kept.domain == domain
        ]
        self._blank(day, found)
        return len(found)

    def _blank(self, day: str, lines: list[tuple[int, bytes]]) -> None:
        """Overwrite lines (place, bytes) by blanks, durably; others append meanwhile."""
        if not lines:
            return
        fd = os.open(self.path(day), os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            for offset, line in lines:
                os.pwrite(fd, b" " * len(line), offset)
            os.fsync(fd)
        finally:
            os.close(fd)

    def rewrite(self, day: str, lines: list[bytes]) -> None:
        """Replace a past day's index (nobody appends to it any more); no lines: it goes."""
        path = self.path(day)
        if lines:
            write_durable(path, lines, self._files, replaces=True)
        else:
            path.unlink(missing_ok=True)
