"""Log lines: one event is one line is one write, whatever a stranger put into it.

Senders choose HELO names, addresses, host names and subjects; each of them has been used to forge
lines in somebody's log (reference/peers.md, 4.7). So every value passes `escape`: nothing that is
not printable (control characters, U+2028, bidi overrides, lone surrogates) reaches the file as
itself, no value can hold `=` or an open quote, and each is at most `FIELD_LIMIT` characters long.

A log that cannot be written never stops mail: the line is counted as lost, and said later.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Literal

from gatepost.telemetry import metrics

Format = Literal["logfmt", "json", "terse"]
Level = Literal["debug", "info", "warning", "error"]

FIELD_LIMIT = 1000
"""Characters of one value; the rest is cut off, visibly."""
BUFFER_LIMIT = 256
"""Lines that `buffered` collects before it writes by itself."""
LEVELS: dict[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
SECRET = frozenset({"password", "passwd", "secret", "token", "authorization", "auth", "cookie"})
"""Fields of these names are written as `***`, at every level (T7.2)."""
TERSE_CODES = {"rejected": "901", "deferred": "902"}
"""qpsmtpd's return values DENY and DENYSOFT, by which old tools count refusals."""

_PLAIN = re.compile(r"[!#-<>-\[\]-~]{1,1000}").fullmatch
"""Printable ASCII without space, quote, equals sign and backslash: needs no quotes."""
_PAIR = re.compile(r'([a-z0-9_.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))(?: |$)')
_ESCAPED = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)", re.DOTALL)
_GOOD_KEYS: set[str] = set()
_NOT_KEY = re.compile(r"[^a-z0-9_.]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"', "=": "\\x3d"}
_LONG = {"n": "\n", "r": "\r", "t": "\t"}


def bounded(text: str) -> str:
    """Return the text, or its beginning and how many characters were cut off."""
    if len(text) <= FIELD_LIMIT:
        return text
    keep = FIELD_LIMIT - 20
    return f"{text[:keep]}...[+{len(text) - keep}]"


def as_text(value: object) -> str:
    """Return a value as text, bounded, not yet escaped. Bytes are read as UTF-8, odd ones kept visible."""
    if isinstance(value, str):
        return bounded(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bytes | bytearray | memoryview):
        return bounded(bytes(value[: FIELD_LIMIT * 4]).decode("utf-8", "surrogateescape"))
    if isinstance(value, list | tuple | set | frozenset):
        return bounded(",".join(as_text(one) for one in value))
    return bounded(str(value))


def escape(text: str) -> str:
    """Return the text with everything written out that is not printable, and `\\ " =` escaped."""
    if text.isprintable() and "\\" not in text and '"' not in text and "=" not in text:
        return text
    return "".join(_SHORT[c] if c in _SHORT else c if c.isprintable() else _coded(c) for c in text)


def _coded(c: str) -> str:
    n = ord(c)
    return f"\\x{n:02x}" if n < 0x100 else f"\\u{n:04x}" if n < 0x10000 else f"\\U{n:08x}"


def unescape(text: str) -> str:
    """Undo `escape`."""

    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if len(code) > 1 else _LONG.get(code, code)

    return _ESCAPED.sub(one, text)


def logfmt(fields: Mapping[str, object]) -> str:
    """Return `key=value key="other value"`; a value of None is left out."""
    # Looking once at all texts together is three times cheaper than at each, and they are nearly always good.
    texts = "".join([value for value in fields.values() if value.__class__ is str])
    good = len(texts) <= FIELD_LIMIT and texts.isascii() and escape(texts) is texts
    out = []
    for key, value in fields.items():
        kind = value.__class__
        if kind is int:
            out.append(f"{key}={value}")
        elif good and kind is str:
            out.append(f"{key}={value}" if value and " " not in value else f'{key}="{value}"')  # type: ignore[operator]
        elif kind is float:
            out.append(f"{key}={value:.6g}")
        elif value is not None:
            text = as_text(value)
            out.append(f"{key}={text}" if _PLAIN(text) else f'{key}="{escape(text)}"')
    return " ".join(out)


def as_json(fields: Mapping[str, object]) -> str:
    """Return the fields as one JSON object, pure ASCII; numbers stay numbers, None is left out."""
    plain: dict[str, object] = {}
    for key, value in fields.items():
        if value is None:
            continue
        if isinstance(value, bool | int):
            plain[key] = value
        elif isinstance(value, float):
            plain[key] = round(value, 6) if value - value == 0 else as_text(value)  # NaN is not JSON
        elif isinstance(value, list | tuple | set | frozenset):
            plain[key] = [as_text(one) for one in list(value)[:100]]
        else:
            plain[key] = as_text(value)
    return json.dumps(plain, separators=(",", ":"))


def read_logfmt(line: str) -> dict[str, str]:
    """Read a line of `logfmt` back; ValueError where the line is not one."""
    fields: dict[str, str] = {}
    at = 0
    line = line.rstrip("\n")
    while at < len(line):
        match = _PAIR.match(line, at)
        if match is None:
            raise ValueError(f"not logfmt at column {at + 1}: {line[at : at + 40]!r}")
        key, quoted, bare = match.groups()
        fields[key] = bare if quoted is None else unescape(quoted)
        at = match.end()
    return fields


def _with_good_keys(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields without secrets, with names that the reader knows; remember the good names."""
    good: dict[str, object] = {}
    for key, value in fields.items():
        if key in SECRET:
            good[key] = "***"
        elif _NOT_KEY.search(key):
            good[_NOT_KEY.sub("_", key.lower())] = value
        else:
            good[key] = value
            if len(_GOOD_KEYS) < 1000:
                _GOOD_KEYS.add(key)
    return good


def terse(fields: Mapping[str, object]) -> str:
    """Return the line of qpsmtpd's `logterse`: a back-tick and eight fields parted by tabs.

    Client, its host, HELO, sender, recipient, plugin (or `queued`), return value, message.
    """
    fate = as_text(fields.get("fate") or "")
    said = " ".join(as_text(fields[key]) for key in ("reason", "message_id") if fields.get(key))
    session = as_text(fields.get("id") or "")
    columns = (
        as_text(fields.get("client") or ""),
        as_text(fields.get("host") or "Unknown"),
        as_text(fields.get("helo") or ""),
        f"<{as_text(fields.get('sender') or '')}>",
        f"<{as_text(fields.get('recipient') or '')}>",
        "queued" if fate == "accepted" else as_text(fields.get("plugin") or fate),
        TERSE_CODES.get(fate, ""),
        f"{said} ({session})" if said and session else said or session,
    )
    return "`" + "\t".join(escape(column) for column in columns)


class Log:
    """Writes lines to one file descriptor. Made once per process and handed to those who need it."""

    __slots__ = ("_buffer", "_clock", "_fd", "_format", "_least", "_second", "_stamp", "lost")

    def __init__(
        self,
        stream_fd: int = 2,
        format: Format = "logfmt",  # noqa: A002 - the word of the configuration, `[log] format`
        level: Level = "info",
        *,
        clock: Callable[[], float] = time.time,  # noqa: TID251 - handed in by tests; a log is stamped by the wall clock
    ) -> None:
        self._fd = stream_fd
        self._format = format
        self._least = LEVELS[level]
        self._clock = clock
        self._buffer: list[str] = []
        self._second = -1
        self._stamp = ""
        self.lost = 0
        """Lines that could not be written since the last one that could."""

    def event(self, name: str, /, level: Level = "info", **fields: object) -> None:
        """Write one event now, in one write."""
        if LEVELS[level] >= self._least:
            self._write([*self._taken(), self._line(name, level, fields)])

    def outcome(
        self,
        *,
        id: str,  # noqa: A002 - the word of the journal and of the SMTP reply
        client: str,
        fate: str,
        plugin: str = "",
        code: int = 0,
        score: float = 0.0,
        size: int = 0,
        seconds: float = 0.0,
        domain: str = "",
        recipient: str = "",
        sender: str = "",
        host: str = "",
        helo: str = "",
        reason: str = "",
        message_id: str = "",
    ) -> None:
        """Note what became of one recipient's mail; in `terse` this is the eight-field line.

        On the way of every mail, so it is put together by hand, and written with the next `flush` or event.
        What we know stands before what strangers chose.
        """
        if self._least > 20:
            return
        texts = f"{domain}{recipient}{sender}{host}{helo}{reason}{message_id}"
        good = len(texts) <= FIELD_LIMIT and texts.isascii() and escape(texts) is texts
        if good and self._format == "logfmt":
            line = (
                f"ts={self._now()} level=info event=outcome id={id} client={client} fate={fate} "
                f"plugin={plugin} code={code} score={score:.6g} size={size} seconds={seconds:.6g} "
                f'domain={domain} recipient="{recipient}" sender="{sender}" host="{host}" helo="{helo}" '
                f'reason="{reason}"'
            )
            self._buffer.append(f'{line} message_id="{message_id}"' if message_id else line)
        else:
            fields: dict[str, object] = {
                "id": id, "client": client, "fate": fate, "plugin": plugin, "code": code, "score": score,
                "size": size, "seconds": seconds, "domain": domain, "recipient": recipient, "sender": sender,
                "host": host, "helo": helo, "reason": reason, "message_id": message_id or None,
            }  # fmt: skip
            self._buffer.append(self._line("outcome", "info", fields))
        if len(self._buffer) >= BUFFER_LIMIT:
            self.flush()

    def buffered(self, name: str, /, level: Level = "info", **fields: object) -> None:
        """Like `event`, but written with the next `flush` or event."""
        if LEVELS[level] >= self._least:
            self._buffer.append(self._line(name, level, fields))
            if len(self._buffer) >= BUFFER_LIMIT:
                self.flush()

    def flush(self) -> None:
        """Write what `buffered` collected, in one write."""
        if self._buffer:
            self._write(self._taken())

    def _taken(self) -> list[str]:
        """Take what is buffered, so that lines come in the order of events."""
        lines, self._buffer = self._buffer, []
        return lines

    def _line(self, name: str, level: str, fields: Mapping[str, object]) -> str:
        if not fields.keys() <= _GOOD_KEYS:
            fields = _with_good_keys(fields)
        if self._format == "terse" and name == "outcome":
            return terse(fields)
        if self._format == "json":
            return as_json({"ts": self._now(), "level": level, "event": name, **fields})
        return f"ts={self._now()} level={level} event={name} {logfmt(fields)}".rstrip()

    def _now(self) -> str:
        now = self._clock()
        second = int(now)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{int((now - second) * 1000):03d}Z"

    def _write(self, lines: list[str]) -> None:
        told = [self._line("log_lines_lost", "warning", {"lines": self.lost})] if self.lost else []
        text = "\n".join([*told, *lines, ""])
        data = text.encode("ascii" if self._format == "json" else "utf-8", "backslashreplace")
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            # A full disk or a reader that went away: mail goes on, the loss is counted and told.
            self.lost += len(lines)
            metrics.LOG_LINES_LOST.inc(len(lines))
        else:
            self.lost = 0
