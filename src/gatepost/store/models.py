"""All models of an installation: the secret seed, the shared base, and each domain's own, mapped."""

from __future__ import annotations

import heapq
import os
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from gatepost.learn.features import VERSION, VIEWS, Features
from gatepost.learn.model import BASE_SLOTS, Half, Model, Score
from gatepost.store.base import StoreDamaged, StoreError
from gatepost.store.model_file import ModelFile
from gatepost.store.trainings import Training, Trainings

FOLDER = "learn"
MAPPED = 2_000
"""Models mapped at a time by one process; a map costs no memory of its own."""
BASE_MAGIC = b"gpbase01"
BASE_HEADER = 64
_NAME = re.compile(r"[a-z0-9_.-]{1,253}")


class Models:
    """Models below `learn/` in the data directory. Make it after the fork."""

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir / FOLDER
        self._open: OrderedDict[str, ModelFile] = OrderedDict()
        self._seed = -1
        self._base: list[Half] | None = None
        self._base_seen = (0, 0)
        self.base_version = 0
        """0: there is none."""

    @property
    def seed(self) -> int:
        """The hash seed of this installation; made when first asked for."""
        if self._seed < 0:
            path = self.folder / "seed"
            try:
                self._seed = int(path.read_text(), 16)
            except FileNotFoundError:
                self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
                tmp = self.folder / f"seed.{os.getpid()}"
                tmp.write_text(f"{secrets.randbits(32):08x}\n")
                tmp.chmod(0o600)
                try:
                    path.hardlink_to(tmp)
                except FileExistsError:
                    pass  # somebody else was faster: his counts
                tmp.unlink()
                self._seed = int(path.read_text(), 16)
            except ValueError as error:
                raise StoreDamaged(f"{path} holds no number") from error
        return self._seed

    def of(self, domain: str) -> ModelFile | None:
        """Return a domain's model as it is now; None where nothing was learnt yet."""
        self._look_at_base()
        path = self.of_domain(domain) / "model"
        try:
            inode = path.stat().st_ino
        except FileNotFoundError:
            self._open.pop(domain, None)
            return None
        file = self._open.get(domain)
        if file is None or file.inode != inode or file.model.base is not self._base:
            file = self._open[domain] = ModelFile(path, base=self._base)
            while len(self._open) > MAPPED:
                self._open.popitem(last=False)
        self._open.move_to_end(domain)
        return file

    def score(self, domain: str, features: Features) -> tuple[Score, int, int]:
        """Return what is thought of a message, and how many spam and wanted ones the domain has trained."""
        file = self.of(domain)
        if file is not None:
            return file.model.score(features), file.spam, file.ham
        return self.fresh().score(features), 0, 0

    def fresh(self) -> Model:
        """Return the model of a domain that has learnt nothing: the base alone."""
        self._look_at_base()
        return Model.empty(self._base)

    def trainings(self, domain: str) -> Trainings:
        """Return a domain's trainings, to be held by `with`."""
        self._look_at_base()
        return Trainings(self.of_domain(domain), self.seed, self._base, self.base_version)

    def of_domain(self, domain: str) -> Path:
        """Return a domain's folder."""
        if _NAME.fullmatch(domain) is None or domain.startswith("."):
            raise StoreError(f"{domain!r:.80} is no domain")
        return self.folder / "domains" / domain

    # -- the base -------------------------------------------------------------------------------

    def make_base(self, domains: Iterable[str]) -> tuple[int, int]:
        """Make the next base out of these domains' trainings, in the order of time; (version, trainings)."""
        self._look_at_base()
        teacher = Model.empty(slots=BASE_SLOTS)
        count = 0
        merged = heapq.merge(*(self._taught(name) for name in domains), key=lambda one: one[0].time)
        for training, features in merged:
            teacher.train(features, spam=training.spam, weight=training.weight)
            count += 1
        version = self.base_version + 1
        header = np.zeros(BASE_HEADER, np.uint8)
        header[:8] = np.frombuffer(BASE_MAGIC, np.uint8)
        header[8:40] = np.array([version, VERSION, BASE_SLOTS, self.seed], np.uint64).view(np.uint8)
        tmp = self.folder / f"base.{os.getpid()}"
        with tmp.open("wb") as stream:
            stream.write(header.tobytes())
            for table in teacher.tables:
                stream.write(table.weights.tobytes())
            stream.flush()
            os.fsync(stream.fileno())
        tmp.rename(self.folder / "base")
        return version, count

    def _taught(self, domain: str) -> Iterator[tuple[Training, Features]]:
        with self.trainings(domain) as trainings:
            found = list(trainings.examples())
        yield from found

    def _look_at_base(self) -> None:
        path = self.folder / "base"
        try:
            state = path.stat()
        except FileNotFoundError:
            self._base, self.base_version, self._base_seen = None, 0, (0, 0)
            return
        seen = (state.st_ino, state.st_mtime_ns)
        if seen != self._base_seen:
            self._base, self.base_version = _read_base(path, self.seed)
            self._base_seen = seen


def _read_base(path: Path, seed: int) -> tuple[list[Half], int]:
    wanted = BASE_HEADER + len(VIEWS) * BASE_SLOTS * 2
    if path.stat().st_size != wanted:
        raise StoreDamaged(f"{path} is no base: {path.stat().st_size} bytes")
    view = np.memmap(path, np.uint8, "r")
    version, features, slots, its_seed = (int(n) for n in view[8:40].view(np.uint64))
    if view[:8].tobytes() != BASE_MAGIC or (features, slots) != (VERSION, BASE_SLOTS):
        raise StoreDamaged(f"{path} is no base of this version")
    if its_seed != seed:
        raise StoreDamaged(f"{path} was made under another seed")
    halves: Sequence[Half] = [
        np.frombuffer(view, np.float16, BASE_SLOTS, BASE_HEADER + 2 * BASE_SLOTS * n)
        for n in range(len(VIEWS))
    ]
    return list(halves), version
