"""What a domain was taught: each training with its features, so that it can be undone exactly.

    learn/NAME/model            what workers map
    learn/NAME/seg-00003.jsonl  a line for each training: who, when, what, where its features lie
    learn/NAME/seg-00003.bin    the features (hashed; no text)
    learn/NAME/snap-00002       the model as it was when segment 2 was full
    learn/NAME/undone           numbers of trainings that were taken back

A training is on the disk before the model learns it; a model whose writer was killed is made anew from
the last snapshot and what stands behind it. Old segments go, and what they taught stays in the snapshot.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from gatepost.learn.features import Features, unpack
from gatepost.learn.model import Half
from gatepost.store.base import StoreDamaged, StoreError
from gatepost.store.durable import append_durable, sync_directory, write_durable
from gatepost.store.model_file import ModelFile, copy_model, new_model

SEGMENT = 500
"""Trainings in one segment."""
A_DAY = 500
"""Trainings of one person in one day, but for the command line: a stolen account does bounded harm."""
DAY = 86_400
SILENCE = "silence"
"""How it was taught where nobody objected."""
KEPT_SEGMENTS = 8
"""Full segments that can still be undone exactly: 4,000 trainings, some 50 MB at most."""


class TooOld(StoreError):
    """A training that lies too far back to be taken out."""


@dataclass(frozen=True, slots=True)
class Training:
    """One training."""

    spam: bool
    by: str
    time: float
    key: str
    """What makes the message the same message, for "already trained"."""
    what: str = ""
    """The message's id in the journal, where it has one."""
    how: str = ""
    """`console`, `command line`, `address`, `silence` ..."""
    weight: float = 1.0
    correct: bool = False
    """Learn until the message is on the right side ("this is not spam")."""
    seq: int = 0
    before: float = 0.0
    """Log-odds before it."""
    undone: bool = False


class Trainings:
    """One domain's trainings, held by one process at a time (`with`)."""

    def __init__(
        self, folder: Path, seed: int, base: Sequence[Half] | None = None, base_version: int = 0
    ) -> None:
        self.folder = folder
        self._seed = seed
        self._base = base
        self._base_version = base_version
        self._lock = -1

    def __enter__(self) -> Trainings:
        self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._undone = self._read_undone()
            self._last = max((training.seq for training in self.log()), default=self._floor_seq())
            self._file = self._whole()
        except BaseException:  # else everybody, this process too, would wait for its end
            os.close(self._lock)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.sync()
        finally:
            os.close(self._lock)

    # -- learning -----------------------------------------------------------------------------

    def train(self, each: Iterable[tuple[Training, Features]]) -> list[Training]:
        """Learn messages; those that were trained so already are left out. Returns what was learnt."""
        known = {(t.key, t.spam) for t in self.log() if not t.undone}
        learnt: list[Training] = []
        for training, features in each:
            if (training.key, training.spam) in known:
                continue
            known.add((training.key, training.spam))
            known.discard((training.key, not training.spam))
            learnt.append(self._add(training, features))
        return learnt

    def undo(self, numbers: Iterable[int]) -> list[Training]:
        """Take trainings back: the model is as if they had never been. Returns what was taken back."""
        wanted = set(numbers) - self._undone
        found = [t for t in self.log() if t.seq in wanted]
        missing = wanted - {t.seq for t in found}
        if missing:
            raise TooOld(f"training {min(missing)} lies too far back, or there is none of this number")
        if not found:
            return []
        self._undone |= wanted
        lines = "".join(f"{n}\n" for n in sorted(self._undone))
        write_durable(self.folder / "undone", [lines.encode("ascii")], replaces=True)
        first = min(wanted)
        for number in self._snapshots():
            if self._snapshot_seq(number) >= first:
                self._snap(number).unlink(missing_ok=True)
        self._rebuild()
        return [replace(t, undone=True) for t in found]

    def rename(self, numbers: Container[int], without: Callable[[str], str]) -> int:
        """Write other names where trainings name somebody (who, what); what was taught stays as it is."""
        done = 0
        for segment in self._segments():
            lines = self._lines(segment).read_bytes().splitlines(keepends=True)
            changed = False
            for at, line in enumerate(lines):
                found = _read_line(line)
                if found is not None and found[0].seq in numbers:
                    training, place, size = found
                    new = replace(training, by=without(training.by), what=without(training.what))
                    lines[at] = _as_line(new, place, size)
                    changed = True
                    done += 1
            if changed:
                write_durable(self._lines(segment), lines, replaces=True)
        return done

    def look(self) -> list[Training]:
        """Return the same without being held: by who only looks, while somebody trains."""
        self._undone = self._read_undone()
        return list(self.log())

    def log(self) -> Iterator[Training]:
        """Yield the trainings that can be undone, oldest first."""
        for _, training, _, _ in self._records():
            yield training

    def examples(self) -> Iterator[tuple[Training, Features]]:
        """Yield what was taught and not taken back, with its features."""
        for segment, training, at, size in self._records():
            if not training.undone:
                yield training, self._features(segment, at, size)

    def taught_by(self, by: str, since: float) -> int:
        """Return how many messages a person has taught since then, taken back or not."""
        return sum(1 for t in self.log() if t.by == by and t.time > since)

    # -- on disk ------------------------------------------------------------------------------

    def _add(self, training: Training, features: Features) -> Training:
        segment = self._segment()
        before = self._file.model.score(features).total
        done = replace(training, seq=self._last + 1, before=round(before, 4), undone=False)
        packed = features.pack()
        at = append_durable(self._bin(segment), packed)
        append_durable(self._lines(segment), _as_line(done, at, len(packed)))
        self._last = done.seq
        self._learn(self._file, done, features)
        return done

    def _learn(self, file: ModelFile, training: Training, features: Features) -> None:
        file.begin()
        learn = file.model.correct if training.correct else file.model.train
        learn(features, spam=training.spam, weight=training.weight)
        # What nobody objected to is not what somebody taught: it never makes up the minimum of both kinds.
        file.done(training.seq, spam=training.spam, counts=training.how != SILENCE)

    def _segment(self) -> int:
        """Return the segment to write to; a full one gets its snapshot and a successor."""
        numbers = self._segments()
        if not numbers:
            return (self._snapshots() or [0])[-1] + 1
        last = numbers[-1]
        with self._lines(last).open("rb") as stream:
            full = sum(1 for _ in stream) >= SEGMENT
        if not full:
            return last
        self._file.sync()
        copy_model(self.folder / "model", self._snap(last))
        for old in numbers[:-KEPT_SEGMENTS]:
            self._lines(old).unlink(missing_ok=True)
            self._bin(old).unlink(missing_ok=True)
            self._snap(old - 1).unlink(missing_ok=True)
        return last + 1

    def _whole(self) -> ModelFile:
        """Return the model; made anew where it is missing, damaged, or behind its log."""
        path = self.folder / "model"
        try:
            file = ModelFile(path, write=True, base=self._base)
            sound = not file.dirty and file.seq == self._last and file.seed == self._seed
        except (FileNotFoundError, StoreDamaged):
            sound = False
        if not sound or file.base_version != self._base_version:
            return self._rebuild()
        return file

    def _rebuild(self) -> ModelFile:
        """Make the model from the last good snapshot and the trainings behind it, and put it in place."""
        fresh = self.folder / "model.new"
        snapshots = [n for n in self._snapshots() if self._fits(n)]
        start = snapshots[-1] if snapshots else 0
        if snapshots:
            copy_model(self._snap(start), fresh)
        else:
            new_model(fresh, self._seed, self._base_version)
        file = ModelFile(fresh, write=True, base=self._base)
        segment = start
        for number, training, at, size in self._records():
            if number <= start:
                continue
            if number != segment and segment > start:
                file.sync()
                copy_model(fresh, self._snap(segment))
            segment = number
            if training.undone:
                file.passed(training.seq)
            else:
                self._learn(file, training, self._features(number, at, size))
        file.sync()
        fresh.rename(self.folder / "model")
        sync_directory(self.folder)
        self._file = file
        return file

    def _fits(self, number: int) -> bool:
        try:
            file = ModelFile(self._snap(number))
        except (FileNotFoundError, StoreDamaged):
            return False
        floor = number < (self._segments() or [number + 1])[0]
        return file.seed == self._seed and (floor or file.base_version == self._base_version)

    def _records(self) -> Iterator[tuple[int, Training, int, int]]:
        """Yield (segment, training, where its features lie, bytes); a torn last line is passed over."""
        for segment in self._segments():
            with self._lines(segment).open("rb") as stream:
                for line in stream:
                    found = _read_line(line)
                    if found is not None:
                        training, at, size = found
                        yield segment, replace(training, undone=training.seq in self._undone), at, size

    def _features(self, segment: int, at: int, size: int) -> Features:
        with self._bin(segment).open("rb") as stream:
            stream.seek(at)
            try:
                return unpack(stream.read(size))
            except ValueError as error:
                raise StoreDamaged(f"{self._bin(segment)}: {error}") from error

    def _read_undone(self) -> set[int]:
        try:
            return {int(word) for word in (self.folder / "undone").read_text().split()}
        except FileNotFoundError:
            return set()
        except ValueError as error:
            raise StoreDamaged(f"{self.folder / 'undone'}: {error}") from error

    def _floor_seq(self) -> int:
        snapshots = self._snapshots()
        return self._snapshot_seq(snapshots[-1]) if snapshots else 0

    def _snapshot_seq(self, number: int) -> int:
        try:
            return ModelFile(self._snap(number)).seq
        except (FileNotFoundError, StoreDamaged):
            return 0

    def _segments(self) -> list[int]:
        return sorted(int(path.stem[4:]) for path in self.folder.glob("seg-?????.jsonl"))

    def _snapshots(self) -> list[int]:
        return sorted(int(path.name[5:]) for path in self.folder.glob("snap-?????"))

    def _lines(self, segment: int) -> Path:
        return self.folder / f"seg-{segment:05}.jsonl"

    def _bin(self, segment: int) -> Path:
        return self.folder / f"seg-{segment:05}.bin"

    def _snap(self, segment: int) -> Path:
        return self.folder / f"snap-{segment:05}"


def _as_line(training: Training, at: int, size: int) -> bytes:
    said = {
        "seq": training.seq, "spam": training.spam, "by": training.by, "time": round(training.time, 3),
        "key": training.key, "what": training.what, "how": training.how, "weight": training.weight,
        "correct": training.correct, "before": training.before, "at": at, "size": size,
    }  # fmt: skip
    return json.dumps(said, separators=(",", ":")).encode("ascii") + b"\n"


def _read_line(line: bytes) -> tuple[Training, int, int] | None:
    try:
        said: dict[str, Any] = json.loads(line)
        at, size = int(said.pop("at")), int(said.pop("size"))
        return Training(**said), at, size
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
