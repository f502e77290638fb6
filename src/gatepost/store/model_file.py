"""A domain's model as a mapped file: one who learns writes, all workers read, without a lock between them.

A header of a page, then for each view weights and steps. A reader may see half of a training: that is a
score a little off, once. A file is replaced by its name only (undo, repair), so a reader looks at the inode.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gatepost.learn.features import VERSION, VIEWS
from gatepost.learn.model import FIRST_JOIN, SLOTS, Half, Model, Table
from gatepost.store.base import StoreDamaged
from gatepost.store.durable import read_blocks, write_durable

HEADER = 4_096
MAGIC = b"gpmodel1"
SIZE = HEADER + len(VIEWS) * SLOTS * 4
_JOIN_AT, _COUNTS_AT = 64, 128
_VERSION, _SLOTS, _SEED, _DIRTY, _SPAM, _HAM, _SEQ, _BASE = range(8)


class ModelFile:
    """One mapped model."""

    def __init__(self, path: Path, *, write: bool = False, base: Sequence[Half] | None = None) -> None:
        """Map it; FileNotFoundError, or StoreDamaged where it is no model of this version."""
        fd = os.open(path, (os.O_RDWR if write else os.O_RDONLY) | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            state = os.fstat(fd)
            if state.st_size != SIZE:
                raise StoreDamaged(f"{path} has {state.st_size} bytes, a model has {SIZE}")
            access = mmap.ACCESS_WRITE if write else mmap.ACCESS_READ
            self._map = mmap.mmap(fd, SIZE, access=access)
        finally:
            os.close(fd)
        self.inode = state.st_ino
        self._counts: NDArray[np.uint64] = np.frombuffer(self._map, np.uint64, 8, _COUNTS_AT)
        if self._map[:8] != MAGIC or (int(self._counts[_VERSION]), int(self._counts[_SLOTS])) != (
            VERSION,
            SLOTS,
        ):
            raise StoreDamaged(f"{path} is no model of this version")
        halves = [
            np.frombuffer(self._map, np.float16, SLOTS, HEADER + 2 * SLOTS * n) for n in range(2 * len(VIEWS))
        ]
        tables = [Table(halves[2 * n], halves[2 * n + 1]) for n in range(len(VIEWS))]
        self.model = Model(tables, np.frombuffer(self._map, np.float64, len(FIRST_JOIN), _JOIN_AT), base)

    @property
    def seed(self) -> int:
        """The hash seed of its features."""
        return int(self._counts[_SEED])

    @property
    def spam(self) -> int:
        """Messages trained as spam."""
        return int(self._counts[_SPAM])

    @property
    def ham(self) -> int:
        """Messages trained as wanted."""
        return int(self._counts[_HAM])

    @property
    def seq(self) -> int:
        """Number of the last training that it holds."""
        return int(self._counts[_SEQ])

    @property
    def base_version(self) -> int:
        """Which base it was trained on; 0 is none."""
        return int(self._counts[_BASE])

    @property
    def dirty(self) -> bool:
        """A training was begun and not finished: whoever did it was killed."""
        return bool(self._counts[_DIRTY])

    def begin(self) -> None:
        """A training begins."""
        self._counts[_DIRTY] = 1

    def done(self, seq: int, *, spam: bool, counts: bool = True) -> None:
        """It is in; one that does not count is no message that somebody taught."""
        if counts:
            self._counts[_SPAM if spam else _HAM] += np.uint64(1)
        self._counts[_SEQ] = seq
        self._counts[_DIRTY] = 0

    def passed(self, seq: int) -> None:
        """A training that was undone stands at this number: nothing is learnt of it."""
        self._counts[_SEQ] = seq

    def on_base(self, version: int) -> None:
        """Note which base it is trained on from now on."""
        self._counts[_BASE] = version

    def sync(self) -> None:
        """Bring it to the disk."""
        self._map.flush()


def new_model(path: Path, seed: int, base_version: int) -> None:
    """Make a model that knows nothing; an empty table takes no room on the disk."""
    header = np.zeros(8, np.uint64)
    header[[_VERSION, _SLOTS, _SEED, _BASE]] = [VERSION, SLOTS, seed, base_version]
    data = bytearray(HEADER)
    data[:8] = MAGIC
    data[_JOIN_AT : _JOIN_AT + 8 * len(FIRST_JOIN)] = np.array(FIRST_JOIN, np.float64).tobytes()
    data[_COUNTS_AT : _COUNTS_AT + 64] = header.tobytes()
    tmp = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    tmp.unlink(missing_ok=True)
    with tmp.open("xb") as stream:
        stream.write(data)
        stream.truncate(SIZE)
        stream.flush()
        os.fsync(stream.fileno())
    tmp.rename(path)


def copy_model(source: Path, target: Path) -> None:
    """Copy a model durably under another name."""
    write_durable(target, read_blocks(source), replaces=True)
