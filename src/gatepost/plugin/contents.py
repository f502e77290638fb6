"""An inventory of all files in a message: attachments, what is in archives, and in archives in them.

It judges nothing: what a domain forbids is held against the inventory, which is made once for all of
them. Every bound is one of the whole message and not of one archive. Nothing is written to disk; what is
held in memory is one file at a time for each depth, `MAX_HELD` bytes at most.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import resource
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from gatepost.mail.decode import decode_transfer
from gatepost.mail.filenames import shown
from gatepost.mail.filetypes import HEAD, UNKNOWN, FileType, Kind, sniff
from gatepost.mail.form import BROKEN, BUDGETS
from gatepost.mail.message import MAX_HEAD, Message, find_border
from gatepost.mail.ole import read_ole
from gatepost.mail.structure import MESSAGES, Part, read_structure
from gatepost.mail.tnef import read_tnef
from gatepost.mail.wrappings import claimed_type, has_macros, is_message, names_of_single, opens_as, refined
from gatepost.mail.zipdir import Directory, read_directory
from gatepost.plugin.archives import FORMATS, PACKED, RAW, SKIPS, Archive, Broken, Missing, opened

MAX_ENTRIES = 5_000
MAX_DEPTH = 8
MAX_DECODED = 100 << 20
"""Bytes that are unpacked for one message."""
MAX_RATIO = 500
RATIO_FROM = 10 << 20
"""Bytes unpacked from which their ratio to the archive's size counts: empty tables shrink well, too."""
MAX_HELD = 32 << 20
"""Bytes of a file in an archive that is looked into itself."""
MAX_TOP = 64 << 20
"""Bytes of an attachment."""

_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,300})\r?\n", re.MULTILINE)
"""A file in the text itself, as old programs send it and some still show it (uuencode)."""
MAX_INLINE = 10
PIECES = ("message/partial", "message/external-body")
"""RFC 2046, 5.2.2 and 5.2.3: a file in pieces, each in a mail of its own, or one that is only named."""
_ENDINGS = {
    "gzip": "gz",
    "bzip2": "bz2",
    "xz": "xz",
    "zstd": "zst",
    "lz4": "lz4",
    "lzip": "lz",
    "compress": "z",
}


class Item(NamedTuple):
    """One file."""

    where: str
    """`invoice.zip/x.exe`, as a person can read it."""
    names: tuple[str, ...]
    """Every name that a program may give it, as it was written."""
    type: str
    kind: str
    flags: tuple[str, ...] = ()
    """`encrypted`, `macros`, `inside` (of an archive), `turned` (a name is shown as another one)."""


class Inventory(NamedTuple):
    """What is in a message."""

    items: tuple[Item, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    """(name of a finding, text): what could not be read, and why."""
    entries: int = 0
    depth: int = 0
    decoded: int = 0
    ratio: int = 0
    missing: str = ""
    """Why no archive could be looked into, "" if that was not so."""
    poison: str = ""
    """How the message ended the process that looked at it, "" if it did not."""


class NeedsProcess(Exception):
    """There is an archive or an old document in it: nothing for the process in which others wait."""


class _Enough(Exception):
    """A bound of the message is passed."""


def glance(message: Message) -> Inventory:
    """Return the inventory of a message without archives; NeedsProcess for any other."""
    walk = _Walk(deep=False)
    walk.message(message, "", 0)
    return walk.inventory()


def look(head: bytes, body: bytes) -> tuple[object, ...]:
    """Return the inventory of any message, in plain values; to be run in a process of its own."""
    walk = _Walk(deep=True)
    try:
        walk.message(Message(head, body), "", 0)
    except _Enough:
        pass  # said among the problems
    found = walk.inventory()
    return (tuple(tuple(item) for item in found.items), *found[1:])


def look_alone(head: bytes, body: bytes) -> tuple[object, ...]:
    """Do the same in a process that may not write to any file while it does."""
    with nothing_written():
        return look(head, body)


@contextlib.contextmanager
def nothing_written() -> Iterator[None]:
    """Let this whole process write to no file: only for one that does nothing else meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def unpacked(said: tuple[object, ...]) -> Inventory:
    """Return the inventory that `look` sent."""
    items, *rest = said
    return Inventory(tuple(Item(*item) for item in items), *rest)  # type: ignore[attr-defined, arg-type]


class _Walk:
    def __init__(self, *, deep: bool) -> None:
        self.deep = deep
        self.items: list[Item] = []
        self.problems: dict[tuple[str, str], None] = {}
        self.entries = self.depth = self.decoded = self.ratio = 0
        self.missing = ""

    def inventory(self) -> Inventory:
        return Inventory(
            tuple(self.items), tuple(self.problems), self.entries, self.depth, self.decoded, self.ratio,
            self.missing,
        )  # fmt: skip

    def problem(self, kind: str, text: str) -> None:
        if len(self.problems) < 50:
            self.problems[kind, text] = None

    def enough(self, text: str) -> None:
        self.problem("over_budget", f"over budget: {text}")
        raise _Enough

    # -- messages ---------------------------------------------------------------------------

    def message(self, message: Message, where: str, depth: int) -> None:
        """Look at all parts of a message."""
        structure = read_structure(message)
        budget = [one for one in structure.troubles if one in BUDGETS]
        if budget:
            self.problem("over_budget", f"over budget: {', '.join(budget)}")
        before = len(self.items)
        for part in structure.leaves():
            self._part(part, where, depth)
        odd = [one for one in structure.troubles if one not in BUDGETS | BROKEN]
        if odd and (len(self.items) > before):
            self.problem("ambiguous", f"can be read in more than one way: {', '.join(odd)}")

    def _part(self, part: Part, where: str, depth: int) -> None:
        names = tuple(part.filenames)
        if part.type in MESSAGES:
            return  # its own parts follow; its name is its subject
        if part.type in PIECES:
            self.problem("unreadable", f"{where}({part.type}), of which the rest is elsewhere")
        if not names and part.type.startswith("text/"):
            if part.type == "text/plain":
                self._inline(part, where, depth)
            return
        head = part.content(HEAD)
        shown_as = where + (shown(names[0]) if names else f"({part.type})")
        whole = part.content(MAX_TOP) if self._is_container(sniff(head), names, head) else head
        turned = ["turned"] * (part.disposition.turns or part.content_type.turns)
        self.file(shown_as, names, head, whole, depth, turned)

    def _inline(self, part: Part, where: str, depth: int) -> None:
        """Files that stand in the text itself."""
        raw = part.content(MAX_TOP if self.deep else 1 << 20)
        starts = list(islice(_BEGIN.finditer(raw), MAX_INLINE + 1))
        if len(starts) > MAX_INLINE:
            self.problem("unreadable", f"{where}more than {MAX_INLINE} files in the text")
        for n, match in enumerate(starts[:MAX_INLINE]):
            # No line of a file looks like a beginning: without an end it goes to the next one.
            stop = starts[n + 1].start() if n + 1 < len(starts) else len(raw)
            end = raw.find(b"\nend", match.end(), stop)
            encoding = "base64" if match[0].startswith(b"begin-base64") else "uuencode"
            data = decode_transfer(raw[match.end() : end if end >= 0 else stop], encoding, MAX_HELD)
            name = match[1].decode("utf-8", "replace")
            self.file(where + shown(name), (name,), data[:HEAD], data, depth, [])

    # -- files ------------------------------------------------------------------------------

    def _is_container(self, found: FileType, names: tuple[str, ...], head: bytes) -> bool:
        """Return whether there is more to see than the first bytes."""
        return (
            found.name in FORMATS
            or found.name in ("ole", "tnef")
            or is_message(names, head)
            or bool(claimed_type(names))
        )

    def file(
        self, where: str, names: tuple[str, ...], head: bytes, whole: bytes, depth: int, flags: list[str]
    ) -> None:
        """Write down one file, and look into it where there is something in it."""
        found = sniff(head)
        if not self._is_container(found, names, head):
            self.items.append(Item(where, names, found.name, found.kind.value, tuple(flags)))
            return
        if not self.deep:
            raise NeedsProcess
        if found.name not in FORMATS and (claimed := claimed_type(names)):
            found = opens_as(claimed, whole) or found
        if found.name == "ole":
            self._ole(where, names, whole, depth, flags)
        elif found.name == "tnef":
            self.items.append(Item(where, names, found.name, found.kind.value, tuple(flags)))
            self._tnef(where, whole, depth + 1)
        elif found.name in FORMATS:
            self._archive(where, names, found, whole, depth + 1, flags)
        elif is_message(names, head):
            self.items.append(Item(where, names, "message", Kind.MESSAGE.value, tuple(flags)))
            self._mail(whole, where, depth + 1)
        else:
            self.items.append(Item(where, names, found.name, found.kind.value, tuple(flags)))

    def _ole(self, where: str, names: tuple[str, ...], whole: bytes, depth: int, flags: list[str]) -> None:
        ole = read_ole(whole)
        flags += ["macros"] * ole.macros + ["encrypted"] * ole.encrypted
        if ole.broken:
            self.problem("broken", f"{where}: a document that cannot be read")
        name, kind = ("msg", Kind.MESSAGE) if ole.message else ("ole", Kind.OFFICE)
        if ole.installer:
            name, kind = "msi", Kind.EXECUTABLE
        self.items.append(Item(where, names, name, kind.value, tuple(flags)))
        self._packed_in(where, [(one.names, one.data) for one in ole.files], depth + 1)

    def _tnef(self, where: str, whole: bytes, depth: int) -> None:
        """Outlook's own wrapping."""
        files, complete = read_tnef(whole)
        if not complete:
            self.problem("broken", f"{where}: it ends too early")
        self._packed_in(where, [(one.names, one.data) for one in files], depth)

    def _packed_in(self, where: str, files: list[tuple[tuple[str, ...], bytes]], depth: int) -> None:
        """Files that lie in a document or a wrapping, whole."""
        if files:
            self._deeper(where, depth)
        for names, data in files:
            self._entry()
            path = f"{where}/{shown(names[0]) if names else 'a file'}"
            self.file(path, names, data[:HEAD], data, depth, ["inside"])

    def _mail(self, whole: bytes, where: str, depth: int) -> None:
        """A message that was saved as a file."""
        self._deeper(where, depth)
        raw = whole.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        border = find_border(raw)
        head = raw[: border if border >= 0 else len(raw)][: MAX_HEAD + 1]
        self.message(Message(head, raw), f"{where}/", depth)

    # -- archives ---------------------------------------------------------------------------

    def _deeper(self, where: str, depth: int) -> None:
        self.depth = max(self.depth, depth)
        if depth > MAX_DEPTH:
            self.enough(f"{where} lies deeper than {MAX_DEPTH} archives")

    def _archive(
        self, where: str, names: tuple[str, ...], found: FileType, data: bytes, depth: int, flags: list[str]
    ) -> None:
        self._deeper(where, depth)
        name, kind = found.name, found.kind.value
        at = len(self.items)
        directory = read_directory(data, MAX_ENTRIES) if name == "zip" else None
        if directory is not None:
            name, kind = refined(directory.names)
            flags += ["macros"] * has_macros(directory.names) + ["encrypted"] * directory.encrypted
        seen: set[str] = set()
        try:
            if directory is not None:
                self._directory(where, directory, len(data))
            self._members(where, names, found.name, data, depth, flags, seen)
        except Broken as error:
            if "crypt" in str(error).lower() or "passphrase" in str(error).lower():
                flags.append("encrypted")
            elif "too many filters" in str(error):
                self.enough(f"{where} is compressed again and again")
            else:
                self.problem("broken", f"{where}: {error}")
        except Missing as error:
            self.missing = str(error)
        finally:
            self.items.insert(at, Item(where, names, name, kind, tuple(dict.fromkeys(flags))))
            for listed in directory.names if directory is not None else ():
                if listed not in seen and not listed.endswith("/"):
                    self._only_named(where, listed)

    def _only_named(self, where: str, name: str) -> None:
        self.items.append(Item(f"{where}/{shown(name)}", (name,), "unknown", "unknown", ("inside",)))

    def _directory(self, where: str, directory: Directory, size: int) -> None:
        """What a zip's directory says, and what it hides."""
        for hidden in directory.hidden:
            self._entry()
            self._only_named(where, hidden)
        if directory.lies:
            self.problem("ambiguous", f"{where}: {directory.lies}")
        if directory.overlaps:
            self.enough(f"{where}: files share bytes, as in a bomb")
        if directory.over_budget:
            self.enough(f"{where} has more than {MAX_ENTRIES} entries")
        self._ratio(where, directory.unpacked, size)

    def _entry(self) -> None:
        self.entries += 1
        if self.entries > MAX_ENTRIES:
            self.enough(f"more than {MAX_ENTRIES} entries in archives")

    def _ratio(self, where: str, out: int, size: int) -> None:
        if out > RATIO_FROM:
            self.ratio = max(self.ratio, out // max(size, 1))
            if self.ratio > MAX_RATIO:
                self.enough(f"{where} unpacks to more than {MAX_RATIO} times its size")

    def _members(
        self,
        where: str,
        names: tuple[str, ...],
        kind: str,
        data: bytes,
        depth: int,
        flags: list[str],
        seen: set[str],
    ) -> None:
        out = 0
        inner = self._packed(data, kind, names) if kind in PACKED else RAW
        with opened(data, kind, inner) as archive:
            for member in archive.members():
                self._entry()
                seen.add(member.name)
                single = kind in PACKED and inner == RAW
                given = names_of_single(names, data, member.name) if single else (member.name,)
                path = f"{where}/{shown(given[0].rstrip('/').rpartition('/')[2])}"
                if not member.file:
                    continue
                if member.encrypted:
                    flags.append("encrypted")
                    self.items.append(Item(path, given, "unknown", "unknown", ("inside",)))
                    continue
                out += self._member(archive, path, given, kind, depth, (len(data), out))
            if archive.encrypted:
                flags.append("encrypted")

    def _packed(self, data: bytes, kind: str, names: tuple[str, ...]) -> str:
        """Return as what a compressed file is read: as an archive where it is one.

        libarchive's own guess takes zeros for an empty tar, and a disk image begins with 32 KiB of them.
        """
        head = bytearray()
        with opened(data, kind) as archive:
            for _ in archive.members():
                for place, length in archive.pieces():
                    head += ctypes.string_at(place, min(length, HEAD - len(head)))
                    if len(head) >= HEAD:
                        break
                break
        found = sniff(bytes(head)).name
        if found in ("tar", "cpio"):
            return found
        named = any(name.lower().rstrip(" .").endswith((".tgz", f".tar.{_ENDINGS[kind]}")) for name in names)
        return "tar" if named and found == UNKNOWN.name and any(head[:512]) else RAW

    def _member(
        self,
        archive: Archive,
        path: str,
        names: tuple[str, ...],
        kind: str,
        depth: int,
        so_far: tuple[int, int],
    ) -> int:
        """Read one file as far as it is needed; return how many bytes were unpacked for it."""
        size, before = so_far
        held = bytearray()
        came, wanted = 0, HEAD
        broken: Broken | None = None
        try:
            for place, length in archive.pieces():
                came += length
                self._count(path, length, before + came, size)
                taken = min(length, wanted - len(held))
                held += ctypes.string_at(place, taken)
                if wanted == HEAD == len(held):
                    head = bytes(held)
                    if self._is_container(sniff(head), names, head):
                        wanted = MAX_HELD
                        held += ctypes.string_at(place + taken, min(length - taken, wanted - HEAD))
                    elif kind in SKIPS:
                        break
        except Broken as error:
            broken = error  # what came so far is looked at all the same
        if came > MAX_HELD == wanted:
            self.problem(
                "over_budget", f"over budget: {path} is an archive of more than {MAX_HELD >> 20} MiB"
            )
        whole = bytes(held)
        del held
        self.file(path, names, whole[:HEAD], whole, depth, ["inside"])
        if broken is not None:
            raise broken
        return came

    def _count(self, path: str, length: int, out: int, size: int) -> None:
        self.decoded += length
        if self.decoded > MAX_DECODED:
            self.enough(f"more than {MAX_DECODED >> 20} MiB unpacked")
        self._ratio(path, out, size)
