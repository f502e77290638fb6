"""Messages that wait to be handed on: one file of bytes and one of envelope for each.

    ID.eml    the message, plain (CRLF, dots undone)     written first
    ID.json   the envelope                               its rename is the moment of responsibility
    ID.done   the envelope of a finished entry           on its way out

Killed between any two steps, an entry is whole, or not there, or (`ID.done`) finished; what is left
half-written is put aside into `corrupt/` with a log line, never deleted (L12). The claim is a lock of the
kernel on `ID.eml`: it ends with the process that holds it, so that nothing stays locked after kill -9,
and two processes never deliver one entry at once (L14).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from gatepost.spool import recovery
from gatepost.spool.envelope import BadEnvelope, Envelope, read_envelope
from gatepost.spool.names import safe_name
from gatepost.store.durable import SYSTEM, Blob, Files, locked, make_directory, sync_directory, write_durable

LONGEST_WAIT = 6 * 3600
"""Seconds: an entry due later than this from now was written by a clock that stood wrong (L14)."""

Names = list[str]
Log = Callable[..., None]
"""`log(name, **fields)`: a line in the log."""


def no_log(_name: str, **_fields: Any) -> None:
    """Log nothing."""


class Claim:
    """The right to deliver one entry, until released or the process ends."""

    __slots__ = ("blob", "envelope", "fd")

    def __init__(self, fd: int, envelope: Envelope, blob: Blob) -> None:
        self.fd = fd
        self.envelope = envelope
        self.blob = blob

    def release(self) -> None:
        """Give the right back."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)


class Queue:
    """The entries in one directory. Calls block for the disk: use a thread on the way of a mail."""

    def __init__(
        self,
        directory: Path,
        files: Files = SYSTEM,
        log: Log = no_log,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.directory = directory
        self._files = files
        self._log = log
        self.clock = clock
        self._known: dict[str, tuple[tuple[int, int], float]] = {}
        self._scanned = 0
        for folder in (directory, directory / "corrupt", directory / "sent"):
            make_directory(folder, files)

    # -- coming in ------------------------------------------------------------------------

    @staticmethod
    def new_id() -> str:
        """Return an id that no other entry has."""
        return secrets.token_hex(10)

    def put(self, envelope: Envelope, chunks: Iterable[bytes]) -> str:
        """Store the entry; when this returns, it survives a crash. OSError: nothing is stored.

        An envelope with `once` is stored only if no entry of its id is there or was delivered.
        """
        if safe_name(envelope.id) != envelope.id:
            raise ValueError(f"not an id for the queue: {envelope.id!r}")
        if not envelope.once:
            self._put(envelope, chunks)
            return envelope.id
        with locked(self.directory / "once.lock"):
            # In this order: `done` writes the mark before it takes the envelope away.
            if not self.path(envelope.id, "json").exists() and not self._sent(envelope.id).exists():
                self._put(envelope, chunks)
        return envelope.id

    def _put(self, envelope: Envelope, chunks: Iterable[bytes]) -> None:
        blob = self.path(envelope.id, "eml")
        size = write_durable(blob, chunks, self._files, sync=False)
        try:
            # The directory's fsync behind the second rename brings both names to the disk.
            envelope = replace(envelope, size=envelope.size or size)
            write_durable(self.path(envelope.id, "json"), [envelope.as_json()], self._files)
        except BaseException:
            try:
                self._files.unlink(str(blob))
            except OSError:
                pass  # `recover` puts it aside
            raise

    # -- looking --------------------------------------------------------------------------

    def due(self, now: float) -> Names:
        """Return the ids whose time has come, oldest first. Cheap while nothing changes."""
        self._look()
        ready = [(at, name) for name, (_, at) in self._known.items() if at <= now or at > now + LONGEST_WAIT]
        ready.sort()
        return [name for at, name in ready if at >= 0]

    def next_due(self) -> float | None:
        """Return when the next entry is due, None when none waits."""
        self._look()
        return min((at for _, at in self._known.values() if at >= 0), default=None)

    def __len__(self) -> int:
        """Return the number of entries, failed ones too."""
        self._look()
        return len(self._known)

    def list(self) -> Iterator[Envelope]:
        """Yield every entry's envelope, oldest first."""
        found = []
        for name in self._names("json"):
            try:
                found.append(read_envelope(self.path(name, "json").read_bytes()))
            except FileNotFoundError:
                continue
            except (BadEnvelope, OSError) as error:
                self._log("queue.unreadable", id=name, error=str(error))
        found.sort(key=lambda envelope: (envelope.created, envelope.id))
        yield from found

    def get(self, name: str) -> Envelope | None:
        """Return one entry's envelope."""
        try:
            return read_envelope(self.path(name, "json").read_bytes())
        except (FileNotFoundError, BadEnvelope):
            return None

    def blob(self, name: str) -> Blob:
        """Return one entry's bytes."""
        return Blob(self.path(name, "eml"))

    # -- being delivered ------------------------------------------------------------------

    def claim(self, name: str) -> Claim | None:
        """Take the right to deliver an entry; None when another has it, or it is gone."""
        try:
            fd = os.open(self.path(name, "eml"), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            if self.path(name, "json").exists():
                self.put_aside(f"{safe_name(name)}.json", "envelope without a message")
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Read behind the lock: whoever held it before may have finished, or put it off.
            envelope = read_envelope(self.path(name, "json").read_bytes())
            claim = Claim(fd, envelope, Blob(self.path(name, "eml")))
        except (BlockingIOError, FileNotFoundError):
            os.close(fd)
        except BadEnvelope as error:
            os.close(fd)
            self.put_aside(f"{safe_name(name)}.json", str(error))
            self.put_aside(f"{safe_name(name)}.eml", str(error))
        except BaseException:
            os.close(fd)
            raise
        else:
            if not envelope.once or not self.was_sent(name):
                return claim
            self.done(claim)  # killed between the delivery's mark and the end: not a second time
        return None

    def update(self, claim: Claim, envelope: Envelope) -> None:
        """Write down what became of an attempt, durably. The claim stays."""
        assert claim.fd >= 0, "the entry is not claimed"
        write_durable(self.path(envelope.id, "json"), [envelope.as_json()], self._files, replaces=True)
        claim.envelope = envelope

    def done(self, claim: Claim) -> None:
        """Every recipient has its copy (or its bounce): the entry goes."""
        assert claim.fd >= 0, "the entry is not claimed"
        try:
            if claim.envelope.once:
                write_durable(self._sent(claim.envelope.id), [b""], self._files, replaces=True)
            self._remove(claim.envelope.id)
        finally:
            claim.release()

    def _remove(self, name: str) -> None:
        files = self._files
        files.rename(str(self.path(name, "json")), str(self.path(name, "done")))
        files.unlink(str(self.path(name, "eml")))
        files.unlink(str(self.path(name, "done")))
        sync_directory(self.directory, files)

    def retry(self, name: str, now: float) -> bool:
        """Make an entry due now, failed recipients too; False when it is gone or being delivered."""
        claim = self.claim(name)
        if claim is None:
            return False
        try:
            old = claim.envelope
            again = tuple(replace(one, failed=False) for one in old.recipients)
            self.update(claim, replace(old, due=now, recipients=again))
        finally:
            claim.release()
        return True

    def drop(self, name: str) -> bool:
        """Throw an entry away (a person said so); False when it is gone or being delivered."""
        claim = self.claim(name)
        if claim is None:
            return False
        try:
            self._remove(name)
        finally:
            claim.release()
        return True

    def expire_failed(self, now: float, seconds: float) -> int:
        """Throw away what failed and was left alone so long; returns how many."""
        old = [one.id for one in self.list() if not one.waiting and now - one.due > seconds]
        return sum(self.drop(name) for name in old)

    def forget_sent(self, name: str) -> None:
        """The kept mail of a release is gone: its mark is needed no more."""
        self._sent(name).unlink(missing_ok=True)

    def expire_sent(self, prefix: str, before: float) -> int:
        """Forget the marks of entries whose id begins so, delivered before a moment; returns how many."""
        gone = 0
        with os.scandir(self.directory / "sent") as marks:
            for mark in marks:
                if mark.name.startswith(prefix) and mark.stat(follow_symlinks=False).st_mtime < before:
                    self.forget_sent(mark.name)
                    gone += 1
        return gone

    def was_sent(self, name: str) -> bool:
        """Return whether an entry with `once` was delivered."""
        return self._sent(name).exists()

    def recover(self) -> int:
        """Finish what was finished, put aside what is half-written; returns how many were put aside."""
        return recovery.recover(self)

    def put_aside(self, file: str, why: str) -> int:
        """Move one file into `corrupt/`, with a line in the log; 0 if it was gone."""
        aside = self.directory / "corrupt" / f"{file}.{secrets.token_hex(3)}"
        try:
            self._files.rename(str(self.directory / file), str(aside))
        except FileNotFoundError:
            return 0
        self._log("queue.corrupt", level="error", file=file, why=why, moved_to=str(aside))
        return 1

    def path(self, name: str, ending: str) -> Path:
        """Return the path of one file of an entry."""
        return self.directory / f"{safe_name(name)}.{ending}"

    # -- inside ---------------------------------------------------------------------------

    def _sent(self, name: str) -> Path:
        return self.directory / "sent" / safe_name(name)

    def _names(self, ending: str) -> Names:
        with os.scandir(self.directory) as entries:
            found = [entry.name[: -len(ending) - 1] for entry in entries if entry.name.endswith("." + ending)]
        return [name for name in found if safe_name(name) == name]

    def _look(self) -> None:
        """Bring what is known of due times up to date; only changed envelopes are read."""
        changed = self.directory.stat().st_mtime_ns
        # A change within the clock's grain of the last look may have come behind it.
        if changed == self._scanned and time.time_ns() - changed > 100_000_000:
            return
        known: dict[str, tuple[tuple[int, int], float]] = {}
        for name in self._names("json"):
            path = self.path(name, "json")
            try:
                facts = path.stat()
                mark = (facts.st_ino, facts.st_mtime_ns)
                old = self._known.get(name)
                if old is not None and old[0] == mark:
                    known[name] = old
                    continue
                envelope = read_envelope(path.read_bytes())
            except FileNotFoundError:
                continue
            except (BadEnvelope, OSError):
                known[name] = ((0, 0), 0.0)  # due at once: claiming it puts it aside
                continue
            known[name] = (mark, envelope.due if envelope.waiting else -1.0)
        self._known = known
        self._scanned = changed
